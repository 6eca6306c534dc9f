//! Sweeps, narrow readings, and the views made of them: one [`Place`] per AwsAccount and Region.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peerkeeper_core::ids::{PrefixListId, Region, RouteTableId, VpcId, VpcPair};
use peerkeeper_core::observed::{
    Peering, PrefixList, Reading, Resource, RouteTable, Scope, SideView, StaleRule, Unseen, View, Vpc,
};
use peerkeeper_core::time::Mono;

use super::accounts::Account;
use super::errors::{ReadError, ReadErrorKind};
use super::quotas::Quotas;
use super::read::{Asked, Questions, Read};
use super::snapshot::{Joined, Snapshot};
use super::{Inner, clock};

/// One account in one Region.
pub(super) struct Place {
    account: Arc<Account>,
    region: Region,
    questions: Questions,
    absence_gap_ms: u64,
    snapshot: Mutex<Snapshot>,
    quotas: Quotas,
    quotas_client: aws_sdk_servicequotas::Client,
    sweeps: Joined<(), Result<SweepReport, ReadError>>,
    peerings: Joined<VpcPair, Answer<Peering>>,
    tables: Joined<RouteTableId, Answer<RouteTable>>,
    vpcs: Joined<VpcId, Answer<Vpc>>,
    prefix_lists: Joined<PrefixListId, Answer<PrefixList>>,
    /// AWS is asked of one VPC at a time, so only those who ask about the same one share a call.
    stale_rules: Mutex<BTreeMap<VpcId, Arc<Joined<(), OfVpc>>>>,
}

/// Objects that are woken at one moment come to their readings some milliseconds apart: shorter than a call takes.
const GATHERS: Duration = Duration::from_millis(25);

type Answer<T> = Result<Read<T>, ReadError>;
/// `None`: there is no such VPC.
type OfVpc = Result<Option<Read<StaleRule>>, ReadError>;

/// The half that asks.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

/// What a sweep brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepReport {
    /// When the earliest of its readings began.
    pub began: Mono,
    pub peerings: usize,
    pub tables: usize,
    pub vpcs: usize,
    /// Answers it took: one per page.
    pub pages: u32,
    pub took_ms: u64,
}

/// What to read newly before a write: just what it touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NarrowNeeds {
    pub pair: Option<VpcPair>,
    pub vpcs: BTreeSet<VpcId>,
    pub tables: BTreeSet<RouteTableId>,
    pub prefix_lists: BTreeSet<PrefixListId>,
    /// VPCs whose stale security-group rules are wanted.
    pub stale_rules_of: BTreeSet<VpcId>,
}

impl Reader {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Reads every peering, route table and VPC of one account and Region, in as few calls as AWS's pages allow. A
    /// sweep that runs already began too early to be joined: its successor is, by all who ask meanwhile.
    pub async fn sweep(&self, name: &str, region: Region) -> Result<SweepReport, ReadError> {
        let unknown = |error| ReadError::of_identity(&name.into(), region, &error);
        let place = self.inner.place(name, region).map_err(unknown)?;
        let this = place.clone();
        let answer =
            place.sweeps.ask(&BTreeSet::from([()]), move |_| async move { this.sweep().await }).await;
        answer.unwrap_or_else(|| Err(place.crashed()))
    }

    /// What is known without asking.
    pub fn view(&self, name: &str, region: Region) -> SideView {
        self.inner.place(name, region).map_or_else(|_| SideView::default(), |place| place.view())
    }

