//! Memory -> status.

use super::{Carried, clip, rectangles::rectangles, timestamp};
use crate::api::{memory as api, status};
use peerkeeper_core::desired::{LossAction, PairAt};
use peerkeeper_core::drift::{Aspect, Deviation, Drift};
use peerkeeper_core::few::Few;
use peerkeeper_core::ids::{PeeringId, Side, Sides, Slot, VpcAt};
use peerkeeper_core::incident::IncidentRef;
use peerkeeper_core::limits::Level;
use peerkeeper_core::memory::{
    Act, Attribution, Case, ClosedLoss, Culprit, Episode, How, Latch, Life, Memory, Origin, Owned, Past,
    RefusedRequest, StaleAt, StaleRules,
};
use peerkeeper_core::misuse::{Ends, OwnCall};
use peerkeeper_core::observed::Ending;
use peerkeeper_core::time::Wall;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

/// AWS's status messages are a line; this is how much of a longer one is remembered.
pub(super) const MESSAGE_MAX_BYTES: usize = 1024;

/// The memory as it is stored. Reading it back gives the same memory, but for AWS's messages beyond a kilobyte.
pub(super) fn memory(memory: &Memory, carried: &Carried) -> api::Memory {
    // Without `..`: a field that is forgotten here is forgotten for ever.
    let Memory {
        pair: known_pair,
        life: how_far,
        origin: from,
        past,
        slots,
        cidrs,
        cidrs_at_spec,
        settled_generation,
        episode: open,
        last_loss,
        case: known_case,
        own,
        drift: known_drift,
        held_by,
        refused: request,
        spent,
        create_intent,
        tag_keys,
        requested_at,
        taken_from,
    } = memory;
    api::Memory {
        pair: known_pair.as_ref().map(pair),
        life: life(*how_far),
        origin: from.map(origin),
        past: past.iter().map(one_past).collect(),
        slots: slot_groups(slots),
        cidrs: pair_words(cidrs),
        cidrs_at_spec: pair_words(cidrs_at_spec),
        settled_generation: (*settled_generation != 0).then_some(*settled_generation),
        episode: open.as_ref().map(episode),
        last_loss: last_loss.as_ref().map(closed_loss),
        case: known_case.as_ref().map(case),
        stale_rules: known_case
            .as_ref()
            .and_then(|case| Some(Box::new(stale_rules(case.of, case.stale.as_ref()?)))),
        own: own_calls(own),
        drift: known_drift.as_deref().map(drift).map(Box::new),
        held_by: held_by.map(side),
        refused: request.as_ref().map(refused),
        spent: spent.iter().map(one_spent).collect(),
        create_intent: create_intent.map(timestamp),
        tag_keys: pair_words(tag_keys),
        requested_at: requested_at.as_deref().map(str::to_owned),
        taken_from: taken_from.as_deref().map(str::to_owned),
        extra: carried.0.clone(),
    }
}

pub(super) fn pair(pair: &PairAt) -> api::Pair {
    let end = |end: VpcAt| api::PairSide {
        account_id: end.at.account.to_string(),
        region: end.at.region.to_string(),
        vpc_id: end.vpc.to_string(),
    };
    api::Pair { requester: end(pair.sides.requester), accepter: end(pair.sides.accepter) }
}

fn life(life: Life) -> Option<api::Life> {
    let (stage, id, replaces, generation) = match life {
        Life::NeverSeen => return None,
        Life::Requested { id, replaces } => (api::LifeStage::Requested, id, replaces, None),
        Life::Established(id) => (api::LifeStage::Established, id, None, None),
        Life::Released { lost, generation } => (api::LifeStage::Released, lost, None, Some(generation)),
    };
    Some(api::Life {
        stage,
        peering_id: id.to_string(),
        replaces: replaces.map(|id| id.to_string()),
        generation,
    })
}

fn origin(origin: Origin) -> api::Origin {
    match origin {
        Origin::Created => api::Origin::Created,
        Origin::Adopted => api::Origin::Adopted,
    }
}

pub(super) fn ending(ending: Ending) -> status::PeeringState {
    match ending {
        Ending::Deleted => status::PeeringState::Deleted,
        Ending::Rejected => status::PeeringState::Rejected,
        Ending::Expired => status::PeeringState::Expired,
        Ending::Failed => status::PeeringState::Failed,
        Ending::Absent => status::PeeringState::Absent,
    }
}

