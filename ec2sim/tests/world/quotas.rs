//! AWS's limits.

use ec2sim::{Quotas, Request, Tags};

use crate::rig::*;

#[test]
fn twenty_five_requests_may_wait_and_each_answer_makes_room() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let peers: Vec<_> =
        (0..27).map(|n| rig.world.create_vpc(THEM, VA, &format!("10.{}.0.0/16", n + 10)).unwrap()).collect();
    let ids: Vec<_> =
        peers[..25].iter().map(|peer| rig.world.request_peering(&rig.a, peer).unwrap()).collect();
    let request = create(&rig.a, &peers[25], THEM, VA);
    assert_eq!(rig.refused(&us, request.clone()).0, "OutstandingVpcPeeringConnectionLimitExceeded");
    let again = create(&rig.a, &peers[0], THEM, VA);
    assert_eq!(rig.ask(&us, again).unwrap().peering().unwrap().id, ids[0], "no new request, no limit");

    rig.ask(&them, accept(&ids[0])).unwrap();
    rig.ask(&us, request).unwrap();
    let last = create(&rig.a, &peers[26], THEM, VA);
    assert_eq!(rig.refused(&us, last.clone()).0, "OutstandingVpcPeeringConnectionLimitExceeded");
    rig.ask(&them, reject(&ids[1])).unwrap();
    rig.ask(&us, last.clone()).unwrap();
    rig.ask(&us, delete(&ids[2])).unwrap();
    assert_ne!(rig.ask(&us, again_to(&rig, &peers[1])).unwrap().peering().unwrap().id, ids[1]);
}

fn again_to(rig: &Rig, peer: &ec2sim::VpcId) -> Request {
    create(&rig.a, peer, THEM, VA)
}

#[test]
fn active_peerings_are_limited_on_both_vpcs() {
    for limited in [(US, EU), (THEM, VA)] {
        let mut rig = rig();
        let (a, b) = (rig.a.clone(), rig.b.clone());
        let quotas = Quotas { active_peerings_per_vpc: 1, ..Quotas::default() };
        rig.world.set_quotas(limited.0, limited.1, quotas);
        let first = rig.world.peer(&a, &b).unwrap();
        let spare = if limited.0 == US {
            rig.world.create_vpc(THEM, VA, "10.3.0.0/16").unwrap()
        } else {
            rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap()
        };
        let (from, to) = if limited.0 == US { (a, spare) } else { (spare, b) };
        let second = rig.world.request_peering(&from, &to).unwrap();
        let them = rig.them.clone();
        let code = "ActiveVpcPeeringConnectionPerVpcLimitExceeded";
        assert_eq!(rig.refused(&them, accept(&second)).0, code, "{limited:?}");
        rig.ask(&them, delete(&first)).unwrap();
        rig.ask(&them, accept(&second)).unwrap();
    }
}

#[test]
fn pending_peerings_and_tables_have_their_own() {
    let mut rig = rig();
    let us = rig.us.clone();
    let quotas = Quotas { pending_peerings_per_vpc: 1, tables_per_vpc: 2, ..Quotas::default() };
    rig.world.set_quotas(US, EU, quotas);
    rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let spare = rig.world.create_vpc(THEM, VA, "10.3.0.0/16").unwrap();
    let request = create(&rig.a, &spare, THEM, VA);
    assert_eq!(rig.refused(&us, request).0, "PendingVpcPeeringConnectionLimitExceeded");
    rig.world.create_table(&rig.a.clone(), &[]).unwrap();
    let table = Request::CreateRouteTable { vpc_id: (&rig.a).into(), client_token: None, tags: Tags::new() };
    assert_eq!(rig.refused(&us, table).0, "RouteTableLimitExceeded");
}
