//! What CloudTrail tells: which call was made in which account and Region, by whom and when.
//!
//! A record is a hint and a witness, never the state: it says what to look at, and who did it. It reaches us in two ways
//! that are not worth the same: a message from a queue, which others may be able to write to, and CloudTrail's own event
//! history, which answers to our credentials only.

use std::sync::Arc;

use crate::ids::{AccountId, AccountRegion, Destination, PeeringId, RouteTableId, VpcId};
use crate::time::Wall;

/// One call that somebody made, as CloudTrail recorded it. Calls that failed are never made into one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrailEvent {
    /// CloudTrail's `eventID`: the same record has the same one however often and on whatever way it comes.
    pub id: Arc<str>,
    /// `eventTime`: when the call was made, in whole seconds.
    pub at: Wall,
    /// `recipientAccountId` and `awsRegion`: CloudTrail records a call in the account and Region of its caller.
    pub place: AccountRegion,
    pub call: Call,
    pub actor: Actor,
    pub heard: Heard,
    /// AWS's id of the request (`requestID`).
    pub request_id: Arc<str>,
    /// The record as it came, JSON: what an auditor is shown.
    pub record: Arc<str>,
}

/// How a record came to us, the less certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    /// A message from an SQS queue: whoever may send to that queue can have written it.
    Queue,
    /// CloudTrail's event history (LookupEvents), asked with our own credentials.
    History,
}

/// What was called, as far as it matters to peerings, their routes and their VPCs, or to our hearing of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    CreatePeering {
        requester: VpcId,
        accepter: VpcId,
        made: Option<PeeringId>,
    },
    AcceptPeering(PeeringId),
    RejectPeering(PeeringId),
    DeletePeering(PeeringId),
    ModifyOptions(PeeringId),
    CreateRoute {
        table: RouteTableId,
        destination: Destination,
    },
    ReplaceRoute {
        table: RouteTableId,
        destination: Destination,
    },
    DeleteRoute {
        table: RouteTableId,
        destination: Destination,
    },
    DeleteRouteTable(RouteTableId),
    /// A subnet, or the main association, now uses this route table.
    ReplaceAssociation {
        table: RouteTableId,
    },
    DeleteVpc(VpcId),
    /// `CreateTags`, or `DeleteTags`: as much of it as is about peerings and VPCs.
    Tags {
        removed: bool,
        on: Arc<[Tagged]>,
        keys: Arc<[Arc<str>]>,
    },
    /// Rules of this security group were revoked.
    RevokeRules {
        group: Arc<str>,
    },
    /// A call that stops CloudTrail or EventBridge from telling us more, such as StopLogging.
    Blind {
        name: Arc<str>,
    },
}

/// What tags were set on, or taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tagged {
    Peering(PeeringId),
    Vpc(VpcId),
}

impl Call {
    /// AWS's name of the operation.
    pub fn name(&self) -> &str {
        match self {
            Self::CreatePeering { .. } => "CreateVpcPeeringConnection",
            Self::AcceptPeering(_) => "AcceptVpcPeeringConnection",
            Self::RejectPeering(_) => "RejectVpcPeeringConnection",
            Self::DeletePeering(_) => "DeleteVpcPeeringConnection",
            Self::ModifyOptions(_) => "ModifyVpcPeeringConnectionOptions",
            Self::CreateRoute { .. } => "CreateRoute",
            Self::ReplaceRoute { .. } => "ReplaceRoute",
            Self::DeleteRoute { .. } => "DeleteRoute",
            Self::DeleteRouteTable(_) => "DeleteRouteTable",
            Self::ReplaceAssociation { .. } => "ReplaceRouteTableAssociation",
            Self::DeleteVpc(_) => "DeleteVpc",
            Self::Tags { removed: false, .. } => "CreateTags",
            Self::Tags { removed: true, .. } => "DeleteTags",
            Self::RevokeRules { .. } => "RevokeSecurityGroupRules",
            Self::Blind { name } => name,
        }
    }

