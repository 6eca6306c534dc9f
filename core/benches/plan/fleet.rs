//! Many peerings as the operator holds them: one sweep per account and Region, shared by all; one memory per object;
//! the tables across objects. Hubs of fifty, AWS's default quota of active peerings per VPC, each with its spokes.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerkeeper_core::claims;
use peerkeeper_core::desired::{
    AccountRef, Adoption, Desired, Destinations, Grant, Limits, LossAction, Policy, PolicySource, RouteSpec,
    SideSpec, TableSelector,
};
use peerkeeper_core::ids::{
    AccountId, AccountRegion, Cidr, Destination, ORIGIN_TAG_KEY, ObjectKey, OwnerTag, PeeringId,
    RouteTableId, Side, Sides, Target, VpcId,
};
use peerkeeper_core::incident::IncidentRef;
use peerkeeper_core::limits;
use peerkeeper_core::memory::{Act, Memory, Origin};
use peerkeeper_core::observed::{
    Ending, Peering, PeeringEnd, PeeringState, Reading, Resource, Route, RouteTable, Scope, SideView, Tags,
    View, Vpc,
};
use peerkeeper_core::plan::{self, Input, Verdict};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing, Wall};

/// Spokes of one hub: AWS's default quota of active peerings per VPC.
const SPOKES_PER_HUB: usize = 50;
/// Route tables per VPC, each with one route to each peer: five routes a side.
const TABLES_PER_VPC: usize = 5;
pub const ROUTES_PER_PEERING: usize = 2 * TABLES_PER_VPC;

/// Long after the start of the process, so that everything has settled.
const NOW: Now = Now { mono: Mono(10_000_000), wall: Wall(1_800_000_000) };

pub struct Fleet {
    pub objects: Vec<Object>,
    pub policy: Policy,
    pub observed: Sides<SideView>,
    pub claims: claims::Table,
    pub limits: limits::Table,
    pub timing: Timing,
    pub now: Now,
    size: usize,
}

pub struct Object {
    pub desired: Desired,
    pub grants: Sides<Grant>,
    pub memory: Arc<Memory>,
    pub recent: Recent,
}

/// What AWS shows of every peering.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Aws {
    /// Active, with every route.
    InSync,
    /// Deleted: tombstones, and blackholes on both sides.
    Lost,
    /// Deleted, and a new one of ours is active: the routes lead to the old one still.
    Replaced,
}

impl Fleet {
    /// All in sync, with the memory that the plan itself comes to.
    pub fn in_sync(size: usize) -> Self {
        let mut fleet = Self {
            objects: (0..size).map(object).collect(),
            policy: policy(size),
            observed: Sides::default(),
            claims: claims::Table::default(),
            limits: limits::Table::default(),
            timing: Timing::default(),
            now: NOW,
            size,
        };
        fleet.observe(Aws::InSync);
        fleet.enter();
        fleet.advance();
        fleet.enter();
        fleet
    }

    /// Sweeps both accounts and Regions now.
    pub fn observe(&mut self, aws: Aws) {
        self.observed = self.sweep(aws);
    }

    fn sweep(&self, aws: Aws) -> Sides<SideView> {
        let began = self.now.mono;
        Sides::from_fn(|side| SideView {
            caller: Some(account(side).account),
            peerings: swept(began, (0..self.size).flat_map(|n| peerings(n, side, aws))),
            tables: swept(began, tables(self.size, side, aws)),
            vpcs: swept(began, vpcs(self.size, side)),
            prefix_lists: View::default(),
            stale_rules: View::default(),
            routes_per_table: Some(500),
        })
    }

    /// Sweeps again while nothing has changed; the older sweeps stay as the other half of a proof of absence.
    pub fn observe_again(&mut self) {
        let newer = self.sweep(Aws::InSync);
        for side in Side::BOTH {
            let (newer, held) = (newer.get(side), self.observed.get_mut(side));
            rotate(&mut held.peerings, &newer.peerings);
            rotate(&mut held.tables, &newer.tables);
            rotate(&mut held.vpcs, &newer.vpcs);
        }
    }

    pub fn plan(&self, object: &Object) -> Verdict {
        let (claims, limits) = (self.claims.view(&object.desired.key), self.limits.view(&object.desired.key));
        self.plan_with(object, &claims, &limits)
    }

    pub fn plan_with(
        &self,
        object: &Object,
        claims: &claims::ClaimsView,
        limits: &limits::LimitsView,
    ) -> Verdict {
        plan::plan(&Input {
            desired: &object.desired,
            policy: &self.policy,
            grants: &object.grants,
            claims,
            limits,
            memory: &object.memory,
            recent: &object.recent,
            observed: &self.observed,
            lookup: None,
            witness: &Default::default(),
            incident: &Default::default(),
            now: self.now,
            timing: &self.timing,
        })
    }

