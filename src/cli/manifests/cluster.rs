//! What is declared in a cluster, and what its objects remember.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use peerkeeper_core::ids::ObjectKey;
use serde::de::DeserializeOwned;

use super::{Manifests, Place};
use crate::api::{AwsAccount, PeeringIncident, PeeringPolicy, VpcPeering};
use crate::cli::kube::{Kube, KubeError, Listed, Scope};
use crate::{declare, remember};

/// Its UID is an installation's name where nobody gave it another.
const OWNER_NAMESPACE: &str = "kube-system";

/// What only a cluster knows.
#[derive(Clone, Debug, Default)]
pub struct InCluster {
    /// The installation's name in AWS tags, unless the operator was given another.
    pub owner_id: String,
    pub incidents: BTreeMap<ObjectKey, PeeringIncident>,
    pub terminating: BTreeSet<String>,
    /// Every VpcPeering of the cluster was read: what is not among them does not exist.
    pub is_whole: bool,
    /// Objects that can't be read, and why. Nothing is known of what they hold.
    pub unreadable: Vec<String>,
}

/// Reads the objects of the namespaces, and of all others what those are judged by, as far as that is allowed.
pub async fn read(kube: &Kube, namespaces: &Scope, owner_id: Option<&str>) -> Result<Manifests, KubeError> {
    let (scope, peerings) = peerings(kube, namespaces).await?;
    let owner_id = match owner_id {
        Some(given) => given.to_owned(),
        None => owner(kube).await?,
    };
    let mut read = Reading::default();
    for peering in read.all(peerings) {
        read.peering(peering);
    }
    for policy in read.all(kube.list::<PeeringPolicy>(&scope).await?) {
        match declare::policy(&policy) {
            Ok(_) => drop(read.into.policies.insert(key_of(&policy), policy)),
            Err(error) => read.refuse("PeeringPolicy", &key_of(&policy).to_string(), &error),
        }
    }
    for account in read.all(kube.list::<AwsAccount>(&scope).await?) {
        match declare::account(&account) {
            Ok(_) => drop(read.into.accounts.insert(account.name_any(), account)),
            Err(error) => read.refuse("AwsAccount", &account.name_any(), &error),
        }
    }
    // What is decided in those of other namespaces bears on nothing that is shown.
    for incident in read.all(kube.list::<PeeringIncident>(namespaces).await?) {
        read.cluster.incidents.insert(key_of(&incident), incident);
    }
    for namespace in read.all(labels(kube, &scope).await?) {
        read.namespace(&namespace);
    }
    let Reading { mut into, cluster } = read;
    into.shown = match namespaces {
        Scope::One(namespace) => Some([namespace.clone()].into()),
        Scope::All => None,
    };
    into.cluster = Some(InCluster { owner_id, is_whole: scope == Scope::All, ..cluster });
    Ok(into)
}

/// Of all namespaces, where that is allowed: who holds a pair of VPCs is a matter between all of them.
async fn peerings(kube: &Kube, wanted: &Scope) -> Result<(Scope, Vec<Listed<VpcPeering>>), KubeError> {
    match kube.list(&Scope::All).await {
        Err(KubeError::Forbidden { .. }) if *wanted != Scope::All => {
            Ok((wanted.clone(), kube.list(wanted).await?))
        }
        all => Ok((Scope::All, all?)),
    }
}

async fn owner(kube: &Kube) -> Result<String, KubeError> {
    let namespace = kube.get::<Namespace>("", OWNER_NAMESPACE).await?;
    let uid = namespace.and_then(|namespace| namespace.uid());
    uid.ok_or_else(|| KubeError::Gone { object: format!("Namespace {OWNER_NAMESPACE}") })
}

async fn labels(kube: &Kube, scope: &Scope) -> Result<Vec<Listed<Namespace>>, KubeError> {
    match scope {
        Scope::All => kube.list(scope).await,
        // Who may look into one namespace may look at it.
        Scope::One(name) => Ok(kube.get(name, name).await?.map(Listed::Read).into_iter().collect()),
    }
}

#[derive(Default)]
struct Reading {
    into: Manifests,
    cluster: InCluster,
}

impl Reading {
    /// Those that can be read; of the others, why not.
    fn all<K: DeserializeOwned>(&mut self, listed: Vec<Listed<K>>) -> Vec<K> {
        let mut read = Vec::new();
        for one in listed {
            match one {
                Listed::Read(object) => read.push(object),
                Listed::Unparsable { object, why } => {
                    self.cluster.unreadable.push(format!("{object} does not fit its schema: {why}"));
                }
            }
        }
        read
    }

    fn refuse(&mut self, kind: &str, name: &str, why: &dyn std::fmt::Display) {
        self.cluster.unreadable.push(format!("{kind} {name}: {why}"));
    }

    /// One whose memory can't be understood is not planned as if it had none.
    fn peering(&mut self, peering: VpcPeering) {
        let key = key_of(&peering);
        let memory = remember::memory(peering.status.as_ref());
        match (declare::desired(&peering, false, ""), memory) {
            (Ok(_), Ok(_)) => drop(self.into.peerings.insert(key, (peering, Place::in_cluster()))),
            (Err(error), _) => self.refuse("VpcPeering", &key.to_string(), &error),
            (Ok(_), Err(error)) => self.refuse("VpcPeering", &key.to_string(), &error),
        }
    }

    fn namespace(&mut self, namespace: &Namespace) {
        let name = namespace.name_any();
        if namespace.metadata.deletion_timestamp.is_some() {
            self.cluster.terminating.insert(name.clone());
        }
        self.into.namespaces.insert(name, namespace.labels().clone());
    }
}

fn key_of(object: &impl ResourceExt) -> ObjectKey {
    ObjectKey::new(object.namespace().unwrap_or_default(), object.name_any())
}
