//! `deploy/operator` on a real API server: what is installed, and what its ServiceAccount can do there.

use std::{collections::BTreeSet, path::PathBuf, process::Command, time::Duration};

use serde_json::json;

use crate::support::{Aws, ControlPlane, Ec2sim, OWN_ACCOUNT, Operator, Options};

const OPERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/operator");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");
const SYSTEM: &str = "peerkeeper-system";

/// Installs as docs/install.md says. Twice: what is there already must not be in the way.
pub fn installed() -> ControlPlane {
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
        "create peeringincidents.peerkeeper.dev",
        "patch peeringincidents.peerkeeper.dev --subresource=status",
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
        "patch peeringincidents.peerkeeper.dev",
        "decide peeringincidents.peerkeeper.dev",
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

/// Every right is used once: lease, finalizers, both statuses, Events, and the cleanup. What is forbidden is logged.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_works_with_the_rights_it_is_installed_with() {
    let cluster = installed();
    let aws = Aws::Sim(Ec2sim::start());
    let kubeconfig = cluster.service_account_kubeconfig(SYSTEM, "peerkeeper", cluster.address());
    let options = Options { lease_namespace: SYSTEM.to_owned(), ..Options::new(kubeconfig, &aws) };
    let mut operator = Operator::start(options);
    operator.wait_ready();

    let ec2 = aws.ec2(OWN_ACCOUNT, "eu-west-1").await;
    let mut vpcs = Vec::new();
    for cidr in ["10.1.0.0/16", "10.2.0.0/16"] {
        let made = ec2.create_vpc().cidr_block(cidr).send().await.expect("a VPC is made");
        vpcs.push(made.vpc.and_then(|vpc| vpc.vpc_id).expect("it has an id"));
    }
    let side = |vpc: &str| {
        let routes = json!([{"name": "main", "routeTables": {"select": "Main"}, "destinations": {"peerCidrs": "All"}}]);
        json!({"region": "eu-west-1", "vpcId": vpc, "routes": routes})
    };
    cluster.apply_ok("{apiVersion: v1, kind: Namespace, metadata: {name: network, labels: {team: network}}}");
    let objects = [
        json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": "default"}, "spec": {
            "accountId": OWN_ACCOUNT,
            "grants": [{"namespaceSelector": {"matchLabels": {"team": "network"}}, "vpcs": {"select": "All"}}],
        }}),
        json!({"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
            "metadata": {"name": "a-b", "namespace": "network"},
            "spec": {"requester": side(&vpcs[0]), "accepter": side(&vpcs[1])}}),
    ];
    for object in objects {
        cluster.apply_ok(&object.to_string());
    }
    cluster.kubectl_ok(&["wait", "awsaccount/default", "--for=condition=Ready", "--timeout=90s"]);
    cluster.kubectl_ok(&[
        "wait",
        "--namespace=network",
        "vpcp/a-b",
        "--for=condition=Ready",
        "--timeout=120s",
    ]);
    let told = cluster.kubectl_ok(&["get", "events.events.k8s.io", "--namespace=network"]);
    assert!(told.contains("PeeringCreated"), "{told}");
    let (status, metrics) = operator.http_get("/metrics").expect("an answer");
    assert_eq!(status, 200);
    // What tells of event queues is there only where one is named, and what tells of misuse where there was a suspicion.
    let not_here = [
        "peerkeeper_event_lane_",
        "peerkeeper_event_queue_",
        "peerkeeper_trail_",
        "peerkeeper_strange_calls_",
    ];
    let mut documented = documented_metrics();
    documented.retain(|name| !not_here.iter().any(|prefix| name.starts_with(prefix)));
    assert_eq!(documented, exported_metrics(&metrics));
    let lease = cluster.get(&["lease", "peerkeeper", "--namespace", SYSTEM]);
    assert!(lease["spec"]["holderIdentity"].is_string(), "{lease}");
    cluster.kubectl_ok(&["delete", "--namespace=network", "vpcp/a-b", "--timeout=120s"]);
    cluster.kubectl_ok(&["delete", "awsaccount/default", "--timeout=60s"]);
    operator.terminate();
    assert_eq!(operator.wait(Duration::from_secs(30)), 0);
    let log = operator.log();
    assert!(!log.to_lowercase().contains("forbidden"), "{log}");
}

/// The names in the first column of the page's table.
fn documented_metrics() -> BTreeSet<String> {
    let rows =
        include_str!("../../docs/reference.md").lines().filter(|line| line.starts_with("| `peerkeeper_"));
    rows.filter_map(|row| row.split('|').nth(1))
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// The names that Prometheus knows: a counter's samples end in `_total`.
fn exported_metrics(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types
        .map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
        .collect()
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
