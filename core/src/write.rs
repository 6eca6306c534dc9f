//! What may be asked of AWS, and what came of it. A write carries what it expects to find; whoever sends it has
//! nothing to add and nothing to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::aws_code::Refusal;
use crate::desired::PairAt;
use crate::ids::{AccountRegion, GroupId, PeeringId, RuleId, Side, Slot, Target, VpcId};
use crate::pace::bucket::Operation;
use crate::time::Mono;

/// Tags to set, by key.
pub type TagSet = BTreeMap<Arc<str>, Arc<str>>;

/// One call that changes AWS, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteCall {
    /// The declared side whose credentials send it.
    pub side: Side,
    pub at: AccountRegion,
    pub write: Write,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Ask for a peering, in the declared direction only.
    Create {
        pair: PairAt,
        tags: TagSet,
    },
    Accept(PeeringId),
    /// `DeleteVpcPeeringConnection`.
    Remove(PeeringId, PeeringProof),
    /// `AllowDnsResolutionFromRemoteVpc`, by AWS's own ends of that peering: an adopted one may be the other way round.
    Options {
        id: PeeringId,
        requester: Option<bool>,
        accepter: Option<bool>,
    },
    Tag {
        id: PeeringId,
        set: TagSet,
    },
    Untag {
        id: PeeringId,
        keys: BTreeSet<Arc<str>>,
    },
    AddRoute {
        slot: Slot,
        to: PeeringId,
    },
    /// `ReplaceRoute`: no moment without a route.
    Repoint {
        slot: Slot,
        from: Target,
        to: PeeringId,
        proof: SlotProof,
    },
    DropRoute {
        slot: Slot,
        was: PeeringId,
        proof: SlotProof,
    },
    /// `RevokeSecurityGroupIngress`, or `Egress`, of one rule by its id.
    RevokeRule {
        rule: RuleId,
        group: GroupId,
        vpc: VpcId,
        is_egress: bool,
        /// The ended peering over which the rule refers to the other VPC.
        via: PeeringId,
        proof: RuleProof,
    },
}

/// Why a peering may be removed: only `plan` makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeeringProof {
    pub(crate) read: Mono,
    pub(crate) why: OursBecause,
}

/// Why a route may be changed, and when it was read as expected: only `plan` makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlotProof {
    pub(crate) read: Mono,
    pub(crate) why: OursBecause,
}

/// Why a security-group rule may be revoked, and when it was read as stale: only `plan` makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleProof {
    pub(crate) read: Mono,
    pub(crate) why: OursBecause,
}

impl RuleProof {
    pub fn read(&self) -> Mono {
        self.read
    }

    pub fn why(&self) -> OursBecause {
        self.why
    }
}

impl PeeringProof {
    pub fn read(&self) -> Mono {
        self.read
    }

    pub fn why(&self) -> OursBecause {
        self.why
    }
}

impl SlotProof {
    pub fn read(&self) -> Mono {
        self.read
    }

    pub fn why(&self) -> OursBecause {
        self.why
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OursBecause {
    /// Memory says we wrote, or adopted, it.
    Remembered,
    /// It carries our owner tag.
    Tagged,
    /// Declared here, and its target is a peering of this pair.
    TargetsThisPair,
    /// Declared here, and its target is a peering id proved absent.
    TargetAbsent,
    /// `dependentRoutes: All`, and its target is the lost peering.
    TargetsTheLost,
    /// Declared here, and `onRepointedRoute: Restore` asks for it.
    PolicyTakesItBack,
    /// `staleSecurityGroupRules: Revoke`: it refers to the other VPC over the lost peering, and the plan that was begun
    /// names it.
    RefersOverTheLost,
    /// Declared here, and a person approved that just this route is taken back.
    PersonTakesItBack,
}

/// What a write is about, for telling repeats: two writes with one key are never under way together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteKey {
    Create,
    Accept(PeeringId),
    Remove(PeeringId),
    Options(PeeringId, Side),
    Tags(PeeringId, Side),
    Route(Slot),
    Rule(RuleId),
}

impl WriteCall {
    pub fn key(&self) -> WriteKey {
        match &self.write {
            Write::Create { .. } => WriteKey::Create,
            Write::Accept(id) => WriteKey::Accept(*id),
            Write::Remove(id, _) => WriteKey::Remove(*id),
            Write::Options { id, .. } => WriteKey::Options(*id, self.side),
            Write::Tag { id, .. } | Write::Untag { id, .. } => WriteKey::Tags(*id, self.side),
            Write::AddRoute { slot, .. } | Write::Repoint { slot, .. } | Write::DropRoute { slot, .. } => {
                WriteKey::Route(*slot)
            }
            Write::RevokeRule { rule, .. } => WriteKey::Rule(*rule),
        }
    }

