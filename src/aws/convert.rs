//! AWS's wire types -> the engine's nouns.
//!
//! What happens to a thing that can't be understood depends on whether its loss could mislead:
//! - a thing whose **id** has no form we know can't be declared, remembered or found by pair: it is skipped and counted;
//! - so is a **route** whose destination has no form we know: no slot can be declared there. A route whose *target* is
//!   of an unknown kind is kept, as a route to something else: it occupies its place;
//! - a peering, table or VPC whose id we understand but not the rest fails the **whole reading**: left out, it would
//!   count as absent, and absence is evidence.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ec2::types as wire;
use peerkeeper_core::few::Few;
use peerkeeper_core::ids::{
    AccountId, AccountRegion, Cidr, Destination, GroupId, PeeringId, Region, RuleId, Target, VpcId,
};
use peerkeeper_core::observed::{
    Peering, PeeringEnd, PeeringState, PrefixList, Resource, Route, RouteTable, StaleRule, Tags, Vpc,
};

/// Why one thing did not become a noun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It can't matter to us: leave it out.
    Skip(String),
    /// It could matter: there is no reading.
    Fatal(String),
}

/// The words of one answer, each held once: thousands of things carry the same few tags, messages and gateways.
#[derive(Default)]
pub(super) struct Words(Mutex<HashSet<Arc<str>>>);

impl Words {
    fn one(&self, word: &str) -> Arc<str> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        held.insert(word.clone());
        word
    }
}

/// A converted thing, and how many parts of it were skipped.
pub(super) type Converted<T> = Result<(T, u32), Unfit>;

fn id<T>(what: &str, text: Option<&str>) -> Result<T, Unfit>
where
    T: FromStr,
    T::Err: Display,
{
    let text = text.ok_or_else(|| Unfit::Skip(format!("a {what} without an id")))?;
    text.parse().map_err(|error: T::Err| Unfit::Skip(error.to_string()))
}

/// A part of a thing that is ours to know.
fn part<T>(of: &dyn Display, what: &str, text: Option<&str>) -> Result<T, Unfit>
where
    T: FromStr,
    T::Err: Display,
{
    let text = text.ok_or_else(|| Unfit::Fatal(format!("{of} has no {what}")))?;
    text.parse().map_err(|error: T::Err| Unfit::Fatal(format!("{what} of {of}: {error}")))
}

pub(super) fn peering(wire: &wire::VpcPeeringConnection, words: &Words) -> Converted<Peering> {
    let id = id("VPC peering connection", wire.vpc_peering_connection_id())?;
    let status = wire.status();
    let word =
        status.and_then(|status| status.code()).map_or("", wire::VpcPeeringConnectionStateReasonCode::as_str);
    let peering = Peering {
        id,
        requester: end(&id, "requester", wire.requester_vpc_info())?,
        accepter: end(&id, "accepter", wire.accepter_vpc_info())?,
        state: PeeringState::from(word),
        message: words.one(status.and_then(|status| status.message()).unwrap_or_default()),
        tags: tags(wire.tags(), words),
    };
    Ok((peering, 0))
}

fn end(
    of: &dyn Display,
    side: &str,
    wire: Option<&wire::VpcPeeringConnectionVpcInfo>,
) -> Result<PeeringEnd, Unfit> {
    let wire = wire.ok_or_else(|| Unfit::Fatal(format!("{of} has no {side}")))?;
    let account: AccountId = part(of, &format!("{side} account"), wire.owner_id())?;
    let region: Region = part(of, &format!("{side} Region"), wire.region())?;
    let sets = wire.cidr_block_set().iter().filter_map(wire::CidrBlock::cidr_block);
    let sets6 = wire.ipv6_cidr_block_set().iter().filter_map(wire::Ipv6CidrBlock::ipv6_cidr_block);
    let texts = wire.cidr_block().into_iter().chain(sets).chain(sets6);
    let cidrs: Result<Few<Cidr>, Unfit> = texts.map(|text| part(of, "CIDR block", Some(text))).collect();
    let options = wire.peering_options();
    Ok(PeeringEnd {
        at: AccountRegion { account, region },
        vpc: part(of, &format!("{side} VPC"), wire.vpc_id())?,
        cidrs: cidrs?,
        allow_dns: options.and_then(|options| options.allow_dns_resolution_from_remote_vpc()),
    })
}

