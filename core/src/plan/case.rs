//! The case of a loss: who ended the peering, what would be done about it, what a person decided, and what the incident
//! tells of all that.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::desired::{LossAction, PolicySource, UnknownActor};
use crate::ids::{AccountId, PeeringId, Side};
use crate::incident::{
    self, Class, Decided, DecisionVerdict, Incident, IncidentRef, IncidentSeen, Phase, PolicySummary,
    ProposedPlan,
};
use crate::limits::Level;
use crate::memory::{Attribution, Case, Culprit, Episode, Latch, LossClass, LossOutcome, Proof};
use crate::observed::Ending;
use crate::time::Wall;
use crate::trail::{Call, Heard, TrailEvent};
use crate::witness::{Ask, Asked};

use super::draft::Draft;

/// CloudTrail's history lags by minutes; for this long after a loss was settled its actor is still asked for.
pub(crate) const ASK_FOR_S: i64 = 1800;
/// A message agrees with a loss if its call was made at most this long before the loss was noticed ...
pub(crate) const BEFORE_S: i64 = 3600;
/// ... or after, as clocks differ.
pub(crate) const AFTER_S: i64 = 300;
/// So many routes are spelt out in a proposed plan; its digest covers all of them.
const STEPS_SPELT_OUT: usize = 20;

/// Opens the case of a loss.
pub(crate) fn open(draft: &mut Draft<'_>, lost: PeeringId) {
    if draft.memory.case_of(lost).is_none() {
        draft.memory.case = Some(Case {
            of: lost,
            incident: None,
            attribution: Attribution::None,
            policy: draft.input.policy.mark(),
            stale: None,
        });
    }
}

/// A loss whose actor may still become known.
struct Told {
    lost: PeeringId,
    ending: Option<Ending>,
    detected: Wall,
    by_account: Option<AccountId>,
}

fn told(draft: &Draft<'_>) -> Option<Told> {
    if let Some(Episode { lost, ending, detected, by_account, .. }) = &draft.memory.episode {
        let ending = Some(*ending);
        return Some(Told { lost: *lost, ending, detected: *detected, by_account: *by_account });
    }
    let last = draft.memory.last_loss.as_ref()?;
    let is_fresh = draft.input.now.wall.since_s(last.closed) < ASK_FOR_S;
    let ending = draft.memory.ending_of(last.lost);
    is_fresh.then_some(Told { lost: last.lost, ending, detected: last.detected, by_account: last.by_account })
}

/// Takes in what was heard of who did it, and says whether more should be asked.
pub(crate) fn follow(draft: &mut Draft<'_>) {
    let Some(told) = told(draft) else { return };
    if draft.memory.case_of(told.lost).is_none() {
        if draft.memory.episode.is_none() {
            return;
        }
        open(draft, told.lost);
    }
    // One that somebody deleted while its loss is open is made again: the evidence is kept, and asks anew.
    if draft.memory.episode.is_some()
        && draft.input.incident.loss == IncidentSeen::Absent
        && let Some(case) = &mut draft.memory.case
    {
        case.incident = None;
    }
    let heard = heard(draft, &told);
    if let Some(case) = draft.memory.case.as_mut().filter(|case| case.of == told.lost) {
        if supersedes(&heard, &case.attribution) {
            case.attribution = heard;
        }
        if !case.attribution.is_final() {
            draft.ask.insert(Ask::Ending(told.lost));
        }
    }
}

/// What is heard now counts over what is remembered, unless it says less: a restart forgets messages and not their lesson.
/// A second message that names somebody else takes a first one's agreement away.
pub(crate) fn supersedes(heard: &Attribution, known: &Attribution) -> bool {
    fn rank(attribution: &Attribution) -> u8 {
        match attribution {
            Attribution::None => 0,
            Attribution::AccountOnly(_) => 1,
            Attribution::EventOnly(_) => 2,
            Attribution::Corroborated(_, Proof::Agreement) => 3,
            Attribution::Corroborated(_, Proof::History) => 4,
        }
    }
    match (heard.culprit(), known.is_final()) {
        (_, true) => false,
        (Some(_), false) => heard != known,
        (None, false) => rank(heard) > rank(known),
    }
}

