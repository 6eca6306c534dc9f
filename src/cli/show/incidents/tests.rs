use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-06-01T10:04:14Z";
const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn object(name: &str, status: Value) -> PeeringIncident {
    serde_json::from_value(json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
        "metadata": {"name": name, "namespace": "network"},
        "spec": {"peeringRef": {"name": "prod-shared", "uid": "u"}, "peeringId": "pcx-0123456789abcdef0"},
        "status": status,
    }))
    .unwrap()
}

fn side(account: &str, region: &str, vpc: &str) -> Value {
    json!({"accountId": account, "region": region, "vpcId": vpc})
}

/// Of a loss that waits for a person.
fn lost() -> Value {
    json!({
        "class": "Unexpected", "phase": "AwaitingApproval", "next": "approve the plan to restore it",
        "whatNow": format!("To restore it, as status.plan says, approve that plan: kubectl patch -p '{{\"spec\":{{\"decision\":{{\"planDigest\":\"{DIGEST}\"}}}}}}' To decide against it: kubectl patch -p '{{\"spec\":{{\"decision\":{{\"verdict\":\"Reject\"}}}}}}' the policy asks for approval."),
        "who": "444455556666:assumed-role/mallory/session",
        "ending": "deleted", "statusMessage": "Deleted by 444455556666", "byAccountId": "444455556666",
        "pair": {
            "requester": side("111122223333", "eu-west-1", "vpc-0910a2dec89025cc1"),
            "accepter": side("444455556666", "us-east-1", "vpc-0bd64a5d9adefe000"),
        },
        "attribution": {"level": "Corroborated", "by": "History", "authorized": false},
        "actor": {
            "principal": "arn:aws:sts::444455556666:assumed-role/mallory/session", "accessKeyId": "ASIAEXAMPLE",
            "sourceAddress": "203.0.113.7", "userAgent": "aws-cli/2.15.0", "mfa": false,
        },
        "evidence": {
            "eventId": "6e7f3c1e-5a5d-4b52-9d3c-0d2f7c1b8a90", "eventName": "DeleteVpcPeeringConnection",
            "eventTime": "2026-06-01T10:00:00Z", "recipientAccountId": "444455556666", "region": "us-east-1",
        },
        "routesAffectedTotal": 2,
        "routesAffected": [
            {"side": "requester", "routeTableIds": ["rtb-063033b0ca389c35a"], "destinations": ["10.2.0.0/16"],
             "before": "pcx-0123456789abcdef0", "after": "pcx-0123456789abcdef0"},
            {"side": "accepter", "routeTableIds": ["rtb-09e5651b0ef953636"], "destinations": ["10.1.0.0/16"],
             "before": "pcx-0123456789abcdef0", "after": "none"},
        ],
        "staleSecurityGroupRules": {"peeringId": "pcx-0123456789abcdef0", "total": 1},
        "plan": {"action": "Restore", "digest": DIGEST, "steps": [
            "create a peering connection from vpc-0910a2dec89025cc1 to vpc-0bd64a5d9adefe000",
            "point at it: 10.2.0.0/16 in rtb-063033b0ca389c35a (requester)",
        ]},
        "detectedAt": "2026-06-01T10:00:02Z", "timeToDetect": "2s",
        "timeline": [
            {"at": "2026-06-01T10:00:02Z", "what": "Flagged", "message": "2 routes led to it"},
            {"at": "2026-06-01T10:00:09Z", "what": "ActorKnown", "message": "it was mallory"},
        ],
    })
}

/// The same, restored.
fn restored() -> Value {
    let mut status = lost();
    let over = json!({
        "phase": "Restored", "next": "nothing: it is there again",
        "whatNow": "Nothing: everything declared was read back.",
        "restoredPeeringId": "pcx-0943ff9fc99de8f03", "resolvedAt": "2026-06-01T10:01:14Z", "timeToRepair": "1m12s",
        "routesAffected": [
            {"side": "requester", "routeTableIds": ["rtb-063033b0ca389c35a"], "destinations": ["10.2.0.0/16"],
             "before": "pcx-0123456789abcdef0", "after": "pcx-0943ff9fc99de8f03"},
        ],
        "timeline": [{
            "at": "2026-06-01T10:01:02Z", "what": "Write", "message": "create a peering connection: done",
            "requestId": "0b1c",
        }],
        "timelineOmitted": 3,
    });
    for (field, value) in over.as_object().unwrap() {
        status[field] = value.clone();
    }
    status
}

fn drifted() -> Value {
    json!({
        "class": "RouteRepointed", "phase": "Flagged", "next": "approve the plan to put it back",
        "who": "eve (unproved)", "attribution": {"level": "EventOnly", "authorized": false},
        "deviations": [{
            "kind": "RouteRepointed", "side": "requester", "routeTableId": "rtb-063033b0ca389c35a",
            "destination": "10.2.0.0/16", "before": "pcx-0123456789abcdef0", "after": "tgw-0123456789abcdef0",
            "seenAt": "2026-06-01T10:03:00Z", "stage": "Flagged", "who": "eve (unproved)",
            "attribution": {"level": "EventOnly"},
        }],
        "deviationsOmitted": 2,
        "plan": {"action": "Restore", "digest": DIGEST, "steps": ["point at pcx-0123456789abcdef0 again"]},
        "detectedAt": "2026-06-01T10:03:00Z",
    })
}

