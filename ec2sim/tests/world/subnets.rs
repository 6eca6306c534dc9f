//! Subnets and internet gateways.

use ec2sim::{
    Attach, Calm, Choice, CreateSubnet, Delay, Describe, Quotas, Request, RouteState, Script,
    SubnetAttribute, SubnetView, VpcId, World,
};

use crate::rig::*;

/// A world that takes no id on trust.
fn strict() -> Rig {
    let mut rig = rig();
    rig.world.refuse_unknown_ids();
    rig
}

fn subnet(vpc: &VpcId, cidr: &str) -> Request {
    Request::CreateSubnet(CreateSubnet {
        vpc_id: vpc.into(),
        cidr: cidr.to_owned(),
        ..CreateSubnet::default()
    })
}

fn made(rig: &mut Rig, vpc: &VpcId, cidr: &str) -> SubnetView {
    let owner = rig.world.owner_of(vpc).unwrap();
    rig.ask(&owner, subnet(vpc, cidr)).unwrap().subnet().unwrap()
}

fn gateway(rig: &mut Rig) -> String {
    let us = rig.us.clone();
    let made = rig.ask(&us, Request::CreateInternetGateway { tags: [].into() }).unwrap().gateway().unwrap();
    made.id.into()
}

fn attach(gateway: &str, vpc: &VpcId) -> Request {
    Request::AttachInternetGateway { gateway_id: gateway.to_owned(), vpc_id: vpc.into() }
}

fn detach(gateway: &str, vpc: &VpcId) -> Request {
    Request::DetachInternetGateway { gateway_id: gateway.to_owned(), vpc_id: vpc.into() }
}

fn subnets(rig: &mut Rig, query: Describe) -> Vec<SubnetView> {
    let us = rig.us.clone();
    rig.ask(&us, Request::DescribeSubnets(query)).unwrap().subnets().unwrap().items
}

#[test]
fn a_subnet_lies_in_its_vpc_and_beside_the_others() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let first = made(&mut rig, &a, "10.1.1.7/24");
    assert_eq!(first.cidr_block.to_string(), "10.1.1.0/24");
    assert_eq!(first.available_addresses, 251);
    assert_eq!((first.zone.name.as_str(), first.zone.id.as_str()), ("eu-west-1a", "euw1-az1"));
    assert_eq!(first.arn, format!("arn:aws:ec2:{EU}:{US}:subnet/{}", first.id));
    for (cidr, code) in [
        ("10.9.1.0/24", "InvalidSubnet.Range"),
        ("10.0.0.0/15", "InvalidSubnet.Range"),
        ("10.1.2.0/29", "InvalidSubnet.Range"),
        ("10.1.1.128/25", "InvalidSubnet.Conflict"),
        ("10.1.0.0/23", "InvalidSubnet.Conflict"),
        ("nonsense", "InvalidParameterValue"),
    ] {
        assert_eq!(rig.refused(&us, subnet(&a, cidr)).0, code, "{cidr}");
    }
    let them = rig.them.clone();
    assert_eq!(rig.refused(&them, subnet(&a, "10.1.2.0/24")).0, "InvalidVpcID.NotFound");
    assert_eq!(subnets(&mut rig, Describe::all()).len(), 1);
}

#[test]
fn ipv6_subnets_and_zones() {
    let mut rig = strict();
    let us = rig.us.clone();
    let asked = Request::CreateVpc {
        cidr: "10.7.0.0/16".to_owned(),
        ipv6_cidr: Some("2001:db8::/56".to_owned()),
        tags: [].into(),
    };
    let vpc = rig.ask(&us, asked).unwrap().vpc().unwrap().id;
    let with = |cidr: &str, ipv6: &str, zone: &str| {
        Request::CreateSubnet(CreateSubnet {
            vpc_id: (&vpc).into(),
            cidr: cidr.to_owned(),
            ipv6_cidr: Some(ipv6.to_owned()),
            zone: Some(zone.to_owned()),
            tags: [].into(),
        })
    };
    let made = rig.ask(&us, with("10.7.1.0/24", "2001:db8:0:1::/64", "euw1-az3")).unwrap().subnet().unwrap();
    assert_eq!(made.zone.name, "eu-west-1c");
    assert_eq!(made.ipv6.unwrap().1.to_string(), "2001:db8:0:1::/64");
    let again = rig.refused(&us, with("10.7.2.0/24", "2001:db8:0:1::/64", "eu-west-1a"));
    assert_eq!(again.0, "InvalidSubnet.Conflict");
    let outside = rig.refused(&us, with("10.7.2.0/24", "2001:db8:1::/64", "eu-west-1a"));
    assert_eq!(outside.0, "InvalidSubnet.Range");
    assert_eq!(
        rig.refused(&us, with("10.7.2.0/24", "2001:db8::/64", "us-east-1a")).0,
        "InvalidParameterValue"
    );
}

