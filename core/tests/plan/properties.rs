//! What holds of every plan, whatever it is shown. A scene is drawn from bytes, so that a failure shrinks to a small one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use peerkeeper_core::claims::ClaimsView;
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, DependentRoutes, Desired, Destinations, Grant, LossAction, PairAt,
    Policy, PolicySource, Reaction, RouteSpec, SideSpec, StaleRules, TableSelector,
};
use peerkeeper_core::ids::{
    AccountRegion, Cidr, Destination, ORIGIN_TAG_KEY, ObjectKey, OwnerTag, PeeringId, RouteTableId, Side,
    Sides, Slot, Target, VpcAt, VpcId,
};
use peerkeeper_core::limits::LimitsView;
use peerkeeper_core::memory::{
    self, Attribution, Case, Episode, How, Life, LossClass, Memory, Origin, Owned, Past,
};
use peerkeeper_core::observed::{
    Ending, Peering, PeeringEnd, PeeringState, Reading, Resource, Route, RouteTable, Scope, SideView,
    StaleRule, Tags, Unseen, View, Vpc,
};
use peerkeeper_core::plan::{Input, Verdict, plan};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing, Wall};
use peerkeeper_core::write::Write;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Decisions, one byte each; 0, the plainest, once they are used up.
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % bound
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

const NOW: u64 = 10_000_000;

fn now() -> Now {
    Now { mono: Mono(NOW), wall: Wall(1_800_010_000) }
}

fn vpc(side: Side) -> VpcId {
    match side {
        Side::Requester => "vpc-0000000000000000a".parse().unwrap(),
        Side::Accepter => "vpc-0000000000000000b".parse().unwrap(),
    }
}

fn cidr(side: Side) -> Cidr {
    match side {
        Side::Requester => "10.1.0.0/16".parse().unwrap(),
        Side::Accepter => "10.2.0.0/16".parse().unwrap(),
    }
}

fn at(side: Side) -> AccountRegion {
    match side {
        Side::Requester => {
            AccountRegion { account: "111122223333".parse().unwrap(), region: "eu-west-1".parse().unwrap() }
        }
        Side::Accepter => {
            AccountRegion { account: "444455556666".parse().unwrap(), region: "us-east-1".parse().unwrap() }
        }
    }
}

fn table_id(side: Side) -> RouteTableId {
    match side {
        Side::Requester => "rtb-0000000000000000a".parse().unwrap(),
        Side::Accepter => "rtb-0000000000000000b".parse().unwrap(),
    }
}

fn pcx(n: usize) -> PeeringId {
    format!("pcx-{n:017x}").parse().unwrap()
}

/// The pair's own ids; the ones above are another pair's, and one that nobody knows.
const OWN: usize = 4;
const OTHER: usize = 8;
const UNKNOWN: usize = 9;

#[derive(Debug)]
struct Scene {
    desired: Desired,
    policy: Policy,
    grants: Sides<Grant>,
    memory: Memory,
    recent: Recent,
    peerings: Vec<Peering>,
    tables: Vec<RouteTable>,
}

fn state(dice: &mut Dice) -> PeeringState {
    dice.one(&[
        PeeringState::Active,
        PeeringState::PendingAcceptance,
        PeeringState::Provisioning,
        PeeringState::InitiatingRequest,
        PeeringState::Deleting,
        PeeringState::Ended(Ending::Deleted),
        PeeringState::Ended(Ending::Rejected),
        PeeringState::Ended(Ending::Failed),
        PeeringState::Other("novel".into()),
    ])
}

fn tags(dice: &mut Dice) -> Tags {
    let owners = ["", "cluster-1/net/peering", "cluster-1/net/other", "cluster-2/net/peering"];
    let owner = dice.one(&owners);
    if owner.is_empty() {
        return Tags::new();
    }
    let origin = dice.one(&["created", "adopted"]);
    Tags::from([(OwnerTag::KEY.into(), owner.into()), (ORIGIN_TAG_KEY.into(), origin.into())])
}

