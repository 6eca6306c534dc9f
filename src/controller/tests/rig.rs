//! What the tests stand on: two accounts, an operator between them, and people at both ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ec2sim::sdk::{Fate, InProcess};
use ec2sim::{
    Action, Caller, Calm, EventPattern, PeeringId, QueueId, Request, RouteTableId, VpcId, World,
    world_of_today,
};
use peerkeeper_core::time::Timing;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::api_server::ApiServer;
use crate::aws::{Aws, AwsConfig};
use crate::controller::AuditLog;
use crate::controller::cluster::Cluster;
use crate::controller::lease::{Leadership, LeaseOptions};
use crate::controller::shell::{Shell, ShellOptions};
use crate::controller::{RunError, Stop, work};
use crate::signal::QueueUrl;

pub const PROD: (&str, &str) = ("111122223333", "eu-west-1");
pub const SHARED: (&str, &str) = ("444455556666", "us-east-1");
pub const NAMESPACE: &str = "net";
pub const OWNER_ID: &str = "test-owner";
/// Route tables of each VPC that are routed.
pub const TABLES: usize = 5;

pub struct Options {
    pub aws: AwsConfig,
    pub max_restores: u32,
    pub sweep_interval: Duration,
    pub identity: String,
    pub audit_log: Option<AuditLog>,
    pub event_queues: Vec<QueueUrl>,
}

/// One replica.
pub struct Replica {
    pub task: JoinHandle<Result<(), RunError>>,
    pub shell: Arc<Shell>,
}

impl Replica {
    /// As `kill -9` does; what is on its way to AWS may still arrive.
    pub fn kill(self) {
        self.task.abort();
    }
}

pub struct Rig {
    pub server: ApiServer,
    pub aws: InProcess,
    pub peerings: Vec<Declared>,
    /// One that was not ready when last asked.
    unready: AtomicUsize,
}

/// One declared peering and its world.
#[derive(Clone)]
pub struct Declared {
    pub name: String,
    pub hub: VpcId,
    pub spoke: VpcId,
}

impl Rig {
    /// Hubs with fifty spokes each, everything as declared, each peering tagged as its object's own.
    pub fn in_sync(size: usize) -> Self {
        let mut world = world_of_today();
        let mut peerings = Vec::new();
        let mut hub = None;
        for n in 0..size {
            if n % 50 == 0 {
                hub =
                    Some(vpc(&mut world, PROD, &format!("172.{}.{}.0/24", 16 + n / 50 / 256, n / 50 % 256)));
            }
            let hub = hub.clone().unwrap();
            let spoke = vpc(&mut world, SHARED, &format!("10.{}.{}.0/24", n / 256, n % 256));
            let declared = Declared { name: format!("peering-{n:05}"), hub: hub.vpc, spoke: spoke.vpc };
            let id = world.peer(&declared.hub, &declared.spoke).unwrap();
            for (account, region) in [PROD, SHARED] {
                let tag = format!("{OWNER_ID}/{NAMESPACE}/{}", declared.name);
                let tags = [("peerkeeper.dev/owner", tag.as_str()), ("peerkeeper.dev/origin", "created")];
                world.tag(&Caller::new(account, region), id.as_str(), &tags).unwrap();
            }
            for (tables, to) in [(&hub.tables, &spoke.cidr), (&spoke.tables, &hub.cidr)] {
                for table in tables {
                    world.add_route(table, to, id.as_str()).unwrap();
                }
            }
            peerings.push(declared);
        }
        world.advance(world.now_ms() + 3_600_000);
        world.reset_counts();
        world.clear_log();
        let rig = Self {
            server: ApiServer::new(),
            aws: on_its_way(world),
            peerings,
            unready: AtomicUsize::default(),
        };
        rig.declare();
        rig
    }

