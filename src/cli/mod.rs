//! The command line: one module per subcommand.

pub mod apply;
pub mod aws;
pub mod check;
pub mod completions;
pub mod crd;
pub mod explain;
pub mod graph;
pub mod import;
pub mod incidents;
pub mod kube;
pub mod look;
pub mod man;
pub mod manifests;
pub mod nearest;
pub mod offline;
pub mod plan;
pub mod plugin;
pub mod run;
pub mod show;

/// Logs on stderr for commands whose output is data: nothing unless RUST_LOG asks for it.
fn log_quietly() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