pub(super) fn action(action: LossAction) -> &'static str {
    match action {
        LossAction::Restore => "Restore",
        LossAction::RemoveRoutes => "RemoveRoutes",
        LossAction::Flag => "Flag",
    }
}

pub(super) fn side(side: Side) -> status::SideName {
    match side {
        Side::Requester => status::SideName::Requester,
        Side::Accepter => status::SideName::Accepter,
    }
}

fn one_past(past: &Past) -> api::PastPeering {
    api::PastPeering { peering_id: past.id.to_string(), ending: ending(past.ending) }
}

/// Grouped by what is said of them, each group as rectangles.
fn slot_groups(slots: &BTreeMap<Slot, Owned>) -> Vec<api::SlotGroup> {
    let mut classes: BTreeMap<(Side, Owned), BTreeSet<_>> = BTreeMap::new();
    for (slot, owned) in slots {
        classes.entry((slot.side, *owned)).or_default().insert((slot.table, slot.destination));
    }
    let groups = classes.into_iter().flat_map(|((at, Owned { how, to }), cells)| {
        rectangles(&cells).into_iter().map(move |rectangle| api::SlotGroup {
            side: side(at),
            target: to.to_string(),
            how: match how {
                How::Intended => api::SlotOrigin::Intended,
                How::Created => api::SlotOrigin::Created,
                How::Adopted => api::SlotOrigin::Adopted,
            },
            route_table_ids: texts(&rectangle.tables),
            destinations: texts(&rectangle.destinations),
        })
    });
    groups.collect()
}

pub(super) fn texts<T: Display>(things: impl IntoIterator<Item = T>) -> Vec<String> {
    things.into_iter().map(|thing| thing.to_string()).collect()
}

fn pair_words<T: Display>(words: &Sides<Few<T>>) -> Option<api::PairWords> {
    let Sides { requester, accepter } = words;
    let some = !requester.is_empty() || !accepter.is_empty();
    some.then(|| api::PairWords { requester: texts(requester), accepter: texts(accepter) })
}

fn episode(episode: &Episode) -> api::Episode {
    let Episode {
        lost,
        ending: how,
        class,
        detected,
        message,
        by_account,
        routes,
        action: said,
        acted,
        latched,
    } = episode;
    api::Episode {
        lost: lost.to_string(),
        ending: ending(*how),
        class: class.as_str().to_owned(),
        detected_at: timestamp(*detected),
        status_message: clip(message, MESSAGE_MAX_BYTES),
        by_account_id: by_account.map(|account| account.to_string()),
        routes: *routes,
        action: action(*said).to_owned(),
        acted_at: acted.map(timestamp),
        latched: latched.as_ref().map(latch),
    }
}

fn latch(latch: &Latch) -> api::Latch {
    let Latch { level, limit, demand } = latch;
    let (level, account_id) = match level {
        Level::Policy => (api::LimitLevel::Policy, None),
        Level::Account(account) => (api::LimitLevel::Account, Some(account.to_string())),
        Level::Operator => (api::LimitLevel::Operator, None),
    };
    api::Latch { level, account_id, limit: *limit, demand: *demand }
}

fn closed_loss(loss: &ClosedLoss) -> api::ClosedLoss {
    let ClosedLoss { lost, class, by_account, detected, closed, outcome, successor } = loss;
    api::ClosedLoss {
        lost: lost.to_string(),
        class: class.as_str().to_owned(),
        by_account_id: by_account.map(|account| account.to_string()),
        detected_at: timestamp(*detected),
        closed_at: timestamp(*closed),
        outcome: outcome.as_str().to_owned(),
        successor: successor.map(|id| id.to_string()),
    }
}

fn case(case: &Case) -> api::Case {
    // What went stale is told beside it: whatever is added, is added at the top.
    let Case { of, incident, attribution, policy, stale: _ } = case;
    let (account_id, by) = whose(attribution);
    api::Case {
        of: of.to_string(),
        incident: incident.as_ref().map(incident_ref),
        attribution: attribution.as_str().to_owned(),
        account_id,
        by,
        culprit: attribution.culprit().map(culprit),
        policy: policy.to_string(),
    }
}

