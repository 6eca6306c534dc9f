//! Records of calls about subnets, internet gateways and security groups.

use crate::json::Json;
use crate::request::{
    AuthorizeRules, CreateGroup, CreateSubnet, DescribeRulesAnew, Request, RevokeRules, RuleEndSpec,
    RuleSpec, SubnetAttribute,
};
use crate::view::{GatewayView, ReferencedGroup, Response, RuleEnd, RuleView, SubnetView};

use super::elements::tags;
use super::parameters::{newer, tag_specification, value};

/// `None`: about something else.
pub(crate) fn parameters(request: &Request) -> Option<Json> {
    use Request as R;
    let one = |key: &str, value: &str| Json::object().with(key, value);
    Some(match request {
        R::CreateSubnet(subnet) => create_subnet(subnet),
        R::DeleteSubnet { subnet_id } => one("subnetId", subnet_id),
        R::ModifySubnetAttribute { subnet_id, attribute } => {
            let named = attribute.map(attribute_of);
            let json = one("subnetId", subnet_id);
            named.into_iter().fold(json, |json, (name, on)| json.with(name, on))
        }
        R::AssociateSubnetCidrBlock { subnet_id, ipv6_cidr } => {
            newer(request, one("SubnetId", subnet_id).with("Ipv6CidrBlock", ipv6_cidr))
        }
        R::DisassociateSubnetCidrBlock { association_id } => {
            newer(request, one("AssociationId", association_id))
        }
        R::CreateInternetGateway { tags } => {
            Json::object().with_some("tagSpecificationSet", tag_specification("internet-gateway", tags))
        }
        R::AttachInternetGateway { gateway_id, vpc_id } | R::DetachInternetGateway { gateway_id, vpc_id } => {
            one("internetGatewayId", gateway_id).with("vpcId", vpc_id)
        }
        R::DeleteInternetGateway { gateway_id } => one("internetGatewayId", gateway_id),
        R::CreateSecurityGroup(group) => create_group(group),
        R::DeleteSecurityGroup { group_id } => one("groupId", group_id),
        R::AuthorizeSecurityGroupIngress(asked) | R::AuthorizeSecurityGroupEgress(asked) => {
            let AuthorizeRules { group_id, rules, tags } = asked;
            one("groupId", group_id)
                .with("ipPermissions", permissions(rules))
                .with_some("tagSpecificationSet", tag_specification("security-group-rule", tags))
        }
        R::RevokeSecurityGroupIngress(asked) | R::RevokeSecurityGroupEgress(asked) => {
            let RevokeRules { group_id, rules, rule_ids } = asked;
            let ids = rule_ids.iter().map(|id| one("securityGroupRuleId", id));
            one("groupId", group_id)
                .with("ipPermissions", permissions(rules))
                .with_some("securityGroupRuleIds", (!rule_ids.is_empty()).then(|| Json::items(ids)))
        }
        R::ModifySecurityGroupRules { group_id, rules } => {
            let rule = |(id, rule): &(String, RuleSpec)| {
                one("SecurityGroupRuleId", id).with("SecurityGroupRule", rule_anew(rule))
            };
            let rules = Json::List(rules.iter().map(rule).collect());
            newer(request, one("GroupId", group_id).with("SecurityGroupRule", rules))
        }
        R::UpdateSecurityGroupRuleDescriptionsIngress(asked)
        | R::UpdateSecurityGroupRuleDescriptionsEgress(asked) => describe_anew(request, asked),
        _ => return None,
    })
}

fn create_subnet(subnet: &CreateSubnet) -> Json {
    let CreateSubnet { vpc_id, cidr, ipv6_cidr, zone, tags } = subnet;
    Json::object()
        .with("vpcId", vpc_id)
        .with("cidrBlock", cidr)
        .with_some("ipv6CidrBlock", ipv6_cidr.as_ref())
        .with_some("availabilityZone", zone.as_ref())
        .with_some("tagSpecificationSet", tag_specification("subnet", tags))
}

fn attribute_of(attribute: SubnetAttribute) -> (&'static str, Json) {
    match attribute {
        SubnetAttribute::MapPublicIpOnLaunch(on) => ("mapPublicIpOnLaunch", value(on)),
        SubnetAttribute::AssignIpv6AddressOnCreation(on) => ("assignIpv6AddressOnCreation", value(on)),
        SubnetAttribute::EnableDns64(on) => ("enableDns64", value(on)),
        SubnetAttribute::ResourceNameHostnames(on) => {
            ("privateDnsHostnameTypeOnLaunch", Json::text(if on { "resource-name" } else { "ip-name" }))
        }
        SubnetAttribute::ResourceNameDnsARecord(on) => ("enableResourceNameDnsARecordOnLaunch", value(on)),
        SubnetAttribute::ResourceNameDnsAaaaRecord(on) => {
            ("enableResourceNameDnsAAAARecordOnLaunch", value(on))
        }
    }
}

fn create_group(group: &CreateGroup) -> Json {
    let CreateGroup { vpc_id, name, description, tags } = group;
    Json::object()
        .with("groupName", name)
        .with("groupDescription", description)
        .with_some("vpcId", vpc_id.as_ref())
        .with_some("tagSpecificationSet", tag_specification("security-group", tags))
}

fn permissions(rules: &[RuleSpec]) -> Json {
    Json::items(rules.iter().map(permission))
}

