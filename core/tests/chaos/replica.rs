//! One process of the operator, as far as it is values: what it holds dies with it. Everything that decides is core's
//! own: the elector, the queue, the timer of sweeps, the buckets, claims and limits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::desired::{AccountRef, Policy};
use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey, Side};
use peerkeeper_core::incident::Recorded;
use peerkeeper_core::memory::Memory;
use peerkeeper_core::observed::{Reading, Resource, Scope, SideView, Unseen, View};
use peerkeeper_core::pace::backoff::{Backoffs, Curve};
use peerkeeper_core::pace::bucket::{Buckets, Share};
use peerkeeper_core::pace::lease::{Elector, Identity, Terms};
use peerkeeper_core::pace::queue::{Concurrency, Queue, Urgency};
use peerkeeper_core::pace::sweep::{Rhythm, Timer};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Wall};
use peerkeeper_core::turn::{Commit, Turn};
use peerkeeper_core::witness::Concern;
use peerkeeper_core::write::{Outcome, WriteCall};
use peerkeeper_core::{claims, limits};

use crate::api::ApiWrite;
use crate::common::cluster::{Cluster, Object};
use crate::events::Ears;

pub const LEASE_S: u32 = 15;
const SWEEP_MS: u64 = 60_000;
/// The wall clock at the world's zero.
pub const EPOCH_S: i64 = 1_800_000_000;

/// A process's own clocks: they agree with nobody's.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub offset_ms: u64,
    /// How much faster it runs, in thousandths.
    pub permille: i64,
    pub skew_s: i64,
}

impl Clock {
    pub fn now(&self, world_ms: u64) -> Now {
        let wall = EPOCH_S + i64::try_from(world_ms / 1000).unwrap() + self.skew_s;
        Now { mono: self.mono(world_ms), wall: Wall(wall) }
    }

    fn speed(&self) -> u64 {
        u64::try_from(1000 + self.permille).unwrap()
    }

    fn mono(&self, world_ms: u64) -> Mono {
        Mono(self.offset_ms + world_ms * self.speed() / 1000)
    }

    /// The first moment of the world at which this clock shows `mono`.
    pub fn world_ms(&self, mono: Mono) -> u64 {
        (mono.0.saturating_sub(self.offset_ms) * 1000).div_ceil(self.speed())
    }
}

pub fn terms() -> Terms {
    Terms::of_duration_s(LEASE_S).unwrap()
}

/// One object, as a watch last showed it.
pub struct Known {
    pub object: Arc<Object>,
    pub recent: Option<Recent>,
    /// In sync when last looked at, with nothing under way: only a change wakes it.
    pub quiet: bool,
    pub own_version: Option<u64>,
    pub report: Option<Arc<peerkeeper_core::plan::Report>>,
}

/// A turn under way, and what it waits for.
pub struct Flight {
    pub turn: Turn,
    pub number: u64,
    /// As read live, with our own changes since.
    pub object: Option<Arc<Object>>,
    /// The policy that held as it was read, whatever the turn was told.
    pub policy: Policy,
    pub wave: Vec<(WriteCall, Option<Outcome>)>,
    pub commit: Option<Storing>,
    /// What this turn knows to be stored.
    pub stored: Option<Arc<Memory>>,
}

/// A commit under way: one write after the other.
pub struct Storing {
    pub commit: Box<Commit>,
    pub left: Vec<ApiWrite>,
    pub version: String,
    pub number: u64,
    /// The incidents that were recorded with it.
    pub recorded: Vec<Recorded>,
}

pub struct Replica {
    pub life: u64,
    pub up: bool,
    pub clock: Clock,
    pub paused_until: u64,
    pub no_api_until: u64,
    pub no_aws_until: u64,
    pub elector: Elector,
    pub me: Identity,
    pub leads: bool,
    pub led_since: Mono,
    pub known: BTreeMap<ObjectKey, Known>,
    pub rest: Arc<Cluster>,
    pub unusable: BTreeMap<Arc<str>, Arc<str>>,
    pub claims: claims::Table,
    pub limits: limits::Table,
    pub queue: Queue<ObjectKey, Arc<str>>,
    pub backoffs: Backoffs<ObjectKey>,
    pub timer: Timer<AccountRegion>,
    pub buckets: Buckets<AccountRegion>,
    pub snapshots: BTreeMap<AccountRegion, SideView>,
    pub stale_places: BTreeSet<AccountRegion>,
    pub hinted: BTreeSet<ObjectKey>,
    pub ears: Ears,
    pub flights: BTreeMap<ObjectKey, Flight>,
    pub writes_in_flight: usize,
    pub next_tick: u64,
}

