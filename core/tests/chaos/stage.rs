//! Where it all happens: a world, an API server, two processes of the operator, and one agenda in virtual time. Every
//! request leaves at one moment, lands at another and is answered at a third; in between anything else may happen.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash};
use std::sync::Arc;

use ec2sim::{Category, Rate, Seeded, Throttling, World};
use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey};
use peerkeeper_core::observed::{Needs, SideView, Unseen};
use peerkeeper_core::pace::lease;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing};
use peerkeeper_core::turn::Reply;
use peerkeeper_core::write::{Outcome, WriteCall};

use crate::api::{Api, ApiRefusal, ApiWrite, Watched};
use crate::checkers::{Doing, Judge};
use crate::common::aws::Line;
use crate::common::cluster::{Account, Cluster};
use crate::dice::Dice;
use crate::events::Hearing;
use crate::knobs::{Knob, Knobs};
use crate::reach::Reach;
use crate::replica::{Clock, Replica};
use crate::sabotage::Sabotage;
use crate::script::Act;

/// Where the world's clock stands when it begins: nothing may rest on zero.
pub const START_MS: u64 = 10_000_000;

/// Whose request or answer it is: an answer to a process, or a turn, that is no more is nobody's.
#[derive(Clone, Debug)]
pub struct Whose {
    pub replica: usize,
    pub life: u64,
    pub key: ObjectKey,
    pub flight: u64,
}

/// What a turn asks for that changes nothing.
#[derive(Clone, Debug)]
pub enum Question {
    Live,
    Exists(ObjectKey),
    Observe(Needs),
}

/// What happens at a moment.
pub enum Due {
    Act(usize),
    Start(usize),
    Tick { replica: usize, life: u64 },
    Watch { replica: usize, life: u64, what: Watched },
    Lease { replica: usize, life: u64, step: lease::Step },
    LeaseAnswer { replica: usize, life: u64, request: lease::Request, answer: LeaseAnswer },
    Sweep { replica: usize, life: u64, place: AccountRegion, began: Mono },
    Ask { whose: Whose, question: Question, began: Mono },
    Answer { whose: Whose, reply: Box<Reply> },
    ApiLand { whose: Whose, number: u64, version: String, write: Box<ApiWrite> },
    ApiAnswer { whose: Whose, number: u64, answer: Option<Result<String, ApiRefusal>> },
    Gate { whose: Whose, index: usize, oldest: Mono },
    Land { whose: Whose, index: usize, call: Box<WriteCall>, doing: Box<Doing>, taken: Mono },
    Told { whose: Whose, index: usize, outcome: Outcome },
    Ear { replica: usize, life: u64, what: Box<Hearing> },
}

pub enum LeaseAnswer {
    Read(lease::Observed),
    Written(lease::Written),
}

pub struct Stage {
    pub seed: u64,
    pub world: World,
    pub api: Api,
    pub dice: Dice,
    pub luck: Seeded,
    pub knobs: Knobs,
    pub acts: Vec<Act>,
    pub replicas: Vec<Replica>,
    pub judge: Judge,
    pub reach: Reach,
    /// How lives went on, by what was stored.
    pub lives: BTreeMap<(&'static str, &'static str), u64>,
    pub timing: Timing,
    pub sabotage: Option<Sabotage>,
    /// What a sabotaged process believes to be stored.
    pub skipped: BTreeMap<ObjectKey, peerkeeper_core::memory::Memory>,
    pub scene: crate::scene::Scene,
    pub people: crate::people::People,
    /// Requests to the API server.
    pub api_calls: u64,
    /// Events published.
    pub told: u64,
    pub trace: DefaultHasher,
    /// What happened, in words, where a failure is to be told.
    pub log: Option<Vec<String>>,
    agenda: BTreeMap<(u64, u64), Due>,
    numbers: u64,
    /// Faults have ended.
    pub calm: bool,
    /// An object that can't be parsed any more.
    pub spoilt: Option<ObjectKey>,
}

