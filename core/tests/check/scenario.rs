//! What a small world is made of: two VPCs, one object, its policy, what may go wrong in it and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ec2sim::{Caller, Calm, Request, World};
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, Desired, Destinations, Grant, LossAction, Policy, PolicySource,
    RouteSpec, SideSpec, TableSelector,
};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, Side, Sides, VpcPair};
use peerkeeper_core::time::Timing;

use crate::clock::{self, Ages};
use crate::common::aws::text;

/// What may go wrong, or be done to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A person deletes the peering, re-points a route, ...
    Human,
    /// The custom resource is deleted.
    Delete,
    /// A write's answer never comes, to AWS or to Kubernetes; the write took effect, or not.
    Lost,
    /// The process dies.
    Crash,
    /// A write that AWS shows only after a while; every read until then shows it or not.
    Stale,
    /// The lease goes to the other replica, while the first still has something in hand.
    Flip,
    /// A step takes until something else is due.
    Pause,
}

impl Fault {
    const NAMES: [&str; 7] = ["human", "delete", "lost", "crash", "stale", "flip", "pause"];
}

/// How often each thing may still go wrong, and how many things in all. It is part of the state: what was spent is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    each: [u8; 7],
    together: u8,
}

impl Budget {
    pub const NONE: Self = Self { each: [0; 7], together: 0 };

    /// Each thing so often, and so many of all. An object is deleted once.
    pub fn of_each(n: u8, together: u8) -> Self {
        let mut each = [n; 7];
        each[Fault::Delete as usize] = n.min(1);
        Self { each, together }
    }

    /// Only these, once each.
    pub fn only(faults: &[Fault]) -> Self {
        let mut each = [0; 7];
        faults.iter().for_each(|fault| each[*fault as usize] += 1);
        Self { each, together: u8::try_from(faults.len()).unwrap() }
    }

    /// With this one as often as that.
    pub fn with(mut self, fault: Fault, often: u8) -> Self {
        self.each[fault as usize] = often;
        self
    }

    pub fn has(self, fault: Fault) -> bool {
        self.each[fault as usize] > 0
    }

    pub fn spend(&mut self, fault: Fault) {
        self.each[fault as usize] -= 1;
        self.together -= 1;
        // What can't be spent any more makes no difference.
        if self.together == 0 {
            *self = Self::NONE;
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { each, together } = self;
        let kinds = Fault::NAMES.iter().zip(each).map(|(name, n)| format!("{name} {n}"));
        write!(f, "{}; {together} together", kinds.collect::<Vec<_>>().join(", "))
    }
}

/// What a person may do in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Human {
    DeletesPeering,
    RepointsRoute,
    DeletesRoute,
    /// Asks for a peering from the other end.
    AsksBack,
    /// Asks for a peering from the other end and accepts it.
    PeersBack,
    /// Approves, in Kubernetes, the plan that the incident proposes.
    Approves,
    /// Approves a plan that is not proposed.
    ApprovesAnother,
    /// Deletes the incident.
    DeletesIncident,
}

/// A guard that is broken on purpose, to see that the judge notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// One sweep that lacks a thing counts as the two that prove its absence.
    OneAbsenceIsProof,
    /// A route that leads elsewhere is taken for one that leads to the lost peering.
    TakesAllForDead,
    /// No limit is looked at.
    ForgetsLimits,
    /// The lease is not asked at the write.
    IgnoresLease,
    /// Our own twin is not removed.
    KeepsTwins,
    /// What a turn means to do is not remembered by the next.
    ForgetsIntents,
    /// The open loss is not remembered.
    ForgetsWhatWasTold,
    /// What is committed before an act is kept by the process alone.
    ActsBeforeCommit,
    /// A route counts as led where it was to be led, without a look.
    TrustsItsWrites,
    /// Sweeps wake nobody, and no turn asks to look again.
    NeverLooksAgain,
    /// Whoever decided whatever: it is approved.
    TakesAnyDecision,
}

/// One VPC with its route table.
#[derive(Clone, Debug)]
pub struct Place {
    pub account: &'static str,
    pub region: &'static str,
    pub vpc: ec2sim::VpcId,
    pub table: ec2sim::RouteTableId,
    pub cidr: &'static str,
}

impl Place {
    pub fn at(&self) -> AccountRegion {
        AccountRegion { account: self.account.parse().unwrap(), region: self.region.parse().unwrap() }
    }

    pub fn human(&self) -> Caller {
        Caller::new(self.account, self.region).named("human")
    }
}

