use super::*;
use crate::api::{AwsAccount, PeeringPolicy, VpcPeering};
use peerkeeper_core::desired::{
    AccountRef, Adoption, DeletionPolicy, DependentRoutes, Desired, Destinations, ForeignRefusal, Grant,
    Limits, LossAction, Policy, PolicySource, Reaction, StaleRules, TableSelector, UnknownActor,
};
use peerkeeper_core::ids::{ObjectKey, Region, Side, VpcId};
use peerkeeper_core::limits::Level;
use peerkeeper_core::principal::{Principal, Who};
use peerkeeper_core::time::Wall;
use peerkeeper_core::write::TagSet;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeMap};

fn object<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

/// A `VpcPeering` with something in every field.
fn peering() -> Value {
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {
            "namespace": "network", "name": "prod-shared", "uid": "u-1", "generation": 4,
            "creationTimestamp": "2026-05-28T20:26:40Z",
            "annotations": {
                "peerkeeper.dev/established": "pcx-0123456789abcdef0",
                "peerkeeper.dev/reconcile-requested-at": "just now",
            },
        },
        "spec": {
            "requester": {
                "account": {"name": "prod"}, "region": "eu-west-1", "vpcId": "vpc-0a1b2c3d4e5f60789",
                "allowDnsResolutionFromRemoteVpc": true,
                "routes": [
                    {"name": "private", "routeTables": {"matchTags": {"tier": "private"}},
                        "destinations": {"peerCidrs": "All", "exclude": ["10.9.0.0/16"]}},
                    {"name": "lists", "routeTables": {"select": "All"},
                        "destinations": {"prefixListIds": ["pl-0123456789abcdef0"]}},
                ],
            },
            "accepter": {
                "region": "us-east-1", "vpcId": "vpc-0fedcba9876543210",
                "routes": [
                    {"name": "hub", "routeTables": {"ids": ["rtb-0123456789abcdef0"]},
                        "destinations": {"cidrs": ["10.20.1.1/16"]}},
                    {"name": "main", "routeTables": {"select": "Main"}, "destinations": {"peerCidrs": "All"}},
                ],
            },
            "tags": {"team": "network"}, "adoption": "Never", "deletionPolicy": "Retain", "suspend": true,
        },
    })
}

fn declared(edit: impl FnOnce(&mut Value)) -> Result<Desired, DeclareError> {
    let mut value = peering();
    edit(&mut value);
    desired(&object::<VpcPeering>(value), false, "cluster-1")
}

#[test]
fn everything_declared_arrives() {
    let desired = declared(|_| {}).unwrap();
    assert_eq!(desired.key, ObjectKey::new("network", "prod-shared"));
    assert_eq!((&*desired.uid, desired.generation, desired.created), ("u-1", 4, Wall(1_780_000_000)));
    assert!(!desired.deleting && !desired.namespace_terminating && desired.suspend);
    assert_eq!((desired.adoption, desired.deletion_policy), (Adoption::Never, Some(DeletionPolicy::Retain)));
    assert_eq!(desired.established, Some("pcx-0123456789abcdef0".parse().unwrap()));
    assert_eq!(desired.requested_at.as_deref(), Some("just now"));
    assert_eq!(desired.owner_tag().to_string(), "cluster-1/network/prod-shared");
    assert_eq!(desired.tags, TagSet::from([("team".into(), "network".into())]));

    let (ours, theirs) = (&desired.sides.requester, &desired.sides.accepter);
    assert_eq!(ours.account, AccountRef::Managed("prod".into()));
    assert_eq!(theirs.account, AccountRef::Managed("default".into()));
    assert_eq!((ours.region.as_str(), theirs.region.as_str()), ("eu-west-1", "us-east-1"));
    assert_eq!(ours.vpc.to_string(), "vpc-0a1b2c3d4e5f60789");
    assert_eq!((ours.allow_dns, theirs.allow_dns), (Some(true), None));
    let routes: Vec<_> = ours.routes.iter().chain(&theirs.routes).collect();
    assert_eq!(
        routes.iter().map(|route| &*route.name).collect::<Vec<_>>(),
        ["private", "lists", "hub", "main"]
    );
    assert_eq!(routes[0].tables, TableSelector::Tags([("tier".into(), "private".into())].into()));
    assert_eq!(routes[1].tables, TableSelector::All);
    assert_eq!(routes[2].tables, TableSelector::Ids(["rtb-0123456789abcdef0".parse().unwrap()].into()));
    assert_eq!(routes[3].tables, TableSelector::Main);
    let exclude = ["10.9.0.0/16".parse().unwrap()].into();
    assert_eq!(routes[0].destinations, Destinations::PeerCidrs { exclude });
    assert_eq!(
        routes[1].destinations,
        Destinations::PrefixLists(["pl-0123456789abcdef0".parse().unwrap()].into())
    );
    assert_eq!(routes[2].destinations, Destinations::Cidrs(["10.20.0.0/16".parse().unwrap()].into()));
}

