//! Rules of security groups: AWS knows them one by one, by their ids, and in heaps, as the ranges and groups of an
//! `IpPermission`.

use std::collections::BTreeMap;

use crate::error::{AwsError, texts};
use crate::request::{AuthorizeRules, DescribeRulesAnew, Request, RevokeRules, RuleEndSpec, RuleSpec};
use crate::view::{GroupView, ReferencedGroup, Response, RuleEnd, RuleView};
use crate::wire::mapping::{Asked, Mapping, show_page, show_tags};
use crate::wire::value::{Struct, Value};

const RULES: &[&str] =
    &["GroupId", "IpPermissions", "TagSpecifications", "IpProtocol", "FromPort", "ToPort", "CidrIp"];
const REVOKED: &[&str] =
    &["GroupId", "IpPermissions", "SecurityGroupRuleIds", "IpProtocol", "FromPort", "ToPort", "CidrIp"];
const ANEW: &[&str] = &["GroupId", "IpPermissions", "SecurityGroupRuleDescriptions"];

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "AuthorizeSecurityGroupIngress",
        reads: RULES,
        ask: |asked| Ok(Request::AuthorizeSecurityGroupIngress(authorize(asked)?)),
        answer: authorized,
    },
    Mapping {
        name: "AuthorizeSecurityGroupEgress",
        reads: RULES,
        ask: |asked| Ok(Request::AuthorizeSecurityGroupEgress(authorize(asked)?)),
        answer: authorized,
    },
    Mapping {
        name: "RevokeSecurityGroupIngress",
        reads: REVOKED,
        ask: |asked| Ok(Request::RevokeSecurityGroupIngress(revoke(asked)?)),
        answer: revoked,
    },
    Mapping {
        name: "RevokeSecurityGroupEgress",
        reads: REVOKED,
        ask: |asked| Ok(Request::RevokeSecurityGroupEgress(revoke(asked)?)),
        answer: revoked,
    },
    Mapping {
        name: "ModifySecurityGroupRules",
        reads: &["GroupId", "SecurityGroupRules"],
        ask: modify,
        answer: returned,
    },
    Mapping {
        name: "UpdateSecurityGroupRuleDescriptionsIngress",
        reads: ANEW,
        ask: |asked| Ok(Request::UpdateSecurityGroupRuleDescriptionsIngress(describe_anew(asked)?)),
        answer: returned,
    },
    Mapping {
        name: "UpdateSecurityGroupRuleDescriptionsEgress",
        reads: ANEW,
        ask: |asked| Ok(Request::UpdateSecurityGroupRuleDescriptionsEgress(describe_anew(asked)?)),
        answer: returned,
    },
    Mapping {
        name: "DescribeSecurityGroupRules",
        reads: &["SecurityGroupRuleIds", "Filters", "MaxResults", "NextToken"],
        ask: |asked| Ok(Request::DescribeSecurityGroupRules(asked.describe("SecurityGroupRuleIds")?)),
        answer: |asked, response| {
            Some(show_page(response.rules()?, "SecurityGroupRules", |rule| show(asked, &rule)))
        },
    },
];

/// AWS answers `<return>true</return>` in the output shape itself.
fn returned(_: &Asked<'_>, response: Response) -> Option<Struct> {
    (response == Response::Done).then(|| Struct::new().with("Return", true))
}

fn port(given: &Struct, name: &str) -> Result<Option<i32>, AwsError> {
    let Some(number) = given.int(name) else { return Ok(None) };
    let port = i32::try_from(number);
    port.map(Some)
        .map_err(|_| texts::bad_value(format!("Invalid value '{number}' for port. Ports are up to 65535.")))
}

fn spec(given: &Struct, end: RuleEndSpec, description: Option<&str>) -> Result<RuleSpec, AwsError> {
    let protocol = given.text("IpProtocol").ok_or_else(|| texts::missing("ipProtocol"))?;
    Ok(RuleSpec {
        protocol: protocol.to_owned(),
        from_port: port(given, "FromPort")?,
        to_port: port(given, "ToPort")?,
        end,
        description: description.map(str::to_owned),
    })
}

