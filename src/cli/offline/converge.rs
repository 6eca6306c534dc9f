//! From what is to what is declared, at AWS itself: each object's turns, again and again, until nothing more follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use peerkeeper_core::ids::{ObjectKey, PeeringId, Region, Side, Target};
use peerkeeper_core::observed::SideView;
use peerkeeper_core::plan::{Report, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::time::{Mono, Now};
use peerkeeper_core::turn::TurnResult;
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use super::drive::{self, lock};
use super::house::House;
use super::road::{ObjectPlan, described};
use super::{Port, accounts};
use crate::aws::{Aws, Looking, NarrowNeeds, Reader, Writer, clock};

/// Objects that are worked on at once.
const TOGETHER: usize = 8;

/// How an object stands, as far as this run goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// As declared, as read back.
    InSync,
    /// Not as declared, and somebody else has to do something about it.
    Held,
    /// Something follows by itself: what it waits for, in words.
    Waiting(String),
}

/// Hears how a run goes on. It is told while the run holds no lock, and what it does with it is its own affair.
pub trait Listener: Send + Sync {
    /// A write, and what came of it. One that was refused may be told again, as it is tried again.
    fn wrote(&self, object: &ObjectKey, call: &WriteCall, outcome: &Outcome);

    /// How an object stands after a turn of it. Each has at least one turn.
    fn stands(&self, object: &ObjectKey, stand: &Stand);
}

/// AWS itself. The only port that writes.
pub struct AtAws {
    looking: Looking,
    reader: Reader,
    writer: Writer,
    fresh_ms: u64,
    listener: Arc<dyn Listener>,
    /// Set once somebody wants it to end: nothing more is sent.
    stop: Arc<AtomicBool>,
}

