//! What must never happen, judged from the world's truth, its log, and what the API server was given to store. Nothing
//! in here asks the planner anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ec2sim::{Mutation, PeeringStatus, Request, World};
use peerkeeper_core::desired::{AccountRef, DependentRoutes, Limits, Policy, Reaction, StaleRules};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, OwnerTag, PeeringId, Side, Slot};
use peerkeeper_core::memory::{Act, Life, LossClass, LossOutcome, Memory};
use peerkeeper_core::misuse::Ends;
use peerkeeper_core::pace::lease;
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::Live;
use peerkeeper_core::write::{Write, WriteCall};

use crate::api::ApiWrite;
use crate::common::aws::OPERATOR;
use crate::common::cluster::{OWNER_ID, Object};
use crate::common::rig::pcx;
use crate::drive::WRITE_TIMEOUT_MS;
use crate::knobs::LAG_MS;
use crate::scene::{MAX_OF_OPERATOR, WINDOW_S};
use crate::script::What;
use crate::stage::{Stage, Whose};

/// A reading may be this old when a write leaves: fresh when it was planned, fresh when it was sent, each for ten seconds;
/// and it may have shown what was true as long before as reads lag.
const SEEN_MS: u64 = 20_000 + LAG_MS + WRITE_TIMEOUT_MS + 1_000;

/// One write on its way, and what its sender knew.
#[derive(Clone, Debug)]
pub struct Doing {
    pub whose: Whose,
    pub uid: Arc<str>,
    pub deleting: bool,
    pub policy: Policy,
    pub desired: Arc<peerkeeper_core::desired::Desired>,
    /// What was really stored when it left.
    pub stored: Arc<Memory>,
    pub left_ms: u64,
}

impl Doing {
    pub fn new(whose: &Whose, live: &Live, stored: Arc<Memory>) -> Self {
        Self {
            whose: whose.clone(),
            uid: live.desired.uid.clone(),
            deleting: live.desired.deleting,
            policy: live.policy.clone(),
            desired: Arc::new(live.desired.clone()),
            stored,
            left_ms: 0,
        }
    }
}

/// Who asked for a peering first, and when.
#[derive(Clone, Debug)]
struct Made {
    by_us: bool,
    vpcs: [String; 2],
}

/// Where a slot led from each moment on; `None`: nowhere.
type Targets = Vec<(u64, Option<String>)>;
/// From when, and until when if it has ended.
type Spans = Vec<(u64, Option<u64>)>;

#[derive(Default)]
pub struct Judge {
    pub violations: Vec<String>,
    /// How much of the world's log has been entered.
    entered: usize,
    made: BTreeMap<String, Made>,
    /// What each route slot held since when.
    slots: BTreeMap<(String, String), Targets>,
    /// Since when a peering carries another's tag in one place, and until when.
    foreign: BTreeMap<(String, String, String), Spans>,
    /// Who holds the lease by the API server's record.
    holder: Option<(usize, lease::Identity)>,
    /// Writes that left: by whom, and until when they may be under way.
    leaves: Vec<(usize, lease::Identity, u64)>,
    /// Losses that were opened, and those that were closed, by object.
    opened: BTreeMap<(Arc<str>, PeeringId), i64>,
    closed: BTreeSet<(Arc<str>, PeeringId)>,
}

impl Judge {
    pub fn failed(&self) -> bool {
        !self.violations.is_empty()
    }

    pub fn accuse(&mut self, invariant: u8, what: String) {
        if self.violations.len() < 3 {
            self.violations.push(format!("invariant {invariant}: {what}"));
        }
    }

    /// Takes in what reached EC2 since.
    pub fn enter(&mut self, world: &World) {
        let fresh: Vec<Mutation> = world.log().skip(self.entered).cloned().collect();
        self.entered += fresh.len();
        for mutation in fresh.iter().filter(|mutation| mutation.result.is_ok()) {
            self.enter_one(mutation);
        }
    }

