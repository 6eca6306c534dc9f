//! Finding, adopting and asking: what a new object makes of what is there already.

use ec2sim::{Action, PeeringStatus};
use peerkeeper_core::desired::{AccountRef, Adoption, DeletionPolicy, Destinations, TableSelector};
use peerkeeper_core::ids::{OwnerTag, Side, Sides};
use peerkeeper_core::memory::{Life, Origin};
use peerkeeper_core::plan::State;
use peerkeeper_core::reason::Reason;

use crate::common::rig::*;

#[test]
fn both_vpcs_in_one_account_and_region() {
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, PROD, EU, "10.3.0.0/16");
    let key = declare(&mut sim, "peering", Sides::new(side(&a), side(&c)), Some("restore"));
    let mut rig = Rig { sim, a, b: c, key };
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.done(Action::CreateTags), 0, "the tags of Create are those of both sides here");
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
    rig.sim.assert_quiet(600);
}

#[test]
fn one_account_in_two_regions() {
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, PROD, VA, "10.3.0.0/16");
    let key = declare(&mut sim, "peering", Sides::new(side(&a), side(&c)), Some("restore"));
    let mut rig = Rig { sim, a, b: c, key };
    rig.until_ready();
    rig.assert_whole();
    rig.sim.assert_quiet(600);
}

#[test]
fn dns_options_are_set_by_each_side_in_its_own_place() {
    let mut rig = rig_with("restore", |sides| {
        sides.requester.allow_dns = Some(true);
        sides.accepter.allow_dns = Some(true);
    });
    rig.until_ready();
    let view = rig.sim.world.peering(&pcx(rig.id())).unwrap();
    assert_eq!(view.requester.allow_dns_resolution_from_remote_vpc, Some(true));
    assert_eq!(view.accepter.allow_dns_resolution_from_remote_vpc, Some(true));
    assert_eq!(rig.sim.done(Action::ModifyVpcPeeringConnectionOptions), 2);
    rig.sim.assert_quiet(600);
}

#[test]
fn one_call_sets_both_dns_options_in_one_place() {
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, PROD, EU, "10.3.0.0/16");
    let mut sides = Sides::new(side(&a), side(&c));
    sides.requester.allow_dns = Some(true);
    sides.accepter.allow_dns = Some(true);
    let key = declare(&mut sim, "peering", sides, Some("restore"));
    let mut rig = Rig { sim, a, b: c, key };
    rig.until_ready();
    assert_eq!(rig.sim.done(Action::ModifyVpcPeeringConnectionOptions), 1);
    rig.sim.assert_quiet(600);
}

#[test]
fn an_unowned_peering_is_adopted_as_it_is() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(pcx(rig.id()), id);
    assert_eq!(rig.memory().origin, Some(Origin::Adopted));
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 0);
    rig.sim.assert_quiet(600);
}

#[test]
fn an_unowned_peering_asked_for_from_the_other_side_is_adopted_with_its_options() {
    let mut rig = rig_with("restore", |sides| sides.requester.allow_dns = Some(true));
    let id = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(pcx(rig.id()), id);
    let view = rig.sim.world.peering(&id).unwrap();
    // The declared requester is AWS's accepter here.
    assert_eq!(view.accepter.allow_dns_resolution_from_remote_vpc, Some(true));
    assert_eq!(view.requester.allow_dns_resolution_from_remote_vpc, Some(false));
    rig.sim.assert_quiet(600);
}

#[test]
fn a_pending_request_of_nobody_is_adopted_and_accepted() {
    for reversed in [false, true] {
        let mut rig = rig();
        let (from, to) = if reversed { (&rig.b, &rig.a) } else { (&rig.a, &rig.b) };
        let id = rig.sim.world.request_peering(&from.vpc.clone(), &to.vpc.clone()).unwrap();
        rig.until_ready();
        rig.assert_whole();
        assert_eq!(pcx(rig.id()), id);
        assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 0);
        rig.sim.assert_quiet(600);
    }
}

#[test]
fn the_routes_that_an_adopted_peering_had_are_adopted_with_it() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", id.as_str()).unwrap();
    rig.until_ready();
    assert_eq!(rig.sim.done(Action::CreateRoute), 1);
    rig.assert_whole();
    // Deleted: what was adopted stays, the route that was made goes.
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.sim.world.peering(&id).map(|view| view.status), Some(PeeringStatus::Active));
    assert_eq!(rig.target(Side::Requester), Some(id.to_string()));
    assert_eq!(rig.target(Side::Accepter), None);
    let view = rig.sim.world.peering(&id).unwrap();
    assert!(!view.tags.contains_key(OwnerTag::KEY), "{:?}", view.tags);
}

