//! The small world as a state machine: what may happen next, whoever does it, and what comes of it.

use std::sync::Arc;

use ec2sim::{Caller, CreatePeering, Request, RouteRequest, World};
use peerkeeper_core::ids::Side;
use peerkeeper_core::pace::lease::{
    Base, Elector, Identity, Observed, Record, Request as LeaseRequest, Step as LeaseStep, Version, Written,
};
use peerkeeper_core::time::Mono;
use peerkeeper_core::turn::{Commit, Step};
use peerkeeper_core::write::WriteCall;

use crate::branch::Branch;
use crate::clock::FromNow;
use crate::common::aws::OPERATOR;
use crate::judge::{self, Ledger};
use crate::process::{self, Env, Process, terms};
use crate::scenario::{Budget, ELSEWHERE, Fault, Human, Sabotage, Setup};
use crate::store::Store;

/// What is further ahead than this does not happen here.
const HORIZON_MS: u64 = 1_000_000;

#[derive(Clone, Debug, Hash)]
pub struct State {
    pub world: World,
    pub store: Arc<Store>,
    /// The replica that holds the lease; `None` while it is on its way to the other.
    leader: Option<Process>,
    takeover_at: Option<u64>,
    /// The replica that is about to lose it, with what it has in hand.
    old: Option<Old>,
    /// What a former leader sent and nobody has received yet.
    late: Option<Late>,
    pub budget: Budget,
    pub ledger: Ledger,
}

/// Cut off from the API server, and so from its lease.
#[derive(Clone, Debug, Hash)]
struct Old {
    process: Process,
    elector: Elector,
    /// By the record that it wrote last.
    lease_ends: u64,
}

#[derive(Clone, Debug, Hash)]
enum Late {
    Writes(Vec<WriteCall>),
    Commit(Box<Commit>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Sweep,
    Begin,
    Proceed,
    OldProceeds,
    Tick,
    /// The process dies with so many of a wave's calls sent.
    Crash(usize),
    CutOff,
    Freeze,
    Land,
    Human(Human),
    Delete,
}

/// What the operator's next steps touch. What happens just before a step that doesn't touch the same might as well happen
/// after it, and is tried there: the order of the two makes no difference.
#[derive(Clone, Copy, Debug)]
struct Touches {
    aws: bool,
    store: bool,
}

impl Touches {
    fn of(moves: &[Move], state: &State) -> Self {
        let old = state.old.as_ref().map(|old| &old.process);
        let touches = |aws, store| Self { aws, store };
        let of_task =
            |process: Option<&Process>| match process.and_then(|p| p.task.as_ref()).map(|task| &task.step) {
                Some(Step::Observe(_) | Step::Write(_)) => touches(true, false),
                Some(_) => touches(false, true),
                None => touches(false, false),
            };
        let each = moves.iter().map(|next| match next {
            Move::Sweep => touches(true, false),
            Move::Begin => touches(false, true),
            _ => of_task(state.leader.as_ref()),
        });
        let all = each.chain([of_task(old)]);
        all.fold(touches(false, false), |a, b| touches(a.aws || b.aws, a.store || b.store))
    }

    /// Nothing but time goes on.
    fn nothing(self) -> bool {
        !self.aws && !self.store
    }

    fn aws(self) -> bool {
        self.aws || self.nothing()
    }

