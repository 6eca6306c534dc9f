//! What CloudTrail tells, in the operator: who is woken by it, what is kept of it, and whether it can be relied on.
//!
//! An event is a hint and a witness. As a hint it wakes the objects that it concerns for a fresh look at AWS, and what that
//! shows decides; as a witness it is kept for their plans. A forged one costs a few readings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerkeeper_core::desired::{AccountRef, Desired};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, PeeringId, Side, Sides};
use peerkeeper_core::lane::{Degraded, Echo, Lanes, Patience};
use peerkeeper_core::memory::{Life, Memory};
use peerkeeper_core::observed::Needs;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::time::{Mono, Wall};
use peerkeeper_core::trail::{Call, TrailEvent};
use peerkeeper_core::witness::{Ask, Asked, Concern, Witness, Witnesses};
use tokio::sync::Notify;

use super::misuse;
use super::shell::{Shell, lock, now};
use super::state::State;
use crate::aws::{Aws, clock};
use crate::signal::{Consumer, Ear, History, News, Question, QueueUrl, Seen, Told};

/// Before each time that the history is asked about a loss. It lags behind by minutes, a quarter of an hour at worst.
const ASK_AFTER_MS: [u64; 8] = [0, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000];
/// Before each further look when a loss was told and AWS does not show it yet.
const LOOK_AFTER_MS: [u64; 6] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
/// Whoever can write to a queue must not be able to keep us reading.
const BETWEEN_HINTS_MS: u64 = 1_000;
/// A lost peering is found by the calls' names among those of so long before it was missed.
const LOOK_BACK_S: i64 = 24 * 3600;
/// How often the lanes' health is judged.
const JUDGE_EVERY: Duration = Duration::from_secs(10);

/// What the operator has heard, and what it still wants to hear.
pub struct Events {
    queues: Vec<QueueUrl>,
    seen: Arc<Seen>,
    history: History,
    lanes: Mutex<Lanes>,
    witnesses: Mutex<Witnesses>,
    agenda: Mutex<Agenda>,
    due: Notify,
}

/// What is to be done later.
#[derive(Default)]
struct Agenda {
    due: BTreeMap<(Mono, u64), Task>,
    last_number: u64,
    /// What the history is asked about, or was: since when calls count.
    asking: BTreeMap<(ObjectKey, Ask), Wall>,
    /// Objects that are looked at again, and how often they were.
    looking: BTreeMap<ObjectKey, usize>,
    /// Objects that were told of, and when they are or were woken.
    hinted: BTreeMap<ObjectKey, Mono>,
    /// What an object's next look reads besides its peering, as an event named it.
    told: BTreeMap<ObjectKey, Needs>,
}

/// More losses than can be open at once; what is forgotten may be asked again.
const ASKING_MAX: usize = 16_384;

#[derive(Clone, Debug)]
pub enum Task {
    Wake(ObjectKey),
    /// Look whether AWS shows meanwhile what was told.
    Look(ObjectKey, PeeringId),
    /// Ask the history, for the so-manieth time.
    Ask(ObjectKey, Ask, usize),
    /// Ask the history for the suspected call with this event id, for the so-manieth time.
    Corroborate(Arc<str>, usize),
}

impl Events {
    pub fn new(aws: Aws, queues: Vec<QueueUrl>) -> Self {
        let names = queues.iter().map(|queue| queue.url.clone());
        Self {
            lanes: Mutex::new(Lanes::new(Patience::default(), names)),
            queues,
            seen: Arc::default(),
            history: History::new(aws),
            witnesses: Mutex::default(),
            agenda: Mutex::default(),
            due: Notify::new(),
        }
    }

    /// Why events of a place can't be relied on to come.
    pub fn degraded(&self, place: AccountRegion) -> Option<Degraded> {
        lock(&self.lanes).degraded(clock::now(), place)
    }

    /// For each queue, how long ago it answered; since the start where it never did.
    pub fn silent_ms(&self) -> Vec<(String, u64)> {
        let now = clock::now();
        let lanes = lock(&self.lanes);
        let silent = lanes
            .last_received()
            .map(|(queue, at)| (queue.to_string(), at.map_or(now.0, |at| now.since_ms(at))));
        silent.collect()
    }

    /// Asks the history for one event.
    pub async fn find(&self, account: &Arc<str>, place: AccountRegion, id: &str) -> Told {
        self.history.find(account, place, id).await
    }

