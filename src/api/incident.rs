//! `PeeringIncident`: one loss, or one drift, told from its discovery to its end, and a person's decision about it.
//!
//! The spec holds only what the incident is about and what a person decided. Everything that was observed and done is
//! status, also what became known later. Within v1alpha1 status fields are only ever added.

use super::{
    Timestamp,
    duration::GoDuration,
    schema,
    status::{PeeringState, SideName},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[allow(clippy::duplicated_attributes)] // each printcolumn has a type_ and a json_path
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "peerkeeper.dev",
    version = "v1alpha1",
    kind = "PeeringIncident",
    plural = "peeringincidents",
    shortname = "pinc",
    category = "peerkeeper",
    namespaced,
    status = "PeeringIncidentStatus",
    derive = "PartialEq",
    doc = "PeeringIncident is one loss of a peering connection, or one drift that the policy flags: what was lost or changed, who did it, what was done about it, and what is left to decide. Peerkeeper makes one for each before it changes anything in AWS; it outlives the VpcPeering.",
    printcolumn(
        name = "Peering",
        type_ = "string",
        json_path = ".spec.peeringId",
        description = "The peering connection that was lost, or that a drift concerns"
    ),
    printcolumn(
        name = "Who",
        type_ = "string",
        json_path = ".status.who",
        description = "Who did it, as far as that is known"
    ),
    printcolumn(
        name = "When",
        type_ = "date",
        json_path = ".status.detectedAt",
        description = "How long ago Peerkeeper found out"
    ),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".status.class",
        description = "What kind of loss it is, or what was changed"
    ),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "How far it is"
    ),
    printcolumn(
        name = "What-Now",
        type_ = "string",
        json_path = ".status.next",
        description = "What is left to do, and for whom"
    ),
    printcolumn(name = "Decision", type_ = "string", json_path = ".spec.decision.verdict", priority = 1),
    printcolumn(name = "Routes", type_ = "integer", json_path = ".status.routesAffectedTotal", priority = 1),
    printcolumn(name = "Restored", type_ = "string", json_path = ".status.restoredPeeringId", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(SPEC_RULES)))]
/// What the incident is about, and what a person decided.
pub struct PeeringIncidentSpec {
    /// The VpcPeering that it is about. It can't be changed.
    pub peering_ref: PeeringRef,
    /// The peering connection that was lost, or that a drift concerns. It can't be changed.
    #[schemars(schema_with = "schema::peering_id")]
    pub peering_id: String,
    /// What a person decides about the plan in `status.plan`. Default: Pending.
    #[serde(default)]
    pub decision: Decision,
}

const SPEC_RULES: &[(&str, &str)] = &[
    (
        "self.peeringRef == oldSelf.peeringRef",
        "peeringRef can't be changed: write it as it was, and decide with decision, such as {verdict: Reject}",
    ),
    (
        "self.peeringId == oldSelf.peeringId",
        "peeringId can't be changed: write it as it was, and decide with decision, such as {verdict: Reject}",
    ),
];

/// A VpcPeering of the same namespace, and no later one of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeeringRef {
    /// Its name.
    #[schemars(schema_with = "schema::object_name")]
    pub name: String,
    /// Its metadata.uid.
    #[schemars(length(min = 1, max = 128))]
    pub uid: String,
}

/// A person's decision. It counts only if it was made after Peerkeeper recorded the incident, and only for the plan whose
/// digest it names: a plan that changed meanwhile asks again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(DECISION_RULES)))]
pub struct Decision {
    /// `Pending`: nothing is decided. `Approve`: carry out the plan that `planDigest` names. `Reject`: do not, until
    /// another plan is approved. Default: Pending.
    #[serde(default)]
    pub verdict: Verdict,
    /// The `status.plan.digest` of the plan that was looked at. Needed to approve; without it, `Reject` rejects whatever
    /// is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::plan_digest")]
    pub plan_digest: Option<String>,
    /// Who decides, by the name that the API server knows, as `kubectl auth whoami` shows it. The admission policy that is
    /// installed with Peerkeeper refuses any other name. At most 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub decided_by: Option<String>,
    /// Why it was decided so, for those who read it later. At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reason: Option<String>,
}

