//! From what was read to what is shown. What follows from it is the engine's to say: here it is only counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::desired::{AccountRef, Desired};
use peerkeeper_core::ids::{
    AccountId, Cidr, Destination, PeeringId, Region, Side, Sides, Target, VpcId, VpcPair,
};
use peerkeeper_core::observed::{Ending, Peering, PeeringState, Reading, SideView};
use peerkeeper_core::plan::{Exception, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use super::model::{Edge, Group, Model, Presence, Routes, Status, Vpc};
use crate::cli::offline::ObjectPlan;

/// An account by the name of its AwsAccount, and a Region.
pub type Place = (Arc<str>, Region);

/// Everything that a graph is made of.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// What is declared, with what the engine says of it.
    pub declared: Vec<(Desired, Option<ObjectPlan>)>,
    /// The AwsAccounts.
    pub accounts: BTreeMap<Arc<str>, AccountId>,
    /// What was read of each place.
    pub views: BTreeMap<Place, SideView>,
    /// The pairs that something declares, whether it is shown or not.
    pub claimed: BTreeSet<VpcPair>,
}

/// Where a VPC is: account, Region, id. In this order they are shown.
type NodeKey = (String, String, String);

impl Survey {
    pub fn model(&self) -> Model {
        let mut vpcs: BTreeMap<NodeKey, Vpc> = BTreeMap::new();
        for (desired, _) in &self.declared {
            for side in Side::BOTH {
                vpcs.entry(self.key(desired, side)).or_insert_with(|| self.vpc(desired, side));
            }
        }
        let places: BTreeMap<NodeKey, usize> =
            vpcs.keys().enumerate().map(|(at, key)| (key.clone(), at)).collect();
        let mut groups: Vec<Group> = Vec::new();
        for ((account, region, _), vpc) in &mut vpcs {
            if groups.last().is_none_or(|group| (&group.account, &group.region) != (account, region)) {
                let names = self.names_of(account);
                groups.push(Group { account: account.clone(), names, region: region.clone() });
            }
            vpc.group = groups.len() - 1;
        }
        let mut edges: Vec<Edge> =
            self.declared.iter().map(|(desired, plan)| self.edge(desired, plan.as_ref(), &places)).collect();
        edges.extend(self.undeclared(&places));
        edges.sort_by(|one, other| order(one).cmp(&order(other)));
        Model { groups, vpcs: vpcs.into_values().collect(), edges }
    }

    fn account(&self, account: &AccountRef) -> String {
        match account {
            AccountRef::Foreign(id) => id.to_string(),
            AccountRef::Managed(name) => {
                self.accounts.get(name).map_or_else(|| format!("AwsAccount {name}"), ToString::to_string)
            }
        }
    }

    fn names_of(&self, account: &str) -> Vec<String> {
        let of = self.accounts.iter().filter(|(_, id)| id.to_string() == account);
        of.map(|(name, _)| name.to_string()).collect()
    }

    fn key(&self, desired: &Desired, side: Side) -> NodeKey {
        let spec = desired.sides.get(side);
        (self.account(&spec.account), spec.region.to_string(), spec.vpc.to_string())
    }

    fn view(&self, desired: &Desired, side: Side) -> Option<&SideView> {
        let spec = desired.sides.get(side);
        match &spec.account {
            AccountRef::Managed(name) => self.views.get(&(name.clone(), spec.region)),
            AccountRef::Foreign(_) => None,
        }
    }

    fn vpc(&self, desired: &Desired, side: Side) -> Vpc {
        let id = desired.sides.get(side).vpc;
        let vpcs = self.view(desired, side).and_then(|view| view.vpcs.sweep.as_ref());
        let found = vpcs.and_then(|sweep| sweep.get(id));
        let presence = match (vpcs, found) {
            (_, Some(_)) => Presence::Seen,
            (Some(_), None) => Presence::Missing,
            (None, None) => Presence::Unread,
        };
        let cidrs = self.cidrs(desired, side);
        Vpc {
            group: 0,
            id: id.to_string(),
            name: found.and_then(|vpc| vpc.tags.get("Name")).map(ToString::to_string),
            cidrs: cidrs.iter().map(ToString::to_string).collect(),
            presence,
        }
    }

