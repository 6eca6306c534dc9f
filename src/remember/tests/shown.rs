//! What people see.

use super::made_up::{episode, in_sync, pcx, rtb, slot, to};
use crate::api::{ConditionType, Timestamp, VpcPeeringStatus, status::InventoryGroup};
use crate::remember::{Carried, invalid, status, told};
use peerkeeper_core::ids::{Side, Slot};
use peerkeeper_core::memory::{ClosedLoss, How, LossClass, LossOutcome, Memory};
use peerkeeper_core::plan::{Exception, Held, Report, Truth};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use serde_json::json;
use std::collections::BTreeMap;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn show(report: &Report, previous: Option<&VpcPeeringStatus>, now: &str) -> VpcPeeringStatus {
    status(&Memory::default(), &Carried::default(), report, previous, at(now))
}

#[test]
fn a_condition_keeps_its_moment_until_its_status_changes() {
    let ready = |status: &VpcPeeringStatus| {
        let ready = status.conditions.iter().find(|c| c.type_ == "Ready").unwrap();
        (ready.status.clone(), ready.reason.clone(), ready.last_transition_time.0.to_string())
    };
    let mut report = in_sync(0);
    let first = show(&report, None, "2026-01-01T00:00:00.5Z");
    assert_eq!(ready(&first), ("True".into(), "InSync".into(), "2026-01-01T00:00:00Z".into()));

    report.conditions[0].truth = Truth::False;
    report.conditions[0].reason = Reason::Progressing;
    let second = show(&report, Some(&first), "2026-01-02T00:00:00Z");
    assert_eq!(ready(&second), ("False".into(), "Progressing".into(), "2026-01-02T00:00:00Z".into()));

    report.conditions[0].reason = Reason::Held;
    let third = show(&report, Some(&second), "2026-01-03T00:00:00Z");
    assert_eq!(ready(&third), ("False".into(), "Held".into(), "2026-01-02T00:00:00Z".into()));
}

#[test]
fn what_was_told_is_read_back_and_what_others_tell_is_not() {
    let mut shown = show(&in_sync(0), None, "2026-01-01T00:00:00Z");
    let mut foreign = shown.conditions[0].clone();
    foreign.type_ = "SomebodyElses".to_owned();
    shown.conditions.push(foreign);
    let expected = BTreeMap::from([
        (ConditionType::Ready, (Truth::True, "InSync".into())),
        (ConditionType::PeeringActive, (Truth::True, "Active".into())),
        (ConditionType::UnexpectedlyDeleted, (Truth::False, "NotLost".into())),
    ]);
    assert_eq!(told(Some(&shown)), expected);
    assert_eq!(told(None), BTreeMap::new());
}

fn group(side: &str, tables: &[u64], destinations: &[&str]) -> InventoryGroup {
    InventoryGroup {
        side: side.to_owned().into(),
        route_table_ids: tables.iter().map(|n| rtb(*n).to_string()).collect(),
        destinations: destinations.iter().map(|text| (*text).to_owned()).collect(),
    }
}

#[test]
fn the_inventory_shows_what_leads_to_the_peering_and_nothing_else() {
    let mut slots = vec![
        slot(Side::Requester, 1, "10.0.0.0/16", How::Created),
        slot(Side::Requester, 2, "10.0.0.0/16", How::Adopted),
        slot(Side::Requester, 3, "10.0.0.0/16", How::Intended),
        slot(Side::Requester, 4, "10.0.0.0/16", How::Created),
        slot(Side::Requester, 5, "10.0.0.0/16", How::Created),
        slot(Side::Accepter, 6, "10.1.0.0/16", How::Created),
    ];
    slots[4].1.to = pcx(9);
    let memory = Memory { slots: slots.into_iter().collect(), ..Memory::default() };
    let mut report = in_sync(6);
    let wrong = Slot { side: Side::Requester, table: rtb(4), destination: to("10.0.0.0/16") };
    report.exceptions = vec![Exception {
        side: Side::Requester,
        slot: Some(wrong),
        subject: format!("route {} in {}", wrong.destination, wrong.table),
        reason: Reason::Occupied,
        message: "leads to nat-1".into(),
    }];
    report.exceptions_total = 1;
    let shown = |report: &Report| status(&memory, &Carried::default(), report, None, Timestamp::UNIX_EPOCH);
    let expected = [group("requester", &[1, 2], &["10.0.0.0/16"]), group("accepter", &[6], &["10.1.0.0/16"])];
    assert_eq!(shown(&report).inventory, expected);

    for (state, count) in [("deleted", 0), ("absent", 0), ("pending-acceptance", 0), ("unknown", 2)] {
        report.aws_state = state.into();
        assert_eq!(shown(&report).inventory.len(), count, "{state}");
    }
}