impl Replica {
    pub fn new(name: &str, life: u64, clock: Clock) -> Self {
        let me = Identity(format!("{name}-{life}"));
        Self {
            life,
            up: false,
            clock,
            paused_until: 0,
            no_api_until: 0,
            no_aws_until: 0,
            elector: Elector::new(me.clone(), terms()),
            me,
            leads: false,
            led_since: Mono::default(),
            known: BTreeMap::new(),
            rest: Arc::default(),
            unusable: BTreeMap::new(),
            claims: claims::Table::default(),
            limits: limits::Table::default(),
            queue: Queue::new(Concurrency { total: 8, per_group: 4 }),
            backoffs: Backoffs::new(Curve { first_ms: 500, most_ms: 300_000 }),
            timer: Timer::new(Rhythm { interval_ms: SWEEP_MS, concurrency: 8 }),
            buckets: Buckets::new(Share::default()),
            snapshots: BTreeMap::new(),
            stale_places: BTreeSet::new(),
            hinted: BTreeSet::new(),
            ears: Ears::default(),
            flights: BTreeMap::new(),
            writes_in_flight: 0,
            next_tick: u64::MAX,
        }
    }

    // What it knows of the cluster.

    pub fn place(&self, object: &Object, side: Side) -> Option<AccountRegion> {
        let spec = object.sides.get(side);
        let AccountRef::Managed(name) = &spec.account else { return None };
        let account = self.rest.accounts.get(name)?;
        Some(AccountRegion { account: account.id, region: spec.region })
    }

    pub fn places(&self) -> BTreeSet<AccountRegion> {
        let of = |known: &Known| {
            Side::BOTH.into_iter().filter_map(|side| self.place(&known.object, side)).collect::<Vec<_>>()
        };
        self.known.values().flat_map(of).collect()
    }

    pub fn objects_at(&self, at: AccountRegion) -> Vec<ObjectKey> {
        let here =
            |known: &Known| Side::BOTH.into_iter().any(|side| self.place(&known.object, side) == Some(at));
        self.known.iter().filter(|(_, known)| here(known)).map(|(key, _)| key.clone()).collect()
    }

    /// With what this process found of the accounts' credentials.
    pub fn cluster(&self) -> Cluster {
        let mut rest = (*self.rest).clone();
        for (name, account) in &mut rest.accounts {
            account.unusable = self.unusable.get(name).cloned();
        }
        rest
    }

    pub fn policy_key(&self, object: &Object) -> ObjectKey {
        let name: Arc<str> = object.policy.clone().unwrap_or_else(|| "default".into());
        let known = self.rest.policies.contains_key(&name);
        ObjectKey::new("net", if known { name } else { "".into() })
    }

    /// Enters an object into what holds across objects. True if that may decide anew who holds its pair.
    pub fn enter(&mut self, object: &Object, memory: &Memory) -> bool {
        if !self.known.contains_key(&object.key) {
            return false;
        }
        let cluster = self.cluster();
        let before = self.claims.get(&object.key).map(bears_on_pair);
        self.ears.index.set(&object.key, Concern::of(object.pair(), memory));
        self.claims.set(claims::Entry {
            key: object.key.clone(),
            uid: object.uid.clone(),
            created: object.created,
            deleting: object.deleting,
            pair: object.pair(),
            granted: cluster.grants(object).both_allow(),
            memory: Arc::new(memory.clone()),
        });
        let ids: BTreeSet<AccountId> =
            Side::BOTH.into_iter().filter_map(|side| Some(self.place(object, side)?.account)).collect();
        let entry = limits::Entry {
            policy: self.policy_key(object),
            limits: cluster.policy_of(object).limits,
            accounts: ids.into_iter().collect(),
            spent: memory.spent.clone(),
            waiting: memory.waits_for(),
        };
        self.limits.set_object(object.key.clone(), entry);
        if memory.episode.is_some() {
            self.limits.expect_nothing(&object.key);
        }
        before != self.claims.get(&object.key).map(bears_on_pair)
    }

    pub fn forget(&mut self, key: &ObjectKey) {
        self.known.remove(key);
        self.claims.remove(key);
        self.limits.remove_object(key);
        self.queue.remove(key);
        self.ears.forget(key);
        self.backoffs.reset(key);
    }

    /// Policies and accounts as a watch shows them now.
    pub fn take_rest(&mut self, rest: Arc<Cluster>) {
        self.rest = rest;
        self.limits.set_operator(self.rest.max_restores, self.rest.max_removals);
        for account in self.rest.accounts.values() {
            self.limits.set_account(account.id, account.limits, account.removals.clone());
        }
        for key in self.known.keys().cloned().collect::<Vec<_>>() {
            let object = self.known[&key].object.clone();
            self.enter(&object, &object.memory);
        }
    }

    // The queue.

    pub fn enqueue(&mut self, key: &ObjectKey, at: Mono, urgency: Urgency) {
        if urgency == Urgency::Hint {
            self.hinted.insert(key.clone());
        }
        self.enqueue_plainly(key, at, urgency);
    }

    /// Without the wish for a fresh look.
    pub fn enqueue_plainly(&mut self, key: &ObjectKey, at: Mono, urgency: Urgency) {
        let Some(known) = self.known.get(key) else { return };
        let group: Arc<str> = match &known.object.sides.requester.account {
            AccountRef::Managed(name) => name.clone(),
            AccountRef::Foreign(_) => "".into(),
        };
        self.queue.add(key.clone(), group, at, urgency);
    }

