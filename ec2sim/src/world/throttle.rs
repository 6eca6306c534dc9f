//! Token buckets. AWS refuses calls that come too fast: each account, Region and API has a bucket of its own, of a
//! size and a refill that its category gives it, shared by all who call in that account.
//!
//! Figures: "Request throttling for the Amazon EC2 API" in the EC2 developer guide. Off unless switched on: a test
//! of something else should not meet it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{State, World};
use crate::chance::Fault;
use crate::error::AwsError;
use crate::ids::{AccountId, Region};
use crate::request::{Action, Caller, Describe, Request};
use crate::service::Service;

/// What AWS calls the category of an API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Category {
    /// Describe and Get.
    NonMutating,
    /// DescribeSecurityGroups and its like, asked for everything at once: neither ids nor filter nor page size.
    UnfilteredUnpaginated,
    Mutating,
    /// Mutating calls that AWS counts as expensive: the life of a peering, ingress rules of security groups.
    ResourceIntensive,
    /// CreateTags and DeleteTags.
    Tagging,
    /// DescribeStaleSecurityGroups and DescribeSecurityGroupReferences.
    Uncategorized,
}

impl Category {
    pub const ALL: &'static [Category] = &[
        Self::NonMutating,
        Self::UnfilteredUnpaginated,
        Self::Mutating,
        Self::ResourceIntensive,
        Self::Tagging,
        Self::Uncategorized,
    ];

    /// `None`: another service's call, which EC2's buckets don't count.
    pub fn of(action: Action) -> Option<Self> {
        let name = action.name();
        match name {
            _ if action.service() != Service::Ec2 => None,
            "CreateTags" | "DeleteTags" => Some(Self::Tagging),
            "DescribeStaleSecurityGroups" | "DescribeSecurityGroupReferences" => Some(Self::Uncategorized),
            _ if RESOURCE_INTENSIVE.contains(&name) => Some(Self::ResourceIntensive),
            _ if action.mutates() => Some(Self::Mutating),
            _ => Some(Self::NonMutating),
        }
    }

    /// A call's, which may depend on how it asks.
    pub fn of_request(request: &Request) -> Option<Self> {
        match request {
            Request::DescribeSecurityGroups(query) | Request::DescribeNetworkInterfaces(query)
                if *query == Describe::all() =>
            {
                Some(Self::UnfilteredUnpaginated)
            }
            _ => Self::of(request.action()),
        }
    }
}

/// By name, so that it can be said of calls that this world does not know yet.
const RESOURCE_INTENSIVE: [&str; 6] = [
    "AcceptVpcPeeringConnection",
    "AuthorizeSecurityGroupIngress",
    "CreateVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "RejectVpcPeeringConnection",
    "RevokeSecurityGroupIngress",
];

/// A bucket's size, and what flows in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// Calls that may come at once after a quiet time.
    pub size: u32,
    /// Calls a second that may go on for ever.
    pub refill_per_s: u32,
}

/// How fast one account may call one API in one Region, by category.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Throttling {
    rates: BTreeMap<Category, Rate>,
}

impl Throttling {
    /// What AWS publishes as its defaults.
    pub fn aws() -> Self {
        let rate = |category| match category {
            Category::NonMutating => Rate { size: 100, refill_per_s: 20 },
            Category::UnfilteredUnpaginated => Rate { size: 50, refill_per_s: 10 },
            Category::Mutating | Category::ResourceIntensive => Rate { size: 50, refill_per_s: 5 },
            Category::Tagging => Rate { size: 100, refill_per_s: 10 },
            Category::Uncategorized => Rate { size: 20, refill_per_s: 5 },
        };
        Self { rates: Category::ALL.iter().map(|category| (*category, rate(*category))).collect() }
    }

    /// With another rate for one category.
    pub fn with(mut self, category: Category, rate: Rate) -> Self {
        self.rates.insert(category, rate);
        self
    }

    pub fn rate(&self, category: Category) -> Option<Rate> {
        self.rates.get(&category).copied()
    }
}

/// Thousandths of a call: a refill of r calls a second is r of them a millisecond, so that no division is needed.
const CALL: u64 = 1_000;

/// Which bucket. A call that asks for everything at once draws from another than its like.
pub(super) type Key = (AccountId, Region, Action, Category);

/// The buckets that are not full. What was taken out and has not flowed back, at the moment of the last call.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Buckets(Arc<BTreeMap<Key, Bucket>>);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Bucket {
    missing: u64,
    at_ms: u64,
}

impl Bucket {
    fn missing_at(self, now_ms: u64, rate: Rate) -> u64 {
        let passed_ms = now_ms.saturating_sub(self.at_ms);
        self.missing.saturating_sub(passed_ms.saturating_mul(u64::from(rate.refill_per_s)))
    }
}

impl Buckets {
    /// Takes a call out, unless there is none.
    pub(super) fn take(&mut self, key: Key, rate: Rate, now_ms: u64) -> bool {
        let missing = self.0.get(&key).map_or(0, |bucket| bucket.missing_at(now_ms, rate));
        if missing + CALL > u64::from(rate.size) * CALL {
            return false;
        }
        Arc::make_mut(&mut self.0).insert(key, Bucket { missing: missing + CALL, at_ms: now_ms });
        true
    }

    /// Counts from this moment on; a bucket that is full again is as good as one never used.
    pub(crate) fn start_at(&mut self, now_ms: u64, rate_of: impl Fn(&Key) -> Option<Rate>) {
        if self.0.is_empty() {
            return;
        }
        let now = |(key, bucket): (&Key, &Bucket)| {
            let rate = rate_of(key)?;
            let missing = bucket.missing_at(now_ms, rate);
            (missing > 0).then(|| (key.clone(), Bucket { missing, at_ms: 0 }))
        };
        self.0 = Arc::new(self.0.iter().filter_map(now).collect());
    }
}

impl State {
    /// The refusal of a call that came too fast.
    pub(crate) fn throttled(&mut self, caller: &Caller, request: &Request) -> Option<AwsError> {
        let throttling = self.throttling.as_ref()?;
        let category = Category::of_request(request)?;
        let rate = throttling.rate(category)?;
        let key = (caller.account.clone(), caller.region.clone(), request.action(), category);
        let taken = self.buckets.take(key, rate, self.now_ms);
        (!taken).then(|| AwsError::new("RequestLimitExceeded", "Request limit exceeded."))
    }
}

impl World {
    /// Takes the call out of its bucket. One that is reset on its way never came so far.
    pub(super) fn too_fast(
        &mut self,
        caller: &Caller,
        request: &Request,
        fault: Option<Fault>,
    ) -> Option<AwsError> {
        if fault == Some(Fault::ResetBeforeEffect) {
            return None;
        }
        let refusal = self.state.throttled(caller, request)?;
        self.books.count_throttled(caller, request.action());
        Some(refusal)
    }

    /// Puts all buckets under these rates, full, or takes them away. At first there are none.
    pub fn set_throttling(&mut self, throttling: Option<Throttling>) {
        self.state.throttling = throttling.map(Arc::new);
        self.state.buckets = Buckets::default();
    }

    pub fn throttling(&self) -> Option<&Throttling> {
        self.state.throttling.as_deref()
    }
}
