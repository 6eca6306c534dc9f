//! What stands for the API server: the one object, its version, its finalizer.

use peerkeeper_core::claims;
use peerkeeper_core::desired::Desired;
use peerkeeper_core::ids::{ObjectKey, PeeringId, Side};
use peerkeeper_core::incident::{DecisionVerdict, IncidentSeen};
use peerkeeper_core::limits;
use peerkeeper_core::memory::{Act, Memory};
use peerkeeper_core::plan::{Finalizer, Report};
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Committed, Live};

use crate::common::incidents::{Incidents, Stored};
use crate::scenario::{Human, Sabotage, Setup};

#[derive(Clone, Debug, Hash)]
pub struct Object {
    pub deleting: bool,
    pub has_finalizer: bool,
    pub established: Option<PeeringId>,
    pub memory: Memory,
    pub report: Option<Report>,
    /// A version is any number that nobody else holds: how often it was stored makes no other state.
    pub version: u32,
}

#[derive(Clone, Debug, Default, Hash)]
pub struct Store {
    pub object: Option<Object>,
    /// What the AwsAccounts note of removed objects.
    pub removals: Vec<Wall>,
    pub incidents: Incidents,
    /// Sabotage: what a process keeps to itself instead of having it stored.
    unstored: Option<Memory>,
}

impl Store {
    pub fn new() -> Self {
        let object = Object {
            deleting: false,
            has_finalizer: false,
            established: None,
            memory: Memory::default(),
            report: None,
            version: 0,
        };
        Self { object: Some(object), ..Self::default() }
    }

    pub fn live(&self, setup: &Setup) -> Option<Live> {
        let object = self.object.as_ref()?;
        let told = object.report.iter().flat_map(|report| &report.conditions);
        let desired = Desired {
            deleting: object.deleting,
            generation: 1 + i64::from(object.deleting),
            established: object.established,
            ..setup.desired()
        };
        let mut live = Live {
            claims: claims(setup, &desired, &object.memory),
            limits: self.limits(setup, object).view(&setup.key),
            desired,
            policy: setup.policy.clone(),
            grants: setup.grants(),
            memory: object.memory.clone(),
            has_finalizer: object.has_finalizer,
            witness: Default::default(),
            incident: self.incidents.seen(&setup.key, &object.memory),
            version: object.version.to_string().into(),
            told: told.map(|c| (c.kind, (c.truth, c.reason.as_str().into()))).collect(),
        };
        if setup.is(Sabotage::TakesAnyDecision)
            && let IncidentSeen::Found(found) = &mut live.incident.loss
            && found.decision.verdict == DecisionVerdict::Approve
            && let Some(digest) =
                object.memory.case.as_ref().and_then(|c| self.incidents.digest(&setup.key, c.of))
        {
            found.decision.plan_digest = digest;
        }
        if let Some(unstored) = &self.unstored {
            live.memory = unstored.clone();
        }
        forget(setup, &mut live.memory);
        if setup.is(Sabotage::ForgetsLimits) {
            live.limits = limits::LimitsView::default();
            live.policy.limits.max_restores_per_peering = u32::MAX;
        }
        Some(live)
    }

    fn limits(&self, setup: &Setup, object: &Object) -> limits::Table {
        let mut table = limits::Table::default();
        table.set_operator(100, 100);
        let accounts = [Side::Requester, Side::Accepter].map(|side| setup.places.get(side).at().account);
        for account in accounts {
            table.set_account(account, None, self.removals.clone());
        }
        let entry = limits::Entry {
            policy: ObjectKey::new("net", "policy"),
            limits: setup.policy.limits,
            accounts: accounts.to_vec(),
            spent: object.memory.spent.clone(),
            waiting: object.memory.waits_for(),
        };
        table.set_object(setup.key.clone(), entry);
        table
    }

