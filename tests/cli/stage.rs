//! Networks in two accounts, manifests in a folder, and the binary.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use aws_sdk_ec2::types::{Filter, Tag};
use tempfile::TempDir;

use crate::aws::Aws;
use crate::client::Call;
use crate::ec2sim::Ec2sim;
use crate::moto::Moto;

pub const PROD: &str = "111122223333";
pub const SHARED: &str = "444455556666";
pub const OWNER: &str = "peerkeeper.dev/owner";

pub struct Stage {
    pub aws: Aws,
    pub folder: TempDir,
    /// What stands for ids that are made anew each time.
    names: Vec<(String, String)>,
}

/// A VPC with its main route table and one that is tagged `tier: private`.
pub struct Network {
    pub vpc: String,
    pub main: String,
    pub private: String,
    pub ec2: aws_sdk_ec2::Client,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stage {
    pub fn sim() -> Self {
        Self::on(Aws::Sim(Ec2sim::start()))
    }

    pub fn moto() -> Self {
        Self::on(Aws::Moto(Moto::start()))
    }

    fn on(aws: Aws) -> Self {
        Self { aws, folder: tempfile::tempdir().expect("a temporary folder"), names: Vec::new() }
    }

    /// Shown as `label` from now on.
    pub fn name(&mut self, id: &str, label: &str) {
        self.names.push((id.to_owned(), label.to_owned()));
    }

    pub async fn network(&mut self, label: &str, account: &str, region: &str, cidr: &str) -> Network {
        let ec2 = self.aws.ec2(account, region).await;
        let vpc = ec2.create_vpc().cidr_block(cidr).send().await.expect("a VPC is made");
        let vpc = vpc.vpc.and_then(|vpc| vpc.vpc_id).expect("it has an id");
        let filter = Filter::builder().name("vpc-id").values(&vpc).build();
        let main = ec2.describe_route_tables().filters(filter).send().await.expect("tables");
        let main = main.route_tables()[0].route_table_id().expect("it has an id").to_owned();
        let private = ec2.create_route_table().vpc_id(&vpc).send().await.expect("a table is made");
        let private = private.route_table.and_then(|table| table.route_table_id).expect("it has an id");
        let tag = Tag::builder().key("tier").value("private").build();
        ec2.create_tags().resources(&private).tags(tag).send().await.expect("the table is tagged");
        self.name(&vpc, &format!("vpc-{label}"));
        self.name(&main, &format!("rtb-{label}-main"));
        self.name(&private, &format!("rtb-{label}-private"));
        Network { vpc, main, private, ec2 }
    }

    /// Two networks in two accounts and Regions, and manifests of a peering between them.
    pub async fn pair(&mut self) -> (Network, Network) {
        let one = self.network("prod", PROD, "eu-west-1", "10.1.0.0/16").await;
        let other = self.network("shared", SHARED, "us-east-1", "10.2.0.0/16").await;
        self.write("accounts.yaml", ACCOUNTS);
        self.write("peering.yaml", &peering(&one.vpc, &other.vpc));
        (one, other)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a manifest");
    }

    /// The binary, with nothing of this machine's configuration, in the folder of the manifests.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
        let endpoint = self.aws.clients().endpoint().to_owned();
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs([
                ("AWS_ACCESS_KEY_ID", "peerkeeper-operator"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_CONFIG_FILE", "/nonexistent/config"),
                ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ])
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        self.said(self.command(args).output().expect("the binary runs"))
    }

    pub fn said(&self, output: Output) -> Said {
        let Output { status, stdout, stderr } = output;
        let text = |bytes: Vec<u8>| self.label(&String::from_utf8(bytes).expect("UTF-8"));
        Said { code: status.code().expect("no signal ended it"), out: text(stdout), err: text(stderr) }
    }

    pub fn label(&self, text: &str) -> String {
        let folder = format!("{}/", self.folder.path().display());
        let text = text.replace(&folder, "");
        self.names.iter().fold(text, |text, (id, label)| text.replace(id, label))
    }

    /// Calls that changed something, since the last time.
    pub fn writes(&mut self) -> Vec<String> {
        let writes = self.aws.log().into_iter().filter(Call::is_write).map(|call| call.action);
        writes.filter(|action| action != "GetServiceQuota").collect()
    }

    /// What a person does who makes the whole peering by hand, with an owner's tags.
    pub async fn make(&mut self, one: &Network, other: &Network, owner: &str) -> String {
        let made = one.ec2.create_vpc_peering_connection().vpc_id(&one.vpc).peer_vpc_id(&other.vpc);
        let made =
            made.peer_owner_id(SHARED).peer_region("us-east-1").send().await.expect("a peering is asked for");
        let id = made.vpc_peering_connection.and_then(|p| p.vpc_peering_connection_id).expect("an id");
        // A request is shown to its accepter after a moment.
        for _ in 0..100 {
            let accept =
                other.ec2.accept_vpc_peering_connection().vpc_peering_connection_id(&id).send().await;
            if accept.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.until_state(&one.ec2, &id, "active").await;
        self.until_state(&other.ec2, &id, "active").await;
        for network in [one, other] {
            let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
            let tags = network.ec2.create_tags().resources(&id).tags(tag(OWNER, owner));
            let tags = tags.tags(tag("peerkeeper.dev/origin", "created")).tags(tag("team", "network"));
            tags.send().await.expect("tags are set");
        }
        self.route(&one.ec2, &one.private, "10.2.0.0/16", &id).await;
        self.route(&other.ec2, &other.main, "10.1.0.0/16", &id).await;
        self.name(&id, "pcx-made");
        id
    }

    pub async fn route(&self, ec2: &aws_sdk_ec2::Client, table: &str, to: &str, id: &str) {
        let route = ec2.create_route().route_table_id(table).destination_cidr_block(to);
        route.vpc_peering_connection_id(id).send().await.expect("a route is made");
    }

    /// An internet gateway that is attached to the VPC.
    pub async fn gateway(&self, of: &Network) -> String {
        let gateway = of.ec2.create_internet_gateway().send().await.expect("a gateway");
        let gateway = gateway.internet_gateway.and_then(|made| made.internet_gateway_id).expect("an id");
        let attach = of.ec2.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&of.vpc);
        attach.send().await.expect("it is attached");
        gateway
    }

    /// Wider than any route of ours in the private table, and somewhere else.
    pub async fn wide_route(&self, of: &Network, gateway: &str) {
        let wide = of.ec2.create_route().route_table_id(&of.private).destination_cidr_block("10.0.0.0/8");
        wide.gateway_id(gateway).send().await.expect("a wide route");
    }

    pub async fn delete(&self, ec2: &aws_sdk_ec2::Client, id: &str) {
        ec2.delete_vpc_peering_connection()
            .vpc_peering_connection_id(id)
            .send()
            .await
            .expect("it is deleted");
        self.until_state(ec2, id, "deleted").await;
    }

    /// Until an EC2 that takes its time shows it.
    pub async fn until_state(&self, ec2: &aws_sdk_ec2::Client, id: &str, wanted: &str) {
        for _ in 0..200 {
            let shown = ec2.describe_vpc_peering_connections().vpc_peering_connection_ids(id).send().await;
            let shown = shown.expect("peerings are described");
            let found =
                shown.vpc_peering_connections().iter().find(|p| p.vpc_peering_connection_id() == Some(id));
            let state = found.and_then(|p| p.status()?.code()).map(|code| code.as_str().to_owned());
            if state.as_deref() == Some(wanted) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{id} never was {wanted}");
    }
}

pub const ACCOUNTS: &str = r#"apiVersion: v1
kind: Namespace
metadata: {name: network, labels: {team: network}}
---
apiVersion: peerkeeper.dev/v1alpha1
kind: AwsAccount
metadata: {name: prod}
spec:
  accountId: "111122223333"
  roleArn: arn:aws:iam::111122223333:role/peerkeeper
  grants: [{namespaceSelector: {matchLabels: {team: network}}, vpcs: {select: All}}]
---
apiVersion: peerkeeper.dev/v1alpha1
kind: AwsAccount
metadata: {name: shared}
spec:
  accountId: "444455556666"
  roleArn: arn:aws:iam::444455556666:role/peerkeeper
  grants: [{namespaceSelector: {matchLabels: {team: network}}, vpcs: {select: All}}]
"#;

pub fn peering(one: &str, other: &str) -> String {
    format!(
        "apiVersion: peerkeeper.dev/v1alpha1
kind: VpcPeering
metadata: {{name: prod-shared, namespace: network}}
spec:
  requester:
    account: {{name: prod}}
    region: eu-west-1
    vpcId: {one}
    routes: [{{name: private, routeTables: {{matchTags: {{tier: private}}}}, destinations: {{peerCidrs: All}}}}]
  accepter:
    account: {{name: shared}}
    region: us-east-1
    vpcId: {other}
    routes: [{{name: main, routeTables: {{select: Main}}, destinations: {{peerCidrs: All}}}}]
  tags: {{team: network}}
"
    )
}
