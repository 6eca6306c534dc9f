//! `AllowDnsResolutionFromRemoteVpc`, per side. A new peering starts with both false, so a restore sets them again.

use crate::desired::Reaction;
use crate::ids::{PeeringId, Side};
use crate::reason::Reason;
use crate::write::Write;

use super::draft::Draft;
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
    if wrong.is_empty() {
        return;
    }
    let settled_before =
        draft.memory.settled_generation == draft.input.desired.generation && draft.memory.episode.is_none();
    if settled_before && draft.on_drift() == Reaction::Flag {
        draft.stuck(
            Reason::Drifted,
            "the DNS options differ from what is declared; the policy's onDrift says Flag",
        );
        return;
    }
    if settled_before && !may_repair(draft, "the DNS options") {
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
    draft.offer(sender, Write::Options { id: active, requester, accepter });
}
