//! One task per kind of object, each with its own connection and backoff, so that one that fails delays none of the
//! others. They keep [`State`] as the API server last showed it and say which objects are concerned.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ObjectMeta};
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Resource, ResourceExt};
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::recent::Recent;
use serde::de::DeserializeOwned;

use super::cluster::key_of;
use super::incidents;
use super::misuse;
use super::shell::Shell;
use super::state::{Brief, Known, KnownAccount, KnownNamespace, State, access};
use crate::api::{AwsAccount, PeeringIncident, PeeringPolicy, VpcPeering};
use crate::aws::clock;
use crate::declare;

/// An idle watch dies silently behind a load balancer: it is begun anew more often than those give up.
const WATCH_TIMEOUT_S: u32 = 200;
/// A watch that neither showed anything nor failed for this long has a dead connection that nobody noticed.
const WATCH_DEAD_MS: u64 = 3 * 1000 * WATCH_TIMEOUT_S as u64;

/// Whether a watch is alive and has shown everything once.
#[derive(Default)]
pub struct Pulse {
    last: AtomicU64,
    listed: std::sync::atomic::AtomicBool,
}

impl Pulse {
    fn beat(&self) {
        self.last.store(clock::now().0, Ordering::Relaxed);
    }

    pub fn has_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    pub fn silent_ms(&self) -> u64 {
        clock::now().0.saturating_sub(self.last.load(Ordering::Relaxed))
    }
}

/// The watches' pulses.
#[derive(Default)]
pub struct Pulses {
    pub peerings: Pulse,
    pub policies: Pulse,
    pub accounts: Pulse,
    pub namespaces: Pulse,
    pub incidents: Pulse,
}

impl Pulses {
    fn all(&self) -> [(&'static str, &Pulse); 5] {
        [
            ("vpcpeerings", &self.peerings),
            ("peeringpolicies", &self.policies),
            ("awsaccounts", &self.accounts),
            ("namespaces", &self.namespaces),
            ("peeringincidents", &self.incidents),
        ]
    }

    pub fn not_listed(&self) -> Vec<&'static str> {
        self.all().into_iter().filter(|(_, pulse)| !pulse.has_listed()).map(|(name, _)| name).collect()
    }

    /// Watches from which nothing was heard, not even that they were begun anew.
    pub fn dead(&self) -> Vec<&'static str> {
        self.all()
            .into_iter()
            .filter(|(_, pulse)| pulse.has_listed() && pulse.silent_ms() > 2 * WATCH_DEAD_MS)
            .map(|(name, _)| name)
            .collect()
    }

    pub fn is_whole(&self) -> bool {
        self.not_listed().is_empty()
    }
}

fn stream<K>(api: Api<K>) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = watcher::Config::default().timeout(WATCH_TIMEOUT_S);
    watch(api, config).default_backoff()
}

/// Runs one watch for ever. `apply` and `delete` enter what is shown; what a new listing lacks was deleted meanwhile.
async fn follow<K, I>(
    name: &'static str,
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
    pulse: &Pulse,
    id_of: impl Fn(&K) -> I,
    mut apply: impl FnMut(K),
    mut delete: impl FnMut(&I),
) where
    I: Ord + Clone,
{
    futures::pin_mut!(events);
    let (mut known, mut listing): (BTreeSet<I>, BTreeSet<I>) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let next = tokio::time::timeout(std::time::Duration::from_millis(WATCH_DEAD_MS), events.next()).await;
        let event = match next {
            // Idle: the watch is begun anew underneath, and would have failed loudly.
            Err(_) => {
                pulse.beat();
                continue;
            }
            Ok(None) => return,
            Ok(Some(event)) => event,
        };
        match event {
            Ok(event) => {
                pulse.beat();
                match event {
                    Event::Init => listing.clear(),
                    Event::InitApply(object) => {
                        listing.insert(id_of(&object));
                        apply(object);
                    }
                    Event::InitDone => {
                        for gone in known.difference(&listing) {
                            delete(gone);
                        }
                        known = std::mem::take(&mut listing);
                        pulse.listed.store(true, Ordering::Relaxed);
                    }
                    Event::Apply(object) => {
                        known.insert(id_of(&object));
                        apply(object);
                    }
                    Event::Delete(object) => {
                        let id = id_of(&object);
                        known.remove(&id);
                        delete(&id);
                    }
                }
            }
            Err(error) => tracing::warn!(watch = name, %error, "the watch failed; it is begun again"),
        }
    }
}

