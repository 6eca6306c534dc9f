//! `PeeringPolicy`: what to do when a peering is lost, or what depends on it changes.

use super::{duration::GoDuration, schema};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[allow(clippy::duplicated_attributes)] // each printcolumn has a type_ and a json_path
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "peerkeeper.dev",
    version = "v1alpha1",
    kind = "PeeringPolicy",
    plural = "peeringpolicies",
    category = "peerkeeper",
    namespaced,
    derive = "PartialEq",
    doc = "PeeringPolicy says what Peerkeeper does when a declared peering connection is deleted, when routes change, and how much it may do on its own. The one named `default` holds for every VpcPeering of its namespace that names no other.",
    printcolumn(
        name = "On-Deletion",
        type_ = "string",
        json_path = ".spec.onUnexpectedDeletion.action",
        description = "What is done about an unexpected deletion"
    ),
    printcolumn(name = "On-Drift", type_ = "string", json_path = ".spec.onDrift"),
    printcolumn(
        name = "Max-Restores",
        type_ = "integer",
        json_path = ".spec.limits.maxRestores",
        priority = 1
    ),
    printcolumn(name = "Window", type_ = "string", json_path = ".spec.limits.window", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
/// What to do.
pub struct PeeringPolicySpec {
    /// What to do when a peering connection that should be there has been deleted.
    pub on_unexpected_deletion: OnUnexpectedDeletion,
    /// What to do when routes are missing or lead to an ended peering, or when DNS options or tags differ from what is
    /// declared, while the peering itself is there. `Restore`: put them right. `Flag`: only say so. Default: Restore.
    #[serde(default = "restore")]
    pub on_drift: OnChange,
    /// What to do about a declared route that somebody pointed at another live target. `Flag`: only say so, since it
    /// may be a repair under way. `Restore`: point it at the peering again. Default: Flag.
    #[serde(default = "flag")]
    pub on_repointed_route: OnChange,
    /// How much may be done on this policy's authority in a span of time. AwsAccounts and the operator have limits of
    /// their own; the tightest holds. What exceeds a limit is held, and says so.
    #[serde(default)]
    pub limits: PolicyLimits,
}

/// The reaction to an unexpected deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnUnexpectedDeletion {
    /// `Restore`: create the peering connection again and point every dependent route at it. `RemoveRoutes`: delete the
    /// dead routes that the deletion left behind. `Flag`: only say so; AWS is left untouched. The flag is always raised
    /// first. Required: there is no default.
    pub action: DeletionAction,
    /// How long to wait before acting; the flag is raised at once. From 0s to 24h, in hours, minutes and seconds, such
    /// as 90s or 1h30m. Default: 0s.
    #[serde(default = "no_grace")]
    #[schemars(schema_with = "schema::grace_period")]
    pub grace_period: GoDuration,
    /// Which routes depend on the peering. `Declared`: those that the VpcPeering declares. `All`: every route of both
    /// VPCs that points at the lost peering and overlaps the other VPC's CIDRs. Default: Declared.
    #[serde(default)]
    pub dependent_routes: DependentRoutes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionAction {
    Restore,
    RemoveRoutes,
    Flag,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DependentRoutes {
    #[default]
    Declared,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnChange {
    Restore,
    Flag,
}

/// How many objects may be acted on within a window. Limits count objects, never AWS calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyLimits {
    /// The span of time that the limits count in. From 1m to 168h, in hours, minutes and seconds. Default: 1h.
    #[serde(default = "an_hour")]
    #[schemars(schema_with = "schema::limit_window")]
    pub window: GoDuration,
    /// How many objects may be restored within the window, drift repairs included. 0 to 10000; 0 holds them all.
    /// Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 0, max = 10000))]
    pub max_restores: i32,
    /// How many objects may have routes or peerings removed within the window: RemoveRoutes, and deletion of a
    /// VpcPeering. 0 to 10000; 0 holds them all. Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 0, max = 10000))]
    pub max_removals: i32,
    /// How often one and the same peering may be restored within the window, before Peerkeeper takes it for contested
    /// and stops. 0 to 1000. Default: 3.
    #[serde(default = "three")]
    #[schemars(range(min = 0, max = 1000))]
    pub max_restores_per_peering: i32,
}

impl Default for PolicyLimits {
    fn default() -> Self {
        Self {
            window: an_hour(),
            max_restores: ten(),
            max_removals: ten(),
            max_restores_per_peering: three(),
        }
    }
}

impl PeeringPolicySpec {
    /// The policy that holds where there is none: flag, with every other value at its default.
    pub fn built_in() -> Self {
        Self {
            on_unexpected_deletion: OnUnexpectedDeletion {
                action: DeletionAction::Flag,
                grace_period: no_grace(),
                dependent_routes: DependentRoutes::default(),
            },
            on_drift: restore(),
            on_repointed_route: flag(),
            limits: PolicyLimits::default(),
        }
    }
}

fn restore() -> OnChange {
    OnChange::Restore
}

fn flag() -> OnChange {
    OnChange::Flag
}

fn no_grace() -> GoDuration {
    GoDuration::from_secs(0)
}

pub(super) fn an_hour() -> GoDuration {
    GoDuration::from_secs(3600)
}

fn ten() -> i32 {
    10
}

fn three() -> i32 {
    3
}
