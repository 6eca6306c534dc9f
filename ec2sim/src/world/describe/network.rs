//! Subnets, gateways, security groups and their rules.

use std::collections::BTreeMap;

use super::{Kind, check_filters, list, list_by};
use crate::error::{AwsError, texts};
use crate::ids::{AclId, RuleId};
use crate::request::{Action, Describe};
use crate::view::{AclView, Response, RuleEnd, RuleView, StaleGroupView};
use crate::world::gateways::{Gateway, no_gateway, parse_gateway_id};
use crate::world::groups::{Group, no_group, parse_group_id};
use crate::world::subnets::{Subnet, no_subnet, parse_subnet_id};
use crate::world::{Cx, State};

impl State {
    pub(crate) fn describe_subnets(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeSubnets,
            most: 1_000,
            parse: parse_subnet_id,
            not_found: no_subnet,
        };
        let caller = cx.caller;
        let show = |subnet: &Subnet| caller.is_at(&subnet.owner, &subnet.region).then(|| subnet.view());
        list(cx, &kind, query, &self.subnets, show).map(Response::Subnets)
    }

    pub(crate) fn describe_gateways(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeInternetGateways,
            most: 1_000,
            parse: parse_gateway_id,
            not_found: no_gateway,
        };
        let caller = cx.caller;
        let show = |gateway: &Gateway| caller.is_at(&gateway.owner, &gateway.region).then(|| gateway.view());
        list(cx, &kind, query, &self.gateways, show).map(Response::Gateways)
    }

    pub(crate) fn describe_groups(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeSecurityGroups,
            most: 1_000,
            parse: parse_group_id,
            not_found: no_group,
        };
        let caller = cx.caller;
        let show = |group: &Group| caller.is_at(&group.owner, &group.region).then(|| self.group_view(group));
        list(cx, &kind, query, &self.groups, show).map(Response::Groups)
    }

    /// Each group is read once, so that its rules are shown as they were at one moment.
    pub(crate) fn describe_rules(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeSecurityGroupRules,
            most: 1_000,
            parse: crate::world::groups::parse_rule_id,
            not_found: crate::world::groups::no_rule_id,
        };
        let mut rules: BTreeMap<RuleId, RuleView> = BTreeMap::new();
        for key in self.groups.keys_after(None) {
            let own = |group: &&Group| cx.caller.is_at(&group.owner, &group.region);
            let Some(group) = self.groups.read(key, cx.chance).filter(own) else { continue };
            rules.extend(group.rules.iter().map(|(id, rule)| (id.clone(), self.rule_view(group, id, rule))));
        }
        let page = list_by(cx, &kind, query, &|after| after_key(&rules, after), &mut |_, key| {
            rules.get(key).cloned()
        });
        page.map(Response::Rules)
    }

    pub(crate) fn describe_stale_groups(
        &self,
        cx: &mut Cx<'_>,
        vpc: &str,
        max_results: Option<u32>,
        next_token: Option<&str>,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, vpc)?.id;
        let kind = Kind {
            action: Action::DescribeStaleSecurityGroups,
            most: 255,
            parse: parse_group_id,
            not_found: no_group,
        };
        // The VPC is part of the query, so that a token is bound to it too.
        let mut query = Describe::all().filter("vpc-id", [vpc.as_str()]);
        query.max_results = max_results;
        query.next_token = next_token.map(str::to_owned);
        let stale = |rule: &RuleView| matches!(&rule.end, RuleEnd::Group(group) if group.is_stale());
        let show = |group: &Group| {
            let mut view = self.group_view(group);
            view.rules.retain(stale);
            (!view.rules.is_empty()).then_some(StaleGroupView(view))
        };
        list(cx, &kind, &query, &self.groups, show).map(Response::StaleGroups)
    }

    pub(crate) fn describe_acls(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeNetworkAcls,
            most: 1_000,
            parse: |text| {
                AclId::parse(text)
                    .ok_or_else(|| texts::malformed("InvalidNetworkAclID.Malformed", text, AclId::PREFIX))
            },
            not_found: |id| texts::not_found("InvalidNetworkAclID.NotFound", "networkAcl", id),
        };
        let mut acls: BTreeMap<AclId, AclView> = BTreeMap::new();
        for key in self.vpcs.keys_after(None) {
            let own = |vpc: &&crate::world::Vpc| cx.caller.is_at(&vpc.owner, &vpc.region);
            let Some(vpc) = self.vpcs.read(key, cx.chance).filter(own) else { continue };
            acls.insert(vpc.acl.clone(), self.acl_view(vpc));
        }
        let page =
            list_by(cx, &kind, query, &|after| after_key(&acls, after), &mut |_, key| acls.get(key).cloned());
        page.map(Response::NetworkAcls)
    }

    /// Nothing has one in this world.
    pub(crate) fn describe_interfaces(&self, query: &Describe) -> Result<Response, AwsError> {
        check_filters::<NoInterface>(query)?;
        match query.ids.first() {
            None => Ok(Response::NoNetworkInterfaces),
            Some(id) => Err(AwsError::new(
                "InvalidNetworkInterfaceID.NotFound",
                format!("The networkInterface ID '{id}' does not exist"),
            )),
        }
    }
}

fn after_key<'a, K: Ord, V>(
    map: &'a BTreeMap<K, V>,
    after: Option<&K>,
) -> Box<dyn Iterator<Item = &'a K> + 'a> {
    let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    Box::new(map.range((from, std::ops::Bound::Unbounded)).map(|(key, _)| key))
}

/// What can be asked for and never found.
pub(crate) enum NoInterface {}
