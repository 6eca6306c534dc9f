//! Who waits for a bucket, and when each should come back.
//!
//! Coming back is not free: whoever wants to write reads AWS newly first. So those who wait are told a moment at which all
//! that they want is there, are not overtaken, and come together with others: those who read at the same moment share
//! their calls.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::Bucket;
use crate::time::Mono;

/// Who did not come within this time after its moment has lost its place.
const KEPT_MS: u64 = 60_000;

/// The line before one bucket. `P`: who waits; each waits once, for as many calls as it wants to make.
///
/// Invariants: nobody is told a moment that has passed; who comes earlier than told is told the same moment again; while
/// anybody waits, who comes newly stands behind them, unless the bucket has run full and so nobody comes for it.
///
/// Memory: one entry for each that waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Line<P> {
    told: BTreeMap<P, Mono>,
    order: BTreeSet<(Mono, P)>,
    /// When the bucket will have gained what all who wait want.
    end: Mono,
}

impl<P> Default for Line<P> {
    fn default() -> Self {
        Self { told: BTreeMap::new(), order: BTreeSet::new(), end: Mono::default() }
    }
}

impl<P: Ord + Clone> Line<P> {
    /// The moments, `last` at the latest, at which `who` may make its calls: all of them, or of very many at least as
    /// many as the bucket holds for those who wait. Else `Err`: when to come back for them.
    pub fn admit(
        &mut self,
        now: Mono,
        bucket: &mut Bucket,
        who: &P,
        calls: u64,
        last: Mono,
    ) -> Result<Vec<Mono>, Mono> {
        self.drop_absent(now);
        let told = self.told.get(who).copied();
        let is_idle = bucket.has_run_full(now);
        if let Some(back) = told.filter(|back| *back > last && !is_idle) {
            return Err(back);
        }
        self.leave(who);
        let least = calls.min(bucket.group());
        let may = told.is_some() || self.told.is_empty() || is_idle;
        if may && bucket.free_at(now, least) <= last {
            let most = if self.told.is_empty() { calls } else { least };
            return Ok((0..most).map_while(|_| bucket.reserve(now, last).ok()).collect());
        }
        Err(self.stand(now, bucket, who.clone(), least))
    }

    /// Whether `who` has been told a moment that has not come, and coming earlier would be in vain.
    pub fn waits(&self, now: Mono, bucket: &mut Bucket, who: &P) -> bool {
        self.told.get(who).is_some_and(|back| *back > now) && !bucket.has_run_full(now)
    }

    /// `who` does not wait any more.
    pub fn leave(&mut self, who: &P) {
        if let Some(back) = self.told.remove(who) {
            self.order.remove(&(back, who.clone()));
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.told.len()
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Who is alone is told the very moment. Of many, those whose turn is near each other's are told one moment, the same
    /// in every line of as fast a bucket, as what one object wants is often in two places.
    fn stand(&mut self, now: Mono, bucket: &mut Bucket, who: P, calls: u64) -> Mono {
        let alone = bucket.free_at(now, calls).max(now.plus_ms(1));
        let behind = self.end.plus_ms(bucket.gains_ms(calls)).max(alone);
        let group = bucket.group();
        let back = if self.told.is_empty() {
            self.end = alone;
            alone
        } else if group == 1 {
            self.end = behind;
            behind
        } else {
            self.end = behind;
            let step = bucket.gains_ms(group).max(1);
            Mono(behind.0.div_ceil(step).saturating_mul(step))
        };
        self.told.insert(who.clone(), back);
        self.order.insert((back, who));
        back
    }

    fn drop_absent(&mut self, now: Mono) {
        while let Some((back, _)) = self.order.first()
            && back.plus_ms(KEPT_MS) < now
            && let Some((_, who)) = self.order.pop_first()
        {
            self.told.remove(&who);
        }
    }
}
