//! Two requests for one pair.

use ec2sim::{CreatePeering, PeeringStatus as S, Request};

use crate::rig::*;

#[test]
fn the_same_request_again_returns_the_first_and_leaves_its_tags() {
    let mut rig = rig();
    let us = rig.us.clone();
    let first = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let again = Request::CreateVpcPeeringConnection(CreatePeering {
        vpc_id: (&rig.a).into(),
        peer_vpc_id: (&rig.b).into(),
        peer_owner_id: Some(THEM.to_owned()),
        peer_region: Some(VA.to_owned()),
        tags: [("late".to_owned(), "yes".to_owned())].into(),
    });
    for _ in 0..2 {
        let made = rig.ask(&us, again.clone()).unwrap().peering().unwrap();
        assert_eq!(made.id, first);
        assert!(made.tags.is_empty(), "{:?}", made.tags);
        rig.world.accept_peering_as(THEM, VA, &first).ok();
    }
    assert_eq!(rig.status(&us, &first), Some(S::Active));
    assert_eq!(rig.world.peerings().count(), 1);
}

#[test]
fn the_reversed_request_makes_a_twin_that_cannot_be_accepted() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let first = rig.world.peer(&rig.a, &rig.b).unwrap();
    let twin = rig.world.request_peering(&rig.b, &rig.a).unwrap();
    assert_ne!(first, twin);
    assert_eq!(rig.world.live_peerings_of(&rig.a, &rig.b).len(), 2);
    let (code, message) = rig.refused(&us, accept(&twin));
    assert_eq!(code, "VpcPeeringConnectionAlreadyExists");
    assert_eq!(message, format!("The vpc peering connection identified by {twin} already exists."));
    assert_eq!(rig.status(&us, &twin), Some(S::PendingAcceptance));
    rig.ask(&them, delete(&twin)).unwrap();
    assert_eq!(rig.world.live_peerings_of(&rig.b, &rig.a), [first]);
}

#[test]
fn of_two_waiting_twins_the_first_accepted_wins() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let one = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let other = rig.world.request_peering(&rig.b, &rig.a).unwrap();
    rig.ask(&us, accept(&other)).unwrap();
    assert_eq!(rig.refused(&them, accept(&one)).0, "VpcPeeringConnectionAlreadyExists");
}

#[test]
fn after_its_end_the_pair_gets_a_new_id() {
    let mut rig = rig();
    let us = rig.us.clone();
    let first = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.ask(&us, delete(&first)).unwrap();
    let second = rig.world.peer(&rig.a, &rig.b).unwrap();
    assert_ne!(first, second);
    assert_eq!(rig.status(&us, &first), Some(S::Deleted), "a deleted peering is not revived");
}
