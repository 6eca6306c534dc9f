//! Ids, filters, pages.

use ec2sim::{Choice, Describe, PeeringId, Request, Script, VpcId};

use crate::rig::*;

/// Our VPC with several peers, one active, one rejected, the rest waiting.
fn crowd(count: usize) -> (Rig, Vec<PeeringId>) {
    let mut rig = rig();
    let mut ids = Vec::new();
    for n in 0..count {
        let peer = rig.world.create_vpc(THEM, VA, &format!("10.{}.0.0/16", n + 10)).unwrap();
        ids.push(rig.world.request_peering(&rig.a, &peer).unwrap());
    }
    rig.world.accept_peering_as(THEM, VA, &ids[0]).unwrap();
    rig.world.reject_peering_as(THEM, VA, &ids[1]).unwrap();
    (rig, ids)
}

fn shown(rig: &mut Rig, query: Describe) -> Vec<PeeringId> {
    let us = rig.us.clone();
    rig.peerings(&us, query).items.into_iter().map(|peering| peering.id).collect()
}

#[test]
fn peerings_are_found_by_each_filter() {
    let (mut rig, ids) = crowd(4);
    let us = rig.us.clone();
    rig.world.tag(&us, ids[2].as_str(), &[("team", "network")]).unwrap();
    let peer: VpcId = rig.world.peering(&ids[3]).unwrap().accepter.vpc;
    let cases: Vec<(&str, Vec<String>, Vec<usize>)> = vec![
        ("status-code", vec!["active".into()], vec![0]),
        ("status-code", vec!["active".into(), "rejected".into()], vec![0, 1]),
        ("status-message", vec!["Pending Acceptance by*".into()], vec![2, 3]),
        ("accepter-vpc-info.vpc-id", vec![peer.into()], vec![3]),
        ("accepter-vpc-info.owner-id", vec![THEM.into()], vec![0, 1, 2, 3]),
        ("requester-vpc-info.vpc-id", vec![(&rig.a).into()], vec![0, 1, 2, 3]),
        ("requester-vpc-info.owner-id", vec![THEM.into()], vec![]),
        ("requester-vpc-info.cidr-block", vec!["10.1.0.0/16".into()], vec![0]),
        ("accepter-vpc-info.cidr-block", vec!["10.10.0.0/16".into()], vec![0]),
        ("vpc-peering-connection-id", vec![(&ids[1]).into()], vec![1]),
        ("expiration-time", vec![(7 * DAY).to_string()], vec![2, 3]),
        ("tag:team", vec!["net????".into()], vec![2]),
        ("tag:team", vec!["net".into()], vec![]),
        ("tag-key", vec!["t*m".into()], vec![2]),
    ];
    for (filter, values, wanted) in cases {
        let found = shown(&mut rig, Describe::all().filter(filter, values.clone()));
        let wanted: Vec<_> = wanted.into_iter().map(|n| ids[n].clone()).collect();
        assert_eq!(found, wanted, "{filter} {values:?}");
    }
    let both = Describe::all().filter("status-code", ["pending-acceptance"]).filter("tag-key", ["team"]);
    assert_eq!(shown(&mut rig, both), [ids[2].clone()]);
    let none = Describe::ids([&ids[0]]).filter("status-code", ["rejected"]);
    assert_eq!(shown(&mut rig, none), []);
}

