//! The process dies at every possible moment: what comes after is the same.

use ec2sim::{Action, Delay, PeeringStatus, Script};
use peerkeeper_core::ids::Side;
use peerkeeper_core::memory::{Act, LossOutcome, Origin};

use crate::common::operator::{Crash, Happened};
use crate::common::rig::*;

/// What must be the same at the end, whatever happened on the way.
#[derive(Debug, PartialEq, Eq)]
struct End {
    live: usize,
    active: bool,
    routes: Vec<bool>,
    origin: Option<Origin>,
    losses: Option<LossOutcome>,
    restores: usize,
    tagged: usize,
}

fn end(rig: &Rig) -> End {
    let id = rig.id();
    let to_it = |side: Side| rig.target(side) == Some(id.to_string());
    End {
        live: rig.sim.live_peerings().len(),
        active: rig.sim.status(id) == Some(PeeringStatus::Active),
        routes: Side::BOTH.into_iter().map(to_it).collect(),
        origin: rig.memory().origin,
        losses: rig.memory().last_loss.as_ref().map(|closed| closed.outcome),
        restores: rig.memory().spent.iter().filter(|(act, _)| *act == Act::Restore).count(),
        tagged: rig.report().exceptions.len(),
    }
}

/// Runs the life once to count its steps, then again with a crash before and after each of them.
fn at_every_step(life: impl Fn(&mut Rig, Option<Crash>), check: impl Fn(&Rig, Crash)) {
    let mut rig = rig();
    life(&mut rig, None);
    let steps = rig.sim.steps;
    assert!(steps > 10, "a life has steps");
    for number in 0..steps {
        for crash in [Crash::Before(number), Crash::Within(number), Crash::After(number)] {
            let mut rig = self::rig();
            life(&mut rig, Some(crash));
            assert!(
                rig.sim.history.iter().any(|happened| matches!(happened, Happened::Crashed { .. })),
                "{crash:?} did not happen"
            );
            check(&rig, crash);
        }
    }
}

#[test]
fn creating_survives_a_crash_at_every_step() {
    let expected = End {
        live: 1,
        active: true,
        routes: vec![true, true],
        origin: Some(Origin::Created),
        losses: None,
        restores: 0,
        tagged: 0,
    };
    let life = |rig: &mut Rig, crash| {
        rig.sim.crash = crash;
        rig.sim.run_s(30);
        rig.sim.run_until("ready", 1200, |sim| sim.is_ready(&key("peering")));
    };
    at_every_step(life, |rig, crash| {
        assert_eq!(end(rig), expected, "{crash:?}\n{}", rig.sim.say());
        assert_eq!(rig.sim.world.peerings().count(), 1, "{crash:?}");
    });
}

#[test]
fn a_restore_survives_a_crash_at_every_step() {
    let expected = End {
        live: 1,
        active: true,
        routes: vec![true, true],
        origin: Some(Origin::Created),
        losses: Some(LossOutcome::Restored),
        restores: 1,
        tagged: 0,
    };
    let life = |rig: &mut Rig, crash| {
        rig.until_ready();
        rig.lose();
        rig.sim.steps = 0;
        rig.sim.crash = crash;
        // Everything takes its time, so that crashes fall between, too.
        rig.sim.chance = Box::new(
            Script::new()
                .always_delay_ms(Delay::Initiating, 3_000)
                .always_delay_ms(Delay::Provisioning, 4_000),
        );
        rig.sim.run_s(90);
        rig.sim.run_until("ready", 1800, |sim| sim.is_ready(&key("peering")));
    };
    at_every_step(life, |rig, crash| {
        assert_eq!(end(rig), expected, "{crash:?}\n{}", rig.sim.say());
        // The lost one and its one successor.
        assert_eq!(rig.sim.world.peerings().count(), 2, "{crash:?}");
        assert_eq!(rig.sim.done(Action::DeleteRoute), 0, "{crash:?}");
        assert_eq!(rig.sim.done(Action::CreateRoute), 2, "{crash:?}: those of the beginning");
    });
}

#[test]
fn a_removal_of_routes_survives_a_crash_at_every_step() {
    let life = |rig: &mut Rig, crash| {
        rig.sim.cluster.change(&rig.key, |object| object.policy = Some("remove".into()));
        rig.until_ready();
        rig.lose();
        rig.sim.steps = 0;
        rig.sim.crash = crash;
        rig.sim.run_s(90);
        rig.until_state(peerkeeper_core::plan::State::Released);
    };
    at_every_step(life, |rig, crash| {
        for side in Side::BOTH {
            assert_eq!(rig.target(side), None, "{crash:?}");
        }
        let spent = rig.memory().spent.iter().filter(|(act, _)| *act == Act::RemoveRoutes).count();
        assert_eq!(spent, 1, "{crash:?}");
    });
}

#[test]
fn a_deletion_survives_a_crash_at_every_step() {
    let life = |rig: &mut Rig, crash| {
        rig.until_ready();
        rig.delete();
        rig.sim.steps = 0;
        rig.sim.crash = crash;
        rig.sim.run_s(1);
        rig.until_gone();
    };
    at_every_step(life, |rig, crash| {
        assert!(rig.sim.live_peerings().is_empty(), "{crash:?}");
        for side in Side::BOTH {
            assert_eq!(rig.target(side), None, "{crash:?}");
        }
    });
}

#[test]
fn an_adoption_survives_a_crash_at_every_step() {
    let life = |rig: &mut Rig, crash| {
        let pending = rig.sim.world.request_peering(&rig.b.vpc, &rig.a.vpc).unwrap();
        rig.sim.crash = crash;
        rig.sim.run_s(30);
        rig.sim.run_until("ready", 1200, |sim| sim.is_ready(&key("peering")));
        assert_eq!(pcx(rig.id()), pending);
    };
    at_every_step(life, |rig, crash| {
        assert_eq!(rig.memory().origin, Some(Origin::Adopted), "{crash:?}");
        assert_eq!(rig.sim.world.peerings().count(), 1, "{crash:?}");
        rig.assert_whole();
    });
}

#[test]
fn a_rename_survives_a_crash_at_every_step_and_cuts_no_traffic() {
    let life = |rig: &mut Rig, crash| {
        rig.until_ready();
        let sides = rig.sim.cluster.object(&rig.key).sides.clone();
        let new = declare(&mut rig.sim, "renamed", sides, Some("restore"));
        rig.delete();
        rig.sim.steps = 0;
        rig.sim.crash = crash;
        rig.sim.watch = Some(|sim| {
            let tables = sim.world.route_tables().filter(|table| table.tags.contains_key("tier"));
            for table in tables {
                let stands = table.routes.iter().any(|route| {
                    matches!(route.target, ec2sim::Target::Peering(_))
                        && route.state == ec2sim::RouteState::Active
                });
                assert!(stands, "{} lost its route\n{}", table.id, sim.say());
            }
        });
        rig.sim.run_s(30);
        rig.until_gone();
        rig.key = new;
        rig.until_ready();
    };
    at_every_step(life, |rig, crash| {
        assert_eq!(rig.sim.world.peerings().count(), 1, "{crash:?}");
        rig.assert_whole();
    });
}
