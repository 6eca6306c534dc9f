//! The AWS room against moto, an EC2 and STS that nobody here wrote: every question and every write, in one account,
//! across accounts by AssumeRole, and across Regions.

// Shared with the cluster tests, and more than these need.
#[allow(dead_code)]
#[path = "../cluster/support/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../cluster/support/helper.rs"]
mod helper;
#[allow(dead_code)]
#[path = "../cluster/support/moto.rs"]
mod moto;

mod bench;
mod events;
mod faults;
mod life;
mod quirks;
