//! What this process did a moment ago and can't read back yet.
//!
//! AWS shows a write some time after it happened. Until then an old value, or absence, is *settling*: it is no reason to
//! write again and no evidence of anything. What is recorded here only ever masks, it never adds: that a write was
//! answered with success proves nothing until a reading shows it. It lives in the process and dies with it; after a
//! start every remembered id counts as written at that moment.

use std::collections::BTreeMap;

use crate::aws_code::{Refusal, RefusalKind};
use crate::ids::{PeeringId, RouteTableId, Side, Sides, Slot};
use crate::observed::Needs;
use crate::time::{Mono, Timing};
use crate::write::{Outcome, WriteCall, WriteKey};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recent {
    /// When this process began to answer for the object: its start, or the moment it gained the lease.
    since: Mono,
    /// The latest moment at which any write of ours became settled: only readings begun after it count towards absence.
    settled: Mono,
    sent: BTreeMap<WriteKey, Sent>,
    refused: BTreeMap<WriteKey, Refused>,
    /// What was last read or written newly, and when: an older reading would show a world that is gone, so it is read
    /// anew before anything is said or done.
    floors: Floors,
    /// How often this object has been looked at while AWS was working on it, for the growing delay.
    pub polls: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Floors {
    peerings: Sides<Mono>,
    tables: BTreeMap<(Side, RouteTableId), Mono>,
}

/// A write whose effect has not been read yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    pub call: WriteCall,
    /// When its answer, or the lack of one, was known: readings begun before may miss the effect.
    pub ended: Mono,
    /// No answer came: the effect may or may not have happened.
    pub lost: bool,
    /// The first complete sweep that lacked the effect of a lost write.
    pub lacked: Option<Mono>,
}

/// A write that AWS refused, and when it may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    pub refusal: Refusal,
    pub call: WriteCall,
    pub at: Mono,
    pub until: Mono,
    pub times: u32,
}

/// First and longest delay before a refused write is tried again.
const REFUSED_FIRST_MS: u64 = 5_000;
const REFUSED_LONGEST_MS: u64 = 300_000;
/// Delays double so many times at most. Nothing is counted further: what only waits comes to rest.
const COUNTED_MAX: u32 = 10;

impl Recent {
    pub fn new(since: Mono) -> Self {
        Self {
            since,
            settled: since,
            sent: BTreeMap::new(),
            refused: BTreeMap::new(),
            floors: Floors::default(),
            polls: 0,
        }
    }

    pub fn since(&self) -> Mono {
        self.since
    }

    /// One more look at something that AWS is working on.
    pub fn count_poll(&mut self) {
        self.polls = self.polls.saturating_add(1).min(COUNTED_MAX);
    }

    /// Records what came of a write.
    pub fn record(&mut self, call: &WriteCall, outcome: &Outcome, now: Mono) {
        let key = call.key();
        match outcome {
            Outcome::Refused(refusal) if refusal.kind() != RefusalKind::Unavailable => {
                self.refuse(key, call, refusal, now);
            }
            // A server error says nothing about the effect: as good as no answer.
            Outcome::Done(_) | Outcome::Unknown(_) | Outcome::Refused(_) => {
                let lost = !matches!(outcome, Outcome::Done(_));
                self.sent.insert(key, Sent { call: call.clone(), ended: now, lost, lacked: None });
                self.refused.remove(&key);
                self.polls = 0;
            }
            Outcome::NotSent(_) => {}
        }
    }

    fn refuse(&mut self, key: WriteKey, call: &WriteCall, refusal: &Refusal, now: Mono) {
        let before = self.refused.get(&key).map_or(0, |refused| refused.times);
        let times = before.saturating_add(1).min(COUNTED_MAX);
        let delay = REFUSED_FIRST_MS.saturating_mul(1 << times.saturating_sub(1)).min(REFUSED_LONGEST_MS);
        self.refused.insert(
            key,
            Refused {
                refusal: refusal.clone(),
                call: call.clone(),
                at: now,
                until: now.plus_ms(delay),
                times,
            },
        );
    }

    /// This was read, or written, at that moment: readings begun before say nothing about it any more.
    pub fn raise_floor(&mut self, what: &Needs, at: Mono) {
        for side in &what.peerings {
            let floor = self.floors.peerings.get_mut(*side);
            *floor = at.max(*floor);
        }
        for (side, tables) in &what.tables {
            for table in tables {
                let floor = self.floors.tables.entry((*side, *table)).or_default();
                *floor = at.max(*floor);
            }
        }
    }

    pub fn peerings_floor(&self, side: Side) -> Mono {
        *self.floors.peerings.get(side)
    }

    pub fn table_floor(&self, side: Side, table: RouteTableId) -> Mono {
        self.floors.tables.get(&(side, table)).copied().unwrap_or_default()
    }

    /// Everything that has a floor: to be read anew where the readings at hand are older.
    pub fn floored(&self) -> Needs {
        let mut needs = Needs::default();
        let raised = |side: &Side| *self.floors.peerings.get(*side) > Mono::default();
        needs.peerings.extend(Side::BOTH.into_iter().filter(raised));
        for (side, table) in self.floors.tables.keys() {
            needs.tables.entry(*side).or_default().insert(*table);
        }
        needs
    }