    /// Of the VPC itself, or as the other side sees them while the peering is active.
    fn cidrs(&self, desired: &Desired, side: Side) -> Vec<Cidr> {
        let id = desired.sides.get(side).vpc;
        let sweep = self.view(desired, side).and_then(|view| view.vpcs.sweep.as_ref());
        if let Some(vpc) = sweep.and_then(|sweep| sweep.get(id)) {
            return vpc.cidrs.iter().copied().collect();
        }
        let sight = Sight::new(self, desired);
        let end = sight.best(None).and_then(|peering| peering.end_of(id).cloned());
        end.map(|end| end.cidrs.iter().copied().collect()).unwrap_or_default()
    }

    fn edge(&self, desired: &Desired, plan: Option<&ObjectPlan>, places: &BTreeMap<NodeKey, usize>) -> Edge {
        let sight = Sight::new(self, desired);
        let best = sight.best(plan.and_then(|plan| plan.now.peering).or(desired.established));
        let met = Sides::from_fn(|side| {
            let peer_cidrs = self.cidrs(desired, side.peer());
            sight.routes(self.view(desired, side), desired.sides.get(side).vpc, &peer_cidrs, best)
        });
        let routes = Sides::from_fn(|side| {
            let Met { alive, dead, .. } = met.get(side);
            let missing = plan.map_or(0, |plan| missing(plan, side, met.get(side)));
            Routes { alive: *alive, dead: *dead, missing }
        });
        let forgotten = Side::BOTH.iter().flat_map(|side| &met.get(*side).forgotten).next().copied();
        let (status, state) = sight.status(best, &routes, desired.established.or(forgotten));
        let ready = plan.and_then(|plan| plan.now.condition(ConditionType::Ready));
        let shown = match (best, forgotten.or(desired.established)) {
            (Some(best), _) => Some(best.id),
            (None, other) => other,
        };
        Edge {
            ends: Sides::from_fn(|side| places.get(&self.key(desired, side)).copied().unwrap_or_default()),
            object: Some(desired.key.to_string()),
            peering: shown.map(|id| id.to_string()),
            status,
            state,
            routes,
            reason: ready
                .filter(|ready| ready.truth != Truth::True)
                .map(|ready| ready.reason.as_str().to_owned()),
        }
    }

    /// Live peerings between VPCs that are shown, of pairs that nobody declares.
    fn undeclared(&self, places: &BTreeMap<NodeKey, usize>) -> Vec<Edge> {
        let shown = self.declared.iter().map(|(desired, _)| desired.pair());
        let declared: BTreeSet<VpcPair> = shown.chain(self.claimed.iter().copied()).collect();
        let mut found: BTreeMap<PeeringId, &Peering> = BTreeMap::new();
        let sweeps = self.views.values().filter_map(|view| view.peerings.sweep.as_ref());
        for peering in sweeps.flat_map(|sweep| sweep.iter()) {
            let pair = VpcPair::new(peering.requester.vpc, peering.accepter.vpc);
            if peering.state.is_live() && !declared.contains(&pair) {
                found.insert(peering.id, peering);
            }
        }
        let place = |peering: &Peering, side: Side| {
            let end = peering.end(side);
            let key = (end.at.account.to_string(), end.at.region.to_string(), end.vpc.to_string());
            places.get(&key).copied()
        };
        let edge = |peering: &Peering| {
            let ends = Sides::new(place(peering, Side::Requester)?, place(peering, Side::Accepter)?);
            let routes = Sides::from_fn(|side| {
                let end = peering.end(side);
                let tables =
                    self.view_of(end.at.account, end.at.region).and_then(|v| v.tables.sweep.as_ref());
                let to_it = tables.map_or(0, |tables| leading(tables, end.vpc, peering.id));
                let alive = if peering.state == PeeringState::Active { to_it } else { 0 };
                Routes { alive, ..Routes::default() }
            });
            Some(Edge {
                ends,
                object: None,
                peering: Some(peering.id.to_string()),
                status: Status::Undeclared,
                state: peering.state.as_str().to_owned(),
                routes,
                reason: None,
            })
        };
        found.into_values().filter_map(edge).collect()
    }