impl AtAws {
    pub fn new(aws: &Aws, fresh_ms: u64, stop: Arc<AtomicBool>, listener: Arc<dyn Listener>) -> Self {
        let (reader, writer) = (aws.reader(), aws.writer());
        Self { looking: aws.looking(), reader, writer, fresh_ms, listener, stop }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

impl Port for AtAws {
    fn now(&self) -> Now {
        Now { mono: clock::now(), wall: clock::wall() }
    }

    fn view(&self, account: &str, region: Region) -> SideView {
        self.reader.view(account, region)
    }

    async fn read(&self, account: &str, region: Region, needs: NarrowNeeds) -> SideView {
        self.reader.read_narrow(account, region, needs).await
    }

    async fn write(&self, object: &ObjectKey, calls: &[(Option<&str>, &WriteCall)]) -> Vec<Outcome> {
        let oldest = clock::now();
        // Asked right before a request leaves: what the write rests on may have grown old while it waited for a token.
        let gate = || match clock::now().since_ms(oldest) > self.fresh_ms {
            _ if self.is_stopped() => Err(NotSent::Leadership),
            true => Err(NotSent::Stale),
            false => Ok(()),
        };
        let sent = self.writer.send_all(object, calls, gate).await;
        let outcomes: Vec<Outcome> = sent.into_iter().map(|sent| sent.outcome).collect();
        for ((_, call), outcome) in calls.iter().zip(&outcomes) {
            self.listener.wrote(object, call, outcome);
        }
        outcomes
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing more would follow.
    Settled,
    /// Time was up, and something was still under way.
    TimeUp,
    /// Somebody stopped it.
    Stopped,
}

/// Converges until nothing more follows, or `timeout` has passed. What is reported is what was read back.
pub async fn converge(house: House, port: &AtAws, timeout: Duration) -> (Vec<ObjectPlan>, Ended) {
    let since = clock::now();
    let until = since.plus_ms(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    let keys = house.keys();
    let house = Mutex::new(house);
    let mut run = Run { house: &house, port, since, swept: since, due: BTreeMap::new() };
    run.due = keys.into_iter().map(|key| (key, since)).collect();
    let ended = run.run(until).await;
    let house = lock(&house);
    let view = |name: &str, region: Region| port.view(name, region);
    (described(&house, &view), ended)
}

struct Run<'a> {
    house: &'a Mutex<House>,
    port: &'a AtAws,
    since: Mono,
    swept: Mono,
    due: BTreeMap<ObjectKey, Mono>,
}

impl Run<'_> {
    async fn run(&mut self, until: Mono) -> Ended {
        loop {
            if self.port.is_stopped() {
                return Ended::Stopped;
            }
            let now = clock::now();
            if self.due.values().any(|at| *at <= now) && now < until {
                self.round(now).await;
                continue;
            }
            let unfinished = self.unfinished();
            let next = self.due.values().min().copied();
            if unfinished.is_empty() && next.is_none() {
                return Ended::Settled;
            }
            if now >= until {
                return Ended::TimeUp;
            }
            // Only sweeps prove absence, and only a sweep shows what nothing asks for.
            let sweep_at = self.swept.plus_ms(lock(self.house).timing.absence_gap_ms + 500);
            let sweep_at = (!unfinished.is_empty()).then_some(sweep_at);
            let wake = next.into_iter().chain(sweep_at).min().unwrap_or(until).min(until);
            // Whoever stops it is not kept waiting.
            clock::sleep_until(wake.min(now.plus_ms(500))).await;
            if sweep_at.is_some_and(|at| clock::now() >= at) {
                let places = lock(self.house).readable_places();
                accounts::sweep_places(&self.port.looking, places).await;
                self.swept = clock::now();
                self.due.extend(unfinished.into_iter().map(|key| (key, self.swept)));
            }
        }
    }

    /// One turn of each object whose time has come.
    async fn round(&mut self, now: Mono) {
        let ready: Vec<ObjectKey> =
            self.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        let (house, port, since) = (self.house, self.port, self.since);
        let turns = ready.iter().map(|key| async move { (key, drive::turn(house, port, key, since).await) });
        let mut turns = stream::iter(turns).buffer_unordered(TOGETHER);
        // Each as it ends: a round of hundreds takes a while.
        while let Some((key, turned)) = turns.next().await {
            let after = clock::now();
            self.due.remove(key);
            let again = match turned.done.result {
                TurnResult::Settled => turned.done.wake,
                TurnResult::More | TurnResult::Conflict => Some(after),
                TurnResult::Failed(_) => Some(after.plus_ms(2000)),
                TurnResult::Gone | TurnResult::NotLeading => None,
            };
            self.due.extend(again.map(|at| (key.clone(), at)));
            let stand = self.stand(key);
            self.port.listener.stands(key, &stand);
        }
    }

    fn stand(&self, key: &ObjectKey) -> Stand {
        let house = lock(self.house);
        if let Some(what) = self.awaited(&house, key) {
            return Stand::Waiting(what);
        }
        if self.due.contains_key(key) {
            return Stand::Waiting("it is looked at again".to_owned());
        }
        let ready = house.report(key).and_then(|report| report.condition(ConditionType::Ready));
        match ready {
            Some(ready) if ready.truth == Truth::True => Stand::InSync,
            _ => Stand::Held,
        }
    }

    /// Objects for which something may follow by itself.
    fn unfinished(&self) -> Vec<ObjectKey> {
        let house = lock(self.house);
        house.keys().into_iter().filter(|key| self.awaited(&house, key).is_some()).collect()
    }

    /// What may follow by itself: work that goes on, and proof that is not complete.
    fn awaited(&self, house: &House, key: &ObjectKey) -> Option<String> {
        let Some(report) = house.report(key) else { return Some("its first turn".to_owned()) };
        match report.condition(ConditionType::Ready) {
            Some(ready) if ready.truth == Truth::True => None,
            // Somebody else has to.
            Some(ready) if ready.reason == Reason::AwaitingAcceptance => None,
            _ => {
                let goes_on = report.condition(ConditionType::Reconciling).map(|goes| goes.message.clone());
                goes_on.or_else(|| {
                    let id = self.lacks_proof(house, key, report)?;
                    // Nothing counts as gone while what was written last may still be invisible.
                    let not_before_ms = house.timing.settle_ms + house.timing.absence_gap_ms;
                    Some(format!(
                        "waiting for a second complete reading that does not show {id}, to prove that it is gone (not before {} s after the start)",
                        not_before_ms / 1000
                    ))
                })
            }
        }
    }

    /// A declared route leads to a peering that AWS does not show: that it is gone takes two sweeps.
    fn lacks_proof(&self, house: &House, key: &ObjectKey, report: &Report) -> Option<PeeringId> {
        let desired = house.desired(key)?;
        let view_of = |side: Side| match &desired.sides.get(side).account {
            peerkeeper_core::desired::AccountRef::Managed(name) => {
                Some(self.port.view(name, desired.sides.get(side).region))
            }
            peerkeeper_core::desired::AccountRef::Foreign(_) => None,
        };
        let occupied = report.exceptions.iter().filter(|exception| exception.reason == Reason::Occupied);
        occupied.filter_map(|exception| exception.slot).find_map(|slot| {
            let view = view_of(slot.side)?;
            let table = view.tables.sweep.as_ref().and_then(|sweep| sweep.get(slot.table).cloned());
            let target =
                table.and_then(|table| table.route(slot.destination).map(|route| route.target.clone()));
            match target {
                Some(Target::Peering(id)) => {
                    view.peerings.sweep.is_some_and(|sweep| sweep.get(id).is_none()).then_some(id)
                }
                _ => None,
            }
        })
    }
}
