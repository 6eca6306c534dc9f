//! Short ways to say what people do, for tests. Each is a real call by the principal `human`, on a calm day.

use super::World;
use crate::chance::Calm;
use crate::error::{AwsError, Failure};
use crate::ids::{AccountId, PeeringId, Region, RouteTableId, VpcId};
use crate::request::{Caller, CreatePeering, Request, RouteRequest, Tags};
use crate::view::{PeeringStatus, Response};

pub const HUMAN: &str = "human";

fn unexpected(action: &str) -> Failure {
    Failure::Aws(AwsError::new("InternalError", format!("{action} answered something else")))
}

impl World {
    pub fn as_human(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        request: Request,
    ) -> Result<Response, Failure> {
        self.call(&Caller::new(account, region).named(HUMAN), request, &mut Calm)
    }

    /// The owner of a VPC, in its Region.
    pub fn owner_of(&self, vpc: &VpcId) -> Result<Caller, Failure> {
        let vpc = self.state.vpcs.get(vpc).ok_or_else(|| crate::error::texts::no_vpc(vpc.as_str()))?;
        Ok(Caller::new(&vpc.owner, &vpc.region).named(HUMAN))
    }

    pub fn create_vpc(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        cidr: &str,
    ) -> Result<VpcId, Failure> {
        let request = Request::CreateVpc { cidr: cidr.to_owned(), ipv6_cidr: None, tags: Tags::new() };
        let answer = self.as_human(account, region, request)?;
        answer.vpc().map(|vpc| vpc.id).ok_or_else(|| unexpected("CreateVpc"))
    }

    pub fn create_table(&mut self, vpc: &VpcId, tags: &[(&str, &str)]) -> Result<RouteTableId, Failure> {
        let owner = self.owner_of(vpc)?;
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let request = Request::CreateRouteTable { vpc_id: vpc.into(), client_token: None, tags };
        let answer = self.call(&owner, request, &mut Calm)?;
        answer.route_table().map(|table| table.id).ok_or_else(|| unexpected("CreateRouteTable"))
    }

    /// A request from one VPC's owner to the other's.
    pub fn request_peering(&mut self, from: &VpcId, to: &VpcId) -> Result<PeeringId, Failure> {
        let (requester, accepter) = (self.owner_of(from)?, self.owner_of(to)?);
        let request = Request::CreateVpcPeeringConnection(CreatePeering {
            vpc_id: from.into(),
            peer_vpc_id: to.into(),
            peer_owner_id: Some(accepter.account.into()),
            peer_region: Some(accepter.region.into()),
            tags: Tags::new(),
        });
        let answer = self.call(&requester, request, &mut Calm)?;
        answer.peering().map(|peering| peering.id).ok_or_else(|| unexpected("CreateVpcPeeringConnection"))
    }

    /// Requested, accepted and active.
    pub fn peer(&mut self, from: &VpcId, to: &VpcId) -> Result<PeeringId, Failure> {
        let id = self.request_peering(from, to)?;
        let accepter = self.owner_of(to)?;
        self.call(&accepter, Request::AcceptVpcPeeringConnection { peering_id: (&id).into() }, &mut Calm)?;
        match self.peering(&id).map(|peering| peering.status) {
            Some(PeeringStatus::Active) => Ok(id),
            _ => Err(unexpected("AcceptVpcPeeringConnection")),
        }
    }

    pub fn accept_peering_as(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        id: &PeeringId,
    ) -> Result<(), Failure> {
        self.as_human(account, region, Request::AcceptVpcPeeringConnection { peering_id: id.into() })
            .map(|_| ())
    }

    pub fn reject_peering_as(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        id: &PeeringId,
    ) -> Result<(), Failure> {
        self.as_human(account, region, Request::RejectVpcPeeringConnection { peering_id: id.into() })
            .map(|_| ())
    }

    pub fn delete_peering_as(
        &mut self,
        account: impl Into<AccountId>,
        region: impl Into<Region>,
        id: &PeeringId,
    ) -> Result<(), Failure> {
        self.as_human(account, region, Request::DeleteVpcPeeringConnection { peering_id: id.into() })
            .map(|_| ())
    }

