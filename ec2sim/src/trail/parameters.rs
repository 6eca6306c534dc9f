//! `requestParameters`: what was asked, as CloudTrail writes it. EC2's older calls have lower camel case and lists
//! wrapped as `{"items": [...]}`; its newer ones stand as they are under the request's name.

use crate::json::Json;
use crate::request::{
    Action, Attach, CreatePeering, CreatePrefixList, PrefixListEntry, Request, RouteRequest, Tags,
};

pub(crate) fn of(request: &Request, wrapped: bool) -> Json {
    use Request as R;
    let one = |key: &str, value: &str| Json::object().with(key, value);
    match request {
        R::CreateVpc { cidr, ipv6_cidr, tags } => one("cidrBlock", cidr)
            .with("instanceTenancy", "default")
            .with("amazonProvidedIpv6CidrBlock", false)
            .with_some("ipv6CidrBlock", ipv6_cidr.as_ref())
            .with_some("tagSpecificationSet", tag_specification("vpc", tags)),
        R::DeleteVpc { vpc_id } => one("vpcId", vpc_id),
        R::ModifyVpcAttribute { vpc_id, enable_dns_support, enable_dns_hostnames } => one("vpcId", vpc_id)
            .with_some("enableDnsSupport", enable_dns_support.map(value))
            .with_some("enableDnsHostnames", enable_dns_hostnames.map(value)),
        R::AssociateVpcCidrBlock { vpc_id, cidr } => {
            newer(request, one("VpcId", vpc_id).with("CidrBlock", cidr))
        }
        R::DisassociateVpcCidrBlock { association_id } => {
            newer(request, one("AssociationId", association_id))
        }
        R::CreateRouteTable { vpc_id, client_token, tags } => one("vpcId", vpc_id)
            .with_some("clientToken", client_token.as_ref())
            .with_some("tagSpecificationSet", tag_specification("route-table", tags)),
        R::DeleteRouteTable { route_table_id } => one("routeTableId", route_table_id),
        R::AssociateRouteTable { route_table_id, to } => match to {
            Attach::Subnet(id) => one("routeTableId", route_table_id).with("subnetId", id),
            Attach::Gateway(id) => one("routeTableId", route_table_id).with("gatewayId", id),
        },
        R::DisassociateRouteTable { association_id } => one("associationId", association_id),
        R::ReplaceRouteTableAssociation { association_id, route_table_id } => {
            one("associationId", association_id).with("routeTableId", route_table_id)
        }
        R::EnableVgwRoutePropagation { route_table_id, gateway_id }
        | R::DisableVgwRoutePropagation { route_table_id, gateway_id } => {
            one("routeTableId", route_table_id).with("gatewayId", gateway_id)
        }
        R::CreateRoute(route) | R::ReplaceRoute(route) => with_target(destination(route), route),
        R::DeleteRoute(route) => destination(route),
        R::CreateManagedPrefixList(list) => newer(request, prefix_list(list)),
        R::ModifyManagedPrefixList { prefix_list_id, current_version, name, max_entries, add, remove } => {
            newer(
                request,
                one("PrefixListId", prefix_list_id)
                    .with_some("CurrentVersion", current_version.map(number))
                    .with_some("PrefixListName", name.as_ref())
                    .with_some("MaxEntries", max_entries.map(i64::from))
                    .with_some("AddEntry", entries(add))
                    .with_some("RemoveEntry", removed(remove)),
            )
        }
        R::DeleteManagedPrefixList { prefix_list_id } => newer(request, one("PrefixListId", prefix_list_id)),
        R::CreateVpcPeeringConnection(peering) => create_peering(peering),
        R::AcceptVpcPeeringConnection { peering_id }
        | R::RejectVpcPeeringConnection { peering_id }
        | R::DeleteVpcPeeringConnection { peering_id } => one("vpcPeeringConnectionId", peering_id),
        R::ModifyVpcPeeringConnectionOptions { peering_id, requester, accepter } => {
            options(request, peering_id, *requester, *accepter, wrapped)
        }
        R::CreateTags { resources, tags } => {
            let tags = tags.iter().map(|(key, value)| tag(key, Some(value)));
            Json::object().with("resourcesSet", ids(resources)).with("tagSet", Json::items(tags))
        }
        R::DeleteTags { resources, tags } => {
            let tags = tags.iter().map(|(key, value)| tag(key, value.as_ref()));
            Json::object().with("resourcesSet", ids(resources)).with("tagSet", Json::items(tags))
        }
        other => super::network::parameters(other).unwrap_or_else(|| of_other_services(other)),
    }
}