const DECISION_RULES: &[(&str, &str)] = &[(
    "self.verdict != 'Approve' || has(self.planDigest)",
    "Approve names the plan that was looked at: write planDigest as it is in status.plan.digest, such as sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    #[default]
    Pending,
    Approve,
    Reject,
}

/// What was seen and done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeeringIncidentStatus {
    /// The metadata.generation that this status was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions, one per type. `Resolved` is True once the loss or drift is settled; its reason is the phase. `Audited` is there
    /// where an audit log is kept, and False while it could not be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The class of the loss: Unexpected, Authorized, VpcGone, WithdrawnByPeer or Decommissioning. Of a drift, what
    /// somebody changed: RouteRepointed, RouteDeleted, DnsOptionChanged, TagChanged, HoldReleased, or Drift where it is
    /// more than one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// How far it is: Flagged, Waiting, Held, AwaitingApproval, Restoring, RemovingRoutes, Rejected, Restored, Replaced,
    /// Released, Resolved, Superseded, Noted or ObjectDeleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What is left to do, and for whom, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The same in full, with the command that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_now: Option<String>,
    /// Who did it, in a few words. Of a drift with several actors, the first that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The state that the lost peering was found in: deleted, rejected, expired, failed, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<PeeringState>,
    /// What AWS said of it, such as "Deleted by 111122223333".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The AWS account that ended it, where AWS names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_account_id: Option<String>,
    /// Both VPCs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<super::memory::Pair>,
    /// How sure it is who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Who did it, as CloudTrail recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// The record that names the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Routes that led to the lost peering, grouped: every route table of an entry had a route to every destination of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub routes_affected: Vec<AffectedRoutes>,
    /// How many routes led to it, those not spelt out included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes_affected_total: Option<i64>,
    /// Security-group rules that went stale with it. Absent while they were not read: the policy ignores them, the peering
    /// is being restored and that heals them, the VPCs are in two Regions, or AWS did not let them be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_security_group_rules: Option<super::memory::StaleRules>,
    /// Of a drift: what deviates from what is declared, or did since it was noticed; at most 24.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 24), extend("x-kubernetes-list-type" = "atomic"))]
    pub deviations: Vec<Deviation>,
    /// Of a drift: how many more things deviate now than are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviations_omitted: Option<i64>,
    /// The policy as it was when the loss or drift was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyThen>,
    /// What would be done, or is being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The peering connection that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_peering_id: Option<String>,
    /// When Peerkeeper found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub detected_at: Option<Timestamp>,
    /// When it began to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub acted_at: Option<Timestamp>,
    /// When it was settled: everything declared was read back, or the dead routes were read as gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub resolved_at: Option<Timestamp>,
    /// From the call that ended it to its discovery, where the call is known, such as 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub time_to_detect: Option<GoDuration>,
    /// From its discovery to its end, such as 1m12s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub time_to_repair: Option<GoDuration>,
    /// What happened, oldest first: at most 200 entries. Where there were more, those in the middle are left out, and
    /// `timelineOmitted` counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), extend("x-kubernetes-list-type" = "atomic"))]
    pub timeline: Vec<TimelineEntry>,
    /// How many entries were left out of the timeline's middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_omitted: Option<i64>,
}

/// How sure it is who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// `None`: nobody knows. `AccountOnly`: AWS names the account, or it can only have been done there. `EventOnly`: a message names somebody and nothing bears
    /// it out. `Corroborated`: something does.
    pub level: String,
    /// What bears it out: `Agreement` of the message with what AWS shows, or CloudTrail's own `History`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whether it was one of the policy's authorized principals when it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized: Option<bool>,
}

