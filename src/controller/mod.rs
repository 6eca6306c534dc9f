//! The operator in a cluster.
//!
//! ```text
//! watches   what users declare      -> state, queue
//! sweeps    what AWS says           -> queue
//! events    what CloudTrail tells    -> queue
//! shell     queue -> one turn at a time per object
//! drive     one turn -> cluster, incidents, aws
//! misuse    whether somebody else acts with our credentials
//! lease     who may write at all
//! ```

mod accounts;
mod audit;
mod cluster;
mod drive;
mod events;
mod incidents;
mod lease;
mod misuse;
mod schema_check;
mod shell;
pub mod state;
mod sweeps;
mod unparsable;
mod watches;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use kube::Client;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::time::Timing;
use tokio::signal::unix::{SignalKind, signal};

pub use audit::AuditLog;
pub use lease::LeaseOptions;
pub(crate) use schema_check::missing_field;

use crate::aws::Aws;
use crate::metrics::Snapshot;
use crate::serve::{self, Health};
use crate::signal::QueueUrl;
use cluster::Cluster;
use lease::{Ended, Leadership};
use shell::{Shell, ShellOptions};

/// How to run.
pub struct Options {
    /// Instead of the kube-system namespace's UID.
    pub owner_id: Option<String>,
    pub lease: LeaseOptions,
    pub health_address: SocketAddr,
    pub sweep_interval: Duration,
    pub timing: Timing,
    pub concurrency: usize,
    pub max_restores: u32,
    pub max_removals: u32,
    /// Where each change of an incident's phase is written, if anywhere.
    pub audit_log: Option<AuditLog>,
    /// How many settled incidents of a `VpcPeering` are kept.
    pub incident_history: usize,
    pub event_queues: Vec<QueueUrl>,
}

