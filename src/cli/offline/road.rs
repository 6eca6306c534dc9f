//! The whole way from what is to what is declared, for every object.

use std::collections::BTreeMap;
use std::sync::Mutex;

use peerkeeper_core::desired::{AccountRef, Grant, PairAt};
use peerkeeper_core::ids::{
    AccountRegion, Destination, ORIGIN_TAG_KEY, ObjectKey, OwnerTag, PeeringId, Side, Sides, Slot, Target,
};
use peerkeeper_core::memory::Origin;
use peerkeeper_core::observed::{Peering, PeeringState, RouteTable};
use peerkeeper_core::plan::{Report, Truth};
use peerkeeper_core::reason::ConditionType;
use peerkeeper_core::time::Mono;
use peerkeeper_core::turn::TurnResult;
use peerkeeper_core::write::{OursBecause, Write, WriteCall};

use super::Port;
use super::drive::{self, Turned, lock};
use super::foresee::Foreseen;
use super::house::House;
use crate::aws::Reader;
use crate::cli::manifests::Place;

/// So often in a row time may pass without anything happening.
const IDLE_MAX: usize = 12;
const DELETED: &str = "its VpcPeering is being deleted";
/// More rounds than any way takes: a bound, should two objects ever undo each other's work.
const ROUNDS_MAX: usize = 400;

/// What would be done about one object, and what would be left.
#[derive(Clone, Debug)]
pub struct ObjectPlan {
    pub key: ObjectKey,
    pub place: Place,
    pub sides: Sides<SideAt>,
    pub steps: Vec<Step>,
    /// As things are.
    pub now: Report,
    /// As they would be after all steps.
    pub then: Report,
    /// Its VpcPeering is being deleted, and would be let go after them.
    pub ends: bool,
}

/// One end, in words.
#[derive(Clone, Debug)]
pub struct SideAt {
    pub vpc: String,
    pub account: String,
    pub region: String,
}

/// One call, why it is made, and what it does to traffic.
#[derive(Clone, Debug)]
pub struct Step {
    /// Calls of one wave can be sent at once; the next wave needs this one's effect.
    pub wave: usize,
    pub call: WriteCall,
    pub why: String,
    pub traffic: Traffic,
    /// It only marks as adopted what nobody had marked.
    pub adopts: bool,
}

/// What a call does to traffic that flows now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Traffic {
    Untouched,
    /// It takes another way from then on.
    Moved(String),
    Cut(String),
}

impl ObjectPlan {
    pub fn is_in_sync(&self) -> bool {
        let ready = self.now.condition(ConditionType::Ready);
        !self.ends && self.steps.is_empty() && ready.is_some_and(|ready| ready.truth == Truth::True)
    }
}

/// Plans every object among the others, each to its end. Nothing is written, and only what the sweeps brought is looked at.
pub async fn plan(house: House, reader: Reader, now: peerkeeper_core::time::Now) -> Vec<ObjectPlan> {
    let places = house.places().into_iter().filter_map(|place| {
        let account = house.state.declared.get(&place.0)?.account;
        let at = AccountRegion { account, region: place.1 };
        Some((place, at))
    });
    let port = Foreseen::new(reader, places.collect::<Vec<_>>(), now);
    let keys = house.keys();
    let house = Mutex::new(house);
    let mut road =
        Road { house: &house, port: &port, since: now.mono, steps: BTreeMap::new(), first: BTreeMap::new() };
    road.walk(&keys).await;
    let Road { mut steps, mut first, .. } = road;
    let house = lock(&house);
    let view = |name: &str, region: peerkeeper_core::ids::Region| port.view(name, region);
    let mut plans = described(&house, &view);
    for plan in &mut plans {
        plan.steps = steps.remove(&plan.key).unwrap_or_default();
        if let Some(report) = first.remove(&plan.key) {
            plan.now = report;
        }
    }
    plans
}

/// Every object as it was last reported, with nothing left to be done.
pub fn described(
    house: &House,
    view: &dyn Fn(&str, peerkeeper_core::ids::Region) -> peerkeeper_core::observed::SideView,
) -> Vec<ObjectPlan> {
    let one = |key: ObjectKey| {
        let desired = house.desired(&key)?;
        let grants = house.grants(desired, view);
        let report = house.report(&key)?.clone();
        Some(ObjectPlan {
            place: house.place(&key)?.clone(),
            sides: Sides::from_fn(|side| side_at(desired, &grants, side)),
            ends: house.is_gone(&key),
            key,
            steps: Vec::new(),
            now: report.clone(),
            then: report,
        })
    };
    house.keys().into_iter().filter_map(one).collect()
}

fn side_at(desired: &peerkeeper_core::desired::Desired, grants: &Sides<Grant>, side: Side) -> SideAt {
    let spec = desired.sides.get(side);
    let named = match &spec.account {
        AccountRef::Managed(name) => format!("AwsAccount {name}"),
        AccountRef::Foreign(id) => id.to_string(),
    };
    let account = grants.get(side).account().map_or(named, |id| id.to_string());
    SideAt { vpc: spec.vpc.to_string(), account, region: spec.region.to_string() }
}