#[test]
fn counts_exceptions_and_what_is_held_are_spelt_out() {
    let mut report = in_sync(4);
    report.routes.requester.in_sync = 3;
    let slot = Slot { side: Side::Accepter, table: rtb(4), destination: to("10.0.0.0/16") };
    let exception = |slot, subject: &str| Exception {
        side: Side::Accepter,
        slot,
        subject: subject.to_owned(),
        reason: Reason::EdgeTable,
        message: "why".into(),
    };
    report.exceptions = vec![
        exception(Some(slot), "route"),
        exception(None, &rtb(5).to_string()),
        exception(None, "routes private"),
    ];
    report.exceptions_total = 7;
    report.held = vec![Held { what: "accept".into(), reason: Reason::Held, release: "untag".into() }];
    let shown = serde_json::to_value(show(&report, None, "2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(
        shown["routes"],
        json!({"summary": "3/4", "requester": {"declared": 4, "inSync": 3}, "accepter": {"declared": 0, "inSync": 0}})
    );
    let common = |subject: &str| json!({"side": "accepter", "subject": subject, "reason": "EdgeTable", "message": "why"});
    let (mut first, mut second) = (common("route"), common("rtb-00000000000000005"));
    first["routeTableId"] = json!("rtb-00000000000000004");
    first["destination"] = json!("10.0.0.0/16");
    second["routeTableId"] = json!("rtb-00000000000000005");
    assert_eq!(shown["exceptions"], json!([first, second, common("routes private")]));
    assert_eq!(shown["exceptionsTotal"], 7);
    assert_eq!(shown["held"], json!([{"what": "accept", "reason": "Held", "release": "untag"}]));
}

#[test]
fn the_last_deletion_keeps_its_evidence_when_it_is_settled() {
    let mut report = in_sync(0);
    report.loss = Some(episode(8));
    let open = show(&report, None, "2026-06-01T00:00:00Z");
    report.loss = None;
    report.last_loss = Some(ClosedLoss {
        lost: pcx(8),
        class: LossClass::Unexpected,
        by_account: Some("444455556666".parse().unwrap()),
        detected: Wall(1_780_000_000),
        closed: Wall(1_780_000_060),
        outcome: LossOutcome::Restored,
        successor: Some(pcx(1)),
    });
    let settled =
        serde_json::to_value(show(&report, Some(&open), "2026-06-02T00:00:00Z").last_deletion).unwrap();
    let expected = json!({
        "peeringId": pcx(8).to_string(), "detectedAt": "2026-05-28T20:26:40Z", "class": "Unexpected", "state": "deleted",
        "statusMessage": "Deleted by 444455556666", "byAccountId": "444455556666", "routesAffected": 7,
        "action": "Restore", "outcome": "Restored", "restoredPeeringId": pcx(1).to_string(),
        "resolvedAt": "2026-05-28T20:27:40Z",
    });
    assert_eq!(settled, expected);

    // Evidence of another loss is not passed off as this one's.
    report.last_loss.as_mut().unwrap().lost = pcx(9);
    let other = show(&report, Some(&open), "2026-06-02T00:00:00Z").last_deletion.unwrap();
    assert_eq!((other.status_message, other.routes_affected), (None, None));
}

#[test]
fn an_object_that_can_not_be_read_keeps_everything_but_its_word_on_readiness() {
    let mut report = in_sync(0);
    report.conditions[0].truth = Truth::False;
    let mut reconciling = report.conditions[0].clone();
    reconciling.kind = ConditionType::Reconciling;
    reconciling.truth = Truth::True;
    report.conditions.push(reconciling);
    let mut before = show(&report, None, "2026-01-01T00:00:00Z");
    before.memory.as_mut().unwrap().origin = Some("unheard-of".to_owned().into());
    let after = invalid(Some(&before), 4, "spec.x is y", at("2026-01-05T00:00:00Z"));
    let told = told(Some(&after));
    assert_eq!(told[&ConditionType::Ready], (Truth::False, "InvalidObject".into()));
    assert_eq!(told[&ConditionType::Stalled], (Truth::True, "InvalidObject".into()));
    assert!(!told.contains_key(&ConditionType::Reconciling));
    assert!(told.contains_key(&ConditionType::PeeringActive));
    assert_eq!(after.memory, before.memory);
    assert_eq!(after.observed_generation, Some(4));
    assert_eq!(invalid(Some(&after), 4, "spec.x is y", at("2026-01-06T00:00:00Z")), after, "said once");
    let ready =
        |status: &VpcPeeringStatus| status.conditions.iter().find(|c| c.type_ == "Ready").unwrap().clone();
    assert_eq!(
        ready(&after).last_transition_time,
        ready(&before).last_transition_time,
        "it was False before"
    );
}
