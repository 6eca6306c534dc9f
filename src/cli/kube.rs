//! How commands speak to a cluster: options that they share, and errors in words that say what to do.
//!
//! A command asks with the rights of whoever calls it, so that something is forbidden is nothing unusual: the error names
//! the verb, the resource, and the ClusterRole of `deploy/operator` that gives it.

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::{ApiResource, ClusterResourceScope, Status};
use kube::{Client, Config, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::GROUP;

/// Objects in one page of a listing.
const PAGE: u32 = 500;
/// How long an API server may take to be found, and to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Which cluster, and as whom. Shared by all commands that ask one.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct KubeArgs {
    /// The kubeconfig file. Default: KUBECONFIG, then ~/.kube/config, then the service account of the Pod.
    #[arg(long, value_name = "PATH")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// Which namespaces a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    One(String),
    All,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(namespace) => write!(f, "namespace {namespace}"),
            Self::All => f.write_str("all namespaces"),
        }
    }
}

/// Why a cluster did not do what was asked. Says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    /// There is nothing that says where a cluster is, or it can't be read.
    #[error("no cluster is known: {0}; give --kubeconfig and --context, or set KUBECONFIG")]
    Config(String),
    #[error("the cluster at {server} can't be reached: {why}; is it the right --context, and is it up?")]
    Unreachable { server: String, why: String },
    #[error(
        "the cluster at {server} does not take these credentials: {why}; log in anew, or choose another --context"
    )]
    Unauthorized { server: String, why: String },
    #[error(
        "you may not {verb} {resource} in {scope} of the cluster at {server}: {why}; {}",
        remedy(.verb, .resource)
    )]
    Forbidden { server: String, verb: &'static str, resource: String, scope: Scope, why: String },
    #[error(
        "the cluster at {server} does not serve {resource}: install the CustomResourceDefinitions: peerkeeper crd | kubectl apply --server-side -f -"
    )]
    NotInstalled { server: String, resource: String },
    /// Only of a write that names a version.
    #[error("{object} was changed by somebody else meanwhile; look at it again, then try again")]
    Conflict { object: String },
    #[error("{object} does not exist")]
    Gone { object: String },
    #[error("{object} does not fit its schema: {why}; are Peerkeeper's CRDs and this binary of one version?")]
    Unparsable { object: String, why: String },
    /// A write that the API server would not take.
    #[error("the cluster at {server} refuses to {verb} {what}: {why}")]
    Refused { server: String, verb: &'static str, what: String, why: String },
}

/// Which ClusterRole gives it, as `deploy/operator` installs them.
fn remedy(verb: &str, resource: &str) -> String {
    let reads = matches!(verb, "get" | "list" | "watch");
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let role = match (group, plural) {
        (GROUP, "awsaccounts") | ("", "namespaces") if reads => "peerkeeper-account-viewer",
        (GROUP, "peeringincidents") if !reads => "peerkeeper-incident-approver",
        (GROUP, "vpcpeerings" | "peeringpolicies") if !reads => "peerkeeper-edit",
        (GROUP, _) if reads => "peerkeeper-view",
        _ => return format!("a ClusterRole that allows {verb} on {resource} gives it"),
    };
    format!("the ClusterRole {role} gives it")
}

/// One of a listing: one that can't be read hides none of the others.
#[derive(Clone, Debug)]
pub enum Listed<K> {
    Read(K),
    /// Such as `VpcPeering network/prod-shared`, and why.
    Unparsable {
        object: String,
        why: String,
    },
}

/// A cluster, as whoever calls the command.
#[derive(Clone)]
pub struct Kube {
    client: Client,
    server: String,
    namespace: String,
}

impl KubeArgs {
    /// Finds the cluster. Nothing is asked of it yet.
    pub async fn connect(&self) -> Result<Kube, KubeError> {
        let mut config = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        let (server, namespace) = (config.cluster_url.to_string(), config.default_namespace.clone());
        let server = server.trim_end_matches('/').to_owned();
        let client = Client::try_from(config).map_err(|error| KubeError::Config(chain(&error)))?;
        Ok(Kube { client, server, namespace })
    }

    async fn config(&self) -> Result<Config, KubeError> {
        let wrong = |error: KubeconfigError| KubeError::Config(chain(&error));
        if self.kubeconfig.is_none() && self.context.is_none() {
            // Its own words tell of the Pod that this is not, and say the rest twice.
            let why = |error: InferConfigError| error.source().map_or_else(|| error.to_string(), chain);
            return Config::infer().await.map_err(|error| KubeError::Config(why(error)));
        }
        let file = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(file.map_err(wrong)?, &options).await.map_err(wrong)
    }
}

impl Kube {
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where it is, for words.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The namespaces that `-n` and `-A` say; by default that of the context, as with kubectl.
    pub fn scope(&self, namespace: Option<&str>, all: bool) -> Scope {
        if all { Scope::All } else { Scope::One(namespace.unwrap_or(&self.namespace).to_owned()) }
    }

