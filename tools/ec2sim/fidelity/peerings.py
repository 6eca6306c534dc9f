"""Peerings: how they live and end, and who may do what with them."""

from lab import (
    IRELAND, VIRGINIA, Refused, accept, delete, described, message, peer, reject, request, scenario, status, tag, tags,
    vpc,
)
from sources import (
    ACCEPTING, CAPTURED, CODES, CONNECTION, DELETING, FAILED_IS_FINAL, LIFECYCLE, LIMITATIONS, MOTO_ERRORS,
    MOTO_PEERINGS, NOT_ACTIVE, OTHERS_OPTIONS, OTHER_REGIONS_OPTIONS, PEERING_DNS, PEERING_QUOTAS, PEER_INFO,
    REJECTED_IS_FINAL, REJECTING, SAME_REQUEST, TAGS, TWINS, VPC_BLOCKS, VPC_IN_USE, WHY_FAILED, WRONG_REGION, api,
)

FAILED_TEXT = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
UNKNOWN, MALFORMED = "pcx-0123456789abcdef0", "pcx-xyz"
CREATE = api("CreateVpcPeeringConnection")
NO_DNS = {"AllowDnsResolutionFromRemoteVpc": False}
DNS = {"AllowDnsResolutionFromRemoteVpc": True}


class Pair:
    """Two VPCs, in two accounts and Regions unless said otherwise, and a request from `us` to `them`."""

    def __init__(self, on, region=VIRGINIA, same_account=False, blocks=("10.1.0.0/16", "10.2.0.0/16"), people=None):
        self.region = region
        self.us, self.them = people or (on.account("us"), None if same_account else on.account("them"))
        self.them = self.them or self.us
        self.ours, self.theirs = on.ec2(self.us), on.ec2(self.them, region)
        self.a, self.b = vpc(self.ours, blocks[0]), vpc(self.theirs, blocks[1])

    def ask(self, **more):
        return request(self.ours, self.a, self.b, PeerOwnerId=self.them, PeerRegion=self.region, **more)

    def join(self):
        peering = self.ask()
        accept(self.theirs, peering)
        return peering


def of_sides(ec2, peering, member):
    """What the requester's and the accepter's side show of it."""
    it = described(ec2, peering)
    return [it.get(f"{side}VpcInfo", {}).get(member) for side in ("Requester", "Accepter")]


def block_sets(ec2, peering):
    return [[block["CidrBlock"] for block in held or []] for held in of_sides(ec2, peering, "CidrBlockSet")]