/// What does not change in a small world.
#[derive(Clone, Debug)]
pub struct Setup {
    pub name: &'static str,
    pub places: Sides<Place>,
    pub key: ObjectKey,
    pub sides: Sides<SideSpec>,
    pub policy: Policy,
    pub deletion: Option<DeletionPolicy>,
    pub timing: Timing,
    pub humans: Vec<Human>,
    pub budget: Budget,
    /// The object has come to be as declared before anything goes wrong.
    pub settled: bool,
    pub transient_ms: u64,
    pub lag_ms: u64,
    pub sabotage: Option<Sabotage>,
}

/// The first target that a person gives a route instead.
pub const ELSEWHERE: &str = "tgw-0123456789abcdef0";
pub const SWEEP_MS: u64 = 60_000;

fn place(world: &mut World, account: &'static str, region: &'static str, cidr: &'static str) -> Place {
    let vpc = world.create_vpc(account, region, cidr).unwrap();
    let table = world.create_table(&vpc, &[("tier", "private")]).unwrap();
    Place { account, region, vpc, table, cidr }
}

fn side(place: &Place, name: &str) -> SideSpec {
    SideSpec {
        account: AccountRef::Managed(name.into()),
        region: place.region.parse().unwrap(),
        vpc: text(&place.vpc),
        allow_dns: None,
        routes: vec![RouteSpec {
            name: "private".into(),
            tables: TableSelector::Tags([("tier".into(), "private".into())].into()),
            destinations: Destinations::PeerCidrs { exclude: BTreeSet::new() },
        }],
    }
}

impl Setup {
    /// A world with two VPCs and an object between them, which nobody has looked at yet.
    pub fn new(name: &'static str, action: LossAction) -> (Self, World) {
        let mut world = World::new();
        world.advance(clock::BASE_MS);
        let a = place(&mut world, "111122223333", "eu-west-1", "10.1.0.0/16");
        let b = place(&mut world, "444455556666", "us-east-1", "10.2.0.0/16");
        let mut policy =
            Policy { source: PolicySource::Named("policy".into()), action, ..Policy::built_in() };
        policy.limits.window_s = 150;
        policy.limits.max_restores_per_peering = 1;
        let setup = Self {
            name,
            sides: Sides::new(side(&a, "prod"), side(&b, "shared")),
            places: Sides::new(a, b),
            key: ObjectKey::new("net", "peering"),
            policy,
            deletion: None,
            // As much shorter than the real ones as still keeps their order with sweeps and lags: what is remembered for
            // five minutes makes a state of each of them.
            timing: Timing { settle_ms: 120_000, ..Timing::default() },
            humans: vec![Human::DeletesPeering, Human::RepointsRoute],
            budget: Budget::of_each(1, 3),
            settled: true,
            transient_ms: 1_000,
            lag_ms: 3_000,
            sabotage: None,
        };
        (setup, world)
    }

    /// Somebody has made a peering, and a route on one side, before.
    pub fn with_found(mut self, world: &mut World) -> Self {
        let Sides { requester, accepter } = &self.places;
        let id = world.peer(&requester.vpc, &accepter.vpc).unwrap();
        let route = ec2sim::RouteRequest::new(&requester.table, accepter.cidr).peering(&id);
        world.call(&requester.human(), Request::CreateRoute(route), &mut Calm).unwrap();
        self.settled = false;
        self
    }

    pub fn pair(&self) -> VpcPair {
        VpcPair::new(self.sides.requester.vpc, self.sides.accepter.vpc)
    }

    /// Where the declared route of this side lies: table and destination.
    pub fn slot(&self, side: Side) -> (&ec2sim::RouteTableId, &'static str) {
        (&self.places.get(side).table, self.places.get(side.peer()).cidr)
    }

    pub fn grants(&self) -> Sides<Grant> {
        Sides::from_fn(|side| Grant::Granted(self.places.get(side).at().account))
    }

    pub fn ages(&self) -> Ages {
        let wall_s = self.policy.limits.window_s.max(i64::try_from(self.timing.settle_ms / 1000).unwrap());
        Ages { mono_ms: self.timing.settle_ms.max(self.timing.stale_ms) + 1_000, wall_s: wall_s + 1 }
    }

    pub fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    pub fn desired(&self) -> Desired {
        Desired {
            key: self.key.clone(),
            uid: "uid-1".into(),
            generation: 1,
            created: clock::now(clock::BASE_MS).wall,
            deleting: false,
            namespace_terminating: false,
            sides: self.sides.clone(),
            tags: BTreeMap::new(),
            adoption: Adoption::IfUnowned,
            deletion_policy: self.deletion,
            suspend: false,
            requested_at: None,
            established: None,
            owner_id: "cluster-1".into(),
        }
    }
}
