//! Peerkeeper: keeps AWS VPC peering connections, and the routes that depend on them, as declared.
//!
//! The map of the house; `peerkeeper_core` is the product, what is here connects it to the world:
//! - [`api`]: what users write and read. Types only.
//! - [`admission`]: what an API server does with a declaration before it stores it.
//! - [`declare`] and [`remember`]: the only crossings between what users write and read and what the engine plans with.
//! - [`aws`]: the room that speaks to AWS.
//! - [`signal`]: what CloudTrail tells; it never acts.
//! - [`controller`]: the operator in a cluster.
//! - [`cli`]: the command line.
//! - [`serve`] and [`metrics`]: what probes and Prometheus ask.

pub mod admission;
pub mod api;
pub mod aws;
pub mod cli;
pub mod controller;
pub mod declare;
pub mod metrics;
pub mod remember;
pub mod serve;
pub mod signal;
