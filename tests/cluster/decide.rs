//! `peerkeeper incidents` on a real API server, with the admission policy that says who may decide.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::install::installed;
use crate::stage::PATIENCE;
use crate::support::{ControlPlane, CutProxy, World, eventually};

const NAMESPACE: &str = "network";
const NAME: &str = "prod-shared-pcx-0123456789abcdef0";
const OPERATOR: &str = "system:serviceaccount:peerkeeper-system:peerkeeper";

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

fn command(kubeconfig: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
    command.arg("incidents").args(args).arg("--kubeconfig").arg(kubeconfig).env_clear().stdin(Stdio::null());
    command
}

/// Standard output, standard error, and the exit code.
fn said(output: Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().expect("no signal ended it"))
}

fn run(kubeconfig: &Path, args: &[&str]) -> (String, String, i32) {
    said(command(kubeconfig, args).output().expect("the binary runs"))
}

#[track_caller]
fn refused(said: (String, String, i32), words: &[&str]) {
    let (out, err, code) = said;
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    for word in words {
        assert!(err.contains(word), "{word}: {err}");
    }
}

/// Incidents that Peerkeeper made, as far as the API server can tell, and people with rights.
struct Court {
    cluster: ControlPlane,
}

impl Court {
    /// ada may decide, max may look, and eve may nothing.
    fn open() -> Self {
        let court = Self { cluster: installed() };
        let mut objects =
            vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})];
        for (name, role) in
            [("ada", Some("peerkeeper-incident-approver")), ("max", Some("peerkeeper-view")), ("eve", None)]
        {
            let metadata = json!({"name": name, "namespace": NAMESPACE});
            objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}));
            objects.extend(role.map(|role| {
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
                })
            }));
        }
        let objects: Vec<String> = objects.iter().map(Value::to_string).collect();
        court.cluster.apply_ok(&objects.join("\n---\n"));
        eventually("the admission policy", PATIENCE, || {
            let tried = court.make(None, NAME, &["--dry-run=server"]);
            let said = String::from_utf8_lossy(&tried.stderr).into_owned();
            if said.contains("only Peerkeeper") { Ok(()) } else { Err(said) }
        });
        assert!(court.make(Some(OPERATOR), NAME, &[]).status.success());
        court.tell(NAME, "AwaitingApproval", 'a');
        court
    }

    fn make(&self, who: Option<&str>, name: &str, more: &[&str]) -> Output {
        let incident = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"peeringRef": {"name": "prod-shared", "uid": "u"}, "peeringId": "pcx-0123456789abcdef0"},
        });
        let path = self.cluster.dir().join(format!("{name}.json"));
        std::fs::write(&path, incident.to_string()).expect("the folder can be written to");
        let path = path.display().to_string();
        let who: Vec<String> = who.map(|who| format!("--as={who}")).into_iter().collect();
        let who: Vec<&str> = who.iter().map(String::as_str).collect();
        self.cluster.kubectl(&[&who, &["create", "--filename", &path][..], more].concat())
    }

    /// What the operator would say of it.
    fn tell(&self, name: &str, phase: &str, plan: char) {
        let told = json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "status": {
                "phase": phase, "class": "Unexpected", "who": "account 444455556666",
                "next": "approve the plan to restore it", "detectedAt": "2026-06-01T10:00:02Z",
                "plan": {"action": "Restore", "steps": ["create a peering connection"], "digest": digest(plan)},
            },
        });
        let path = self.cluster.dir().join("told.json");
        std::fs::write(&path, told.to_string()).expect("the folder can be written to");
        let path = path.display().to_string();
        let who = format!("--as={OPERATOR}");
        self.cluster.kubectl_ok(&[
            &who,
            "apply",
            "--server-side",
            "--subresource=status",
            "--filename",
            &path,
        ]);
    }

    fn of(&self, who: &str) -> PathBuf {
        self.cluster.service_account_kubeconfig(NAMESPACE, who, self.cluster.address())
    }

    fn decision(&self) -> Value {
        self.cluster.get(&["peeringincident", NAME, "--namespace", NAMESPACE])["spec"]["decision"].take()
    }
}