pub(super) fn vpc(wire: &wire::Vpc, words: &Words) -> Converted<Vpc> {
    let id = id("VPC", wire.vpc_id())?;
    let v4 = wire.cidr_block_association_set().iter().filter_map(|block| {
        let state = block.cidr_block_state().and_then(wire::VpcCidrBlockState::state);
        is_associated(state).then_some(block.cidr_block()).flatten()
    });
    let v6 = wire.ipv6_cidr_block_association_set().iter().filter_map(|block| {
        let state = block.ipv6_cidr_block_state().and_then(wire::VpcCidrBlockState::state);
        is_associated(state).then_some(block.ipv6_cidr_block()).flatten()
    });
    let texts = wire.cidr_block().into_iter().chain(v4).chain(v6);
    let cidrs: Result<Few<Cidr>, Unfit> = texts.map(|text| part(&id, "CIDR block", Some(text))).collect();
    let owner = part(&id, "owner", wire.owner_id())?;
    Ok((Vpc { id, owner, cidrs: cidrs?, tags: tags(wire.tags(), words) }, 0))
}

/// A block that is being added or taken away, or could not be, is not the VPC's.
fn is_associated(state: Option<&wire::VpcCidrBlockStateCode>) -> bool {
    state.is_none_or(|state| *state == wire::VpcCidrBlockStateCode::Associated)
}

pub(super) fn route_table(wire: &wire::RouteTable, words: &Words) -> Converted<RouteTable> {
    let id = id("route table", wire.route_table_id())?;
    let links = wire.associations();
    let (known, unknown): (Vec<_>, Vec<_>) =
        wire.routes().iter().map(|wire| route(wire, words)).partition(Option::is_some);
    let table = RouteTable {
        id,
        vpc: part(&id, "VPC", wire.vpc_id())?,
        owner: part(&id, "owner", wire.owner_id())?,
        main: links.iter().any(|link| link.main() == Some(true)),
        edge: links.iter().any(|link| link.gateway_id().is_some()),
        tags: tags(wire.tags(), words),
        routes: known.into_iter().flatten().collect(),
    };
    Ok((table, u32::try_from(unknown.len()).unwrap_or(u32::MAX)))
}

fn route(wire: &wire::Route, words: &Words) -> Option<Route> {
    let destination = wire
        .destination_cidr_block()
        .or(wire.destination_ipv6_cidr_block())
        .or(wire.destination_prefix_list_id())?;
    let destination: Destination = destination.parse().ok()?;
    Some(Route {
        destination,
        target: target(wire, words),
        blackhole: wire.state() == Some(&wire::RouteState::Blackhole),
        propagated: wire.origin() == Some(&wire::RouteOrigin::EnableVgwRoutePropagation),
    })
}

/// AWS sets one of these; for an instance also its interface.
fn target(wire: &wire::Route, words: &Words) -> Target {
    if let Some(peering) = wire.vpc_peering_connection_id() {
        return peering.parse().map_or_else(|_| Target::Other(words.one(peering)), Target::Peering);
    }
    if wire.gateway_id() == Some("local") {
        return Target::Local;
    }
    let others = [
        wire.gateway_id(),
        wire.nat_gateway_id(),
        wire.transit_gateway_id(),
        wire.egress_only_internet_gateway_id(),
        wire.instance_id(),
        wire.network_interface_id(),
        wire.carrier_gateway_id(),
        wire.local_gateway_id(),
        wire.core_network_arn(),
        wire.odb_network_arn(),
        wire.ip_address(),
    ];
    Target::Other(words.one(others.into_iter().flatten().next().unwrap_or("a target of an unknown kind")))
}

pub(super) fn prefix_list(wire: &wire::ManagedPrefixList, _: &Words) -> Converted<PrefixList> {
    let id = id("prefix list", wire.prefix_list_id())?;
    // AWS's own lists say no maximum. Their weight in a route table is documented list by list, and is at most this.
    const UNSAID: u32 = 55;
    let max_entries = wire.max_entries().map_or(UNSAID, |entries| u32::try_from(entries).unwrap_or(0));
    Ok((PrefixList { id, max_entries }, 0))
}

/// A security group that has stale rules, and what they refer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StaleGroup {
    pub id: GroupId,
    pub vpc: VpcId,
    pub references: BTreeSet<Reference>,
}

/// Another VPC's group, named by rules of one direction over a peering that ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reference {
    is_egress: bool,
    group: GroupId,
    vpc: VpcId,
    via: PeeringId,
}

