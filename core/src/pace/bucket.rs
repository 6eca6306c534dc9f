//! Token buckets: how many AWS calls Peerkeeper allows itself.
//!
//! AWS counts requests per account, Region and operation, in a bucket with a published size and refill, and shares it
//! among every tool in that account. Peerkeeper keeps a smaller copy of each bucket, by default half, so that it never
//! empties the account's own. `RequestLimitExceeded` shows that others use more than their half: the copy is then
//! halved, and grows back slowly.

use std::collections::BTreeMap;

use crate::time::Mono;

/// An EC2 operation that Peerkeeper calls. AWS counts each on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    DescribeVpcPeeringConnections,
    DescribeRouteTables,
    DescribeVpcs,
    DescribeManagedPrefixLists,
    GetManagedPrefixListEntries,
    DescribeSecurityGroupRules,
    DescribeStaleSecurityGroups,
    CreateVpcPeeringConnection,
    AcceptVpcPeeringConnection,
    DeleteVpcPeeringConnection,
    ModifyVpcPeeringConnectionOptions,
    CreateRoute,
    ReplaceRoute,
    DeleteRoute,
    RevokeSecurityGroupIngress,
    RevokeSecurityGroupEgress,
    CreateTags,
    DeleteTags,
}

impl Operation {
    /// The throttling class that AWS puts the operation in.
    pub fn class(self) -> Class {
        use Operation::*;
        match self {
            DescribeVpcPeeringConnections
            | DescribeRouteTables
            | DescribeVpcs
            | DescribeManagedPrefixLists
            | GetManagedPrefixListEntries
            | DescribeSecurityGroupRules => Class::Describe,
            DescribeStaleSecurityGroups => Class::StaleGroups,
            ModifyVpcPeeringConnectionOptions
            | CreateRoute
            | ReplaceRoute
            | DeleteRoute
            | RevokeSecurityGroupEgress => Class::Mutating,
            CreateVpcPeeringConnection
            | AcceptVpcPeeringConnection
            | DeleteVpcPeeringConnection
            | RevokeSecurityGroupIngress => Class::Intensive,
            CreateTags | DeleteTags => Class::Tags,
        }
    }
}

/// AWS's throttling classes: operations of one class have buckets of the same size, yet each its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Reads that are paginated or filtered.
    Describe,
    /// `DescribeStaleSecurityGroups` and `DescribeSecurityGroupReferences`.
    StaleGroups,
    /// Cheap writes, routes among them.
    Mutating,
    /// Writes that AWS calls resource-intensive: the life cycle of peerings.
    Intensive,
    /// `CreateTags` and `DeleteTags`.
    Tags,
}

impl Class {
    /// AWS's published bucket size, in calls.
    pub fn burst(self) -> u64 {
        match self {
            Class::Describe | Class::Tags => 100,
            Class::Mutating | Class::Intensive => 50,
            Class::StaleGroups => 20,
        }
    }

    /// AWS's published refill, in calls a second.
    pub fn refill_per_s(self) -> u64 {
        match self {
            Class::Describe => 20,
            Class::Tags => 10,
            Class::Mutating | Class::Intensive | Class::StaleGroups => 5,
        }
    }
}

/// The part of AWS's published budgets that Peerkeeper allows itself, in thousandths: 1 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// `None` outside 1..=1000: nothing at all would be a dead operator, more than all would be refused by AWS.
    pub fn permille(permille: u16) -> Option<Share> {
        (1..=1000).contains(&permille).then_some(Share(permille))
    }

    pub fn as_permille(self) -> u16 {
        self.0
    }
}

impl Default for Share {
    fn default() -> Share {
        Share(500)
    }
}

