//! What may be written where: the leaves of the schemas, and the values that stand there.

use std::collections::BTreeMap;

pub use peerkeeper::admission::{Kind, Schema};
use serde_json::{Map, Value};

/// Of every kind that has a CRD: a new one fails the tests until it has generators.
pub fn schemas() -> BTreeMap<Kind, Schema> {
    let all = peerkeeper::admission::schemas().expect("CRDs");
    let crds = peerkeeper::api::crd::crds().expect("CRDs");
    assert_eq!(all.len(), crds.len(), "a kind that these tests do not know");
    all
}

pub fn kind_of(object: &Value) -> Kind {
    Kind::of(object).unwrap_or_else(|| panic!("{object} is none of our kinds"))
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// One leaf of what users write: where a value stands that has no parts.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub kind: Kind,
    /// Such as `spec.requester.routes[].routeTables.matchTags{}`: `[]` for every item of a list, `{}` for every value
    /// of a map.
    pub path: String,
    pub schema: Value,
}

impl Leaf {
    pub fn name(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.path)
    }
}

/// Every leaf of every spec.
pub fn leaves(schemas: &BTreeMap<Kind, Schema>) -> Vec<Leaf> {
    let mut found = Vec::new();
    for (kind, schema) in schemas {
        walk(&schema.root["properties"]["spec"], "spec", &mut |path, schema| {
            found.push(Leaf { kind: *kind, path: path.to_owned(), schema: schema.clone() });
        });
    }
    found
}

fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    if schema["properties"].is_object() {
        fields(schema).for_each(|(name, field)| walk(field, &format!("{path}.{name}"), visit));
    } else if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &format!("{path}{{}}"), visit);
    } else if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), visit);
    } else {
        visit(path, schema);
    }
}

/// All values at a leaf, with the JSON pointer of each.
pub fn values_at(object: &Value, path: &str) -> Vec<(String, Value)> {
    let mut at = vec![(String::new(), object.clone())];
    for step in path.split('.') {
        let depth = step.matches("[]").count() + step.matches("{}").count();
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        at = at
            .into_iter()
            .filter_map(|(pointer, value)| Some((format!("{pointer}/{name}"), value.get(name)?.clone())))
            .collect();
        for _ in 0..depth {
            at = at.into_iter().flat_map(|(pointer, value)| parts(&pointer, &value)).collect();
        }
    }
    at
}

fn parts(pointer: &str, value: &Value) -> Vec<(String, Value)> {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, inner)| (format!("{pointer}/{at}"), inner.clone())).collect()
        }
        Value::Object(object) => object
            .iter()
            .map(|(name, inner)| (format!("{pointer}/{}", escaped(name)), inner.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// As RFC 7386: null removes.
pub fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}