    /// The name of AWS's action.
    pub fn action(&self) -> &'static str {
        match &self.write {
            Write::Create { .. } => "CreateVpcPeeringConnection",
            Write::Accept(_) => "AcceptVpcPeeringConnection",
            Write::Remove(..) => "DeleteVpcPeeringConnection",
            Write::Options { .. } => "ModifyVpcPeeringConnectionOptions",
            Write::Tag { .. } => "CreateTags",
            Write::Untag { .. } => "DeleteTags",
            Write::AddRoute { .. } => "CreateRoute",
            Write::Repoint { .. } => "ReplaceRoute",
            Write::DropRoute { .. } => "DeleteRoute",
            Write::RevokeRule { is_egress: false, .. } => "RevokeSecurityGroupIngress",
            Write::RevokeRule { is_egress: true, .. } => "RevokeSecurityGroupEgress",
        }
    }
}

impl Write {
    /// The operation of EC2 that it is: each has a bucket of its own.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create { .. } => Operation::CreateVpcPeeringConnection,
            Self::Accept(_) => Operation::AcceptVpcPeeringConnection,
            Self::Remove(..) => Operation::DeleteVpcPeeringConnection,
            Self::Options { .. } => Operation::ModifyVpcPeeringConnectionOptions,
            Self::Tag { .. } => Operation::CreateTags,
            Self::Untag { .. } => Operation::DeleteTags,
            Self::AddRoute { .. } => Operation::CreateRoute,
            Self::Repoint { .. } => Operation::ReplaceRoute,
            Self::DropRoute { .. } => Operation::DeleteRoute,
            Self::RevokeRule { is_egress: false, .. } => Operation::RevokeSecurityGroupIngress,
            Self::RevokeRule { is_egress: true, .. } => Operation::RevokeSecurityGroupEgress,
        }
    }
}

impl fmt::Display for WriteCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, at, write } = self;
        match write {
            Write::Create { pair, tags: _ } => {
                write!(f, "create peering {} -> {}", pair.sides.requester.vpc, pair.sides.accepter.vpc)
            }
            Write::Accept(id) => write!(f, "accept {id}"),
            Write::Remove(id, _) => write!(f, "remove {id}"),
            Write::Options { id, requester, accepter } => {
                write!(f, "set DNS resolution on {id}:")?;
                requester.iter().try_for_each(|v| write!(f, " requester={v}"))?;
                accepter.iter().try_for_each(|v| write!(f, " accepter={v}"))
            }
            Write::Tag { id, set } => {
                let pairs: Vec<String> = set.iter().map(|(k, v)| format!("{k}={v}")).collect();
                write!(f, "tag {id} ({side}): {}", pairs.join(" "))
            }
            Write::Untag { id, keys } => {
                let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
                write!(f, "untag {id} ({side}): {}", keys.join(" "))
            }
            Write::AddRoute { slot, to } => write!(f, "add route {slot} to {to}"),
            Write::Repoint { slot, from, to, proof: _ } => {
                write!(f, "repoint route {slot} from {from} to {to}")
            }
            Write::DropRoute { slot, was, proof: _ } => write!(f, "drop route {slot} to {was}"),
            Write::RevokeRule { rule, group, vpc: _, is_egress, via, proof: _ } => {
                let way = if *is_egress { "egress" } else { "ingress" };
                write!(f, "revoke {way} rule {rule} of {group}, stale since {via} ended")
            }
        }?;
        write!(f, " in {at}")
    }
}

/// What came of a write, as far as its sender knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// AWS said yes; the id where it made or named one.
    Done(Option<PeeringId>),
    /// AWS said no; nothing was changed.
    Refused(Refusal),
    /// It was never sent.
    NotSent(NotSent),
    /// No answer: the effect may have happened.
    Unknown(Arc<str>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotSent {
    /// The lease would not outlast the write.
    Leadership,
    /// Our share of AWS's rate is used up; worth another try then.
    Rate { ready: Mono },
    /// The reading behind it grew old before it could be sent.
    Stale,
    /// An earlier write of the same wave failed, and this one follows from it.
    Skipped,
    /// No usable credentials.
    Credentials(Arc<str>),
    /// No connection to AWS could be made, so AWS never saw it.
    Unreachable(Arc<str>),
}

/// Proofs without a plan, for tests of what sends writes. Nothing but a test may use it.
#[doc(hidden)]
pub mod testing {
    use super::{OursBecause, PeeringProof, RuleProof, SlotProof};
    use crate::time::Mono;

    pub fn peering_proof(read: Mono, why: OursBecause) -> PeeringProof {
        PeeringProof { read, why }
    }

    pub fn rule_proof(read: Mono, why: OursBecause) -> RuleProof {
        RuleProof { read, why }
    }

    pub fn slot_proof(read: Mono, why: OursBecause) -> SlotProof {
        SlotProof { read, why }
    }
}
