//! Objects that are deleted: what goes, what stays, what waits; and names that change.

use ec2sim::{Action, Calm, Choice, Delay, Fault, PeeringStatus, Request, Script};
use peerkeeper_core::ids::{HOLD_TAG_KEY, ObjectKey, OwnerTag, Side, Sides};
use peerkeeper_core::memory::Act;
use peerkeeper_core::plan::{State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};

use crate::common::operator::Sim;
use crate::common::rig::*;

#[test]
fn routes_go_before_the_peering() {
    let mut rig = ready();
    rig.sim.world.clear_log();
    rig.delete();
    rig.until_gone();
    let order: Vec<Action> = rig.sim.world.log().map(|m| m.action).collect();
    assert_eq!(
        order,
        [Action::DeleteRoute, Action::DeleteRoute, Action::DeleteVpcPeeringConnection],
        "each once, and in this order"
    );
    assert!(rig.sim.live_peerings().is_empty());
    rig.sim.assert_quiet(300);
}

#[test]
fn an_object_that_never_did_anything_goes_at_once() {
    let mut rig = rig();
    rig.sim.cluster.accounts.get_mut("prod").unwrap().granted = false;
    rig.sim.run_s(60);
    rig.delete();
    assert!(rig.is_gone());
}

#[test]
fn what_is_gone_already_is_no_obstacle() {
    let mut rig = ready();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.lose();
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.target(Side::Accepter), None);
}

#[test]
fn neither_is_a_vpc_that_is_gone_with_all_in_it() {
    let mut rig = ready();
    rig.sim.run_s(400);
    let b = rig.b.vpc.clone();
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    rig.sim.world.delete_vpc_in_console(&b).unwrap();
    rig.sim.run_s(30);
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.target(Side::Requester), None);
}

#[test]
fn neither_is_a_peering_purged_long_ago() {
    let mut rig = ready_with("flag", |_| {});
    rig.lose();
    rig.sim.run_s(3 * 86_400);
    rig.delete();
    rig.until_gone();
    for side in Side::BOTH {
        assert_eq!(rig.target(side), None);
    }
}

#[test]
fn a_deleted_object_that_was_lost_is_not_restored() {
    let mut rig = ready();
    rig.lose();
    rig.delete();
    let created = rig.sim.done(Action::CreateVpcPeeringConnection);
    rig.until_gone();
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), created);
}

#[test]
fn an_account_that_cannot_be_used_blocks_the_cleanup_until_it_is_retained() {
    let mut rig = ready();
    let id = rig.id();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = false;
    rig.delete();
    rig.sim.run_s(300);
    assert!(!rig.is_gone());
    rig.sim.assert_stalled(&rig.key, Reason::CleanupBlocked);
    assert_eq!(rig.sim.status(id), Some(PeeringStatus::Active), "routes come first, and one is left");
    rig.edit(|object| object.deletion_policy = Some(peerkeeper_core::desired::DeletionPolicy::Retain));
    rig.until_gone();
    assert_eq!(rig.target(Side::Accepter), Some(id.to_string()));
}

#[test]
fn suspend_does_not_stop_a_deletion_but_a_suspended_account_and_a_hold_do() {
    let mut rig = ready();
    rig.edit(|object| object.suspend = true);
    rig.sim.cluster.accounts.get_mut("prod").unwrap().suspend = true;
    let before = rig.sim.done(Action::DeleteVpcPeeringConnection);
    rig.delete();
    rig.sim.run_s(300);
    assert!(!rig.is_gone());
    assert_eq!(rig.sim.done(Action::DeleteVpcPeeringConnection), before);
    let held = rig.report().to_string();
    assert!(held.contains("AccountSuspended"), "{held}");
    rig.sim.cluster.accounts.get_mut("prod").unwrap().suspend = false;
    let vpc = rig.b.vpc.to_string();
    let owner = rig.b.owner();
    rig.sim.world.tag(&owner, &vpc, &[(HOLD_TAG_KEY, "audit")]).unwrap();
    rig.sim.run_s(300);
    assert!(!rig.is_gone());
    assert!(rig.report().to_string().contains(&vpc), "{}", rig.report());
    let untag = Request::DeleteTags { resources: vec![vpc], tags: vec![(HOLD_TAG_KEY.to_owned(), None)] };
    rig.sim.world.call(&owner, untag, &mut Calm).unwrap();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty());
}