    /// All objects of a kind; of a cluster-scoped kind whatever the scope.
    pub async fn list<K>(&self, scope: &Scope) -> Result<Vec<Listed<K>>, KubeError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
        K::Scope: 'static,
    {
        let resource = ApiResource::erase::<K>(&());
        let (api, scope) = self.api::<K>(&resource, scope);
        let (mut all, mut page) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let found =
                api.list(&page).await.map_err(|error| self.error(error, "list", &resource, &scope, None))?;
            all.extend(found.items.into_iter().map(|object| listed(&resource, object)));
            match found.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    /// One object. `Ok(None)`: it does not exist. The namespace is empty for a cluster-scoped kind.
    pub async fn get<K>(&self, namespace: &str, name: &str) -> Result<Option<K>, KubeError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
        K::Scope: 'static,
    {
        let resource = ApiResource::erase::<K>(&());
        let (api, scope) = self.api::<K>(&resource, &Scope::One(namespace.to_owned()));
        match api.get(name).await {
            Ok(object) => match listed(&resource, object) {
                Listed::Read(object) => Ok(Some(object)),
                Listed::Unparsable { object, why } => Err(KubeError::Unparsable { object, why }),
            },
            Err(error) => match self.error(error, "get", &resource, &scope, Some(name)) {
                KubeError::Gone { .. } => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Changes what a merge patch says. With `metadata.resourceVersion` in it, only if the object still has that version.
    pub async fn merge<K>(&self, namespace: &str, name: &str, patch: &Value) -> Result<K, KubeError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
        K::Scope: 'static,
    {
        let resource = ApiResource::erase::<K>(&());
        let (api, scope) = self.api::<K>(&resource, &Scope::One(namespace.to_owned()));
        let params =
            PatchParams { field_manager: Some("peerkeeper-cli".to_owned()), ..PatchParams::default() };
        let patched = api.patch(name, &params, &Patch::Merge(patch)).await;
        match listed(
            &resource,
            patched.map_err(|error| self.error(error, "patch", &resource, &scope, Some(name)))?,
        ) {
            Listed::Read(object) => Ok(object),
            Listed::Unparsable { object, why } => Err(KubeError::Unparsable { object, why }),
        }
    }

    /// Of one namespace, or of all. A kind without namespaces is always asked for as a whole.
    fn api<K>(&self, resource: &ApiResource, scope: &Scope) -> (Api<DynamicObject>, Scope)
    where
        K: Resource<DynamicType = ()>,
        K::Scope: 'static,
    {
        let is_namespaced = TypeId::of::<K::Scope>() != TypeId::of::<ClusterResourceScope>();
        match scope {
            Scope::One(namespace) if is_namespaced => {
                (Api::namespaced_with(self.client.clone(), namespace, resource), scope.clone())
            }
            _ => (Api::all_with(self.client.clone(), resource), Scope::All),
        }
    }

    /// In words that say what to do.
    fn error(
        &self,
        error: kube::Error,
        verb: &'static str,
        resource: &ApiResource,
        scope: &Scope,
        name: Option<&str>,
    ) -> KubeError {
        self.word(error, verb, &full(resource), scope, &title(resource, scope, name))
    }

    fn word(
        &self,
        error: kube::Error,
        verb: &'static str,
        resource: &str,
        scope: &Scope,
        what: &str,
    ) -> KubeError {
        let server = self.server.clone();
        match error {
            kube::Error::Api(status) => match &*status {
                Status { code: 401, message, .. } => KubeError::Unauthorized { server, why: message.clone() },
                status @ Status { code: 403, .. } if is_of_rbac(status) => KubeError::Forbidden {
                    server,
                    verb,
                    resource: resource.to_owned(),
                    scope: scope.clone(),
                    why: status.message.clone(),
                },
                // Of an object that is not there, the API server says which; of a kind, it knows nothing.
                Status { code: 404, details, .. } if details.as_ref().is_none_or(|d| d.name.is_empty()) => {
                    KubeError::NotInstalled { server, resource: resource.to_owned() }
                }
                Status { code: 404, .. } => KubeError::Gone { object: what.to_owned() },
                Status { code: 409, .. } => KubeError::Conflict { object: what.to_owned() },
                Status { message, .. } => {
                    KubeError::Refused { server, verb, what: what.to_owned(), why: message.clone() }
                }
            },
            kube::Error::Auth(error) => KubeError::Unauthorized { server, why: chain(&error) },
            error => KubeError::Unreachable { server, why: chain(&error) },
        }
    }
}

/// An admission policy also answers 403, with words of its own that must not be replaced.
fn is_of_rbac(status: &Status) -> bool {
    !status.message.contains("ValidatingAdmissionPolicy")
}

/// Such as `vpcpeerings.peerkeeper.dev`.
fn full(resource: &ApiResource) -> String {
    if resource.group.is_empty() {
        resource.plural.clone()
    } else {
        format!("{}.{}", resource.plural, resource.group)
    }
}

/// Such as `VpcPeering network/prod-shared`, or the plural.
fn title(resource: &ApiResource, scope: &Scope, name: Option<&str>) -> String {
    match (name, scope) {
        (None, _) => full(resource),
        (Some(name), Scope::One(namespace)) if !namespace.is_empty() => {
            format!("{} {namespace}/{name}", resource.kind)
        }
        (Some(name), _) => format!("{} {name}", resource.kind),
    }
}

fn listed<K: DeserializeOwned>(resource: &ApiResource, object: DynamicObject) -> Listed<K> {
    let scope = object.namespace().map_or(Scope::All, Scope::One);
    let title = title(resource, &scope, Some(&object.name_any()));
    let parsed = serde_json::to_value(object).and_then(serde_json::from_value);
    parsed.map_or_else(|error| Listed::Unparsable { object: title, why: error.to_string() }, Listed::Read)
}

/// An error with its causes, each once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AwsAccount, VpcPeering};

    fn kube() -> Kube {
        let refuse = |_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, tower::BoxError>("nobody is there".into())
        };
        let client = Client::new(tower::service_fn(refuse), "network");
        Kube { client, server: "https://there".to_owned(), namespace: "network".to_owned() }
    }

    fn status(code: u16, message: &str, name: &str) -> kube::Error {
        let status = serde_json::json!({"code": code, "message": message, "details": {"name": name}});
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    fn said(error: kube::Error, verb: &'static str) -> String {
        let resource = ApiResource::erase::<VpcPeering>(&());
        kube().error(error, verb, &resource, &Scope::One("network".to_owned()), Some("a")).to_string()
    }

    #[tokio::test]
    async fn errors_say_what_happened_where_and_what_to_do() {
        let forbidden = said(status(403, "User \"eve\" cannot", "a"), "get");
        assert_eq!(
            forbidden,
            "you may not get vpcpeerings.peerkeeper.dev in namespace network of the cluster at https://there: \
             User \"eve\" cannot; the ClusterRole peerkeeper-view gives it"
        );
        assert!(
            said(status(404, "404 page not found", ""), "get").contains("peerkeeper crd | kubectl apply")
        );
        assert_eq!(said(status(404, "not found", "a"), "get"), "VpcPeering network/a does not exist");
        assert!(said(status(409, "conflict", "a"), "patch").contains("VpcPeering network/a was changed"));
        assert!(said(status(401, "Unauthorized", ""), "get").contains("log in anew"));
        let policy = "ValidatingAdmissionPolicy 'peerkeeper-incidents' denied request: may not decide";
        let refused = said(status(403, policy, "a"), "patch");
        assert!(refused.contains("refuses to patch VpcPeering network/a: ValidatingAdm"), "{refused}");
    }

    #[test]
    fn what_is_forbidden_names_the_role_that_gives_it() {
        for (verb, resource, role) in [
            ("list", "awsaccounts.peerkeeper.dev", "peerkeeper-account-viewer"),
            ("get", "namespaces", "peerkeeper-account-viewer"),
            ("list", "peeringincidents.peerkeeper.dev", "peerkeeper-view"),
            ("patch", "peeringincidents.peerkeeper.dev", "peerkeeper-incident-approver"),
            ("patch", "vpcpeerings.peerkeeper.dev", "peerkeeper-edit"),
            ("get", "customresourcedefinitions.apiextensions.k8s.io", "a ClusterRole that allows get"),
        ] {
            assert!(remedy(verb, resource).contains(role), "{verb} {resource}: {}", remedy(verb, resource));
        }
    }

    #[tokio::test]
    async fn a_cluster_out_of_reach_is_no_empty_list() {
        let error = kube().list::<AwsAccount>(&Scope::All).await.expect_err("nobody is there").to_string();
        assert!(
            error.contains("https://there can't be reached") && error.contains("nobody is there"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_absent_kubeconfig_and_an_absent_context_are_named() {
        let absent = KubeArgs { kubeconfig: Some("/nonexistent/config".into()), context: None };
        let error = absent.connect().await.err().expect("it is absent").to_string();
        assert!(error.contains("/nonexistent/config") && error.contains("--kubeconfig"), "{error}");
    }

    #[tokio::test]
    async fn namespaces_are_as_with_kubectl() {
        let kube = kube();
        assert_eq!(kube.scope(None, false), Scope::One("network".to_owned()));
        assert_eq!(kube.scope(Some("a"), false), Scope::One("a".to_owned()));
        assert_eq!(kube.scope(Some("a"), true), Scope::All);
    }
}
