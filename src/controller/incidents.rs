//! The incident of the object whose turn it is: read, made, and told.
//!
//! An incident that can't be stored never keeps a flag from being raised: status is stored all the same, and the engine
//! does not act until the incident is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::ObjectMeta;
use peerkeeper_core::ids::{ObjectKey, PeeringId};
use peerkeeper_core::incident::{self, Found, Incident, IncidentRef, IncidentSeen};
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Live};
use peerkeeper_core::write::{Outcome, WriteCall};

use super::audit;
use super::cluster::ClusterError;
use super::drive::{READ_TIMEOUT, within};
use super::shell::{Shell, now};
use crate::api::incident::Decision;
use crate::api::{LABEL_PEERING_UID, PeeringIncident, PeeringIncidentStatus, VpcPeering};
use crate::aws::Sent;
use crate::remember::{self, Happened, Telling};

/// How often a status that somebody else's change came before is computed anew.
const TRIES: usize = 3;
/// So many deeds wait to be told. More would be left out of the timeline's middle anyway.
const WAITING_MAX: usize = 400;

/// What was done about losses and is not in their incidents yet.
#[derive(Default)]
pub struct Journal(Mutex<BTreeMap<ObjectKey, Vec<Happened>>>);

impl Journal {
    pub fn note(&self, key: &ObjectKey, happened: Happened) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = all.entry(key.clone()).or_default();
        if of_key.len() < WAITING_MAX {
            of_key.push(happened);
        }
    }

    fn waiting(&self, key: &ObjectKey) -> Vec<Happened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    /// The first of them were told.
    fn told(&self, key: &ObjectKey, count: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_key) = all.get_mut(key) {
            of_key.drain(..count.min(of_key.len()));
            if of_key.is_empty() {
                all.remove(key);
            }
        }
    }

    pub fn forget(&self, key: &ObjectKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// A write that was sent and what came of it, as the timeline tells it.
pub fn happened(at: Wall, call: &WriteCall, sent: &Sent) -> Option<Happened> {
    let what = match &sent.outcome {
        Outcome::Done(Some(made)) => format!("done: {made}"),
        Outcome::Done(None) => "done".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {}", refusal.code),
        Outcome::NotSent(_) => return None,
        Outcome::Unknown(why) => format!("no answer ({why}); a reading will tell"),
    };
    let message = format!("{} ({call}): {what}", call.action());
    Some(Happened { at, what: "Write", message, request_id: sent.request_id.as_deref().map(str::to_owned) })
}

/// The incident of one object during one turn.
pub struct Incidents<'a> {
    shell: &'a Arc<Shell>,
    /// The `VpcPeering`.
    key: &'a ObjectKey,
    /// As it was read or stored last, if it is ours to write.
    object: Option<PeeringIncident>,
}

impl<'a> Incidents<'a> {
    pub fn new(shell: &'a Arc<Shell>, key: &'a ObjectKey) -> Self {
        Self { shell, key, object: None }
    }

    fn name(&self, lost: PeeringId) -> ObjectKey {
        ObjectKey::new(self.key.namespace.clone(), incident::name(self.key, lost))
    }

    /// What stands under the name of the incident of the object's latest loss, if that still matters.
    pub async fn read(&mut self, peering: &VpcPeering) -> IncidentSeen {
        self.object = None;
        let Ok((memory, _)) = remember::memory(peering.status.as_ref()) else { return IncidentSeen::Unread };
        let Some(lost) = remember::incident_of_interest(&memory, now().wall) else {
            return IncidentSeen::Unread;
        };
        let uid = peering.uid().unwrap_or_default();
        match self.get(lost, &uid).await {
            Ok(None) => IncidentSeen::Absent,
            Ok(Some((object, found))) => {
                self.object = Some(object).filter(|_| found.is_like_ours);
                IncidentSeen::Found(found)
            }
            Err(error) => {
                let incident = self.name(lost);
                tracing::warn!(object = %self.key, %incident, %error, "the PeeringIncident could not be read");
                IncidentSeen::Unread
            }
        }
    }

    async fn get(
        &self,
        lost: PeeringId,
        uid: &str,
    ) -> Result<Option<(PeeringIncident, Found)>, ClusterError> {
        let Some(object) = within(READ_TIMEOUT, self.shell.cluster.incident(&self.name(lost))).await? else {
            return Ok(None);
        };
        let found = remember::incident_found(&object, self.key, uid, lost);
        Ok(found.map(|found| (object, found)))
    }

