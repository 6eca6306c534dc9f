//! Pace: when something may happen. Budgets of AWS calls and who waits for them, backoff, the lease, the snapshot table, the work queue and
//! the timer of sweeps.
//!
//! **Architecture Invariant:** nothing here reads a clock, draws a random number or waits. Every method takes `now`,
//! and `jitter` (any `u64`) where chance is wanted; what to wait for is an answer, not an act. So the async shell, a
//! seeded simulation and a model checker drive the very same code, and equal inputs give equal states.

pub mod backoff;
pub mod bucket;
pub mod lease;
pub mod line;
pub mod queue;
pub mod snapshot;
pub mod sweep;

/// A number of milliseconds between 0 and `span_ms`, both included, picked by `jitter`.
pub fn jitter_ms(span_ms: u64, jitter: u64) -> u64 {
    match span_ms.checked_add(1) {
        Some(choices) => jitter % choices,
        None => jitter,
    }
}
