//! What stands for the `PeeringIncident`s in the API server.

use std::collections::BTreeMap;
use std::sync::Arc;

use peerkeeper_core::ids::{ObjectKey, PeeringId};
use peerkeeper_core::incident::{
    self, Decision, DecisionVerdict, Found, Incident, IncidentRef, IncidentSeen,
};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::turn::{Commit, Live};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Incidents {
    stored: BTreeMap<ObjectKey, Stored>,
    made: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    at: IncidentRef,
    /// `spec.peeringRef.uid` and `spec.peeringId`.
    of: (Arc<str>, PeeringId),
    decision: Decision,
    /// Its status, as last told.
    pub told: Option<Incident>,
}

fn name(key: &ObjectKey, lost: PeeringId) -> ObjectKey {
    ObjectKey::new(key.namespace.clone(), incident::name(key, lost))
}

impl Incidents {
    /// What a turn that begins now reads.
    pub fn seen(&self, key: &ObjectKey, memory: &Memory) -> IncidentSeen {
        let Some(case) = &memory.case else { return IncidentSeen::Unread };
        match self.stored.get(&name(key, case.of)) {
            None => IncidentSeen::Absent,
            Some(stored) => IncidentSeen::Found(Found {
                at: stored.at.clone(),
                is_like_ours: stored.of.1 == case.of,
                decision: stored.decision.clone(),
            }),
        }
    }

    /// Makes the incident that a commit needs, or takes over what may be ours, and has memory name it.
    pub fn record(&mut self, live: &Live, commit: &mut Commit) -> Option<IncidentRef> {
        let (key, uid) = (&live.desired.key, &live.desired.uid);
        let told = commit.incident.as_deref()?.clone();
        let name = name(key, told.lost);
        let is_needed = commit.needs_incident().is_some();
        if is_needed && !self.stored.contains_key(&name) {
            self.made += 1;
            let at = IncidentRef { uid: format!("incident-{}", self.made).into(), generation: 1 };
            let of = (uid.clone(), told.lost);
            self.stored.insert(name.clone(), Stored { at, of, decision: Decision::default(), told: None });
        }
        let stored = self.stored.get_mut(&name)?;
        let may = stored.of.1 == told.lost && stored.decision.verdict == DecisionVerdict::Pending;
        if is_needed && !may {
            return None;
        }
        stored.told = Some(told);
        let at = stored.at.clone();
        is_needed.then(|| {
            commit.record(at.clone());
            at
        })
    }

    pub fn get(&self, key: &ObjectKey, lost: PeeringId) -> Option<&Stored> {
        self.stored.get(&name(key, lost))
    }

    pub fn all(&self) -> impl Iterator<Item = (&ObjectKey, &Stored)> {
        self.stored.iter()
    }

    /// A person decides about the plan that is proposed.
    pub fn decide(&mut self, key: &ObjectKey, lost: PeeringId, verdict: DecisionVerdict) {
        let digest =
            self.digest(key, lost).unwrap_or_else(|| panic!("{key}: no plan is proposed for {lost}"));
        self.decide_on(key, lost, verdict, &digest);
    }

    pub fn decide_on(&mut self, key: &ObjectKey, lost: PeeringId, verdict: DecisionVerdict, digest: &str) {
        let stored = self.stored.get_mut(&name(key, lost)).unwrap_or_else(|| panic!("{key}: no incident"));
        stored.decision = Decision { verdict, plan_digest: digest.into() };
        stored.at.generation += 1;
    }

    pub fn digest(&self, key: &ObjectKey, lost: PeeringId) -> Option<Arc<str>> {
        Some(self.get(key, lost)?.told.as_ref()?.plan.as_ref()?.digest.clone())
    }

    pub fn is_approved(&self, key: &ObjectKey, lost: PeeringId) -> bool {
        self.get(key, lost).is_some_and(|stored| stored.decision.verdict == DecisionVerdict::Approve)
    }

    /// Somebody deletes it.
    pub fn delete(&mut self, key: &ObjectKey, lost: PeeringId) {
        self.stored.remove(&name(key, lost));
    }

    /// Somebody else stands in its place.
    pub fn plant(&mut self, key: &ObjectKey, of: (Arc<str>, PeeringId), decision: Decision) {
        let at = IncidentRef { uid: "planted".into(), generation: 7 };
        self.stored.insert(name(key, of.1), Stored { at, of, decision, told: None });
    }
}
