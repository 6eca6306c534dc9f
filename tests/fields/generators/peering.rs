//! `VpcPeering`.

use peerkeeper_core::reason::Reason;
use serde_json::{Value, json};

use super::super::schema::Kind;
use super::super::stage::{Base, EU, FOREIGN, Probe, SHARED};
use super::{Change, Generator, created, created_says, fits, fixed, refused, rests, says};

/// What differs between the two sides.
struct Side {
    name: &'static str,
    own: &'static str,
    region: &'static str,
    /// The first CIDR of the other VPC, and one that sums up all of them.
    peer_cidr: &'static str,
    wide_cidr: &'static str,
    own_cidr: &'static str,
}

const REQUESTER: Side = Side {
    name: "requester",
    own: "a",
    region: "us-east-1",
    peer_cidr: "10.2.0.0/16",
    wide_cidr: "10.2.0.0/15",
    own_cidr: "10.1.7.0/24",
};
const ACCEPTER: Side = Side {
    name: "accepter",
    own: "b",
    region: "eu-west-1",
    peer_cidr: "10.1.0.0/16",
    wide_cidr: "10.0.0.0/15",
    own_cidr: "10.2.7.0/24",
};

pub fn generators() -> Vec<Generator> {
    let mut all = vec![
        generator("spec.tags{}", Base::Plain, tags()),
        generator("spec.policyRef.name", Base::Plain, policy()),
        generator("spec.adoption", Base::Unowned, adoption()),
        generator("spec.deletionPolicy", Base::Plain, deletion_policy()),
        generator("spec.deletionPolicy", Base::Adopted, deletion_policy_of_adopted()),
        generator("spec.suspend", Base::Plain, suspend()),
        generator("spec.accepter.account.id", Base::Foreign, foreign()),
    ];
    for side in [REQUESTER, ACCEPTER] {
        all.extend(side_generators(&side));
    }
    all
}

fn generator(path: &str, base: Base, changes: Vec<Change>) -> Generator {
    Generator { kind: Kind::VpcPeering, path: path.to_owned(), object: "hub", base, changes }
}

fn spec(fields: Value) -> Value {
    json!({"spec": fields})
}

fn tags() -> Vec<Change> {
    let many: serde_json::Map<String, Value> = (0..44).map(|n| (format!("k{n}"), json!("v"))).collect();
    let long_key = "k".repeat(128);
    let (long_key, long_value) = (json!({long_key: "v"}), json!({"team": "v".repeat(256)}));
    vec![
        fits("another value", spec(json!({"tags": {"team": "platform"}}))),
        fits("one more", spec(json!({"tags": {"stage": "prod"}}))),
        fits("another key", spec(json!({"tags": {"team": null, "Team": "network"}}))),
        fits("none", spec(json!({"tags": null}))),
        fits("an empty map", spec(json!({"tags": {"team": null}}))),
        fits("an empty value", spec(json!({"tags": {"team": ""}}))),
        fits("as many as there may be", spec(json!({"tags": many}))),
        fits("the longest key", spec(json!({"tags": long_key}))),
        fits("the longest value", spec(json!({"tags": long_value}))),
        refused("one of AWS's", spec(json!({"tags": {"AWS:x": "y"}}))),
        refused("one of ours", spec(json!({"tags": {"Peerkeeper.dev/owner": "y"}}))),
        refused("an empty key", spec(json!({"tags": {"": "y"}}))),
    ]
}

fn policy() -> Vec<Change> {
    vec![
        fits("another", spec(json!({"policyRef": {"name": "flag"}})))
            .probed(Probe::Lose)
            .then(Reason::DeletedUnexpectedly)
            .asks_after_probe(),
        fits("none, and none called default", spec(json!({"policyRef": null})))
            .probed(Probe::Lose)
            .then(Reason::DeletedUnexpectedly)
            .asks_after_probe(),
        says(
            "one that does not exist",
            Reason::PolicyNotFound,
            spec(json!({"policyRef": {"name": "nowhere"}})),
        )
        .probed(Probe::Lose)
        .then(Reason::PolicyNotFound)
        .asks_after_probe(),
        refused("no name", spec(json!({"policyRef": {"name": ""}}))),
        refused("half a reference", spec(json!({"policyRef": {"name": null}}))),
    ]
}

