//! Route tables and their ties.

use ec2sim::{Association, Attach, Request, RouteTableId, VpcId};

use crate::rig::*;

fn to_subnet(table: &RouteTableId, subnet: &str) -> Request {
    Request::AssociateRouteTable { route_table_id: table.into(), to: Attach::Subnet(subnet.to_owned()) }
}

fn move_tie(association: impl Into<String>, table: &RouteTableId) -> Request {
    Request::ReplaceRouteTableAssociation { association_id: association.into(), route_table_id: table.into() }
}

fn main_tie(rig: &Rig, vpc: &VpcId) -> String {
    let view = rig.world.route_table(&rig.main_table(vpc)).unwrap();
    view.associations.into_iter().find(|tie| tie.with == Association::Main).unwrap().id.into()
}

#[test]
fn a_table_with_ties_is_not_deleted() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let drop = |table: &RouteTableId| Request::DeleteRouteTable { route_table_id: table.into() };
    assert_eq!(rig.refused(&us, drop(&rig.main_table(&a))).0, "DependencyViolation");
    let table = rig.world.create_table(&a, &[("tier", "private")]).unwrap();
    let tie = rig.ask(&us, to_subnet(&table, "subnet-1")).unwrap().association().unwrap();
    let (code, message) = rig.refused(&us, drop(&table));
    assert_eq!(code, "DependencyViolation");
    assert_eq!(message, format!("The routeTable '{table}' has dependencies and cannot be deleted."));
    rig.ask(&us, Request::DisassociateRouteTable { association_id: tie.into() }).unwrap();
    rig.ask(&us, drop(&table)).unwrap();
    assert_eq!(rig.refused(&us, drop(&table)).0, "InvalidRouteTableID.NotFound");
}

#[test]
fn the_main_tie_moves_but_is_never_cut() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let tie = main_tie(&rig, &a);
    let cut = Request::DisassociateRouteTable { association_id: tie.clone() };
    let (code, message) = rig.refused(&us, cut);
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(message, format!("cannot disassociate the main route table association {tie}"));

    let old = rig.main_table(&a);
    let new = rig.world.create_table(&a, &[]).unwrap();
    rig.ask(&us, move_tie(&tie, &new)).unwrap();
    assert_eq!(rig.main_table(&a), new);
    assert!(!rig.table(&us, &old).is_main());
    assert_eq!(rig.refused(&us, move_tie(tie, &old)).0, "InvalidAssociationID.NotFound", "it got a new id");

    let other = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    let foreign = rig.main_table(&other);
    assert_eq!(rig.refused(&us, move_tie(main_tie(&rig, &a), &foreign)).0, "InvalidParameterValue");
}

#[test]
fn a_subnet_has_one_table() {
    let mut rig = rig();
    let us = rig.us.clone();
    let a = rig.a.clone();
    let (one, two) = (rig.world.create_table(&a, &[]).unwrap(), rig.world.create_table(&a, &[]).unwrap());
    let tie = rig.ask(&us, to_subnet(&one, "subnet-1")).unwrap().association().unwrap();
    assert_eq!(rig.refused(&us, to_subnet(&two, "subnet-1")).0, "Resource.AlreadyAssociated");
    rig.ask(&us, move_tie(tie, &two)).unwrap();
    assert!(rig.table(&us, &one).associations.is_empty());
    assert_eq!(rig.table(&us, &two).associations.len(), 1);
}

#[test]
fn tables_are_seen_by_their_owner_in_their_region() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let table = rig.main_table(&rig.a);
    assert_eq!(rig.table(&us, &table).owner.as_str(), US);
    let query = ec2sim::Describe::ids([&table]);
    assert_eq!(rig.refused(&them, Request::DescribeRouteTables(query)).0, "InvalidRouteTableID.NotFound");
}
