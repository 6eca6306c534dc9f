//! `peerkeeper import`: manifests for what exists.
//!
//! ```text
//! choose   the shortest selectors that are exact
//! found    what AWS shows -> what would declare it
//! write    the manifests' text
//! ```
//!
//! What is written has gone the whole way before: through the schemas, and through a plan. What a plan would not leave as
//! it is, is left out and told.

mod choose;
mod found;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey, Region};
use peerkeeper_core::time::Now;

use self::found::{Found, LeftOut, Scene, Shown};
use self::write::Declared;
use super::aws::AwsArgs;
use super::look::lines;
use super::manifests::{ManifestArgs, ManifestError, Manifests};
use super::offline::{self, OfflineError, Trouble};
use super::show::{self, PeeringView, PlanView};
use crate::api::AwsAccount;
use crate::aws::{Looking, clock};
use crate::controller::state::Place;
use crate::declare;

/// Writes manifests for the peerings that exist, with the routes that lead to them. It only ever reads AWS.
///
/// Applying them changes nothing but the tags by which Peerkeeper knows what it adopted. Exit code: 0, or 1 if AWS could not be
/// read everywhere, or nothing could be written.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// The Region whose peerings are imported. May be given several times. The other ends are read wherever they are, if
    /// their account is among the AwsAccounts.
    #[arg(long, required = true, value_delimiter = ',', value_name = "REGION")]
    pub region: Vec<Region>,
    /// A file or folder of manifests, or `-` for standard input: the accounts that its AwsAccounts name are read, and what its
    /// VpcPeerings declare already is left out. May be given several times. Default: the ambient credentials, as the
    /// AwsAccount `default`.
    #[arg(short, long = "filename", value_name = "PATH")]
    pub filename: Vec<String>,
    /// Read the folders within folders too.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Import the peerings of this AwsAccount alone. May be given several times. Default: of all.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub account: Vec<String>,
    /// The namespace of the VpcPeerings, which the AwsAccounts must grant.
    #[arg(short, long, default_value = "default", value_name = "NAMESPACE")]
    pub namespace: String,
    /// Write one file for each VpcPeering into this folder, and none that is there already. Default: all to standard output.
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
    /// Those that an owner tag claims too, under the namespace and name that it says.
    #[arg(long)]
    pub owned: bool,
    #[command(flatten)]
    pub aws: AwsArgs,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Manifests(#[from] ManifestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("an AwsAccount can't be read: {0}")]
    Declare(#[from] declare::DeclareError),
    #[error("no AwsAccount {name:?} to import from; there are {known}")]
    NoAccount { name: String, known: String },
    #[error("what was made of {what} is refused, which is a fault of this command: {error}")]
    Refused { what: String, error: ManifestError },
    #[error("AWS could not be read everywhere, so peerings may be missing:\n{}", lines(.0))]
    Aws(Vec<Trouble>),
    #[error("{} is there already, and nothing is overwritten; nothing was written. Move it, or import into another folder", .0.display())]
    Exists(PathBuf),
    #[error("{} can't be written: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

/// Reads, writes what can be declared, and tells what can't.
pub fn run(args: &ImportArgs) -> Result<ExitCode, ImportError> {
    super::log_quietly();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let imported = runtime.block_on(import(args));
    runtime.shutdown_background();
    let (found, troubles) = imported?;
    match &args.output_dir {
        Some(folder) => write_files(folder, &found.declared)?,
        None => show::print(&stream(&found.declared))?,
    }
    // Who stopped reading has read enough.
    let _ = io::stderr().write_all(report(&found).as_bytes());
    if troubles.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(ImportError::Aws(troubles)) }
}

async fn import(args: &ImportArgs) -> Result<(Found, Vec<Trouble>), ImportError> {
    let manifests = read(args)?;
    let aws = Looking::new(args.aws.config("import")).await.map_err(OfflineError::from)?;
    let mut accounts = manifests.accounts.clone();
    let ambient = if accounts.is_empty() {
        let caller = aws.own_caller().await.map_err(OfflineError::Ambient)?;
        accounts.insert(offline::AMBIENT.to_owned(), offline::ambient(&caller, &BTreeSet::new())?);
        Some(caller)
    } else {
        None
    };
    offline::announce(&aws, &accounts)?;
    let known = Known::new(&accounts)?;
    let mut scene = known.scene(args, &manifests)?;
    let mut troubles = known.read(&aws, &mut scene).await;
    troubles.sort_by(|a, b| a.what.cmp(&b.what));
    troubles.dedup();
    let grants = |account: &str, namespace: &str, vpc: &peerkeeper_core::observed::Vpc| {
        let account = known.accounts.get(account);
        account.is_some_and(|account| declare::lets_use(account, &manifests.labels_of(namespace), vpc))
    };
    let mut found = found::find(&scene, &grants);
    if let Some(caller) = ambient {
        // Whoever holds the credentials needs nobody's leave, and what stands opposite is what is there.
        let peers: Vec<String> =
            found::foreign(&found.declared).into_values().flatten().map(|id| id.to_string()).collect();
        let peers = peers.iter().map(String::as_str).collect();
        accounts.insert(offline::AMBIENT.to_owned(), offline::ambient(&caller, &peers)?);
    }
    keep_what_a_plan_leaves(&aws, &manifests, accounts, &mut found).await?;
    Ok((found, troubles))
}

fn read(args: &ImportArgs) -> Result<Manifests, ManifestError> {
    let ImportArgs { filename, recursive, namespace, .. } = args;
    if filename.is_empty() {
        return Ok(Manifests::default());
    }
    let (filename, namespace) = (filename.clone(), namespace.clone());
    Manifests::read(&ManifestArgs { filename, recursive: *recursive, namespace })
}

/// The accounts as the engine knows them.
struct Known {
    accounts: BTreeMap<Arc<str>, declare::Account>,
}

impl Known {
    fn new(objects: &BTreeMap<String, AwsAccount>) -> Result<Self, declare::DeclareError> {
        let read = |object: &AwsAccount| {
            let account = declare::account(object)?;
            Ok((account.name.clone(), account))
        };
        Ok(Self { accounts: objects.values().map(read).collect::<Result<_, _>>()? })
    }

    fn scene(&self, args: &ImportArgs, manifests: &Manifests) -> Result<Scene, ImportError> {
        let missing = args.account.iter().find(|name| !self.accounts.contains_key(name.as_str()));
        if let Some(name) = missing {
            let known: Vec<&str> = self.accounts.keys().map(AsRef::as_ref).collect();
            return Err(ImportError::NoAccount { name: name.clone(), known: known.join(", ") });
        }
        let is_wanted =
            |name: &str| args.account.is_empty() || args.account.iter().any(|wanted| wanted == name);
        let wanted = self.accounts.iter().filter(|(name, _)| is_wanted(name));
        let wanted = wanted.flat_map(|(_, account)| {
            args.region.iter().map(|region| AccountRegion { account: account.account, region: *region })
        });
        let declared = manifests.peerings.iter().filter_map(|(key, (peering, place))| {
            let spec = &peering.spec;
            let pair = found::pair(&spec.requester.vpc_id, &spec.accepter.vpc_id)?;
            Some((pair, format!("VpcPeering {key} ({place})")))
        });
        Ok(Scene {
            shown: BTreeMap::new(),
            ours: self.accounts.values().map(|account| account.account).collect(),
            wanted: wanted.collect(),
            declared: declared.collect(),
            taken: manifests.peerings.keys().cloned().collect(),
            namespace: args.namespace.clone(),
            owned: args.owned,
        })
    }

    /// Every place under each of its names.
    fn places(&self, at: &BTreeSet<AccountRegion>) -> Vec<Place> {
        let named = |id: AccountId| self.accounts.values().filter(move |account| account.account == id);
        at.iter().flat_map(|at| named(at.account).map(|account| (account.name.clone(), at.region))).collect()
    }

    /// What is wanted, then where its other ends are.
    async fn read(&self, aws: &Looking, scene: &mut Scene) -> Vec<Trouble> {
        let wanted = scene.wanted.clone();
        let mut troubles = self.read_places(aws, scene, &wanted).await;
        let far = scene.far().difference(&wanted).copied().collect();
        troubles.extend(self.read_places(aws, scene, &far).await);
        troubles
    }

    async fn read_places(
        &self,
        aws: &Looking,
        scene: &mut Scene,
        at: &BTreeSet<AccountRegion>,
    ) -> Vec<Trouble> {
        let places = self.places(at);
        let troubles = offline::sweep_places(aws, places.clone()).await;
        let reader = aws.reader();
        for (name, region) in places {
            let Some(account) = self.accounts.get(&name).map(|account| account.account) else { continue };
            let view = reader.view(&name, region);
            let at = AccountRegion { account, region };
            scene.shown.entry(at).or_default().push(Shown { account: name, view });
        }
        troubles
    }
}

/// What is written passes the schemas, and a plan of it has nothing to do. What a plan would hold or change is left out.
async fn keep_what_a_plan_leaves(
    aws: &Looking,
    manifests: &Manifests,
    accounts: BTreeMap<String, AwsAccount>,
    found: &mut Found,
) -> Result<(), ImportError> {
    let text = stream(&found.declared);
    let refused = |error| ImportError::Refused { what: "these peerings".to_owned(), error };
    let imported = Manifests::of_text("import", &text, "default").map_err(refused)?;
    let (namespaces, policies) = (manifests.namespaces.clone(), manifests.policies.clone());
    let imported = Manifests { namespaces, policies, ..imported };
    let house = offline::judge(aws, &imported, accounts).await?;
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plans = offline::plan(house, aws.reader(), now).await;
    let view = PlanView::new(&plans, &imported.skipped, Vec::new());
    let why: BTreeMap<ObjectKey, String> = view
        .peerings
        .iter()
        .filter(|peering| !peering.is_in_sync())
        .map(|peering| (ObjectKey::new(peering.namespace.as_str(), peering.name.as_str()), why(peering)))
        .collect();
    let (left, kept): (Vec<Declared>, Vec<Declared>) = std::mem::take(&mut found.declared)
        .into_iter()
        .partition(|declared| why.contains_key(&declared.key()));
    found.declared = kept;
    found.left_out.extend(left.into_iter().filter_map(|declared| {
        let why = why.get(&declared.key())?.clone();
        Some(LeftOut { id: declared.id, ends: declared.ends(), why })
    }));
    found.left_out.sort();
    Ok(())
}

fn why(peering: &PeeringView) -> String {
    let held = peering.holds.first().map(|hold| format!("{}: {}", hold.reason, hold.message));
    let done = || peering.actions.first().map(|action| action.what.clone());
    let what = held.or_else(done).unwrap_or_else(|| "it is not in sync".to_owned());
    format!("its manifest would not leave everything as it is: {what}")
}

fn stream(declared: &[Declared]) -> String {
    let documents: Vec<String> = declared.iter().map(write::manifest).collect();
    documents.join("---\n")
}

/// All or, where one is there already, none.
fn write_files(folder: &Path, declared: &[Declared]) -> Result<(), ImportError> {
    let several =
        declared.iter().any(|one| Some(&one.namespace) != declared.first().map(|first| &first.namespace));
    let path = |one: &Declared| match several {
        true => folder.join(format!("{}-{}.yaml", one.namespace, one.name)),
        false => folder.join(format!("{}.yaml", one.name)),
    };
    if let Some(there) = declared.iter().map(path).find(|path| path.symlink_metadata().is_ok()) {
        return Err(ImportError::Exists(there));
    }
    fs::create_dir_all(folder).map_err(|error| ImportError::File { path: folder.to_owned(), error })?;
    for one in declared {
        let path = path(one);
        // Somebody may have been quicker since.
        let file = fs::File::create_new(&path);
        let written = file.and_then(|mut file| file.write_all(write::manifest(one).as_bytes()));
        written.map_err(|error| ImportError::File { path, error })?;
    }
    Ok(())
}

/// For who runs it: what is written is data, and goes elsewhere.
fn report(found: &Found) -> String {
    let mut lines: Vec<String> = found.left_out.iter().map(|left| format!("left out: {left}")).collect();
    for declared in &found.declared {
        let of = |note: &String| format!("{}: {note}", declared.key());
        lines.extend(declared.notes.iter().map(of));
    }
    for (account, ids) in found::foreign(&found.declared) {
        let ids: Vec<String> = ids.iter().map(|id| format!("{:?}", id.to_string())).collect();
        lines.push(format!(
            "Accounts without credentials here stand opposite AwsAccount {account}: in a cluster its allowedPeerAccounts must list {}",
            ids.join(", ")
        ));
    }
    let counted =
        |count: usize| if count == 1 { "1 peering".to_owned() } else { format!("{count} peerings") };
    let mut last = format!("Imported {}", counted(found.declared.len()));
    if !found.left_out.is_empty() {
        last.push_str(&format!(", left out {}", found.left_out.len()));
    }
    lines.push(format!("{last}."));
    lines.join("\n") + "\n"
}
