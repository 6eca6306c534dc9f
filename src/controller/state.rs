//! What the process knows of the cluster: the objects as the watches last showed them, and what follows from all of
//! them together (who holds what, how much room the limits leave). Values only; nothing here waits or asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use peerkeeper_core::claims;
use peerkeeper_core::desired::{AccountRef, Desired, Grant, Limits, Policy};
use peerkeeper_core::ids::{AccountId, ObjectKey, Region, Side, Sides, VpcId};
use peerkeeper_core::limits;
use peerkeeper_core::memory::Memory;
use peerkeeper_core::misuse;
use peerkeeper_core::plan::{Report, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Wall};
use peerkeeper_core::witness::{self, Concern};

use super::incidents::Kept;
use crate::api::{AwsAccount, PeeringPolicy, VpcPeering};
use crate::aws::AccountConfig;
use crate::declare::{self, Account, AccountLimits, VpcTags};

/// One account, by the name of its `AwsAccount`, in one Region: what one sweep reads.
pub type Place = (Arc<str>, Region);

/// How to get into it, for the AWS room.
pub fn access(account: &Account) -> AccountConfig {
    AccountConfig {
        name: account.name.clone(),
        uid: account.uid.clone(),
        generation: account.generation,
        account_id: account.account,
        role_arn: account.role_arn.clone(),
        external_id: account.external_id.clone(),
    }
}

/// Everything the watches showed, by name.
#[derive(Default)]
pub struct State {
    pub peerings: BTreeMap<ObjectKey, Known>,
    /// Those that could not be read when last shown, and why.
    pub unparsable: BTreeMap<ObjectKey, String>,
    pub policies: BTreeMap<ObjectKey, Arc<PeeringPolicy>>,
    pub accounts: BTreeMap<Arc<str>, KnownAccount>,
    /// Those of `accounts` that could be read.
    pub declared: BTreeMap<Arc<str>, Account>,
    pub namespaces: BTreeMap<Arc<str>, KnownNamespace>,
    pub incidents: BTreeMap<ObjectKey, Kept>,
    pub claims: claims::Table,
    /// Whom other people's calls concern.
    pub index: witness::Index,
    pub limits: limits::Table,
    /// Our own calls that end something, of all objects, gone ones too.
    pub book: misuse::Book,
    /// By AwsAccount: somebody else's call with our credentials that was found, and that the object does not show yet.
    pub found: BTreeMap<Arc<str>, Arc<str>>,
}

/// One `VpcPeering`, as last seen.
pub struct Known {
    pub brief: Brief,
    /// `Err`: what can't be read of it.
    pub desired: Result<Desired, String>,
    /// What this process did to it and can't read back yet.
    pub recent: Option<Recent>,
    /// In sync when last looked at, with nothing under way: only a change wakes it.
    pub quiet: bool,
    /// The resourceVersion of our own last write, to tell its echo.
    pub own_version: Option<String>,
    /// What was last told about it.
    pub told: Option<Told>,
}

/// As much of the last report as is asked for between turns: there are thousands of them.
#[derive(Clone, Copy)]
pub struct Told {
    pub ready: Option<(Truth, Reason)>,
    pub has_loss: bool,
}

impl From<&Report> for Told {
    fn from(report: &Report) -> Self {
        let ready = report.condition(ConditionType::Ready).map(|ready| (ready.truth, ready.reason));
        Self { ready, has_loss: report.loss.is_some() }
    }
}

/// What is asked of an object between turns, beside what it declares. Each turn reads the object itself anew, and its memory
/// is in `claims`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    pub uid: Option<Box<str>>,
    pub version: Option<Box<str>>,
    /// The policy that it names.
    pub policy: Option<Box<str>>,
    /// The names of the `AwsAccount`s that it uses.
    pub accounts: Sides<Option<Box<str>>>,
}

impl Brief {
    pub fn of(object: &VpcPeering) -> Self {
        let boxed = |text: &Option<String>| text.as_deref().map(Box::from);
        let spec = &object.spec;
        Self {
            uid: boxed(&object.metadata.uid),
            version: boxed(&object.metadata.resource_version),
            policy: spec.policy_ref.as_ref().map(|reference| reference.name.as_str().into()),
            accounts: Sides::new(boxed(&spec.requester.account.name), boxed(&spec.accepter.account.name)),
        }
    }

    pub fn account_names(&self) -> impl Iterator<Item = &str> {
        Side::BOTH.into_iter().filter_map(|side| self.accounts.get(side).as_deref())
    }
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

