use std::collections::{BTreeMap, BTreeSet};

use peerkeeper_core::pace::queue::{Concurrency, Queue, Urgency};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

fn queue(total: usize, per_group: usize) -> Queue<&'static str, u8> {
    Queue::new(Concurrency { total, per_group })
}

#[test]
fn the_earliest_time_and_the_highest_urgency_win() {
    let mut queue = queue(9, 9);
    queue.add("a", 0, Mono(500), Urgency::Resync);
    queue.add("b", 0, Mono(400), Urgency::Resync);
    queue.add("a", 0, Mono(300), Urgency::Resync);
    queue.add("b", 0, Mono(900), Urgency::Hint);
    assert_eq!((queue.len(), queue.next_at(Mono(0))), (2, Some(Mono(300))));
    assert_eq!(queue.take(Mono(299)), None);
    assert_eq!(queue.lag_ms(Mono(450)), 150);
    assert_eq!(queue.take(Mono(450)), Some("b"), "a hint, at the earlier of its times");
    assert_eq!(queue.take(Mono(450)), Some("a"));
    assert_eq!(queue.take(Mono(1000)), None);
}

#[test]
fn what_is_asked_for_while_it_runs_waits_for_the_end() {
    let mut queue = queue(9, 9);
    queue.add("a", 0, Mono(0), Urgency::Hint);
    assert_eq!(queue.take(Mono(0)), Some("a"));
    queue.add("a", 0, Mono(10), Urgency::Hint);
    assert_eq!((queue.take(Mono(20)), queue.next_at(Mono(20))), (None, None));
    queue.done(&"a");
    assert_eq!(queue.next_at(Mono(20)), Some(Mono(20)));
    assert_eq!(queue.take(Mono(20)), Some("a"));
    queue.done(&"a");
    assert!(queue.is_empty());
}

#[test]
fn a_removed_object_does_not_come_back_after_its_run() {
    let mut queue = queue(9, 9);
    queue.add("a", 0, Mono(0), Urgency::Hint);
    assert_eq!(queue.take(Mono(0)), Some("a"));
    queue.add("a", 0, Mono(0), Urgency::Hint);
    queue.remove(&"a");
    assert!(queue.is_running(&"a"));
    queue.done(&"a");
    queue.done(&"a");
    assert_eq!((queue.take(Mono(100)), queue.len()), (None, 0));
}

#[test]
fn a_group_leaves_workers_for_others_and_groups_take_turns() {
    let mut queue = queue(3, 2);
    for key in ["a1", "a2", "a3", "a4"] {
        queue.add(key, 1, Mono(0), Urgency::Hint);
    }
    for key in ["b1", "b2"] {
        queue.add(key, 2, Mono(5), Urgency::Hint);
    }
    assert_eq!(queue.take(Mono(9)), Some("a1"));
    assert_eq!(queue.take(Mono(9)), Some("b1"), "its group was never served");
    assert_eq!(queue.take(Mono(9)), Some("a2"));
    assert_eq!(queue.take(Mono(9)), None, "no worker is free");
    assert_eq!(queue.next_at(Mono(9)), None);
    queue.done(&"b1");
    assert_eq!(queue.take(Mono(9)), Some("b2"), "group 1 has its two");
    queue.done(&"b2");
    assert_eq!((queue.take(Mono(9)), queue.next_at(Mono(9))), (None, None));
    queue.done(&"a1");
    assert_eq!(queue.take(Mono(9)), Some("a3"));
}

#[test]
fn a_flood_of_hints_does_not_starve_a_resync() {
    let mut queue = Queue::new(Concurrency { total: 1, per_group: 1 });
    queue.add(1000, 0u8, Mono(0), Urgency::Resync);
    let mut before = 0;
    for n in 0.. {
        queue.add(n, 0, Mono(0), Urgency::Hint);
        let key = queue.take(Mono(0)).unwrap();
        queue.done(&key);
        if key == 1000 {
            break;
        }
        before += 1;
    }
    assert_eq!(before, 7);
}

