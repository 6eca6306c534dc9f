//! Guards broken on purpose, one for each invariant that is checked, and one checker that must see each. A simulation that
//! finds nothing might look at nothing.

use crate::knobs::{Events, Knob, Knobs};
use crate::sabotage::Sabotage;
use crate::script::{self, What};
use crate::stage::Stage;

/// Seeds until a broken guard must have been seen.
const TRIES: u64 = 60;

/// A quiet day but for these acts.
fn only(acts: &[What]) -> Knobs {
    Knobs { acts: acts.iter().map(|what| (*what, 100)).collect(), ..Knobs::calm() }
}

/// The same, where the operator hears of what is done, and a stranger of each deletion.
fn heard(acts: &[What]) -> Knobs {
    Knobs { events: Events::Queue, own: [(Knob::Forged, 10_000)].into(), ..only(acts) }
}

#[track_caller]
fn assert_seen(sabotage: Sabotage, acts: &[What], invariant: u8) {
    assert_told(sabotage, acts, &format!("invariant {invariant}:"));
}

#[track_caller]
fn assert_told(sabotage: Sabotage, acts: &[What], as_what: &str) {
    assert_told_of(sabotage, only(acts), as_what);
}

#[track_caller]
fn assert_told_of(sabotage: Sabotage, knobs: Knobs, as_what: &str) {
    for seed in 0..TRIES {
        let script = script::draw(seed, &knobs);
        let sound = Stage::new(seed, knobs.clone(), script.clone(), None).run();
        assert_eq!(sound, Ok(()), "seed {seed}, nothing broken");
        let broken = Stage::new(seed, knobs.clone(), script, Some(sabotage)).run();
        let seen = broken.is_err_and(|why| why.contains(as_what));
        if seen {
            return;
        }
    }
    panic!("{sabotage:?}: no checker saw it in {TRIES} seeds ({as_what})");
}

#[test]
fn invariant_02_who_takes_one_poor_reading_for_absence_is_seen() {
    assert_seen(Sabotage::OneReadingIsAbsence, &[What::ToggleSuspend], 2);
}

#[test]
fn invariant_03_who_overwrites_what_somebody_else_pointed_elsewhere_is_seen() {
    assert_seen(Sabotage::OverwritesOccupied, &[What::RepointRoute], 3);
}

#[test]
fn invariant_03_who_does_not_look_at_others_tags_is_seen() {
    assert_seen(Sabotage::IgnoresOwners, &[What::TagOtherOwner, What::EditTags], 3);
}

#[test]
fn invariant_04_who_forgets_the_limits_is_seen() {
    assert_seen(Sabotage::ForgetsLimits, &[What::DeletePeering], 4);
}

#[test]
fn invariant_04_who_forgets_the_limit_of_a_policy_is_seen() {
    assert_told(Sabotage::ForgetsPolicyLimit, &[What::DeletePeering], "invariant 4: of the policy");
}

#[test]
fn invariant_04_who_forgets_the_limit_of_an_account_is_seen() {
    assert_told(Sabotage::ForgetsAccountLimit, &[What::DeletePeering], "invariant 4: of account");
}

#[test]
fn invariant_07_who_writes_without_the_lease_is_seen() {
    assert_seen(Sabotage::IgnoresLease, &[What::DeletePeering], 7);
}

#[test]
fn invariant_08_a_second_active_peering_is_seen() {
    assert_seen(Sabotage::ActivatesTwins, &[What::RequestReversed, What::EditTags], 8);
}

#[test]
fn invariant_09_who_stops_at_the_first_trouble_is_seen() {
    assert_seen(Sabotage::StopsAtTrouble, &[], 9);
}

#[test]
fn invariant_10_a_loss_that_is_told_twice_is_seen() {
    assert_seen(Sabotage::ForgetsPast, &[What::DeletePeering], 10);
}

#[test]
fn invariant_11_who_acts_before_the_flag_is_stored_is_seen() {
    assert_seen(Sabotage::SkipsFlag, &[What::DeletePeering], 11);
}

#[test]
fn invariant_11_who_tells_of_a_repair_that_was_not_read_is_seen() {
    assert_seen(Sabotage::SeesRepairs, &[What::DeletePeering], 11);
}

#[test]
fn invariant_02_who_takes_a_message_for_the_state_is_seen() {
    let knobs = heard(&[What::ForgeDeletion]);
    assert_told_of(Sabotage::TakesMessagesForState, knobs, "invariant 2:");
}

#[test]
fn invariant_03_who_takes_a_message_for_the_history_is_seen() {
    let knobs = heard(&[What::DeletePeering]);
    assert_told_of(Sabotage::BelievesMessages, knobs.clone(), "invariant 3: net/");
    assert_told_of(Sabotage::BelievesMessages, knobs, "for authorized: it was");
}

#[test]
fn invariant_03_who_takes_anybody_for_authorized_is_seen() {
    let knobs = heard(&[What::DeletePeering]);
    assert_told_of(Sabotage::AuthorizesAnybody, knobs, "for authorized: it was");
}

#[test]
fn invariant_11_who_acts_with_the_flag_is_seen() {
    let knobs = heard(&[What::DeletePeering, What::DeleteAsAuthorized]);
    assert_told_of(Sabotage::FlagsAndActsAtOnce, knobs, "with the same commit that flags it");
}

#[test]
fn invariant_11_who_ends_what_it_does_not_remember_is_seen() {
    let knobs = heard(&[What::DeletePeering, What::DeleteObject, What::Declare]);
    assert_told_of(Sabotage::ForgetsOwnCalls, knobs, "ends by us is not stored");
}
