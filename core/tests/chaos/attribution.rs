//! Who did it, judged from the world's own log: what was concluded from events must be so.

use ec2sim::{Caller, Request, World};
use peerkeeper_core::desired::{LossAction, Policy};
use peerkeeper_core::ids::PeeringId;
use peerkeeper_core::memory::{Attribution, Culprit, Episode, LossClass, Memory, Proof};
use peerkeeper_core::witness::Asked;

use crate::checkers::Judge;
use crate::events::Named;
use crate::people;
use crate::script::What;
use crate::stage::{Stage, Whose};
use crate::trail;

/// Who ended a peering, by AWS's own log, the first first: AWS may let a second deletion pass.
fn deleters(world: &World, lost: PeeringId) -> Vec<Caller> {
    let lost = lost.to_string();
    let ended = world.log().filter(|done| done.result.is_ok()).filter(|done| match &done.request {
        Request::DeleteVpcPeeringConnection { peering_id }
        | Request::RejectVpcPeeringConnection { peering_id } => *peering_id == lost,
        _ => false,
    });
    ended.map(|done| done.caller.clone()).collect()
}

impl Stage {
    /// Invariants 3 and 11, as far as they are about events.
    pub fn judge_told(&mut self, whose: &Whose, policy: &Policy, before: &Memory, memory: &Memory) {
        self.note_told(before, memory);
        if let Some(case) = memory.case.as_ref().filter(|case| before.case.as_ref() != Some(*case)) {
            let (lost, attribution) = (case.of, case.attribution.clone());
            self.judge_history(whose, lost, &attribution);
        }
        let Some(episode) = &memory.episode else { return };
        let known = before.episode.as_ref().filter(|known| known.lost == episode.lost);
        // What was handed over was flagged by the holder before.
        if memory.taken_from == before.taken_from {
            self.judge_order(whose, before, known, episode);
        }
        let was = |known: &Episode| known.class == LossClass::Authorized;
        if episode.class == LossClass::Authorized && !known.is_some_and(was) {
            self.judge_authorized(whose, policy, memory, episode);
        }
        let is_act = episode.acted.is_some() && known.is_none_or(|known| known.acted.is_none());
        if is_act && episode.class == LossClass::Authorized && episode.action == LossAction::RemoveRoutes {
            self.reach.hit("told", Named("RemovedAsAuthorized"));
            self.judge_authorized(whose, policy, memory, episode);
        }
    }

    /// What the history is said to have told, it did: the call is in the log, and was made by whom it is said to have been.
    fn judge_history(&mut self, whose: &Whose, lost: PeeringId, attribution: &Attribution) {
        let Attribution::Corroborated(culprit, Proof::History) = attribution else { return };
        let record = self.people.record(&self.world, &culprit.event);
        let by = record.filter(|record| record.answer.is_ok()).and_then(|record| record.caller.arn());
        if by.as_deref() != Some(&*culprit.principal) {
            let key = &whose.key;
            let what = format!(
                "{key}: by the history {} ended {lost}, and the record {} says {by:?}",
                culprit.principal, culprit.event
            );
            self.judge.accuse(3, what);
        }
    }

    /// The flag was stored before; what a person approved anew after its routes were removed was flagged long ago.
    fn judge_order(&mut self, whose: &Whose, before: &Memory, known: Option<&Episode>, episode: &Episode) {
        let is_reopened = before.last_loss.as_ref().is_some_and(|last| last.lost == episode.lost);
        if known.is_none() && !is_reopened && episode.acted.is_some() {
            let what = format!(
                "{} acts upon the loss of {} with the same commit that flags it",
                whose.key, episode.lost
            );
            self.judge.accuse(11, what);
        }
    }

    /// Authorized is what an authorized principal did, and nothing else.
    fn judge_authorized(&mut self, whose: &Whose, policy: &Policy, memory: &Memory, episode: &Episode) {
        let lost = episode.lost;
        let attribution = memory.case_of(lost).map(|case| case.attribution.clone()).unwrap_or_default();
        let accuse = |judge: &mut Judge, why: String| {
            judge.accuse(3, format!("{} takes the loss of {lost} for authorized: {why}", whose.key));
        };
        let Attribution::Corroborated(culprit, proof) = attribution else {
            return accuse(&mut self.judge, format!("it rests on {attribution:?}"));
        };
        let deleters = deleters(&self.world, lost);
        let Some(deleter) = deleters.first() else {
            return accuse(&mut self.judge, "nobody ended it".to_owned());
        };
        // Whom a policy named when it was told is what counts; lists that change are not followed here.
        let edits = [What::EditAuthorized, What::EditPolicyRef, What::DeletePolicy, What::MakePolicies];
        let is_steady = !self.acts.iter().any(|act| edits.contains(&act.what));
        let is_named =
            |who: &Caller| if is_steady { people::names(policy, who) } else { people::is_officer(who) };
        if is_named(deleter) {
            return self.reach.hit("told", Named("RightlyAuthorized"));
        }
        // Nobody but AWS knows whose of two calls of one account came first.
        if deleters.iter().any(|who| who.account == deleter.account && is_named(who)) {
            return self.reach.hit("told", Named("DeletedByBoth"));
        }
        // Nor whose of two calls of two accounts, where the first one's history can't be asked.
        let asked = self.replicas[whose.replica].ears.witnesses.asked(lost, trail::place(deleter));
        let is_second =
            deleters.iter().any(|who| is_named(who) && who.arn().as_deref() == Some(&*culprit.principal));
        if proof == Proof::History && is_second && !matches!(asked, Asked::Answered(_)) {
            return self.reach.hit("told", Named("DeletedByBoth"));
        }
        if proof == Proof::Agreement && self.passes(&culprit, deleter) {
            return self.reach.hit("told", Named("ForgeryPassed"));
        }
        accuse(&mut self.judge, format!("it was {:?} who ended it, and {culprit:?} is named", deleter.arn()));
    }

    /// The limit of what a message can prove: whoever may write to the queue, and knows which account deleted what and
    /// when, passes for an officer of that account, where the true message is lost and the history does not answer.
    fn passes(&self, culprit: &Culprit, deleter: &Caller) -> bool {
        self.people.is_forged(&culprit.event) && culprit.place.account == trail::place(deleter).account
    }

    fn note_told(&mut self, before: &Memory, memory: &Memory) {
        if let Some(case) = memory.case.as_ref().filter(|case| before.case.as_ref() != Some(*case)) {
            let word = match &case.attribution {
                Attribution::Corroborated(_, Proof::Agreement) => "ByAgreement",
                Attribution::Corroborated(_, Proof::History) => "ByHistory",
                other => match other.as_str() {
                    "AccountOnly" => "AccountOnly",
                    "EventOnly" => "EventOnly",
                    _ => "None",
                },
            };
            self.reach.hit("attribution", Named(word));
        }
        if let Some(episode) =
            memory.episode.as_ref().filter(|episode| before.episode.as_ref() != Some(*episode))
        {
            self.reach.hit("class", episode.class);
        }
    }
}
