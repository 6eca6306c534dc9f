//! Ways to break the operator's guards from outside, by giving it another view of things than there is.

use std::sync::Arc;

use peerkeeper_core::ids::{Side, Sides, Target};
use peerkeeper_core::memory::Life;
use peerkeeper_core::observed::{Reading, Scope, SideView};
use peerkeeper_core::time::Mono;

use crate::scenario::{Sabotage, Setup};
use crate::store::Store;

/// The sweep before is said to have shown what this one shows, long enough ago.
pub fn pretend_twice(view: &mut SideView, setup: &Setup) {
    if let Some(sweep) = &view.peerings.sweep {
        let earlier = Mono(sweep.began().0 - setup.timing.absence_gap_ms);
        let before = Reading::new(earlier, Scope::All, sweep.iter().cloned());
        view.peerings.before = Some(Arc::new(before));
    }
}

/// What a turn is shown instead of what was read.
pub fn distort(setup: &Setup, store: &Store, views: &mut Sides<SideView>) {
    let Some(object) = &store.object else { return };
    let lost = object.memory.past.last().map(|past| Target::Peering(past.id));
    let current = match object.memory.life {
        Life::Established(id) | Life::Requested { id, .. } => Some(Target::Peering(id)),
        _ => None,
    };
    match setup.sabotage {
        Some(Sabotage::TakesAllForDead) => {
            if let Some(lost) = lost {
                change_targets(views, |target| {
                    if matches!(target, Target::Other(_)) {
                        *target = lost.clone()
                    }
                });
            }
        }
        Some(Sabotage::TrustsItsWrites) => {
            if let (Some(lost), Some(current)) = (lost, current) {
                change_targets(views, |target| {
                    if *target == lost {
                        *target = current.clone()
                    }
                });
            }
        }
        _ => {}
    }
}

fn change_targets(views: &mut Sides<SideView>, mut change: impl FnMut(&mut Target)) {
    for side in Side::BOTH {
        let Some(reading) = &views.get(side).tables.narrow else { continue };
        let mut tables: Vec<_> = reading.iter().map(|table| (**table).clone()).collect();
        tables.iter_mut().flat_map(|table| &mut table.routes).for_each(|route| change(&mut route.target));
        let ids = tables.iter().map(|table| table.id).collect();
        let changed = Reading::new(reading.began(), Scope::Ids(ids), tables.into_iter().map(Arc::new));
        views.get_mut(side).tables.narrow = Some(Arc::new(changed));
    }
}
