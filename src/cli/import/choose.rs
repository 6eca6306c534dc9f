//! From the routes that are there to the shortest entries that say exactly them.
//!
//! An entry is a rectangle: each of its tables has each of its destinations. Nothing is chosen that selects one table more, or
//! applying it would make a route. Known are `select: Main`, `select: All`, up to three tags together, two of these
//! side by side where that saves ids, and ids.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::desired::{Destinations, TableSelector};
use peerkeeper_core::ids::{Cidr, Destination, PrefixListId, RouteTableId};
use peerkeeper_core::observed::{RouteTable, Tags};

/// As the schema allows in one entry.
const IDS_MAX: usize = 200;
const CIDRS_MAX: usize = 64;
const PREFIX_LISTS_MAX: usize = 100;
/// Tags that are tried together. More would be longer than it is clear.
const TAGS_MAX: usize = 3;
/// What an entry costs beside its values: a name, and two lines that say what they are.
const ENTRY: usize = 2;

/// Some tables, and where their routes lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub tables: TableSelector,
    pub destinations: Destinations,
}

pub type Slots = BTreeSet<(RouteTableId, Destination)>;

/// The entries that declare `slots` and nothing else. `all` are the tables of the VPC, whatever they hold, and `peer` the
/// blocks of the VPC opposite.
pub fn choose(all: &[Arc<RouteTable>], peer: &BTreeSet<Cidr>, slots: &Slots) -> Vec<Entry> {
    let chooser = Chooser { all, peer };
    let (by_destination, by_table) = (chooser.by_destination(slots), chooser.by_table(slots));
    if cost(&by_table) < cost(&by_destination) { by_table } else { by_destination }
}

fn cost(entries: &[Entry]) -> usize {
    let of = |entry: &Entry| ENTRY + table_cost(&entry.tables) + destination_cost(&entry.destinations);
    entries.iter().map(of).sum()
}

fn table_cost(tables: &TableSelector) -> usize {
    match tables {
        TableSelector::All | TableSelector::Main => 1,
        TableSelector::Tags(tags) => tags.len(),
        TableSelector::Ids(ids) => ids.len(),
    }
}

fn destination_cost(destinations: &Destinations) -> usize {
    match destinations {
        Destinations::PeerCidrs { exclude } => 1 + exclude.len(),
        Destinations::Cidrs(cidrs) => cidrs.len(),
        Destinations::PrefixLists(lists) => lists.len(),
    }
}

struct Chooser<'a> {
    all: &'a [Arc<RouteTable>],
    peer: &'a BTreeSet<Cidr>,
}

type Tables = BTreeSet<RouteTableId>;