    fn store(self) -> bool {
        self.store || self.nothing()
    }
}

/// One thing that may happen, and where it leads.
pub struct Next {
    pub state: State,
    /// What happens if nothing goes wrong.
    pub plain: bool,
    /// The operator wrote to AWS or to Kubernetes.
    pub wrote: bool,
    /// An invariant that it breaks.
    pub broken: Option<String>,
    pub tale: Vec<String>,
}

impl Next {
    /// Once nothing can go wrong any more, what happens within one moment happens in one way: it is judged step by step,
    /// and is one step of the search.
    fn run_on(mut self, setup: &Setup, tell: bool) -> Self {
        while self.broken.is_none() && self.state.budget == Budget::NONE {
            let [only] = self.state.moves(setup)[..] else { break };
            if only == Move::Tick || self.state.plain_move() != Some(only) {
                break;
            }
            let mut branch = Branch::new(Budget::NONE, setup.transient_ms, setup.lag_ms);
            let mut state = self.state.clone();
            let mut tale = Vec::new();
            let judged = state.happen(setup, only, &mut branch, tell.then_some(&mut tale));
            if branch.next(Budget::NONE).is_some() {
                break;
            }
            self.wrote |= state.close_books(&self.state);
            self.state = state;
            self.broken = judged.err();
            self.tale.append(&mut tale);
        }
        self
    }
}

impl State {
    pub fn new(setup: &Setup, world: World) -> Self {
        let now_ms = world.now_ms();
        Self {
            world,
            store: Arc::new(Store::new()),
            leader: Some(Process::new(now_ms)),
            takeover_at: None,
            old: None,
            late: None,
            budget: setup.budget,
            ledger: Ledger::default(),
        }
    }

    pub fn fingerprint(&self, setup: &Setup) -> u128 {
        FromNow::of(self, self.world.now_ms(), setup.ages())
    }

    /// Everything that may happen next. The plain way comes first; without one, nothing moves any more.
    pub fn successors(&self, setup: &Setup, tell: bool) -> Vec<Next> {
        let mut found = Vec::new();
        let plain = self.plain_move();
        for what in self.moves(setup) {
            self.all_ways(setup, what, plain == Some(what), tell, &mut found);
        }
        found
    }

    /// What happens next if nothing goes wrong.
    pub fn plain_successor(&self, setup: &Setup, tell: bool) -> Option<Next> {
        let mut found = Vec::new();
        self.all_ways(setup, self.plain_move()?, true, tell, &mut found);
        found.into_iter().next()
    }

    fn exists(&self) -> bool {
        self.store.object.is_some()
    }

    fn leader_moves(&self) -> Vec<Move> {
        let Some(leader) = &self.leader else { return Vec::new() };
        let now_ms = self.world.now_ms();
        let mut moves = Vec::new();
        if self.exists() && leader.sweep_at <= now_ms {
            moves.push(Move::Sweep);
        }
        if leader.task.is_some() {
            moves.push(Move::Proceed);
        } else if self.exists() && leader.wake.is_some_and(|at| at <= now_ms) {
            moves.push(Move::Begin);
        }
        moves
    }

    fn plain_move(&self) -> Option<Move> {
        let old = self.old.as_ref().map(|_| Move::OldProceeds);
        let tick = self.next_moment().map(|_| Move::Tick);
        self.leader_moves().first().copied().or(old).or(tick)
    }

    fn moves(&self, setup: &Setup) -> Vec<Move> {
        let mut moves = self.leader_moves();
        let next = Touches::of(&moves, self);
        moves.extend(self.old.as_ref().map(|_| Move::OldProceeds));
        // One that is cut off may stand still for as long as it likes.
        let idle = self.leader_moves().is_empty();
        if self.next_moment().is_some() && (idle || self.budget.has(Fault::Pause) && self.has_task()) {
            moves.push(Move::Tick);
        }
        match self.late {
            Some(Late::Writes(_)) if next.aws() => moves.push(Move::Land),
            Some(Late::Commit(_)) if next.store() => moves.push(Move::Land),
            _ => {}
        }
        self.accidents(next, &mut moves);
        if self.budget.has(Fault::Delete)
            && next.store()
            && self.store.object.as_ref().is_some_and(|o| !o.deleting)
        {
            moves.push(Move::Delete);
        }
        if self.budget.has(Fault::Human) && next.aws() {
            moves.extend(
                setup.humans.iter().filter(|human| self.can(setup, **human)).map(|h| Move::Human(*h)),
            );
        }
        moves
    }

