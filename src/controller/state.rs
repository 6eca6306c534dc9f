//! What the process knows of the cluster: the objects as the watches last showed them, and what follows from all of
//! them together (who holds what, how much room the limits leave). Values only; nothing here waits or asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use peerkeeper_core::claims;
use peerkeeper_core::desired::{AccountRef, Desired, Grant, Policy};
use peerkeeper_core::ids::{AccountId, ObjectKey, Region, Side, Sides, VpcId};
use peerkeeper_core::limits;
use peerkeeper_core::memory::{Act, Life, Memory};
use peerkeeper_core::plan::Report;
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Wall};

use crate::api::{AwsAccount, PeeringPolicy, VpcPeering};
use crate::declare::{self, Account, VpcTags};

/// One account, by the name of its `AwsAccount`, in one Region: what one sweep reads.
pub type Place = (Arc<str>, Region);

/// Everything the watches showed, by name.
#[derive(Default)]
pub struct State {
    pub peerings: BTreeMap<ObjectKey, Known>,
    pub policies: BTreeMap<ObjectKey, Arc<PeeringPolicy>>,
    pub accounts: BTreeMap<Arc<str>, KnownAccount>,
    /// Those of `accounts` that could be read.
    pub declared: BTreeMap<Arc<str>, Account>,
    pub namespaces: BTreeMap<Arc<str>, KnownNamespace>,
    pub claims: claims::Table,
    pub limits: limits::Table,
}

/// One `VpcPeering`, as last seen.
pub struct Known {
    pub object: Arc<VpcPeering>,
    /// `Err`: what can't be read of it.
    pub desired: Result<Desired, String>,
    /// What this process did to it and can't read back yet.
    pub recent: Option<Recent>,
    /// In sync when last looked at, with nothing under way: only a change wakes it.
    pub quiet: bool,
    /// The resourceVersion of our own last write, to tell its echo.
    pub own_version: Option<String>,
    /// What was last told about it, for metrics.
    pub report: Option<Arc<Report>>,
}

pub struct KnownAccount {
    pub object: Arc<AwsAccount>,
    /// Why its credentials can't be used, as last tried.
    pub unusable: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNamespace {
    pub labels: BTreeMap<String, String>,
    pub terminating: bool,
}

impl From<&Namespace> for KnownNamespace {
    fn from(namespace: &Namespace) -> Self {
        let terminating = namespace.metadata.deletion_timestamp.is_some();
        Self { labels: namespace.labels().clone(), terminating }
    }
}

impl State {
    pub fn namespace(&self, name: &str) -> KnownNamespace {
        self.namespaces.get(name).cloned().unwrap_or_default()
    }

    /// The policy that holds for an object.
    pub fn policy_of(&self, object: &VpcPeering) -> Policy {
        let namespace: Arc<str> = object.namespace().unwrap_or_default().into();
        let find =
            |name: &str| self.policies.get(&ObjectKey { namespace: namespace.clone(), name: name.into() });
        let named = object.spec.policy_ref.as_ref().map(|reference| reference.name.as_str());
        declare::policy_for(named, named.and_then(find).map(|p| &**p), find("default").map(|p| &**p))
    }

    /// What both accounts' owners let an object do. `tags` answers with a VPC's tags as last read.
    pub fn grants(&self, desired: &Desired, tags: &dyn Fn(&str, Region, VpcId) -> VpcTags) -> Sides<Grant> {
        let health = |name: &str| self.accounts.get(name).and_then(|known| known.unusable.clone());
        let labels = self.namespaces.get(&desired.key.namespace).map(|namespace| &namespace.labels);
        declare::grants(desired, labels.unwrap_or(&BTreeMap::new()), &self.declared, &health, tags)
    }

    /// The places that a declared peering is read from.
    pub fn places_of(&self, desired: &Desired) -> BTreeSet<Place> {
        let place = |side: Side| {
            let spec = desired.sides.get(side);
            match &spec.account {
                AccountRef::Managed(name) if self.declared.contains_key(name) => {
                    Some((name.clone(), spec.region))
                }
                AccountRef::Managed(_) | AccountRef::Foreign(_) => None,
            }
        };
        Side::BOTH.into_iter().filter_map(place).collect()
    }

    /// Every place that some object needs.
    pub fn places(&self) -> BTreeSet<Place> {
        self.peerings
            .values()
            .filter_map(|known| known.desired.as_ref().ok())
            .flat_map(|d| self.places_of(d))
            .collect()
    }

