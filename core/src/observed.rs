//! What AWS says, and how sure that is. The types here are the only way to ask.
//!
//! A [`Reading`] is complete for its scope or does not exist. A [`View`] is what one object may look at in one account
//! and Region: the last two sweeps and, in front of a write, a narrow reading of just what the write touches. It
//! answers with [`Seen`]: present, ended, provably absent, or unknown. Nothing destructive follows from unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

pub use crate::few::Tags;

use crate::few::Few;
use crate::ids::{
    AccountId, AccountRegion, Cidr, Destination, GroupId, ORIGIN_TAG_KEY, OwnerTag, PeeringId, PrefixListId,
    RouteTableId, RuleId, Side, Target, VpcId, VpcPair,
};
use crate::time::{Mono, Timing};

/// A kind of thing in AWS that readings are made of.
pub trait Resource: Clone + Debug + Eq + Hash {
    type Id: Copy + Ord + Hash + Debug;
    /// What it is looked up by when its id is not known.
    type Group: Copy + Ord + Hash + Debug;

    fn id(&self) -> Self::Id;
    fn group(&self) -> Self::Group;
}

/// A VPC peering connection as one account and Region sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peering {
    pub id: PeeringId,
    pub requester: PeeringEnd,
    pub accepter: PeeringEnd,
    pub state: PeeringState,
    /// AWS's status message. For a deleted peering it names the deleting account: the only word of who did it that
    /// needs no CloudTrail.
    pub message: Arc<str>,
    /// Only those set in the account and Region that was asked.
    pub tags: Tags,
}

impl Resource for Peering {
    type Id = PeeringId;
    type Group = VpcPair;

    fn id(&self) -> PeeringId {
        self.id
    }

    fn group(&self) -> VpcPair {
        VpcPair::new(self.requester.vpc, self.accepter.vpc)
    }
}

impl Peering {
    pub fn owner(&self) -> Option<OwnerTag> {
        self.tags.get(OwnerTag::KEY).and_then(|value| OwnerTag::parse(value))
    }

    pub fn origin_tag(&self) -> Option<&str> {
        self.tags.get(ORIGIN_TAG_KEY).map(AsRef::as_ref)
    }

    pub fn end(&self, side: Side) -> &PeeringEnd {
        match side {
            Side::Requester => &self.requester,
            Side::Accepter => &self.accepter,
        }
    }

    /// The end that is this VPC: an adopted peering may have been asked for from the other direction.
    pub fn end_of(&self, vpc: VpcId) -> Option<&PeeringEnd> {
        [&self.requester, &self.accepter].into_iter().find(|end| end.vpc == vpc)
    }

