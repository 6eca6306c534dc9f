//! Who saw it: what has been heard of the calls that concern one object, and how far CloudTrail's history was asked.

use std::sync::Arc;

use crate::ids::Sides;
use crate::time::Wall;
use crate::trail::TrailEvent;

/// What one object's plan may know of other people's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Witness {
    /// Records that name a peering or a route table of the object, oldest first. Of one `eventID` there is one, that of
    /// the history where there are both.
    pub events: Vec<Arc<TrailEvent>>,
    /// How far the event history of each side's account and Region was asked about the object's loss.
    pub history: Sides<Asked>,
}

/// What asking CloudTrail's event history about one loss has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Asked {
    #[default]
    NotYet,
    /// It answered in full as of this moment; what it told is among the events.
    Answered(Wall),
    /// It can't be asked, for this reason: no permission, or no such account of ours.
    Unavailable(Arc<str>),
}
