//! A pure, deterministic simulation of the part of Amazon EC2 that VPC peering touches.
//!
//! [`World`] holds accounts, Regions, VPCs, route tables and peerings under a virtual clock. It reads no clock,
//! rolls no dice and does no I/O: time moves by [`World::advance`], all chance is asked of a [`Chance`]. Two
//! worlds that were asked the same, in the same order, with the same answers from chance, are equal.
//!
//! ```
//! use ec2sim::{Calm, Caller, Describe, Request, World};
//!
//! let mut world = World::new();
//! let a = world.create_vpc("111122223333", "eu-west-1", "10.1.0.0/16")?;
//! let b = world.create_vpc("444455556666", "us-east-1", "10.2.0.0/16")?;
//! let peering = world.peer(&a, &b)?;
//! world.delete_peering_as("444455556666", "us-east-1", &peering)?;
//!
//! let us = Caller::new("111122223333", "eu-west-1");
//! let request = Request::DescribeVpcPeeringConnections(Describe::ids([&peering]));
//! let page = world.call(&us, request, &mut Calm)?.peerings().expect("peerings");
//! assert_eq!(page.items[0].message, "Deleted by 444455556666");
//! # Ok::<(), ec2sim::Failure>(())
//! ```

pub mod chance;
mod error;
mod identity;
mod ids;
mod json;
mod queue;
mod request;
#[cfg(feature = "sdk")]
pub mod sdk;
#[cfg(feature = "server")]
pub mod server;
mod service;
#[cfg(any(feature = "sdk", feature = "server"))]
mod today;
mod trail;
mod view;
#[cfg(feature = "wire")]
pub mod wire;
mod world;

pub use chance::{Calm, Chance, Choice, Delay, Fault, Knobs, Script, Seeded};
pub use error::{AwsError, Failure};
pub use identity::{IdentityKind, UserIdentity, role_id};
pub use ids::{
    AccountId, AclAssociationId, AclId, AssociationId, CidrAssociationId, GatewayId, GroupId, Opaque,
    PeeringId, PrefixListId, Region, RouteTableId, RuleId, SubnetCidrAssociationId, SubnetId, VpcId,
};
pub use queue::{
    BatchEntry, BatchResult, Body, MessageAttribute, NewMessage, QueueId, Receive, ReceivedMessage,
    SentMessage,
};
pub use request::{
    Action, AssumeRole, Attach, Caller, CreatePeering, CreatePrefixList, Describe, Filter, PrefixListEntry,
    ReadWriteType, Request, RouteRequest, Tags, WebIdentity,
};
pub use request::{
    AuthorizeRules, CreateGroup, CreateSubnet, DescribeRulesAnew, RevokeRules, RuleEndSpec, RuleSpec,
    SubnetAttribute,
};
pub use service::Service;
#[cfg(any(feature = "sdk", feature = "server"))]
pub use today::world_of_today;
pub use trail::{DETAIL_TYPE, EventPattern, EventResource, Lookup, LookupKey, RuleTarget, TrailRecord};
pub use view::{
    AclView, GatewayView, GroupReference, GroupView, ReferencedGroup, RuleEnd, RuleView, StaleGroupView,
    SubnetView, ZoneView,
};
pub use view::{
    Association, AssociationView, CidrAssociation, Destination, Identity, Page, PeeringSide, PeeringStatus,
    PeeringView, PrefixListEntryView, PrefixListView, QuotaView, Response, RouteOrigin, RouteState,
    RouteTableView, RouteView, SessionView, TagView, Target, TrailStatus, TrailView, VpcView,
};
pub use world::{Category, DEFAULT_ACCOUNT, Mutation, Quotas, Rate, Role, Throttling, Trust, Who, World};

/// The README's example is a test too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
