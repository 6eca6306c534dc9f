//! Customer-managed prefix lists.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::agenda::Thing;
use super::{Cx, State, cidr, tags};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, PrefixListId, Region};
use crate::request::{CreatePrefixList, PrefixListEntry, Request, Tags};
use crate::view::{Destination, Page, PrefixListEntryView, PrefixListView, Response};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PrefixList {
    pub(crate) id: PrefixListId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
    pub(crate) is_ipv6: bool,
    pub(crate) max_entries: u32,
    /// With its description, if it has one.
    pub(crate) entries: BTreeMap<IpNet, Option<String>>,
    pub(crate) version: u64,
    pub(crate) modified: bool,
    pub(crate) tags: Tags,
}

impl PrefixList {
    pub(crate) fn view(&self) -> PrefixListView {
        PrefixListView {
            id: self.id.clone(),
            owner: self.owner.clone(),
            name: self.name.clone(),
            max_entries: self.max_entries,
            address_family: if self.is_ipv6 { "IPv6" } else { "IPv4" },
            version: self.version,
            modified: self.modified,
            tags: self.tags.clone(),
        }
    }
}

pub(crate) fn parse_prefix_list_id(text: &str) -> Result<PrefixListId, AwsError> {
    let malformed = || texts::malformed("InvalidPrefixListId.Malformed", text, PrefixListId::PREFIX);
    PrefixListId::parse(text).ok_or_else(malformed)
}

/// What one call of ModifyManagedPrefixList changes.
pub(crate) struct Change<'a> {
    pub(crate) current_version: Option<u64>,
    pub(crate) name: Option<&'a str>,
    pub(crate) max_entries: Option<u32>,
    pub(crate) add: &'a [PrefixListEntry],
    pub(crate) remove: &'a [String],
}

fn entry(given: &PrefixListEntry, is_ipv6: bool) -> Result<(IpNet, Option<String>), AwsError> {
    if given.description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(texts::bad_value("A description of an entry has at most 255 characters"));
    }
    Ok((net(&given.cidr, is_ipv6)?, given.description.clone()))
}

fn net(text: &str, is_ipv6: bool) -> Result<IpNet, AwsError> {
    let net = cidr::any(text, "entries")?;
    if matches!(net, IpNet::V6(_)) == is_ipv6 {
        Ok(net)
    } else {
        Err(texts::bad_value(format!("The CIDR {text} is not of the address family of the prefix list")))
    }
}

fn too_many(max_entries: u32) -> AwsError {
    let message = format!("The maximum number of entries of the prefix list has been reached: {max_entries}");
    AwsError::new("PrefixListMaxEntriesExceeded", message)
}

impl State {
    pub(crate) fn own_prefix_list(&self, cx: &mut Cx<'_>, text: &str) -> Result<&PrefixList, AwsError> {
        let id = parse_prefix_list_id(text)?;
        cx.touch(&id);
        let found = self.prefix_lists.get(&id).filter(|list| cx.is_at(&list.owner, &list.region));
        let list = found.ok_or_else(|| texts::no_prefix_list(text))?;
        if self.prefix_lists.is_fresh(&id) && cx.too_early() {
            return Err(texts::no_prefix_list(text));
        }
        Ok(list)
    }

    pub(crate) fn create_prefix_list(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &CreatePrefixList,
    ) -> Result<Response, AwsError> {
        let request = || Request::CreateManagedPrefixList(asked.clone());
        let earlier = self.given_before(cx, asked.client_token.as_deref(), request)?;
        let earlier = earlier.as_deref().and_then(PrefixListId::parse);
        if let Some(list) = earlier.and_then(|id| self.prefix_lists.get(&id)) {
            cx.touch(&list.id);
            return Ok(Response::PrefixList(list.view()));
        }
        let is_ipv6 = match asked.address_family.as_str() {
            "IPv4" => false,
            "IPv6" => true,
            other => {
                return Err(texts::bad_value(format!(
                    "Value ({other}) for parameter addressFamily is invalid."
                )));
            }
        };
        let (account, region) = (cx.caller.account.clone(), cx.caller.region.clone());
        tags::check(&asked.tags, self.quotas(&account, &region).tags_per_resource)?;
        if !(1..=1_000).contains(&asked.max_entries) {
            return Err(texts::bad_value("Value for parameter maxEntries is invalid: 1 to 1000 are allowed"));
        }
        let entries =
            asked.entries.iter().map(|given| entry(given, is_ipv6)).collect::<Result<BTreeMap<_, _>, _>>()?;
        if entries.len() > asked.max_entries as usize {
            return Err(too_many(asked.max_entries));
        }
        let id = PrefixListId::numbered(self.ids.next());
        let list = PrefixList {
            id: id.clone(),
            owner: account,
            region,
            name: asked.name.clone(),
            is_ipv6,
            max_entries: asked.max_entries,
            entries,
            version: 1,
            modified: false,
            tags: asked.tags.clone(),
        };
        let view = list.view();
        let lag = self.lag(cx, Thing::PrefixList(id.clone()));
        self.prefix_lists.insert(id.clone(), list, lag);
        cx.touch(&id);
        self.note_token(cx, asked.client_token.as_deref(), request, id.as_str());
        Ok(Response::PrefixList(view))
    }

