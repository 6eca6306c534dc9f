//! What stands for the API server: objects with versions, finalizers and deletion, and what one object means to another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::claims::{ClaimsView, Heir, Holder, PairClaim};
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, Desired, ForeignRefusal, Grant, Limits, LossAction, Policy,
    PolicySource, SideSpec,
};
use peerkeeper_core::ids::{AccountId, ObjectKey, PeeringId, Side, Sides, VpcPair};
use peerkeeper_core::limits::{Level, LevelView, LimitsView};
use peerkeeper_core::memory::{Act, LossClass, Memory};
use peerkeeper_core::plan::{Finalizer, Report};
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Committed, Live};

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
    pub removals: BTreeMap<Arc<str>, Wall>,
}

#[derive(Clone, Debug)]
pub struct Cluster {
    pub objects: BTreeMap<ObjectKey, Object>,
    pub policies: BTreeMap<Arc<str>, Policy>,
    pub accounts: BTreeMap<Arc<str>, Account>,
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
            claims: self.claims(object),
            limits: self.limits(object),
            memory: object.memory.clone(),
            has_finalizer: object.has_finalizer,
            version: object.version.to_string().into(),
            told: told.map(|c| (c.kind, (c.truth, c.reason.as_str().into()))).collect(),
        })
    }

    fn desired(&self, object: &Object) -> Desired {
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

    fn claims(&self, object: &Object) -> ClaimsView {
        let others = || self.objects.values().filter(|other| other.key != object.key);
        let same_pair = |other: &&Object| other.pair() == object.pair();
        // An object that leaves, and whose memory was taken over, holds nothing any more.
        let handed_over = |o: &Object| {
            o.deleting && self.objects.values().any(|heir| heir.memory.taken_from.as_ref() == Some(&o.uid))
        };
        let rank = |o: &Object| (handed_over(o), !o.memory.holds_pair(), o.created, o.key.clone());
        let best = others().filter(same_pair).min_by_key(|other| rank(other));
        let pair = match best {
            Some(other) if rank(other) < rank(object) => PairClaim::Other(Holder {
                key: other.key.clone(),
                uid: other.uid.clone(),
                by_memory: other.memory.holds_pair(),
                leaving: other.deleting,
                memory: Box::new(other.memory.clone()),
            }),
            _ => PairClaim::Mine,
        };
        let heir = others().filter(same_pair).find(|other| {
            let granted =
                |side: Side| matches!(self.grant(other, side), Grant::Granted(_) | Grant::Foreign(_));
            !other.deleting && Side::BOTH.into_iter().all(granted)
        });
        let slots = others()
            .filter(|other| rank(other) < rank(object) || !other.memory.slots.is_empty())
            .filter(|other| !same_pair(other))
            .flat_map(|other| {
                let key = other.key.clone();
                let held = other.memory.slots.keys().map(|slot| (slot.table, slot.destination));
                held.map(move |slot| (slot, key.clone()))
            })
            .filter(|((table, destination), _)| {
                let own = |slot: &peerkeeper_core::ids::Slot| (slot.table, slot.destination);
                !object.memory.slots.keys().any(|slot| own(slot) == (*table, *destination))
            })
            .collect();
        ClaimsView {
            pair,
            slots,
            same_pair: others().filter(same_pair).map(|other| other.key.clone()).collect(),
            heir: heir.filter(|_| object.deleting).map(|other| Heir {
                key: other.key.clone(),
                has_taken: other.memory.taken_from.as_ref() == Some(&object.uid),
            }),
        }
    }

    fn limits(&self, object: &Object) -> LimitsView {
        let mut levels = vec![self.level(
            Level::Policy,
            self.policy_of(object).limits,
            |other| other.policy == object.policy,
            &BTreeMap::new(),
        )];
        for side in Side::BOTH {
            let AccountRef::Managed(name) = &object.sides.get(side).account else { continue };
            let Some(account) = self.accounts.get(name) else { continue };
            let Some(limits) = account.limits else { continue };
            let uses = |other: &Object| {
                Side::BOTH
                    .into_iter()
                    .any(|s| other.sides.get(s).account == AccountRef::Managed(name.clone()))
            };
            levels.push(self.level(Level::Account(account.id), limits, uses, &account.removals));
        }
        let operator =
            Limits { max_restores: self.max_restores, max_removals: self.max_removals, ..Limits::default() };
        let removals = self.accounts.values().flat_map(|account| account.removals.clone()).collect();
        levels.push(self.level(Level::Operator, operator, |_| true, &removals));
        LimitsView { levels }
    }

    fn level(
        &self,
        level: Level,
        limits: Limits,
        under: impl Fn(&Object) -> bool,
        outlived: &BTreeMap<Arc<str>, Wall>,
    ) -> LevelView {
        let all: Vec<&Object> = self.objects.values().filter(|object| under(object)).collect();
        let spent = |wanted: &[Act]| {
            let acts = all.iter().flat_map(|object| &object.memory.spent);
            acts.filter(|(act, _)| wanted.contains(act)).map(|(_, at)| *at).collect::<Vec<_>>()
        };
        let alive = |uid: &Arc<str>| all.iter().any(|object| object.uid == *uid);
        let demand = |action: LossAction| {
            let waits = |object: &&&Object| {
                let open = object.memory.episode.as_ref();
                open.is_some_and(|e| e.acted.is_none() && e.class == LossClass::Unexpected)
                    && !object.deleting
                    && self.policy_of(object).action == action
            };
            u32::try_from(all.iter().filter(waits).count()).unwrap_or(u32::MAX)
        };
        let mut removed = spent(&[Act::RemoveRoutes, Act::Finalize]);
        removed.extend(outlived.iter().filter(|(uid, _)| !alive(uid)).map(|(_, at)| *at));
        LevelView {
            level,
            window_s: limits.window_s,
            max_restores: limits.max_restores,
            max_removals: limits.max_removals,
            restores: spent(&[Act::Restore, Act::RepairDrift]),
            removals: removed,
            demand_restores: demand(LossAction::Restore),
            demand_removals: demand(LossAction::RemoveRoutes),
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
        if let Some(act) = commit.reserve {
            if let Err(latch) = self.limits(object).admit(act, now) {
                return Committed::OverLimit(latch);
            }
            self.outlive(key, act, now);
        }
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
        Committed::Stored { version }
    }

    /// A finalizer's removals are counted where they outlive the object.
    fn outlive(&mut self, key: &ObjectKey, act: Act, now: Wall) {
        if act != Act::Finalize {
            return;
        }
        let names: Vec<Arc<str>> = Side::BOTH
            .into_iter()
            .filter_map(|side| match &self.object(key).sides.get(side).account {
                AccountRef::Managed(name) => Some(name.clone()),
                AccountRef::Foreign(_) => None,
            })
            .collect();
        let uid = self.object(key).uid.clone();
        for (name, account) in &mut self.accounts {
            if names.contains(name) {
                account.removals.insert(uid.clone(), now);
            }
        }
    }
}
