//! Rules that name a group of a peer VPC: allowed over an active peering, stale without it, healed by the next.

use ec2sim::{
    Describe, GroupId, GroupView, PeeringId, PeeringStatus, ReferencedGroup, Request, RuleEnd, RuleEndSpec,
    RuleSpec, VpcId,
};

use crate::rig::*;
use crate::security_groups::{allow, made, net, revoke};

struct Pair {
    rig: Rig,
    /// Their VPC in our Region.
    near: VpcId,
    ours: GroupId,
    theirs: GroupId,
    peering: PeeringId,
}

/// Our group in `a` and their group in a VPC of the same Region, peered.
fn pair() -> Pair {
    let mut rig = rig();
    let a = rig.a.clone();
    let near = rig.world.create_vpc(THEM, EU, "10.5.0.0/16").unwrap();
    let (ours, theirs) = (made(&mut rig, &a, "ours"), made(&mut rig, &near, "theirs"));
    let peering = rig.world.peer(&a, &near).unwrap();
    Pair { rig, near, ours, theirs, peering }
}

impl Pair {
    fn spec(&self) -> RuleSpec {
        RuleSpec::tcp(443, RuleEndSpec::group_of(THEM, &self.theirs))
    }

    fn reference(&mut self) -> ReferencedGroup {
        let us = self.rig.us.clone();
        let query = Request::DescribeSecurityGroups(Describe::ids([&self.ours]));
        let group = self.rig.ask(&us, query).unwrap().groups().unwrap().items.remove(0);
        let mut ends = group.rules.into_iter().filter(|rule| !rule.is_egress).map(|rule| rule.end);
        match ends.next() {
            Some(RuleEnd::Group(group)) => group,
            other => panic!("a rule that names a group, not {other:?}"),
        }
    }

    fn stale(&mut self) -> Vec<GroupView> {
        let us = self.rig.us.clone();
        let vpc_id = (&self.rig.a).into();
        let query = Request::DescribeStaleSecurityGroups { vpc_id, max_results: None, next_token: None };
        let page = self.rig.ask(&us, query).unwrap().stale_groups().unwrap();
        page.items.into_iter().map(|group| group.0).collect()
    }
}

#[test]
fn a_peers_group_is_named_over_an_active_peering_only() {
    let mut pair = pair();
    let us = pair.rig.us.clone();
    let spec = pair.spec();
    let wrong_owner = RuleSpec::tcp(443, RuleEndSpec::group_of(US, &pair.theirs));
    let (code, text) = pair.rig.refused(&us, allow(&pair.ours, [wrong_owner]));
    assert_eq!(
        (code, text),
        ("InvalidGroup.NotFound", format!("The security group '{}' does not exist", pair.theirs))
    );
    pair.rig.world.force_peering(&pair.peering, PeeringStatus::PendingAcceptance);
    let (code, text) = pair.rig.refused(&us, allow(&pair.ours, [spec.clone()]));
    assert_eq!(code, "InvalidGroup.NotFound");
    assert_eq!(text, "You have specified two resources that belong to different networks.");
    pair.rig.world.force_peering(&pair.peering, PeeringStatus::Active);
    pair.rig.ask(&us, allow(&pair.ours, [spec])).unwrap();
    let seen = pair.reference();
    assert_eq!(seen.vpc.as_ref(), Some(&pair.near));
    assert_eq!(seen.peering.as_ref(), Some(&pair.peering));
    assert_eq!(seen.peering_status, Some("active"));
    assert_eq!(seen.owner.as_ref().map(|owner| owner.as_str()), Some(THEM));
    assert!(pair.stale().is_empty());
    let without_owner = RuleSpec::tcp(444, RuleEndSpec::group(&pair.theirs));
    pair.rig.ask(&us, allow(&pair.ours, [without_owner])).unwrap();
}

#[test]
fn another_region_is_out_of_reach() {
    let mut pair = pair();
    let (us, b) = (pair.rig.us.clone(), pair.rig.b.clone());
    let far = made(&mut pair.rig, &b, "far");
    let a = pair.rig.a.clone();
    pair.rig.world.peer(&a, &b).unwrap();
    let spec = RuleSpec::tcp(443, RuleEndSpec::group_of(THEM, &far));
    assert_eq!(pair.rig.refused(&us, allow(&pair.ours, [spec])).0, "InvalidGroup.NotFound");
}

