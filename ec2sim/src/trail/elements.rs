//! `responseElements`: what was answered, as CloudTrail writes it.

use super::parameters::queue_url;
use crate::json::Json;
use crate::request::{Action, Tags};
use crate::service::Service;
use crate::view::{
    Association, AssociationView, Destination, PeeringSide, PeeringView, PrefixListView, Response,
    RouteTableView, RouteView, Target, VpcView,
};

/// `zero_wall_ms`: what the calendar showed at time zero of the virtual clock.
pub(crate) fn of(action: Action, answer: &Response, request_id: &str, zero_wall_ms: i64) -> Json {
    let ec2 = || Json::object().with("requestId", request_id);
    match answer {
        Response::QueueUrl(queue) => Json::object().with("queueUrl", queue_url(queue)),
        // Other services' calls that answer nothing leave nothing.
        Response::Done if action.service() != Service::Ec2 => Json::Null,
        Response::Done => ec2().with("_return", true),
        Response::Vpc(view) => ec2().with("vpc", vpc(view)),
        Response::RouteTable(view) => ec2().with("routeTable", table(view)),
        Response::Association(id) if action == Action::ReplaceRouteTableAssociation => {
            ec2().with("newAssociationId", id.as_str())
        }
        Response::Association(id) => ec2().with("associationId", id.as_str()),
        Response::Peering(view) => ec2().with("vpcPeeringConnection", peering(view, zero_wall_ms)),
        Response::PeeringOptions { requester, accepter } => {
            let side =
                |on: Option<bool>| on.map(|on| Json::object().with("allowDnsResolutionFromRemoteVpc", on));
            ec2()
                .with_some("requesterPeeringConnectionOptions", side(*requester))
                .with_some("accepterPeeringConnectionOptions", side(*accepter))
        }
        Response::CidrAssociation(association) => {
            let state = Json::object().with("state", "associated");
            let block = Json::object()
                .with("associationId", association.id.as_str())
                .with("cidrBlock", association.cidr.to_string())
                .with("cidrBlockState", state);
            newer(action, request_id, "cidrBlockAssociation", block)
        }
        Response::PrefixList(view) => newer(action, request_id, "prefixList", prefix_list(view)),
        other => super::network::elements(other, ec2()).unwrap_or_else(ec2),
    }
}

/// What a newer call's record wraps its answer in.
fn newer(action: Action, request_id: &str, key: &str, answer: Json) -> Json {
    let inner = Json::object().with("requestId", request_id).with(key, answer);
    Json::object().with(&format!("{}Response", action.name()), inner)
}

pub(super) fn tags(tags: &Tags) -> Json {
    Json::items(tags.iter().map(|(key, value)| Json::object().with("key", key).with("value", value)))
}

fn vpc(view: &VpcView) -> Json {
    let block = |association: &crate::view::CidrAssociation, key: &str, state: &str| {
        Json::object()
            .with("associationId", association.id.as_str())
            .with(key, association.cidr.to_string())
            .with(state, Json::object().with("state", "associated"))
    };
    let (v4, v6): (Vec<_>, Vec<_>) =
        view.cidrs.iter().partition(|association| association.cidr.addr().is_ipv4());
    let v4 = v4.into_iter().map(|association| block(association, "cidrBlock", "cidrBlockState"));
    let v6 = v6.into_iter().map(|association| block(association, "ipv6CidrBlock", "ipv6CidrBlockState"));
    Json::object()
        .with("vpcId", view.id.as_str())
        .with("state", "pending")
        .with("ownerId", view.owner.as_str())
        .with("cidrBlock", view.cidr_block.to_string())
        .with("cidrBlockAssociationSet", Json::items(v4))
        .with("ipv6CidrBlockAssociationSet", Json::items(v6))
        .with("instanceTenancy", "default")
        .with("tagSet", tags(&view.tags))
        .with("isDefault", false)
}

