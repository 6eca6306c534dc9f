//! What the tests stand on: one moto, our room pointed at it, and a client of its own that makes the world and looks at
//! what became of it.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::RouteTable;
use peerkeeper::aws::{AccountConfig, Aws, AwsConfig, NarrowNeeds};
use peerkeeper_core::desired::PairAt;
use peerkeeper_core::ids::{
    AccountRegion, PeeringId, Region, RouteTableId, Side, Sides, Slot, VpcAt, VpcId, VpcPair,
};
use peerkeeper_core::observed::Peering;
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::testing::{peering_proof, slot_proof};
use peerkeeper_core::write::{OursBecause, Outcome, PeeringProof, SlotProof, Write, WriteCall};

use crate::moto::Moto;

pub const PROD: &str = "111122223333";
pub const SHARED: &str = "444455556666";
pub const HERE: &str = "eu-west-1";
pub const THERE: &str = "us-east-1";

pub struct Bench {
    pub moto: Moto,
    pub aws: Aws,
}

impl Bench {
    /// With the accounts `prod` and `shared`, each behind a role.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub async fn with(change: impl FnOnce(AwsConfig) -> AwsConfig) -> Self {
        let moto = Moto::start();
        let own = Credentials::new("peerkeeper-test", "secret", None, None, "tests");
        let config = AwsConfig {
            endpoint_url: Some(moto.endpoint().to_owned()),
            region: Some(region(HERE)),
            credentials: Some(SharedCredentialsProvider::new(own)),
            ..AwsConfig::default()
        };
        let aws = Aws::new(change(config)).await.expect("a configuration");
        aws.set_account(behind_role("prod", PROD, PROD));
        aws.set_account(behind_role("shared", SHARED, SHARED));
        Self { moto, aws }
    }

    pub async fn send(&self, name: &str, side: Side, at: AccountRegion, write: Write) -> Outcome {
        self.aws.writer().send(name, &WriteCall { side, at, write }, || Ok(())).await.outcome
    }

    /// The pair's peerings as `name` sees them now.
    pub async fn pair(&self, name: &str, in_region: &str, pair: VpcPair) -> Vec<Peering> {
        let needs = NarrowNeeds { pair: Some(pair), ..NarrowNeeds::default() };
        let view = self.aws.reader().read_narrow(name, region(in_region), needs).await;
        let reading =
            view.peerings.narrow.unwrap_or_else(|| panic!("no reading: {:?}", view.peerings.unseen));
        reading.group(pair).map(|peering| Peering::clone(peering)).collect()
    }

    /// A route table as `name` sees it now.
    pub async fn table(
        &self,
        name: &str,
        in_region: &str,
        id: RouteTableId,
    ) -> Option<peerkeeper_core::observed::RouteTable> {
        let needs = NarrowNeeds { tables: [id].into(), ..NarrowNeeds::default() };
        let view = self.aws.reader().read_narrow(name, region(in_region), needs).await;
        let reading = view.tables.narrow.unwrap_or_else(|| panic!("no reading: {:?}", view.tables.unseen));
        reading.get(id).map(|table| (**table).clone())
    }
}

pub fn region(name: &str) -> Region {
    name.parse().expect("a Region")
}

pub fn at(account: &str, in_region: &str) -> AccountRegion {
    AccountRegion { account: account.parse().expect("an account"), region: region(in_region) }
}

/// An AwsAccount that declares one account and names a role in another, which is usually the same.
pub fn behind_role(name: &str, declared: &str, role_in: &str) -> AccountConfig {
    let role = format!("arn:aws:iam::{role_in}:role/peerkeeper");
    AccountConfig {
        name: name.into(),
        uid: format!("uid-{name}").into(),
        generation: 1,
        account_id: declared.parse().expect("an account"),
        role_arn: Some(role.into()),
        external_id: Some("an external id".into()),
    }
}

/// A VPC and its main route table, made by somebody else.
pub struct Made {
    pub at: AccountRegion,
    pub vpc: VpcId,
    pub table: RouteTableId,
    pub ec2: Client,
}

impl Made {
    pub async fn new(moto: &Moto, account: &str, in_region: &str, cidr: &str) -> Self {
        let ec2 = moto.ec2(account, in_region).await;
        let vpc = ec2.create_vpc().cidr_block(cidr).send().await.expect("a VPC").vpc.expect("it");
        let vpc: VpcId = vpc.vpc_id().expect("its id").parse().expect("an id as AWS writes it");
        let tables =
            ec2.describe_route_tables().send().await.expect("tables").route_tables.unwrap_or_default();
        let ours = |table: &RouteTable| table.vpc_id() == Some(&vpc.to_string());
        let table = tables.into_iter().find(ours).expect("the main table");
        let table = table.route_table_id().expect("its id").parse().expect("an id as AWS writes it");
        Self { at: at(account, in_region), vpc, table, ec2 }
    }

    pub fn vpc_at(&self) -> VpcAt {
        VpcAt { at: self.at, vpc: self.vpc }
    }

    pub fn slot(&self, side: Side, destination: &str) -> Slot {
        Slot { side, table: self.table, destination: destination.parse().expect("a destination") }
    }

    /// Whom a destination's route leads to, by the word of a plain EC2 client.
    pub async fn target(&self, destination: &str) -> Option<String> {
        let tables = self.ec2.describe_route_tables().route_table_ids(self.table.to_string()).send().await;
        let tables = tables.expect("tables").route_tables.unwrap_or_default();
        let mut routes = tables.iter().flat_map(RouteTable::routes);
        let route = routes.find(|route| {
            let names = [
                route.destination_cidr_block(),
                route.destination_ipv6_cidr_block(),
                route.destination_prefix_list_id(),
            ];
            names.contains(&Some(destination))
        })?;
        route.vpc_peering_connection_id().or(route.gateway_id()).map(str::to_owned)
    }
}

pub fn pair_of(requester: &Made, accepter: &Made) -> PairAt {
    PairAt { sides: Sides::new(requester.vpc_at(), accepter.vpc_at()) }
}

pub fn create(requester: &Made, accepter: &Made) -> Write {
    Write::Create {
        pair: pair_of(requester, accepter),
        tags: tags(&[("peerkeeper.dev/owner", "me/ns/name")]),
    }
}

pub fn tags<T: FromIterator<(Arc<str>, Arc<str>)>>(pairs: &[(&str, &str)]) -> T {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

pub fn id_of(outcome: Outcome) -> PeeringId {
    match outcome {
        Outcome::Done(Some(id)) => id,
        other => panic!("no peering was made: {other:?}"),
    }
}

pub fn of_peering() -> PeeringProof {
    peering_proof(Mono(0), OursBecause::Remembered)
}

pub fn of_slot() -> SlotProof {
    slot_proof(Mono(0), OursBecause::Remembered)
}
