//! Token buckets: their sizes, how they fill again, whom they belong to.

use ec2sim::{Action, Caller, Calm, Category, Describe, Failure, Fault, Rate, Request, Script, Throttling};
use std::collections::HashSet;

use crate::rig::*;

fn describe() -> Request {
    Request::DescribeVpcs(Describe::all())
}

/// How many of so many calls at this moment get through.
fn through(rig: &mut Rig, caller: &Caller, request: &Request, calls: u32) -> u32 {
    let mut throttled = 0;
    for _ in 0..calls {
        let answer = rig.ask(caller, request.clone());
        if answer.as_ref().err().and_then(Failure::code) == Some("RequestLimitExceeded") {
            throttled += 1;
        }
    }
    calls - throttled
}

fn throttled_rig() -> Rig {
    let mut rig = rig();
    rig.world.set_throttling(Some(Throttling::aws()));
    rig
}

#[test]
fn each_category_has_awss_size_and_refill() {
    let tag = Request::CreateTags { resources: vec!["vpc-00000000".to_owned()], tags: Default::default() };
    let id = || "pcx-00000000".to_owned();
    let groups = |query| Request::DescribeSecurityGroups(query);
    let cases = [
        (describe(), 100, 20),
        (groups(Describe::all()), 50, 10),
        (groups(Describe::all().page(5, None)), 100, 20),
        (groups(Describe::all().filter("vpc-id", ["vpc-00000000"])), 100, 20),
        (
            Request::DescribeStaleSecurityGroups {
                vpc_id: "vpc-00000000".to_owned(),
                max_results: None,
                next_token: None,
            },
            20,
            5,
        ),
        (
            Request::ModifyVpcPeeringConnectionOptions { peering_id: id(), requester: None, accepter: None },
            50,
            5,
        ),
        (Request::AcceptVpcPeeringConnection { peering_id: id() }, 50, 5),
        (tag, 100, 10),
    ];
    for (request, size, refill) in cases {
        let (mut rig, action) = (throttled_rig(), request.action());
        let us = rig.us.clone();
        assert_eq!(through(&mut rig, &us, &request, 200), size, "{action} at once");
        rig.world.advance(1_000);
        assert_eq!(through(&mut rig, &us, &request, 200), refill, "{action} a second later");
        rig.world.advance(1_000 + 3_600_000);
        assert_eq!(through(&mut rig, &us, &request, 200), size, "{action}: no bucket overflows");
        assert_eq!(rig.world.count_by("user", action), 600, "refused calls are counted too");
        assert_eq!(
            rig.world.throttled()[&(us, action)],
            u64::from(600 - 2 * size - refill),
            "{action}: and counted apart"
        );
    }
    assert_eq!(
        Throttling::aws().rate(Category::Uncategorized),
        Some(Rate { size: 20, refill_per_s: 5 }),
        "stale groups"
    );
}

#[test]
fn a_refill_comes_call_by_call_and_a_refused_call_costs_nothing() {
    let mut rig = throttled_rig();
    let us = rig.us.clone();
    let accept = accept(&rig.world.peer(&rig.a.clone(), &rig.b.clone()).unwrap());
    assert_eq!(through(&mut rig, &us, &accept, 50), 50);
    for ms in 1..200 {
        rig.world.advance(ms);
        assert_eq!(through(&mut rig, &us, &accept, 1), 0, "after {ms} ms");
    }
    rig.world.advance(200);
    assert_eq!(through(&mut rig, &us, &accept, 2), 1, "a fifth of a second is one call");
}

#[test]
fn buckets_are_apart_by_account_region_and_api() {
    let mut rig = throttled_rig();
    let us = rig.us.clone();
    assert_eq!(through(&mut rig, &us, &describe(), 101), 100);
    assert_eq!(
        through(&mut rig, &us.clone().named("a colleague"), &describe(), 1),
        0,
        "one account, one bucket"
    );
    assert_eq!(through(&mut rig, &us, &Request::DescribeRouteTables(Describe::all()), 1), 1);
    assert_eq!(through(&mut rig, &Caller::new(US, VA), &describe(), 1), 1);
    assert_eq!(through(&mut rig, &Caller::new(THEM, EU), &describe(), 1), 1);
}