    pub fn later(&self, at: Mono, task: Task) {
        let mut agenda = lock(&self.agenda);
        agenda.last_number += 1;
        let number = agenda.last_number;
        agenda.due.insert((at, number), task);
        drop(agenda);
        self.due.notify_one();
    }

    fn take_due(&self) -> Option<Task> {
        let mut agenda = lock(&self.agenda);
        let first = agenda.due.first_entry()?;
        (first.key().0 <= clock::now()).then(|| first.remove())
    }

    fn next_at(&self) -> Option<Mono> {
        lock(&self.agenda).due.keys().next().map(|(at, _)| *at)
    }

    /// What the next look at an object is to read besides its peering.
    pub fn take_told(&self, key: &ObjectKey) -> Needs {
        lock(&self.agenda).told.remove(key).unwrap_or_default()
    }

    pub fn forget(&self, key: &ObjectKey) {
        let mut agenda = lock(&self.agenda);
        agenda.asking.retain(|(of, _), _| of != key);
        agenda.looking.remove(key);
        agenda.hinted.remove(key);
        agenda.told.remove(key);
    }
}

/// Listens and asks for as long as this replica leads.
pub async fn run(shell: Arc<Shell>) {
    let mut all = tokio::task::JoinSet::new();
    for queue in shell.events.queues.clone() {
        tracing::info!(%queue, place = %queue.at, "listening for events");
        let consumer = Consumer::new(shell.aws.clone(), queue, shell.clone(), shell.events.seen.clone());
        all.spawn(consumer.run());
    }
    all.spawn(keep_agenda(shell.clone()));
    all.spawn(judge(shell));
    all.join_next().await;
}

async fn keep_agenda(shell: Arc<Shell>) {
    loop {
        let woken = shell.events.due.notified();
        if let Some(task) = shell.events.take_due() {
            match task {
                Task::Wake(key) => shell.enqueue(&key, Urgency::Hint),
                Task::Look(key, id) => shell.look_again(&key, id),
                Task::Ask(key, what, time) => {
                    let shell = shell.clone();
                    tokio::spawn(async move { ask(&shell, key, what, time).await });
                }
                Task::Corroborate(id, time) => {
                    let shell = shell.clone();
                    tokio::spawn(async move { misuse::corroborate(&shell, id, time).await });
                }
            }
            continue;
        }
        let next = shell.events.next_at();
        tokio::select! {
            () = woken => {}
            () = clock::sleep_until(next.unwrap_or(clock::now().plus_ms(60_000))) => {}
        }
    }
}

impl Ear for Shell {
    async fn take(&self, queue: &Arc<str>, event: Arc<TrailEvent>) {
        let echo = lock(&self.events.lanes).heard(queue, &event);
        if echo == Echo::Others {
            misuse::heard(self, &event);
        }
        let concerned = self.state().index.concerned(&event.call);
        if concerned.is_empty() {
            return;
        }
        // Of our own calls only those that take something away are ever judged.
        if echo == Echo::Others || takes_away(&event.call) {
            lock(&self.events.witnesses).hear(clock::now(), event.clone());
        }
        if echo == Echo::Own {
            return;
        }
        tracing::info!(
            call = event.call.name(), place = %event.place, actor = event.actor.name(), event = %event.id,
            objects = concerned.len(), "an event concerns declared peerings: they are looked at"
        );
        for key in concerned {
            self.hint(&key, &event);
            if let Call::DeletePeering(id) | Call::RejectPeering(id) = event.call {
                self.look_until_shown(&key, id);
            }
        }
    }

    fn news(&self, queue: &Arc<str>, news: News<'_>) {
        self.metrics.queue(queue, &news);
        match news {
            News::Received(_) => lock(&self.events.lanes).received(clock::now(), queue),
            News::Failed(why) => {
                tracing::warn!(queue = %queue, error = why, "the queue failed; sweeps go on, and it is tried again");
                lock(&self.events.lanes).failed(clock::now(), queue, why.into());
            }
            News::Poison(why) => {
                tracing::warn!(queue = %queue, why, "a message can't be what it says it is; it was deleted");
            }
            News::Ignored(why) => tracing::debug!(queue = %queue, %why, "a message concerns nobody"),
            News::Event(_) | News::Duplicate => {}
        }
    }
}

