//! A person's decision, written as `docs/incidents.md` says.
//!
//! What is written rests on what was looked at: the patch names the version of the object that was shown. Where only other
//! parts of it changed meanwhile, it is written to the newer one; a plan that changed, or somebody else's decision, is not
//! overwritten.

use std::io::{self, BufRead, IsTerminal, Write};

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::{ApproveArgs, IncidentsError, RejectArgs, find};
use crate::api::PeeringIncident;
use crate::api::incident::{Decision, Verdict};
use crate::cli::kube::{Kube, KubeError};
use crate::cli::show;
use crate::cli::show::incidents::{IncidentView, proposed};

/// So often something else may change while a decision is written.
const TRIES: usize = 8;

pub async fn approve(args: &ApproveArgs) -> Result<(), IncidentsError> {
    let kube = args.kube.connect().await?;
    let object = find(&kube, args.namespace.as_deref(), &args.name).await?;
    let view = IncidentView::new(&object);
    let of = title(&view);
    let Some(plan) = view.plan.as_ref().filter(|_| view.row.to_decide) else {
        let why = if view.why.is_empty() { view.row.next.clone() } else { view.why.clone() };
        return Err(IncidentsError::NothingProposed { of, why });
    };
    if let Some(seen) = args.digest.as_ref().filter(|seen| **seen != plan.digest) {
        return Err(changed(&view, seen, &plan.digest));
    }
    let _ = write!(io::stderr(), "{}", proposed(&view, plan));
    let decided = &object.spec.decision;
    if decided.verdict == Verdict::Approve && decided.plan_digest.as_deref() == Some(&*plan.digest) {
        let by = decided.decided_by.as_deref().unwrap_or("somebody");
        return Ok(show::print(&format!("PeeringIncident {of}: this plan is approved already, by {by}\n"))?);
    }
    if args.digest.is_none() && !args.yes {
        ask()?;
    }
    let me = whoami(&kube).await?;
    let decision = Decision {
        verdict: Verdict::Approve,
        plan_digest: Some(plan.digest.clone()),
        decided_by: Some(me.clone()),
        reason: args.reason.clone(),
    };
    write(&kube, object, decision).await?;
    Ok(show::print(&format!("PeeringIncident {of}: approved by {me}\n"))?)
}

pub async fn reject(args: &RejectArgs) -> Result<(), IncidentsError> {
    let kube = args.kube.connect().await?;
    let object = find(&kube, args.namespace.as_deref(), &args.name).await?;
    let view = IncidentView::new(&object);
    let of = title(&view);
    let now = view.plan.as_ref().map(|plan| plan.digest.as_str()).unwrap_or("none");
    if let Some(seen) = args.digest.as_ref().filter(|seen| *seen != now) {
        return Err(changed(&view, seen, now));
    }
    if view.row.resolved_at.is_some() && !view.row.to_decide {
        return Err(IncidentsError::NothingProposed { of, why: view.why });
    }
    let me = whoami(&kube).await?;
    let decision = Decision {
        verdict: Verdict::Reject,
        plan_digest: args.digest.clone(),
        decided_by: Some(me.clone()),
        reason: args.reason.clone(),
    };
    write(&kube, object, decision).await?;
    Ok(show::print(&format!("PeeringIncident {of}: rejected by {me}\n"))?)
}

fn title(view: &IncidentView) -> String {
    format!("{}/{}", view.row.namespace, view.row.name)
}

fn changed(view: &IncidentView, seen: &str, now: &str) -> IncidentsError {
    IncidentsError::PlanChanged {
        of: title(view),
        seen: seen.to_owned(),
        now: now.to_owned(),
        look: look(view),
    }
}

fn look(view: &IncidentView) -> String {
    format!("peerkeeper incidents show -n {} {}", view.row.namespace, view.row.name)
}

