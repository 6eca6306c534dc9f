//! The engine without a cluster: manifests stand for objects, this process remembers what status would, and the very turns
//! of the operator are driven.
//!
//! ```text
//! accounts   whose credentials: the AwsAccounts among the manifests, or the ambient ones
//! house      what holds across objects, and what each remembers
//! drive      one turn, driven
//! foresee    what AWS shows, and what it would show after writes that nobody sends
//! road       the whole way from what is to what is declared
//! converge   the same way, gone: the only part that writes
//! ```
//!
//! **Architecture Invariant:** `foresee` and `road` hold the Read half of AWS alone; nothing in them could change anything.

mod accounts;
mod converge;
mod drive;
mod foresee;
mod house;
mod road;

pub use accounts::{AMBIENT, OfflineError, Trouble, ambient, announce, sweep_places};
pub use converge::{AtAws, Ended, Listener, Stand, converge};
pub use house::{House, HouseError};
pub use road::{ObjectPlan, Step, Traffic, plan};

use std::collections::BTreeMap;

use peerkeeper_core::ids::Region;
use peerkeeper_core::observed::SideView;
use peerkeeper_core::time::{Now, Timing};
use peerkeeper_core::write::{Outcome, WriteCall};

use super::manifests::Manifests;
use crate::api::AwsAccount;
use crate::aws::{Looking, NarrowNeeds, clock};

/// Stands in tags where nobody said whose they are.
pub const ANY_OWNER: &str = "OWNER-ID";
/// Restores and removals at once, as of the operator.
pub const LIMITS: (u32, u32) = (100, 100);

/// Reads the places that the manifests need, once, and sets up everything that objects are judged by. What could not be
/// read comes beside it: what it bears on is unknown, and the rest is not.
///
/// Without an owner id, each object's is that of a tag that names it, or [`ANY_OWNER`].
pub async fn read(
    aws: &Looking,
    manifests: &Manifests,
    owner_id: Option<&str>,
    limits: (u32, u32),
    timing: Timing,
) -> Result<(House, Vec<Trouble>), OfflineError> {
    let accounts = accounts::declared(aws, manifests).await?;
    let owner = owner_id.unwrap_or(ANY_OWNER);
    let house = House::new(manifests, accounts, owner, limits, timing, clock::wall());
    let mut house = house.map_err(|error| OfflineError::Account(error.to_string()))?;
    let mut troubles = accounts::prove(aws, &mut house).await;
    troubles.extend(accounts::sweep(aws, &house).await);
    if owner_id.is_none() {
        let reader = aws.reader();
        house.take_owner_from_tags(&|name, region| reader.view(name, region));
    }
    Ok((house, troubles))
}

/// The same for accounts that have been read already: nothing is asked but whose credentials are not known any more. A tag that
/// names an object counts as its own.
pub async fn judge(
    aws: &Looking,
    manifests: &Manifests,
    accounts: BTreeMap<String, AwsAccount>,
) -> Result<House, OfflineError> {
    let house = House::new(manifests, accounts, ANY_OWNER, LIMITS, Timing::default(), clock::wall());
    let mut house = house.map_err(|error| OfflineError::Account(error.to_string()))?;
    accounts::prove(aws, &mut house).await;
    let reader = aws.reader();
    house.take_owner_from_tags(&|name, region| reader.view(name, region));
    Ok(house)
}

/// What a turn is driven against.
pub trait Port {
    fn now(&self) -> Now;

    /// What is known without asking.
    fn view(&self, account: &str, region: Region) -> SideView;

    /// What is known, and newly read what `needs` names.
    fn read(&self, account: &str, region: Region, needs: NarrowNeeds) -> impl Future<Output = SideView>;

    /// Each once, in the name of the AwsAccount beside it; one outcome for each, in their order.
    fn write(
        &self,
        object: &peerkeeper_core::ids::ObjectKey,
        calls: &[(Option<&str>, &WriteCall)],
    ) -> impl Future<Output = Vec<Outcome>>;
}
