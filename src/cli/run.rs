//! `peerkeeper run`: the operator.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use peerkeeper_core::time::Timing;

use super::aws::AwsArgs;
use crate::api::GoDuration;
use crate::aws::{Aws, AwsConfig};
use crate::controller::{self, AuditLog, LeaseOptions, Options, RunError};
use crate::signal::QueueUrl;

/// Runs the operator: keeps every VpcPeering of the cluster as declared.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// How often each account and Region is read in full, give or take a tenth.
    #[arg(long, env = "PEERKEEPER_SWEEP_INTERVAL", default_value = "60s", value_parser = duration, value_name = "DURATION")]
    pub sweep_interval: Duration,
    /// The installation's name in AWS tags: at most 63 characters. Default: the UID of the kube-system namespace.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID")]
    pub owner_id: Option<String>,
    /// The namespace of the Lease.
    #[arg(
        long,
        env = "PEERKEEPER_LEASE_NAMESPACE",
        default_value = "peerkeeper-system",
        value_name = "NAMESPACE"
    )]
    pub lease_namespace: String,
    /// The name of the Lease.
    #[arg(long, env = "PEERKEEPER_LEASE_NAME", default_value = "peerkeeper", value_name = "NAME")]
    pub lease_name: String,
    /// How long a leader that does not answer any more keeps the others waiting: 3s to 1h, whole seconds.
    #[arg(long, env = "PEERKEEPER_LEASE_DURATION", default_value = "15s", value_parser = duration, value_name = "DURATION")]
    pub lease_duration: Duration,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "PEERKEEPER_HEALTH_ADDRESS", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub health_address: SocketAddr,
    /// How logs are written, on stderr. What is logged: RUST_LOG, by default info.
    #[arg(long, env = "PEERKEEPER_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub aws: AwsArgs,
    /// How many lost or drifted peerings may be repaired in an hour, over all namespaces and accounts.
    #[arg(long, env = "PEERKEEPER_MAX_RESTORES", default_value_t = 100, value_name = "COUNT")]
    pub max_restores: u32,
    /// How many peerings' things may be removed from AWS in an hour, over all namespaces and accounts.
    #[arg(long, env = "PEERKEEPER_MAX_REMOVALS", default_value_t = 100, value_name = "COUNT")]
    pub max_removals: u32,
    /// Where each change of an incident's phase is written as a line of JSON, before anything is done: a file, which is
    /// appended to, or `-` for standard output. Default: nowhere.
    #[arg(long, env = "PEERKEEPER_AUDIT_LOG", value_name = "PATH")]
    pub audit_log: Option<String>,
    /// How many settled PeeringIncidents of each VpcPeering are kept. Open ones always are.
    #[arg(long, env = "PEERKEEPER_INCIDENT_HISTORY", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..), value_name = "COUNT")]
    pub incident_history: u16,
    /// An SQS queue that CloudTrail's events come to, as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or for any other
    /// endpoint URL,region=REGION. May be given several times; in the variable a space stands between two. Default: none,
    /// and the sweeps alone find what happens.
    #[arg(
        long = "event-queue-url",
        env = "PEERKEEPER_EVENT_QUEUE_URL",
        value_delimiter = ' ',
        value_name = "URL"
    )]
    pub event_queue_urls: Vec<QueueUrl>,
    /// How many VpcPeerings are worked on at once. AWS allows an account 25 requests that wait to be accepted.
    #[arg(long, env = "PEERKEEPER_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64), value_name = "COUNT")]
    pub concurrency: u16,
    /// How long a write of ours may stay invisible before a reading that lacks it counts as drift, and how long after a
    /// start nothing counts as gone. Lower it only against an AWS endpoint that is always consistent.
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub settle_window: Duration,
    /// How far apart two readings must be to prove that something is gone. Lower it only as above.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub absence_gap: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: GoDuration =
        text.parse().map_err(|error| format!("{error}; write for example 90s, 5m or 1h30m"))?;
    Ok(parsed.0)
}

pub(super) fn owner_id(text: &str) -> Result<String, String> {
    let fits = (1..=63).contains(&text.len());
    let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if fits && clean {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 63 letters, digits, '-', '.' or '_', such as prod-eu-1".to_owned())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RunCommandError {
    #[error("{0} must be whole seconds and positive")]
    Duration(&'static str),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Builds the runtime and runs until a signal.
pub fn run(args: &RunArgs) -> Result<(), RunCommandError> {
    log(args.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(RunError::Io)?;
    let ended = runtime.block_on(start(args));
    // What is still under way must not hold up the end.
    runtime.shutdown_background();
    ended
}

async fn start(args: &RunArgs) -> Result<(), RunCommandError> {
    let options = options(args)?;
    let client = controller::client().await?;
    let write_timeout = options.lease.write_timeout();
    let make_aws = async |owner_id: &str| {
        Aws::new(aws_config(args, owner_id, write_timeout)).await.map_err(|error| error.to_string())
    };
    controller::run(client, make_aws, options).await?;
    Ok(())
}

fn options(args: &RunArgs) -> Result<Options, RunCommandError> {
    if args.sweep_interval.is_zero() {
        return Err(RunCommandError::Duration("--sweep-interval"));
    }
    let duration_s = u32::try_from(args.lease_duration.as_secs())
        .map_err(|_| RunCommandError::Duration("--lease-duration"))?;
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "peerkeeper".to_owned());
    Ok(Options {
        owner_id: args.owner_id.clone(),
        lease: LeaseOptions {
            namespace: args.lease_namespace.clone(),
            name: args.lease_name.clone(),
            duration_s,
            identity: format!("{host}_{:016x}", fastrand::u64(..)),
        },
        health_address: args.health_address,
        sweep_interval: args.sweep_interval,
        timing: timing(args),
        concurrency: usize::from(args.concurrency),
        max_restores: args.max_restores,
        max_removals: args.max_removals,
        audit_log: args.audit_log.as_deref().map(AuditLog::at),
        incident_history: usize::from(args.incident_history),
        event_queues: args.event_queue_urls.clone(),
    })
}

fn timing(args: &RunArgs) -> Timing {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timing {
        settle_ms: ms(args.settle_window),
        absence_gap_ms: ms(args.absence_gap),
        // A sweep that ran late by a little is no reason to call everything unknown.
        stale_ms: ms(args.sweep_interval).saturating_mul(3).max(30_000),
        ..Timing::default()
    }
}

fn aws_config(args: &RunArgs, owner_id: &str, write_timeout: Duration) -> AwsConfig {
    AwsConfig {
        // The lease has to outlast every write.
        write_timeout,
        absence_gap_ms: timing(args).absence_gap_ms,
        ..args.aws.config(owner_id)
    }
}

fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
