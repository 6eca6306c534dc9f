//! Tests against a real Kubernetes API server and etcd, with an EC2 beside it, and the operator as its own
//! process. `ec2sim` plays AWS; what shows the whole life of a peering runs on moto too, which nobody here wrote.

mod admission;
mod api;
mod calls;
mod check;
mod decide;
mod drift;
mod events;
mod explain;
mod graph;
mod harness;
mod incidents;
mod install;
mod latency;
mod lifecycle;
mod memory;
mod outages;
mod plan;
mod pull_request;
mod refusals;
mod replicas;
mod rights;
mod stage;
mod support;
