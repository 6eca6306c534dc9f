//! What a caller is shown.

mod network;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::ids::{
    AccountId, AssociationId, CidrAssociationId, Opaque, PeeringId, PrefixListId, Region, RouteTableId,
    SubnetCidrAssociationId, SubnetId, VpcId,
};
use crate::queue::{BatchResult, QueueId, ReceivedMessage, SentMessage};
use crate::request::Tags;
use crate::trail::TrailRecord;

pub use network::{
    AclView, GatewayView, GroupReference, GroupView, ReferencedGroup, RuleEnd, RuleView, StaleGroupView,
    SubnetView, ZoneView,
};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($variant,)*
        }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// AWS's word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

codes!(PeeringStatus {
    InitiatingRequest = "initiating-request",
    PendingAcceptance = "pending-acceptance",
    Provisioning = "provisioning",
    Active = "active",
    Deleting = "deleting",
    Deleted = "deleted",
    Rejected = "rejected",
    Failed = "failed",
    Expired = "expired",
});

codes!(RouteState { Active = "active", Blackhole = "blackhole" });

codes!(RouteOrigin {
    CreateRouteTable = "CreateRouteTable",
    CreateRoute = "CreateRoute",
    EnableVgwRoutePropagation = "EnableVgwRoutePropagation",
});

impl PeeringStatus {
    /// It was asked for and has not ended: a second one of the same pair and direction is not made.
    pub fn is_live(self) -> bool {
        matches!(self, Self::InitiatingRequest | Self::PendingAcceptance | Self::Provisioning | Self::Active)
    }

    /// Asked for, and neither accepted nor ended.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Self::InitiatingRequest | Self::PendingAcceptance)
    }

    /// For ever.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Deleted | Self::Rejected | Self::Failed | Self::Expired)
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Destination {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(PrefixListId),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => net.fmt(f),
            Self::Ipv6(net) => net.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
        }
    }
}

impl From<IpNet> for Destination {
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::Ipv4(net),
            IpNet::V6(net) => Self::Ipv6(net),
        }
    }
}

/// Where a route leads, by the member of the API that says so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    Local,
    Peering(PeeringId),
    /// `GatewayId`: an internet gateway, a virtual private gateway, a gateway endpoint.
    Gateway(Opaque),
    NatGateway(Opaque),
    TransitGateway(Opaque),
    NetworkInterface(Opaque),
    EgressOnlyInternetGateway(Opaque),
}

