//! The port to Kubernetes: everything that is read live, and everything that is written.
//!
//! Every write of an object names the resourceVersion that it was computed from. A forced apply without one would let a
//! replica that lags behind erase what another has remembered.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::{Namespace, ObjectReference};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::core::ApiResource;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource, ResourceExt};
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::turn::Note;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{
    AwsAccount, AwsAccountStatus, FINALIZER_CLEANUP, FINALIZER_IN_USE, PeeringIncident,
    PeeringIncidentStatus, VpcPeering, VpcPeeringStatus,
};

/// Who wrote a field, for server-side apply.
const FIELD_MANAGER: &str = "peerkeeper";
/// Events take notes of up to 1 kB.
const NOTE_MAX: usize = 1000;
/// Objects in one page of a listing.
const PAGE: u32 = 500;

/// Why the API server did not do what was asked.
#[derive(Debug)]
pub enum ClusterError {
    /// The object changed since it was read; nothing was stored.
    Conflict,
    /// The object is not there any more.
    Gone,
    /// It can't be parsed; the text says where.
    Unparsable(String),
    /// Not sent: the lease might not outlast it.
    NotLeading,
    /// Sent, and not answered in time.
    NoAnswer,
    Other(kube::Error),
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("the object changed since it was read; it is read again"),
            Self::Gone => f.write_str("the object does not exist any more"),
            Self::Unparsable(why) => write!(f, "the object does not fit its schema: {why}"),
            Self::NotLeading => f.write_str("the lease might not outlast this write; it was not sent"),
            Self::NoAnswer => f.write_str("the API server did not answer in time; it is asked again"),
            Self::Other(error) => write!(f, "the API server: {error}"),
        }
    }
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.code == 409 => Self::Conflict,
            kube::Error::Api(status) if status.code == 404 => Self::Gone,
            _ => Self::Other(error),
        }
    }
}

/// One of a listing.
pub enum Listed<K> {
    Read(K),
    Unparsable(ObjectKey),
}

/// So many Events are published through one recorder. It keeps each for minutes to count its repetitions, goes through all
/// of them for each new one, and keeps the room for good: after a start with 10,000 objects that was 27 MiB. A repetition
/// across two recorders is an Event of its own.
const EVENTS_PER_RECORDER: usize = 500;

#[derive(Clone)]
pub struct Cluster {
    client: Client,
    reporter: Reporter,
    /// And how many were published through it.
    recorder: Arc<Mutex<(Recorder, usize)>>,
}

impl Cluster {
    pub fn new(client: Client, instance: &str) -> Self {
        let reporter = Reporter { controller: "peerkeeper".to_owned(), instance: Some(instance.to_owned()) };
        let recorder = Recorder::new(client.clone(), reporter.clone());
        Self { recorder: Arc::new(Mutex::new((recorder, 0))), reporter, client }
    }

    fn recorder(&self) -> Recorder {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if recorder.1 >= EVENTS_PER_RECORDER {
            *recorder = (Recorder::new(self.client.clone(), self.reporter.clone()), 0);
        }
        recorder.1 += 1;
        recorder.0.clone()
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    fn peerings(&self, namespace: &str) -> Api<VpcPeering> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The object from the API server itself. `Ok(None)`: it does not exist.
    pub async fn read(&self, key: &ObjectKey) -> Result<Option<VpcPeering>, ClusterError> {
        let resource = ApiResource::erase::<VpcPeering>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let Some(object) = api.get_opt(&key.name).await? else { return Ok(None) };
        let parsed = serde_json::to_value(object).and_then(serde_json::from_value);
        parsed.map(Some).map_err(|error| ClusterError::Unparsable(error.to_string()))
    }

    /// Whether an object of this name exists now.
    pub async fn exists(&self, key: &ObjectKey) -> Result<bool, ClusterError> {
        let found = self.peerings(&key.namespace).get_metadata_opt(&key.name).await?;
        Ok(found.is_some())
    }

    /// The installation's id: the UID of the kube-system namespace.
    pub async fn owner_id(&self) -> Result<String, ClusterError> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let namespace = namespaces.get("kube-system").await?;
        namespace.uid().ok_or(ClusterError::Gone)
    }

    pub async fn crd(&self, name: &str) -> Result<Option<CustomResourceDefinition>, ClusterError> {
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        Ok(api.get_opt(name).await?)
    }