    /// Makes the incident that a commit needs, or takes over one that may be ours, and has memory name it. `None`: none
    /// was needed, or there is none that could be named.
    pub async fn make(&mut self, live: &Live, commit: &mut Commit) -> Option<IncidentRef> {
        let told = commit.needs_incident()?.clone();
        let made = match self.create(live, &told).await {
            Err(ClusterError::Conflict) => self.take_over(live, &told).await,
            made => made.map(Some),
        };
        match made {
            Ok(object) => self.object = object,
            Err(error) => {
                tracing::error!(
                    object = %self.key, incident = %told.name, %error,
                    "the PeeringIncident could not be stored; nothing is changed in AWS before it is"
                );
                return None;
            }
        }
        let at = remember::incident_ref(self.object.as_ref()?)?;
        commit.record(at.clone());
        Some(at)
    }

    async fn create(&self, live: &Live, told: &Incident) -> Result<PeeringIncident, ClusterError> {
        let uid = live.desired.uid.to_string();
        let incident = PeeringIncident {
            metadata: ObjectMeta {
                name: Some(told.name.to_string()),
                namespace: Some(self.key.namespace.to_string()),
                labels: Some([(LABEL_PEERING_UID.to_owned(), uid.clone())].into()),
                ..ObjectMeta::default()
            },
            spec: remember::incident_spec(self.key, &uid, told.lost),
            status: None,
        };
        self.shell.leadership.guard(self.shell.cluster.create_incident(&incident)).await
    }

    /// One that says what ours would, and decides nothing, was made before a crash, or is as good as that.
    async fn take_over(&self, live: &Live, told: &Incident) -> Result<Option<PeeringIncident>, ClusterError> {
        let found = self.get(told.lost, &live.desired.uid).await?;
        let taken = found.filter(|(_, found)| found.may_be_taken_over()).map(|(object, _)| object);
        if taken.is_none() {
            tracing::error!(
                object = %self.key, incident = %told.name,
                "another PeeringIncident stands under this name; delete it, or nothing is done about the loss"
            );
        }
        Ok(taken)
    }

    /// Has the incident tell what was just committed. One that can't be stored is told at the next commit: what it
    /// repeats is in the object's own status.
    pub async fn tell(&mut self, commit: &Commit) {
        let Some(told) = commit.incident.as_deref() else { return };
        for _ in 0..TRIES {
            let Some(object) = self.object.take() else { return };
            match self.store(&object, told).await {
                Ok(stored) => {
                    self.object = Some(stored);
                    return;
                }
                Err(ClusterError::Conflict) => self.object = self.again(&object).await,
                Err(error) => {
                    tracing::warn!(object = %self.key, incident = %told.name, %error, "the PeeringIncident's status could not be stored");
                    self.object = Some(object);
                    return;
                }
            }
        }
    }

    async fn store(
        &self,
        object: &PeeringIncident,
        told: &Incident,
    ) -> Result<PeeringIncident, ClusterError> {
        let happened = self.shell.journal.waiting(self.key);
        let (before, now) = (object.status.as_ref(), Timestamp::now());
        let generation = object.metadata.generation.unwrap_or_default();
        let mut telling = Telling { of: self.key, generation, happened: &happened, audit: None };
        let mut status = remember::incident_status(told, &telling, before, now);
        let audited = self.audit(object, &status, now).await;
        if let Some(written) = &audited {
            telling.audit = Some(written.as_ref().map_err(String::as_str).copied());
            status = remember::incident_status(told, &telling, before, now);
        }
        if before == Some(&status) {
            return Ok(object.clone());
        }
        let storing = self.shell.cluster.store_incident_status(object, &status);
        let stored = self.shell.leadership.guard(within(READ_TIMEOUT, storing)).await?;
        self.shell.journal.told(self.key, happened.len());
        Ok(stored)
    }

    /// Writes the audit log, if there is one, where the phase is another or was not written. `None`: there is none.
    async fn audit(
        &self,
        object: &PeeringIncident,
        status: &PeeringIncidentStatus,
        now: Timestamp,
    ) -> Option<Result<(), String>> {
        let log = self.shell.audit_log.as_ref()?;
        let before = object.status.as_ref();
        let is_same = before.is_some_and(|before| before.phase == status.phase);
        if is_same && before.is_some_and(remember::is_audited) {
            return Some(Ok(()));
        }
        let written = log.write(&audit::line(object, status, now)).await;
        if let Err(error) = &written {
            self.shell.metrics.audit_failed();
            tracing::error!(
                object = %self.key, incident = %object.name_any(), %error,
                "the audit log could not be written; see --audit-log"
            );
        }
        Some(written)
    }

