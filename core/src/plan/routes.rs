//! Route slots: each declared one is compared with what its table holds, and at most one write is proposed for it.
//!
//! | the slot holds                         | ours?                           | then                                |
//! |----------------------------------------|---------------------------------|-------------------------------------|
//! | the current peering                    |                                 | in sync                             |
//! | nothing                                | never was                       | add                                 |
//! |                                        | was                             | drift: add, or flag                 |
//! | a peering of this pair, or one absent  | declared here, so ours          | repoint                             |
//! | any other target                       | was                             | `onRepointedRoute`: repoint or flag |
//! |                                        | never was                       | flag                                |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::desired::{DeletionPolicy, DependentRoutes, Reaction};
use crate::drift::{Aspect, NONE};
use crate::ids::{Destination, PeeringId, PrefixListId, RouteTableId, Side, Slot, Target};
use crate::memory::{Act, How, Origin, Owned};
use crate::observed::{PeeringState, Resource, RouteTable, Seen, Unseen};
use crate::reason::Reason;
use crate::time::Mono;
use crate::write::{OursBecause, SlotProof, Write};

use super::draft::{Draft, Offer};
use super::drift;
use super::report::Exception;
use super::select::{self, Selection};

/// Brings every declared slot of both sides to the active peering. One side's trouble never stops the other.
pub(crate) fn plan(draft: &mut Draft<'_>, active: PeeringId) {
    let mut selections: Vec<(Side, Selection)> = Vec::new();
    for side in Side::BOTH {
        if draft.is_managed(side) && draft.input.grants.get(side).readable() {
            selections.push((side, select::side(draft, side)));
        }
    }
    let expanded: usize = selections.iter().map(|(_, selection)| selection.slots.len()).sum();
    for (side, selection) in &selections {
        draft.routes.get_mut(*side).declared = u32::try_from(selection.slots.len()).unwrap_or(u32::MAX);
    }
    if expanded > select::ROUTES_MAX {
        let message = format!(
            "declares {expanded} routes, more than {}; nothing is changed, narrow the selectors",
            select::ROUTES_MAX
        );
        draft.stuck(Reason::TooManyRoutes, message);
        return;
    }
    let mut all_declared_done = true;
    for (side, selection) in &selections {
        all_declared_done &= declared(draft, *side, selection, active);
        drift::undeclared(draft, *side, selection);
        all_declared_done &= undeclared(draft, *side, selection, active);
        if draft.input.policy.dependent_routes == DependentRoutes::All {
            dependents(draft, *side, selection, active);
        }
    }
    if all_declared_done {
        draft.memory.settled_generation = draft.input.desired.generation;
    }
}

/// What one slot holds, and what follows.
enum Finding {
    InSync,
    /// To be written; `drift` where it had been in sync before.
    Write {
        write: Write,
        drift: bool,
    },
    /// Left as it is, and why.
    Leave(Reason, String),
}

/// True if every declared slot is in sync or was left for a reason that stands.
fn declared(draft: &mut Draft<'_>, side: Side, selection: &Selection, active: PeeringId) -> bool {
    let mut done = selection.complete;
    let mut additions: BTreeMap<RouteTableId, Vec<(Slot, Write, bool)>> = BTreeMap::new();
    for slot in &selection.slots {
        if let Some(other) = draft.input.claims.slots.get(slot.table, slot.destination) {
            let message = format!("VpcPeering {other} holds this route; remove it from one of the two");
            leave(draft, *slot, Reason::RouteClaimed, message);
            continue;
        }
        let table = match select::table(draft, side, slot.table) {
            Seen::Present(table) => table,
            Seen::Absent(_) => continue,
            Seen::Unknown(unseen) => {
                draft.blind(&slot.table.to_string(), &unseen);
                done = false;
                continue;
            }
        };
        let follows = selection.following.contains(&slot.destination);
        match judge(draft, *slot, &table, active, follows) {
            Finding::InSync => in_sync(draft, *slot, active),
            Finding::Leave(reason, message) => leave(draft, *slot, reason, message),
            Finding::Write { write: write @ Write::AddRoute { .. }, drift } => {
                done = false;
                additions.entry(slot.table).or_default().push((*slot, write, drift));
            }
            Finding::Write { write, drift } => {
                done = false;
                propose(draft, *slot, write, drift, active);
            }
        }
    }
    for (table, writes) in additions {
        add_within_quota(draft, side, table, writes, active);
    }
    done
}

