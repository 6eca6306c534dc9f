//! Whole lives of peerings, told as scenarios: turns of the engine on a simulated EC2, in virtual time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod deletion;
mod drift;
mod evidence;
mod flagged;
mod found;
mod hunted;
mod incidents;
mod invariants;
mod life;
mod losses;

mod order;
mod restart;
mod rules;
mod small_world;
