//! What a caller can ask. Ids and CIDRs are text, as on the wire: what AWS would refuse can be said here.

mod network;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::identity::UserIdentity;
use crate::ids::{AccountId, Region};
use crate::queue::{BatchEntry, NewMessage, QueueId, Receive};
use crate::trail::{EventPattern, Lookup, RuleTarget};

pub use network::{
    AuthorizeRules, CreateGroup, CreateSubnet, DescribeRulesAnew, RevokeRules, RuleEndSpec, RuleSpec,
    SubnetAttribute,
};

pub type Tags = BTreeMap<String, String>;

/// Who calls, and where. The principal separates the operator from the humans in counters and log, the identity
/// says more in audit records; neither has a say in what is allowed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caller {
    pub account: AccountId,
    pub region: Region,
    pub principal: Arc<str>,
    /// Absent: what follows from the principal's name ([`Caller::identity`]).
    pub identity: Option<Arc<UserIdentity>>,
}

impl Caller {
    pub fn new(account: impl Into<AccountId>, region: impl Into<Region>) -> Self {
        Self { account: account.into(), region: region.into(), principal: "user".into(), identity: None }
    }

    pub fn named(mut self, principal: &str) -> Self {
        self.principal = principal.into();
        self.identity = None;
        self
    }

    pub fn is_at(&self, account: &AccountId, region: &Region) -> bool {
        self.account == *account && self.region == *region
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Filter {
    pub name: String,
    /// Any of them matches; `*` and `?` are wildcards.
    pub values: Vec<String>,
}

/// Every Describe call asks in the same way.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Describe {
    pub ids: Vec<String>,
    pub filters: Vec<Filter>,
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

impl Describe {
    pub fn all() -> Self {
        Self::default()
    }

    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self { ids: ids.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    pub fn filter<V: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.filters.push(Filter { name: name.to_owned(), values });
        self
    }

    pub fn page(mut self, max_results: u32, next_token: Option<String>) -> Self {
        self.max_results = Some(max_results);
        self.next_token = next_token;
        self
    }
}

/// CreateRoute and ReplaceRoute: exactly one destination and one target, or AWS refuses.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct RouteRequest {
    pub route_table_id: String,
    pub destination_cidr_block: Option<String>,
    pub destination_ipv6_cidr_block: Option<String>,
    pub destination_prefix_list_id: Option<String>,
    pub vpc_peering_connection_id: Option<String>,
    pub gateway_id: Option<String>,
    pub nat_gateway_id: Option<String>,
    pub transit_gateway_id: Option<String>,
    pub network_interface_id: Option<String>,
    pub egress_only_internet_gateway_id: Option<String>,
    /// ReplaceRoute alone: give a local route its own target back.
    pub local_target: bool,
}

impl RouteRequest {
    /// The destination's kind follows from its text: a prefix list id, an IPv6 or an IPv4 CIDR.
    pub fn new(route_table_id: impl Into<String>, destination: impl Into<String>) -> Self {
        let destination = destination.into();
        let mut request = Self { route_table_id: route_table_id.into(), ..Self::default() };
        if destination.starts_with("pl-") {
            request.destination_prefix_list_id = Some(destination);
        } else if destination.contains(':') {
            request.destination_ipv6_cidr_block = Some(destination);
        } else {
            request.destination_cidr_block = Some(destination);
        }
        request
    }

    pub fn peering(mut self, id: impl Into<String>) -> Self {
        self.vpc_peering_connection_id = Some(id.into());
        self
    }

    pub fn gateway(mut self, id: impl Into<String>) -> Self {
        self.gateway_id = Some(id.into());
        self
    }

