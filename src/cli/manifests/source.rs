//! Where what is declared comes from: files, a cluster, or files laid over a cluster.

use clap::ArgGroup;

use super::cluster;
use super::{ManifestArgs, ManifestError, Manifests, overlay};
use crate::cli::kube::{KubeArgs, KubeError, Scope};

/// Of commands that take either.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(group = ArgGroup::new("source").required(true).multiple(true).args(["filename", "kube"]))]
pub struct SourceArgs {
    /// A file or folder of manifests, or `-` for standard input: YAML, also of several documents, or JSON. May be given
    /// several times. Of a folder, files that end in .yaml, .yml and .json are read.
    #[arg(short, long = "filename", value_name = "PATH")]
    pub filename: Vec<String>,
    /// Read the folders within folders too.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// What is declared in a cluster, with what its objects remember. Together with -f: the files laid over it.
    #[arg(long)]
    pub kube: bool,
    /// The namespace of objects in files that name none, and with --kube the one that is looked at. Default: `default`, and
    /// with --kube that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Look at all namespaces of the cluster.
    #[arg(short = 'A', long, requires = "kube", conflicts_with = "namespace")]
    pub all_namespaces: bool,
    #[command(flatten)]
    pub cluster: KubeArgs,
}

/// Why what is declared could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Kube(#[from] KubeError),
    #[error(
        "--{0} says which cluster, and nothing is asked of a cluster without --kube; say --kube too, or leave it out"
    )]
    NoCluster(&'static str),
}

impl SourceArgs {
    /// `owner_id` where it was given; a cluster says its own.
    pub async fn read(&self, owner_id: Option<&str>) -> Result<Manifests, SourceError> {
        let Self { filename, recursive, kube, namespace, all_namespaces, cluster } = self;
        if !kube {
            for (is_given, flag) in
                [(cluster.kubeconfig.is_some(), "kubeconfig"), (cluster.context.is_some(), "context")]
            {
                if is_given {
                    return Err(SourceError::NoCluster(flag));
                }
            }
        }
        let kube = if *kube { Some(cluster.connect().await?) } else { None };
        let scope = kube.as_ref().map(|kube| kube.scope(namespace.as_deref(), *all_namespaces));
        let of_files = match (&scope, namespace) {
            (_, Some(given)) => given.clone(),
            (Some(Scope::One(of_context)), None) => of_context.clone(),
            (_, None) => "default".to_owned(),
        };
        let files = ManifestArgs { filename: filename.clone(), recursive: *recursive, namespace: of_files };
        // Files are read before anybody is asked: what is wrong with them is told at once.
        let files = if filename.is_empty() { None } else { Some(Manifests::read(&files)?) };
        match (kube.zip(scope), files) {
            (None, files) => Ok(files.unwrap_or_default()),
            (Some((kube, scope)), None) => Ok(cluster::read(&kube, &scope, owner_id).await?),
            (Some((kube, scope)), Some(files)) => {
                let of_cluster = cluster::read(&kube, &around(&scope, &files, self), owner_id).await?;
                let mut all = overlay::lay_over(of_cluster, files)?;
                if let (true, Scope::One(only)) = (namespace.is_some(), scope) {
                    all.shown = Some([only].into());
                } else if *all_namespaces {
                    all.shown = None;
                }
                Ok(all)
            }
        }
    }
}

/// Where nothing is said, the namespaces of the files are what is looked at; more than one takes the right to see all.
fn around(scope: &Scope, files: &Manifests, args: &SourceArgs) -> Scope {
    if args.all_namespaces || args.namespace.is_some() {
        return scope.clone();
    }
    let mut namespaces = files.peerings.keys().chain(files.policies.keys()).map(|key| &*key.namespace);
    match namespaces.next() {
        Some(first) if files.accounts.is_empty() && namespaces.all(|other| other == first) => {
            Scope::One(first.to_owned())
        }
        _ => Scope::All,
    }
}
