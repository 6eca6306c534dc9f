//! A peering's life: states, transitions, tombstones, messages.

use ec2sim::{Delay, PeeringStatus as S, RouteState, Script};

use crate::rig::*;

#[test]
fn every_state_takes_its_time_and_shows_its_message() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let mut slow = Script::new()
        .delay_ms(Delay::Initiating, 1_000)
        .delay_ms(Delay::Provisioning, 2_000)
        .delay_ms(Delay::Deleting, 3_000);
    let request = create(&rig.a, &rig.b, THEM, VA);
    let made = rig.world.call(&us, request, &mut slow).unwrap().peering().unwrap();
    let id = made.id;
    assert_eq!(
        (made.status, made.message.as_str()),
        (S::InitiatingRequest, "Initiating Request to 444455556666")
    );
    assert_eq!(rig.status(&us, &id), Some(S::InitiatingRequest));
    assert_eq!(rig.status(&them, &id), None, "the accepter hears of it later");
    assert_eq!(rig.world.next_due(), Some(1_000));

    rig.world.advance(1_000);
    assert_eq!(rig.peering(&them, &id).message, "Pending Acceptance by 444455556666");
    assert_eq!(rig.peering(&us, &id).expiration_ms, Some(7 * DAY));
    rig.world.call(&them, accept(&id), &mut slow).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::Provisioning));
    rig.world.advance(2_999);
    assert_eq!(rig.status(&us, &id), Some(S::Provisioning));
    rig.world.advance(3_000);
    let active = rig.peering(&us, &id);
    assert_eq!((active.status, active.message.as_str(), active.expiration_ms), (S::Active, "Active", None));

    rig.world.call(&them, delete(&id), &mut slow).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::Deleting));
    rig.world.advance(6_000);
    assert_eq!(rig.peering(&us, &id).message, "Deleted by 444455556666");
    assert_eq!(slow.left(), 0);
}

#[test]
fn a_route_follows_its_peering_and_never_heals_on_another() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let first = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    rig.world.add_route(&table, "10.2.0.0/16", first.as_str()).unwrap();
    let state = |rig: &mut Rig| rig.table(&us, &table).route("10.2.0.0/16").unwrap().state;
    assert_eq!(state(&mut rig), RouteState::Blackhole, "pending");
    rig.world.accept_peering_as(THEM, VA, &first).unwrap();
    assert_eq!(state(&mut rig), RouteState::Active);
    rig.world.delete_peering_as(US, EU, &first).unwrap();
    assert_eq!(state(&mut rig), RouteState::Blackhole);
    let second = rig.world.peer(&rig.a.clone(), &rig.b.clone()).unwrap();
    assert_eq!(state(&mut rig), RouteState::Blackhole);
    rig.world.repoint_route(&table, "10.2.0.0/16", second.as_str()).unwrap();
    assert_eq!(state(&mut rig), RouteState::Active);
}
