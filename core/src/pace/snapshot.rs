//! The snapshot table: who reads AWS when, and who may use what was read.
//!
//! There is one snapshot per AwsAccount (uid, generation) and Region: the key `K`. It is read in two lanes, sweeps of
//! everything and targeted reads of a few ids, so that a hint never waits behind a long sweep. In each lane at most
//! one read runs and at most one is queued, whatever the number of callers.
//!
//! A caller names a moment, `not_before`. It is served only by a read that *began* (asked for its first page) at or
//! after it: what AWS said earlier, however late its answer arrived, may not know what the caller asks about.
//!
//! A reading is complete for its scope or does not exist: one failed page fails the read for all who joined it.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Mono;

/// What a read asks for: everything, or some ids of each kind.
pub trait Scope: Clone {
    /// Whether this is everything: only then does a reading count towards absence.
    fn is_sweep(&self) -> bool;
    /// Whether a reading of this scope answers a question about `asked`.
    fn covers(&self, asked: &Self) -> bool;
    /// Widens a read that has not started yet. Called with targeted scopes only.
    fn widen(&mut self, other: &Self);
}

/// One read, unique in a table's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

/// A complete reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taken<S, R> {
    /// When its first page was asked for.
    pub began: Mono,
    /// When its last page had arrived.
    pub ended: Mono,
    pub scope: S,
    pub reading: R,
}

/// What [`Table::want`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer<S, R> {
    /// There is such a reading already.
    Have(Taken<S, R>),
    /// Wait: the read is under way, and will wake the caller.
    Join(ReadId),
    /// Start this read now; it will wake the caller.
    Start(Read<S>),
    /// Wait: a read that began too early, or for other ids, is under way; the next one will wake the caller.
    Queued,
    /// `not_before` is in the future: ask again then. The caller is not remembered.
    NotYet(Mono),
}

/// A read to be started now. Every one ends in [`Table::finished`], whether or not anybody still waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read<S> {
    pub id: ReadId,
    pub scope: S,
}

/// What the end of a read leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finished<C, S, R, E> {
    /// Who waited for it, in order; all get the same result.
    pub wake: Vec<C>,
    pub result: Result<Taken<S, R>, E>,
    /// The read that was queued behind it, to be started now.
    pub start: Option<Read<S>>,
}

/// How far apart two sweeps have to begin to prove absence together is `gap_ms`; a snapshot older than `stale_ms`
/// says nothing about now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keeping {
    pub gap_ms: u64,
    pub stale_ms: u64,
}