    fn enter_one(&mut self, mutation: &Mutation) {
        let at_ms = mutation.at_ms;
        let by_us = &*mutation.caller.principal == OPERATOR;
        match &mutation.request {
            Request::CreateVpcPeeringConnection(asked) => {
                let Some(id) = mutation.ids.last() else { return };
                let vpcs = [asked.vpc_id.clone(), asked.peer_vpc_id.clone()];
                let is_new = !self.made.contains_key(id);
                self.made.entry(id.clone()).or_insert(Made { by_us, vpcs });
                if is_new && let Some(owner) = asked.tags.get(OwnerTag::KEY) {
                    self.enter_owner(mutation, id, Some(owner), at_ms);
                }
            }
            Request::CreateRoute(route) | Request::ReplaceRoute(route) => {
                let to = [
                    &route.vpc_peering_connection_id,
                    &route.transit_gateway_id,
                    &route.gateway_id,
                    &route.nat_gateway_id,
                ];
                let to = to.into_iter().flatten().next().cloned();
                self.enter_slot(route, to, at_ms);
            }
            Request::DeleteRoute(route) => self.enter_slot(route, None, at_ms),
            Request::CreateTags { resources, tags } => {
                for id in resources {
                    if let Some(owner) = tags.get(OwnerTag::KEY) {
                        self.enter_owner(mutation, id, Some(owner), at_ms);
                    }
                }
            }
            Request::DeleteTags { resources, tags } => {
                for id in resources {
                    if tags.iter().any(|(key, _)| key == OwnerTag::KEY) {
                        self.enter_owner(mutation, id, None, at_ms);
                    }
                }
            }
            _ => {}
        }
    }

    fn enter_owner(&mut self, mutation: &Mutation, id: &str, owner: Option<&String>, at_ms: u64) {
        let place = (mutation.caller.account.to_string(), mutation.caller.region.to_string());
        let spans = self.foreign.entry((id.to_owned(), place.0, place.1)).or_default();
        let is_others = owner.is_some_and(|owner| !owner.starts_with(OWNER_ID));
        match spans.last_mut() {
            Some((_, until @ None)) if !is_others => *until = Some(at_ms),
            Some((_, None)) => {}
            _ if is_others => spans.push((at_ms, None)),
            _ => {}
        }
    }

    fn enter_slot(&mut self, route: &ec2sim::RouteRequest, to: Option<String>, at_ms: u64) {
        let destination = [
            &route.destination_cidr_block,
            &route.destination_ipv6_cidr_block,
            &route.destination_prefix_list_id,
        ];
        let destination = destination.into_iter().flatten().next().cloned().unwrap_or_default();
        self.slots.entry((route.route_table_id.clone(), destination)).or_default().push((at_ms, to));
    }

    /// What a slot may have been seen to hold by one who wrote at `left_ms`.
    fn may_have_been_seen(&self, slot: &Slot, left_ms: u64) -> Vec<Option<String>> {
        let key = (slot.table.to_string(), slot.destination.to_string());
        let held = self.slots.get(&key).map(Vec::as_slice).unwrap_or_default();
        let from = left_ms.saturating_sub(SEEN_MS);
        let mut seen = Vec::new();
        let mut current = None;
        for (at_ms, to) in held {
            if *at_ms > left_ms {
                break;
            }
            if *at_ms >= from {
                seen.push(current.clone());
            }
            current = to.clone();
        }
        seen.push(current);
        seen
    }

    /// Whether a slot ever led there.
    fn ever_led(&self, slot: &Slot, to: &str) -> bool {
        let key = (slot.table.to_string(), slot.destination.to_string());
        self.slots.get(&key).is_some_and(|held| held.iter().any(|(_, at)| at.as_deref() == Some(to)))
    }

    /// Another's tag was on it, as this place shows it, for as long as any reading may be old.
    fn is_anothers(&self, id: &str, at: AccountRegion, left_ms: u64) -> bool {
        let from = left_ms.saturating_sub(SEEN_MS);
        let (account, region) = (at.account.to_string(), at.region.to_string());
        let here = |(of, a, r): &(String, String, String)| of == id && *a == account && *r == region;
        self.foreign.iter().filter(|(place, _)| here(place)).any(|(_, spans)| {
            spans.iter().any(|(since, until)| *since < from && until.is_none_or(|until| until > left_ms))
        })
    }

