//! What holds across objects, and what each remembers: it lives as long as the command does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::desired::{Desired, Grant};
use peerkeeper_core::ids::{AccountId, ObjectKey, OwnerTag, Region, Sides, VpcId};
use peerkeeper_core::incident::{
    Class, Decision, Found, Incident, IncidentRef, IncidentSeen, Kinds, Recorded,
};
use peerkeeper_core::memory::{Act, Memory};
use peerkeeper_core::observed::SideView;
use peerkeeper_core::plan::{Finalizer, Report, Truth};
use peerkeeper_core::reason::ConditionType;
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Timing, Wall};
use peerkeeper_core::turn::{Commit, Committed, Live};
use peerkeeper_core::witness::Witness;

use crate::api::{AwsAccount, FINALIZER_CLEANUP, PeeringIncident, VpcPeering};
use crate::cli::manifests::{InCluster, Manifests, Place, is_shown};
use crate::controller::state::{self, Brief, Known, KnownAccount, KnownNamespace, State};
use crate::declare::{self, VpcTags};
use crate::remember::{self, RememberError};

/// Everything of one run but AWS.
pub struct House {
    pub state: State,
    pub timing: Timing,
    objects: BTreeMap<ObjectKey, Object>,
    /// What is not among the objects does not exist.
    is_whole: bool,
}

