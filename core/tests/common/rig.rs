//! Short words for tests: declare, let time pass, act as a human, look.

use std::collections::BTreeSet;
use std::sync::Arc;

use ec2sim::{Action, Caller, Calm, PeeringStatus, Request};
use peerkeeper_core::desired::{
    AccountRef, Adoption, Destinations, LossAction, Policy, PolicySource, RouteSpec, SideSpec, TableSelector,
};
use peerkeeper_core::ids::{ObjectKey, PeeringId, RouteTableId, Side, Sides};
use peerkeeper_core::incident::DecisionVerdict;
use peerkeeper_core::memory::Memory;
use peerkeeper_core::plan::{Condition, Report, State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use super::aws::{OPERATOR, text};
use super::cluster::{Account, Object};
use super::operator::{Happened, Sim};

pub const PROD: &str = "111122223333";
pub const SHARED: &str = "444455556666";
pub const EU: &str = "eu-west-1";
pub const VA: &str = "us-east-1";

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::new("net", name)
}

/// A VPC of the world with one tagged route table beside its main one.
#[derive(Clone, Debug)]
pub struct Place {
    pub account: &'static str,
    pub region: &'static str,
    pub vpc: ec2sim::VpcId,
    pub table: ec2sim::RouteTableId,
    pub cidr: String,
}

impl Place {
    pub fn owner(&self) -> Caller {
        Caller::new(self.account, self.region).named("human")
    }
}

/// Two accounts in two Regions, a VPC in each, and one peering declared between them with a route on both sides.
pub struct Rig {
    pub sim: Sim,
    pub a: Place,
    pub b: Place,
    pub key: ObjectKey,
}

pub fn account(sim: &mut Sim, name: &str, id: &str) {
    let account = Account {
        name: name.into(),
        id: id.parse().unwrap(),
        granted: true,
        suspend: false,
        allowed_peers: BTreeSet::new(),
        limits: None,
        unusable: None,
        answers_as: None,
        removals: Vec::new(),
    };
    sim.cluster.accounts.insert(name.into(), account);
}

pub fn place(sim: &mut Sim, account: &'static str, region: &'static str, cidr: &str) -> Place {
    let vpc = sim.world.create_vpc(account, region, cidr).unwrap();
    let owner = Caller::new(account, region).named("human");
    for (support, hostnames) in [(Some(true), None), (None, Some(true))] {
        let request = Request::ModifyVpcAttribute {
            vpc_id: (&vpc).into(),
            enable_dns_support: support,
            enable_dns_hostnames: hostnames,
        };
        sim.world.call(&owner, request, &mut Calm).unwrap();
    }
    let table = sim.world.create_table(&vpc, &[("tier", "private")]).unwrap();
    Place { account, region, vpc, table, cidr: cidr.to_owned() }
}

