//! Rules that name groups, across peerings too: such a rule goes stale with its peering, and heals on the next.

use std::collections::BTreeSet;

use super::rule::{End, Referenced};
use super::{Group, no_group, parse_group_id};
use crate::error::AwsError;
use crate::ids::{AccountId, GroupId, PeeringId, VpcId};
use crate::view::{GroupReference, PeeringStatus, ReferencedGroup, Response};
use crate::world::{Cx, State};

const DELETED: &str = PeeringStatus::Deleted.as_str();

fn other_network() -> AwsError {
    AwsError::new(
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks.",
    )
}

impl State {
    /// A group of the same VPC, or of one that an active peering joins to it in the same Region, whoever
    /// owns it. An owner that is named must be the right one.
    pub(crate) fn reachable(
        &self,
        cx: &mut Cx<'_>,
        group: &Group,
        id: &GroupId,
        user_id: Option<&str>,
    ) -> Result<Referenced, AwsError> {
        let owned = |other: &Group| user_id.is_none_or(|owner| other.owner == AccountId::from(owner));
        let found = self.groups.get(id).filter(|other| owned(other) && other.region == group.region);
        let other = found.ok_or_else(|| no_group(id.as_str()))?;
        if self.groups.is_fresh(id) && cx.too_early() {
            return Err(no_group(id.as_str()));
        }
        let mut referenced = Referenced::neighbour(other);
        if other.vpc != group.vpc {
            let joins = |peering: &&crate::world::Peering| {
                peering.status == PeeringStatus::Active && peering.joins(&group.vpc, &other.vpc)
            };
            let peering = self.peerings_of(&group.vpc).find(joins).ok_or_else(other_network)?;
            referenced.peering = Some(peering.id.clone());
        }
        Ok(referenced)
    }

    fn peering_word(&self, peering: &PeeringId) -> &'static str {
        match self.peerings.get(peering) {
            Some(held) if !held.status.has_ended() => held.status.as_str(),
            _ => DELETED,
        }
    }

    pub(crate) fn reference_view(&self, group: &Group, held: &Referenced) -> ReferencedGroup {
        let across = held.vpc != group.vpc;
        ReferencedGroup {
            id: held.id.clone(),
            owner: self.groups.get(&held.id).map(|_| held.owner.clone()),
            vpc: across.then(|| held.vpc.clone()),
            peering: held.peering.clone(),
            peering_status: held.peering.as_ref().map(|peering| self.peering_word(peering)),
        }
    }

    /// A peering between two VPCs became active: the rules of each that name groups of the other lead over it.
    pub(crate) fn heal_rules(&mut self, id: &PeeringId) {
        let Some(peering) = self.peerings.get(id) else { return };
        if peering.requester.region != peering.accepter.region {
            return;
        }
        let (a, b) = (peering.requester.vpc.clone(), peering.accepter.vpc.clone());
        for (here, there) in [(&a, &b), (&b, &a)] {
            let crosses = |end: &End| matches!(end, End::Group(held) if held.vpc == *there && held.peering.as_ref() != Some(id));
            let crossing = |group: &&Group| group.rules.values().any(|rule| crosses(&rule.says.end));
            let groups: Vec<GroupId> =
                self.groups_of(here).filter(crossing).map(|group| group.id.clone()).collect();
            for group in &groups {
                self.groups.change(group, None, |group| {
                    for rule in group.rules.values_mut() {
                        match &mut rule.says.end {
                            End::Group(held) if held.vpc == *there => held.peering = Some(id.clone()),
                            _ => {}
                        }
                    }
                });
            }
        }
    }

    /// The VPCs on the other side of a peering whose rules name these groups.
    pub(crate) fn group_references(
        &self,
        cx: &mut Cx<'_>,
        group_ids: &[String],
    ) -> Result<Response, AwsError> {
        if group_ids.is_empty() {
            return Err(crate::error::texts::missing("groupId"));
        }
        let mut found = BTreeSet::new();
        for text in group_ids {
            parse_group_id(text)?;
            let group = self.own_group(cx, text)?;
            for vpc in self.peer_vpcs(&group.vpc) {
                for other in self.groups_of(&vpc) {
                    found.extend(self.references_from(other, &group.id));
                }
            }
        }
        Ok(Response::GroupReferences(found.into_iter().collect()))
    }

    fn peer_vpcs(&self, vpc: &VpcId) -> BTreeSet<VpcId> {
        let peers = self.peerings_of(vpc).flat_map(|peering| [&peering.requester.vpc, &peering.accepter.vpc]);
        peers.filter(|peer| *peer != vpc).cloned().collect()
    }

    fn references_from<'a>(
        &'a self,
        other: &'a Group,
        group: &'a GroupId,
    ) -> impl Iterator<Item = GroupReference> + 'a {
        other.rules.values().filter_map(move |rule| {
            let End::Group(held) = &rule.says.end else { return None };
            let peering = held.peering.clone().filter(|peering| self.peering_word(peering) != DELETED)?;
            let named = held.id == *group;
            named.then(|| GroupReference {
                group: group.clone(),
                referencing_vpc: other.vpc.clone(),
                peering,
            })
        })
    }
}
