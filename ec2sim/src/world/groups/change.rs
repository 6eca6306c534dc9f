//! Rules come, change and go.

use std::collections::BTreeSet;

use super::rule::{End, check_description, no_rule, no_rule_id, parse_rule_id};
use super::{Group, Rule, RuleSays};
use crate::error::{AwsError, texts};
use crate::ids::{GroupId, RuleId};
use crate::request::{AuthorizeRules, DescribeRulesAnew, RevokeRules, RuleSpec, Tags};
use crate::view::{Page, Response};
use crate::world::agenda::Thing;
use crate::world::{Cx, State, tags};

fn duplicate(says: &RuleSays) -> AwsError {
    AwsError::new(
        "InvalidPermission.Duplicate",
        format!("the specified rule \"{}\" already exists", says.text()),
    )
}

fn either_or(rules: &[RuleSpec], has_ids: bool) -> Result<(), AwsError> {
    match (rules.is_empty(), has_ids) {
        (true, false) => Err(texts::missing("ipPermissions or securityGroupRuleIds")),
        (false, true) => Err(AwsError::new(
            "InvalidParameterCombination",
            "The parameter ipPermissions cannot be used with the parameter securityGroupRuleIds",
        )),
        _ => Ok(()),
    }
}

/// A rule of this group, in this direction.
fn held(group: &Group, is_egress: bool, text: &str) -> Result<RuleId, AwsError> {
    let id = parse_rule_id(text)?;
    let there = group.rules.get(&id).is_some_and(|rule| rule.says.is_egress == is_egress);
    if there { Ok(id) } else { Err(no_rule_id(text)) }
}

fn saying(group: &Group, says: &RuleSays) -> Option<RuleId> {
    group.rules.iter().find(|(_, rule)| rule.says.same(says)).map(|(id, _)| id.clone())
}

impl State {
    /// All rules or none.
    pub(crate) fn authorize(
        &mut self,
        cx: &mut Cx<'_>,
        is_egress: bool,
        asked: &AuthorizeRules,
    ) -> Result<Response, AwsError> {
        let mut group = self.own_group(cx, &asked.group_id)?;
        either_or(&asked.rules, false)?;
        tags::check(&asked.tags, self.quotas(&group.owner, &group.region).tags_per_resource)?;
        let mut added: Vec<(RuleSays, Option<String>)> = Vec::new();
        for spec in &asked.rules {
            let says = self.rule_says(cx, &group, is_egress, spec, true)?;
            if added.iter().any(|(other, _)| other.same(&says)) {
                return Err(texts::bad_value("The same permission must not appear multiple times"));
            }
            if saying(&group, &says).is_some() {
                return Err(duplicate(&says));
            }
            added.push((says, spec.description.clone()));
        }
        self.check_rule_quota(&group, is_egress, added.iter().map(|(says, _)| says))?;
        let mut new = BTreeSet::new();
        for (says, description) in added {
            let id = RuleId::numbered(self.ids.next());
            group.rules.insert(id.clone(), Rule { says, description, tags: asked.tags.clone() });
            new.insert(id);
        }
        let answer = self.rules_of(&group, &new);
        new.iter().for_each(|id| cx.touch(id));
        self.put_rules(cx, group);
        Ok(answer)
    }

    fn rules_of(&self, group: &Group, ids: &BTreeSet<RuleId>) -> Response {
        let rules = group.rules.iter().filter(|(id, _)| ids.contains(*id));
        let items = rules.map(|(id, rule)| self.rule_view(group, id, rule)).collect();
        Response::Rules(Page { items, next_token: None })
    }

    fn put_rules(&mut self, cx: &mut Cx<'_>, group: Group) {
        let lag = self.lag(cx, Thing::Group(group.id.clone()));
        self.groups.change(&group.id, lag, |held| held.rules = group.rules);
    }

