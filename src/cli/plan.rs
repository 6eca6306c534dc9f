//! `peerkeeper plan`: what would be done, without doing it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use peerkeeper_core::time::{Now, Timing};

use super::aws::AwsArgs;
use super::manifests::{ManifestArgs, ManifestError, Manifests};
use super::offline::{self, OfflineError, Trouble};
use super::run::owner_id;
use super::show::{self, Format, PlanView, Style};
use crate::aws::{Aws, clock};
use crate::declare::DeclareError;

/// Compares manifests with AWS and shows what would be done. It only ever reads.
///
/// Exit code: 0 if everything is as declared, 2 if something would be changed or held, 1 after an error.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// text, json, or markdown for a comment on a pull request.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// The installation's name in AWS tags. Default: a tag that names a VpcPeering's namespace and name counts as its own,
    /// whichever installation wrote it.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID")]
    pub owner_id: Option<String>,
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// Stands in tags where nobody said whose they are.
const ANY_OWNER: &str = "OWNER-ID";
/// As of the operator.
const LIMIT: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("a manifest can't be read: {0}")]
    Declare(#[from] DeclareError),
    #[error("{}", told(.0))]
    Aws(Vec<Trouble>),
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn told(troubles: &[Trouble]) -> String {
    let lines: BTreeSet<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
    let lines: Vec<&str> = lines.into_iter().collect();
    format!("AWS could not be read everywhere, so the plan is not complete:\n{}", lines.join("\n"))
}

/// Plans, prints the plan, and says how it came out.
pub fn run(args: &PlanArgs) -> Result<ExitCode, PlanError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let planned = runtime.block_on(plan(args));
    runtime.shutdown_background();
    let (view, troubles) = planned?;
    show::print(&show::plan(&view, args.output, Style::of_stdout())?)?;
    match (troubles.is_empty(), view.is_in_sync()) {
        (false, _) => Err(PlanError::Aws(troubles)),
        (true, true) => Ok(ExitCode::SUCCESS),
        (true, false) => Ok(ExitCode::from(2)),
    }
}

async fn plan(args: &PlanArgs) -> Result<(PlanView, Vec<Trouble>), PlanError> {
    let manifests = Manifests::read(&args.manifests)?;
    let owner = args.owner_id.as_deref().unwrap_or(ANY_OWNER);
    let aws = Aws::new(args.aws.config(owner)).await.map_err(OfflineError::from)?;
    let read = offline::read(
        &aws,
        &manifests,
        args.owner_id.as_deref(),
        ANY_OWNER,
        (LIMIT, LIMIT),
        Timing::default(),
    );
    let (house, troubles) = read.await?;
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plans = offline::plan(house, aws.reader(), now).await;
    Ok((PlanView::new(&plans, &manifests.skipped, notes(&manifests)), troubles))
}

/// Grants go by the labels of namespaces: a namespace that nothing tells of has none but its name.
fn notes(manifests: &Manifests) -> Vec<String> {
    if manifests.accounts.is_empty() {
        return Vec::new();
    }
    let used: BTreeSet<&str> = manifests.used_namespaces().collect();
    let unknown = used.into_iter().filter(|name| !manifests.namespaces.contains_key(*name));
    unknown
        .map(|name| {
            format!("no manifest of Namespace {name} was given: grants that ask for its labels, other than that of its name, do not hold")
        })
        .collect()
}