@scenario
def life(on):
    """A peering's life, across accounts and Regions"""
    pair = Pair(on)
    ours, theirs = pair.ours, pair.theirs
    ours.associate_vpc_cidr_block(VpcId=pair.a, CidrBlock="10.3.0.0/16")
    asked = ours.create_vpc_peering_connection(
        VpcId=pair.a, PeerVpcId=pair.b, PeerOwnerId=pair.them, PeerRegion=VIRGINIA)["VpcPeeringConnection"]
    peering = asked["VpcPeeringConnectionId"]
    status_asked = {"Code": "initiating-request", "Message": "Initiating Request to <them>"}
    on.see("the answer to a request: status", CAPTURED, status_asked, lambda: asked["Status"])
    on.see("the answer to a request: the requester's block", CAPTURED, "10.1.0.0/16",
           lambda: asked["RequesterVpcInfo"].get("CidrBlock", "none"))
    on.see("the answer to a request: the accepter's block", CAPTURED, "none",
           lambda: asked["AccepterVpcInfo"].get("CidrBlock", "none"))
    for who, ec2 in ("its requester", ours), ("its accepter", theirs):
        on.see(f"a request, seen by {who}", LIFECYCLE, "pending-acceptance", lambda: status(ec2, peering))
    on.see("a request's message", MOTO_PEERINGS, "Pending Acceptance by <them>", lambda: message(ours, peering))
    on.see("CidrBlock of both sides of a request", PEER_INFO, [None, None],
           lambda: of_sides(ours, peering, "CidrBlock"))
    on.see("a request has an ExpirationTime", CONNECTION, True, lambda: "ExpirationTime" in described(ours, peering))
    on.see("Region of both sides", PEER_INFO, [IRELAND, VIRGINIA], lambda: of_sides(ours, peering, "Region"))
    on.see("an acceptance", ACCEPTING, "done", lambda: accept(theirs, peering))
    for who, ec2 in ("its requester", ours), ("its accepter", theirs):
        on.see(f"an accepted one, seen by {who}", LIFECYCLE, "active", lambda: status(ec2, peering))
    on.see("an active one's message", CAPTURED, "Active", lambda: message(ours, peering))
    on.see("CidrBlock of both sides of an active one", PEER_INFO, ["10.1.0.0/16", "10.2.0.0/16"],
           lambda: of_sides(theirs, peering, "CidrBlock"))
    on.see("CidrBlockSet of both sides of an active one", PEER_INFO, [["10.1.0.0/16", "10.3.0.0/16"], ["10.2.0.0/16"]],
           lambda: block_sets(theirs, peering))
    on.see("an active one has an ExpirationTime", CONNECTION, False,
           lambda: "ExpirationTime" in described(ours, peering))
    on.see("a deletion by the accepter", DELETING, {"Return": True}, lambda: {
        "Return": delete(theirs, peering).get("Return")})
    on.see("a deleted one, seen by its requester", LIFECYCLE, "deleted", lambda: status(ours, peering))
    on.see("a deleted one's message", MOTO_PEERINGS, "Deleted by <them>", lambda: message(ours, peering))
    on.see("CidrBlock of both sides of a deleted one", PEER_INFO, [None, None],
           lambda: of_sides(ours, peering, "CidrBlock"))
    on.see("a deleted one is accepted", DELETING, Refused("InvalidStateTransition"), lambda: accept(theirs, peering))
    on.see("a deleted one is rejected", DELETING, Refused("InvalidStateTransition"), lambda: reject(theirs, peering))


@scenario
def who_may(on):
    """Who may accept, reject and delete, where and when"""
    pair = Pair(on)
    ours, theirs, there = pair.ours, pair.theirs, on.ec2(pair.them)
    peering = pair.ask()
    on.see("a stranger looks at it", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"), lambda: status(
        on.ec2(on.account("stranger")), peering))
    on.see("its requester accepts", MOTO_ERRORS, Refused(
        "OperationNotPermitted", "User (<us>) cannot accept peering pcx-..."), lambda: accept(ours, peering))
    wrong = (f"Incorrect region ({IRELAND}) specified for this request. VPC peering connection pcx-... must be "
             f"accepted in region {VIRGINIA}")
    on.see("its accepter accepts in another Region", WRONG_REGION, Refused("OperationNotPermitted", wrong),
           lambda: accept(there, peering))
    on.see("its requester rejects", MOTO_ERRORS, Refused("OperationNotPermitted"), lambda: reject(ours, peering))
    on.see("its accepter deletes the request", DELETING, Refused("InvalidStateTransition"),
           lambda: delete(theirs, peering))
    other = Pair(on, people=(pair.us, pair.them), blocks=("10.11.0.0/16", "10.12.0.0/16"))
    peering = other.ask()
    on.see("its requester deletes the request", DELETING, "done", lambda: delete(ours, peering))
    on.see("a deleted request, seen by its accepter", LIFECYCLE, "deleted", lambda: status(theirs, peering))
    on.see("its message", MOTO_PEERINGS, "Deleted by <us>", lambda: message(theirs, peering))
    peering = other.ask()
    on.see("its accepter rejects", REJECTING, "done", lambda: reject(theirs, peering))
    on.see("a rejected request, seen by its requester", LIFECYCLE, "rejected", lambda: status(ours, peering))
    on.see("a rejected one is accepted", LIFECYCLE, Refused("InvalidStateTransition"), lambda: accept(theirs, peering))
    text = "Invalid state transition for pcx-..., attempted to transition from rejected to deleting"
    on.see("a rejected one is deleted", REJECTED_IS_FINAL, Refused("InvalidStateTransition", text),
           lambda: delete(ours, peering))
    peering = other.join()
    on.see("an active one is rejected", api("RejectVpcPeeringConnection"), Refused("InvalidStateTransition"),
           lambda: reject(theirs, peering))
    on.see("an active one is accepted again", api("AcceptVpcPeeringConnection"), Refused("InvalidStateTransition"),
           lambda: accept(theirs, peering))
    on.see("an active one is deleted by its requester", DELETING, "done", lambda: delete(ours, peering))