    fn view_of(&self, account: AccountId, region: Region) -> Option<&SideView> {
        let mut names = self.accounts.iter().filter(|(_, id)| **id == account).map(|(name, _)| name);
        names.find_map(|name| self.views.get(&(name.clone(), region)))
    }
}

fn leading(tables: &Reading<peerkeeper_core::observed::RouteTable>, vpc: VpcId, id: PeeringId) -> u32 {
    let routes = tables.group(vpc).flat_map(|table| &table.routes);
    count(routes.filter(|route| !route.propagated && route.target == Target::Peering(id)).count())
}

/// What is wrong comes first, and the order of the manifests' files does not matter.
fn order(edge: &Edge) -> (Status, &Option<String>, &Option<String>, Sides<usize>) {
    (edge.status, &edge.object, &edge.peering, edge.ends)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What both sides show of one pair of VPCs.
struct Sight<'a> {
    /// One reading for each side that could be read.
    readings: Vec<&'a Arc<Reading<Peering>>>,
    pair: VpcPair,
}

/// Routes of one side, as its tables hold them.
#[derive(Clone, Debug, Default)]
struct Met {
    alive: u32,
    dead: u32,
    /// They lead to a live peering that is not active yet.
    waiting: u32,
    /// Ids that routes lead to and that AWS shows no more.
    forgotten: BTreeSet<PeeringId>,
}

