//! AWS's limits, per account and Region, each with its default.

use std::sync::Arc;

use super::{State, World};
use crate::ids::{AccountId, Region};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Quotas {
    pub active_peerings_per_vpc: usize,
    /// Requests of this account and Region that nobody has answered yet.
    pub outstanding_requests: usize,
    /// Unanswered requests to or from one VPC. AWS names the error and no figure.
    pub pending_peerings_per_vpc: usize,
    /// IPv4 and IPv6 are counted apart; a prefix list counts with its MaxEntries; local and propagated routes
    /// don't count.
    pub routes_per_table: usize,
    pub tables_per_vpc: usize,
    pub ipv4_cidrs_per_vpc: usize,
    pub tags_per_resource: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            active_peerings_per_vpc: 50,
            outstanding_requests: 25,
            pending_peerings_per_vpc: 1_000,
            routes_per_table: 500,
            tables_per_vpc: 200,
            ipv4_cidrs_per_vpc: 5,
            tags_per_resource: 50,
        }
    }
}

impl State {
    pub(crate) fn quotas(&self, account: &AccountId, region: &Region) -> Quotas {
        self.quotas.get(&(account.clone(), region.clone())).cloned().unwrap_or_default()
    }
}

impl World {
    pub fn quotas(&self, account: impl Into<AccountId>, region: impl Into<Region>) -> Quotas {
        self.state.quotas(&account.into(), &region.into())
    }

    pub fn set_quotas(&mut self, account: impl Into<AccountId>, region: impl Into<Region>, quotas: Quotas) {
        Arc::make_mut(&mut self.state.quotas).insert((account.into(), region.into()), quotas);
    }
}