fn table(view: &RouteTableView) -> Json {
    let vgws = view.propagating_vgws.iter().map(|vgw| Json::object().with("gatewayId", vgw.as_str()));
    Json::object()
        .with("routeTableId", view.id.as_str())
        .with("vpcId", view.vpc.as_str())
        .with("routeSet", Json::items(view.routes.iter().map(route)))
        .with("associationSet", Json::items(view.associations.iter().map(association)))
        .with("propagatingVgwSet", Json::items(vgws))
        .with("tagSet", tags(&view.tags))
        .with("ownerId", view.owner.as_str())
}

fn route(view: &RouteView) -> Json {
    let destination = match &view.destination {
        Destination::Ipv4(_) => "destinationCidrBlock",
        Destination::Ipv6(_) => "destinationIpv6CidrBlock",
        Destination::PrefixList(_) => "destinationPrefixListId",
    };
    let target = match &view.target {
        Target::Local | Target::Gateway(_) => "gatewayId",
        Target::Peering(_) => "vpcPeeringConnectionId",
        Target::NatGateway(_) => "natGatewayId",
        Target::TransitGateway(_) => "transitGatewayId",
        Target::NetworkInterface(_) => "networkInterfaceId",
        Target::EgressOnlyInternetGateway(_) => "egressOnlyInternetGatewayId",
    };
    Json::object()
        .with(destination, view.destination.to_string())
        .with(target, view.target.as_str())
        .with("state", view.state.as_str())
        .with("origin", view.origin.as_str())
}

fn association(view: &AssociationView) -> Json {
    let json = Json::object()
        .with("routeTableAssociationId", view.id.as_str())
        .with("main", view.with == Association::Main);
    match &view.with {
        Association::Main => json,
        Association::Subnet(id) => json.with("subnetId", id.as_str()),
        Association::Gateway(id) => json.with("gatewayId", id.as_str()),
    }
}

fn peering(view: &PeeringView, zero_wall_ms: i64) -> Json {
    let status = Json::object().with("code", view.status.as_str()).with("message", &view.message);
    let wall = |at_ms: u64| zero_wall_ms.saturating_add(i64::try_from(at_ms).unwrap_or(i64::MAX));
    Json::object()
        .with("vpcPeeringConnectionId", view.id.as_str())
        .with("requesterVpcInfo", side(&view.requester))
        .with("accepterVpcInfo", side(&view.accepter))
        .with("status", status)
        .with_some("expirationTime", view.expiration_ms.map(wall))
        .with("tagSet", tags(&view.tags))
}

fn side(view: &PeeringSide) -> Json {
    let v4 = view.ipv4_cidrs.iter().map(|net| Json::object().with("cidrBlock", net.to_string()));
    let v6 = view.ipv6_cidrs.iter().map(|net| Json::object().with("ipv6CidrBlock", net.to_string()));
    let known = view.cidr_block.is_some();
    let options = view.allow_dns_resolution_from_remote_vpc.map(|on| {
        Json::object()
            .with("allowEgressFromLocalClassicLinkToRemoteVpc", false)
            .with("allowEgressFromLocalVpcToRemoteClassicLink", false)
            .with("allowDnsResolutionFromRemoteVpc", on)
    });
    Json::object()
        .with("ownerId", view.owner.as_str())
        .with("vpcId", view.vpc.as_str())
        .with_some("cidrBlock", view.cidr_block.map(|net| net.to_string()))
        .with("region", view.region.as_str())
        .with_some("cidrBlockSet", known.then(|| Json::items(v4)))
        .with_some("ipv6CidrBlockSet", (!view.ipv6_cidrs.is_empty()).then(|| Json::items(v6)))
        .with_some("peeringOptions", options)
}

fn prefix_list(view: &PrefixListView) -> Json {
    Json::object()
        .with("prefixListId", view.id.as_str())
        .with("prefixListName", &view.name)
        .with("maxEntries", i64::from(view.max_entries))
        .with("addressFamily", view.address_family)
        .with("version", i64::try_from(view.version).unwrap_or(i64::MAX))
        .with("ownerId", view.owner.as_str())
}
