//! What counts as known: tombstones, absence, stale readings, lost answers, other people's readings.

use ec2sim::{Action, Choice, Delay, Fault, PeeringStatus, Request, Script};
use peerkeeper_core::ids::{HOLD_TAG_KEY, OwnerTag, Side};
use peerkeeper_core::memory::{Life, LossClass};
use peerkeeper_core::observed::Ending;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::{ConditionType, Reason};

use crate::common::rig::*;

fn flagged(rig: &Rig) -> bool {
    let flag = ConditionType::UnexpectedlyDeleted;
    rig.sim.condition(&rig.key, flag).is_some_and(|c| c.truth == Truth::True)
}

#[test]
fn a_peering_purged_while_nobody_looked_is_lost_once_its_absence_is_proved() {
    let mut rig = ready();
    let lost = rig.lose();
    // The operator is down for three days.
    rig.sim.world.advance(rig.sim.world.now_ms() + 3 * 86_400_000);
    rig.sim.restart();
    let began = rig.sim.world.now_ms();
    rig.sim.run_until("flagged", 900, |sim| {
        sim.says(
            &key("peering"),
            ConditionType::UnexpectedlyDeleted,
            Truth::True,
            Reason::DeletedUnexpectedly,
        )
    });
    let waited_ms = rig.sim.world.now_ms() - began;
    assert!(waited_ms >= rig.sim.timing.settle_ms + rig.sim.timing.absence_gap_ms, "{waited_ms}");
    assert_eq!(rig.memory().episode.as_ref().map(|e| (e.lost, e.ending)), Some((lost, Ending::Absent)));
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn one_sweep_that_lacks_a_peering_is_no_evidence() {
    let mut rig = ready_with("flag", |_| {});
    rig.sim.run_s(400);
    let id = pcx(rig.id());
    let b = rig.b.clone();
    let (shared, va) = (b.account, b.region);
    rig.sim.world.delete_peering_as(shared, va, &id).unwrap();
    rig.sim.world.advance(rig.sim.world.now_ms() + 3 * 86_400_000);
    // The sweeps of before are three days old: nothing they say counts, and one new one proves nothing.
    rig.sim.run_s(50);
    assert!(!flagged(&rig), "{}", rig.sim.say());
    rig.sim.run_s(120);
    assert!(flagged(&rig), "{}", rig.sim.say());
}

#[test]
fn absence_shown_by_another_accounts_credentials_is_none() {
    let mut rig = ready();
    rig.sim.run_s(400);
    for name in ["prod", "shared"] {
        rig.sim.cluster.accounts.get_mut(name).unwrap().answers_as = Some("999999999999".parse().unwrap());
    }
    let id = pcx(rig.id());
    rig.sim.world.delete_peering_as(SHARED, VA, &id).unwrap();
    rig.sim.world.advance(rig.sim.world.now_ms() + 3 * 86_400_000);
    let before = rig.sim.own_writes();
    rig.sim.run_s(900);
    assert!(!flagged(&rig));
    assert_eq!(rig.sim.own_writes(), before);
    rig.sim.assert_says(&rig.key, ConditionType::Ready, Truth::False, Reason::WrongAccount);
}

#[test]
fn an_ending_that_was_read_once_is_for_ever() {
    let mut rig = ready_with("flag", |_| {});
    // For ten minutes after the deletion half of all reads show the peering as active still.
    let human = rig.b.owner();
    let delete = Request::DeleteVpcPeeringConnection { peering_id: rig.id().to_string() };
    let mut lagging = Script::new().always_delay_ms(Delay::Visibility, 300_000);
    rig.sim.world.call(&human, delete, &mut lagging).unwrap();
    rig.sim.run_s(90);
    assert!(flagged(&rig));
    rig.sim.chance = Box::new(Script::new().always_pick(Choice::StaleRead, 1));
    rig.sim.run_s(120);
    assert!(flagged(&rig), "a stale reading revived it\n{}", rig.sim.say());
    rig.sim.assert_stalled(&rig.key, Reason::DeletedUnexpectedly);
}

#[test]
fn own_writes_that_are_not_visible_yet_are_not_repeated() {
    let mut rig = rig();
    // For a minute after each write every read shows what was before it.
    rig.sim.chance =
        Box::new(Script::new().always_delay_ms(Delay::Visibility, 60_000).always_pick(Choice::StaleRead, 1));
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.world.count_by("peerkeeper", Action::CreateVpcPeeringConnection), 1);
    assert_eq!(rig.sim.world.count_by("peerkeeper", Action::AcceptVpcPeeringConnection), 1);
    assert_eq!(rig.sim.world.count_by("peerkeeper", Action::CreateRoute), 2);
    assert_eq!(rig.sim.world.count_by("peerkeeper", Action::CreateTags), 1);
    rig.sim.assert_quiet(900);
}

