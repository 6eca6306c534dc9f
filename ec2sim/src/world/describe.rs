//! How every Describe call works: ids, filters, pages.

mod filters;
mod network;
mod tags;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::peering::{Peering, parse_peering_id};
use super::prefix_lists::{PrefixList, parse_prefix_list_id};
use super::tables::{RouteTable, parse_table_id};
use super::visibility::Shelf;
use super::vpc::{Vpc, parse_vpc_id};
use super::{Cx, State};
use crate::chance::Choice;
use crate::error::{AwsError, texts};
use crate::request::{Action, Caller, Describe};
use crate::view::{Page, Response};

use filters::Filtered;
pub(crate) use filters::matches;

/// One kind of thing that can be described.
struct Kind<K> {
    action: Action,
    most: u32,
    parse: fn(&str) -> Result<K, AwsError>,
    not_found: fn(&str) -> AwsError,
}

pub(crate) fn bad_token() -> AwsError {
    AwsError::new("InvalidNextToken", "The specified NextToken is invalid")
}

fn bad_max_results(asked: u32, most: u32) -> AwsError {
    texts::bad_value(format!(
        "Value ( {asked} ) for parameter maxResults is invalid. Expecting a value between 5 and {most}."
    ))
}

/// Where a page left off. Bound to its caller and query: with another one it is refused.
struct Token {
    query: u64,
    /// The page before was empty: the next one is not, so that pages come to an end.
    was_empty: bool,
    after: String,
}

impl Token {
    fn text(&self) -> String {
        format!("{:016x}{}{}", self.query, u8::from(self.was_empty), self.after)
    }

    fn parse(text: &str, query: u64) -> Result<Self, AwsError> {
        let (Some(hash), Some(flag), Some(after)) = (text.get(..16), text.get(16..17), text.get(17..)) else {
            return Err(bad_token());
        };
        if u64::from_str_radix(hash, 16) != Ok(query) {
            return Err(bad_token());
        }
        Ok(Self { query, was_empty: flag == "1", after: after.to_owned() })
    }
}