    /// The account that AWS's message says deleted it ("Deleted by 111122223333").
    pub fn deleted_by(&self) -> Option<AccountId> {
        self.message.split_once("Deleted by ")?.1.split_whitespace().next()?.parse().ok()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeeringEnd {
    pub at: AccountRegion,
    pub vpc: VpcId,
    /// AWS tells them only while the peering is active.
    pub cidrs: Few<Cidr>,
    pub allow_dns: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeeringState {
    InitiatingRequest,
    PendingAcceptance,
    Provisioning,
    Active,
    /// Neither live nor ended: wait.
    Deleting,
    Ended(Ending),
    /// A state this version does not know: nothing follows from it.
    Other(Arc<str>),
}

impl PeeringState {
    pub fn is_live(&self) -> bool {
        matches!(self, Self::InitiatingRequest | Self::PendingAcceptance | Self::Provisioning | Self::Active)
    }

    /// AWS's own word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InitiatingRequest => "initiating-request",
            Self::PendingAcceptance => "pending-acceptance",
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Ended(ending) => ending.as_str(),
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for PeeringState {
    fn from(word: &str) -> Self {
        match word {
            "initiating-request" => Self::InitiatingRequest,
            "pending-acceptance" => Self::PendingAcceptance,
            "provisioning" => Self::Provisioning,
            "active" => Self::Active,
            "deleting" => Self::Deleting,
            other => Ending::parse(other).map_or_else(|| Self::Other(other.into()), Self::Ended),
        }
    }
}

/// How a peering ended. Each is for ever: one reading that shows one ends that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    Deleted,
    Rejected,
    Expired,
    Failed,
    /// Not shown any more, which took two readings to prove.
    Absent,
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Absent => "absent",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Deleted, Self::Rejected, Self::Expired, Self::Failed, Self::Absent]
            .into_iter()
            .find(|e| e.as_str() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vpc {
    pub id: VpcId,
    pub owner: AccountId,
    pub cidrs: Few<Cidr>,
    pub tags: Tags,
}

impl Resource for Vpc {
    type Id = VpcId;
    type Group = VpcId;

    fn id(&self) -> VpcId {
        self.id
    }

    fn group(&self) -> VpcId {
        self.id
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteTable {
    pub id: RouteTableId,
    pub vpc: VpcId,
    pub owner: AccountId,
    pub main: bool,
    /// Associated with a gateway: takes no routes to a peering.
    pub edge: bool,
    pub tags: Tags,
    pub routes: Vec<Route>,
}

impl Resource for RouteTable {
    type Id = RouteTableId;
    type Group = VpcId;

    fn id(&self) -> RouteTableId {
        self.id
    }

    fn group(&self) -> VpcId {
        self.vpc
    }
}

impl RouteTable {
    /// The static route to `destination`. A propagated one of the same destination is another route, and yields to it.
    pub fn route(&self, destination: Destination) -> Option<&Route> {
        self.routes.iter().find(|route| route.destination == destination && !route.propagated)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    pub destination: Destination,
    pub target: Target,
    /// AWS's word that the target is not available. Shown to people; it never decides.
    pub blackhole: bool,
    pub propagated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrefixList {
    pub id: PrefixListId,
    /// What a route to it counts against the table's quota.
    pub max_entries: u32,
}

impl Resource for PrefixList {
    type Id = PrefixListId;
    type Group = PrefixListId;

    fn id(&self) -> PrefixListId {
        self.id
    }

    fn group(&self) -> PrefixListId {
        self.id
    }
}

/// A rule of a security group that leads nowhere: it refers to a group of another VPC, and the peering that it did so over
/// has ended. AWS alone says which rules are; one that was healed by a new peering is no longer among them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StaleRule {
    pub id: RuleId,
    /// The group that the rule is in.
    pub group: GroupId,
    pub vpc: VpcId,
    pub is_egress: bool,
    /// The group that it refers to, and that one's VPC.
    pub peer_group: GroupId,
    pub peer_vpc: VpcId,
    /// The peering that ended.
    pub via: PeeringId,
}

impl Resource for StaleRule {
    type Id = RuleId;
    type Group = VpcId;

    fn id(&self) -> RuleId {
        self.id
    }

    fn group(&self) -> VpcId {
        self.vpc
    }
}

/// What a reading is complete for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope<T: Resource> {
    /// Everything of the kind in that account and Region: a sweep. Only such readings count towards absence.
    All,
    /// Everything of these groups.
    Groups(BTreeSet<T::Group>),
    Ids(BTreeSet<T::Id>),
}

/// One complete answer of AWS. There is no partial one: a failed page means no reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reading<T: Resource> {
    /// When the first page was asked for. Anything that happened later may be missing.
    began: Mono,
    scope: Scope<T>,
    by_id: BTreeMap<T::Id, Arc<T>>,
    by_group: BTreeMap<T::Group, Vec<T::Id>>,
}

impl<T: Resource> Reading<T> {
    pub fn new(began: Mono, scope: Scope<T>, things: impl IntoIterator<Item = Arc<T>>) -> Self {
        let by_id: BTreeMap<_, _> = things.into_iter().map(|thing| (thing.id(), thing)).collect();
        let mut by_group: BTreeMap<T::Group, Vec<T::Id>> = BTreeMap::new();
        for thing in by_id.values() {
            by_group.entry(thing.group()).or_default().push(thing.id());
        }
        Self { began, scope, by_id, by_group }
    }

    /// The same, holding `older`'s copy of whatever has not changed since: the sweeps that are kept of a quiet account weigh
    /// little more than one, and comparing them is quick.
    pub fn sharing(mut self, older: &Self) -> Self {
        for (id, thing) in &mut self.by_id {
            if let Some(known) = older.by_id.get(id).filter(|known| *known == thing) {
                *thing = known.clone();
            }
        }
        self
    }

    pub fn began(&self) -> Mono {
        self.began
    }

    pub fn is_sweep(&self) -> bool {
        matches!(self.scope, Scope::All)
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_id.values()
    }

    pub fn get(&self, id: T::Id) -> Option<&Arc<T>> {
        self.by_id.get(&id)
    }

    pub fn group(&self, group: T::Group) -> impl Iterator<Item = &Arc<T>> {
        self.by_group.get(&group).into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// Whether a thing of this group that is not in here was not there.
    pub fn covers_group(&self, group: T::Group) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Groups(groups) => groups.contains(&group),
            Scope::Ids(_) => false,
        }
    }

    /// Whether the thing's not being in here says anything.
    pub fn speaks_of(&self, id: T::Id) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Groups(_) => self.by_id.contains_key(&id),
            Scope::Ids(ids) => ids.contains(&id),
        }
    }
}

/// Why AWS's word is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unseen {
    /// Not asked yet, or we hold no credentials for that side.
    NotRead,
    /// A call was refused; the code and the call, for the message.
    Denied {
        call: Arc<str>,
        code: Arc<str>,
    },
    Throttled,
    /// AWS could not be reached, or failed.
    Failed {
        call: Arc<str>,
        why: Arc<str>,
    },
    /// The credentials belong to another account than the one declared.
    WrongAccount {
        found: Option<AccountId>,
    },
    TooOld {
        began: Mono,
    },
    /// A write of ours may not be visible yet.
    Settling {
        until: Mono,
    },
    /// Not shown, but not proved absent either.
    Unproved,
}

/// That something is gone: two complete sweeps, far enough apart, after everything we wrote to it had settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsenceProof {
    first: Mono,
    second: Mono,
}

