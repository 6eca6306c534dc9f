//! What is kept of calls that somebody else made as us, and of our own that no object remembers any more.

use crate::api::account::StrangeCall;
use crate::api::{ANNOTATION_MISUSE_ACKNOWLEDGED, AwsAccount, AwsAccountSpec, AwsAccountStatus, Timestamp};
use crate::remember::{
    OWN_CALLS_MAX, Suspected, acknowledge, has_misuse, note_misuse, note_own_calls, open_misuse, own_calls,
    with_misuse,
};
use peerkeeper_core::misuse::{Ends, OwnCall};
use peerkeeper_core::time::Wall;

fn call(id: &str) -> StrangeCall {
    StrangeCall {
        event_id: id.to_owned(),
        at: Timestamp::from_second(1_780_000_000).unwrap(),
        region: "eu-west-1".to_owned(),
        call: "DeleteRoute".to_owned(),
        id: "rtb-0123456789abcdef0".to_owned(),
        principal: "x".repeat(512),
        access_key_id: Some("y".repeat(512)),
        source_address: "z".repeat(512),
        user_agent: "u".repeat(512),
    }
}

fn account() -> AwsAccount {
    let spec: AwsAccountSpec =
        serde_json::from_value(serde_json::json!({"accountId": "111122223333"})).unwrap();
    AwsAccount::new("prod", spec)
}

fn found(mut object: AwsAccount, id: &str) -> AwsAccount {
    object.status = Some(note_misuse(&object, &call(id), Timestamp::UNIX_EPOCH));
    object
}

fn open(object: &AwsAccount) -> Option<&str> {
    open_misuse(object).map(|call| call.event_id.as_str())
}

fn annotate(mut object: AwsAccount, id: &str) -> AwsAccount {
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION_MISUSE_ACKNOWLEDGED.to_owned(), id.to_owned());
    object
}

fn said(status: &AwsAccountStatus) -> Vec<String> {
    status.conditions.iter().map(|c| format!("{}={} {}", c.type_, c.status, c.reason)).collect()
}

#[test]
fn a_misuse_is_open_until_its_own_event_is_acknowledged_and_stays_closed() {
    let object = found(account(), "e1");
    assert_eq!((open(&object), has_misuse(&object, "e1")), (Some("e1"), true));
    assert_eq!(said(object.status.as_ref().unwrap()), ["OperatorCredentialsMisused=True CallNotOurs"]);
    let again = found(object.clone(), "e1");
    assert_eq!(again, object, "told again");
    let object = annotate(object, "e0");
    assert_eq!(open(&object), Some("e1"));
    let (status, news) = acknowledge(&object, object.status.clone().unwrap());
    assert!(!news && status.credentials_misuse.as_ref().unwrap().acknowledged.is_none());
    let mut object = annotate(object, "e1");
    assert_eq!(open(&object), None, "from the moment that a person says so");
    let (status, news) = acknowledge(&object, object.status.clone().unwrap());
    assert!(news);
    object.status = Some(with_misuse(status.clone(), &object, &[], Timestamp::UNIX_EPOCH));
    assert_eq!(said(object.status.as_ref().unwrap()), [""; 0]);
    assert!(!acknowledge(&object, status).1, "said once");
    object.metadata.annotations = None;
    assert_eq!(open(&object), None, "the annotation may go");
    assert_eq!(open(&found(object, "e2")), Some("e2"), "a second one holds again");
}

#[test]
fn what_is_suspected_is_shown_and_holds_nothing() {
    let suspected: Vec<Suspected> =
        (0..100).map(|n| Suspected { call: call(&format!("e{n}")), why: "why".to_owned() }).collect();
    let mut object = account();
    object.status =
        Some(with_misuse(AwsAccountStatus::default(), &object, &suspected, Timestamp::UNIX_EPOCH));
    let status = object.status.as_ref().unwrap();
    assert_eq!(said(status), ["OperatorCredentialsMisused=Unknown CallNotCorroborated"]);
    assert!(status.conditions[0].message.contains("(and 99 more)"));
    assert_eq!(status.credentials_misuse.as_ref().unwrap().suspected.len(), 16);
    assert_eq!(open(&object), None);
    let object = found(object, "e3");
    let misuse = object.status.as_ref().unwrap().credentials_misuse.as_ref().unwrap();
    assert!(misuse.suspected.iter().all(|one| one.event_id != "e3") && misuse.suspected.len() == 15);
    let none = with_misuse(AwsAccountStatus::default(), &account(), &[], Timestamp::UNIX_EPOCH);
    assert_eq!(none, AwsAccountStatus::default(), "nothing known, nothing said");
}

fn own(n: usize, at: i64) -> OwnCall {
    OwnCall { ends: Ends::Routes(format!("rtb-{n:017x}").parse().unwrap()), at: Wall(at) }
}

#[test]
fn our_own_calls_come_back_as_they_were_noted_for_a_day() {
    let noted = note_own_calls(None, &[own(1, 100), own(2, 100), own(3, 50)], Wall(60));
    assert_eq!(own_calls(Some(&noted)).unwrap(), [own(1, 100), own(2, 100)], "the third is too old");
    let again = note_own_calls(Some(&noted), &[own(2, 100)], Wall(60));
    assert_eq!(again, noted, "once");
    let later = note_own_calls(Some(&noted), &[own(4, 200)], Wall(150));
    assert_eq!(own_calls(Some(&later)).unwrap(), [own(4, 200)]);
    assert_eq!(own_calls(None).unwrap(), []);
}

#[test]
fn however_much_there_is_the_status_of_an_account_stays_small() {
    let mut object = account();
    for n in 0..40 {
        object = found(object, &format!("e{n}"));
    }
    let last = object.status.as_ref().unwrap().credentials_misuse.as_ref().unwrap();
    assert_eq!((last.calls.len(), open(&object)), (16, Some("e39")));
    let many: Vec<OwnCall> = (0..3 * OWN_CALLS_MAX).map(|n| own(n, n as i64)).collect();
    let status = note_own_calls(object.status.as_ref(), &many, Wall(0));
    let kept = own_calls(Some(&status)).unwrap();
    assert_eq!(kept.len(), OWN_CALLS_MAX);
    assert_eq!(kept.last(), many.last(), "the oldest go");
    assert!(serde_json::to_vec(&status).unwrap().len() < 512 * 1024);
}