impl Reference {
    pub fn stale(&self, id: RuleId, of: &StaleGroup) -> StaleRule {
        StaleRule {
            id,
            group: of.id,
            vpc: of.vpc,
            is_egress: self.is_egress,
            peer_group: self.group,
            peer_vpc: self.vpc,
            via: self.via,
        }
    }
}

/// One rule of a security group, as far as it refers to another group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct GroupRule {
    pub id: RuleId,
    group: GroupId,
    is_egress: bool,
    to: Option<(GroupId, Option<PeeringId>)>,
}

impl GroupRule {
    /// It is a rule of this group, to what this names.
    pub fn is(&self, group: GroupId, reference: &Reference) -> bool {
        let names = self
            .to
            .is_some_and(|(to, via)| to == reference.group && via.is_none_or(|via| via == reference.via));
        self.group == group && self.is_egress == reference.is_egress && names
    }
}

impl Resource for StaleGroup {
    type Id = GroupId;
    type Group = VpcId;

    fn id(&self) -> GroupId {
        self.id
    }

    fn group(&self) -> VpcId {
        self.vpc
    }
}

impl Resource for GroupRule {
    type Id = RuleId;
    type Group = GroupId;

    fn id(&self) -> RuleId {
        self.id
    }

    fn group(&self) -> GroupId {
        self.group
    }
}

/// Rules also go stale by other things than peerings, which are none of our business: those are left out.
pub(super) fn stale_group(wire: &wire::StaleSecurityGroup, _: &Words) -> Converted<StaleGroup> {
    let id = id("security group", wire.group_id())?;
    let ways = [(false, wire.stale_ip_permissions()), (true, wire.stale_ip_permissions_egress())];
    let mut references = BTreeSet::new();
    for (is_egress, permissions) in ways {
        for pair in permissions.iter().flat_map(wire::StaleIpPermission::user_id_group_pairs) {
            let (Some(via), Some("deleted") | None) =
                (pair.vpc_peering_connection_id(), pair.peering_status())
            else {
                continue;
            };
            references.insert(Reference {
                is_egress,
                group: part(&id, "stale rule's group", pair.group_id())?,
                vpc: part(&id, "stale rule's VPC", pair.vpc_id())?,
                via: part(&id, "stale rule's peering", Some(via))?,
            });
        }
    }
    Ok((StaleGroup { id, vpc: part(&id, "VPC", wire.vpc_id())?, references }, 0))
}

pub(super) fn group_rule(wire: &wire::SecurityGroupRule, _: &Words) -> Converted<GroupRule> {
    let id: RuleId = id("security group rule", wire.security_group_rule_id())?;
    let to = wire.referenced_group_info().and_then(|to| {
        Some((to.group_id()?.parse().ok()?, to.vpc_peering_connection_id().and_then(|via| via.parse().ok())))
    });
    let rule = GroupRule {
        id,
        group: part(&id, "security group", wire.group_id())?,
        is_egress: wire.is_egress().unwrap_or(false),
        to,
    };
    Ok((rule, 0))
}

