//! From what is declared to route slots: which tables, which destinations.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::desired::{Destinations, RouteSpec, TableSelector};
use crate::few::Few;
use crate::ids::{Cidr, Destination, RouteTableId, Side, Slot, Target};
use crate::observed::{RouteTable, Seen, Unseen};
use crate::reason::Reason;

use super::draft::Draft;
use super::report::Exception;

/// Above this many expanded routes nothing of the object is changed.
pub(crate) const ROUTES_MAX: usize = 10_000;

/// The declared slots of one side, as far as they can be told; what can't is an exception by now.
pub(crate) struct Selection {
    pub slots: BTreeSet<Slot>,
    /// Destinations that follow the peer's CIDRs rather than being written out.
    pub following: BTreeSet<Destination>,
    /// Everything could be told, so what is not in `slots` is not declared.
    pub complete: bool,
}

pub(crate) fn side(draft: &mut Draft<'_>, side: Side) -> Selection {
    let input = draft.input;
    let mut selection = Selection { slots: BTreeSet::new(), following: BTreeSet::new(), complete: true };
    for spec in &input.desired.sides.get(side).routes {
        let Some(tables) = tables(draft, side, spec) else {
            selection.complete = false;
            continue;
        };
        let Some(destinations) = destinations(draft, side, spec, &mut selection.following) else {
            selection.complete = false;
            continue;
        };
        for table in &tables {
            for destination in &destinations {
                selection.slots.insert(Slot { side, table: *table, destination: *destination });
            }
        }
    }
    selection
}

fn except(
    draft: &mut Draft<'_>,
    side: Side,
    subject: impl Into<String>,
    reason: Reason,
    message: impl Into<String>,
) {
    draft.except(Exception { side, slot: None, subject: subject.into(), reason, message: message.into() });
}

/// The tables that an entry selects; `None` where AWS's word is missing.
fn tables(draft: &mut Draft<'_>, side: Side, spec: &RouteSpec) -> Option<BTreeSet<RouteTableId>> {
    let vpc = draft.sight().pair.sides.get(side).vpc;
    let (input, view) = (draft.input, &draft.input.observed.get(side).tables);
    let of_vpc = match view.group(vpc, input.now.mono, input.timing) {
        Ok(tables) => tables,
        Err(unseen) => {
            draft.blind(&format!("the route tables of {vpc}"), &unseen);
            return None;
        }
    };
    if let TableSelector::Ids(ids) = &spec.tables {
        let found: Vec<_> = ids.iter().filter_map(|id| by_id(draft, side, *id)).collect();
        return Some(usable(draft, side, found));
    }
    let matches = |table: &&Arc<RouteTable>| match &spec.tables {
        TableSelector::Tags(tags) => tags.iter().all(|(key, value)| table.tags.get(key) == Some(value)),
        TableSelector::All => true,
        TableSelector::Main => table.main,
        TableSelector::Ids(_) => false,
    };
    let selected: Vec<_> = of_vpc.iter().filter(matches).cloned().collect();
    if selected.is_empty() {
        let message = format!("no route table of {vpc} is selected; check the selector or the tables' tags");
        except(draft, side, format!("routes {}", spec.name), Reason::NothingSelected, message);
    }
    Some(usable(draft, side, selected))
}

fn by_id(draft: &mut Draft<'_>, side: Side, id: RouteTableId) -> Option<Arc<RouteTable>> {
    let vpc = draft.sight().pair.sides.get(side).vpc;
    match table(draft, side, id) {
        Seen::Present(table) if table.vpc == vpc => Some(table),
        Seen::Present(table) => {
            let message = format!("{id} belongs to {}, not to {vpc}; name a table of {vpc}", table.vpc);
            except(draft, side, id.to_string(), Reason::RouteTableNotFound, message);
            None
        }
        Seen::Absent(_) | Seen::Unknown(Unseen::Unproved) => {
            let message = format!("{id} does not exist in {}; check the id", draft.sight().pair.at(side));
            except(draft, side, id.to_string(), Reason::RouteTableNotFound, message);
            None
        }
        Seen::Unknown(unseen) => {
            draft.blind(&id.to_string(), &unseen);
            None
        }
    }
}

pub(crate) fn table(draft: &Draft<'_>, side: Side, id: RouteTableId) -> Seen<Arc<RouteTable>> {
    let (input, view) = (draft.input, &draft.input.observed.get(side).tables);
    let settled = input.recent.start_settled(input.now.mono, input.timing);
    view.seen(id, settled, input.now.mono, input.timing)
}

/// Without those that take no routes of ours.
fn usable(draft: &mut Draft<'_>, side: Side, tables: Vec<Arc<RouteTable>>) -> BTreeSet<RouteTableId> {
    let account = draft.sight().pair.at(side).account;
    let mut usable = BTreeSet::new();
    for table in tables {
        if table.edge {
            let message = "is associated with a gateway and takes no routes to a peering; it is skipped";
            except(draft, side, table.id.to_string(), Reason::EdgeTable, message);
        } else if table.owner != account {
            let message =
                format!("belongs to account {}; only its owner may change it; it is skipped", table.owner);
            except(draft, side, table.id.to_string(), Reason::OwnedByOtherAccount, message);
        } else {
            usable.insert(table.id);
        }
    }
    usable
}