impl<'a> Sight<'a> {
    fn new(survey: &'a Survey, desired: &Desired) -> Self {
        let views = Side::BOTH.into_iter().filter_map(|side| survey.view(desired, side));
        Self {
            readings: views.filter_map(|view| view.peerings.sweep.as_ref()).collect(),
            pair: desired.pair(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Peering> + '_ {
        self.readings.iter().flat_map(|reading| reading.group(self.pair)).map(AsRef::as_ref)
    }

    /// The one that the engine speaks of; else the active one, another live one, one that is about to end, one that ended.
    fn best(&self, told: Option<PeeringId>) -> Option<&'a Peering> {
        self.all().min_by_key(|peering| {
            let rank = match &peering.state {
                // An ending seen on one side is for ever, whatever an older echo on the other says.
                _ if self.has_ended(peering.id) => 4,
                PeeringState::Active => 0,
                state if state.is_live() => 1,
                PeeringState::Deleting => 2,
                _ => 3,
            };
            let was_deleted = peering.state == PeeringState::Ended(Ending::Deleted);
            (rank, Some(peering.id) != told, !was_deleted, peering.id)
        })
    }

    fn ending(&self, id: PeeringId) -> Option<Ending> {
        self.all().filter(|peering| peering.id == id).find_map(|peering| match peering.state {
            PeeringState::Ended(ending) => Some(ending),
            _ => None,
        })
    }

    fn has_ended(&self, id: PeeringId) -> bool {
        self.ending(id).is_some()
    }

    fn status(
        &self,
        best: Option<&Peering>,
        routes: &Sides<Routes>,
        once: Option<PeeringId>,
    ) -> (Status, String) {
        let sum = |of: fn(&Routes) -> u32| of(&routes.requester) + of(&routes.accepter);
        let (dead, missing) = (sum(|routes| routes.dead), sum(|routes| routes.missing));
        let Some(best) = best else {
            return match (self.readings.is_empty(), dead > 0 || once.is_some()) {
                (true, _) => (Status::Unknown, "AWS could not be read".to_owned()),
                (false, true) => (Status::Lost, "AWS shows it no more".to_owned()),
                (false, false) => (Status::Absent, "absent".to_owned()),
            };
        };
        if let Some(ending) = self.ending(best.id) {
            // A request that was refused was never a peering, unless routes were made for it.
            let was_there = ending == Ending::Deleted || dead > 0 || once == Some(best.id);
            return (if was_there { Status::Lost } else { Status::Absent }, ending.as_str().to_owned());
        }
        let status = match &best.state {
            PeeringState::Active if dead > 0 || missing > 0 => Status::Hurt,
            PeeringState::Active => Status::Live,
            state if state.is_live() => Status::Pending,
            PeeringState::Deleting => Status::Lost,
            _ => Status::Unknown,
        };
        (status, best.state.as_str().to_owned())
    }

    /// A route is dead when its target has ended. AWS's own word, `blackhole`, is asked only about a target that AWS shows
    /// no more: one look proves nothing, and a picture is for people.
    fn routes(
        &self,
        view: Option<&SideView>,
        vpc: VpcId,
        peer_cidrs: &[Cidr],
        best: Option<&Peering>,
    ) -> Met {
        let mut met = Met::default();
        let Some(tables) = view.and_then(|view| view.tables.sweep.as_ref()) else { return met };
        let shown_here = view.and_then(|view| view.peerings.sweep.as_ref());
        for route in tables.group(vpc).flat_map(|table| &table.routes).filter(|route| !route.propagated) {
            let Target::Peering(id) = route.target else { continue };
            let towards_peer = match route.destination {
                Destination::Cidr(cidr) => peer_cidrs.iter().any(|peer| peer.overlaps(cidr)),
                Destination::PrefixList(_) => false,
            };
            match best {
                _ if self.has_ended(id) => met.dead += 1,
                Some(best) if best.id == id && best.state == PeeringState::Active => met.alive += 1,
                Some(best) if best.id == id => met.waiting += 1,
                _ if shown_here.is_some_and(|shown| shown.get(id).is_none())
                    && route.blackhole
                    && towards_peer =>
                {
                    met.dead += 1;
                    met.forgotten.insert(id);
                }
                _ => {}
            }
        }
        met
    }
}

/// Declared slots in which there is no route at all: those that would be given one, and those that would be left empty.
fn missing(plan: &ObjectPlan, side: Side, met: &Met) -> u32 {
    let (now, then) = (plan.now.routes.get(side), plan.then.routes.get(side));
    let writes = || plan.steps.iter().map(|step| &step.call.write);
    let added =
        writes().filter(|write| matches!(write, Write::AddRoute { slot, .. } if slot.side == side)).count();
    let is_repointed =
        writes().any(|write| matches!(write, Write::Repoint { slot, .. } if slot.side == side));
    // What was first said of it may rest on less than what was said last: a start counts all of it as just written.
    let left = now.declared.max(then.declared).saturating_sub(then.in_sync);
    // Of these, some hold a route of somebody's, or one to a peering of which nothing is known.
    let is_taken = |e: &&Exception| e.side == side && e.slot.is_some() && e.reason == Reason::Occupied;
    let taken = count(plan.then.exceptions.iter().filter(is_taken).count());
    // Where nothing would be done, what is there stays where it is, though it may not be ours to count.
    let held = match added == 0 && !is_repointed {
        true => taken.max(met.dead) + met.waiting + met.alive.saturating_sub(then.in_sync),
        false => taken,
    };
    count(added) + left.saturating_sub(held)
}

#[cfg(test)]
mod tests {
    use peerkeeper_core::ids::{AccountRegion, PrefixListId, RouteTableId};
    use peerkeeper_core::observed::{PeeringEnd, Route, RouteTable, Scope, Tags};
    use peerkeeper_core::time::Mono;
    use serde_json::json;

    use super::*;

    const ONE: &str = "111122223333";
    const OTHER: &str = "444455556666";

    fn vpc(number: u8) -> VpcId {
        format!("vpc-{number:017x}").parse().expect("an id")
    }