    /// The peerings that it was about.
    pub fn peerings(&self) -> impl Iterator<Item = PeeringId> {
        let one = match self {
            Self::CreatePeering { made, .. } => *made,
            Self::AcceptPeering(id)
            | Self::RejectPeering(id)
            | Self::DeletePeering(id)
            | Self::ModifyOptions(id) => Some(*id),
            _ => None,
        };
        let tagged = self.tagged().iter().filter_map(|on| match on {
            Tagged::Peering(id) => Some(*id),
            Tagged::Vpc(_) => None,
        });
        one.into_iter().chain(tagged)
    }

    fn tagged(&self) -> &[Tagged] {
        match self {
            Self::Tags { on, .. } => on,
            _ => &[],
        }
    }

    /// The route table that it was about.
    pub fn table(&self) -> Option<RouteTableId> {
        match self {
            Self::CreateRoute { table, .. }
            | Self::ReplaceRoute { table, .. }
            | Self::DeleteRoute { table, .. }
            | Self::ReplaceAssociation { table }
            | Self::DeleteRouteTable(table) => Some(*table),
            _ => None,
        }
    }

    /// The VPCs that it was about, where the record names them.
    pub fn vpcs(&self) -> impl Iterator<Item = VpcId> {
        let (one, other) = match self {
            Self::CreatePeering { requester, accepter, .. } => (Some(*requester), Some(*accepter)),
            Self::DeleteVpc(vpc) => (Some(*vpc), None),
            _ => (None, None),
        };
        let tagged = self.tagged().iter().filter_map(|on| match on {
            Tagged::Vpc(id) => Some(*id),
            Tagged::Peering(_) => None,
        });
        one.into_iter().chain(other).chain(tagged)
    }

    /// It ended, or would end, that peering.
    pub fn ends(&self, id: PeeringId) -> bool {
        matches!(self, Self::DeletePeering(ended) | Self::RejectPeering(ended) if *ended == id)
    }
}

/// Who made a call: CloudTrail's `userIdentity`, and where the call came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    pub kind: ActorKind,
    /// The account of the identity (`userIdentity.accountId`).
    pub account: Option<AccountId>,
    /// `userIdentity.arn`; of a session, the one that names the session. Empty where the record has none.
    pub arn: Arc<str>,
    pub principal_id: Arc<str>,
    /// Of a session: the role that was assumed.
    pub issuer: Option<Issuer>,
    /// Of an IAM user: its name.
    pub user_name: Option<Arc<str>>,
    pub access_key_id: Option<Arc<str>>,
    /// `sessionContext.sourceIdentity`: set when the role was assumed, and kept through further roles.
    pub source_identity: Option<Arc<str>>,
    /// `sessionContext.attributes.mfaAuthenticated`; `None` where the record does not say.
    pub mfa: Option<bool>,
    /// An address, or the name of the AWS service that called.
    pub source_address: Arc<str>,
    pub user_agent: Arc<str>,
}

impl Actor {
    /// The name by which people know it: the ARN, or what there is instead.
    pub fn name(&self) -> &str {
        [&*self.arn, &*self.principal_id].into_iter().find(|word| !word.is_empty()).unwrap_or("unknown")
    }
}

/// `sessionContext.sessionIssuer`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Issuer {
    /// The role's own ARN, which keeps its path, unlike that of a session.
    pub arn: Arc<str>,
    pub account: AccountId,
    /// With its slashes at both ends: `/`, or `/network/`.
    pub path: Arc<str>,
    pub name: Arc<str>,
}

/// `userIdentity.type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    Root,
    IamUser,
    AssumedRole,
    FederatedUser,
    /// An AWS service by itself.
    AwsService,
    /// Another account, of which the record tells no more.
    AwsAccount,
    /// Any other, and what we do not know.
    #[default]
    Other,
}
