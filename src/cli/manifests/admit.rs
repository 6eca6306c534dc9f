//! Each document as the object it is, if an API server would take it.

use std::collections::BTreeMap;

use peerkeeper_core::ids::ObjectKey;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::yaml::{self, Document};
use super::{ManifestError, Manifests, Place, Problem};
use crate::admission::{self, Kind, Refusal, Schema};
use crate::api::crd::CrdError;
use crate::api::{AwsAccount, GROUP, PeeringIncident, PeeringPolicy, VERSION, VpcPeering};
use crate::declare::{self, DeclareError};

/// What an object may have beside its spec.
const TOP: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];
/// Kubernetes' own fields of metadata, as far as people or tools write them.
const METADATA: &[&str] = &[
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "managedFields",
    "selfLink",
    "generateName",
];

pub struct Admission<'a> {
    namespace: &'a str,
    schemas: BTreeMap<Kind, Schema>,
    manifests: Manifests,
    /// Where each object was first seen.
    seen: BTreeMap<(Kind, String), Place>,
    pub problems: Vec<Problem>,
}

/// One object within a document: the document itself, or an item of a list.
struct Item<'a> {
    document: &'a Document,
    file: &'a str,
    /// Where it stands in the document, such as `items[3]`.
    at: String,
    value: &'a Value,
}

impl Item<'_> {
    fn place(&self, field: &str) -> Place {
        let path = match (self.at.is_empty(), field.is_empty()) {
            (true, _) => field.to_owned(),
            (false, true) => self.at.clone(),
            (false, false) => format!("{}.{field}", self.at),
        };
        Place { file: self.file.to_owned(), line: self.document.line_of(&path) }
    }

    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn problem(&self, object: &str, refusal: &Refusal) -> Problem {
        Problem { place: self.place(&refusal.field), object: object.to_owned(), what: refusal.to_string() }
    }
}

fn refusal(field: &str, what: impl Into<String>) -> Refusal {
    Refusal { field: field.to_owned(), what: what.into() }
}

impl<'a> Admission<'a> {
    pub fn new(namespace: &'a str) -> Result<Self, CrdError> {
        let schemas = admission::schemas()?;
        Ok(Self {
            namespace,
            schemas,
            manifests: Manifests::default(),
            seen: BTreeMap::new(),
            problems: Vec::new(),
        })
    }

    pub fn finish(mut self) -> Result<Manifests, ManifestError> {
        if self.problems.is_empty() {
            return Ok(Manifests { places: self.seen, ..self.manifests });
        }
        self.problems.sort();
        self.problems.dedup();
        Err(ManifestError::Problems(self.problems))
    }

    pub fn document(&mut self, file: &str, first: usize, text: &str) {
        match yaml::parse(text, first) {
            Ok(document) => {
                let value = document.value.clone();
                self.item(&Item { document: &document, file, at: String::new(), value: &value });
            }
            Err(unreadable) => {
                let place = Place { file: file.to_owned(), line: unreadable.line };
                self.problems.push(Problem { place, object: String::new(), what: unreadable.why });
            }
        }
    }

    fn item(&mut self, item: &Item<'_>) {
        if item.value.is_null() {
            return;
        }
        if !item.value.is_object() {
            let what = "is no Kubernetes object: a map with apiVersion, kind, metadata and spec is expected";
            return self.problems.push(item.problem("", &refusal("", what)));
        }
        let (version, kind) = (item.text("/apiVersion"), item.text("/kind"));
        match (version.is_empty(), kind.is_empty()) {
            // Values, workflows and the like lie beside manifests.
            (true, true) => return self.skip("documents without apiVersion and kind"),
            (false, false) => {}
            (true, false) => {
                return self.problems.push(item.problem(kind, &refusal("apiVersion", "required")));
            }
            (false, true) => return self.problems.push(item.problem("", &refusal("kind", "required"))),
        }
        if let Some(items) =
            item.value.get("items").and_then(Value::as_array).filter(|_| kind.ends_with("List"))
        {
            for (at, value) in items.iter().enumerate() {
                self.item(&Item { at: format!("{}items[{at}]", prefix(&item.at)), value, ..*item });
            }
            return;
        }
        match self.kind_of(version, kind) {
            Ok(Some(known)) => self.ours(item, known),
            Ok(None) if (version, kind) == ("v1", "Namespace") => self.namespace(item),
            Ok(None) => self.skip(kind),
            Err(what) => self.problems.push(item.problem(kind, &refusal("apiVersion", what))),
        }
    }

