//! What users write and read: the custom resources of `peerkeeper.dev/v1alpha1`.
//!
//! Types only. Turning a declaration into what the engine plans with, and the engine's memory into status and back,
//! happens elsewhere; nothing here decides anything.
//!
//! The schemas are written beside the types, in three layers: types and bounds, CEL rules whose messages show a right
//! value, and the finishing pass in [`crd`], which turns the derived schema into one that the API server accepts.

pub mod account;
pub mod crd;
pub mod duration;
pub mod incident;
pub mod memory;
pub mod peering;
pub mod policy;
pub mod reasons;
mod schema;
pub mod status;
mod text;

pub use account::{AwsAccount, AwsAccountSpec, AwsAccountStatus};
pub use duration::GoDuration;
pub use incident::{PeeringIncident, PeeringIncidentSpec, PeeringIncidentStatus};
pub use memory::Memory;
pub use peering::{VpcPeering, VpcPeeringSpec};
pub use policy::{PeeringPolicy, PeeringPolicySpec};
pub use reasons::{ConditionType, Reason};
pub use status::VpcPeeringStatus;

/// The API group of every kind, and the prefix of every annotation, finalizer and AWS tag of ours.
pub const GROUP: &str = "peerkeeper.dev";
/// The only version served.
pub const VERSION: &str = "v1alpha1";

/// Names the peering connection that was once established for an object. It survives tools that drop status; it
/// proves only that an ended or absent id was once established, and confers no ownership.
pub const ANNOTATION_ESTABLISHED: &str = "peerkeeper.dev/established";
/// On an `AwsAccount`: the event id of a call that somebody else made with our credentials, which a person has looked at.
pub const ANNOTATION_MISUSE_ACKNOWLEDGED: &str = peerkeeper_core::misuse::ACKNOWLEDGED;
/// Any change of its value asks for a check now.
pub const ANNOTATION_RECONCILE_REQUESTED_AT: &str = "peerkeeper.dev/reconcile-requested-at";
/// Keeps a deleted `VpcPeering` until what it created in AWS is gone.
pub const FINALIZER_CLEANUP: &str = "peerkeeper.dev/cleanup";
/// Keeps a deleted `AwsAccount` while peerings still need it.
pub const FINALIZER_IN_USE: &str = "peerkeeper.dev/in-use";

/// The metadata.uid of the `VpcPeering` that an incident is about: by it all of them are found.
pub const LABEL_PEERING_UID: &str = "peerkeeper.dev/vpcpeering-uid";

/// The longest name a `VpcPeering` may have: owner id, namespace and name together go into one AWS tag value, which
/// holds 256 characters.
pub const PEERING_NAME_MAX_LEN: usize = 128;

/// A moment, written in RFC 3339 with as many fractional digits as it has: reading back what was written gives the
/// same moment.
pub type Timestamp = k8s_openapi::jiff::Timestamp;
