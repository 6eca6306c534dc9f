//! Is somebody else calling with our credentials?
//!
//! Of the calls that our own role makes, those that end something are judged: deleting or rejecting a peering, deleting a
//! route. Each such write of ours is in an object's memory before it is sent, and stays there for a day. One that is heard of
//! and is not there was made by somebody who has our credentials.

mod judge;

use crate::ids::{AccountId, PeeringId, RouteTableId};
use crate::memory::Memory;
use crate::time::Wall;
use crate::trail::Call;
use crate::write::Write;

pub use judge::{Book, JUDGED_S, Judgement, Principal, SESSION, Trial};

/// So long a call of ours is remembered: longer than any record of it is on its way.
pub const REMEMBERED_S: i64 = 86_400;
/// What is remembered of one object; where more is removed at once, all of it counts as one.
pub const OWN_MAX: usize = 256;
/// Clocks differ: a record may seem to be this much older than what it records.
const SKEW_S: i64 = 300;
/// While an entry is younger than this it is not renewed: status changes only when something has changed.
const RENEW_S: i64 = 3600;

/// On an `AwsAccount`, the event id of the call that a person has looked at: it releases the hold of that call, and of no
/// later one.
pub const ACKNOWLEDGED: &str = "peerkeeper.dev/credentials-misuse-acknowledged";

/// What releases the hold that a misuse puts on everything in an account.
pub fn release(account: AccountId, name: &str, event: &str) -> String {
    format!(
        "find out who used the operator's credentials in account {account} (condition OperatorCredentialsMisused of \
         AwsAccount {name}) and revoke them, then annotate AwsAccount {name} with {ACKNOWLEDGED}={event}"
    )
}

/// What a call of ours was about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ends {
    Peering(PeeringId),
    /// Routes of this table.
    Routes(RouteTableId),
}

impl Ends {
    /// What a write of ours ends, if it ends anything.
    pub fn of_write(write: &Write) -> Option<Self> {
        match write {
            Write::Remove(id, _) => Some(Self::Peering(*id)),
            Write::DropRoute { slot, .. } => Some(Self::Routes(slot.table)),
            Write::Create { .. }
            | Write::Accept(_)
            | Write::Options { .. }
            | Write::Tag { .. }
            | Write::Untag { .. }
            | Write::AddRoute { .. }
            | Write::Repoint { .. }
            | Write::RevokeRule { .. } => None,
        }
    }

    /// What somebody's call ended, if it is one of those that are judged.
    pub fn of_call(call: &Call) -> Option<Self> {
        match call {
            Call::DeletePeering(id) | Call::RejectPeering(id) => Some(Self::Peering(*id)),
            Call::DeleteRoute { table, .. } => Some(Self::Routes(*table)),
            _ => None,
        }
    }
}

/// One of our own calls, remembered before it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnCall {
    pub ends: Ends,
    pub at: Wall,
}

/// Notes what is about to be sent; what is older than a day goes with it.
pub fn remember(memory: &mut Memory, ends: impl Iterator<Item = Ends>, now: Wall) {
    for ends in ends {
        match memory.own.iter_mut().find(|own| own.ends == ends) {
            Some(known) if now.since_s(known.at) < RENEW_S => continue,
            Some(known) => known.at = now,
            None => memory.own.push(OwnCall { ends, at: now }),
        }
        memory.own.retain(|own| now.since_s(own.at) <= REMEMBERED_S);
        let more = memory.own.len().saturating_sub(OWN_MAX);
        memory.own.drain(..more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(n: u32) -> Ends {
        Ends::Routes(format!("rtb-{n:08x}").parse().unwrap())
    }

    #[test]
    fn the_same_again_changes_nothing_for_an_hour() {
        let mut memory = Memory::default();
        remember(&mut memory, [table(1)].into_iter(), Wall(0));
        let before = memory.clone();
        remember(&mut memory, [table(1)].into_iter(), Wall(3_599));
        assert_eq!(memory, before);
        remember(&mut memory, [table(1)].into_iter(), Wall(3_600));
        assert_eq!(memory.own, [OwnCall { ends: table(1), at: Wall(3_600) }]);
        remember(&mut memory, [table(2)].into_iter(), Wall(100_000));
        assert_eq!(memory.own.len(), 1, "a day later the first is forgotten");
    }
}
