//! One reconcile of one object, as a machine: [`Turn::next`] takes the answer to the last step and says the next one.
//!
//! It has five steps: read the object live; observe; plan and commit memory; write, wave by wave, each read back; done,
//! with when to look again. It waits for nothing: whoever drives it does. A crash is a turn that is dropped, a lost reply
//! is [`Outcome::Unknown`], two replicas are two turns interleaved, and a restart keeps only what was committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::claims::ClaimsView;
use crate::desired::{Desired, Grant, PairAt, Policy};
use crate::ids::{ObjectKey, PeeringId, PrefixListId, RouteTableId, Side, Sides};
use crate::incident::{Class, Decision, Found, Incident, IncidentRef, IncidentSeen, Kinds, Recorded};
use crate::limits::{LimitsView, Reserve};
use crate::memory::{Latch, Life, Memory};
use crate::observed::{Needs, Peering, Resource, SideView, Unseen, View};
use crate::plan::{self, Finalizer, Input, Report, Truth, Verdict};
use crate::reason::{ConditionType, Reason};
use crate::recent::Recent;
use crate::time::{Mono, Now, Timing};
use crate::witness::{Ask, Witness};
use crate::write::{NotSent, Outcome, Write, WriteCall};

/// Waves one turn may send before it makes room for others.
const WAVES_MAX: u32 = 8;
/// Readings one turn may ask for before it makes room for others: one ahead of each wave and one to read it back.
const LOOKS_MAX: u32 = 2 * WAVES_MAX + 4;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    key: ObjectKey,
    timing: Timing,
    recent: Recent,
    stage: Stage,
    live: Option<Box<Live>>,
    observed: Box<Sides<SideView>>,
    lookup: Option<(ObjectKey, bool)>,
    verdict: Option<Box<Verdict>>,
    /// What was stored last in this turn: nothing is stored twice.
    stored: Option<Box<Commit>>,
    /// When this turn began: what it is about to change it reads itself, however young a sweep is.
    began: Mono,
    /// Something was said to have changed: the first look is fresh, whatever the sweeps say.
    hinted: bool,
    /// What the first look reads besides the peering, as that is what was said to have changed.
    told: Needs,
    waves: u32,
    looks: u32,
    /// What was asked for last, and what was asked for in vain since this turn last wrote: that side is blind in this.
    asked: Needs,
    unread: BTreeSet<Unread>,
    /// What the last plan wants to know.
    ask: BTreeSet<Ask>,
    /// Transitions that were committed and not told yet.
    transitions: Vec<Note>,
    /// What was done, one note for each kind of act.
    acts: Vec<Note>,
}

/// A kind of thing on one side of which no fresh reading could be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Unread {
    Peerings(Side),
    Vpcs(Side),
    Tables(Side),
    PrefixLists(Side),
    StaleRules(Side),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Start,
    Reading,
    LookingUp,
    Observing,
    Committing,
    Writing,
    Over,
}

/// What is to be done for the turn to go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the object from the API server itself, no cache, and everything that bears on it.
    ReadLive,
    /// Does this `VpcPeering` exist? Asked of the API server itself.
    Lookup(ObjectKey),
    /// Read this from AWS, newly; then hand over all that is known. Nothing needed: just hand over.
    Observe(Needs),
    Commit(Box<Commit>),
    /// Send these, in any order or at once.
    Write(Vec<WriteCall>),
    Done(Done),
}

/// The answer to a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// The first call.
    Start,
    /// `None`: the object is gone.
    Live(Option<Box<Live>>),
    /// The API server did not answer.
    NoAnswer(Arc<str>),
    Exists(bool),
    Observed(Box<Sides<SideView>>),
    Committed(Committed),
    /// One outcome for each write, in their order.
    Wrote(Vec<Outcome>),
}

