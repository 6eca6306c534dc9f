//! CloudTrail's event history: who made the call, where no message said so. It needs no trail and no queue, and answers to
//! our own credentials only, so nobody else can write to it.
//!
//! AWS allows two calls a second in each account and Region, to everybody together. So there is one caller for each, and
//! it makes one call a second at most.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::AccountRegion;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Heard, TrailEvent};
use peerkeeper_core::witness::Ask;
use tokio::time::Instant;

use super::parse::{self, Parsed};
use crate::aws::{Aws, CallError, Door, IdentityError};

/// Between two calls in one account and Region.
const PAUSE: Duration = Duration::from_secs(1);
const CALL: Duration = Duration::from_secs(10);
/// How long a listing counts as new: the history lags by minutes anyway.
const LISTING_HOLDS: Duration = Duration::from_secs(15);
/// As many as AWS gives.
const PAGE: i32 = 50;
/// Whoever deletes a thousand peerings in a day is found on these; the newest come first.
const PAGES_MAX: usize = 20;

/// Asked of the history of one account and Region: who did this?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The AwsAccount's name.
    pub account: Arc<str>,
    pub at: AccountRegion,
    pub ask: Ask,
    /// Where only the calls' names can be asked for, those before this moment are not looked at.
    pub since: Wall,
}

impl Question {
    /// The history's own word, of such a call since then. Of a peering there is one end, whenever it was.
    pub fn is_answered_by(&self, event: &TrailEvent) -> bool {
        let is_time = matches!(self.ask, Ask::Ending(_)) || event.at >= self.since;
        event.heard == Heard::History && is_time && self.ask.is_answered_by(&event.call)
    }
}

/// What the history told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Everything that it knows of the question, and perhaps of others' losses.
    Events(Vec<Arc<TrailEvent>>),
    /// It can't be asked, for this reason.
    Unavailable(Arc<str>),
    /// It was asked in vain this time.
    Failed(Arc<str>),
    /// The answer was known before its turn came.
    NotNeeded,
}

/// Asks, one call at a time in each place. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct History {
    aws: Aws,
    lanes: Arc<Mutex<BTreeMap<AccountRegion, Arc<tokio::sync::Mutex<Lane>>>>>,
}

/// One account and Region. Held while a call is under way.
#[derive(Default)]
struct Lane {
    /// When the next call may be made.
    free: Option<Instant>,
    /// By the calls' names.
    listings: BTreeMap<&'static [&'static str], Listing>,
}

/// Every call of some names, as the history last listed them: one answer for many questions.
struct Listing {
    asked: Instant,
    since: Wall,
    events: Vec<Arc<TrailEvent>>,
}

impl Listing {
    fn answers(&self, question: &Question) -> bool {
        self.since <= question.since && self.asked.elapsed() < LISTING_HOLDS
    }
}

enum Fault {
    Call(CallError),
    Endless,
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl History {
    pub fn new(aws: Aws) -> Self {
        Self { aws, lanes: Arc::default() }
    }

    fn lane(&self, at: AccountRegion) -> Arc<tokio::sync::Mutex<Lane>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(at).or_default().clone()
    }

    async fn door(&self, account: &Arc<str>, at: AccountRegion) -> Result<Door, Told> {
        let door = self.aws.door(Some(account), at.region).map_err(|error| of_identity(&error))?;
        door.ready().await.map_err(|error| of_identity(&error))?;
        Ok(door)
    }

    /// Asks when it is this question's turn, if it is `wanted` then: of fifty peerings that one person deleted, the first
    /// answer often names all.
    pub async fn ask(&self, question: &Question, wanted: impl Fn() -> bool) -> Told {
        let lane = self.lane(question.at);
        let mut lane = lane.lock().await;
        if !wanted() {
            return Told::NotNeeded;
        }
        let door = match self.door(&question.account, question.at).await {
            Ok(door) => door,
            Err(told) => return told,
        };
        let client = Client::new(&door.sdk_config(CALL));
        let asking = Asking { at: question.at, door: &door, client: &client, lane: &mut lane };
        Self::told(asking.all(question).await)
    }

