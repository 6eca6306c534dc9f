//! Where the declared peerings need AWS, and what would be written there. Values in, values out.

use std::collections::{BTreeMap, BTreeSet};

use peerkeeper_core::ids::{AccountId, AccountRegion, Cidr, Destination, Region, Target, VpcId, VpcPair};
use peerkeeper_core::observed::{Peering, Reading, RouteTable, SideView};

use super::line::Line;
use crate::api::VpcPeering;
use crate::api::peering::{RouteTables, SelectTables};
use crate::aws::{Attempt, Canary, RouteThere};

/// One side of a declared peering, as far as it is looked at here.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    pub vpc: VpcId,
    pub peer: VpcId,
    /// Unknown where no AwsAccount of that name is declared.
    pub peer_at: Option<AccountRegion>,
    pub is_requester: bool,
    pub tables: Vec<RouteTables>,
}

/// The sides that are in each account, by the AwsAccount's name, and Region.
pub type Places = BTreeMap<(String, Region), Vec<Side>>;

/// How many peerings of a place writes are tried on: each permission takes a call for each of them.
const TRIED: usize = 10;
/// AWS's default of active peerings in a VPC; an account's own quota may be higher.
const PEERINGS_PER_VPC: usize = 50;
/// AWS's default of routes in a table.
const ROUTES_PER_TABLE: u32 = 500;
/// Blocks that RFC 5737 keeps for documents: nobody routes them.
const NOWHERE: [&str; 3] = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];

pub fn places<'a>(
    peerings: impl Iterator<Item = &'a VpcPeering>,
    accounts: &BTreeMap<String, AccountId>,
) -> Places {
    let mut places = Places::new();
    for peering in peerings {
        let (one, other) = (&peering.spec.requester, &peering.spec.accepter);
        for (here, there, is_requester) in [(one, other, true), (other, one, false)] {
            let (Some(name), Ok(region), Ok(peer_region)) =
                (&here.account.name, here.region.parse::<Region>(), there.region.parse::<Region>())
            else {
                continue;
            };
            let (Ok(vpc), Ok(peer)) = (here.vpc_id.parse(), there.vpc_id.parse()) else { continue };
            let named = there.account.name.as_ref().and_then(|name| accounts.get(name).copied());
            let account = named.or_else(|| there.account.id.as_ref()?.parse().ok());
            let peer_at = account.map(|account| AccountRegion { account, region: peer_region });
            let tables = here.routes.iter().map(|route| route.route_tables.clone()).collect();
            let side = Side { vpc, peer, peer_at, is_requester, tables };
            places.entry((name.clone(), region)).or_default().push(side);
        }
    }
    places
}

fn is_selected(by: &RouteTables, table: &RouteTable) -> bool {
    let RouteTables { ids, match_tags, select } = by;
    let is = |key: &String, value: &String| table.tags.get(key).is_some_and(|found| **found == **value);
    ids.as_ref().is_some_and(|ids| ids.contains(&table.id.to_string()))
        || match_tags.as_ref().is_some_and(|tags| tags.iter().all(|(key, value)| is(key, value)))
        || match select {
            Some(SelectTables::All) => true,
            Some(SelectTables::Main) => table.main,
            None => false,
        }
}

/// What writes are tried on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsed {
    pub canaries: Vec<Canary>,
    pub attempts: BTreeSet<Attempt>,
    /// Sides that were left out: there are too many.
    pub left_out: usize,
}

/// What the operator would write for these sides, on what is there.
pub fn rehearsed(sides: &[Side], view: &SideView) -> Rehearsed {
    let mut found = Rehearsed { left_out: sides.len().saturating_sub(TRIED), ..Rehearsed::default() };
    let (Some(peerings), Some(tables)) = (&view.peerings.sweep, &view.tables.sweep) else { return found };
    let (mut same, mut none) = (Vec::new(), Vec::new());
    for side in sides.iter().take(TRIED) {
        let pair = VpcPair::new(side.vpc, side.peer);
        let live = peerings.group(pair).find(|peering| peering.state.is_live());
        if let (true, Some(peer_at)) = (side.is_requester, side.peer_at) {
            found.attempts.insert(Attempt::Create { vpc: side.vpc, peer: side.peer, peer_at });
        }
        if let Some(peering) = live {
            found.attempts.extend(of_peering(side, peering));
        }
        for table in tables.group(side.vpc).filter(|table| !table.edge) {
            if !side.tables.iter().any(|by| is_selected(by, table)) {
                continue;
            }
            let (there, absent) = of_routes(table, live.map(|peering| &**peering), &mut found.attempts);
            same.extend(there.map(Canary::SameRoute));
            none.extend(absent.map(|to| Canary::NoRoute { table: table.id, to }));
        }
    }
    // One of each: the first is certain whatever an endpoint looks at first.
    found.canaries = same.into_iter().take(1).chain(none.into_iter().take(1)).collect();
    found
}

