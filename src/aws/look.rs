//! What a turn's needs come to: where to look, and for what.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{Region, Side, Sides, VpcId};
use peerkeeper_core::observed::{Needs, SideView};
use peerkeeper_core::turn::Live;

use super::reader::NarrowNeeds;

/// One look at one account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The AwsAccount whose credentials serve.
    pub account: Arc<str>,
    pub region: Region,
    /// What to read newly. `None`: what is known serves.
    pub needs: Option<NarrowNeeds>,
}

/// Looks at both sides at once, and where they are in one place, once for both. A side that may not be read, or that is
/// nobody's here, is not looked at and shows nothing.
pub async fn observe<F>(live: &Live, needs: &Needs, look: impl Fn(Look) -> F) -> Sides<SideView>
where
    F: Future<Output = SideView>,
{
    let [requester, accepter] = Side::BOTH.map(|side| NarrowNeeds::of(live, side, needs));
    let sides = &live.desired.sides;
    if sides.requester.account == sides.accepter.account && sides.requester.region == sides.accepter.region {
        let view = look_at(at(live, Side::Requester, requester.and(accepter)), &look).await;
        return Sides::new(view.clone(), view);
    }
    let (requester, accepter) = futures::join!(
        look_at(at(live, Side::Requester, requester), &look),
        look_at(at(live, Side::Accepter, accepter), &look)
    );
    Sides::new(requester, accepter)
}

async fn look_at<F: Future<Output = SideView>>(at: Option<Look>, look: impl Fn(Look) -> F) -> SideView {
    match at {
        Some(at) => look(at).await,
        None => SideView::default(),
    }
}

fn at(live: &Live, side: Side, needs: NarrowNeeds) -> Option<Look> {
    let spec = live.desired.sides.get(side);
    let AccountRef::Managed(account) = &spec.account else { return None };
    let needs = (needs != NarrowNeeds::default()).then_some(needs);
    live.grants.get(side).readable().then(|| Look { account: account.clone(), region: spec.region, needs })
}

impl NarrowNeeds {
    /// What one side's part of `needs` comes to.
    pub fn of(live: &Live, side: Side, needs: &Needs) -> Self {
        let spec = live.desired.sides.get(side);
        let of_vpc = |asked: &BTreeSet<Side>| -> BTreeSet<VpcId> {
            asked.contains(&side).then_some(spec.vpc).into_iter().collect()
        };
        Self {
            pair: needs.peerings.contains(&side).then(|| live.desired.pair()),
            vpcs: of_vpc(&needs.vpcs),
            stale_rules_of: of_vpc(&needs.stale_rules),
            tables: needs.tables.get(&side).cloned().unwrap_or_default(),
            prefix_lists: needs.prefix_lists.get(&side).cloned().unwrap_or_default(),
        }
    }

    /// What both name, for sides that one set of calls reads.
    fn and(mut self, other: Self) -> Self {
        self.pair = self.pair.or(other.pair);
        self.vpcs.extend(other.vpcs);
        self.tables.extend(other.tables);
        self.prefix_lists.extend(other.prefix_lists);
        self.stale_rules_of.extend(other.stale_rules_of);
        self
    }
}