fn in_sync(draft: &mut Draft<'_>, slot: Slot, active: PeeringId) {
    drift::sound(draft, Aspect::Route(slot));
    draft.routes.get_mut(slot.side).in_sync += 1;
    let how = match draft.memory.slots.get(&slot).map(|owned| owned.how) {
        Some(How::Intended | How::Created) => How::Created,
        Some(How::Adopted) => How::Adopted,
        None => origin_of_route(draft),
    };
    draft.memory.slots.insert(slot, Owned { how, to: active });
}

/// A declared route that nobody remembers: one to a peering that we made can only have come after it, and by us unless
/// somebody did our work.
fn origin_of_route(draft: &Draft<'_>) -> How {
    if draft.memory.origin == Some(Origin::Created) { How::Created } else { How::Adopted }
}

/// With status lost, the declared routes that lead to the pair's peering are remembered anew. False while AWS can't be
/// seen well enough to know them all.
pub(crate) fn remember_declared(draft: &mut Draft<'_>) -> bool {
    let Some(current) = draft.memory.peering() else { return true };
    let how = origin_of_route(draft);
    let mut complete = true;
    for side in Side::BOTH {
        if !draft.is_managed(side) || !draft.input.grants.get(side).readable() {
            continue;
        }
        let selection = select::side(draft, side);
        complete &= selection.complete;
        for slot in selection.slots {
            if matches!(holds_ours(draft, slot, current), Holds::Ours(_)) {
                draft.memory.slots.entry(slot).or_insert(Owned { how, to: current });
            }
        }
    }
    complete
}

fn leave(draft: &mut Draft<'_>, slot: Slot, reason: Reason, message: String) {
    draft.except(Exception {
        side: slot.side,
        slot: Some(slot),
        subject: format!("route {} in {}", slot.destination, slot.table),
        reason,
        message,
    });
}

fn judge(
    draft: &mut Draft<'_>,
    slot: Slot,
    table: &Arc<RouteTable>,
    active: PeeringId,
    follows: bool,
) -> Finding {
    let was_ours = draft.memory.slots.get(&slot).is_some_and(|owned| owned.how != How::Intended);
    let Some(route) = table.route(slot.destination) else {
        return missing(draft, slot, table, active, follows, was_ours);
    };
    let drift = was_ours && draft.memory.slots.get(&slot).is_some_and(|owned| owned.to == active);
    let repoint = |draft: &mut Draft<'_>, why| {
        let is_left = drift && draft.memory.episode.is_none() && draft.on_drift() == Reaction::Flag;
        if is_left && !is_approved(draft, slot, &route.target.to_string()) {
            flag_route(draft, slot, active, &route.target.to_string());
            let message =
                format!("leads to {}, which has ended; the policy's onDrift says Flag", route.target);
            return Finding::Leave(Reason::DeadRoute, message);
        }
        let drift = drift && !is_left;
        let proof = SlotProof { read: read_at(draft, slot), why };
        Finding::Write {
            write: Write::Repoint { slot, from: route.target.clone(), to: active, proof },
            drift,
        }
    };
    match &route.target {
        Target::Peering(id) if *id == active => Finding::InSync,
        Target::Peering(id) => match fate(draft, slot.side, *id) {
            Fate::OfThisPair => repoint(draft, OursBecause::TargetsThisPair),
            Fate::Gone => repoint(draft, OursBecause::TargetAbsent),
            Fate::Elsewhere => occupied(draft, slot, &route.target, active, was_ours),
            Fate::Unknown(unseen) => {
                draft.blind(&format!("{id}, to which {slot} leads"), &unseen);
                Finding::Leave(
                    Reason::Occupied,
                    format!("leads to {id}, of which nothing is known yet; it is asked again"),
                )
            }
        },
        Target::Local => Finding::Leave(
            Reason::DestinationIsLocal,
            "is a CIDR of the VPC itself and can't be routed elsewhere".to_owned(),
        ),
        Target::Other(_) => occupied(draft, slot, &route.target, active, was_ours),
    }
}

