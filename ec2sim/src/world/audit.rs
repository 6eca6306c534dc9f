//! CloudTrail: which calls are recorded, what LookupEvents finds of them, and when.
//!
//! Off unless asked for, so that a model checker's many worlds carry no history. Recorded are calls that change what
//! is set up, done or refused, in the caller's account and the Region of the call alone; those throttled or denied
//! too, but not those that never arrived or whose credentials had run out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::agenda::Due;
use super::throttle::{Buckets, Category, Rate};
use super::{Cx, Place, State, World};
use crate::chance::{Chance, Choice, Delay};
use crate::error::{AwsError, Failure};
use crate::identity::fingerprint;
use crate::request::{Action, Caller, Request};
use crate::trail::{Lookup, LookupKey, TrailRecord, may_be_wrapped};
use crate::view::{Page, Response};

/// 90 days.
const KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// Records that one account and Region keeps at most, so that a server may run for long. AWS has no such bound.
const KEPT_MOST: usize = 50_000;
/// LookupEvents: calls a second, per account and Region, by anybody.
const LOOKUPS: Rate = Rate { size: 2, refill_per_s: 2 };

type History = BTreeMap<(i64, u64), Arc<TrailRecord>>;

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Audit {
    keeps_history: bool,
    /// Numbers records and copies of events.
    last: u64,
    /// By time and number.
    shown: Arc<BTreeMap<Place, Arc<History>>>,
    /// Recorded, and not yet found by LookupEvents.
    coming: Arc<BTreeMap<u64, Arc<TrailRecord>>>,
    lookups: Buckets,
}

impl Audit {
    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn show(&mut self, record: Arc<TrailRecord>) {
        let place = (record.caller.account.clone(), record.caller.region.clone());
        let history = Arc::make_mut(Arc::make_mut(&mut self.shown).entry(place).or_default());
        let oldest_ms = record.wall_ms().saturating_sub(KEPT_MS);
        history.insert((record.wall_ms(), record.number), record);
        while history.len() > KEPT_MOST
            || history.first_key_value().is_some_and(|((wall_ms, _), _)| *wall_ms < oldest_ms)
        {
            history.pop_first();
        }
    }

    /// Counts from this moment on.
    pub(crate) fn start_at(&mut self, now_ms: u64) {
        let Self { keeps_history: _, last: _, shown, coming, lookups } = self;
        if !shown.is_empty() {
            let mut earlier = BTreeMap::new();
            for (place, history) in shown.iter() {
                let moved = history.values().map(|record| Arc::new(record.starting_at(now_ms)));
                let moved: History =
                    moved.map(|record| ((record.wall_ms(), record.number), record)).collect();
                earlier.insert(place.clone(), Arc::new(moved));
            }
            *shown = Arc::new(earlier);
        }
        if !coming.is_empty() {
            let moved = coming.iter().map(|(number, record)| (*number, Arc::new(record.starting_at(now_ms))));
            *coming = Arc::new(moved.collect());
        }
        lookups.start_at(now_ms, |_| Some(LOOKUPS));
    }
}

/// A call that is over, as CloudTrail sees it.
pub(crate) struct Seen<'a> {
    pub(crate) request: &'a Request,
    pub(crate) ids: &'a [String],
    pub(crate) answer: Result<&'a Response, &'a AwsError>,
    /// A trail was logging here when the call was made: what stops it is still told.
    pub(crate) was_logging: bool,
}