/// The object as it is stored, and what it is to be judged by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Live {
    pub desired: Desired,
    pub policy: Policy,
    pub grants: Sides<Grant>,
    pub claims: ClaimsView,
    pub limits: LimitsView,
    pub memory: Memory,
    /// What was heard of who ended its peering.
    pub witness: Witness,
    /// What stands under the names of the incidents of its latest loss and its latest drift.
    pub incident: Kinds<IncidentSeen>,
    pub has_finalizer: bool,
    /// The resourceVersion that memory was read at. A commit names it, so that a stale replica can't erase memory.
    pub version: Arc<str>,
    /// What the conditions said, for telling transitions.
    pub told: BTreeMap<ConditionType, (Truth, Arc<str>)>,
}

/// What is to be stored, all or nothing, if the object still has this version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    pub version: Arc<str>,
    pub memory: Memory,
    pub report: Report,
    pub finalizer: Finalizer,
    /// For the annotation `peerkeeper.dev/established`.
    pub established: Option<PeeringId>,
    /// To be reserved under the limits before anything is stored; if there is no room, nothing is stored.
    pub reserve: Option<Reserve>,
    /// What the incidents of the latest loss and of the latest drift tell. Where memory names none yet, it is made, or found
    /// and taken over, before memory is stored, which then names it ([`Commit::record`]).
    pub incidents: Vec<Incident>,
}