fn heard(draft: &Draft<'_>, told: &Told) -> Attribution {
    let ended: Vec<_> =
        draft.input.witness.events.iter().filter(|event| tells_of(draft, told, event)).collect();
    // AWS may let a second deletion of the same peering pass: the first ended it, and where AWS names an account, it was one
    // of that account. Of two in the same second the one that nobody authorized counts.
    let is_theirs = |event: &TrailEvent| told.by_account.is_none_or(|account| account == event.place.account);
    let known = ended.iter().filter(|event| event.heard == Heard::History && is_theirs(event));
    if let Some(event) = known.min_by_key(|event| (event.at, is_of_authorized(draft, event))) {
        return Attribution::Corroborated(culprit(draft, event), Proof::History);
    }
    let named: BTreeSet<_> = ended.iter().map(|event| (&event.actor, event.place)).collect();
    match ended.iter().min_by_key(|event| event.at) {
        // Two messages that name different people can't both be right.
        Some(event) if named.len() == 1 && agrees(draft, told, event) => {
            Attribution::Corroborated(culprit(draft, event), Proof::Agreement)
        }
        Some(event) => Attribution::EventOnly(culprit(draft, event)),
        None => told.by_account.map_or(Attribution::None, Attribution::AccountOnly),
    }
}

/// The record is of a call that ended this peering, or one of its VPCs, made in one of its accounts.
fn tells_of(draft: &Draft<'_>, told: &Told, event: &TrailEvent) -> bool {
    let Some(pair) = draft.memory.pair else { return false };
    let ours = |place: AccountId| Side::BOTH.into_iter().any(|side| pair.at(side).account == place);
    let is_call = match &event.call {
        Call::DeletePeering(id) => *id == told.lost && told.ending != Some(Ending::Rejected),
        Call::RejectPeering(id) => *id == told.lost && told.ending != Some(Ending::Deleted),
        Call::DeleteVpc(vpc) => Side::BOTH.into_iter().any(|side| pair.sides.get(side).vpc == *vpc),
        _ => false,
    };
    is_call && ours(event.place.account)
}

/// What a message says is borne out by what AWS shows: the account that it names, a place of the pair, and the time.
fn agrees(draft: &Draft<'_>, told: &Told, event: &TrailEvent) -> bool {
    let is_place =
        draft.memory.pair.is_some_and(|pair| Side::BOTH.into_iter().any(|side| pair.at(side) == event.place));
    let since_s = told.detected.since_s(event.at);
    let is_time = (-AFTER_S..=BEFORE_S).contains(&since_s);
    event.call.ends(told.lost) && is_place && is_time && told.by_account == Some(event.place.account)
}

pub(crate) fn culprit(draft: &Draft<'_>, event: &TrailEvent) -> Culprit {
    Culprit {
        event: event.id.clone(),
        at: event.at,
        place: event.place,
        principal: event.actor.name().into(),
        authorized: is_of_authorized(draft, event),
    }
}

fn is_of_authorized(draft: &Draft<'_>, event: &TrailEvent) -> bool {
    draft.input.policy.authorized.iter().any(|principal| principal.matches(&event.actor))
}

/// Whether one of the policy's authorized principals did it, as surely as an act upon that needs.
pub(crate) fn is_authorized(draft: &Draft<'_>, lost: PeeringId, detected: Wall) -> bool {
    match draft.memory.case_of(lost).map(|case| &case.attribution) {
        Some(Attribution::Corroborated(culprit, Proof::History)) => culprit.authorized,
        Some(Attribution::Corroborated(culprit, Proof::Agreement)) => {
            culprit.authorized && (is_deaf(draft, culprit) || timed_out(draft, detected))
        }
        _ => false,
    }
}

/// The history of the place where the call was made can't be asked: nothing surer than agreement will come.
fn is_deaf(draft: &Draft<'_>, culprit: &Culprit) -> bool {
    let Some(pair) = draft.memory.pair else { return false };
    Side::BOTH
        .into_iter()
        .filter(|side| pair.at(*side) == culprit.place)
        .all(|side| matches!(draft.input.witness.history.get(side), Asked::Unavailable(_)))
}

