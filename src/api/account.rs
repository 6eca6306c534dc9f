//! `AwsAccount`: the cluster administrator's word on who may use which AWS account, and for what.

use super::{Timestamp, duration::GoDuration, memory::OwnCalls, policy, schema};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[allow(clippy::duplicated_attributes)] // each printcolumn has a type_ and a json_path
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "peerkeeper.dev",
    version = "v1alpha1",
    kind = "AwsAccount",
    plural = "awsaccounts",
    category = "peerkeeper",
    status = "AwsAccountStatus",
    derive = "PartialEq",
    doc = "AwsAccount is an AWS account that Peerkeeper may act in: how to get there, which namespaces may use which of its VPCs, and how much may be done. Every use of AWS goes through one, the operator's own credentials too.",
    printcolumn(
        name = "Account",
        type_ = "string",
        json_path = ".spec.accountId",
        description = "The id of the AWS account"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        description = "Whether every write in this account is frozen"
    ),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.roleArn", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(SPEC_RULES)))]
/// The account and its grants.
pub struct AwsAccountSpec {
    /// The id of the AWS account: twelve digits in quotes. It can't be changed. Before anything else, Peerkeeper asks
    /// AWS whose credentials it holds, and uses them only if they are this account's.
    #[schemars(schema_with = "schema::account_id")]
    pub account_id: String,
    /// The IAM role to assume, such as arn:aws:iam::111122223333:role/peerkeeper; it must be a role of this account.
    /// Default: the operator's own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_arn")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for. Only with `roleArn`. Default: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::external_id")]
    pub external_id: Option<String>,
    /// Which namespaces may use which VPCs of this account. The accounts of both sides of a peering must grant. At most
    /// 64. Default: nobody may use anything. A grant withdrawn freezes what used it; nothing is deleted because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub grants: Vec<Grant>,
    /// Ids of AWS accounts that may stand as `account: {id: ...}` opposite this account: accounts that Peerkeeper holds
    /// no credentials for. At most 200. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::account_ids")]
    pub allowed_peer_accounts: Vec<String>,
    /// How much may be done in this account in a span of time, whatever the policies of the namespaces say: these may
    /// only be stricter. Default: no limit beyond those of the policies and of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<AccountLimits>,
    /// While true, nothing is done about a lost peering with a side in this account until the decision of its
    /// PeeringIncident approves the proposed plan, whatever the policies of the namespaces say: they may only be
    /// stricter. Default: false.
    #[serde(default)]
    pub require_approval: bool,
    /// While true, nothing is written in this account, not even to clean up after a deleted VpcPeering. Default: false.
    #[serde(default)]
    pub suspend: bool,
}

const SPEC_RULES: &[(&str, &str)] = &[
    (
        "self.accountId == oldSelf.accountId",
        "accountId can't be changed: write it as it was, and declare another account in another AwsAccount",
    ),
    (
        "!has(self.roleArn) || self.roleArn.contains('::' + self.accountId + ':role/')",
        "roleArn must be a role of the account accountId: with accountId: \"111122223333\" for example arn:aws:iam::111122223333:role/peerkeeper",
    ),
    (
        "!has(self.externalId) || has(self.roleArn)",
        "externalId is sent when a role is assumed: write roleArn too, such as arn:aws:iam::111122223333:role/peerkeeper, or leave externalId out",
    ),
    (
        "!has(self.allowedPeerAccounts) || !(self.accountId in self.allowedPeerAccounts)",
        "allowedPeerAccounts lists accounts without an AwsAccount, such as \"444455556666\", never this account itself",
    ),
];

/// Leave for some namespaces to use some VPCs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The namespaces, by their labels. An empty selector is refused; for every namespace write `matchExpressions:
    /// [{key: kubernetes.io/metadata.name, operator: Exists}]`.
    #[schemars(schema_with = "schema::namespace_selector")]
    pub namespace_selector: LabelSelector,
    /// The VPCs: exactly one of `ids`, `matchTags` and `select`.
    pub vpcs: Vpcs,
}