struct Road<'a> {
    house: &'a Mutex<House>,
    port: &'a Foreseen,
    since: Mono,
    steps: BTreeMap<ObjectKey, Vec<Step>>,
    first: BTreeMap<ObjectKey, Report>,
}

impl Road<'_> {
    /// Round by round until nothing would happen any more, also after as long as the engine would wait.
    async fn walk(&mut self, keys: &[ObjectKey]) {
        let mut idle = 0;
        for _ in 0..ROUNDS_MAX {
            let (mut is_news, mut wake): (bool, Option<Mono>) = (false, None);
            for key in keys {
                let turned = self.turn(key).await;
                let is_over = matches!(turned.done.result, TurnResult::Settled | TurnResult::Gone);
                is_news |= turned.is_news || !is_over;
                wake = wake.into_iter().chain(turned.done.wake).min();
            }
            idle = if is_news { 0 } else { idle + 1 };
            match wake {
                _ if is_news => {
                    // Nothing that was just stored is news to the next round, unless it changes what others may do.
                    self.port.pass_to(self.port.now().mono.plus_ms(1));
                }
                Some(at) if idle <= IDLE_MAX => self.port.pass_to(at.max(self.port.now().mono.plus_ms(1))),
                _ => return,
            }
        }
    }

    async fn turn(&mut self, key: &ObjectKey) -> Turned {
        let recorder = Recorder {
            road: self.port,
            house: self.house,
            key,
            steps: Mutex::default(),
            first: Mutex::default(),
        };
        let turned = drive::turn(self.house, &recorder, key, self.since).await;
        let Recorder { steps, first, .. } = recorder;
        let new = steps.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = self.steps.entry(key.clone()).or_default();
        let before = known.last().map_or(0, |step| step.wave);
        known.extend(new.into_iter().map(|step| Step { wave: step.wave + before, ..step }));
        let first = first.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(report) = first.or_else(|| lock(self.house).report(key).cloned()) {
            self.first.entry(key.clone()).or_insert(report);
        }
        turned
    }
}

/// Notes each write with what it meets, before it takes effect.
struct Recorder<'a> {
    road: &'a Foreseen,
    house: &'a Mutex<House>,
    key: &'a ObjectKey,
    steps: Mutex<Vec<Step>>,
    /// What was said before the first write.
    first: Mutex<Option<Report>>,
}

impl Port for Recorder<'_> {
    fn now(&self) -> peerkeeper_core::time::Now {
        self.road.now()
    }

    fn view(
        &self,
        account: &str,
        region: peerkeeper_core::ids::Region,
    ) -> peerkeeper_core::observed::SideView {
        self.road.view(account, region)
    }

    async fn read(
        &self,
        account: &str,
        region: peerkeeper_core::ids::Region,
        needs: crate::aws::NarrowNeeds,
    ) -> peerkeeper_core::observed::SideView {
        self.road.read(account, region, needs).await
    }

    async fn write(
        &self,
        object: &ObjectKey,
        calls: &[(Option<&str>, &WriteCall)],
    ) -> Vec<peerkeeper_core::write::Outcome> {
        let report = lock(self.house).report(self.key).cloned();
        {
            let mut steps = self.steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let mut first = self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if first.is_none() {
                *first = report;
            }
            let wave = steps.last().map_or(0, |step| step.wave) + 1;
            for (_, call) in calls {
                let (why, traffic) = self.explain(call);
                steps.push(Step { wave, call: (*call).clone(), why, traffic, adopts: self.adopts(call) });
            }
        }
        self.road.write(object, calls).await
    }
}

