//! The small worlds that are gone through.

use ec2sim::World;
use peerkeeper_core::desired::{DeletionPolicy, LossAction};

use crate::model::State;
use crate::scenario::{Budget, Fault, Human, Setup};
use crate::search::{Found, search};

/// The start, with everything settled where the setup says so: what nobody disturbed.
fn start(setup: &Setup, world: World) -> State {
    let whole = &Setup { sabotage: None, ..setup.clone() };
    let mut state = State::new(whole, world);
    state.budget = Budget::NONE;
    if setup.settled {
        let mut quiet_ms = 0;
        while quiet_ms < 700_000 {
            let next = state.plain_successor(whole, false).expect("something always goes on");
            assert_eq!(next.broken, None);
            let passed = next.state.world.now_ms() - state.world.now_ms();
            quiet_ms = if next.wrote { 0 } else { quiet_ms + passed };
            state = next.state;
        }
        assert_eq!(state.at_rest(setup), Ok("whole"), "{}", state.says(setup));
    }
    state.budget = setup.budget;
    state
}

pub fn run(setup: &Setup, world: World) -> Found {
    let found = search(setup, start(setup, world), 20_000_000);
    println!(
        "{}: {} states, {} steps in {} ms; each at most: {}; at rest after {} s at most: {:?}",
        setup.name,
        found.states,
        found.steps,
        found.took_ms,
        setup.budget,
        found.longest_ms / 1000,
        found.ends
    );
    found
}

/// The budget of this run: each thing once, or as often as `BUDGET` says; and so many together as a hurried test run bears,
/// or as `TOGETHER` says.
fn budget(together: u8) -> Budget {
    let asked = |name: &str| {
        let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
        Some(text.parse::<u8>().expect("a small number"))
    };
    let each = asked("BUDGET").unwrap_or(1);
    let more = each - 1;
    Budget::of_each(each, asked("TOGETHER").unwrap_or(together + more))
}

fn holds(setup: &Setup, world: World) -> Found {
    let found = run(setup, world);
    if let Some(broken) = &found.broken {
        panic!("{broken}");
    }
    found
}

#[test]
fn a_small_world_restores() {
    let (mut setup, world) = Setup::new("restore", LossAction::Restore);
    setup.budget = budget(3);
    holds(&setup, world);
}

#[test]
fn a_small_world_removes_routes() {
    let (mut setup, world) = Setup::new("remove routes", LossAction::RemoveRoutes);
    setup.budget = budget(2);
    holds(&setup, world);
}

#[test]
fn a_small_world_flags() {
    let (mut setup, world) = Setup::new("flag", LossAction::Flag);
    setup.budget = budget(2);
    holds(&setup, world);
}

#[test]
fn a_small_world_creates() {
    let (mut setup, world) = Setup::new("create", LossAction::Restore);
    setup.settled = false;
    setup.humans = vec![Human::DeletesPeering, Human::RepointsRoute, Human::AsksBack];
    setup.budget = budget(1);
    holds(&setup, world);
}

#[test]
fn a_small_world_adopts() {
    let (setup, mut world) = Setup::new("adopt", LossAction::Restore);
    let mut setup = setup.with_found(&mut world);
    setup.budget = budget(2);
    holds(&setup, world);
}

#[test]
fn a_small_world_repairs_drift() {
    let (mut setup, world) = Setup::new("drift", LossAction::Restore);
    setup.humans = vec![Human::DeletesRoute, Human::AsksBack];
    setup.budget = budget(2);
    holds(&setup, world);
}

/// Somebody makes a peering from the other end while the operator makes its own: the second can't be accepted.
#[test]
fn a_small_world_with_twins() {
    let (mut setup, world) = Setup::new("twins", LossAction::Restore);
    setup.settled = false;
    setup.transient_ms = 0;
    setup.humans = vec![Human::PeersBack];
    setup.budget = budget(2);
    holds(&setup, world);
}

#[test]
fn a_small_world_held_at_its_limit() {
    let (mut setup, world) = Setup::new("held at the limit", LossAction::Restore);
    setup.policy.limits.max_restores = 0;
    setup.budget = budget(2);
    let found = holds(&setup, world);
    assert!(found.ends.contains_key("held"));
}

/// People look, approve this or that, and take it away again, while everything else goes wrong.
#[test]
fn a_small_world_asks_for_approval() {
    let (mut setup, world) = Setup::new("approval", LossAction::Restore);
    setup.policy.approval = Some(peerkeeper_core::limits::Level::Policy);
    setup.humans =
        vec![Human::DeletesPeering, Human::Approves, Human::ApprovesAnother, Human::DeletesIncident];
    setup.budget = budget(3).with(Fault::Human, 3);
    let found = holds(&setup, world);
    assert!(found.ends.contains_key("awaiting approval") && found.ends.contains_key("whole"));
}

/// What was adopted, and what replaced it, is deleted with its object if that says so.
#[test]
fn a_small_world_deletes_for_good() {
    let (setup, mut world) = Setup::new("deleted for good", LossAction::Restore);
    let mut setup = setup.with_found(&mut world);
    setup.deletion = Some(DeletionPolicy::Delete);
    setup.budget = budget(1);
    holds(&setup, world);
}