@scenario
def requests_that_fail(on):
    """Requests that can't come to anything"""
    us, them = on.account("us"), on.account("them")
    ours, theirs = on.ec2(us), on.ec2(them, VIRGINIA)
    a, same, second = vpc(ours, "10.1.0.0/16"), vpc(ours, "10.1.128.0/17"), vpc(ours, "10.2.0.0/16")
    ours.associate_vpc_cidr_block(VpcId=second, CidrBlock="10.1.64.0/20")
    far = vpc(theirs, "10.9.0.0/16")

    def ends(probe, source, **to):
        """The status in which such a request is seen, and the request."""
        made = []

        def ask():
            asked = ours.create_vpc_peering_connection(VpcId=a, **to)
            made.append(asked["VpcPeeringConnection"]["VpcPeeringConnectionId"])
            return status(ours, made[0])

        on.see(probe, source, "failed", ask)
        return (made or [UNKNOWN])[0]

    failed = ends("blocks overlap", LIMITATIONS, PeerVpcId=same)
    on.see("its message", WHY_FAILED, FAILED_TEXT, lambda: message(ours, failed))
    ends("a secondary block overlaps", LIMITATIONS, PeerVpcId=second)
    ends("there is no such VPC", LIFECYCLE, PeerVpcId="vpc-0123456789abcdef0")
    ends("the VPC is another account's", LIFECYCLE, PeerVpcId=far, PeerOwnerId=us, PeerRegion=VIRGINIA)
    ends("the Region is forgotten", LIFECYCLE, PeerVpcId=far, PeerOwnerId=them)
    on.see("a failed one is accepted", LIFECYCLE, Refused("InvalidStateTransition"), lambda: accept(ours, failed))
    on.see("a failed one is rejected", LIFECYCLE, Refused("InvalidStateTransition"), lambda: reject(ours, failed))
    text = "Invalid state transition for pcx-..., attempted to transition from failed to deleting"
    on.see("a failed one is deleted", FAILED_IS_FINAL, Refused("InvalidStateTransition", text),
           lambda: delete(ours, failed))
    on.see("from a VPC that is not there", CODES, Refused("InvalidVpcID.NotFound"),
           lambda: request(ours, "vpc-0123456789abcdef0", a))
    on.see("from a VPC whose id is none", CODES, Refused("InvalidVpcID.Malformed"), lambda: request(ours, "vpc-xyz", a))
    on.see("from another account's VPC", CODES, Refused("InvalidVpcID.NotFound"), lambda: request(ours, far, a))


@scenario
def quotas_of_peerings(on):
    """How many requests may wait at once, and what is taken for granted"""
    ours = on.ec2(on.account("us"))
    hub = vpc(ours, "10.0.0.0/16")
    near = request(ours, hub, vpc(ours, "10.1.0.0/16"))
    on.see("whose the accepter is where nothing is said", CREATE, ["<us>", "<us>"],
           lambda: of_sides(ours, near, "OwnerId"))
    on.see("in which Region it is where nothing is said", CREATE, [IRELAND, IRELAND],
           lambda: of_sides(ours, near, "Region"))
    for block in range(2, 26):
        request(ours, hub, vpc(ours, f"10.{block}.0.0/16"))
    last = vpc(ours, "10.26.0.0/16")
    on.see("a request beside 25 that wait", PEERING_QUOTAS, Refused("OutstandingVpcPeeringConnectionLimitExceeded"),
           lambda: request(ours, hub, last))
    accept(ours, near)
    on.see("a request when one of them is accepted", PEERING_QUOTAS, "pcx-...", lambda: request(ours, hub, last))


