//! What is declared: a `VpcPeering`, its policy, and what the accounts' owners allow. Parsed and defaulted, nothing raw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{
    AccountId, AccountRegion, Cidr, ObjectKey, OwnerTag, PeeringId, PrefixListId, Region, RouteTableId, Side,
    Sides, VpcAt, VpcId, VpcPair,
};
use crate::limits::Level;
use crate::principal::Principal;
use crate::time::Wall;

/// One `VpcPeering`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Desired {
    pub key: ObjectKey,
    pub uid: Arc<str>,
    /// Rises with each change of the spec.
    pub generation: i64,
    pub created: Wall,
    /// The object is being deleted; only its finalizer keeps it.
    pub deleting: bool,
    /// Its namespace is being deleted: nothing new can be created in it, Events included.
    pub namespace_terminating: bool,
    pub sides: Sides<SideSpec>,
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    pub adoption: Adoption,
    pub deletion_policy: Option<DeletionPolicy>,
    pub suspend: bool,
    /// The annotation `peerkeeper.dev/reconcile-requested-at`, opaque.
    pub requested_at: Option<Arc<str>>,
    /// The annotation `peerkeeper.dev/established`: this id was once an active peering of ours. It survives tools that
    /// drop status, and confers no ownership.
    pub established: Option<PeeringId>,
    pub owner_id: Arc<str>,
}

impl Desired {
    pub fn pair(&self) -> VpcPair {
        VpcPair::new(self.sides.requester.vpc, self.sides.accepter.vpc)
    }

    pub fn owner_tag(&self) -> OwnerTag {
        OwnerTag { owner_id: self.owner_id.clone(), object: self.key.clone() }
    }
}

/// One end of a declared peering.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SideSpec {
    pub account: AccountRef,
    pub region: Region,
    pub vpc: VpcId,
    /// Absent: Peerkeeper does not manage this side's DNS option.
    pub allow_dns: Option<bool>,
    pub routes: Vec<RouteSpec>,
}

/// Whose account a side is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountRef {
    /// An `AwsAccount` by name: we hold credentials for it.
    Managed(Arc<str>),
    /// An account by id, for which we hold none: a human there accepts.
    Foreign(AccountId),
}

/// Routes on one side, towards the peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteSpec {
    pub name: Arc<str>,
    pub tables: TableSelector,
    pub destinations: Destinations,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TableSelector {
    Ids(BTreeSet<RouteTableId>),
    /// Every one of these tags must match.
    Tags(BTreeMap<Arc<str>, Arc<str>>),
    All,
    Main,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destinations {
    /// All CIDR blocks of the peer's VPC, IPv4 and IPv6, secondary ones too, less these.
    PeerCidrs {
        exclude: BTreeSet<Cidr>,
    },
    Cidrs(BTreeSet<Cidr>),
    PrefixLists(BTreeSet<PrefixListId>),
}

/// What to do with a live peering of the declared pair that nobody owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Adoption {
    IfUnowned,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionPolicy {
    Delete,
    Retain,
}

/// A `PeeringPolicy`, or the built-in one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    pub source: PolicySource,
    pub action: LossAction,
    pub grace_s: i64,
    pub dependent_routes: DependentRoutes,
    pub stale_rules: StaleRules,
    /// Who asks that a person approves each act upon a loss, if anybody does.
    pub approval: Option<Level>,
    /// A deletion by one of these is intended.
    pub authorized: Arc<[Principal]>,
    pub on_authorized: LossAction,
    /// How long an act waits for the actor to become known, where it matters who it was.
    pub attribution_timeout_s: i64,
    pub on_unknown_actor: UnknownActor,
    pub on_drift: Reaction,
    pub on_repointed_route: Reaction,
    pub limits: Limits,
}

/// Security-group rules that refer to groups of the other VPC and lead nowhere once the peering has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StaleRules {
    Ignore,
    Flag,
    /// Together with the routes, when those are removed.
    Revoke,
}

/// What to make of a loss whose actor did not become known in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownActor {
    TreatAsUnexpected,
    Hold,
}

impl Policy {
    /// What holds where no policy is named and none is called `default`: flag, change nothing.
    pub fn built_in() -> Self {
        Self {
            source: PolicySource::BuiltIn,
            action: LossAction::Flag,
            grace_s: 0,
            dependent_routes: DependentRoutes::Declared,
            stale_rules: StaleRules::Flag,
            approval: None,
            authorized: Arc::from([]),
            on_authorized: LossAction::RemoveRoutes,
            attribution_timeout_s: 300,
            on_unknown_actor: UnknownActor::TreatAsUnexpected,
            on_drift: Reaction::Restore,
            on_repointed_route: Reaction::Flag,
            limits: Limits::default(),
        }
    }

    /// It matters who ended a peering, so acts wait for a while until that is known.
    pub fn asks_who(&self) -> bool {
        !self.authorized.is_empty() || self.on_unknown_actor == UnknownActor::Hold
    }

