//! What was read last, per AwsAccount and Region, and how callers share one read.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use peerkeeper_core::ids::AccountId;
use peerkeeper_core::observed::{Peering, Reading, Resource, RouteTable, SideView, Unseen, View, Vpc};

/// The last complete sweeps of one kind.
#[derive(Clone, Debug)]
pub(super) struct Kept<T: Resource> {
    /// In the order they began; at most three.
    sweeps: Vec<Arc<Reading<T>>>,
    /// The oldest of them that no later one but the latest contradicts: the other half of a proof of absence.
    before: Option<Arc<Reading<T>>>,
    unseen: Unseen,
}

impl<T: Resource> Default for Kept<T> {
    fn default() -> Self {
        Self::blank(Unseen::NotRead)
    }
}

impl<T: Resource> Kept<T> {
    fn blank(unseen: Unseen) -> Self {
        Self { sweeps: Vec::new(), before: None, unseen }
    }

    pub fn record(&mut self, outcome: Result<Arc<Reading<T>>, Unseen>, gap_ms: u64) {
        match outcome {
            Ok(reading) => {
                self.unseen = Unseen::NotRead;
                self.push(reading, gap_ms);
            }
            Err(unseen) => self.unseen = unseen,
        }
    }

    /// Two sweeps prove absence only if they began `gap_ms` apart. Sweeps that follow each other faster would push the
    /// older half of every such pair out, so then the one in between goes.
    fn push(&mut self, latest: Arc<Reading<T>>, gap_ms: u64) {
        let latest = match self.sweeps.last() {
            Some(last) => Arc::new(Arc::unwrap_or_clone(latest).sharing(last)),
            None => latest,
        };
        let far = |older: &Arc<Reading<T>>| latest.began().since_ms(older.began()) >= gap_ms;
        if let [.., older, _] = self.sweeps.as_slice()
            && !far(older)
            && let Some(between) = self.sweeps.pop()
        {
            // What it shows has not been absent since the older ones began, and once it is gone nothing says so.
            self.sweeps.retain(|older| shows_all_of(older, &between));
        }
        let youngest_far = self.sweeps.iter().rposition(far).unwrap_or(0);
        self.sweeps.drain(..youngest_far);
        let candidates = 0..self.sweeps.len();
        let unbroken =
            |at: &usize| self.sweeps[*at..].iter().all(|later| shows_all_of(&self.sweeps[*at], later));
        self.before = candidates.into_iter().find(unbroken).map(|at| self.sweeps[at].clone());
        self.sweeps.push(latest);
    }

    /// The last complete sweep.
    pub fn last(&self) -> Option<Arc<Reading<T>>> {
        self.sweeps.last().cloned()
    }

    pub fn view(&self, narrow: Option<Arc<Reading<T>>>) -> View<T> {
        let (sweep, before) = (self.sweeps.last().cloned(), self.before.clone());
        View { sweep, before, narrow, unseen: self.unseen.clone() }
    }
}

fn shows_all_of<T: Resource>(older: &Reading<T>, later: &Reading<T>) -> bool {
    later.iter().all(|thing| older.get(thing.id()).is_some())
}

#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub caller: Option<AccountId>,
    pub peerings: Kept<Peering>,
    pub tables: Kept<RouteTable>,
    pub vpcs: Kept<Vpc>,
}

impl Snapshot {
    pub fn view(&self) -> SideView {
        SideView {
            caller: self.caller,
            peerings: self.peerings.view(None),
            tables: self.tables.view(None),
            vpcs: self.vpcs.view(None),
            prefix_lists: View::default(),
            stale_rules: View::default(),
            routes_per_table: None,
        }
    }

    /// The credentials answer as another account: nothing that was read with them, or before, is shown.
    pub fn blind(&mut self, found: Option<AccountId>) {
        let unseen = Unseen::WrongAccount { found };
        self.caller = found;
        self.peerings = Kept::blank(unseen.clone());
        self.tables = Kept::blank(unseen.clone());
        self.vpcs = Kept::blank(unseen);
    }
}

/// One read for many callers. At most one runs at a time; who comes while it runs waits for the next one, which begins
/// after they came and asks for what all of them want. A caller that goes away cancels nothing.
#[derive(Debug)]
pub(super) struct Joined<K, V> {
    /// How long a read waits for others that come at the same moment, before it begins.
    gathers: Duration,
    open: Mutex<Open<K>>,
    done: Arc<tokio::sync::Mutex<Option<(u64, V)>>>,
}

/// The round that has not started yet, and what it will ask for.
#[derive(Debug)]
struct Open<K> {
    round: u64,
    wanted: BTreeSet<K>,
}

impl<K, V> Joined<K, V> {
    pub fn new(gathers: Duration) -> Self {
        let open = Mutex::new(Open { round: 0, wanted: BTreeSet::new() });
        Self { gathers, open, done: Arc::default() }
    }
}

