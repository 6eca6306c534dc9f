//! Security groups and their rules over the wire.

use ec2sim::World;

use crate::client::{Client, EU, US, client, each, first};

const THEM: &str = "444455556666";

fn vpc(world: &mut World, who: &Client, cidr: &str) -> String {
    first(&who.done(world, "CreateVpc", &[("CidrBlock", cidr)]), "vpcId")
}

fn group(world: &mut World, who: &Client, vpc: &str, name: &str) -> String {
    let asked = [("VpcId", vpc), ("GroupName", name), ("GroupDescription", "for tests")];
    first(&who.done(world, "CreateSecurityGroup", &asked), "groupId")
}

/// The elements between one opening and the last closing tag of this name, with what is in them.
fn whole(xml: &str, name: &str) -> String {
    let start = xml.find(&format!("<{name}>")).unwrap_or_else(|| panic!("no <{name}> in {xml}"));
    let end = xml.rfind(&format!("</{name}>")).unwrap();
    xml[start..end].to_owned()
}

#[test]
fn a_group_and_its_rules_live_their_lives_over_the_wire() {
    let (mut world, us) = (World::new(), client(US, EU));
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let web = group(&mut world, &us, &vpc, "web");
    let rules = [
        ("GroupId", web.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "443"),
        ("IpPermissions.1.ToPort", "443"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "10.2.0.0/16"),
        ("IpPermissions.1.IpRanges.1.Description", "the peer"),
        ("IpPermissions.1.IpRanges.2.CidrIp", "10.3.0.0/16"),
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "2001:db8::/32"),
        ("IpPermissions.2.IpProtocol", "-1"),
        ("IpPermissions.2.Groups.1.GroupId", web.as_str()),
        ("TagSpecification.1.ResourceType", "security-group-rule"),
        ("TagSpecification.1.Tag.1.Key", "team"),
        ("TagSpecification.1.Tag.1.Value", "net"),
    ];
    let added = us.done(&mut world, "AuthorizeSecurityGroupIngress", &rules);
    assert_eq!(first(&added, "return"), "true");
    let ids = each(&added, "securityGroupRuleId");
    assert_eq!(ids.len(), 4, "one for each range and group");
    assert_eq!(each(&added, "cidrIpv4"), ["10.2.0.0/16", "10.3.0.0/16"]);
    assert_eq!(each(&added, "fromPort"), ["443", "443", "443", "-1"]);
    assert_eq!(each(&added, "value"), ["net"; 4]);
    assert_eq!(
        us.refused(&mut world, "AuthorizeSecurityGroupIngress", &rules).1,
        "InvalidPermission.Duplicate"
    );

    let shown = us.done(&mut world, "DescribeSecurityGroups", &[("GroupId.1", &web)]);
    let ingress = whole(&shown, "ipPermissions");
    assert_eq!(each(&ingress, "ipProtocol"), ["-1", "tcp"], "one permission for each protocol and ports");
    assert_eq!(each(&ingress, "cidrIp"), ["10.2.0.0/16", "10.3.0.0/16"]);
    assert_eq!(each(&ingress, "fromPort"), ["443"], "all traffic has no ports");
    assert_eq!(each(&ingress, "description"), ["the peer"]);
    assert_eq!(each(&whole(&shown, "ipPermissionsEgress"), "cidrIp"), ["0.0.0.0/0"]);
    assert_eq!(first(&shown, "groupDescription"), "for tests");

    let moved = [
        ("GroupId", web.as_str()),
        ("SecurityGroupRule.1.SecurityGroupRuleId", &ids[0]),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"),
        ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "8443"),
        ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "8443"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "10.2.0.0/16"),
    ];
    us.done(&mut world, "ModifySecurityGroupRules", &moved);
    let anew = [
        ("GroupId", web.as_str()),
        ("SecurityGroupRuleDescription.1.SecurityGroupRuleId", &ids[1]),
        ("SecurityGroupRuleDescription.1.Description", "said later"),
    ];
    us.done(&mut world, "UpdateSecurityGroupRuleDescriptionsIngress", &anew);
    let found = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", web.as_str())];
    let seen = us.done(&mut world, "DescribeSecurityGroupRules", &found);
    assert!(each(&seen, "fromPort").contains(&"8443".to_owned()));
    assert_eq!(each(&seen, "description"), ["said later"], "what a change doesn't say goes");

    let by_id = [("GroupId", web.as_str()), ("SecurityGroupRuleId.1", &ids[0])];
    let revoked = us.done(&mut world, "RevokeSecurityGroupIngress", &by_id);
    assert_eq!(each(&revoked, "securityGroupRuleId"), [ids[0].clone()]);
    assert_eq!(
        us.refused(&mut world, "RevokeSecurityGroupIngress", &by_id).1,
        "InvalidSecurityGroupRuleId.NotFound"
    );
    let by_words = [
        ("GroupId", web.as_str()),
        ("IpProtocol", "tcp"),
        ("FromPort", "443"),
        ("ToPort", "443"),
        ("CidrIp", "10.3.0.0/16"),
    ];
    us.done(&mut world, "RevokeSecurityGroupIngress", &by_words);
    assert_eq!(
        us.refused(&mut world, "RevokeSecurityGroupIngress", &by_words).1,
        "InvalidPermission.NotFound"
    );
    let gone = us.done(&mut world, "DeleteSecurityGroup", &[("GroupId", &web)]);
    assert_eq!((first(&gone, "return"), first(&gone, "groupId")), ("true".into(), web));
}

