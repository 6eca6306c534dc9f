//! Whether we would hear of it: the health of what tells us at once, for each account and Region.
//!
//! Nothing says that an event did *not* come. So our own writes are the canary: each must come back through a queue as
//! CloudTrail's record of it. One that does not within [`Patience::echo_ms`], a queue that can't be read, or a call that
//! stops CloudTrail or EventBridge from telling, and the lane is [`Degraded`]: sweeps find everything all the same, later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use crate::ids::AccountRegion;
use crate::reason::Reason;
use crate::time::{Mono, Now, Wall};
use crate::trail::{Call, TrailEvent};

/// How long something may be missing before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Patience {
    /// Until a write of ours is heard of.
    pub echo_ms: u64,
    /// While a queue can't be read.
    pub queue_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { echo_ms: 15 * 60_000, queue_ms: 2 * 60_000 }
    }
}

/// Why events of one account and Region can't be relied on to come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Degraded {
    /// Somebody made a call that stops CloudTrail or EventBridge from telling, or may.
    Blinded { call: Arc<str>, by: Arc<str>, at: Wall },
    /// A write of ours was not heard of.
    NotEchoed { call: &'static str, at: Wall },
    /// The queue that they come through can't be read.
    QueueFails { queue: Arc<str>, why: Arc<str> },
}

impl Degraded {
    pub fn reason(&self) -> Reason {
        match self {
            Self::Blinded { .. } => Reason::TrailStopped,
            Self::NotEchoed { .. } => Reason::WriteNotEchoed,
            Self::QueueFails { .. } => Reason::QueueUnreadable,
        }
    }
}

impl fmt::Display for Degraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blinded { call, by, at: _ } => write!(
                f,
                "{by} called {call}, and no event has come since; see that the trail logs management events and that \
                 EventBridge's rule and its target are as deploy/aws/events makes them"
            ),
            Self::NotEchoed { call, at: _ } => write!(
                f,
                "Peerkeeper's own {call} was not heard of; see that a trail there logs management write events, that the \
                 rule of deploy/aws/events is enabled there, and that its target is the queue"
            ),
            Self::QueueFails { queue, why } => write!(
                f,
                "the queue {queue} can't be read: {why}; see that it exists and that sqs:ReceiveMessage, \
                 sqs:DeleteMessage and sqs:ChangeMessageVisibility are allowed"
            ),
        }
    }
}

/// All lanes. With no queue there is none, by choice, and nothing is degraded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lanes {
    patience: Patience,
    queues: BTreeMap<Arc<str>, Queue>,
    places: BTreeMap<AccountRegion, Lane>,
    /// Requests of our own: what they did is known already.
    own: Latest,
    /// Requests that were heard of: an event may come before the answer to its own call.
    heard: Latest,
}

