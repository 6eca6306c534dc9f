//! `peerkeeper graph`: a picture of what is declared and what is live.

pub mod dot;
pub mod mermaid;
pub mod model;
pub mod survey;
pub mod svg;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::ValueEnum;
use peerkeeper_core::time::{Now, Timing};

use super::aws::AwsArgs;
use super::manifests::{ManifestArgs, ManifestError, Manifests};
use super::offline::{self, OfflineError, Trouble};
use super::show;
use crate::aws::{Aws, clock};

use model::Model;
use survey::Survey;

/// Draws VPCs and peerings: what manifests declare against what AWS shows. It only ever reads.
///
/// Exit code: 0 if it was drawn from a complete reading, 1 after an error; what could be read is drawn all the same.
#[derive(Clone, Debug, clap::Args)]
pub struct GraphArgs {
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// mermaid for Markdown on GitHub and GitLab, dot for Graphviz, or svg, a picture of its own.
    #[arg(short, long, default_value = "mermaid", value_name = "FORMAT")]
    pub output: GraphFormat,
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

/// Nobody's tags are looked for: whoever made a peering, it is drawn.
const ANY_OWNER: &str = "OWNER-ID";
/// As of the operator.
const LIMIT: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("{}", told(.0))]
    Aws(Vec<Trouble>),
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
    let (model, troubles) = surveyed?;
    let text = write(&model, args.output);
    if args.output == GraphFormat::Mermaid {
        mermaid::beyond(&model, &text).iter().for_each(|warning| eprintln!("peerkeeper: {warning}"));
    }
    show::print(&text)?;
    if troubles.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(GraphError::Aws(troubles)) }
}

/// The same model gives the same bytes.
pub fn write(model: &Model, format: GraphFormat) -> String {
    match format {
        GraphFormat::Mermaid => mermaid::write(model),
        GraphFormat::Dot => dot::write(model),
        GraphFormat::Svg => svg::write(model),
    }
}

async fn survey(args: &GraphArgs) -> Result<(Model, Vec<Trouble>), GraphError> {
    let manifests = Manifests::read(&args.manifests)?;
    let aws = Aws::new(args.aws.config(ANY_OWNER)).await.map_err(OfflineError::from)?;
    let read = offline::read(&aws, &manifests, None, ANY_OWNER, (LIMIT, LIMIT), Timing::default());
    let (house, troubles) = read.await?;
    let mut survey = Survey::default();
    let known = house.state.declared.iter();
    survey.accounts = known.map(|(name, account)| (name.clone(), account.account)).collect();
    let reader = aws.reader();
    let places = house.state.places();
    survey.views = places
        .into_iter()
        .map(|(name, region)| {
            let view = reader.view(&name, region);
            ((name, region), view)
        })
        .collect();
    let mut declared: Vec<_> = house.keys().iter().filter_map(|key| house.desired(key).cloned()).collect();
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let mut plans: std::collections::BTreeMap<_, _> =
        offline::plan(house, reader, now).await.into_iter().map(|plan| (plan.key.clone(), plan)).collect();
    survey.declared = declared
        .drain(..)
        .map(|desired| {
            let plan = plans.remove(&desired.key);
            (desired, plan)
        })
        .collect();
    Ok((survey.model(), troubles))
}
