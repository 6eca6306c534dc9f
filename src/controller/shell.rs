//! What the operator is made of, and the queue: which object has its turn when, and what follows from how it ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peerkeeper_core::desired::Desired;
use peerkeeper_core::ids::{ObjectKey, Region, Side, VpcId};
use peerkeeper_core::observed::Unseen;
use peerkeeper_core::pace::backoff::{Backoffs, Curve};
use peerkeeper_core::pace::queue::{Concurrency, Queue, Urgency};
use peerkeeper_core::pace::sweep::{Rhythm, Timer};
use peerkeeper_core::plan::Truth;
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing};
use peerkeeper_core::turn::{Done, Turn, TurnResult};
use tokio::sync::Notify;

use super::audit::AuditLog;
use super::cluster::Cluster;
use super::drive::Drive;
use super::incidents::Journal;
use super::lease::Leadership;
use super::misuse::Suspects;
use super::state::{Place, State, recent_or_new};
use super::watches::Pulses;
use super::{accounts, events, unparsable};
use crate::aws::{Aws, Reader, Writer, clock};
use crate::declare::VpcTags;
use crate::metrics::Metrics;
use crate::signal::QueueUrl;

/// How long a failed turn waits before the next: from half a second, doubling up to five minutes.
const RETRY: Curve = Curve { first_ms: 500, most_ms: 300_000 };

/// What the operator is made of.
pub struct Shell {
    pub cluster: Cluster,
    pub aws: Aws,
    pub reader: Reader,
    pub writer: Writer,
    pub account_work: accounts::Work,
    pub events: events::Events,
    pub suspects: Suspects,
    pub leadership: Leadership,
    pub metrics: Metrics,
    pub owner_id: String,
    pub timing: Timing,
    pub pulses: Pulses,
    /// What was done about losses, until their incidents tell it.
    pub(super) journal: Journal,
    pub(super) audit_log: Option<AuditLog>,
    /// How many settled incidents of a `VpcPeering` are kept.
    pub(super) incident_history: usize,
    /// The uids of `VpcPeering`s that may have too many incidents.
    pub(super) prune_work: accounts::Work,
    /// The moment this replica began to lead: what it did before counts as written then.
    led_since: Mutex<Mono>,
    state: Mutex<State>,
    queue: Mutex<Queue<ObjectKey, Arc<str>>>,
    backoffs: Mutex<Backoffs<ObjectKey>>,
    pub(super) sweeps: Mutex<Timer<Place>>,
    /// Objects whose next look must be fresh.
    hinted: Mutex<BTreeSet<ObjectKey>>,
    /// Places that were not read for longer than anything may be concluded from, and whose objects were told so.
    stale_places: Mutex<BTreeSet<Place>>,
    work: Notify,
    pub(super) sweep_work: Notify,
}

