//! May this object be acted upon at all: do both accounts' owners allow it, are they still the accounts that it began
//! with, and is it this object's turn?

use crate::claims::Holder;
use crate::desired::{ForeignRefusal, Grant, PairAt, PolicySource};
use crate::ids::Side;
use crate::memory::{Act, Life};
use crate::reason::Reason;

use super::Finalizer;
use super::draft::Draft;
use super::report::State;

/// The resolved pair, if both sides' accounts are known and are those remembered. Says everything that is wrong.
pub(crate) fn check(draft: &mut Draft<'_>) -> Option<PairAt> {
    let input = draft.input;
    for side in Side::BOTH {
        check_side(draft, side);
    }
    if let PolicySource::Missing(name) = &input.policy.source {
        let message = format!(
            "PeeringPolicy {name} does not exist in this namespace; until it does, losses are only flagged"
        );
        draft.stuck(Reason::PolicyNotFound, message);
    }
    let Some(pair) = PairAt::resolve(input.desired, input.grants).or(input.memory.pair) else {
        if input.desired.deleting {
            let message = "what this object has in AWS can't be looked for, as an AwsAccount that it names does not exist; create it, or set spec.deletionPolicy to Retain to leave AWS as it is";
            draft.stuck(Reason::CleanupBlocked, message);
        }
        return None;
    };
    if let Some(remembered) = input.memory.pair
        && remembered != pair
    {
        let message = format!(
            "began in accounts {} and {}, which the AwsAccounts no longer mean; nothing is changed until they do, or the object is made anew",
            remembered.at(Side::Requester),
            remembered.at(Side::Accepter),
        );
        draft.stuck(Reason::WrongAccount, message);
        return None;
    }
    Some(pair)
}

fn check_side(draft: &mut Draft<'_>, side: Side) {
    let input = draft.input;
    // An object that is being deleted says CleanupBlocked instead, in its own module.
    if input.desired.deleting {
        return;
    }
    match input.grants.get(side) {
        Grant::Granted(_) | Grant::Foreign(_) | Grant::Suspended(_) | Grant::Misused { .. } => {}
        Grant::NoAccount { name } => draft.stuck(
            Reason::AccountNotFound,
            format!("the {side}'s AwsAccount {name} does not exist; create it, or name another"),
        ),
        Grant::NotGranted { name, account: _ } if input.memory.life != Life::NeverSeen => draft.stuck(
            Reason::AccessWithdrawn,
            format!("AwsAccount {name} no longer grants this namespace the {side}'s VPC; everything is left as it is"),
        ),
        Grant::NotGranted { name, account: _ } => draft.stuck(
            Reason::AccessNotGranted,
            format!("AwsAccount {name} does not grant this namespace the {side}'s VPC; ask the cluster's administrator for an entry in its spec.grants"),
        ),
        Grant::ForeignRefused { account, why: ForeignRefusal::NotAllowed { by } } => draft.stuck(
            Reason::PeerAccountNotAllowed,
            format!("account {account} is not in spec.allowedPeerAccounts of AwsAccount {by}"),
        ),
        Grant::ForeignRefused { account, why: ForeignRefusal::IsManaged { name } } => draft.stuck(
            Reason::PeerAccountHasAwsAccount,
            format!("AwsAccount {name} has the id {account}: write account: {{name: {name}}} instead"),
        ),
        Grant::Unusable { account, why } => draft.working(
            Reason::AccessDenied,
            format!("account {account} of the {side} can't be used: {why}"),
        ),
    }
}

impl Draft<'_> {
    /// Both sides may be used as declared: our own by grant, a foreign one by allowance.
    pub fn access_is_whole(&self) -> bool {
        self.input.grants.both_allow()
    }
}

/// Another object holds the pair: wait, or take over what it leaves.
pub(crate) fn wait_for(draft: &mut Draft<'_>, holder: &Holder) {
    let input = draft.input;
    if holder.leaving && draft.access_is_whole() {
        take_over(draft, holder);
        return;
    }
    let [low, high] = input.desired.pair().vpcs();
    draft.state = State::Stopped;
    draft.stuck(
        Reason::PairClaimed,
        format!("VpcPeering {} holds the pair {low} and {high}; delete one of the two", holder.key),
    );
}

/// A rename: the object that leaves hands everything over, so that no route is cut.
fn take_over(draft: &mut Draft<'_>, holder: &Holder) {
    let already = draft.input.memory.taken_from.as_deref() == Some(&*holder.uid);
    if !already {
        let mut memory = (*holder.memory).clone();
        let pair = draft.sight().pair;
        if memory.pair.is_some_and(|theirs| theirs.sides.requester.vpc != pair.sides.requester.vpc) {
            // It declared the same pair from the other end.
            memory = memory.turned();
        }
        memory.taken_from = Some(holder.uid.clone());
        // Its routes are let go by what this object declares, not by what the other did.
        memory.settled_generation = 0;
        memory.requested_at = draft.input.desired.requested_at.clone();
        // What was counted for taking the other's things out of AWS was not done.
        memory.spent.retain(|(act, _)| *act != Act::Finalize);
        draft.memory = memory;
    }
    // The other lets go as soon as this one remembers: from then on nothing else guards what is in AWS.
    draft.finalizer = Finalizer::Add;
    draft.state = State::Pending;
    draft.working(
        Reason::HandoverPending,
        format!("taking over from VpcPeering {}, which is being deleted", holder.key),
    );
    draft.wake_in_s(2);
}
