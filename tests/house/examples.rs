//! The examples: that every one of them is an object of ours that reads as it stands.

use peerkeeper::api::{AwsAccount, PeeringIncident, PeeringPolicy, VpcPeering};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");

#[test]
fn every_example_reads_as_the_kind_it_says() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (path, object) in objects() {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "VpcPeering" => reads_without_loss::<VpcPeering>(&path, &object),
            "PeeringPolicy" => reads_without_loss::<PeeringPolicy>(&path, &object),
            "AwsAccount" => reads_without_loss::<AwsAccount>(&path, &object),
            "Namespace" => {}
            other => panic!("{path}: what is a {other:?} doing among the examples?"),
        }
        *kinds.entry(kind).or_default() += 1;
    }
    let expected = [("AwsAccount", 2), ("Namespace", 1), ("PeeringPolicy", 1), ("VpcPeering", 1)];
    assert_eq!(kinds, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}

/// What a page shows as YAML of ours is an object of ours, whole.
#[test]
fn every_object_on_a_page_reads_as_the_kind_it_says() {
    let mut shown = BTreeMap::new();
    for page in ["vpcpeering", "peeringpolicy", "peeringincident", "awsaccount"] {
        let path = format!("{}/docs/spec/{page}.md", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let object: Value =
                serde_saphyr::from_str(block).unwrap_or_else(|error| panic!("{path}: {error}"));
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "VpcPeering" => reads_without_loss::<VpcPeering>(&path, &object),
                "PeeringPolicy" => reads_without_loss::<PeeringPolicy>(&path, &object),
                "PeeringIncident" => reads_without_loss::<PeeringIncident>(&path, &object),
                "AwsAccount" => reads_without_loss::<AwsAccount>(&path, &object),
                other => panic!("{path}: what is a {other:?} doing there?"),
            }
            assert_eq!(kind.to_lowercase(), page, "a page shows its own kind first");
            *shown.entry(kind).or_insert(0) += 1;
        }
    }
    assert_eq!(shown.len(), 4, "{shown:?}");
}

/// Whatever the example says must still be there after a round trip through our type: a misspelt field would not.
fn reads_without_loss<T: DeserializeOwned + serde::Serialize>(path: &str, object: &Value) {
    let typed: T = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{path}: {error}"));
    let back = serde_json::to_value(&typed).expect("JSON");
    assert!(contains(&back, object), "{path}: the type drops something of\n{object:#}\nand keeps\n{back:#}");
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        _ => whole == part,
    }
}

fn objects() -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(FOLDER)
        .expect(FOLDER)
        .map(|entry| entry.expect(FOLDER).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| path.file_name().is_some_and(|name| name != "kustomization.yaml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| {
            let name = path.display().to_string();
            let text = fs::read_to_string(&path).expect(&name);
            let documents: Vec<Value> =
                serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            documents.into_iter().map(move |document| (name.clone(), document))
        })
        .collect()
}
