//! How many AWS calls a sweep and a restore take, counted by who plays AWS, against the least that its interface allows.
//!
//! A sweep: one call per page of peerings, route tables and VPCs; all that is here fits on one page each. A restore:
//! create and accept, one call per route, one per side with DNS options and one for the accepter's tags. What is
//! read in between, to write on fresh ground and to read back, is counted too and bounded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Network, Operator, World, account, eventually, peering};

type Calls = BTreeMap<String, u64>;

const SWEEP: [&str; 3] = ["DescribeRouteTables", "DescribeVpcPeeringConnections", "DescribeVpcs"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// AWS's quota of active peerings of a VPC is 50, and so is moto's of routes in a table.
const SPOKES_PER_HUB: usize = 40;

/// Hubs and their spokes, in two accounts and Regions: a peering each, with a route and a DNS option on both sides.
struct Fleet<'w> {
    world: &'w World,
    namespace: String,
    ids: [String; 2],
    hubs: Vec<Network>,
    spokes: Vec<Network>,
}

impl<'w> Fleet<'w> {
    async fn declare(world: &'w World, namespace: &str, number: u8, size: usize) -> Self {
        let ids = [format!("3333333333{number:02}"), format!("4444444444{number:02}")];
        world.namespace(namespace, namespace, "Restore");
        let room = json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
            "metadata": {"name": "default", "namespace": namespace},
            "spec": {"onUnexpectedDeletion": {"action": "Restore"}, "limits": {"maxRestores": size.max(10)}}});
        world.cluster.apply_ok(&room.to_string());
        for (side, id) in ["hub", "spokes"].iter().zip(&ids) {
            world.cluster.apply_ok(&account(&format!("{namespace}-{side}"), id, namespace).to_string());
        }
        let (mut hubs, mut spokes) = (Vec::new(), Vec::new());
        for n in 0..size.div_ceil(SPOKES_PER_HUB) {
            hubs.push(world.network(&ids[0], REGIONS[0], &format!("10.1.{n}.0/24")).await);
        }
        for n in 0..size {
            spokes.push(world.network(&ids[1], REGIONS[1], &format!("10.2.{n}.0/24")).await);
        }
        for network in hubs.iter().chain(&spokes) {
            network.set_dns_hostnames(true).await;
        }
        let fleet = Self { world, namespace: namespace.to_owned(), ids, hubs, spokes };
        let objects: Vec<Value> = (0..size).map(|n| fleet.object(n)).collect();
        world.cluster.apply_ok(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
        fleet
    }

    fn object(&self, n: usize) -> Value {
        let names = ["hub", "spokes"].map(|side| format!("{}-{side}", self.namespace));
        let ends =
            ((names[0].as_str(), &self.hubs[n / SPOKES_PER_HUB]), (names[1].as_str(), &self.spokes[n]));
        let mut object = peering(&self.namespace, &format!("spoke-{n:03}"), ends.0, ends.1);
        for side in ["requester", "accepter"] {
            object["spec"][side]["allowDnsResolutionFromRemoteVpc"] = json!(true);
        }
        object
    }

    fn size(&self) -> u64 {
        self.spokes.len() as u64
    }

    /// Waits until all are in sync, none with one of these peerings, and returns the ids they have.
    #[track_caller]
    fn until_ready(&self, lost: &[String]) -> Vec<String> {
        let within = Duration::from_secs(120 + 2 * self.size());
        eventually(&format!("all of {} to be in sync", self.namespace), within, || {
            let list = self.world.cluster.get(&["vpcpeerings", "--namespace", &self.namespace]);
            let items = list["items"].as_array().expect("a list");
            let ready = |item: &&Value| {
                let status = &item["status"];
                let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
                let said = conditions.iter().find(|condition| condition["type"] == "Ready");
                said.is_some_and(|said| said["status"] == "True")
                    && status["peeringId"].as_str().is_some_and(|id| !lost.iter().any(|lost| lost == id))
            };
            let waiting: Vec<_> = items.iter().filter(|item| !ready(item)).collect();
            if let Some(first) = waiting.first() {
                return Err(format!(
                    "{} of {} are not, one says {:#}",
                    waiting.len(),
                    items.len(),
                    first["status"]
                ));
            }
            Ok(items
                .iter()
                .filter_map(|item| item["status"]["peeringId"].as_str())
                .map(str::to_owned)
                .collect())
        })
    }

    fn so_far(&self, metrics: &str) -> Counted {
        let mut calls = Calls::new();
        for id in &self.ids {
            for (action, count) in self.world.aws().calls_of(id) {
                *calls.entry(action).or_default() += count;
            }
        }
        let places = ["hub", "spokes"].map(|side| format!("account=\"{}-{side}\"", self.namespace));
        let ours = |line: &&str| {
            line.starts_with("peerkeeper_sweeps_total{") && places.iter().any(|place| line.contains(place))
        };
        let counts =
            metrics.lines().filter(ours).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Counted { calls, sweeps: counts.sum() }
    }

    /// Deletes every peering behind the operator's back, all within one sweep's time.
    async fn lose(&self, ids: &[String]) {
        for id in ids {
            self.hubs[0].delete_peering(id).await;
        }
    }

    /// What a restore of all its peerings must write: nothing can be left out, and nothing more is needed.
    fn restore_floor(&self) -> Calls {
        let (peerings, routes, sides) = (self.size(), 2 * self.size(), 2 * self.size());
        // moto takes the accepter's tags for the requester's, which the create sets.
        let tags = if self.world.aws().is_moto() { 0 } else { peerings };
        [
            ("CreateVpcPeeringConnection", peerings),
            ("AcceptVpcPeeringConnection", peerings),
            ("ReplaceRoute", routes),
            ("ModifyVpcPeeringConnectionOptions", sides),
            // On the accepter's side: tags show in the account and Region that set them.
            ("CreateTags", tags),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(action, count)| (action.to_owned(), count))
        .collect()
    }
}