/// Why an object can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    #[error(transparent)]
    Declare(#[from] declare::DeclareError),
    #[error("its memory can't be read: {0}")]
    Memory(#[from] RememberError),
}

/// One `VpcPeering`, as status would hold it.
struct Object {
    desired: Desired,
    place: Place,
    memory: Memory,
    incident: Kinds<IncidentSeen>,
    has_finalizer: bool,
    version: u64,
    told: BTreeMap<ConditionType, (Truth, Arc<str>)>,
    report: Option<Report>,
    recent: Option<Recent>,
    /// It is worked on; the others are there to be judged among.
    is_shown: bool,
    /// Deleted, and let go.
    is_gone: bool,
}

/// What a commit came to.
pub struct Stored {
    pub committed: Committed,
    /// It says something else than before.
    pub is_news: bool,
}

impl House {
    /// `owner_id` is what our tags say; limits are those of one run.
    pub fn new(
        manifests: &Manifests,
        accounts: BTreeMap<String, AwsAccount>,
        owner_id: &str,
        limits: (u32, u32),
        timing: Timing,
        now: Wall,
    ) -> Result<Self, HouseError> {
        let mut state = State::default();
        state.limits.set_operator(limits.0, limits.1);
        let cluster = manifests.cluster.as_ref();
        let is_terminating = |name: &str| cluster.is_some_and(|cluster| cluster.terminating.contains(name));
        for namespace in manifests.used_namespaces() {
            let terminating = is_terminating(namespace);
            let known = KnownNamespace { labels: manifests.labels_of(namespace), terminating };
            state.namespaces.insert(namespace.into(), known);
        }
        for (key, policy) in &manifests.policies {
            state.policies.insert(key.clone(), Arc::new(policy.clone()));
        }
        let mut ids: BTreeSet<AccountId> = BTreeSet::new();
        for (name, object) in accounts {
            let account = declare::account(&object)?;
            ids.insert(account.account);
            state.declared.insert(name.as_str().into(), account);
            state.accounts.insert(name.into(), KnownAccount { object: Arc::new(object), unusable: None });
        }
        ids.into_iter().for_each(|id| state.limit_account(id));
        let noted = state.removals_by_policy();
        state.limits.set_noted(noted);
        let mut objects = BTreeMap::new();
        for (key, (peering, place)) in &manifests.peerings {
            let desired = declare::desired(peering, is_terminating(&key.namespace), owner_id)?;
            let known = Known {
                brief: Brief::of(peering),
                desired: Ok(desired.clone()),
                recent: None,
                quiet: false,
                own_version: None,
                told: None,
            };
            state.peerings.insert(key.clone(), known);
            let mut object = Object::new(desired, place.clone());
            object.is_shown = is_shown(manifests, key);
            if let Some(cluster) = cluster {
                object.recall(peering, cluster, now)?;
            }
            objects.insert(key.clone(), object);
        }
        let is_whole = cluster.is_some_and(|cluster| cluster.is_whole);
        let mut house = Self { state, timing, objects, is_whole };
        house.enter_all(&|_, _, _| VpcTags::Unread);
        Ok(house)
    }

    /// Enters every object, before the first has its turn: each is judged among the others.
    fn enter_all(&mut self, tags: &dyn Fn(&str, Region, VpcId) -> VpcTags) {
        for object in self.objects.values() {
            let granted = self.state.grants(&object.desired, tags).both_allow();
            self.state.enter(&object.desired, &object.memory, granted);
        }
    }

    /// The places that the peerings which are worked on need.
    pub fn places(&self) -> BTreeSet<state::Place> {
        let shown = self.objects.values().filter(|object| object.is_shown);
        shown.flat_map(|object| self.state.places_of(&object.desired)).collect()
    }

    /// Those of them whose credentials are good.
    pub fn readable_places(&self) -> Vec<state::Place> {
        let usable = |name: &str| self.state.accounts.get(name).is_some_and(|known| known.unusable.is_none());
        self.places().into_iter().filter(|(name, _)| usable(name)).collect()
    }

    /// The objects that are worked on.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.objects.iter().filter(|(_, object)| object.is_shown).map(|(key, _)| key.clone()).collect()
    }

    /// Whether there is such an object. Where not all of a cluster is known, one that nobody knows of counts as there.
    pub fn exists(&self, key: &ObjectKey) -> bool {
        !self.is_whole || self.objects.get(key).is_some_and(|object| !object.is_gone)
    }

    /// It is deleted, and nothing of it is left.
    pub fn is_gone(&self, key: &ObjectKey) -> bool {
        self.objects.get(key).is_some_and(|object| object.is_gone)
    }

    pub fn desired(&self, key: &ObjectKey) -> Option<&Desired> {
        self.objects.get(key).map(|object| &object.desired)
    }

    pub fn place(&self, key: &ObjectKey) -> Option<&Place> {
        self.objects.get(key).map(|object| &object.place)
    }

    /// What was said of it last.
    pub fn report(&self, key: &ObjectKey) -> Option<&Report> {
        self.objects.get(key)?.report.as_ref()
    }

    pub fn memory(&self, key: &ObjectKey) -> Option<&Memory> {
        self.objects.get(key).map(|object| &object.memory)
    }

    pub fn grants(&self, desired: &Desired, view: &dyn Fn(&str, Region) -> SideView) -> Sides<Grant> {
        self.state.grants(desired, &|name, region, vpc| vpc_tags(&view(name, region), vpc))
    }

    /// Where nobody said whose tags are ours, a tag that names an object counts as its own, whoever's it is. A live
    /// peering's tag comes before that of one that has ended.
    pub fn take_owner_from_tags(&mut self, view: &dyn Fn(&str, Region) -> SideView) {
        let keys = self.keys();
        for key in keys {
            let Some(object) = self.objects.get_mut(&key) else { continue };
            let mut found: Vec<(bool, OwnerTag)> = Vec::new();
            for (name, region) in self.state.places_of(&object.desired) {
                let peerings = view(&name, region).peerings;
                for peering in peerings.readings().take(1).flat_map(|r| r.group(object.desired.pair())) {
                    let owner = peering.owner().filter(|owner| owner.object == key);
                    found.extend(owner.map(|owner| (!peering.state.is_live(), owner)));
                }
            }
            if let Some((_, owner)) = found.into_iter().min() {
                object.desired.owner_id = owner.owner_id;
            }
        }
    }

    pub fn recent(&mut self, key: &ObjectKey, since: Mono) -> Recent {
        let known = self.objects.get_mut(key).and_then(|object| object.recent.take());
        known.unwrap_or_else(|| Recent::new(since))
    }

    pub fn keep_recent(&mut self, key: &ObjectKey, recent: Recent) {
        if let Some(object) = self.objects.get_mut(key) {
            object.recent = Some(recent);
        }
    }

    /// The object and everything that it is judged by, as of now.
    pub fn live(&mut self, key: &ObjectKey, view: &dyn Fn(&str, Region) -> SideView) -> Option<Live> {
        let grants = self.grants(self.desired(key)?, view);
        let object = self.objects.get(key).filter(|object| !object.is_gone)?;
        self.state.enter(&object.desired, &object.memory, grants.both_allow());
        let policy = self.state.policy_of(&key.namespace, &self.state.peerings.get(key)?.brief);
        Some(Live {
            desired: object.desired.clone(),
            policy,
            grants,
            claims: self.state.claims.view(key),
            limits: self.state.limits.view(key),
            memory: object.memory.clone(),
            // Nobody listens to events here.
            witness: Witness::default(),
            incident: object.incident.clone(),
            has_finalizer: object.has_finalizer,
            version: object.version.to_string().into(),
            told: object.told.clone(),
        })
    }

    /// Stores what status would hold, and takes room under the limits.
    pub fn commit(
        &mut self,
        key: &ObjectKey,
        commit: &Commit,
        now: Wall,
        view: &dyn Fn(&str, Region) -> SideView,
    ) -> Stored {
        let mut commit = commit.clone();
        if let Some(room) = commit.reserve {
            let spent = |act: Act| commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act);
            let at = spent(room.act).map_or(now, |(_, at)| *at);
            if let Err(latch) = self.state.limits.reserve(key, room, at) {
                return Stored { committed: Committed::OverLimit(latch), is_news: false };
            }
        }
        // There is nobody who could decide: the command line asks before it begins.
        let recorded: Vec<Recorded> = commit
            .needs_incidents()
            .map(|told| {
                let uid = format!("{key}/{}", told.name).into();
                (told.name.clone(), IncidentRef { uid, generation: 1 })
            })
            .collect();
        recorded.iter().for_each(|one| commit.record(one));
        let Some(object) = self.objects.get_mut(key) else {
            return Stored { committed: Committed::Conflict, is_news: false };
        };
        for (name, at) in &recorded {
            let is_drift = |told: &Incident| told.name == *name && told.class == Class::Drift;
            let seen = match commit.incidents.iter().any(is_drift) {
                true => &mut object.incident.drift,
                false => &mut object.incident.loss,
            };
            let (at, decision) = (at.clone(), Decision::default());
            *seen = IncidentSeen::Found(Found { at, is_like_ours: true, decision });
        }
        let is_news = object.memory != commit.memory || object.report.as_ref() != Some(&commit.report);
        object.version += 1;
        object.told =
            commit.report.conditions.iter().map(|c| (c.kind, (c.truth, c.reason.as_str().into()))).collect();
        object.memory = commit.memory;
        object.report = Some(commit.report);
        if commit.finalizer == Finalizer::Drop {
            object.is_gone = true;
            let version: Arc<str> = object.version.to_string().into();
            self.state.forget(key);
            return Stored { committed: Committed::Stored { version, recorded }, is_news: true };
        }
        let (desired, memory) = (object.desired.clone(), object.memory.clone());
        let version: Arc<str> = object.version.to_string().into();
        let granted = self.grants(&desired, view).both_allow();
        self.state.enter(&desired, &memory, granted);
        Stored { committed: Committed::Stored { version, recorded }, is_news }
    }
}

