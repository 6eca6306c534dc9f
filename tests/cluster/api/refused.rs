//! What must be refused, and in which words.

use std::collections::BTreeSet;
use std::process::Output;

use peerkeeper::api::crd::crds;
use serde_json::{Value, json};

use super::{Edit, account, edited, incident, peering, policy, stderr, with_crds, write};
use crate::support::ControlPlane;

#[test]
fn each_kind_of_bad_object_is_refused_with_a_message_that_shows_a_right_one() {
    let cluster = with_crds();
    let good = [peering(), policy(), incident(), account()];
    let elsewhere = ["aws-cn", "aws-us-gov"].map(|partition| {
        let role = format!("arn:{partition}:iam::111122223333:role/peerkeeper");
        edited(account(), &[("/metadata/name", json!(partition)), ("/spec/roleArn", json!(role))])
    });
    let taken = create(&cluster, "good", &[&good[..], &elsewhere].concat());
    assert!(
        taken.status.success(),
        "the good ones must be taken, or the bad ones prove nothing: {}",
        stderr(&taken)
    );

    let mut wrong = Vec::new();
    let mut all_said = String::new();
    let bad_peerings = [bad_sides(), bad_routes(), bad_rest_of_peerings()].into_iter().flatten().collect();
    for (good, table) in good.into_iter().zip([bad_peerings, bad_policies(), bad_incidents(), bad_accounts()])
    {
        let said = refusals(&cluster, &good, &table);
        wrong.extend(not_as_expected(&said, &table));
        all_said.push_str(&said);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let untried: Vec<String> = messages().into_iter().filter(|message| !all_said.contains(message)).collect();
    assert!(untried.is_empty(), "rules that no object in the tables breaks: {untried:#?}");
}

/// The messages of all rules about what users write, but those that compare with what was: they are tried elsewhere.
fn messages() -> BTreeSet<String> {
    fn collect(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                for rule in
                    fields.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten()
                {
                    let transition = rule["rule"].as_str().expect("a rule").contains("oldSelf");
                    found.extend(rule["message"].as_str().filter(|_| !transition).map(str::to_owned));
                }
                fields.values().for_each(|inner| collect(inner, found));
            }
            Value::Array(all) => all.iter().for_each(|inner| collect(inner, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for crd in crds().expect("CRDs") {
        collect(&serde_json::to_value(&crd.spec.versions[0].schema).expect("a schema"), &mut found);
    }
    assert!(found.len() > 20, "the rules were not found: {found:?}");
    found
}

/// Asks for all of a table at once, without storing any; gives what the API server said.
fn refusals(cluster: &ControlPlane, good: &Value, table: &[Refused]) -> String {
    let objects: Vec<Value> = table
        .iter()
        .map(|Refused(name, edits, ..)| {
            edited(edited(good.clone(), &[("/metadata/name", json!(name))]), edits)
        })
        .collect();
    let refused = create(cluster, "bad", &objects);
    assert!(
        refused.stdout.is_empty(),
        "these were let through: {}",
        String::from_utf8_lossy(&refused.stdout)
    );
    stderr(&refused)
}

fn not_as_expected(said: &str, table: &[Refused]) -> Vec<String> {
    table
        .iter()
        .filter_map(|Refused(name, _, path, words)| {
            let Some(start) = said.find(&format!("\"{name}\" is invalid")) else {
                return Some(format!("{name}: not refused as invalid\n{said}"));
            };
            let rest = &said[start..];
            let section = &rest[..rest.find("\nThe ").unwrap_or(rest.len())];
            // Path and words in one line: a right refusal for another reason is no proof of this one.
            let as_expected = section.lines().any(|line| line.contains(path) && line.contains(words));
            (!as_expected)
                .then(|| format!("{name}: expected {path:?} and {words:?} in one line of\n{section}"))
        })
        .collect()
}

fn create(cluster: &ControlPlane, file: &str, objects: &[Value]) -> Output {
    let path = write(cluster, file, &json!({"apiVersion": "v1", "kind": "List", "items": objects}));
    cluster.kubectl(&["create", "--dry-run=server", "--validate=ignore", "--filename", &path])
}

/// What a template leaves behind where it has no value: null must mean what leaving it out means.
#[test]
fn explicit_nulls_slip_past_no_rule() {
    let cluster = with_crds();
    let create = |name: &str, pointer: &str| {
        let mut object = edited(peering(), &[("/metadata/name", json!(name))]);
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        object.pointer_mut(parent).expect(pointer)[field] = Value::Null;
        let path = write(&cluster, name, &object);
        cluster.kubectl(&["create", "--filename", &path, "--validate=ignore"])
    };
    for (name, pointer, expected) in [
        ("null-name", "/spec/accepter/account/name", "exactly one of name and id"),
        (
            "null-tags",
            "/spec/requester/routes/0/routeTables/matchTags",
            "exactly one of ids, matchTags and select",
        ),
        (
            "null-cidrs",
            "/spec/accepter/routes/0/destinations/cidrs",
            "exactly one of peerCidrs, cidrs and prefixListIds",
        ),
        ("null-to-all", "/spec/requester/routes/0/destinations/peerCidrs", "exactly one of peerCidrs, cidrs"),
        ("null-region", "/spec/requester/region", "spec.requester.region"),
        ("null-side", "/spec/accepter", "spec.accepter"),
    ] {
        let refused = create(name, pointer);
        assert!(stderr(&refused).contains(expected), "{name}: {}", stderr(&refused));
    }
    for (name, pointer, stored) in [
        ("null-account", "/spec/requester/account", Some(json!({"name": "default"}))),
        ("null-adoption", "/spec/adoption", Some(json!("IfUnowned"))),
        ("null-deletion", "/spec/deletionPolicy", None),
        ("null-id", "/spec/accepter/account/id", None),
        ("null-ids", "/spec/requester/routes/0/routeTables/ids", None),
    ] {
        let created = create(name, pointer);
        assert!(created.status.success(), "{name}: {}", stderr(&created));
        assert_eq!(cluster.get(&["vpcpeering", name]).pointer(pointer), stored.as_ref(), "{name}");
    }
}

/// What is wrong with it, the edits that make it so, and what the API server must say: the path, and our words.
struct Refused(&'static str, Vec<Edit>, &'static str, &'static str);

const REQ_TABLES: &str = "/spec/requester/routes/0/routeTables";
const REQ_TO: &str = "/spec/requester/routes/0/destinations";
const ACC_TO: &str = "/spec/accepter/routes/0/destinations";

#[rustfmt::skip]
fn bad_sides() -> Vec<Refused> {
    vec![
        Refused("vpc-upper-case", vec![("/spec/requester/vpcId", json!("vpc-0A1B2C3D4E5F60789"))], "spec.requester.vpcId", "such as vpc-0a1b2c3d4e5f60789"),
        Refused("vpc-one-too-long", vec![("/spec/accepter/vpcId", json!("vpc-0a1b2c3d4e5f607891"))], "spec.accepter.vpcId", "such as vpc-0a1b2c3d4e5f60789"),
        Refused("vpc-empty", vec![("/spec/accepter/vpcId", json!(""))], "spec.accepter.vpcId", "such as vpc-0a1b2c3d4e5f60789"),
        Refused("vpc-missing", vec![("/spec/accepter/vpcId", Value::Null)], "spec.accepter.vpcId", "Required value"),
        Refused("region-zone", vec![("/spec/requester/region", json!("eu-west-1a"))], "spec.requester.region", "such as eu-west-1"),
        Refused("region-missing", vec![("/spec/requester/region", Value::Null)], "spec.requester.region", "Required value"),
        Refused("same-vpc", vec![("/spec/accepter/region", json!("eu-west-1")), ("/spec/accepter/vpcId", json!("vpc-0a1b2c3d4e5f60789"))], "spec", "write the other VPC's region and vpcId, such as us-east-1"),
        Refused("across-partitions", vec![("/spec/accepter/region", json!("cn-north-1"))], "spec", "such as eu-west-1 and us-east-1"),
        Refused("into-gov-cloud", vec![("/spec/accepter/region", json!("us-gov-west-1"))], "spec", "us-gov-west-1 and us-gov-east-1"),
        Refused("account-empty", vec![("/spec/requester/account", json!({}))], "spec.requester.account", "exactly one of name and id: {name: default}"),
        Refused("account-both", vec![("/spec/accepter/account/id", json!("444455556666"))], "spec.accepter.account", "exactly one of name and id: {name: default}"),
        Refused("account-name-of-nothing", vec![("/spec/requester/account/name", json!(""))], "spec.requester.account.name", "such as default"),
        Refused("requester-by-id", vec![("/spec/requester/account", json!({"id": "444455556666"})), ("/spec/requester/routes", Value::Null), ("/spec/requester/allowDnsResolutionFromRemoteVpc", Value::Null)], "spec", "must name an AwsAccount, such as {name: default}"),
        Refused("account-id-short", vec![("/spec/accepter/account", json!({"id": "44445555666"})), ("/spec/accepter/routes", Value::Null)], "spec.accepter.account.id", "such as \"111122223333\""),
        Refused("account-id-with-routes", vec![("/spec/accepter/account", json!({"id": "444455556666"}))], "spec.accepter", "such as account: {name: shared}"),
        Refused("account-id-with-dns", vec![("/spec/accepter/account", json!({"id": "444455556666"})), ("/spec/accepter/routes", Value::Null), ("/spec/accepter/allowDnsResolutionFromRemoteVpc", json!(false))], "spec.accepter", "such as account: {name: shared}"),
        Refused("no-accepter", vec![("/spec/accepter", Value::Null)], "spec.accepter", "Required value"),
        Refused("no-spec", vec![("/spec", Value::Null)], "spec", "Required value"),
    ]
}

#[rustfmt::skip]
fn bad_routes() -> Vec<Refused> {
    let route = |name: &str| json!({"name": name, "routeTables": {"select": "All"}, "destinations": {"peerCidrs": "All"}});
    let many = |count: usize| (0..count).map(|n| route(&format!("r{n}"))).collect::<Value>();
    let tables = |count: usize| (0..count).map(|n| json!(format!("rtb-{n:017x}"))).collect::<Value>();
    let cidrs = |count: usize| (0..count).map(|n| json!(format!("10.20.{n}.0/24"))).collect::<Value>();
    let lists = |count: usize| (0..count).map(|n| json!(format!("pl-{n:017x}"))).collect::<Value>();
    vec![
        Refused("tables-none", vec![(REQ_TABLES, json!({}))], "routes[0].routeTables", "exactly one of ids, matchTags and select: ids: [rtb-0123456789abcdef0]"),
        Refused("tables-two", vec![("/spec/requester/routes/0/routeTables/select", json!("All"))], "routes[0].routeTables", "exactly one of ids, matchTags and select"),
        Refused("tables-three", vec![(REQ_TABLES, json!({"ids": ["rtb-0123456789abcdef0"], "matchTags": {"a": "b"}, "select": "Main"}))], "routes[0].routeTables", "exactly one of ids, matchTags and select"),
        Refused("tables-no-ids", vec![(REQ_TABLES, json!({"ids": []}))], "routes[0].routeTables", "for every table of the VPC write select: All"),
        Refused("tables-no-tags", vec![(REQ_TABLES, json!({"matchTags": {}}))], "routes[0].routeTables", "for every table of the VPC write select: All"),
        Refused("tables-tag-without-key", vec![(REQ_TABLES, json!({"matchTags": {"": "b"}}))], "routeTables.matchTags", "1 to 128 characters, such as tier"),
        Refused("tables-unknown-word", vec![(REQ_TABLES, json!({"select": "Private"}))], "routeTables.select", "supported values: \"All\", \"Main\""),
        Refused("table-id-of-a-vpc", vec![(REQ_TABLES, json!({"ids": ["vpc-0123456789abcdef0"]}))], "routeTables.ids[0]", "such as rtb-0123456789abcdef0"),
        Refused("table-id-twice", vec![(REQ_TABLES, json!({"ids": ["rtb-0123456789abcdef0", "rtb-0123456789abcdef0"]}))], "routeTables.ids[1]", "Duplicate value"),
        Refused("tables-too-many", vec![(REQ_TABLES, json!({"ids": tables(201)}))], "routeTables.ids", "at most 200 items"),
        Refused("tables-missing", vec![(REQ_TABLES, Value::Null)], "routes[0].routeTables", "Required value"),
        Refused("to-nowhere", vec![(REQ_TO, json!({}))], "routes[0].destinations", "exactly one of peerCidrs, cidrs and prefixListIds: peerCidrs: All"),
        Refused("to-two", vec![(REQ_TO, json!({"peerCidrs": "All", "cidrs": ["10.20.0.0/16"]}))], "routes[0].destinations", "exactly one of peerCidrs, cidrs and prefixListIds"),
        Refused("to-no-cidrs", vec![(REQ_TO, json!({"cidrs": []}))], "routes[0].destinations", "for every CIDR of the other VPC write peerCidrs: All"),
        Refused("to-no-lists", vec![(REQ_TO, json!({"prefixListIds": []}))], "routes[0].destinations", "for every CIDR of the other VPC write peerCidrs: All"),
        Refused("to-an-unknown-word", vec![(REQ_TO, json!({"peerCidrs": "Some"}))], "destinations.peerCidrs", "supported values: \"All\""),
        Refused("to-an-address", vec![(ACC_TO, json!({"cidrs": ["10.20.0.1"]}))], "destinations.cidrs[0]", "such as 10.20.0.0/16 or 2001:db8:1234::/56"),
        Refused("to-a-host-in-a-network", vec![(ACC_TO, json!({"cidrs": ["10.20.1.1/16"]}))], "destinations.cidrs[0]", "10.20.0.0/16, not 10.20.1.1/16"),
        Refused("to-ipv6-in-upper-case", vec![(ACC_TO, json!({"cidrs": ["2001:DB8:1234::/56"]}))], "destinations.cidrs[0]", "2001:db8:1234::/56, not 2001:DB8:1234:0::/56"),
        Refused("to-leading-zeros", vec![(ACC_TO, json!({"cidrs": ["010.20.0.0/16"]}))], "destinations.cidrs[0]", "such as 10.20.0.0/16"),
        Refused("to-a-cidr-twice", vec![(ACC_TO, json!({"cidrs": ["10.20.0.0/16", "10.20.0.0/16"]}))], "destinations.cidrs[1]", "Duplicate value"),
        Refused("to-too-many-cidrs", vec![(ACC_TO, json!({"cidrs": cidrs(65)}))], "destinations.cidrs", "at most 64 items"),
        Refused("to-a-table", vec![(ACC_TO, json!({"prefixListIds": ["rtb-0123456789abcdef0"]}))], "destinations.prefixListIds[0]", "such as pl-0123456789abcdef0"),
        Refused("to-too-many-lists", vec![(ACC_TO, json!({"prefixListIds": lists(101)}))], "destinations.prefixListIds", "at most 100 items"),
        Refused("exclude-from-cidrs", vec![(ACC_TO, json!({"cidrs": ["10.20.0.0/16"], "exclude": ["10.20.1.0/24"]}))], "routes[0].destinations", "list only what you want, such as cidrs: [10.20.0.0/16]"),
        Refused("exclude-no-cidr", vec![("/spec/requester/routes/0/destinations/exclude", json!(["all"]))], "destinations.exclude[0]", "such as 10.20.0.0/16"),
        Refused("route-name-with-spaces", vec![("/spec/requester/routes/0/name", json!("Private subnets"))], "routes[0].name", "such as private-subnets"),
        Refused("route-name-twice", vec![("/spec/requester/routes", json!([route("a"), route("a")]))], "spec.requester.routes[1]", "Duplicate value"),
        Refused("routes-too-many", vec![("/spec/requester/routes", many(17))], "spec.requester.routes", "at most 16 items"),
    ]
}

#[rustfmt::skip]
fn bad_rest_of_peerings() -> Vec<Refused> {
    let tags =
        |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    vec![
        Refused("tag-of-aws", vec![("/spec/tags", json!({"AWS:team": "x"}))], "spec.tags", "write another key, such as team"),
        Refused("tag-of-ours", vec![("/spec/tags", json!({"peerkeeper.dev/owner": "me"}))], "spec.tags", "by which Peerkeeper marks what is its own"),
        Refused("tag-without-key", vec![("/spec/tags", json!({"": "x"}))], "spec.tags", "1 to 128 characters, such as team"),
        Refused("tag-key-too-long", vec![("/spec/tags", json!({"k".repeat(129): "x"}))], "spec.tags", "1 to 128 characters, such as team"),
        Refused("tag-value-too-long", vec![("/spec/tags", json!({"team": "v".repeat(257)}))], "spec.tags.team", "256"),
        Refused("tags-too-many", vec![("/spec/tags", Value::Object(tags(46)))], "spec.tags", "at most 45 items"),
        Refused("policy-without-name", vec![("/spec/policyRef", json!({}))], "spec.policyRef.name", "Required value"),
        Refused("policy-with-a-bad-name", vec![("/spec/policyRef/name", json!("Restore!"))], "spec.policyRef.name", "such as default"),
        Refused("adoption-unknown", vec![("/spec/adoption", json!("Always"))], "spec.adoption", "supported values: \"IfUnowned\", \"Never\""),
        Refused("deletion-unknown", vec![("/spec/deletionPolicy", json!("Orphan"))], "spec.deletionPolicy", "supported values: \"Delete\", \"Retain\""),
        Refused(LONG_NAME, vec![], "at most 128 characters", "such as prod-shared"),
    ]
}

const LONG_NAME: &str = "a-name-with-one-hundred-and-twenty-nine-characters-is-too-long-for-the-tag-that-marks-what-is-ours-in-aws-and-so-it-is-refused-00";

/// So many ids of accounts, each another.
fn many_accounts(count: usize) -> Value {
    (0..count).map(|n| json!(format!("{n:012}"))).collect()
}

fn many_principals(count: usize) -> Value {
    (0..count).map(|n| json!({"accountIds": ["111122223333"], "userName": format!("u{n}")})).collect()
}

#[rustfmt::skip]
fn bad_policies() -> Vec<Refused> {
    vec![
        Refused("no-reaction", vec![("/spec/onUnexpectedDeletion", Value::Null)], "spec.onUnexpectedDeletion", "Required value"),
        Refused("no-action", vec![("/spec/onUnexpectedDeletion/action", Value::Null)], "spec.onUnexpectedDeletion.action", "Required value"),
        Refused("action-unknown", vec![("/spec/onUnexpectedDeletion/action", json!("Recreate"))], "spec.onUnexpectedDeletion.action", "supported values: \"Restore\", \"RemoveRoutes\", \"Flag\""),
        Refused("dependents-unknown", vec![("/spec/onUnexpectedDeletion/dependentRoutes", json!("Some"))], "dependentRoutes", "supported values: \"Declared\", \"All\""),
        Refused("stale-rules-unknown", vec![("/spec/onUnexpectedDeletion/staleSecurityGroupRules", json!("Delete"))], "staleSecurityGroupRules", "supported values: \"Ignore\", \"Flag\", \"Revoke\""),
        Refused("stale-rules-revoked-and-routes-kept", vec![("/spec/onUnexpectedDeletion/staleSecurityGroupRules", json!("Revoke"))], "spec", "staleSecurityGroupRules: Revoke goes with the removal of routes"),
        Refused("grace-in-days", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!("1d"))], "gracePeriod", "such as 0s, 90s or 1h30m"),
        Refused("grace-without-unit", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!("90"))], "gracePeriod", "such as 0s, 90s or 1h30m"),
        Refused("grace-negative", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!("-5m"))], "gracePeriod", "such as 0s, 90s or 1h30m"),
        Refused("grace-empty", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!(""))], "gracePeriod", "such as 0s, 90s or 1h30m"),
        Refused("grace-too-long", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!("24h1s"))], "gracePeriod", "from 0s to 24h"),
        Refused("grace-beyond-counting", vec![("/spec/onUnexpectedDeletion/gracePeriod", json!("999999h999999h9h"))], "gracePeriod", "from 0s to 24h"),
        Refused("approval-in-words", vec![("/spec/onUnexpectedDeletion/requireApproval", json!("yes"))], "requireApproval", "must be of type boolean"),
        Refused("role-and-user", vec![("/spec/authorizedPrincipals/0/userName", json!("ada"))], "spec.authorizedPrincipals[0]", "exactly one of roleName and userName: {accountIds: [\"111122223333\"], roleName: network-admin}"),
        Refused("neither-role-nor-user", vec![("/spec/authorizedPrincipals/1/userName", Value::Null)], "spec.authorizedPrincipals[1]", "exactly one of roleName and userName"),
        Refused("user-with-a-role-path", vec![("/spec/authorizedPrincipals/1/rolePath", json!("/"))], "spec.authorizedPrincipals[1]", "such as {rolePath: /network/, roleName: network-admin}"),
        Refused("principal-of-no-account", vec![("/spec/authorizedPrincipals/0/accountIds", json!([]))], "spec.authorizedPrincipals[0]", "write accountIds: [\"111122223333\"]"),
        Refused("principal-of-nobody-said", vec![("/spec/authorizedPrincipals/0/accountIds", Value::Null)], "accountIds", "Required value"),
        Refused("principal-of-any-account", vec![("/spec/authorizedPrincipals/0/accountIds", json!(["*"]))], "accountIds[0]", "such as \"111122223333\""),
        Refused("principal-of-many-accounts", vec![("/spec/authorizedPrincipals/0/accountIds", many_accounts(33))], "accountIds", "must have at most 32 items"),
        Refused("role-by-its-arn", vec![("/spec/authorizedPrincipals/0/roleName", json!("arn:aws:iam::111122223333:role/net"))], "roleName", "such as network-admin"),
        Refused("role-with-its-path", vec![("/spec/authorizedPrincipals/0/roleName", json!("network/admin"))], "roleName", "must be the name of an IAM role without its path"),
        Refused("role-of-no-name", vec![("/spec/authorizedPrincipals/0/roleName", json!(""))], "roleName", "such as network-admin"),
        Refused("role-name-too-long", vec![("/spec/authorizedPrincipals/0/roleName", json!("r".repeat(65)))], "roleName", "1 to 64 of letters"),
        Refused("role-path-open", vec![("/spec/authorizedPrincipals/0/rolePath", json!("/network"))], "rolePath", "such as / or /network/"),
        Refused("role-path-with-a-colon", vec![("/spec/authorizedPrincipals/0/rolePath", json!("/a:b/"))], "rolePath", "such as / or /network/"),
        Refused("role-path-too-long", vec![("/spec/authorizedPrincipals/0/rolePath", json!(format!("/{}/", "p".repeat(511))))], "rolePath", "such as / or /network/"),
        Refused("user-by-its-arn", vec![("/spec/authorizedPrincipals/1/userName", json!("user/ada"))], "userName", "such as ada"),
        Refused("source-identity-with-a-space", vec![("/spec/authorizedPrincipals/1/sourceIdentity", json!("ada l"))], "sourceIdentity", "such as ada or *@example.com"),
        Refused("principals-without-bound", vec![("/spec/authorizedPrincipals", many_principals(33))], "authorizedPrincipals", "must have at most 32 items"),
        Refused("authorized-unknown", vec![("/spec/onAuthorizedDeletion", json!("Ignore"))], "spec.onAuthorizedDeletion", "supported values: \"Restore\", \"RemoveRoutes\", \"Flag\""),
        Refused("unknown-actor-unknown", vec![("/spec/onUnknownActor", json!("Flag"))], "spec.onUnknownActor", "supported values: \"TreatAsUnexpected\", \"Hold\""),
        Refused("attribution-in-days", vec![("/spec/attributionTimeout", json!("1d"))], "spec.attributionTimeout", "from 0s to 24h, such as 5m or 15m"),
        Refused("attribution-too-long", vec![("/spec/attributionTimeout", json!("25h"))], "spec.attributionTimeout", "from 0s to 24h, such as 5m or 15m"),
        Refused("window-of-nothing", vec![("/spec/limits/window", json!("0s"))], "spec.limits.window", "from 1m to 168h, such as 1h or 24h"),
        Refused("window-of-a-month", vec![("/spec/limits/window", json!("720h"))], "spec.limits.window", "from 1m to 168h, such as 1h or 24h"),
        Refused("restores-negative", vec![("/spec/limits/maxRestores", json!(-1))], "spec.limits.maxRestores", "greater than or equal to 0"),
        Refused("removals-without-bound", vec![("/spec/limits/maxRemovals", json!(10001))], "spec.limits.maxRemovals", "less than or equal to 10000"),
        Refused("drift-unknown", vec![("/spec/onDrift", json!("Ignore"))], "spec.onDrift", "supported values: \"Restore\", \"Flag\""),
        Refused("repointed-unknown", vec![("/spec/onRepointedRoute", json!("Ignore"))], "spec.onRepointedRoute", "supported values: \"Restore\", \"Flag\""),
    ]
}

