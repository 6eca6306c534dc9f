use proptest::prelude::*;

use super::*;
use crate::trail::{Actor, Heard};

const MINUTE: u64 = 60_000;

fn place(n: u64) -> AccountRegion {
    AccountRegion { account: format!("{n:012}").parse().unwrap(), region: "eu-west-1".parse().unwrap() }
}

fn at(ms: u64) -> Now {
    Now { mono: Mono(ms), wall: Wall(1_000_000 + (ms / 1000) as i64) }
}

fn event(place: AccountRegion, now: Now, call: Call, request_id: &str) -> TrailEvent {
    TrailEvent {
        id: format!("event of {request_id}").into(),
        at: now.wall,
        place,
        call,
        actor: Actor { arn: "arn:aws:iam::1:user/x".into(), ..Actor::default() },
        heard: Heard::Queue,
        request_id: request_id.into(),
        record: "{}".into(),
    }
}

fn delete(now: Now, request_id: &str) -> TrailEvent {
    event(place(1), now, Call::DeletePeering("pcx-0123456789abcdef0".parse().unwrap()), request_id)
}

fn one() -> Arc<str> {
    "one".into()
}

fn lanes() -> Lanes {
    Lanes::new(Patience::default(), [one()])
}

fn state(lanes: &mut Lanes, ms: u64) -> Option<Degraded> {
    lanes.tick(Mono(ms));
    lanes.degraded(Mono(ms), place(1))
}

const DELETE: &str = "DeleteVpcPeeringConnection";

#[test]
fn with_no_queue_nothing_is_expected_and_nothing_is_degraded() {
    let mut lanes = Lanes::new(Patience::default(), []);
    lanes.wrote(at(0), place(1), DELETE, None);
    lanes.failed(Mono(0), "one", "gone".into());
    assert_eq!(state(&mut lanes, 100 * MINUTE), None);
}

#[test]
fn a_write_that_is_not_heard_of_in_a_quarter_of_an_hour_degrades_until_a_later_event_comes() {
    let mut lanes = lanes();
    lanes.wrote(at(0), place(1), DELETE, Some("r1".into()));
    assert_eq!(state(&mut lanes, 15 * MINUTE), None);
    let degraded = Degraded::NotEchoed { call: DELETE, at: at(0).wall };
    assert_eq!(state(&mut lanes, 15 * MINUTE + 1), Some(degraded.clone()));
    assert_eq!(lanes.degraded(Mono(15 * MINUTE + 1), place(2)), None, "another account hears well");
    let earlier = Now { wall: Wall(5), ..at(0) };
    lanes.heard(&one(), &delete(earlier, "r0"));
    assert_eq!(state(&mut lanes, 16 * MINUTE), Some(degraded), "what was called before proves nothing");
    lanes.heard(&one(), &delete(at(16 * MINUTE), "somebody's"));
    assert_eq!(state(&mut lanes, 16 * MINUTE), None);
}

#[test]
fn the_echo_is_known_by_its_request_and_without_one_by_name_and_time() {
    let mut lanes = lanes();
    lanes.wrote(at(0), place(1), DELETE, Some("r1".into()));
    lanes.wrote(at(0), place(1), DELETE, None);
    assert_eq!(lanes.heard(&one(), &delete(at(0), "r1")), Echo::Own);
    assert_eq!(lanes.heard(&one(), &delete(at(61_000), "r9")), Echo::Others, "too late to be the other");
    assert_eq!(state(&mut lanes, 16 * MINUTE).map(|_| ()), Some(()));
    lanes.wrote(at(20 * MINUTE), place(1), DELETE, None);
    lanes.heard(&one(), &delete(at(20 * MINUTE + 30_000), "r10"));
    assert_eq!(state(&mut lanes, 40 * MINUTE), None);
}

#[test]
fn an_echo_that_is_faster_than_the_answer_counts() {
    let mut lanes = lanes();
    lanes.heard(&one(), &delete(at(0), "r1"));
    lanes.wrote(at(50), place(1), DELETE, Some("r1".into()));
    assert_eq!(state(&mut lanes, 60 * MINUTE), None);
    assert_eq!(lanes.heard(&one(), &delete(at(0), "r1")), Echo::Own);
}

#[test]
fn only_so_many_ids_are_kept() {
    let mut latest = Latest::default();
    for n in 0..Latest::MOST + 10 {
        latest.insert(&format!("{n}").into());
    }
    assert_eq!((latest.ids.len(), latest.order.len()), (Latest::MOST, Latest::MOST));
    assert!(!latest.contains(&"9".into()) && latest.contains(&"10".into()));
}

#[test]
fn somebody_elses_call_is_no_echo_of_a_write_whose_request_is_known() {
    let mut lanes = lanes();
    lanes.wrote(at(1000), place(1), DELETE, Some("r1".into()));
    lanes.heard(&one(), &delete(at(0), "r2"));
    assert!(state(&mut lanes, 16 * MINUTE).is_some());
}