#[test]
fn a_restore_under_lag_writes_each_thing_once() {
    let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
    rig.lose();
    rig.sim.world.reset_counts();
    rig.sim.chance =
        Box::new(Script::new().always_delay_ms(Delay::Visibility, 45_000).always_pick(Choice::StaleRead, 1));
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
    let count = |action| rig.sim.world.count_by("peerkeeper", action);
    assert_eq!(count(Action::CreateVpcPeeringConnection), 1);
    assert_eq!(count(Action::AcceptVpcPeeringConnection), 1);
    assert_eq!(count(Action::ReplaceRoute), 2);
    assert_eq!(count(Action::ModifyVpcPeeringConnectionOptions), 1);
    assert_eq!(count(Action::CreateTags), 1);
}

#[test]
fn a_lost_answer_never_makes_a_second_peering() {
    for fault in
        [Fault::TimeoutAfterEffect, Fault::InternalAfterEffect, Fault::ResetBeforeEffect, Fault::Internal]
    {
        for action in [
            Action::CreateVpcPeeringConnection,
            Action::AcceptVpcPeeringConnection,
            Action::CreateRoute,
            Action::CreateTags,
        ] {
            let mut rig = rig();
            rig.sim.chance = Box::new(Script::new().fault(action, fault));
            rig.sim.run_until("ready", 1200, |sim| sim.is_ready(&key("peering")));
            rig.assert_whole();
            assert_eq!(rig.sim.live_peerings().len(), 1, "{fault:?} on {action}");
            assert_eq!(rig.sim.world.peerings().count(), 1, "{fault:?} on {action}");
            rig.sim.assert_quiet(900);
        }
    }
}

#[test]
fn a_write_that_never_arrived_is_sent_again_once_two_sweeps_lack_it_and_not_before() {
    let mut rig = rig();
    let lost = Script::new().fault(Action::CreateVpcPeeringConnection, Fault::ResetBeforeEffect);
    rig.sim.chance = Box::new(lost);
    let began = rig.sim.world.now_ms();
    rig.until_ready();
    let waited_ms = rig.sim.world.now_ms() - began;
    assert!(waited_ms >= rig.sim.timing.absence_gap_ms, "{waited_ms}");
    assert!(waited_ms < rig.sim.timing.settle_ms, "two sweeps are enough: {waited_ms}");
    assert_eq!(rig.sim.world.count_by("peerkeeper", Action::CreateVpcPeeringConnection), 2);
}

#[test]
fn a_lost_answer_in_a_restore_never_makes_a_second_peering_either() {
    for fault in [Fault::TimeoutAfterEffect, Fault::ResetBeforeEffect] {
        for action in [
            Action::CreateVpcPeeringConnection,
            Action::AcceptVpcPeeringConnection,
            Action::ReplaceRoute,
            Action::ModifyVpcPeeringConnectionOptions,
        ] {
            let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
            rig.lose();
            rig.sim.chance = Box::new(Script::new().fault(action, fault));
            rig.sim.run_s(120);
            rig.sim.run_until("ready", 1200, |sim| sim.is_ready(&key("peering")));
            rig.assert_whole();
            assert_eq!(rig.sim.live_peerings().len(), 1, "{fault:?} on {action}");
            assert_eq!(rig.sim.world.peerings().count(), 2, "{fault:?} on {action}");
            rig.sim.assert_quiet(900);
        }
    }
}

