//! The verdict on one call that was made with our credentials: was it us?
//!
//! A false alarm stops a whole account, so whatever can't be told is said to be that and never misuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Ends, OwnCall, REMEMBERED_S, RENEW_S, SKEW_S};
use crate::ids::AccountId;
use crate::time::Wall;
use crate::trail::{Actor, TrailEvent};

/// What each session of a role of ours is called by, before the installation's owner id: `peerkeeper-<owner id>`.
pub const SESSION: &str = "peerkeeper";

/// Calls older than this are not judged: what accounts for them may be forgotten already. An intent is not renewed within
/// [`RENEW_S`], and its call may follow a while later.
pub const JUDGED_S: i64 = REMEMBERED_S - 2 * RENEW_S;

/// As whom we call in one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    Role {
        account: AccountId,
        /// Without its path: names are unique within an account, and a session's ARN lacks it.
        name: Arc<str>,
        /// What our own sessions of it are called, where that is known.
        session: Option<Arc<str>>,
    },
    /// A user, or the account itself: its ARN.
    Fixed(Arc<str>),
}

/// A session of a role: account, role, session.
type Session<'a> = (AccountId, &'a str, &'a str);

/// By an ARN such as `arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeper-7b1c`.
fn session_of(arn: &str) -> Option<Session<'_>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "sts", "", account, resource] = parts[..] else { return None };
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((account.parse().ok()?, role, session))
}

impl Principal {
    /// As GetCallerIdentity says it; `None`: it says nothing that a record could be compared with.
    pub fn of_caller(arn: &str) -> Option<Self> {
        if let Some((account, name, session)) = session_of(arn) {
            return Some(Self::Role { account, name: name.into(), session: Some(session.into()) });
        }
        arn.starts_with("arn:").then(|| Self::Fixed(arn.into()))
    }

    /// A role of that account which we assume, by its own ARN. `caller`: as whom we last called there.
    pub fn of_role(account: AccountId, role_arn: &str, caller: Option<&str>) -> Self {
        let name: Arc<str> = role_arn.rsplit('/').next().unwrap_or_default().into();
        let of_it = |(of, role, _): &Session<'_>| *of == account && **role == *name;
        let session = caller.and_then(session_of).filter(of_it).map(|(_, _, session)| session.into());
        Self::Role { account, name, session }
    }

    fn is(&self, actor: &Actor) -> Wields {
        let (account, name, ours) = match self {
            Self::Fixed(arn) if *arn == actor.arn => return Wields::Ours,
            Self::Fixed(_) => return Wields::No,
            Self::Role { account, name, session } => (account, name, session.as_deref()),
        };
        let issuer = || {
            let issuer = actor.issuer.as_ref()?;
            let session = actor.principal_id.split_once(':').map_or("", |(_, session)| session);
            Some((issuer.account, &*issuer.name, session))
        };
        match session_of(&actor.arn).or_else(issuer) {
            Some((of, role, session)) if of == *account && *role == **name => {
                if ours != Some(session) && may_be_others(ours, session) {
                    Wields::Shared
                } else {
                    Wields::Ours
                }
            }
            _ => Wields::No,
        }
    }
}

/// Whether such a session of our role may be another's by right: of another installation, which uses the same role and says
/// so by its name, or of whatever else runs on an instance that lends its role to all.
fn may_be_others(ours: Option<&str>, session: &str) -> bool {
    let installation =
        |name: &str| name.strip_prefix(SESSION).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let instance = |name: &str| name.starts_with("i-");
    installation(session) && ours.is_none_or(installation) || instance(session) && ours.is_some_and(instance)
}

/// Whose credentials a call was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wields {
    No,
    Ours,
    /// Ours and somebody else's.
    Shared,
}

/// What is known of our own calls, of all objects together, gone ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// When each was first and last noted.
    calls: BTreeMap<Ends, Span>,
    /// Accounts in which more was removed at once than is remembered.
    full: BTreeMap<AccountId, Span>,
    /// Accounts in which something that was remembered is lost: of calls until then nothing can be said.
    lost: BTreeMap<AccountId, Wall>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: Wall,
    last: Wall,
}

impl Span {
    fn at(at: Wall) -> Self {
        Self { first: at, last: at }
    }

    fn covers(self, at: Wall) -> bool {
        at.since_s(self.first) >= -SKEW_S && at.since_s(self.last) <= REMEMBERED_S
    }