pub(crate) fn timed_out(draft: &Draft<'_>, detected: Wall) -> bool {
    draft.input.now.wall.since_s(detected) >= draft.input.policy.attribution_timeout_s
}

/// Who did it is known as surely as it will be, or it does not matter.
pub(crate) fn actor_is_settled(draft: &Draft<'_>, episode: &Episode) -> bool {
    let attribution = draft.memory.case_of(episode.lost).map(|case| &case.attribution);
    match attribution {
        _ if !draft.input.policy.asks_who() => true,
        Some(Attribution::Corroborated(_, Proof::History)) => true,
        Some(Attribution::Corroborated(culprit, Proof::Agreement)) => is_deaf(draft, culprit),
        _ => false,
    }
}

/// An act upon a loss, and what it still needs.
pub(crate) struct Proposal {
    pub act: LossAction,
    pub plan: ProposedPlan,
    pub decided: Decided,
    /// It was begun and may go on.
    pub begun: bool,
    pub needs: Option<NeedsApproval>,
}

/// Why a person must decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NeedsApproval {
    /// The policy says Flag: only a person has anything done.
    Flagged,
    Asked(Level),
    PolicyChanged,
    Withdrawn,
    ActorUnknown,
    Latched(Latch),
}

impl NeedsApproval {
    pub fn why(&self) -> String {
        match self {
            Self::Flagged => "the policy says Flag".to_owned(),
            Self::Asked(level) => format!("{level} asks for approval"),
            Self::PolicyChanged => "the policy was changed after the loss was noticed".to_owned(),
            Self::Withdrawn => "the other account's owner ended it".to_owned(),
            Self::ActorUnknown => "nobody knows who did it, and the policy says Hold".to_owned(),
            Self::Latched(Latch { level, limit, demand }) => format!(
                "{demand} losses waited for the limit of {level}, which is {limit}, when this was held"
            ),
        }
    }
}

/// What may be done about a loss of this class, by itself or by a person's leave; `None`: nothing.
pub(crate) fn propose(draft: &Draft<'_>, episode: &Episode) -> Option<Proposal> {
    if matches!(draft.input.policy.source, PolicySource::Missing(_)) {
        return None;
    }
    let by_policy = match episode.class {
        LossClass::Authorized => draft.input.policy.on_authorized,
        _ => draft.input.policy.action,
    };
    if episode.acted.is_some() {
        let plan = plan_of(draft, episode.lost, episode.action);
        let decided = decided(draft, episode.lost, &plan.digest);
        if by_policy == episode.action || decided == Decided::Approved {
            return Some(Proposal { act: episode.action, plan, decided, begun: true, needs: None });
        }
    }
    let (act, needs) = match (episode.class, by_policy) {
        (LossClass::Decommissioning, _) | (LossClass::VpcGone, LossAction::Restore | LossAction::Flag) => {
            return None;
        }
        (_, LossAction::Flag) => (LossAction::Restore, Some(NeedsApproval::Flagged)),
        (LossClass::WithdrawnByPeer, LossAction::Restore) => {
            (LossAction::Restore, Some(NeedsApproval::Withdrawn))
        }
        (_, act) => (act, None),
    };
    let plan = plan_of(draft, episode.lost, act);
    let decided = decided(draft, episode.lost, &plan.digest);
    let needs = needs.or_else(|| needs_approval(draft, episode));
    Some(Proposal { act, plan, decided, begun: false, needs })
}

fn needs_approval(draft: &Draft<'_>, episode: &Episode) -> Option<NeedsApproval> {
    let policy = draft.input.policy;
    if let Some(level) = policy.approval {
        return Some(NeedsApproval::Asked(level));
    }
    if draft.memory.case_of(episode.lost).is_some_and(|case| case.policy != policy.mark()) {
        return Some(NeedsApproval::PolicyChanged);
    }
    if let Some(latch) = &episode.latched {
        return Some(NeedsApproval::Latched(latch.clone()));
    }
    let is_unknown = policy.on_unknown_actor == UnknownActor::Hold
        && !actor_is_settled(draft, episode)
        && timed_out(draft, episode.detected)
        && !is_corroborated(draft, episode.lost);
    is_unknown.then_some(NeedsApproval::ActorUnknown)
}

