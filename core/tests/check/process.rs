//! One replica's process: its sweeps, and one turn at a time, step by step. What it holds dies with it.

use std::sync::Arc;

use ec2sim::{Describe, Failure, Request, Response, World};
use peerkeeper_core::aws_code::{Refusal, RefusalKind};
use peerkeeper_core::ids::{AccountRegion, Side, Sides};
use peerkeeper_core::observed::{Needs, Reading, Resource, RouteTable, Scope, SideView, Unseen, View};
use peerkeeper_core::pace::lease::{Elector, Terms};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::Mono;
use peerkeeper_core::turn::{Committed, Done, Reply, Step, Turn, TurnResult};
use peerkeeper_core::write::{NotSent, Outcome, Write, WriteCall};

use crate::branch::Branch;
use crate::clock;
use crate::common::aws::{self, text};
use crate::judge::{Ledger, Shown};
use crate::sabotage;
use crate::scenario::{Fault, SWEEP_MS, Sabotage, Setup};
use crate::store::Store;

#[derive(Clone, Debug, Hash)]
pub struct Process {
    /// Between turns; a turn has it while it runs.
    recent: Recent,
    views: Sides<Arc<SideView>>,
    /// When both places are read in full next.
    pub sweep_at: u64,
    pub wake: Option<u64>,
    failures: u32,
    pub task: Option<Arc<Task>>,
}

/// A turn, and the step that it wants done next.
#[derive(Clone, Debug, Hash)]
pub struct Task {
    pub turn: Turn,
    pub step: Step,
    /// When it asked for that.
    pub asked_ms: u64,
    /// What the turn was shown last: what its writer knows.
    pub shown: Shown,
}

/// Everything that one step may touch.
pub struct Env<'a> {
    pub setup: &'a Setup,
    pub world: &'a mut World,
    pub store: &'a mut Arc<Store>,
    pub ledger: &'a mut Ledger,
    pub branch: &'a mut Branch,
    /// The lease of a process that is cut off from the API server; `None`: it leads.
    pub elector: Option<&'a Elector>,
    /// Until when it holds the lease, by the arithmetic of whoever wrote the record.
    pub lease_ends: Option<u64>,
    /// A version that no object and no turn has.
    pub fresh: u32,
    /// What happened, in words, where somebody wants to read it.
    pub tale: Option<&'a mut Vec<String>>,
}

impl Env<'_> {
    pub fn tell(&mut self, words: impl FnOnce() -> String) {
        if let Some(tale) = &mut self.tale {
            tale.push(words());
        }
    }

    pub fn now_ms(&self) -> u64 {
        self.world.now_ms()
    }
}

pub fn terms() -> Terms {
    Terms::of_duration_s(20).unwrap()
}

impl Process {
    pub fn new(at_ms: u64) -> Self {
        Self {
            recent: Recent::new(Mono(at_ms)),
            views: Sides::default(),
            sweep_at: at_ms,
            wake: None,
            failures: 0,
            task: None,
        }
    }

    /// When this process next does something by itself.
    pub fn next_due(&self, exists: bool) -> Option<u64> {
        let sweep = exists.then_some(self.sweep_at);
        sweep.into_iter().chain(self.wake).min()
    }

    /// Reads both places in full; the object's turn follows.
    pub fn sweep(&mut self, env: &mut Env<'_>) {
        let now_ms = env.now_ms();
        for side in Side::BOTH {
            let at = env.setup.places.get(side).at();
            let mut view = (**self.views.get(side)).clone();
            view.caller = Some(at.account);
            view.routes_per_table = Some(50);
            // A sweep takes its time: what is read by itself at the same moment is newer.
            let began = Mono(now_ms - 1);
            let mut line = Line { env, at };
            rotate(&mut view.peerings, line.peerings(Describe::all()), began);
            rotate(&mut view.tables, line.tables(Describe::all()), began);
            rotate(&mut view.vpcs, line.vpcs(Describe::all()), began);
            if env.setup.is(Sabotage::OneAbsenceIsProof) {
                sabotage::pretend_twice(&mut view, env.setup);
            }
            *self.views.get_mut(side) = Arc::new(view);
        }
        env.tell(|| "sweeps".to_owned());
        self.sweep_at = now_ms + SWEEP_MS;
        if !env.setup.is(Sabotage::NeverLooksAgain) {
            self.wake = Some(now_ms);
        }
    }