#[test]
fn tags_are_no_canary_as_no_rule_tells_of_them() {
    let mut lanes = lanes();
    lanes.wrote(at(0), place(1), "CreateTags", Some("r1".into()));
    assert_eq!(state(&mut lanes, 60 * MINUTE), None);
}

#[test]
fn who_stops_the_trail_is_named_until_events_come_again() {
    let mut lanes = lanes();
    let stop = |now| event(place(1), now, Call::Blind { name: "StopLogging".into() }, "r");
    lanes.heard(&one(), &stop(at(1000)));
    let Some(Degraded::Blinded { call, by, .. }) = state(&mut lanes, 1000) else { panic!("it must be told") };
    assert_eq!((&*call, &*by), ("StopLogging", "arn:aws:iam::1:user/x"));
    lanes.heard(&one(), &delete(at(1000), "sent before"));
    assert!(state(&mut lanes, 2000).is_some(), "it may have been on its way");
    lanes.heard(&one(), &delete(at(2000), "later"));
    assert_eq!(state(&mut lanes, 2000), None);
}

#[test]
fn a_queue_that_fails_for_long_degrades_what_came_through_it_and_what_never_came() {
    let two: Arc<str> = "two".into();
    let mut lanes = Lanes::new(Patience::default(), [one(), two.clone()]);
    lanes.heard(&one(), &delete(at(0), "r"));
    lanes.heard(
        &two,
        &event(place(2), at(0), Call::DeletePeering("pcx-0123456789abcdef0".parse().unwrap()), "s"),
    );
    lanes.failed(Mono(0), "one", "AccessDenied".into());
    assert_eq!(state(&mut lanes, 2 * MINUTE), None, "queues have bad minutes");
    lanes.failed(Mono(MINUTE), "one", "NonExistentQueue".into());
    let fails = Degraded::QueueFails { queue: one(), why: "NonExistentQueue".into() };
    assert_eq!(state(&mut lanes, 2 * MINUTE + 1), Some(fails.clone()));
    let now = Mono(2 * MINUTE + 1);
    assert_eq!(lanes.degraded(now, place(2)), None, "it comes through the other");
    assert_eq!(lanes.degraded(now, place(3)), Some(fails));
    lanes.heard(&two, &delete(at(0), "r"));
    assert_eq!(lanes.degraded(now, place(1)), None, "one of its two is enough");
    lanes.received(now, "one");
    assert_eq!(lanes.degraded(now, place(3)), None);
    assert_eq!(lanes.last_received().map(|(_, at)| at).collect::<Vec<_>>(), [Some(now), None]);
}

proptest! {
    /// Whatever came before, a lane is well once its queue answers and an event of after the trouble came.
    #[test]
    fn a_lane_recovers_from_anything(
        steps in prop::collection::vec((0..5_usize, 0..20 * MINUTE, 0..4_u64), 0..60),
    ) {
        let mut lanes = lanes();
        let mut now = at(0);
        for (step, pause, n) in steps {
            now = at(now.mono.0 + pause);
            let id = format!("r{n}");
            match step {
                0 => lanes.wrote(now, place(1), DELETE, Some(id.into())),
                1 => lanes.wrote(now, place(1), "CreateRoute", None),
                2 => drop(lanes.heard(&one(), &delete(now, &id))),
                3 => drop(lanes.heard(&one(), &event(place(1), now, Call::Blind { name: "DeleteTrail".into() }, &id))),
                _ => lanes.failed(now.mono, "one", "no".into()),
            }
            lanes.tick(now.mono);
            let waiting = &lanes.places.get(&place(1)).map(|lane| lane.waiting.len()).unwrap_or_default();
            prop_assert!(*waiting <= WAITING_MAX);
        }
        now = at(now.mono.0 + 16 * MINUTE);
        lanes.tick(now.mono);
        lanes.received(now.mono, "one");
        lanes.heard(&one(), &delete(now, "last"));
        prop_assert_eq!(lanes.degraded(now.mono, place(1)), None);
    }

    /// Heard of in time, no write ever degrades a lane.
    #[test]
    fn echoes_in_time_never_degrade(
        writes in prop::collection::vec((0..5 * MINUTE, 0..15 * MINUTE), 1..60),
    ) {
        let mut lanes = lanes();
        let mut now = at(0);
        let mut due: BTreeMap<(u64, usize), TrailEvent> = BTreeMap::new();
        for (n, (pause, lag)) in writes.into_iter().enumerate() {
            now = at(now.mono.0 + pause);
            while let Some(((ms, _), _)) = due.first_key_value() && *ms <= now.mono.0 {
                let ((ms, _), event) = due.pop_first().unwrap();
                lanes.tick(Mono(ms));
                lanes.heard(&one(), &event);
            }
            lanes.wrote(now, place(1), DELETE, Some(format!("r{n}").into()));
            due.insert((now.mono.0 + lag, n), delete(now, &format!("r{n}")));
            prop_assert_eq!(state(&mut lanes, now.mono.0), None);
        }
    }
}
