//! What others change while the peering lives: routes, options, tags, tables, CIDRs.

use std::collections::BTreeSet;

use ec2sim::{Action, Association, Attach, Calm, Quotas, Request, RouteOrigin};
use peerkeeper_core::desired::{Destinations, Reaction, RouteSpec, TableSelector};
use peerkeeper_core::ids::{OwnerTag, Side, Sides};
use peerkeeper_core::memory::{Act, How};
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::{ConditionType, Reason};

use crate::common::aws::text;
use crate::common::rig::*;

const TGW: &str = "tgw-0123456789abcdef0";
const IGW: &str = "igw-0123456789abcdef0";

#[test]
fn a_deleted_route_is_put_back() {
    let mut rig = ready();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.run_s(90);
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.memory().spent.iter().filter(|(act, _)| *act == Act::RepairDrift).count(), 1);
    rig.sim.assert_quiet(600);
}

#[test]
fn repairs_of_one_object_count_once_in_a_window() {
    let mut rig = ready();
    for _ in 0..3 {
        rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
        rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
        rig.sim.run_s(90);
        rig.assert_whole();
    }
    assert_eq!(rig.memory().spent.len(), 1);
}

#[test]
fn drift_is_only_flagged_where_the_policy_says_so() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Flag);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::Drifted);
    assert_eq!(rig.sim.own_writes(), before);
    // A loss is the policy's other matter: what it takes along comes back.
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", &rig.id().to_string()).unwrap();
    rig.until_ready();
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn under_a_policy_that_is_missing_drift_is_only_flagged() {
    let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
    rig.edit(|object| object.policy = Some("nowhere".into()));
    rig.sim.run_s(60);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::PolicyNotFound);
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn a_route_put_back_onto_a_dead_peering_is_drift() {
    for reaction in [Reaction::Flag, Reaction::Restore] {
        let mut rig = ready();
        let old = rig.lose().to_string();
        rig.sim.run_s(120);
        rig.until_ready();
        set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = reaction);
        // As a stale Terraform state would. AWS takes no route to what has ended; one that was there it keeps.
        let destination = ec2sim::Destination::Ipv4("10.2.0.0/16".parse().unwrap());
        let target = ec2sim::Target::Peering(ec2sim::PeeringId::parse(&old).unwrap());
        rig.sim.world.inject_route(&rig.a.table, destination, target, RouteOrigin::CreateRoute);
        let before = rig.sim.own_writes();
        rig.sim.run_s(180);
        match reaction {
            Reaction::Flag => {
                rig.sim.assert_stalled(&rig.key, Reason::DeadRoute);
                assert_eq!(rig.sim.own_writes(), before);
            }
            Reaction::Restore => rig.assert_whole(),
        }
    }
}

#[test]
fn a_route_that_somebody_repointed_is_left_and_flagged() {
    let mut rig = ready();
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", TGW).unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::Occupied);
    assert_eq!(rig.sim.own_writes(), before);
    assert_eq!(rig.target(Side::Requester), Some(TGW.to_owned()));
    // Asked to, it is taken back.
    set_policy(&mut rig.sim, "restore", |policy| policy.on_repointed_route = Reaction::Restore);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_route_that_never_was_ours_is_never_taken() {
    let mut rig = rig();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_repointed_route = Reaction::Restore);
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", TGW).unwrap();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::Occupied);
    assert_eq!(rig.target(Side::Requester), Some(TGW.to_owned()));
    assert!(rig.target(Side::Accepter).is_some());
    // Nor when the object goes.
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.target(Side::Requester), Some(TGW.to_owned()));
}

#[test]
fn a_route_to_another_pairs_live_peering_is_occupied_too() {
    let mut rig = rig();
    let c = place(&mut rig.sim, SHARED, VA, "10.3.0.0/16");
    let other = rig.sim.world.peer(&rig.a.vpc, &c.vpc).unwrap();
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", other.as_str()).unwrap();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::Occupied);
    assert_eq!(rig.target(Side::Requester), Some(other.to_string()));
}

