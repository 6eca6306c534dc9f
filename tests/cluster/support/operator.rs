//! The operator's real binary as its own process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::helper::Helper;
use super::{Aws, ControlPlane};

pub struct Options {
    /// Which credentials it has, and by way of which proxy it reaches the API server.
    pub kubeconfig: PathBuf,
    pub aws_endpoint: String,
    pub owner_id: String,
    pub sweep_interval: String,
    pub lease_namespace: String,
    pub lease_name: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
}

impl Options {
    pub fn new(kubeconfig: PathBuf, aws: &Aws) -> Self {
        Options {
            kubeconfig,
            aws_endpoint: aws.clients().endpoint().to_string(),
            owner_id: "test".to_string(),
            sweep_interval: "2s".to_string(),
            lease_namespace: "default".to_string(),
            lease_name: "peerkeeper".to_string(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// As the administrator of the cluster.
    pub fn admin(cluster: &ControlPlane, aws: &Aws) -> Self {
        Options::new(cluster.kubeconfig(), aws)
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| arg.to_string()));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_string(), value.to_string()));
        self
    }
}

pub struct Operator {
    helper: Helper,
    pid: u32,
    health: SocketAddr,
    dir: TempDir,
    exit: Option<i64>,
}

impl Operator {
    #[track_caller]
    pub fn start(options: Options) -> Self {
        let Options {
            kubeconfig,
            aws_endpoint,
            owner_id,
            sweep_interval,
            lease_namespace,
            lease_name,
            args,
            env,
        } = options;
        let health = free_address();
        let mut command: Vec<String> = vec![env!("CARGO_BIN_EXE_peerkeeper").into(), "run".into()];
        for (flag, value) in [
            ("--aws-endpoint-url", aws_endpoint),
            ("--owner-id", owner_id),
            ("--sweep-interval", sweep_interval),
            ("--lease-namespace", lease_namespace),
            ("--lease-name", lease_name),
            ("--health-address", health.to_string()),
        ] {
            command.extend([flag.to_string(), value]);
        }
        command.extend(args);
        let mut vars = vec![
            ("KUBECONFIG".to_string(), kubeconfig.display().to_string()),
            ("AWS_ACCESS_KEY_ID".to_string(), "peerkeeper-operator".to_string()),
            ("AWS_SECRET_ACCESS_KEY".to_string(), "secret".to_string()),
            ("AWS_REGION".to_string(), "us-east-1".to_string()),
            // Where nothing is: the machine's own configuration must not leak into a test.
            ("AWS_CONFIG_FILE".to_string(), "/nonexistent/config".to_string()),
            ("AWS_SHARED_CREDENTIALS_FILE".to_string(), "/nonexistent/credentials".to_string()),
            ("AWS_EC2_METADATA_DISABLED".to_string(), "true".to_string()),
        ];
        vars.extend(env);
        Operator::run(&command, &vars, health)
    }

    /// Any command under the same leash; the way to test this harness itself.
    #[track_caller]
    pub fn run(command: &[String], env: &[(String, String)], health: SocketAddr) -> Self {
        let dir =
            tempfile::Builder::new().prefix("peerkeeper-operator-").tempdir().expect("a temporary folder");
        let mut args = vec![log_of(dir.path()).display().to_string(), "env".to_string()];
        args.extend(env.iter().map(|(name, value)| format!("{name}={value}")));
        args.extend(command.iter().cloned());
        let (helper, ready) = Helper::start("the operator", "leash.py", &args, Duration::from_secs(10));
        // `env` becomes the command it is given, so the pid is the operator's.
        let pid = ready["pid"].as_u64().expect("the leash says the pid") as u32;
        Operator { helper, pid, health, dir, exit: None }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// All it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(log_of(self.dir.path())).unwrap_or_default()
    }

    /// `kill -9`, and gone when this returns.
    #[track_caller]
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.wait(Duration::from_secs(10));
    }

    /// The polite request to end.
    #[track_caller]
    pub fn terminate(&mut self) {
        self.signal("TERM");
    }

    /// `STOP` and `CONT` make a replica that sleeps and wakes up.
    #[track_caller]
    pub fn signal(&mut self, signal: &str) {
        let killed = Command::new("kill").args([&format!("-{signal}"), &self.pid.to_string()]).status();
        assert!(killed.expect("kill runs").success(), "no process {} to send SIG{signal} to", self.pid);
    }

    /// The exit code, negative for a signal.
    #[track_caller]
    pub fn wait(&mut self, within: Duration) -> i64 {
        if let Some(code) = self.exit {
            return code;
        }
        let exited = self.helper.answer(within);
        let code = exited["code"].as_i64().expect("the leash says the code");
        self.exit = Some(code);
        code
    }

    /// The exit code, if it has ended by itself.
    #[track_caller]
    pub fn exited(&mut self) -> Option<i64> {
        if self.exit.is_none() {
            self.exit = self.helper.answer_or_none(Duration::ZERO).and_then(|said| said["code"].as_i64());
        }
        self.exit
    }

    /// Status and body of a GET from its health server, or why there is none.
    pub fn http_get(&self, path: &str) -> Result<(u16, String), String> {
        let get = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect_timeout(&self.health, Duration::from_secs(2))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = get().map_err(|error| format!("{path}: {error}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("not HTTP: {answer:?}"))?;
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((code.ok_or_else(|| format!("not HTTP: {head:?}"))?, body.to_string()))
    }

    #[track_caller]
    pub fn metrics(&self) -> String {
        let (status, body) = self.http_get("/metrics").expect("metrics are served");
        assert_eq!(status, 200, "{body}");
        body
    }

    #[track_caller]
    pub fn wait_ready(&mut self) {
        super::eventually("the operator to be ready", Duration::from_secs(60), || {
            if let Some(code) = self.exited() {
                panic!("the operator ended with {code} instead of becoming ready");
            }
            match self.http_get("/readyz") {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(200)..];
            eprintln!(
                "--- the operator's last {} lines (process {})\n{}\n---",
                last.len(),
                self.pid,
                last.join("\n")
            );
        }
    }
}

fn log_of(dir: &Path) -> PathBuf {
    dir.join("operator.log")
}

/// Free a moment ago; nothing else here picks from the ephemeral ports for long.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address")
}
