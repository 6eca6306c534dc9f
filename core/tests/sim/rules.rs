//! Security-group rules that a lost peering leaves stale: told, or revoked with its routes, and nobody else's ever.

use std::collections::BTreeSet;
use std::sync::Arc;

use ec2sim::{Action, AuthorizeRules, Calm, Request, RuleEndSpec, RuleSpec, Script};
use peerkeeper_core::desired::{LossAction, Policy, StaleRules};
use peerkeeper_core::ids::{HOLD_TAG_KEY, OwnerTag, PeeringId, Side, Sides};
use peerkeeper_core::incident::{Incident, Phase};
use peerkeeper_core::plan::{State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use crate::common::operator::Happened;
use crate::common::rig::*;

/// Two VPCs of two accounts in one Region, peered, under a policy of its own.
fn near(change: impl FnOnce(&mut Policy)) -> Rig {
    let (mut sim, a, _) = bare();
    let b = place(&mut sim, SHARED, EU, "10.3.0.0/16");
    let mut policy = policy("near", LossAction::RemoveRoutes);
    policy.stale_rules = StaleRules::Revoke;
    change(&mut policy);
    sim.cluster.policies.insert("near".into(), policy);
    let sides = Sides::new(side(&a), side(&b));
    let key = declare(&mut sim, "peering", sides, Some("near"));
    let mut rig = Rig { sim, a, b, key };
    rig.until_ready();
    rig
}

fn authorize(rig: &mut Rig, at: &Place, is_egress: bool, spec: RuleSpec) -> String {
    let before = rules(rig, at);
    let group_id = rig.sim.world.default_group(&at.vpc).unwrap().to_string();
    let rules = AuthorizeRules { group_id, rules: vec![spec], ..AuthorizeRules::default() };
    let request = match is_egress {
        true => Request::AuthorizeSecurityGroupEgress(rules),
        false => Request::AuthorizeSecurityGroupIngress(rules),
    };
    rig.sim.world.call(&at.owner(), request, &mut Calm).unwrap();
    self::rules(rig, at).difference(&before).next().unwrap().clone()
}

/// A rule of one VPC's default group that refers to the other's.
fn refer(rig: &mut Rig, from: &Place, to: &Place, is_egress: bool, port: i32) -> String {
    let group = rig.sim.world.default_group(&to.vpc).unwrap();
    let end = RuleEndSpec::group_of(to.account, group.to_string());
    authorize(rig, from, is_egress, RuleSpec::tcp(port, end))
}

/// The ids of all rules of a VPC's default group.
fn rules(rig: &Rig, at: &Place) -> BTreeSet<String> {
    let group = rig.sim.world.default_group(&at.vpc).unwrap();
    let view = rig.sim.world.security_group(&group).unwrap();
    view.rules.iter().map(|rule| rule.id.to_string()).collect()
}

/// One rule of each kind on each side.
fn refer_both_ways(rig: &mut Rig) -> Vec<(Place, String)> {
    let (a, b) = (rig.a.clone(), rig.b.clone());
    [(&a, &b, false, 443), (&a, &b, true, 5432), (&b, &a, false, 22)]
        .into_iter()
        .map(|(from, to, is_egress, port)| (from.clone(), refer(rig, from, to, is_egress, port)))
        .collect()
}

fn are_there(rig: &Rig, all: &[(Place, String)]) -> Vec<bool> {
    all.iter().map(|(at, rule)| rules(rig, at).contains(rule)).collect()
}

fn told(rig: &Rig, lost: PeeringId) -> Incident {
    rig.sim.cluster.incidents.get(&rig.key, lost).and_then(|stored| stored.told.clone()).expect("it is told")
}

/// When each revocation was asked for, in milliseconds.
fn revoked_at(rig: &Rig) -> Vec<u64> {
    let wrote = rig.sim.history.iter().filter_map(|happened| match happened {
        Happened::Wrote { call, at_ms, .. } if matches!(call.write, Write::RevokeRule { .. }) => Some(*at_ms),
        _ => None,
    });
    wrote.collect()
}

fn revocations(rig: &Rig) -> usize {
    rig.sim.done(Action::RevokeSecurityGroupIngress) + rig.sim.done(Action::RevokeSecurityGroupEgress)
}

fn delete_between(rig: &mut Rig, a: &Place, b: &Place) {
    let id = rig.sim.world.request_peering(&a.vpc, &b.vpc).unwrap();
    let accept = Request::AcceptVpcPeeringConnection { peering_id: id.to_string() };
    rig.sim.world.call(&b.owner(), accept, &mut Calm).unwrap();
    refer(rig, a, b, false, 8080);
    rig.sim.world.delete_peering_as(b.account, b.region, &id).unwrap();
}

#[test]
fn what_a_lost_peering_left_stale_is_revoked_with_its_routes_and_nothing_else() {
    let mut rig = near(|_| {});
    let (a, c) = (rig.a.clone(), place(&mut rig.sim, PROD, EU, "10.9.0.0/16"));
    let ours = refer_both_ways(&mut rig);
    // Another peering's stale rule, a plain one, and a source beside ours in what AWS shows as one permission.
    delete_between(&mut rig, &a, &c);
    authorize(&mut rig, &a, false, RuleSpec::tcp(443, RuleEndSpec::Cidr("10.3.0.0/16".into())));
    let own = rig.sim.world.default_group(&a.vpc).unwrap();
    authorize(&mut rig, &a, false, RuleSpec::tcp(443, RuleEndSpec::group(own.to_string())));
    let all: BTreeSet<String> = rules(&rig, &a);
    let left = &all - &ours.iter().map(|(_, rule)| rule.clone()).collect();

    let lost = rig.lose();
    rig.until_state(State::Lost);
    let flagged_at = rig.sim.world.now_ms();
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false], "{}", rig.sim.say());
    // AWS marks them late, and what it says at once is not all.
    assert!(
        revoked_at(&rig)[0] >= flagged_at + 29_000,
        "{:?}, and flagged at {flagged_at}",
        revoked_at(&rig)
    );
    assert_eq!(rules(&rig, &a), left, "the others stay");
    assert_eq!((revocations(&rig), rig.sim.done(Action::DeleteRoute)), (3, 2));
    let told = told(&rig, lost);
    let stale = told.stale.as_ref().expect("they are told");
    assert_eq!((told.phase, stale.total, stale.revoked), (Phase::Released, 3, true));
    let said = rig.sim.condition(&rig.key, ConditionType::UnexpectedlyDeleted).unwrap();
    assert!(said.message.contains("3 security-group rules in 2 groups revoked"), "{}", said.message);
    rig.sim.assert_quiet(600);
}

