//! From what is to what is declared, at AWS itself: each object's turns, again and again, until nothing more follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use peerkeeper_core::ids::{ObjectKey, Region, Side, Target};
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

/// Hears of each write and what came of it.
type Told = Box<dyn Fn(&ObjectKey, &WriteCall, &Outcome) + Send + Sync>;

/// AWS itself. The only port that writes.
pub struct AtAws {
    looking: Looking,
    reader: Reader,
    writer: Writer,
    fresh_ms: u64,
    /// Told of each write and what came of it.
    told: Told,
    /// Set once somebody wants it to end: nothing more is sent.
    stop: Arc<AtomicBool>,
}

impl AtAws {
    pub fn new(
        aws: &Aws,
        fresh_ms: u64,
        stop: Arc<AtomicBool>,
        told: impl Fn(&ObjectKey, &WriteCall, &Outcome) + Send + Sync + 'static,
    ) -> Self {
        let (reader, writer) = (aws.reader(), aws.writer());
        Self { looking: aws.looking(), reader, writer, fresh_ms, told: Box::new(told), stop }
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
            (self.told)(object, call, outcome);
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
        let turned: Vec<_> = stream::iter(turns).buffer_unordered(TOGETHER).collect().await;
        let after = clock::now();
        for (key, turned) in turned {
            self.due.remove(key);
            let again = match turned.done.result {
                TurnResult::Settled => turned.done.wake,
                TurnResult::More | TurnResult::Conflict => Some(after),
                TurnResult::Failed(_) => Some(after.plus_ms(2000)),
                TurnResult::Gone | TurnResult::NotLeading => None,
            };
            self.due.extend(again.map(|at| (key.clone(), at)));
        }
    }

    /// Objects for which something may follow by itself: work that goes on, and proof that is not complete.
    fn unfinished(&self) -> Vec<ObjectKey> {
        let house = lock(self.house);
        let goes_on = |key: &ObjectKey| {
            let Some(report) = house.report(key) else { return true };
            let ready = report.condition(ConditionType::Ready);
            match ready {
                Some(ready) if ready.truth == Truth::True => false,
                // Somebody else has to.
                Some(ready) if ready.reason == Reason::AwaitingAcceptance => false,
                _ => {
                    report.condition(ConditionType::Reconciling).is_some()
                        || self.lacks_proof(&house, key, report)
                }
            }
        };
        house.keys().into_iter().filter(goes_on).collect()
    }

    /// A declared route leads to a peering that AWS does not show: that it is gone takes two sweeps.
    fn lacks_proof(&self, house: &House, key: &ObjectKey, report: &Report) -> bool {
        let Some(desired) = house.desired(key) else { return false };
        let view_of = |side: Side| match &desired.sides.get(side).account {
            peerkeeper_core::desired::AccountRef::Managed(name) => {
                Some(self.port.view(name, desired.sides.get(side).region))
            }
            peerkeeper_core::desired::AccountRef::Foreign(_) => None,
        };
        let occupied = report.exceptions.iter().filter(|exception| exception.reason == Reason::Occupied);
        occupied.filter_map(|exception| exception.slot).any(|slot| {
            let Some(view) = view_of(slot.side) else { return false };
            let table = view.tables.sweep.as_ref().and_then(|sweep| sweep.get(slot.table).cloned());
            let target =
                table.and_then(|table| table.route(slot.destination).map(|route| route.target.clone()));
            match target {
                Some(Target::Peering(id)) => view.peerings.sweep.is_some_and(|sweep| sweep.get(id).is_none()),
                _ => false,
            }
        })
    }
}
