//! Stop rules across objects. They count objects, never AWS calls, in sliding windows, from timestamps that were
//! committed before the act. While more losses wait than a window has room for, none of them is acted upon.

use std::fmt;

use crate::ids::AccountId;
use crate::memory::{Act, Latch};
use crate::time::Wall;

/// Where a limit is set. The tightest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The namespace's `PeeringPolicy`.
    Policy,
    /// An `AwsAccount`.
    Account(AccountId),
    /// The operator's own flags.
    Operator,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => f.write_str("the PeeringPolicy"),
            Self::Account(account) => write!(f, "the AwsAccount of {account}"),
            Self::Operator => f.write_str("the operator (--max-restores, --max-removals)"),
        }
    }
}

/// What the limits look like to one object: each level with what others have used of it and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LimitsView {
    pub levels: Vec<LevelView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LevelView {
    pub level: Level,
    pub window_s: i64,
    pub max_restores: u32,
    pub max_removals: u32,
    /// Acts of all objects under this level, this one included.
    pub restores: Vec<Wall>,
    pub removals: Vec<Wall>,
    /// Flagged, unresolved losses under this level that have not been acted upon, this object's included.
    pub demand_restores: u32,
    pub demand_removals: u32,
}

impl LevelView {
    fn limit(&self, act: Act) -> u32 {
        match act {
            Act::Restore | Act::RepairDrift => self.max_restores,
            Act::RemoveRoutes | Act::Finalize => self.max_removals,
        }
    }

    fn used(&self, act: Act, now: Wall) -> u32 {
        let spent = match act {
            Act::Restore | Act::RepairDrift => &self.restores,
            Act::RemoveRoutes | Act::Finalize => &self.removals,
        };
        let since = now.plus_s(-self.window_s);
        spent.iter().filter(|at| **at > since).count() as u32
    }

    /// What the act would have to share the window with: at least itself.
    fn demand(&self, act: Act) -> u32 {
        match act {
            Act::Restore => self.demand_restores.max(1),
            Act::RemoveRoutes => self.demand_removals.max(1),
            Act::RepairDrift | Act::Finalize => 1,
        }
    }
}

impl LimitsView {
    /// Whether this act may be done now; else the tightest limit that forbids it.
    pub fn admit(&self, act: Act, now: Wall) -> Result<(), Latch> {
        let refusing = self.levels.iter().filter(|level| {
            let left = level.limit(act).saturating_sub(level.used(act, now));
            level.demand(act) > left
        });
        let tightest = refusing.min_by_key(|level| (level.limit(act), level.level));
        match tightest {
            None => Ok(()),
            Some(level) => {
                Err(Latch { level: level.level, limit: level.limit(act), demand: level.demand(act) })
            }
        }
    }

    /// Another object took the last room of this level between the plan and its commit.
    pub fn refuse(&mut self, latch: &Latch) {
        let same = |level: &&mut LevelView| level.level == latch.level;
        if let Some(level) = self.levels.iter_mut().find(same) {
            level.demand_restores =
                level.demand_restores.max(latch.demand).max(latch.limit.saturating_add(1));
            level.demand_removals =
                level.demand_removals.max(latch.demand).max(latch.limit.saturating_add(1));
        }
    }

    /// A latched hold is released only when the limit that latched it was raised, or is gone.
    pub fn releases(&self, latch: &Latch, act: Act) -> bool {
        let level = self.levels.iter().find(|level| level.level == latch.level);
        level.is_none_or(|level| level.limit(act) > latch.limit)
    }

    /// When the oldest act in a full window leaves it.
    pub fn frees_at(&self, act: Act, now: Wall) -> Option<Wall> {
        let oldest = |level: &LevelView| {
            let spent = match act {
                Act::Restore | Act::RepairDrift => &level.restores,
                Act::RemoveRoutes | Act::Finalize => &level.removals,
            };
            let since = now.plus_s(-level.window_s);
            spent.iter().filter(|at| **at > since).min().map(|at| at.plus_s(level.window_s))
        };
        self.levels.iter().filter_map(oldest).max()
    }
}
