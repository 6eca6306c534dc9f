//! A peering that was established and is gone: the flag, its class, and what the policy does about it.
//!
//! The flag comes first: an episode is opened in memory, and memory is committed before anything is written to AWS.

use std::collections::BTreeSet;

use crate::desired::LossAction;
use crate::ids::{AccountId, PeeringId, Side};
use crate::incident::{Decided, Phase};
use crate::limits::{Level, Reserve};
use crate::memory::{Act, Attribution, Case, ClosedLoss, Episode, How, Latch, Life, LossClass, LossOutcome};
use crate::observed::{Ending, Seen, Unseen};
use crate::reason::Reason;

use super::case::{self, NeedsApproval, Proposal};
use super::draft::Draft;
use super::peering;
use super::report::State;
use super::{routes, rules, select};

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
    let routes =
        draft.memory.slots.values().filter(|owned| owned.to == lost && owned.how != How::Intended).count();
    case::open(draft, lost);
    draft.memory.episode = Some(Episode {
        lost,
        ending,
        class: LossClass::Unexpected,
        detected: draft.input.now.wall,
        message,
        by_account,
        routes: u32::try_from(routes).unwrap_or(u32::MAX),
        action: LossAction::Flag,
        acted: None,
        latched: None,
    });
    judge_again(draft);
}

/// The first class that holds.
fn classify(draft: &Draft<'_>, episode: &Episode) -> LossClass {
    let sight = draft.sight();
    if Side::BOTH.into_iter().any(|side| matches!(sight.vpc(side), Seen::Absent(_))) {
        return LossClass::VpcGone;
    }
    if case::is_authorized(draft, episode.lost, episode.detected) {
        return LossClass::Authorized;
    }
    if is_withdrawn(draft, episode.ending, episode.by_account) {
        return LossClass::WithdrawnByPeer;
    }
    if Side::BOTH.into_iter().any(|side| tables_are_all_gone(draft, side)) {
        return LossClass::Decommissioning;
    }
    LossClass::Unexpected
}

