//! `peerkeeper check`: what a person would otherwise find out by failing.
//!
//! ```text
//! line      what is said       places    where AWS is needed, and what would be written there: values in, values out
//! cluster   what the API server says     rights    what the operator needs of it
//! aws       what AWS says
//! ```
//!
//! **Architecture Invariant:** nothing is changed. Reads are the operator's own; of writes only dry runs are sent, and those
//! only where DryRun is proved to be heeded.

mod aws;
mod cluster;
mod line;
mod places;
mod rights;

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

pub use aws::{READS, UNTRIED, WRITES};
pub use line::{Line, Outcome};

use super::aws::AwsArgs;
use super::kube::{Kube, KubeArgs, KubeError, Listed, Scope};
use super::manifests::{ManifestArgs, ManifestError, Manifests};
use super::offline::AMBIENT;
use super::run::duration;
use super::show::{self, Style};
use crate::api::{AwsAccount, VpcPeering};
use crate::aws::{AccountConfig, Aws, SetupError};
use crate::controller::state::access;
use crate::declare;
use crate::signal::QueueUrl;
use cluster::Whose;

/// Looks whether everything is in place: the cluster, the operator's rights in it, roles and permissions in every AWS account,
/// quotas, queues. It changes nothing.
///
/// AwsAccounts and VpcPeerings are those of the cluster; with `-f` those of manifests, and no cluster is asked unless
/// --kubeconfig or --context names one. Exit code: 0 if nothing fails, else 1.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// A file or folder of manifests, or `-` for standard input, instead of what is in the cluster. May be given several
    /// times.
    #[arg(short, long = "filename", value_name = "PATH")]
    pub filename: Vec<String>,
    /// Read the folders within folders too.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// text, or json for programs.
    #[arg(short, long, default_value = "text", value_name = "FORMAT")]
    pub output: CheckFormat,
    #[command(flatten)]
    pub kube: KubeArgs,
    /// Whose rights in the cluster are asked about. Default: in a Pod its own, elsewhere those of
    /// peerkeeper-system/peerkeeper.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub service_account: Option<ServiceAccount>,
    /// A queue that the operator reads, as `peerkeeper run` takes it. May be given several times; in the variable a space
    /// stands between two.
    #[arg(
        long = "event-queue-url",
        env = "PEERKEEPER_EVENT_QUEUE_URL",
        value_delimiter = ' ',
        value_name = "URL"
    )]
    pub event_queue_urls: Vec<QueueUrl>,
    /// How long each answer may take.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub timeout: Duration,
    #[command(flatten)]
    pub aws: AwsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A ServiceAccount, as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub namespace: String,
    pub name: String,
}

impl Default for ServiceAccount {
    /// As `deploy/operator` installs it.
    fn default() -> Self {
        Self { namespace: "peerkeeper-system".to_owned(), name: "peerkeeper".to_owned() }
    }
}

impl ServiceAccount {
    /// As the API server knows it.
    fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    fn groups(&self) -> Vec<String> {
        let of_namespace = format!("system:serviceaccounts:{}", self.namespace);
        vec!["system:serviceaccounts".to_owned(), of_namespace, "system:authenticated".to_owned()]
    }
}

