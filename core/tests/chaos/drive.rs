//! Turns, driven: what the operator's shell does with each step, in virtual time.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::desired::Policy;
use peerkeeper_core::ids::{AccountRegion, ObjectKey, Side, Sides, VpcId};
use peerkeeper_core::observed::{Needs, Reading, Scope, SideView, StaleRule, Unseen, View};
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::ConditionType;
use peerkeeper_core::time::Mono;
use peerkeeper_core::turn::{Done, Live, Reply, Step, Turn, TurnResult};
use peerkeeper_core::witness::Ask;
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use crate::checkers::Doing;
use crate::knobs::Knob;
use crate::replica::{Flight, forget, join, read_into};
use crate::sabotage;
use crate::stage::{Due, Question, Stage, Whose};
use crate::wanted::Wanted;
use crate::words::{not_sent, variant};

/// After this a write is given up: it counts as lost.
pub const WRITE_TIMEOUT_MS: u64 = 5_000;
/// How long a write waits for a token.
const PATIENCE_MS: u64 = 2_000;
const API_TIMEOUT_MS: u64 = 10_000;

impl Stage {
    pub fn begin_turn(&mut self, replica: usize, key: ObjectKey) {
        if !self.replicas[replica].has_been_swept(&key) || sabotage::stops(self, replica) {
            self.replicas[replica].queue.done(&key);
            return;
        }
        let number = self.number();
        let this = &mut self.replicas[replica];
        let recent = this.all_recent_or_new(&key);
        let hinted = this.hinted.remove(&key);
        let told = this.ears.take_told(&key);
        let turn = Turn::new(key.clone(), recent, self.timing, hinted).told(told);
        let life = this.life;
        this.flights.insert(
            key.clone(),
            Flight {
                turn,
                number,
                object: None,
                policy: Policy::built_in(),
                wave: Vec::new(),
                commit: None,
                stored: None,
            },
        );
        self.drive(&Whose { replica, life, key, flight: number }, Reply::Start);
    }

    pub fn flight(&mut self, whose: &Whose) -> Option<&mut Flight> {
        let this = &mut self.replicas[whose.replica];
        let flight = this.flights.get_mut(&whose.key)?;
        (this.life == whose.life && flight.number == whose.flight).then_some(flight)
    }

    pub fn drive(&mut self, whose: &Whose, reply: Reply) {
        let now = self.now(whose.replica);
        let Some(flight) = self.flight(whose) else { return };
        let step = flight.turn.next(now, reply);
        let notes = if matches!(step, Step::Write(_)) { flight.turn.take_transitions() } else { Vec::new() };
        self.publish(&notes);
        if self.hits(Knob::Crash) {
            return self.crash(whose.replica);
        }
        let whose = whose.clone();
        match step {
            Step::ReadLive => self.ask(whose, Question::Live),
            Step::Lookup(key) => self.ask(whose, Question::Exists(key)),
            Step::Observe(needs) => self.observe(whose, needs),
            Step::Commit(commit) => self.begin_commit(&whose, commit),
            Step::Write(calls) => self.begin_wave(&whose, calls),
            Step::Done(done) => self.conclude(&whose, done),
        }
    }

    fn publish(&mut self, notes: &[peerkeeper_core::turn::Note]) {
        for note in notes {
            self.told += 1;
            self.reach.hit("reason", note.reason);
        }
    }