/// Every range, list and group of a permission is a rule of its own.
fn unfold(permission: &Struct) -> Result<Vec<RuleSpec>, AwsError> {
    let mut rules = Vec::new();
    let mut add = |list: &str, member: &'static str, end: fn(&Struct, String) -> RuleEndSpec| {
        for given in permission.structs(list) {
            let text = given.text(member).ok_or_else(|| texts::missing(member))?;
            rules.push(spec(permission, end(given, text.to_owned()), given.text("Description"))?);
        }
        Ok::<(), AwsError>(())
    };
    add("IpRanges", "CidrIp", |_, text| RuleEndSpec::Cidr(text))?;
    add("Ipv6Ranges", "CidrIpv6", |_, text| RuleEndSpec::CidrIpv6(text))?;
    add("PrefixListIds", "PrefixListId", |_, text| RuleEndSpec::PrefixList(text))?;
    add("UserIdGroupPairs", "GroupId", |given, group_id| RuleEndSpec::Group {
        group_id,
        user_id: given.text("UserId").filter(|id| !id.is_empty()).map(str::to_owned),
    })?;
    if rules.is_empty() {
        return Err(texts::missing("ipRanges, ipv6Ranges, prefixListIds or groups of each of ipPermissions"));
    }
    Ok(rules)
}

/// `IpPermissions`, or the one rule that the request's own members make.
fn rules(asked: &Asked<'_>) -> Result<Vec<RuleSpec>, AwsError> {
    let mut rules = Vec::new();
    for permission in asked.input.structs("IpPermissions") {
        rules.extend(unfold(permission)?);
    }
    if let Some(cidr) = asked.text("CidrIp") {
        rules.push(spec(asked.input, RuleEndSpec::Cidr(cidr), None)?);
    }
    Ok(rules)
}

fn authorize(asked: &Asked<'_>) -> Result<AuthorizeRules, AwsError> {
    Ok(AuthorizeRules {
        group_id: asked.must("GroupId")?,
        rules: rules(asked)?,
        tags: asked.tags("security-group-rule")?,
    })
}

fn revoke(asked: &Asked<'_>) -> Result<RevokeRules, AwsError> {
    Ok(RevokeRules {
        group_id: asked.must("GroupId")?,
        rules: rules(asked)?,
        rule_ids: asked.texts("SecurityGroupRuleIds"),
    })
}

fn describe_anew(asked: &Asked<'_>) -> Result<DescribeRulesAnew, AwsError> {
    let mut by_id = Vec::new();
    for given in asked.input.structs("SecurityGroupRuleDescriptions") {
        let id = given.text("SecurityGroupRuleId").ok_or_else(|| texts::missing("securityGroupRuleId"))?;
        by_id.push((id.to_owned(), given.text("Description").map(str::to_owned)));
    }
    Ok(DescribeRulesAnew { group_id: asked.must("GroupId")?, rules: rules(asked)?, by_id })
}

fn modify(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let mut rules = Vec::new();
    for update in asked.input.structs("SecurityGroupRules") {
        let id = update.text("SecurityGroupRuleId").ok_or_else(|| texts::missing("securityGroupRuleId"))?;
        let rule =
            update.structure("SecurityGroupRule").ok_or_else(|| texts::missing("securityGroupRule"))?;
        let ends = [
            rule.text("CidrIpv4").map(|text| RuleEndSpec::Cidr(text.to_owned())),
            rule.text("CidrIpv6").map(|text| RuleEndSpec::CidrIpv6(text.to_owned())),
            rule.text("PrefixListId").map(|text| RuleEndSpec::PrefixList(text.to_owned())),
            rule.text("ReferencedGroupId").map(RuleEndSpec::group),
        ];
        let mut ends = ends.into_iter().flatten();
        let (Some(end), None) = (ends.next(), ends.next()) else {
            return Err(texts::bad_value(
                "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be given.",
            ));
        };
        rules.push((id.to_owned(), spec(rule, end, rule.text("Description"))?));
    }
    Ok(Request::ModifySecurityGroupRules { group_id: asked.must("GroupId")?, rules })
}

fn authorized(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    let rules = response.rules()?.items;
    let shown = rules.iter().map(|rule| show(asked, rule));
    Some(Struct::new().with("Return", true).with("SecurityGroupRules", Value::list(shown)))
}

fn revoked(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let rules = response.rules()?.items;
    let shown = rules.iter().map(|rule| {
        let shown = show_what_it_says(rule);
        match &rule.end {
            RuleEnd::Group(group) => shown.with("ReferencedGroupId", group.id.as_str()),
            _ => shown,
        }
    });
    Some(Struct::new().with("Return", true).with("RevokedSecurityGroupRules", Value::list(shown)))
}

