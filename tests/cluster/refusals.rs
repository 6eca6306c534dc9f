//! What bad input and a bad world get: `Ready=False` with a reason, a message that names the thing, AWS's code and the
//! next step, and nothing half done in silence. All of them live beside objects that are in sync, in one cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use ec2sim::{Role, Trust, Who};
use serde_json::{Value, json};

use crate::support::{
    Fault, OWN_ACCOUNT, Operator, PATIENCE, Team, World, account, condition, eventually, peering,
};

/// Waits for `Ready=False` with the reason, and holds the message to its words.
#[track_caller]
fn refused(world: &World, namespace: &str, name: &str, reason: &str, words: &[&str]) -> Value {
    let status = world.until(namespace, name, "Ready", "False", reason);
    let message = condition(&status, "Ready")["message"].as_str().expect("a message").to_string();
    for word in words {
        assert!(message.contains(word), "{reason} lacks {word:?}: {message}");
    }
    status
}

fn asked(world: &World, account: &str, action: &str) -> u64 {
    world.aws().calls_of(account).get(action).copied().unwrap_or_default()
}

async fn nothing_was_made(world: &World, team: &Team) {
    assert_eq!(asked(world, &team.a.account, "CreateVpcPeeringConnection"), 0);
    assert_eq!(team.a.live_peerings().await, [""; 0]);
    assert!(team.a.routes().await.is_empty() && team.b.routes().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aws_account_that_does_not_exist() {
    let world = World::shared();
    let team = world.team("no-account", 20, "Restore").await;
    let ns = team.namespace.as_str();
    let mut named = team.peering("named");
    named["spec"]["accepter"]["account"] = json!({"name": "nobody"});
    let mut default = team.peering("default");
    default["spec"]["requester"].as_object_mut().expect("a side").remove("account");
    default["spec"]["accepter"]["vpcId"] = json!("vpc-0fedcba9876543210");
    world.cluster.apply_ok(&format!("{named}\n---\n{default}"));
    refused(world, ns, "named", "AccountNotFound", &["nobody", "accepter", "create it"]);
    refused(world, ns, "default", "AccountNotFound", &["AwsAccount default", "requester", "create it"]);
    nothing_was_made(world, &team).await;

    // Once it exists, nobody needs to touch the object.
    world.account("nobody", &team.b.account, ns);
    world.until_ready(ns, "named");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_a_grant_and_a_grant_withdrawn() {
    let world = World::shared();
    let team = world.team("granted", 21, "Restore").await;
    let ns = team.namespace.as_str();
    let [a, b] = [team.accounts[0].as_str(), team.accounts[1].as_str()];
    let relabel = |team: &str| {
        world.cluster.kubectl_ok(&["label", "namespace", ns, &format!("team={team}"), "--overwrite"]);
    };
    relabel("strangers");
    world.cluster.apply_ok(&team.peering("pair").to_string());
    refused(world, ns, "pair", "AccessNotGranted", &[a, "requester", "spec.grants"]);
    nothing_was_made(world, &team).await;

    relabel(ns);
    let id = world.until_ready(ns, "pair")["peeringId"].take();
    // Withdrawn by one of the two: both sides freeze, and what is lost meanwhile stays lost.
    let mut without = account(b, &team.b.account, ns);
    without["spec"]["grants"] = json!([]);
    world.cluster.apply_ok(&without.to_string());
    refused(world, ns, "pair", "AccessWithdrawn", &[b, "accepter", "left as it is"]);
    let routes = [team.a.routes().await, team.b.routes().await];
    assert!(
        routes.iter().all(|routes| routes.values().all(|to| id == **to) && routes.len() == 1),
        "{routes:?}"
    );
    assert_eq!(team.a.live_peerings().await, [id.as_str().expect("an id")]);
    let before = world.aws().calls_of(&team.a.account);
    team.a.delete_peering(id.as_str().expect("an id")).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let creates = |calls: &BTreeMap<String, u64>| calls.get("CreateVpcPeeringConnection").copied();
    assert_eq!(creates(&world.aws().calls_of(&team.a.account)), creates(&before));
    assert_eq!([team.a.routes().await, team.b.routes().await], routes);

    world.account(b, &team.b.account, ns);
    world.until_status(ns, "pair", "restored", |status| {
        condition(status, "Ready")["status"] == "True" && status["peeringId"] != id
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_object_whose_grant_is_gone_says_how_to_release_it() {
    let world = World::shared();
    let team = world.team("blocked", 22, "Restore").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let id = world.until_ready(ns, "pair")["peeringId"].take();
    for (name, network) in team.accounts.iter().zip([&team.a, &team.b]) {
        let mut without = account(name, &network.account, ns);
        without["spec"]["grants"] = json!([]);
        world.cluster.apply_ok(&without.to_string());
    }
    world.until(ns, "pair", "Ready", "False", "AccessWithdrawn");
    world.cluster.kubectl_ok(&["delete", "vpcp", "pair", "-n", ns, "--wait=false"]);
    refused(world, ns, "pair", "CleanupBlocked", &[&team.accounts[0], "deletionPolicy", "Retain"]);
    let patch = json!({"spec": {"deletionPolicy": "Retain"}}).to_string();
    world.cluster.kubectl_ok(&["patch", "vpcp", "pair", "-n", ns, "--type=merge", "-p", &patch]);
    world.cluster.kubectl_ok(&["wait", "--for=delete", "vpcp/pair", "-n", ns, "--timeout=120s"]);
    assert_eq!(team.a.live_peerings().await, [id.as_str().expect("an id")]);
    assert_eq!(team.a.routes().await.len(), 1, "AWS was left as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_another_account() {
    let world = World::shared();
    let team = world.team("wrong-account", 23, "Restore").await;
    let ns = team.namespace.as_str();
    // No role: the operator's own credentials, which are those of quite another account.
    let mut wrong = account("impostor", "333333333323", ns);
    wrong["spec"].as_object_mut().expect("a spec").remove("roleArn");
    world.cluster.apply_ok(&wrong.to_string());
    let mut object = team.peering("pair");
    object["spec"]["requester"]["account"] = json!({"name": "impostor"});
    world.cluster.apply_ok(&object.to_string());
    refused(world, ns, "pair", "WrongAccount", &[OWN_ACCOUNT, "AwsAccount impostor", "roleArn"]);
    nothing_was_made(world, &team).await;
    assert_eq!(asked(world, OWN_ACCOUNT, "DescribeVpcPeeringConnections"), 0, "not even looked at");
    let account = eventually("the AwsAccount to say so", PATIENCE, || {
        let account = world.cluster.get(&["awsaccount", "impostor"]);
        let ready = condition(&account["status"], "Ready").clone();
        (ready["reason"] == "WrongAccount").then_some(ready).ok_or(account["status"].to_string())
    });
    assert_eq!(account["status"], "False");
}

/// The role trusts the operator only if it is told a word. The confused deputy is told nothing and gets nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_be_assumed_without_its_external_id() {
    let world = World::shared();
    let team = world.team("no-role", 24, "Restore").await;
    let ns = team.namespace.as_str();
    let id = team.a.account.as_str();
    let mut guarded = account("no-role-c", id, ns);
    let role = format!("arn:aws:iam::{id}:role/teams/guarded");
    guarded["spec"]["roleArn"] = json!(role);
    let trust = Trust::of(Who::Account(OWN_ACCOUNT.into())).if_told("a-shared-word");
    world.aws().sim().world(|ec2| ec2.set_role(&role, Role::trusting([trust])));
    world.cluster.apply_ok(&guarded.to_string());
    let mut object = team.peering("pair");
    object["spec"]["requester"]["account"] = json!({"name": "no-role-c"});
    world.cluster.apply_ok(&object.to_string());
    refused(world, ns, "pair", "AccessDenied", &["AssumeRole", "AccessDenied", id]);
    nothing_was_made(world, &team).await;

    guarded["spec"]["externalId"] = json!("a-shared-word");
    world.cluster.apply_ok(&guarded.to_string());
    world.until_ready(ns, "pair");
}

/// AWS sets the option only where the VPC gives its hosts names. The traffic does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_vpc_without_dns_hostnames() {
    let world = World::shared();
    let team = world.team("no-dns", 33, "Restore").await;
    let ns = team.namespace.as_str();
    let mut object = team.peering("pair");
    object["spec"]["accepter"]["allowDnsResolutionFromRemoteVpc"] = json!(true);
    world.cluster.apply_ok(&object.to_string());
    let words = ["ModifyVpcPeeringConnectionOptions", "enable DNS hostnames", &team.b.account];
    let status = refused(world, ns, "pair", "DnsHostnamesDisabled", &words);
    assert_eq!(status["routes"]["summary"], "2/2", "{status:#}");
    assert_eq!(condition(&status, "DnsInSync")["status"], "False", "{status:#}");
    for side in [&team.a, &team.b] {
        side.set_dns_hostnames(true).await;
    }
    let status = world.until_ready(ns, "pair");
    assert_eq!(condition(&status, "DnsInSync")["status"], "True", "{status:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_denied_names_its_code_and_is_tried_again() {
    let world = World::shared();
    let team = world.team("denied", 25, "Restore").await;
    let ns = team.namespace.as_str();
    let deny = Fault { account: Some(&team.a.account), ..Fault::of("CreateVpcPeeringConnection") };
    world.aws().refuse(deny, "UnauthorizedOperation");
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let words = ["CreateVpcPeeringConnection", "UnauthorizedOperation", &team.a.account, "role's policy"];
    let status = refused(world, ns, "pair", "AccessDenied", &words);
    assert_eq!(condition(&status, "Reconciling")["status"], "True", "it is tried again by itself");
    world.aws().mend_account(&team.a.account);
    world.until_ready(ns, "pair");

    // One side's reading denied: said, and nothing concluded from it.
    let deny = Fault { account: Some(&team.b.account), ..Fault::of("DescribeVpcPeeringConnections") };
    world.aws().refuse(deny, "UnauthorizedOperation");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let status = world.status(ns, "pair");
    assert_eq!(condition(&status, "UnexpectedlyDeleted")["status"], "False", "{status:#}");
    world.aws().mend_account(&team.b.account);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_side_that_is_denied_does_not_stop_the_other() {
    let world = World::shared();
    let team = world.team("one-side", 26, "Restore").await;
    let ns = team.namespace.as_str();
    world.aws().refuse(
        Fault { account: Some(&team.b.account), ..Fault::of("CreateRoute") },
        "UnauthorizedOperation",
    );
    world.cluster.apply_ok(&team.peering("pair").to_string());
    refused(world, ns, "pair", "AccessDenied", &["CreateRoute", "UnauthorizedOperation", &team.b.account]);
    let status = world.until_status(ns, "pair", "the requester's route counted", |status| {
        status["routes"]["requester"]["inSync"] == 1
    });
    assert_eq!(status["routes"]["accepter"], json!({"declared": 1, "inSync": 0}));
    assert_eq!(status["routes"]["summary"], "1/2");
    assert_eq!(condition(&status, "RoutesInSync")["status"], "False");
    world.aws().mend_account(&team.b.account);
    world.until_ready(ns, "pair");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpc_that_does_not_exist() {
    let world = World::shared();
    let team = world.team("no-vpc", 27, "Restore").await;
    let ns = team.namespace.as_str();
    let mut object = team.peering("pair");
    object["spec"]["accepter"]["vpcId"] = json!("vpc-0fedcba9876543211");
    world.cluster.apply_ok(&object.to_string());
    let words = ["vpc-0fedcba9876543211", &team.b.account, "us-east-1", "check the id"];
    let status = refused(world, ns, "pair", "VpcNotFound", &words);
    assert_eq!(condition(&status, "Stalled")["status"], "True");
    nothing_was_made(world, &team).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_table_that_does_not_exist() {
    let world = World::shared();
    let team = world.team("no-table", 28, "Restore").await;
    let ns = team.namespace.as_str();
    let mut object = team.peering("pair");
    let missing = "rtb-0fedcba9876543211";
    object["spec"]["requester"]["routes"][0]["routeTables"] = json!({"ids": [missing, team.a.table]});
    world.cluster.apply_ok(&object.to_string());
    refused(world, ns, "pair", "RouteTableNotFound", &[missing]);
    let status = world.until_status(ns, "pair", "the other routes in sync", |status| {
        status["routes"]["requester"]["inSync"] == 1 && status["routes"]["accepter"]["inSync"] == 1
    });
    let exception = &status["exceptions"][0];
    assert_eq!(exception["reason"], "RouteTableNotFound");
    assert_eq!(exception["routeTableId"], missing);
    assert_eq!(team.a.routes().await.len(), 1, "what can be routed is");
}

#[tokio::test(flavor = "multi_thread")]
async fn cidrs_that_overlap() {
    let world = World::shared();
    let team = world.team("overlap", 29, "Restore").await;
    let ns = team.namespace.as_str();
    let twin = world.network(&team.b.account, "us-east-1", "10.1.128.0/20").await;
    let sides = [(team.accounts[0].as_str(), &team.a), (team.accounts[1].as_str(), &twin)];
    world.cluster.apply_ok(&peering(ns, "pair", sides[0], sides[1]).to_string());
    let words = ["10.1.0.0/16", "10.1.128.0/20", "overlap"];
    let status = refused(world, ns, "pair", "OverlappingCidrs", &words);
    assert_eq!(condition(&status, "Stalled")["status"], "True");
    nothing_was_made(world, &team).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_reached() {
    let world = World::shared();
    let team = world.team("quota", 30, "Restore").await;
    let ns = team.namespace.as_str();
    world
        .aws()
        .refuse(Fault { account: Some(&team.a.account), ..Fault::of("CreateRoute") }, "RouteLimitExceeded");
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let words = ["CreateRoute", "RouteLimitExceeded", &team.a.account, "raise the quota"];
    let status = refused(world, ns, "pair", "QuotaReached", &words);
    assert_eq!(status["routes"]["requester"], json!({"declared": 1, "inSync": 0}));
    world.aws().mend_account(&team.a.account);
    world.until_ready(ns, "pair");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_outside_the_peer() {
    let world = World::shared();
    let team = world.team("outside", 31, "Restore").await;
    let ns = team.namespace.as_str();
    let mut object = team.peering("pair");
    object["spec"]["requester"]["routes"][0]["destinations"] =
        json!({"cidrs": ["10.2.7.0/24", "192.168.0.0/16"]});
    world.cluster.apply_ok(&object.to_string());
    let words = ["192.168.0.0/16", "10.2.0.0/16", "not transitive"];
    refused(world, ns, "pair", "DestinationOutsidePeer", &words);
    world.until_status(ns, "pair", "the other route in sync", |status| {
        status["routes"]["requester"]["inSync"] == 1
    });
    let routes = team.a.routes().await;
    let to: Vec<&str> = routes.keys().map(|(_, to)| to.as_str()).collect();
    assert_eq!(to, ["10.2.7.0/24"]);
}

const CRD: &str = "vpcpeerings.peerkeeper.dev";

/// As it was before a stricter schema came, or after somebody edited it: any word for an enum, any text for an id.
fn relax_crd(world: &World) -> Value {
    let crd = world.cluster.get(&["crd", CRD]);
    let mut relaxed = crd.clone();
    let schema = &mut relaxed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let adoption = schema["properties"]["adoption"].as_object_mut().expect("adoption is in the schema");
    adoption.remove("enum").expect("its words are listed");
    let vpc = &mut schema["properties"]["requester"]["properties"]["vpcId"];
    for rule in ["pattern", "x-kubernetes-validations"] {
        vpc.as_object_mut().expect("vpcId is in the schema").remove(rule);
    }
    replace(world, &relaxed);
    crd
}

fn replace(world: &World, crd: &Value) {
    let mut crd = crd.clone();
    crd["metadata"]["resourceVersion"].take();
    let path = world.cluster.dir().join("crd.json");
    std::fs::write(&path, crd.to_string()).expect("the folder can be written to");
    world.cluster.kubectl_ok(&["replace", "-f", &path.display().to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_parsed_stops_nobody_else() {
    let world = World::start();
    let team = world.team("broken", 32, "Restore").await;
    let ns = team.namespace.as_str();
    let third = world.network(&team.b.account, "us-east-1", "10.3.0.0/16").await;
    let sides = [(team.accounts[0].as_str(), &team.a), (team.accounts[1].as_str(), &third)];
    let strict = relax_crd(&world);
    let mut word = peering(ns, "bad-word", sides[0], sides[1]);
    word["spec"]["adoption"] = json!("Perhaps");
    let mut id = peering(ns, "bad-id", sides[0], sides[1]);
    id["spec"]["requester"]["vpcId"] = json!("my-vpc");
    // The served schema may lag a moment behind the one that was stored.
    eventually("the relaxed schema to be served", PATIENCE, || {
        let applied = world.cluster.apply(&format!("{word}\n---\n{id}"));
        applied.status.success().then_some(()).ok_or(String::from_utf8_lossy(&applied.stderr).into_owned())
    });

    // They were there before the operator, and the good one comes after.
    let mut operator = Operator::start(world.options());
    operator.wait_ready();
    world.cluster.apply_ok(&team.peering("good").to_string());
    let good = world.until_ready(ns, "good")["peeringId"].take();
    let told = refused(&world, ns, "bad-word", "InvalidObject", &["Perhaps"]);
    assert_eq!(condition(&told, "Stalled")["status"], "True");
    refused(&world, ns, "bad-id", "InvalidObject", &["my-vpc"]);

    // One that was good: what it has is left as it is, and remembered.
    let spoil = json!({"spec": {"adoption": "Perhaps"}}).to_string();
    world.cluster.kubectl_ok(&["patch", "vpcp", "good", "-n", ns, "--type=merge", "-p", &spoil]);
    let spoilt = refused(&world, ns, "good", "InvalidObject", &["Perhaps"]);
    assert_eq!(spoilt["peeringId"], good);
    assert!(spoilt["memory"].is_object() && spoilt["inventory"].is_array(), "{spoilt:#}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(team.a.live_peerings().await, [good.as_str().expect("an id")]);
    assert_eq!(team.a.routes().await.len(), 1);

    // The schema is itself again; all can be mended or deleted.
    replace(&world, &strict);
    let mend = json!({"spec": {"adoption": "IfUnowned"}}).to_string();
    for name in ["good", "bad-word"] {
        world.cluster.kubectl_ok(&["patch", "vpcp", name, "-n", ns, "--type=merge", "-p", &mend]);
        world.until_ready(ns, name);
    }
    assert_eq!(world.status(ns, "good")["peeringId"], good);
    world.cluster.kubectl_ok(&["delete", "vpcp", "bad-id", "good", "bad-word", "-n", ns, "--timeout=120s"]);
    assert_eq!(team.a.live_peerings().await, [""; 0]);
    assert_eq!(operator.exited(), None);
}
