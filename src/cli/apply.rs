//! `peerkeeper apply`: makes AWS as manifests declare it, without a cluster.

mod progress;
mod tally;

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use peerkeeper_core::time::{Now, Timing};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::progress::Progress;
use super::aws::AwsArgs;
use super::look::lines;
use super::manifests::{ManifestArgs, ManifestError, Manifests};
use super::offline::{self, Ended, OfflineError};
use super::run::{duration, owner_id};
use super::show::{self, Format, PlanView, Style};
use crate::aws::{Aws, AwsConfig, clock};

/// Makes AWS as manifests declare it, and reads back that it is. For places without a cluster.
///
/// It remembers nothing between two runs: what it goes by is what AWS shows. One run at a time: no lease keeps two apart.
/// Exit code: 0 if everything is as declared, 2 if something is held, 1 after an error or when nothing was done, 130 or
/// 143 if it was stopped at once.
#[derive(Clone, Debug, clap::Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// How the outcome is written: text, json or markdown.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// The installation's name in AWS tags: what is tagged with another is left alone.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID", required = true)]
    pub owner_id: String,
    /// Do what cuts, moves or removes something without asking. Where nobody can be asked, it is needed for that.
    #[arg(short, long)]
    pub yes: bool,
    /// How many lost or drifted peerings one run may repair.
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub max_restores: u32,
    /// For how many peerings one run may cut, move or remove something.
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub max_removals: u32,
    /// When to stop waiting for what is still under way.
    #[arg(long, default_value = "15m", value_parser = duration, value_name = "DURATION")]
    pub timeout: Duration,
    /// How long a write may stay invisible, and how long after the start nothing counts as gone. Lower it only against an
    /// AWS endpoint that is always consistent.
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub settle_window: Duration,
    /// How far apart two readings must be to prove that something is gone. Lower it only as above.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub absence_gap: Duration,
    #[command(flatten)]
    pub aws: AwsArgs,
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("AWS could not be read everywhere, so nothing was done:\n{0}")]
    Aws(String),
    #[error(
        "the plan cuts, moves or removes something for {count} of the peerings, and one run may do so for {limit}; nothing was done. Look at the plan, then raise --max-removals"
    )]
    TooMany { count: usize, limit: u32 },
    #[error(
        "the plan cuts, moves or removes something, and nobody is here to be asked; nothing was done. Look at the plan, then say --yes"
    )]
    NobodyToAsk,
    #[error("nothing was done: the answer was not yes")]
    Declined,
    #[error("after {0} s something was still under way; run it again to go on")]
    TimeUp(u64),
    #[error("stopped; what was begun is finished by the next run")]
    Stopped,
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

pub fn run(args: &ApplyArgs) -> Result<ExitCode, ApplyError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let applied = runtime.block_on(apply(args));
    runtime.shutdown_background();
    applied
}

async fn apply(args: &ApplyArgs) -> Result<ExitCode, ApplyError> {
    let manifests = Manifests::read(&args.manifests)?;
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (settle_ms, absence_gap_ms) = (ms(args.settle_window), ms(args.absence_gap));
    let timing = Timing { settle_ms, absence_gap_ms, ..Timing::default() };
    let config = AwsConfig { absence_gap_ms, ..args.aws.config(&args.owner_id) };
    let aws = Aws::new(config).await.map_err(OfflineError::from)?;
    let looking = aws.looking();
    let limits = (args.max_restores, args.max_removals);
    let read = || offline::read(&looking, &manifests, Some(&args.owner_id), limits, timing);
    let (house, troubles) = read().await?;
    if !troubles.is_empty() {
        return Err(ApplyError::Aws(lines(&troubles)));
    }
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plan = PlanView::new(&offline::plan(house, aws.reader(), now).await, &manifests.skipped, Vec::new());
    say(&show::plan(&plan, Format::Text, Style::PLAIN)?);
    if plan.summary.actions > 0 {
        ask(args, &plan)?;
    }
    let (house, troubles) = read().await?;
    if !troubles.is_empty() {
        return Err(ApplyError::Aws(lines(&troubles)));
    }
    let until = clock::now().plus_ms(ms(args.timeout));
    let progress = Progress::begin(plan.summary.peerings, plan.summary.actions, until);
    let ticking = tokio::spawn(progress.clone().tick());
    let stop = stop_on_signal(progress.clone());
    let port = offline::AtAws::new(&aws, timing.fresh_ms, stop, progress.clone());
    let (plans, ended) = offline::converge(house, &port, args.timeout).await;
    ticking.abort();
    progress.end();
    let view = PlanView::new(&plans, &manifests.skipped, Vec::new()).named("Applied");
    show::print(&show::plan(&view, args.output, Style::of_stdout())?)?;
    match ended {
        Ended::Stopped => Err(ApplyError::Stopped),
        Ended::TimeUp => Err(ApplyError::TimeUp(args.timeout.as_secs())),
        Ended::Settled if view.is_in_sync() => Ok(ExitCode::SUCCESS),
        Ended::Settled => Ok(ExitCode::from(2)),
    }
}

/// What destroys something is done only within the limits of one run, and only with somebody's leave.
fn ask(args: &ApplyArgs, plan: &PlanView) -> Result<(), ApplyError> {
    let count =
        plan.peerings.iter().filter(|peering| peering.actions.iter().any(|a| a.is_destructive())).count();
    if count == 0 {
        return Ok(());
    }
    if count > args.max_removals as usize {
        return Err(ApplyError::TooMany { count, limit: args.max_removals });
    }
    if args.yes {
        return Ok(());
    }
    // Manifests that come by standard input leave nobody to answer there.
    if !io::stdin().is_terminal() || args.manifests.filename.iter().any(|given| given == "-") {
        return Err(ApplyError::NobodyToAsk);
    }
    say(&format!(
        "This cuts, moves or removes something for {count} of {} peerings. Go on? [yes/no] ",
        plan.summary.peerings
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(ApplyError::Declined) }
}

/// Words on standard error. Who stopped reading has read enough.
fn say(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Ctrl-C and SIGTERM let what is under way end, and nothing more is sent; the second ends the process there and then. They
/// are heard from the return on.
fn stop_on_signal(progress: Arc<Progress>) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    tokio::spawn(async move {
        heard(&mut interrupt, &mut terminate).await;
        set.store(true, Ordering::SeqCst);
        progress.stop();
        let code = heard(&mut interrupt, &mut terminate).await;
        progress.end();
        say(
            "peerkeeper: stopped at once; what was under way may have happened all the same: run it again to go on\n",
        );
        std::process::exit(code);
    });
    stop
}

/// Waits for either, and returns the exit code that a shell gives to a process that it ended.
async fn heard(interrupt: &mut io::Result<Signal>, terminate: &mut io::Result<Signal>) -> i32 {
    tokio::select! {
        () = one(interrupt) => 130,
        () = one(terminate) => 143,
    }
}

async fn one(signal: &mut io::Result<Signal>) {
    match signal {
        Ok(signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}
