//! From what users wrote to what the engine plans with: parsed, defaulted, and refused where it makes no sense.
//!
//! The schema refuses nearly all of that first. It is checked again here because an object can be older than the schema,
//! and because the command line reads files that no API server has seen. Nothing is guessed: what can't be read stops
//! the object it is in, and names the field.

mod account;
mod grants;
mod peering;
mod policy;

pub use account::{Account, AccountLimits, LabelSelector, Requirement, VpcGrant, VpcSelector, account};
pub use grants::{VpcTags, grants, lets_use};
pub use peering::desired;
pub use policy::{DEFAULT_POLICY, policy, policy_for, with_floors};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

/// A field of an object that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}, but must be {expected}")]
pub struct DeclareError {
    /// Where it is in the object, such as `spec.requester.vpcId`.
    pub field: String,
    /// What it is; `absent` where there is nothing.
    pub value: String,
    /// What it should be, with a right one.
    pub expected: String,
}

impl DeclareError {
    fn new(field: impl Into<String>, value: impl fmt::Debug, expected: impl Into<String>) -> Self {
        Self { field: field.into(), value: short(format!("{value:?}")), expected: expected.into() }
    }

    fn absent(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.into(), value: "absent".to_owned(), expected: expected.into() }
    }
}

/// Enough of a wrong value to find it by: messages go into conditions.
fn short(text: String) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}

const ACCOUNT_ID: &str = "an AWS account id: twelve digits, such as \"111122223333\"";
const CIDR: &str = "an IPv4 or IPv6 CIDR, such as 10.20.0.0/16";
const PREFIX_LIST_ID: &str = "the id of a prefix list, such as pl-0123456789abcdef0";
const REGION: &str = "the code of an AWS Region, such as eu-west-1";
const ROUTE_TABLE_ID: &str = "the id of a route table, such as rtb-0123456789abcdef0";
const VPC_ID: &str = "the id of a VPC, such as vpc-0a1b2c3d4e5f60789";

fn parse<T: FromStr>(field: &str, text: &str, expected: &str) -> Result<T, DeclareError> {
    text.parse().map_err(|_| DeclareError::new(field, text, expected))
}

/// A list that selects something: an empty one never means all.
fn parse_some<T: FromStr + Ord>(
    field: &str,
    texts: &[String],
    expected: &str,
) -> Result<BTreeSet<T>, DeclareError> {
    if texts.is_empty() {
        return Err(DeclareError::new(field, texts, format!("a list of at least one: {expected}")));
    }
    parse_all(field, texts, expected)
}

fn parse_all<T: FromStr + Ord>(
    field: &str,
    texts: &[String],
    expected: &str,
) -> Result<BTreeSet<T>, DeclareError> {
    texts.iter().enumerate().map(|(at, text)| parse(&format!("{field}[{at}]"), text, expected)).collect()
}

/// Exactly one member of a union is given.
fn exactly_one(field: &str, given: &[(&str, bool)], expected: &str) -> Result<(), DeclareError> {
    let names: Vec<&str> = given.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    match names.len() {
        1 => Ok(()),
        0 => Err(DeclareError::absent(field, expected)),
        _ => Err(DeclareError::new(field, names, expected)),
    }
}

fn count(field: &str, number: i32) -> Result<u32, DeclareError> {
    u32::try_from(number).map_err(|_| DeclareError::new(field, number, "a count from 0 up, such as 10"))
}

/// A window in which limits count. An empty one would count nothing, and so limit nothing.
fn window_s(field: &str, window: crate::api::GoDuration) -> Result<i64, DeclareError> {
    let seconds = window.0.as_secs();
    let right = (60..=7 * 24 * 3600).contains(&seconds).then(|| i64::try_from(seconds).ok()).flatten();
    right.ok_or_else(|| {
        DeclareError::new(field, window.to_string(), "a duration from 1m to 168h, such as 1h or 24h")
    })
}

fn meta<T>(field: &str, value: Option<T>) -> Result<T, DeclareError> {
    value.ok_or_else(|| {
        DeclareError::absent(format!("metadata.{field}"), "set, as on every object that an API server stored")
    })
}

fn name_of(metadata: &ObjectMeta) -> Result<Arc<str>, DeclareError> {
    meta("name", metadata.name.as_deref()).map(Arc::from)
}

fn text(value: &str) -> Arc<str> {
    Arc::from(value)
}

#[cfg(test)]
mod tests;
