//! `PeeringPolicy`.

use peerkeeper_core::reason::Reason;
use serde_json::{Value, json};

use super::super::schema::Kind;
use super::super::stage::{Base, Probe, SHARED};
use super::{Change, Generator, fits, refused};

pub fn generators() -> Vec<Generator> {
    vec![
        generator("spec.onUnexpectedDeletion.action", Base::Plain, action()),
        generator("spec.onUnexpectedDeletion.gracePeriod", Base::Plain, grace()),
        generator("spec.onUnexpectedDeletion.dependentRoutes", Base::Plain, dependents()),
        generator("spec.onUnexpectedDeletion.requireApproval", Base::Plain, approval()),
        generator("spec.onUnexpectedDeletion.staleSecurityGroupRules", Base::Plain, stale_rules()),
        generator("spec.authorizedPrincipals[].accountIds[]", Base::Plain, principal_accounts()),
        generator("spec.authorizedPrincipals[].roleName", Base::Plain, role_name()),
        generator("spec.authorizedPrincipals[].rolePath", Base::Plain, role_path()),
        generator("spec.authorizedPrincipals[].userName", Base::Plain, user_name()),
        generator("spec.authorizedPrincipals[].requireMfa", Base::Plain, require_mfa()),
        generator("spec.authorizedPrincipals[].sourceIdentity", Base::Plain, source_identity()),
        generator("spec.onAuthorizedDeletion", Base::Plain, on_authorized()),
        generator("spec.attributionTimeout", Base::Plain, attribution_timeout()),
        generator("spec.onUnknownActor", Base::Plain, on_unknown_actor()),
        generator("spec.onDrift", Base::Plain, on_drift()),
        generator("spec.onRepointedRoute", Base::Plain, on_repointed()),
        generator("spec.limits.window", Base::OncePerPolicy, window()),
        generator("spec.limits.maxRestores", Base::Plain, max_restores()),
        generator("spec.limits.maxRemovals", Base::Plain, max_removals()),
        generator("spec.limits.maxRestoresPerPeering", Base::Plain, per_peering()),
    ]
}

fn generator(path: &str, base: Base, changes: Vec<Change>) -> Generator {
    Generator { kind: Kind::PeeringPolicy, path: path.to_owned(), object: "restore", base, changes }
}

fn deletion(fields: Value) -> Value {
    json!({"spec": {"onUnexpectedDeletion": fields}})
}

fn limits(fields: Value) -> Value {
    json!({"spec": {"limits": fields}})
}

fn action() -> Vec<Change> {
    vec![
        fits("flag", deletion(json!({"action": "Flag"})))
            .probed(Probe::Lose)
            .then(Reason::DeletedUnexpectedly)
            .asks_after_probe(),
        fits(
            "remove the dead routes, after which the object is released",
            deletion(json!({"action": "RemoveRoutes"})),
        )
        .probed(Probe::Lose)
        .then(Reason::ReleasedByPolicy)
        .stays_after_probe(),
        refused("another word", deletion(json!({"action": "Ignore"}))),
        refused("none", deletion(json!({"action": null}))),
    ]
}

fn grace() -> Vec<Change> {
    let grace = |text: &str| deletion(json!({"gracePeriod": text}));
    vec![
        fits("an hour", grace("1h")).probed(Probe::Lose).then(Reason::GracePeriod).asks_after_probe(),
        fits("the longest", grace("24h")).probed(Probe::Lose).then(Reason::GracePeriod).asks_after_probe(),
        fits("a minute and a half", grace("1m30s")).probed(Probe::Lose),
        fits("none, written out", grace("0s")).probed(Probe::Lose),
        refused("longer than the longest", grace("24h1s")),
        refused("no duration", grace("soon")),
        refused("days", grace("1d")),
    ]
}

fn dependents() -> Vec<Change> {
    let dependents = |word: &str| deletion(json!({"dependentRoutes": word}));
    vec![
        fits("all", dependents("All")).probed(Probe::LoseWithStrayRoute).stays_after_probe(),
        fits("written out", dependents("Declared")).probed(Probe::LoseWithStrayRoute),
        refused("another word", dependents("Some")),
    ]
}

/// Across Regions no rule goes stale, so the words alone are tried here.
fn stale_rules() -> Vec<Change> {
    let with =
        |action: &str, word: &str| deletion(json!({"action": action, "staleSecurityGroupRules": word}));
    let removed = |what, patch| {
        fits(what, patch).probed(Probe::Lose).then(Reason::ReleasedByPolicy).stays_after_probe()
    };
    vec![
        removed("revoke, with the routes", with("RemoveRoutes", "Revoke")),
        removed("ignore", with("RemoveRoutes", "Ignore")),
        fits("revoke after an authorized deletion alone", with("Restore", "Revoke")).probed(Probe::Lose),
        fits("written out", with("Restore", "Flag")).probed(Probe::Lose),
        refused(
            "revoke, and routes are never removed",
            json!({"spec": {
                "onUnexpectedDeletion": {"action": "Restore", "staleSecurityGroupRules": "Revoke"},
                "onAuthorizedDeletion": "Restore",
            }}),
        ),
        refused("another word", with("Restore", "Restore")),
    ]
}