    /// Begins a turn: reads the object live, and plans with what the sweeps know.
    pub fn begin(&mut self, env: &mut Env<'_>) -> Result<(), String> {
        self.wake = None;
        let recent = std::mem::replace(&mut self.recent, Recent::new(Mono(0)));
        let mut turn = Turn::new(env.setup.key.clone(), recent, env.setup.timing, false);
        let step = turn.next(clock::now(env.now_ms()), Reply::Start);
        env.tell(|| "begins a turn".to_owned());
        let asked_ms = env.now_ms();
        self.task = Some(Arc::new(Task { turn, step, asked_ms, shown: Shown::default() }));
        self.proceed(env)
    }

    /// Does the step that the turn waits for, and what follows from it without the world or the store.
    pub fn proceed(&mut self, env: &mut Env<'_>) -> Result<(), String> {
        let Some(task) = self.task.take() else { return Ok(()) };
        let Task { mut turn, mut step, asked_ms, mut shown } = Arc::unwrap_or_clone(task);
        if matches!(step, Step::Write(_)) {
            shown.asked_ms = asked_ms;
        }
        loop {
            if let Step::Done(done) = step {
                self.end(env, turn, done);
                return Ok(());
            }
            let reply = self.answer(env, &turn, &step, &mut shown)?;
            step = turn.next(clock::now(env.now_ms()), reply);
            match &step {
                Step::Observe(needs) if needs.is_empty() => {}
                Step::Done(_) => {}
                _ => break,
            }
        }
        let asked_ms = env.now_ms();
        self.task = Some(Arc::new(Task { turn, step, asked_ms, shown }));
        Ok(())
    }

    fn answer(
        &self,
        env: &mut Env<'_>,
        turn: &Turn,
        step: &Step,
        shown: &mut Shown,
    ) -> Result<Reply, String> {
        let cut_off = env.elector.is_some();
        Ok(match step {
            Step::ReadLive | Step::Lookup(_) if cut_off => Reply::NoAnswer("no answer".into()),
            Step::ReadLive => Reply::Live(env.store.live(env.setup).map(Box::new)),
            Step::Lookup(key) => Reply::Exists(*key == env.setup.key && env.store.object.is_some()),
            Step::Observe(needs) => {
                let mut views = self.observe(env, needs);
                shown.take_in(env.setup, &views);
                sabotage::distort(env.setup, env.store, &mut views);
                Reply::Observed(Box::new(views))
            }
            Step::Commit(_) if cut_off => Reply::Committed(Committed::Failed("no answer".into())),
            Step::Commit(commit) => Reply::Committed(commit_now(env, commit, Some((turn, shown)))?),
            Step::Write(calls) => {
                let mut outcomes = Vec::new();
                for call in calls {
                    outcomes.push(gated(env, turn, shown, call)?);
                }
                Reply::Wrote(outcomes)
            }
            Step::Done(_) => unreachable!("the caller sees to it"),
        })
    }

    fn observe(&self, env: &mut Env<'_>, needs: &Needs) -> Sides<SideView> {
        let mut views = Sides::from_fn(|side| (**self.views.get(side)).clone());
        for side in Side::BOTH {
            let at = env.setup.places.get(side).at();
            let view = views.get_mut(side);
            let began = Mono(env.now_ms());
            let mut line = Line { env, at };
            if needs.peerings.contains(&side) {
                line.narrow_peerings(&mut view.peerings, began);
            }
            if let Some(ids) = needs.tables.get(&side) {
                let query = Describe::all().filter("route-table-id", ids.iter().map(ToString::to_string));
                let scope = Scope::Ids(ids.clone());
                narrow(&mut view.tables, line.tables(query), scope, began);
            }
            if needs.vpcs.contains(&side) {
                let vpc = line.env.setup.sides.get(side).vpc;
                let query = Describe::all().filter("vpc-id", [vpc.to_string()]);
                narrow(&mut view.vpcs, line.vpcs(query), Scope::Groups([vpc].into()), began);
            }
        }
        if !needs.is_empty() {
            env.tell(|| format!("reads {}", words_of(needs)));
        }
        views
    }

