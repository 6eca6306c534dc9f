//! Turns, driven: what the operator's shell does with each step, in virtual time.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::desired::{AccountRef, Policy};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, Side, Sides, VpcId};
use peerkeeper_core::memory::{Act, Life};
use peerkeeper_core::observed::{Needs, PeeringState, Reading, Scope, SideView, StaleRule, Unseen, View};
use peerkeeper_core::pace::bucket::Operation;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::plan::{Finalizer, Truth};
use peerkeeper_core::reason::ConditionType;
use peerkeeper_core::time::{Mono, Wall};
use peerkeeper_core::turn::{Commit, Committed, Done, Live, Reply, Step, Turn, TurnResult};
use peerkeeper_core::witness::Ask;
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use crate::api::{ApiRefusal, ApiWrite};
use crate::checkers::Doing;
use crate::common::cluster::Object;
use crate::knobs::Knob;
use crate::replica::{Flight, Storing, blind, differs, forget, join, read_into, rebased, rotate};
use crate::sabotage;
use crate::stage::{Due, Question, Stage, Whose};
use crate::wanted::Wanted;
use crate::words::{not_sent, variant, words};

/// After this a write is given up: it counts as lost.
pub const WRITE_TIMEOUT_MS: u64 = 5_000;
/// How long a write waits for a token.
const PATIENCE_MS: u64 = 2_000;
const API_TIMEOUT_MS: u64 = 10_000;

impl Stage {
    // Sweeps.

    pub fn begin_sweep(&mut self, replica: usize, place: AccountRegion) {
        let mut at_ms = self.now_ms();
        for operation in [
            Operation::DescribeVpcPeeringConnections,
            Operation::DescribeRouteTables,
            Operation::DescribeVpcs,
        ] {
            at_ms = at_ms.max(self.token_ms(replica, place, operation));
        }
        let began = self.replicas[replica].clock.now(at_ms).mono;
        let life = self.replicas[replica].life;
        let transit_ms = self.transit_ms();
        self.at(at_ms + transit_ms, Due::Sweep { replica, life, place, began });
    }

    /// When a read may leave.
    fn token_ms(&mut self, replica: usize, place: AccountRegion, operation: Operation) -> u64 {
        let mut now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        while let Err(ready) = this.buckets.take(now, &place, operation) {
            now = ready.max(now.plus_ms(1));
        }
        this.clock.world_ms(now)
    }

    pub fn sweep(&mut self, replica: usize, place: AccountRegion, began: Mono) {
        let this = &self.replicas[replica];
        let first = !this.has_been_tried(place);
        let mut view = this.snapshots.get(&place).cloned().unwrap_or_default();
        let mut denied = None;
        let complete = match self.identity(replica, place) {
            Err(unseen) => {
                if let Unseen::Denied { code, .. } = &unseen {
                    denied = Some(code.clone());
                }
                match &unseen {
                    Unseen::WrongAccount { .. } => blind(&mut view, &unseen),
                    _ => forget(&mut view, &unseen),
                }
                false
            }
            Ok(caller) => {
                view.caller = Some(caller);
                let quota = self.world.quotas(place.account.to_string().as_str(), place.region.as_str());
                view.routes_per_table = u32::try_from(quota.routes_per_table).ok();
                self.read_everything(replica, place, began, &mut view)
            }
        };
        sabotage::spoil_sweep(self, &mut view);
        let (now, jitter) = (self.now(replica).mono, self.luck.below(1 << 32));
        let this = &mut self.replicas[replica];
        this.timer.finished(now, &place, complete, jitter);
        this.snapshots.insert(place, view);
        let news = self.note_usable(replica, place, complete, denied);
        self.wake_concerned(replica, place, complete, first || news);
    }

    fn read_everything(
        &mut self,
        replica: usize,
        place: AccountRegion,
        began: Mono,
        view: &mut SideView,
    ) -> bool {
        let peerings = self.line().peerings(place, None).map(|read| rebased(&read, Scope::All, began));
        let tables = self.line().tables(place, None).map(|read| rebased(&read, Scope::All, began));
        let vpcs = self.line().vpcs(place, None).map(|read| rebased(&read, Scope::All, began));
        self.note_throttled(replica, place, Operation::DescribeVpcPeeringConnections, &peerings, began);
        self.note_throttled(replica, place, Operation::DescribeRouteTables, &tables, began);
        self.note_throttled(replica, place, Operation::DescribeVpcs, &vpcs, began);
        let complete = [
            rotate(&mut view.peerings, peerings),
            rotate(&mut view.tables, tables),
            rotate(&mut view.vpcs, vpcs),
        ];
        complete.into_iter().all(|complete| complete)
    }

