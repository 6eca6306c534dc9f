"""Route tables: what they hold, what they are tied to, and how they are found."""

from lab import VIRGINIA, Refused, by, scenario, tag, vpc
from routes import DESCRIBE, NO_TABLE, Net, leads
from sources import CODES, EDGE_TABLES, MAIN_TABLE, ROUTE_TABLES, UNKNOWN_FILTER, VPC_BLOCKS, api


def found(net, *filters, **query):
    asked = [{"Name": name, "Values": list(values)} for name, *values in filters]
    tables = net.ec2.describe_route_tables(Filters=asked, **query)["RouteTables"]
    return [table["RouteTableId"] for table in tables]


def main_table(net, vpc_id):
    """A VPC's association with its main table."""
    table = found(net, ("vpc-id", vpc_id), ("association.main", "true"))[0]
    return associations(net, table)[0]


def associations(net, table):
    return net.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"]


@scenario
def filters_of_tables(on):
    """Filters of DescribeRouteTables"""
    net = Net(on)
    main = found(net, ("vpc-id", net.a), ("association.main", "true"))
    subnet = net.ec2.create_subnet(VpcId=net.a, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    lone = net.ec2.create_subnet(VpcId=net.a, CidrBlock="10.1.2.0/24")["Subnet"]["SubnetId"]
    tied = net.ec2.associate_route_table(RouteTableId=net.table, SubnetId=subnet)["AssociationId"]
    plist = net.prefix_list("peers", 5)
    for block in "10.7.0.0/16", "2001:db8:1::/48", plist:
        net.create(block)
    net.ec2.create_tags(Resources=[net.table], Tags=tag("tier", "private"))
    on.see("association.main within a VPC", DESCRIBE, 1, lambda: len(main))
    for name, value in [
        ("route-table-id", net.table),
        ("association.subnet-id", subnet),
        ("association.route-table-id", net.table),
        ("association.route-table-association-id", tied),
        ("route.vpc-peering-connection-id", net.peering),
        ("route.destination-cidr-block", "10.7.0.0/16"),
        ("route.destination-ipv6-cidr-block", "2001:db8:1::/48"),
        ("route.destination-prefix-list-id", plist),
        ("route.origin", "CreateRoute"),
        ("tag:tier", "private"),
        ("tag-key", "tier"),
    ]:
        on.see(name, DESCRIBE, ["the table"], lambda: [
            "the table" if table == net.table else "another" for table in found(net, (name, value))])
    on.see("owner-id", DESCRIBE, True, lambda: net.table in found(net, ("owner-id", net.us)))
    on.see("route.state", DESCRIBE, True, lambda: net.table in found(net, ("route.state", "active")))
    on.see("route.gateway-id", DESCRIBE, True, lambda: net.table in found(net, ("route.gateway-id", "local")))
    on.see("association.subnet-id of a subnet that uses the main table", MAIN_TABLE, 0,
           lambda: len(found(net, ("association.subnet-id", lone))))
    on.see("two filters at once", DESCRIBE, 0, lambda: len(found(net, ("vpc-id", net.b), ("tag-key", "tier"))))
    on.see("a filter that AWS does not know", UNKNOWN_FILTER, Refused(
        "InvalidParameterValue", "The filter 'colour' is invalid"), lambda: len(found(net, ("colour", "red"))))


@scenario
def pages_of_tables(on):
    """Pages and ids of DescribeRouteTables"""
    net = Net(on)
    made = [net.new_table() for _ in range(6)]
    inside = by("vpc-id", net.a)
    page = net.ec2.describe_route_tables(Filters=inside, MaxResults=5)
    on.see("a page of at most five", DESCRIBE, True, lambda: len(page["RouteTables"]) <= 5)
    on.see("there is another one", DESCRIBE, True, lambda: "NextToken" in page)

    def all_pages():
        paginator = net.ec2.get_paginator("describe_route_tables")
        pages = paginator.paginate(Filters=inside, PaginationConfig={"PageSize": 5})
        ids = [table["RouteTableId"] for page in pages for table in page["RouteTables"]]
        return len(ids) == len(set(ids)) and set(made) < set(ids)

    on.see("all pages together show each once", DESCRIBE, True, all_pages)
    for most in 4, 101:
        on.see(f"MaxResults of {most}", DESCRIBE, Refused("InvalidParameterValue"),
               lambda: len(found(net, MaxResults=most)))
    on.see("an unknown id", CODES, Refused("InvalidRouteTableID.NotFound"),
           lambda: len(found(net, RouteTableIds=[NO_TABLE])))
    on.see("a malformed id", CODES, Refused("InvalidRouteTableId.Malformed"),
           lambda: len(found(net, RouteTableIds=["rtb-xyz"])))


@scenario
def tables_and_their_vpc(on):
    """Local routes, main tables, edge tables"""
    net = Net(on)
    ec2 = net.ec2
    on.see("a new table's routes", ROUTE_TABLES, {"10.1.0.0/16": "local"}, lambda: leads(net))
    ec2.associate_vpc_cidr_block(VpcId=net.a, CidrBlock="10.8.0.0/16")
    both = {"10.1.0.0/16": "local", "10.8.0.0/16": "local"}
    on.see("its VPC is given another block", VPC_BLOCKS, both, lambda: leads(net))
    on.see("a table made after that", VPC_BLOCKS, both, lambda: leads(net, net.new_table()))
    main, of_b, of_c = (main_table(net, one) for one in (net.a, net.b, vpc(ec2, "10.3.0.0/16")))
    on.see("the main table is deleted", MAIN_TABLE, Refused("DependencyViolation"),
           lambda: ec2.delete_route_table(RouteTableId=of_b["RouteTableId"]))
    on.see("the main table is disassociated", MAIN_TABLE, Refused("InvalidParameterValue"),
           lambda: ec2.disassociate_route_table(AssociationId=of_c["RouteTableAssociationId"]))
    ec2.replace_route_table_association(AssociationId=main["RouteTableAssociationId"], RouteTableId=net.table)
    on.see("another table is made the main one", MAIN_TABLE, True,
           lambda: found(net, ("vpc-id", net.a), ("association.main", "true")) == [net.table])
    subnet = ec2.create_subnet(VpcId=net.a, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    on.see("subnets listed with the main table", MAIN_TABLE, [], lambda: [
        held["SubnetId"] for held in associations(net, net.table) if held.get("SubnetId")])
    used = net.new_table()
    ec2.associate_route_table(RouteTableId=used, SubnetId=subnet)
    on.see("a table that a subnet uses is deleted", CODES, Refused("DependencyViolation"),
           lambda: ec2.delete_route_table(RouteTableId=used))
    on.see("the subnet is tied to a second table", CODES, Refused("Resource.AlreadyAssociated"),
           lambda: ec2.associate_route_table(RouteTableId=net.new_table(), SubnetId=subnet))
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=net.a)
    edge = net.new_table()
    on.see("a table is tied to a gateway", EDGE_TABLES, "done",
           lambda: ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway))
    on.see("a route over a peering in a gateway's table", EDGE_TABLES, Refused("InvalidParameterValue"),
           lambda: net.create(table=edge))
    token = api("CreateRouteTable")
    on.see("the same table asked for twice by one ClientToken", token, 1, lambda: len(
        {net.new_table(ClientToken="once"), net.new_table(ClientToken="once")}))
    on.see("a table of a VPC that is not there", CODES, Refused("InvalidVpcID.NotFound"),
           lambda: ec2.create_route_table(VpcId="vpc-0123456789abcdef0"))
    on.see("a table in another Region", DESCRIBE, Refused("InvalidRouteTableID.NotFound"),
           lambda: on.ec2(net.us, VIRGINIA).describe_route_tables(RouteTableIds=[net.table]))