fn is_corroborated(draft: &Draft<'_>, lost: PeeringId) -> bool {
    let case = draft.memory.case_of(lost);
    case.is_some_and(|case| matches!(case.attribution, Attribution::Corroborated(..)))
}

/// Another incident than ours stands under the name of ours, and can't be taken for it.
pub(crate) fn conflict(draft: &Draft<'_>, lost: PeeringId) -> Option<String> {
    let known = draft.memory.case_of(lost)?.incident.as_ref();
    match &draft.input.incident.loss {
        IncidentSeen::Found(found)
            if known.is_none_or(|known| known.uid != found.at.uid) && !found.may_be_taken_over() =>
        {
            Some(incident::name(&draft.input.desired.key, lost))
        }
        _ => None,
    }
}

/// What a person decided about this very plan.
pub(crate) fn decided(draft: &Draft<'_>, lost: PeeringId, digest: &str) -> Decided {
    let recorded = draft.memory.case_of(lost).and_then(|case| case.incident.as_ref());
    decided_on(recorded, &draft.input.incident.loss, digest)
}

/// What was decided in the incident that memory names, about the plan of this digest.
pub(crate) fn decided_on(recorded: Option<&IncidentRef>, seen: &IncidentSeen, digest: &str) -> Decided {
    let (Some(recorded), IncidentSeen::Found(found)) = (recorded, seen) else {
        return Decided::Nothing;
    };
    if found.at.uid != recorded.uid || found.at.generation <= recorded.generation || !found.is_like_ours {
        return Decided::Nothing;
    }
    let is_plan = *found.decision.plan_digest == *digest;
    match found.decision.verdict {
        DecisionVerdict::Pending => Decided::Nothing,
        DecisionVerdict::Approve if is_plan => Decided::Approved,
        DecisionVerdict::Reject if is_plan || found.decision.plan_digest.is_empty() => Decided::Rejected,
        DecisionVerdict::Approve | DecisionVerdict::Reject => Decided::AnotherPlan,
    }
}

/// The steps of an act upon this loss, and a digest of everything that bears on it.
pub(crate) fn plan_of(draft: &Draft<'_>, lost: PeeringId, act: LossAction) -> ProposedPlan {
    // What is declared is part of the plan: a new spec asks anew.
    let generation = draft.input.desired.generation;
    let mut all = format!("{act:?} {lost} {generation} {}", draft.input.policy.mark());
    let mut steps = Vec::new();
    let pair = draft.sight().pair;
    for side in Side::BOTH {
        let end = pair.sides.get(side);
        // Writing to a String can't fail.
        let _ = write!(all, " {} {}", end.at, end.vpc);
    }
    if act == LossAction::Restore {
        let (from, to) = (pair.sides.requester, pair.sides.accepter);
        steps.push(format!(
            "create a peering connection from {} ({}) to {} ({})",
            from.vpc, from.at, to.vpc, to.at
        ));
        steps.push(format!("accept it in {}", to.at));
    }
    let verb = if act == LossAction::Restore { "point at it" } else { "remove" };
    for (at, slot) in draft.memory.slots.keys().enumerate() {
        let _ = write!(all, " {slot}");
        if at < STEPS_SPELT_OUT {
            steps.push(format!("{verb}: {slot}"));
        }
    }
    let more = draft.memory.slots.len().saturating_sub(STEPS_SPELT_OUT);
    if more > 0 {
        steps.push(format!("{verb}: {more} more routes"));
    }
    if act == LossAction::RemoveRoutes {
        super::rules::say_steps(draft, lost, &mut all, &mut steps);
    }
    let digest = format!("sha256:{}", crate::digest::sha256(all.as_bytes()));
    ProposedPlan { act, steps, digest: digest.into() }
}

