use std::collections::{BTreeMap, BTreeSet};

use peerkeeper_core::pace::snapshot::{Answer, Keeping, ReadId, Scope, Table, Taken};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asked {
    All,
    Ids(BTreeSet<u8>),
}

impl Scope for Asked {
    fn is_sweep(&self) -> bool {
        matches!(self, Asked::All)
    }

    fn covers(&self, asked: &Self) -> bool {
        match (self, asked) {
            (Asked::All, _) => true,
            (Asked::Ids(_), Asked::All) => false,
            (Asked::Ids(mine), Asked::Ids(other)) => other.is_subset(mine),
        }
    }

    fn widen(&mut self, other: &Self) {
        match (self, other) {
            (Asked::Ids(mine), Asked::Ids(other)) => mine.extend(other),
            (mine, other) => panic!("{mine:?} {other:?}"),
        }
    }
}

type Snapshots = Table<&'static str, u32, Asked, u64>;

const KEEPING: Keeping = Keeping { gap_ms: 30_000, stale_ms: 180_000 };

fn ids(ids: &[u8]) -> Asked {
    Asked::Ids(ids.iter().copied().collect())
}

fn started(answer: Answer<Asked, u64>) -> ReadId {
    match answer {
        Answer::Start(read) => read.id,
        answer => panic!("{answer:?}"),
    }
}

fn sweep(table: &mut Snapshots, began: u64) {
    let read = started(table.want(Mono(began), &"eu", 0, Mono(began), Asked::All));
    table.finished::<()>(Mono(began), &"eu", read, Ok(began)).expect("running");
}

#[test]
fn callers_join_a_read_that_began_in_time_and_queue_behind_one_that_did_not() {
    let mut table = Snapshots::new(KEEPING);
    let first = started(table.want(Mono(100), &"eu", 1, Mono(50), Asked::All));
    assert_eq!(table.want(Mono(110), &"eu", 2, Mono(100), Asked::All), Answer::Join(first));
    assert_eq!(table.want(Mono(110), &"eu", 3, Mono(101), Asked::All), Answer::Queued);
    assert_eq!(table.want(Mono(120), &"eu", 4, Mono(120), Asked::All), Answer::Queued);
    assert!(
        matches!(table.want(Mono(120), &"us", 5, Mono(120), Asked::All), Answer::Start(_)),
        "another place"
    );

    let ended = table.finished::<()>(Mono(200), &"eu", first, Ok(7)).unwrap();
    assert_eq!(ended.wake, [1, 2]);
    let taken = Taken { began: Mono(100), ended: Mono(200), scope: Asked::All, reading: 7 };
    assert_eq!(ended.result, Ok(taken.clone()));
    let second = ended.start.unwrap();
    assert_eq!(second.scope, Asked::All);

    assert_eq!(table.want(Mono(210), &"eu", 6, Mono(100), Asked::All), Answer::Have(taken));
    assert_eq!(table.want(Mono(210), &"eu", 7, Mono(200), Asked::All), Answer::Join(second.id));
    let ended = table.finished::<()>(Mono(300), &"eu", second.id, Ok(8)).unwrap();
    assert_eq!((ended.wake, ended.start), (vec![3, 4, 7], None));
    assert_eq!(table.finished::<()>(Mono(300), &"eu", second.id, Ok(9)), None, "ended already");
}

#[test]
fn the_future_is_not_waited_for() {
    let mut table = Snapshots::new(KEEPING);
    assert_eq!(table.want(Mono(10), &"eu", 1, Mono(11), Asked::All), Answer::NotYet(Mono(11)));
    assert!(matches!(table.want(Mono(11), &"eu", 1, Mono(11), Asked::All), Answer::Start(_)));
}

#[test]
fn a_failed_read_fails_all_who_joined_and_stores_nothing() {
    let mut table = Snapshots::new(KEEPING);
    let read = started(table.want(Mono(0), &"eu", 1, Mono(0), Asked::All));
    table.want(Mono(0), &"eu", 2, Mono(0), Asked::All);
    table.want(Mono(5), &"eu", 3, Mono(5), Asked::All);
    let ended = table.finished(Mono(10), &"eu", read, Err("page 2: Throttled")).unwrap();
    assert_eq!((ended.wake, ended.result), (vec![1, 2], Err("page 2: Throttled")));
    assert!(ended.start.is_some(), "those who queued get their own read");
    assert_eq!(table.latest(&"eu"), None);
    assert!(table.is_stale(&"eu", Mono(10)));
}

