//! How soon a deletion that CloudTrail tells of is flagged: from the moment when its message can be received, and the
//! tombstone read, until a watch on the API server shows the flag on the object. The operator's own binary, a real API
//! server, and `ec2sim` over HTTP, with thousands of peerings declared.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ec2sim::{EventPattern, PeeringId, QueueId, Request};
use futures::TryStreamExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::memory::{BATCH, NAMESPACE, PLACES, build, in_sync};
use crate::stage::condition;
use crate::support::{OWN_ACCOUNT, Operator, Options, World, account, eventually};

const QUEUE_REGION: &str = "eu-west-1";
/// Fifty a minute.
const BETWEEN: Duration = Duration::from_millis(1_200);
const PATIENCE: Duration = Duration::from_secs(60);

/// When each object was first seen flagged, by its name.
type Flagged = Arc<Mutex<BTreeMap<String, Instant>>>;

fn is_flagged(object: &DynamicObject) -> bool {
    condition(&object.data["status"], "UnexpectedlyDeleted")["status"] == "True"
}

/// Watches the objects as any other client would.
async fn watch(client: kube::Client, flagged: Flagged) {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("peerkeeper.dev", "v1alpha1", "VpcPeering"));
    let api = kube::Api::<DynamicObject>::namespaced_with(client, NAMESPACE, &kind);
    let mut objects = pin!(watcher(api, watcher::Config::default()).default_backoff().applied_objects());
    while let Some(object) = objects.try_next().await.expect("the watch goes on") {
        let name = object.metadata.name.clone().unwrap_or_default();
        if is_flagged(&object) {
            flagged.lock().expect("nobody panicked").entry(name).or_insert_with(Instant::now);
        }
    }
}

/// A queue of the operator's that hears of the calls in all accounts and Regions of the fleet.
fn tell_of_calls(world: &World) -> String {
    let aws = world.aws();
    aws.sim().world(|world| {
        let create = Request::CreateQueue {
            name: "events".to_owned(),
            attributes: BTreeMap::new(),
            tags: ec2sim::Tags::new(),
        };
        world.as_human(OWN_ACCOUNT, QUEUE_REGION, create).expect("a queue");
        let queue = QueueId::new(OWN_ACCOUNT, QUEUE_REGION, "events");
        for (_, account, region) in PLACES {
            let pattern = EventPattern::ec2(["DeleteVpcPeeringConnection"]);
            world.deliver_events(account, region, &pattern, &queue).expect("a trail and a rule");
        }
    });
    format!("{}/{OWN_ACCOUNT}/events,region={QUEUE_REGION}", aws.clients().endpoint())
}

/// The fleet declared, in sync, and listened for; no sweep is due for an hour.
fn settle(world: &World, size: usize) -> Operator {
    let objects = world.aws().sim().world(|world| build(world, size));
    let url = tell_of_calls(world);
    world.namespace(NAMESPACE, NAMESPACE, "Flag");
    for (name, id, _) in PLACES {
        world.cluster.apply_ok(&account(name, id, NAMESPACE).to_string());
    }
    for batch in objects.chunks(BATCH) {
        world.cluster.apply_ok(&json!({"apiVersion": "v1", "kind": "List", "items": batch}).to_string());
    }
    let mut options = Options::admin(&world.cluster, &world.aws()).args(&["--event-queue-url", &url]);
    options.sweep_interval = "1h".to_owned();
    let mut operator = Operator::start(options);
    operator.wait_ready();
    eventually("all to be in sync", Duration::from_secs(120 + size as u64), || {
        let now = in_sync(&operator.metrics());
        if now == size { Ok(()) } else { Err(format!("{now} of {size} are in sync")) }
    });
    operator
}

/// Which peerings are lost, all over the fleet, each with its object's name.
fn chosen(world: &World, size: usize, losses: usize) -> Vec<(String, PeeringId)> {
    let by_owner: BTreeMap<String, PeeringId> = world.aws().sim().world(|world| {
        let owner = |tags: &ec2sim::Tags| tags.get("peerkeeper.dev/owner").cloned().expect("it is ours");
        world.peerings().map(|view| (owner(&view.tags), view.id)).collect()
    });
    assert_eq!(by_owner.len(), size, "one peering for each object");
    let every = by_owner.into_iter().step_by(size / losses).take(losses);
    every.map(|(owner, id)| (owner.rsplit('/').next().unwrap_or_default().to_owned(), id)).collect()
}

async fn measure(size: usize, losses: usize) {
    let losses = losses.min(size);
    let world = World::start();
    let mut operator = tokio::task::block_in_place(|| settle(&world, size));
    let flagged = Flagged::default();
    let watching = tokio::spawn(watch(world.cluster.client().await, flagged.clone()));
    // It has seen everything as it is.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut told = BTreeMap::new();
    let mut next = tokio::time::interval(BETWEEN);
    for (n, (name, id)) in chosen(&world, size, losses).into_iter().enumerate() {
        next.tick().await;
        let (_, account, region) = PLACES[n % 2];
        // Deleted at once, and told at once: what follows is the operator's.
        let at = world.aws().sim().world(|world| {
            world.delete_peering_as(account, region, &id).expect("it can be deleted");
            Instant::now()
        });
        told.insert(name, at);
    }
    let ended = Instant::now();
    while flagged.lock().expect("nobody panicked").len() < losses && ended.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watching.abort();
    assert!(operator.exited().is_none(), "{}", operator.log());
    let flagged = flagged.lock().expect("nobody panicked").clone();
    let mut took_ms: Vec<u128> = told
        .iter()
        .filter_map(|(name, at)| Some(flagged.get(name)?.duration_since(*at).as_millis()))
        .collect();
    assert_eq!(took_ms.len(), losses, "every loss is flagged without a sweep");
    took_ms.sort_unstable();
    let at = |permille: usize| took_ms[(losses * permille).div_ceil(1000).max(1) - 1];
    println!("{size:>9}{losses:>9}{:>9}{:>9}{:>9}", at(500), at(990), at(1000));
}

/// `make bench`: as a table. Not a test: it fails only if a loss is not flagged at all.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark of some minutes"]
async fn bench() {
    println!("{:>9}{:>9}{:>9}{:>9}{:>9}", "peerings", "losses", "p50 ms", "p99 ms", "max ms");
    let sizes = std::env::var("SIZES").unwrap_or_else(|_| "1000".to_owned());
    let losses = std::env::var("LOSSES").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    for size in sizes.split(',').map(|size| size.parse().expect("a number")) {
        measure(size, losses).await;
    }
}
