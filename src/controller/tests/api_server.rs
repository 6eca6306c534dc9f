//! A Kubernetes API server in memory, as far as the shell talks to one: lists, watches, server-side apply of a status
//! under a resourceVersion, metadata patches, finalizers, Leases and Events. It sits right behind `kube::Client`, with
//! no socket, so that paused time is in charge of everything. It checks no schema: the real one does, in `tests/cluster`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::client::Body;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::api::crd;

/// What every request takes.
const LATENCY: Duration = Duration::from_millis(2);

/// Where an object is: plural, namespace (empty where there is none), name.
type At = (String, String, String);

#[derive(Clone, Default)]
pub struct ApiServer(Arc<Mutex<Store>>);

#[derive(Default)]
struct Store {
    version: u64,
    uids: u64,
    objects: BTreeMap<At, Value>,
    /// Every change of the last hours: the version, the plural and what a watch says of it.
    history: Vec<(u64, String, Bytes)>,
    watchers: Vec<(String, UnboundedSender<Bytes>)>,
    /// Writes that changed something, by plural.
    writes: BTreeMap<String, u64>,
    /// Requests that came, by plural.
    asked: BTreeMap<String, u64>,
    fault: Option<Fault>,
    /// Plurals of which none may be made, as a quota or a missing right has it.
    refused: Vec<String>,
}

/// What happens to requests from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer ever comes.
    Down,
    /// Writes are carried out, and their answers lost.
    AnswersLost,
    /// Writes of status find that the object has changed.
    Conflict,
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

