//! Tests against a real Kubernetes API server and etcd, with moto as AWS, and the operator as its own process.

mod api;
mod calls;
mod harness;
mod install;
mod lifecycle;
mod outages;
mod refusals;
mod replicas;
mod rights;
mod stage;
mod support;
