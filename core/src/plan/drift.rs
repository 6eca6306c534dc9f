//! Drift that the policy flags: what deviates, who did it, and what a person decided about it.
//!
//! The modules that compare say what they leave as it is ([`flag`]) and what is as declared ([`sound`]). What is neither is
//! not known now, and stays as it was. An incident is told only of a drift that memory already holds: its name comes from
//! there, so that a crash between the two leaves it to be found again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::desired::{LossAction, PolicySource};
use crate::drift::{Aspect, Deviation, Drift, DriftEnd, LISTED_MAX, NONE, Stage};
use crate::ids::{HOLD_TAG_KEY, Side};
use crate::incident::{Class, Decided, Deviating, Incident, IncidentSeen, Phase, ProposedPlan};
use crate::limits::Reserve;
use crate::memory::{Act, Attribution, Proof};
use crate::observed::Seen;
use crate::reason::Reason;
use crate::time::Wall;
use crate::trail::{Call, Heard, Tagged, TrailEvent};
use crate::witness::Ask;

use super::case;
use super::draft::Draft;
use super::select::Selection;

/// Something is not as declared, and the policy says to leave it.
pub(crate) fn flag(
    draft: &mut Draft<'_>,
    aspect: Aspect,
    before: impl Into<Arc<str>>,
    after: impl Into<Arc<str>>,
) {
    draft.flagged.insert(aspect, (before.into(), after.into()));
}

/// This is as declared, or not declared any more.
pub(crate) fn sound(draft: &mut Draft<'_>, aspect: Aspect) {
    if draft.memory.open_drift().is_some_and(|drift| drift.found.contains_key(&aspect)) {
        draft.sound.insert(aspect);
    }
}

/// Routes that were flagged and are not declared any more.
pub(crate) fn undeclared(draft: &mut Draft<'_>, side: Side, selection: &Selection) {
    let Some(drift) = draft.memory.open_drift().filter(|_| selection.complete) else { return };
    let gone = |aspect: &&Aspect| match aspect {
        Aspect::Route(slot) => slot.side == side && !selection.slots.contains(slot),
        Aspect::Dns(_) | Aspect::Tag(..) | Aspect::Hold(_) => false,
    };
    let gone: Vec<Aspect> = drift.found.keys().filter(gone).cloned().collect();
    draft.sound.extend(gone);
}

/// A person approved the repair of just this: it was so then, and is so now.
pub(crate) fn is_approved(draft: &Draft<'_>, aspect: &Aspect, after: &str) -> bool {
    let found = draft.memory.open_drift().and_then(|drift| drift.found.get(aspect));
    found.is_some_and(|found| found.approved && found.stage.is_open() && *found.after == *after)
}

/// A write that puts this right is about to be sent.
pub(crate) fn repairing(draft: &mut Draft<'_>, aspect: &Aspect) {
    let now = draft.input.now.wall;
    let Some(drift) = draft.memory.drift.as_deref_mut().filter(|drift| drift.is_open()) else { return };
    if let Some(found) = drift.found.get_mut(aspect).filter(|found| found.stage == Stage::Flagged) {
        found.stage = Stage::Repairing;
        drift.acted.get_or_insert(now);
    }
}

/// Takes in a person's decision, before anything is compared.
pub(crate) fn begin(draft: &mut Draft<'_>) {
    let Some(drift) = draft.memory.open_drift().filter(|_| draft.memory.episode.is_none()) else { return };
    let Some(plan) = plan_of(draft, drift) else { return };
    let decided = case::decided_on(drift.incident.as_ref(), &draft.input.incident.drift, &plan.digest);
    let name = drift.name(&draft.input.desired.key);
    draft.drift_plan = Some((plan.digest, decided));
    if decided != Decided::Approved {
        return;
    }
    // Something common to all writes may still forbid it: then nothing is spent.
    if let Some((reason, release)) = Side::BOTH.into_iter().find_map(|side| draft.forbids_own(side)) {
        draft.hold(format!("what PeeringIncident {name} proposes"), reason, release.clone());
        draft.drift_held = Some((reason, release));
        return;
    }
    let now = draft.input.now.wall;
    draft.memory.spend(Act::RepairDrift, now);
    draft.reserve = Some(Reserve { act: Act::RepairDrift, is_approved: true });
    if let Some(drift) = &mut draft.memory.drift {
        drift.acted.get_or_insert(now);
        let flagged = drift.found.values_mut().filter(|found| found.stage == Stage::Flagged);
        flagged.for_each(|found| found.approved = true);
    }
}