#[test]
fn tables_are_found_by_each_filter() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let main = rig.main_table(&a);
    let table = rig.world.create_table(&a, &[("tier", "private")]).unwrap();
    let attach = Request::AssociateRouteTable {
        route_table_id: (&table).into(),
        to: ec2sim::Attach::Subnet("subnet-1".to_owned()),
    };
    rig.ask(&us, attach).unwrap();
    rig.world.add_route(&table, "10.2.0.0/16", id.as_str()).unwrap();
    rig.world.add_route(&table, "2001:db8::/64", "eigw-1").unwrap();
    rig.world.add_route(&main, "0.0.0.0/0", "nat-1").unwrap();
    rig.world.delete_peering_as(THEM, VA, &id).unwrap();
    let (both, only_main, only_table) =
        (vec![main.clone(), table.clone()], vec![main.clone()], vec![table.clone()]);
    let cases: Vec<(&str, String, &Vec<_>)> = vec![
        ("vpc-id", a.into(), &both),
        ("owner-id", US.into(), &both),
        ("route-table-id", (&table).into(), &only_table),
        ("association.main", "true".into(), &only_main),
        ("association.main", "false".into(), &only_table),
        ("association.subnet-id", "subnet-1".into(), &only_table),
        ("association.route-table-id", (&main).into(), &only_main),
        ("route.vpc-peering-connection-id", id.into(), &only_table),
        ("route.state", "blackhole".into(), &only_table),
        ("route.destination-cidr-block", "10.2.0.0/16".into(), &only_table),
        ("route.destination-ipv6-cidr-block", "2001:db8::/64".into(), &only_table),
        ("route.egress-only-internet-gateway-id", "eigw-1".into(), &only_table),
        ("route.nat-gateway-id", "nat-1".into(), &only_main),
        ("route.gateway-id", "local".into(), &both),
        ("route.origin", "CreateRoute".into(), &both),
        ("tag:tier", "private".into(), &only_table),
    ];
    for (filter, value, wanted) in cases {
        let request = Request::DescribeRouteTables(Describe::all().filter(filter, [value.clone()]));
        let page = rig.ask(&us, request).unwrap().route_tables().unwrap();
        let found: Vec<_> = page.items.into_iter().map(|table| table.id).collect();
        assert_eq!(&found, wanted, "{filter} {value}");
    }
}

#[test]
fn what_aws_does_not_know_is_an_error() {
    let (mut rig, ids) = crowd(2);
    let us = rig.us.clone();
    let ask = |rig: &mut Rig, query| rig.refused(&us, Request::DescribeVpcPeeringConnections(query));
    let (code, message) = ask(&mut rig, Describe::all().filter("status", ["active"]));
    assert_eq!((code, message.as_str()), ("InvalidParameterValue", "The filter 'status' is invalid"));
    assert_eq!(ask(&mut rig, Describe::all().filter("status-code", [""; 0])).0, "MissingParameter");
    let unknown = Describe::ids([ids[0].as_str(), "pcx-0000000000000ffff"]);
    let (code, message) = ask(&mut rig, unknown);
    assert_eq!(code, "InvalidVpcPeeringConnectionID.NotFound");
    assert_eq!(message, "The vpcPeeringConnection ID 'pcx-0000000000000ffff' does not exist");
    assert_eq!(ask(&mut rig, Describe::ids(["pcx-"])).0, "InvalidVpcPeeringConnectionId.Malformed");
    for most in [4, 1_001] {
        assert_eq!(ask(&mut rig, Describe::all().page(most, None)).0, "InvalidParameterValue");
    }
    let cases = [
        (Request::DescribeVpcs(Describe::ids(["vpc-0000000000000ffff"])), "InvalidVpcID.NotFound"),
        (Request::DescribeVpcs(Describe::ids(["vpc"])), "InvalidVpcID.Malformed"),
        (Request::DescribeVpcs(Describe::all().filter("name", ["x"])), "InvalidParameterValue"),
        (
            Request::DescribeRouteTables(Describe::ids(["rtb-0000000000000ffff"])),
            "InvalidRouteTableID.NotFound",
        ),
        (Request::DescribeRouteTables(Describe::ids(["rtb"])), "InvalidRouteTableId.Malformed"),
        (Request::DescribeRouteTables(Describe::all().page(101, None)), "InvalidParameterValue"),
        (
            Request::DescribeManagedPrefixLists(Describe::ids(["pl-0000000000000ffff"])),
            "InvalidPrefixListID.NotFound",
        ),
    ];
    for (request, code) in cases {
        assert_eq!(rig.refused(&us, request.clone()).0, code, "{request:?}");
    }
}

