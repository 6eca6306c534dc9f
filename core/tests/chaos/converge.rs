//! The end: every object is as declared, by the truth of the world, or says why not, and that is so. Then nothing more is
//! written.

use ec2sim::{PeeringStatus, VpcId};
use peerkeeper_core::desired::{Destinations, LossAction, SideSpec, TableSelector};
use peerkeeper_core::ids::{ObjectKey, OwnerTag, PeeringId, Side};
use peerkeeper_core::incident::DecisionVerdict;
use peerkeeper_core::memory::Life;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::{ConditionType, Reason};

use crate::common::aws::OPERATOR;
use crate::common::cluster::{OWNER_ID, Object};
use crate::common::rig::pcx;
use crate::script::CHAOS_MS;
use crate::stage::{START_MS, Stage};

/// In virtual time, after the faults have ended: longer than the limits' windows and every backoff.
const BOUND_MS: u64 = 4_800_000;
/// Longer than the longest pause before what was refused is tried again, or than what is sent takes to be given up.
const QUIET_MS: u64 = 360_000;

/// So many seeds end with one thing wrong that must stop nothing else.
const TROUBLE_EACH: u64 = 4;

impl Stage {
    /// Chaos, then calm, then convergence, then silence. What went wrong, if anything did.
    pub fn run(&mut self) -> Result<(), String> {
        self.run_to(START_MS + CHAOS_MS);
        self.verdict()?;
        self.calm_down();
        self.converge()?;
        if self.seed.is_multiple_of(TROUBLE_EACH) {
            self.in_trouble()?;
            self.converge()?;
        }
        Ok(())
    }

    fn converge(&mut self) -> Result<(), String> {
        let calm_ms = self.now_ms();
        loop {
            let before = self.written();
            self.run_to(self.now_ms() + QUIET_MS);
            self.verdict()?;
            let after = self.written();
            let settled = self.settled();
            if settled.is_ok() && before == after {
                return Ok(());
            }
            if self.now_ms() < calm_ms + BOUND_MS / 2 {
                self.decide_all();
            }
            if self.now_ms() > calm_ms + BOUND_MS {
                settled.map_err(|why| format!("it does not converge: {why}"))?;
                return Err(format!("writes go on: {before:?}, {after:?} (AWS, API server, Events)"));
            }
        }
    }

    /// People look at what waits for them: they approve each plan, and delete what stands in an incident's place.
    pub fn decide_all(&mut self) {
        for (key, object) in self.api.truth.objects.clone() {
            let Some(episode) = &object.memory.episode else { continue };
            let ready = object.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
            match ready.map(|ready| ready.reason) {
                Some(
                    Reason::AwaitingApproval
                    | Reason::LimitReached
                    | Reason::ActorUnknown
                    | Reason::PlanRejected,
                ) => {
                    if self.api.truth.incidents.digest(&key, episode.lost).is_some() {
                        self.api.truth.incidents.decide(&key, episode.lost, DecisionVerdict::Approve);
                    }
                }
                Some(Reason::IncidentConflict) => self.api.truth.incidents.delete(&key, episode.lost),
                _ => continue,
            }
            self.touch(&key);
        }
    }

    pub fn verdict(&self) -> Result<(), String> {
        if self.judge.failed() { Err(self.judge.violations.join("\n")) } else { Ok(()) }
    }

    fn written(&self) -> (usize, u64, u64) {
        let aws = self.world.log().filter(|m| &*m.caller.principal == OPERATOR).count();
        (aws, self.api.truth.writes, self.told)
    }

    pub fn settled(&self) -> Result<(), String> {
        for (key, object) in &self.api.truth.objects {
            self.settled_one(key, object).map_err(|why| format!("{key}: {why}"))?;
        }
        self.no_twin_of_ours()
    }

    pub fn settled_one(&self, key: &ObjectKey, object: &Object) -> Result<(), String> {
        let Some(report) = &object.report else { return Err("it never reported".to_owned()) };
        let Some(ready) = report.condition(ConditionType::Ready) else {
            return Err("without Ready".to_owned());
        };
        if report.observed_generation != object.generation {
            return Err("its last change was not observed".to_owned());
        }
        if object.deleting {
            return self.may_linger(object, ready.reason);
        }
        if ready.truth == Truth::True {
            return self.is_whole(key, object);
        }
        let waits = ready.reason == Reason::AwaitingAcceptance;
        if report.condition(ConditionType::Stalled).is_none() && !waits {
            return Err(format!("still {} ({}): {:?}", ready.reason, ready.message, object.memory.life));
        }
        self.is_so(object, ready.reason)
            .map_err(|why| format!("it says {} ({}), but {why}", ready.reason, ready.message))
    }

    fn may_linger(&self, object: &Object, reason: Reason) -> Result<(), String> {
        Err(format!("it is still being deleted: {reason} {:?}", object.memory.life))
    }

