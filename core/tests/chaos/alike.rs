//! Invariant 6 with events on: the same world and the same people, once with the queue and once without. What is known of
//! who did it is the same, as the history tells at once, and so is the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use peerkeeper_core::ids::{ObjectKey, Side};
use peerkeeper_core::memory::{Life, LossClass, LossOutcome};
use peerkeeper_core::reason::{ConditionType, Reason};

use crate::common::aws::text;
use crate::knobs::{Events, Knobs};
use crate::sabotage::Sabotage;
use crate::script::{Act, What};
use crate::stage::Stage;

const SEEDS: u64 = 80;
/// Between two acts: longer than it takes to find a loss, to learn who did it, and to deal with it.
const APART_MS: u64 = 260_000;
const KINDS: [What; 6] = [
    What::DeletePeering,
    What::DeleteAsAuthorized,
    What::DeleteAsAuthorized,
    What::DeleteAlike,
    What::DeleteRoute,
    What::RemoveOurTags,
];

/// What has become of one object and its routes, without ids and times.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    ready: Option<Reason>,
    life: &'static str,
    last: Option<(LossClass, LossOutcome)>,
    by: Option<Arc<str>>,
    /// Routes in the tables of both VPCs that lead to its peering, and those that lead to none that lives.
    routes: (usize, usize),
}

fn acts(seed: u64) -> Vec<Act> {
    let mut dice = ec2sim::Seeded::new(seed, ec2sim::Knobs::default());
    let draw = |number: u64| Act {
        at_ms: 150_000 + number * APART_MS,
        what: KINDS[usize::try_from(dice.below(KINDS.len() as u64)).unwrap()],
        pick: dice.below(1 << 40),
    };
    (0..4).map(draw).collect()
}

fn end(seed: u64, events: Events, sabotage: Option<Sabotage>) -> Result<BTreeMap<ObjectKey, End>, String> {
    let knobs = Knobs { events, ..Knobs::calm() };
    // No seed that ends in trouble: its trouble is another's test.
    let mut stage = Stage::new(4 * seed + 1, knobs, acts(seed), sabotage);
    stage.run()?;
    Ok(stage.api.truth.objects.keys().map(|key| (key.clone(), end_of(&stage, key))).collect())
}

fn end_of(stage: &Stage, key: &ObjectKey) -> End {
    let object = stage.api.truth.object(key);
    let memory = &object.memory;
    let ready = object.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
    let current = memory.peering().map(|id| id.to_string());
    let mut routes = (0, 0);
    for side in Side::BOTH {
        let vpc = object.sides.get(side).vpc;
        for table in
            stage.world.route_tables().filter(|table| text::<peerkeeper_core::ids::VpcId>(&table.vpc) == vpc)
        {
            for route in &table.routes {
                let ec2sim::Target::Peering(id) = &route.target else { continue };
                let lives = stage.world.peering(id).is_some_and(|view| view.status.is_live());
                routes.0 += usize::from(Some(id.to_string()) == current);
                routes.1 += usize::from(!lives);
            }
        }
    }
    End {
        ready: ready.map(|ready| ready.reason),
        life: match memory.life {
            Life::NeverSeen => "never seen",
            Life::Requested { .. } => "requested",
            Life::Established(_) => "established",
            Life::Released { .. } => "released",
        },
        last: memory.last_loss.as_ref().map(|last| (last.class, last.outcome)),
        by: memory.case.as_ref().and_then(|case| Some(case.attribution.culprit()?.principal.clone())),
        routes,
    }
}

#[test]
fn invariant_06_with_the_queue_and_without_the_same_world_ends_alike() {
    let mut classes = BTreeMap::new();
    for seed in 0..SEEDS {
        let (with, without) = (end(seed, Events::Queue, None), end(seed, Events::History, None));
        assert!(with.is_ok(), "seed {seed}: {with:?}");
        assert_eq!(with, without, "seed {seed}: {:#?}", acts(seed));
        for one in with.iter().flat_map(BTreeMap::values) {
            *classes.entry(format!("{:?}", one.last)).or_insert(0) += 1;
        }
    }
    // It has come by what it is about.
    for last in [
        "None",
        "Some((Authorized, Released))",
        "Some((Unexpected, Restored))",
        "Some((Unexpected, Released))",
    ] {
        assert!(classes.contains_key(last), "{last}: {classes:?}");
    }
}

#[test]
fn invariant_06_who_learns_less_from_the_queue_than_from_the_history_is_seen() {
    let differs = |seed: &u64| {
        let with = end(*seed, Events::Queue, Some(Sabotage::IsDeafWhileListening));
        with != end(*seed, Events::History, None)
    };
    assert!((0..SEEDS).any(|seed| differs(&seed)), "no seed tells them apart");
}