    fn skip(&mut self, kind: &str) {
        *self.manifests.skipped.entry(kind.to_owned()).or_default() += 1;
    }

    /// `None`: somebody else's.
    fn kind_of(&self, version: &str, kind: &str) -> Result<Option<Kind>, String> {
        let ours = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        let expected = format!("{GROUP}/{VERSION}");
        let group = version.split_once('/').map(|(group, _)| group);
        match (group, ours) {
            (Some(GROUP), Some(kind)) if version == expected => Ok(Some(kind)),
            (Some(GROUP), Some(_)) => Err(format!("{version} is not served; must be {expected}")),
            (Some(GROUP), None) => {
                let known: Vec<&str> = Kind::ALL.iter().map(|known| known.as_str()).collect();
                Err(format!("{GROUP} has no kind {kind}; it has {}", known.join(", ")))
            }
            (None, Some(_)) => Err(format!("must be {expected}, and is {version}")),
            (Some(_), _) | (None, None) => Ok(None),
        }
    }

    fn namespace(&mut self, item: &Item<'_>) {
        let name = item.text("/metadata/name");
        if name.is_empty() {
            return self.problems.push(item.problem("Namespace", &refusal("metadata.name", "required")));
        }
        let labels = item.value.pointer("/metadata/labels").and_then(Value::as_object);
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        let labels = labels.into_iter().flatten().filter_map(text).collect();
        self.manifests.namespaces.insert(name.to_owned(), labels);
    }

    fn ours(&mut self, item: &Item<'_>, kind: Kind) {
        let mut object = item.value.clone();
        let mut refused = head(&mut object, kind, self.namespace);
        if let Some(fields) = object.as_object_mut() {
            // As a plain apply: status has its own door.
            fields.remove("status");
        }
        let name = name_of(&object, kind);
        let admitted = match self.schemas.get(&kind).map(|schema| schema.admit(&object, None)) {
            Some(Ok(admitted)) => Some(admitted),
            Some(Err(more)) => {
                refused.extend(more);
                None
            }
            None => None,
        };
        let title = format!("{} {name}", kind.as_str());
        let place = item.place("");
        if let Some(first) = self.seen.insert((kind, name), place.clone()) {
            refused.push(refusal("metadata.name", format!("is given twice: first at {first}")));
        }
        if let (Some(admitted), true) = (admitted, refused.is_empty())
            && let Err(error) = self.keep(kind, admitted, place)
        {
            refused.push(error);
        }
        self.problems.extend(refused.iter().map(|refusal| item.problem(&title, refusal)));
    }

    /// Reads it as the operator does.
    fn keep(&mut self, kind: Kind, object: Value, place: Place) -> Result<(), Refusal> {
        match kind {
            Kind::VpcPeering => {
                let peering: VpcPeering = typed(object)?;
                let desired = declare::desired(&peering, false, "").map_err(undeclared)?;
                self.manifests.peerings.insert(desired.key, (peering, place));
            }
            Kind::PeeringPolicy => {
                let policy: PeeringPolicy = typed(object)?;
                declare::policy(&policy).map_err(undeclared)?;
                let meta = &policy.metadata;
                let key = ObjectKey::new(
                    meta.namespace.as_deref().unwrap_or_default(),
                    meta.name.as_deref().unwrap_or_default(),
                );
                self.manifests.policies.insert(key, policy);
            }
            Kind::AwsAccount => {
                let account: AwsAccount = typed(object)?;
                let read = declare::account(&account).map_err(undeclared)?;
                self.manifests.accounts.insert(read.name.to_string(), account);
            }
            // What it holds is decided in a cluster; here it can only be well-formed.
            Kind::PeeringIncident => {
                typed::<PeeringIncident>(object)?;
                self.skip(kind.as_str());
            }
        }
        Ok(())
    }
}

