//! What an API server does with a declaration before it stores it: unknown fields, defaults, types and bounds, the CEL
//! rules of the schema, and what an update may not change. The schemas are those of the CRDs that are installed.

use std::collections::{BTreeMap, BTreeSet};

use kube_cel::{CompiledSchema, Validator, compile_schema};
use peerkeeper::api::crd::crds;
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    VpcPeering,
    PeeringPolicy,
    AwsAccount,
    /// The operator's own: users only decide in it.
    PeeringIncident,
}

impl Kind {
    pub const ALL: [Self; 4] =
        [Self::VpcPeering, Self::PeeringPolicy, Self::AwsAccount, Self::PeeringIncident];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::VpcPeering => "VpcPeering",
            Self::PeeringPolicy => "PeeringPolicy",
            Self::AwsAccount => "AwsAccount",
            Self::PeeringIncident => "PeeringIncident",
        }
    }

    pub fn of(object: &Value) -> Self {
        let found = Self::ALL.into_iter().find(|kind| object["kind"] == kind.as_str());
        found.unwrap_or_else(|| panic!("{object} is none of our kinds"))
    }
}

/// The schema of one kind.
pub struct Schema {
    pub root: Value,
    compiled: CompiledSchema,
    validator: Validator,
}

/// Of every kind that has a CRD: a new one fails the tests until it has generators.
pub fn schemas() -> BTreeMap<Kind, Schema> {
    let all = crds().expect("CRDs");
    assert_eq!(all.len(), Kind::ALL.len(), "a kind that these tests do not know");
    let read = |kind: Kind| {
        let crd = all.iter().find(|crd| crd.spec.names.kind == kind.as_str());
        let crd = crd.unwrap_or_else(|| panic!("no CRD of {}", kind.as_str()));
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).expect("a schema");
        let root = schema["openAPIV3Schema"].clone();
        let compiled = compile_schema(&root);
        (kind, Schema { root, compiled, validator: Validator::new() })
    };
    Kind::ALL.into_iter().map(read).collect()
}

impl Schema {
    /// The object as it would be stored, or why it is refused.
    pub fn admit(&self, object: &Value, old: Option<&Value>) -> Result<Value, Vec<String>> {
        let mut refused = Vec::new();
        unknown(&self.root["properties"]["spec"], &object["spec"], "spec", &mut refused);
        let mut stored = object.clone();
        default(&self.root, &mut stored);
        for part in ["spec", "status"] {
            if let Some(value) = stored.get(part) {
                check(&self.root["properties"][part], value, part, &mut refused);
            }
        }
        // Rules are not asked about what does not have the right shape.
        if refused.is_empty()
            && let Err(errors) = self.validator.validate_compiled(&self.compiled, &stored, old)
        {
            refused.extend(errors.iter().map(ToString::to_string));
        }
        if refused.is_empty() { Ok(stored) } else { Err(refused) }
    }

    /// What a status write of ours must not contain: a field or a value that the schema does not have.
    pub fn refuses_status(&self, status: &Value) -> Vec<String> {
        let mut refused = Vec::new();
        unknown(&self.root["properties"]["status"], status, "status", &mut refused);
        check(&self.root["properties"]["status"], status, "status", &mut refused);
        refused
    }

    /// Rules that could not be understood: they would refuse nothing.
    pub fn misunderstood(&self) -> Vec<String> {
        self.compiled.compilation_errors().iter().map(ToString::to_string).collect()
    }
}

fn keeps_unknown(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// A strict client is refused unknown fields.
fn unknown(schema: &Value, value: &Value, path: &str, refused: &mut Vec<String>) {
    if keeps_unknown(schema) {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let path = format!("{path}.{name}");
                match (schema["properties"].get(name), &schema["additionalProperties"]) {
                    (Some(field), _) => unknown(field, inner, &path, refused),
                    (None, Value::Null) => refused.push(format!("{path}: unknown field")),
                    (None, additional) => unknown(additional, inner, &path, refused),
                }
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                unknown(&schema["items"], inner, &format!("{path}[{at}]"), refused);
            }
        }
        _ => {}
    }
}

/// A default is filled in where there is nothing, and again within what was filled in.
fn default(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, field) in fields(schema) {
                // A null that a default can replace counts as nothing.
                if let Some(default) = field.get("default")
                    && object.get(name).is_none_or(Value::is_null)
                {
                    object.insert(name.clone(), default.clone());
                }
            }
            let additional = &schema["additionalProperties"];
            for (name, inner) in object.iter_mut() {
                default(schema["properties"].get(name).unwrap_or(additional), inner);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| default(&schema["items"], inner)),
        _ => {}
    }
}

/// Types and bounds.
fn check(schema: &Value, value: &Value, path: &str, refused: &mut Vec<String>) {
    let mut say = |what: String| refused.push(format!("{path}: {what}"));
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => true,
    };
    if !fits {
        return say(format!("must be of type {}: {value}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        say(format!("unsupported value {value}"));
    }
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    let most =
        schema["maxLength"].as_u64().or(schema["maxItems"].as_u64()).or(schema["maxProperties"].as_u64());
    if most.is_some_and(|most| size as u64 > most) {
        say(format!("too long: {size}"));
    }
    if schema["minLength"].as_u64().is_some_and(|least| (size as u64) < least) {
        say(format!("too short: {size}"));
    }
    if let Some(number) = value.as_i64() {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let number = number as f64;
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            say(format!("out of bounds: {value}"));
        }
    }
    if schema["format"] == "date-time"
        && value.as_str().is_some_and(|text| text.parse::<peerkeeper::api::Timestamp>().is_err())
    {
        say(format!("no date-time: {value}"));
    }
    match value {
        Value::Object(object) => check_object(schema, object, path, refused),
        Value::Array(list) => check_list(schema, list, path, refused),
        _ => {}
    }
}

fn check_object(schema: &Value, object: &Map<String, Value>, path: &str, refused: &mut Vec<String>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(required) {
            refused.push(format!("{path}.{required}: required"));
        }
    }
    let additional = &schema["additionalProperties"];
    for (name, inner) in object {
        let field = schema["properties"].get(name).unwrap_or(additional);
        check(field, inner, &format!("{path}.{name}"), refused);
    }
}

fn check_list(schema: &Value, list: &[Value], path: &str, refused: &mut Vec<String>) {
    for (at, inner) in list.iter().enumerate() {
        check(&schema["items"], inner, &format!("{path}[{at}]"), refused);
    }
    let identity = |item: &Value| match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Some(item.to_string()),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            Some(keys.filter_map(Value::as_str).map(|key| item[key].to_string()).collect())
        }
        _ => None,
    };
    let mut seen = BTreeSet::new();
    for item in list {
        if identity(item).is_some_and(|id| !seen.insert(id)) {
            refused.push(format!("{path}: duplicate {item}"));
        }
    }
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
