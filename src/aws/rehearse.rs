//! Whether writes would be allowed, asked without writing: with DryRun set, EC2 answers what a call may do and carries
//! nothing out.
//!
//! Not everything that speaks EC2's language heeds DryRun: moto does for some calls and carries the others out. So a
//! [`Rehearsal`] exists only for an endpoint that has just proved it, by calls that would change nothing even if they were
//! carried out.
//!
//! **Architecture Invariant:** nothing leaves here without DryRun=true. The client that this file sends by refuses it
//! ([`OnlyDryRuns`]), whatever is written below.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types as wire;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::{AccountRegion, Cidr, OwnerTag, PeeringId, Region, RouteTableId, VpcId};

use super::accounts::{Account, Purpose};
use super::errors::CallError;

/// Stops every request that is no dry run before it leaves.
#[derive(Debug)]
pub(super) struct OnlyDryRuns;

impl Intercept for OnlyDryRuns {
    fn name(&self) -> &'static str {
        "OnlyDryRuns"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::str::from_utf8(context.request().body().bytes().unwrap_or_default())?;
        match body.split('&').any(|part| part == "DryRun=true") {
            true => Ok(()),
            false => Err("only dry runs may be sent here".into()),
        }
    }
}

/// A route that is there, and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteThere {
    pub table: RouteTableId,
    pub to: Cidr,
    pub over: PeeringId,
}

/// What shows whether DryRun is heeded, and changes nothing either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canary {
    /// Points a route at where it leads already.
    SameRoute(RouteThere),
    /// Removes a route that is not there.
    NoRoute { table: RouteTableId, to: Cidr },
}

/// A write, to be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attempt {
    Create { vpc: VpcId, peer: VpcId, peer_at: AccountRegion },
    Accept(PeeringId),
    Delete(PeeringId),
    Options { id: PeeringId, is_requester: bool },
    Tag(PeeringId),
    Untag(PeeringId),
    AddRoute { table: RouteTableId, to: Cidr, over: PeeringId },
    Repoint(RouteThere),
    DropRoute { table: RouteTableId, to: Cidr },
}

impl Attempt {
    /// AWS's action.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CreateVpcPeeringConnection",
            Self::Accept(_) => "AcceptVpcPeeringConnection",
            Self::Delete(_) => "DeleteVpcPeeringConnection",
            Self::Options { .. } => "ModifyVpcPeeringConnectionOptions",
            Self::Tag(_) => "CreateTags",
            Self::Untag(_) => "DeleteTags",
            Self::AddRoute { .. } => "CreateRoute",
            Self::Repoint(_) => "ReplaceRoute",
            Self::DropRoute { .. } => "DeleteRoute",
        }
    }

    /// What it is tried on.
    pub fn object(&self) -> String {
        match self {
            Self::Create { vpc, .. } => vpc.to_string(),
            Self::Accept(id) | Self::Delete(id) | Self::Tag(id) | Self::Untag(id) => id.to_string(),
            Self::Options { id, .. } => id.to_string(),
            Self::AddRoute { table, .. } | Self::DropRoute { table, .. } => table.to_string(),
            Self::Repoint(route) => route.table.to_string(),
        }
    }
}

/// What AWS says to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    Given,
    Refused(CallError),
    /// It answered something else, from which nothing follows about permission.
    Unsaid(CallError),
    /// It was carried out, or may have been: DryRun is not heeded here.
    NotHeeded,
}

/// Why no write is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    pub why: String,
    /// Canaries that AWS refused, by their actions: that is certain all the same.
    pub refused: BTreeMap<&'static str, CallError>,
}

impl Unproved {
    fn of(why: impl Into<String>) -> Self {
        Self { why: why.into(), refused: BTreeMap::new() }
    }
}

/// One account and Region where DryRun is heeded.
#[derive(Debug)]
pub struct Rehearsal {
    stage: Stage,
    /// Canaries that AWS refused.
    pub refused: BTreeMap<&'static str, CallError>,
}

#[derive(Debug)]
struct Stage {
    account: Arc<Account>,
    region: Region,
    client: Client,
}

impl Rehearsal {
    /// Proves that DryRun is heeded: DescribeVpcs has to say so, and one of the canaries. The account's credentials have
    /// been proved before.
    pub(super) async fn open(
        account: Arc<Account>,
        region: Region,
        timeout: Duration,
        canaries: &[Canary],
    ) -> Result<Self, Unproved> {
        account.ready().await.map_err(|error| Unproved::of(error.to_string()))?;
        let client = account.client(Purpose::Rehearse, region, timeout);
        let stage = Stage { account, region, client };
        let ask = stage.client.describe_vpcs().dry_run(true);
        match stage.leave("DescribeVpcs", ask.send()).await {
            Leave::Given => {}
            Leave::Refused(error) | Leave::Unsaid(error) => {
                return Err(Unproved::of(format!(
                    "a dry run of DescribeVpcs was answered with {}",
                    error.code
                )));
            }
            Leave::NotHeeded => return Err(Unproved::of("this endpoint does not heed DryRun")),
        }
        if canaries.is_empty() {
            return Err(Unproved::of("no route table of a declared VPC is there to try it on"));
        }
        let mut unproved = Unproved::of("");
        for canary in canaries {
            let attempt = canary.attempt();
            match stage.ask(&attempt).await {
                Leave::Given => return Ok(Self { stage, refused: unproved.refused }),
                Leave::Refused(error) => {
                    unproved.why = "whether this endpoint heeds DryRun was not proved".to_owned();
                    unproved.refused.insert(attempt.action(), error);
                }
                Leave::Unsaid(error) => {
                    let (action, code) = (attempt.action(), error.code);
                    unproved.why = format!(
                        "this endpoint did not prove that it heeds DryRun: {action} was answered with {code}"
                    );
                }
                Leave::NotHeeded => {
                    return Err(Unproved {
                        why: "this endpoint does not heed DryRun".to_owned(),
                        ..unproved
                    });
                }
            }
        }
        Err(unproved)
    }

