//! The operator's manifests: that they are what Kubernetes knows, ask for little, and fit each other.

use super::{file_names, words, yaml};
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    apps::v1::Deployment,
    core::v1::{Namespace, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};
use peerkeeper::api::crd;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::BTreeSet, process::Command};

const FOLDER: &str = "deploy/operator";
const NAMESPACE: &str = "peerkeeper-system";

fn manifest_files() -> Vec<String> {
    file_names(FOLDER).into_iter().filter(|name| name != "kustomization.yaml").collect()
}

fn objects() -> Vec<Value> {
    manifest_files().iter().flat_map(|name| yaml(&format!("{FOLDER}/{name}"))).collect()
}

fn one(kind: &str, name: &str) -> Value {
    let mut found: Vec<Value> = objects()
        .into_iter()
        .filter(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{kind} {name}");
    found.remove(0)
}

fn deployment() -> Value {
    one("Deployment", "peerkeeper")
}

fn pod() -> Value {
    deployment()["spec"]["template"]["spec"].clone()
}

fn container() -> Value {
    let containers = pod()["containers"].as_array().expect("containers").clone();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

fn args() -> Vec<String> {
    words(&container()["args"])
}

fn arg(flag: &str) -> String {
    let args = args();
    let found = args.iter().find_map(|arg| arg.strip_prefix(flag)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {flag} among {args:?}")).to_owned()
}

#[test]
fn every_manifest_is_what_kubernetes_knows() {
    for object in objects() {
        match object["kind"].as_str().expect("a kind") {
            "Namespace" => reads_without_loss::<Namespace>(&object),
            "ServiceAccount" => reads_without_loss::<ServiceAccount>(&object),
            "ClusterRole" => reads_without_loss::<ClusterRole>(&object),
            "ClusterRoleBinding" => reads_without_loss::<ClusterRoleBinding>(&object),
            "Role" => reads_without_loss::<Role>(&object),
            "RoleBinding" => reads_without_loss::<RoleBinding>(&object),
            "Deployment" => reads_without_loss::<Deployment>(&object),
            "PodDisruptionBudget" => reads_without_loss::<PodDisruptionBudget>(&object),
            "NetworkPolicy" => reads_without_loss::<NetworkPolicy>(&object),
            "ValidatingAdmissionPolicy" => reads_without_loss::<ValidatingAdmissionPolicy>(&object),
            "ValidatingAdmissionPolicyBinding" => {
                reads_without_loss::<ValidatingAdmissionPolicyBinding>(&object)
            }
            other => panic!(
                "{other} is no part of the operator: nothing here may need more rights than these kinds"
            ),
        }
    }
}

/// A misspelt field would not survive the round trip.
fn reads_without_loss<T: DeserializeOwned + Serialize>(object: &Value) {
    let typed: T =
        serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object:#}"));
    assert_eq!(&serde_json::to_value(&typed).expect("JSON"), object);
}

#[test]
fn the_kustomization_takes_in_every_file() {
    let kustomization = yaml(&format!("{FOLDER}/kustomization.yaml")).remove(0);
    assert_eq!(kustomization["namespace"], NAMESPACE);
    let mut expected = manifest_files();
    expected.push("../../crds".to_owned());
    let set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(words(&kustomization["resources"])), set(expected));
    let crds = crd::crd_files().expect("CRDs").into_iter().map(|(name, _)| name).collect();
    assert_eq!(set(words(&yaml("crds/kustomization.yaml").remove(0)["resources"])), set(crds));
}

#[test]
fn what_has_a_namespace_is_in_ours() {
    for object in objects() {
        let cluster_wide = [
            "Namespace",
            "ClusterRole",
            "ClusterRoleBinding",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ]
        .contains(&object["kind"].as_str().unwrap());
        let expected = if cluster_wide { Value::Null } else { json!(NAMESPACE) };
        assert_eq!(
            object["metadata"]["namespace"], expected,
            "{} {}",
            object["kind"], object["metadata"]["name"]
        );
    }
    assert_eq!(
        one("Namespace", NAMESPACE)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
}

#[test]
fn the_pod_has_no_privilege() {
    let security = &pod()["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!((&security["runAsUser"], &security["runAsGroup"]), (&json!(65532), &json!(65532)));
    assert_eq!(security["seccompProfile"], json!({"type": "RuntimeDefault"}));
    let expected = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(container()["securityContext"], expected);
    for field in ["hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers"] {
        assert!(pod()[field].is_null(), "{field}");
    }
    let resources = &container()["resources"];
    assert!(resources["requests"]["cpu"].is_string() && resources["requests"]["memory"].is_string());
    assert!(resources["limits"]["memory"].is_string());
}

/// Two replicas, never both evicted, and a node that can still be drained.
#[test]
fn one_of_two_replicas_stays() {
    assert_eq!(deployment()["spec"]["replicas"], 2);
    assert_eq!(deployment()["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    assert_eq!(one("PodDisruptionBudget", "peerkeeper")["spec"]["maxUnavailable"], 1);
    let spread: Vec<Value> = pod()["topologySpreadConstraints"]
        .as_array()
        .expect("constraints")
        .iter()
        .map(|constraint| constraint["topologyKey"].clone())
        .collect();
    assert_eq!(spread, ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
}

#[test]
fn every_selector_selects_the_pod() {
    let template = &deployment()["spec"]["template"]["metadata"]["labels"];
    let mut selectors = vec![
        deployment()["spec"]["selector"].clone(),
        one("PodDisruptionBudget", "peerkeeper")["spec"]["selector"].clone(),
        one("NetworkPolicy", "peerkeeper")["spec"]["podSelector"].clone(),
    ];
    let constraints = pod()["topologySpreadConstraints"].as_array().expect("constraints").clone();
    selectors.extend(constraints.iter().map(|constraint| constraint["labelSelector"].clone()));
    for selector in selectors {
        assert_eq!(&selector["matchLabels"], template);
    }
}

#[test]
fn probes_metrics_and_the_network_policy_share_one_port() {
    let (address, port) =
        arg("--health-address").rsplit_once(':').map(|(a, p)| (a.to_owned(), p.to_owned())).unwrap();
    assert_eq!(address, "0.0.0.0", "the kubelet asks from outside the pod");
    let port: u16 = port.parse().expect("a port");
    assert_eq!(container()["ports"], json!([{"name": "http", "containerPort": port}]));
    for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(container()[probe]["httpGet"], json!({"path": path, "port": "http"}));
    }
    let policy = one("NetworkPolicy", "peerkeeper")["spec"].clone();
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["ingress"], json!([{"ports": [{"protocol": "TCP", "port": port}]}]));
}

/// What the operator may reach beyond itself, as (to, protocol, port). The instance metadata service is not in it.
#[test]
fn the_network_policy_lets_out_what_is_needed() {
    let policy = one("NetworkPolicy", "peerkeeper");
    let mut open = BTreeSet::new();
    for rule in policy["spec"]["egress"].as_array().expect("egress") {
        let to = rule.get("to").map_or(vec!["anywhere".to_owned()], |peers| {
            peers.as_array().expect("peers").iter().flat_map(|peer| words(&peer["ipBlock"]["cidr"])).collect()
        });
        for port in rule["ports"].as_array().expect("ports") {
            let number = port["port"].as_u64().expect("a number");
            open.extend(to.iter().map(|to| format!("{to} {} {number}", port["protocol"].as_str().unwrap())));
        }
    }
    let expected = [
        "169.254.170.23/32 TCP 80",
        "anywhere TCP 443",
        "anywhere TCP 53",
        "anywhere TCP 6443",
        "anywhere UDP 53",
        "fd00:ec2::23/128 TCP 80",
    ];
    assert_eq!(open, expected.map(str::to_owned).into());
}

/// Everything that the operator's ServiceAccount may do, as (where, what, verbs).
#[test]
fn the_operators_rights_are_these_and_no_more() {
    let rights = |kind: &str, name: &str| -> BTreeSet<String> {
        one(kind, name)["rules"].as_array().expect("rules").iter().flat_map(rights_of).collect()
    };
    let cluster = [
        "apiextensions.k8s.io/customresourcedefinitions [awsaccounts.peerkeeper.dev peeringincidents.peerkeeper.dev peeringpolicies.peerkeeper.dev vpcpeerings.peerkeeper.dev]: get",
        "core/namespaces: get list watch",
        "events.k8s.io/events: create patch",
        "peerkeeper.dev/awsaccounts/status: patch",
        "peerkeeper.dev/awsaccounts: get list watch patch",
        "peerkeeper.dev/peeringincidents/status: patch",
        "peerkeeper.dev/peeringincidents: get list watch create delete",
        "peerkeeper.dev/peeringpolicies: get list watch",
        "peerkeeper.dev/vpcpeerings/status: patch",
        "peerkeeper.dev/vpcpeerings: get list watch patch",
    ];
    assert_eq!(rights("ClusterRole", "peerkeeper"), cluster.map(str::to_owned).into());
    let leader =
        ["coordination.k8s.io/leases [peerkeeper]: get update", "coordination.k8s.io/leases: create"];
    assert_eq!(rights("Role", "peerkeeper-leader"), leader.map(str::to_owned).into());
    let lease = (arg("--lease-name"), arg("--lease-namespace"));
    assert_eq!(
        lease,
        ("peerkeeper".to_owned(), "$(POD_NAMESPACE)".to_owned()),
        "the lease that the Role names"
    );
    let bound: Vec<Value> = objects().into_iter().filter(|object| object.get("roleRef").is_some()).collect();
    assert_eq!(bound.len(), 2);
    for binding in bound {
        let account =
            json!([{"kind": "ServiceAccount", "name": pod()["serviceAccountName"], "namespace": NAMESPACE}]);
        assert_eq!(binding["subjects"], account);
        let role = binding["roleRef"]["name"].as_str().unwrap();
        assert!(["peerkeeper", "peerkeeper-leader"].contains(&role), "{role}");
    }
}

fn rights_of(rule: &Value) -> Vec<String> {
    let verbs = words(&rule["verbs"]).join(" ");
    let names = words(&rule["resourceNames"]).join(" ");
    let names = if names.is_empty() { names } else { format!(" [{names}]") };
    words(&rule["apiGroups"])
        .iter()
        .map(|group| if group.is_empty() { "core" } else { group })
        .flat_map(|group| {
            words(&rule["resources"]).into_iter().map(move |resource| format!("{group}/{resource}"))
        })
        .map(|what| format!("{what}{names}: {verbs}"))
        .collect()
}

/// Roles that come with the cluster's own: no account, no status, and of an incident no more than a look.
#[test]
fn the_users_roles_can_touch_neither_accounts_nor_status_nor_incidents() {
    let rights = |name: &str| -> BTreeSet<String> {
        one("ClusterRole", name)["rules"].as_array().expect("rules").iter().flat_map(rights_of).collect()
    };
    let reads = ["peeringincidents", "peeringpolicies", "vpcpeerings"];
    let reads = reads.map(|what| format!("peerkeeper.dev/{what}: get list watch"));
    assert_eq!(rights("peerkeeper-view"), reads.into());
    let edits = ["peeringpolicies", "vpcpeerings"];
    let edits =
        edits.map(|what| format!("peerkeeper.dev/{what}: create update patch delete deletecollection"));
    assert_eq!(rights("peerkeeper-edit"), edits.into());
}

/// Accounts are cluster-scoped: who looks at plans needs to see them, and nothing that a namespace's role has gives that.
#[test]
fn accounts_are_shown_to_whom_it_is_given_by_hand() {
    let viewer = one("ClusterRole", "peerkeeper-account-viewer");
    assert!(viewer["metadata"]["labels"].is_null(), "it is aggregated to nothing");
    let rights: Vec<String> = viewer["rules"].as_array().expect("rules").iter().flat_map(rights_of).collect();
    assert_eq!(rights, ["peerkeeper.dev/awsaccounts: get list watch", "core/namespaces: get list watch"]);
}

/// Who may edit, or administers a namespace, may not decide by that alone: somebody has to be asked.
#[test]
fn who_decides_is_bound_by_hand() {
    let approver = one("ClusterRole", "peerkeeper-incident-approver");
    assert!(approver["metadata"]["labels"].is_null(), "it is aggregated to nothing");
    let rights: Vec<String> =
        approver["rules"].as_array().expect("rules").iter().flat_map(rights_of).collect();
    assert_eq!(rights, ["peerkeeper.dev/peeringincidents: get list watch patch update decide"]);
    let deciders = objects().into_iter().filter(|object| object["kind"] == "ClusterRole").filter(|role| {
        let rules = role["rules"].as_array().expect("rules");
        rules.iter().flat_map(|rule| words(&rule["verbs"])).any(|verb| verb == "decide" || verb == "*")
    });
    assert_eq!(deciders.count(), 1);
}

/// The admission policy names the operator in a text that kustomize does not rewrite.
#[test]
fn the_admission_policy_knows_the_operator_and_denies() {
    let (policy, binding) = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding");
    let name = "peeringincidents.peerkeeper.dev";
    let spec = one(policy, name)["spec"].clone();
    assert_eq!(spec["failurePolicy"], "Fail");
    let variables = spec["variables"].as_array().expect("variables").iter();
    let operator = variables.clone().find(|variable| variable["name"] == "operator").expect("it is named");
    let user = format!(
        "system:serviceaccount:{NAMESPACE}:{}",
        pod()["serviceAccountName"].as_str().expect("it has one")
    );
    assert_eq!(operator["expression"], format!("'{user}'"));
    let expected = json!({"policyName": name, "validationActions": ["Deny"]});
    assert_eq!(one(binding, name)["spec"], expected);
}

/// Whatever `$(NAME)` an argument uses must be set, or Kubernetes passes it on as it stands.
#[test]
fn every_variable_of_the_arguments_is_set() {
    let set: BTreeSet<String> =
        container()["env"].as_array().expect("env").iter().flat_map(|env| words(&env["name"])).collect();
    let used: BTreeSet<String> =
        args().iter().filter_map(|arg| Some(arg.split_once("$(")?.1.split_once(')')?.0.to_owned())).collect();
    assert_eq!(used, set);
}

#[test]
fn the_binary_knows_every_argument() {
    let args = args();
    assert_eq!(args[0], "run");
    let help =
        Command::new(env!("CARGO_BIN_EXE_peerkeeper")).args(["run", "--help"]).output().expect("it runs");
    assert!(help.status.success(), "{}", String::from_utf8_lossy(&help.stderr));
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let known: BTreeSet<&str> = help
        .split(|c: char| c.is_whitespace() || ",=[]".contains(c))
        .filter(|word| word.starts_with("--"))
        .collect();
    for arg in &args[1..] {
        let flag = arg.split('=').next().expect("a flag");
        assert!(known.contains(flag), "{flag} is not among {known:?}");
    }
}
