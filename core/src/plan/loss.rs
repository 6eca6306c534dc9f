//! A peering that was established and is gone: the flag, its class, and what the policy does about it.
//!
//! The flag comes first: an episode is opened in memory, and memory is committed before anything is written to AWS.

use std::collections::BTreeSet;

use crate::desired::{LossAction, PolicySource};
use crate::ids::{PeeringId, Side};
use crate::limits::Level;
use crate::memory::{Act, ClosedLoss, Episode, How, Latch, Life, LossClass, LossOutcome};
use crate::observed::{Ending, Seen, Unseen};
use crate::reason::Reason;

use super::draft::Draft;
use super::peering;
use super::report::State;
use super::{routes, select};

/// First pause before a peering that was restored before is restored again; it doubles.
const AGAIN_FIRST_S: i64 = 15;

/// Opens the episode, once per lost id.
pub(crate) fn open(draft: &mut Draft<'_>, lost: PeeringId, ending: Ending) {
    draft.state = State::Lost;
    if draft.memory.episode.as_ref().is_some_and(|episode| episode.lost == lost) {
        return;
    }
    let row = draft.sight().row(lost);
    let message = row.map(super::sight::Row::message).unwrap_or_default();
    let by_account = row.and_then(super::sight::Row::deleted_by);
    let class = classify(draft, ending, by_account);
    let routes =
        draft.memory.slots.values().filter(|owned| owned.to == lost && owned.how != How::Intended).count();
    draft.memory.episode = Some(Episode {
        lost,
        ending,
        class,
        detected: draft.input.now.wall,
        message,
        by_account,
        routes: u32::try_from(routes).unwrap_or(u32::MAX),
        action: draft.input.policy.action,
        acted: None,
        latched: None,
    });
}

/// The first class that holds.
fn classify(draft: &Draft<'_>, ending: Ending, by_account: Option<crate::ids::AccountId>) -> LossClass {
    let sight = draft.sight();
    if Side::BOTH.into_iter().any(|side| matches!(sight.vpc(side), Seen::Absent(_))) {
        return LossClass::VpcGone;
    }
    if is_withdrawn(draft, ending, by_account) {
        return LossClass::WithdrawnByPeer;
    }
    if Side::BOTH.into_iter().any(|side| tables_are_all_gone(draft, side)) {
        return LossClass::Decommissioning;
    }
    LossClass::Unexpected
}

/// What proves a teardown often comes after the loss: until something is done about it, the gravest class counts.
fn judge_again(draft: &mut Draft<'_>) {
    let Some(episode) = draft.memory.episode.clone().filter(|episode| episode.acted.is_none()) else {
        return;
    };
    let class = classify(draft, episode.ending, episode.by_account).min(episode.class);
    let action = draft.input.policy.action;
    set_episode(draft, |episode| {
        episode.class = class;
        episode.action = action;
    });
}

/// A VPC, or every route table of ours on a side, that is not shown, though not proved gone either: it may be a teardown.
fn teardown_suspected(draft: &Draft<'_>) -> Option<String> {
    fn is_unproved<T>(seen: &Seen<T>) -> bool {
        matches!(seen, Seen::Unknown(Unseen::Unproved))
    }
    Side::BOTH.into_iter().find_map(|side| {
        if is_unproved(&draft.sight().vpc(side)) {
            return Some(draft.sight().pair.sides.get(side).vpc.to_string());
        }
        let tables: BTreeSet<_> =
            draft.memory.slots.keys().filter(|slot| slot.side == side).map(|slot| slot.table).collect();
        let seen: Vec<_> = tables.iter().map(|table| select::table(draft, side, *table)).collect();
        let none_shown = seen.iter().all(|seen| is_unproved(seen) || matches!(seen, Seen::Absent(_)));
        (none_shown && seen.iter().any(is_unproved))
            .then(|| format!("every route table of ours on the {side} side"))
    })
}

/// An account that we hold no credentials for ended it, or may have, as nothing names who did.
fn is_withdrawn(draft: &Draft<'_>, ending: Ending, by_account: Option<crate::ids::AccountId>) -> bool {
    let foreign = Side::BOTH.into_iter().find(|side| draft.input.grants.get(*side).is_foreign());
    let Some(side) = foreign else { return false };
    let theirs = draft.sight().pair.at(side).account;
    ending == Ending::Rejected || by_account.is_none_or(|account| account == theirs)
}

