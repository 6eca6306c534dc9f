"""What DescribeVpcPeeringConnections lists."""

from lab import Refused, accept, by, delete, described, peer, reject, request, scenario, status, tag, vpc
from sources import CODES, UNKNOWN_FILTER, api

DESCRIBE = api("DescribeVpcPeeringConnections")


def listed(ec2, **query):
    return ec2.describe_vpc_peering_connections(**query)["VpcPeeringConnections"]


@scenario
def filters_of_peerings(on):
    """Filters of DescribeVpcPeeringConnections"""
    us, them = on.account("us"), on.account("them")
    ours, theirs = on.ec2(us), on.ec2(them)
    a, b, c, d = (vpc(ours, f"10.{block}.0.0/16") for block in (1, 2, 3, 4))
    far = vpc(theirs, "10.5.0.0/16")
    active, deleted, rejected = peer(ours, a, b), peer(ours, b, c), request(ours, c, d)
    delete(ours, deleted)
    reject(ours, rejected)
    pending = request(ours, d, far, PeerOwnerId=them)
    ours.create_tags(Resources=[active], Tags=tag("team", "network"))
    names = {active: "active", deleted: "deleted", rejected: "rejected", pending: "pending"}

    def found(*filters):
        asked = [{"Name": name, "Values": list(values)} for name, *values in filters]
        return sorted(names[one["VpcPeeringConnectionId"]] for one in listed(ours, Filters=asked))

    for filters, aws in [
        ([("status-code", "active")], ["active"]),
        ([("status-code", "active", "deleted")], ["active", "deleted"]),
        ([("status-message", "Active")], ["active"]),
        ([("requester-vpc-info.vpc-id", a)], ["active"]),
        ([("accepter-vpc-info.vpc-id", c)], ["deleted"]),
        ([("requester-vpc-info.owner-id", us)], ["active", "deleted", "pending", "rejected"]),
        ([("accepter-vpc-info.owner-id", them)], ["pending"]),
        ([("requester-vpc-info.cidr-block", "10.1.0.0/16")], ["active"]),
        ([("accepter-vpc-info.cidr-block", "10.2.0.0/16")], ["active"]),
        ([("vpc-peering-connection-id", pending)], ["pending"]),
        ([("tag:team", "network")], ["active"]),
        ([("tag-key", "team")], ["active"]),
        ([("status-code", "*ed")], ["deleted", "rejected"]),
        ([("status-code", "active"), ("accepter-vpc-info.vpc-id", c)], []),
    ]:
        said = " and ".join(f"{name} is {' or '.join(on.plain(values))}" for name, *values in filters)
        on.see(said, DESCRIBE, aws, lambda: found(*filters))
    on.see("a filter that AWS does not know", UNKNOWN_FILTER, Refused(
        "InvalidParameterValue", "The filter 'colour' is invalid"), lambda: found(("colour", "red")))
    on.see("the other account filters by its own tags", DESCRIBE, 0, lambda: len(
        listed(theirs, Filters=by("tag-key", "team"))))
    on.see("an id that a filter excludes", DESCRIBE, 0, lambda: len(
        listed(ours, VpcPeeringConnectionIds=[active], Filters=by("status-code", "deleted"))))
    on.see("in another Region", DESCRIBE, 0, lambda: len(listed(on.ec2(us, "ap-south-1"))))
    on.see("what other accounts have", DESCRIBE, 1, lambda: len(listed(theirs)))


@scenario
def pages_of_peerings(on):
    """Pages of DescribeVpcPeeringConnections"""
    ours = on.ec2(on.account("us"))
    hub = vpc(ours, "10.0.0.0/16")
    made = [request(ours, hub, vpc(ours, f"10.{block}.0.0/16")) for block in range(1, 7)]
    first = ours.describe_vpc_peering_connections(MaxResults=5)
    on.see("a page of at most five", DESCRIBE, True, lambda: len(first["VpcPeeringConnections"]) <= 5)
    on.see("there is another one", DESCRIBE, True, lambda: "NextToken" in first)

    def all_pages():
        pages = ours.get_paginator("describe_vpc_peering_connections").paginate(PaginationConfig={"PageSize": 5})
        ids = [one["VpcPeeringConnectionId"] for page in pages for one in page["VpcPeeringConnections"]]
        return sorted(ids) == sorted(made)

    on.see("all pages together show each once", DESCRIBE, True, all_pages)
    wrong = Refused("InvalidParameterValue")
    for most in 4, 1001:
        on.see(f"MaxResults of {most}", DESCRIBE, wrong, lambda: len(listed(ours, MaxResults=most)))
    on.see("a token that AWS never gave", CODES, Refused("InvalidNextToken"),
           lambda: len(listed(ours, NextToken="rubbish")))
    on.see("one id that is there and one that is not", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"),
           lambda: len(listed(ours, VpcPeeringConnectionIds=[made[0], "pcx-0123456789abcdef0"])))


@scenario
def both_sides_see_it(on):
    """One peering as each side is shown it"""
    us, them = on.account("us"), on.account("them")
    ours, theirs = on.ec2(us), on.ec2(them)
    peering = request(ours, vpc(ours, "10.1.0.0/16"), vpc(theirs, "10.2.0.0/16"), PeerOwnerId=them)
    accept(theirs, peering)
    for who, ec2 in ("requester", ours), ("accepter", theirs):
        on.see(f"owners, seen by the {who}", DESCRIBE, ["<us>", "<them>"], lambda: [
            described(ec2, peering)[side]["OwnerId"] for side in ("RequesterVpcInfo", "AccepterVpcInfo")])
    delete(ours, peering)
    on.see("deleted by one, seen by the other", DESCRIBE, "deleted", lambda: status(theirs, peering))
