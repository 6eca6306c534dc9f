//! EventBridge: rules on the default bus of an account and Region, and the way of an event to a queue.
//!
//! Delivery is best effort: copies are late, change places, come twice or never, as `Chance` says. A target may be a
//! queue in another account or Region, as behind the bus of a hub account; the event keeps its origin. Events whose
//! queue is gone go to the target's dead letters, or are gone too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::agenda::Due;
use super::{Cx, Place, State, World};
use crate::chance::{Chance, Choice, Delay};
use crate::error::{AwsError, Failure};
use crate::ids::{AccountId, Region};
use crate::queue::{Body, QueueId};
use crate::request::{Caller, Request};
use crate::trail::{EventPattern, RuleTarget, TrailRecord, eventbridge_sender};
use crate::view::Response;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Rule {
    pattern: EventPattern,
    enabled: bool,
    targets: BTreeMap<String, RuleTarget>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Rules {
    by_place: Arc<BTreeMap<Place, BTreeMap<String, Rule>>>,
    /// On the way to a queue, by number.
    in_flight: Arc<BTreeMap<u64, (RuleTarget, Arc<TrailRecord>)>>,
}

impl Rules {
    pub(crate) fn any_at(&self, caller: &Caller) -> bool {
        !self.by_place.is_empty()
            && self.by_place.contains_key(&(caller.account.clone(), caller.region.clone()))
    }

    /// The targets that want it.
    fn wanting(&self, record: &TrailRecord) -> Vec<RuleTarget> {
        let place = (record.caller.account.clone(), record.caller.region.clone());
        let rules = self.by_place.get(&place).into_iter().flat_map(BTreeMap::values);
        let taking = rules.filter(|rule| rule.enabled && rule.pattern.matches(record));
        taking.flat_map(|rule| rule.targets.values().cloned()).collect()
    }

    pub(crate) fn start_at(&mut self, now_ms: u64) {
        if self.in_flight.is_empty() {
            return;
        }
        for (_, record) in Arc::make_mut(&mut self.in_flight).values_mut() {
            *record = Arc::new(record.starting_at(now_ms));
        }
    }
}

fn no_rule(name: &str) -> AwsError {
    AwsError::new("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus default."))
}

impl State {
    /// Sends the event on its way to every queue that wants it.
    pub(crate) fn tell(&mut self, record: &Arc<TrailRecord>, chance: &mut dyn Chance) {
        for target in self.rules.wanting(record) {
            if super::pick(chance, Choice::EventLost, 2) == 1 {
                continue;
            }
            let copies = 1 + super::pick(chance, Choice::EventTwice, 2);
            for _ in 0..copies {
                let delay_ms = super::delay_ms(chance, Delay::EventDelivery);
                self.send_event(target.clone(), Arc::clone(record), delay_ms);
            }
        }
    }

    fn send_event(&mut self, target: RuleTarget, record: Arc<TrailRecord>, delay_ms: u64) {
        if delay_ms == 0 {
            self.put_event(&target, record);
            return;
        }
        let number = self.audit.number();
        Arc::make_mut(&mut self.rules.in_flight).insert(number, (target, record));
        self.agenda.add(self.now_ms.saturating_add(delay_ms), Due::Event(number));
    }

    pub(crate) fn event_arrives(&mut self, number: u64) {
        if let Some((target, record)) = Arc::make_mut(&mut self.rules.in_flight).remove(&number) {
            self.put_event(&target, record);
        }
    }

    fn put_event(&mut self, target: &RuleTarget, record: Arc<TrailRecord>) {
        let RuleTarget { id: _, queue, dead_letters } = target;
        for queue in [queue].into_iter().chain(dead_letters) {
            let body = Body::Event(Arc::clone(&record));
            if self.put_message(queue, body, BTreeMap::new(), &eventbridge_sender(), None).is_some() {
                return;
            }
        }
    }

