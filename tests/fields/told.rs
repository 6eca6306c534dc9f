//! The incidents that the operator makes and tells: what its shell does, on objects in memory.

use peerkeeper::remember::{self, Telling, Wanted};
use peerkeeper_core::desired::Desired;
use peerkeeper_core::incident::{Incident, IncidentSeen, Kinds, Recorded};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::turn::Commit;
use serde_json::json;

use super::cluster::NAMESPACE;
use super::operator::Operator;
use super::schema::Kind;

impl Operator {
    pub fn incidents_seen(&self, desired: &Desired, memory: &Memory) -> Kinds<IncidentSeen> {
        let wanted = remember::incidents_of_interest(&desired.key, memory, self.now().wall);
        let seen = |wanted: Option<Wanted>| {
            let Some(Wanted { name, peering }) = wanted else { return IncidentSeen::Unread };
            let Some(object) = self.cluster.incident(&name) else { return IncidentSeen::Absent };
            let found = remember::incident_found(&object, &desired.key, &desired.uid, peering);
            IncidentSeen::Found(found.expect("it was stored, so it has a uid"))
        };
        Kinds { loss: seen(wanted.loss), drift: seen(wanted.drift) }
    }

    /// Makes the incidents that a commit needs, or takes over what may be ours.
    pub fn make_incidents(&mut self, desired: &Desired, commit: &mut Commit) -> Vec<Recorded> {
        let needed: Vec<Incident> = commit.needs_incidents().cloned().collect();
        let recorded: Vec<Recorded> =
            needed.iter().filter_map(|told| self.make_incident(desired, told)).collect();
        recorded.iter().for_each(|one| commit.record(one));
        recorded
    }

    fn make_incident(&mut self, desired: &Desired, told: &Incident) -> Option<Recorded> {
        if self.cluster.incident(&told.name).is_none() {
            let spec = remember::incident_spec(&desired.key, &desired.uid, told.peering);
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
        let found = remember::incident_found(&object, &desired.key, &desired.uid, told.peering)?;
        found.may_be_taken_over().then(|| (told.name.clone(), found.at))
    }

    pub fn tell_incidents(&mut self, desired: &Desired, commit: &Commit) {
        for told in &commit.incidents {
            self.tell_incident(desired, told);
        }
    }

    fn tell_incident(&mut self, desired: &Desired, told: &Incident) {
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