    fn note_throttled<T>(
        &mut self,
        replica: usize,
        place: AccountRegion,
        operation: Operation,
        read: &Result<T, Unseen>,
        taken: Mono,
    ) {
        if matches!(read, Err(Unseen::Throttled)) {
            let now = self.now(replica).mono;
            self.replicas[replica].buckets.refused(now, &place, operation, taken);
        }
    }

    /// What an account's credentials were last found to be good for. True if that is news.
    fn note_usable(
        &mut self,
        replica: usize,
        place: AccountRegion,
        complete: bool,
        denied: Option<Arc<str>>,
    ) -> bool {
        if !complete && denied.is_none() {
            return false;
        }
        let now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        let name = this.rest.accounts.values().find(|a| a.id == place.account).map(|a| a.name.clone());
        let Some(name) = name else { return false };
        let news = match denied {
            Some(why) => this.unusable.insert(name, why).is_none(),
            None => this.unusable.remove(&name).is_some(),
        };
        if news {
            this.enqueue_all(now, Urgency::Resync);
        }
        news
    }

    fn wake_concerned(&mut self, replica: usize, place: AccountRegion, complete: bool, all: bool) {
        let now = self.now(replica).mono;
        let stale_ms = self.timing.stale_ms;
        let this = &mut self.replicas[replica];
        let was_stale = complete && this.stale_places.remove(&place);
        let age_ms = this.timer.health(now, &place).map_or(0, |health| health.age_ms);
        let grew_stale = !complete && age_ms > stale_ms && this.stale_places.insert(place);
        let everything = all || was_stale || grew_stale;
        let view = this.snapshots.get(&place).cloned().unwrap_or_default();
        let concerned: Vec<ObjectKey> = this
            .objects_at(place)
            .into_iter()
            .filter(|key| {
                let known = &this.known[key];
                everything
                    || !known.quiet
                    || has_changed(&known.object, &view, |s| this.place(&known.object, s) == Some(place))
            })
            .collect();
        if complete {
            self.expect_losses(replica, &concerned, &view);
        }
        for key in concerned {
            self.replicas[replica].enqueue_plainly(&key, now, Urgency::Resync);
        }
    }

    /// Losses that this sweep shows are demand before any of them is acted upon.
    fn expect_losses(&mut self, replica: usize, concerned: &[ObjectKey], view: &SideView) {
        use peerkeeper_core::desired::LossAction;
        let Some(sweep) = &view.peerings.sweep else { return };
        let this = &mut self.replicas[replica];
        let cluster = this.cluster();
        for key in concerned {
            let object = &this.known[key].object;
            let Life::Established(id) = object.memory.life else { continue };
            let ended = sweep
                .get(id)
                .is_none_or(|p| matches!(p.state, PeeringState::Ended(_) | PeeringState::Deleting));
            if object.deleting || !ended || object.memory.episode.is_some() {
                continue;
            }
            match cluster.policy_of(object).action {
                LossAction::Restore => this.limits.expect(key, Act::Restore),
                LossAction::RemoveRoutes => this.limits.expect(key, Act::RemoveRoutes),
                LossAction::Flag => {}
            }
        }
    }

    // Turns.

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

    // Commits.

    fn begin_commit(&mut self, whose: &Whose, commit: Box<Commit>) {
        let refused = |why: &str| Reply::Committed(Committed::Failed(why.into()));
        if !self.may_lead(whose.replica, 0) {
            return self.drive(whose, refused("the lease is lost"));
        }
        let mut left = match self.reserve(whose, &commit) {
            Ok(left) => left,
            Err(latch) => return self.drive(whose, Reply::Committed(Committed::OverLimit(latch))),
        };
        if !self.may_lead(whose.replica, WRITE_TIMEOUT_MS) {
            self.release(whose, &commit);
            return self.drive(whose, refused("the lease would not outlast it"));
        }
        let version = commit.version.to_string();
        let now = self.now(whose.replica).wall;
        let mut commit = commit;
        if let Some(stored) = self.flight(whose).and_then(|flight| flight.stored.clone()) {
            sabotage::spoil_commit(self, &stored, &mut commit, now);
        }
        // The incident is a write of its own: a crash between it and what follows leaves it to be taken over.
        let live = self.flight(whose).and_then(|flight| flight.turn.live().cloned());
        let reaches = self.reaches_api(whose.replica);
        let live = live.filter(|_| reaches);
        let recorded =
            live.map(|live| self.api.truth.incidents.record(&live, &mut commit)).unwrap_or_default();
        let Some(flight) = self.flight(whose) else { return };
        let Some(object) = flight.object.clone() else { return };
        left.extend(writes_of(&object, &commit));
        let whose = whose.clone();
        flight.commit = Some(Storing { commit, left, version, number: 0, recorded });
        self.store_next(&whose);
    }