#[test]
fn a_subnet_takes_one_ipv6_block_and_gives_it_back() {
    let mut rig = strict();
    let us = rig.us.clone();
    let asked = Request::CreateVpc {
        cidr: "10.7.0.0/16".to_owned(),
        ipv6_cidr: Some("2001:db8::/56".to_owned()),
        tags: [].into(),
    };
    let vpc = rig.ask(&us, asked).unwrap().vpc().unwrap().id;
    let id = made(&mut rig, &vpc, "10.7.1.0/24").id;
    let other = made(&mut rig, &vpc, "10.7.2.0/24").id;
    let take = |id: &ec2sim::SubnetId, cidr: &str| Request::AssociateSubnetCidrBlock {
        subnet_id: id.into(),
        ipv6_cidr: cidr.to_owned(),
    };
    assert_eq!(rig.refused(&us, take(&id, "2001:db8:1::/64")).0, "InvalidSubnet.Range");
    rig.ask(&us, take(&id, "2001:db8::/64")).unwrap();
    assert_eq!(rig.refused(&us, take(&id, "2001:db8:0:1::/64")).0, "SubnetIpv6CidrBlockLimitExceeded");
    assert_eq!(rig.refused(&us, take(&other, "2001:db8::/64")).0, "InvalidSubnet.Conflict");
    let (association, _) = rig.world.subnet(&id).unwrap().ipv6.unwrap();
    let give = Request::DisassociateSubnetCidrBlock { association_id: association.into() };
    let assign = |on| Request::ModifySubnetAttribute {
        subnet_id: (&id).into(),
        attribute: Some(SubnetAttribute::AssignIpv6AddressOnCreation(on)),
    };
    rig.ask(&us, assign(true)).unwrap();
    assert_eq!(rig.refused(&us, give.clone()).0, "InvalidCidrBlock.InUse");
    rig.ask(&us, assign(false)).unwrap();
    rig.ask(&us, give.clone()).unwrap();
    assert_eq!(rig.world.subnet(&id).unwrap().ipv6, None);
    assert_eq!(rig.refused(&us, give).0, "InvalidSubnetCidrBlockAssociationID.NotFound");
}

#[test]
fn one_attribute_is_modified_at_a_time() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let id: String = made(&mut rig, &a, "10.1.1.0/24").id.into();
    let modify = |attribute| Request::ModifySubnetAttribute { subnet_id: id.clone(), attribute };
    rig.ask(&us, modify(Some(SubnetAttribute::MapPublicIpOnLaunch(true)))).unwrap();
    rig.ask(&us, modify(Some(SubnetAttribute::ResourceNameHostnames(true)))).unwrap();
    let seen = subnets(&mut rig, Describe::ids([&id])).remove(0);
    assert!(seen.map_public_ip_on_launch);
    assert_eq!(seen.hostname_type(), "resource-name");
    assert_eq!(rig.refused(&us, modify(None)).0, "MissingParameter");
    let ipv6 = modify(Some(SubnetAttribute::AssignIpv6AddressOnCreation(true)));
    assert_eq!(rig.refused(&us, ipv6).0, "InvalidParameterValue", "it has no IPv6 block");
}

#[test]
fn a_table_is_tied_to_a_subnet_that_exists_in_its_vpc() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let other = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    let (near, far) = (made(&mut rig, &a, "10.1.1.0/24").id, made(&mut rig, &other, "10.3.1.0/24").id);
    let table = rig.world.create_table(&a, &[]).unwrap();
    let tie = |subnet: &str| Request::AssociateRouteTable {
        route_table_id: (&table).into(),
        to: Attach::Subnet(subnet.to_owned()),
    };
    assert_eq!(rig.refused(&us, tie("subnet-0123456789abcdef0")).0, "InvalidSubnetID.NotFound");
    let (code, text) = rig.refused(&us, tie(far.as_str()));
    assert_eq!(code, "InvalidParameterValue");
    assert!(text.ends_with("belong to different networks"), "{text}");
    rig.ask(&us, tie(near.as_str())).unwrap();
    let found = Describe::all().filter("association.subnet-id", [near.as_str()]);
    let page = rig.ask(&us, Request::DescribeRouteTables(found)).unwrap().route_tables().unwrap();
    assert_eq!(page.items.len(), 1);

    rig.ask(&us, Request::DeleteSubnet { subnet_id: (&near).into() }).unwrap();
    assert!(rig.table(&us, &table).associations.is_empty(), "the tie goes with the subnet");
    assert_eq!(rig.refused(&us, tie(near.as_str())).0, "InvalidSubnetID.NotFound");
}

