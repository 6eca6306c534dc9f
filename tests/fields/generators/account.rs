//! `AwsAccount`.

use peerkeeper_core::reason::Reason;
use serde_json::{Value, json};

use super::super::schema::Kind;
use super::super::stage::{Base, FOREIGN, PROD, Probe, SHARED, role};
use super::{Change, Generator, created_says, fits, fixed, freezes, refused, rests};

pub fn generators() -> Vec<Generator> {
    let mut all = vec![
        generator("spec.accountId", "shared", Base::Plain, account_id()),
        generator("spec.roleArn", "shared", Base::Plain, role_arn()),
        generator("spec.roleArn", "prod", Base::Plain, role_arn_of_own()),
        generator("spec.externalId", "shared", Base::Plain, external_id()),
        generator("spec.allowedPeerAccounts[]", "prod", Base::Foreign, allowed_peers()),
        generator("spec.limits.window", "prod", Base::OncePerAccount, window()),
        generator("spec.limits.maxRestores", "prod", Base::Plain, max_restores()),
        generator("spec.limits.maxRemovals", "prod", Base::Plain, max_removals()),
        generator("spec.limits.maxRestoresPerPeering", "prod", Base::Plain, per_peering()),
        generator("spec.requireApproval", "prod", Base::Plain, approval()),
        generator("spec.requireApproval", "shared", Base::Plain, approval()),
        generator("spec.suspend", "prod", Base::Plain, suspend()),
    ];
    for object in ["prod", "shared"] {
        let at =
            |path: &str, changes| generator(&format!("spec.grants[].{path}"), object, Base::Plain, changes);
        all.extend([
            at("namespaceSelector.matchLabels{}", match_labels()),
            at("namespaceSelector.matchExpressions[].key", expression_key()),
            at("namespaceSelector.matchExpressions[].operator", expression_operator()),
            at("namespaceSelector.matchExpressions[].values[]", expression_values()),
            at("vpcs.ids[]", vpc_ids(object)),
            at("vpcs.matchTags{}", vpc_tags()),
            at("vpcs.select", vpc_select()),
        ]);
    }
    all
}

fn generator(path: &str, object: &'static str, base: Base, changes: Vec<Change>) -> Generator {
    Generator { kind: Kind::AwsAccount, path: path.to_owned(), object, base, changes }
}

fn spec(fields: Value) -> Value {
    json!({"spec": fields})
}

fn account_id() -> Vec<Change> {
    let wrong = json!({"accountId": "999900001111", "roleArn": null});
    vec![
        fixed("another", spec(wrong.clone())),
        created_says("not that of the credentials", Reason::WrongAccount, spec(wrong)),
        refused("not that of the role", spec(json!({"accountId": "999900001111"}))),
        refused("too short", spec(json!({"accountId": "11112222333"}))),
        refused("a number", spec(json!({"accountId": 111122223333_i64}))),
        refused("none", spec(json!({"accountId": null}))),
    ]
}

fn role_arn() -> Vec<Change> {
    let arn = |arn: &str| spec(json!({"roleArn": arn}));
    vec![
        freezes("one that does not exist", Reason::AccessDenied, arn(&role(SHARED, "nobody"))),
        freezes("one that asks for an external id", Reason::AccessDenied, arn(&role(SHARED, "strict"))),
        freezes("none: the operator's own credentials", Reason::WrongAccount, spec(json!({"roleArn": null}))),
        refused("of another account", arn(&role(PROD, "peerkeeper"))),
        refused("no ARN", arn("peerkeeper")),
        refused("a user", arn("arn:aws:iam::444455556666:user/peerkeeper")),
    ]
}

fn role_arn_of_own() -> Vec<Change> {
    vec![
        fits("one to assume", spec(json!({"roleArn": role(PROD, "peerkeeper")}))),
        freezes(
            "one that does not exist",
            Reason::AccessDenied,
            spec(json!({"roleArn": role(PROD, "nobody")})),
        ),
    ]
}

fn external_id() -> Vec<Change> {
    let strict = |id: &str| spec(json!({"roleArn": role(SHARED, "strict"), "externalId": id}));
    vec![
        fits("the right one", strict("right")),
        freezes("a wrong one", Reason::AccessDenied, strict("wrong")),
        fits("one that nobody asks for", spec(json!({"externalId": "whatever"}))),
        fits("the longest", spec(json!({"externalId": "x".repeat(1224)}))),
        refused("too short", spec(json!({"externalId": "x"}))),
        refused("without a role", spec(json!({"roleArn": null, "externalId": "right"}))),
    ]
}

fn grants(selector: Value, vpcs: Value) -> Value {
    spec(json!({"grants": [{"namespaceSelector": selector, "vpcs": vpcs}]}))
}

fn to(selector: Value) -> Value {
    grants(selector, json!({"select": "All"}))
}

fn of(vpcs: Value) -> Value {
    grants(json!({"matchLabels": {"team": "network"}}), vpcs)
}

fn expression(key: &str, operator: &str, values: Option<&[&str]>) -> Value {
    let mut one = json!({"key": key, "operator": operator});
    if let Some(values) = values {
        one["values"] = json!(values);
    }
    to(json!({"matchExpressions": [one]}))
}

fn withdrawn(what: &'static str, patch: Value) -> Change {
    freezes(what, Reason::AccessWithdrawn, patch)
}

fn match_labels() -> Vec<Change> {
    vec![
        fits("another that it carries", to(json!({"matchLabels": {"kubernetes.io/metadata.name": "net"}}))),
        withdrawn("another team", to(json!({"matchLabels": {"team": "data"}}))),
        withdrawn(
            "one more than it carries",
            to(json!({"matchLabels": {"team": "network", "stage": "prod"}})),
        ),
        withdrawn("no grants at all", spec(json!({"grants": null}))),
        withdrawn("an empty list", spec(json!({"grants": []}))),
        refused("an empty selector", to(json!({}))),
        refused("no labels", to(json!({"matchLabels": {}}))),
    ]
}