/// A side that routes everything of the peer's from the tables tagged `tier=private`.
pub fn side(place: &Place) -> SideSpec {
    let name = match place.account {
        PROD => "prod",
        _ => "shared",
    };
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

pub fn policy(name: &str, action: LossAction) -> Policy {
    Policy { source: PolicySource::Named(name.into()), action, ..Policy::built_in() }
}

pub fn declare(sim: &mut Sim, name: &str, sides: Sides<SideSpec>, policy: Option<&str>) -> ObjectKey {
    let key = key(name);
    sim.cluster.versions += 1;
    sim.cluster.uids += 1;
    let object = Object {
        key: key.clone(),
        uid: format!("uid-{}", sim.cluster.uids).into(),
        generation: 1,
        created: sim.now().wall,
        deleting: false,
        has_finalizer: false,
        sides,
        tags: [("team".into(), "network".into())].into(),
        adoption: Adoption::IfUnowned,
        deletion_policy: None,
        suspend: false,
        policy: policy.map(Into::into),
        requested_at: None,
        established: None,
        memory: Memory::default(),
        report: None,
        version: sim.cluster.versions,
    };
    sim.cluster.objects.insert(key.clone(), object);
    key
}

/// Accounts, VPCs and policies; nothing declared.
pub fn bare() -> (Sim, Place, Place) {
    let mut sim = Sim::new();
    account(&mut sim, "prod", PROD);
    account(&mut sim, "shared", SHARED);
    let a = place(&mut sim, PROD, EU, "10.1.0.0/16");
    let b = place(&mut sim, SHARED, VA, "10.2.0.0/16");
    for (name, action) in
        [("restore", LossAction::Restore), ("flag", LossAction::Flag), ("remove", LossAction::RemoveRoutes)]
    {
        sim.cluster.policies.insert(name.into(), policy(name, action));
    }
    (sim, a, b)
}

pub fn rig() -> Rig {
    rig_with("restore", |_| {})
}

pub fn rig_with(policy: &str, change: impl FnOnce(&mut Sides<SideSpec>)) -> Rig {
    let (mut sim, a, b) = bare();
    let mut sides = Sides::new(side(&a), side(&b));
    change(&mut sides);
    let key = declare(&mut sim, "peering", sides, Some(policy));
    Rig { sim, a, b, key }
}

/// One whose accepter is an account that we hold no credentials for, as the requester's account allows.
pub fn foreign_rig() -> Rig {
    let mut rig = rig_with("restore", |sides| {
        sides.accepter.account = AccountRef::Foreign(SHARED.parse().unwrap());
        sides.accepter.routes.clear();
    });
    rig.sim.cluster.accounts.remove("shared");
    let prod = rig.sim.cluster.accounts.get_mut("prod").unwrap();
    prod.allowed_peers.insert(SHARED.parse().unwrap());
    rig
}

/// One that has come to be as declared.
pub fn ready() -> Rig {
    let mut rig = rig();
    rig.until_ready();
    rig
}

pub fn ready_with(policy: &str, change: impl FnOnce(&mut Sides<SideSpec>)) -> Rig {
    let mut rig = rig_with(policy, change);
    rig.until_ready();
    rig
}

impl Sim {
    pub fn report(&self, key: &ObjectKey) -> &Report {
        self.cluster.object(key).report.as_ref().unwrap_or_else(|| panic!("{key} never reported"))
    }

    pub fn state(&self, key: &ObjectKey) -> Option<State> {
        self.cluster.objects.get(key)?.report.as_ref().map(|report| report.state)
    }

    pub fn condition(&self, key: &ObjectKey, kind: ConditionType) -> Option<Condition> {
        self.cluster.objects.get(key)?.report.as_ref()?.condition(kind).cloned()
    }

    pub fn is_ready(&self, key: &ObjectKey) -> bool {
        self.condition(key, ConditionType::Ready).is_some_and(|ready| ready.truth == Truth::True)
    }

    pub fn ready_reason(&self, key: &ObjectKey) -> Option<Reason> {
        self.condition(key, ConditionType::Ready).map(|ready| ready.reason)
    }

    /// Conditions by kind, as `Ready=False/PairClaimed`.
    pub fn says(&self, key: &ObjectKey, kind: ConditionType, truth: Truth, reason: Reason) -> bool {
        self.condition(key, kind).is_some_and(|c| c.truth == truth && c.reason == reason)
    }

    #[track_caller]
    pub fn assert_says(&self, key: &ObjectKey, kind: ConditionType, truth: Truth, reason: Reason) {
        assert!(self.says(key, kind, truth, reason), "expected {kind}={truth:?} {reason}\n{}", self.say());
    }

    #[track_caller]
    pub fn assert_stalled(&self, key: &ObjectKey, reason: Reason) {
        self.assert_says(key, ConditionType::Ready, Truth::False, reason);
        self.assert_says(key, ConditionType::Stalled, Truth::True, reason);
    }

    pub fn memory(&self, key: &ObjectKey) -> &Memory {
        &self.cluster.object(key).memory
    }

    /// Calls of ours that AWS did, by name.
    pub fn done(&self, action: Action) -> usize {
        let ours = self.world.log().filter(|m| &*m.caller.principal == OPERATOR);
        ours.filter(|m| m.action == action && m.result.is_ok()).count()
    }

    pub fn own_writes(&self) -> usize {
        self.world.log().filter(|m| &*m.caller.principal == OPERATOR).count()
    }

    /// What was sent since, oldest first.
    pub fn writes_since(&self, history: usize) -> Vec<&Write> {
        let all = self.history[history..].iter();
        all.filter_map(|happened| match happened {
            Happened::Wrote { call, .. } => Some(&call.write),
            _ => None,
        })
        .collect()
    }

    pub fn live_peerings(&self) -> Vec<ec2sim::PeeringView> {
        self.world.peerings().filter(|view| view.status.is_live()).collect()
    }

    pub fn status(&self, id: PeeringId) -> Option<PeeringStatus> {
        self.world.peering(&pcx(id)).map(|view| view.status)
    }

    pub fn target(&self, table: &ec2sim::RouteTableId, destination: &str) -> Option<String> {
        let table = self.world.route_table(table)?;
        table.route(destination).map(|route| route.target.to_string())
    }

    /// Nothing more is written, to AWS or to the API server, however long it goes on.
    #[track_caller]
    pub fn assert_quiet(&mut self, seconds: u64) {
        let (aws, stored) = (self.own_writes(), self.cluster.writes);
        self.run_s(seconds);
        assert_eq!(self.own_writes(), aws, "writes to AWS went on\n{}", self.say());
        assert_eq!(self.cluster.writes, stored, "status writes went on\n{}", self.say());
    }

    /// A person decides about the plan that is proposed for what this object lost last.
    pub fn decide(&mut self, key: &ObjectKey, verdict: DecisionVerdict) {
        let lost = self.memory(key).case.as_ref().unwrap_or_else(|| panic!("{key} lost nothing")).of;
        self.cluster.incidents.decide(key, lost, verdict);
        self.hint(key);
    }

    pub fn approve(&mut self, key: &ObjectKey) {
        self.decide(key, DecisionVerdict::Approve);
    }

    pub fn notes(&self, key: &ObjectKey) -> Vec<Reason> {
        let of = |happened: &Happened| match happened {
            Happened::Note { key: of, note } if of == key => Some(note.reason),
            _ => None,
        };
        self.history.iter().filter_map(of).collect()
    }
}

pub fn pcx(id: PeeringId) -> ec2sim::PeeringId {
    ec2sim::PeeringId::parse(&id.to_string()).unwrap()
}

pub fn rtb(id: RouteTableId) -> ec2sim::RouteTableId {
    ec2sim::RouteTableId::parse(&id.to_string()).unwrap()
}

impl Rig {
    #[track_caller]
    pub fn until_ready(&mut self) {
        let key = self.key.clone();
        self.sim.run_until("ready", 900, |sim| sim.is_ready(&key));
    }

    #[track_caller]
    pub fn until_state(&mut self, state: State) {
        let key = self.key.clone();
        self.sim.run_until(state.as_str(), 900, |sim| sim.state(&key) == Some(state));
    }

    #[track_caller]
    pub fn until_reason(&mut self, reason: Reason) {
        let key = self.key.clone();
        self.sim.run_until(reason.as_str(), 900, |sim| sim.ready_reason(&key) == Some(reason));
    }

    pub fn id(&self) -> PeeringId {
        self.sim.memory(&self.key).peering().expect("a peering is remembered")
    }

    pub fn memory(&self) -> &Memory {
        self.sim.memory(&self.key)
    }

    pub fn report(&self) -> &Report {
        self.sim.report(&self.key)
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut Object)) {
        self.sim.cluster.edit(&self.key, change);
        self.sim.wake(&self.key);
    }

    pub fn place(&self, side: Side) -> &Place {
        match side {
            Side::Requester => &self.a,
            Side::Accepter => &self.b,
        }
    }

    /// Where the declared route of this side leads.
    pub fn target(&self, side: Side) -> Option<String> {
        self.sim.target(&self.place(side).table, &self.place(side.peer()).cidr)
    }

    /// Both sides' routes lead to the remembered peering, which is active.
    #[track_caller]
    pub fn assert_whole(&self) {
        let id = self.id();
        assert_eq!(self.sim.status(id), Some(PeeringStatus::Active), "{}", self.sim.say());
        for side in Side::BOTH {
            assert_eq!(self.target(side), Some(id.to_string()), "{side}\n{}", self.sim.say());
        }
    }

    /// A human with rights in the accepter's account deletes the peering.
    pub fn lose(&mut self) -> PeeringId {
        let id = self.id();
        let b = self.b.clone();
        self.sim.world.delete_peering_as(b.account, b.region, &pcx(id)).unwrap();
        id
    }

    pub fn delete(&mut self) {
        self.sim.cluster.delete(&self.key);
        self.sim.wake(&self.key);
    }

    pub fn is_gone(&self) -> bool {
        !self.sim.cluster.objects.contains_key(&self.key)
    }

    #[track_caller]
    pub fn until_gone(&mut self) {
        let key = self.key.clone();
        self.sim.run_until("gone", 1800, |sim| !sim.cluster.objects.contains_key(&key));
    }
}

/// For so long after each write every read shows the oldest that may still be seen: what was before all of them.
pub struct Oldest {
    pub lag_ms: u64,
}

impl ec2sim::Chance for Oldest {
    fn delay_ms(&mut self, what: ec2sim::Delay) -> u64 {
        if what == ec2sim::Delay::Visibility { self.lag_ms } else { 0 }
    }

    fn pick(&mut self, what: ec2sim::Choice, ways: usize) -> usize {
        if what == ec2sim::Choice::StaleRead { ways - 1 } else { 0 }
    }

    fn fault(&mut self, _: &Caller, _: Action) -> Option<ec2sim::Fault> {
        None
    }
}

/// A name for a policy to be put in place.
pub fn set_policy(sim: &mut Sim, name: &str, change: impl FnOnce(&mut Policy)) {
    let name: Arc<str> = name.into();
    let policy = sim.cluster.policies.get_mut(&name).expect("the policy was declared");
    change(policy);
}