#[test]
fn a_lost_create_under_lag_is_found_and_taken() {
    let mut rig = rig();
    rig.sim.chance = Box::new(
        Script::new()
            .fault(Action::CreateVpcPeeringConnection, Fault::TimeoutAfterEffect)
            .always_delay_ms(Delay::Visibility, 100_000)
            .always_pick(Choice::StaleRead, 1),
    );
    rig.sim.run_until("ready", 1200, |sim| sim.is_ready(&key("peering")));
    rig.assert_whole();
    assert_eq!(rig.sim.world.peerings().count(), 1, "{}", rig.sim.say());
}

#[test]
fn our_own_twin_of_a_reversed_request_is_removed() {
    let mut rig = rig();
    // Somebody asks from the other end at the same moment, and theirs is accepted first.
    let delay = Script::new().delay_ms(Delay::Initiating, 30_000);
    rig.sim.chance = Box::new(delay);
    rig.sim.run_until("asked", 60, |sim| {
        sim.world.log().any(|m| m.action == Action::CreateVpcPeeringConnection)
    });
    let theirs = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    rig.sim.run_until("ready", 900, |sim| sim.is_ready(&key("peering")));
    assert_eq!(pcx(rig.id()), theirs, "{}", rig.sim.say());
    rig.assert_whole();
    assert_eq!(rig.sim.live_peerings().len(), 1);
    let ended = rig.sim.world.peerings().filter(|view| view.status == PeeringStatus::Deleted).count();
    assert_eq!(ended, 1);
    rig.sim.assert_quiet(600);
}

#[test]
fn a_twin_of_somebody_elses_is_not_ours_to_remove() {
    let mut rig = ready();
    // Pending, from the other end, by a human: nobody's business but theirs.
    let theirs = rig.sim.world.request_peering(&rig.b.vpc, &rig.a.vpc).unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    assert_eq!(rig.sim.own_writes(), before, "{}", rig.sim.say());
    assert_eq!(rig.sim.world.peering(&theirs).map(|v| v.status), Some(PeeringStatus::PendingAcceptance));
    assert!(rig.sim.is_ready(&rig.key));
}

#[test]
fn status_lost_with_the_annotation_is_a_loss_all_the_same() {
    let mut rig = ready();
    let id = rig.id();
    assert_eq!(rig.sim.cluster.object(&rig.key).established, Some(id));
    rig.lose();
    rig.sim.cluster.change(&rig.key, |object| {
        object.memory = Default::default();
        object.report = None;
    });
    rig.sim.restart();
    rig.sim.run_until("flagged", 120, |sim| {
        sim.says(
            &key("peering"),
            ConditionType::UnexpectedlyDeleted,
            Truth::True,
            Reason::DeletedUnexpectedly,
        )
    });
    assert_eq!(rig.memory().episode.as_ref().map(|e| e.lost), Some(id));
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.done(Action::CreateRoute), 2, "only the first two: the dead ones were repointed");
}

#[test]
fn status_lost_with_a_live_peering_is_found_again_by_its_pair() {
    let mut rig = ready();
    let id = rig.id();
    rig.sim.cluster.change(&rig.key, |object| object.memory = Default::default());
    rig.sim.restart();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    rig.until_ready();
    assert_eq!(rig.id(), id);
    assert_eq!(rig.sim.own_writes(), before);
}

#[test]
fn status_lost_without_the_annotation_makes_a_new_one_as_declared() {
    let mut rig = ready();
    rig.lose();
    rig.sim.cluster.change(&rig.key, |object| {
        object.memory = Default::default();
        object.established = None;
    });
    rig.sim.restart();
    rig.sim.run_s(60);
    rig.until_ready();
    rig.assert_whole();
    assert!(rig.memory().last_loss.is_none());
}

#[test]
fn the_annotation_of_another_pairs_peering_is_ignored() {
    let mut rig = rig();
    let c = place(&mut rig.sim, SHARED, VA, "10.3.0.0/16");
    let other = rig.sim.world.peer(&rig.a.vpc, &c.vpc).unwrap();
    rig.sim.world.delete_peering_as(PROD, EU, &other).unwrap();
    let id = other.to_string().parse().unwrap();
    rig.sim.cluster.change(&rig.key, |object| object.established = Some(id));
    rig.until_ready();
    rig.assert_whole();
    assert!(rig.memory().last_loss.is_none());
}