#[test]
fn a_declared_route_to_a_peering_long_gone_is_repointed() {
    let mut rig = rig();
    // A peering of the pair that nobody remembers: purged, its route left behind.
    let old = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", old.as_str()).unwrap();
    rig.sim.world.delete_peering_as(PROD, EU, &old).unwrap();
    rig.sim.world.advance(rig.sim.world.now_ms() + 3 * 86_400_000);
    rig.sim.run_s(120);
    assert_eq!(rig.target(Side::Requester), Some(old.to_string()), "absence is not proved so soon");
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.done(Action::DeleteRoute), 0);
}

#[test]
fn dns_options_changed_by_somebody_are_set_again() {
    let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
    let id = rig.id().to_string();
    let off =
        Request::ModifyVpcPeeringConnectionOptions { peering_id: id, requester: Some(false), accepter: None };
    rig.sim.world.call(&rig.a.owner(), off.clone(), &mut Calm).unwrap();
    rig.sim.run_s(90);
    rig.until_ready();
    let view = rig.sim.world.peering(&pcx(rig.id())).unwrap();
    assert_eq!(view.requester.allow_dns_resolution_from_remote_vpc, Some(true));
    rig.sim.assert_quiet(300);

    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Flag);
    rig.sim.world.call(&rig.a.owner(), off, &mut Calm).unwrap();
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::Drifted);
    rig.sim.assert_says(&rig.key, ConditionType::DnsInSync, Truth::False, Reason::Drifted);
}

#[test]
fn dns_options_that_are_not_declared_are_not_touched() {
    let mut rig = ready();
    let on = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: rig.id().to_string(),
        requester: Some(true),
        accepter: None,
    };
    rig.sim.world.call(&rig.a.owner(), on, &mut Calm).unwrap();
    rig.sim.assert_quiet(300);
    assert!(rig.sim.condition(&rig.key, ConditionType::DnsInSync).is_none());
}

#[test]
fn dns_that_the_vpc_does_not_support_stalls_with_the_way_out() {
    let mut rig = rig_with("restore", |sides| sides.requester.allow_dns = Some(true));
    let off = Request::ModifyVpcAttribute {
        vpc_id: (&rig.a.vpc).into(),
        enable_dns_support: None,
        enable_dns_hostnames: Some(false),
    };
    rig.sim.world.call(&rig.a.owner(), off, &mut Calm).unwrap();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::DnsHostnamesDisabled);
    rig.assert_whole();
}

#[test]
fn tags_that_somebody_removed_are_set_again_and_undeclared_ones_of_ours_go() {
    let mut rig = ready();
    let id = rig.id().to_string();
    let remove = Request::DeleteTags {
        resources: vec![id.clone()],
        tags: vec![("team".to_owned(), None), (OwnerTag::KEY.to_owned(), None)],
    };
    rig.sim.world.call(&rig.a.owner(), remove, &mut Calm).unwrap();
    rig.sim.world.tag(&rig.a.owner(), &id, &[("theirs", "stays")]).unwrap();
    rig.sim.run_s(120);
    let tags = |rig: &Rig| rig.sim.world.peering(&pcx(rig.id())).unwrap().tags;
    assert_eq!(tags(&rig).get("team").map(String::as_str), Some("network"));
    assert!(tags(&rig).contains_key(OwnerTag::KEY));
    rig.edit(|object| object.tags = [("cost".into(), "7".into())].into());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(tags(&rig).get("cost").map(String::as_str), Some("7"));
    assert!(!tags(&rig).contains_key("team"));
    assert_eq!(tags(&rig).get("theirs").map(String::as_str), Some("stays"));
    rig.sim.assert_quiet(300);
}