fn takes_away(call: &Call) -> bool {
    matches!(call, Call::DeletePeering(_) | Call::RejectPeering(_) | Call::DeleteRoute { .. })
}

impl Shell {
    /// A fresh look, at once or a second after the last one that an event asked for.
    fn hint(&self, key: &ObjectKey, event: &TrailEvent) {
        let told = self.told_by(key, event);
        let now = clock::now();
        let mut agenda = lock(&self.events.agenda);
        if !told.is_empty() {
            agenda.told.entry(key.clone()).or_default().merge(told);
        }
        let at = match agenda.hinted.get(key).copied() {
            // One is waiting for its time already.
            Some(last) if last > now => return,
            Some(last) if now.since_ms(last) < BETWEEN_HINTS_MS => last.plus_ms(BETWEEN_HINTS_MS),
            _ => now,
        };
        agenda.hinted.insert(key.clone(), at);
        drop(agenda);
        self.events.later(at, Task::Wake(key.clone()));
    }

    /// What an event names besides the peering, on each side that it may be of.
    fn told_by(&self, key: &ObjectKey, event: &TrailEvent) -> Needs {
        let mut needs = Needs::default();
        let state = self.state();
        let Some(Ok(desired)) = state.peerings.get(key).map(|known| known.desired.as_ref()) else {
            return needs;
        };
        let places = places_of(&state, desired);
        for side in Side::BOTH.into_iter().filter(|side| places.get(*side).as_ref() == Ok(&event.place)) {
            if let Some(table) = event.call.table() {
                needs.tables.entry(side).or_default().insert(table);
            }
            if let Call::DeleteVpc(_) = event.call {
                needs.vpcs.insert(side);
            }
        }
        needs
    }

    /// AWS may still show what was deleted a moment ago: it is looked at again, with growing pauses.
    fn look_until_shown(&self, key: &ObjectKey, id: PeeringId) {
        let is_new = lock(&self.events.agenda).looking.insert(key.clone(), 0).is_none();
        if is_new {
            self.events.later(clock::now().plus_ms(LOOK_AFTER_MS[0]), Task::Look(key.clone(), id));
        }
    }

    fn look_again(&self, key: &ObjectKey, id: PeeringId) {
        let lives = {
            let state = self.state();
            let memory = state.claims.get(key).map(|entry| &entry.memory);
            memory.is_some_and(|memory| {
                memory.episode.is_none()
                    && matches!(memory.life, Life::Established(of) | Life::Requested { id: of, .. } if of == id)
            })
        };
        let mut agenda = lock(&self.events.agenda);
        let Some(looked) = agenda.looking.get_mut(key) else { return };
        *looked += 1;
        let next = LOOK_AFTER_MS.get(*looked).filter(|_| lives).copied();
        if next.is_none() {
            agenda.looking.remove(key);
        }
        drop(agenda);
        if lives {
            self.enqueue(key, Urgency::Hint);
        }
        if let Some(pause_ms) = next {
            self.events.later(clock::now().plus_ms(pause_ms), Task::Look(key.clone(), id));
        }
    }

    /// A write of ours was done: it must come back as an event.
    pub fn wrote(&self, place: AccountRegion, call: &'static str, request_id: Option<Arc<str>>) {
        lock(&self.events.lanes).wrote(now(), place, call, request_id);
    }

    /// What an object's plan may know of other people's calls.
    pub fn witness_of(&self, state: &State, desired: &Desired, memory: &Memory) -> Witness {
        let concern = Concern::of(desired.pair(), memory);
        let lost = memory.case.as_ref().map(|case| case.of).or(memory.peering());
        let places = places_of(state, desired);
        let mut witness = lock(&self.events.witnesses).view(&concern, lost, &places);
        // What we did ourselves is nobody's drift; what ended a peering is judged whoever did it.
        let ends = |call: &Call| matches!(call, Call::DeletePeering(_) | Call::RejectPeering(_));
        witness.events.retain(|event| ends(&event.call) || !is_ours(state, event));
        witness
    }

