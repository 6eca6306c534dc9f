//! `peerkeeper plan`: what would be done, without doing it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use peerkeeper_core::time::Now;

use super::look::{Gaps, Incomplete, LookArgs, LookError, Looked};
use super::manifests::{Manifests, is_shown};
use super::offline;
use super::show::{self, Format, PlanView, Style};
use crate::aws::clock;

/// Compares what is declared, in manifests or in a cluster, with AWS and shows what would be done. It only ever reads.
///
/// Exit code: 0 if everything is as declared, 2 if something would be changed or held, 1 after an error.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// text, json, or markdown for a comment on a pull request.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Plans, prints the plan, and says how it came out.
pub fn run(args: &PlanArgs) -> Result<ExitCode, PlanError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let planned = runtime.block_on(plan(args));
    runtime.shutdown_background();
    let (view, gaps) = planned?;
    show::print(&show::plan(&view, args.output, Style::of_stdout())?)?;
    gaps.told("plan")?;
    Ok(if view.is_in_sync() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

async fn plan(args: &PlanArgs) -> Result<(PlanView, Gaps), PlanError> {
    let Looked { manifests, house, reader, gaps } = args.look.look().await?;
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plans = offline::plan(house, reader, now).await;
    Ok((PlanView::new(&plans, &manifests.skipped, notes(&manifests)), gaps))
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
