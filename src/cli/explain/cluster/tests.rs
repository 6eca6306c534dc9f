use serde_json::{Value, json};

use super::*;
use crate::api::Timestamp;
use crate::cli::show::Style;
use crate::cli::show::explain::explained;

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const LOST: &str = "pcx-0123456789abcdef0";

fn side(account: &str, region: &str, vpc: &str, table: &str) -> Value {
    json!({"account": {"name": account}, "region": region, "vpcId": vpc, "routes": [
        {"name": "private", "routeTables": {"ids": [table]}, "destinations": {"peerCidrs": "All"}},
    ]})
}

fn peering(name: &str, status: Value) -> VpcPeering {
    serde_json::from_value(json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {"name": name, "namespace": "network", "uid": name},
        "spec": {
            "requester": side("prod", "eu-west-1", "vpc-0910a2dec89025cc1", "rtb-063033b0ca389c35a"),
            "accepter": side("shared", "us-east-1", "vpc-0bd64a5d9adefe000", "rtb-09e5651b0ef953636"),
            "policyRef": {"name": "careful"},
        },
        "status": status,
    }))
    .unwrap()
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-06-01T10:00:02Z"})
}

fn lost() -> VpcPeering {
    peering(
        "prod-shared",
        json!({
            "conditions": [condition("Ready", "False", "AwaitingApproval", "a person must approve the plan")],
            "state": "deleted", "peeringId": LOST,
            "routes": {"summary": "0/2", "requester": {"declared": 1, "inSync": 0}, "accepter": {"declared": 1, "inSync": 0}},
            "exceptions": [{
                "side": "requester", "subject": "private", "routeTableId": "rtb-063033b0ca389c35a",
                "destination": "10.2.0.0/16", "reason": "DeadRoute", "message": format!("leads to {LOST}, which is deleted"),
            }],
            "held": [{"what": "restore it", "reason": "AwaitingApproval", "release": "approve the plan of its incident"}],
            "lastDeletion": {"peeringId": LOST, "detectedAt": "2026-06-01T10:00:02Z"},
        }),
    )
}

fn healthy() -> VpcPeering {
    peering(
        "healthy",
        json!({
            "conditions": [condition("Ready", "True", "InSync", "everything is as declared")],
            "state": "active", "peeringId": "pcx-0943ff9fc99de8f03",
            "routes": {"summary": "2/2", "requester": {"declared": 1, "inSync": 1}, "accepter": {"declared": 1, "inSync": 1}},
            "inventory": [{"side": "requester", "routeTableIds": ["rtb-063033b0ca389c35a"], "destinations": ["10.2.0.0/16"]}],
            "lastDeletion": {
                "peeringId": "pcx-0000000000000000a", "detectedAt": "2026-05-01T10:00:02Z", "outcome": "Restored",
                "restoredPeeringId": "pcx-0943ff9fc99de8f03",
            },
        }),
    )
}

fn incident(uid: &str) -> PeeringIncident {
    serde_json::from_value(json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
        "metadata": {"name": format!("prod-shared-{LOST}"), "namespace": "network"},
        "spec": {"peeringRef": {"name": "prod-shared", "uid": uid}, "peeringId": LOST},
        "status": {
            "phase": "AwaitingApproval", "who": "account 444455556666",
            "plan": {"action": "Restore", "steps": ["create a peering connection", "accept it"], "digest": DIGEST},
        },
    }))
    .unwrap()
}

fn cluster() -> Cluster {
    let policy = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
        "metadata": {"name": "careful", "namespace": "network"},
        "spec": {"onUnexpectedDeletion": {"action": "Restore", "requireApproval": true}},
    });
    Cluster {
        peerings: vec![lost(), healthy()],
        // One of an object that had the name before is not this one's.
        incidents: vec![incident("another"), incident("prod-shared")],
        policies: vec![serde_json::from_value(policy).unwrap()],
        accounts: Vec::new(),
        notes: vec!["you may not list awsaccounts".to_owned()],
    }
}

fn asked(cluster: &Cluster, subject: &str) -> Result<ExplainView, ExplainError> {
    explain(cluster, &subject.parse().unwrap(), "all namespaces")
}

fn text(subject: &str) -> String {
    let now: Timestamp = "2026-06-01T10:04:14Z".parse().unwrap();
    explained(&asked(&cluster(), subject).unwrap(), now, Style::PLAIN)
}

#[test]
fn a_lost_peering_is_told_with_the_command_that_releases_it() {
    insta::assert_snapshot!("lost", text("network/prod-shared"));
    let by_id = text(LOST);
    assert!(by_id.contains("Declares  pcx-0123456789abcdef0, which was lost"), "{by_id}");
    let view = asked(&cluster(), LOST).unwrap();
    assert_eq!(view.objects[0].incidents.len(), 1, "{:?}", view.objects[0].incidents);
    let commands: Vec<&String> = view.objects[0].holds.iter().flat_map(|held| &held.release).collect();
    assert_eq!(
        commands,
        [&format!("peerkeeper incidents approve -n network prod-shared-{LOST} --digest {DIGEST}")]
    );
}

