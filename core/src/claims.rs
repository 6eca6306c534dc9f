//! Who holds what, across objects: one object per pair of VPCs, one per route slot. The others wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{Destination, ObjectKey, RouteTableId, VpcId, VpcPair};
use crate::memory::Memory;
use crate::time::Wall;

/// What other objects mean to one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClaimsView {
    pub pair: PairClaim,
    /// Slots that other objects hold, of those that share a VPC with this one.
    pub slots: BTreeMap<(RouteTableId, Destination), ObjectKey>,
    /// Objects that exist and declare this pair: an owner tag of ours that names none of them is a dead one.
    pub same_pair: BTreeSet<ObjectKey>,
    /// While this object is being deleted: a granted object of the same pair that is to take over.
    pub heir: Option<Heir>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PairClaim {
    #[default]
    Mine,
    Other(Holder),
}

/// The object that holds the pair instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    pub key: ObjectKey,
    pub uid: Arc<str>,
    /// It holds because it remembers a peering; otherwise only because it is older.
    pub by_memory: bool,
    /// It is being deleted: what it remembers is ours to take over.
    pub leaving: bool,
    pub memory: Box<Memory>,
}

/// The object that takes over from this one, which is being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heir {
    pub key: ObjectKey,
    /// It has committed our memory as its own: we can let go.
    pub has_taken: bool,
}

/// One object, as far as others are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    pub key: ObjectKey,
    pub uid: Arc<str>,
    pub created: Wall,
    pub deleting: bool,
    pub pair: VpcPair,
    /// Both accounts' owners let it act: only such an object can take over from one that leaves.
    pub granted: bool,
    pub memory: Arc<Memory>,
}

impl Entry {
    /// Who holds a pair: the one that remembers a peering, else the oldest, else the first by name.
    fn rank(&self) -> (bool, Wall, &ObjectKey) {
        (!self.memory.holds_pair(), self.created, &self.key)
    }

    fn remembers(&self, place: (RouteTableId, Destination)) -> bool {
        self.memory.slots.keys().any(|slot| (slot.table, slot.destination) == place)
    }
}

/// All objects of the cluster. Looking at one is proportional to those that share a VPC with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    entries: BTreeMap<ObjectKey, Entry>,
    by_vpc: BTreeMap<VpcId, BTreeSet<ObjectKey>>,
}

impl Table {
    pub fn set(&mut self, entry: Entry) {
        self.remove(&entry.key);
        for vpc in entry.pair.vpcs() {
            self.by_vpc.entry(vpc).or_default().insert(entry.key.clone());
        }
        self.entries.insert(entry.key.clone(), entry);
    }

    pub fn remove(&mut self, key: &ObjectKey) {
        let Some(entry) = self.entries.remove(key) else { return };
        for vpc in entry.pair.vpcs() {
            if let Some(keys) = self.by_vpc.get_mut(&vpc) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_vpc.remove(&vpc);
                }
            }
        }
    }

    pub fn get(&self, key: &ObjectKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Other objects that declare the same pair.
    pub fn same_pair(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let Some(me) = self.entries.get(key) else { return Vec::new() };
        self.neighbours(me).filter(|other| other.pair == me.pair).map(|other| other.key.clone()).collect()
    }

    /// Other objects that share a VPC.
    pub fn neighbours_of(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let Some(me) = self.entries.get(key) else { return Vec::new() };
        self.neighbours(me).map(|other| other.key.clone()).collect()
    }

    /// What the others mean to this object.
    pub fn view(&self, key: &ObjectKey) -> ClaimsView {
        let Some(me) = self.entries.get(key) else { return ClaimsView::default() };
        let rivals: Vec<&Entry> = self.neighbours(me).filter(|other| other.pair == me.pair).collect();
        ClaimsView {
            pair: pair_claim(me, &rivals),
            slots: self.slots_of_others(me),
            same_pair: rivals.iter().map(|other| other.key.clone()).collect(),
            heir: heir(me, &rivals),
        }
    }

    fn neighbours<'a>(&'a self, me: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let shared: BTreeSet<&ObjectKey> = me
            .pair
            .vpcs()
            .iter()
            .filter_map(|vpc| self.by_vpc.get(vpc))
            .flatten()
            .filter(|key| **key != me.key)
            .collect();
        shared.into_iter().filter_map(|key| self.entries.get(key))
    }

    /// Slots that others remember and this one does not; of those that both remember, the lower rank holds.
    fn slots_of_others(&self, me: &Entry) -> BTreeMap<(RouteTableId, Destination), ObjectKey> {
        let mut held = BTreeMap::new();
        for other in self.neighbours(me) {
            // What comes from one hand to the next is no rival to itself.
            let is_handover = me.memory.taken_from.as_ref() == Some(&other.uid)
                || other.memory.taken_from.as_ref() == Some(&me.uid);
            if is_handover {
                continue;
            }
            for slot in other.memory.slots.keys() {
                let place = (slot.table, slot.destination);
                if !me.remembers(place) || other.rank() < me.rank() {
                    held.insert(place, other.key.clone());
                }
            }
        }
        held
    }
}

