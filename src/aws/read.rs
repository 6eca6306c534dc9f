//! The half that asks. Nothing in here can change AWS: [`Questions`] is the only door to the SDK's client, and it has no
//! call but Describe.
//!
//! **Architecture Invariant:** a reading is complete for its scope or does not exist. It *began* when its first page was
//! asked for.

use std::collections::BTreeSet;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types::Filter;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use peerkeeper_core::aws_code::{self, RefusalKind};
use peerkeeper_core::ids::{GroupId, PrefixListId, Region, RouteTableId, VpcId, VpcPair};
use peerkeeper_core::observed::{Peering, PrefixList, Reading, Resource, RouteTable, Scope, StaleRule, Vpc};
use peerkeeper_core::pace::bucket::Operation;
use peerkeeper_core::time::Mono;

use super::accounts::{Account, Purpose};
use super::budget::Budget;
use super::clock;
use super::convert::{self, Converted, GroupRule, StaleGroup, Unfit, Words};
use super::errors::{CallError, ReadError, ReadErrorKind};

/// AWS's longest page of each kind.
const PEERINGS_PAGE: i32 = 1000;
const TABLES_PAGE: i32 = 100;
const VPCS_PAGE: i32 = 1000;
const PREFIX_LISTS_PAGE: i32 = 100;
const STALE_GROUPS_PAGE: i32 = 255;
const RULES_PAGE: i32 = 1000;
/// AWS takes at most 200 values in all filters of one call together: a pair takes two in each of two filters.
const PAIRS_PER_CALL: usize = 50;
const IDS_PER_CALL: usize = 200;

/// A read waits this long for a token of our own budget, then gives up.
const READ_PATIENCE: Duration = Duration::from_secs(30);
/// A page is asked for at most so often, where asking again may help.
const ATTEMPTS: u32 = 4;
const RETRY_FIRST_MS: u64 = 250;

/// One account and Region, to be read.
#[derive(Clone, Debug)]
pub(super) struct Questions {
    account: Arc<Account>,
    region: Region,
    client: Client,
    budget: Arc<Budget>,
}

/// What is asked for.
pub(super) enum Asked<T: Resource, K> {
    /// Everything there is, of which the last sweep knows this.
    All(Option<Arc<Reading<T>>>),
    Some(BTreeSet<K>),
}

/// A page as the SDK gives it, with the id that AWS gave the request.
struct Page<W> {
    /// AWS's answers hold their list even if it is empty: one that lacks it is no answer to what was asked.
    things: Option<Vec<W>>,
    next: Option<String>,
    request_id: Option<String>,
}

impl<W> RequestId for Page<W> {
    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// What a complete answer is made of.
struct Answer<T> {
    began: Mono,
    things: Vec<Arc<T>>,
    pages: u32,
}

/// A reading, and what it took.
#[derive(Clone, Debug)]
pub(super) struct Read<T: Resource> {
    pub reading: Arc<Reading<T>>,
    /// Answers it was made of.
    pub pages: u32,
}

impl Questions {
    pub fn new(account: Arc<Account>, region: Region, budget: Arc<Budget>, timeout: Duration) -> Self {
        let client = account.client(Purpose::Read, region, timeout);
        Self { account, region, client, budget }
    }

    /// Peerings of these pairs, or all of them. What the filters let through is filtered again: not every
    /// implementation heeds them, and both of a call's filters name the VPCs of all its pairs.
    pub async fn peerings(&self, of: Asked<Peering, VpcPair>) -> Result<Read<Peering>, ReadError> {
        let pairs = match of {
            Asked::All(known) => {
                let answer = self.peerings_where(None, known).await?;
                return Ok(answer.into_read(Scope::All));
            }
            Asked::Some(pairs) => pairs,
        };
        let ask = |some: Vec<VpcPair>| self.peerings_where(Some(some), None);
        let answer = in_chunks(&pairs, PAIRS_PER_CALL, ask).await?;
        Ok(answer.only(|peering| pairs.contains(&peering.group())).into_read(Scope::Groups(pairs)))
    }

