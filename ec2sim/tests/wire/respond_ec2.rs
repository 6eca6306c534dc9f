//! EC2's operations over the wire: what is asked reaches the world, what it says comes back under AWS's names.

use ec2sim::World;

use crate::client::{EU, US, client, each, first};

#[test]
fn a_vpc_comes_back_with_all_that_clients_look_for() {
    let (mut world, us) = (World::new(), client(US, EU));
    let made = us.done(
        &mut world,
        "CreateVpc",
        &[
            ("CidrBlock", "10.1.0.0/16"),
            ("InstanceTenancy", "default"),
            ("TagSpecification.1.ResourceType", "vpc"),
            ("TagSpecification.1.Tag.1.Key", "tier"),
            ("TagSpecification.1.Tag.1.Value", "a <b> & c"),
        ],
    );
    let id = first(&made, "vpcId");
    us.done(&mut world, "AssociateVpcCidrBlock", &[("VpcId", &id), ("CidrBlock", "10.9.0.0/16")]);
    let shown = us.done(&mut world, "DescribeVpcs", &[("VpcId.1", &id)]);
    assert_eq!(each(&shown, "cidrBlock"), ["10.1.0.0/16", "10.9.0.0/16", "10.1.0.0/16"]);
    assert_eq!(each(&shown, "state"), ["associated", "associated", "available"]);
    assert_eq!(each(&shown, "ownerId"), [US]);
    assert_eq!(each(&shown, "value"), ["a &lt;b&gt; &amp; c"]);
    assert_eq!(
        (first(&shown, "isDefault"), first(&shown, "instanceTenancy")),
        ("false".into(), "default".into())
    );

    us.done(&mut world, "ModifyVpcAttribute", &[("VpcId", &id), ("EnableDnsHostnames.Value", "true")]);
    let attribute = |world: &mut World, name| {
        us.done(world, "DescribeVpcAttribute", &[("VpcId", &id), ("Attribute", name)])
    };
    let hostnames = attribute(&mut world, "enableDnsHostnames");
    assert_eq!(each(&hostnames, "enableDnsHostnames"), ["<value>true</value>"]);
    assert_eq!(each(&hostnames, "enableDnsSupport"), [""; 0]);
    assert_eq!(each(&attribute(&mut world, "enableDnsSupport"), "enableDnsSupport"), ["<value>true</value>"]);

    let association = each(&shown, "associationId").remove(1);
    let gone = us.done(&mut world, "DisassociateVpcCidrBlock", &[("AssociationId", &association)]);
    assert_eq!((first(&gone, "vpcId"), first(&gone, "state")), (id.clone(), "disassociating".into()));
    let deleted = us.done(&mut world, "DeleteVpc", &[("VpcId", &id)]);
    assert_eq!(first(&deleted, "return"), "true");
    let (status, code, _) = us.refused(&mut world, "DescribeVpcs", &[("VpcId.1", &id)]);
    assert_eq!((status, code.as_str()), (400, "InvalidVpcID.NotFound"));
}

#[test]
fn a_peering_lives_its_life_over_the_wire() {
    let mut world = World::new();
    let (us, them) = (client(US, EU), client("444455556666", "us-east-1"));
    let a = first(&us.done(&mut world, "CreateVpc", &[("CidrBlock", "10.1.0.0/16")]), "vpcId");
    let b = first(&them.done(&mut world, "CreateVpc", &[("CidrBlock", "10.2.0.0/16")]), "vpcId");
    for (who, vpc) in [(&us, &a), (&them, &b)] {
        who.done(&mut world, "ModifyVpcAttribute", &[("VpcId", vpc), ("EnableDnsHostnames.Value", "true")]);
    }
    let made = us.done(
        &mut world,
        "CreateVpcPeeringConnection",
        &[
            ("VpcId", &a),
            ("PeerVpcId", &b),
            ("PeerOwnerId", "444455556666"),
            ("PeerRegion", "us-east-1"),
            ("TagSpecification.1.ResourceType", "vpc-peering-connection"),
            ("TagSpecification.1.Tag.1.Key", "team"),
            ("TagSpecification.1.Tag.1.Value", "network"),
        ],
    );
    let id = first(&made, "vpcPeeringConnectionId");
    assert_eq!(first(&made, "code"), "initiating-request");
    // Seven days after the calendar's start.
    assert_eq!(first(&made, "expirationTime"), "2026-01-08T00:00:00.000Z");
    assert_eq!(each(&first(&made, "requesterVpcInfo"), "cidrBlock"), ["10.1.0.0/16", "10.1.0.0/16"]);
    assert_eq!(each(&first(&made, "accepterVpcInfo"), "cidrBlock"), [""; 0]);
    assert_eq!(each(&made, "key"), ["team"]);

    let named = [("VpcPeeringConnectionId", id.as_str())];
    let (_, code, _) = us.refused(&mut world, "AcceptVpcPeeringConnection", &named);
    assert_eq!(code, "OperationNotPermitted");
    them.done(&mut world, "AcceptVpcPeeringConnection", &named);
    let side = [named[0], ("RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc", "true")];
    let changed = us.done(&mut world, "ModifyVpcPeeringConnectionOptions", &side);
    assert_eq!(each(&changed, "allowDnsResolutionFromRemoteVpc"), ["true"]);

    let query = [("Filter.1.Name", "status-code"), ("Filter.1.Value.1", "active")];
    let shown = them.done(&mut world, "DescribeVpcPeeringConnections", &query);
    assert_eq!(each(&shown, "vpcPeeringConnectionId"), [id.as_str()]);
    assert_eq!(each(&shown, "allowDnsResolutionFromRemoteVpc"), ["false", "true"], "accepter first");
    assert_eq!(each(&shown, "tagSet"), [""], "another account's tags don't show");
    assert_eq!(each(&shown, "expirationTime"), [""; 0]);

    let deleted = them.done(&mut world, "DeleteVpcPeeringConnection", &named);
    assert_eq!(first(&deleted, "return"), "true");
    let shown = us.done(&mut world, "DescribeVpcPeeringConnections", &[]);
    assert_eq!(first(&shown, "message"), "Deleted by 444455556666");
}

