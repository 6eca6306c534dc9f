//! Losses, and what the policy makes of them.

use ec2sim::{Action, Caller, Calm, Delay, PeeringStatus, Request, Script};
use peerkeeper_core::desired::{DependentRoutes, LossAction};
use peerkeeper_core::ids::{ObjectKey, OwnerTag, Side, Sides};
use peerkeeper_core::memory::{Act, Life, LossClass, LossOutcome, Origin};
use peerkeeper_core::plan::{State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use crate::common::operator::Happened;
use crate::common::rig::*;

#[test]
fn the_flag_is_stored_before_the_first_write() {
    let mut rig = ready();
    let before = rig.sim.history.len();
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    let flagged = rig.sim.history[before..]
        .iter()
        .position(|happened| matches!(happened, Happened::Committed { flagged: true, .. }));
    let wrote =
        rig.sim.history[before..].iter().position(|happened| matches!(happened, Happened::Wrote { .. }));
    assert!(flagged.unwrap() < wrote.unwrap());
    let flag = rig.sim.notes(&rig.key).iter().position(|reason| *reason == Reason::DeletedUnexpectedly);
    let repaired = rig.sim.notes(&rig.key).iter().rposition(|reason| *reason == Reason::RoutesRepaired);
    assert!(flag.unwrap() < repaired.unwrap());
}

#[test]
fn routes_are_repointed_once_and_only_to_what_is_active() {
    let mut rig = ready();
    rig.lose();
    rig.sim.chance = Box::new(
        Script::new()
            .always_delay_ms(Delay::Initiating, 5_000)
            .always_delay_ms(Delay::Provisioning, 20_000)
            .always_delay_ms(Delay::Deleting, 10_000),
    );
    rig.sim.world.clear_log();
    rig.sim.watch = Some(|sim| {
        // Whatever was repointed leads to an active peering, now and at every moment of the restore.
        for (id, target) in own_route_targets(sim) {
            let status = sim.world.peering(&target).map(|view| view.status);
            assert_eq!(status, Some(PeeringStatus::Active), "route of {id} leads to {target}");
        }
    });
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
    let routes: Vec<Action> =
        rig.sim.world.log().map(|m| m.action).filter(|action| is_route(*action)).collect();
    assert_eq!(routes, [Action::ReplaceRoute, Action::ReplaceRoute]);
}

fn is_route(action: Action) -> bool {
    matches!(action, Action::CreateRoute | Action::ReplaceRoute | Action::DeleteRoute)
}

fn own_route_targets(sim: &crate::common::operator::Sim) -> Vec<(String, ec2sim::PeeringId)> {
    let routes = sim.world.log().filter(|m| is_route(m.action) && m.result.is_ok());
    let target = |m: &ec2sim::Mutation| match &m.request {
        Request::CreateRoute(route) | Request::ReplaceRoute(route) => {
            let id = route.vpc_peering_connection_id.as_deref()?;
            Some((route.route_table_id.clone(), ec2sim::PeeringId::parse(id)?))
        }
        _ => None,
    };
    routes.filter_map(target).collect()
}

#[test]
fn options_and_tags_come_back_with_the_peering() {
    let mut rig = ready_with("restore", |sides| {
        sides.requester.allow_dns = Some(true);
        sides.accepter.allow_dns = Some(true);
    });
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    let id = pcx(rig.id());
    let view = rig.sim.world.peering(&id).unwrap();
    assert_eq!(view.requester.allow_dns_resolution_from_remote_vpc, Some(true));
    assert_eq!(view.accepter.allow_dns_resolution_from_remote_vpc, Some(true));
    for at in [rig.a.owner(), rig.b.owner()] {
        let query = Request::DescribeVpcPeeringConnections(ec2sim::Describe::ids([&id]));
        let page = rig.sim.world.call(&at, query, &mut Calm).unwrap().peerings().unwrap();
        let tags = &page.items[0].tags;
        assert_eq!(tags.get("team").map(String::as_str), Some("network"));
        assert_eq!(tags.get(OwnerTag::KEY).map(String::as_str), Some("cluster-1/net/peering"));
        assert_eq!(tags.get("peerkeeper.dev/origin").map(String::as_str), Some("created"));
    }
    assert_eq!(rig.memory().origin, Some(Origin::Created));
}

#[test]
fn a_restored_peering_inherits_that_it_was_adopted() {
    let mut rig = rig();
    rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.until_ready();
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.memory().origin, Some(Origin::Adopted));
    let id = rig.id();
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.sim.status(id), Some(PeeringStatus::Active), "what was adopted stays");
}

