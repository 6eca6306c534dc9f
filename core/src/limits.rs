//! Stop rules across objects. They count objects, never AWS calls, in sliding windows, from timestamps that were
//! committed before the act. While more losses wait than a window has room for, none of them is acted upon.

use std::collections::BTreeMap;
use std::fmt;

use crate::desired::Limits;
use crate::ids::{AccountId, ObjectKey};
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

/// One object, as far as limits are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Objects of one policy share its limits.
    pub policy: ObjectKey,
    pub limits: Limits,
    pub accounts: Vec<AccountId>,
    /// As its memory says.
    pub spent: Vec<(Act, Wall)>,
    /// The act that an open loss of its waits for.
    pub waiting: Option<Act>,
}

/// What an `AwsAccount` adds: limits of its own, and removals that outlive the objects they removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct AccountEntry {
    limits: Option<Limits>,
    removals: Vec<Wall>,
}

/// The limits of all levels, and what was used of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    operator: Limits,
    objects: BTreeMap<ObjectKey, Entry>,
    accounts: BTreeMap<AccountId, AccountEntry>,
    /// Losses that a sweep has shown and no turn has flagged yet.
    expected: BTreeMap<ObjectKey, Act>,
    /// Acts admitted and not yet in any object's memory, so that two turns can't take the last room together.
    reserved: BTreeMap<ObjectKey, Vec<(Act, Wall)>>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            operator: Limits { max_restores: u32::MAX, max_removals: u32::MAX, ..Limits::default() },
            objects: BTreeMap::new(),
            accounts: BTreeMap::new(),
            expected: BTreeMap::new(),
            reserved: BTreeMap::new(),
        }
    }
}

impl Table {
    /// The operator's own limits, per hour.
    pub fn set_operator(&mut self, max_restores: u32, max_removals: u32) {
        self.operator.max_restores = max_restores;
        self.operator.max_removals = max_removals;
    }

    pub fn set_account(&mut self, account: AccountId, limits: Option<Limits>, removals: Vec<Wall>) {
        self.accounts.insert(account, AccountEntry { limits, removals });
    }

    /// Enters an object as its memory is stored now.
    pub fn set_object(&mut self, key: ObjectKey, entry: Entry) {
        if let Some(reserved) = self.reserved.get_mut(&key) {
            reserved.retain(|act| !entry.spent.contains(act));
        }
        self.reserved.retain(|_, acts| !acts.is_empty());
        // What memory knows of the loss replaces what the sweep expected.
        if entry.waiting.is_some() || entry.spent.iter().any(|(act, _)| Some(act) == self.expected.get(&key))
        {
            self.expected.remove(&key);
        }
        self.objects.insert(key, entry);
    }

    pub fn remove_object(&mut self, key: &ObjectKey) {
        self.objects.remove(key);
        self.expected.remove(key);
        self.reserved.remove(key);
    }

    /// A sweep shows a loss of this object: it is demand from now on, until a turn says otherwise.
    pub fn expect(&mut self, key: &ObjectKey, act: Act) {
        self.expected.insert(key.clone(), act);
    }

    /// A turn looked and found no loss.
    pub fn expect_nothing(&mut self, key: &ObjectKey) {
        self.expected.remove(key);
    }

    /// Takes room for one act, at the moment it is committed.
    pub fn reserve(&mut self, key: &ObjectKey, act: Act, now: Wall) -> Result<(), Latch> {
        self.view(key).admit(act, now)?;
        self.reserved.entry(key.clone()).or_default().push((act, now));
        if let Some(entry) = self.objects.get_mut(key) {
            entry.waiting = None;
        }
        self.expected.remove(key);
        Ok(())
    }

    pub fn longest_window_s(&self) -> i64 {
        let policies = self.objects.values().map(|entry| entry.limits.window_s);
        let accounts =
            self.accounts.values().filter_map(|account| account.limits).map(|limits| limits.window_s);
        policies.chain(accounts).chain([self.operator.window_s]).max().unwrap_or(self.operator.window_s)
    }

    /// What the limits look like to one object.
    pub fn view(&self, key: &ObjectKey) -> LimitsView {
        let Some(me) = self.objects.get(key) else { return LimitsView::default() };
        let mut levels = vec![
            self.level(Level::Policy, me.limits, |entry| entry.policy == me.policy, Vec::new()),
            self.level(Level::Operator, self.operator, |_| true, self.all_removals()),
        ];
        for account in &me.accounts {
            let Some(AccountEntry { limits: Some(limits), removals }) = self.accounts.get(account) else {
                continue;
            };
            levels.push(self.level(
                Level::Account(*account),
                *limits,
                |entry| entry.accounts.contains(account),
                removals.clone(),
            ));
        }
        LimitsView { levels }
    }

    /// Removals noted on accounts. One that both sides' accounts note is one, and of those noted in the same second
    /// every second one may be such a double.
    fn all_removals(&self) -> Vec<Wall> {
        let mut noted: BTreeMap<Wall, (usize, usize)> = BTreeMap::new();
        for account in self.accounts.values() {
            for (at, count) in count(account.removals.iter().copied()) {
                let (sum, most) = noted.entry(at).or_default();
                *sum += count;
                *most = count.max(*most);
            }
        }
        let objects = |(at, (sum, most)): (Wall, (usize, usize))| vec![at; most.max(sum.div_ceil(2))];
        noted.into_iter().flat_map(objects).collect()
    }

