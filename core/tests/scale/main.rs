//! What one object costs does not rise with the number of the others: everything that is done for each object, counted
//! in allocations and never in time.

#[path = "../../benches/plan/fleet.rs"]
mod fleet;

use allocation_counter::measure;

use fleet::{Aws, Fleet, Object, ROUTES_PER_PEERING, claim, limit};

const FEW: usize = 50;
const MANY: usize = 1_000;

/// Allocations and bytes of one pass over one hub's objects, which are the same in a small fleet and in a large one.
fn cost(fleet: &Fleet, each: impl Fn(&Object)) -> (u64, u64) {
    let counted = measure(|| fleet.objects[..FEW].iter().for_each(&each));
    (counted.count_total, counted.bytes_total)
}

#[test]
fn a_plan_costs_the_same_however_many_other_objects_there_are() {
    let (mut few, mut many) = (Fleet::in_sync(FEW), Fleet::in_sync(MANY));
    let plan = |fleet: &Fleet| cost(fleet, |object| drop(fleet.plan(object)));
    assert_eq!(plan(&few), plan(&many), "in sync");
    for (what, aws) in [
        ("lost, to be flagged", Aws::Lost),
        ("lost, to be made again", Aws::Lost),
        ("routes to re-point", Aws::Replaced),
    ] {
        for fleet in [&mut few, &mut many] {
            fleet.wait_s(60);
            fleet.observe(aws);
        }
        assert_eq!(plan(&few), plan(&many), "{what}");
        for fleet in [&mut few, &mut many] {
            fleet.advance();
            fleet.enter();
        }
    }
}

#[test]
fn the_fleet_is_what_the_numbers_say_it_is() {
    let mut fleet = Fleet::in_sync(FEW);
    let waves =
        |fleet: &Fleet| fleet.objects.iter().map(|object| fleet.plan(object).wave.len()).sum::<usize>();
    assert_eq!(waves(&fleet), 0, "in sync");
    let slots = fleet.objects.iter().map(|object| object.memory.slots.len());
    assert_eq!(slots.sum::<usize>(), FEW * ROUTES_PER_PEERING);
    let mut waves_after = |aws| {
        fleet.wait_s(60);
        fleet.observe(aws);
        let sent = waves(&fleet);
        fleet.advance();
        fleet.enter();
        sent
    };
    assert_eq!(waves_after(Aws::Lost), 0, "flagged first");
    assert_eq!(waves_after(Aws::Lost), FEW, "each is asked for");
    assert_eq!(waves_after(Aws::Replaced), FEW * ROUTES_PER_PEERING, "every route is re-pointed");
}

#[test]
fn entering_an_object_costs_the_same_however_many_there_are() {
    let cost = |size: usize| {
        let mut fleet = Fleet::in_sync(size);
        let object = fleet.objects.swap_remove(0);
        let (claim, limit) = (claim(&object), limit(&object, &fleet.policy));
        let counted = measure(|| {
            fleet.claims.set(claim);
            fleet.limits.set_object(object.desired.key.clone(), limit);
        });
        (counted.count_total, counted.bytes_total)
    };
    assert_eq!(cost(FEW), cost(MANY));
}

#[test]
fn one_more_sweep_in_which_nothing_changed_weighs_little() {
    let mut first = None;
    let one = measure(|| first = Some(Fleet::in_sync(MANY)));
    let again = measure(|| first.as_mut().unwrap().observe_again());
    assert!(again.bytes_current * 5 < one.bytes_current, "{again:?} beside {one:?}");
}