#[test]
fn a_table_that_newly_matches_gains_its_routes() {
    let mut rig = ready();
    let new = rig.sim.world.create_table(&rig.a.vpc, &[("tier", "private")]).unwrap();
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&new, "10.2.0.0/16"), Some(rig.id().to_string()));
}

#[test]
fn a_table_that_no_longer_matches_loses_routes_only_after_a_spec_change() {
    let mut rig = ready();
    let untag =
        Request::DeleteTags { resources: vec![(&rig.a.table).into()], tags: vec![("tier".to_owned(), None)] };
    let kept = rig.sim.world.create_table(&rig.a.vpc, &[("tier", "private")]).unwrap();
    rig.sim.run_s(120);
    rig.sim.world.call(&rig.a.owner(), untag, &mut Calm).unwrap();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::SelectionShrank);
    rig.assert_whole();
    rig.edit(|object| object.tags.clear());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.target(Side::Requester), None);
    assert_eq!(rig.sim.target(&kept, "10.2.0.0/16"), Some(rig.id().to_string()));
}

#[test]
fn a_route_taken_out_of_the_spec_is_removed_and_nothing_else() {
    let mut rig = ready();
    rig.sim.world.add_route(&rig.a.table, "0.0.0.0/0", IGW).unwrap();
    rig.edit(|object| object.sides.requester.routes.clear());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.target(Side::Requester), None);
    assert_eq!(rig.target(Side::Accepter), Some(rig.id().to_string()));
    assert!(rig.sim.target(&rig.a.table, "0.0.0.0/0").is_some());
}

fn add_cidr(rig: &mut Rig, side: Side, cidr: &str) {
    let place = rig.place(side).clone();
    let add = Request::AssociateVpcCidrBlock { vpc_id: (&place.vpc).into(), cidr: cidr.to_owned() };
    rig.sim.world.call(&place.owner(), add, &mut Calm).unwrap();
}

#[test]
fn a_new_cidr_of_the_peer_is_followed() {
    let mut rig = ready();
    add_cidr(&mut rig, Side::Accepter, "10.50.0.0/16");
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), Some(rig.id().to_string()));
}

#[test]
fn a_new_cidr_that_would_take_anothers_traffic_waits_for_a_spec_change() {
    let mut rig = ready();
    rig.sim.world.add_route(&rig.a.table, "10.0.0.0/8", TGW).unwrap();
    rig.sim.world.add_route(&rig.a.table, "0.0.0.0/0", IGW).unwrap();
    rig.sim.run_s(120);
    add_cidr(&mut rig, Side::Accepter, "10.50.0.0/16");
    add_cidr(&mut rig, Side::Accepter, "172.20.0.0/16");
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::RouteShadows);
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), None);
    // A default route to the internet is meant to be less specific.
    assert_eq!(rig.sim.target(&rig.a.table, "172.20.0.0/16"), Some(rig.id().to_string()));
    rig.edit(|object| object.tags.clear());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), Some(rig.id().to_string()));
}

#[test]
fn a_new_cidr_in_a_foreign_account_is_not_followed_by_itself() {
    let mut rig = foreign_rig();
    rig.sim.run_s(30);
    rig.sim.world.accept_peering_as(SHARED, VA, &pcx(rig.id())).unwrap();
    rig.until_ready();
    add_cidr(&mut rig, Side::Accepter, "10.50.0.0/16");
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::PeerCidrsChanged);
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), None);
    rig.edit(|object| object.tags.clear());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), Some(rig.id().to_string()));
}

#[test]
fn a_cidr_that_the_peer_gave_up_keeps_its_route_until_the_spec_changes() {
    let mut rig = rig();
    add_cidr(&mut rig, Side::Accepter, "10.50.0.0/16");
    rig.until_ready();
    let association = rig.sim.world.vpc(&rig.b.vpc).unwrap().cidrs[1].id.to_string();
    let remove = Request::DisassociateVpcCidrBlock { association_id: association };
    rig.sim.world.call(&rig.b.owner(), remove, &mut Calm).unwrap();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::SelectionShrank);
    assert!(rig.sim.target(&rig.a.table, "10.50.0.0/16").is_some());
    rig.edit(|object| object.tags.clear());
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&rig.a.table, "10.50.0.0/16"), None);
}

