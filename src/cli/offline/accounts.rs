//! Whose credentials calls go out with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use peerkeeper_core::ids::Region;
use serde_json::json;

use super::house::House;
use crate::api::AwsAccount;
use crate::aws::{Caller, IdentityError, Looking, ReadError, SetupError};
use crate::cli::manifests::Manifests;
use crate::controller::state::{Place, access};
use crate::declare;

/// The name of the AwsAccount that the ambient credentials serve as, where no manifest has one.
pub const AMBIENT: &str = "default";

/// Why AWS can't be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    #[error("AWS can't be spoken to: {0}")]
    Setup(#[from] SetupError),
    #[error(
        "no AwsAccount \"default\" is among the manifests, and the ambient credentials can't be used either: {0}"
    )]
    Ambient(IdentityError),
    #[error("{0}")]
    Account(String),
}

/// A place that could not be read: what is said of it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub account: Arc<str>,
    pub region: Option<Region>,
    /// Names the account, the Region, the call and the code.
    pub what: String,
}

/// The AwsAccounts of the manifests; the ambient credentials where `default` is named and is not among them. They grant
/// everything: whoever holds credentials needs no leave to use them.
pub async fn declared(
    aws: &Looking,
    manifests: &Manifests,
) -> Result<BTreeMap<String, AwsAccount>, OfflineError> {
    let mut accounts = manifests.accounts.clone();
    let sides = || {
        manifests.peerings.values().flat_map(|(peering, _)| [&peering.spec.requester, &peering.spec.accepter])
    };
    // In a cluster, an account that nobody declared is none.
    let is_named =
        manifests.cluster.is_none() && sides().any(|side| side.account.name.as_deref() == Some(AMBIENT));
    if is_named && !accounts.contains_key(AMBIENT) {
        let caller = aws.own_caller().await.map_err(OfflineError::Ambient)?;
        let peers: BTreeSet<&str> = sides().filter_map(|side| side.account.id.as_deref()).collect();
        let object = ambient(&caller, &peers)?;
        accounts.insert(AMBIENT.to_owned(), object);
    }
    announce(aws, &accounts)?;
    Ok(accounts)
}

/// The AwsAccount that the ambient credentials stand for.
pub fn ambient(caller: &Caller, peers: &BTreeSet<&str>) -> Result<AwsAccount, OfflineError> {
    let object = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount",
        "metadata": {"name": AMBIENT, "uid": "ambient", "generation": 1},
        "spec": {
            "accountId": caller.account.to_string(),
            "grants": [{
                "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]},
                "vpcs": {"select": "All"},
            }],
            "allowedPeerAccounts": peers,
        },
    });
    serde_json::from_value(object).map_err(|error| OfflineError::Account(error.to_string()))
}

/// Tells the AWS room which accounts there are.
pub fn announce(aws: &Looking, accounts: &BTreeMap<String, AwsAccount>) -> Result<(), OfflineError> {
    for object in accounts.values() {
        let account = declare::account(object).map_err(|error| OfflineError::Account(error.to_string()))?;
        aws.set_account(access(&account));
    }
    Ok(())
}

/// Proves whose the credentials of every account in use are. One that can't be used is told, and its objects say so.
pub async fn prove(aws: &Looking, house: &mut House) -> Vec<Trouble> {
    let names: BTreeSet<Arc<str>> = house.places().into_iter().map(|(name, _)| name).collect();
    let proofs = join_all(names.iter().map(|name| aws.verify(name))).await;
    let mut troubles = Vec::new();
    for (name, proof) in names.into_iter().zip(proofs) {
        if let Err(error) = proof {
            if let Some(known) = house.state.accounts.get_mut(&name) {
                known.unusable = Some(error.to_string());
            }
            troubles.push(Trouble { account: name, region: None, what: error.to_string() });
        }
    }
    troubles
}

/// Reads every place that a peering needs, once.
pub async fn sweep(aws: &Looking, house: &House) -> Vec<Trouble> {
    sweep_places(aws, house.readable_places()).await
}

/// Reads these places.
pub async fn sweep_places(aws: &Looking, places: Vec<Place>) -> Vec<Trouble> {
    let reader = aws.reader();
    let swept = join_all(places.iter().map(|(name, region)| reader.sweep(name, *region))).await;
    let troubles = places.into_iter().zip(swept).filter_map(|((account, region), swept)| {
        let error: ReadError = swept.err()?;
        Some(Trouble { account, region: Some(region), what: error.to_string() })
    });
    troubles.collect()
}
