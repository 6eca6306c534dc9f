//! Who holds what, across objects: one object per pair of VPCs, one per route slot. The others wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{Destination, ObjectKey, RouteTableId, Slot, VpcId, VpcPair};
use crate::memory::Memory;
use crate::time::Wall;

/// What other objects mean to one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClaimsView {
    pub pair: PairClaim,
    /// Slots that other objects hold, of those that share a VPC with this one.
    pub slots: OtherSlots,
    /// Objects that exist and declare this pair: an owner tag of ours that names none of them is a dead one.
    pub same_pair: BTreeSet<ObjectKey>,
    /// While this object is being deleted: a granted object of the same pair that is to take over.
    pub heir: Option<Heir>,
}

/// A place for one route, whoever's side it is on.
type Place = (RouteTableId, Destination);

/// Who remembers which slot around one VPC. The number is the object's, so that one place can have several.
type Slots = BTreeMap<(RouteTableId, Destination, u64), Arc<ObjectKey>>;

/// Slots that others hold. Those of the object's own memory are decided already; the rest is shared with the table and
/// looked up when asked, for a hub's neighbours hold hundreds and an object asks for a few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OtherSlots {
    own: BTreeMap<Place, Option<ObjectKey>>,
    around: Vec<Arc<Slots>>,
    /// The object itself, and those that hand over to it or take over from it: what comes from one hand to the next is no
    /// rival to itself.
    no_rivals: BTreeSet<ObjectKey>,
}

impl OtherSlots {
    /// The other object that holds this place.
    pub fn get(&self, table: RouteTableId, destination: Destination) -> Option<&ObjectKey> {
        if let Some(decided) = self.own.get(&(table, destination)) {
            return decided.as_ref();
        }
        self.all((table, destination)).max()
    }

    fn all(&self, (table, to): Place) -> impl Iterator<Item = &ObjectKey> {
        let at = (table, to, u64::MIN)..=(table, to, u64::MAX);
        let holders = self.around.iter().flat_map(move |slots| slots.range(at.clone()));
        holders.map(|(_, key)| &**key).filter(|key| !self.no_rivals.contains(*key))
    }
}

/// For one who knows all holders at once.
impl FromIterator<(Place, ObjectKey)> for OtherSlots {
    fn from_iter<I: IntoIterator<Item = (Place, ObjectKey)>>(slots: I) -> Self {
        Self { own: slots.into_iter().map(|(place, key)| (place, Some(key))).collect(), ..Self::default() }
    }
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
    /// Who holds a pair: the one that remembers a peering, though its grant was withdrawn; else one that may act, so that
    /// nobody keeps others from a pair that is not theirs to use; else the oldest, else the first by name.
    fn rank(&self) -> (bool, bool, Wall, &ObjectKey) {
        let holds = self.memory.holds_pair();
        (!holds, !holds && !self.granted, self.created, &self.key)
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.memory.slots.keys().map(|slot| (slot.table, slot.destination))
    }

    /// Those in this VPC's tables; where memory does not say which side is which VPC, all.
    fn places_in(&self, vpc: VpcId) -> impl Iterator<Item = Place> {
        let pair = self.memory.pair;
        let here = move |slot: &&Slot| pair.is_none_or(|pair| pair.sides.get(slot.side).vpc == vpc);
        self.memory.slots.keys().filter(here).map(|slot| (slot.table, slot.destination))
    }

    fn is_indexed_like(&self, other: &Self) -> bool {
        self.pair == other.pair
            && self.memory.pair == other.memory.pair
            && self.memory.slots.keys().eq(other.memory.slots.keys())
    }

    /// What is handed over between the two is no rivalry.
    fn is_handover(&self, other: &Self) -> bool {
        self.memory.taken_from.as_ref() == Some(&other.uid)
            || other.memory.taken_from.as_ref() == Some(&self.uid)
    }
}

/// All objects of the cluster. Looking at one does not depend on how many others there are, only on those that share a
/// pair or a slot with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    entries: BTreeMap<Arc<ObjectKey>, Numbered>,
    by_pair: BTreeMap<VpcPair, BTreeSet<Arc<ObjectKey>>>,
    by_vpc: BTreeMap<VpcId, Around>,
    last_number: u64,
}

/// Objects that have an end in one VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Around {
    keys: BTreeSet<Arc<ObjectKey>>,
    slots: Arc<Slots>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Numbered {
    number: u64,
    entry: Entry,
}

