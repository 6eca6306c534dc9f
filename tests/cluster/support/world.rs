//! A whole world for a test: a control plane with our CRDs, EC2 with networks in as many accounts as wanted, and an
//! operator in between. One is shared by all tests that disturb nobody else: each takes namespaces, AWS accounts and
//! CIDRs of its own, and narrows its faults to its own accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, Tag};
use serde_json::{Value, json};

use super::{Aws, ControlPlane, Ec2sim, Moto, Operator, Options, eventually};

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
/// How long anything may take that the operator does by itself.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Both show at once what was written, so a test need not wait out what AWS may need.
pub const QUICK: [&str; 2] = ["--settle-window=2s", "--absence-gap=1s"];

pub struct World {
    /// The one that all share; a world of one test has its operators in the test's own hands. First, so that it ends
    /// before what it talks to.
    operator: OnceLock<Operator>,
    pub cluster: ControlPlane,
    aws: Mutex<Aws>,
}

/// One VPC with its main route table and another that is tagged `tier: private`.
#[derive(Clone)]
pub struct Network {
    pub account: String,
    pub region: String,
    pub vpc: String,
    pub table: String,
    pub main: String,
    pub cidr: String,
    /// EC2 as a person in that account sees it.
    pub ec2: aws_sdk_ec2::Client,
}

impl World {
    /// The control plane with our CRDs, an empty Lease that can be taken at once, and an EC2.
    #[track_caller]
    pub fn start() -> Self {
        World::on(Aws::Sim(Ec2sim::start()))
    }

    #[track_caller]
    fn on(aws: Aws) -> Self {
        let cluster = ControlPlane::start();
        cluster.kubectl_ok(&["apply", "--server-side", "--kustomize", CRDS]);
        cluster.kubectl_ok(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=30s"]);
        let world = World { operator: OnceLock::new(), cluster, aws: Mutex::new(aws) };
        world.empty_lease("peerkeeper");
        world
    }

    /// The one that tests share, with an operator that sweeps every two seconds. It ends with the test process.
    pub fn shared() -> &'static World {
        static SHARED: OnceLock<World> = OnceLock::new();
        SHARED.get_or_init(|| World::start().with_operator())
    }