impl fmt::Display for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for ServiceAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("write NAMESPACE/NAME, such as peerkeeper-system/peerkeeper".to_owned()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error("AWS can't be spoken to: {0}")]
    Setup(#[from] SetupError),
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
    #[error("the output can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

pub fn run(args: &CheckArgs) -> Result<ExitCode, CheckError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let checked = runtime.block_on(check(args));
    // What is still under way must not hold up the end.
    runtime.shutdown_background();
    let lines = checked?;
    let said = match args.output {
        CheckFormat::Text => line::text(&lines, Style::of_stdout()),
        CheckFormat::Json => line::json(&lines)?,
    };
    show::print(&said)?;
    let is_failed = lines.iter().any(|line| line.status == Outcome::Fail);
    Ok(if is_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is declared, wherever it comes from.
#[derive(Default)]
struct Declared {
    accounts: Vec<AwsAccount>,
    peerings: Vec<VpcPeering>,
}

async fn check(args: &CheckArgs) -> Result<Vec<Line>, CheckError> {
    let mut lines = Vec::new();
    let mut declared = Declared::default();
    if !args.filename.is_empty() {
        let from = ManifestArgs {
            filename: args.filename.clone(),
            recursive: args.recursive,
            namespace: "default".to_owned(),
        };
        let manifests = Manifests::read(&from)?;
        declared.accounts = manifests.accounts.into_values().collect();
        declared.peerings = manifests.peerings.into_values().map(|(peering, _)| peering).collect();
    }
    if args.filename.is_empty() || args.kube.kubeconfig.is_some() || args.kube.context.is_some() {
        match tokio::time::timeout(args.timeout * 2, of_cluster(args, &mut declared)).await {
            Ok(said) => lines.extend(said),
            Err(_) => {
                let detail = format!("no answer in {} s", (args.timeout * 2).as_secs());
                lines.push(Line::fail("cluster", detail, "check the network, or raise --timeout"));
            }
        }
    }
    let aws = Aws::new(args.aws.config("")).await?;
    let (accounts, said) = configs(&aws, &declared).await;
    lines.extend(said);
    for config in &accounts {
        aws.set_account(config.clone());
    }
    let by_name: BTreeMap<String, _> =
        accounts.iter().map(|config| (config.name.to_string(), config.account_id)).collect();
    let places = places::places(declared.peerings.iter(), &by_name);
    lines.extend(aws::check(&aws, &accounts, &places, &args.event_queue_urls, args.timeout).await);
    Ok(lines)
}

async fn of_cluster(args: &CheckArgs, declared: &mut Declared) -> Vec<Line> {
    let kube = match args.kube.connect().await {
        Ok(kube) => kube,
        Err(error) => return vec![of_error("cluster", &error)],
    };
    let whose = match &args.service_account {
        Some(account) => Whose::Of(account.clone()),
        None if is_in_pod(&args.kube) => Whose::Own,
        None => Whose::Of(ServiceAccount::default()),
    };
    let mut lines = match cluster::check(&kube, &whose).await {
        Ok(lines) => lines,
        Err(line) => return vec![line],
    };
    if args.filename.is_empty() {
        lines.extend(listed(&kube, "AwsAccounts", &mut declared.accounts).await);
        lines.extend(listed(&kube, "VpcPeerings", &mut declared.peerings).await);
    }
    lines
}

/// As kube's client looks for its configuration.
fn is_in_pod(args: &KubeArgs) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    args.kubeconfig.is_none()
        && args.context.is_none()
        && !is_set("KUBECONFIG")
        && is_set("KUBERNETES_SERVICE_HOST")
}

/// An error of the cluster says what to do behind its last semicolon.
fn of_error(what: &str, error: &KubeError) -> Line {
    let said = error.to_string();
    let (detail, remedy) = said.rsplit_once("; ").unwrap_or((&said, "see docs/install.md"));
    Line::fail(what, detail, remedy)
}

async fn listed<K>(kube: &Kube, what: &str, into: &mut Vec<K>) -> Vec<Line>
where
    K: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned,
    K::Scope: 'static,
{
    let found = match kube.list::<K>(&Scope::All).await {
        Ok(found) => found,
        Err(error) => return vec![of_error(what, &error)],
    };
    let mut lines = Vec::new();
    for object in found {
        match object {
            Listed::Read(object) => into.push(object),
            Listed::Unparsable { object, why } => {
                lines.push(Line::fail(object, why, "correct it, or use the binary of the CRDs' version"));
            }
        }
    }
    lines.insert(0, Line::ok(what, format!("{} in the cluster", into.len())));
    lines
}

/// How to get into each account. The ambient credentials serve as `default` where that is named and not declared.
async fn configs(aws: &Aws, declared: &Declared) -> (Vec<AccountConfig>, Vec<Line>) {
    let (mut configs, mut lines) = (BTreeMap::new(), Vec::new());
    for object in &declared.accounts {
        match declare::account(&with_defaults(object)) {
            Ok(account) => {
                configs.insert(account.name.to_string(), access(&account));
            }
            Err(error) => {
                let name = object.metadata.name.as_deref().unwrap_or("without a name");
                lines.push(Line::fail(format!("AwsAccount {name}"), error.to_string(), "correct it"));
            }
        }
    }
    let sides =
        declared.peerings.iter().flat_map(|peering| [&peering.spec.requester, &peering.spec.accepter]);
    let named: std::collections::BTreeSet<&str> =
        sides.filter_map(|side| side.account.name.as_deref()).collect();
    let is_nothing_declared = declared.accounts.is_empty() && declared.peerings.is_empty();
    for name in named.iter().filter(|name| !configs.contains_key(**name) && **name != AMBIENT) {
        let detail = "a VpcPeering names it, and it is not declared";
        lines.push(Line::fail(format!("AwsAccount {name}"), detail, "declare it, or name another"));
    }
    if !configs.contains_key(AMBIENT) && (named.contains(AMBIENT) || is_nothing_declared) {
        match aws.own_caller().await {
            Ok(caller) => {
                let config = AccountConfig {
                    name: AMBIENT.into(),
                    uid: "".into(),
                    generation: 0,
                    account_id: caller.account,
                    role_arn: None,
                    external_id: None,
                };
                configs.insert(AMBIENT.to_owned(), config);
            }
            Err(error) => {
                let what = "own credentials, as AwsAccount default";
                lines.push(Line::fail(
                    what,
                    error.to_string(),
                    "configure credentials, or declare AwsAccounts",
                ));
            }
        }
    }
    (configs.into_values().collect(), lines)
}

/// Of manifests, what an API server would have given them.
fn with_defaults(object: &AwsAccount) -> AwsAccount {
    let mut object = object.clone();
    object.metadata.uid.get_or_insert_with(String::new);
    object.metadata.generation.get_or_insert(1);
    object
}

#[cfg(test)]
mod tests;
