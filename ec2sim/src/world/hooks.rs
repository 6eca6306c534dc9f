//! What only a test may do: look at the truth, and bring about what no API call can.

use std::sync::Arc;

use super::World;
use super::tables::Route;
use crate::ids::{GroupId, Opaque, PeeringId, RouteTableId, SubnetId, VpcId};
use crate::request::Caller;
use crate::view::{
    Destination, GroupView, PeeringStatus, PeeringView, RouteOrigin, RouteTableView, SubnetView, Target,
    VpcView,
};

impl World {
    /// New ids no longer rise with age, as on AWS.
    pub fn scramble_ids(&mut self) {
        self.state.ids.scrambled = true;
    }

    /// Subnets and internet gateways must have been created here. Without it, an id that this world knows nothing
    /// of stands for one that exists where it is needed, as with NAT gateways, network interfaces and the like.
    pub fn refuse_unknown_ids(&mut self) {
        self.state.refuses_unknown_ids = true;
    }

    /// The truth, as its requester would see it without lag; `None` once no side sees the tombstone any more.
    pub fn peering(&self, id: &PeeringId) -> Option<PeeringView> {
        let peering = self.state.peerings.get(id)?;
        Some(self.state.peering_view(peering, &peering.requester.owner, &peering.requester.region))
    }

    /// The truth, as this caller would see it without lag.
    pub fn peering_as(&self, caller: &Caller, id: &PeeringId) -> Option<PeeringView> {
        let (account, region) = (&caller.account, &caller.region);
        let peering = self.state.peerings.get(id)?;
        let visible = peering.visible_at(account, region, self.state.now_ms);
        visible.then(|| self.state.peering_view(peering, account, region))
    }

    /// All of them, tombstones included.
    pub fn peerings(&self) -> impl Iterator<Item = PeeringView> {
        self.state.peerings.iter().map(|(_, peering)| {
            self.state.peering_view(peering, &peering.requester.owner, &peering.requester.region)
        })
    }

    /// Those of the pair, in either direction, that are neither deleting nor ended.
    pub fn live_peerings_of(&self, a: &VpcId, b: &VpcId) -> Vec<PeeringId> {
        let live =
            self.state.peerings_of(a).filter(|peering| peering.joins(a, b) && peering.status.is_live());
        live.map(|peering| peering.id.clone()).collect()
    }

    pub fn route_table(&self, id: &RouteTableId) -> Option<RouteTableView> {
        self.state.tables.get(id).map(|table| self.state.table_view(table))
    }

    pub fn route_tables(&self) -> impl Iterator<Item = RouteTableView> {
        self.state.tables.iter().map(|(_, table)| self.state.table_view(table))
    }

    pub fn main_table(&self, vpc: &VpcId) -> Option<RouteTableId> {
        let mut tables = self.state.links(vpc)?.tables.iter().filter_map(|id| self.state.tables.get(id));
        tables.find(|table| table.is_main()).map(|table| table.id.clone())
    }

    pub fn vpc(&self, id: &VpcId) -> Option<VpcView> {
        self.state.vpcs.get(id).map(super::Vpc::view)
    }

    pub fn security_group(&self, id: &GroupId) -> Option<GroupView> {
        self.state.groups.get(id).map(|group| self.state.group_view(group))
    }

    pub fn security_groups(&self) -> impl Iterator<Item = GroupView> {
        self.state.groups.iter().map(|(_, group)| self.state.group_view(group))
    }

    /// The group that the VPC came with.
    pub fn default_group(&self, vpc: &VpcId) -> Option<GroupId> {
        self.state.groups_of(vpc).find(|group| group.is_default()).map(|group| group.id.clone())
    }

    pub fn subnets(&self) -> impl Iterator<Item = SubnetView> {
        self.state.subnets.iter().map(|(_, subnet)| subnet.view())
    }

    pub fn subnet(&self, id: &SubnetId) -> Option<SubnetView> {
        self.state.subnets.get(id).map(super::subnets::Subnet::view)
    }

    /// Puts a route into a table, past all validation, as if it had always been there. False: no such table.
    pub fn inject_route(
        &mut self,
        table: &RouteTableId,
        destination: Destination,
        target: Target,
        origin: RouteOrigin,
    ) -> bool {
        self.state.tables.change(table, None, |table| {
            table.routes.insert(destination, Route { target, origin });
        });
        self.state.tables.get(table).is_some()
    }

    /// A virtual private gateway announces a route to a table that takes them from it.
    pub fn propagate_route(&mut self, table: &RouteTableId, destination: Destination, vgw: &str) -> bool {
        self.state.tables.change(table, None, |table| {
            table.propagating_vgws.insert(Opaque::new(vgw));
            table.propagated.insert(destination, Opaque::new(vgw));
        });
        self.state.tables.get(table).is_some()
    }

    /// Puts a peering into any state, at once; a transient one stays until the next force. False: no such
    /// peering.
    pub fn force_peering(&mut self, id: &PeeringId, status: PeeringStatus) -> bool {
        let Some(peering) = self.state.peerings.get(id) else { return false };
        if status.has_ended() {
            let by = peering.accepter.owner.clone();
            let named = matches!(status, PeeringStatus::Deleted | PeeringStatus::Rejected);
            self.state.end_peering(id, status, named.then_some(&by), None);
        } else {
            self.state.cancel_step(id);
            self.state.peerings.change(id, None, |peering| {
                peering.status = status;
                peering.delivered = status != PeeringStatus::InitiatingRequest;
                peering.ended_by = None;
                peering.requester.gone_ms = None;
                peering.accepter.gone_ms = None;
            });
            self.state.note_unanswered(id);
            if status == PeeringStatus::Active {
                self.state.heal_rules(id);
            }
        }
        true
    }

    /// Routes to this gateway, or whatever it is, are blackholes from now on.
    pub fn break_target(&mut self, id: &str) {
        Arc::make_mut(&mut self.state.broken).insert(id.to_owned());
    }

    pub fn mend_target(&mut self, id: &str) {
        Arc::make_mut(&mut self.state.broken).remove(id);
    }
}