impl Commit {
    /// Incidents that are to be made before this is stored.
    pub fn needs_incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().filter(|told| {
            let named = match told.class {
                Class::Loss(_) => self.memory.case_of(told.peering).and_then(|case| case.incident.as_ref()),
                Class::Drift => self.memory.drift.as_ref().and_then(|drift| drift.incident.as_ref()),
            };
            named.is_none()
        })
    }

    /// Notes in memory which incident is ours, before memory is stored.
    pub fn record(&mut self, recorded: &Recorded) {
        let (name, incident) = recorded;
        let Some(told) = self.incidents.iter().find(|told| told.name == *name) else { return };
        match told.class {
            Class::Loss(_) => {
                if let Some(case) = &mut self.memory.case {
                    case.incident = Some(incident.clone());
                }
            }
            Class::Drift => {
                if let Some(drift) = &mut self.memory.drift {
                    drift.incident = Some(incident.clone());
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Committed {
    /// Stored, or already so. The version it has now.
    Stored {
        version: Arc<str>,
        /// The incidents that were recorded with it.
        recorded: Vec<Recorded>,
    },
    /// Somebody else changed the object: nothing was stored.
    Conflict,
    /// Another object took the room under a limit.
    OverLimit(Latch),
    Failed(Arc<str>),
}

/// The end of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Done {
    pub result: TurnResult,
    /// When to look again; `None`: when something changes.
    pub wake: Option<Mono>,
    /// It read something newly, so what it concluded is not what the sweeps show: the next one may be like the one before
    /// and say something else all the same.
    pub looked: bool,
    /// What is to be looked up in CloudTrail's history.
    pub ask: BTreeSet<Ask>,
    /// For Kubernetes Events: transitions that were committed.
    pub events: Vec<Note>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TurnResult {
    Settled,
    /// The object does not exist any more.
    Gone,
    /// It changed meanwhile: begin again.
    Conflict,
    /// The API server did not do what was asked: back off.
    Failed(Arc<str>),
    /// More to do at once: begin again after the others had their turn.
    More,
    /// The lease may not outlast a write.
    NotLeading,
}

/// One transition worth an Event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note {
    pub warning: bool,
    pub reason: Reason,
    pub message: String,
}

impl Turn {
    pub fn new(key: ObjectKey, recent: Recent, timing: Timing, hinted: bool) -> Self {
        Self {
            key,
            timing,
            recent,
            stage: Stage::Start,
            live: None,
            observed: Box::default(),
            lookup: None,
            verdict: None,
            stored: None,
            began: Mono::default(),
            hinted,
            told: Needs::default(),
            waves: 0,
            looks: 0,
            asked: Needs::default(),
            unread: BTreeSet::new(),
            ask: BTreeSet::new(),
            transitions: Vec::new(),
            acts: Vec::new(),
        }
    }

    /// The first look is fresh, and reads this too: somebody said that it has changed.
    #[must_use]
    pub fn told(mut self, needs: Needs) -> Self {
        self.hinted |= !needs.is_empty();
        self.told = needs;
        self
    }

    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The object as this turn read it.
    pub fn live(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    /// Transitions that were committed and not told yet. Taken before a write, they are told although the process may
    /// not survive it; what is not taken comes with [`Done`].
    pub fn take_transitions(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.transitions)
    }

    /// What this process did to the object and can't read back yet: handed on to the next turn.
    pub fn into_recent(self) -> Recent {
        self.recent
    }

    /// The next step, given the answer to the last.
    pub fn next(&mut self, now: Now, reply: Reply) -> Step {
        match (self.stage, reply) {
            (Stage::Start, Reply::Start) => {
                self.began = now.mono;
                self.go(Stage::Reading, Step::ReadLive)
            }
            (Stage::Reading, Reply::Live(None)) => self.done(TurnResult::Gone, None),
            (Stage::Reading, Reply::Live(Some(live))) => {
                self.live = Some(live);
                self.go(Stage::Observing, Step::Observe(Needs::default()))
            }
            (Stage::LookingUp, Reply::Exists(exists)) => {
                if let Some((_, answer)) = &mut self.lookup {
                    *answer = exists;
                }
                self.decide(now)
            }
            (Stage::Observing, Reply::Observed(observed)) => {
                self.take_in(now, observed);
                self.decide(now)
            }
            (Stage::Committing, Reply::Committed(committed)) => self.committed(now, committed),
            (Stage::Writing, Reply::Wrote(outcomes)) => self.wrote(now, &outcomes),
            (_, Reply::NoAnswer(why)) => self.done(TurnResult::Failed(why), None),
            (stage, reply) => {
                debug_assert!(false, "{reply:?} does not answer {stage:?}");
                self.done(TurnResult::Failed("a reply that answers no step".into()), None)
            }
        }
    }

    fn go(&mut self, stage: Stage, step: Step) -> Step {
        self.stage = stage;
        step
    }

    fn done(&mut self, result: TurnResult, wake: Option<Mono>) -> Step {
        let mut events = self.take_transitions();
        events.append(&mut self.acts);
        let looked = self.looks > 0;
        let ask = std::mem::take(&mut self.ask);
        self.go(Stage::Over, Step::Done(Done { result, wake, looked, ask, events }))
    }

    /// Plans with what is known, and asks for what is missing.
    fn decide(&mut self, now: Now) -> Step {
        let Some(live) = self.live.take() else {
            return self.done(TurnResult::Failed("nothing was read".into()), None);
        };
        plan::settle(&mut self.recent, &self.observed, live.desired.pair(), now.mono, &self.timing);
        let verdict = plan::plan(&Input {
            desired: &live.desired,
            policy: &live.policy,
            grants: &live.grants,
            claims: &live.claims,
            limits: &live.limits,
            memory: &live.memory,
            recent: &self.recent,
            observed: &self.observed,
            lookup: self.lookup.as_ref().map(|(key, exists)| (key, *exists)),
            witness: &live.witness,
            incident: &live.incident,
            now,
            timing: &self.timing,
        });
        self.live = Some(live);
        self.ask = verdict.ask.clone();
        if let Some(key) = verdict.lookup.clone().filter(|_| self.lookup.is_none()) {
            self.lookup = Some((key.clone(), true));
            return self.go(Stage::LookingUp, Step::Lookup(key));
        }
        let mut needs = verdict.needs.clone();
        needs.merge(self.curiosity());
        let stale = self.stale(&needs, now.mono);
        self.verdict = Some(Box::new(verdict));
        if !stale.is_empty() && self.looks < LOOKS_MAX {
            return self.look(stale);
        }
        self.hinted = false;
        self.commit_or_write(now)
    }

    /// Takes in what was read. Where a fresh reading was asked for and did not come, the older ones are put away: what
    /// they show is known to be gone, or too old to act upon.
    fn take_in(&mut self, now: Now, observed: Box<Sides<SideView>>) {
        let before = std::mem::replace(&mut self.observed, observed);
        let asked = std::mem::take(&mut self.asked);
        self.keep_narrow(&before, &asked);
        self.close_ungranted();
        self.share_one_place();
        let stale = self.stale(&asked, now.mono);
        self.unread.extend(stale.peerings.iter().map(|side| Unread::Peerings(*side)));
        self.unread.extend(stale.vpcs.iter().map(|side| Unread::Vpcs(*side)));
        self.unread.extend(stale.tables.keys().map(|side| Unread::Tables(*side)));
        self.unread.extend(stale.prefix_lists.keys().map(|side| Unread::PrefixLists(*side)));
        self.unread.extend(stale.stale_rules.iter().map(|side| Unread::StaleRules(*side)));
        for unread in &self.unread {
            match unread {
                Unread::Peerings(side) => put_away(&mut self.observed.get_mut(*side).peerings),
                Unread::Vpcs(side) => put_away(&mut self.observed.get_mut(*side).vpcs),
                Unread::Tables(side) => put_away(&mut self.observed.get_mut(*side).tables),
                Unread::PrefixLists(side) => put_away(&mut self.observed.get_mut(*side).prefix_lists),
                Unread::StaleRules(side) => put_away(&mut self.observed.get_mut(*side).stale_rules),
            }
        }
        let Some(live) = &self.live else { return };
        for side in Side::BOTH {
            let view = self.observed.get(side);
            let vpc = live.desired.sides.get(side).vpc;
            let mut read = Needs::default();
            if let Some(narrow) = &view.peerings.narrow {
                read.peerings.insert(side);
                self.recent.raise_floor(&read, narrow.began());
            }
            if let Some(narrow) = &view.tables.narrow {
                // A reading that objects share shows others' tables too.
                let tables = narrow.group(vpc).map(|table| table.id).collect();
                let read = Needs { tables: [(side, tables)].into(), ..Needs::default() };
                self.recent.raise_floor(&read, narrow.began());
            }
        }
    }

    /// An answer holds just what was asked for. What this turn read before is still known, or two kinds that a wave rests
    /// on would push each other out for ever.
    fn keep_narrow(&mut self, before: &Sides<SideView>, asked: &Needs) {
        fn keep<T: Resource>(view: &mut View<T>, before: &View<T>, asked: bool) {
            let is_blind = matches!(view.unseen, Unseen::WrongAccount { .. });
            if !asked && !is_blind && view.narrow.is_none() {
                view.narrow = before.narrow.clone();
            }
        }
        let shared = self.is_one_place() && !asked.peerings.is_empty();
        for side in Side::BOTH {
            let (view, before) = (self.observed.get_mut(side), before.get(side));
            keep(&mut view.peerings, &before.peerings, shared || asked.peerings.contains(&side));
            keep(&mut view.vpcs, &before.vpcs, asked.vpcs.contains(&side));
            keep(&mut view.tables, &before.tables, asked.tables.contains_key(&side));
            keep(&mut view.prefix_lists, &before.prefix_lists, asked.prefix_lists.contains_key(&side));
            keep(&mut view.stale_rules, &before.stale_rules, asked.stale_rules.contains(&side));
        }
    }

    /// What a side's owner does not grant is not looked at, though others may have had it read.
    fn close_ungranted(&mut self) {
        let Some(live) = &self.live else { return };
        for side in Side::BOTH.into_iter().filter(|side| !live.grants.get(*side).readable()) {
            *self.observed.get_mut(side) = SideView::default();
        }
    }

    /// With both ends in one account and Region there is one answer to what peerings there are: the newest.
    fn share_one_place(&mut self) {
        if !self.is_one_place() {
            return;
        }
        let newest = |view: &View<Peering>| view.readings().next().map(|reading| reading.began());
        let Sides { requester, accepter } = &mut *self.observed;
        if newest(&accepter.peerings) > newest(&requester.peerings) {
            requester.peerings = accepter.peerings.clone();
        } else {
            accepter.peerings = requester.peerings.clone();
        }
    }

    fn is_one_place(&self) -> bool {
        let pair = self.live.as_ref().and_then(|live| PairAt::resolve(&live.desired, &live.grants));
        pair.is_some_and(|pair| pair.is_one_place())
    }

    /// Asks for a reading of each of these, once.
    fn look(&mut self, mut needs: Needs) -> Step {
        if self.is_one_place() && needs.peerings.contains(&Side::Requester) {
            needs.peerings.remove(&Side::Accepter);
        }
        self.looks += 1;
        self.asked = needs.clone();
        self.go(Stage::Observing, Step::Observe(needs))
    }

    /// What is worth a fresh look even without a write: what AWS is working on, and what we did a moment ago.
    fn curiosity(&self) -> Needs {
        let mut needs = self.older_than_known();
        let Some(live) = &self.live else { return needs };
        for (_, sent) in self.recent.sent() {
            needs.merge(self.needs_of(&sent.call));
        }
        let between = matches!(live.memory.life, Life::Requested { .. }) || live.desired.deleting;
        if self.hinted || between {
            needs.peerings.extend(Side::BOTH);
        }
        if self.hinted {
            needs.merge(self.told.clone());
        }
        readable(needs, live)
    }

    /// What shows whether this write took effect.
    fn needs_of(&self, call: &WriteCall) -> Needs {
        let mut needs = Needs::default();
        match &call.write {
            Write::AddRoute { slot, .. } | Write::Repoint { slot, .. } | Write::DropRoute { slot, .. } => {
                needs.tables.entry(call.side).or_default().insert(slot.table);
            }
            Write::Create { .. } | Write::Accept(_) | Write::Remove(..) => {
                needs.peerings.extend(Side::BOTH);
            }
            Write::Options { .. } | Write::Tag { .. } | Write::Untag { .. } => {
                needs.peerings.insert(call.side);
            }
            Write::RevokeRule { .. } => {
                needs.stale_rules.insert(call.side);
            }
        }
        if self.is_one_place() && !needs.peerings.is_empty() {
            needs.peerings.extend(Side::BOTH);
        }
        needs
    }

    /// What the readings at hand show as it was before this process last read or wrote it.
    fn older_than_known(&self) -> Needs {
        let Some(live) = &self.live else { return Needs::default() };
        let pair = live.desired.pair();
        let mut needs = self.recent.floored();
        needs.peerings.retain(|side| {
            let newest = self.observed.get(*side).peerings.newest_covering(pair);
            newest.is_none_or(|began| began < self.recent.peerings_floor(*side))
        });
        for (side, tables) in &mut needs.tables {
            let view = &self.observed.get(*side).tables;
            tables.retain(|id| {
                let floor = self.recent.table_floor(*side, *id);
                !view.readings().any(|reading| reading.began() >= floor && reading.speaks_of(*id))
            });
        }
        needs.tables.retain(|_, tables| !tables.is_empty());
        needs
    }

    /// The part of `needs` that this turn has not read recently enough, nor since it was last written. What was asked for in
    /// vain is not asked for again.
    fn stale(&self, needs: &Needs, now: Mono) -> Needs {
        let Some(live) = &self.live else { return Needs::default() };
        let oldest = Mono(now.0.saturating_sub(self.timing.fresh_ms)).max(self.began);
        let pair = live.desired.pair();
        let stale_peerings = |side: &Side| {
            let newest = self.observed.get(*side).peerings.newest_covering(pair);
            let floor = oldest.max(self.recent.peerings_floor(*side));
            newest.is_none_or(|began| began < floor) && !self.unread.contains(&Unread::Peerings(*side))
        };
        let stale_vpc = |side: &Side| {
            let vpc = live.desired.sides.get(*side).vpc;
            let newest = self.observed.get(*side).vpcs.newest_covering(vpc);
            newest.is_none_or(|began| began < oldest) && !self.unread.contains(&Unread::Vpcs(*side))
        };
        let stale_tables = |(side, tables): (&Side, &BTreeSet<RouteTableId>)| {
            let view = &self.observed.get(*side).tables;
            // One that a reading was asked for and does not show is no less fresh for being gone. All are asked for
            // again together, because a new narrow reading takes the place of the one before.
            let fresh = |id: &RouteTableId| {
                let floor = oldest.max(self.recent.table_floor(*side, *id));
                view.readings().any(|r| r.began() >= floor && r.speaks_of(*id))
            };
            let wanted = !tables.iter().all(fresh) && !self.unread.contains(&Unread::Tables(*side));
            wanted.then(|| (*side, tables.clone()))
        };
        let stale_lists = |(side, lists): (&Side, &BTreeSet<PrefixListId>)| {
            let view = &self.observed.get(*side).prefix_lists;
            let fresh = |id: &PrefixListId| view.readings().any(|r| r.speaks_of(*id));
            let wanted = !lists.iter().all(fresh) && !self.unread.contains(&Unread::PrefixLists(*side));
            wanted.then(|| (*side, lists.clone()))
        };
        let stale_rules = |side: &Side| {
            let vpc = live.desired.sides.get(*side).vpc;
            let newest = self.observed.get(*side).stale_rules.newest_covering(vpc);
            newest.is_none_or(|began| began < oldest) && !self.unread.contains(&Unread::StaleRules(*side))
        };
        Needs {
            stale_rules: needs.stale_rules.iter().filter(|side| stale_rules(side)).copied().collect(),
            peerings: needs.peerings.iter().filter(|side| stale_peerings(side)).copied().collect(),
            vpcs: needs.vpcs.iter().filter(|side| stale_vpc(side)).copied().collect(),
            tables: needs.tables.iter().filter_map(stale_tables).collect(),
            prefix_lists: needs.prefix_lists.iter().filter_map(stale_lists).collect(),
        }
    }

    fn commit_or_write(&mut self, now: Now) -> Step {
        let (Some(verdict), Some(live)) = (&self.verdict, &self.live) else {
            return self.done(TurnResult::Failed("nothing was planned".into()), None);
        };
        let commit = Commit {
            version: live.version.clone(),
            memory: verdict.memory.clone(),
            report: verdict.report.clone(),
            finalizer: if verdict.finalizer == Finalizer::Add && live.has_finalizer {
                Finalizer::Keep
            } else {
                verdict.finalizer
            },
            established: verdict.established,
            reserve: verdict.reserve,
            incidents: verdict.incidents.clone(),
        };
        let same = |stored: &Commit| {
            stored.memory == commit.memory
                && stored.report == commit.report
                && stored.incidents == commit.incidents
                && commit.finalizer == Finalizer::Keep
        };
        if self.stored.as_deref().is_some_and(same) {
            return self.write(now);
        }
        self.stored = Some(Box::new(commit.clone()));
        self.go(Stage::Committing, Step::Commit(Box::new(commit)))
    }

    fn committed(&mut self, now: Now, committed: Committed) -> Step {
        match committed {
            Committed::Conflict => self.done(TurnResult::Conflict, None),
            Committed::Failed(why) => self.done(TurnResult::Failed(why), None),
            Committed::OverLimit(latch) => {
                // Plan again with what the limits say now.
                self.stored = None;
                if let Some(live) = &mut self.live {
                    live.limits.refuse(&latch);
                }
                self.decide(now)
            }
            Committed::Stored { version, recorded } => {
                self.note_transitions();
                let (Some(live), Some(stored)) = (&mut self.live, &mut self.stored) else {
                    return self.done(TurnResult::Failed("nothing was stored".into()), None);
                };
                for one in &recorded {
                    stored.record(one);
                    let is_loss =
                        |told: &Incident| told.name == one.0 && matches!(told.class, Class::Loss(_));
                    let seen = match stored.incidents.iter().any(is_loss) {
                        true => &mut live.incident.loss,
                        false => &mut live.incident.drift,
                    };
                    *seen = undecided(one.1.clone());
                }
                let since = |memory: &Memory| memory.drift.as_ref().map(|drift| drift.since);
                let is_new_drift =
                    since(&stored.memory).is_some() && since(&stored.memory) != since(&live.memory);
                live.version = version;
                live.memory = stored.memory.clone();
                live.has_finalizer |= stored.finalizer == Finalizer::Add;
                let dropped = stored.finalizer == Finalizer::Drop;
                live.told = stored
                    .report
                    .conditions
                    .iter()
                    .map(|c| (c.kind, (c.truth, c.reason.as_str().into())))
                    .collect();
                if dropped {
                    return self.done(TurnResult::Gone, None);
                }
                if is_new_drift {
                    // What its incident is called is stored: now it can be told, before anything is written.
                    live.incident.drift = IncidentSeen::Unread;
                    return self.decide(now);
                }
                self.write(now)
            }
        }
    }

    /// Sends the wave, if what it rests on is still fresh after the commit.
    fn write(&mut self, now: Now) -> Step {
        let Some(verdict) = &self.verdict else { return self.done(TurnResult::Settled, None) };
        let wake = verdict.wake;
        if verdict.wave.is_empty() {
            if self.recent.sent().next().is_some() || wake.is_some() {
                self.recent.count_poll();
            }
            // It looked as often as it may and still lacks something: nothing else might ever wake it.
            let again = (self.looks >= LOOKS_MAX).then(|| now.mono.plus_ms(self.timing.poll_ms));
            return self.done(TurnResult::Settled, wake.or(again));
        }
        if self.waves >= WAVES_MAX {
            return self.done(TurnResult::More, Some(now.mono));
        }
        if !self.stale(&verdict.needs, now.mono).is_empty() {
            if self.looks >= LOOKS_MAX {
                return self.done(TurnResult::More, Some(now.mono));
            }
            let needs = self.stale(&verdict.needs, now.mono);
            return self.look(needs);
        }
        let wave = verdict.wave.clone();
        self.waves += 1;
        self.go(Stage::Writing, Step::Write(wave))
    }

    /// Records what came of the wave, and has it read back.
    fn wrote(&mut self, now: Now, outcomes: &[Outcome]) -> Step {
        let (wave, wake) =
            self.verdict.take().map(|verdict| (verdict.wave, verdict.wake)).unwrap_or_default();
        debug_assert_eq!(wave.len(), outcomes.len(), "one outcome for each write");
        let mut needs = Needs::default();
        let mut sent = false;
        let mut ready: Option<Mono> = None;
        for (call, outcome) in wave.iter().zip(outcomes) {
            self.recent.record(call, outcome, now.mono);
            match outcome {
                Outcome::NotSent(NotSent::Leadership) => return self.done(TurnResult::NotLeading, None),
                Outcome::NotSent(NotSent::Rate { ready: at }) => {
                    ready = Some(ready.map_or(*at, |known| known.min(*at)))
                }
                Outcome::NotSent(_) => ready = ready.or(Some(now.mono.plus_ms(self.timing.poll_ms))),
                Outcome::Done(_) | Outcome::Refused(_) | Outcome::Unknown(_) => {
                    sent = true;
                    needs.merge(self.needs_of(call));
                    self.note_write(call, outcome);
                }
            }
        }
        if !sent {
            // Its turn may be long in coming: what the plan wants to see before is seen before.
            return self.done(TurnResult::Settled, ready.into_iter().chain(wake).min());
        }
        self.recent.raise_floor(&needs, now.mono);
        self.unread.clear();
        let Some(live) = &self.live else { return self.done(TurnResult::Settled, ready) };
        self.look(readable(needs, live))
    }

    fn note_write(&mut self, call: &WriteCall, outcome: &Outcome) {
        let Outcome::Done(made) = outcome else { return };
        let reason = match &call.write {
            Write::Create { .. } => Reason::PeeringCreated,
            Write::Accept(_) => Reason::PeeringAccepted,
            Write::Remove(..) => Reason::PeeringRemoved,
            Write::AddRoute { .. } | Write::Repoint { .. } => Reason::RoutesRepaired,
            Write::DropRoute { .. } => Reason::RoutesRemoved,
            Write::RevokeRule { .. } => Reason::StaleRulesRevoked,
            Write::Options { .. } | Write::Tag { .. } | Write::Untag { .. } => return,
        };
        let message = match made {
            Some(id) => format!("{call}: {id}"),
            None => call.to_string(),
        };
        // Hundreds of routes are one Event.
        match self.acts.iter_mut().find(|note| note.reason == reason) {
            Some(note) if note.message.len() < 500 => {
                note.message.push_str("; ");
                note.message.push_str(&message);
            }
            Some(_) => {}
            None => self.acts.push(Note { warning: false, reason, message }),
        }
    }

    /// Events for conditions that this commit changed.
    fn note_transitions(&mut self) {
        let (Some(live), Some(stored)) = (&self.live, &self.stored) else { return };
        let mut notes = Vec::new();
        for condition in &stored.report.conditions {
            let news = match condition.kind {
                ConditionType::Ready | ConditionType::UnexpectedlyDeleted => true,
                ConditionType::Reconciling
                | ConditionType::Stalled
                | ConditionType::PeeringActive
                | ConditionType::RoutesInSync
                | ConditionType::DnsInSync
                | ConditionType::EventLaneDegraded
                | ConditionType::OperatorCredentialsMisused => false,
            };
            let before = live.told.get(&condition.kind);
            let is_now = (condition.truth, condition.reason.as_str());
            // What goes on by itself within moments is no news.
            let quiet =
                matches!(condition.reason, Reason::NotLost | Reason::Progressing | Reason::WaitingForAws);
            if !news || quiet || before.is_some_and(|(truth, reason)| (*truth, &**reason) == is_now) {
                continue;
            }
            let warning = match condition.kind {
                ConditionType::UnexpectedlyDeleted => condition.truth == Truth::True,
                _ => stored.report.condition(ConditionType::Stalled).is_some(),
            };
            notes.push(Note { warning, reason: condition.reason, message: condition.message.clone() });
        }
        notes.sort();
        notes.dedup_by(|a, b| a.reason == b.reason);
        self.transitions.extend(notes);
    }
}

/// An incident that was made, or taken over, a moment ago.
fn undecided(at: IncidentRef) -> IncidentSeen {
    IncidentSeen::Found(Found { at, is_like_ours: true, decision: Decision::default() })
}

/// Without the sides that we may not read.
fn readable(mut needs: Needs, live: &Live) -> Needs {
    let may = |side: &Side| live.grants.get(*side).readable();
    needs.peerings.retain(may);
    needs.vpcs.retain(may);
    needs.tables.retain(|side, _| may(side));
    needs.prefix_lists.retain(|side, _| may(side));
    needs.stale_rules.retain(may);
    needs
}

/// Nothing that this view holds may be looked at.
fn put_away<T: Resource>(view: &mut View<T>) {
    let unseen = match &view.unseen {
        Unseen::NotRead => {
            Unseen::Failed { call: "a fresh reading".into(), why: "it brought nothing".into() }
        }
        known => known.clone(),
    };
    *view = View { unseen, ..View::default() };
}
