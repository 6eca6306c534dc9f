//! Flux's health checks, run by a CEL interpreter in Flux's order, against the table of conditions.

use super::yaml;
use kube_cel::cel::{Context, Program, Value as Cel};
use peerkeeper::api::reasons::{ConditionType, Reason};
use serde_json::{Value, json};

const FILE: &str = "deploy/gitops/flux-kustomization.yaml";

/// What Flux makes of an object: it asks whether it is in progress, then whether it failed, then whether it is current; what
/// is none of these, or can't be told, is waited for.
fn health(kind: &str, object: &Value) -> &'static str {
    let checks = yaml(FILE).remove(0)["spec"]["healthCheckExprs"].clone();
    let of_kind = checks.as_array().expect("a list").iter().filter(|check| check["kind"] == kind);
    let of_kind: Vec<&Value> = of_kind.collect();
    let [check] = of_kind[..] else { panic!("{FILE} has {} checks of {kind}", of_kind.len()) };
    assert_eq!(check["apiVersion"], "peerkeeper.dev/v1alpha1");
    for (expression, meaning) in [("inProgress", "waits"), ("failed", "fails"), ("current", "done")] {
        let source = check[expression].as_str().unwrap_or_else(|| panic!("{kind} has no {expression}"));
        let program = Program::compile(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        let mut context = Context::default();
        for (name, value) in object.as_object().expect("an object") {
            context.add_variable(name.as_str(), value).expect("a variable");
        }
        match program.execute(&context) {
            Ok(Cel::Bool(true)) => return meaning,
            Ok(Cel::Bool(false)) => {}
            Ok(other) => panic!("{source} is {other:?}"),
            Err(_) => return "waits",
        }
    }
    "waits"
}

fn object(generation: i64, observed: i64, conditions: &[(ConditionType, &str, Reason)]) -> Value {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|(of, status, reason)| json!({"type": of.as_str(), "status": status, "reason": reason.as_str()}))
        .collect();
    json!({"metadata": {"name": "a", "generation": generation},
           "status": {"observedGeneration": observed, "conditions": conditions}})
}

#[test]
fn flux_waits_for_ready_and_fails_at_what_is_stalled() {
    use ConditionType::{Ready, Reconciling, Stalled};
    type Conditions = &'static [(ConditionType, &'static str, Reason)];
    let rows: [(Conditions, &str); 9] = [
        (&[(Ready, "True", Reason::InSync)], "done"),
        (&[(Ready, "False", Reason::Progressing), (Reconciling, "True", Reason::Progressing)], "waits"),
        (
            &[
                (Ready, "False", Reason::AwaitingAcceptance),
                (Reconciling, "True", Reason::AwaitingAcceptance),
            ],
            "waits",
        ),
        (&[(Ready, "False", Reason::DeletedUnexpectedly), (Stalled, "True", Reason::Held)], "fails"),
        (&[(Ready, "False", Reason::Held), (Stalled, "True", Reason::LimitReached)], "fails"),
        (&[(Ready, "False", Reason::RequestExpired), (Stalled, "True", Reason::RequestExpired)], "fails"),
        (&[(Ready, "Unknown", Reason::ObservationStale)], "waits"),
        (&[(Ready, "False", Reason::Suspended)], "waits"),
        (&[], "waits"),
    ];
    for kind in ["VpcPeering", "AwsAccount"] {
        for (conditions, expected) in rows {
            assert_eq!(health(kind, &object(2, 2, conditions)), expected, "{kind} {conditions:?}");
            let mut reversed = conditions.to_vec();
            reversed.reverse();
            assert_eq!(health(kind, &object(2, 2, &reversed)), expected, "{kind} {reversed:?}");
        }
        // Whatever it said of an older generation.
        assert_eq!(health(kind, &object(3, 2, &[(Ready, "True", Reason::InSync)])), "waits");
        assert_eq!(health(kind, &object(3, 2, &[(Stalled, "True", Reason::Held)])), "waits");
        let unseen = json!({"metadata": {"name": "a", "generation": 1}});
        assert_eq!(health(kind, &unseen), "waits", "nobody has looked at it yet");
        let unseen = json!({"metadata": {"name": "a", "generation": 1}, "status": {}});
        assert_eq!(health(kind, &unseen), "waits");
    }
}