    async fn peerings_where(
        &self,
        pairs: Option<Vec<VpcPair>>,
        known: Option<Arc<Reading<Peering>>>,
    ) -> Result<Answer<Peering>, ReadError> {
        let filters = pairs.map(|pairs| {
            let vpcs: BTreeSet<VpcId> = pairs.iter().flat_map(|pair| pair.vpcs()).collect();
            vec![filter("requester-vpc-info.vpc-id", &vpcs), filter("accepter-vpc-info.vpc-id", &vpcs)]
        });
        let page = |token| {
            let ask = self.client.describe_vpc_peering_connections().max_results(PEERINGS_PAGE);
            let ask = ask.set_filters(filters.clone()).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.vpc_peering_connections;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeVpcPeeringConnections, page, convert::peering, known).await
    }

    /// These tables, or all. By filter rather than by id: a missing one is then just missing, and fails nothing.
    pub async fn tables(&self, of: Asked<RouteTable, RouteTableId>) -> Result<Read<RouteTable>, ReadError> {
        self.by_ids(of, |some, known| self.tables_where(some, known), Scope::Ids).await
    }

    async fn tables_where(
        &self,
        ids: Option<Vec<RouteTableId>>,
        known: Option<Arc<Reading<RouteTable>>>,
    ) -> Result<Answer<RouteTable>, ReadError> {
        let filters = ids.map(|ids| vec![filter("route-table-id", &ids)]);
        let page = |token| {
            let ask = self.client.describe_route_tables().max_results(TABLES_PAGE);
            let ask = ask.set_filters(filters.clone()).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.route_tables;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeRouteTables, page, convert::route_table, known).await
    }

    /// A VPC is its own group: by that it is looked up, so that is what the reading is complete for.
    pub async fn vpcs(&self, of: Asked<Vpc, VpcId>) -> Result<Read<Vpc>, ReadError> {
        self.by_ids(of, |some, known| self.vpcs_where(some, known), Scope::Groups).await
    }

    async fn vpcs_where(
        &self,
        ids: Option<Vec<VpcId>>,
        known: Option<Arc<Reading<Vpc>>>,
    ) -> Result<Answer<Vpc>, ReadError> {
        let filters = ids.map(|ids| vec![filter("vpc-id", &ids)]);
        let page = |token| {
            let ask = self.client.describe_vpcs().max_results(VPCS_PAGE);
            let ask = ask.set_filters(filters.clone()).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.vpcs;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeVpcs, page, convert::vpc, known).await
    }

    pub async fn prefix_lists(
        &self,
        of: Asked<PrefixList, PrefixListId>,
    ) -> Result<Read<PrefixList>, ReadError> {
        self.by_ids(of, |some, known| self.prefix_lists_where(some, known), Scope::Ids).await
    }

    async fn prefix_lists_where(
        &self,
        ids: Option<Vec<PrefixListId>>,
        known: Option<Arc<Reading<PrefixList>>>,
    ) -> Result<Answer<PrefixList>, ReadError> {
        let filters = ids.map(|ids| vec![filter("prefix-list-id", &ids)]);
        let page = |token| {
            let ask = self.client.describe_managed_prefix_lists().max_results(PREFIX_LISTS_PAGE);
            let ask = ask.set_filters(filters.clone()).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.prefix_lists;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeManagedPrefixLists, page, convert::prefix_list, known).await
    }

