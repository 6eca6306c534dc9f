//! Guards, broken on purpose: whoever checks must see it.

use std::sync::Arc;

use peerkeeper_core::desired::Reaction;
use peerkeeper_core::ids::{OwnerTag, Side, Sides};
use peerkeeper_core::limits::{Level, LimitsView};
use peerkeeper_core::memory::Memory;
use peerkeeper_core::observed::{Ending, PeeringState, Reading, Resource, Scope, SideView, Unseen, View};
use peerkeeper_core::principal::{Principal, Who};
use peerkeeper_core::time::{Mono, Wall};
use peerkeeper_core::trail::{Heard, TrailEvent};
use peerkeeper_core::turn::{Commit, Live};
use peerkeeper_core::witness::Witness;

use crate::common::rig::{PROD, SHARED};
use crate::stage::Stage;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sabotage {
    /// One sweep that lacks half of everything counts as two that lack it.
    OneReadingIsAbsence,
    /// Whatever is in a slot is taken.
    OverwritesOccupied,
    /// Another owner's tag is not seen.
    IgnoresOwners,
    /// Every limit has room.
    ForgetsLimits,
    /// The policy's limit alone has room.
    ForgetsPolicyLimit,
    /// Those of accounts alone have room.
    ForgetsAccountLimit,
    /// While anything can't be read, nothing is done.
    StopsAtTrouble,
    /// Writes without the lease.
    IgnoresLease,
    /// The API server is told nothing of a loss, and the turn believes that it was.
    SkipsFlag,
    /// Routes look repaired whatever they lead to.
    SeesRepairs,
    /// What was told before is not remembered.
    ForgetsPast,
    /// AWS lets a request become active beside an active peering.
    ActivatesTwins,
    /// Whatever a queue says is taken for the history's word.
    BelievesMessages,
    /// Whoever deletes is authorized.
    AuthorizesAnybody,
    /// A peering that a message says was deleted is taken for deleted.
    TakesMessagesForState,
    /// The flag and the act are one commit.
    FlagsAndActsAtOnce,
    /// What is about to be ended is not remembered.
    ForgetsOwnCalls,
    /// Where a queue is read, nothing is learnt from anything.
    IsDeafWhileListening,
}

/// What is stored of what a turn would have stored.
pub fn spoil_commit(stage: &Stage, before: &Memory, commit: &mut Commit, now: Wall) {
    match stage.sabotage {
        Some(Sabotage::FlagsAndActsAtOnce) => {
            if let Some(episode) = commit.memory.episode.as_mut().filter(|_| before.episode.is_none()) {
                episode.acted = Some(now);
            }
        }
        Some(Sabotage::ForgetsOwnCalls) => commit.memory.own.clear(),
        _ => {}
    }
}

/// What a process makes of a sweep.
pub fn spoil_sweep(stage: &Stage, view: &mut SideView) {
    if stage.sabotage == Some(Sabotage::OneReadingIsAbsence) {
        halve(&mut view.peerings);
    }
}

/// Whether a turn is not begun for what is wrong elsewhere.
pub fn stops(stage: &Stage, replica: usize) -> bool {
    let mut views = stage.replicas[replica].snapshots.values();
    stage.sabotage == Some(Sabotage::StopsAtTrouble)
        && (stage.spoilt.is_some() || views.any(|view| view.peerings.unseen != Unseen::NotRead))
}

fn halve<T: Resource>(view: &mut View<T>) {
    let Some(sweep) = &view.sweep else { return };
    let kept: Vec<Arc<T>> = sweep.iter().skip(sweep.len() / 2).cloned().collect();
    let at = sweep.began();
    view.sweep = Some(Arc::new(Reading::new(at, Scope::All, kept.clone())));
    view.before = Some(Arc::new(Reading::new(Mono(at.0.saturating_sub(40_000)), Scope::All, kept)));
}