    fn declare(&self) {
        for (name, (account, _)) in [("prod", PROD), ("shared", SHARED)] {
            self.server.apply(json!({
                "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name},
                "spec": {
                    "accountId": account,
                    "roleArn": format!("arn:aws:iam::{account}:role/peerkeeper"),
                    "grants": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}, "vpcs": {"select": "All"}}],
                },
            }));
        }
        self.policy("Restore", 1_000_000);
        for declared in &self.peerings {
            self.server.apply(object(declared));
        }
    }

    pub fn policy(&self, action: &str, max_restores: u32) {
        self.server.apply(json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "onUnexpectedDeletion": {"action": action},
                "limits": {
                    "window": "1h", "maxRestores": max_restores, "maxRemovals": 10, "maxRestoresPerPeering": 3,
                },
            },
        }));
    }

    pub fn options(&self) -> Options {
        Options {
            aws: config(&self.aws),
            max_restores: 1_000_000,
            sweep_interval: Duration::from_secs(60),
            identity: "one".to_owned(),
            audit_log: None,
            event_queues: Vec::new(),
        }
    }

    /// Starts a replica as `peerkeeper run` does, but for its probes' port.
    pub async fn start(&self, options: Options) -> Replica {
        // The same jitter in every run.
        fastrand::seed(7);
        let client = self.server.client();
        let lease = LeaseOptions {
            namespace: "peerkeeper-system".to_owned(),
            name: "peerkeeper".to_owned(),
            duration_s: 15,
            identity: options.identity.clone(),
        };
        let leadership = Leadership::new(&lease).unwrap();
        let interval_ms = u64::try_from(options.sweep_interval.as_millis()).unwrap();
        let shell = Shell::new(
            Cluster::new(client.clone(), &options.identity),
            Aws::new(options.aws).await.unwrap(),
            leadership.clone(),
            ShellOptions {
                owner_id: OWNER_ID.to_owned(),
                timing: Timing {
                    // As `peerkeeper run` has it.
                    stale_ms: (3 * interval_ms).max(Timing::default().stale_ms),
                    ..Timing::default()
                },
                sweep_interval: options.sweep_interval,
                concurrency: 16,
                max_restores: options.max_restores,
                max_removals: 100,
                audit_log: options.audit_log,
                incident_history: 10,
                event_queues: options.event_queues,
            },
        );
        let (stop, leads) = (Stop::new().unwrap(), leadership.clone());
        let worked = shell.clone();
        let task = tokio::spawn(async move { work(client, worked, leads, &lease, stop).await });
        Replica { task, shell }
    }

    /// A queue in the hubs' account hears of both accounts' calls.
    pub fn tell_of_calls(&self) -> QueueUrl {
        self.tell(&[PROD, SHARED], PROD.1)
    }

    /// A queue in the hubs' account and that Region hears of the calls in those places.
    pub fn tell(&self, of: &[(&str, &str)], region: &'static str) -> QueueUrl {
        self.create_queue(region);
        self.aws.with_world(|world| {
            for (account, of) in of {
                let pattern = EventPattern::ec2(Vec::<String>::new());
                world.deliver_events(*account, *of, &pattern, &queue(region)).unwrap();
            }
        });
        format!("https://sqs.{region}.amazonaws.com/{}/events", PROD.0).parse().unwrap()
    }

    pub fn create_queue(&self, region: &str) {
        let (name, attributes) = ("events".to_owned(), Default::default());
        let request = Request::CreateQueue { name, attributes, tags: Default::default() };
        self.human((PROD.0, region), request);
    }

    pub fn human(&self, (account, region): (&str, &str), request: Request) {
        self.aws.with_world(|world| world.as_human(account, region, request)).unwrap();
    }

    /// A condition of an AwsAccount: its reason and message.
    pub fn account_condition(&self, name: &str, kind: &str) -> Option<(String, String)> {
        let object = self.server.get("awsaccounts", "", name).unwrap();
        let conditions = object["status"]["conditions"].as_array()?.clone();
        let found = conditions.iter().find(|condition| condition["type"] == kind)?.clone();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Some((text("reason"), text("message")))
    }

    /// Waits, in virtual time, until `probe` holds; how long that took.
    pub async fn until(&self, what: &str, limit: Duration, probe: impl Fn(&Self) -> bool) -> Duration {
        let began = Instant::now();
        while !probe(self) {
            assert!(began.elapsed() < limit, "waited {limit:?} for {what}: {}", self.say());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        began.elapsed()
    }

    pub fn status(&self, name: &str) -> Value {
        let object = self.server.get("vpcpeerings", NAMESPACE, name).unwrap();
        object.get("status").cloned().unwrap_or_default()
    }

    pub fn condition(&self, name: &str, kind: &str) -> Option<(String, String)> {
        let status = self.status(name);
        let conditions = status["conditions"].as_array()?;
        let found = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason")))
    }

    pub fn is_ready(&self, name: &str) -> bool {
        self.condition(name, "Ready").is_some_and(|(status, _)| status == "True")
    }

    /// Asked every moment of thousands of objects: the one that was not ready when last asked is asked first.
    pub fn all_ready(&self) -> bool {
        let is_ready = |at: &usize| self.peerings.get(*at).is_none_or(|one| self.is_ready(&one.name));
        if !is_ready(&self.unready.load(Ordering::Relaxed)) {
            return false;
        }
        let unready = (0..self.peerings.len()).find(|at| !is_ready(at));
        self.unready.store(unready.unwrap_or_default(), Ordering::Relaxed);
        unready.is_none()
    }

    /// The live peering of a declared pair.
    pub fn live(&self, declared: &Declared) -> Option<PeeringId> {
        self.aws.with_world(|world| world.live_peerings_of(&declared.hub, &declared.spoke).into_iter().next())
    }

    /// Somebody in the spokes' account deletes them all.
    pub fn lose_all(&self) -> Vec<PeeringId> {
        let lose = |declared: &Declared| {
            let id = self.live(declared).unwrap();
            self.aws.with_world(|world| world.delete_peering_as(SHARED.0, SHARED.1, &id)).unwrap();
            id
        };
        self.peerings.iter().map(lose).collect()
    }

    /// Somebody in the hubs' account deletes every other one that is there.
    pub fn lose_some(&self) {
        for declared in self.peerings.iter().step_by(2) {
            if let Some(id) = self.live(declared) {
                let _ = self.aws.with_world(|world| world.delete_peering_as(PROD.0, PROD.1, &id));
            }
        }
    }

    /// Ready, and with a peering that lives.
    pub fn settled_anew(&self) -> bool {
        self.all_ready() && self.peerings.iter().all(|declared| self.live(declared).is_some())
    }

    /// The reasons of an object's Events.
    pub fn events(&self, name: &str) -> Vec<String> {
        self.server.events_of(name)
    }

    /// What the operator asked of AWS.
    pub fn counts(&self) -> BTreeMap<Action, u64> {
        let mut sums = BTreeMap::new();
        self.aws.with_world(|world| {
            for ((caller, action), count) in world.counts() {
                if &*caller.principal != "human" {
                    *sums.entry(*action).or_default() += count;
                }
            }
        });
        sums
    }

    /// Pages of both places' VPCs.
    pub fn vpc_pages(&self) -> u64 {
        let (hubs, spokes) = (self.peerings.len().div_ceil(50), self.peerings.len());
        (hubs.div_ceil(1000) + spokes.div_ceil(1000)) as u64
    }

    /// The least calls that a sweep of both places takes, halved: of one place on average.
    pub fn sweep_floor(&self) -> u64 {
        let (hubs, spokes) = (self.peerings.len().div_ceil(50), self.peerings.len());
        // Each VPC has its main table too.
        let tables = |vpcs: usize| (vpcs * (TABLES + 1)).div_ceil(100);
        let peerings = 2 * self.peerings.len().div_ceil(1000);
        (peerings + tables(hubs) + tables(spokes)) as u64 + self.vpc_pages()
    }

    fn say(&self) -> String {
        let unready: Vec<String> = self
            .peerings
            .iter()
            .filter(|declared| !self.is_ready(&declared.name))
            .take(3)
            .map(|declared| format!("{}: {}", declared.name, self.status(&declared.name)["conditions"]))
            .collect();
        unready.join("\n")
    }
}

