//! Our own token buckets, in front of AWS's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use peerkeeper_core::ids::{AccountId, AccountRegion};
use peerkeeper_core::pace::bucket::{Buckets, Operation, Share};
use peerkeeper_core::time::Mono;

use super::clock;

#[derive(Debug)]
pub(super) struct Budget {
    lanes: Mutex<Lanes>,
}

#[derive(Debug)]
struct Lanes {
    buckets: Buckets<AccountRegion>,
    /// When a write that was turned away was told to come back.
    tickets: BTreeMap<(AccountRegion, String), Mono>,
}

impl Lanes {
    fn ticket(&mut self, now: Mono, at: AccountRegion, operation: Operation, write: &str) -> Mono {
        let key = (at, write.to_owned());
        if let Some(held) = self.tickets.get(&key).filter(|held| **held > now) {
            return *held;
        }
        // Most that wait come back; what the others leave behind must not pile up.
        if self.tickets.len() >= TICKETS_SWEPT_AT {
            self.tickets.retain(|_, held| *held > now);
        }
        let back = self.buckets.line_up(now, &at, operation);
        self.tickets.insert(key, back);
        back
    }
}

const TICKETS_SWEPT_AT: usize = 4096;

impl Budget {
    pub fn new(share: Share) -> Self {
        Self { lanes: Mutex::new(Lanes { buckets: Buckets::new(share), tickets: BTreeMap::new() }) }
    }

    /// Takes the token of one call, waiting for it if it comes within `patience`; else says when it would. Answers with
    /// the moment it was taken, by which a refusal is told from an older one.
    pub async fn take(
        &self,
        at: AccountRegion,
        operation: Operation,
        patience: Duration,
    ) -> Result<Mono, Mono> {
        let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let last = clock::now().plus_ms(patience_ms);
        let then = self.with(|lanes| lanes.buckets.reserve(clock::now(), &at, operation, last))?;
        clock::sleep_until(then).await;
        Ok(then)
    }

    /// The same for a write, by its name: one that is turned away is told a moment of its own, and the same one again if it
    /// comes back before. Of hundreds that wait each then comes when it is its turn, and reads AWS anew only then.
    pub async fn take_in_line(
        &self,
        at: AccountRegion,
        operation: Operation,
        patience: Duration,
        write: &str,
    ) -> Result<Mono, Mono> {
        let free = match self.take(at, operation, patience).await {
            Ok(taken) => {
                self.with(|lanes| lanes.tickets.remove(&(at, write.to_owned())));
                return Ok(taken);
            }
            Err(free) => free,
        };
        let now = clock::now();
        Err(self.with(|lanes| lanes.ticket(now, at, operation, write)).max(free))
    }

    /// AWS refused a call for want of rate: allow ourselves less.
    pub fn refused(&self, at: AccountRegion, operation: Operation, taken: Mono) {
        self.with(|lanes| lanes.buckets.refused(clock::now(), &at, operation, taken));
    }

    /// Forgets the buckets of accounts that nothing names any more.
    pub fn keep_only(&self, accounts: &BTreeSet<AccountId>) {
        self.with(|lanes| {
            lanes.buckets.retain(|at| accounts.contains(&at.account));
            lanes.tickets.retain(|(at, _), _| accounts.contains(&at.account));
        });
    }

    fn with<R>(&self, act: impl FnOnce(&mut Lanes) -> R) -> R {
        act(&mut self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
