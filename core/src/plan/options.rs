//! `AllowDnsResolutionFromRemoteVpc`, per side. A new peering starts with both false, so a restore sets them again.

use crate::desired::Reaction;
use crate::drift::Aspect;
use crate::ids::{PeeringId, Side};
use crate::reason::Reason;
use crate::write::Write;

use super::draft::{Draft, Offer};
use super::drift;
use super::routes::may_repair;

pub(crate) fn plan(draft: &mut Draft<'_>, active: PeeringId) {
    let declared = |side: Side| draft.input.desired.sides.get(side).allow_dns;
    let wrong: Vec<(Side, bool)> = Side::BOTH
        .into_iter()
        .filter_map(|side| declared(side).map(|wanted| (side, wanted)))
        .filter(|(side, wanted)| read(draft, active, *side) != Some(*wanted))
        .collect();
    if Side::BOTH.into_iter().any(|side| declared(side).is_some()) {
        draft.dns = Some(wrong.is_empty());
    }
    for side in Side::BOTH.into_iter().filter(|side| wrong.iter().all(|(at, _)| at != side)) {
        drift::sound(draft, Aspect::Dns(side));
    }
    if wrong.is_empty() {
        return;
    }
    let settled_before =
        draft.memory.settled_generation == draft.input.desired.generation && draft.memory.episode.is_none();
    let is_left = settled_before && draft.on_drift() == Reaction::Flag;
    let wrong = if is_left { leave(draft, active, wrong) } else { wrong };
    if settled_before && !is_left && !may_repair(draft, "the DNS options") {
        return;
    }
    // In one place one call sets both ends; else each account sets its own, in its own Region.
    if draft.sight().pair.is_one_place() {
        set(draft, active, Side::Requester, &wrong);
        return;
    }
    for (side, wanted) in wrong {
        set(draft, active, side, &[(side, wanted)]);
    }
}

/// Flags what is wrong, but for what a person approved to have put right.
fn leave(draft: &mut Draft<'_>, active: PeeringId, wrong: Vec<(Side, bool)>) -> Vec<(Side, bool)> {
    let mut approved = Vec::new();
    for (side, wanted) in wrong {
        let Some(shown) = read(draft, active, side) else { continue };
        if drift::is_approved(draft, &Aspect::Dns(side), &shown.to_string()) {
            approved.push((side, wanted));
            continue;
        }
        drift::flag(draft, Aspect::Dns(side), wanted.to_string(), shown.to_string());
    }
    if approved.is_empty() {
        draft.stuck(
            Reason::Drifted,
            "the DNS options differ from what is declared; the policy's onDrift says Flag",
        );
    }
    approved
}

fn read(draft: &Draft<'_>, active: PeeringId, side: Side) -> Option<bool> {
    let row = draft.sight().row(active)?;
    // A side's own word first; the other side shows it too.
    let peering = row.by.get(side).as_ref().or(row.by.get(side.peer()).as_ref())?;
    let end = peering.end_of(draft.sight().pair.sides.get(side).vpc)?;
    Some(end.allow_dns.unwrap_or(false))
}

fn set(draft: &mut Draft<'_>, active: PeeringId, sender: Side, values: &[(Side, bool)]) {
    let Some(peering) = draft.sight().row(active).and_then(|row| row.any().cloned()) else { return };
    let vpc_of = |side: Side| draft.sight().pair.sides.get(side).vpc;
    let value_at = |vpc| values.iter().find(|(side, _)| vpc_of(*side) == vpc).map(|(_, wanted)| *wanted);
    let (requester, accepter) = (value_at(peering.requester.vpc), value_at(peering.accepter.vpc));
    if (requester, accepter) == (None, None) {
        return;
    }
    if draft.offer(sender, Write::Options { id: active, requester, accepter }) == Offer::Joined {
        values.iter().for_each(|(side, _)| drift::repairing(draft, &Aspect::Dns(*side)));
    }
}
