//! What AWS can't say again: which peering was ours, which routes we wrote, what was lost and what we tried. It is the
//! status of the object, and no more; everything else is derived from what is observed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::desired::{LossAction, PairAt};
use crate::drift::Drift;
use crate::few::Few;
use crate::ids::{AccountId, AccountRegion, Cidr, GroupId, PeeringId, RuleId, Side, Sides, Slot};
use crate::incident::IncidentRef;
use crate::limits::Level;
use crate::misuse::OwnCall;
use crate::observed::Ending;
use crate::time::Wall;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// Both VPCs with their accounts as they were when we first acted. An `AwsAccount` that now means another account
    /// does not carry this object along.
    pub pair: Option<PairAt>,
    pub life: Life,
    /// How the current (or lost) peering came to be ours. Unknown counts as adopted.
    pub origin: Option<Origin>,
    /// Ids that ended, newest last, bounded by [`Memory::PAST_MAX`]. An ended id is never revived by a later reading.
    pub past: Vec<Past>,
    pub slots: BTreeMap<Slot, Owned>,
    /// Each VPC's CIDR blocks as last read.
    pub cidrs: Sides<Few<Cidr>>,
    /// Those that the last change of the spec met: one that came later is not routed where it would take traffic away.
    pub cidrs_at_spec: Sides<Few<Cidr>>,
    /// The generation for which routes that are no longer declared were let go.
    pub settled_generation: i64,
    /// The open loss, if any.
    pub episode: Option<Episode>,
    /// The last loss that was closed.
    pub last_loss: Option<ClosedLoss>,
    /// What is known of the latest loss, open or closed: who did it, and what the record of it is.
    pub case: Option<Case>,
    /// What somebody else changed and the policy flags: now, or as it was when it was put right last.
    pub drift: Option<Box<Drift>>,
    /// The side whose VPC carries the tag `peerkeeper.dev/hold` by which something is held back.
    pub held_by: Option<Side>,
    /// What we ended in the last day: what is heard of such calls by our role must be among them.
    pub own: Vec<OwnCall>,
    /// A request that ended before it was ever active: it is asked again only on request.
    pub refused: Option<RefusedRequest>,
    /// Acts that count towards limits, with the moment they were committed, before the act.
    pub spent: Vec<(Act, Wall)>,
    /// Creates we sent and don't know the end of: the moment of the latest.
    pub create_intent: Option<Wall>,
    /// Tag keys we set, per side: one that is no longer declared is removed.
    pub tag_keys: Sides<Few<Arc<str>>>,
    /// The `peerkeeper.dev/reconcile-requested-at` last honoured.
    pub requested_at: Option<Arc<str>>,
    /// Taken over from an object of this UID that was being deleted (a rename).
    pub taken_from: Option<Arc<str>>,
}

impl Memory {
    pub const PAST_MAX: usize = 10;
    pub const SPENT_MAX: usize = 32;

    /// The peering this object is about now: asked for, active or lost.
    pub fn peering(&self) -> Option<PeeringId> {
        match self.life {
            Life::NeverSeen => None,
            Life::Requested { id, .. } | Life::Established(id) => Some(id),
            Life::Released { lost, .. } => Some(lost),
        }
    }

    pub fn ending_of(&self, id: PeeringId) -> Option<Ending> {
        self.past.iter().rev().find(|past| past.id == id).map(|past| past.ending)
    }

    pub fn remember_end(&mut self, id: PeeringId, ending: Ending) {
        if let Some(known) = self.past.iter_mut().find(|past| past.id == id) {
            // A tombstone says more than absence, which only follows it.
            if ending != Ending::Absent {
                known.ending = ending;
            }
            return;
        }
        self.past.push(Past { id, ending });
        if self.past.len() > Self::PAST_MAX {
            self.past.remove(0);
        }
    }

    pub fn spend(&mut self, act: Act, now: Wall) {
        self.spent.push((act, now));
        if self.spent.len() > Self::SPENT_MAX {
            self.spent.remove(0);
        }
    }

    pub fn spent_since(&self, act: Act, since: Wall) -> usize {
        self.spent.iter().filter(|(spent, at)| *spent == act && *at > since).count()
    }

