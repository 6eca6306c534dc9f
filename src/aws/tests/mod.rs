//! The room against the real SDK and canned answers, with paused time.

mod fake;
mod identity;
mod reads;
mod writes;
