//! The walls between the rooms: who may speak to Kubernetes, and who to AWS.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
const CORE_MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/core/Cargo.toml");

/// A crate, or with a trailing underscore a family of crates, and the rooms of the root package that may name it.
const WALLS: &[(&str, &[&str])] =
    &[("kube", &["api", "controller", "cli"]), ("aws_sdk_", &["aws", "signal"])];

#[test]
fn only_the_rooms_that_may_speak_to_kubernetes_and_aws_do() {
    let files = sources(Path::new(SRC));
    assert!(files.len() > 5, "no sources found in {SRC}");
    let breaches: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source file");
            let inside = path.strip_prefix(SRC).expect("inside src").to_owned();
            breaches(&room(&inside), &text)
                .into_iter()
                .map(move |krate| format!("src/{}: {krate}", inside.display()))
        })
        .collect();
    assert_eq!(breaches, Vec::<String>::new(), "crates named outside the rooms that may");
}

#[test]
fn a_breach_is_seen_wherever_a_crate_can_be_named() {
    assert_eq!(breaches("declare", "use kube::Client;"), ["kube"]);
    assert_eq!(breaches("declare", "let x = kube::Client::try_default();"), ["kube"]);
    assert_eq!(breaches("controller", "    use {a::b, aws_sdk_ec2::Client};"), ["aws_sdk_"]);
    assert_eq!(breaches("lib", "pub use aws_sdk_sts as sts;"), ["aws_sdk_"]);
    assert_eq!(breaches("declare", "// kube::Client is not for us\nuse crate::api::VpcPeering;"), [""; 0]);
    assert_eq!(breaches("declare", "let my_kube = kubernetes::kube_config();"), [""; 0]);
    assert_eq!(breaches("controller", "use kube::Client;"), [""; 0]);
}

/// Commands that only look, and what they are made of: they name nothing through which AWS could be changed.
const ONLY_LOOK: &[&str] = &[
    "cli/graph.rs",
    "cli/graph/survey.rs",
    "cli/explain.rs",
    "cli/explain/cluster.rs",
    "cli/explain/live.rs",
    "cli/explain/release.rs",
    "cli/look.rs",
    "cli/plan.rs",
    "cli/check/mod.rs",
    "cli/check/aws.rs",
    "cli/check/cluster.rs",
    "cli/check/line.rs",
    "cli/check/places.rs",
    "cli/check/rights.rs",
    "cli/import.rs",
    "cli/import/choose.rs",
    "cli/import/found.rs",
    "cli/import/write.rs",
    "cli/offline/mod.rs",
    "cli/offline/accounts.rs",
    "cli/offline/drive.rs",
    "cli/offline/foresee.rs",
    "cli/offline/house.rs",
    "cli/offline/road.rs",
];

/// Those of them that ask whether a write would be allowed: by a client that nothing but a dry run leaves by.
const REHEARSE: &[&str] = &["cli/check/mod.rs", "cli/check/aws.rs"];

#[test]
fn what_only_looks_holds_no_half_that_writes() {
    for path in ONLY_LOOK {
        let text = fs::read_to_string(Path::new(SRC).join(path)).expect(path);
        let ways = ways_to_write(&text);
        assert!(ways.is_empty() || REHEARSE.contains(path) && ways == ["Aws"], "src/{path}: {ways:?}");
    }
    assert_eq!(ways_to_write("let x = aws.writer();"), [".writer("]);
    assert_eq!(ways_to_write("use crate::aws::{Looking, Writer};"), ["Writer"]);
    assert_eq!(ways_to_write("// the Writer is another's"), [""; 0]);
    assert_eq!(ways_to_write("use crate::aws::{Aws, clock};"), ["Aws"]);
    assert_eq!(ways_to_write("pub async fn read(aws: &Aws) {"), ["Aws"]);
    assert_eq!(ways_to_write("Err(PlanError::Aws(troubles))"), [""; 0]);
    assert_eq!(ways_to_write("use crate::aws::*;"), ["aws::*"]);
    assert_eq!(ways_to_write("use crate::aws::Looking; use crate::api::AwsAccount;"), [""; 0]);
}

