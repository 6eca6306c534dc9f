//! What AWS shows now, and what it would show after writes that nobody sends.
//!
//! The engine plans wave by wave: a route follows once the peering was read as active. To tell the whole way beforehand,
//! each write is taken to do what AWS documents it to do, at once, in a copy of what was read; then the engine plans again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peerkeeper_core::desired::PairAt;
use peerkeeper_core::ids::{AccountRegion, ObjectKey, PeeringId, PrefixListId, Region, Target, VpcAt, VpcId};
use peerkeeper_core::observed::{
    Ending, Peering, PeeringEnd, PeeringState, Reading, Resource, Route, RouteTable, Scope, SideView,
    StaleRule, Tags, Vpc,
};
use peerkeeper_core::time::{Mono, Now};
use peerkeeper_core::write::{Outcome, TagSet, Write, WriteCall};

use super::Port;
use crate::aws::{NarrowNeeds, Reader};
use crate::controller::state::Place;

/// The world as it would be. It holds the half of AWS that asks.
pub struct Foreseen {
    reader: Reader,
    inner: Mutex<Inner>,
}

struct Inner {
    now: Now,
    places: BTreeMap<Place, Shown>,
    /// Peerings that would be made.
    made: u32,
}

/// One place as it would be shown.
struct Shown {
    at: AccountRegion,
    /// As it was read: what could not be, stays unread.
    read: SideView,
    peerings: Kind<Peering>,
    tables: Kind<RouteTable>,
    vpcs: Kind<Vpc>,
    /// Stale security-group rules, of the VPCs that were asked about. No sweep reads them.
    stale: BTreeMap<VpcId, Vec<Arc<StaleRule>>>,
}

/// All things of one kind, if they were read.
struct Kind<T: Resource> {
    things: Option<BTreeMap<T::Id, Arc<T>>>,
    /// Made of `things`, as of that moment.
    reading: Option<Arc<Reading<T>>>,
}

impl<T: Resource> Kind<T> {
    fn of(sweep: Option<&Arc<Reading<T>>>) -> Self {
        let things =
            |reading: &Arc<Reading<T>>| reading.iter().map(|thing| (thing.id(), thing.clone())).collect();
        Self { things: sweep.map(things), reading: None }
    }

    fn reading(&mut self, now: Mono) -> Option<Arc<Reading<T>>> {
        let things = self.things.as_ref()?;
        let known = self.reading.take().filter(|reading| reading.began() == now);
        let reading =
            known.unwrap_or_else(|| Arc::new(Reading::new(now, Scope::All, things.values().cloned())));
        self.reading = Some(reading.clone());
        Some(reading)
    }

    fn change(&mut self, id: T::Id, change: impl FnOnce(&mut T)) {
        if let Some(thing) = self.things.as_mut().and_then(|things| things.get_mut(&id)) {
            change(Arc::make_mut(thing));
            self.reading = None;
        }
    }

    fn add(&mut self, thing: T) {
        if let Some(things) = &mut self.things {
            things.insert(thing.id(), Arc::new(thing));
            self.reading = None;
        }
    }
}

/// Ids of peerings that would be made: of the short form, which AWS has not given for years.
pub fn made_id(number: u32) -> Option<PeeringId> {
    format!("pcx-{number:08x}").parse().ok()
}