    /// One plan of each object is committed; nothing is written to AWS.
    pub fn advance(&mut self) {
        let memories: Vec<Arc<Memory>> =
            self.objects.iter().map(|object| Arc::new(recorded(self.plan(object)))).collect();
        for (object, memory) in self.objects.iter_mut().zip(memories) {
            object.memory = memory;
        }
    }

    /// Enters every object, as its memory is now, into the tables across objects.
    pub fn enter(&mut self) {
        for object in &self.objects {
            self.claims.set(claim(object));
            self.limits.set_object(object.desired.key.clone(), limit(object, &self.policy));
        }
    }

    pub fn wait_s(&mut self, seconds: i64) {
        let ms = u64::try_from(seconds).unwrap_or_default() * 1000;
        self.now = Now { mono: self.now.mono.plus_ms(ms), wall: self.now.wall.plus_s(seconds) };
    }
}

pub fn claim(object: &Object) -> claims::Entry {
    claims::Entry {
        key: object.desired.key.clone(),
        uid: object.desired.uid.clone(),
        created: object.desired.created,
        deleting: false,
        pair: object.desired.pair(),
        granted: true,
        memory: object.memory.clone(),
    }
}

pub fn limit(object: &Object, policy: &Policy) -> limits::Entry {
    let waits = object.memory.episode.as_ref().is_some_and(|episode| episode.acted.is_none());
    limits::Entry {
        policy: ObjectKey::new("net", "restore"),
        limits: policy.limits,
        accounts: Side::BOTH.map(|side| account(side).account).to_vec(),
        spent: object.memory.spent.clone(),
        waiting: waits.then_some(Act::Restore),
    }
}

/// Restores, with room for all at once.
fn policy(size: usize) -> Policy {
    let all = u32::try_from(size).unwrap_or(u32::MAX);
    Policy {
        source: PolicySource::Named("restore".into()),
        action: LossAction::Restore,
        limits: Limits { max_restores: all, ..Limits::default() },
        ..Policy::built_in()
    }
}

/// What is stored of a plan: the incident that it tells of is made first, and memory names it.
fn recorded(verdict: Verdict) -> Memory {
    let Verdict { mut memory, incidents, .. } = verdict;
    if let (Some(case), Some(_)) = (&mut memory.case, incidents.first()) {
        case.incident.get_or_insert_with(|| IncidentRef { uid: "incident".into(), generation: 1 });
    }
    memory
}

fn rotate<T: Resource>(held: &mut View<T>, newer: &View<T>) {
    if let (Some(older), Some(newer)) = (&held.sweep, &newer.sweep) {
        let newer = Arc::new((**newer).clone().sharing(older));
        held.before = held.sweep.replace(newer);
    }
}

fn swept<T: Resource>(began: Mono, things: impl IntoIterator<Item = T>) -> View<T> {
    let sweep = Arc::new(Reading::new(began, Scope::All, things.into_iter().map(Arc::new)));
    View { sweep: Some(sweep), ..View::default() }
}

#[expect(clippy::expect_used, reason = "every text here is made right")]
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a right id")
}

fn account(side: Side) -> AccountRegion {
    match side {
        Side::Requester => {
            AccountRegion { account: id::<AccountId>("111122223333"), region: id("eu-west-1") }
        }
        Side::Accepter => AccountRegion { account: id::<AccountId>("444455556666"), region: id("us-east-1") },
    }
}

/// The number of a side's VPC: requesters are hubs.
fn place(n: usize, side: Side) -> usize {
    match side {
        Side::Requester => n / SPOKES_PER_HUB,
        Side::Accepter => n,
    }
}

fn vpc_id(place: usize, side: Side) -> VpcId {
    id(&format!("vpc-{}{place:016x}", side as u8))
}

fn table_id(place: usize, table: usize, side: Side) -> RouteTableId {
    id(&format!("rtb-{}{place:012x}{table:04x}", side as u8))
}

fn lost_id(n: usize) -> PeeringId {
    id(&format!("pcx-a{n:016x}"))
}

fn new_id(n: usize) -> PeeringId {
    id(&format!("pcx-b{n:016x}"))
}

fn cidr(place: usize, side: Side) -> Cidr {
    let (high, low) = (place / 256, place % 256);
    match side {
        Side::Requester => id(&format!("172.{}.{low}.0/24", 16 + high)),
        Side::Accepter => id(&format!("10.{high}.{low}.0/24")),
    }
}