fn adoption() -> Vec<Change> {
    vec![
        fits("what nobody owns is adopted, and then it is ours", spec(json!({"adoption": "IfUnowned"})))
            .stays(),
        fits("the default", spec(json!({"adoption": null}))).stays(),
    ]
}

fn deletion_policy() -> Vec<Change> {
    vec![
        fits("retained", spec(json!({"deletionPolicy": "Retain"}))).probed(Probe::Delete),
        fits("deleted", spec(json!({"deletionPolicy": "Delete"}))).probed(Probe::Delete),
    ]
}

fn deletion_policy_of_adopted() -> Vec<Change> {
    vec![fits("deleted", spec(json!({"deletionPolicy": "Delete"}))).probed(Probe::Delete)]
}

fn suspend() -> Vec<Change> {
    vec![
        rests("and lost", spec(json!({"suspend": true}))).probed(Probe::Lose),
        rests("and a route is missing", spec(json!({"suspend": true}))).probed(Probe::DropRoute),
        fits("written out", spec(json!({"suspend": false}))),
    ]
}

fn foreign() -> Vec<Change> {
    let id = |id: &str| spec(json!({"accepter": {"account": {"id": id}}}));
    vec![
        fixed("another", id("999900001111")),
        created_says("one that may not stand there", Reason::PeerAccountNotAllowed, id("999900001111")),
        created_says("one that has an AwsAccount", Reason::PeerAccountHasAwsAccount, id(SHARED)),
        created(
            "ours by name, after all",
            spec(json!({"accepter": {"account": {"id": null, "name": "shared"}, "vpcId": "{vpc:b}"}})),
        ),
        refused("id and name", spec(json!({"accepter": {"account": {"id": FOREIGN, "name": "shared"}}}))),
        refused("with DNS", spec(json!({"accepter": {"allowDnsResolutionFromRemoteVpc": true}}))),
    ]
}

fn side_generators(side: &Side) -> Vec<Generator> {
    let at = |field: &str, changes: Vec<Change>| {
        generator(&format!("spec.{}.{field}", side.name), Base::Plain, changes)
    };
    let mut all = vec![
        at("account.name", account_name(side)),
        at("region", region(side)),
        at("vpcId", vpc(side)),
        at("allowDnsResolutionFromRemoteVpc", dns(side)),
        at("routes[].name", route_name(side)),
        at("routes[].routeTables.ids[]", table_ids(side)),
        at("routes[].routeTables.matchTags{}", table_tags(side)),
        at("routes[].routeTables.select", table_select(side)),
        at("routes[].destinations.peerCidrs", peer_cidrs(side)),
        at("routes[].destinations.cidrs[]", cidrs(side)),
        at("routes[].destinations.prefixListIds[]", prefix_lists(side)),
        at("routes[].destinations.exclude[]", exclude(side)),
    ];
    if side.name == "requester" {
        let patch = spec(json!({"requester": {"account": {"name": null, "id": FOREIGN}}}));
        all.push(at("account.id", vec![refused("the request needs credentials", patch)]));
    }
    all
}

fn of(side: &Side, fields: Value) -> Value {
    json!({"spec": {side.name: fields}})
}

fn account_name(side: &Side) -> Vec<Change> {
    let name = |name: &str| of(side, json!({"account": {"name": name}}));
    let wrong = if side.name == "requester" { "shared" } else { "prod" };
    vec![
        fixed("another", name("closed")),
        created_says("nobody's", Reason::AccountNotFound, name("nobody")),
        created_says("one that grants nothing", Reason::AccessNotGranted, name("closed")),
        created_says("one that does not have the VPC", Reason::VpcNotFound, name(wrong)),
        refused("no name", name("")),
        refused("capitals", name("Prod")),
    ]
}

fn region(side: &Side) -> Vec<Change> {
    let region = |region: &str| of(side, json!({"region": region}));
    vec![
        fixed("another", region("eu-central-1")),
        created_says("where the VPC is not", Reason::VpcNotFound, region(side.region)),
        created_says("one that nobody knows", Reason::VpcNotFound, region("xx-nowhere-9")),
        refused("no code", region("Ireland")),
        refused("of another partition", region("cn-north-1")),
        refused("none", of(side, json!({"region": null}))),
    ]
}

