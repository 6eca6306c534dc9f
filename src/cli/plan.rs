//! `peerkeeper plan`: what would be done, without doing it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use peerkeeper_core::time::{Now, Timing};

use super::aws::AwsArgs;
use super::manifests::{Manifests, SourceArgs, SourceError, is_shown};
use super::offline::{self, OfflineError, Trouble};
use super::run::owner_id;
use super::show::{self, Format, PlanView, Style};
use crate::aws::{Looking, clock};

/// Compares what is declared, in manifests or in a cluster, with AWS and shows what would be done. It only ever reads.
///
/// Exit code: 0 if everything is as declared, 2 if something would be changed or held, 1 after an error.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// text, json, or markdown for a comment on a pull request.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// The installation's name in AWS tags. Default: with --kube the UID of the kube-system namespace, as of the operator;
    /// else a tag that names a VpcPeering's namespace and name counts as its own, whichever installation wrote it.
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
    Source(#[from] SourceError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("{}", told(.0))]
    Aws(Vec<Trouble>),
    #[error("objects of the cluster can't be read, so the plan is not complete:\n{}", .0.join("\n"))]
    Unreadable(Vec<String>),
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
    let Planned { view, troubles, unreadable } = planned?;
    show::print(&show::plan(&view, args.output, Style::of_stdout())?)?;
    match (troubles.is_empty(), unreadable.is_empty(), view.is_in_sync()) {
        (_, false, _) => Err(PlanError::Unreadable(
            unreadable.into_iter().chain(troubles.into_iter().map(|trouble| trouble.what)).collect(),
        )),
        (false, true, _) => Err(PlanError::Aws(troubles)),
        (true, true, true) => Ok(ExitCode::SUCCESS),
        (true, true, false) => Ok(ExitCode::from(2)),
    }
}

/// What came of it, and what is missing.
struct Planned {
    view: PlanView,
    /// Of AWS.
    troubles: Vec<Trouble>,
    /// Of the cluster.
    unreadable: Vec<String>,
}

async fn plan(args: &PlanArgs) -> Result<Planned, PlanError> {
    let manifests = args.source.read(args.owner_id.as_deref()).await?;
    let of_cluster = manifests.cluster.as_ref().map(|cluster| cluster.owner_id.as_str());
    let known_owner = args.owner_id.as_deref().or(of_cluster);
    let aws =
        Looking::new(args.aws.config(known_owner.unwrap_or(ANY_OWNER))).await.map_err(OfflineError::from)?;
    let read = offline::read(&aws, &manifests, known_owner, ANY_OWNER, (LIMIT, LIMIT), Timing::default());
    let (house, troubles) = read.await?;
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plans = offline::plan(house, aws.reader(), now).await;
    let view = PlanView::new(&plans, &manifests.skipped, notes(&manifests));
    Ok(Planned {
        view,
        troubles,
        unreadable: manifests.cluster.map(|cluster| cluster.unreadable).unwrap_or_default(),
    })
}

/// What may explain what is planned. Grants go by the labels of namespaces: a namespace that nothing tells of has none but
/// its name.
fn notes(manifests: &Manifests) -> Vec<String> {
    let mut notes = Vec::new();
    if manifests.cluster.as_ref().is_some_and(|cluster| !cluster.is_whole) {
        notes.push(
            "only the objects of this namespace may be read: who holds a pair of VPCs or a route is judged among them alone"
                .to_owned(),
        );
    }
    if manifests.accounts.is_empty() {
        return notes;
    }
    let shown = manifests.peerings.keys().filter(|key| is_shown(manifests, key));
    let used: BTreeSet<&str> = shown.map(|key| &*key.namespace).collect();
    let unknown = used.into_iter().filter(|name| !manifests.namespaces.contains_key(*name));
    notes.extend(unknown.map(|name| match manifests.cluster {
        Some(_) => format!("Namespace {name} is not in the cluster: grants that ask for its labels, other than that of its name, do not hold"),
        None => format!("no manifest of Namespace {name} was given: grants that ask for its labels, other than that of its name, do not hold"),
    }));
    notes
}
