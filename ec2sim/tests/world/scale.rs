//! Ten thousand peerings are usable, a clone is cheap. No time is asserted: what is counted is work shared.

use ec2sim::{Action, Caller, Calm, Describe, Destination, Request, RouteOrigin, Target, World};

use crate::rig::*;

#[test]
fn ten_thousand_peerings_with_ten_routes_each() {
    let mut world = World::new();
    world.keep_log(false);
    let us = Caller::new(US, EU);
    let mut first = None;
    for _ in 0..10_000 {
        let a = world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
        let b = world.create_vpc(THEM, VA, "10.2.0.0/16").unwrap();
        let id = world.peer(&a, &b).unwrap();
        let table = world.main_table(&a).unwrap();
        for n in 0..10u8 {
            let net = ipnet::Ipv4Net::new([10, 2, n, 0].into(), 24).unwrap();
            let to = Target::Peering(id.clone());
            assert!(world.inject_route(&table, Destination::Ipv4(net), to, RouteOrigin::CreateRoute));
        }
        first.get_or_insert(id);
    }
    let mut copies: Vec<World> = (0..1_000).map(|_| world.clone()).collect();
    world.delete_peering_as(US, EU, &first.clone().unwrap()).unwrap();
    assert_ne!(copies[0], world);
    copies.clear();

    world.reset_counts();
    let mut dead = 0;
    let mut token = None;
    loop {
        let query = Describe::all().page(100, token);
        let page =
            world.call(&us, Request::DescribeRouteTables(query), &mut Calm).unwrap().route_tables().unwrap();
        dead += page.items.iter().flat_map(|t| &t.routes).filter(|r| r.state.as_str() == "blackhole").count();
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((dead, world.count(Action::DescribeRouteTables)), (10, 100));
    let query = Describe::all().filter("route.vpc-peering-connection-id", [first.unwrap()]);
    let answer = world.call(&us, Request::DescribeRouteTables(query), &mut Calm).unwrap();
    assert_eq!(answer.route_tables().unwrap().items.len(), 1);
}
