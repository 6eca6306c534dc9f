//! The world's rules, each with the test that would notice its absence.
#![allow(clippy::unwrap_used, reason = "a failed expectation ends the test, in helpers too")]

mod addresses;
mod branches;
mod cloudtrail;
mod describe;
mod duplicates;
mod events;
mod faults;
mod identities;
mod lifecycle;
mod network_properties;
mod options;
mod permissions;
mod properties;
mod quotas;
mod rig;
mod routes;
mod scale;
mod security_groups;
mod sqs;
mod stale_rules;
mod sts;
mod subnets;
mod tables;
mod tags;
mod throttling;
mod tombstones;
mod visibility;
