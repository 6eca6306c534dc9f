//! From the declaration to the last trace in AWS, with `kubectl` and EC2 as people use them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Fault, PATIENCE, Team, World, account, condition, eventually, peering, policy};

type Routes = BTreeMap<(String, String), String>;

const WRITES: [&str; 9] = [
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "ModifyVpcPeeringConnectionOptions",
    "CreateRoute",
    "ReplaceRoute",
    "DeleteRoute",
    "CreateTags",
    "DeleteTags",
];

/// Where the routes of both sides lead.
async fn routes(team: &Team) -> Routes {
    let mut routes = team.a.routes().await;
    routes.extend(team.b.routes().await);
    routes
}

/// The declared routes of both sides, all to one peering.
fn declared(team: &Team, id: &str) -> Routes {
    let to = |table: &str, cidr: &str| ((table.to_string(), cidr.to_string()), id.to_string());
    BTreeMap::from([to(&team.a.table, &team.b.cidr), to(&team.b.main, &team.a.cidr)])
}

/// Everything written so far in both accounts, ours and a test's own.
fn writes(world: &World, team: &Team) -> u64 {
    let mut aws = world.aws();
    let calls = [aws.calls_of(&team.a.account), aws.calls_of(&team.b.account)];
    calls.iter().flatten().filter(|(action, _)| WRITES.contains(&action.as_str())).map(|(_, n)| n).sum()
}

fn id_of(status: &Value) -> String {
    status["peeringId"].as_str().unwrap_or_else(|| panic!("no peering id in {status:#}")).to_string()
}

/// Several sweeps of the shared operator, for what must not happen.
async fn sweeps_pass() {
    tokio::time::sleep(Duration::from_secs(7)).await;
}

/// Declares the team's peering as `pair` and waits until it is in sync.
fn declare(world: &World, team: &Team) -> String {
    world.cluster.apply_ok(&team.peering("pair").to_string());
    id_of(&world.until_ready(&team.namespace, "pair"))
}

fn delete(world: &World, namespace: &str, name: &str) {
    world.cluster.kubectl_ok(&["delete", "vpcp", name, "-n", namespace, "--timeout=120s"]);
    assert_eq!(world.peering(namespace, name), Value::Null);
}

