//! Subnets, gateways, security groups, and what else a VPC comes with.

use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};

use super::PeeringStatus;
use crate::ids::{
    AccountId, AclAssociationId, AclId, GatewayId, GroupId, PeeringId, PrefixListId, RuleId,
    SubnetCidrAssociationId, SubnetId, VpcId,
};
use crate::request::Tags;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SubnetView {
    pub id: SubnetId,
    pub vpc: VpcId,
    pub owner: AccountId,
    pub arn: String,
    pub cidr_block: Ipv4Net,
    pub ipv6: Option<(SubnetCidrAssociationId, Ipv6Net)>,
    /// Five of the block are AWS's own.
    pub available_addresses: u32,
    pub zone: ZoneView,
    pub map_public_ip_on_launch: bool,
    pub assign_ipv6_address_on_creation: bool,
    pub enable_dns64: bool,
    /// `resource-name` if true, else `ip-name`.
    pub resource_name_hostnames: bool,
    pub resource_name_dns_a_record: bool,
    pub resource_name_dns_aaaa_record: bool,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ZoneView {
    /// Such as eu-west-1a.
    pub name: String,
    /// Such as euw1-az1. On AWS the same name may be another zone for another account, the id never is.
    pub id: String,
}

impl ZoneView {
    /// The Region that it is in.
    pub fn region(&self) -> &str {
        self.name.trim_end_matches(|char: char| char.is_ascii_lowercase())
    }

    /// Such as eu-west-1-zg-1.
    pub fn group(&self) -> String {
        format!("{}-zg-1", self.region())
    }
}

impl SubnetView {
    /// AWS's word for how hosts are named.
    pub fn hostname_type(&self) -> &'static str {
        if self.resource_name_hostnames { "resource-name" } else { "ip-name" }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GatewayView {
    pub id: GatewayId,
    pub owner: AccountId,
    pub attached_to: Option<VpcId>,
    pub tags: Tags,
}

/// The other end of a rule, in canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RuleEnd {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(PrefixListId),
    Group(ReferencedGroup),
}

impl fmt::Display for RuleEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => net.fmt(f),
            Self::Ipv6(net) => net.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
            Self::Group(group) => group.id.fmt(f),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReferencedGroup {
    pub id: GroupId,
    /// Absent once the group was deleted.
    pub owner: Option<AccountId>,
    /// The three below only of a group in another VPC.
    pub vpc: Option<VpcId>,
    pub peering: Option<PeeringId>,
    /// The peering's status code; `deleted` also once nothing is left of it.
    pub peering_status: Option<&'static str>,
}

impl ReferencedGroup {
    /// A rule that names it leads nowhere.
    pub fn is_stale(&self) -> bool {
        self.owner.is_none() || self.peering_status == Some(PeeringStatus::Deleted.as_str())
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RuleView {
    pub id: RuleId,
    pub group: GroupId,
    pub group_owner: AccountId,
    pub is_egress: bool,
    /// A name where AWS has one, else a number; `-1` is all.
    pub protocol: String,
    /// Absent where the protocol has no ports; ICMP's type.
    pub from_port: Option<i32>,
    /// ICMP's code.
    pub to_port: Option<i32>,
    pub end: RuleEnd,
    pub description: Option<String>,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GroupView {
    pub id: GroupId,
    pub name: String,
    pub description: String,
    pub vpc: VpcId,
    pub owner: AccountId,
    pub arn: String,
    /// By id.
    pub rules: Vec<RuleView>,
    pub tags: Tags,
}

/// A group with its stale rules alone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StaleGroupView(pub GroupView);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupReference {
    pub group: GroupId,
    pub referencing_vpc: VpcId,
    pub peering: PeeringId,
}

/// The default network ACL of a VPC, which lets everything through.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AclView {
    pub id: AclId,
    pub vpc: VpcId,
    pub owner: AccountId,
    pub has_ipv6: bool,
    pub associations: Vec<(AclAssociationId, SubnetId)>,
    pub tags: Tags,
}
