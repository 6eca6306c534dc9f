//! What an installation is made of: that the manifests are what Kubernetes, AWS and Argo CD will make of them.

mod flux;
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
    let objects =
        ["argocd-application.yaml", "argocd-cm.yaml", "argocd-presync-plan.yaml", "flux-kustomization.yaml"];
    let workflows = ["github-actions.yaml", "gitlab-ci.yaml"];
    assert_eq!(files, [&objects[..], &workflows[..]].concat());
    for file in objects {
        for object in yaml(&format!("deploy/gitops/{file}")) {
            assert!(object["apiVersion"].is_string() && object["kind"].is_string(), "{file}");
            assert!(object["metadata"]["name"].is_string(), "{file}");
        }
    }
}

/// Argo CD runs it before anything is applied, with nothing mounted that the sync does not bring, and stops at its failure.
#[test]
fn the_plan_before_a_sync_is_a_job_that_argo_cd_heeds() {
    use k8s_openapi::api::batch::v1::Job;
    let path = "deploy/gitops/argocd-presync-plan.yaml";
    let object = yaml(path).remove(0);
    let job: Job = serde_json::from_value(object.clone()).expect(path);
    assert_eq!(serde_json::to_value(&job).expect("JSON"), object, "{path} has fields that a Job has not");
    let annotations = job.metadata.annotations.expect("annotations");
    assert_eq!(annotations["argocd.argoproj.io/hook"], "PreSync");
    let spec = job.spec.expect("a spec");
    assert_eq!(spec.backoff_limit, Some(0), "a plan that failed fails again");
    assert!(spec.active_deadline_seconds.is_some());
    let pod = spec.template.spec.expect("a pod");
    let volumes = pod.volumes.expect("volumes");
    let map = volumes[0].config_map.as_ref().expect("a ConfigMap").name.clone();
    let how = text(path);
    assert!(how.contains(&format!("#   - name: {map}\n")), "{path} says how {map} comes to be");
    assert!(how.contains("disableNameSuffixHash: true") && how.contains("sync-wave: \"-1\""));
    let container = &pod.containers[0];
    let mount = &container.volume_mounts.as_ref().expect("mounts")[0];
    assert_eq!(mount.name, volumes[0].name);
    let script = container.command.as_ref().expect("a command").join(" ");
    assert!(script.contains(&format!("plan -f {}", mount.mount_path)), "{script}");
}

/// The workflows call what there is, let the exit code 2 of a plan with changes pass, and ask for no right to write.
#[test]
fn the_workflows_call_plan_as_it_is() {
    use clap::{Args, Command};
    let command = peerkeeper::cli::plan::PlanArgs::augment_args(Command::new("plan"));
    for file in ["argocd-presync-plan.yaml", "github-actions.yaml", "gitlab-ci.yaml"] {
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