#[test]
fn what_another_installation_owns_is_left_alone() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    let tag = (OwnerTag::KEY, "cluster-2/net/peering");
    rig.sim.world.tag(&rig.a.owner(), id.as_str(), &[tag]).unwrap();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::OwnedElsewhere);
    assert_eq!(rig.sim.own_writes(), 0);
    assert_eq!(rig.memory().life, Life::NeverSeen);
    // Deleting the object touches nothing of it either.
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.sim.own_writes(), 0);
}

#[test]
fn a_tag_seen_on_the_other_side_alone_is_respected_too() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    let tag = (OwnerTag::KEY, "cluster-2/net/peering");
    rig.sim.world.tag(&rig.b.owner(), id.as_str(), &[tag]).unwrap();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::OwnedElsewhere);
    assert_eq!(rig.sim.own_writes(), 0);
}

#[test]
fn a_tag_of_ours_that_names_an_object_long_gone_counts_as_none() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    let tag = (OwnerTag::KEY, "cluster-1/net/somebody");
    rig.sim.world.tag(&rig.a.owner(), id.as_str(), &[tag]).unwrap();
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(pcx(rig.id()), id);
    rig.sim.assert_quiet(600);
}

#[test]
fn adoption_never_leaves_it_to_the_user() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.edit(|object| object.adoption = Adoption::Never);
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::AdoptionDisabled);
    assert_eq!(rig.sim.own_writes(), 0);
    // The user removes it: then one is created.
    rig.sim.world.delete_peering_as(PROD, EU, &id).unwrap();
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.memory().origin, Some(Origin::Created));
}

#[test]
fn a_human_accepts_where_we_hold_no_credentials() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AwaitingAcceptance));
    rig.sim.assert_quiet(3600);
    let id = pcx(rig.id());
    rig.sim.world.accept_peering_as(SHARED, VA, &id).unwrap();
    rig.until_ready();
    assert_eq!(rig.target(Side::Requester), Some(id.to_string()));
    rig.sim.assert_quiet(600);
    let by_them = rig.sim.world.log().filter(|m| m.caller.account.as_str() == SHARED);
    assert_eq!(by_them.filter(|m| &*m.caller.principal == "peerkeeper").count(), 0);
}

#[test]
fn a_rejected_request_is_asked_again_only_on_request() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    let id = pcx(rig.id());
    rig.sim.world.reject_peering_as(SHARED, VA, &id).unwrap();
    rig.until_reason(Reason::RequestRejected);
    rig.sim.assert_quiet(7200);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1);
    rig.sim.cluster.change(&rig.key, |object| object.requested_at = Some("now".into()));
    rig.until_state(State::AwaitingAcceptance);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 2);
    let id = pcx(rig.id());
    rig.sim.world.reject_peering_as(SHARED, VA, &id).unwrap();
    rig.until_reason(Reason::RequestRejected);
    rig.sim.assert_quiet(7200);
    rig.edit(|object| object.tags.clear());
    rig.until_state(State::AwaitingAcceptance);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 3);
}

#[test]
fn a_request_that_nobody_accepts_expires_and_is_not_asked_again_by_itself() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    rig.sim.run_s(7 * 86_400);
    rig.until_reason(Reason::RequestExpired);
    rig.sim.assert_stalled(&rig.key, Reason::RequestExpired);
    // Nor once its tombstone is gone.
    rig.sim.assert_quiet(3 * 86_400);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1);
    rig.sim.cluster.change(&rig.key, |object| object.requested_at = Some("again".into()));
    rig.until_state(State::AwaitingAcceptance);
}

#[test]
fn a_peer_that_is_not_allowed_is_never_asked() {
    let mut rig = foreign_rig();
    rig.sim.cluster.accounts.get_mut("prod").unwrap().allowed_peers.clear();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::PeerAccountNotAllowed);
    assert_eq!(rig.sim.own_writes(), 0);
}

#[test]
fn overlapping_vpcs_are_found_before_anything_is_created() {
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, SHARED, VA, "10.1.128.0/17");
    let key = declare(&mut sim, "peering", Sides::new(side(&a), side(&c)), Some("restore"));
    sim.run_s(300);
    sim.assert_stalled(&key, Reason::OverlappingCidrs);
    assert_eq!(sim.world.count(Action::CreateVpcPeeringConnection), 0);
}