#[test]
fn what_is_throttled_has_no_effect_and_what_another_service_does_is_not_counted_here() {
    let mut rig = throttled_rig();
    let (us, id) = (rig.us.clone(), rig.world.peer(&rig.a.clone(), &rig.b.clone()).unwrap());
    rig.world.set_throttling(Some(
        Throttling::aws().with(Category::ResourceIntensive, Rate { size: 0, refill_per_s: 1 }),
    ));
    let before = rig.world.log().len();
    assert_eq!(rig.refused(&us, delete(&id)).0, "RequestLimitExceeded");
    assert_eq!(rig.status(&us, &id), Some(ec2sim::PeeringStatus::Active));
    assert_eq!(rig.world.log().len(), before, "it never reached EC2");
    assert_eq!(through(&mut rig, &us, &Request::GetCallerIdentity {}, 300), 300);
    rig.world.set_throttling(None);
    rig.ask(&us, delete(&id)).unwrap();
}

#[test]
fn a_dry_run_takes_from_the_bucket_and_a_lost_connection_does_not() {
    let mut rig = throttled_rig();
    let us = rig.us.clone();
    rig.world.set_throttling(Some(
        Throttling::aws().with(Category::NonMutating, Rate { size: 1, refill_per_s: 1 }),
    ));
    let mut reset = Script::new().fault(Action::DescribeVpcs, Fault::ResetBeforeEffect);
    assert_eq!(rig.world.call(&us, describe(), &mut reset), Err(Failure::NoReply));
    assert_eq!(rig.world.dry_run(&us, describe(), &mut Calm).code(), Some("DryRunOperation"));
    assert_eq!(rig.refused(&us, describe()).0, "RequestLimitExceeded");
    assert_eq!(rig.world.dry_run(&us, describe(), &mut Calm).code(), Some("RequestLimitExceeded"));
}

#[test]
fn a_world_knows_its_buckets_again_from_now_on() {
    let mut rig = throttled_rig();
    let us = rig.us.clone();
    let fresh = rig.world.from_now();
    through(&mut rig, &us, &describe(), 60);
    assert_ne!(rig.world, fresh, "what is left in a bucket is state");
    rig.world.advance(1_000);
    let mut moved = Rig { world: rig.world.from_now(), ..self::rig() };
    assert_eq!(moved.world.now_ms(), 0);
    for later_ms in [500, 900] {
        moved.world.advance(later_ms);
        rig.world.advance(1_000 + later_ms);
        let left =
            |rig: &Rig| through(&mut Rig { world: rig.world.clone(), ..self::rig() }, &us, &describe(), 200);
        assert_eq!(left(&moved), left(&rig));
    }
    rig.world.advance(3_600_000);
    assert!(
        HashSet::from([fresh]).contains(&rig.world.from_now()),
        "a bucket that is full again is forgotten"
    );
}

/// Which calls AWS counts as which; one that is new here has to be thought about.
#[test]
fn every_call_has_its_category() {
    let of = |category| {
        let all = Action::ALL.iter().filter(move |action| Category::of(**action) == category);
        all.map(|action| action.name()).collect::<Vec<_>>()
    };
    assert!(
        of(Some(Category::NonMutating))
            .iter()
            .all(|name| name.starts_with("Describe") || name.starts_with("Get"))
    );
    assert!(of(Some(Category::ResourceIntensive)).contains(&"CreateVpcPeeringConnection"));
    assert!(of(Some(Category::Mutating)).contains(&"ReplaceRoute"));
    assert_eq!(of(Some(Category::Tagging)), ["CreateTags", "DeleteTags"]);
    assert!(of(None).contains(&"GetCallerIdentity"));
}