fn of_peering(side: &Side, peering: &Peering) -> Vec<Attempt> {
    let id = peering.id;
    // Whose request it is decides, whatever is declared: it may have been adopted.
    let is_requester = peering.requester.vpc == side.vpc;
    let mut attempts = vec![
        Attempt::Delete(id),
        Attempt::Options { id, is_requester },
        Attempt::Tag(id),
        Attempt::Untag(id),
    ];
    attempts.extend((!is_requester).then_some(Attempt::Accept(id)));
    attempts
}

/// Attempts on one table. Answers with a route that leads over the peering, and a block that has no route.
fn of_routes(
    table: &RouteTable,
    live: Option<&Peering>,
    attempts: &mut BTreeSet<Attempt>,
) -> (Option<RouteThere>, Option<Cidr>) {
    let over = live.map(|peering| peering.id);
    let there = table.routes.iter().find_map(|route| match (route.destination, &route.target) {
        (Destination::Cidr(to), Target::Peering(id)) if Some(*id) == over && !route.propagated => {
            Some(RouteThere { table: table.id, to, over: *id })
        }
        _ => None,
    });
    let blocks = NOWHERE.iter().filter_map(|block| block.parse::<Cidr>().ok());
    let absent = blocks.into_iter().find(|to| table.route(Destination::Cidr(*to)).is_none());
    if let (Some(over), Some(to)) = (over, absent) {
        attempts.insert(Attempt::AddRoute { table: table.id, to, over });
    }
    if let Some(route) = there {
        attempts.insert(Attempt::Repoint(route));
        attempts.insert(Attempt::DropRoute { table: table.id, to: route.to });
    }
    (there, absent)
}

/// How near the VPCs and tables of these sides are to what AWS allows.
pub fn quotas(what: &str, sides: &[Side], view: &SideView) -> Vec<Line> {
    let vpcs: BTreeSet<VpcId> = sides.iter().map(|side| side.vpc).collect();
    let mut lines = Vec::new();
    if let Some(peerings) = &view.peerings.sweep {
        lines.push(peerings_of(what, &vpcs, peerings));
    }
    if let Some(tables) = &view.tables.sweep {
        lines.push(routes_of(what, &vpcs, tables, view.routes_per_table));
    }
    lines
}

fn peerings_of(what: &str, vpcs: &BTreeSet<VpcId>, peerings: &Reading<Peering>) -> Line {
    let what = format!("{what} peerings per VPC");
    let counted = vpcs.iter().map(|vpc| {
        let live =
            peerings.iter().filter(|peering| peering.state.is_live() && peering.end_of(*vpc).is_some());
        (live.count(), *vpc)
    });
    let Some((count, vpc)) = counted.max() else { return Line::not_checked(what, "no VPC is declared here") };
    let detail = format!("{vpc} has {count} of {PEERINGS_PER_VPC}, AWS's default");
    match is_near(count, PEERINGS_PER_VPC) {
        false => Line::ok(what, detail),
        true => Line::warn(
            what,
            detail,
            "unless it is raised already, ask AWS for a higher quota L-7E9ECCDB (at most 125), or use a transit gateway",
        ),
    }
}

fn routes_of(what: &str, vpcs: &BTreeSet<VpcId>, tables: &Reading<RouteTable>, quota: Option<u32>) -> Line {
    let what = format!("{what} routes per table");
    let mine = tables.iter().filter(|table| vpcs.contains(&table.vpc));
    let Some((count, table)) = mine.map(|table| (fullest(table), table.id)).max() else {
        return Line::not_checked(what, "no route table of a declared VPC is there");
    };
    let (most, whose) = match quota {
        Some(quota) => (quota, "the account's quota"),
        None => (ROUTES_PER_TABLE, "AWS's default, since the account's quota could not be read"),
    };
    let detail = format!("{table} has {count} of {most}, {whose}");
    match is_near(count, most as usize) {
        false => Line::ok(what, detail),
        true => Line::warn(
            what,
            detail,
            "ask AWS for a higher quota L-93826ACB (at most 1000), or declare summaries",
        ),
    }
}

/// AWS counts IPv4 and IPv6 apart, and propagated ones not at all here.
fn fullest(table: &RouteTable) -> usize {
    let own = || table.routes.iter().filter(|route| !route.propagated);
    let v6 = own().filter(|route| matches!(route.destination, Destination::Cidr(to) if to.is_ipv6())).count();
    v6.max(own().count() - v6)
}

/// Four fifths: there is still time to ask for more.
fn is_near(count: usize, most: usize) -> bool {
    count * 5 >= most * 4
}
