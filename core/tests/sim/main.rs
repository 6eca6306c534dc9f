//! Whole lives of peerings, told as scenarios: turns of the engine on a simulated EC2, in virtual time.

#[path = "../common/mod.rs"]
mod common;

mod found;
mod life;