#[rustfmt::skip]
fn bad_incidents() -> Vec<Refused> {
    let digest = "/spec/decision/planDigest";
    vec![
        Refused("of-nothing", vec![("/spec/peeringRef", Value::Null)], "spec.peeringRef", "Required value"),
        Refused("of-no-uid", vec![("/spec/peeringRef/uid", json!(""))], "spec.peeringRef.uid", "at least 1 chars"),
        Refused("of-a-route-table", vec![("/spec/peeringId", json!("rtb-0123456789abcdef0"))], "spec.peeringId", "such as pcx-0123456789abcdef0"),
        Refused("approves-blindly", vec![(digest, Value::Null)], "spec.decision", "write planDigest as it is in status.plan.digest"),
        Refused("approves-in-words", vec![(digest, json!("the latest"))], "spec.decision.planDigest", "must be a digest as status.plan.digest shows it, such as sha256:"),
        Refused("verdict-unknown", vec![("/spec/decision/verdict", json!("Maybe"))], "spec.decision.verdict", "supported values: \"Pending\", \"Approve\", \"Reject\""),
        Refused("by-a-long-name", vec![("/spec/decision/decidedBy", json!("a".repeat(513)))], "spec.decision.decidedBy", "may not be more than 512"),
        Refused("for-a-long-reason", vec![("/spec/decision/reason", json!("a".repeat(1025)))], "spec.decision.reason", "may not be more than 1024"),
    ]
}