    /// Any target, by the prefix of its id; what has no prefix of its own counts as a gateway.
    pub fn target(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        let slot = match id.split('-').next().unwrap_or_default() {
            "pcx" => &mut self.vpc_peering_connection_id,
            "nat" => &mut self.nat_gateway_id,
            "tgw" => &mut self.transit_gateway_id,
            "eni" => &mut self.network_interface_id,
            "eigw" => &mut self.egress_only_internet_gateway_id,
            _ => &mut self.gateway_id,
        };
        *slot = Some(id);
        self
    }
}

/// What a route table is tied to, besides the VPC whose main table it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Attach {
    Subnet(String),
    /// An internet or virtual private gateway: this makes an edge table.
    Gateway(String),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CreatePeering {
    pub vpc_id: String,
    pub peer_vpc_id: String,
    /// Absent: the caller's own account.
    pub peer_owner_id: Option<String>,
    /// Absent: the Region of the call.
    pub peer_region: Option<String>,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CreatePrefixList {
    pub name: String,
    pub max_entries: u32,
    /// `IPv4` or `IPv6`.
    pub address_family: String,
    pub entries: Vec<PrefixListEntry>,
    /// The same request with the same token is one request.
    pub client_token: Option<String>,
    pub tags: Tags,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AssumeRole {
    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    pub role_arn: String,
    pub session_name: String,
    pub external_id: Option<String>,
    /// Who is behind it: shown in every audit record, and handed on when the session assumes another role.
    pub source_identity: Option<String>,
    /// In seconds. Absent: an hour.
    pub duration_s: Option<u32>,
}

impl AssumeRole {
    pub fn new(role_arn: &str, session_name: &str) -> Self {
        let (role_arn, session_name) = (role_arn.to_owned(), session_name.to_owned());
        Self { role_arn, session_name, external_id: None, source_identity: None, duration_s: None }
    }
}

/// What an OpenID Connect token says. Nobody here checks who signed it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WebIdentity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `exp`, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrefixListEntry {
    pub cidr: String,
    pub description: Option<String>,
}

impl From<&str> for PrefixListEntry {
    /// Without description.
    fn from(cidr: &str) -> Self {
        Self { cidr: cidr.to_owned(), description: None }
    }
}

/// What a trail's selector takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReadWriteType {
    All,
    ReadOnly,
    WriteOnly,
}

impl ReadWriteType {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::ReadOnly => "ReadOnly",
            Self::WriteOnly => "WriteOnly",
        }
    }
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? })? $(($inner:ty))? , $mutates:literal;)*) => {
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum Request {
            $($(#[$doc])* $name $({ $($(#[$field_doc])* $field: $type),* })? $(($inner))?,)*
        }

        /// The name of an API call.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action {
            $($name,)*
        }

        impl Action {
            pub const ALL: &'static [Action] = &[$(Action::$name,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$name => stringify!($name),)*
                }
            }

            /// Whether it changes what AWS has set up: such calls are logged and recorded.
            pub fn mutates(self) -> bool {
                match self {
                    $(Action::$name => $mutates,)*
                }
            }
        }

        impl Request {
            pub fn action(&self) -> Action {
                match self {
                    $(Request::$name { .. } => Action::$name,)*
                }
            }
        }
    };
}

