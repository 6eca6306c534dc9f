//! `peerkeeper incidents`: what was lost, by whom, what was done, and a person's decision about it.

mod decide;
mod watch;

use std::io;

use crate::api::{PeeringIncident, Timestamp};

use super::kube::{Kube, KubeArgs, KubeError, Listed, Scope};
use super::nearest::{did_you_mean, nearest};
use super::show::incidents::{IncidentRow, IncidentTable, IncidentView, incident, sorted};
use super::show::{self, Style};

/// Lists incidents, shows one, and decides about one.
#[derive(Clone, Debug, clap::Args)]
pub struct IncidentsArgs {
    #[command(subcommand)]
    pub command: IncidentsCommand,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub enum IncidentsCommand {
    List(ListArgs),
    Show(ShowArgs),
    Approve(ApproveArgs),
    Reject(RejectArgs),
}

/// Lists what was lost or drifted: what, who, when, what now. What is open comes first.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Those of this namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Those of all namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Goes on, with one line for each that changes.
    #[arg(short, long)]
    pub watch: bool,
    /// text or json. With --watch, JSON is one object a line.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Output,
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// Tells one incident: what was lost, who did it and how sure that is, what broke, what was done, and what is left to
/// decide, with the command that decides it.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowArgs {
    /// The PeeringIncident, as `list` names it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// text or json.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Output,
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// Approves the plan of an incident: the one that is shown, and no other.
#[derive(Clone, Debug, clap::Args)]
pub struct ApproveArgs {
    /// The PeeringIncident, as `list` names it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The digest of the plan that was looked at. Any other plan is refused, and nothing is asked.
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// Does not ask, and approves the plan that is there.
    #[arg(short, long)]
    pub yes: bool,
    /// Why, for those who read it later: at most 1024 characters.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Its namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// Decides against the plan of an incident: AWS is left as it is until another plan is approved, or the VpcPeering changes.
#[derive(Clone, Debug, clap::Args)]
pub struct RejectArgs {
    /// The PeeringIncident, as `list` names it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Decides against the plan of this digest alone: another one asks anew. Default: against whatever is proposed.
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// Why, for those who read it later: at most 1024 characters.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Its namespace. Default: that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum IncidentsError {
    #[error(transparent)]
    Kube(#[from] KubeError),
    #[error(
        "there is no PeeringIncident {name} in namespace {namespace}{near}\npeerkeeper incidents list -A lists those of all namespaces"
    )]
    Absent { namespace: String, name: String, near: String },
    #[error(
        "these PeeringIncidents can't be read: are Peerkeeper's CRDs and this binary of one version?\n{0}"
    )]
    Unparsable(String),
    #[error("PeeringIncident {of} asks for no decision: {why}")]
    NothingProposed { of: String, why: String },
    #[error(
        "the plan of PeeringIncident {of} is not the one that you looked at, so nothing was decided\nlooked at: {seen}\nproposed now: {now}\nlook at it again: {look}"
    )]
    PlanChanged { of: String, seen: String, now: String, look: String },
    #[error(
        "somebody else decided about PeeringIncident {of} meanwhile, so nothing was written: look at it again: {look}"
    )]
    Decided { of: String, look: String },
    #[error(
        "nobody can be asked here (standard input is no terminal), so nothing was decided: name the plan that you looked at with --digest, or give --yes"
    )]
    NobodyToAsk,
    #[error("nothing was decided: the answer was not yes")]
    Declined,
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Does what the subcommand says.
pub fn run(args: &IncidentsArgs) -> Result<(), IncidentsError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match &args.command {
            IncidentsCommand::List(args) => list(args).await,
            IncidentsCommand::Show(args) => show_one(args).await,
            IncidentsCommand::Approve(args) => decide::approve(args).await,
            IncidentsCommand::Reject(args) => decide::reject(args).await,
        }
    });
    runtime.shutdown_background();
    done
}

async fn list(args: &ListArgs) -> Result<(), IncidentsError> {
    let kube = args.kube.connect().await?;
    let scope = kube.scope(args.namespace.as_deref(), args.all_namespaces);
    let (rows, unparsable) = rows(&kube, &scope).await?;
    if args.watch {
        unparsable.iter().for_each(|why| eprintln!("peerkeeper: {why}"));
        return watch::follow(&kube, &scope, rows, args.output).await;
    }
    let text = match args.output {
        Output::Json => {
            format!("{}\n", serde_json::to_string_pretty(&serde_json::json!({"incidents": rows}))?)
        }
        Output::Text if rows.is_empty() => String::new(),
        Output::Text => IncidentTable::new(&rows, Timestamp::now(), args.all_namespaces).text().to_owned(),
    };
    show::print(&text)?;
    if rows.is_empty() && unparsable.is_empty() {
        // An incident elsewhere is not to be missed at night because the context names another namespace.
        let elsewhere =
            if matches!(scope, Scope::One(_)) { " With -A, those of all are listed." } else { "" };
        eprintln!("No PeeringIncidents in {scope}.{elsewhere}");
    }
    if unparsable.is_empty() { Ok(()) } else { Err(IncidentsError::Unparsable(unparsable.join("\n"))) }
}

/// All of them, and why others can't be read.
async fn rows(kube: &Kube, scope: &Scope) -> Result<(Vec<IncidentRow>, Vec<String>), IncidentsError> {
    let (mut rows, mut unparsable) = (Vec::new(), Vec::new());
    for found in kube.list::<PeeringIncident>(scope).await? {
        match found {
            Listed::Read(object) => rows.push(IncidentRow::new(&object)),
            Listed::Unparsable { object, why } => unparsable.push(format!("{object}: {why}")),
        }
    }
    Ok((sorted(rows), unparsable))
}

async fn show_one(args: &ShowArgs) -> Result<(), IncidentsError> {
    let kube = args.kube.connect().await?;
    let object = find(&kube, args.namespace.as_deref(), &args.name).await?;
    let view = IncidentView::new(&object);
    let text = match args.output {
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&view)?),
        Output::Text => incident(&view, Timestamp::now(), Style::of_stdout()),
    };
    Ok(show::print(&text)?)
}

/// The incident of this name, or those that may have been meant.
async fn find(kube: &Kube, namespace: Option<&str>, name: &str) -> Result<PeeringIncident, IncidentsError> {
    let namespace = match kube.scope(namespace, false) {
        Scope::One(namespace) => namespace,
        Scope::All => String::new(),
    };
    if let Some(found) = kube.get::<PeeringIncident>(&namespace, name).await? {
        return Ok(found);
    }
    // Who may read one by name need not be allowed to list them: that must not hide that it is absent.
    let others = rows(kube, &Scope::One(namespace.clone())).await.map(|(rows, _)| rows).unwrap_or_default();
    let near = did_you_mean(&nearest(name, others.iter().map(|row| row.name.as_str())));
    Err(IncidentsError::Absent { namespace, name: name.to_owned(), near })
}