/// Grouped by side, security group and direction.
pub(super) fn stale_rules(of: PeeringId, stale: &StaleRules) -> api::StaleRules {
    let StaleRules { rules, total, revoked } = stale;
    let mut groups: BTreeMap<StaleAt, Vec<String>> = BTreeMap::new();
    for (rule, at) in rules {
        groups.entry(*at).or_default().push(rule.to_string());
    }
    let group = |(StaleAt { side: of, group, is_egress }, rule_ids)| api::StaleRulesOf {
        side: side(of),
        group_id: group.to_string(),
        direction: direction(is_egress).to_owned(),
        rule_ids,
    };
    api::StaleRules {
        peering_id: of.to_string(),
        total: i64::from(*total),
        revoked: *revoked,
        rules: groups.into_iter().map(group).collect(),
    }
}

pub(super) fn direction(is_egress: bool) -> &'static str {
    if is_egress { "egress" } else { "ingress" }
}

fn incident_ref(IncidentRef { uid, generation }: &IncidentRef) -> api::IncidentRef {
    api::IncidentRef { uid: uid.to_string(), generation: *generation }
}

/// The account, or what bears it out.
fn whose(attribution: &Attribution) -> (Option<String>, Option<String>) {
    match attribution {
        Attribution::AccountOnly(account) => (Some(account.to_string()), None),
        Attribution::Corroborated(_, proof) => (None, Some(proof.as_str().to_owned())),
        Attribution::None | Attribution::EventOnly(_) => (None, None),
    }
}

fn drift(drift: &Drift) -> api::Drift {
    let Drift { of, since, found, more, incident, acted, closed } = drift;
    api::Drift {
        of: of.to_string(),
        since: timestamp(*since),
        found: found.iter().map(|(aspect, found)| deviation(aspect, found)).collect(),
        more: *more,
        incident: incident.as_ref().map(incident_ref),
        acted_at: acted.map(timestamp),
        closed_at: closed.map(|(at, _)| timestamp(at)),
        end: closed.map(|(_, end)| end.as_str().to_owned()),
    }
}

fn deviation(aspect: &Aspect, found: &Deviation) -> api::Deviation {
    let Deviation { before, after, seen, attribution, approved, stage } = found;
    let (account_id, by) = whose(attribution);
    let (word, slot, key) = match aspect {
        Aspect::Route(slot) => ("Route", Some(slot), None),
        Aspect::Dns(_) => ("Dns", None, None),
        Aspect::Tag(_, key) => ("Tag", None, Some(key)),
        Aspect::Hold(_) => ("Hold", None, None),
    };
    api::Deviation {
        aspect: word.to_owned(),
        side: side(aspect.side()),
        route_table_id: slot.map(|slot| slot.table.to_string()),
        destination: slot.map(|slot| slot.destination.to_string()),
        key: key.map(|key| key.to_string()),
        before: before.to_string(),
        after: after.to_string(),
        seen_at: timestamp(*seen),
        stage: stage.as_str().to_owned(),
        approved: *approved,
        attribution: attribution.as_str().to_owned(),
        account_id,
        by,
        culprit: attribution.culprit().map(culprit),
    }
}

/// Many are noted at one moment, which is told once.
pub(super) fn own_calls(own: &[OwnCall]) -> Vec<api::OwnCalls> {
    let id = |call: &OwnCall| match call.ends {
        Ends::Peering(id) => id.to_string(),
        Ends::Routes(table) => table.to_string(),
    };
    own.chunk_by(|one, next| one.at == next.at)
        .map(|calls| api::OwnCalls { at: timestamp(calls[0].at), ids: calls.iter().map(id).collect() })
        .collect()
}

fn culprit(culprit: &Culprit) -> api::Culprit {
    let Culprit { event, at, place, principal, authorized } = culprit;
    api::Culprit {
        event_id: event.to_string(),
        at: timestamp(*at),
        account_id: place.account.to_string(),
        region: place.region.to_string(),
        principal: principal.to_string(),
        authorized: *authorized,
    }
}

fn refused(request: &RefusedRequest) -> api::RefusedRequest {
    let RefusedRequest { id, ending: how, message, at, generation, requested_at } = request;
    api::RefusedRequest {
        peering_id: id.to_string(),
        ending: ending(*how),
        status_message: clip(message, MESSAGE_MAX_BYTES),
        at: timestamp(*at),
        generation: *generation,
        requested_at: requested_at.as_deref().map(str::to_owned),
    }
}

fn one_spent((act, at): &(Act, Wall)) -> api::Spent {
    let act = match act {
        Act::Restore => api::Act::Restore,
        Act::RepairDrift => api::Act::RepairDrift,
        Act::RemoveRoutes => api::Act::RemoveRoutes,
        Act::Finalize => api::Act::Finalize,
    };
    api::Spent { act, at: timestamp(*at) }
}
