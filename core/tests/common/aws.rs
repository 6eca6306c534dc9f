//! Between the simulated EC2 and the engine's nouns: what the operator's AWS room does, without HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use ec2sim::{
    Action, Caller, Chance, CreatePeering, Describe, Failure, Request, Response, RouteRequest, World,
};
use peerkeeper_core::aws_code::{Refusal, RefusalKind};
use peerkeeper_core::ids::{
    AccountRegion, Cidr, Destination, PrefixListId, RouteTableId, Side, Target, VpcId, VpcPair,
};
use peerkeeper_core::observed::{
    Needs, Peering, PeeringEnd, PeeringState, PrefixList, Reading, Resource, Route, RouteTable, Scope,
    SideView, StaleRule, Tags, Unseen, View, Vpc,
};
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::{Outcome, TagSet, Write, WriteCall};

pub const OPERATOR: &str = "peerkeeper";

/// What one call takes.
const CALL_MS: u64 = 20;

pub fn caller(at: AccountRegion) -> Caller {
    Caller::new(at.account.to_string().as_str(), at.region.as_str()).named(OPERATOR)
}

/// Takes in a sweep of one kind.
fn rotate<T: Resource>(view: &mut View<T>, read: Result<Arc<Reading<T>>, Unseen>) {
    match read {
        Ok(reading) => {
            view.before = view.sweep.replace(reading);
            view.unseen = Unseen::NotRead;
        }
        Err(unseen) => view.unseen = unseen,
    }
}

fn read<T: Resource>(view: &mut View<T>, read: Result<Arc<Reading<T>>, Unseen>) {
    match read {
        Ok(reading) => view.narrow = Some(reading),
        Err(unseen) => view.unseen = unseen,
    }
}

/// The operator's line to EC2.
pub struct Line<'a> {
    pub world: &'a mut World,
    pub chance: &'a mut dyn Chance,
    /// Everything is listed the other way round: AWS promises no order.
    pub reversed: bool,
}