fn approval() -> Vec<Change> {
    let asks = |asks: bool| deletion(json!({"requireApproval": asks}));
    vec![
        fits("asked", asks(true)).probed(Probe::Lose).then(Reason::AwaitingApproval).asks_after_probe(),
        fits("asked and given", asks(true)).probed(Probe::LoseAndApprove),
        fits("written out", asks(false)).probed(Probe::Lose),
        refused("in words", deletion(json!({"requireApproval": "yes"}))),
    ]
}

/// Whom a deletion is allowed to; the rest of the policy is that of the base.
fn allowing(principal: Value) -> Value {
    json!({"spec": {"authorizedPrincipals": [principal]}})
}

/// One who is meant, so what is left behind is removed, and the object is released.
fn meant(what: &'static str, patch: Value, probe: Probe) -> Change {
    fits(what, patch).probed(probe).then(Reason::ReleasedByPolicy).stays_after_probe()
}

/// One who is not, so all is restored as if nobody were.
fn not_meant(what: &'static str, patch: Value, probe: Probe) -> Change {
    fits(what, patch).probed(probe)
}

fn principal_accounts() -> Vec<Change> {
    let of = |accounts: &[&str]| allowing(json!({"accountIds": accounts, "roleName": "human"}));
    vec![
        meant("its account", of(&[SHARED]), Probe::Lose),
        meant("one of two", of(&["999900001111", SHARED]), Probe::Lose),
        not_meant("another", of(&["999900001111"]), Probe::Lose),
        refused("none", of(&[])),
        refused("any", of(&["*"])),
        refused("twice the same", of(&[SHARED, SHARED])),
        refused("nothing said", allowing(json!({"roleName": "human"}))),
    ]
}

fn role_name() -> Vec<Change> {
    let role = |name: &str| allowing(json!({"accountIds": [SHARED], "roleName": name}));
    vec![
        meant("it", role("human"), Probe::Lose),
        meant("by a wildcard", role("hu*"), Probe::Lose),
        not_meant("another", role("humans"), Probe::Lose),
        not_meant("what the session is called", role("session"), Probe::Lose),
        not_meant("a role, and it was a user of that name", role("ada"), Probe::LoseToUser),
        not_meant("one of another path", role("net-admin"), Probe::LoseToAdmin),
        refused("with its path", role("network/net-admin")),
        refused("and a user", allowing(json!({"accountIds": [SHARED], "roleName": "a", "userName": "a"}))),
        refused("neither", allowing(json!({"accountIds": [SHARED]}))),
    ]
}

fn role_path() -> Vec<Change> {
    let at =
        |path: &str| allowing(json!({"accountIds": [SHARED], "roleName": "net-admin", "rolePath": path}));
    vec![
        meant("it", at("/network/"), Probe::LoseToAdmin),
        meant("by a wildcard", at("/net*/"), Probe::LoseToAdmin),
        not_meant("none", at("/"), Probe::LoseToAdmin),
        not_meant("deeper", at("/network/*/"), Probe::LoseToAdmin),
        refused("open", at("/network")),
        refused(
            "of a user",
            allowing(json!({"accountIds": [SHARED], "userName": "ada", "rolePath": "/network/"})),
        ),
    ]
}

fn user_name() -> Vec<Change> {
    let user = |name: &str| allowing(json!({"accountIds": [SHARED], "userName": name}));
    vec![
        meant("it", user("ada"), Probe::LoseToUser),
        meant("any", user("*"), Probe::LoseToUser),
        not_meant("another", user("eve"), Probe::LoseToUser),
        not_meant("any, and it was a role", user("*"), Probe::Lose),
        refused("an ARN", user("user/ada")),
    ]
}

fn require_mfa() -> Vec<Change> {
    let role = |name: &str, path: &str, mfa: bool| {
        allowing(json!({"accountIds": [SHARED], "roleName": name, "rolePath": path, "requireMfa": mfa}))
    };
    vec![
        meant("not asked for", role("human", "/", false), Probe::Lose),
        not_meant("asked for and not there", role("human", "/", true), Probe::Lose),
        meant("asked for and there", role("net-admin", "/network/", true), Probe::LoseToAdmin),
    ]
}

