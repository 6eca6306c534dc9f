//! Internet gateways.

use crate::request::Request;
use crate::view::{GatewayView, Response};
use crate::wire::mapping::{Asked, Mapping, done, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateInternetGateway",
        reads: &["TagSpecifications"],
        ask: |asked| Ok(Request::CreateInternetGateway { tags: asked.tags("internet-gateway")? }),
        answer: created,
    },
    Mapping {
        name: "AttachInternetGateway",
        reads: &["InternetGatewayId", "VpcId"],
        ask: |asked| {
            Ok(Request::AttachInternetGateway {
                gateway_id: asked.must("InternetGatewayId")?,
                vpc_id: asked.must("VpcId")?,
            })
        },
        answer: done,
    },
    Mapping {
        name: "DetachInternetGateway",
        reads: &["InternetGatewayId", "VpcId"],
        ask: |asked| {
            Ok(Request::DetachInternetGateway {
                gateway_id: asked.must("InternetGatewayId")?,
                vpc_id: asked.must("VpcId")?,
            })
        },
        answer: done,
    },
    Mapping {
        name: "DeleteInternetGateway",
        reads: &["InternetGatewayId"],
        ask: |asked| Ok(Request::DeleteInternetGateway { gateway_id: asked.must("InternetGatewayId")? }),
        answer: done,
    },
    Mapping {
        name: "DescribeInternetGateways",
        reads: &["InternetGatewayIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeInternetGateways(asked.describe("InternetGatewayIds")?)),
        answer: |_, response| {
            Some(show_page(response.gateways()?, "InternetGateways", |gateway| show(&gateway)))
        },
    },
];

fn created(_: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("InternetGateway", show(&response.gateway()?)))
}

fn show(gateway: &GatewayView) -> Struct {
    // AWS's word for a gateway that is attached, though the model lists only `attached` and its like.
    let attachment = gateway
        .attached_to
        .iter()
        .map(|vpc| Struct::new().with("VpcId", vpc.as_str()).with("State", "available"));
    Struct::new()
        .with("InternetGatewayId", gateway.id.as_str())
        .with("OwnerId", gateway.owner.as_str())
        .with("Attachments", Value::list(attachment))
        .with("Tags", show_tags(&gateway.tags))
}
