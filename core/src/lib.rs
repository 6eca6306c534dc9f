//! Peerkeeper's engine: pure and sans-IO.
//!
//! Nothing in this crate speaks to AWS or to Kubernetes, reads a clock or rolls a dice: its inputs are values, its
//! outputs are values. That is what lets one piece of code be run by the operator, by the command line, by the seeded
//! simulation and by the model checker. Cargo keeps it so: see this crate's dependencies.
//!
//! Reading order: [`ids`] and [`time`] are the words; [`desired`] is what is declared, [`observed`] what AWS says,
//! [`memory`] what AWS can't say again, [`recent`] what this process just did; [`plan`] turns them into a verdict, and
//! [`turn`] walks one object through one reconcile; [`pace`] says when anything may happen.

pub mod aws_code;
pub mod claims;
pub mod desired;
pub mod digest;
pub mod drift;
pub mod few;
pub mod ids;
pub mod incident;
pub mod lane;
pub mod limits;
pub mod memory;
pub mod misuse;
pub mod observed;
pub mod pace;
pub mod plan;
pub mod principal;
pub mod reason;
pub mod recent;
pub mod time;
pub mod trail;
pub mod turn;
pub mod witness;
pub mod write;