    /// Asks about one write.
    pub async fn ask(&self, attempt: &Attempt) -> Leave {
        self.stage.ask(attempt).await
    }
}

impl Canary {
    fn attempt(&self) -> Attempt {
        match *self {
            Self::SameRoute(route) => Attempt::Repoint(route),
            Self::NoRoute { table, to } => Attempt::DropRoute { table, to },
        }
    }
}

impl Stage {
    async fn ask(&self, attempt: &Attempt) -> Leave {
        let (client, action) = (&self.client, attempt.action());
        match *attempt {
            Attempt::Create { vpc, peer, peer_at } => {
                let ask = client.create_vpc_peering_connection().dry_run(true).vpc_id(vpc.to_string());
                let ask = ask.peer_vpc_id(peer.to_string()).peer_owner_id(peer_at.account.to_string());
                self.leave(action, ask.peer_region(peer_at.region.to_string()).send()).await
            }
            Attempt::Accept(id) => {
                let ask = client.accept_vpc_peering_connection().dry_run(true);
                self.leave(action, ask.vpc_peering_connection_id(id.to_string()).send()).await
            }
            Attempt::Delete(id) => {
                let ask = client.delete_vpc_peering_connection().dry_run(true);
                self.leave(action, ask.vpc_peering_connection_id(id.to_string()).send()).await
            }
            Attempt::Options { id, is_requester } => {
                let option = wire::PeeringConnectionOptionsRequest::builder();
                let option = option.allow_dns_resolution_from_remote_vpc(false).build();
                let ask = client.modify_vpc_peering_connection_options().dry_run(true);
                let ask = ask.vpc_peering_connection_id(id.to_string());
                let ask = match is_requester {
                    true => ask.requester_peering_connection_options(option),
                    false => ask.accepter_peering_connection_options(option),
                };
                self.leave(action, ask.send()).await
            }
            Attempt::Tag(id) => {
                let ask = client.create_tags().dry_run(true).resources(id.to_string()).tags(tag());
                self.leave(action, ask.send()).await
            }
            Attempt::Untag(id) => {
                let ask = client.delete_tags().dry_run(true).resources(id.to_string()).tags(tag());
                self.leave(action, ask.send()).await
            }
            Attempt::AddRoute { table, to, over } => {
                let (v4, v6) = blocks(to);
                let ask = client.create_route().dry_run(true).route_table_id(table.to_string());
                let ask = ask.set_destination_cidr_block(v4).set_destination_ipv6_cidr_block(v6);
                self.leave(action, ask.vpc_peering_connection_id(over.to_string()).send()).await
            }
            Attempt::Repoint(RouteThere { table, to, over }) => {
                let (v4, v6) = blocks(to);
                let ask = client.replace_route().dry_run(true).route_table_id(table.to_string());
                let ask = ask.set_destination_cidr_block(v4).set_destination_ipv6_cidr_block(v6);
                self.leave(action, ask.vpc_peering_connection_id(over.to_string()).send()).await
            }
            Attempt::DropRoute { table, to } => {
                let (v4, v6) = blocks(to);
                let ask = client.delete_route().dry_run(true).route_table_id(table.to_string());
                let ask = ask.set_destination_cidr_block(v4).set_destination_ipv6_cidr_block(v6);
                self.leave(action, ask.send()).await
            }
        }
    }

    async fn leave<O, E>(
        &self,
        action: &'static str,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> Leave
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        match self.account.call(self.account.at(self.region), action, send).await {
            Ok(_) => Leave::NotHeeded,
            Err(error) => match error.kind() {
                RefusalKind::DryRun => Leave::Given,
                RefusalKind::Denied => Leave::Refused(error),
                _ => Leave::Unsaid(error),
            },
        }
    }
}

/// One that policies with conditions on tag keys allow: the owner's.
fn tag() -> wire::Tag {
    wire::Tag::builder().key(OwnerTag::KEY).value("peerkeeper-check").build()
}

/// A destination is in one of two fields.
fn blocks(to: Cidr) -> (Option<String>, Option<String>) {
    if to.is_ipv6() { (None, Some(to.to_string())) } else { (Some(to.to_string()), None) }
}