    /// What is known, and newly read what `needs` names. Where that fails, the view says why, and has no narrow
    /// reading of that kind. Objects that ask at the same time share calls.
    pub async fn read_narrow(&self, name: &str, region: Region, needs: NarrowNeeds) -> SideView {
        let Ok(place) = self.inner.place(name, region) else { return SideView::default() };
        let NarrowNeeds { pair, vpcs, tables, prefix_lists, stale_rules_of } = needs;
        let pairs: BTreeSet<VpcPair> = pair.into_iter().collect();
        let (peerings, tables, vpcs, lists, rules) =
            tokio::join!(
                place.narrow(&place.peerings, pairs, |ask, keys| async move {
                    ask.peerings(Asked::Some(keys)).await
                }),
                place.narrow(&place.tables, tables, |ask, keys| async move {
                    ask.tables(Asked::Some(keys)).await
                }),
                place.narrow(&place.vpcs, vpcs, |ask, keys| async move { ask.vpcs(Asked::Some(keys)).await }),
                place.narrow(&place.prefix_lists, prefix_lists, |ask, keys| async move {
                    ask.prefix_lists(Asked::Some(keys)).await
                }),
                place.stale_rules(&stale_rules_of),
            );
        let errors = [error(&peerings), error(&tables), error(&vpcs), error(&lists), error(&rules)];
        let mut view = {
            let mut snapshot = place.snapshot();
            errors.into_iter().flatten().for_each(|error| note_wrong_account(&mut snapshot, error));
            drop(snapshot);
            place.view()
        };
        let fresh = [
            fill(&mut view.peerings, peerings),
            fill(&mut view.tables, tables),
            fill(&mut view.vpcs, vpcs),
            fill(&mut view.prefix_lists, lists),
            fill(&mut view.stale_rules, rules),
        ];
        if fresh.contains(&true) {
            view.caller = Some(place.account.config.account_id);
        }
        view
    }
}

fn error<T: Resource>(answer: &Option<Answer<T>>) -> Option<&ReadError> {
    answer.as_ref().and_then(|answer| answer.as_ref().err())
}

/// Puts a narrow reading into its view, or why there is none. Says whether there is one.
fn fill<T: Resource>(view: &mut View<T>, answer: Option<Answer<T>>) -> bool {
    match answer {
        Some(Ok(read)) => {
            view.narrow = Some(read.reading);
            true
        }
        Some(Err(error)) => {
            view.unseen = error.unseen();
            false
        }
        None => false,
    }
}

fn note_wrong_account(snapshot: &mut Snapshot, error: &ReadError) {
    if let ReadErrorKind::WrongAccount { found } = error.kind {
        snapshot.blind(found);
    }
}

impl Place {
    pub fn new(account: Arc<Account>, region: Region, inner: &Inner) -> Self {
        let quotas_client = account.quotas_client(region, inner.read_timeout);
        let questions = Questions::new(account.clone(), region, inner.budget.clone(), inner.read_timeout);
        Self {
            account,
            region,
            questions,
            absence_gap_ms: inner.absence_gap_ms,
            snapshot: Mutex::default(),
            quotas: Quotas::default(),
            quotas_client,
            sweeps: Joined::new(Duration::ZERO),
            peerings: Joined::new(GATHERS),
            tables: Joined::new(GATHERS),
            vpcs: Joined::new(GATHERS),
            prefix_lists: Joined::new(GATHERS),
            stale_rules: Mutex::default(),
        }
    }