#[test]
fn a_policy_that_flags_has_them_told_once_and_left() {
    let mut rig = near(|policy| {
        policy.action = LossAction::Flag;
        policy.stale_rules = StaleRules::Flag;
    });
    let ours = refer_both_ways(&mut rig);
    let lost = rig.lose();
    let key = rig.key.clone();
    let first = rig.sim.plan_now(&key);
    assert!(
        first.memory.episode.is_some() && first.needs.stale_rules.is_empty(),
        "the flag waits for no reading"
    );
    let told_of = |sim: &crate::common::operator::Sim| {
        let case = sim.memory(&key).case.as_ref();
        case.is_some_and(|case| case.stale.as_ref().is_some_and(|stale| stale.total == 3))
    };
    rig.sim.run_until("told", 300, told_of);
    rig.sim.run_s(10);
    let stale = told(&rig, lost).stale.expect("they are told");
    let named: BTreeSet<String> = stale.rules.keys().map(ToString::to_string).collect();
    assert_eq!(named, ours.iter().map(|(_, rule)| rule.clone()).collect());
    for kind in [ConditionType::UnexpectedlyDeleted, ConditionType::Stalled] {
        let said = rig.sim.condition(&rig.key, kind).unwrap();
        assert!(said.message.contains("3 security-group rules in 2 groups went stale"), "{}", said.message);
    }
    let looks = rig.sim.looks;
    rig.sim.assert_quiet(600);
    assert_eq!(rig.sim.looks, looks, "they are read once");
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
}