    /// Asks the event history who did this, again and again until it knows; what it tells wakes the object. Asking for what
    /// is being asked already, or was asked, changes nothing.
    pub fn ask_history(&self, key: &ObjectKey, ask: Ask) {
        let mut agenda = lock(&self.events.agenda);
        let question = (key.clone(), ask.clone());
        if agenda.asking.contains_key(&question) {
            return;
        }
        if agenda.asking.len() >= ASKING_MAX {
            agenda.asking.pop_first();
        }
        agenda.asking.insert(question, clock::wall().plus_s(-LOOK_BACK_S));
        drop(agenda);
        self.events.later(clock::now(), Task::Ask(key.clone(), ask, 0));
    }
}

/// It was made as whom we act in that account, or it is not known yet who that is: nobody is named for what may be our own.
fn is_ours(state: &State, event: &TrailEvent) -> bool {
    // Of a session its role: what a session is called may change with every start.
    let principal = |arn: &str| match arn.split_once(":assumed-role/") {
        Some((before, role)) => format!("{before}/{}", role.split('/').next().unwrap_or_default()),
        None => arn.to_owned(),
    };
    let issuer = event.actor.issuer.as_ref().map(|issuer| &issuer.arn);
    let here = state.declared.values().filter(|account| account.account == event.place.account);
    here.into_iter().any(|account| {
        let known = state.accounts.get(&account.name).and_then(|known| known.object.status.as_ref());
        let caller = known.and_then(|status| status.caller_arn.as_deref());
        match (&account.role_arn, caller) {
            (Some(role), _) if issuer == Some(role) => true,
            (_, Some(caller)) => principal(caller) == principal(&event.actor.arn),
            (Some(_), None) => false,
            (None, None) => true,
        }
    })
}

/// Where the calls of each side are recorded, or why that can't be asked.
fn places_of(state: &State, desired: &Desired) -> Sides<Result<AccountRegion, Arc<str>>> {
    Sides::from_fn(|side| {
        let spec = desired.sides.get(side);
        match &spec.account {
            AccountRef::Managed(name) => match state.declared.get(name) {
                Some(account) => Ok(AccountRegion { account: account.account, region: spec.region }),
                None => Err(format!("there is no AwsAccount {name}").into()),
            },
            AccountRef::Foreign(id) => Err(format!("no AwsAccount has account {id}").into()),
        }
    })
}

/// Who did it is known, by the history's word.
fn is_answered(shell: &Shell, concern: &Concern, question: &Question) -> bool {
    let nowhere = Sides::from_fn(|_| Err("".into()));
    let shown = lock(&shell.events.witnesses).view(concern, None, &nowhere);
    let answers = |event: &&Arc<TrailEvent>| question.is_answered_by(event);
    let mut answers = shown.events.iter().filter(answers);
    let state = shell.state();
    answers.any(|event| matches!(question.ask, Ask::Ending(_)) || !is_ours(&state, event))
}

/// Asks each side's history once, and says when to ask again.
async fn ask(shell: &Arc<Shell>, key: ObjectKey, ask: Ask, time: usize) {
    let Some((concern, questions)) = questions(shell, &key, &ask) else { return };
    let is_answered = || questions.iter().any(|question| is_answered(shell, &concern, question));
    let told = futures::future::join_all(
        questions.iter().map(|question| shell.events.history.ask(question, || !is_answered())),
    );
    let mut news = false;
    for (question, told) in questions.iter().zip(told.await) {
        if let Told::Events(events) = &told {
            misuse::shown(shell, events);
        }
        news |= shell.events.note(&shell.state(), question, told);
    }
    if news {
        shell.enqueue(&key, Urgency::Hint);
    }
    if let Some(pause_ms) = ASK_AFTER_MS.get(time + 1).filter(|_| !is_answered()) {
        shell.events.later(clock::now().plus_ms(*pause_ms), Task::Ask(key, ask, time + 1));
    }
}

/// `None`: the object is gone. What is repaired meanwhile is asked about all the same.
fn questions(shell: &Shell, key: &ObjectKey, ask: &Ask) -> Option<(Concern, Vec<Question>)> {
    let since = *lock(&shell.events.agenda).asking.get(&(key.clone(), ask.clone()))?;
    let state = shell.state();
    let desired = state.peerings.get(key)?.desired.as_ref().ok()?;
    let memory = &state.claims.get(key)?.memory;
    let places = places_of(&state, desired);
    let mut questions: Vec<Question> = Vec::new();
    for side in Side::BOTH.into_iter().filter(|side| ask.side().is_none_or(|asked| asked == *side)) {
        let (AccountRef::Managed(account), Ok(at)) = (&desired.sides.get(side).account, places.get(side))
        else {
            continue;
        };
        if questions.iter().all(|other| other.at != *at) {
            let (account, ask) = (account.clone(), ask.clone());
            questions.push(Question { account, at: *at, ask, since });
        }
    }
    let mut concern = Concern::of(desired.pair(), memory);
    if let Ask::Ending(lost) = ask {
        concern.peerings.insert(*lost);
    }
    Some((concern, questions))
}