    /// Together with another moment; what is more than a day apart is not one.
    fn and(self, at: Wall) -> Self {
        if at.since_s(self.last) > REMEMBERED_S {
            return Self::at(at);
        }
        if self.first.since_s(at) > REMEMBERED_S {
            return self;
        }
        Self { first: self.first.min(at), last: self.last.max(at) }
    }

    fn is_over(self, now: Wall) -> bool {
        now.since_s(self.last) > 2 * REMEMBERED_S
    }
}

impl Book {
    /// Enters what an object remembers, or what is noted of objects that are gone. `accounts`: those that it is in.
    /// `most`: where there are as many, there may have been more, and all of that time counts as ours.
    pub fn learn(&mut self, accounts: impl IntoIterator<Item = AccountId>, own: &[OwnCall], most: usize) {
        for call in own {
            let span = self.calls.entry(call.ends).or_insert_with(|| Span::at(call.at));
            *span = span.and(call.at);
        }
        let moments = || own.iter().map(|call| call.at);
        if let (true, Some(first), Some(last)) = (own.len() >= most, moments().min(), moments().max()) {
            for account in accounts {
                let span = self.full.entry(account).or_insert_with(|| Span::at(first));
                *span = span.and(first).and(last);
            }
        }
    }

    /// The memory of something in these accounts was lost before this moment.
    pub fn lost_until(&mut self, accounts: impl IntoIterator<Item = AccountId>, at: Wall) {
        for account in accounts {
            let until = self.lost.entry(account).or_insert(at);
            *until = at.max(*until);
        }
    }

    /// Nothing asks for what is older than two days.
    pub fn forget(&mut self, now: Wall) {
        self.calls.retain(|_, span| !span.is_over(now));
        self.full.retain(|_, span| !span.is_over(now));
        self.lost.retain(|_, at| now.since_s(*at) <= REMEMBERED_S);
    }

    /// Whether a call of ours would account for that one.
    pub fn accounts_for(&self, account: AccountId, ends: Ends, at: Wall) -> bool {
        self.calls.get(&ends).is_some_and(|span| span.covers(at))
            || self.full.get(&account).is_some_and(|span| span.covers(at))
    }

    fn is_lost(&self, account: AccountId, at: Wall) -> bool {
        self.lost.get(&account).is_some_and(|until| at.since_s(*until) <= SKEW_S)
    }
}

/// One call to be judged, and what there is to judge it by.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    pub event: &'a TrailEvent,
    /// As whom we call where it was made.
    pub ours: &'a Principal,
    /// Since when we call there as that at all.
    pub since: Wall,
    /// It ended what some object of this installation declares.
    pub is_declared: bool,
    pub book: &'a Book,
    /// Objects whose memory can't be read.
    pub unread: &'a BTreeSet<Arc<str>>,
    pub now: Wall,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Made by others, or none of the calls that are judged.
    NotOurs,
    /// Longer ago than we remember, or than we are there.
    TooOld,
    /// An object's memory has it.
    Accounted,
    /// Another installation's, or another's on the same instance, and about nothing that is declared here.
    Anothers,
    /// What would account for it can't be read, for this reason.
    CantSay(Arc<str>),
    /// Made with our credentials, and not by us.
    Misuse,
}

impl Judgement {
    /// For metrics: one word, from a short list.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::TooOld => "too_old",
            Self::Accounted => "accounted",
            Self::Anothers => "anothers",
            Self::CantSay(_) => "cant_say",
            Self::Misuse => "misuse",
        }
    }
}

impl Trial<'_> {
    pub fn judge(&self) -> Judgement {
        let (event, account) = (self.event, self.event.place.account);
        let wields = self.ours.is(&event.actor);
        let Some(ends) = Ends::of_call(&event.call).filter(|_| wields != Wields::No) else {
            return Judgement::NotOurs;
        };
        if self.now.since_s(event.at) > JUDGED_S || event.at.since_s(self.since) <= SKEW_S {
            return Judgement::TooOld;
        }
        if self.book.accounts_for(account, ends, event.at) {
            return Judgement::Accounted;
        }
        if wields == Wields::Shared && !self.is_declared {
            return Judgement::Anothers;
        }
        if let Some(first) = self.unread.first() {
            let why =
                format!("the memory of VpcPeering {first} can't be read, and it may be what made the call");
            return Judgement::CantSay(why.into());
        }
        if self.book.is_lost(account, event.at) {
            return Judgement::CantSay("a VpcPeering in this account has lost its status since".into());
        }
        Judgement::Misuse
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
