//! Who holds what, across objects: one object per pair of VPCs, one per route slot. The others wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{Destination, ObjectKey, RouteTableId};
use crate::memory::Memory;

/// What other objects mean to one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClaimsView {
    pub pair: PairClaim,
    /// Slots that other objects hold, of those that share a VPC with this one.
    pub slots: BTreeMap<(RouteTableId, Destination), ObjectKey>,
    /// Objects that exist and declare this pair: an owner tag of ours that names none of them is a dead one.
    pub same_pair: BTreeSet<ObjectKey>,
    /// While this object is being deleted: a granted object of the same pair that is to take over.
    pub heir: Option<Heir>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PairClaim {
    #[default]
    Mine,
    Other(Holder),
}

/// The object that holds the pair instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    pub key: ObjectKey,
    pub uid: Arc<str>,
    /// It holds because it remembers a peering; otherwise only because it is older.
    pub by_memory: bool,
    /// It is being deleted: what it remembers is ours to take over.
    pub leaving: bool,
    pub memory: Box<Memory>,
}

/// The object that takes over from this one, which is being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heir {
    pub key: ObjectKey,
    /// It has committed our memory as its own: we can let go.
    pub has_taken: bool,
}
