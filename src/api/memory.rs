//! `status.memory`: what AWS can't say again.
//!
//! A plain picture of the engine's memory; the engine reads and writes it through one crossing and nobody else does.
//! The rules that keep it safe to change:
//! - Whatever a newer version adds, it adds at the top level of [`Memory`]: an older binary carries fields there that it
//!   does not know through [`Memory::extra`], unchanged. It can't carry what it does not know further down.
//! - Words that may gain members are open enums, never closed ones.
//! - The whole section is one atomic value to the API server: replaced as one, never merged.

use super::{
    Timestamp, schema,
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
    /// The two VPCs, with the ids of the accounts that owned them when Peerkeeper first acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    /// How far the peering has come. Absent: no peering of this object was ever seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// How the peering came to be ours: created or adopted. Absent counts as adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Peerings of this object that have ended, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub past: Vec<PastPeering>,
    /// The routes that are ours, grouped by side, target, and how they came to be ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub slots: Vec<SlotGroup>,
    /// The CIDRs of both VPCs as last read: AWS stops saying them once the peering has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<PairWords>,
    /// The CIDRs of both VPCs that the last change of the spec met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs_at_spec: Option<PairWords>,
    /// The metadata.generation for which routes that are no longer declared were let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_generation: Option<i64>,
    /// The loss that is being dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// The last loss that was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_loss: Option<ClosedLoss>,
    /// What is known of the latest loss, open or settled, beside the loss itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
    /// The security-group rules that went stale with the loss of `case`, once they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_rules: Option<Box<StaleRules>>,
    /// What Peerkeeper itself ended in the last day: such calls by its role that are not among them were made by somebody
    /// else with its credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub own: Vec<OwnCalls>,
    /// What somebody else changed and the policy flags, now or when it was put right last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Box<Drift>>,
    /// The side whose VPC carries the tag peerkeeper.dev/hold by which something is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<SideName>,
    /// A request that ended before it was ever active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedRequest>,
    /// Acts that count against limits, noted before they were done, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub spent: Vec<Spent>,
    /// When a peering connection was last asked for without an answer being known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub create_intent: Option<Timestamp>,
    /// The keys of the tags that were set on each side: a tag that leaves `spec.tags` is removed only if it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_keys: Option<PairWords>,
    /// The value of the annotation peerkeeper.dev/reconcile-requested-at that was last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<String>,
    /// The metadata.uid of the deleted VpcPeering that this one took over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
    /// Fields of a newer version, carried unchanged.
    #[serde(flatten)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// Two VPCs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The side that asks.
    pub requester: PairSide,
    /// The side that accepts.
    pub accepter: PairSide,
}

/// One VPC and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairSide {
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
    /// Requested, Established or Released.
    pub stage: LifeStage,
    /// Requested and Established: the peering. Released: the one that was lost.
    pub peering_id: String,
    /// Requested: the lost peering that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Released: the metadata.generation in which it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

open_enum! {
    /// The stages of [`Life`]. A peering that was never seen has no life.
    LifeStage {
        Requested = "Requested",
        Established = "Established",
        Released = "Released",
    }
}

open_enum! {
    /// How a peering came to be ours. The words are those of the AWS tag beside the owner's.
    Origin {
        Created = "created",
        Adopted = "adopted",
    }
}

/// A peering that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastPeering {
    /// Its id.
    pub peering_id: String,
    /// How it ended: deleted, rejected, expired, failed, or absent.
    pub ending: PeeringState,
}

/// Routes that are ours: every route table of the group has one to every destination of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotGroup {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The peering that the routes last led to by our doing.
    pub target: String,
    /// How they came to be ours: Intended, Created or Adopted.
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
        /// About to be written; proves nothing until a reading shows it.
        Intended = "Intended",
        /// We made the route.
        Created = "Created",
        /// It led to a peering of the pair before we came.
        Adopted = "Adopted",
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

/// A loss, from its detection until it is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// The peering that was lost.
    pub lost: String,
    /// How it ended: deleted, rejected, expired, failed, or absent.
    pub ending: PeeringState,
    /// The class of the loss: VpcGone, Authorized, WithdrawnByPeer, Decommissioning or Unexpected.
    pub class: String,
    /// When the loss was found.
    #[schemars(schema_with = "schema::timestamp")]
    pub detected_at: Timestamp,
    /// What AWS said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    /// The AWS account that ended it, where AWS names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_account_id: Option<String>,
    /// How many routes of ours led to it.
    #[serde(default)]
    pub routes: u32,
    /// What the policy said when the loss was found: Restore, RemoveRoutes or Flag.
    pub action: String,
    /// When the attempt to act was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub acted_at: Option<Timestamp>,
    /// A limit that held it back. Time never releases this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latched: Option<Latch>,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latch {
    /// Whose limit: Policy, Account or Operator.
    pub level: LimitLevel,
    /// Account: the id of the AWS account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What the limit was: only a higher one releases the hold.
    pub limit: u32,
    /// How many objects wanted to act.
    pub demand: u32,
}

