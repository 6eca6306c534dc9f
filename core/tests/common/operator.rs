//! The operator's loop in virtual time: sweeps, wakes, and one turn after another. What it holds dies with a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ec2sim::{Calm, Chance, World};
use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey, Side, Sides};
use peerkeeper_core::observed::{Needs, Resource, SideView, Unseen, View};
use peerkeeper_core::plan::{self, Input, Verdict};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing, Wall};
use peerkeeper_core::turn::{Done, Note, Reply, Step, Turn, TurnResult};
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use super::aws::Line;
use super::cluster::Cluster;

/// The wall clock at the world's zero.
const EPOCH_S: i64 = 1_800_000_000;
pub const SWEEP_MS: u64 = 60_000;
const CALL_MS: u64 = 20;

/// Where a crash happens: the process dies before the step with this number is done, right after, or, where it writes,
/// with the first of its calls sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    Before(u64),
    Within(u64),
    /// The process is cut off with its writes under way: they land when the test lets them ([`Sim::land_late`]).
    Late(u64),
    After(u64),
}

/// What happened, in order, for tests that look at the order of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Committed { key: ObjectKey, flagged: bool, at_ms: u64 },
    Wrote { key: ObjectKey, call: Box<WriteCall>, outcome: Outcome, at_ms: u64 },
    Note { key: ObjectKey, note: Note },
    Crashed { at_ms: u64 },
}

pub struct Sim {
    pub world: World,
    pub cluster: Cluster,
    pub chance: Box<dyn Chance>,
    pub timing: Timing,
    pub crash: Option<Crash>,
    /// Steps done since the beginning, for numbering crashes.
    pub steps: u64,
    pub history: Vec<Happened>,
    /// The lease is lost: nothing is written.
    pub leading: bool,
    /// AWS lists everything the other way round.
    pub reversed: bool,
    /// Looked at after each step, by tests of what must hold at every moment.
    pub watch: Option<fn(&Sim)>,
    pub turns: u64,
    /// Writes of a process that is no more, still on their way.
    late: Vec<WriteCall>,
    hinted: BTreeSet<ObjectKey>,
    /// Readings that turns asked for.
    pub looks: u64,
    started: Mono,
    recents: BTreeMap<ObjectKey, (Arc<str>, Recent)>,
    snapshots: BTreeMap<AccountRegion, SideView>,
    next_sweep: BTreeMap<AccountRegion, u64>,
    wakes: BTreeMap<ObjectKey, u64>,
    failures: BTreeMap<ObjectKey, u32>,
}

/// The process died.
struct Died;

