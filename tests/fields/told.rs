//! The incidents that the operator makes and tells: what its shell does, on objects in memory.

use peerkeeper::remember::{self, Telling};
use peerkeeper_core::desired::Desired;
use peerkeeper_core::incident::{self, IncidentRef, IncidentSeen};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::turn::Commit;
use serde_json::json;

use super::cluster::NAMESPACE;
use super::operator::Operator;
use super::schema::Kind;

impl Operator {
    pub fn incident_seen(&self, desired: &Desired, memory: &Memory) -> IncidentSeen {
        let Some(lost) = remember::incident_of_interest(memory, self.now().wall) else {
            return IncidentSeen::Unread;
        };
        match self.cluster.incident(&incident::name(&desired.key, lost)) {
            None => IncidentSeen::Absent,
            Some(object) => {
                let found = remember::incident_found(&object, &desired.key, &desired.uid, lost);
                IncidentSeen::Found(found.expect("it was stored, so it has a uid"))
            }
        }
    }

    /// Makes the incident that a commit needs, or takes over what may be ours.
    pub fn make_incident(&mut self, desired: &Desired, commit: &mut Commit) -> Option<IncidentRef> {
        let told = commit.needs_incident()?.clone();
        if self.cluster.incident(&told.name).is_none() {
            let spec = remember::incident_spec(&desired.key, &desired.uid, told.lost);
            let object = json!({
                "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
                "metadata": {"name": &*told.name, "namespace": NAMESPACE}, "spec": spec,
            });
            self.cluster
                .apply(&object, &self.timestamp().to_string())
                .expect("the schema takes our incidents");
            self.changes += 1;
        }
        let object = self.cluster.incident(&told.name)?;
        let found = remember::incident_found(&object, &desired.key, &desired.uid, told.lost)?;
        found.may_be_taken_over().then(|| {
            commit.record(found.at.clone());
            found.at
        })
    }

    pub fn tell_incident(&mut self, desired: &Desired, commit: &Commit) {
        let Some(told) = commit.incident.as_deref() else { return };
        let Some(object) = self.cluster.incident(&told.name) else { return };
        let generation = object.metadata.generation.unwrap_or_default();
        let telling = Telling { of: &desired.key, generation, happened: &[], audit: None };
        let status = remember::incident_status(told, &telling, object.status.as_ref(), self.timestamp());
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        let status = serde_json::to_value(status).expect("JSON");
        let name = (Kind::PeeringIncident, told.name.to_string());
        let stored = self.cluster.change(&name, &version, |object| object["status"] = status);
        if stored.expect("nobody else writes it") != version {
            self.changes += 1;
        }
    }
}
