//! A small world gone through exhaustively, as a model checker would: every delay, every order of calls, time only
//! to what falls due. It shows that a state is known again and that the world stays finite.

use std::collections::{BTreeSet, HashSet};

use ec2sim::{
    Action, Caller, Chance, Choice, Delay, Describe, Fault, PeeringStatus as S, Request, Response, VpcId,
    World,
};

use crate::rig::*;

/// Answers as its path says and the first way beyond; remembers how many ways there were.
#[derive(Default)]
struct Branch {
    path: Vec<usize>,
    ways: Vec<usize>,
}

impl Branch {
    fn choose(&mut self, ways: usize) -> usize {
        let at = self.ways.len();
        self.ways.push(ways);
        if at == self.path.len() {
            self.path.push(0);
        }
        self.path[at]
    }

    /// The next path, as an odometer counts.
    fn next(mut self) -> Option<Self> {
        while let Some(last) = self.path.pop() {
            if last + 1 < self.ways[self.path.len()] {
                self.path.push(last + 1);
                return Some(Self { path: self.path, ways: Vec::new() });
            }
        }
        None
    }
}

impl Chance for Branch {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        match what {
            // What is true does not hang on what is seen.
            Delay::Visibility => 0,
            _ => [0, 2_000][self.choose(2)],
        }
    }

    fn pick(&mut self, _: Choice, ways: usize) -> usize {
        self.choose(ways)
    }

    fn fault(&mut self, _: &Caller, _: Action) -> Option<Fault> {
        None
    }
}

/// Every world and answer that one call can lead to.
fn outcomes(world: &World, caller: &Caller, request: &Request) -> Vec<(World, Option<Response>)> {
    let mut branch = Branch::default();
    let mut found = Vec::new();
    loop {
        let mut next = world.clone();
        let answer = next.call(caller, request.clone(), &mut branch).ok();
        found.push((next, answer));
        match branch.next() {
            Some(more) => branch = more,
            None => return found,
        }
    }
}

fn statuses(world: &World) -> Vec<S> {
    world.peerings().map(|peering| peering.status).collect()
}

fn requests(world: &World, a: &VpcId, b: &VpcId) -> Vec<(Caller, Request)> {
    let (us, them) = (Caller::new(US, EU), Caller::new(THEM, VA));
    let mut requests = vec![];
    // One peering each way is enough: more would be the same again.
    if world.peerings().all(|peering| peering.requester.vpc != *a) {
        requests.push((us.clone(), create(a, b, THEM, VA)));
    }
    if world.peerings().all(|peering| peering.requester.vpc != *b) {
        requests.push((them.clone(), create(b, a, US, EU)));
    }
    for peering in world.peerings() {
        let accepter = if peering.accepter.owner.as_str() == US { us.clone() } else { them.clone() };
        requests.push((accepter, accept(&peering.id)));
        requests.push((us.clone(), delete(&peering.id)));
    }
    requests
}

#[test]
fn no_order_of_calls_and_no_chance_makes_two_active_peerings() {
    let mut start = World::new();
    start.keep_log(false);
    let a = start.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let b = start.create_vpc(THEM, VA, "10.2.0.0/16").unwrap();
    let (mut known, mut open) = (HashSet::from([start.from_now()]), vec![start]);
    let mut met = BTreeSet::new();
    while let Some(world) = open.pop() {
        let mut next = Vec::new();
        for (caller, request) in requests(&world, &a, &b) {
            next.extend(outcomes(&world, &caller, &request).into_iter().map(|(world, _)| world));
        }
        // Tombstones and expiry are hours away and would only repeat the tale.
        if let Some(due) = world.next_due().filter(|due| due - world.now_ms() < 10_000) {
            let mut later = world.clone();
            later.advance(due);
            next.push(later);
        }
        for world in next.into_iter().map(|world| world.from_now()) {
            let now = statuses(&world);
            met.extend(now.iter().copied());
            let standing = now.iter().filter(|status| matches!(status, S::Active | S::Provisioning)).count();
            assert!(standing <= 1, "{now:?}");
            if known.insert(world.clone()) {
                open.push(world);
            }
            assert!(known.len() < 20_000, "the small world grew out of hand");
        }
    }
    let wanted =
        [S::InitiatingRequest, S::PendingAcceptance, S::Provisioning, S::Active, S::Deleting, S::Deleted];
    assert_eq!(met, BTreeSet::from(wanted));
    println!("{} states", known.len());
}

#[test]
fn a_read_in_the_lag_shows_each_version_there_was_and_no_other() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let mut lagging = ec2sim::Script::new().always_delay_ms(Delay::Visibility, 1_000);
    rig.world.call(&them, accept(&id), &mut lagging).unwrap();
    let query = Request::DescribeVpcPeeringConnections(Describe::ids([&id]));
    let shown: BTreeSet<S> = outcomes(&rig.world, &us, &query)
        .into_iter()
        .map(|(_, answer)| answer.unwrap().peerings().unwrap().items[0].status)
        .collect();
    assert_eq!(shown, BTreeSet::from([S::PendingAcceptance, S::Provisioning, S::Active]));
}
