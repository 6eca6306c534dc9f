//! Subnets.

use ipnet::Ipv6Net;

use crate::error::{AwsError, texts};
use crate::ids::SubnetCidrAssociationId;
use crate::request::{CreateSubnet, Request, SubnetAttribute};
use crate::view::{Response, SubnetView};
use crate::wire::mapping::{Asked, Mapping, done, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateSubnet",
        reads: &[
            "VpcId",
            "CidrBlock",
            "Ipv6CidrBlock",
            "Ipv6Native",
            "AvailabilityZone",
            "AvailabilityZoneId",
            "TagSpecifications",
        ],
        ask: create,
        answer: created,
    },
    Mapping {
        name: "DeleteSubnet",
        reads: &["SubnetId"],
        ask: |asked| Ok(Request::DeleteSubnet { subnet_id: asked.must("SubnetId")? }),
        answer: done,
    },
    Mapping {
        name: "ModifySubnetAttribute",
        reads: &[
            "SubnetId",
            "MapPublicIpOnLaunch",
            "AssignIpv6AddressOnCreation",
            "EnableDns64",
            "PrivateDnsHostnameTypeOnLaunch",
            "EnableResourceNameDnsARecordOnLaunch",
            "EnableResourceNameDnsAAAARecordOnLaunch",
        ],
        ask: modify,
        answer: done,
    },
    Mapping {
        name: "AssociateSubnetCidrBlock",
        reads: &["SubnetId", "Ipv6CidrBlock"],
        ask: |asked| {
            Ok(Request::AssociateSubnetCidrBlock {
                subnet_id: asked.must("SubnetId")?,
                ipv6_cidr: asked.must("Ipv6CidrBlock")?,
            })
        },
        answer: |_, response| subnet_cidr(response, "associating"),
    },
    Mapping {
        name: "DisassociateSubnetCidrBlock",
        reads: &["AssociationId"],
        ask: |asked| {
            Ok(Request::DisassociateSubnetCidrBlock { association_id: asked.must("AssociationId")? })
        },
        answer: |_, response| subnet_cidr(response, "disassociating"),
    },
    Mapping {
        name: "DescribeSubnets",
        reads: &["SubnetIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeSubnets(asked.describe("SubnetIds")?)),
        answer: |_, response| Some(show_page(response.subnets()?, "Subnets", |subnet| show(&subnet))),
    },
];

fn create(asked: &Asked<'_>) -> Result<Request, AwsError> {
    if asked.input.bool("Ipv6Native") == Some(true) {
        let message = "Ipv6Native is not simulated: give a CidrBlock";
        return Err(AwsError::new("UnsupportedOperation", message));
    }
    let zone = match (asked.text("AvailabilityZone"), asked.text("AvailabilityZoneId")) {
        (Some(_), Some(_)) => {
            let message = "Only one of availabilityZone and availabilityZoneId can be given";
            return Err(AwsError::new("InvalidParameterCombination", message));
        }
        (name, id) => name.or(id),
    };
    Ok(Request::CreateSubnet(CreateSubnet {
        vpc_id: asked.must("VpcId")?,
        cidr: asked.must("CidrBlock")?,
        ipv6_cidr: asked.text("Ipv6CidrBlock"),
        zone,
        tags: asked.tags("subnet")?,
    }))
}

fn created(_: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("Subnet", show(&response.subnet()?)))
}

fn subnet_cidr(response: Response, state: &str) -> Option<Struct> {
    let Response::SubnetCidr(subnet, association, net) = response else { return None };
    let shown = show_ipv6(&association, net, state);
    Some(Struct::new().with("SubnetId", subnet.as_str()).with("Ipv6CidrBlockAssociation", shown))
}

fn show_ipv6(association: &SubnetCidrAssociationId, net: Ipv6Net, state: &str) -> Struct {
    Struct::new()
        .with("AssociationId", association.as_str())
        .with("Ipv6CidrBlock", net.to_string())
        .with("Ipv6CidrBlockState", Struct::new().with("State", state))
}

fn modify(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let flag = |name: &str| asked.input.structure(name).and_then(|attribute| attribute.bool("Value"));
    let hostnames = match asked.input.text("PrivateDnsHostnameTypeOnLaunch") {
        None => None,
        Some("resource-name") => Some(true),
        Some("ip-name") => Some(false),
        Some(other) => {
            return Err(texts::bad_value(format!(
                "Value ({other}) for parameter privateDnsHostnameTypeOnLaunch is invalid."
            )));
        }
    };
    let given = [
        flag("MapPublicIpOnLaunch").map(SubnetAttribute::MapPublicIpOnLaunch),
        flag("AssignIpv6AddressOnCreation").map(SubnetAttribute::AssignIpv6AddressOnCreation),
        flag("EnableDns64").map(SubnetAttribute::EnableDns64),
        hostnames.map(SubnetAttribute::ResourceNameHostnames),
        flag("EnableResourceNameDnsARecordOnLaunch").map(SubnetAttribute::ResourceNameDnsARecord),
        flag("EnableResourceNameDnsAAAARecordOnLaunch").map(SubnetAttribute::ResourceNameDnsAaaaRecord),
    ];
    let mut given = given.into_iter().flatten();
    let attribute = given.next();
    if given.next().is_some() {
        let message = "Only one attribute can be modified at a time";
        return Err(AwsError::new("InvalidParameterCombination", message));
    }
    Ok(Request::ModifySubnetAttribute { subnet_id: asked.must("SubnetId")?, attribute })
}

fn show(subnet: &SubnetView) -> Struct {
    let names = Struct::new()
        .with("HostnameType", subnet.hostname_type())
        .with("EnableResourceNameDnsARecord", subnet.resource_name_dns_a_record)
        .with("EnableResourceNameDnsAAAARecord", subnet.resource_name_dns_aaaa_record);
    let ipv6 = subnet.ipv6.iter().map(|(association, net)| show_ipv6(association, *net, "associated"));
    Struct::new()
        .with("SubnetId", subnet.id.as_str())
        .with("SubnetArn", subnet.arn.as_str())
        .with("State", "available")
        .with("VpcId", subnet.vpc.as_str())
        .with("OwnerId", subnet.owner.as_str())
        .with("CidrBlock", subnet.cidr_block.to_string())
        .with("Ipv6CidrBlockAssociationSet", Value::list(ipv6))
        .with("Ipv6Native", false)
        .with("AvailableIpAddressCount", i64::from(subnet.available_addresses))
        .with("AvailabilityZone", subnet.zone.name.as_str())
        .with("AvailabilityZoneId", subnet.zone.id.as_str())
        .with("DefaultForAz", false)
        .with("MapPublicIpOnLaunch", subnet.map_public_ip_on_launch)
        .with("MapCustomerOwnedIpOnLaunch", false)
        .with("AssignIpv6AddressOnCreation", subnet.assign_ipv6_address_on_creation)
        .with("EnableDns64", subnet.enable_dns64)
        .with("PrivateDnsNameOptionsOnLaunch", names)
        .with("Tags", show_tags(&subnet.tags))
}
