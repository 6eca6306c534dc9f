//! What a sweep and a mass restore cost the operator itself, counted by the simulated AWS and timed by its clock.

use std::time::Duration;

use ec2sim::{Action, Throttling};
use peerkeeper_core::pace::bucket::{Class, Share};

use super::rig::*;

/// What was seen of one fleet.
#[derive(Debug)]
pub struct Measured {
    pub size: usize,
    pub reads_per_sweep: f64,
    pub reads_floor: u64,
    pub writes: u64,
    pub writes_floor: u64,
    /// Reads beside the sweeps while restoring.
    pub narrow_reads: u64,
    /// Calls that AWS refused for want of rate.
    pub throttled: u64,
    /// From the flag of the first loss until all is in sync again, in virtual time.
    pub took: Duration,
    pub floor: Duration,
}

const SWEPT: [Action; 3] =
    [Action::DescribeVpcPeeringConnections, Action::DescribeRouteTables, Action::DescribeVpcs];

/// Declares a fleet of `size` peerings with ten routes each, all in sync; loses all of them; watches.
pub async fn restore(size: usize) -> Measured {
    let rig = Rig::in_sync(size);
    rig.aws.with_world(|world| world.set_throttling(Some(Throttling::aws())));
    // A sweep of many thousands takes minutes of the rate that it may use.
    let every = Duration::from_secs(60) * (size as u32 / 1_000).max(1);
    let _replica = rig.start(Options { sweep_interval: every, ..rig.options() }).await;
    rig.until("all to be ready", HOURS, Rig::all_ready).await;
    // What was found at the start has settled by then.
    tokio::time::sleep(Duration::from_secs(360)).await;
    let sweeps = idle(&rig, every).await;
    let reads_floor = rig.sweep_floor();
    rig.aws.with_world(|world| world.clear_log());
    // Whoever does this has buckets of their own: it is not what is measured.
    rig.aws.with_world(|world| world.set_throttling(None));
    rig.lose_all();
    rig.aws.with_world(|world| world.set_throttling(Some(Throttling::aws())));
    rig.aws.with_world(|world| world.reset_counts());
    let first = rig.until("a flag", HOURS, |rig| rig.server.writes("events") > 0).await;
    let rest = rig.until("the restores", HOURS, |rig| rig.settled_anew()).await;
    let counts = rig.counts();
    let sum = |mutates: bool| -> u64 {
        counts
            .iter()
            .filter(|(action, _)| action.mutates() == mutates && **action != Action::AssumeRole)
            .map(|(_, n)| n)
            .sum()
    };
    let swept = (first + rest).as_secs_f64() / every.as_secs_f64() * reads_floor as f64;
    let throttled = rig.aws.with_world(|world| world.throttled().values().sum());
    let n = size as u64;
    Measured {
        size,
        reads_per_sweep: sweeps,
        reads_floor,
        writes: sum(true),
        // Create, accept, the accepter's tags, and each route.
        writes_floor: 3 * n + 2 * TABLES as u64 * n,
        narrow_reads: sum(false).saturating_sub(swept as u64),
        throttled,
        took: rest,
        floor: floor(size),
    }
}

const HOURS: Duration = Duration::from_secs(400 * 3600);

/// Reads of a sweep of both places, over ten sweeps in which nothing happens.
async fn idle(rig: &Rig, every: Duration) -> f64 {
    rig.aws.with_world(|world| world.reset_counts());
    tokio::time::sleep(10 * every).await;
    let counts = rig.counts();
    let reads: u64 = SWEPT.iter().map(|action| counts.get(action).copied().unwrap_or_default()).sum();
    // VPCs fit a page, so their reads are as many as the sweeps.
    let pages = rig.vpc_pages();
    let sweeps = counts[&Action::DescribeVpcs] as f64 / pages as f64;
    reads as f64 / sweeps
}

/// The slowest of the buckets: re-pointing the routes of one side.
fn floor(size: usize) -> Duration {
    let share = u64::from(Share::default().as_permille());
    let class = Class::Mutating;
    let burst = class.burst() * share / 1000;
    let per_1000_s = class.refill_per_s() * share;
    let routes = (TABLES * size) as u64;
    Duration::from_millis(routes.saturating_sub(burst) * 1_000_000 / per_1000_s)
}

/// Thirty peerings want 150 routes re-pointed on each side, and 25 may be at once: those that wait come back once, several
/// at a time, and share what they read. Alone, each took fifty.
#[tokio::test(start_paused = true)]
async fn invariant_12_a_mass_restore_writes_the_floor_and_shares_its_reads() {
    let m = restore(30).await;
    assert_eq!(m.writes, m.writes_floor, "{m:?}");
    assert_eq!(m.throttled, 0, "{m:?}");
    assert!(m.narrow_reads <= 12 * m.size as u64, "{m:?}");
    // Beside the bucket: the other account's sweep, the life of a peering, and the last looks.
    assert!(m.took <= m.floor + Duration::from_secs(45), "{m:?}");
}

/// `make bench`: as a table. Not a test: it fails only if it can't be done.
#[tokio::test(start_paused = true)]
#[ignore = "a benchmark of some minutes"]
async fn table() {
    let sizes = std::env::var("SIZES").unwrap_or_else(|_| "100,1000".to_owned());
    println!(
        "{:>9}{:>14}{:>8}{:>10}{:>10}{:>8}{:>14}{:>12}{:>12}{:>8}{:>11}",
        "peerings",
        "reads/sweep",
        "floor",
        "writes",
        "floor",
        "ratio",
        "narrow reads",
        "restore s",
        "floor s",
        "ratio",
        "throttled"
    );
    for size in sizes.split(',').map(|size| size.parse().unwrap()) {
        let m = restore(size).await;
        println!(
            "{:>9}{:>14.2}{:>8}{:>10}{:>10}{:>8.2}{:>14.1}{:>12.0}{:>12.0}{:>8.2}{:>11}",
            m.size,
            m.reads_per_sweep,
            m.reads_floor,
            m.writes,
            m.writes_floor,
            m.writes as f64 / m.writes_floor as f64,
            m.narrow_reads as f64 / m.size as f64,
            m.took.as_secs_f64(),
            m.floor.as_secs_f64(),
            m.took.as_secs_f64() / m.floor.as_secs_f64(),
            m.throttled
        );
    }
}
