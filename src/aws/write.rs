//! The half that changes AWS. It decides nothing: a [`WriteCall`] says what to send and where, and goes out once or not
//! at all. A write is never repeated here; after a lost answer only a reading can say what happened.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types as wire;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::desired::PairAt;
use peerkeeper_core::ids::{Cidr, Destination, PeeringId, PrefixListId, Side, Slot};
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::{NotSent, Outcome, TagSet, Write, WriteCall};

use super::accounts::{Account, Purpose};
use super::budget::Budget;
use super::clock;
use super::errors::CallError;

/// What came of sending one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub outcome: Outcome,
    /// AWS's id of the request, where it answered: CloudTrail's record of the call bears the same.
    pub request_id: Option<Arc<str>>,
}

impl Sent {
    pub(super) fn not(why: NotSent) -> Self {
        Self { outcome: Outcome::NotSent(why), request_id: None }
    }
}

/// One write under way.
struct Asking<'a> {
    account: &'a Account,
    call: &'a WriteCall,
    request_id: OnceLock<Arc<str>>,
}

impl Asking<'_> {
    async fn answer<O, E>(
        &self,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> Result<O, CallError>
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let (answer, id) = self.account.call_known(self.call.at, self.call.action(), send).await;
        if let Some(id) = id {
            let _ = self.request_id.set(id);
        }
        answer
    }
}

/// One account and Region, to be changed: proved to be the one that is meant.
pub(super) struct Orders {
    account: Arc<Account>,
    client: Client,
    budget: Arc<Budget>,
}

impl Orders {
    /// `Err`: the account's credentials can't be used, or are not for where the write is to go.
    pub async fn ready(
        account: Arc<Account>,
        call: &WriteCall,
        budget: Arc<Budget>,
        timeout: Duration,
    ) -> Result<Self, NotSent> {
        let at = account.at(call.at.region);
        if call.at != at {
            let why = format!("AwsAccount {} is {at}, the write is for {}", account.name(), call.at);
            return Err(NotSent::Credentials(why.into()));
        }
        account.ready().await.map_err(|error| NotSent::Credentials(error.to_string().into()))?;
        let client = account.client(Purpose::Write, call.at.region, timeout);
        Ok(Self { account, client, budget })
    }

    /// Sends one write, once, at the moment that was taken for it. `gate` has the last word, after every wait and right
    /// before the request leaves.
    pub async fn send(
        &self,
        call: &WriteCall,
        taken: Mono,
        gate: impl FnOnce() -> Result<(), NotSent>,
    ) -> Sent {
        clock::sleep_until(taken).await;
        if let Err(why) = gate() {
            return Sent::not(why);
        }
        let asking = Asking { account: &self.account, call, request_id: OnceLock::new() };
        let outcome = match self.dispatch(&asking).await {
            Ok(id) => Outcome::Done(id),
            Err(error) => {
                match error.kind() {
                    RefusalKind::Throttled => self.budget.refused(call.at, call.write.operation(), taken),
                    RefusalKind::Credentials => self.account.distrust().await,
                    _ => {}
                }
                error.outcome()
            }
        };
        Sent { outcome, request_id: asking.request_id.into_inner() }
    }