#[test]
fn flag_changes_nothing_in_aws() {
    let mut rig = ready_with("flag", |_| {});
    let lost = rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::DeletedUnexpectedly);
    rig.sim.assert_says(
        &rig.key,
        ConditionType::UnexpectedlyDeleted,
        Truth::True,
        Reason::DeletedUnexpectedly,
    );
    assert_eq!(rig.sim.state(&rig.key), Some(State::Lost));
    let episode = rig.memory().episode.clone().unwrap();
    assert_eq!((episode.lost, episode.class, episode.routes), (lost, LossClass::Unexpected, 2));
    assert_eq!(episode.by_account, Some(SHARED.parse().unwrap()));
    assert_eq!(rig.sim.own_writes(), before);
    // Long past the tombstone's end, too.
    rig.sim.run_s(3 * 86_400);
    assert_eq!(rig.sim.own_writes(), before);
    assert_eq!(rig.memory().episode.as_ref().map(|e| e.detected), Some(episode.detected));
    // The user changes the policy: that alone releases nothing.
    rig.edit(|object| object.policy = Some("restore".into()));
    rig.sim.run_s(300);
    assert_eq!(rig.sim.own_writes(), before);
    rig.sim.assert_stalled(&rig.key, Reason::AwaitingApproval);
    rig.sim.approve(&rig.key);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn without_a_policy_losses_are_flagged() {
    let mut rig = ready();
    rig.edit(|object| object.policy = None);
    rig.sim.run_s(60);
    rig.lose();
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::DeletedUnexpectedly);
}

#[test]
fn a_policy_that_is_missing_flags() {
    let mut rig = ready();
    rig.edit(|object| object.policy = Some("nowhere".into()));
    rig.sim.run_s(60);
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::PolicyNotFound);
    rig.sim.assert_says(
        &rig.key,
        ConditionType::UnexpectedlyDeleted,
        Truth::True,
        Reason::DeletedUnexpectedly,
    );
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn remove_routes_takes_the_dead_ones_out_and_releases_the_object() {
    let mut rig = ready_with("remove", |_| {});
    // A route of somebody else's through the same table stays.
    rig.sim.world.add_route(&rig.a.table, "0.0.0.0/0", "igw-0123456789abcdef0").unwrap();
    let lost = rig.lose();
    rig.until_state(State::Released);
    rig.sim.assert_stalled(&rig.key, Reason::ReleasedByPolicy);
    for side in Side::BOTH {
        assert_eq!(rig.target(side), None);
    }
    assert!(rig.sim.target(&rig.a.table, "0.0.0.0/0").is_some());
    assert!(matches!(rig.memory().life, Life::Released { lost: of, .. } if of == lost));
    let closed = rig.memory().last_loss.clone().unwrap();
    assert_eq!(closed.outcome, LossOutcome::Released);
    rig.sim.assert_quiet(3 * 86_400);
    // The spec changes: it is wanted again.
    rig.edit(|object| object.tags.clear());
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn what_was_released_is_no_loss_again_while_its_successor_is_not_visible_yet() {
    let mut rig = ready_with("remove", |_| {});
    rig.lose();
    rig.until_state(State::Released);
    rig.sim.chance = Box::new(Oldest { lag_ms: 30_000 });
    rig.sim.watch = Some(|sim| assert!(sim.memory(&key("peering")).episode.is_none(), "{}", sim.say()));
    rig.edit(|object| object.tags.clear());
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_released_object_takes_up_a_live_peering_of_its_pair() {
    let mut rig = ready_with("remove", |_| {});
    rig.lose();
    rig.until_state(State::Released);
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.until_ready();
    assert_eq!(pcx(rig.id()), id);
    rig.assert_whole();
}

#[test]
fn the_grace_period_is_waited_for_with_the_flag_raised() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.grace_s = 600);
    rig.lose();
    rig.sim.run_s(120);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::GracePeriod));
    rig.sim.assert_says(
        &rig.key,
        ConditionType::UnexpectedlyDeleted,
        Truth::True,
        Reason::DeletedUnexpectedly,
    );
    let detected = rig.memory().episode.as_ref().unwrap().detected;
    rig.sim.assert_quiet(400);
    rig.until_ready();
    let acted = rig.memory().spent.last().unwrap().1;
    assert!(acted.since_s(detected) >= 600, "{acted:?} {detected:?}");
}