#[test]
fn a_route_names_its_target_as_aws_does() {
    let (mut world, us) = (World::new(), client(US, EU));
    let vpc = |world: &mut World, cidr| first(&us.done(world, "CreateVpc", &[("CidrBlock", cidr)]), "vpcId");
    let (a, b) = (vpc(&mut world, "10.1.0.0/16"), vpc(&mut world, "10.2.0.0/16"));
    let made = us.done(&mut world, "CreateVpcPeeringConnection", &[("VpcId", &a), ("PeerVpcId", &b)]);
    let peering = first(&made, "vpcPeeringConnectionId");
    let token = [("VpcId", a.as_str()), ("ClientToken", "once")];
    let table = first(&us.done(&mut world, "CreateRouteTable", &token), "routeTableId");
    assert_eq!(first(&us.done(&mut world, "CreateRouteTable", &token), "routeTableId"), table);
    let other = [("VpcId", b.as_str()), ("ClientToken", "once")];
    assert_eq!(us.refused(&mut world, "CreateRouteTable", &other).1, "IdempotentParameterMismatch");

    for (destination, cidr, target, id) in [
        ("DestinationCidrBlock", "10.2.0.0/16", "VpcPeeringConnectionId", peering.as_str()),
        ("DestinationCidrBlock", "0.0.0.0/0", "NatGatewayId", "nat-0123"),
        ("DestinationIpv6CidrBlock", "::/0", "EgressOnlyInternetGatewayId", "eigw-0123"),
        ("DestinationCidrBlock", "10.3.0.0/16", "TransitGatewayId", "tgw-0123"),
        ("DestinationCidrBlock", "10.4.0.0/16", "NetworkInterfaceId", "eni-0123"),
        ("DestinationCidrBlock", "10.5.0.0/16", "VpcEndpointId", "vpce-0123"),
    ] {
        let members = [("RouteTableId", table.as_str()), (destination, cidr), (target, id)];
        assert_eq!(first(&us.done(&mut world, "CreateRoute", &members), "return"), "true");
    }
    let shown = us.done(&mut world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
    assert_eq!(each(&shown, "gatewayId"), ["local", "vpce-0123"]);
    for (element, id) in [
        ("vpcPeeringConnectionId", peering.as_str()),
        ("natGatewayId", "nat-0123"),
        ("egressOnlyInternetGatewayId", "eigw-0123"),
        ("transitGatewayId", "tgw-0123"),
        ("networkInterfaceId", "eni-0123"),
    ] {
        assert_eq!(each(&shown, element), [id]);
    }
    assert!(each(&shown, "state").contains(&"blackhole".to_owned()), "nobody accepted the peering");

    us.done(&mut world, "EnableVgwRoutePropagation", &[("RouteTableId", &table), ("GatewayId", "vgw-1")]);
    let shown = us.done(&mut world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
    assert_eq!(each(&shown, "propagatingVgwSet"), ["<item><gatewayId>vgw-1</gatewayId></item>"]);
    us.done(&mut world, "DisableVgwRoutePropagation", &[("RouteTableId", &table), ("GatewayId", "vgw-1")]);
    let shown = us.done(&mut world, "DescribeRouteTables", &[("RouteTableId.1", &table)]);
    assert_eq!(each(&shown, "propagatingVgwSet"), [""]);
}

#[test]
fn a_prefix_list_keeps_its_descriptions_and_its_version() {
    let (mut world, us) = (World::new(), client(US, EU));
    let made = us.done(
        &mut world,
        "CreateManagedPrefixList",
        &[
            ("PrefixListName", "peers"),
            ("AddressFamily", "IPv4"),
            ("MaxEntries", "5"),
            ("Entry.1.Cidr", "10.2.0.0/16"),
            ("Entry.1.Description", "theirs"),
            ("Entry.2.Cidr", "10.3.0.0/16"),
        ],
    );
    let id = first(&made, "prefixListId");
    assert_eq!(first(&made, "prefixListArn"), format!("arn:aws:ec2:{EU}:{US}:prefix-list/{id}"));
    assert_eq!((first(&made, "version"), first(&made, "state")), ("1".into(), "create-complete".into()));
    let change = |version| {
        [("PrefixListId", id.as_str()), ("CurrentVersion", version), ("RemoveEntry.1.Cidr", "10.3.0.0/16")]
    };
    let (_, code, _) = us.refused(&mut world, "ModifyManagedPrefixList", &change("7"));
    assert_eq!(code, "PrefixListVersionMismatch");
    // As Terraform does it: more room first, under the version that it knows, then the entries.
    let resize = [("PrefixListId", id.as_str()), ("MaxEntries", "6"), ("PrefixListName", "ours")];
    let resized = us.done(&mut world, "ModifyManagedPrefixList", &resize);
    assert_eq!((first(&resized, "version"), first(&resized, "maxEntries")), ("1".into(), "6".into()));
    let shown = us.done(&mut world, "DescribeManagedPrefixLists", &[("PrefixListId.1", &id)]);
    assert_eq!(each(&shown, "state"), ["modify-complete"]);
    assert_eq!(first(&us.done(&mut world, "ModifyManagedPrefixList", &change("1")), "version"), "2");
    let entries = us.done(&mut world, "GetManagedPrefixListEntries", &[("PrefixListId", &id)]);
    assert_eq!(each(&entries, "cidr"), ["10.2.0.0/16"]);
    assert_eq!(each(&entries, "description"), ["theirs"]);
}

#[test]
fn tags_are_described_across_kinds_and_in_pages() {
    let (mut world, us) = (World::new(), client(US, EU));
    let vpc = first(&us.done(&mut world, "CreateVpc", &[("CidrBlock", "10.1.0.0/16")]), "vpcId");
    let table = first(&us.done(&mut world, "CreateRouteTable", &[("VpcId", &vpc)]), "routeTableId");
    let keys = ["a", "b", "c", "d"];
    for key in keys {
        let tag = [
            ("ResourceId.1", vpc.as_str()),
            ("ResourceId.2", &table),
            ("Tag.1.Key", key),
            ("Tag.1.Value", ""),
        ];
        us.done(&mut world, "CreateTags", &tag);
    }
    let page = us.done(&mut world, "DescribeTags", &[("MaxResults", "5")]);
    let rest = us.done(
        &mut world,
        "DescribeTags",
        &[("MaxResults", "5"), ("NextToken", &first(&page, "nextToken"))],
    );
    assert_eq!((each(&page, "key").len(), each(&rest, "key").len()), (5, 3));
    assert_eq!(each(&rest, "nextToken"), [""; 0]);
    let seen: Vec<_> = [&page, &rest].iter().flat_map(|page| each(page, "resourceType")).collect();
    assert_eq!(seen.iter().filter(|kind| *kind == "vpc").count(), 4);
    assert_eq!(seen.iter().filter(|kind| *kind == "route-table").count(), 4);
    let filtered =
        us.done(&mut world, "DescribeTags", &[("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", &vpc)]);
    assert_eq!(each(&filtered, "key"), keys);
    // With an empty value only where it is empty; without one in any case.
    us.done(&mut world, "DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "a"), ("Tag.1.Value", "")]);
    us.done(&mut world, "DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "b"), ("Tag.1.Value", "x")]);
    us.done(&mut world, "DeleteTags", &[("ResourceId.1", &vpc), ("Tag.1.Key", "c")]);
    let filtered =
        us.done(&mut world, "DescribeTags", &[("Filter.1.Name", "resource-id"), ("Filter.1.Value.1", &vpc)]);
    assert_eq!(each(&filtered, "key"), ["b", "d"]);
}