/// How the shell is set up.
pub struct ShellOptions {
    pub owner_id: String,
    pub timing: Timing,
    pub sweep_interval: Duration,
    pub concurrency: usize,
    pub max_restores: u32,
    pub max_removals: u32,
    pub audit_log: Option<AuditLog>,
    pub incident_history: usize,
    /// Where CloudTrail's events come from. With none, sweeps find everything.
    pub event_queues: Vec<QueueUrl>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere left values, not half-done I/O, behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn now() -> Now {
    Now { mono: clock::now(), wall: clock::wall() }
}

impl Shell {
    pub fn new(cluster: Cluster, aws: Aws, leadership: Leadership, options: ShellOptions) -> Arc<Self> {
        let ShellOptions {
            owner_id,
            timing,
            sweep_interval,
            concurrency,
            max_restores,
            max_removals,
            audit_log,
            incident_history,
            event_queues,
        } = options;
        let events = events::Events::new(aws.clone(), event_queues);
        let mut state = State::default();
        state.limits.set_operator(max_restores, max_removals);
        let interval_ms = u64::try_from(sweep_interval.as_millis()).unwrap_or(60_000);
        let metrics = Metrics::new(aws.meter());
        Arc::new(Self {
            cluster,
            reader: aws.reader(),
            writer: aws.writer(),
            aws,
            account_work: accounts::Work::default(),
            events,
            suspects: Suspects::default(),
            leadership,
            metrics,
            owner_id,
            timing,
            pulses: Pulses::default(),
            journal: Journal::default(),
            audit_log,
            incident_history: incident_history.max(1),
            prune_work: accounts::Work::default(),
            led_since: Mutex::default(),
            state: Mutex::new(state),
            queue: Mutex::new(Queue::new(Concurrency {
                total: concurrency,
                per_group: concurrency.div_ceil(2).max(1),
            })),
            backoffs: Mutex::new(Backoffs::new(RETRY)),
            sweeps: Mutex::new(Timer::new(Rhythm { interval_ms, concurrency: 8 })),
            hinted: Mutex::default(),
            stale_places: Mutex::default(),
            work: Notify::new(),
            sweep_work: Notify::new(),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn stale_places(&self) -> MutexGuard<'_, BTreeSet<Place>> {
        lock(&self.stale_places)
    }

    /// From now on this replica writes: all that it knows of its own past is forgotten, and everything is looked at.
    pub fn begin_to_lead(self: &Arc<Self>) {
        *lock(&self.led_since) = clock::now();
        let keys: Vec<ObjectKey> = {
            let mut state = self.state();
            state.begin_to_lead();
            state.peerings.keys().cloned().collect()
        };
        for key in keys {
            self.enqueue(&key, Urgency::Resync);
        }
        let accounts: Vec<Arc<str>> = self.state().accounts.keys().cloned().collect();
        for name in accounts {
            self.account_work.notify(name);
        }
        let unparsable = self.state().unparsable.clone();
        for (key, why) in unparsable {
            self.clone().report_unparsable(key, why);
        }
    }

    // The queue.

    pub fn enqueue(&self, key: &ObjectKey, urgency: Urgency) {
        if urgency == Urgency::Hint {
            lock(&self.hinted).insert(key.clone());
        }
        self.enqueue_at(key, clock::now(), urgency);
    }

    fn enqueue_at(&self, key: &ObjectKey, at: Mono, urgency: Urgency) {
        let group = self.group_of(key);
        lock(&self.queue).add(key.clone(), group, at, urgency);
        self.work.notify_waiters();
    }

    /// Objects of one account share what its trouble costs.
    fn group_of(&self, key: &ObjectKey) -> Arc<str> {
        let state = self.state();
        let known = state.peerings.get(key);
        let name = known.and_then(|known| known.brief.accounts.get(Side::Requester).as_deref());
        name.unwrap_or_default().into()
    }

    pub fn dequeue(&self, key: &ObjectKey) {
        self.journal.forget(key);
        lock(&self.queue).remove(key);
        lock(&self.backoffs).reset(key);
        self.writer.leave_line(key);
    }

    pub fn enqueue_namespace(&self, namespace: &str) {
        let keys: Vec<_> =
            self.state().peerings.keys().filter(|key| *key.namespace == *namespace).cloned().collect();
        self.enqueue_anew(&keys);
    }

    pub fn enqueue_account(&self, account: &str) {
        let keys: Vec<_> = self.state().objects_using(account).cloned().collect();
        self.enqueue_anew(&keys);
    }

    /// What these objects are judged by has changed. All are entered anew before the first has its turn, or it would count
    /// the others as what they were.
    fn enqueue_anew(&self, keys: &[ObjectKey]) {
        let is_news = |key: &&ObjectKey| {
            self.reread(key);
            let mut state = self.state();
            let desired = state.peerings.get(key).and_then(|known| known.desired.clone().ok());
            let granted = desired.is_some_and(|desired| self.is_granted(&state, &desired));
            state.enter_again(key, granted)
        };
        let news: Vec<&ObjectKey> = keys.iter().filter(is_news).collect();
        for key in keys {
            self.enqueue(key, Urgency::Hint);
        }
        for key in news {
            self.wake_others_of(key);
        }
    }

    /// Of what an object declares one thing is its namespace's.
    fn reread(&self, key: &ObjectKey) {
        let mut state = self.state();
        let terminating = state.namespace(&key.namespace).terminating;
        if let Some(Ok(desired)) = state.peerings.get_mut(key).map(|known| &mut known.desired) {
            desired.namespace_terminating = terminating;
        }
    }

    /// Objects of the same pair: one that waits may have its turn now.
    pub fn wake_others_of(&self, key: &ObjectKey) {
        let others = self.state().claims.same_pair(key);
        for other in others {
            self.enqueue_at(&other, clock::now(), Urgency::Hint);
        }
    }

    /// Objects that share a VPC: a route that this one let go may be another's now.
    pub fn wake_neighbours_of(&self, key: &ObjectKey) {
        let others = self.state().claims.neighbours_of(key);
        for other in others {
            self.enqueue_at(&other, clock::now(), Urgency::Hint);
        }
    }

    /// An account's credentials or role changed: nothing that was read before counts, so it is read anew at once.
    pub fn sweep_account_now(&self, name: &str) {
        let places: Vec<Place> =
            self.state().places().into_iter().filter(|place| *place.0 == *name).collect();
        for place in places {
            lock(&self.sweeps).hasten(clock::now(), &place);
        }
        self.sweep_work.notify_waiters();
    }

    pub fn replan_sweeps(&self) {
        let places = self.state().places();
        let mut sweeps = lock(&self.sweeps);
        sweeps.retain(|place| places.contains(place));
        for place in places {
            sweeps.track(clock::now(), place, fastrand::u64(..));
        }
        drop(sweeps);
        self.sweep_work.notify_waiters();
    }

    /// Completes once every watch has shown everything.
    pub async fn listed(&self) {
        while !self.pulses.is_whole() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn report_unparsable(self: Arc<Self>, key: ObjectKey, why: String) {
        tracing::error!(object = %key, error = %why, "the VpcPeering can't be read; it is left as it is");
        // Who does not lead yet says so once it does.
        self.state().unparsable.insert(key.clone(), why.clone());
        tokio::spawn(async move { unparsable::report(&self, &key, &why).await });
    }

    pub fn queue_len(&self) -> usize {
        lock(&self.queue).len()
    }

    pub fn queue_lag_ms(&self) -> u64 {
        lock(&self.queue).lag_ms(clock::now())
    }

    /// Works the queue for as long as this replica leads.
    pub async fn work(self: Arc<Self>) {
        loop {
            let woken = self.work.notified();
            let taken = lock(&self.queue).take(clock::now());
            if let Some(key) = taken {
                let shell = self.clone();
                tokio::spawn(async move { shell.reconcile(key).await });
                continue;
            }
            let next = lock(&self.queue).next_at(clock::now());
            tokio::select! {
                () = woken => {}
                () = clock::sleep_until(next.unwrap_or(clock::now().plus_ms(1000))) => {}
            }
        }
    }

    /// One turn of one object, from start to end.
    async fn reconcile(self: Arc<Self>, key: ObjectKey) {
        let began = clock::now();
        let _taken = Taken { shell: &self, key: &key };
        if !self.leadership.is_leading() || !self.has_been_swept(&key) {
            return;
        }
        let recent = {
            let since = *lock(&self.led_since);
            recent_or_new(self.state().peerings.get_mut(&key), since)
        };
        let hinted = lock(&self.hinted).remove(&key);
        let told = self.events.take_told(&key);
        let turn = Turn::new(key.clone(), recent, self.timing, hinted).told(told);
        let (done, recent) = Drive::new(&self, &key).run(turn).await;
        self.conclude(&key, done, recent);
        self.metrics.reconciled(clock::now().since_ms(began));
    }

    /// Nothing is said of an object before AWS was asked: a restart must not make every condition flap.
    fn has_been_swept(&self, key: &ObjectKey) -> bool {
        let state = self.state();
        let Some(Ok(desired)) = state.peerings.get(key).map(|known| known.desired.as_ref()) else {
            return true;
        };
        let places = state.places_of(desired);
        drop(state);
        places.iter().all(|(name, region)| self.has_been_tried(name, *region))
    }

    /// A sweep of that place has ended, well or not.
    pub fn has_been_tried(&self, account: &str, region: Region) -> bool {
        let view = self.reader.view(account, region);
        view.peerings.sweep.is_some() || view.peerings.unseen != Unseen::NotRead
    }

    fn conclude(&self, key: &ObjectKey, done: Done, recent: Recent) {
        let now = clock::now();
        let Done { result, wake, looked, ask, events: _ } = done;
        for ask in ask {
            self.ask_history(key, ask);
        }
        let pending = recent.sent().next().is_some() || recent.refused().next().is_some();
        let mut state = self.state();
        if let Some(known) = state.peerings.get_mut(key) {
            // What is wrong with any other may be mended where no sweep looks, or between two that are alike.
            let in_sync = known.told.is_some_and(|told| matches!(told.ready, Some((Truth::True, _))));
            known.quiet = result == TurnResult::Settled && !pending && !looked && wake.is_none() && in_sync;
            let lossless = known.told.is_some_and(|told| !told.has_loss);
            known.recent = Some(recent);
            if result == TurnResult::Settled && lossless && !pending {
                // What a sweep took for a loss was none, or is settled: it is no demand.
                state.limits.expect_nothing(key);
            }
        }
        drop(state);
        match result {
            TurnResult::Settled => {
                lock(&self.backoffs).reset(key);
                if let Some(at) = wake {
                    self.enqueue_at(key, at, Urgency::Resync);
                }
            }
            TurnResult::Gone => {
                lock(&self.backoffs).reset(key);
                self.wake_neighbours_of(key);
            }
            TurnResult::More => self.enqueue_at(key, now, Urgency::Resync),
            TurnResult::Conflict => {
                // Nearly always somebody's edit a moment ago. One who writes without end must not make us read without end.
                let at = lock(&self.backoffs).failed(now, key, fastrand::u64(..));
                self.enqueue_at(key, at, Urgency::Hint);
            }
            TurnResult::NotLeading => {}
            TurnResult::Failed(why) => {
                let at = lock(&self.backoffs).failed(now, key, fastrand::u64(..));
                tracing::warn!(object = %key, error = %why, retry_ms = at.since_ms(now), "the reconcile failed; it is tried again");
                self.enqueue_at(key, at, Urgency::Resync);
            }
        }
    }

    pub fn is_granted(&self, state: &State, desired: &Desired) -> bool {
        state.grants(desired, &|name, region, vpc| self.vpc_tags(name, region, vpc)).both_allow()
    }

    pub(super) fn vpc_tags(&self, account: &str, region: Region, vpc: VpcId) -> VpcTags {
        let vpcs = self.reader.view(account, region).vpcs;
        let found =
            vpcs.readings().find(|reading| reading.speaks_of(vpc)).map(|reading| reading.get(vpc).cloned());
        match found {
            None => VpcTags::Unread,
            Some(None) => VpcTags::NoSuchVpc,
            Some(Some(vpc)) => VpcTags::Read(vpc.tags.clone()),
        }
    }
}

/// An object that was taken from the queue goes back to it, whatever becomes of its turn.
struct Taken<'a> {
    shell: &'a Shell,
    key: &'a ObjectKey,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(&self.shell.queue).done(self.key);
        self.shell.work.notify_waiters();
    }
}