/// What a person may approve, and a digest of everything that bears on it.
fn plan_of(draft: &Draft<'_>, drift: &Drift) -> Option<ProposedPlan> {
    if matches!(draft.input.policy.source, PolicySource::Missing(_)) {
        return None;
    }
    let mut all = format!("drift {} {}", drift.of, draft.input.desired.generation);
    let mut steps = Vec::new();
    for (aspect, Deviation { before, after, seen, .. }) in drift.flagged() {
        // Writing to a String can't fail.
        let _ = write!(all, "\n{aspect} {before} {after} {}", seen.0);
        steps.push(match aspect {
            Aspect::Route(slot) if **after == *NONE => format!("add a route to {before}: {slot}"),
            Aspect::Route(slot) => format!("point at {before} again, from {after}: {slot}"),
            Aspect::Dns(_) | Aspect::Tag(..) | Aspect::Hold(_) => {
                format!("set to {before} again, from {after}: {aspect}")
            }
        });
    }
    let digest = format!("sha256:{}", crate::digest::sha256(all.as_bytes()));
    (!steps.is_empty()).then(|| ProposedPlan { act: LossAction::Restore, steps, digest: digest.into() })
}

/// Takes in what was compared, with everything of it seen.
pub(crate) fn settle(draft: &mut Draft<'_>) {
    let (flagged, sound) = (std::mem::take(&mut draft.flagged), std::mem::take(&mut draft.sound));
    let (now, Some(of)) = (draft.input.now.wall, draft.memory.peering()) else { return };
    if draft.memory.episode.is_some() {
        return;
    }
    if !draft.memory.drift.as_deref().is_some_and(Drift::is_open) {
        if flagged.is_empty() {
            return;
        }
        draft.memory.drift = Some(Box::new(Drift::new(of, next_since(draft))));
    }
    let Some(drift) = &mut draft.memory.drift else { return };
    drift.more = 0;
    for (aspect, (before, after)) in flagged {
        match drift.found.get_mut(&aspect) {
            Some(found) if found.stage.is_open() && found.after == after => found.stage = Stage::Flagged,
            known => {
                let is_known = known.is_some();
                let attribution = Attribution::None;
                let new = Deviation {
                    before,
                    after,
                    seen: now,
                    attribution,
                    approved: false,
                    stage: Stage::Flagged,
                };
                if is_known || make_room(&mut drift.found) {
                    drift.found.insert(aspect, new);
                } else {
                    drift.more += 1;
                }
            }
        }
    }
    for aspect in sound {
        if let Some(found) = drift.found.get_mut(&aspect).filter(|found| found.stage.is_open()) {
            found.stage = if found.stage == Stage::Repairing { Stage::Repaired } else { Stage::Undone };
        }
    }
    let is_open = drift.more > 0 || drift.found.values().any(|found| found.stage.is_open());
    if !is_open {
        let by_us = drift.found.values().any(|found| found.stage == Stage::Repaired);
        drift.closed = Some((now, if by_us { DriftEnd::Restored } else { DriftEnd::Resolved }));
    }
}

/// A hold by which something was held back is provably no more: that is told before anything goes on.
pub(crate) fn lifted(draft: &mut Draft<'_>) {
    let (now, Some(side), Some(of)) = (draft.input.now.wall, draft.memory.held_by, draft.memory.peering())
    else {
        return;
    };
    let is_lifted =
        matches!(draft.sight().vpc(side), Seen::Present(vpc) if !vpc.tags.contains_key(HOLD_TAG_KEY));
    if !is_lifted {
        return;
    }
    draft.memory.held_by = None;
    if !draft.memory.drift.as_deref().is_some_and(Drift::is_open) {
        let mut drift = Drift::new(of, next_since(draft));
        drift.closed = Some((now, DriftEnd::Noted));
        draft.memory.drift = Some(Box::new(drift));
    }
    let Some(drift) = &mut draft.memory.drift else { return };
    let deviation = Deviation {
        before: "set".into(),
        after: NONE.into(),
        seen: now,
        attribution: Attribution::None,
        approved: false,
        stage: Stage::Noted,
    };
    if make_room(&mut drift.found) {
        drift.found.insert(Aspect::Hold(side), deviation);
    }
}

/// Remembers whose tag holds something back.
pub(crate) fn note_hold(draft: &mut Draft<'_>) {
    let Some((side, _)) = &draft.hold_tag else { return };
    let is_holding = draft.held.iter().any(|held| held.reason == Reason::Held);
    draft.memory.held_by = is_holding.then_some(*side);
}

/// Two of one moment would have one name.
fn next_since(draft: &Draft<'_>) -> Wall {
    let (now, last) = (draft.input.now.wall, draft.memory.drift.as_deref());
    last.map_or(now, |last| last.since.plus_s(1).max(now))
}

