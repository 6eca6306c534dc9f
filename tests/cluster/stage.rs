//! Declared peerings between VPCs, an operator that keeps them, and what a person can see of both.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, VpcPeeringConnection, VpcPeeringConnectionStateReasonCode as Code};
use serde_json::{Value, json};

use crate::support::{Aws, Call, ControlPlane, Ec2sim, OWN_ACCOUNT, Operator, Options, eventually};

pub const NAMESPACE: &str = "network";
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
/// Whatever is waited for here takes seconds; a busy machine may take longer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Written once, and long enough for a machine that is busy with other tests.
pub const LEASE: Duration = Duration::from_secs(6);

pub struct Stage {
    pub cluster: ControlPlane,
    pub aws: Aws,
    /// EC2 as the person in the accepter's account sees it, and as the requester's does.
    ec2: [Client; 2],
    account: String,
}

/// One VpcPeering, and the two VPCs it is about.
pub struct Pair {
    pub name: String,
    vpcs: [String; 2],
}

impl Stage {
    /// With the CRDs alone. Both sides are in the account of the operator's own credentials, so that every call to EC2
    /// is signed with the access key of the replica that makes it.
    pub async fn start() -> Self {
        let cluster = crate::api::with_crds();
        // An empty Lease is taken at once.
        cluster.apply_ok("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: peerkeeper, namespace: default}}");
        Stage::on(cluster, OWN_ACCOUNT).await
    }

    /// With the accepter's side in this account.
    pub async fn on(cluster: ControlPlane, account: &str) -> Self {
        let aws = Aws::Sim(Ec2sim::start());
        let ec2 = [aws.ec2(OWN_ACCOUNT, REGIONS[0]).await, aws.ec2(account, REGIONS[1]).await];
        Stage { cluster, aws, ec2, account: account.to_owned() }
    }

    /// A replica whose calls to AWS and whose Events tell its name.
    pub fn options(&self, name: &str) -> Options {
        let options = Options::admin(&self.cluster, &self.aws);
        let options = options.env("AWS_ACCESS_KEY_ID", &key_of(name)).env("HOSTNAME", name);
        let lease = format!("{}s", LEASE.as_secs());
        let mut options = options.args(&["--lease-duration", &lease]);
        options.sweep_interval = "1s".to_owned();
        options
    }

    pub fn replica(&self, name: &str) -> Operator {
        let mut operator = Operator::start(self.options(name));
        operator.wait_ready();
        operator
    }

