//! The machines of `pace`, held to their invariants under arbitrary histories.

mod backoff;
mod bucket;
mod lease;
mod line;
mod queue;
mod snapshot;
mod sweep;