/// What a turn is told of its object.
pub fn spoil_live(stage: &Stage, live: &mut Live) {
    match stage.sabotage {
        Some(Sabotage::OverwritesOccupied) => live.policy.on_repointed_route = Reaction::Restore,
        Some(Sabotage::ForgetsLimits) => live.limits = LimitsView::default(),
        Some(Sabotage::ForgetsPolicyLimit) => live.limits.levels.retain(|of| of.level != Level::Policy),
        Some(Sabotage::ForgetsAccountLimit) => {
            live.limits.levels.retain(|of| !matches!(of.level, Level::Account(_)));
        }
        Some(Sabotage::SkipsFlag) => {
            if let Some(memory) = stage.skipped.get(&live.desired.key) {
                live.memory = memory.clone();
            }
        }
        Some(Sabotage::ForgetsPast) => {
            let Memory { past, last_loss, episode, life, .. } = &mut live.memory;
            if episode.is_none() && last_loss.is_some() {
                // The loss that was closed is found anew.
                if let Some(closed) = last_loss.take() {
                    past.clear();
                    *life = peerkeeper_core::memory::Life::Established(closed.lost);
                }
            }
        }
        Some(Sabotage::BelievesMessages) => {
            for event in &mut live.witness.events {
                *event = Arc::new(TrailEvent { heard: Heard::History, ..(**event).clone() });
            }
        }
        Some(Sabotage::AuthorizesAnybody) => {
            let who = Who::Role { path: "/".into(), name: "*".into() };
            let accounts = [PROD, SHARED].map(|id| id.parse().unwrap()).into();
            live.policy.authorized =
                [Principal { accounts, who, require_mfa: false, source_identity: None }].into();
        }
        Some(Sabotage::IsDeafWhileListening) if stage.knobs.events.queue() => {
            live.witness = Witness::default();
        }
        _ => {}
    }
}

/// What a turn is shown of AWS.
pub fn spoil_views(stage: &Stage, views: &mut Sides<SideView>) {
    for side in Side::BOTH {
        let view = views.get_mut(side);
        match stage.sabotage {
            Some(Sabotage::IgnoresOwners) => {
                each(&mut view.peerings, |peering| {
                    let kept = peering.tags.iter().filter(|(key, _)| ***key != *OwnerTag::KEY);
                    peering.tags = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
                });
            }
            Some(Sabotage::TakesMessagesForState) => {
                each(&mut view.peerings, |peering| {
                    if stage.people.tells_of(peering.id) {
                        peering.state = PeeringState::Ended(Ending::Deleted);
                    }
                });
            }
            Some(Sabotage::SeesRepairs) => {
                let Some(live) =
                    view.peerings.readings().next().and_then(|reading| {
                        reading.iter().find(|p| p.state == PeeringState::Active).cloned()
                    })
                else {
                    continue;
                };
                each(&mut view.tables, |table| {
                    for route in &mut table.routes {
                        if matches!(route.target, peerkeeper_core::ids::Target::Peering(_)) {
                            route.target = peerkeeper_core::ids::Target::Peering(live.id);
                        }
                    }
                });
            }
            _ => {}
        }
    }
}

fn each<T: Resource>(view: &mut View<T>, change: impl Fn(&mut T)) {
    let spoil = |reading: &mut Option<Arc<Reading<T>>>, scope: Scope<T>| {
        let Some(held) = reading else { return };
        let things: Vec<Arc<T>> = held
            .iter()
            .map(|thing| {
                let mut thing = (**thing).clone();
                change(&mut thing);
                Arc::new(thing)
            })
            .collect();
        *reading = Some(Arc::new(Reading::new(held.began(), scope, things)));
    };
    spoil(&mut view.sweep, Scope::All);
    spoil(&mut view.before, Scope::All);
    if let Some(narrow) = &view.narrow {
        let ids = narrow.iter().map(|thing| thing.id()).collect();
        let groups = narrow.iter().map(|thing| thing.group()).collect::<std::collections::BTreeSet<_>>();
        let scope = if groups.len() == 1 { Scope::Groups(groups) } else { Scope::Ids(ids) };
        spoil(&mut view.narrow, scope);
    }
}
