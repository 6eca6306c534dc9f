//! Somebody else with our credentials: calls that end something, were made as us, and are in no object's memory.
//!
//! A message alone makes a suspicion. What CloudTrail's own event history shows too, and what the memories of all objects,
//! read anew from the API server, do not account for, holds everything in that account until a person has looked at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use peerkeeper_core::desired::Grant;
use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey, Sides};
use peerkeeper_core::memory::{Life, Memory};
use peerkeeper_core::misuse::{JUDGED_S, Judgement, OWN_MAX, Principal, Trial};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::TrailEvent;
use peerkeeper_core::turn::Note;

use super::accounts;
use super::cluster::Listed;
use super::drive::{READ_TIMEOUT, within};
use super::events::Task;
use super::shell::Shell;
use super::state::State;
use crate::api::account::StrangeCall;
use crate::api::{AwsAccount, VpcPeering};
use crate::aws::clock;
use crate::declare::{self, Account};
use crate::remember::{self, OWN_CALLS_MAX, Suspected};
use crate::signal::Told;

/// Before each time that the history is asked about a suspicion: it lags behind by minutes, a quarter of an hour at worst.
const ASK_AFTER_MS: [u64; 10] =
    [2_000, 30_000, 60_000, 120_000, 300_000, 300_000, 600_000, 1_200_000, 3_600_000, 7_200_000];
/// More are not followed: whoever can write to a queue must not be able to keep us asking.
const SUSPECTS_MAX: usize = 64;
/// All objects are read: there may be ten thousand.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// Calls that were looked into, so that no copy of a record begins anew. The oldest ids by name go first.
const SETTLED_MAX: usize = 4096;

/// What is suspected, and what was looked into.
#[derive(Default)]
pub struct Suspects {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By the event's id.
    open: BTreeMap<Arc<str>, Suspect>,
    settled: BTreeSet<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Suspect {
    /// The AwsAccount whose credentials it was made with.
    account: Arc<str>,
    place: AccountRegion,
    at: Wall,
    call: StrangeCall,
    /// Why it is no more than a suspicion.
    why: String,
}

impl Suspects {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: &str) -> Option<Suspect> {
        self.lock().open.get(id).cloned()
    }

    fn is_known(&self, id: &str) -> bool {
        let inner = self.lock();
        inner.open.contains_key(id) || inner.settled.contains(id)
    }

    /// False: it is known, or there is no room for it.
    fn add(&self, id: &Arc<str>, suspect: Suspect) -> bool {
        let mut inner = self.lock();
        if inner.open.contains_key(id) || inner.settled.contains(id) || inner.open.len() >= SUSPECTS_MAX {
            return false;
        }
        inner.open.insert(id.clone(), suspect).is_none()
    }

    /// True if another reason is given now than before.
    fn explain(&self, id: &str, why: &str) -> bool {
        let mut inner = self.lock();
        let Some(suspect) = inner.open.get_mut(id) else { return false };
        let news = suspect.why != why;
        suspect.why = why.to_owned();
        news
    }

    fn settle(&self, id: &Arc<str>) {
        let mut inner = self.lock();
        inner.open.remove(id);
        inner.settled.insert(id.clone());
        while inner.settled.len() > SETTLED_MAX {
            inner.settled.pop_first();
        }
    }

    /// What is suspected of one account's credentials, the earliest call first.
    pub fn of(&self, account: &str) -> Vec<Suspected> {
        let inner = self.lock();
        let mut all: Vec<&Suspect> = inner.open.values().filter(|one| *one.account == *account).collect();
        all.sort_by(|one, other| (one.at, &one.call.event_id).cmp(&(other.at, &other.call.event_id)));
        all.into_iter().map(|one| Suspected { call: one.call.clone(), why: one.why.clone() }).collect()
    }
}