fn missing(
    draft: &mut Draft<'_>,
    slot: Slot,
    table: &RouteTable,
    active: PeeringId,
    follows: bool,
    was_ours: bool,
) -> Finding {
    if follows
        && !was_ours
        && let Some(other) = select::shadowed(draft, slot, table)
    {
        let message = format!(
            "is a new CIDR of the peer and would take traffic from the route {} to {}; change the spec to route it all the same",
            other.destination, other.target,
        );
        return Finding::Leave(Reason::RouteShadows, message);
    }
    let local = |route: &crate::observed::Route| match (route.destination, slot.destination) {
        (Destination::Cidr(own), Destination::Cidr(wanted)) => {
            route.target == Target::Local && own.contains(wanted)
        }
        _ => false,
    };
    if table.routes.iter().any(local) {
        return Finding::Leave(
            Reason::DestinationIsLocal,
            "lies within the VPC's own CIDRs, where AWS takes no route to a peering".to_owned(),
        );
    }
    // A table that newly matches is drift as well, once the spec had been settled: it counts within the limits.
    let settled_before = draft.memory.settled_generation == draft.input.desired.generation;
    if was_ours && settled_before && draft.memory.episode.is_none() && draft.on_drift() == Reaction::Flag {
        if is_approved(draft, slot, NONE) {
            return Finding::Write { write: Write::AddRoute { slot, to: active }, drift: false };
        }
        flag_route(draft, slot, active, NONE);
        return Finding::Leave(
            Reason::Drifted,
            "was removed by somebody; the policy's onDrift says Flag".to_owned(),
        );
    }
    Finding::Write { write: Write::AddRoute { slot, to: active }, drift: settled_before }
}

/// Somebody's repair, or attack: only asked for is it overwritten, and only where it had been ours.
fn occupied(
    draft: &mut Draft<'_>,
    slot: Slot,
    target: &Target,
    active: PeeringId,
    was_ours: bool,
) -> Finding {
    if !was_ours {
        return Finding::Leave(
            Reason::Occupied,
            format!("leads to {target}, which is not ours to change; remove that route, or this declaration"),
        );
    }
    match draft.input.policy.on_repointed_route {
        Reaction::Flag if is_approved(draft, slot, &target.to_string()) => {
            let proof = SlotProof { read: read_at(draft, slot), why: OursBecause::PersonTakesItBack };
            let write = Write::Repoint { slot, from: target.clone(), to: active, proof };
            Finding::Write { write, drift: false }
        }
        Reaction::Flag => {
            flag_route(draft, slot, active, &target.to_string());
            let message = format!(
                "was pointed at {target} by somebody; the policy's onRepointedRoute says Flag, so it is left"
            );
            Finding::Leave(Reason::Occupied, message)
        }
        Reaction::Restore => {
            let proof = SlotProof { read: read_at(draft, slot), why: OursBecause::PolicyTakesItBack };
            Finding::Write {
                write: Write::Repoint { slot, from: target.clone(), to: active, proof },
                drift: true,
            }
        }
    }
}

/// A person approved that this very route is put right.
fn is_approved(draft: &Draft<'_>, slot: Slot, after: &str) -> bool {
    draft.memory.episode.is_none() && drift::is_approved(draft, &Aspect::Route(slot), after)
}

fn flag_route(draft: &mut Draft<'_>, slot: Slot, active: PeeringId, after: &str) {
    drift::flag(draft, Aspect::Route(slot), active.to_string(), after);
}

/// What has become of a peering that a route leads to.
enum Fate {
    /// Of this pair, live or ended.
    OfThisPair,
    /// Proved absent.
    Gone,
    /// Another pair's.
    Elsewhere,
    Unknown(Unseen),
}

fn fate(draft: &Draft<'_>, side: Side, id: PeeringId) -> Fate {
    let (input, sight) = (draft.input, draft.sight());
    let known = sight.row(id).is_some() || draft.memory.ending_of(id).is_some();
    if known {
        return Fate::OfThisPair;
    }
    let view = &input.observed.get(side).peerings;
    let settled = input.recent.peering_settled(id, input.now.mono, input.timing);
    match view.seen(id, settled, input.now.mono, input.timing) {
        Seen::Present(peering) if peering.group() == sight.pair.pair() => Fate::OfThisPair,
        Seen::Present(_) => Fate::Elsewhere,
        Seen::Absent(_) => Fate::Gone,
        Seen::Unknown(unseen) => Fate::Unknown(unseen),
    }
}

fn read_at(draft: &Draft<'_>, slot: Slot) -> Mono {
    let newest = draft
        .input
        .observed
        .get(slot.side)
        .tables
        .readings()
        .find(|reading| reading.get(slot.table).is_some());
    newest.map(|reading| reading.began()).unwrap_or_default()
}

