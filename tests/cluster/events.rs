//! What CloudTrail tells, by way of EventBridge's rule and an SQS queue over HTTP, to the real binary.

use ec2sim::{Caller, Calm, EventPattern, QueueId, Request, UserIdentity, World};

use crate::stage::{PATIENCE, Stage, condition, metric};
use crate::support::{OWN_ACCOUNT, Operator, eventually};

const HERE: &str = "eu-west-1";

/// A queue that hears of the account's calls in both Regions, as the flag names it.
fn tell_of_calls(stage: &Stage) -> String {
    let queue = QueueId::new(OWN_ACCOUNT, HERE, "events");
    stage.aws.sim().world(|world| {
        let create = Request::CreateQueue {
            name: "events".to_owned(),
            attributes: Default::default(),
            tags: Default::default(),
        };
        world.as_human(OWN_ACCOUNT, HERE, create).expect("a queue");
        for region in [HERE, "us-east-1"] {
            let pattern = EventPattern::ec2(Vec::<String>::new());
            world.deliver_events(OWN_ACCOUNT, region, &pattern, &queue).expect("a trail and a rule");
        }
    });
    format!("{}/{OWN_ACCOUNT}/events,region={HERE}", stage.aws.clients().endpoint())
}

fn sweeps(operator: &Operator) -> f64 {
    let text = operator.metrics();
    text.lines()
        .filter(|line| line.starts_with("peerkeeper_sweeps_total{"))
        .filter_map(|line| metric(line, "peerkeeper"))
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_told_is_flagged_and_repaired_though_no_sweep_is_due_for_an_hour() {
    let stage = Stage::start().await;
    let url = tell_of_calls(&stage);
    let mut options = stage.options("a").args(&["--event-queue-url", &url]);
    options.sweep_interval = "1h".to_owned();
    let mut operator = Operator::start(options);
    operator.wait_ready();
    let (pair, id) = stage.declare("told").await;
    eventually("the events of what was done at the start", PATIENCE, || {
        let text = operator.metrics();
        let heard = metric(&text, "peerkeeper_trail_events_total{call=\"CreateVpcPeeringConnection\"}");
        if heard.is_some() { Ok(()) } else { Err(text) }
    });
    let before = sweeps(&operator);
    stage.lose(&id).await;
    let next = stage.restored(&pair, &id);
    stage.assert_whole(&pair, &next).await;
    assert_eq!(stage.events(&pair, "DeletedUnexpectedly").len(), 1);
    assert_eq!(sweeps(&operator), before, "no sweep found it");
    let text = operator.metrics();
    assert_eq!(
        metric(&text, "peerkeeper_trail_events_total{call=\"DeleteVpcPeeringConnection\"}"),
        Some(1.0),
        "{text}"
    );
    let log = operator.log();
    let write = log.lines().find(|line| line.contains("create peering")).expect("the write is logged");
    assert!(write.contains("request_id="), "{write}");
    let account = stage.cluster.get(&["awsaccount", "default"]);
    assert_eq!(condition(&account["status"], "EventLaneDegraded"), serde_json::Value::Null, "{account:#}");
    assert!(
        stage.aws.sim().world(|world| world.messages_in(&QueueId::new(OWN_ACCOUNT, HERE, "events"))) <= 10
    );
    assert!(log.contains("an event concerns declared peerings"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_be_one_is_refused_at_the_start() {
    let stage = Stage::start().await;
    let mut operator = Operator::start(stage.options("a").args(&["--event-queue-url", "my-queue"]));
    assert_eq!(operator.wait(PATIENCE), 1);
    let log = operator.log();
    assert!(log.contains("my-queue") && log.contains("write https://sqs."), "{log}");
}

const ACKNOWLEDGED: &str = "peerkeeper.dev/credentials-misuse-acknowledged";

/// Whoever that ARN names.
fn known_as(arn: &str) -> Caller {
    let resource = arn.rsplit(':').next().unwrap_or_default();
    let parts: Vec<&str> = resource.split('/').collect();
    let identity = match parts[..] {
        ["assumed-role", name, session] => UserIdentity::role(name, session),
        ["user", name] => UserIdentity::user(name),
        ["root"] => UserIdentity::root(),
        _ => panic!("{arn}"),
    };
    let caller = Caller::new(OWN_ACCOUNT, HERE).known_as(identity);
    assert_eq!(caller.arn().as_deref(), Some(arn));
    caller
}

#[tokio::test(flavor = "multi_thread")]
async fn who_uses_our_credentials_is_named_and_everything_held_until_a_person_acknowledges_it() {
    let stage = Stage::start().await;
    let url = tell_of_calls(&stage);
    let mut operator = Operator::start(stage.options("a").args(&["--event-queue-url", &url]));
    operator.wait_ready();
    let (pair, id) = stage.declare("misused").await;
    let account = || stage.cluster.get(&["awsaccount", "default"]);
    let misused = || condition(&account()["status"], "OperatorCredentialsMisused");
    let arn = account()["status"]["callerArn"].as_str().expect("as whom it calls").to_owned();
    // What they delete is nothing that is declared here: that it was done as us is enough.
    let others = stage.aws.sim().world(|world| {
        world.keep_history(true);
        // What is about as old as the AwsAccount is never judged.
        world.set_wall_at_zero(world.wall_ms() - i64::try_from(world.now_ms()).expect("a time") + 600_000);
        let vpc = |world: &mut World, cidr| world.create_vpc(OWN_ACCOUNT, HERE, cidr).expect("a VPC");
        let (a, b) = (vpc(world, "10.8.0.0/16"), vpc(world, "10.9.0.0/16"));
        let id = world.peer(&a, &b).expect("a peering").to_string();
        let delete = Request::DeleteVpcPeeringConnection { peering_id: id.clone() };
        world.call(&known_as(&arn), delete, &mut Calm).expect("somebody deletes it as us");
        id
    });
    let event = eventually("the hold", PATIENCE, || {
        let held = misused()["status"] == "True";
        let event = account()["status"]["credentialsMisuse"]["calls"][0]["eventId"].clone();
        if held {
            Ok(event.as_str().expect("an id").to_owned())
        } else {
            Err(format!("{:#}", account()["status"]))
        }
    });
    let message = misused()["message"].to_string();
    assert!(message.contains(&others) && message.contains(&arn) && message.contains(&event), "{message}");
    eventually("its Event", PATIENCE, || {
        let list = stage.cluster.get(&["events.events.k8s.io", "--namespace", "default"]);
        let events = list["items"].as_array().expect("a list has items").clone();
        let told = |event: &&serde_json::Value| {
            event["reason"] == "OperatorCredentialsMisused" && event["regarding"]["name"] == "default"
        };
        if events.iter().any(|event| told(&event)) { Ok(()) } else { Err(list.to_string()) }
    });
    stage.lose(&id).await;
    eventually("the hold on the object", PATIENCE, || {
        let status = stage.status(&pair);
        let stalled = condition(&status, "Stalled");
        if stalled["reason"] == "OperatorCredentialsMisused" { Ok(()) } else { Err(status.to_string()) }
    });
    assert!(stage.status(&pair).to_string().contains(&format!("{ACKNOWLEDGED}={event}")));
    let note = format!("{ACKNOWLEDGED}={event}");
    stage.cluster.kubectl_ok(&["annotate", "--overwrite", "awsaccount", "default", &note]);
    let next = stage.restored(&pair, &id);
    stage.assert_whole(&pair, &next).await;
    assert_eq!(misused(), serde_json::Value::Null, "{:#}", account()["status"]);
    assert_eq!(account()["status"]["credentialsMisuse"]["acknowledged"], event.as_str());
}