    pub fn made_by_us(&self, id: &str) -> bool {
        self.made.get(id).is_some_and(|made| made.by_us)
    }

    /// What an object said of its losses is gone with its status.
    pub fn status_lost(&mut self, uid: &Arc<str>) {
        self.opened.retain(|(of, _), _| of != uid);
        self.closed.retain(|(of, _)| of != uid);
    }

    // Invariant 7.

    /// A process renewed or won the lease, by the API server's own record.
    pub fn lease_held(&mut self, replica: usize, me: &lease::Identity, now_ms: u64, acquired: bool) {
        let same = self.holder.as_ref().is_some_and(|(_, holder)| holder == me);
        if same || !acquired {
            return;
        }
        let overlap = self.leaves.iter().find(|(_, by, until)| by != me && *until > now_ms);
        if let Some((other, _, until)) = overlap {
            let what = format!(
                "process {replica} gained the lease at {now_ms}, while a write of process {other} may be under way until {until}"
            );
            self.accuse(7, what);
        }
        self.leaves.clear();
        self.holder = Some((replica, me.clone()));
    }

    /// A write leaves: it holds the lease, by the API server's own record.
    pub fn leaving(&mut self, replica: usize, me: &lease::Identity, now_ms: u64, what: &str) {
        if self.holder.as_ref().is_none_or(|(_, holder)| holder != me) {
            let holder = self.holder.clone();
            self.accuse(7, format!("{what} by process {replica} ({me:?}), while the lease is {holder:?}'s"));
        }
        self.leaves.retain(|(_, _, until)| *until > now_ms);
        self.leaves.push((replica, me.clone(), now_ms + WRITE_TIMEOUT_MS));
    }
}

fn has_ended(world: &World, id: PeeringId) -> bool {
    world.peering(&pcx(id)).is_none_or(|view| view.status.has_ended())
}

/// The loss that a memory is about.
fn lost_of(memory: &Memory) -> Option<PeeringId> {
    match memory.life {
        Life::Established(id) => Some(id),
        Life::Requested { replaces, .. } => replaces,
        Life::NeverSeen | Life::Released { .. } => None,
    }
}

impl Stage {
    /// Invariants 11, 4 and 3, as far as they are decided when a write leaves.
    pub fn judge_leaving(&mut self, doing: &Doing, call: &WriteCall) {
        let me = self.replicas[doing.whose.replica].me.clone();
        self.judge.leaving(doing.whose.replica, &me, doing.left_ms, &call.to_string());
        let key = &doing.whose.key;
        if let Some(object) = self.api.truth.objects.get(key).filter(|object| object.uid == doing.uid)
            && !object.has_finalizer
        {
            self.judge.accuse(10, format!("{call} for {key}, which no finalizer guards"));
        }
        let stored = &doing.stored;
        let ends = match &call.write {
            Write::Remove(id, _) => Some(Ends::Peering(*id)),
            Write::DropRoute { slot, .. } => Some(Ends::Routes(slot.table)),
            _ => None,
        };
        // Heard of without that, it would be somebody else's with our credentials.
        if let Some(ends) = ends.filter(|ends| stored.own.iter().all(|own| own.ends != *ends)) {
            self.judge.accuse(11, format!("{call} for {key}: that {ends:?} ends by us is not stored"));
        }
        match &call.write {
            Write::Create { .. } => {
                if let Some(lost) = lost_of(stored) {
                    let flagged =
                        stored.episode.as_ref().is_some_and(|e| e.lost == lost && e.acted.is_some());
                    if !flagged {
                        let what =
                            format!("{call} for {key}: the loss of {lost} is not stored as acted upon");
                        self.judge.accuse(11, what);
                    }
                    let recorded = stored.case.as_ref().is_some_and(|c| c.of == lost && c.incident.is_some());
                    if !recorded {
                        let what = format!("{call} for {key}: no incident of the loss of {lost} is recorded");
                        self.judge.accuse(11, what);
                    }
                }
                if stored.create_intent.is_none() {
                    self.judge.accuse(11, format!("{call} for {key}: that it is asked for is not stored"));
                }
            }
            Write::AddRoute { slot, .. } if !stored.slots.contains_key(slot) => {
                self.judge.accuse(11, format!("{call} for {key}: that it is meant is not stored"));
            }
            Write::DropRoute { .. } if !doing.deleting && !may_drop(doing) => {
                self.judge.accuse(11, format!("{call} for {key}: nothing that is stored asks for it"));
            }
            Write::RevokeRule { rule, .. } => {
                let stale = stored.case.as_ref().and_then(|case| case.stale.as_ref());
                if !stale.is_some_and(|stale| stale.revoked && stale.include(*rule)) || !may_drop(doing) {
                    self.judge.accuse(11, format!("{call} for {key}: nothing that is stored asks for it"));
                }
            }
            _ => {}
        }
    }