open_enum! {
    /// Where a limit is set.
    LimitLevel {
        Policy = "Policy",
        Account = "Account",
        Operator = "Operator",
    }
}

/// A loss that was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClosedLoss {
    /// The peering that was lost.
    pub lost: String,
    /// The class of the loss.
    pub class: String,
    /// The AWS account that ended it, where AWS named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_account_id: Option<String>,
    /// When the loss was found.
    #[schemars(schema_with = "schema::timestamp")]
    pub detected_at: Timestamp,
    /// When it was settled.
    #[schemars(schema_with = "schema::timestamp")]
    pub closed_at: Timestamp,
    /// Restored, Replaced (by somebody else's peering) or Released.
    pub outcome: String,
    /// The peering that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

/// What is known of one loss beside the loss itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The peering that was lost.
    pub of: String,
    /// The PeeringIncident that was made for it: no other's decision counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentRef>,
    /// How sure it is who did it: None, AccountOnly, EventOnly or Corroborated.
    pub attribution: String,
    /// AccountOnly: the AWS account that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Corroborated: by what, Agreement or History.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// EventOnly and Corroborated: who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Culprit>,
    /// A digest of the policy as it was when the loss was noticed.
    pub policy: String,
}

/// Security-group rules that went stale with a lost peering.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaleRules {
    /// The peering that they referred to the other VPC over.
    pub peering_id: String,
    /// How many there were, those not spelt out included.
    pub total: i64,
    /// Whether the act that was begun revokes them.
    #[serde(default)]
    pub revoked: bool,
    /// The first hundred by id, grouped; fewer where thousands of routes are remembered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub rules: Vec<StaleRulesOf>,
}

/// Stale rules of one security group and direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaleRulesOf {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The security group that they are in.
    pub group_id: String,
    /// `ingress` or `egress`.
    pub direction: String,
    /// The ids of the rules.
    #[schemars(schema_with = "schema::words")]
    pub rule_ids: Vec<String>,
}

/// What somebody else changed, from the first change until all is as declared again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The peering that it concerns.
    pub of: String,
    /// When it was noticed. The name of its PeeringIncident follows from it.
    #[schemars(schema_with = "schema::timestamp")]
    pub since: Timestamp,
    /// What deviates, or did since then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 24), extend("x-kubernetes-list-type" = "atomic"))]
    pub found: Vec<Deviation>,
    /// How many more things deviate.
    #[serde(default)]
    pub more: u32,
    /// The PeeringIncident that was made for it: no other's decision counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentRef>,
    /// When putting it right was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub acted_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub closed_at: Option<Timestamp>,
    /// How it ended: Restored, Resolved, Superseded or ObjectDeleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

/// One thing that deviates, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deviation {
    /// Route, Dns, Tag or Hold.
    pub aspect: String,
    /// `requester` or `accepter`.
    pub side: SideName,
    /// Route: the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<String>,
    /// Route: the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Tag: the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// As declared.
    pub before: String,
    /// As it was found.
    pub after: String,
    /// When it was found so.
    #[schemars(schema_with = "schema::timestamp")]
    pub seen_at: Timestamp,
    /// Flagged, Repairing, Repaired, Undone or Noted.
    pub stage: String,
    /// A person approved that just this is put right.
    #[serde(default)]
    pub approved: bool,
    /// How sure it is who did it: None, AccountOnly, EventOnly or Corroborated.
    pub attribution: String,
    /// AccountOnly: the AWS account in which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Corroborated: by what, Agreement or History.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// EventOnly and Corroborated: who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<Culprit>,
}

/// A PeeringIncident, as it was when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentRef {
    /// Its metadata.uid.
    pub uid: String,
    /// Its metadata.generation then: a decision is a later one.
    pub generation: i64,
}

/// Calls of Peerkeeper's own that end something, noted together before they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnCalls {
    /// When they were noted.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// Peering connections, and route tables of which routes were removed.
    #[schemars(schema_with = "schema::words")]
    pub ids: Vec<String>,
}

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Culprit {
    /// CloudTrail's `eventID`.
    pub event_id: String,
    /// When the call was made.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// The account in which it was made.
    pub account_id: String,
    /// The Region in which it was made.
    pub region: String,
    /// The ARN, or what the record has instead.
    pub principal: String,
    /// Whether it was one of the policy's authorized principals when it became known.
    pub authorized: bool,
}

/// A request that ended before it was ever active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRequest {
    /// The request.
    pub peering_id: String,
    /// How it ended: deleted, rejected, expired, failed, or absent.
    pub ending: PeeringState,
    /// What AWS said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    /// When that was found.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// The metadata.generation that it was asked for: a newer one asks again.
    pub generation: i64,
    /// The value of the annotation peerkeeper.dev/reconcile-requested-at then: another one asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<String>,
}

/// An act that counts against limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// What was done: Restore, RepairDrift, RemoveRoutes or Finalize.
    pub act: Act,
    /// When it was noted.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
}

open_enum! {
    /// Acts that count against limits.
    Act {
        Restore = "Restore",
        RepairDrift = "RepairDrift",
        RemoveRoutes = "RemoveRoutes",
        Finalize = "Finalize",
    }
}