    /// The rules of this VPC's security groups that are stale because a peering ended. AWS lists what is stale without the
    /// rules' ids, and the ids without a filter for what is stale: the groups that one call names are asked about by another.
    /// `None`: there is no such VPC.
    pub async fn stale_rules(&self, vpc: VpcId) -> Result<Option<Read<StaleRule>>, ReadError> {
        let stale = match self.stale_groups(vpc).await {
            Ok(stale) => stale,
            Err(error) if aws_code::classify(&error.code) == RefusalKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let groups: BTreeSet<GroupId> = stale.things.iter().map(|group| group.id).collect();
        let rules = match groups.is_empty() {
            true => Answer { began: stale.began, things: Vec::new(), pages: 0 },
            false => in_chunks(&groups, IDS_PER_CALL, |some| self.rules_of(some)).await?,
        };
        let mut found = Vec::new();
        for group in &stale.things {
            for reference in &group.references {
                let before = found.len();
                let of = rules.things.iter().filter(|rule| rule.is(group.id, reference));
                found.extend(of.map(|rule| Arc::new(reference.stale(rule.id, group))));
                if found.len() == before {
                    // One of the two answers is older than the other, or somebody is faster than both.
                    let why = format!("{} has no rule that it should have by what is stale", group.id);
                    return Err(self.unreadable(action(Operation::DescribeSecurityGroupRules), why));
                }
            }
        }
        let answer = Answer { began: stale.began, things: found, pages: stale.pages + rules.pages };
        Ok(Some(answer.into_read(Scope::Groups([vpc].into()))))
    }

    async fn stale_groups(&self, vpc: VpcId) -> Result<Answer<StaleGroup>, ReadError> {
        let page = |token| {
            let ask = self.client.describe_stale_security_groups().vpc_id(vpc.to_string());
            let ask = ask.max_results(STALE_GROUPS_PAGE).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.stale_security_group_set;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeStaleSecurityGroups, page, convert::stale_group, None).await
    }

    async fn rules_of(&self, groups: Vec<GroupId>) -> Result<Answer<GroupRule>, ReadError> {
        let filters = vec![filter("group-id", &groups)];
        let page = |token| {
            let ask = self.client.describe_security_group_rules().max_results(RULES_PAGE);
            let ask = ask.set_filters(Some(filters.clone())).set_next_token(token);
            async {
                let got = ask.send().await?;
                let request_id = got.request_id().map(str::to_owned);
                let things = got.security_group_rules;
                Ok(Page { things, next: got.next_token, request_id })
            }
        };
        self.pages(Operation::DescribeSecurityGroupRules, page, convert::group_rule, None).await
    }

    async fn by_ids<T, F>(
        &self,
        of: Asked<T, T::Id>,
        ask: impl Fn(Option<Vec<T::Id>>, Option<Arc<Reading<T>>>) -> F,
        scope: impl FnOnce(BTreeSet<T::Id>) -> Scope<T>,
    ) -> Result<Read<T>, ReadError>
    where
        T: Resource,
        T::Id: Hash,
        F: Future<Output = Result<Answer<T>, ReadError>>,
    {
        let ids = match of {
            Asked::All(known) => return Ok(ask(None, known).await?.into_read(Scope::All)),
            Asked::Some(ids) => ids,
        };
        let answer = in_chunks(&ids, IDS_PER_CALL, |some| ask(Some(some), None)).await?;
        Ok(answer.only(|thing| ids.contains(&thing.id())).into_read(scope(ids)))
    }

    /// All pages of one question. Any page may be short, or empty, and still not be the last. Of what is as `known`
    /// already no second copy is made.
    async fn pages<T, W, E, F>(
        &self,
        operation: Operation,
        page: impl Fn(Option<String>) -> F,
        convert: impl Fn(&W, &Words) -> Converted<T>,
        known: Option<Arc<Reading<T>>>,
    ) -> Result<Answer<T>, ReadError>
    where
        T: Resource,
        F: Future<Output = Result<Page<W>, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = action(operation);
        self.ready().await?;
        let mut answer = Answer { began: clock::now(), things: Vec::new(), pages: 0 };
        let (mut token, mut used, mut skipped) = (None, BTreeSet::new(), 0);
        let words = Words::default();
        loop {
            let (began, got) = self.page(operation, call, &page, &token).await?;
            if answer.pages == 0 {
                answer.began = began;
            }
            answer.pages += 1;
            let Some(things) = got.things else {
                return Err(self.unreadable(call, "an answer without the list that was asked for".to_owned()));
            };
            for wire in &things {
                match convert(wire, &words) {
                    Ok((thing, parts)) => {
                        skipped += parts;
                        let same = known
                            .as_ref()
                            .and_then(|known| known.get(thing.id()))
                            .filter(|old| ***old == thing);
                        answer.things.push(same.cloned().unwrap_or_else(|| Arc::new(thing)));
                    }
                    Err(Unfit::Skip(why)) => {
                        skipped += 1;
                        tracing::warn!(account = %self.account.name(), region = %self.region, call, why, "skipped");
                    }
                    Err(Unfit::Fatal(why)) => return Err(self.unreadable(call, why)),
                }
            }
            token = got.next.filter(|next| !next.is_empty());
            let Some(next) = &token else { break };
            if !used.insert(next.clone()) {
                return Err(self.unreadable(call, "the same NextToken came twice".to_owned()));
            }
        }
        if skipped > 0 {
            tracing::info!(account = %self.account.name(), region = %self.region, call, skipped, "parts not understood");
        }
        Ok(answer)
    }

