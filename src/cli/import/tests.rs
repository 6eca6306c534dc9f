use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::desired::{AccountRef, Destinations, TableSelector};
use peerkeeper_core::ids::{Cidr, Destination, RouteTableId, Sides};
use peerkeeper_core::observed::{RouteTable, Tags};
use proptest::prelude::*;

use super::choose::{Entry, Slots, choose};
use super::write::{Declared, End, label, manifest};
use crate::cli::manifests::Manifests;

fn table_id(number: usize) -> RouteTableId {
    format!("rtb-{number:017x}").parse().expect("an id")
}

fn cidr(text: &str) -> Cidr {
    text.parse().expect("a CIDR")
}

fn table(number: usize, main: bool, tags: &[(&str, &str)]) -> Arc<RouteTable> {
    let tags: Tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Arc::new(RouteTable {
        id: table_id(number),
        vpc: "vpc-00000001".parse().expect("an id"),
        owner: "111122223333".parse().expect("an id"),
        main,
        edge: false,
        tags,
        routes: Vec::new(),
    })
}

/// What the API says that a selector selects, told here anew.
fn selected(all: &[Arc<RouteTable>], tables: &TableSelector) -> BTreeSet<RouteTableId> {
    let is_selected = |table: &&Arc<RouteTable>| match tables {
        TableSelector::All => true,
        TableSelector::Main => table.main,
        TableSelector::Ids(ids) => ids.contains(&table.id),
        TableSelector::Tags(tags) => tags.iter().all(|(key, value)| table.tags.get(key) == Some(value)),
    };
    all.iter().filter(is_selected).map(|table| table.id).collect()
}

fn reached(peer: &BTreeSet<Cidr>, destinations: &Destinations) -> BTreeSet<Destination> {
    match destinations {
        Destinations::PrefixLists(lists) => lists.iter().map(|list| Destination::PrefixList(*list)).collect(),
        Destinations::Cidrs(cidrs) => cidrs.iter().map(|cidr| Destination::Cidr(*cidr)).collect(),
        Destinations::PeerCidrs { exclude } => {
            let is_told = |cidr: &&Cidr| !exclude.iter().any(|excluded| excluded.contains(**cidr));
            peer.iter().filter(is_told).map(|cidr| Destination::Cidr(*cidr)).collect()
        }
    }
}

fn expand(all: &[Arc<RouteTable>], peer: &BTreeSet<Cidr>, entries: &[Entry]) -> Slots {
    let pairs = |entry: &Entry| {
        let to = reached(peer, &entry.destinations);
        let of = |table| to.iter().map(move |to| (table, *to)).collect::<Vec<_>>();
        selected(all, &entry.tables).into_iter().flat_map(of).collect::<Vec<_>>()
    };
    entries.iter().flat_map(pairs).collect()
}

/// Every selection by tags that some table has, up to three together.
fn by_tags(all: &[Arc<RouteTable>]) -> Vec<(usize, BTreeSet<RouteTableId>)> {
    let given = all.iter().flat_map(|table| table.tags.iter()).filter(|(key, _)| !key.starts_with("aws:"));
    let pairs: BTreeSet<(Arc<str>, Arc<str>)> = given.map(|(k, v)| (k.clone(), v.clone())).collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    let mut found = Vec::new();
    let mut add = |tags: &[&(Arc<str>, Arc<str>)]| {
        let tags: BTreeMap<Arc<str>, Arc<str>> = tags.iter().map(|pair| (*pair).clone()).collect();
        found.push((tags.len(), selected(all, &TableSelector::Tags(tags))));
    };
    for (at, a) in pairs.iter().enumerate() {
        for (then, b) in pairs.iter().enumerate().skip(at) {
            pairs[then..].iter().for_each(|c| add(&[a, b, c]));
        }
    }
    found
}

