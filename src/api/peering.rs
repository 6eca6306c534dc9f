//! `VpcPeering`: one peering connection, and the routes that depend on it, that should exist.

use super::{schema, status::VpcPeeringStatus};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[allow(clippy::duplicated_attributes)] // each printcolumn has a type_ and a json_path
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "peerkeeper.dev",
    version = "v1alpha1",
    kind = "VpcPeering",
    plural = "vpcpeerings",
    shortname = "vpcp",
    category = "peerkeeper",
    namespaced,
    status = "VpcPeeringStatus",
    derive = "PartialEq",
    doc = "VpcPeering declares one AWS VPC peering connection between two VPCs, and the routes that depend on it. Peerkeeper keeps both as declared.",
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".status.state",
        description = "The state of the peering connection, in AWS's words"
    ),
    printcolumn(
        name = "Peering",
        type_ = "string",
        json_path = ".status.peeringId",
        description = "The id of the peering connection"
    ),
    printcolumn(
        name = "Routes",
        type_ = "string",
        json_path = ".status.routes.summary",
        description = "Routes in sync / routes declared, both sides together"
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
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(SPEC_RULES)))]
/// What should exist.
pub struct VpcPeeringSpec {
    /// The side that asks for the peering connection. Its account is always an AwsAccount. Account, Region and VPC of
    /// either side can't be changed: another pair of VPCs is another VpcPeering.
    pub requester: Side,
    /// The side that accepts the peering connection. Where Peerkeeper holds no credentials for its account, write
    /// `account: {id: "444455556666"}`, without routes and DNS: somebody over there accepts the request.
    pub accepter: Side,
    /// AWS tags of the peering connection, set on both sides: tags are visible only in the account and Region that set
    /// them. At most 45; keys have at most 128 characters and may not start with `aws:` or `peerkeeper.dev/`; values
    /// have at most 256. Other tags are left alone. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::own_tags")]
    pub tags: BTreeMap<String, String>,
    /// The PeeringPolicy that says what to do when the peering is lost or its routes change. Default: the
    /// PeeringPolicy named `default` in this namespace; where there is none, losses are flagged and AWS is left
    /// untouched. A policy named here that does not exist also means: only flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_ref: Option<PolicyRef>,
    /// What to do with a live peering connection of this pair of VPCs that nobody owns. `IfUnowned`: manage it as if
    /// it were created here. `Never`: leave it alone and say so. Default: IfUnowned.
    #[serde(default)]
    pub adoption: Adoption,
    /// What becomes of the AWS objects when this VpcPeering is deleted. `Delete`: routes, then the peering connection,
    /// are deleted. `Retain`: nothing in AWS is changed. Default: what was created here is deleted, what was adopted is
    /// retained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// While true, Peerkeeper observes and reports, and changes nothing. It does not stop the deletion of this
    /// VpcPeering. Default: false.
    #[serde(default)]
    pub suspend: bool,
}

const SPEC_RULES: &[(&str, &str)] = &[
    (
        "has(self.requester.account.name)",
        "requester.account must name an AwsAccount, such as {name: default}: the request is made with its credentials. Only accepter.account may be an id",
    ),
    (
        "self.requester.region != self.accepter.region || self.requester.vpcId != self.accepter.vpcId",
        "requester and accepter are the same VPC: write the other VPC's region and vpcId, such as us-east-1 and vpc-0fedcba9876543210",
    ),
    (
        "self.requester.region.startsWith('cn-') == self.accepter.region.startsWith('cn-') && self.requester.region.startsWith('us-gov-') == self.accepter.region.startsWith('us-gov-')",
        "AWS peers no VPCs across partitions: both Regions must be of the same one, such as eu-west-1 and us-east-1, cn-north-1 and cn-northwest-1, or us-gov-west-1 and us-gov-east-1",
    ),
    (
        "self.requester.account == oldSelf.requester.account && self.requester.region == oldSelf.requester.region && self.requester.vpcId == oldSelf.requester.vpcId",
        "the requester's account, region and vpcId can't be changed (an absent account is {name: default}): write them as they were, and declare another VPC in another VpcPeering",
    ),
    (
        "self.accepter.account == oldSelf.accepter.account && self.accepter.region == oldSelf.accepter.region && self.accepter.vpcId == oldSelf.accepter.vpcId",
        "the accepter's account, region and vpcId can't be changed (an absent account is {name: default}): write them as they were, and declare another VPC in another VpcPeering",
    ),
];

/// One side of the peering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(SIDE_RULES)))]
pub struct Side {
    /// The AWS account that owns the VPC. Default: `{name: default}`, the AwsAccount named `default`.
    #[serde(default)]
    pub account: AccountRef,
    /// The AWS Region of the VPC, such as eu-west-1. Required, so that one manifest means the same thing everywhere.
    #[schemars(schema_with = "schema::region")]
    pub region: String,
    /// The id of the VPC, such as vpc-0a1b2c3d4e5f60789.
    #[schemars(schema_with = "schema::vpc_id")]
    pub vpc_id: String,
    /// Whether DNS queries from the other VPC for public host names of this side's instances are answered with private
    /// addresses. Both VPCs need DNS host names and DNS support enabled. Default: the option is left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_dns_resolution_from_remote_vpc: Option<bool>,
    /// Routes in this side's route tables, towards the other VPC. At most 16, each with its own name. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub routes: Vec<Route>,
}