fn end(side: Side, other: bool) -> PeeringEnd {
    let vpc = if other { "vpc-0000000000000000c".parse().unwrap() } else { vpc(side) };
    PeeringEnd { at: at(side), vpc, cidrs: [cidr(side)].into(), allow_dns: Some(false) }
}

fn peering(dice: &mut Dice, n: usize) -> Peering {
    let (from, to) =
        if dice.yes() { (Side::Accepter, Side::Requester) } else { (Side::Requester, Side::Accepter) };
    Peering {
        id: pcx(n),
        requester: end(from, false),
        accepter: end(to, n == OTHER),
        state: state(dice),
        message: dice.one(&["", "Deleted by 444455556666"]).into(),
        tags: tags(dice),
    }
}

fn target(dice: &mut Dice) -> Target {
    let own: Vec<Target> = (0..OWN).map(|n| Target::Peering(pcx(n))).collect();
    let others = [Target::Peering(pcx(OTHER)), Target::Peering(pcx(UNKNOWN)), Target::Other("tgw-1".into())];
    dice.one(&[own.as_slice(), others.as_slice()].concat())
}

fn table(dice: &mut Dice, side: Side) -> RouteTable {
    let local = Route {
        destination: Destination::Cidr(cidr(side)),
        target: Target::Local,
        blackhole: false,
        propagated: false,
    };
    let mut routes = vec![local];
    for text in [cidr(side.peer()).to_string(), "10.2.7.0/24".to_owned(), "172.16.0.0/12".to_owned()] {
        let destination = Destination::Cidr(text.parse().unwrap());
        if dice.yes() && !routes.iter().any(|route| route.destination == destination) {
            routes.push(Route {
                destination,
                target: target(dice),
                blackhole: dice.yes(),
                propagated: false,
            });
        }
    }
    RouteTable {
        id: table_id(side),
        vpc: vpc(side),
        owner: at(side).account,
        main: false,
        edge: dice.below(8) == 7,
        tags: Tags::new(),
        routes,
    }
}

fn memory(dice: &mut Dice) -> Memory {
    let pair = PairAt { sides: Sides::from_fn(|side| VpcAt { at: at(side), vpc: vpc(side) }) };
    let id = pcx(dice.below(OWN));
    let life = match dice.below(5) {
        0 => Life::NeverSeen,
        1 => Life::Requested { id, replaces: None },
        2 => Life::Requested { id, replaces: Some(pcx(dice.below(OWN))) },
        3 => Life::Established(id),
        _ => Life::Released { lost: id, generation: 1 },
    };
    let mut memory = Memory { life, ..Memory::default() };
    if life != Life::NeverSeen {
        memory.pair = Some(pair);
        memory.origin = dice.one(&[None, Some(Origin::Created), Some(Origin::Adopted)]);
        memory.cidrs = Sides::from_fn(|side| [cidr(side)].into());
        memory.cidrs_at_spec = memory.cidrs.clone();
    }
    memory.settled_generation = dice.one(&[0, 1, 2]);
    for side in Side::BOTH {
        if dice.yes() {
            let slot =
                Slot { side, table: table_id(side), destination: Destination::Cidr(cidr(side.peer())) };
            let how = dice.one(&[How::Created, How::Adopted, How::Intended]);
            memory.slots.insert(slot, Owned { how, to: pcx(dice.below(OWN)) });
        }
    }
    if let Life::Requested { id, replaces: Some(lost) } = life {
        // What is replaced has ended, and is not what replaces it.
        if lost == id {
            memory.life = Life::Requested { id, replaces: None };
        } else {
            memory.past.push(Past { id: lost, ending: Ending::Deleted });
        }
    }
    for n in 0..OWN {
        if dice.below(6) == 5 {
            memory.past.push(Past { id: pcx(n), ending: Ending::Deleted });
        }
    }
    if let (Life::Established(lost), true) = (life, dice.yes()) {
        memory.episode = Some(Episode {
            lost,
            ending: Ending::Deleted,
            class: dice.one(&[LossClass::Unexpected, LossClass::VpcGone, LossClass::Decommissioning]),
            detected: Wall(now().wall.0 - 100),
            message: "".into(),
            by_account: None,
            routes: 1,
            action: dice.one(&[LossAction::Restore, LossAction::RemoveRoutes]),
            acted: dice.one(&[None, Some(Wall(now().wall.0 - 50))]),
            latched: None,
        });
    }
    memory.case = memory.episode.as_ref().map(|episode| Case {
        of: episode.lost,
        incident: None,
        attribution: Attribution::None,
        policy: "".into(),
        stale: Some(memory::StaleRules { rules: BTreeMap::new(), total: 8, revoked: true }),
    });
    memory
}

