//! Peering connections and their options.

use crate::error::AwsError;
use crate::request::{CreatePeering, Request};
use crate::view::{PeeringSide, PeeringView, Response};
use crate::wire::mapping::{Asked, Mapping, done, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateVpcPeeringConnection",
        reads: &["VpcId", "PeerVpcId", "PeerOwnerId", "PeerRegion", "TagSpecifications"],
        ask: create,
        answer: one,
    },
    Mapping {
        name: "AcceptVpcPeeringConnection",
        reads: &["VpcPeeringConnectionId"],
        ask: |asked| Ok(Request::AcceptVpcPeeringConnection { peering_id: id(asked)? }),
        answer: one,
    },
    Mapping {
        name: "RejectVpcPeeringConnection",
        reads: &["VpcPeeringConnectionId"],
        ask: |asked| Ok(Request::RejectVpcPeeringConnection { peering_id: id(asked)? }),
        answer: |asked, response| Some(done(asked, response)?.with("Return", true)),
    },
    Mapping {
        name: "DeleteVpcPeeringConnection",
        reads: &["VpcPeeringConnectionId"],
        ask: |asked| Ok(Request::DeleteVpcPeeringConnection { peering_id: id(asked)? }),
        answer: |asked, response| Some(done(asked, response)?.with("Return", true)),
    },
    Mapping {
        name: "ModifyVpcPeeringConnectionOptions",
        reads: &[
            "VpcPeeringConnectionId",
            "RequesterPeeringConnectionOptions",
            "AccepterPeeringConnectionOptions",
        ],
        ask: modify,
        answer: modified,
    },
    Mapping {
        name: "DescribeVpcPeeringConnections",
        reads: &["VpcPeeringConnectionIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeVpcPeeringConnections(asked.describe("VpcPeeringConnectionIds")?)),
        answer: |asked, response| {
            Some(show_page(response.peerings()?, "VpcPeeringConnections", |peering| show(asked, &peering)))
        },
    },
];

fn id(asked: &Asked<'_>) -> Result<String, AwsError> {
    asked.must("VpcPeeringConnectionId")
}

fn create(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let given = |name| asked.text(name).filter(|text| !text.is_empty());
    Ok(Request::CreateVpcPeeringConnection(CreatePeering {
        vpc_id: asked.must("VpcId")?,
        peer_vpc_id: asked.must("PeerVpcId")?,
        peer_owner_id: given("PeerOwnerId"),
        peer_region: given("PeerRegion"),
        tags: asked.tags("vpc-peering-connection")?,
    }))
}

fn one(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("VpcPeeringConnection", show(asked, &response.peering()?)))
}

const DNS: &str = "AllowDnsResolutionFromRemoteVpc";

fn modify(asked: &Asked<'_>) -> Result<Request, AwsError> {
    Ok(Request::ModifyVpcPeeringConnectionOptions {
        peering_id: id(asked)?,
        requester: wanted_options(asked, "RequesterPeeringConnectionOptions")?,
        accepter: wanted_options(asked, "AccepterPeeringConnectionOptions")?,
    })
}

/// ClassicLink is gone from AWS: turning it off is all that can be said of it.
fn wanted_options(asked: &Asked<'_>, name: &str) -> Result<Option<bool>, AwsError> {
    let Some(options) = asked.input.structure(name) else { return Ok(None) };
    let classic = options.iter().find(|(name, value)| *name != DNS && value.as_bool() == Some(true));
    if let Some((name, _)) = classic {
        let message = format!("{name} is an option of EC2-Classic, which is retired");
        return Err(AwsError::new("UnsupportedOperation", message));
    }
    Ok(options.bool(DNS))
}

fn modified(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let Response::PeeringOptions { requester, accepter } = response else { return None };
    Some(
        Struct::new()
            .with_opt("RequesterPeeringConnectionOptions", requester.map(show_options))
            .with_opt("AccepterPeeringConnectionOptions", accepter.map(show_options)),
    )
}

fn show_options(allow_dns: bool) -> Struct {
    Struct::new()
        .with(DNS, allow_dns)
        .with("AllowEgressFromLocalClassicLinkToRemoteVpc", false)
        .with("AllowEgressFromLocalVpcToRemoteClassicLink", false)
}

fn show(asked: &Asked<'_>, peering: &PeeringView) -> Struct {
    let status =
        Struct::new().with("Code", peering.status.as_str()).with("Message", peering.message.as_str());
    Struct::new()
        .with("VpcPeeringConnectionId", peering.id.as_str())
        .with("RequesterVpcInfo", show_side(&peering.requester))
        .with("AccepterVpcInfo", show_side(&peering.accepter))
        .with("Status", status)
        .with_opt("ExpirationTime", peering.expiration_ms.map(|at_ms| asked.time(at_ms)))
        .with("Tags", show_tags(&peering.tags))
}

fn show_side(side: &PeeringSide) -> Struct {
    let ipv4 = side.ipv4_cidrs.iter().map(|net| Struct::new().with("CidrBlock", net.to_string()));
    let ipv6 = side.ipv6_cidrs.iter().map(|net| Struct::new().with("Ipv6CidrBlock", net.to_string()));
    Struct::new()
        .with("OwnerId", side.owner.as_str())
        .with("VpcId", side.vpc.as_str())
        .with("Region", side.region.as_str())
        .with_opt("CidrBlock", side.cidr_block.map(|net| net.to_string()))
        .with_opt("CidrBlockSet", (!side.ipv4_cidrs.is_empty()).then(|| Value::list(ipv4)))
        .with_opt("Ipv6CidrBlockSet", (!side.ipv6_cidrs.is_empty()).then(|| Value::list(ipv6)))
        .with_opt("PeeringOptions", side.allow_dns_resolution_from_remote_vpc.map(show_options))
}
