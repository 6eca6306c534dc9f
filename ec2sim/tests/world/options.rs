//! DNS resolution, each side for itself.

use ec2sim::{Caller, PeeringId, Request, VpcId};

use crate::rig::*;

fn options(id: &PeeringId, requester: Option<bool>, accepter: Option<bool>) -> Request {
    Request::ModifyVpcPeeringConnectionOptions { peering_id: id.into(), requester, accepter }
}

fn with_dns(rig: &mut Rig, vpc: &VpcId) {
    let owner = rig.world.owner_of(vpc).unwrap();
    let vpc_id = vpc.into();
    let request =
        Request::ModifyVpcAttribute { vpc_id, enable_dns_support: None, enable_dns_hostnames: Some(true) };
    rig.ask(&owner, request).unwrap();
}

fn dns_rig() -> (Rig, Caller, Caller) {
    let mut rig = rig();
    for vpc in [rig.a.clone(), rig.b.clone()] {
        with_dns(&mut rig, &vpc);
    }
    let (us, them) = (rig.us.clone(), rig.them.clone());
    (rig, us, them)
}

fn shown(rig: &mut Rig, id: &PeeringId) -> (Option<bool>, Option<bool>) {
    let us = rig.us.clone();
    let seen = rig.peering(&us, id);
    (seen.requester.allow_dns_resolution_from_remote_vpc, seen.accepter.allow_dns_resolution_from_remote_vpc)
}

#[test]
fn each_side_sets_its_own_and_a_new_peering_starts_without() {
    let (mut rig, us, them) = dns_rig();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.ask(&us, options(&id, Some(true), None)).unwrap();
    assert_eq!(shown(&mut rig, &id), (Some(true), Some(false)));
    rig.ask(&them, options(&id, None, Some(true))).unwrap();
    assert_eq!(shown(&mut rig, &id), (Some(true), Some(true)));
    rig.ask(&us, delete(&id)).unwrap();
    let next = rig.world.peer(&rig.a, &rig.b).unwrap();
    assert_eq!(shown(&mut rig, &next), (Some(false), Some(false)));
}

#[test]
fn not_the_other_side_not_from_another_region_not_before_it_is_active() {
    let (mut rig, us, them) = dns_rig();
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let (code, message) = rig.refused(&us, options(&id, Some(true), None));
    assert_eq!(code, "OperationNotPermitted");
    let wanted = format!("Peering {id} is not active. Peering options can be added only to active peerings.");
    assert_eq!(message, wanted);

    rig.world.accept_peering_as(THEM, VA, &id).unwrap();
    let (code, message) = rig.refused(&us, options(&id, None, Some(true)));
    assert_eq!(code, "OperationNotPermitted");
    let wanted = "User 111122223333 does not have permission to modify the accepter side peering options";
    assert_eq!(message, wanted);
    assert_eq!(rig.refused(&them, options(&id, Some(true), None)).0, "OperationNotPermitted");
    assert_eq!(rig.refused(&us, options(&id, None, None)).0, "MissingParameter");
    assert_eq!(shown(&mut rig, &id), (Some(false), Some(false)));

    let far = rig.world.create_vpc(US, VA, "10.3.0.0/16").unwrap();
    with_dns(&mut rig, &far);
    let own = rig.world.peer(&rig.a, &far).unwrap();
    let (code, message) = rig.refused(&Caller::new(US, VA), options(&own, Some(true), None));
    assert_eq!(code, "OperationNotPermitted");
    assert_eq!(
        message,
        "Requester's VPC Peering connection options cannot be modified for a different region"
    );
}

#[test]
fn one_account_in_one_region_sets_both_in_one_call() {
    let (mut rig, us, _) = dns_rig();
    let near = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    with_dns(&mut rig, &near);
    let id = rig.world.peer(&rig.a, &near).unwrap();
    rig.ask(&us, options(&id, Some(true), Some(true))).unwrap();
    assert_eq!(shown(&mut rig, &id), (Some(true), Some(true)));
}

#[test]
fn dns_hostnames_are_needed_on_both_vpcs_to_turn_it_on() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let code = "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled";
    assert_eq!(rig.refused(&us, options(&id, Some(true), None)).0, code);
    rig.ask(&us, options(&id, Some(false), None)).unwrap();
    for vpc in [rig.a.clone(), rig.b.clone()] {
        assert_eq!(rig.refused(&us, options(&id, Some(true), None)).0, code);
        with_dns(&mut rig, &vpc);
    }
    rig.ask(&us, options(&id, Some(true), None)).unwrap();
}