    pub fn enqueue_all(&mut self, at: Mono, urgency: Urgency) {
        for key in self.known.keys().cloned().collect::<Vec<_>>() {
            self.enqueue(&key, at, urgency);
        }
    }

    pub fn wake_others_of(&mut self, key: &ObjectKey, now: Mono) {
        for other in self.claims.same_pair(key) {
            self.enqueue_plainly(&other, now, Urgency::Hint);
        }
    }

    pub fn wake_neighbours_of(&mut self, key: &ObjectKey, now: Mono) {
        for other in self.claims.neighbours_of(key) {
            self.enqueue_plainly(&other, now, Urgency::Hint);
        }
    }

    pub fn has_been_swept(&self, key: &ObjectKey) -> bool {
        let Some(known) = self.known.get(key) else { return true };
        let mut places = Side::BOTH.into_iter().filter_map(|side| self.place(&known.object, side));
        places.all(|at| self.has_been_tried(at))
    }

    pub fn has_been_tried(&self, at: AccountRegion) -> bool {
        let view = self.snapshots.get(&at);
        view.is_some_and(|view| view.peerings.sweep.is_some() || view.peerings.unseen != Unseen::NotRead)
    }

    /// From now on this process writes: all that it knows of its own past is forgotten, and everything is looked at.
    pub fn begin_to_lead(&mut self, now: Mono) {
        self.leads = true;
        self.led_since = now;
        for known in self.known.values_mut() {
            known.recent = None;
            known.quiet = false;
        }
        self.replan_sweeps(now, 0);
        self.enqueue_all(now, Urgency::Resync);
    }

    pub fn replan_sweeps(&mut self, now: Mono, jitter: u64) {
        let places = self.places();
        self.timer.retain(|at| places.contains(at));
        for at in places {
            self.timer.track(now, at, jitter);
        }
    }

    pub fn all_recent_or_new(&mut self, key: &ObjectKey) -> Recent {
        let since = self.led_since;
        let known = self.known.get_mut(key).and_then(|known| known.recent.take());
        known.unwrap_or_else(|| Recent::new(since))
    }
}

/// Of an object, what others of its pair go by.
fn bears_on_pair(entry: &claims::Entry) -> (Arc<str>, bool, bool, bool, Option<Arc<str>>) {
    let claims::Entry { uid, deleting, granted, memory, .. } = entry;
    (uid.clone(), *deleting, *granted, memory.holds_pair(), memory.taken_from.clone())
}

/// Takes in a sweep of one kind.
pub fn rotate<T: Resource>(view: &mut View<T>, read: Result<Arc<Reading<T>>, Unseen>) -> bool {
    match read {
        Ok(reading) => {
            view.before = view.sweep.replace(reading);
            view.unseen = Unseen::NotRead;
            true
        }
        Err(unseen) => {
            view.unseen = unseen;
            false
        }
    }
}

/// The credentials answer as another account: nothing that was read before is shown.
pub fn blind(view: &mut SideView, unseen: &Unseen) {
    *view = SideView::default();
    view.peerings.unseen = unseen.clone();
    view.tables.unseen = unseen.clone();
    view.vpcs.unseen = unseen.clone();
    view.prefix_lists.unseen = unseen.clone();
    view.stale_rules.unseen = unseen.clone();
}

/// Nothing new is known of it.
pub fn forget(view: &mut SideView, unseen: &Unseen) {
    view.peerings.unseen = unseen.clone();
    view.tables.unseen = unseen.clone();
    view.vpcs.unseen = unseen.clone();
    view.prefix_lists.unseen = unseen.clone();
    view.stale_rules.unseen = unseen.clone();
}

pub fn join<T: Resource>(view: &mut View<T>, own: &View<T>) {
    view.narrow = own.narrow.clone();
    if own.unseen != Unseen::NotRead {
        view.unseen = own.unseen.clone();
    }
}

/// Whether this sweep says something else of a group than the one before.
pub fn differs<T: Resource>(view: &View<T>, group: T::Group) -> bool {
    match (&view.sweep, &view.before) {
        (Some(new), Some(old)) => !new.group(group).eq(old.group(group)),
        _ => true,
    }
}

/// The reading as the process dates it: by its own clock, from before its first page was asked for.
pub fn rebased<T: Resource>(read: &Arc<Reading<T>>, scope: Scope<T>, began: Mono) -> Arc<Reading<T>> {
    Arc::new(Reading::new(began, scope, read.iter().cloned()))
}

pub fn read_into<T: Resource>(
    view: &mut View<T>,
    read: Result<Arc<Reading<T>>, Unseen>,
    scope: Scope<T>,
    began: Mono,
) {
    match read {
        Ok(reading) => view.narrow = Some(rebased(&reading, scope, began)),
        Err(unseen) => view.unseen = unseen,
    }
}