/// Puts a write in the wave, within the limits for drift, and its intent in memory.
fn propose(draft: &mut Draft<'_>, slot: Slot, write: Write, drift: bool, active: PeeringId) {
    if drift && !may_repair(draft, slot) {
        return;
    }
    if draft.offer(slot.side, write) == Offer::Joined {
        drift::repairing(draft, &Aspect::Route(slot));
    }
    draft.memory.slots.entry(slot).or_insert(Owned { how: How::Intended, to: active });
}

/// Repairing drift counts one per object and window. What follows a loss counts with the restore.
pub(crate) fn may_repair(draft: &mut Draft<'_>, what: impl std::fmt::Display) -> bool {
    if draft.memory.episode.is_some() || draft.reserves(Act::RepairDrift) {
        return true;
    }
    let since = draft.input.now.wall.plus_s(-draft.input.policy.limits.window_s);
    if draft.memory.spent_since(Act::RepairDrift, since) > 0 {
        return true;
    }
    if Side::BOTH.into_iter().all(|side| draft.forbids(side).is_some()) {
        // Nothing will be sent, so nothing is spent; the offer says what holds it.
        return true;
    }
    match draft.admit(Act::RepairDrift) {
        Ok(()) => true,
        Err(latch) => {
            let release = format!(
                "raise the limit of {} above {}, or wait until its window has passed",
                latch.level, latch.limit
            );
            draft.hold(format!("repairing {what}"), Reason::LimitReached, release);
            draft.wake_in_s(60);
            false
        }
    }
}

/// AWS counts IPv4 and IPv6 routes apart, and a prefix list by its MaxEntries. All of a table's additions go in, or none.
fn add_within_quota(
    draft: &mut Draft<'_>,
    side: Side,
    table: RouteTableId,
    mut writes: Vec<(Slot, Write, bool)>,
    active: PeeringId,
) {
    if !lists_are_known(draft, side, table, &mut writes) {
        return;
    }
    if let Some(message) = over_quota(draft, side, table, &writes) {
        for (slot, _, _) in writes {
            leave(draft, slot, Reason::QuotaReached, message.clone());
        }
        return;
    }
    for (slot, write, drift) in writes {
        propose(draft, slot, write, drift, active);
    }
}

fn over_quota(
    draft: &mut Draft<'_>,
    side: Side,
    table: RouteTableId,
    writes: &[(Slot, Write, bool)],
) -> Option<String> {
    let quota = draft.input.observed.get(side).routes_per_table?;
    let Seen::Present(seen) = select::table(draft, side, table) else { return None };
    let held = seen
        .routes
        .iter()
        .filter(|route| !route.propagated && route.target != Target::Local)
        .map(|route| route.destination);
    let wanted = writes.iter().map(|(slot, _, _)| slot.destination);
    let (mut v4, mut v6) = (0_u32, 0_u32);
    for destination in held.chain(wanted) {
        match destination {
            Destination::Cidr(cidr) if cidr.is_ipv6() => v6 += 1,
            Destination::Cidr(_) => v4 += 1,
            Destination::PrefixList(list) => v4 += max_entries(draft, side, list).unwrap_or(1),
        }
    }
    let most = v4.max(v6);
    (most > quota).then(|| format!("{table} would hold {most} routes, and its quota is {quota}; raise the quota (L-93826ACB) or free room"))
}

/// What a route to this list counts; `None` where no reading shows it.
fn max_entries(draft: &Draft<'_>, side: Side, list: PrefixListId) -> Option<u32> {
    let lists = &draft.input.observed.get(side).prefix_lists;
    lists.readings().find_map(|reading| reading.get(list)).map(|list| list.max_entries)
}

