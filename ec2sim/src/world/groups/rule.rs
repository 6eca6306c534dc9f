//! What a rule says, in one canonical form, so that two that say the same are equal.

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Group, parse_group_id, plain};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, GroupId, PeeringId, PrefixListId, RuleId, VpcId};
use crate::request::{RuleEndSpec, RuleSpec, Tags};
use crate::world::prefix_lists::parse_prefix_list_id;
use crate::world::{Cx, State, cidr};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Rule {
    pub(crate) says: RuleSays,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

/// Of two rules of one group no two say the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct RuleSays {
    pub(crate) is_egress: bool,
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i32>,
    pub(crate) to_port: Option<i32>,
    pub(crate) end: End,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum End {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(PrefixListId),
    Group(Referenced),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Referenced {
    pub(crate) id: GroupId,
    pub(crate) owner: AccountId,
    pub(crate) vpc: VpcId,
    /// The peering that joins the two VPCs, or was the last to do so; none within one VPC.
    pub(crate) peering: Option<PeeringId>,
}

impl Referenced {
    /// As a group of the same VPC names it.
    pub(crate) fn neighbour(group: &Group) -> Self {
        Self { id: group.id.clone(), owner: group.owner.clone(), vpc: group.vpc.clone(), peering: None }
    }
}

impl End {
    pub(crate) fn names(&self, group: &GroupId) -> bool {
        matches!(self, Self::Group(held) if held.id == *group)
    }

    pub(crate) fn names_list(&self, list: &PrefixListId) -> bool {
        matches!(self, Self::PrefixList(held) if held == list)
    }

    /// The same end, whichever peering leads there.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Group(one), Self::Group(two)) => one.id == two.id,
            (one, two) => one == two,
        }
    }
}

impl RuleSays {
    pub(crate) fn everything(is_egress: bool, end: End) -> Self {
        Self { is_egress, protocol: "-1".to_owned(), from_port: None, to_port: None, end }
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        let traffic = |says: &Self| (says.is_egress, says.protocol.clone(), says.from_port, says.to_port);
        traffic(self) == traffic(other) && self.end.is(&other.end)
    }

    /// As AWS words it where it complains.
    pub(crate) fn text(&self) -> String {
        let end = match &self.end {
            End::Ipv4(net) => net.to_string(),
            End::Ipv6(net) => net.to_string(),
            End::PrefixList(id) => id.to_string(),
            End::Group(group) => group.id.to_string(),
        };
        let protocol = if self.protocol == "-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        match (self.from_port, self.to_port) {
            (Some(from), Some(to)) => {
                format!("peer: {end}, {protocol}, from port: {from}, to port: {to}, ALLOW")
            }
            _ => format!("peer: {end}, {protocol}, ALLOW"),
        }
    }
}

pub(crate) fn parse_rule_id(text: &str) -> Result<RuleId, AwsError> {
    let malformed = || texts::malformed("InvalidSecurityGroupRuleId.Malformed", text, RuleId::PREFIX);
    RuleId::parse(text).ok_or_else(malformed)
}

pub(crate) fn no_rule_id(id: &str) -> AwsError {
    texts::not_found("InvalidSecurityGroupRuleId.NotFound", "security group rule", id)
}

pub(crate) fn no_rule() -> AwsError {
    AwsError::new("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}

pub(crate) fn check_description(text: Option<&str>) -> Result<(), AwsError> {
    if text.is_none_or(plain) {
        return Ok(());
    }
    Err(texts::bad_value(
        "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    ))
}

/// A name where AWS answers with one, else the number.
fn protocol(text: &str) -> Result<String, AwsError> {
    let bad = || texts::bad_value(format!("Invalid value '{text}' for IP protocol. Unknown protocol."));
    let lower = text.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "tcp" | "6" => "tcp".to_owned(),
        "udp" | "17" => "udp".to_owned(),
        "icmp" | "1" => "icmp".to_owned(),
        "icmpv6" | "58" => "icmpv6".to_owned(),
        "-1" | "all" => "-1".to_owned(),
        number => number.parse::<u8>().map_err(|_| bad())?.to_string(),
    })
}

/// Ports of TCP and UDP, type and code of ICMP; other protocols have none, whatever was given.
fn ports(protocol: &str, spec: &RuleSpec) -> Result<(Option<i32>, Option<i32>), AwsError> {
    let given = (spec.from_port, spec.to_port);
    match (protocol, given) {
        ("tcp" | "udp", (Some(from), Some(to))) => {
            if !(0..=65_535).contains(&from) || !(0..=65_535).contains(&to) || from > to {
                return Err(texts::bad_value(format!("Invalid TCP/UDP port range ({from}:{to})")));
            }
            Ok(given)
        }
        ("tcp" | "udp", _) => Err(texts::bad_value(
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
        )),
        ("icmp" | "icmpv6", (from, to)) => {
            let (kind, code) = (from.unwrap_or(-1), to.unwrap_or(-1));
            if !(-1..=255).contains(&kind) || !(-1..=255).contains(&code) {
                return Err(texts::bad_value(format!("ICMP type ({kind}) or code ({code}) is invalid")));
            }
            Ok((Some(kind), Some(code)))
        }
        _ => Ok((None, None)),
    }
}

impl State {
    /// What the caller's words mean for a rule of this group. `must_reach`: a group named must exist, and be one
    /// that this group's VPC can reach; without it, a lost one can be named to revoke its rule.
    pub(crate) fn rule_says(
        &self,
        cx: &mut Cx<'_>,
        group: &Group,
        is_egress: bool,
        spec: &RuleSpec,
        must_reach: bool,
    ) -> Result<RuleSays, AwsError> {
        check_description(spec.description.as_deref())?;
        let protocol = protocol(&spec.protocol)?;
        let (from_port, to_port) = ports(&protocol, spec)?;
        let end = match &spec.end {
            RuleEndSpec::Cidr(text) => End::Ipv4(cidr::ipv4(text, "cidrIp")?),
            RuleEndSpec::CidrIpv6(text) => End::Ipv6(cidr::ipv6(text, "cidrIpv6")?),
            RuleEndSpec::PrefixList(text) if must_reach => {
                End::PrefixList(self.own_prefix_list(cx, text)?.id.clone())
            }
            RuleEndSpec::PrefixList(text) => End::PrefixList(parse_prefix_list_id(text)?),
            RuleEndSpec::Group { group_id, user_id } => {
                let id = parse_group_id(group_id)?;
                cx.touch(&id);
                if must_reach {
                    End::Group(self.reachable(cx, group, &id, user_id.as_deref())?)
                } else {
                    let held = group.rules.values().find_map(|rule| match &rule.says.end {
                        End::Group(held) if held.id == id => Some(held.clone()),
                        _ => None,
                    });
                    End::Group(held.ok_or_else(no_rule)?)
                }
            }
        };
        Ok(RuleSays { is_egress, protocol, from_port, to_port, end })
    }
}
