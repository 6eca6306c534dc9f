//! The API server: objects with versions, a Lease, and what it showed at any moment that was.

use std::collections::BTreeMap;
use std::sync::Arc;

use peerkeeper_core::ids::{ObjectKey, PeeringId};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::pace::lease;
use peerkeeper_core::plan::Report;
use peerkeeper_core::time::Wall;

use crate::common::cluster::{Cluster, Object};

/// What a watch tells of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    Object(ObjectKey),
    /// Policies and accounts.
    Rest,
}

/// One request that changes something. Each names the version that it rests on.
#[derive(Clone, Debug)]
pub enum ApiWrite {
    /// A finalizer's removal, noted where it outlives its object.
    NoteRemoval {
        account: Arc<str>,
        uid: Arc<str>,
        at: Wall,
    },
    /// Finalizer and annotation.
    Mark {
        finalizer: bool,
        established: Option<PeeringId>,
    },
    Status {
        memory: Box<Memory>,
        report: Box<Report>,
    },
    DropFinalizer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiRefusal {
    Conflict,
    Gone,
}

/// What an object was from each moment on; `None`: it was not there.
type Versions = Vec<(u64, Option<Arc<Object>>)>;

pub struct Api {
    pub truth: Cluster,
    pub lease: Option<lease::Record>,
    /// Every version of every object, by when it came to be.
    past: BTreeMap<ObjectKey, Versions>,
    past_rest: Vec<(u64, Arc<Cluster>)>,
    /// Whose removal is noted already, on which account.
    noted: BTreeMap<(Arc<str>, Arc<str>), Wall>,
    /// What changed and was not told to the watches yet.
    pub news: Vec<Watched>,
}

impl Api {
    pub fn new(truth: Cluster) -> Self {
        let mut api = Self {
            truth,
            lease: None,
            past: BTreeMap::new(),
            past_rest: Vec::new(),
            noted: BTreeMap::new(),
            news: Vec::new(),
        };
        for key in api.truth.objects.keys().cloned().collect::<Vec<_>>() {
            api.changed(&key, 0);
        }
        api.rest_changed(0);
        api
    }

    pub fn object(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.past.get(key)?.last()?.1.clone()
    }

    pub fn rest(&self) -> Arc<Cluster> {
        self.past_rest.last().map(|(_, rest)| rest.clone()).unwrap_or_default()
    }

    pub fn changed(&mut self, key: &ObjectKey, now_ms: u64) {
        let now = self.truth.objects.get(key).map(|object| Arc::new(object.clone()));
        self.past.entry(key.clone()).or_default().push((now_ms, now));
        self.news.push(Watched::Object(key.clone()));
    }

    pub fn rest_changed(&mut self, now_ms: u64) {
        let rest = Cluster { objects: BTreeMap::new(), ..self.truth.clone() };
        self.past_rest.push((now_ms, Arc::new(rest)));
        self.news.push(Watched::Rest);
    }

    /// What there was at a moment.
    pub fn list_as_of(&self, at_ms: u64) -> (BTreeMap<ObjectKey, Arc<Object>>, Arc<Cluster>) {
        let then = |versions: &Versions| {
            versions.iter().rev().find(|(from, _)| *from <= at_ms).and_then(|(_, object)| object.clone())
        };
        let objects = self.past.iter().filter_map(|(key, versions)| Some((key.clone(), then(versions)?)));
        let rest = self.past_rest.iter().rev().find(|(from, _)| *from <= at_ms);
        (objects.collect(), rest.map(|(_, rest)| rest.clone()).unwrap_or_else(|| self.rest()))
    }

    pub fn keys_ever(&self) -> impl Iterator<Item = &ObjectKey> {
        self.past.keys()
    }

    /// All or nothing, and only onto the version that it was computed from.
    pub fn write(
        &mut self,
        key: &ObjectKey,
        version: &str,
        write: &ApiWrite,
        now_ms: u64,
    ) -> Result<String, ApiRefusal> {
        if let ApiWrite::NoteRemoval { account, uid, at } = write {
            self.note_removal(account, uid, *at, now_ms);
            return Ok(version.to_owned());
        }
        let object = self.truth.objects.get_mut(key).ok_or(ApiRefusal::Gone)?;
        if object.version.to_string() != version {
            return Err(ApiRefusal::Conflict);
        }
        match write {
            ApiWrite::NoteRemoval { .. } => {}
            ApiWrite::Mark { finalizer, established } => {
                object.has_finalizer |= finalizer;
                object.established = established.or(object.established);
            }
            ApiWrite::Status { memory, report } => {
                object.memory = (**memory).clone();
                object.report = Some((**report).clone());
            }
            ApiWrite::DropFinalizer => object.has_finalizer = false,
        }
        let goes = object.deleting && !object.has_finalizer;
        self.truth.versions += 1;
        self.truth.writes += 1;
        let version = self.truth.versions;
        object.version = version;
        if goes {
            self.truth.objects.remove(key);
        }
        self.changed(key, now_ms);
        Ok(version.to_string())
    }

    fn note_removal(&mut self, account: &Arc<str>, uid: &Arc<str>, at: Wall, now_ms: u64) {
        let noted = (account.clone(), uid.clone());
        if self.noted.insert(noted, at).is_some() {
            return;
        }
        if let Some(account) = self.truth.accounts.get_mut(account) {
            account.removals.push(at);
            self.truth.writes += 1;
            self.rest_changed(now_ms);
        }
    }

    // The Lease.

    pub fn hold_lease(
        &mut self,
        base: &lease::Base,
        me: &lease::Identity,
        duration_ms: u64,
    ) -> lease::Written {
        let fits = match (base, &self.lease) {
            (lease::Base::Absent, None) => true,
            (lease::Base::Version(based), Some(record)) => record.version == *based,
            _ => false,
        };
        if !fits {
            return lease::Written::Conflict;
        }
        self.truth.versions += 1;
        let version = lease::Version(self.truth.versions.to_string());
        self.lease = Some(lease::Record { version: version.clone(), holder: Some(me.clone()), duration_ms });
        lease::Written::Ok(version)
    }

    pub fn read_lease(&self) -> lease::Observed {
        self.lease.clone().map_or(lease::Observed::Absent, lease::Observed::Record)
    }
}
