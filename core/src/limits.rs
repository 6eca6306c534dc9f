//! Stop rules across objects. They count objects, never AWS calls, in sliding windows, from timestamps that were
//! committed before the act. While more losses wait than a window has room for, none of them is acted upon.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

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
    /// The limit that refused a commit of this turn: what it planned with is known to be out of date.
    pub refused: Option<Latch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LevelView {
    pub level: Level,
    pub window_s: i64,
    pub max_restores: u32,
    pub max_removals: u32,
    /// How often one and the same peering may be restored in the window.
    pub max_restores_per_peering: u32,
    /// Acts of all objects under this level, this one included.
    pub restores: Moments,
    pub removals: Moments,
    /// Removals noted on `AwsAccount`s, which outlive the objects; those of objects that are still here among them.
    pub noted: Moments,
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
        let since = now.plus_s(-self.window_s);
        match act {
            Act::Restore | Act::RepairDrift => self.restores.since(since).map(|(_, count)| count).sum(),
            Act::RemoveRoutes | Act::Finalize => {
                let told: u32 = self.removals.since(since).map(|(_, count)| count).sum();
                // What is noted for an object that is still here was counted already.
                let outlived = self.noted.since(since).map(|(at, n)| n.saturating_sub(self.removals.at(at)));
                told + outlived.sum::<u32>()
            }
        }
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
        if let Some(latch) = &self.refused {
            return Err(latch.clone());
        }
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

    /// Another object took the last room between the plan and its commit: for this turn there is none, whatever the
    /// act. To plan with the same view again would be to ask for the same room for ever.
    pub fn refuse(&mut self, latch: &Latch) {
        self.refused = Some(latch.clone());
    }
}

/// Room for one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reserve {
    pub act: Act,
    /// A person approved it: it is counted, and no limit refuses it.
    pub is_approved: bool,
}

impl From<Act> for Reserve {
    fn from(act: Act) -> Self {
        Self { act, is_approved: false }
    }
}

/// How many acts there were at which moment. Shared with the table until it changes, so that a look at the limits costs
/// the same however much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Moments(Arc<BTreeMap<Wall, u32>>);

impl Moments {
    fn add(&mut self, at: Wall) {
        self.set(at, self.at(at) + 1);
    }

    fn take(&mut self, at: Wall) {
        self.set(at, self.at(at).saturating_sub(1));
    }

    fn set(&mut self, at: Wall, count: u32) {
        let moments = Arc::make_mut(&mut self.0);
        if count == 0 {
            moments.remove(&at);
        } else {
            moments.insert(at, count);
        }
    }

    fn at(&self, at: Wall) -> u32 {
        self.0.get(&at).copied().unwrap_or_default()
    }

    /// Later than `since`.
    fn since(&self, since: Wall) -> impl Iterator<Item = (Wall, u32)> {
        self.0.range((Bound::Excluded(since), Bound::Unbounded)).map(|(at, count)| (*at, *count))
    }
}

impl FromIterator<Wall> for Moments {
    fn from_iter<I: IntoIterator<Item = Wall>>(moments: I) -> Self {
        let mut all = Self::default();
        moments.into_iter().for_each(|at| all.add(at));
        all
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
    removals: Moments,
}

/// What all objects under one level have used, and what waits: kept up with each change, never counted anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Sum {
    objects: usize,
    restores: Moments,
    removals: Moments,
    demand_restores: u32,
    demand_removals: u32,
}

impl Sum {
    fn add(&mut self, share: &Share) {
        self.objects += 1;
        for (act, at) in &share.acts {
            self.moments(*act).add(*at);
        }
        if let Some(demand) = share.waiting.and_then(|act| self.demand(act)) {
            *demand += 1;
        }
    }

    fn take(&mut self, share: &Share) {
        self.objects -= 1;
        for (act, at) in &share.acts {
            self.moments(*act).take(*at);
        }
        if let Some(demand) = share.waiting.and_then(|act| self.demand(act)) {
            *demand -= 1;
        }
    }

