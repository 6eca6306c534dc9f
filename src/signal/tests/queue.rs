//! The consumer.

use std::time::Duration;

use ec2sim::{Action, Calm, Choice, Delay, Fault, Knobs, Request, Script, Seeded};

use super::rig::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_is_heard_at_once_and_then_gone() {
    let rig = Rig::new().await;
    let (ear, _task) = rig.listen();
    wait(5 * SECOND).await;
    let id = rig.lose();
    wait(SECOND).await;
    let calls = ear.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    let event = ear
        .events
        .lock()
        .unwrap()
        .iter()
        .find(|event| {
            event
                .call
                .peerings()
                .any(|of| of.to_string() == id.as_str() && event.call.name().starts_with("Delete"))
        })
        .cloned();
    assert_eq!(event.unwrap().place, place(THEM));
    assert_eq!(rig.left(), 0, "what was handed over is deleted");
    wait(10 * MINUTE).await;
    assert_eq!(ear.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_idle_queue_is_asked_three_times_a_minute() {
    let rig = Rig::new().await;
    let (_ear, _task) = rig.listen();
    wait(10 * MINUTE).await;
    let asked = rig.world.count("ReceiveMessage");
    assert!((29..=31).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn what_is_poison_or_nobodys_is_counted_and_deleted() {
    let rig = Rig::new().await;
    let (ear, _task) = rig.listen();
    for body in ["", "{", "{\"source\":\"aws.s3\",\"detail-type\":\"Object Created\",\"detail\":{}}"] {
        let body = if body.is_empty() { " " } else { body };
        rig.send(body);
    }
    rig.world.with_world(|world| world.create_vpc(US.0, US.1, "10.9.0.0/16")).unwrap();
    wait(5 * SECOND).await;
    assert_eq!((ear.told("poison"), ear.told("ignored foreign"), ear.told("ignored other_call")), (2, 1, 1));
    assert_eq!((rig.left(), ear.calls().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn twice_delivered_is_once_heard() {
    let rig = Rig::new().await;
    let (ear, _task) = rig.listen();
    rig.lose_by(&mut Script::new().always_pick(Choice::EventTwice, 1));
    wait(5 * SECOND).await;
    assert_eq!((ear.calls().len(), ear.told("duplicate"), rig.left()), (3, 1, 0));
}

/// Messages late, twice, in any order, received again though deleted, and not seen by a receive: each is heard once.
#[tokio::test(start_paused = true)]
async fn whatever_the_queue_does_every_event_is_heard_once() {
    for seed in 0..6 {
        let rig = Rig::new().await;
        let knobs = Knobs::default()
            .delay_ms(Delay::EventDelivery, 120_000)
            .choice(Choice::EventTwice, 3_000)
            .choice(Choice::MessageOrder, 5_000)
            .choice(Choice::MessageAgain, 3_000)
            .choice(Choice::ReceiveMisses, 3_000)
            .choice(Choice::DeleteForgotten, 2_000);
        let mut chance = Seeded::new(seed, knobs);
        rig.world.set_chance(chance.clone());
        let (ear, _task) = rig.listen();
        for _ in 0..8 {
            rig.lose_by(&mut chance);
        }
        wait(10 * MINUTE).await;
        let mut ids: Vec<_> = ear.events.lock().unwrap().iter().map(|event| event.id.clone()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((all, ids.len()), (24, 24), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_before_it_was_handed_over_and_it_stays_hidden_for_as_long() {
    let rig = Rig::new().await;
    let ear = std::sync::Arc::new(Memo::default());
    *ear.slow.lock().unwrap() = 2 * MINUTE;
    let _task = rig.listen_as(ear.clone());
    rig.lose();
    wait(5 * MINUTE).await;
    assert_eq!((ear.calls().len(), rig.left()), (2, 3), "they were received together");
    wait(2 * MINUTE).await;
    assert_eq!((ear.calls().len(), rig.left()), (3, 0));
    assert!(
        rig.world.count("ChangeMessageVisibilityBatch") >= 8,
        "six minutes, and each minute would end them"
    );
    assert_eq!((ear.told("duplicate"), ear.told("event")), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn who_dies_while_handing_over_leaves_the_message_for_the_next() {
    let rig = Rig::new().await;
    let ear = std::sync::Arc::new(Memo::default());
    *ear.slow.lock().unwrap() = MINUTE;
    let task = rig.listen_as(ear.clone());
    rig.lose();
    wait(10 * SECOND).await;
    task.abort();
    assert_eq!((ear.calls().len(), rig.left()), (0, 3));
    let (next, _task) = rig.listen();
    wait(2 * MINUTE).await;
    assert_eq!((next.calls().len(), rig.left()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_gone_is_asked_ever_more_seldom_and_heard_once_it_is_back() {
    let rig = Rig::new().await;
    let (ear, _task) = rig.listen();
    wait(30 * SECOND).await;
    let queue = rig.queue.clone();
    rig.world
        .with_world(|world| world.as_human(US.0, US.1, Request::DeleteQueue { queue }).map(drop))
        .unwrap();
    wait(10 * MINUTE).await;
    let failures = ear.told("failed");
    assert!((10..30).contains(&failures), "{failures}");
    assert_eq!(rig.left(), 0);
    rig.world.with_world(create_queue);
    wait(2 * MINUTE).await;
    rig.lose();
    wait(SECOND).await;
    assert_eq!(ear.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn faults_on_the_way_cost_time_and_no_event() {
    for fault in Fault::ALL {
        let rig = Rig::new().await;
        let mut script = Script::new();
        for action in [Action::ReceiveMessage, Action::ReceiveMessage, Action::DeleteMessageBatch] {
            script = script.fault(action, *fault);
        }
        rig.world.set_chance(script);
        let (ear, _task) = rig.listen();
        rig.lose();
        wait(10 * MINUTE).await;
        assert_eq!((ear.calls().len(), rig.left()), (3, 0), "{fault:?}: {:?}", ear.news.lock().unwrap());
        assert!(ear.told("failed") >= 1, "{fault:?}");
        rig.world.set_chance(Calm);
    }
}

/// The AwsAccount of the queue's account first; where its role may not read the queue, our own credentials.
#[tokio::test(start_paused = true)]
async fn another_way_in_is_tried_where_one_is_denied() {
    let rig = Rig::new().await;
    rig.aws.set_account(account("prod", US.0));
    let (ear, task) = rig.listen();
    rig.lose();
    wait(5 * SECOND).await;
    assert_eq!(ear.calls().len(), 3);
    let by = |rig: &Rig| {
        let seen = rig.world.seen();
        seen.iter()
            .rev()
            .find(|seen| seen.action == "ReceiveMessage")
            .map(|seen| seen.caller.principal.to_string())
    };
    let by_role = by(&rig);
    task.abort();
    rig.world.set_chance(Script::new().fault(Action::ReceiveMessage, Fault::Denied));
    let (ear, _task) = rig.listen();
    wait(MINUTE).await;
    assert_eq!(ear.told("failed"), 0, "there was another way");
    assert_ne!(by(&rig), by_role);
}