#[test]
fn a_cancelled_caller_cancels_nothing() {
    let mut table = Snapshots::new(KEEPING);
    let read = started(table.want(Mono(0), &"eu", 1, Mono(0), Asked::All));
    table.want(Mono(1), &"eu", 2, Mono(1), Asked::All);
    table.cancel(&"eu", &1);
    table.cancel(&"eu", &2);
    let ended = table.finished::<()>(Mono(10), &"eu", read, Ok(1)).unwrap();
    assert!(ended.wake.is_empty() && ended.start.is_some());
    assert!(table.latest(&"eu").is_some());
}

#[test]
fn a_targeted_read_waits_for_no_sweep_and_gathers_ids() {
    let mut table = Snapshots::new(KEEPING);
    let whole = started(table.want(Mono(0), &"eu", 1, Mono(0), Asked::All));
    let few = started(table.want(Mono(1), &"eu", 2, Mono(0), ids(&[1])));
    assert_eq!(table.want(Mono(2), &"eu", 3, Mono(0), ids(&[1])), Answer::Join(few));
    assert_eq!(table.want(Mono(2), &"eu", 4, Mono(0), ids(&[2])), Answer::Queued);
    assert_eq!(table.want(Mono(2), &"eu", 5, Mono(0), ids(&[3])), Answer::Queued);
    let ended = table.finished::<()>(Mono(3), &"eu", few, Ok(1)).unwrap();
    assert_eq!(ended.wake, [2, 3]);
    let next = ended.start.unwrap();
    assert_eq!(next.scope, ids(&[2, 3]));
    assert_eq!(table.latest(&"eu"), None, "a targeted reading is no sweep");
    table.finished::<()>(Mono(4), &"eu", next.id, Ok(2)).unwrap();
    assert!(
        matches!(table.want(Mono(5), &"eu", 6, Mono(3), ids(&[3])), Answer::Have(taken) if taken.reading == 2)
    );
    table.finished::<()>(Mono(9), &"eu", whole, Ok(3)).unwrap();
    assert!(
        matches!(table.want(Mono(9), &"eu", 6, Mono(0), ids(&[9])), Answer::Have(taken) if taken.reading == 3)
    );
}

#[test]
fn a_forgotten_place_wakes_its_callers_and_drops_late_results() {
    let mut table = Snapshots::new(KEEPING);
    let read = started(table.want(Mono(0), &"eu", 1, Mono(0), Asked::All));
    table.want(Mono(1), &"eu", 2, Mono(1), Asked::All);
    table.want(Mono(1), &"us", 3, Mono(1), Asked::All);
    assert_eq!(table.retain(|key| *key != "eu"), [1, 2]);
    assert_eq!(table.finished::<()>(Mono(2), &"eu", read, Ok(1)), None);
    assert_eq!(table.latest(&"eu"), None);
}

#[test]
fn absence_needs_two_sweeps_far_enough_apart_and_both_after_the_moment() {
    let mut table = Snapshots::new(KEEPING);
    sweep(&mut table, 0);
    sweep(&mut table, 29_999);
    assert_eq!(table.pair(&"eu", Mono(0)), None);
    sweep(&mut table, 60_000);
    let began = |after| table.pair(&"eu", Mono(after)).map(|pair| pair.map(|taken| taken.began.0));
    assert_eq!(began(29_999), Some([29_999, 60_000]));
    assert_eq!(began(30_000), None);
    assert_eq!(table.age_ms(&"eu", Mono(61_000)), Some(1000));
    assert!(!table.is_stale(&"eu", Mono(240_000)));
    assert!(table.is_stale(&"eu", Mono(240_001)));
}

