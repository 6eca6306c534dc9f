//! The work queue: which object is reconciled next.
//!
//! An object is in it at most once, with the earliest time anybody asked for, and is never worked on twice at once:
//! what is asked for while it is being worked on waits until that ends. Hints (something is known to have happened)
//! go before resyncs (nothing is known), groups (accounts) take turns, and one group can't take every worker.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Mono;

/// Why an object is looked at; the more urgent comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Something happened to it: an event, a change of its spec, a sweep that found a difference.
    Hint,
    /// Its time has come, nothing more.
    Resync,
}

/// How many objects may be worked on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concurrency {
    pub total: usize,
    /// Of one group; the rest of `total` stays free for others, so an account whose calls hang holds up only itself.
    pub per_group: usize,
}

/// After this many hints in a row a resync that is due gets its turn: a flood of hints can't starve what the sweeps
/// found.
const HINTS_IN_A_ROW: u32 = 7;

/// By time, then by order of adding.
type Order<K> = BTreeSet<(Mono, u64, K)>;

/// The queue of objects `K` in groups `G`.
///
/// Invariants: a key is waiting at most once and running at most once; while it runs it isn't handed out; what was
/// added and not removed is handed out once its time has come and workers are free; equal histories hand out in equal
/// order (urgency, then the group served longest ago, then time, then order of adding).
///
/// Memory: one entry per key that waits or runs, and one per group that has any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue<K, G> {
    concurrency: Concurrency,
    /// Every key that waits, those that run and were asked for again included.
    waiting: BTreeMap<K, Waiting<G>>,
    /// Waiting, not running, time not come when last looked.
    later: Order<K>,
    /// Waiting, not running, time come.
    due: BTreeMap<(Urgency, G), Order<K>>,
    running: BTreeMap<K, G>,
    groups: BTreeMap<G, Group>,
    added: u64,
    handed_out: u64,
    hints_in_a_row: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiting<G> {
    at: Mono,
    seq: u64,
    urgency: Urgency,
    group: G,
}

/// A group exists while something of it waits or runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Group {
    /// The number of its last handing out; 0 before the first.
    served: u64,
    waiting: usize,
    running: usize,
}

impl<K: Ord + Clone, G: Ord + Clone> Queue<K, G> {
    pub fn new(concurrency: Concurrency) -> Queue<K, G> {
        Queue {
            concurrency,
            waiting: BTreeMap::new(),
            later: BTreeSet::new(),
            due: BTreeMap::new(),
            running: BTreeMap::new(),
            groups: BTreeMap::new(),
            added: 0,
            handed_out: 0,
            hints_in_a_row: 0,
        }
    }

    /// Asks for `key` to be looked at, at `at` or earlier. Of several askings the earliest time and the highest
    /// urgency win, and the latest group.
    pub fn add(&mut self, key: K, group: G, at: Mono, urgency: Urgency) {
        self.added += 1;
        let asked = Waiting { at, seq: self.added, urgency, group };
        let Some(before) = self.unlink(&key) else { return self.link(key, asked) };
        let merged = Waiting {
            at: before.at.min(asked.at),
            seq: before.seq,
            urgency: before.urgency.min(asked.urgency),
            group: asked.group,
        };
        self.link(key, merged);
        self.prune(&before.group);
    }

    /// The object is gone: nothing more is asked of it. Work under way goes on until [`Queue::done`].
    pub fn remove(&mut self, key: &K) {
        if let Some(removed) = self.unlink(key) {
            self.prune(&removed.group);
        }
    }

    /// The next object to work on, if one is due and a worker free. Every one ends in [`Queue::done`].
    pub fn take(&mut self, now: Mono) -> Option<K> {
        self.ripen(now);
        if self.running.len() >= self.concurrency.total {
            return None;
        }
        let (urgency, group) = self.choose()?;
        let key = self.due.get(&(urgency, group.clone()))?.first()?.2.clone();
        self.unlink(&key);
        self.hints_in_a_row = match urgency {
            Urgency::Hint => self.hints_in_a_row.saturating_add(1),
            Urgency::Resync => 0,
        };
        self.handed_out += 1;
        let of_group = self.groups.entry(group.clone()).or_default();
        of_group.served = self.handed_out;
        of_group.running += 1;
        self.running.insert(key.clone(), group);
        Some(key)
    }

