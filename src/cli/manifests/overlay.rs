//! Files laid over what is in a cluster: what would be there once they are applied.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::ObjectMeta;
use peerkeeper_core::ids::ObjectKey;
use serde::Serialize;

use super::{ManifestError, Manifests, Place, Problem};
use crate::admission::{self, Kind, Schema};

/// The files' objects in the place of the cluster's. Each keeps what only a cluster knows of it: its status, and with it its
/// memory, its uid, its age. What an API server would not let an update change is a problem. Nothing is taken away: an
/// object whose file is gone stays.
pub fn lay_over(cluster: Manifests, files: Manifests) -> Result<Manifests, ManifestError> {
    let schemas = admission::schemas()?;
    let mut over = Over { into: cluster, problems: Vec::new() };
    let places = files.places;
    let place = |kind: Kind, name: &str| places.get(&(kind, name.to_owned())).cloned();
    let shown: BTreeSet<String> =
        files.peerings.keys().chain(files.policies.keys()).map(|key| key.namespace.to_string()).collect();
    for (key, (mut peering, at)) in files.peerings {
        if let Some((old, _)) = over.into.peerings.get(&key) {
            peering.status = old.status.clone();
            let changed = peering.spec != old.spec;
            over.problems.extend(refused(
                &schemas[&Kind::VpcPeering],
                &peering,
                old,
                &key.to_string(),
                Some(&at),
            ));
            peering.metadata = merged(&old.metadata, peering.metadata, changed);
        } else {
            peering.metadata.creation_timestamp = Some(over.newest());
        }
        over.into.peerings.insert(key, (peering, at));
    }
    for (key, mut policy) in files.policies {
        if let Some(old) = over.into.policies.get(&key) {
            let changed = policy.spec != old.spec;
            let at = place(Kind::PeeringPolicy, &key.to_string());
            over.problems.extend(refused(
                &schemas[&Kind::PeeringPolicy],
                &policy,
                old,
                &key.to_string(),
                at.as_ref(),
            ));
            policy.metadata = merged(&old.metadata, policy.metadata, changed);
        }
        over.into.policies.insert(key, policy);
    }
    let has_accounts = !files.accounts.is_empty();
    for (name, mut account) in files.accounts {
        if let Some(old) = over.into.accounts.get(&name) {
            account.status = old.status.clone();
            let changed = account.spec != old.spec;
            let at = place(Kind::AwsAccount, &name);
            over.problems.extend(refused(&schemas[&Kind::AwsAccount], &account, old, &name, at.as_ref()));
            account.metadata = merged(&old.metadata, account.metadata, changed);
        }
        over.into.accounts.insert(name, account);
    }
    for (name, labels) in files.namespaces {
        over.into.namespaces.entry(name).or_default().extend(labels);
    }
    over.into.skipped = files.skipped;
    // An account may be anybody's.
    over.into.shown = if has_accounts || shown.is_empty() { None } else { Some(shown) };
    if over.problems.is_empty() { Ok(over.into) } else { Err(ManifestError::Problems(over.problems)) }
}

struct Over {
    into: Manifests,
    problems: Vec<Problem>,
}

impl Over {
    /// What is not there yet will be younger than all that is.
    fn newest(&self) -> Time {
        let ages = self
            .into
            .peerings
            .values()
            .filter_map(|(peering, _)| peering.metadata.creation_timestamp.as_ref());
        let newest = ages.map(|time| time.0).max().unwrap_or(Timestamp::UNIX_EPOCH);
        Time(newest.saturating_add(SignedDuration::from_secs(1)).unwrap_or(newest))
    }
}

/// As an apply merges: what the file does not name stays.
fn merged(old: &ObjectMeta, new: ObjectMeta, changed: bool) -> ObjectMeta {
    let mut metadata = old.clone();
    metadata.labels.get_or_insert_default().extend(new.labels.unwrap_or_default());
    metadata.annotations.get_or_insert_default().extend(new.annotations.unwrap_or_default());
    if changed {
        metadata.generation = old.generation.map(|generation| generation + 1);
    }
    metadata
}

fn refused<K: Serialize>(schema: &Schema, new: &K, old: &K, name: &str, at: Option<&Place>) -> Vec<Problem> {
    let (Ok(new), Ok(old)) = (serde_json::to_value(new), serde_json::to_value(old)) else {
        return Vec::new();
    };
    let object = format!("{} {name}", new["kind"].as_str().unwrap_or_default());
    let place = at.cloned().unwrap_or_else(Place::in_cluster);
    // Rules ask about the name too; status has its own door.
    let declared = |value: &serde_json::Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|fields| fields.remove("status"));
        value
    };
    let refused = schema.admit(&declared(&new), Some(&declared(&old))).err().unwrap_or_default();
    let problem = |refusal: admission::Refusal| Problem {
        place: place.clone(),
        object: object.clone(),
        what: format!("{refusal} (the cluster holds another)"),
    };
    refused.into_iter().map(problem).collect()
}

/// Whether an object is shown: of others only what they hold counts.
pub fn is_shown(manifests: &Manifests, key: &ObjectKey) -> bool {
    manifests.shown.as_ref().is_none_or(|namespaces| namespaces.contains(&*key.namespace))
}