impl Object {
    fn new(desired: Desired, place: Place) -> Self {
        Self {
            desired,
            place,
            memory: Memory::default(),
            incident: Kinds { loss: IncidentSeen::Absent, drift: IncidentSeen::Absent },
            // It guards what is in AWS against a deletion of the object, and no manifest is deleted here.
            has_finalizer: true,
            version: 0,
            told: BTreeMap::new(),
            report: None,
            recent: None,
            is_shown: true,
            is_gone: false,
        }
    }

    /// What a cluster keeps of it. Its memory is evidence, as it is to the operator.
    fn recall(&mut self, peering: &VpcPeering, cluster: &InCluster, now: Wall) -> Result<(), RememberError> {
        let (memory, _) = remember::memory(peering.status.as_ref())?;
        let key = &self.desired.key;
        let wanted = remember::incidents_of_interest(key, &memory, now);
        let seen = |wanted: Option<remember::Wanted>| {
            let Some(remember::Wanted { name, peering }) = wanted else { return IncidentSeen::Unread };
            let object: Option<&PeeringIncident> =
                cluster.incidents.get(&ObjectKey::new(key.namespace.clone(), name));
            let found =
                object.and_then(|object| remember::incident_found(object, key, &self.desired.uid, peering));
            found.map_or(IncidentSeen::Absent, IncidentSeen::Found)
        };
        self.incident = Kinds { loss: seen(wanted.loss), drift: seen(wanted.drift) };
        let finalizers = peering.metadata.finalizers.iter().flatten();
        let has_finalizer = finalizers.into_iter().any(|finalizer| finalizer == FINALIZER_CLEANUP);
        // The operator adds it before its first write; here nothing is deleted meanwhile.
        self.has_finalizer = has_finalizer || !self.desired.deleting;
        self.told = remember::told(peering.status.as_ref());
        self.memory = memory;
        Ok(())
    }
}

fn vpc_tags(view: &SideView, vpc: VpcId) -> VpcTags {
    let found = view.vpcs.readings().find(|reading| reading.speaks_of(vpc));
    match found.map(|reading| reading.get(vpc)) {
        None => VpcTags::Unread,
        Some(None) => VpcTags::NoSuchVpc,
        Some(Some(vpc)) => VpcTags::Read(vpc.tags.clone()),
    }
}