impl Table {
    pub fn set(&mut self, entry: Entry) {
        // Most commits change nothing that is looked up here.
        if let Some(Numbered { entry: known, .. }) = self.entries.get_mut(&entry.key)
            && known.is_indexed_like(&entry)
        {
            *known = entry;
            return;
        }
        self.remove(&entry.key);
        self.last_number += 1;
        let (number, key) = (self.last_number, Arc::new(entry.key.clone()));
        for vpc in entry.pair.vpcs() {
            let around = self.by_vpc.entry(vpc).or_default();
            around.keys.insert(key.clone());
            let slots = entry.places_in(vpc).map(|(table, to)| ((table, to, number), key.clone()));
            Arc::make_mut(&mut around.slots).extend(slots);
        }
        self.by_pair.entry(entry.pair).or_default().insert(key.clone());
        self.entries.insert(key, Numbered { number, entry });
    }

    pub fn remove(&mut self, key: &ObjectKey) {
        let Some(Numbered { number, entry }) = self.entries.remove(key) else { return };
        for vpc in entry.pair.vpcs() {
            if let Some(around) = self.by_vpc.get_mut(&vpc) {
                let slots = Arc::make_mut(&mut around.slots);
                entry.places_in(vpc).for_each(|(table, to)| drop(slots.remove(&(table, to, number))));
                around.keys.remove(key);
                if around.keys.is_empty() {
                    self.by_vpc.remove(&vpc);
                }
            }
        }
        if let Some(keys) = self.by_pair.get_mut(&entry.pair) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_pair.remove(&entry.pair);
            }
        }
    }

    pub fn get(&self, key: &ObjectKey) -> Option<&Entry> {
        self.entries.get(key).map(|numbered| &numbered.entry)
    }

    /// Other objects that declare the same pair.
    pub fn same_pair(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let Some(me) = self.get(key) else { return Vec::new() };
        self.rivals(me).map(|other| other.key.clone()).collect()
    }

    /// Other objects that share a VPC.
    pub fn neighbours_of(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        let Some(me) = self.get(key) else { return Vec::new() };
        let around = me.pair.vpcs().into_iter().filter_map(|vpc| self.by_vpc.get(&vpc));
        let others: BTreeSet<&ObjectKey> =
            around.flat_map(|around| &around.keys).map(|key| &**key).filter(|key| *key != &me.key).collect();
        others.into_iter().cloned().collect()
    }

    /// What the others mean to this object.
    pub fn view(&self, key: &ObjectKey) -> ClaimsView {
        let Some(me) = self.get(key) else { return ClaimsView::default() };
        let rivals: Vec<&Entry> = self.rivals(me).collect();
        ClaimsView {
            pair: pair_claim(me, &rivals),
            slots: self.slots_of_others(me, &rivals),
            same_pair: rivals.iter().map(|other| other.key.clone()).collect(),
            heir: heir(me, &rivals),
        }
    }

    fn rivals<'a>(&'a self, me: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let same = self.by_pair.get(&me.pair).into_iter().flatten();
        same.filter(|key| ***key != me.key).filter_map(|key| self.get(key))
    }

    /// Slots that others remember and this one does not; of those that both remember, the lower rank holds.
    fn slots_of_others(&self, me: &Entry, rivals: &[&Entry]) -> OtherSlots {
        let around: Vec<Arc<Slots>> =
            me.pair.vpcs().iter().filter_map(|vpc| Some(self.by_vpc.get(vpc)?.slots.clone())).collect();
        // Hands change between objects of one pair.
        let hands = rivals.iter().filter(|other| me.is_handover(other)).map(|other| other.key.clone());
        let no_rivals = hands.chain([me.key.clone()]).collect();
        let everyones = OtherSlots { own: BTreeMap::new(), around, no_rivals };
        let outranks = |key: &&ObjectKey| self.get(key).is_some_and(|other| other.rank() < me.rank());
        let decided = |place: Place| (place, everyones.all(place).filter(outranks).max().cloned());
        let own = me.places().map(decided).collect();
        OtherSlots { own, ..everyones }
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
    // One that holds the very same peering already, however that came about, has nothing left to take.
    let holds_it = next.memory.holds_pair() && next.memory.peering() == me.memory.peering();
    let has_taken = holds_it || next.memory.taken_from.as_ref() == Some(&me.uid);
    Some(Heir { key: next.key.clone(), has_taken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PeeringId, Side};
    use crate::memory::{How, Life, Owned};

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
    fn who_may_not_act_keeps_nobody_from_a_pair_but_what_is_remembered_stays_held() {
        let squatter = Entry { granted: false, ..entry("a", 0) };
        let mut claims = table([squatter, entry("b", 1)]);
        assert_eq!(claims.view(&ObjectKey::new("net", "b")).pair, PairClaim::Mine);
        assert_ne!(claims.view(&ObjectKey::new("net", "a")).pair, PairClaim::Mine);
        claims.set(Entry { granted: false, ..remembering(entry("a", 0)) });
        assert_ne!(claims.view(&ObjectKey::new("net", "b")).pair, PairClaim::Mine, "a grant was withdrawn");
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
        let view = table([leaving.clone(), remembering(entry("new", 2))]).view(&leaving.key);
        assert!(view.heir.unwrap().has_taken, "it holds the same peering already");
        let mut stranger = entry("new", 2);
        stranger.granted = false;
        assert_eq!(table([leaving.clone(), stranger]).view(&leaving.key).heir, None);
    }

    fn holding(mut entry: Entry, places: &[(u8, &str)]) -> Entry {
        let owned = Owned { how: How::Created, to: "pcx-00000000000000001".parse().unwrap() };
        let slots = places.iter().map(|(table, to)| {
            let table = format!("rtb-{table:017x}").parse().unwrap();
            (Slot { side: Side::Requester, table, destination: to.parse().unwrap() }, owned)
        });
        entry.memory = Arc::new(Memory { slots: slots.collect(), ..(*entry.memory).clone() });
        entry
    }

    fn holder(table: &Table, of: &str, at: u8, to: &str) -> Option<String> {
        let slots = table.view(&ObjectKey::new("net", of)).slots;
        let found = slots.get(format!("rtb-{at:017x}").parse().unwrap(), to.parse().unwrap());
        found.map(|key| key.name.to_string())
    }

    /// Another pair, with one VPC in common.
    fn beside(mut entry: Entry) -> Entry {
        entry.pair = VpcPair::new(vpc(1), vpc(3));
        entry
    }

    #[test]
    fn a_slot_is_held_by_who_remembers_it_and_of_two_by_the_lower_rank() {
        let mine = holding(entry("mine", 1), &[(1, "10.1.0.0/16")]);
        let other = holding(beside(entry("other", 2)), &[(1, "10.1.0.0/16"), (1, "10.2.0.0/16")]);
        let mut table = table([mine.clone(), other.clone()]);
        assert_eq!(holder(&table, "mine", 1, "10.2.0.0/16").as_deref(), Some("other"), "only it remembers");
        assert_eq!(holder(&table, "mine", 1, "10.1.0.0/16"), None, "both remember, and mine is older");
        assert_eq!(holder(&table, "other", 1, "10.1.0.0/16").as_deref(), Some("mine"));
        assert_eq!(holder(&table, "mine", 2, "10.2.0.0/16"), None, "another table");
        assert_eq!(table.neighbours_of(&mine.key), vec![other.key.clone()]);

        table.set(holding(beside(entry("other", 2)), &[]));
        assert_eq!(holder(&table, "mine", 1, "10.2.0.0/16"), None, "it has let go");
        table.set(other);
        table.remove(&ObjectKey::new("net", "other"));
        assert_eq!(holder(&table, "mine", 1, "10.2.0.0/16"), None, "it is gone");
        table.remove(&mine.key);
        assert_eq!(table, Table { last_number: table.last_number, ..Table::default() });
    }

    #[test]
    fn what_is_handed_over_is_no_rivalry() {
        let leaving = holding(entry("old", 1), &[(1, "10.1.0.0/16")]);
        let mut heir = holding(entry("new", 2), &[]);
        heir.memory = Arc::new(Memory { taken_from: Some(leaving.uid.clone()), ..Memory::default() });
        let table = table([leaving, heir]);
        assert_eq!(holder(&table, "new", 1, "10.1.0.0/16"), None);
    }

    #[test]
    fn a_look_at_the_claims_looks_only_at_objects_of_the_pair_and_of_its_slots() {
        let mine = holding(entry("mine", 1), &[(1, "10.1.0.0/16")]);
        let neighbours =
            (0..9).map(|n| holding(beside(entry(&format!("n{n}"), 2)), &[(n + 1, "10.9.0.0/16")]));
        let mut table = table(neighbours.chain([mine.clone()]));
        let full = table.view(&mine.key);
        // Taken away behind the index's back.
        table.entries.retain(|key, _| **key == mine.key);
        assert_eq!(table.view(&mine.key), full);
        assert_eq!(holder(&table, "mine", 3, "10.9.0.0/16").as_deref(), Some("n2"));
    }
}