    pub fn objects_at<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = (&'a ObjectKey, &'a Known)> {
        self.peerings.iter().filter(move |(_, known)| {
            known.desired.as_ref().is_ok_and(|desired| {
                Side::BOTH.into_iter().any(|side| {
                    let spec = desired.sides.get(side);
                    spec.region == place.1 && spec.account == AccountRef::Managed(place.0.clone())
                })
            })
        })
    }

    pub fn objects_using<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a ObjectKey> {
        self.peerings.iter().filter_map(move |(key, known)| {
            let spec = &known.object.spec;
            let names = [spec.requester.account.name.as_deref(), spec.accepter.account.name.as_deref()];
            names.contains(&Some(account)).then_some(key)
        })
    }

    /// The names of the `AwsAccount`s that an object uses.
    pub fn accounts_of(&self, key: &ObjectKey) -> Vec<Arc<str>> {
        let Some(known) = self.peerings.get(key) else { return Vec::new() };
        let spec = &known.object.spec;
        let names = [spec.requester.account.name.as_deref(), spec.accepter.account.name.as_deref()];
        names.into_iter().flatten().map(Arc::from).collect()
    }

    /// Enters an object, as just read or just stored, into what holds across objects.
    pub fn enter(&mut self, desired: &Desired, memory: &Memory, granted: bool) {
        self.claims.set(claims::Entry {
            key: desired.key.clone(),
            uid: desired.uid.clone(),
            created: desired.created,
            deleting: desired.deleting,
            pair: desired.pair(),
            granted,
            memory: Arc::new(memory.clone()),
        });
        let policy = self.peerings.get(&desired.key).map(|known| self.policy_of(&known.object));
        let limits = policy.map(|policy| policy.limits).unwrap_or_default();
        // Objects under the built-in policy share its limits by namespace.
        let built_in = || ObjectKey { namespace: desired.key.namespace.clone(), name: "".into() };
        let policy_key = self.policy_key(&desired.key).unwrap_or_else(built_in);
        self.limits.set_object(
            desired.key.clone(),
            limits::Entry {
                policy: policy_key,
                limits,
                accounts: self.account_ids(desired),
                spent: memory.spent.clone(),
                waiting: waiting(memory),
            },
        );
    }

    /// The policy whose limits an object shares; `None`: the built-in one.
    pub fn policy_key(&self, key: &ObjectKey) -> Option<ObjectKey> {
        let named = self.peerings.get(key).and_then(|known| known.object.spec.policy_ref.as_ref());
        let name: Arc<str> =
            named.map_or_else(|| "default".into(), |reference| reference.name.as_str().into());
        let policy = ObjectKey { namespace: key.namespace.clone(), name };
        self.policies.contains_key(&policy).then_some(policy)
    }

    pub fn account_ids(&self, desired: &Desired) -> Vec<AccountId> {
        let id = |side: Side| match &desired.sides.get(side).account {
            AccountRef::Managed(name) => self.declared.get(name).map(|account| account.account),
            AccountRef::Foreign(_) => None,
        };
        let ids: BTreeSet<AccountId> = Side::BOTH.into_iter().filter_map(id).collect();
        ids.into_iter().collect()
    }

    pub fn forget(&mut self, key: &ObjectKey) {
        self.peerings.remove(key);
        self.claims.remove(key);
        self.limits.remove_object(key);
    }

    /// Nothing this process did before it led counts any more: every remembered id counts as written now.
    pub fn begin_to_lead(&mut self) {
        for known in self.peerings.values_mut() {
            known.recent = None;
            known.quiet = false;
        }
    }
}

/// The act that an open loss waits for, if it has not been begun.
fn waiting(memory: &Memory) -> Option<Act> {
    use peerkeeper_core::desired::LossAction;
    use peerkeeper_core::memory::LossClass;
    let episode = memory.episode.as_ref().filter(|episode| episode.acted.is_none())?;
    let is_lost = matches!(memory.life, Life::Established(id) if id == episode.lost);
    match (episode.class, episode.action) {
        (LossClass::Unexpected, LossAction::Restore) if is_lost => Some(Act::Restore),
        (LossClass::Decommissioning, _) | (_, LossAction::Flag | LossAction::Restore) => None,
        (_, LossAction::RemoveRoutes) => is_lost.then_some(Act::RemoveRoutes),
    }
}

/// Timestamps of removals kept in `AwsAccount.status`, which outlives the objects that were removed.
pub fn removals_of(account: &AwsAccount) -> Vec<Wall> {
    crate::remember::removals(account.status.as_ref())
}

/// A fresh start for an object that this process has not worked on yet.
pub fn recent_or_new(known: Option<&mut Known>, since: Mono) -> Recent {
    known.and_then(|known| known.recent.take()).unwrap_or_else(|| Recent::new(since))
}
