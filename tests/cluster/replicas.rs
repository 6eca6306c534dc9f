//! Several replicas and one lease: at any time one of them writes, whatever becomes of the others.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::stage::{LEASE, PATIENCE, Stage, key_of, metric};
use crate::support::{CutProxy, Fault, Operator, eventually};

/// A busy machine answers late.
const SLACK: Duration = Duration::from_secs(8);

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

fn leading(operator: &Operator) -> Option<f64> {
    let (_, text) = operator.http_get("/metrics").expect("it serves metrics");
    metric(&text, "peerkeeper_leading")
}

/// Exactly one of two writes. One that stops breathing is replaced when its lease has run out, and ends without a word
/// when it wakes; one that is killed likewise; one that is asked to end hands the lease on at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_replicas_writes_and_the_other_takes_over() {
    let mut stage = Stage::start().await;
    let mut a = stage.replica("a");
    stage.wait_leader("a");
    let mut b = stage.replica("b");
    let (one, first) = stage.declare("one").await;
    let (two, second) = stage.declare("two").await;
    let (three, third) = stage.declare("three").await;
    assert_eq!((leading(&a), leading(&b)), (Some(1.0), Some(0.0)));
    assert_eq!(stage.writers(), [key_of("a")].into());
    assert!(
        stage.aws.log().iter().all(|call| call.key != key_of("b")),
        "who does not lead does not even read"
    );

    // The leader freezes while there is work to do: the other leaves it alone until the lease has run out.
    a.signal("STOP");
    let frozen = Instant::now();
    stage.aws.forget_calls();
    stage.lose(&first).await;
    let before = stage.status(&one);
    std::thread::sleep(LEASE / 3);
    assert_eq!(stage.status(&one), before, "no status without the lease");
    assert!(stage.writers().is_empty());
    stage.wait_leader("b");
    assert!(frozen.elapsed() < LEASE + LEASE / 10 + SLACK, "taken over after {:?}", frozen.elapsed());
    let restored = stage.restored(&one, &first);
    stage.assert_whole(&one, &restored).await;

    // The sleeper wakes up in a world that is not its own any more.
    stage.aws.forget_calls();
    a.signal("CONT");
    assert_eq!(a.wait(LEASE + SLACK), 1, "a lost lease ends the process, and says so");
    assert!(a.log().contains("the lease was lost"), "{}", a.log());
    assert!(!stage.writers().contains(&key_of("a")));
    stage.assert_whole(&one, &restored).await;

    let mut c = stage.replica("c");
    b.kill();
    let killed = Instant::now();
    stage.lose(&second).await;
    stage.wait_leader("c");
    assert!(killed.elapsed() < LEASE + LEASE / 10 + SLACK, "taken over after {:?}", killed.elapsed());
    let restored = stage.restored(&two, &second);
    stage.assert_whole(&two, &restored).await;

    // While nobody else looks, it can be seen that the lease was given back and not left to run out.
    let mut d = stage.replica("d");
    d.signal("STOP");
    c.terminate();
    assert_eq!(c.wait(Duration::from_secs(20)), 0, "asked to end, it ends well");
    assert_eq!(stage.leader(), "");
    d.signal("CONT");
    stage.wait_leader("d");
    stage.aws.forget_calls();
    stage.lose(&third).await;
    let restored = stage.restored(&three, &third);
    stage.assert_whole(&three, &restored).await;
    assert_eq!(stage.writers(), [key_of("d")].into());
    drop(d);
}

/// Cut off from the API server in the middle of a restore, and not from AWS, a leader stops writing before its lease
/// ends, and ends itself; the other finishes what it began.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_stops_writing_before_its_lease_ends() {
    let mut stage = Stage::start().await;
    let proxy = CutProxy::new(stage.cluster.address());
    let mut options = stage.options("a");
    options.kubeconfig = stage.cluster.kubeconfig_through(proxy.address());
    let mut a = Operator::start(options);
    a.wait_ready();
    stage.wait_leader("a");
    let b = stage.replica("b");
    let (pair, first) = stage.declare("cut").await;

    stage.aws.forget_calls();
    stage.aws.hold(Fault::of("AcceptVpcPeeringConnection"));
    stage.lose(&first).await;
    assert_eq!(stage.wait_call("AcceptVpcPeeringConnection").key, key_of("a"));
    proxy.cut();
    let (cut, cut_at) = (Instant::now(), unix_now());
    stage.aws.mend();

    stage.wait_leader("b");
    let taken_over = unix_now();
    assert!(cut.elapsed() < LEASE + LEASE / 10 + SLACK, "taken over after {:?}", cut.elapsed());
    assert_eq!(a.wait(LEASE + SLACK), 1);
    let second = stage.restored(&pair, &first);
    stage.assert_whole(&pair, &second).await;

    let log = stage.aws.log();
    let by_a: Vec<_> = log.iter().filter(|call| call.key == key_of("a")).collect();
    assert!(by_a.iter().any(|call| call.at > cut_at), "it did reach AWS after it was cut off");
    let late: Vec<_> = by_a.iter().filter(|call| call.is_write() && call.at >= taken_over).collect();
    assert!(late.is_empty(), "{late:?}");
    let beyond = cut_at + LEASE.as_secs_f64();
    assert!(by_a.iter().all(|call| !call.is_write() || call.at < beyond), "{by_a:?}");
    assert!(log.iter().any(|call| call.key == key_of("b") && call.is_write()), "the other finished it");

    // Whoever finds the way free again finds nothing left to do.
    proxy.heal();
    stage.aws.forget_calls();
    eventually("three more sweeps", PATIENCE, || {
        let swept = stage.aws.calls().get("DescribeRouteTables").copied().unwrap_or_default();
        if swept >= 6 { Ok(()) } else { Err(swept.to_string()) }
    });
    assert!(stage.writers().is_empty());
    assert_eq!(leading(&b), Some(1.0));
}
