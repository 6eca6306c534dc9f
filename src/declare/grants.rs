//! What the owners of both accounts let an object do, resolved against the `AwsAccount`s of the cluster.

use super::account::{Account, VpcSelector};
use peerkeeper_core::desired::{AccountRef, Desired, ForeignRefusal, Grant};
use peerkeeper_core::ids::{AccountId, Region, Side, Sides, VpcId};
use peerkeeper_core::observed::{Tags, Vpc};
use peerkeeper_core::write::TagSet;
use std::{collections::BTreeMap, sync::Arc};

/// What the newest readings say of a VPC's tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VpcTags {
    /// There is no reading that would say.
    Unread,
    /// A complete reading shows no such VPC.
    NoSuchVpc,
    Read(Tags),
}

impl From<Option<Tags>> for VpcTags {
    fn from(tags: Option<Tags>) -> Self {
        tags.map_or(Self::Unread, Self::Read)
    }
}

/// What each side's account allows. Absent or empty grants grant nobody, and both sides must grant.
///
/// `health` says why an `AwsAccount` can't be used, if it can't; `vpc_tags` is asked only where a grant is by tags.
///
/// A grant by tags whose VPC has not been read is neither given nor withdrawn: [`Grant::Unusable`], which freezes the
/// object like any unusable account, says what it waits for, and ends with the next sweep. Nothing destructive follows
/// from it. Since an unusable side is not read by the object's own turns, that account and Region must be swept whether
/// or not the grant holds: nothing else could ever tell. A VPC that a complete reading lacks counts as granted where a grant by
/// tags might hold: there is nothing that could be misused, and what became of it has to be readable, or an object
/// could never find out that its VPC is gone.
pub fn grants(
    desired: &Desired,
    namespace_labels: &BTreeMap<String, String>,
    accounts: &BTreeMap<Arc<str>, Account>,
    health: &dyn Fn(&str) -> Option<String>,
    vpc_tags: &dyn Fn(&str, Region, VpcId) -> VpcTags,
) -> Sides<Grant> {
    Sides::from_fn(|side| match &desired.sides.get(side).account {
        AccountRef::Foreign(id) => foreign(*id, &desired.sides.get(side.peer()).account, accounts),
        AccountRef::Managed(name) => match accounts.get(name) {
            None => Grant::NoAccount { name: name.clone() },
            Some(account) => managed(desired, side, namespace_labels, account, health, vpc_tags),
        },
    })
}

/// An account that we hold no credentials for stands opposite one of ours only with the leave of ours, and never where
/// an `AwsAccount` has its id: that one's grants would be evaded.
fn foreign(id: AccountId, opposite: &AccountRef, accounts: &BTreeMap<Arc<str>, Account>) -> Grant {
    if let Some(managed) = accounts.values().find(|account| account.account == id) {
        let why = ForeignRefusal::IsManaged { name: managed.name.clone() };
        return Grant::ForeignRefused { account: id, why };
    }
    let by: Arc<str> = match opposite {
        AccountRef::Managed(name) => name.clone(),
        AccountRef::Foreign(other) => Arc::from(other.to_string()),
    };
    match accounts.get(&by) {
        Some(account) if account.allowed_peers.contains(&id) => Grant::Foreign(id),
        _ => Grant::ForeignRefused { account: id, why: ForeignRefusal::NotAllowed { by } },
    }
}

fn managed(
    desired: &Desired,
    side: Side,
    namespace_labels: &BTreeMap<String, String>,
    account: &Account,
    health: &dyn Fn(&str) -> Option<String>,
    vpc_tags: &dyn Fn(&str, Region, VpcId) -> VpcTags,
) -> Grant {
    let spec = desired.sides.get(side);
    let unusable = |why: String| Grant::Unusable { account: account.account, why: why.into() };
    let refused = || Grant::NotGranted { name: account.name.clone(), account: account.account };
    // Asked for only once it matters, but before the tags: where the account can't be used, they can't be read either,
    // and the account's trouble is the cause to tell.
    let trouble = || health(&account.name);
    match coverage(account, namespace_labels, spec.vpc) {
        Coverage::None => return refused(),
        Coverage::Whole => {}
        Coverage::ByTags(wanted) => {
            if let Some(why) = trouble() {
                return unusable(why);
            }
            match vpc_tags(&account.name, spec.region, spec.vpc) {
                VpcTags::NoSuchVpc => {}
                VpcTags::Read(tags) if wanted.iter().any(|wanted| carries(&tags, wanted)) => {}
                VpcTags::Read(_) => return refused(),
                VpcTags::Unread => {
                    return unusable(format!(
                        "AwsAccount {} grants by the tags of VPCs, and those of {} in {} have not been read yet",
                        account.name, spec.vpc, spec.region
                    ));
                }
            }
        }
    }
    match trouble() {
        Some(why) => unusable(why),
        None if account.suspend => Grant::Suspended(account.account),
        None => Grant::Granted(account.account),
    }
}

/// Whether an account lets a namespace with these labels use this VPC.
pub fn lets_use(account: &Account, namespace_labels: &BTreeMap<String, String>, vpc: &Vpc) -> bool {
    match coverage(account, namespace_labels, vpc.id) {
        Coverage::None => false,
        Coverage::Whole => true,
        Coverage::ByTags(wanted) => wanted.iter().any(|wanted| carries(&vpc.tags, wanted)),
    }
}

enum Coverage<'a> {
    None,
    Whole,
    /// As far as the VPC carries all tags of one of these.
    ByTags(Vec<&'a TagSet>),
}

fn coverage<'a>(
    account: &'a Account,
    namespace_labels: &BTreeMap<String, String>,
    vpc: VpcId,
) -> Coverage<'a> {
    let mut by_tags = Vec::new();
    for grant in account.grants.iter().filter(|grant| grant.namespaces.selects(namespace_labels)) {
        match &grant.vpcs {
            VpcSelector::All => return Coverage::Whole,
            VpcSelector::Ids(ids) if ids.contains(&vpc) => return Coverage::Whole,
            VpcSelector::Ids(_) => {}
            VpcSelector::Tags(tags) => by_tags.push(tags),
        }
    }
    if by_tags.is_empty() { Coverage::None } else { Coverage::ByTags(by_tags) }
}

/// An empty selection of tags selects nothing.
fn carries(tags: &Tags, wanted: &TagSet) -> bool {
    !wanted.is_empty() && wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}
