//! The incidents of the object whose turn it is: read, made, and told.
//!
//! An incident that can't be stored never keeps a flag from being raised: status is stored all the same, and the engine
//! does not act until the incident is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::ObjectMeta;
use peerkeeper_core::ids::{ObjectKey, PeeringId};
use peerkeeper_core::incident::{self, Found, Incident, IncidentRef, IncidentSeen, Kinds, Recorded};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Live};
use peerkeeper_core::write::{Outcome, WriteCall};

use super::audit;
use super::cluster::ClusterError;
use super::drive::{READ_TIMEOUT, within};
use super::shell::{Shell, lock, now};
use crate::api::incident::Decision;
use crate::api::{LABEL_PEERING_UID, PeeringIncident, PeeringIncidentStatus, VpcPeering};
use crate::aws::Sent;
use crate::remember::{self, Happened, Telling, Wanted};

/// How often a status that somebody else's change came before is computed anew.
const TRIES: usize = 3;
/// So many deeds wait to be told. More would be left out of the timeline's middle anyway.
const WAITING_MAX: usize = 400;

/// What was done about losses and drifts and is not in their incidents yet; and what the audit log has of incidents that
/// could not be made.
#[derive(Default)]
pub struct Journal {
    /// By the `VpcPeering` and the incident's name.
    waiting: Mutex<BTreeMap<(ObjectKey, String), Vec<Happened>>>,
    /// The phase that was written last.
    unmade: Mutex<BTreeMap<(ObjectKey, String), &'static str>>,
}

impl Journal {
    /// Notes what was done for the incident that is open by this memory, if one is.
    pub fn note(&self, key: &ObjectKey, memory: &Memory, happened: Happened) {
        let loss = memory.episode.as_ref().map(|episode| incident::name(key, episode.lost));
        let Some(name) = loss.or_else(|| memory.open_drift().map(|drift| drift.name(key))) else { return };
        let mut all = lock(&self.waiting);
        let of_it = all.entry((key.clone(), name)).or_default();
        if of_it.len() < WAITING_MAX {
            of_it.push(happened);
        }
    }