    /// The same incident as it is now, if it still is the same.
    async fn again(&self, before: &PeeringIncident) -> Option<PeeringIncident> {
        let name = ObjectKey::new(self.key.namespace.clone(), before.name_any());
        let now = within(READ_TIMEOUT, self.shell.cluster.incident(&name)).await.ok().flatten()?;
        (now.metadata.uid == before.metadata.uid).then_some(now)
    }
}

/// As much of an incident as is kept between turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    uid: String,
    /// The `VpcPeering`, and its uid.
    of: (ObjectKey, String),
    decision: Decision,
    detected: Option<Timestamp>,
    is_settled: bool,
}

impl Kept {
    fn of(object: &PeeringIncident) -> Self {
        let spec = &object.spec;
        let of = ObjectKey::new(object.namespace().unwrap_or_default(), spec.peering_ref.name.as_str());
        Self {
            uid: object.uid().unwrap_or_default(),
            of: (of, spec.peering_ref.uid.clone()),
            decision: spec.decision.clone(),
            detected: object.status.as_ref().and_then(|status| status.detected_at),
            is_settled: object.status.as_ref().is_some_and(remember::is_settled),
        }
    }
}

/// An incident was shown: somebody may have decided, or there may be too many of them now.
pub fn shown(shell: &Arc<Shell>, object: &PeeringIncident) {
    let (key, now) = (super::cluster::key_of(object), Kept::of(object));
    let before = shell.state().incidents.insert(key, now.clone());
    let decided = before.as_ref().map_or(Decision::default(), |before| before.decision.clone());
    if decided != now.decision {
        shell.enqueue(&now.of.0, Urgency::Hint);
    }
    if now.is_settled && before.is_none_or(|before| !before.is_settled) {
        shell.prune_work.notify(now.of.1.into());
    }
}

/// An incident is gone: while its loss is open, it is made anew.
pub fn gone(shell: &Arc<Shell>, key: &ObjectKey) {
    let before = shell.state().incidents.remove(key);
    if let Some(before) = before.filter(|before| !before.is_settled) {
        shell.enqueue(&before.of.0, Urgency::Hint);
    }
}

/// One that can't be read decides nothing.
pub fn unreadable(shell: &Arc<Shell>, key: &ObjectKey, why: &str) {
    tracing::error!(incident = %key, error = why, "the PeeringIncident can't be read; nothing is decided by it");
    shell.state().incidents.remove(key);
}

/// Lets go of old incidents for as long as this replica leads.
pub async fn prune(shell: Arc<Shell>) {
    loop {
        let uid = shell.prune_work.next().await;
        let old = too_many(&shell.state().incidents, &uid, shell.incident_history);
        for (key, incident) in old {
            let deleting = shell.cluster.delete_incident(&key, &incident.uid);
            match shell.leadership.guard(within(READ_TIMEOUT, deleting)).await {
                Ok(()) => {
                    tracing::info!(incident = %key, "an old PeeringIncident was let go: --incident-history")
                }
                Err(error) => {
                    tracing::warn!(incident = %key, %error, "an old PeeringIncident could not be let go");
                }
            }
        }
    }
}

/// The settled incidents of a `VpcPeering` beyond those that are kept, the oldest first.
fn too_many(all: &BTreeMap<ObjectKey, Kept>, of: &str, keep: usize) -> Vec<(ObjectKey, Kept)> {
    let mut settled: Vec<_> = all.iter().filter(|(_, it)| it.is_settled && it.of.1 == of).collect();
    settled.sort_by_key(|(key, it)| (it.detected, *key));
    let more = settled.len().saturating_sub(keep);
    settled.into_iter().take(more).map(|(key, it)| (key.clone(), it.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(of: &str, at: i64, is_settled: bool) -> Kept {
        Kept {
            uid: format!("{of}-{at}"),
            of: (ObjectKey::new("net", "hub"), of.to_owned()),
            decision: Decision::default(),
            detected: Timestamp::from_second(at).ok(),
            is_settled,
        }
    }

    #[test]
    fn the_oldest_settled_ones_go_and_open_ones_never() {
        let mut all = BTreeMap::new();
        for (n, it) in [
            kept("a", 50, true),
            kept("a", 10, true),
            kept("a", 5, false),
            kept("a", 30, true),
            kept("b", 1, true),
        ]
        .into_iter()
        .enumerate()
        {
            all.insert(ObjectKey::new("net", format!("i{n}")), it);
        }
        let gone = |keep| -> Vec<String> {
            too_many(&all, "a", keep).into_iter().map(|(_, incident)| incident.uid).collect()
        };
        assert_eq!(gone(1), ["a-10", "a-30"]);
        assert_eq!(gone(2), ["a-10"]);
        assert_eq!(gone(3), [""; 0]);
    }
}
