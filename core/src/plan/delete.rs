//! The object is being deleted: what it declares is handed over, left, or taken out of AWS, routes before the peering.
//! The finalizer stays until everything we wrote, replies that were lost included, has been read as settled.

use crate::desired::{DeletionPolicy, Grant};
use crate::ids::{ORIGIN_TAG_KEY, OwnerTag, PeeringId, Side, Slot};
use crate::memory::{Act, Life, Owned};
use crate::observed::{PeeringState, Seen};
use crate::reason::Reason;
use crate::write::{OursBecause, PeeringProof, SlotProof, Write};

use super::Finalizer;
use super::draft::Draft;
use super::peering;
use super::report::State;
use super::routes::{self, Holds};
use super::sight::{IdState, Ownership, Row};

/// What needs no look at AWS, and so works though no account does: an heir takes over, or the user said to leave all.
pub(crate) fn lets_go(draft: &mut Draft<'_>) -> bool {
    draft.state = State::Deleting;
    if let Some(heir) = &draft.input.claims.heir {
        if heir.has_taken {
            draft.finalizer = Finalizer::Drop;
            return true;
        }
        draft.working(
            Reason::HandoverPending,
            format!("VpcPeering {} declares the same pair and takes it over", heir.key),
        );
        draft.wake_in_s(2);
        return true;
    }
    if draft.input.desired.deletion_policy == Some(DeletionPolicy::Retain) {
        draft.finalizer = Finalizer::Drop;
        return true;
    }
    false
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    draft.state = State::Deleting;
    // Memory may have let go of a twin before: nothing else would remember it.
    let twins_are_left = peering::remove_own_twins(draft);
    if !memory_is_whole(draft) {
        return;
    }
    if !everything_is_settled(draft) {
        return;
    }
    // What another owner has tagged as its own is not ours to take down, nor are the routes to it.
    let all_is_gone = belongs_to_another(draft) || slots_are_gone(draft) && peering_is_gone(draft);
    if all_is_gone && !twins_are_left {
        draft.finalizer = Finalizer::Drop;
    }
}

fn belongs_to_another(draft: &Draft<'_>) -> bool {
    let live = draft.memory.peering().filter(|id| draft.sight().row(*id).is_some_and(Row::is_live));
    live.is_some_and(|id| matches!(peering::ownership(draft, id), Ownership::OtherOwner(_)))
}

/// With status lost, what is ours is found again by its tag before anything is let go. False while AWS can't be seen.
fn memory_is_whole(draft: &mut Draft<'_>) -> bool {
    if draft.memory.peering().is_some() || draft.input.desired.established.is_none() {
        return true;
    }
    if let Some(unseen) = draft.sight().blind.requester.clone() {
        draft.blind("the peerings of this pair", &unseen);
        blocked(draft, Side::Requester, "what this object has in AWS can't be seen");
        return false;
    }
    find_lost_create(draft);
    if draft.memory.peering().is_some() {
        routes::remember_declared(draft);
    }
    true
}

/// A create whose reply was lost may still show up; wait until it has, or can't any more.
fn everything_is_settled(draft: &mut Draft<'_>) -> bool {
    let now = draft.input.now;
    let recent = draft.input.recent;
    if recent.sent().next().is_some() {
        draft.poll();
        return false;
    }
    let settle_s = i64::try_from(draft.input.timing.settle_ms / 1000).unwrap_or(i64::MAX);
    // One that replaces a lost peering is looked for as well as a first one.
    if draft.memory.create_intent.is_some() {
        if let Some(unseen) = draft.sight().blind.requester.clone() {
            draft.blind("the peerings of this pair", &unseen);
            blocked(draft, Side::Requester, "what was asked for last can't be seen");
            return false;
        }
        find_lost_create(draft);
    }
    if let Some(at) = draft.memory.create_intent {
        let waited = now.wall.since_s(at);
        if waited <= settle_s {
            draft.working(Reason::WaitingForAws, "a request whose answer was lost may still show up");
            draft.wake_in_s(settle_s - waited + 1);
            return false;
        }
        draft.memory.create_intent = None;
    }
    true
}

/// What we asked for carries our tag. Beside what is remembered and live it is a twin, which is removed as such.
fn find_lost_create(draft: &mut Draft<'_>) {
    let mine = draft.input.desired.owner_tag();
    let remembered = draft.memory.peering().filter(|id| draft.sight().row(*id).is_some_and(Row::is_live));
    let fits = |(id, row): &(PeeringId, &Row)| {
        let is_it = row.owner(&mine).as_ref() == Some(&mine);
        is_it && remembered.is_none_or(|known| known == *id && peering::is_asked_from_here(draft, row))
    };
    let found = draft.sight().live().filter(fits).min_by_key(|(id, row)| (!row.is_active(), *id));
    let found = found.map(|(id, row)| (id, row.origin_tag().map(str::to_owned)));
    if let Some((id, origin)) = found {
        draft.memory.life = Life::Requested { id, replaces: None };
        draft.memory.origin = origin.as_deref().and_then(crate::memory::Origin::parse);
        draft.memory.create_intent = None;
    }
}