    /// What keeps an object from being as declared is so, by the truth of the world.
    fn is_so(&self, object: &Object, reason: Reason) -> Result<(), String> {
        let policy = self.api.truth.policy_of(object);
        let live = self.live_peerings(object);
        let so = match reason {
            Reason::ReleasedByPolicy => {
                live.is_empty() && matches!(object.memory.life, Life::Released { .. })
            }
            Reason::DeletedUnexpectedly => {
                live.is_empty() && (policy.action == LossAction::Flag || self.is_unnamed(object))
            }
            Reason::DeletedAsAuthorized => live.is_empty() && policy.on_authorized == LossAction::Flag,
            Reason::WithdrawnByPeer => live.is_empty() && self.is_foreign(object),
            Reason::VpcGone | Reason::VpcNotFound => {
                Side::BOTH.into_iter().any(|side| !self.has_vpc(object, side))
            }
            Reason::Decommissioning => live.is_empty() && self.a_side_lost_its_tables(object),
            Reason::RequestDeleted
            | Reason::RequestRejected
            | Reason::RequestExpired
            | Reason::RequestFailed => live.is_empty(),
            Reason::OwnedElsewhere => live.iter().any(|id| self.carries_anothers_tag(object, id)),
            Reason::AdoptionDisabled => !live.is_empty(),
            Reason::Occupied => self.wrong_routes(object).iter().any(|wrong| wrong.held),
            Reason::PairClaimed => self.has_rival(object),
            Reason::RouteClaimed => self.has_neighbour(object),
            Reason::OverlappingCidrs | Reason::DestinationIsLocal => true,
            Reason::AwaitingAcceptance => self.is_foreign(object),
            Reason::PolicyNotFound | Reason::AwsRefused => {
                self.is_unnamed(object) || policy_is_missing(self, object)
            }
            Reason::NothingSelected => true,
            Reason::SelectionShrank
            | Reason::RouteTableNotFound
            | Reason::PrefixListNotFound
            | Reason::DestinationOutsidePeer
            | Reason::RouteShadows
            | Reason::PeerCidrsChanged => true,
            Reason::Drifted | Reason::DeadRoute => {
                policy.on_drift == peerkeeper_core::desired::Reaction::Flag || policy_is_missing(self, object)
            }
            _ => false,
        };
        if so { Ok(()) } else { Err(format!("live: {live:?}, life {:?}", object.memory.life)) }
    }

    fn is_unnamed(&self, object: &Object) -> bool {
        policy_is_missing(self, object)
    }

    fn is_foreign(&self, object: &Object) -> bool {
        matches!(object.sides.accepter.account, peerkeeper_core::desired::AccountRef::Foreign(_))
    }

    fn vpc_of(&self, object: &Object, side: Side) -> VpcId {
        VpcId::parse(&object.sides.get(side).vpc.to_string()).unwrap()
    }

    fn has_vpc(&self, object: &Object, side: Side) -> bool {
        self.world.vpc(&self.vpc_of(object, side)).is_some()
    }

    fn live_peerings(&self, object: &Object) -> Vec<ec2sim::PeeringId> {
        let [from, to] = [Side::Requester, Side::Accepter].map(|side| self.vpc_of(object, side));
        self.world.live_peerings_of(&from, &to)
    }

    fn a_side_lost_its_tables(&self, object: &Object) -> bool {
        Side::BOTH.into_iter().any(|side| {
            let mut tables = object.memory.slots.keys().filter(|slot| slot.side == side).peekable();
            // The routes of a table that is gone are let go of in time, and the word for the loss stays.
            let had_some = tables.peek().is_some() || !object.sides.get(side).routes.is_empty();
            had_some
                && tables.all(|slot| self.world.route_table(&crate::common::rig::rtb(slot.table)).is_none())
        })
    }

    fn carries_anothers_tag(&self, object: &Object, id: &ec2sim::PeeringId) -> bool {
        let me = format!("{OWNER_ID}/{}", object.key);
        self.scene.places.iter().any(|place| {
            let view = self.world.peering_as(&place.owner(), id);
            view.is_some_and(|view| view.tags.get(OwnerTag::KEY).is_some_and(|owner| *owner != me))
        })
    }

    fn has_rival(&self, object: &Object) -> bool {
        let mut others = self.api.truth.objects.values().filter(|other| other.key != object.key);
        others.any(|other| other.pair() == object.pair())
    }

    fn has_neighbour(&self, object: &Object) -> bool {
        let mut others = self.api.truth.objects.values().filter(|other| other.key != object.key);
        others.any(|other| {
            object.memory.slots.keys().chain(other.memory.slots.keys()).count() > 0
                && other.pair().vpcs().iter().any(|vpc| object.pair().vpcs().contains(vpc))
        })
    }

    /// Ready means so.
    fn is_whole(&self, _: &ObjectKey, object: &Object) -> Result<(), String> {
        let Life::Established(id) = object.memory.life else {
            return Err(format!("ready, and {:?}", object.memory.life));
        };
        let Some(view) = self.world.peering(&pcx(id)).filter(|view| view.status == PeeringStatus::Active)
        else {
            return Err(format!("ready, and {id} is not active"));
        };
        if let Some(wrong) = self.wrong_routes(object).first() {
            return Err(format!("ready, and {}", wrong.what));
        }
        for side in Side::BOTH {
            let vpc = self.vpc_of(object, side);
            let end = if view.requester.vpc == vpc { &view.requester } else { &view.accepter };
            let wanted = object.sides.get(side).allow_dns;
            if wanted
                .is_some_and(|wanted| end.allow_dns_resolution_from_remote_vpc.unwrap_or(false) != wanted)
            {
                return Err(format!("ready, and DNS on the {side} side is not {wanted:?}"));
            }
        }
        self.tags_are_right(object, id)
    }