/// What other services' calls say. A call without parameters of note has none in its record.
fn of_other_services(request: &Request) -> Json {
    use Request as R;
    let one = |key: &str, value: &str| Json::object().with(key, value);
    match request {
        R::CreateTrail { name, multi_region } => one("name", name).with("isMultiRegionTrail", *multi_region),
        R::DeleteTrail { name } | R::StartLogging { name } | R::StopLogging { name } => one("name", name),
        R::PutEventSelectors { name, read_write_type, management_events } => {
            let selector = one("readWriteType", read_write_type.as_str())
                .with("includeManagementEvents", *management_events)
                .with("dataResources", Json::List(Vec::new()));
            one("trailName", name).with("eventSelectors", Json::List(vec![selector]))
        }
        R::PutRule { name, pattern, enabled } => one("name", name)
            .with("eventPattern", pattern.json().to_string())
            .with("state", if *enabled { "ENABLED" } else { "DISABLED" }),
        R::EnableRule { name } | R::DisableRule { name } | R::DeleteRule { name } => one("name", name),
        R::PutTargets { rule, targets } => {
            let targets =
                targets.iter().map(|target| one("id", &target.id).with("arn", target.queue.to_string()));
            one("rule", rule).with("targets", Json::List(targets.collect()))
        }
        R::RemoveTargets { rule, ids } => {
            one("rule", rule).with("ids", Json::List(ids.iter().map(Json::text).collect()))
        }
        R::CreateQueue { name, attributes, tags } => one("queueName", name)
            .with("attributes", texts(attributes))
            .with_some("tags", (!tags.is_empty()).then(|| texts(tags))),
        R::TagQueue { queue, tags } => one("queueUrl", &queue_url(queue)).with("tags", texts(tags)),
        R::UntagQueue { queue, keys } => one("queueUrl", &queue_url(queue))
            .with("tagKeys", Json::List(keys.iter().map(Json::text).collect())),
        R::DeleteQueue { queue } | R::PurgeQueue { queue } => one("queueUrl", &queue_url(queue)),
        R::SetQueueAttributes { queue, attributes } => {
            one("queueUrl", &queue_url(queue)).with("attributes", texts(attributes))
        }
        _ => Json::Null,
    }
}

/// What a newer call's record wraps its parameters in.
pub(super) fn newer(request: &Request, parameters: Json) -> Json {
    Json::object().with(&format!("{}Request", request.action().name()), parameters)
}

pub(super) fn value(on: bool) -> Json {
    Json::object().with("value", on)
}

fn texts(map: &Tags) -> Json {
    map.iter().fold(Json::object(), |object, (key, value)| object.with(key, value))
}

fn tag(key: &str, value: Option<&String>) -> Json {
    Json::object().with("key", key).with_some("value", value)
}

fn ids(resources: &[String]) -> Json {
    Json::items(resources.iter().map(|id| Json::object().with("resourceId", id)))
}

/// `None` without tags: an absent parameter leaves no trace.
pub(super) fn tag_specification(kind: &str, tags: &Tags) -> Option<Json> {
    let list: Vec<Json> = tags.iter().map(|(key, value)| tag(key, Some(value))).collect();
    let specification = Json::object().with("resourceType", kind).with("tags", Json::List(list));
    (!tags.is_empty()).then(|| Json::items([specification]))
}

fn entries(entries: &[PrefixListEntry]) -> Option<Json> {
    let entry = |entry: &PrefixListEntry| {
        Json::object().with("Cidr", &entry.cidr).with_some("Description", entry.description.as_ref())
    };
    (!entries.is_empty()).then(|| Json::List(entries.iter().map(entry).collect()))
}