#[test]
fn a_restore_neither_reads_nor_touches_what_it_heals() {
    for stale_rules in [StaleRules::Revoke, StaleRules::Flag] {
        let mut rig = near(|policy| {
            policy.action = LossAction::Restore;
            policy.stale_rules = stale_rules;
        });
        let ours = refer_both_ways(&mut rig);
        // It takes longer than AWS takes to mark them.
        rig.sim.world.deny(PROD, EU, Action::CreateVpcPeeringConnection);
        rig.lose();
        rig.sim.run_s(300);
        assert!(rig.memory().case.as_ref().is_some_and(|case| case.stale.is_none()));
        rig.sim.world.allow(PROD, EU, Action::CreateVpcPeeringConnection);
        rig.sim.run_s(900);
        rig.until_ready();
        assert_eq!(are_there(&rig, &ours), [true, true, true]);
        assert!(rig.memory().case.as_ref().is_some_and(|case| case.stale.is_none()));
        assert_eq!(revocations(&rig), 0);
    }
}

#[test]
fn the_plan_that_is_approved_names_the_rules() {
    let mut rig = near(|policy| policy.approval = Some(peerkeeper_core::limits::Level::Policy));
    let ours = refer_both_ways(&mut rig);
    let lost = rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    let plan = told(&rig, lost).plan.expect("a plan is proposed");
    for (_, rule) in &ours {
        assert!(plan.steps.iter().any(|step| step.contains(rule.as_str())), "{rule}: {:?}", plan.steps);
    }
    rig.sim.assert_quiet(600);
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
    rig.sim.approve(&rig.key.clone());
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false]);
}

#[test]
fn what_a_policy_asks_for_after_the_loss_is_another_plan() {
    let mut rig = near(|policy| {
        policy.stale_rules = StaleRules::Flag;
        policy.approval = Some(peerkeeper_core::limits::Level::Policy);
    });
    let ours = refer_both_ways(&mut rig);
    let lost = rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    let before = told(&rig, lost).plan.expect("a plan is proposed");
    assert!(!before.steps.iter().any(|step| step.contains("revoke")), "{:?}", before.steps);
    rig.sim.approve(&rig.key.clone());
    set_policy(&mut rig.sim, "near", |policy| policy.stale_rules = StaleRules::Revoke);
    rig.sim.run_s(120);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AwaitingApproval));
    let after = told(&rig, lost).plan.expect("a plan is proposed");
    assert_ne!(after.digest, before.digest);
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
    rig.sim.approve(&rig.key.clone());
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false]);
}

#[test]
fn a_policy_that_asks_for_it_once_routes_are_being_removed_changes_nothing_for_that_loss() {
    for before in [StaleRules::Flag, StaleRules::Ignore] {
        let mut rig = near(|policy| policy.stale_rules = before);
        let ours = refer_both_ways(&mut rig);
        rig.sim.world.deny(PROD, EU, Action::DeleteRoute);
        rig.lose();
        until_begun(&mut rig);
        set_policy(&mut rig.sim, "near", |policy| policy.stale_rules = StaleRules::Revoke);
        rig.sim.run_s(120);
        rig.sim.world.allow(PROD, EU, Action::DeleteRoute);
        rig.until_state(State::Released);
        assert_eq!(are_there(&rig, &ours), [true, true, true]);
        let is_told = rig.memory().case.as_ref().is_some_and(|case| case.stale.is_some());
        assert_eq!(is_told, before == StaleRules::Flag);
    }
}

#[test]
fn a_policy_that_asks_for_it_no_more_stops_it() {
    let mut rig = near(|_| {});
    let ours = refer_both_ways(&mut rig);
    may_revoke(&mut rig, false);
    rig.lose();
    until_begun(&mut rig);
    set_policy(&mut rig.sim, "near", |policy| policy.stale_rules = StaleRules::Flag);
    may_revoke(&mut rig, true);
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
}

#[test]
fn what_can_no_more_be_read_is_not_called_revoked() {
    let mut rig = near(|_| {});
    let ours = refer_both_ways(&mut rig);
    may_revoke(&mut rig, false);
    rig.lose();
    until_begun(&mut rig);
    for account in [PROD, SHARED] {
        rig.sim.world.deny(account, EU, Action::DescribeStaleSecurityGroups);
    }
    may_revoke(&mut rig, true);
    rig.sim.run_s(300);
    assert_ne!(rig.sim.state(&rig.key), Some(State::Released));
    for account in [PROD, SHARED] {
        rig.sim.world.allow(account, EU, Action::DescribeStaleSecurityGroups);
    }
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false]);
}

