//! `PeeringPolicy`.

use peerkeeper_core::reason::Reason;
use serde_json::{Value, json};

use super::super::schema::Kind;
use super::super::stage::{Base, Probe};
use super::{Change, Generator, fits, refused};

pub fn generators() -> Vec<Generator> {
    vec![
        generator("spec.onUnexpectedDeletion.action", Base::Plain, action()),
        generator("spec.onUnexpectedDeletion.gracePeriod", Base::Plain, grace()),
        generator("spec.onUnexpectedDeletion.dependentRoutes", Base::Plain, dependents()),
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
            .then(Reason::DeletedUnexpectedly),
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
        fits("an hour", grace("1h")).probed(Probe::Lose).then(Reason::GracePeriod),
        fits("the longest", grace("24h")).probed(Probe::Lose).then(Reason::GracePeriod),
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
        fits("none", most(0)).probed(Probe::Lose).then(Reason::LimitReached),
        fits("one", most(1)).probed(Probe::LoseTwice).then(Reason::LimitReached),
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
