//! Which VPCs a `VpcPeering` is about, and which account an `AwsAccount` is, can't be changed.

use serde_json::{Value, json};

use super::{Edit, account, edited, peering, stderr, with_crds, write};
use crate::support::ControlPlane;

/// Each way, as a name and what to ask of kubectl.
type Way = (&'static str, Vec<String>);

fn patch(kind: &str, patch: Value) -> Vec<String> {
    ["patch", kind, "good", if patch.is_array() { "--type=json" } else { "--type=merge" }, "--patch"]
        .map(str::to_owned)
        .into_iter()
        .chain([patch.to_string()])
        .collect()
}

fn detours(cluster: &ControlPlane) -> Vec<Way> {
    let file = |verb: &[&str], name: &str, edits: &[Edit]| {
        let path = write(cluster, name, &edited(peering(), edits));
        verb.iter().map(|word| (*word).to_owned()).chain(["--filename".to_owned(), path]).collect::<Vec<_>>()
    };
    let other_vpc = || ("/spec/requester/vpcId", json!("vpc-0123456789abcdef0"));
    let no_account = || ("/spec/requester/account", Value::Null);
    let apply = ["apply"];
    let server_side = ["apply", "--server-side", "--force-conflicts"];
    vec![
        ("apply another VPC", file(&apply, "vpc", &[other_vpc()])),
        ("apply another VPC server-side", file(&server_side, "vpc-ssa", &[other_vpc()])),
        ("replace by another VPC", file(&["replace"], "vpc-replace", &[other_vpc()])),
        ("apply another Region", file(&apply, "region", &[("/spec/accepter/region", json!("us-west-2"))])),
        ("apply another account", file(&apply, "account", &[("/spec/accepter/account/name", json!("prod"))])),
        ("apply without the account, which would default", file(&apply, "no-account", &[no_account()])),
        (
            "replace without the account, which would default",
            file(&["replace"], "no-account-r", &[no_account()]),
        ),
        (
            "remove the account",
            patch("vpcpeering", json!([{"op": "remove", "path": "/spec/requester/account"}])),
        ),
        ("null the account", patch("vpcpeering", json!({"spec": {"requester": {"account": null}}}))),
        (
            "switch the account from name to id",
            patch(
                "vpcpeering",
                json!({"spec": {"accepter": {"routes": null, "account": {"name": null, "id": "444455556666"}}}}),
            ),
        ),
        (
            "swap the sides",
            patch(
                "vpcpeering",
                json!([
                    {"op": "copy", "from": "/spec/accepter", "path": "/spec/requester"},
                    {"op": "replace", "path": "/spec/accepter", "value": peering()["spec"]["requester"]},
                ]),
            ),
        ),
        (
            "replace a whole side",
            patch(
                "vpcpeering",
                json!([{"op": "replace", "path": "/spec/accepter", "value": {"region": "us-east-1", "vpcId": "vpc-0fedcba9876543210"}}]),
            ),
        ),
        ("remove a side", patch("vpcpeering", json!([{"op": "remove", "path": "/spec/accepter"}]))),
        ("remove the spec", patch("vpcpeering", json!([{"op": "remove", "path": "/spec"}]))),
    ]
}

#[test]
fn identity_cannot_be_changed_by_any_detour() {
    let cluster = with_crds();
    for object in [peering(), account()] {
        let path = write(&cluster, "first", &object);
        cluster.kubectl_ok(&["apply", "--filename", &path]);
    }
    let identity = |object: &Value| {
        ["requester", "accepter"].map(|side| {
            let side = &object["spec"][side];
            (side["account"].clone(), side["region"].clone(), side["vpcId"].clone())
        })
    };
    let before = identity(&cluster.get(&["vpcpeering", "good"]));
    for (way, args) in detours(&cluster) {
        let refused = cluster.kubectl(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = stderr(&refused);
        assert!(!refused.status.success(), "{way}: was let through");
        let expected = if way.starts_with("remove a side") || way.starts_with("remove the spec") {
            "Required value"
        } else {
            "can't be changed"
        };
        assert!(said.contains(expected), "{way}: refused, but not as a change of identity: {said}");
        assert_eq!(identity(&cluster.get(&["vpcpeering", "good"])), before, "{way}");
    }

    for (way, edits) in [(
        "another account",
        [
            ("/spec/accountId", json!("444455556666")),
            ("/spec/roleArn", json!("arn:aws:iam::444455556666:role/p")),
            ("/spec/allowedPeerAccounts", json!([])),
        ],
    )] {
        let path = write(&cluster, "account", &edited(account(), &edits));
        for verb in [&["apply"][..], &["replace"], &["apply", "--server-side", "--force-conflicts"]] {
            let refused = cluster.kubectl(&[verb, &["--filename", &path]].concat());
            assert!(
                stderr(&refused).contains("accountId can't be changed"),
                "{way}, {verb:?}: {}",
                stderr(&refused)
            );
        }
    }

    // What is no change of identity must still be possible.
    cluster.kubectl_ok(&[
        "patch",
        "vpcpeering",
        "good",
        "--type=merge",
        "--patch",
        r#"{"spec":{"suspend":true,"requester":{"routes":null}}}"#,
    ]);
    cluster.kubectl_ok(&[
        "patch",
        "awsaccount",
        "good",
        "--type=merge",
        "--patch",
        r#"{"spec":{"suspend":true,"grants":null}}"#,
    ]);
    let defaulted = edited(
        peering(),
        &[("/metadata/name", json!("defaulted")), ("/spec/requester/account", Value::Null)],
    );
    let path = write(&cluster, "defaulted", &defaulted);
    cluster.kubectl_ok(&["create", "--filename", &path]);
    let mut spelt_out = defaulted;
    spelt_out["spec"]["requester"]["account"] = json!({"name": "default"});
    let path = write(&cluster, "spelt-out", &spelt_out);
    cluster.kubectl_ok(&["replace", "--filename", &path]);
}