    /// A process that dies loses what it holds: when matters only from one thing that others can see to the next.
    fn accidents(&self, next: Touches, moves: &mut Vec<Move>) {
        let step = self.leader.as_ref().and_then(|leader| leader.task.as_ref()).map(|task| &task.step);
        let acts = matches!(step, Some(Step::Write(_) | Step::Commit(_)));
        if self.budget.has(Fault::Crash) && self.leader.is_some() && (acts || next.nothing()) {
            let calls = if let Some(Step::Write(calls)) = step { calls.len() } else { 1 };
            moves.extend((0..calls).map(Move::Crash));
        }
        if self.budget.has(Fault::Flip) && acts && self.late.is_none() && self.old.is_none() {
            moves.extend([Move::CutOff, Move::Freeze]);
        }
    }

    fn has_task(&self) -> bool {
        self.leader.as_ref().is_some_and(|leader| leader.task.is_some())
    }

    /// Time moves only to where something is due.
    fn next_moment(&self) -> Option<u64> {
        let now_ms = self.world.now_ms();
        let world = self.world.next_due().filter(|due| *due < now_ms + HORIZON_MS);
        let leader = self.leader.as_ref().and_then(|leader| leader.next_due(self.exists()));
        let wakes = if self.exists() { leader } else { None };
        world.into_iter().chain(wakes).chain(self.takeover_at).filter(|at| *at > now_ms).min()
    }

    /// All ways that chance may let one move go.
    fn all_ways(&self, setup: &Setup, what: Move, plain: bool, tell: bool, found: &mut Vec<Next>) {
        let budget = self.spent(what);
        let mut branch = Branch::new(budget, setup.transient_ms, setup.lag_ms);
        loop {
            let mut state = self.clone();
            let mut tale = Vec::new();
            let judged = state.happen(setup, what, &mut branch, tell.then_some(&mut tale));
            state.budget = branch.budget;
            let wrote = state.close_books(self);
            let broken = judged.err();
            let plain = plain && branch.is_calm();
            found.push(Next { plain, state, wrote, broken, tale }.run_on(setup, tell));
            match branch.next(budget) {
                Some(more) => branch = more,
                None => return,
            }
        }
    }

    fn spent(&self, what: Move) -> Budget {
        let mut budget = self.budget;
        let fault = match what {
            Move::Tick if !self.leader_moves().is_empty() => Fault::Pause,
            Move::Crash(_) => Fault::Crash,
            Move::CutOff | Move::Freeze => Fault::Flip,
            Move::Human(_) => Fault::Human,
            Move::Delete => Fault::Delete,
            Move::Tick | Move::Sweep | Move::Begin | Move::Proceed | Move::OldProceeds | Move::Land => {
                return budget;
            }
        };
        budget.spend(fault);
        budget
    }

    /// Nothing of how a state came about stays in it.
    fn close_books(&mut self, before: &Self) -> bool {
        self.ledger.note_calls(&self.world, &self.store);
        let called = self.world.log().any(|mutation| &*mutation.caller.principal == OPERATOR);
        let version = |store: &Store| store.object.as_ref().map(|object| object.version);
        self.world.clear_log();
        self.world.reset_counts();
        called || version(&self.store) != version(&before.store)
    }

    /// A version that nobody holds.
    fn fresh(&self) -> u32 {
        let stored = self.store.object.as_ref().map(|object| object.version);
        let held = [self.leader.as_ref(), self.old.as_ref().map(|old| &old.process)];
        let late = match &self.late {
            Some(Late::Commit(commit)) => commit.version.parse().ok(),
            _ => None,
        };
        let held = held.into_iter().flatten().filter_map(Process::version);
        let taken: Vec<u32> = stored.into_iter().chain(held).chain(late).collect();
        (0..).find(|version| !taken.contains(version)).unwrap_or_default()
    }