#[test]
fn what_is_absent_has_its_default() {
    let plain = declared(|value| {
        value["metadata"].as_object_mut().unwrap().remove("annotations");
        let spec = value["spec"].as_object_mut().unwrap();
        for field in ["tags", "adoption", "deletionPolicy", "suspend"] {
            spec.remove(field);
        }
    })
    .unwrap();
    assert_eq!((plain.adoption, plain.deletion_policy, plain.suspend), (Adoption::IfUnowned, None, false));
    assert_eq!((plain.requested_at, plain.established, plain.tags), (None, None, TagSet::new()));
}

#[test]
fn deletion_is_told_of_the_object_and_of_its_namespace() {
    let mut value = peering();
    value["metadata"]["deletionTimestamp"] = json!("2026-06-01T00:00:00Z");
    let desired = desired(&object::<VpcPeering>(value), true, "cluster-1").unwrap();
    assert!(desired.deleting && desired.namespace_terminating);
}

#[test]
fn a_foreign_account_may_only_accept_and_only_bare() {
    let foreign = |value: &mut Value| {
        value["spec"]["accepter"] = json!({"account": {"id": "444455556666"}, "region": "us-east-1", "vpcId": "vpc-0fedcba9876543210"});
    };
    let desired = declared(foreign).unwrap();
    assert_eq!(desired.sides.accepter.account, AccountRef::Foreign("444455556666".parse().unwrap()));

    let with_dns = declared(|value| {
        foreign(value);
        value["spec"]["accepter"]["allowDnsResolutionFromRemoteVpc"] = json!(false);
    });
    assert_eq!(with_dns.unwrap_err().field, "spec.accepter.allowDnsResolutionFromRemoteVpc");
    let with_routes = declared(|value| {
        let routes = value["spec"]["accepter"]["routes"].clone();
        foreign(value);
        value["spec"]["accepter"]["routes"] = routes;
    });
    assert_eq!(with_routes.unwrap_err().field, "spec.accepter.routes");
    let asking = declared(|value| value["spec"]["requester"]["account"] = json!({"id": "444455556666"}));
    assert_eq!(asking.unwrap_err().field, "spec.requester.account");
}