    /// Namespace, accounts and policy, where they are not there yet, and a peering of two new VPCs. It is ready when
    /// this returns. Each loss should have a peering of its own: one that is lost again waits a while.
    pub async fn declare(&self, name: &str) -> (Pair, String) {
        let vpcs = [network(&self.ec2[0], "10.1.0.0/16").await, network(&self.ec2[1], "10.2.0.0/16").await];
        let pair = Pair { name: name.to_owned(), vpcs };
        let mut objects = vec![
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {"team": "network"}}}),
            account("default", OWN_ACCOUNT),
            json!({
                "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
                "metadata": {"name": "default", "namespace": NAMESPACE},
                "spec": {"onUnexpectedDeletion": {"action": "Restore"}},
            }),
            json!({
                "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"requester": self.side(&pair, 0), "accepter": self.side(&pair, 1), "tags": {"team": "network"}},
            }),
        ];
        if self.account != OWN_ACCOUNT {
            objects.push(account("shared", &self.account));
        }
        self.cluster.apply_ok(&objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"));
        let id = self.restored(&pair, "");
        self.assert_whole(&pair, &id).await;
        (pair, id)
    }

    fn side(&self, pair: &Pair, side: usize) -> Value {
        let account = if side == 1 && self.account != OWN_ACCOUNT { "shared" } else { "default" };
        json!({
            "account": {"name": account}, "region": REGIONS[side], "vpcId": pair.vpcs[side],
            "routes": [{"name": "private", "routeTables": {"matchTags": {"tier": "private"}}, "destinations": {"peerCidrs": "All"}}],
        })
    }

    pub fn status(&self, pair: &Pair) -> Value {
        self.cluster.get(&["vpcp", "--namespace", NAMESPACE, &pair.name])["status"].take()
    }

    /// Waits until the peering is ready with another id than `old`, and says which.
    #[track_caller]
    pub fn restored(&self, pair: &Pair, old: &str) -> String {
        eventually("the peering to be ready", PATIENCE, || {
            let status = self.status(pair);
            let id = status["peeringId"].as_str().unwrap_or_default();
            let ready = condition(&status, "Ready")["status"] == "True";
            if ready && !id.is_empty() && id != old { Ok(id.to_owned()) } else { Err(status.to_string()) }
        })
    }

    /// Somebody in the accepter's account deletes it.
    pub async fn lose(&self, id: &str) {
        let deleted = self.ec2[1].delete_vpc_peering_connection().vpc_peering_connection_id(id).send().await;
        deleted.expect("the peering can be deleted");
    }

    /// Exactly this one is live, and every declared route on both sides leads to it.
    pub async fn assert_whole(&self, pair: &Pair, id: &str) {
        assert_eq!(self.live(pair).await, [id.to_owned()].into());
        for side in 0..2 {
            assert_eq!(self.targets(pair, side).await, [id.to_owned()].into(), "routes of side {side}");
        }
    }

    /// The ids of all peerings of the pair that have not ended, as either side sees them.
    pub async fn live(&self, pair: &Pair) -> BTreeSet<String> {
        let mut live = BTreeSet::new();
        for ec2 in &self.ec2 {
            let described =
                ec2.describe_vpc_peering_connections().send().await.expect("peerings are described");
            let found = described
                .vpc_peering_connections()
                .iter()
                .filter(|peering| is_live(peering) && pair.has(peering));
            live.extend(found.filter_map(|peering| peering.vpc_peering_connection_id().map(str::to_owned)));
        }
        live
    }

    /// Where the routes of a side's VPC lead, local ones apart.
    pub async fn targets(&self, pair: &Pair, side: usize) -> BTreeSet<String> {
        let filter = Filter::builder().name("vpc-id").values(&pair.vpcs[side]).build();
        let described = self.ec2[side].describe_route_tables().filters(filter).send().await;
        let described = described.expect("route tables are described");
        let routes = described.route_tables().iter().flat_map(|table| table.routes());
        routes.filter_map(|route| route.vpc_peering_connection_id().map(str::to_owned)).collect()
    }

    /// The Events of an object with this reason.
    pub fn events(&self, pair: &Pair, reason: &str) -> Vec<Value> {
        let list = self.cluster.get(&["events.events.k8s.io", "--namespace", NAMESPACE]);
        let events = list["items"].as_array().expect("a list has items").iter();
        let ours =
            |event: &&Value| event["reason"] == reason && event["regarding"]["name"] == pair.name.as_str();
        events.filter(ours).cloned().collect()
    }

    /// Who the Lease names, without what is random in it.
    pub fn leader(&self) -> String {
        let lease = self.cluster.get(&["lease", "peerkeeper", "--namespace", "default"]);
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
        holder.split('_').next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn wait_leader(&self, name: &str) {
        eventually(&format!("{name} to lead"), PATIENCE, || {
            let leader = self.leader();
            if leader == name { Ok(()) } else { Err(format!("{leader:?} does")) }
        });
    }

    /// Waits until AWS was asked for this since the log was last forgotten, answered or not.
    #[track_caller]
    pub fn wait_call(&mut self, action: &str) -> Call {
        let aws = &mut self.aws;
        eventually(&format!("a call of {action}"), PATIENCE, || {
            let log = aws.log();
            let call = log.iter().find(|call| call.action == action).cloned();
            call.ok_or_else(|| format!("{:?}", log.last()))
        })
    }

    /// Which replicas wrote to AWS.
    pub fn writers(&mut self) -> BTreeSet<String> {
        self.aws
            .log()
            .into_iter()
            .filter(|call| call.is_write() && call.is_replicas())
            .map(|call| call.key)
            .collect()
    }
}

impl Pair {
    fn has(&self, peering: &VpcPeeringConnection) -> bool {
        let vpc = peering.requester_vpc_info().and_then(|info| info.vpc_id());
        vpc.is_some_and(|vpc| self.vpcs.iter().any(|own| own == vpc))
    }
}

/// The access key of a replica.
pub fn key_of(name: &str) -> String {
    format!("replica-{name}")
}

impl Call {
    fn is_replicas(&self) -> bool {
        self.key.starts_with("replica-")
    }
}

pub fn condition(status: &Value, kind: &str) -> Value {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

/// A metric's value, of the first series that has all these labels.
pub fn metric(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn is_live(peering: &VpcPeeringConnection) -> bool {
    let code = peering.status().and_then(|status| status.code());
    matches!(
        code,
        Some(Code::InitiatingRequest | Code::PendingAcceptance | Code::Provisioning | Code::Active)
    )
}

fn account(name: &str, id: &str) -> Value {
    let mut account = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": name},
        "spec": {"accountId": id, "grants": [{"namespaceSelector": {"matchLabels": {"team": "network"}}, "vpcs": {"select": "All"}}]},
    });
    if id != OWN_ACCOUNT {
        account["spec"]["roleArn"] = json!(format!("arn:aws:iam::{id}:role/peerkeeper"));
    }
    account
}

/// A VPC with one private route table beside its main one.
async fn network(ec2: &Client, cidr: &str) -> String {
    let made = ec2.create_vpc().cidr_block(cidr).send().await.expect("a VPC is made");
    let vpc = made.vpc.and_then(|vpc| vpc.vpc_id).expect("it has an id");
    let made = ec2.create_route_table().vpc_id(&vpc).send().await.expect("a route table is made");
    let table = made.route_table.and_then(|table| table.route_table_id).expect("it has an id");
    let tag = aws_sdk_ec2::types::Tag::builder().key("tier").value("private").build();
    ec2.create_tags().resources(table).tags(tag).send().await.expect("it is tagged");
    vpc
}