    fn happen(
        &mut self,
        setup: &Setup,
        what: Move,
        branch: &mut Branch,
        tale: Option<&mut Vec<String>>,
    ) -> Result<(), String> {
        let next_moment = self.next_moment();
        let fresh = self.fresh();
        let Self { world, store, leader, takeover_at, old, late, budget: _, ledger } = self;
        let mut env =
            Env { setup, world, store, ledger, branch, elector: None, lease_ends: None, fresh, tale };
        match what {
            Move::Sweep => {
                leader.iter_mut().for_each(|leader| leader.sweep(&mut env));
                Ok(())
            }
            Move::Begin => leader.as_mut().map_or(Ok(()), |leader| leader.begin(&mut env)),
            Move::Proceed => leader.as_mut().map_or(Ok(()), |leader| leader.proceed(&mut env)),
            Move::OldProceeds => {
                let Some(Old { mut process, elector, lease_ends }) = old.take() else { return Ok(()) };
                env.tell(|| "the cut-off replica goes on:".to_owned());
                env.elector = Some(&elector);
                env.lease_ends = Some(lease_ends);
                let judged = process.proceed(&mut env);
                *old = process.task.is_some().then_some(Old { process, elector, lease_ends });
                judged
            }
            Move::Tick => {
                if let Some(at) = next_moment {
                    let passed = at - env.now_ms();
                    env.tell(|| format!("{passed} ms pass"));
                    tick(&mut env, at, leader, takeover_at, old);
                }
                Ok(())
            }
            Move::Crash(sent) => crash(&mut env, leader, sent),
            Move::CutOff => {
                cut_off(&mut env, leader, takeover_at, old);
                Ok(())
            }
            Move::Freeze => {
                freeze(&mut env, leader, takeover_at, late);
                Ok(())
            }
            Move::Land => land(&mut env, late),
            Move::Human(human) => {
                env.ledger.did.insert(human);
                interfere(&mut env, human);
                // Its watch wakes the object.
                if matches!(human, Human::Approves | Human::ApprovesAnother | Human::DeletesIncident)
                    && let Some(leader) = leader
                {
                    leader.wake = Some(env.now_ms());
                }
                Ok(())
            }
            Move::Delete => {
                env.tell(|| "a user deletes the VpcPeering".to_owned());
                let fresh = env.fresh;
                Arc::make_mut(env.store).delete(fresh);
                if let Some(leader) = leader {
                    leader.wake = Some(env.now_ms());
                }
                Ok(())
            }
        }
    }

    fn can(&self, setup: &Setup, human: Human) -> bool {
        let live = !live_peerings(setup, &self.world).is_empty();
        let routed = || {
            let led = judge::target(setup, &self.world, Side::Requester);
            matches!(led, Some(peerkeeper_core::ids::Target::Peering(_)))
        };
        match human {
            Human::DeletesPeering => live,
            Human::RepointsRoute | Human::DeletesRoute => routed(),
            Human::AsksBack | Human::PeersBack => true,
            Human::Approves | Human::ApprovesAnother | Human::DeletesIncident => {
                self.store.incident(setup).is_some()
            }
        }
    }

    /// Where it came to rest, if it may rest there.
    pub fn at_rest(&self, setup: &Setup) -> Result<&'static str, String> {
        judge::at_rest(setup, &self.world, &self.store, &self.ledger)
    }

    /// What the object says, for those who read a trace.
    pub fn says(&self, setup: &Setup) -> String {
        let mut lines = Vec::new();
        match &self.store.object {
            None => lines.push("the object is gone".to_owned()),
            Some(object) => {
                lines.push(format!("memory: {:?}", object.memory));
                lines.extend(object.report.iter().map(ToString::to_string));
            }
        }
        for view in self.world.peerings() {
            lines.push(format!("{} is {:?}", view.id, view.status));
        }
        for side in Side::BOTH {
            lines.push(format!("the {side}'s route leads to {:?}", judge::target(setup, &self.world, side)));
        }
        lines.push(format!("left: {}", self.budget));
        lines.join("\n")
    }
}