pub async fn peerings(shell: Arc<Shell>) {
    let api: Api<DeserializeGuard<VpcPeering>> = Api::all(shell.cluster.client().clone());
    let id_of = |guard: &DeserializeGuard<VpcPeering>| {
        guard_key(guard.0.as_ref().map(|o| &o.metadata).map_err(|e| &e.metadata))
    };
    let apply = |guard: DeserializeGuard<VpcPeering>| apply_peering(&shell, guard);
    let delete = |key: &ObjectKey| {
        let neighbours = {
            let mut state = shell.state();
            let neighbours = state.claims.neighbours_of(key);
            state.forget(key);
            neighbours
        };
        // Woken before, they might look while it still holds what they wait for.
        for neighbour in neighbours {
            shell.enqueue(&neighbour, Urgency::Hint);
        }
        shell.dequeue(key);
        shell.events.forget(key);
        super::accounts::enqueue_deleted(&shell);
    };
    follow("vpcpeerings", stream(api), &shell.pulses.peerings, id_of, apply, delete).await;
}

/// The key of an object, whether or not the rest of it could be parsed.
fn guard_key(metadata: Result<&ObjectMeta, &ObjectMeta>) -> ObjectKey {
    let (Ok(metadata) | Err(metadata)) = metadata;
    ObjectKey::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

fn apply_peering(shell: &Arc<Shell>, guard: DeserializeGuard<VpcPeering>) {
    let object = match guard.0 {
        Ok(object) => object,
        Err(invalid) => {
            let key = guard_key(Err(&invalid.metadata));
            // Its memory stays where it is, and so do its claims: only the declaration can't be read.
            shell.clone().report_unparsable(key, invalid.error);
            return;
        }
    };
    let key = key_of(&object);
    let version = object.resource_version();
    let (changed, is_new) = {
        let mut state = shell.state();
        state.unparsable.remove(&key);
        let terminating = state.namespace(&key.namespace).terminating;
        let desired =
            declare::desired(&object, terminating, &shell.owner_id).map_err(|error| error.to_string());
        // Another object of the same name is another object: what was done to the old one is not its past.
        let brief = Brief::of(&object);
        let before = state.peerings.remove(&key).filter(|known| known.brief.uid == brief.uid);
        // The echo of our own write, or what a new listing shows again.
        let is_echo = version.is_some()
            && before
                .as_ref()
                .is_some_and(|known| known.own_version == version || known.brief.version == brief.version);
        let is_new = before.is_none();
        let (recent, quiet, own_version, told) = match before {
            Some(known) => (known.recent, known.quiet, known.own_version, known.told),
            None => (Some(first_seen()), false, None, None),
        };
        let entered = desired.clone();
        let memory = crate::remember::memory(object.status.as_ref());
        state.peerings.insert(key.clone(), Known { brief, desired, recent, quiet, own_version, told });
        if let (Ok(desired), Ok((memory, _))) = (entered, memory) {
            let granted = shell.is_granted(&state, &desired);
            let (accounts, established) = (state.account_ids(&desired), desired.established.is_some());
            state.learn_own_calls(accounts, &memory, established && granted, clock::wall());
            let _ = state.enter(&desired, &memory, granted);
        }
        (!is_echo, is_new)
    };
    if changed {
        shell.enqueue(&key, Urgency::Hint);
        shell.wake_others_of(&key);
    }
    if is_new {
        shell.replan_sweeps();
        let accounts: Vec<Arc<str>> = shell.state().accounts_of(&key);
        for name in accounts {
            shell.account_work.notify(name);
        }
    }
}

/// Of an object that is new to this process everything that it names counts as written now: restored from a backup, it may
/// name what this process made a moment ago for another of its name, after the sweeps that would prove it absent.
fn first_seen() -> Recent {
    Recent::new(clock::now())
}

pub async fn policies(shell: Arc<Shell>) {
    let api: Api<DeserializeGuard<PeeringPolicy>> = Api::all(shell.cluster.client().clone());
    let id_of = |guard: &DeserializeGuard<PeeringPolicy>| {
        guard_key(guard.0.as_ref().map(|o| &o.metadata).map_err(|e| &e.metadata))
    };
    let apply = |guard: DeserializeGuard<PeeringPolicy>| match guard.0 {
        Ok(object) => {
            let key = key_of(&object);
            let version = object.resource_version();
            let before = shell.state().policies.insert(key.clone(), Arc::new(object));
            // A new listing shows again what has not changed, and concerns nobody.
            if before.is_none_or(|before| before.resource_version() != version) {
                shell.enqueue_namespace(&key.namespace);
            }
        }
        // What can't be read is as good as missing: it is only flagged then.
        Err(invalid) => {
            let name = invalid.metadata.name.clone().unwrap_or_default();
            tracing::error!(policy = name, error = %invalid.error, "the PeeringPolicy can't be read and counts as missing");
            let key = ObjectKey::new(invalid.metadata.namespace.unwrap_or_default(), name);
            shell.state().policies.remove(&key);
            shell.enqueue_namespace(&key.namespace);
        }
    };
    let delete = |key: &ObjectKey| {
        shell.state().policies.remove(key);
        shell.enqueue_namespace(&key.namespace);
    };
    follow("peeringpolicies", stream(api), &shell.pulses.policies, id_of, apply, delete).await;
}

pub async fn accounts(shell: Arc<Shell>) {
    let api: Api<DeserializeGuard<AwsAccount>> = Api::all(shell.cluster.client().clone());
    let id_of = |guard: &DeserializeGuard<AwsAccount>| -> Arc<str> {
        let name = match &guard.0 {
            Ok(object) => object.metadata.name.clone(),
            Err(invalid) => invalid.metadata.name.clone(),
        };
        name.unwrap_or_default().into()
    };
    let apply = |guard: DeserializeGuard<AwsAccount>| match guard.0 {
        Ok(object) => apply_account(&shell, object),
        Err(invalid) => {
            let name = invalid.metadata.name.unwrap_or_default();
            tracing::error!(account = name, error = %invalid.error, "the AwsAccount can't be read; what uses it is left as it is");
        }
    };
    let delete = |name: &Arc<str>| {
        {
            let mut state = shell.state();
            state.accounts.remove(name);
            if let Some(gone) = state.declared.remove(name) {
                state.limit_account(gone.account);
            }
            let by_policy = state.removals_by_policy();
            state.limits.set_noted(by_policy);
        }
        shell.aws.remove_account(name);
        shell.metrics.misused(name, None);
        shell.enqueue_account(name);
        shell.replan_sweeps();
    };
    follow("awsaccounts", stream(api), &shell.pulses.accounts, id_of, apply, delete).await;
}

fn apply_account(shell: &Arc<Shell>, object: AwsAccount) {
    let name: Arc<str> = object.name_any().into();
    let account = declare::account(&object).map_err(|error| error.to_string());
    let shown_before;
    let changed = {
        let mut state = shell.state();
        let before = state.accounts.remove(&name);
        let same_spec = before.as_ref().is_some_and(|known| {
            known.object.metadata.generation == object.metadata.generation
                && known.object.metadata.deletion_timestamp == object.metadata.deletion_timestamp
        });
        shown_before = before.as_ref().map(|known| known.object.clone());
        let unusable = before.filter(|_| same_spec).and_then(|known| known.unusable);
        let id_of = |state: &State| state.declared.get(&name).map(|account| account.account);
        let id_before = id_of(&state);
        match account {
            Ok(account) => {
                if !same_spec {
                    shell.aws.set_account(access(&account));
                }
                state.declared.insert(name.clone(), account);
            }
            Err(error) => {
                tracing::error!(account = %name, %error, "the AwsAccount can't be read; what uses it is left as it is")
            }
        }
        state.accounts.insert(name.clone(), KnownAccount { object: Arc::new(object), unusable });
        // Deleted and made anew while nobody watched, it can be another account's.
        for id in BTreeSet::from_iter(id_before.into_iter().chain(id_of(&state))) {
            state.limit_account(id);
        }
        let by_policy = state.removals_by_policy();
        state.limits.set_noted(by_policy);
        !same_spec
    };
    misuse::account_shown(shell, &name, shown_before.as_deref());
    if changed {
        shell.replan_sweeps();
        shell.sweep_account_now(&name);
        shell.enqueue_account(&name);
        shell.account_work.notify(name);
    }
}

pub async fn namespaces(shell: Arc<Shell>) {
    let api: Api<Namespace> = Api::all(shell.cluster.client().clone());
    let id_of = |namespace: &Namespace| -> Arc<str> { namespace.name_any().into() };
    let apply = |namespace: Namespace| {
        let name: Arc<str> = namespace.name_any().into();
        let known = KnownNamespace::from(&namespace);
        let before = shell.state().namespaces.insert(name.clone(), known.clone());
        if before.as_ref() != Some(&known) {
            shell.enqueue_namespace(&name);
        }
    };
    let delete = |name: &Arc<str>| {
        shell.state().namespaces.remove(name);
    };
    follow("namespaces", stream(api), &shell.pulses.namespaces, id_of, apply, delete).await;
}

pub async fn incidents(shell: Arc<Shell>) {
    let api: Api<DeserializeGuard<PeeringIncident>> = Api::all(shell.cluster.client().clone());
    let id_of = |guard: &DeserializeGuard<PeeringIncident>| {
        guard_key(guard.0.as_ref().map(|o| &o.metadata).map_err(|e| &e.metadata))
    };
    let apply = |guard: DeserializeGuard<PeeringIncident>| match guard.0 {
        Ok(object) => incidents::shown(&shell, &object),
        Err(invalid) => incidents::unreadable(&shell, &guard_key(Err(&invalid.metadata)), &invalid.error),
    };
    let delete = |key: &ObjectKey| incidents::gone(&shell, key);
    follow("peeringincidents", stream(api), &shell.pulses.incidents, id_of, apply, delete).await;
}