impl Chooser<'_> {
    /// Destinations that the same tables have are told together.
    fn by_destination(&self, slots: &Slots) -> Vec<Entry> {
        let mut tables: BTreeMap<Destination, Tables> = BTreeMap::new();
        for (table, destination) in slots {
            tables.entry(*destination).or_default().insert(*table);
        }
        let mut groups: BTreeMap<Tables, BTreeSet<Destination>> = BTreeMap::new();
        for (destination, tables) in tables {
            groups.entry(tables).or_default().insert(destination);
        }
        let mut all: Vec<_> = groups.into_iter().flat_map(|(t, d)| self.rectangle(&t, &d)).collect();
        all.sort_by_cached_key(order);
        all
    }

    /// Tables that have the same destinations are told together.
    fn by_table(&self, slots: &Slots) -> Vec<Entry> {
        let mut destinations: BTreeMap<RouteTableId, BTreeSet<Destination>> = BTreeMap::new();
        for (table, destination) in slots {
            destinations.entry(*table).or_default().insert(*destination);
        }
        let mut groups: BTreeMap<BTreeSet<Destination>, Tables> = BTreeMap::new();
        for (table, destinations) in destinations {
            groups.entry(destinations).or_default().insert(table);
        }
        let mut all: Vec<_> = groups.into_iter().flat_map(|(d, t)| self.rectangle(&t, &d)).collect();
        all.sort_by_cached_key(order);
        all
    }

    fn rectangle(&self, tables: &Tables, destinations: &BTreeSet<Destination>) -> Vec<Entry> {
        let (selectors, destinations) = (self.tables(tables), self.destinations(destinations));
        let with = |tables: &TableSelector| {
            let entry = |to: &Destinations| Entry { tables: tables.clone(), destinations: to.clone() };
            destinations.iter().map(entry).collect::<Vec<_>>()
        };
        selectors.iter().flat_map(with).collect()
    }

    /// One selector where one is exact; two where that is shorter than the ids; the ids.
    fn tables(&self, wanted: &Tables) -> Vec<TableSelector> {
        if let Some(one) = self.select(wanted).or_else(|| self.by_tags(wanted)) {
            return vec![one];
        }
        if 2 * (ENTRY + 1) < ENTRY + wanted.len()
            && let Some(pair) = self.side_by_side(wanted)
        {
            return pair;
        }
        let ids: Vec<RouteTableId> = wanted.iter().copied().collect();
        ids.chunks(IDS_MAX).map(|part| TableSelector::Ids(part.iter().copied().collect())).collect()
    }

    /// `Main` before `All` where the main table is the only one: a table that is made later had no route either.
    fn select(&self, wanted: &Tables) -> Option<TableSelector> {
        if wanted.len() == 1 && self.main().is_some_and(|main| wanted.contains(&main)) {
            return Some(TableSelector::Main);
        }
        let is_all =
            wanted.len() == self.all.len() && self.all.iter().all(|table| wanted.contains(&table.id));
        is_all.then_some(TableSelector::All)
    }

    fn main(&self) -> Option<RouteTableId> {
        self.all.iter().find(|table| table.main).map(|table| table.id)
    }

    fn matching(&self, tags: &[Pair]) -> Tables {
        let carries = |table: &&Arc<RouteTable>| tags.iter().all(|(key, value)| has(&table.tags, key, value));
        self.all.iter().filter(carries).map(|table| table.id).collect()
    }

    /// The fewest tags that these tables carry together and no other table does.
    fn by_tags(&self, wanted: &Tables) -> Option<TableSelector> {
        let inside: Vec<&Tags> =
            self.all.iter().filter(|table| wanted.contains(&table.id)).map(|table| &table.tags).collect();
        let first = inside.first()?;
        let shared: Vec<Pair> = pairs(first)
            .into_iter()
            .filter(|(key, value)| inside.iter().all(|t| has(t, key, value)))
            .collect();
        let others: Vec<&Tags> =
            self.all.iter().filter(|table| !wanted.contains(&table.id)).map(|table| &table.tags).collect();
        // More tags than there are tables would be longer than ids.
        let most = TAGS_MAX.min(wanted.len());
        (1..=most).find_map(|count| exact(&shared, &others, count)).map(selector)
    }

    /// Two of `Main` and single tags that together select these tables and no other.
    fn side_by_side(&self, wanted: &Tables) -> Option<Vec<TableSelector>> {
        let mut candidates: Vec<(TableSelector, Tables)> = Vec::new();
        if let Some(main) = self.main().filter(|main| wanted.contains(main)) {
            candidates.push((TableSelector::Main, [main].into()));
        }
        let inside = self.all.iter().filter(|table| wanted.contains(&table.id));
        let mut tags: Vec<Pair> = inside.flat_map(|table| pairs(&table.tags)).collect();
        tags.sort_by_cached_key(preference);
        tags.dedup();
        let mut seen: BTreeSet<Tables> = BTreeSet::new();
        for pair in tags {
            let matching = self.matching(std::slice::from_ref(&pair));
            if matching.is_subset(wanted) && seen.insert(matching.clone()) {
                candidates.push((selector(vec![pair]), matching));
            }
        }
        for (at, (one, by_one)) in candidates.iter().enumerate() {
            let rest: Tables = wanted.difference(by_one).copied().collect();
            let other = candidates[at + 1..].iter().find(|(_, by_other)| rest.is_subset(by_other));
            if let Some((other, _)) = other {
                return Some(vec![one.clone(), other.clone()]);
            }
        }
        None
    }

    /// All blocks of the peer, less some, where that is shorter than a list; a list; prefix lists.
    fn destinations(&self, wanted: &BTreeSet<Destination>) -> Vec<Destinations> {
        let cidr = |to: &Destination| match to {
            Destination::Cidr(cidr) => Some(*cidr),
            Destination::PrefixList(_) => None,
        };
        let mut cidrs: BTreeSet<Cidr> = wanted.iter().filter_map(cidr).collect();
        let mut all = Vec::new();
        if let Some(exclude) = self.exclude(&cidrs) {
            cidrs.retain(|cidr| !self.peer.contains(cidr));
            all.push(Destinations::PeerCidrs { exclude });
        }
        let cidrs: Vec<Cidr> = cidrs.into_iter().collect();
        all.extend(cidrs.chunks(CIDRS_MAX).map(|part| Destinations::Cidrs(part.iter().copied().collect())));
        let list = |to: &Destination| match to {
            Destination::Cidr(_) => None,
            Destination::PrefixList(list) => Some(*list),
        };
        let lists: Vec<PrefixListId> = wanted.iter().filter_map(list).collect();
        let parts = lists.chunks(PREFIX_LISTS_MAX);
        all.extend(parts.map(|part| Destinations::PrefixLists(part.iter().copied().collect())));
        all
    }

    /// What `peerCidrs: All` would have to leave out; `None` where a list is as short.
    fn exclude(&self, cidrs: &BTreeSet<Cidr>) -> Option<BTreeSet<Cidr>> {
        let (told, left): (Vec<Cidr>, Vec<Cidr>) = self.peer.iter().partition(|cidr| cidrs.contains(*cidr));
        // What is within an excluded block is excluded with it.
        let is_exact = told.iter().all(|cidr| !left.iter().any(|excluded| excluded.contains(*cidr)));
        let is_shorter = left.is_empty() || 1 + left.len() < told.len();
        (!told.is_empty() && is_exact && is_shorter && left.len() <= CIDRS_MAX)
            .then(|| left.into_iter().collect())
    }
}