#[rustfmt::skip]
fn bad_accounts() -> Vec<Refused> {
    let role = "/spec/roleArn";
    let grant = "/spec/grants/0/namespaceSelector";
    let vpcs = "/spec/grants/0/vpcs";
    vec![
        Refused("id-short", vec![("/spec/accountId", json!("1111"))], "spec.accountId", "such as \"111122223333\""),
        Refused("id-missing", vec![("/spec/accountId", Value::Null)], "spec.accountId", "Required value"),
        Refused("role-of-another", vec![(role, json!("arn:aws:iam::444455556666:role/peerkeeper"))], "spec", "for example arn:aws:iam::111122223333:role/peerkeeper"),
        Refused("role-is-a-user", vec![(role, json!("arn:aws:iam::111122223333:user/peerkeeper"))], "spec.roleArn", "such as arn:aws:iam::111122223333:role/peerkeeper"),
        Refused("role-of-no-partition", vec![(role, json!("arn:azure:iam::111122223333:role/peerkeeper"))], "spec.roleArn", "such as arn:aws:iam::111122223333:role/peerkeeper"),
        Refused("role-without-name", vec![(role, json!("arn:aws:iam::111122223333:role/"))], "spec.roleArn", "such as arn:aws:iam::111122223333:role/peerkeeper"),
        Refused("external-id-without-role", vec![(role, Value::Null)], "spec", "or leave externalId out"),
        Refused("external-id-short", vec![("/spec/externalId", json!("x"))], "spec.externalId", "such as peerkeeper-prod"),
        Refused("grant-to-an-empty-selector", vec![(grant, json!({}))], "grants[0].namespaceSelector", "for every namespace write matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]"),
        Refused("grant-to-empty-labels", vec![(grant, json!({"matchLabels": {}, "matchExpressions": []}))], "grants[0].namespaceSelector", "an empty selector grants nobody"),
        Refused("grant-in-nothing", vec![(grant, json!({"matchExpressions": [{"key": "team", "operator": "In"}]}))], "matchExpressions[0]", "for example {key: team, operator: In, values: [network]}"),
        Refused("grant-exists-with-values", vec![(grant, json!({"matchExpressions": [{"key": "team", "operator": "Exists", "values": ["a"]}]}))], "matchExpressions[0]", "Exists and DoesNotExist have none"),
        Refused("grant-operator-unknown", vec![(grant, json!({"matchExpressions": [{"key": "team", "operator": "Gt"}]}))], "matchExpressions[0].operator", "supported values: \"In\", \"NotIn\", \"Exists\", \"DoesNotExist\""),
        Refused("grant-to-nobody-said", vec![(grant, Value::Null)], "grants[0].namespaceSelector", "Required value"),
        Refused("grant-of-nothing-said", vec![(vpcs, Value::Null)], "grants[0].vpcs", "Required value"),
        Refused("grant-of-nothing", vec![(vpcs, json!({}))], "grants[0].vpcs", "exactly one of ids, matchTags and select: ids: [vpc-0a1b2c3d4e5f60789]"),
        Refused("grant-of-two", vec![(vpcs, json!({"select": "All", "matchTags": {"a": "b"}}))], "grants[0].vpcs", "exactly one of ids, matchTags and select"),
        Refused("grant-of-no-ids", vec![(vpcs, json!({"ids": []}))], "grants[0].vpcs", "for every VPC of the account write select: All"),
        Refused("grant-of-no-tags", vec![(vpcs, json!({"matchTags": {}}))], "grants[0].vpcs", "for every VPC of the account write select: All"),
        Refused("grant-of-main", vec![(vpcs, json!({"select": "Main"}))], "grants[0].vpcs.select", "supported values: \"All\""),
        Refused("grant-of-a-subnet", vec![(vpcs, json!({"ids": ["subnet-0a1b2c3d4e5f60789"]}))], "grants[0].vpcs.ids[0]", "such as vpc-0a1b2c3d4e5f60789"),
        Refused("peer-is-itself", vec![("/spec/allowedPeerAccounts", json!(["111122223333"]))], "spec", "never this account itself"),
        Refused("peer-id-short", vec![("/spec/allowedPeerAccounts", json!(["1"]))], "spec.allowedPeerAccounts[0]", "such as \"111122223333\""),
        Refused("peer-twice", vec![("/spec/allowedPeerAccounts", json!(["444455556666", "444455556666"]))], "spec.allowedPeerAccounts[1]", "Duplicate value"),
        Refused("account-approval-in-words", vec![("/spec/requireApproval", json!("yes"))], "spec.requireApproval", "must be of type boolean"),
        Refused("limits-of-nothing", vec![("/spec/limits", json!({}))], "spec.limits", "such as {window: 1h, maxRestores: 10}"),
        Refused("limits-of-a-window-alone", vec![("/spec/limits", json!({"window": "2h"}))], "spec.limits", "such as {window: 1h, maxRestores: 10}"),
        Refused("limits-window-in-days", vec![("/spec/limits/window", json!("7d"))], "spec.limits.window", "from 1m to 168h, such as 1h or 24h"),
    ]
}
