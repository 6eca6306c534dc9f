//! What is told of one loss, or of one drift, and what a person decides about it.
//!
//! Everything observed is the operator's word; the decision is a person's. It counts only on the incident that this object's
//! memory names by its uid, only if the incident was changed after that, and only for the plan whose digest it names.

use std::sync::Arc;

use crate::desired::{LossAction, PairAt, Reaction};
use crate::drift::{Aspect, Deviation};
use crate::ids::{AccountId, ObjectKey, PeeringId, Slot};
use crate::memory::{Attribution, LossClass, StaleRules};
use crate::observed::Ending;
use crate::reason::Reason;
use crate::time::Wall;
use crate::trail::TrailEvent;

/// The name of the incident of a loss: the same whenever and by whomever it is computed.
///
/// Names of Kubernetes objects end at 253 characters, so a long one of the peering is cut; the lost id alone makes it unique.
pub fn name(object: &ObjectKey, lost: PeeringId) -> String {
    name_with(object, &lost.to_string())
}

pub(crate) fn name_with(object: &ObjectKey, which: &str) -> String {
    const MOST: usize = 253;
    let most = MOST - which.len() - 1;
    let stem = object.name.get(..most).unwrap_or(&object.name).trim_end_matches(['.', '-']);
    format!("{stem}-{which}")
}

/// One of each kind of incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds<T> {
    pub loss: T,
    pub drift: T,
}

/// An incident that was recorded: its name, and which one it is.
pub type Recorded = (Arc<str>, IncidentRef);

/// What an incident tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Loss(LossClass),
    /// Something else that somebody changed and the policy flags.
    Drift,
}

impl Class {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loss(class) => class.as_str(),
            Self::Drift => "Drift",
        }
    }
}

/// One thing that deviates, or did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deviating {
    pub aspect: Aspect,
    pub deviation: Deviation,
    /// The record that names the actor, while this process has it.
    pub evidence: Option<Arc<TrailEvent>>,
}

/// The incident that an object's memory holds to be its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentRef {
    pub uid: Arc<str>,
    /// `metadata.generation` when it was recorded: a decision is a later one.
    pub generation: i64,
}

/// What stands under the name of one of an object's incidents, read from the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum IncidentSeen {
    /// Nothing asked for it, or it could not be read.
    #[default]
    Unread,
    Absent,
    Found(Found),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    pub at: IncidentRef,
    /// Its name of the peering and its peering id are those that we would write. The peering's uid may be that of one that
    /// was deleted and made anew, as a restore from a backup does.
    pub is_like_ours: bool,
    pub decision: Decision,
}

