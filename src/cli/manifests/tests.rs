#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::*;

const PEERING: &str = "apiVersion: peerkeeper.dev/v1alpha1
kind: VpcPeering
metadata: {name: prod-shared, namespace: network}
spec:
  requester: {region: eu-west-1, vpcId: vpc-0a1b2c3d4e5f60789}
  accepter:
    region: us-east-1
    vpcId: vpc-0fedcba9876543210
";

/// As if one file held this.
fn read(text: &str) -> Result<Manifests, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, text).unwrap();
    let args = ManifestArgs {
        filename: vec![path.display().to_string()],
        recursive: false,
        namespace: "default".to_owned(),
    };
    let shorten = |problem: &Problem| problem.to_string().replace(&path.display().to_string(), "a.yaml");
    Manifests::read(&args).map_err(|error| match error {
        ManifestError::Problems(all) => all.iter().map(shorten).collect(),
        other => vec![other.to_string()],
    })
}

fn first(text: &str) -> String {
    read(text).map(|_| ()).unwrap_err().remove(0)
}

#[test]
fn the_examples_that_are_installed_are_taken_with_their_defaults() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/examples");
    let args =
        ManifestArgs { filename: vec![folder.to_owned()], recursive: false, namespace: "default".to_owned() };
    let read = Manifests::read(&args).unwrap();
    let (peering, place) = &read.peerings[&ObjectKey::new("network", "prod-shared")];
    assert_eq!(peering.spec.requester.account.name.as_deref(), Some("default"), "the schema's default");
    assert_eq!((place.line, place.file.ends_with("peering.yaml")), (1, true));
    assert_eq!((read.policies.len(), read.accounts.len()), (1, 2));
    assert_eq!(read.labels_of("network").get("team").map(String::as_str), Some("network"));
    assert_eq!(read.skipped, [("Kustomization".to_owned(), 1)].into());
}

#[test]
fn where_nothing_at_all_is_declared_that_is_told() {
    for nothing in ["", "\n", "# only this\n---\n"] {
        let told = first(nothing);
        assert!(told.starts_with("a.yaml: no object is declared"), "{nothing:?}: {told}");
    }
    let others = read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").unwrap();
    assert_eq!(others.skipped, [("ConfigMap".to_owned(), 1)].into(), "others' objects are something");
}

#[test]
fn each_mistake_names_its_line_and_field_and_what_is_expected() {
    let with = |from: &str, to: &str| PEERING.replace(from, to);
    let unknown = first(&with("    region: us-east-1", "    region: us-east-1\n    vpcid: x"));
    assert!(
        unknown.starts_with("a.yaml:8: VpcPeering network/prod-shared: spec.accepter.vpcid: unknown field"),
        "{unknown}"
    );
    let pattern = first(&with("vpc-0fedcba9876543210", "vpc-xyz"));
    assert!(
        pattern.starts_with("a.yaml:8: VpcPeering network/prod-shared: spec.accepter.vpcId: "),
        "{pattern}"
    );
    assert!(pattern.contains("such as vpc-0"), "{pattern}");
    let missing = first(&with("    region: us-east-1\n", ""));
    assert_eq!(missing, "a.yaml:6: VpcPeering network/prod-shared: spec.accepter.region: required");
    let typed = first(&with("region: us-east-1", "region: 7"));
    assert!(typed.starts_with("a.yaml:7:") && typed.contains("must be a string"), "{typed}");
    let version = first(&with("v1alpha1", "v1"));
    assert_eq!(
        version,
        "a.yaml:1: VpcPeering: apiVersion: peerkeeper.dev/v1 is not served; must be peerkeeper.dev/v1alpha1"
    );
    let kind = first(&with("kind: VpcPeering", "kind: VpcPeerings"));
    assert!(kind.contains("has no kind VpcPeerings; it has VpcPeering,"), "{kind}");
    let core = first(&with("peerkeeper.dev/v1alpha1", "v1"));
    assert!(core.contains("must be peerkeeper.dev/v1alpha1, and is v1"), "{core}");
    let same = first(&with("vpc-0fedcba9876543210", "vpc-0a1b2c3d4e5f60789"));
    assert!(same.contains("spec"), "{same}");
    let top = first(&with("spec:\n", "specs: 1\nspec:\n"));
    assert_eq!(top, "a.yaml:4: VpcPeering network/prod-shared: specs: unknown field");
}

#[test]
fn a_bad_document_hides_nothing_of_the_others() {
    let bad = PEERING.replace("eu-west-1", "nowhere").replace("prod-shared", "b");
    let text = format!("a: [1\n---\n{bad}---\n{PEERING}---\n{PEERING}");
    let problems = read(&text).map(|_| ()).unwrap_err();
    let lines: Vec<&str> = problems.iter().map(|p| p.split(' ').next().unwrap()).collect();
    assert_eq!(lines, ["a.yaml:1:", "a.yaml:7:", "a.yaml:23:"], "{problems:#?}");
    assert!(problems[2].contains("is given twice: first at"), "{problems:#?}");
}

#[test]
fn lists_are_opened_and_other_kinds_counted() {
    let text = "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: network, labels: {team: network}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}
- apiVersion: peerkeeper.dev/v1alpha1
  kind: AwsAccount
  metadata: {name: prod}
  spec:
    accountId: 111122223333
---
values: {a: 1}
---
{\"apiVersion\": \"peerkeeper.dev/v1alpha1\", \"kind\": \"PeeringPolicy\", \"metadata\": {\"name\": \"default\"},
 \"spec\": {\"onUnexpectedDeletion\": {\"action\": \"Restore\"}}}
";
    let problem = first(text);
    assert!(
        problem.starts_with("a.yaml:10: AwsAccount prod: spec.accountId: must be a string (in quotes"),
        "{problem}"
    );
    let read = read(&text.replace("111122223333", "'111122223333'")).unwrap();
    assert_eq!(
        read.skipped,
        [("ConfigMap".to_owned(), 1), ("documents without apiVersion and kind".to_owned(), 1)].into()
    );
    assert!(read.accounts.contains_key("prod"));
    assert!(
        read.policies.contains_key(&ObjectKey::new("default", "default")),
        "the namespace that is given holds"
    );
}

#[test]
fn a_file_that_is_not_there_is_said_with_all_else_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("x.yaml");
    fs::write(&bad, [0xff, 0xfe]).unwrap();
    let given = |path: &std::path::Path| path.display().to_string();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let filename = vec![given(&folder.path().join("absent.yaml")), given(&bad), given(&empty)];
    let args = ManifestArgs { filename, recursive: false, namespace: "default".to_owned() };
    let Err(ManifestError::Problems(problems)) = Manifests::read(&args) else { unreachable!() };
    let said: Vec<&str> = problems.iter().map(|p| p.what.split(':').next().unwrap()).collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[0], "can't be read");
    assert!(said[1].starts_with("holds no file"));
    assert_eq!(said[2], "is no text");
}
