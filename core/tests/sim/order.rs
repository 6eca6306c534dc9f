//! AWS promises no order of what it lists.

use peerkeeper_core::desired::DependentRoutes;
use peerkeeper_core::ids::Side;

use crate::common::operator::{Happened, Sim};
use crate::common::rig::*;

/// A life with much to list: tables and CIDRs on both sides, routes that others made, one that is in the way, a loss.
fn life(reversed: bool) -> (Vec<Happened>, Vec<String>) {
    let mut rig = rig();
    rig.sim.reversed = reversed;
    set_policy(&mut rig.sim, "restore", |policy| policy.dependent_routes = DependentRoutes::All);
    for side in Side::BOTH {
        let vpc = rig.place(side).vpc.clone();
        for _ in 0..3 {
            rig.sim.world.create_table(&vpc, &[("tier", "private")]).unwrap();
        }
    }
    let mut told = Vec::new();
    live(&mut rig.sim, 300, &mut told);
    let (main, id) = (rig.sim.world.main_table(&rig.a.vpc).unwrap(), rig.id().to_string());
    for destination in ["10.2.9.0/24", "10.2.7.0/24", "10.2.8.0/24"] {
        rig.sim.world.add_route(&main, destination, &id).unwrap();
    }
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "igw-0123456789abcdef0").unwrap();
    live(&mut rig.sim, 120, &mut told);
    rig.lose();
    live(&mut rig.sim, 300, &mut told);
    assert_ne!(rig.id().to_string(), id, "it was restored");
    rig.delete();
    live(&mut rig.sim, 300, &mut told);
    assert!(rig.is_gone(), "{}", rig.sim.say());
    (rig.sim.history, told)
}

/// Lets time pass, and notes to the byte what is remembered and said.
fn live(sim: &mut Sim, seconds: u64, told: &mut Vec<String>) {
    for _ in 0..seconds / 10 {
        sim.run_s(10);
        told.extend(
            sim.cluster.objects.values().map(|object| format!("{:?} {:?}", object.memory, object.report)),
        );
    }
}

#[test]
fn invariant_01_whatever_the_order_of_what_aws_lists_the_plan_is_the_same() {
    let (history, told) = life(false);
    let writes = history.iter().filter(|happened| matches!(happened, Happened::Wrote { .. })).count();
    assert!(writes > 20, "only {writes} writes");
    let (reversed_history, reversed_told) = life(true);
    let mut pairs = history.iter().zip(&reversed_history);
    if let Some((one, other)) = pairs.find(|(one, other)| one != other) {
        panic!("in one order {one:?}\nin the other {other:?}");
    }
    assert_eq!(history.len(), reversed_history.len());
    assert_eq!(told, reversed_told);
}
