//! What the cluster says: its version, the CRDs that it serves, the operator's rights, the admission policy.

use futures::future::join_all;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt};
use serde::de::DeserializeOwned;

use super::ServiceAccount;
use super::line::Line;
use super::rights;
use crate::api::crd;
use crate::cli::kube::{Kube, chain};
use crate::controller::missing_field;

const CRDS: &str = "peerkeeper crd | kubectl apply --server-side -f -";
const OPERATOR: &str = "kubectl apply --server-side --kustomize deploy/operator";
const ADMISSION: &str = include_str!("../../../deploy/operator/admission.yaml");

/// Who is to be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Whoever asks, which in the operator's Pod is the operator.
    Own,
    Of(ServiceAccount),
}

/// Everything about the cluster. `Err`: it can't be reached, and nothing else of it can be said.
pub async fn check(kube: &Kube, whose: &Whose) -> Result<Vec<Line>, Line> {
    let client = kube.client();
    let what = format!("cluster {}", kube.server());
    let version = client.apiserver_version().await.map_err(|error| {
        let detail = format!("can't be reached: {}", chain(&error));
        Line::fail(&what, detail, "check --kubeconfig, --context and the network, and log in anew")
    })?;
    let mut lines = vec![Line::ok(&what, version.git_version)];
    let (crds, rights, admission) = tokio::join!(crds(client), rights(client, whose), admission(client));
    lines.extend(crds);
    lines.extend(rights);
    lines.extend(admission);
    Ok(lines)
}

async fn crds(client: &Client) -> Vec<Line> {
    let own = match crd::crds() {
        Ok(own) => own,
        Err(error) => return vec![Line::fail("CustomResourceDefinitions", error.to_string(), "report this")],
    };
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let asked = own.iter().map(|own| async {
        let name = own.name_any();
        let what = format!("CustomResourceDefinition {name}");
        match api.get_opt(&name).await {
            Ok(Some(served)) => match missing_field(own, &served) {
                None => Line::ok(what, "served with every field of this binary"),
                Some(field) => Line::fail(what, format!("the served one lacks {field}: it is older"), CRDS),
            },
            Ok(None) => Line::fail(what, "is not installed", CRDS),
            Err(error) => unanswered(what, &error),
        }
    });
    join_all(asked).await
}

/// Somebody's own lack of rights says nothing about the operator.
fn unanswered(what: String, error: &kube::Error) -> Line {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            Line::not_checked(what, format!("you may not look at it: {}", status.message))
        }
        error => Line::fail(what, chain(error), "try again"),
    }
}

async fn rights(client: &Client, whose: &Whose) -> Vec<Line> {
    let (who, namespace) = match whose {
        Whose::Own => ("your own credentials".to_owned(), ServiceAccount::default().namespace),
        Whose::Of(account) => (format!("ServiceAccount {account}"), account.namespace.clone()),
    };
    let what = format!("rights of {who}");
    let needed = match rights::needed(&namespace) {
        Ok(needed) => needed,
        Err(error) => return vec![Line::fail(what, error.to_string(), "report this")],
    };
    let count = needed.len();
    let answers = join_all(needed.into_iter().map(|right| async {
        let named = rights::named(&right);
        (named, may(client, whose, right).await)
    }));
    let mut lines = Vec::new();
    for (named, answer) in answers.await {
        match answer {
            Ok(true) => {}
            Ok(false) => lines.push(Line::fail(&what, format!("may not {named}"), OPERATOR)),
            // It is the same for all of them.
            Err(error) => return vec![unanswered(what, &error)],
        }
    }
    if lines.is_empty() { vec![Line::ok(what, format!("all {count} that are needed"))] } else { lines }
}

async fn may(client: &Client, whose: &Whose, right: ResourceAttributes) -> Result<bool, kube::Error> {
    let params = PostParams::default();
    let status = match whose {
        Whose::Own => {
            let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(right), ..Default::default() };
            let review = SelfSubjectAccessReview { spec, ..Default::default() };
            Api::<SelfSubjectAccessReview>::all(client.clone()).create(&params, &review).await?.status
        }
        Whose::Of(account) => {
            let spec = SubjectAccessReviewSpec {
                user: Some(account.user()),
                groups: Some(account.groups()),
                resource_attributes: Some(right),
                ..Default::default()
            };
            let review = SubjectAccessReview { spec, ..Default::default() };
            Api::<SubjectAccessReview>::all(client.clone()).create(&params, &review).await?.status
        }
    };
    Ok(status.is_some_and(|status| status.allowed))
}

async fn admission(client: &Client) -> Vec<Line> {
    const WHAT: &str = "ValidatingAdmissionPolicy";
    let installed: Vec<serde_json::Value> = match serde_saphyr::from_multiple(ADMISSION) {
        Ok(installed) => installed,
        Err(error) => return vec![Line::fail(WHAT, error.to_string(), "report this")],
    };
    let (policies, bindings) = (
        of_kind::<ValidatingAdmissionPolicy>(&installed, WHAT),
        of_kind::<ValidatingAdmissionPolicyBinding>(&installed, "ValidatingAdmissionPolicyBinding"),
    );
    let api: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let bound: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    let mut lines = Vec::new();
    for own in policies {
        let name = own.name_any();
        let what = format!("{WHAT} {name}");
        lines.push(match api.get_opt(&name).await {
            Ok(Some(served)) if expressions(&served) == expressions(&own) => {
                Line::ok(what, "as this binary's")
            }
            Ok(Some(_)) => Line::warn(what, "judges by other rules than this binary's", OPERATOR),
            Ok(None) => Line::fail(
                what,
                "is not installed: anybody who may edit PeeringIncidents may approve",
                OPERATOR,
            ),
            Err(error) => unanswered(what, &error),
        });
    }
    for own in bindings {
        let name = own.name_any();
        let what = format!("{WHAT}Binding {name}");
        let denies = |served: &ValidatingAdmissionPolicyBinding| {
            let actions = served.spec.as_ref().and_then(|spec| spec.validation_actions.as_ref());
            actions.is_some_and(|actions| actions.iter().any(|action| action == "Deny"))
        };
        lines.push(match bound.get_opt(&name).await {
            Ok(Some(served)) if denies(&served) => Line::ok(what, "denies"),
            Ok(Some(_)) => Line::fail(what, "does not deny", OPERATOR),
            Ok(None) => Line::fail(what, "is not installed, so that the policy holds nowhere", OPERATOR),
            Err(error) => unanswered(what, &error),
        });
    }
    lines
}

fn of_kind<K: DeserializeOwned>(objects: &[serde_json::Value], kind: &str) -> Vec<K> {
    let of = objects.iter().filter(|object| object["kind"] == kind);
    of.filter_map(|object| serde_json::from_value(object.clone()).ok()).collect()
}

fn expressions(policy: &ValidatingAdmissionPolicy) -> Vec<String> {
    let validations = policy.spec.as_ref().and_then(|spec| spec.validations.as_ref());
    validations.into_iter().flatten().map(|validation| validation.expression.clone()).collect()
}
