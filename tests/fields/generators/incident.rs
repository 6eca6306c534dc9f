//! `PeeringIncident`: what a person may write of one, and what not. What a decision does is shown where a policy asks for one.

use serde_json::{Value, json};

use super::super::schema::Kind;
use super::super::stage::Base;
use super::{Change, Generator, fits, fixed, refused};

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub fn generators() -> Vec<Generator> {
    vec![
        generator("spec.peeringRef.name", of_peering("name", "spoke")),
        generator("spec.peeringRef.uid", of_peering("uid", "of-a-third-hub")),
        generator("spec.peeringId", peering_id()),
        generator("spec.decision.verdict", verdict()),
        generator("spec.decision.planDigest", digest()),
        generator("spec.decision.reason", reason()),
        generator("spec.decision.decidedBy", decided_by()),
    ]
}

fn generator(path: &str, changes: Vec<Change>) -> Generator {
    Generator {
        kind: Kind::PeeringIncident,
        path: path.to_owned(),
        object: "stray",
        base: Base::Plain,
        changes,
    }
}

fn decision(fields: Value) -> Value {
    json!({"spec": {"decision": fields}})
}

fn of_peering(field: &str, other: &str) -> Vec<Change> {
    vec![
        fixed("another", json!({"spec": {"peeringRef": {field: other}}})),
        refused("none", json!({"spec": {"peeringRef": {field: null}}})),
    ]
}

fn peering_id() -> Vec<Change> {
    let id = |id: &str| json!({"spec": {"peeringId": id}});
    vec![fixed("another", id("pcx-0fedcba9876543210")), refused("no id of a peering", id("hub"))]
}

fn verdict() -> Vec<Change> {
    vec![
        fits("approved", decision(json!({"verdict": "Approve", "planDigest": DIGEST}))),
        fits("rejected, whatever is proposed", decision(json!({"verdict": "Reject"}))),
        fits("written out", decision(json!({"verdict": "Pending"}))),
        refused("approved blindly", decision(json!({"verdict": "Approve"}))),
        refused("another word", decision(json!({"verdict": "Maybe"}))),
    ]
}

fn digest() -> Vec<Change> {
    let digest = |digest: &str| decision(json!({"verdict": "Approve", "planDigest": digest}));
    vec![
        fits("one", digest(DIGEST)),
        refused("none", digest("")),
        refused("a word", digest("latest")),
        refused("in capitals", digest(&DIGEST.to_uppercase())),
    ]
}

fn reason() -> Vec<Change> {
    let reason = |reason: &str| decision(json!({"verdict": "Reject", "reason": reason}));
    vec![fits("a few words", reason("it was meant to go")), fits("the longest", reason(&"x".repeat(1024)))]
}

fn decided_by() -> Vec<Change> {
    let by = |name: &str| decision(json!({"verdict": "Reject", "decidedBy": name}));
    vec![
        fits("a person", by("ada@example.com")),
        fits("a program", by("system:serviceaccount:network:pipeline")),
        fits("the longest", by(&"x".repeat(512))),
    ]
}
