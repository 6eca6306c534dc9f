//! What a `VpcPeering` says about itself.
//!
//! Within v1alpha1 fields here are only ever added. Lists are atomic and grouped: one entry per route would be more
//! than etcd takes.

use super::{Timestamp, memory::Memory, schema, text::open_enum};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is there, what is missing, and what Peerkeeper remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VpcPeeringStatus {
    /// The metadata.generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions, one per type: `Ready`, `PeeringActive`, `RoutesInSync`, `DnsInSync`, `UnexpectedlyDeleted`;
    /// `Reconciling` and `Stalled` are present only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The state of the peering connection in AWS's words, such as active, pending-acceptance or deleted; `absent`
    /// where there is none, `unknown` where AWS could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PeeringState>,
    /// The id of the peering connection; after a loss, of the one that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering_id: Option<String>,
    /// How many routes are declared, and how many of them are as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<RouteCounts>,
    /// The routes that are as declared, grouped: every route table of an entry has a route to every destination of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub inventory: Vec<InventoryGroup>,
    /// Declared routes, or whole selections, that are not as declared, and why. At most 100; `exceptionsTotal` counts
    /// them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "atomic"))]
    pub exceptions: Vec<RouteException>,
    /// How many exceptions there are, those not spelt out included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions_total: Option<i64>,
    /// What would be done and is not, why, and what releases it. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "atomic"))]
    pub held: Vec<HeldAct>,
    /// The last time that the peering connection was found deleted, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deletion: Option<LastDeletion>,
    /// What Peerkeeper remembers because AWS can't say it again. Losing it is survived; editing it is not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub memory: Option<Memory>,
}

open_enum! {
    /// The state of a peering connection: AWS's status codes, and two of ours.
    PeeringState {
        InitiatingRequest = "initiating-request",
        PendingAcceptance = "pending-acceptance",
        Provisioning = "provisioning",
        Active = "active",
        Deleting = "deleting",
        Deleted = "deleted",
        Rejected = "rejected",
        Expired = "expired",
        Failed = "failed",
        /// No peering connection of the pair exists.
        Absent = "absent",
        /// AWS could not be asked, or its answer was incomplete.
        Unknown = "unknown",
    }
}

open_enum! {
    /// One side of a peering.
    SideName {
        Requester = "requester",
        Accepter = "accepter",
    }
}

/// Counts of routes, both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteCounts {
    /// In sync / declared, both sides together, such as 4/4.
    pub summary: String,
    /// The requester's side.
    pub requester: SideRouteCounts,
    /// The accepter's side.
    pub accepter: SideRouteCounts,
}

/// Counts of routes, one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SideRouteCounts {
    /// How many routes the declaration comes to: route tables times destinations.
    pub declared: i64,
    /// How many of them were read back as declared.
    pub in_sync: i64,
}

/// Routes of one side, as a rectangle of route tables and destinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryGroup {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The route tables.
    #[schemars(schema_with = "schema::words")]
    pub route_table_ids: Vec<String>,
    /// The destinations: CIDRs and ids of prefix lists.
    #[schemars(schema_with = "schema::words")]
    pub destinations: Vec<String>,
}

/// A declared route, or a whole selection, that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteException {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The entry in `spec`, or the route table, that this is about.
    pub subject: String,
    /// The route table; absent where more than one route is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<String>,
    /// The destination, a CIDR or the id of a prefix list; absent where more than one route is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Why, in one word.
    pub reason: String,
    /// Why, in full.
    pub message: String,
}

/// Something that would be done and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldAct {
    /// What would be done.
    pub what: String,
    /// Why it is not, in one word.
    pub reason: String,
    /// What releases it.
    pub release: String,
}

/// A loss of the peering connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastDeletion {
    /// The peering connection that was lost.
    pub peering_id: String,
    /// When Peerkeeper found out.
    #[schemars(schema_with = "schema::timestamp")]
    pub detected_at: Timestamp,
    /// The class of the loss: Unexpected, VpcGone, WithdrawnByPeer or Decommissioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The state that the lost peering was found in: deleted, rejected, expired, failed, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PeeringState>,
    /// What AWS says of it, such as "Deleted by 111122223333".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The AWS account that deleted it, where AWS names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_account_id: Option<String>,
    /// How many routes led nowhere when the loss was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes_affected: Option<i64>,
    /// What the policy said to do: Restore, RemoveRoutes or Flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What became of it: Restored; Replaced, by a peering connection that somebody else made; or Released, its routes
    /// removed. Absent while it is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The peering connection that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_peering_id: Option<String>,
    /// When it was settled: everything declared was read back, or the dead routes were read as gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub resolved_at: Option<Timestamp>,
}
