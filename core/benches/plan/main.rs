//! How long a plan takes, what it allocates, and what its inputs weigh, for 100, 1,000 and 10,000 peerings of ten
//! routes: `cargo bench --package peerkeeper-core`. The growth columns are what matters most: the cost of one object
//! must not rise with the number of the others.

mod fleet;

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use peerkeeper_core::claims;
use peerkeeper_core::limits;
use peerkeeper_core::observed::Needs;
use peerkeeper_core::turn::{Committed, Live, Reply, Step, Turn};

use fleet::{Aws, Fleet, Object, ROUTES_PER_PEERING, claim, limit};

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    let fleets: Vec<Measured> = SIZES.into_iter().map(Measured::of).collect();
    println!(
        "{ROUTES_PER_PEERING} routes per peering; growth: 10,000 peerings against 100, per peering; time is core time\n"
    );
    println!("{:<40}{:>9}{:>12}{:>14}{:>8}", "what is held", "peerings", "MiB", "bytes each", "growth");
    for at in 0..fleets[0].held.len() {
        let growth = fleets[2].held[at].each() / fleets[0].held[at].each();
        for fleet in &fleets {
            fleet.held[at].print(fleet.held[at].size == SIZES[2], growth);
        }
    }
    println!(
        "\n{:<40}{:>9}{:>12}{:>10}{:>13}{:>12}{:>17}",
        "what is done", "peerings", "total ms", "us each", "allocations", "bytes", "growth"
    );
    println!("{:<40}{:>9}{:>12}{:>10}{:>13}{:>12}{:>17}", "", "", "", "", "each", "each", "time   bytes");
    for at in 0..fleets[0].done.len() {
        for fleet in &fleets {
            let last = fleet.done[at].size == SIZES[2];
            fleet.done[at].print(last.then(|| &fleets[0].done[at]));
        }
    }
}

/// Everything measured of a fleet of one size.
struct Measured {
    held: Vec<Held>,
    done: Vec<Run>,
}

impl Measured {
    fn of(size: usize) -> Self {
        let mut fleet = Fleet::in_sync(size);
        let held = hold(&mut fleet);
        let mut done = vec![
            run("claims: what the others hold", &fleet, |object| fleet.claims.view(&object.desired.key)),
            run("limits: what room is left", &fleet, |object| fleet.limits.view(&object.desired.key)),
            run_entering(&fleet),
            run("plan: in sync", &fleet, |object| fleet.plan(object)),
            run("turn: in sync", &fleet, |object| turn(&fleet, object)),
        ];
        fleet.wait_s(60);
        fleet.observe(Aws::Lost);
        done.push(run("plan: lost, to be flagged", &fleet, |object| fleet.plan(object)));
        fleet.advance();
        fleet.enter();
        fleet.wait_s(60);
        done.push(run("plan: lost, to be made again", &fleet, |object| fleet.plan(object)));
        fleet.advance();
        fleet.enter();
        fleet.wait_s(60);
        fleet.observe(Aws::Replaced);
        done.push(run("plan: made again, routes to re-point", &fleet, |object| fleet.plan(object)));
        check(&fleet);
        Self { held, done }
    }
}

/// What was measured is what it is said to be: every route of every object is re-pointed.
fn check(fleet: &Fleet) {
    let waves = fleet.objects.iter().map(|object| fleet.plan(object).wave.len());
    assert_eq!(waves.sum::<usize>(), fleet.objects.len() * ROUTES_PER_PEERING);
}

/// Something that the process keeps in memory.
struct Held {
    what: &'static str,
    size: usize,
    bytes: i64,
}

impl Held {
    fn each(&self) -> f64 {
        self.bytes as f64 / self.size as f64
    }

    fn print(&self, last: bool, growth: f64) {
        let name = if self.size == SIZES[0] { self.what } else { "" };
        let growth = if last { format!("{growth:.2}") } else { String::new() };
        let mib = self.bytes as f64 / (1024.0 * 1024.0);
        println!("{name:<40}{:>9}{mib:>12.1}{:>14.0}{growth:>8}", self.size, self.each());
    }
}