impl State {
    /// The call that everything in an AWS account is held for: the AwsAccount that tells of it, and the event's id.
    pub fn misuse_in(&self, id: AccountId) -> Option<(Arc<str>, Arc<str>)> {
        let of_id = self.declared.iter().filter(|(_, account)| account.account == id);
        of_id.into_iter().find_map(|(name, _)| Some((name.clone(), self.misuse_of(name)?)))
    }

    fn misuse_of(&self, name: &Arc<str>) -> Option<Arc<str>> {
        let shown = self.accounts.get(name).and_then(|known| remember::open_misuse(&known.object));
        self.found.get(name).cloned().or(shown.map(|call| call.event_id.as_str().into()))
    }

    /// Where somebody else used our credentials nothing is written, whoever grants it.
    pub fn less_misused(&self, grants: Sides<Grant>) -> Sides<Grant> {
        Sides::from_fn(|side| {
            let grant = grants.get(side).clone();
            let (Grant::Granted(id) | Grant::Suspended(id)) = grant else { return grant };
            let misuse = self.misuse_in(id);
            misuse.map_or(grant, |(name, event)| Grant::Misused { account: id, name, event })
        })
    }

    /// What an object remembers of our own calls is known from now on, even when the object is gone.
    pub fn learn_own_calls(
        &mut self,
        accounts: Vec<AccountId>,
        memory: &Memory,
        established: bool,
        at: Wall,
    ) {
        // It was established once and knows nothing: restored from a backup, or its status was dropped.
        if established && memory.life == Life::NeverSeen && memory.past.is_empty() {
            self.book.lost_until(accounts.iter().copied(), at);
        }
        self.book.learn(accounts, &memory.own, OWN_MAX);
    }

    /// As whom we call by this AwsAccount, if that is known.
    fn principal(&self, account: &Account) -> Option<Principal> {
        let object = &self.accounts.get(&account.name)?.object;
        let caller = object.status.as_ref().and_then(|status| status.caller_arn.as_deref());
        match &account.role_arn {
            Some(role) => Some(Principal::of_role(account.account, role, caller)),
            None => Principal::of_caller(caller?),
        }
    }

    /// The gravest judgement of a call, with the AwsAccount whose credentials it was made with.
    fn judge(&self, event: &TrailEvent, unread: &BTreeSet<Arc<str>>) -> (Judgement, Arc<str>) {
        let (now, is_declared) = (clock::wall(), self.index.is_declared(&event.call));
        let mut gravest = (Judgement::NotOurs, Arc::from(""));
        for (name, account) in self.declared.iter().filter(|(_, of)| of.account == event.place.account) {
            let (Some(ours), Some(known)) = (self.principal(account), self.accounts.get(name)) else {
                continue;
            };
            let created = known.object.metadata.creation_timestamp.as_ref();
            let since = created.map_or(now, |at| Wall(at.0.as_second()));
            let trial = Trial { event, ours: &ours, since, is_declared, book: &self.book, unread, now };
            let judgement = trial.judge();
            if gravity(&judgement) > gravity(&gravest.0) {
                gravest = (judgement, name.clone());
            }
        }
        gravest
    }
}

fn gravity(judgement: &Judgement) -> u8 {
    match judgement {
        Judgement::NotOurs => 0,
        Judgement::TooOld => 1,
        Judgement::Anothers => 2,
        Judgement::Accounted => 3,
        Judgement::CantSay(_) => 4,
        Judgement::Misuse => 5,
    }
}

const NOT_ASKED: &str = "CloudTrail's event history is being asked";

/// A message told of a call. If it may be misuse, the event history is asked for it.
pub fn heard(shell: &Shell, event: &TrailEvent) {
    let (judgement, account) = shell.state().judge(event, &BTreeSet::new());
    match judgement {
        Judgement::Misuse | Judgement::CantSay(_) => {}
        Judgement::Anothers => {
            tracing::info!(
                call = event.call.name(), place = %event.place, actor = event.actor.name(), event = %event.id,
                "another who uses the same role ended something that is not declared here"
            );
            shell.metrics.strange_call(&account, judgement.word());
            return;
        }
        Judgement::NotOurs | Judgement::TooOld | Judgement::Accounted => return,
    }
    suspect(shell, event, account, ASK_AFTER_MS[0]);
}

