//! The room against the real SDK with paused time: canned answers, and the simulated EC2 in this process.

mod decoder;
/// What the simulated EC2 knows in the engine's nouns, without the wire between.
#[path = "../../../core/tests/common/aws.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod direct;
mod fake;
mod identity;
mod reads;
mod rehearse;
mod rules;
mod world;
mod writes;
