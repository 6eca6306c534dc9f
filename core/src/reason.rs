//! The words that conditions and Kubernetes Events use.

/// Defines `Reason` from one list, so that the word, its text for people and the list of all can't come apart.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why something is as it is, in one word: the reason of a condition, and of the Event that told of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it means and what to do about it, for the reference page.
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }

        impl std::fmt::Display for Reason {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    // In sync.
    /// Everything declared was read back from AWS as declared.
    InSync,
    /// The peering connection is active.
    Active,
    /// Nothing of this kind is declared.
    NothingDeclared,
    /// No loss is open: the peering connection is there, or was never established.
    NotLost,
    /// The AwsAccount can be used: AWS confirmed whose credentials they are.
    Usable,

    // Under way: Ready=False with Reconciling.
    /// Work is under way; the message says how far it has come.
    Progressing,
    /// A request was accepted by AWS and its effect is not visible yet.
    WaitingForAws,
    /// AWS asked to slow down (RequestLimitExceeded). Peerkeeper does, and goes on.
    Throttled,
    /// AWS denied a call (UnauthorizedOperation, or AssumeRole). Check the role's policies; it is tried again.
    AccessDenied,
    /// AWS could not be asked or did not answer in full. Nothing is concluded from that; it is asked again.
    AwsUnavailable,
    /// The request waits for somebody in the other account to accept it, within seven days.
    AwaitingAcceptance,
    /// A loss was found and the policy's grace period is running.
    GracePeriod,
    /// A loss was found, and the policy's act waits until it is known who did it, or until attributionTimeout has passed.
    AwaitingActor,
    /// The PeeringIncident of a loss could not be stored yet, and nothing is changed before that. Check the operator's rights.
    IncidentNotStored,
    /// Another object of the same pair is being deleted and hands over what this one declares.
    HandoverPending,
    /// The object is being deleted: its routes, then its peering connection.
    Deleting,

    // Losses, by class.
    /// The peering connection was deleted, and nobody with a right to was named. The message says by which account.
    DeletedUnexpectedly,
    /// The peering connection was deleted by a principal that the policy authorizes. What follows is onAuthorizedDeletion.
    DeletedAsAuthorized,
    /// The VPC of one side is gone, and the peering connection with it. Delete the VpcPeering, or declare another.
    VpcGone,
    /// The request was not accepted within seven days. Change the spec, or set peerkeeper.dev/reconcile-requested-at, to ask again.
    RequestExpired,
    /// The request was rejected before it was ever active. Change the spec, or set peerkeeper.dev/reconcile-requested-at, to ask again.
    RequestRejected,
    /// AWS failed the request: a wrong VPC id, account or Region, or overlapping CIDRs.
    RequestFailed,
    /// The request was deleted before it was ever active. Change the spec, or set peerkeeper.dev/reconcile-requested-at, to ask again.
    RequestDeleted,
    /// An account that Peerkeeper holds no credentials for deleted or rejected the peering connection. It is not asked again by itself.
    WithdrawnByPeer,
    /// The route tables of one side are gone too: somebody is tearing the VPC down. Nothing is created into that.
    Decommissioning,
    /// The lost peering connection was created again and everything declared was read back.
    Restored,
    /// As the policy says, the dead routes were removed. The object stays released until its spec changes or a live peering connection of the pair appears.
    ReleasedByPolicy,

    // Held: Ready=False with Stalled.
    /// Something forbids acting, such as a tag peerkeeper.dev/hold on one of the VPCs. The message says what releases it.
    Held,
    /// More objects want to act than the limits allow, so none of them does. A loss is released by approving the plan of its PeeringIncident; anything else goes on once there is room.
    LimitReached,
    /// A person must approve the plan of the PeeringIncident: the policy or the account asks for it, or the policy was changed after the loss was noticed.
    AwaitingApproval,
    /// Nobody knows who deleted the peering connection, and onUnknownActor says Hold. Approve the plan of the PeeringIncident to release it.
    ActorUnknown,
    /// A person rejected the plan of the PeeringIncident. Nothing is changed until another plan is approved or the spec changes.
    PlanRejected,
    /// Another PeeringIncident stands under the name of this loss's. Look at who made it, and delete it.
    IncidentConflict,
    /// spec.suspend is true: Peerkeeper observes and reports, and changes nothing.
    Suspended,
    /// AwsAccount.spec.suspend is true: nothing is written in that account.
    AccountSuspended,
    /// Somebody else used Peerkeeper's own credentials in that account, so nothing is written there until a person has looked at it. The message says what releases it.
    OperatorCredentialsMisused,
    /// The same peering connection was lost again and again. Settle it with whoever deletes it; the message names them where AWS does.
    ContestedOwnership,

    // Conflicts.
    /// Another VpcPeering already holds this pair of VPCs. Delete one of the two.
    PairClaimed,
    /// Another VpcPeering already holds this route table and destination. Remove the route from one of the two.
    RouteClaimed,
    /// A live peering connection of the pair carries the tag of another owner.
    OwnedElsewhere,
    /// A live peering connection of the pair belongs to nobody, and adoption is Never.
    AdoptionDisabled,
    /// The route exists and leads to another live target. onRepointedRoute says what to do about that.
    Occupied,
    /// The VPCs' CIDRs overlap: AWS would fail the request.
    OverlappingCidrs,

    // References.
    /// The AwsAccount named does not exist. Create it, or name another.
    AccountNotFound,
    /// The AwsAccount grants this namespace nothing that covers this VPC. Ask the cluster's administrator.
    AccessNotGranted,
    /// A grant that this object used was withdrawn. It is frozen; nothing is deleted because of that.
    AccessWithdrawn,
    /// The account id on the accepter's side is not in the requester's allowedPeerAccounts.
    PeerAccountNotAllowed,
    /// An AwsAccount has the id on the accepter's side: name the AwsAccount instead.
    PeerAccountHasAwsAccount,
    /// The credentials belong to another account than AwsAccount.spec.accountId.
    WrongAccount,
    /// The PeeringPolicy named does not exist. Until it does, losses and drift are only flagged.
    PolicyNotFound,
    /// The VPC does not exist in that account and Region.
    VpcNotFound,
    /// A declared route table does not exist in the VPC.
    RouteTableNotFound,
    /// A declared prefix list does not exist in that account and Region.
    PrefixListNotFound,
    /// The VPC or the route table belongs to another account, which shares it; only its owner may change it.
    OwnedByOtherAccount,
    /// DNS resolution over the peering needs DNS host names and DNS support enabled on both VPCs.
    DnsHostnamesDisabled,
    /// The object can't be read: its stored form does not fit the schema. Write it again.
    InvalidObject,

    // Routes and their selection.
    /// Routes were missing or led nowhere.
    RoutesMissing,
    /// Options or tags differ from what is declared.
    Drifted,
    /// The route exists and its target has ended.
    DeadRoute,
    /// A selection came to nothing: no route table carries the tags.
    NothingSelected,
    /// The selection came to fewer route tables or CIDRs than before. Routes are removed only after the spec changes.
    SelectionShrank,
    /// The other VPC's CIDRs changed, and its account is not under Peerkeeper's care, so routes do not follow. Change the spec.
    PeerCidrsChanged,
    /// A new CIDR of the other VPC would take traffic from somebody else's less specific route. Change the spec to route it.
    RouteShadows,
    /// A declared CIDR overlaps none of the other VPC's CIDRs. Peering is not transitive.
    DestinationOutsidePeer,
    /// A declared CIDR is wider than the other VPC's CIDRs. It is applied all the same.
    DestinationWiderThanPeer,
    /// A declared CIDR is within the VPC's own CIDRs, where AWS allows no route to a peering connection.
    DestinationIsLocal,
    /// The declaration comes to more than 10,000 routes. Nothing was changed.
    TooManyRoutes,
    /// A quota of AWS leaves no room. The message names it; nothing of that table was changed.
    QuotaReached,
    /// The route table is attached to a gateway and can't have routes to a peering connection.
    EdgeTable,
    /// The peering connection is not active yet, so its routes and options wait.
    PeeringNotActive,

    // Observation and deletion.
    /// AWS has not been read for more than three sweeps.
    ObservationStale,
    /// Deletion can't go on: the account, its role or its grant can't be used. Mend that, or release the object with deletionPolicy: Retain.
    CleanupBlocked,
    /// AWS refused a call; the message names the code.
    AwsRefused,

    // Hearing of it: EventLaneDegraded.
    /// A queue of --event-queue-url can't be read. The message says why; sweeps find what happens, later.
    QueueUnreadable,
    /// A write of Peerkeeper's own was not heard of within 15 minutes: its trail, EventBridge's rule or the rule's target does not tell.
    WriteNotEchoed,
    /// Somebody made a call that stops CloudTrail or EventBridge from telling, or may, and no event has come since. The message names them.
    TrailStopped,

    // Our own credentials: OperatorCredentialsMisused.
    /// CloudTrail's event history shows a call that was made with Peerkeeper's own credentials and not by Peerkeeper. The message says which, when and from where, and what to do.
    CallNotOurs,
    /// A message tells of such a call, and CloudTrail's event history does not bear it out, or not yet. Anybody who may write to the queue can have sent it, so nothing is held.
    CallNotCorroborated,
    /// A person has looked at the call and released what was held.
    MisuseAcknowledged,

    // What was done: Events.
    /// A peering connection was created.
    PeeringCreated,
    /// A peering connection was accepted.
    PeeringAccepted,
    /// Routes were created, or pointed at the peering connection.
    RoutesRepaired,
    /// Routes were removed.
    RoutesRemoved,
    /// Security-group rules that went stale with a lost peering connection were revoked.
    StaleRulesRevoked,
    /// The peering connection was deleted because its VpcPeering was.
    PeeringRemoved,
}