    pub fn sent(&self) -> impl Iterator<Item = (&WriteKey, &Sent)> {
        self.sent.iter()
    }

    pub fn pending(&self, key: WriteKey) -> Option<&Sent> {
        self.sent.get(&key)
    }

    pub fn refused(&self) -> impl Iterator<Item = &Refused> {
        self.refused.values()
    }

    /// A refusal of this write that still stands.
    pub fn refusal(&self, key: WriteKey, now: Mono) -> Option<&Refused> {
        self.refused.get(&key).filter(|refused| now < refused.until)
    }

    /// A reading begun at `began` shows what the refused write was to bring about, or makes it moot: somebody else did
    /// it, or an answer of ours that was lost.
    pub fn forget_refusal(&mut self, key: WriteKey, began: Mono) {
        if self.refused.get(&key).is_some_and(|refused| refused.at <= began) {
            self.refused.remove(&key);
        }
    }

    /// A reading begun at `began` shows the effect of the write, or makes it moot.
    pub fn settle(&mut self, key: WriteKey, began: Mono) {
        if self.sent.get(&key).is_some_and(|sent| sent.ended <= began) {
            self.sent.remove(&key);
            self.settled = self.settled.max(began);
        }
    }

    /// A complete sweep begun at `began` lacks the effect. A lost write has then not happened once a second sweep,
    /// far enough from the first, says the same.
    pub fn lacks(&mut self, key: WriteKey, began: Mono, timing: &Timing) {
        let Some(sent) = self.sent.get_mut(&key).filter(|sent| sent.lost && sent.ended <= began) else {
            return;
        };
        match sent.lacked {
            None => sent.lacked = Some(began),
            Some(first) if began.since_ms(first) >= timing.absence_gap_ms => {
                self.sent.remove(&key);
                self.settled = self.settled.max(began);
            }
            Some(_) => {}
        }
    }

    /// Gives up on writes that nothing confirmed in time: from then on a reading that disagrees is drift.
    pub fn expire(&mut self, now: Mono, timing: &Timing) {
        for sent in self.sent.values() {
            let expires = sent.ended.plus_ms(timing.settle_ms);
            if expires <= now {
                self.settled = self.settled.max(expires);
            }
        }
        self.sent.retain(|_, sent| sent.ended.plus_ms(timing.settle_ms) > now);
        self.refused.retain(|_, refused| now < refused.until.plus_ms(REFUSED_LONGEST_MS));
        // Readings that old are not looked at any more anyway.
        let old = |at: Mono| now.since_ms(at) > timing.stale_ms;
        self.floors.tables.retain(|_, at| !old(*at));
        for side in Side::BOTH {
            let floor = self.floors.peerings.get_mut(side);
            if old(*floor) {
                *floor = Mono::default();
            }
        }
    }

    /// Since when every write of ours to this peering has settled; `None` while one has not.
    pub fn peering_settled(&self, id: PeeringId, now: Mono, timing: &Timing) -> Option<Mono> {
        let touches = |key: &WriteKey| match key {
            WriteKey::Accept(of)
            | WriteKey::Remove(of)
            | WriteKey::Options(of, _)
            | WriteKey::Tags(of, _) => *of == id,
            WriteKey::Create => true,
            WriteKey::Route(_) | WriteKey::Rule(_) => false,
        };
        self.settled_unless(touches, now, timing)
    }

    pub fn slot_settled(&self, slot: Slot, now: Mono, timing: &Timing) -> Option<Mono> {
        if self.sent.contains_key(&WriteKey::Route(slot)) {
            return None;
        }
        self.start_settled(now, timing)
    }

    /// A VPC or route table is never written by us, but a view taken at a start must settle like any other.
    pub fn start_settled(&self, now: Mono, timing: &Timing) -> Option<Mono> {
        let settled = self.settled.max(self.since.plus_ms(timing.settle_ms));
        (settled <= now).then_some(settled)
    }

    fn settled_unless(
        &self,
        touches: impl Fn(&WriteKey) -> bool,
        now: Mono,
        timing: &Timing,
    ) -> Option<Mono> {
        if self.sent.keys().any(touches) {
            return None;
        }
        self.start_settled(now, timing)
    }

    /// The earliest moment at which something recorded here changes by itself.
    pub fn next_change(&self, now: Mono, timing: &Timing) -> Option<Mono> {
        let settles = self.sent.values().map(|sent| sent.ended.plus_ms(timing.settle_ms));
        let retries = self.refused.values().map(|refused| refused.until);
        settles.chain(retries).filter(|at| *at > now).min()
    }

    /// A side whose last writes were refused for want of rights.
    pub fn denied_on(&self, side: Side, now: Mono) -> Option<&Refused> {
        let denied = |refused: &&Refused| {
            refused.call.side == side && refused.until > now && refused.refusal.kind() == RefusalKind::Denied
        };
        self.refused.values().find(denied)
    }
}