    /// Takes room under the limits; what is removed from AWS is noted on the accounts first.
    fn reserve(
        &mut self,
        whose: &Whose,
        commit: &Commit,
    ) -> Result<Vec<ApiWrite>, peerkeeper_core::memory::Latch> {
        let Some(room) = commit.reserve else { return Ok(Vec::new()) };
        let act = room.act;
        let at = spent_at(commit, act);
        use sabotage::Sabotage::{ForgetsAccountLimit, ForgetsLimits, ForgetsPolicyLimit};
        let forgetful = [ForgetsLimits, ForgetsPolicyLimit, ForgetsAccountLimit];
        let forgets = self.sabotage.is_some_and(|sabotage| forgetful.contains(&sabotage));
        if let Err(latch) = self.replicas[whose.replica].limits.reserve(&whose.key, room, at)
            && !forgets
        {
            return Err(latch);
        }
        let Some(flight) = self.flight(whose).filter(|_| act == Act::Finalize) else { return Ok(Vec::new()) };
        let Some(object) = &flight.object else { return Ok(Vec::new()) };
        let mut writes = Vec::new();
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &object.sides.get(side).account {
                let (account, uid) = (name.clone(), object.uid.clone());
                writes.push(ApiWrite::NoteRemoval { account, uid, at });
            }
        }
        Ok(writes)
    }

    fn release(&mut self, whose: &Whose, commit: &Commit) {
        if let Some(peerkeeper_core::limits::Reserve { act, .. }) = commit.reserve {
            self.replicas[whose.replica].limits.release(&whose.key, act, spent_at(commit, act));
        }
    }

    /// The next write of a commit, or its end.
    fn store_next(&mut self, whose: &Whose) {
        let number = self.number();
        let Some(flight) = self.flight(whose) else { return };
        let Some(storing) = &mut flight.commit else { return };
        if storing.left.is_empty() {
            return self.commit_ends(whose);
        }
        storing.number = number;
        let write = Box::new(storing.left.remove(0));
        let version = storing.version.clone();
        if self.hits(Knob::Crash) {
            return self.crash(whose.replica);
        }
        let whose = whose.clone();
        self.replicas[whose.replica].writes_in_flight += 1;
        let transit_ms =
            self.transit_ms() + if self.hits(Knob::SlowCall) { self.luck.below(9_000) } else { 0 };
        self.soon(WRITE_TIMEOUT_MS, Due::ApiAnswer { whose: whose.clone(), number, answer: None });
        self.soon(transit_ms, Due::ApiLand { whose, number, version, write });
    }

    pub fn api_lands(&mut self, whose: Whose, number: u64, version: &str, write: &ApiWrite) {
        if !self.reaches_api(whose.replica) || self.hits(Knob::ApiLostBefore) {
            return;
        }
        self.api_calls += 1;
        if self.hits(Knob::ApiConflict) {
            self.touch(&whose.key);
        }
        let now_ms = self.now_ms();
        let skips = self.sabotage == Some(sabotage::Sabotage::SkipsFlag)
            && matches!(write, ApiWrite::Status { memory, .. } if memory.episode.is_some());
        let answer = if skips {
            if let ApiWrite::Status { memory, .. } = write {
                self.skipped.insert(whose.key.clone(), (**memory).clone());
            }
            Ok(version.to_owned())
        } else {
            let before = self.api.object(&whose.key);
            let answer = self.api.write(&whose.key, version, write, now_ms);
            if answer.is_ok() {
                if let (ApiWrite::Status { memory, .. }, Some(flight)) = (write, self.flight(&whose)) {
                    flight.stored = Some(Arc::new((**memory).clone()));
                }
                self.judge_commit(&whose, before.as_deref(), write);
            }
            answer
        };
        self.mark(("api", &whose.key, answer.is_ok()));
        self.say(|| {
            format!("process {} stores {} of {}: {answer:?}", whose.replica, words(write), whose.key)
        });
        if self.hits(Knob::ApiLostAfter) {
            return;
        }
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::ApiAnswer { whose, number, answer: Some(answer) });
    }

    /// Somebody changes a label.
    pub fn touch(&mut self, key: &ObjectKey) {
        let now_ms = self.now_ms();
        if self.api.truth.objects.contains_key(key) {
            self.api.truth.change(key, |_| {});
            self.api.changed(key, now_ms);
        }
    }

    pub fn stored(&mut self, whose: &Whose, number: u64, answer: Option<Result<String, ApiRefusal>>) {
        let Some(flight) = self.flight(whose) else { return };
        let Some(storing) = flight.commit.as_mut().filter(|storing| storing.number == number) else { return };
        match answer {
            Some(Ok(version)) => {
                storing.version = version;
                self.replicas[whose.replica].writes_in_flight -= 1;
                self.store_next(whose);
            }
            failed => {
                let commit = storing.commit.clone();
                flight.commit = None;
                self.replicas[whose.replica].writes_in_flight -= 1;
                self.release(whose, &commit);
                let committed = match failed {
                    Some(Err(ApiRefusal::Conflict | ApiRefusal::Gone)) => Committed::Conflict,
                    _ => Committed::Failed("the API server does not answer".into()),
                };
                self.drive(whose, Reply::Committed(committed));
            }
        }
    }

    fn commit_ends(&mut self, whose: &Whose) {
        let Some(flight) = self.flight(whose) else { return };
        let Some(Storing { commit, version, recorded, .. }) = flight.commit.take() else { return };
        let Some(object) = flight.object.take() else { return };
        // With our own changes to its metadata since.
        let mut next = (*object).clone();
        next.has_finalizer |= commit.finalizer == Finalizer::Add;
        next.established = commit.established.or(next.established);
        next.memory = commit.memory.clone();
        next.report = Some(commit.report.clone());
        let next = Arc::new(next);
        flight.object = Some(next.clone());
        self.remember_stored(whose, &next, &commit, &version);
        let version = version.as_str().into();
        self.drive(whose, Reply::Committed(Committed::Stored { version, recorded }));
    }

    fn remember_stored(&mut self, whose: &Whose, object: &Object, commit: &Commit, version: &str) {
        let now = self.now(whose.replica).mono;
        let this = &mut self.replicas[whose.replica];
        let places = |memory: &peerkeeper_core::memory::Memory| {
            memory.slots.keys().map(|slot| (slot.table, slot.destination)).collect::<BTreeSet<_>>()
        };
        let before = this.claims.get(&whose.key).map(|entry| places(&entry.memory)).unwrap_or_default();
        let let_go = !before.is_subset(&places(&commit.memory));
        if this.enter(object, &commit.memory) {
            this.wake_others_of(&whose.key, now);
        }
        if let Some(known) = this.known.get_mut(&whose.key) {
            known.own_version = version.parse().ok();
            known.report = Some(Arc::new(commit.report.clone()));
        }
        if let_go {
            this.wake_neighbours_of(&whose.key, now);
        }
    }

    // Writes.

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

