//! What must never be, judged apart from the engine: by the truth of the world, by what was stored, and, where the world
//! may have moved on meanwhile, by what the writer had been shown when it wrote.

use std::collections::{BTreeMap, BTreeSet};

use ec2sim::{Action, PeeringStatus, World};
use peerkeeper_core::desired::{DeletionPolicy, LossAction, Reaction};
use peerkeeper_core::ids::{PeeringId, Side, Sides, Target};
use peerkeeper_core::memory::{How, Life, LossOutcome, Memory};
use peerkeeper_core::observed::{PeeringState, SideView};
use peerkeeper_core::plan::{Finalizer, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Turn};
use peerkeeper_core::write::{Write, WriteCall};

use crate::clock;
use crate::common::aws::{OPERATOR, text};
use crate::process::terms;
use crate::scenario::{Human, Setup};
use crate::store::Store;

/// What a turn was shown, newest first: what its writer knows at its commit and at its write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shown {
    /// Where the declared route of a side led, by the newest reading.
    route: Sides<Option<(Option<Target>, When)>>,
    /// The peerings that a side showed as active, by the newest reading.
    active: Sides<Option<(BTreeSet<PeeringId>, When)>>,
    /// When the write at hand was asked for.
    pub asked_ms: u64,
}

/// When a reading began; of two that began together the one that the turn asked for counts.
type When = (u64, bool);

impl Shown {
    pub fn take_in(&mut self, setup: &Setup, views: &Sides<SideView>) {
        for side in Side::BOTH {
            let view = views.get(side);
            let (table, destination) = setup.slot(side);
            let table = text(table);
            let newest = view.tables.readings().find_map(|reading| {
                let when = (reading.began().0, !reading.is_sweep());
                Some((reading.get(table)?, when))
            });
            if let Some((table, began)) = newest {
                let target = table.route(text(&destination)).map(|route| route.target.clone());
                keep_newest(self.route.get_mut(side), target, began);
            }
            if let Some(reading) = view.peerings.readings().next() {
                let active =
                    reading.iter().filter(|p| p.state == PeeringState::Active).map(|p| p.id).collect();
                let when = (reading.began().0, !reading.is_sweep());
                keep_newest(self.active.get_mut(side), active, when);
            }
        }
    }

    fn led(&self, side: Side) -> Option<&Target> {
        self.route.get(side).as_ref()?.0.as_ref()
    }

    fn saw_active(&self, side: Side, id: PeeringId) -> bool {
        self.active.get(side).as_ref().is_some_and(|(ids, _)| ids.contains(&id))
    }
}

fn keep_newest<T>(known: &mut Option<(T, When)>, thing: T, when: When) {
    if known.as_ref().is_none_or(|(_, at)| *at <= when) {
        *known = Some((thing, when));
    }
}

/// What the judge has to remember, because the world and the object don't say it any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Peerings that a call of the operator's made; and those of them that took the place of somebody else's, which the
    /// object's end leaves as it leaves what it found.
    made: BTreeSet<PeeringId>,
    stand_ins: BTreeSet<PeeringId>,
    /// Lost peerings that it set out to restore, with the time that was stored with it: it counts from there, whenever the
    /// call leaves.
    counted: BTreeMap<PeeringId, Wall>,
    /// Ids that memory called established, and those whose loss was ever flagged.
    established: BTreeSet<PeeringId>,
    flagged: BTreeSet<PeeringId>,
    /// What people did.
    pub did: BTreeSet<Human>,
    /// A write landed after its sender had lost the lease.
    pub landed_late: bool,
}

type Judged = Result<(), String>;

fn broken<T>(invariant: u8, what: impl Into<String>) -> Result<T, String> {
    Err(format!("invariant {invariant}: {}", what.into()))
}

fn status(world: &World, id: PeeringId) -> Option<PeeringStatus> {
    let id = ec2sim::PeeringId::parse(&id.to_string()).unwrap();
    world.peering(&id).map(|view| view.status)
}