impl AbsenceProof {
    pub fn readings(&self) -> (Mono, Mono) {
        (self.first, self.second)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen<T> {
    Present(T),
    Absent(AbsenceProof),
    Unknown(Unseen),
}

/// What one object may look at, of one kind, in one account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View<T: Resource> {
    /// The last complete sweep, and the one before it.
    pub sweep: Option<Arc<Reading<T>>>,
    pub before: Option<Arc<Reading<T>>>,
    /// Asked for by this turn: just what it is about to touch.
    pub narrow: Option<Arc<Reading<T>>>,
    /// Why the newest attempt brought nothing; shown when there is nothing better.
    pub unseen: Unseen,
}

impl<T: Resource> Default for View<T> {
    fn default() -> Self {
        Self { sweep: None, before: None, narrow: None, unseen: Unseen::NotRead }
    }
}

impl<T: Resource> View<T> {
    /// All readings, newest first.
    pub fn readings(&self) -> impl Iterator<Item = &Arc<Reading<T>>> {
        // Asked for every route of every object: it must not allocate.
        let mut all = [&self.narrow, &self.sweep, &self.before];
        all.sort_by_key(|reading| std::cmp::Reverse(reading.as_ref().map(|reading| reading.began)));
        all.into_iter().flatten()
    }

    /// When the newest reading that says something about `group` began, however long ago that is.
    pub fn newest_covering(&self, group: T::Group) -> Option<Mono> {
        self.readings().find(|reading| reading.covers_group(group)).map(|reading| reading.began())
    }

    /// The newest reading that is not older than three sweeps and says something about `group`.
    pub fn newest_of(&self, group: T::Group, now: Mono, timing: &Timing) -> Result<&Arc<Reading<T>>, Unseen> {
        let found =
            self.readings().find(|reading| reading.covers_group(group)).ok_or_else(|| self.unseen.clone())?;
        if now.since_ms(found.began) > timing.stale_ms {
            return Err(self.too_old(found.began));
        }
        Ok(found)
    }

    /// Credentials that answer as another account don't get better by waiting; everything else may.
    fn too_old(&self, began: Mono) -> Unseen {
        match &self.unseen {
            wrong @ Unseen::WrongAccount { .. } => wrong.clone(),
            _ => Unseen::TooOld { began },
        }
    }

    /// Everything of `group`, from the newest reading that covers it.
    pub fn group(&self, group: T::Group, now: Mono, timing: &Timing) -> Result<Vec<Arc<T>>, Unseen> {
        Ok(self.newest_of(group, now, timing)?.group(group).cloned().collect())
    }

