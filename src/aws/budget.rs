//! Our own token buckets, in front of AWS's, and who waits for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey};
use peerkeeper_core::pace::bucket::{Buckets, Operation, Share};
use peerkeeper_core::pace::line::Line;
use peerkeeper_core::time::Mono;

use super::clock;

#[derive(Debug)]
pub(super) struct Budget {
    lanes: Mutex<Lanes>,
}

#[derive(Debug)]
struct Lanes {
    buckets: Buckets<AccountRegion>,
    /// Objects whose writes were turned away.
    lines: BTreeMap<(AccountRegion, Operation), Line<ObjectKey>>,
}

impl Budget {
    pub fn new(share: Share) -> Self {
        Self { lanes: Mutex::new(Lanes { buckets: Buckets::new(share), lines: BTreeMap::new() }) }
    }

    /// Takes the token of one read, waiting for it if it comes within `patience`; else says when it would. Answers with
    /// the moment it was taken, by which a refusal is told from an older one.
    pub async fn take(
        &self,
        at: AccountRegion,
        operation: Operation,
        patience: Duration,
    ) -> Result<Mono, Mono> {
        let last = until(patience);
        let then = self.with(|lanes| lanes.buckets.reserve(clock::now(), &at, operation, last))?;
        clock::sleep_until(then).await;
        Ok(then)
    }

    /// The tokens of some writes of one object, of one operation in one place: moments to send them at, within `patience`;
    /// of very many only some. Else the moment to come back at, which counts for all of them.
    pub fn admit(
        &self,
        who: &ObjectKey,
        at: AccountRegion,
        operation: Operation,
        calls: u64,
        patience: Duration,
    ) -> Result<Vec<Mono>, Mono> {
        let (now, last) = (clock::now(), until(patience));
        self.with(|lanes| {
            let bucket = lanes.buckets.bucket(now, &at, operation);
            lanes.lines.entry((at, operation)).or_default().admit(now, bucket, who, calls, last)
        })
    }

    /// Whether an object was told to come back later, and coming now would be in vain.
    pub fn waits(&self, who: &ObjectKey) -> bool {
        let now = clock::now();
        self.with(|lanes| {
            let Lanes { buckets, lines } = lanes;
            lines
                .iter()
                .any(|((at, operation), line)| line.waits(now, buckets.bucket(now, at, *operation), who))
        })
    }

    /// An object has nothing more to send.
    pub fn leave(&self, who: &ObjectKey) {
        self.with(|lanes| {
            lanes.lines.retain(|_, line| {
                line.leave(who);
                !line.is_empty()
            });
        });
    }

    /// AWS refused a call for want of rate: allow ourselves less.
    pub fn refused(&self, at: AccountRegion, operation: Operation, taken: Mono) {
        self.with(|lanes| lanes.buckets.refused(clock::now(), &at, operation, taken));
    }

    /// Forgets the buckets of accounts that nothing names any more.
    pub fn keep_only(&self, accounts: &BTreeSet<AccountId>) {
        self.with(|lanes| {
            lanes.buckets.retain(|at| accounts.contains(&at.account));
            lanes.lines.retain(|(at, _), _| accounts.contains(&at.account));
        });
    }

    fn with<R>(&self, act: impl FnOnce(&mut Lanes) -> R) -> R {
        act(&mut self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn until(patience: Duration) -> Mono {
    clock::now().plus_ms(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX))
}