fn show(asked: &Asked<'_>, rule: &RuleView) -> Struct {
    let (region, owner) = (&asked.caller.region, &rule.group_owner);
    let shown = show_what_it_says(rule)
        .with("GroupOwnerId", owner.as_str())
        .with("SecurityGroupRuleArn", format!("arn:aws:ec2:{region}:{owner}:security-group-rule/{}", rule.id))
        .with("Tags", show_tags(&rule.tags));
    match &rule.end {
        RuleEnd::Group(group) => shown.with("ReferencedGroupInfo", show_reference(group)),
        _ => shown,
    }
}

/// One by one, a rule without ports shows -1 for both.
fn show_what_it_says(rule: &RuleView) -> Struct {
    let shown = Struct::new()
        .with("SecurityGroupRuleId", rule.id.as_str())
        .with("GroupId", rule.group.as_str())
        .with("IsEgress", rule.is_egress)
        .with("IpProtocol", rule.protocol.as_str())
        .with("FromPort", i64::from(rule.from_port.unwrap_or(-1)))
        .with("ToPort", i64::from(rule.to_port.unwrap_or(-1)))
        .with_opt("Description", rule.description.clone());
    match &rule.end {
        RuleEnd::Ipv4(net) => shown.with("CidrIpv4", net.to_string()),
        RuleEnd::Ipv6(net) => shown.with("CidrIpv6", net.to_string()),
        RuleEnd::PrefixList(id) => shown.with("PrefixListId", id.as_str()),
        RuleEnd::Group(_) => shown,
    }
}

fn show_reference(group: &ReferencedGroup) -> Struct {
    Struct::new()
        .with("GroupId", group.id.as_str())
        .with_opt("UserId", group.owner.as_ref().map(|owner| owner.as_str()))
        .with_opt("VpcId", group.vpc.as_ref().map(|vpc| vpc.as_str()))
        .with_opt("VpcPeeringConnectionId", group.peering.as_ref().map(|peering| peering.as_str()))
        .with_opt("PeeringStatus", group.peering_status)
}

type Heaps<'a> = BTreeMap<(&'a str, Option<i32>, Option<i32>), Vec<&'a RuleView>>;

fn heaps(group: &GroupView, is_egress: bool) -> Heaps<'_> {
    let mut heaps = Heaps::new();
    for rule in group.rules.iter().filter(|rule| rule.is_egress == is_egress) {
        heaps.entry((&rule.protocol, rule.from_port, rule.to_port)).or_default().push(rule);
    }
    heaps
}

/// The rules of one direction that name groups, those of the same protocol and ports together. A permission without
/// ports has none.
pub(crate) fn group_permissions(group: &GroupView, is_egress: bool) -> Vec<Struct> {
    let heaps = heaps(group, is_egress).into_iter();
    heaps
        .map(|((protocol, from, to), rules)| {
            Struct::new()
                .with("IpProtocol", protocol)
                .with_opt("FromPort", from.map(i64::from))
                .with_opt("ToPort", to.map(i64::from))
                .with(
                    "UserIdGroupPairs",
                    heap(&rules, |end| match end {
                        RuleEnd::Group(group) => Some(show_reference(group)),
                        _ => None,
                    }),
                )
        })
        .collect()
}

/// All of one direction.
pub(crate) fn permissions(group: &GroupView, is_egress: bool) -> Value {
    let permissions =
        group_permissions(group, is_egress).into_iter().zip(heaps(group, is_egress).into_values());
    Value::list(permissions.map(|(permission, rules)| {
        permission
            .with(
                "IpRanges",
                heap(&rules, |end| match end {
                    RuleEnd::Ipv4(net) => Some(Struct::new().with("CidrIp", net.to_string())),
                    _ => None,
                }),
            )
            .with(
                "Ipv6Ranges",
                heap(&rules, |end| match end {
                    RuleEnd::Ipv6(net) => Some(Struct::new().with("CidrIpv6", net.to_string())),
                    _ => None,
                }),
            )
            .with(
                "PrefixListIds",
                heap(&rules, |end| match end {
                    RuleEnd::PrefixList(id) => Some(Struct::new().with("PrefixListId", id.as_str())),
                    _ => None,
                }),
            )
    }))
}

fn heap(rules: &[&RuleView], show: impl Fn(&RuleEnd) -> Option<Struct>) -> Value {
    let shown = |rule: &&RuleView| Some(show(&rule.end)?.with_opt("Description", rule.description.clone()));
    Value::list(rules.iter().filter_map(shown))
}
