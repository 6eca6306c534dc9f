//! VPCs, their blocks, and what a peering forbids them.

use ec2sim::{PeeringStatus as S, Request, VpcId};

use crate::rig::*;

fn associate(vpc: &VpcId, cidr: &str) -> Request {
    Request::AssociateVpcCidrBlock { vpc_id: vpc.into(), cidr: cidr.to_owned() }
}

#[test]
fn a_new_block_brings_a_local_route_to_every_table_and_takes_it_away_again() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let tables = [rig.main_table(&a), rig.world.create_table(&a, &[]).unwrap()];
    let answer = rig.ask(&us, associate(&a, "10.9.0.0/16")).unwrap();
    let association = answer.cidr_association().unwrap();
    let v6 = rig.ask(&us, associate(&a, "2001:db8:1::/56")).unwrap().cidr_association().unwrap();
    for table in &tables {
        let view = rig.table(&us, table);
        for cidr in ["10.1.0.0/16", "10.9.0.0/16", "2001:db8:1::/56"] {
            assert_eq!(view.route(cidr).unwrap().target.as_str(), "local", "{table} {cidr}");
        }
    }
    let association_id = association.id.into();
    rig.ask(&us, Request::DisassociateVpcCidrBlock { association_id }).unwrap();
    for table in &tables {
        assert!(rig.table(&us, table).route("10.9.0.0/16").is_none());
    }
    let left = rig.world.vpc(&a).unwrap();
    assert_eq!(
        left.cidrs.iter().map(|held| held.cidr.to_string()).collect::<Vec<_>>(),
        ["10.1.0.0/16", "2001:db8:1::/56"]
    );
    assert_eq!(left.cidrs[1].id, v6.id);

    let primary = Request::DisassociateVpcCidrBlock { association_id: (&left.cidrs[0].id).into() };
    assert_eq!(rig.refused(&us, primary).0, "OperationNotPermitted");
    let unknown = Request::DisassociateVpcCidrBlock { association_id: "vpc-cidr-assoc-0".to_owned() };
    assert_eq!(rig.refused(&us, unknown).0, "InvalidVpcCidrBlockAssociationID.NotFound");
}

#[test]
fn blocks_have_a_size_a_limit_and_no_overlap() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    for cidr in ["10.1.4.0/24", "10.8.0.0/15", "10.8.0.0/29"] {
        assert_eq!(rig.refused(&us, associate(&a, cidr)).0, "InvalidVpc.Range", "{cidr}");
    }
    assert_eq!(rig.refused(&us, associate(&a, "ten")).0, "InvalidParameterValue");
    for n in 4..8 {
        rig.ask(&us, associate(&a, &format!("10.{n}.0.0/16"))).unwrap();
    }
    assert_eq!(rig.refused(&us, associate(&a, "10.8.0.0/16")).0, "CidrLimitExceeded");
    rig.ask(&us, associate(&a, "2001:db8:1::/56")).unwrap();
}

#[test]
fn a_block_that_swallows_a_route_is_refused() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let table = rig.main_table(&a);
    rig.world.add_route(&table, "10.2.4.0/24", "igw-1").unwrap();
    for cidr in ["10.2.0.0/16", "10.2.4.0/24"] {
        assert_eq!(rig.refused(&us, associate(&a, cidr)).0, "InvalidVpc.Range", "{cidr}");
    }
    rig.ask(&us, associate(&a, "10.2.4.0/25")).unwrap();
}

#[test]
fn an_active_peering_forbids_the_peers_addresses() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    rig.world.peer(&rig.a, &rig.b).unwrap();
    assert_eq!(rig.refused(&us, associate(&a, "10.2.9.0/24")).0, "OperationNotPermitted");
    rig.ask(&us, associate(&a, "10.3.0.0/16")).unwrap();
}

#[test]
fn while_a_request_waits_only_the_accepter_may_add_and_may_break_it() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let id = rig.world.request_peering(&a, &b).unwrap();
    assert_eq!(rig.refused(&us, associate(&a, "10.5.0.0/16")).0, "OperationNotPermitted");
    rig.ask(&them, associate(&b, "10.6.0.0/16")).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::PendingAcceptance));
    rig.ask(&them, associate(&b, "10.1.77.0/24")).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::Failed));
}

#[test]
fn an_overlap_in_ipv6_alone_fails_the_request() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let (a, b) = (rig.a.clone(), rig.b.clone());
    rig.ask(&us, associate(&a, "2001:db8:1::/56")).unwrap();
    rig.ask(&them, associate(&b, "2001:db8:1::/60")).unwrap();
    let id = rig.world.request_peering(&a, &b).unwrap();
    assert_eq!(rig.status(&us, &id), Some(S::Failed));
}

#[test]
fn a_vpc_is_deleted_with_its_main_table_but_not_from_under_a_peering() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let drop = |vpc: &VpcId| Request::DeleteVpc { vpc_id: vpc.into() };
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let id = rig.world.peer(&a, &b).unwrap();
    let (code, message) = rig.refused(&us, drop(&a));
    assert_eq!(code, "DependencyViolation");
    assert_eq!(message, format!("The vpc '{a}' has dependencies and cannot be deleted."));
    rig.ask(&us, delete(&id)).unwrap();

    let table = rig.world.create_table(&a, &[]).unwrap();
    assert_eq!(rig.refused(&us, drop(&a)).0, "DependencyViolation", "a table of its own");
    rig.ask(&us, Request::DeleteRouteTable { route_table_id: table.into() }).unwrap();

    let request = rig.world.request_peering(&a, &b).unwrap();
    assert_eq!(rig.refused(&them, drop(&b)).0, "DependencyViolation", "an incoming request");
    let main = rig.main_table(&a);
    rig.ask(&us, drop(&a)).unwrap();
    assert_eq!(
        rig.peering(&them, &request).message,
        "Deleted by 111122223333",
        "an outgoing one goes with it"
    );
    assert_eq!(rig.world.route_table(&main), None);
    assert_eq!(rig.refused(&us, drop(&a)).0, "InvalidVpcID.NotFound");
}

#[test]
fn the_console_takes_the_peerings_with_it() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.create_table(&rig.b, &[]).unwrap();
    let b = rig.b.clone();
    rig.world.delete_vpc_in_console(&b).unwrap();
    assert_eq!(rig.world.vpc(&b), None);
    assert_eq!(rig.peering(&us, &id).message, "Deleted by 444455556666");
}
