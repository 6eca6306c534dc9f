//! `peerkeeper explain` by what a cluster's objects say: the operator's own words, and the commands that it names.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{PATIENCE, World, eventually};

/// Standard output, standard error, and the exit code.
fn explain(kubeconfig: &Path, args: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
    command.arg("explain").args(args).arg("--kubeconfig").arg(kubeconfig).env_clear();
    let output = command.stdin(Stdio::null()).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().expect("no signal ended it"))
}

/// Until it is told so.
#[track_caller]
fn until(kubeconfig: &Path, args: &[&str], words: &[&str]) -> String {
    eventually(&format!("{words:?}"), PATIENCE, || {
        let (out, err, code) = explain(kubeconfig, args);
        if code == 0 && words.iter().all(|word| out.contains(word)) {
            Ok(out)
        } else {
            Err(format!("{out}{err}"))
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_told_and_what_is_typed_as_told_releases_them() {
    let world = World::shared();
    let team = world.team("explained", 44, "Flag").await;
    let ns = team.namespace.as_str();
    let admin = world.cluster.kubeconfig();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let id = ready["peeringId"].as_str().expect("an id").to_owned();
    let name = format!("{ns}/pair");
    let told = until(&admin, &[&name], &["Ready=True InSync", "Would do  nothing"]);
    assert!(told.contains(&format!("{id} is active, routes 2/2")), "{told}");
    assert!(told.contains("default: Flag what is deleted unexpectedly"), "{told}");
    for subject in [&id, &team.a.vpc, &team.a.table] {
        let told = until(&admin, &[subject], &[&format!("VpcPeering {ns}/pair")]);
        assert!(told.starts_with(&format!("{subject}: VpcPeering {ns}/pair\n")), "{told}");
    }
    let (out, err, code) = explain(&admin, &["pcx-00000000000000fff"]);
    assert_eq!((out.as_str(), code), ("", 1), "{err}");
    assert!(err.contains("no VpcPeering in all namespaces declares pcx-00000000000000fff"), "{err}");
    let (_, err, code) = explain(&admin, &["-n", ns, "pai"]);
    assert!(code == 1 && err.contains("did you mean pair?"), "{err}");

    // Suspended and lost: first one is released, then the other.
    let suspend = "{\"spec\":{\"suspend\":true}}";
    world.cluster.kubectl_ok(&["patch", "vpcp", "pair", "-n", ns, "--type=merge", "-p", suspend]);
    team.b.delete_peering(&id).await;
    let told = until(&admin, &[&name], &["Suspended", "kubectl -n", "\"suspend\":false"]);
    let typed = told.lines().find(|line| line.contains("\"suspend\":false")).expect("a command");
    world.cluster.shell_ok(typed.trim());
    let told =
        until(&admin, &[&id], &["which was lost", "DeletedUnexpectedly", "peerkeeper incidents approve"]);
    assert!(told.contains("create a peering connection"), "what it would do: {told}");
    let typed = told.lines().find(|line| line.contains("peerkeeper incidents approve")).expect("a command");
    let args: Vec<&str> = typed.split_whitespace().skip(1).collect();
    let mut approve = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
    approve.args(args).arg("--kubeconfig").arg(&admin).env_clear().stdin(Stdio::null());
    let output = approve.output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = until(&admin, &[&name], &["Ready=True InSync"]);
    assert!(!told.contains("Held by") && !told.contains(&format!("{id} is ")), "{told}");
}
