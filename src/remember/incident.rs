//! Between an incident as the engine tells it and the `PeeringIncident` that keeps it.
//!
//! The engine tells what it knows now; the object keeps what was seen first. Merging the two is a function of its
//! arguments: what was stored once (the routes as they were, the policy, the record that names the actor) stays, although
//! a restart forgets it and the world moves on.

use super::{
    clip,
    conditions::{Said, conditions},
    rectangles::rectangles,
    show::{SPARE_BYTES, STATUS_MAX_BYTES, as_fits, size_bytes},
    timestamp, wall, write,
};
use crate::api::{
    GoDuration, PeeringIncident, PeeringIncidentSpec, PeeringIncidentStatus, Timestamp, incident as api,
};
use peerkeeper_core::desired::Reaction;
use peerkeeper_core::digest::sha256;
use peerkeeper_core::drift::{Aspect, Deviation, Stage};
use peerkeeper_core::ids::{Destination, HOLD_TAG_KEY, ObjectKey, PeeringId, RouteTableId, Side, Slot};
use peerkeeper_core::incident::{
    self, Class, Decision, DecisionVerdict, Deviating, Found, Incident, IncidentRef, Kinds, Phase,
    PolicySummary, ProposedPlan,
};
use peerkeeper_core::memory::{Attribution, Culprit, LossOutcome, Memory};
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Heard, TrailEvent};
use std::collections::{BTreeMap, BTreeSet};

/// A longer record is named by its SHA-256 and length.
const RECORD_MAX_BYTES: usize = 16 * 1024;
const RESOLVED: &str = "Resolved";
const AUDITED: &str = "Audited";
const TIMELINE_MAX: usize = 200;
const ENTRY_MAX_BYTES: usize = 400;
const WORD_MAX_BYTES: usize = 512;
const MESSAGE_MAX_BYTES: usize = 1024;
const STEPS_MAX: usize = 64;
/// A settled loss is asked about no longer than this: nobody decides about it any more.
const SETTLED_FOR_S: i64 = 3600;

/// Something that was done about a loss, for its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub at: Wall,
    /// In one word.
    pub what: &'static str,
    pub message: String,
    /// AWS's id of the request, where it gave one.
    pub request_id: Option<String>,
}

/// What surrounds an incident's status.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The `VpcPeering`.
    pub of: &'a ObjectKey,
    /// The incident's own generation.
    pub generation: i64,
    /// What was done since status was last stored, oldest first.
    pub happened: &'a [Happened],
    /// Where an audit log is kept: why it could not be written, if so.
    pub audit: Option<Result<(), &'a str>>,
}

/// An incident by its name, and the peering that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub peering: PeeringId,
}

/// The incidents that bear on what is planned next.
pub fn incidents_of_interest(of: &ObjectKey, memory: &Memory, now: Wall) -> Kinds<Option<Wanted>> {
    let loss = memory.case.as_ref().filter(|case| {
        let is_open = memory.episode.as_ref().is_some_and(|episode| episode.lost == case.of);
        let last = memory.last_loss.as_ref().filter(|last| last.lost == case.of);
        // A released loss may be approved for restoring at any time.
        let is_fresh = last.is_none_or(|last| {
            last.outcome == LossOutcome::Released || now.since_s(last.closed) < SETTLED_FOR_S
        });
        is_open || is_fresh
    });
    let drift = memory.drift.as_ref();
    let drift = drift.filter(|it| it.closed.is_none_or(|(closed, _)| now.since_s(closed) < SETTLED_FOR_S));
    Kinds {
        loss: loss.map(|case| Wanted { name: incident::name(of, case.of), peering: case.of }),
        drift: drift.map(|drift| Wanted { name: drift.name(of), peering: drift.of }),
    }
}

/// What an incident about this peering says of itself, undecided.
pub fn incident_spec(of: &ObjectKey, uid: &str, peering: PeeringId) -> PeeringIncidentSpec {
    PeeringIncidentSpec {
        peering_ref: api::PeeringRef { name: of.name.to_string(), uid: uid.to_owned() },
        peering_id: peering.to_string(),
        decision: api::Decision::default(),
    }
}

