//! `AwsAccount.status`: what became of asking AWS whose credentials they are, and the removals that count against limits
//! after the objects they were done for are gone.

use super::{
    conditions::{Said, conditions},
    timestamp, wall,
};
use crate::api::{AwsAccountStatus, ConditionType, Reason, Timestamp, account::AccountSpent};
use peerkeeper_core::ids::{AccountId, ObjectKey};
use peerkeeper_core::plan::Truth;
use peerkeeper_core::time::Wall;
use std::{collections::BTreeSet, sync::Arc};

/// The most removals that one account's status holds. With names as long as they may be, they still stay well under what
/// etcd takes.
const REMOVALS_MAX: usize = 1000;

/// A removal, noted before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Removal {
    pub at: Wall,
    pub object: ObjectKey,
    pub uid: Arc<str>,
    /// The PeeringPolicy, as namespace/name, that it counts under; `None` for the built-in one.
    pub policy: Option<Arc<str>>,
}

/// Why a removal can't be noted, and so may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteRefused {
    #[error(
        "{REMOVALS_MAX} removals are noted in the status of the AwsAccount, which is all it holds; wait until the window of its limits has passed the oldest"
    )]
    Full,
}

/// When removals in this account were done, of all objects.
pub fn removals(status: Option<&AwsAccountStatus>) -> Vec<Wall> {
    status.iter().flat_map(|status| &status.removals).map(|spent| wall(spent.at)).collect()
}

/// Those that count under one policy, given as namespace/name.
pub fn removals_of_policy(status: Option<&AwsAccountStatus>, policy: &str) -> Vec<Wall> {
    let under = |spent: &&AccountSpent| spent.policy.as_deref() == Some(policy);
    status.iter().flat_map(|status| &status.removals).filter(under).map(|spent| wall(spent.at)).collect()
}

/// Those of several accounts together: an object with a side in each is noted in both and counts once.
pub fn removals_of_all<'a>(statuses: impl IntoIterator<Item = &'a AwsAccountStatus>) -> Vec<Wall> {
    let all = statuses.into_iter().flat_map(|status| &status.removals);
    let once: BTreeSet<_> =
        all.map(|spent| (wall(spent.at), spent.uid.as_deref().unwrap_or(&spent.object))).collect();
    once.into_iter().map(|(at, _)| at).collect()
}

/// The status with this removal noted. Store it, with the resourceVersion it was read at, before the removal is done.
///
/// One object is one removal, however often its turn begins again: noted already, the status comes back as it was.
/// Entries from before `keep_since` (now less the longest window that counts them) are dropped.
pub fn note_removal(
    status: Option<&AwsAccountStatus>,
    removal: &Removal,
    keep_since: Wall,
) -> Result<AwsAccountStatus, NoteRefused> {
    let mut status = status.cloned().unwrap_or_default();
    status.removals.retain(|spent| wall(spent.at) > keep_since);
    if status.removals.iter().any(|spent| spent.uid.as_deref() == Some(&*removal.uid)) {
        return Ok(status);
    }
    // To forget one that still counts would be to allow more than the limits do.
    if status.removals.len() >= REMOVALS_MAX {
        return Err(NoteRefused::Full);
    }
    status.removals.push(AccountSpent {
        at: timestamp(removal.at),
        object: removal.object.to_string(),
        uid: Some(removal.uid.to_string()),
        policy: removal.policy.as_deref().map(str::to_owned),
    });
    Ok(status)
}

/// What came of asking AWS whose credentials they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Checked {
    Usable {
        account: AccountId,
        caller_arn: Arc<str>,
    },
    WrongAccount {
        found: AccountId,
        caller_arn: Arc<str>,
    },
    /// The role can't be assumed, or there are no credentials. With AWS's code.
    AccessDenied {
        why: Arc<str>,
    },
    /// AWS did not answer.
    Unavailable {
        why: Arc<str>,
    },
    /// The object itself can't be read.
    Invalid {
        why: Arc<str>,
    },
}

/// The status after a check. What was noted of acts stays as it was.
pub fn account_status(
    previous: Option<&AwsAccountStatus>,
    generation: i64,
    declared: Option<AccountId>,
    checked: &Checked,
    now: Timestamp,
) -> AwsAccountStatus {
    let mut status = previous.cloned().unwrap_or_default();
    let declared = declared.map_or_else(|| "the declared account".to_owned(), |id| format!("account {id}"));
    let (reason, extra, message) = match checked {
        Checked::Usable { account, caller_arn } => (
            Reason::Usable,
            None,
            format!("AWS confirmed the credentials of account {account}, as {caller_arn}"),
        ),
        Checked::WrongAccount { found, caller_arn } => {
            let message = format!(
                "the credentials belong to account {found} ({caller_arn}), not to {declared}; nothing is done with them. Correct spec.roleArn, or declare that account in another AwsAccount"
            );
            (Reason::WrongAccount, Some(ConditionType::Stalled), message)
        }
        Checked::AccessDenied { why } => {
            let message = format!(
                "{declared} can't be used: {why}. Check the role's trust policy and external id; it is tried again"
            );
            (Reason::AccessDenied, Some(ConditionType::Reconciling), message)
        }
        Checked::Unavailable { why } => {
            let message = format!("AWS could not be asked about {declared}: {why}; it is tried again");
            (Reason::AwsUnavailable, Some(ConditionType::Reconciling), message)
        }
        Checked::Invalid { why } => (Reason::InvalidObject, Some(ConditionType::Stalled), why.to_string()),
    };
    let truth = if reason == Reason::Usable { Truth::True } else { Truth::False };
    let said = |kind, truth| Said {
        kind: ConditionType::as_str(kind),
        truth,
        reason: reason.as_str(),
        message: &message,
    };
    let all = [Some(said(ConditionType::Ready, truth)), extra.map(|kind| said(kind, Truth::True))];
    status.conditions = conditions(all.into_iter().flatten(), &status.conditions, generation, now);
    status.observed_generation = Some(generation);
    // What AWS said last is kept while it says nothing new.
    if let Checked::Usable { account: id, caller_arn } | Checked::WrongAccount { found: id, caller_arn } =
        checked
    {
        status.observed_account_id = Some(id.to_string());
        status.caller_arn = Some(caller_arn.to_string());
    }
    status
}

/// The same status, with what is wrong with the account's event lane where something is.
pub fn with_event_lane(
    mut status: AwsAccountStatus,
    previous: Option<&AwsAccountStatus>,
    generation: i64,
    lane: Option<(Reason, &str)>,
    now: Timestamp,
) -> AwsAccountStatus {
    let said = lane.map(|(reason, message)| Said {
        kind: ConditionType::EventLaneDegraded.as_str(),
        truth: Truth::True,
        reason: reason.as_str(),
        message,
    });
    let before = previous.map(|status| status.conditions.as_slice()).unwrap_or_default();
    status.conditions.extend(conditions(said, before, generation, now));
    status
}
