//! `peerkeeper explain`: one peering connection, route table, VPC or VpcPeering, and why it is as it is.

mod cluster;
mod live;
mod release;

use std::fmt;
use std::io;
use std::str::FromStr;

use peerkeeper_core::ids::{PeeringId, RouteTableId, VpcId};

use super::aws::AwsArgs;
use super::incidents::Output;
use super::kube::{KubeArgs, KubeError};
use super::look::lines;
use super::manifests::ManifestError;
use super::offline::{OfflineError, Trouble};
use super::run::owner_id;
use super::show::explain::{ExplainView, explained};
use super::show::{self, Style};
use crate::api::Timestamp;
use crate::declare::DeclareError;

/// Tells who declares a thing, how it stands and since when, what Peerkeeper would do and why not, and what releases each hold.
///
/// Without -f it is what the objects of the cluster say; with -f, what manifests and AWS say. It only ever reads.
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainArgs {
    /// A peering connection (pcx-...), a route table (rtb-...), a VPC (vpc-...), or a VpcPeering: NAME or NAMESPACE/NAME.
    #[arg(value_name = "ID|NAME")]
    pub subject: Subject,
    /// Manifests, which are compared with AWS: a file, a folder, or `-` for standard input. May be given several times.
    #[arg(short, long = "filename", value_name = "PATH", conflicts_with = "kube")]
    pub filename: Vec<String>,
    /// Read the folders within folders too.
    #[arg(short = 'R', long, requires = "filename")]
    pub recursive: bool,
    /// What the cluster's objects say. The default without -f.
    #[arg(long)]
    pub kube: bool,
    /// The namespace of a NAME, and of objects in files that name none. Default: that of the context, or `default`. An id is
    /// looked for in all namespaces.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// text or json.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: Output,
    /// The installation's name in AWS tags, with -f. Default: a tag that names a VpcPeering's namespace and name counts as its
    /// own, whichever installation wrote it.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID")]
    pub owner_id: Option<String>,
    #[command(flatten)]
    pub cluster: KubeArgs,
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Peering(String),
    Table(String),
    Vpc(String),
    Object { namespace: Option<String>, name: String },
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |error: peerkeeper_core::ids::BadId| error.to_string();
        let id = text.to_owned();
        if text.starts_with("pcx-") {
            return text.parse::<PeeringId>().map(|_| Self::Peering(id)).map_err(bad);
        }
        if text.starts_with("rtb-") {
            return text.parse::<RouteTableId>().map(|_| Self::Table(id)).map_err(bad);
        }
        if text.starts_with("vpc-") {
            // A VpcPeering may be called so too.
            let object = Self::Object { namespace: None, name: id.clone() };
            return Ok(text.parse::<VpcId>().map(|_| Self::Vpc(id)).unwrap_or(object));
        }
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self::Object { namespace: Some(namespace.to_owned()), name: name.to_owned() })
            }
            None if !text.is_empty() => Ok(Self::Object { namespace: None, name: text.to_owned() }),
            _ => {
                Err("write pcx-..., rtb-..., vpc-..., the NAME of a VpcPeering, or NAMESPACE/NAME".to_owned())
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peering(id) | Self::Table(id) | Self::Vpc(id) => f.write_str(id),
            Self::Object { namespace: Some(namespace), name } => write!(f, "{namespace}/{name}"),
            Self::Object { namespace: None, name } => f.write_str(name),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error(transparent)]
    Kube(#[from] KubeError),
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("a manifest can't be read: {0}")]
    Declare(#[from] DeclareError),
    #[error("there is no VpcPeering {of} in {place}{near}")]
    NoObject { of: String, place: String, near: String },
    #[error(
        "no VpcPeering in {place} declares {id} or remembers it\nwith -f and credentials for AWS, explain says what AWS shows of it"
    )]
    Undeclared { id: String, place: String },
    #[error("AWS shows no {id} in {places}, and no manifest declares it")]
    Unseen { id: String, places: String },
    #[error("AWS could not be read everywhere, so this is not all:\n{}", lines(.0))]
    Aws(Vec<Trouble>),
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Tells it.
pub fn run(args: &ExplainArgs) -> Result<(), ExplainError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let explained = runtime.block_on(async {
        if args.filename.is_empty() {
            Ok((of_cluster(args).await?, Vec::new()))
        } else {
            live::explain(args).await
        }
    });
    runtime.shutdown_background();
    let (view, troubles) = explained?;
    show::print(&text(&view, args.output)?)?;
    if troubles.is_empty() { Ok(()) } else { Err(ExplainError::Aws(troubles)) }
}

fn text(view: &ExplainView, output: Output) -> Result<String, serde_json::Error> {
    Ok(match output {
        Output::Json => format!("{}\n", serde_json::to_string_pretty(view)?),
        Output::Text => explained(view, Timestamp::now(), Style::of_stdout()),
    })
}

async fn of_cluster(args: &ExplainArgs) -> Result<ExplainView, ExplainError> {
    let kube = args.cluster.connect().await?;
    let (given, is_id) = match &args.subject {
        Subject::Object { namespace, .. } => (namespace.as_ref(), false),
        _ => (None, true),
    };
    let namespace = given.or(args.namespace.as_ref()).map(String::as_str);
    let scope = kube.scope(namespace, is_id && namespace.is_none());
    let cluster = cluster::Cluster::read(&kube, &scope).await?;
    cluster::explain(&cluster, &args.subject, &scope.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_is_an_id_or_a_name() {
        let parsed = |text: &str| text.parse::<Subject>();
        assert_eq!(parsed("pcx-0123456789abcdef0"), Ok(Subject::Peering("pcx-0123456789abcdef0".to_owned())));
        assert_eq!(parsed("rtb-0123456789abcdef0"), Ok(Subject::Table("rtb-0123456789abcdef0".to_owned())));
        assert_eq!(parsed("vpc-0123456789abcdef0"), Ok(Subject::Vpc("vpc-0123456789abcdef0".to_owned())));
        let object = |namespace: Option<&str>, name: &str| {
            Ok(Subject::Object { namespace: namespace.map(str::to_owned), name: name.to_owned() })
        };
        assert_eq!(parsed("prod-shared"), object(None, "prod-shared"));
        assert_eq!(parsed("vpc-links"), object(None, "vpc-links"));
        assert_eq!(parsed("network/prod-shared"), object(Some("network"), "prod-shared"));
        for bad in ["", "/a", "a/", "a/b/c", "pcx-zzz"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