fn vpc(side: &Side) -> Vec<Change> {
    let vpc = |id: &str| of(side, json!({"vpcId": id}));
    let mut changes = vec![
        fixed("another", vpc("{vpc:other}")),
        created_says("one that does not exist", Reason::VpcNotFound, vpc("vpc-00000000000000bad")),
        refused("no id of a VPC", vpc("subnet-0123456789abcdef0")),
        refused("none", of(side, json!({"vpcId": null}))),
    ];
    if side.name == "accepter" {
        changes.push(created("another", vpc("{vpc:other}")));
        changes.push(created_says("one that overlaps", Reason::OverlappingCidrs, vpc("{vpc:overlapping}")));
        changes.push(created_says("the requester's, elsewhere", Reason::InvalidObject, vpc("{vpc:a}")));
        changes.push(refused("the requester's", of(side, json!({"region": EU, "vpcId": "{vpc:a}"}))));
    }
    changes
}

fn dns(side: &Side) -> Vec<Change> {
    let allow = |allow: bool| of(side, json!({"allowDnsResolutionFromRemoteVpc": allow}));
    let mut changes = vec![fits("allowed", allow(true)).keeps_dns(), fits("forbidden", allow(false))];
    if side.name == "accepter" {
        let mut patch = allow(true);
        patch["spec"]["accepter"]["vpcId"] = json!("{vpc:nameless}");
        changes.push(created_says("without host names", Reason::DnsHostnamesDisabled, patch));
    }
    changes
}

/// The one route of the side, with these selections.
fn route(side: &Side, tables: Value, destinations: Value) -> Value {
    of(side, json!({"routes": [{"name": "private", "routeTables": tables, "destinations": destinations}]}))
}

fn tables(side: &Side, tables: Value) -> Value {
    route(side, tables, json!({"peerCidrs": "All"}))
}

fn destinations(side: &Side, destinations: Value) -> Value {
    route(side, json!({"matchTags": {"tier": "private"}}), destinations)
}

fn named(side: &Side, names: &[&str]) -> Value {
    let route = |name: &&str| json!({"name": name, "routeTables": {"matchTags": {"tier": "private"}}, "destinations": {"peerCidrs": "All"}});
    of(side, json!({"routes": names.iter().map(route).collect::<Vec<_>>()}))
}

fn route_name(side: &Side) -> Vec<Change> {
    let longest = "n".repeat(63);
    vec![
        fits("another", named(side, &["renamed"])),
        fits("the longest", named(side, &[&longest])),
        fits("two that come to the same", named(side, &["private", "twin"])),
        fits("no routes", named(side, &[])),
        fits("none", of(side, json!({"routes": null}))),
        refused("twice the same", named(side, &["private", "private"])),
        refused("capitals", named(side, &["Private"])),
    ]
}

fn table_ids(side: &Side) -> Vec<Change> {
    let ids = |ids: &[&str]| {
        let full: Vec<String> = ids.iter().map(|id| id.replace("OWN", side.own)).collect();
        tables(side, json!({"ids": full}))
    };
    vec![
        fits("the same one by id", ids(&["{rtb:OWN-private}"])),
        fits("another", ids(&["{rtb:OWN-public}"])),
        fits("both", ids(&["{rtb:OWN-private}", "{rtb:OWN-public}"])),
        says("one that does not exist", Reason::RouteTableNotFound, ids(&["rtb-00000000000000bad"])),
        says(
            "one that does not exist beside one that does",
            Reason::RouteTableNotFound,
            ids(&["{rtb:OWN-private}", "rtb-00000000000000bad"]),
        ),
        says("one of another VPC", Reason::RouteTableNotFound, ids(&["{rtb:other-private}"])),
        refused("no ids", ids(&[])),
        refused("no id of a table", ids(&["vpc-0123456789abcdef0"])),
        refused("twice the same", ids(&["{rtb:OWN-private}", "{rtb:OWN-private}"])),
    ]
}

fn table_tags(side: &Side) -> Vec<Change> {
    let tags = |tags: Value| tables(side, json!({"matchTags": tags}));
    vec![
        fits("other tables", tags(json!({"tier": "public"}))),
        says("none that any table carries", Reason::NothingSelected, tags(json!({"tier": "nowhere"}))),
        says(
            "one that the table carries and one that it does not",
            Reason::NothingSelected,
            tags(json!({"tier": "private", "also": "this"})),
        ),
        refused("no tags", tags(json!({}))),
        refused("an empty key", tags(json!({"": "x"}))),
    ]
}

