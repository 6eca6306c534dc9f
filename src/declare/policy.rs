//! `PeeringPolicy` -> [`Policy`].

use super::account::{Account, indexed};
use super::{ACCOUNT_ID, DeclareError, count, exactly_one, name_of, parse_some, text, window_s};
use crate::api::GoDuration;
use crate::api::policy::{
    AuthorizedPrincipal, DEFAULT_ROLE_PATH, DeletionAction, DependentRoutes as Dependents, OnChange,
    OnUnknownActor, PeeringPolicy, StaleSecurityGroupRules,
};
use peerkeeper_core::desired::{
    DependentRoutes, Limits, LossAction, Policy, PolicySource, Reaction, StaleRules, UnknownActor,
};
use peerkeeper_core::limits::Level;
use peerkeeper_core::principal::{Principal, Who};
use std::sync::Arc;

/// The policy that holds for every `VpcPeering` of its namespace that names no other.
pub const DEFAULT_POLICY: &str = "default";

/// The policy as the engine plans with it.
pub fn policy(object: &PeeringPolicy) -> Result<Policy, DeclareError> {
    let spec = &object.spec;
    let (deletion, limits) = (&spec.on_unexpected_deletion, &spec.limits);
    Ok(Policy {
        source: PolicySource::Named(name_of(&object.metadata)?),
        action: loss_action(deletion.action),
        grace_s: seconds("spec.onUnexpectedDeletion.gracePeriod", deletion.grace_period)?,
        dependent_routes: match deletion.dependent_routes {
            Dependents::Declared => DependentRoutes::Declared,
            Dependents::All => DependentRoutes::All,
        },
        stale_rules: match deletion.stale_security_group_rules {
            StaleSecurityGroupRules::Ignore => StaleRules::Ignore,
            StaleSecurityGroupRules::Flag => StaleRules::Flag,
            StaleSecurityGroupRules::Revoke => StaleRules::Revoke,
        },
        approval: deletion.require_approval.then_some(Level::Policy),
        authorized: indexed("spec.authorizedPrincipals", &spec.authorized_principals, principal)?.into(),
        on_authorized: loss_action(spec.on_authorized_deletion),
        attribution_timeout_s: seconds("spec.attributionTimeout", spec.attribution_timeout)?,
        on_unknown_actor: match spec.on_unknown_actor {
            OnUnknownActor::TreatAsUnexpected => UnknownActor::TreatAsUnexpected,
            OnUnknownActor::Hold => UnknownActor::Hold,
        },
        on_drift: reaction(spec.on_drift),
        on_repointed_route: reaction(spec.on_repointed_route),
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

fn loss_action(action: DeletionAction) -> LossAction {
    match action {
        DeletionAction::Restore => LossAction::Restore,
        DeletionAction::RemoveRoutes => LossAction::RemoveRoutes,
        DeletionAction::Flag => LossAction::Flag,
    }
}

/// A span of time that may be none. A day is the most, so that nobody waits for what will never come.
fn seconds(field: &str, duration: GoDuration) -> Result<i64, DeclareError> {
    const A_DAY: i64 = 86_400;
    let refused = || DeclareError::new(field, duration.to_string(), "a duration from 0s to 24h, such as 90s");
    i64::try_from(duration.0.as_secs()).ok().filter(|seconds| *seconds <= A_DAY).ok_or_else(refused)
}

/// Nothing in it may be empty: an empty name or path would match nobody, and an empty list of accounts could be taken
/// for all.
fn principal(field: &str, one: &AuthorizedPrincipal) -> Result<Principal, DeclareError> {
    let AuthorizedPrincipal { account_ids, role_name, role_path, user_name, require_mfa, source_identity } =
        one;
    let expected = "exactly one of roleName and userName, such as roleName: network-admin";
    exactly_one(field, &[("roleName", role_name.is_some()), ("userName", user_name.is_some())], expected)?;
    let who = match (role_name, user_name) {
        (Some(name), _) => Who::Role {
            path: path(&format!("{field}.rolePath"), role_path.as_deref().unwrap_or(DEFAULT_ROLE_PATH))?,
            name: iam_name(&format!("{field}.roleName"), name, "network-admin")?,
        },
        (None, name) => Who::User {
            name: iam_name(&format!("{field}.userName"), name.as_deref().unwrap_or_default(), "ada")?,
        },
    };
    let source = source_identity.as_deref();
    Ok(Principal {
        accounts: parse_some(&format!("{field}.accountIds"), account_ids, ACCOUNT_ID)?,
        who,
        require_mfa: *require_mfa,
        source_identity: source
            .map(|source| iam_name(&format!("{field}.sourceIdentity"), source, "ada"))
            .transpose()?,
    })
}

fn iam_name(field: &str, name: &str, example: &str) -> Result<Arc<str>, DeclareError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@*-".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(text(name));
    }
    let expected = format!("1 to 64 of letters, digits and _+=,.@-*, such as {example}");
    Err(DeclareError::new(field, name, expected))
}

fn path(field: &str, path: &str) -> Result<Arc<str>, DeclareError> {
    let is_plain = |c: char| c.is_ascii_graphic() && c != ':';
    let is_whole = path == "/" || (path.len() > 2 && path.starts_with('/') && path.ends_with('/'));
    if is_whole && path.len() <= 512 && path.chars().all(is_plain) {
        return Ok(text(path));
    }
    Err(DeclareError::new(field, path, "the path of a role, from slash to slash, such as / or /network/"))
}

/// The policy, with what the accounts of both sides ask for whatever a namespace's policy says.
pub fn with_floors<'a>(policy: Policy, accounts: impl IntoIterator<Item = &'a Account>) -> Policy {
    let asking = accounts.into_iter().find(|account| account.require_approval);
    let approval = asking.map(|account| Level::Account(account.account)).or(policy.approval);
    Policy { approval, ..policy }
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