/// This side had route tables of ours, and every one of them is provably gone: somebody is tearing it down.
fn tables_are_all_gone(draft: &Draft<'_>, side: Side) -> bool {
    let mut tables =
        draft.memory.slots.keys().filter(|slot| slot.side == side).map(|slot| slot.table).peekable();
    if tables.peek().is_none() {
        return false;
    }
    tables.all(|table| matches!(select::table(draft, side, table), Seen::Absent(_)))
}

/// What the policy says, as far as nothing holds it back.
pub(crate) fn act(draft: &mut Draft<'_>, lost: PeeringId) {
    judge_again(draft);
    let Some(episode) = draft.memory.episode.clone() else { return };
    let action = effective_action(draft, &episode);
    let (reason, message) = describe(&episode);
    let Some(action) = action else {
        draft.stuck(reason, message);
        return;
    };
    if action != LossAction::Flag && must_wait(draft, &episode) {
        return;
    }
    match action {
        LossAction::Flag => {
            draft.stuck(reason, format!("{message}; the policy says Flag, so nothing is changed"))
        }
        LossAction::Restore => restore(draft, &episode),
        LossAction::RemoveRoutes => remove(draft, &episode, lost),
    }
}

/// What may be done at all about a loss of this class; `None`: it waits for somebody.
fn effective_action(draft: &Draft<'_>, episode: &Episode) -> Option<LossAction> {
    if matches!(draft.input.policy.source, PolicySource::Missing(_)) {
        return None;
    }
    match (episode.class, draft.input.policy.action) {
        (LossClass::Unexpected, action) => Some(action),
        (LossClass::VpcGone | LossClass::WithdrawnByPeer, LossAction::RemoveRoutes) => {
            Some(LossAction::RemoveRoutes)
        }
        (LossClass::VpcGone | LossClass::WithdrawnByPeer | LossClass::Decommissioning, _) => None,
    }
}

/// No act before the flag is stored and the other losses of the same moment have had time to be flagged too: they are
/// what the limits compare with their room. The policy's grace period, where it is longer, includes that.
fn must_wait(draft: &mut Draft<'_>, episode: &Episode) -> bool {
    if episode.acted.is_some() {
        return false;
    }
    let gather_s = i64::try_from(draft.input.timing.poll_ms.div_ceil(1000)).unwrap_or(i64::MAX);
    let grace_s = draft.input.policy.grace_s;
    let waited_s = draft.input.now.wall.since_s(episode.detected);
    // A policy that was changed while many losses are flagged makes a storm of them, too.
    let stored = draft.input.memory.episode.as_ref();
    let is_stored_so =
        stored.is_some_and(|stored| stored.action == episode.action && stored.lost == episode.lost);
    let left_s = (grace_s.max(gather_s) - waited_s).max(if is_stored_so { 0 } else { gather_s });
    if left_s <= 0 {
        return false;
    }
    let (_, message) = describe(episode);
    if grace_s > gather_s {
        // Said without a countdown: status changes only when something has changed.
        draft.working(
            Reason::GracePeriod,
            format!("{message}; the policy's grace period of {grace_s} s runs from when it was noticed"),
        );
    } else {
        draft.working(Reason::Progressing, format!("{message}; flagged, and acted upon next"));
    }
    draft.wake_in_s(left_s);
    true
}

fn restore(draft: &mut Draft<'_>, episode: &Episode) {
    draft.state = State::Lost;
    if episode.acted.is_none()
        && let Some(what) = teardown_suspected(draft)
    {
        let (_, message) = describe(episode);
        let more = "is not shown by AWS either; more readings must tell whether that is a teardown";
        draft.working(Reason::WaitingForAws, format!("{message}; {what} {more}"));
        return;
    }
    if episode.acted.is_none()
        && !(may_restore_again(draft, episode) && admitted(draft, episode, Act::Restore))
    {
        return;
    }
    draft.state = State::Restoring;
    let (_, message) = describe(episode);
    draft.working(Reason::Progressing, format!("{message}; restoring it"));
    peering::ask(draft);
}