fn has_ended(world: &World, id: PeeringId) -> bool {
    status(world, id).is_none_or(PeeringStatus::has_ended)
}

/// Where the declared route of this side leads, in truth.
pub fn target(setup: &Setup, world: &World, side: Side) -> Option<Target> {
    let (table, destination) = setup.slot(side);
    let table = world.route_table(table)?;
    let route = table.route(destination)?;
    Some(match &route.target {
        ec2sim::Target::Local => Target::Local,
        ec2sim::Target::Peering(id) => Target::Peering(text(id)),
        other => Target::Other(other.as_str().into()),
    })
}

impl Ledger {
    /// Judges a write that is about to be sent.
    pub fn may_send(
        &self,
        setup: &Setup,
        world: &World,
        turn: &Turn,
        shown: &Shown,
        call: &WriteCall,
        lease_ends: Option<u64>,
    ) -> Judged {
        let now_ms = world.now_ms();
        if let Some(ends) = lease_ends
            && now_ms + terms().longest_write_ms() >= ends
        {
            return broken(
                7,
                format!(
                    "{call} may last longer than the lease, which ends in {} s",
                    ends.saturating_sub(now_ms) / 1000
                ),
            );
        }
        let deleting = turn.live().is_some_and(|live| live.desired.deleting);
        self.may_touch(setup, world, shown, call, deleting)?;
        if !deleting {
            self.was_flagged(world, call)?;
        }
        self.was_counted(turn, call)
    }

