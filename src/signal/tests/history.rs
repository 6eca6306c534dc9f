//! The event history.

use std::time::Duration;

use ec2sim::{Action, Calm, Choice, Delay, Fault, PeeringId, Script};
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::Heard;
use peerkeeper_core::witness::Ask;

use super::rig::*;
use crate::signal::{History, Question, Told};

fn question(lost: &PeeringId) -> Question {
    let lost = lost.as_str().parse().unwrap();
    Question { account: "them".into(), at: place(THEM), ask: Ask::Ending(lost), since: Wall(0) }
}

async fn rig() -> (Rig, History) {
    let rig = Rig::new().await;
    rig.aws.set_account(account("them", THEM.0));
    let history = History::new(rig.aws.clone());
    (rig, history)
}

fn found(told: &Told, lost: &PeeringId) -> usize {
    let Told::Events(events) = told else { panic!("{told:?}") };
    assert!(events.iter().all(|event| event.heard == Heard::History && event.place == place(THEM)));
    let lost = lost.as_str().parse().unwrap();
    events.iter().filter(|event| event.call.ends(lost)).count()
}

#[tokio::test(start_paused = true)]
async fn the_deleter_is_found_whether_or_not_aws_files_it_under_the_peering() {
    for (way, calls) in [(1, 1), (0, 3)] {
        let (rig, history) = rig().await;
        let mut chance = Script::new().always_pick(Choice::PeeringIsIndexed, way);
        rig.world.set_chance(chance.clone());
        let lost = rig.lose_by(&mut chance);
        rig.lose_by(&mut chance);
        let told = history.ask(&question(&lost), || true).await;
        assert_eq!(found(&told, &lost), 1);
        assert_eq!(rig.world.count("LookupEvents"), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_asked_once_a_second_by_one_at_a_time_and_a_listing_answers_many() {
    let (rig, history) = rig().await;
    let lost: Vec<PeeringId> = (0..20).map(|_| rig.lose()).collect();
    let questions: Vec<Question> = lost.iter().map(question).collect();
    let all = futures::future::join_all(questions.iter().map(|one| history.ask(one, || true))).await;
    for (told, lost) in all.iter().zip(&lost) {
        assert_eq!(found(told, lost), 1);
    }
    let seen = rig.world.seen();
    let at: Vec<u64> =
        seen.iter().filter(|seen| seen.action == "LookupEvents").map(|seen| seen.at_ms).collect();
    assert!(at.windows(2).all(|two| two[1] - two[0] >= 1000), "{at:?}");
    assert!(at.len() < 30, "each by its id, and the listing once in a while: {}", at.len());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_any_more_is_not_asked() {
    let (rig, history) = rig().await;
    let lost = rig.lose();
    assert_eq!(history.ask(&question(&lost), || false).await, Told::NotNeeded);
    assert_eq!(rig.world.count("LookupEvents"), 0);
}

#[tokio::test(start_paused = true)]
async fn more_pages_than_one_are_read() {
    let (rig, history) = rig().await;
    rig.world
        .set_chance(Script::new().always_pick(Choice::PeeringIsIndexed, 0).always_pick(Choice::ShortPage, 1));
    let first = rig.lose();
    for _ in 0..120 {
        rig.lose();
    }
    assert_eq!(
        found(&history.ask(&question(&first), || true).await, &first),
        1,
        "the oldest is on the last page"
    );
    assert!(rig.world.count("LookupEvents") > 4);
}

#[tokio::test(start_paused = true)]
async fn the_history_lags_and_says_so_by_saying_nothing() {
    let (rig, history) = rig().await;
    let lost = rig.lose_by(&mut Script::new().always_delay_ms(Delay::EventHistory, 300_000));
    assert_eq!(found(&history.ask(&question(&lost), || true).await, &lost), 0);
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert_eq!(found(&history.ask(&question(&lost), || true).await, &lost), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_it_is_unavailable_and_after_a_fault_it_is_asked_again() {
    let (rig, history) = rig().await;
    let lost = rig.lose();
    rig.world.set_chance(Script::new().fault(Action::LookupEvents, Fault::Denied));
    let Told::Unavailable(why) = history.ask(&question(&lost), || true).await else {
        panic!("it was denied")
    };
    assert!(why.contains("cloudtrail:LookupEvents"), "{why}");
    for fault in [Fault::Throttled, Fault::Internal, Fault::TimeoutAfterEffect] {
        rig.world.set_chance(Script::new().fault(Action::LookupEvents, fault));
        let told = history.ask(&question(&lost), || true).await;
        assert!(matches!(told, Told::Failed(_)), "{fault:?}: {told:?}");
    }
    rig.world.set_chance(Calm);
    assert_eq!(found(&history.ask(&question(&lost), || true).await, &lost), 1);
    rig.aws.remove_account("them");
    assert!(matches!(history.ask(&question(&lost), || true).await, Told::Unavailable(_)));
}