/// Who made a call, in CloudTrail's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The ARN, or what the record has instead.
    pub principal: String,
    /// Root, IAMUser, AssumedRole, FederatedUser, AWSService, AWSAccount or Other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The account of the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Of a session: the ARN of the role that was assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_arn: Option<String>,
    /// Of an IAM user: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The id of the access key that signed the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The source identity of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Whether the session was opened with MFA; absent where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
    /// Where the call came from: an address, or the name of an AWS service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// The program that called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// A record of CloudTrail. Once stored it is kept, though the process that heard it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// CloudTrail's `eventID`.
    pub event_id: String,
    /// The name of the call, such as DeleteVpcPeeringConnection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// When the call was made.
    #[schemars(schema_with = "schema::timestamp")]
    pub event_time: Timestamp,
    /// AWS's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The account in which CloudTrail recorded it.
    pub recipient_account_id: String,
    /// The Region in which CloudTrail recorded it.
    pub region: String,
    /// How it was heard: in a message of a `Queue`, or from CloudTrail's own `History`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// The record as it came, JSON. Absent where it is longer than 16384 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The SHA-256 of the record, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_sha256: Option<String>,
    /// The length of the record in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_bytes: Option<i64>,
}

/// Routes of one side that fared alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AffectedRoutes {
    /// `requester` or `accepter`.
    pub side: SideName,
    /// The route tables.
    #[schemars(schema_with = "schema::words")]
    pub route_table_ids: Vec<String>,
    /// The destinations: CIDRs and ids of prefix lists.
    #[schemars(schema_with = "schema::words")]
    pub destinations: Vec<String>,
    /// Where they led before.
    pub before: String,
    /// Where they lead now by our doing; `none` where they are removed, or are not ours any more.
    pub after: String,
}

/// One thing that deviates from what is declared, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deviation {
    /// RouteRepointed, RouteDeleted, DnsOptionChanged, TagChanged or HoldReleased.
    pub kind: String,
    /// `requester` or `accepter`.
    pub side: SideName,
    /// Of a route: its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<String>,
    /// Of a route: its destination, a CIDR or the id of a prefix list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Of a tag: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// As declared: the peering that the route leads to, or a value.
    pub before: String,
    /// As it was found: where the route leads, a value, or `none`.
    pub after: String,
    /// When it was found so.
    #[schemars(schema_with = "schema::timestamp")]
    pub seen_at: Timestamp,
    /// How far it is. `Flagged`: left as it is. `Repairing`: being put right. `Repaired`: put right by Peerkeeper and read
    /// back. `Undone`: as declared again, or declared no more, and not by Peerkeeper. `Noted`: told, with nothing to repair.
    pub stage: String,
    /// Who did it, in a few words.
    pub who: String,
    /// How sure it is who did it.
    pub attribution: Attribution,
    /// Who did it, as CloudTrail recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// The record that names the actor, without its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// A policy in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyThen {
    /// The PeeringPolicy; absent for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it said about an unexpected deletion.
    pub action: String,
    /// What it said about an authorized one.
    pub on_authorized_deletion: String,
    /// How long it asked to wait.
    #[schemars(with = "String")]
    pub grace_period: GoDuration,
    /// Whether a person had to approve.
    pub require_approval: bool,
    /// What it said about drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_drift: Option<String>,
    /// What it said about a declared route that somebody pointed at another live target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_repointed_route: Option<String>,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Restore or RemoveRoutes.
    pub action: String,
    /// In the order in which they would be done.
    #[schemars(schema_with = "schema::words")]
    pub steps: Vec<String>,
    /// Names this plan in a decision: it covers everything that the plan would do, what is not spelt out included.
    pub digest: String,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// When.
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// What, in one word: a phase that was reached, ActorKnown, or Write.
    pub what: String,
    /// What, in full.
    pub message: String,
    /// Write: AWS's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
