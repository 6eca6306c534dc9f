//! Subnets, gateways and what comes with a VPC, over the wire.

use ec2sim::World;

use crate::client::{Client, EU, US, client, each, first};

fn strict() -> (World, Client) {
    let mut world = World::new();
    world.refuse_unknown_ids();
    (world, client(US, EU))
}

fn vpc(world: &mut World, who: &Client, cidr: &str) -> String {
    first(&who.done(world, "CreateVpc", &[("CidrBlock", cidr)]), "vpcId")
}

#[test]
fn a_subnet_lives_its_life_over_the_wire() {
    let (mut world, us) = strict();
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let asked = [
        ("VpcId", vpc.as_str()),
        ("CidrBlock", "10.1.1.0/24"),
        ("AvailabilityZone", "eu-west-1b"),
        ("TagSpecification.1.ResourceType", "subnet"),
        ("TagSpecification.1.Tag.1.Key", "tier"),
        ("TagSpecification.1.Tag.1.Value", "private"),
    ];
    let made = us.done(&mut world, "CreateSubnet", &asked);
    let id = first(&made, "subnetId");
    for (name, wanted) in [
        ("state", "available"),
        ("vpcId", vpc.as_str()),
        ("cidrBlock", "10.1.1.0/24"),
        ("availableIpAddressCount", "251"),
        ("availabilityZone", "eu-west-1b"),
        ("availabilityZoneId", "euw1-az2"),
        ("mapPublicIpOnLaunch", "false"),
        ("ipv6Native", "false"),
        ("key", "tier"),
    ] {
        assert_eq!(first(&made, name), wanted, "{name}");
    }
    assert_eq!(first(&made, "subnetArn"), format!("arn:aws:ec2:{EU}:{US}:subnet/{id}"));

    us.done(&mut world, "ModifySubnetAttribute", &[("SubnetId", &id), ("MapPublicIpOnLaunch.Value", "true")]);
    let hostnames = [("SubnetId", id.as_str()), ("PrivateDnsHostnameTypeOnLaunch", "resource-name")];
    us.done(&mut world, "ModifySubnetAttribute", &hostnames);
    let both =
        [("SubnetId", id.as_str()), ("MapPublicIpOnLaunch.Value", "true"), ("EnableDns64.Value", "true")];
    assert_eq!(us.refused(&mut world, "ModifySubnetAttribute", &both).1, "InvalidParameterCombination");
    let found = [("Filter.1.Name", "tag:tier"), ("Filter.1.Value.1", "private")];
    let shown = us.done(&mut world, "DescribeSubnets", &found);
    assert_eq!(
        (first(&shown, "mapPublicIpOnLaunch"), first(&shown, "hostnameType")),
        ("true".into(), "resource-name".into())
    );

    let again = us.refused(&mut world, "CreateSubnet", &asked);
    assert_eq!((again.0, again.1.as_str()), (400, "InvalidSubnet.Conflict"));
    assert_eq!(us.refused(&mut world, "DeleteVpc", &[("VpcId", &vpc)]).1, "DependencyViolation");
    us.done(&mut world, "DeleteSubnet", &[("SubnetId", &id)]);
    let gone = us.refused(&mut world, "DescribeSubnets", &[("SubnetId.1", &id)]);
    assert_eq!(gone.1, "InvalidSubnetID.NotFound");
    assert!(gone.2.contains(&id), "{}", gone.2);
}