#[test]
fn odd_rules_are_refused_and_nothing_is_half_done() {
    let (mut world, us) = (World::new(), client(US, EU));
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let web = group(&mut world, &us, &vpc, "web");
    let refused = |world: &mut World, members: &[(&str, &str)]| {
        let mut all = vec![("GroupId", web.as_str())];
        all.extend(members);
        us.refused(world, "AuthorizeSecurityGroupIngress", &all).1
    };
    let permission = [("IpPermissions.1.IpProtocol", "tcp"), ("IpPermissions.1.FromPort", "1")];
    assert_eq!(refused(&mut world, &permission), "MissingParameter", "no range");
    assert_eq!(refused(&mut world, &[]), "MissingParameter");
    let huge = [
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "99999999999"),
        ("IpPermissions.1.ToPort", "1"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"),
    ];
    assert_eq!(refused(&mut world, &huge), "InvalidParameterValue");
    let by_name = [("SourceSecurityGroupName", "default")];
    assert_eq!(refused(&mut world, &by_name), "UnsupportedOperation");
    assert_eq!(
        us.refused(&mut world, "DescribeSecurityGroups", &[("GroupName.1", "web")]).1,
        "InvalidGroup.NotFound"
    );
    let two_ends = [
        ("GroupId", web.as_str()),
        ("SecurityGroupRule.1.SecurityGroupRuleId", "sgr-0123456789abcdef0"),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "-1"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "10.2.0.0/16"),
        ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv6", "::/0"),
    ];
    assert_eq!(us.refused(&mut world, "ModifySecurityGroupRules", &two_ends).1, "InvalidParameterValue");
    let shown = us.done(&mut world, "DescribeSecurityGroups", &[("GroupId.1", &web)]);
    assert!(
        shown.contains("<ipPermissions/>") || shown.contains("<ipPermissions></ipPermissions>"),
        "{shown}"
    );
}

struct Peered {
    world: World,
    us: Client,
    them: Client,
    vpc: String,
    ours: String,
    theirs: String,
    peering: String,
}

fn peer(world: &mut World, us: &Client, them: &Client, a: &str, b: &str) -> String {
    let asked = [("VpcId", a), ("PeerVpcId", b), ("PeerOwnerId", THEM)];
    let id = first(&us.done(world, "CreateVpcPeeringConnection", &asked), "vpcPeeringConnectionId");
    them.done(world, "AcceptVpcPeeringConnection", &[("VpcPeeringConnectionId", &id)]);
    id
}

/// Our group lets theirs in, over a peering.
fn peered() -> Peered {
    let (mut world, us, them) = (World::new(), client(US, EU), client(THEM, EU));
    let (a, b) = (vpc(&mut world, &us, "10.1.0.0/16"), vpc(&mut world, &them, "10.2.0.0/16"));
    let (ours, theirs) = (group(&mut world, &us, &a, "ours"), group(&mut world, &them, &b, "theirs"));
    let rule = [
        ("GroupId", ours.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "443"),
        ("IpPermissions.1.ToPort", "443"),
        ("IpPermissions.1.Groups.1.UserId", THEM),
        ("IpPermissions.1.Groups.1.GroupId", theirs.as_str()),
    ];
    let early = us.refused(&mut world, "AuthorizeSecurityGroupIngress", &rule);
    assert_eq!(early.1, "InvalidGroup.NotFound");
    let peering = peer(&mut world, &us, &them, &a, &b);
    us.done(&mut world, "AuthorizeSecurityGroupIngress", &rule);
    Peered { world, us, them, vpc: a, ours, theirs, peering }
}