impl Stage {
    pub fn new(seed: u64, knobs: Knobs, acts: Vec<Act>, sabotage: Option<Sabotage>) -> Self {
        let mut world = World::new();
        world.advance(START_MS);
        let mut luck = Seeded::new(seed ^ 0x6c75_636b, ec2sim::Knobs::default());
        let (mut scene, mut cluster) = crate::scene::Scene::set(&mut world, &mut luck);
        if knobs.events.history() {
            world.set_wall_at_zero(crate::replica::EPOCH_S * 1000);
            world.keep_history(true);
            crate::people::authorize(&mut scene.policies, &mut luck);
            cluster.policies = scene.policies.clone();
        }
        if knobs.events.queue() {
            crate::events::set_up(&mut world);
        }
        if knobs.bucket_size > 0 {
            world.set_throttling(Some(busy(knobs.bucket_size)));
        }
        let clock = |luck: &mut Seeded| Clock {
            offset_ms: luck.below(1_000_000_000),
            permille: i64::try_from(luck.below(41)).unwrap() - 20,
            skew_s: i64::try_from(luck.below(5)).unwrap() - 2,
        };
        let replicas =
            ["red", "blue"].into_iter().map(|name| Replica::new(name, 0, clock(&mut luck))).collect();
        let mut stage = Self {
            seed,
            world,
            api: Api::new(cluster),
            dice: Dice::new(seed ^ 0x6469_6365, knobs.aws.clone()),
            luck,
            knobs,
            acts,
            replicas,
            judge: Judge::default(),
            reach: Reach::default(),
            lives: BTreeMap::new(),
            timing: Timing::default(),
            sabotage,
            skipped: BTreeMap::new(),
            scene,
            people: crate::people::People::default(),
            api_calls: 0,
            told: 0,
            trace: DefaultHasher::new(),
            log: None,
            agenda: BTreeMap::new(),
            numbers: 0,
            calm: false,
            spoilt: None,
        };
        for (index, act) in stage.acts.clone().iter().enumerate() {
            stage.at(START_MS + act.at_ms, Due::Act(index));
        }
        for replica in 0..stage.replicas.len() {
            stage.soon(u64::try_from(replica).unwrap() * 500, Due::Start(replica));
        }
        stage
    }

    pub fn now_ms(&self) -> u64 {
        self.world.now_ms()
    }

