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

#[test]
fn a_wrong_vpc_account_region_or_overlap_ends_as_failed_with_one_text() {
    let mut rig = rig();
    let us = rig.us.clone();
    let unknown = ec2sim::VpcId::parse("vpc-0fedcba9876543210").unwrap();
    let b = rig.b.clone();
    let overlapping = rig.world.create_vpc(THEM, VA, "10.1.4.0/24").unwrap();
    let same = rig.a.clone();
    let cases = [
        ("unknown VPC", unknown, THEM, VA),
        ("wrong account", b.clone(), "999999999999", VA),
        ("wrong Region", b, THEM, EU),
        ("overlap", overlapping, THEM, VA),
        ("itself", same, US, EU),
    ];
    for (why, peer, owner, region) in cases {
        let request = create(&rig.a, &peer, owner, region);
        let made = rig.ask(&us, request).unwrap().peering().unwrap();
        let seen = rig.peering(&us, &made.id);
        assert_eq!(seen.status, S::Failed, "{why}");
        assert_eq!(
            seen.message, "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
            "{why}"
        );
        let (code, message) = rig.refused(&us, delete(&made.id));
        assert_eq!(code, "InvalidStateTransition", "{why}");
        let wanted = format!(
            "Invalid state transition for {}, attempted to transition from failed to deleting",
            made.id
        );
        assert_eq!(message, wanted, "{why}");
    }
}

#[test]
fn cidrs_and_options_show_only_while_it_is_active() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let request = create(&rig.a, &rig.b, THEM, VA);
    let made = rig.ask(&us, request).unwrap().peering().unwrap();
    assert_eq!(made.requester.cidr_block.unwrap().to_string(), "10.1.0.0/16");
    assert_eq!(made.accepter.cidr_block, None);
    let dark = |rig: &mut Rig| {
        let seen = rig.peering(&us, &made.id);
        for side in [seen.requester, seen.accepter] {
            assert_eq!(side.cidr_block, None);
            assert!(side.ipv4_cidrs.is_empty());
            assert_eq!(side.allow_dns_resolution_from_remote_vpc, None);
        }
    };
    dark(&mut rig);
    rig.ask(&them, accept(&made.id)).unwrap();
    let active = rig.peering(&us, &made.id);
    assert_eq!(active.accepter.ipv4_cidrs, ["10.2.0.0/16".parse().unwrap()]);
    assert_eq!(active.accepter.allow_dns_resolution_from_remote_vpc, Some(false));
    rig.ask(&us, delete(&made.id)).unwrap();
    dark(&mut rig);
}

#[test]
fn deleting_before_provisioning_ends_does_not_come_alive_again() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let mut slow = Script::new().delay_ms(Delay::Provisioning, 5_000).delay_ms(Delay::Deleting, 60_000);
    rig.world.call(&them, accept(&id), &mut slow).unwrap();
    rig.world.call(&us, delete(&id), &mut slow).unwrap();
    for at_ms in [5_000, 59_999] {
        rig.world.advance(at_ms);
        assert_eq!(rig.status(&us, &id), Some(S::Deleting));
    }
    rig.world.advance(60_000);
    assert_eq!(rig.status(&us, &id), Some(S::Deleted));
}

#[test]
fn deleting_what_is_being_deleted_is_no_error_and_what_was_deleted_may_be_either() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let mut slow = Script::new().delay_ms(Delay::Deleting, 1_000).pick(ec2sim::Choice::DeleteAgain, 1);
    rig.world.call(&us, delete(&id), &mut slow).unwrap();
    rig.world.call(&us, delete(&id), &mut slow).unwrap();
    rig.world.advance(1_000);
    rig.world.call(&us, delete(&id), &mut slow).unwrap();
    let (code, message) = rig.refused(&us, delete(&id));
    assert_eq!(code, "InvalidStateTransition");
    assert!(message.ends_with("from deleted to deleting"), "{message}");
}

#[test]
fn any_state_can_be_forced() {
    let mut rig = rig();
    let us = rig.us.clone();
    for status in S::ALL {
        let id = rig.world.peer(&rig.a, &rig.b).unwrap();
        assert!(rig.world.force_peering(&id, *status));
        assert_eq!(rig.status(&us, &id), Some(*status));
        rig.world.force_peering(&id, S::Deleted);
        rig.world.advance(rig.world.now_ms() + 2 * DAY);
        assert_eq!(rig.world.peering(&id), None, "{status}: it ends as any other");
    }
}

#[test]
fn a_request_withdrawn_at_once_has_nothing_left_to_do_but_vanish() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let mut slow = Script::new().delay_ms(Delay::Initiating, 1_000);
    let request = create(&rig.a, &rig.b, THEM, VA);
    let id = rig.world.call(&us, request, &mut slow).unwrap().peering().unwrap().id;
    rig.ask(&us, delete(&id)).unwrap();
    assert_eq!(rig.world.next_due(), Some(2 * HOUR));
    rig.world.advance(1_000);
    assert_eq!((rig.status(&us, &id), rig.status(&them, &id)), (Some(S::Deleted), None));
}
