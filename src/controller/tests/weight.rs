//! What is kept of each object between turns: there are thousands.

use allocation_counter::measure;
use serde_json::{Value, json};

use super::rig::{Declared, object};
use crate::api::VpcPeering;
use crate::controller::state::Brief;
use crate::declare;

fn shown() -> Value {
    let declared = Declared {
        name: "peering-00001".into(),
        hub: ec2sim::VpcId::parse("vpc-0123456789abcdef0").unwrap(),
        spoke: ec2sim::VpcId::parse("vpc-0123456789abcdef1").unwrap(),
    };
    let mut object = object(&declared);
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.insert("uid".into(), json!("3f0d4d37-7f0c-4d3c-9a55-6a1d8a3a2b11"));
    metadata.insert("resourceVersion".into(), json!("1234567"));
    metadata.insert("generation".into(), json!(1));
    metadata.insert("creationTimestamp".into(), json!("2026-01-01T00:00:00Z"));
    metadata.insert("finalizers".into(), json!(["peerkeeper.dev/cleanup"]));
    metadata.insert("labels".into(), json!({"app.kubernetes.io/managed-by": "argocd"}));
    let applied = object.to_string();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.insert(
        "annotations".into(),
        json!({
            "peerkeeper.dev/established": "pcx-0123456789abcdef0",
            "kubectl.kubernetes.io/last-applied-configuration": applied,
        }),
    );
    let fields: Vec<Value> = ["kubectl", "peerkeeper"].map(|manager| json!({
        "manager": manager, "operation": "Apply", "apiVersion": "peerkeeper.dev/v1alpha1",
        "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": object["spec"]},
    })).to_vec();
    object["metadata"]["managedFields"] = json!(fields);
    object
}

/// As it was read, with what other tools wrote into it, it weighs several times as much as all that is kept.
#[test]
fn an_object_between_turns_weighs_little() {
    let mut object = None;
    let whole = measure(|| object = serde_json::from_value(shown()).ok()).bytes_current;
    let object: VpcPeering = object.unwrap();
    let mut held = None;
    let kept = measure(|| held = Some(Brief::of(&object))).bytes_current;
    let mut desired = None;
    let declared = measure(|| desired = declare::desired(&object, false, "cluster-1").ok()).bytes_current;
    assert!(held.is_some() && desired.is_some());
    println!("as read {whole} bytes, kept {kept}, declared {declared}");
    assert!(whole > 8_000, "{whole}");
    assert!(kept <= 200, "{kept}");
    assert!(declared <= 2_000, "{declared}");
}
