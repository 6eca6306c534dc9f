//! What follows from what is declared, remembered and observed. A function: the same input gives the same verdict, to
//! the byte, in whatever order the world told it.
//!
//! | the peering is                     | and                                   | then                                      |
//! |------------------------------------|---------------------------------------|-------------------------------------------|
//! | never seen                         | a live one of the pair, nobody's      | adopt it, or say why not                  |
//! |                                    | none, nothing against it              | create it                                 |
//! | asked for                          | pending                               | accept it, or wait for whoever can        |
//! |                                    | ended                                 | stop; ask again only when asked           |
//! | established                        | active                                | routes, DNS options, tags                 |
//! |                                    | ended, or provably absent             | flag; then restore, remove or leave it    |
//! |                                    | unknown                               | nothing                                   |
//! | released                           | spec changed, or a live one appears   | begin again                               |
//! | any of these, object being deleted |                                       | hand over, or routes first, then peering  |
//!
//! Each module proposes writes to the [`draft::Draft`], which holds the stop rules that are common to all writes: access,
//! suspension, the hold tag, what is still settling and what AWS has just refused.

mod access;
mod case;
mod delete;
mod draft;
mod drift;
mod loss;
mod options;
mod peering;
mod report;
mod routes;
mod rules;
mod select;
mod settle;
mod sight;
mod tags;

use std::collections::BTreeSet;

use crate::claims::{ClaimsView, PairClaim};
use crate::desired::{Desired, Grant, Policy};
use crate::ids::{ObjectKey, PeeringId, Sides};
use crate::incident::{Incident, IncidentSeen, Kinds};
use crate::limits::{LimitsView, Reserve};
use crate::memory::Memory;
use crate::observed::{Needs, SideView};
use crate::recent::Recent;
use crate::time::{Mono, Now, Timing};
use crate::witness::{Ask, Witness};
use crate::write::WriteCall;

pub use report::{Condition, Count, Exception, Held, Report, State, Truth};
pub use settle::settle;

use draft::Draft;

/// Everything a plan may look at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub desired: &'a Desired,
    pub policy: &'a Policy,
    pub grants: &'a Sides<Grant>,
    pub claims: &'a ClaimsView,
    pub limits: &'a LimitsView,
    pub memory: &'a Memory,
    pub recent: &'a Recent,
    pub observed: &'a Sides<SideView>,
    /// The answer to [`Verdict::lookup`], once it was asked: does that object exist?
    pub lookup: Option<(&'a ObjectKey, bool)>,
    /// What was heard of who did it.
    pub witness: &'a Witness,
    /// What stands under the names of this object's incidents.
    pub incident: &'a Kinds<IncidentSeen>,
    pub now: Now,
    pub timing: &'a Timing,
}

/// What to do about one object, and what to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    pub memory: Memory,
    /// The writes that can be sent now, together. What follows from them is planned after they were read back.
    pub wave: Vec<WriteCall>,
    /// What must have been read freshly before the wave may be sent.
    pub needs: Needs,
    pub report: Report,
    pub finalizer: Finalizer,
    /// To be written to the annotation `peerkeeper.dev/established`, if it says something else.
    pub established: Option<PeeringId>,
    /// An act that this wave begins: reserved under the limits as it is committed, before anything is sent.
    pub reserve: Option<Reserve>,
    /// Whether this object exists must be asked of the API server before more can be said.
    pub lookup: Option<ObjectKey>,
    /// What the incidents of the latest loss and of the latest drift tell. They are stored before anything is written.
    pub incidents: Vec<Incident>,
    /// What is to be looked up in CloudTrail's history.
    pub ask: BTreeSet<Ask>,
    /// When to look again, if nothing happens before; `None`: the next sweep will do.
    pub wake: Option<Mono>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finalizer {
    Keep,
    /// Before the first write to AWS.
    Add,
    /// Nothing of ours is left there.
    Drop,
}

/// See the table at the head of this module.
pub fn plan(input: &Input<'_>) -> Verdict {
    let mut draft = Draft::new(input);
    if input.desired.deleting && delete::lets_go(&mut draft) {
        return draft.finish();
    }
    let Some(pair) = access::check(&mut draft) else { return draft.finish() };
    draft.look(pair);
    drift::lifted(&mut draft);
    if input.desired.deleting {
        delete::plan(&mut draft);
        return draft.finish();
    }
    if let PairClaim::Other(holder) = &input.claims.pair {
        access::wait_for(&mut draft, holder);
        return draft.finish();
    }
    if let Some(active) = peering::plan(&mut draft) {
        drift::begin(&mut draft);
        routes::plan(&mut draft, active);
        options::plan(&mut draft, active);
        tags::plan(&mut draft, active);
        loss::close(&mut draft, active);
        drift::settle(&mut draft);
    }
    draft.finish()
}
