"""Security groups that name groups of a peer VPC."""

from lab import IRELAND, VIRGINIA, Refused, accept, by, delete, peer, request, scenario, vpc
from sources import CODES, OTHER_NETWORKS_GROUP, PEERING_GROUPS, api

STALE, REFERENCES = api("DescribeStaleSecurityGroups"), api("DescribeSecurityGroupReferences")
RULES = api("DescribeSecurityGroupRules")


def group(ec2, vpc_id, name="web"):
    return ec2.create_security_group(GroupName=name, Description="for a test", VpcId=vpc_id)["GroupId"]


def permission(**of):
    return [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **of}]


def allow(ec2, group_id, *pairs):
    permissions = permission(UserIdGroupPairs=list(pairs))
    return ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions)


def pairs(ec2, group_id):
    """The groups that the rules name, as DescribeSecurityGroups shows them."""
    held = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]["IpPermissions"]
    return [pair for rule in held for pair in rule["UserIdGroupPairs"]]


def word(ec2, group_id):
    """PeeringStatus of the one rule that names a group."""
    found = pairs(ec2, group_id)
    return found[0].get("PeeringStatus", "none") if found else "no rule"


def stale(ec2, vpc_id):
    return len(ec2.describe_stale_security_groups(VpcId=vpc_id)["StaleSecurityGroupSet"])


@scenario
def groups_across_peerings(on):
    """Rules that name groups of a peer VPC"""
    us = on.account("us")
    ec2 = on.ec2(us)
    a, b = vpc(ec2, "10.1.0.0/16"), vpc(ec2, "10.2.0.0/16")
    ours, theirs = group(ec2, a), group(ec2, b)
    text = "You have specified two resources that belong to different networks."
    on.see("without a peering", OTHER_NETWORKS_GROUP, Refused("InvalidGroup.NotFound", text),
           lambda: allow(ec2, group(ec2, a, "early"), {"GroupId": theirs}))
    waiting = request(ec2, a, b)
    on.see("while the peering waits to be accepted", PEERING_GROUPS, Refused("InvalidGroup.NotFound"),
           lambda: allow(ec2, group(ec2, a, "soon"), {"GroupId": theirs}))
    accept(ec2, waiting)
    on.see("over an active peering", PEERING_GROUPS, "done", lambda: allow(ec2, ours, {"GroupId": theirs}))
    on.see("how the rule names it", PEERING_GROUPS, {"PeeringStatus": "active", "VpcPeeringConnectionId": "pcx-..."},
           lambda: {name: pairs(ec2, ours)[0].get(name) for name in ("PeeringStatus", "VpcPeeringConnectionId")})
    on.see("the same rule again", CODES, Refused("InvalidPermission.Duplicate"),
           lambda: allow(ec2, ours, {"GroupId": theirs}))
    on.see("stale rules while the peering is active", STALE, 0, lambda: stale(ec2, a))
    on.see("who names the peer's group", REFERENCES, ["vpc-..."], lambda: [
        found["ReferencingVpcId"]
        for found in ec2.describe_security_group_references(GroupId=[theirs])["SecurityGroupReferenceSet"]])
    delete(ec2, waiting)
    on.see("rules left when the peering is deleted", PEERING_GROUPS, 1, lambda: len(pairs(ec2, ours)))
    on.see("PeeringStatus when the peering is deleted", PEERING_GROUPS, "deleted", lambda: word(ec2, ours))
    on.see("stale groups when the peering is deleted", STALE, 1, lambda: stale(ec2, a))
    on.see("stale groups on the other side", STALE, 0, lambda: stale(ec2, b))
    peer(ec2, a, b)
    on.see("PeeringStatus on a new peering of the VPCs", PEERING_GROUPS, "active", lambda: word(ec2, ours))
    on.see("stale groups then", PEERING_GROUPS, 0, lambda: stale(ec2, a))
    rules = ec2.describe_security_group_rules(Filters=by("group-id", ours))["SecurityGroupRules"]
    incoming = [rule for rule in rules if not rule["IsEgress"]]
    on.see("the rule by itself", RULES, [{"GroupId": "sg-...", "PeeringStatus": "active"}], lambda: [
        {name: rule.get("ReferencedGroupInfo", {}).get(name) for name in ("GroupId", "PeeringStatus")}
        for rule in incoming])
    by_id = [rule["SecurityGroupRuleId"] for rule in incoming]
    on.see("the rule is revoked by its id", api("RevokeSecurityGroupIngress"), {"Return": True}, lambda: {
        "Return": ec2.revoke_security_group_ingress(GroupId=ours, SecurityGroupRuleIds=by_id)["Return"]})
    on.see("it is revoked again, as a permission", CODES, Refused("InvalidPermission.NotFound"),
           lambda: ec2.revoke_security_group_ingress(
               GroupId=ours, IpPermissions=permission(UserIdGroupPairs=[{"GroupId": theirs}])))
    on.see("stale groups of a VPC that is not there", CODES, Refused("InvalidVpcID.NotFound"),
           lambda: stale(ec2, "vpc-0123456789abcdef0"))


@scenario
def groups_across_accounts(on):
    """Rules that name groups of another account"""
    us, them = on.account("us"), on.account("them")
    ours, theirs, far = on.ec2(us), on.ec2(them), on.ec2(them, VIRGINIA)
    a, b, c = vpc(ours, "10.1.0.0/16"), vpc(theirs, "10.2.0.0/16"), vpc(far, "10.3.0.0/16")
    here, there, away = group(ours, a), group(theirs, b), group(far, c)
    peering = request(ours, a, b, PeerOwnerId=them, PeerRegion=IRELAND)
    accept(theirs, peering)
    accept(far, request(ours, a, c, PeerOwnerId=them, PeerRegion=VIRGINIA))
    on.see("in the same Region", PEERING_GROUPS, "done", lambda: allow(ours, here, {"GroupId": there, "UserId": them}))
    on.see("whose it is", PEERING_GROUPS, ["<them>"], lambda: [pair.get("UserId") for pair in pairs(ours, here)])
    on.see("in another Region", PEERING_GROUPS, Refused("InvalidGroup.NotFound"),
           lambda: allow(ours, here, {"GroupId": away, "UserId": them}))
    on.see("a group that is not there", CODES, Refused("InvalidGroup.NotFound"),
           lambda: allow(ours, here, {"GroupId": "sg-0123456789abcdef0", "UserId": them}))
    delete(theirs, peering)
    on.see("PeeringStatus when they delete the peering", PEERING_GROUPS, "deleted", lambda: word(ours, here))
    on.see("stale groups then", STALE, 1, lambda: stale(ours, a))