/// A selection of VPCs of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[
    (
        "[has(self.ids), has(self.matchTags), has(self.select)].exists_one(given, given)",
        "exactly one of ids, matchTags and select: ids: [vpc-0a1b2c3d4e5f60789], matchTags: {team: network} or select: All",
    ),
    (
        "(!has(self.ids) || size(self.ids) > 0) && (!has(self.matchTags) || size(self.matchTags) > 0)",
        "an empty list or map selects no VPC: write ids: [vpc-0a1b2c3d4e5f60789] or matchTags: {team: network}; for every VPC of the account write select: All",
    ),
])))]
pub struct Vpcs {
    /// These VPCs. 1 to 200 ids, such as vpc-0a1b2c3d4e5f60789.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::vpc_ids")]
    pub ids: Option<Vec<String>>,
    /// Every VPC that carries all of these AWS tags with exactly these values. 1 to 16 tags; no wildcards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_tags")]
    pub match_tags: Option<BTreeMap<String, String>>,
    /// `All`: every VPC of the account, in every Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<SelectVpcs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SelectVpcs {
    All,
}

/// How many objects may be acted on in an account within a window. Limits count objects, never AWS calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[(
    "has(self.maxRestores) || has(self.maxRemovals) || has(self.maxRestoresPerPeering)",
    "limits must set at least one of maxRestores, maxRemovals and maxRestoresPerPeering, such as {window: 1h, maxRestores: 10}",
)])))]
pub struct AccountLimits {
    /// The span of time that the limits count in. From 1m to 168h, in hours, minutes and seconds. Default: 1h.
    #[serde(default = "policy::an_hour")]
    #[schemars(schema_with = "schema::limit_window")]
    pub window: GoDuration,
    /// How many objects with a side in this account may be restored within the window, drift repairs included. 0 to
    /// 10000; 0 holds them all. Default: no limit here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000))]
    pub max_restores: Option<i32>,
    /// How many objects with a side in this account may have routes or peerings removed within the window. 0 to 10000;
    /// 0 holds them all. Default: no limit here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000))]
    pub max_removals: Option<i32>,
    /// How often one and the same peering may be restored within the window. 0 to 1000. Default: no limit here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub max_restores_per_peering: Option<i32>,
}

/// What Peerkeeper found out about the account, and what it did in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwsAccountStatus {
    /// The metadata.generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions, one per type. `Ready` is True while the account can be used; its reason says why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The account that AWS said the credentials belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_account_id: Option<String>,
    /// The ARN that AWS said the credentials act as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<String>,
    /// Restores in this account that still count against a limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub restores: Vec<AccountSpent>,
    /// Removals in this account that still count against a limit. They are kept here because they outlive the object
    /// that was deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub removals: Vec<AccountSpent>,
    /// Calls that were made with Peerkeeper's own credentials for this account, and not by Peerkeeper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_misuse: Option<CredentialsMisuse>,
    /// Calls of Peerkeeper's own that ended something, of VpcPeerings that are gone since. They are kept for a day, so
    /// that they are not taken for somebody else's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub own_calls: Vec<OwnCalls>,
}

/// What is known of somebody else's use of Peerkeeper's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsMisuse {
    /// The calls, as CloudTrail's event history shows them, in the order in which they were found; the latest 16. Until
    /// the last of them is acknowledged, nothing is written in this account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub calls: Vec<StrangeCall>,
    /// The event id that was acknowledged last, by the annotation peerkeeper.dev/credentials-misuse-acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// Calls that messages tell of and the event history does not bear out, or not yet. Nothing is held because of them.
    /// At most 16 are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub suspected: Vec<StrangeCall>,
}

/// A call that was made with Peerkeeper's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StrangeCall {
    /// CloudTrail's `eventID`.
    pub event_id: String,
    /// When the call was made.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// The Region in which it was made.
    pub region: String,
    /// AWS's name of the call.
    pub call: String,
    /// The peering connection, or the route table, that it was about.
    pub id: String,
    /// As whom it was made: the ARN, or what the record has instead.
    pub principal: String,
    /// The access key that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Where it came from: an address, or an AWS service.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_address: String,
    /// What it was made with, as that says of itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
}

/// An act that was spent from a limit, noted before it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountSpent {
    /// When it was spent.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// The VpcPeering it was spent for, as namespace/name.
    pub object: String,
    /// The metadata.uid of that VpcPeering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The PeeringPolicy on whose authority it was done, as namespace/name; absent for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}