proptest! {
    /// However densely or sparsely sweeps follow each other: few are kept, a pair that is given is a good one, and one
    /// is given at the latest when the history shows a sweep after the moment and the latest two gaps later.
    #[test]
    fn sweeps_are_thinned_without_losing_the_proof(
        pauses in prop::collection::vec(prop_oneof![0u64..3_000, 0u64..40_000, 50_000u64..90_000], 1..60),
        after in 0u64..600_000,
    ) {
        let mut table = Snapshots::new(KEEPING);
        let mut history = Vec::new();
        let mut now = 0;
        for pause in pauses {
            now += pause;
            sweep_or_have(&mut table, now, &mut history);
            let kept = table.sweeps(&"eu");
            prop_assert!(kept.len() <= 3);
            prop_assert_eq!(kept.last().map(|taken| taken.began.0), history.last().copied());
            let latest = now;
            match table.pair(&"eu", Mono(after)) {
                Some([first, second]) => {
                    prop_assert!(first.began.0 >= after && second.began.0 == latest);
                    prop_assert!(second.began.since_ms(first.began) >= 30_000);
                    prop_assert!(history.contains(&first.began.0));
                }
                None => {
                    let old = history.iter().any(|began| *began >= after && latest >= *began + 60_000);
                    prop_assert!(!old, "{:?} {}", history, after);
                }
            }
        }
    }

    /// Nobody is served a reading that began before its time or lacks what was asked, everybody is woken exactly once,
    /// and one read at most runs in each lane.
    #[test]
    fn every_caller_is_served_once_and_freshly(
        acts in prop::collection::vec((0u8..4, 0u64..30, 0u64..40, prop::option::of(prop::collection::btree_set(0u8..5, 1..3))), 1..150),
    ) {
        let mut table = Snapshots::new(KEEPING);
        let mut now = Mono(0);
        let mut waiting: BTreeMap<u32, (Mono, Asked)> = BTreeMap::new();
        let mut running: BTreeMap<ReadId, (Mono, Asked)> = BTreeMap::new();
        for (caller, (act, pass, back, few)) in (0u32..).zip(acts) {
            now = now.plus_ms(pass);
            let scope = few.map_or(Asked::All, Asked::Ids);
            let not_before = Mono(now.0.saturating_sub(back));
            if act == 0 {
                let Some(read) = running.keys().nth(back as usize % running.len().max(1)).copied() else { continue };
                let result = if pass % 5 == 0 { Err(()) } else { Ok(u64::from(caller)) };
                let (began, scope) = running.remove(&read).unwrap();
                let ended = table.finished(now, &"eu", read, result).unwrap();
                for caller in ended.wake {
                    let (not_before, asked) = waiting.remove(&caller).expect("woken twice, or never asked");
                    prop_assert!(began >= not_before && scope.covers(&asked));
                }
                if let Ok(taken) = ended.result {
                    prop_assert!(taken.began == began && taken.scope == scope);
                }
                if let Some(read) = ended.start {
                    running.insert(read.id, (now, read.scope));
                }
                continue;
            }
            match table.want(now, &"eu", caller, not_before, scope.clone()) {
                Answer::Have(taken) => prop_assert!(taken.began >= not_before && taken.scope.covers(&scope)),
                Answer::Start(read) => {
                    running.insert(read.id, (now, read.scope));
                    waiting.insert(caller, (not_before, scope));
                }
                Answer::Join(read) => {
                    prop_assert!(running.contains_key(&read));
                    waiting.insert(caller, (not_before, scope));
                }
                Answer::Queued => {
                    waiting.insert(caller, (not_before, scope));
                }
                Answer::NotYet(_) => prop_assert!(false, "not_before has passed"),
            }
            let sweeps = running.values().filter(|(_, scope)| scope.is_sweep()).count();
            prop_assert!(sweeps <= 1 && running.len() - sweeps <= 1);
        }
        while let Some((read, _)) = running.pop_first() {
            let ended = table.finished::<()>(now, &"eu", read, Ok(0)).unwrap();
            for caller in ended.wake {
                prop_assert!(waiting.remove(&caller).is_some());
            }
            running.extend(ended.start.map(|read| (read.id, (now, read.scope))));
        }
        prop_assert!(waiting.is_empty(), "never woken: {:?}", waiting);
    }
}

/// A second sweep at the same moment is served by the first.
fn sweep_or_have(table: &mut Snapshots, now: u64, history: &mut Vec<u64>) {
    match table.want(Mono(now), &"eu", 0, Mono(now), Asked::All) {
        Answer::Start(read) => {
            table.finished::<()>(Mono(now), &"eu", read.id, Ok(now)).expect("running");
            history.push(now);
        }
        answer => assert!(matches!(answer, Answer::Have(_))),
    }
}