#[test]
fn what_can_not_be_read_is_refused_by_the_name_of_its_field() {
    let (at, of) = ("/spec/requester/routes/0", "spec.requester.routes[0]");
    let cases = [
        ("/spec/requester/region", json!("Ireland"), "spec.requester.region".to_owned()),
        ("/spec/accepter/vpcId", json!("vpc-1"), "spec.accepter.vpcId".to_owned()),
        ("/spec/accepter/vpcId", json!("vpc-0a1b2c3d4e5f60789"), "spec.accepter.vpcId".to_owned()),
        ("/spec/accepter/account", json!({}), "spec.accepter.account".to_owned()),
        ("/spec/accepter/account", json!({"id": "1", "name": "a"}), "spec.accepter.account".to_owned()),
        ("/spec/accepter/account", json!({"id": "12"}), "spec.accepter.account.id".to_owned()),
        ("/spec/tags", json!({"peerkeeper.dev/owner": "me"}), "spec.tags".to_owned()),
        ("/spec/tags", json!({"AWS:x": "me"}), "spec.tags".to_owned()),
        (
            "/metadata/annotations/peerkeeper.dev~1established",
            json!("yes"),
            "metadata.annotations[peerkeeper.dev/established]".to_owned(),
        ),
        ("/spec/requester/routes/1/name", json!("private"), "spec.requester.routes[1].name".to_owned()),
        (&format!("{at}/routeTables"), json!({}), format!("{of}.routeTables")),
        (&format!("{at}/routeTables"), json!({"ids": []}), format!("{of}.routeTables.ids")),
        (&format!("{at}/routeTables"), json!({"matchTags": {}}), format!("{of}.routeTables.matchTags")),
        (&format!("{at}/routeTables"), json!({"ids": ["rtb-1"]}), format!("{of}.routeTables.ids[0]")),
        (
            &format!("{at}/routeTables"),
            json!({"select": "All", "matchTags": {"a": "b"}}),
            format!("{of}.routeTables"),
        ),
        (&format!("{at}/destinations"), json!({}), format!("{of}.destinations")),
        (&format!("{at}/destinations"), json!({"cidrs": []}), format!("{of}.destinations.cidrs")),
        (
            &format!("{at}/destinations"),
            json!({"cidrs": ["10.0.0.0/8", "x"]}),
            format!("{of}.destinations.cidrs[1]"),
        ),
        (
            &format!("{at}/destinations"),
            json!({"prefixListIds": []}),
            format!("{of}.destinations.prefixListIds"),
        ),
        (
            &format!("{at}/destinations"),
            json!({"cidrs": ["10.0.0.0/8"], "exclude": ["10.0.0.0/16"]}),
            format!("{of}.destinations.exclude"),
        ),
        (
            &format!("{at}/destinations"),
            json!({"peerCidrs": "All", "exclude": ["10.0.0.0"]}),
            format!("{of}.destinations.exclude[0]"),
        ),
    ];
    for (pointer, wrong, field) in cases {
        let told = wrong.to_string();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let error = declared(|value| value.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = wrong);
        let error = error.expect_err(&told);
        assert_eq!(error.field, field, "{told}");
        assert!(error.to_string().contains(", but must be "), "{error}");
    }
    for field in ["namespace", "name", "uid", "generation", "creationTimestamp"] {
        let error =
            declared(|value| drop(value["metadata"].as_object_mut().unwrap().remove(field))).unwrap_err();
        assert_eq!((error.field, error.value), (format!("metadata.{field}"), "absent".to_owned()));
    }
}