fn tags(wire: &[wire::Tag], words: &Words) -> Tags {
    let pair = |tag: &wire::Tag| Some((words.one(tag.key()?), words.one(tag.value().unwrap_or_default())));
    wire.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use peerkeeper_core::observed::Ending;

    fn info(vpc: &str) -> wire::VpcPeeringConnectionVpcInfo {
        wire::VpcPeeringConnectionVpcInfo::builder()
            .owner_id("111122223333")
            .region("eu-west-1")
            .vpc_id(vpc)
            .cidr_block("10.0.0.0/16")
            .cidr_block_set(wire::CidrBlock::builder().cidr_block("10.0.0.0/16").build())
            .cidr_block_set(wire::CidrBlock::builder().cidr_block("100.64.0.0/16").build())
            .ipv6_cidr_block_set(wire::Ipv6CidrBlock::builder().ipv6_cidr_block("2001:db8::/56").build())
            .build()
    }

    fn wire_peering(id: &str) -> wire::VpcPeeringConnection {
        let status = wire::VpcPeeringConnectionStateReason::builder()
            .code(wire::VpcPeeringConnectionStateReasonCode::Deleted)
            .message("Deleted by 444455556666");
        wire::VpcPeeringConnection::builder()
            .vpc_peering_connection_id(id)
            .requester_vpc_info(info("vpc-11111111"))
            .accepter_vpc_info(info("vpc-22222222"))
            .status(status.build())
            .build()
    }

    #[test]
    fn a_peering_keeps_all_its_blocks_and_who_deleted_it() {
        let (peering, skipped) = peering(&wire_peering("pcx-11111111"), &Words::default()).unwrap();
        assert_eq!(skipped, 0);
        let cidrs: Vec<String> = peering.requester.cidrs.iter().map(ToString::to_string).collect();
        assert_eq!(cidrs, ["10.0.0.0/16", "100.64.0.0/16", "2001:db8::/56"]);
        assert_eq!(peering.state, PeeringState::Ended(Ending::Deleted));
        assert_eq!(peering.deleted_by(), "444455556666".parse().ok());
    }

    #[test]
    fn only_a_peering_that_nobody_can_name_is_skipped() {
        assert!(matches!(
            peering(&wire_peering("pcx-of-a-new-kind"), &Words::default()),
            Err(Unfit::Skip(_))
        ));
        let mut headless = wire_peering("pcx-11111111");
        headless.accepter_vpc_info = None;
        assert!(matches!(peering(&headless, &Words::default()), Err(Unfit::Fatal(_))));
    }

    fn wire_route(destination: &str) -> wire::builders::RouteBuilder {
        wire::Route::builder().destination_cidr_block(destination)
    }

    fn wire_table(routes: Vec<wire::Route>) -> wire::RouteTable {
        let gateway = wire::RouteTableAssociation::builder().main(false).gateway_id("igw-1").build();
        wire::RouteTable::builder()
            .route_table_id("rtb-11111111")
            .vpc_id("vpc-11111111")
            .owner_id("111122223333")
            .associations(gateway)
            .set_routes(Some(routes))
            .build()
    }

    #[test]
    fn routes_of_every_kind_keep_their_place() {
        let peering = wire_route("10.1.0.0/16").vpc_peering_connection_id("pcx-11111111");
        let list = wire::Route::builder().destination_prefix_list_id("pl-11111111").gateway_id("vpce-1");
        let six =
            wire::Route::builder().destination_ipv6_cidr_block("2001:db8::/56").transit_gateway_id("tgw-1");
        let routes = vec![
            wire_route("10.0.0.0/16").gateway_id("local").build(),
            peering.state(wire::RouteState::Blackhole).build(),
            list.build(),
            six.origin(wire::RouteOrigin::EnableVgwRoutePropagation).build(),
            wire_route("10.9.0.0/16").core_network_arn("arn:aws:networkmanager::1:core-network/c").build(),
            wire_route("10.8.0.0/16").build(),
            wire::Route::builder().destination_prefix_list_id("a new kind").build(),
        ];
        let (table, skipped) = route_table(&wire_table(routes), &Words::default()).unwrap();
        assert_eq!(skipped, 1, "only the destination that can't be named is left out");
        let targets: Vec<String> = table.routes.iter().map(|route| route.target.to_string()).collect();
        let core = "arn:aws:networkmanager::1:core-network/c";
        let unknown = "a target of an unknown kind";
        assert_eq!(targets, ["local", "pcx-11111111", "vpce-1", "tgw-1", core, unknown]);
        assert!(table.routes[1].blackhole && !table.routes[0].blackhole);
        assert!(table.routes[3].propagated && !table.routes[2].propagated);
        assert!(table.edge && !table.main);
    }

    #[test]
    fn a_block_that_is_going_away_is_not_the_vpcs() {
        let block = |cidr: &str, state: &str| {
            let state = wire::VpcCidrBlockState::builder().state(state.into()).build();
            wire::VpcCidrBlockAssociation::builder().cidr_block(cidr).cidr_block_state(state).build()
        };
        let wire = wire::Vpc::builder()
            .vpc_id("vpc-11111111")
            .owner_id("111122223333")
            .cidr_block_association_set(block("10.0.0.0/16", "associated"))
            .cidr_block_association_set(block("10.1.0.0/16", "disassociated"))
            .cidr_block_association_set(block("10.2.0.0/16", "failed"))
            .build();
        let (vpc, _) = vpc(&wire, &Words::default()).unwrap();
        assert_eq!(vpc.cidrs, Few::from(["10.0.0.0/16".parse().unwrap()]));
    }
}
