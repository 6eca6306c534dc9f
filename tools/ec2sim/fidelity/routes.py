"""Routes: their states, and what AWS takes and refuses."""

from lab import Refused, accept, by, delete, peer, request, scenario, vpc
from sources import (
    CODES, LOCAL_ROUTE, MOTO_ERRORS, NO_DESTINATION, OTHER_NETWORK, OWN_BLOCK, PEERING_ROUTES, QUOTAS, ROUTE_TABLES,
    api,
)

CREATE, REPLACE, DELETE = api("CreateRoute"), api("ReplaceRoute"), api("DeleteRoute")
DESCRIBE, ROUTE = api("DescribeRouteTables"), api("Route")
NO_PEERING, NO_TABLE = "pcx-0123456789abcdef0", "rtb-0123456789abcdef0"
DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class Net:
    """A VPC of 10.1.0.0/16 with a table, and a neighbour of 10.2.0.0/16 that is peered with it."""

    def __init__(self, on):
        self.us = on.account("us")
        self.ec2 = on.ec2(self.us)
        self.a, self.b = vpc(self.ec2, "10.1.0.0/16"), vpc(self.ec2, "10.2.0.0/16")
        self.peering = peer(self.ec2, self.a, self.b)
        self.table = self.new_table()

    def new_table(self, **more):
        return self.ec2.create_route_table(VpcId=self.a, **more)["RouteTable"]["RouteTableId"]

    def create(self, block="10.2.0.0/16", to=None, table=None, **more):
        return self.ec2.create_route(RouteTableId=table or self.table, **destination(block),
                                     VpcPeeringConnectionId=to or self.peering, **more)

    def replace(self, block, to=None, **more):
        return self.ec2.replace_route(RouteTableId=self.table, **destination(block),
                                      VpcPeeringConnectionId=to or self.peering, **more)

    def drop(self, block, **more):
        return self.ec2.delete_route(RouteTableId=self.table, **destination(block), **more)

    def prefix_list(self, name, entries, family="IPv4"):
        made = self.ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=entries, AddressFamily=family)
        return made["PrefixList"]["PrefixListId"]

    def routes(self, table=None):
        return shown_routes(self.ec2, table or self.table)

    def state(self, block="10.2.0.0/16"):
        found = [route["State"] for route in self.routes() if route.get("DestinationCidrBlock") == block]
        return found[0] if found else "no route"


def destination(block):
    if block.startswith("pl-"):
        return {"DestinationPrefixListId": block}
    return {"DestinationIpv6CidrBlock" if ":" in block else "DestinationCidrBlock": block}


def shown_routes(ec2, table):
    return ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]


def leads(net, table=None):
    """Each route's destination, and where it leads."""
    short = {net.peering: "peering"}
    return {
        next((route[name] for name in DESTINATIONS if name in route), "no destination"):
            short.get(route.get("VpcPeeringConnectionId"), route.get("GatewayId", "elsewhere"))
        for route in net.routes(table)
    }


@scenario
def blackholes(on):
    """A route's state follows its peering"""
    net = Net(on)
    third = vpc(net.ec2, "10.3.0.0/16")
    pending = request(net.ec2, net.a, third)
    on.see("a route to a request", PEERING_ROUTES, "done", lambda: net.create("10.3.0.0/16", pending))
    on.see("its state", PEERING_ROUTES, "blackhole", lambda: net.state("10.3.0.0/16"))
    accept(net.ec2, pending)
    on.see("its state once it is accepted", PEERING_ROUTES, "active", lambda: net.state("10.3.0.0/16"))
    net.create()
    on.see("a route over an active peering", PEERING_ROUTES, "active", net.state)
    delete(net.ec2, net.peering)
    on.see("the peering is deleted", ROUTE, "blackhole", net.state)
    on.see("tables found by it", DESCRIBE, 1, lambda: len(
        net.ec2.describe_route_tables(Filters=by("route.state", "blackhole"))["RouteTables"]))
    anew = peer(net.ec2, net.a, net.b)
    on.see("a new peering of the same VPCs is active", ROUTE, "blackhole", net.state)
    on.see("the route is replaced to lead there", REPLACE, "done", lambda: net.replace("10.2.0.0/16", anew))
    on.see("its state then", ROUTE, "active", net.state)
    on.see("the local route", ROUTE_TABLES, "active", lambda: net.state("10.1.0.0/16"))