#[test]
fn an_error_shows_what_is_there_and_what_should_be() {
    let error = declared(|value| value["spec"]["requester"]["vpcId"] = json!("vpc-x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spec.requester.vpcId is \"vpc-x\", but must be the id of a VPC, such as vpc-0a1b2c3d4e5f60789"
    );
    let long = declared(|value| value["spec"]["requester"]["vpcId"] = json!("é".repeat(5000))).unwrap_err();
    assert!(long.to_string().len() < 500, "it goes into a condition");
}

#[test]
fn a_long_request_for_a_check_is_shortened_and_still_told_from_others() {
    let requested = |text: String| {
        declared(|value| {
            value["metadata"]["annotations"]["peerkeeper.dev/reconcile-requested-at"] = json!(text)
        })
        .unwrap()
        .requested_at
        .unwrap()
    };
    let long = "x".repeat(100_000);
    assert!(requested(long.clone()).len() <= 128);
    assert_eq!(requested(long.clone()), requested(long.clone()));
    assert_ne!(requested(long.clone()), requested(format!("{}y", &long[1..])));
    assert_eq!(&*requested("x".repeat(128)), "x".repeat(128));
}

fn a_policy(name: &str, spec: Value) -> PeeringPolicy {
    object(
        json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy", "metadata": {"name": name}, "spec": spec}),
    )
}

#[test]
fn a_policy_arrives_whole_and_its_defaults_are_those_of_the_built_in_one() {
    let whole = a_policy(
        "restore",
        json!({
            "onUnexpectedDeletion": {"action": "Restore", "gracePeriod": "1m30s", "requireApproval": true, "dependentRoutes": "All", "staleSecurityGroupRules": "Ignore"},
            "authorizedPrincipals": [
                {"accountIds": ["111122223333", "444455556666"], "roleName": "net-*", "requireMfa": true},
                {"accountIds": ["111122223333"], "roleName": "admin", "rolePath": "/aws-reserved/*/", "sourceIdentity": "ada@example.com"},
                {"accountIds": ["444455556666"], "userName": "ada"},
            ],
            "onAuthorizedDeletion": "Flag", "attributionTimeout": "15m", "onUnknownActor": "Hold",
            "onDrift": "Flag", "onRepointedRoute": "Restore",
            "limits": {"window": "2h", "maxRestores": 1, "maxRemovals": 2, "maxRestoresPerPeering": 0},
        }),
    );
    let (prod, shared) = ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
    let role = |path: &str, name: &str| Who::Role { path: path.into(), name: name.into() };
    let expected = Policy {
        source: PolicySource::Named("restore".into()),
        action: LossAction::Restore,
        grace_s: 90,
        dependent_routes: DependentRoutes::All,
        stale_rules: StaleRules::Ignore,
        approval: Some(Level::Policy),
        authorized: [
            Principal {
                accounts: [prod, shared].into(),
                who: role("/", "net-*"),
                require_mfa: true,
                source_identity: None,
            },
            Principal {
                accounts: [prod].into(),
                who: role("/aws-reserved/*/", "admin"),
                require_mfa: false,
                source_identity: Some("ada@example.com".into()),
            },
            Principal {
                accounts: [shared].into(),
                who: Who::User { name: "ada".into() },
                require_mfa: false,
                source_identity: None,
            },
        ]
        .into(),
        on_authorized: LossAction::Flag,
        attribution_timeout_s: 900,
        on_unknown_actor: UnknownActor::Hold,
        on_drift: Reaction::Flag,
        on_repointed_route: Reaction::Restore,
        limits: Limits { window_s: 7200, max_restores: 1, max_removals: 2, max_restores_per_peering: 0 },
    };
    assert_eq!(policy(&whole), Ok(expected));

    let bare = policy(&a_policy("bare", json!({"onUnexpectedDeletion": {"action": "Flag"}}))).unwrap();
    assert_eq!(bare, Policy { source: PolicySource::Named("bare".into()), ..Policy::built_in() });
}

/// Whoever is named too loosely could delete unseen.
#[test]
fn a_principal_that_is_nobody_or_anybody_is_refused_by_the_name_of_its_field() {
    let declared = |principal: Value| {
        let spec =
            json!({"onUnexpectedDeletion": {"action": "Restore"}, "authorizedPrincipals": [principal]});
        policy(&a_policy("p", spec))
    };
    let of = |rest: Value| {
        let mut whole = json!({"accountIds": ["111122223333"]});
        whole.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        whole
    };
    let at = |field: &str| format!("spec.authorizedPrincipals[0]{field}");
    for (principal, field) in [
        (of(json!({})), ""),
        (of(json!({"roleName": "a", "userName": "a"})), ""),
        (of(json!({"roleName": ""})), ".roleName"),
        (of(json!({"roleName": "network/admin"})), ".roleName"),
        (of(json!({"roleName": "a", "rolePath": ""})), ".rolePath"),
        (of(json!({"roleName": "a", "rolePath": "//"})), ".rolePath"),
        (of(json!({"roleName": "a", "rolePath": "network"})), ".rolePath"),
        (of(json!({"roleName": "a", "rolePath": "/a:b/"})), ".rolePath"),
        (of(json!({"userName": "arn:aws:iam::111122223333:user/ada"})), ".userName"),
        (of(json!({"roleName": "a", "sourceIdentity": ""})), ".sourceIdentity"),
        (json!({"accountIds": [], "roleName": "a"}), ".accountIds"),
        (json!({"accountIds": ["*"], "roleName": "a"}), ".accountIds[0]"),
    ] {
        assert_eq!(declared(principal.clone()).expect_err(&principal.to_string()).field, at(field));
    }
    assert!(declared(of(json!({"roleName": "a", "rolePath": "/"}))).is_ok());
}

#[test]
fn what_either_account_asks_for_no_policy_can_take_back() {
    let asking = |id: &str, asks: bool| {
        account(&an_account("a", id, json!({"requireApproval": asks}))).expect("an account")
    };
    let (strict, lax) = (asking("111122223333", true), asking("444455556666", false));
    let account = Some(Level::Account("111122223333".parse().unwrap()));
    let plain = Policy::built_in;
    let careful = || Policy { approval: Some(Level::Policy), ..Policy::built_in() };
    for (policy, accounts, expected) in [
        (plain(), vec![], None),
        (plain(), vec![&lax], None),
        (plain(), vec![&lax, &strict], account),
        (plain(), vec![&strict, &lax], account),
        (careful(), vec![&strict], account),
        (careful(), vec![&lax, &lax], Some(Level::Policy)),
    ] {
        let floored = with_floors(policy.clone(), accounts);
        assert_eq!(floored, Policy { approval: expected, ..policy }, "and nothing else changes");
    }
}

#[test]
fn limits_that_would_limit_nothing_are_refused() {
    let limited = |limits: Value| {
        policy(&a_policy("p", json!({"onUnexpectedDeletion": {"action": "Restore"}, "limits": limits})))
    };
    assert_eq!(limited(json!({"window": "0s"})).unwrap_err().field, "spec.limits.window");
    assert_eq!(limited(json!({"window": "59s"})).unwrap_err().field, "spec.limits.window");
    assert_eq!(limited(json!({"maxRestores": -1})).unwrap_err().field, "spec.limits.maxRestores");
    assert!(limited(json!({"window": "1m"})).is_ok());
}

#[test]
fn the_policy_named_holds_else_the_default_else_the_built_in_and_a_missing_one_only_flags() {
    let restore = json!({"onUnexpectedDeletion": {"action": "Restore"}});
    let (named, default) = (a_policy("named", restore.clone()), a_policy("default", restore.clone()));
    let broken = a_policy(
        "default",
        json!({"onUnexpectedDeletion": {"action": "Restore"}, "limits": {"window": "0s"}}),
    );
    let source = |policy: Policy| (policy.source, policy.action, policy.on_drift);
    let found = |name: &str| (PolicySource::Named(name.into()), LossAction::Restore, Reaction::Restore);
    let missing = |name: &str| (PolicySource::Missing(name.into()), LossAction::Flag, Reaction::Flag);
    assert_eq!(source(policy_for(Some("named"), Some(&named), Some(&default))), found("named"));
    assert_eq!(source(policy_for(Some("named"), None, Some(&default))), missing("named"));
    assert_eq!(source(policy_for(None, None, Some(&default))), found("default"));
    assert_eq!(policy_for(None, None, None), Policy::built_in());
    assert_eq!(source(policy_for(None, None, Some(&broken))), missing("default"));
    assert_eq!(policy_for(Some("named"), None, None).limits, Limits::default());
}

fn an_account(name: &str, id: &str, spec: Value) -> AwsAccount {
    let mut whole = json!({"accountId": id});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let metadata = json!({"name": name, "uid": format!("uid-{name}"), "generation": 2});
    object(
        json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": metadata, "spec": whole}),
    )
}

#[test]
fn an_account_arrives_whole() {
    let role = "arn:aws-us-gov:iam::111122223333:role/net/peerkeeper";
    let read = account(&an_account(
        "prod",
        "111122223333",
        json!({
            "roleArn": role, "externalId": "ext", "requireApproval": true, "suspend": true,
            "grants": [
                {"namespaceSelector": {"matchLabels": {"team": "a"}}, "vpcs": {"ids": ["vpc-0a1b2c3d4e5f60789"]}},
                {"namespaceSelector": {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["x"]}]},
                    "vpcs": {"matchTags": {"share": "yes"}}},
            ],
            "allowedPeerAccounts": ["444455556666"],
            "limits": {"window": "24h", "maxRemovals": 5},
        }),
    ))
    .unwrap();
    let expected = Account {
        name: "prod".into(),
        uid: "uid-prod".into(),
        generation: 2,
        account: "111122223333".parse().unwrap(),
        role_arn: Some(role.into()),
        external_id: Some("ext".into()),
        grants: vec![
            VpcGrant {
                namespaces: LabelSelector {
                    labels: [("team".into(), "a".into())].into(),
                    requirements: vec![],
                },
                vpcs: VpcSelector::Ids(["vpc-0a1b2c3d4e5f60789".parse().unwrap()].into()),
            },
            VpcGrant {
                namespaces: LabelSelector {
                    labels: BTreeMap::new(),
                    requirements: vec![("env".into(), Requirement::NotIn(["x".into()].into()))],
                },
                vpcs: VpcSelector::Tags([("share".into(), "yes".into())].into()),
            },
        ],
        allowed_peers: ["444455556666".parse().unwrap()].into(),
        limits: Some(AccountLimits {
            window_s: 86_400,
            max_restores: None,
            max_removals: Some(5),
            max_restores_per_peering: None,
        }),
        require_approval: true,
        suspend: true,
        deleting: false,
    };
    assert_eq!(read, expected);
}