impl ApiServer {
    /// One that serves our CRDs and has the namespaces that every cluster has.
    pub fn new() -> Self {
        let server = Self::default();
        for namespace in ["kube-system", "peerkeeper-system", "net"] {
            server.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}}}));
        }
        for own in crd::crds().unwrap() {
            server.apply(serde_json::to_value(own).unwrap());
        }
        server
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap()
    }

    pub fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        });
        kube::Client::new(service, "default")
    }

    pub fn fail(&self, fault: Option<Fault>) {
        self.store().fault = fault;
    }

    /// What `kubectl apply` does: the spec is replaced, and what the server keeps stays.
    pub fn apply(&self, object: Value) {
        let mut store = self.store();
        let at = store.at_of(&object);
        let kept = store.objects.get(&at).cloned();
        let mut object = object;
        let metadata = object["metadata"].as_object_mut().unwrap();
        match &kept {
            Some(kept) => {
                let before = kept["metadata"].as_object().unwrap();
                for (key, value) in before {
                    metadata.entry(key.clone()).or_insert_with(|| value.clone());
                }
                let changed = kept["spec"] != object["spec"];
                let generation = kept["metadata"]["generation"].as_i64().unwrap() + i64::from(changed);
                object["metadata"]["generation"] = json!(generation);
                if let Some(status) = kept.get("status") {
                    object["status"] = status.clone();
                }
            }
            None => {
                metadata.insert("generation".into(), json!(1));
                metadata.insert("creationTimestamp".into(), json!("2026-01-01T00:00:00Z"));
                store.uids += 1;
                metadata.insert("uid".into(), json!(format!("uid-{}", store.uids)));
            }
        }
        store.put(at, object, if kept.is_some() { "MODIFIED" } else { "ADDED" });
    }

    /// None of this kind may be made, or again.
    pub fn refuse(&self, plural: &str, refuse: bool) {
        let mut store = self.store();
        store.refused.retain(|refused| refused != plural);
        if refuse {
            store.refused.push(plural.to_owned());
        }
    }

    /// What `kubectl delete` does to what no finalizer keeps.
    pub fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let mut store = self.store();
        let at = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        if let Some(mut object) = store.objects.get(&at).cloned() {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            store.put(at, object, "MODIFIED");
        }
    }

    /// Somebody who may writes an object's status, all of it.
    pub fn put_status(&self, object: &Value) {
        let mut store = self.store();
        let at = store.at_of(object);
        let mut after = store.objects[&at].clone();
        after["status"] = object["status"].clone();
        store.put(at, after, "MODIFIED");
    }

    pub fn count(&self, plural: &str) -> usize {
        self.store().objects.keys().filter(|(kind, _, _)| kind == plural).count()
    }

    pub fn all(&self, plural: &str) -> Vec<Value> {
        let store = self.store();
        let of_kind = store.objects.iter().filter(|((kind, _, _), _)| kind == plural);
        of_kind.map(|(_, object)| object.clone()).collect()
    }

    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store().objects.get(&(plural.to_owned(), namespace.to_owned(), name.to_owned())).cloned()
    }

    /// The reasons of the Events about an object of this name.
    pub fn events_of(&self, name: &str) -> Vec<String> {
        let store = self.store();
        let events =
            store.objects.iter().filter(|((plural, _, _), _)| plural == "events").map(|(_, event)| event);
        let about = events.filter(|event| event["regarding"]["name"] == name);
        about.map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The conditions of a kind's objects at each change, for messages.
    pub fn told(&self, plural: &str) -> Vec<String> {
        let store = self.store();
        let of_kind = store.history.iter().filter(|(_, kind, _)| kind == plural);
        let said = of_kind.map(|(_, _, line)| {
            let event: Value = serde_json::from_slice(line).unwrap();
            let conditions = event["object"]["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let words = conditions
                .iter()
                .map(|c| format!("{}={} {} {}", c["type"], c["status"], c["reason"], c["message"]));
            format!("{}: {}", event["object"]["metadata"]["name"], words.collect::<Vec<_>>().join(", "))
        });
        said.collect()
    }

    /// How often a kind was asked about, or asked to be changed.
    pub fn asked(&self, plural: &str) -> u64 {
        self.store().asked.get(plural).copied().unwrap_or_default()
    }

    pub fn forget_asked(&self) {
        self.store().asked.clear();
    }

    /// How often objects of a kind were written.
    pub fn writes(&self, plural: &str) -> u64 {
        self.store().writes.get(plural).copied().unwrap_or_default()
    }

    async fn serve(self, request: Request<Body>) -> Result<Answer, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        tokio::time::sleep(LATENCY).await;
        let fault = self.store().fault;
        if fault == Some(Fault::Down) {
            return std::future::pending().await;
        }
        let path = Path::parse(parts.uri.path());
        *self.store().asked.entry(path.plural.clone()).or_default() += 1;
        let query = parts.uri.query().unwrap_or_default();
        if parts.method == Method::GET && query.contains("watch=true") {
            return Ok(self.watch(&path.plural, query));
        }
        let writes = parts.method != Method::GET;
        let answer = match fault {
            Some(Fault::Conflict) if path.subresource == "status" && writes => refused(409, "Conflict"),
            _ => self.store().answer(&parts.method, &path, &body),
        };
        if fault == Some(Fault::AnswersLost) && writes {
            return std::future::pending().await;
        }
        Ok(answer)
    }

    /// What has changed since a version, and what changes from now on, until the time that was asked for is over.
    fn watch(&self, plural: &str, query: &str) -> Answer {
        let asked = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name))?.strip_prefix('=')?;
            value.parse::<u64>().ok()
        };
        let since = asked("resourceVersion").unwrap_or_default();
        let until = Instant::now() + Duration::from_secs(asked("timeoutSeconds").unwrap_or(300));
        let (sender, receiver) = unbounded_channel();
        let mut store = self.store();
        for (version, kind, line) in &store.history {
            if kind == plural && *version > since {
                let _ = sender.send(line.clone());
            }
        }
        store.watchers.push((plural.to_owned(), sender));
        let stream =
            futures::stream::unfold(receiver, move |mut receiver: UnboundedReceiver<Bytes>| async move {
                let line = tokio::time::timeout_at(until, receiver.recv()).await.ok()??;
                Some((Ok(http_body::Frame::data(line)), receiver))
            });
        Response::new(StreamBody::new(stream).boxed())
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut text = json!({"type": kind, "object": object}).to_string();
    text.push('\n');
    text.into()
}

fn plural_of(kind: &str) -> String {
    match kind {
        "PeeringPolicy" => "peeringpolicies".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    }
}

/// `/apis/{group}/{version}[/namespaces/{namespace}]/{plural}[/{name}[/{subresource}]]`, or `/api/{version}/...`.
#[derive(Debug, Default)]
struct Path {
    namespace: String,
    plural: String,
    name: String,
    subresource: String,
}

impl Path {
    fn parse(path: &str) -> Self {
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        parts.drain(..if parts.first() == Some(&"api") { 2 } else { 3 });
        let mut namespace = String::new();
        if parts.first() == Some(&"namespaces") && parts.len() > 2 {
            namespace = parts[1].to_owned();
            parts.drain(..2);
        }
        let part = |at: usize| parts.get(at).map_or(String::new(), |part| (*part).to_owned());
        Self { namespace, plural: part(0), name: part(1), subresource: part(2) }
    }

