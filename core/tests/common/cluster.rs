//! What stands for the API server: objects with versions, finalizers and deletion, and what one object means to another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::claims;
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, Desired, ForeignRefusal, Grant, Limits, Policy, PolicySource,
    SideSpec,
};
use peerkeeper_core::ids::{AccountId, ObjectKey, PeeringId, Side, Sides, VpcPair};
use peerkeeper_core::limits;
use peerkeeper_core::memory::{Act, Memory};
use peerkeeper_core::plan::{Finalizer, Report};
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Committed, Live};
use peerkeeper_core::witness::Witness;

use super::incidents::Incidents;

pub const OWNER_ID: &str = "cluster-1";

#[derive(Clone, Debug)]
pub struct Object {
    pub key: ObjectKey,
    pub uid: Arc<str>,
    pub generation: i64,
    pub created: Wall,
    pub deleting: bool,
    pub has_finalizer: bool,
    pub sides: Sides<SideSpec>,
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    pub adoption: Adoption,
    pub deletion_policy: Option<DeletionPolicy>,
    pub suspend: bool,
    /// The name of a policy; absent: the built-in one.
    pub policy: Option<Arc<str>>,
    pub requested_at: Option<Arc<str>>,
    pub established: Option<PeeringId>,
    // Status.
    pub memory: Memory,
    pub report: Option<Report>,
    pub version: u64,
}

impl Object {
    pub fn pair(&self) -> VpcPair {
        VpcPair::new(self.sides.requester.vpc, self.sides.accepter.vpc)
    }
}

#[derive(Clone, Debug)]
pub struct Account {
    pub name: Arc<str>,
    pub id: AccountId,
    pub granted: bool,
    pub suspend: bool,
    pub allowed_peers: BTreeSet<AccountId>,
    pub limits: Option<Limits>,
    pub unusable: Option<Arc<str>>,
    /// What GetCallerIdentity says, where it is another account.
    pub answers_as: Option<AccountId>,
    /// Finalizer removals: they outlive their objects.
    pub removals: Vec<Wall>,
}

#[derive(Clone, Debug)]
pub struct Cluster {
    pub objects: BTreeMap<ObjectKey, Object>,
    pub policies: BTreeMap<Arc<str>, Policy>,
    pub accounts: BTreeMap<Arc<str>, Account>,
    pub incidents: Incidents,
    /// What was heard of calls that concern an object.
    pub witness: BTreeMap<ObjectKey, Witness>,
    pub max_restores: u32,
    pub max_removals: u32,
    /// The API server does not answer.
    pub down: bool,
    pub versions: u64,
    pub uids: u64,
    /// Commits that changed something.
    pub writes: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            policies: BTreeMap::new(),
            accounts: BTreeMap::new(),
            incidents: Incidents::default(),
            witness: BTreeMap::new(),
            max_restores: 100,
            max_removals: 100,
            down: false,
            versions: 0,
            uids: 0,
            writes: 0,
        }
    }
}

impl Cluster {
    pub fn object(&self, key: &ObjectKey) -> &Object {
        self.objects.get(key).unwrap_or_else(|| panic!("{key} does not exist"))
    }

