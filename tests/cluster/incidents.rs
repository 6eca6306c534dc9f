//! Incidents on a real API server: from DeleteVpcPeeringConnection to the flag, the incident, a person's decision and the
//! restore.

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, UserIdGroupPair};
use serde_json::{Value, json};

use crate::support::{Network, PATIENCE, World, eventually, peering};

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

/// The default group of a network's VPC.
async fn default_group(network: &Network) -> String {
    let of = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let asked = network.ec2.describe_security_groups().filters(of("vpc-id", &network.vpc));
    let found = asked.filters(of("group-name", "default")).send().await.expect("groups are described");
    found.security_groups()[0].group_id().expect("an id").to_owned()
}

/// Lets a port in, and says which rule that is.
async fn let_in(network: &Network, group: &str, port: i32, from: IpPermission) -> String {
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
    let rule = rule.set_ip_ranges(from.ip_ranges).set_user_id_group_pairs(from.user_id_group_pairs).build();
    let made =
        network.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule).send().await;
    let made = made.expect("the rule is made");
    made.security_group_rules()[0].security_group_rule_id().expect("an id").to_owned()
}

fn from_group(account: &str, group: &str) -> IpPermission {
    let pair = UserIdGroupPair::builder().user_id(account).group_id(group).build();
    IpPermission::builder().user_id_group_pairs(pair).build()
}

/// Rules that referred to the peer's group are revoked with the dead routes; what says anything else stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_stale_with_a_lost_peering_is_revoked_and_nothing_else_is() {
    let world = World::shared();
    let [one, two, three] = ["111111111142", "222222222242", "333333333342"];
    // A rule can refer to a group of a peered VPC in the same Region alone.
    let a = world.network(one, "eu-west-1", "10.1.0.0/16").await;
    let b = world.network(two, "eu-west-1", "10.2.0.0/16").await;
    let c = world.network(three, "eu-west-1", "10.3.0.0/16").await;
    for (name, id) in [("revoke-a", one), ("revoke-b", two), ("revoke-c", three)] {
        world.account(name, id, "revoke");
    }
    world.namespace("revoke", "revoke", "RemoveRoutes");
    let policy = json!({"spec": {"onUnexpectedDeletion": {"staleSecurityGroupRules": "Revoke"}}}).to_string();
    world.cluster.kubectl_ok(&[
        "patch",
        "peeringpolicy",
        "default",
        "-n",
        "revoke",
        "--type=merge",
        "-p",
        &policy,
    ]);
    world.cluster.apply_ok(&peering("revoke", "lost", ("revoke-a", &a), ("revoke-b", &b)).to_string());
    world.cluster.apply_ok(&peering("revoke", "kept", ("revoke-a", &a), ("revoke-c", &c)).to_string());
    let lost = world.until_ready("revoke", "lost")["peeringId"].as_str().expect("an id").to_owned();
    world.until_ready("revoke", "kept");

    let (group, of_b, of_c) = (default_group(&a).await, default_group(&b).await, default_group(&c).await);
    let stale = let_in(&a, &group, 443, from_group(two, &of_b)).await;
    let of_the_kept = let_in(&a, &group, 443, from_group(three, &of_c)).await;
    let ranges = IpPermission::builder().ip_ranges(IpRange::builder().cidr_ip("10.2.0.0/16").build()).build();
    let by_range = let_in(&a, &group, 443, ranges).await;

    b.delete_peering(&lost).await;
    world.until("revoke", "lost", "Ready", "False", "ReleasedByPolicy");
    let of_group = Filter::builder().name("group-id").values(&group).build();
    let left =
        a.ec2.describe_security_group_rules().filters(of_group).send().await.expect("rules are described");
    let left: Vec<&str> =
        left.security_group_rules().iter().filter_map(|rule| rule.security_group_rule_id()).collect();
    assert!(!left.contains(&stale.as_str()), "{left:?}");
    for kept in [&of_the_kept, &by_range] {
        assert!(left.contains(&kept.as_str()), "{kept} is not ours to revoke: {left:?}");
    }
    let revoked = world.aws().calls_of(one).get("RevokeSecurityGroupIngress").copied();
    assert_eq!(revoked, Some(1), "that one, once");

    let told = until(world, "revoke", "its end", |told| told["status"]["resolvedAt"].is_string());
    let timeline = told["status"]["timeline"].as_array().expect("a timeline");
    let says = |entry: &&Value| entry["message"].as_str().is_some_and(|text| text.contains(&stale));
    let writes: Vec<&Value> = timeline.iter().filter(|entry| entry["what"] == "Write").filter(says).collect();
    assert_eq!(writes.len(), 1, "{timeline:#?}");
    assert!(writes[0]["requestId"].is_string(), "{writes:#?}");
    let rules = told["status"]["staleSecurityGroupRules"].to_string();
    assert!(rules.contains(&stale) && rules.contains(&group), "{rules}");
    assert!(!rules.contains(&of_the_kept) && !rules.contains(&by_range), "{rules}");
}