    /// One thing, from the newest reading that covers it. `settled` is when our own last write to it had settled;
    /// `None` while it has not.
    pub fn seen(&self, id: T::Id, settled: Option<Mono>, now: Mono, timing: &Timing) -> Seen<Arc<T>> {
        let Some(newest) = self.readings().find(|reading| reading.speaks_of(id)) else {
            return Seen::Unknown(self.unseen.clone());
        };
        if now.since_ms(newest.began) > timing.stale_ms {
            return Seen::Unknown(self.too_old(newest.began));
        }
        match newest.get(id) {
            Some(thing) => Seen::Present(thing.clone()),
            None => self.absence(id, settled, timing).map_or(Seen::Unknown(Unseen::Unproved), Seen::Absent),
        }
    }

    fn absence(&self, id: T::Id, settled: Option<Mono>, timing: &Timing) -> Option<AbsenceProof> {
        let (second, first) = (self.sweep.as_ref()?, self.before.as_ref()?);
        let shown_since =
            self.readings().any(|reading| reading.began > first.began && reading.get(id).is_some());
        let far_apart = second.began.since_ms(first.began) >= timing.absence_gap_ms;
        let after_our_writes = settled.is_some_and(|at| at <= first.began);
        let lacked_twice = first.get(id).is_none() && second.get(id).is_none();
        (far_apart && after_our_writes && lacked_twice && !shown_since)
            .then_some(AbsenceProof { first: first.began, second: second.began })
    }
}

/// One account and Region, as far as one object is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SideView {
    /// Whose credentials these readings were made with, by GetCallerIdentity.
    pub caller: Option<AccountId>,
    pub peerings: View<Peering>,
    pub tables: View<RouteTable>,
    pub vpcs: View<Vpc>,
    pub prefix_lists: View<PrefixList>,
    /// Never swept: read only about a loss.
    pub stale_rules: View<StaleRule>,
    /// How many more routes AWS takes per table, from the account's quota.
    pub routes_per_table: Option<u32>,
}

/// What a turn asks to have read, newly, before it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    pub peerings: BTreeSet<Side>,
    pub vpcs: BTreeSet<Side>,
    pub tables: BTreeMap<Side, BTreeSet<RouteTableId>>,
    pub prefix_lists: BTreeMap<Side, BTreeSet<PrefixListId>>,
    /// The stale security-group rules of these sides' VPCs.
    pub stale_rules: BTreeSet<Side>,
}

impl Needs {
    pub fn is_empty(&self) -> bool {
        self.peerings.is_empty()
            && self.vpcs.is_empty()
            && self.tables.is_empty()
            && self.prefix_lists.is_empty()
            && self.stale_rules.is_empty()
    }

    pub fn merge(&mut self, other: Self) {
        self.peerings.extend(other.peerings);
        self.vpcs.extend(other.vpcs);
        self.stale_rules.extend(other.stale_rules);
        for (side, tables) in other.tables {
            self.tables.entry(side).or_default().extend(tables);
        }
        for (side, lists) in other.prefix_lists {
            self.prefix_lists.entry(side).or_default().extend(lists);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_shares_what_has_not_changed_and_nothing_else() {
        let vpc = |n: u8, cidr: &str| {
            let cidrs = [cidr.parse().unwrap()].into();
            let owner = "111122223333".parse().unwrap();
            Arc::new(Vpc { id: format!("vpc-{n:017x}").parse().unwrap(), owner, cidrs, tags: Tags::new() })
        };
        let older = Reading::new(
            Mono(1),
            Scope::All,
            [vpc(1, "10.1.0.0/16"), vpc(2, "10.2.0.0/16"), vpc(3, "10.3.0.0/16")],
        );
        let things = [vpc(1, "10.1.0.0/16"), vpc(2, "10.9.0.0/16"), vpc(4, "10.4.0.0/16")];
        let plain = Reading::new(Mono(2), Scope::All, things);
        let shared = plain.clone().sharing(&older);
        assert_eq!(shared, plain, "it says what it said");
        let kept: Vec<bool> =
            shared.iter().map(|vpc| older.get(vpc.id).is_some_and(|known| Arc::ptr_eq(known, vpc))).collect();
        assert_eq!(kept, [true, false, false], "unchanged, changed, new");
    }
}
