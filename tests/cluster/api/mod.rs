//! The schemas on a real API server: it takes them, cost of their rules included; it refuses each kind of bad object
//! with our message; identity can't be changed by any detour; and what we write into status comes back whole.

mod identity;
mod largest;
mod refused;
mod status;

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::ControlPlane;

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
pub const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");

pub fn with_crds() -> ControlPlane {
    let cluster = ControlPlane::start();
    cluster.kubectl_ok(&["apply", "--server-side", "--kustomize", CRDS]);
    cluster.kubectl_ok(&["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"]);
    cluster
}

pub fn peering() -> Value {
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1",
        "kind": "VpcPeering",
        "metadata": {"name": "good", "namespace": "default"},
        "spec": {
            "requester": {
                "account": {"name": "prod"},
                "region": "eu-west-1",
                "vpcId": "vpc-0a1b2c3d4e5f60789",
                "allowDnsResolutionFromRemoteVpc": true,
                "routes": [{
                    "name": "private",
                    "routeTables": {"matchTags": {"tier": "private"}},
                    "destinations": {"peerCidrs": "All", "exclude": ["10.20.9.0/24"]},
                }],
            },
            "accepter": {
                "account": {"name": "shared"},
                "region": "us-east-1",
                "vpcId": "vpc-0fedcba9876543210",
                "routes": [{
                    "name": "hub",
                    "routeTables": {"ids": ["rtb-0123456789abcdef0"]},
                    "destinations": {"cidrs": ["10.20.0.0/16", "2001:db8:1234::/56"]},
                }],
            },
            "tags": {"team": "network"},
            "policyRef": {"name": "restore"},
        },
    })
}

pub fn policy() -> Value {
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1",
        "kind": "PeeringPolicy",
        "metadata": {"name": "good", "namespace": "default"},
        "spec": {
            "onUnexpectedDeletion": {"action": "Restore", "gracePeriod": "1h30m", "requireApproval": true},
            "authorizedPrincipals": [
                {"accountIds": ["111122223333"], "roleName": "net-*", "rolePath": "/aws-reserved/*/", "requireMfa": true},
                {"accountIds": ["111122223333", "444455556666"], "userName": "ada", "sourceIdentity": "ada@example.com"},
            ],
            "onAuthorizedDeletion": "Flag",
            "attributionTimeout": "15m",
            "onUnknownActor": "Hold",
            "limits": {"window": "24h"},
        },
    })
}

pub fn incident() -> Value {
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1",
        "kind": "PeeringIncident",
        "metadata": {"name": "good", "namespace": "default"},
        "spec": {
            "peeringRef": {"name": "prod-shared", "uid": "6e7f3c1e-5a5d-4b52-9d3c-0d2f7c1b8a90"},
            "peeringId": "pcx-0123456789abcdef0",
            "decision": {
                "verdict": "Approve",
                "planDigest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "decidedBy": "ada@example.com",
                "reason": "a mistake",
            },
        },
    })
}

pub fn account() -> Value {
    json!({
        "apiVersion": "peerkeeper.dev/v1alpha1",
        "kind": "AwsAccount",
        "metadata": {"name": "good"},
        "spec": {
            "accountId": "111122223333",
            "roleArn": "arn:aws:iam::111122223333:role/network/peerkeeper",
            "externalId": "peerkeeper-prod",
            "grants": [
                {"namespaceSelector": {"matchLabels": {"team": "network"}}, "vpcs": {"select": "All"}},
                {
                    "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]},
                    "vpcs": {"ids": ["vpc-0a1b2c3d4e5f60789"]},
                },
            ],
            "allowedPeerAccounts": ["444455556666"],
            "limits": {"maxRestores": 5},
            "requireApproval": true,
        },
    })
}

/// A change of one place in an object: another value, or, for null, nothing at all.
pub type Edit = (&'static str, Value);

pub fn edited(mut object: Value, edits: &[Edit]) -> Value {
    for (pointer, value) in edits {
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} leads nowhere"));
        let fields = parent.as_object_mut().unwrap_or_else(|| panic!("{pointer} is in no object"));
        match value {
            Value::Null => assert!(fields.remove(field).is_some(), "{pointer} was not there to begin with"),
            value => drop(fields.insert((*field).to_owned(), value.clone())),
        }
    }
    object
}

pub fn write(cluster: &ControlPlane, file: &str, object: &Value) -> String {
    let path: PathBuf = cluster.dir().join(format!("{file}.json"));
    std::fs::write(&path, object.to_string()).expect("the folder can be written to");
    path.display().to_string()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
