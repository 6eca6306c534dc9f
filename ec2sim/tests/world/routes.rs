//! What a route may be, and how AWS says no.

use ec2sim::{
    Choice, CreatePrefixList, Destination, PrefixListId, Request, RouteOrigin, RouteRequest, RouteTableId,
    Script, Tags, Target,
};

use crate::rig::*;

fn add(table: &RouteTableId, destination: &str, target: &str) -> Request {
    Request::CreateRoute(RouteRequest::new(table, destination).target(target))
}

fn replace(table: &RouteTableId, destination: &str, target: &str) -> Request {
    Request::ReplaceRoute(RouteRequest::new(table, destination).target(target))
}

fn remove(table: &RouteTableId, destination: &str) -> Request {
    Request::DeleteRoute(RouteRequest::new(table, destination))
}

fn prefix_list(rig: &mut Rig, max_entries: u32, family: &str) -> PrefixListId {
    let us = rig.us.clone();
    let request = Request::CreateManagedPrefixList(CreatePrefixList {
        name: "peers".to_owned(),
        max_entries,
        address_family: family.to_owned(),
        entries: Vec::new(),
        client_token: None,
        tags: Tags::new(),
    });
    rig.ask(&us, request).unwrap().prefix_list().unwrap().id
}

#[test]
fn a_destination_is_kept_in_canonical_form_and_found_in_no_other() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    rig.ask(&us, add(&table, "100.68.0.18/18", "nat-1")).unwrap();
    rig.ask(&us, add(&table, "2001:DB8:0:0::1/64", "nat-1")).unwrap();
    let view = rig.table(&us, &table);
    assert!(view.route("100.68.0.0/18").is_some() && view.route("2001:db8::/64").is_some());

    let (code, message) = rig.refused(&us, add(&table, "100.68.1.0/18", "nat-2"));
    assert_eq!(
        (code, message.as_str()),
        ("RouteAlreadyExists", "The route identified by 100.68.0.0/18 already exists.")
    );
    assert_eq!(rig.refused(&us, add(&table, "2001:db8::/64", "nat-2")).0, "RouteAlreadyExists");

    let (code, message) = rig.refused(&us, replace(&table, "100.68.0.18/18", "nat-2"));
    assert_eq!(code, "InvalidParameterValue");
    let wanted =
        "There is no route defined for '100.68.0.18/18' in the route table. Use CreateRoute instead.";
    assert_eq!(message, wanted);
    assert_eq!(rig.refused(&us, remove(&table, "100.68.0.18/18")).0, "InvalidRoute.NotFound");
    rig.ask(&us, replace(&table, "100.68.0.0/18", "nat-2")).unwrap();
    rig.ask(&us, replace(&table, "2001:DB8:0:0::/64", "nat-2")).unwrap();
    let view = rig.table(&us, &table);
    assert_eq!(view.route("100.68.0.0/18").unwrap().target.as_str(), "nat-2");
    assert_eq!(view.route("2001:db8::/64").unwrap().target.as_str(), "nat-2");
    rig.ask(&us, remove(&table, "100.68.0.0/18")).unwrap();
    assert!(rig.table(&us, &table).route("100.68.0.0/18").is_none());
}

#[test]
fn replace_needs_a_route_and_create_needs_none() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    assert_eq!(rig.refused(&us, replace(&table, "10.2.0.0/16", id.as_str())).0, "InvalidParameterValue");
    let (code, message) = rig.refused(&us, remove(&table, "10.2.0.0/16"));
    assert_eq!(code, "InvalidRoute.NotFound");
    assert_eq!(message, format!("no route with destination-cidr-block 10.2.0.0/16 in route table {table}"));
    rig.ask(&us, add(&table, "10.2.0.0/16", id.as_str())).unwrap();
    assert_eq!(rig.refused(&us, add(&table, "10.2.0.0/16", id.as_str())).0, "RouteAlreadyExists");
    assert!(rig.table(&us, &table).route("10.2.0.0/16").is_some());
}

#[test]
fn exactly_one_destination_and_one_target() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let good = RouteRequest::new(&table, "10.2.0.0/16").target("nat-1");
    let cases = [
        (RouteRequest { destination_cidr_block: None, ..good.clone() }, "MissingParameter"),
        (RouteRequest { nat_gateway_id: None, ..good.clone() }, "MissingParameter"),
        (
            RouteRequest { destination_ipv6_cidr_block: Some("2001:db8::/64".into()), ..good.clone() },
            "InvalidParameterCombination",
        ),
        (good.clone().target("igw-1"), "InvalidParameterCombination"),
        (
            RouteRequest { destination_cidr_block: Some("10.2.0.0/33".into()), ..good.clone() },
            "InvalidParameterValue",
        ),
        (RouteRequest { local_target: true, nat_gateway_id: None, ..good.clone() }, "InvalidParameterValue"),
        (
            RouteRequest { route_table_id: "rtb-0000000000000ffff".into(), ..good.clone() },
            "InvalidRouteTableID.NotFound",
        ),
        (RouteRequest { route_table_id: "rtb-x".into(), ..good.clone() }, "InvalidRouteTableId.Malformed"),
        (
            RouteRequest::new(&table, "10.2.0.0/16").target("pcx-0000000000000ffff"),
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
        (RouteRequest::new(&table, "10.2.0.0/16").target("pcx-x"), "InvalidVpcPeeringConnectionId.Malformed"),
        (RouteRequest::new(&table, "pl-0000000000000ffff").target("nat-1"), "InvalidPrefixListID.NotFound"),
    ];
    for (request, code) in cases {
        assert_eq!(rig.refused(&us, Request::CreateRoute(request.clone())).0, code, "{request:?}");
    }
    rig.ask(&us, Request::CreateRoute(good)).unwrap();
}

