//! What is declared: what an API server would make of the files of a Git repository, without one; or what is in a cluster.
//!
//! `yaml` reads documents and knows their lines; `files` finds them; `admit` holds them against the schemas. Whatever is
//! wrong is told all at once: one bad document hides nothing of the others. `cluster` reads what is in a cluster, `overlay`
//! lays files over it, and `source` knows which of these somebody asked for.

mod admit;
mod cluster;
mod files;
mod overlay;
mod source;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use peerkeeper_core::ids::ObjectKey;

use crate::admission::Kind;
use crate::api::crd::CrdError;
use crate::api::{AwsAccount, PeeringPolicy, VpcPeering};

pub use cluster::InCluster;
pub use files::ManifestArgs;
pub use overlay::is_shown;
pub use source::{SourceArgs, SourceError};

/// A label that the API server gives every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// As it was given; `standard input` for `-`.
    pub file: String,
    pub line: usize,
}

impl Place {
    /// Of what stands in no file.
    pub fn in_cluster() -> Self {
        Self { file: "the cluster".to_owned(), line: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line } = self;
        if *line == 0 { f.write_str(file) } else { write!(f, "{file}:{line}") }
    }
}

/// Something that can't be taken, and what is expected instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    pub place: Place,
    /// Such as `VpcPeering network/prod-shared`; empty where that can't be told.
    pub object: String,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, object, what } = self;
        if object.is_empty() { write!(f, "{place}: {what}") } else { write!(f, "{place}: {object}: {what}") }
    }
}

/// Why manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// All that is wrong, in the order of files and lines.
    #[error("{}", all(.0))]
    Problems(Vec<Problem>),
    #[error(transparent)]
    Crd(#[from] CrdError),
}

fn all(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = problems.len();
    let words = if count == 1 { "1 problem" } else { &format!("{count} problems") };
    format!("{words} in the manifests:\n{}", lines.join("\n"))
}

/// Everything that was read, defaulted and validated as an API server would.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    pub peerings: BTreeMap<ObjectKey, (VpcPeering, Place)>,
    pub policies: BTreeMap<ObjectKey, PeeringPolicy>,
    /// By name: they belong to no namespace.
    pub accounts: BTreeMap<String, AwsAccount>,
    /// The labels of the namespaces that are among the manifests.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Objects of other kinds, by kind: a Git repository holds more than ours.
    pub skipped: BTreeMap<String, usize>,
    /// Where each object of ours stands that came from a file.
    pub places: BTreeMap<(Kind, String), Place>,
    /// The namespaces whose objects are looked at; the others' are there to be judged among. `None`: all.
    pub shown: Option<BTreeSet<String>>,
    /// Where these are objects of a cluster: what it knows beside.
    pub cluster: Option<InCluster>,
}

impl Manifests {
    /// Reads all of them.
    pub fn read(args: &ManifestArgs) -> Result<Self, ManifestError> {
        let mut reader = admit::Admission::new(&args.namespace)?;
        for (file, text) in files::read(args, &mut reader.problems) {
            for (first, part) in yaml::divide(&text) {
                reader.document(&file, first, &part);
            }
        }
        let manifests = reader.finish()?;
        if manifests.is_empty() {
            // A generator that failed into a pipe must not look as if all were well.
            let what = "no object is declared: is this the right path, and did what wrote it succeed?";
            let file = args.filename.iter().map(|file| if file == "-" { "standard input" } else { file });
            let place = Place { file: file.collect::<Vec<_>>().join(", "), line: 0 };
            let problem = Problem { place, object: String::new(), what: what.to_owned() };
            return Err(ManifestError::Problems(vec![problem]));
        }
        Ok(manifests)
    }

    /// Not one document said anything, of whatever kind.
    fn is_empty(&self) -> bool {
        let Self { peerings, policies, accounts, namespaces, skipped, places, shown: _, cluster: _ } = self;
        let ours = peerings.is_empty() && policies.is_empty() && accounts.is_empty() && places.is_empty();
        ours && namespaces.is_empty() && skipped.is_empty()
    }

    /// The same of one text, which problems call `name`.
    pub fn of_text(name: &str, text: &str, namespace: &str) -> Result<Self, ManifestError> {
        let mut reader = admit::Admission::new(namespace)?;
        for (first, part) in yaml::divide(text) {
            reader.document(name, first, &part);
        }
        reader.finish()
    }

    /// The labels of a namespace as far as they are known: that of its name always is.
    pub fn labels_of(&self, namespace: &str) -> BTreeMap<String, String> {
        let mut labels = self.namespaces.get(namespace).cloned().unwrap_or_default();
        labels.insert(NAME_LABEL.to_owned(), namespace.to_owned());
        labels
    }

    /// Every namespace that an object is in.
    pub fn used_namespaces(&self) -> impl Iterator<Item = &str> {
        self.peerings.keys().map(|key| &*key.namespace)
    }
}

#[cfg(test)]
mod tests;
