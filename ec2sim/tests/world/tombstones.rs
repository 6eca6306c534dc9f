//! How long, and to whom, an ended peering still shows.

use ec2sim::{PeeringId, PeeringStatus as S, Target};

use crate::rig::*;

/// Visible to us and to them just before and at each of these times.
fn assert_seen_until(rig: &mut Rig, id: &PeeringId, ours_ms: u64, theirs_ms: u64) {
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let ended_ms = rig.world.now_ms();
    let mut times = [ours_ms - 1, ours_ms, theirs_ms - 1, theirs_ms];
    times.sort_unstable();
    for after_ms in times {
        rig.world.advance(ended_ms + after_ms);
        assert_eq!(rig.status(&us, id).is_some(), after_ms < ours_ms, "we, after {after_ms} ms");
        assert_eq!(rig.status(&them, id).is_some(), after_ms < theirs_ms, "they, after {after_ms} ms");
    }
    assert_eq!(rig.world.peering(id), None, "nothing is kept of it");
    assert_eq!(rig.world.next_due(), None);
}

#[test]
fn who_deleted_it_sees_it_for_two_hours_the_other_for_two_days() {
    let mut rig = rig();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.delete_peering_as(US, EU, &id).unwrap();
    assert_seen_until(&mut rig, &id, 2 * HOUR, 2 * DAY);
}

#[test]
fn deleted_by_the_accepter_it_is_the_other_way_round() {
    let mut rig = rig();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.delete_peering_as(THEM, VA, &id).unwrap();
    assert_seen_until(&mut rig, &id, 2 * DAY, 2 * HOUR);
}

#[test]
fn a_rejected_request_stays_two_days_with_the_requester() {
    let mut rig = rig();
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    rig.world.reject_peering_as(THEM, VA, &id).unwrap();
    assert_eq!(rig.world.peering(&id).unwrap().message, "Rejected by 444455556666");
    assert_seen_until(&mut rig, &id, 2 * DAY, 2 * HOUR);
}

#[test]
fn an_expired_request_stays_two_days_with_both() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    rig.world.advance(7 * DAY - 1);
    assert_eq!(rig.status(&us, &id), Some(S::PendingAcceptance));
    rig.world.advance(7 * DAY);
    assert_eq!(rig.status(&us, &id), Some(S::Expired));
    let (code, message) = rig.refused(&them, accept(&id));
    assert_eq!(code, "InvalidStateTransition");
    assert!(message.contains("from expired to"), "{message}");
    assert_seen_until(&mut rig, &id, 2 * DAY, 2 * DAY);
}

#[test]
fn an_accepted_request_never_expires() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.advance(8 * DAY);
    assert_eq!(rig.status(&us, &id), Some(S::Active));
    assert_eq!(rig.world.next_due(), None);
}

#[test]
fn a_failed_request_shows_to_the_requester_alone_for_two_hours() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let twin = rig.world.create_vpc(THEM, VA, "10.1.128.0/17").unwrap();
    let id = rig.world.request_peering(&rig.a, &twin).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::Failed));
    assert_eq!(rig.status(&them, &id), None);
    rig.world.advance(2 * HOUR - 1);
    assert_eq!(rig.status(&us, &id), Some(S::Failed));
    rig.world.advance(2 * HOUR);
    assert_eq!(rig.status(&us, &id), None);
}

#[test]
fn within_one_account_two_hours_are_all() {
    let mut rig = rig();
    let far = rig.world.create_vpc(US, VA, "10.3.0.0/16").unwrap();
    let id = rig.world.peer(&rig.a, &far).unwrap();
    rig.world.delete_peering_as(US, EU, &id).unwrap();
    rig.world.advance(2 * HOUR - 1);
    assert_eq!(rig.world.peering(&id).unwrap().message, "Deleted by 111122223333");
    rig.world.advance(2 * HOUR);
    assert_eq!(rig.world.peering(&id), None);
}

#[test]
fn the_route_of_a_peering_long_gone_still_names_it() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.main_table(&rig.a);
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.add_route(&table, "10.2.0.0/16", id.as_str()).unwrap();
    rig.world.delete_peering_as(US, EU, &id).unwrap();
    rig.world.advance(30 * DAY);
    let view = rig.table(&us, &table);
    let route = view.route("10.2.0.0/16").unwrap();
    assert_eq!((&route.target, route.state.as_str()), (&Target::Peering(id), "blackhole"));
}
