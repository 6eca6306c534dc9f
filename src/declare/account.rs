//! `AwsAccount` -> [`Account`].

use super::{
    ACCOUNT_ID, DeclareError, VPC_ID, count, exactly_one, meta, name_of, parse, parse_all, parse_some, text,
    window_s,
};
use crate::api::account::{self as api, AwsAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as metav1;
use peerkeeper_core::ids::{AccountId, VpcId};
use peerkeeper_core::write::TagSet;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An AWS account that may be acted in, and who may have that done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    pub name: Arc<str>,
    pub uid: Arc<str>,
    pub generation: i64,
    pub account: AccountId,
    /// Absent: the operator's own credentials.
    pub role_arn: Option<Arc<str>>,
    pub external_id: Option<Arc<str>>,
    pub grants: Vec<VpcGrant>,
    /// Accounts without credentials here that may stand opposite this one.
    pub allowed_peers: BTreeSet<AccountId>,
    pub limits: Option<AccountLimits>,
    /// No loss with a side here is acted upon before a person approves.
    pub require_approval: bool,
    pub suspend: bool,
    /// It is being deleted, and stays as long as a peering needs it.
    pub deleting: bool,
}

/// Leave for some namespaces to use some VPCs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VpcGrant {
    pub namespaces: LabelSelector,
    pub vpcs: VpcSelector,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VpcSelector {
    Ids(BTreeSet<VpcId>),
    /// Every one of these tags must match.
    Tags(TagSet),
    All,
}

/// Namespaces by their labels. Unlike elsewhere in Kubernetes, an empty one selects none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    pub requirements: Vec<(Arc<str>, Requirement)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Requirement {
    In(BTreeSet<Arc<str>>),
    /// As in Kubernetes, a namespace without the label meets this.
    NotIn(BTreeSet<Arc<str>>),
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let is_empty = self.labels.is_empty() && self.requirements.is_empty();
        let carries =
            |(key, value): (&Arc<str>, &Arc<str>)| labels.get(&**key).is_some_and(|v| **v == **value);
        let meets = |(key, requirement): &(Arc<str>, Requirement)| {
            let value = labels.get(&**key);
            match requirement {
                Requirement::In(values) => value.is_some_and(|v| values.contains(v.as_str())),
                Requirement::NotIn(values) => value.is_none_or(|v| !values.contains(v.as_str())),
                Requirement::Exists => value.is_some(),
                Requirement::DoesNotExist => value.is_none(),
            }
        };
        !is_empty && self.labels.iter().all(carries) && self.requirements.iter().all(meets)
    }
}

/// The account's own limits. What is absent is not limited here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountLimits {
    pub window_s: i64,
    pub max_restores: Option<u32>,
    pub max_removals: Option<u32>,
    pub max_restores_per_peering: Option<u32>,
}

/// The account as grants, limits and credentials are looked up in it.
pub fn account(object: &AwsAccount) -> Result<Account, DeclareError> {
    let (metadata, spec) = (&object.metadata, &object.spec);
    Ok(Account {
        name: name_of(metadata)?,
        uid: text(meta("uid", metadata.uid.as_deref())?),
        generation: meta("generation", metadata.generation)?,
        account: parse("spec.accountId", &spec.account_id, ACCOUNT_ID)?,
        role_arn: role_arn(spec)?,
        external_id: spec.external_id.as_deref().map(text),
        grants: indexed("spec.grants", &spec.grants, grant)?,
        allowed_peers: parse_all("spec.allowedPeerAccounts", &spec.allowed_peer_accounts, ACCOUNT_ID)?,
        limits: spec.limits.as_ref().map(limits).transpose()?,
        require_approval: spec.require_approval,
        suspend: spec.suspend,
        deleting: metadata.deletion_timestamp.is_some(),
    })
}

/// A role of another account would make this account's grants speak for that one.
fn role_arn(spec: &api::AwsAccountSpec) -> Result<Option<Arc<str>>, DeclareError> {
    let Some(arn) = &spec.role_arn else { return Ok(None) };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, resource]
            if account == spec.account_id && resource.starts_with("role/") =>
        {
            Ok(Some(text(arn)))
        }
        _ => {
            let expected = format!(
                "a role of the account accountId, such as arn:aws:iam::{}:role/peerkeeper",
                spec.account_id
            );
            Err(DeclareError::new("spec.roleArn", arn, expected))
        }
    }
}

pub(super) fn indexed<A, B>(
    field: &str,
    list: &[A],
    read: impl Fn(&str, &A) -> Result<B, DeclareError>,
) -> Result<Vec<B>, DeclareError> {
    list.iter().enumerate().map(|(at, one)| read(&format!("{field}[{at}]"), one)).collect()
}

fn grant(field: &str, grant: &api::Grant) -> Result<VpcGrant, DeclareError> {
    Ok(VpcGrant {
        namespaces: label_selector(&format!("{field}.namespaceSelector"), &grant.namespace_selector)?,
        vpcs: vpc_selector(&format!("{field}.vpcs"), &grant.vpcs)?,
    })
}

fn vpc_selector(field: &str, vpcs: &api::Vpcs) -> Result<VpcSelector, DeclareError> {
    let expected = "exactly one of ids, matchTags and select, such as select: All";
    let api::Vpcs { ids, match_tags, select } = vpcs;
    exactly_one(
        field,
        &[("ids", ids.is_some()), ("matchTags", match_tags.is_some()), ("select", select.is_some())],
        expected,
    )?;
    if let Some(ids) = ids {
        return parse_some(&format!("{field}.ids"), ids, VPC_ID).map(VpcSelector::Ids);
    }
    match match_tags {
        Some(tags) => super::peering::match_tags(&format!("{field}.matchTags"), tags).map(VpcSelector::Tags),
        None => Ok(VpcSelector::All),
    }
}

fn label_selector(field: &str, selector: &metav1::LabelSelector) -> Result<LabelSelector, DeclareError> {
    let labels =
        selector.match_labels.iter().flatten().map(|(key, value)| (text(key), text(value))).collect();
    let expressions = selector.match_expressions.as_deref().unwrap_or_default();
    let requirements = indexed(&format!("{field}.matchExpressions"), expressions, |field, expression| {
        Ok((text(&expression.key), requirement(field, expression)?))
    })?;
    Ok(LabelSelector { labels, requirements })
}

fn requirement(field: &str, one: &metav1::LabelSelectorRequirement) -> Result<Requirement, DeclareError> {
    let values: BTreeSet<Arc<str>> = one.values.iter().flatten().map(|value| text(value)).collect();
    match (one.operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(Requirement::In(values)),
        ("NotIn", false) => Ok(Requirement::NotIn(values)),
        ("Exists", true) => Ok(Requirement::Exists),
        ("DoesNotExist", true) => Ok(Requirement::DoesNotExist),
        (operator, _) => {
            let expected = "In or NotIn with values, or Exists or DoesNotExist without, such as {key: team, operator: In, values: [network]}";
            Err(DeclareError::new(field, format!("{operator} {values:?}"), expected))
        }
    }
}

fn limits(limits: &api::AccountLimits) -> Result<AccountLimits, DeclareError> {
    let field = |name: &str| format!("spec.limits.{name}");
    let optional = |name: &str, number: Option<i32>| number.map(|n| count(&field(name), n)).transpose();
    Ok(AccountLimits {
        window_s: window_s(&field("window"), limits.window)?,
        max_restores: optional("maxRestores", limits.max_restores)?,
        max_removals: optional("maxRemovals", limits.max_removals)?,
        max_restores_per_peering: optional("maxRestoresPerPeering", limits.max_restores_per_peering)?,
    })
}
