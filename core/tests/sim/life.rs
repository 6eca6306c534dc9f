//! Created, lost, restored, deleted.

use ec2sim::Action;
use peerkeeper_core::ids::Side;
use peerkeeper_core::memory::{LossOutcome, Origin};
use peerkeeper_core::plan::{State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use crate::common::rig::*;

#[test]
fn a_declared_peering_comes_to_be_with_its_routes_on_both_sides() {
    let mut rig = rig();
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.memory().origin, Some(Origin::Created));
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1);
    assert_eq!(rig.sim.done(Action::AcceptVpcPeeringConnection), 1);
    assert_eq!(rig.sim.done(Action::CreateRoute), 2);
    rig.sim.assert_quiet(600);
}

#[test]
fn a_lost_peering_is_flagged_then_restored_then_deleted_with_its_object() {
    let mut rig = ready();
    let before = rig.sim.history.len();
    let lost = rig.lose();
    rig.sim.run_until("flagged", 120, |sim| {
        let flag = ConditionType::UnexpectedlyDeleted;
        sim.says(&key("peering"), flag, Truth::True, Reason::DeletedUnexpectedly)
    });
    rig.until_ready();
    assert_ne!(rig.id(), lost);
    rig.assert_whole();
    let writes = rig.sim.writes_since(before);
    let repoints = writes.iter().filter(|write| matches!(write, Write::Repoint { .. })).count();
    assert_eq!(repoints, 2, "{writes:?}");
    assert!(!writes.iter().any(|write| matches!(write, Write::AddRoute { .. } | Write::DropRoute { .. })));
    rig.sim.assert_says(&rig.key, ConditionType::UnexpectedlyDeleted, Truth::False, Reason::Restored);
    let closed = rig.memory().last_loss.clone().unwrap();
    assert_eq!(
        (closed.outcome, closed.lost, closed.successor),
        (LossOutcome::Restored, lost, Some(rig.id()))
    );
    rig.sim.assert_quiet(600);

    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty());
    for side in Side::BOTH {
        assert_eq!(rig.target(side), None);
    }
}

#[test]
fn readings_are_few_because_a_turn_keeps_what_it_has_read() {
    let mut rig = rig();
    rig.until_ready();
    assert!(rig.sim.looks <= 8, "{} readings to create", rig.sim.looks);
    rig.sim.looks = 0;
    rig.lose();
    rig.until_state(State::Lost);
    rig.until_ready();
    assert!(rig.sim.looks <= 8, "{} readings to restore", rig.sim.looks);
    rig.sim.looks = 0;
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.looks <= 4, "{} readings to delete", rig.sim.looks);
}
