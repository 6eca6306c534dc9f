//! The IAM policies: that they allow what the adapter calls, each in one place, and nothing else.

use super::{file_names, text, words, yaml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "deploy/aws";

/// What the adapter calls of EC2, and the kinds of resources that AWS authorizes each call against, by its Service
/// Authorization Reference.
const CALLS: &[(&str, &[&str])] = &[
    ("ec2:DescribeManagedPrefixLists", &["*"]),
    ("ec2:DescribeRouteTables", &["*"]),
    ("ec2:DescribeVpcPeeringConnections", &["*"]),
    ("ec2:DescribeVpcs", &["*"]),
    ("ec2:AcceptVpcPeeringConnection", &["vpc", "vpc-peering-connection"]),
    ("ec2:CreateRoute", &["route-table"]),
    ("ec2:CreateTags", &["vpc-peering-connection", "vpc-peering-connection being created"]),
    ("ec2:CreateVpcPeeringConnection", &["vpc", "vpc-peering-connection"]),
    ("ec2:DeleteRoute", &["route-table"]),
    ("ec2:DeleteTags", &["vpc-peering-connection"]),
    ("ec2:DeleteVpcPeeringConnection", &["vpc-peering-connection"]),
    ("ec2:ModifyVpcPeeringConnectionOptions", &["vpc-peering-connection"]),
    ("ec2:ReplaceRoute", &["route-table"]),
    ("servicequotas:GetServiceQuota", &["*"]),
];

fn policy(name: &str) -> Value {
    let path = format!("{FOLDER}/{name}");
    serde_json::from_str(&text(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn statements(policy: &Value) -> Vec<Value> {
    assert_eq!(policy["Version"], "2012-10-17");
    policy["Statement"].as_array().expect("a list of statements").clone()
}

fn member_statements() -> Vec<Value> {
    [statements(&policy("member-read.json")), statements(&policy("member-write.json"))].concat()
}

fn by_sid(statements: &[Value], sid: &str) -> Value {
    let found: Vec<&Value> = statements.iter().filter(|statement| statement["Sid"] == sid).collect();
    assert_eq!(found.len(), 1, "statements called {sid}");
    found[0].clone()
}

/// The kind of resource that an ARN, or `*`, is about.
fn resource_kind(arn: &str) -> String {
    let last = arn.split(':').nth(5).unwrap_or(arn);
    last.split('/').next().unwrap_or(last).to_owned()
}

/// How many statements allow each action on each kind of resource.
fn allowed(statements: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut allowed = BTreeMap::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        assert!(
            statement.get("NotAction").is_none() && statement.get("NotResource").is_none(),
            "{statement:#}"
        );
        let creating = statement["Condition"].to_string().contains("ec2:CreateAction");
        let mut kinds: Vec<String> =
            words(&statement["Resource"]).iter().map(|arn| resource_kind(arn)).collect();
        kinds.dedup();
        for kind in kinds {
            let kind = if creating { format!("{kind} being created") } else { kind };
            for action in words(&statement["Action"]) {
                *allowed.entry((action, kind.clone())).or_default() += 1;
            }
        }
    }
    allowed
}

#[test]
fn every_call_is_allowed_by_one_statement_and_nothing_else_is() {
    let expected: BTreeMap<(String, String), usize> = CALLS
        .iter()
        .flat_map(|(action, kinds)| kinds.iter().map(|kind| ((action.to_string(), kind.to_string()), 1)))
        .collect();
    assert_eq!(allowed(&member_statements()), expected);
}

/// Of STS it calls AssumeRole, which the operator's own policy allows, and GetCallerIdentity, which AWS allows everybody.
#[test]
fn the_calls_are_those_of_the_adapter() {
    let mut expected: BTreeSet<String> = CALLS.iter().map(|(action, _)| after_colon(action)).collect();
    expected.extend(["AssumeRole", "GetCallerIdentity"].map(str::to_owned));
    let called: BTreeSet<String> = sources("src/aws").iter().flat_map(|source| sdk_calls(source)).collect();
    assert_eq!(called, expected);
}

fn after_colon(action: &str) -> String {
    action.split_once(':').map_or(action, |(_, name)| name).to_owned()
}

#[test]
fn a_call_is_found_however_it_is_laid_out() {
    let source = "ec2\n    .describe_vpcs()\n    .send(); sts.get_caller_identity().send(); a.get_or_init(b); x.replace(\"a\")";
    assert_eq!(sdk_calls(source), ["DescribeVpcs", "GetCallerIdentity"]);
}

/// The SDK's calls in a source text, as `client.describe_vpcs()`, by AWS's names for them.
fn sdk_calls(source: &str) -> Vec<String> {
    let verbs = [
        "accept",
        "assume",
        "associate",
        "authorize",
        "create",
        "delete",
        "describe",
        "disassociate",
        "enable",
        "get",
        "modify",
        "reject",
        "replace",
        "restore",
        "revoke",
    ];
    let methods =
        source.split('.').skip(1).filter_map(|rest| rest.split_once("()")).map(|(method, _)| method);
    methods
        .filter(|method| method.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .filter(|method| method.split_once('_').is_some_and(|(verb, _)| verbs.contains(&verb)))
        .map(|method| method.split('_').map(capitalized).collect())
        .collect()
}

fn capitalized(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn sources(folder: &str) -> Vec<String> {
    let files = file_names(folder);
    assert!(!files.is_empty(), "{folder} has no files");
    files.iter().map(|file| text(&format!("{folder}/{file}"))).collect()
}

#[test]
fn reading_and_writing_are_apart() {
    for statement in statements(&policy("member-read.json")) {
        let mutating: Vec<String> = words(&statement["Action"])
            .into_iter()
            .filter(|action| !["Describe", "Get"].iter().any(|verb| after_colon(action).starts_with(verb)))
            .collect();
        assert_eq!(mutating, [""; 0]);
    }
}

#[test]
fn every_write_is_narrowed() {
    let writes = statements(&policy("member-write.json"));
    for statement in &writes {
        for arn in words(&statement["Resource"]) {
            assert!(arn.starts_with("arn:aws:ec2:") && arn.contains(":111122223333:"), "{arn}");
            let whole_kind = arn.ends_with("/*");
            assert!(
                !whole_kind || statement["Condition"].is_object(),
                "{arn}: every one of them, unconditionally"
            );
        }
    }
    let own = words(&by_sid(&writes, "OwnEndOfPeerings")["Resource"]);
    let pair = by_sid(&writes, "PeeringsOfThesePairs")["Condition"]["ArnEquals"].clone();
    let requester = words(&pair["ec2:RequesterVpc"]);
    assert_eq!(requester, words(&pair["ec2:AccepterVpc"]), "an adopted peering may be the other way round");
    assert!(own.iter().all(|vpc| requester.contains(vpc)), "{own:?} are not all among {requester:?}");
    let tables = by_sid(&writes, "RoutesOfTaggedTables")["Condition"].clone();
    assert_eq!(tables["StringEquals"], json!({"ec2:ResourceTag/peerkeeper.dev/managed": "true"}));
    assert_eq!(words(&tables["ArnEquals"]["ec2:Vpc"]), own);
}

#[test]
fn the_template_makes_the_same_role() {
    let template = yaml(&format!("{FOLDER}/member-role.yaml")).remove(0);
    let read = by_sid(&member_statements(), "Observe");
    let pair = by_sid(&member_statements(), "PeeringsOfThesePairs")["Condition"]["ArnEquals"].clone();
    let trust = by_sid(&statements(&policy("trust-member.json")), "OperatorWithExternalId");
    let parameters = json!({
        "AWS::Partition": "aws",
        "AWS::AccountId": "111122223333",
        "OperatorRoleArn": trust["Principal"]["AWS"],
        "ExternalId": trust["Condition"]["StringEquals"]["sts:ExternalId"],
        "Regions": read["Condition"]["StringEquals"]["ec2:Region"],
        "OwnVpcArns": by_sid(&member_statements(), "OwnEndOfPeerings")["Resource"],
        "PairVpcArns": pair["ec2:RequesterVpc"],
    });
    let resolved = |path: &str| {
        let found = template["Resources"].pointer(path).unwrap_or_else(|| panic!("no {path}"));
        resolve(found, parameters.as_object().expect("an object"))
    };
    for (path, file) in [
        ("/Role/Properties/AssumeRolePolicyDocument", "trust-member.json"),
        ("/Read/Properties/PolicyDocument", "member-read.json"),
        ("/Write/Properties/PolicyDocument", "member-write.json"),
    ] {
        assert_eq!(resolved(path), policy(file), "{path} is not {file}");
    }
    assert_eq!(
        template["Resources"]["Write"]["Condition"], "Writes",
        "AllowWrites must be able to withhold it"
    );
}

/// CloudFormation's `Ref` and `Fn::Sub`, all that the template uses in its policies.
fn resolve(value: &Value, parameters: &Map<String, Value>) -> Value {
    let known = |name: &str| parameters.get(name).unwrap_or_else(|| panic!("no parameter {name}")).clone();
    match value {
        Value::Object(fields) => match (fields.get("Ref"), fields.get("Fn::Sub")) {
            (Some(Value::String(name)), _) => known(name),
            (_, Some(Value::String(pattern))) => {
                let filled = parameters
                    .iter()
                    .filter_map(|(name, value)| Some((name, value.as_str()?)))
                    .fold(pattern.clone(), |text, (name, value)| {
                        text.replace(&format!("${{{name}}}"), value)
                    });
                assert!(!filled.contains("${"), "{pattern}: an unknown parameter");
                Value::String(filled)
            }
            _ => fields.iter().map(|(key, value)| (key.clone(), resolve(value, parameters))).collect(),
        },
        Value::Array(list) => list.iter().map(|value| resolve(value, parameters)).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_operator_itself_may_become_member_roles_and_nothing_else() {
    let statements = statements(&policy("operator-assume-roles.json"));
    let mut actions = Vec::new();
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow");
        actions.extend(words(&statement["Action"]));
        for arn in words(&statement["Resource"]) {
            assert!(arn.ends_with(":role/peerkeeper") && !arn.contains('*'), "{arn} is not one member role");
        }
    }
    // TagSession gives no access by itself: it lets the session's tags of EKS Pod Identity go along.
    assert_eq!(actions, ["sts:AssumeRole", "sts:TagSession"]);
}

#[test]
fn the_member_role_asks_for_the_external_id() {
    let trust = statements(&policy("trust-member.json"));
    let assume: Vec<&Value> = trust
        .iter()
        .filter(|statement| words(&statement["Action"]).contains(&"sts:AssumeRole".into()))
        .collect();
    assert_eq!(assume.len(), 1);
    assert!(assume[0]["Condition"]["StringEquals"]["sts:ExternalId"].is_string());
    for statement in &trust {
        let principal = statement["Principal"]["AWS"].as_str().expect("one principal");
        assert!(
            principal.ends_with(":role/peerkeeper-operator"),
            "{principal} is wider than the operator's role"
        );
    }
}

#[test]
fn only_the_operators_service_account_gets_the_operators_role() {
    let account = yaml("deploy/operator/service-account.yaml").remove(0)["metadata"].clone();
    let (namespace, name) = (&account["namespace"], &account["name"]);
    let irsa = by_sid(&statements(&policy("trust-operator-irsa.json")), "ServiceAccountOfThisCluster");
    let provider = irsa["Principal"]["Federated"].as_str().expect("a provider");
    let issuer = provider.split_once(":oidc-provider/").expect("an OIDC provider").1;
    let subject = format!("system:serviceaccount:{}:{}", namespace.as_str().unwrap(), name.as_str().unwrap());
    let expected = json!({
        format!("{issuer}:aud"): "sts.amazonaws.com",
        format!("{issuer}:sub"): subject,
    });
    assert_eq!(irsa["Condition"], json!({"StringEquals": expected}));
    let pod = by_sid(&statements(&policy("trust-operator-pod-identity.json")), "ServiceAccountOfThisCluster");
    let tags = &pod["Condition"]["StringEquals"];
    assert_eq!(&tags["aws:RequestTag/kubernetes-namespace"], namespace);
    assert_eq!(&tags["aws:RequestTag/kubernetes-service-account"], name);
}

#[test]
fn the_service_control_policy_keeps_all_but_the_member_roles_from_deleting() {
    let statements = statements(&policy("scp-only-peerkeeper-deletes-peerings.json"));
    let denied = |principal: &str, action: &str| {
        statements.iter().any(|statement| {
            assert_eq!((&statement["Effect"], &statement["Resource"]), (&json!("Deny"), &json!("*")));
            let exempt = words(&statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]);
            words(&statement["Action"]).contains(&action.to_owned())
                && !exempt.iter().any(|pattern| like(pattern, principal))
        })
    };
    let member_roles = statements_of("operator-assume-roles.json", "Resource");
    let template = yaml(&format!("{FOLDER}/member-role.yaml")).remove(0);
    let made = format!(
        "arn:aws:iam::777788889999:role/{}",
        template["Parameters"]["RoleName"]["Default"].as_str().expect("a default")
    );
    for role in member_roles.iter().chain([&made]) {
        assert!(!denied(role, "ec2:DeleteVpcPeeringConnection"), "{role} must be able to delete");
    }
    for other in ["role/admin", "role/peerkeeper-too", "role/x/peerkeeper", "user/peerkeeper", "root"] {
        let other = format!("arn:aws:iam::111122223333:{other}");
        assert!(denied(&other, "ec2:DeleteVpcPeeringConnection"), "{other} must not");
        assert!(!denied(&other, "ec2:CreateVpcPeeringConnection"), "only deletion is kept from {other}");
    }
}

fn statements_of(file: &str, field: &str) -> Vec<String> {
    statements(&policy(file)).iter().flat_map(|statement| words(&statement[field])).collect()
}

/// IAM's ArnLike with one `*`, which never crosses a colon.
fn like(pattern: &str, arn: &str) -> bool {
    let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
    let between = arn.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    between.is_some_and(|between| !between.contains(':') && (pattern.contains('*') || between.is_empty()))
}

#[test]
fn every_policy_is_tested() {
    let tested = [
        "member-read.json",
        "member-role.yaml",
        "member-write.json",
        "operator-assume-roles.json",
        "scp-only-peerkeeper-deletes-peerings.json",
        "trust-member.json",
        "trust-operator-irsa.json",
        "trust-operator-pod-identity.json",
    ];
    assert_eq!(file_names(FOLDER), tested);
}