    /// The same, told by an object that declares the pair from the other end.
    pub fn turned(self) -> Self {
        fn swap<T>(sides: Sides<T>) -> Sides<T> {
            Sides::new(sides.accepter, sides.requester)
        }
        let slots =
            self.slots.into_iter().map(|(slot, owned)| (Slot { side: slot.side.peer(), ..slot }, owned));
        let case = self.case.map(|mut case| {
            for at in case.stale.iter_mut().flat_map(|stale| stale.rules.values_mut()) {
                at.side = at.side.peer();
            }
            case
        });
        Self {
            case,
            pair: self.pair.map(|pair| PairAt { sides: swap(pair.sides) }),
            slots: slots.collect(),
            cidrs: swap(self.cidrs),
            cidrs_at_spec: swap(self.cidrs_at_spec),
            tag_keys: swap(self.tag_keys),
            held_by: self.held_by.map(Side::peer),
            drift: self.drift.map(|drift| {
                let found = drift.found.into_iter().map(|(aspect, found)| (aspect.turned(), found));
                Box::new(Drift { found: found.collect(), ..*drift })
            }),
            ..self
        }
    }

    /// The act that the open loss waits for, if it has not been begun.
    pub fn waits_for(&self) -> Option<Act> {
        let episode = self.episode.as_ref().filter(|episode| episode.acted.is_none())?;
        let is_lost = matches!(self.life, Life::Established(id) if id == episode.lost);
        match episode.action {
            LossAction::Restore => is_lost.then_some(Act::Restore),
            LossAction::RemoveRoutes => is_lost.then_some(Act::RemoveRoutes),
            LossAction::Flag => None,
        }
    }

    /// The case of this loss.
    pub fn case_of(&self, lost: PeeringId) -> Option<&Case> {
        self.case.as_ref().filter(|case| case.of == lost)
    }

    /// The drift that is open.
    pub fn open_drift(&self) -> Option<&Drift> {
        self.drift.as_deref().filter(|drift| drift.is_open())
    }

    /// This object holds its pair because it has, or had, a peering: others wait.
    pub fn holds_pair(&self) -> bool {
        self.life != Life::NeverSeen
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    #[default]
    NeverSeen,
    /// Asked for or adopted while pending, and not active yet.
    Requested { id: PeeringId, replaces: Option<PeeringId> },
    /// Was read as active once.
    Established(PeeringId),
    /// What the loss left behind was removed; nothing more is wanted until the spec changes.
    Released { lost: PeeringId, generation: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    Created,
    Adopted,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Created, Self::Adopted].into_iter().find(|origin| origin.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Past {
    pub id: PeeringId,
    pub ending: Ending,
}

/// A route slot of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owned {
    pub how: How,
    /// The peering it last pointed at by our doing.
    pub to: PeeringId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// About to be written: committed before the call, confirmed by a reading. Proves nothing yet.
    Intended,
    /// We made the route.
    Created,
    /// It pointed at the pair's peering before we came.
    Adopted,
}

/// A loss, from its detection until it is restored, released or undone by somebody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Episode {
    pub lost: PeeringId,
    pub ending: Ending,
    pub class: LossClass,
    pub detected: Wall,
    /// AWS's status message as it was.
    pub message: Arc<str>,
    /// The account that AWS names as the deleter.
    pub by_account: Option<AccountId>,
    /// Routes of ours that led to it.
    pub routes: u32,
    /// What the policy has done about a loss of this class, for as long as nothing was done: it is what the loss asks of
    /// the limits. Once acted: what was begun.
    pub action: LossAction,
    /// The attempt to act was committed at this moment.
    pub acted: Option<Wall>,
    /// A limit held it back when it was about to act. Neither time nor a higher limit releases this; approval does.
    pub latched: Option<Latch>,
}

/// Why an episode is held: the limit, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Latch {
    pub level: Level,
    pub limit: u32,
    pub demand: u32,
}

/// What is known of one loss beside the loss itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    pub of: PeeringId,
    /// The incident that was made for it: no other's decision counts.
    pub incident: Option<IncidentRef>,
    pub attribution: Attribution,
    /// What the policy was when the loss was noticed ([`crate::desired::Policy::mark`]): a change after that releases
    /// nothing by itself.
    pub policy: Arc<str>,
    /// The security-group rules that went stale with it, once they were read.
    pub stale: Option<StaleRules>,
}

/// Security-group rules that went stale with a lost peering.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StaleRules {
    /// At most [`StaleRules::most`] of them.
    pub rules: BTreeMap<RuleId, StaleAt>,
    /// How many there were.
    pub total: u32,
    /// The act that was begun revokes them.
    pub revoked: bool,
}

impl StaleRules {
    pub const MAX: usize = 100;