fn ask() -> Result<(), IncidentsError> {
    if !io::stdin().is_terminal() {
        return Err(IncidentsError::NobodyToAsk);
    }
    eprint!("Approve this plan? [yes/no] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(IncidentsError::Declined) }
}

/// Writes it to the object as it was shown, or to a newer version in which nothing changed that it is about.
async fn write(kube: &Kube, shown: PeeringIncident, decision: Decision) -> Result<(), IncidentsError> {
    let was = IncidentView::new(&shown);
    let namespace = shown.metadata.namespace.clone().unwrap_or_default();
    let name = shown.metadata.name.clone().unwrap_or_default();
    let mut object = shown;
    for _ in 0..TRIES {
        let patch = patch(&object, &decision);
        match kube.merge::<PeeringIncident>(&namespace, &name, &patch).await {
            Err(KubeError::Conflict { .. }) => {}
            done => return done.map(|_| ()).map_err(Into::into),
        }
        object = find(kube, Some(&namespace), &name).await?;
        let is = IncidentView::new(&object);
        may_still(&was, &is, decision.verdict)?;
    }
    let object = format!("PeeringIncident {namespace}/{name}");
    Err(IncidentsError::Kube(KubeError::Conflict { object }))
}

/// Whether what was decided about is what is there now.
fn may_still(was: &IncidentView, is: &IncidentView, verdict: Verdict) -> Result<(), IncidentsError> {
    let digest = |view: &IncidentView| view.plan.as_ref().map(|plan| plan.digest.clone());
    if is.decided != was.decided {
        return Err(IncidentsError::Decided { of: title(is), look: look(is) });
    }
    // A rejection that names no plan is about whatever is proposed.
    if verdict == Verdict::Approve && digest(is) != digest(was) {
        let word = |digest: Option<String>| digest.unwrap_or_else(|| "none".to_owned());
        return Err(changed(is, &word(digest(was)), &word(digest(is))));
    }
    Ok(())
}

/// The whole decision, and nothing else; what the last one said beside it goes.
fn patch(object: &PeeringIncident, decision: &Decision) -> serde_json::Value {
    let Decision { verdict, plan_digest, decided_by, reason } = decision;
    json!({
        "metadata": {"resourceVersion": object.metadata.resource_version, "uid": object.metadata.uid},
        "spec": {"decision": {
            "verdict": verdict, "planDigest": plan_digest, "decidedBy": decided_by, "reason": reason,
        }},
    })
}

/// By the name that the API server knows.
async fn whoami(kube: &Kube) -> Result<String, IncidentsError> {
    let api: Api<SelfSubjectReview> = Api::all(kube.client().clone());
    let refused = |why: String| {
        let what = "a SelfSubjectReview, which tells by which name it knows you".to_owned();
        KubeError::Refused { server: kube.server().to_owned(), verb: "create", what, why }
    };
    let asked = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let review = asked.map_err(|error| refused(error.to_string()))?;
    let name = review.status.and_then(|status| status.user_info).and_then(|user| user.username);
    Ok(name.ok_or_else(|| refused("its answer names nobody".to_owned()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(version: &str, digest: &str, verdict: &str) -> PeeringIncident {
        serde_json::from_value(json!({
            "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringIncident",
            "metadata": {"name": "a", "namespace": "network", "resourceVersion": version, "uid": "u"},
            "spec": {
                "peeringRef": {"name": "prod-shared", "uid": "p"}, "peeringId": "pcx-0123456789abcdef0",
                "decision": {"verdict": verdict},
            },
            "status": {"phase": "Flagged", "plan": {"action": "Restore", "steps": ["create"], "digest": digest}},
        }))
        .unwrap()
    }

    fn view(version: &str, digest: &str, verdict: &str) -> IncidentView {
        IncidentView::new(&incident(version, digest, verdict))
    }

    #[test]
    fn a_decision_is_written_to_the_version_that_was_shown_and_replaces_all_of_the_last() {
        let decision =
            Decision { verdict: Verdict::Reject, decided_by: Some("ada".to_owned()), ..Decision::default() };
        let patch = patch(&incident("7", "sha256:a", "Approve"), &decision);
        assert_eq!(
            patch,
            json!({
                "metadata": {"resourceVersion": "7", "uid": "u"},
                "spec": {"decision": {"verdict": "Reject", "planDigest": null, "decidedBy": "ada", "reason": null}},
            })
        );
    }

    #[test]
    fn what_changed_meanwhile_is_not_decided_about_unless_it_is_something_else() {
        let was = view("7", "sha256:a", "Pending");
        assert!(may_still(&was, &view("8", "sha256:a", "Pending"), Verdict::Approve).is_ok());
        let error = may_still(&was, &view("8", "sha256:b", "Pending"), Verdict::Approve).unwrap_err();
        assert!(matches!(&error, IncidentsError::PlanChanged { .. }), "{error}");
        assert!(error.to_string().contains("looked at: sha256:a\nproposed now: sha256:b"), "{error}");
        assert!(may_still(&was, &view("8", "sha256:b", "Pending"), Verdict::Reject).is_ok());
        let error = may_still(&was, &view("8", "sha256:a", "Reject"), Verdict::Approve).unwrap_err();
        assert!(matches!(error, IncidentsError::Decided { .. }), "{error}");
    }
}
