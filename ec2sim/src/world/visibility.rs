//! Eventual consistency. A shelf keeps, beside the newest version of each thing, those that a read may still
//! show; which one it shows is asked anew for every read, so that two reads in a row may disagree, in either order.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::chance::{Chance, Choice};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Shelf<K: Ord, T>(Arc<BTreeMap<K, Versions<T>>>);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Versions<T> {
    /// `None`: it was deleted, and reads may still show it.
    newest: Option<Arc<T>>,
    /// Oldest first. The agenda takes each away when its time is over, so that whatever is here can be seen.
    past: Vec<Past<T>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Past<T> {
    /// `None`: it did not exist yet.
    version: Option<Arc<T>>,
    until_ms: u64,
}

impl<K: Ord, T> Default for Shelf<K, T> {
    fn default() -> Self {
        Self(Arc::new(BTreeMap::new()))
    }
}

impl<K: Ord + Clone, T: Clone> Shelf<K, T> {
    /// The truth.
    pub(crate) fn get(&self, key: &K) -> Option<&T> {
        self.0.get(key)?.newest.as_deref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &T)> {
        self.0.iter().filter_map(|(key, versions)| Some((key, versions.newest.as_deref()?)))
    }

    pub(crate) fn insert(&mut self, key: K, value: T, lag_until_ms: Option<u64>) {
        let past = lag_until_ms.map(|until_ms| Past { version: None, until_ms });
        let versions = Versions { newest: Some(Arc::new(value)), past: past.into_iter().collect() };
        Arc::make_mut(&mut self.0).insert(key, versions);
    }

    /// Changes the newest version; without lag in place, as there is no reader of the old one.
    pub(crate) fn change(&mut self, key: &K, lag_until_ms: Option<u64>, change: impl FnOnce(&mut T)) {
        let Some(versions) = Arc::make_mut(&mut self.0).get_mut(key) else { return };
        if let Some(until_ms) = lag_until_ms {
            versions.past.push(Past { version: versions.newest.clone(), until_ms });
        }
        if let Some(newest) = &mut versions.newest {
            change(Arc::make_mut(newest));
        }
    }

    pub(crate) fn remove(&mut self, key: &K, lag_until_ms: Option<u64>) {
        let map = Arc::make_mut(&mut self.0);
        match (map.get_mut(key), lag_until_ms) {
            (Some(versions), Some(until_ms)) => {
                let version = versions.newest.take();
                versions.past.push(Past { version, until_ms });
            }
            _ => {
                map.remove(key);
            }
        }
    }

    pub(crate) fn forget_past(&mut self, key: &K, now_ms: u64) {
        let map = Arc::make_mut(&mut self.0);
        let Some(versions) = map.get_mut(key) else { return };
        versions.past.retain(|past| past.until_ms > now_ms);
        if versions.newest.is_none() && versions.past.is_empty() {
            map.remove(key);
        }
    }

    /// Counts from this moment on, in the shelf and in the things on it.
    pub(crate) fn start_at(&mut self, now_ms: u64, thing: impl Fn(&mut T)) {
        for versions in Arc::make_mut(&mut self.0).values_mut() {
            versions.past.retain(|past| past.until_ms > now_ms);
            let past = versions.past.iter_mut().map(|past| {
                past.until_ms -= now_ms;
                &mut past.version
            });
            past.chain([&mut versions.newest]).flatten().for_each(|version| thing(Arc::make_mut(version)));
        }
    }

    /// What one read shows.
    pub(crate) fn read(&self, key: &K, chance: &mut dyn Chance) -> Option<&T> {
        self.0.get(key)?.read(chance)
    }

    /// The keys after a place, for reads that go through all of them.
    pub(crate) fn keys_after<'a>(&'a self, after: Option<&K>) -> impl Iterator<Item = &'a K> + use<'a, K, T> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range((from, Bound::Unbounded)).map(|(key, _)| key)
    }

    /// It is there, or reads may still show that it was.
    pub(crate) fn knows(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Whether some part of AWS may not have heard of the thing yet.
    pub(crate) fn is_fresh(&self, key: &K) -> bool {
        let unborn = |past: &Past<T>| past.version.is_none();
        self.0.get(key).is_some_and(|versions| versions.past.iter().any(unborn))
    }
}

impl<T> Versions<T> {
    fn read(&self, chance: &mut dyn Chance) -> Option<&T> {
        if self.past.is_empty() {
            return self.newest.as_deref();
        }
        match super::pick(chance, Choice::StaleRead, self.past.len() + 1) {
            0 => self.newest.as_deref(),
            older => self.past[self.past.len() - older].version.as_deref(),
        }
    }
}