fn pair_claim(me: &Entry, rivals: &[&Entry]) -> PairClaim {
    let first = rivals.iter().filter(|other| other.rank() < me.rank()).min_by_key(|other| other.rank());
    // What was taken over is held, though the object that left may still be there for a moment; and one that leaves
    // holding nothing is in nobody's way.
    match first {
        Some(other) if me.memory.taken_from.as_ref() == Some(&other.uid) && !other.deleting => {
            PairClaim::Mine
        }
        Some(other) if other.deleting && !other.memory.holds_pair() => PairClaim::Mine,
        Some(other) => PairClaim::Other(Holder {
            key: other.key.clone(),
            uid: other.uid.clone(),
            by_memory: other.memory.holds_pair(),
            leaving: other.deleting,
            memory: Box::new((*other.memory).clone()),
        }),
        None => PairClaim::Mine,
    }
}

/// While this object leaves: the granted one of the same pair that comes next.
fn heir(me: &Entry, rivals: &[&Entry]) -> Option<Heir> {
    if !me.deleting || !me.memory.holds_pair() {
        return None;
    }
    let waiting = rivals.iter().filter(|other| other.granted && !other.deleting);
    let next = waiting.min_by_key(|other| other.rank())?;
    let has_taken = next.memory.taken_from.as_ref() == Some(&me.uid);
    Some(Heir { key: next.key.clone(), has_taken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PeeringId;
    use crate::memory::Life;

    fn vpc(n: u8) -> VpcId {
        format!("vpc-{n:017x}").parse().unwrap()
    }

    fn entry(name: &str, created: i64) -> Entry {
        Entry {
            key: ObjectKey::new("net", name),
            uid: format!("uid-{name}").into(),
            created: Wall(created),
            deleting: false,
            pair: VpcPair::new(vpc(1), vpc(2)),
            granted: true,
            memory: Arc::default(),
        }
    }

    fn remembering(mut entry: Entry) -> Entry {
        let id: PeeringId = "pcx-00000000000000001".parse().unwrap();
        entry.memory = Arc::new(Memory { life: Life::Established(id), ..Memory::default() });
        entry
    }

    fn table(entries: impl IntoIterator<Item = Entry>) -> Table {
        let mut table = Table::default();
        entries.into_iter().for_each(|entry| table.set(entry));
        table
    }

    #[test]
    fn the_one_that_remembers_holds_the_pair_though_it_is_younger() {
        let table = table([entry("old", 1), remembering(entry("young", 2))]);
        assert_eq!(table.view(&ObjectKey::new("net", "young")).pair, PairClaim::Mine);
        let PairClaim::Other(holder) = table.view(&ObjectKey::new("net", "old")).pair else {
            panic!("old must wait")
        };
        assert!(holder.by_memory);
    }

    #[test]
    fn without_memory_the_oldest_then_the_first_name_holds() {
        let table = table([entry("b", 1), entry("a", 1), entry("c", 0)]);
        assert_eq!(table.view(&ObjectKey::new("net", "c")).pair, PairClaim::Mine);
        assert_ne!(table.view(&ObjectKey::new("net", "a")).pair, PairClaim::Mine);
    }

    #[test]
    fn who_leaves_names_a_granted_heir_and_lets_go_once_it_has_taken() {
        let mut leaving = remembering(entry("old", 1));
        leaving.deleting = true;
        let mut heir = entry("new", 2);
        let view = table([leaving.clone(), heir.clone()]).view(&leaving.key);
        assert_eq!(view.heir, Some(Heir { key: heir.key.clone(), has_taken: false }));
        heir.memory = Arc::new(Memory { taken_from: Some(leaving.uid.clone()), ..(*leaving.memory).clone() });
        let view = table([leaving.clone(), heir]).view(&leaving.key);
        assert!(view.heir.unwrap().has_taken);
        let mut stranger = entry("new", 2);
        stranger.granted = false;
        assert_eq!(table([leaving.clone(), stranger]).view(&leaving.key).heir, None);
    }
}