    /// Asks whether it knows the event of this id, by the AwsAccount of this name. None or one comes back.
    pub async fn find(&self, account: &Arc<str>, at: AccountRegion, id: &str) -> Told {
        let lane = self.lane(at);
        let mut lane = lane.lock().await;
        let door = match self.door(account, at).await {
            Ok(door) => door,
            Err(told) => return told,
        };
        let client = Client::new(&door.sdk_config(CALL));
        let mut asking = Asking { at, door: &door, client: &client, lane: &mut lane };
        let found = asking.pages(LookupAttributeKey::EventId, id, None).await;
        Self::told(found.map(|all| all.into_iter().filter(|event| *event.id == *id).collect()))
    }

    fn told(found: Result<Vec<Arc<TrailEvent>>, Fault>) -> Told {
        match found {
            Ok(events) => Told::Events(events),
            Err(Fault::Endless) => Told::Unavailable(
                format!("the event history shows more than {PAGES_MAX} pages of such calls").into(),
            ),
            Err(Fault::Call(error)) if error.kind() == RefusalKind::Denied => {
                Told::Unavailable(format!("cloudtrail:LookupEvents was refused with {error}").into())
            }
            Err(Fault::Call(error)) => Told::Failed(error.to_string().into()),
        }
    }
}

fn of_identity(error: &IdentityError) -> Told {
    match error {
        IdentityError::Failed { .. } => Told::Failed(error.to_string().into()),
        _ => Told::Unavailable(error.to_string().into()),
    }
}

struct Asking<'a> {
    at: AccountRegion,
    door: &'a Door,
    client: &'a Client,
    lane: &'a mut Lane,
}

impl Asking<'_> {
    /// By the peering's id first. No source says that AWS files these calls under it, so by the calls' names next.
    async fn all(mut self, question: &Question) -> Result<Vec<Arc<TrailEvent>>, Fault> {
        let id = question.ask.resource();
        // A peering ends once; a route table is written to all day.
        let since = Some(question.since).filter(|_| !matches!(question.ask, Ask::Ending(_)));
        let mut found = self.pages(LookupAttributeKey::ResourceName, &id, since).await?;
        if found.iter().any(|event| question.is_answered_by(event)) {
            return Ok(found);
        }
        let names = question.ask.calls();
        if let Some(listed) = self.lane.listings.get(names).filter(|listed| listed.answers(question)) {
            found.extend(listed.events.iter().cloned());
            return Ok(found);
        }
        let (asked, mut events) = (Instant::now(), Vec::new());
        for name in names {
            events.extend(self.pages(LookupAttributeKey::EventName, name, Some(question.since)).await?);
        }
        found.extend(events.iter().cloned());
        self.lane.listings.insert(names, Listing { asked, since: question.since, events });
        Ok(found)
    }

    async fn pages(
        &mut self,
        key: LookupAttributeKey,
        value: &str,
        since: Option<Wall>,
    ) -> Result<Vec<Arc<TrailEvent>>, Fault> {
        let (mut next, mut found): (Option<String>, _) = (None, Vec::new());
        for _ in 0..PAGES_MAX {
            next = self.page(key.clone(), value, since, next, &mut found).await?;
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(Fault::Endless)
    }

    async fn page(
        &mut self,
        key: LookupAttributeKey,
        value: &str,
        since: Option<Wall>,
        token: Option<String>,
        found: &mut Vec<Arc<TrailEvent>>,
    ) -> Result<Option<String>, CallError> {
        if let Some(free) = self.lane.free {
            tokio::time::sleep_until(free).await;
        }
        let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build().ok();
        let ask = self
            .client
            .lookup_events()
            .set_lookup_attributes(attribute.map(|one| vec![one]))
            .set_start_time(since.map(|since| DateTime::from_secs(since.0)))
            .max_results(PAGE)
            .set_next_token(token);
        self.lane.free = Some(Instant::now() + PAUSE);
        let answer = self.door.call(self.at, "LookupEvents", ask.send()).await?;
        for event in answer.events() {
            match parse::record(event.cloud_trail_event().unwrap_or_default(), self.at) {
                Parsed::Event(event) => found.push(event),
                Parsed::Ignored(_) => {}
                Parsed::Poison(why) => {
                    tracing::warn!(place = %self.at, why, "a record of the event history can't be read");
                }
            }
        }
        Ok(answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned))
    }
}
