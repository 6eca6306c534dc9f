//! Argo CD's health checks, run by a real Lua as Argo CD runs them, against the table of conditions.

use super::yaml;
use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib};
use peerkeeper::api::reasons::{ConditionType, Reason};
use serde_json::{Value, json};

const FILE: &str = "deploy/gitops/argocd-cm.yaml";

#[derive(Debug, PartialEq)]
struct Health {
    status: String,
    message: String,
}

/// What Argo CD says about an object. Its Lua has the base library and `table`, nothing else.
fn health(kind: &str, object: &Value) -> Health {
    let config = yaml(FILE).remove(0);
    let script = config["data"][format!("resource.customizations.health.peerkeeper.dev_{kind}")]
        .as_str()
        .unwrap_or_else(|| panic!("{FILE} has no script for {kind}"))
        .to_owned();
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default()).expect("Lua");
    lua.globals().set("obj", lua.to_value(object).expect("a Lua value")).expect("obj");
    let answer: mlua::Table = lua.load(script).eval().unwrap_or_else(|error| panic!("{kind}: {error}"));
    Health {
        status: answer.get("status").expect("a status"),
        message: answer.get("message").expect("a message"),
    }
}

fn condition(of: ConditionType, status: &str, reason: Reason) -> Value {
    json!({"type": of.as_str(), "status": status, "reason": reason.as_str(), "message": "as told",
           "lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": 2})
}

fn object(generation: i64, observed: i64, conditions: &[Value]) -> Value {
    json!({"metadata": {"name": "a", "generation": generation},
           "status": {"observedGeneration": observed, "conditions": conditions}})
}

/// Ready as given, and beside it the conditions that are present only while True, in both orders.
fn both_orders(status: &str, reason: Reason, besides: Option<(ConditionType, Reason)>) -> [Value; 2] {
    let mut conditions = vec![condition(ConditionType::Ready, status, reason)];
    conditions.extend(besides.map(|(of, reason)| condition(of, "True", reason)));
    conditions.push(condition(ConditionType::PeeringActive, "False", Reason::PeeringNotActive));
    let forward = object(2, 2, &conditions);
    conditions.reverse();
    [forward, object(2, 2, &conditions)]
}

#[test]
fn every_row_of_the_table_of_conditions_has_its_health() {
    use ConditionType::{Reconciling, Stalled};
    let rows = [
        // In sync.
        ("True", Reason::InSync, None, "Healthy"),
        // Working, waiting for AWS, throttled, denied for a while.
        ("False", Reason::Progressing, Some(Reconciling), "Progressing"),
        ("False", Reason::WaitingForAws, Some(Reconciling), "Progressing"),
        ("False", Reason::Throttled, Some(Reconciling), "Progressing"),
        ("False", Reason::AccessDenied, Some(Reconciling), "Progressing"),
        // Waiting for a human to accept; expired.
        ("False", Reason::AwaitingAcceptance, Some(Reconciling), "Progressing"),
        ("False", Reason::RequestExpired, Some(Stalled), "Degraded"),
        // Flagged, held, conflict, bad reference, released.
        ("False", Reason::DeletedUnexpectedly, Some(Stalled), "Degraded"),
        ("False", Reason::Held, Some(Stalled), "Degraded"),
        ("False", Reason::PairClaimed, Some(Stalled), "Degraded"),
        ("False", Reason::AccountNotFound, Some(Stalled), "Degraded"),
        ("False", Reason::ReleasedByPolicy, Some(Stalled), "Degraded"),
        // Observation older than three sweeps.
        ("Unknown", Reason::ObservationStale, None, "Unknown"),
        // Suspended: the observed truth; out of sync it says why nothing is done about that.
        ("True", Reason::InSync, None, "Healthy"),
        ("False", Reason::Suspended, None, "Suspended"),
        ("False", Reason::Suspended, Some(Stalled), "Suspended"),
    ];
    for kind in ["VpcPeering", "AwsAccount"] {
        for (status, reason, besides, expected) in rows {
            for object in both_orders(status, reason, besides.map(|of| (of, reason))) {
                let found = health(kind, &object);
                assert_eq!(found.status, expected, "{kind}, Ready={status} {reason} {besides:?}");
                assert_eq!(found.message, format!("{reason}: as told"), "{kind}");
            }
        }
    }
}

#[test]
fn the_stalled_condition_has_the_last_word_on_why() {
    let [object, _] = both_orders(
        "False",
        Reason::DeletedUnexpectedly,
        Some((ConditionType::Stalled, Reason::LimitReached)),
    );
    let expected = Health { status: "Degraded".into(), message: "LimitReached: as told".into() };
    assert_eq!(health("VpcPeering", &object), expected);
}

#[test]
fn what_was_not_looked_at_yet_is_progressing() {
    let ready = condition(ConditionType::Ready, "True", Reason::InSync);
    let unseen = [
        json!({"metadata": {"name": "a", "generation": 1}}),
        json!({"metadata": {"name": "a", "generation": 1}, "status": {}}),
        object(1, 1, &[]),
        object(2, 1, std::slice::from_ref(&ready)),
        json!({"metadata": {"name": "a", "generation": 1}, "status": {"conditions": [ready]}}),
    ];
    for kind in ["VpcPeering", "AwsAccount"] {
        for object in &unseen {
            assert_eq!(health(kind, object).status, "Progressing", "{kind} {object}");
        }
    }
}
