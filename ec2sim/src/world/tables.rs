//! Route tables and what they are tied to.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::agenda::Thing;
use super::{Cx, State, tags};
use crate::error::{AwsError, texts};
use crate::ids::{AccountId, AssociationId, Opaque, Region, RouteTableId, VpcId};
use crate::request::{Attach, Request, Tags};
use crate::view::{
    Association, AssociationView, Destination, PeeringStatus, Response, RouteOrigin, RouteState,
    RouteTableView, RouteView, Target,
};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Route {
    pub(crate) target: Target,
    pub(crate) origin: RouteOrigin,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct RouteTable {
    pub(crate) id: RouteTableId,
    pub(crate) vpc: VpcId,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) associations: BTreeMap<AssociationId, Association>,
    pub(crate) routes: BTreeMap<Destination, Route>,
    /// Beside the static ones: one destination may have both.
    pub(crate) propagated: BTreeMap<Destination, Opaque>,
    pub(crate) propagating_vgws: BTreeSet<Opaque>,
    pub(crate) tags: Tags,
}

impl RouteTable {
    pub(crate) fn is_main(&self) -> bool {
        self.associations.values().any(|with| *with == Association::Main)
    }

    pub(crate) fn is_edge(&self) -> bool {
        self.associations.values().any(|with| matches!(with, Association::Gateway(_)))
    }

    pub(crate) fn add_local(&mut self, net: IpNet) {
        let route = Route { target: Target::Local, origin: RouteOrigin::CreateRouteTable };
        self.routes.insert(net.into(), route);
    }

    pub(crate) fn drop_local(&mut self, net: IpNet) {
        self.routes.remove(&net.into());
    }

    /// The CIDRs that routes other than the local ones lead to.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = IpNet> {
        let own = self.routes.iter().filter(|(_, route)| route.origin != RouteOrigin::CreateRouteTable);
        own.filter_map(|(destination, _)| match destination {
            Destination::Ipv4(net) => Some(IpNet::V4(*net)),
            Destination::Ipv6(net) => Some(IpNet::V6(*net)),
            Destination::PrefixList(_) => None,
        })
    }
}

pub(crate) fn parse_table_id(text: &str) -> Result<RouteTableId, AwsError> {
    let malformed = || texts::malformed("InvalidRouteTableId.Malformed", text, RouteTableId::PREFIX);
    RouteTableId::parse(text).ok_or_else(malformed)
}

impl State {
    /// Blackhole is computed, never stored: it follows the target.
    pub(crate) fn route_state(&self, vpc: &VpcId, target: &Target) -> RouteState {
        let there = match target {
            Target::Local => true,
            Target::Peering(id) => {
                self.peerings.get(id).is_some_and(|peering| peering.status == PeeringStatus::Active)
            }
            Target::Gateway(id) => self.gateway_serves(id.as_str(), vpc),
            opaque => !self.broken.contains(opaque.as_str()),
        };
        if there { RouteState::Active } else { RouteState::Blackhole }
    }

    pub(crate) fn table_view(&self, table: &RouteTable) -> RouteTableView {
        let route = |destination: &Destination, target: Target, origin| RouteView {
            destination: destination.clone(),
            state: self.route_state(&table.vpc, &target),
            target,
            origin,
        };
        let fixed = table.routes.iter().map(|(to, held)| route(to, held.target.clone(), held.origin));
        let learnt = table
            .propagated
            .iter()
            .map(|(to, vgw)| route(to, Target::Gateway(vgw.clone()), RouteOrigin::EnableVgwRoutePropagation));
        let tie = |(id, with): (&AssociationId, &Association)| AssociationView {
            id: id.clone(),
            with: with.clone(),
        };
        RouteTableView {
            id: table.id.clone(),
            vpc: table.vpc.clone(),
            owner: table.owner.clone(),
            associations: table.associations.iter().map(tie).collect(),
            routes: fixed.chain(learnt).collect(),
            propagating_vgws: table.propagating_vgws.iter().cloned().collect(),
            tags: table.tags.clone(),
        }
    }

    pub(crate) fn own_table(&self, cx: &mut Cx<'_>, text: &str) -> Result<&RouteTable, AwsError> {
        let id = parse_table_id(text)?;
        cx.touch(&id);
        let found = self.tables.get(&id).filter(|table| cx.is_at(&table.owner, &table.region));
        let table = found.ok_or_else(|| texts::no_table(text))?;
        if self.tables.is_fresh(&id) && cx.too_early() {
            return Err(texts::no_table(text));
        }
        Ok(table)
    }

