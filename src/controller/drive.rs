//! One turn, driven: what each step of the engine's machine asks for is done, and the answer handed back. All decisions
//! are the engine's; what is here moves data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use peerkeeper_core::desired::{AccountRef, Desired};
use peerkeeper_core::ids::{ObjectKey, Side, Sides};
use peerkeeper_core::incident::{IncidentSeen, Kinds};
use peerkeeper_core::limits::Reserve;
use peerkeeper_core::memory::{Act, Memory};
use peerkeeper_core::observed::{Needs, SideView};
use peerkeeper_core::plan::Finalizer;
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::Wall;
use peerkeeper_core::turn::{Commit, Committed, Done, Live, Note, Reply, Step, Turn, TurnResult};
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use super::cluster::ClusterError;
use super::incidents::{self, Incidents};
use super::shell::{Shell, now};
use super::state::{Brief, Told};
use super::{accounts, unparsable};
use crate::api::{ANNOTATION_ESTABLISHED, FINALIZER_CLEANUP, VpcPeering};
use crate::aws::{self, Look, Sent, clock};
use crate::declare;
use crate::remember::{self, Removal};

/// A read of the API server ends within this time, or counts as failed.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an act waits for the Event of what it answers to: what it rests on must not grow old.
const TELL_TIMEOUT: Duration = Duration::from_secs(2);

/// One turn under way.
pub(super) struct Drive<'a> {
    shell: &'a Arc<Shell>,
    key: &'a ObjectKey,
    /// As it was read live, with our own changes to its metadata since.
    object: Option<VpcPeering>,
    incident: Incidents<'a>,
    /// Of what was to be sent last, something waits for its turn in the rate.
    in_line: bool,
}

impl<'a> Drive<'a> {
    pub fn new(shell: &'a Arc<Shell>, key: &'a ObjectKey) -> Self {
        Self { shell, key, object: None, incident: Incidents::new(shell, key), in_line: false }
    }

    pub async fn run(mut self, mut turn: Turn) -> (Done, Recent) {
        let mut reply = Reply::Start;
        loop {
            let step = turn.next(now(), reply);
            if let Step::Write(_) = step {
                // Told before it is acted upon: a crash in the middle of the act must not swallow the flag.
                self.tell(&turn.take_transitions()).await;
            }
            reply = match step {
                Step::ReadLive => self.read_live().await,
                Step::Lookup(key) => match within(READ_TIMEOUT, self.shell.cluster.exists(&key)).await {
                    Ok(exists) => Reply::Exists(exists),
                    Err(error) => Reply::NoAnswer(error.to_string().into()),
                },
                Step::Observe(needs) => Reply::Observed(Box::new(self.observe(&turn, &needs).await)),
                Step::Commit(commit) => Reply::Committed(self.commit(&turn, &commit).await),
                Step::Write(calls) => Reply::Wrote(self.write(&turn, calls).await),
                Step::Done(done) => {
                    if matches!(done.result, TurnResult::Settled | TurnResult::Gone) && !self.in_line {
                        self.shell.writer.leave_line(self.key);
                    }
                    self.tell(&done.events).await;
                    return (done, turn.into_recent());
                }
            };
        }
    }

    /// Counts transitions and acts, and publishes them as Events. One that can't be published is only logged: the
    /// condition says the same.
    async fn tell(&self, notes: &[Note]) {
        let Some(object) = self.object.as_ref().filter(|_| !notes.is_empty()) else { return };
        self.shell.metrics.events(notes);
        let published = async {
            self.shell.cluster.tell(object, notes).await;
            Ok(())
        };
        if let Err(error) = within(TELL_TIMEOUT, self.shell.leadership.guard(published)).await {
            tracing::warn!(object = %self.key, %error, "Events could not be published");
        }
    }