    /// The same on an EC2 that nobody here wrote, for the few tests that run on both.
    pub fn shared_on_moto() -> &'static World {
        static SHARED: OnceLock<World> = OnceLock::new();
        SHARED.get_or_init(|| World::on(Aws::Moto(Moto::start())).with_operator())
    }

    #[track_caller]
    fn with_operator(self) -> Self {
        let operator = self.operator(&[]);
        assert!(self.operator.set(operator).is_ok(), "it had none yet");
        self
    }

    /// The shared operator's metrics, as a scrape gets them.
    #[track_caller]
    pub fn metrics(&self) -> String {
        self.operator.get().expect("a shared world has an operator").metrics()
    }

    /// What the shared operator has said of an object.
    fn said_of(&self, namespace: &str, name: &str) -> String {
        let log = self.operator.get().map(Operator::log).unwrap_or_default();
        let word = format!("object={namespace}/{name}");
        log.lines().filter(|line| line.contains(&word)).map(|line| format!("\n{line}")).collect()
    }

    /// A Lease nobody holds. Without one, the first leader waits out a full duration.
    pub fn empty_lease(&self, name: &str) {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": "default"}});
        self.cluster.apply_ok(&lease.to_string());
    }

    pub fn aws(&self) -> MutexGuard<'_, Aws> {
        // A test that failed while it held this must not take the others with it.
        self.aws.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `Operator::start` needs to run as the administrator, with short AWS timings.
    pub fn options(&self) -> Options {
        Options::admin(&self.cluster, &self.aws()).args(&QUICK)
    }

    /// Starts the operator and waits until it is ready. Later flags win over earlier ones only where clap says so, so
    /// give other timings by `options` and `Operator::start`.
    #[track_caller]
    pub fn operator(&self, args: &[&str]) -> Operator {
        let mut operator = Operator::start(self.options().args(args));
        operator.wait_ready();
        operator
    }

    /// An `AwsAccount` by a role in it, granted to namespaces labelled `team: <name of the account's team>`.
    pub fn account(&self, name: &str, id: &str, team: &str) {
        self.cluster.apply_ok(&account(name, id, team).to_string());
    }

    /// A namespace of a team with a policy "default" of the given action.
    pub fn namespace(&self, name: &str, team: &str, action: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"team": team}}});
        self.cluster.apply_ok(&namespace.to_string());
        self.cluster.apply_ok(&policy(name, "default", action).to_string());
    }

    /// A namespace, a policy, and two accounts that are called and granted after it: `<name>-a` and `<name>-b`, with
    /// a network in each, in two Regions. `number` makes account ids and CIDRs that no other test has: 0 to 99.
    pub async fn team(&self, name: &str, number: u8, action: &str) -> Team {
        let ids = [format!("1111111111{number:02}"), format!("2222222222{number:02}")];
        let accounts = [format!("{name}-a"), format!("{name}-b")];
        for (account, id) in accounts.iter().zip(&ids) {
            self.account(account, id, name);
        }
        self.namespace(name, name, action);
        let a = self.network(&ids[0], "eu-west-1", "10.1.0.0/16").await;
        let b = self.network(&ids[1], "us-east-1", "10.2.0.0/16").await;
        Team { namespace: name.to_string(), accounts, a, b }
    }

    pub async fn network(&self, account: &str, region: &str, cidr: &str) -> Network {
        let ec2 = self.ec2(account, region).await;
        let vpc = ec2.create_vpc().cidr_block(cidr).send().await.expect("a VPC is made");
        let vpc = vpc.vpc.and_then(|vpc| vpc.vpc_id).expect("it has an id");
        let main = ec2.describe_route_tables().filters(filter("vpc-id", &vpc)).send().await.expect("tables");
        let main = main.route_tables()[0].route_table_id().expect("it has an id").to_string();
        let table = ec2.create_route_table().vpc_id(&vpc).send().await.expect("a table is made");
        let table = table.route_table.and_then(|table| table.route_table_id).expect("it has an id");
        let tag = Tag::builder().key("tier").value("private").build();
        ec2.create_tags().resources(&table).tags(tag).send().await.expect("the table is tagged");
        Network { account: account.into(), region: region.into(), vpc, table, main, cidr: cidr.into(), ec2 }
    }

    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        // Not held across the await: others talk to it meanwhile.
        let clients = self.aws().clients();
        clients.ec2(account, region).await
    }

    /// The object, or null where there is none.
    #[track_caller]
    pub fn peering(&self, namespace: &str, name: &str) -> Value {
        let text = self.cluster.kubectl_ok(&[
            "get",
            "vpcpeering",
            name,
            "--namespace",
            namespace,
            "--ignore-not-found",
            "--output=json",
        ]);
        if text.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    #[track_caller]
    pub fn status(&self, namespace: &str, name: &str) -> Value {
        self.peering(namespace, name)["status"].take()
    }

    /// Waits until a condition is as wanted, and returns the whole status that shows it. `reason` may be empty: any.
    #[track_caller]
    pub fn until(&self, namespace: &str, name: &str, kind: &str, truth: &str, reason: &str) -> Value {
        self.until_status(namespace, name, &format!("{kind}={truth} {reason}"), |status| {
            let found = condition(status, kind);
            found["status"] == truth && (reason.is_empty() || found["reason"] == reason)
        })
    }

    #[track_caller]
    pub fn until_ready(&self, namespace: &str, name: &str) -> Value {
        self.until(namespace, name, "Ready", "True", "InSync")
    }

    #[track_caller]
    pub fn until_status(
        &self,
        namespace: &str,
        name: &str,
        what: &str,
        probe: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(&format!("{namespace}/{name}: {what}"), PATIENCE, || {
            let status = self.status(namespace, name);
            if probe(&status) {
                return Ok(status);
            }
            Err(format!("{status:#}\nthe operator's log:{}", self.said_of(namespace, name)))
        })
    }

    /// A person reads the plan that waits for approval in this namespace, and approves it.
    pub fn approve(&self, namespace: &str) {
        let (name, digest) = eventually("a plan that waits for approval", PATIENCE, || {
            let all = self.cluster.get(&["peeringincidents", "--namespace", namespace]);
            let waits = |one: &&Value| one["status"]["phase"] == "AwaitingApproval";
            let found = all["items"].as_array().expect("a list").iter().find(waits);
            let found = found.ok_or_else(|| format!("{all:#}"))?;
            Ok((found["metadata"]["name"].clone(), found["status"]["plan"]["digest"].clone()))
        });
        let patch = json!({"spec": {"decision": {"verdict": "Approve", "planDigest": digest}}}).to_string();
        let name = name.as_str().expect("a name");
        let args = ["patch", "peeringincident", name, "--namespace", namespace, "--type=merge", "-p", &patch];
        self.cluster.kubectl_ok(&args);
    }

    /// The reasons of an object's Events, in no order, each with how often it came.
    #[track_caller]
    pub fn events(&self, namespace: &str, name: &str) -> BTreeMap<String, u64> {
        let list = self.cluster.get(&["events.v1.events.k8s.io", "--namespace", namespace]);
        let mut reasons = BTreeMap::new();
        for event in list["items"].as_array().expect("a list") {
            if event["regarding"]["name"] == name {
                let reason = event["reason"].as_str().expect("a reason").to_string();
                *reasons.entry(reason).or_default() += event["series"]["count"].as_u64().unwrap_or(1);
            }
        }
        reasons
    }
}

/// What most tests need: two granted accounts with a network each, and a namespace.
#[derive(Clone)]
pub struct Team {
    pub namespace: String,
    pub accounts: [String; 2],
    pub a: Network,
    pub b: Network,
}

impl Team {
    /// A VpcPeering of the two networks, with a route on both sides.
    pub fn peering(&self, name: &str) -> Value {
        peering(&self.namespace, name, (&self.accounts[0], &self.a), (&self.accounts[1], &self.b))
    }
}

