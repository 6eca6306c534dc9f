//! What the small worlds (`core/tests/check`) found, told as what happened.

use std::cell::Cell;
use std::rc::Rc;

use ec2sim::{Action, Caller, Chance, Choice, Delay, Fault, PeeringStatus, Script};
use peerkeeper_core::ids::OwnerTag;
use peerkeeper_core::memory::{Life, Origin};

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

/// Who sees what, switched while the story goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    All,
    Nothing,
    /// Reads in this Region show what was before.
    LateIn(&'static str),
    /// Reads show all until something is deleted, which is not found, and nothing from then on.
    AllUntilDeleted,
}

/// As long as it takes to look again some times.
const LONG_LAG_MS: u64 = 60_000;

struct Switched {
    sees: Rc<Cell<Sees>>,
    late: bool,
}

impl Chance for Switched {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        if what == Delay::Visibility { LONG_LAG_MS } else { 0 }
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        match what {
            Choice::StaleRead if self.late => ways - 1,
            Choice::WriteTooEarly if self.late => 1,
            _ => 0,
        }
    }

    fn fault(&mut self, caller: &Caller, action: Action) -> Option<Fault> {
        let deletes = action == Action::DeleteVpcPeeringConnection;
        if self.sees.get() == Sees::AllUntilDeleted && deletes {
            self.sees.set(Sees::Nothing);
        }
        self.late = match self.sees.get() {
            Sees::Nothing => true,
            Sees::LateIn(region) => caller.region.as_str() == region,
            Sees::All | Sees::AllUntilDeleted => false,
        };
        None
    }
}

/// A rig whose request is made and shown to nobody yet.
fn asked_unseen() -> (Rig, Rc<Cell<Sees>>) {
    let mut rig = rig();
    let sees = Rc::new(Cell::new(Sees::Nothing));
    rig.sim.chance = Box::new(Switched { sees: sees.clone(), late: true });
    rig.sim.run_until("asked", 60, |sim| sim.done(Action::CreateVpcPeeringConnection) == 1);
    (rig, sees)
}

fn left_alone_are(rig: &Rig, expected: &[ec2sim::PeeringId]) {
    let left: Vec<_> = rig.sim.live_peerings().into_iter().map(|view| view.id).collect();
    assert_eq!(left, expected, "{}", rig.sim.say());
}

/// Somebody's peering of the pair was taken while our own request was not to be seen, and with that the request was
/// forgotten. Shown to the object that went, refused as not found and then not shown again, it stayed for ever.
#[test]
fn a_request_that_shows_up_late_beside_what_was_taken_goes_with_its_object() {
    let (mut rig, sees) = asked_unseen();
    let theirs = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    let taken = |sim: &Sim| sim.memory(&key("peering")).peering().map(pcx).as_ref() == Some(&theirs);
    rig.sim.run_until("taken", 15, taken);
    sees.set(Sees::AllUntilDeleted);
    rig.delete();
    rig.until_gone();
    left_alone_are(&rig, &[theirs]);
}

/// Our request was shown by the accepter alone, which has no tags of ours, and so was taken for somebody's and let go for
/// the active one beside it.
#[test]
fn a_request_that_only_the_other_side_shows_is_not_forgotten_for_an_active_one() {
    let (mut rig, sees) = asked_unseen();
    rig.sim.world.deny(SHARED, VA, Action::AcceptVpcPeeringConnection);
    // Nothing that would have to be seen before the object may go.
    for (account, region) in [(PROD, EU), (SHARED, VA)] {
        rig.sim.world.deny(account, region, Action::CreateTags);
        rig.sim.world.deny(account, region, Action::CreateRoute);
    }
    sees.set(Sees::All);
    let requested = |sim: &Sim| matches!(sim.memory(&key("peering")).life, Life::Requested { .. });
    rig.sim.run_until("seen", 15, requested);
    sees.set(Sees::LateIn(EU));
    let theirs = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    let taken = |sim: &Sim| sim.memory(&key("peering")).peering().map(pcx).as_ref() == Some(&theirs);
    rig.sim.run_until("taken", 15, taken);
    sees.set(Sees::Nothing);
    rig.delete();
    rig.until_gone();
    left_alone_are(&rig, &[theirs]);
}

/// A twin that was removed in vain, as it was not found, was forgotten at that moment.
#[test]
fn a_twin_that_was_not_found_is_looked_for_again_before_its_object_goes() {
    let (mut rig, sees) = asked_unseen();
    rig.sim.world.deny(SHARED, VA, Action::AcceptVpcPeeringConnection);
    sees.set(Sees::All);
    let requested = |sim: &Sim| matches!(sim.memory(&key("peering")).life, Life::Requested { .. });
    rig.sim.run_until("seen", 15, requested);
    sees.set(Sees::AllUntilDeleted);
    let theirs = rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    let taken = |sim: &Sim| sim.memory(&key("peering")).peering().map(pcx).as_ref() == Some(&theirs);
    rig.sim.run_until("taken", 15, taken);
    rig.delete();
    rig.until_gone();
    left_alone_are(&rig, &[theirs]);
}
