//! What an installation is made of: that the manifests are what Kubernetes, AWS and Argo CD will make of them.

mod health;
mod iam;
mod image;
mod operator;

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every document of a YAML file.
fn yaml(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the files in a folder, folders apart, in order.
fn file_names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect(folder))
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// A string, or a list of strings, as a list: IAM and Kubernetes both know the two forms.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(list) => list.iter().flat_map(words).collect(),
        Value::Null => Vec::new(),
        other => panic!("neither a text nor a list of texts: {other}"),
    }
}

/// The rest of the YAML is typed elsewhere; of these files Kubernetes itself may know nothing.
#[test]
fn every_file_for_gitops_is_an_object() {
    let files = file_names("deploy/gitops");
    assert_eq!(files, ["argocd-application.yaml", "argocd-cm.yaml", "flux-kustomization.yaml"]);
    for file in files {
        for object in yaml(&format!("deploy/gitops/{file}")) {
            assert!(object["apiVersion"].is_string() && object["kind"].is_string(), "{file}");
            assert!(object["metadata"]["name"].is_string(), "{file}");
        }
    }
}