#[test]
fn deletions_count_against_the_removals() {
    let (mut sim, a, _) = bare();
    let mut keys = Vec::new();
    for number in 0..4 {
        let peer = place(&mut sim, SHARED, VA, &format!("10.{}.0.0/16", 100 + number));
        let sides = Sides::new(side(&a), side(&peer));
        keys.push(declare(&mut sim, &format!("p{number}"), sides, Some("restore")));
    }
    let all = keys.clone();
    sim.run_until("all ready", 900, |sim| all.iter().all(|key| sim.is_ready(key)));
    set_policy(&mut sim, "restore", |policy| policy.limits.max_removals = 3);
    sim.cluster.max_removals = 3;
    for key in &keys {
        sim.cluster.delete(key);
        sim.wake(key);
    }
    sim.run_s(300);
    let left: Vec<&ObjectKey> = keys.iter().filter(|key| sim.cluster.objects.contains_key(key)).collect();
    // The first ones went while there was room; what the accounts remember keeps the last one waiting.
    assert!(!left.is_empty(), "{}", sim.say());
    for key in left {
        assert!(sim.report(key).to_string().contains("LimitReached"), "{}", sim.report(key));
        assert!(!sim.memory(key).spent.iter().any(|(act, _)| *act == Act::Finalize));
    }
    sim.run_s(3700);
    assert!(keys.iter().all(|key| !sim.cluster.objects.contains_key(key)), "{}", sim.say());
}

#[test]
fn a_create_whose_answer_was_lost_is_waited_for_and_removed() {
    let mut rig = rig();
    // It is there, nobody was told, and for a minute no reading shows it.
    let script = Script::new()
        .fault(Action::CreateVpcPeeringConnection, Fault::TimeoutAfterEffect)
        .delay_ms(Delay::Visibility, 60_000)
        .always_pick(Choice::StaleRead, 1);
    rig.sim.chance = Box::new(script);
    let key = rig.key.clone();
    rig.sim.run_until("asked", 60, |sim| {
        sim.world.log().any(|m| m.action == Action::CreateVpcPeeringConnection)
    });
    assert!(!rig.sim.is_ready(&key));
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty(), "{}", rig.sim.say());
}

#[test]
fn a_create_that_never_arrived_is_waited_for_as_long_as_it_could_show_up() {
    let mut rig = rig();
    rig.sim.chance =
        Box::new(Script::new().always_fault(Action::CreateVpcPeeringConnection, Fault::ResetBeforeEffect));
    rig.sim.run_s(1);
    rig.delete();
    let began = rig.sim.world.now_ms();
    rig.until_gone();
    assert!(rig.sim.world.now_ms() - began >= 30_000, "two sweeps at least");
    assert!(rig.sim.live_peerings().is_empty());
}

#[test]
fn a_replacement_that_was_asked_for_goes_with_its_object() {
    let mut rig = ready();
    rig.lose();
    rig.sim.run_s(3);
    rig.until_state(State::Lost);
    let before = rig.sim.world.peerings().count();
    // It is made, and for a minute no reading shows it.
    let script = Script::new().delay_ms(Delay::Visibility, 60_000).always_pick(Choice::StaleRead, 1);
    rig.sim.chance = Box::new(script);
    rig.sim.run_until("asked again", 300, |sim| sim.world.peerings().count() > before);
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty(), "{}", rig.sim.say());
}

#[test]
fn so_does_one_whose_answer_was_lost_with_the_process_long_ago() {
    let mut rig = ready();
    rig.lose();
    rig.until_state(State::Lost);
    let before = rig.sim.world.peerings().count();
    let script = Script::new()
        .fault(Action::CreateVpcPeeringConnection, Fault::TimeoutAfterEffect)
        .delay_ms(Delay::Visibility, 5_000)
        .always_pick(Choice::StaleRead, 1);
    rig.sim.chance = Box::new(script);
    rig.sim.run_until("asked again", 300, |sim| sim.world.peerings().count() > before);
    rig.delete();
    let later = rig.sim.world.now_ms() + 3_600_000;
    rig.sim.world.advance(later);
    rig.sim.restart();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty(), "{}", rig.sim.say());
}

#[test]
fn who_takes_over_is_guarded_before_the_other_lets_go() {
    let mut rig = ready();
    let sides = rig.sim.cluster.object(&rig.key).sides.clone();
    let new = declare(&mut rig.sim, "renamed", sides, Some("restore"));
    // Nothing may be written, not even a tag.
    rig.sim.cluster.accounts.values_mut().for_each(|account| account.suspend = true);
    rig.sim.run_s(60);
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.cluster.object(&new).has_finalizer, "{}", rig.sim.say());
    rig.sim.cluster.accounts.values_mut().for_each(|account| account.suspend = false);
    rig.key = new;
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty(), "{}", rig.sim.say());
}