#[test]
fn a_subnets_ipv6_block_over_the_wire() {
    let (mut world, us) = strict();
    let vpc = [("CidrBlock", "10.1.0.0/16"), ("Ipv6CidrBlock", "2001:db8::/56")];
    let vpc = first(&us.done(&mut world, "CreateVpc", &vpc), "vpcId");
    let subnet = us.done(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.1.1.0/24")]);
    let id = first(&subnet, "subnetId");
    let block = [("SubnetId", id.as_str()), ("Ipv6CidrBlock", "2001:db8::/64")];
    let taken = us.done(&mut world, "AssociateSubnetCidrBlock", &block);
    assert_eq!(first(&taken, "state"), "associating");
    let shown = us.done(&mut world, "DescribeSubnets", &[("SubnetId.1", &id)]);
    assert_eq!(first(&shown, "ipv6CidrBlock"), "2001:db8::/64");
    let association = first(&taken, "associationId");
    let gone = us.done(&mut world, "DisassociateSubnetCidrBlock", &[("AssociationId", &association)]);
    assert_eq!((first(&gone, "subnetId"), first(&gone, "state")), (id, "disassociating".into()));
}

#[test]
fn tables_are_tied_to_subnets_that_exist() {
    let (mut world, us) = strict();
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let subnet = us.done(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.1.1.0/24")]);
    let subnet = first(&subnet, "subnetId");
    let table = first(&us.done(&mut world, "CreateRouteTable", &[("VpcId", &vpc)]), "routeTableId");
    let nowhere = [("RouteTableId", table.as_str()), ("SubnetId", "subnet-0123456789abcdef0")];
    assert_eq!(us.refused(&mut world, "AssociateRouteTable", &nowhere).1, "InvalidSubnetID.NotFound");
    us.done(&mut world, "AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
    let found = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
    assert_eq!(first(&us.done(&mut world, "DescribeRouteTables", &found), "routeTableId"), table);
}

#[test]
fn an_internet_gateway_over_the_wire() {
    let (mut world, us) = strict();
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let made = us.done(&mut world, "CreateInternetGateway", &[]);
    let id = first(&made, "internetGatewayId");
    assert_eq!(each(&made, "state"), [""; 0]);
    let both = [("InternetGatewayId", id.as_str()), ("VpcId", vpc.as_str())];
    us.done(&mut world, "AttachInternetGateway", &both);
    let found = [("Filter.1.Name", "attachment.vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
    let shown = us.done(&mut world, "DescribeInternetGateways", &found);
    assert_eq!((first(&shown, "vpcId"), first(&shown, "state")), (vpc.clone(), "available".into()));
    let table = first(&us.done(&mut world, "CreateRouteTable", &[("VpcId", &vpc)]), "routeTableId");
    let route =
        [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "0.0.0.0/0"), ("GatewayId", id.as_str())];
    us.done(&mut world, "CreateRoute", &route);
    us.done(&mut world, "DetachInternetGateway", &both);
    let shown = us.done(&mut world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
    assert!(each(&shown, "state").contains(&"blackhole".to_owned()), "{shown}");
    us.done(&mut world, "DeleteInternetGateway", &[("InternetGatewayId", &id)]);
    let again = us.refused(&mut world, "DeleteInternetGateway", &[("InternetGatewayId", &id)]);
    assert_eq!(again.1, "InvalidInternetGatewayID.NotFound");
}

#[test]
fn what_comes_with_a_vpc_and_a_region_can_be_looked_at() {
    let (mut world, us) = strict();
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let subnet = us.done(&mut world, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.1.1.0/24")]);
    let mine = [
        ("Filter.1.Name", "vpc-id"),
        ("Filter.1.Value.1", vpc.as_str()),
        ("Filter.2.Name", "default"),
        ("Filter.2.Value.1", "true"),
    ];
    let acls = us.done(&mut world, "DescribeNetworkAcls", &mine);
    assert_eq!(each(&acls, "ruleNumber"), ["100", "32767", "100", "32767"]);
    assert_eq!(each(&acls, "ruleAction"), ["allow", "deny", "allow", "deny"]);
    assert_eq!(first(&acls, "subnetId"), first(&subnet, "subnetId"));
    let interfaces = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
    let interfaces = us.done(&mut world, "DescribeNetworkInterfaces", &interfaces);
    assert!(interfaces.contains("<networkInterfaceSet"), "{interfaces}");
    assert!(!interfaces.contains("<item>"), "{interfaces}");
    let zones = us.done(&mut world, "DescribeAvailabilityZones", &[]);
    assert_eq!(each(&zones, "zoneName"), ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    assert_eq!(first(&zones, "regionName"), EU);
    let one = us.done(&mut world, "DescribeAvailabilityZones", &[("ZoneId.1", "euw1-az3")]);
    assert_eq!(each(&one, "zoneName"), ["eu-west-1c"]);
}

#[test]
fn what_is_not_simulated_is_refused_aloud() {
    let (mut world, us) = strict();
    let vpc = vpc(&mut world, &us, "10.1.0.0/16");
    let native = [("VpcId", vpc.as_str()), ("Ipv6Native", "true"), ("Ipv6CidrBlock", "2001:db8::/64")];
    assert_eq!(us.refused(&mut world, "CreateSubnet", &native).1, "UnsupportedOperation");
    let outpost = [("VpcId", vpc.as_str()), ("CidrBlock", "10.1.1.0/24"), ("OutpostArn", "arn:aws:x")];
    assert_eq!(us.refused(&mut world, "CreateSubnet", &outpost).1, "UnsupportedOperation");
    assert_eq!(world.subnets().count(), 0);
}