#[test]
fn a_vpc_that_does_not_exist_is_named() {
    let mut rig = rig_with("restore", |sides| sides.accepter.vpc = "vpc-0123456789abcdef0".parse().unwrap());
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::VpcNotFound);
    assert_eq!(rig.sim.own_writes(), 0);
    assert!(rig.report().to_string().contains("vpc-0123456789abcdef0"));
}

#[test]
fn a_route_table_that_does_not_exist_is_named_and_the_rest_goes_on() {
    let mut rig = rig_with("restore", |sides| {
        sides.requester.routes[0].tables =
            TableSelector::Ids(["rtb-0123456789abcdef0".parse().unwrap()].into());
    });
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::RouteTableNotFound);
    assert_eq!(rig.target(Side::Accepter), Some(rig.id().to_string()));
}

#[test]
fn overlap_unseen_by_us_ends_as_failed_and_is_not_asked_again() {
    // We hold no credentials for the accepter, so its CIDRs can't be compared.
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, SHARED, VA, "10.1.128.0/17");
    let mut sides = Sides::new(side(&a), side(&c));
    sides.accepter.account = AccountRef::Foreign(SHARED.parse().unwrap());
    sides.accepter.routes.clear();
    sim.cluster.accounts.remove("shared");
    sim.cluster.accounts.get_mut("prod").unwrap().allowed_peers.insert(SHARED.parse().unwrap());
    let key = declare(&mut sim, "peering", sides, Some("restore"));
    sim.run_s(300);
    sim.assert_stalled(&key, Reason::RequestFailed);
    sim.assert_quiet(86_400);
    assert_eq!(sim.world.count(Action::CreateVpcPeeringConnection), 1);
    // The status is lost, and the tombstone still tells.
    sim.cluster.change(&key, |object| object.memory = Default::default());
    sim.run_s(300);
    assert!(sim.world.count(Action::CreateVpcPeeringConnection) <= 2);
}

#[test]
fn with_status_lost_the_tombstone_of_a_failed_request_still_tells() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    let id = pcx(rig.id());
    rig.sim.world.reject_peering_as(SHARED, VA, &id).unwrap();
    rig.until_reason(Reason::RequestRejected);
    rig.sim.cluster.change(&rig.key, |object| object.memory = Default::default());
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::RequestRejected);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1);
}

#[test]
fn tombstones_of_others_deleted_peerings_are_no_loss() {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.sim.world.delete_peering_as(PROD, EU, &id).unwrap();
    rig.until_ready();
    assert!(rig.memory().last_loss.is_none());
    rig.assert_whole();
}

#[test]
fn explicit_destinations_must_have_to_do_with_the_peer() {
    let mut rig = rig_with("restore", |sides| {
        let cidrs = ["10.2.0.0/24", "10.9.0.0/16", "10.0.0.0/13"].map(|text| text.parse().unwrap());
        sides.requester.routes[0].destinations = Destinations::Cidrs(cidrs.into());
    });
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::DestinationOutsidePeer);
    let table = rig.a.table.clone();
    assert!(rig.sim.target(&table, "10.2.0.0/24").is_some());
    assert!(rig.sim.target(&table, "10.9.0.0/16").is_none());
    let noted = rig.report().exceptions.iter().any(|e| e.reason == Reason::DestinationWiderThanPeer);
    assert!(noted, "{}", rig.report());
}

#[test]
fn retain_leaves_all_of_it_in_aws() {
    let mut rig = ready();
    let id = rig.id();
    rig.edit(|object| object.deletion_policy = Some(DeletionPolicy::Retain));
    rig.sim.run_s(60);
    let before = rig.sim.own_writes();
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.sim.own_writes(), before);
    assert_eq!(rig.sim.status(id), Some(PeeringStatus::Active));
    assert_eq!(rig.target(Side::Requester), Some(id.to_string()));
}

#[test]
fn a_peering_that_another_owner_tags_is_left_alone_but_its_loss_is_noticed() {
    let mut rig = ready();
    let id = rig.sim.world.live_peerings_of(&rig.a.vpc, &rig.b.vpc).first().unwrap().clone();
    for side in [&rig.a, &rig.b] {
        rig.sim.world.tag(&side.owner(), id.as_str(), &[(OwnerTag::KEY, "cluster-2/net/peering")]).unwrap();
    }
    rig.sim.world.clear_log();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::OwnedElsewhere);
    assert_eq!(rig.sim.world.log().count(), 0, "hands off");
    assert!(matches!(rig.memory().life, Life::Established(_)));
    rig.lose();
    rig.sim.run_s(70);
    assert!(rig.sim.notes(&rig.key).contains(&Reason::DeletedUnexpectedly));
}
