//! `status.memory`: what AWS can't say again.
//!
//! A plain picture of the engine's memory; the engine reads and writes it through one crossing and nobody else does.
//! The rules that keep it safe to change:
//! - Whatever a newer version adds, it adds at the top level of [`Memory`]: an older binary carries fields there that it
//!   does not know through [`Memory::extra`], unchanged. It can't carry what it does not know further down.
//! - Words that may gain members are open enums, never closed ones.
//! - The whole section is one atomic value to the API server: replaced as one, never merged.

use super::{
    Timestamp,
    duration::GoDuration,
    schema,
    status::{PeeringState, SideName},
    text::open_enum,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What Peerkeeper remembers of one VpcPeering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// The two VPCs, with the ids of the accounts that own them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    /// How far the peering has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// Whether the peering was created here or adopted: Created or Adopted. Absent counts as Adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Peerings of this object that have ended, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub past: Vec<PastPeering>,
    /// The routes that are ours, grouped by side, target, and how they came to be ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub slots: Vec<SlotGroup>,
    /// The CIDRs of both VPCs when the peering was last seen active: AWS stops saying them once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<PairWords>,
    /// The route tables and destinations that the selection last came to, and for which generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// The loss that is being dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// What is about to be written to AWS, noted before it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub intents: Vec<Intent>,
    /// Acts that count against limits, noted before they are done, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub spent: Vec<Spent>,
    /// Own writes whose effect has not been read back yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub settling: Vec<Settling>,
    /// The keys of the tags that were set on each side: a tag that leaves `spec.tags` is removed only if it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_keys: Option<PairWords>,
    /// A hold that time never releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<LatchedHold>,
    /// The limits that last held, for when the policy is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<RememberedLimits>,
    /// What a request that ended before it was ever active was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Fields of a newer version, carried unchanged.
    #[serde(flatten)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// Two VPCs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The side that asked.
    pub requester: PairSide,
    /// The side that accepts.
    pub accepter: PairSide,
}

/// One VPC and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairSide {
    /// The AwsAccount; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The id of the AWS account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The VPC.
    pub vpc_id: String,
}

/// How far a peering has come: what was last established, never what is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    /// NeverSeen, Requested, Established or Released.
    pub stage: LifeStage,
    /// Requested and Established: the peering. Released: the one that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering_id: Option<String>,
    /// Requested: the lost peering that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Released: the metadata.generation in which it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When this stage was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub since: Option<Timestamp>,
}

open_enum! {
    /// The stages of [`Life`].
    LifeStage {
        NeverSeen = "NeverSeen",
        Requested = "Requested",
        Established = "Established",
        Released = "Released",
    }
}

open_enum! {
    /// How something came to be ours.
    Origin {
        Created = "Created",
        Adopted = "Adopted",
    }
}

/// A peering that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastPeering {
    /// Its id.
    pub peering_id: String,
    /// How it ended: deleted, rejected, expired, failed, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<PeeringState>,
    /// When that was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub ended_at: Option<Timestamp>,
    /// Whether it was ever active.
    #[serde(default)]
    pub established: bool,
}

/// Routes that are ours: every route table of the group has one to every destination of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotGroup {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The peering that the routes were last written with, or found with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How they came to be ours.
    pub how: SlotOrigin,
    /// The route tables.
    #[schemars(schema_with = "schema::words")]
    pub route_table_ids: Vec<String>,
    /// The destinations: CIDRs and ids of prefix lists.
    #[schemars(schema_with = "schema::words")]
    pub destinations: Vec<String>,
}

open_enum! {
    /// How a route came to be ours.
    SlotOrigin {
        /// It was not there; we created it.
        Created = "Created",
        /// It was there, declared, with a target of ours.
        Adopted = "Adopted",
        /// It was not declared, and depended on a peering that was lost.
        Dependent = "Dependent",
    }
}

/// Words of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairWords {
    /// The requester's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::words")]
    pub requester: Vec<String>,
    /// The accepter's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::words")]
    pub accepter: Vec<String>,
}

/// What the declared selection came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// The metadata.generation that it was made for.
    pub generation: i64,
    /// The route tables selected on each side.
    #[serde(default)]
    pub route_table_ids: PairWords,
    /// The peer's CIDRs at that generation: later ones may not shadow another's route.
    #[serde(default)]
    pub cidrs: PairWords,
}

/// A loss that is being dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// The peering that was lost.
    pub lost: String,
    /// When the loss was found.
    #[schemars(schema_with = "schema::timestamp")]
    pub detected_at: Timestamp,
    /// The class of the loss, as a reason, such as DeletedUnexpectedly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The state that it was found in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<PeeringState>,
    /// What AWS says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The AWS account that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_account_id: Option<String>,
    /// What the policy said when the loss was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Before this moment nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub act_after: Option<Timestamp>,
    /// Whether the attempt has been spent from the limits.
    #[serde(default)]
    pub spent: bool,
    /// The peering that replaces the lost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// How many routes led nowhere when the loss was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes_affected: Option<i64>,
    /// Routes that depended on the lost peering and must be pointed at the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub dependents: Vec<SlotGroup>,
}

/// A write that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// What kind of write, such as Create.
    pub act: String,
    /// What it is about: the id of a peering, or a route as table and destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The lost peering that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// When it was noted.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
}

/// An act that counts against limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// What was done: Restore, Repair, RemoveRoutes or Delete.
    pub act: Act,
    /// When it was spent.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// The peering it was spent on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering_id: Option<String>,
}

open_enum! {
    /// Acts that count against limits.
    Act {
        Restore = "Restore",
        Repair = "Repair",
        RemoveRoutes = "RemoveRoutes",
        Delete = "Delete",
    }
}

/// An own write whose effect has not been read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settling {
    /// The id of the peering, or the route as table and destination.
    pub subject: String,
    /// What was written.
    pub act: String,
    /// When it was sent.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// Whether AWS's answer was lost.
    #[serde(default)]
    pub unknown: bool,
}

/// A hold that stays until it is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatchedHold {
    /// Why, as a reason, such as LimitReached.
    pub reason: String,
    /// Since when.
    #[schemars(schema_with = "schema::timestamp")]
    pub since: Timestamp,
    /// Whose limit: a PeeringPolicy, an AwsAccount, or the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The limit that was exceeded: only a higher one releases the hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many objects wanted to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<i64>,
}

/// Limits as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RememberedLimits {
    /// The policy they came from; absent for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The span of time that they count in.
    #[schemars(with = "String")]
    pub window: GoDuration,
    /// Restores within the window.
    pub max_restores: i64,
    /// Removals within the window.
    pub max_removals: i64,
    /// Restores of one peering within the window.
    pub max_restores_per_peering: i64,
}

/// What a request was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The metadata.generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The value of the annotation peerkeeper.dev/reconcile-requested-at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_requested_at: Option<String>,
}
