//! What a turn asks to be read, side by side.

use std::collections::BTreeSet;

use peerkeeper_core::desired::Desired;
use peerkeeper_core::ids::{PrefixListId, RouteTableId, Side, Sides, VpcId, VpcPair};
use peerkeeper_core::observed::Needs;

/// What one side's part of what is needed comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub pair: Option<VpcPair>,
    pub vpcs: BTreeSet<VpcId>,
    pub tables: BTreeSet<RouteTableId>,
    pub lists: BTreeSet<PrefixListId>,
    /// VPCs whose stale security-group rules are asked for.
    pub rules_of: BTreeSet<VpcId>,
}

impl Wanted {
    pub fn of(desired: &Desired, side: Side, needs: &Needs) -> Self {
        let vpc = needs.vpcs.contains(&side).then(|| desired.sides.get(side).vpc);
        Self {
            pair: needs.peerings.contains(&side).then(|| desired.pair()),
            vpcs: vpc.into_iter().collect(),
            tables: needs.tables.get(&side).cloned().unwrap_or_default(),
            rules_of: needs
                .stale_rules
                .contains(&side)
                .then(|| desired.sides.get(side).vpc)
                .into_iter()
                .collect(),
            lists: needs.prefix_lists.get(&side).cloned().unwrap_or_default(),
        }
    }

    pub fn joined(both: &Sides<Self>) -> Self {
        let Sides { requester, accepter } = both.clone();
        let mut all = requester;
        all.pair = all.pair.or(accepter.pair);
        all.vpcs.extend(accepter.vpcs);
        all.tables.extend(accepter.tables);
        all.lists.extend(accepter.lists);
        all.rules_of.extend(accepter.rules_of);
        all
    }
}
