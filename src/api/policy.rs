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
#[schemars(extend("x-kubernetes-validations" = schema::rules(SPEC_RULES)))]
/// What to do.
pub struct PeeringPolicySpec {
    /// What to do when a peering connection that should be there has been deleted.
    pub on_unexpected_deletion: OnUnexpectedDeletion,
    /// Who may delete: a deletion by one of these was intended, and onAuthorizedDeletion says what follows. It counts only
    /// once CloudTrail bears it out. Root, AWS services and identities of unknown types never match. At most 32.
    /// Default: nobody, so every deletion is unexpected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub authorized_principals: Vec<AuthorizedPrincipal>,
    /// What to do when one of authorizedPrincipals deleted the peering connection. `RemoveRoutes`: delete the dead routes
    /// that it left behind; then the VpcPeering is released until its spec changes. `Flag`: only say so. `Restore`:
    /// create it again all the same. Default: RemoveRoutes.
    #[serde(default = "remove_routes")]
    pub on_authorized_deletion: DeletionAction,
    /// How long an act waits until it is known who deleted the peering connection; the flag never waits. It is waited
    /// only where that matters: with authorizedPrincipals, or with `onUnknownActor: Hold`. From 0s to 24h, in hours,
    /// minutes and seconds. Messages of an event queue take about a minute, CloudTrail's history several. Default: 5m.
    #[serde(default = "five_minutes")]
    #[schemars(schema_with = "schema::attribution_timeout")]
    pub attribution_timeout: GoDuration,
    /// What to make of a deletion when attributionTimeout has passed and nobody knows who did it. `TreatAsUnexpected`:
    /// do as onUnexpectedDeletion says. `Hold`: change nothing until the plan of its PeeringIncident is approved.
    /// Default: TreatAsUnexpected.
    #[serde(default)]
    pub on_unknown_actor: OnUnknownActor,
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

const SPEC_RULES: &[(&str, &str)] = &[(
    "self.onUnexpectedDeletion.staleSecurityGroupRules != 'Revoke' || self.onUnexpectedDeletion.action == 'RemoveRoutes' || self.onAuthorizedDeletion == 'RemoveRoutes'",
    "staleSecurityGroupRules: Revoke goes with the removal of routes: write action: RemoveRoutes or onAuthorizedDeletion: RemoveRoutes too, or staleSecurityGroupRules: Flag",
)];

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
    /// While true, nothing is done about a lost peering until the decision of its PeeringIncident approves the proposed
    /// plan; what follows an authorized deletion waits for that too. An AwsAccount may ask for it whatever is written
    /// here. Default: false.
    #[serde(default)]
    pub require_approval: bool,
    /// Which routes depend on the peering. `Declared`: those that the VpcPeering declares. `All`: every route of both
    /// VPCs that points at the lost peering and overlaps the other VPC's CIDRs. Default: Declared.
    #[serde(default)]
    pub dependent_routes: DependentRoutes,
    /// Rules of both VPCs' security groups that refer to groups of the other VPC over the lost peering, and lead nowhere
    /// now. They are read only about a loss, and only where both VPCs are in one Region: AWS knows none else. `Ignore`:
    /// they are not read. `Flag`: the VpcPeering and its PeeringIncident tell them. `Revoke`: they are revoked together
    /// with the dead routes, when those are removed, as the plan of the PeeringIncident names them. A restore leaves them
    /// in any case, because the new peering heals them. Default: Flag.
    #[serde(default)]
    pub stale_security_group_rules: StaleSecurityGroupRules,
}

/// Whom a deletion is allowed to: an IAM role, whatever its sessions are called, or an IAM user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(PRINCIPAL_RULES)))]
pub struct AuthorizedPrincipal {
    /// The accounts that the role or user may be of: 1 to 32 ids, each twelve digits in quotes. No wildcards.
    #[schemars(schema_with = "schema::principal_accounts")]
    pub account_ids: Vec<String>,
    /// The name of the role, as IAM has it and without its path; the name of a session never counts. `*` stands for any
    /// run of characters but `/` and `:`. For a permission set of IAM Identity Center write
    /// AWSReservedSSO_NetworkAdmin_*. Exactly one of `roleName` and `userName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_name")]
    pub role_name: Option<String>,
    /// The path of the role, which begins and ends with a slash. `*` stands for any run of characters but `/` and `:`.
    /// For IAM Identity Center write /aws-reserved/sso.amazonaws.com/ or, in most Regions,
    /// /aws-reserved/sso.amazonaws.com/*/. Only with `roleName`. Default: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::role_path")]
    pub role_path: Option<String>,
    /// The name of the user, as IAM has it and without its path. `*` stands for any run of characters but `/` and `:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::user_name")]
    pub user_name: Option<String>,
    /// Only a session that was opened with a second factor (MFA), as CloudTrail says of it. Default: false.
    #[serde(default)]
    pub require_mfa: bool,
    /// Only sessions with this source identity. `*` stands for any run of characters but `/` and `:`. Default: any, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::source_identity")]
    pub source_identity: Option<String>,
}

/// Where `rolePath` is absent.
pub const DEFAULT_ROLE_PATH: &str = "/";

const PRINCIPAL_RULES: &[(&str, &str)] = &[
    (
        "has(self.roleName) != has(self.userName)",
        "exactly one of roleName and userName: {accountIds: [\"111122223333\"], roleName: network-admin} or {accountIds: [\"111122223333\"], userName: ada}",
    ),
    (
        "!has(self.rolePath) || has(self.roleName)",
        "rolePath is the path of a role: write roleName too, such as {rolePath: /network/, roleName: network-admin}, or leave rolePath out",
    ),
    ("size(self.accountIds) > 0", "without accounts nobody is meant: write accountIds: [\"111122223333\"]"),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnUnknownActor {
    #[default]
    TreatAsUnexpected,
    Hold,
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum StaleSecurityGroupRules {
    Ignore,
    #[default]
    Flag,
    Revoke,
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
                require_approval: false,
                dependent_routes: DependentRoutes::default(),
                stale_security_group_rules: StaleSecurityGroupRules::default(),
            },
            authorized_principals: Vec::new(),
            on_authorized_deletion: remove_routes(),
            attribution_timeout: five_minutes(),
            on_unknown_actor: OnUnknownActor::default(),
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

fn remove_routes() -> DeletionAction {
    DeletionAction::RemoveRoutes
}

fn five_minutes() -> GoDuration {
    GoDuration::from_secs(300)
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
