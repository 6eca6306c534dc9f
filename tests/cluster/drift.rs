//! Drift that the policy only flags, on a real API server: told with its actor, put back by a person's decision, pruned; and
//! what is told where no incident can be stored.

use ec2sim::{Caller, Calm, Request, RouteRequest, RouteTableId};
use serde_json::{Value, json};

use crate::stage::{NAMESPACE, PATIENCE, Pair, Stage, condition};
use crate::support::{OWN_ACCOUNT, Operator, eventually};

const HERE: &str = "eu-west-1";

/// The requester's table, and the route in it.
fn route(stage: &Stage, id: &str) -> (RouteTableId, String) {
    stage.aws.sim().world(|world| {
        let found = world.route_tables().find_map(|table| {
            let mut routes = table.routes.iter();
            let route = routes.find(|route| route.target.as_str() == id)?;
            let destination = route.destination.to_string();
            (destination == "10.2.0.0/16").then(|| (table.id.clone(), destination))
        });
        found.expect("a route to the peering")
    })
}

fn point_at(stage: &Stage, (table, destination): &(RouteTableId, String), target: &str, who: &str) {
    let request = Request::ReplaceRoute(RouteRequest::new(table, destination).target(target));
    let caller = Caller::new(OWN_ACCOUNT, HERE).named(who);
    stage.aws.sim().world(|world| world.call(&caller, request, &mut Calm)).expect("AWS takes it");
}

fn incidents(stage: &Stage) -> Vec<Value> {
    let all = stage.cluster.get(&["peeringincidents", "--namespace", NAMESPACE]);
    all["items"].as_array().expect("a list").clone()
}

/// The incident that is not over.
fn open(stage: &Stage, what: &str, probe: impl Fn(&Value) -> bool) -> Value {
    eventually(what, PATIENCE, || {
        let all = incidents(stage);
        let found = all.iter().find(|one| one["status"]["resolvedAt"].is_null() && probe(one));
        found.cloned().ok_or_else(|| format!("{all:#?}"))
    })
}

fn until_phase(stage: &Stage, name: &Value, phase: &str) -> Value {
    eventually(phase, PATIENCE, || {
        let all = incidents(stage);
        let found =
            all.iter().find(|one| one["metadata"]["name"] == *name && one["status"]["phase"] == phase);
        found.cloned().ok_or_else(|| format!("{all:#?}"))
    })
}

/// The first command in a text: up to where its patch ends.
fn command(text: &str) -> &str {
    let rest = &text[text.find("kubectl ").expect("a command")..];
    let end = "}}}'";
    &rest[..rest.find(end).expect("its end") + end.len()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repointed_route_is_told_with_its_actor_put_back_when_approved_and_old_incidents_go() {
    let stage = Stage::start().await;
    let mut operator = Operator::start(stage.options("a").args(&["--incident-history", "1"]));
    operator.wait_ready();
    let (pair, id) = stage.declare("drifted").await;
    let other = stage.aws.sim().world(|world| {
        world.keep_history(true);
        "tgw-0123456789abcdef0".to_owned()
    });
    let slot = route(&stage, &id);
    point_at(&stage, &slot, &other, "mallory");
    let told = open(&stage, "the actor", |told| told["status"]["attribution"]["level"] == "Corroborated");
    let (name, status) = (&told["metadata"]["name"], &told["status"]);
    assert!(name.as_str().is_some_and(|name| name.starts_with("drifted-drift-")), "{name}");
    assert_eq!(told["spec"]["peeringId"], *id);
    assert_eq!((&status["class"], &status["phase"]), (&json!("RouteRepointed"), &json!("Flagged")));
    let one = &status["deviations"][0];
    assert_eq!(
        (&one["routeTableId"], &one["destination"], &one["before"], &one["after"]),
        (&json!(slot.0.as_str()), &json!(slot.1), &json!(id), &json!(other))
    );
    assert!(status["who"].as_str().is_some_and(|who| who.contains("mallory")), "{status:#}");
    assert_eq!(status["evidence"]["eventName"], "ReplaceRoute");
    let table = stage.cluster.kubectl_ok(&["get", "vpcp,pinc", "-n", NAMESPACE]);
    for word in ["RouteRepointed", "mallory", "Flagged", "approve the plan to put it back"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    // What it tells a person to type is typed, and does what it says.
    stage.cluster.shell_ok(command(status["whatNow"].as_str().expect("what now")));
    let over = until_phase(&stage, name, "Restored");
    stage.assert_whole(&pair, &id).await;
    let writes = over["status"]["timeline"].as_array().expect("a timeline").iter();
    assert_eq!(writes.filter(|entry| entry["what"] == "Write" && entry["requestId"].is_string()).count(), 1);
    // The next one, which somebody puts back, leaves only itself: --incident-history.
    point_at(&stage, &slot, &other, "mallory");
    let next = open(&stage, "the next drift", |told| told["metadata"]["name"] != *name);
    point_at(&stage, &slot, &id, "ada");
    until_phase(&stage, &next["metadata"]["name"], "Resolved");
    eventually("the old one to go", PATIENCE, || {
        let names: Vec<_> = incidents(&stage).iter().map(|one| one["metadata"]["name"].clone()).collect();
        if names == [next["metadata"]["name"].clone()] { Ok(()) } else { Err(format!("{names:?}")) }
    });
}

/// Kubernetes takes no new object in a namespace that goes: status and the audit log are the flag, nothing is changed, and the
/// object's own deletion goes on.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_terminating_namespace_the_audit_log_tells_and_deletion_goes_on() {
    let stage = Stage::start().await;
    let log = stage.cluster.dir().join("audit.jsonl");
    let path = log.to_str().expect("a path");
    let mut operator = Operator::start(stage.options("a").args(&["--audit-log", path]));
    operator.wait_ready();
    let (pair, id) = stage.declare("going").await;
    stage.cluster.kubectl_ok(&["delete", "namespace", NAMESPACE, "--wait=false"]);
    stage.lose(&id).await;
    let flagged = |pair: &Pair| condition(&stage.status(pair), "UnexpectedlyDeleted")["status"] == "True";
    eventually("the flag", PATIENCE, || if flagged(&pair) { Ok(()) } else { Err(String::new()) });
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    eventually("the line", PATIENCE, || if lines().is_empty() { Err(String::new()) } else { Ok(()) });
    let first = &lines()[0];
    assert_eq!((&first["peeringId"], &first["incidentUid"]), (&json!(id), &Value::Null));
    assert_eq!(first["vpcPeering"], "going");
    assert!(
        incidents(&stage).is_empty() && stage.live(&pair).await.is_empty(),
        "it acted without an incident"
    );
    let phases: Vec<Value> = lines().iter().map(|line| line["phase"].clone()).collect();
    let mut once = phases.clone();
    once.dedup();
    assert_eq!(once, phases, "each phase is written once");
    stage.cluster.kubectl_ok(&["delete", "vpcp", "going", "-n", NAMESPACE, "--timeout=60s"]);
}