#[test]
fn an_observation_older_than_three_sweeps_says_nothing() {
    let mut rig = ready();
    for (account, region) in [(PROD, EU), (SHARED, VA)] {
        for action in
            [Action::DescribeVpcPeeringConnections, Action::DescribeRouteTables, Action::DescribeVpcs]
        {
            rig.sim.world.deny(account, region, action);
        }
    }
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(600);
    let ready = rig.sim.condition(&rig.key, ConditionType::Ready).unwrap();
    assert_ne!(ready.truth, Truth::True, "{}", rig.sim.say());
    assert!(!flagged(&rig));
    assert_eq!(rig.sim.own_writes(), before);
    assert!(matches!(rig.memory().life, Life::Established(_)));
}

#[test]
fn a_throttled_region_holds_up_nobody_else() {
    let mut rig = ready();
    let c = place(&mut rig.sim, PROD, EU, "10.3.0.0/16");
    let d = place(&mut rig.sim, PROD, EU, "10.4.0.0/16");
    rig.sim.chance = Box::new(Throttle);
    let sides = peerkeeper_core::ids::Sides::new(side(&c), side(&d));
    let other = declare(&mut rig.sim, "other", sides, Some("restore"));
    rig.sim.run_s(300);
    assert!(rig.sim.is_ready(&other), "{}", rig.sim.say());
    assert!(!rig.sim.is_ready(&rig.key));
}

/// Everything in the accepter's Region is throttled.
struct Throttle;

impl ec2sim::Chance for Throttle {
    fn delay_ms(&mut self, _: Delay) -> u64 {
        0
    }

    fn pick(&mut self, _: Choice, _: usize) -> usize {
        0
    }

    fn fault(&mut self, caller: &ec2sim::Caller, _: Action) -> Option<Fault> {
        (caller.region.as_str() == VA).then_some(Fault::Throttled)
    }
}

#[test]
fn suspended_the_truth_is_shown_and_nothing_is_changed() {
    let mut rig = ready();
    rig.edit(|object| object.suspend = true);
    rig.sim.run_s(60);
    assert!(rig.sim.is_ready(&rig.key), "in sync, so ready\n{}", rig.sim.say());
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    assert!(flagged(&rig));
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::Suspended));
    assert_eq!(rig.sim.own_writes(), before);
    assert!(rig.memory().spent.is_empty(), "nothing was done, so nothing was spent");
    rig.edit(|object| object.suspend = false);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_hold_tag_on_either_vpc_freezes_the_object() {
    for side in Side::BOTH {
        let mut rig = ready();
        let place = rig.place(side).clone();
        let vpc = place.vpc.to_string();
        rig.sim.world.tag(&place.owner(), &vpc, &[(HOLD_TAG_KEY, "incident-7")]).unwrap();
        rig.sim.run_s(60);
        rig.lose();
        let before = rig.sim.own_writes();
        rig.sim.run_s(300);
        assert!(flagged(&rig));
        rig.sim.assert_stalled(&rig.key, Reason::Held);
        assert!(rig.report().to_string().contains(&vpc));
        assert_eq!(rig.sim.own_writes(), before);
        let tags = vec![(HOLD_TAG_KEY.to_owned(), None)];
        let untag = Request::DeleteTags { resources: vec![vpc], tags };
        rig.sim.world.call(&place.owner(), untag, &mut ec2sim::Calm).unwrap();
        rig.until_ready();
        rig.assert_whole();
    }
}

#[test]
fn a_suspended_account_freezes_its_side() {
    let mut rig = ready();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().suspend = true;
    rig.sim.run_s(60);
    assert!(rig.sim.is_ready(&rig.key));
    rig.lose();
    let before = rig.sim.own_writes();
    rig.sim.run_s(300);
    assert!(flagged(&rig));
    rig.sim.assert_stalled(&rig.key, Reason::AccountSuspended);
    assert_eq!(rig.sim.own_writes(), before);
    rig.sim.cluster.accounts.get_mut("shared").unwrap().suspend = false;
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_grant_withdrawn_freezes_and_deletes_nothing() {
    let mut rig = ready();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = false;
    let before = rig.sim.own_writes();
    rig.sim.run_s(900);
    rig.sim.assert_stalled(&rig.key, Reason::AccessWithdrawn);
    assert_eq!(rig.sim.own_writes(), before);
    rig.assert_whole();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.run_s(180);
    assert_eq!(rig.sim.own_writes(), before, "frozen on both sides\n{}", rig.sim.say());
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = true;
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn an_account_that_comes_to_mean_another_does_not_carry_the_object_along() {
    let mut rig = ready();
    let before = rig.sim.own_writes();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().id = "777788889999".parse().unwrap();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::WrongAccount);
    assert_eq!(rig.sim.own_writes(), before);
    assert!(!flagged(&rig));
}

#[test]
fn accounts_that_do_not_exist_or_do_not_grant_are_said_by_name() {
    let mut rig = rig();
    rig.sim.cluster.accounts.get_mut("prod").unwrap().granted = false;
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::AccessNotGranted);
    rig.sim.cluster.accounts.remove("prod");
    rig.sim.run_s(120);
    rig.sim.assert_stalled(&rig.key, Reason::AccountNotFound);
    assert!(rig.report().to_string().contains("prod"));
    assert_eq!(rig.sim.own_writes(), 0);
}