/// What stands under an incident's name, as the engine judges it. `None`: no API server ever stored it.
pub fn incident_found(
    object: &PeeringIncident,
    of: &ObjectKey,
    uid: &str,
    about: PeeringId,
) -> Option<Found> {
    let PeeringIncidentSpec { peering_ref, peering_id, decision } = &object.spec;
    let ours = incident_spec(of, uid, about);
    Some(Found {
        at: incident_ref(object)?,
        is_like_ours: *peering_ref == ours.peering_ref && *peering_id == ours.peering_id,
        decision: Decision {
            verdict: match decision.verdict {
                api::Verdict::Pending => DecisionVerdict::Pending,
                api::Verdict::Approve => DecisionVerdict::Approve,
                api::Verdict::Reject => DecisionVerdict::Reject,
            },
            plan_digest: decision.plan_digest.as_deref().unwrap_or_default().into(),
        },
    })
}

/// Nothing more will happen to it.
pub fn is_settled(status: &PeeringIncidentStatus) -> bool {
    holds(status, RESOLVED)
}

/// Its phase is in the audit log.
pub fn is_audited(status: &PeeringIncidentStatus) -> bool {
    holds(status, AUDITED)
}

fn holds(status: &PeeringIncidentStatus, kind: &str) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
}

pub fn incident_ref(object: &PeeringIncident) -> Option<IncidentRef> {
    let uid = object.metadata.uid.as_deref()?.into();
    Some(IncidentRef { uid, generation: object.metadata.generation.unwrap_or_default() })
}

/// The status to store: what is told now, and of `previous` what may not be forgotten. The same again, with nothing that
/// happened since, is equal, whatever the time.
pub fn incident_status(
    told: &Incident,
    telling: &Telling<'_>,
    previous: Option<&PeeringIncidentStatus>,
    now: Timestamp,
) -> PeeringIncidentStatus {
    let empty = PeeringIncidentStatus::default();
    let before = previous.unwrap_or(&empty);
    let culprit = told.attribution.culprit();
    let known =
        before.evidence.as_ref().filter(|known| culprit.is_some_and(|it| *it.event == *known.event_id));
    let evidence = match (&told.evidence, known, culprit) {
        (Some(event), _, _) => Some(evidence(event)),
        (None, Some(known), _) => Some(known.clone()),
        (None, None, Some(culprit)) => Some(told_of(culprit)),
        (None, None, None) => None,
    };
    let actor = match (&told.evidence, known, culprit) {
        (Some(event), _, _) => Some(actor(&event.actor)),
        (None, Some(_), _) if before.actor.is_some() => before.actor.clone(),
        (None, _, Some(culprit)) => {
            Some(api::Actor { principal: short(&culprit.principal), ..api::Actor::default() })
        }
        (None, _, None) => None,
    };
    let plan = told.plan.as_ref().map(plan);
    let affected = affected(told, before);
    let (timeline, omitted) = timeline(told, telling, before, affected.len(), now);
    let mut status = PeeringIncidentStatus {
        observed_generation: Some(telling.generation),
        conditions: said(told, telling, before, now),
        class: Some(class(told).to_owned()),
        phase: Some(told.phase.as_str().to_owned()),
        next: Some(next(told)),
        what_now: Some(what_now(told, telling.of)),
        who: Some(who(told)),
        ending: told.ending.map(write::ending).or_else(|| before.ending.clone()),
        status_message: text(&told.message, MESSAGE_MAX_BYTES).or_else(|| before.status_message.clone()),
        by_account_id: told.by_account.map(|id| id.to_string()).or_else(|| before.by_account_id.clone()),
        pair: told.pair.as_ref().map(write::pair).or_else(|| before.pair.clone()),
        attribution: Some(attribution(&told.attribution)),
        actor,
        time_to_detect: culprit.and_then(|culprit| between(culprit.at, told.detected)),
        evidence,
        routes_affected: Vec::new(),
        stale_security_group_rules: told
            .stale
            .as_ref()
            .map(|stale| write::stale_rules(told.peering, stale))
            .or_else(|| before.stale_security_group_rules.clone()),
        routes_affected_total: (told.class != Class::Drift).then(|| affected_total(before, affected.len())),
        deviations: told.deviations.iter().map(|it| deviation(it, before)).collect(),
        deviations_omitted: (told.deviations_more > 0).then(|| i64::from(told.deviations_more)),
        policy: before.policy.clone().or_else(|| Some(policy(&told.policy))),
        // What was carried out is kept.
        plan: plan.or_else(|| before.plan.clone().filter(|_| told.phase.is_over() || told.acted.is_some())),
        restored_peering_id: told
            .restored
            .map(|id| id.to_string())
            .or_else(|| before.restored_peering_id.clone().filter(|_| told.phase.is_over())),
        detected_at: Some(timestamp(told.detected)),
        acted_at: told.acted.map(timestamp).or(before.acted_at),
        resolved_at: told.closed.map(timestamp),
        time_to_repair: told.closed.and_then(|closed| between(told.detected, closed)),
        timeline,
        timeline_omitted: omitted,
    };
    let mut room = (STATUS_MAX_BYTES - SPARE_BYTES).saturating_sub(size_bytes(&status));
    status.routes_affected = as_fits(grouped(told.peering, &affected), &mut room);
    status
}