/// What an entry routes; `None` where the peer's CIDRs are not known.
fn destinations(
    draft: &mut Draft<'_>,
    side: Side,
    spec: &RouteSpec,
    following: &mut BTreeSet<Destination>,
) -> Option<BTreeSet<Destination>> {
    match &spec.destinations {
        Destinations::PrefixLists(lists) => {
            Some(lists.iter().map(|list| Destination::PrefixList(*list)).collect())
        }
        Destinations::Cidrs(cidrs) => Some(explicit(draft, side, spec, cidrs)),
        Destinations::PeerCidrs { exclude } => {
            let all = followed_cidrs(draft, side)?;
            let is_excluded = |cidr: &Cidr| exclude.iter().any(|excluded| excluded.contains(*cidr));
            let wanted: BTreeSet<_> =
                all.into_iter().filter(|cidr| !is_excluded(cidr)).map(Destination::Cidr).collect();
            following.extend(wanted.iter().copied());
            Some(wanted)
        }
    }
}

fn peer_cidrs(draft: &Draft<'_>, side: Side) -> Few<Cidr> {
    let active = draft.current();
    let now = draft.sight().cidrs(side.peer(), active);
    now.unwrap_or_else(|| draft.memory.cidrs.get(side.peer()).clone())
}

/// Peering is not transitive: a block that has nothing to do with the peer's can't be reached through it.
fn explicit(
    draft: &mut Draft<'_>,
    side: Side,
    spec: &RouteSpec,
    cidrs: &BTreeSet<Cidr>,
) -> BTreeSet<Destination> {
    let peer = peer_cidrs(draft, side);
    let mut wanted = BTreeSet::new();
    for cidr in cidrs {
        let overlaps = peer.iter().any(|p| p.overlaps(*cidr));
        let within = peer.iter().any(|p| p.contains(*cidr));
        let subject = format!("routes {} to {cidr}", spec.name);
        if !peer.is_empty() && !overlaps {
            let blocks: Vec<String> = peer.iter().map(ToString::to_string).collect();
            let message = format!(
                "overlaps none of the peer's CIDRs ({}); peering is not transitive",
                blocks.join(", ")
            );
            except(draft, side, subject, Reason::DestinationOutsidePeer, message);
            continue;
        }
        if !peer.is_empty() && !within {
            let message = "is wider than the peer's CIDRs; it is routed as declared";
            except(draft, side, subject, Reason::DestinationWiderThanPeer, message);
        }
        wanted.insert(Destination::Cidr(*cidr));
    }
    wanted
}

/// The peer's CIDRs, followed only where both accounts are under our care.
fn followed_cidrs(draft: &mut Draft<'_>, side: Side) -> Option<Few<Cidr>> {
    let now = peer_cidrs(draft, side);
    let declared = draft.memory.cidrs_at_spec.get(side.peer()).clone();
    if now.is_empty() && declared.is_empty() {
        let vpc = draft.sight().pair.sides.get(side.peer()).vpc;
        let ended = draft.current().filter(|id| draft.memory.ending_of(*id).is_some());
        match ended.filter(|_| draft.input.grants.get(side.peer()).is_foreign()) {
            // Only an active peering tells the CIDRs of a VPC that is not ours to read.
            Some(ended) => draft.stuck(
                Reason::PeerCidrsChanged,
                format!("the CIDRs of {vpc} can't be known any more, as {ended} has ended; remove what it left behind by hand, or write the CIDRs out"),
            ),
            None => draft.working(Reason::WaitingForAws, format!("the CIDRs of {vpc} are not known yet")),
        }
        return None;
    }
    if !draft.both_accounts_are_ours() && now != declared && !declared.is_empty() {
        let message = "the peer's CIDRs changed in an account that is not under our care; change the spec to follow them";
        except(draft, side, "peerCidrs", Reason::PeerCidrsChanged, message);
        return Some(declared);
    }
    Some(now)
}

/// A CIDR of the peer that came after the last change of the spec, and would take traffic from a less specific route of
/// somebody else's. A default route to the internet is always less specific, and meant to be.
pub(crate) fn shadowed<'t>(
    draft: &Draft<'_>,
    slot: Slot,
    table: &'t RouteTable,
) -> Option<&'t crate::observed::Route> {
    let Destination::Cidr(cidr) = slot.destination else { return None };
    let at_spec = draft.memory.cidrs_at_spec.get(slot.side.peer());
    if at_spec.is_empty() || at_spec.contains(&cidr) {
        return None;
    }
    let to_internet = |target: &Target| matches!(target, Target::Other(id) if id.starts_with("igw-") || id.starts_with("nat-"));
    let ours = |target: &Target| matches!(target, Target::Peering(id) if Some(*id) == draft.current());
    table.routes.iter().find(|route| {
        let Destination::Cidr(wider) = route.destination else { return false };
        let takes_from = wider.contains(cidr) && wider != cidr;
        let harmless = route.target == Target::Local
            || ours(&route.target)
            || (wider.is_default_route() && to_internet(&route.target));
        takes_from && !harmless
    })
}
