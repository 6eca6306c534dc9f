//! Who may write which part of a PeeringIncident, judged by a real API server with what `deploy/operator` installs: its
//! admission policy and its roles.

use std::process::Output;

use serde_json::{Value, json};

use crate::install::installed;
use crate::stage::PATIENCE;
use crate::support::{ControlPlane, eventually};

const OPERATOR: &str = "system:serviceaccount:peerkeeper-system:peerkeeper";
const NAMESPACE: &str = "network";
/// Its plan is not looked at here: any digest will do.
const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

struct Court {
    cluster: ControlPlane,
}

impl Court {
    /// ada may decide in the namespace; eve may write all of incidents; max has what comes with the cluster's role `edit`.
    fn open() -> Self {
        let court = Self { cluster: installed() };
        let binding = |user: &str, role: &str| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": {"name": format!("{user}-{role}"), "namespace": NAMESPACE},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
            })
        };
        // The policy has to do without the help of the roles.
        let writer = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "writer"},
            "rules": [{
                "apiGroups": ["peerkeeper.dev"], "resources": ["peeringincidents", "peeringincidents/status"],
                "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
            }],
        });
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let objects = [
            namespace,
            writer,
            binding("ada", "peerkeeper-incident-approver"),
            binding("eve", "writer"),
            binding("max", "peerkeeper-view"),
            binding("max", "peerkeeper-edit"),
        ];
        court.cluster.apply_ok(&objects.map(|object| object.to_string()).join("\n---\n"));
        court.wait_until_in_force();
        court
    }

    /// The API server compiles a policy a moment after it was stored.
    fn wait_until_in_force(&self) {
        eventually("the admission policy", PATIENCE, || {
            let tried = self.create("admin", &["--dry-run=server"]);
            if stderr(&tried).contains("only Peerkeeper") { Ok(()) } else { Err(stderr(&tried)) }
        });
    }

    fn create(&self, who: &str, more: &[&str]) -> Output {
        let incident = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": "prod-shared-pcx-0123456789abcdef0", "namespace": NAMESPACE},
            "spec": {
                "peeringRef": {"name": "prod-shared", "uid": "6e7f3c1e-5a5d-4b52-9d3c-0d2f7c1b8a90"},
                "peeringId": "pcx-0123456789abcdef0",
            },
        });
        let path = self.cluster.dir().join("incident.json");
        std::fs::write(&path, incident.to_string()).expect("the folder can be written to");
        let path = path.display().to_string();
        self.asking(who, &[&["create", "--filename", &path], more].concat())
    }

    fn asking(&self, who: &str, args: &[&str]) -> Output {
        let who = format!("--as={who}");
        // The administrator is whoever the kubeconfig says.
        let who: &[&str] = if who == "--as=admin" { &[] } else { &[&who] };
        self.cluster.kubectl(&[who, args].concat())
    }

    fn patch(&self, who: &str, patch: &Value, more: &[&str]) -> Output {
        let patch = patch.to_string();
        let args =
            ["patch", "peeringincident", "prod-shared-pcx-0123456789abcdef0", "--namespace", NAMESPACE];
        self.asking(who, &[&args, &["--type=merge", "--patch", &patch][..], more].concat())
    }

    /// The operator says who it was, in the way it does: it has no right to read a status by itself.
    fn tell(&self, who: &str) -> Output {
        let told = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": "prod-shared-pcx-0123456789abcdef0", "namespace": NAMESPACE},
            "status": {"who": who},
        });
        let path = self.cluster.dir().join("told.json");
        std::fs::write(&path, told.to_string()).expect("the folder can be written to");
        let path = path.display().to_string();
        self.asking(OPERATOR, &["apply", "--server-side", "--subresource=status", "--filename", &path])
    }

    fn decide(&self, who: &str, decision: Value) -> Output {
        self.patch(who, &json!({"spec": {"decision": decision}}), &[])
    }

    fn incident(&self) -> Value {
        let name = "prod-shared-pcx-0123456789abcdef0";
        self.cluster.get(&["peeringincident", name, "--namespace", NAMESPACE])
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let said = stderr(output);
    assert!(!output.status.success(), "it was let through");
    assert!(said.contains(words), "{said}");
}

#[track_caller]
fn taken(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
}

#[test]
fn only_the_operator_makes_incidents_and_says_what_it_saw() {
    let court = Court::open();
    refused(&court.create("max", &[]), "cannot create resource");
    // Not even the cluster's administrator, who may do everything else.
    for who in ["eve", "admin"] {
        refused(&court.create(who, &[]), "which kubectl get peeringincidents lists");
    }
    taken(&court.create(OPERATOR, &[]));

    let status = json!({"status": {"who": "somebody else"}});
    for who in ["eve", "admin"] {
        refused(
            &court.patch(who, &status, &["--subresource=status"]),
            "a decision is written in spec.decision",
        );
    }
    taken(&court.tell("ada"));
    assert_eq!(court.incident()["status"]["who"], "ada");

    // What it is about stays as it is, whoever asks.
    for who in ["ada", "eve", "admin"] {
        let other = json!({"spec": {"peeringId": "pcx-0fedcba9876543210"}});
        refused(&court.patch(who, &other, &[]), "peeringId can't be changed");
    }
    // A label decides nothing.
    taken(&court.patch("eve", &json!({"metadata": {"labels": {"ticket": "4711"}}}), &[]));
}

#[test]
fn who_decides_needs_leave_and_signs_with_the_name_that_the_api_server_knows() {
    let court = Court::open();
    taken(&court.create(OPERATOR, &[]));
    let approve = |by: &str| json!({"verdict": "Approve", "planDigest": DIGEST, "decidedBy": by});

    refused(&court.decide("max", approve("max")), "cannot patch resource");
    refused(&court.decide("eve", approve("eve")), "to the ClusterRole peerkeeper-incident-approver gives it");
    refused(&court.decide(OPERATOR, approve(OPERATOR)), "cannot patch resource");
    assert_eq!(court.incident()["spec"]["decision"]["verdict"], "Pending");

    for forged in [json!({"verdict": "Approve", "planDigest": DIGEST}), approve("eve"), approve("")] {
        refused(&court.decide("ada", forged), "write decidedBy: ada");
    }
    taken(&court.decide("ada", approve("ada")));
    assert_eq!(court.incident()["spec"]["decision"], approve("ada"));

    // What one decided, another can neither sign anew nor take back unseen.
    refused(&court.decide("eve", json!({"decidedBy": "eve"})), "may not decide on PeeringIncidents");
    refused(&court.decide("eve", Value::Null), "may not decide on PeeringIncidents");
    refused(&court.decide("admin", json!({"verdict": "Reject"})), "write decidedBy: admin");
    taken(&court.decide("admin", json!({"verdict": "Reject", "decidedBy": "admin"})));
    let rejected = court.incident();
    assert_eq!(rejected["spec"]["decision"]["verdict"], "Reject");
    assert_eq!(rejected["metadata"]["generation"], 3, "each decision is a generation of its own");
}

/// `decide` counts in the namespace that it was given for, and there alone.
#[test]
fn leave_to_decide_in_one_namespace_is_none_in_another() {
    let court = Court::open();
    for (namespace, may) in [(NAMESPACE, "yes"), ("default", "no")] {
        let asked = court
            .asking("ada", &["auth", "can-i", "decide", "peeringincidents.peerkeeper.dev", "-n", namespace]);
        assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), may, "in {namespace}");
    }
}