/// Why the operator ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("no connection to the cluster: {0}; check KUBECONFIG, or the service account")]
    Cluster(String),
    #[error("a lease duration of {0} s is out of bounds; choose 3 to 3600")]
    LeaseDuration(u32),
    #[error("can't listen on {address}: {cause}; choose another --health-address")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("the lease was lost; the process ends so that nothing it began goes on")]
    LeaseLost,
    #[error("{0} ended, which it never should")]
    Ended(&'static str),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// How long a call to the API server may take before it counts as failed.
const API_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what is under way may take to end on shutdown.
const SHUTDOWN: Duration = Duration::from_secs(15);

/// Runs until a signal, or until the lease is lost.
pub async fn run(
    client: Client,
    make_aws: impl AsyncFnOnce(&str) -> Result<Aws, String>,
    options: Options,
) -> Result<(), RunError> {
    let leadership =
        Leadership::new(&options.lease).ok_or(RunError::LeaseDuration(options.lease.duration_s))?;
    let cluster = Cluster::new(client.clone(), &options.lease.identity);
    let probe = Arc::new(Probe::default());
    let address = serve::listen(options.health_address, probe.clone())
        .await
        .map_err(|cause| RunError::Listen { address: options.health_address, cause })?;
    tracing::info!(%address, "serving /livez, /readyz and /metrics");
    let mut stop = Stop::new()?;
    // Until the served CRDs hold every field that this binary writes, it must neither lead nor write.
    tokio::select! {
        () = schema_check::wait_until_fit(&cluster, |why| probe.unfit(why)) => {}
        () = stop.asked() => return Ok(()),
    }
    probe.fit();
    let owner_id = match options.owner_id {
        Some(id) => id,
        None => cluster.owner_id().await.map_err(|error| RunError::Cluster(error.to_string()))?,
    };
    let aws = make_aws(&owner_id).await.map_err(RunError::Cluster)?;
    let shell = Shell::new(
        cluster,
        aws,
        leadership.clone(),
        ShellOptions {
            owner_id,
            timing: options.timing,
            sweep_interval: options.sweep_interval,
            concurrency: options.concurrency,
            max_restores: options.max_restores,
            max_removals: options.max_removals,
            audit_log: options.audit_log,
            incident_history: options.incident_history,
            event_queues: options.event_queues,
        },
    );
    let _ = probe.shell.set(shell.clone());
    work(client, shell, leadership, &options.lease, stop).await
}

async fn work(
    client: Client,
    shell: Arc<Shell>,
    leadership: Leadership,
    lease: &LeaseOptions,
    mut stop: Stop,
) -> Result<(), RunError> {
    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(watches::peerings(shell.clone()));
    watching.spawn(watches::policies(shell.clone()));
    watching.spawn(watches::accounts(shell.clone()));
    watching.spawn(watches::namespaces(shell.clone()));
    watching.spawn(watches::incidents(shell.clone()));
    let leading = {
        let (shell, leadership) = (shell.clone(), leadership.clone());
        async move {
            shell.listed().await;
            leadership.led().await;
            shell.begin_to_lead();
            shell.replan_sweeps();
            tracing::info!("leading: sweeping and reconciling");
            let mut work = tokio::task::JoinSet::new();
            work.spawn(shell.clone().work());
            work.spawn(sweeps::run(shell.clone()));
            work.spawn(accounts::run(shell.clone()));
            work.spawn(incidents::prune(shell.clone()));
            work.spawn(events::run(shell.clone()));
            work.join_next().await;
        }
    };
    let standing = async {
        shell.listed().await;
        leadership.run(client, lease).await
    };
    tokio::pin!(leading, standing);
    tokio::select! {
        ended = &mut standing => match ended {
            Ended::Lost => return Err(RunError::LeaseLost),
            Ended::Released => return Ok(()),
        },
        () = &mut leading => return Err(RunError::Ended("the work queue")),
        _ = watching.join_next() => return Err(RunError::Ended("a watch")),
        () = stop.asked() => {}
    }
    tracing::info!("shutting down: what is under way may end");
    leadership.shut_down();
    // The lease is given back once nothing is in flight; a process that can't is ended, and its lease runs out.
    let _ = tokio::time::timeout(SHUTDOWN, standing).await;
    Ok(())
}

/// SIGTERM and Ctrl-C.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What the probes are told.
#[derive(Default)]
struct Probe {
    shell: OnceLock<Arc<Shell>>,
    schema: Mutex<Schema>,
}

/// Whether the served CRDs hold every field of this binary's.
#[derive(Default)]
enum Schema {
    #[default]
    NotChecked,
    Unfit(String),
    Fit,
}

impl Probe {
    fn unfit(&self, why: &str) {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Schema::Unfit(why.to_owned());
    }

    fn fit(&self) {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Schema::Fit;
    }
}

impl Health for Probe {
    fn live(&self) -> Result<(), String> {
        let Some(shell) = self.shell.get() else { return Ok(()) };
        let dead = shell.pulses.dead();
        if dead.is_empty() { Ok(()) } else { Err(format!("no progress on the watch of {}", dead.join(", "))) }
    }

    fn ready(&self) -> Result<(), String> {
        match &*self.schema.lock().unwrap_or_else(PoisonError::into_inner) {
            Schema::Fit => {}
            Schema::NotChecked => {
                return Err("the served CustomResourceDefinitions were not read yet".to_owned());
            }
            Schema::Unfit(why) => return Err(format!("{why}; apply crds/ of this version")),
        }
        let Some(shell) = self.shell.get() else { return Err("starting".to_owned()) };
        let missing = shell.pulses.not_listed();
        if missing.is_empty() { Ok(()) } else { Err(format!("not listed yet: {}", missing.join(", "))) }
    }

    fn metrics(&self) -> String {
        let Some(shell) = self.shell.get() else { return String::new() };
        let objects = {
            let state = shell.state();
            let ready = |known: &state::Known| {
                let (truth, reason) = known.told?.ready?;
                let truth = match truth {
                    Truth::True => "True",
                    Truth::False => "False",
                    Truth::Unknown => "Unknown",
                };
                Some((truth, reason.as_str().to_owned()))
            };
            state.peerings.values().filter_map(ready).collect()
        };
        let now = Snapshot {
            leading: shell.leadership.is_leading(),
            queue_length: shell.queue_len(),
            queue_lag_ms: shell.queue_lag_ms(),
            event_queues_silent_ms: shell.events.silent_ms(),
            objects,
        };
        shell.metrics.encode(&now).unwrap_or_default()
    }
}

/// The client for the cluster that KUBECONFIG or the service account names.
pub async fn client() -> Result<Client, RunError> {
    let mut config = kube::Config::infer().await.map_err(|error| RunError::Cluster(error.to_string()))?;
    config.connect_timeout = Some(API_TIMEOUT);
    Client::try_from(config).map_err(|error| RunError::Cluster(error.to_string()))
}