type Pair = (Arc<str>, Arc<str>);

fn has(tags: &Tags, key: &str, value: &str) -> bool {
    tags.get(key).is_some_and(|held| **held == *value)
}

/// Those that people give: AWS's own name stacks and the like, and come and go with them. In the order of preference.
fn pairs(tags: &Tags) -> Vec<Pair> {
    // `<<` as a key merges maps in YAML, in quotes too.
    let given = |key: &str| !key.to_ascii_lowercase().starts_with("aws:") && key != "<<";
    let given = tags.iter().filter(|(key, _)| given(key));
    let mut pairs: Vec<Pair> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
    pairs.sort_by_cached_key(preference);
    pairs
}

/// A name is for people to change; then what is shorter.
fn preference(pair: &Pair) -> (bool, usize, Pair) {
    (&*pair.0 == "Name", pair.0.len() + pair.1.len(), pair.clone())
}

fn selector(tags: Vec<Pair>) -> TableSelector {
    TableSelector::Tags(tags.into_iter().collect())
}

/// So many of `shared` that none of `others` carries all of them: the first in the order of preference.
fn exact(shared: &[Pair], others: &[&Tags], count: usize) -> Option<Vec<Pair>> {
    let Some(left) = count.checked_sub(1) else { return others.is_empty().then(Vec::new) };
    shared.iter().enumerate().find_map(|(at, pair)| {
        let still: Vec<&Tags> = others.iter().filter(|tags| has(tags, &pair.0, &pair.1)).copied().collect();
        if left > 0 && still.is_empty() {
            // Fewer would do, and fewer were tried.
            return None;
        }
        let mut more = exact(&shared[at + 1..], &still, left)?;
        more.push(pair.clone());
        Some(more)
    })
}

/// The main table first, then what is selected widely, then ids; the peer's blocks before others.
fn order(entry: &Entry) -> (u8, Vec<String>, u8, Vec<String>) {
    let (tables, names) = match &entry.tables {
        TableSelector::Main => (0, Vec::new()),
        TableSelector::All => (1, Vec::new()),
        TableSelector::Tags(tags) => (2, tags.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        TableSelector::Ids(ids) => (3, ids.iter().map(ToString::to_string).collect()),
    };
    let (to, blocks) = match &entry.destinations {
        Destinations::PeerCidrs { exclude } => (0, exclude.iter().map(ToString::to_string).collect()),
        Destinations::Cidrs(cidrs) => (1, cidrs.iter().map(ToString::to_string).collect()),
        Destinations::PrefixLists(lists) => (2, lists.iter().map(ToString::to_string).collect()),
    };
    (tables, names, to, blocks)
}