#[test]
fn a_denied_account_is_said_and_stops_no_other_object() {
    let mut rig = rig();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().unusable = Some("AccessDenied on AssumeRole".into());
    let c = place(&mut rig.sim, PROD, VA, "10.3.0.0/16");
    let sides = peerkeeper_core::ids::Sides::new(side(&rig.a), side(&c));
    let other = declare(&mut rig.sim, "other", sides, Some("restore"));
    rig.sim.run_s(300);
    assert!(rig.sim.is_ready(&other), "{}", rig.sim.say());
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AccessDenied));
    rig.sim.cluster.accounts.get_mut("shared").unwrap().unusable = None;
    rig.until_ready();
}

#[test]
fn denied_calls_are_said_with_their_code_and_tried_again() {
    let mut rig = rig();
    rig.sim.world.deny(SHARED, VA, Action::AcceptVpcPeeringConnection);
    rig.sim.run_s(300);
    rig.sim.assert_says(&rig.key, ConditionType::Ready, Truth::False, Reason::AccessDenied);
    let said = rig.report().to_string();
    assert!(said.contains("AcceptVpcPeeringConnection") && said.contains("UnauthorizedOperation"), "{said}");
    assert!(rig.sim.world.count(Action::AcceptVpcPeeringConnection) < 12, "it backs off");
    rig.sim.world.allow(SHARED, VA, Action::AcceptVpcPeeringConnection);
    rig.until_ready();
}

#[test]
fn without_the_lease_nothing_is_written() {
    let mut rig = ready();
    rig.sim.leading = false;
    rig.lose();
    let before = rig.sim.world.log().len();
    rig.sim.run_s(300);
    assert_eq!(rig.sim.world.log().len(), before);
    rig.sim.leading = true;
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn without_the_api_server_nothing_is_written() {
    let mut rig = ready();
    rig.lose();
    rig.sim.cluster.down = true;
    let before = rig.sim.world.log().len();
    rig.sim.run_s(600);
    assert_eq!(rig.sim.world.log().len(), before);
    rig.sim.cluster.down = false;
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
}

#[test]
fn a_second_owner_tag_on_an_established_peering_is_respected() {
    let mut rig = ready();
    let tag = (OwnerTag::KEY, "cluster-2/net/peering");
    let id = rig.id().to_string();
    rig.sim.world.tag(&rig.a.owner(), &id, &[tag]).unwrap();
    rig.sim.world.tag(&rig.b.owner(), &id, &[tag]).unwrap();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    let before = rig.sim.own_writes();
    rig.sim.run_s(180);
    rig.sim.assert_stalled(&rig.key, Reason::OwnedElsewhere);
    assert_eq!(rig.sim.own_writes(), before, "{}", rig.sim.say());
}

#[test]
fn a_loss_names_the_account_that_aws_names() {
    let mut rig = ready_with("flag", |_| {});
    let id = pcx(rig.id());
    rig.sim.world.delete_peering_as(PROD, EU, &id).unwrap();
    rig.sim.run_s(90);
    let episode = rig.memory().episode.clone().unwrap();
    assert_eq!(episode.by_account, Some(PROD.parse().unwrap()));
    assert_eq!(episode.class, LossClass::Unexpected);
    assert!(rig.report().to_string().contains("by account 111122223333"));
}