/// Ids, of which the oldest are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Latest {
    ids: BTreeSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Latest {
    const MOST: usize = 8192;

    fn insert(&mut self, id: &Arc<str>) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id.clone());
        }
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn contains(&self, id: &Arc<str>) -> bool {
        self.ids.contains(id)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Queue {
    /// Since when, and why, as last said.
    failing: Option<(Mono, Arc<str>)>,
    received: Option<Mono>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Lane {
    waiting: VecDeque<Canary>,
    /// The last that was given up.
    missed: Option<Canary>,
    blinded: Option<Blinded>,
    /// Queues through which it was heard.
    through: BTreeSet<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Canary {
    call: &'static str,
    request_id: Option<Arc<str>>,
    sent: Now,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Blinded {
    call: Arc<str>,
    by: Arc<str>,
    at: Wall,
}

/// What a heard event was to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Echo {
    /// Our own write, come back.
    Own,
    Others,
}

/// A canary without an id is echoed by a call of its name made this close to it.
const ABOUT_THEN_S: i64 = 60;
/// Enough to notice; a mass restore sends hundreds.
const WAITING_MAX: usize = 64;

impl Lanes {
    pub fn new(patience: Patience, queues: impl IntoIterator<Item = Arc<str>>) -> Self {
        let queues = queues.into_iter().map(|name| (name, Queue::default())).collect();
        Self { patience, queues, ..Self::default() }
    }

    /// Some queue is read: events are expected to come.
    pub fn is_in_use(&self) -> bool {
        !self.queues.is_empty()
    }

    /// A write of ours was done.
    pub fn wrote(
        &mut self,
        now: Now,
        place: AccountRegion,
        call: &'static str,
        request_id: Option<Arc<str>>,
    ) {
        if !self.is_in_use() {
            return;
        }
        if let Some(id) = &request_id {
            self.own.insert(id);
            if self.heard.contains(id) {
                return;
            }
        }
        let lane = self.places.entry(place).or_default();
        if is_told_of(call) && lane.waiting.len() < WAITING_MAX {
            lane.waiting.push_back(Canary { call, request_id, sent: now });
        }
    }

    /// An event came through a queue.
    pub fn heard(&mut self, queue: &Arc<str>, event: &TrailEvent) -> Echo {
        self.heard.insert(&event.request_id);
        let lane = self.places.entry(event.place).or_default();
        if !lane.through.contains(queue) {
            lane.through.insert(queue.clone());
        }
        if let Call::Blind { name } = &event.call {
            let later = lane.blinded.as_ref().is_none_or(|known| known.at <= event.at);
            if later {
                lane.blinded =
                    Some(Blinded { call: name.clone(), by: event.actor.name().into(), at: event.at });
            }
            return Echo::Others;
        }
        lane.echo(event);
        // What was called later and came all the same shows that they come again.
        let answers = |missed: &Canary| {
            missed.sent.wall <= event.at || missed.request_id.as_ref() == Some(&event.request_id)
        };
        if lane.missed.as_ref().is_some_and(answers) {
            lane.missed = None;
        }
        if lane.blinded.as_ref().is_some_and(|blinded| blinded.at < event.at) {
            lane.blinded = None;
        }
        if self.own.contains(&event.request_id) { Echo::Own } else { Echo::Others }
    }

    /// A queue answered, with or without messages.
    pub fn received(&mut self, now: Mono, queue: &str) {
        if let Some(queue) = self.queues.get_mut(queue) {
            *queue = Queue { failing: None, received: Some(now) };
        }
    }

    /// A queue could not be read.
    pub fn failed(&mut self, now: Mono, queue: &str, why: Arc<str>) {
        if let Some(queue) = self.queues.get_mut(queue) {
            let since = queue.failing.as_ref().map_or(now, |(since, _)| *since);
            queue.failing = Some((since, why));
        }
    }

    /// When each queue answered last.
    pub fn last_received(&self) -> impl Iterator<Item = (&Arc<str>, Option<Mono>)> {
        self.queues.iter().map(|(name, queue)| (name, queue.received))
    }

    /// Gives up what has waited too long. Call it before [`Self::degraded`].
    pub fn tick(&mut self, now: Mono) {
        let echo_ms = self.patience.echo_ms;
        for lane in self.places.values_mut() {
            while lane.waiting.front().is_some_and(|first| now.since_ms(first.sent.mono) > echo_ms) {
                lane.missed = lane.waiting.pop_front();
            }
        }
    }

    /// Why events of this place can't be relied on; the plainest reason first.
    pub fn degraded(&self, now: Mono, place: AccountRegion) -> Option<Degraded> {
        if !self.is_in_use() {
            return None;
        }
        let lane = self.places.get(&place);
        if let Some(fails) = self.queue_of(now, lane) {
            return Some(fails);
        }
        if let Some(Blinded { call, by, at }) = lane.and_then(|lane| lane.blinded.clone()) {
            return Some(Degraded::Blinded { call, by, at });
        }
        let missed = lane?.missed.as_ref()?;
        Some(Degraded::NotEchoed { call: missed.call, at: missed.sent.wall })
    }

    /// A place hears nothing once every queue that it was heard through fails; one that was never heard of may be any
    /// queue's.
    fn queue_of(&self, now: Mono, lane: Option<&Lane>) -> Option<Degraded> {
        let through = lane.map(|lane| &lane.through).filter(|through| !through.is_empty());
        let fails = |name: &Arc<str>| {
            let (since, why) = self.queues.get(name)?.failing.as_ref()?;
            let long = now.since_ms(*since) > self.patience.queue_ms;
            long.then(|| Degraded::QueueFails { queue: name.clone(), why: why.clone() })
        };
        match through {
            None => self.queues.keys().find_map(fails),
            Some(through) => {
                let failing: Option<Vec<Degraded>> = through.iter().map(fails).collect();
                failing?.into_iter().next()
            }
        }
    }
}

impl Lane {
    fn echo(&mut self, event: &TrailEvent) {
        let by_id =
            self.waiting.iter().position(|canary| canary.request_id.as_ref() == Some(&event.request_id));
        // AWS did not say which request it was: a call of that name, at about that time, is as good a sign.
        let about = |canary: &Canary| {
            canary.request_id.is_none()
                && canary.call == event.call.name()
                && canary.sent.wall.since_s(event.at).abs() <= ABOUT_THEN_S
        };
        if let Some(at) = by_id.or_else(|| self.waiting.iter().position(about)) {
            self.waiting.remove(at);
        }
    }
}

/// Whether the rule lets such a call through: tags and security groups are none of its business.
fn is_told_of(call: &str) -> bool {
    !matches!(call, "CreateTags" | "DeleteTags" | "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress")
}

#[cfg(test)]
mod tests;