/// All snapshots. `K`: account and Region; `C`: a caller; `S`: the scope; `R`: what a reading holds, cheap to clone (an
/// `Arc`).
///
/// Invariants: per key and lane at most one read runs and one is queued; nobody is served a reading that began before
/// its `not_before`; a caller that was told `Join`, `Start` or `Queued` and has not cancelled is woken exactly once.
/// A caller wants one thing at a time: it asks again only when woken, or after cancelling.
///
/// Memory per key: at most three sweeps and one targeted reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table<K, C, S, R> {
    keeping: Keeping,
    last_id: u64,
    snapshots: BTreeMap<K, Snapshot<C, S, R>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Snapshot<C, S, R> {
    sweep: Lane<C, S>,
    targeted: Lane<C, S>,
    sweeps: Sweeps<S, R>,
    /// The last targeted reading, for callers whose question it happens to answer too.
    last_targeted: Option<Taken<S, R>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Lane<C, S> {
    running: Option<Running<C, S>>,
    queued: Option<Queued<C, S>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Running<C, S> {
    read: ReadId,
    began: Mono,
    scope: S,
    callers: BTreeSet<C>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Queued<C, S> {
    scope: S,
    callers: BTreeSet<C>,
}

impl<K: Ord + Clone, C: Ord + Clone, S: Scope, R: Clone> Table<K, C, S, R> {
    pub fn new(keeping: Keeping) -> Table<K, C, S, R> {
        Table { keeping, last_id: 0, snapshots: BTreeMap::new() }
    }

    /// A caller wants a reading of `scope` at `key` that began at `not_before` or later.
    pub fn want(&mut self, now: Mono, key: &K, caller: C, not_before: Mono, scope: S) -> Answer<S, R> {
        if not_before > now {
            return Answer::NotYet(not_before);
        }
        let last_id = &mut self.last_id;
        let snapshot = self.snapshots.entry(key.clone()).or_insert_with(Snapshot::new);
        if let Some(taken) = snapshot.have(not_before, &scope) {
            return Answer::Have(taken.clone());
        }
        let lane = snapshot.lane(&scope);
        if let Some(running) = &mut lane.running {
            if running.began >= not_before && running.scope.covers(&scope) {
                running.callers.insert(caller);
                return Answer::Join(running.read);
            }
            lane.queue(caller, scope);
            return Answer::Queued;
        }
        Answer::Start(lane.start(now, last_id, scope, BTreeSet::from([caller])))
    }

    /// The caller stopped waiting. The read goes on: others may have joined, and what it brings is of use anyway.
    pub fn cancel(&mut self, key: &K, caller: &C) {
        let Some(snapshot) = self.snapshots.get_mut(key) else { return };
        for lane in [&mut snapshot.sweep, &mut snapshot.targeted] {
            if let Some(running) = &mut lane.running {
                running.callers.remove(caller);
            }
            if let Some(queued) = &mut lane.queued {
                queued.callers.remove(caller);
            }
        }
    }

    /// A read ended: complete, or failed on any of its pages. `None` if the read is not (or no longer) of this table;
    /// its result is then dropped.
    pub fn finished<E>(
        &mut self,
        now: Mono,
        key: &K,
        read: ReadId,
        result: Result<R, E>,
    ) -> Option<Finished<C, S, R, E>> {
        let keeping = self.keeping;
        let last_id = &mut self.last_id;
        let snapshot = self.snapshots.get_mut(key)?;
        let lane = snapshot.lane_of(read)?;
        let Running { began, scope, callers, .. } = lane.running.take()?;
        let start = lane.queued.take().map(|queued| lane.start(now, last_id, queued.scope, queued.callers));
        let result = result.map(|reading| Taken { began, ended: now, scope, reading });
        if let Ok(taken) = &result {
            snapshot.store(keeping, taken.clone());
        }
        Some(Finished { wake: callers.into_iter().collect(), result, start })
    }

    /// The latest complete sweep.
    pub fn latest(&self, key: &K) -> Option<&Taken<S, R>> {
        self.snapshots.get(key)?.sweeps.latest()
    }

    /// The sweeps that are kept, oldest first.
    pub fn sweeps(&self, key: &K) -> &[Taken<S, R>] {
        self.snapshots.get(key).map_or(&[], |snapshot| snapshot.sweeps.kept.as_slice())
    }

    /// Two complete sweeps that both began at `after` or later, far enough apart to prove absence: the later one is
    /// the latest there is.
    pub fn pair(&self, key: &K, after: Mono) -> Option<[&Taken<S, R>; 2]> {
        self.snapshots.get(key)?.sweeps.pair(after, self.keeping.gap_ms)
    }

    /// Milliseconds since the latest complete sweep began; `None` before the first.
    pub fn age_ms(&self, key: &K, now: Mono) -> Option<u64> {
        self.latest(key).map(|taken| now.since_ms(taken.began))
    }

    /// Whether what is known of `key` is too old to say anything about now, or nothing is known.
    pub fn is_stale(&self, key: &K, now: Mono) -> bool {
        self.age_ms(key, now).is_none_or(|age| age > self.keeping.stale_ms)
    }

    /// Drops what `keep` refuses (an AwsAccount that is gone, or has a new generation), and returns the callers that
    /// waited there: nobody else will wake them. Reads under way there end in a [`Table::finished`] that returns
    /// `None`.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) -> Vec<C> {
        let mut left = BTreeSet::new();
        self.snapshots.retain(|key, snapshot| {
            let kept = keep(key);
            if !kept {
                left.extend(snapshot.callers());
            }
            kept
        });
        left.into_iter().collect()
    }
}

impl<C: Ord + Clone, S: Scope, R: Clone> Snapshot<C, S, R> {
    fn new() -> Snapshot<C, S, R> {
        let idle = || Lane { running: None, queued: None };
        Snapshot { sweep: idle(), targeted: idle(), sweeps: Sweeps { kept: Vec::new() }, last_targeted: None }
    }

    fn lane(&mut self, scope: &S) -> &mut Lane<C, S> {
        if scope.is_sweep() { &mut self.sweep } else { &mut self.targeted }
    }

    fn lane_of(&mut self, read: ReadId) -> Option<&mut Lane<C, S>> {
        [&mut self.sweep, &mut self.targeted]
            .into_iter()
            .find(|lane| lane.running.as_ref().is_some_and(|running| running.read == read))
    }

    /// The latest reading that began at `not_before` or later and covers `scope`.
    fn have(&self, not_before: Mono, scope: &S) -> Option<&Taken<S, R>> {
        [self.sweeps.latest(), self.last_targeted.as_ref()]
            .into_iter()
            .flatten()
            .filter(|taken| taken.began >= not_before && taken.scope.covers(scope))
            .max_by_key(|taken| taken.began)
    }

    fn store(&mut self, keeping: Keeping, taken: Taken<S, R>) {
        if taken.scope.is_sweep() {
            self.sweeps.push(taken, keeping.gap_ms);
        } else {
            self.last_targeted = Some(taken);
        }
    }

    fn callers(&self) -> BTreeSet<C> {
        let mut all = BTreeSet::new();
        for lane in [&self.sweep, &self.targeted] {
            all.extend(lane.running.iter().flat_map(|running| running.callers.iter().cloned()));
            all.extend(lane.queued.iter().flat_map(|queued| queued.callers.iter().cloned()));
        }
        all
    }
}

impl<C: Ord + Clone, S: Scope> Lane<C, S> {
    fn queue(&mut self, caller: C, scope: S) {
        match &mut self.queued {
            Some(queued) => {
                queued.callers.insert(caller);
                if !queued.scope.covers(&scope) {
                    queued.scope.widen(&scope);
                }
            }
            None => self.queued = Some(Queued { scope, callers: BTreeSet::from([caller]) }),
        }
    }

    fn start(&mut self, now: Mono, last_id: &mut u64, scope: S, callers: BTreeSet<C>) -> Read<S> {
        *last_id += 1;
        let id = ReadId(*last_id);
        self.running = Some(Running { read: id, began: now, scope: scope.clone(), callers });
        Read { id, scope }
    }
}

/// The sweeps worth keeping: the latest, and enough older ones that absence can be proved as time goes on, however
/// quickly sweeps follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sweeps<S, R> {
    /// In the order they began.
    kept: Vec<Taken<S, R>>,
}

impl<S, R> Sweeps<S, R> {
    fn latest(&self) -> Option<&Taken<S, R>> {
        self.kept.last()
    }

    /// Adds the latest. A sweep between two that began less than a gap apart makes no pair that they don't make, or
    /// won't a little later: it goes. So does any older than the youngest that already makes a pair with the latest.
    fn push(&mut self, taken: Taken<S, R>, gap_ms: u64) {
        if let [.., older, _] = self.kept.as_slice()
            && taken.began.since_ms(older.began) < gap_ms
        {
            self.kept.pop();
        }
        let paired = |older: &Taken<S, R>| taken.began.since_ms(older.began) >= gap_ms;
        let youngest_paired = self.kept.iter().rposition(paired).unwrap_or(0);
        self.kept.drain(..youngest_paired);
        self.kept.push(taken);
    }

    fn pair(&self, after: Mono, gap_ms: u64) -> Option<[&Taken<S, R>; 2]> {
        let latest = self.latest()?;
        let far = |older: &&Taken<S, R>| latest.began.since_ms(older.began) >= gap_ms;
        let first = self.kept.iter().filter(far).find(|older| older.began >= after)?;
        Some([first, latest])
    }
}