#[test]
fn somebody_elses_repair_is_taken_up() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.grace_s = 600);
    let lost = rig.lose();
    rig.sim.run_s(120);
    let id = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(pcx(rig.id()), id);
    rig.assert_whole();
    let closed = rig.memory().last_loss.clone().unwrap();
    assert_eq!((closed.lost, closed.outcome), (lost, LossOutcome::Replaced));
    assert_eq!(rig.memory().origin, Some(Origin::Adopted));
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1, "the first one of all");
}

/// This many VPCs peered with `a`, all in place.
fn many(count: usize, policy: &str) -> (Rig, Vec<ObjectKey>) {
    let (mut sim, a, b) = bare();
    let mut keys = Vec::new();
    for number in 0..count {
        let peer = place(&mut sim, SHARED, VA, &format!("10.{}.0.0/16", 100 + number));
        keys.push(declare(
            &mut sim,
            &format!("p{number:02}"),
            Sides::new(side(&a), side(&peer)),
            Some(policy),
        ));
    }
    let all = keys.clone();
    sim.run_until("all ready", 900, |sim| all.iter().all(|key| sim.is_ready(key)));
    let key = keys[0].clone();
    (Rig { sim, a, b, key }, keys)
}

fn lose_all(rig: &mut Rig, keys: &[ObjectKey]) {
    for key in keys {
        let id = pcx(rig.sim.memory(key).peering().unwrap());
        rig.sim.world.delete_peering_as(PROD, EU, &id).unwrap();
    }
}

#[test]
fn of_a_storm_beyond_the_limit_none_is_acted_upon_until_somebody_approves() {
    let (mut rig, keys) = many(20, "restore");
    let before = rig.sim.own_writes();
    lose_all(&mut rig, &keys);
    rig.sim.run_s(120);
    for key in &keys {
        rig.sim.assert_stalled(key, Reason::LimitReached);
        rig.sim.assert_says(
            key,
            ConditionType::UnexpectedlyDeleted,
            Truth::True,
            Reason::DeletedUnexpectedly,
        );
        let held = &rig.sim.report(key).held;
        assert!(held.iter().any(|held| held.release.contains("which is 10")), "{held:?}");
    }
    assert_eq!(rig.sim.own_writes(), before);
    // Time alone never releases it.
    rig.sim.run_s(5 * 3600);
    assert_eq!(rig.sim.own_writes(), before);
    // Nor does a higher limit: who may change a policy need not be who may decide about losses.
    set_policy(&mut rig.sim, "restore", |policy| policy.limits.max_restores = 100);
    rig.sim.run_s(300);
    assert_eq!(rig.sim.own_writes(), before);
    // One that is approved goes, whatever the limit; the others stay.
    rig.sim.approve(&keys[7]);
    rig.sim.run_s(300);
    assert!(rig.sim.is_ready(&keys[7]));
    assert_eq!(rig.sim.live_peerings().len(), 1);
    keys.iter().filter(|key| **key != keys[7]).for_each(|key| rig.sim.approve(key));
    let all = keys.clone();
    rig.sim.run_until("all ready", 900, |sim| all.iter().all(|key| sim.is_ready(key)));
    assert_eq!(rig.sim.live_peerings().len(), 20);
}

