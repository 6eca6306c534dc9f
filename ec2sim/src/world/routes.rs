//! CreateRoute, ReplaceRoute and DeleteRoute, with all that AWS refuses.

use ipnet::IpNet;

use super::peering::parse_peering_id;
use super::prefix_lists::parse_prefix_list_id;
use super::tables::{Route, RouteTable, allowed_at_edge};
use super::{Cx, State, cidr};
use crate::chance::Choice;
use crate::error::{AwsError, texts};
use crate::ids::{Opaque, PeeringId};
use crate::request::RouteRequest;
use crate::view::{Destination, Response, RouteOrigin, Target};

/// The destination of a request.
struct Asked {
    destination: Destination,
    text: String,
    /// It was given in the form in which tables keep it; ReplaceRoute and DeleteRoute find nothing else.
    exact: bool,
}

fn combination(message: &str) -> AwsError {
    AwsError::new("InvalidParameterCombination", message)
}

fn destination(asked: &RouteRequest) -> Result<Asked, AwsError> {
    let given = (
        &asked.destination_cidr_block,
        &asked.destination_ipv6_cidr_block,
        &asked.destination_prefix_list_id,
    );
    let (destination, text) = match given {
        (Some(text), None, None) => (IpNet::from(cidr::ipv4(text, "destinationCidrBlock")?).into(), text),
        (None, Some(text), None) => (IpNet::from(cidr::ipv6(text, "destinationIpv6CidrBlock")?).into(), text),
        (None, None, Some(text)) => (Destination::PrefixList(parse_prefix_list_id(text)?), text),
        (None, None, None) => {
            return Err(texts::missing(
                "destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId",
            ));
        }
        _ => return Err(combination("The request must contain exactly one destination")),
    };
    let exact = text.parse::<IpNet>().is_ok_and(|net| net == net.trunc()) || text.starts_with("pl-");
    Ok(Asked { destination, text: text.clone(), exact })
}

fn target(asked: &RouteRequest) -> Result<Target, AwsError> {
    let mut given = Vec::new();
    if let Some(id) = &asked.vpc_peering_connection_id {
        given.push(Target::Peering(parse_peering_id(id)?));
    }
    let opaque = [
        (&asked.gateway_id, Target::Gateway as fn(Opaque) -> Target),
        (&asked.nat_gateway_id, Target::NatGateway),
        (&asked.transit_gateway_id, Target::TransitGateway),
        (&asked.network_interface_id, Target::NetworkInterface),
        (&asked.egress_only_internet_gateway_id, Target::EgressOnlyInternetGateway),
    ];
    for (id, kind) in opaque {
        given.extend(id.as_ref().map(|id| kind(Opaque::new(id))));
    }
    if asked.local_target {
        given.push(Target::Local);
    }
    match (given.pop(), given.is_empty()) {
        (Some(target), true) => Ok(target),
        (None, _) => Err(texts::missing(
            "gatewayId, natGatewayId, networkInterfaceId, transitGatewayId or vpcPeeringConnectionId",
        )),
        _ => Err(combination("The request must contain exactly one target")),
    }
}

fn inside_own_block(blocks: impl IntoIterator<Item = IpNet>, destination: &Destination) -> bool {
    let net = match destination {
        Destination::Ipv4(net) => IpNet::V4(*net),
        Destination::Ipv6(net) => IpNet::V6(*net),
        Destination::PrefixList(_) => return false,
    };
    blocks.into_iter().any(|block| block.contains(&net))
}

impl State {
    pub(crate) fn create_route(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &RouteRequest,
    ) -> Result<Response, AwsError> {
        let table = self.own_table(cx, &asked.route_table_id)?.clone();
        let destination = destination(asked)?.destination;
        let target = target(asked)?;
        cx.touch(destination.to_string());
        cx.touch(target.as_str());
        if target == Target::Local {
            return Err(texts::bad_value("LocalTarget is allowed in ReplaceRoute only"));
        }
        if table.routes.contains_key(&destination) {
            let message = format!("The route identified by {destination} already exists.");
            return Err(AwsError::new("RouteAlreadyExists", message));
        }
        self.check_target(cx, &table, &destination, &target)?;
        self.check_route_quota(&table, &destination)?;
        self.change_table(cx, &table.id, |table| {
            table.routes.insert(destination, Route { target, origin: RouteOrigin::CreateRoute });
        });
        Ok(Response::Done)
    }

    pub(crate) fn replace_route(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &RouteRequest,
    ) -> Result<Response, AwsError> {
        let table = self.own_table(cx, &asked.route_table_id)?.clone();
        let undefined = |text: &str| {
            texts::bad_value(format!(
                "There is no route defined for '{text}' in the route table. Use CreateRoute instead."
            ))
        };
        let Asked { destination, text, exact } = destination(asked)?;
        let target = target(asked)?;
        cx.touch(destination.to_string());
        cx.touch(target.as_str());
        let held = table.routes.get(&destination).filter(|_| exact).ok_or_else(|| undefined(&text))?;
        let own_block = held.origin == RouteOrigin::CreateRouteTable;
        if target == Target::Local && !own_block {
            return Err(texts::bad_value(format!("The route {text} is not a local route")));
        }
        self.check_target(cx, &table, &destination, &target)?;
        cx.was = Some(held.target.clone());
        self.change_table(cx, &table.id, |table| {
            if let Some(route) = table.routes.get_mut(&destination) {
                route.target = target;
            }
        });
        Ok(Response::Done)
    }