#[test]
fn an_account_that_makes_no_sense_is_refused_by_the_name_of_its_field() {
    let grant =
        |selector: Value, vpcs: Value| json!({"grants": [{"namespaceSelector": selector, "vpcs": vpcs}]});
    let everyone = json!({"matchLabels": {"team": "a"}});
    let expression = |operator: &str, values: Value| {
        grant(
            json!({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}),
            json!({"select": "All"}),
        )
    };
    let selector = "spec.grants[0].namespaceSelector.matchExpressions[0]";
    for (spec, field) in [
        (json!({"roleArn": "arn:aws:iam::444455556666:role/p"}), "spec.roleArn"),
        (json!({"roleArn": "arn:aws:iam::111122223333:user/role/p"}), "spec.roleArn"),
        (json!({"allowedPeerAccounts": ["x"]}), "spec.allowedPeerAccounts[0]"),
        (json!({"limits": {"window": "0s"}}), "spec.limits.window"),
        (grant(everyone.clone(), json!({})), "spec.grants[0].vpcs"),
        (grant(everyone.clone(), json!({"ids": []})), "spec.grants[0].vpcs.ids"),
        (grant(everyone.clone(), json!({"matchTags": {}})), "spec.grants[0].vpcs.matchTags"),
        (grant(everyone.clone(), json!({"select": "All", "ids": ["vpc-0a1b2c3d"]})), "spec.grants[0].vpcs"),
        (expression("In", json!([])), selector),
        (expression("Exists", json!(["x"])), selector),
        (expression("Near", json!(["x"])), selector),
    ] {
        let error = account(&an_account("prod", "111122223333", spec.clone())).expect_err(&spec.to_string());
        assert_eq!(error.field, field);
    }
    assert_eq!(account(&an_account("prod", "1111", json!({}))).unwrap_err().field, "spec.accountId");
}