/// The history told of calls while it was asked who ended a peering: these are borne out.
pub fn shown(shell: &Shell, events: &[Arc<TrailEvent>]) {
    for event in events {
        let (judgement, account) = shell.state().judge(event, &BTreeSet::new());
        if matches!(judgement, Judgement::Misuse | Judgement::CantSay(_)) {
            suspect(shell, event, account, 0);
        }
    }
}

fn suspect(shell: &Shell, event: &TrailEvent, account: Arc<str>, after_ms: u64) {
    if shell.suspects.is_known(&event.id) {
        return;
    }
    tracing::warn!(
        call = event.call.name(), place = %event.place, actor = event.actor.name(), event = %event.id,
        from = &*event.actor.source_address, account = &*account,
        "told of a call with our credentials that no VpcPeering remembers; the event history is asked for it"
    );
    shell.metrics.strange_call(&account, "suspected");
    let call = remember::strange_call(event);
    let suspect = Suspect {
        account: account.clone(),
        place: event.place,
        at: event.at,
        call,
        why: NOT_ASKED.to_owned(),
    };
    if !shell.suspects.add(&event.id, suspect) {
        tracing::warn!(event = %event.id, "it is not followed: {SUSPECTS_MAX} others are");
        return;
    }
    shell.account_work.notify(account);
    shell.events.later(clock::now().plus_ms(after_ms), Task::Corroborate(event.id.clone(), 0));
}

/// What an earlier process suspected is followed by this one.
pub fn adopt(shell: &Shell, name: &Arc<str>, object: &AwsAccount) {
    let suspected = object.status.iter().filter_map(|status| status.credentials_misuse.as_ref());
    for call in suspected.flat_map(|misuse| &misuse.suspected) {
        let (Ok(account), Ok(region)) = (object.spec.account_id.parse(), call.region.parse()) else {
            continue;
        };
        let suspect = Suspect {
            account: name.clone(),
            place: AccountRegion { account, region },
            at: Wall(call.at.as_second()),
            call: call.clone(),
            why: NOT_ASKED.to_owned(),
        };
        let id: Arc<str> = call.event_id.as_str().into();
        if shell.suspects.add(&id, suspect) {
            shell.events.later(clock::now(), Task::Corroborate(id, 0));
        }
    }
}

/// Asks the event history for a suspected call, and judges what it shows; for the so-manieth time.
pub async fn corroborate(shell: &Arc<Shell>, id: Arc<str>, time: usize) {
    let Some(suspect) = shell.suspects.get(&id) else { return };
    let why = match shell.events.find(&suspect.account, suspect.place, &id).await {
        Told::Events(events) => match events.into_iter().next() {
            Some(event) => match conclude(shell, &event).await {
                Some(why) => why,
                None => return,
            },
            None => "CloudTrail's event history does not show it, or not yet".to_owned(),
        },
        Told::Unavailable(why) | Told::Failed(why) => {
            format!("CloudTrail's event history can't be asked: {why}")
        }
        Told::NotNeeded => return,
    };
    if clock::wall().since_s(suspect.at) > JUDGED_S {
        tracing::warn!(event = %id, why, "a call with our credentials was never borne out, and is followed no longer");
        shell.metrics.strange_call(&suspect.account, "expired");
        shell.suspects.settle(&id);
        shell.account_work.notify(suspect.account);
        return;
    }
    if shell.suspects.explain(&id, &why) {
        shell.account_work.notify(suspect.account);
    }
    let last = ASK_AFTER_MS.len() - 1;
    let pause_ms = ASK_AFTER_MS[(time + 1).min(last)];
    shell.events.later(clock::now().plus_ms(pause_ms), Task::Corroborate(id, time + 1));
}

