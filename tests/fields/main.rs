//! Every field of every kind changed and changed back, as users do: what is declared last decides where it ends, whatever
//! was declared before, and a mistake taken back heals.
//!
//! The objects are real ones, admitted by the schemas of the CRDs; the crossings to the engine are the operator's own; the
//! engine's turns run against the simulated EC2 in virtual time. The leaves come from the schemas, so a field without a
//! generator fails here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../core/tests/common/aws.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod aws;
mod changes;
mod cluster;
mod generators;
mod incidents;
mod looks;
mod operator;
mod pairs;
mod schema;
mod stage;
mod taken;
mod told;