fn key(n: usize) -> ObjectKey {
    ObjectKey::new("net", format!("peering-{n:05}"))
}

fn object(n: usize) -> Object {
    let spec = |side: Side| SideSpec {
        account: AccountRef::Managed(if side == Side::Requester { "prod" } else { "shared" }.into()),
        region: account(side).region,
        vpc: vpc_id(place(n, side), side),
        allow_dns: Some(true),
        routes: vec![RouteSpec {
            name: "private".into(),
            tables: TableSelector::Tags([("tier".into(), "private".into())].into()),
            destinations: Destinations::PeerCidrs { exclude: BTreeSet::new() },
        }],
    };
    let desired = Desired {
        key: key(n),
        uid: format!("uid-{n}").into(),
        generation: 1,
        created: Wall(1_790_000_000),
        deleting: false,
        namespace_terminating: false,
        sides: Sides::from_fn(spec),
        tags: [("team".into(), "network".into())].into(),
        adoption: Adoption::IfUnowned,
        deletion_policy: None,
        suspend: false,
        requested_at: None,
        established: None,
        owner_id: "cluster-1".into(),
    };
    Object {
        desired,
        grants: Sides::from_fn(|side| Grant::Granted(account(side).account)),
        memory: Arc::default(),
        recent: Recent::new(Mono(0)),
    }
}

fn peerings(n: usize, _shown_to: Side, aws: Aws) -> Vec<Peering> {
    let owner = OwnerTag { owner_id: "cluster-1".into(), object: key(n) }.to_string();
    let tags: Tags = [
        ("team".into(), "network".into()),
        (OwnerTag::KEY.into(), owner.into()),
        (ORIGIN_TAG_KEY.into(), Origin::Created.as_str().into()),
    ]
    .into();
    let peering = |id: PeeringId, state: PeeringState, message: &str| {
        let end = |side: Side| PeeringEnd {
            at: account(side),
            vpc: vpc_id(place(n, side), side),
            cidrs: if state == PeeringState::Active {
                [cidr(place(n, side), side)].into()
            } else {
                Default::default()
            },
            allow_dns: Some(true),
        };
        Peering {
            id,
            requester: end(Side::Requester),
            accepter: end(Side::Accepter),
            state: state.clone(),
            message: message.into(),
            tags: tags.clone(),
        }
    };
    let dead = || peering(lost_id(n), PeeringState::Ended(Ending::Deleted), "Deleted by 444455556666");
    match aws {
        Aws::InSync => vec![peering(lost_id(n), PeeringState::Active, "Active")],
        Aws::Lost => vec![dead()],
        Aws::Replaced => vec![dead(), peering(new_id(n), PeeringState::Active, "Active")],
    }
}

/// VPCs of a side, and for each the peerings that end there.
fn places(size: usize, side: Side) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let per_place = match side {
        Side::Requester => SPOKES_PER_HUB,
        Side::Accepter => 1,
    };
    (0..size.div_ceil(per_place)).map(move |p| (p, p * per_place..((p + 1) * per_place).min(size)))
}

fn vpcs(size: usize, side: Side) -> impl Iterator<Item = Vpc> {
    places(size, side).map(move |(place, _)| Vpc {
        id: vpc_id(place, side),
        owner: account(side).account,
        cidrs: [cidr(place, side)].into(),
        tags: [("Name".into(), format!("{side}-{place}").into())].into(),
    })
}

fn tables(size: usize, side: Side, aws: Aws) -> impl Iterator<Item = RouteTable> {
    places(size, side).flat_map(move |(place, peerings)| {
        (0..TABLES_PER_VPC).map(move |table| RouteTable {
            id: table_id(place, table, side),
            vpc: vpc_id(place, side),
            owner: account(side).account,
            main: table == 0,
            edge: false,
            tags: [("tier".into(), "private".into())].into(),
            routes: routes(place, peerings.clone(), side, aws),
        })
    })
}

fn routes(own: usize, peerings: std::ops::Range<usize>, side: Side, aws: Aws) -> Vec<Route> {
    let route = |to: Cidr, target: Target| Route {
        destination: Destination::Cidr(to),
        blackhole: aws != Aws::InSync && target != Target::Local,
        target,
        propagated: false,
    };
    let local = route(cidr(own, side), Target::Local);
    let to_peers =
        peerings.map(|n| route(cidr(place(n, side.peer()), side.peer()), Target::Peering(lost_id(n))));
    std::iter::once(local).chain(to_peers).collect()
}