/// What is over makes room for what is not.
fn make_room(found: &mut BTreeMap<Aspect, Deviation>) -> bool {
    if found.len() < LISTED_MAX {
        return true;
    }
    let over = found.iter().filter(|(_, it)| !it.stage.is_open()).min_by_key(|(_, it)| it.seen);
    match over.map(|(aspect, _)| aspect.clone()) {
        Some(aspect) => found.remove(&aspect).is_some(),
        None => false,
    }
}

/// What ends a drift beside its repair; and who did it, as far as that was heard.
pub(crate) fn follow(draft: &mut Draft<'_>) {
    end(draft);
    let now = draft.input.now.wall;
    let is_told =
        |drift: &&Drift| drift.closed.is_none_or(|(closed, _)| now.since_s(closed) < case::ASK_FOR_S);
    if draft.sight_is_missing() {
        return;
    }
    let Some(drift) = draft.memory.drift.as_deref().filter(is_told) else { return };
    let (of, pair) = (drift.of, draft.sight().pair);
    // It is tried again until it is there: nothing else may ever wake the object.
    let is_missing =
        drift.is_open() && drift.incident.is_none() && !draft.input.desired.namespace_terminating;
    let heard: Vec<(Aspect, Attribution)> =
        drift.found.iter().map(|(aspect, found)| (aspect.clone(), who(draft, aspect, found))).collect();
    if is_missing {
        draft.poll();
    }
    for (aspect, heard) in heard {
        let found = draft.memory.drift.as_deref_mut().and_then(|drift| drift.found.get_mut(&aspect));
        let Some(found) = found else { continue };
        if case::supersedes(&heard, &found.attribution) {
            found.attribution = heard;
        }
        if found.attribution.is_final() {
            continue;
        }
        draft.ask.insert(match aspect {
            Aspect::Route(slot) => Ask::Route(slot),
            Aspect::Dns(side) => Ask::Options(side, of),
            Aspect::Tag(side, key) => Ask::Tag(side, Tagged::Peering(of), key),
            Aspect::Hold(side) => Ask::Tag(side, Tagged::Vpc(pair.sides.get(side).vpc), HOLD_TAG_KEY.into()),
        });
    }
}

fn end(draft: &mut Draft<'_>) {
    let (is_lost, peering) = (draft.memory.episode.is_some(), draft.memory.peering());
    let Some(drift) = draft.memory.drift.as_deref_mut().filter(|drift| drift.is_open()) else { return };
    let end = match (draft.input.desired.deleting, is_lost || peering != Some(drift.of)) {
        (true, _) => Some(DriftEnd::ObjectDeleted),
        (false, true) => Some(DriftEnd::Superseded),
        (false, false) => None,
    };
    drift.closed = end.map(|end| (draft.input.now.wall, end));
    // One that somebody deleted while it is open is made again.
    if drift.is_open() && draft.input.incident.drift == IncidentSeen::Absent {
        drift.incident = None;
    }
}

/// Who made this so, as far as it was heard. Only where a thing is can it be changed, so the account at least is known.
fn who(draft: &Draft<'_>, aspect: &Aspect, found: &Deviation) -> Attribution {
    let place = draft.sight().pair.at(aspect.side());
    let tells = |event: &&Arc<TrailEvent>| {
        let since_s = found.seen.since_s(event.at);
        event.place == place
            && (-case::AFTER_S..=case::BEFORE_S).contains(&since_s)
            && made_so(draft, aspect, found, &event.call)
    };
    // Of several the last: it is what is shown.
    let last = draft.input.witness.events.iter().filter(tells).max_by_key(|event| (event.heard, event.at));
    match last {
        Some(event) if event.heard == Heard::History => {
            Attribution::Corroborated(case::culprit(draft, event), Proof::History)
        }
        Some(event) => Attribution::EventOnly(case::culprit(draft, event)),
        None => Attribution::AccountOnly(place.account),
    }
}

/// Such a call leads to what was found.
fn made_so(draft: &Draft<'_>, aspect: &Aspect, found: &Deviation, call: &Call) -> bool {
    let tagged = |on: Tagged, wanted: &str, gone: bool| match call {
        Call::Tags { removed, on: all, keys } => {
            *removed == gone && all.contains(&on) && keys.iter().any(|key| **key == *wanted)
        }
        _ => false,
    };
    let is_gone = *found.after == *NONE;
    match aspect {
        Aspect::Route(slot) => match call {
            Call::DeleteRoute { table, destination } => {
                is_gone && (*table, *destination) == (slot.table, slot.destination)
            }
            Call::CreateRoute { table, destination } | Call::ReplaceRoute { table, destination } => {
                !is_gone && (*table, *destination) == (slot.table, slot.destination)
            }
            _ => false,
        },
        Aspect::Dns(_) => {
            draft.memory.drift.as_deref().is_some_and(|drift| *call == Call::ModifyOptions(drift.of))
        }
        Aspect::Tag(_, key) => {
            draft.memory.drift.as_deref().is_some_and(|drift| tagged(Tagged::Peering(drift.of), key, is_gone))
        }
        Aspect::Hold(side) => {
            tagged(Tagged::Vpc(draft.sight().pair.sides.get(*side).vpc), HOLD_TAG_KEY, true)
        }
    }
}