#[test]
fn an_edge_table_is_skipped_with_its_reason() {
    let mut rig = rig_with("restore", |sides| sides.requester.routes[0].tables = TableSelector::All);
    let edge = rig.sim.world.create_table(&rig.a.vpc, &[]).unwrap();
    let tie = Request::AssociateRouteTable {
        route_table_id: (&edge).into(),
        to: Attach::Gateway("igw-0123456789abcdef0".to_owned()),
    };
    rig.sim.world.call(&rig.a.owner(), tie, &mut Calm).unwrap();
    let held = rig.sim.world.route_table(&edge).unwrap();
    assert!(held.associations.iter().any(|a| matches!(a.with, Association::Gateway(_))));
    rig.until_ready();
    assert_eq!(rig.sim.target(&edge, "10.2.0.0/16"), None);
    assert!(rig.report().exceptions.iter().any(|e| e.reason == Reason::EdgeTable), "{}", rig.report());
    let main = rig.sim.world.main_table(&rig.a.vpc).unwrap();
    assert!(rig.sim.target(&main, "10.2.0.0/16").is_some());
}

#[test]
fn a_full_table_gets_nothing_and_the_others_all() {
    let mut rig = rig_with("restore", |sides| {
        sides.requester.routes[0].tables = TableSelector::All;
        let cidrs = ["10.2.0.0/17", "10.2.128.0/17"].map(|text| text.parse().unwrap());
        sides.requester.routes[0].destinations = Destinations::Cidrs(cidrs.into());
    });
    rig.sim.world.set_quotas(PROD, EU, Quotas { routes_per_table: 3, ..Quotas::default() });
    for number in 0..2 {
        rig.sim.world.add_route(&rig.a.table, &format!("192.168.{number}.0/24"), TGW).unwrap();
    }
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::QuotaReached);
    assert_eq!(rig.sim.target(&rig.a.table, "10.2.0.0/17"), None, "one of two would have fitted");
    let main = rig.sim.world.main_table(&rig.a.vpc).unwrap();
    assert!(rig.sim.target(&main, "10.2.0.0/17").is_some());
    assert!(rig.sim.target(&main, "10.2.128.0/17").is_some());
    let refused = rig.sim.world.log().filter(|m| m.result == Err("RouteLimitExceeded")).count();
    assert_eq!(refused, 0, "it was known before");
}

#[test]
fn a_prefix_list_counts_with_its_max_entries() {
    let mut rig = rig();
    let create = ec2sim::CreatePrefixList {
        name: "peers".to_owned(),
        max_entries: 40,
        address_family: "IPv4".to_owned(),
        entries: vec!["10.2.0.0/16".into()],
        client_token: None,
        tags: ec2sim::Tags::new(),
    };
    let answer = rig.sim.world.call(&rig.a.owner(), Request::CreateManagedPrefixList(create), &mut Calm);
    let list = answer.unwrap().prefix_list().unwrap().id;
    let spec = |id| RouteSpec {
        name: "lists".into(),
        tables: TableSelector::Main,
        destinations: Destinations::PrefixLists([id].into()),
    };
    rig.edit(|object| object.sides.requester.routes.push(spec(text(&list))));
    rig.sim.world.set_quotas(PROD, EU, Quotas { routes_per_table: 39, ..Quotas::default() });
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::QuotaReached);
    let main = rig.sim.world.main_table(&rig.a.vpc).unwrap();
    assert_eq!(rig.sim.target(&main, list.as_str()), None);
    assert_eq!(rig.sim.world.log().filter(|m| m.result.is_err()).count(), 0);
    rig.sim.world.set_quotas(PROD, EU, Quotas { routes_per_table: 40, ..Quotas::default() });
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&main, list.as_str()), Some(rig.id().to_string()));
    rig.sim.assert_quiet(300);
    // One that does not exist is named.
    rig.edit(|object| object.sides.requester.routes[1] = spec("pl-0123456789abcdef0".parse().unwrap()));
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::PrefixListNotFound);
}