/// Asks for the prefix lists that a table's routes count by, and drops the additions whose list does not exist. False
/// while one was not read: then nothing is added to the table.
fn lists_are_known(
    draft: &mut Draft<'_>,
    side: Side,
    table: RouteTableId,
    writes: &mut Vec<(Slot, Write, bool)>,
) -> bool {
    let Seen::Present(seen) = select::table(draft, side, table) else { return true };
    let list_of = |destination: Destination| match destination {
        Destination::PrefixList(list) => Some(list),
        Destination::Cidr(_) => None,
    };
    // What a table holds is counted against its quota only, so without one it needs not be known.
    let counted = draft.input.observed.get(side).routes_per_table.is_some();
    let held = seen.routes.iter().filter(|_| counted).filter_map(|route| list_of(route.destination));
    let wanted = writes.iter().filter_map(|(slot, _, _)| list_of(slot.destination));
    let lists: BTreeSet<PrefixListId> = held.chain(wanted).collect();
    let view = &draft.input.observed.get(side).prefix_lists;
    let spoken_of = |list: &PrefixListId| view.readings().any(|reading| reading.speaks_of(*list));
    if !lists.iter().all(spoken_of) {
        let unseen = view.unseen.clone();
        draft.lists.entry(side).or_default().extend(lists);
        draft.blind(&format!("the prefix lists that {table} routes to"), &unseen);
        return false;
    }
    writes.retain(|(slot, _, _)| match list_of(slot.destination) {
        Some(list) if max_entries(draft, side, list).is_none() => {
            let message = format!("{list} does not exist in {}; check the id", draft.sight().pair.at(side));
            leave(draft, *slot, Reason::PrefixListNotFound, message);
            false
        }
        _ => true,
    });
    true
}

/// Slots of ours that are not declared any more. They go only when the spec has changed: a table that lost a tag, or a
/// peer that lost a CIDR, is no decision to cut traffic.
fn undeclared(draft: &mut Draft<'_>, side: Side, selection: &Selection, active: PeeringId) -> bool {
    if !selection.complete {
        return false;
    }
    let spec_changed = draft.memory.settled_generation != draft.input.desired.generation;
    let extra: Vec<(Slot, Owned)> = draft
        .memory
        .slots
        .iter()
        .filter(|(slot, _)| slot.side == side && !selection.slots.contains(slot))
        .map(|(slot, owned)| (*slot, *owned))
        .collect();
    let mut done = true;
    for (slot, owned) in extra {
        let holds = holds_ours(draft, slot, active);
        match holds {
            Holds::Nothing => {
                draft.memory.slots.remove(&slot);
            }
            // With every table of a side gone, that is what tells a teardown from a loss: it is not forgotten.
            Holds::NoTable if spec_changed || any_table_is_shown(draft, side) => {
                draft.memory.slots.remove(&slot);
            }
            Holds::NoTable => {}
            Holds::Unknown => done = false,
            Holds::Ours(was) if spec_changed => {
                done &= let_go(draft, slot, owned, was);
            }
            Holds::Ours(_) => {
                let message = "is not selected any more, though the spec did not change; change the spec to have the route removed";
                leave(draft, slot, Reason::SelectionShrank, message.to_owned());
            }
        }
    }
    done
}

fn any_table_is_shown(draft: &Draft<'_>, side: Side) -> bool {
    let mut tables = draft.memory.slots.keys().filter(|slot| slot.side == side).map(|slot| slot.table);
    tables.any(|table| matches!(select::table(draft, side, table), Seen::Present(_)))
}

/// What is in a slot of ours.
pub(crate) enum Holds {
    /// No route of ours: none at all, or somebody else's.
    Nothing,
    /// The table itself is gone.
    NoTable,
    Ours(PeeringId),
    Unknown,
}

pub(crate) fn holds_ours(draft: &Draft<'_>, slot: Slot, current: PeeringId) -> Holds {
    match select::table(draft, slot.side, slot.table) {
        Seen::Absent(_) => Holds::NoTable,
        Seen::Unknown(_) => Holds::Unknown,
        Seen::Present(table) => match table.route(slot.destination).map(|route| &route.target) {
            Some(Target::Peering(id)) if *id == current || is_of_pair(draft, *id) => Holds::Ours(*id),
            _ => Holds::Nothing,
        },
    }
}

fn is_of_pair(draft: &Draft<'_>, id: PeeringId) -> bool {
    draft.memory.ending_of(id).is_some()
        || draft.memory.peering() == Some(id)
        || draft.sight().row(id).is_some()
}

/// Removes a route that we made; one that was there before us stays, unless the spec says to delete.
fn let_go(draft: &mut Draft<'_>, slot: Slot, owned: Owned, was: PeeringId) -> bool {
    if !goes(draft, owned) {
        draft.memory.slots.remove(&slot);
        return true;
    }
    let proof = SlotProof { read: read_at(draft, slot), why: OursBecause::Remembered };
    draft.offer(slot.side, Write::DropRoute { slot, was, proof });
    false
}