#[test]
fn whoever_declares_a_table_or_a_vpc_is_told_with_what_of_it() {
    insta::assert_snapshot!("table", text("rtb-063033b0ca389c35a"));
    let vpc = text("vpc-0bd64a5d9adefe000");
    assert!(vpc.starts_with("vpc-0bd64a5d9adefe000: 2 VpcPeerings\n"), "{vpc}");
    assert!(vpc.contains("vpc-0bd64a5d9adefe000 as the VPC of its accepter"), "{vpc}");
    let came = text("pcx-0943ff9fc99de8f03");
    assert!(came.contains("took the place of pcx-0000000000000000a"), "{came}");
    let went = text("pcx-0000000000000000a");
    assert!(went.contains("Restored, pcx-0943ff9fc99de8f03 took its place"), "{went}");
}

#[test]
fn of_an_object_that_is_being_deleted_no_plan_is_told_as_if_it_would_be_done() {
    let mut cluster = cluster();
    let steps = |cluster: &Cluster| asked(cluster, LOST).unwrap().objects[0].would.len();
    let before = steps(&cluster);
    for incident in &mut cluster.incidents {
        incident.status.as_mut().unwrap().phase = Some("ObjectDeleted".to_owned());
    }
    assert!(steps(&cluster) < before, "{before}");
}

#[test]
fn what_nobody_declares_is_said_and_names_that_were_meant() {
    let error = asked(&cluster(), "pcx-00000000000000fff").unwrap_err().to_string();
    assert!(error.contains("no VpcPeering in all namespaces declares pcx-00000000000000fff"), "{error}");
    assert!(error.contains("with -f"), "{error}");
    let error = asked(&cluster(), "prod-share").unwrap_err().to_string();
    assert!(error.ends_with("did you mean prod-shared?"), "{error}");
    let error = asked(&cluster(), "nobody").unwrap_err().to_string();
    assert!(error.ends_with("one of another namespace is named as NAMESPACE/nobody"), "{error}");
    assert!(asked(&cluster(), "other/prod-shared").is_err());
}

#[test]
fn what_the_operator_has_not_seen_yet_is_said_so() {
    let mut cluster = cluster();
    cluster.peerings = vec![peering("new", Value::Null)];
    let view = asked(&cluster, "new").unwrap();
    assert!(view.objects[0].state.contains("is the operator running?"), "{view:?}");
}

#[test]
fn holds_of_accounts_and_tags_name_what_they_are_about() {
    let mut cluster = cluster();
    let mut held = healthy();
    let held_status = json!({
        "conditions": [condition("Ready", "False", "AccountSuspended", "AwsAccount shared is suspended")],
        "held": [{"what": "route", "reason": "Held", "release": "take the tag peerkeeper.dev/hold off the VPC"}],
        "memory": {"heldBy": "accepter"},
    });
    held.status = serde_json::from_value(held_status).unwrap();
    cluster.peerings = vec![held];
    let account = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": "shared"},
        "spec": {"accountId": "444455556666", "suspend": true},
    });
    cluster.accounts = vec![serde_json::from_value(account).unwrap()];
    let view = asked(&cluster, "healthy").unwrap();
    let commands: Vec<&String> = view.objects[0].holds.iter().flat_map(|held| &held.release).collect();
    assert_eq!(
        commands,
        [
            "kubectl patch awsaccount shared --type merge -p '{\"spec\":{\"suspend\":false}}'",
            "aws ec2 delete-tags --region us-east-1 --resources vpc-0bd64a5d9adefe000 --tags Key=peerkeeper.dev/hold   # in AwsAccount shared",
        ]
    );
}

/// What is approved is not done while something else holds everything back.
#[test]
fn what_a_decision_does_not_overrule_is_told_beside_it() {
    let mut cluster = cluster();
    cluster.peerings[0].spec.suspend = true;
    let view = asked(&cluster, "prod-shared").unwrap();
    let reasons: Vec<&str> = view.objects[0].holds.iter().map(|held| &*held.hold.reason).collect();
    assert_eq!(reasons, ["Suspended", "AwaitingApproval", "DeadRoute"]);
    assert!(view.objects[0].holds[0].release[0].contains("\"suspend\":false"), "{view:?}");
}

/// What the page shows is what the command says.
#[test]
fn the_page_shows_real_output() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let mut cluster = cluster();
    cluster.notes.clear();
    let now: Timestamp = "2026-06-01T10:04:14Z".parse().unwrap();
    let said = explained(&asked(&cluster, LOST).unwrap(), now, Style::PLAIN);
    assert!(page.contains(said.trim_end()), "docs/cli.md does not show it as it is:\n{said}");
}