/// What proves a teardown, or who did it, often comes after the loss: until something is done about it, it is judged again
/// each time. What was proved to be gone stays gone.
pub(crate) fn judge_again(draft: &mut Draft<'_>) {
    case::follow(draft);
    let Some(episode) = draft.memory.episode.clone().filter(|episode| episode.acted.is_none()) else {
        return;
    };
    let proved = Some(episode.class).filter(|class| *class != LossClass::Authorized);
    let class = classify(draft, &episode).min(proved.unwrap_or(LossClass::Unexpected));
    set_episode(draft, |episode| episode.class = class);
    // What a person must decide is no demand on the limits, but for what a limit itself holds.
    let proposal = case::propose(draft, &Episode { class, ..episode });
    let action = match proposal {
        Some(Proposal { act, needs: None | Some(NeedsApproval::Latched(_)), .. }) => act,
        _ => LossAction::Flag,
    };
    set_episode(draft, |episode| episode.action = action);
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

/// What the policy says, or a person decided, as far as nothing holds it back.
pub(crate) fn act(draft: &mut Draft<'_>, lost: PeeringId) {
    judge_again(draft);
    let Some(episode) = draft.memory.episode.clone() else { return };
    rules::note(draft, &episode);
    let (reason, message) = describe(&episode, draft.memory.case_of(lost));
    let Some(proposal) = case::propose(draft, &episode) else {
        draft.stuck(reason, message);
        return;
    };
    let removes = proposal.act == LossAction::RemoveRoutes && !proposal.begun;
    if removes && rules::are_missing(draft, lost) {
        draft.phase = Some(Phase::Waiting);
        return;
    }
    draft.proposed = Some(proposal.plan.clone());
    if !proposal.begun && !may_begin(draft, &episode, &proposal) {
        return;
    }
    match proposal.act {
        LossAction::Flag => draft.stuck(reason, message),
        LossAction::Restore => restore(draft, &episode, &proposal),
        LossAction::RemoveRoutes => remove(draft, &episode, &proposal),
    }
}

/// Whether the act may be begun: nobody decided against it, who must leave has given it, the flag is stored, time has been
/// given to the other losses of the moment, and it is known who did it, where that matters.
fn may_begin(draft: &mut Draft<'_>, episode: &Episode, proposal: &Proposal) -> bool {
    let lost = episode.lost;
    let (reason, message) = describe(episode, draft.memory.case_of(lost));
    if let Some(name) = case::conflict(draft, lost) {
        let release = format!("delete PeeringIncident {name}, which is not this loss's");
        draft.phase = Some(Phase::Held);
        draft.hold(format!("acting on the loss of {lost}"), Reason::IncidentConflict, release);
        return false;
    }
    match proposal.decided {
        Decided::Rejected => {
            draft.phase = Some(Phase::Rejected);
            let more = "the plan was rejected in its incident; nothing is changed until another is approved or the spec changes";
            draft.stuck(Reason::PlanRejected, format!("{message}; {more}"));
            return false;
        }
        Decided::Approved => return is_recorded(draft, lost),
        Decided::Nothing | Decided::AnotherPlan => {}
    }
    if let Some(needs) = &proposal.needs {
        ask_leave(draft, episode, proposal, needs, (reason, message));
        return false;
    }
    !must_wait(draft, episode) && is_recorded(draft, lost)
}

/// Says that a person must decide, and how.
fn ask_leave(
    draft: &mut Draft<'_>,
    episode: &Episode,
    proposal: &Proposal,
    needs: &NeedsApproval,
    (reason, message): (Reason, String),
) {
    let name = crate::incident::name(&draft.input.desired.key, episode.lost);
    let again = match proposal.decided {
        Decided::AnotherPlan => " (what was decided was another plan)",
        _ => "",
    };
    let how = format!("approve the plan of PeeringIncident {name}{again}");
    let what = format!("acting on the loss of {}", episode.lost);
    match needs {
        NeedsApproval::Flagged => {
            draft.phase = Some(Phase::Flagged);
            draft.stuck(
                reason,
                format!("{message}; the policy says Flag, so nothing is changed; to restore it, {how}"),
            );
        }
        NeedsApproval::Latched(latch) => {
            draft.phase = Some(Phase::Held);
            hold_at_limit(draft, latch, episode.lost);
        }
        NeedsApproval::Withdrawn => {
            draft.phase = Some(Phase::AwaitingApproval);
            draft.stuck(reason, format!("{message}; to ask for it again, {how}"));
        }
        NeedsApproval::ActorUnknown => {
            draft.phase = Some(Phase::AwaitingApproval);
            draft.hold(what, Reason::ActorUnknown, format!("{how}: {}", needs.why()));
        }
        NeedsApproval::Asked(_) | NeedsApproval::PolicyChanged => {
            draft.phase = Some(Phase::AwaitingApproval);
            draft.hold(what, Reason::AwaitingApproval, format!("{how}: {}", needs.why()));
        }
    }
}

/// The incident is there, and memory names it: nothing is changed before that.
fn is_recorded(draft: &mut Draft<'_>, lost: PeeringId) -> bool {
    if draft.memory.case_of(lost).is_some_and(|case| case.incident.is_some()) {
        return true;
    }
    draft.phase = Some(Phase::Waiting);
    let name = crate::incident::name(&draft.input.desired.key, lost);
    let message =
        format!("PeeringIncident {name} is stored first; if it can't be, check the operator's rights");
    draft.working(Reason::IncidentNotStored, message);
    draft.poll();
    false
}

/// No act before the flag is stored and the other losses of the same moment have had time to be flagged too: they are
/// what the limits compare with their room. The policy's grace period, where it is longer, includes that.
fn must_wait(draft: &mut Draft<'_>, episode: &Episode) -> bool {
    let gather_s = i64::try_from(draft.input.timing.poll_ms.div_ceil(1000)).unwrap_or(i64::MAX);
    let grace_s = draft.input.policy.grace_s;
    let waited_s = draft.input.now.wall.since_s(episode.detected);
    // A policy that was changed while many losses are flagged makes a storm of them, too.
    let stored = draft.input.memory.episode.as_ref();
    let is_stored_so =
        stored.is_some_and(|stored| stored.action == episode.action && stored.lost == episode.lost);
    let left_s = (grace_s.max(gather_s) - waited_s).max(if is_stored_so { 0 } else { gather_s });
    if left_s <= 0 {
        return must_wait_for_the_actor(draft, episode);
    }
    draft.phase = Some(Phase::Waiting);
    let (_, message) = describe(episode, draft.memory.case_of(episode.lost));
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

/// Where it matters who did it, the act waits until that is known, for as long as the policy says.
fn must_wait_for_the_actor(draft: &mut Draft<'_>, episode: &Episode) -> bool {
    if case::actor_is_settled(draft, episode) || case::timed_out(draft, episode.detected) {
        return false;
    }
    let timeout_s = draft.input.policy.attribution_timeout_s;
    let (_, message) = describe(episode, draft.memory.case_of(episode.lost));
    draft.phase = Some(Phase::Waiting);
    draft.working(
        Reason::AwaitingActor,
        format!("{message}; who did it is looked up in CloudTrail, for at most {timeout_s} s from when it was noticed"),
    );
    draft.wake_in_s(timeout_s - draft.input.now.wall.since_s(episode.detected));
    true
}

fn restore(draft: &mut Draft<'_>, episode: &Episode, proposal: &Proposal) {
    draft.state = State::Lost;
    if !proposal.begun
        && let Some(what) = teardown_suspected(draft)
    {
        let (_, message) = describe(episode, draft.memory.case_of(episode.lost));
        draft.phase = Some(Phase::Waiting);
        let more = "is not shown by AWS either; more readings must tell whether that is a teardown";
        draft.working(Reason::WaitingForAws, format!("{message}; {what} {more}"));
        return;
    }
    let is_approved = proposal.decided == Decided::Approved;
    if !proposal.begun
        && !((is_approved || may_restore_again(draft, episode)) && admitted(draft, episode, proposal))
    {
        return;
    }
    draft.state = State::Restoring;
    draft.phase = Some(Phase::Restoring);
    let (_, message) = describe(episode, draft.memory.case_of(episode.lost));
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
        let who = by(episode.by_account, draft.memory.case_of(episode.lost))
            .unwrap_or_else(|| "somebody whom AWS does not name".to_owned());
        let message = format!(
            "restored {before} times within {window_s} s, which is all that {level} allows of one peering, and deleted again, last by {who}; settle it with them, it is tried again when the window has passed"
        );
        draft.phase = Some(Phase::Held);
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
        draft.phase = Some(Phase::Waiting);
        draft.working(
            Reason::Progressing,
            format!("{} was restored {before} times before; waiting {pause} s this time", episode.lost),
        );
        draft.wake_in_s(left);
        return false;
    }
    true
}

/// Counts the act under every limit, once per episode. A hold is latched: neither time nor a higher limit releases it. An
/// approved act is counted, and no limit holds it.
fn admitted(draft: &mut Draft<'_>, episode: &Episode, proposal: &Proposal) -> bool {
    let act = match proposal.act {
        LossAction::RemoveRoutes => Act::RemoveRoutes,
        LossAction::Restore | LossAction::Flag => Act::Restore,
    };
    let now = draft.input.now.wall;
    let is_approved = proposal.decided == Decided::Approved;
    if !is_approved && let Err(latch) = draft.input.limits.admit(act, now) {
        draft.phase = Some(Phase::Held);
        hold_at_limit(draft, &latch, episode.lost);
        set_episode(draft, |episode| episode.latched = Some(latch.clone()));
        return false;
    }
    // Something common to all writes may still forbid it: then nothing is spent.
    if let Some((reason, release)) = Side::BOTH.into_iter().find_map(|side| draft.forbids_own(side)) {
        let what = format!("{} after the loss of {}", act.as_str(), episode.lost);
        draft.phase = Some(Phase::Held);
        draft.hold(what, reason, release);
        return false;
    }
    rules::begin(draft);
    draft.memory.spend(act, now);
    draft.reserve = Some(Reserve { act, is_approved });
    set_episode(draft, |episode| {
        episode.acted = Some(now);
        episode.action = proposal.act;
        episode.latched = None;
    });
    true
}

fn hold_at_limit(draft: &mut Draft<'_>, latch: &Latch, lost: PeeringId) {
    let Latch { level, limit, demand } = latch;
    let what = format!("acting on the loss of {lost}");
    let name = crate::incident::name(&draft.input.desired.key, lost);
    let release = format!(
        "approve the plan of PeeringIncident {name}: {demand} losses waited for the limit of {level}, which is {limit}, when this was held"
    );
    draft.hold(what, Reason::LimitReached, release);
}

fn set_episode(draft: &mut Draft<'_>, change: impl FnOnce(&mut Episode)) {
    if let Some(episode) = &mut draft.memory.episode {
        change(episode);
    }
}

/// Removes the dead routes of ours; when none is left the object is released.
fn remove(draft: &mut Draft<'_>, episode: &Episode, proposal: &Proposal) {
    let lost = episode.lost;
    if !proposal.begun && !admitted(draft, episode, proposal) {
        return;
    }
    draft.phase = Some(Phase::RemovingRoutes);
    // With status lost, the declared routes that it left behind are found by where they lead.
    let knows_all = !draft.memory.slots.is_empty() || routes::remember_declared(draft);
    let no_routes = knows_all && routes::drop_dead(draft, lost);
    if !rules::revoke(draft, lost) || !no_routes {
        let (_, message) = describe(episode, draft.memory.case_of(lost));
        let rules = if rules::are_revoked(draft, lost) { " and the stale rules" } else { "" };
        let what = format!("{message}; removing the routes{rules} it left behind");
        draft.working(Reason::Progressing, what);
        return;
    }
    draft.memory.life = Life::Released { lost, generation: draft.input.desired.generation };
    close_episode(draft, LossOutcome::Released, None);
    draft.state = State::Released;
    say_released(draft, lost);
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

/// Who ended it, in words, as far as that is known.
fn by(by_account: Option<AccountId>, case: Option<&Case>) -> Option<String> {
    match case.map(|case| &case.attribution) {
        Some(Attribution::Corroborated(culprit, _)) => Some(culprit.principal.to_string()),
        Some(Attribution::EventOnly(culprit)) => {
            let account = by_account.map(|id| format!("account {id}, ")).unwrap_or_default();
            Some(format!("{account}by {} if an unconfirmed message is right", culprit.principal))
        }
        Some(Attribution::AccountOnly(id)) => Some(format!("account {id}")),
        Some(Attribution::None) | None => by_account.map(|id| format!("account {id}")),
    }
}

/// The reason and the words for an open loss.
pub(crate) fn describe(episode: &Episode, case: Option<&Case>) -> (Reason, String) {
    let reason = match episode.class {
        LossClass::VpcGone => Reason::VpcGone,
        LossClass::Authorized => Reason::DeletedAsAuthorized,
        LossClass::WithdrawnByPeer => Reason::WithdrawnByPeer,
        LossClass::Decommissioning => Reason::Decommissioning,
        LossClass::Unexpected => Reason::DeletedUnexpectedly,
    };
    let by = by(episode.by_account, case).map(|who| format!(" by {who}")).unwrap_or_default();
    let how = match episode.ending {
        Ending::Absent => format!("is gone from AWS{by}"),
        ending => format!("is {}{by}", ending.as_str()),
    };
    let left = match episode.class {
        LossClass::VpcGone => "; a VPC is gone with it",
        LossClass::Authorized => "; the policy authorizes that principal",
        LossClass::Decommissioning => {
            "; all route tables of a side are gone too, so somebody is tearing it down"
        }
        LossClass::WithdrawnByPeer => "; that account's owner decides whether it comes back",
        LossClass::Unexpected => "",
    };
    let lost = episode.lost;
    let rules = match rules::in_words(case.and_then(|case| case.stale.as_ref())) {
        none if none.is_empty() => none,
        some => format!("; {some} went stale with it"),
    };
    (reason, format!("{lost} {how}, and {} routes led to it{rules}{left}", episode.routes))
}

pub(crate) fn describe_closed(last: &ClosedLoss, case: Option<&Case>) -> (Reason, String) {
    let ClosedLoss { lost, by_account, outcome, successor, .. } = last;
    let by = by(*by_account, case).map(|who| format!(" by {who}")).unwrap_or_default();
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
            let stale = case.and_then(|case| case.stale.as_ref());
            let rules = match rules::in_words(stale) {
                none if none.is_empty() => none,
                some if stale.is_some_and(|stale| stale.revoked) => format!(", and {some} revoked"),
                some => format!("; {some} that it left stale are still there"),
            };
            (Reason::ReleasedByPolicy, format!("{lost} was deleted{by}; its routes were removed{rules}"))
        }
    }
}

