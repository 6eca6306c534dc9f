//! Sweeps find work: one timer per account and Region reads everything there is, compares it with the last time, and
//! wakes just the objects whose inputs changed.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{ObjectKey, Side};
use peerkeeper_core::memory::{Act, Life};
use peerkeeper_core::observed::{PeeringState, Reading, Resource, SideView};
use peerkeeper_core::pace::queue::Urgency;

use super::accounts;
use super::shell::Shell;
use super::state::{Known, Place};
use crate::aws::clock;

/// Sweeps every place when its time has come, for as long as this replica leads.
pub async fn run(shell: Arc<Shell>) {
    loop {
        let woken = shell.sweep_work.notified();
        let place = timer(&shell, |timer| timer.take(clock::now()));
        if let Some(place) = place {
            let shell = shell.clone();
            tokio::spawn(async move { sweep(&shell, place).await });
            continue;
        }
        let next = timer(&shell, |timer| timer.next_at(clock::now()));
        tokio::select! {
            () = woken => {}
            () = clock::sleep_until(next.unwrap_or(clock::now().plus_ms(1000))) => {}
        }
    }
}

fn timer<T>(shell: &Shell, ask: impl FnOnce(&mut peerkeeper_core::pace::sweep::Timer<Place>) -> T) -> T {
    ask(&mut shell.sweeps.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn sweep(shell: &Arc<Shell>, place: Place) {
    let (name, region) = &place;
    let began = clock::now();
    let first = !shell.has_been_tried(name, *region);
    let swept = shell.reader.sweep(name, *region).await;
    timer(shell, |timer| timer.finished(clock::now(), &place, swept.is_ok(), fastrand::u64(..)));
    shell.sweep_work.notify_waiters();
    shell.metrics.swept(name, region, swept.is_ok(), clock::now().since_ms(began));
    let view = shell.reader.view(name, *region);
    let concerned = match &swept {
        Ok(_) => {
            accounts::set_usable(shell, name, None);
            let was_stale = shell.stale_places().remove(&place);
            let concerned = concerned(shell, &place, &view, first || was_stale);
            expect_losses(shell, &concerned, &view);
            concerned
        }
        Err(error) => {
            tracing::warn!(account = %name, region = %region, error = %error, "the sweep failed; nothing is concluded from it");
            let news = accounts::note_failure(shell, name, error);
            let age_ms =
                timer(shell, |timer| timer.health(clock::now(), &place)).map_or(0, |health| health.age_ms);
            let grew_stale = age_ms > shell.timing.stale_ms && shell.stale_places().insert(place.clone());
            // What one kind's call failed for, another's may have shown: the next sweep will not show it as a change again.
            concerned(shell, &place, &view, first || news || grew_stale)
        }
    };
    for key in concerned {
        shell.enqueue(&key, Urgency::Resync);
    }
}

/// Objects for which this sweep says something else than the one before.
fn concerned(shell: &Shell, place: &Place, view: &SideView, everything: bool) -> Vec<ObjectKey> {
    let state = shell.state();
    // Who was told when its writes have their turn comes then: reading AWS for them before would be in vain.
    let is_restless = |key: &ObjectKey, known: &Known| !known.quiet && !shell.writer.waits(key);
    let is_concerned = |key: &ObjectKey, known: &Known| {
        everything || is_restless(key, known) || has_changed(known, place, view)
    };
    let all = state.objects_at(place);
    all.filter(|(key, known)| is_concerned(key, known)).map(|(key, _)| key.clone()).collect()
}

fn has_changed(known: &Known, place: &Place, view: &SideView) -> bool {
    let Ok(desired) = &known.desired else { return true };
    let here = |side: &Side| {
        let spec = desired.sides.get(*side);
        spec.region == place.1 && spec.account == AccountRef::Managed(place.0.clone())
    };
    differs(view.peerings.sweep.as_ref(), view.peerings.before.as_ref(), desired.pair())
        || Side::BOTH.into_iter().filter(here).any(|side| {
            let vpc = desired.sides.get(side).vpc;
            differs(view.vpcs.sweep.as_ref(), view.vpcs.before.as_ref(), vpc)
                || differs(view.tables.sweep.as_ref(), view.tables.before.as_ref(), vpc)
        })
}

fn differs<T: Resource>(
    new: Option<&Arc<Reading<T>>>,
    old: Option<&Arc<Reading<T>>>,
    group: T::Group,
) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => !new.group(group).eq(old.group(group)),
        _ => true,
    }
}

/// Losses that this sweep shows are counted as demand before any of them is acted upon: of twenty that come at once the
/// first must not look like the only one.
fn expect_losses(shell: &Shell, concerned: &[ObjectKey], view: &SideView) {
    let Some(sweep) = &view.peerings.sweep else { return };
    let mut state = shell.state();
    let mut lost: BTreeSet<(ObjectKey, Act)> = BTreeSet::new();
    for key in concerned {
        let Some(known) = state.peerings.get(key) else { continue };
        // What goes with its object is no loss that waits for anything.
        if known.desired.as_ref().is_ok_and(|desired| desired.deleting) {
            continue;
        }
        let Some(memory) = state.claims.get(key).map(|entry| &entry.memory) else { continue };
        let Life::Established(id) = memory.life else { continue };
        let ended = sweep
            .get(id)
            .is_none_or(|peering| matches!(peering.state, PeeringState::Ended(_) | PeeringState::Deleting));
        if !ended || memory.episode.is_some() {
            continue;
        }
        use peerkeeper_core::desired::LossAction;
        match state.policy_of(&key.namespace, &known.brief).action {
            LossAction::Restore => lost.insert((key.clone(), Act::Restore)),
            LossAction::RemoveRoutes => lost.insert((key.clone(), Act::RemoveRoutes)),
            LossAction::Flag => false,
        };
    }
    for (key, act) in lost {
        state.limits.expect(&key, act);
    }
}