impl Foreseen {
    /// Begins with what the sweeps brought.
    pub fn new(reader: Reader, places: impl IntoIterator<Item = (Place, AccountRegion)>, now: Now) -> Self {
        let shown = |(place, at): (Place, AccountRegion)| {
            let read = reader.view(&place.0, place.1);
            let (peerings, tables) =
                (Kind::of(read.peerings.sweep.as_ref()), Kind::of(read.tables.sweep.as_ref()));
            let vpcs = Kind::of(read.vpcs.sweep.as_ref());
            (place, Shown { at, read, peerings, tables, vpcs, stale: BTreeMap::new() })
        };
        let places = places.into_iter().map(shown).collect();
        Self { reader, inner: Mutex::new(Inner { now, places, made: 0 }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is asked for the first time is read; after that it is what would have become of it.
    async fn read_stale_rules(&self, account: &str, region: Region, of: &BTreeSet<VpcId>) {
        let place: Place = (Arc::from(account), region);
        let new: BTreeSet<VpcId> = {
            let inner = self.inner();
            let known =
                |vpc: &VpcId| inner.places.get(&place).is_some_and(|shown| shown.stale.contains_key(vpc));
            of.iter().filter(|vpc| !known(vpc)).copied().collect()
        };
        if new.is_empty() {
            return;
        }
        let wanted = NarrowNeeds { stale_rules_of: new.clone(), ..NarrowNeeds::default() };
        let fresh = self.reader.read_narrow(account, region, wanted).await.stale_rules;
        let mut inner = self.inner();
        let Some(shown) = inner.places.get_mut(&place) else { return };
        shown.read.stale_rules.unseen = fresh.unseen;
        let Some(reading) = fresh.narrow else { return };
        for vpc in new.into_iter().filter(|vpc| reading.covers_group(*vpc)) {
            shown.stale.insert(vpc, reading.group(vpc).cloned().collect());
        }
    }

    /// Time passes, and nothing else happens.
    pub fn pass_to(&self, mono: Mono) {
        let mut inner = self.inner();
        let ms = mono.since_ms(inner.now.mono);
        let seconds = i64::try_from(ms.div_ceil(1000)).unwrap_or(i64::MAX);
        inner.now = Now { mono: inner.now.mono.plus_ms(ms), wall: inner.now.wall.plus_s(seconds) };
    }

    /// A route table as it would be shown in any place that shows it.
    pub fn table(
        &self,
        at: AccountRegion,
        id: peerkeeper_core::ids::RouteTableId,
    ) -> Option<Arc<RouteTable>> {
        let inner = self.inner();
        let here = inner.places.values().filter(|shown| shown.at == at);
        here.filter_map(|shown| shown.tables.things.as_ref()?.get(&id).cloned()).next()
    }

    /// A peering as it would be shown there.
    pub fn peering(&self, at: AccountRegion, id: PeeringId) -> Option<Arc<Peering>> {
        let inner = self.inner();
        let here = inner.places.values().filter(|shown| shown.at == at);
        here.filter_map(|shown| shown.peerings.things.as_ref()?.get(&id).cloned()).next()
    }
}

impl Port for Foreseen {
    fn now(&self) -> Now {
        self.inner().now
    }

    fn view(&self, account: &str, region: Region) -> SideView {
        let mut inner = self.inner();
        let now = inner.now.mono;
        let Some(shown) = inner.places.get_mut(&(Arc::from(account), region)) else {
            return SideView::default();
        };
        let mut view = shown.read.clone();
        // What was read once proves no absence, however much time is taken to pass.
        view.peerings.before = None;
        view.tables.before = None;
        view.vpcs.before = None;
        view.peerings.sweep = shown.peerings.reading(now);
        view.tables.sweep = shown.tables.reading(now);
        view.vpcs.sweep = shown.vpcs.reading(now);
        if !shown.stale.is_empty() {
            let of = Scope::Groups(shown.stale.keys().copied().collect());
            let rules = shown.stale.values().flatten().cloned();
            view.stale_rules.narrow = Some(Arc::new(Reading::new(now, of, rules)));
        }
        view
    }

    async fn read(&self, account: &str, region: Region, needs: NarrowNeeds) -> SideView {
        let known: Vec<PrefixListId> = {
            let inner = self.inner();
            let shown = inner.places.get(&(Arc::from(account), region));
            let lists = shown.and_then(|shown| shown.read.prefix_lists.narrow.clone());
            lists.iter().flat_map(|reading| reading.iter().map(|list| list.id)).collect()
        };
        if needs.prefix_lists.iter().any(|id| !known.contains(id)) {
            // No sweep reads them.
            let mut all = needs.prefix_lists.clone();
            all.extend(known);
            let wanted = NarrowNeeds { prefix_lists: all, ..NarrowNeeds::default() };
            let fresh = self.reader.read_narrow(account, region, wanted).await;
            if let Some(shown) = self.inner().places.get_mut(&(Arc::from(account), region)) {
                shown.read.prefix_lists = fresh.prefix_lists;
            }
        }
        self.read_stale_rules(account, region, &needs.stale_rules_of).await;
        self.view(account, region)
    }

    /// Nothing is sent: each write is taken to have done what it is documented to do.
    async fn write(&self, _: &ObjectKey, calls: &[(Option<&str>, &WriteCall)]) -> Vec<Outcome> {
        let mut inner = self.inner();
        calls.iter().map(|(_, call)| inner.take_effect(call)).collect()
    }
}

impl Inner {
    fn at(&mut self, at: AccountRegion) -> impl Iterator<Item = &mut Shown> {
        self.places.values_mut().filter(move |shown| shown.at == at)
    }

    fn take_effect(&mut self, call: &WriteCall) -> Outcome {
        let at = call.at;
        match &call.write {
            Write::Create { pair, tags } => return self.create(*pair, tags, at),
            Write::Accept(id) => self.accept(*id),
            Write::Remove(id, _) => {
                self.each(*id, |peering| peering.state = PeeringState::Ended(Ending::Deleted))
            }
            Write::Options { id, requester, accepter } => self.each(*id, |peering| {
                peering.requester.allow_dns = requester.or(peering.requester.allow_dns);
                peering.accepter.allow_dns = accepter.or(peering.accepter.allow_dns);
            }),
            Write::Tag { id, set } => self.at(at).for_each(|shown| {
                shown.peerings.change(*id, |peering| peering.tags = with(&peering.tags, set));
            }),
            Write::Untag { id, keys } => self.at(at).for_each(|shown| {
                let kept = |tags: &Tags| -> Tags {
                    tags.iter()
                        .filter(|(key, _)| !keys.contains(*key))
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect()
                };
                shown.peerings.change(*id, |peering| peering.tags = kept(&peering.tags));
            }),
            Write::AddRoute { slot, to } | Write::Repoint { slot, to, .. } => self.at(at).for_each(|shown| {
                shown.tables.change(slot.table, |table| {
                    table.routes.retain(|route| route.propagated || route.destination != slot.destination);
                    let (destination, target) = (slot.destination, Target::Peering(*to));
                    table.routes.push(Route { destination, target, blackhole: false, propagated: false });
                });
            }),
            Write::DropRoute { slot, .. } => self.at(at).for_each(|shown| {
                shown.tables.change(slot.table, |table| {
                    table.routes.retain(|route| route.propagated || route.destination != slot.destination);
                });
            }),
            Write::RevokeRule { rule, .. } => self.at(at).for_each(|shown| {
                shown.stale.values_mut().for_each(|rules| rules.retain(|known| known.id != *rule));
            }),
        }
        Outcome::Done(None)
    }

    /// On whichever side shows it.
    fn each(&mut self, id: PeeringId, change: impl Fn(&mut Peering)) {
        for shown in self.places.values_mut() {
            shown.peerings.change(id, &change);
        }
    }

    fn create(&mut self, pair: PairAt, tags: &TagSet, by: AccountRegion) -> Outcome {
        self.made += 1;
        let Some(id) = made_id(self.made) else { return Outcome::Unknown("no id is left".into()) };
        let end = |of: VpcAt| PeeringEnd {
            at: of.at,
            vpc: of.vpc,
            cidrs: Default::default(),
            allow_dns: Some(false),
        };
        let ends = (end(pair.sides.requester), end(pair.sides.accepter));
        let accepter = pair.sides.accepter.at;
        for shown in self.places.values_mut().filter(|shown| shown.at == by || shown.at == accepter) {
            // Each side carries its own tags.
            let tags = if shown.at == by { with(&Tags::new(), tags) } else { Tags::new() };
            let (requester, accepter) = ends.clone();
            let (state, message) = (PeeringState::PendingAcceptance, "Pending Acceptance".into());
            shown.peerings.add(Peering { id, requester, accepter, state, message, tags });
        }
        Outcome::Done(Some(id))
    }

    /// An active peering tells the CIDRs of both ends.
    fn accept(&mut self, id: PeeringId) {
        let mut cidrs = BTreeMap::new();
        for shown in self.places.values() {
            let vpcs = shown.vpcs.things.iter().flat_map(BTreeMap::values);
            cidrs.extend(vpcs.map(|vpc| (vpc.id, vpc.cidrs.clone())));
        }
        let of = |vpc: VpcId| cidrs.get(&vpc).cloned().unwrap_or_default();
        self.each(id, |peering| {
            peering.state = PeeringState::Active;
            peering.requester.cidrs = of(peering.requester.vpc);
            peering.accepter.cidrs = of(peering.accepter.vpc);
        });
    }
}

fn with(tags: &Tags, set: &TagSet) -> Tags {
    let kept = tags.iter().filter(|(key, _)| !set.contains_key(*key));
    kept.chain(set.iter()).map(|(key, value)| (key.clone(), value.clone())).collect()
}
