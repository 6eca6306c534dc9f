//! Who saw it: what has been heard of the calls that concern an object, and how far CloudTrail's history was asked.
//!
//! [`Index`] says which objects a call concerns, [`Witnesses`] keeps what was heard of such calls, and [`Witness`] is what
//! one object's plan is shown of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{
    AccountRegion, Destination, ObjectKey, PeeringId, RouteTableId, Side, Sides, Slot, VpcId, VpcPair,
};
use crate::memory::{Life, Memory};
use crate::time::{Mono, Wall};
use crate::trail::{Call, Heard, Tagged, TrailEvent};

/// What one object's plan may know of other people's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// Records that name a peering or a route table of the object, oldest first. Of one `eventID` there is one, that of
    /// the history where there are both.
    pub events: Vec<Arc<TrailEvent>>,
    /// How far the event history of each side's account and Region was asked about the object's loss.
    pub history: Sides<Asked>,
}

/// What CloudTrail's event history is asked: who did this?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Who ended this peering, from either side.
    Ending(PeeringId),
    /// Who changed or removed this route.
    Route(Slot),
    /// Who set the DNS options on this side.
    Options(Side, PeeringId),
    /// Who set or removed this tag on this side.
    Tag(Side, Tagged, Arc<str>),
}

impl Ask {
    /// The side whose account records such calls; `None`: either's.
    pub fn side(&self) -> Option<Side> {
        match self {
            Self::Ending(_) => None,
            Self::Route(slot) => Some(slot.side),
            Self::Options(side, _) | Self::Tag(side, ..) => Some(*side),
        }
    }

    /// The id of the thing that is asked about.
    pub fn resource(&self) -> String {
        match self {
            Self::Ending(id) | Self::Options(_, id) | Self::Tag(_, Tagged::Peering(id), _) => id.to_string(),
            Self::Route(slot) => slot.table.to_string(),
            Self::Tag(_, Tagged::Vpc(vpc), _) => vpc.to_string(),
        }
    }

    /// The calls that can be the answer.
    pub fn calls(&self) -> &'static [&'static str] {
        match self {
            Self::Ending(_) => &["DeleteVpcPeeringConnection", "RejectVpcPeeringConnection"],
            Self::Route(_) => &["ReplaceRoute", "DeleteRoute", "CreateRoute"],
            Self::Options(..) => &["ModifyVpcPeeringConnectionOptions"],
            Self::Tag(..) => &["DeleteTags", "CreateTags"],
        }
    }

    pub fn is_answered_by(&self, call: &Call) -> bool {
        match (self, call) {
            (Self::Ending(id), call) => call.ends(*id),
            (
                Self::Route(slot),
                Call::CreateRoute { table, destination }
                | Call::ReplaceRoute { table, destination }
                | Call::DeleteRoute { table, destination },
            ) => (*table, *destination) == (slot.table, slot.destination),
            (Self::Options(_, id), Call::ModifyOptions(of)) => id == of,
            (Self::Tag(_, on, key), Call::Tags { on: all, keys, .. }) => {
                all.contains(on) && keys.contains(key)
            }
            _ => false,
        }
    }
}

/// What asking CloudTrail's event history about one loss has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Asked {
    #[default]
    NotYet,
    /// It answered in full as of this moment; what it told is among the events.
    Answered(Wall),
    /// It can't be asked, for this reason: no permission, or no such account of ours.
    Unavailable(Arc<str>),
}

/// What an object goes by in other people's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Concern {
    pub peerings: BTreeSet<PeeringId>,
    pub routes: BTreeSet<(RouteTableId, Destination)>,
    pub vpcs: BTreeSet<VpcId>,
}

impl Concern {
    pub fn of(pair: VpcPair, memory: &Memory) -> Self {
        let mut peerings: BTreeSet<PeeringId> = memory.past.iter().map(|past| past.id).collect();
        peerings.extend(memory.peering());
        if let Life::Requested { replaces, .. } = memory.life {
            peerings.extend(replaces);
        }
        peerings.extend(memory.episode.as_ref().map(|episode| episode.lost));
        peerings.extend(memory.last_loss.as_ref().map(|loss| loss.lost));
        let routes = memory.slots.keys().map(|slot| (slot.table, slot.destination)).collect();
        Self { peerings, routes, vpcs: pair.vpcs().into() }
    }