fn short(word: &str) -> String {
    clip(word, WORD_MAX_BYTES)
}

fn text(text: &str, most_bytes: usize) -> Option<String> {
    (!text.is_empty()).then(|| clip(text, most_bytes))
}

fn between(from: Wall, to: Wall) -> Option<GoDuration> {
    u64::try_from(to.since_s(from)).ok().map(GoDuration::from_secs)
}

// Who.

fn attribution(attribution: &Attribution) -> api::Attribution {
    api::Attribution {
        level: attribution.as_str().to_owned(),
        by: match attribution {
            Attribution::Corroborated(_, proof) => Some(proof.as_str().to_owned()),
            Attribution::None | Attribution::AccountOnly(_) | Attribution::EventOnly(_) => None,
        },
        authorized: attribution.culprit().map(|culprit| culprit.authorized),
    }
}

/// For a column: the ARN from its account on, and how sure it is where it is not.
fn who(told: &Incident) -> String {
    match &told.by_account {
        Some(account) if told.attribution == Attribution::None => format!("account {account}"),
        _ => by(&told.attribution),
    }
}

fn by(attribution: &Attribution) -> String {
    let name = |culprit: &Culprit| match culprit.principal.splitn(5, ':').nth(4) {
        Some(rest) if culprit.principal.starts_with("arn:") => clip(rest, 128),
        _ => clip(&culprit.principal, 128),
    };
    match attribution {
        Attribution::Corroborated(culprit, _) => name(culprit),
        Attribution::EventOnly(culprit) => format!("{} (unproved)", name(culprit)),
        Attribution::AccountOnly(account) => format!("account {account}"),
        Attribution::None => "unknown".to_owned(),
    }
}

/// Of a drift, what all of it is; where it is several things, that.
fn class(told: &Incident) -> &'static str {
    let mut kinds = told.deviations.iter().map(|it| it.deviation.kind(&it.aspect));
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => first,
        _ => told.class.as_str(),
    }
}

/// One thing that deviates. What a restart forgot of its record is as it was stored.
fn deviation(it: &Deviating, before: &PeeringIncidentStatus) -> api::Deviation {
    let Deviating { aspect, deviation, evidence: event } = it;
    let Deviation { before: declared, after, seen, attribution: known, approved: _, stage } = deviation;
    let (slot, key) = match aspect {
        Aspect::Route(slot) => (Some(slot), None),
        Aspect::Tag(_, key) => (None, Some(short(key))),
        Aspect::Hold(_) => (None, Some(HOLD_TAG_KEY.to_owned())),
        Aspect::Dns(_) => (None, None),
    };
    let culprit = known.culprit();
    let stored = before.deviations.iter().find(|one| {
        one.evidence.as_ref().is_some_and(|one| culprit.is_some_and(|it| *it.event == *one.event_id))
    });
    let (who_did, record) = match (event, stored, culprit) {
        (Some(event), _, _) => {
            (Some(actor(&event.actor)), Some(api::Evidence { record: None, ..evidence(event) }))
        }
        (None, Some(stored), _) => (stored.actor.clone(), stored.evidence.clone()),
        (None, None, Some(culprit)) => {
            let principal = short(&culprit.principal);
            (Some(api::Actor { principal, ..api::Actor::default() }), Some(told_of(culprit)))
        }
        (None, None, None) => (None, None),
    };
    api::Deviation {
        kind: deviation.kind(aspect).to_owned(),
        side: write::side(aspect.side()),
        route_table_id: slot.map(|slot| slot.table.to_string()),
        destination: slot.map(|slot| slot.destination.to_string()),
        key,
        before: short(declared),
        after: short(after),
        seen_at: timestamp(*seen),
        stage: stage.as_str().to_owned(),
        who: by(known),
        attribution: attribution(known),
        actor: who_did,
        evidence: record,
    }
}