/// One call, in millionths: with whole calls a second and shares in thousandths, the refill per millisecond is then a
/// whole number, and no remainder is ever lost.
const TOKEN: u64 = 1_000_000;
/// However often AWS refuses, this part of the share stays: a bucket at zero would never learn that things got better.
const LEAST_PART_OF_SHARE: u64 = 16;
/// After this long without a refusal, an eighth of the configured share comes back.
const RECOVER_EVERY_MS: u64 = 30_000;
const RECOVERED_PART_OF_SHARE: u64 = 8;
/// The part of a bucket, as a fraction, that is gathered for those who wait.
const GROUP_PART: (u64, u64) = (4, 5);

/// The bucket of one operation in one account and Region.
///
/// Invariant: in any span of `t` seconds at most `burst x share + refill x share x t` calls are granted, and at least
/// one call fits, however small the share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    class: Class,
    /// As configured, in thousandths.
    share: u64,
    /// As allowed now, in thousandths of AWS's bucket: halved by refusals, at most `share`.
    allowed: u64,
    /// Millionths of a call on hand, as of `as_of`.
    tokens: u64,
    /// Millionths of a call promised beyond those on hand: what is gained pays these first.
    owed: u64,
    as_of: Mono,
    /// When `allowed` last changed, or began to wait for recovery.
    changed: Mono,
    /// When `allowed` was last halved.
    halved: Option<Mono>,
}

impl Bucket {
    /// A full bucket: AWS's own is taken to be full when we start; if it isn't, the first refusal tells.
    pub fn new(now: Mono, class: Class, share: Share) -> Bucket {
        let share = u64::from(share.0);
        let mut bucket = Bucket {
            class,
            share,
            allowed: share,
            tokens: 0,
            owed: 0,
            as_of: now,
            changed: now,
            halved: None,
        };
        bucket.tokens = bucket.size();
        bucket
    }

    /// Spends one call, or says from when one can be had. An answer of `Err` spends nothing.
    pub fn take(&mut self, now: Mono) -> Result<(), Mono> {
        match self.free_at(now, 1) {
            free if free <= now => {
                self.spend();
                Ok(())
            }
            free => Err(free),
        }
    }

    /// Spends one call that may be made at the moment it answers with, `last` at the latest. First come, first served: what
    /// is promised to one is no other's.
    ///
    /// `Err` spends nothing, and says when a call is free.
    pub fn reserve(&mut self, now: Mono, last: Mono) -> Result<Mono, Mono> {
        let free = self.free_at(now, 1);
        if free > last {
            return Err(free);
        }
        self.spend();
        Ok(free)
    }

    /// When so many calls can have been made, if nobody else makes any: the last of them at that moment.
    pub fn free_at(&mut self, now: Mono, calls: u64) -> Mono {
        self.advance(now);
        let missing = (self.owed + calls.saturating_mul(TOKEN)).saturating_sub(self.tokens);
        if missing == 0 { now } else { self.as_of.plus_ms(missing.div_ceil(self.per_ms())) }
    }

    /// How many calls those who wait make in one go: so many that a bucket which fills up to them has not run over yet
    /// when they come a little late.
    pub fn group(&self) -> u64 {
        (self.size() / TOKEN * GROUP_PART.0 / GROUP_PART.1).max(1)
    }

    /// How long the bucket takes to gain so many calls, in milliseconds.
    pub fn gains_ms(&self, calls: u64) -> u64 {
        calls.saturating_mul(TOKEN).div_ceil(self.per_ms())
    }

    /// Nothing more fits, though those who wait would have left room: nobody has come for what was gained.
    pub fn has_run_full(&mut self, now: Mono) -> bool {
        self.advance(now);
        self.tokens >= self.size() && self.size() > self.group() * TOKEN
    }

    fn spend(&mut self) {
        let paid = self.tokens.min(TOKEN);
        self.tokens -= paid;
        self.owed += TOKEN - paid;
    }

