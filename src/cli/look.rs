//! What commands have in common that hold what is declared against what AWS shows: `plan`, `graph`.

use std::collections::BTreeSet;

use peerkeeper_core::time::Timing;

use super::aws::AwsArgs;
use super::manifests::{Manifests, SourceArgs, SourceError};
use super::offline::{self, House, OfflineError, Trouble};
use super::run::owner_id;
use crate::aws::{Looking, Reader};

/// What is compared, and with whose eyes.
#[derive(Clone, Debug, clap::Args)]
pub struct LookArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// The installation's name in AWS tags. Default: with --kube the UID of the kube-system namespace, as of the operator;
    /// else a tag that names a VpcPeering's namespace and name counts as its own, whichever installation wrote it.
    #[arg(long, env = "PEERKEEPER_OWNER_ID", value_parser = owner_id, value_name = "ID")]
    pub owner_id: Option<String>,
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
}

/// Both sides of a comparison.
pub struct Looked {
    pub manifests: Manifests,
    pub house: House,
    pub reader: Reader,
    pub gaps: Gaps,
}

/// What could not be read, and may change what is said.
pub struct Gaps {
    aws: Vec<Trouble>,
    cluster: Vec<String>,
}

/// What was said is not all there is to say.
#[derive(Debug, thiserror::Error)]
pub enum Incomplete {
    #[error("AWS could not be read everywhere, so the {what} is not complete:\n{lines}")]
    Aws { what: &'static str, lines: String },
    #[error("objects of the cluster can't be read, so the {what} is not complete:\n{lines}")]
    Cluster { what: &'static str, lines: String },
}

impl LookArgs {
    /// Reads what is declared, and what AWS shows of it.
    pub async fn look(&self) -> Result<Looked, LookError> {
        let mut manifests = self.source.read(self.owner_id.as_deref()).await?;
        let of_cluster = manifests.cluster.as_ref().map(|cluster| cluster.owner_id.clone());
        let owner = self.owner_id.clone().or(of_cluster);
        let config = self.aws.config(owner.as_deref().unwrap_or(offline::ANY_OWNER));
        let aws = Looking::new(config).await.map_err(OfflineError::from)?;
        let read = offline::read(&aws, &manifests, owner.as_deref(), offline::LIMITS, Timing::default());
        let (house, troubles) = read.await?;
        let unreadable = manifests.cluster.as_mut().map(|cluster| std::mem::take(&mut cluster.unreadable));
        let gaps = Gaps { aws: troubles, cluster: unreadable.unwrap_or_default() };
        Ok(Looked { manifests, house, reader: aws.reader(), gaps })
    }
}

impl Gaps {
    /// An error that names them, if there are any. `what` is what was made of the rest.
    pub fn told(self, what: &'static str) -> Result<(), Incomplete> {
        if self.cluster.is_empty() && self.aws.is_empty() {
            return Ok(());
        }
        let of_aws = lines(&self.aws);
        if self.cluster.is_empty() {
            return Err(Incomplete::Aws { what, lines: of_aws });
        }
        let lines = self.cluster.into_iter().chain((!of_aws.is_empty()).then_some(of_aws));
        Err(Incomplete::Cluster { what, lines: lines.collect::<Vec<_>>().join("\n") })
    }
}

/// Each once: many objects may be blind by one cause.
pub fn lines(troubles: &[Trouble]) -> String {
    let lines: BTreeSet<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}