impl Sim {
    pub fn new() -> Self {
        let mut world = World::new();
        // Nothing in here may rest on the clock's zero.
        world.advance(10_000_000);
        Self {
            started: Mono(world.now_ms()),
            world,
            cluster: Cluster::default(),
            chance: Box::new(Calm),
            timing: Timing::default(),
            crash: None,
            steps: 0,
            history: Vec::new(),
            leading: true,
            reversed: false,
            watch: None,
            turns: 0,
            late: Vec::new(),
            hinted: BTreeSet::new(),
            looks: 0,
            recents: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            next_sweep: BTreeMap::new(),
            wakes: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    pub fn now(&self) -> Now {
        let ms = self.world.now_ms();
        Now { mono: Mono(ms), wall: Wall(EPOCH_S + i64::try_from(ms / 1000).expect("small")) }
    }

    /// Everything the process held is gone: what it did, what it saw, when it meant to look again.
    pub fn restart(&mut self) {
        self.started = Mono(self.world.now_ms());
        self.recents.clear();
        self.snapshots.clear();
        self.next_sweep.clear();
        self.wakes.clear();
        self.failures.clear();
        self.history.push(Happened::Crashed { at_ms: self.world.now_ms() });
    }

    /// The writes of a former leader arrive after all. True if there were any.
    pub fn land_late(&mut self) -> bool {
        let late = std::mem::take(&mut self.late);
        for call in &late {
            Line { world: &mut self.world, chance: self.chance.as_mut(), reversed: self.reversed }.send(call);
        }
        !late.is_empty()
    }

    /// The plan for one object as it stands: with every place it needs swept at this moment.
    pub fn plan_now(&mut self, key: &ObjectKey) -> Verdict {
        self.plan_ahead();
        let places: Vec<AccountRegion> = self.next_sweep.keys().copied().collect();
        places.into_iter().for_each(|at| self.sweep(at));
        let mut recent = self.recents.get(key).map(|(_, recent)| recent.clone());
        let recent = recent.get_or_insert_with(|| Recent::new(self.started));
        let mut live = self.cluster.live(key).expect("it exists");
        let observed = Sides::from_fn(|side| self.view(key, side, &Sides::default()));
        let now = self.now();
        plan::settle(recent, &observed, live.desired.pair(), now.mono, &self.timing);
        live.memory = self.cluster.object(key).memory.clone();
        plan::plan(&Input {
            desired: &live.desired,
            policy: &live.policy,
            grants: &live.grants,
            claims: &live.claims,
            limits: &live.limits,
            memory: &live.memory,
            recent,
            observed: &observed,
            lookup: None,
            witness: &live.witness,
            incident: &live.incident,
            now,
            timing: &self.timing,
        })
    }

    pub fn run_s(&mut self, seconds: u64) {
        let end = self.world.now_ms() + seconds * 1000;
        self.run_to(end);
    }

    /// Until the condition holds; a test that waits in vain says what the objects say.
    pub fn run_until(&mut self, what: &str, at_most_s: u64, mut holds: impl FnMut(&Sim) -> bool) {
        let end = self.world.now_ms() + at_most_s * 1000;
        while !holds(self) {
            if self.world.now_ms() >= end {
                panic!("{what}: not within {at_most_s} s\n{}", self.say());
            }
            self.run_one(end);
        }
    }

    pub fn run_to(&mut self, end_ms: u64) {
        const HOUR_MS: u64 = 3_600_000;
        while self.world.now_ms() < end_ms {
            // Of long times only five minutes in each hour are lived through: the others are the same.
            if end_ms - self.world.now_ms() > 2 * HOUR_MS {
                let hour = self.world.now_ms() + HOUR_MS;
                self.run_to(hour - HOUR_MS + 300_000);
                self.world.advance(hour);
                let places: Vec<AccountRegion> = self.next_sweep.keys().copied().collect();
                places.into_iter().for_each(|at| self.sweep(at));
            } else {
                self.run_one(end_ms);
            }
        }
    }

    /// The next thing that is due: a sweep, or an object's turn.
    fn run_one(&mut self, end_ms: u64) {
        self.plan_ahead();
        let sweep = self.next_sweep.iter().map(|(at, due)| (*due, *at)).min();
        let wake = self.wakes.iter().map(|(key, due)| (*due, key.clone())).min();
        let due = sweep.iter().map(|(due, _)| *due).chain(wake.iter().map(|(due, _)| *due)).min();
        match due {
            Some(due) if due <= end_ms => self.world.advance(due),
            _ => return self.world.advance(end_ms),
        }
        // Sweeps first: objects are woken by what they bring.
        if let Some((_, at)) = sweep.filter(|(sweep, _)| Some(*sweep) == due) {
            self.sweep(at);
        } else if let Some((_, key)) = wake {
            self.wakes.remove(&key);
            if self.turn(&key).is_err() {
                self.restart();
            }
        }
    }

    fn plan_ahead(&mut self) {
        let now = self.world.now_ms();
        let places: BTreeSet<AccountRegion> = self.places().collect();
        for at in &places {
            self.next_sweep.entry(*at).or_insert(now);
        }
        self.next_sweep.retain(|at, _| places.contains(at));
        for key in self.cluster.objects.keys() {
            if !self.recents.contains_key(key) {
                self.wakes.entry(key.clone()).or_insert(now);
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = AccountRegion> {
        self.cluster
            .objects
            .values()
            .flat_map(|object| Side::BOTH.into_iter().filter_map(|side| self.place(object, side)))
    }

    /// Where a side is read, if we hold credentials for it.
    fn place(&self, object: &super::cluster::Object, side: Side) -> Option<AccountRegion> {
        let spec = object.sides.get(side);
        let AccountRef::Managed(name) = &spec.account else { return None };
        let account = self.cluster.accounts.get(name)?;
        Some(AccountRegion { account: account.id, region: spec.region })
    }

    /// Asked by a user, a watch or a hint.
    pub fn wake(&mut self, key: &ObjectKey) {
        self.wakes.insert(key.clone(), self.world.now_ms());
    }

    /// An event says that something about this object changed: its turn looks for itself, and at once.
    pub fn hint(&mut self, key: &ObjectKey) {
        self.hinted.insert(key.clone());
        self.wake(key);
    }

    fn sweep(&mut self, at: AccountRegion) {
        self.next_sweep.insert(at, self.world.now_ms() + SWEEP_MS);
        let mut view = self.snapshots.remove(&at).unwrap_or_default();
        match self.identity(at) {
            Err(unseen) => forget(&mut view, &unseen),
            Ok(caller) => {
                view.caller = Some(caller);
                let quota = self.world.quotas(at.account.to_string().as_str(), at.region.as_str());
                view.routes_per_table = u32::try_from(quota.routes_per_table).ok();
                let mut line =
                    Line { world: &mut self.world, chance: self.chance.as_mut(), reversed: self.reversed };
                line.sweep(at, &mut view);
            }
        }
        self.snapshots.insert(at, view);
        let touched: Vec<ObjectKey> = self
            .cluster
            .objects
            .values()
            .filter(|object| Side::BOTH.into_iter().any(|side| self.place(object, side) == Some(at)))
            .map(|object| object.key.clone())
            .collect();
        for key in touched {
            self.wake(&key);
        }
    }

    fn account(&self, id: AccountId) -> Option<&super::cluster::Account> {
        self.cluster.accounts.values().find(|account| account.id == id)
    }

    /// GetCallerIdentity, and whether the account can be used at all.
    fn identity(&self, at: AccountRegion) -> Result<AccountId, Unseen> {
        let Some(account) = self.account(at.account) else { return Err(Unseen::NotRead) };
        if let Some(why) = &account.unusable {
            return Err(Unseen::Denied { call: "AssumeRole".into(), code: why.clone() });
        }
        match account.answers_as {
            Some(found) if found != at.account => Err(Unseen::WrongAccount { found: Some(found) }),
            _ => Ok(at.account),
        }
    }

    fn turn(&mut self, key: &ObjectKey) -> Result<(), Died> {
        self.turns += 1;
        let uid = self.cluster.objects.get(key).map(|object| object.uid.clone()).unwrap_or_default();
        let recent = match self.recents.remove(key) {
            Some((of, recent)) if of == uid => recent,
            _ => Recent::new(self.started),
        };
        let hinted = self.hinted.remove(key);
        let mut turn = Turn::new(key.clone(), recent, self.timing, hinted);
        let mut reply = Reply::Start;
        loop {
            let step = turn.next(self.now(), reply);
            let number = self.steps;
            self.steps += 1;
            if self.crash == Some(Crash::Before(number)) {
                return Err(Died);
            }
            if self.crash == Some(Crash::Late(number)) {
                if let Step::Write(calls) = step {
                    self.late = calls;
                }
                return Err(Died);
            }
            if self.crash == Some(Crash::Within(number)) {
                if let Step::Write(calls) = &step {
                    self.send(key, &calls[0]);
                }
                return Err(Died);
            }
            reply = match step {
                Step::Done(done) => {
                    self.end(key, uid, turn.into_recent(), done);
                    return if self.crash == Some(Crash::After(number)) { Err(Died) } else { Ok(()) };
                }
                step => self.answer(key, step),
            };
            if let Some(watch) = self.watch {
                watch(self);
            }
            if self.crash == Some(Crash::After(number)) {
                return Err(Died);
            }
        }
    }

    fn answer(&mut self, key: &ObjectKey, step: Step) -> Reply {
        let now = self.now();
        match step {
            Step::ReadLive if self.cluster.down => Reply::NoAnswer("the API server does not answer".into()),
            Step::ReadLive => Reply::Live(self.cluster.live(key).map(Box::new)),
            Step::Lookup(_) if self.cluster.down => Reply::NoAnswer("the API server does not answer".into()),
            Step::Lookup(other) => Reply::Exists(self.cluster.objects.contains_key(&other)),
            Step::Observe(needs) => {
                // Just what was asked for now: what this turn read before, it keeps itself.
                let narrow = self.observe(key, &needs);
                Reply::Observed(Box::new(Sides::from_fn(|side| self.view(key, side, &narrow))))
            }
            Step::Commit(commit) => {
                let committed = self.cluster.commit(key, &commit, now.wall);
                let flagged = commit.memory.episode.is_some();
                self.history.push(Happened::Committed { key: key.clone(), flagged, at_ms: now.mono.0 });
                Reply::Committed(committed)
            }
            Step::Write(calls) => Reply::Wrote(calls.iter().map(|call| self.send(key, call)).collect()),
            Step::Done(_) => unreachable!("handled by the caller"),
        }
    }

    fn send(&mut self, key: &ObjectKey, call: &WriteCall) -> Outcome {
        let outcome = if !self.leading {
            Outcome::NotSent(NotSent::Leadership)
        } else if let Err(unseen) = self.identity(call.at) {
            Outcome::NotSent(NotSent::Credentials(format!("{unseen:?}").into()))
        } else {
            Line { world: &mut self.world, chance: self.chance.as_mut(), reversed: self.reversed }.send(call)
        };
        self.history.push(Happened::Wrote {
            key: key.clone(),
            call: Box::new(call.clone()),
            outcome: outcome.clone(),
            at_ms: self.world.now_ms(),
        });
        outcome
    }

    /// Reads just what is needed, anew.
    fn observe(&mut self, key: &ObjectKey, needs: &Needs) -> Sides<SideView> {
        let mut narrow: Sides<SideView> = Sides::default();
        let Some(object) = self.cluster.objects.get(key).cloned() else { return narrow };
        if *needs != Needs::default() {
            self.looks += 1;
            // No call is answered in no time.
            self.world.advance(self.world.now_ms() + CALL_MS);
        }
        for side in Side::BOTH {
            let Some(at) = self.place(&object, side) else { continue };
            let usable = self.identity(at);
            let view = narrow.get_mut(side);
            if let Err(unseen) = usable {
                forget(view, &unseen);
                continue;
            }
            let mut line =
                Line { world: &mut self.world, chance: self.chance.as_mut(), reversed: self.reversed };
            line.narrow(at, side, (object.pair(), object.sides.get(side).vpc), needs, view);
        }
        narrow
    }

    /// The sweeps, and what was read beside them.
    fn view(&self, key: &ObjectKey, side: Side, narrow: &Sides<SideView>) -> SideView {
        let Some(object) = self.cluster.objects.get(key) else { return SideView::default() };
        let Some(at) = self.place(object, side) else { return SideView::default() };
        let mut view = self.snapshots.get(&at).cloned().unwrap_or_default();
        let own = narrow.get(side);
        join(&mut view.peerings, &own.peerings);
        join(&mut view.tables, &own.tables);
        join(&mut view.vpcs, &own.vpcs);
        join(&mut view.prefix_lists, &own.prefix_lists);
        join(&mut view.stale_rules, &own.stale_rules);
        view
    }

    fn end(&mut self, key: &ObjectKey, uid: Arc<str>, recent: Recent, done: Done) {
        let now = self.world.now_ms();
        for note in done.events {
            self.history.push(Happened::Note { key: key.clone(), note });
        }
        let failures = self.failures.entry(key.clone()).or_default();
        let wake = match done.result {
            TurnResult::Gone => {
                self.recents.remove(key);
                self.wakes.remove(key);
                return;
            }
            TurnResult::Settled => {
                *failures = 0;
                done.wake.map(|at| at.0)
            }
            TurnResult::More | TurnResult::Conflict => Some(now + 10),
            TurnResult::Failed(_) | TurnResult::NotLeading => {
                *failures += 1;
                Some(now + 1000 * (1 << (*failures).min(6)))
            }
        };
        self.recents.insert(key.clone(), (uid, recent));
        if let Some(at) = wake {
            let due = self.wakes.entry(key.clone()).or_insert(u64::MAX);
            *due = (*due).min(at.max(now + 1));
        }
    }

    /// What every object says, for a test that failed.
    pub fn say(&self) -> String {
        let mut text = format!("at {} s\n", self.world.now_ms() / 1000);
        for (key, object) in &self.cluster.objects {
            text.push_str(&format!("{key}: {:?}\n", object.memory.life));
            match &object.report {
                Some(report) => text.push_str(&report.to_string()),
                None => text.push_str("  never reported\n"),
            }
        }
        for happened in self.history.iter().rev().take(12).rev() {
            text.push_str(&format!("  {happened:?}\n"));
        }
        text
    }
}

/// The account can't be used: nothing new is known of it.
fn forget(view: &mut SideView, unseen: &Unseen) {
    view.caller = None;
    view.peerings.unseen = unseen.clone();
    view.tables.unseen = unseen.clone();
    view.vpcs.unseen = unseen.clone();
    view.prefix_lists.unseen = unseen.clone();
    view.stale_rules.unseen = unseen.clone();
}

fn join<T: Resource>(view: &mut View<T>, own: &View<T>) {
    view.narrow = own.narrow.clone();
    if own.unseen != Unseen::NotRead {
        view.unseen = own.unseen.clone();
    }
}