    /// Adds the finalizer, or writes the annotation, or both, in one change of the metadata. The new version.
    pub async fn mark(
        &self,
        object: &VpcPeering,
        version: &str,
        add_finalizer: bool,
        annotations: &[(&str, String)],
    ) -> Result<String, ClusterError> {
        let mut metadata = json!({ "resourceVersion": version });
        if add_finalizer {
            let mut finalizers = object.finalizers().to_vec();
            finalizers.push(FINALIZER_CLEANUP.to_owned());
            metadata["finalizers"] = json!(finalizers);
        }
        for (key, value) in annotations {
            metadata["annotations"][key] = json!(value);
        }
        self.merge(object, json!({ "metadata": metadata })).await
    }

    /// Lets the object go. Gone already is just as well.
    pub async fn drop_finalizer(&self, object: &VpcPeering, version: &str) -> Result<(), ClusterError> {
        let rest: Vec<_> = object.finalizers().iter().filter(|f| *f != FINALIZER_CLEANUP).collect();
        if rest.len() == object.finalizers().len() {
            return Ok(());
        }
        let patch = json!({ "metadata": { "resourceVersion": version, "finalizers": rest } });
        match self.merge(object, patch).await {
            Ok(_) | Err(ClusterError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn merge(&self, object: &VpcPeering, patch: Value) -> Result<String, ClusterError> {
        let api = self.peerings(&object.namespace().unwrap_or_default());
        let patched =
            api.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await?;
        patched.metadata.resource_version.ok_or(ClusterError::Conflict)
    }

    /// Stores the status, all of it, if the object still has this version. The new version.
    pub async fn store_status(
        &self,
        object: &VpcPeering,
        version: &str,
        status: &VpcPeeringStatus,
    ) -> Result<String, ClusterError> {
        let patch = json!({
            "apiVersion": VpcPeering::api_version(&()),
            "kind": VpcPeering::kind(&()),
            "metadata": { "resourceVersion": version },
            "status": status,
        });
        let api = self.peerings(&object.namespace().unwrap_or_default());
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let stored = api.patch_status(&object.name_any(), &params, &Patch::Apply(patch)).await?;
        stored.resource_version().ok_or(ClusterError::Conflict)
    }

    /// Says on an object that can't be parsed why it can't. Nothing else of its status is touched, memory least of all.
    pub async fn say_unparsable(&self, key: &ObjectKey, conditions: &Value) -> Result<(), ClusterError> {
        let resource = ApiResource::erase::<VpcPeering>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let patch = json!({ "status": { "conditions": conditions } });
        api.patch_status(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// What the object's conditions say, for one that can't be parsed as a whole.
    pub async fn raw_conditions(&self, key: &ObjectKey) -> Result<Option<(i64, Value)>, ClusterError> {
        let resource = ApiResource::erase::<VpcPeering>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let Some(object) = api.get_opt(&key.name).await? else { return Ok(None) };
        let conditions = object.data.pointer("/status/conditions").cloned().unwrap_or(Value::Null);
        Ok(Some((object.metadata.generation.unwrap_or_default(), conditions)))
    }

    fn incidents(&self, namespace: &str) -> Api<PeeringIncident> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The incident of this name from the API server itself. `Ok(None)`: it does not exist.
    pub async fn incident(&self, key: &ObjectKey) -> Result<Option<PeeringIncident>, ClusterError> {
        let resource = ApiResource::erase::<PeeringIncident>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let Some(object) = api.get_opt(&key.name).await? else { return Ok(None) };
        let parsed = serde_json::to_value(object).and_then(serde_json::from_value);
        parsed.map(Some).map_err(|error| ClusterError::Unparsable(error.to_string()))
    }

    /// Makes an incident. [`ClusterError::Conflict`]: one of this name is there.
    pub async fn create_incident(&self, incident: &PeeringIncident) -> Result<PeeringIncident, ClusterError> {
        let api = self.incidents(&incident.namespace().unwrap_or_default());
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        Ok(api.create(&params, incident).await?)
    }

    /// Stores an incident's status, all of it, if it still has this version: a decision made meanwhile is read first.
    pub async fn store_incident_status(
        &self,
        incident: &PeeringIncident,
        status: &PeeringIncidentStatus,
    ) -> Result<PeeringIncident, ClusterError> {
        let patch = json!({
            "apiVersion": PeeringIncident::api_version(&()),
            "kind": PeeringIncident::kind(&()),
            "metadata": { "resourceVersion": incident.resource_version().unwrap_or_default() },
            "status": status,
        });
        let api = self.incidents(&incident.namespace().unwrap_or_default());
        let params = PatchParams::apply(FIELD_MANAGER).force();
        Ok(api.patch_status(&incident.name_any(), &params, &Patch::Apply(patch)).await?)
    }

    /// Deletes this incident and no later one of its name. Gone already is just as well.
    pub async fn delete_incident(&self, key: &ObjectKey, uid: &str) -> Result<(), ClusterError> {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match self.incidents(&key.namespace).delete(&key.name, &params).await.map_err(ClusterError::from) {
            Ok(_) | Err(ClusterError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Every `VpcPeering`, from the API server itself.
    pub async fn all_peerings(&self) -> Result<Vec<Listed<VpcPeering>>, ClusterError> {
        self.all().await
    }

    /// Every `AwsAccount`, from the API server itself.
    pub async fn all_accounts(&self) -> Result<Vec<Listed<AwsAccount>>, ClusterError> {
        self.all().await
    }

    async fn all<K>(&self) -> Result<Vec<Listed<K>>, ClusterError>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &ApiResource::erase::<K>(&()));
        let (mut all, mut page) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let found = api.list(&page).await?;
            for object in found.items {
                let key = key_of(&object);
                let parsed = serde_json::to_value(object).and_then(serde_json::from_value);
                all.push(parsed.map_or(Listed::Unparsable(key), Listed::Read));
            }
            match found.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    pub async fn account(&self, name: &str) -> Result<Option<AwsAccount>, ClusterError> {
        let api: Api<AwsAccount> = Api::all(self.client.clone());
        Ok(api.get_opt(name).await?)
    }

    /// Stores an `AwsAccount`'s status, all of it, if the object still has this version.
    pub async fn store_account_status(
        &self,
        account: &AwsAccount,
        status: &AwsAccountStatus,
    ) -> Result<(), ClusterError> {
        let api: Api<AwsAccount> = Api::all(self.client.clone());
        let patch = json!({
            "apiVersion": AwsAccount::api_version(&()),
            "kind": AwsAccount::kind(&()),
            "metadata": { "resourceVersion": account.resource_version().unwrap_or_default() },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        api.patch_status(&account.name_any(), &params, &Patch::Apply(patch)).await?;
        Ok(())
    }

    /// Keeps, or lets go, an `AwsAccount` that peerings use.
    pub async fn set_account_in_use(&self, account: &AwsAccount, in_use: bool) -> Result<(), ClusterError> {
        let mut finalizers = account.finalizers().to_vec();
        let has = finalizers.iter().any(|f| f == FINALIZER_IN_USE);
        if has == in_use {
            return Ok(());
        }
        finalizers.retain(|f| f != FINALIZER_IN_USE);
        if in_use {
            finalizers.push(FINALIZER_IN_USE.to_owned());
        }
        let api: Api<AwsAccount> = Api::all(self.client.clone());
        let version = account.resource_version().unwrap_or_default();
        let patch = json!({ "metadata": { "resourceVersion": version, "finalizers": finalizers } });
        api.patch_metadata(&account.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Whether any `VpcPeering` names this account now, asked of the API server itself.
    pub async fn account_is_used(&self, name: &str) -> Result<bool, ClusterError> {
        let resource = ApiResource::erase::<VpcPeering>(&());
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let objects = api.list(&ListParams::default()).await?;
        let names = |object: &DynamicObject, side: &str| {
            let named = object.data.pointer(&format!("/spec/{side}/account/name")).and_then(Value::as_str);
            named == Some(name)
        };
        Ok(objects.items.iter().any(|object| names(object, "requester") || names(object, "accepter")))
    }

    /// Publishes Events. One that can't be is logged: the condition says the same.
    pub async fn tell(&self, object: &impl Resource<DynamicType = ()>, notes: &[Note]) {
        let reference: ObjectReference = object.object_ref(&());
        for note in notes {
            let mut text = note.message.clone();
            if text.len() > NOTE_MAX {
                let end = (0..=NOTE_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                text.truncate(end);
            }
            let event = Event {
                type_: if note.warning { EventType::Warning } else { EventType::Normal },
                reason: note.reason.as_str().to_owned(),
                note: Some(text),
                action: "Reconcile".to_owned(),
                secondary: None,
            };
            if let Err(error) = self.recorder().publish(&event, &reference).await {
                let object = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
                tracing::warn!(object, reason = note.reason.as_str(), %error, "an Event could not be published");
            }
        }
    }
}

/// The key of an object.
pub fn key_of(object: &impl ResourceExt) -> ObjectKey {
    let namespace: Arc<str> = object.namespace().unwrap_or_default().into();
    ObjectKey { namespace, name: object.name_any().into() }
}