    /// All or nothing, and only onto the version that it was computed from; `fresh` is a version that nobody holds.
    pub fn commit(&mut self, setup: &Setup, commit: &Commit, now: Wall, fresh: u32) -> Committed {
        let Some(object) = &self.object else { return Committed::Conflict };
        if commit.version.as_ref() != object.version.to_string() {
            return Committed::Conflict;
        }
        if setup.is(Sabotage::ActsBeforeCommit) && commit.memory.episode.is_some() {
            let mut commit = commit.clone();
            let live = self.live(setup);
            let recorded = live.map(|live| self.incidents.record(&live, &mut commit)).unwrap_or_default();
            self.unstored = Some(commit.memory);
            return Committed::Stored { version: commit.version, recorded };
        }
        if let Some(room) = commit.reserve {
            let sabotaged = setup.is(Sabotage::ForgetsLimits);
            if let Err(latch) = self.limits(setup, object).reserve(&setup.key, room, now)
                && !sabotaged
            {
                return Committed::OverLimit(latch);
            }
            if room.act == Act::Finalize {
                self.removals.push(now);
            }
        }
        let mut commit = commit.clone();
        let Some(live) = self.live(setup) else { return Committed::Conflict };
        let recorded = self.incidents.record(&live, &mut commit);
        let Some(object) = &mut self.object else { return Committed::Conflict };
        let changes = object.memory != commit.memory
            || object.report.as_ref() != Some(&commit.report)
            || commit.finalizer == Finalizer::Add && !object.has_finalizer
            || commit.finalizer == Finalizer::Drop
            || commit.established.is_some() && commit.established != object.established;
        object.memory = commit.memory.clone();
        object.report = Some(commit.report.clone());
        object.established = commit.established.or(object.established);
        match commit.finalizer {
            Finalizer::Keep => {}
            Finalizer::Add => object.has_finalizer = true,
            Finalizer::Drop => object.has_finalizer = false,
        }
        if changes {
            object.version = fresh;
        }
        let version = object.version.to_string().into();
        if object.deleting && !object.has_finalizer {
            self.object = None;
        }
        Committed::Stored { version, recorded }
    }

    /// The incident that memory names, or would name.
    pub fn incident(&self, setup: &Setup) -> Option<&Stored> {
        let lost = self.object.as_ref()?.memory.case.as_ref()?.of;
        self.incidents.get(&setup.key, lost)
    }

    pub fn decide(&mut self, setup: &Setup, human: Human) {
        let case = self.object.as_ref().and_then(|object| object.memory.case.as_ref());
        let Some(lost) = case.map(|case| case.of) else { return };
        match human {
            Human::DeletesIncident => self.incidents.delete(&setup.key, lost),
            Human::Approves if self.incidents.digest(&setup.key, lost).is_some() => {
                self.incidents.decide(&setup.key, lost, DecisionVerdict::Approve);
            }
            _ => self.incidents.decide_on(&setup.key, lost, DecisionVerdict::Approve, "sha256:0"),
        }
    }

    /// A user deletes the object.
    pub fn delete(&mut self, fresh: u32) {
        match &mut self.object {
            Some(object) if object.has_finalizer => {
                object.deleting = true;
                object.version = fresh;
            }
            _ => self.object = None,
        }
    }
}

/// What a sabotaged operator does not remember.
fn forget(setup: &Setup, memory: &mut Memory) {
    if setup.is(Sabotage::ForgetsIntents) {
        memory.create_intent = None;
    }
    if setup.is(Sabotage::ForgetsWhatWasTold) {
        memory.episode = None;
    }
}

fn claims(setup: &Setup, desired: &Desired, memory: &Memory) -> claims::ClaimsView {
    let mut table = claims::Table::default();
    table.set(claims::Entry {
        key: setup.key.clone(),
        uid: desired.uid.clone(),
        created: desired.created,
        deleting: desired.deleting,
        pair: setup.pair(),
        granted: true,
        memory: std::sync::Arc::new(memory.clone()),
    });
    table.view(&setup.key)
}