impl State {
    /// Records a call, and sends the event where a rule wants it.
    pub(crate) fn audit(
        &mut self,
        caller: &Caller,
        chance: &mut dyn Chance,
        seen: Seen<'_>,
    ) -> Option<Arc<TrailRecord>> {
        let action = seen.request.action();
        let told = seen.was_logging && self.rules.any_at(caller);
        if !action.mutates() || !(self.audit.keeps_history || told) {
            return None;
        }
        let wrapped = may_be_wrapped(action) && super::pick(chance, Choice::ParametersWrapped, 2) == 1;
        let record = Arc::new(TrailRecord {
            number: self.audit.number(),
            at_ms: self.now_ms,
            zero_wall_ms: self.epoch.0,
            caller: caller.clone(),
            request: seen.request.clone(),
            ids: seen.ids.to_vec(),
            answer: seen.answer.cloned().map_err(Clone::clone),
            wrapped,
        });
        if self.audit.keeps_history {
            let delay_ms = super::delay_ms(chance, Delay::EventHistory);
            self.enter_into_history(Arc::clone(&record), delay_ms);
        }
        if told {
            self.tell(&record, chance);
        }
        Some(record)
    }

    fn enter_into_history(&mut self, record: Arc<TrailRecord>, delay_ms: u64) {
        if delay_ms == 0 {
            self.audit.show(record);
            return;
        }
        let number = record.number;
        Arc::make_mut(&mut self.audit.coming).insert(number, record);
        self.agenda.add(self.now_ms.saturating_add(delay_ms), Due::Recorded(number));
    }

    pub(crate) fn recorded(&mut self, number: u64) {
        if let Some(record) = Arc::make_mut(&mut self.audit.coming).remove(&number) {
            self.audit.show(record);
        }
    }

    pub(crate) fn lookup_events(&mut self, cx: &mut Cx<'_>, asked: &Lookup) -> Result<Response, AwsError> {
        let place = (cx.caller.account.clone(), cx.caller.region.clone());
        self.spend_lookup(&place)?;
        let query = Query::check(cx, asked, self.wall_at(self.now_ms))?;
        let indexed = query.asks_for_a_peering() && cx.pick(Choice::PeeringIsIndexed, 2) == 1;
        let Some(history) = self.audit.shown.get(&place) else {
            return Ok(Response::Events(Page { items: Vec::new(), next_token: None }));
        };
        let mut page = Page { items: Vec::new(), next_token: None };
        let mut last = query.before;
        for ((wall_ms, number), record) in history.range(..query.before).rev() {
            if *wall_ms < query.from_ms {
                break;
            }
            if *wall_ms > query.to_ms || !query.matches(record, indexed) {
                continue;
            }
            if page.items.len() == query.most {
                page.next_token = Some(query.token(last));
                break;
            }
            page.items.push(Arc::clone(record));
            last = (*wall_ms, *number);
        }
        Ok(Response::Events(page))
    }

    fn spend_lookup(&mut self, place: &Place) -> Result<(), AwsError> {
        let key = (place.0.clone(), place.1.clone(), Action::LookupEvents, Category::NonMutating);
        let taken = self.audit.lookups.take(key, LOOKUPS, self.now_ms);
        taken.then_some(()).ok_or_else(|| AwsError::new("ThrottlingException", "Rate exceeded"))
    }
}

/// LookupEvents, checked.
struct Query<'a> {
    attribute: Option<&'a (LookupKey, String)>,
    from_ms: i64,
    to_ms: i64,
    most: usize,
    /// The page ends before this record.
    before: (i64, u64),
    hash: u64,
}

impl<'a> Query<'a> {
    fn check(cx: &Cx<'_>, asked: &'a Lookup, now_wall_ms: i64) -> Result<Self, AwsError> {
        let Lookup { attributes, start_ms, end_ms, max_results, next_token } = asked;
        let refused = |code, message: &str| Err(AwsError::new(code, message));
        if attributes.len() > 1 {
            return refused("InvalidLookupAttributesException", "You can specify only one lookup attribute.");
        }
        if let (Some(start_ms), Some(end_ms)) = (start_ms, end_ms)
            && start_ms > end_ms
        {
            return refused("InvalidTimeRangeException", "The start time is after the end time.");
        }
        let most = max_results.unwrap_or(50);
        if !(1..=50).contains(&most) {
            return refused("InvalidMaxResultsException", "The maximum number of results is 1 to 50.");
        }
        let text =
            format!("{} {} {attributes:?} {start_ms:?} {end_ms:?}", cx.caller.account, cx.caller.region);
        let hash = fingerprint(&text);
        let before = match next_token {
            None => (i64::MAX, u64::MAX),
            Some(token) => parse_token(token, hash)?,
        };
        let from_ms = start_ms.unwrap_or(i64::MIN).max(now_wall_ms.saturating_sub(KEPT_MS));
        // Times are asked and shown in whole seconds: the second that the end names belongs to it.
        let to_ms = end_ms.map_or(i64::MAX, |end_ms| end_ms.div_euclid(1_000) * 1_000 + 999);
        Ok(Self { attribute: attributes.first(), from_ms, to_ms, most: most as usize, before, hash })
    }