    fn tables(&self) -> BTreeSet<RouteTableId> {
        self.routes.iter().map(|(table, _)| *table).collect()
    }
}

/// Which objects a call concerns. What that takes does not grow with the number of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Index {
    /// Numbers stand for objects: there may be a hundred thousand routes.
    keys: BTreeMap<u64, ObjectKey>,
    of: BTreeMap<ObjectKey, (u64, Concern)>,
    peerings: BTreeSet<(PeeringId, u64)>,
    routes: BTreeSet<(RouteTableId, Destination, u64)>,
    tables: BTreeSet<(RouteTableId, u64)>,
    vpcs: BTreeSet<(VpcId, u64)>,
    last_number: u64,
}

impl Index {
    /// A route that no object remembers may be one that some object of the table waits for. Of more objects than this the
    /// next sweep wakes the one: a hub's table has a hundred, and others write to it all day.
    const TABLE_MAX: usize = 32;

    pub fn set(&mut self, key: &ObjectKey, concern: Concern) {
        if self.of.get(key).is_some_and(|(_, known)| *known == concern) {
            return;
        }
        self.remove(key);
        self.last_number += 1;
        let number = self.last_number;
        self.peerings.extend(concern.peerings.iter().map(|id| (*id, number)));
        self.routes.extend(concern.routes.iter().map(|(table, to)| (*table, *to, number)));
        self.tables.extend(concern.tables().into_iter().map(|table| (table, number)));
        self.vpcs.extend(concern.vpcs.iter().map(|vpc| (*vpc, number)));
        self.keys.insert(number, key.clone());
        self.of.insert(key.clone(), (number, concern));
    }

    pub fn remove(&mut self, key: &ObjectKey) {
        let Some((number, concern)) = self.of.remove(key) else { return };
        for table in concern.tables() {
            self.tables.remove(&(table, number));
        }
        for id in concern.peerings {
            self.peerings.remove(&(id, number));
        }
        for (table, to) in concern.routes {
            self.routes.remove(&(table, to, number));
        }
        for vpc in concern.vpcs {
            self.vpcs.remove(&(vpc, number));
        }
        self.keys.remove(&number);
    }

    /// What an object goes by, as last entered.
    pub fn concern(&self, key: &ObjectKey) -> Option<&Concern> {
        self.of.get(key).map(|(_, concern)| concern)
    }

    /// Some object goes by the very peering or route that a call names.
    pub fn is_declared(&self, call: &Call) -> bool {
        let route = match call {
            Call::CreateRoute { table, destination }
            | Call::ReplaceRoute { table, destination }
            | Call::DeleteRoute { table, destination } => self
                .routes
                .range((*table, *destination, u64::MIN)..=(*table, *destination, u64::MAX))
                .next()
                .is_some(),
            _ => false,
        };
        route || call.peerings().any(|id| self.with_peering(id).next().is_some())
    }

    /// The objects that a call concerns: those whose peering, route or VPC it names.
    pub fn concerned(&self, call: &Call) -> BTreeSet<ObjectKey> {
        let numbers = match call {
            Call::CreatePeering { requester, accepter, made } => {
                let (one, other) = (self.at_vpc(*requester), self.at_vpc(*accepter));
                let pair = one.intersection(&other).copied();
                pair.chain(made.iter().flat_map(|id| self.with_peering(*id))).collect()
            }
            Call::AcceptPeering(id)
            | Call::RejectPeering(id)
            | Call::DeletePeering(id)
            | Call::ModifyOptions(id) => self.with_peering(*id).collect(),
            Call::CreateRoute { table, destination }
            | Call::ReplaceRoute { table, destination }
            | Call::DeleteRoute { table, destination } => self.with_route(*table, *destination),
            Call::DeleteRouteTable(table) | Call::ReplaceAssociation { table } => self.at_table(*table),
            Call::DeleteVpc(vpc) => self.at_vpc(*vpc),
            Call::Tags { .. } => {
                let peerings = call.peerings().flat_map(|id| self.with_peering(id));
                peerings.chain(call.vpcs().flat_map(|vpc| self.at_vpc(vpc))).collect()
            }
            Call::RevokeRules { group: _ } | Call::Blind { name: _ } => BTreeSet::new(),
        };
        numbers.into_iter().filter_map(|number| self.keys.get(&number).cloned()).collect()
    }