impl Line<'_> {
    fn call(&mut self, at: AccountRegion, request: Request) -> Result<Response, Failure> {
        let answer = self.world.call(&caller(at), request, self.chance);
        self.world.advance(self.world.now_ms() + CALL_MS);
        answer
    }

    /// Every page, or nothing.
    fn pages<V>(
        &mut self,
        at: AccountRegion,
        query: Describe,
        most: u32,
        ask: fn(Describe) -> Request,
        take: fn(Response) -> Option<ec2sim::Page<V>>,
    ) -> Result<Vec<V>, Unseen> {
        let mut items = Vec::new();
        let mut token = None;
        loop {
            let mut query = query.clone();
            // AWS takes either ids or pages.
            if query.ids.is_empty() {
                query = query.page(most, token.take());
            }
            let request = ask(query);
            let action = request.action();
            let answer = self.call(at, request).map_err(|failure| unseen(action, failure))?;
            let page = take(answer).expect("the answer to another call");
            items.extend(page.items);
            match page.next_token {
                None if self.reversed => return Ok(items.into_iter().rev().collect()),
                None => return Ok(items),
                next => token = next,
            }
        }
    }

    pub fn peerings(
        &mut self,
        at: AccountRegion,
        pairs: Option<VpcPair>,
    ) -> Result<Arc<Reading<Peering>>, Unseen> {
        let began = Mono(self.world.now_ms());
        let (query, scope) = match pairs {
            None => (Describe::all(), Scope::All),
            Some(pair) => {
                let vpcs: Vec<String> = pair.vpcs().iter().map(ToString::to_string).collect();
                let query = Describe::all()
                    .filter("requester-vpc-info.vpc-id", vpcs.clone())
                    .filter("accepter-vpc-info.vpc-id", vpcs);
                (query, Scope::Groups([pair].into()))
            }
        };
        let views =
            self.pages(at, query, 1000, Request::DescribeVpcPeeringConnections, Response::peerings)?;
        Ok(Arc::new(Reading::new(began, scope, views.iter().map(|view| Arc::new(peering(view))))))
    }

    pub fn vpcs(&mut self, at: AccountRegion, only: Option<VpcId>) -> Result<Arc<Reading<Vpc>>, Unseen> {
        let began = Mono(self.world.now_ms());
        let (query, scope) = match only {
            None => (Describe::all(), Scope::All),
            Some(id) => (Describe::all().filter("vpc-id", [id.to_string()]), Scope::Groups([id].into())),
        };
        let views = self.pages(at, query, 1000, Request::DescribeVpcs, Response::vpcs)?;
        Ok(Arc::new(Reading::new(began, scope, views.iter().map(|view| Arc::new(vpc(view))))))
    }

    pub fn tables(
        &mut self,
        at: AccountRegion,
        only: Option<&BTreeSet<RouteTableId>>,
    ) -> Result<Arc<Reading<RouteTable>>, Unseen> {
        let began = Mono(self.world.now_ms());
        let (query, scope) = match only {
            None => (Describe::all(), Scope::All),
            Some(ids) => {
                let texts = ids.iter().map(ToString::to_string);
                (Describe::all().filter("route-table-id", texts), Scope::Ids(ids.clone()))
            }
        };
        let mut views = self.pages(at, query, 100, Request::DescribeRouteTables, Response::route_tables)?;
        if self.reversed {
            views.iter_mut().for_each(|view| view.routes.reverse());
        }
        Ok(Arc::new(Reading::new(began, scope, views.iter().map(|view| Arc::new(table(view))))))
    }

    pub fn prefix_lists(
        &mut self,
        at: AccountRegion,
        only: &BTreeSet<PrefixListId>,
    ) -> Result<Arc<Reading<PrefixList>>, Unseen> {
        let began = Mono(self.world.now_ms());
        let texts = only.iter().map(ToString::to_string);
        let query = Describe::all().filter("prefix-list-id", texts);
        let ask = Request::DescribeManagedPrefixLists;
        let views = self.pages(at, query, 100, ask, Response::prefix_lists)?;
        let lists = views
            .iter()
            .map(|view| Arc::new(PrefixList { id: text(&view.id), max_entries: view.max_entries }));
        Ok(Arc::new(Reading::new(began, Scope::Ids(only.clone()), lists)))
    }

    /// One sweep of a place.
    pub fn sweep(&mut self, at: AccountRegion, view: &mut SideView) {
        rotate(&mut view.peerings, self.peerings(at, None));
        rotate(&mut view.tables, self.tables(at, None));
        rotate(&mut view.vpcs, self.vpcs(at, None));
    }

    /// What one side needs now, read beside the sweeps.
    pub fn narrow(
        &mut self,
        at: AccountRegion,
        side: Side,
        (pair, vpc): (VpcPair, VpcId),
        needs: &Needs,
        view: &mut SideView,
    ) {
        if needs.peerings.contains(&side) {
            read(&mut view.peerings, self.peerings(at, Some(pair)));
        }
        if needs.vpcs.contains(&side) {
            read(&mut view.vpcs, self.vpcs(at, Some(vpc)));
        }
        if let Some(ids) = needs.tables.get(&side) {
            read(&mut view.tables, self.tables(at, Some(ids)));
        }
        if let Some(ids) = needs.prefix_lists.get(&side) {
            read(&mut view.prefix_lists, self.prefix_lists(at, ids));
        }
        if needs.stale_rules.contains(&side) {
            read(&mut view.stale_rules, self.stale_rules(at, vpc));
        }
    }

    /// The wire tells the rules' ids by another call; the world's view has them.
    pub fn stale_rules(&mut self, at: AccountRegion, of: VpcId) -> Result<Arc<Reading<StaleRule>>, Unseen> {
        let began = Mono(self.world.now_ms());
        let mut groups = Vec::new();
        let mut next_token = None;
        loop {
            let vpc_id = of.to_string();
            let request = Request::DescribeStaleSecurityGroups { vpc_id, max_results: Some(255), next_token };
            let action = request.action();
            let answer = self.call(at, request).map_err(|failure| unseen(action, failure))?;
            let page = answer.stale_groups().expect("the answer to another call");
            groups.extend(page.items);
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        let rules =
            groups.iter().flat_map(|group| group.0.rules.iter().filter_map(move |rule| stale(of, rule)));
        Ok(Arc::new(Reading::new(began, Scope::Groups([of].into()), rules.map(Arc::new))))
    }

    pub fn send(&mut self, call: &WriteCall) -> Outcome {
        match self.call(call.at, request(&call.write)) {
            Ok(Response::Peering(view)) => Outcome::Done(Some(text(&view.id))),
            Ok(_) => Outcome::Done(None),
            Err(Failure::NoReply) => Outcome::Unknown("no answer".into()),
            Err(Failure::Aws(error)) => {
                let refusal = Refusal::new(error.code, error.message.as_str());
                match refusal.kind() {
                    RefusalKind::Unavailable => Outcome::Unknown(refusal.to_string().into()),
                    _ => Outcome::Refused(refusal),
                }
            }
        }
    }
}

/// An id of the world as the engine's.
pub fn text<T: std::str::FromStr>(id: &impl ToString) -> T
where
    T::Err: std::fmt::Debug,
{
    id.to_string().parse().expect("the world names things as AWS does")
}

fn unseen(action: Action, failure: Failure) -> Unseen {
    let call: Arc<str> = action.name().into();
    match failure {
        Failure::NoReply => Unseen::Failed { call, why: "no answer".into() },
        Failure::Aws(error) => match Refusal::new(error.code, error.message.as_str()).kind() {
            RefusalKind::Throttled => Unseen::Throttled,
            RefusalKind::Denied | RefusalKind::Credentials => {
                Unseen::Denied { call, code: error.code.into() }
            }
            _ => Unseen::Failed { call, why: error.to_string().into() },
        },
    }
}