/// What asks whether a write would be allowed has one client, through which nothing but dry runs can leave
/// (`what_is_no_dry_run_never_leaves_by_the_client_for_them`), and says so in every call besides.
#[test]
fn what_asks_about_writes_sends_dry_runs_alone() {
    let path = Path::new(SRC).join("aws/rehearse.rs");
    let text = fs::read_to_string(&path).expect("src/aws/rehearse.rs");
    let purposes: BTreeSet<&str> = text
        .split("Purpose::")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        .collect();
    assert_eq!(purposes, BTreeSet::from(["Rehearse"]));
    let calls = unmarked_calls(&text);
    assert_eq!(calls, (10, vec![]), "calls in all, and those without .dry_run(true)");
    assert_eq!(ways_to_write(&text), [""; 0]);
    assert_eq!(unmarked_calls("client.create_tags().send()"), (1, vec!["create_tags".to_owned()]));
    let accounts = fs::read_to_string(Path::new(SRC).join("aws/accounts.rs")).expect("src/aws/accounts.rs");
    assert!(accounts.contains("if purpose == Purpose::Rehearse { conf.interceptor(OnlyDryRuns) }"));
}

/// How many calls of a client there are, and those that do not begin with `.dry_run(true)`.
fn unmarked_calls(text: &str) -> (usize, Vec<String>) {
    let squeezed: String = text.split_whitespace().collect();
    let calls = squeezed.split("client.").skip(1).filter_map(|rest| rest.split_once("()"));
    let calls: Vec<(&str, &str)> =
        calls.filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect();
    let unmarked = calls.iter().filter(|(_, rest)| !rest.starts_with(".dry_run(true)"));
    (calls.len(), unmarked.map(|(name, _)| (*name).to_owned()).collect())
}

fn ways_to_write(text: &str) -> Vec<&'static str> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let words = |line: &str| -> BTreeSet<String> {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect()
    };
    // `Aws` makes both halves; what only looks is handed a `Looking`, which the compiler keeps from writing.
    let has_both = |line: &str| {
        words(line).contains("Aws") && ["aws::", "&Aws", "Aws::new"].iter().any(|named| line.contains(named))
    };
    [".writer(", "Writer", ".door(", "Door", "Aws", "aws::*"]
        .into_iter()
        .filter(|way| match *way {
            "Aws" => code.iter().any(|line| has_both(line)),
            way => code.iter().any(|line| line.contains(way)),
        })
        .collect()
}

/// Cargo keeps the engine pure as long as nothing impure is among its dependencies.
#[test]
fn the_engine_depends_on_nothing_that_speaks_waits_or_rolls_dice() {
    let manifest = fs::read_to_string(CORE_MANIFEST).expect(CORE_MANIFEST);
    let dependencies: BTreeSet<&str> = manifest
        .split("\n[")
        .filter_map(|section| section.strip_prefix("dependencies]"))
        .flat_map(str::lines)
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect();
    assert!(!dependencies.is_empty(), "no [dependencies] found in {CORE_MANIFEST}");
    let pure = BTreeSet::from(["ipnet", "sha2"]);
    assert!(
        dependencies.is_subset(&pure),
        "core may depend on {pure:?} and depends on {dependencies:?}; add here only what has no I/O, clock or chance"
    );
}

/// The first folder, or the name of the file at the top.
fn room(path: &Path) -> String {
    let first = path.components().next().expect("a path").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn breaches(room: &str, text: &str) -> Vec<&'static str> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    WALLS
        .iter()
        .filter(|(krate, rooms)| !rooms.contains(&room) && code.iter().any(|line| names(line, krate)))
        .map(|(krate, _)| *krate)
        .collect()
}

/// Whether the line has the crate's name as a whole path segment: `kube::...` or `use kube`.
fn names(line: &str, krate: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(krate).any(|(at, _)| {
        let (before, mut after) = (&line[..at], &line[at + krate.len()..]);
        if krate.ends_with('_') {
            after = after.trim_start_matches(is_word);
        }
        let starts = !before.ends_with(is_word) && !before.ends_with("::");
        let path = after.starts_with("::") || before.trim_end().ends_with("use");
        starts && path && !after.starts_with(is_word)
    })
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
