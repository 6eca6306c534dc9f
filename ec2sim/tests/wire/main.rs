//! The wire against AWS's rules, and against whatever else may come down it.
#![cfg(feature = "wire")]
#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test, in helpers too")]

mod client;
mod json;
mod kit;
mod network_groups;
mod network_subnets;
mod properties;
mod query;
mod respond_ec2;
mod respond_errors;
mod respond_events;
mod respond_properties;
mod respond_sqs;
mod shapes;
mod xml;
