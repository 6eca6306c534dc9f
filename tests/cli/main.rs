//! The command line as people and pipelines use it: the real binary, its output, its exit codes; against `ec2sim` over HTTP,
//! and against moto, which nobody here wrote.

// Shared with the cluster tests, and more than these need.
#[allow(dead_code)]
#[path = "../cluster/support/aws.rs"]
mod aws;
#[allow(dead_code)]
#[path = "../cluster/support/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../cluster/support/ec2sim.rs"]
mod ec2sim;
#[allow(dead_code)]
#[path = "../cluster/support/helper.rs"]
mod helper;
#[allow(dead_code)]
#[path = "../cluster/support/moto.rs"]
mod moto;
#[allow(dead_code)]
#[path = "../cluster/support/proxy.rs"]
mod proxy;

mod apply;
mod check;
mod explain;
mod graph;
mod import;
mod plan;
mod progress;
mod shells;
mod stage;
mod terminal;
mod usage;