#[test]
fn a_rule_over_a_peering_shows_it_goes_stale_and_heals() {
    let Peered { mut world, us, them, vpc, ours, theirs, peering } = peered();
    let by_group = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", ours.as_str())];
    let rules = us.done(&mut world, "DescribeSecurityGroupRules", &by_group);
    let info = first(&rules, "referencedGroupInfo");
    assert_eq!((first(&info, "groupId"), first(&info, "userId")), (theirs.clone(), THEM.into()));
    assert_eq!(
        (first(&info, "vpcPeeringConnectionId"), first(&info, "peeringStatus")),
        (peering.clone(), "active".into())
    );
    let who = them.done(&mut world, "DescribeSecurityGroupReferences", &[("GroupId.1", &theirs)]);
    assert_eq!(
        (first(&who, "referencingVpcId"), first(&who, "vpcPeeringConnectionId")),
        (vpc.clone(), peering.clone())
    );
    let stale = |world: &mut World| us.done(world, "DescribeStaleSecurityGroups", &[("VpcId", &vpc)]);
    assert_eq!(each(&stale(&mut world), "groupId"), [""; 0]);

    them.done(&mut world, "DeleteVpcPeeringConnection", &[("VpcPeeringConnectionId", &peering)]);
    let seen = stale(&mut world);
    assert_eq!(each(&seen, "groupId"), [ours.clone(), theirs.clone()], "the group and whom it names");
    assert_eq!(
        (first(&seen, "peeringStatus"), first(&seen, "vpcPeeringConnectionId")),
        ("deleted".into(), peering)
    );

    let peer_vpc = first(&them.done(&mut world, "DescribeVpcs", &[]), "vpcId");
    let again = peer(&mut world, &us, &them, &vpc, &peer_vpc);
    assert_eq!(each(&stale(&mut world), "groupId"), [""; 0]);
    let groups = us.done(&mut world, "DescribeSecurityGroups", &[("GroupId.1", &ours)]);
    assert_eq!(
        (first(&groups, "peeringStatus"), first(&groups, "vpcPeeringConnectionId")),
        ("active".into(), again)
    );
}

#[test]
fn a_rule_that_names_a_peers_group_is_modified_without_naming_its_owner() {
    let Peered { mut world, us, ours, theirs, .. } = peered();
    let of_nobody = [
        ("GroupId", ours.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.Groups.1.UserId", US),
        ("IpPermissions.1.Groups.1.GroupId", theirs.as_str()),
    ];
    let refused = us.refused(&mut world, "AuthorizeSecurityGroupIngress", &of_nobody);
    assert_eq!(refused.1, "InvalidGroup.NotFound", "it is not ours");
    let by_group = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", ours.as_str())];
    let rules = us.done(&mut world, "DescribeSecurityGroupRules", &by_group);
    let rule = each(&rules, "item").into_iter().find(|rule| rule.contains(&theirs)).unwrap();
    let id = first(&rule, "securityGroupRuleId");
    let moved = [
        ("GroupId", ours.as_str()),
        ("SecurityGroupRule.1.SecurityGroupRuleId", &id),
        ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp"),
        ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "8443"),
        ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "8443"),
        ("SecurityGroupRule.1.SecurityGroupRule.ReferencedGroupId", theirs.as_str()),
    ];
    us.done(&mut world, "ModifySecurityGroupRules", &moved);
    let rules = us.done(&mut world, "DescribeSecurityGroupRules", &[("SecurityGroupRuleId.1", &id)]);
    assert_eq!((first(&rules, "fromPort"), first(&rules, "userId")), ("8443".into(), THEM.into()));
}

#[test]
fn tags_of_networks_are_described_with_their_kind() {
    let (mut world, us) = (World::new(), client(US, EU));
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let web = group(&mut world, &us, &vpc, "web");
    us.done(
        &mut world,
        "CreateTags",
        &[("ResourceId.1", &web), ("Tag.1.Key", "team"), ("Tag.1.Value", "net")],
    );
    let by_kind = [("Filter.1.Name", "resource-type"), ("Filter.1.Value.1", "security-group")];
    let tags = us.done(&mut world, "DescribeTags", &by_kind);
    assert_eq!((first(&tags, "resourceId"), first(&tags, "key")), (web, "team".into()));
}
