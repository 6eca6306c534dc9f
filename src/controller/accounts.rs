//! `AwsAccount`s: whether their credentials work, what was removed in them, and the finalizer that keeps one while
//! peerings use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use k8s_openapi::jiff::Timestamp;
use peerkeeper_core::misuse::{OwnCall, REMEMBERED_S};

use super::cluster::ClusterError;
use super::shell::Shell;
use super::{events, misuse};
use crate::api::{AwsAccount, AwsAccountStatus};
use crate::aws::{Caller, IdentityError, ReadError, ReadErrorKind, clock};
use crate::remember::{self, Checked, Removal};

/// How often a conflicting change of an `AwsAccount`'s status is tried again.
const TRIES: usize = 5;

/// Works off account checks for as long as this replica leads.
pub async fn run(shell: Arc<Shell>) {
    loop {
        let name = shell.account_work.next().await;
        check(&shell, &name).await;
    }
}

/// Asks AWS whose credentials these are, and says so on the object.
pub async fn check(shell: &Arc<Shell>, name: &Arc<str>) {
    if !shell.leadership.is_leading() {
        return;
    }
    let Ok(Some(object)) = shell.cluster.account(name).await else { return };
    if object.metadata.deletion_timestamp.is_some() {
        release(shell, name).await;
        return;
    }
    let used = shell.state().objects_using(name).next().is_some();
    let mark = shell.leadership.guard(shell.cluster.set_account_in_use(&object, true));
    if used && let Err(error) = mark.await {
        tracing::warn!(account = %name, %error, "the AwsAccount could not be marked as in use");
    }
    let verified = shell.aws.verify(name).await;
    let unusable = match &verified {
        Err(error @ IdentityError::Refused { .. }) => Some(error.to_string()),
        _ => None,
    };
    set_usable(shell, name, unusable);
    let (checked, declared) =
        (checked(&verified), shell.state().declared.get(name).map(|account| account.account));
    let lane = declared.and_then(|id| events::lane_of(shell, id)).map(|(place, why)| {
        let message = format!("in {}: {why}. Until then sweeps find what happens", place.region);
        (why.reason(), message)
    });
    misuse::adopt(shell, name, &object);
    let (suspected, is_released) = (shell.suspects.of(name), AtomicBool::new(false));
    let said = change_status(shell, name, |object| {
        let (before, now) = (object.status.as_ref(), Timestamp::now());
        let generation = object.metadata.generation.unwrap_or_default();
        let status = remember::account_status(before, generation, declared, &checked, now);
        let lane = lane.as_ref().map(|(reason, message)| (*reason, message.as_str()));
        let status = remember::with_event_lane(status, before, generation, lane, now);
        let (status, news) = remember::acknowledge(object, status);
        is_released.store(news, Ordering::Relaxed);
        Ok(remember::with_misuse(status, object, &suspected, now))
    });
    match said.await {
        Err(error) => tracing::warn!(account = %name, %error, "the AwsAccount's status could not be stored"),
        Ok(()) if is_released.load(Ordering::Relaxed) => misuse::released(shell, name).await,
        Ok(()) => {}
    }
}

/// An account that is being deleted goes when no peering names it any more.
async fn release(shell: &Shell, name: &str) {
    let used = shell.cluster.account_is_used(name).await;
    match used {
        Ok(false) => {
            let Ok(Some(object)) = shell.cluster.account(name).await else { return };
            let mark = shell.leadership.guard(shell.cluster.set_account_in_use(&object, false));
            if let Err(error) = mark.await {
                tracing::warn!(account = %name, %error, "the AwsAccount could not be let go; it is tried again");
            }
        }
        Ok(true) => {
            tracing::info!(account = %name, "the AwsAccount is being deleted and VpcPeerings still name it")
        }
        Err(error) => {
            tracing::warn!(account = %name, %error, "whether the AwsAccount is in use could not be read")
        }
    }
}