    /// Work on `key` ended. If it was asked for meanwhile, it waits for its time now.
    pub fn done(&mut self, key: &K) {
        let Some(group) = self.running.remove(key) else { return };
        if let Some(of_group) = self.groups.get_mut(&group) {
            of_group.running -= 1;
        }
        if let Some(asked) = self.unlink(key) {
            self.link(key.clone(), asked);
        }
        self.prune(&group);
    }

    /// When [`Queue::take`] has to be asked again, if nothing is added and nothing ends before: `now` if something is
    /// due already and may be taken.
    pub fn next_at(&self, now: Mono) -> Option<Mono> {
        if self.running.len() >= self.concurrency.total {
            return None;
        }
        let due_now = self.due.keys().any(|(_, group)| self.has_room(group)).then_some(now);
        let later = self.later.first().map(|(at, _, _)| (*at).max(now));
        due_now.into_iter().chain(later).min()
    }

    /// From when `key` waits, running or not.
    pub fn waits_until(&self, key: &K) -> Option<Mono> {
        self.waiting.get(key).map(|waiting| waiting.at)
    }

    pub fn is_running(&self, key: &K) -> bool {
        self.running.contains_key(key)
    }

    /// Keys that are being worked on.
    pub fn running(&self) -> impl Iterator<Item = &K> {
        self.running.keys()
    }

    /// How many keys wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// How long the key that should have been handed out first has been due, in milliseconds: the queue's lag.
    pub fn lag_ms(&self, now: Mono) -> u64 {
        let due = self.due.values().filter_map(BTreeSet::first);
        due.chain(self.later.first()).map(|(at, _, _)| now.since_ms(*at)).max().unwrap_or(0)
    }

    fn choose(&self) -> Option<(Urgency, G)> {
        let patient = self.hints_in_a_row < HINTS_IN_A_ROW;
        let order = if patient { [Urgency::Hint, Urgency::Resync] } else { [Urgency::Resync, Urgency::Hint] };
        order.into_iter().find_map(|urgency| Some((urgency, self.choose_group(urgency)?)))
    }

    /// Of the groups with something due and room, the one served longest ago; never served counts as longest, and
    /// among those the one whose first has waited longest.
    fn choose_group(&self, urgency: Urgency) -> Option<G> {
        let ready = self.due.iter().filter(|((of, group), _)| *of == urgency && self.has_room(group));
        let first = ready.min_by_key(|((_, group), keys)| {
            let front = keys.first().map(|(at, seq, _)| (*at, *seq));
            (self.groups.get(group).map_or(0, |of_group| of_group.served), front)
        });
        first.map(|((_, group), _)| group.clone())
    }

    fn has_room(&self, group: &G) -> bool {
        self.groups.get(group).map_or(0, |of_group| of_group.running) < self.concurrency.per_group
    }

    fn ripen(&mut self, now: Mono) {
        while self.later.first().is_some_and(|(at, _, _)| *at <= now) {
            let Some((at, seq, key)) = self.later.pop_first() else { return };
            if let Some(waiting) = self.waiting.get(&key) {
                let lane = (waiting.urgency, waiting.group.clone());
                self.due.entry(lane).or_default().insert((at, seq, key));
            }
        }
    }

    /// Puts a key among those that wait; into an order only if it doesn't run.
    fn link(&mut self, key: K, waiting: Waiting<G>) {
        if !self.running.contains_key(&key) {
            self.later.insert((waiting.at, waiting.seq, key.clone()));
        }
        self.groups.entry(waiting.group.clone()).or_default().waiting += 1;
        self.waiting.insert(key, waiting);
    }

    fn unlink(&mut self, key: &K) -> Option<Waiting<G>> {
        let waiting = self.waiting.remove(key)?;
        if let Some(of_group) = self.groups.get_mut(&waiting.group) {
            of_group.waiting -= 1;
        }
        let place = (waiting.at, waiting.seq, key.clone());
        if !self.later.remove(&place) {
            let lane = (waiting.urgency, waiting.group.clone());
            if let Some(keys) = self.due.get_mut(&lane) {
                keys.remove(&place);
                if keys.is_empty() {
                    self.due.remove(&lane);
                }
            }
        }
        Some(waiting)
    }

    fn prune(&mut self, group: &G) {
        if self.groups.get(group).is_some_and(|of_group| of_group.waiting == 0 && of_group.running == 0) {
            self.groups.remove(group);
        }
    }
}