fn table_select(side: &Side) -> Vec<Change> {
    vec![
        fits("all", tables(side, json!({"select": "All"}))),
        fits("the main one", tables(side, json!({"select": "Main"}))),
        refused("another word", tables(side, json!({"select": "Some"}))),
        refused("all, and by tag", tables(side, json!({"select": "All", "matchTags": {"tier": "private"}}))),
        refused("nothing", tables(side, json!({}))),
    ]
}

fn peer_cidrs(side: &Side) -> Vec<Change> {
    vec![
        fits("instead of them a part of the first", destinations(side, json!({"cidrs": [part_of(side)]}))),
        refused("another word", destinations(side, json!({"peerCidrs": "Some"}))),
        refused("nothing", destinations(side, json!({}))),
        refused("with others", destinations(side, json!({"peerCidrs": "All", "cidrs": [side.peer_cidr]}))),
    ]
}

fn part_of(side: &Side) -> String {
    side.peer_cidr.replace("0.0/16", "4.0/22")
}

fn cidrs(side: &Side) -> Vec<Change> {
    let cidrs = |cidrs: &[&str]| destinations(side, json!({"cidrs": cidrs}));
    let part = part_of(side);
    let unmasked = side.peer_cidr.replace("0.0/16", "4.1/16");
    let many: Vec<String> = (0..64).map(|n| side.peer_cidr.replace("0.0/16", &format!("{n}.0/24"))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    vec![
        fits("the first of the peer's", cidrs(&[side.peer_cidr])),
        fits("a part of it", cidrs(&[&part])),
        fits("a part beside the whole", cidrs(&[side.peer_cidr, &part])),
        fits("one that sums them up", cidrs(&[side.wide_cidr])),
        fits("as many as there may be", cidrs(&many)),
        says("one outside the peer", Reason::DestinationOutsidePeer, cidrs(&["192.168.0.0/16"])),
        says(
            "one outside the peer beside a right one",
            Reason::DestinationOutsidePeer,
            cidrs(&[side.peer_cidr, "192.168.0.0/16"]),
        ),
        says("one of another family", Reason::DestinationOutsidePeer, cidrs(&["2001:db8::/32"])),
        says("one within the own VPC", Reason::DestinationOutsidePeer, cidrs(&[side.own_cidr])),
        refused("none", cidrs(&[])),
        refused("no CIDR", cidrs(&["10.2.0.0"])),
        refused("with host bits", cidrs(&[&unmasked])),
    ]
}

fn prefix_lists(side: &Side) -> Vec<Change> {
    let lists = |lists: &[String]| destinations(side, json!({"prefixListIds": lists}));
    let own = format!("{{pl:{}}}", side.own);
    let other = if side.own == "a" { "{pl:b}" } else { "{pl:a}" };
    let mut changes = vec![
        fits("one of the account", lists(std::slice::from_ref(&own))),
        says(
            "one that does not exist",
            Reason::PrefixListNotFound,
            lists(&["pl-00000000000000bad".to_owned()]),
        ),
        says("one of the other account", Reason::PrefixListNotFound, lists(&[other.to_owned()])),
        refused("none", lists(&[])),
        refused("no id of a list", lists(&["rtb-0123456789abcdef0".to_owned()])),
    ];
    if side.own == "a" {
        changes.push(says(
            "one too large for a table",
            Reason::QuotaReached,
            lists(&["{pl:a-huge}".to_owned()]),
        ));
    }
    changes
}

fn exclude(side: &Side) -> Vec<Change> {
    let exclude = |exclude: &[&str]| destinations(side, json!({"peerCidrs": "All", "exclude": exclude}));
    let mut changes = vec![
        fits("what the peer does not have", exclude(&["172.16.0.0/12"])),
        fits("an empty list", exclude(&[])),
        fits("all of the peer's", exclude(&["10.0.0.0/8"])),
        refused("no CIDR", exclude(&["all"])),
        refused("without peerCidrs", destinations(side, json!({"cidrs": [side.peer_cidr], "exclude": []}))),
    ];
    if side.name == "requester" {
        changes.push(fits("one of the peer's two", exclude(&["10.3.0.0/16"])));
    }
    changes
}