    fn ask(&mut self, whose: Whose, question: Question) {
        let began = self.now(whose.replica).mono;
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::Ask { whose, question, began });
    }

    fn observe(&mut self, whose: Whose, needs: Needs) {
        if needs.is_empty() {
            let reply = self.observed(&whose, &needs, Mono::default());
            let reply = Box::new(reply);
            return self.soon(1, Due::Answer { whose, reply });
        }
        self.ask(whose, Question::Observe(needs));
    }

    pub fn asked(&mut self, whose: Whose, question: Question, began: Mono) {
        if self.flight(&whose).is_none() {
            return;
        }
        let to_api = !matches!(question, Question::Observe(_));
        if to_api {
            self.api_calls += 1;
            let lost = !self.reaches_api(whose.replica)
                || self.hits(Knob::ApiLostBefore)
                || self.hits(Knob::ApiLostAfter);
            if lost {
                let reply = Box::new(Reply::NoAnswer("the API server does not answer".into()));
                return self.soon(API_TIMEOUT_MS, Due::Answer { whose, reply });
            }
        }
        let reply = match question {
            Question::Live => self.live(&whose),
            Question::Exists(key) => Reply::Exists(self.api.object(&key).is_some()),
            Question::Observe(needs) => self.observed(&whose, &needs, began),
        };
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::Answer { whose, reply: Box::new(reply) });
    }

    /// The object as the API server has it now, judged by what this process knows of everything else.
    fn live(&mut self, whose: &Whose) -> Reply {
        let Some(object) = self.api.object(&whose.key) else { return Reply::Live(None) };
        if self.spoilt.as_ref() == Some(&whose.key) {
            return Reply::NoAnswer("it can't be parsed".into());
        }
        let this = &mut self.replicas[whose.replica];
        if !this.known.contains_key(&whose.key) {
            return Reply::Live(None);
        }
        let now = this.clock.now(self.world.now_ms()).mono;
        if this.enter(&object, &object.memory) {
            this.wake_others_of(&whose.key, now);
        }
        let cluster = this.cluster();
        let told = object.report.iter().flat_map(|report| &report.conditions);
        let mut live = Live {
            desired: cluster.desired(&object),
            policy: cluster.policy_of(&object),
            grants: cluster.grants(&object),
            claims: this.claims.view(&whose.key),
            limits: this.limits.view(&whose.key),
            memory: object.memory.clone(),
            has_finalizer: object.has_finalizer,
            witness: this.witness_of(&object, &object.memory),
            incident: self.api.truth.incidents.seen(&whose.key, &object.memory),
            version: object.version.to_string().into(),
            told: told.map(|c| (c.kind, (c.truth, c.reason.as_str().into()))).collect(),
        };
        let policy = live.policy.clone();
        sabotage::spoil_live(self, &mut live);
        if let Some(flight) = self.flight(whose) {
            flight.policy = policy;
            flight.stored = Some(Arc::new(object.memory.clone()));
            flight.object = Some(object);
        }
        Reply::Live(Some(Box::new(live)))
    }

    /// What is known of both sides, with what was asked for read newly.
    fn observed(&mut self, whose: &Whose, needs: &Needs, began: Mono) -> Reply {
        let Some(flight) = self.flight(whose) else { return Reply::Observed(Box::default()) };
        let Some(live) = flight.turn.live() else { return Reply::Observed(Box::default()) };
        let (desired, grants) = (live.desired.clone(), live.grants.clone());
        let Some(object) = flight.object.clone() else { return Reply::Observed(Box::default()) };
        let places = Sides::from_fn(|side| {
            self.replicas[whose.replica].place(&object, side).filter(|_| grants.get(side).readable())
        });
        let mut views = Sides::from_fn(|side| self.view_of(whose.replica, *places.get(side)));
        let mut wanted = Sides::from_fn(|side| Wanted::of(&desired, side, needs));
        if places.requester == places.accepter {
            // Both sides are read with one set of calls.
            let both = Wanted::joined(&wanted);
            wanted = Sides::new(both.clone(), both);
        }
        for side in Side::BOTH {
            let Some(at) = *places.get(side) else { continue };
            if side == Side::Accepter && places.requester == places.accepter {
                *views.get_mut(side) = views.requester.clone();
                continue;
            }
            let own = self.read_narrow(whose.replica, at, wanted.get(side), began);
            let view = views.get_mut(side);
            join(&mut view.peerings, &own.peerings);
            join(&mut view.tables, &own.tables);
            join(&mut view.vpcs, &own.vpcs);
            join(&mut view.prefix_lists, &own.prefix_lists);
            join(&mut view.stale_rules, &own.stale_rules);
        }
        sabotage::spoil_views(self, &mut views);
        Reply::Observed(Box::new(views))
    }

    fn read_narrow(&mut self, replica: usize, at: AccountRegion, wanted: &Wanted, began: Mono) -> SideView {
        let mut own = SideView::default();
        if *wanted == Wanted::default() {
            return own;
        }
        if let Err(unseen) = self.identity(replica, at) {
            forget(&mut own, &unseen);
            return own;
        }
        if let Some(pair) = wanted.pair {
            let read = self.line().peerings(at, Some(pair));
            read_into(&mut own.peerings, read, Scope::Groups([pair].into()), began);
        }
        for vpc in &wanted.vpcs {
            let read = self.line().vpcs(at, Some(*vpc));
            if let (Some(before), Ok(reading)) = (&own.vpcs.narrow, &read) {
                let both = before.iter().chain(reading.iter()).cloned();
                let scope = Scope::Groups(wanted.vpcs.clone());
                own.vpcs.narrow = Some(Arc::new(Reading::new(began, scope, both)));
            } else {
                read_into(&mut own.vpcs, read, Scope::Groups([*vpc].into()), began);
            }
        }
        if !wanted.tables.is_empty() {
            let read = self.line().tables(at, Some(&wanted.tables));
            read_into(&mut own.tables, read, Scope::Ids(wanted.tables.clone()), began);
        }
        if !wanted.lists.is_empty() {
            let read = self.line().prefix_lists(at, &wanted.lists);
            read_into(&mut own.prefix_lists, read, Scope::Ids(wanted.lists.clone()), began);
        }
        self.read_stale_rules(at, &wanted.rules_of, &mut own.stale_rules, began);
        own
    }

    /// Each VPC is asked of by itself, and what one of them lacks is not known of the whole.
    fn read_stale_rules(
        &mut self,
        at: AccountRegion,
        vpcs: &BTreeSet<VpcId>,
        view: &mut View<StaleRule>,
        began: Mono,
    ) {
        let mut all = Vec::new();
        for vpc in vpcs {
            match self.line().stale_rules(at, *vpc) {
                Ok(reading) => all.extend(reading.iter().cloned()),
                Err(unseen) => {
                    view.unseen = unseen;
                    return;
                }
            }
        }
        if !vpcs.is_empty() {
            view.narrow = Some(Arc::new(Reading::new(began, Scope::Groups(vpcs.clone()), all)));
        }
    }

    fn begin_wave(&mut self, whose: &Whose, calls: Vec<WriteCall>) {
        let oldest = self.now(whose.replica).mono;
        let Some(flight) = self.flight(whose) else { return };
        flight.wave = calls.iter().map(|call| (call.clone(), None)).collect();
        for index in 0..calls.len() {
            self.replicas[whose.replica].writes_in_flight += 1;
            self.soon(1, Due::Gate { whose: whose.clone(), index, oldest });
        }
    }

    /// The last word: a token, then leadership and freshness, right before the request leaves.
    pub fn gate(&mut self, whose: &Whose, index: usize, oldest: Mono) {
        let now = self.now(whose.replica).mono;
        let fresh_ms = self.timing.fresh_ms;
        let Some(flight) = self.flight(whose) else { return };
        let Some((call, _)) = flight.wave.get(index).cloned() else { return };
        let this = &mut self.replicas[whose.replica];
        if let Err(ready) = this.buckets.take(now, &call.at, call.write.operation()) {
            if ready > oldest.plus_ms(PATIENCE_MS) {
                return self.wrote(whose, index, Outcome::NotSent(NotSent::Rate { ready }));
            }
            let at = this.clock.world_ms(ready);
            let whose = whose.clone();
            return self.at(at.max(self.now_ms() + 1), Due::Gate { whose, index, oldest });
        }
        if !self.may_lead(whose.replica, WRITE_TIMEOUT_MS) {
            return self.wrote(whose, index, Outcome::NotSent(NotSent::Leadership));
        }
        if now.since_ms(oldest) > fresh_ms {
            return self.wrote(whose, index, Outcome::NotSent(NotSent::Stale));
        }
        if self.hits(Knob::Crash) {
            return self.crash(whose.replica);
        }
        self.leave(whose, index, call, now);
    }

    fn leave(&mut self, whose: &Whose, index: usize, call: WriteCall, taken: Mono) {
        let Some(flight) = self.flight(whose) else { return };
        let (Some(live), Some(stored)) = (flight.turn.live(), flight.stored.clone()) else { return };
        // Changed meanwhile, it holds for the next turn.
        let policy = flight.policy.clone();
        let mut doing = Doing::new(whose, live, stored);
        doing.policy = policy;
        doing.left_ms = self.now_ms();
        let doing = Box::new(doing);
        self.judge_leaving(&doing, &call);
        let mut transit_ms = self.transit_ms();
        if self.hits(Knob::SlowCall) {
            transit_ms += self.luck.below(9_000);
        }
        if self.hits(Knob::FrozenBeforeSend) {
            let frozen_ms = 2_000 + self.luck.below(60_000);
            self.replicas[whose.replica].paused_until = self.now_ms() + frozen_ms;
            transit_ms += frozen_ms;
            self.say(|| format!("process {} is frozen for {frozen_ms} ms", whose.replica));
        }
        let timed_out = Outcome::Unknown("no answer".into());
        self.soon(WRITE_TIMEOUT_MS, Due::Told { whose: whose.clone(), index, outcome: timed_out });
        let call = Box::new(call);
        self.soon(transit_ms, Due::Land { whose: whose.clone(), index, call, doing, taken });
    }

    pub fn write_lands(&mut self, whose: Whose, index: usize, call: &WriteCall, doing: &Doing, taken: Mono) {
        let outcome = match self.identity(whose.replica, call.at) {
            Err(Unseen::Failed { why, .. }) => Outcome::NotSent(NotSent::Unreachable(why)),
            Err(unseen) => Outcome::NotSent(NotSent::Credentials(format!("{unseen:?}").into())),
            Ok(_) => {
                if self.hits(Knob::Ambush) {
                    self.ambush(call);
                }
                let outcome = self.line().send(call);
                if matches!(outcome, Outcome::Done(_)) && self.replicas[whose.replica].life == whose.life {
                    self.wrote_as(whose.replica, call.at, call.action());
                }
                self.judge_landed(doing, call);
                outcome
            }
        };
        if let Outcome::Refused(refusal) = &outcome
            && refusal.kind() == RefusalKind::Throttled
        {
            let now = self.now(whose.replica).mono;
            self.replicas[whose.replica].buckets.refused(now, &call.at, call.write.operation(), taken);
        }
        self.mark(("aws", call, &outcome));
        self.say(|| format!("process {} sends for {}: {call}: {outcome:?}", whose.replica, whose.key));
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::Told { whose, index, outcome });
    }

    pub fn wrote(&mut self, whose: &Whose, index: usize, outcome: Outcome) {
        let Some(flight) = self.flight(whose) else { return };
        let Some((call, told)) = flight.wave.get_mut(index).filter(|(_, told)| told.is_none()) else {
            return;
        };
        let variant = variant(&call.write);
        *told = Some(outcome.clone());
        let whole: Option<Vec<Outcome>> = flight.wave.iter().map(|(_, told)| told.clone()).collect();
        if whole.is_some() {
            flight.wave.clear();
        }
        self.replicas[whose.replica].writes_in_flight -= 1;
        self.reach.hit("write", variant);
        match &outcome {
            Outcome::NotSent(why) => self.reach.hit("not sent", not_sent(why)),
            Outcome::Refused(refusal) => self.reach.hit("refused", refusal.kind()),
            Outcome::Done(_) => self.reach.hit("done", variant),
            Outcome::Unknown(_) => self.reach.hit("lost", variant),
        }
        if let Some(outcomes) = whole {
            self.drive(whose, Reply::Wrote(outcomes));
        }
    }

    // The end of a turn.

    fn conclude(&mut self, whose: &Whose, done: Done) {
        let Done { result, wake, looked, ask, events } = done;
        self.publish(&events);
        // Who made a drift decides nothing, so it is not asked here.
        for ask in ask {
            if let Ask::Ending(lost) = ask {
                self.ask_history(whose.replica, &whose.key, lost);
            }
        }
        let now = self.now(whose.replica).mono;
        let jitter = self.luck.below(1 << 32);
        let this = &mut self.replicas[whose.replica];
        let key = &whose.key;
        let Some(flight) = this.flights.remove(key) else { return };
        let recent = flight.turn.into_recent();
        let pending = recent.sent().next().is_some() || recent.refused().next().is_some();
        if let Some(known) = this.known.get_mut(key) {
            let ready = known.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
            let in_sync = ready.is_some_and(|ready| ready.truth == Truth::True);
            known.quiet = result == TurnResult::Settled && !pending && !looked && wake.is_none() && in_sync;
            let lossless = known.report.as_ref().is_some_and(|report| report.loss.is_none());
            known.recent = Some(recent);
            if result == TurnResult::Settled && lossless && !pending {
                this.limits.expect_nothing(key);
            }
        }
        this.queue.done(key);
        match result {
            TurnResult::Settled => {
                this.backoffs.reset(key);
                if let Some(at) = wake {
                    this.enqueue_plainly(key, at, Urgency::Resync);
                }
            }
            TurnResult::Gone => {
                this.backoffs.reset(key);
                this.wake_neighbours_of(key, now);
            }
            TurnResult::More => this.enqueue_plainly(key, now, Urgency::Resync),
            TurnResult::Conflict => this.enqueue_plainly(key, now.plus_ms(100), Urgency::Hint),
            TurnResult::NotLeading => {}
            TurnResult::Failed(_) => {
                let at = this.backoffs.failed(now, key, jitter);
                this.enqueue_plainly(key, at, Urgency::Resync);
            }
        }
    }
}
