//! `AwsAccount.status`: what somebody else did with our credentials, until a person has looked at it, and those calls of our
//! own that no object remembers any more.

use super::conditions::{Said, conditions};
use super::read::{self, RememberError};
use super::{clip, timestamp, wall, write};
use crate::api::account::{CredentialsMisuse, StrangeCall};
use crate::api::{
    ANNOTATION_MISUSE_ACKNOWLEDGED, AwsAccount, AwsAccountStatus, ConditionType, Reason, Timestamp,
};
use peerkeeper_core::misuse::OwnCall;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::TrailEvent;

/// Whoever makes more calls than these has made the point.
const CALLS_MAX: usize = 16;
/// Of objects that are gone. Where as many are noted, any call of that day counts as ours.
pub const OWN_CALLS_MAX: usize = 4096;
/// Of one text of a record.
const TEXT_MAX_BYTES: usize = 512;

/// A suspicion, and why it is no more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspected {
    pub call: StrangeCall,
    pub why: String,
}

/// A call, as it is shown.
pub fn strange_call(event: &TrailEvent) -> StrangeCall {
    let TrailEvent { id, at, place, call, actor, heard: _, request_id: _, record: _ } = event;
    let about = call.peerings().next().map(|id| id.to_string()).or(call.table().map(|id| id.to_string()));
    let short = |text: &str| clip(text, TEXT_MAX_BYTES);
    StrangeCall {
        event_id: id.to_string(),
        at: timestamp(*at),
        region: place.region.to_string(),
        call: call.name().to_owned(),
        id: about.unwrap_or_default(),
        principal: short(actor.name()),
        access_key_id: actor.access_key_id.as_deref().map(short),
        source_address: short(&actor.source_address),
        user_agent: short(&actor.user_agent),
    }
}

fn misuse_of(object: &AwsAccount) -> Option<&CredentialsMisuse> {
    object.status.as_ref()?.credentials_misuse.as_ref()
}

/// This call was found, and is noted.
pub fn has_misuse(object: &AwsAccount, event_id: &str) -> bool {
    misuse_of(object).is_some_and(|misuse| misuse.calls.iter().any(|call| call.event_id == event_id))
}

/// The call that everything in the account is held for: the last that was found, unless it is acknowledged.
pub fn open_misuse(object: &AwsAccount) -> Option<&StrangeCall> {
    let misuse = misuse_of(object)?;
    let last = misuse.calls.last()?;
    let is_acknowledged = [misuse.acknowledged.as_deref(), said(object)].contains(&Some(&last.event_id));
    (!is_acknowledged).then_some(last)
}

fn said(object: &AwsAccount) -> Option<&str> {
    object.metadata.annotations.as_ref()?.get(ANNOTATION_MISUSE_ACKNOWLEDGED).map(|id| id.trim())
}

/// The status with this call found. Found already, it comes back as it was.
pub fn note_misuse(object: &AwsAccount, call: &StrangeCall, now: Timestamp) -> AwsAccountStatus {
    let mut noted = object.clone();
    let mut status = noted.status.take().unwrap_or_default();
    let misuse = status.credentials_misuse.get_or_insert_default();
    if misuse.calls.iter().all(|known| known.event_id != call.event_id) {
        misuse.calls.push(call.clone());
    }
    misuse.suspected.retain(|suspected| suspected.event_id != call.event_id);
    let more = misuse.calls.len().saturating_sub(CALLS_MAX);
    misuse.calls.drain(..more);
    noted.status = Some(status.clone());
    let suspected: Vec<Suspected> = Vec::new();
    said_of_misuse(status, &noted, &suspected, now)
}

/// The status with what is acknowledged noted as such, if that is news: the annotation may go, and nothing is held again.
pub fn acknowledge(object: &AwsAccount, mut status: AwsAccountStatus) -> (AwsAccountStatus, bool) {
    let Some(misuse) = &mut status.credentials_misuse else { return (status, false) };
    let last = misuse.calls.last().map(|call| call.event_id.as_str());
    let news = last.is_some() && said(object) == last && misuse.acknowledged.as_deref() != last;
    if news {
        misuse.acknowledged = last.map(str::to_owned);
    }
    (status, news)
}