/// The same peering lost again and again: slower each time, and then not at all until somebody settles it.
fn may_restore_again(draft: &mut Draft<'_>, episode: &Episode) -> bool {
    let now = draft.input.now.wall;
    let since = |window_s: i64| draft.memory.spent_since(Act::Restore, now.plus_s(-window_s));
    let policy = draft.input.policy.limits;
    let of_policy = (Level::Policy, policy.window_s, policy.max_restores_per_peering);
    // An account's owner may allow less than the namespace's policy does.
    let levels = draft.input.limits.levels.iter().filter(|level| matches!(level.level, Level::Account(_)));
    let of_accounts = levels.map(|level| (level.level, level.window_s, level.max_restores_per_peering));
    let full = [of_policy].into_iter().chain(of_accounts);
    let full = full.filter(|(_, window_s, most)| since(*window_s) >= *most as usize);
    let tightest = full.min_by_key(|(level, _, most)| (*most, *level));
    let before = since(policy.window_s);
    if let Some((level, window_s, _)) = tightest {
        let before = since(window_s);
        let who = episode
            .by_account
            .map_or_else(|| "AWS does not say who".to_owned(), |id| format!("account {id}"));
        let message = format!(
            "restored {before} times within {window_s} s, which is all that {level} allows of one peering, and deleted again, last by {who}; settle it with them, it is tried again when the window has passed"
        );
        draft.stuck(Reason::ContestedOwnership, message);
        draft.wake_in_s(60);
        return false;
    }
    if before == 0 {
        return true;
    }
    let pause = AGAIN_FIRST_S << (before - 1).min(6);
    let left = pause - now.since_s(episode.detected);
    if left > 0 {
        draft.working(
            Reason::Progressing,
            format!("{} was restored {before} times before; waiting {pause} s this time", episode.lost),
        );
        draft.wake_in_s(left);
        return false;
    }
    true
}

/// Counts the act under every limit, once per episode. A hold is latched: time does not release it.
fn admitted(draft: &mut Draft<'_>, episode: &Episode, act: Act) -> bool {
    let released = episode.latched.as_ref().is_none_or(|latch| draft.input.limits.releases(latch, act));
    let verdict =
        if released { draft.input.limits.admit(act, draft.input.now.wall) } else { Err(latch_of(episode)) };
    match verdict {
        Err(latch) => {
            hold_at_limit(draft, &latch, episode.lost);
            set_episode(draft, |episode| episode.latched = Some(latch.clone()));
            false
        }
        Ok(()) => {
            // Something common to all writes may still forbid it: then nothing is spent.
            if let Some((reason, release)) = Side::BOTH.into_iter().find_map(|side| draft.forbids_own(side)) {
                let what = format!("{} after the loss of {}", act.as_str(), episode.lost);
                draft.hold(what, reason, release);
                return false;
            }
            let now = draft.input.now.wall;
            draft.memory.spend(act, now);
            draft.reserve = Some(act);
            set_episode(draft, |episode| {
                episode.acted = Some(now);
                episode.latched = None;
            });
            true
        }
    }
}

fn latch_of(episode: &Episode) -> Latch {
    let unknown = Latch { level: crate::limits::Level::Operator, limit: 0, demand: 0 };
    episode.latched.clone().unwrap_or(unknown)
}

fn hold_at_limit(draft: &mut Draft<'_>, latch: &Latch, lost: PeeringId) {
    let Latch { level, limit, demand } = latch;
    let what = format!("acting on the loss of {lost}");
    let release =
        format!("raise the limit of {level} above {limit}: {demand} losses waited for it when this was held");
    draft.hold(what, Reason::LimitReached, release);
}

fn set_episode(draft: &mut Draft<'_>, change: impl FnOnce(&mut Episode)) {
    if let Some(episode) = &mut draft.memory.episode {
        change(episode);
    }
}

/// Removes the dead routes of ours; when none is left the object is released.
fn remove(draft: &mut Draft<'_>, episode: &Episode, lost: PeeringId) {
    if episode.acted.is_none() && !admitted(draft, episode, Act::RemoveRoutes) {
        return;
    }
    // With status lost, the declared routes that it left behind are found by where they lead.
    let knows_all = !draft.memory.slots.is_empty() || routes::remember_declared(draft);
    if !knows_all || !routes::drop_dead(draft, lost) {
        let (_, message) = describe(episode);
        draft.working(Reason::Progressing, format!("{message}; removing the routes it left behind"));
        return;
    }
    draft.memory.life = Life::Released { lost, generation: draft.input.desired.generation };
    close_episode(draft, LossOutcome::Released, None);
    draft.state = State::Released;
    let message = format!(
        "{lost} was lost and its routes were removed as the policy says; change the spec to have a new peering made"
    );
    draft.stuck(Reason::ReleasedByPolicy, message);
}