/// Everything that the incident tells, of the open loss or of one that was settled lately.
pub(crate) fn tell(draft: &mut Draft<'_>) {
    if draft.sight_is_missing() {
        return;
    }
    let incident = match &draft.memory.episode {
        Some(episode) => Some(of_open(draft, &episode.clone())),
        None => of_closed(draft),
    };
    // Where a stranger's stands, nothing is told: status and Events are the flag.
    let incident = incident.filter(|told| conflict(draft, told.peering).is_none());
    draft.incidents = incident.into_iter().chain(super::drift::tell(draft)).collect();
}

fn of_open(draft: &Draft<'_>, episode: &Episode) -> Incident {
    let held = draft.findings.iter().max_by_key(|finding| finding.weight);
    Incident {
        phase: match draft.phase {
            _ if draft.input.desired.deleting => Phase::ObjectDeleted,
            Some(phase) => phase,
            // Between two waves of an act nothing else speaks of the loss.
            None => match (episode.acted, episode.action) {
                (Some(_), LossAction::Restore) => Phase::Restoring,
                (Some(_), LossAction::RemoveRoutes) => Phase::RemovingRoutes,
                (_, LossAction::Flag) | (None, _) => Phase::Flagged,
            },
        },
        ending: Some(episode.ending),
        message: episode.message.clone(),
        by_account: episode.by_account,
        plan: draft.proposed.clone(),
        held: held.map(|finding| (finding.reason, finding.message.clone())),
        acted: episode.acted,
        ..base(draft, episode.lost, Class::Loss(episode.class), episode.detected)
    }
}

fn of_closed(draft: &Draft<'_>) -> Option<Incident> {
    let last = draft.memory.last_loss.as_ref()?;
    let is_fresh = draft.input.now.wall.since_s(last.closed) < ASK_FOR_S;
    draft.memory.case_of(last.lost).filter(|_| is_fresh || last.outcome == LossOutcome::Released)?;
    Some(Incident {
        phase: match last.outcome {
            LossOutcome::Restored => Phase::Restored,
            LossOutcome::Replaced => Phase::Replaced,
            LossOutcome::Released => Phase::Released,
        },
        by_account: last.by_account,
        plan: draft.proposed.clone(),
        restored: last.successor,
        closed: Some(last.closed),
        ..base(draft, last.lost, Class::Loss(last.class), last.detected)
    })
}

/// The record that names the culprit, while this process has it.
pub(crate) fn evidence(draft: &Draft<'_>, attribution: &Attribution) -> Option<Arc<TrailEvent>> {
    let culprit = attribution.culprit()?;
    draft.input.witness.events.iter().find(|event| event.id == culprit.event).cloned()
}

pub(crate) fn base(draft: &Draft<'_>, lost: PeeringId, class: Class, detected: Wall) -> Incident {
    let attribution = draft.memory.case_of(lost).map(|case| case.attribution.clone()).unwrap_or_default();
    let evidence = evidence(draft, &attribution);
    let policy = draft.input.policy;
    Incident {
        name: incident::name(&draft.input.desired.key, lost).into(),
        peering: lost,
        pair: draft.memory.pair,
        class,
        phase: Phase::Flagged,
        ending: draft.memory.ending_of(lost),
        message: Arc::from(""),
        by_account: None,
        attribution,
        evidence,
        routes: draft.memory.slots.iter().map(|(slot, owned)| (*slot, owned.to)).collect(),
        stale: draft.memory.case_of(lost).and_then(|case| case.stale.clone()),
        deviations: Vec::new(),
        deviations_more: 0,
        policy: PolicySummary {
            name: match &policy.source {
                PolicySource::BuiltIn => "".into(),
                PolicySource::Named(name) | PolicySource::Missing(name) => name.clone(),
            },
            action: policy.action,
            on_authorized: policy.on_authorized,
            grace_s: policy.grace_s,
            require_approval: policy.approval.is_some(),
            on_drift: draft.on_drift(),
            on_repointed_route: policy.on_repointed_route,
        },
        plan: None,
        held: None,
        restored: None,
        detected,
        acted: None,
        closed: None,
    }
}
