//! DescribeTags: the tags of everything that a caller owns.

use super::{Token, bad_max_results, bad_token, check_filters, filters, fingerprint, page_size};
use crate::error::AwsError;
use crate::request::{Action, Describe, Tags};
use crate::view::{Page, Response, TagView};
use crate::world::{Cx, State};
use filters::Filtered;

const MOST: u32 = 1_000;

struct Tagged {
    view: TagView,
    /// The one tag again, as filters look at it.
    tags: Tags,
}

impl Filtered for Tagged {
    const FILTERS: &'static [&'static str] = &["key", "resource-id", "resource-type", "value"];

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn any(&self, filter: &str, test: &dyn Fn(&str) -> bool) -> bool {
        match filter {
            "key" => test(&self.view.key),
            "resource-id" => test(&self.view.resource_id),
            "resource-type" => test(self.view.resource_type),
            "value" => test(&self.view.value),
            _ => false,
        }
    }
}

/// Where a tag stands in the order of pages. No id has a space in it.
fn place(view: &TagView) -> String {
    format!("{} {}", view.resource_id, view.key)
}

impl State {
    /// Everything with tags that this read shows to the caller, by id.
    fn tagged(&self, cx: &mut Cx<'_>) -> Vec<(String, &'static str, Tags)> {
        let caller = cx.caller;
        let mut found: Vec<(String, &'static str, Tags)> = Vec::new();
        for key in self.vpcs.keys_after(None) {
            let seen = self.vpcs.read(key, cx.chance).filter(|vpc| caller.is_at(&vpc.owner, &vpc.region));
            found.extend(seen.map(|vpc| (key.into(), "vpc", vpc.tags.clone())));
        }
        for key in self.tables.keys_after(None) {
            let seen =
                self.tables.read(key, cx.chance).filter(|held| caller.is_at(&held.owner, &held.region));
            found.extend(seen.map(|table| (key.into(), "route-table", table.tags.clone())));
        }
        for key in self.prefix_lists.keys_after(None) {
            let seen = self.prefix_lists.read(key, cx.chance);
            let seen = seen.filter(|held| caller.is_at(&held.owner, &held.region));
            found.extend(seen.map(|list| (key.into(), "prefix-list", list.tags.clone())));
        }
        self.tagged_networks(cx, &mut found);
        let here = (caller.account.clone(), caller.region.clone());
        for key in self.peerings.keys_after(None) {
            let seen = self.peerings.read(key, cx.chance);
            let seen = seen.filter(|peering| peering.visible_at(&here.0, &here.1, self.now_ms));
            let tags = seen.and_then(|peering| peering.tags.get(&here)).cloned();
            found.extend(tags.map(|tags| (key.into(), "vpc-peering-connection", tags)));
        }
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        found
    }

    fn tagged_networks(&self, cx: &mut Cx<'_>, found: &mut Vec<(String, &'static str, Tags)>) {
        let caller = cx.caller;
        for key in self.subnets.keys_after(None) {
            let seen = self.subnets.read(key, cx.chance);
            let seen = seen.filter(|held| caller.is_at(&held.owner, &held.region));
            found.extend(seen.map(|subnet| (key.into(), "subnet", subnet.tags.clone())));
        }
        for key in self.gateways.keys_after(None) {
            let seen = self.gateways.read(key, cx.chance);
            let seen = seen.filter(|held| caller.is_at(&held.owner, &held.region));
            found.extend(seen.map(|gateway| (key.into(), "internet-gateway", gateway.tags.clone())));
        }
        for key in self.groups.keys_after(None) {
            let seen = self.groups.read(key, cx.chance);
            let Some(group) = seen.filter(|held| caller.is_at(&held.owner, &held.region)) else { continue };
            found.push((key.into(), "security-group", group.tags.clone()));
            let rules = group.rules.iter();
            found.extend(rules.map(|(id, rule)| (id.into(), "security-group-rule", rule.tags.clone())));
        }
    }

    pub(crate) fn describe_tags(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        check_filters::<Tagged>(query)?;
        if let Some(asked) = query.max_results.filter(|asked| !(5..=MOST).contains(asked)) {
            return Err(bad_max_results(asked, MOST));
        }
        let hash = fingerprint(Action::DescribeTags, cx.caller, query);
        let token = query.next_token.as_deref().map(|text| Token::parse(text, hash)).transpose()?;
        if token.as_ref().is_some_and(|token| !token.after.is_empty() && !token.after.contains(' ')) {
            return Err(bad_token());
        }
        let after = token.as_ref().map_or("", |token| token.after.as_str());
        let may_be_empty = token.as_ref().is_none_or(|token| !token.was_empty);
        let size = page_size(cx, query.max_results, may_be_empty);

        let mut items = Vec::new();
        let mut more = false;
        for (resource_id, resource_type, tags) in self.tagged(cx) {
            for (key, value) in &tags {
                let (key, value, resource_id) = (key.clone(), value.clone(), resource_id.clone());
                let tags = Tags::from([(key.clone(), value.clone())]);
                let tagged = Tagged { view: TagView { resource_id, resource_type, key, value }, tags };
                if place(&tagged.view).as_str() <= after || !filters::matches(&tagged, &query.filters) {
                    continue;
                }
                if items.len() >= size {
                    more = true;
                    break;
                }
                items.push(tagged.view);
            }
        }
        let last = items.last().map_or_else(|| after.to_owned(), place);
        let was_empty = items.is_empty();
        let next_token = more.then(|| Token { query: hash, was_empty, after: last }.text());
        Ok(Response::Tags(Page { items, next_token }))
    }
}