#[test]
fn local_routes_are_protected() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let (code, message) = rig.refused(&us, remove(&table, "10.1.0.0/16"));
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(message, format!("cannot remove local route 10.1.0.0/16 in route table {table}"));
    assert_eq!(rig.refused(&us, add(&table, "10.1.0.0/16", id.as_str())).0, "RouteAlreadyExists");
    let wanted = "Route target is not supported. This route only supports interface and instance targets.";
    assert_eq!(rig.refused(&us, replace(&table, "10.1.0.0/16", id.as_str())).1, wanted);
    assert_eq!(rig.refused(&us, add(&table, "10.1.8.0/24", id.as_str())).1, wanted);

    rig.ask(&us, replace(&table, "10.1.0.0/16", "eni-1")).unwrap();
    let back = RouteRequest { local_target: true, ..RouteRequest::new(&table, "10.1.0.0/16") };
    rig.ask(&us, Request::ReplaceRoute(back)).unwrap();
    assert_eq!(rig.table(&us, &table).route("10.1.0.0/16").unwrap().target, Target::Local);
    rig.ask(&us, add(&table, "10.0.0.0/8", id.as_str())).unwrap();
}

#[test]
fn the_peering_must_be_of_the_tables_vpc() {
    let mut rig = rig();
    let us = rig.us.clone();
    let other = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let table = rig.main_table(&other);
    let (code, message) = rig.refused(&us, add(&table, "10.2.0.0/16", id.as_str()));
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(message, format!("route table {table} and network gateway {id} belong to different networks"));
}

#[test]
fn an_ended_peering_is_no_target_whatever_words_aws_has_for_it() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.add_route(&table, "10.2.0.0/16", "nat-1").unwrap();
    rig.ask(&us, delete(&id)).unwrap();
    let codes = ["InvalidVpcPeeringConnectionID.NotFound", "InvalidStateTransition", "InvalidParameterValue"];
    for (way, code) in codes.into_iter().enumerate() {
        for request in [add(&table, "10.4.0.0/16", id.as_str()), replace(&table, "10.2.0.0/16", id.as_str())]
        {
            let mut chance = Script::new().pick(Choice::RouteToEnded, way);
            let failure = rig.world.call(&us, request, &mut chance).unwrap_err();
            assert_eq!(failure.code(), Some(code));
        }
    }
    assert_eq!(rig.table(&us, &table).routes.len(), 2);
}

#[test]
fn an_edge_table_takes_no_peering_and_no_prefix_list() {
    let mut rig = rig();
    let us = rig.us.clone();
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let id = rig.world.peer(&a, &b).unwrap();
    let to_gateway = |table: &RouteTableId, gateway: &str| Request::AssociateRouteTable {
        route_table_id: table.into(),
        to: ec2sim::Attach::Gateway(gateway.to_owned()),
    };
    let edge = rig.world.create_table(&a, &[]).unwrap();
    rig.ask(&us, to_gateway(&edge, "igw-1")).unwrap();
    assert!(rig.table(&us, &edge).is_edge());
    assert_eq!(rig.refused(&us, add(&edge, "10.2.0.0/16", id.as_str())).0, "InvalidParameterValue");
    let list = prefix_list(&mut rig, 5, "IPv4");
    assert_eq!(rig.refused(&us, add(&edge, list.as_str(), "eni-1")).0, "InvalidParameterValue");
    rig.ask(&us, add(&edge, "10.1.3.0/24", "eni-1")).unwrap();

    let plain = rig.world.create_table(&a, &[]).unwrap();
    rig.ask(&us, add(&plain, "10.2.0.0/16", id.as_str())).unwrap();
    assert_eq!(rig.refused(&us, to_gateway(&plain, "vgw-1")).0, "InvalidParameterValue");
}