@scenario
def duplicates(on):
    """The same pair twice"""
    pair = Pair(on)
    first = pair.ask()

    def again(ask):
        return "the same" if ask() == first else "another"

    def back():
        return request(pair.theirs, pair.b, pair.a, PeerOwnerId=pair.us, PeerRegion=IRELAND)

    on.see("the same request again", SAME_REQUEST, "the same", lambda: again(pair.ask))
    on.see("the reversed request", TWINS, "another", lambda: again(back))
    one, twin = (pair.ask(), back())
    accept(pair.theirs, one)
    on.see("the same request while it is active", SAME_REQUEST, "the same",
           lambda: "the same" if pair.ask() == one else "another")
    text = "The vpc peering connection identified by pcx-... already exists."
    on.see("the twin of an active one is accepted", TWINS, Refused("VpcPeeringConnectionAlreadyExists", text),
           lambda: accept(pair.ours, twin))
    delete(pair.ours, one)
    on.see("the same request after a deletion", LIFECYCLE, "another",
           lambda: "the same" if pair.ask() == one else "another")


@scenario
def tombstones(on):
    """What is over vanishes, for each side in its time"""
    pair = Pair(on)
    ours, theirs = pair.ours, pair.theirs
    gone = Refused("InvalidVpcPeeringConnectionID.NotFound")

    def after(ec2, peering, **span):
        on.pass_time(**span or {"hours": 0})
        return status(ec2, peering)

    peering = pair.join()
    delete(theirs, peering)
    on.see("deleted, two hours later, to who deleted it", LIFECYCLE, gone, lambda: after(theirs, peering, hours=2))
    on.see("deleted, two hours later, to the other", LIFECYCLE, "deleted", lambda: after(ours, peering))
    on.see("deleted, two days later, to the other", LIFECYCLE, gone, lambda: after(ours, peering, hours=46))
    peering = pair.ask()
    reject(theirs, peering)
    on.see("rejected, two hours later, to the accepter", LIFECYCLE, gone, lambda: after(theirs, peering, hours=2))
    on.see("rejected, two hours later, to the requester", LIFECYCLE, "rejected", lambda: after(ours, peering))
    on.see("rejected, two days later, to the requester", LIFECYCLE, gone, lambda: after(ours, peering, hours=46))
    peering = pair.ask()
    on.see("not answered for seven days", LIFECYCLE, "expired", lambda: after(theirs, peering, days=7))
    on.see("an expired one is accepted", LIFECYCLE, Refused("InvalidStateTransition"), lambda: (
        after(theirs, peering), accept(theirs, peering))[1])
    on.see("expired, two days later, to the requester", LIFECYCLE, gone, lambda: after(ours, peering, days=2))
    on.see("expired, two days later, to the accepter", LIFECYCLE, gone, lambda: after(theirs, peering))
    near = Pair(on, region=IRELAND, people=(pair.us, pair.us), blocks=("10.4.0.0/16", "10.5.0.0/16"))
    peering = near.join()
    delete(ours, peering)
    on.see("deleted within one account, two hours later", LIFECYCLE, gone, lambda: after(ours, peering, hours=2))
    near = Pair(on, region=IRELAND, people=(pair.us, pair.us), blocks=("10.6.0.0/16", "10.6.0.0/17"))
    failed = near.ask()
    on.see("failed, two hours later", LIFECYCLE, gone, lambda: after(ours, failed, hours=2))


