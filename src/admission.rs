//! What an API server does with a declaration before it stores it: unknown fields, defaults, types and bounds, the CEL
//! rules of the schema, and what an update may not change. The schemas are those of the CRDs that are installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kube_cel::{CompiledSchema, Validator, compile_schema};
use serde_json::{Map, Value};

use crate::api::crd::{CrdError, crds};

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

    pub fn of(object: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| object["kind"] == kind.as_str())
    }

    /// Objects of this kind belong to no namespace.
    pub fn is_cluster_scoped(self) -> bool {
        self == Self::AwsAccount
    }
}

/// Why an object is not admitted: one field, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refusal {
    /// Such as `spec.requester.routes[0].name`; empty for the whole object.
    pub field: String,
    pub what: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, what } = self;
        if field.is_empty() { f.write_str(what) } else { write!(f, "{field}: {what}") }
    }
}

/// The schema of one kind.
pub struct Schema {
    pub root: Value,
    compiled: CompiledSchema,
    validator: Validator,
}

/// Of every kind that has a CRD.
pub fn schemas() -> Result<BTreeMap<Kind, Schema>, CrdError> {
    let all = crds()?;
    let read = |kind: Kind| {
        let crd = all.iter().find(|crd| crd.spec.names.kind == kind.as_str())?;
        let version = crd.spec.versions.first()?;
        let root = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
        let root = serde_json::to_value(root).ok()?;
        let compiled = compile_schema(&root);
        Some((kind, Schema { root, compiled, validator: Validator::new() }))
    };
    Ok(Kind::ALL.into_iter().filter_map(read).collect())
}

impl Schema {
    /// The object as it would be stored, or why it is refused.
    pub fn admit(&self, object: &Value, old: Option<&Value>) -> Result<Value, Vec<Refusal>> {
        let mut refused = Vec::new();
        unknown(&self.root["properties"]["spec"], &object["spec"], "spec", &mut refused);
        let strange = refused.len();
        let mut stored = object.clone();
        default(&self.root, &mut stored);
        for part in ["spec", "status"] {
            if let Some(value) = stored.get(part) {
                check(&self.root["properties"][part], value, part, &mut refused);
            }
        }
        // Rules are not asked about what does not have the right shape. Fields too many don't touch them.
        if refused.len() == strange
            && let Err(errors) = self.validator.validate_compiled(&self.compiled, &stored, old)
        {
            refused.extend(
                errors
                    .iter()
                    .map(|error| Refusal { field: error.field_path.clone(), what: error.message.clone() }),
            );
        }
        if refused.is_empty() { Ok(stored) } else { Err(refused) }
    }

    /// What a status write of ours must not contain: a field or a value that the schema does not have.
    pub fn refuses_status(&self, status: &Value) -> Vec<Refusal> {
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
fn unknown(schema: &Value, value: &Value, path: &str, refused: &mut Vec<Refusal>) {
    if keeps_unknown(schema) {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let path = format!("{path}.{name}");
                match (schema["properties"].get(name), &schema["additionalProperties"]) {
                    (Some(field), _) => unknown(field, inner, &path, refused),
                    (None, Value::Null) => refused.push(unknown_field(schema, path)),
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

fn unknown_field(schema: &Value, path: String) -> Refusal {
    let known: Vec<&str> = fields(schema).map(|(name, _)| name.as_str()).collect();
    Refusal { field: path, what: format!("unknown field; known are {}", known.join(", ")) }
}

/// What a value must be, as YAML writes it.
fn type_words(schema: &Value) -> String {
    let word = schema["type"].as_str().unwrap_or("something else");
    match word {
        "object" => "a map of fields".to_owned(),
        "array" => "a list".to_owned(),
        "string" => "a string (in quotes, where it looks like a number or a truth value)".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "a whole number".to_owned(),
        other => other.to_owned(),
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
fn check(schema: &Value, value: &Value, path: &str, refused: &mut Vec<Refusal>) {
    let mut say = |what: String| refused.push(Refusal { field: path.to_owned(), what });
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => true,
    };
    if !fits {
        return say(format!("must be {}, and is {value}", type_words(schema)));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        say(format!("must be one of {}, and is {value}", words.join(", ")));
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
        && value.as_str().is_some_and(|text| text.parse::<crate::api::Timestamp>().is_err())
    {
        say(format!("no date-time: {value}"));
    }
    match value {
        Value::Object(object) => check_object(schema, object, path, refused),
        Value::Array(list) => check_list(schema, list, path, refused),
        _ => {}
    }
}

fn check_object(schema: &Value, object: &Map<String, Value>, path: &str, refused: &mut Vec<Refusal>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(required) {
            refused.push(Refusal { field: format!("{path}.{required}"), what: "required".to_owned() });
        }
    }
    let additional = &schema["additionalProperties"];
    for (name, inner) in object {
        let field = schema["properties"].get(name).unwrap_or(additional);
        check(field, inner, &format!("{path}.{name}"), refused);
    }
}

fn check_list(schema: &Value, list: &[Value], path: &str, refused: &mut Vec<Refusal>) {
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
    for (at, item) in list.iter().enumerate() {
        if identity(item).is_some_and(|id| !seen.insert(id)) {
            refused.push(Refusal { field: format!("{path}[{at}]"), what: format!("duplicate {item}") });
        }
    }
}
