//! Peerkeeper: keeps AWS VPC peering connections, and the routes that depend on them, as declared.
//!
//! The map of the house:
//! - [`api`]: what users write and read. Types only.
//! - [`aws`]: the only room that speaks to AWS.
//! - [`cli`]: the command line.
//! - [`declare`]: from what users wrote to what the engine plans with.
//! - [`remember`]: between status and the engine's memory and report.

pub mod api;
pub mod aws;
pub mod cli;
pub mod declare;
pub mod remember;
