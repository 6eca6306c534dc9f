//! The timer of sweeps: when each account and Region is read in full.
//!
//! Sweeps decide (events only hasten), so a sweep that is late is counted and shown, never skipped silently. Times
//! are spread: at the start, and with every interval, so that many accounts don't ask AWS at the same moment.

use std::collections::BTreeMap;

use super::backoff::Curve;
use super::jitter_ms;
use crate::time::Mono;

/// How often sweeps are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rhythm {
    /// From the start of a sweep to the start of the next, in milliseconds; jitter adds or takes up to a tenth.
    pub interval_ms: u64,
    /// How many sweeps may run at once.
    pub concurrency: usize,
}

impl Rhythm {
    /// What is older than three sweeps says nothing about now.
    pub fn stale_after_ms(self) -> u64 {
        self.interval_ms.saturating_mul(3)
    }

    /// A failed sweep is tried again sooner than its time, but ever later as long as it fails: an account that refuses
    /// us is asked once in five intervals.
    fn retry(self) -> Curve {
        let first_ms = (self.interval_ms / 4).max(1);
        Curve { first_ms, most_ms: self.interval_ms.saturating_mul(5).max(first_ms) }
    }
}

/// First sweeps of places that come together, as at the start, follow each other at about this distance.
const START_GAP_MS: u64 = 100;

/// All places (`K`: account and Region) that are swept.
///
/// Invariants: a place is swept at most once at a time; when a sweep ends, the next is due within five
/// intervals; nothing is swept that was forgotten.
///
/// Memory: one entry per place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timer<K> {
    rhythm: Rhythm,
    places: BTreeMap<K, Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    due: Mono,
    tracked: Mono,
    running: Option<Mono>,
    /// Asked for while running: due again as soon as that ends.
    again: bool,
    /// When the last sweep that succeeded began.
    swept: Option<Mono>,
    failures: u32,
    /// How late the last sweep began.
    late_ms: u64,
}

/// How the sweeps of one place are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Health {
    /// Since the last sweep that succeeded began, in milliseconds; before the first, since the place is known.
    pub age_ms: u64,
    /// No sweep has succeeded for three intervals.
    pub stale: bool,
    /// Failures in a row.
    pub failures: u32,
    /// How much later than due the last sweep began, or the next hasn't begun, in milliseconds.
    pub late_ms: u64,
    pub running: bool,
}

impl<K: Ord + Clone> Timer<K> {
    pub fn new(rhythm: Rhythm) -> Timer<K> {
        Timer { rhythm, places: BTreeMap::new() }
    }

    /// Starts to sweep a place. The first is due at once if it is the only one; those that come with it follow one by
    /// one, and within an interval. A place that is known already keeps its time.
    pub fn track(&mut self, now: Mono, key: K, jitter: u64) {
        let others = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        let slot_ms = others.saturating_mul(START_GAP_MS) % self.rhythm.interval_ms.max(1);
        let wait_ms = slot_ms.saturating_sub(jitter_ms(START_GAP_MS, jitter));
        self.places.entry(key).or_insert_with(|| Place {
            due: now.plus_ms(wait_ms),
            tracked: now,
            running: None,
            again: false,
            swept: None,
            failures: 0,
            late_ms: 0,
        });
    }

    /// Stops to sweep what `keep` refuses. A sweep under way there may end; it changes nothing.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.places.retain(|key, _| keep(key));
    }

    /// The next place to sweep, if one is due and not too many run: the one due longest. Every one ends in
    /// [`Timer::finished`].
    pub fn take(&mut self, now: Mono) -> Option<K> {
        if self.running() >= self.rhythm.concurrency {
            return None;
        }
        let idle = self.places.iter_mut().filter(|(_, place)| place.running.is_none() && place.due <= now);
        let (key, place) = idle.min_by_key(|(_, place)| place.due)?;
        place.running = Some(now);
        place.late_ms = now.since_ms(place.due);
        Some(key.clone())
    }

    /// Asks for a sweep now, out of turn. While one runs, another follows it: the one that runs may have begun before
    /// what is asked about.
    pub fn hasten(&mut self, now: Mono, key: &K) {
        let Some(place) = self.places.get_mut(key) else { return };
        if place.running.is_some() {
            place.again = true;
        } else {
            place.due = place.due.min(now);
        }
    }

    /// A sweep ended: complete, or not.
    pub fn finished(&mut self, now: Mono, key: &K, complete: bool, jitter: u64) {
        let rhythm = self.rhythm;
        let Some(place) = self.places.get_mut(key) else { return };
        let Some(began) = place.running.take() else { return };
        let again = std::mem::take(&mut place.again);
        if complete {
            place.swept = Some(began);
            place.failures = 0;
            let tenth = rhythm.interval_ms / 10;
            let next = began.plus_ms(rhythm.interval_ms - tenth + jitter_ms(2 * tenth, jitter));
            // A sweep that takes longer than the interval still leaves AWS a pause.
            place.due = if again { now } else { next.max(now.plus_ms(tenth)) };
        } else {
            // A failure outweighs haste: asking at once would most likely fail again.
            place.failures = place.failures.saturating_add(1);
            place.due = now.plus_ms(rhythm.retry().delay_ms(place.failures, jitter));
        }
    }

    /// When [`Timer::take`] has to be asked again, if nothing is hastened, tracked or finished before.
    pub fn next_at(&self, now: Mono) -> Option<Mono> {
        if self.running() >= self.rhythm.concurrency {
            return None;
        }
        let idle = self.places.values().filter(|place| place.running.is_none());
        idle.map(|place| place.due.max(now)).min()
    }

    /// How the sweeps of `key` are doing; `None` if it isn't swept.
    pub fn health(&self, now: Mono, key: &K) -> Option<Health> {
        let place = self.places.get(key)?;
        let age_ms = now.since_ms(place.swept.unwrap_or(place.tracked));
        let overdue_ms = if place.running.is_none() { now.since_ms(place.due) } else { 0 };
        Some(Health {
            age_ms,
            stale: age_ms > self.rhythm.stale_after_ms(),
            failures: place.failures,
            late_ms: place.late_ms.max(overdue_ms),
            running: place.running.is_some(),
        })
    }

    /// The places that are swept.
    pub fn places(&self) -> impl Iterator<Item = &K> {
        self.places.keys()
    }

    /// The places whose last success is too long ago.
    pub fn stale(&self, now: Mono) -> impl Iterator<Item = &K> {
        self.places.keys().filter(move |key| self.health(now, key).is_some_and(|health| health.stale))
    }

    fn running(&self) -> usize {
        self.places.values().filter(|place| place.running.is_some()).count()
    }
}
