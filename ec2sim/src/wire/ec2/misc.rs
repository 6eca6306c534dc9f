//! What comes with a VPC or a Region, and can only be looked at.

use crate::request::{Describe, Request};
use crate::view::{AclView, Response, ZoneView};
use crate::wire::mapping::{Asked, Mapping, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "DescribeNetworkAcls",
        reads: &["NetworkAclIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeNetworkAcls(asked.describe("NetworkAclIds")?)),
        answer: |_, response| Some(show_page(response.network_acls()?, "NetworkAcls", |acl| show_acl(&acl))),
    },
    Mapping {
        name: "DescribeNetworkInterfaces",
        reads: &["NetworkInterfaceIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeNetworkInterfaces(asked.describe("NetworkInterfaceIds")?)),
        answer: no_interfaces,
    },
    Mapping {
        name: "DescribeAvailabilityZones",
        reads: &["ZoneNames", "ZoneIds", "AllAvailabilityZones", "Filters"],
        ask: |asked| {
            let mut query = Describe { ids: asked.texts("ZoneNames"), ..asked.describe("ZoneNames")? };
            query.ids.extend(asked.texts("ZoneIds"));
            Ok(Request::DescribeAvailabilityZones(query))
        },
        answer: zones,
    },
];

fn no_interfaces(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let none = Value::list(std::iter::empty::<Struct>());
    (response == Response::NoNetworkInterfaces).then(|| Struct::new().with("NetworkInterfaces", none))
}

fn show_acl(acl: &AclView) -> Struct {
    let tie = |(association, subnet): &(crate::ids::AclAssociationId, crate::ids::SubnetId)| {
        Struct::new()
            .with("NetworkAclAssociationId", association.as_str())
            .with("NetworkAclId", acl.id.as_str())
            .with("SubnetId", subnet.as_str())
    };
    let mut entries = Vec::new();
    for is_egress in [true, false] {
        let entry = |number: i64, action: &str| {
            Struct::new()
                .with("RuleNumber", number)
                .with("Protocol", "-1")
                .with("RuleAction", action)
                .with("Egress", is_egress)
        };
        entries.push(entry(100, "allow").with("CidrBlock", "0.0.0.0/0"));
        entries.push(entry(32_767, "deny").with("CidrBlock", "0.0.0.0/0"));
        if acl.has_ipv6 {
            entries.push(entry(101, "allow").with("Ipv6CidrBlock", "::/0"));
            entries.push(entry(32_768, "deny").with("Ipv6CidrBlock", "::/0"));
        }
    }
    Struct::new()
        .with("NetworkAclId", acl.id.as_str())
        .with("VpcId", acl.vpc.as_str())
        .with("OwnerId", acl.owner.as_str())
        .with("IsDefault", true)
        .with("Associations", Value::list(acl.associations.iter().map(tie)))
        .with("Entries", Value::list(entries))
        .with("Tags", show_tags(&acl.tags))
}

fn zones(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let zone = |zone: ZoneView| {
        Struct::new()
            .with("ZoneName", zone.name.as_str())
            .with("ZoneId", zone.id.as_str())
            .with("RegionName", zone.region())
            .with("GroupName", zone.group())
            .with("NetworkBorderGroup", zone.region())
            .with("ZoneType", "availability-zone")
            .with("OptInStatus", "opt-in-not-required")
            .with("State", "available")
            .with("Messages", Value::list(std::iter::empty::<Struct>()))
    };
    Some(Struct::new().with("AvailabilityZones", Value::list(response.zones()?.into_iter().map(zone))))
}