fn actor(actor: &Actor) -> api::Actor {
    let Actor {
        kind,
        account,
        arn: _,
        principal_id: _,
        issuer,
        user_name,
        access_key_id,
        source_identity,
        mfa,
        source_address,
        user_agent,
    } = actor;
    let word = |word: &Option<std::sync::Arc<str>>| word.as_deref().map(short);
    api::Actor {
        principal: short(actor.name()),
        kind: Some(kind_word(*kind).to_owned()),
        account_id: account.map(|id| id.to_string()),
        issuer_arn: issuer.as_ref().map(|issuer| short(&issuer.arn)),
        user_name: word(user_name),
        access_key_id: word(access_key_id),
        source_identity: word(source_identity),
        mfa: *mfa,
        source_address: text(source_address, WORD_MAX_BYTES),
        user_agent: text(user_agent, WORD_MAX_BYTES),
    }
}

/// CloudTrail's words for `userIdentity.type`.
fn kind_word(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Root => "Root",
        ActorKind::IamUser => "IAMUser",
        ActorKind::AssumedRole => "AssumedRole",
        ActorKind::FederatedUser => "FederatedUser",
        ActorKind::AwsService => "AWSService",
        ActorKind::AwsAccount => "AWSAccount",
        ActorKind::Other => "Other",
    }
}

fn evidence(event: &TrailEvent) -> api::Evidence {
    let TrailEvent { id, at, place, call, actor: _, heard, request_id, record } = event;
    let heard = match heard {
        Heard::Queue => "Queue",
        Heard::History => "History",
    };
    let fits = record.len() <= RECORD_MAX_BYTES;
    api::Evidence {
        // Whole, or a restart would not know it again.
        event_id: id.to_string(),
        event_name: Some(short(call.name())),
        event_time: timestamp(*at),
        request_id: text(request_id, WORD_MAX_BYTES),
        recipient_account_id: place.account.to_string(),
        region: place.region.to_string(),
        heard: Some(heard.to_owned()),
        record: (fits && !record.is_empty()).then(|| record.to_string()),
        record_sha256: (!record.is_empty()).then(|| sha256(record.as_bytes())),
        record_bytes: i64::try_from(record.len()).ok().filter(|bytes| *bytes > 0),
    }
}

/// As much of a record as memory holds.
fn told_of(culprit: &Culprit) -> api::Evidence {
    let Culprit { event, at, place, principal: _, authorized: _ } = culprit;
    api::Evidence {
        event_id: event.to_string(),
        event_name: None,
        event_time: timestamp(*at),
        request_id: None,
        recipient_account_id: place.account.to_string(),
        region: place.region.to_string(),
        heard: None,
        record: None,
        record_sha256: None,
        record_bytes: None,
    }
}

// What it cut off.

/// Where the routes lead now that led to the lost peering, by side, table and destination; `None`: nowhere of ours.
type Affected = BTreeMap<(Side, RouteTableId, Destination), Option<PeeringId>>;

fn affected(told: &Incident, before: &PeeringIncidentStatus) -> Affected {
    let mut known = stored_routes(before);
    if told.class == Class::Drift {
        return Affected::new();
    }
    if told.phase.is_over() && before.resolved_at.is_some() {
        // What becomes of them later is another story.
        return known;
    }
    let now: BTreeMap<_, _> = told.routes.iter().map(|(slot, to)| (cell(slot), *to)).collect();
    for (cell, to) in &mut known {
        *to = now.get(cell).copied();
    }
    known.extend(now.iter().filter(|(_, to)| **to == told.peering).map(|(cell, to)| (*cell, Some(*to))));
    known
}

fn cell(slot: &Slot) -> (Side, RouteTableId, Destination) {
    (slot.side, slot.table, slot.destination)
}