#[derive(Clone, Debug)]
enum Act {
    Add { key: u8, group: u8, in_ms: u64, hint: bool },
    Remove(u8),
    Take,
    Done(usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u8..12, 0u8..3, 0u64..50, any::<bool>())
            .prop_map(|(key, group, in_ms, hint)| Act::Add { key, group, in_ms, hint }),
        1 => (0u8..12).prop_map(Act::Remove),
        4 => Just(Act::Take),
        3 => any::<usize>().prop_map(Act::Done),
        2 => (0u64..40).prop_map(Act::Pass),
    ]
}

proptest! {
    /// Against a plain model: what waits since when, and what runs.
    #[test]
    fn the_queue_follows_its_model(
        acts in prop::collection::vec(act(), 0..200), total in 1usize..5, per_group in 1usize..4,
    ) {
        let mut queue: Queue<u8, u8> = Queue::new(Concurrency { total, per_group });
        let mut waiting: BTreeMap<u8, (Mono, u8)> = BTreeMap::new();
        let mut running: BTreeMap<u8, u8> = BTreeMap::new();
        let mut now = Mono(0);
        for act in acts {
            match act {
                Act::Add { key, group, in_ms, hint } => {
                    let at = now.plus_ms(in_ms);
                    let urgency = if hint { Urgency::Hint } else { Urgency::Resync };
                    queue.add(key, group, at, urgency);
                    let known = waiting.get(&key).map_or(at, |(known, _)| at.min(*known));
                    waiting.insert(key, (known, group));
                }
                Act::Remove(key) => {
                    queue.remove(&key);
                    waiting.remove(&key);
                }
                Act::Done(nth) => {
                    if let Some(key) = running.keys().nth(nth % running.len().max(1)).copied() {
                        queue.done(&key);
                        running.remove(&key);
                    }
                }
                Act::Pass(ms) => now = now.plus_ms(ms),
                Act::Take => {
                    let of_group = |group| running.values().filter(|other| **other == group).count();
                    let may: BTreeSet<u8> = waiting
                        .iter()
                        .filter(|(key, (at, group))| {
                            *at <= now && !running.contains_key(key) && of_group(*group) < per_group
                        })
                        .map(|(key, _)| *key)
                        .collect();
                    let free = running.len() < total;
                    match queue.take(now) {
                        Some(key) => {
                            prop_assert!(free && may.contains(&key));
                            let (_, group) = waiting.remove(&key).unwrap();
                            running.insert(key, group);
                        }
                        None => {
                            prop_assert!(!free || may.is_empty());
                            // And it doesn't spin: the next time to ask is later, or an end is waited for.
                            prop_assert!(queue.next_at(now).is_none_or(|at| at > now));
                        }
                    }
                }
            }
            prop_assert_eq!(queue.len(), waiting.len());
            prop_assert_eq!(queue.running().copied().collect::<Vec<_>>(), running.keys().copied().collect::<Vec<_>>());
        }
        // Whatever happened, all of it is handed out in the end, each once, and nothing is left behind.
        for key in running.keys() {
            queue.done(key);
        }
        let mut left: BTreeSet<u8> = waiting.into_keys().collect();
        while let Some(at) = queue.next_at(now) {
            now = at;
            if let Some(key) = queue.take(now) {
                prop_assert!(left.remove(&key));
                queue.done(&key);
            }
        }
        prop_assert!(left.is_empty() && queue.is_empty());
    }
}

#[test]
fn ten_thousand_objects_are_handed_out_quickly() {
    let mut queue: Queue<u32, u32> = Queue::new(Concurrency { total: 4, per_group: 4 });
    for n in 0..10_000 {
        queue.add(n, n % 100, Mono(0), Urgency::Resync);
    }
    let mut groups = Vec::new();
    while let Some(key) = queue.take(Mono(0)) {
        groups.push(key % 100);
        queue.done(&key);
    }
    assert_eq!(groups.len(), 10_000);
    assert!(
        groups.chunks(100).all(|round| round.iter().collect::<BTreeSet<_>>().len() == 100),
        "fair in every round"
    );
}
