//! Every call is counted: for `/metrics`, and for the tests that hold us to a number of calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::{AccountId, Region};

use super::errors::{CallError, Fate};

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    pub account: AccountId,
    /// Where it was sent; `None` for STS before any Region is known.
    pub region: Option<Region>,
    /// AWS's action.
    pub action: &'static str,
    pub result: CallResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallResult {
    Success,
    /// AWS said no.
    Refused,
    /// AWS said: not so fast.
    Throttled,
    /// No connection; AWS never saw it.
    NotSent,
    /// A server error, a timeout, or an answer that can't be read.
    Lost,
}

impl CallResult {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::NotSent => "not_sent",
            Self::Lost => "lost",
        }
    }

    pub(super) fn of(error: &CallError) -> Self {
        match error.fate {
            Fate::Refused if error.kind() == RefusalKind::Throttled => Self::Throttled,
            Fate::Refused => Self::Refused,
            Fate::NotSent => Self::NotSent,
            Fate::Lost => Self::Lost,
        }
    }
}

/// Counts of calls, each attempt counted. They only grow.
#[derive(Debug, Default)]
pub struct Meter {
    calls: Mutex<BTreeMap<CallKey, u64>>,
}

impl Meter {
    pub fn count(&self, key: CallKey) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// All counts at this moment.
    pub fn snapshot(&self) -> BTreeMap<CallKey, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
