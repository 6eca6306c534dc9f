//! Our own token buckets, in front of AWS's.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use peerkeeper_core::ids::{AccountId, AccountRegion};
use peerkeeper_core::pace::bucket::{Buckets, Operation, Share};
use peerkeeper_core::time::Mono;

use super::clock;

#[derive(Debug)]
pub(super) struct Budget {
    buckets: Mutex<Buckets<AccountRegion>>,
}

impl Budget {
    pub fn new(share: Share) -> Self {
        Self { buckets: Mutex::new(Buckets::new(share)) }
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
        loop {
            let now = clock::now();
            match self.with(|buckets| buckets.take(now, &at, operation)) {
                Ok(()) => return Ok(now),
                Err(ready) if ready > last => return Err(ready),
                // Others wait for the same token, so it may be gone when we come.
                Err(ready) => clock::sleep_until(ready.max(now.plus_ms(1))).await,
            }
        }
    }

    /// AWS refused a call for want of rate: allow ourselves less.
    pub fn refused(&self, at: AccountRegion, operation: Operation, taken: Mono) {
        self.with(|buckets| buckets.refused(clock::now(), &at, operation, taken));
    }

    /// Forgets the buckets of accounts that nothing names any more.
    pub fn keep_only(&self, accounts: &BTreeSet<AccountId>) {
        self.with(|buckets| buckets.retain(|at| accounts.contains(&at.account)));
    }

    fn with<R>(&self, act: impl FnOnce(&mut Buckets<AccountRegion>) -> R) -> R {
        act(&mut self.buckets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
