//! Eventual consistency: reads lag behind writes, and disagree with one another.

use ec2sim::{Choice, Delay, Describe, PeeringStatus as S, Request, RouteRequest, Script};

use crate::rig::*;

fn lagging() -> Script {
    Script::new().always_delay_ms(Delay::Visibility, 10_000)
}

#[test]
fn after_create_it_may_not_be_found_and_two_reads_may_disagree() {
    let mut rig = rig();
    let us = rig.us.clone();
    let request = create(&rig.a, &rig.b, THEM, VA);
    let id = rig.world.call(&us, request, &mut lagging()).unwrap().peering().unwrap().id;
    let read = |rig: &mut Rig, chance: &mut Script| {
        let request = Request::DescribeVpcPeeringConnections(Describe::ids([&id]));
        rig.world.call(&us, request, chance).map(|answer| answer.peerings().unwrap().items[0].status)
    };
    // 0 is the newest version, 2 the oldest: it did not exist.
    let mut chance = Script::new();
    for way in [0, 2, 1, 0] {
        chance = chance.pick(Choice::StaleRead, way);
    }
    assert_eq!(read(&mut rig, &mut chance), Ok(S::PendingAcceptance));
    let missing = read(&mut rig, &mut chance).unwrap_err();
    assert_eq!(missing.code(), Some("InvalidVpcPeeringConnectionID.NotFound"));
    assert_eq!(read(&mut rig, &mut chance), Ok(S::InitiatingRequest));
    assert_eq!(read(&mut rig, &mut chance), Ok(S::PendingAcceptance));
    assert_eq!(chance.left(), 0);

    rig.world.advance(10_000);
    let mut stale = Script::new().always_pick(Choice::StaleRead, 1);
    assert_eq!(read(&mut rig, &mut stale), Ok(S::PendingAcceptance), "the lag is over");
}

#[test]
fn a_terminal_state_once_shown_may_be_followed_by_an_older_one() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.call(&us, delete(&id), &mut lagging()).unwrap();
    let mut seen = Vec::new();
    for way in [0, 2, 0, 1] {
        let mut chance = Script::new().pick(Choice::StaleRead, way);
        let request = Request::DescribeVpcPeeringConnections(Describe::ids([&id]));
        let answer = rig.world.call(&us, request, &mut chance).unwrap();
        seen.push(answer.peerings().unwrap().items[0].status);
    }
    assert_eq!(seen, [S::Deleted, S::Active, S::Deleted, S::Deleting]);
}

#[test]
fn the_two_sides_see_a_change_at_different_times() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    rig.world.call(&them, accept(&id), &mut lagging()).unwrap();
    let mut chance = Script::new().pick(Choice::StaleRead, 2);
    let request = Request::DescribeVpcPeeringConnections(Describe::ids([&id]));
    let ours = rig.world.call(&us, request.clone(), &mut chance).unwrap().peerings().unwrap();
    let theirs = rig.world.call(&them, request, &mut chance).unwrap().peerings().unwrap();
    assert_eq!((ours.items[0].status, theirs.items[0].status), (S::PendingAcceptance, S::Active));
}

#[test]
fn routes_tags_and_deletions_lag_too() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let table = rig.world.create_table(&a, &[]).unwrap();
    let route = Request::CreateRoute(RouteRequest::new(&table, "10.2.0.0/16").target("nat-1"));
    rig.world.call(&us, route, &mut lagging()).unwrap();
    let stale = |rig: &mut Rig| {
        let request = Request::DescribeRouteTables(Describe::ids([&table]));
        let mut chance = Script::new().pick(Choice::StaleRead, 1);
        rig.world.call(&us, request, &mut chance).map(|answer| answer.route_tables().unwrap().items.remove(0))
    };
    assert!(stale(&mut rig).unwrap().route("10.2.0.0/16").is_none());
    assert!(rig.table(&us, &table).route("10.2.0.0/16").is_some());
    rig.world.advance(10_000);

    rig.world
        .call(&us, Request::DeleteRouteTable { route_table_id: (&table).into() }, &mut lagging())
        .unwrap();
    assert!(stale(&mut rig).is_ok(), "it is gone, and still shown");
    rig.world.advance(20_000);
    assert_eq!(stale(&mut rig).unwrap_err().code(), Some("InvalidRouteTableID.NotFound"));
    assert_eq!(rig.world.next_due(), None);

    let tag = Request::CreateTags { resources: vec![(&a).into()], tags: [("k".into(), "v".into())].into() };
    rig.world.call(&us, tag, &mut lagging()).unwrap();
    let mut chance = Script::new().pick(Choice::StaleRead, 1);
    let answer = rig.world.call(&us, Request::DescribeVpcs(Describe::ids([&a])), &mut chance).unwrap();
    assert!(answer.vpcs().unwrap().items[0].tags.is_empty());
}

#[test]
fn a_write_may_come_too_early_for_what_was_just_created() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let request = create(&rig.a, &rig.b, THEM, VA);
    let id = rig.world.call(&us, request, &mut lagging()).unwrap().peering().unwrap().id;
    let mut early = Script::new().always_pick(Choice::WriteTooEarly, 1);
    let failure = rig.world.call(&them, accept(&id), &mut early).unwrap_err();
    assert_eq!(failure.code(), Some("InvalidVpcPeeringConnectionID.NotFound"));
    let table = rig.main_table(&rig.a);
    let route = Request::CreateRoute(RouteRequest::new(&table, "10.2.0.0/16").peering(&id));
    let failure = rig.world.call(&us, route.clone(), &mut early).unwrap_err();
    assert_eq!(failure.code(), Some("InvalidVpcPeeringConnectionID.NotFound"));
    rig.world.advance(10_000);
    rig.world.call(&us, route, &mut early).unwrap();
    rig.world.call(&them, accept(&id), &mut early).unwrap();
}

#[test]
fn a_transition_that_happens_by_itself_lags_as_well() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    // Of the two lags the second is that of becoming active.
    let mut chance = Script::new()
        .delay_ms(Delay::Provisioning, 1_000)
        .delay_ms(Delay::Visibility, 0)
        .delay_ms(Delay::Visibility, 5_000);
    rig.world.call(&them, accept(&id), &mut chance).unwrap();
    rig.world.advance(1_000);
    let mut stale = Script::new().always_pick(Choice::StaleRead, 1);
    let request = Request::DescribeVpcPeeringConnections(Describe::ids([&id]));
    let mut read = |world: &mut ec2sim::World| {
        world.call(&us, request.clone(), &mut stale).unwrap().peerings().unwrap().items[0].status
    };
    assert_eq!(read(&mut rig.world), S::Provisioning);
    rig.world.advance(6_000);
    assert_eq!(read(&mut rig.world), S::Active);
}