#[test]
fn what_another_owner_tags_is_not_cleaned_up_after() {
    let mut rig = near(|_| {});
    let ours = refer_both_ways(&mut rig);
    let id = rig.id().to_string();
    for owner in [rig.a.owner(), rig.b.owner()] {
        rig.sim.world.tag(&owner, &id, &[(OwnerTag::KEY, "cluster-2/net/peering")]).unwrap();
    }
    rig.sim.run_s(90);
    rig.lose();
    rig.sim.run_s(300);
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
    assert!(rig.memory().case.as_ref().is_none_or(|case| case.stale.is_none()), "nor is it looked for");
}

fn until_begun(rig: &mut Rig) {
    let key = rig.key.clone();
    let is_begun = |sim: &crate::common::operator::Sim| {
        sim.memory(&key).episode.as_ref().is_some_and(|episode| episode.acted.is_some())
    };
    rig.sim.run_until("begun", 300, is_begun);
}

fn may_revoke(rig: &mut Rig, may: bool) {
    for account in [PROD, SHARED] {
        for action in [Action::RevokeSecurityGroupIngress, Action::RevokeSecurityGroupEgress] {
            match may {
                true => rig.sim.world.allow(account, EU, action),
                false => rig.sim.world.deny(account, EU, action),
            }
        }
    }
}

#[test]
fn a_revocation_whose_answer_is_lost_is_not_repeated_before_it_was_read() {
    for effect in [true, false] {
        let mut rig = near(|_| {});
        let (a, b) = (rig.a.clone(), rig.b.clone());
        let rule = refer(&mut rig, &a, &b, false, 443);
        rig.lose();
        let fault = if effect { ec2sim::Fault::TimeoutAfterEffect } else { ec2sim::Fault::ResetBeforeEffect };
        rig.sim.chance = Box::new(Script::new().fault(Action::RevokeSecurityGroupIngress, fault));
        rig.until_state(State::Released);
        assert!(!rules(&rig, &a).contains(&rule));
        let at = revoked_at(&rig);
        assert_eq!(at.len(), if effect { 1 } else { 2 }, "{at:?}");
        assert!(
            at.windows(2).all(|pair| pair[1] - pair[0] >= 30_000),
            "two readings lacked it first: {at:?}"
        );
    }
}

#[test]
fn what_may_not_be_read_is_not_concluded_to_be_nothing() {
    for stale_rules in [StaleRules::Revoke, StaleRules::Flag] {
        let mut rig = near(|policy| policy.stale_rules = stale_rules);
        let ours = refer_both_ways(&mut rig);
        rig.sim.world.deny(SHARED, EU, Action::DescribeStaleSecurityGroups);
        rig.lose();
        rig.sim.run_s(300);
        if stale_rules == StaleRules::Flag {
            assert_eq!(rig.sim.state(&rig.key), Some(State::Released), "who only tells does not wait");
            continue;
        }
        assert_eq!((revocations(&rig), rig.sim.done(Action::DeleteRoute)), (0, 0), "the plan is not known");
        assert_eq!(rig.sim.state(&rig.key), Some(State::Lost));
        rig.sim.assert_says(&rig.key, ConditionType::Reconciling, Truth::True, Reason::AccessDenied);
        rig.sim.world.allow(SHARED, EU, Action::DescribeStaleSecurityGroups);
        rig.until_state(State::Released);
        assert_eq!(are_there(&rig, &ours), [false, false, false]);
    }
}