    fn moments(&mut self, act: Act) -> &mut Moments {
        match act {
            Act::Restore | Act::RepairDrift => &mut self.restores,
            // A finalized object's act is noted on its accounts too, which outlive it.
            Act::RemoveRoutes | Act::Finalize => &mut self.removals,
        }
    }

    fn demand(&mut self, act: Act) -> Option<&mut u32> {
        match act {
            Act::Restore => Some(&mut self.demand_restores),
            Act::RemoveRoutes => Some(&mut self.demand_removals),
            Act::RepairDrift | Act::Finalize => None,
        }
    }
}

/// One object's part of every sum that it belongs to.
struct Share {
    policy: ObjectKey,
    accounts: BTreeSet<AccountId>,
    window_s: i64,
    acts: Vec<(Act, Wall)>,
    waiting: Option<Act>,
}

/// The limits of all levels, and what was used of them. A look at one object's limits does not depend on how many others
/// there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    operator: Limits,
    objects: BTreeMap<ObjectKey, Entry>,
    accounts: BTreeMap<AccountId, AccountEntry>,
    /// Losses that a sweep has shown and no turn has flagged yet.
    expected: BTreeMap<ObjectKey, Act>,
    /// Acts admitted and not yet in any object's memory, so that two turns can't take the last room together.
    reserved: BTreeMap<ObjectKey, Vec<(Act, Wall)>>,
    by_policy: BTreeMap<ObjectKey, Sum>,
    by_account: BTreeMap<AccountId, Sum>,
    all: Sum,
    /// Objects whose removal is noted on any account.
    noted: Moments,
    /// The same, by the policy that each counts under.
    noted_by_policy: BTreeMap<ObjectKey, Moments>,
    /// How many objects have a window of this length.
    windows: BTreeMap<i64, usize>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            operator: Limits { max_restores: u32::MAX, max_removals: u32::MAX, ..Limits::default() },
            objects: BTreeMap::new(),
            accounts: BTreeMap::new(),
            expected: BTreeMap::new(),
            reserved: BTreeMap::new(),
            by_policy: BTreeMap::new(),
            by_account: BTreeMap::new(),
            all: Sum::default(),
            noted: Moments::default(),
            noted_by_policy: BTreeMap::new(),
            windows: BTreeMap::new(),
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
        let removals: Moments = removals.into_iter().collect();
        let now = removals.clone();
        let before = self.accounts.insert(account, AccountEntry { limits, removals }).unwrap_or_default();
        for at in before.removals.0.keys().chain(now.0.keys()) {
            if before.removals.at(*at) != now.at(*at) {
                self.note(*at);
            }
        }
    }

    /// Removals noted on accounts, by the policy they count under, each object once: a policy's limit holds for objects
    /// that go one after the other, though none of them is left to tell.
    pub fn set_noted(&mut self, by_policy: BTreeMap<ObjectKey, Vec<Wall>>) {
        self.noted_by_policy = by_policy
            .into_iter()
            .map(|(policy, removals)| (policy, removals.into_iter().collect()))
            .collect();
    }

    /// How many objects the removals of this second, noted on accounts, were. One that both sides' accounts note is one,
    /// and every second one may be such a double.
    fn note(&mut self, at: Wall) {
        let counts = || self.accounts.values().map(|account| account.removals.at(at));
        let (sum, most) = (counts().sum::<u32>(), counts().max().unwrap_or_default());
        self.noted.set(at, most.max(sum.div_ceil(2)));
    }

    /// Enters an object as its memory is stored now.
    pub fn set_object(&mut self, key: ObjectKey, entry: Entry) {
        self.change(&key, |table| {
            if let Some(reserved) = table.reserved.get_mut(&key) {
                reserved.retain(|act| !entry.spent.contains(act));
                if reserved.is_empty() {
                    table.reserved.remove(&key);
                }
            }
            // What memory knows of the loss replaces what the sweep expected.
            let expected = table.expected.get(&key);
            if entry.waiting.is_some() || entry.spent.iter().any(|(act, _)| Some(act) == expected) {
                table.expected.remove(&key);
            }
            table.objects.insert(key.clone(), entry);
        });
    }

    pub fn remove_object(&mut self, key: &ObjectKey) {
        self.change(key, |table| {
            table.objects.remove(key);
            table.expected.remove(key);
            table.reserved.remove(key);
        });
    }

    /// A sweep shows a loss of this object: it is demand from now on, until a turn says otherwise.
    pub fn expect(&mut self, key: &ObjectKey, act: Act) {
        self.change(key, |table| {
            table.expected.insert(key.clone(), act);
        });
    }

    /// A turn looked and found no loss.
    pub fn expect_nothing(&mut self, key: &ObjectKey) {
        self.change(key, |table| {
            table.expected.remove(key);
        });
    }

    /// Takes room for one act, at the moment it is committed.
    pub fn reserve(&mut self, key: &ObjectKey, room: impl Into<Reserve>, now: Wall) -> Result<(), Latch> {
        let Reserve { act, is_approved } = room.into();
        if !is_approved {
            self.view(key).admit(act, now)?;
        }
        // What was reserved for a commit that never came has left every window by then.
        let oldest = now.plus_s(-self.longest_window_s());
        self.change(key, |table| {
            let reserved = table.reserved.entry(key.clone()).or_default();
            reserved.retain(|(_, at)| *at > oldest);
            reserved.push((act, now));
            if let Some(entry) = table.objects.get_mut(key) {
                entry.waiting = None;
            }
            table.expected.remove(key);
        });
        Ok(())
    }

    /// Gives room back: what it was reserved for was not stored.
    pub fn release(&mut self, key: &ObjectKey, act: Act, at: Wall) {
        self.change(key, |table| {
            if let Some(reserved) = table.reserved.get_mut(key) {
                reserved.retain(|taken| *taken != (act, at));
            }
        });
    }

    pub fn longest_window_s(&self) -> i64 {
        let policies = self.windows.keys().next_back().copied();
        let accounts =
            self.accounts.values().filter_map(|account| account.limits).map(|limits| limits.window_s);
        accounts.chain(policies).chain([self.operator.window_s]).max().unwrap_or(self.operator.window_s)
    }

    /// What the limits look like to one object.
    pub fn view(&self, key: &ObjectKey) -> LimitsView {
        let Some(me) = self.objects.get(key) else { return LimitsView::default() };
        let mut levels = Vec::with_capacity(2 + me.accounts.len());
        if let Some(sum) = self.by_policy.get(&me.policy) {
            let noted = self.noted_by_policy.get(&me.policy).cloned().unwrap_or_default();
            levels.push(level(Level::Policy, me.limits, sum, noted));
        }
        levels.push(level(Level::Operator, self.operator, &self.all, self.noted.clone()));
        for account in &me.accounts {
            if let Some(AccountEntry { limits: Some(limits), removals }) = self.accounts.get(account)
                && let Some(sum) = self.by_account.get(account)
            {
                levels.push(level(Level::Account(*account), *limits, sum, removals.clone()));
            }
        }
        LimitsView { levels, refused: None }
    }

    /// Changes something of one object, and the sums with it.
    fn change(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Self)) {
        let before = self.share(key);
        change(self);
        let after = self.share(key);
        // Added first: what belongs to the same sums before and after leaves none of them empty in between.
        if let Some(share) = after {
            self.all.add(&share);
            self.by_policy.entry(share.policy.clone()).or_default().add(&share);
            for account in &share.accounts {
                self.by_account.entry(*account).or_default().add(&share);
            }
            *self.windows.entry(share.window_s).or_default() += 1;
        }
        if let Some(share) = before {
            self.all.take(&share);
            take(&mut self.by_policy, &share.policy, &share);
            for account in &share.accounts {
                take(&mut self.by_account, account, &share);
            }
            if let Some(count) = self.windows.get_mut(&share.window_s) {
                *count -= 1;
                if *count == 0 {
                    self.windows.remove(&share.window_s);
                }
            }
        }
    }

    fn share(&self, key: &ObjectKey) -> Option<Share> {
        let entry = self.objects.get(key)?;
        let reserved = self.reserved.get(key).into_iter().flatten();
        Some(Share {
            policy: entry.policy.clone(),
            accounts: entry.accounts.iter().copied().collect(),
            window_s: entry.limits.window_s,
            acts: entry.spent.iter().chain(reserved).copied().collect(),
            waiting: entry.waiting.or_else(|| self.expected.get(key).copied()),
        })
    }
}