impl Network {
    /// The routes of its VPC that lead to peerings, by table and destination.
    pub async fn routes(&self) -> BTreeMap<(String, String), String> {
        let tables = self.ec2.describe_route_tables().filters(filter("vpc-id", &self.vpc)).send().await;
        let tables = tables.expect("tables are described");
        let mut routes = BTreeMap::new();
        for table in tables.route_tables() {
            for route in table.routes() {
                if let (Some(to), Some(target)) =
                    (route.destination_cidr_block(), route.vpc_peering_connection_id())
                {
                    let key = (table.route_table_id().unwrap_or_default().to_string(), to.to_string());
                    routes.insert(key, target.to_string());
                }
            }
        }
        routes
    }

    /// What EC2 says of these routes: `active`, or `blackhole`.
    pub async fn route_states(&self) -> BTreeSet<String> {
        let tables = self.ec2.describe_route_tables().filters(filter("vpc-id", &self.vpc)).send().await;
        let tables = tables.expect("tables are described");
        let routes = tables.route_tables().iter().flat_map(|table| table.routes());
        let to_peerings = routes.filter(|route| route.vpc_peering_connection_id().is_some());
        to_peerings.filter_map(|route| Some(route.state()?.as_str().to_owned())).collect()
    }

    /// AWS sets a peering's DNS option only where the VPC has them; a new VPC has none.
    pub async fn set_dns_hostnames(&self, on: bool) {
        let value = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(on).build();
        let set = self.ec2.modify_vpc_attribute().vpc_id(&self.vpc).enable_dns_hostnames(value).send().await;
        set.expect("the attribute is set");
    }

    /// Every peering of its VPC that this account and Region sees: the state, by id.
    pub async fn peerings(&self) -> BTreeMap<String, String> {
        let answer =
            self.ec2.describe_vpc_peering_connections().send().await.expect("peerings are described");
        let mut found = BTreeMap::new();
        for peering in answer.vpc_peering_connections() {
            let sides = [peering.requester_vpc_info(), peering.accepter_vpc_info()];
            if sides.iter().flatten().any(|side| side.vpc_id() == Some(&self.vpc)) {
                let state = peering.status().and_then(|status| status.code()).map(|code| code.as_str());
                let id = peering.vpc_peering_connection_id().unwrap_or_default();
                found.insert(id.to_string(), state.unwrap_or_default().to_string());
            }
        }
        found
    }

    /// Those that have not ended, nor are about to.
    pub async fn live_peerings(&self) -> Vec<String> {
        let live = |state: &str| !["deleting", "deleted", "rejected", "expired", "failed"].contains(&state);
        self.peerings().await.into_iter().filter(|(_, state)| live(state)).map(|(id, _)| id).collect()
    }

    /// Deletes a peering behind the operator's back.
    pub async fn delete_peering(&self, id: &str) {
        let deleted = self.ec2.delete_vpc_peering_connection().vpc_peering_connection_id(id).send().await;
        deleted.expect("the peering is deleted");
    }

    /// A peering's tags as this account sees them.
    pub async fn peering_tags(&self, id: &str) -> BTreeMap<String, String> {
        let answer = self.ec2.describe_vpc_peering_connections().vpc_peering_connection_ids(id).send().await;
        let answer = answer.expect("peerings are described");
        let found =
            answer.vpc_peering_connections().iter().find(|p| p.vpc_peering_connection_id() == Some(id));
        let tags = found.map(|peering| peering.tags()).unwrap_or_default();
        let pair = |tag: &Tag| (tag.key().unwrap_or_default().into(), tag.value().unwrap_or_default().into());
        tags.iter().map(pair).collect()
    }
}

/// A condition of a status, or null.
pub fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

pub fn account(name: &str, id: &str, team: &str) -> Value {
    json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name}, "spec": {
        "accountId": id, "roleArn": format!("arn:aws:iam::{id}:role/peerkeeper"),
        "grants": [{"namespaceSelector": {"matchLabels": {"team": team}}, "vpcs": {"select": "All"}}]}})
}

pub fn policy(namespace: &str, name: &str, action: &str) -> Value {
    json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
        "metadata": {"name": name, "namespace": namespace}, "spec": {"onUnexpectedDeletion": {"action": action}}})
}

/// A VpcPeering with the tagged tables of the first network and the main one of the second.
pub fn peering(namespace: &str, name: &str, a: (&str, &Network), b: (&str, &Network)) -> Value {
    let side = |(account, network): (&str, &Network), tables: Value| {
        json!({"account": {"name": account}, "region": network.region, "vpcId": network.vpc,
            "routes": [{"name": "peer", "routeTables": tables, "destinations": {"peerCidrs": "All"}}]})
    };
    json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {"name": name, "namespace": namespace}, "spec": {
        "requester": side(a, json!({"matchTags": {"tier": "private"}})),
        "accepter": side(b, json!({"select": "Main"})),
        "tags": {"team": "network"}}})
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}