    pub fn now(&self, replica: usize) -> Now {
        self.replicas[replica].clock.now(self.now_ms())
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn at(&mut self, at_ms: u64, due: Due) {
        let number = self.number();
        self.agenda.insert((at_ms.max(self.now_ms()), number), due);
    }

    pub fn soon(&mut self, in_ms: u64, due: Due) {
        self.at(self.now_ms() + in_ms, due);
    }

    /// How long a request takes on its way.
    pub fn transit_ms(&mut self) -> u64 {
        3 + self.luck.below(60)
    }

    pub fn hits(&mut self, knob: Knob) -> bool {
        let ratio = self.knobs.own.get(&knob).copied().unwrap_or(0);
        let hit = !self.calm && ratio > 0 && self.luck.below(10_000) < u64::from(ratio);
        if hit {
            self.reach.hit("knob", knob);
        }
        hit
    }

    pub fn say(&mut self, words: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>9.3} {}", (self.world.now_ms() - START_MS) as f64 / 1000.0, words()));
        }
    }

    pub fn mark(&mut self, what: impl Hash) {
        self.world.now_ms().hash(&mut self.trace);
        what.hash(&mut self.trace);
    }

    pub fn port_calls(&self) -> u64 {
        let ours = |caller: &ec2sim::Caller| &*caller.principal == crate::common::aws::OPERATOR;
        let aws: u64 =
            self.world.counts().iter().filter(|((caller, _), _)| ours(caller)).map(|(_, count)| count).sum();
        aws + self.api_calls
    }

    pub fn run_to(&mut self, end_ms: u64) {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > end_ms || self.judge.failed() {
                break;
            }
            let ((at_ms, _), due) = entry.remove_entry();
            self.world.advance(at_ms);
            self.happen(due);
            self.tell_watches();
        }
        self.world.advance(end_ms);
    }

    fn happen(&mut self, due: Due) {
        let (replica, life) = match &due {
            Due::Act(index) => return self.act(*index),
            Due::Start(replica) => (*replica, self.replicas[*replica].life),
            Due::Tick { replica, life }
            | Due::Watch { replica, life, .. }
            | Due::Ear { replica, life, .. } => (*replica, *life),
            Due::LeaseAnswer { replica, life, .. } | Due::Sweep { replica, life, .. } => (*replica, *life),
            Due::Answer { whose, .. }
            | Due::ApiAnswer { whose, .. }
            | Due::Gate { whose, .. }
            | Due::Told { whose, .. } => (whose.replica, whose.life),
            // What is on its way lands, whatever has become of its sender.
            Due::Lease { .. } | Due::Ask { .. } | Due::ApiLand { .. } | Due::Land { .. } => {
                return self.land(due);
            }
        };
        if self.replicas[replica].life != life {
            return;
        }
        let until = self.replicas[replica].paused_until;
        if until > self.now_ms() {
            return self.at(until, due);
        }
        match due {
            Due::Start(replica) => self.start(replica),
            // An earlier one has done its work.
            Due::Tick { .. } if self.now_ms() < self.replicas[replica].next_tick => return,
            Due::Tick { .. } => self.replicas[replica].next_tick = u64::MAX,
            Due::Watch { what, .. } => self.watched(replica, what),
            Due::LeaseAnswer { request, answer, .. } => self.lease_answered(replica, request, answer),
            Due::Sweep { place, began, .. } => self.sweep(replica, place, began),
            Due::Answer { whose, reply } => self.drive(&whose, *reply),
            Due::ApiAnswer { whose, number, answer } => self.stored(&whose, number, answer),
            Due::Gate { whose, index, oldest } => self.gate(&whose, index, oldest),
            Due::Told { whose, index, outcome } => self.wrote(&whose, index, outcome),
            Due::Ear { what, .. } => self.ear(replica, *what),
            Due::Act(_) | Due::Lease { .. } | Due::Ask { .. } | Due::ApiLand { .. } | Due::Land { .. } => {}
        }
        self.tick(replica);
    }

    fn land(&mut self, due: Due) {
        match due {
            Due::Lease { replica, life, step } => self.lease_lands(replica, life, step),
            Due::Ask { whose, question, began } => self.asked(whose, question, began),
            Due::ApiLand { whose, number, version, write } => self.api_lands(whose, number, &version, &write),
            Due::Land { whose, index, call, doing, taken } => {
                self.write_lands(whose, index, &call, &doing, taken)
            }
            _ => {}
        }
    }

    // The life of a process.

    fn start(&mut self, replica: usize) {
        let now_ms = self.now_ms();
        let stale_ms = if self.hits(Knob::StaleList) { self.luck.below(120_000) } else { 0 };
        let (objects, rest) = self.api.list_as_of(now_ms.saturating_sub(stale_ms));
        let now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        this.up = true;
        for (key, object) in objects {
            let known = known(object);
            this.known.insert(key, known);
        }
        this.take_rest(rest);
        this.enqueue_all(now, Urgency::Hint);
        self.say(|| format!("process {replica} starts, with a list {stale_ms} ms old"));
        if stale_ms > 0 {
            let life = self.replicas[replica].life;
            for key in self.api.keys_ever().cloned().collect::<Vec<_>>() {
                self.soon(5_000, Due::Watch { replica, life, what: Watched::Object(key) });
            }
            self.soon(5_000, Due::Watch { replica, life, what: Watched::Rest });
        }
    }

    /// The process is no more; another takes its place a while later.
    pub fn crash(&mut self, replica: usize) {
        let this = &self.replicas[replica];
        let name = if replica == 0 { "red" } else { "blue" };
        let mut next = Replica::new(name, this.life + 1, this.clock);
        next.no_api_until = this.no_api_until;
        next.no_aws_until = this.no_aws_until;
        // A new process counts from its own beginning.
        next.clock.offset_ms = self.luck.below(1_000_000_000);
        self.replicas[replica] = next;
        self.say(|| format!("process {replica} ends"));
        let pause_ms = 1_000 + self.luck.below(20_000);
        self.soon(pause_ms, Due::Start(replica));
    }

    /// Does whatever is to be done now, and comes back when there is more.
    pub fn tick(&mut self, replica: usize) {
        if !self.replicas[replica].up {
            return;
        }
        let Some(elector_at) = self.stand(replica) else { return self.crash(replica) };
        let now = self.now(replica).mono;
        let mut next = vec![elector_at];
        if self.may_lead(replica, 0) {
            if !self.replicas[replica].leads {
                self.say(|| format!("process {replica} leads"));
                self.replicas[replica].begin_to_lead(now);
                self.begin_to_listen(replica);
            }
            while let Some(key) = self.replicas[replica].queue.take(now) {
                self.begin_turn(replica, key);
            }
            while let Some(place) = self.replicas[replica].timer.take(now) {
                self.begin_sweep(replica, place);
            }
            let this = &self.replicas[replica];
            next.extend(this.queue.next_at(now));
            next.extend(this.timer.next_at(now));
        }
        let this = &mut self.replicas[replica];
        let at = next.into_iter().map(|at| this.clock.world_ms(at)).min().unwrap_or(u64::MAX);
        let at = at.max(self.world.now_ms() + 1);
        if at < this.next_tick {
            this.next_tick = at;
            let life = this.life;
            self.at(at, Due::Tick { replica, life });
        }
    }

    /// Stands for the lease. When to ask again; `None`: it is lost, and the process ends.
    fn stand(&mut self, replica: usize) -> Option<Mono> {
        loop {
            let now = self.now(replica).mono;
            let this = &mut self.replicas[replica];
            let step = this.elector.next(now, this.writes_in_flight);
            match step {
                lease::Step::Wait(at) => return Some(at),
                lease::Step::StepDown | lease::Step::Finished => return None,
                step => {
                    let life = this.life;
                    let transit_ms = self.transit_ms();
                    self.soon(transit_ms, Due::Lease { replica, life, step });
                }
            }
        }
    }

    pub fn may_lead(&self, replica: usize, for_ms: u64) -> bool {
        self.sabotage == Some(Sabotage::IgnoresLease)
            || self.replicas[replica].elector.may_write(self.now(replica).mono, for_ms)
    }

    fn lease_lands(&mut self, replica: usize, life: u64, step: lease::Step) {
        let reached = self.reaches_api(replica);
        if !reached || self.hits(Knob::ApiLostBefore) {
            return;
        }
        self.api_calls += 1;
        let me = lease::Identity(format!("{}-{life}", if replica == 0 { "red" } else { "blue" }));
        let duration_ms = crate::replica::terms().duration_ms();
        let (request, answer) = match step {
            lease::Step::Read(request) => (request, LeaseAnswer::Read(self.api.read_lease())),
            lease::Step::Acquire(request, base) | lease::Step::Renew(request, base) => {
                let written = self.api.hold_lease(&base, &me, duration_ms);
                if matches!(written, lease::Written::Ok(_)) {
                    // Who creates the record gains nothing yet.
                    let acquired = matches!(base, lease::Base::Version(_));
                    self.judge.lease_held(replica, &me, self.world.now_ms(), acquired);
                }
                (request, LeaseAnswer::Written(written))
            }
            _ => return,
        };
        if self.hits(Knob::ApiLostAfter) {
            return;
        }
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::LeaseAnswer { replica, life, request, answer });
    }

    fn lease_answered(&mut self, replica: usize, request: lease::Request, answer: LeaseAnswer) {
        let now = self.now(replica).mono;
        let elector = &mut self.replicas[replica].elector;
        match answer {
            LeaseAnswer::Read(observed) => elector.observed(now, request, observed),
            LeaseAnswer::Written(written) => elector.written(now, request, written),
        }
    }

    pub fn reaches_api(&self, replica: usize) -> bool {
        self.replicas[replica].no_api_until <= self.now_ms() && !self.api.truth.down
    }

    // Watches.

    fn tell_watches(&mut self) {
        for what in std::mem::take(&mut self.api.news) {
            for replica in 0..self.replicas.len() {
                if self.replicas[replica].up {
                    let lag_ms = if self.hits(Knob::SlowWatch) {
                        2_000 + self.luck.below(90_000)
                    } else {
                        10 + self.luck.below(200)
                    };
                    let life = self.replicas[replica].life;
                    self.soon(lag_ms, Due::Watch { replica, life, what: what.clone() });
                }
            }
        }
    }

    /// A watch shows what is there now: of what was there in between nothing is told.
    fn watched(&mut self, replica: usize, what: Watched) {
        let (now_ms, no_api_until) = (self.now_ms(), self.replicas[replica].no_api_until);
        if no_api_until > now_ms {
            let life = self.replicas[replica].life;
            return self.at(no_api_until + 500, Due::Watch { replica, life, what });
        }
        let now = self.now(replica).mono;
        let jitter = self.luck.below(1 << 32);
        match what {
            Watched::Rest => {
                let rest = self.api.rest();
                let this = &mut self.replicas[replica];
                let spec = |cluster: &Cluster| {
                    let bare = |account: &Account| Account { removals: Vec::new(), ..account.clone() };
                    let accounts: Vec<String> =
                        cluster.accounts.values().map(|account| format!("{:?}", bare(account))).collect();
                    (accounts, format!("{:?}", cluster.policies))
                };
                let changed = spec(&this.rest) != spec(&rest);
                this.take_rest(rest);
                if changed {
                    this.unusable.clear();
                    this.replan_sweeps(now, jitter);
                    this.enqueue_all(now, Urgency::Hint);
                    let places: Vec<AccountRegion> = this.places().into_iter().collect();
                    places.iter().for_each(|at| this.timer.hasten(now, at));
                }
            }
            Watched::Object(key) => {
                let shown = self.api.object(&key);
                let this = &mut self.replicas[replica];
                match shown {
                    None => {
                        let neighbours = this.claims.neighbours_of(&key);
                        this.forget(&key);
                        for neighbour in neighbours {
                            this.enqueue(&neighbour, now, Urgency::Hint);
                        }
                    }
                    Some(object) => watched_object(this, object, now, jitter),
                }
            }
        }
    }

    // AWS, as a process reaches it.

    /// GetCallerIdentity, and whether the account can be used at all.
    pub fn identity(&self, replica: usize, at: AccountRegion) -> Result<AccountId, Unseen> {
        let failed = |why: &str| Unseen::Failed { call: "GetCallerIdentity".into(), why: why.into() };
        if self.replicas[replica].no_aws_until > self.now_ms() {
            return Err(failed("no answer"));
        }
        let account = self.api.truth.accounts.values().find(|account| account.id == at.account);
        let Some(account) = account else { return Err(Unseen::NotRead) };
        if let Some(why) = &account.unusable {
            return Err(Unseen::Denied { call: "AssumeRole".into(), code: why.clone() });
        }
        match account.answers_as {
            Some(found) if found != at.account => Err(Unseen::WrongAccount { found: Some(found) }),
            _ => Ok(at.account),
        }
    }

    pub fn line(&mut self) -> Line<'_> {
        let reversed = self.seed % 3 == 1;
        Line { world: &mut self.world, chance: &mut self.dice, reversed }
    }

    pub fn view_of(&self, replica: usize, at: Option<AccountRegion>) -> SideView {
        at.and_then(|at| self.replicas[replica].snapshots.get(&at).cloned()).unwrap_or_default()
    }
}