fn source_identity() -> Vec<Change> {
    let of = |identity: &str| {
        allowing(json!({
            "accountIds": [SHARED], "roleName": "net-admin", "rolePath": "/network/", "sourceIdentity": identity,
        }))
    };
    vec![
        meant("it", of("ada@example.com"), Probe::LoseToAdmin),
        meant("by a wildcard", of("*@example.com"), Probe::LoseToAdmin),
        not_meant("another", of("eve@example.com"), Probe::LoseToAdmin),
        refused("none", of("")),
    ]
}

fn on_authorized() -> Vec<Change> {
    let then = |word: &str| {
        let human = json!([{"accountIds": [SHARED], "roleName": "human"}]);
        json!({"spec": {"authorizedPrincipals": human, "onAuthorizedDeletion": word}})
    };
    vec![
        meant("remove the dead routes, written out", then("RemoveRoutes"), Probe::Lose),
        fits("flag", then("Flag"))
            .probed(Probe::Lose)
            .then(Reason::DeletedAsAuthorized)
            .asks_then(Reason::ReleasedByPolicy),
        fits("restore", then("Restore")).probed(Probe::Lose),
        refused("another word", then("Ignore")),
    ]
}

fn attribution_timeout() -> Vec<Change> {
    let waits = |long: &str| {
        let human = json!([{"accountIds": [SHARED], "roleName": "human"}]);
        json!({"spec": {"authorizedPrincipals": human, "attributionTimeout": long}})
    };
    vec![
        fits("the longest", waits("24h"))
            .probed(Probe::LoseUnseen)
            .then(Reason::AwaitingActor)
            .asks_after_probe(),
        fits("not at all", waits("0s")).probed(Probe::LoseUnseen),
        fits("written out", waits("5m")).probed(Probe::LoseUnseen),
        refused("longer than the longest", waits("24h1s")),
        refused("days", waits("1d")),
    ]
}

fn on_unknown_actor() -> Vec<Change> {
    let then = |word: &str| json!({"spec": {"onUnknownActor": word}});
    vec![
        fits("hold", then("Hold")).probed(Probe::LoseUnseen).then(Reason::ActorUnknown).asks_after_probe(),
        fits("hold, and it is known", then("Hold")).probed(Probe::Lose),
        fits("written out", then("TreatAsUnexpected")).probed(Probe::LoseUnseen),
        refused("another word", then("Ignore")),
    ]
}

fn on_drift() -> Vec<Change> {
    let drift = |word: &str| json!({"spec": {"onDrift": word}});
    vec![
        fits("flag", drift("Flag")).probed(Probe::DropRoute).then(Reason::Drifted),
        fits("written out", drift("Restore")).probed(Probe::DropRoute),
        refused("another word", drift("Ignore")),
    ]
}

fn on_repointed() -> Vec<Change> {
    let repointed = |word: &str| json!({"spec": {"onRepointedRoute": word}});
    vec![
        fits("restore", repointed("Restore")).probed(Probe::Repoint).stays_after_probe(),
        fits("written out", repointed("Flag"))
            .probed(Probe::Repoint)
            .then(Reason::Occupied)
            .stays_after_probe(),
        refused("another word", repointed("Ignore")),
    ]
}

fn window() -> Vec<Change> {
    let window = |text: &str| limits(json!({"window": text}));
    vec![
        fits("so short that a restore is forgotten", window("1m"))
            .probed(Probe::LoseTwice)
            .stays_after_probe(),
        fits("the longest", window("168h"))
            .probed(Probe::LoseTwice)
            .then(Reason::LimitReached)
            .stays_after_probe(),
        fits("written out", window("1h"))
            .probed(Probe::LoseTwice)
            .then(Reason::LimitReached)
            .stays_after_probe(),
        refused("shorter than the shortest", window("59s")),
        refused("longer than the longest", window("169h")),
    ]
}

fn max_restores() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRestores": number}));
    vec![
        fits("none", most(0)).probed(Probe::Lose).then(Reason::LimitReached).latched_after_probe(),
        fits("one", most(1)).probed(Probe::LoseTwice).then(Reason::LimitReached).latched_after_probe(),
        fits("as many as there may be", most(10_000)).probed(Probe::LoseTwice),
        refused("less than none", most(-1)),
    ]
}

fn max_removals() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRemovals": number}));
    vec![
        fits("none", most(0)).probed(Probe::Delete).then(Reason::LimitReached),
        fits("one", most(1)).probed(Probe::Delete),
        fits("as many as there may be", most(10_000)).probed(Probe::Delete),
        refused("less than none", most(-1)),
    ]
}

fn per_peering() -> Vec<Change> {
    let most = |number: i64| limits(json!({"maxRestoresPerPeering": number}));
    vec![
        fits("none", most(0)).probed(Probe::Lose).then(Reason::ContestedOwnership),
        fits("one", most(1)).probed(Probe::LoseTwice).then(Reason::ContestedOwnership),
        fits("as many as there may be", most(1000)).probed(Probe::LoseTwice),
        refused("less than none", most(-1)),
    ]
}
