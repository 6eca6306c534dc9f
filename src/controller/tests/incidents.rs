//! Incidents: there before anything is done, once whatever happens, and decided by people.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::incident;
use serde_json::{Value, json};

use super::api_server::Fault;
use super::rig::*;
use crate::controller::AuditLog;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn name_of(declared: &Declared, lost: &ec2sim::PeeringId) -> String {
    let key = ObjectKey::new(NAMESPACE, declared.name.as_str());
    incident::name(&key, lost.as_str().parse().unwrap())
}

fn incident(rig: &Rig, name: &str) -> Value {
    rig.server.get("peeringincidents", NAMESPACE, name).unwrap_or_default()
}

fn phase(rig: &Rig, name: &str) -> String {
    incident(rig, name)["status"]["phase"].as_str().unwrap_or_default().to_owned()
}

/// The incident's uid that the object's memory names.
fn recorded(rig: &Rig, declared: &Declared) -> Value {
    rig.status(&declared.name)["memory"]["case"]["incident"]["uid"].clone()
}

fn decide(rig: &Rig, name: &str, decision: Value) {
    let mut object = incident(rig, name);
    object["spec"]["decision"] = decision;
    rig.server.apply(object);
}

fn digest(rig: &Rig, name: &str) -> Value {
    incident(rig, name)["status"]["plan"]["digest"].clone()
}

/// One peering in sync, its operator, and the loss of it.
async fn lost(options: impl FnOnce(&Rig) -> Options) -> (Rig, Replica, Declared, ec2sim::PeeringId, String) {
    let rig = Rig::in_sync(1);
    let options = options(&rig);
    let replica = rig.start(options).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    rig.aws.with_world(|world| world.clear_log());
    let declared = rig.peerings[0].clone();
    let id = rig.lose_all().remove(0);
    let name = name_of(&declared, &id);
    (rig, replica, declared, id, name)
}

#[tokio::test(start_paused = true)]
async fn the_incident_is_there_and_named_in_memory_before_the_first_write_and_tells_the_whole_story() {
    let (rig, _replica, declared, id, name) = lost(Rig::options).await;
    rig.until("the first write", 2 * MINUTE, |rig| {
        let written =
            rig.aws.with_world(|world| world.live_peerings_of(&declared.hub, &declared.spoke).len()) > 0;
        let uid = incident(rig, &name)["metadata"]["uid"].clone();
        assert!(
            !written || uid.is_string() && recorded(rig, &declared) == uid,
            "it acted before it was recorded"
        );
        written
    })
    .await;
    rig.until("the restore", MINUTE, Rig::settled_anew).await;
    let told = incident(&rig, &name);
    let status = &told["status"];
    assert_eq!(told["spec"]["peeringId"], id.as_str());
    assert_eq!(told["metadata"]["ownerReferences"], Value::Null, "it would go with the peering");
    assert_eq!((&status["phase"], &status["class"]), (&json!("Restored"), &json!("Unexpected")));
    assert_eq!(status["restoredPeeringId"], rig.live(&declared).unwrap().as_str());
    assert_eq!(status["routesAffectedTotal"], 2 * TABLES);
    let routes = status["routesAffected"].as_array().unwrap();
    assert!(
        routes
            .iter()
            .all(|group| group["before"] == id.as_str() && group["after"] == status["restoredPeeringId"]),
        "{routes:?}"
    );
    let timeline = status["timeline"].as_array().unwrap();
    let whats: Vec<&str> = timeline.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!((whats[0], *whats.last().unwrap()), ("Flagged", "Restored"), "{whats:?}");
    let writes: Vec<_> = timeline.iter().filter(|entry| entry["what"] == "Write").collect();
    assert!(writes.len() >= 2 + 2 * TABLES, "create, accept and every route: {writes:?}");
    assert!(
        writes.iter().all(|entry| entry["requestId"].as_str().is_some_and(|id| !id.is_empty())),
        "{writes:?}"
    );
    // Who it was may become known for half an hour. Then, at rest, nothing is written any more.
    tokio::time::sleep(40 * MINUTE).await;
    let before = rig.server.writes("peeringincidents");
    tokio::time::sleep(50 * MINUTE).await;
    assert_eq!(rig.server.writes("peeringincidents"), before);
}

