//! Commits, driven: room under the limits first, then what is stored on the API server, write by write.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{ObjectKey, Side};
use peerkeeper_core::memory::Act;
use peerkeeper_core::plan::Finalizer;
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Committed, Reply};

use crate::api::{ApiRefusal, ApiWrite};
use crate::common::cluster::Object;
use crate::drive::WRITE_TIMEOUT_MS;
use crate::knobs::Knob;
use crate::replica::Storing;
use crate::sabotage;
use crate::stage::{Due, Stage, Whose};
use crate::words::words;

impl Stage {
    pub fn begin_commit(&mut self, whose: &Whose, commit: Box<Commit>) {
        let refused = |why: &str| Reply::Committed(Committed::Failed(why.into()));
        if !self.may_lead(whose.replica, 0) {
            return self.drive(whose, refused("the lease is lost"));
        }
        let mut left = match self.reserve(whose, &commit) {
            Ok(left) => left,
            Err(latch) => return self.drive(whose, Reply::Committed(Committed::OverLimit(latch))),
        };
        if !self.may_lead(whose.replica, WRITE_TIMEOUT_MS) {
            self.release(whose, &commit);
            return self.drive(whose, refused("the lease would not outlast it"));
        }
        let version = commit.version.to_string();
        let now = self.now(whose.replica).wall;
        let mut commit = commit;
        if let Some(stored) = self.flight(whose).and_then(|flight| flight.stored.clone()) {
            sabotage::spoil_commit(self, &stored, &mut commit, now);
        }
        // The incident is a write of its own: a crash between it and what follows leaves it to be taken over.
        let live = self.flight(whose).and_then(|flight| flight.turn.live().cloned());
        let reaches = self.reaches_api(whose.replica);
        let live = live.filter(|_| reaches);
        let recorded =
            live.map(|live| self.api.truth.incidents.record(&live, &mut commit)).unwrap_or_default();
        let Some(flight) = self.flight(whose) else { return };
        let Some(object) = flight.object.clone() else { return };
        left.extend(writes_of(&object, &commit));
        let whose = whose.clone();
        flight.commit = Some(Storing { commit, left, version, number: 0, recorded });
        self.store_next(&whose);
    }