    pub(crate) fn change_table(
        &mut self,
        cx: &mut Cx<'_>,
        id: &RouteTableId,
        change: impl FnOnce(&mut RouteTable),
    ) {
        let lag = self.lag(cx, Thing::Table(id.clone()));
        self.tables.change(id, lag, change);
    }

    pub(crate) fn change_tables_of(
        &mut self,
        cx: &mut Cx<'_>,
        vpc: &VpcId,
        change: impl Fn(&mut RouteTable),
    ) {
        let tables = self.links(vpc).map(|links| links.tables.clone()).unwrap_or_default();
        for id in &tables {
            self.change_table(cx, id, &change);
        }
    }

    /// A new table holds a local route for each block of its VPC.
    pub(crate) fn add_table(
        &mut self,
        cx: &mut Cx<'_>,
        vpc: &VpcId,
        main: bool,
        tags: &Tags,
    ) -> RouteTableId {
        let id = RouteTableId::numbered(self.ids.next());
        let mut table = RouteTable {
            id: id.clone(),
            vpc: vpc.clone(),
            owner: cx.caller.account.clone(),
            region: cx.caller.region.clone(),
            associations: BTreeMap::new(),
            routes: BTreeMap::new(),
            propagated: BTreeMap::new(),
            propagating_vgws: BTreeSet::new(),
            tags: tags.clone(),
        };
        if main {
            table.associations.insert(AssociationId::numbered(self.ids.next()), Association::Main);
        }
        for net in self.vpcs.get(vpc).into_iter().flat_map(super::Vpc::nets) {
            table.add_local(*net);
        }
        let lag = self.lag(cx, Thing::Table(id.clone()));
        self.tables.insert(id.clone(), table, lag);
        self.links_mut(vpc).tables.insert(id.clone());
        id
    }

    pub(crate) fn create_table(
        &mut self,
        cx: &mut Cx<'_>,
        vpc: &str,
        client_token: Option<&str>,
        tags: &Tags,
    ) -> Result<Response, AwsError> {
        let vpc = self.own_vpc(cx, vpc)?;
        let request = || Request::CreateRouteTable {
            vpc_id: (&vpc.id).into(),
            client_token: client_token.map(str::to_owned),
            tags: tags.clone(),
        };
        let earlier = self.given_before(cx, client_token, request)?;
        let earlier = earlier.as_deref().and_then(RouteTableId::parse);
        if let Some(table) = earlier.and_then(|id| self.tables.get(&id)) {
            cx.touch(&table.id);
            return Ok(Response::RouteTable(self.table_view(table)));
        }
        let quotas = self.quotas(&vpc.owner, &vpc.region);
        tags::check(tags, quotas.tags_per_resource)?;
        if self.links(&vpc.id).is_some_and(|links| links.tables.len() >= quotas.tables_per_vpc) {
            let message = "The maximum number of route tables has been reached.";
            return Err(AwsError::new("RouteTableLimitExceeded", message));
        }
        let id = self.add_table(cx, &vpc.id, false, tags);
        cx.touch(&id);
        self.note_token(cx, client_token, request, id.as_str());
        let table = self.tables.get(&id).ok_or_else(|| texts::no_table(id.as_str()))?;
        Ok(Response::RouteTable(self.table_view(table)))
    }

    /// From now on the table takes the routes that the gateway announces, or no longer. A virtual private gateway is
    /// an id and nothing else here: any will do.
    pub(crate) fn set_propagation(
        &mut self,
        cx: &mut Cx<'_>,
        table: &str,
        gateway: &str,
        on: bool,
    ) -> Result<Response, AwsError> {
        let id = self.own_table(cx, table)?.id.clone();
        cx.touch(gateway);
        if !gateway.starts_with("vgw-") {
            return Err(texts::not_found("InvalidGatewayID.NotFound", "gateway", gateway));
        }
        let vgw = Opaque::new(gateway);
        self.change_table(cx, &id, |table| {
            if on {
                table.propagating_vgws.insert(vgw);
            } else {
                table.propagating_vgws.remove(&vgw);
                table.propagated.retain(|_, from| *from != vgw);
            }
        });
        Ok(Response::Done)
    }