/// Of each lost peering, as if both VPCs were in one Region.
fn stale_rules(side: Side) -> Vec<Arc<StaleRule>> {
    let rule = |n: usize| StaleRule {
        id: format!("sgr-{n:016x}{}", if side == Side::Requester { "a" } else { "b" }).parse().unwrap(),
        group: "sg-0000000a".parse().unwrap(),
        vpc: vpc(side),
        is_egress: n.is_multiple_of(2),
        peer_group: "sg-0000000b".parse().unwrap(),
        peer_vpc: vpc(side.peer()),
        via: pcx(n),
    };
    (0..OWN).map(rule).map(Arc::new).collect()
}

fn scene(bytes: Vec<u8>) -> Scene {
    let mut dice = Dice(bytes.into_iter());
    let dice = &mut dice;
    let spec = |dice: &mut Dice, side: Side| SideSpec {
        account: AccountRef::Managed(side.to_string().into()),
        region: at(side).region,
        vpc: vpc(side),
        allow_dns: dice.one(&[None, Some(true), Some(false)]),
        routes: vec![RouteSpec {
            name: "all".into(),
            tables: TableSelector::All,
            destinations: Destinations::PeerCidrs { exclude: BTreeSet::new() },
        }],
    };
    let sides = Sides::new(spec(dice, Side::Requester), spec(dice, Side::Accepter));
    let desired = Desired {
        key: ObjectKey::new("net", "peering"),
        uid: "uid-1".into(),
        generation: dice.one(&[1, 2]),
        created: Wall(0),
        deleting: dice.below(3) == 2,
        namespace_terminating: false,
        sides,
        tags: BTreeMap::new(),
        adoption: dice.one(&[Adoption::IfUnowned, Adoption::Never]),
        deletion_policy: dice.one(&[None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)]),
        suspend: dice.below(6) == 5,
        requested_at: None,
        established: dice.one(&[None, None, Some(pcx(0)), Some(pcx(UNKNOWN))]),
        owner_id: "cluster-1".into(),
    };
    let policy = Policy {
        source: dice.one(&[PolicySource::BuiltIn, PolicySource::Missing("x".into())]),
        action: dice.one(&[LossAction::Restore, LossAction::RemoveRoutes, LossAction::Flag]),
        stale_rules: StaleRules::Revoke,
        dependent_routes: dice.one(&[DependentRoutes::Declared, DependentRoutes::All]),
        on_drift: dice.one(&[Reaction::Restore, Reaction::Flag]),
        on_repointed_route: dice.one(&[Reaction::Flag, Reaction::Restore]),
        ..Policy::built_in()
    };
    let grant = |dice: &mut Dice, side: Side| {
        let account = at(side).account;
        match dice.below(9) {
            8 => Grant::Misused { account, name: "x".into(), event: "e".into() },
            7 => Grant::Suspended(account),
            6 => Grant::NotGranted { name: "x".into(), account },
            _ => Grant::Granted(account),
        }
    };
    let grants = Sides::new(grant(dice, Side::Requester), grant(dice, Side::Accepter));
    let memory = memory(dice);
    let mut peerings: Vec<Peering> = Vec::new();
    for n in (0..OWN).chain([OTHER]) {
        if dice.yes() {
            peerings.push(peering(dice, n));
        }
    }
    let tables = Side::BOTH.into_iter().map(|side| table(dice, side)).collect();
    let recent = Recent::new(Mono(dice.one(&[0, NOW - 1_000])));
    Scene { desired, policy, grants, memory, recent, peerings, tables }
}