    /// Takes room under the limits; what is removed from AWS is noted on the accounts first.
    fn reserve(
        &mut self,
        whose: &Whose,
        commit: &Commit,
    ) -> Result<Vec<ApiWrite>, peerkeeper_core::memory::Latch> {
        let Some(room) = commit.reserve else { return Ok(Vec::new()) };
        let act = room.act;
        let at = spent_at(commit, act);
        use sabotage::Sabotage::{ForgetsAccountLimit, ForgetsLimits, ForgetsPolicyLimit};
        let forgetful = [ForgetsLimits, ForgetsPolicyLimit, ForgetsAccountLimit];
        let forgets = self.sabotage.is_some_and(|sabotage| forgetful.contains(&sabotage));
        if let Err(latch) = self.replicas[whose.replica].limits.reserve(&whose.key, room, at)
            && !forgets
        {
            return Err(latch);
        }
        let Some(flight) = self.flight(whose).filter(|_| act == Act::Finalize) else { return Ok(Vec::new()) };
        let Some(object) = &flight.object else { return Ok(Vec::new()) };
        let mut writes = Vec::new();
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &object.sides.get(side).account {
                let (account, uid) = (name.clone(), object.uid.clone());
                writes.push(ApiWrite::NoteRemoval { account, uid, at });
            }
        }
        Ok(writes)
    }

    fn release(&mut self, whose: &Whose, commit: &Commit) {
        if let Some(peerkeeper_core::limits::Reserve { act, .. }) = commit.reserve {
            self.replicas[whose.replica].limits.release(&whose.key, act, spent_at(commit, act));
        }
    }

    /// The next write of a commit, or its end.
    fn store_next(&mut self, whose: &Whose) {
        let number = self.number();
        let Some(flight) = self.flight(whose) else { return };
        let Some(storing) = &mut flight.commit else { return };
        if storing.left.is_empty() {
            return self.commit_ends(whose);
        }
        storing.number = number;
        let write = Box::new(storing.left.remove(0));
        let version = storing.version.clone();
        if self.hits(Knob::Crash) {
            return self.crash(whose.replica);
        }
        let whose = whose.clone();
        self.replicas[whose.replica].writes_in_flight += 1;
        let transit_ms =
            self.transit_ms() + if self.hits(Knob::SlowCall) { self.luck.below(9_000) } else { 0 };
        self.soon(WRITE_TIMEOUT_MS, Due::ApiAnswer { whose: whose.clone(), number, answer: None });
        self.soon(transit_ms, Due::ApiLand { whose, number, version, write });
    }

    pub fn api_lands(&mut self, whose: Whose, number: u64, version: &str, write: &ApiWrite) {
        if !self.reaches_api(whose.replica) || self.hits(Knob::ApiLostBefore) {
            return;
        }
        self.api_calls += 1;
        if self.hits(Knob::ApiConflict) {
            self.touch(&whose.key);
        }
        let now_ms = self.now_ms();
        let skips = self.sabotage == Some(sabotage::Sabotage::SkipsFlag)
            && matches!(write, ApiWrite::Status { memory, .. } if memory.episode.is_some());
        let answer = if skips {
            if let ApiWrite::Status { memory, .. } = write {
                self.skipped.insert(whose.key.clone(), (**memory).clone());
            }
            Ok(version.to_owned())
        } else {
            let before = self.api.object(&whose.key);
            let answer = self.api.write(&whose.key, version, write, now_ms);
            if answer.is_ok() {
                if let (ApiWrite::Status { memory, .. }, Some(flight)) = (write, self.flight(&whose)) {
                    flight.stored = Some(Arc::new((**memory).clone()));
                }
                self.judge_commit(&whose, before.as_deref(), write);
            }
            answer
        };
        self.mark(("api", &whose.key, answer.is_ok()));
        self.say(|| {
            format!("process {} stores {} of {}: {answer:?}", whose.replica, words(write), whose.key)
        });
        if self.hits(Knob::ApiLostAfter) {
            return;
        }
        let transit_ms = self.transit_ms();
        self.soon(transit_ms, Due::ApiAnswer { whose, number, answer: Some(answer) });
    }

    /// Somebody changes a label.
    pub fn touch(&mut self, key: &ObjectKey) {
        let now_ms = self.now_ms();
        if self.api.truth.objects.contains_key(key) {
            self.api.truth.change(key, |_| {});
            self.api.changed(key, now_ms);
        }
    }

    pub fn stored(&mut self, whose: &Whose, number: u64, answer: Option<Result<String, ApiRefusal>>) {
        let Some(flight) = self.flight(whose) else { return };
        let Some(storing) = flight.commit.as_mut().filter(|storing| storing.number == number) else { return };
        match answer {
            Some(Ok(version)) => {
                storing.version = version;
                self.replicas[whose.replica].writes_in_flight -= 1;
                self.store_next(whose);
            }
            failed => {
                let commit = storing.commit.clone();
                flight.commit = None;
                self.replicas[whose.replica].writes_in_flight -= 1;
                self.release(whose, &commit);
                let committed = match failed {
                    Some(Err(ApiRefusal::Conflict | ApiRefusal::Gone)) => Committed::Conflict,
                    _ => Committed::Failed("the API server does not answer".into()),
                };
                self.drive(whose, Reply::Committed(committed));
            }
        }
    }

    fn commit_ends(&mut self, whose: &Whose) {
        let Some(flight) = self.flight(whose) else { return };
        let Some(Storing { commit, version, recorded, .. }) = flight.commit.take() else { return };
        let Some(object) = flight.object.take() else { return };
        // With our own changes to its metadata since.
        let mut next = (*object).clone();
        next.has_finalizer |= commit.finalizer == Finalizer::Add;
        next.established = commit.established.or(next.established);
        next.memory = commit.memory.clone();
        next.report = Some(commit.report.clone());
        let next = Arc::new(next);
        flight.object = Some(next.clone());
        self.remember_stored(whose, &next, &commit, &version);
        let version = version.as_str().into();
        self.drive(whose, Reply::Committed(Committed::Stored { version, recorded }));
    }

    fn remember_stored(&mut self, whose: &Whose, object: &Object, commit: &Commit, version: &str) {
        let now = self.now(whose.replica).mono;
        let this = &mut self.replicas[whose.replica];
        let places = |memory: &peerkeeper_core::memory::Memory| {
            memory.slots.keys().map(|slot| (slot.table, slot.destination)).collect::<BTreeSet<_>>()
        };
        let before = this.claims.get(&whose.key).map(|entry| places(&entry.memory)).unwrap_or_default();
        let let_go = !before.is_subset(&places(&commit.memory));
        if this.enter(object, &commit.memory) {
            this.wake_others_of(&whose.key, now);
        }
        if let Some(known) = this.known.get_mut(&whose.key) {
            known.own_version = version.parse().ok();
            known.report = Some(Arc::new(commit.report.clone()));
        }
        if let_go {
            this.wake_neighbours_of(&whose.key, now);
        }
    }
}

/// Metadata first, then status: memory that names a thing must not be there without the finalizer that guards it.
fn writes_of(object: &Object, commit: &Commit) -> Vec<ApiWrite> {
    if commit.finalizer == Finalizer::Drop {
        return vec![ApiWrite::DropFinalizer];
    }
    let mut writes = Vec::new();
    let finalizer = commit.finalizer == Finalizer::Add && !object.has_finalizer;
    let established = commit.established.filter(|id| object.established != Some(*id));
    if finalizer || established.is_some() {
        writes.push(ApiWrite::Mark { finalizer, established });
    }
    if object.memory != commit.memory || object.report.as_ref() != Some(&commit.report) {
        let (memory, report) = (Box::new(commit.memory.clone()), Box::new(commit.report.clone()));
        writes.push(ApiWrite::Status { memory, report });
    }
    writes
}

/// The moment under which memory holds an act.
fn spent_at(commit: &Commit, act: Act) -> Wall {
    let spent = commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act);
    spent.map(|(_, at)| *at).unwrap_or_default()
}
