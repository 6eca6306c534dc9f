//! What is told to people: one truth, computed once, from everything the plan met on its way.

use std::fmt;
use std::sync::Arc;

use crate::ids::{PeeringId, Side, Sides, Slot};
use crate::memory::{ClosedLoss, Episode};
use crate::reason::{ConditionType, Reason};

/// Everything that status shows, beside what memory holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    pub observed_generation: i64,
    /// How far the object is, in our words.
    pub state: State,
    /// The State column: the peering's state in AWS's words, `absent` where there is none, `unknown` where AWS's word is
    /// missing.
    pub aws_state: Arc<str>,
    pub peering: Option<PeeringId>,
    pub conditions: Vec<Condition>,
    pub routes: Sides<Count>,
    /// What keeps single routes from being as declared, at most [`Report::EXCEPTIONS_MAX`] of them.
    pub exceptions: Vec<Exception>,
    pub exceptions_total: u32,
    /// What was not done, and why.
    pub held: Vec<Held>,
    pub loss: Option<Episode>,
    pub last_loss: Option<ClosedLoss>,
}

impl Report {
    pub const EXCEPTIONS_MAX: usize = 100;
    pub const HELD_MAX: usize = 20;

    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Pending,
    Creating,
    AwaitingAcceptance,
    Provisioning,
    Active,
    Lost,
    Restoring,
    Released,
    Deleting,
    Stopped,
    Unknown,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Creating => "Creating",
            Self::AwaitingAcceptance => "AwaitingAcceptance",
            Self::Provisioning => "Provisioning",
            Self::Active => "Active",
            Self::Lost => "Lost",
            Self::Restoring => "Restoring",
            Self::Released => "Released",
            Self::Deleting => "Deleting",
            Self::Stopped => "Stopped",
            Self::Unknown => "Unknown",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    True,
    False,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    pub kind: ConditionType,
    pub truth: Truth,
    pub reason: Reason,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Count {
    pub declared: u32,
    pub in_sync: u32,
}

/// One route, or one selection, that is not as declared, and why it is left so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exception {
    pub side: Side,
    pub slot: Option<Slot>,
    /// The declared route entry, or the table, that this is about.
    pub subject: String,
    pub reason: Reason,
    pub message: String,
}

/// A write that was planned and not sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub what: String,
    pub reason: Reason,
    /// What releases it.
    pub release: String,
}

/// How a finding bears on `Ready`, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Weight {
    /// Needs nobody: it goes on by itself.
    Working,
    /// AWS could not be read for too long to say anything.
    Blind,
    /// Needs somebody.
    Stuck,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub weight: Weight,
    pub reason: Reason,
    pub message: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without `..`: whoever adds a field decides here whether people see it.
        let Self {
            observed_generation: _,
            state,
            aws_state,
            peering,
            conditions,
            routes,
            exceptions,
            exceptions_total,
            held,
            loss,
            last_loss,
        } = self;
        write!(f, "{} ({aws_state})", state.as_str())?;
        peering.iter().try_for_each(|id| write!(f, " {id}"))?;
        for (side, Count { declared, in_sync }) in routes.iter() {
            write!(f, ", {side} routes {in_sync}/{declared}")?;
        }
        writeln!(f)?;
        for Condition { kind, truth, reason, message } in conditions {
            writeln!(f, "  {kind}={truth:?} {reason}: {message}")?;
        }
        for Exception { side, slot: _, subject, reason, message } in exceptions {
            writeln!(f, "  ! {side} {subject} {reason}: {message}")?;
        }
        let hidden = (*exceptions_total as usize).saturating_sub(exceptions.len());
        if hidden > 0 {
            writeln!(f, "  ! and {hidden} more")?;
        }
        for Held { what, reason, release } in held {
            writeln!(f, "  held: {what} ({reason}): {release}")?;
        }
        if let Some(Episode { lost, ending, class, by_account, routes, .. }) = loss {
            write!(f, "  lost: {lost} {} {}", ending.as_str(), class.as_str())?;
            by_account.iter().try_for_each(|account| write!(f, " by {account}"))?;
            writeln!(f, ", {routes} routes lead nowhere")?;
        }
        if let Some(ClosedLoss { lost, outcome, successor, .. }) = last_loss {
            write!(f, "  last loss: {lost} {}", outcome.as_str())?;
            successor.iter().try_for_each(|id| write!(f, " as {id}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