    fn with_peering(&self, id: PeeringId) -> impl Iterator<Item = u64> {
        self.peerings.range((id, u64::MIN)..=(id, u64::MAX)).map(|(_, number)| *number)
    }

    fn with_route(&self, table: RouteTableId, to: Destination) -> BTreeSet<u64> {
        let exact = self.routes.range((table, to, u64::MIN)..=(table, to, u64::MAX));
        let exact: BTreeSet<u64> = exact.map(|(_, _, number)| *number).collect();
        if !exact.is_empty() {
            return exact;
        }
        let all = self.at_table(table);
        if all.len() > Self::TABLE_MAX { BTreeSet::new() } else { all }
    }

    fn at_table(&self, table: RouteTableId) -> BTreeSet<u64> {
        self.tables.range((table, u64::MIN)..=(table, u64::MAX)).map(|(_, number)| *number).collect()
    }

    fn at_vpc(&self, vpc: VpcId) -> BTreeSet<u64> {
        self.vpcs.range((vpc, u64::MIN)..=(vpc, u64::MAX)).map(|(_, number)| *number).collect()
    }
}

/// How much may be kept of what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    pub events: usize,
    /// Of the records' text.
    pub record_bytes: usize,
    /// Since it was heard: when a call was made is for its record to say, which others may have written.
    pub age_ms: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { events: 4096, record_bytes: 16 << 20, age_ms: 24 * 3_600_000 }
    }
}

/// What was heard of calls that concern objects, for as long as there is room. What goes first is what says least: a record
/// from a queue before one of the history, and any other call before one that ends a peering or removes a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witnesses {
    bounds: Bounds,
    held: BTreeMap<Arc<str>, Entry>,
    /// In the order in which they came.
    by_number: BTreeMap<u64, Arc<str>>,
    by_worth: BTreeSet<(Worth, u64)>,
    by_peering: BTreeSet<(PeeringId, u64)>,
    by_table: BTreeSet<(RouteTableId, u64)>,
    by_vpc: BTreeSet<(VpcId, u64)>,
    asked: BTreeMap<(PeeringId, AccountRegion), Asked>,
    record_bytes: usize,
    last_number: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    event: Arc<TrailEvent>,
    heard: Mono,
    number: u64,
}

/// The least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Worth {
    takes_away: bool,
    heard: Heard,
}

impl Worth {
    fn of(event: &TrailEvent) -> Self {
        let takes_away = matches!(
            event.call,
            Call::DeletePeering(_) | Call::RejectPeering(_) | Call::DeleteRoute { .. } | Call::DeleteVpc(_)
        );
        Self { takes_away, heard: event.heard }
    }
}

impl Witnesses {
    /// What one object is shown at most: whoever floods a queue must not make every plan slow.
    pub const SHOWN_MAX: usize = 256;
    /// Losses whose history was asked, at most; beyond that the first by id are forgotten, and asked again.
    const ASKED_MAX: usize = 8192;

    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Keeps a record. False if that tells nothing new: it was heard before, in a way worth as much.
    pub fn hear(&mut self, now: Mono, event: Arc<TrailEvent>) -> bool {
        self.forget_old(now);
        if let Some(known) = self.held.get(&event.id) {
            if known.event.heard >= event.heard {
                return false;
            }
            let number = known.number;
            self.remove(number);
        }
        self.last_number += 1;
        let number = self.last_number;
        self.record_bytes += event.record.len();
        self.by_number.insert(number, event.id.clone());
        self.by_worth.insert((Worth::of(&event), number));
        self.by_peering.extend(event.call.peerings().map(|id| (id, number)));
        self.by_table.extend(event.call.table().map(|id| (id, number)));
        self.by_vpc.extend(event.call.vpcs().map(|id| (id, number)));
        let id = event.id.clone();
        self.held.insert(id.clone(), Entry { event, heard: now, number });
        while self.held.len() > self.bounds.events || self.record_bytes > self.bounds.record_bytes {
            let Some((_, least)) = self.by_worth.first().copied() else { break };
            self.remove(least);
        }
        self.held.contains_key(&id)
    }