fn tags(view: &ec2sim::Tags) -> Tags {
    view.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()
}

pub fn peering(view: &ec2sim::PeeringView) -> Peering {
    let end = |side: &ec2sim::PeeringSide| PeeringEnd {
        at: AccountRegion { account: text(&side.owner), region: text(&side.region) },
        vpc: text(&side.vpc),
        cidrs: side
            .ipv4_cidrs
            .iter()
            .map(|net| Cidr::new((*net).into()))
            .chain(side.ipv6_cidrs.iter().map(|net| Cidr::new((*net).into())))
            .collect(),
        allow_dns: side.allow_dns_resolution_from_remote_vpc,
    };
    Peering {
        id: text(&view.id),
        requester: end(&view.requester),
        accepter: end(&view.accepter),
        state: PeeringState::from(view.status.as_str()),
        message: view.message.as_str().into(),
        tags: tags(&view.tags),
    }
}

pub fn vpc(view: &ec2sim::VpcView) -> Vpc {
    Vpc {
        id: text(&view.id),
        owner: text(&view.owner),
        cidrs: view.cidrs.iter().map(|held| Cidr::new(held.cidr)).collect(),
        tags: tags(&view.tags),
    }
}

pub fn table(view: &ec2sim::RouteTableView) -> RouteTable {
    RouteTable {
        id: text(&view.id),
        vpc: text(&view.vpc),
        owner: text(&view.owner),
        main: view.is_main(),
        edge: view.is_edge(),
        tags: tags(&view.tags),
        routes: view.routes.iter().map(route).collect(),
    }
}

fn route(view: &ec2sim::RouteView) -> Route {
    Route {
        destination: text::<Destination>(&view.destination),
        target: match &view.target {
            ec2sim::Target::Local => Target::Local,
            ec2sim::Target::Peering(id) => Target::Peering(text(id)),
            other => Target::Other(other.as_str().into()),
        },
        blackhole: view.state == ec2sim::RouteState::Blackhole,
        propagated: view.origin == ec2sim::RouteOrigin::EnableVgwRoutePropagation,
    }
}

fn stale(vpc: peerkeeper_core::ids::VpcId, rule: &ec2sim::RuleView) -> Option<StaleRule> {
    let ec2sim::RuleEnd::Group(peer) = &rule.end else { return None };
    Some(StaleRule {
        id: text(&rule.id),
        group: text(&rule.group),
        vpc,
        is_egress: rule.is_egress,
        peer_group: text(&peer.id),
        peer_vpc: text(peer.vpc.as_ref()?),
        via: text(peer.peering.as_ref()?),
    })
}

/// The call that a write is.
pub fn request(write: &Write) -> Request {
    let owned =
        |tags: &TagSet| tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    match write {
        Write::Create { pair, tags } => Request::CreateVpcPeeringConnection(CreatePeering {
            vpc_id: pair.sides.requester.vpc.to_string(),
            peer_vpc_id: pair.sides.accepter.vpc.to_string(),
            peer_owner_id: Some(pair.sides.accepter.at.account.to_string()),
            peer_region: Some(pair.sides.accepter.at.region.to_string()),
            tags: owned(tags),
        }),
        Write::Accept(id) => Request::AcceptVpcPeeringConnection { peering_id: id.to_string() },
        Write::Remove(id, _) => Request::DeleteVpcPeeringConnection { peering_id: id.to_string() },
        Write::Options { id, requester, accepter } => Request::ModifyVpcPeeringConnectionOptions {
            peering_id: id.to_string(),
            requester: *requester,
            accepter: *accepter,
        },
        Write::Tag { id, set } => Request::CreateTags { resources: vec![id.to_string()], tags: owned(set) },
        Write::Untag { id, keys } => Request::DeleteTags {
            resources: vec![id.to_string()],
            tags: keys.iter().map(|key| (key.to_string(), None)).collect(),
        },
        Write::AddRoute { slot, to } => Request::CreateRoute(at_slot(slot).peering(to.to_string())),
        Write::Repoint { slot, to, .. } => Request::ReplaceRoute(at_slot(slot).peering(to.to_string())),
        Write::DropRoute { slot, .. } => Request::DeleteRoute(at_slot(slot)),
        Write::RevokeRule { rule, group, is_egress, .. } => {
            let rules = ec2sim::RevokeRules {
                group_id: group.to_string(),
                rule_ids: vec![rule.to_string()],
                ..ec2sim::RevokeRules::default()
            };
            match is_egress {
                true => Request::RevokeSecurityGroupEgress(rules),
                false => Request::RevokeSecurityGroupIngress(rules),
            }
        }
    }
}

fn at_slot(slot: &peerkeeper_core::ids::Slot) -> RouteRequest {
    RouteRequest::new(slot.table.to_string(), slot.destination.to_string())
}