    pub(crate) fn modify_prefix_list(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        change: &Change<'_>,
    ) -> Result<Response, AwsError> {
        let mut list = self.own_prefix_list(cx, text)?.clone();
        if change.current_version.is_some_and(|meant| meant != list.version) {
            let message = format!("The prefix list has the incorrect version number: it is {}", list.version);
            return Err(AwsError::new("PrefixListVersionMismatch", message));
        }
        list.max_entries = change.max_entries.unwrap_or(list.max_entries);
        list.name = change.name.map_or(list.name, str::to_owned);
        for text in change.remove {
            list.entries.remove(&net(text, list.is_ipv6)?);
        }
        for given in change.add {
            let (net, description) = entry(given, list.is_ipv6)?;
            list.entries.insert(net, description);
        }
        if list.entries.len() > list.max_entries as usize {
            return Err(too_many(list.max_entries));
        }
        list.modified = true;
        // A version is a set of entries: name and size may change within one.
        if !(change.add.is_empty() && change.remove.is_empty()) {
            list.version += 1;
        }
        let (id, view) = (list.id.clone(), list.view());
        let lag = self.lag(cx, Thing::PrefixList(id.clone()));
        self.prefix_lists.change(&id, lag, |held| *held = list);
        Ok(Response::PrefixList(view))
    }

    /// Refused while a route or a rule names it.
    pub(crate) fn delete_prefix_list(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let list = self.own_prefix_list(cx, text)?;
        let (id, view) = (list.id.clone(), list.view());
        let key = Destination::PrefixList(id.clone());
        let table = self.tables.iter().find(|(_, table)| table.routes.contains_key(&key));
        let names_it = |group: &super::Group| group.rules.values().any(|rule| rule.says.end.names_list(&id));
        let group = self.groups.iter().find(|(_, group)| names_it(group));
        let holder =
            table.map(|(table, _)| table.as_str()).or_else(|| group.map(|(group, _)| group.as_str()));
        if let Some(holder) = holder {
            let message = format!("The prefix list '{id}' is referenced by {holder} and cannot be deleted.");
            return Err(AwsError::new("DependencyViolation", message));
        }
        let lag = self.lag(cx, Thing::PrefixList(id.clone()));
        self.prefix_lists.remove(&id, lag);
        Ok(Response::PrefixList(view))
    }

    pub(crate) fn prefix_list_entries(
        &self,
        cx: &mut Cx<'_>,
        text: &str,
        target_version: Option<u64>,
        max_results: Option<u32>,
        next_token: Option<&str>,
    ) -> Result<Response, AwsError> {
        let id = self.own_prefix_list(cx, text)?.id.clone();
        let seen = self.prefix_lists.read(&id, cx.chance);
        let list = seen.ok_or_else(|| texts::no_prefix_list(text))?;
        if target_version.is_some_and(|wanted| wanted != list.version) {
            let message = format!("Only version {} of the prefix list is kept", list.version);
            return Err(AwsError::new("PrefixListVersionNotFound", message));
        }
        let size = max_results.map_or(usize::MAX, |most| most as usize);
        if size == 0 || max_results.is_some_and(|most| most > 100) {
            return Err(texts::bad_value("Value for parameter maxResults is invalid: 1 to 100 are allowed"));
        }
        let from = match next_token {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| super::describe::bad_token())?,
        };
        let show = |(cidr, description): (&IpNet, &Option<String>)| PrefixListEntryView {
            cidr: *cidr,
            description: description.clone(),
        };
        let items: Vec<_> = list.entries.iter().skip(from).take(size).map(show).collect();
        let end = from.saturating_add(items.len());
        let next_token = (end < list.entries.len()).then(|| end.to_string());
        Ok(Response::PrefixListEntries(Page { items, next_token }))
    }
}