    fn forget_old(&mut self, now: Mono) {
        while let Some((number, id)) = self.by_number.first_key_value() {
            let number = *number;
            let is_old = |entry: &Entry| now.since_ms(entry.heard) > self.bounds.age_ms;
            if !self.held.get(id).is_none_or(is_old) {
                return;
            }
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(id) = self.by_number.remove(&number) else { return };
        let Some(Entry { event, .. }) = self.held.remove(&id) else { return };
        self.record_bytes -= event.record.len();
        self.by_worth.remove(&(Worth::of(&event), number));
        for id in event.call.peerings() {
            self.by_peering.remove(&(id, number));
        }
        if let Some(id) = event.call.table() {
            self.by_table.remove(&(id, number));
        }
        for id in event.call.vpcs() {
            self.by_vpc.remove(&(id, number));
        }
    }

    /// How far the history was asked about a loss. What is `Unavailable` may be asked again.
    pub fn note_asked(&mut self, lost: PeeringId, place: AccountRegion, asked: Asked) {
        self.asked.insert((lost, place), asked);
        while self.asked.len() > Self::ASKED_MAX {
            self.asked.pop_first();
        }
    }

    pub fn asked(&self, lost: PeeringId, place: AccountRegion) -> Asked {
        self.asked.get(&(lost, place)).cloned().unwrap_or_default()
    }

    /// What one object may know: the records that concern it, and how far each side's history was asked about `lost`.
    /// `places` says where a side's calls are recorded, or why that can't be asked.
    pub fn view(
        &self,
        concern: &Concern,
        lost: Option<PeeringId>,
        places: &Sides<Result<AccountRegion, Arc<str>>>,
    ) -> Witness {
        let history = Sides::from_fn(|side: Side| match (places.get(side), lost) {
            (Err(why), _) => Asked::Unavailable(why.clone()),
            (Ok(_), None) => Asked::NotYet,
            (Ok(place), Some(lost)) => self.asked(lost, *place),
        });
        Witness { events: self.events_of(concern), history }
    }

    fn events_of(&self, concern: &Concern) -> Vec<Arc<TrailEvent>> {
        let mut found: BTreeSet<u64> = BTreeSet::new();
        for id in &concern.peerings {
            found.extend(self.by_peering.range((*id, u64::MIN)..=(*id, u64::MAX)).map(|(_, n)| *n));
        }
        for id in concern.tables() {
            found.extend(self.by_table.range((id, u64::MIN)..=(id, u64::MAX)).map(|(_, n)| *n));
        }
        for id in &concern.vpcs {
            found.extend(self.by_vpc.range((*id, u64::MIN)..=(*id, u64::MAX)).map(|(_, n)| *n));
        }
        let entries = found.iter().filter_map(|number| self.held.get(self.by_number.get(number)?));
        let mut shown: Vec<&Entry> = entries.filter(|entry| is_of(&entry.event.call, concern)).collect();
        if shown.len() > Self::SHOWN_MAX {
            shown.sort_by_key(|entry| (Worth::of(&entry.event), entry.number));
            shown.drain(..shown.len() - Self::SHOWN_MAX);
        }
        let mut events: Vec<Arc<TrailEvent>> = shown.into_iter().map(|entry| entry.event.clone()).collect();
        events.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        events
    }
}

/// A peering between one of its VPCs and a third is none of an object's business.
fn is_of(call: &Call, concern: &Concern) -> bool {
    match call {
        Call::CreatePeering { requester, accepter, made } => {
            made.is_some_and(|id| concern.peerings.contains(&id))
                || (concern.vpcs.contains(requester) && concern.vpcs.contains(accepter))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
