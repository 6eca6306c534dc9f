//! Internet gateways.

use super::agenda::Thing;
use super::{Cx, RouteTable, State, Vpc, tags};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, GatewayId, Region, VpcId};
use crate::request::Tags;
use crate::view::{GatewayView, Response};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Gateway {
    pub(crate) id: GatewayId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) attached_to: Option<VpcId>,
    pub(crate) tags: Tags,
}

impl Gateway {
    pub(crate) fn view(&self) -> GatewayView {
        let Self { id, owner, region: _, attached_to, tags } = self.clone();
        GatewayView { id, owner, attached_to, tags }
    }
}

pub(crate) fn parse_gateway_id(text: &str) -> Result<GatewayId, AwsError> {
    let malformed = || texts::malformed("InvalidInternetGatewayId.Malformed", text, GatewayId::PREFIX);
    GatewayId::parse(text).ok_or_else(malformed)
}

pub(crate) fn no_gateway(id: &str) -> AwsError {
    texts::not_found("InvalidInternetGatewayID.NotFound", "internetGateway", id)
}

fn not_attached(gateway: &GatewayId, vpc: &VpcId) -> AwsError {
    AwsError::new("Gateway.NotAttached", format!("resource {gateway} is not attached to network {vpc}"))
}

impl State {
    pub(crate) fn own_gateway(&self, cx: &mut Cx<'_>, text: &str) -> Result<Gateway, AwsError> {
        let id = parse_gateway_id(text)?;
        cx.touch(&id);
        let found = self.gateways.get(&id).filter(|gateway| cx.is_at(&gateway.owner, &gateway.region));
        let gateway = found.ok_or_else(|| no_gateway(text))?;
        if self.gateways.is_fresh(&id) && cx.too_early() {
            return Err(no_gateway(text));
        }
        Ok(gateway.clone())
    }

    pub(crate) fn create_gateway(&mut self, cx: &mut Cx<'_>, tags: &Tags) -> Result<Response, AwsError> {
        let (owner, region) = (cx.caller.account.clone(), cx.caller.region.clone());
        tags::check(tags, self.quotas(&owner, &region).tags_per_resource)?;
        let id = GatewayId::numbered(self.ids.next());
        let gateway = Gateway { id: id.clone(), owner, region, attached_to: None, tags: tags.clone() };
        let view = gateway.view();
        let lag = self.lag(cx, Thing::Gateway(id.clone()));
        self.gateways.insert(id.clone(), gateway, lag);
        cx.touch(&id);
        Ok(Response::Gateway(view))
    }

    /// One VPC for a gateway, one gateway for a VPC.
    pub(crate) fn attach_gateway(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        vpc: &str,
    ) -> Result<Response, AwsError> {
        let gateway = self.own_gateway(cx, text)?;
        let vpc = self.own_vpc(cx, vpc)?.id;
        if let Some(held) = &gateway.attached_to {
            let message = format!("resource {} is already attached to network {held}", gateway.id);
            return Err(AwsError::new("Resource.AlreadyAssociated", message));
        }
        if self.links(&vpc).is_some_and(|links| links.gateway.is_some()) {
            return Err(texts::bad_value(format!("Network {vpc} already has an internet gateway attached")));
        }
        self.links_mut(&vpc).gateway = Some(gateway.id.clone());
        let lag = self.lag(cx, Thing::Gateway(gateway.id.clone()));
        self.gateways.change(&gateway.id, lag, |gateway| gateway.attached_to = Some(vpc));
        Ok(Response::Done)
    }

    /// Routes that lead to it stay, as blackholes.
    pub(crate) fn detach_gateway(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        vpc: &str,
    ) -> Result<Response, AwsError> {
        let gateway = self.own_gateway(cx, text)?;
        let vpc = self.own_vpc(cx, vpc)?.id;
        if gateway.attached_to.as_ref() != Some(&vpc) {
            return Err(not_attached(&gateway.id, &vpc));
        }
        self.unlink(&vpc, |links| links.gateway = None);
        let lag = self.lag(cx, Thing::Gateway(gateway.id.clone()));
        self.gateways.change(&gateway.id, lag, |gateway| gateway.attached_to = None);
        Ok(Response::Done)
    }

    pub(crate) fn delete_gateway(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let gateway = self.own_gateway(cx, text)?;
        if gateway.attached_to.is_some() {
            let message = format!("The internetGateway '{text}' has dependencies and cannot be deleted.");
            return Err(AwsError::new("DependencyViolation", message));
        }
        let lag = self.lag(cx, Thing::Gateway(gateway.id.clone()));
        self.gateways.remove(&gateway.id, lag);
        Ok(Response::Done)
    }

    /// Routes and edge tables take only the gateway of their own VPC. Of gateways that are not internet gateways
    /// nothing is known but their ids.
    pub(crate) fn check_gateway_target(
        &self,
        cx: &mut Cx<'_>,
        table: &RouteTable,
        text: &str,
    ) -> Result<(), AwsError> {
        if !text.starts_with(GatewayId::PREFIX) || self.is_outside(text) {
            return Ok(());
        }
        let missing = || texts::not_found("InvalidGatewayID.NotFound", "gateway", text);
        let id = GatewayId::parse(text).ok_or_else(missing)?;
        let found = self.gateways.get(&id).filter(|gateway| cx.is_at(&gateway.owner, &gateway.region));
        let gateway = found.ok_or_else(missing)?;
        if self.gateways.is_fresh(&id) && cx.too_early() {
            return Err(missing());
        }
        if gateway.attached_to.as_ref() != Some(&table.vpc) {
            return Err(texts::bad_value(format!(
                "route table {} and network gateway {id} belong to different networks",
                table.id
            )));
        }
        Ok(())
    }

    /// Whether traffic that a table sends to this gateway arrives.
    pub(crate) fn gateway_serves(&self, text: &str, vpc: &VpcId) -> bool {
        if !text.starts_with(GatewayId::PREFIX) || self.is_outside(text) {
            return !self.broken.contains(text);
        }
        let gateway = GatewayId::parse(text).and_then(|id| self.gateways.get(&id));
        gateway.is_some_and(|gateway| gateway.attached_to.as_ref() == Some(vpc))
            && !self.broken.contains(text)
    }

    /// A subnet or internet gateway that this world did not make, and takes as given.
    pub(crate) fn is_outside(&self, id: &str) -> bool {
        let made = SubnetOrGateway::parse(id).is_some_and(|id| match id {
            SubnetOrGateway::Subnet(id) => self.subnets.knows(&id),
            SubnetOrGateway::Gateway(id) => self.gateways.knows(&id),
        });
        !self.refuses_unknown_ids && !made
    }

    /// Whatever else a VPC holds that stands in the way of its deletion.
    pub(crate) fn has_contents(&self, vpc: &Vpc) -> bool {
        let Some(links) = self.links(&vpc.id) else { return false };
        let own_group =
            |id: &crate::ids::GroupId| self.groups.get(id).is_some_and(|group| !group.is_default());
        links.gateway.is_some() || !links.subnets.is_empty() || links.groups.iter().any(own_group)
    }
}

enum SubnetOrGateway {
    Subnet(crate::ids::SubnetId),
    Gateway(GatewayId),
}

impl SubnetOrGateway {
    fn parse(id: &str) -> Option<Self> {
        let subnet = crate::ids::SubnetId::parse(id).map(Self::Subnet);
        subnet.or_else(|| GatewayId::parse(id).map(Self::Gateway))
    }
}