@scenario
def tags_of_peerings(on):
    """Tags, each account's and Region's own"""
    pair = Pair(on)
    ours, theirs = pair.ours, pair.theirs
    both = [{"ResourceType": "vpc-peering-connection", "Tags": tag("team", "network")}]
    peering = pair.ask(TagSpecifications=both)
    on.see("the requester's tags, seen by the requester", LIMITATIONS, {"team": "network"},
           lambda: tags(described(ours, peering)))
    on.see("the requester's tags, seen by the accepter", LIMITATIONS, {}, lambda: tags(described(theirs, peering)))
    on.see("the accepter tags it", LIMITATIONS, "done",
           lambda: theirs.create_tags(Resources=[peering], Tags=tag("by", "accepter")))
    on.see("the accepter's tags, seen by the accepter", LIMITATIONS, {"by": "accepter"},
           lambda: tags(described(theirs, peering)))
    on.see("the accepter's tags, seen by the requester", LIMITATIONS, {"team": "network"},
           lambda: tags(described(ours, peering)))
    ours.delete_tags(Resources=[peering], Tags=[{"Key": "team"}])
    on.see("a tag is taken off", api("DeleteTags"), {}, lambda: tags(described(ours, peering)))
    far = Pair(on, people=(pair.us, pair.us), blocks=("10.4.0.0/16", "10.5.0.0/16"))
    peering = far.ask(TagSpecifications=both)
    on.see("one account's tags in the other Region", LIMITATIONS, {}, lambda: tags(described(far.theirs, peering)))
    on.see("a tag whose key begins with aws:", TAGS, Refused(), lambda: ours.create_tags(
        Resources=[peering], Tags=tag("aws:mine", "x")))


def options(ec2, peering, side):
    of_side = described(ec2, peering).get(f"{side}VpcInfo", {}).get("PeeringOptions", {})
    return of_side.get("AllowDnsResolutionFromRemoteVpc", "none")


@scenario
def dns_options(on):
    """DNS resolution across a peering"""
    pair = Pair(on)
    ours, theirs, there = pair.ours, pair.theirs, on.ec2(pair.them)

    def modify(ec2, peering, **sides):
        return ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=peering, **{
            f"{side.title()}PeeringConnectionOptions": wanted for side, wanted in sides.items()})

    peering = pair.ask()
    text = "Peering pcx-... is not active. Peering options can be added only to active peerings."
    on.see("set on a request", NOT_ACTIVE, Refused("OperationNotPermitted", text),
           lambda: modify(ours, peering, requester=NO_DNS))
    accept(theirs, peering)
    on.see("set where DNS hostnames are off", CODES, Refused(
        "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled"), lambda: modify(ours, peering, requester=DNS))
    for ec2, vpc_id in (ours, pair.a), (theirs, pair.b):
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    text = "User <us> does not have permission to modify the accepter side peering options"
    on.see("the requester sets the accepter's", OTHERS_OPTIONS, Refused("OperationNotPermitted", text),
           lambda: modify(ours, peering, accepter=DNS))
    on.see("the requester sets its own", PEERING_DNS, {**DNS}, lambda: {
        name: value for name, value in modify(ours, peering, requester=DNS)["RequesterPeeringConnectionOptions"].items()
        if name in DNS})
    on.see("it shows", PEERING_DNS, True, lambda: options(ours, peering, "Requester"))
    on.see("the accepter's is as it was", PEERING_DNS, False, lambda: options(theirs, peering, "Accepter"))
    far = Pair(on, people=(pair.us, pair.us), blocks=("10.4.0.0/16", "10.5.0.0/16"))
    across = far.join()
    text = "Requester's VPC Peering connection options cannot be modified for a different region"
    on.see("the requester's is set in the accepter's Region", OTHER_REGIONS_OPTIONS, Refused(
        "OperationNotPermitted", text), lambda: modify(far.theirs, across, requester=NO_DNS))
    delete(ours, peering)
    on.see("on a deleted one", NOT_ACTIVE, Refused("OperationNotPermitted"),
           lambda: modify(ours, peering, requester=NO_DNS))
    anew = pair.join()
    on.see("on the next peering of the pair", PEERING_DNS, False, lambda: options(ours, anew, "Requester"))
    on.see("on a peering that is not there", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"),
           lambda: modify(there, UNKNOWN, accepter=NO_DNS))


