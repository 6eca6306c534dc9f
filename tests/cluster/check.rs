//! `peerkeeper check` with the real binary on a real API server.

use std::process::Command;

use serde_json::Value;

use crate::install::installed;
use crate::support::{Aws, ControlPlane, Ec2sim, OWN_ACCOUNT};

const ACCOUNT: &str = "{apiVersion: peerkeeper.dev/v1alpha1, kind: AwsAccount, metadata: {name: prod}, \
    spec: {accountId: '123456789012'}}";
const CRD: &str = "CustomResourceDefinition vpcpeerings.peerkeeper.dev";
const RIGHTS: &str = "rights of ServiceAccount peerkeeper-system/peerkeeper";
const POLICY: &str = "ValidatingAdmissionPolicy peeringincidents.peerkeeper.dev";
const BINDING: &str = "ValidatingAdmissionPolicyBinding peeringincidents.peerkeeper.dev";

/// The exit code and the lines.
#[track_caller]
fn check(cluster: &ControlPlane, aws: &Aws, more: &[&str]) -> (i32, Vec<Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
    command
        .args(["check", "-o", "json", "--kubeconfig"])
        .arg(cluster.kubeconfig())
        .args(more)
        .env_clear()
        .envs([
            ("AWS_ACCESS_KEY_ID", "peerkeeper-operator"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL", aws.clients().endpoint()),
        ]);
    let output = command.output().expect("the binary runs");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(err, "");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.code().expect("no signal ended it"), told["lines"].as_array().expect("lines").clone())
}

/// What fails, with its detail and what to do.
fn fails(lines: &[Value]) -> Vec<(&str, &str, &str)> {
    let failed = lines.iter().filter(|line| line["status"] == "fail");
    failed.map(|line| (word(line, "what"), word(line, "detail"), word(line, "remedy"))).collect()
}

fn word<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

#[track_caller]
fn status<'a>(lines: &'a [Value], what: &str) -> &'a str {
    let found = lines.iter().find(|line| line["what"] == what);
    word(found.unwrap_or_else(|| panic!("{what} in {lines:#?}")), "status")
}

/// Whole at first; then what an installation may lack, one thing after the other.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_installation_lacks_is_named_with_what_to_do() {
    let (cluster, aws) = (installed(), Aws::Sim(Ec2sim::start()));
    cluster.apply_ok(ACCOUNT);
    let (code, lines) = check(&cluster, &aws, &[]);
    assert_eq!((code, fails(&lines)), (0, vec![]), "{lines:#?}");
    for what in [CRD, RIGHTS, POLICY, BINDING, "AwsAccounts", "VpcPeerings", "AwsAccount prod"] {
        assert_eq!(status(&lines, what), "ok");
    }
    assert!(
        word(&lines[0], "what").starts_with("cluster https://") && word(&lines[0], "detail").starts_with('v')
    );
    let account = lines.iter().find(|line| line["what"] == "AwsAccount prod").expect("the account");
    assert!(word(account, "detail").ends_with(OWN_ACCOUNT), "{account}");

    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/inventory";
    let older = format!(r#"[{{"op": "remove", "path": "{path}"}}]"#);
    patch(&cluster, "crd/vpcpeerings.peerkeeper.dev", &older);
    let (code, lines) = check(&cluster, &aws, &[]);
    let lacks = (
        CRD,
        "the served one lacks .status.inventory: it is older",
        "peerkeeper crd | kubectl apply --server-side -f -",
    );
    assert_eq!((code, fails(&lines)), (1, vec![lacks]));

    patch(&cluster, "clusterrole/peerkeeper", r#"[{"op": "remove", "path": "/rules/1"}]"#);
    let (_, lines) = check(&cluster, &aws, &[]);
    let failed = fails(&lines);
    for right in ["patch vpcpeerings/status.peerkeeper.dev", "patch awsaccounts/status.peerkeeper.dev"] {
        let detail = format!("may not {right}");
        assert!(failed.iter().any(|(what, found, _)| *what == RIGHTS && *found == detail), "{failed:#?}");
    }
    assert_eq!(failed.len(), 3, "{failed:#?}");

    let audit = r#"[{"op": "replace", "path": "/spec/validationActions", "value": ["Audit"]}]"#;
    patch(&cluster, "validatingadmissionpolicybinding/peeringincidents.peerkeeper.dev", audit);
    let (_, lines) = check(&cluster, &aws, &[]);
    assert!(fails(&lines).iter().any(|(what, detail, _)| *what == BINDING && *detail == "does not deny"));
    cluster.kubectl_ok(&["delete", "validatingadmissionpolicy", "peeringincidents.peerkeeper.dev"]);
    let (_, lines) = check(&cluster, &aws, &[]);
    assert!(fails(&lines).iter().any(|(what, ..)| *what == POLICY), "{lines:#?}");
    // Of another account nothing is allowed at all.
    let (_, lines) = check(&cluster, &aws, &["--service-account", "default/default"]);
    let other = "rights of ServiceAccount default/default";
    assert!(fails(&lines).iter().filter(|(what, ..)| *what == other).count() > 20, "{lines:#?}");
}

/// An API server without Peerkeeper: each CRD is missing, and AWS is checked all the same.
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_installed_each_thing_is_missing() {
    let (cluster, aws) = (ControlPlane::start(), Aws::Sim(Ec2sim::start()));
    let (code, lines) = check(&cluster, &aws, &[]);
    assert_eq!(code, 1);
    let failed = fails(&lines);
    for what in
        [CRD, "CustomResourceDefinition awsaccounts.peerkeeper.dev", RIGHTS, POLICY, BINDING, "AwsAccounts"]
    {
        assert!(failed.iter().any(|(found, ..)| *found == what), "{what} in {failed:#?}");
    }
    assert!(failed.iter().all(|(.., remedy)| !remedy.is_empty()), "{failed:#?}");
    assert_eq!(status(&lines, "AwsAccount default"), "ok", "the ambient credentials");
}

#[track_caller]
fn patch(cluster: &ControlPlane, object: &str, change: &str) {
    cluster.kubectl_ok(&["patch", object, "--type=json", "--patch", change]);
}