requests! {
    CreateVpc { cidr: String, ipv6_cidr: Option<String>, tags: Tags }, true;
    DeleteVpc { vpc_id: String }, true;
    ModifyVpcAttribute { vpc_id: String, enable_dns_support: Option<bool>, enable_dns_hostnames: Option<bool> }, true;
    AssociateVpcCidrBlock { vpc_id: String, cidr: String }, true;
    DisassociateVpcCidrBlock { association_id: String }, true;
    DescribeVpcs(Describe), false;
    /// All attributes at once, where AWS shows one.
    DescribeVpcAttribute { vpc_id: String }, false;

    CreateSubnet(CreateSubnet), true;
    DeleteSubnet { subnet_id: String }, true;
    ModifySubnetAttribute { subnet_id: String, attribute: Option<SubnetAttribute> }, true;
    /// IPv6, of which a subnet has one block at most.
    AssociateSubnetCidrBlock { subnet_id: String, ipv6_cidr: String }, true;
    DisassociateSubnetCidrBlock { association_id: String }, true;
    DescribeSubnets(Describe), false;

    CreateInternetGateway { tags: Tags }, true;
    AttachInternetGateway { gateway_id: String, vpc_id: String }, true;
    DetachInternetGateway { gateway_id: String, vpc_id: String }, true;
    DeleteInternetGateway { gateway_id: String }, true;
    DescribeInternetGateways(Describe), false;

    CreateSecurityGroup(CreateGroup), true;
    DeleteSecurityGroup { group_id: String }, true;
    AuthorizeSecurityGroupIngress(AuthorizeRules), true;
    AuthorizeSecurityGroupEgress(AuthorizeRules), true;
    RevokeSecurityGroupIngress(RevokeRules), true;
    RevokeSecurityGroupEgress(RevokeRules), true;
    /// Each rule by its id, and what it shall say. A description that is absent goes.
    ModifySecurityGroupRules { group_id: String, rules: Vec<(String, RuleSpec)> }, true;
    UpdateSecurityGroupRuleDescriptionsIngress(DescribeRulesAnew), true;
    UpdateSecurityGroupRuleDescriptionsEgress(DescribeRulesAnew), true;
    DescribeSecurityGroups(Describe), false;
    DescribeSecurityGroupRules(Describe), false;
    DescribeStaleSecurityGroups { vpc_id: String, max_results: Option<u32>, next_token: Option<String> }, false;
    DescribeSecurityGroupReferences { group_ids: Vec<String> }, false;

    DescribeNetworkAcls(Describe), false;
    DescribeNetworkInterfaces(Describe), false;
    DescribeAvailabilityZones(Describe), false;

    /// The same request with the same token is one request.
    CreateRouteTable { vpc_id: String, client_token: Option<String>, tags: Tags }, true;
    DeleteRouteTable { route_table_id: String }, true;
    AssociateRouteTable { route_table_id: String, to: Attach }, true;
    DisassociateRouteTable { association_id: String }, true;
    ReplaceRouteTableAssociation { association_id: String, route_table_id: String }, true;
    DescribeRouteTables(Describe), false;
    EnableVgwRoutePropagation { route_table_id: String, gateway_id: String }, true;
    DisableVgwRoutePropagation { route_table_id: String, gateway_id: String }, true;

    CreateRoute(RouteRequest), true;
    ReplaceRoute(RouteRequest), true;
    /// Only the table and the destination of the request are looked at.
    DeleteRoute(RouteRequest), true;

    CreateManagedPrefixList(CreatePrefixList), true;
    ModifyManagedPrefixList {
        prefix_list_id: String,
        /// Which version the caller means to change. Absent: whichever.
        current_version: Option<u64>,
        name: Option<String>,
        max_entries: Option<u32>,
        add: Vec<PrefixListEntry>,
        remove: Vec<String>,
    }, true;
    DeleteManagedPrefixList { prefix_list_id: String }, true;
    DescribeManagedPrefixLists(Describe), false;
    GetManagedPrefixListEntries {
        prefix_list_id: String,
        /// Absent: the newest.
        target_version: Option<u64>,
        max_results: Option<u32>,
        next_token: Option<String>,
    }, false;

    CreateVpcPeeringConnection(CreatePeering), true;
    AcceptVpcPeeringConnection { peering_id: String }, true;
    RejectVpcPeeringConnection { peering_id: String }, true;
    DeleteVpcPeeringConnection { peering_id: String }, true;
    /// `AllowDnsResolutionFromRemoteVpc` of each side that is named.
    ModifyVpcPeeringConnectionOptions { peering_id: String, requester: Option<bool>, accepter: Option<bool> }, true;
    DescribeVpcPeeringConnections(Describe), false;

    CreateTags { resources: Vec<String>, tags: Tags }, true;
    /// A key with a value is removed only where the value is the same.
    DeleteTags { resources: Vec<String>, tags: Vec<(String, Option<String>)> }, true;
    DescribeTags(Describe), false;

    DescribeRegions { names: Vec<String> }, false;
    DescribeAccountAttributes { names: Vec<String> }, false;

    /// A read, as CloudTrail counts it.
    AssumeRole(AssumeRole), false;
    /// Without a signature: who asks is whom the token names.
    AssumeRoleWithWebIdentity {
        role_arn: String,
        session_name: String,
        token: WebIdentity,
        duration_s: Option<u32>,
    }, false;
    GetCallerIdentity {}, false;

    /// Of Service Quotas: what the caller's account may have in the Region of the call.
    GetServiceQuota { service_code: String, quota_code: String }, false;
    ListServiceQuotas { service_code: String }, false;
    /// What every account may have that did not ask for more.
    GetAWSDefaultServiceQuota { service_code: String, quota_code: String }, false;
    ListAWSDefaultServiceQuotas { service_code: String }, false;

    // CloudTrail. What is recorded is the same with and without a trail; events need one that is logging.
    /// It logs nothing before StartLogging. One of several Regions logs in all Regions of its account.
    CreateTrail { name: String, multi_region: bool }, true;
    DeleteTrail { name: String }, true;
    StartLogging { name: String }, true;
    StopLogging { name: String }, true;
    /// One selector; AWS's other kinds are about data events.
    PutEventSelectors { name: String, read_write_type: ReadWriteType, management_events: bool }, true;
    /// By name or ARN; none named are all.
    DescribeTrails { names: Vec<String> }, false;
    GetTrailStatus { name: String }, false;
    LookupEvents(Lookup), false;

    // EventBridge: rules on the default bus of an account and Region, with queues anywhere as their targets.
    PutRule { name: String, pattern: EventPattern, enabled: bool }, true;
    EnableRule { name: String }, true;
    DisableRule { name: String }, true;
    DeleteRule { name: String }, true;
    PutTargets { rule: String, targets: Vec<RuleTarget> }, true;
    RemoveTargets { rule: String, ids: Vec<String> }, true;

    // SQS. Its messages are no management events: neither log nor trail has them.
    CreateQueue { name: String, attributes: BTreeMap<String, String>, tags: Tags }, true;
    DeleteQueue { queue: QueueId }, true;
    PurgeQueue { queue: QueueId }, true;
    SetQueueAttributes { queue: QueueId, attributes: BTreeMap<String, String> }, true;
    TagQueue { queue: QueueId, tags: Tags }, true;
    UntagQueue { queue: QueueId, keys: Vec<String> }, true;
    ListQueueTags { queue: QueueId }, false;
    GetQueueAttributes { queue: QueueId, names: Vec<String> }, false;
    GetQueueUrl { name: String, owner: Option<AccountId> }, false;
    ListQueues { prefix: String, max_results: Option<u32>, next_token: Option<String> }, false;
    SendMessage { queue: QueueId, message: NewMessage }, false;
    SendMessageBatch { queue: QueueId, entries: Vec<BatchEntry<NewMessage>> }, false;
    ReceiveMessage(Receive), false;
    DeleteMessage { queue: QueueId, receipt_handle: String }, false;
    DeleteMessageBatch { queue: QueueId, entries: Vec<BatchEntry<String>> }, false;
    ChangeMessageVisibility { queue: QueueId, receipt_handle: String, timeout_s: u32 }, false;
    /// Handle and timeout of each.
    ChangeMessageVisibilityBatch { queue: QueueId, entries: Vec<BatchEntry<(String, u32)>> }, false;
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