    /// The policy that holds for an object, as strict at least as the accounts of both sides ask.
    pub fn policy_of(&self, namespace: &Arc<str>, brief: &Brief) -> Policy {
        let find =
            |name: &str| self.policies.get(&ObjectKey { namespace: namespace.clone(), name: name.into() });
        let named = brief.policy.as_deref();
        let policy =
            declare::policy_for(named, named.and_then(find).map(|p| &**p), find("default").map(|p| &**p));
        let accounts = brief.account_names().filter_map(|name| self.declared.get(name));
        declare::with_floors(policy, accounts)
    }

    /// What both accounts' owners let an object do. `tags` answers with a VPC's tags as last read.
    pub fn grants(&self, desired: &Desired, tags: &dyn Fn(&str, Region, VpcId) -> VpcTags) -> Sides<Grant> {
        let health = |name: &str| self.accounts.get(name).and_then(|known| known.unusable.clone());
        let labels = self.namespaces.get(&desired.key.namespace).map(|namespace| &namespace.labels);
        let empty = BTreeMap::new();
        let grants = declare::grants(desired, labels.unwrap_or(&empty), &self.declared, &health, tags);
        self.less_misused(grants)
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
        let uses = move |known: &Known| known.brief.account_names().any(|name| name == account);
        self.peerings.iter().filter(move |(_, known)| uses(known)).map(|(key, _)| key)
    }

    /// The names of the `AwsAccount`s that an object uses.
    pub fn accounts_of(&self, key: &ObjectKey) -> Vec<Arc<str>> {
        let Some(known) = self.peerings.get(key) else { return Vec::new() };
        known.brief.account_names().map(Arc::from).collect()
    }

    /// What all `AwsAccount`s of one AWS account say together: none of them loosens what another limits, and what was
    /// noted on any of them counts.
    pub fn limit_account(&mut self, id: AccountId) {
        let of_id = || self.declared.iter().filter(|(_, account)| account.account == id);
        let limits = of_id().filter_map(|(_, account)| account.limits).map(limits_of).reduce(strictest);
        let statuses = of_id().filter_map(|(name, _)| self.accounts.get(name)?.object.status.as_ref());
        let removals = crate::remember::removals_of_all(statuses);
        self.limits.set_account(id, limits, removals);
    }

    /// Removals noted on all accounts, by the policy that each counts under. An object with a side in two accounts is noted
    /// in both and counts once.
    pub fn removals_by_policy(&self) -> BTreeMap<ObjectKey, Vec<Wall>> {
        let statuses = self.accounts.values().filter_map(|known| known.object.status.as_ref());
        let mut once: BTreeMap<&str, (ObjectKey, Wall)> = BTreeMap::new();
        for spent in statuses.flat_map(|status| &status.removals) {
            let at = Wall(spent.at.as_second());
            // Under the built-in policy objects share its limits by namespace.
            let namespace = spent.object.split('/').next().unwrap_or_default();
            let policy =
                spent.policy.as_deref().and_then(|policy| policy.split_once('/')).unwrap_or((namespace, ""));
            once.insert(
                spent.uid.as_deref().unwrap_or(&spent.object),
                (ObjectKey::new(policy.0, policy.1), at),
            );
        }
        let mut by_policy: BTreeMap<ObjectKey, Vec<Wall>> = BTreeMap::new();
        for (policy, at) in once.into_values() {
            by_policy.entry(policy).or_default().push(at);
        }
        by_policy
    }

