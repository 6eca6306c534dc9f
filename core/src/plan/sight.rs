//! One object's peering as both its sides show it.
//!
//! A peering is found by its VPC pair, in either orientation, never by id alone. Each readable side is asked; what they
//! say is merged here, so that the rest of the plan sees one row per peering and one word for each id.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::desired::PairAt;
use crate::few::Few;
use crate::ids::{AccountId, Cidr, ObjectKey, OwnerTag, PeeringId, Side, Sides, VpcId};
use crate::memory::Memory;
use crate::observed::{
    AbsenceProof, Ending, Peering, PeeringState, Reading, Seen, SideView, Tags, Unseen, Vpc,
};
use crate::recent::Recent;
use crate::time::{Mono, Now, Timing};

/// One peering of the pair, as seen from each side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub by: Sides<Option<Arc<Peering>>>,
    /// A side that was read does not show it: AWS tells the two apart from each other, and one of them later.
    unshown: bool,
}

static NOT_YET_ACTIVE: PeeringState = PeeringState::Provisioning;

impl Row {
    pub fn any(&self) -> Option<&Arc<Peering>> {
        self.by.requester.as_ref().or(self.by.accepter.as_ref())
    }

    fn states(&self) -> impl Iterator<Item = &PeeringState> {
        [&self.by.requester, &self.by.accepter].into_iter().flatten().map(|peering| &peering.state)
    }

    /// The least advanced of what both sides say: a peering is active once each side that we can read says so.
    pub fn state(&self) -> Option<&PeeringState> {
        let rank = |state: &&PeeringState| match state {
            PeeringState::Ended(_) => 0,
            PeeringState::Deleting => 1,
            PeeringState::Other(_) => 2,
            PeeringState::InitiatingRequest => 3,
            PeeringState::PendingAcceptance => 4,
            PeeringState::Provisioning => 5,
            PeeringState::Active => 6,
        };
        match self.states().min_by_key(rank) {
            Some(PeeringState::Active) if self.unshown => Some(&NOT_YET_ACTIVE),
            least => least,
        }
    }

    pub fn is_live(&self) -> bool {
        self.state().is_some_and(PeeringState::is_live)
    }

    pub fn is_active(&self) -> bool {
        self.state() == Some(&PeeringState::Active)
    }

    /// The owner tag, on whichever side shows one. Another owner's comes first: each side carries its own tags, and what
    /// somebody claims from one side is not overwritten because the other still says that it is ours.
    pub fn owner(&self, mine: &OwnerTag) -> Option<OwnerTag> {
        let tags = || self.each().filter_map(|peering| peering.owner());
        tags().find(|owner| owner.owner_id != mine.owner_id).or_else(|| tags().next())
    }

    fn each(&self) -> impl Iterator<Item = &Arc<Peering>> {
        [&self.by.requester, &self.by.accepter].into_iter().flatten()
    }

    pub fn origin_tag(&self) -> Option<&str> {
        [&self.by.requester, &self.by.accepter].into_iter().flatten().find_map(|peering| peering.origin_tag())
    }

    pub fn tags(&self, side: Side) -> Option<&Tags> {
        self.by.get(side).as_ref().map(|peering| &peering.tags)
    }

    /// A side that was read does not show it: its tags there are not known.
    pub fn is_unshown(&self) -> bool {
        self.unshown
    }

    pub fn message(&self) -> Arc<str> {
        let ended = [&self.by.requester, &self.by.accepter].into_iter().flatten();
        ended
            .filter(|peering| !peering.state.is_live())
            .map(|peering| peering.message.clone())
            .next()
            .unwrap_or_default()
    }

    pub fn deleted_by(&self) -> Option<AccountId> {
        [&self.by.requester, &self.by.accepter].into_iter().flatten().find_map(|peering| peering.deleted_by())
    }
}

/// What is known of one peering id.
#[derive(Clone, Debug)]
pub(crate) enum IdState {
    Live(PeeringState),
    /// AWS is still taking it down, or calls it something we do not know.
    Between(PeeringState),
    Ended(Ending),
    Unknown(Unseen),
}

pub(crate) struct Sight<'a> {
    pub pair: PairAt,
    pub rows: BTreeMap<PeeringId, Row>,
    /// Why a side's peerings can't be seen now.
    pub blind: Sides<Option<Unseen>>,
    observed: &'a Sides<SideView>,
    recent: &'a Recent,
    now: Now,
    timing: &'a Timing,
}

impl<'a> Sight<'a> {
    pub fn new(
        pair: PairAt,
        observed: &'a Sides<SideView>,
        recent: &'a Recent,
        now: Now,
        timing: &'a Timing,
    ) -> Self {
        let mut rows: BTreeMap<PeeringId, Row> = BTreeMap::new();
        let mut blind = Sides::default();
        for side in Side::BOTH {
            match observed.get(side).peerings.group(pair.pair(), now.mono, timing) {
                Err(unseen) => *blind.get_mut(side) = Some(unseen),
                Ok(peerings) => {
                    for peering in peerings {
                        let row = rows.entry(peering.id).or_default();
                        *row.by.get_mut(side) = Some(peering);
                    }
                }
            }
        }
        for row in rows.values_mut() {
            row.unshown =
                Side::BOTH.into_iter().any(|side| blind.get(side).is_none() && row.by.get(side).is_none());
        }
        Self { pair, rows, blind, observed, recent, now, timing }
    }

