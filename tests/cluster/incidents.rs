//! Incidents on a real API server: from DeleteVpcPeeringConnection to the flag, the incident, a person's decision and the
//! restore.

use serde_json::{Value, json};

use crate::support::{PATIENCE, World, eventually};

fn incident(world: &World, namespace: &str) -> Option<Value> {
    let all = world.cluster.get(&["peeringincidents", "--namespace", namespace]);
    let items = all["items"].as_array().expect("a list");
    assert!(items.len() <= 1, "one loss, one incident: {items:#?}");
    items.first().cloned()
}

fn until(world: &World, namespace: &str, what: &str, probe: impl Fn(&Value) -> bool) -> Value {
    eventually(what, PATIENCE, || {
        let found = incident(world, namespace).unwrap_or_default();
        if probe(&found) { Ok(found) } else { Err(format!("{found:#}")) }
    })
}

/// The first command in a text: up to where its patch ends.
fn command(text: &str) -> &str {
    let rest = &text[text.find("kubectl ").expect("a command")..];
    let end = "}}}'";
    &rest[..rest.find(end).expect("its end") + end.len()]
}

/// What the incident tells a person to type is typed, and does what it says.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_told_decided_by_the_command_that_it_shows_and_restored() {
    let world = World::shared();
    let team = world.team("incident", 41, "Flag").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let lost = ready["peeringId"].as_str().expect("an id").to_owned();

    team.b.delete_peering(&lost).await;
    let told = until(world, ns, "the plan", |told| told["status"]["plan"]["digest"].is_string());
    let (spec, status) = (&told["spec"], &told["status"]);
    assert_eq!(told["metadata"]["name"], format!("pair-{lost}"));
    assert_eq!(spec["peeringId"], *lost);
    assert_eq!(spec["peeringRef"]["uid"], world.peering(ns, "pair")["metadata"]["uid"]);
    assert_eq!(spec["decision"], json!({"verdict": "Pending"}));
    assert_eq!((&status["class"], &status["phase"]), (&json!("Unexpected"), &json!("Flagged")));
    assert_eq!(status["routesAffectedTotal"], 2);
    assert_eq!(status["attribution"]["level"], "AccountOnly");
    let memory = &world.status(ns, "pair")["memory"];
    assert_eq!(memory["case"]["incident"]["uid"], told["metadata"]["uid"]);
    let table = world.cluster.kubectl_ok(&["get", "pinc", "-n", ns]);
    let lines: Vec<&str> = table.lines().collect();
    let heads: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(heads, ["NAME", "PEERING", "WHO", "WHEN", "CLASS", "PHASE", "WHAT-NOW"], "{table}");
    for word in
        [lost.as_str(), team.b.account.as_str(), "Unexpected", "Flagged", "approve the plan to restore it"]
    {
        assert!(lines[1].contains(word), "{word}: {table}");
    }

    assert_bad_decisions_are_refused(world, ns, told["metadata"]["name"].as_str().expect("a name"));

    let what_now = status["whatNow"].as_str().expect("what now");
    world.cluster.shell_ok(command(what_now));
    let restored = world.until_status(ns, "pair", "restored", |status| {
        status["lastDeletion"]["outcome"] == "Restored" && status["peeringId"] != *lost
    });
    let over = until(world, ns, "its end", |told| told["status"]["phase"] == "Restored");
    let me = world.cluster.kubectl_ok(&["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]);
    assert_eq!(over["spec"]["decision"]["decidedBy"], *me);
    let status = &over["status"];
    assert_eq!(status["restoredPeeringId"], restored["peeringId"]);
    assert_eq!(over["metadata"]["uid"], told["metadata"]["uid"]);
    let resolved =
        status["conditions"].as_array().expect("conditions").iter().find(|c| c["type"] == "Resolved");
    assert_eq!(resolved.expect("it is there")["status"], "True");
    let writes: Vec<_> = status["timeline"]
        .as_array()
        .expect("a timeline")
        .iter()
        .filter(|entry| entry["what"] == "Write")
        .collect();
    assert!(writes.len() >= 4, "create, accept and two routes: {writes:#?}");
    assert!(writes.iter().all(|write| write["requestId"].is_string()), "{writes:#?}");

    // The evidence outlives the peering.
    world.cluster.kubectl_ok(&["delete", "vpcp", "pair", "-n", ns, "--timeout=120s"]);
    assert!(incident(world, ns).is_some());
}

fn assert_bad_decisions_are_refused(world: &World, ns: &str, name: &str) {
    let good = format!("sha256:{}", "0".repeat(64));
    for (patch, says) in [
        (json!({"decision": {"verdict": "Approve"}}), "Approve names the plan that was looked at"),
        (json!({"decision": {"verdict": "Approve", "planDigest": "sha256:1234"}}), "must be a digest"),
        (json!({"decision": {"verdict": "Perhaps"}}), "Unsupported value"),
        (json!({"decision": {"reason": "x".repeat(1025)}}), "may not be more than 1024"),
        (json!({"peeringId": "pcx-0123456789abcdef0"}), "peeringId can't be changed"),
        (json!({"peeringRef": {"uid": "another"}}), "peeringRef can't be changed"),
        (
            json!({"decision": {"verdict": "Approve", "planDigest": good}, "peeringId": "vpc-1"}),
            "such as pcx-",
        ),
    ] {
        let patch = json!({ "spec": patch }).to_string();
        let args = ["-n", ns, "patch", "peeringincidents", name, "--type=merge", "-p", &patch];
        let output = world.cluster.kubectl(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{patch}: {said}");
    }
}