#[test]
fn more_than_ten_thousand_routes_change_nothing() {
    let mut rig = ready();
    let before = rig.sim.own_writes();
    rig.edit(|object| {
        let cidrs: BTreeSet<_> = (0..10_001_u32)
            .map(|n| format!("10.2.{}.{}/32", (n >> 8) & 255, n & 255).parse().unwrap())
            .collect();
        object.sides.requester.routes[0].destinations = Destinations::Cidrs(cidrs);
    });
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::TooManyRoutes);
    assert_eq!(rig.sim.own_writes(), before);
    rig.assert_whole();
}

#[test]
fn a_destination_within_the_own_vpc_is_refused_before_aws_does() {
    let mut rig = rig_with("restore", |sides| {
        let cidrs = ["10.1.4.0/24", "10.2.0.0/16", "10.0.0.0/14"].map(|text| text.parse().unwrap());
        sides.requester.routes[0].destinations = Destinations::Cidrs(cidrs.into());
    });
    rig.sim.run_s(300);
    assert_eq!(rig.target(Side::Requester), Some(rig.id().to_string()));
    assert_eq!(rig.sim.world.log().filter(|m| m.result.is_err()).count(), 0, "{}", rig.sim.say());
    assert_eq!(rig.sim.condition(&rig.key, ConditionType::Ready).unwrap().truth, Truth::False);
}

#[test]
fn a_propagated_route_of_the_same_destination_is_another_route() {
    let mut rig = rig();
    let destination: ec2sim::Destination = ec2sim::Destination::Ipv4("10.2.0.0/16".parse().unwrap());
    assert!(rig.sim.world.propagate_route(&rig.a.table, destination, "vgw-0123456789abcdef0"));
    rig.until_ready();
    let table = rig.sim.world.route_table(&rig.a.table).unwrap();
    let ours = table.routes.iter().filter(|r| r.origin == RouteOrigin::CreateRoute).count();
    assert_eq!(ours, 1);
    rig.sim.assert_quiet(300);
}

#[test]
fn what_another_object_routes_is_left_to_it() {
    let (mut sim, a, b) = bare();
    let c = place(&mut sim, SHARED, VA, "10.3.0.0/16");
    let one = declare(&mut sim, "one", Sides::new(side(&a), side(&b)), Some("restore"));
    sim.run_until("ready", 300, |sim| sim.is_ready(&one));
    let mut sides = Sides::new(side(&a), side(&c));
    // A summary that both of them have to do with.
    sides.requester.routes[0].destinations = Destinations::Cidrs(["10.2.0.0/15".parse().unwrap()].into());
    let two = declare(&mut sim, "two", sides.clone(), Some("restore"));
    sim.run_until("ready", 300, |sim| sim.is_ready(&two));
    let mut other = Sides::new(side(&a), side(&b));
    other.requester.routes[0].destinations = Destinations::Cidrs(["10.2.0.0/15".parse().unwrap()].into());
    sim.cluster.edit(&one, |object| object.sides = other);
    let held = sim.memory(&two).peering().unwrap().to_string();
    sim.run_s(300);
    sim.assert_stalled(&one, Reason::RouteClaimed);
    assert_eq!(sim.target(&a.table, "10.2.0.0/15"), Some(held));
    assert!(sim.is_ready(&two));
}

#[test]
fn slots_tell_how_they_came_to_be_ours() {
    let rig = ready();
    assert!(rig.memory().slots.values().all(|owned| owned.how == How::Created && owned.to == rig.id()));
}