/// Nothing that the chooser knows says the same tables with less than these ids.
fn shorter_than_ids(all: &[Arc<RouteTable>], ids: &BTreeSet<RouteTableId>) -> Option<String> {
    for select in [TableSelector::All, TableSelector::Main] {
        if selected(all, &select) == *ids {
            return Some(format!("{select:?}"));
        }
    }
    let tags = by_tags(all);
    if let Some((count, _)) = tags.iter().find(|(count, tables)| *count <= ids.len() && tables == ids) {
        return Some(format!("{count} tags"));
    }
    let mut single: Vec<_> =
        tags.into_iter().filter(|(count, _)| *count == 1).map(|(_, tables)| tables).collect();
    single.push(selected(all, &TableSelector::Main));
    let is_pair =
        |one: &BTreeSet<_>, other: &BTreeSet<_>| one.union(other).copied().collect::<BTreeSet<_>>() == *ids;
    // Two entries of one value each are 6, one of ids is 2 and the ids.
    let pair = ids.len() > 4 && single.iter().any(|one| single.iter().any(|other| is_pair(one, other)));
    pair.then(|| "two side by side".to_owned())
}

fn tables() -> impl Strategy<Value = Vec<Arc<RouteTable>>> {
    let tags = proptest::collection::btree_map(
        prop_oneof![Just("tier"), Just("zone"), Just("team"), Just("Name"), Just("aws:stack")],
        prop_oneof![Just("a"), Just("b")],
        0..4,
    );
    proptest::collection::vec(tags, 1..9).prop_map(|all| {
        let one = |(number, tags): (usize, &BTreeMap<&str, &str>)| {
            let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (*key, *value)).collect();
            table(number, number == 0, &tags)
        };
        all.iter().enumerate().map(one).collect()
    })
}

const TO: [&str; 6] = ["10.2.0.0/16", "10.3.0.0/16", "fd00::/56", "10.0.0.0/8", "10.2.7.0/24", "pl-00000001"];