    /// Invariants 3 and 8, by the truth of the world.
    pub fn judge_landed(&mut self, doing: &Doing, call: &WriteCall) {
        let done = self.world.log().next_back().filter(|m| {
            &*m.caller.principal == OPERATOR && m.result.is_ok() && m.at_ms + 100 > self.world.now_ms()
        });
        let done = done.cloned();
        let world = &self.world;
        self.judge.enter(world);
        let Some(done) = done.filter(|done| done.action.name() == call.action()) else { return };
        match &call.write {
            Write::Repoint { slot, .. } | Write::DropRoute { slot, .. } => {
                self.judge_route(doing, call, slot);
            }
            Write::Remove(id, _) => self.judge_removal(doing, call, *id),
            Write::RevokeRule { via, .. } => self.judge_rule(doing, call, *via),
            Write::Accept(id)
            | Write::Options { id, .. }
            | Write::Tag { id, .. }
            | Write::Untag { id, .. } => {
                self.judge_touched(doing, call, *id);
            }
            Write::Create { .. } | Write::AddRoute { .. } => {}
        }
        if let Write::AddRoute { to, .. } | Write::Repoint { to, .. } = &call.write {
            let status = self.world.peering(&pcx(*to)).map(|view| view.status);
            let early = [
                Some(PeeringStatus::InitiatingRequest),
                Some(PeeringStatus::PendingAcceptance),
                Some(PeeringStatus::Provisioning),
            ];
            if early.contains(&status) {
                self.judge.accuse(11, format!("{call}: the peering is {status:?}"));
            }
        }
        let _ = done;
        self.judge_active();
    }

    /// A route may be changed where it led to a peering of this pair, or to one that has ended, or where the policy asks
    /// for it.
    fn judge_route(&mut self, doing: &Doing, call: &WriteCall, slot: &Slot) {
        let takes_back = matches!(call.write, Write::Repoint { .. })
            && doing.policy.on_repointed_route == Reaction::Restore
            && doing.stored.slots.contains_key(slot);
        let seen = self.judge.may_have_been_seen(slot, doing.left_ms);
        let pair = doing.desired.pair();
        let is_pairs = |to: &str| {
            let Some(made) = self.judge.made.get(to) else { return false };
            made.vpcs.iter().all(|vpc| pair.vpcs().iter().any(|of| of.to_string() == *vpc))
        };
        let is_dead = |to: &str| {
            let id: Option<PeeringId> = to.parse().ok();
            id.is_some_and(|id| has_ended(&self.world, id))
        };
        let fits = |to: &Option<String>| match to {
            None => false,
            Some(to) => is_pairs(to) || is_dead(to),
        };
        if !takes_back && !seen.iter().any(fits) {
            let what = format!("{call} for {}: it led to {seen:?} all the time", doing.whose.key);
            self.judge.accuse(3, what);
        }
        let owns = doing.stored.slots.contains_key(slot)
            || doing.policy.dependent_routes == DependentRoutes::All
            || self.is_declared(doing, slot);
        if !owns {
            self.judge.accuse(3, format!("{call} for {}: neither declared nor remembered", doing.whose.key));
        }
    }