@scenario
def new_routes(on):
    """CreateRoute: what is taken"""
    net = Net(on)
    on.see("a block that is not in canonical form", CREATE, "done", lambda: net.create("10.9.3.1/18"))
    on.see("how it is kept", CREATE, True, lambda: "10.9.0.0/18" in leads(net))
    on.see("an IPv6 block", CREATE, "done", lambda: net.create("2001:db8:1::/48"))
    plist = net.prefix_list("peers", 5)
    on.see("a prefix list", CREATE, "done", lambda: net.create(plist))
    on.see("what the table then shows", ROUTE, {
        "10.1.0.0/16": "local", "10.9.0.0/18": "peering", "2001:db8:1::/48": "peering", "pl-...": "peering",
    }, lambda: {on.plain(to): where for to, where in leads(net).items()})
    on.see("its routes' origins", ROUTE, ["CreateRoute", "CreateRouteTable"],
           lambda: sorted({route.get("Origin", "none") for route in net.routes()}))
    again = net.new_table()
    for block in "10.9.0.0/18", "2001:db8:1::/48", plist:
        net.create(block, table=again)
    for kind, block in (("IPv4", "10.9.0.0/18"), ("IPv4, in another form", "10.9.1.0/18"),
                        ("IPv6", "2001:db8:1::/48"), ("a prefix list", plist)):
        on.see(f"a destination that is there already: {kind}", CODES, Refused("RouteAlreadyExists"),
               lambda: net.create(block, table=again))
    on.see("the same destination in another table", ROUTE_TABLES, "done",
           lambda: net.create("10.9.0.0/18", table=net.new_table()))
    on.see("more routes than the table may hold", QUOTAS, Refused("RouteLimitExceeded"),
           lambda: net.create(net.prefix_list("large", 1000)))


@scenario
def refused_routes(on):
    """CreateRoute: what is refused"""
    net = Net(on)
    ec2 = net.ec2
    others = peer(ec2, net.b, vpc(ec2, "10.3.0.0/16"))
    on.see("a peering that is not there", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"),
           lambda: net.create(to=NO_PEERING))
    on.see("a peering whose id is none", CODES, Refused("InvalidVpcPeeringConnectionId.Malformed"),
           lambda: net.create(to="pcx-xyz"))
    on.see("a table that is not there", CODES, Refused("InvalidRouteTableID.NotFound"),
           lambda: net.create(table=NO_TABLE))
    on.see("a table whose id is none", CODES, Refused("InvalidRouteTableId.Malformed"),
           lambda: net.create(table="rtb-xyz"))
    stranger = on.ec2(on.account("stranger"))
    on.see("another account's table", CODES, Refused("InvalidRouteTableID.NotFound"), lambda: stranger.create_route(
        RouteTableId=net.table, DestinationCidrBlock="10.8.0.0/16", GatewayId="igw-0123456789abcdef0"))
    text = "route table rtb-... and network gateway pcx-... belong to different networks"
    on.see("a peering of other VPCs", OTHER_NETWORK, Refused("InvalidParameterValue", text),
           lambda: net.create("10.3.0.0/16", others))
    text = "Route target is not supported. This route only supports interface and instance targets."
    on.see("a destination inside the VPC", OWN_BLOCK, Refused("InvalidParameterValue", text),
           lambda: net.create("10.1.4.0/24"))
    on.see("a block that is none", CODES, Refused("InvalidParameterValue"), lambda: net.create("10.2.0.0/99"))
    on.see("a prefix list that is not there", CODES, Refused("InvalidPrefixListID.NotFound"),
           lambda: net.create("pl-0123456789abcdef0"))
    on.see("no destination", NO_DESTINATION, Refused("MissingParameter"), lambda: ec2.create_route(
        RouteTableId=net.table, VpcPeeringConnectionId=net.peering))
    on.see("two destinations", CREATE, Refused(), lambda: net.create(
        "10.5.0.0/16", DestinationIpv6CidrBlock="2001:db8::/32"))
    on.see("no target", CREATE, Refused(), lambda: ec2.create_route(
        RouteTableId=net.table, DestinationCidrBlock="10.6.0.0/16"))
    on.see("two targets", CREATE, Refused(), lambda: net.create("10.7.0.0/16", GatewayId="igw-0123456789abcdef0"))
    on.see("what is left of all this", CREATE, {"10.1.0.0/16": "local"}, lambda: leads(net))
    on.see("a dry run", CODES, Refused("DryRunOperation"), lambda: net.create("10.20.0.0/16", DryRun=True))
    on.see("what came of it", CODES, "no route", lambda: net.state("10.20.0.0/16"))