    fn change_rule(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        change: impl FnOnce(&mut Rule),
    ) -> Result<Response, AwsError> {
        cx.touch(name);
        let place = (cx.caller.account.clone(), cx.caller.region.clone());
        if !self.rules.by_place.get(&place).is_some_and(|rules| rules.contains_key(name)) {
            return Err(no_rule(name));
        }
        let rules = Arc::make_mut(&mut self.rules.by_place).get_mut(&place);
        if let Some(rule) = rules.and_then(|rules| rules.get_mut(name)) {
            change(rule);
        }
        Ok(Response::Done)
    }

    /// A rule that exists keeps its targets.
    pub(crate) fn put_rule(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        pattern: &EventPattern,
        enabled: bool,
    ) -> Result<Response, AwsError> {
        cx.touch(name);
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(fine) {
            let message = format!("Rule name '{name}' must have 1 to 64 letters, digits, '.', '_' or '-'.");
            return Err(AwsError::new("ValidationException", message));
        }
        let place = (cx.caller.account.clone(), cx.caller.region.clone());
        let rules = Arc::make_mut(&mut self.rules.by_place).entry(place).or_default();
        let targets = rules.remove(name).map(|rule| rule.targets).unwrap_or_default();
        rules.insert(name.to_owned(), Rule { pattern: pattern.clone(), enabled, targets });
        Ok(Response::Done)
    }

    pub(crate) fn set_rule(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        enabled: bool,
    ) -> Result<Response, AwsError> {
        self.change_rule(cx, name, |rule| rule.enabled = enabled)
    }

    /// One that is not there is no error; one that still has targets stays.
    pub(crate) fn delete_rule(&mut self, cx: &mut Cx<'_>, name: &str) -> Result<Response, AwsError> {
        cx.touch(name);
        let place = (cx.caller.account.clone(), cx.caller.region.clone());
        let found = self.rules.by_place.get(&place).and_then(|rules| rules.get(name));
        let Some(rule) = found else { return Ok(Response::Done) };
        if !rule.targets.is_empty() {
            let message = "Rule can't be deleted since it has targets.";
            return Err(AwsError::new("ValidationException", message));
        }
        let by_place = Arc::make_mut(&mut self.rules.by_place);
        if let Some(rules) = by_place.get_mut(&place) {
            rules.remove(name);
        }
        by_place.retain(|_, rules| !rules.is_empty());
        Ok(Response::Done)
    }

    pub(crate) fn put_targets(
        &mut self,
        cx: &mut Cx<'_>,
        rule: &str,
        targets: &[RuleTarget],
    ) -> Result<Response, AwsError> {
        self.change_rule(cx, rule, |rule| {
            rule.targets.extend(targets.iter().map(|target| (target.id.clone(), target.clone())));
        })
    }

    pub(crate) fn remove_targets(
        &mut self,
        cx: &mut Cx<'_>,
        rule: &str,
        ids: &[String],
    ) -> Result<Response, AwsError> {
        self.change_rule(cx, rule, |rule| rule.targets.retain(|id, _| !ids.contains(id)))
    }
}

impl World {
    /// The name of the trail and of the rule that [`World::deliver_events`] sets up.
    pub const EVENTS: &'static str = "peering-events";

    /// What an administrator sets up so that a queue hears of an account's calls in a Region: a trail that logs, and
    /// a rule. To be called anew for another pattern or queue.
    pub fn deliver_events(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        pattern: &EventPattern,
        queue: &QueueId,
    ) -> Result<(), Failure> {
        let (account, region) = (account.into(), region.into());
        let name = || Self::EVENTS.to_owned();
        let targets = vec![RuleTarget::new("queue", queue)];
        let rule = Request::PutRule { name: name(), pattern: pattern.clone(), enabled: true };
        match self.as_human(&account, &region, Request::CreateTrail { name: name(), multi_region: false }) {
            Err(failure) if failure.code() != Some("TrailAlreadyExistsException") => return Err(failure),
            _ => {}
        }
        self.as_human(&account, &region, Request::StartLogging { name: name() })?;
        self.as_human(&account, &region, rule)?;
        self.as_human(&account, &region, Request::PutTargets { rule: name(), targets }).map(|_| ())
    }

    /// Events that are on their way to a queue.
    pub fn events_in_flight(&self) -> usize {
        self.state.rules.in_flight.len()
    }
}