fn slots_are_gone(draft: &mut Draft<'_>) -> bool {
    let slots: Vec<(Slot, Owned)> = draft.memory.slots.iter().map(|(slot, owned)| (*slot, *owned)).collect();
    let mut gone = true;
    for (slot, owned) in slots {
        if !routes::goes(draft, owned) {
            draft.memory.slots.remove(&slot);
            continue;
        }
        let current = draft.memory.peering().unwrap_or(owned.to);
        match routes::holds_ours(draft, slot, current) {
            Holds::Nothing | Holds::NoTable => {
                draft.memory.slots.remove(&slot);
            }
            Holds::Unknown => {
                gone = false;
                blocked(draft, slot.side, &format!("{slot} can't be seen"));
            }
            Holds::Ours(was) => {
                gone = false;
                if may_finalize(draft, slot.side) {
                    let read = draft
                        .input
                        .observed
                        .get(slot.side)
                        .tables
                        .readings()
                        .next()
                        .map(|r| r.began())
                        .unwrap_or_default();
                    let proof = SlotProof { read, why: OursBecause::Remembered };
                    draft.offer(slot.side, Write::DropRoute { slot, was, proof });
                }
            }
        }
    }
    gone
}

fn peering_is_gone(draft: &mut Draft<'_>) -> bool {
    let Some(id) = draft.memory.peering() else { return true };
    if !routes::origin_goes(draft) {
        return !untag(draft, id);
    }
    match draft.sight().id_state(id, &draft.memory) {
        IdState::Ended(ending) => {
            draft.memory.remember_end(id, ending);
            true
        }
        IdState::Between(state) => {
            draft.working(Reason::WaitingForAws, format!("{id} is {}", state.as_str()));
            draft.poll();
            false
        }
        IdState::Live(state) => {
            let side = who_may_remove(draft, id, &state);
            if draft.input.grants.get(side).is_foreign() {
                // Their request, which nobody but them can take back: it is not accepted, and expires.
                return true;
            }
            if may_finalize(draft, side) {
                let proof = PeeringProof { read: draft.sight().read_at(side), why: OursBecause::Remembered };
                draft.offer(side, Write::Remove(id, proof));
            }
            false
        }
        IdState::Unknown(unseen) => {
            if Side::BOTH.into_iter().any(|side| matches!(draft.sight().vpc(side), Seen::Absent(_))) {
                return true;
            }
            draft.blind(&id.to_string(), &unseen);
            blocked(draft, Side::Requester, &format!("{id} can't be seen"));
            false
        }
    }
}

/// Either side may delete a peering, but only who asked for it a request that waits; one that we took up may have been
/// asked for from the other end.
fn who_may_remove(draft: &Draft<'_>, id: PeeringId, state: &PeeringState) -> Side {
    match state {
        PeeringState::PendingAcceptance => {
            draft.sight().accepting_side(id).map_or(Side::Requester, Side::peer)
        }
        _ => Side::Requester,
    }
}

/// What was adopted stays, as nobody's. True while a tag of ours is still on it.
fn untag(draft: &mut Draft<'_>, id: PeeringId) -> bool {
    let mine = draft.input.desired.owner_tag();
    let mut waits = false;
    for side in Side::BOTH {
        let tagged = draft.sight().row(id).is_some_and(|row| {
            row.is_live() && row.by.get(side).as_ref().is_some_and(|p| p.owner().as_ref() == Some(&mine))
        });
        if !tagged || !draft.granted(side) {
            continue;
        }
        let keys = [OwnerTag::KEY.into(), ORIGIN_TAG_KEY.into()].into_iter().collect();
        if draft.forbids(side).is_none() {
            draft.offer(side, Write::Untag { id, keys });
            waits = true;
        }
        if draft.sight().pair.is_one_place() {
            break;
        }
    }
    waits
}

/// Taking an object's things out of AWS is one act under the removal limits, and needs usable accounts.
fn may_finalize(draft: &mut Draft<'_>, side: Side) -> bool {
    // A suspended account is a hold like others: the offer says so, and what releases it.
    if !matches!(
        draft.input.grants.get(side),
        Grant::Granted(_) | Grant::Suspended(_) | Grant::Misused { .. }
    ) {
        blocked(draft, side, "its things in AWS can't be removed");
        return false;
    }
    if draft.forbids(side).is_some() || draft.reserves(Act::Finalize) {
        return true;
    }
    if draft.memory.spent.iter().any(|(act, _)| *act == Act::Finalize) {
        return true;
    }
    match draft.admit(Act::Finalize) {
        Ok(()) => true,
        Err(latch) => {
            let release = format!(
                "raise the limit of {} above {}, or wait until its window has passed",
                latch.level, latch.limit
            );
            draft.hold("removing what this object has in AWS", Reason::LimitReached, release);
            draft.wake_in_s(60);
            false
        }
    }
}

fn blocked(draft: &mut Draft<'_>, side: Side, what: &str) {
    let why = match draft.input.grants.get(side) {
        Grant::NoAccount { name } => format!("AwsAccount {name} does not exist"),
        Grant::NotGranted { name, .. } => {
            format!("AwsAccount {name} grants this namespace nothing here any more")
        }
        Grant::Unusable { why, .. } => why.to_string(),
        Grant::ForeignRefused { account, .. } => format!("account {account} is not allowed"),
        Grant::Granted(_) | Grant::Suspended(_) | Grant::Misused { .. } | Grant::Foreign(_) => {
            draft.poll();
            return;
        }
    };
    let message = format!(
        "{what}: {why} ({side} side); mend that, or set spec.deletionPolicy to Retain to leave AWS as it is"
    );
    draft.stuck(Reason::CleanupBlocked, message);
}
