//! Security groups.

mod change;
mod references;
mod rule;

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::agenda::Thing;
use super::{Cx, State, Vpc, tags};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, GroupId, Region, RuleId, VpcId};
use crate::request::{CreateGroup, Tags};
use crate::view::{GroupView, Response, RuleEnd, RuleView};

pub(crate) use rule::{Rule, RuleSays, no_rule_id, parse_rule_id};

const DEFAULT: &str = "default";

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc: VpcId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) rules: BTreeMap<RuleId, Rule>,
    pub(crate) tags: Tags,
}

impl Group {
    pub(crate) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }
}

pub(crate) fn parse_group_id(text: &str) -> Result<GroupId, AwsError> {
    let malformed = || texts::malformed("InvalidGroupId.Malformed", text, GroupId::PREFIX);
    GroupId::parse(text).ok_or_else(malformed)
}

pub(crate) fn no_group(id: &str) -> AwsError {
    AwsError::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

/// What AWS takes as text of names and descriptions.
fn plain(text: &str) -> bool {
    let known = |char: char| char.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(char);
    text.len() <= 255 && text.chars().all(known)
}

fn check_names(asked: &CreateGroup) -> Result<(), AwsError> {
    let CreateGroup { vpc_id: _, name, description, tags: _ } = asked;
    if name.is_empty() {
        return Err(texts::missing("groupName"));
    }
    if description.is_empty() {
        return Err(texts::missing("groupDescription"));
    }
    if name == DEFAULT {
        return Err(texts::bad_value(format!("Cannot use reserved security group name: {name}")));
    }
    if name.starts_with(GroupId::PREFIX) || !plain(name) {
        return Err(texts::bad_value(format!(
            "Value ({name}) for parameter groupName is invalid. Group names have up to 255 characters from a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$* and don't start with sg-."
        )));
    }
    if !plain(description) {
        return Err(texts::bad_value(format!(
            "Value ({description}) for parameter groupDescription is invalid. Character sets beyond ASCII are not supported."
        )));
    }
    Ok(())
}

impl State {
    pub(crate) fn rule_view(&self, group: &Group, id: &RuleId, rule: &Rule) -> RuleView {
        let RuleSays { is_egress, protocol, from_port, to_port, end } = rule.says.clone();
        RuleView {
            id: id.clone(),
            group: group.id.clone(),
            group_owner: group.owner.clone(),
            is_egress,
            protocol,
            from_port,
            to_port,
            end: self.end_view(group, end),
            description: rule.description.clone(),
            tags: rule.tags.clone(),
        }
    }

    fn end_view(&self, group: &Group, end: rule::End) -> RuleEnd {
        match end {
            rule::End::Ipv4(net) => RuleEnd::Ipv4(net),
            rule::End::Ipv6(net) => RuleEnd::Ipv6(net),
            rule::End::PrefixList(id) => RuleEnd::PrefixList(id),
            rule::End::Group(id) => RuleEnd::Group(self.reference_view(group, &id)),
        }
    }

    pub(crate) fn group_view(&self, group: &Group) -> GroupView {
        let Group { id, name, description, vpc, owner, region, rules, tags } = group;
        GroupView {
            id: id.clone(),
            name: name.clone(),
            description: description.clone(),
            vpc: vpc.clone(),
            owner: owner.clone(),
            arn: super::arn(region, owner, "security-group", id.as_str()),
            rules: rules.iter().map(|(id, rule)| self.rule_view(group, id, rule)).collect(),
            tags: tags.clone(),
        }
    }

    pub(crate) fn own_group(&self, cx: &mut Cx<'_>, text: &str) -> Result<Group, AwsError> {
        let id = parse_group_id(text)?;
        cx.touch(&id);
        let found = self.groups.get(&id).filter(|group| cx.is_at(&group.owner, &group.region));
        let group = found.ok_or_else(|| no_group(text))?;
        if self.groups.is_fresh(&id) && cx.too_early() {
            return Err(no_group(text));
        }
        Ok(group.clone())
    }

    pub(crate) fn groups_of(&self, vpc: &VpcId) -> impl Iterator<Item = &Group> {
        let ids = self.links(vpc).into_iter().flat_map(|links| &links.groups);
        ids.filter_map(|id| self.groups.get(id))
    }

    fn new_rule(&mut self, group: &mut Group, says: RuleSays) {
        let id = RuleId::numbered(self.ids.next_unasked());
        group.rules.insert(id, Rule { says, description: None, tags: Tags::new() });
    }

    /// Everything may leave.
    fn new_group(&mut self, id: GroupId, vpc: &Vpc, name: &str, description: &str, tags: &Tags) -> Group {
        let mut group = Group {
            id,
            name: name.to_owned(),
            description: description.to_owned(),
            vpc: vpc.id.clone(),
            owner: vpc.owner.clone(),
            region: vpc.region.clone(),
            rules: BTreeMap::new(),
            tags: tags.clone(),
        };
        self.new_rule(&mut group, RuleSays::everything(true, rule::End::Ipv4(ipnet::Ipv4Net::default())));
        if vpc.nets().any(|net| matches!(net, IpNet::V6(_))) {
            self.new_rule(&mut group, RuleSays::everything(true, rule::End::Ipv6(ipnet::Ipv6Net::default())));
        }
        group
    }

    /// The group that a VPC comes with: its members reach each other. It shows when its VPC does.
    pub(crate) fn add_default_group(&mut self, vpc: &Vpc, lag: Option<u64>) {
        let id = GroupId::numbered(self.ids.next_unasked());
        let mut group = self.new_group(id, vpc, DEFAULT, "default VPC security group", &Tags::new());
        let itself = rule::End::Group(rule::Referenced::neighbour(&group));
        self.new_rule(&mut group, RuleSays::everything(false, itself));
        self.put_group(group, lag);
    }

    fn put_group(&mut self, group: Group, lag: Option<u64>) {
        self.links_mut(&group.vpc).groups.insert(group.id.clone());
        self.groups.insert(group.id.clone(), group, lag);
    }

    pub(crate) fn create_group(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &CreateGroup,
    ) -> Result<Response, AwsError> {
        let Some(vpc) = &asked.vpc_id else {
            return Err(AwsError::new("VPCIdNotSpecified", "No default VPC for this user"));
        };
        check_names(asked)?;
        let vpc = self.own_vpc(cx, vpc)?;
        let quotas = self.quotas(&vpc.owner, &vpc.region);
        tags::check(&asked.tags, quotas.tags_per_resource)?;
        if self.groups_of(&vpc.id).any(|group| group.name == asked.name) {
            let message = format!("The security group '{}' already exists for VPC '{}'", asked.name, vpc.id);
            return Err(AwsError::new("InvalidGroup.Duplicate", message));
        }
        let own = |group: &Group| group.owner == vpc.owner && group.region == vpc.region;
        if self.groups.iter().filter(|(_, group)| own(group)).count() >= quotas.groups_per_region {
            let message = "The maximum number of security groups has been reached.";
            return Err(AwsError::new("SecurityGroupLimitExceeded", message));
        }
        let id = GroupId::numbered(self.ids.next());
        let group = self.new_group(id, &vpc, &asked.name, &asked.description, &asked.tags);
        let view = self.group_view(&group);
        let lag = self.lag(cx, Thing::Group(group.id.clone()));
        cx.touch(&group.id);
        self.put_group(group, lag);
        Ok(Response::Group(view))
    }

    /// Refused while another group of the same VPC names it. Rules of a peer VPC don't keep it: they turn stale.
    pub(crate) fn delete_group(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let group = self.own_group(cx, text)?;
        if group.is_default() {
            let message =
                format!("the specified group: \"{text}\" name: \"{DEFAULT}\" cannot be deleted by a user");
            return Err(AwsError::new("CannotDelete", message));
        }
        let names_it = |other: &Group| other.rules.values().any(|rule| rule.says.end.names(&group.id));
        if self.groups_of(&group.vpc).any(|other| other.id != group.id && names_it(other)) {
            let message = format!("resource {text} has a dependent object");
            return Err(AwsError::new("DependencyViolation", message));
        }
        let lag = self.lag(cx, Thing::Group(group.id.clone()));
        self.groups.remove(&group.id, lag);
        self.unlink(&group.vpc, |links| links.groups.remove(&group.id));
        Ok(Response::Done)
    }

    /// The default group, which nobody deletes, goes with its VPC.
    pub(crate) fn drop_groups_of(&mut self, cx: &mut Cx<'_>, vpc: &VpcId) {
        let groups = self.links(vpc).map(|links| links.groups.clone()).unwrap_or_default();
        for id in groups {
            let lag = self.lag(cx, Thing::Group(id.clone()));
            self.groups.remove(&id, lag);
            self.unlink(vpc, |links| links.groups.remove(&id));
        }
    }

    /// The group that holds a rule of the caller's.
    pub(crate) fn own_rule(&self, cx: &mut Cx<'_>, text: &str) -> Result<(Group, RuleId), AwsError> {
        let id = rule::parse_rule_id(text)?;
        cx.touch(&id);
        let own = |group: &Group| cx.is_at(&group.owner, &group.region) && group.rules.contains_key(&id);
        let group = self.groups.iter().map(|(_, group)| group).find(|group| own(group));
        Ok((group.ok_or_else(|| rule::no_rule_id(text))?.clone(), id))
    }
}