/// kstatus: `Reconciling` and `Stalled` are there only while True, and what is Ready is neither.
fn assert_kstatus(status: &Value, ready: &str, beside: Option<&str>) {
    assert_eq!(condition(status, "Ready")["status"], ready, "{status:#}");
    for kind in ["Reconciling", "Stalled"] {
        let wanted = if beside == Some(kind) { json!("True") } else { Value::Null };
        assert_eq!(condition(status, kind)["status"], wanted, "{kind} of {status:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_lost_flagged_restored_and_deleted() {
    a_whole_life(World::shared()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_lost_flagged_restored_and_deleted_on_moto() {
    a_whole_life(World::shared_on_moto()).await;
}

async fn a_whole_life(world: &World) {
    let team = world.team("cycle", 1, "Restore").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    world.cluster.kubectl_ok(&["wait", "vpcp/pair", "-n", ns, "--for=condition=Ready", "--timeout=120s"]);
    let ready = world.until_ready(ns, "pair");
    let first = id_of(&ready);
    assert_in_sync(world, &team, &ready, &first).await;

    let flagged = assert_flagged_before_any_write(world, &team, &first).await;
    assert_kstatus(&flagged, "False", Some("Reconciling"));
    world.aws().mend_account(&team.a.account);
    let restored = world.until_status(ns, "pair", "restored", |status| {
        condition(status, "Ready")["status"] == "True" && status["peeringId"] != *first
    });
    let second = id_of(&restored);
    assert_in_sync(world, &team, &restored, &second).await;
    let loss = &restored["lastDeletion"];
    assert_eq!(loss["peeringId"], *first);
    assert_eq!(loss["restoredPeeringId"], *second);
    assert_eq!(loss["byAccountId"], *team.b.account);
    assert_eq!(loss["routesAffected"], 2);
    assert!(loss["resolvedAt"].is_string() && loss["outcome"] == "Restored", "{loss:#}");
    assert_told(world, ns, &first, &second);

    delete(world, ns, "pair");
    assert_eq!(routes(&team).await, Routes::new());
    assert_eq!(team.a.live_peerings().await, [""; 0]);
}

/// Everything that says so, says that it is in sync.
async fn assert_in_sync(world: &World, team: &Team, status: &Value, id: &str) {
    assert_eq!(routes(team).await, declared(team, id));
    assert_states(team, "active").await;
    assert_owned(world, team, id).await;
    assert_eq!(team.a.live_peerings().await, [id]);
    assert_kstatus(status, "True", None);
    for (kind, truth, reason) in [
        ("PeeringActive", "True", "Active"),
        ("RoutesInSync", "True", "InSync"),
        (
            "UnexpectedlyDeleted",
            "False",
            if status["lastDeletion"].is_null() { "NotLost" } else { "Restored" },
        ),
    ] {
        let found = condition(status, kind);
        assert_eq!(
            (&found["status"], &found["reason"]),
            (&json!(truth), &json!(reason)),
            "{kind} {status:#}"
        );
    }
    let group = |side: &str, table: &str, cidr: &str| json!({"side": side, "routeTableIds": [table], "destinations": [cidr]});
    let groups =
        [group("requester", &team.a.table, &team.b.cidr), group("accepter", &team.b.main, &team.a.cidr)];
    assert_eq!(status["inventory"], json!(groups));
    let object = world.peering(&team.namespace, "pair");
    assert_eq!(object["metadata"]["annotations"]["peerkeeper.dev/established"], *id);
    assert_eq!(object["metadata"]["finalizers"], json!(["peerkeeper.dev/cleanup"]));
    assert_eq!(status["observedGeneration"], object["metadata"]["generation"]);
    let table = world.cluster.kubectl_ok(&["get", "vpcp", "-n", &team.namespace]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "STATE", "PEERING", "ROUTES", "READY", "AGE"], "{table}");
    assert_eq!(lines[1][..5], ["pair", "active", id, "2/2", "True"], "{table}");
}

/// What EC2 itself says of the routes of both sides.
async fn assert_states(team: &Team, state: &str) {
    for side in [&team.a, &team.b] {
        assert_eq!(side.route_states().await, [state.to_owned()].into(), "routes in {}", side.region);
    }
}

/// Each side's account sees its own tags alone, and finds the owner's among them.
async fn assert_owned(world: &World, team: &Team, id: &str) {
    for side in [&team.a, &team.b] {
        // moto shows the creator's tags to both, and nobody else's.
        if world.aws().is_moto() && side.account != team.a.account {
            continue;
        }
        let tags = side.peering_tags(id).await;
        let owner = tags.get("peerkeeper.dev/owner").map(String::as_str);
        assert_eq!(owner, Some(format!("test/{}/pair", team.namespace).as_str()), "{tags:?}");
        assert_eq!(tags.get("team").map(String::as_str), Some("network"), "{tags:?}");
    }
}

/// While the first write waits to be carried out, the flag is stored already.
async fn assert_flagged_before_any_write(world: &World, team: &Team, lost: &str) -> Value {
    let before = writes(world, team);
    world.aws().hold(Fault { account: Some(&team.a.account), ..Fault::of("CreateVpcPeeringConnection") });
    team.b.delete_peering(lost).await;
    eventually("the restore to begin", PATIENCE, || {
        let asked = writes(world, team) - before;
        // The test's own deletion, and the Create that is held.
        (asked == 2).then_some(()).ok_or(format!("{asked} writes"))
    });
    let status = world.status(&team.namespace, "pair");
    let flag = condition(&status, "UnexpectedlyDeleted");
    assert_eq!(
        (&flag["status"], &flag["reason"]),
        (&json!("True"), &json!("DeletedUnexpectedly")),
        "{status:#}"
    );
    let message = flag["message"].as_str().expect("a message");
    assert!(message.contains(lost) && message.contains(&team.b.account), "{message}");
    assert_eq!(status["lastDeletion"]["peeringId"], *lost);
    assert_eq!(status["state"], "deleted");
    assert_eq!(world.events(&team.namespace, "pair").get("DeletedUnexpectedly"), Some(&1));
    assert_eq!(routes(team).await, declared(team, lost), "nothing was touched yet");
    if !world.aws().is_moto() {
        assert_states(team, "blackhole").await;
    }
    let table = world.cluster.kubectl_ok(&["get", "vpcp", "pair", "-n", &team.namespace, "--no-headers"]);
    let columns: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(columns[..5], ["pair", "deleted", lost, "0/2", "False"], "{table}");
    status
}

/// The Events tell the story in the words of the conditions, and each points at its object.
fn assert_told(world: &World, namespace: &str, first: &str, second: &str) {
    let list = world.cluster.get(&["events.v1.events.k8s.io", "-n", namespace]);
    let events = list["items"].as_array().expect("a list");
    let told = |reason: &str| events.iter().find(|event| event["reason"] == reason);
    for (reason, kind, names) in [
        ("PeeringCreated", "Normal", first),
        ("InSync", "Normal", first),
        ("DeletedUnexpectedly", "Warning", first),
        ("Restored", "Normal", second),
    ] {
        let event = told(reason).unwrap_or_else(|| panic!("no {reason} in {events:#?}"));
        assert_eq!(event["type"], kind, "{event:#}");
        let note = event["note"].as_str().expect("a note");
        assert!(note.contains(names), "{reason}: {note}");
        assert_eq!(event["regarding"]["kind"], "VpcPeering");
        assert_eq!(event["reportingController"], "peerkeeper");
    }
    let page = include_str!("../../docs/reference.md");
    let reasons: BTreeSet<&str> = events.iter().filter_map(|event| event["reason"].as_str()).collect();
    for reason in reasons {
        assert!(page.contains(&format!("| `{reason}` |")), "{reason} is not documented");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_ends_where_the_peering_was_deleted_by_hand() {
    let world = World::shared();
    let team = world.team("gone-peering", 2, "Flag").await;
    let id = declare(world, &team);
    team.a.delete_peering(&id).await;
    delete(world, &team.namespace, "pair");
    assert_eq!(routes(&team).await, Routes::new(), "what it left behind goes all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_ends_where_a_route_table_was_deleted_by_hand() {
    let world = World::shared();
    let team = world.team("gone-table", 3, "Flag").await;
    declare(world, &team);
    let deleted = team.a.ec2.delete_route_table().route_table_id(&team.a.table).send().await;
    deleted.expect("the table is deleted");
    delete(world, &team.namespace, "pair");
    assert_eq!(routes(&team).await, Routes::new());
    assert_eq!(team.b.live_peerings().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_ends_where_a_vpc_was_deleted_by_hand() {
    let world = World::shared();
    let team = world.team("gone-vpc", 4, "Restore").await;
    declare(world, &team);
    // The API would refuse as long as it has route tables and peerings. The console takes them with it, too fast for
    // anybody to restore something in between.
    let vpc = ec2sim::VpcId::parse(&team.b.vpc).expect("an id of a VPC");
    world.aws().sim().world(|ec2| ec2.delete_vpc_in_console(&vpc)).expect("the VPC is deleted");
    delete(world, &team.namespace, "pair");
    assert_eq!(team.a.routes().await, Routes::new());
    assert_eq!(team.a.live_peerings().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_deleted_with_everything_in_it() {
    let world = World::shared();
    world.cluster.require_controller_manager();
    let team = world.team("doomed", 5, "Restore").await;
    let third = world.network(&team.b.account, "us-east-1", "10.3.0.0/16").await;
    let names = [team.accounts[0].as_str(), team.accounts[1].as_str()];
    let other = peering(&team.namespace, "other", (names[0], &team.a), (names[1], &third));
    world.cluster.apply_ok(&other.to_string());
    declare(world, &team);
    world.until_ready(&team.namespace, "other");
    assert_eq!(team.a.routes().await.len(), 2);

    world.cluster.kubectl_ok(&["delete", "namespace", &team.namespace, "--timeout=120s"]);
    let left = [team.a.routes().await, team.b.routes().await, third.routes().await];
    assert_eq!(left, [Routes::new(), Routes::new(), Routes::new()]);
    assert_eq!(team.a.live_peerings().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_in_git_cuts_no_route() {
    let world = World::shared();
    let team = world.team("rename", 6, "Restore").await;
    let ns = team.namespace.as_str();
    let id = declare(world, &team);
    let before = writes(world, &team);

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watch = tokio::spawn(always_routed(team.clone(), declared(&team, &id), stopped));
    world.cluster.apply_ok(&team.peering("renamed").to_string());
    let waiting = world.until(ns, "renamed", "Ready", "False", "PairClaimed");
    assert_kstatus(&waiting, "False", Some("Stalled"));
    delete(world, ns, "pair");
    world.until_ready(ns, "renamed");
    stop.send(()).expect("the watch still looks");
    let looks = watch.await.expect("no route was missing");
    // How often depends on the machine; a look before, one between and one after is the least.
    assert!(looks >= 3, "the routes were watched: {looks} times");

    assert_eq!(id_of(&world.status(ns, "renamed")), id);
    assert_eq!(team.a.live_peerings().await, [&*id]);
    for side in [&team.a, &team.b] {
        let tags = side.peering_tags(&id).await;
        let owner = tags.get("peerkeeper.dev/owner").map(String::as_str);
        assert_eq!(owner, Some("test/rename/renamed"), "{} has {tags:?}", side.account);
    }
    let calls = writes(world, &team) - before;
    assert!(calls <= 4, "tags are rewritten and nothing else: {calls} writes");
    delete(world, ns, "renamed");
    assert_eq!(routes(&team).await, Routes::new());
}

/// Looks at the routes all the time until it is told to stop, and says how often it did.
async fn always_routed(team: Team, wanted: Routes, mut stopped: tokio::sync::oneshot::Receiver<()>) -> u32 {
    let mut looks = 0;
    while stopped.try_recv().is_err() {
        assert_eq!(routes(&team).await, wanted, "after {looks} looks");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn flag_writes_nothing_and_after_a_change_to_restore_a_person_releases_it() {
    let world = World::shared();
    let team = world.team("flag", 7, "Flag").await;
    let ns = team.namespace.as_str();
    let id = declare(world, &team);
    team.a.delete_peering(&id).await;
    let before = writes(world, &team);
    let flagged = world.until(ns, "pair", "Ready", "False", "DeletedUnexpectedly");
    assert_kstatus(&flagged, "False", Some("Stalled"));
    assert_eq!(condition(&flagged, "UnexpectedlyDeleted")["status"], "True");
    sweeps_pass().await;
    assert_eq!(writes(world, &team), before);
    assert_eq!(routes(&team).await, declared(&team, &id));
    assert_eq!(world.events(ns, "pair").get("DeletedUnexpectedly"), Some(&1), "told once");

    // A policy that is changed after the loss releases nothing by itself.
    world.cluster.apply_ok(&policy(ns, "default", "Restore").to_string());
    world.until(ns, "pair", "Ready", "False", "AwaitingApproval");
    sweeps_pass().await;
    assert_eq!(writes(world, &team), before);
    world.approve(ns);
    let restored = world.until_ready(ns, "pair");
    assert_eq!(routes(&team).await, declared(&team, &id_of(&restored)));
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_routes_releases_until_the_spec_changes() {
    let world = World::shared();
    let team = world.team("release", 8, "RemoveRoutes").await;
    let ns = team.namespace.as_str();
    let id = declare(world, &team);
    team.a.delete_peering(&id).await;
    let released = world.until(ns, "pair", "Ready", "False", "ReleasedByPolicy");
    assert_kstatus(&released, "False", Some("Stalled"));
    assert_eq!(routes(&team).await, Routes::new());
    assert_eq!(world.events(ns, "pair").get("DeletedUnexpectedly"), Some(&1));
    sweeps_pass().await;
    assert_eq!(team.a.live_peerings().await, [""; 0], "it stays released");

    let mut changed = team.peering("pair");
    changed["spec"]["tags"]["again"] = json!("yes");
    world.cluster.apply_ok(&changed.to_string());
    let again = world.until_ready(ns, "pair");
    assert_eq!(routes(&team).await, declared(&team, &id_of(&again)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_missing_only_flags() {
    let world = World::shared();
    let team = world.team("no-policy", 9, "Restore").await;
    let ns = team.namespace.as_str();
    let mut object = team.peering("pair");
    object["spec"]["policyRef"] = json!({"name": "strict"});
    world.cluster.apply_ok(&object.to_string());
    let status = world.until_status(ns, "pair", "PolicyNotFound, and active", |status| {
        condition(status, "Ready")["reason"] == "PolicyNotFound" && status["state"] == "active"
    });
    let message = condition(&status, "Ready")["message"].as_str().expect("a message");
    assert!(message.contains("strict"), "{message}");
    eventually("the routes to be declared", PATIENCE, || {
        let summary = world.status(ns, "pair")["routes"]["summary"].take();
        (summary == "2/2").then_some(()).ok_or(summary.to_string())
    });
    let id = id_of(&status);
    team.b.delete_peering(&id).await;
    let before = writes(world, &team);
    world.until(ns, "pair", "UnexpectedlyDeleted", "True", "DeletedUnexpectedly");
    sweeps_pass().await;
    assert_eq!(writes(world, &team), before);

    world.cluster.apply_ok(&policy(ns, "strict", "Restore").to_string());
    world.approve(ns);
    let restored = world.until_ready(ns, "pair");
    assert_eq!(routes(&team).await, declared(&team, &id_of(&restored)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_is_observed_and_left_alone() {
    let world = World::shared();
    let team = world.team("suspended", 10, "Restore").await;
    let ns = team.namespace.as_str();
    let id = declare(world, &team);
    let suspend = |word: bool| {
        let patch = json!({"spec": {"suspend": word}}).to_string();
        world.cluster.kubectl_ok(&["patch", "vpcp", "pair", "-n", ns, "--type=merge", "-p", &patch]);
    };
    suspend(true);
    team.a.delete_peering(&id).await;
    let before = writes(world, &team);
    let status = world.until(ns, "pair", "Ready", "False", "Suspended");
    assert_eq!(condition(&status, "UnexpectedlyDeleted")["status"], "True", "{status:#}");
    sweeps_pass().await;
    assert_eq!(writes(world, &team), before);
    suspend(false);
    let restored = world.until_ready(ns, "pair");
    assert_eq!(routes(&team).await, declared(&team, &id_of(&restored)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_was_erased_is_found_again() {
    let world = World::shared();
    let team = world.team("erased", 11, "Restore").await;
    let ns = team.namespace.as_str();
    let id = declare(world, &team);
    let before = writes(world, &team);
    erase_status(world, ns);
    let status = world.until_ready(ns, "pair");
    assert_eq!(id_of(&status), id);
    sweeps_pass().await;
    assert_eq!(writes(world, &team), before, "there was nothing to write");

    // It is known again as well as before: what is lost is restored, and what is deleted is cleaned up.
    team.b.delete_peering(&id).await;
    let restored = world.until_status(ns, "pair", "restored", |status| {
        condition(status, "Ready")["status"] == "True" && status["peeringId"] != *id
    });
    assert_eq!(restored["lastDeletion"]["peeringId"], *id);
    assert_eq!(routes(&team).await, declared(&team, &id_of(&restored)));
    delete(world, ns, "pair");
    assert_eq!(routes(&team).await, Routes::new());
    assert_eq!(team.a.live_peerings().await, [""; 0]);
}

/// As a restore from a backup without status does.
fn erase_status(world: &World, namespace: &str) {
    let mut object = world.peering(namespace, "pair");
    object["status"] = json!({});
    object["metadata"]["resourceVersion"].take();
    let path = world.cluster.dir().join(format!("{namespace}-without-status.json"));
    std::fs::write(&path, object.to_string()).expect("the folder can be written to");
    let path = path.display().to_string();
    world.cluster.kubectl_ok(&["replace", "--subresource=status", "-f", &path]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_use_is_not_let_go() {
    let world = World::shared();
    let team = world.team("in-use", 12, "Restore").await;
    let ns = team.namespace.as_str();
    declare(world, &team);
    let name = team.accounts[1].as_str();
    let metadata = |field: &str| world.cluster.get(&["awsaccount", name])["metadata"][field].take();
    assert_eq!(metadata("finalizers"), json!(["peerkeeper.dev/in-use"]));
    let waited = world.cluster.kubectl(&["delete", "awsaccount", name, "--timeout=4s"]);
    assert!(!waited.status.success(), "it waits: {waited:?}");
    assert!(metadata("deletionTimestamp").is_string());
    // What needs it can still be cleaned up.
    delete(world, ns, "pair");
    assert_eq!(routes(&team).await, Routes::new());
    world.cluster.kubectl_ok(&["wait", "--for=delete", "awsaccount", name, "--timeout=120s"]);
    // One that nobody uses goes at once.
    world.cluster.apply_ok(&account("unused", "333333333312", ns).to_string());
    world.cluster.kubectl_ok(&["delete", "awsaccount", "unused", "--timeout=30s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_hour_between_sweeps_an_annotation_asks_now() {
    let world = World::start();
    let mut options = world.options();
    options.sweep_interval = "1h".to_string();
    let mut operator = crate::support::Operator::start(options);
    operator.wait_ready();
    let team = world.team("patient", 13, "Restore").await;
    let ns = team.namespace.as_str();
    let id = declare(&world, &team);
    // What was written last may be looked at once more; then nobody looks for an hour.
    let mut before = BTreeMap::new();
    crate::support::eventually("it is quiet", Duration::from_secs(60), || {
        std::thread::sleep(Duration::from_secs(4));
        let now = world.aws().calls();
        if std::mem::replace(&mut before, now.clone()) == now { Ok(()) } else { Err(format!("{now:?}")) }
    });
    team.b.delete_peering(&id).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.status(ns, "pair")["state"], "active", "nobody looked yet");
    let asked = "peerkeeper.dev/reconcile-requested-at=2026-01-01T00:00:00Z";
    world.cluster.kubectl_ok(&["annotate", "vpcp", "pair", "-n", ns, asked]);
    let restored = world.until_status(ns, "pair", "restored", |status| {
        condition(status, "Ready")["status"] == "True" && status["peeringId"] != *id
    });
    let id = id_of(&restored);
    assert_eq!(routes(&team).await, declared(&team, &id));

    // Status and peering are lost at once, between two looks: the annotation tells that there was one.
    operator.signal("STOP");
    erase_status(&world, ns);
    team.b.delete_peering(&id).await;
    operator.signal("CONT");
    let restored = world.until_status(ns, "pair", "restored again", |status| {
        condition(status, "Ready")["status"] == "True" && status["peeringId"] != *id
    });
    assert_eq!(restored["lastDeletion"]["peeringId"], *id, "{restored:#}");
    assert_eq!(world.events(ns, "pair").get("DeletedUnexpectedly"), Some(&2));
    assert_eq!(routes(&team).await, declared(&team, &id_of(&restored)));
}