/// What can't be read is left out: it is the operator's own writing, and shown to people alone.
fn stored_routes(before: &PeeringIncidentStatus) -> Affected {
    let mut all = Affected::new();
    for group in &before.routes_affected {
        let Some(side) = Side::BOTH.into_iter().find(|side| write::side(*side) == group.side) else {
            continue;
        };
        let tables: Vec<RouteTableId> =
            group.route_table_ids.iter().filter_map(|id| id.parse().ok()).collect();
        let destinations: Vec<Destination> =
            group.destinations.iter().filter_map(|one| one.parse().ok()).collect();
        for table in tables {
            all.extend(destinations.iter().map(|to| ((side, table, *to), group.after.parse().ok())));
        }
    }
    all
}

fn affected_total(before: &PeeringIncidentStatus, now: usize) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX).max(before.routes_affected_total.unwrap_or_default())
}

fn grouped(lost: PeeringId, affected: &Affected) -> Vec<api::AffectedRoutes> {
    let mut classes: BTreeMap<(Side, Option<PeeringId>), BTreeSet<_>> = BTreeMap::new();
    for ((side, table, destination), after) in affected {
        classes.entry((*side, *after)).or_default().insert((*table, *destination));
    }
    let groups = classes.iter().flat_map(|((side, after), cells)| {
        rectangles(cells).into_iter().map(|rectangle| api::AffectedRoutes {
            side: write::side(*side),
            route_table_ids: write::texts(&rectangle.tables),
            destinations: write::texts(&rectangle.destinations),
            before: lost.to_string(),
            after: after.map_or_else(|| "none".to_owned(), |id| id.to_string()),
        })
    });
    groups.collect()
}

// What it was judged by, and what would be done.

fn policy(policy: &PolicySummary) -> api::PolicyThen {
    let PolicySummary {
        name,
        action,
        on_authorized,
        grace_s,
        require_approval,
        on_drift,
        on_repointed_route,
    } = policy;
    let reaction = |reaction: &Reaction| match reaction {
        Reaction::Restore => "Restore".to_owned(),
        Reaction::Flag => "Flag".to_owned(),
    };
    api::PolicyThen {
        name: text(name, WORD_MAX_BYTES),
        action: write::action(*action).to_owned(),
        on_authorized_deletion: write::action(*on_authorized).to_owned(),
        grace_period: GoDuration::from_secs(u64::try_from(*grace_s).unwrap_or_default()),
        require_approval: *require_approval,
        on_drift: Some(reaction(on_drift)),
        on_repointed_route: Some(reaction(on_repointed_route)),
    }
}

fn plan(plan: &ProposedPlan) -> api::Plan {
    let ProposedPlan { act, steps, digest } = plan;
    api::Plan {
        action: write::action(*act).to_owned(),
        steps: steps.iter().take(STEPS_MAX).map(|step| clip(step, ENTRY_MAX_BYTES)).collect(),
        digest: digest.to_string(),
    }
}

// What is left to do.

fn act_of(told: &Incident, plan: &ProposedPlan) -> &'static str {
    match plan.act {
        _ if told.class == Class::Drift => "put it back",
        peerkeeper_core::desired::LossAction::RemoveRoutes => "remove its dead routes",
        _ => "restore it",
    }
}

/// For a column.
fn next(told: &Incident) -> String {
    match (told.phase, &told.plan) {
        (Phase::Restored | Phase::Replaced | Phase::Resolved, _) => "nothing: it is there again".to_owned(),
        (Phase::Superseded, _) => "see the incident of the loss".to_owned(),
        (Phase::Noted, _) => "nothing: what was held goes on".to_owned(),
        (Phase::Restoring | Phase::RemovingRoutes, _) => "nothing: work is under way".to_owned(),
        (Phase::Waiting, _) => "nothing yet: it goes on by itself".to_owned(),
        (Phase::Released, _) => "nothing, or approve the plan".to_owned(),
        (Phase::ObjectDeleted, _) => "nothing: its VpcPeering is deleted".to_owned(),
        // No approval overrules these, and who has approved already must not be told to do it again.
        (Phase::Held, _)
            if told.held.as_ref().is_some_and(|(reason, _)| {
                matches!(
                    reason,
                    Reason::OperatorCredentialsMisused | Reason::Suspended | Reason::AccountSuspended
                )
            }) =>
        {
            "release what holds it: see status.whatNow".to_owned()
        }
        (_, Some(plan)) => format!("approve the plan to {}", act_of(told, plan)),
        (_, None) => "read status.whatNow".to_owned(),
    }
}