    async fn read_live(&mut self) -> Reply {
        let object = match within(READ_TIMEOUT, self.shell.cluster.read(self.key)).await {
            Ok(Some(object)) => object,
            Ok(None) => return Reply::Live(None),
            Err(error) => return Reply::NoAnswer(error.to_string().into()),
        };
        let incident = self.incident.read(&object).await;
        match self.live(&object, incident) {
            Ok(None) => Reply::Live(None),
            Ok(Some(live)) => {
                self.object = Some(object);
                Reply::Live(Some(Box::new(live)))
            }
            Err(why) => {
                unparsable::report(self.shell, self.key, &why).await;
                Reply::NoAnswer(why.into())
            }
        }
    }

    /// The object and everything that it is judged by, as of now. `None`: its watch has shown meanwhile that it is gone.
    fn live(&self, object: &VpcPeering, incident: Kinds<IncidentSeen>) -> Result<Option<Live>, String> {
        let shell = self.shell;
        let mut state = shell.state();
        if !state.peerings.contains_key(self.key) {
            return Ok(None);
        }
        let terminating = state.namespace(&self.key.namespace).terminating;
        let desired =
            declare::desired(object, terminating, &shell.owner_id).map_err(|error| error.to_string())?;
        let (memory, _) = remember::memory(object.status.as_ref()).map_err(|error| error.to_string())?;
        let grants = state.grants(&desired, &|name, region, vpc| shell.vpc_tags(name, region, vpc));
        let claims_changed = state.enter(&desired, &memory, grants.both_allow());
        let live = Live {
            policy: state.policy_of(&self.key.namespace, &Brief::of(object)),
            claims: state.claims.view(self.key),
            limits: state.limits.view(self.key),
            grants,
            witness: shell.witness_of(&state, &desired, &memory),
            memory,
            incident,
            has_finalizer: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER_CLEANUP),
            version: object.resource_version().unwrap_or_default().into(),
            told: remember::told(object.status.as_ref()),
            desired,
        };
        drop(state);
        if claims_changed {
            shell.wake_others_of(self.key);
        }
        Ok(Some(live))
    }

    async fn observe(&self, turn: &Turn, needs: &Needs) -> Sides<SideView> {
        let Some(live) = turn.live() else { return Sides::default() };
        let reader = &self.shell.reader;
        aws::observe(live, needs, |Look { account, region, needs }| async move {
            match needs {
                Some(needs) => reader.read_narrow(&account, region, needs).await,
                None => reader.view(&account, region),
            }
        })
        .await
    }

    async fn commit(&mut self, turn: &Turn, commit: &Commit) -> Committed {
        let (Some(live), Some(object)) = (turn.live(), self.object.clone()) else {
            return Committed::Failed("nothing was read".into());
        };
        let leadership = self.shell.leadership.clone();
        if !leadership.is_leading() {
            return Committed::Failed(ClusterError::NotLeading.to_string().into());
        }
        if let Err(refused) = self.reserve(&live.desired, commit).await {
            if !matches!(refused, Committed::OverLimit(_)) {
                self.release(commit);
            }
            return refused;
        }
        if commit.finalizer == Finalizer::Drop
            && let Err(why) = self.hand_on_own_calls(&live.desired, &commit.memory).await
        {
            return Committed::Failed(why.into());
        }
        // What decides what may be done is there before memory names it, and memory names it before anything is done.
        let mut commit = commit.clone();
        let recorded = self.incident.make(live, &mut commit).await;
        let stored = leadership.guard(self.store(&object, &commit)).await;
        match stored {
            Ok(version) => {
                self.remember_stored(&live.desired, &commit, &version);
                self.incident.tell(&commit).await;
                Committed::Stored { version: version.into(), recorded }
            }
            Err(error) => {
                self.release(&commit);
                match error {
                    ClusterError::Conflict | ClusterError::Gone => Committed::Conflict,
                    error => Committed::Failed(error.to_string().into()),
                }
            }
        }
    }

    /// Takes room under the limits. What is removed from AWS is noted on the accounts, which outlive the object.
    async fn reserve(&self, desired: &Desired, commit: &Commit) -> Result<(), Committed> {
        let Some(room) = commit.reserve else { return Ok(()) };
        let act = room.act;
        let at = spent_at(commit, act);
        self.shell.state().limits.reserve(self.key, room, at).map_err(Committed::OverLimit)?;
        if act != Act::Finalize {
            return Ok(());
        }
        let removal = Removal {
            at,
            object: self.key.clone(),
            uid: desired.uid.clone(),
            policy: self.shell.state().policy_key(self.key).map(|key| key.to_string().into()),
        };
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &desired.sides.get(side).account {
                accounts::note_removal(self.shell, name, &removal)
                    .await
                    .map_err(|error| Committed::Failed(error.into()))?;
            }
        }
        Ok(())
    }

    /// What the object remembers of our own calls outlives it on its accounts.
    async fn hand_on_own_calls(&self, desired: &Desired, memory: &Memory) -> Result<(), String> {
        if memory.own.is_empty() {
            return Ok(());
        }
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &desired.sides.get(side).account {
                accounts::note_own_calls(self.shell, name, &memory.own).await?;
            }
        }
        Ok(())
    }

    fn release(&self, commit: &Commit) {
        if let Some(Reserve { act, is_approved: _ }) = commit.reserve {
            self.shell.state().limits.release(self.key, act, spent_at(commit, act));
        }
    }

    /// Metadata first, then status: memory that names a thing must not be there without the finalizer that guards it.
    async fn store(&mut self, object: &VpcPeering, commit: &Commit) -> Result<String, ClusterError> {
        let mut version = commit.version.to_string();
        if commit.finalizer == Finalizer::Drop {
            self.shell.cluster.drop_finalizer(object, &version).await?;
            return Ok(version);
        }
        let annotations = annotations(object, commit);
        let add_finalizer =
            commit.finalizer == Finalizer::Add && !object.finalizers().iter().any(|f| f == FINALIZER_CLEANUP);
        if add_finalizer || !annotations.is_empty() {
            version = self.shell.cluster.mark(object, &version, add_finalizer, &annotations).await?;
            if let Some(object) = &mut self.object {
                if add_finalizer {
                    object.finalizers_mut().push(FINALIZER_CLEANUP.to_owned());
                }
                for (key, value) in annotations {
                    object.annotations_mut().insert(key.to_owned(), value);
                }
            }
        }
        let (_, carried) = remember::memory(object.status.as_ref())
            .map_err(|error| ClusterError::Unparsable(error.to_string()))?;
        let status = remember::status(
            &commit.memory,
            &carried,
            &commit.report,
            object.status.as_ref(),
            Timestamp::now(),
        );
        if object.status.as_ref() == Some(&status) {
            return Ok(version);
        }
        let version = self.shell.cluster.store_status(object, &version, &status).await?;
        if let Some(object) = &mut self.object {
            object.status = Some(status);
        }
        Ok(version)
    }

    fn remember_stored(&self, desired: &Desired, commit: &Commit, version: &str) {
        let shell = self.shell;
        let mut state = shell.state();
        let memory: &Memory = &commit.memory;
        let granted = shell.is_granted(&state, desired);
        let places = |memory: &Memory| {
            memory.slots.keys().map(|slot| (slot.table, slot.destination)).collect::<BTreeSet<_>>()
        };
        let before = state.claims.get(self.key).map(|entry| places(&entry.memory)).unwrap_or_default();
        let let_go = !before.is_subset(&places(memory));
        let claims_changed = state.enter(desired, memory, granted);
        if let Some(known) = state.peerings.get_mut(self.key) {
            known.own_version = Some(version.to_owned());
            known.told = Some(Told::from(&commit.report));
        }
        drop(state);
        if claims_changed {
            shell.wake_others_of(self.key);
        }
        if let_go {
            shell.wake_neighbours_of(self.key);
        }
    }

    async fn write(&mut self, turn: &Turn, calls: Vec<WriteCall>) -> Vec<Outcome> {
        let Some(live) = turn.live() else {
            return calls.iter().map(|_| Outcome::NotSent(NotSent::Stale)).collect();
        };
        let (shell, leadership) = (self.shell, &self.shell.leadership);
        let timeout = shell.writer.timeout();
        let _in_flight = leadership.begin_write();
        // Asked right before a request leaves: what the write rests on may have grown old while it waited for a token.
        let oldest = clock::now();
        let gate = || {
            leadership.may_write(timeout)?;
            let is_old = clock::now().since_ms(oldest) > shell.timing.fresh_ms;
            if is_old { Err(NotSent::Stale) } else { Ok(()) }
        };
        let named = |call| (account_of(live, call), call);
        let named: Vec<_> = calls.iter().map(named).collect();
        let sent = shell.writer.send_all(self.key, &named, gate).await;
        let waits = |sent: &Sent| matches!(sent.outcome, Outcome::NotSent(NotSent::Rate { .. }));
        self.in_line = sent.iter().any(waits);
        for (call, sent) in calls.iter().zip(&sent) {
            let Sent { outcome, request_id } = sent;
            if let Outcome::Done(_) = outcome {
                shell.wrote(call.at, call.action(), request_id.clone());
            }
            let request_id = request_id.as_deref().unwrap_or_default();
            tracing::info!(object = %self.key, write = %call, ?outcome, request_id, "write");
            let happened = incidents::happened(now().wall, call, sent);
            if let Some(happened) = happened {
                self.shell.journal.note(self.key, &live.memory, happened);
            }
        }
        sent.into_iter().map(|sent| sent.outcome).collect()
    }
}