/// Metadata first, then status: memory that names a thing must not be there without the finalizer that guards it.
fn writes_of(object: &Object, commit: &Commit) -> Vec<ApiWrite> {
    if commit.finalizer == Finalizer::Drop {
        return vec![ApiWrite::DropFinalizer];
    }
    let mut writes = Vec::new();
    let finalizer = commit.finalizer == Finalizer::Add && !object.has_finalizer;
    let established = commit.established.filter(|id| object.established != Some(*id));
    if finalizer || established.is_some() {
        writes.push(ApiWrite::Mark { finalizer, established });
    }
    if object.memory != commit.memory || object.report.as_ref() != Some(&commit.report) {
        let (memory, report) = (Box::new(commit.memory.clone()), Box::new(commit.report.clone()));
        writes.push(ApiWrite::Status { memory, report });
    }
    writes
}

/// The moment under which memory holds an act.
fn spent_at(commit: &Commit, act: Act) -> Wall {
    let spent = commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act);
    spent.map(|(_, at)| *at).unwrap_or_default()
}

fn has_changed(object: &Object, view: &SideView, here: impl Fn(Side) -> bool) -> bool {
    differs(&view.peerings, object.pair())
        || Side::BOTH.into_iter().filter(|side| here(*side)).any(|side| {
            let vpc = object.sides.get(side).vpc;
            differs(&view.vpcs, vpc) || differs(&view.tables, vpc)
        })
}