pub(crate) fn say_released(draft: &mut Draft<'_>, lost: PeeringId) {
    draft.proposed = Some(case::plan_of(draft, lost, LossAction::Restore));
    let name = crate::incident::name(&draft.input.desired.key, lost);
    let message = format!(
        "{lost} was lost and its routes were removed as the policy says; to have a new peering made, approve the plan of PeeringIncident {name}, or change the spec"
    );
    draft.stuck(Reason::ReleasedByPolicy, message);
}

/// What was released is made again where a person approves that. True once the episode is open again.
pub(crate) fn reopen(draft: &mut Draft<'_>, lost: PeeringId) -> bool {
    let Some(last) = draft.memory.last_loss.clone().filter(|last| last.lost == lost) else { return false };
    let plan = case::plan_of(draft, lost, LossAction::Restore);
    let decided = case::decided(draft, lost, &plan.digest);
    if decided != Decided::Approved {
        return false;
    }
    draft.proposed = Some(plan.clone());
    let episode = Episode {
        lost,
        ending: draft.memory.ending_of(lost).unwrap_or(Ending::Deleted),
        class: last.class,
        detected: last.detected,
        message: "".into(),
        by_account: last.by_account,
        routes: 0,
        action: LossAction::Restore,
        acted: None,
        latched: None,
    };
    draft.memory.life = Life::Established(lost);
    draft.memory.last_loss = None;
    draft.memory.episode = Some(episode.clone());
    let proposal = Proposal { act: LossAction::Restore, plan, decided, begun: false, needs: None };
    restore(draft, &episode, &proposal);
    true
}

impl Draft<'_> {
    /// Like [`Draft::forbids`], for the sides that we hold credentials for.
    pub fn forbids_own(&self, side: Side) -> Option<(Reason, String)> {
        if self.input.grants.get(side).is_foreign() { None } else { self.forbids(side) }
    }
}