#[test]
fn ipv4_and_ipv6_have_a_quota_each_and_a_prefix_list_weighs_its_max_entries() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let quotas = ec2sim::Quotas { routes_per_table: 5, ..rig.world.quotas(US, EU) };
    rig.world.set_quotas(US, EU, quotas);
    let list = prefix_list(&mut rig, 3, "IPv4");
    let list6 = prefix_list(&mut rig, 5, "IPv6");
    rig.ask(&us, add(&table, list.as_str(), "nat-1")).unwrap();
    rig.ask(&us, add(&table, "10.2.0.0/16", "nat-1")).unwrap();
    rig.ask(&us, add(&table, "10.3.0.0/16", "nat-1")).unwrap();
    let (code, message) = rig.refused(&us, add(&table, "10.4.0.0/16", "nat-1"));
    assert_eq!(
        (code, message.as_str()),
        ("RouteLimitExceeded", "The maximum number of routes has been reached.")
    );
    rig.ask(&us, add(&table, list6.as_str(), "nat-1")).unwrap();
    assert_eq!(rig.refused(&us, add(&table, "2001:db8::/64", "nat-1")).0, "RouteLimitExceeded");
    rig.ask(&us, replace(&table, "10.3.0.0/16", "nat-2")).unwrap();

    let dest: Destination = "10.5.0.0/16".parse::<ipnet::IpNet>().unwrap().into();
    assert!(rig.world.propagate_route(&table, dest, "vgw-1"), "propagated routes don't count");
    rig.ask(&us, remove(&table, list.as_str())).unwrap();
    rig.ask(&us, add(&table, "10.4.0.0/16", "nat-1")).unwrap();
}

#[test]
fn a_propagated_route_stands_beside_a_static_one_and_is_not_ours_to_change() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let dest: Destination = "10.5.0.0/16".parse::<ipnet::IpNet>().unwrap().into();
    rig.world.propagate_route(&table, dest, "vgw-1");
    assert_eq!(rig.refused(&us, remove(&table, "10.5.0.0/16")).0, "InvalidRoute.NotFound");
    rig.ask(&us, add(&table, "10.5.0.0/16", "nat-1")).unwrap();
    let view = rig.table(&us, &table);
    let both: Vec<_> =
        view.routes.iter().filter(|route| route.destination.to_string() == "10.5.0.0/16").collect();
    assert_eq!(both.len(), 2);
    assert_eq!(both[1].origin, RouteOrigin::EnableVgwRoutePropagation);
    assert_eq!(view.propagating_vgws, ["vgw-1".into()]);
}

#[test]
fn a_prefix_list_in_use_stays_and_holds_what_it_says() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let list = prefix_list(&mut rig, 2, "IPv4");
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.ask(&us, add(&table, list.as_str(), id.as_str())).unwrap();
    assert_eq!(rig.refused(&us, add(&table, list.as_str(), "nat-1")).0, "RouteAlreadyExists");
    rig.ask(&us, replace(&table, list.as_str(), id.as_str())).unwrap();
    let modify = |add: &[&str], remove: &[&str]| Request::ModifyManagedPrefixList {
        prefix_list_id: (&list).into(),
        current_version: None,
        name: None,
        max_entries: None,
        add: add.iter().map(|s| (*s).into()).collect(),
        remove: remove.iter().map(|s| (*s).to_owned()).collect(),
    };
    rig.ask(&us, modify(&["10.2.0.0/16", "10.3.0.0/16"], &[])).unwrap();
    assert_eq!(rig.refused(&us, modify(&["10.4.0.0/16"], &[])).0, "PrefixListMaxEntriesExceeded");
    assert_eq!(rig.refused(&us, modify(&["2001:db8::/64"], &["10.3.0.0/16"])).0, "InvalidParameterValue");
    rig.ask(&us, modify(&["10.4.0.0/16"], &["10.3.0.0/16"])).unwrap();
    let mut token = None;
    let mut entries = Vec::new();
    loop {
        let request = Request::GetManagedPrefixListEntries {
            prefix_list_id: (&list).into(),
            target_version: None,
            max_results: Some(1),
            next_token: token,
        };
        let page = rig.ask(&us, request).unwrap().prefix_list_entries().unwrap();
        entries.extend(page.items.iter().map(|entry| entry.cidr.to_string()));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(entries, ["10.2.0.0/16", "10.4.0.0/16"]);
    let drop = Request::DeleteManagedPrefixList { prefix_list_id: (&list).into() };
    assert_eq!(rig.refused(&us, drop.clone()).0, "DependencyViolation");
    rig.ask(&us, remove(&table, list.as_str())).unwrap();
    rig.ask(&us, drop).unwrap();
}

#[test]
fn a_broken_gateway_is_a_blackhole_until_it_is_mended() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    rig.world.add_route(&table, "0.0.0.0/0", "nat-1").unwrap();
    let state = |rig: &mut Rig| rig.table(&us, &table).route("0.0.0.0/0").unwrap().state.as_str();
    rig.world.break_target("nat-1");
    assert_eq!(state(&mut rig), "blackhole");
    rig.world.mend_target("nat-1");
    assert_eq!(state(&mut rig), "active");
}

#[test]
fn a_test_can_put_any_route_anywhere() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let lost = ec2sim::PeeringId::parse("pcx-0123456789abcdef0").unwrap();
    let dest: Destination = "10.1.7.0/24".parse::<ipnet::IpNet>().unwrap().into();
    assert!(rig.world.inject_route(&table, dest, Target::Peering(lost), RouteOrigin::CreateRoute));
    let view = rig.table(&us, &table);
    assert_eq!(view.route("10.1.7.0/24").unwrap().state.as_str(), "blackhole");
}