    /// IPv4 and IPv6 are counted apart; a group counts in both, a prefix list with its MaxEntries.
    fn check_rule_quota<'a>(
        &self,
        group: &'a Group,
        is_egress: bool,
        added: impl Iterator<Item = &'a RuleSays>,
    ) -> Result<(), AwsError> {
        let most = self.quotas(&group.owner, &group.region).rules_per_group;
        let mut counts = [0_usize; 2];
        let kept = group.rules.values().map(|rule| &rule.says);
        for says in kept.chain(added).filter(|says| says.is_egress == is_egress) {
            let [ipv4, ipv6] = match &says.end {
                End::Ipv4(_) => [1, 0],
                End::Ipv6(_) => [0, 1],
                End::Group(_) => [1, 1],
                End::PrefixList(id) => match self.prefix_lists.get(id) {
                    Some(list) if list.is_ipv6 => [0, list.max_entries as usize],
                    Some(list) => [list.max_entries as usize, 0],
                    None => [1, 0],
                },
            };
            counts = [counts[0] + ipv4, counts[1] + ipv6];
        }
        if counts.iter().any(|count| *count > most) {
            return Err(AwsError::new(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            ));
        }
        Ok(())
    }

    /// All rules or none. This is a VPC that is nobody's default one, so what is not there is an error.
    pub(crate) fn revoke(
        &mut self,
        cx: &mut Cx<'_>,
        is_egress: bool,
        asked: &RevokeRules,
    ) -> Result<Response, AwsError> {
        let mut group = self.own_group(cx, &asked.group_id)?;
        either_or(&asked.rules, !asked.rule_ids.is_empty())?;
        let mut gone = BTreeSet::new();
        for text in &asked.rule_ids {
            cx.touch(text);
            gone.insert(held(&group, is_egress, text)?);
        }
        for spec in &asked.rules {
            let says = self.rule_says(cx, &group, is_egress, spec, false)?;
            gone.insert(saying(&group, &says).ok_or_else(no_rule)?);
        }
        let answer = self.rules_of(&group, &gone);
        group.rules.retain(|id, _| !gone.contains(id));
        self.put_rules(cx, group);
        Ok(answer)
    }

    /// Everything but a rule's id, direction and tags.
    pub(crate) fn modify_rules(
        &mut self,
        cx: &mut Cx<'_>,
        group_id: &str,
        rules: &[(String, RuleSpec)],
    ) -> Result<Response, AwsError> {
        let mut group = self.own_group(cx, group_id)?;
        if rules.is_empty() {
            return Err(texts::missing("securityGroupRule"));
        }
        let mut changed = BTreeSet::new();
        for (text, spec) in rules {
            cx.touch(text);
            let id = parse_rule_id(text)?;
            let is_egress = group.rules.get(&id).ok_or_else(|| no_rule_id(text))?.says.is_egress;
            let says = self.rule_says(cx, &group, is_egress, spec, true)?;
            if saying(&group, &says).is_some_and(|other| other != id) {
                return Err(duplicate(&says));
            }
            if let Some(rule) = group.rules.get_mut(&id) {
                rule.says = says;
                rule.description.clone_from(&spec.description);
            }
            changed.insert(id);
        }
        for is_egress in [false, true] {
            self.check_rule_quota(&group, is_egress, std::iter::empty())?;
        }
        self.put_rules(cx, group);
        Ok(Response::Done)
    }

    pub(crate) fn describe_rules_anew(
        &mut self,
        cx: &mut Cx<'_>,
        is_egress: bool,
        asked: &DescribeRulesAnew,
    ) -> Result<Response, AwsError> {
        let mut group = self.own_group(cx, &asked.group_id)?;
        either_or(&asked.rules, !asked.by_id.is_empty())?;
        let mut anew = Vec::new();
        for (text, description) in &asked.by_id {
            cx.touch(text);
            check_description(description.as_deref())?;
            anew.push((held(&group, is_egress, text)?, description));
        }
        for spec in &asked.rules {
            let says = self.rule_says(cx, &group, is_egress, spec, false)?;
            anew.push((saying(&group, &says).ok_or_else(no_rule)?, &spec.description));
        }
        for (id, description) in anew {
            if let Some(rule) = group.rules.get_mut(&id) {
                rule.description.clone_from(description);
            }
        }
        self.put_rules(cx, group);
        Ok(Response::Done)
    }

    pub(crate) fn change_rule_tags(&mut self, id: &RuleId, group: &GroupId, lag: Option<u64>, tags: Tags) {
        self.groups.change(group, lag, |group| {
            if let Some(rule) = group.rules.get_mut(id) {
                rule.tags = tags;
            }
        });
    }
}