    fn tags_are_right(&self, object: &Object, id: PeeringId) -> Result<(), String> {
        let me = format!("{OWNER_ID}/{}", object.key);
        for side in Side::BOTH {
            let spec = object.sides.get(side);
            let peerkeeper_core::desired::AccountRef::Managed(name) = &spec.account else { continue };
            let account = &self.api.truth.accounts[name];
            let at = ec2sim::Caller::new(account.id.to_string().as_str(), spec.region.as_str());
            let Some(view) = self.world.peering_as(&at, &pcx(id)) else { continue };
            let wanted = object.tags.iter().map(|(key, value)| (key.as_ref(), value.as_ref()));
            for (key, value) in wanted.chain([(OwnerTag::KEY, me.as_str())]) {
                if view.tags.get(key).map(String::as_str) != Some(value) {
                    return Err(format!("ready, and on the {side} side {id} is tagged {:?}", view.tags));
                }
            }
        }
        Ok(())
    }

    /// Declared routes that don't lead to the peering, found without asking the planner.
    fn wrong_routes(&self, object: &Object) -> Vec<Wrong> {
        let current = object.memory.peering().map(|id| id.to_string()).unwrap_or_default();
        let mut wrong = Vec::new();
        for side in Side::BOTH {
            let peer = self.world.vpc(&self.vpc_of(object, side.peer()));
            let cidrs: Vec<String> = peer
                .map(|vpc| vpc.cidrs.iter().map(|held| held.cidr.to_string()).collect())
                .unwrap_or_default();
            for (table, destination) in
                self.declared(object.sides.get(side), &self.vpc_of(object, side), &cidrs)
            {
                let Some(table) = self.world.route_table(&table) else { continue };
                let target = table.route(&destination).map(|route| route.target.to_string());
                if target.as_deref() != Some(&current) {
                    let held = target.is_some();
                    let what = format!("{destination} in {} leads to {target:?}, not {current}", table.id);
                    wrong.push(Wrong { what, held });
                }
            }
        }
        wrong
    }

    fn declared(&self, side: &SideSpec, vpc: &VpcId, peer: &[String]) -> Vec<(ec2sim::RouteTableId, String)> {
        let mut slots = Vec::new();
        for spec in &side.routes {
            let tables = self.world.route_tables().filter(|table| table.vpc == *vpc && !table.is_edge());
            let selected = tables.filter(|table| match &spec.tables {
                TableSelector::All => true,
                TableSelector::Main => table.is_main(),
                TableSelector::Ids(ids) => ids.iter().any(|id| id.to_string() == table.id.as_str()),
                TableSelector::Tags(tags) => tags
                    .iter()
                    .all(|(key, value)| table.tags.get(&**key).map(String::as_str) == Some(&**value)),
            });
            let destinations: Vec<String> = match &spec.destinations {
                Destinations::PeerCidrs { .. } => peer.to_vec(),
                Destinations::Cidrs(cidrs) => cidrs.iter().map(ToString::to_string).collect(),
                Destinations::PrefixLists(lists) => lists.iter().map(ToString::to_string).collect(),
            };
            for table in selected {
                slots.extend(destinations.iter().map(|to| (table.id.clone(), to.clone())));
            }
        }
        slots
    }

    /// A human's own request from the other end may wait beside it; one of ours may not.
    fn no_twin_of_ours(&self) -> Result<(), String> {
        let holds = |object: &&Object| matches!(object.memory.life, Life::Established(_));
        for object in self.api.truth.objects.values().filter(holds) {
            let live = self.live_peerings(object);
            let active = |id: &ec2sim::PeeringId| {
                self.world.peering(id).is_some_and(|view| view.status == PeeringStatus::Active)
            };
            // One that lost our tag is nobody's.
            let ours = |id: &ec2sim::PeeringId| {
                let me = format!("{OWNER_ID}/{}", object.key);
                let view = self.world.peering(id);
                self.judge.made_by_us(id.as_str())
                    && !self.carries_anothers_tag(object, id)
                    && view.is_some_and(|view| view.tags.get(OwnerTag::KEY).is_some_and(|owner| *owner == me))
            };
            let twin = live.iter().find(|id| !active(id) && ours(id));
            if let Some(twin) = twin.filter(|_| live.iter().any(active)) {
                return Err(format!("{}: our own {twin} waits beside {live:?}", object.key));
            }
        }
        Ok(())
    }
}

struct Wrong {
    what: String,
    /// Something else is in its place.
    held: bool,
}

fn policy_is_missing(stage: &Stage, object: &Object) -> bool {
    object.policy.as_ref().is_some_and(|name| !stage.api.truth.policies.contains_key(name))
}