#[test]
fn a_policy_that_turns_many_flags_into_restores_restores_none_of_them() {
    let (mut rig, keys) = many(12, "flag");
    lose_all(&mut rig, &keys);
    rig.sim.run_s(300);
    let before = rig.sim.own_writes();
    set_policy(&mut rig.sim, "flag", |policy| policy.action = LossAction::Restore);
    rig.sim.run_s(300);
    for key in &keys {
        rig.sim.assert_stalled(key, Reason::AwaitingApproval);
    }
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn a_storm_within_the_limit_is_restored() {
    let (mut rig, keys) = many(10, "restore");
    lose_all(&mut rig, &keys);
    rig.sim.run_s(120);
    let all = keys.clone();
    rig.sim.run_until("all ready", 900, |sim| all.iter().all(|key| sim.is_ready(key)));
    // The window is full now: one more has to wait for its room.
    let next = keys[3].clone();
    lose_all(&mut rig, std::slice::from_ref(&next));
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&next, Reason::LimitReached);
    // The window passes, and the hold stays: somebody has to have looked.
    rig.sim.run_s(2 * 3600);
    rig.sim.assert_stalled(&next, Reason::LimitReached);
    rig.sim.approve(&next);
    rig.sim.run_until("ready", 300, |sim| sim.is_ready(&next));
}

#[test]
fn a_storm_that_people_half_resolve_holds_the_other_half() {
    let (mut rig, keys) = many(12, "restore");
    lose_all(&mut rig, &keys);
    rig.sim.run_s(120);
    for key in &keys[..4] {
        let sides = rig.sim.cluster.object(key).sides.clone();
        let [a, b] =
            [sides.requester.vpc, sides.accepter.vpc].map(|vpc| ec2sim::VpcId::parse(&vpc.to_string()));
        rig.sim.world.peer(&a.unwrap(), &b.unwrap()).unwrap();
    }
    rig.sim.run_s(300);
    for key in &keys[..4] {
        assert!(rig.sim.is_ready(key), "{}", rig.sim.say());
    }
    for key in &keys[4..] {
        rig.sim.assert_stalled(key, Reason::LimitReached);
    }
}

#[test]
fn the_operators_own_limit_is_the_tightest_where_it_is() {
    let (mut rig, keys) = many(4, "restore");
    rig.sim.cluster.max_restores = 3;
    lose_all(&mut rig, &keys);
    rig.sim.run_s(120);
    for key in &keys {
        rig.sim.assert_stalled(key, Reason::LimitReached);
        assert!(rig.sim.report(key).to_string().contains("--max-restores"));
    }
}

#[test]
fn a_storm_of_removals_is_held_like_one_of_restores() {
    let (mut rig, keys) = many(12, "remove");
    let before = rig.sim.own_writes();
    lose_all(&mut rig, &keys);
    rig.sim.run_s(120);
    for key in &keys {
        rig.sim.assert_stalled(key, Reason::LimitReached);
    }
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn more_lost_peerings_than_requests_may_wait_are_restored_in_turn() {
    let (mut rig, keys) = many(40, "restore");
    set_policy(&mut rig.sim, "restore", |policy| policy.limits.max_restores = 50);
    lose_all(&mut rig, &keys);
    rig.sim.chance = Box::new(Script::new().always_delay_ms(Delay::Initiating, 3_000));
    rig.sim.run_s(120);
    let all = keys.clone();
    rig.sim.run_until("all ready", 1800, |sim| all.iter().all(|key| sim.is_ready(key)));
    assert_eq!(rig.sim.live_peerings().len(), 40);
}

#[test]
fn what_is_deleted_again_and_again_is_left_to_be_settled_by_people() {
    let mut rig = ready();
    for round in 0..3 {
        rig.lose();
        rig.sim.run_s(120);
        rig.until_ready();
        assert_eq!(rig.memory().spent.len(), round + 1);
    }
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&rig.key, Reason::ContestedOwnership);
    assert!(rig.report().to_string().contains(SHARED), "{}", rig.report());
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn with_the_vpc_gone_nothing_is_restored() {
    let mut rig = ready();
    rig.sim.run_s(400);
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    let b = rig.b.vpc.clone();
    rig.sim.world.delete_vpc_in_console(&b).unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::VpcGone);
    assert_eq!(rig.sim.own_writes(), before);
    assert_eq!(rig.memory().episode.as_ref().map(|e| e.class), Some(LossClass::VpcGone));
}