/// Judges a call that the history shows, by what all objects remember now. `Some`: why nothing can be said of it yet.
async fn conclude(shell: &Arc<Shell>, event: &TrailEvent) -> Option<String> {
    let (mut judgement, mut account) = shell.state().judge(event, &BTreeSet::new());
    if matches!(judgement, Judgement::Misuse | Judgement::CantSay(_)) {
        let unread = match learn_anew(shell).await {
            Ok(unread) => unread,
            Err(why) => return Some(format!("the memories of the VpcPeerings can't be read: {why}")),
        };
        (judgement, account) = shell.state().judge(event, &unread);
    }
    match &judgement {
        Judgement::CantSay(why) => return Some(why.to_string()),
        Judgement::Misuse => {
            let call = remember::strange_call(event);
            if let Err(why) = hold(shell, &account, &call).await {
                return Some(format!(
                    "it is borne out, and everything is held; that could not be stored: {why}"
                ));
            }
        }
        _ => {
            tracing::info!(event = %event.id, judgement = judgement.word(), "a call with our credentials was looked into");
        }
    }
    let of = shell.suspects.get(&event.id).map_or(account, |suspect| suspect.account);
    shell.metrics.strange_call(&of, judgement.word());
    shell.suspects.settle(&event.id);
    shell.account_work.notify(of);
    None
}

/// Enters what every object remembers, and every AwsAccount, as the API server has them now: no watch lags behind by then.
/// Those objects whose memory can't be read.
async fn learn_anew(shell: &Shell) -> Result<BTreeSet<Arc<str>>, String> {
    // An AwsAccount takes over what an object remembers before that object goes: read in this order, nothing is missed.
    let objects =
        within(LIST_TIMEOUT, shell.cluster.all_peerings()).await.map_err(|error| error.to_string())?;
    let accounts =
        within(LIST_TIMEOUT, shell.cluster.all_accounts()).await.map_err(|error| error.to_string())?;
    let (now, mut unread) = (clock::wall(), BTreeSet::new());
    let mut state = shell.state();
    state.book.forget(now);
    for listed in objects {
        match listed {
            Listed::Read(object) => unread.extend(learn_object(shell, &mut state, &object, now)),
            Listed::Unparsable(key) => drop(unread.insert(key.to_string().into())),
        }
    }
    for listed in accounts {
        match listed {
            Listed::Read(object) => learn_account(&mut state, &object).map_err(|error| error.to_string())?,
            Listed::Unparsable(key) => return Err(format!("AwsAccount {} can't be read", key.name)),
        }
    }
    Ok(unread)
}

fn learn_object(shell: &Shell, state: &mut State, object: &VpcPeering, now: Wall) -> Option<Arc<str>> {
    let metadata = &object.metadata;
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = ObjectKey::new(name(&metadata.namespace), name(&metadata.name));
    let Ok((memory, _)) = remember::memory(object.status.as_ref()) else {
        return Some(key.to_string().into());
    };
    let sides = [&object.spec.requester, &object.spec.accepter].into_iter();
    let names = sides.filter_map(|side| side.account.name.as_deref());
    let accounts = names.filter_map(|name| Some(state.declared.get(name)?.account)).collect();
    // What nobody granted never wrote anything, whatever its annotations say.
    let desired = declare::desired(object, false, &shell.owner_id).ok();
    let granted = desired.filter(|desired| desired.established.is_some() && shell.is_granted(state, desired));
    let established = granted.is_some();
    state.learn_own_calls(accounts, &memory, established, now);
    None
}

/// Enters what an AwsAccount has noted of objects that are gone.
pub fn learn_account(state: &mut State, object: &AwsAccount) -> Result<(), remember::RememberError> {
    let own = remember::own_calls(object.status.as_ref())?;
    let account: Option<AccountId> = object.spec.account_id.parse().ok();
    state.book.learn(account, &own, OWN_CALLS_MAX);
    Ok(())
}

