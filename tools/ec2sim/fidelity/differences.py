"""Where moto is known to do otherwise than AWS, and the page that says so."""

from pathlib import Path

from lab import SCENARIOS

PAGE = Path(__file__).resolve().parents[3] / "ec2sim" / "DIFFERENCES.md"

# What moto is seen to do, by scenario and probe. What AWS does there, and the source, is with the probe.
MOTO = {
    "life": {
        "the answer to a request: the accepter's block": "10.2.0.0/16",
        "CidrBlock of both sides of a request": '["10.1.0.0/16", "10.2.0.0/16"]',
        "a request has an ExpirationTime": "false",
        "CidrBlockSet of both sides of an active one": "[[], []]",
        "CidrBlock of both sides of a deleted one": '["10.1.0.0/16", "10.2.0.0/16"]',
    },
    "who-may": {
        "a stranger looks at it": "not there",
        "its accepter accepts in another Region": (
            "refused: InvalidVpcPeeringConnectionId.NotFound: VpcPeeringConnectionID pcx-... does not exist."
        ),
        "its accepter deletes the request": "done",
        "a rejected one is deleted": "done",
    },
    "requests-that-fail": {
        "blocks overlap": "pending-acceptance",
        "its message": "Pending Acceptance by <us>",
        "a secondary block overlaps": "pending-acceptance",
        "there is no such VPC": "refused: InvalidVpcID.NotFound",
        "the VPC is another account's": "refused: InvalidVpcID.NotFound",
        "the Region is forgotten": "refused: InvalidVpcID.NotFound",
        "a failed one is accepted": "done",
        "a failed one is deleted": "done",
        "from a VPC whose id is none": "refused: InvalidVpcID.NotFound",
    },
    "quotas-of-peerings": {
        "a request beside 25 that wait": "pcx-...",
    },
    "duplicates": {
        "the same request again": "another",
        "the same request while it is active": "another",
        "the twin of an active one is accepted": "done",
    },
    "tombstones": {
        "deleted, two hours later, to who deleted it": "no clock to move",
        "deleted, two hours later, to the other": "no clock to move",
        "deleted, two days later, to the other": "no clock to move",
        "rejected, two hours later, to the accepter": "no clock to move",
        "rejected, two hours later, to the requester": "no clock to move",
        "rejected, two days later, to the requester": "no clock to move",
        "not answered for seven days": "no clock to move",
        "an expired one is accepted": "no clock to move",
        "expired, two days later, to the requester": "no clock to move",
        "expired, two days later, to the accepter": "no clock to move",
        "deleted within one account, two hours later": "no clock to move",
        "failed, two hours later": "no clock to move",
    },
    "tags-of-peerings": {
        "the requester's tags, seen by the accepter": '{"team": "network"}',
        "the accepter's tags, seen by the accepter": '{"team": "network"}',
        "one account's tags in the other Region": '{"team": "network"}',
        "a tag whose key begins with aws:": "done",
    },
    "dns-options": {
        "set on a request": "done",
        "set where DNS hostnames are off": "done",
        "the requester sets the accepter's": "done",
        "the accepter's is as it was": "true",
        "the requester's is set in the accepter's Region": "done",
        "on a deleted one": "done",
        "on a peering that is not there": "refused: InvalidVpcPeeringConnectionId.NotFound",
    },
    "peered-vpcs": {
        "a VPC with a request from another account is deleted": "done",
        "the requester adds a block while the request waits": "done",
        "the accepter adds a block that overlaps the requester's": "pending-acceptance",
        "a VPC with an active peering is deleted": "done",
        "a peered VPC is given a block that overlaps the peer's": "done",
        "the peer sees it": "[]",
    },
    "dry-runs-of-peerings": {
        "a request": "done",
        "what came of it": "1",
        "an acceptance": "done",
        "what came of the acceptance": "active",
        "a deletion": "done",
        "what came of the deletion": "deleted",
        "of what would be refused": "refused: InvalidVpcPeeringConnectionId.NotFound",
    },
    "ids-of-peerings": {
        "describe: unknown": "not there",
        "describe: malformed": "not there",
        "accept: unknown": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "accept: malformed": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "reject: unknown": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "reject: malformed": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "delete: unknown": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "delete: malformed": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "set options: unknown": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "set options: malformed": "refused: InvalidVpcPeeringConnectionId.NotFound",
    },
    "filters-of-peerings": {
        "status-code is active": '["active", "deleted", "pending", "rejected"]',
        "status-code is active or deleted": '["active", "deleted", "pending", "rejected"]',
        "status-message is Active": '["active", "deleted", "pending", "rejected"]',
        "requester-vpc-info.vpc-id is vpc-...": '["active", "deleted", "pending", "rejected"]',
        "accepter-vpc-info.vpc-id is vpc-...": '["active", "deleted", "pending", "rejected"]',
        "accepter-vpc-info.owner-id is <them>": '["active", "deleted", "pending", "rejected"]',
        "requester-vpc-info.cidr-block is 10.1.0.0/16": '["active", "deleted", "pending", "rejected"]',
        "accepter-vpc-info.cidr-block is 10.2.0.0/16": '["active", "deleted", "pending", "rejected"]',
        "vpc-peering-connection-id is pcx-...": '["active", "deleted", "pending", "rejected"]',
        "tag:team is network": '["active", "deleted", "pending", "rejected"]',
        "tag-key is team": '["active", "deleted", "pending", "rejected"]',
        "status-code is *ed": '["active", "deleted", "pending", "rejected"]',
        "status-code is active and accepter-vpc-info.vpc-id is vpc-...": (
            '["active", "deleted", "pending", "rejected"]'
        ),
        "a filter that AWS does not know": '["active", "deleted", "pending", "rejected"]',
        "the other account filters by its own tags": "1",
        "an id that a filter excludes": "1",
    },
    "pages-of-peerings": {
        "a page of at most five": "false",
        "there is another one": "false",
        "MaxResults of 4": "6",
        "MaxResults of 1001": "6",
        "a token that AWS never gave": "6",
        "one id that is there and one that is not": "1",
    },
    "blackholes": {
        "its state": "active",
        "the peering is deleted": "active",
        "tables found by it": "HTTP 500",
        "a new peering of the same VPCs is active": "active",
    },
    "new-routes": {
        "how it is kept": "false",
        "what the table then shows": (
            '{"10.1.0.0/16": "local", "10.9.3.1/18": "peering", "2001:db8:1::/48": "peering", "pl-...": '
            '"peering"}'
        ),
        "a destination that is there already: IPv6": "done",
        "a destination that is there already: a prefix list": "done",
        "more routes than the table may hold": "done",
    },
    "refused-routes": {
        "a peering that is not there": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "a peering whose id is none": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "a table whose id is none": "refused: InvalidRouteTableID.NotFound",
        "a peering of other VPCs": "done",
        "a destination inside the VPC": "done",
        "a prefix list that is not there": "done",
        "no destination": "done",
        "two destinations": "done",
        "no target": "done",
        "what is left of all this": (
            '{"10.1.0.0/16": "local", "10.1.4.0/24": "peering", "10.3.0.0/16": "elsewhere", "10.5.0.0/16": '
            '"peering", "10.6.0.0/16": "elsewhere", "no destination": "peering"}'
        ),
        "a dry run": "done",
        "what came of it": "active",
    },
    "changed-routes": {
        "replaced to lead to a peering that is not there": "refused: InvalidVpcPeeringConnectionId.NotFound",
        "replaced to lead to a peering of other VPCs": "done",
        "a route is deleted in a dry run": "done",
        "what came of the dry run": "false",
        "the local route is deleted": "done",
    },
    "filters-of-tables": {
        "route.destination-ipv6-cidr-block": "HTTP 500",
        "route.destination-prefix-list-id": "HTTP 500",
        "route.origin": "HTTP 500",
        "route.state": "HTTP 500",
        "route.gateway-id": "false",
        "a filter that AWS does not know": "HTTP 500",
    },
    "pages-of-tables": {
        "a page of at most five": "false",
        "there is another one": "false",
        "MaxResults of 4": "10",
        "MaxResults of 101": "10",
        "a malformed id": "refused: InvalidRouteTableID.NotFound",
    },
    "tables-and-their-vpc": {
        "the main table is deleted": "done",
        "the main table is disassociated": "refused: InvalidAssociationID.NotFound",
        "the subnet is tied to a second table": "done",
        "a route over a peering in a gateway's table": "done",
        "the same table asked for twice by one ClientToken": "2",
    },
    "groups-across-peerings": {
        "without a peering": "done",
        "while the peering waits to be accepted": "done",
        "how the rule names it": '{"PeeringStatus": null, "VpcPeeringConnectionId": null}',
        "stale rules while the peering is active": "HTTP 500",
        "who names the peer's group": "HTTP 500",
        "PeeringStatus when the peering is deleted": "none",
        "stale groups when the peering is deleted": "HTTP 500",
        "stale groups on the other side": "HTTP 500",
        "PeeringStatus on a new peering of the VPCs": "none",
        "stale groups then": "HTTP 500",
        "the rule by itself": '[{"GroupId": "sg-...", "PeeringStatus": null}]',
        "stale groups of a VPC that is not there": "HTTP 500",
    },
    "groups-across-accounts": {
        "in the same Region": "refused: InvalidGroup.NotFound",
        "whose it is": "[]",
        "PeeringStatus when they delete the peering": "no rule",
        "stale groups then": "HTTP 500",
    },
    "history": {
        "deletions, where they were called": "HTTP 500",
        "deletions, in the caller's other Region": "HTTP 500",
        "deletions, in the other owner's account": "HTTP 500",
        "what a record says of its place": "HTTP 500",
        "parameters of a deletion": "HTTP 500",
        "the answer to a deletion": "HTTP 500",
        "what else is said": "HTTP 500",
        "which peering it is": "HTTP 500",
        "a call that was refused": "HTTP 500",
        "the answer to one that was refused": "HTTP 500",
        "the answer to an acceptance": "HTTP 500",
        "three lookups in a second": "HTTP 500",
    },
    "events": {
        "calls that it tells: the deletion, and not the refused rejection": "[]",
        "members of the message": "[]",
        "whose call it was, and where": "[]",
        "resources of the event": "[]",
        "which peering is gone": "[]",
    },
    "waiting-and-batches": {
        "another account sends": "refused: AWS.SimpleQueueService.NonExistentQueue",
    },
    "roles": {
        "an account that the role does not trust": "done",
        "an external id is wanted, and none is told": "done",
        "an external id is wanted, and another is told": "done",
        "a role that is not there": "done",
        "a session of less than 15 minutes": "done",
        "a session longer than the role's longest": "done",
        "an ARN that is none": "done",
        "a session name that is none": "done",
        "for more than an hour": "done",
    },
    "sessions": {
        "the key with another's token": "2",
        "an hour later": "no clock to move",
    },
}