    fn waiting(&self, key: &ObjectKey, name: &str) -> Vec<Happened> {
        lock(&self.waiting).get(&(key.clone(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// The first of them were told.
    fn told(&self, key: &ObjectKey, name: &str, count: usize) {
        let (mut all, of) = (lock(&self.waiting), (key.clone(), name.to_owned()));
        if let Some(of_it) = all.get_mut(&of) {
            of_it.drain(..count.min(of_it.len()));
            if of_it.is_empty() {
                all.remove(&of);
            }
        }
    }

    /// False if the audit log has this phase of an incident that is not there.
    fn is_news(&self, key: &ObjectKey, told: &Incident) -> bool {
        let of = (key.clone(), told.name.to_string());
        lock(&self.unmade).insert(of, told.phase.as_str()) != Some(told.phase.as_str())
    }

    pub fn forget(&self, key: &ObjectKey) {
        lock(&self.waiting).retain(|(of, _), _| of != key);
        lock(&self.unmade).retain(|(of, _), _| of != key);
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

/// The incidents of one object during one turn.
pub struct Incidents<'a> {
    shell: &'a Arc<Shell>,
    /// The `VpcPeering`.
    key: &'a ObjectKey,
    /// By name, as they were read or stored last, if they are ours to write.
    objects: BTreeMap<String, PeeringIncident>,
}

impl<'a> Incidents<'a> {
    pub fn new(shell: &'a Arc<Shell>, key: &'a ObjectKey) -> Self {
        Self { shell, key, objects: BTreeMap::new() }
    }

    /// What stands under the names of the incidents of the object's latest loss and latest drift, as far as they still
    /// matter.
    pub async fn read(&mut self, peering: &VpcPeering) -> Kinds<IncidentSeen> {
        self.objects.clear();
        let Ok((memory, _)) = remember::memory(peering.status.as_ref()) else { return Kinds::default() };
        let wanted = remember::incidents_of_interest(self.key, &memory, now().wall);
        let uid = peering.uid().unwrap_or_default();
        Kinds { loss: self.read_one(wanted.loss, &uid).await, drift: self.read_one(wanted.drift, &uid).await }
    }

    async fn read_one(&mut self, wanted: Option<Wanted>, uid: &str) -> IncidentSeen {
        let Some(Wanted { name, peering }) = wanted else { return IncidentSeen::Unread };
        match self.get(&name, peering, uid).await {
            Ok(None) => IncidentSeen::Absent,
            Ok(Some((object, found))) => {
                if found.is_like_ours {
                    self.objects.insert(name, object);
                }
                IncidentSeen::Found(found)
            }
            Err(error) => {
                tracing::warn!(object = %self.key, incident = name, %error, "the PeeringIncident could not be read");
                IncidentSeen::Unread
            }
        }
    }

    async fn get(
        &self,
        name: &str,
        peering: PeeringId,
        uid: &str,
    ) -> Result<Option<(PeeringIncident, Found)>, ClusterError> {
        let key = ObjectKey::new(self.key.namespace.clone(), name);
        let Some(object) = within(READ_TIMEOUT, self.shell.cluster.incident(&key)).await? else {
            return Ok(None);
        };
        let found = remember::incident_found(&object, self.key, uid, peering);
        Ok(found.map(|found| (object, found)))
    }

    /// Makes the incidents that a commit needs, or takes over those that may be ours, and has memory name them. What could
    /// not be made goes to the audit log all the same.
    pub async fn make(&mut self, live: &Live, commit: &mut Commit) -> Vec<Recorded> {
        let mut recorded = Vec::new();
        for told in commit.needs_incidents().cloned().collect::<Vec<_>>() {
            match self.make_one(live, &told).await {
                Some(at) => recorded.push((told.name.clone(), at)),
                None => self.audit_unmade(live, &told).await,
            }
        }
        recorded.iter().for_each(|one| commit.record(one));
        recorded
    }

    async fn make_one(&mut self, live: &Live, told: &Incident) -> Option<IncidentRef> {
        // Kubernetes takes no new object there.
        if live.desired.namespace_terminating {
            return None;
        }
        let made = match self.create(live, told).await {
            Err(ClusterError::Conflict) => self.take_over(live, told).await,
            made => made.map(Some),
        };
        match made {
            Ok(object) => {
                let object = object?;
                let at = remember::incident_ref(&object)?;
                self.objects.insert(told.name.to_string(), object);
                Some(at)
            }
            Err(error) => {
                tracing::error!(
                    object = %self.key, incident = %told.name, %error,
                    "the PeeringIncident could not be stored; nothing is changed in AWS before it is"
                );
                None
            }
        }
    }

    /// Each phase of an incident that is not there is a line of the audit log, once for each process.
    async fn audit_unmade(&self, live: &Live, told: &Incident) {
        let Some(log) = &self.shell.audit_log else { return };
        if !self.shell.journal.is_news(self.key, told) {
            return;
        }
        let (object, now) = (self.unmade(live, told), Timestamp::now());
        let telling = Telling { of: self.key, generation: 0, happened: &[], audit: None };
        let status = remember::incident_status(told, &telling, None, now);
        if let Err(error) = log.write(&audit::line(&object, &status, now)).await {
            self.not_audited(&told.name, &error);
        }
    }

    fn not_audited(&self, incident: &str, error: &str) {
        self.shell.metrics.audit_failed();
        tracing::error!(
            object = %self.key, incident, error,
            "the audit log could not be written; see --audit-log"
        );
    }

    fn unmade(&self, live: &Live, told: &Incident) -> PeeringIncident {
        let uid = live.desired.uid.to_string();
        PeeringIncident {
            metadata: ObjectMeta {
                name: Some(told.name.to_string()),
                namespace: Some(self.key.namespace.to_string()),
                labels: Some([(LABEL_PEERING_UID.to_owned(), uid.clone())].into()),
                ..ObjectMeta::default()
            },
            spec: remember::incident_spec(self.key, &uid, told.peering),
            status: None,
        }
    }

    async fn create(&self, live: &Live, told: &Incident) -> Result<PeeringIncident, ClusterError> {
        let incident = self.unmade(live, told);
        self.shell.leadership.guard(self.shell.cluster.create_incident(&incident)).await
    }

    /// One that says what ours would, and decides nothing, was made before a crash, or is as good as that.
    async fn take_over(&self, live: &Live, told: &Incident) -> Result<Option<PeeringIncident>, ClusterError> {
        let found = self.get(&told.name, told.peering, &live.desired.uid).await?;
        let taken = found.filter(|(_, found)| found.may_be_taken_over()).map(|(object, _)| object);
        if taken.is_none() {
            tracing::error!(
                object = %self.key, incident = %told.name,
                "another PeeringIncident stands under this name; delete it, or nothing is done about what it would tell"
            );
        }
        Ok(taken)
    }

    /// Has the incidents tell what was just committed. One that can't be stored is told at the next commit: what it
    /// repeats is in the object's own status.
    pub async fn tell(&mut self, commit: &Commit) {
        for told in &commit.incidents {
            self.tell_one(told).await;
        }
    }

    async fn tell_one(&mut self, told: &Incident) {
        for _ in 0..TRIES {
            let Some(object) = self.objects.remove(&*told.name) else { return };
            let kept = match self.store(&object, told).await {
                Err(ClusterError::Conflict) => {
                    let again = self.again(&object).await;
                    self.objects.extend(again.map(|object| (told.name.to_string(), object)));
                    continue;
                }
                Ok(stored) => stored,
                Err(error) => {
                    tracing::warn!(object = %self.key, incident = %told.name, %error, "the PeeringIncident's status could not be stored");
                    object
                }
            };
            self.objects.insert(told.name.to_string(), kept);
            return;
        }
    }

    async fn store(
        &self,
        object: &PeeringIncident,
        told: &Incident,
    ) -> Result<PeeringIncident, ClusterError> {
        let happened = self.shell.journal.waiting(self.key, &told.name);
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
        self.shell.journal.told(self.key, &told.name, happened.len());
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
            self.not_audited(&object.name_any(), error);
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