    /// By the id of its target: pcx-, igw-, nat-, tgw-, eni- ...
    pub fn add_route(
        &mut self,
        table: &RouteTableId,
        destination: &str,
        target: &str,
    ) -> Result<(), Failure> {
        self.route_call(table, Request::CreateRoute(RouteRequest::new(table, destination).target(target)))
    }

    pub fn repoint_route(
        &mut self,
        table: &RouteTableId,
        destination: &str,
        target: &str,
    ) -> Result<(), Failure> {
        self.route_call(table, Request::ReplaceRoute(RouteRequest::new(table, destination).target(target)))
    }

    pub fn delete_route(&mut self, table: &RouteTableId, destination: &str) -> Result<(), Failure> {
        self.route_call(table, Request::DeleteRoute(RouteRequest::new(table, destination)))
    }

    fn route_call(&mut self, table: &RouteTableId, request: Request) -> Result<(), Failure> {
        let held = self.state.tables.get(table);
        let held = held.ok_or_else(|| crate::error::texts::no_table(table.as_str()))?;
        let owner = Caller::new(&held.owner, &held.region).named(HUMAN);
        self.call(&owner, request, &mut Calm).map(|_| ())
    }

    pub fn tag(&mut self, caller: &Caller, resource: &str, tags: &[(&str, &str)]) -> Result<(), Failure> {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let request = Request::CreateTags { resources: vec![resource.to_owned()], tags };
        self.call(caller, request, &mut Calm).map(|_| ())
    }

    /// The console takes the peerings, tables, subnets and groups of a VPC with it and detaches its gateway, where
    /// the API would refuse.
    pub fn delete_vpc_in_console(&mut self, vpc: &VpcId) -> Result<(), Failure> {
        let owner = self.owner_of(vpc)?;
        let links = self.state.links(vpc).cloned().unwrap_or_default();
        let accepted = |id: &&PeeringId| {
            let peering = self.state.peerings.get(id);
            peering.is_some_and(|held| {
                matches!(held.status, PeeringStatus::Active | PeeringStatus::Provisioning)
            })
        };
        let peerings: Vec<PeeringId> = links.peerings.iter().filter(accepted).cloned().collect();
        for id in &peerings {
            self.call(&owner, Request::DeleteVpcPeeringConnection { peering_id: id.into() }, &mut Calm)?;
        }
        for table in &links.tables {
            if self.state.tables.get(table).is_some_and(|table| !table.is_main()) {
                self.delete_table_with_ties(&owner, table)?;
            }
        }
        self.empty_vpc(&owner, vpc, &links)?;
        self.call(&owner, Request::DeleteVpc { vpc_id: vpc.into() }, &mut Calm).map(|_| ())
    }

    fn empty_vpc(&mut self, owner: &Caller, vpc: &VpcId, links: &super::Links) -> Result<(), Failure> {
        for subnet in &links.subnets {
            self.call(owner, Request::DeleteSubnet { subnet_id: subnet.into() }, &mut Calm)?;
        }
        for group in &links.groups {
            if self.state.groups.get(group).is_some_and(|group| !group.is_default()) {
                self.call(owner, Request::DeleteSecurityGroup { group_id: group.into() }, &mut Calm)?;
            }
        }
        if let Some(gateway) = &links.gateway {
            let (gateway_id, vpc_id) = (gateway.into(), vpc.into());
            self.call(owner, Request::DetachInternetGateway { gateway_id, vpc_id }, &mut Calm)?;
        }
        Ok(())
    }

    fn delete_table_with_ties(&mut self, owner: &Caller, table: &RouteTableId) -> Result<(), Failure> {
        let ties = self.state.tables.get(table).map(|table| table.associations.clone()).unwrap_or_default();
        for association in ties.into_keys() {
            let association_id = association.into();
            self.call(owner, Request::DisassociateRouteTable { association_id }, &mut Calm)?;
        }
        self.call(owner, Request::DeleteRouteTable { route_table_id: table.into() }, &mut Calm).map(|_| ())
    }
}