/// Everything that the incident tells. Of a drift that memory does not hold yet, nothing: what it is called is not fixed.
pub(crate) fn tell(draft: &Draft<'_>) -> Option<Incident> {
    let drift = draft.memory.drift.as_deref()?;
    let stored = draft.input.memory.drift.as_deref();
    if stored.is_none_or(|stored| stored.since != drift.since) || is_a_strangers(draft, drift) {
        return None;
    }
    let is_fresh = |(closed, _): (Wall, DriftEnd)| draft.input.now.wall.since_s(closed) < case::ASK_FOR_S;
    if !drift.closed.is_none_or(is_fresh) {
        return None;
    }
    let of_drift = |finding: &&super::report::Finding| finding.weight == super::report::Weight::Stuck;
    let found = draft.findings.iter().find(of_drift).filter(|_| drift.is_open());
    let found = found.map(|finding| (finding.reason, finding.message.clone()));
    // The first that somebody is known to have done speaks for all in the columns.
    let first = |level: &'static str| {
        let mut all = drift.found.values().filter(move |found| found.attribution.as_str() == level);
        all.next()
            .map(|first| all.fold(first, |first, next| if next.seen < first.seen { next } else { first }))
    };
    let speaks = ["Corroborated", "EventOnly", "AccountOnly"].into_iter().find_map(first);
    let attribution = speaks.map(|found| found.attribution.clone()).unwrap_or_default();
    let deviations: Vec<Deviating> = drift
        .found
        .iter()
        .map(|(aspect, deviation)| Deviating {
            aspect: aspect.clone(),
            deviation: deviation.clone(),
            evidence: case::evidence(draft, &deviation.attribution),
        })
        .collect();
    let plan = plan_of(draft, drift).filter(|_| drift.is_open());
    let of_plan =
        |(digest, _): &&(Arc<str>, Decided)| plan.as_ref().is_some_and(|plan| plan.digest == *digest);
    let decided = draft.drift_plan.as_ref().filter(of_plan).map_or(Decided::Nothing, |(_, decided)| *decided);
    Some(Incident {
        name: drift.name(&draft.input.desired.key).into(),
        class: Class::Drift,
        phase: phase(drift, decided, draft.drift_held.is_some()),
        evidence: case::evidence(draft, &attribution),
        attribution,
        routes: Vec::new(),
        deviations,
        deviations_more: drift.more,
        plan,
        held: draft.drift_held.clone().filter(|_| drift.is_open()).or(found),
        acted: drift.acted,
        closed: drift.closed.map(|(closed, _)| closed),
        ..case::base(draft, drift.of, Class::Drift, drift.since)
    })
}

fn phase(drift: &Drift, decided: Decided, is_held: bool) -> Phase {
    match drift.closed {
        Some((_, DriftEnd::Restored)) => return Phase::Restored,
        Some((_, DriftEnd::Resolved)) => return Phase::Resolved,
        Some((_, DriftEnd::Superseded)) => return Phase::Superseded,
        Some((_, DriftEnd::ObjectDeleted)) => return Phase::ObjectDeleted,
        Some((_, DriftEnd::Noted)) => return Phase::Noted,
        None => {}
    }
    let is_under_way =
        |found: &Deviation| found.stage == Stage::Repairing || found.stage.is_open() && found.approved;
    match decided {
        _ if drift.found.values().any(is_under_way) => Phase::Restoring,
        Decided::Approved if is_held => Phase::Held,
        Decided::Rejected => Phase::Rejected,
        _ => Phase::Flagged,
    }
}

/// Another incident than ours stands under its name, and can't be taken for it.
fn is_a_strangers(draft: &Draft<'_>, drift: &Drift) -> bool {
    match &draft.input.incident.drift {
        IncidentSeen::Found(found) => {
            let is_ours = drift.incident.as_ref().is_some_and(|known| known.uid == found.at.uid);
            !is_ours && !found.may_be_taken_over()
        }
        IncidentSeen::Unread | IncidentSeen::Absent => false,
    }
}
