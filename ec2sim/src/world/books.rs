//! Counters per call and caller, and the log of what reached EC2.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::World;
use crate::chance::mix;
use crate::request::{Action, Caller, Request};
use crate::view::Target;

/// A mutating call that reached EC2, done or refused. Calls that a fault stopped on their way are only counted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Mutation {
    pub at_ms: u64,
    pub caller: Caller,
    pub action: Action,
    pub request: Request,
    /// What the call was about and what it made, in that order.
    pub ids: Vec<String>,
    /// Where the route led that this call replaced or deleted.
    pub was: Option<Target>,
    /// The code of a refusal.
    pub result: Result<(), &'static str>,
    /// False: it is done (or refused), and the caller was not told.
    pub answered: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Books {
    counts: Arc<BTreeMap<(Caller, Action), u64>>,
    throttled: Arc<BTreeMap<(Caller, Action), u64>>,
    log: Arc<Vec<Arc<Mutation>>>,
    keeps_log: bool,
    /// Calls of what is not simulated, by service and the name that came.
    unknown: Arc<BTreeMap<(String, String), u64>>,
    requests: u64,
    request_id: Option<String>,
}

/// So many different names of unknown calls are remembered: what a stranger sends must not fill the memory.
const MOST_UNKNOWN: usize = 1_000;

impl Default for Books {
    fn default() -> Self {
        Self {
            counts: Arc::default(),
            throttled: Arc::default(),
            log: Arc::default(),
            keeps_log: true,
            unknown: Arc::default(),
            requests: 0,
            request_id: None,
        }
    }
}

impl Books {
    pub(crate) fn count(&mut self, caller: &Caller, action: Action) {
        let counts = Arc::make_mut(&mut self.counts);
        *counts.entry((caller.clone(), action)).or_default() += 1;
    }

    pub(crate) fn count_throttled(&mut self, caller: &Caller, action: Action) {
        let counts = Arc::make_mut(&mut self.throttled);
        *counts.entry((caller.clone(), action)).or_default() += 1;
    }

    /// Of the last call, where a record of it has one.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(crate) fn note_request_id(&mut self, id: Option<String>) {
        self.request_id = id;
    }

    pub(crate) fn record(&mut self, mutation: Mutation) {
        if self.keeps_log {
            Arc::make_mut(&mut self.log).push(Arc::new(mutation));
        }
    }
}

impl World {
    /// Calls of this action by anybody, failed ones and single pages included.
    pub fn count(&self, action: Action) -> u64 {
        self.counts().iter().filter(|((_, counted), _)| *counted == action).map(|(_, count)| count).sum()
    }

    pub fn count_by(&self, principal: &str, action: Action) -> u64 {
        let by_them = |caller: &Caller| &*caller.principal == principal;
        let matching =
            self.counts().iter().filter(|((caller, counted), _)| *counted == action && by_them(caller));
        matching.map(|(_, count)| count).sum()
    }

    pub fn counts(&self) -> &BTreeMap<(Caller, Action), u64> {
        &self.books.counts
    }

    /// Of those counted, how many found their token bucket empty.
    pub fn throttled(&self) -> &BTreeMap<(Caller, Action), u64> {
        &self.books.throttled
    }

    /// Calls of what is not simulated, by service and the name that came.
    pub fn unknown_calls(&self) -> &BTreeMap<(String, String), u64> {
        &self.books.unknown
    }

    /// Counts a call of what is not simulated.
    pub fn count_unknown(&mut self, service: &str, name: &str) {
        let short = |text: &str| text.chars().take(100).collect::<String>();
        let unknown = Arc::make_mut(&mut self.books.unknown);
        let key = (short(service), short(name));
        if unknown.len() < MOST_UNKNOWN || unknown.contains_key(&key) {
            *unknown.entry(key).or_default() += 1;
        }
    }

    /// The id of the next request that comes over a wire: it follows from how many came before.
    pub fn next_request_id(&mut self) -> String {
        self.books.requests += 1;
        let (high, low) = (mix(self.books.requests), mix(!self.books.requests));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }

    pub fn reset_counts(&mut self) {
        self.books.unknown = Arc::default();
        self.books.counts = Arc::default();
        self.books.throttled = Arc::default();
    }

    /// Oldest first.
    pub fn log(&self) -> impl DoubleEndedIterator<Item = &Mutation> + ExactSizeIterator {
        self.books.log.iter().map(AsRef::as_ref)
    }

    pub fn clear_log(&mut self) {
        self.books.log = Arc::default();
    }

    /// A model checker's many worlds need no history.
    pub fn keep_log(&mut self, keep: bool) {
        self.books.keeps_log = keep;
    }
}
