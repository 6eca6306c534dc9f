//! The IAM policies: that they allow what the adapter calls, each in one place, and nothing else.

use super::{file_names, root, text, words, yaml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "deploy/aws";

/// What is called of EC2, CloudTrail and Service Quotas in the members, and the kinds of resources that AWS authorizes each call against, by its Service
/// Authorization Reference.
const CALLS: &[(&str, &[&str])] = &[
    ("cloudtrail:LookupEvents", &["*"]),
    ("ec2:DescribeManagedPrefixLists", &["*"]),
    ("ec2:DescribeRouteTables", &["*"]),
    ("ec2:DescribeSecurityGroupRules", &["*"]),
    ("ec2:DescribeStaleSecurityGroups", &["*"]),
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
    ("ec2:RevokeSecurityGroupEgress", &["security-group"]),
    ("ec2:RevokeSecurityGroupIngress", &["security-group"]),
    ("servicequotas:GetServiceQuota", &["*"]),
];

/// What the operator asks of the queue that tells it of calls, with its own role.
const QUEUE_CALLS: &[(&str, &[&str])] = &[
    ("kms:Decrypt", &["key"]),
    ("sqs:ChangeMessageVisibility", &["queue"]),
    ("sqs:DeleteMessage", &["queue"]),
    ("sqs:GetQueueAttributes", &["queue"]),
    ("sqs:ReceiveMessage", &["queue"]),
];

/// Allowed though the code may not call it: SQS decrypts for its caller, and a queue's length is good to see.
const NEVER_MISSED: &[&str] = &["Decrypt", "GetQueueAttributes"];

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

/// The kind of resource that an ARN, or `*`, is about. A queue's ARN has its name where others have their kind.
fn resource_kind(arn: &str) -> String {
    if arn.starts_with("arn:aws:sqs:") {
        return "queue".to_owned();
    }
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

fn expected(calls: &[(&str, &[&str])]) -> BTreeMap<(String, String), usize> {
    calls
        .iter()
        .flat_map(|(action, kinds)| kinds.iter().map(|kind| ((action.to_string(), kind.to_string()), 1)))
        .collect()
}

#[test]
fn every_call_is_allowed_by_one_statement_and_nothing_else_is() {
    assert_eq!(allowed(&member_statements()), expected(CALLS));
    assert_eq!(allowed(&statements(&policy("operator-events.json"))), expected(QUEUE_CALLS));
}

/// Of STS it calls AssumeRole, which the operator's own policy allows, and GetCallerIdentity, which AWS allows everybody.
/// SQS and CloudTrail are called in `src/signal` alone: what is allowed of one is called there, once any of it is.
#[test]
fn the_calls_are_those_of_the_adapter() {
    let hears = |action: &str| action.starts_with("sqs:") || action.starts_with("cloudtrail:");
    let mut adapter: BTreeSet<String> =
        CALLS.iter().filter(|(action, _)| !hears(action)).map(|(action, _)| after_colon(action)).collect();
    adapter.extend(["AssumeRole", "GetCallerIdentity"].map(str::to_owned));
    assert_eq!(called("src/aws"), adapter);
    let heard = if root("src/signal").is_dir() { called("src/signal") } else { BTreeSet::new() };
    let mut unknown = heard.clone();
    for service in ["sqs:", "cloudtrail:"] {
        let actions = CALLS.iter().chain(QUEUE_CALLS).map(|(action, _)| *action);
        let actions: Vec<String> =
            actions.filter(|action| action.starts_with(service)).map(after_colon).collect();
        let used = actions.iter().any(|action| heard.contains(action));
        for action in actions {
            let missed = used && !NEVER_MISSED.contains(&action.as_str()) && !heard.contains(&action);
            assert!(!missed, "{service}{action} is allowed and never called");
            unknown.remove(&action);
        }
    }
    assert_eq!(unknown, BTreeSet::new(), "called in src/signal, and no policy allows it");
}

/// By the names of the actions that IAM knows: a batch is allowed as its single calls are.
fn called(folder: &str) -> BTreeSet<String> {
    let calls = sources(folder).into_iter().flat_map(|source| sdk_calls(&source));
    calls.map(|call| call.trim_end_matches("Batch").to_owned()).collect()
}

fn after_colon(action: &str) -> String {
    action.split_once(':').map_or(action, |(_, name)| name).to_owned()
}

/// What `peerkeeper check` tries is all that the policies allow, but for what can't be tried before it is needed.
#[test]
fn check_tries_what_the_policies_allow() {
    use peerkeeper::cli::check::{READS, UNTRIED, WRITES};
    let tried: BTreeSet<&str> = READS.iter().chain(&WRITES).chain(&UNTRIED).copied().collect();
    let allowed: Vec<String> = CALLS.iter().map(|(action, _)| after_colon(action)).collect();
    assert_eq!(tried, allowed.iter().map(String::as_str).collect());
    assert_eq!(tried.len(), READS.len() + WRITES.len() + UNTRIED.len(), "each once");
}

#[test]
fn a_call_is_found_however_it_is_laid_out() {
    let source = "ec2\n    .describe_vpcs()\n    .send(); sts.get_caller_identity().send(); a.get_or_init(b); x.replace(\"a\")";
    assert_eq!(sdk_calls(source), ["DescribeVpcs", "GetCallerIdentity"]);
    assert_eq!(sdk_calls("sqs.receive_message().send().await"), ["ReceiveMessage"]);
}

/// The SDK's calls in a source text, as `client.describe_vpcs()`, by AWS's names for them.
fn sdk_calls(source: &str) -> Vec<String> {
    let verbs = [
        "accept",
        "assume",
        "associate",
        "authorize",
        "change",
        "create",
        "delete",
        "describe",
        "disassociate",
        "enable",
        "get",
        "lookup",
        "modify",
        "receive",
        "reject",
        "replace",
        "restore",
        "revoke",
        "send",
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
            .filter(|action| {
                !["Describe", "Get", "Lookup"].iter().any(|verb| after_colon(action).starts_with(verb))
            })
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

/// The queue's policy is what lets an operator of another account in; and nobody else, to nothing more.
#[test]
fn the_queue_lets_its_reader_do_the_same_and_no_more() {
    let mine = by_sid(&statements(&policy("operator-events.json")), "HearOfCalls");
    for template in ["hub.yaml", "single.yaml"] {
        let template = yaml(&format!("{FOLDER}/events/{template}")).remove(0);
        let all = &template["Resources"]["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"];
        let elsewhere = &all.as_array().expect("statements").last().expect("a statement")["Fn::If"];
        assert_eq!(
            (&elsewhere[0], &elsewhere[2]),
            (&json!("ConsumerElsewhere"), &json!({"Ref": "AWS::NoValue"}))
        );
        assert_eq!(
            (&elsewhere[1]["Sid"], &elsewhere[1]["Effect"]),
            (&json!("ConsumerReceives"), &json!("Allow"))
        );
        assert_eq!(elsewhere[1]["Principal"], json!({"AWS": {"Ref": "ConsumerRoleArn"}}));
        assert_eq!(words(&elsewhere[1]["Action"]), words(&mine["Action"]));
    }
    let decrypts = by_sid(&statements(&policy("operator-events.json")), "OnlyForAQueueWithACustomerKey");
    let region = words(&mine["Resource"])[0].split(':').nth(3).expect("a Region").to_owned();
    assert_eq!(
        decrypts["Condition"],
        json!({"StringEquals": {"kms:ViaService": format!("sqs.{region}.amazonaws.com")}})
    );
}

#[test]
fn only_the_rules_send_to_the_queue() {
    for template in ["hub.yaml", "single.yaml"] {
        let template = yaml(&format!("{FOLDER}/events/{template}")).remove(0);
        let rules = json!([{"Fn::GetAtt": ["Calls", "Arn"]}, {"Fn::GetAtt": ["Watch", "Arn"]}]);
        for (name, queue, exclusive) in
            [("QueuePolicy", "Queue", true), ("DeadLettersPolicy", "DeadLetters", false)]
        {
            let properties = &template["Resources"][name]["Properties"];
            assert_eq!(properties["Queues"], json!([{"Ref": queue}]));
            let all = properties["PolicyDocument"]["Statement"].as_array().expect("statements").clone();
            let sends = by_sid(&all, "TheseRulesSend");
            assert_eq!(sends["Effect"], "Allow");
            assert_eq!(sends["Principal"], json!({"Service": "events.amazonaws.com"}));
            assert_eq!(sends["Action"], "sqs:SendMessage");
            assert_eq!(sends["Condition"], json!({"ArnEquals": {"aws:SourceArn": rules}}));
            let plain = by_sid(&all, "TlsOnly");
            assert_eq!((&plain["Effect"], &plain["Principal"]), (&json!("Deny"), &json!("*")));
            assert_eq!(plain["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
            if exclusive {
                let others = by_sid(&all, "NobodyElseSends");
                assert_eq!((&others["Effect"], &others["Principal"]), (&json!("Deny"), &json!("*")));
                assert_eq!(others["Action"], "sqs:SendMessage");
                assert_eq!(others["Condition"], json!({"ArnNotEquals": {"aws:SourceArn": rules}}));
            }
            let here = json!({"Fn::GetAtt": [queue, "Arn"]});
            let mut known = all.iter().filter(|statement| statement.get("Fn::If").is_none());
            assert!(known.all(|statement| statement["Resource"] == here), "{name}");
            assert_eq!(all.len(), if exclusive { 4 } else { 2 }, "{name}");
        }
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
        "operator-events.json",
        "scp-only-peerkeeper-deletes-peerings.json",
        "trust-member.json",
        "trust-operator-irsa.json",
        "trust-operator-pod-identity.json",
    ];
    assert_eq!(file_names(FOLDER), tested);
}