    fn pcx(number: u8) -> PeeringId {
        format!("pcx-{number:017x}").parse().expect("an id")
    }

    fn region() -> Region {
        "eu-west-1".parse().expect("a Region")
    }

    /// From VPC 1 of one account to another of the other.
    fn declared(name: &str, to: u8) -> Desired {
        let side = |account: &str, number: u8| json!({"account": {"name": account}, "region": "eu-west-1", "vpcId": vpc(number).to_string()});
        let object = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
            "metadata": {"name": name, "namespace": "network", "uid": name, "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"requester": side("one", 1), "accepter": side("other", to), "adoption": "IfUnowned"},
        });
        let object = serde_json::from_value(object).expect("a VpcPeering");
        crate::declare::desired(&object, false, "owner").expect("it is declared")
    }

    fn peering(id: u8, to: u8, state: PeeringState) -> Arc<Peering> {
        let end = |account: &str, number: u8| PeeringEnd {
            at: AccountRegion { account: account.parse().expect("an account"), region: region() },
            vpc: vpc(number),
            cidrs: [format!("10.{number}.0.0/16").parse().expect("a block")].into(),
            allow_dns: None,
        };
        let (requester, accepter) = (end(ONE, 1), end(OTHER, to));
        Arc::new(Peering { id: pcx(id), requester, accepter, state, message: "".into(), tags: Tags::new() })
    }

    fn route(destination: Destination, id: u8, blackhole: bool) -> Route {
        Route { destination, target: Target::Peering(pcx(id)), blackhole, propagated: false }
    }

    fn to(cidr: &str) -> Destination {
        Destination::Cidr(cidr.parse().expect("a block"))
    }

    /// Both accounts, read: these peerings, and these routes in VPC 1.
    fn survey(declared: Vec<Desired>, peerings: &[Arc<Peering>], routes: Vec<Route>) -> Survey {
        let view = |account: &str, vpcs: &[u8], routes: Vec<Route>| {
            let owner: AccountId = account.parse().expect("an account");
            let vpcs = vpcs.iter().map(|number| {
                let cidrs = [format!("10.{number}.0.0/16").parse().expect("a block")].into();
                Arc::new(peerkeeper_core::observed::Vpc { id: vpc(*number), owner, cidrs, tags: Tags::new() })
            });
            let id: RouteTableId = "rtb-00000001".parse().expect("an id");
            let table =
                RouteTable { id, vpc: vpc(1), owner, main: true, edge: false, tags: Tags::new(), routes };
            let mut view = SideView::default();
            view.peerings.sweep = Some(Arc::new(Reading::new(Mono(1), Scope::All, peerings.iter().cloned())));
            view.vpcs.sweep = Some(Arc::new(Reading::new(Mono(1), Scope::All, vpcs)));
            view.tables.sweep = Some(Arc::new(Reading::new(Mono(1), Scope::All, [Arc::new(table)])));
            view
        };
        let place = |name: &str| (Arc::from(name), region());
        Survey {
            declared: declared.into_iter().map(|desired| (desired, None)).collect(),
            accounts: [("one", ONE), ("other", OTHER)]
                .map(|(name, id)| (Arc::from(name), id.parse().expect("an account")))
                .into(),
            views: [(place("one"), view(ONE, &[1], routes)), (place("other"), view(OTHER, &[2, 3], vec![]))]
                .into(),
            claimed: BTreeSet::new(),
        }
    }