/// The command that decides so. Who decides is named, and the API server can be made to check it.
fn decision(told: &Incident, of: &ObjectKey, verdict: &str) -> String {
    const WHOAMI: &str = "$(kubectl auth whoami -o jsonpath={.status.userInfo.username})";
    format!(
        "kubectl -n {} patch peeringincidents.peerkeeper.dev {} --type=merge -p '{{\"spec\":{{\"decision\":{{\"verdict\":{verdict},\"decidedBy\":\"'\"{WHOAMI}\"'\"}}}}}}'",
        of.namespace, told.name
    )
}

/// In full, with a command that can be copied.
fn what_now(told: &Incident, of: &ObjectKey) -> String {
    let why = told.held.as_ref().map(|(_, why)| clip(why, MESSAGE_MAX_BYTES)).unwrap_or_default();
    let why = |rest: &str| if why.is_empty() { rest.to_owned() } else { format!("{rest} {why}.") };
    let decide = |plan: &ProposedPlan| {
        let approve = format!("\"Approve\",\"planDigest\":\"{}\"", plan.digest);
        format!(
            "To {}, as status.plan says, approve that plan: {} To decide against it: {}",
            act_of(told, plan),
            decision(told, of, &approve),
            decision(told, of, "\"Reject\",\"planDigest\":null"),
        )
    };
    match (told.phase, &told.plan) {
        (Phase::Restored, _) => "Nothing: everything declared was read back.".to_owned(),
        (Phase::Resolved, _) => "Nothing: all of it is as declared again, and not by Peerkeeper.".to_owned(),
        (Phase::Noted, _) => {
            "Nothing: what the tag held back goes on. To stop it, set the tag again, or spec.suspend of the VpcPeering."
                .to_owned()
        }
        (Phase::Superseded, _) => {
            "Nothing here: the peering connection ended, or another took its place, and its own incident tells what became of it."
                .to_owned()
        }
        (Phase::Replaced, _) => {
            "Nothing: a peering connection that somebody else made took its place.".to_owned()
        }
        (Phase::Restoring | Phase::RemovingRoutes, _) => why("Nothing: work is under way."),
        (Phase::Waiting, _) => why("Nothing yet: it goes on by itself."),
        (Phase::Released, Some(plan)) => {
            format!("Nothing, if the deletion was meant: its dead routes are removed. {}", decide(plan))
        }
        (Phase::ObjectDeleted, _) => "Nothing: the VpcPeering was deleted.".to_owned(),
        (Phase::Released, None) => "Nothing: its dead routes are removed.".to_owned(),
        (Phase::Flagged | Phase::Held | Phase::AwaitingApproval | Phase::Rejected, Some(plan)) => {
            why(&decide(plan))
        }
        (Phase::Flagged | Phase::Held | Phase::AwaitingApproval | Phase::Rejected, None) => {
            why("Nothing is proposed. See the VpcPeering's conditions for what stops it.")
        }
    }
}

// What was said.

fn said(
    told: &Incident,
    telling: &Telling<'_>,
    before: &PeeringIncidentStatus,
    now: Timestamp,
) -> Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition> {
    let next = next(told);
    let resolved = Said {
        kind: RESOLVED,
        truth: if told.phase.is_over() { Truth::True } else { Truth::False },
        reason: told.phase.as_str(),
        message: &next,
    };
    let audited = telling.audit.map(|written| match written {
        Ok(()) => Said {
            kind: AUDITED,
            truth: Truth::True,
            reason: "Written",
            message: "each change of phase is in the audit log",
        },
        Err(why) => Said { kind: AUDITED, truth: Truth::False, reason: "SinkFailed", message: why },
    });
    conditions([resolved].into_iter().chain(audited), &before.conditions, telling.generation, now)
}

