//! `peerkeeper graph`: a picture of what is declared and what is live.

pub mod dot;
pub mod mermaid;
pub mod model;
pub mod survey;
pub mod svg;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::ValueEnum;
use peerkeeper_core::desired::Desired;
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::memory::Life;
use peerkeeper_core::time::{Now, Timing};

use super::aws::AwsArgs;
use super::manifests::{SourceArgs, SourceError};
use super::offline::{self, House, OfflineError, Trouble};
use super::run::owner_id;
use super::show;
use crate::aws::{Looking, clock};

use model::Model;
use survey::Survey;

/// Draws VPCs and peerings: what is declared, in manifests or in a cluster, against what AWS shows. It only ever reads.
///
/// Exit code: 0 if it was drawn from a complete reading, 1 after an error; what could be read is drawn all the same.
#[derive(Clone, Debug, clap::Args)]
pub struct GraphArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// mermaid for Markdown on GitHub and GitLab, dot for Graphviz, or svg, a picture of its own.
    #[arg(short, long, default_value = "mermaid", value_name = "FORMAT")]
    pub output: GraphFormat,
    /// The installation's name in AWS tags. Default: with --kube the UID of the kube-system namespace, as of the operator;
    /// else a tag that names a VpcPeering's namespace and name counts as its own, whichever installation wrote it.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID")]
    pub owner_id: Option<String>,
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// What a graph is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    #[default]
    Mermaid,
    Dot,
    Svg,
}

/// Stands for whoever made a peering, where nobody says whose tags are ours.
const ANY_OWNER: &str = "OWNER-ID";
/// As of the operator.
const LIMIT: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("{}", told(.0))]
    Aws(Vec<Trouble>),
    #[error("objects of the cluster can't be read, so the graph is not complete:\n{}", .0.join("\n"))]
    Unreadable(Vec<String>),
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

fn told(troubles: &[Trouble]) -> String {
    let lines: BTreeSet<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
    let lines: Vec<&str> = lines.into_iter().collect();
    format!("AWS could not be read everywhere, so the graph is not complete:\n{}", lines.join("\n"))
}

/// Reads, draws, and says what was not read.
pub fn run(args: &GraphArgs) -> Result<ExitCode, GraphError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let surveyed = runtime.block_on(survey(args));
    runtime.shutdown_background();
    let Surveyed { model, troubles, unreadable } = surveyed?;
    let text = write(&model, args.output);
    if args.output == GraphFormat::Mermaid {
        mermaid::beyond(&model, &text).iter().for_each(|warning| eprintln!("peerkeeper: {warning}"));
    }
    show::print(&text)?;
    match (unreadable.is_empty(), troubles.is_empty()) {
        (true, true) => Ok(ExitCode::SUCCESS),
        (true, false) => Err(GraphError::Aws(troubles)),
        (false, _) => {
            let of_aws = troubles.into_iter().map(|trouble| trouble.what);
            Err(GraphError::Unreadable(unreadable.into_iter().chain(of_aws).collect()))
        }
    }
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
struct Surveyed {
    model: Model,
    /// Of AWS.
    troubles: Vec<Trouble>,
    /// Of the cluster.
    unreadable: Vec<String>,
}

async fn survey(args: &GraphArgs) -> Result<Surveyed, GraphError> {
    let manifests = args.source.read(args.owner_id.as_deref()).await?;
    let of_cluster = manifests.cluster.as_ref().map(|cluster| cluster.owner_id.as_str());
    let owner = args.owner_id.as_deref().or(of_cluster);
    let aws = Looking::new(args.aws.config(owner.unwrap_or(ANY_OWNER))).await.map_err(OfflineError::from)?;
    let read = offline::read(&aws, &manifests, owner, ANY_OWNER, (LIMIT, LIMIT), Timing::default());
    let (house, troubles) = read.await?;
    let accounts = house.state.declared.iter().map(|(name, account)| (name.clone(), account.account));
    let reader = aws.reader();
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
    let unreadable = manifests.cluster.map(|cluster| cluster.unreadable).unwrap_or_default();
    Ok(Surveyed { model: survey.model(), troubles, unreadable })
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