    fn level(
        &self,
        level: Level,
        limits: Limits,
        belongs: impl Fn(&Entry) -> bool,
        noted: Vec<Wall>,
    ) -> LevelView {
        let mut view = LevelView {
            level,
            window_s: limits.window_s,
            max_restores: limits.max_restores,
            max_removals: limits.max_removals,
            restores: Vec::new(),
            removals: Vec::new(),
            demand_restores: 0,
            demand_removals: 0,
        };
        for (key, entry) in self.objects.iter().filter(|(_, entry)| belongs(entry)) {
            let reserved = self.reserved.get(key).into_iter().flatten();
            for (act, at) in entry.spent.iter().chain(reserved) {
                match act {
                    Act::Restore | Act::RepairDrift => view.restores.push(*at),
                    // A finalized object's act is noted on its accounts too, which outlive it.
                    Act::RemoveRoutes | Act::Finalize => view.removals.push(*at),
                }
            }
            match entry.waiting.or_else(|| self.expected.get(key).copied()) {
                Some(Act::Restore) => view.demand_restores += 1,
                Some(Act::RemoveRoutes) => view.demand_removals += 1,
                Some(Act::RepairDrift | Act::Finalize) | None => {}
            }
        }
        // What is noted for an object that is still here was counted above.
        let counted = count(view.removals.iter().copied());
        for (at, noted) in count(noted.into_iter()) {
            let outlived = noted.saturating_sub(counted.get(&at).copied().unwrap_or_default());
            view.removals.extend(std::iter::repeat_n(at, outlived));
        }
        view
    }
}

/// Several acts may fall into one second.
fn count(times: impl Iterator<Item = Wall>) -> BTreeMap<Wall, usize> {
    let mut counts = BTreeMap::new();
    times.for_each(|at| *counts.entry(at).or_default() += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> ObjectKey {
        ObjectKey::new("net", format!("p{n}"))
    }

    fn entry(waiting: Option<Act>) -> Entry {
        let limits = Limits { max_restores: 3, ..Limits::default() };
        Entry {
            policy: ObjectKey::new("net", "default"),
            limits,
            accounts: Vec::new(),
            spent: Vec::new(),
            waiting,
        }
    }

    #[test]
    fn while_more_losses_wait_than_there_is_room_none_is_admitted() {
        let mut table = Table::default();
        (0..4).for_each(|n| table.set_object(key(n), entry(Some(Act::Restore))));
        let latch = table.reserve(&key(0), Act::Restore, Wall(0)).unwrap_err();
        assert_eq!(latch, Latch { level: Level::Policy, limit: 3, demand: 4 });
    }

    #[test]
    fn losses_that_fit_are_admitted_one_by_one() {
        let mut table = Table::default();
        (0..3).for_each(|n| table.set_object(key(n), entry(Some(Act::Restore))));
        for n in 0..3 {
            assert_eq!(table.reserve(&key(n), Act::Restore, Wall(0)), Ok(()));
        }
        table.set_object(key(3), entry(Some(Act::Restore)));
        assert!(table.reserve(&key(3), Act::Restore, Wall(1)).is_err());
        assert_eq!(table.reserve(&key(3), Act::Restore, Wall(3601)), Ok(()));
    }

    #[test]
    fn a_loss_that_only_a_sweep_has_shown_counts_as_demand() {
        let mut table = Table::default();
        (0..4).for_each(|n| table.set_object(key(n), entry(None)));
        (0..4).for_each(|n| table.expect(&key(n), Act::Restore));
        assert!(table.view(&key(0)).admit(Act::Restore, Wall(0)).is_err());
    }

    #[test]
    fn removals_of_one_second_are_as_many_as_they_are() {
        let mut table = Table::default();
        table.set_operator(3, 3);
        let [one, other]: [AccountId; 2] = ["111122223333", "444455556666"].map(|id| id.parse().unwrap());
        for account in [one, other] {
            table.set_account(account, None, vec![Wall(7); 3]);
        }
        table.set_object(key(0), Entry { accounts: vec![one, other], ..entry(None) });
        assert!(
            table.view(&key(0)).admit(Act::Finalize, Wall(8)).is_err(),
            "three objects, each noted twice"
        );
        table.set_account(other, None, vec![Wall(7)]);
        table.set_account(one, None, vec![Wall(7)]);
        assert_eq!(table.view(&key(0)).admit(Act::Finalize, Wall(8)), Ok(()));
    }

    #[test]
    fn a_latch_is_released_only_by_a_raised_limit() {
        let mut table = Table::default();
        table.set_object(key(0), entry(None));
        let latch = Latch { level: Level::Policy, limit: 3, demand: 9 };
        assert!(!table.view(&key(0)).releases(&latch, Act::Restore));
        let raised = Entry { limits: Limits { max_restores: 20, ..Limits::default() }, ..entry(None) };
        table.set_object(key(0), raised);
        assert!(table.view(&key(0)).releases(&latch, Act::Restore));
    }
}