/// No moment without a route on either side.
fn routes_stand(sim: &Sim) {
    let tables: Vec<_> = sim.world.route_tables().filter(|table| table.tags.contains_key("tier")).collect();
    for table in tables {
        let route = table.routes.iter().find(|r| matches!(r.target, ec2sim::Target::Peering(_)));
        let route = route.unwrap_or_else(|| panic!("{} lost its route\n{}", table.id, sim.say()));
        assert_eq!(route.state, ec2sim::RouteState::Active, "{}", sim.say());
    }
}

#[test]
fn a_rename_hands_everything_over_and_cuts_no_traffic() {
    let mut rig = ready();
    let id = rig.id();
    let sides = rig.sim.cluster.object(&rig.key).sides.clone();
    rig.sim.watch = Some(routes_stand);
    let new = declare(&mut rig.sim, "renamed", sides, Some("restore"));
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&new, Reason::PairClaimed);
    rig.sim.world.clear_log();
    rig.delete();
    rig.until_gone();
    rig.key = new;
    rig.until_ready();
    assert_eq!(rig.id(), id);
    rig.assert_whole();
    let tags = rig.sim.world.peering(&pcx(id)).unwrap().tags;
    assert_eq!(tags.get(OwnerTag::KEY).map(String::as_str), Some("cluster-1/net/renamed"));
    assert!(rig.sim.world.log().all(|m| matches!(m.action, Action::CreateTags)), "{:?}", rig.sim.say());
    rig.sim.assert_quiet(600);
    // It is an object like any other now.
    rig.sim.watch = None;
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_rename_whose_new_object_comes_after_the_deletion_still_cuts_nothing() {
    // The old one is being deleted and held up; the new one takes over all the same.
    let mut rig = ready();
    let id = rig.id();
    let sides = rig.sim.cluster.object(&rig.key).sides.clone();
    rig.sim.watch = Some(routes_stand);
    rig.sim.cluster.delete(&rig.key);
    let new = declare(&mut rig.sim, "renamed", sides, Some("restore"));
    rig.until_gone();
    rig.key = new;
    rig.until_ready();
    assert_eq!(rig.id(), id);
}

#[test]
fn a_rename_that_declares_fewer_routes_lets_the_others_go_afterwards() {
    let mut rig = ready();
    let mut sides = rig.sim.cluster.object(&rig.key).sides.clone();
    sides.accepter.routes.clear();
    let new = declare(&mut rig.sim, "renamed", sides, Some("restore"));
    rig.sim.run_s(60);
    rig.delete();
    rig.until_gone();
    rig.key = new;
    rig.until_ready();
    assert!(rig.target(Side::Requester).is_some());
    assert_eq!(rig.target(Side::Accepter), None);
}

#[test]
fn two_objects_of_one_pair_do_not_fight() {
    let mut rig = ready();
    let mut sides = rig.sim.cluster.object(&rig.key).sides.clone();
    std::mem::swap(&mut sides.requester, &mut sides.accepter);
    let second = declare(&mut rig.sim, "second", sides, Some("restore"));
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&second, Reason::PairClaimed);
    assert!(rig.sim.is_ready(&rig.key));
    assert_eq!(rig.sim.own_writes(), before);
    // The second one goes as it came.
    rig.sim.cluster.delete(&second);
    rig.sim.run_s(120);
    assert!(!rig.sim.cluster.objects.contains_key(&second));
    rig.assert_whole();
}

#[test]
fn handing_over_to_the_other_direction_keeps_the_peering() {
    let mut rig = ready();
    let id = rig.id();
    let mut sides = rig.sim.cluster.object(&rig.key).sides.clone();
    std::mem::swap(&mut sides.requester, &mut sides.accepter);
    rig.sim.watch = Some(routes_stand);
    let new = declare(&mut rig.sim, "turned", sides, Some("restore"));
    rig.sim.run_s(60);
    rig.delete();
    rig.until_gone();
    rig.sim.run_s(120);
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let mut turned = Rig { sim: rig.sim, a: b, b: a, key: new };
    turned.until_ready();
    assert_eq!(turned.id(), id);
    turned.assert_whole();
}

#[test]
fn an_own_unaccepted_request_is_removed_with_its_object() {
    let mut rig = foreign_rig();
    rig.until_reason(Reason::AwaitingAcceptance);
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty());
}

#[test]
fn a_refused_deletion_is_said_and_tried_again() {
    let mut rig = ready();
    rig.sim.world.deny(SHARED, VA, Action::DeleteRoute);
    rig.delete();
    rig.sim.run_s(300);
    assert!(!rig.is_gone());
    rig.sim.assert_says(&rig.key, ConditionType::Ready, Truth::False, Reason::AccessDenied);
    assert_eq!(rig.target(Side::Requester), None);
    rig.sim.world.allow(SHARED, VA, Action::DeleteRoute);
    rig.until_gone();
}
