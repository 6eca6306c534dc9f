//! AWS's limits, per account and Region, each with its default.

use std::sync::Arc;

use super::{State, World};
use crate::error::AwsError;
use crate::ids::{AccountId, Region};
use crate::view::{QuotaView, Response};

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
    pub subnets_per_vpc: usize,
    pub groups_per_region: usize,
    /// In and out are counted apart, and so are IPv4 and IPv6; a group counts in both families, a prefix list with
    /// its MaxEntries.
    pub rules_per_group: usize,
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
            subnets_per_vpc: 200,
            groups_per_region: 2_500,
            rules_per_group: 60,
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

/// The service that all of them belong to.
const SERVICE: &str = "vpc";

fn no_such(what: &str) -> AwsError {
    AwsError::new(
        "NoSuchResourceException",
        format!("The request failed because the specified {what} does not exist."),
    )
}

impl Quotas {
    /// Those that Service Quotas knows, with its codes (VPC user guide, "Amazon VPC quotas").
    fn shown(&self) -> Vec<QuotaView> {
        let quota =
            |code, name, value| QuotaView { service_code: SERVICE, code, name, value, adjustable: true };
        vec![
            quota("L-589F43AA", "Route tables per VPC", self.tables_per_vpc),
            quota("L-7E9ECCDB", "Active VPC peering connections per VPC", self.active_peerings_per_vpc),
            quota("L-83CA0A9D", "IPv4 CIDR blocks per VPC", self.ipv4_cidrs_per_vpc),
            quota("L-93826ACB", "Routes per route table", self.routes_per_table),
            quota("L-DC9F7029", "Outstanding VPC peering connection requests", self.outstanding_requests),
        ]
    }

    pub(crate) fn listed_one(&self, service: &str, code: &str) -> Result<Response, AwsError> {
        let mut known = if service == SERVICE { self.shown() } else { return Err(no_such("service")) };
        let at = known.iter().position(|quota| quota.code == code).ok_or_else(|| no_such("quota"))?;
        Ok(Response::Quota(known.swap_remove(at)))
    }

    pub(crate) fn listed(&self, service: &str) -> Result<Response, AwsError> {
        if service == SERVICE { Ok(Response::Quotas(self.shown())) } else { Err(no_such("service")) }
    }
}
