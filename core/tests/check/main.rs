//! A small world, gone through exhaustively: one object, two VPCs, a route on each side, two replicas, and every order
//! of what they, people, AWS and bad luck do, as often as the budget allows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod branch;
mod clock;
mod guards;
mod judge;
mod model;
mod process;
mod sabotage;
mod scenario;
mod search;
mod store;
mod worlds;