fn expression_key() -> Vec<Change> {
    vec![
        fits("one that it carries", expression("team", "Exists", None)),
        withdrawn("one that it does not carry", expression("tier", "Exists", None)),
    ]
}

fn expression_operator() -> Vec<Change> {
    vec![
        fits("In", expression("team", "In", Some(&["network"]))),
        withdrawn("NotIn", expression("team", "NotIn", Some(&["network"]))),
        fits("Exists", expression("team", "Exists", None)),
        withdrawn("DoesNotExist", expression("team", "DoesNotExist", None)),
        fits("NotIn without the label", expression("tier", "NotIn", Some(&["public"]))),
        refused("another word", expression("team", "Equals", Some(&["network"]))),
    ]
}

fn expression_values() -> Vec<Change> {
    vec![
        fits("one of two", expression("team", "In", Some(&["data", "network"]))),
        withdrawn("others", expression("team", "In", Some(&["data", "platform"]))),
        refused("none", expression("team", "In", Some(&[]))),
        refused("with Exists", expression("team", "Exists", Some(&["network"]))),
    ]
}

fn vpc_ids(object: &str) -> Vec<Change> {
    let own = if object == "prod" { "{vpc:a}" } else { "{vpc:b}" };
    vec![
        fits("the VPC", of(json!({"ids": [own]}))),
        fits("two", of(json!({"ids": ["{vpc:other}", own]}))),
        withdrawn("another", of(json!({"ids": ["{vpc:other}"]}))),
        refused("none", of(json!({"ids": []}))),
        refused("no id of a VPC", of(json!({"ids": ["rtb-0123456789abcdef0"]}))),
    ]
}

fn vpc_tags() -> Vec<Change> {
    vec![
        fits("as the VPC carries", of(json!({"matchTags": {"team": "network"}}))),
        withdrawn("as it does not", of(json!({"matchTags": {"team": "data"}}))),
        refused("none", of(json!({"matchTags": {}}))),
    ]
}

fn vpc_select() -> Vec<Change> {
    vec![
        withdrawn("instead of all one that is not it", of(json!({"ids": ["vpc-00000000000000bad"]}))),
        refused("another word", of(json!({"select": "Some"}))),
        refused("and by id", of(json!({"select": "All", "ids": ["{vpc:a}"]}))),
        refused("nothing", of(json!({}))),
    ]
}

fn allowed_peers() -> Vec<Change> {
    let peers = |peers: Value| spec(json!({"allowedPeerAccounts": peers}));
    let refusal = Reason::PeerAccountNotAllowed;
    vec![
        fits("one more", peers(json!([FOREIGN, "999900001111"]))),
        freezes("another", refusal, peers(json!(["999900001111"]))),
        freezes("none", refusal, peers(json!(null))),
        freezes("an empty list", refusal, peers(json!([]))),
        refused("this account itself", peers(json!([PROD]))),
        refused("twice the same", peers(json!([FOREIGN, FOREIGN]))),
        refused("no id", peers(json!(["foreign"]))),
    ]
}

fn limits(fields: Value) -> Value {
    spec(json!({"limits": fields}))
}

fn window() -> Vec<Change> {
    let window = |text: &str| limits(json!({"window": text}));
    vec![
        fits("so short that a restore is forgotten", window("1m"))
            .probed(Probe::LoseTwice)
            .stays_after_probe(),
        fits("the longest", window("168h"))
            .probed(Probe::LoseTwice)
            .then(Reason::LimitReached)
            .stays_after_probe(),
        refused("shorter than the shortest", window("59s")),
        refused("longer than the longest", window("169h")),
        refused("a window of nothing", limits(json!({"maxRestores": null, "window": "1h"}))),
    ]
}

fn max_restores() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRestores": number}));
    vec![
        fits("none", most(0)).probed(Probe::Lose).then(Reason::LimitReached).latched_after_probe(),
        fits("one", most(1)).probed(Probe::LoseTwice).then(Reason::LimitReached).latched_after_probe(),
        fits("as many as there may be", most(10_000)).probed(Probe::LoseTwice),
        refused("less than none", most(-1)),
    ]
}

fn max_removals() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRemovals": number}));
    vec![
        fits("none", most(0)).probed(Probe::Delete).then(Reason::LimitReached),
        fits("one", most(1)).probed(Probe::Delete),
        refused("less than none", most(-1)),
    ]
}

fn per_peering() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRestoresPerPeering": number}));
    vec![
        fits("none", most(0)).probed(Probe::Lose).then(Reason::ContestedOwnership),
        fits("one", most(1)).probed(Probe::LoseTwice).then(Reason::ContestedOwnership),
        fits("as many as there may be", most(1000)).probed(Probe::LoseTwice),
        refused("less than none", most(-1)),
    ]
}

fn approval() -> Vec<Change> {
    let asks = |asks: bool| spec(json!({"requireApproval": asks}));
    vec![
        fits("asked", asks(true)).probed(Probe::Lose).then(Reason::AwaitingApproval).asks_after_probe(),
        fits("asked and given", asks(true)).probed(Probe::LoseAndApprove),
        fits("written out", asks(false)).probed(Probe::Lose),
    ]
}

fn suspend() -> Vec<Change> {
    vec![
        rests("and lost", spec(json!({"suspend": true}))).probed(Probe::Lose),
        rests("and a route is missing", spec(json!({"suspend": true}))).probed(Probe::DropRoute),
        fits("written out", spec(json!({"suspend": false}))),
    ]
}