    pub(crate) fn delete_route(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &RouteRequest,
    ) -> Result<Response, AwsError> {
        let table = self.own_table(cx, &asked.route_table_id)?.clone();
        let nothing = |text: &str| {
            let message = format!("no route with destination-cidr-block {text} in route table {}", table.id);
            AwsError::new("InvalidRoute.NotFound", message)
        };
        let Asked { destination, text, exact } = destination(asked)?;
        cx.touch(destination.to_string());
        let held = table.routes.get(&destination).filter(|_| exact).ok_or_else(|| nothing(&text))?;
        if held.origin == RouteOrigin::CreateRouteTable {
            let message = format!("cannot remove local route {text} in route table {}", table.id);
            return Err(texts::bad_value(message));
        }
        cx.was = Some(held.target.clone());
        self.change_table(cx, &table.id, |table| {
            table.routes.remove(&destination);
        });
        Ok(Response::Done)
    }

    fn check_target(
        &self,
        cx: &mut Cx<'_>,
        table: &RouteTable,
        destination: &Destination,
        target: &Target,
    ) -> Result<(), AwsError> {
        if let Destination::PrefixList(id) = destination {
            self.own_prefix_list(cx, id.as_str())?;
        }
        if table.is_edge() && !allowed_at_edge(destination, target) {
            return Err(texts::bad_value(format!(
                "Route target {target} is not supported in route table {}, which is associated with a gateway",
                table.id
            )));
        }
        let blocks = self.vpcs.get(&table.vpc).into_iter().flat_map(|vpc| vpc.nets().copied());
        let fits_inside =
            matches!(target, Target::Local | Target::NatGateway(_) | Target::NetworkInterface(_))
                || target.as_str().starts_with("vpce-");
        if !fits_inside && inside_own_block(blocks, destination) {
            return Err(texts::bad_value(
                "Route target is not supported. This route only supports interface and instance targets.",
            ));
        }
        match target {
            Target::Peering(id) => self.check_peering_target(cx, table, id),
            Target::Gateway(id) => self.check_gateway_target(cx, table, id.as_str()),
            _ => Ok(()),
        }
    }

    /// A request still pending will do: the route is a blackhole until it is accepted.
    fn check_peering_target(
        &self,
        cx: &mut Cx<'_>,
        table: &RouteTable,
        id: &PeeringId,
    ) -> Result<(), AwsError> {
        let seen = |peering: &&super::Peering| {
            peering.visible_at(&cx.caller.account, &cx.caller.region, self.now_ms)
        };
        let peering = self.peerings.get(id).filter(seen).ok_or_else(|| texts::no_peering(id.as_str()))?;
        if self.peerings.is_fresh(id) && cx.too_early() {
            return Err(texts::no_peering(id.as_str()));
        }
        if peering.requester.vpc != table.vpc && peering.accepter.vpc != table.vpc {
            return Err(texts::bad_value(format!(
                "route table {} and network gateway {id} belong to different networks",
                table.id
            )));
        }
        if !peering.status.has_ended() {
            return Ok(());
        }
        Err(match cx.pick(Choice::RouteToEnded, 3) {
            0 => texts::no_peering(id.as_str()),
            1 => texts::transition(id, peering.status.as_str(), "active"),
            _ => texts::bad_value(format!("Peering {id} is not active.")),
        })
    }

    /// IPv4 and IPv6 are counted apart, a prefix list with its MaxEntries, in the family it is of.
    fn check_route_quota(&self, table: &RouteTable, added: &Destination) -> Result<(), AwsError> {
        let weight = |destination: &Destination| match destination {
            Destination::Ipv4(_) => (false, 1),
            Destination::Ipv6(_) => (true, 1),
            Destination::PrefixList(id) => {
                self.prefix_lists.get(id).map_or((false, 1), |list| (list.is_ipv6, list.max_entries as usize))
            }
        };
        let (family, more) = weight(added);
        let counted = table.routes.iter().filter(|(_, route)| route.origin != RouteOrigin::CreateRouteTable);
        let held = counted.map(|(destination, _)| weight(destination)).filter(|(of, _)| *of == family);
        let total = more + held.map(|(_, count)| count).sum::<usize>();
        if total > self.quotas(&table.owner, &table.region).routes_per_table {
            let message = "The maximum number of routes has been reached.";
            return Err(AwsError::new("RouteLimitExceeded", message));
        }
        Ok(())
    }
}
