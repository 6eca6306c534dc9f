//! `peerkeeper graph`: a picture of what is declared and what is live.

pub mod dot;
pub mod mermaid;
pub mod model;
pub mod survey;
pub mod svg;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::ValueEnum;
use peerkeeper_core::desired::Desired;
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::memory::Life;
use peerkeeper_core::time::Now;

use super::look::{Gaps, Incomplete, LookArgs, LookError, Looked};
use super::offline::{self, House};
use super::show;
use crate::aws::clock;

use model::Model;
use survey::Survey;

/// Draws VPCs and peerings: what is declared, in manifests or in a cluster, against what AWS shows. It only ever reads.
///
/// Exit code: 0 if it was drawn from a complete reading, 1 after an error; what could be read is drawn all the same.
#[derive(Clone, Debug, clap::Args)]
pub struct GraphArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// mermaid for Markdown on GitHub and GitLab, dot for Graphviz, or svg, a picture of its own.
    #[arg(short, long, default_value = "mermaid", value_name = "FORMAT")]
    pub output: GraphFormat,
}

/// What a graph is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    #[default]
    Mermaid,
    Dot,
    Svg,
}

#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

/// Reads, draws, and says what was not read.
pub fn run(args: &GraphArgs) -> Result<ExitCode, GraphError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let surveyed = runtime.block_on(survey(args));
    runtime.shutdown_background();
    let (model, gaps) = surveyed?;
    let text = write(&model, args.output);
    if args.output == GraphFormat::Mermaid {
        mermaid::beyond(&model, &text).iter().for_each(|warning| eprintln!("peerkeeper: {warning}"));
    }
    show::print(&text)?;
    gaps.told("graph")?;
    Ok(ExitCode::SUCCESS)
}

/// The same model gives the same bytes.
pub fn write(model: &Model, format: GraphFormat) -> String {
    match format {
        GraphFormat::Mermaid => mermaid::write(model),
        GraphFormat::Dot => dot::write(model),
        GraphFormat::Svg => svg::write(model),
    }
}

/// What is drawn, and what is missing.
async fn survey(args: &GraphArgs) -> Result<(Model, Gaps), GraphError> {
    let Looked { house, reader, gaps, .. } = args.look.look().await?;
    let accounts = house.state.declared.iter().map(|(name, account)| (name.clone(), account.account));
    let view = |(name, region): survey::Place| {
        let view = reader.view(&name, region);
        ((name, region), view)
    };
    let known = house.state.peerings.values().filter_map(|known| known.desired.as_ref().ok());
    let mut survey = Survey {
        accounts: accounts.collect(),
        views: house.state.places().into_iter().map(view).collect(),
        claimed: known.map(Desired::pair).collect(),
        declared: Vec::new(),
    };
    let declared: Vec<Desired> = house.keys().iter().filter_map(|key| remembered(&house, key)).collect();
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plans = offline::plan(house, reader, now).await;
    let mut plans: BTreeMap<_, _> = plans.into_iter().map(|plan| (plan.key.clone(), plan)).collect();
    let with_plan = |desired: Desired| {
        let plan = plans.remove(&desired.key);
        (desired, plan)
    };
    survey.declared = declared.into_iter().map(with_plan).collect();
    Ok((survey.model(), gaps))
}

/// What is declared. What memory says was once established counts as if the annotation said so.
fn remembered(house: &House, key: &ObjectKey) -> Option<Desired> {
    let mut desired = house.desired(key)?.clone();
    let established = match house.memory(key)?.life {
        Life::Established(id) | Life::Released { lost: id, .. } => Some(id),
        Life::NeverSeen | Life::Requested { .. } => None,
    };
    desired.established = established.or(desired.established);
    Some(desired)
}