    /// A change that a user makes: a change of the spec raises the generation.
    pub fn edit(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Object)) {
        self.change(key, |object| {
            change(object);
            object.generation += 1;
        });
    }

    pub fn edit_if(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Object)) {
        if self.objects.contains_key(key) {
            self.edit(key, change);
        }
    }

    /// A change that is none of the spec: annotations, status.
    pub fn change(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Object)) {
        self.versions += 1;
        let version = self.versions;
        let object = self.objects.get_mut(key).unwrap_or_else(|| panic!("{key} does not exist"));
        change(object);
        object.version = version;
    }

    pub fn delete(&mut self, key: &ObjectKey) {
        if self.object(key).has_finalizer {
            self.change(key, |object| object.deleting = true);
        } else {
            self.objects.remove(key);
        }
    }

    pub fn policy_of(&self, object: &Object) -> Policy {
        match &object.policy {
            None => Policy::built_in(),
            Some(name) => self.policies.get(name).cloned().unwrap_or_else(|| Policy {
                source: PolicySource::Missing(name.clone()),
                ..Policy::built_in()
            }),
        }
    }

    fn grant(&self, object: &Object, side: Side) -> Grant {
        let other = match &object.sides.get(side.peer()).account {
            AccountRef::Managed(name) => self.accounts.get(name),
            AccountRef::Foreign(_) => None,
        };
        match &object.sides.get(side).account {
            AccountRef::Managed(name) => match self.accounts.get(name) {
                None => Grant::NoAccount { name: name.clone() },
                Some(account) if !account.granted => {
                    Grant::NotGranted { name: name.clone(), account: account.id }
                }
                Some(Account { id, unusable: Some(why), .. }) => {
                    Grant::Unusable { account: *id, why: why.clone() }
                }
                Some(account) if account.suspend => Grant::Suspended(account.id),
                Some(account) => Grant::Granted(account.id),
            },
            AccountRef::Foreign(id) => {
                if let Some(known) = self.accounts.values().find(|account| account.id == *id) {
                    let why = ForeignRefusal::IsManaged { name: known.name.clone() };
                    return Grant::ForeignRefused { account: *id, why };
                }
                match other {
                    Some(other) if !other.allowed_peers.contains(id) => Grant::ForeignRefused {
                        account: *id,
                        why: ForeignRefusal::NotAllowed { by: other.name.clone() },
                    },
                    _ => Grant::Foreign(*id),
                }
            }
        }
    }

    pub fn grants(&self, object: &Object) -> Sides<Grant> {
        Sides::from_fn(|side| self.grant(object, side))
    }

    pub fn live(&self, key: &ObjectKey) -> Option<Live> {
        let object = self.objects.get(key)?;
        let told = object.report.iter().flat_map(|report| &report.conditions);
        Some(Live {
            desired: self.desired(object),
            policy: self.policy_of(object),
            grants: self.grants(object),
            claims: self.claims().view(key),
            limits: self.limits().view(key),
            memory: object.memory.clone(),
            has_finalizer: object.has_finalizer,
            witness: self.witness.get(key).cloned().unwrap_or_default(),
            incident: self.incidents.seen(key, &object.memory),
            version: object.version.to_string().into(),
            told: told.map(|c| (c.kind, (c.truth, c.reason.as_str().into()))).collect(),
        })
    }

    pub fn desired(&self, object: &Object) -> Desired {
        Desired {
            key: object.key.clone(),
            uid: object.uid.clone(),
            generation: object.generation,
            created: object.created,
            deleting: object.deleting,
            namespace_terminating: false,
            sides: object.sides.clone(),
            tags: object.tags.clone(),
            adoption: object.adoption,
            deletion_policy: object.deletion_policy,
            suspend: object.suspend,
            requested_at: object.requested_at.clone(),
            established: object.established,
            owner_id: OWNER_ID.into(),
        }
    }

    fn claims(&self) -> claims::Table {
        let mut table = claims::Table::default();
        for object in self.objects.values() {
            let may = |side: Side| self.grant(object, side).allows();
            table.set(claims::Entry {
                key: object.key.clone(),
                uid: object.uid.clone(),
                created: object.created,
                deleting: object.deleting,
                pair: object.pair(),
                granted: Side::BOTH.into_iter().all(may),
                memory: Arc::new(object.memory.clone()),
            });
        }
        table
    }

    fn limits(&self) -> limits::Table {
        let mut table = limits::Table::default();
        table.set_operator(self.max_restores, self.max_removals);
        for account in self.accounts.values() {
            table.set_account(account.id, account.limits, account.removals.clone());
        }
        for object in self.objects.values() {
            let policy = self.policy_of(object);
            let accounts = Side::BOTH.into_iter().filter_map(|side| self.account_of(object, side));
            let entry = limits::Entry {
                policy: ObjectKey::new("net", object.policy.clone().unwrap_or_else(|| "default".into())),
                limits: policy.limits,
                accounts: accounts.map(|account| account.id).collect(),
                spent: object.memory.spent.clone(),
                waiting: object.memory.waits_for(),
            };
            table.set_object(object.key.clone(), entry);
        }
        table
    }

    fn account_of(&self, object: &Object, side: Side) -> Option<&Account> {
        match &object.sides.get(side).account {
            AccountRef::Managed(name) => self.accounts.get(name),
            AccountRef::Foreign(_) => None,
        }
    }

    /// All or nothing, and only onto the version that it was computed from.
    pub fn commit(&mut self, key: &ObjectKey, commit: &Commit, now: Wall) -> Committed {
        if self.down {
            return Committed::Failed("the API server does not answer".into());
        }
        let Some(object) = self.objects.get(key) else { return Committed::Conflict };
        if commit.version.as_ref() != object.version.to_string() {
            return Committed::Conflict;
        }
        if let Some(room) = commit.reserve {
            if let Err(latch) = self.limits().reserve(key, room, now) {
                return Committed::OverLimit(latch);
            }
            self.outlive(key, room.act, now);
        }
        let mut commit = commit.clone();
        let Some(live) = self.live(key) else { return Committed::Conflict };
        let recorded = self.incidents.record(&live, &mut commit);
        let object = self.objects.get_mut(key).expect("it was found above");
        let before = (object.memory.clone(), object.report.clone(), object.has_finalizer, object.established);
        object.memory = commit.memory.clone();
        object.report = Some(commit.report.clone());
        object.established = commit.established.or(object.established);
        match commit.finalizer {
            Finalizer::Keep => {}
            Finalizer::Add => object.has_finalizer = true,
            Finalizer::Drop => object.has_finalizer = false,
        }
        let after = (object.memory.clone(), object.report.clone(), object.has_finalizer, object.established);
        if before != after {
            self.versions += 1;
            self.writes += 1;
            object.version = self.versions;
        }
        let version = object.version.to_string().into();
        if object.deleting && !object.has_finalizer {
            self.objects.remove(key);
        }
        Committed::Stored { version, recorded }
    }

    /// A finalizer's removals are counted where they outlive the object.
    fn outlive(&mut self, key: &ObjectKey, act: Act, now: Wall) {
        if act != Act::Finalize {
            return;
        }
        let object = self.object(key);
        let ids: Vec<AccountId> =
            Side::BOTH.into_iter().filter_map(|side| Some(self.account_of(object, side)?.id)).collect();
        for account in self.accounts.values_mut().filter(|account| ids.contains(&account.id)) {
            account.removals.push(now);
        }
    }
}
