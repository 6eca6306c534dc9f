//! What holds whatever happens: random people do random things in a rough world.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ec2sim::{
    Caller, Describe, Knobs, PeeringId, PeeringStatus as S, Request, RouteRequest, RouteState, RouteTableId,
    Seeded, Target, VpcId, World,
};
use proptest::prelude::*;

use crate::rig::*;

#[derive(Clone, Debug)]
enum Act {
    Create(usize, usize),
    Accept(usize),
    Reject(usize),
    Delete(usize, bool),
    AddRoute(usize, usize),
    Repoint(usize, usize),
    DropRoute(usize),
    AddBlock(usize, u8),
    DropVpc(usize),
    Describe(bool),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let some = 0..12usize;
    prop_oneof![
        4 => (0..4usize, 0..4usize).prop_map(|(a, b)| Act::Create(a, b)),
        4 => some.clone().prop_map(Act::Accept),
        1 => some.clone().prop_map(Act::Reject),
        2 => (some.clone(), any::<bool>()).prop_map(|(n, ours)| Act::Delete(n, ours)),
        3 => (0..4usize, some.clone()).prop_map(|(t, n)| Act::AddRoute(t, n)),
        2 => (0..4usize, some.clone()).prop_map(|(t, n)| Act::Repoint(t, n)),
        1 => (0..4usize).prop_map(Act::DropRoute),
        1 => (0..4usize, 0..6u8).prop_map(|(v, n)| Act::AddBlock(v, n)),
        1 => (0..4usize).prop_map(Act::DropVpc),
        2 => any::<bool>().prop_map(Act::Describe),
        3 => prop_oneof![0..120_000u64, Just(2 * HOUR), Just(2 * DAY), Just(7 * DAY)].prop_map(Act::Wait),
    ]
}