impl Found {
    /// An incident that no memory names may be one that we made before a crash, or a stranger's. One that says what ours
    /// would say, and decides nothing, is as good as ours.
    pub fn may_be_taken_over(&self) -> bool {
        self.is_like_ours && self.decision.verdict == DecisionVerdict::Pending
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decision {
    pub verdict: DecisionVerdict,
    /// The plan that was looked at.
    pub plan_digest: Arc<str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionVerdict {
    #[default]
    Pending,
    Approve,
    Reject,
}

/// What a decision comes to for the plan that is proposed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decided {
    /// Nobody decided, or what was decided does not count.
    Nothing,
    /// It names another plan than the one that is proposed now.
    AnotherPlan,
    Approved,
    Rejected,
}

/// Everything that an incident's status tells, as one plan knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Incident {
    pub name: Arc<str>,
    /// The peering that was lost; of a drift, the one that it concerns.
    pub peering: PeeringId,
    pub pair: Option<PairAt>,
    pub class: Class,
    pub phase: Phase,
    pub ending: Option<Ending>,
    /// AWS's status message of the lost peering.
    pub message: Arc<str>,
    /// The account that AWS names as the deleter.
    pub by_account: Option<AccountId>,
    pub attribution: Attribution,
    /// The record that names the actor, while this process has it.
    pub evidence: Option<Arc<TrailEvent>>,
    /// Routes of ours that led to the lost peering, each with where it leads by what we know.
    pub routes: Vec<(Slot, PeeringId)>,
    /// The security-group rules that went stale with it, once they were read.
    pub stale: Option<StaleRules>,
    /// Of a drift: what deviates, or did.
    pub deviations: Vec<Deviating>,
    /// So many more deviate now.
    pub deviations_more: u32,
    pub policy: PolicySummary,
    pub plan: Option<ProposedPlan>,
    /// Why nothing is done now, and what would change that.
    pub held: Option<(Reason, String)>,
    pub restored: Option<PeeringId>,
    pub detected: Wall,
    pub acted: Option<Wall>,
    pub closed: Option<Wall>,
}

/// How far an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Told, and nothing is to be done about it by itself.
    Flagged,
    /// A pause runs, or the actor is looked for; it goes on by itself.
    Waiting,
    /// Something forbids acting.
    Held,
    AwaitingApproval,
    Restoring,
    RemovingRoutes,
    /// A person decided against the plan.
    Rejected,
    Restored,
    /// Somebody else's peering took the lost one's place.
    Replaced,
    Released,
    /// What had drifted is as declared again, and not by our doing.
    Resolved,
    /// The peering that a drift concerned was lost: what is left is told by that loss's incident.
    Superseded,
    /// It is told, and there is nothing to put right: a hold was lifted.
    Noted,
    /// The VpcPeering was deleted before anything was decided.
    ObjectDeleted,
}

impl Phase {
    pub const ALL: [Self; 14] = [
        Self::Flagged,
        Self::Waiting,
        Self::Held,
        Self::AwaitingApproval,
        Self::Restoring,
        Self::RemovingRoutes,
        Self::Rejected,
        Self::Restored,
        Self::Replaced,
        Self::Released,
        Self::Resolved,
        Self::Superseded,
        Self::Noted,
        Self::ObjectDeleted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flagged => "Flagged",
            Self::Waiting => "Waiting",
            Self::Held => "Held",
            Self::AwaitingApproval => "AwaitingApproval",
            Self::Restoring => "Restoring",
            Self::RemovingRoutes => "RemovingRoutes",
            Self::Rejected => "Rejected",
            Self::Restored => "Restored",
            Self::Replaced => "Replaced",
            Self::Released => "Released",
            Self::Resolved => "Resolved",
            Self::Superseded => "Superseded",
            Self::Noted => "Noted",
            Self::ObjectDeleted => "ObjectDeleted",
        }
    }

    /// Nothing more will happen to it.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Restored
                | Self::Replaced
                | Self::Released
                | Self::Resolved
                | Self::Superseded
                | Self::Noted
                | Self::ObjectDeleted
        )
    }
}

/// The policy in a few words, for the record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PolicySummary {
    /// The `PeeringPolicy`'s name; empty: the built-in one.
    pub name: Arc<str>,
    pub action: LossAction,
    pub on_authorized: LossAction,
    pub grace_s: i64,
    pub require_approval: bool,
    pub on_drift: Reaction,
    pub on_repointed_route: Reaction,
}

/// What would be done, for a person to approve.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProposedPlan {
    pub act: LossAction,
    /// Readable, in the order in which they would be done.
    pub steps: Vec<String>,
    /// `sha256:` and 64 hexadecimal digits over everything that the plan would do.
    pub digest: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_kubernetes_and_is_the_same_each_time() {
        let lost: PeeringId = "pcx-0123456789abcdef0".parse().unwrap();
        let named = |object: &str| name(&ObjectKey::new("net", object), lost);
        assert_eq!(named("prod-to-shared"), "prod-to-shared-pcx-0123456789abcdef0");
        assert_eq!(named(&"a".repeat(253)).len(), 253);
        let dotted = format!("{}.b", "a".repeat(230));
        assert_eq!(named(&dotted), format!("{}-{lost}", "a".repeat(230)), "no dot stands before a dash");
    }
}