fn account_of<'a>(live: &'a Live, call: &WriteCall) -> Option<&'a str> {
    match &live.desired.sides.get(call.side).account {
        AccountRef::Managed(name) => Some(name),
        AccountRef::Foreign(_) => None,
    }
}

/// The moment under which memory holds an act: what is reserved and what is stored are then one.
fn spent_at(commit: &Commit, act: Act) -> Wall {
    let spent = commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act);
    spent.map_or_else(|| now().wall, |(_, at)| *at)
}

/// An idle connection whose other end is gone says nothing for minutes.
pub(super) async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    tokio::time::timeout(limit, asked).await.unwrap_or(Err(ClusterError::NoAnswer))
}

/// The annotation that survives tools which drop status, if it says something else now.
fn annotations(object: &VpcPeering, commit: &Commit) -> Vec<(&'static str, String)> {
    let Some(id) = commit.established else { return Vec::new() };
    let said = object.annotations().get(ANNOTATION_ESTABLISHED);
    if said.is_some_and(|said| *said == id.to_string()) {
        return Vec::new();
    }
    vec![(ANNOTATION_ESTABLISHED, id.to_string())]
}

#[cfg(test)]
mod tests {
    use peerkeeper_core::desired::{Grant, Policy};

    use super::*;
    use crate::aws::NarrowNeeds;

    /// A table that holds a route to a prefix list, as every gateway endpoint makes one, can be counted only once that list
    /// is read, whoever's route it is.
    #[test]
    fn prefix_lists_are_read_because_they_are_asked_for() {
        let desired = super::super::state::tests::desired();
        let live = Live {
            policy: Policy::built_in(),
            grants: Sides::from_fn(|_| Grant::NoAccount { name: "prod".into() }),
            claims: Default::default(),
            limits: Default::default(),
            memory: Memory::default(),
            witness: Default::default(),
            incident: Default::default(),
            has_finalizer: false,
            version: "1".into(),
            told: Default::default(),
            desired,
        };
        let lists: BTreeSet<_> = "pl-0123456789abcdef0".parse().into_iter().collect();
        assert_eq!(lists.len(), 1);
        let needs = Needs { prefix_lists: [(Side::Requester, lists.clone())].into(), ..Needs::default() };
        assert_eq!(NarrowNeeds::of(&live, Side::Requester, &needs).prefix_lists, lists);
        assert_eq!(NarrowNeeds::of(&live, Side::Accepter, &needs), NarrowNeeds::default());
    }
}