#[test]
fn who_may_decides_about_the_plan_that_was_shown_and_everybody_else_is_told_why_not() {
    let court = Court::open();
    let (ada, max, eve) = (court.of("ada"), court.of("max"), court.of("eve"));
    let (first, second) = (digest('a'), digest('b'));

    refused(run(&eve, &["list"]), &["may not list peeringincidents.peerkeeper.dev", "peerkeeper-view"]);
    refused(
        run(&max, &["approve", NAME, "--yes"]),
        &["patch peeringincidents", "peerkeeper-incident-approver"],
    );
    refused(run(&ada, &["approve", NAME]), &["nobody can be asked here", "--digest"]);
    refused(run(&ada, &["approve", NAME, "--digest", &second]), &["not the one that you looked at", &first]);
    refused(run(&ada, &["show", "prod-shared"]), &["no PeeringIncident prod-shared", NAME]);
    assert_eq!(court.decision(), json!({"verdict": "Pending"}), "nothing was decided");

    let (out, err, code) = run(&ada, &["approve", NAME, "--digest", &first, "--reason", "ticket 4711"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1. create a peering connection") && err.contains(&first), "{err}");
    assert!(out.contains("approved by system:serviceaccount:network:ada"), "{out}");
    let me = "system:serviceaccount:network:ada";
    assert_eq!(
        court.decision(),
        json!({"verdict": "Approve", "planDigest": first, "decidedBy": me, "reason": "ticket 4711"})
    );
    let (out, err, code) = run(&ada, &["approve", NAME, "--yes"]);
    assert!(code == 0 && out.contains("approved already"), "{out}{err}");

    let (out, err, code) = run(&ada, &["reject", NAME]);
    assert!(code == 0 && out.contains("rejected by"), "{out}{err}");
    assert_eq!(court.decision(), json!({"verdict": "Reject", "decidedBy": me}), "all of it is the new one's");
    let (out, _, _) = run(&max, &["show", NAME]);
    assert!(
        out.contains("Decided") && out.contains("rejected by system:serviceaccount:network:ada"),
        "{out}"
    );
}

/// What is decided about is what was shown: not what the operator proposes while a person reads.
#[test]
fn a_plan_that_changes_while_it_is_looked_at_is_not_approved() {
    let court = Court::open();
    let ada = court.of("ada");
    // A terminal is needed to be asked.
    let mut asked = Command::new("python3");
    asked.args(["-c", PTY, env!("CARGO_BIN_EXE_peerkeeper"), "incidents", "approve", NAME, "--kubeconfig"]);
    asked.arg(&ada).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (change, code) in [(true, 1), (false, 0)] {
        let mut child = asked.spawn().expect("python3 runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut text = String::new();
        while !text.contains("[yes/no]") {
            let mut some = vec![0; 1];
            assert!(std::io::Read::read(&mut lines, &mut some).expect("read") > 0, "it asks: {text}");
            text.push_str(&String::from_utf8_lossy(&some));
        }
        if change {
            court.tell(NAME, "AwaitingApproval", 'b');
        } else {
            // Another part of it: that must not stop a decision.
            court.cluster.kubectl_ok(&["label", "peeringincident", NAME, "-n", NAMESPACE, "ticket=4711"]);
        }
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"yes\n").expect("an answer");
        std::io::Read::read_to_string(&mut lines, &mut text).expect("the rest");
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{text}");
        if change {
            assert!(text.contains("not the one that you looked at") && text.contains(&digest('b')), "{text}");
            assert_eq!(court.decision()["verdict"], "Pending");
        } else {
            assert_eq!(court.decision()["planDigest"], digest('b'), "{text}");
        }
    }
}

/// Runs its arguments on a terminal of their own, and passes on what is typed and what is said.
const PTY: &str = "import os,pty,sys\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// A list that goes on, and the lines that it has said.
struct Watch {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Watch {
    fn start(kubeconfig: &Path, args: &[&str]) -> Self {
        let mut child = command(kubeconfig, args).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = lines.clone();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                heard.lock().expect("a line").push(line);
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    fn until(&self, count: usize) -> Vec<String> {
        eventually("a line", PATIENCE, || {
            let lines = self.lines.lock().expect("lines").clone();
            if lines.len() >= count { Ok(lines) } else { Err(format!("{lines:#?}")) }
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_tells_each_change_once_also_those_while_it_was_cut_off() {
    let court = Court::open();
    let proxy = CutProxy::new(court.cluster.address());
    let through = court.cluster.kubeconfig_through(proxy.address());
    let watch = Watch::start(&through, &["list", "--watch", "-n", NAMESPACE]);
    let lines = watch.until(2);
    assert!(lines[0].starts_with("NAME ") && lines[1].contains("AwaitingApproval"), "{lines:#?}");

    court.tell(NAME, "Restoring", 'a');
    let lines = watch.until(3);
    assert!(lines[2].starts_with(NAME) && lines[2].contains("Restoring"), "{lines:#?}");

    proxy.sever();
    court.tell(NAME, "Restored", 'a');
    assert!(court.make(Some(OPERATOR), "other", &[]).status.success());
    proxy.heal();
    let lines = watch.until(5);
    let mut after: Vec<&str> = lines[3..].iter().filter_map(|line| line.split_whitespace().next()).collect();
    after.sort_unstable();
    assert_eq!((after, lines.len()), (vec!["other", NAME], 5), "each once, in whatever order: {lines:#?}");

    let other = lines.iter().find(|line| line.starts_with("other ")).expect("it was told");
    assert!(other.contains("said nothing of it yet"), "none is hidden for want of a status: {other}");

    court.cluster.kubectl_ok(&["delete", "peeringincident", "other", "-n", NAMESPACE]);
    let lines = watch.until(6);
    assert!(lines[5].starts_with("other ") && lines[5].contains("Deleted"), "{lines:#?}");
}

#[test]
fn what_is_not_there_is_said_and_never_an_empty_list() {
    let cluster = ControlPlane::start();
    let admin = cluster.kubeconfig();
    refused(
        run(&admin, &["list"]),
        &["does not serve peeringincidents.peerkeeper.dev", "peerkeeper crd | kubectl apply"],
    );
    refused(run(Path::new("/nonexistent/config"), &["list"]), &["/nonexistent/config", "--kubeconfig"]);
    drop(cluster);
    let cluster = crate::api::with_crds();
    let (out, err, code) = run(&cluster.kubeconfig(), &["list", "-A"]);
    assert_eq!((out.as_str(), err.trim(), code), ("", "No PeeringIncidents in all namespaces.", 0));
    let (out, err, code) = run(&cluster.kubeconfig(), &["list", "-n", "default", "-o", "json"]);
    assert!(err.contains("No PeeringIncidents in namespace default. With -A, "), "{err}");
    assert_eq!((serde_json::from_str::<Value>(&out).expect("JSON"), code), (json!({"incidents": []}), 0));
}

/// The operator's own words, and the decision that it acts upon.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_listed_shown_approved_and_restored() {
    let world = World::shared();
    let team = world.team("incidents", 43, "Flag").await;
    let ns = team.namespace.as_str();
    world.cluster.apply_ok(&team.peering("pair").to_string());
    let ready = world.until_ready(ns, "pair");
    let lost = ready["peeringId"].as_str().expect("an id").to_owned();
    team.b.delete_peering(&lost).await;
    let admin = world.cluster.kubeconfig();
    let name = format!("pair-{lost}");
    let told = eventually("the plan", PATIENCE, || {
        let (out, err, code) = run(&admin, &["show", &name, "-n", ns]);
        if code == 0 && out.contains("peerkeeper incidents approve") {
            Ok(out)
        } else {
            Err(format!("{out}{err}"))
        }
    });
    assert!(!told.contains("kubectl"), "its commands are ours: {told}");
    for word in [&lost, &team.b.account, "deleted", "2 routes", "still leads there", "AccountOnly"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let (list, _, _) = run(&admin, &["list", "-A"]);
    assert!(
        list.lines().any(|line| line.contains(ns) && line.contains(&name) && line.contains("Flagged")),
        "{list}"
    );
    // What it tells a person to type is typed.
    let typed =
        told.lines().find_map(|line| line.split_once("peerkeeper incidents approve")).expect("a command").1;
    let typed: Vec<&str> = ["approve"].into_iter().chain(typed.split_whitespace()).collect();
    let (out, err, code) = run(&admin, &typed);
    assert_eq!(code, 0, "{out}{err}");
    world.until_status(ns, "pair", "restored", |status| {
        status["lastDeletion"]["outcome"] == "Restored" && status["peeringId"] != *lost
    });
    eventually("its end", PATIENCE, || {
        let (out, _, _) = run(&admin, &["show", &name, "-n", ns, "-o", "json"]);
        let shown: Value = serde_json::from_str(&out).expect("JSON");
        if shown["phase"] == "Restored" && shown["commands"].is_null() { Ok(()) } else { Err(out) }
    });
}
