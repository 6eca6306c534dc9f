//! Who may do what, and with which words AWS refuses.

use ec2sim::{Caller, PeeringStatus as S};

use crate::rig::*;

#[test]
fn only_the_accepter_in_its_own_region_accepts() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let (code, message) = rig.refused(&us, accept(&id));
    assert_eq!(code, "OperationNotPermitted");
    assert_eq!(message, format!("User (111122223333) cannot accept peering {id}"));

    let (code, message) = rig.refused(&Caller::new(THEM, EU), accept(&id));
    assert_eq!(code, "OperationNotPermitted");
    let wanted = format!(
        "Incorrect region (eu-west-1) specified for this request. VPC peering connection {id} must be accepted in region us-east-1"
    );
    assert_eq!(message, wanted);

    let (code, message) = rig.refused(&Caller::new("999999999999", VA), accept(&id));
    assert_eq!(code, "InvalidVpcPeeringConnectionID.NotFound");
    assert_eq!(message, format!("The vpcPeeringConnection ID '{id}' does not exist"));
    assert_eq!(rig.status(&us, &id), Some(S::PendingAcceptance), "nothing came of it");
}

#[test]
fn only_the_accepter_rejects_and_only_while_it_waits() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    assert_eq!(rig.refused(&us, reject(&id)).0, "OperationNotPermitted");
    rig.ask(&them, accept(&id)).unwrap();
    let (code, message) = rig.refused(&them, reject(&id));
    assert_eq!(code, "InvalidStateTransition");
    assert_eq!(
        message,
        format!("Invalid state transition for {id}, attempted to transition from active to rejected")
    );
}

#[test]
fn a_request_that_waits_is_withdrawn_by_its_requester_alone() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let (code, message) = rig.refused(&them, delete(&id));
    assert_eq!(code, "InvalidStateTransition");
    assert!(message.ends_with("from pending-acceptance to deleting"), "{message}");
    rig.ask(&us, delete(&id)).unwrap();
    assert_eq!(rig.peering(&them, &id).message, "Deleted by 111122223333");
    assert_eq!(rig.refused(&them, accept(&id)).0, "InvalidStateTransition");
}

#[test]
fn a_rejected_request_can_be_neither_accepted_nor_deleted() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    rig.ask(&them, reject(&id)).unwrap();
    let (code, message) = rig.refused(&us, delete(&id));
    assert_eq!(code, "InvalidStateTransition");
    assert_eq!(
        message,
        format!("Invalid state transition for {id}, attempted to transition from rejected to deleting")
    );
    assert_eq!(rig.refused(&them, accept(&id)).0, "InvalidStateTransition");
}

#[test]
fn either_owner_deletes_an_active_one_but_nobody_from_elsewhere() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    for who in [us.clone(), them] {
        let id = rig.world.peer(&rig.a, &rig.b).unwrap();
        let elsewhere = Caller::new(&who.account, "ap-south-1");
        assert_eq!(rig.refused(&elsewhere, delete(&id)).0, "InvalidVpcPeeringConnectionID.NotFound");
        rig.ask(&who, delete(&id)).unwrap();
        assert_eq!(rig.peering(&us, &id).message, format!("Deleted by {}", who.account));
    }
}

#[test]
fn a_vpc_of_another_account_or_region_is_not_there() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    for caller in [them, Caller::new(US, VA)] {
        let request = create(&rig.a, &rig.b, THEM, VA);
        let (code, message) = rig.refused(&caller, request);
        assert_eq!(code, "InvalidVpcID.NotFound");
        assert_eq!(message, format!("The vpc ID '{}' does not exist", rig.a));
    }
    let mut request = create(&rig.a, &rig.b, THEM, VA);
    if let ec2sim::Request::CreateVpcPeeringConnection(asked) = &mut request {
        asked.vpc_id = "vpc-XYZ".to_owned();
    }
    assert_eq!(rig.refused(&us, request).0, "InvalidVpcID.Malformed");
    let bad = ec2sim::Request::DeleteVpcPeeringConnection { peering_id: "pcx-1".to_owned() };
    assert_eq!(rig.refused(&us, bad).0, "InvalidVpcPeeringConnectionId.Malformed");
}