/// The status with what is suspected now, and the condition that says what is known.
pub fn with_misuse(
    mut status: AwsAccountStatus,
    object: &AwsAccount,
    suspected: &[Suspected],
    now: Timestamp,
) -> AwsAccountStatus {
    let shown: Vec<StrangeCall> = suspected.iter().take(CALLS_MAX).map(|one| one.call.clone()).collect();
    match &mut status.credentials_misuse {
        Some(misuse) => misuse.suspected = shown,
        None if shown.is_empty() => {}
        None => {
            status.credentials_misuse = Some(CredentialsMisuse { suspected: shown, ..Default::default() });
        }
    }
    if status.credentials_misuse == Some(CredentialsMisuse::default()) {
        status.credentials_misuse = None;
    }
    said_of_misuse(status, object, suspected, now)
}

/// The condition. `object` says what is open, and since when what was said.
fn said_of_misuse(
    mut status: AwsAccountStatus,
    object: &AwsAccount,
    suspected: &[Suspected],
    now: Timestamp,
) -> AwsAccountStatus {
    let kind = ConditionType::OperatorCredentialsMisused.as_str();
    let account = &object.spec.account_id;
    let found = open_misuse(object).map(|call| {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let message = format!(
            "{}, with Peerkeeper's own credentials and not by Peerkeeper: CloudTrail's event history shows it. Nothing is \
             written in account {account} any more. Look at what else that access key and that address did, take away what \
             lets them assume the role, revoke its sessions, and then release the hold: kubectl annotate --overwrite \
             awsaccount {name} {ANNOTATION_MISUSE_ACKNOWLEDGED}={}",
            tells(call), call.event_id
        );
        (Truth::True, Reason::CallNotOurs, message)
    });
    let told = || {
        let Suspected { call, why } = suspected.first()?;
        let more = suspected.len() - 1;
        let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let message = format!(
            "told of, and not borne out{rest}: {}, with Peerkeeper's own credentials and not by Peerkeeper. {why}. Whoever \
             may send to the queue can have made it up, so nothing is held; see who may, and look for the event in \
             CloudTrail",
            tells(call)
        );
        Some((Truth::Unknown, Reason::CallNotCorroborated, message))
    };
    let saying = found.or_else(told);
    let said = saying.as_ref().map(|(truth, reason, message)| Said {
        kind,
        truth: *truth,
        reason: reason.as_str(),
        message,
    });
    let before = object.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let generation = object.metadata.generation.unwrap_or_default();
    status.conditions.retain(|condition| condition.type_ != kind);
    status.conditions.extend(conditions(said, before, generation, now));
    status
}

/// Which call, when, by whom and from where.
fn tells(call: &StrangeCall) -> String {
    let StrangeCall {
        event_id,
        at,
        region,
        call,
        id,
        principal,
        access_key_id,
        source_address,
        user_agent: _,
    } = call;
    let key = access_key_id.as_deref().unwrap_or("none");
    format!(
        "{call} of {id} was called in {region} at {at} as {principal}, from {source_address} with access key {key} (event \
         {event_id})"
    )
}

/// The status with the calls that an object remembers which is about to go. Those of before `since` are dropped.
pub fn note_own_calls(status: Option<&AwsAccountStatus>, own: &[OwnCall], since: Wall) -> AwsAccountStatus {
    let mut status = status.cloned().unwrap_or_default();
    status.own_calls.retain(|calls| wall(calls.at) >= since);
    let recent: Vec<OwnCall> = own.iter().filter(|call| call.at >= since).copied().collect();
    for calls in write::own_calls(&recent) {
        let same = status.own_calls.iter_mut().find(|known| known.at == calls.at);
        match same {
            Some(known) => {
                let new: Vec<String> = calls.ids.into_iter().filter(|id| !known.ids.contains(id)).collect();
                known.ids.extend(new);
            }
            None => status.own_calls.push(calls),
        }
    }
    status.own_calls.sort_by_key(|calls| calls.at);
    let mut count: usize = status.own_calls.iter().map(|calls| calls.ids.len()).sum();
    for calls in &mut status.own_calls {
        let more = count.saturating_sub(OWN_CALLS_MAX).min(calls.ids.len());
        calls.ids.drain(..more);
        count -= more;
    }
    status.own_calls.retain(|calls| !calls.ids.is_empty());
    status
}

/// What is noted of objects that are gone.
pub fn own_calls(status: Option<&AwsAccountStatus>) -> Result<Vec<OwnCall>, RememberError> {
    let mut own = Vec::new();
    for calls in status.iter().flat_map(|status| &status.own_calls) {
        own.extend(read::own_calls("ownCalls", calls)?);
    }
    Ok(own)
}