impl Recorder<'_> {
    /// The tags of adoption, on a peering that carries none of Peerkeeper's there.
    fn adopts(&self, call: &WriteCall) -> bool {
        let Write::Tag { id, set } = &call.write else { return false };
        let is_mark = |key: &str| key == OwnerTag::KEY || key == ORIGIN_TAG_KEY;
        let is_unmarked = |peering: &Peering| !peering.tags.iter().any(|(key, _)| is_mark(key));
        set.keys().all(|key| is_mark(key))
            && set.get(ORIGIN_TAG_KEY).is_some_and(|origin| **origin == *Origin::Adopted.as_str())
            && self.road.peering(call.at, *id).is_some_and(|peering| is_unmarked(&peering))
    }

    fn explain(&self, call: &WriteCall) -> (String, Traffic) {
        match &call.write {
            Write::Create { pair, .. } => (self.why_create(*pair), Traffic::Untouched),
            Write::Accept(_) => {
                ("a request waits until the accepter's account accepts it".to_owned(), Traffic::Untouched)
            }
            Write::Remove(id, _) => {
                let is_active =
                    self.road.peering(call.at, *id).is_some_and(|p| p.state == PeeringState::Active);
                let traffic = if is_active {
                    Traffic::Cut(format!("all traffic over {id}"))
                } else {
                    Traffic::Untouched
                };
                let why = match self.is_being_deleted() {
                    true => DELETED,
                    false => "a request of ours beside a live peering of the same VPCs can't be accepted",
                };
                (why.to_owned(), traffic)
            }
            Write::Options { id, requester, accepter } => {
                let shown = self.road.peering(call.at, *id);
                let is_off = |end: Option<bool>, now: Option<bool>| end == Some(false) && now == Some(true);
                let turned_off = shown.is_some_and(|p: std::sync::Arc<Peering>| {
                    is_off(*requester, p.requester.allow_dns) || is_off(*accepter, p.accepter.allow_dns)
                });
                let traffic = match turned_off {
                    true => Traffic::Moved("names resolve to public addresses".to_owned()),
                    false => Traffic::Untouched,
                };
                ("allowDnsResolutionFromRemoteVpc differs from what is declared".to_owned(), traffic)
            }
            Write::Tag { set, .. } => {
                let of_owner = set.contains_key(OwnerTag::KEY);
                let why =
                    if of_owner { "it carries no owner tag of this object there" } else { "its tags differ" };
                (why.to_owned(), Traffic::Untouched)
            }
            Write::Untag { .. } => ("these tags are no longer declared".to_owned(), Traffic::Untouched),
            Write::AddRoute { slot, to } => {
                let table = self.road.table(call.at, slot.table);
                let taken = table.as_deref().and_then(|table| taken_from(table, *slot, *to));
                ("declared, and there is no such route".to_owned(), taken.unwrap_or(Traffic::Untouched))
            }
            Write::Repoint { slot, from, proof, .. } => {
                self.explain_repoint(call.at, *slot, from, proof.why())
            }
            Write::DropRoute { slot, was, .. } => {
                let is_live = self.road.peering(call.at, *was).is_some_and(|p| p.state.is_live());
                let what = format!("{} in {}", slot.destination, slot.table);
                let traffic = if is_live { Traffic::Cut(what) } else { Traffic::Untouched };
                let why = match is_live {
                    _ if self.is_being_deleted() => DELETED.to_owned(),
                    true => format!("no longer declared: {was}"),
                    false => format!("its peering has ended: {was}"),
                };
                (why, traffic)
            }
            Write::RevokeRule { via, .. } => (format!("stale: {via} has ended"), Traffic::Untouched),
        }
    }

    fn is_being_deleted(&self) -> bool {
        lock(self.house).desired(self.key).is_some_and(|desired| desired.deleting)
    }

    fn why_create(&self, pair: PairAt) -> String {
        match self.ended_before(pair) {
            Some(id) => format!("no live one joins these VPCs: {id} has ended"),
            None => "no live one joins these VPCs".to_owned(),
        }
    }

    fn ended_before(&self, pair: PairAt) -> Option<PeeringId> {
        let (name, region) = {
            let house = lock(self.house);
            let side = &house.desired(self.key)?.sides.requester;
            let AccountRef::Managed(name) = &side.account else { return None };
            (name.clone(), side.region)
        };
        let sweep = self.road.view(&name, region).peerings.sweep?;
        sweep.group(pair.pair()).find(|peering| !peering.state.is_live()).map(|peering| peering.id)
    }

    fn explain_repoint(
        &self,
        at: AccountRegion,
        slot: Slot,
        from: &Target,
        why: OursBecause,
    ) -> (String, Traffic) {
        let moved = || Traffic::Moved(format!("{} in {} leads to {from} now", slot.destination, slot.table));
        match from {
            Target::Peering(id) => match self.road.peering(at, *id) {
                Some(shown) if shown.state.is_live() => {
                    (format!("it leads to {id}, which is {}", shown.state.as_str()), moved())
                }
                Some(shown) => {
                    (format!("it leads to {id}, which is {}", shown.state.as_str()), Traffic::Untouched)
                }
                None if why == OursBecause::TargetAbsent => {
                    (format!("it leads to {id}, which is gone"), Traffic::Untouched)
                }
                None => (format!("it leads to {id}"), moved()),
            },
            Target::Local | Target::Other(_) => {
                (format!("it leads to {from}, and the policy's onRepointedRoute says Restore"), moved())
            }
        }
    }
}

/// A new route takes the traffic of a less specific one that leads elsewhere. Of a default route that is what every new
/// route does.
fn taken_from(table: &RouteTable, slot: Slot, to: PeeringId) -> Option<Traffic> {
    let Destination::Cidr(wanted) = slot.destination else { return None };
    let wider = |destination: Destination| match destination {
        Destination::Cidr(cidr) => !cidr.is_default_route() && cidr.contains(wanted),
        Destination::PrefixList(_) => false,
    };
    let other = table.routes.iter().find(|route| {
        !route.blackhole
            && route.target != Target::Local
            && route.target != Target::Peering(to)
            && wider(route.destination)
            && route.destination != slot.destination
    })?;
    let words = format!(
        "{wanted} in {} is covered by the route {} to {} now",
        slot.table, other.destination, other.target
    );
    Some(Traffic::Moved(words))
}
