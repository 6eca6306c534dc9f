//! What peerings do by themselves: transient states end, requests expire, tombstones vanish.

use super::agenda::{Due, Thing};
use super::peering::{Peering, Side};
use super::{Cx, State, cidr};
use crate::chance::Delay;
use crate::ids::{AccountId, PeeringId};
use crate::view::PeeringStatus;

const HOUR_MS: u64 = 3_600_000;
const SHORT_MS: u64 = 2 * HOUR_MS;
const LONG_MS: u64 = 48 * HOUR_MS;

/// How long each side, requester first, still sees a peering that has ended.
fn tombstone_ms(peering: &Peering, status: PeeringStatus, by: Option<&AccountId>) -> [u64; 2] {
    let other_side_long = |who: &Side| if by == Some(&who.owner) { SHORT_MS } else { LONG_MS };
    match status {
        // Nobody tells the accepter of a failed request.
        PeeringStatus::Failed => [SHORT_MS, 0],
        PeeringStatus::Expired => [LONG_MS, LONG_MS],
        _ if peering.same_account() => [SHORT_MS, SHORT_MS],
        PeeringStatus::Rejected => [LONG_MS, SHORT_MS],
        _ => [other_side_long(&peering.requester), other_side_long(&peering.accepter)],
    }
}

impl State {
    pub(crate) fn schedule_step(&mut self, cx: &mut Cx<'_>, id: &PeeringId, what: Delay) {
        let at_ms = self.now_ms.saturating_add(cx.delay_ms(what));
        // Asked now, as nobody is there to ask when the time has come.
        let lag_ms = cx.delay_ms(Delay::Visibility);
        self.agenda.add(at_ms, Due::Step { peering: id.clone(), lag_ms });
        self.peerings.change(id, None, |peering| peering.step = Some((at_ms, lag_ms)));
    }

    pub(crate) fn cancel_step(&mut self, id: &PeeringId) {
        let Some((at_ms, lag_ms)) = self.peerings.get(id).and_then(|peering| peering.step) else { return };
        self.agenda.cancel(at_ms, Due::Step { peering: id.clone(), lag_ms });
        self.peerings.change(id, None, |peering| peering.step = None);
    }

    pub(crate) fn step(&mut self, id: &PeeringId, lag_ms: u64) {
        self.peerings.change(id, None, |peering| peering.step = None);
        let Some(peering) = self.peerings.get(id) else { return };
        let next = match peering.status {
            PeeringStatus::InitiatingRequest if self.can_be_delivered(peering) => {
                PeeringStatus::PendingAcceptance
            }
            PeeringStatus::InitiatingRequest => PeeringStatus::Failed,
            PeeringStatus::Provisioning => PeeringStatus::Active,
            PeeringStatus::Deleting => PeeringStatus::Deleted,
            _ => return,
        };
        let by = peering.ended_by.clone();
        let lag = self.visible_after(lag_ms, Thing::Peering(id.clone()));
        if next.has_ended() {
            self.end_peering(id, next, by.as_ref(), lag);
        } else {
            self.peerings.change(id, lag, |peering| {
                peering.status = next;
                peering.delivered = true;
            });
            if next == PeeringStatus::Active {
                self.heal_rules(id);
            }
        }
    }

    /// The peer VPC is where and whose the request says, and no block of the two overlaps.
    fn can_be_delivered(&self, peering: &Peering) -> bool {
        let (from, to) = (&peering.requester, &peering.accepter);
        let (Some(from_vpc), Some(to_vpc)) = (self.vpcs.get(&from.vpc), self.vpcs.get(&to.vpc)) else {
            return false;
        };
        to_vpc.owner == to.owner
            && to_vpc.region == to.region
            && !cidr::any_overlap(from_vpc.nets(), to_vpc.nets())
    }

    pub(crate) fn end_peering(
        &mut self,
        id: &PeeringId,
        status: PeeringStatus,
        by: Option<&AccountId>,
        lag: Option<u64>,
    ) {
        self.cancel_step(id);
        let Some(peering) = self.peerings.get(id) else { return };
        let gone_ms = tombstone_ms(peering, status, by).map(|ms| self.now_ms.saturating_add(ms));
        for at_ms in gone_ms {
            self.agenda.add(at_ms, Due::Gone(id.clone()));
        }
        self.peerings.change(id, lag, |peering| {
            peering.status = status;
            peering.ended_by = by.cloned();
            [peering.requester.gone_ms, peering.accepter.gone_ms] = gone_ms.map(Some);
        });
        self.note_unanswered(id);
    }

    pub(crate) fn expire(&mut self, id: &PeeringId) {
        if self.peerings.get(id).is_some_and(|peering| peering.status.is_unanswered()) {
            self.end_peering(id, PeeringStatus::Expired, None, None);
        }
    }

    /// Once no side sees it any more, nothing is left of it but its id in the routes.
    pub(crate) fn bury(&mut self, id: &PeeringId) {
        let Some(peering) = self.peerings.get(id) else { return };
        let sides = [&peering.requester, &peering.accepter];
        if !sides.iter().all(|side| side.gone_ms.is_some_and(|gone_ms| gone_ms <= self.now_ms)) {
            return;
        }
        let ends = sides.map(|side| side.vpc.clone());
        self.peerings.remove(id, None);
        for vpc in ends {
            self.unlink(&vpc, |links| links.peerings.remove(id));
        }
    }
}