fn take<K: Ord>(sums: &mut BTreeMap<K, Sum>, of: &K, share: &Share) {
    if let Some(sum) = sums.get_mut(of) {
        sum.take(share);
        if sum.objects == 0 {
            sums.remove(of);
        }
    }
}

fn level(level: Level, limits: Limits, sum: &Sum, noted: Moments) -> LevelView {
    LevelView {
        level,
        window_s: limits.window_s,
        max_restores: limits.max_restores,
        max_removals: limits.max_removals,
        max_restores_per_peering: limits.max_restores_per_peering,
        restores: sum.restores.clone(),
        removals: sum.removals.clone(),
        noted,
        demand_restores: sum.demand_restores,
        demand_removals: sum.demand_removals,
    }
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
    fn a_policy_counts_the_removals_of_objects_that_are_gone() {
        let mut table = Table::default();
        let limited = || Entry { limits: Limits { max_removals: 2, ..Limits::default() }, ..entry(None) };
        let noted = |seconds: &[i64]| {
            BTreeMap::from([(
                ObjectKey::new("net", "default"),
                seconds.iter().copied().map(Wall).collect::<Vec<_>>(),
            )])
        };
        for n in 0..2 {
            table.set_object(key(n), limited());
            assert_eq!(table.reserve(&key(n), Act::Finalize, Wall(7)), Ok(()));
        }
        table.set_noted(noted(&[7, 7]));
        table.set_object(key(2), limited());
        assert!(table.reserve(&key(2), Act::Finalize, Wall(8)).is_err(), "noted and remembered count once");
        (0..2).for_each(|n| table.remove_object(&key(n)));
        assert!(table.reserve(&key(2), Act::Finalize, Wall(9)).is_err(), "gone, and counted still");
        assert_eq!(table.reserve(&key(2), Act::Finalize, Wall(7 + 3601)), Ok(()));
    }

    #[test]
    fn while_more_losses_wait_than_there_is_room_none_is_admitted() {
        let mut table = Table::default();
        (0..4).for_each(|n| table.set_object(key(n), entry(Some(Act::Restore))));
        let latch = table.reserve(&key(0), Act::Restore, Wall(0)).unwrap_err();
        assert_eq!(latch, Latch { level: Level::Policy, limit: 3, demand: 4 });
    }

    #[test]
    fn what_a_commit_was_refused_is_not_asked_for_again_with_the_same_view() {
        let mut table = Table::default();
        (0..2).for_each(|n| {
            table.set_object(
                key(n),
                Entry {
                    limits: Limits { max_restores: 1, max_removals: 1, ..Limits::default() },
                    ..entry(None)
                },
            )
        });
        for act in Act::ALL {
            // Both looked before either took the room.
            let mut view = table.view(&key(1));
            assert_eq!(view.admit(act, Wall(0)), Ok(()));
            table.reserve(&key(0), act, Wall(0)).unwrap();
            let latch = table.reserve(&key(1), act, Wall(0)).unwrap_err();
            view.refuse(&latch);
            assert_eq!(view.admit(act, Wall(0)), Err(latch), "{}", act.as_str());
            table.release(&key(0), act, Wall(0));
        }
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
    fn a_removal_noted_on_both_accounts_is_one_for_the_operator_and_outlives_its_object() {
        let accounts: Vec<AccountId> =
            ["111122223333", "444455556666"].map(|id| id.parse().unwrap()).to_vec();
        let tight = Limits { max_removals: 2, ..Limits::default() };
        let mut table = Table::default();
        table.set_operator(10, 2);
        for account in &accounts {
            table.set_account(*account, Some(tight), vec![Wall(7)]);
        }
        let mine = Entry { accounts: accounts.clone(), ..entry(None) };
        table.set_object(key(0), Entry { spent: vec![(Act::Finalize, Wall(7))], ..mine.clone() });
        assert_eq!(
            table.view(&key(0)).admit(Act::Finalize, Wall(8)),
            Ok(()),
            "noted and remembered is one act"
        );
        table.remove_object(&key(0));
        table.set_object(key(1), mine);
        assert_eq!(table.view(&key(1)).admit(Act::Finalize, Wall(8)), Ok(()), "one of two is left");
        table.set_account(accounts[0], Some(tight), vec![Wall(7), Wall(7)]);
        let full = table.view(&key(1)).admit(Act::Finalize, Wall(8)).unwrap_err();
        assert_eq!(full.level, Level::Account(accounts[0]));
        table.set_account(accounts[0], None, Vec::new());
        table.set_account(accounts[1], None, Vec::new());
        assert_eq!(table.noted, Moments::default(), "what no account notes any more is forgotten");
    }

    #[test]
    fn sums_that_were_kept_up_equal_sums_that_are_made_anew() {
        let accounts: Vec<AccountId> =
            ["111122223333", "444455556666"].map(|id| id.parse().unwrap()).to_vec();
        let mut table = Table::default();
        let mut dice = 1_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for step in 0..2000 {
            let at = key(roll(6) as usize);
            match roll(6) {
                0 => table.remove_object(&at),
                1 => table.expect(&at, Act::ALL[roll(4) as usize]),
                2 => table.expect_nothing(&at),
                3 => drop(table.reserve(&at, Act::ALL[roll(4) as usize], Wall(step))),
                _ => {
                    let spent: Vec<_> =
                        (0..roll(3)).map(|n| (Act::ALL[roll(4) as usize], Wall(step - n as i64))).collect();
                    let changed = Entry {
                        policy: ObjectKey::new("net", if roll(2) == 0 { "default" } else { "other" }),
                        limits: Limits { window_s: 60 + roll(3) as i64, ..Limits::default() },
                        accounts: accounts[..roll(3) as usize].to_vec(),
                        spent,
                        waiting: (roll(2) == 0).then_some(Act::Restore),
                    };
                    table.set_object(at, changed);
                }
            }
        }
        let mut anew =
            Table { expected: table.expected.clone(), reserved: table.reserved.clone(), ..Table::default() };
        for (key, entry) in table.objects.clone() {
            anew.change(&key.clone(), |anew| drop(anew.objects.insert(key, entry)));
        }
        assert!(!table.objects.is_empty());
        assert_eq!(table, anew);
    }

    #[test]
    fn a_look_at_the_limits_looks_at_no_other_object() {
        let mut table = Table::default();
        (0..9).for_each(|n| table.set_object(key(n), entry((n % 2 == 0).then_some(Act::Restore))));
        table.reserve(&key(1), Act::RepairDrift, Wall(1)).unwrap();
        let full = table.view(&key(0));
        // Taken away behind the sums' back.
        table.objects.retain(|other, _| *other == key(0));
        table.reserved.clear();
        assert_eq!(table.view(&key(0)), full);
        assert_eq!(full.levels.iter().map(|level| level.demand_restores).max(), Some(5));
    }
}
