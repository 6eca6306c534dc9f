use proptest::prelude::*;

use super::*;
use crate::trail::Actor;

fn pcx(n: u64) -> PeeringId {
    format!("pcx-{n:017x}").parse().unwrap()
}

fn table(n: u64) -> RouteTableId {
    format!("rtb-{n:017x}").parse().unwrap()
}

fn vpc(n: u64) -> VpcId {
    format!("vpc-{n:017x}").parse().unwrap()
}

fn cidr(n: u64) -> Destination {
    format!("10.{n}.0.0/16").parse().unwrap()
}

fn place() -> AccountRegion {
    AccountRegion { account: "111122223333".parse().unwrap(), region: "eu-west-1".parse().unwrap() }
}

fn event(id: &str, at: i64, call: Call, heard: Heard) -> Arc<TrailEvent> {
    let request_id = format!("request of {id}").into();
    let (at, record) = (Wall(at), "{}".into());
    let (place, actor) = (place(), Actor::default());
    Arc::new(TrailEvent { id: id.into(), at, place, call, actor, heard, request_id, record })
}

fn concern(peering: u64, routes: &[(u64, u64)], vpcs: [u64; 2]) -> Concern {
    Concern {
        peerings: [pcx(peering)].into(),
        routes: routes.iter().map(|(of, to)| (table(*of), cidr(*to))).collect(),
        vpcs: vpcs.map(vpc).into(),
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("net", name)
}

fn ids(witness: &Witness) -> Vec<&str> {
    witness.events.iter().map(|event| &*event.id).collect()
}

fn nowhere() -> Sides<Result<AccountRegion, Arc<str>>> {
    Sides::new(Ok(place()), Err("no AwsAccount".into()))
}

#[test]
fn a_call_concerns_those_whose_peering_route_or_vpc_it_names_and_nobody_else() {
    let mut index = Index::default();
    index.set(&key("a"), concern(1, &[(1, 1), (1, 2)], [1, 2]));
    index.set(&key("b"), concern(2, &[(1, 3)], [1, 3]));
    let names = |index: &Index, call: Call| {
        index.concerned(&call).iter().map(|key| key.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    let made = |requester, accepter, made| Call::CreatePeering {
        requester: vpc(requester),
        accepter: vpc(accepter),
        made: Some(pcx(made)),
    };
    let delete = |of, to| Call::DeleteRoute { table: table(of), destination: cidr(to) };
    for (call, expected) in [
        (Call::DeletePeering(pcx(1)), "a"),
        (Call::RejectPeering(pcx(2)), "b"),
        (Call::DeletePeering(pcx(9)), ""),
        (made(2, 1, 7), "a"),
        (made(1, 9, 7), ""),
        (made(8, 9, 2), "b"),
        (delete(1, 2), "a"),
        (delete(1, 3), "b"),
        (delete(1, 4), "a b"),
        (delete(2, 1), ""),
        (Call::DeleteRouteTable(table(1)), "a b"),
        (Call::DeleteVpc(vpc(1)), "a b"),
        (Call::DeleteVpc(vpc(3)), "b"),
        (Call::Blind { name: "StopLogging".into() }, ""),
    ] {
        assert_eq!(names(&index, call.clone()), expected, "{call:?}");
    }
    for (call, declared) in [
        (Call::DeletePeering(pcx(1)), true),
        (Call::RejectPeering(pcx(9)), false),
        (delete(1, 2), true),
        (delete(1, 4), false),
        (Call::DeleteVpc(vpc(1)), false),
    ] {
        assert_eq!(index.is_declared(&call), declared, "{call:?}");
    }
    index.set(&key("a"), concern(3, &[], [1, 2]));
    assert_eq!(names(&index, Call::DeletePeering(pcx(1))), "");
    assert_eq!(names(&index, Call::DeletePeering(pcx(3))), "a");
    index.remove(&key("a"));
    index.remove(&key("b"));
    assert_eq!(index, Index { last_number: index.last_number, ..Index::default() }, "nothing is left behind");
}

#[test]
fn an_unknown_route_in_a_hubs_table_wakes_no_crowd() {
    let mut index = Index::default();
    for n in 0..=Index::TABLE_MAX as u64 {
        index.set(&key(&n.to_string()), concern(n, &[(1, n)], [1, 100 + n]));
    }
    let call = |to| Call::CreateRoute { table: table(1), destination: cidr(to) };
    assert_eq!(index.concerned(&call(200)).len(), 0);
    assert_eq!(index.concerned(&call(5)).len(), 1);
    index.remove(&key("0"));
    assert_eq!(index.concerned(&call(200)).len(), Index::TABLE_MAX);
}

#[test]
fn one_record_is_one_however_often_it_comes_and_the_historys_counts() {
    let mut all = Witnesses::default();
    let call = Call::DeletePeering(pcx(1));
    assert!(all.hear(Mono(0), event("x", 5, call.clone(), Heard::Queue)));
    assert!(!all.hear(Mono(1), event("x", 5, call.clone(), Heard::Queue)));
    assert!(all.hear(Mono(2), event("x", 6, call.clone(), Heard::History)), "it corroborates");
    assert!(!all.hear(Mono(3), event("x", 7, call, Heard::Queue)), "a message takes nothing of that back");
    let shown = all.view(&concern(1, &[], [1, 2]), Some(pcx(1)), &nowhere());
    assert_eq!((shown.events.len(), shown.events[0].at, shown.events[0].heard), (1, Wall(6), Heard::History));
    assert_eq!(shown.history.requester, Asked::NotYet);
    assert_eq!(shown.history.accepter, Asked::Unavailable("no AwsAccount".into()));
    all.note_asked(pcx(1), place(), Asked::Answered(Wall(9)));
    let shown = all.view(&concern(1, &[], [1, 2]), Some(pcx(1)), &nowhere());
    assert_eq!(shown.history.requester, Asked::Answered(Wall(9)));
    let other = all.view(&concern(1, &[], [1, 2]), Some(pcx(2)), &nowhere());
    assert_eq!(other.history.requester, Asked::NotYet, "another loss was not asked about");
}

#[test]
fn an_object_is_shown_what_concerns_it_oldest_first() {
    let mut all = Witnesses::default();
    let delete = Call::DeletePeering(pcx(1));
    let route = Call::DeleteRoute { table: table(1), destination: cidr(9) };
    let third = Call::CreatePeering { requester: vpc(1), accepter: vpc(9), made: Some(pcx(7)) };
    let pair = Call::CreatePeering { requester: vpc(2), accepter: vpc(1), made: Some(pcx(8)) };
    for (id, at, call) in [
        ("b", 9, delete),
        ("a", 7, route),
        ("c", 8, pair),
        ("d", 1, third),
        ("e", 1, Call::DeletePeering(pcx(5))),
    ] {
        all.hear(Mono(0), event(id, at, call, Heard::Queue));
    }
    assert_eq!(ids(&all.view(&concern(1, &[(1, 1)], [1, 2]), None, &nowhere())), ["a", "c", "b"]);
}

#[test]
fn what_says_least_goes_first() {
    let mut all = Witnesses::new(Bounds { events: 2, ..Bounds::default() });
    let (accept, delete) = (Call::AcceptPeering(pcx(1)), Call::DeletePeering(pcx(1)));
    all.hear(Mono(0), event("history", 1, delete.clone(), Heard::History));
    all.hear(Mono(0), event("accept", 2, accept.clone(), Heard::History));
    assert!(all.hear(Mono(0), event("queue", 3, delete.clone(), Heard::Queue)), "the accept goes");
    assert!(!all.hear(Mono(0), event("late", 4, accept, Heard::Queue)), "there is no room for it");
    for n in 0..100 {
        all.hear(Mono(0), event(&format!("forged-{n}"), n, delete.clone(), Heard::Queue));
    }
    assert_eq!(all.len(), 2);
    let shown = all.view(&concern(1, &[], [1, 2]), None, &nowhere());
    assert!(ids(&shown).contains(&"history"), "no flood of messages moves it: {:?}", ids(&shown));
}

#[test]
fn a_flood_leaves_what_one_object_is_shown_bounded() {
    let mut all = Witnesses::default();
    let delete = Call::DeletePeering(pcx(1));
    all.hear(Mono(0), event("true", 1, delete.clone(), Heard::History));
    for n in 0..1000 {
        all.hear(Mono(0), event(&format!("forged-{n}"), n, delete.clone(), Heard::Queue));
    }
    let shown = all.view(&concern(1, &[], [1, 2]), None, &nowhere());
    assert_eq!(shown.events.len(), Witnesses::SHOWN_MAX);
    assert!(ids(&shown).contains(&"true"));
}

proptest! {
    #[test]
    fn whatever_is_heard_it_stays_within_bounds_and_indexed_as_held(
        heard in prop::collection::vec((0..20_u64, 0..4_u64, any::<bool>(), 0..40_u64, 0..4_usize), 0..120),
    ) {
        let bounds = Bounds { events: 8, record_bytes: 200, age_ms: 100 };
        let mut all = Witnesses::new(bounds);
        let mut now = Mono(0);
        for (id, of, from_history, pause, kind) in heard {
            now = now.plus_ms(pause);
            let call = match kind {
                0 => Call::DeletePeering(pcx(of)),
                1 => Call::DeleteRoute { table: table(of), destination: cidr(1) },
                2 => Call::CreatePeering { requester: vpc(of), accepter: vpc(of + 1), made: None },
                _ => Call::AcceptPeering(pcx(of)),
            };
            let by = if from_history { Heard::History } else { Heard::Queue };
            let mut one = (*event(&format!("{id}"), 1, call, by)).clone();
            one.record = "x".repeat(of as usize * 10).into();
            all.hear(now, Arc::new(one));
            prop_assert!(all.held.len() <= bounds.events && all.record_bytes <= bounds.record_bytes);
            let bytes: usize = all.held.values().map(|entry| entry.event.record.len()).sum();
            prop_assert_eq!(bytes, all.record_bytes);
            prop_assert!(all.held.values().all(|entry| now.since_ms(entry.heard) <= bounds.age_ms));
            let numbers: BTreeSet<u64> = all.held.values().map(|entry| entry.number).collect();
            prop_assert!(all.by_number.keys().eq(&numbers));
            let by_worth: BTreeSet<u64> = all.by_worth.iter().map(|(_, number)| *number).collect();
            prop_assert_eq!(&by_worth, &numbers);
            let indexed = all.by_peering.iter().map(|(_, n)| n).chain(all.by_table.iter().map(|(_, n)| n));
            let indexed: BTreeSet<u64> = indexed.chain(all.by_vpc.iter().map(|(_, n)| n)).copied().collect();
            prop_assert_eq!(&indexed, &numbers);
        }
    }
}