impl Events {
    /// Keeps what the history told. True if an object may know more now.
    fn note(&self, state: &State, question: &Question, told: Told) -> bool {
        let asked = match told {
            Told::NotNeeded => return false,
            Told::Failed(why) => {
                tracing::warn!(place = %question.at, about = question.ask.resource(), why = &*why, "the event history was asked in vain");
                return false;
            }
            Told::Unavailable(why) => Asked::Unavailable(why),
            Told::Events(events) => {
                let concerns = |event: &&Arc<TrailEvent>| !state.index.concerned(&event.call).is_empty();
                let mut witnesses = lock(&self.witnesses);
                let mut news = false;
                for event in events.iter().filter(concerns) {
                    news |= witnesses.hear(clock::now(), event.clone());
                }
                if news && !matches!(question.ask, Ask::Ending(_)) {
                    return true;
                }
                Asked::Answered(clock::wall())
            }
        };
        // How far the history was asked matters where an act waits for its answer.
        let Ask::Ending(lost) = question.ask else { return false };
        let mut witnesses = lock(&self.witnesses);
        let news = witnesses.asked(lost, question.at) != asked;
        witnesses.note_asked(lost, question.at, asked);
        news
    }
}

/// Says where events can't be relied on: in the log, in the metrics and on the AwsAccounts.
async fn judge(shell: Arc<Shell>) {
    if !lock(&shell.events.lanes).is_in_use() {
        std::future::pending::<()>().await;
    }
    let mut known: BTreeMap<AccountRegion, Degraded> = BTreeMap::new();
    loop {
        tokio::time::sleep(JUDGE_EVERY).await;
        let now = clock::now();
        let places: Vec<AccountRegion> = {
            let state = shell.state();
            let at = |(name, region): (Arc<str>, _)| {
                Some(AccountRegion { account: state.declared.get(&name)?.account, region })
            };
            state.places().into_iter().filter_map(at).collect()
        };
        let new: BTreeMap<AccountRegion, Degraded> = {
            let mut lanes = lock(&shell.events.lanes);
            lanes.tick(now);
            places.iter().filter_map(|place| Some((*place, lanes.degraded(now, *place)?))).collect()
        };
        if new != known {
            tell(&shell, &known, &new);
            known = new;
        }
    }
}

fn tell(shell: &Shell, old: &BTreeMap<AccountRegion, Degraded>, new: &BTreeMap<AccountRegion, Degraded>) {
    for (place, why) in new.iter().filter(|(place, why)| old.get(place) != Some(why)) {
        tracing::warn!(%place, %why, "events can't be relied on; sweeps find what happens, later");
    }
    for place in old.keys().filter(|place| !new.contains_key(place)) {
        tracing::info!(%place, "events come again");
    }
    shell.metrics.degraded_lanes(new.keys());
    let changed = old.iter().filter(|(place, why)| new.get(place) != Some(why));
    let changed = changed.chain(new.iter().filter(|(place, why)| old.get(place) != Some(why)));
    let accounts: BTreeSet<_> = changed.map(|(place, _)| place.account).collect();
    let state = shell.state();
    let names = state.declared.values().filter(|account| accounts.contains(&account.account));
    for name in names.map(|account| account.name.clone()) {
        shell.account_work.notify(name);
    }
}

/// Of an account: where events can't be relied on, and why. The first place by name speaks for all.
pub fn lane_of(shell: &Shell, account: peerkeeper_core::ids::AccountId) -> Option<(AccountRegion, Degraded)> {
    let places: Vec<AccountRegion> = {
        let state = shell.state();
        let of = |(name, region): (Arc<str>, _)| {
            let id = state.declared.get(&name)?.account;
            (id == account).then_some(AccountRegion { account: id, region })
        };
        state.places().into_iter().filter_map(of).collect()
    };
    places.into_iter().find_map(|place| Some((place, shell.events.degraded(place)?)))
}