/// The types of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Everything is as declared. False says why not; Unknown: AWS has not been read for too long.
    Ready,
    /// Work is under way, and needs nobody. Present only while True.
    Reconciling,
    /// Work has stopped, and needs somebody. Present only while True.
    Stalled,
    /// The peering connection is active.
    PeeringActive,
    /// Every declared route was read back as declared.
    RoutesInSync,
    /// The declared DNS options were read back as declared. Absent where none is declared.
    DnsInSync,
    /// The peering connection that should be there has been deleted, and that is not settled yet.
    UnexpectedlyDeleted,
    /// Events of the account can't be relied on to come, so that losses are noticed by sweeps alone. Of AwsAccounts, and present only while True.
    EventLaneDegraded,
    /// Somebody else used Peerkeeper's own credentials: everything in the account is held. Unknown: a message says so, and nothing bears it out. Of AwsAccounts, and absent otherwise.
    OperatorCredentialsMisused,
}

impl ConditionType {
    pub const ALL: &[Self] = &[
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::PeeringActive,
        Self::RoutesInSync,
        Self::DnsInSync,
        Self::UnexpectedlyDeleted,
        Self::EventLaneDegraded,
        Self::OperatorCredentialsMisused,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::PeeringActive => "PeeringActive",
            Self::RoutesInSync => "RoutesInSync",
            Self::DnsInSync => "DnsInSync",
            Self::UnexpectedlyDeleted => "UnexpectedlyDeleted",
            Self::EventLaneDegraded => "EventLaneDegraded",
            Self::OperatorCredentialsMisused => "OperatorCredentialsMisused",
        }
    }
}

impl std::fmt::Display for ConditionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
