//! For every leaf of every schema: values that fit, at their bounds and absent too, and values that the schema takes and
//! the world does not. A leaf without a generator fails the tests.

mod account;
mod incident;
mod peering;
mod policy;

use peerkeeper_core::reason::Reason;
use serde_json::Value;

use super::schema::Kind;
use super::stage::{Base, Probe};

/// The changes of one leaf.
pub struct Generator {
    pub kind: Kind,
    /// As [`super::schema::Leaf::path`].
    pub path: String,
    /// The object of the base that is changed.
    pub object: &'static str,
    pub base: Base,
    pub changes: Vec<Change>,
}

/// One value of a leaf, as a merge patch of its object.
#[derive(Clone, Debug)]
pub struct Change {
    pub what: &'static str,
    pub patch: Value,
    pub expect: Expect,
    /// What only a change of the world shows: it is also made while the value is in force, and what became of it is
    /// compared with that of an object that always had it.
    pub probe: Option<Probe>,
    /// What Ready says after the probe.
    pub then: Option<Reason>,
    pub back: Back,
    /// Where `back` is not as the base, after the probe.
    pub back_after_probe: Back,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Ready, just as if it had always been so.
    Fits,
    /// Not ready for this reason, and else just as if it had always been so.
    Says(Reason),
    /// Nothing changes in AWS; Ready says this, or is still True.
    Freezes(Option<Reason>),
    /// The schema refuses it for an object that exists.
    Fixed,
    /// The schema refuses it in any object.
    Refused,
    /// Fixed for an object that exists; an object made with it is ready.
    CreatedFits,
    /// Fixed for an object that exists; an object made with it says this. Deleted and made as it should be, it heals.
    CreatedSays(Reason),
}

/// What becomes of taking the change back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// All is as if it had never been made.
    Heals,
    /// It stays as it is with the change, as documented: what was done is done.
    Stays,
    /// What the change made of a loss is not taken back: it stays held for this reason until a person approves. Then all is
    /// as if it had never been made, or Ready says `then`.
    Asks { held: Reason, then: Option<Reason> },
    /// DNS options stay: an absent one means that they are left as they are.
    KeepsDns,
}

impl Change {
    fn new(what: &'static str, expect: Expect, patch: Value) -> Self {
        let (probe, then) = (None, None);
        Self { what, patch, expect, probe, then, back: Back::Heals, back_after_probe: Back::Heals }
    }

    fn probed(self, probe: Probe) -> Self {
        Self { probe: Some(probe), ..self }
    }

    fn then(self, reason: Reason) -> Self {
        Self { then: Some(reason), ..self }
    }

    fn stays(self) -> Self {
        Self { back: Back::Stays, back_after_probe: Back::Stays, ..self }
    }

    fn stays_after_probe(self) -> Self {
        Self { back_after_probe: Back::Stays, ..self }
    }

    /// A loss that was noticed under another policy awaits approval.
    fn asks_after_probe(self) -> Self {
        let back_after_probe = Back::Asks { held: Reason::AwaitingApproval, then: None };
        Self { back_after_probe, ..self }
    }

    fn asks_then(self, then: Reason) -> Self {
        let back_after_probe = Back::Asks { held: Reason::AwaitingApproval, then: Some(then) };
        Self { back_after_probe, ..self }
    }

    /// No higher limit releases a loss that was held back at one.
    fn latched_after_probe(self) -> Self {
        let back_after_probe = Back::Asks { held: Reason::LimitReached, then: None };
        Self { back_after_probe, ..self }
    }

    fn keeps_dns(self) -> Self {
        Self { back: Back::KeepsDns, back_after_probe: Back::KeepsDns, ..self }
    }
}

fn fits(what: &'static str, patch: Value) -> Change {
    Change::new(what, Expect::Fits, patch)
}

fn says(what: &'static str, reason: Reason, patch: Value) -> Change {
    Change::new(what, Expect::Says(reason), patch)
}

fn freezes(what: &'static str, reason: Reason, patch: Value) -> Change {
    Change::new(what, Expect::Freezes(Some(reason)), patch)
}

fn rests(what: &'static str, patch: Value) -> Change {
    Change::new(what, Expect::Freezes(None), patch)
}

fn fixed(what: &'static str, patch: Value) -> Change {
    Change::new(what, Expect::Fixed, patch)
}

fn refused(what: &'static str, patch: Value) -> Change {
    Change::new(what, Expect::Refused, patch)
}

fn created(what: &'static str, patch: Value) -> Change {
    Change::new(what, Expect::CreatedFits, patch)
}

fn created_says(what: &'static str, reason: Reason, patch: Value) -> Change {
    Change::new(what, Expect::CreatedSays(reason), patch)
}

pub fn all() -> Vec<Generator> {
    let lists = [peering::generators(), policy::generators(), incident::generators(), account::generators()];
    lists.into_iter().flatten().collect()
}