    pub fn row(&self, id: PeeringId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Live peerings of the pair, lowest id first.
    pub fn live(&self) -> impl Iterator<Item = (PeeringId, &Row)> {
        self.rows.iter().filter(|(_, row)| row.is_live()).map(|(id, row)| (*id, row))
    }

    /// What is known of `id`. An ending that was read once, now or ever, is final.
    pub fn id_state(&self, id: PeeringId, memory: &Memory) -> IdState {
        if let Some(ending) = memory.ending_of(id).or_else(|| self.ending_ever_read(id)) {
            return IdState::Ended(ending);
        }
        match self.rows.get(&id).and_then(Row::state) {
            Some(state) if state.is_live() => IdState::Live(state.clone()),
            Some(PeeringState::Ended(ending)) => IdState::Ended(*ending),
            Some(state) => IdState::Between(state.clone()),
            None => match self.absence(id, memory) {
                Ok(_) => IdState::Ended(Ending::Absent),
                Err(unseen) => IdState::Unknown(unseen),
            },
        }
    }

    fn ending_ever_read(&self, id: PeeringId) -> Option<Ending> {
        let readings = Side::BOTH.into_iter().flat_map(|side| self.observed.get(side).peerings.readings());
        let found = readings.filter_map(|reading| reading.get(id));
        found
            .filter_map(|peering| match peering.state {
                PeeringState::Ended(ending) => Some(ending),
                _ => None,
            })
            .next()
    }

    /// Absence from one side is enough, if the credentials are the remembered account's and both sweeps showed the VPC.
    fn absence(&self, id: PeeringId, memory: &Memory) -> Result<AbsenceProof, Unseen> {
        let settled = self.recent.peering_settled(id, self.now.mono, self.timing);
        let mut reason = Unseen::NotRead;
        for side in Side::BOTH {
            let view = self.observed.get(side);
            match view.peerings.seen(id, settled, self.now.mono, self.timing) {
                Seen::Absent(proof) if self.is_right_account(side, memory) && self.showed_vpc(side) => {
                    return Ok(proof);
                }
                Seen::Unknown(unseen) => reason = unseen,
                Seen::Absent(_) | Seen::Present(_) => reason = Unseen::Unproved,
            }
        }
        Err(reason)
    }

    fn is_right_account(&self, side: Side, memory: &Memory) -> bool {
        let caller = self.observed.get(side).caller;
        let remembered = memory.pair.unwrap_or(self.pair);
        caller == Some(remembered.at(side).account)
    }

    /// An empty answer that lacks even the VPC is somebody else's view, unless the VPC is provably gone as well.
    fn showed_vpc(&self, side: Side) -> bool {
        let vpc = self.pair.sides.get(side).vpc;
        let vpcs = &self.observed.get(side).vpcs;
        let shown =
            |reading: &Option<Arc<Reading<Vpc>>>| reading.as_ref().is_some_and(|r| r.get(vpc).is_some());
        (shown(&vpcs.sweep) && shown(&vpcs.before)) || matches!(self.vpc(side), Seen::Absent(_))
    }

    pub fn vpc(&self, side: Side) -> Seen<Arc<Vpc>> {
        let settled = self.recent.start_settled(self.now.mono, self.timing);
        let vpc: VpcId = self.pair.sides.get(side).vpc;
        self.observed.get(side).vpcs.seen(vpc, settled, self.now.mono, self.timing)
    }

    /// The VPC's CIDR blocks: its own account's word, else what the active peering tells.
    pub fn cidrs(&self, side: Side, active: Option<PeeringId>) -> Option<Few<Cidr>> {
        if let Seen::Present(vpc) = self.vpc(side) {
            return Some(vpc.cidrs.clone());
        }
        let row = self.row(active?)?;
        let told = |peering: &Arc<Peering>| {
            let end = peering.end_of(self.pair.sides.get(side).vpc)?;
            (!end.cidrs.is_empty()).then(|| end.cidrs.clone())
        };
        [&row.by.requester, &row.by.accepter].into_iter().flatten().find_map(told)
    }

    /// The declared side that AWS calls the accepter of this peering: an adopted one may be the other way round.
    pub fn accepting_side(&self, id: PeeringId) -> Option<Side> {
        let peering = self.row(id)?.any()?;
        Side::BOTH.into_iter().find(|side| self.pair.sides.get(*side).vpc == peering.accepter.vpc)
    }

    /// When the newest reading of this side's peerings began.
    pub fn read_at(&self, side: Side) -> Mono {
        let newest = self.observed.get(side).peerings.newest_of(self.pair.pair(), self.now.mono, self.timing);
        newest.map(|reading| reading.began()).unwrap_or_default()
    }
}

/// Whose a live peering is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// By memory or by our tag.
    Ours,
    Nobody,
    /// No tag is seen, and a side does not show it yet: the tag may be there.
    NotSeen,
    OtherOwner(OwnerTag),
    /// Our installation's tag with another object's name.
    OtherObject(ObjectKey),
}
