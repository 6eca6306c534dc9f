//! What the small worlds (`core/tests/check`) found, told as what happened.

use ec2sim::{Action, Caller, Chance, Choice, Delay, Fault, PeeringStatus, Script};
use peerkeeper_core::ids::OwnerTag;
use peerkeeper_core::memory::Origin;

use crate::common::operator::Sim;
use crate::common::rig::*;

const LAG_MS: u64 = 20_000;

/// Reads in one Region show what was before every write of the last while; those of the other show all.
struct LateIn {
    region: &'static str,
    asked_here: bool,
}

impl Chance for LateIn {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        if what == Delay::Visibility { LAG_MS } else { 0 }
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        if what == Choice::StaleRead && self.asked_here { ways - 1 } else { 0 }
    }

    fn fault(&mut self, caller: &Caller, _: Action) -> Option<Fault> {
        self.asked_here = caller.region.as_str() == self.region;
        None
    }
}

fn late_in(region: &'static str) -> Box<LateIn> {
    Box::new(LateIn { region, asked_here: false })
}

/// It was active for the requester and not there at all for the accepter, so it counted as active for both; and as whole,
/// for tags are compared only where the peering is shown. What had accepted it would still have waited to see that, but
/// the process was another by then.
#[test]
fn nothing_is_whole_while_one_side_does_not_show_the_peering() {
    let mut rig = ready();
    rig.lose();
    rig.sim.chance = late_in(VA);
    rig.sim.watch = Some(tagged_where_it_is_said_to_be_whole);
    let is_active = |sim: &Sim| sim.live_peerings().iter().any(|view| view.status == PeeringStatus::Active);
    rig.sim.run_until("active", 120, is_active);
    rig.sim.restart();
    rig.until_ready();
    rig.assert_whole();
    rig.sim.run_s(120);
    rig.sim.assert_quiet(400);
}

fn tagged_where_it_is_said_to_be_whole(sim: &Sim) {
    let key = key("peering");
    if !sim.is_ready(&key) {
        return;
    }
    let id = sim.memory(&key).peering().expect("a peering");
    let seen = sim.world.peering_as(&Caller::new(SHARED, VA), &pcx(id)).expect("the accepter's view");
    let tagged = seen.tags.keys().any(|tag| &**tag == OwnerTag::KEY);
    assert!(tagged, "{id} is said to be whole without its tags\n{}", sim.say());
}

/// Our own new peering, which only the accepter showed, where it has no tags yet, was taken for nobody's and adopted: it
/// would have outlived its object.
#[test]
fn our_own_peering_is_not_adopted_where_only_the_other_side_shows_it() {
    let mut rig = rig();
    rig.sim.chance = late_in(EU);
    rig.sim.run_s(60);
    rig.until_ready();
    assert_eq!(rig.memory().origin, Some(Origin::Created));
    rig.sim.chance = Box::new(ec2sim::Calm);
    rig.delete();
    rig.until_gone();
    assert!(rig.sim.live_peerings().is_empty());
}

/// Deleted while its request waited beside somebody's active peering, the object dropped its finalizer in the very plan that
/// was to remove the request, which then stayed.
#[test]
fn our_own_twin_goes_with_its_object() {
    let mut rig = rig();
    rig.sim.chance = Box::new(Script::new().delay_ms(Delay::Initiating, 8_000));
    rig.sim.run_until("asked", 60, |sim| sim.live_peerings().len() == 1);
    let theirs = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    // So that it is still there when the object goes.
    rig.edit(|object| object.suspend = true);
    rig.sim.run_s(30);
    assert_eq!(rig.sim.live_peerings().len(), 2);
    rig.delete();
    rig.until_gone();
    let left: Vec<_> = rig.sim.live_peerings().into_iter().map(|view| view.id).collect();
    assert_eq!(left, [theirs]);
}