@scenario
def peered_vpcs(on):
    """VPCs that are peered"""
    pair = Pair(on)
    ours, theirs = pair.ours, pair.theirs

    def add(ec2, vpc_id, block):
        return ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=block)

    peering = pair.ask()
    on.see("a VPC with a request from another account is deleted", DELETING, Refused("DependencyViolation"),
           lambda: theirs.delete_vpc(VpcId=pair.b))
    pair = Pair(on, people=(pair.us, pair.them))
    peering = pair.ask()
    on.see("the requester adds a block while the request waits", VPC_BLOCKS, Refused(),
           lambda: add(ours, pair.a, "10.3.0.0/16"))
    on.see("the accepter adds a block that overlaps the requester's", VPC_BLOCKS, "failed", lambda: (
        add(theirs, pair.b, "10.1.128.0/17"), status(ours, peering))[1])
    pair = Pair(on, people=(pair.us, pair.them), blocks=("10.1.0.0/16", "10.2.0.0/16"))
    peering = pair.join()
    on.see("a VPC with an active peering is deleted", VPC_IN_USE, Refused("DependencyViolation"),
           lambda: ours.delete_vpc(VpcId=pair.a))
    pair = Pair(on, people=(pair.us, pair.them))
    peering = pair.join()
    on.see("a peered VPC is given a block that overlaps the peer's", VPC_BLOCKS, Refused(),
           lambda: add(ours, pair.a, "10.2.128.0/17"))
    on.see("a peered VPC is given another block", VPC_BLOCKS, "done", lambda: add(ours, pair.a, "10.8.0.0/16"))
    on.see("the peer sees it", PEER_INFO, ["10.1.0.0/16", "10.8.0.0/16"], lambda: block_sets(theirs, peering)[0])
    delete(ours, peering)
    on.see("a VPC whose peering is deleted is deleted", DELETING, "done", lambda: ours.delete_vpc(VpcId=pair.a))


@scenario
def dry_runs_of_peerings(on):
    """DryRun, which changes nothing"""
    us = on.account("us")
    ours = on.ec2(us)
    a, b = vpc(ours, "10.1.0.0/16"), vpc(ours, "10.2.0.0/16")
    would = Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")

    def count():
        return len(ours.describe_vpc_peering_connections()["VpcPeeringConnections"])

    on.see("a request", CODES, would, lambda: ours.create_vpc_peering_connection(VpcId=a, PeerVpcId=b, DryRun=True))
    on.see("what came of it", CODES, 0, count)
    pending = request(ours, a, b)
    on.see("an acceptance", CODES, would, lambda: ours.accept_vpc_peering_connection(
        VpcPeeringConnectionId=pending, DryRun=True))
    on.see("what came of the acceptance", CODES, "pending-acceptance", lambda: status(ours, pending))
    active = peer(ours, a, vpc(ours, "10.3.0.0/16"))
    on.see("a deletion", CODES, would, lambda: ours.delete_vpc_peering_connection(
        VpcPeeringConnectionId=active, DryRun=True))
    on.see("what came of the deletion", CODES, "active", lambda: status(ours, active))
    on.see("of what would be refused", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"),
           lambda: ours.delete_vpc_peering_connection(VpcPeeringConnectionId=UNKNOWN, DryRun=True))


@scenario
def ids_of_peerings(on):
    """Ids that lead nowhere, and ids that are none"""
    ours = on.ec2(on.account("us"))
    calls = {
        "describe": lambda peering: status(ours, peering),
        "accept": lambda peering: accept(ours, peering),
        "reject": lambda peering: reject(ours, peering),
        "delete": lambda peering: delete(ours, peering),
        "set options": lambda peering: ours.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=peering, RequesterPeeringConnectionOptions=NO_DNS),
    }
    for name, call in calls.items():
        on.see(f"{name}: unknown", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"), lambda: call(UNKNOWN))
        on.see(f"{name}: malformed", CODES, Refused("InvalidVpcPeeringConnectionId.Malformed"), lambda: call(MALFORMED))