fn prefix(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!("{at}.") }
}

fn typed<T: DeserializeOwned>(object: Value) -> Result<T, Refusal> {
    serde_json::from_value(object).map_err(|error| refusal("", error.to_string()))
}

fn undeclared(error: DeclareError) -> Refusal {
    let DeclareError { field, value, expected } = error;
    Refusal { field, what: format!("is {value}, but must be {expected}") }
}

fn name_of(object: &Value, kind: Kind) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    let name = text("/metadata/name");
    if kind.is_cluster_scoped() { name } else { format!("{}/{name}", text("/metadata/namespace")) }
}

/// Checks what stands around the spec, and fills in what an API server would.
fn head(object: &mut Value, kind: Kind, namespace: &str) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let unknown = |fields: &Value, known: &[&str], at: &str| -> Vec<Refusal> {
        let names = fields.as_object().into_iter().flatten().map(|(name, _)| name);
        let strange = names.filter(|name| !known.contains(&name.as_str()));
        strange.map(|name| refusal(&format!("{at}{name}"), "unknown field")).collect()
    };
    refused.extend(unknown(object, TOP, ""));
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        refused.push(refusal("metadata", "must be a map with a name"));
        return refused;
    }
    refused.extend(unknown(metadata, METADATA, "metadata."));
    match metadata["name"].as_str() {
        Some(name) if is_name(name) => {}
        Some(name) => refused.push(refusal(
            "metadata.name",
            format!("is {name}, but must be lower-case letters, digits, '-' and '.', such as prod-shared"),
        )),
        None => refused.push(refusal("metadata.name", "required, and a string")),
    }
    for map in ["labels", "annotations"] {
        for (key, value) in
            metadata[map].as_object().into_iter().flatten().filter(|(_, value)| !value.is_string())
        {
            let what = format!("must be a string (in quotes), and is {value}");
            refused.push(refusal(&format!("metadata.{map}.{key}"), what));
        }
    }
    if kind.is_cluster_scoped() {
        if let Some(given) = metadata["namespace"].as_str() {
            let what = format!("is {given}, but {} objects belong to no namespace", kind.as_str());
            refused.push(refusal("metadata.namespace", what));
        }
    } else if metadata["namespace"].is_null() {
        metadata["namespace"] = json!(namespace);
    } else if !metadata["namespace"].as_str().is_some_and(is_name) {
        refused.push(refusal("metadata.namespace", "must be the name of a namespace, such as network"));
    }
    let name = metadata["name"].as_str().unwrap_or_default().to_owned();
    let of = metadata["namespace"].as_str().unwrap_or_default().to_owned();
    // What is not in a cluster has none of these; the same object gets the same ones each time.
    metadata["uid"] = json!(format!("{}/{of}/{name}", kind.as_str()));
    metadata["generation"] = json!(1);
    metadata["creationTimestamp"] = json!("1970-01-01T00:00:00Z");
    for of_a_cluster in
        ["resourceVersion", "managedFields", "deletionTimestamp", "finalizers", "ownerReferences"]
    {
        if let Some(fields) = metadata.as_object_mut() {
            fields.remove(of_a_cluster);
        }
    }
    refused
}

/// RFC 1123, as Kubernetes names objects.
fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&name.len())
        && name.chars().all(|c| is_word(c) || c == '-' || c == '.')
        && name.starts_with(is_word)
        && name.ends_with(is_word)
}