#[tokio::test(start_paused = true)]
async fn made_and_not_recorded_it_is_taken_over_by_the_next_and_exists_once() {
    let rig = Rig::in_sync(1);
    let first = rig.start(rig.options()).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    let declared = rig.peerings[0].clone();
    // Its status can't be stored, so memory never names the incident that it made.
    rig.server.fail(Some(Fault::Conflict));
    let id = rig.lose_all().remove(0);
    let name = name_of(&declared, &id);
    rig.until("the incident", 2 * MINUTE, |rig| incident(rig, &name).is_object()).await;
    let uid = incident(&rig, &name)["metadata"]["uid"].clone();
    assert_eq!(recorded(&rig, &declared), Value::Null);
    first.kill();
    rig.server.fail(None);
    let _second = rig.start(Options { identity: "two".to_owned(), ..rig.options() }).await;
    rig.until("the restore", 10 * MINUTE, Rig::settled_anew).await;
    assert_eq!(
        (incident(&rig, &name)["metadata"]["uid"].clone(), recorded(&rig, &declared)),
        (uid.clone(), uid)
    );
    assert_eq!(rig.server.count("peeringincidents"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_put_under_its_name_is_left_and_nothing_is_done() {
    let rig = Rig::in_sync(1);
    let _replica = rig.start(rig.options()).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    let declared = rig.peerings[0].clone();
    let name = name_of(&declared, &rig.live(&declared).unwrap());
    let stranger = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "peeringRef": {"name": declared.name, "uid": rig.server.get("vpcpeerings", NAMESPACE, &declared.name).unwrap()["metadata"]["uid"]},
            "peeringId": rig.live(&declared).unwrap().as_str(),
            "decision": {"verdict": "Approve", "planDigest": format!("sha256:{}", "0".repeat(64))},
        },
    });
    rig.server.apply(stranger.clone());
    rig.aws.with_world(|world| world.clear_log());
    rig.lose_all();
    rig.until("the conflict", 3 * MINUTE, |rig| {
        rig.condition(&declared.name, "Ready").is_some_and(|(_, reason)| reason == "IncidentConflict")
    })
    .await;
    tokio::time::sleep(10 * MINUTE).await;
    assert!(rig.live(&declared).is_none());
    assert_eq!(incident(&rig, &name)["spec"], stranger["spec"]);
    assert_eq!(incident(&rig, &name)["status"], Value::Null, "nothing is told in a stranger's");
    // Deleted, it is made by us, and all goes on.
    rig.server.delete("peeringincidents", NAMESPACE, &name);
    rig.until("the restore", 10 * MINUTE, Rig::settled_anew).await;
    assert_eq!(recorded(&rig, &declared), incident(&rig, &name)["metadata"]["uid"]);
}

#[tokio::test(start_paused = true)]
async fn an_incident_that_is_refused_keeps_no_flag_from_being_raised_and_every_act_from_being_begun() {
    let rig = Rig::in_sync(1);
    let _replica = rig.start(rig.options()).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    let declared = rig.peerings[0].clone();
    rig.server.refuse("peeringincidents", true);
    rig.lose_all();
    rig.until("the flag", 70 * SECOND, |rig| {
        rig.condition(&declared.name, "UnexpectedlyDeleted").is_some_and(|(status, _)| status == "True")
    })
    .await;
    rig.until("it to say why", 2 * MINUTE, |rig| {
        rig.condition(&declared.name, "Ready").is_some_and(|(_, reason)| reason == "IncidentNotStored")
    })
    .await;
    rig.server.forget_asked();
    tokio::time::sleep(20 * MINUTE).await;
    assert!(rig.live(&declared).is_none(), "it acted without an incident");
    let tries = rig.server.asked("peeringincidents");
    assert!(tries < 600, "{tries} requests in 20 minutes");
    rig.server.refuse("peeringincidents", false);
    rig.until("the restore", 10 * MINUTE, Rig::settled_anew).await;
}