/// The peer has up to three blocks; the first three destinations.
fn scene() -> impl Strategy<Value = (Vec<Arc<RouteTable>>, BTreeSet<Cidr>, Slots)> {
    (tables(), 0..4_usize).prop_flat_map(|(all, blocks)| {
        let cells = all.len() * TO.len();
        // Rows that are alike are as usual as cells by chance.
        let rows = proptest::collection::vec(any::<bool>(), TO.len());
        let given = (
            proptest::collection::vec(any::<bool>(), cells),
            rows,
            proptest::collection::vec(any::<bool>(), all.len()),
            any::<bool>(),
        );
        given.prop_map(move |(cells, row, of, is_regular)| {
            let has = |table: usize, to: usize| match is_regular {
                true => row[to] && of[table],
                false => cells[table * TO.len() + to],
            };
            let all_cells = (0..all.len()).flat_map(|table| (0..TO.len()).map(move |to| (table, to)));
            let slots = all_cells.filter(|(table, to)| has(*table, *to));
            let slots = slots.map(|(table, to)| (table_id(table), TO[to].parse().expect("a destination")));
            (all.clone(), TO[..blocks].iter().map(|text| cidr(text)).collect(), slots.collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_chosen_is_exactly_what_is_there_and_no_shorter_is((all, peer, slots) in scene()) {
        let entries = choose(&all, &peer, &slots);
        prop_assert_eq!(expand(&all, &peer, &entries), slots.clone());
        for entry in &entries {
            prop_assert!(!selected(&all, &entry.tables).is_empty() && !reached(&peer, &entry.destinations).is_empty());
            if let TableSelector::Ids(ids) = &entry.tables {
                prop_assert_eq!(shorter_than_ids(&all, ids), None, "{:?}", entry);
            }
            if let TableSelector::Tags(tags) = &entry.tables {
                let wanted = selected(&all, &entry.tables);
                let fewer = by_tags(&all).into_iter().find(|(count, tables)| *count < tags.len() && *tables == wanted);
                prop_assert_eq!(fewer, None, "{:?}", entry);
                prop_assert!(tags.len() <= wanted.len().max(1));
                prop_assert!(tags.keys().all(|key| !key.starts_with("aws:")) );
            }
            if let Destinations::Cidrs(cidrs) = &entry.destinations {
                prop_assert!(peer.is_empty() || !peer.iter().all(|block| cidrs.contains(block)), "{:?}", entry);
            }
        }
        let mut shuffled = all.clone();
        shuffled.reverse();
        prop_assert_eq!(choose(&shuffled, &peer, &slots), entries);
    }
}

fn entry(tables: TableSelector, destinations: Destinations) -> Entry {
    Entry { tables, destinations }
}

fn tags(tags: &[(&str, &str)]) -> TableSelector {
    TableSelector::Tags(tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
}

fn slots(of: &[usize], to: &[&str]) -> Slots {
    let to = |table: &usize| {
        to.iter().map(|to| (table_id(*table), to.parse().expect("a destination"))).collect::<Vec<_>>()
    };
    of.iter().flat_map(to).collect()
}

const PEER: Destinations = Destinations::PeerCidrs { exclude: BTreeSet::new() };

#[test]
fn the_shortest_is_what_a_person_would_write() {
    let zones = ["a", "b", "c"];
    let mut all = vec![table(0, true, &[])];
    all.extend((1..4).map(|n| table(n, false, &[("tier", "private"), ("Name", zones[n - 1])])));
    all.extend((4..7).map(|n| table(n, false, &[("tier", "data"), ("aws:stack", "s")])));
    let peer = BTreeSet::from([cidr("10.2.0.0/16")]);
    let chosen = |of: &[usize], to: &[&str]| choose(&all, &peer, &slots(of, to));
    let both = ["10.2.0.0/16"];
    assert_eq!(chosen(&[0], &both), [entry(TableSelector::Main, PEER)]);
    assert_eq!(chosen(&[0, 1, 2, 3, 4, 5, 6], &both), [entry(TableSelector::All, PEER)]);
    assert_eq!(chosen(&[1, 2, 3], &both), [entry(tags(&[("tier", "private")]), PEER)]);
    assert_eq!(chosen(&[2], &both), [entry(tags(&[("Name", "b")]), PEER)]);
    let ids = |of: &[usize]| TableSelector::Ids(of.iter().map(|n| table_id(*n)).collect());
    assert_eq!(chosen(&[4, 5], &both), [entry(ids(&[4, 5]), PEER)], "two of three");
    let two = [entry(tags(&[("tier", "data")]), PEER), entry(tags(&[("tier", "private")]), PEER)];
    assert_eq!(chosen(&[1, 2, 3, 4, 5, 6], &both), two);
    // A summary in one table splits no rectangle of the others.
    let more: Slots = slots(&[1, 2, 3], &both).into_iter().chain(slots(&[2], &["10.0.0.0/8"])).collect();
    let summary = Destinations::Cidrs([cidr("10.0.0.0/8")].into());
    let split = [entry(tags(&[("Name", "b")]), summary), entry(tags(&[("tier", "private")]), PEER)];
    assert_eq!(choose(&all, &peer, &more), split);
}

#[test]
fn an_edge_table_is_never_swept_in() {
    let mut all = vec![table(0, true, &[]), table(1, false, &[])];
    let mut edge = (*table(2, false, &[])).clone();
    edge.edge = true;
    all.push(Arc::new(edge));
    let chosen = choose(&all, &[cidr("10.2.0.0/16")].into(), &slots(&[0, 1], &["10.2.0.0/16"]));
    assert_eq!(chosen, [entry(TableSelector::Ids([table_id(0), table_id(1)].into()), PEER)]);
}

#[test]
fn most_of_the_peers_blocks_are_all_but_some() {
    let blocks: Vec<String> = (1..7).map(|n| format!("10.{n}.0.0/16")).collect();
    let peer: BTreeSet<Cidr> = blocks.iter().map(|block| cidr(block)).collect();
    let all = [table(0, true, &[])];
    let routed: Vec<&str> = blocks.iter().take(5).map(String::as_str).collect();
    let exclude = [cidr("10.6.0.0/16")].into();
    let chosen = choose(&all, &peer, &slots(&[0], &routed));
    assert_eq!(chosen, [entry(TableSelector::Main, Destinations::PeerCidrs { exclude })]);
    let two = Destinations::Cidrs([cidr("10.1.0.0/16"), cidr("10.2.0.0/16")].into());
    assert_eq!(choose(&all, &peer, &slots(&[0], &routed[..2])), [entry(TableSelector::Main, two)]);
}

#[test]
fn more_than_an_entry_holds_is_told_in_several() {
    let all: Vec<_> = (0..402).map(|n| table(n, n == 0, &[])).collect();
    let of: Vec<usize> = (1..402).filter(|n| *n != 7).collect();
    let wanted = slots(&of, &["10.2.0.0/16"]);
    let peer = [cidr("10.2.0.0/16")].into();
    let chosen = choose(&all, &peer, &wanted);
    assert_eq!((chosen.len(), expand(&all, &peer, &chosen)), (2, wanted));
}

#[test]
fn names_are_labels_of_dns() {
    for (text, wanted) in [
        ("Prod to Shared", Some("prod-to-shared")),
        ("  a__B--c/ ", Some("a-b-c")),
        ("äöü", None),
        ("", None),
        ("10.0.0.0", Some("10-0-0-0")),
    ] {
        assert_eq!(label(text, 63).as_deref(), wanted, "{text}");
    }
    assert_eq!(label(&"x-".repeat(40), 64).map(|label| label.len()), Some(63), "no dash at the end");
}

fn declared(name: &str, key: &str, value: &str, note: &str) -> Declared {
    let end = |vpc: &str, routes: Vec<Entry>| End {
        account: AccountRef::Managed("prod".into()),
        region: "eu-west-1".parse().expect("a Region"),
        vpc: vpc.parse().expect("an id"),
        allow_dns: Some(true),
        routes,
    };
    let routes = vec![
        entry(TableSelector::Tags([(key.into(), value.into())].into()), PEER),
        entry(TableSelector::Main, Destinations::Cidrs([cidr("10.2.0.0/16"), cidr("fd00::/56")].into())),
        entry(tags(&[("a", "main")]), Destinations::Cidrs([cidr("0.0.0.0/0")].into())),
    ];
    Declared {
        namespace: "network".to_owned(),
        name: name.to_owned(),
        id: "pcx-00000001".parse().expect("an id"),
        notes: vec![note.to_owned()],
        sides: Sides::new(end("vpc-00000001", routes), end("vpc-00000002", Vec::new())),
        tags: BTreeMap::from([(key.into(), value.into())]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// What people write into tags means itself in the manifest, whatever YAML would make of it.
    #[test]
    fn whatever_a_tag_says_comes_back(key in "\\PC{1,20}", value in "[\\PC\\n\\t\u{85}\u{2028}\u{0}-\u{7}]{0,30}", note in "[\\PC\\n\\r\u{85}\u{2028}]{0,30}") {
        prop_assume!(key != "<<" && !key.to_lowercase().starts_with("aws:") && !key.to_lowercase().starts_with("peerkeeper.dev/"));
        let text = manifest(&declared("prod-shared", &key, &value, &note));
        let read = Manifests::of_text("import", &text, "default").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let (object, _) = read.peerings.values().next().expect("one");
        prop_assert_eq!(object.spec.tags.get(&key), Some(&value));
        let tags = object.spec.requester.routes[0].route_tables.match_tags.clone();
        prop_assert_eq!(tags, Some(BTreeMap::from([(key, value)])));
    }
}

/// Words that YAML takes for something else.
#[test]
fn words_that_mean_something_to_yaml_are_quoted() {
    for value in [
        "true",
        "No",
        "~",
        "null",
        "1",
        "0x1f",
        "1e3",
        "12:30",
        "2026-01-01",
        "",
        " ",
        "- a",
        "a: b",
        "#",
        "{",
        ".inf",
        "=",
    ] {
        let text = manifest(&declared("1", value, value, value));
        if value.is_empty() {
            continue;
        }
        let read =
            Manifests::of_text("import", &text, "default").unwrap_or_else(|error| panic!("{error}\n{text}"));
        let (object, _) = read.peerings.values().next().expect("one");
        assert_eq!(object.spec.tags.get(value).map(String::as_str), Some(value));
        assert_eq!(object.metadata.name.as_deref(), Some("1"));
    }
    insta::assert_snapshot!("written", manifest(&declared("prod-shared", "tier", "private", "A note.")));
}