    fn end(&mut self, env: &mut Env<'_>, turn: Turn, done: Done) {
        let now_ms = env.now_ms();
        self.recent = turn.into_recent();
        let again = match done.result {
            TurnResult::Gone => {
                self.recent = Recent::new(Mono(now_ms));
                self.wake = None;
                return;
            }
            TurnResult::Settled => {
                self.failures = 0;
                done.wake.map(|at| at.0).filter(|_| !env.setup.is(Sabotage::NeverLooksAgain))
            }
            TurnResult::More | TurnResult::Conflict => Some(now_ms),
            TurnResult::Failed(_) | TurnResult::NotLeading => {
                self.failures += 1;
                Some(now_ms + 1_000 * (1 << self.failures.min(6)))
            }
        };
        if let Some(at) = again {
            self.wake = Some(self.wake.map_or(at, |known| known.min(at)).max(now_ms));
        }
    }

    /// The version that the turn under way means to commit onto.
    pub fn version(&self) -> Option<u32> {
        self.task.as_ref()?.turn.live()?.version.parse().ok()
    }
}

/// Stores it, or not; the answer may be lost.
pub fn commit_now(
    env: &mut Env<'_>,
    commit: &peerkeeper_core::turn::Commit,
    writer: Option<(&Turn, &Shown)>,
) -> Result<Committed, String> {
    let lost = env.branch.choose_for(Fault::Lost, 3);
    if lost == 2 {
        env.tell(|| "commits; it never arrives".to_owned());
        return Ok(Committed::Failed("no answer".into()));
    }
    let (now, fresh) = (clock::now(env.now_ms()).wall, env.fresh);
    let before = env.store.clone();
    let committed = Arc::make_mut(env.store).commit(env.setup, commit, now, fresh);
    let stored = matches!(committed, Committed::Stored { .. });
    env.tell(|| {
        let word = if stored { "commits" } else { "fails to commit" };
        let lost = if lost == 1 { "; the answer is lost" } else { "" };
        format!("{word}: {}{lost}", crate::judge::in_short(commit))
    });
    let kept_to_itself = env.setup.is(Sabotage::ActsBeforeCommit) && commit.memory.episode.is_some();
    if stored && !kept_to_itself {
        env.ledger.committed(env.setup, env.world, &before, env.store, writer.map(|(_, shown)| shown))?;
    }
    Ok(if lost == 1 { Committed::Failed("no answer".into()) } else { committed })
}

/// Asks the lease, then sends.
fn gated(env: &mut Env<'_>, turn: &Turn, shown: &Shown, call: &WriteCall) -> Result<Outcome, String> {
    if let Some(elector) = env.elector {
        let now = Mono(env.now_ms());
        let may = elector.may_write(now, terms().longest_write_ms());
        if !may && !env.setup.is(Sabotage::IgnoresLease) {
            env.tell(|| format!("does not {call}: the lease would not outlast it"));
            return Ok(Outcome::NotSent(NotSent::Leadership));
        }
    }
    if env.now_ms() > shown.asked_ms + env.setup.timing.fresh_ms {
        env.tell(|| format!("does not {call}: what it rests on has grown old"));
        return Ok(Outcome::NotSent(NotSent::Stale));
    }
    if env.setup.is(Sabotage::KeepsTwins) && matches!(call.write, Write::Remove(..)) {
        return Ok(Outcome::Done(None));
    }
    let lease_ends = env.lease_ends;
    env.ledger.may_send(env.setup, env.world, turn, shown, call, lease_ends)?;
    Ok(send(env, call))
}