    /// A route to an id that AWS does not show may lead to a peering that is hidden for a moment, or to somebody else's.
    #[test]
    fn a_route_to_what_is_not_shown_is_dead_only_where_aws_says_so_and_it_leads_to_the_peer() {
        let list: PrefixListId = "pl-00000001".parse().expect("an id");
        for (route, is_dead) in [
            (route(to("10.2.0.0/16"), 9, true), true),
            (route(to("10.0.0.0/8"), 9, true), true),
            (route(to("10.2.0.0/16"), 9, false), false),
            (route(to("10.3.0.0/16"), 9, true), false),
            (route(Destination::PrefixList(list), 9, true), false),
            (Route { propagated: true, ..route(to("10.2.0.0/16"), 9, true) }, false),
        ] {
            let model = survey(vec![declared("a", 2)], &[], vec![route.clone()]).model();
            let edge = &model.edges[0];
            let status = if is_dead { Status::Lost } else { Status::Absent };
            assert_eq!((edge.status, edge.total().dead), (status, u32::from(is_dead)), "{route:?}");
            assert_eq!(edge.peering.is_some(), is_dead, "{route:?}");
        }
    }

    #[test]
    fn a_live_peering_with_a_route_to_its_predecessor_is_hurt() {
        let ended = PeeringState::Ended(Ending::Deleted);
        let peerings = [peering(1, 2, ended), peering(2, 2, PeeringState::Active)];
        let routes = vec![route(to("10.2.0.0/16"), 2, false), route(to("10.2.1.0/24"), 1, true)];
        let edge = survey(vec![declared("a", 2)], &peerings, routes).model().edges.remove(0);
        assert_eq!((edge.status, edge.peering), (Status::Hurt, Some(pcx(2).to_string())));
        assert_eq!(edge.routes.requester, Routes { alive: 1, dead: 1, missing: 0 });
    }

    #[test]
    fn a_request_that_was_refused_is_no_loss_unless_it_was_established() {
        let rejected = [peering(1, 2, PeeringState::Ended(Ending::Rejected))];
        let refused = survey(vec![declared("a", 2)], &rejected, vec![]).model();
        assert_eq!((refused.edges[0].status, refused.edges[0].state.as_str()), (Status::Absent, "rejected"));
        let once = Desired { established: Some(pcx(1)), ..declared("a", 2) };
        assert_eq!(survey(vec![once], &rejected, vec![]).model().edges[0].status, Status::Lost);
        let gone = Desired { established: Some(pcx(7)), ..declared("a", 2) };
        let gone = survey(vec![gone], &[], vec![]).model();
        assert_eq!(
            (gone.edges[0].status, gone.edges[0].peering.clone()),
            (Status::Lost, Some(pcx(7).to_string()))
        );
    }

    #[test]
    fn what_nobody_declares_is_drawn_between_vpcs_that_are_shown_and_once() {
        let live = |id, to| peering(id, to, PeeringState::Active);
        let ended = peering(4, 2, PeeringState::Ended(Ending::Deleted));
        // VPC 3 is not shown until something declares a peering with it.
        let model = survey(vec![declared("a", 2)], &[live(1, 2), live(2, 3), ended.clone()], vec![]).model();
        assert_eq!(model.edges.len(), 1, "{:?}", model.edges);
        let mut both = survey(vec![declared("a", 2), declared("b", 3)], &[live(1, 2), live(2, 3)], vec![]);
        assert_eq!(both.model().with(Status::Undeclared), 0);
        let (kept, _) = both.declared.remove(0);
        both.declared.push((declared("c", 3), None));
        assert_eq!((both.model().vpcs.len(), both.model().edges.len()), (2, 2), "VPC 2 is not shown now");
        // Shown by one that waits, and declared by another that is not shown.
        both.claimed.insert(kept.pair());
        assert!(both.model().edges.iter().all(|edge| edge.status == Status::Live));
    }

    #[test]
    fn the_order_in_which_things_are_declared_does_not_matter() {
        let peerings = [peering(1, 2, PeeringState::Active), peering(2, 3, PeeringState::PendingAcceptance)];
        let there = survey(vec![declared("a", 2), declared("b", 3)], &peerings, vec![]).model();
        let back = survey(vec![declared("b", 3), declared("a", 2)], &peerings, vec![]).model();
        assert_eq!(there, back);
        assert_eq!(there.edges.iter().map(|e| e.status).collect::<Vec<_>>(), [Status::Pending, Status::Live]);
    }
}