    pub(crate) fn delete_table(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let table = self.own_table(cx, text)?;
        if !table.associations.is_empty() {
            let message = format!("The routeTable '{text}' has dependencies and cannot be deleted.");
            return Err(AwsError::new("DependencyViolation", message));
        }
        let (id, vpc) = (table.id.clone(), table.vpc.clone());
        let lag = self.lag(cx, Thing::Table(id.clone()));
        self.tables.remove(&id, lag);
        self.unlink(&vpc, |links| links.tables.remove(&id));
        Ok(Response::Done)
    }

    pub(crate) fn associate_table(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        to: &Attach,
    ) -> Result<Response, AwsError> {
        let table = self.own_table(cx, text)?;
        let with = match to {
            Attach::Subnet(subnet) => {
                self.check_subnet_of(cx, table, subnet)?;
                Association::Subnet(Opaque::new(subnet))
            }
            Attach::Gateway(gateway) => {
                edge_can_hold(table)?;
                self.check_gateway_target(cx, table, gateway)?;
                Association::Gateway(Opaque::new(gateway))
            }
        };
        let taken = |held: &RouteTable| held.associations.values().any(|held| *held == with);
        if self.tables.iter().any(|(_, held)| taken(held)) {
            let message =
                "the specified association for the route table conflicts with an existing association";
            return Err(AwsError::new("Resource.AlreadyAssociated", message));
        }
        let id = table.id.clone();
        let association = AssociationId::numbered(self.ids.next());
        let key = association.clone();
        self.change_table(cx, &id, |table| {
            table.associations.insert(key, with);
        });
        cx.touch(&association);
        Ok(Response::Association(association))
    }

    fn own_association(
        &self,
        cx: &mut Cx<'_>,
        text: &str,
    ) -> Result<(AssociationId, RouteTableId, Association), AwsError> {
        cx.touch(text);
        let own = self.tables.iter().filter(|(_, table)| cx.is_at(&table.owner, &table.region));
        let mut ties = own.flat_map(|(id, table)| table.associations.iter().map(move |tie| (id, tie)));
        let found = ties.find(|(_, (association, _))| association.as_str() == text);
        let (table, (association, with)) =
            found.ok_or_else(|| texts::not_found("InvalidAssociationID.NotFound", "association", text))?;
        Ok((association.clone(), table.clone(), with.clone()))
    }

    pub(crate) fn disassociate_table(&mut self, cx: &mut Cx<'_>, text: &str) -> Result<Response, AwsError> {
        let (association, table, with) = self.own_association(cx, text)?;
        if with == Association::Main {
            let message = format!("cannot disassociate the main route table association {text}");
            return Err(texts::bad_value(message));
        }
        self.change_table(cx, &table, |table| {
            table.associations.remove(&association);
        });
        Ok(Response::Done)
    }

    /// Also the way to make another table the main one.
    pub(crate) fn replace_association(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        to_table: &str,
    ) -> Result<Response, AwsError> {
        let (association, from, with) = self.own_association(cx, text)?;
        let to = self.own_table(cx, to_table)?;
        if self.tables.get(&from).is_none_or(|from| from.vpc != to.vpc) {
            let message =
                format!("route table {to_table} and association {text} belong to different networks");
            return Err(texts::bad_value(message));
        }
        if matches!(with, Association::Gateway(_)) {
            edge_can_hold(to)?;
        }
        let to = to.id.clone();
        let renewed = AssociationId::numbered(self.ids.next());
        let key = renewed.clone();
        self.change_table(cx, &from, |table| {
            table.associations.remove(&association);
        });
        self.change_table(cx, &to, |table| {
            table.associations.insert(key, with);
        });
        cx.touch(&renewed);
        Ok(Response::Association(renewed))
    }
}

/// Only these targets are allowed where traffic enters the VPC through a gateway.
pub(crate) fn allowed_at_edge(destination: &Destination, target: &Target) -> bool {
    let endpoint = |id: &Opaque| id.as_str().starts_with("vpce-");
    let target_fits = match target {
        Target::Local | Target::NetworkInterface(_) => true,
        Target::Gateway(id) => endpoint(id),
        _ => false,
    };
    target_fits && !matches!(destination, Destination::PrefixList(_))
}

fn edge_can_hold(table: &RouteTable) -> Result<(), AwsError> {
    let unfit = table.routes.iter().find(|(destination, route)| !allowed_at_edge(destination, &route.target));
    match unfit {
        None => Ok(()),
        Some((destination, route)) => Err(texts::bad_value(format!(
            "Route table {} contains unsupported route target: {} for {destination}. It cannot be associated with a gateway.",
            table.id, route.target
        ))),
    }
}