    /// A rule is revoked only where the policy asks for that, and only for a peering of this pair that has ended.
    fn judge_rule(&mut self, doing: &Doing, call: &WriteCall, via: PeeringId) {
        if doing.policy.stale_rules != StaleRules::Revoke {
            self.judge.accuse(3, format!("{call} for {}: the policy does not ask for it", doing.whose.key));
        }
        if !has_ended(&self.world, via) {
            self.judge.accuse(3, format!("{call} for {}: the peering has not ended", doing.whose.key));
        }
        self.judge_touched(doing, call, via);
    }

    /// Whether the object's side has that VPC's table, and declares any route at all there.
    fn is_declared(&self, doing: &Doing, slot: &Slot) -> bool {
        let side = doing.desired.sides.get(slot.side);
        let table = self.world.route_table(&crate::common::rig::rtb(slot.table));
        !side.routes.is_empty() && table.is_some_and(|table| table.vpc.as_str() == side.vpc.to_string())
    }

    /// Only for a deleted object, or as our own twin, and only what is ours.
    fn judge_removal(&mut self, doing: &Doing, call: &WriteCall, id: PeeringId) {
        let text = id.to_string();
        let adopted = doing.stored.peering() == Some(id);
        if !self.judge.made_by_us(&text) && !adopted {
            self.judge.accuse(3, format!("{call} for {}: not made by us, nor adopted", doing.whose.key));
        }
        if !doing.deleting && doing.stored.peering() == Some(id) && lost_of(&doing.stored) == Some(id) {
            let what = format!("{call} for {}, which is not being deleted", doing.whose.key);
            self.judge.accuse(2, what);
        }
        self.judge_touched(doing, call, id);
    }

    fn judge_touched(&mut self, doing: &Doing, call: &WriteCall, id: PeeringId) {
        // A tag is seen only in the account and Region that set it, and the other end may be out of sight.
        if self.judge.is_anothers(&id.to_string(), call.at, doing.left_ms) {
            self.judge.accuse(3, format!("{call} for {}: it carries another owner's tag", doing.whose.key));
        }
        let pair = doing.desired.pair();
        let fits = self.judge.made.get(&id.to_string()).is_none_or(|made| {
            made.vpcs.iter().all(|vpc| pair.vpcs().iter().any(|of| of.to_string() == *vpc))
        });
        if !fits {
            self.judge.accuse(3, format!("{call} for {}: another pair's peering", doing.whose.key));
        }
    }

    /// Invariants 7 and 8: never two active peerings of one pair.
    pub fn judge_active(&mut self) {
        let mut pairs = BTreeSet::new();
        let active: Vec<_> =
            self.world.peerings().filter(|view| view.status == PeeringStatus::Active).collect();
        for view in active {
            let mut pair = [view.requester.vpc.to_string(), view.accepter.vpc.to_string()];
            pair.sort();
            if !pairs.insert(pair.clone()) {
                self.judge.accuse(8, format!("two active peerings between {} and {}", pair[0], pair[1]));
            }
        }
    }

    /// Invariants 2, 4, 10 and 11, by what was just stored.
    pub fn judge_commit(&mut self, whose: &Whose, before: Option<&Object>, write: &ApiWrite) {
        let (ApiWrite::Status { memory, report }, Some(before)) = (write, before) else { return };
        self.note_reached(&before.memory, memory, report);
        let uid = before.uid.clone();
        self.judge_endings(whose, &before.memory, memory);
        self.judge_loss(whose, &uid, &before.memory, memory);
        self.judge_acts(whose, &before.memory, memory);
        // A write may land after its turn was cut off: then what the policy says now stands for what it said.
        let of_turn = self.flight(whose).map(|flight| flight.policy.clone());
        let policy = of_turn.unwrap_or_else(|| self.api.truth.policy_of(before));
        self.judge_told(whose, &policy, &before.memory, memory);
    }