/// What came of asking, in the words of status.
fn checked(verified: &Result<Caller, IdentityError>) -> Checked {
    match verified {
        Ok(Caller { account, arn }) => Checked::Usable { account: *account, caller_arn: arn.clone() },
        Err(IdentityError::WrongAccount { found: Some(found), arn, .. }) => {
            Checked::WrongAccount { found: *found, caller_arn: arn.clone() }
        }
        Err(error @ IdentityError::Refused { .. }) => Checked::AccessDenied { why: error.to_string().into() },
        Err(error) => Checked::Unavailable { why: error.to_string().into() },
    }
}

/// Notes calls of ours that an object remembers which is about to go.
pub async fn note_own_calls(shell: &Shell, name: &str, own: &[OwnCall]) -> Result<(), String> {
    let since = clock::wall().plus_s(-REMEMBERED_S);
    change_status(shell, name, |object| Ok(remember::note_own_calls(object.status.as_ref(), own, since)))
        .await
}

/// Changes an account's status as `change` says, again if somebody else did meanwhile.
pub async fn change_status(
    shell: &Shell,
    name: &str,
    change: impl Fn(&AwsAccount) -> Result<AwsAccountStatus, String>,
) -> Result<(), String> {
    for _ in 0..TRIES {
        let Some(object) = shell.cluster.account(name).await.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let status = change(&object)?;
        if object.status.as_ref() == Some(&status) {
            return Ok(());
        }
        match shell.leadership.guard(shell.cluster.store_account_status(&object, &status)).await {
            Err(ClusterError::Conflict) => {}
            done => return done.map_err(|error| error.to_string()),
        }
    }
    Err(ClusterError::Conflict.to_string())
}

/// Notes that an object's things are about to be removed, where the note outlives the object.
pub async fn note_removal(shell: &Shell, name: &str, removal: &Removal) -> Result<(), String> {
    let longest_s = shell.state().limits.longest_window_s();
    let keep_since = removal.at.plus_s(-longest_s);
    change_status(shell, name, |object| {
        remember::note_removal(object.status.as_ref(), removal, keep_since).map_err(|error| error.to_string())
    })
    .await
}

/// What an account's credentials were last found to be good for. True if that is news.
pub fn set_usable(shell: &Shell, name: &str, unusable: Option<String>) -> bool {
    let mut state = shell.state();
    let Some(known) = state.accounts.get_mut(name) else { return false };
    let news = known.unusable != unusable;
    known.unusable = unusable;
    drop(state);
    if news {
        shell.enqueue_account(name);
        shell.account_work.notify(name.into());
    }
    news
}

/// A sweep failed: if the role can't be assumed, the account is unusable until it can. True if that is news.
pub fn note_failure(shell: &Shell, name: &str, error: &ReadError) -> bool {
    let is_identity = matches!(error.call, "AssumeRole" | "GetCallerIdentity");
    if is_identity {
        shell.account_work.notify(name.into());
    }
    // In the words of the check, and the same from every Region: whatever differs is news, and wakes everything again.
    is_identity
        && error.kind == ReadErrorKind::Denied
        && set_usable(shell, name, Some(error.message.to_string()))
}

/// Names to work off, each once however often it is asked for.
#[derive(Default)]
pub struct Work {
    names: std::sync::Mutex<std::collections::BTreeSet<Arc<str>>>,
    woken: tokio::sync::Notify,
}

impl Work {
    pub fn notify(&self, name: Arc<str>) {
        self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name);
        self.woken.notify_one();
    }

    pub async fn next(&self) -> Arc<str> {
        loop {
            let first = self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_first();
            if let Some(name) = first {
                return name;
            }
            self.woken.notified().await;
        }
    }
}

/// Lets go of accounts that wait to be deleted: a peering that named one is gone.
pub fn enqueue_deleted(shell: &Shell) {
    let deleted: Vec<Arc<str>> = {
        let state = shell.state();
        let leaving =
            state.accounts.iter().filter(|(_, known)| known.object.metadata.deletion_timestamp.is_some());
        leaving.map(|(name, _)| name.clone()).collect()
    };
    for name in deleted {
        shell.account_work.notify(name);
    }
}