const SIDE_RULES: &[(&str, &str)] = &[(
    "!has(self.account.id) || ((!has(self.routes) || size(self.routes) == 0) && !has(self.allowDnsResolutionFromRemoteVpc))",
    "routes and allowDnsResolutionFromRemoteVpc need credentials: with account: {id: ...} write neither, or name an AwsAccount, such as account: {name: shared}",
)];

/// An AWS account: exactly one of `name` and `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[(
    "has(self.name) != has(self.id)",
    "exactly one of name and id: {name: default} for an AwsAccount, or, on the accepter's side alone, {id: \"444455556666\"} for an account without credentials here",
)])))]
pub struct AccountRef {
    /// The name of the AwsAccount. It must grant this namespace the use of this VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub name: Option<String>,
    /// The id of an AWS account that Peerkeeper holds no credentials for; on the accepter's side alone. The requester's
    /// AwsAccount must list it in `allowedPeerAccounts`. Refused where an AwsAccount has this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::account_id")]
    pub id: Option<String>,
}

impl Default for AccountRef {
    fn default() -> Self {
        Self { name: Some("default".to_owned()), id: None }
    }
}

/// Routes from a selection of route tables to a selection of destinations: one route for each pair of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// What this entry is called, unique on its side; status and Events use it. At most 63 lower-case letters, digits
    /// and dashes.
    #[schemars(schema_with = "schema::route_name")]
    pub name: String,
    /// The route tables that get the routes: exactly one of `ids`, `matchTags` and `select`.
    pub route_tables: RouteTables,
    /// Where the routes lead: exactly one of `peerCidrs`, `cidrs` and `prefixListIds`.
    pub destinations: Destinations,
}

/// A selection of route tables of one VPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[
    (
        "[has(self.ids), has(self.matchTags), has(self.select)].exists_one(given, given)",
        "exactly one of ids, matchTags and select: ids: [rtb-0123456789abcdef0], matchTags: {tier: private}, select: All or select: Main",
    ),
    (
        "(!has(self.ids) || size(self.ids) > 0) && (!has(self.matchTags) || size(self.matchTags) > 0)",
        "an empty list or map selects no route table: write ids: [rtb-0123456789abcdef0] or matchTags: {tier: private}; for every table of the VPC write select: All",
    ),
])))]
pub struct RouteTables {
    /// These route tables. 1 to 200 ids, such as rtb-0123456789abcdef0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::route_table_ids")]
    pub ids: Option<Vec<String>>,
    /// Every route table of the VPC that carries all of these AWS tags with exactly these values. 1 to 16 tags; no
    /// wildcards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::match_tags")]
    pub match_tags: Option<BTreeMap<String, String>>,
    /// `All`: every route table of the VPC. `Main`: its main route table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<SelectTables>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SelectTables {
    All,
    Main,
}

/// A selection of destinations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[
    (
        "[has(self.peerCidrs), has(self.cidrs), has(self.prefixListIds)].exists_one(given, given)",
        "exactly one of peerCidrs, cidrs and prefixListIds: peerCidrs: All, cidrs: [10.20.0.0/16] or prefixListIds: [pl-0123456789abcdef0]",
    ),
    (
        "(!has(self.cidrs) || size(self.cidrs) > 0) && (!has(self.prefixListIds) || size(self.prefixListIds) > 0)",
        "an empty list leads nowhere: write cidrs: [10.20.0.0/16] or prefixListIds: [pl-0123456789abcdef0]; for every CIDR of the other VPC write peerCidrs: All",
    ),
    (
        "!has(self.exclude) || has(self.peerCidrs)",
        "exclude takes CIDRs away from peerCidrs: All; with cidrs or prefixListIds list only what you want, such as cidrs: [10.20.0.0/16]",
    ),
])))]
pub struct Destinations {
    /// `All`: every CIDR of the other VPC, IPv4 and IPv6, secondary ones too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_cidrs: Option<PeerCidrs>,
    /// These CIDRs. Each must overlap the other VPC's CIDRs, since peering is not transitive; a wider one that sums
    /// them up is fine. 1 to 64, written as network addresses, such as 10.20.0.0/16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::cidrs")]
    pub cidrs: Option<Vec<String>>,
    /// These prefix lists of this side's account and Region. 1 to 100 ids, such as pl-0123456789abcdef0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::prefix_list_ids")]
    pub prefix_list_ids: Option<Vec<String>>,
    /// CIDRs of the other VPC that get no route: those equal to, or within, one of these. Only with `peerCidrs`. At
    /// most 64. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::cidrs")]
    pub exclude: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PeerCidrs {
    All,
}

/// A PeeringPolicy of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRef {
    /// The name of a PeeringPolicy in the same namespace.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Adoption {
    #[default]
    IfUnowned,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    Delete,
    Retain,
}
