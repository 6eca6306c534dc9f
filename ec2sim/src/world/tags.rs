//! Tags: with a resource, or, on a peering, with the account and Region that set them.

use super::agenda::Thing;
use super::peering::{Peering, parse_peering_id};
use super::vpc::parse_vpc_id;
use super::{Cx, State};
use crate::error::{AwsError, texts};
use crate::request::Tags;
use crate::view::Response;

/// The rules for tags given at creation and after.
pub(crate) fn check(tags: &Tags, most: usize) -> Result<(), AwsError> {
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(texts::bad_value(format!("Tag key '{key}' must have 1 to 128 characters")));
        }
        if value.chars().count() > 256 {
            return Err(texts::bad_value(format!("Tag value of '{key}' exceeds the maximum length of 256")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(texts::bad_value("Tag keys starting with 'aws:' are reserved for internal use"));
        }
    }
    if tags.len() > most {
        return Err(AwsError::new("TagLimitExceeded", format!("More than {most} tags specified")));
    }
    Ok(())
}

fn peering_tags<'a>(peering: &'a mut Peering, cx: &Cx<'_>) -> &'a mut Tags {
    let place = (cx.caller.account.clone(), cx.caller.region.clone());
    peering.tags.entry(place).or_default()
}

impl State {
    fn thing(&self, cx: &mut Cx<'_>, text: &str) -> Result<(Thing, Tags), AwsError> {
        match text.split_once('-').map_or("", |(prefix, _)| prefix) {
            "vpc" => {
                parse_vpc_id(text)?;
                let vpc = self.own_vpc(cx, text)?;
                Ok((Thing::Vpc(vpc.id), vpc.tags))
            }
            "rtb" => {
                let table = self.own_table(cx, text)?;
                Ok((Thing::Table(table.id.clone()), table.tags.clone()))
            }
            "pl" => {
                let list = self.own_prefix_list(cx, text)?;
                Ok((Thing::PrefixList(list.id.clone()), list.tags.clone()))
            }
            "subnet" => {
                let subnet = self.own_subnet(cx, text)?;
                Ok((Thing::Subnet(subnet.id), subnet.tags))
            }
            "igw" => {
                let gateway = self.own_gateway(cx, text)?;
                Ok((Thing::Gateway(gateway.id), gateway.tags))
            }
            "sg" => {
                let group = self.own_group(cx, text)?;
                Ok((Thing::Group(group.id), group.tags))
            }
            "sgr" => {
                let (group, id) = self.own_rule(cx, text)?;
                let tags = group.rules.get(&id).map(|rule| rule.tags.clone()).unwrap_or_default();
                Ok((Thing::Rule(group.id, id), tags))
            }
            "pcx" => {
                parse_peering_id(text)?;
                let mut peering = self.own_peering(cx, text)?;
                let tags = peering_tags(&mut peering, cx).clone();
                Ok((Thing::Peering(peering.id), tags))
            }
            _ => {
                cx.touch(text);
                Err(AwsError::new("InvalidID", format!("The ID '{text}' is not valid")))
            }
        }
    }

    fn change_tags(&mut self, cx: &mut Cx<'_>, thing: Thing, tags: Tags) {
        let lag = self.lag(cx, thing.clone());
        match thing {
            Thing::Vpc(id) => self.vpcs.change(&id, lag, |vpc| vpc.tags = tags),
            Thing::Table(id) => self.tables.change(&id, lag, |table| table.tags = tags),
            Thing::PrefixList(id) => self.prefix_lists.change(&id, lag, |list| list.tags = tags),
            Thing::Subnet(id) => self.subnets.change(&id, lag, |subnet| subnet.tags = tags),
            Thing::Gateway(id) => self.gateways.change(&id, lag, |gateway| gateway.tags = tags),
            Thing::Group(id) => self.groups.change(&id, lag, |group| group.tags = tags),
            Thing::Rule(group, id) => self.change_rule_tags(&id, &group, lag, tags),
            Thing::Peering(id) => {
                self.peerings.change(&id, lag, |peering| {
                    *peering_tags(peering, cx) = tags;
                    // None is none, whoever had some: else two worlds that are alike would differ.
                    peering.tags.retain(|_, tags| !tags.is_empty());
                });
            }
        }
    }

    /// All resources or none.
    pub(crate) fn create_tags(
        &mut self,
        cx: &mut Cx<'_>,
        resources: &[String],
        added: &Tags,
    ) -> Result<Response, AwsError> {
        let most = self.quotas(&cx.caller.account, &cx.caller.region).tags_per_resource;
        if resources.is_empty() {
            return Err(texts::missing("resourceIdSet"));
        }
        if added.is_empty() {
            return Err(texts::missing("tagSet"));
        }
        check(added, usize::MAX)?;
        let mut changes = Vec::new();
        for text in resources {
            let (thing, mut tags) = self.thing(cx, text)?;
            tags.extend(added.clone());
            check(&tags, most)?;
            changes.push((thing, tags));
        }
        for (thing, tags) in changes {
            self.change_tags(cx, thing, tags);
        }
        Ok(Response::Done)
    }

    /// A tag that is not there is no error.
    pub(crate) fn delete_tags(
        &mut self,
        cx: &mut Cx<'_>,
        resources: &[String],
        removed: &[(String, Option<String>)],
    ) -> Result<Response, AwsError> {
        if resources.is_empty() {
            return Err(texts::missing("resourceIdSet"));
        }
        let mut changes = Vec::new();
        for text in resources {
            let (thing, mut tags) = self.thing(cx, text)?;
            if removed.is_empty() {
                tags.clear();
            }
            for (key, value) in removed {
                if value.is_none() || tags.get(key) == value.as_ref() {
                    tags.remove(key);
                }
            }
            changes.push((thing, tags));
        }
        for (thing, tags) in changes {
            self.change_tags(cx, thing, tags);
        }
        Ok(Response::Done)
    }
}