@scenario
def changed_routes(on):
    """ReplaceRoute and DeleteRoute"""
    net = Net(on)
    net.create("10.9.0.0/18")
    net.create("2001:db8:1::/48")
    other = peer(net.ec2, net.a, vpc(net.ec2, "10.3.0.0/16"))

    def missing(block):
        text = f"There is no route defined for '{block}' in the route table. Use CreateRoute instead."
        return Refused("InvalidParameterValue", text)

    on.see("a route that is there is replaced", REPLACE, "done", lambda: net.replace("10.9.0.0/18", other))
    on.see("where it leads then", REPLACE, "elsewhere", lambda: leads(net)["10.9.0.0/18"])
    on.see("an IPv6 route is replaced", REPLACE, "done", lambda: net.replace("2001:db8:1::/48", other))
    on.see("a route that is not there is replaced", MOTO_ERRORS, missing("10.8.0.0/16"),
           lambda: net.replace("10.8.0.0/16"))
    on.see("a wider block than the route's is replaced", REPLACE, missing("10.8.0.0/15"),
           lambda: net.replace("10.8.0.0/15"))
    on.see("replaced to lead to a peering that is not there", CODES, Refused("InvalidVpcPeeringConnectionID.NotFound"),
           lambda: net.replace("10.9.0.0/18", NO_PEERING))
    stray = peer(net.ec2, net.b, vpc(net.ec2, "10.4.0.0/16"))
    on.see("replaced to lead to a peering of other VPCs", OTHER_NETWORK, Refused("InvalidParameterValue"),
           lambda: net.replace("10.9.0.0/18", stray))
    on.see("where it leads after that", REPLACE, "elsewhere", lambda: leads(net)["10.9.0.0/18"])
    on.see("a route is deleted in a dry run", CODES, Refused("DryRunOperation"),
           lambda: net.drop("10.9.0.0/18", DryRun=True))
    on.see("what came of the dry run", CODES, True, lambda: "10.9.0.0/18" in leads(net))
    net.create("10.10.0.0/16")
    on.see("a route is deleted", DELETE, "done", lambda: net.drop("10.10.0.0/16"))
    on.see("it is deleted again", CODES, Refused("InvalidRoute.NotFound"), lambda: net.drop("10.10.0.0/16"))
    on.see("an IPv6 route is deleted", DELETE, "done", lambda: net.drop("2001:db8:1::/48"))
    net.create("10.11.0.0/16")
    text = "cannot remove local route 10.1.0.0/16 in route table rtb-..."
    on.see("the local route is deleted", LOCAL_ROUTE, Refused("InvalidParameterValue", text),
           lambda: net.drop("10.1.0.0/16"))
    on.see("a table that is not there", CODES, Refused("InvalidRouteTableID.NotFound"), lambda: net.ec2.delete_route(
        RouteTableId=NO_TABLE, DestinationCidrBlock="10.11.0.0/16"))