/// How well the world is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Two sweeps, far enough apart.
    Whole,
    /// The same, told in the opposite order.
    Reversed,
    /// Two sweeps, of long ago.
    Old,
    Nothing,
    /// One sweep, which shows the VPCs and nothing else.
    OneEmpty,
}

fn view<T: Resource>(things: Vec<Arc<T>>, sight: Sight) -> View<T> {
    let reading = |began: u64, things: Vec<Arc<T>>| {
        let ordered: Vec<Arc<T>> =
            if sight == Sight::Reversed { things.into_iter().rev().collect() } else { things };
        Some(Arc::new(Reading::new(Mono(began), Scope::All, ordered)))
    };
    match sight {
        Sight::Whole | Sight::Reversed => View {
            sweep: reading(NOW - 5_000, things.clone()),
            before: reading(NOW - 65_000, things),
            ..View::default()
        },
        Sight::Old => View {
            sweep: reading(NOW - 200_000, things.clone()),
            before: reading(NOW - 260_000, things),
            unseen: Unseen::Throttled,
            ..View::default()
        },
        Sight::Nothing => View {
            unseen: Unseen::Denied { call: "Describe".into(), code: "UnauthorizedOperation".into() },
            ..View::default()
        },
        Sight::OneEmpty => View { sweep: reading(NOW - 5_000, Vec::new()), ..View::default() },
    }
}

impl Scene {
    fn observed(&self, sight: Sight) -> Sides<SideView> {
        Sides::from_fn(|side| {
            let seen_here = |p: &&Peering| self.is_shown(side, p.id);
            let peerings = self.peerings.iter().filter(seen_here).cloned().map(Arc::new).collect();
            let tables = self.tables.iter().filter(|t| t.vpc == vpc(side)).cloned().map(Arc::new).collect();
            let own =
                Vpc { id: vpc(side), owner: at(side).account, cidrs: [cidr(side)].into(), tags: Tags::new() };
            let vpcs = match sight {
                Sight::OneEmpty => View {
                    sweep: Some(Arc::new(Reading::new(Mono(NOW - 5_000), Scope::All, [Arc::new(own)]))),
                    ..View::default()
                },
                sight => view(vec![Arc::new(own)], sight),
            };
            SideView {
                caller: Some(at(side).account),
                peerings: view(peerings, sight),
                tables: view(tables, sight),
                vpcs,
                prefix_lists: View::default(),
                stale_rules: view(stale_rules(side), sight),
                routes_per_table: Some(500),
            }
        })
    }

    fn plan(&self, sight: Sight) -> Verdict {
        plan(&Input {
            desired: &self.desired,
            policy: &self.policy,
            grants: &self.grants,
            claims: &ClaimsView::default(),
            limits: &LimitsView::default(),
            memory: &self.memory,
            recent: &self.recent,
            observed: &self.observed(sight),
            lookup: None,
            witness: &Default::default(),
            incident: &Default::default(),
            now: now(),
            timing: &Timing::default(),
        })
    }

    fn row(&self, id: PeeringId) -> Option<&Peering> {
        self.peerings.iter().find(|peering| peering.id == id)
    }

    fn is_shown(&self, side: Side, id: PeeringId) -> bool {
        self.row(id).is_some_and(|p| [&p.requester, &p.accepter].iter().any(|end| end.vpc == vpc(side)))
    }

    fn is_of_pair(&self, id: PeeringId) -> bool {
        (0..OWN).any(|n| pcx(n) == id)
    }

    /// By memory or by our tag; nobody else's tag on it.
    fn is_ours(&self, id: PeeringId) -> bool {
        let owner = self.row(id).and_then(Peering::owner);
        let remembered = self.memory.peering() == Some(id);
        match owner {
            Some(owner) if owner == self.desired.owner_tag() => true,
            Some(owner) => owner.owner_id == self.desired.owner_id && remembered,
            None => remembered || self.desired.adoption == Adoption::IfUnowned,
        }
    }

    fn held(&self, slot: &Slot) -> Option<&Target> {
        let table = self.tables.iter().find(|table| table.id == slot.table)?;
        table.route(slot.destination).map(|route| &route.target)
    }