#[test]
fn what_the_world_did_not_make_is_taken_as_given_unless_it_is_told_not_to() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let table = rig.world.create_table(&a, &[]).unwrap();
    let to = Attach::Subnet("subnet-0123456789abcdef0".to_owned());
    rig.ask(&us, Request::AssociateRouteTable { route_table_id: (&table).into(), to }).unwrap();
    rig.world.add_route(&table, "0.0.0.0/0", "igw-0123456789abcdef0").unwrap();
    assert_eq!(rig.table(&us, &table).route("0.0.0.0/0").unwrap().state, RouteState::Active);
    rig.world.refuse_unknown_ids();
    assert_eq!(rig.table(&us, &table).route("0.0.0.0/0").unwrap().state, RouteState::Blackhole);
    let again = rig.world.add_route(&table, "10.99.0.0/16", "igw-0123456789abcdef0").unwrap_err();
    assert_eq!(again.code(), Some("InvalidGatewayID.NotFound"));
}

#[test]
fn a_block_with_subnets_stays_and_so_does_their_vpc() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let added = Request::AssociateVpcCidrBlock { vpc_id: (&a).into(), cidr: "10.8.0.0/16".to_owned() };
    let association = rig.ask(&us, added).unwrap().cidr_association().unwrap().id;
    let held = made(&mut rig, &a, "10.8.1.0/24").id;
    let drop = Request::DisassociateVpcCidrBlock { association_id: association.into() };
    assert_eq!(rig.refused(&us, drop.clone()).0, "InvalidCidrBlock.InUse");
    let delete = Request::DeleteVpc { vpc_id: (&a).into() };
    assert_eq!(rig.refused(&us, delete.clone()).0, "DependencyViolation");
    rig.ask(&us, Request::DeleteSubnet { subnet_id: held.into() }).unwrap();
    rig.ask(&us, drop).unwrap();
    rig.ask(&us, delete).unwrap();
}

#[test]
fn an_internet_gateway_and_a_vpc_have_one_another() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let other = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    let (one, two) = (gateway(&mut rig), gateway(&mut rig));
    rig.ask(&us, attach(&one, &a)).unwrap();
    assert_eq!(rig.refused(&us, attach(&one, &other)).0, "Resource.AlreadyAssociated");
    assert_eq!(rig.refused(&us, attach(&two, &a)).0, "InvalidParameterValue");
    assert_eq!(rig.refused(&us, detach(&two, &a)).0, "Gateway.NotAttached");
    let drop = Request::DeleteInternetGateway { gateway_id: one.clone() };
    assert_eq!(rig.refused(&us, drop.clone()).0, "DependencyViolation");
    assert_eq!(rig.refused(&us, Request::DeleteVpc { vpc_id: (&a).into() }).0, "DependencyViolation");
    let found = Describe::all().filter("attachment.vpc-id", [a.as_str()]);
    let page = rig.ask(&us, Request::DescribeInternetGateways(found)).unwrap().gateways().unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].attached_to.as_ref(), Some(&a));
    rig.ask(&us, detach(&one, &a)).unwrap();
    rig.ask(&us, drop.clone()).unwrap();
    assert_eq!(rig.refused(&us, drop).0, "InvalidInternetGatewayID.NotFound");
    rig.ask(&us, Request::DeleteVpc { vpc_id: (&a).into() }).unwrap();
}

#[test]
fn a_route_leads_to_the_gateway_of_its_own_vpc_and_is_a_blackhole_without_it() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let table = rig.main_table(&a);
    let igw = gateway(&mut rig);
    let refused = rig.world.add_route(&table, "0.0.0.0/0", &igw).unwrap_err();
    assert!(refused.to_string().contains("belong to different networks"), "{refused}");
    rig.ask(&us, attach(&igw, &a)).unwrap();
    rig.world.add_route(&table, "0.0.0.0/0", &igw).unwrap();
    assert_eq!(rig.table(&us, &table).route("0.0.0.0/0").unwrap().state, RouteState::Active);
    rig.ask(&us, detach(&igw, &a)).unwrap();
    assert_eq!(rig.table(&us, &table).route("0.0.0.0/0").unwrap().state, RouteState::Blackhole);
}

#[test]
fn the_console_empties_a_vpc_before_it_deletes_it() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    made(&mut rig, &a, "10.1.1.0/24");
    let igw = gateway(&mut rig);
    rig.ask(&us, attach(&igw, &a)).unwrap();
    rig.world.delete_vpc_in_console(&a).unwrap();
    assert!(rig.world.vpc(&a).is_none());
    assert!(subnets(&mut rig, Describe::all()).is_empty());
    assert!(rig.world.security_groups().all(|group| group.vpc != a));
}

