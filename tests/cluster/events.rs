//! What CloudTrail tells, by way of EventBridge's rule and an SQS queue over HTTP, to the real binary.

use ec2sim::{EventPattern, QueueId, Request};

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
    assert_eq!(operator.wait(PATIENCE), 2);
    let log = operator.log();
    assert!(log.contains("my-queue") && log.contains("write https://sqs."), "{log}");
}