#[test]
fn a_hold_holds_rules_too() {
    let mut rig = near(|_| {});
    let ours = refer_both_ways(&mut rig);
    let a = rig.a.clone();
    let tags = [(HOLD_TAG_KEY.to_owned(), "change freeze".to_owned())].into();
    let tag = Request::CreateTags { resources: vec![a.vpc.to_string()], tags };
    rig.sim.world.call(&a.owner(), tag, &mut Calm).unwrap();
    rig.lose();
    rig.sim.run_s(300);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::Held));
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
    let untag = vec![(HOLD_TAG_KEY.to_owned(), None)];
    let untag = Request::DeleteTags { resources: vec![a.vpc.to_string()], tags: untag };
    rig.sim.world.call(&a.owner(), untag, &mut Calm).unwrap();
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false]);
}

#[test]
fn what_somebodys_new_peering_healed_is_not_touched() {
    let mut rig = near(|policy| policy.approval = Some(peerkeeper_core::limits::Level::Policy));
    let ours = refer_both_ways(&mut rig);
    rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let id = rig.sim.world.request_peering(&a.vpc, &b.vpc).unwrap();
    let accept = Request::AcceptVpcPeeringConnection { peering_id: id.to_string() };
    rig.sim.world.call(&b.owner(), accept, &mut Calm).unwrap();
    // Approved though it is: the world is another by now.
    rig.sim.approve(&rig.key.clone());
    rig.until_ready();
    assert_eq!(are_there(&rig, &ours), [true, true, true]);
    assert_eq!(revocations(&rig), 0);
}

#[test]
fn more_than_memory_names_are_revoked_all_the_same() {
    let mut rig = near(|_| {});
    let (a, b) = (rig.a.clone(), rig.b.clone());
    for port in 0..55 {
        refer(&mut rig, &a, &b, false, 1000 + port);
        refer(&mut rig, &a, &b, true, 1000 + port);
    }
    let before = rules(&rig, &a).len();
    let lost = rig.lose();
    rig.until_state(State::Released);
    let told = told(&rig, lost);
    let stale = told.stale.expect("they are told");
    assert_eq!((stale.total, stale.rules.len()), (110, 100));
    assert_eq!(rules(&rig, &a).len(), before - 110);
}

#[test]
fn across_regions_there_are_none_to_look_for() {
    let mut rig = ready_with("remove", |_| {});
    set_policy(&mut rig.sim, "remove", |policy| policy.stale_rules = StaleRules::Revoke);
    for (account, region) in [(PROD, EU), (SHARED, VA)] {
        rig.sim.world.deny(account, region, Action::DescribeStaleSecurityGroups);
    }
    rig.lose();
    rig.until_state(State::Released);
}

#[test]
fn an_authorized_deletion_is_cleaned_up_with_its_rules() {
    use peerkeeper_core::principal::{Principal, Who};
    use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Issuer, TrailEvent};
    use peerkeeper_core::witness::{Asked, Witness};
    let mut rig = near(|policy| {
        policy.action = LossAction::Restore;
        policy.authorized = Arc::from([Principal {
            accounts: [SHARED.parse().unwrap()].into(),
            who: Who::Role { path: "/".into(), name: "admin".into() },
            require_mfa: false,
            source_identity: None,
        }]);
    });
    let ours = refer_both_ways(&mut rig);
    let lost = rig.lose();
    let account = SHARED.parse().unwrap();
    let issuer = Issuer {
        arn: format!("arn:aws:iam::{SHARED}:role/admin").into(),
        account,
        path: "/".into(),
        name: "admin".into(),
    };
    let event = TrailEvent {
        id: "e-1".into(),
        at: rig.sim.now().wall,
        place: peerkeeper_core::ids::AccountRegion { account, region: EU.parse().unwrap() },
        call: Call::DeletePeering(lost),
        actor: Actor {
            kind: ActorKind::AssumedRole,
            account: Some(account),
            issuer: Some(issuer),
            ..Actor::default()
        },
        heard: Heard::History,
        request_id: "r-1".into(),
        record: "{}".into(),
    };
    let witness = Witness { events: vec![Arc::new(event)], history: Sides::from_fn(|_| Asked::NotYet) };
    rig.sim.cluster.witness.insert(rig.key.clone(), witness);
    rig.sim.hint(&rig.key.clone());
    rig.until_state(State::Released);
    assert_eq!(are_there(&rig, &ours), [false, false, false]);
    assert_eq!((rig.target(Side::Requester), rig.target(Side::Accepter)), (None, None));
}