    /// What is remembered as ended has ended.
    fn judge_endings(&mut self, whose: &Whose, before: &Memory, memory: &Memory) {
        for past in memory.past.iter().filter(|past| !before.past.contains(past)) {
            if !has_ended(&self.world, past.id) {
                let what =
                    format!("{} has {} as {:?}, and it has not ended", whose.key, past.id, past.ending);
                self.judge.accuse(2, what);
            }
        }
        if let Some(episode) = &memory.episode {
            if !has_ended(&self.world, episode.lost) {
                let what = format!("{} flags the loss of {}, which has not ended", whose.key, episode.lost);
                self.judge.accuse(2, what);
            }
            let pair = memory.pair.map(|pair| pair.pair());
            let gone = pair.is_some_and(|pair| {
                pair.vpcs().iter().any(|vpc| {
                    let id = ec2sim::VpcId::parse(&vpc.to_string());
                    id.is_none_or(|id| self.world.vpc(&id).is_none())
                })
            });
            if episode.class == LossClass::VpcGone && !gone {
                self.judge.accuse(2, format!("{} says that a VPC is gone, and none is", whose.key));
            }
        }
    }

    /// A loss is told once, and "restored" of what was there.
    fn judge_loss(&mut self, whose: &Whose, uid: &Arc<str>, before: &Memory, memory: &Memory) {
        let key = &whose.key;
        if let Some(episode) = &memory.episode {
            let opened = (uid.clone(), episode.lost);
            let is_new = before.episode.as_ref().is_none_or(|known| known.lost != episode.lost);
            // What was settled by removing routes is restored after all where somebody approves that.
            let is_asked = self.api.truth.incidents.is_approved(key, episode.lost);
            if is_new && !is_asked && self.judge.closed.contains(&opened) {
                self.judge.accuse(
                    10,
                    format!("{key} flags the loss of {} again, though it was closed", episode.lost),
                );
            }
            let detected = *self.judge.opened.entry(opened).or_insert(episode.detected.0);
            if detected != episode.detected.0 {
                let what = format!(
                    "{key} flags the loss of {} twice, {detected} and {}",
                    episode.lost, episode.detected.0
                );
                self.judge.accuse(10, what);
            }
        }
        let Some(closed) =
            memory.last_loss.as_ref().filter(|closed| before.last_loss.as_ref() != Some(closed))
        else {
            return;
        };
        self.judge.closed.insert((uid.clone(), closed.lost));
        if closed.outcome == LossOutcome::Released {
            return;
        }
        let world = &self.world;
        self.judge.enter(world);
        let Some(successor) = closed.successor else {
            return self.judge.accuse(11, format!("{key} says restored, and not as what"));
        };
        let status = self.world.peering(&pcx(successor)).map(|view| view.status);
        let never = [
            Some(PeeringStatus::InitiatingRequest),
            Some(PeeringStatus::PendingAcceptance),
            Some(PeeringStatus::Provisioning),
            Some(PeeringStatus::Failed),
            Some(PeeringStatus::Rejected),
            Some(PeeringStatus::Expired),
        ];
        if never.contains(&status) {
            self.judge.accuse(11, format!("{key} is told as restored as {successor}, which is {status:?}"));
        }
        for (slot, owned) in &memory.slots {
            let told = owned.to == successor && owned.how != peerkeeper_core::memory::How::Intended;
            if told && !self.judge.ever_led(slot, &successor.to_string()) {
                self.judge
                    .accuse(11, format!("{key} is told as restored, and {slot} never led to {successor}"));
            }
        }
    }

    /// Acts are bounded in every window and at every level, by what all objects have stored. What is lost with a status is
    /// lost to everybody.
    fn judge_acts(&mut self, whose: &Whose, before: &Memory, memory: &Memory) {
        if memory.taken_from != before.taken_from {
            return;
        }
        let fresh: Vec<(Act, Wall)> =
            memory.spent.iter().filter(|spent| !before.spent.contains(spent)).copied().collect();
        // What a person approved is counted, and no limit holds it.
        let lost = memory.episode.as_ref().map(|episode| episode.lost);
        if lost.is_some_and(|lost| self.api.truth.incidents.is_approved(&whose.key, lost)) {
            return;
        }
        for spent in fresh {
            for (level, most, shares) in self.levels_of(&whose.key, spent.0) {
                let count = self.acts_within(spent, &shares);
                if count > most as usize {
                    let key = &whose.key;
                    let what = format!(
                        "of {level}: {key} begins {:?}, {count} within {WINDOW_S} s, {most} are allowed",
                        spent.0
                    );
                    self.judge.accuse(4, what);
                }
            }
        }
    }