#[test]
fn namespaces_are_selected_as_in_kubernetes_but_for_the_empty_selector() {
    let selects = |selector: Value, labels: Value| {
        let spec = json!({"grants": [{"namespaceSelector": selector, "vpcs": {"select": "All"}}]});
        let account = account(&an_account("prod", "111122223333", spec)).unwrap();
        account.grants[0].namespaces.selects(&object(labels))
    };
    let one = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "team", "operator": operator, "values": values}]});
    let (none, a, b) = (json!({}), json!({"team": "a"}), json!({"team": "b"}));
    for (selector, expected) in [
        (json!({}), [false, false, false]),
        (json!({"matchLabels": {}, "matchExpressions": []}), [false, false, false]),
        (json!({"matchLabels": {"team": "a"}}), [false, true, false]),
        (one("In", json!(["a", "c"])), [false, true, false]),
        (one("NotIn", json!(["a"])), [true, false, true]),
        (one("Exists", json!([])), [false, true, true]),
        (one("DoesNotExist", json!([])), [true, false, false]),
        (
            json!({"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "env", "operator": "Exists"}]}),
            [false; 3],
        ),
    ] {
        let found = [&none, &a, &b].map(|labels| selects(selector.clone(), labels.clone()));
        assert_eq!(found, expected, "{selector}");
    }
}

/// Grants of one account "prod" for the requester's VPC, as the tests below vary them.
struct Scene {
    spec: Value,
    accepter: Value,
    trouble: Option<&'static str>,
    tags: VpcTags,
    asked_for_tags: Cell<u32>,
}

impl Scene {
    fn new(spec: Value) -> Self {
        let accepter =
            json!({"account": {"name": "shared"}, "region": "us-east-1", "vpcId": "vpc-0fedcba9876543210"});
        Self { spec, accepter, trouble: None, tags: VpcTags::Unread, asked_for_tags: Cell::new(0) }
    }

    fn grants(&self) -> peerkeeper_core::ids::Sides<Grant> {
        let desired = declared(|value| value["spec"]["accepter"] = self.accepter.clone()).unwrap();
        let all = json!({"grants": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, "vpcs": {"select": "All"}}]});
        let accounts = [
            account(&an_account("prod", "111122223333", self.spec.clone())).unwrap(),
            account(&an_account("shared", "444455556666", all)).unwrap(),
        ];
        let accounts = accounts.into_iter().map(|account| (account.name.clone(), account)).collect();
        let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        let health = |name: &str| self.trouble.filter(|_| name == "prod").map(str::to_owned);
        let tags = |name: &str, region: Region, vpc: VpcId| {
            assert_eq!((name, region.as_str(), vpc), ("prod", "eu-west-1", desired.sides.requester.vpc));
            self.asked_for_tags.set(self.asked_for_tags.get() + 1);
            self.tags.clone()
        };
        grants(&desired, &labels, &accounts, &health, &tags)
    }

    fn ours(&self) -> Grant {
        self.grants().requester
    }
}