impl Target {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::Peering(id) => id.as_str(),
            Self::Gateway(id)
            | Self::NatGateway(id)
            | Self::TransitGateway(id)
            | Self::NetworkInterface(id)
            | Self::EgressOnlyInternetGateway(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RouteView {
    pub destination: Destination,
    pub target: Target,
    pub state: RouteState,
    pub origin: RouteOrigin,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Association {
    Main,
    Subnet(Opaque),
    Gateway(Opaque),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AssociationView {
    pub id: AssociationId,
    pub with: Association,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RouteTableView {
    pub id: RouteTableId,
    pub vpc: VpcId,
    pub owner: AccountId,
    pub associations: Vec<AssociationView>,
    pub routes: Vec<RouteView>,
    pub propagating_vgws: Vec<Opaque>,
    pub tags: Tags,
}

impl RouteTableView {
    pub fn is_main(&self) -> bool {
        self.associations.iter().any(|a| a.with == Association::Main)
    }

    pub fn is_edge(&self) -> bool {
        self.associations.iter().any(|a| matches!(a.with, Association::Gateway(_)))
    }

    /// By the destination's canonical text.
    pub fn route(&self, destination: &str) -> Option<&RouteView> {
        self.routes.iter().find(|route| route.destination.to_string() == destination)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CidrAssociation {
    pub id: CidrAssociationId,
    pub cidr: IpNet,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VpcView {
    pub id: VpcId,
    pub owner: AccountId,
    pub cidr_block: Ipv4Net,
    /// The primary one comes first.
    pub cidrs: Vec<CidrAssociation>,
    /// AWS answers these two in `DescribeVpcAttribute` alone.
    pub enable_dns_support: bool,
    pub enable_dns_hostnames: bool,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PeeringSide {
    pub owner: AccountId,
    pub region: Region,
    pub vpc: VpcId,
    /// The CIDRs are shown of an active peering only (and the requester's in the answer to Create).
    pub cidr_block: Option<Ipv4Net>,
    pub ipv4_cidrs: Vec<Ipv4Net>,
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// Shown of an active peering only.
    pub allow_dns_resolution_from_remote_vpc: Option<bool>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PeeringView {
    pub id: PeeringId,
    pub status: PeeringStatus,
    pub message: String,
    pub requester: PeeringSide,
    pub accepter: PeeringSide,
    pub expiration_ms: Option<u64>,
    /// Those that this account set in this Region.
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrefixListView {
    pub id: PrefixListId,
    pub owner: AccountId,
    pub name: String,
    pub max_entries: u32,
    pub address_family: &'static str,
    pub version: u64,
    /// It was changed since it was made, in whatever.
    pub modified: bool,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PrefixListEntryView {
    pub cidr: IpNet,
    pub description: Option<String>,
}

/// One tag of one resource.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TagView {
    pub resource_id: String,
    /// As AWS names kinds of resources: `vpc`, `route-table`, `vpc-peering-connection` ...
    pub resource_type: &'static str,
    pub key: String,
    pub value: String,
}

/// A limit, as Service Quotas knows it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct QuotaView {
    /// `vpc`.
    pub service_code: &'static str,
    /// `L-` and eight hexadecimal digits.
    pub code: &'static str,
    pub name: &'static str,
    pub value: usize,
    /// AWS may be asked for more.
    pub adjustable: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    pub account: AccountId,
    pub arn: String,
    /// IAM's unique id of the caller.
    pub user_id: String,
}

/// What STS gives to who assumed a role.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SessionView {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    /// In milliseconds since 1970.
    pub expires_at: i64,
    /// The session's own.
    pub arn: String,
    /// `AROA...:SESSION`.
    pub role_id: String,
    pub source_identity: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TrailView {
    pub name: String,
    pub arn: String,
    pub home_region: Region,
    pub multi_region: bool,
}

/// Times are in milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TrailStatus {
    pub is_logging: bool,
    pub started_ms: Option<i64>,
    pub stopped_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Response {
    /// AWS answers `<return>true</return>`.
    Done,
    Vpc(VpcView),
    Vpcs(Page<VpcView>),
    CidrAssociation(CidrAssociation),
    /// The block that its VPC no longer has.
    CidrDisassociation(VpcId, CidrAssociation),
    RouteTable(RouteTableView),
    RouteTables(Page<RouteTableView>),
    Association(AssociationId),
    PrefixList(PrefixListView),
    PrefixLists(Page<PrefixListView>),
    PrefixListEntries(Page<PrefixListEntryView>),
    Tags(Page<TagView>),
    /// By name.
    Regions(Vec<Region>),
    /// Name and value.
    AccountAttributes(Vec<(&'static str, String)>),
    Quota(QuotaView),
    Quotas(Vec<QuotaView>),
    Peering(PeeringView),
    Peerings(Page<PeeringView>),
    /// The options of each side that the request named.
    PeeringOptions {
        requester: Option<bool>,
        accepter: Option<bool>,
    },
    Identity(Identity),
    Session(SessionView),
    Subnet(SubnetView),
    Subnets(Page<SubnetView>),
    SubnetCidr(SubnetId, SubnetCidrAssociationId, Ipv6Net),
    Gateway(GatewayView),
    Gateways(Page<GatewayView>),
    Group(GroupView),
    Groups(Page<GroupView>),
    /// Those described, authorised, modified or revoked.
    Rules(Page<RuleView>),
    StaleGroups(Page<StaleGroupView>),
    GroupReferences(Vec<GroupReference>),
    NetworkAcls(Page<AclView>),
    /// There are none in this world.
    NoNetworkInterfaces,
    Zones(Vec<ZoneView>),
    Trails(Vec<TrailView>),
    TrailStatus(TrailStatus),
    /// Newest first.
    Events(Page<Arc<TrailRecord>>),
    QueueUrl(QueueId),
    QueueUrls(Page<QueueId>),
    QueueAttributes(BTreeMap<String, String>),
    QueueTags(Tags),
    Sent(SentMessage),
    SentBatch(Vec<BatchResult<SentMessage>>),
    Messages(Vec<ReceivedMessage>),
    /// Of deletions and changes of visibility.
    DoneBatch(Vec<BatchResult<()>>),
}

macro_rules! unwrap_as {
    ($($method:ident -> $variant:ident($type:ty)),* $(,)?) => {
        impl Response {
            $(
                /// `None` if this answers another kind of call.
                pub fn $method(self) -> Option<$type> {
                    match self {
                        Response::$variant(inner) => Some(inner),
                        _ => None,
                    }
                }
            )*

            /// `None` if this answers another kind of call.
            pub fn cidr_disassociation(self) -> Option<(VpcId, CidrAssociation)> {
                match self {
                    Response::CidrDisassociation(vpc, held) => Some((vpc, held)),
                    _ => None,
                }
            }
        }
    };
}

unwrap_as! {
    vpc -> Vpc(VpcView),
    vpcs -> Vpcs(Page<VpcView>),
    cidr_association -> CidrAssociation(CidrAssociation),
    route_table -> RouteTable(RouteTableView),
    route_tables -> RouteTables(Page<RouteTableView>),
    association -> Association(AssociationId),
    prefix_list -> PrefixList(PrefixListView),
    prefix_lists -> PrefixLists(Page<PrefixListView>),
    prefix_list_entries -> PrefixListEntries(Page<PrefixListEntryView>),
    tags -> Tags(Page<TagView>),
    regions -> Regions(Vec<Region>),
    account_attributes -> AccountAttributes(Vec<(&'static str, String)>),
    quota -> Quota(QuotaView),
    quotas -> Quotas(Vec<QuotaView>),
    peering -> Peering(PeeringView),
    peerings -> Peerings(Page<PeeringView>),
    identity -> Identity(Identity),
    session -> Session(SessionView),
    subnet -> Subnet(SubnetView),
    subnets -> Subnets(Page<SubnetView>),
    gateway -> Gateway(GatewayView),
    gateways -> Gateways(Page<GatewayView>),
    group -> Group(GroupView),
    groups -> Groups(Page<GroupView>),
    rules -> Rules(Page<RuleView>),
    stale_groups -> StaleGroups(Page<StaleGroupView>),
    group_references -> GroupReferences(Vec<GroupReference>),
    network_acls -> NetworkAcls(Page<AclView>),
    zones -> Zones(Vec<ZoneView>),
    trails -> Trails(Vec<TrailView>),
    trail_status -> TrailStatus(TrailStatus),
    events -> Events(Page<Arc<TrailRecord>>),
    queue_url -> QueueUrl(QueueId),
    queue_urls -> QueueUrls(Page<QueueId>),
    queue_attributes -> QueueAttributes(BTreeMap<String, String>),
    queue_tags -> QueueTags(Tags),
    sent -> Sent(SentMessage),
    sent_batch -> SentBatch(Vec<BatchResult<SentMessage>>),
    messages -> Messages(Vec<ReceivedMessage>),
    done_batch -> DoneBatch(Vec<BatchResult<()>>),
}