struct Play {
    world: World,
    chance: Seeded,
    vpcs: Vec<VpcId>,
    tables: Vec<RouteTableId>,
    us: Caller,
    them: Caller,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        let mut vpcs = Vec::new();
        // Two overlap, two share an account.
        for (account, region, cidr) in [
            (US, EU, "10.1.0.0/16"),
            (US, EU, "10.2.0.0/16"),
            (THEM, VA, "10.2.0.0/16"),
            (THEM, VA, "10.4.0.0/16"),
        ] {
            vpcs.push(world.create_vpc(account, region, cidr).unwrap());
        }
        let tables = vpcs.iter().map(|vpc| world.main_table(vpc).unwrap()).collect();
        let chance = Seeded::new(seed, Knobs::rough());
        Self { world, chance, vpcs, tables, us: Caller::new(US, EU), them: Caller::new(THEM, VA) }
    }

    fn id(&self, n: usize) -> String {
        let ids: Vec<PeeringId> = self.world.peerings().map(|peering| peering.id).collect();
        match ids.len() {
            0 => "pcx-0000000000000ffff".to_owned(),
            count => (&ids[n % count]).into(),
        }
    }

    fn owner(&self, n: usize) -> Caller {
        if n < 2 { self.us.clone() } else { self.them.clone() }
    }

    fn act(&mut self, act: &Act) {
        let (caller, request) = match act {
            Act::Wait(ms) => return self.world.advance(self.world.now_ms() + ms),
            Act::Create(from, to) => {
                let peer = self.owner(*to);
                let request =
                    create(&self.vpcs[*from], &self.vpcs[*to], peer.account.as_str(), peer.region.as_str());
                (self.owner(*from), request)
            }
            Act::Accept(n) => {
                let to_us = self
                    .world
                    .peerings()
                    .any(|p| p.id.as_str() == self.id(*n) && p.accepter.owner.as_str() == US);
                let caller = if to_us { self.us.clone() } else { self.them.clone() };
                (caller, Request::AcceptVpcPeeringConnection { peering_id: self.id(*n) })
            }
            Act::Reject(n) => {
                (self.them.clone(), Request::RejectVpcPeeringConnection { peering_id: self.id(*n) })
            }
            Act::Delete(n, ours) => {
                let caller = if *ours { self.us.clone() } else { self.them.clone() };
                (caller, Request::DeleteVpcPeeringConnection { peering_id: self.id(*n) })
            }
            Act::AddRoute(table, n) => {
                let route = RouteRequest::new(&self.tables[*table], "10.64.0.0/12").peering(self.id(*n));
                (self.owner(*table), Request::CreateRoute(route))
            }
            Act::Repoint(table, n) => {
                let route = RouteRequest::new(&self.tables[*table], "10.64.0.0/12").peering(self.id(*n));
                (self.owner(*table), Request::ReplaceRoute(route))
            }
            Act::DropRoute(table) => {
                let route = RouteRequest::new(&self.tables[*table], "10.64.0.0/12");
                (self.owner(*table), Request::DeleteRoute(route))
            }
            Act::AddBlock(vpc, n) => {
                let cidr = format!("10.{n}.0.0/16");
                (self.owner(*vpc), Request::AssociateVpcCidrBlock { vpc_id: (&self.vpcs[*vpc]).into(), cidr })
            }
            Act::DropVpc(vpc) => (self.owner(*vpc), Request::DeleteVpc { vpc_id: (&self.vpcs[*vpc]).into() }),
            Act::Describe(ours) => {
                let caller = if *ours { self.us.clone() } else { self.them.clone() };
                (caller, Request::DescribeVpcPeeringConnections(Describe::all().page(5, None)))
            }
        };
        // Refusals and lost answers are part of the game.
        self.world.call(&caller, request, &mut self.chance).ok();
    }

    fn check(&self, ended: &mut BTreeMap<PeeringId, S>) {
        let peerings: Vec<_> = self.world.peerings().collect();
        for peering in &peerings {
            let pair = (&peering.requester.vpc, &peering.accepter.vpc);
            let twins = peerings.iter().filter(|other| {
                let others = (&other.requester.vpc, &other.accepter.vpc);
                other.status == S::Active && (others == pair || others == (pair.1, pair.0))
            });
            assert!(twins.count() <= 1, "two active peerings of one pair");
            if peering.status == S::Active {
                let cidrs = peering.requester.ipv4_cidrs.iter();
                let overlap = cidrs.flat_map(|a| peering.accepter.ipv4_cidrs.iter().map(move |b| (a, b)));
                for (a, b) in overlap {
                    assert!(!a.contains(b) && !b.contains(a), "{a} and {b} overlap across an active peering");
                }
            } else {
                assert_eq!(peering.requester.cidr_block, None);
            }
            if let Some(before) = ended.get(&peering.id) {
                assert_eq!(*before, peering.status, "an ended peering stays as it ended");
            }
            if peering.status.has_ended() {
                ended.insert(peering.id.clone(), peering.status);
            }
            assert_eq!(peering.expiration_ms.is_some(), peering.status.is_unanswered());
        }
        for table in self.world.route_tables() {
            for route in &table.routes {
                let Target::Peering(id) = &route.target else { continue };
                let active = self.world.peering(id).is_some_and(|peering| peering.status == S::Active);
                assert_eq!(
                    route.state == RouteState::Active,
                    active,
                    "a blackhole is a peering that isn't active"
                );
            }
        }
    }
}

fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_and_the_same_seed_gives_the_same_world(seed: u64, acts in prop::collection::vec(act(), 1..60)) {
        let (mut one, mut two) = (Play::new(seed), Play::new(seed));
        let mut ended = BTreeMap::new();
        for act in &acts {
            one.act(act);
            two.act(act);
            one.check(&mut ended);
        }
        prop_assert_eq!(&one.world, &two.world);
        prop_assert_eq!(hash(&one.world), hash(&two.world));
        prop_assert!(one.world.log().eq(two.world.log()));
    }

    #[test]
    fn time_in_one_step_or_in_many_is_the_same(seed: u64, acts in prop::collection::vec(act(), 1..40), to in 0..10 * DAY) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.act(act);
        }
        let target = play.world.now_ms() + to;
        let mut steps = play.world.clone();
        while let Some(due) = steps.next_due().filter(|due| *due <= target) {
            steps.advance(due);
        }
        steps.advance(target);
        play.world.advance(target);
        prop_assert_eq!(&steps, &play.world);
        prop_assert!(play.world.next_due().is_none_or(|due| due > target));
    }

    #[test]
    fn a_world_counted_from_now_lives_on_as_the_original_does(
        seed: u64, acts in prop::collection::vec(act(), 1..30), later in prop::collection::vec(act(), 1..30)
    ) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.act(act);
        }
        let mut moved = Play { world: play.world.from_now(), chance: play.chance.clone(), ..Play::new(seed) };
        prop_assert_eq!(moved.world.now_ms(), 0);
        for act in &later {
            play.act(act);
            moved.act(act);
        }
        prop_assert_eq!(play.world.from_now(), moved.world.from_now());
    }

    #[test]
    fn a_refused_call_changes_nothing(seed: u64, acts in prop::collection::vec(act(), 1..40)) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.world.advance(play.world.now_ms());
            let before = play.world.clone();
            let logged = play.world.log().len();
            play.act(act);
            let refused = play.world.log().nth(logged).is_some_and(|entry| entry.result.is_err());
            if refused {
                prop_assert_eq!(&before, &play.world, "{:?}", act);
            }
        }
    }

    #[test]
    fn left_alone_every_lag_ends_and_reads_agree_with_the_truth(seed: u64, acts in prop::collection::vec(act(), 1..40)) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.act(act);
        }
        // Longer than any delay and the lag after it.
        play.world.advance(play.world.now_ms() + 600_000);
        play.chance.knobs.faults.clear();
        for caller in [play.us.clone(), play.them.clone()] {
            let request = Request::DescribeVpcPeeringConnections(Describe::all());
            let answer = play.world.call(&caller, request, &mut play.chance).unwrap();
            for seen in answer.peerings().unwrap().items {
                let truth = play.world.peering_as(&caller, &seen.id);
                prop_assert_eq!(Some(seen), truth);
            }
        }
    }

    #[test]
    fn no_text_however_odd_makes_it_panic(texts in prop::collection::vec(odd_text(), 8), max: u32) {
        let mut rig = rig();
        let us = rig.us.clone();
        let before = rig.world.clone();
        for request in odd_requests(&texts, max, &rig.a, &rig.main_table(&rig.a)) {
            let mutates = request.action().mutates();
            let failed = rig.ask(&us, request).is_err();
            prop_assert!(failed || mutates, "a description asked for with nonsense must be refused");
        }
        prop_assert!(before.now_ms() == rig.world.now_ms());
    }
}

fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(vpc|pcx|rtb|pl|rtbassoc)-[0-9a-f]{0,17}",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,3}",
        "[0-9a-f:]{0,40}/[0-9]{1,3}",
        "[0-9a-f]{16}[01].{0,4}",
    ]
}

fn odd_requests(texts: &[String], max: u32, vpc: &VpcId, table: &RouteTableId) -> Vec<Request> {
    let text = |n: usize| texts[n].clone();
    let odd_query = Describe {
        ids: vec![text(0)],
        ..Describe::all().filter(&text(1), [text(2)]).page(max, Some(text(3)))
    };
    let route = RouteRequest::new(text(4), text(5)).target(text(6));
    let own_route = RouteRequest::new(table, text(5)).target(text(6));
    vec![
        Request::CreateVpc { cidr: text(0), ipv6_cidr: Some(text(1)), tags: [(text(2), text(3))].into() },
        Request::AssociateVpcCidrBlock { vpc_id: vpc.into(), cidr: text(5) },
        Request::DisassociateVpcCidrBlock { association_id: text(4) },
        Request::CreateRoute(route.clone()),
        Request::ReplaceRoute(route.clone()),
        Request::DeleteRoute(route),
        Request::CreateRoute(own_route.clone()),
        Request::ReplaceRoute(own_route.clone()),
        Request::DeleteRoute(own_route),
        Request::AcceptVpcPeeringConnection { peering_id: text(7) },
        create(vpc, vpc, &text(1), &text(2)),
        Request::CreateTags { resources: vec![text(0), text(4)], tags: [(text(2), text(3))].into() },
        Request::DeleteTags { resources: vec![text(0), text(4)], tags: vec![(text(2), None)] },
        Request::DescribeVpcs(odd_query.clone()),
        Request::DescribeRouteTables(odd_query.clone()),
        Request::DescribeVpcPeeringConnections(odd_query.clone()),
        Request::DescribeManagedPrefixLists(odd_query),
        Request::DescribeRouteTables(Describe::all().page(max, Some(text(3)))),
    ]
}
