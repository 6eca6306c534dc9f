//! What stands for the `PeeringIncident`s in the API server.

use std::collections::BTreeMap;
use std::sync::Arc;

use peerkeeper_core::ids::{ObjectKey, PeeringId};
use peerkeeper_core::incident::{
    self, Class, Decision, DecisionVerdict, Found, Incident, IncidentRef, IncidentSeen, Kinds, Recorded,
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
    pub fn seen(&self, key: &ObjectKey, memory: &Memory) -> Kinds<IncidentSeen> {
        let loss = memory.case.as_ref().map(|case| (incident::name(key, case.of), case.of));
        let drift = memory.drift.as_ref().map(|drift| (drift.name(key), drift.of));
        Kinds { loss: self.one(key, loss), drift: self.one(key, drift) }
    }

    fn one(&self, key: &ObjectKey, wanted: Option<(String, PeeringId)>) -> IncidentSeen {
        let Some((name, of)) = wanted else { return IncidentSeen::Unread };
        match self.stored.get(&ObjectKey::new(key.namespace.clone(), name)) {
            None => IncidentSeen::Absent,
            Some(stored) => IncidentSeen::Found(Found {
                at: stored.at.clone(),
                is_like_ours: stored.of.1 == of,
                decision: stored.decision.clone(),
            }),
        }
    }

    /// Makes the incidents that a commit needs, or takes over what may be ours, and has memory name them.
    pub fn record(&mut self, live: &Live, commit: &mut Commit) -> Vec<Recorded> {
        let (key, uid) = (&live.desired.key, &live.desired.uid);
        let needed: Vec<Arc<str>> = commit.needs_incidents().map(|told| told.name.clone()).collect();
        let mut recorded = Vec::new();
        let may_be_made = !live.desired.namespace_terminating;
        for told in commit.incidents.clone().into_iter().filter(|_| may_be_made) {
            let name = ObjectKey::new(key.namespace.clone(), &*told.name);
            let is_needed = needed.contains(&told.name);
            if is_needed && !self.stored.contains_key(&name) {
                self.made += 1;
                let at = IncidentRef { uid: format!("incident-{}", self.made).into(), generation: 1 };
                let of = (uid.clone(), told.peering);
                self.stored
                    .insert(name.clone(), Stored { at, of, decision: Decision::default(), told: None });
            }
            let Some(stored) = self.stored.get_mut(&name) else { continue };
            let may = stored.of.1 == told.peering && stored.decision.verdict == DecisionVerdict::Pending;
            if is_needed && !may {
                continue;
            }
            if is_needed {
                recorded.push((told.name.clone(), stored.at.clone()));
            }
            stored.told = Some(told);
        }
        recorded.iter().for_each(|one| commit.record(one));
        recorded
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

    /// A person decides about the drift that is open.
    pub fn decide_drift(&mut self, key: &ObjectKey, verdict: DecisionVerdict, digest: &str) {
        let of_key = |stored: &&mut Stored| {
            let told = stored.told.as_ref();
            told.is_some_and(|told| told.class == Class::Drift && !told.phase.is_over())
        };
        let mut all = self.stored.iter_mut().filter(|(name, _)| name.name.starts_with(&*key.name));
        let stored = all.find_map(|(_, stored)| Some(stored).filter(of_key)).expect("an open drift");
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
        self.delete_named(&name(key, lost));
    }

    pub fn delete_named(&mut self, name: &ObjectKey) {
        self.stored.remove(name);
    }

    /// Somebody else stands in its place.
    pub fn plant(&mut self, key: &ObjectKey, of: (Arc<str>, PeeringId), decision: Decision) {
        self.plant_named(name(key, of.1), of, decision);
    }

    pub fn plant_named(&mut self, name: ObjectKey, of: (Arc<str>, PeeringId), decision: Decision) {
        let at = IncidentRef { uid: "planted".into(), generation: 7 };
        self.stored.insert(name, Stored { at, of, decision, told: None });
    }
}
