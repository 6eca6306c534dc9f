//! Drives turns: takes an object from the queue, walks it through its reconcile, and does what each step asks. All
//! decisions are the engine's; what is here moves data.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use peerkeeper_core::desired::{AccountRef, Desired};
use peerkeeper_core::ids::{ObjectKey, Region, Side, Sides, VpcId};
use peerkeeper_core::memory::{Act, Memory};
use peerkeeper_core::observed::{Needs, SideView, Unseen};
use peerkeeper_core::pace::backoff::{Backoffs, Curve};
use peerkeeper_core::pace::queue::{Concurrency, Queue, Urgency};
use peerkeeper_core::pace::sweep::{Rhythm, Timer};
use peerkeeper_core::plan::{Finalizer, Truth};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing, Wall};
use peerkeeper_core::turn::{Commit, Committed, Done, Live, Note, Reply, Step, Turn, TurnResult};
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};
use tokio::sync::Notify;

use super::cluster::{Cluster, ClusterError};
use super::lease::Leadership;
use super::state::{Place, State, Told, recent_or_new};
use super::watches::Pulses;
use super::{accounts, events, unparsable};
use crate::api::{ANNOTATION_ESTABLISHED, FINALIZER_CLEANUP, VpcPeering};
use crate::aws::{Aws, NarrowNeeds, Reader, Sent, Writer, clock};
use crate::declare::{self, VpcTags};
use crate::metrics::Metrics;
use crate::remember::{self, Removal};
use crate::signal::QueueUrl;

/// How long a failed turn waits before the next: from half a second, doubling up to five minutes.
const RETRY: Curve = Curve { first_ms: 500, most_ms: 300_000 };
/// A read of the API server ends within this time, or counts as failed.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an act waits for the Event of what it answers to: what it rests on must not grow old.
const TELL_TIMEOUT: Duration = Duration::from_secs(2);

