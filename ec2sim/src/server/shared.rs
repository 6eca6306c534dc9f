//! What all connections share: the world, its clock, its weather, and what a test does to requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use super::Options;
use super::clock::Clock;
use super::script::{Aim, Disturbance, Lines, account_of};
use super::weather::Weather;
use crate::today::world_of_today;
use crate::wire::{Call, HttpRequest, HttpResponse};
use crate::world::World;

/// One request that was understood, as it came.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Real time, in seconds since 1970.
    pub at: f64,
    /// The world's clock.
    pub at_ms: u64,
    pub service: &'static str,
    pub action: &'static str,
    /// Whose the call is; of a role to be assumed, the role's.
    pub account: String,
    pub region: String,
    /// The access key that signed it.
    pub key: String,
}

pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) clock: Clock,
    pub(crate) weather: Weather,
    pub(crate) lines: Lines,
    pub(crate) seen: Vec<Seen>,
    /// As at the start, for a reset.
    first_weather: Weather,
}

pub struct Shared {
    inner: Mutex<Inner>,
    /// Something changed: who waits looks again.
    pub(crate) changed: Notify,
}

/// How far a request has come.
pub(crate) enum Step {
    Answered(HttpResponse),
    /// It is held until something changes.
    Held,
}

impl Shared {
    pub fn new(world: World, options: &Options) -> Self {
        let inner = Inner {
            world,
            clock: Clock::start(options.speed),
            weather: options.weather.clone(),
            lines: Lines::default(),
            seen: Vec::new(),
            first_weather: options.weather.clone(),
        };
        Self { inner: Mutex::new(inner), changed: Notify::new() }
    }

    /// A panic while it was held (a test's closure may) leaves a whole world behind: every call is one step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With the world at the clock's time. Who waits looks again afterwards.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        let result = {
            let mut inner = self.lock();
            let inner = &mut *inner;
            inner.clock.drive(&mut inner.world);
            let result = act(inner);
            // If it moved the world ahead, or the clock, the other follows.
            inner.clock.drive(&mut inner.world);
            result
        };
        self.changed.notify_waiters();
        result
    }

    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        self.with(|inner| look(&mut inner.world))
    }

    pub fn with_weather<R>(&self, look: impl FnOnce(&mut Weather) -> R) -> R {
        self.with(|inner| look(&mut inner.weather))
    }

    /// Disturbs the calls that it is aimed at: the next `times` of them, or all until it is mended.
    pub fn disturb(&self, aim: Aim, what: Disturbance, times: Option<u64>) {
        self.with(|inner| inner.lines.add(aim, what, times));
    }

    /// Calls of this action that are held go on.
    pub fn release(&self, action: &str) {
        self.with(|inner| inner.lines.release(Some(action)));
    }

    /// No disturbance any more, or, with an account, none that is aimed at it; what is held goes on.
    pub fn mend(&self, account: Option<&str>) {
        self.with(|inner| inner.lines.mend(account));
    }

    pub fn advance_ms(&self, ms: u64) {
        self.with(|inner| {
            inner.clock.leap(ms);
            inner.clock.drive(&mut inner.world);
        });
    }

    pub fn set_speed(&self, speed: f64) {
        self.with(|inner| inner.clock.set_speed(speed));
    }

    /// Every request that was understood since the start or [`Self::forget`], in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// How often each action was asked for; with an account, by it alone.
    pub fn calls(&self, account: Option<&str>) -> BTreeMap<&'static str, u64> {
        let inner = self.lock();
        let mut calls = BTreeMap::new();
        for seen in inner.seen.iter().filter(|seen| account.is_none_or(|account| seen.account == account)) {
            *calls.entry(seen.action).or_default() += 1;
        }
        calls
    }

    /// Starts counts and logs again, the world's too.
    pub fn forget(&self) {
        self.with(|inner| {
            inner.seen.clear();
            inner.world.reset_counts();
            inner.world.clear_log();
        });
    }

    /// A new world under the weather of the start, undisturbed. The speed stays.
    pub fn reset(&self) {
        self.with(|inner| {
            inner.world = world_of_today();
            inner.clock = Clock::start(inner.clock.speed());
            inner.weather = inner.first_weather.clone();
            inner.lines = Lines::default();
            inner.seen.clear();
        });
    }

    /// Reads and counts a request. An answer, if that is all there is to it.
    pub(crate) fn admit(&self, request: &HttpRequest) -> Result<Call, HttpResponse> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.clock.drive(&mut inner.world);
        let call = Call::read(&mut inner.world, request).map_err(HttpResponse::Answer)?;
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        inner.seen.push(Seen {
            at: at.as_secs_f64(),
            at_ms: inner.world.now_ms(),
            service: call.service(),
            action: call.action(),
            account: account_of(&call),
            region: call.caller().region.to_string(),
            key: call.key().to_owned(),
        });
        Ok(call)
    }

    /// How much longer a receive without a message should wait before it looks again, having waited so long. `None`:
    /// it is to be carried out, as there is a message, or no time left, or something else in store for it.
    pub(crate) fn wait_for_message(&self, call: &Call, waited: Duration) -> Option<Duration> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.clock.drive(&mut inner.world);
        let (receive, wait_s) = call.may_wait(&inner.world)?;
        let left = Duration::from_secs(wait_s.into()).checked_sub(waited).filter(|left| !left.is_zero())?;
        if inner.lines.meets(call) || !inner.world.can_wait(call.caller(), &receive) {
            return None;
        }
        let until_due_ms = inner.world.next_due().map(|due_ms| due_ms.saturating_sub(inner.world.now_ms()));
        let until_due = until_due_ms.and_then(|ms| inner.clock.real(ms));
        Some(until_due.map_or(left, |due| left.min(due.max(Duration::from_millis(1)))))
    }

    /// Carries the call out, unless it is held.
    pub(crate) fn step(&self, call: &Call) -> Step {
        let step = {
            let mut inner = self.lock();
            let inner = &mut *inner;
            inner.clock.drive(&mut inner.world);
            if inner.lines.holds(call) {
                return Step::Held;
            }
            match inner.lines.take(call) {
                Some(Disturbance::Refuse(code)) => {
                    let message = format!("{} refused on request", call.action());
                    Step::Answered(HttpResponse::Answer(call.refuse(&code, &message)))
                }
                Some(Disturbance::Drop) => {
                    call.carry_out(&mut inner.world, &mut inner.weather);
                    Step::Answered(HttpResponse::NoReply)
                }
                Some(Disturbance::Hold) | None => {
                    Step::Answered(call.carry_out(&mut inner.world, &mut inner.weather))
                }
            }
        };
        self.changed.notify_waiters();
        step
    }
}