fn removed(cidrs: &[String]) -> Option<Json> {
    let list = cidrs.iter().map(|cidr| Json::object().with("Cidr", cidr)).collect();
    (!cidrs.is_empty()).then_some(Json::List(list))
}

fn number(number: u64) -> Json {
    Json::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn prefix_list(list: &CreatePrefixList) -> Json {
    let CreatePrefixList { name, max_entries, address_family, entries: cidrs, tags: _, client_token } = list;
    Json::object()
        .with("PrefixListName", name)
        .with("MaxEntries", i64::from(*max_entries))
        .with("AddressFamily", address_family)
        .with_some("Entry", entries(cidrs))
        .with_some("ClientToken", client_token.as_ref())
}

fn destination(route: &RouteRequest) -> Json {
    Json::object()
        .with("routeTableId", &route.route_table_id)
        .with_some("destinationCidrBlock", route.destination_cidr_block.as_ref())
        .with_some("destinationIpv6CidrBlock", route.destination_ipv6_cidr_block.as_ref())
        .with_some("destinationPrefixListId", route.destination_prefix_list_id.as_ref())
}

fn with_target(json: Json, route: &RouteRequest) -> Json {
    json.with_some("vpcPeeringConnectionId", route.vpc_peering_connection_id.as_ref())
        .with_some("gatewayId", route.gateway_id.as_ref())
        .with_some("natGatewayId", route.nat_gateway_id.as_ref())
        .with_some("transitGatewayId", route.transit_gateway_id.as_ref())
        .with_some("networkInterfaceId", route.network_interface_id.as_ref())
        .with_some("egressOnlyInternetGatewayId", route.egress_only_internet_gateway_id.as_ref())
        .with_some("localTarget", route.local_target.then_some(true))
}

fn create_peering(peering: &CreatePeering) -> Json {
    let CreatePeering { vpc_id, peer_vpc_id, peer_owner_id, peer_region, tags } = peering;
    Json::object()
        .with("vpcId", vpc_id)
        .with("peerVpcId", peer_vpc_id)
        .with_some("peerOwnerId", peer_owner_id.as_ref())
        .with_some("peerRegion", peer_region.as_ref())
        .with_some("tagSpecificationSet", tag_specification("vpc-peering-connection", tags))
}

/// No source says in which of the two forms this call is recorded.
fn options(
    request: &Request,
    id: &str,
    requester: Option<bool>,
    accepter: Option<bool>,
    wrapped: bool,
) -> Json {
    let names = if wrapped {
        [
            "VpcPeeringConnectionId",
            "RequesterPeeringConnectionOptions",
            "AccepterPeeringConnectionOptions",
            "AllowDnsResolutionFromRemoteVpc",
        ]
    } else {
        [
            "vpcPeeringConnectionId",
            "requesterPeeringConnectionOptions",
            "accepterPeeringConnectionOptions",
            "allowDnsResolutionFromRemoteVpc",
        ]
    };
    let side = |on: Option<bool>| on.map(|on| Json::object().with(names[3], on));
    let parameters = Json::object()
        .with(names[0], id)
        .with_some(names[1], side(requester))
        .with_some(names[2], side(accepter));
    if wrapped { newer(request, parameters) } else { parameters }
}

pub(crate) fn queue_url(queue: &crate::queue::QueueId) -> String {
    format!("https://sqs.{}.amazonaws.com/{}/{}", queue.region, queue.account, queue.name)
}

/// Whether no source says in which form the record of this call has its parameters.
pub(crate) fn may_be_wrapped(action: Action) -> bool {
    action == Action::ModifyVpcPeeringConnectionOptions
}

#[cfg(test)]
mod tests {
    use crate::request::Action;

    #[test]
    fn every_call_that_changes_something_says_what_it_was_asked() {
        let written = [include_str!("parameters.rs"), include_str!("network.rs")];
        let is_there = |action: &Action| {
            let arm = format!("R::{action}");
            let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            written.iter().any(|text| text.split(&arm).skip(1).any(ends))
        };
        let missing: Vec<&Action> =
            Action::ALL.iter().filter(|action| action.mutates() && !is_there(action)).collect();
        assert!(missing.is_empty(), "their records would lack requestParameters: {missing:?}");
    }
}
