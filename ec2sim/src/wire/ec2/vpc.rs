//! VPCs, their address blocks and attributes.

use ipnet::IpNet;

use crate::error::{AwsError, texts};
use crate::request::Request;
use crate::view::{CidrAssociation, Response, VpcView};
use crate::wire::mapping::{Asked, Mapping, done, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateVpc",
        reads: &[
            "CidrBlock",
            "Ipv6CidrBlock",
            "AmazonProvidedIpv6CidrBlock",
            "InstanceTenancy",
            "TagSpecifications",
        ],
        ask: create,
        answer: created,
    },
    Mapping {
        name: "DeleteVpc",
        reads: &["VpcId"],
        ask: |asked| Ok(Request::DeleteVpc { vpc_id: asked.must("VpcId")? }),
        answer: done,
    },
    Mapping {
        name: "ModifyVpcAttribute",
        reads: &["VpcId", "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"],
        ask: modify,
        answer: done,
    },
    Mapping {
        name: "DescribeVpcAttribute",
        reads: &["VpcId", "Attribute"],
        ask: describe_attribute,
        answer: attribute,
    },
    Mapping {
        name: "AssociateVpcCidrBlock",
        reads: &["VpcId", "CidrBlock", "Ipv6CidrBlock", "AmazonProvidedIpv6CidrBlock"],
        ask: associate,
        answer: associated,
    },
    Mapping {
        name: "DisassociateVpcCidrBlock",
        reads: &["AssociationId"],
        ask: |asked| Ok(Request::DisassociateVpcCidrBlock { association_id: asked.must("AssociationId")? }),
        answer: disassociated,
    },
    Mapping {
        name: "DescribeVpcs",
        reads: &["VpcIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeVpcs(asked.describe("VpcIds")?)),
        answer: |_, response| Some(show_page(response.vpcs()?, "Vpcs", |vpc| show(&vpc))),
    },
];

fn create(asked: &Asked<'_>) -> Result<Request, AwsError> {
    match asked.input.text("InstanceTenancy") {
        None | Some("default") => {}
        Some(other) => {
            return Err(AwsError::new(
                "UnsupportedOperation",
                format!("InstanceTenancy {other} is not simulated: leave it out or say default"),
            ));
        }
    }
    no_amazon_block(asked)?;
    Ok(Request::CreateVpc {
        cidr: asked.must("CidrBlock")?,
        ipv6_cidr: asked.text("Ipv6CidrBlock"),
        tags: asked.tags("vpc")?,
    })
}

/// The world hands out no address of Amazon's; a block of one's own does the same for peerings.
fn no_amazon_block(asked: &Asked<'_>) -> Result<(), AwsError> {
    if asked.input.bool("AmazonProvidedIpv6CidrBlock") == Some(true) {
        let message = "AmazonProvidedIpv6CidrBlock is not simulated: give an Ipv6CidrBlock";
        return Err(AwsError::new("UnsupportedOperation", message));
    }
    Ok(())
}

fn created(_: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("Vpc", show(&response.vpc()?)))
}

fn modify(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let wanted = |name: &str| asked.input.structure(name).and_then(|attribute| attribute.bool("Value"));
    if wanted("EnableNetworkAddressUsageMetrics").is_some() {
        let message = "EnableNetworkAddressUsageMetrics can't be changed in a simulated VPC";
        return Err(AwsError::new("UnsupportedOperation", message));
    }
    Ok(Request::ModifyVpcAttribute {
        vpc_id: asked.must("VpcId")?,
        enable_dns_support: wanted("EnableDnsSupport"),
        enable_dns_hostnames: wanted("EnableDnsHostnames"),
    })
}

fn describe_attribute(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let attribute = asked.must("Attribute")?;
    if !["enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"]
        .contains(&attribute.as_str())
    {
        return Err(texts::bad_value(format!("Value ({attribute}) for parameter attribute is invalid.")));
    }
    Ok(Request::DescribeVpcAttribute { vpc_id: asked.must("VpcId")? })
}

fn attribute(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    let vpc = response.vpc()?;
    let value = |truth: bool| Struct::new().with("Value", truth);
    let shown = Struct::new().with("VpcId", vpc.id.as_str());
    Some(match asked.input.text("Attribute")? {
        "enableDnsSupport" => shown.with("EnableDnsSupport", value(vpc.enable_dns_support)),
        "enableDnsHostnames" => shown.with("EnableDnsHostnames", value(vpc.enable_dns_hostnames)),
        _ => shown.with("EnableNetworkAddressUsageMetrics", value(false)),
    })
}

fn associate(asked: &Asked<'_>) -> Result<Request, AwsError> {
    no_amazon_block(asked)?;
    let cidr = match (asked.text("CidrBlock"), asked.text("Ipv6CidrBlock")) {
        (Some(cidr), None) | (None, Some(cidr)) => cidr,
        (None, None) => return Err(texts::missing("cidrBlock")),
        (Some(_), Some(_)) => {
            let message = "Only one of cidrBlock and ipv6CidrBlock can be associated at a time";
            return Err(AwsError::new("InvalidParameterCombination", message));
        }
    };
    Ok(Request::AssociateVpcCidrBlock { vpc_id: asked.must("VpcId")?, cidr })
}

fn associated(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    let held = response.cidr_association()?;
    let answer = Struct::new().with_opt("VpcId", asked.text("VpcId"));
    Some(with_association(answer, &held, "associating"))
}

fn disassociated(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let (vpc, held) = response.cidr_disassociation()?;
    Some(with_association(Struct::new().with("VpcId", vpc.as_str()), &held, "disassociating"))
}

fn with_association(answer: Struct, held: &CidrAssociation, state: &'static str) -> Struct {
    match held.cidr {
        IpNet::V4(_) => answer.with("CidrBlockAssociation", show_ipv4(held, state)),
        IpNet::V6(_) => answer.with("Ipv6CidrBlockAssociation", show_ipv6(held, state)),
    }
}

fn show_ipv4(held: &CidrAssociation, state: &str) -> Struct {
    Struct::new()
        .with("AssociationId", held.id.as_str())
        .with("CidrBlock", held.cidr.to_string())
        .with("CidrBlockState", Struct::new().with("State", state))
}

fn show_ipv6(held: &CidrAssociation, state: &str) -> Struct {
    Struct::new()
        .with("AssociationId", held.id.as_str())
        .with("Ipv6CidrBlock", held.cidr.to_string())
        .with("Ipv6CidrBlockState", Struct::new().with("State", state))
}

fn show(vpc: &VpcView) -> Struct {
    let of = |wanted: bool| vpc.cidrs.iter().filter(move |held| held.cidr.addr().is_ipv6() == wanted);
    let ipv6: Vec<Struct> = of(true).map(|held| show_ipv6(held, "associated")).collect();
    Struct::new()
        .with("VpcId", vpc.id.as_str())
        .with("OwnerId", vpc.owner.as_str())
        .with("State", "available")
        .with("CidrBlock", vpc.cidr_block.to_string())
        .with("CidrBlockAssociationSet", Value::list(of(false).map(|held| show_ipv4(held, "associated"))))
        .with_opt("Ipv6CidrBlockAssociationSet", (!ipv6.is_empty()).then_some(ipv6))
        .with("DhcpOptionsId", "default")
        .with("InstanceTenancy", "default")
        .with("IsDefault", false)
        .with_opt("Tags", (!vpc.tags.is_empty()).then(|| show_tags(&vpc.tags)))
}