    /// 3: only what is ours is changed, and no live target that the writer had been shown.
    fn may_touch(
        &self,
        setup: &Setup,
        world: &World,
        shown: &Shown,
        call: &WriteCall,
        deleting: bool,
    ) -> Judged {
        match &call.write {
            Write::Remove(id, _) => {
                if !self.made.contains(id) && setup.deletion != Some(DeletionPolicy::Delete) {
                    return broken(3, format!("{call}: somebody else made it"));
                }
                if !deleting && status(world, *id) == Some(PeeringStatus::Active) {
                    return broken(3, format!("{call}: it is active and declared"));
                }
            }
            Write::Repoint { .. } | Write::DropRoute { .. } | Write::AddRoute { .. } => {
                let Some((_, (read_ms, _))) = shown.route.get(call.side) else {
                    return broken(3, format!("{call}: its table was never read"));
                };
                if world.now_ms() > read_ms + setup.timing.fresh_ms.max(1) * 2 {
                    return broken(3, format!("{call}: its table was read too long ago"));
                }
                let takes_back = setup.policy.on_repointed_route == Reaction::Restore;
                if let Some(target @ (Target::Other(_) | Target::Local)) = shown.led(call.side)
                    && !takes_back
                {
                    return broken(3, format!("{call}: it had been shown that the route leads to {target}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// 11: the flag is stored before the first act that follows from a loss.
    fn was_flagged(&self, world: &World, call: &WriteCall) -> Judged {
        let unflagged = |id: &PeeringId| {
            self.established.contains(id) && has_ended(world, *id) && !self.flagged.contains(id)
        };
        let acts_on = match &call.write {
            Write::Create { .. } => self.established.iter().copied().find(unflagged),
            Write::Repoint { from: Target::Peering(id), .. } => Some(*id).filter(unflagged),
            Write::DropRoute { was, .. } => Some(*was).filter(unflagged),
            _ => None,
        };
        match acts_on {
            Some(id) => broken(11, format!("{call}: the loss of {id} was never stored")),
            None => Ok(()),
        }
    }

    /// 4: what is restored was counted before.
    fn was_counted(&self, turn: &Turn, call: &WriteCall) -> Judged {
        let episode = turn.live().and_then(|live| live.memory.episode.as_ref());
        let Some(lost) = episode.map(|episode| episode.lost) else { return Ok(()) };
        if matches!(call.write, Write::Create { .. }) && !self.counted.contains_key(&lost) {
            return broken(4, format!("{call}: that {lost} is restored was never counted"));
        }
        Ok(())
    }

    /// 4: a peering is restored only so often in a window.
    fn count(&mut self, setup: &Setup, world: &World, memory: &Memory) -> Judged {
        let Some(episode) = &memory.episode else { return Ok(()) };
        let Some(acted) = episode.acted.filter(|_| setup.policy.action == LossAction::Restore) else {
            return Ok(());
        };
        if self.counted.contains_key(&episode.lost) {
            return Ok(());
        }
        let (lost, limits) = (episode.lost, setup.policy.limits);
        let late_s = clock::now(world.now_ms()).wall.since_s(acted);
        // Some sweeps at most, unless it was the machine that stood still.
        if late_s < 0 || late_s > 300 && !self.landed_late {
            return broken(4, format!("{lost} is restored, and that is counted {late_s} s ago"));
        }
        let most = limits.max_restores_per_peering.min(limits.max_restores) as usize;
        let recent = self.counted.values().filter(|at| acted.since_s(**at) < limits.window_s).count();
        self.counted.insert(lost, acted);
        if recent >= most {
            return broken(
                4,
                format!("{lost} is restored, after {recent} in this window, of at most {most}"),
            );
        }
        Ok(())
    }

    /// Takes note of what the operator's calls made. Same direction, same id: a repeated request makes nothing.
    pub fn note_calls(&mut self, world: &World, store: &Store) {
        let made = |mutation: &&ec2sim::Mutation| {
            let by_us = &*mutation.caller.principal == OPERATOR;
            mutation.action == Action::CreateVpcPeeringConnection && mutation.result.is_ok() && by_us
        };
        let episode = store.object.as_ref().and_then(|object| object.memory.episode.as_ref());
        let lost_anothers = episode.is_some_and(|episode| !self.goes_with_object(episode.lost));
        for mutation in world.log().filter(made) {
            let id = mutation.ids.last().unwrap().parse().unwrap();
            if self.made.insert(id) && lost_anothers {
                self.stand_ins.insert(id);
            }
        }
    }

    /// It was made for the object, and goes when that goes.
    fn goes_with_object(&self, id: PeeringId) -> bool {
        self.made.contains(&id) && !self.stand_ins.contains(&id)
    }

    /// A peering that should have gone with the object.
    fn left_behind(&self, setup: &Setup, world: &World) -> Option<PeeringId> {
        if setup.deletion == Some(DeletionPolicy::Retain) || self.landed_late {
            return None;
        }
        let live = |id: &PeeringId| status(world, *id).is_some_and(PeeringStatus::is_live);
        self.made.iter().copied().filter(|id| self.goes_with_object(*id)).find(live)
    }

    /// Judges what was just stored.
    pub fn committed(
        &mut self,
        setup: &Setup,
        world: &World,
        before: &Store,
        after: &Store,
        shown: Option<&Shown>,
    ) -> Judged {
        let Some(object) = &after.object else {
            return self.nothing_left(setup, world, before);
        };
        let memory = &object.memory;
        ended_in_truth(world, memory)?;
        let before_it = before.object.as_ref().and_then(|object| object.memory.episode.as_ref());
        if let Some(episode) = &memory.episode {
            let is_open = before_it.is_some_and(|known| known.lost == episode.lost);
            let again = if is_open {
                before_it.is_some_and(|known| known.detected != episode.detected)
            } else {
                !self.flagged.insert(episode.lost)
            };
            if again {
                return broken(10, format!("the loss of {} is told a second time", episode.lost));
            }
        }
        let acts = memory.episode.as_ref().is_some_and(|episode| episode.acted.is_some());
        if acts && setup.policy.approval.is_some() && !self.did.contains(&Human::Approves) {
            return broken(4, "it acts upon a loss that nobody approved".to_owned());
        }
        self.count(setup, world, memory)?;
        if let Life::Established(id) = memory.life {
            self.established.insert(id);
        }
        match shown {
            Some(shown) => read_back(setup, before, object, shown),
            None => Ok(()),
        }
    }

    /// 10: the object is gone; nothing that is the operator's may be left behind it.
    fn nothing_left(&self, setup: &Setup, world: &World, before: &Store) -> Judged {
        let Some(object) = &before.object else { return Ok(()) };
        if let Some(id) = self.left_behind(setup, world) {
            return broken(10, format!("the object is gone, and {id} that it made is live"));
        }
        if setup.deletion == Some(DeletionPolicy::Retain) || self.landed_late {
            return Ok(());
        }
        for side in Side::BOTH {
            let Some(Target::Peering(id)) = target(setup, world, side) else { continue };
            let ours = object
                .memory
                .slots
                .iter()
                .any(|(slot, owned)| slot.side == side && owned.how == How::Created);
            if ours && self.goes_with_object(id) {
                return broken(10, format!("the object is gone, and the {side}'s route to {id} is left"));
            }
        }
        Ok(())
    }
}

/// 2: what memory calls ended has ended.
fn ended_in_truth(world: &World, memory: &Memory) -> Judged {
    let past = memory.past.iter().map(|past| past.id);
    let lost = memory.episode.iter().map(|episode| episode.lost);
    match past.chain(lost).find(|id| !has_ended(world, *id)) {
        Some(id) => broken(2, format!("{id} is remembered as ended, and is {:?}", status(world, id))),
        None => Ok(()),
    }
}

/// 11: what is reported as restored, or in sync, had been read so.
fn read_back(setup: &Setup, before: &Store, object: &crate::store::Object, shown: &Shown) -> Judged {
    let was_open = before.object.as_ref().is_some_and(|object| object.memory.episode.is_some());
    let closed = object.memory.last_loss.as_ref().filter(|_| was_open && object.memory.episode.is_none());
    let restored =
        closed.filter(|loss| loss.outcome != LossOutcome::Released).and_then(|loss| loss.successor);
    if let Some(id) = restored
        && let Some(side) = Side::BOTH.into_iter().find(|side| !shown.saw_active(*side, id))
    {
        return broken(11, format!("{id} is said to be restored, and the {side} never showed it active"));
    }
    let ready = object.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
    if ready.is_none_or(|ready| ready.truth != Truth::True) {
        return Ok(());
    }
    let Some(id) = object.memory.peering() else { return broken(11, "ready, and no peering is remembered") };
    for side in Side::BOTH {
        let leads = shown.led(side) == Some(&Target::Peering(id));
        if !leads || !shown.saw_active(side, id) {
            let led = shown.led(side).map_or_else(|| "nowhere".to_owned(), ToString::to_string);
            return broken(11, format!("ready over {id}, and the {side} showed its route leading to {led}"));
        }
    }
    let _ = setup;
    Ok(())
}

/// Where a world that nothing disturbs any more may come to rest.
pub fn at_rest(setup: &Setup, world: &World, store: &Store, ledger: &Ledger) -> Result<&'static str, String> {
    let Some(object) = &store.object else {
        if let Some(id) = ledger.left_behind(setup, world) {
            return Err(format!("the object is gone for good, and {id} that it made is live"));
        }
        return Ok("gone");
    };
    let ready = object.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
    let Some(ready) = ready else { return Err("nothing was ever reported".into()) };
    let says = format!("Ready={:?} {}: {}", ready.truth, ready.reason, ready.message);
    if object.deleting {
        return Err(format!("it is never deleted; {says}"));
    }
    no_twin(setup, world, ledger)?;
    if ready.truth == Truth::True {
        return is_whole(setup, world, object).map(|()| "whole");
    }
    let stalled = object.report.as_ref().and_then(|report| report.condition(ConditionType::Stalled));
    if stalled.is_none() {
        return Err(format!("it rests without saying what it waits for; {says}"));
    }
    let did = |human| ledger.did.contains(&human);
    match (ready.reason, setup.policy.action) {
        (Reason::ReleasedByPolicy, LossAction::RemoveRoutes) if did(Human::DeletesPeering) => {
            no_dead_route(setup, world).map(|()| "released")
        }
        (Reason::DeletedUnexpectedly, LossAction::Flag) if did(Human::DeletesPeering) => Ok("flagged"),
        (Reason::LimitReached, LossAction::Restore) if setup.policy.limits.max_restores == 0 => Ok("held"),
        (Reason::Occupied, _) if did(Human::RepointsRoute) => {
            occupied(setup, world, object).map(|()| "occupied")
        }
        // The request itself was withdrawn before it was ever active.
        (Reason::AwaitingApproval, _) if did(Human::DeletesPeering) && setup.policy.approval.is_some() => {
            Ok("awaiting approval")
        }
        (Reason::RequestDeleted, _) if did(Human::DeletesPeering) => Ok("request deleted"),
        _ => Err(format!("it rests where nobody declared it to; {says}")),
    }
}

fn is_whole(setup: &Setup, world: &World, object: &crate::store::Object) -> Judged {
    let Life::Established(id) = object.memory.life else { return Err("ready without a peering".into()) };
    if status(world, id) != Some(PeeringStatus::Active) {
        return Err(format!("ready, and {id} is {:?}", status(world, id)));
    }
    for side in Side::BOTH {
        let led = target(setup, world, side);
        if led != Some(Target::Peering(id)) {
            return Err(format!("ready, and the {side}'s route leads to {led:?}"));
        }
    }
    Ok(())
}

/// 8: beside an active peering none of the operator's making is live.
fn no_twin(setup: &Setup, world: &World, ledger: &Ledger) -> Judged {
    let places = &setup.places;
    let live = world.live_peerings_of(&places.requester.vpc, &places.accepter.vpc);
    let ids: Vec<PeeringId> = live.iter().map(text).collect();
    let Some(active) = ids.iter().find(|id| status(world, **id) == Some(PeeringStatus::Active)) else {
        return Ok(());
    };
    match ids.iter().find(|id| *id != active && ledger.made.contains(id)) {
        Some(twin) => broken(8, format!("{twin} of ours is live beside {active}")),
        None => Ok(()),
    }
}

fn occupied(setup: &Setup, world: &World, object: &crate::store::Object) -> Judged {
    let Life::Established(id) = object.memory.life else { return Err("occupied without a peering".into()) };
    if status(world, id) != Some(PeeringStatus::Active) {
        return Err(format!("occupied, and {id} is {:?}", status(world, id)));
    }
    for side in Side::BOTH {
        match target(setup, world, side) {
            Some(Target::Other(_)) => {}
            led if led == Some(Target::Peering(id)) => {}
            led => return Err(format!("occupied, and the {side}'s route leads to {led:?}")),
        }
    }
    Ok(())
}

fn no_dead_route(setup: &Setup, world: &World) -> Judged {
    for side in Side::BOTH {
        if let Some(Target::Peering(id)) = target(setup, world, side)
            && has_ended(world, id)
        {
            return Err(format!("released, and the {side}'s route still leads to {id}"));
        }
    }
    Ok(())
}

/// A commit in few words, for traces.
pub fn in_short(commit: &Commit) -> String {
    let mut words = vec![format!("{:?}", commit.memory.life)];
    if let Some(episode) = &commit.memory.episode {
        let acted = if episode.acted.is_some() { ", acted upon" } else { "" };
        words.push(format!("loss of {} open{acted}", episode.lost));
    }
    if commit.memory.create_intent.is_some() {
        words.push("means to create".to_owned());
    }
    if let Some(ready) = commit.report.condition(ConditionType::Ready) {
        words.push(format!("Ready={:?} {}", ready.truth, ready.reason));
    }
    match commit.finalizer {
        Finalizer::Keep => {}
        Finalizer::Add => words.push("finalizer added".to_owned()),
        Finalizer::Drop => words.push("finalizer dropped".to_owned()),
    }
    words.join("; ")
}