/// What the operator is made of.
pub struct Shell {
    pub cluster: Cluster,
    pub aws: Aws,
    pub reader: Reader,
    pub writer: Writer,
    pub account_work: accounts::Work,
    pub events: events::Events,
    pub leadership: Leadership,
    pub metrics: Metrics,
    pub owner_id: String,
    pub timing: Timing,
    pub pulses: Pulses,
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
    /// Where CloudTrail's events come from. With none, sweeps find everything.
    pub event_queues: Vec<QueueUrl>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
            leadership,
            metrics,
            owner_id,
            timing,
            pulses: Pulses::default(),
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
        let name = known.and_then(|known| known.object.spec.requester.account.name.clone());
        name.unwrap_or_default().into()
    }

    pub fn dequeue(&self, key: &ObjectKey) {
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

    /// Parses an object's declaration again, as its namespace or account changed.
    fn reread(&self, key: &ObjectKey) {
        let mut state = self.state();
        let terminating = state.namespace(&key.namespace).terminating;
        let owner_id = self.owner_id.clone();
        if let Some(known) = state.peerings.get_mut(key) {
            known.desired =
                declare::desired(&known.object, terminating, &owner_id).map_err(|error| error.to_string());
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
        let (done, recent) = Drive { shell: &self, key: &key, object: None, in_line: false }.run(turn).await;
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
        let Done { result, wake, looked, events: _ } = done;
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

    fn vpc_tags(&self, account: &str, region: Region, vpc: VpcId) -> VpcTags {
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

/// One turn under way.
struct Drive<'a> {
    shell: &'a Arc<Shell>,
    key: &'a ObjectKey,
    /// As it was read live, with our own changes to its metadata since.
    object: Option<VpcPeering>,
    /// Of what was to be sent last, something waits for its turn in the rate.
    in_line: bool,
}

impl Drive<'_> {
    async fn run(mut self, mut turn: Turn) -> (Done, Recent) {
        let mut reply = Reply::Start;
        loop {
            let step = turn.next(now(), reply);
            if let Step::Write(_) = step {
                // Told before it is acted upon: a crash in the middle of the act must not swallow the flag.
                self.tell(&turn.take_transitions()).await;
            }
            reply = match step {
                Step::ReadLive => self.read_live().await,
                Step::Lookup(key) => match within(READ_TIMEOUT, self.shell.cluster.exists(&key)).await {
                    Ok(exists) => Reply::Exists(exists),
                    Err(error) => Reply::NoAnswer(error.to_string().into()),
                },
                Step::Observe(needs) => Reply::Observed(Box::new(self.observe(&turn, &needs).await)),
                Step::Commit(commit) => Reply::Committed(self.commit(&turn, &commit).await),
                Step::Write(calls) => Reply::Wrote(self.write(&turn, calls).await),
                Step::Done(done) => {
                    if matches!(done.result, TurnResult::Settled | TurnResult::Gone) && !self.in_line {
                        self.shell.writer.leave_line(self.key);
                    }
                    self.tell(&done.events).await;
                    return (done, turn.into_recent());
                }
            };
        }
    }

    /// Counts transitions and acts, and publishes them as Events. One that can't be published is only logged: the
    /// condition says the same.
    async fn tell(&self, notes: &[Note]) {
        let Some(object) = self.object.as_ref().filter(|_| !notes.is_empty()) else { return };
        self.shell.metrics.events(notes);
        let published = async {
            self.shell.cluster.tell(object, notes).await;
            Ok(())
        };
        if let Err(error) = within(TELL_TIMEOUT, self.shell.leadership.guard(published)).await {
            tracing::warn!(object = %self.key, %error, "Events could not be published");
        }
    }

    async fn read_live(&mut self) -> Reply {
        let object = match within(READ_TIMEOUT, self.shell.cluster.read(self.key)).await {
            Ok(Some(object)) => object,
            Ok(None) => return Reply::Live(None),
            Err(error) => return Reply::NoAnswer(error.to_string().into()),
        };
        match self.live(&object) {
            Ok(None) => Reply::Live(None),
            Ok(Some(live)) => {
                self.object = Some(object);
                Reply::Live(Some(Box::new(live)))
            }
            Err(why) => {
                unparsable::report(self.shell, self.key, &why).await;
                Reply::NoAnswer(why.into())
            }
        }
    }

    /// The object and everything that it is judged by, as of now. `None`: its watch has shown meanwhile that it is gone.
    fn live(&self, object: &VpcPeering) -> Result<Option<Live>, String> {
        let shell = self.shell;
        let mut state = shell.state();
        if !state.peerings.contains_key(self.key) {
            return Ok(None);
        }
        let terminating = state.namespace(&self.key.namespace).terminating;
        let desired =
            declare::desired(object, terminating, &shell.owner_id).map_err(|error| error.to_string())?;
        let (memory, _) = remember::memory(object.status.as_ref()).map_err(|error| error.to_string())?;
        let grants = state.grants(&desired, &|name, region, vpc| shell.vpc_tags(name, region, vpc));
        let claims_changed = state.enter(&desired, &memory, grants.both_allow());
        let live = Live {
            policy: state.policy_of(object),
            claims: state.claims.view(self.key),
            limits: state.limits.view(self.key),
            grants,
            memory,
            has_finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER_CLEANUP),
            version: object.resource_version().unwrap_or_default().into(),
            told: remember::told(object.status.as_ref()),
            desired,
        };
        drop(state);
        if claims_changed {
            shell.wake_others_of(self.key);
        }
        Ok(Some(live))
    }

    async fn observe(&self, turn: &Turn, needs: &Needs) -> Sides<SideView> {
        let Some(live) = turn.live() else { return Sides::default() };
        let one_place = live.desired.sides.requester.account == live.desired.sides.accepter.account
            && live.desired.sides.requester.region == live.desired.sides.accepter.region;
        if one_place {
            return self.observe_one_place(live, needs).await;
        }
        let (requester, accepter) = futures::join!(
            self.observe_side(live, Side::Requester, needs),
            self.observe_side(live, Side::Accepter, needs)
        );
        Sides::new(requester, accepter)
    }

    /// Both sides are read with one set of calls.
    async fn observe_one_place(&self, live: &Live, needs: &Needs) -> Sides<SideView> {
        let (mut wanted, other) = (narrow(live, Side::Requester, needs), narrow(live, Side::Accepter, needs));
        wanted.pair = wanted.pair.or(other.pair);
        wanted.vpcs.extend(other.vpcs);
        wanted.tables.extend(other.tables);
        wanted.prefix_lists.extend(other.prefix_lists);
        let view = self.observe_place(live, Side::Requester, &wanted).await;
        Sides::new(view.clone(), view)
    }

    async fn observe_side(&self, live: &Live, side: Side, needs: &Needs) -> SideView {
        self.observe_place(live, side, &narrow(live, side, needs)).await
    }

    async fn observe_place(&self, live: &Live, side: Side, wanted: &NarrowNeeds) -> SideView {
        let spec = live.desired.sides.get(side);
        let AccountRef::Managed(name) = &spec.account else { return SideView::default() };
        if !live.grants.get(side).readable() {
            return SideView::default();
        }
        if *wanted == NarrowNeeds::default() {
            return self.shell.reader.view(name, spec.region);
        }
        self.shell.reader.read_narrow(name, spec.region, wanted.clone()).await
    }

    async fn commit(&mut self, turn: &Turn, commit: &Commit) -> Committed {
        let (Some(live), Some(object)) = (turn.live(), self.object.clone()) else {
            return Committed::Failed("nothing was read".into());
        };
        let leadership = self.shell.leadership.clone();
        if !leadership.is_leading() {
            return Committed::Failed(ClusterError::NotLeading.to_string().into());
        }
        if let Err(refused) = self.reserve(&live.desired, commit).await {
            if !matches!(refused, Committed::OverLimit(_)) {
                self.release(commit);
            }
            return refused;
        }
        let stored = leadership.guard(self.store(&object, commit)).await;
        if stored.is_err() {
            self.release(commit);
        }
        match stored {
            Ok(version) => {
                self.remember_stored(&live.desired, commit, &version);
                Committed::Stored { version: version.into() }
            }
            Err(ClusterError::Conflict | ClusterError::Gone) => Committed::Conflict,
            Err(error) => Committed::Failed(error.to_string().into()),
        }
    }

    /// Takes room under the limits. What is removed from AWS is noted on the accounts, which outlive the object.
    async fn reserve(&self, desired: &Desired, commit: &Commit) -> Result<(), Committed> {
        let Some(act) = commit.reserve else { return Ok(()) };
        let at = spent_at(commit, act);
        self.shell.state().limits.reserve(self.key, act, at).map_err(Committed::OverLimit)?;
        if act != Act::Finalize {
            return Ok(());
        }
        let removal = Removal {
            at,
            object: self.key.clone(),
            uid: desired.uid.clone(),
            policy: self.shell.state().policy_key(self.key).map(|key| key.to_string().into()),
        };
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &desired.sides.get(side).account {
                accounts::note_removal(self.shell, name, &removal)
                    .await
                    .map_err(|error| Committed::Failed(error.into()))?;
            }
        }
        Ok(())
    }

    fn release(&self, commit: &Commit) {
        if let Some(act) = commit.reserve {
            self.shell.state().limits.release(self.key, act, spent_at(commit, act));
        }
    }

    /// Metadata first, then status: memory that names a thing must not be there without the finalizer that guards it.
    async fn store(&mut self, object: &VpcPeering, commit: &Commit) -> Result<String, ClusterError> {
        let mut version = commit.version.to_string();
        if commit.finalizer == Finalizer::Drop {
            self.shell.cluster.drop_finalizer(object, &version).await?;
            return Ok(version);
        }
        let annotations = annotations(object, commit);
        let add_finalizer =
            commit.finalizer == Finalizer::Add && !object.finalizers().iter().any(|f| f == FINALIZER_CLEANUP);
        if add_finalizer || !annotations.is_empty() {
            version = self.shell.cluster.mark(object, &version, add_finalizer, &annotations).await?;
            if let Some(object) = &mut self.object {
                if add_finalizer {
                    object.finalizers_mut().push(FINALIZER_CLEANUP.to_owned());
                }
                for (key, value) in annotations {
                    object.annotations_mut().insert(key.to_owned(), value);
                }
            }
        }
        let (_, carried) = remember::memory(object.status.as_ref())
            .map_err(|error| ClusterError::Unparsable(error.to_string()))?;
        let status = remember::status(
            &commit.memory,
            &carried,
            &commit.report,
            object.status.as_ref(),
            Timestamp::now(),
        );
        if object.status.as_ref() == Some(&status) {
            return Ok(version);
        }
        let version = self.shell.cluster.store_status(object, &version, &status).await?;
        if let Some(object) = &mut self.object {
            object.status = Some(status);
        }
        Ok(version)
    }

    fn remember_stored(&self, desired: &Desired, commit: &Commit, version: &str) {
        let shell = self.shell;
        let mut state = shell.state();
        let memory: &Memory = &commit.memory;
        let granted = shell.is_granted(&state, desired);
        let places = |memory: &Memory| {
            memory.slots.keys().map(|slot| (slot.table, slot.destination)).collect::<BTreeSet<_>>()
        };
        let before = state.claims.get(self.key).map(|entry| places(&entry.memory)).unwrap_or_default();
        let let_go = !before.is_subset(&places(memory));
        let claims_changed = state.enter(desired, memory, granted);
        if let Some(known) = state.peerings.get_mut(self.key) {
            known.own_version = Some(version.to_owned());
            known.told = Some(Told::from(&commit.report));
        }
        drop(state);
        if let Some(episode) = &memory.episode {
            shell.ask_history(self.key, episode.lost);
        }
        if claims_changed {
            shell.wake_others_of(self.key);
        }
        if let_go {
            shell.wake_neighbours_of(self.key);
        }
    }

    async fn write(&mut self, turn: &Turn, calls: Vec<WriteCall>) -> Vec<Outcome> {
        let Some(live) = turn.live() else {
            return calls.iter().map(|_| Outcome::NotSent(NotSent::Stale)).collect();
        };
        let (shell, leadership) = (self.shell, &self.shell.leadership);
        let timeout = shell.writer.timeout();
        let _in_flight = leadership.begin_write();
        // Asked right before a request leaves: what the write rests on may have grown old while it waited for a token.
        let oldest = clock::now();
        let gate = || {
            leadership.may_write(timeout)?;
            let is_old = clock::now().since_ms(oldest) > shell.timing.fresh_ms;
            if is_old { Err(NotSent::Stale) } else { Ok(()) }
        };
        let named = |call| (account_of(live, call), call);
        let named: Vec<_> = calls.iter().map(named).collect();
        let all = shell.writer.send_all(self.key, &named, gate).await;
        let waits = |sent: &Sent| matches!(sent.outcome, Outcome::NotSent(NotSent::Rate { .. }));
        self.in_line = all.iter().any(waits);
        for (call, Sent { outcome, request_id }) in calls.iter().zip(&all) {
            if let Outcome::Done(_) = outcome {
                shell.wrote(call.at, call.action(), request_id.clone());
            }
            let request_id = request_id.as_deref().unwrap_or_default();
            tracing::info!(object = %self.key, write = %call, outcome = ?outcome, request_id, "write");
        }
        all.into_iter().map(|sent| sent.outcome).collect()
    }
}