fn hold(fleet: &mut Fleet) -> Vec<Held> {
    let size = fleet.objects.len();
    let sweep = measure(|| {
        let observed = std::mem::take(&mut fleet.observed);
        fleet.observe(Aws::InSync);
        // What was held before goes only after what takes its place was counted.
        std::mem::forget(observed);
    });
    let again = measure(|| fleet.observe_again());
    let mut memories = Vec::with_capacity(size);
    let memory =
        measure(|| memories.extend(fleet.objects.iter().map(|object| Arc::new((*object.memory).clone()))));
    drop(memories);
    let (mut claims, mut limits) = (claims::Table::default(), limits::Table::default());
    let tables = measure(|| {
        for object in &fleet.objects {
            claims.set(claim(object));
            limits.set_object(object.desired.key.clone(), limit(object, &fleet.policy));
        }
    });
    let held = |what, counted: AllocationInfo| Held { what, size, bytes: counted.bytes_current };
    vec![
        held("one sweep of both accounts", sweep),
        held("one more sweep, nothing changed", again),
        held("memory of the objects", memory),
        held("claims and limits across objects", tables),
    ]
}

/// Something that is done once per object.
struct Run {
    what: &'static str,
    size: usize,
    time: Duration,
    counted: AllocationInfo,
}

impl Run {
    fn us_each(&self) -> f64 {
        self.time.as_secs_f64() * 1e6 / self.size as f64
    }

    fn bytes_each(&self) -> f64 {
        self.counted.bytes_total as f64 / self.size as f64
    }

    fn print(&self, small: Option<&Self>) {
        let name = if self.size == SIZES[0] { self.what } else { "" };
        let growth = small.map(|small| {
            let bytes = self.bytes_each() / small.bytes_each().max(1.0);
            format!("{:.2}{bytes:>8.2}", self.us_each() / small.us_each())
        });
        println!(
            "{name:<40}{:>9}{:>12.2}{:>10.2}{:>13.1}{:>12.0}{:>17}",
            self.size,
            self.time.as_secs_f64() * 1e3,
            self.us_each(),
            self.counted.count_total as f64 / self.size as f64,
            self.bytes_each(),
            growth.unwrap_or_default(),
        );
    }
}

/// The core time of one pass over all objects, and what it allocates.
fn run<T>(what: &'static str, fleet: &Fleet, each: impl Fn(&Object) -> T) -> Run {
    let pass = || {
        for object in &fleet.objects {
            black_box(each(black_box(object)));
        }
    };
    let counted = measure(pass);
    let time = mean(fleet.objects.len(), pass);
    Run { what, size: fleet.objects.len(), time, counted }
}

/// The mean of many passes: the kernel brings its count up to date only every few milliseconds.
fn mean(size: usize, mut pass: impl FnMut()) -> Duration {
    let passes = u32::try_from(200_000 / size).unwrap_or(1).max(5);
    pass();
    let start = cpu_time();
    (0..passes).for_each(|_| pass());
    cpu_time().saturating_sub(start) / passes
}

/// What this thread has had of a core: whatever else the machine is busy with counts only by the caches it shares. Where
/// the kernel does not say, the time on the clock.
fn cpu_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|text| text.split(' ').next()?.parse().ok());
    ns.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Enters each object anew, as every commit does.
fn run_entering(fleet: &Fleet) -> Run {
    let (mut claims, mut limits) = (fleet.claims.clone(), fleet.limits.clone());
    let mut pass = || {
        for object in &fleet.objects {
            claims.set(claim(object));
            limits.set_object(object.desired.key.clone(), limit(object, &fleet.policy));
        }
    };
    let counted = measure(&mut pass);
    let size = fleet.objects.len();
    Run { what: "claims and limits: one object entered", size, time: mean(size, pass), counted }
}

/// A whole turn: read, observe, plan, commit, done.
fn turn(fleet: &Fleet, object: &Object) -> Turn {
    let key = &object.desired.key;
    let mut turn = Turn::new(key.clone(), object.recent.clone(), fleet.timing, false);
    let mut reply = Reply::Start;
    loop {
        reply = match turn.next(fleet.now, reply) {
            Step::ReadLive => Reply::Live(Some(Box::new(Live {
                desired: object.desired.clone(),
                policy: fleet.policy.clone(),
                grants: object.grants.clone(),
                claims: fleet.claims.view(key),
                limits: fleet.limits.view(key),
                memory: (*object.memory).clone(),
                has_finalizer: true,
                witness: Default::default(),
                incident: Default::default(),
                version: "1".into(),
                told: [].into(),
            }))),
            Step::Observe(needs) => {
                assert_eq!(needs, Needs::default(), "in sync, nothing needs a fresh look");
                Reply::Observed(Box::new(fleet.observed.clone()))
            }
            Step::Commit(_) => {
                Reply::Committed(Committed::Stored { version: "2".into(), recorded: Vec::new() })
            }
            Step::Done(_) => return turn,
            Step::Lookup(_) | Step::Write(_) => unreachable!("in sync, nothing is written"),
        }
    }
}
