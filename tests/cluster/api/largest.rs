//! What must be taken: the examples, and the largest object that the schema allows.

use serde_json::{Value, json};

use super::{EXAMPLES, edited, peering, policy, with_crds, write};

#[test]
fn the_examples_and_the_largest_object_are_taken() {
    let cluster = with_crds();
    cluster.kubectl_ok(&["apply", "--kustomize", EXAMPLES]);
    let stored = cluster.get(&["vpcpeering", "prod-shared", "--namespace", "network"]);
    assert_eq!(stored["spec"]["requester"]["account"], json!({"name": "default"}));
    assert_eq!(stored["spec"]["adoption"], "IfUnowned");
    let bare = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy",
        "metadata": {"name": "bare", "namespace": "default"},
        "spec": {"onUnexpectedDeletion": {"action": "Flag"}},
    });
    cluster.apply_ok(&bare.to_string());
    let expected = json!({
        "onUnexpectedDeletion": {"action": "Flag", "gracePeriod": "0s", "requireApproval": false, "dependentRoutes": "Declared", "staleSecurityGroupRules": "Flag"},
        "onAuthorizedDeletion": "RemoveRoutes",
        "attributionTimeout": "5m",
        "onUnknownActor": "TreatAsUnexpected",
        "onDrift": "Restore",
        "onRepointedRoute": "Flag",
        "limits": {"window": "1h", "maxRestores": 10, "maxRemovals": 10, "maxRestoresPerPeering": 3},
    });
    assert_eq!(cluster.get(&["peeringpolicy", "bare"])["spec"], expected);

    let path = write(&cluster, "largest-policy", &largest_policy());
    cluster.kubectl_ok(&["create", "--filename", &path]);

    let path = write(&cluster, "largest", &largest_peering());
    cluster.kubectl_ok(&["create", "--filename", &path]);
    // An update evaluates each rule again, and the transition rules besides.
    cluster.kubectl_ok(&[
        "patch",
        "vpcpeering",
        "largest",
        "--type=merge",
        "--patch",
        r#"{"spec":{"suspend":true}}"#,
    ]);
}

fn largest_policy() -> Value {
    let accounts: Value = (0..32).map(|n| json!(format!("{n:012}"))).collect();
    let one = json!({
        "accountIds": accounts, "roleName": "*".repeat(64), "rolePath": format!("/{}/", "p".repeat(510)),
        "requireMfa": true, "sourceIdentity": "s".repeat(64),
    });
    edited(
        policy(),
        &[
            ("/metadata/name", json!("largest")),
            ("/spec/authorizedPrincipals", std::iter::repeat_n(one, 32).collect()),
        ],
    )
}

/// Every list and map as long as it may be, with values as long as they may be.
fn largest_peering() -> Value {
    let routes = |side: usize| {
        (0..16)
            .map(|route| {
                let ids: Vec<String> = (0..200).map(|n| format!("rtb-{:017x}", n + 200 * (route + 16 * side))).collect();
                let cidrs: Vec<String> = (0..64).map(|n| format!("2001:db8:{:x}:{:x}00::/56", 0x1000 + route, n + 1)).collect();
                let to = match route % 2 {
                    0 => json!({"cidrs": cidrs}),
                    _ => json!({"peerCidrs": "All", "exclude": cidrs}),
                };
                json!({"name": format!("{}{route:02}", "n".repeat(61)), "routeTables": {"ids": ids}, "destinations": to})
            })
            .collect::<Value>()
    };
    let tags: serde_json::Map<String, Value> =
        (0..45).map(|n| (format!("{n:02}{}", "ö".repeat(126)), json!("v".repeat(256)))).collect();
    edited(
        peering(),
        &[
            ("/metadata/name", json!("largest")),
            ("/spec/requester/routes", routes(0)),
            ("/spec/accepter/routes", routes(1)),
            ("/spec/tags", Value::Object(tags)),
        ],
    )
}