fn account_of<'a>(live: &'a Live, call: &WriteCall) -> Option<&'a str> {
    match &live.desired.sides.get(call.side).account {
        AccountRef::Managed(name) => Some(name),
        AccountRef::Foreign(_) => None,
    }
}

/// The moment under which memory holds an act: what is reserved and what is stored are then one.
fn spent_at(commit: &Commit, act: Act) -> Wall {
    let spent = commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act);
    spent.map_or_else(|| now().wall, |(_, at)| *at)
}

/// An idle connection whose other end is gone says nothing for minutes.
async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    tokio::time::timeout(limit, asked).await.unwrap_or(Err(ClusterError::NoAnswer))
}

/// The annotation that survives tools which drop status, if it says something else now.
fn annotations(object: &VpcPeering, commit: &Commit) -> Vec<(&'static str, String)> {
    let Some(id) = commit.established else { return Vec::new() };
    let said = object.annotations().get(ANNOTATION_ESTABLISHED);
    if said.is_some_and(|said| *said == id.to_string()) {
        return Vec::new();
    }
    vec![(ANNOTATION_ESTABLISHED, id.to_string())]
}

/// What one side's part of `needs` comes to.
fn narrow(live: &Live, side: Side, needs: &Needs) -> NarrowNeeds {
    let spec = live.desired.sides.get(side);
    NarrowNeeds {
        pair: needs.peerings.contains(&side).then(|| live.desired.pair()),
        vpcs: if needs.vpcs.contains(&side) { [spec.vpc].into_iter().collect() } else { BTreeSet::new() },
        tables: needs.tables.get(&side).cloned().unwrap_or_default(),
        prefix_lists: needs.prefix_lists.get(&side).cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use peerkeeper_core::desired::{Grant, Policy};

    use super::*;

    /// A table that holds a route to a prefix list, as every gateway endpoint makes one, can be counted only once that list
    /// is read, whoever's route it is.
    #[test]
    fn prefix_lists_are_read_because_they_are_asked_for() {
        let desired = super::super::state::tests::desired();
        let live = Live {
            policy: Policy::built_in(),
            grants: Sides::from_fn(|_| Grant::NoAccount { name: "prod".into() }),
            claims: Default::default(),
            limits: Default::default(),
            memory: Memory::default(),
            has_finalizer: false,
            version: "1".into(),
            told: Default::default(),
            desired,
        };
        let lists: BTreeSet<_> = "pl-0123456789abcdef0".parse().into_iter().collect();
        assert_eq!(lists.len(), 1);
        let needs = Needs { prefix_lists: [(Side::Requester, lists.clone())].into(), ..Needs::default() };
        assert_eq!(narrow(&live, Side::Requester, &needs).prefix_lists, lists);
        assert_eq!(narrow(&live, Side::Accepter, &needs), NarrowNeeds::default());
    }
}