    /// A digest of all that bears on what is done about a loss. One that was noticed under another mark is not acted upon
    /// unasked: who can change a policy must not be able to turn past losses into acts, or to lift their holds.
    pub fn mark(&self) -> Arc<str> {
        // Without `..`: whoever adds a field decides here whether it bears on losses.
        let Self {
            source: _,
            action,
            grace_s,
            dependent_routes,
            stale_rules,
            approval,
            authorized,
            on_authorized,
            attribution_timeout_s,
            on_unknown_actor,
            on_drift: _,
            on_repointed_route: _,
            limits: _,
        } = self;
        let asks = approval.is_some();
        let words = format!(
            "{action:?} {grace_s} {dependent_routes:?} {stale_rules:?} {asks} {authorized:?} {on_authorized:?} {attribution_timeout_s} {on_unknown_actor:?}"
        );
        crate::digest::sha256(words.as_bytes())[..16].into()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PolicySource {
    BuiltIn,
    Named(Arc<str>),
    /// A policy was named that does not exist: only flag.
    Missing(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossAction {
    Restore,
    RemoveRoutes,
    Flag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DependentRoutes {
    Declared,
    /// All routes of both VPCs that point at the lost peering and overlap the peer's CIDRs.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    Restore,
    Flag,
}

/// How many objects may be acted upon in a window. They count objects, never AWS calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limits {
    pub window_s: i64,
    pub max_restores: u32,
    pub max_removals: u32,
    pub max_restores_per_peering: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window_s: 3600, max_restores: 10, max_removals: 10, max_restores_per_peering: 3 }
    }
}

/// What the owner of a side's account lets this object do there, resolved against the `AwsAccount`s of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Grant {
    /// Granted, and the account answers to our credentials.
    Granted(AccountId),
    /// The `AwsAccount` freezes every write in its account.
    Suspended(AccountId),
    /// Somebody else used our credentials there: every write is held until a person has looked at it.
    Misused { account: AccountId, name: Arc<str>, event: Arc<str> },
    /// `account: {id}`: no credentials of ours, and the other side's account allows it.
    Foreign(AccountId),
    /// No `AwsAccount` of that name.
    NoAccount { name: Arc<str> },
    /// The `AwsAccount` grants this namespace or VPC nothing.
    NotGranted { name: Arc<str>, account: AccountId },
    /// The other side's account does not list this id, or an `AwsAccount` has it.
    ForeignRefused { account: AccountId, why: ForeignRefusal },
    /// The role can't be assumed, or answers as another account.
    Unusable { account: AccountId, why: Arc<str> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForeignRefusal {
    /// Not in the `allowedPeerAccounts` of the other side's `AwsAccount`.
    NotAllowed { by: Arc<str> },
    /// This `AwsAccount` has that id: use its name.
    IsManaged { name: Arc<str> },
}

impl Grant {
    /// The account this side is in, where it can be known.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Granted(id) | Self::Suspended(id) | Self::Foreign(id) => Some(*id),
            Self::Misused { account, .. }
            | Self::NotGranted { account, .. }
            | Self::ForeignRefused { account, .. }
            | Self::Unusable { account, .. } => Some(*account),
            Self::NoAccount { .. } => None,
        }
    }

    /// We may ask AWS about this side.
    pub fn readable(&self) -> bool {
        matches!(self, Self::Granted(_) | Self::Suspended(_) | Self::Misused { .. })
    }

    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_) | Self::ForeignRefused { .. })
    }

    /// The side may be used as declared: our own by grant, though it may be suspended; a foreign one by allowance.
    pub fn allows(&self) -> bool {
        matches!(self, Self::Granted(_) | Self::Suspended(_) | Self::Misused { .. } | Self::Foreign(_))
    }
}

impl Sides<Grant> {
    /// Both accounts' owners let the object act.
    pub fn both_allow(&self) -> bool {
        self.requester.allows() && self.accepter.allows()
    }
}

/// A declared peering with both its accounts known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairAt {
    pub sides: Sides<VpcAt>,
}

impl PairAt {
    pub fn resolve(desired: &Desired, grants: &Sides<Grant>) -> Option<Self> {
        let end = |side: Side| {
            let spec = desired.sides.get(side);
            let account = grants.get(side).account()?;
            Some(VpcAt { at: AccountRegion { account, region: spec.region }, vpc: spec.vpc })
        };
        Some(Self { sides: Sides::new(end(Side::Requester)?, end(Side::Accepter)?) })
    }

    pub fn pair(&self) -> VpcPair {
        VpcPair::new(self.sides.requester.vpc, self.sides.accepter.vpc)
    }

    pub fn at(&self, side: Side) -> AccountRegion {
        self.sides.get(side).at
    }

    /// Both ends are in one account and Region: one reading shows both, one call changes both.
    pub fn is_one_place(&self) -> bool {
        self.at(Side::Requester) == self.at(Side::Accepter)
    }
}