    /// AWS answered `RequestLimitExceeded` to a call for which a token was taken at `taken`.
    ///
    /// Calls that were under way when the bucket was last halved say nothing new, so a burst of refusals halves once.
    pub fn refused(&mut self, now: Mono, taken: Mono) {
        self.advance(now);
        self.tokens = 0;
        if self.halved.is_some_and(|halved| taken <= halved) {
            return;
        }
        self.allowed = (self.allowed / 2).max(self.share / LEAST_PART_OF_SHARE).max(1);
        self.changed = self.as_of;
        self.halved = Some(self.as_of);
    }

    /// Calls that could be made at once.
    pub fn available(&self, now: Mono) -> u64 {
        let mut then = self.clone();
        then.advance(now);
        then.tokens / TOKEN
    }

    /// What is allowed now, in thousandths of AWS's bucket.
    pub fn allowed_permille(&self) -> u64 {
        self.allowed
    }

    fn size(&self) -> u64 {
        (self.class.burst() * self.allowed * (TOKEN / 1000)).max(TOKEN)
    }

    /// Millionths of a call per millisecond: which is the same as thousandths of a call per second.
    fn per_ms(&self) -> u64 {
        self.class.refill_per_s() * self.allowed
    }

    /// Refills up to `now`, step by step where the share grew back on the way. A `now` in the past changes nothing.
    fn advance(&mut self, now: Mono) {
        while self.allowed < self.share {
            let recovers = self.changed.plus_ms(RECOVER_EVERY_MS);
            if recovers > now {
                break;
            }
            self.refill(recovers);
            self.allowed = self.share.min(self.allowed + (self.share / RECOVERED_PART_OF_SHARE).max(1));
            self.changed = recovers;
        }
        self.refill(now);
    }

    fn refill(&mut self, until: Mono) {
        let gained = until.since_ms(self.as_of).saturating_mul(self.per_ms());
        let paid = gained.min(self.owed);
        self.owed -= paid;
        self.tokens = self.tokens.saturating_add(gained - paid).min(self.size());
        self.as_of = self.as_of.max(until);
    }
}

/// All buckets, one per account and Region (`K`) and operation, made on first use.
///
/// Memory: at most one bucket per operation and `K`; call [`Buckets::retain`] when accounts leave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Buckets<K> {
    share: Share,
    buckets: BTreeMap<(K, Operation), Bucket>,
}

impl<K: Ord + Clone> Buckets<K> {
    pub fn new(share: Share) -> Buckets<K> {
        Buckets { share, buckets: BTreeMap::new() }
    }

    /// Spends one call of `operation` at `place`, or says from when one can be had.
    pub fn take(&mut self, now: Mono, place: &K, operation: Operation) -> Result<(), Mono> {
        self.bucket(now, place, operation).take(now)
    }

    /// Spends one call of `operation` at `place` that may be made at the moment it answers with, `last` at the latest; or
    /// says when one is free.
    pub fn reserve(&mut self, now: Mono, place: &K, operation: Operation, last: Mono) -> Result<Mono, Mono> {
        self.bucket(now, place, operation).reserve(now, last)
    }

    /// AWS answered `RequestLimitExceeded` to the call whose token was taken at `taken`.
    pub fn refused(&mut self, now: Mono, place: &K, operation: Operation, taken: Mono) {
        self.bucket(now, place, operation).refused(now, taken);
    }

    /// Calls of `operation` that could be made at `place` at once.
    pub fn available(&self, now: Mono, place: &K, operation: Operation) -> u64 {
        match self.buckets.get(&(place.clone(), operation)) {
            Some(bucket) => bucket.available(now),
            None => Bucket::new(now, operation.class(), self.share).available(now),
        }
    }

    /// Forgets the buckets of places that are no longer kept. One that comes back soon would start full, so keep a
    /// place while any AwsAccount names it.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.buckets.retain(|(place, _), _| keep(place));
    }

    /// The bucket of `operation` at `place`.
    pub fn bucket(&mut self, now: Mono, place: &K, operation: Operation) -> &mut Bucket {
        let share = self.share;
        self.buckets
            .entry((place.clone(), operation))
            .or_insert_with(|| Bucket::new(now, operation.class(), share))
    }
}