    /// How many are named. Memory is stored whole or not at all, and thousands of routes leave little room in it.
    pub fn most(slots: usize) -> usize {
        if slots > 2_000 { 5 } else { Self::MAX }
    }

    /// The plan that names these names this one too, or says that there are more.
    pub fn include(&self, rule: RuleId) -> bool {
        self.rules.contains_key(&rule) || self.total as usize > self.rules.len()
    }
}

/// Where a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StaleAt {
    pub side: Side,
    pub group: GroupId,
    pub is_egress: bool,
}

/// Who ended a peering, and how sure that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribution {
    #[default]
    None,
    /// AWS's status message names the account.
    AccountOnly(AccountId),
    /// A message names somebody, and nothing else bears it out.
    EventOnly(Culprit),
    Corroborated(Culprit, Proof),
}

impl Attribution {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::AccountOnly(_) => "AccountOnly",
            Self::EventOnly(_) => "EventOnly",
            Self::Corroborated(..) => "Corroborated",
        }
    }

    pub fn culprit(&self) -> Option<&Culprit> {
        match self {
            Self::EventOnly(culprit) | Self::Corroborated(culprit, _) => Some(culprit),
            Self::None | Self::AccountOnly(_) => None,
        }
    }

    /// CloudTrail's own history told: nothing surer can follow.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Corroborated(_, Proof::History))
    }
}

/// What bears a record out, the surer last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The message agrees with what AWS shows: the peering, the time, the account that it names as the deleter.
    Agreement,
    /// CloudTrail's event history has it.
    History,
}

impl Proof {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agreement => "Agreement",
            Self::History => "History",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Agreement, Self::History].into_iter().find(|proof| proof.as_str() == word)
    }
}

/// Who made the call that ended a peering; the whole record is in the incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Culprit {
    /// CloudTrail's `eventID`.
    pub event: Arc<str>,
    pub at: Wall,
    /// Where the call was made, which is the caller's account.
    pub place: AccountRegion,
    /// The ARN, or what the record has instead.
    pub principal: Arc<str>,
    /// It was one of the policy's authorized principals when it became known.
    pub authorized: bool,
}

/// Classes of loss, the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossClass {
    /// A VPC is gone too.
    VpcGone,
    /// One of the policy's authorized principals ended it.
    Authorized,
    /// An account that we hold no credentials for ended it.
    WithdrawnByPeer,
    /// A side had remembered route tables and all are gone: a teardown.
    Decommissioning,
    Unexpected,
}

impl LossClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VpcGone => "VpcGone",
            Self::Authorized => "Authorized",
            Self::WithdrawnByPeer => "WithdrawnByPeer",
            Self::Decommissioning => "Decommissioning",
            Self::Unexpected => "Unexpected",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::VpcGone, Self::Authorized, Self::WithdrawnByPeer, Self::Decommissioning, Self::Unexpected]
            .into_iter()
            .find(|c| c.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClosedLoss {
    pub lost: PeeringId,
    pub class: LossClass,
    pub by_account: Option<AccountId>,
    pub detected: Wall,
    pub closed: Wall,
    pub outcome: LossOutcome,
    /// The peering that took its place.
    pub successor: Option<PeeringId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossOutcome {
    /// We made a new one and its routes were read back.
    Restored,
    /// Somebody else made a new one, which we took over.
    Replaced,
    /// The dead routes were removed.
    Released,
}

impl LossOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "Restored",
            Self::Replaced => "Replaced",
            Self::Released => "Released",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Restored, Self::Replaced, Self::Released].into_iter().find(|o| o.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefusedRequest {
    pub id: PeeringId,
    pub ending: Ending,
    pub message: Arc<str>,
    pub at: Wall,
    /// A newer generation, or another `requested_at`, asks again.
    pub generation: i64,
    pub requested_at: Option<Arc<str>>,
}

/// What counts towards a limit. Each is one object, however many calls it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A lost peering is made again.
    Restore,
    /// Drift of one object is repaired; counts under the restores, once per window.
    RepairDrift,
    /// What a loss left behind is removed.
    RemoveRoutes,
    /// A deleted object's things are removed from AWS.
    Finalize,
}

impl Act {
    pub const ALL: [Self; 4] = [Self::Restore, Self::RepairDrift, Self::RemoveRoutes, Self::Finalize];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restore => "Restore",
            Self::RepairDrift => "RepairDrift",
            Self::RemoveRoutes => "RemoveRoutes",
            Self::Finalize => "Finalize",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}