    async fn dispatch(&self, asking: &Asking<'_>) -> Result<Option<PeeringId>, CallError> {
        let client = &self.client;
        match &asking.call.write {
            Write::Create { pair, tags } => self.create(asking, pair, tags).await.map(Some),
            Write::Accept(id) => {
                let ask = client.accept_vpc_peering_connection().vpc_peering_connection_id(id.to_string());
                done(asking.answer(ask.send())).await
            }
            Write::Remove(id, _) => {
                let ask = client.delete_vpc_peering_connection().vpc_peering_connection_id(id.to_string());
                said_yes(asking.answer(ask.send()).await?.r#return())
            }
            Write::Options { id, requester, accepter } => {
                let ask = client
                    .modify_vpc_peering_connection_options()
                    .vpc_peering_connection_id(id.to_string())
                    .set_requester_peering_connection_options(requester.map(dns_option))
                    .set_accepter_peering_connection_options(accepter.map(dns_option));
                done(asking.answer(ask.send())).await
            }
            Write::Tag { id, set } => {
                let ask = client.create_tags().resources(id.to_string()).set_tags(Some(wire_tags(set)));
                done(asking.answer(ask.send())).await
            }
            Write::Untag { id, keys } => {
                // Without a value a tag is removed whatever its value.
                let keys = keys.iter().map(|key| wire::Tag::builder().key(key.as_ref()).build()).collect();
                let ask = client.delete_tags().resources(id.to_string()).set_tags(Some(keys));
                done(asking.answer(ask.send())).await
            }
            Write::AddRoute { slot, to } => self.add_route(asking, slot, *to).await,
            Write::Repoint { slot, from: _, to, proof: _ } => self.repoint(asking, slot, *to).await,
            Write::DropRoute { slot, was: _, proof: _ } => self.drop_route(asking, slot).await,
            Write::RevokeRule { rule, group, vpc: _, is_egress: false, via: _, proof: _ } => {
                let ask = client
                    .revoke_security_group_ingress()
                    .group_id(group.to_string())
                    .security_group_rule_ids(rule.to_string());
                said_yes(asking.answer(ask.send()).await?.r#return())
            }
            Write::RevokeRule { rule, group, vpc: _, is_egress: true, via: _, proof: _ } => {
                let ask = client
                    .revoke_security_group_egress()
                    .group_id(group.to_string())
                    .security_group_rule_ids(rule.to_string());
                said_yes(asking.answer(ask.send()).await?.r#return())
            }
        }
    }

    async fn create(
        &self,
        asking: &Asking<'_>,
        pair: &PairAt,
        tags: &TagSet,
    ) -> Result<PeeringId, CallError> {
        let (requester, accepter) = (pair.sides.get(Side::Requester), pair.sides.get(Side::Accepter));
        let specification = wire::TagSpecification::builder()
            .resource_type(wire::ResourceType::VpcPeeringConnection)
            .set_tags(Some(wire_tags(tags)))
            .build();
        let ask = self
            .client
            .create_vpc_peering_connection()
            .vpc_id(requester.vpc.to_string())
            .peer_vpc_id(accepter.vpc.to_string())
            .peer_owner_id(accepter.at.account.to_string())
            .peer_region(accepter.at.region.to_string())
            .set_tag_specifications((!tags.is_empty()).then(|| vec![specification]));
        let answer = asking.answer(ask.send()).await?;
        let id = answer.vpc_peering_connection().and_then(|made| made.vpc_peering_connection_id());
        let unreadable = |why: String| CallError::lost("UnreadableAnswer", why);
        let id = id.ok_or_else(|| unreadable("AWS said yes and named no peering".to_owned()))?;
        id.parse().map_err(|error| unreadable(format!("AWS said yes, but {error}")))
    }

    async fn add_route(
        &self,
        asking: &Asking<'_>,
        slot: &Slot,
        to: PeeringId,
    ) -> Result<Option<PeeringId>, CallError> {
        let by = Wire::of(slot.destination);
        let ask = self
            .client
            .create_route()
            .route_table_id(slot.table.to_string())
            .set_destination_cidr_block(by.v4())
            .set_destination_ipv6_cidr_block(by.v6())
            .set_destination_prefix_list_id(by.list())
            .vpc_peering_connection_id(to.to_string());
        said_yes(asking.answer(ask.send()).await?.r#return())
    }

    async fn repoint(
        &self,
        asking: &Asking<'_>,
        slot: &Slot,
        to: PeeringId,
    ) -> Result<Option<PeeringId>, CallError> {
        let by = Wire::of(slot.destination);
        let ask = self
            .client
            .replace_route()
            .route_table_id(slot.table.to_string())
            .set_destination_cidr_block(by.v4())
            .set_destination_ipv6_cidr_block(by.v6())
            .set_destination_prefix_list_id(by.list())
            .vpc_peering_connection_id(to.to_string());
        done(asking.answer(ask.send())).await
    }

    async fn drop_route(&self, asking: &Asking<'_>, slot: &Slot) -> Result<Option<PeeringId>, CallError> {
        let by = Wire::of(slot.destination);
        let ask = self
            .client
            .delete_route()
            .route_table_id(slot.table.to_string())
            .set_destination_cidr_block(by.v4())
            .set_destination_ipv6_cidr_block(by.v6())
            .set_destination_prefix_list_id(by.list());
        done(asking.answer(ask.send())).await
    }
}

async fn done<O>(call: impl Future<Output = Result<O, CallError>>) -> Result<Option<PeeringId>, CallError> {
    call.await.map(|_| None)
}

/// Some answers carry a `return` that is true. One that is not is no success.
fn said_yes(returned: Option<bool>) -> Result<Option<PeeringId>, CallError> {
    match returned {
        Some(true) => Ok(None),
        _ => Err(CallError::lost("UnreadableAnswer", "an answer of success that does not say so".to_owned())),
    }
}

/// A destination goes into one of three fields.
#[derive(Clone, Copy)]
enum Wire {
    V4(Cidr),
    V6(Cidr),
    List(PrefixListId),
}

impl Wire {
    fn of(destination: Destination) -> Self {
        match destination {
            Destination::Cidr(cidr) if cidr.is_ipv6() => Self::V6(cidr),
            Destination::Cidr(cidr) => Self::V4(cidr),
            Destination::PrefixList(list) => Self::List(list),
        }
    }

    fn v4(self) -> Option<String> {
        if let Self::V4(cidr) = self { Some(cidr.to_string()) } else { None }
    }

    fn v6(self) -> Option<String> {
        if let Self::V6(cidr) = self { Some(cidr.to_string()) } else { None }
    }

    fn list(self) -> Option<String> {
        if let Self::List(list) = self { Some(list.to_string()) } else { None }
    }
}

fn dns_option(allow: bool) -> wire::PeeringConnectionOptionsRequest {
    wire::PeeringConnectionOptionsRequest::builder().allow_dns_resolution_from_remote_vpc(allow).build()
}

fn wire_tags(tags: &TagSet) -> Vec<wire::Tag> {
    tags.iter()
        .map(|(key, value)| wire::Tag::builder().key(key.as_ref()).value(value.as_ref()).build())
        .collect()
}
