//! etcd, kube-apiserver and kube-controller-manager of one test.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::helper::Helper;

/// Where they were not built before, starting includes building them.
const READY_WITHIN: Duration = Duration::from_secs(30 * 60);
const OBEY_WITHIN: Duration = Duration::from_secs(120);

pub struct ControlPlane {
    // Before the folder: dropped first, so that nothing writes where a folder is being removed.
    helper: Helper,
    dir: TempDir,
    ready: Value,
}

impl ControlPlane {
    #[track_caller]
    pub fn start() -> Self {
        let dir =
            tempfile::Builder::new().prefix("peerkeeper-cluster-").tempdir().expect("a temporary folder");
        // Removed by the script too, for the test that is killed before it can.
        let args = ["up".to_string(), "--remove".to_string(), dir.path().display().to_string()];
        let (helper, ready) =
            Helper::start("the control plane", "controlplane/controlplane.py", &args, READY_WITHIN);
        ControlPlane { helper, dir, ready }
    }

    /// What became of the processes, by name: what is running and what was started last.
    pub fn pids(&self) -> BTreeMap<String, u32> {
        let pids = self.ready["pids"].as_object().expect("pids are said").iter();
        pids.map(|(name, pid)| (name.clone(), pid.as_u64().expect("a pid is a number") as u32)).collect()
    }

    pub fn helper_pid(&self) -> u32 {
        self.helper.pid()
    }

    #[track_caller]
    pub fn stop_etcd(&mut self) {
        self.order("stop etcd");
    }

    #[track_caller]
    pub fn start_etcd(&mut self) {
        self.order("start etcd");
    }

    #[track_caller]
    pub fn stop_apiserver(&mut self) {
        self.order("stop apiserver");
    }

    /// On the same port, and not back before it is ready.
    #[track_caller]
    pub fn start_apiserver(&mut self) {
        self.order("start apiserver");
    }

    #[track_caller]
    fn order(&mut self, line: &str) {
        self.ready["pids"] = self.helper.ask(line, OBEY_WITHIN)["pids"].take();
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Namespaces really end and owner references really count only with a controller manager, which
    /// `KUBEBUILDER_ASSETS` may lack. Call this first in a test that needs it.
    #[track_caller]
    pub fn require_controller_manager(&self) {
        assert_eq!(
            self.ready["controllerManager"], true,
            "KUBEBUILDER_ASSETS has no kube-controller-manager, which this test needs: unset it to use our own build"
        );
    }

    /// The administrator's.
    pub fn kubeconfig(&self) -> PathBuf {
        self.said_path("kubeconfig")
    }

    fn said_path(&self, field: &str) -> PathBuf {
        PathBuf::from(self.ready[field].as_str().expect("the ready line names the path"))
    }

    /// Where the API server listens, for a proxy in front of it.
    pub fn address(&self) -> SocketAddr {
        let server = self.ready["server"].as_str().expect("the ready line names the server");
        server.trim_start_matches("https://").parse().expect("it is an address and a port")
    }

    /// The administrator's kubeconfig, by way of a proxy; the certificate is for 127.0.0.1 whatever the port.
    #[track_caller]
    pub fn kubeconfig_through(&self, proxy: SocketAddr) -> PathBuf {
        let text = std::fs::read_to_string(self.kubeconfig()).expect("the kubeconfig can be read");
        let mut config: Value = serde_json::from_str(&text).expect("it is JSON");
        config["clusters"][0]["cluster"]["server"] = json!(format!("https://{proxy}"));
        self.write(&format!("kubeconfig-{}", proxy.port()), &config)
    }

    /// A kubeconfig with the token of a ServiceAccount and nothing else: exactly that account's rights.
    #[track_caller]
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str, server: SocketAddr) -> PathBuf {
        let token = self.kubectl_ok(&["create", "token", name, "--namespace", namespace, "--duration", "3h"]);
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {
                "server": format!("https://{server}"), "certificate-authority": self.said_path("ca")}}],
            "users": [{"name": "it", "user": {"token": token.trim()}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": namespace}}],
        });
        self.write(&format!("kubeconfig-{namespace}-{name}-{}", server.port()), &config)
    }

    fn write(&self, name: &str, config: &Value) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, config.to_string()).expect("the folder can be written to");
        path
    }

    pub async fn client(&self) -> kube::Client {
        let config = Kubeconfig::read_from(self.kubeconfig()).expect("the kubeconfig can be read");
        let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
        kube::Client::try_from(config.expect("the kubeconfig is whole")).expect("a client can be made of it")
    }

    fn kubectl_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.said_path("kubectl"));
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .arg("--cache-dir")
            .arg(self.dir.path().join("kubectl-cache"))
            .args(args)
            // A developer's own preferences must not change what a test sees.
            .env("KUBERC", "off");
        command
    }

    pub fn kubectl(&self, args: &[&str]) -> Output {
        self.kubectl_command(args).stdin(Stdio::null()).output().expect("kubectl runs")
    }

    /// The output of a call that has to succeed.
    #[track_caller]
    pub fn kubectl_ok(&self, args: &[&str]) -> String {
        succeeded(&format!("kubectl {}", args.join(" ")), self.kubectl(args))
    }

    /// A line that somebody types who may do everything: `kubectl` is this cluster's.
    #[track_caller]
    pub fn shell_ok(&self, line: &str) -> String {
        let kubectl = self.said_path("kubectl");
        let folder = kubectl.parent().expect("it is in a folder").display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).env("PATH", path).env("KUBECONFIG", self.kubeconfig());
        shell.env("HOME", self.dir.path()).env("KUBERC", "off").stdin(Stdio::null());
        succeeded(line, shell.output().expect("a shell"))
    }

    /// One object, or a list of them.
    #[track_caller]
    pub fn get(&self, args: &[&str]) -> Value {
        let text = self.kubectl_ok(&[&["get", "--output", "json"], args].concat());
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    /// `kubectl apply --server-side` of YAML or JSON text.
    pub fn apply(&self, manifest: &str) -> Output {
        let mut command = self.kubectl_command(&["apply", "--server-side", "--filename", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(manifest.as_bytes()).expect("kubectl reads its input");
        drop(stdin);
        child.wait_with_output().expect("kubectl ends")
    }

    #[track_caller]
    pub fn apply_ok(&self, manifest: &str) -> String {
        succeeded(&format!("kubectl apply of\n{manifest}"), self.apply(manifest))
    }
}

#[track_caller]
fn succeeded(what: &str, output: Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}\nended with {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}