/// What other tools leave of AWS's buckets.
fn busy(size: u32) -> Throttling {
    let rate = Rate { size, refill_per_s: 1 };
    Category::ALL.iter().fold(Throttling::aws(), |rates, category| rates.with(*category, rate))
}

fn known(object: Arc<crate::common::cluster::Object>) -> crate::replica::Known {
    crate::replica::Known { object, recent: None, quiet: false, own_version: None, report: None }
}

fn watched_object(this: &mut Replica, object: Arc<crate::common::cluster::Object>, now: Mono, jitter: u64) {
    let key = object.key.clone();
    // Another object of the same name is another object: what was done to the old one is not its past.
    let before = this.known.remove(&key).filter(|known| known.object.uid == object.uid);
    let is_echo = before.as_ref().is_some_and(|known| {
        known.own_version == Some(object.version) || known.object.version == object.version
    });
    let is_new = before.is_none();
    let next = match before {
        Some(before) => crate::replica::Known { object: object.clone(), ..before },
        // What it names counts as written now.
        None => crate::replica::Known { recent: Some(Recent::new(now)), ..known(object.clone()) },
    };
    this.known.insert(key.clone(), next);
    this.enter(&object, &object.memory);
    if !is_echo {
        this.enqueue(&key, now, Urgency::Hint);
        this.wake_others_of(&key, now);
    }
    if is_new {
        this.replan_sweeps(now, jitter);
    }
}

impl Stage {
    /// Of everything that was sent, stored and done, and of what the world came to be.
    pub fn trace_hash(&self) -> u64 {
        use std::hash::Hasher;
        let mut trace = self.trace.clone();
        self.world.hash(&mut trace);
        trace.finish()
    }

    /// Everything that this seed came by.
    pub fn reach(&self) -> Reach {
        let mut reach = self.reach.clone();
        self.dice.faults.iter().for_each(|(fault, count)| reach.hits("fault", fault, *count));
        self.dice.choices.iter().for_each(|(choice, count)| reach.hits("choice", choice, *count));
        self.dice.delays.iter().for_each(|(delay, count)| reach.hits("delay", delay, *count));
        let ours = |caller: &ec2sim::Caller| &*caller.principal == crate::common::aws::OPERATOR;
        let refused = self.world.throttled().iter().filter(|((caller, _), _)| ours(caller));
        for ((_, action), count) in refused {
            let of = if action.mutates() { "write" } else { "read" };
            reach.hits("throttled", format_args!("{of}"), *count);
        }
        self.lives.iter().for_each(|((from, to), count)| {
            reach.hits("life", format_args!("{from} -> {to}"), *count);
        });
        reach
    }
}
