//! Exponential backoff, per object or per place.

use std::collections::BTreeMap;

use super::jitter_ms;
use crate::time::Mono;

/// How delays grow: `first_ms`, then doubled with each failure in a row, up to `most_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Curve {
    pub first_ms: u64,
    pub most_ms: u64,
}

impl Curve {
    /// The delay after `failures` failures in a row, before jitter. None after none.
    pub fn full_ms(self, failures: u32) -> u64 {
        let Some(doublings) = failures.checked_sub(1) else { return 0 };
        let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.first_ms.saturating_mul(factor).min(self.most_ms)
    }

    /// The delay after `failures` failures in a row: between half of [`Curve::full_ms`] and all of it. Never less, so
    /// that load falls for sure; spread, so that objects that failed together don't return together.
    pub fn delay_ms(self, failures: u32, jitter: u64) -> u64 {
        let full = self.full_ms(failures);
        let half = full / 2;
        full - half + jitter_ms(half, jitter)
    }
}

/// The backoff of many things, each on its own: one that keeps failing delays no other.
///
/// Memory: one entry per thing that failed and did not succeed since.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backoffs<K> {
    curve: Curve,
    failing: BTreeMap<K, Failing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Failing {
    failures: u32,
    until: Mono,
}

impl<K: Ord + Clone> Backoffs<K> {
    pub fn new(curve: Curve) -> Backoffs<K> {
        Backoffs { curve, failing: BTreeMap::new() }
    }

    /// Counts a failure and says when to try again.
    pub fn failed(&mut self, now: Mono, key: &K, jitter: u64) -> Mono {
        let failing = self.failing.entry(key.clone()).or_insert(Failing { failures: 0, until: now });
        failing.failures = failing.failures.saturating_add(1);
        failing.until = now.plus_ms(self.curve.delay_ms(failing.failures, jitter));
        failing.until
    }

    /// It worked, or what it was tried with changed (a new spec): the next failure starts at the first delay again.
    pub fn reset(&mut self, key: &K) {
        self.failing.remove(key);
    }

    /// From when `key` may be tried again; `None` if it isn't failing.
    pub fn until(&self, key: &K) -> Option<Mono> {
        self.failing.get(key).map(|failing| failing.until)
    }

    /// Failures in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.failing.get(key).map_or(0, |failing| failing.failures)
    }

    /// Forgets what no longer exists.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.failing.retain(|key, _| keep(key));
    }
}