fn live_peerings(setup: &Setup, world: &World) -> Vec<ec2sim::PeeringId> {
    let places = &setup.places;
    world.live_peerings_of(&places.requester.vpc, &places.accepter.vpc)
}

fn tick(
    env: &mut Env<'_>,
    at: u64,
    leader: &mut Option<Process>,
    takeover_at: &mut Option<u64>,
    old: &mut Option<Old>,
) {
    env.world.advance(at);
    if let Some(holder) = old {
        let out = matches!(holder.elector.next(Mono(at), 0), LeaseStep::StepDown);
        if out && !env.setup.is(Sabotage::IgnoresLease) {
            env.tell(|| "the cut-off replica has lost its lease and ends".to_owned());
            *old = None;
        }
    }
    if takeover_at.is_some_and(|due| due <= at) {
        *takeover_at = None;
        *leader = Some(Process::new(at));
        env.tell(|| "the other replica has the lease, and begins".to_owned());
    }
}

/// The process dies; another begins at once, as after a restart or when the lease was given back.
fn crash(env: &mut Env<'_>, leader: &mut Option<Process>, sent: usize) -> Result<(), String> {
    let task = leader.take().and_then(|leader| leader.task);
    env.tell(|| format!("the process dies{}", if sent > 0 { " in the midst of a wave" } else { "" }));
    if let Some(Step::Write(calls)) = task.as_ref().map(|task| &task.step) {
        for call in calls.iter().take(sent) {
            process::send(env, call);
        }
    }
    *leader = Some(Process::new(env.now_ms()));
    Ok(())
}

/// For so long the holder had not been able to renew its lease: it may just begin one more write.
const UNRENEWED_MS: u64 = 12_000;

/// The holder no longer reaches the API server; the other replica takes over when it may.
fn cut_off(
    env: &mut Env<'_>,
    leader: &mut Option<Process>,
    takeover_at: &mut Option<u64>,
    old: &mut Option<Old>,
) {
    let Some(process) = leader.take() else { return };
    let renewed_at = env.now_ms() - UNRENEWED_MS;
    let (elector, free_at) = lease_from(renewed_at);
    env.tell(|| "the leader is cut off from the API server".to_owned());
    *takeover_at = Some(free_at);
    let lease_ends = renewed_at + terms().duration_ms();
    *old = Some(Old { process, elector, lease_ends });
}

/// The leader stands still between the question whether it may write and the writing.
fn freeze(
    env: &mut Env<'_>,
    leader: &mut Option<Process>,
    takeover_at: &mut Option<u64>,
    late: &mut Option<Late>,
) {
    let Some(task) = leader.take().and_then(|process| process.task) else { return };
    let (_, free_at) = lease_from(env.now_ms() - UNRENEWED_MS);
    *takeover_at = Some(free_at);
    *late = match &task.step {
        Step::Write(calls) => Some(Late::Writes(calls.clone())),
        Step::Commit(commit) => Some(Late::Commit(commit.clone())),
        _ => None,
    };
    env.tell(|| "the leader's machine stands still, its request on its way".to_owned());
}

fn land(env: &mut Env<'_>, late: &mut Option<Late>) -> Result<(), String> {
    env.ledger.landed_late = true;
    match late.take() {
        None => Ok(()),
        Some(Late::Writes(calls)) => {
            env.tell(|| "what was sent long ago arrives:".to_owned());
            for call in &calls {
                process::send(env, call);
            }
            Ok(())
        }
        Some(Late::Commit(commit)) => {
            env.tell(|| "a commit made long ago arrives:".to_owned());
            process::commit_now(env, &commit, None).map(|_| ())
        }
    }
}

