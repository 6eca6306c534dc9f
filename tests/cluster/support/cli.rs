//! The binary as a person or a pipeline calls it, beside a cluster and an EC2.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::World;

pub struct Cli {
    /// Where it is called, with manifests in it if there are any.
    pub folder: TempDir,
    pub kubeconfig: PathBuf,
    endpoint: String,
    /// What stands for ids that are made anew each time.
    names: Vec<(String, String)>,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Cli {
    pub fn new(world: &World) -> Self {
        let endpoint = world.aws().clients().endpoint().to_owned();
        let folder = tempfile::tempdir().expect("a temporary folder");
        Cli { folder, kubeconfig: world.cluster.kubeconfig(), endpoint, names: Vec::new() }
    }

    /// As somebody else.
    pub fn with(&self, kubeconfig: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Cli { folder, kubeconfig, endpoint: self.endpoint.clone(), names: self.names.clone() }
    }

    /// Shown as `label` from now on.
    pub fn name(&mut self, id: &str, label: &str) {
        self.names.push((id.to_owned(), label.to_owned()));
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("a manifest");
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerkeeper"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs([
                ("KUBECONFIG", self.kubeconfig.display().to_string().as_str()),
                ("AWS_ACCESS_KEY_ID", "peerkeeper-person"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_CONFIG_FILE", "/nonexistent/config"),
                ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ])
            .stdin(Stdio::null());
        let output = command.output().expect("the binary runs");
        let text = |bytes: Vec<u8>| self.label(&String::from_utf8(bytes).expect("UTF-8"));
        Said {
            code: output.status.code().expect("no signal ended it"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn label(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (id, label)| text.replace(id, label))
    }
}
