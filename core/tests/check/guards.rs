//! Each guard broken on purpose: within the small budget, the judge must notice.

use ec2sim::World;
use peerkeeper_core::desired::LossAction;

use crate::scenario::{Budget, Fault, Human, Sabotage, Setup};
use crate::worlds::run;

/// With this guard broken the judge objects; with it whole, `worlds` runs clean.
#[track_caller]
fn bites(setup: (Setup, World), faults: &[Fault], sabotage: Sabotage, notices: &str) {
    let (mut setup, world) = setup;
    setup.budget = Budget::only(faults);
    setup.sabotage = Some(sabotage);
    let found = run(&setup, world);
    let broken = found.broken.unwrap_or_else(|| panic!("{sabotage:?} was not noticed"));
    let first = broken.lines().next().unwrap_or_default();
    assert!(first.contains(notices), "expected {notices:?}, found:\n{broken}");
    println!("{sabotage:?}: {first}");
}

fn restore(change: impl FnOnce(&mut Setup)) -> (Setup, World) {
    let (mut setup, world) = Setup::new("guarded restore", LossAction::Restore);
    change(&mut setup);
    (setup, world)
}

fn create(change: impl FnOnce(&mut Setup)) -> (Setup, World) {
    let (mut setup, world) = Setup::new("guarded create", LossAction::Restore);
    setup.settled = false;
    change(&mut setup);
    (setup, world)
}

#[test]
fn guard_02_one_sweep_that_lacks_a_peering_proves_nothing() {
    // So long that a sweep falls into it.
    let slow = restore(|setup| {
        setup.lag_ms = 70_000;
        setup.humans = vec![Human::DeletesPeering];
    });
    bites(slow, &[Fault::Human, Fault::Stale], Sabotage::OneAbsenceIsProof, "invariant 2");
}

#[test]
fn guard_03_what_leads_elsewhere_is_not_dead() {
    let faults = [Fault::Human, Fault::Human];
    bites(restore(|_| {}), &faults, Sabotage::TakesAllForDead, "invariant 3");
}

#[test]
fn guard_04_limits_are_looked_at() {
    let held = restore(|setup| setup.policy.limits.max_restores = 0);
    bites(held, &[Fault::Human], Sabotage::ForgetsLimits, "invariant 4");
}

#[test]
fn guard_04_a_decision_about_another_plan_does_not_count() {
    let asked = restore(|setup| {
        setup.policy.approval = Some(peerkeeper_core::limits::Level::Policy);
        setup.humans = vec![Human::DeletesPeering, Human::ApprovesAnother];
    });
    bites(asked, &[Fault::Human, Fault::Human], Sabotage::TakesAnyDecision, "invariant 4");
}

#[test]
fn guard_07_the_lease_is_asked_at_the_write() {
    bites(restore(|_| {}), &[Fault::Human, Fault::Flip], Sabotage::IgnoresLease, "invariant 7");
}

#[test]
fn guard_08_our_own_twin_is_removed() {
    let twins = create(|setup| {
        setup.transient_ms = 0;
        setup.humans = vec![Human::PeersBack];
    });
    bites(twins, &[Fault::Human], Sabotage::KeepsTwins, "invariant 8");
}

#[test]
fn guard_08_what_was_about_to_be_made_is_remembered() {
    let faults = [Fault::Lost, Fault::Stale, Fault::Crash, Fault::Delete];
    bites(create(|_| {}), &faults, Sabotage::ForgetsIntents, "invariant 10");
}

#[test]
fn guard_10_a_loss_is_told_once() {
    bites(restore(|_| {}), &[Fault::Human], Sabotage::ForgetsWhatWasTold, "invariant 10");
}

#[test]
fn guard_11_the_flag_is_stored_before_the_act() {
    bites(restore(|_| {}), &[Fault::Human], Sabotage::ActsBeforeCommit, "invariant 11");
}

#[test]
fn guard_11_what_is_reported_was_read() {
    bites(restore(|_| {}), &[Fault::Human], Sabotage::TrustsItsWrites, "invariant 11");
}

#[test]
fn guard_05_somebody_looks_again() {
    bites(restore(|_| {}), &[Fault::Human], Sabotage::NeverLooksAgain, "ready, and");
}