#[tokio::test(start_paused = true)]
async fn a_person_approves_and_the_watch_wakes_it_at_once() {
    let (rig, _replica, declared, _, name) = lost(|rig| {
        rig.policy("Flag", 10);
        rig.options()
    })
    .await;
    rig.until("the plan", 2 * MINUTE, |rig| digest(rig, &name).is_string()).await;
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(phase(&rig, &name), "Flagged");
    let what_now = incident(&rig, &name)["status"]["whatNow"].as_str().unwrap().to_owned();
    let command = format!(
        "kubectl -n {NAMESPACE} patch peeringincidents.peerkeeper.dev {name} --type=merge -p '{{\"spec\":{{\"decision\":{{\"verdict\":\"Approve\",\"planDigest\":{},",
        digest(&rig, &name)
    );
    assert!(what_now.contains(&command), "{what_now}");
    // Another plan's digest approves nothing.
    decide(&rig, &name, json!({"verdict": "Approve", "planDigest": format!("sha256:{}", "0".repeat(64))}));
    tokio::time::sleep(5 * MINUTE).await;
    assert!(rig.live(&declared).is_none());
    decide(&rig, &name, json!({"verdict": "Approve", "planDigest": digest(&rig, &name)}));
    rig.until("the restore to begin", 5 * SECOND, |rig| rig.live(&declared).is_some()).await;
    rig.until("the restore", MINUTE, Rig::settled_anew).await;
    rig.until("its end to be told", MINUTE, |rig| phase(rig, &name) == "Restored").await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_beyond_the_limit_is_released_by_approval_and_by_nothing_else() {
    let rig = Rig::in_sync(3);
    rig.policy("Restore", 2);
    let _replica = rig.start(rig.options()).await;
    rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
    let lost = rig.lose_all();
    let names: Vec<String> =
        rig.peerings.iter().zip(&lost).map(|(declared, id)| name_of(declared, id)).collect();
    rig.until("the holds", 3 * MINUTE, |rig| names.iter().all(|name| phase(rig, name) == "Held")).await;
    rig.policy("Restore", 1_000);
    tokio::time::sleep(70 * MINUTE).await;
    assert!(rig.peerings.iter().all(|of| rig.live(of).is_none()), "a raised limit released it");
    decide(&rig, &names[1], json!({"verdict": "Approve", "planDigest": digest(&rig, &names[1])}));
    rig.until("the approved one", MINUTE, |rig| rig.is_ready(&rig.peerings[1].name)).await;
    tokio::time::sleep(10 * MINUTE).await;
    assert!(rig.live(&rig.peerings[0]).is_none() && rig.live(&rig.peerings[2]).is_none());
    decide(&rig, &names[0], json!({"verdict": "Reject"}));
    rig.until("the rejection", MINUTE, |rig| phase(rig, &names[0]) == "Rejected").await;
    assert!(rig.live(&rig.peerings[0]).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_audit_log_has_each_phase_before_the_act_and_one_that_fails_is_said() {
    let folder = std::env::temp_dir().join(format!("peerkeeper-audit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("log");
    // A folder in its place: it can't be written.
    std::fs::create_dir_all(&path).unwrap();
    let (rig, _replica, declared, _, name) = lost(|rig| {
        rig.policy("Flag", 10);
        Options { audit_log: Some(AuditLog::File(path.clone())), ..rig.options() }
    })
    .await;
    let audited = |rig: &Rig| {
        let told = incident(rig, &name)["status"]["conditions"].clone();
        let found = told.as_array().and_then(|all| all.iter().find(|c| c["type"] == "Audited").cloned());
        found.map(|condition| condition["status"].as_str().unwrap_or_default().to_owned())
    };
    rig.until("the failure to be told", 3 * MINUTE, |rig| audited(rig).as_deref() == Some("False")).await;
    std::fs::remove_dir(&path).unwrap();
    // What the log holds when AWS has the first write: another thing than what it holds soon after.
    let (log, at_first_write) = (path.clone(), Arc::new(OnceLock::new()));
    let noted = at_first_write.clone();
    rig.aws.twist(move |seen, fate| {
        if seen.action == "CreateVpcPeeringConnection" {
            noted.get_or_init(|| std::fs::read_to_string(&log).unwrap_or_default());
        }
        fate
    });
    decide(&rig, &name, json!({"verdict": "Approve", "planDigest": digest(&rig, &name)}));
    rig.until("the restore to begin", MINUTE, |rig| rig.live(&declared).is_some()).await;
    let read =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let lines = || read(&std::fs::read_to_string(&path).unwrap());
    let before = read(at_first_write.get().unwrap());
    assert!(before.iter().any(|line| line["phase"] == "Restoring"), "it acted before it was written");
    rig.until("the restore", MINUTE, |rig| phase(rig, &name) == "Restored").await;
    let phases: Vec<_> = lines().iter().map(|line| line["phase"].clone()).collect();
    assert_eq!(phases.last(), Some(&json!("Restored")));
    assert!(
        lines().iter().all(|line| line["incident"] == name.as_str() && line["status"]["plan"].is_object())
    );
    let mut once = phases.clone();
    once.dedup();
    assert_eq!(once, phases, "each change is written once");
    assert_eq!(audited(&rig).as_deref(), Some("True"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_audit_log_tells_each_phase_once_although_the_incident_can_not_be_stored() {
    let folder = std::env::temp_dir().join(format!("peerkeeper-unmade-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("log");
    let rig = Rig::in_sync(1);
    let options = Options { audit_log: Some(AuditLog::File(path.clone())), ..rig.options() };
    let _replica = rig.start(options).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    let declared = rig.peerings[0].clone();
    rig.server.refuse("peeringincidents", true);
    let id = rig.lose_all().remove(0);
    let name = name_of(&declared, &id);
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    rig.until("the line", 2 * MINUTE, |_| !lines().is_empty()).await;
    tokio::time::sleep(20 * MINUTE).await;
    assert!(rig.live(&declared).is_none(), "it acted without an incident");
    let unmade = lines();
    assert!(unmade.iter().all(|line| line["incident"] == name.as_str() && line["incidentUid"].is_null()));
    let phases: Vec<_> = unmade.iter().map(|line| line["phase"].clone()).collect();
    let mut once = phases.clone();
    once.dedup();
    assert_eq!(once, phases, "each change is written once");
    rig.server.refuse("peeringincidents", false);
    rig.until("the restore", 10 * MINUTE, Rig::settled_anew).await;
    assert!(lines().iter().any(|line| line["phase"] == "Restoring" && line["incidentUid"].is_string()));
    std::fs::remove_dir_all(&folder).unwrap();
}

fn drift_of(rig: &Rig) -> Option<Value> {
    let all = rig.server.all("peeringincidents");
    all.into_iter().find(|one| one["metadata"]["name"].as_str().is_some_and(|name| name.contains("-drift-")))
}

#[tokio::test(start_paused = true)]
async fn a_repointed_route_is_told_by_message_and_history_and_put_back_when_approved() {
    let rig = Rig::in_sync(1);
    let _replica = rig.start(rig.options()).await;
    rig.until("it to be ready", 5 * MINUTE, Rig::all_ready).await;
    let declared = rig.peerings[0].clone();
    let id = rig.live(&declared).unwrap();
    let (table, owner) = rig.aws.with_world(|world| {
        world.keep_history(true);
        let mut tables = world.route_tables();
        let of_it = |table: &ec2sim::RouteTableView| {
            table.routes.iter().any(|route| route.target.as_str() == id.as_str())
        };
        let table = tables.find(of_it).unwrap();
        (table.clone(), table.owner.to_string())
    });
    let to = table
        .routes
        .iter()
        .find(|route| route.target.as_str() == id.as_str())
        .unwrap()
        .destination
        .to_string();
    rig.aws.with_world(|world| world.repoint_route(&table.id, &to, "tgw-0123456789abcdef0")).unwrap();
    rig.until("the incident", 2 * MINUTE, |rig| {
        drift_of(rig).is_some_and(|it| it["status"]["phase"] == "Flagged")
    })
    .await;
    rig.until("the actor", 30 * MINUTE, |rig| {
        drift_of(rig).is_some_and(|it| it["status"]["attribution"]["level"] == "Corroborated")
    })
    .await;
    let told = drift_of(&rig).unwrap();
    let status = &told["status"];
    assert_eq!(
        (&status["class"], &told["spec"]["peeringId"]),
        (&json!("RouteRepointed"), &json!(id.as_str()))
    );
    assert_eq!(status["evidence"]["recipientAccountId"], *owner);
    let one = &status["deviations"][0];
    assert_eq!(
        (&one["routeTableId"], &one["after"]),
        (&json!(table.id.as_str()), &json!("tgw-0123456789abcdef0"))
    );
    assert!(
        one["evidence"]["record"].is_null() && status["evidence"]["record"].is_string(),
        "once is enough"
    );
    let name = told["metadata"]["name"].as_str().unwrap().to_owned();
    assert_eq!(rig.status(&declared.name)["memory"]["drift"]["incident"]["uid"], told["metadata"]["uid"]);
    decide(&rig, &name, json!({"verdict": "Approve", "planDigest": digest(&rig, &name)}));
    rig.until("the repair", MINUTE, Rig::all_ready).await;
    rig.until("its end", MINUTE, |rig| phase(rig, &name) == "Restored").await;
    let over = incident(&rig, &name);
    let whats: Vec<&str> = over["status"]["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    for what in ["RouteRepointed", "ActorKnown", "Write", "Repaired", "Restored"] {
        assert!(whats.contains(&what), "{what}: {whats:?}");
    }
    assert_eq!(rig.server.count("peeringincidents"), 1);
}