/// One permission for each rule: the call may have said it in fewer.
fn permission(rule: &RuleSpec) -> Json {
    let RuleSpec { protocol, from_port, to_port, end, description } = rule;
    let described = |json: Json| json.with_some("description", description.as_ref());
    let mut shown = [Json::object(), Json::object(), Json::object(), Json::object()];
    let (at, json) = match end {
        RuleEndSpec::Group { group_id, user_id } => {
            (0, Json::object().with_some("userId", user_id.as_ref()).with("groupId", group_id))
        }
        RuleEndSpec::Cidr(cidr) => (1, Json::object().with("cidrIp", cidr)),
        RuleEndSpec::CidrIpv6(cidr) => (2, Json::object().with("cidrIpv6", cidr)),
        RuleEndSpec::PrefixList(id) => (3, Json::object().with("prefixListId", id)),
    };
    shown[at] = Json::items([described(json)]);
    let [groups, ranges, ranges_v6, lists] = shown;
    Json::object()
        .with("ipProtocol", protocol)
        .with_some("fromPort", from_port.map(i64::from))
        .with_some("toPort", to_port.map(i64::from))
        .with("groups", groups)
        .with("ipRanges", ranges)
        .with("ipv6Ranges", ranges_v6)
        .with("prefixListIds", lists)
}

fn rule_anew(rule: &RuleSpec) -> Json {
    let RuleSpec { protocol, from_port, to_port, end, description } = rule;
    let (key, to) = match end {
        RuleEndSpec::Cidr(cidr) => ("CidrIpv4", cidr),
        RuleEndSpec::CidrIpv6(cidr) => ("CidrIpv6", cidr),
        RuleEndSpec::PrefixList(id) => ("PrefixListId", id),
        RuleEndSpec::Group { group_id, user_id: _ } => ("ReferencedGroupId", group_id),
    };
    Json::object()
        .with("IpProtocol", protocol)
        .with_some("FromPort", from_port.map(i64::from))
        .with_some("ToPort", to_port.map(i64::from))
        .with(key, to)
        .with_some("Description", description.as_ref())
}

fn describe_anew(request: &Request, asked: &DescribeRulesAnew) -> Json {
    let DescribeRulesAnew { group_id, rules, by_id } = asked;
    let described = by_id.iter().map(|(id, text)| {
        Json::object().with("SecurityGroupRuleId", id).with_some("Description", text.as_ref())
    });
    let described: Vec<Json> = described.collect();
    let rules: Vec<Json> = rules.iter().map(rule_anew).collect();
    let parameters = Json::object()
        .with("GroupId", group_id)
        .with_some("IpPermissions", (!rules.is_empty()).then_some(Json::List(rules)))
        .with_some("SecurityGroupRuleDescription", (!described.is_empty()).then_some(Json::List(described)));
    newer(request, parameters)
}

/// What the answer says besides the request's id. `None`: it is about something else.
pub(crate) fn elements(answer: &Response, json: Json) -> Option<Json> {
    Some(match answer {
        Response::Subnet(view) => json.with("subnet", subnet(view)),
        Response::Gateway(view) => json.with("internetGateway", gateway(view)),
        Response::Group(view) => json.with("_return", true).with("groupId", view.id.as_str()),
        Response::Rules(page) => {
            let rules = page.items.iter().map(rule);
            json.with("_return", true).with("securityGroupRuleSet", Json::items(rules))
        }
        _ => return None,
    })
}

fn subnet(view: &SubnetView) -> Json {
    Json::object()
        .with("subnetId", view.id.as_str())
        .with("subnetArn", &view.arn)
        .with("state", "available")
        .with("vpcId", view.vpc.as_str())
        .with("ownerId", view.owner.as_str())
        .with("cidrBlock", view.cidr_block.to_string())
        .with("availableIpAddressCount", i64::from(view.available_addresses))
        .with("availabilityZone", &view.zone.name)
        .with("availabilityZoneId", &view.zone.id)
        .with("defaultForAz", false)
        .with("mapPublicIpOnLaunch", view.map_public_ip_on_launch)
        .with("tagSet", tags(&view.tags))
}

fn gateway(view: &GatewayView) -> Json {
    let attached = view.attached_to.iter().map(|vpc| Json::object().with("vpcId", vpc.as_str()));
    Json::object()
        .with("internetGatewayId", view.id.as_str())
        .with("attachmentSet", Json::items(attached))
        .with("ownerId", view.owner.as_str())
        .with("tagSet", tags(&view.tags))
}

fn rule(view: &RuleView) -> Json {
    let json = Json::object()
        .with("groupOwnerId", view.group_owner.as_str())
        .with("groupId", view.group.as_str())
        .with("securityGroupRuleId", view.id.as_str())
        .with("isEgress", view.is_egress)
        .with("ipProtocol", &view.protocol)
        .with_some("fromPort", view.from_port.map(i64::from))
        .with_some("toPort", view.to_port.map(i64::from))
        .with_some("description", view.description.as_ref())
        .with("tagSet", tags(&view.tags));
    match &view.end {
        RuleEnd::Ipv4(net) => json.with("cidrIpv4", net.to_string()),
        RuleEnd::Ipv6(net) => json.with("cidrIpv6", net.to_string()),
        RuleEnd::PrefixList(id) => json.with("prefixListId", id.as_str()),
        RuleEnd::Group(ReferencedGroup { id, owner, .. }) => {
            let user = owner.as_ref().map(crate::ids::AccountId::as_str);
            json.with(
                "referencedGroupInfo",
                Json::object().with("groupId", id.as_str()).with_some("userId", user),
            )
        }
    }
}