/// Holds everything in the account from now on, and says so.
async fn hold(shell: &Arc<Shell>, name: &Arc<str>, call: &StrangeCall) -> Result<(), String> {
    let id: Arc<str> = call.event_id.as_str().into();
    // Found before, by an earlier process: held still, or released.
    if let Ok(Some(object)) = within(READ_TIMEOUT, shell.cluster.account(name)).await
        && remember::has_misuse(&object, &id)
    {
        return Ok(());
    }
    shell.state().found.insert(name.clone(), id);
    tracing::error!(
        account = %name, call = call.call, id = call.id, region = call.region, at = %call.at, event = call.event_id,
        principal = call.principal, from = call.source_address, key = call.access_key_id.as_deref().unwrap_or_default(),
        "somebody else used our credentials: everything in this account is held until a person has looked at it"
    );
    enqueue_all_of(shell, name);
    accounts::change_status(shell, name, |object| Ok(remember::note_misuse(object, call, Timestamp::now())))
        .await?;
    let message = format!(
        "{} of {} in {} at {}, as {}, from {} (event {}): made with Peerkeeper's credentials and not by Peerkeeper. \
         Everything in this account is held; the condition says what to do",
        call.call, call.id, call.region, call.at, call.principal, call.source_address, call.event_id
    );
    tell(shell, name, Note { warning: true, reason: Reason::OperatorCredentialsMisused, message }).await;
    Ok(())
}

/// A person has looked at it: said once, when it is noted.
pub async fn released(shell: &Arc<Shell>, name: &Arc<str>) {
    tracing::warn!(account = %name, "the misuse of our credentials was acknowledged: what was held goes on");
    let message = "the misuse of Peerkeeper's credentials was acknowledged; what was held goes on".to_owned();
    tell(shell, name, Note { warning: false, reason: Reason::MisuseAcknowledged, message }).await;
    enqueue_all_of(shell, name);
}

async fn tell(shell: &Shell, name: &str, note: Note) {
    shell.metrics.reason(note.reason);
    let told = async {
        if let Some(object) = shell.cluster.account(name).await? {
            shell.cluster.tell(&object, &[note]).await;
        }
        Ok(())
    };
    if let Err(error) = within(READ_TIMEOUT, shell.leadership.guard(told)).await {
        tracing::warn!(account = %name, %error, "an Event could not be published; the condition says the same");
    }
}

/// All objects with a side in the AWS account, by whatever AwsAccount.
fn enqueue_all_of(shell: &Shell, name: &str) {
    let names: Vec<Arc<str>> = {
        let state = shell.state();
        let id = state.declared.get(name).map(|account| account.account);
        let same = state.declared.iter().filter(|(_, account)| Some(account.account) == id);
        same.map(|(name, _)| name.clone()).collect()
    };
    for name in &names {
        shell.enqueue_account(name);
        let is_held = shell.state().misuse_of(name).is_some();
        shell.metrics.misused(name, Some(is_held));
    }
}

/// An AwsAccount was shown. If that changes what is held, all that it bears on is looked at.
pub fn account_shown(shell: &Shell, name: &Arc<str>, before: Option<&AwsAccount>) {
    let (was, is) = {
        let mut state = shell.state();
        let Some(object) = state.accounts.get(name).map(|known| known.object.clone()) else { return };
        if state.found.get(name).is_some_and(|id| remember::has_misuse(&object, id)) {
            state.found.remove(name);
        }
        if let Err(error) = learn_account(&mut state, &object) {
            tracing::warn!(account = %name, %error, "what the AwsAccount has noted of our own calls can't be read");
        }
        let was = before.and_then(remember::open_misuse).map(|call| call.event_id.clone());
        (was, state.misuse_of(name).map(|id| id.to_string()))
    };
    shell.metrics.misused(name, Some(is.is_some()));
    if was != is {
        enqueue_all_of(shell, name);
        shell.account_work.notify(name.clone());
    }
}