fn granting(vpcs: Value) -> Value {
    json!({"grants": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, "vpcs": vpcs}]})
}

fn prod() -> peerkeeper_core::ids::AccountId {
    "111122223333".parse().unwrap()
}

fn not_granted() -> Grant {
    Grant::NotGranted { name: "prod".into(), account: prod() }
}

#[test]
fn nobody_is_granted_what_no_grant_says() {
    let elsewhere =
        json!({"grants": [{"namespaceSelector": {"matchLabels": {"team": "b"}}, "vpcs": {"select": "All"}}]});
    for spec in
        [json!({}), json!({"grants": []}), elsewhere, granting(json!({"ids": ["vpc-0fedcba9876543210"]}))]
    {
        let scene = Scene { trouble: Some("AssumeRole: AccessDenied"), ..Scene::new(spec.clone()) };
        assert_eq!(scene.ours(), not_granted(), "{spec}");
        assert_eq!(scene.asked_for_tags.get(), 0);
    }
}

#[test]
fn each_side_is_granted_by_its_own_account() {
    let scene = Scene::new(json!({}));
    assert_eq!(*scene.grants().get(Side::Accepter), Grant::Granted("444455556666".parse().unwrap()));
    let mut nobody = Scene::new(granting(json!({"select": "All"})));
    nobody.accepter["account"] = json!({"name": "nobody"});
    assert_eq!(nobody.grants().accepter, Grant::NoAccount { name: "nobody".into() });
}

