//! What happens by itself, and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::State;
use crate::ids::{GatewayId, GroupId, PeeringId, PrefixListId, RouteTableId, RuleId, SubnetId, VpcId};
use crate::queue::QueueId;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Thing {
    Vpc(VpcId),
    Table(RouteTableId),
    Peering(PeeringId),
    PrefixList(PrefixListId),
    Subnet(SubnetId),
    Gateway(GatewayId),
    Group(GroupId),
    /// Seen when its group is.
    Rule(GroupId, RuleId),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Due {
    /// A transient state ends; for so long reads may still show it.
    Step { peering: PeeringId, lag_ms: u64 },
    /// The 7 days of an unaccepted request are over.
    Expire(PeeringId),
    /// A tombstone leaves one side's sight.
    Gone(PeeringId),
    /// The newest version of a thing is the only one that reads show.
    Visible(Thing),
    /// LookupEvents finds this record.
    Recorded(u64),
    /// This copy of an event reaches its queue.
    Event(u64),
    /// A message may be received, from now on or again.
    MessageVisible(QueueId, u64),
    /// A message has been kept for as long as its queue keeps them.
    MessageGone(QueueId, u64),
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Agenda(Arc<BTreeSet<(u64, Due)>>);

impl Agenda {
    pub(crate) fn add(&mut self, at_ms: u64, due: Due) {
        Arc::make_mut(&mut self.0).insert((at_ms, due));
    }

    pub(crate) fn cancel(&mut self, at_ms: u64, due: Due) {
        Arc::make_mut(&mut self.0).remove(&(at_ms, due));
    }

    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.0.first().map(|(at_ms, _)| *at_ms)
    }

    /// Counts from this moment on.
    pub(crate) fn start_at(&mut self, now_ms: u64) {
        let earlier = |(at_ms, due): &(u64, Due)| (at_ms.saturating_sub(now_ms), due.clone());
        self.0 = Arc::new(self.0.iter().map(earlier).collect());
    }

    pub(crate) fn take_until(&mut self, to_ms: u64) -> Option<(u64, Due)> {
        if self.next_ms()? > to_ms {
            return None;
        }
        Arc::make_mut(&mut self.0).pop_first()
    }
}

impl State {
    pub(crate) fn happen(&mut self, due: Due) {
        let now_ms = self.now_ms;
        match due {
            Due::Step { peering, lag_ms } => self.step(&peering, lag_ms),
            Due::Expire(peering) => self.expire(&peering),
            Due::Gone(peering) => self.bury(&peering),
            Due::Visible(Thing::Vpc(id)) => self.vpcs.forget_past(&id, now_ms),
            Due::Visible(Thing::Table(id)) => self.tables.forget_past(&id, now_ms),
            Due::Visible(Thing::Peering(id)) => self.peerings.forget_past(&id, now_ms),
            Due::Visible(Thing::PrefixList(id)) => self.prefix_lists.forget_past(&id, now_ms),
            Due::Visible(Thing::Subnet(id)) => self.subnets.forget_past(&id, now_ms),
            Due::Visible(Thing::Gateway(id)) => self.gateways.forget_past(&id, now_ms),
            Due::Visible(Thing::Group(id) | Thing::Rule(id, _)) => self.groups.forget_past(&id, now_ms),
            Due::Recorded(number) => self.recorded(number),
            Due::Event(number) => self.event_arrives(number),
            // Whether it is visible follows from its time; this entry says when to look.
            Due::MessageVisible(_, _) => {}
            Due::MessageGone(queue, number) => self.message_expires(&queue, number),
        }
    }
}