fn fingerprint(action: Action, caller: &Caller, query: &Describe) -> u64 {
    let mut hasher = DefaultHasher::new();
    let Describe { ids, filters, max_results: _, next_token: _ } = query;
    (action, &caller.account, &caller.region, ids, filters).hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn check_filters<V: Filtered>(query: &Describe) -> Result<(), AwsError> {
    for filter in &query.filters {
        let known = filter.name.strip_prefix("tag:").is_some_and(|key| !key.is_empty())
            || V::FILTERS.contains(&filter.name.as_str());
        if !known {
            return Err(texts::bad_value(format!("The filter '{}' is invalid", filter.name)));
        }
        if filter.values.is_empty() {
            return Err(texts::missing(&format!("values of filter {}", filter.name)));
        }
    }
    Ok(())
}

/// What one caller is shown of a shelf.
fn list<K, T, V>(
    cx: &mut Cx<'_>,
    kind: &Kind<K>,
    query: &Describe,
    shelf: &Shelf<K, T>,
    show: impl Fn(&T) -> Option<V>,
) -> Result<Page<V>, AwsError>
where
    K: Ord + Clone + AsRef<str>,
    T: Clone,
    V: Filtered,
{
    list_by(cx, kind, query, &|after| Box::new(shelf.keys_after(after)), &mut |cx, key| {
        shelf.read(key, cx.chance).and_then(&show)
    })
}

type KeysAfter<'a, K> = &'a dyn Fn(Option<&K>) -> Box<dyn Iterator<Item = &'a K> + 'a>;

/// What `read` shows of these keys.
fn list_by<'a, K, V>(
    cx: &mut Cx<'_>,
    kind: &Kind<K>,
    query: &Describe,
    keys_after: KeysAfter<'a, K>,
    read: &mut dyn FnMut(&mut Cx<'_>, &K) -> Option<V>,
) -> Result<Page<V>, AwsError>
where
    K: Ord + Clone + AsRef<str>,
    V: Filtered,
{
    check_filters::<V>(query)?;
    if let Some(asked) = query.max_results.filter(|asked| !(5..=kind.most).contains(asked)) {
        return Err(bad_max_results(asked, kind.most));
    }
    let hash = fingerprint(kind.action, cx.caller, query);
    let token = query.next_token.as_deref().map(|text| Token::parse(text, hash)).transpose()?;
    let from = token.as_ref().map_or("", |token| &token.after);
    let after = if from.is_empty() { None } else { Some((kind.parse)(from).map_err(|_| bad_token())?) };
    let may_be_empty = token.as_ref().is_none_or(|token| !token.was_empty);
    let size = page_size(cx, query.max_results, may_be_empty);

    let mut page = Pager { size, items: Vec::new(), last: from.to_owned(), more: false };
    let matched = |view: &V| filters::matches(view, &query.filters);
    if query.ids.is_empty() {
        for key in keys_after(after.as_ref()) {
            let view = read(cx, key);
            if page.is_full_at(key.as_ref(), view.filter(matched)) {
                break;
            }
        }
    } else {
        let keys = query.ids.iter().map(|id| (kind.parse)(id)).collect::<Result<BTreeSet<K>, _>>()?;
        for key in keys.iter().filter(|key| after.as_ref().is_none_or(|after| *key > after)) {
            let view = read(cx, key);
            let view = view.ok_or_else(|| (kind.not_found)(key.as_ref()))?;
            if page.is_full_at(key.as_ref(), Some(view).filter(matched)) {
                break;
            }
        }
    }
    let was_empty = page.items.is_empty();
    let next_token = page.more.then(|| Token { query: hash, was_empty, after: page.last }.text());
    Ok(Page { items: page.items, next_token })
}

fn page_size(cx: &mut Cx<'_>, asked: Option<u32>, may_be_empty: bool) -> usize {
    let Some(full) = asked.map(|asked| asked as usize) else { return usize::MAX };
    match cx.pick(Choice::ShortPage, if may_be_empty { 3 } else { 2 }) {
        0 => full,
        1 => full / 2,
        _ => 0,
    }
}

/// Looks one match ahead: a token is given only if something is left to show.
struct Pager<V> {
    size: usize,
    items: Vec<V>,
    last: String,
    more: bool,
}

impl<V> Pager<V> {
    fn is_full_at(&mut self, key: &str, matched: Option<V>) -> bool {
        let Some(view) = matched else { return false };
        if self.items.len() >= self.size {
            self.more = true;
            return true;
        }
        self.items.push(view);
        self.last.clear();
        self.last.push_str(key);
        false
    }
}

impl State {
    pub(crate) fn describe_peerings(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeVpcPeeringConnections,
            most: 1_000,
            parse: parse_peering_id,
            not_found: texts::no_peering,
        };
        let (account, region) = (&cx.caller.account, &cx.caller.region);
        let show = |peering: &Peering| {
            let visible = peering.visible_at(account, region, self.now_ms)
                && filters::may_match(query, "requester-vpc-info.vpc-id", peering.requester.vpc.as_str())
                && filters::may_match(query, "accepter-vpc-info.vpc-id", peering.accepter.vpc.as_str());
            visible.then(|| self.peering_view(peering, account, region))
        };
        list(cx, &kind, query, &self.peerings, show).map(Response::Peerings)
    }

    pub(crate) fn describe_tables(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeRouteTables,
            most: 100,
            parse: parse_table_id,
            not_found: texts::no_table,
        };
        let caller = cx.caller;
        let show = |table: &RouteTable| {
            let visible = caller.is_at(&table.owner, &table.region)
                && filters::may_match(query, "route-table-id", table.id.as_str());
            visible.then(|| self.table_view(table))
        };
        list(cx, &kind, query, &self.tables, show).map(Response::RouteTables)
    }

    pub(crate) fn describe_vpcs(&self, cx: &mut Cx<'_>, query: &Describe) -> Result<Response, AwsError> {
        let kind =
            Kind { action: Action::DescribeVpcs, most: 1_000, parse: parse_vpc_id, not_found: texts::no_vpc };
        let caller = cx.caller;
        let show = |vpc: &Vpc| caller.is_at(&vpc.owner, &vpc.region).then(|| vpc.view());
        list(cx, &kind, query, &self.vpcs, show).map(Response::Vpcs)
    }

    pub(crate) fn describe_prefix_lists(
        &self,
        cx: &mut Cx<'_>,
        query: &Describe,
    ) -> Result<Response, AwsError> {
        let kind = Kind {
            action: Action::DescribeManagedPrefixLists,
            most: 100,
            parse: parse_prefix_list_id,
            not_found: texts::no_prefix_list,
        };
        let caller = cx.caller;
        let show = |list: &PrefixList| caller.is_at(&list.owner, &list.region).then(|| list.view());
        list(cx, &kind, query, &self.prefix_lists, show).map(Response::PrefixLists)
    }
}
