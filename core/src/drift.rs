//! What somebody changed and the policy only flags: routes, DNS options, tags. And a hold that somebody lifted.
//!
//! A drift lasts from the first such change until everything is as declared again, and is told by one incident. What a lost
//! peering took along is no drift: it is the loss's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::ids::{HOLD_TAG_KEY, ObjectKey, PeeringId, Side, Slot};
use crate::incident::IncidentRef;
use crate::memory::Attribution;
use crate::time::Wall;

/// So many deviations are listed; the rest are counted.
pub const LISTED_MAX: usize = 24;
/// What stands for a route or a tag that is not there.
pub const NONE: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Drift {
    /// The peering that it concerns.
    pub of: PeeringId,
    /// When it was noticed: its incident's name says so too, and no other drift of the object has the same.
    pub since: Wall,
    /// What deviates, and what did since then: at most [`LISTED_MAX`].
    pub found: BTreeMap<Aspect, Deviation>,
    /// So many more deviate and are not listed.
    pub more: u32,
    /// The incident that was made for it: no other's decision counts.
    pub incident: Option<IncidentRef>,
    /// A person's approval, or a changed policy, began the repair at this moment.
    pub acted: Option<Wall>,
    pub closed: Option<(Wall, DriftEnd)>,
}

impl Drift {
    pub fn new(of: PeeringId, since: Wall) -> Self {
        Self { of, since, found: BTreeMap::new(), more: 0, incident: None, acted: None, closed: None }
    }

    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The name of its incident: the same whenever and by whomever it is computed, and no loss's.
    pub fn name(&self, object: &ObjectKey) -> String {
        crate::incident::name_with(object, &format!("drift-{:x}", self.since.0))
    }

    /// What a person may approve to have put right.
    pub fn flagged(&self) -> impl Iterator<Item = (&Aspect, &Deviation)> {
        self.found.iter().filter(|(_, found)| found.stage == Stage::Flagged && !found.approved)
    }
}

/// One thing that can deviate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    Route(Slot),
    /// `AllowDnsResolutionFromRemoteVpc` of this side.
    Dns(Side),
    /// A declared tag of the peering, as this side shows it.
    Tag(Side, Arc<str>),
    /// The tag `peerkeeper.dev/hold` of this side's VPC, while it held something back.
    Hold(Side),
}

impl Aspect {
    pub fn side(&self) -> Side {
        match self {
            Self::Route(slot) => slot.side,
            Self::Dns(side) | Self::Tag(side, _) | Self::Hold(side) => *side,
        }
    }

    /// The same, told from the other end.
    pub fn turned(self) -> Self {
        match self {
            Self::Route(slot) => Self::Route(Slot { side: slot.side.peer(), ..slot }),
            Self::Dns(side) => Self::Dns(side.peer()),
            Self::Tag(side, key) => Self::Tag(side.peer(), key),
            Self::Hold(side) => Self::Hold(side.peer()),
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(slot) => write!(f, "route {slot}"),
            Self::Dns(side) => write!(f, "AllowDnsResolutionFromRemoteVpc ({side})"),
            Self::Tag(side, key) => write!(f, "tag {key} ({side})"),
            Self::Hold(side) => write!(f, "tag {HOLD_TAG_KEY} of the VPC ({side})"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deviation {
    /// As declared: a peering, a value.
    pub before: Arc<str>,
    /// As read: a target, a value, or [`NONE`].
    pub after: Arc<str>,
    pub seen: Wall,
    pub attribution: Attribution,
    /// A person approved that just this is put right.
    pub approved: bool,
    pub stage: Stage,
}

impl Deviation {
    /// What was done, in one word.
    pub fn kind(&self, aspect: &Aspect) -> &'static str {
        match aspect {
            Aspect::Route(_) if *self.after == *NONE => "RouteDeleted",
            Aspect::Route(_) => "RouteRepointed",
            Aspect::Dns(_) => "DnsOptionChanged",
            Aspect::Tag(..) => "TagChanged",
            Aspect::Hold(_) => "HoldReleased",
        }
    }
}

/// How far one deviation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Left as it is.
    Flagged,
    /// A person approved its repair, or the policy was changed to ask for it, and it is being put right.
    Repairing,
    /// We put it right, and it was read back.
    Repaired,
    /// It is as declared again, or declared no more, and not by our doing.
    Undone,
    /// It is told, and nothing about it is to be put right.
    Noted,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Flagged, Self::Repairing, Self::Repaired, Self::Undone, Self::Noted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flagged => "Flagged",
            Self::Repairing => "Repairing",
            Self::Repaired => "Repaired",
            Self::Undone => "Undone",
            Self::Noted => "Noted",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// It deviates.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Flagged | Self::Repairing)
    }
}

/// How a drift ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftEnd {
    /// We put right at least one of the things that deviated, and all of them are as declared.
    Restored,
    /// All of it is as declared, and not by our doing.
    Resolved,
    /// The peering itself was lost, or another took its place: what is left is that one's.
    Superseded,
    ObjectDeleted,
    /// It was told, and there is nothing to put right.
    Noted,
}

impl DriftEnd {
    pub const ALL: [Self; 5] =
        [Self::Restored, Self::Resolved, Self::Superseded, Self::ObjectDeleted, Self::Noted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "Restored",
            Self::Resolved => "Resolved",
            Self::Superseded => "Superseded",
            Self::ObjectDeleted => "ObjectDeleted",
            Self::Noted => "Noted",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_is_the_same_each_time_and_never_a_losss() {
        let id: PeeringId = "pcx-0123456789abcdef0".parse().unwrap();
        let key = ObjectKey::new("net", "prod-to-shared");
        let drift = Drift::new(id, Wall(1_780_000_000));
        assert_eq!(drift.name(&key), "prod-to-shared-drift-6a18a500");
        assert_ne!(drift.name(&key), Drift::new(id, Wall(1_780_000_001)).name(&key));
        assert_ne!(drift.name(&key), crate::incident::name(&key, id));
        assert!(drift.name(&ObjectKey::new("net", "a".repeat(253).as_str())).len() <= 253);
    }
}
