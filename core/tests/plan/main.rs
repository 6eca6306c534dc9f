//! The plan alone: what it makes of one look at the world.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod goldens;
mod properties;
