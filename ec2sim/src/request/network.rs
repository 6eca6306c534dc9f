//! What can be asked about subnets and security groups.

use super::Tags;

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct CreateSubnet {
    pub vpc_id: String,
    pub cidr: String,
    pub ipv6_cidr: Option<String>,
    /// By name or by id; absent: the Region's first.
    pub zone: Option<String>,
    pub tags: Tags,
}

/// ModifySubnetAttribute changes one at a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubnetAttribute {
    MapPublicIpOnLaunch(bool),
    AssignIpv6AddressOnCreation(bool),
    EnableDns64(bool),
    /// `resource-name` if true, else `ip-name`.
    ResourceNameHostnames(bool),
    ResourceNameDnsARecord(bool),
    ResourceNameDnsAaaaRecord(bool),
}

/// The other end of a rule: where traffic comes from, or goes to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RuleEndSpec {
    Cidr(String),
    CidrIpv6(String),
    PrefixList(String),
    Group {
        group_id: String,
        /// The account that owns the group, if the caller says so.
        user_id: Option<String>,
    },
}

/// One rule of an `IpPermission`: AWS keeps one for each range, list and group in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RuleSpec {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    /// The type, where the protocol is ICMP.
    pub from_port: Option<i32>,
    /// The code, where the protocol is ICMP.
    pub to_port: Option<i32>,
    pub end: RuleEndSpec,
    pub description: Option<String>,
}

impl RuleSpec {
    pub fn all(end: RuleEndSpec) -> Self {
        Self { protocol: "-1".to_owned(), from_port: None, to_port: None, end, description: None }
    }

    pub fn tcp(port: i32, end: RuleEndSpec) -> Self {
        Self { protocol: "tcp".to_owned(), from_port: Some(port), to_port: Some(port), ..Self::all(end) }
    }

    pub fn described(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }
}

impl RuleEndSpec {
    pub fn group(id: impl Into<String>) -> Self {
        Self::Group { group_id: id.into(), user_id: None }
    }

    pub fn group_of(account: impl Into<String>, id: impl Into<String>) -> Self {
        Self::Group { group_id: id.into(), user_id: Some(account.into()) }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CreateGroup {
    /// Absent: the default VPC, which nobody has in this world.
    pub vpc_id: Option<String>,
    pub name: String,
    pub description: String,
    pub tags: Tags,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct AuthorizeRules {
    pub group_id: String,
    pub rules: Vec<RuleSpec>,
    /// Of each new rule.
    pub tags: Tags,
}

/// By what the rules say or by their ids, not both.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct RevokeRules {
    pub group_id: String,
    pub rules: Vec<RuleSpec>,
    pub rule_ids: Vec<String>,
}

/// By what the rules say (their descriptions are the new ones) or by their ids, not both.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct DescribeRulesAnew {
    pub group_id: String,
    pub rules: Vec<RuleSpec>,
    pub by_id: Vec<(String, Option<String>)>,
}
