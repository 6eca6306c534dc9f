//! `deploy/operator` on a real API server: what is installed, and what its ServiceAccount can do there.

use std::{path::PathBuf, process::Command};

use serde_json::json;

use crate::support::ControlPlane;

const OPERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/operator");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");
const SYSTEM: &str = "peerkeeper-system";

/// Installs as docs/install.md says. Twice: what is there already must not be in the way.
fn installed() -> ControlPlane {
    let cluster = ControlPlane::start();
    for _ in 0..2 {
        let applied =
            cluster.kubectl_ok(&["apply", "--server-side", "--validate=strict", "--kustomize", OPERATOR]);
        assert!(applied.contains("deployment.apps/peerkeeper serverside-applied"), "{applied}");
    }
    cluster.kubectl_ok(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=30s"]);
    cluster
}

/// `kubectl auth can-i` as the operator.
fn may(cluster: &ControlPlane, namespace: &str, words: &str) -> bool {
    let mut args = vec!["auth", "can-i", "--namespace", namespace, "--quiet"];
    args.extend(["--as", "system:serviceaccount:peerkeeper-system:peerkeeper"]);
    args.extend(words.split(' '));
    cluster.kubectl(&args).status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_installed_operator_may_do_its_work_and_nothing_else() {
    let cluster = installed();
    let everywhere = [
        "list vpcpeerings.peerkeeper.dev",
        "patch vpcpeerings.peerkeeper.dev",
        "patch vpcpeerings.peerkeeper.dev --subresource=status",
        "watch awsaccounts.peerkeeper.dev",
        "patch awsaccounts.peerkeeper.dev --subresource=status",
        "watch peeringpolicies.peerkeeper.dev",
        "watch namespaces",
        "get namespaces/kube-system",
        "get customresourcedefinitions.apiextensions.k8s.io/vpcpeerings.peerkeeper.dev",
        "create events.events.k8s.io",
    ];
    let nowhere = [
        "get secrets",
        "list configmaps",
        "get pods",
        "create vpcpeerings.peerkeeper.dev",
        "delete vpcpeerings.peerkeeper.dev",
        "patch peeringpolicies.peerkeeper.dev",
        "patch namespaces",
        "list customresourcedefinitions.apiextensions.k8s.io",
        "get customresourcedefinitions.apiextensions.k8s.io/others.example.com",
        "create clusterrolebindings.rbac.authorization.k8s.io",
        "create serviceaccounts --subresource=token",
        "delete leases.coordination.k8s.io/peerkeeper",
        "update leases.coordination.k8s.io/another",
    ];
    for namespace in ["default", SYSTEM] {
        for words in everywhere {
            assert!(may(&cluster, namespace, words), "may not {words} in {namespace}");
        }
        for words in nowhere {
            assert!(!may(&cluster, namespace, words), "may {words} in {namespace}");
        }
    }
    let leading = ["create leases.coordination.k8s.io", "get leases.coordination.k8s.io/peerkeeper"];
    for words in leading.iter().chain(&["update leases.coordination.k8s.io/peerkeeper"]) {
        assert!(may(&cluster, SYSTEM, words), "may not {words}");
        assert!(!may(&cluster, "kube-system", words), "may {words} in kube-system");
    }
    cluster.kubectl_ok(&["apply", "--server-side", "--validate=strict", "--kustomize", EXAMPLES]);
}

const INSTALL_PAGE: &str = include_str!("../../docs/install.md");

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_sets_what_the_page_says_and_the_component_opens_the_metadata_service() {
    let cluster = ControlPlane::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // kustomize knows no absolute paths.
    let up = "../".repeat(folder.path().canonicalize().expect("a path").components().count() - 1);
    let base = format!("{up}{}", OPERATOR.trim_start_matches('/'));
    let build = |kustomization: String| {
        std::fs::write(folder.path().join("kustomization.yaml"), kustomization).expect("a file");
        cluster.kubectl_ok(&["kustomize", &folder.path().display().to_string()])
    };
    let block = INSTALL_PAGE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let overlay = block.expect("the page's kustomization").replace("../peerkeeper/deploy/operator", &base);

    let plain = build(overlay.clone());
    assert!(plain.contains("image: registry.example.com/peerkeeper:0.1.0"), "{plain}");
    assert!(plain.contains("eks.amazonaws.com/role-arn: arn:aws:iam::999900001111:role/peerkeeper-operator"));
    assert!(!plain.contains("169.254.169.254"));
    let opened = build(format!("{overlay}components: [{base}/imds]\n"));
    let added: Vec<&str> = opened.lines().filter(|line| !plain.contains(line)).map(str::trim).collect();
    assert_eq!(added, ["cidr: 169.254.169.254/32", "cidr: fd00:ec2::254/128"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pod_is_let_into_a_restricted_namespace() {
    let cluster = installed();
    let deployment = cluster.get(&["deployment", "peerkeeper", "--namespace", SYSTEM]);
    let mut pod = deployment["spec"]["template"].clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!("operator");
    pod["metadata"]["namespace"] = json!(SYSTEM);
    cluster.apply_ok(&pod.to_string());

    // The same namespace does refuse.
    pod["metadata"]["name"] = json!("privileged");
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    let refused = cluster.apply(&pod.to_string());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("violates PodSecurity \"restricted"),
        "{refused:?}"
    );
}

/// cfn-lint comes along with moto.
#[test]
fn cloudformation_knows_every_word_of_the_template() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let setup = Command::new(&python).arg(root.join("tools/moto/serve.py")).arg("setup").output();
    let setup = setup.unwrap_or_else(|error| panic!("{python} does not start: {error}"));
    assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
    let environment = PathBuf::from(String::from_utf8_lossy(&setup.stdout).trim());
    let template = root.join("deploy/aws/member-role.yaml");
    let linted =
        Command::new(environment.with_file_name("cfn-lint")).arg(&template).output().expect("cfn-lint");
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
}