/// Calls by the operator in a fleet's accounts, and its sweeps of them by its own count.
struct Counted {
    calls: Calls,
    sweeps: u64,
}

impl Counted {
    fn since(&self, before: &Self) -> Self {
        let more = |(action, count): (&String, &u64)| {
            let count = count - before.calls.get(action).copied().unwrap_or_default();
            (count > 0).then(|| (action.clone(), count))
        };
        Self { calls: self.calls.iter().filter_map(more).collect(), sweeps: self.sweeps - before.sweeps }
    }

    fn of(&self, action: &str) -> u64 {
        self.calls.get(action).copied().unwrap_or_default()
    }

    fn writes(&self) -> Calls {
        // Asking CloudTrail who did it changes nothing either.
        let is_write = |action: &str| !action.starts_with("Describe") && action != "LookupEvents";
        let writes = self.calls.iter().filter(|(action, _)| is_write(action));
        writes.map(|(action, count)| (action.clone(), *count)).collect()
    }

    /// Those beside the sweeps: to write on fresh ground, and to read back.
    fn narrow_reads(&self) -> u64 {
        let reads: u64 = SWEEP.iter().map(|action| self.of(action)).sum();
        reads.saturating_sub(self.sweeps * SWEEP.len() as u64)
    }
}

/// A sweep may be under way at either end of what is counted, one per account.
const UNDER_WAY: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_sweep_asks_once_for_each_kind_and_nothing_is_written() {
    let world = World::shared();
    let fleet = Fleet::declare(world, "calls-idle", 1, 3).await;
    fleet.until_ready(&[]);
    let settled = fleet.so_far(&world.metrics());
    // Whatever the last writes are still followed by.
    eventually("two sweeps of each account", Duration::from_secs(30), || {
        let swept = fleet.so_far(&world.metrics()).since(&settled).sweeps;
        if swept >= 2 * UNDER_WAY { Ok(()) } else { Err(format!("{swept} sweeps")) }
    });

    let before = fleet.so_far(&world.metrics());
    let idle = eventually("enough sweeps to tell", Duration::from_secs(60), || {
        let idle = fleet.so_far(&world.metrics()).since(&before);
        if idle.sweeps >= 6 * UNDER_WAY { Ok(idle) } else { Err(format!("{} sweeps", idle.sweeps)) }
    });
    for action in SWEEP {
        let (asked, sweeps) = (idle.of(action), idle.sweeps);
        assert!(asked.abs_diff(sweeps) <= UNDER_WAY, "{action}: {asked} in {sweeps} sweeps");
    }
    let others: Vec<_> = idle.calls.keys().filter(|action| !SWEEP.contains(&action.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_writes_no_more_than_it_must() {
    restores_at_the_floor(World::shared()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_writes_no_more_than_it_must_on_moto() {
    restores_at_the_floor(World::shared_on_moto()).await;
}

async fn restores_at_the_floor(world: &World) {
    let fleet = Fleet::declare(world, "calls-restore", 2, 3).await;
    let lost = fleet.until_ready(&[]);
    let before = fleet.so_far(&world.metrics());
    fleet.lose(&lost).await;
    fleet.until_ready(&lost);
    let mut restore = fleet.so_far(&world.metrics()).since(&before);
    // Not the operator's, but by the same account. Reads are not judged here: a slow machine looks more often while it
    // waits. The simulation bounds them in virtual time (invariant 12).
    assert_eq!(restore.calls.remove("DeleteVpcPeeringConnection"), Some(fleet.size()));
    assert_eq!(restore.writes(), fleet.restore_floor());
}

/// `make bench`: the same counts for 20 and 100 peerings, as a table. Not a test: it fails only if it can't be done.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark of some minutes"]
async fn bench() {
    println!(
        "\nEach with a route and a DNS option on both sides, in two accounts and two Regions; AWS is ec2sim."
    );
    println!(
        "Floor of a sweep: one call each for peerings, route tables and VPCs; of a restore: 2 for the peering,"
    );
    println!("1 per route, 1 per side for options, 1 for the accepter's tags.\n");
    println!(
        "{:>9}{:>16}{:>8}{:>16}{:>8}{:>10}{:>14}{:>12}{:>9}",
        "peerings",
        "calls/sweep",
        "floor",
        "restore writes",
        "floor",
        "ratio",
        "narrow reads",
        "per peering",
        "s"
    );
    let sizes = std::env::var("PEERKEEPER_BENCH_SIZES").unwrap_or_else(|_| "20,100".to_owned());
    for size in sizes.split(',').map(|size| size.parse().expect("sizes are numbers, such as 20,100")) {
        // Each in a world of its own: nothing else is swept.
        let world = World::start();
        let args = ["--aws-budget-share=100", "--max-restores=1000"];
        let operator = world.operator(&args);
        let fleet = Fleet::declare(&world, "bench", 0, size).await;
        let lost = fleet.until_ready(&[]);
        let idle = idle(&fleet, &operator).await;
        let sweep: u64 = SWEEP.iter().map(|action| idle.of(action)).sum();
        let before = fleet.so_far(&operator.metrics());
        fleet.lose(&lost).await;
        let begun = Instant::now();
        fleet.until_ready(&lost);
        let took = begun.elapsed();
        let mut restore = fleet.so_far(&operator.metrics()).since(&before);
        restore.calls.remove("DeleteVpcPeeringConnection");
        let (writes, floor) = (total(&restore.writes()), total(&fleet.restore_floor()));
        println!(
            "{size:>9}{:>16.2}{:>8}{writes:>16}{floor:>8}{:>10.2}{:>14}{:>12.1}{:>9.0}",
            sweep as f64 / idle.sweeps as f64,
            SWEEP.len(),
            writes as f64 / floor as f64,
            restore.narrow_reads(),
            restore.narrow_reads() as f64 / fleet.size() as f64,
            took.as_secs_f64(),
        );
        println!("{:>9} {:?}", "", restore.calls);
    }
}

async fn idle(fleet: &Fleet<'_>, operator: &Operator) -> Counted {
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = fleet.so_far(&operator.metrics());
    tokio::time::sleep(Duration::from_secs(20)).await;
    fleet.so_far(&operator.metrics()).since(&before)
}

fn total(calls: &Calls) -> u64 {
    calls.values().sum()
}