    fn check(&self, write: &Write) -> Result<(), String> {
        let held = |slot: &Slot, expected: &Target| {
            (self.held(slot) == Some(expected))
                .then_some(())
                .ok_or("it is not what the table holds".to_owned())
        };
        let remembered =
            |slot: &Slot| self.memory.slots.get(slot).is_some_and(|owned| owned.how != How::Intended);
        let is_active = |id: &PeeringId| {
            let active = self.row(*id).is_some_and(|peering| peering.state == PeeringState::Active);
            active.then_some(()).ok_or(format!("{id} is not active"))
        };
        let sure = |holds: bool, why: &str| holds.then_some(()).ok_or(why.to_owned());
        match write {
            Write::Create { .. } => {
                let live = self.peerings.iter().any(|p| self.is_of_pair(p.id) && p.state.is_live());
                let known = self.memory.peering().is_some_and(|id| self.memory.ending_of(id).is_none());
                let live_unended =
                    self.peerings.iter().any(|p| p.state.is_live() && self.memory.ending_of(p.id).is_none());
                sure(!(live && live_unended && known), "one of the pair is live")
            }
            Write::Accept(id) | Write::Tag { id, .. } | Write::Options { id, .. } => {
                sure(self.is_ours(*id), "it is another's")
            }
            Write::Untag { id, .. } => sure(self.is_ours(*id), "it is another's"),
            Write::Remove(id, _) => {
                let owner = self.row(*id).and_then(Peering::owner);
                let tagged = owner.as_ref() == Some(&self.desired.owner_tag());
                sure(tagged || self.memory.peering() == Some(*id), "it is not ours")?;
                let wanted = match self.desired.deletion_policy {
                    Some(DeletionPolicy::Delete) => true,
                    Some(DeletionPolicy::Retain) => false,
                    // With memory lost, the tags on it tell whose making it was.
                    None if self.memory.life == Life::NeverSeen => {
                        self.row(*id).and_then(Peering::origin_tag) == Some("created")
                    }
                    None => self.memory.origin == Some(Origin::Created),
                };
                let is_twin =
                    tagged && self.row(*id).is_some_and(|p| p.state == PeeringState::PendingAcceptance);
                sure(is_twin || (self.desired.deleting && wanted), "nobody asked for that")
            }
            Write::AddRoute { slot, to } => {
                is_active(to)?;
                sure(self.held(slot).is_none(), "there is a route")
            }
            Write::Repoint { slot, from, to, .. } => {
                is_active(to)?;
                held(slot, from)?;
                match from {
                    // One that two sweeps of the table's own account lack is proved absent.
                    Target::Peering(id) if self.is_of_pair(*id) || !self.is_shown(slot.side, *id) => Ok(()),
                    Target::Local => Err("a local route".to_owned()),
                    _ => sure(
                        remembered(slot) && self.policy.on_repointed_route == Reaction::Restore,
                        "a live target was overwritten unasked",
                    ),
                }
            }
            Write::DropRoute { slot, was, .. } => {
                held(slot, &Target::Peering(*was))?;
                sure(self.is_of_pair(*was), "it leads to another pair's peering")?;
                let all = self.policy.dependent_routes == DependentRoutes::All;
                // With memory lost, a declared route to the pair's peering is ours again.
                let lost = self.memory.life == Life::NeverSeen
                    && slot.destination == Destination::Cidr(cidr(slot.side.peer()))
                    && self.desired.deletion_policy != Some(DeletionPolicy::Retain);
                sure(self.memory.slots.contains_key(slot) || all || lost, "it was never ours")
            }
            // Whatever AWS lists.
            Write::RevokeRule { .. } => Err("no rule refers to a group of another Region".to_owned()),
        }
    }
}