LISTED = {(scenario, probe): seen for scenario, probes in MOTO.items() for probe, seen in probes.items()}


def entry(seen):
    """The line that lists it."""
    return f"{seen.probe!r}: {seen.got!r},  # in {seen.scenario}"


HEAD = """\
# Where ec2sim and moto differ, and what AWS does

Written by `make fidelity WRITE=1`, and checked by every `make test`: boto3 asks both servers the same {probes} questions
about peerings, routes, security groups, events, queues and roles. ec2sim answers each as AWS does. moto {version} does at
{alike}; the other {listed} are below. Lag, transient states, EC2's throttling and faults are left out: ec2sim has them on
request ([what it models](README.md#what-it-models)), moto has none.

A source is AWS's documentation or service model (D), somebody's published observation on AWS (O), or what moto's
authors wrote down as AWS's text (M). `refused` without a code: no source names it. `HTTP 500`: moto does not implement
it, or stumbles. `no clock to move`: moto's time can't be moved, so what comes with time never comes.
"""


def page(seen, version):
    alike = sum(one.is_aws for one in seen)
    parts = [HEAD.format(probes=len(seen), version=version, alike=alike, listed=len(seen) - alike)]
    for name, look in SCENARIOS.items():
        rows = [row(one) for one in seen if one.scenario == name and not one.is_aws]
        if rows:
            title = look.__doc__.strip()
            head = [f"\n## {title}\n", "| | AWS and ec2sim | moto | source |", "|---|---|---|---|"]
            parts.append("\n".join([*head, *rows, ""]))
    return "".join(parts)


def row(seen):
    probe, aws, got = (text.replace("|", "\\|") for text in (seen.probe, code(seen.aws), code(seen.got)))
    return f"| {probe} | {aws} | {got} | {seen.source.markdown()} |"


def code(text):
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def publish(seen, version, write):
    """How many faults: one if the page is not what this run would write."""
    wanted = page(seen, version)
    if write:
        PAGE.write_text(wanted)
        print(f"  wrote {PAGE}")
        return 0
    if PAGE.exists() and PAGE.read_text() == wanted:
        return 0
    print(f"\nFAILED: {PAGE} is not what this run saw: write it anew with `make fidelity WRITE=1`")
    return 1