/// An elector that took the lease at this moment, and when one that saw it do so may take it from there.
fn lease_from(at_ms: u64) -> (Elector, u64) {
    let record = |version: &str, holder: &str| Record {
        version: Version(version.into()),
        holder: Some(Identity(holder.into())),
        duration_ms: terms().duration_ms(),
    };
    let mut holder = Elector::new(Identity("a".into()), terms());
    let mut other = Elector::new(Identity("b".into()), terms());
    // It waits for what a former holder left, and takes it at this moment.
    let seen_at = Mono(at_ms - terms().duration_ms());
    take_when_free(&mut holder, seen_at, &record("1", "z"));
    let free_at = take_when_free(&mut other, Mono(at_ms), &record("2", "a"));
    (holder, free_at.0)
}

/// Lets a candidate see this record from `at` on, until it has taken the lease.
fn take_when_free(elector: &mut Elector, at: Mono, record: &Record) -> Mono {
    let mut now = at;
    loop {
        match elector.next(now, 0) {
            LeaseStep::Read(request) => elector.observed(now, request, Observed::Record(record.clone())),
            LeaseStep::Wait(until) => now = until,
            LeaseStep::Acquire(request, Base::Version(_)) => {
                taken(elector, now, request);
                return now;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn taken(elector: &mut Elector, now: Mono, request: LeaseRequest) {
    elector.written(now, request, Written::Ok(Version("3".into())));
    assert!(elector.leading_since(now).is_some());
}

fn interfere(env: &mut Env<'_>, human: Human) {
    if matches!(human, Human::Approves | Human::ApprovesAnother | Human::DeletesIncident) {
        env.tell(|| format!("a person {human:?}"));
        return Arc::make_mut(env.store).decide(env.setup, human);
    }
    let places = &env.setup.places;
    let (ours, theirs) = (places.requester.human(), places.accepter.human());
    let (table, destination) = env.setup.slot(Side::Requester);
    let route = || RouteRequest::new(table, destination);
    let mut calls: Vec<(Caller, Request)> = Vec::new();
    match human {
        Human::DeletesPeering => {
            for id in live_peerings(env.setup, env.world) {
                calls
                    .push((theirs.clone(), Request::DeleteVpcPeeringConnection { peering_id: (&id).into() }));
            }
        }
        Human::RepointsRoute => calls.push((ours, Request::ReplaceRoute(route().target(ELSEWHERE)))),
        Human::DeletesRoute => calls.push((ours, Request::DeleteRoute(route()))),
        Human::Approves | Human::ApprovesAnother | Human::DeletesIncident => {}
        Human::AsksBack | Human::PeersBack => {
            let ask = CreatePeering {
                vpc_id: (&places.accepter.vpc).into(),
                peer_vpc_id: (&places.requester.vpc).into(),
                peer_owner_id: Some(places.requester.account.into()),
                peer_region: Some(places.requester.region.into()),
                tags: ec2sim::Tags::new(),
            };
            calls.push((theirs, Request::CreateVpcPeeringConnection(ask)));
        }
    }
    for (caller, request) in calls {
        call_as(env, &caller, request);
    }
    if human == Human::PeersBack {
        for id in live_peerings(env.setup, env.world) {
            call_as(
                env,
                &places.requester.human(),
                Request::AcceptVpcPeeringConnection { peering_id: (&id).into() },
            );
        }
    }
}

fn call_as(env: &mut Env<'_>, caller: &Caller, request: Request) {
    let action = request.action();
    let before = env.branch.lagged;
    let answer = env.world.call(caller, request, env.branch);
    let lags = if env.branch.lagged > before { ", not to be seen for a while" } else { "" };
    env.tell(|| match answer {
        Ok(_) => format!("a person calls {}{lags}", action.name()),
        Err(failure) => format!("a person calls {}: {failure:?}", action.name()),
    });
}