/// All pages of a query, and how many there were.
fn walk(rig: &mut Rig, chance: &mut Script, most: u32) -> (Vec<PeeringId>, usize) {
    let us = rig.us.clone();
    let (mut ids, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let query = Describe::all().page(most, token);
        let answer = rig.world.call(&us, Request::DescribeVpcPeeringConnections(query), chance).unwrap();
        let page = answer.peerings().unwrap();
        ids.extend(page.items.into_iter().map(|peering| peering.id));
        pages += 1;
        token = page.next_token;
        if token.is_none() {
            return (ids, pages);
        }
    }
}

#[test]
fn pages_hold_everything_once_and_full_ones_are_as_few_as_can_be() {
    for (count, pages) in [(4, 1), (5, 1), (6, 2), (10, 2), (11, 3)] {
        let (mut rig, ids) = crowd(count);
        assert_eq!(walk(&mut rig, &mut Script::new(), 5), (ids.clone(), pages), "{count}");
        let mut halves = Script::new().always_pick(Choice::ShortPage, 1);
        assert_eq!(walk(&mut rig, &mut halves, 5).0, ids);
        let mut empties = Script::new().always_pick(Choice::ShortPage, 2);
        let (found, walked) = walk(&mut rig, &mut empties, 5);
        assert_eq!(found, ids);
        assert_eq!(walked, 2 * pages, "an empty page before each full one");
    }
}

#[test]
fn a_token_is_bound_to_its_query_and_caller() {
    let (mut rig, _) = crowd(12);
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let token = rig.peerings(&us, Describe::all().page(5, None)).next_token;
    assert!(token.is_some());
    let other = Describe::all().filter("status-code", ["active"]).page(5, token.clone());
    let cases = [
        (us.clone(), other),
        (them, Describe::all().page(5, token.clone())),
        (us.clone(), Describe::all().page(5, Some("nonsense".to_owned()))),
        (us.clone(), Describe::all().page(5, Some("ünsinnig-ünsinnig".to_owned()))),
    ];
    for (caller, query) in cases {
        let (code, _) = rig.refused(&caller, Request::DescribeVpcPeeringConnections(query));
        assert_eq!(code, "InvalidNextToken");
    }
    assert_eq!(
        rig.peerings(&us, Describe::all().page(6, token)).items.len(),
        6,
        "the page may change its size"
    );
}

#[test]
fn vpcs_and_prefix_lists_are_described_too() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    rig.world.tag(&us, a.as_str(), &[("env", "prod")]).unwrap();
    rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    for (filter, value) in [
        ("tag:env", "prod"),
        ("cidr", "10.1.0.0/16"),
        ("cidr-block-association.cidr-block", "10.1.*"),
        ("vpc-id", a.as_str()),
    ] {
        let request = Request::DescribeVpcs(Describe::all().filter(filter, [value]));
        let page = rig.ask(&us, request).unwrap().vpcs().unwrap();
        assert_eq!(page.items.iter().map(|vpc| &vpc.id).collect::<Vec<_>>(), [&a], "{filter}");
    }
    let list = Request::CreateManagedPrefixList(ec2sim::CreatePrefixList {
        name: "peers".to_owned(),
        max_entries: 7,
        address_family: "IPv6".to_owned(),
        entries: vec!["2001:db8::/64".into()],
        client_token: None,
        tags: ec2sim::Tags::new(),
    });
    let made = rig.ask(&us, list).unwrap().prefix_list().unwrap();
    let query = Describe::all().filter("prefix-list-name", ["peers"]);
    let page = rig.ask(&us, Request::DescribeManagedPrefixLists(query)).unwrap().prefix_lists().unwrap();
    assert_eq!(page.items, [made]);
    assert_eq!((page.items[0].max_entries, page.items[0].address_family), (7, "IPv6"));
}
