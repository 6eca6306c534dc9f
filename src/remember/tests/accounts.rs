//! What is kept in the status of an `AwsAccount`.

use crate::api::{AwsAccountStatus, Timestamp};
use crate::remember::{
    Checked, NoteRefused, Removal, account_status, note_removal, removals, removals_of_all,
    removals_of_policy,
};
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::time::Wall;

fn removal(at: i64, uid: &str, policy: Option<&str>) -> Removal {
    Removal {
        at: Wall(at),
        object: ObjectKey::new("team", format!("peering-{uid}")),
        uid: uid.into(),
        policy: policy.map(Into::into),
    }
}

fn noted(all: &[Removal]) -> AwsAccountStatus {
    all.iter()
        .fold(AwsAccountStatus::default(), |status, one| note_removal(Some(&status), one, Wall(0)).unwrap())
}

#[test]
fn a_removal_is_noted_once_and_read_back() {
    let status =
        noted(&[removal(100, "a", Some("team/default")), removal(200, "b", None), removal(300, "a", None)]);
    assert_eq!(removals(Some(&status)), [Wall(100), Wall(200)]);
    assert_eq!(removals_of_policy(Some(&status), "team/default"), [Wall(100)]);
    assert_eq!(removals_of_policy(Some(&status), "other/default"), []);
    assert_eq!(removals(None), []);
    assert_eq!(status.removals[0].object, "team/peering-a");
}

#[test]
fn one_object_counts_once_for_the_operator_though_both_its_accounts_note_it() {
    let (one, other) =
        (noted(&[removal(100, "a", None), removal(100, "b", None)]), noted(&[removal(100, "a", None)]));
    assert_eq!(removals_of_all([&one, &other]), [Wall(100), Wall(100)]);
}

#[test]
fn what_no_window_counts_any_more_is_dropped() {
    let status = noted(&[removal(100, "a", None), removal(200, "b", None)]);
    let later = note_removal(Some(&status), &removal(900, "c", None), Wall(100)).unwrap();
    assert_eq!(removals(Some(&later)), [Wall(200), Wall(900)]);
}

#[test]
fn a_full_status_refuses_rather_than_forgets_and_stays_small() {
    let longest = |n: i64| Removal {
        at: Wall(n),
        object: ObjectKey::new("n".repeat(63), "p".repeat(128)),
        uid: format!("{n:036}").into(),
        policy: Some("p".repeat(63 + 1 + 253).into()),
    };
    let mut status = AwsAccountStatus::default();
    let mut count = 0;
    while let Ok(next) = note_removal(Some(&status), &longest(count + 1), Wall(0)) {
        (status, count) = (next, count + 1);
        assert!(count <= 10_000);
    }
    assert_eq!(count, 1000);
    assert!(serde_json::to_vec(&status).unwrap().len() < 1024 * 1024);
    assert_eq!(note_removal(Some(&status), &longest(5000), Wall(0)), Err(NoteRefused::Full));
    assert!(note_removal(Some(&status), &longest(5000), Wall(1)).is_ok(), "the window passed the first");
    assert_eq!(note_removal(Some(&status), &longest(7), Wall(0)).as_ref(), Ok(&status), "noted before");
}

#[test]
fn conditions_of_an_account_say_what_came_of_asking() {
    let id = "111122223333".parse().unwrap();
    let usable =
        Checked::Usable { account: id, caller_arn: "arn:aws:sts::111122223333:assumed-role/p/x".into() };
    let wrong = Checked::WrongAccount {
        found: "999988887777".parse().unwrap(),
        caller_arn: "arn:aws:sts::999988887777:assumed-role/p/x".into(),
    };
    let denied = Checked::AccessDenied { why: "AssumeRole: AccessDenied".into() };
    let down = Checked::Unavailable { why: "timed out".into() };
    let said = |status: &AwsAccountStatus| -> Vec<String> {
        status.conditions.iter().map(|c| format!("{}={} {}", c.type_, c.status, c.reason)).collect()
    };
    let mut status = noted(&[removal(100, "a", None)]);
    for (checked, expected, account) in [
        (usable, vec!["Ready=True Usable"], "111122223333"),
        (denied, vec!["Ready=False AccessDenied", "Reconciling=True AccessDenied"], "111122223333"),
        (down, vec!["Ready=False AwsUnavailable", "Reconciling=True AwsUnavailable"], "111122223333"),
        (wrong, vec!["Ready=False WrongAccount", "Stalled=True WrongAccount"], "999988887777"),
    ] {
        status = account_status(Some(&status), 2, Some(id), &checked, Timestamp::UNIX_EPOCH);
        assert_eq!(said(&status), expected);
        assert_eq!(status.observed_account_id.as_deref(), Some(account));
        assert_eq!(removals(Some(&status)), [Wall(100)], "what was noted stays");
    }
}
