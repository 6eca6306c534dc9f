//! `PeeringPolicy` -> [`Policy`].

use super::{DeclareError, count, name_of, text, window_s};
use crate::api::policy::{DeletionAction, DependentRoutes as Dependents, OnChange, PeeringPolicy};
use peerkeeper_core::desired::{DependentRoutes, Limits, LossAction, Policy, PolicySource, Reaction};

/// The policy that holds for every `VpcPeering` of its namespace that names no other.
pub const DEFAULT_POLICY: &str = "default";

/// The policy as the engine plans with it.
pub fn policy(object: &PeeringPolicy) -> Result<Policy, DeclareError> {
    let (deletion, limits) = (&object.spec.on_unexpected_deletion, &object.spec.limits);
    let grace = deletion.grace_period;
    let grace_s = i64::try_from(grace.0.as_secs()).map_err(|_| {
        let field = "spec.onUnexpectedDeletion.gracePeriod";
        DeclareError::new(field, grace.to_string(), "a duration from 0s to 24h, such as 90s")
    })?;
    Ok(Policy {
        source: PolicySource::Named(name_of(&object.metadata)?),
        action: match deletion.action {
            DeletionAction::Restore => LossAction::Restore,
            DeletionAction::RemoveRoutes => LossAction::RemoveRoutes,
            DeletionAction::Flag => LossAction::Flag,
        },
        grace_s,
        dependent_routes: match deletion.dependent_routes {
            Dependents::Declared => DependentRoutes::Declared,
            Dependents::All => DependentRoutes::All,
        },
        on_drift: reaction(object.spec.on_drift),
        on_repointed_route: reaction(object.spec.on_repointed_route),
        limits: Limits {
            window_s: window_s("spec.limits.window", limits.window)?,
            max_restores: count("spec.limits.maxRestores", limits.max_restores)?,
            max_removals: count("spec.limits.maxRemovals", limits.max_removals)?,
            max_restores_per_peering: count(
                "spec.limits.maxRestoresPerPeering",
                limits.max_restores_per_peering,
            )?,
        },
    })
}

fn reaction(on_change: OnChange) -> Reaction {
    match on_change {
        OnChange::Restore => Reaction::Restore,
        OnChange::Flag => Reaction::Flag,
    }
}

/// The policy that holds for an object: the one it names; else the namespace's default; else the built-in one.
///
/// `name` is the object's `policyRef`, `named` the policy of that name, `default` the one called `default`. A policy that
/// exists but can't be read counts as missing: nobody knows what it would say, so nothing but flagging is right.
pub fn policy_for(
    name: Option<&str>,
    named: Option<&PeeringPolicy>,
    default: Option<&PeeringPolicy>,
) -> Policy {
    match (name, named, default) {
        (Some(name), Some(found), _) => policy(found).unwrap_or_else(|_| missing(name)),
        (Some(name), None, _) => missing(name),
        (None, _, Some(found)) => policy(found).unwrap_or_else(|_| missing(DEFAULT_POLICY)),
        (None, _, None) => Policy::built_in(),
    }
}

/// Only flag, drift too.
fn missing(name: &str) -> Policy {
    Policy {
        source: PolicySource::Missing(text(name)),
        on_drift: Reaction::Flag,
        on_repointed_route: Reaction::Flag,
        ..Policy::built_in()
    }
}
