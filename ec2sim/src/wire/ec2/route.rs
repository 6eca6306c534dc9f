//! Routes.

use crate::error::{AwsError, texts};
use crate::request::{Request, RouteRequest};
use crate::wire::mapping::{Asked, Mapping, done};
use crate::wire::value::Struct;

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateRoute",
        reads: &[
            "RouteTableId",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
            "VpcPeeringConnectionId",
            "GatewayId",
            "VpcEndpointId",
            "NatGatewayId",
            "TransitGatewayId",
            "NetworkInterfaceId",
            "EgressOnlyInternetGatewayId",
        ],
        ask: |asked| Ok(Request::CreateRoute(read(asked)?)),
        answer: |asked, response| Some(done(asked, response)?.with("Return", true)),
    },
    Mapping {
        name: "ReplaceRoute",
        reads: &[
            "RouteTableId",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
            "VpcPeeringConnectionId",
            "GatewayId",
            "VpcEndpointId",
            "NatGatewayId",
            "TransitGatewayId",
            "NetworkInterfaceId",
            "EgressOnlyInternetGatewayId",
            "LocalTarget",
        ],
        ask: |asked| Ok(Request::ReplaceRoute(read(asked)?)),
        answer: done,
    },
    Mapping {
        name: "DeleteRoute",
        reads: &[
            "RouteTableId",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
        ],
        ask: |asked| Ok(Request::DeleteRoute(read(asked)?)),
        answer: done,
    },
];

fn read(asked: &Asked<'_>) -> Result<RouteRequest, AwsError> {
    // An endpoint is a gateway to the route table, and shows as one.
    let gateway_id = match (asked.text("GatewayId"), asked.text("VpcEndpointId")) {
        (Some(_), Some(_)) => {
            let message = "The request must contain exactly one target";
            return Err(AwsError::new("InvalidParameterCombination", message));
        }
        (gateway, endpoint) => gateway.or(endpoint),
    };
    if gateway_id.as_deref() == Some("") {
        return Err(texts::bad_value("Value () for parameter gatewayId is invalid."));
    }
    let Asked { input, .. } = asked;
    Ok(RouteRequest {
        route_table_id: asked.must("RouteTableId")?,
        destination_cidr_block: owned(input, "DestinationCidrBlock"),
        destination_ipv6_cidr_block: owned(input, "DestinationIpv6CidrBlock"),
        destination_prefix_list_id: owned(input, "DestinationPrefixListId"),
        vpc_peering_connection_id: owned(input, "VpcPeeringConnectionId"),
        gateway_id,
        nat_gateway_id: owned(input, "NatGatewayId"),
        transit_gateway_id: owned(input, "TransitGatewayId"),
        network_interface_id: owned(input, "NetworkInterfaceId"),
        egress_only_internet_gateway_id: owned(input, "EgressOnlyInternetGatewayId"),
        local_target: input.bool("LocalTarget") == Some(true),
    })
}

fn owned(input: &Struct, name: &str) -> Option<String> {
    input.text(name).map(str::to_owned)
}