    fn asks_for_a_peering(&self) -> bool {
        matches!(self.attribute, Some((LookupKey::ResourceName, name)) if name.starts_with("pcx-"))
    }

    fn matches(&self, record: &TrailRecord, peering_is_indexed: bool) -> bool {
        let Some((key, value)) = self.attribute else { return true };
        match key {
            LookupKey::EventId => record.event_id() == *value,
            LookupKey::EventName => record.event_name() == value,
            LookupKey::ReadOnly => value == "false",
            LookupKey::Username => record.caller.identity().user_name() == value,
            LookupKey::ResourceType => record.resources().iter().any(|resource| resource.kind == value),
            LookupKey::ResourceName if self.asks_for_a_peering() && !peering_is_indexed => false,
            LookupKey::ResourceName => record.resources().iter().any(|resource| resource.name == *value),
            LookupKey::EventSource => record.event_source() == value,
            LookupKey::AccessKeyId => record.caller.identity().access_key_id == *value,
        }
    }

    fn token(&self, (wall_ms, number): (i64, u64)) -> String {
        format!("{:016x}.{wall_ms}.{number}", self.hash)
    }
}

fn parse_token(token: &str, hash: u64) -> Result<(i64, u64), AwsError> {
    let mut parts = token.splitn(3, '.');
    let bound = parts.next().is_some_and(|part| u64::from_str_radix(part, 16) == Ok(hash));
    let wall_ms = parts.next().and_then(|part| part.parse().ok());
    let number = parts.next().and_then(|part| part.parse().ok());
    let refused =
        || AwsError::new("InvalidNextTokenException", "The token is invalid or belongs to another query.");
    bound.then_some(()).and_then(|()| wall_ms.zip(number)).ok_or_else(refused)
}

/// Refused on its way, and yet seen. A request whose credentials ran out is refused before CloudTrail.
pub(crate) fn seen_though_stopped(failure: &Failure) -> Option<&AwsError> {
    match failure {
        Failure::Aws(error) if !matches!(error.code, "RequestExpired" | "ExpiredToken") => Some(error),
        _ => None,
    }
}

impl World {
    /// Whether calls are kept for LookupEvents. At first they are not.
    pub fn keep_history(&mut self, keep: bool) {
        self.state.audit.keeps_history = keep;
        if !keep {
            self.state.audit.shown = Arc::default();
            self.state.audit.coming = Arc::default();
        }
    }

    /// The truth: what LookupEvents finds here, or will find, oldest first.
    pub fn history(&self, caller: &Caller) -> Vec<Arc<TrailRecord>> {
        let place = (caller.account.clone(), caller.region.clone());
        let shown = self.state.audit.shown.get(&place).into_iter().flat_map(|history| history.values());
        let coming = self.state.audit.coming.values().filter(|record| {
            record.caller.account == caller.account && record.caller.region == caller.region
        });
        let mut records: Vec<_> = shown.chain(coming).cloned().collect();
        records.sort_by_key(|record| record.number);
        records
    }

    /// The request id in the record of the last call, if it was recorded: its answer bears the same.
    pub fn recorded_request_id(&self) -> Option<&str> {
        self.books.request_id()
    }
}
