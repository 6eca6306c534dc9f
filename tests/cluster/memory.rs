//! What the whole process weighs with thousands of peerings declared: the operator's own binary, a real API server, and
//! an EC2 that holds them all, with ten routes each.

use std::time::{Duration, Instant};

use ec2sim::{Caller, RouteTableId, VpcId};
use serde_json::{Value, json};

use crate::support::{Operator, Options, World, account, eventually};

pub const PLACES: [(&str, &str, &str); 2] =
    [("hubs", "333333333301", "eu-west-1"), ("spokes", "444444444401", "us-east-1")];
const SPOKES_PER_HUB: usize = 50;
const TABLES_PER_VPC: usize = 5;
pub const NAMESPACE: &str = "fleet";
/// `kubectl apply` of many objects at once.
pub const BATCH: usize = 500;

struct Place {
    vpc: VpcId,
    cidr: String,
    tables: Vec<RouteTableId>,
}

/// Everything as it will be declared, tagged as ours: the operator finds it in sync.
pub fn build(world: &mut ec2sim::World, size: usize) -> Vec<Value> {
    let place = |world: &mut ec2sim::World, (_, account, region): (&str, &str, &str), cidr: String| {
        let vpc = world.create_vpc(account, region, &cidr).expect("a VPC");
        let table = |_| world.create_table(&vpc, &[("tier", "private")]).expect("a table");
        let tables = (0..TABLES_PER_VPC).map(table).collect();
        Place { vpc, cidr, tables }
    };
    let mut objects = Vec::new();
    let mut hub = None;
    for n in 0..size {
        if n % SPOKES_PER_HUB == 0 {
            let number = n / SPOKES_PER_HUB;
            hub = Some(place(world, PLACES[0], format!("172.{}.{}.0/24", 16 + number / 256, number % 256)));
        }
        let hub = hub.as_ref().expect("the first is made first");
        let spoke = place(world, PLACES[1], format!("10.{}.{}.0/24", n / 256, n % 256));
        let id = world.peer(&hub.vpc, &spoke.vpc).expect("a peering");
        let owner = format!("test/{NAMESPACE}/peering-{n:05}");
        for (_, account, region) in PLACES {
            let tags = [("peerkeeper.dev/owner", owner.as_str()), ("peerkeeper.dev/origin", "created")];
            world.tag(&Caller::new(account, region), id.as_str(), &tags).expect("tags");
        }
        for (tables, to) in [(&hub.tables, &spoke.cidr), (&spoke.tables, &hub.cidr)] {
            for table in tables {
                world.add_route(table, to, id.as_str()).expect("a route");
            }
        }
        objects.push(object(n, &hub.vpc, &spoke.vpc));
    }
    objects
}

fn object(n: usize, hub: &VpcId, spoke: &VpcId) -> Value {
    let side = |(name, _, region): (&str, &str, &str), vpc: &VpcId| {
        json!({"account": {"name": name}, "region": region, "vpcId": vpc.as_str(), "routes": [{
            "name": "private", "routeTables": {"matchTags": {"tier": "private"}}, "destinations": {"peerCidrs": "All"},
        }]})
    };
    json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {"name": format!("peering-{n:05}"), "namespace": NAMESPACE},
        "spec": {"requester": side(PLACES[0], hub), "accepter": side(PLACES[1], spoke)}})
}

/// Resident memory now, the part of it that is heap and stacks, and what all of it was at its highest, in MiB.
fn resident_mib(pid: u32) -> (u64, u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") / 1024
    };
    (of("VmRSS:"), of("RssAnon:"), of("VmHWM:"))
}

/// How many VpcPeerings are ready, by the operator's metrics.
pub fn in_sync(metrics: &str) -> usize {
    let line = |line: &&str| line.starts_with("peerkeeper_vpcpeerings{") && line.contains("ready=\"True\"");
    let counts = metrics.lines().filter(line).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    counts.sum::<f64>() as usize
}

fn measure(size: usize) {
    let world = World::start();
    let objects = world.aws().sim().world(|world| build(world, size));
    world.namespace(NAMESPACE, NAMESPACE, "Restore");
    for (name, id, _) in PLACES {
        world.cluster.apply_ok(&account(name, id, NAMESPACE).to_string());
    }
    for batch in objects.chunks(BATCH) {
        world.cluster.apply_ok(&json!({"apiVersion": "v1", "kind": "List", "items": batch}).to_string());
    }
    let mut options = Options::admin(&world.cluster, &world.aws());
    options.sweep_interval = "60s".to_owned();
    let began = Instant::now();
    let mut operator = Operator::start(options);
    operator.wait_ready();
    eventually("all to be in sync", Duration::from_secs(120 + size as u64), || {
        let now = in_sync(&operator.metrics());
        if now == size { Ok(()) } else { Err(format!("{now} of {size} are in sync")) }
    });
    let took = began.elapsed();
    // Two sweeps more: what is kept beside the newest is there then.
    std::thread::sleep(Duration::from_secs(150));
    let (now, heap, highest) = resident_mib(operator.pid());
    println!("{size:>9}{:>22}{now:>15}{heap:>15}{highest:>15}", took.as_secs());
}

/// `make bench`: as a table. Not a test: it fails only if it can't be done.
#[test]
#[ignore = "a benchmark of some minutes"]
fn bench() {
    println!(
        "{:>9}{:>22}{:>15}{:>15}{:>15}",
        "peerings", "all in sync after s", "resident MiB", "of it heap", "highest MiB"
    );
    let sizes = std::env::var("SIZES").unwrap_or_else(|_| "100,1000,10000".to_owned());
    for size in sizes.split(',').map(|size| size.parse().expect("a number")) {
        measure(size);
    }
}