#[test]
fn a_vpc_is_granted_by_id_or_all_of_them_without_a_look_at_tags() {
    for vpcs in [json!({"select": "All"}), json!({"ids": ["vpc-0a1b2c3d4e5f60789"]})] {
        let mut spec = granting(json!({"matchTags": {"share": "yes"}}));
        spec["grants"].as_array_mut().unwrap().push(granting(vpcs)["grants"][0].clone());
        let mut scene = Scene::new(spec);
        assert_eq!(scene.ours(), Grant::Granted(prod()));
        scene.spec["suspend"] = json!(true);
        assert_eq!(scene.ours(), Grant::Suspended(prod()));
        scene.trouble = Some("AssumeRole: AccessDenied");
        assert_eq!(scene.ours(), Grant::Unusable { account: prod(), why: "AssumeRole: AccessDenied".into() });
        assert_eq!(scene.asked_for_tags.get(), 0);
    }
}

#[test]
fn a_grant_by_tags_holds_while_the_vpc_carries_all_of_them() {
    let mut scene = Scene::new(granting(json!({"matchTags": {"share": "yes", "env": "prod"}})));
    let tags = |pairs: &[(&str, &str)]| {
        VpcTags::Read(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect())
    };
    for (read, expected) in [
        (tags(&[("share", "yes"), ("env", "prod"), ("more", "")]), Grant::Granted(prod())),
        (tags(&[("share", "yes")]), not_granted()),
        (tags(&[("share", "yes"), ("env", "test")]), not_granted()),
        (tags(&[]), not_granted()),
        (VpcTags::NoSuchVpc, Grant::Granted(prod())),
    ] {
        scene.tags = read;
        assert_eq!(scene.ours(), expected, "{:?}", scene.tags);
    }
}

#[test]
fn tags_that_were_not_read_neither_grant_nor_withdraw() {
    let mut scene = Scene::new(granting(json!({"matchTags": {"share": "yes"}})));
    let Grant::Unusable { account, why } = scene.ours() else { panic!("{:?}", scene.ours()) };
    assert_eq!(account, prod());
    assert!(why.contains("vpc-0a1b2c3d4e5f60789 in eu-west-1 have not been read yet"), "{why}");
    scene.trouble = Some("AssumeRole: AccessDenied");
    let Grant::Unusable { why, .. } = scene.ours() else { panic!("{:?}", scene.ours()) };
    assert_eq!(&*why, "AssumeRole: AccessDenied", "the cause, not what follows from it");
}

#[test]
fn a_foreign_account_needs_the_leave_of_the_other_side_and_none_of_ours_may_have_its_id() {
    let accepter =
        |id: &str| json!({"account": {"id": id}, "region": "us-east-1", "vpcId": "vpc-0fedcba9876543210"});
    let refused = |id: &str, why: ForeignRefusal| Grant::ForeignRefused { account: id.parse().unwrap(), why };
    let mut scene = Scene::new(json!({"allowedPeerAccounts": ["999988887777", "444455556666"]}));
    scene.accepter = accepter("999988887777");
    assert_eq!(scene.grants().accepter, Grant::Foreign("999988887777".parse().unwrap()));
    scene.accepter = accepter("000000000000");
    let by = ForeignRefusal::NotAllowed { by: "prod".into() };
    assert_eq!(scene.grants().accepter, refused("000000000000", by));
    scene.accepter = accepter("444455556666");
    let managed = ForeignRefusal::IsManaged { name: "shared".into() };
    assert_eq!(scene.grants().accepter, refused("444455556666", managed));
}