/// Closes the episode once what took the lost one's place has been read back with every route.
pub(crate) fn close(draft: &mut Draft<'_>, active: PeeringId) {
    if draft.memory.episode.is_none() {
        return;
    }
    // What somebody else holds, or the declaration itself rules out, is said for itself and is no part of the repair: an
    // episode that it kept open would excuse every later repair from the limits.
    let stands = |e: &&super::report::Exception| {
        matches!(
            e.reason,
            Reason::Occupied
                | Reason::RouteClaimed
                | Reason::DestinationIsLocal
                | Reason::PrefixListNotFound
                | Reason::RouteShadows
        )
    };
    let of_slots = || draft.exceptions.iter().filter(|e| e.slot.is_some());
    let whole = draft.wave.is_empty() && draft.findings.is_empty() && of_slots().all(|e| stands(&e));
    let left: u32 = draft.routes.iter().map(|(_, count)| count.declared.saturating_sub(count.in_sync)).sum();
    let in_sync = left as usize == of_slots().count();
    if !whole || !in_sync {
        draft.state = State::Restoring;
        return;
    }
    let by_us = draft.memory.episode.as_ref().is_some_and(|episode| episode.acted.is_some());
    let outcome = if by_us { LossOutcome::Restored } else { LossOutcome::Replaced };
    close_episode(draft, outcome, Some(active));
    draft.state = State::Active;
}

fn close_episode(draft: &mut Draft<'_>, outcome: LossOutcome, successor: Option<PeeringId>) {
    let closed = draft.input.now.wall;
    if let Some(Episode { lost, class, by_account, detected, .. }) = draft.memory.episode.take() {
        draft.memory.last_loss =
            Some(ClosedLoss { lost, class, by_account, detected, closed, outcome, successor });
    }
}

/// The reason and the words for an open loss.
pub(crate) fn describe(episode: &Episode) -> (Reason, String) {
    let reason = match episode.class {
        LossClass::VpcGone => Reason::VpcGone,
        LossClass::WithdrawnByPeer => Reason::WithdrawnByPeer,
        LossClass::Decommissioning => Reason::Decommissioning,
        LossClass::Unexpected => Reason::DeletedUnexpectedly,
    };
    let by = episode.by_account.map(|account| format!(" by account {account}")).unwrap_or_default();
    let how = match episode.ending {
        Ending::Absent => "is gone from AWS".to_owned(),
        ending => format!("is {}{by}", ending.as_str()),
    };
    let left = match episode.class {
        LossClass::VpcGone => "; a VPC is gone with it",
        LossClass::Decommissioning => {
            "; all route tables of a side are gone too, so somebody is tearing it down"
        }
        LossClass::WithdrawnByPeer => "; that account's owner decides whether it comes back",
        LossClass::Unexpected => "",
    };
    let lost = episode.lost;
    (reason, format!("{lost} {how}, and {} routes led to it{left}", episode.routes))
}

pub(crate) fn describe_closed(last: &ClosedLoss) -> (Reason, String) {
    let ClosedLoss { lost, by_account, outcome, successor, .. } = last;
    let by = by_account.map(|account| format!(" by account {account}")).unwrap_or_default();
    let new = successor.map(|id| id.to_string()).unwrap_or_default();
    match outcome {
        LossOutcome::Restored => {
            (Reason::Restored, format!("{lost} was deleted{by}; it was restored as {new}"))
        }
        LossOutcome::Replaced => (
            Reason::Restored,
            format!("{lost} was deleted{by}; {new}, made by somebody else, took its place"),
        ),
        LossOutcome::Released => {
            (Reason::ReleasedByPolicy, format!("{lost} was deleted{by}; its routes were removed"))
        }
    }
}

impl Draft<'_> {
    /// Like [`Draft::forbids`], for the sides that we hold credentials for.
    fn forbids_own(&self, side: Side) -> Option<(Reason, String)> {
        if self.input.grants.get(side).is_foreign() { None } else { self.forbids(side) }
    }
}