#[test]
fn a_teardown_that_takes_all_route_tables_is_not_created_into() {
    let mut rig = ready();
    rig.sim.run_s(400);
    // Everything of the accepter's VPC goes, one after another; the VPC itself comes last.
    let b = rig.b.clone();
    let delete = Request::DeleteRouteTable { route_table_id: (&b.table).into() };
    rig.sim.world.call(&b.owner(), delete, &mut Calm).unwrap();
    rig.sim.run_s(180);
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::Decommissioning);
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn a_foreign_account_that_withdraws_is_not_asked_again() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    let id = pcx(rig.id());
    rig.sim.world.accept_peering_as(SHARED, VA, &id).unwrap();
    rig.until_ready();
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::WithdrawnByPeer);
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn our_own_accounts_deletion_of_a_foreign_peering_is_restored() {
    let mut rig = foreign_rig();
    rig.until_state(State::AwaitingAcceptance);
    rig.sim.world.accept_peering_as(SHARED, VA, &pcx(rig.id())).unwrap();
    rig.until_ready();
    let lost = rig.id();
    rig.sim.world.delete_peering_as(PROD, EU, &pcx(lost)).unwrap();
    rig.sim.run_s(120);
    rig.until_state(State::AwaitingAcceptance);
    assert_ne!(rig.id(), lost);
    rig.sim.assert_says(
        &rig.key,
        ConditionType::UnexpectedlyDeleted,
        Truth::True,
        Reason::DeletedUnexpectedly,
    );
    rig.sim.world.accept_peering_as(SHARED, VA, &pcx(rig.id())).unwrap();
    rig.until_ready();
    assert_eq!(rig.target(Side::Requester), Some(rig.id().to_string()));
}

#[test]
fn with_dependents_all_every_route_to_the_lost_peering_follows() {
    let mut rig = ready();
    let main = rig.sim.world.main_table(&rig.a.vpc).unwrap();
    let id = rig.id().to_string();
    rig.sim.world.add_route(&main, "10.2.7.0/24", &id).unwrap();
    rig.sim.world.add_route(&main, "10.99.0.0/16", &id).unwrap();
    set_policy(&mut rig.sim, "restore", |policy| policy.dependent_routes = DependentRoutes::All);
    rig.sim.run_s(60);
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&main, "10.2.7.0/24"), Some(rig.id().to_string()));
    // It overlaps nothing of the peer's: none of ours.
    assert_eq!(rig.sim.target(&main, "10.99.0.0/16"), Some(id));
    rig.sim.assert_quiet(600);
}

#[test]
fn with_dependents_declared_the_others_routes_are_left() {
    let mut rig = ready();
    let main = rig.sim.world.main_table(&rig.a.vpc).unwrap();
    let id = rig.id().to_string();
    rig.sim.world.add_route(&main, "10.2.7.0/24", &id).unwrap();
    rig.lose();
    rig.sim.run_s(120);
    rig.until_ready();
    assert_eq!(rig.sim.target(&main, "10.2.7.0/24"), Some(id));
}

#[test]
fn routes_that_somebody_took_while_it_was_lost_are_left_to_them() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.grace_s = 300);
    rig.lose();
    rig.sim.run_s(120);
    let tgw = "tgw-0123456789abcdef0";
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", tgw).unwrap();
    rig.sim.run_s(600);
    assert_eq!(rig.target(Side::Requester), Some(tgw.to_owned()));
    assert_eq!(rig.target(Side::Accepter), Some(rig.id().to_string()), "the other side is not stopped by it");
    rig.sim.assert_stalled(&rig.key, Reason::Occupied);
    // The loss is over all the same: while it were open, no later repair would count under any limit.
    assert!(rig.memory().episode.is_none(), "{}", rig.sim.say());
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    rig.sim.run_s(120);
    assert_eq!(rig.target(Side::Accepter), Some(rig.id().to_string()));
    assert!(rig.memory().spent.iter().any(|(act, _)| *act == Act::RepairDrift), "{}", rig.sim.say());
}