    fn snapshot(&self) -> MutexGuard<'_, Snapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> SideView {
        SideView { routes_per_table: self.quotas.routes_per_table(), ..self.snapshot().view() }
    }

    /// The three kinds are read at once. One that fails leaves the others' readings good: each is complete by itself.
    async fn sweep(&self) -> Result<SweepReport, ReadError> {
        let started = clock::now();
        let ask = &self.questions;
        let (peerings, tables, vpcs) = {
            let known = self.snapshot();
            (
                Asked::All(known.peerings.last()),
                Asked::All(known.tables.last()),
                Asked::All(known.vpcs.last()),
            )
        };
        let (peerings, tables, vpcs) =
            tokio::join!(ask.peerings(peerings), ask.tables(tables), ask.vpcs(vpcs));
        self.keep(&peerings, &tables, &vpcs);
        let (peerings, tables, vpcs) = (peerings?, tables?, vpcs?);
        self.quotas.refresh(&self.account, self.region, &self.quotas_client).await;
        let began = [peerings.reading.began(), tables.reading.began(), vpcs.reading.began()];
        let report = SweepReport {
            began: began.into_iter().min().unwrap_or(started),
            peerings: peerings.reading.len(),
            tables: tables.reading.len(),
            vpcs: vpcs.reading.len(),
            pages: peerings.pages + tables.pages + vpcs.pages,
            took_ms: clock::now().since_ms(started),
        };
        tracing::debug!(account = %self.account.name(), region = %self.region, ?report, "swept");
        Ok(report)
    }

    fn keep(&self, peerings: &Answer<Peering>, tables: &Answer<RouteTable>, vpcs: &Answer<Vpc>) {
        fn reading<T: Resource>(answer: &Answer<T>) -> Result<Arc<Reading<T>>, Unseen> {
            answer.as_ref().map(|read| read.reading.clone()).map_err(ReadError::unseen)
        }
        let gap_ms = self.absence_gap_ms;
        let mut snapshot = self.snapshot();
        if peerings.is_ok() || tables.is_ok() || vpcs.is_ok() {
            snapshot.caller = Some(self.account.config.account_id);
        }
        snapshot.peerings.record(reading(peerings), gap_ms);
        snapshot.tables.record(reading(tables), gap_ms);
        snapshot.vpcs.record(reading(vpcs), gap_ms);
        let errors = [peerings.as_ref().err(), tables.as_ref().err(), vpcs.as_ref().err()];
        errors.into_iter().flatten().for_each(|error| note_wrong_account(&mut snapshot, error));
    }

    /// `None` if nothing was asked for.
    async fn narrow<K, T, F>(
        &self,
        joined: &Joined<K, Answer<T>>,
        keys: BTreeSet<K>,
        ask: impl FnOnce(Questions, BTreeSet<K>) -> F,
    ) -> Option<Answer<T>>
    where
        K: Ord + Clone + Send + 'static,
        T: Resource + Send + Sync + 'static,
        Answer<T>: Send,
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        if keys.is_empty() {
            return None;
        }
        let questions = self.questions.clone();
        let answer = joined.ask(&keys, move |all| ask(questions, all)).await;
        Some(answer.unwrap_or_else(|| Err(self.crashed())))
    }

    /// Of each VPC by itself, as far as there is one; the whole began when the first was asked about. `None` if nothing was
    /// asked for.
    async fn stale_rules(&self, vpcs: &BTreeSet<VpcId>) -> Option<Answer<StaleRule>> {
        if vpcs.is_empty() {
            return None;
        }
        let asked = vpcs.iter().map(|vpc| async { (*vpc, self.stale_rules_of(*vpc).await) });
        let (mut found, mut rules) = (BTreeSet::new(), Vec::new());
        let (mut began, mut pages) = (clock::now(), 0);
        for (vpc, answer) in futures::future::join_all(asked).await {
            match answer {
                Ok(Some(read)) => {
                    found.insert(vpc);
                    began = began.min(read.reading.began());
                    pages += read.pages;
                    rules.extend(read.reading.iter().cloned());
                }
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        let reading = Arc::new(Reading::new(began, Scope::Groups(found), rules));
        Some(Ok(Read { reading, pages }))
    }

    async fn stale_rules_of(&self, vpc: VpcId) -> OfVpc {
        let joined = {
            let mut all = self.stale_rules.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(vpc).or_insert_with(|| Arc::new(Joined::new(GATHERS))).clone()
        };
        let questions = self.questions.clone();
        let ask = move |_| async move { questions.stale_rules(vpc).await };
        joined.ask(&BTreeSet::from([()]), ask).await.unwrap_or_else(|| Err(self.crashed()))
    }

    fn crashed(&self) -> ReadError {
        let config = &self.account.config;
        ReadError {
            account: config.name.clone(),
            region: self.region,
            call: "none",
            code: "Panic".into(),
            message: "the task that read it ended without an answer".into(),
            kind: ReadErrorKind::Unreadable,
        }
    }
}
