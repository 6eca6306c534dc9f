//! Security-group rules that referred to the other VPC over a lost peering. AWS calls them stale and leaves them; a new
//! peering of the two VPCs heals them, so a restore has nothing to do with them.
//!
//! | `staleSecurityGroupRules` | what follows a loss                | the rules are                                      |
//! |---------------------------|------------------------------------|----------------------------------------------------|
//! | `Ignore`                  |                                    | not read                                           |
//! | any                       | a restore                          | not read                                           |
//! | `Flag`                    | anything else                      | read once and told                                 |
//! | `Revoke`                  | the dead routes are removed        | named in the plan, then revoked with the routes    |
//! |                           | nothing                            | read once and told                                 |
//!
//! They are read only once the flag is stored, and never swept. What is revoked is what the plan that was begun names, what
//! AWS says again is stale, and what refers to the other VPC of this pair over the lost id; nothing else is touched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::desired::{LossAction, StaleRules as Wanted};
use crate::ids::{PeeringId, Side};
use crate::memory::{Episode, LossClass, StaleAt, StaleRules};
use crate::observed::{Seen, StaleRule, Unseen};
use crate::reason::Reason;
use crate::time::Mono;
use crate::write::{OursBecause, RuleProof, Write};

use super::draft::Draft;

/// So many are spelt out in a proposed plan; its digest covers all that memory holds, and how many there are.
const STEPS_SPELT_OUT: usize = 20;

/// Reads and remembers what went stale with the lost peering, where that is to be told or revoked.
pub(crate) fn note(draft: &mut Draft<'_>, episode: &Episode) {
    let lost = episode.lost;
    // Once an act was begun, what its plan did not name is not added to it.
    let is_known = draft.memory.case_of(lost).is_none_or(|case| case.stale.is_some());
    let is_begun = episode.acted.is_some() && episode.action == LossAction::RemoveRoutes;
    if is_known || is_begun || !matter(draft, episode) || sides(draft, lost).is_empty() {
        return;
    }
    // The flag never waits for this.
    if draft.input.memory.episode.as_ref().is_none_or(|stored| stored.lost != lost) {
        draft.poll();
        return;
    }
    if must_wait(draft, episode) {
        return;
    }
    let mut found: BTreeMap<_, StaleAt> = BTreeMap::new();
    let mut missing = None;
    for side in sides(draft, lost) {
        draft.rules.insert(side);
        match of_side(draft, side, lost) {
            Ok((_, rules)) => found.extend(
                rules
                    .iter()
                    .map(|rule| (rule.id, StaleAt { side, group: rule.group, is_egress: rule.is_egress })),
            ),
            Err(unseen) => missing = Some((side, unseen)),
        }
    }
    if let Some((side, unseen)) = missing {
        blind(draft, side, &unseen);
        return;
    }
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let rules = found.into_iter().take(StaleRules::most(draft.memory.slots.len())).collect();
    if let Some(case) = &mut draft.memory.case {
        case.stale = Some(StaleRules { rules, total, revoked: false });
    }
    // They are known, and stay so.
    draft.rules.clear();
}

/// AWS marks the rules of a peering some time after it ended. Where they are to be revoked, what it says right after the
/// loss is not enough.
fn must_wait(draft: &mut Draft<'_>, episode: &Episode) -> bool {
    if draft.input.policy.stale_rules != Wanted::Revoke {
        return false;
    }
    let marks_s = i64::try_from(draft.input.timing.absence_gap_ms.div_ceil(1000)).unwrap_or(i64::MAX);
    let left_s = marks_s - draft.input.now.wall.since_s(episode.detected);
    if left_s > 0 {
        draft.wake_in_s(left_s);
    }
    left_s > 0
}

fn blind(draft: &mut Draft<'_>, side: Side, unseen: &Unseen) {
    let vpc = draft.sight().pair.sides.get(side).vpc;
    draft.blind(&format!("the stale security-group rules of {vpc}"), unseen);
    // Who only tells of them does not ask for ever what it may not see.
    if draft.input.policy.stale_rules == Wanted::Revoke || !matches!(unseen, Unseen::Denied { .. }) {
        draft.poll();
    }
}

/// Whether what is to be done about this loss leaves the rules as they are: a restore heals them.
fn matter(draft: &Draft<'_>, episode: &Episode) -> bool {
    if draft.input.policy.stale_rules == Wanted::Ignore {
        return false;
    }
    let act = match episode.class {
        LossClass::VpcGone | LossClass::Decommissioning => return true,
        LossClass::Authorized => draft.input.policy.on_authorized,
        LossClass::WithdrawnByPeer | LossClass::Unexpected => draft.input.policy.action,
    };
    act != LossAction::Restore
}

/// The sides that can have such rules and whose owners let us see them. AWS lets a rule refer to another VPC's group in one
/// Region alone.
fn sides(draft: &Draft<'_>, lost: PeeringId) -> Vec<Side> {
    let pair = draft.sight().pair;
    // What another owner has tagged as its own is not ours to clean up after.
    let mine = draft.input.desired.owner_tag();
    let owner = draft.sight().row(lost).and_then(|row| row.owner(&mine));
    let is_anothers = owner.is_some_and(|owner| owner.owner_id != mine.owner_id);
    if is_anothers || pair.at(Side::Requester).region != pair.at(Side::Accepter).region {
        return Vec::new();
    }
    let is_there = |side: &Side| {
        draft.input.grants.get(*side).readable() && !matches!(draft.sight().vpc(*side), Seen::Absent(_))
    };
    Side::BOTH.into_iter().filter(is_there).collect()
}