/// Whether a slot is removed when it is let go, by its origin or by the deletion policy.
pub(crate) fn goes(draft: &Draft<'_>, owned: Owned) -> bool {
    match draft.input.desired.deletion_policy {
        Some(DeletionPolicy::Delete) => true,
        Some(DeletionPolicy::Retain) => false,
        None => owned.how != How::Adopted,
    }
}

/// `dependentRoutes: All`: every other route in the VPC that still leads to a lost peering of this pair and overlaps the
/// peer's CIDRs follows to the new one.
fn dependents(draft: &mut Draft<'_>, side: Side, selection: &Selection, active: PeeringId) {
    for (slot, from) in dead_dependents(draft, side, Some(active)) {
        if selection.slots.contains(&slot) {
            continue;
        }
        let proof = SlotProof { read: read_at(draft, slot), why: OursBecause::TargetsTheLost };
        draft.offer(side, Write::Repoint { slot, from: Target::Peering(from), to: active, proof });
    }
}

/// Routes of the side's VPC whose target is an ended peering of this pair.
fn dead_dependents(draft: &Draft<'_>, side: Side, active: Option<PeeringId>) -> BTreeSet<(Slot, PeeringId)> {
    let (input, sight) = (draft.input, draft.sight());
    let vpc = sight.pair.sides.get(side).vpc;
    let peer = draft.memory.cidrs.get(side.peer());
    let overlaps = |destination: Destination| match destination {
        Destination::Cidr(cidr) => peer.iter().any(|block| block.overlaps(cidr)),
        Destination::PrefixList(_) => true,
    };
    let is_dead = |id: PeeringId| {
        let ended = matches!(sight.row(id).and_then(super::sight::Row::state), Some(PeeringState::Ended(_)));
        Some(id) != active && (ended || draft.memory.ending_of(id).is_some())
    };
    let tables = input.observed.get(side).tables.group(vpc, input.now.mono, input.timing).unwrap_or_default();
    let account = sight.pair.at(side).account;
    // AWS lists routes in whatever order.
    let mut found = BTreeSet::new();
    for table in tables.iter().filter(|table| !table.edge && table.owner == account) {
        // Which tables there are, a sweep says; what is in one, whoever read it last.
        let Seen::Present(table) = select::table(draft, side, table.id) else { continue };
        for route in table.routes.iter().filter(|route| !route.propagated) {
            if let Target::Peering(id) = route.target
                && is_dead(id)
                && overlaps(route.destination)
            {
                found.insert((Slot { side, table: table.id, destination: route.destination }, id));
            }
        }
    }
    found
}

/// Drops what a loss left behind: dead routes of ours, or all dependents. True once none is left, by what was read.
pub(crate) fn drop_dead(draft: &mut Draft<'_>, lost: PeeringId) -> bool {
    let mut none_left = true;
    let mut dead: BTreeSet<(Slot, PeeringId)> = BTreeSet::new();
    let remembered: Vec<Slot> = draft.memory.slots.keys().copied().collect();
    for slot in remembered {
        match holds_ours(draft, slot, lost) {
            Holds::Nothing | Holds::NoTable => {
                draft.memory.slots.remove(&slot);
            }
            Holds::Unknown => {
                draft.working(
                    Reason::AwsUnavailable,
                    format!("{} can't be seen now; it is asked again", slot.table),
                );
                none_left = false;
            }
            Holds::Ours(was) => {
                dead.insert((slot, was));
            }
        }
    }
    if draft.input.policy.dependent_routes == DependentRoutes::All {
        for side in Side::BOTH.into_iter().filter(|side| draft.input.grants.get(*side).readable()) {
            dead.extend(dead_dependents(draft, side, None));
        }
    }
    for (slot, was) in dead {
        none_left = false;
        let why = if draft.memory.slots.contains_key(&slot) {
            OursBecause::Remembered
        } else {
            OursBecause::TargetsTheLost
        };
        let proof = SlotProof { read: read_at(draft, slot), why };
        draft.offer(slot.side, Write::DropRoute { slot, was, proof });
    }
    none_left
}

/// Whether the object's things were made by us, for those that are removed with it.
pub(crate) fn origin_goes(draft: &Draft<'_>) -> bool {
    match draft.input.desired.deletion_policy {
        Some(DeletionPolicy::Delete) => true,
        Some(DeletionPolicy::Retain) => false,
        None => draft.memory.origin == Some(Origin::Created),
    }
}