/// One call to EC2 that changes something.
pub fn send(env: &mut Env<'_>, call: &WriteCall) -> Outcome {
    let before = env.branch.lagged;
    let answer = env.world.call(&aws::caller(call.at), aws::request(&call.write), env.branch);
    let outcome = match answer {
        Ok(Response::Peering(view)) => Outcome::Done(Some(text(&view.id))),
        Ok(_) => Outcome::Done(None),
        Err(Failure::NoReply) => Outcome::Unknown("no answer".into()),
        Err(Failure::Aws(error)) => {
            let refusal = Refusal::new(error.code, error.message.as_str());
            match refusal.kind() {
                RefusalKind::Unavailable => Outcome::Unknown(refusal.to_string().into()),
                _ => Outcome::Refused(refusal),
            }
        }
    };
    let lags = if env.branch.lagged > before { ", not to be seen for a while" } else { "" };
    env.tell(|| match &outcome {
        Outcome::Done(Some(id)) => format!("{call}: done, {id}{lags}"),
        Outcome::Done(None) => format!("{call}: done{lags}"),
        Outcome::Refused(refusal) => format!("{call}: refused, {refusal}"),
        Outcome::Unknown(_) => format!("{call}: no answer{lags}"),
        Outcome::NotSent(why) => format!("{call}: not sent, {why:?}"),
    });
    outcome
}

/// Calls that read, at one place.
struct Line<'e, 'a> {
    env: &'e mut Env<'a>,
    at: AccountRegion,
}

impl Line<'_, '_> {
    fn ask(&mut self, request: Request) -> Result<Response, Unseen> {
        let action = request.action();
        let answer = self.env.world.call(&aws::caller(self.at), request, self.env.branch);
        answer.map_err(|failure| Unseen::Failed {
            call: action.name().into(),
            why: format!("{failure:?}").into(),
        })
    }

    fn peerings(&mut self, query: Describe) -> Result<Vec<peerkeeper_core::observed::Peering>, Unseen> {
        let page = self.ask(Request::DescribeVpcPeeringConnections(query))?.peerings().unwrap();
        Ok(page.items.iter().map(aws::peering).collect())
    }

    fn tables(&mut self, query: Describe) -> Result<Vec<RouteTable>, Unseen> {
        let page = self.ask(Request::DescribeRouteTables(query))?.route_tables().unwrap();
        Ok(page.items.iter().map(aws::table).collect())
    }

    fn vpcs(&mut self, query: Describe) -> Result<Vec<peerkeeper_core::observed::Vpc>, Unseen> {
        let page = self.ask(Request::DescribeVpcs(query))?.vpcs().unwrap();
        Ok(page.items.iter().map(aws::vpc).collect())
    }

    fn narrow_peerings(&mut self, view: &mut View<peerkeeper_core::observed::Peering>, began: Mono) {
        let pair = self.env.setup.pair();
        let vpcs = pair.vpcs().map(|vpc| vpc.to_string());
        let query = Describe::all()
            .filter("requester-vpc-info.vpc-id", vpcs.clone())
            .filter("accepter-vpc-info.vpc-id", vpcs);
        narrow(view, self.peerings(query), Scope::Groups([pair].into()), began);
    }
}

fn rotate<T: Resource>(view: &mut View<T>, things: Result<Vec<T>, Unseen>, began: Mono) {
    match things {
        Ok(things) => {
            let reading = Reading::new(began, Scope::All, things.into_iter().map(Arc::new));
            view.before = view.sweep.replace(Arc::new(reading));
            view.unseen = Unseen::NotRead;
        }
        Err(unseen) => view.unseen = unseen,
    }
}

fn narrow<T: Resource>(view: &mut View<T>, things: Result<Vec<T>, Unseen>, scope: Scope<T>, began: Mono) {
    match things {
        Ok(things) => {
            view.narrow = Some(Arc::new(Reading::new(began, scope, things.into_iter().map(Arc::new))));
        }
        Err(unseen) => view.unseen = unseen,
    }
}

fn words_of(needs: &Needs) -> String {
    let mut words = Vec::new();
    words.extend(needs.peerings.iter().map(|side| format!("the {side}'s peerings")));
    words.extend(needs.vpcs.iter().map(|side| format!("the {side}'s VPC")));
    words.extend(needs.tables.keys().map(|side| format!("the {side}'s route table")));
    words.join(", ")
}