    fn at(&self) -> At {
        (self.plural.clone(), self.namespace.clone(), self.name.clone())
    }
}

fn answer(code: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    *answer.status_mut() = code;
    answer
}

fn refused(code: u16, reason: &str) -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code,
    });
    answer(StatusCode::from_u16(code).unwrap(), &status)
}

impl Store {
    fn at_of(&self, object: &Value) -> At {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        (plural_of(&text(&object["kind"])), text(&metadata["namespace"]), text(&metadata["name"]))
    }

    fn put(&mut self, at: At, mut object: Value, event: &str) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let metadata = &object["metadata"];
        let finalizers = metadata["finalizers"].as_array().is_some_and(|all| !all.is_empty());
        let gone = metadata.get("deletionTimestamp").is_some() && !finalizers;
        let event = line(if gone { "DELETED" } else { event }, &object);
        self.history.push((self.version, at.0.clone(), event.clone()));
        self.watchers.retain(|(plural, sender)| *plural != at.0 || sender.send(event.clone()).is_ok());
        if gone {
            self.objects.remove(&at);
        } else {
            self.objects.insert(at, object);
        }
    }

    fn answer(&mut self, method: &Method, path: &Path, body: &[u8]) -> Answer {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        match *method {
            Method::GET if path.name.is_empty() => self.list(&path.plural),
            Method::GET => match self.objects.get(&path.at()) {
                Some(object) => answer(StatusCode::OK, object),
                None => refused(404, "NotFound"),
            },
            Method::POST => self.create(path, body),
            Method::DELETE => self.delete(path),
            _ => self.change(method, path, body),
        }
    }

    fn list(&self, plural: &str) -> Answer {
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|((kind, _, _), _)| kind == plural)
            .map(|(_, object)| object)
            .collect();
        let metadata = json!({"resourceVersion": self.version.to_string()});
        answer(
            StatusCode::OK,
            &json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}),
        )
    }

    fn create(&mut self, path: &Path, mut object: Value) -> Answer {
        if self.refused.contains(&path.plural) {
            return refused(403, "Forbidden");
        }
        *self.writes.entry(path.plural.clone()).or_default() += 1;
        let name = object["metadata"]["name"]
            .as_str()
            .map_or_else(|| format!("made-{}", self.version), str::to_owned);
        let at = (path.plural.clone(), path.namespace.clone(), name);
        if self.objects.contains_key(&at) {
            return refused(409, "AlreadyExists");
        }
        self.uids += 1;
        object["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.put(at.clone(), object, "ADDED");
        answer(StatusCode::CREATED, &self.objects[&at])
    }

    fn delete(&mut self, path: &Path) -> Answer {
        let Some(mut object) = self.objects.get(&path.at()).cloned() else { return refused(404, "NotFound") };
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.put(path.at(), object.clone(), "MODIFIED");
        answer(StatusCode::OK, &object)
    }

    /// PUT, merge patches of metadata, and applies of a status: one manager holds all of it, so an apply replaces it.
    fn change(&mut self, method: &Method, path: &Path, patch: Value) -> Answer {
        let Some(before) = self.objects.get(&path.at()).cloned() else { return refused(404, "NotFound") };
        let named = &patch["metadata"]["resourceVersion"];
        if !named.is_null() && *named != before["metadata"]["resourceVersion"] {
            return refused(409, "Conflict");
        }
        let mut after = before.clone();
        if *method == Method::PUT {
            after["spec"] = patch["spec"].clone();
        } else if path.subresource == "status" {
            // A merge patch names no kind; what is applied does.
            match (after["status"].as_object_mut(), patch["status"].as_object()) {
                (Some(into), Some(from)) if patch["kind"].is_null() => merge(into, from),
                _ => after["status"] = patch["status"].clone(),
            }
        } else if let (Some(into), Some(from)) =
            (after["metadata"].as_object_mut(), patch["metadata"].as_object())
        {
            merge(into, from);
        }
        if after != before {
            *self.writes.entry(path.plural.clone()).or_default() += 1;
            self.put(path.at(), after.clone(), "MODIFIED");
        }
        answer(StatusCode::OK, self.objects.get(&path.at()).unwrap_or(&after))
    }
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key).and_then(Value::as_object_mut), value) {
            _ if value.is_null() => {
                into.remove(key);
            }
            (Some(inner), Value::Object(from)) => merge(inner, from),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