    /// One page, asked for again where that may help. Answers with when the attempt that succeeded began.
    async fn page<W, E, F>(
        &self,
        operation: Operation,
        call: &'static str,
        page: impl Fn(Option<String>) -> F,
        token: &Option<String>,
    ) -> Result<(Mono, Page<W>), ReadError>
    where
        F: Future<Output = Result<Page<W>, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let at = self.account.at(self.region);
        let mut attempt = 1;
        loop {
            let taken = self.budget.take(at, operation, READ_PATIENCE).await;
            let taken = taken.map_err(|ready| self.out_of_budget(call, ready))?;
            let error = match self.account.call(at, call, page(token.clone())).await {
                Ok(got) => return Ok((taken, got)),
                Err(error) => error,
            };
            match error.kind() {
                RefusalKind::Throttled => self.budget.refused(at, operation, taken),
                RefusalKind::Unavailable => {}
                RefusalKind::Credentials if attempt == 1 => {
                    self.account.distrust().await;
                    self.ready().await?;
                }
                _ => return Err(self.failed(call, error)),
            }
            if attempt == ATTEMPTS {
                return Err(self.failed(call, error));
            }
            let most_ms = RETRY_FIRST_MS << attempt;
            tokio::time::sleep(Duration::from_millis(fastrand::u64(most_ms / 2..=most_ms))).await;
            attempt += 1;
        }
    }

    async fn ready(&self) -> Result<(), ReadError> {
        let config = &self.account.config;
        self.account
            .ready()
            .await
            .map(|_| ())
            .map_err(|error| ReadError::of_identity(&config.name, self.region, &error))
    }

    fn failed(&self, call: &'static str, error: CallError) -> ReadError {
        let kind = ReadError::kind_of(&error);
        self.error(call, kind, error.code, error.message)
    }

    fn unreadable(&self, call: &'static str, why: String) -> ReadError {
        self.error(call, ReadErrorKind::Unreadable, "UnreadableAnswer".into(), why.into())
    }

    fn out_of_budget(&self, call: &'static str, ready: Mono) -> ReadError {
        let wait_s = ready.since_ms(clock::now()) / 1000;
        let message = format!("our share of the account's rate is used up for another {wait_s} s");
        self.error(call, ReadErrorKind::Throttled, "OwnBudget".into(), message.into())
    }

    fn error(&self, call: &'static str, kind: ReadErrorKind, code: Arc<str>, message: Arc<str>) -> ReadError {
        let config = &self.account.config;
        ReadError { account: config.name.clone(), region: self.region, call, code, message, kind }
    }
}

impl<T: Resource> Answer<T> {
    fn only(mut self, keep: impl Fn(&T) -> bool) -> Self {
        self.things.retain(|thing| keep(thing));
        self
    }

    fn into_read(self, scope: Scope<T>) -> Read<T> {
        Read { reading: Arc::new(Reading::new(self.began, scope, self.things)), pages: self.pages }
    }
}

/// Asks for some of `keys` at a time; the whole began when the first did.
async fn in_chunks<K, T, F>(
    keys: &BTreeSet<K>,
    size: usize,
    ask: impl Fn(Vec<K>) -> F,
) -> Result<Answer<T>, ReadError>
where
    K: Copy,
    F: Future<Output = Result<Answer<T>, ReadError>>,
{
    let keys: Vec<K> = keys.iter().copied().collect();
    let mut whole: Option<Answer<T>> = None;
    for chunk in keys.chunks(size) {
        let part = ask(chunk.to_vec()).await?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                whole.things.extend(part.things);
                whole.pages += part.pages;
            }
        }
    }
    Ok(whole.unwrap_or_else(|| Answer { began: clock::now(), things: Vec::new(), pages: 0 }))
}

fn filter<'a, K: ToString + 'a>(name: &str, values: impl IntoIterator<Item = &'a K>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(K::to_string).collect())).build()
}

fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::DescribeVpcPeeringConnections => "DescribeVpcPeeringConnections",
        Operation::DescribeRouteTables => "DescribeRouteTables",
        Operation::DescribeVpcs => "DescribeVpcs",
        Operation::DescribeManagedPrefixLists => "DescribeManagedPrefixLists",
        Operation::DescribeStaleSecurityGroups => "DescribeStaleSecurityGroups",
        Operation::DescribeSecurityGroupRules => "DescribeSecurityGroupRules",
        _ => "Describe",
    }
}