/// What was there, and what is new: the phase, who did it, and what was done meanwhile.
fn timeline(
    told: &Incident,
    telling: &Telling<'_>,
    before: &PeeringIncidentStatus,
    routes: usize,
    now: Timestamp,
) -> (Vec<api::TimelineEntry>, Option<i64>) {
    let now = wall(now);
    let mut all = before.timeline.clone();
    let mut add = |at: Wall, what: &str, message: &str, request_id: Option<&String>| {
        all.push(api::TimelineEntry {
            at: timestamp(at),
            what: what.to_owned(),
            message: clip(message, ENTRY_MAX_BYTES),
            request_id: request_id.map(|id| short(id)),
        });
    };
    let changes = deviations(told, before);
    for (at, what, message) in &changes {
        add(*at, what, message, None);
    }
    if before.phase.is_none() && told.class != Class::Drift {
        let ending = told.ending.map_or_else(|| "lost".to_owned(), |ending| ending.as_str().to_owned());
        let said = if told.message.is_empty() { String::new() } else { format!(" ({})", told.message) };
        let message = format!("{} was found {ending}{said}; {routes} routes of ours led to it", told.peering);
        add(told.detected, "Flagged", &message, None);
    }
    let known = attribution(&told.attribution);
    let culprit = told.attribution.culprit();
    let is_same_actor = before.attribution.as_ref() == Some(&known)
        && culprit.map(|it| &*it.event) == before.evidence.as_ref().map(|it| it.event_id.as_str());
    if let Some(culprit) = culprit.filter(|_| !is_same_actor && told.class != Class::Drift) {
        let by = known.by.map(|by| format!(" by {by}")).unwrap_or_default();
        let message = format!("{}, {}{by}, event {}", culprit.principal, known.level, culprit.event);
        add(now, "ActorKnown", &message, None);
    }
    for Happened { at, what, message, request_id } in telling.happened {
        add(*at, what, message, request_id.as_ref());
    }
    if told.class == Class::Drift {
        for (at, what, message) in deviations_known(told, before, now) {
            add(at, what, &message, None);
        }
    }
    let is_news = before.phase.as_deref() != Some(told.phase.as_str());
    if is_news && !(told.phase == Phase::Flagged && before.phase.is_none()) {
        let at = told.closed.filter(|_| told.phase.is_over()).unwrap_or(now);
        let why = told.held.as_ref().map(|(_, why)| why.as_str()).filter(|_| !told.phase.is_over());
        let restored =
            told.restored.filter(|_| told.phase.is_over()).map(|id| format!("{id} took its place"));
        add(at, told.phase.as_str(), &restored.unwrap_or_else(|| why.unwrap_or_default().to_owned()), None);
    }
    let mut omitted = before.timeline_omitted.unwrap_or_default();
    // How it began and how it ended matters more than what was in between.
    while all.len() > TIMELINE_MAX {
        all.remove(TIMELINE_MAX / 2);
        omitted += 1;
    }
    (all, (omitted > 0).then_some(omitted))
}

type Entry = (Wall, &'static str, String);

/// What was found to deviate since it was stored last.
fn deviations(told: &Incident, before: &PeeringIncidentStatus) -> Vec<Entry> {
    let is_new = |it: &&Deviating| {
        let now = deviation(it, before);
        !before.deviations.iter().any(|one| is_same_thing(one, &now) && one.seen_at == now.seen_at)
    };
    let entry = |it: &Deviating| {
        let Deviation { before, after, seen, .. } = &it.deviation;
        let what = it.deviation.kind(&it.aspect);
        (*seen, what, format!("{}: {after}, and {before} is declared", it.aspect))
    };
    told.deviations.iter().filter(is_new).map(entry).collect()
}

/// Of each deviation: who did it, once that is known, and what became of it.
fn deviations_known(told: &Incident, before: &PeeringIncidentStatus, now: Wall) -> Vec<Entry> {
    let mut entries = Vec::new();
    for it in &told.deviations {
        let new = deviation(it, before);
        let old = before.deviations.iter().find(|one| is_same_thing(one, &new));
        if let Some(culprit) = it.deviation.attribution.culprit()
            && old.is_none_or(|old| old.attribution != new.attribution || old.who != new.who)
        {
            let level = &new.attribution.level;
            let message = format!("{}: {}, {level}, event {}", it.aspect, culprit.principal, culprit.event);
            entries.push((now, "ActorKnown", message));
        }
        let is_over = matches!(it.deviation.stage, Stage::Repaired | Stage::Undone);
        if is_over && old.is_none_or(|old| old.stage != new.stage) {
            entries.push((now, it.deviation.stage.as_str(), it.aspect.to_string()));
        }
    }
    entries
}

fn is_same_thing(one: &api::Deviation, other: &api::Deviation) -> bool {
    (&one.side, &one.route_table_id, &one.destination, &one.key)
        == (&other.side, &other.route_table_id, &other.destination, &other.key)
}