impl<K, V> Joined<K, V>
where
    K: Ord + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// The answer to a read of `wanted`, and of what others wanted, that began after this was called. `None` only if the
    /// read itself panicked.
    pub async fn ask<F>(&self, wanted: &BTreeSet<K>, read: impl FnOnce(BTreeSet<K>) -> F) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mine = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.wanted.extend(wanted.iter().cloned());
            open.round
        };
        let mut done = self.done.clone().lock_owned().await;
        if let Some((round, answer)) = done.as_ref()
            && *round == mine
        {
            return Some(answer.clone());
        }
        tokio::time::sleep(self.gathers).await;
        // Nobody served this round, or a later one already overwrote its answer: then what we want is asked for again.
        let (round, all) = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let mut all = std::mem::take(&mut open.wanted);
            all.extend(wanted.iter().cloned());
            let round = open.round;
            open.round += 1;
            (round, all)
        };
        let reading = read(all);
        let task = tokio::spawn(async move {
            let answer = reading.await;
            *done = Some((round, answer.clone()));
            answer
        });
        task.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use peerkeeper_core::observed::Scope;
    use peerkeeper_core::time::Mono;

    fn sweep(began_s: u64, vpcs: &[&str]) -> Arc<Reading<Vpc>> {
        let vpc = |id: &&str| {
            let owner = "111122223333".parse().unwrap();
            Arc::new(Vpc {
                id: id.parse().unwrap(),
                owner,
                cidrs: Default::default(),
                tags: Default::default(),
            })
        };
        Arc::new(Reading::new(Mono(began_s * 1000), Scope::All, vpcs.iter().map(vpc)))
    }

    fn began(view: &View<Vpc>) -> (Option<u64>, Option<u64>) {
        let s = |reading: &Arc<Reading<Vpc>>| reading.began().0 / 1000;
        (view.before.as_ref().map(s), view.sweep.as_ref().map(s))
    }

    fn after(sweeps: &[(u64, &[&str])]) -> View<Vpc> {
        let mut kept = Kept::default();
        for (at, vpcs) in sweeps {
            kept.record(Ok(sweep(*at, vpcs)), 30_000);
        }
        kept.view(None)
    }

    #[test]
    fn sweeps_share_what_has_not_changed() {
        let view = after(&[(0, &["vpc-0000000a"]), (60, &["vpc-0000000a"])]);
        let (before, sweep) = (view.before.unwrap(), view.sweep.unwrap());
        let shown = |reading: &Reading<Vpc>| reading.iter().next().cloned().unwrap();
        assert!(Arc::ptr_eq(&shown(&before), &shown(&sweep)));
    }

    #[test]
    fn regular_sweeps_keep_the_last_two() {
        assert_eq!(began(&after(&[(0, &[])])), (None, Some(0)));
        assert_eq!(began(&after(&[(0, &[]), (60, &[]), (120, &[])])), (Some(60), Some(120)));
    }

    #[test]
    fn hurried_sweeps_still_leave_a_pair_that_proves_absence() {
        let hurried: Vec<(u64, &[&str])> = (0..50).map(|n| (n * 5, [].as_slice())).collect();
        for upto in 8..hurried.len() {
            let (before, latest) = began(&after(&hurried[..upto]));
            let apart = latest.unwrap() - before.unwrap();
            assert!((30..=60).contains(&apart), "after {upto} sweeps the pair is {apart} s apart");
        }
    }

    #[test]
    fn a_sweep_in_between_that_shows_a_thing_unproves_its_absence() {
        let seen = ["vpc-11111111"];
        // Between 0 and 40 s it was there, so only what comes after counts.
        assert_eq!(began(&after(&[(0, &[]), (20, &seen), (40, &[])])), (Some(20), Some(40)));
        assert_eq!(began(&after(&[(0, &[]), (20, &seen), (25, &[]), (35, &[])])), (Some(25), Some(35)));
        assert_eq!(began(&after(&[(0, &[]), (20, &[]), (40, &[])])), (Some(0), Some(40)));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_the_read_that_begins_after_they_came() {
        let joined = Arc::new(Joined::<u8, BTreeSet<u8>>::new(Duration::ZERO));
        let reads = Arc::new(AtomicUsize::new(0));
        let ask = |key: u8| {
            let (joined, reads) = (joined.clone(), reads.clone());
            tokio::spawn(async move {
                let read = move |all: BTreeSet<u8>| async move {
                    reads.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    all
                };
                joined.ask(&BTreeSet::from([key]), read).await
            })
        };
        let first = ask(1);
        tokio::time::sleep(Duration::from_millis(10)).await;
        let (second, third) = (ask(2), ask(3));
        // Its leaving must not take the read away from those who wait for it.
        first.abort();
        let (second, third) = (second.await.unwrap(), third.await.unwrap());
        assert_eq!(second, Some(BTreeSet::from([2, 3])));
        assert_eq!(second, third);
        assert_eq!(reads.load(Ordering::SeqCst), 2);
    }
}
