use std::collections::BTreeMap;

use peerkeeper_core::pace::sweep::{Rhythm, Timer};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

const RHYTHM: Rhythm = Rhythm { interval_ms: 60_000, concurrency: 2 };

#[test]
fn the_only_place_is_swept_at_once_and_many_are_spread() {
    let mut timer = Timer::new(RHYTHM);
    for n in 0..1000u64 {
        timer.track(Mono(5), n, n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    assert_eq!((timer.take(Mono(5)), timer.next_at(Mono(5)).is_some()), (Some(0), true));
    let mut seconds: BTreeMap<u64, u64> = BTreeMap::new();
    for n in 1..1000 {
        let late = timer.health(Mono(60_005), &n).unwrap().late_ms;
        *seconds.entry(late / 10_000).or_default() += 1;
    }
    assert!(seconds.len() >= 6 && seconds.values().all(|places| *places <= 201), "{seconds:?}");
}

#[test]
fn the_next_is_due_an_interval_after_the_last_began_give_or_take_a_tenth() {
    for (jitter, due) in [(0, 54_000), (6_000, 60_000), (12_000, 66_000)] {
        let mut timer = Timer::new(RHYTHM);
        timer.track(Mono(0), "eu", 0);
        assert_eq!(timer.take(Mono(0)), Some("eu"));
        assert_eq!((timer.take(Mono(0)), timer.next_at(Mono(0))), (None, None), "one at a time");
        timer.finished(Mono(3_000), &"eu", true, jitter);
        assert_eq!(timer.next_at(Mono(3_000)), Some(Mono(due)));
    }
}

#[test]
fn failures_come_sooner_at_first_and_then_ever_later() {
    let mut timer = Timer::new(RHYTHM);
    timer.track(Mono(0), "eu", 0);
    let mut now = Mono(0);
    let mut waits = Vec::new();
    for _ in 0..7 {
        assert_eq!(timer.take(now), Some("eu"));
        timer.finished(now, &"eu", false, u64::MAX - 1);
        let due = timer.next_at(now).unwrap();
        waits.push(due.since_ms(now));
        now = due;
    }
    assert!(waits[0] <= 15_000 && waits.windows(2).all(|pair| pair[1] > pair[0] / 2));
    assert!(waits.iter().all(|wait| *wait <= 300_000) && waits[6] >= 150_000, "{waits:?}");
    let health = timer.health(now, &"eu").unwrap();
    assert_eq!((health.failures, health.stale), (7, true));
    assert_eq!(timer.take(now), Some("eu"));
    timer.finished(now, &"eu", true, 0);
    let health = timer.health(now, &"eu").unwrap();
    assert_eq!((health.failures, health.stale, health.age_ms), (0, false, 0));
}

#[test]
fn staleness_and_lateness_are_counted_from_the_start_of_the_last_success() {
    let mut timer = Timer::new(RHYTHM);
    timer.track(Mono(1_000), "eu", 0);
    assert!(!timer.health(Mono(181_000), &"eu").unwrap().stale);
    assert!(timer.health(Mono(181_001), &"eu").unwrap().stale, "never swept");
    assert_eq!(timer.take(Mono(181_001)), Some("eu"));
    assert_eq!(timer.health(Mono(181_001), &"eu").unwrap().late_ms, 180_001);
    timer.finished(Mono(200_000), &"eu", true, 6_000);
    assert!(timer.stale(Mono(361_001)).next().is_none());
    assert_eq!(timer.stale(Mono(361_002)).collect::<Vec<_>>(), [&"eu"]);
    assert_eq!(timer.health(Mono(0), &"us"), None);
}

#[test]
fn a_sweep_asked_for_while_one_runs_follows_it() {
    let mut timer = Timer::new(RHYTHM);
    timer.track(Mono(0), "eu", 0);
    assert_eq!(timer.take(Mono(0)), Some("eu"));
    timer.hasten(Mono(10), &"eu");
    timer.finished(Mono(20), &"eu", true, 0);
    assert_eq!(timer.take(Mono(20)), Some("eu"));
    timer.finished(Mono(30), &"eu", true, 0);
    assert_eq!(timer.take(Mono(30)), None);
    timer.hasten(Mono(40), &"eu");
    assert_eq!(timer.take(Mono(40)), Some("eu"));
}

#[test]
fn a_long_sweep_still_leaves_a_pause() {
    let mut timer = Timer::new(RHYTHM);
    timer.track(Mono(0), "eu", 0);
    assert_eq!(timer.take(Mono(0)), Some("eu"));
    timer.finished(Mono(500_000), &"eu", true, 0);
    assert_eq!(timer.next_at(Mono(500_000)), Some(Mono(506_000)));
}

#[test]
fn a_removed_account_is_swept_no_more() {
    let mut timer = Timer::new(RHYTHM);
    for place in ["eu", "us"] {
        timer.track(Mono(0), place, 0);
    }
    assert_eq!(timer.take(Mono(0)), Some("eu"));
    timer.retain(|place| *place != "eu");
    timer.finished(Mono(9), &"eu", true, 0);
    assert_eq!(timer.places().collect::<Vec<_>>(), [&"us"]);
    timer.track(Mono(9), "us", 77);
    assert_eq!(timer.take(Mono(100)), Some("us"), "tracked again, it keeps its time");
}

proptest! {
    /// Whatever sweeps take and however they end: never two of a place at once, never more than allowed, and a place
    /// is swept again within five intervals of the end of its last sweep, if workers are free.
    #[test]
    fn no_place_is_forgotten(
        sweeps in prop::collection::vec((0u64..90_000, any::<bool>(), any::<u64>()), 1..120),
        places in 1usize..6,
        concurrency in 1usize..4,
    ) {
        let rhythm = Rhythm { interval_ms: 60_000, concurrency };
        let mut timer = Timer::new(rhythm);
        let mut now = Mono(0);
        for place in 0..places {
            timer.track(now, place, sweeps[0].2);
        }
        let mut running: Vec<(Mono, usize, bool, u64)> = Vec::new();
        let mut ended: BTreeMap<usize, Mono> = BTreeMap::new();
        for (takes_ms, complete, jitter) in sweeps {
            let next = loop {
                if let Some(place) = timer.take(now) {
                    break place;
                }
                let ends = running.iter().map(|(ends, ..)| *ends).min();
                let wakes = timer.next_at(now).into_iter().chain(ends).min();
                prop_assert!(wakes.is_some(), "nothing is waited for");
                now = now.max(wakes.unwrap());
                if let Some(i) = running.iter().position(|(ends, ..)| *ends <= now) {
                    let (_, place, complete, jitter) = running.remove(i);
                    timer.finished(now, &place, complete, jitter);
                    ended.insert(place, now);
                }
            };
            prop_assert!(running.iter().all(|(_, place, ..)| *place != next));
            running.push((now.plus_ms(takes_ms), next, complete, jitter));
            prop_assert!(running.len() <= concurrency);
            if concurrency >= places && let Some(last) = ended.get(&next) {
                prop_assert!(now.since_ms(*last) <= 300_000);
            }
        }
    }
}