#[test]
fn one_sides_denied_routes_do_not_stop_the_others() {
    let mut rig = ready();
    rig.sim.world.deny(PROD, EU, Action::ReplaceRoute);
    rig.lose();
    rig.sim.run_s(300);
    assert_eq!(rig.target(Side::Accepter), Some(rig.id().to_string()));
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AccessDenied));
    assert_eq!((rig.report().routes.requester.in_sync, rig.report().routes.accepter.in_sync), (0, 1));
    rig.sim.world.allow(PROD, EU, Action::ReplaceRoute);
    rig.until_ready();
    rig.assert_whole();
    rig.sim.assert_says(&rig.key, ConditionType::UnexpectedlyDeleted, Truth::False, Reason::Restored);
}

/// A refusal is no news once what it stood in the way of was done by somebody else.
#[test]
fn a_refused_repoint_that_a_person_makes_is_not_waited_for() {
    let mut rig = ready();
    rig.sim.world.deny(PROD, EU, Action::ReplaceRoute);
    rig.lose();
    rig.sim.run_s(300);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AccessDenied));
    let new = rig.id().to_string();
    rig.sim.world.allow(PROD, EU, Action::ReplaceRoute);
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", &new).unwrap();
    rig.sim.world.deny(PROD, EU, Action::ReplaceRoute);
    rig.sim.run_s(150);
    rig.sim.assert_says(&rig.key, ConditionType::Ready, Truth::True, Reason::InSync);
    rig.assert_whole();
}

#[test]
fn a_loss_is_seen_though_one_side_cannot_be_read() {
    let mut rig = ready();
    rig.sim.run_s(60);
    rig.sim.world.deny(SHARED, VA, Action::DescribeVpcPeeringConnections);
    rig.lose();
    rig.sim.run_s(60);
    rig.sim.assert_says(
        &rig.key,
        ConditionType::UnexpectedlyDeleted,
        Truth::True,
        Reason::DeletedUnexpectedly,
    );
}

#[test]
fn a_peering_that_is_deleting_is_neither_live_nor_lost() {
    let mut rig = ready();
    rig.sim.chance = Box::new(Script::new().always_delay_ms(Delay::Deleting, 100_000));
    let id = rig.id();
    let human = Caller::new(SHARED, VA).named("human");
    let delete = Request::DeleteVpcPeeringConnection { peering_id: id.to_string() };
    let mut slow = Script::new().delay_ms(Delay::Deleting, 100_000);
    rig.sim.world.call(&human, delete, &mut slow).unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(90);
    assert!(rig.memory().episode.is_none());
    assert_eq!(rig.sim.own_writes(), before);
    rig.sim.run_s(120);
    rig.until_ready();
    assert_ne!(rig.id(), id);
}

#[test]
fn a_policy_that_was_changed_after_the_loss_asks_for_approval_of_what_it_says_now() {
    let mut rig = ready_with("flag", |_| {});
    rig.lose();
    rig.until_reason(Reason::DeletedUnexpectedly);
    set_policy(&mut rig.sim, "flag", |policy| policy.action = LossAction::RemoveRoutes);
    rig.until_reason(Reason::AwaitingApproval);
    rig.sim.approve(&rig.key);
    rig.until_state(State::Released);
    let writes = rig.sim.writes_since(0);
    assert_eq!(writes.iter().filter(|write| matches!(write, Write::DropRoute { .. })).count(), 2);
}

#[test]
fn with_status_lost_the_routes_of_a_loss_are_still_found_and_removed() {
    let mut rig = ready_with("flag", |_| {});
    set_policy(&mut rig.sim, "flag", |policy| policy.action = LossAction::RemoveRoutes);
    rig.lose();
    rig.sim.cluster.change(&rig.key, |object| {
        object.memory = Default::default();
        object.report = None;
    });
    rig.sim.restart();
    rig.until_state(State::Released);
    assert_eq!((rig.target(Side::Requester), rig.target(Side::Accepter)), (None, None));
}