/// The same cases each time; `PROPTEST_CASES=100000` draws as many others.
fn config() -> ProptestConfig {
    let plain = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => plain,
        None => ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(7), ..plain },
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..120)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn invariant_01_the_same_input_in_any_order_gives_the_same_bytes(bytes in bytes()) {
        let scene = scene(bytes);
        let (one, again, reversed) =
            (scene.plan(Sight::Whole), scene.plan(Sight::Whole), scene.plan(Sight::Reversed));
        prop_assert_eq!(format!("{one:?}"), format!("{again:?}"));
        prop_assert_eq!(format!("{one:?}"), format!("{reversed:?}"));
    }

    #[test]
    fn invariant_02_what_was_not_seen_is_no_evidence(bytes in bytes()) {
        let scene = scene(bytes);
        for sight in [Sight::Nothing, Sight::Old, Sight::OneEmpty] {
            let verdict = scene.plan(sight);
            for call in &verdict.wave {
                // With nothing at all of the pair, one sweep is enough to ask for the first time, and no more.
                let first = sight == Sight::OneEmpty && matches!(call.write, Write::Create { .. });
                prop_assert!(first, "{sight:?}: {call}\n{}", verdict.report);
            }
            // A tombstone is for ever, however long ago it was read; everything else grows old.
            let tombstone =
                sight == Sight::Old && scene.peerings.iter().any(|p| matches!(p.state, PeeringState::Ended(_)));
            if scene.memory.past.is_empty() && scene.memory.episode.is_none() && !tombstone {
                let lost = &verdict.memory.episode;
                prop_assert!(lost.is_none(), "{sight:?}: a loss was raised: {lost:?}");
            }
            for slot in scene.memory.slots.keys().filter(|_| !scene.desired.deleting) {
                prop_assert!(verdict.memory.slots.contains_key(slot), "{sight:?}: {slot} was forgotten");
            }
        }
    }

    #[test]
    fn invariant_03_only_what_is_provably_ours_is_changed(bytes in bytes()) {
        let scene = scene(bytes);
        let verdict = scene.plan(Sight::Whole);
        for call in &verdict.wave {
            if let Err(why) = scene.check(&call.write) {
                prop_assert!(false, "{call}: {why}\n{}\n{:?}\n{:?}", verdict.report, scene.memory, scene.peerings);
            }
            prop_assert!(matches!(scene.grants.get(call.side), Grant::Granted(_)), "{call} without a grant");
            prop_assert!(!scene.desired.suspend || scene.desired.deleting, "{call} while suspended");
        }
    }

    #[test]
    fn invariant_11_no_act_before_its_flag_is_in_memory(bytes in bytes()) {
        let scene = scene(bytes);
        let verdict = scene.plan(Sight::Whole);
        let Life::Established(before) = scene.memory.life else { return Ok(()) };
        let acts = verdict.wave.iter().any(|call| {
            matches!(call.write, Write::Create { .. })
                || matches!(call.write, Write::DropRoute { was, .. } if was == before && !scene.desired.deleting
                    && scene.policy.action == LossAction::RemoveRoutes
                    && verdict.memory.life != Life::Established(before))
        });
        if acts && !scene.desired.deleting {
            prop_assert!(scene.memory.episode.is_some(), "it acts upon a loss that was never stored");
            prop_assert!(verdict.memory.episode.as_ref().is_some_and(|e| e.acted.is_some()));
        }
    }

    #[test]
    fn every_verdict_speaks(bytes in bytes()) {
        use peerkeeper_core::plan::Truth;
        use peerkeeper_core::reason::ConditionType;
        let scene = scene(bytes);
        for sight in [Sight::Whole, Sight::Nothing, Sight::Old, Sight::OneEmpty] {
            let verdict = scene.plan(sight);
            let report = &verdict.report;
            let ready = report.condition(ConditionType::Ready).unwrap();
            let says = report.condition(ConditionType::Reconciling).or(report.condition(ConditionType::Stalled));
            match ready.truth {
                Truth::True => {
                    prop_assert!(verdict.wave.is_empty(), "ready, and writing\n{report}");
                    prop_assert!(report.held.is_empty(), "ready, and holding back\n{report}");
                    prop_assert!(sight == Sight::Whole, "ready, and blind\n{report}");
                }
                Truth::False => prop_assert!(says.is_some(), "{report}"),
                Truth::Unknown => {}
            }
            for held in &report.held {
                prop_assert!(!held.release.is_empty());
            }
        }
    }
}