#[test]
fn a_rule_goes_stale_with_its_peering_and_heals_on_the_next() {
    let mut pair = pair();
    let us = pair.rig.us.clone();
    let spec = pair.spec();
    pair.rig.ask(&us, allow(&pair.ours, [spec, RuleSpec::tcp(22, net("10.5.0.0/16"))])).unwrap();
    pair.rig.world.delete_peering_as(THEM, EU, &pair.peering).unwrap();
    for wait in [0, 3 * DAY] {
        // With its tombstone, and after it.
        pair.rig.world.advance(pair.rig.world.now_ms() + wait);
        let seen = pair.reference();
        assert_eq!(seen.peering_status, Some("deleted"));
        assert_eq!(seen.peering.as_ref(), Some(&pair.peering));
        let stale = pair.stale();
        assert_eq!(stale.iter().map(|group| &group.id).collect::<Vec<_>>(), [&pair.ours]);
        assert_eq!(stale[0].rules.len(), 1, "rules by CIDR don't go stale");
    }
    let (near, a) = (pair.near.clone(), pair.rig.a.clone());
    let again = pair.rig.world.peer(&near, &a).unwrap();
    let seen = pair.reference();
    assert_eq!(seen.peering.as_ref(), Some(&again), "in whichever direction it was asked for");
    assert_eq!(seen.peering_status, Some("active"));
    assert!(pair.stale().is_empty());
    pair.rig.world.delete_peering_as(US, EU, &again).unwrap();
    assert_eq!(pair.reference().peering, Some(again), "the last one is remembered");
}

#[test]
fn a_stale_rule_is_revoked_as_any_other() {
    let mut pair = pair();
    let us = pair.rig.us.clone();
    let spec = pair.spec();
    pair.rig.ask(&us, allow(&pair.ours, [spec.clone()])).unwrap();
    pair.rig.world.delete_peering_as(THEM, EU, &pair.peering).unwrap();
    pair.rig.world.advance(3 * DAY);
    assert_eq!(pair.rig.refused(&us, allow(&pair.ours, [spec.clone()])).0, "InvalidGroup.NotFound");
    pair.rig.ask(&us, revoke(&pair.ours, [spec])).unwrap();
    assert!(pair.stale().is_empty());
}

#[test]
fn a_peer_may_delete_the_group_that_we_name() {
    let mut pair = pair();
    let us = pair.rig.us.clone();
    let spec = pair.spec();
    pair.rig.ask(&us, allow(&pair.ours, [spec])).unwrap();
    let theirs = Request::DeleteSecurityGroup { group_id: (&pair.theirs).into() };
    pair.rig.world.as_human(THEM, EU, theirs).unwrap();
    let seen = pair.reference();
    assert_eq!((seen.owner, seen.peering_status), (None, Some("active")));
    assert_eq!(pair.stale().len(), 1);
}

#[test]
fn the_peer_learns_who_names_its_group() {
    let mut pair = pair();
    let us = pair.rig.us.clone();
    let spec = pair.spec();
    let ask = |pair: &mut Pair| {
        let group_ids = vec![String::from(&pair.theirs)];
        let request = Request::DescribeSecurityGroupReferences { group_ids };
        pair.rig.world.as_human(THEM, EU, request).unwrap().group_references().unwrap()
    };
    assert!(ask(&mut pair).is_empty());
    pair.rig.ask(&us, allow(&pair.ours, [spec])).unwrap();
    let found = ask(&mut pair);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].referencing_vpc, &found[0].peering), (&pair.rig.a, &pair.peering));
    let foreign = Request::DescribeSecurityGroupReferences { group_ids: vec![(&pair.theirs).into()] };
    assert_eq!(pair.rig.refused(&us, foreign).0, "InvalidGroup.NotFound");
    pair.rig.world.delete_peering_as(THEM, EU, &pair.peering).unwrap();
    assert!(ask(&mut pair).is_empty());
}

#[test]
fn stale_groups_come_in_pages_bound_to_their_vpc() {
    let mut pair = pair();
    let (us, a) = (pair.rig.us.clone(), pair.rig.a.clone());
    let spec = pair.spec();
    for n in 0..7 {
        let group = made(&mut pair.rig, &a, &format!("g{n}"));
        pair.rig.ask(&us, allow(&group, [spec.clone()])).unwrap();
    }
    pair.rig.world.delete_peering_as(US, EU, &pair.peering).unwrap();
    let ask = |vpc: &VpcId, max_results, next_token| Request::DescribeStaleSecurityGroups {
        vpc_id: vpc.into(),
        max_results,
        next_token,
    };
    let page = pair.rig.ask(&us, ask(&a, Some(5), None)).unwrap().stale_groups().unwrap();
    assert_eq!(page.items.len(), 5);
    let token = page.next_token;
    let rest = pair.rig.ask(&us, ask(&a, Some(5), token.clone())).unwrap().stale_groups().unwrap();
    assert_eq!((rest.items.len(), rest.next_token), (2, None));
    let other = pair.rig.world.create_vpc(US, EU, "10.6.0.0/16").unwrap();
    assert_eq!(pair.rig.refused(&us, ask(&other, Some(5), token)).0, "InvalidNextToken");
    for bad in [4, 256] {
        assert_eq!(pair.rig.refused(&us, ask(&a, Some(bad), None)).0, "InvalidParameterValue");
    }
    let near = pair.near.clone();
    assert_eq!(pair.rig.refused(&us, ask(&near, None, None)).0, "InvalidVpcID.NotFound");
}
