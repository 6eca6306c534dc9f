//! Security-group rules that a peering left stale, on the simulated EC2 over the real SDK.

use std::collections::BTreeSet;
use std::sync::Arc;

use ec2sim::{Action, AuthorizeRules, Calm, Request, RuleEndSpec, RuleSpec, World};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::observed::{Reading, StaleRule, Unseen, View};
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::testing::rule_proof;
use peerkeeper_core::write::{OursBecause, Outcome, Write};

use super::direct::{self, Line};
use super::world::{PROD, Rig, eu, prod_in_eu, rig};
use crate::aws::NarrowNeeds;

fn authorize(world: &mut World, at: &ec2sim::VpcId, is_egress: bool, spec: RuleSpec) {
    let group_id = world.default_group(at).unwrap().to_string();
    let rules = AuthorizeRules { group_id, rules: vec![spec], ..AuthorizeRules::default() };
    let request = match is_egress {
        true => Request::AuthorizeSecurityGroupEgress(rules),
        false => Request::AuthorizeSecurityGroupIngress(rules),
    };
    world.as_human(PROD, "eu-west-1", request).unwrap();
}

/// Peers two VPCs, has the first's default group refer to the other's both ways, and deletes the peering.
pub fn leave_stale(world: &mut World, at: &ec2sim::VpcId, peer: &ec2sim::VpcId) {
    let id = world.peer(at, peer).unwrap();
    let end = || RuleEndSpec::group(world_group(world, peer));
    let specs =
        [(false, RuleSpec::tcp(443, end())), (false, RuleSpec::tcp(22, end())), (true, RuleSpec::all(end()))];
    for (is_egress, spec) in specs {
        authorize(world, at, is_egress, spec);
    }
    world.delete_peering_as(PROD, "eu-west-1", &id).unwrap();
}

fn world_group(world: &World, vpc: &ec2sim::VpcId) -> String {
    world.default_group(vpc).unwrap().to_string()
}

async fn read(rig: &Rig, vpcs: &[&ec2sim::VpcId]) -> View<StaleRule> {
    let stale_rules_of = vpcs.iter().map(direct::text).collect();
    let needs = NarrowNeeds { stale_rules_of, ..NarrowNeeds::default() };
    rig.aws.reader().read_narrow("prod", eu(), needs).await.stale_rules
}

fn truth(rig: &Rig, vpc: &ec2sim::VpcId) -> Vec<Arc<StaleRule>> {
    rig.world.with_world(|world| {
        let mut line = Line { world, chance: &mut Calm, reversed: false };
        line.stale_rules(prod_in_eu(), direct::text(vpc)).unwrap().iter().cloned().collect()
    })
}

fn shown(reading: &Reading<StaleRule>) -> Vec<Arc<StaleRule>> {
    reading.iter().cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_read_with_the_rules_ids_and_nothing_else() {
    let rig = rig().await;
    let other = rig.world.with_world(|world| {
        let other = world.create_vpc(PROD, "eu-west-1", "10.91.0.0/16").unwrap();
        let live = world.create_vpc(PROD, "eu-west-1", "10.92.0.0/16").unwrap();
        leave_stale(world, &rig.a, &rig.b);
        leave_stale(world, &rig.a, &other);
        // Beside them: a rule over a live peering, and plain ones.
        world.peer(&rig.a, &live).unwrap();
        let end = RuleEndSpec::group(world_group(world, &live));
        authorize(world, &rig.a, false, RuleSpec::tcp(443, end));
        authorize(world, &rig.a, false, RuleSpec::tcp(443, RuleEndSpec::Cidr("10.2.0.0/16".into())));
        other
    });
    let view = read(&rig, &[&rig.a, &rig.b]).await;
    let reading = view.narrow.expect("a reading");
    assert_eq!(reading.len(), 6);
    assert_eq!(shown(&reading), truth(&rig, &rig.a));
    for vpc in [&rig.a, &rig.b] {
        assert!(reading.covers_group(direct::text(vpc)), "it is complete for both");
    }
    assert!(!reading.covers_group(direct::text(&other)));
    let of: BTreeSet<_> = reading.iter().map(|rule| (rule.peer_vpc, rule.is_egress)).collect();
    assert_eq!(of.len(), 4, "of both peerings, both ways: {of:?}");
    assert_eq!(
        rig.world.count("DescribeSecurityGroupRules"),
        1,
        "where nothing is stale no rules are asked for"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_vpc_that_is_not_there_nothing_is_said_and_the_others_are_read() {
    let rig = rig().await;
    rig.world.with_world(|world| leave_stale(world, &rig.a, &rig.b));
    let gone = "vpc-00000000000000bad".parse().unwrap();
    let stale_rules_of = [gone, direct::text(&rig.a)].into();
    let needs = NarrowNeeds { stale_rules_of, ..NarrowNeeds::default() };
    let view = rig.aws.reader().read_narrow("prod", eu(), needs).await.stale_rules;
    let reading = view.narrow.expect("a reading");
    assert!(!reading.covers_group(gone));
    assert_eq!(reading.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_said_and_is_no_empty_reading() {
    for action in [Action::DescribeStaleSecurityGroups, Action::DescribeSecurityGroupRules] {
        let rig = rig().await;
        rig.world.with_world(|world| {
            leave_stale(world, &rig.a, &rig.b);
            world.deny(PROD, "eu-west-1", action);
        });
        let view = read(&rig, &[&rig.a]).await;
        assert!(view.narrow.is_none());
        let expected = Unseen::Denied { call: action.name().into(), code: "UnauthorizedOperation".into() };
        assert_eq!(view.unseen, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_revoked_by_its_id_alone_in_its_own_direction() {
    let rig = rig().await;
    rig.world.with_world(|world| leave_stale(world, &rig.a, &rig.b));
    rig.aws.verify("prod").await.unwrap();
    let all = truth(&rig, &rig.a);
    for (at, rule) in all.iter().enumerate() {
        let StaleRule { id, group, vpc, is_egress, via, .. } = **rule;
        let proof = rule_proof(Mono(0), OursBecause::RefersOverTheLost);
        let write = Write::RevokeRule { rule: id, group, vpc, is_egress, via, proof };
        assert_eq!(rig.send(write.clone()).await, Outcome::Done(None));
        assert_eq!(truth(&rig, &rig.a), all[at + 1..]);
        match rig.send(write).await {
            Outcome::Refused(refusal) => assert_eq!(refusal.kind(), RefusalKind::Moved, "{refusal}"),
            other => panic!("{other:?}"),
        }
    }
}