/// The rules of a side's VPC that refer to the other VPC of this pair over the lost peering, and when that was read.
fn of_side(draft: &Draft<'_>, side: Side, lost: PeeringId) -> Result<(Mono, Vec<Arc<StaleRule>>), Unseen> {
    let (input, pair) = (draft.input, draft.sight().pair);
    let (vpc, peer) = (pair.sides.get(side).vpc, pair.sides.get(side.peer()).vpc);
    let view = &input.observed.get(side).stale_rules;
    let reading = view.newest_of(vpc, input.now.mono, input.timing)?;
    let ours = |rule: &&Arc<StaleRule>| rule.via == lost && rule.peer_vpc == peer;
    Ok((reading.began(), reading.group(vpc).filter(ours).cloned().collect()))
}

/// The dead routes are about to be removed, and the rules that go with them are not known yet: the plan could not name them.
pub(crate) fn are_missing(draft: &mut Draft<'_>, lost: PeeringId) -> bool {
    if draft.input.policy.stale_rules != Wanted::Revoke || sides(draft, lost).is_empty() {
        return false;
    }
    let is_missing = draft.memory.case_of(lost).is_some_and(|case| case.stale.is_none());
    if is_missing {
        let message = format!(
            "{lost} is lost; which security-group rules went stale with it is read before its routes are removed"
        );
        draft.working(Reason::Progressing, message);
    }
    is_missing
}

/// The plan that is begun now says what is revoked: a policy that asks for it later, or no more, changes that for the next
/// loss, or stops it.
pub(crate) fn begin(draft: &mut Draft<'_>) {
    let revoked = draft.input.policy.stale_rules == Wanted::Revoke;
    if let Some(stale) = draft.memory.case.as_mut().and_then(|case| case.stale.as_mut()) {
        stale.revoked = revoked;
    }
}

/// What a plan that removes the dead routes does to rules.
pub(crate) fn say_steps(draft: &Draft<'_>, lost: PeeringId, all: &mut String, steps: &mut Vec<String>) {
    let stale = draft.memory.case_of(lost).and_then(|case| case.stale.as_ref());
    let Some(stale) = stale.filter(|_| draft.input.policy.stale_rules == Wanted::Revoke) else { return };
    for (at, (rule, StaleAt { side, group, is_egress })) in stale.rules.iter().enumerate() {
        // Writing to a String can't fail.
        let _ = write!(all, " {rule} {group}");
        if at < STEPS_SPELT_OUT {
            let way = if *is_egress { "egress" } else { "ingress" };
            steps.push(format!("revoke: stale {way} rule {rule} of {group} ({side})"));
        }
    }
    let _ = write!(all, " {}", stale.total);
    let more = (stale.total as usize).saturating_sub(STEPS_SPELT_OUT);
    if more > 0 {
        steps.push(format!("revoke: {more} more stale rules that refer to the other VPC over {lost}"));
    }
}

/// Revokes what the plan that was begun names. True once none of it is left, by what was read.
pub(crate) fn revoke(draft: &mut Draft<'_>, lost: PeeringId) -> bool {
    let stale = draft.memory.case_of(lost).and_then(|case| case.stale.clone());
    let asked = draft.input.policy.stale_rules == Wanted::Revoke;
    let Some(stale) = stale.filter(|stale| asked && stale.revoked && stale.total > 0) else { return true };
    let mut none_left = true;
    for side in sides(draft, lost) {
        draft.rules.insert(side);
        let (read, rules) = match of_side(draft, side, lost) {
            Ok(found) => found,
            Err(unseen) => {
                blind(draft, side, &unseen);
                none_left = false;
                continue;
            }
        };
        for rule in rules.into_iter().filter(|rule| stale.include(rule.id)) {
            none_left = false;
            let proof = RuleProof { read, why: OursBecause::RefersOverTheLost };
            let StaleRule { id, group, vpc, is_egress, via, .. } = *rule;
            draft.offer(side, Write::RevokeRule { rule: id, group, vpc, is_egress, via, proof });
        }
    }
    none_left
}

/// The act that was begun revokes some.
pub(crate) fn are_revoked(draft: &Draft<'_>, lost: PeeringId) -> bool {
    let stale = draft.memory.case_of(lost).and_then(|case| case.stale.as_ref());
    stale.is_some_and(|stale| stale.revoked && stale.total > 0)
}

/// For the message of a loss.
pub(crate) fn in_words(stale: Option<&StaleRules>) -> String {
    let Some(stale) = stale.filter(|stale| stale.total > 0) else { return String::new() };
    let groups: std::collections::BTreeSet<_> = stale.rules.values().map(|at| at.group).collect();
    let at_least = if stale.total as usize > stale.rules.len() { "at least " } else { "" };
    format!("{} security-group rules in {at_least}{} groups", stale.total, groups.len())
}
