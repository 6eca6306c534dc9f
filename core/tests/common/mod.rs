//! The engine on a simulated EC2, with a store that stands for the API server and a loop that stands for the operator.
//! Everything is in virtual time, and one seed gives one history.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
pub mod aws;
pub mod cluster;
pub mod incidents;
pub mod operator;
pub mod rig;
