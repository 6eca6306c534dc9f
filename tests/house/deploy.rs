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
    let objects = ["argocd-application.yaml", "argocd-cm.yaml", "flux-kustomization.yaml"];
    let workflows = ["github-actions.yaml", "gitlab-ci.yaml"];
    assert_eq!(files, [&objects[..], &workflows[..]].concat());
    for file in objects {
        for object in yaml(&format!("deploy/gitops/{file}")) {
            assert!(object["apiVersion"].is_string() && object["kind"].is_string(), "{file}");
            assert!(object["metadata"]["name"].is_string(), "{file}");
        }
    }
}

/// The workflows call what there is, let the exit code 2 of a plan with changes pass, and ask for no right to write.
#[test]
fn the_workflows_call_plan_as_it_is() {
    use clap::{Args, Command};
    let command = peerkeeper::cli::plan::PlanArgs::augment_args(Command::new("plan"));
    for file in ["github-actions.yaml", "gitlab-ci.yaml"] {
        let path = format!("deploy/gitops/{file}");
        assert_eq!(yaml(&path).len(), 1, "{path}");
        let text = text(&path);
        let calls: Vec<&str> = text.lines().filter(|line| line.contains("peerkeeper plan")).collect();
        assert!(!calls.is_empty(), "{path} plans nothing");
        for call in calls {
            let args = call
                .split("peerkeeper plan")
                .nth(1)
                .expect("arguments")
                .split(['>', '|'])
                .next()
                .expect("them");
            let args = std::iter::once("plan").chain(args.split_whitespace());
            assert!(command.clone().try_get_matches_from(args).is_ok(), "{path}: {call}");
        }
        assert!(text.contains("-eq 2"), "{path}: changes are no failure");
        assert!(!text.contains("peerkeeper apply"), "{path} only plans");
    }
}