fn text(status: Value) -> String {
    incident(&IncidentView::new(&object("prod-shared-pcx-0123456789abcdef0", status)), at(NOW), Style::PLAIN)
}

#[test]
fn a_loss_is_told_from_what_was_lost_to_the_command_that_decides() {
    insta::assert_snapshot!("lost", text(lost()));
    insta::assert_snapshot!("restored", text(restored()));
    insta::assert_snapshot!("drifted", text(drifted()));
    // Nothing was observed yet.
    insta::assert_snapshot!("new", text(json!({})));
}

#[test]
fn the_json_is_what_the_text_is_written_of() {
    let mut decided = object("prod-shared-pcx-0123456789abcdef0", lost());
    decided.spec.decision = Decision {
        verdict: Verdict::Reject,
        plan_digest: None,
        decided_by: Some("ada@example.com".to_owned()),
        reason: Some("it was meant".to_owned()),
    };
    let view = IncidentView::new(&decided);
    insta::assert_snapshot!("lost_json", serde_json::to_string_pretty(&view).unwrap());
    let told = incident(&view, at(NOW), Style::PLAIN);
    assert!(told.contains("Decided   rejected by ada@example.com: it was meant"), "{told}");
    assert!(
        told.contains("incidents approve") && !told.contains("incidents reject"),
        "it was rejected: {told}"
    );
}

#[test]
fn what_is_open_comes_first_and_the_columns_are_those_of_kubectl() {
    let old = json!({"phase": "Flagged", "detectedAt": "2026-05-20T10:00:00Z", "who": "unknown"});
    let rows = [("a-restored", restored()), ("b-old", old), ("c-new", lost()), ("d-blank", json!({}))];
    let rows = sorted(rows.map(|(name, status)| IncidentRow::new(&object(name, status))).into());
    let table = IncidentTable::new(&rows, at(NOW), true);
    insta::assert_snapshot!("table", table.text());
    let without = IncidentTable::new(&rows, at(NOW), false);
    assert!(without.text().starts_with("NAME "), "{}", without.text());
    assert!(table.text().contains(&table.row(&rows[0], at(NOW))), "a row is as it was in the table");
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut status = lost();
    let entry = |n: usize| json!({"at": NOW, "what": "Write", "message": format!("entry {n}")});
    status["timeline"] = (0..40).map(entry).collect();
    let routes = |n: usize| {
        json!({"side": "requester", "routeTableIds": [format!("rtb-{n}")], "destinations": ["10.2.0.0/16"],
            "before": "pcx-0123456789abcdef0", "after": "none"})
    };
    status["routesAffected"] = (0..40).map(routes).collect();
    let told = text(status);
    assert!(
        told.contains("... 28 earlier") && told.contains("entry 28") && told.contains("entry 39"),
        "{told}"
    );
    assert!(!told.contains("entry 27"), "{told}");
    assert!(told.contains("... 30 more lines: -o json has all") && !told.contains("rtb-10 "), "{told}");
    assert!(told.lines().count() < 45, "{told}");
}

#[test]
fn only_where_a_decision_counts_is_one_asked_for() {
    let asks = |phase: &str, has_plan: bool| {
        let mut status = lost();
        status["phase"] = json!(phase);
        if !has_plan {
            status["plan"] = Value::Null;
        }
        let view = IncidentView::new(&object("a", status));
        assert_eq!(view.row.to_decide, view.commands.is_some());
        view.row.to_decide
    };
    for phase in ["Flagged", "Held", "AwaitingApproval", "Rejected", "Released"] {
        assert!(asks(phase, true) && !asks(phase, false), "{phase}");
    }
    for phase in ["Waiting", "Restoring", "RemovingRoutes", "Restored", "Resolved", "ObjectDeleted"] {
        assert!(!asks(phase, true), "{phase}");
    }
}

#[test]
fn ages_are_as_kubectl_writes_them() {
    let ago = |s: i64| {
        age(Timestamp::from_second(1_000_000).unwrap(), Timestamp::from_second(1_000_000 + s).unwrap())
    };
    let ages = [-5, 0, 119, 120, 254, 600, 3601, 10_800, 12_060, 90_000, 190_000, 900_000].map(ago);
    assert_eq!(ages, ["0s", "0s", "119s", "2m", "4m14s", "10m", "60m", "3h", "3h21m", "25h", "2d4h", "10d"]);
}

/// What the page shows is what the command says.
#[test]
fn the_page_shows_real_output() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let rows = [("prod-shared-pcx-0123456789abcdef0", lost())];
    let rows: Vec<_> = rows.map(|(name, status)| IncidentRow::new(&object(name, status))).into();
    let table = IncidentTable::new(&rows, at(NOW), false);
    for said in [text(lost()), table.text().to_owned()] {
        assert!(page.contains(said.trim_end()), "docs/cli.md does not show it as it is:\n{said}");
    }
}