    /// The limits that an act of this object counts under, each with those it shares it with.
    fn levels_of(&self, key: &ObjectKey, act: Act) -> Vec<(String, u32, BTreeSet<ObjectKey>)> {
        let truth = &self.api.truth;
        let Some(object) = truth.objects.get(key) else { return Vec::new() };
        let sharing = |fits: &dyn Fn(&Object) -> bool| {
            truth.objects.values().filter(|other| fits(other)).map(|other| other.key.clone()).collect()
        };
        // The operator's own window is an hour, so within a shorter one no more can be.
        let mut levels = vec![("the operator".to_owned(), MAX_OF_OPERATOR, sharing(&|_| true))];
        // Who moves from one policy or account to another takes along what it did there.
        let happens = |what: &[What]| self.acts.iter().any(|act| what.contains(&act.what));
        if !happens(&[What::EditPolicyRef, What::DeletePolicy]) {
            let limits = truth.policy_of(object).limits;
            let shares = sharing(&|other| other.policy == object.policy);
            levels.push(("the policy".to_owned(), most_of(limits, act), shares));
        }
        if !happens(&[What::DeleteAccount]) {
            for account in truth.accounts.values() {
                let Some(limits) = account.limits else { continue };
                let uses = |other: &Object| {
                    let named = |side| matches!(&other.sides.get(side).account, AccountRef::Managed(n) if *n == account.name);
                    Side::BOTH.into_iter().any(named)
                };
                if uses(object) {
                    levels.push((format!("account {}", account.name), most_of(limits, act), sharing(&uses)));
                }
            }
        }
        levels
    }

    /// What was handed over is one, though both remember it.
    fn acts_within(&self, (act, at): (Act, Wall), shares: &BTreeSet<ObjectKey>) -> usize {
        let objects = self.api.truth.objects.values().filter(|object| shares.contains(&object.key));
        let spent =
            objects.flat_map(|object| object.memory.spent.iter().map(|spent| (object.pair(), *spent)));
        let counts = |(_, (of, when)): &(_, (Act, Wall))| {
            restores(*of) == restores(act) && when.0 > at.0 - WINDOW_S && when.0 <= at.0
        };
        spent.filter(counts).collect::<BTreeSet<_>>().len()
    }

    fn note_reached(&mut self, before: &Memory, memory: &Memory, report: &peerkeeper_core::plan::Report) {
        let of = |life: &Life| match life {
            Life::NeverSeen => "NeverSeen",
            Life::Requested { replaces: None, .. } => "Requested",
            Life::Requested { replaces: Some(_), .. } => "Replacing",
            Life::Established(_) => "Established",
            Life::Released { .. } => "Released",
        };
        if before.life != memory.life {
            let (from, to) = (of(&before.life), of(&memory.life));
            *self.lives.entry((from, to)).or_default() += 1;
        }
        for condition in &report.conditions {
            self.reach.hit("reason", condition.reason);
        }
        for exception in &report.exceptions {
            self.reach.hit("reason", exception.reason);
        }
        for held in &report.held {
            self.reach.hit("reason", held.reason);
            self.reach.hit("why not", held.reason);
        }
    }
}

fn restores(act: Act) -> bool {
    matches!(act, Act::Restore | Act::RepairDrift)
}

fn most_of(limits: Limits, act: Act) -> u32 {
    if restores(act) { limits.max_restores } else { limits.max_removals }
}

/// What is stored asks for routes to be removed: a released loss, or a spec that changed.
fn may_drop(doing: &Doing) -> bool {
    let acted = doing.stored.episode.as_ref().is_some_and(|episode| episode.acted.is_some());
    acted || doing.stored.settled_generation != doing.desired.generation
}
