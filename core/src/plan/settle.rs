//! Compares what this process did with what was read since, and lets go of what has become visible.

use std::sync::Arc;

use crate::ids::{PeeringId, Sides, Target, VpcPair};
use crate::observed::{Peering, PeeringState, Reading, SideView, StaleRule};
use crate::recent::{Recent, Sent};
use crate::time::{Mono, Timing};
use crate::write::{Write, WriteCall, WriteKey};

/// What one reading says about one write.
enum Says {
    /// It shows the effect, or a state in which the write means nothing any more.
    Effect,
    /// It shows the old state.
    Lacks,
    /// It is not about that.
    Nothing,
}

/// Lets go of every write whose effect has been read, refused ones included, and of those that were never confirmed in
/// time.
pub fn settle(recent: &mut Recent, observed: &Sides<SideView>, pair: VpcPair, now: Mono, timing: &Timing) {
    let pending: Vec<(WriteKey, Sent)> = recent.sent().map(|(key, sent)| (*key, sent.clone())).collect();
    for (key, sent) in pending {
        for (began, is_sweep, says) in readings_about(&sent.call, observed, pair) {
            if began < sent.ended {
                continue;
            }
            match says {
                Says::Effect => recent.settle(key, began),
                Says::Lacks if is_sweep => recent.lacks(key, began, timing),
                Says::Lacks | Says::Nothing => {}
            }
        }
    }
    let refused: Vec<WriteCall> = recent.refused().map(|refused| refused.call.clone()).collect();
    for call in refused {
        for (began, _, says) in readings_about(&call, observed, pair) {
            if matches!(says, Says::Effect) {
                recent.forget_refusal(call.key(), began);
            }
        }
    }
    recent.expire(now, timing);
}

/// Oldest first, so that two sweeps that lack the effect are counted in their order.
fn readings_about(call: &WriteCall, observed: &Sides<SideView>, pair: VpcPair) -> Vec<(Mono, bool, Says)> {
    let view = observed.get(call.side);
    let mut found: Vec<(Mono, bool, Says)> = match &call.write {
        Write::AddRoute { slot, .. } | Write::Repoint { slot, .. } | Write::DropRoute { slot, .. } => {
            let about = |r: &Arc<Reading<crate::observed::RouteTable>>| {
                let says = match r.get(slot.table) {
                    Some(table) => {
                        route_says(&call.write, table.route(slot.destination).map(|route| &route.target))
                    }
                    None if r.is_sweep() => Says::Effect,
                    None => Says::Nothing,
                };
                (r.began(), r.is_sweep(), says)
            };
            view.tables.readings().map(about).collect()
        }
        Write::RevokeRule { rule, vpc, via, .. } => {
            // Such a reading is complete for its VPC, as a sweep is; and they are never swept.
            let about = |r: &Arc<Reading<StaleRule>>| match r.get(*rule) {
                Some(shown) if shown.via == *via => (r.began(), true, Says::Lacks),
                None if !r.covers_group(*vpc) => (r.began(), true, Says::Nothing),
                _ => (r.began(), true, Says::Effect),
            };
            view.stale_rules.readings().map(about).collect()
        }
        write => {
            let about = |r: &Arc<Reading<Peering>>| (r.began(), r.is_sweep(), peering_says(write, r, pair));
            view.peerings.readings().map(about).collect()
        }
    };
    found.reverse();
    found
}

fn route_says(write: &Write, target: Option<&Target>) -> Says {
    let old = match write {
        Write::AddRoute { .. } => target.is_none(),
        Write::Repoint { from, .. } => target == Some(from),
        Write::DropRoute { was, .. } => target == Some(&Target::Peering(*was)),
        _ => return Says::Nothing,
    };
    if old { Says::Lacks } else { Says::Effect }
}

fn peering_says(write: &Write, reading: &Reading<Peering>, pair: VpcPair) -> Says {
    let judge = |id: PeeringId, done: &dyn Fn(&Peering) -> bool| match reading.get(id) {
        Some(peering)
            if done(peering) || matches!(peering.state, PeeringState::Ended(_) | PeeringState::Deleting) =>
        {
            Says::Effect
        }
        Some(_) => Says::Lacks,
        None => Says::Nothing,
    };
    match write {
        Write::Create { pair: at, .. } => {
            let made = |p: &&Arc<Peering>| p.state.is_live() && p.requester.vpc == at.sides.requester.vpc;
            if reading.group(pair).any(|p| made(&p)) { Says::Effect } else { Says::Lacks }
        }
        Write::Accept(id) => judge(*id, &|p| {
            !matches!(p.state, PeeringState::PendingAcceptance | PeeringState::InitiatingRequest)
        }),
        Write::Remove(id, _) => match reading.get(*id) {
            Some(peering) if peering.state.is_live() => Says::Lacks,
            Some(_) => Says::Effect,
            None if reading.is_sweep() => Says::Effect,
            None => Says::Nothing,
        },
        Write::Options { id, requester, accepter } => judge(*id, &|p| {
            let as_set = |wanted: &Option<bool>, shown: Option<bool>| {
                wanted.is_none_or(|w| shown.unwrap_or(false) == w)
            };
            as_set(requester, p.requester.allow_dns) && as_set(accepter, p.accepter.allow_dns)
        }),
        Write::Tag { id, set } => {
            judge(*id, &|p| set.iter().all(|(key, value)| p.tags.get(key) == Some(value)))
        }
        Write::Untag { id, keys } => judge(*id, &|p| keys.iter().all(|key| !p.tags.contains_key(key))),
        Write::AddRoute { .. }
        | Write::Repoint { .. }
        | Write::DropRoute { .. }
        | Write::RevokeRule { .. } => Says::Nothing,
    }
}