/// The one that [`Rig::tell`] makes.
pub fn queue(region: &str) -> QueueId {
    QueueId::new(PROD.0, region, "events")
}

/// Every call takes a little while, as calls do.
fn on_its_way(world: World) -> InProcess {
    let aws = InProcess::new(world, Calm);
    aws.twist(|_, fate| Fate::Late(CALL, Box::new(fate)));
    aws
}

const CALL: Duration = Duration::from_millis(20);

/// Our own credentials are the world's default account's.
fn config(aws: &InProcess) -> AwsConfig {
    let own = Credentials::new("AKIAOWN", "secret", None, None, "test");
    AwsConfig {
        region: Some("eu-west-1".parse().unwrap()),
        owner_id: OWNER_ID.into(),
        http_client: Some(aws.client()),
        credentials: Some(SharedCredentialsProvider::new(own)),
        ..AwsConfig::default()
    }
}

#[derive(Clone)]
struct Place {
    vpc: VpcId,
    cidr: String,
    tables: Vec<RouteTableId>,
}

fn vpc(world: &mut World, (account, region): (&str, &str), cidr: &str) -> Place {
    let vpc = world.create_vpc(account, region, cidr).unwrap();
    let tables = (0..TABLES).map(|_| world.create_table(&vpc, &[("tier", "private")]).unwrap()).collect();
    Place { vpc, cidr: cidr.to_owned(), tables }
}

pub fn object(declared: &Declared) -> Value {
    let side = |name: &str, region: &str, vpc: &VpcId| {
        json!({
            "account": {"name": name}, "region": region, "vpcId": vpc.as_str(),
            "routes": [{
                "name": "private",
                "routeTables": {"matchTags": {"tier": "private"}},
                "destinations": {"peerCidrs": "All"},
            }],
        })
    };
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {"name": declared.name, "namespace": NAMESPACE},
        "spec": {
            "requester": side("prod", PROD.1, &declared.hub),
            "accepter": side("shared", SHARED.1, &declared.spoke),
        },
    })
}
