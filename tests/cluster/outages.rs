//! What stops in the middle and comes back: the operator itself, the API server, etcd, an answer of AWS.

use std::time::Duration;

use crate::stage::{LEASE, PATIENCE, Pair, Stage, condition, key_of};
use crate::support::{Fault, Operator, eventually};

/// Killed in the middle of a restore, before and after the new peering became active, and started again: the same end as
/// without, one live peering, and one loss told once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_restore_and_started_again_it_converges() {
    let mut stage = Stage::start().await;
    let operator = stage.replica("a");
    let (accept, first) = stage.declare("accept").await;
    let (repoint, second) = stage.declare("repoint").await;
    let operator = killed_at("AcceptVpcPeeringConnection", &mut stage, operator, &accept, &first).await;
    drop(killed_at("ReplaceRoute", &mut stage, operator, &repoint, &second).await);
}

async fn killed_at(
    action: &str,
    stage: &mut Stage,
    mut operator: Operator,
    pair: &Pair,
    id: &str,
) -> Operator {
    stage.aws.forget_calls();
    stage.aws.hold(Fault::of(action));
    stage.lose(id).await;
    stage.wait_call(action);
    operator.kill();
    let flagged = condition(&stage.status(pair), "UnexpectedlyDeleted");
    assert_eq!(flagged["status"], "True", "the flag comes first: {flagged}");
    assert_eq!(stage.events(pair, "DeletedUnexpectedly").len(), 1, "the Event, too");
    let incident = stage.status(pair)["lastDeletion"].clone();
    assert!(incident.is_object(), "{incident}");

    // The next one goes on where the other was stopped, and is held there as well.
    stage.aws.forget_calls();
    let next = stage.replica("a");
    stage.wait_call(action);
    assert_eq!(condition(&stage.status(pair), "UnexpectedlyDeleted"), flagged);
    stage.aws.mend();
    let new = stage.restored(pair, id);
    stage.assert_whole(pair, &new).await;
    let told = stage.events(pair, "DeletedUnexpectedly");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["series"].is_null(), "{told:?}");
    assert_eq!(stage.events(pair, "Restored").len(), 1);
    let settled = stage.status(pair);
    assert_eq!(condition(&settled, "UnexpectedlyDeleted")["status"], "False");
    assert_eq!(settled["lastDeletion"]["detectedAt"], incident["detectedAt"]);
    next
}

/// An answer that is lost on the way is no reason to ask again: the peering that was made is found by its tag.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_create_leaves_one_live_peering() {
    let mut stage = Stage::start().await;
    let _operator = stage.replica("a");
    let (pair, first) = stage.declare("lost").await;
    stage.aws.forget_calls();
    stage.aws.drop_answer(Fault { times: Some(1), ..Fault::of("CreateVpcPeeringConnection") });
    stage.lose(&first).await;
    let second = stage.restored(&pair, &first);
    stage.assert_whole(&pair, &second).await;
    // Nor later: an unknown outcome settles by what is read, not by time.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(stage.aws.calls().get("CreateVpcPeeringConnection"), Some(&1));
    stage.assert_whole(&pair, &second).await;
}

/// AWS forgets a deleted peering after two days at most. What was lost and forgotten while nobody looked is lost all the
/// same: the operator remembers it, and two sweeps without it prove that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_peering_that_aws_has_forgotten_while_nobody_looked_is_restored() {
    let stage = Stage::start().await;
    let mut operator = stage.replica("a");
    let (pair, first) = stage.declare("purged").await;
    operator.kill();
    stage.lose(&first).await;
    stage.aws.sim().pass(3 * 24 * 3_600_000);

    let operator = Operator::start(stage.options("a").args(&["--settle-window=2s", "--absence-gap=2s"]));
    let second = stage.restored(&pair, &first);
    stage.assert_whole(&pair, &second).await;
    assert_eq!(stage.status(&pair)["lastDeletion"]["peeringId"], first);
    assert_eq!(stage.events(&pair, "DeletedUnexpectedly").len(), 1);
    drop(operator);
}

/// Short of its lease's end, an outage of the API server costs nothing: the same process goes on, idle or in the middle
/// of a restore.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_restarts_within_the_lease_is_survived() {
    let mut stage = Stage::start().await;
    let mut options = stage.options("a");
    let lease = options.args.iter().position(|arg| arg == "--lease-duration").expect("it is given");
    options.args[lease + 1] = "60s".to_owned();
    let mut operator = Operator::start(options);
    operator.wait_ready();
    let (idle, first) = stage.declare("idle").await;
    let (busy, second) = stage.declare("busy").await;

    stage.aws.forget_calls();
    stage.cluster.stop_apiserver();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(operator.http_get("/livez").map(|(code, _)| code), Ok(200), "it will recover by itself");
    stage.cluster.start_apiserver();
    stage.lose(&first).await;
    let restored = stage.restored(&idle, &first);
    stage.assert_whole(&idle, &restored).await;

    stage.aws.hold(Fault::of("AcceptVpcPeeringConnection"));
    stage.aws.forget_calls();
    stage.lose(&second).await;
    stage.wait_call("AcceptVpcPeeringConnection");
    stage.cluster.stop_apiserver();
    stage.aws.mend();
    std::thread::sleep(Duration::from_secs(1));
    stage.cluster.start_apiserver();
    let restored = stage.restored(&busy, &second);
    stage.assert_whole(&busy, &restored).await;
    assert_nothing_deleted(&mut stage);
    assert_eq!(operator.exited(), None, "{}", operator.log());
}

/// With etcd gone for longer than the lease, the leader ends, as it can't know whether it still leads. Started again, as
/// the kubelet would, it is alive and unready, and goes on when etcd is back.
#[tokio::test(flavor = "multi_thread")]
async fn etcd_gone_beyond_the_lease_ends_the_leader_and_the_next_goes_on() {
    let mut stage = Stage::start().await;
    let mut operator = stage.replica("a");
    let (pair, first) = stage.declare("pair").await;
    stage.aws.forget_calls();
    stage.cluster.stop_etcd();
    stage.lose(&first).await;
    assert_eq!(operator.wait(LEASE + Duration::from_secs(10)), 1);
    assert_eq!(stage.writers(), [].into(), "what can't be flagged is not acted upon");

    let mut next = Operator::start(stage.options("b"));
    eventually("it to be alive and not ready", PATIENCE, || {
        match (next.http_get("/livez"), next.http_get("/readyz")) {
            (Ok((200, _)), Ok((503, _))) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(next.exited(), None, "{}", next.log());
    stage.cluster.start_etcd();
    next.wait_ready();
    let restored = stage.restored(&pair, &first);
    stage.assert_whole(&pair, &restored).await;
    assert_eq!(stage.writers(), [key_of("b")].into());
    assert_nothing_deleted(&mut stage);
}

fn assert_nothing_deleted(stage: &mut Stage) {
    let log = stage.aws.log();
    let deleted: Vec<_> = log
        .iter()
        .filter(|call| call.key.starts_with("replica-") && call.action.starts_with("Delete"))
        .collect();
    assert!(deleted.is_empty(), "{deleted:?}");
}