#[test]
fn subnets_are_found_by_their_filters_and_carry_tags() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let one = made(&mut rig, &a, "10.1.1.0/24");
    let two = made(&mut rig, &a, "10.1.2.0/24");
    rig.world.tag(&us, two.id.as_str(), &[("tier", "private")]).unwrap();
    let igw = gateway(&mut rig);
    rig.world.tag(&us, &igw, &[("tier", "edge")]).unwrap();
    for (name, value, wanted) in [
        ("vpc-id", a.as_str(), vec![&one.id, &two.id]),
        ("cidr-block", "10.1.1.0/24", vec![&one.id]),
        ("tag:tier", "private", vec![&two.id]),
        ("availability-zone-id", "euw1-az1", vec![&one.id, &two.id]),
        ("subnet-arn", one.arn.as_str(), vec![&one.id]),
        ("state", "pending", vec![]),
    ] {
        let found = subnets(&mut rig, Describe::all().filter(name, [value]));
        assert_eq!(found.iter().map(|found| &found.id).collect::<Vec<_>>(), wanted, "{name}");
    }
    let odd = Request::DescribeSubnets(Describe::all().filter("colour", ["red"]));
    assert_eq!(rig.refused(&us, odd).0, "InvalidParameterValue");
}

#[test]
fn reads_of_a_new_subnet_lag_and_so_may_writes() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let mut lag = Script::new().delay_ms(Delay::Visibility, 5_000);
    let id = rig.world.call(&us, subnet(&a, "10.1.1.0/24"), &mut lag).unwrap().subnet().unwrap().id;
    let look = Request::DescribeSubnets(Describe::ids([&id]));
    let mut stale = Script::new().pick(Choice::StaleRead, 1);
    let missing = rig.world.call(&us, look.clone(), &mut stale).unwrap_err();
    assert_eq!(missing.code(), Some("InvalidSubnetID.NotFound"));
    let mut early = Script::new().pick(Choice::WriteTooEarly, 1);
    let drop = Request::DeleteSubnet { subnet_id: (&id).into() };
    assert!(rig.world.call(&us, drop.clone(), &mut early).is_err());
    rig.world.advance(5_000);
    let mut stale = Script::new().pick(Choice::StaleRead, 1);
    rig.world.call(&us, look, &mut stale).unwrap();
    assert_eq!(stale.left(), 1, "nothing older is left to show");
}

#[test]
fn subnets_are_limited() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    rig.world.set_quotas(US, EU, Quotas { subnets_per_vpc: 1, ..Quotas::default() });
    made(&mut rig, &a, "10.1.1.0/24");
    assert_eq!(rig.refused(&us, subnet(&a, "10.1.2.0/24")).0, "SubnetLimitExceeded");
}

#[test]
fn a_vpc_comes_with_a_network_acl_and_no_interfaces() {
    let mut rig = strict();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let held = made(&mut rig, &a, "10.1.1.0/24").id;
    let query = Describe::all().filter("vpc-id", [a.as_str()]).filter("default", ["true"]);
    let acls = rig.ask(&us, Request::DescribeNetworkAcls(query)).unwrap().network_acls().unwrap().items;
    assert_eq!(acls.len(), 1);
    assert_eq!(acls[0].associations.iter().map(|(_, subnet)| subnet).collect::<Vec<_>>(), [&held]);
    let by_id = Request::DescribeNetworkAcls(Describe::ids([&acls[0].id]));
    assert_eq!(rig.ask(&us, by_id.clone()).unwrap().network_acls().unwrap().items, acls);
    let them = rig.them.clone();
    assert_eq!(rig.refused(&them, by_id).0, "InvalidNetworkAclID.NotFound");

    let interfaces = Describe::all().filter("group-id", ["sg-0123456789abcdef0"]);
    rig.ask(&us, Request::DescribeNetworkInterfaces(interfaces)).unwrap();
    let one = Request::DescribeNetworkInterfaces(Describe::ids(["eni-0123456789abcdef0"]));
    assert_eq!(rig.refused(&us, one).0, "InvalidNetworkInterfaceID.NotFound");
    let zones = Request::DescribeAvailabilityZones(Describe::all().filter("state", ["available"]));
    assert_eq!(rig.ask(&us, zones).unwrap().zones().unwrap().len(), 3);
}

#[test]
fn a_world_with_subnets_counted_from_now_is_the_same_world() {
    let mut world = World::new();
    let vpc = world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let owner = world.owner_of(&vpc).unwrap();
    let mut lag = Script::new().delay_ms(Delay::Visibility, 9_000);
    world.call(&owner, subnet(&vpc, "10.1.1.0/24"), &mut lag).unwrap();
    let mut later = world.clone();
    later.advance(4_000);
    let mut moved = later.from_now();
    assert_eq!(moved.next_due(), Some(5_000));
    moved.advance(5_000);
    later.advance(9_000);
    assert_eq!(moved.from_now(), later.from_now());
    world.call(&owner, Request::DescribeSubnets(Describe::all()), &mut Calm).unwrap();
}
