//! Route tables and what they are tied to.

use crate::error::{AwsError, texts};
use crate::request::{Attach, Request};
use crate::view::{Association, AssociationView, Destination, Response, RouteTableView, RouteView, Target};
use crate::wire::mapping::{Asked, Mapping, done, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateRouteTable",
        reads: &["VpcId", "ClientToken", "TagSpecifications"],
        ask: |asked| {
            Ok(Request::CreateRouteTable {
                vpc_id: asked.must("VpcId")?,
                client_token: asked.text("ClientToken"),
                tags: asked.tags("route-table")?,
            })
        },
        answer: created,
    },
    Mapping {
        name: "DeleteRouteTable",
        reads: &["RouteTableId"],
        ask: |asked| Ok(Request::DeleteRouteTable { route_table_id: asked.must("RouteTableId")? }),
        answer: done,
    },
    Mapping {
        name: "AssociateRouteTable",
        reads: &["RouteTableId", "SubnetId", "GatewayId"],
        ask: associate,
        answer: |_, response| Some(associated(response.association()?.as_str(), "AssociationId")),
    },
    Mapping {
        name: "DisassociateRouteTable",
        reads: &["AssociationId"],
        ask: |asked| Ok(Request::DisassociateRouteTable { association_id: asked.must("AssociationId")? }),
        answer: done,
    },
    Mapping {
        name: "ReplaceRouteTableAssociation",
        reads: &["AssociationId", "RouteTableId"],
        ask: |asked| {
            Ok(Request::ReplaceRouteTableAssociation {
                association_id: asked.must("AssociationId")?,
                route_table_id: asked.must("RouteTableId")?,
            })
        },
        answer: |_, response| Some(associated(response.association()?.as_str(), "NewAssociationId")),
    },
    Mapping {
        name: "EnableVgwRoutePropagation",
        reads: &["RouteTableId", "GatewayId"],
        ask: |asked| propagation(asked, true),
        answer: done,
    },
    Mapping {
        name: "DisableVgwRoutePropagation",
        reads: &["RouteTableId", "GatewayId"],
        ask: |asked| propagation(asked, false),
        answer: done,
    },
    Mapping {
        name: "DescribeRouteTables",
        reads: &["RouteTableIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeRouteTables(asked.describe("RouteTableIds")?)),
        answer: |_, response| Some(show_page(response.route_tables()?, "RouteTables", |table| show(&table))),
    },
];

fn created(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    let table = response.route_table()?;
    Some(Struct::new().with("RouteTable", show(&table)).with_opt("ClientToken", asked.text("ClientToken")))
}

fn associate(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let to = match (asked.text("SubnetId"), asked.text("GatewayId")) {
        (Some(subnet), None) => Attach::Subnet(subnet),
        (None, Some(gateway)) => Attach::Gateway(gateway),
        (None, None) => return Err(texts::missing("subnetId or gatewayId")),
        (Some(_), Some(_)) => {
            let message = "The parameters subnetId and gatewayId may not be specified together";
            return Err(AwsError::new("InvalidParameterCombination", message));
        }
    };
    Ok(Request::AssociateRouteTable { route_table_id: asked.must("RouteTableId")?, to })
}

fn propagation(asked: &Asked<'_>, on: bool) -> Result<Request, AwsError> {
    let (route_table_id, gateway_id) = (asked.must("RouteTableId")?, asked.must("GatewayId")?);
    Ok(if on {
        Request::EnableVgwRoutePropagation { route_table_id, gateway_id }
    } else {
        Request::DisableVgwRoutePropagation { route_table_id, gateway_id }
    })
}

fn associated(id: &str, name: &'static str) -> Struct {
    Struct::new().with(name, id).with("AssociationState", Struct::new().with("State", "associated"))
}

fn show(table: &RouteTableView) -> Struct {
    let gateway = |id: &crate::ids::Opaque| Struct::new().with("GatewayId", id.as_str());
    Struct::new()
        .with("RouteTableId", table.id.as_str())
        .with("VpcId", table.vpc.as_str())
        .with("OwnerId", table.owner.as_str())
        .with("Associations", Value::list(table.associations.iter().map(|tie| show_tie(tie, table))))
        .with("PropagatingVgws", Value::list(table.propagating_vgws.iter().map(gateway)))
        .with("Routes", Value::list(table.routes.iter().map(show_route)))
        .with("Tags", show_tags(&table.tags))
}

fn show_tie(tie: &AssociationView, table: &RouteTableView) -> Struct {
    let shown = Struct::new()
        .with("RouteTableAssociationId", tie.id.as_str())
        .with("RouteTableId", table.id.as_str())
        .with("AssociationState", Struct::new().with("State", "associated"))
        .with("Main", tie.with == Association::Main);
    match &tie.with {
        Association::Main => shown,
        Association::Subnet(subnet) => shown.with("SubnetId", subnet.as_str()),
        Association::Gateway(gateway) => shown.with("GatewayId", gateway.as_str()),
    }
}

fn show_route(route: &RouteView) -> Struct {
    let shown = Struct::new().with("Origin", route.origin.as_str()).with("State", route.state.as_str());
    let shown = match &route.destination {
        Destination::Ipv4(net) => shown.with("DestinationCidrBlock", net.to_string()),
        Destination::Ipv6(net) => shown.with("DestinationIpv6CidrBlock", net.to_string()),
        Destination::PrefixList(id) => shown.with("DestinationPrefixListId", id.as_str()),
    };
    let member = match &route.target {
        // AWS shows local routes as the gateway called `local`, and endpoints as gateways.
        Target::Local | Target::Gateway(_) => "GatewayId",
        Target::Peering(_) => "VpcPeeringConnectionId",
        Target::NatGateway(_) => "NatGatewayId",
        Target::TransitGateway(_) => "TransitGatewayId",
        Target::NetworkInterface(_) => "NetworkInterfaceId",
        Target::EgressOnlyInternetGateway(_) => "EgressOnlyInternetGatewayId",
    };
    shown.with(member, route.target.as_str())
}