    /// Enters an object, as just read or just stored, into what holds across objects. True if that may decide anew who
    /// holds its pair.
    pub fn enter(&mut self, desired: &Desired, memory: &Memory, granted: bool) -> bool {
        // Deleted meanwhile: a turn that was still under way must not bring back claims that nobody would ever end.
        if !self.peerings.contains_key(&desired.key) {
            return false;
        }
        self.index.set(&desired.key, Concern::of(desired.pair(), memory));
        self.book.learn(self.account_ids(desired), &memory.own, misuse::OWN_MAX);
        let before = self.claims.get(&desired.key).map(bears_on_pair);
        self.claims.set(claims::Entry {
            key: desired.key.clone(),
            uid: desired.uid.clone(),
            created: desired.created,
            deleting: desired.deleting,
            pair: desired.pair(),
            granted,
            memory: Arc::new(memory.clone()),
        });
        let known = self.peerings.get(&desired.key);
        let policy = known.map(|known| self.policy_of(&desired.key.namespace, &known.brief));
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
                waiting: memory.waits_for(),
            },
        );
        if memory.episode.is_some() {
            // The loss is known now, and memory says what it waits for, if for anything: one that nothing will be done
            // about is no demand.
            self.limits.expect_nothing(&desired.key);
        }
        before != self.claims.get(&desired.key).map(bears_on_pair)
    }

    /// The same, where not the object changed but its policy, its accounts or what they grant. True as for [`Self::enter`].
    pub fn enter_again(&mut self, key: &ObjectKey, granted: bool) -> bool {
        let desired = self.peerings.get(key).and_then(|known| known.desired.clone().ok());
        // One that was never entered has no memory that could be read; a turn will say so.
        let memory = self.claims.get(key).map(|entry| entry.memory.clone());
        match (desired, memory) {
            (Some(desired), Some(memory)) => self.enter(&desired, &memory, granted),
            _ => false,
        }
    }

    /// The policy whose limits an object shares; `None`: the built-in one.
    pub fn policy_key(&self, key: &ObjectKey) -> Option<ObjectKey> {
        let named = self.peerings.get(key).and_then(|known| known.brief.policy.as_deref());
        let name: Arc<str> = named.unwrap_or("default").into();
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
        self.unparsable.remove(key);
        self.claims.remove(key);
        self.index.remove(key);
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

/// Of an object, what others of its pair go by.
fn bears_on_pair(entry: &claims::Entry) -> (Arc<str>, bool, bool, bool, Option<Arc<str>>) {
    let claims::Entry { uid, deleting, granted, memory, .. } = entry;
    (uid.clone(), *deleting, *granted, memory.holds_pair(), memory.taken_from.clone())
}

/// What an account does not limit is limited elsewhere.
fn limits_of(limits: AccountLimits) -> Limits {
    Limits {
        window_s: limits.window_s,
        max_restores: limits.max_restores.unwrap_or(u32::MAX),
        max_removals: limits.max_removals.unwrap_or(u32::MAX),
        max_restores_per_peering: limits.max_restores_per_peering.unwrap_or(u32::MAX),
    }
}

/// As strict as both: the fewest acts, in the longest window.
fn strictest(one: Limits, other: Limits) -> Limits {
    Limits {
        window_s: one.window_s.max(other.window_s),
        max_restores: one.max_restores.min(other.max_restores),
        max_removals: one.max_removals.min(other.max_removals),
        max_restores_per_peering: one.max_restores_per_peering.min(other.max_restores_per_peering),
    }
}

/// A fresh start for an object that this process has not worked on yet.
pub fn recent_or_new(known: Option<&mut Known>, since: Mono) -> Recent {
    known.and_then(|known| known.recent.take()).unwrap_or_else(|| Recent::new(since))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
pub(super) mod tests {
    use super::*;
    use peerkeeper_core::desired::LossAction;
    use peerkeeper_core::memory::{Act, Episode, Life, LossClass};
    use peerkeeper_core::observed::Ending;
    use serde_json::json;

    pub fn desired() -> Desired {
        declare::desired(&object(), false, "cluster-1").unwrap()
    }

    fn object() -> VpcPeering {
        let side =
            |region: &str, vpc: &str| json!({"account": {"name": "prod"}, "region": region, "vpcId": vpc});
        let object = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
            "metadata": {
                "namespace": "net", "name": "hub", "uid": "u1", "generation": 1, "resourceVersion": "1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {
                "requester": side("eu-west-1", "vpc-0a1b2c3d4e5f60789"),
                "accepter": side("us-east-1", "vpc-0fedcba9876543210"),
            },
        });
        serde_json::from_value(object).unwrap()
    }

    /// One that the watches have shown.
    fn knowing(desired: &Desired) -> State {
        let known = Known {
            brief: Brief::of(&object()),
            desired: Ok(desired.clone()),
            recent: None,
            quiet: false,
            own_version: None,
            told: None,
        };
        State { peerings: [(desired.key.clone(), known)].into(), ..State::default() }
    }

    fn lost(class: LossClass) -> Memory {
        let id = "pcx-0123456789abcdef0".parse().unwrap();
        let episode = Episode {
            lost: id,
            ending: Ending::Deleted,
            class,
            detected: Wall(1),
            message: "".into(),
            by_account: None,
            routes: 1,
            action: LossAction::Restore,
            acted: None,
            latched: None,
        };
        Memory { life: Life::Established(id), episode: Some(episode), ..Memory::default() }
    }

    #[test]
    fn a_loss_that_nothing_will_be_done_about_is_no_demand_once_it_is_flagged() {
        let desired = desired();
        let demand = |state: &State| state.limits.view(&desired.key).levels[0].demand_restores;
        for (action, expected) in
            [(LossAction::Restore, 1), (LossAction::RemoveRoutes, 0), (LossAction::Flag, 0)]
        {
            let mut state = knowing(&desired);
            state.enter(&desired, &Memory::default(), true);
            state.limits.expect(&desired.key, Act::Restore);
            assert_eq!(demand(&state), 1, "a sweep has shown it");
            let mut memory = lost(LossClass::Unexpected);
            memory.episode.iter_mut().for_each(|episode| episode.action = action);
            state.enter(&desired, &memory, true);
            assert_eq!(demand(&state), expected, "{action:?}");
        }
    }

    fn admit(state: &mut State, name: &str, spec: serde_json::Value) {
        let object: AwsAccount = serde_json::from_value(json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount",
            "metadata": {"name": name, "uid": name, "generation": 1}, "spec": spec,
        }))
        .unwrap();
        let account = declare::account(&object).unwrap();
        let id = account.account;
        state.declared.insert(name.into(), account);
        state.accounts.insert(name.into(), KnownAccount { object: Arc::new(object), unusable: None });
        state.limit_account(id);
    }

    #[test]
    fn of_two_objects_for_one_aws_account_neither_loosens_what_the_other_limits() {
        let desired = desired();
        let mut state = knowing(&desired);
        let limited = json!({"accountId": "111122223333", "limits": {"window": "2h", "maxRestores": 0}});
        admit(&mut state, "prod", limited);
        admit(&mut state, "other", json!({"accountId": "111122223333", "limits": {"maxRemovals": 5}}));
        admit(&mut state, "third", json!({"accountId": "111122223333"}));
        state.enter(&desired, &Memory::default(), true);
        let of_account = |state: &State| {
            let levels = state.limits.view(&desired.key).levels;
            let level = levels.into_iter().find(|level| matches!(level.level, limits::Level::Account(_)));
            level.map(|level| (level.window_s, level.max_restores, level.max_removals))
        };
        assert_eq!(of_account(&state), Some((7200, 0, 5)));
        for name in ["prod", "other"] {
            state.declared.remove(name);
            state.accounts.remove(name);
            state.limit_account("111122223333".parse().unwrap());
        }
        assert_eq!(of_account(&state), None, "what is gone limits nothing");
    }

    /// Its watch may show an account after the objects that use it, as at every start.
    #[test]
    fn an_account_that_is_shown_later_counts_for_those_that_were_there_before() {
        let desired = desired();
        let mut state = knowing(&desired);
        state.enter(&desired, &Memory::default(), false);
        state.limits.expect(&desired.key, Act::Restore);
        admit(&mut state, "prod", json!({"accountId": "111122223333", "limits": {"maxRestores": 0}}));
        let demand = |state: &State| {
            let levels = state.limits.view(&desired.key).levels;
            let of_account = levels.iter().find(|level| matches!(level.level, limits::Level::Account(_)));
            of_account.map(|level| level.demand_restores)
        };
        assert_eq!(demand(&state), None);
        assert!(state.enter_again(&desired.key, true), "it may act now");
        assert_eq!(demand(&state), Some(1));
        assert!(state.claims.get(&desired.key).is_some_and(|entry| entry.granted));
        assert!(state.enter_again(&desired.key, false), "it may not any more");
        assert!(!state.enter_again(&ObjectKey::new("net", "other"), true), "nobody knows it");
    }

    #[test]
    fn others_of_the_pair_hear_of_what_decides_who_holds_it_and_of_nothing_else() {
        let desired = desired();
        let mut state = knowing(&desired);
        assert!(state.enter(&desired, &Memory::default(), true), "it is new");
        assert!(!state.enter(&desired, &Memory::default(), true));
        let spent = Memory { spent: vec![(Act::Restore, Wall(1))], ..Memory::default() };
        assert!(!state.enter(&desired, &spent, true));
        assert!(state.enter(&desired, &spent, false), "its grant was withdrawn");
        assert!(state.enter(&desired, &lost(LossClass::Unexpected), false), "it holds the pair now");
        let deleted = Desired { deleting: true, ..desired };
        assert!(state.enter(&deleted, &lost(LossClass::Unexpected), false));
        state.forget(&deleted.key);
        assert!(!state.enter(&deleted, &lost(LossClass::Unexpected), false), "it is gone");
        assert!(state.claims.get(&deleted.key).is_none());
    }
}
