//! Form parameters, as EC2 and STS take them, read by shape.
//!
//! EC2's lists are flat, `Filter.1.Value.1`; STS's are `Tags.member.1.Key`. An unknown parameter is an error: a typo
//! in a client must not pass a test. Numbers in names only give items their order; they allocate nothing, and names
//! nest no deeper than [`MAX_DEPTH`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::moment;
use super::path::Path;
use super::shapes::{List, Operation, Protocol, Service, Shape, Structure};
use super::value::{Struct, Value};
use crate::AwsError;

/// Parts of a parameter's name. Real ones have up to eight.
const MAX_DEPTH: usize = 16;

/// What belongs to the call or to its signature, not to the operation. Both SigV4's and its predecessor's.
const ENVELOPE: &[&str] = &[
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-User-Agent",
    "AWSAccessKeyId",
    "Expires",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
];

/// The parameters of one request: a form body, or the query of a GET.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Params<'a> {
    /// Never fails: what is no UTF-8 is replaced by U+FFFD, as everywhere on the web.
    pub fn parse(form: &'a [u8]) -> Self {
        Self { pairs: form_urlencoded::parse(form).collect() }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_ref())
    }
}

/// Which operation these parameters ask for.
pub fn operation(service: &Service, params: &Params) -> Result<&'static Operation, AwsError> {
    let Some(action) = params.get("Action").filter(|action| !action.is_empty()) else {
        return Err(AwsError::new("MissingAction", "The request must contain the parameter Action"));
    };
    let known = params.get("Version").is_none_or(|version| version == service.api_version);
    match service.operation(action) {
        Some(operation) if known => Ok(operation),
        _ => Err(no_such_operation(service, action, params.get("Version"))),
    }
}

pub(crate) fn no_such_operation(service: &Service, action: &str, version: Option<&str>) -> AwsError {
    let message = match service.protocol {
        Protocol::Ec2 => format!("The action {action} is not valid for this web service."),
        _ => {
            let version = version.unwrap_or(service.api_version);
            format!("Could not find operation {action} for version {version}")
        }
    };
    AwsError::new("InvalidAction", message)
}

/// The operation's input. Every member in it is of the type that its shape says, and every required one is there.
pub fn decode(service: &Service, operation: &Operation, params: &Params) -> Result<Struct, AwsError> {
    let tree = Node::plant(params)?;
    let walk = Walk { protocol: service.protocol };
    match operation.input {
        Some(shape) => walk.structure(shape, &tree, &Path::Root),
        None => match tree.children.keys().next() {
            Some(name) => Err(unknown(&Path::Name(&Path::Root, name))),
            None => Ok(Struct::new()),
        },
    }
}

/// Parameters by the parts of their names. It has no more nodes than the request has parts of names.
#[derive(Default)]
struct Node<'a> {
    value: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn plant(params: &'a Params) -> Result<Self, AwsError> {
        let mut root = Self::default();
        for (name, value) in &params.pairs {
            if name.is_empty() || ENVELOPE.contains(&name.as_ref()) {
                continue;
            }
            if name.split('.').nth(MAX_DEPTH).is_some() {
                return Err(unrecognized(name));
            }
            let leaf = name.split('.').fold(&mut root, |node, part| node.children.entry(part).or_default());
            if leaf.value.replace(value).is_some() {
                return Err(AwsError::new(
                    "MalformedQueryString",
                    format!("The parameter {name} is given more than once"),
                ));
            }
        }
        Ok(root)
    }
}

struct Walk {
    protocol: Protocol,
}

impl Walk {
    fn structure(&self, shape: &'static Structure, node: &Node, path: &Path) -> Result<Struct, AwsError> {
        // `X=` alone is how an empty structure is written; `X=text` is no structure.
        if node.value.is_some_and(|value| !value.is_empty()) {
            return Err(unknown(path));
        }
        let mut made = Struct::new();
        for (name, child) in &node.children {
            let path = Path::Name(path, name);
            let Some(member) = shape.members.iter().find(|member| member.query_name == *name) else {
                return Err(unknown(&path));
            };
            made.set(member.name, self.value(member.shape, child, &path)?);
        }
        for member in shape.members.iter().filter(|member| member.required) {
            if !made.has(member.name) {
                return Err(self.missing(&Path::Name(path, member.query_name)));
            }
        }
        Ok(made)
    }

    fn value(&self, shape: &'static Shape, node: &Node, path: &Path) -> Result<Value, AwsError> {
        match shape {
            Shape::Struct(structure) => return self.structure(structure, node, path).map(Value::Struct),
            Shape::List(list) => return self.list(list, node, path).map(Value::List),
            // No operation of these protocols takes one: the tables' generator would have stopped.
            Shape::Map(_) => return Err(unknown(path)),
            _ => {}
        }
        if let Some(name) = node.children.keys().next() {
            return Err(unknown(&Path::Name(path, name)));
        }
        let text = node.value.unwrap_or_default();
        scalar(shape, text).ok_or_else(|| invalid(text, path))
    }

    fn list(&self, shape: &'static List, node: &Node, path: &Path) -> Result<Vec<Value>, AwsError> {
        // `X=` alone is how an empty list is written; `X=text` is no list.
        if node.value.is_some_and(|value| !value.is_empty()) {
            return Err(unknown(path));
        }
        if self.protocol == Protocol::Ec2 {
            return self.items(shape.item, node, path);
        }
        let wrapper = shape.item_name.unwrap_or("member");
        if let Some(name) = node.children.keys().find(|name| **name != wrapper) {
            return Err(unknown(&Path::Name(path, name)));
        }
        match node.children.get(wrapper) {
            Some(items) => self.items(shape.item, items, &Path::Name(path, wrapper)),
            None => Ok(Vec::new()),
        }
    }

    /// In the order of their numbers, which need not begin at one nor be without gaps.
    fn items(&self, shape: &'static Shape, node: &Node, path: &Path) -> Result<Vec<Value>, AwsError> {
        let mut numbered = BTreeMap::new();
        for (name, child) in &node.children {
            let Some(number) = item_number(name) else {
                return Err(unknown(&Path::Name(path, name)));
            };
            numbered.insert(number, child);
        }
        numbered
            .into_iter()
            .map(|(number, child)| self.value(shape, child, &Path::Item(path, number)))
            .collect()
    }

    fn missing(&self, path: &Path) -> AwsError {
        match self.protocol {
            Protocol::Ec2 => crate::error::texts::missing(&path.to_string()),
            _ => AwsError::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not \
                     be null",
                    uncapitalised(&path.to_string())
                ),
            ),
        }
    }
}

/// Digits without leading zeros, so that no two names mean one item.
fn item_number(name: &str) -> Option<u32> {
    let plain = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    if plain { name.parse().ok() } else { None }
}

fn scalar(shape: &Shape, text: &str) -> Option<Value> {
    match shape {
        Shape::Text(allowed) => {
            (allowed.is_empty() || allowed.contains(&text)).then(|| Value::Text(text.to_owned()))
        }
        Shape::Int => text.parse::<i32>().ok().map(Value::from),
        Shape::Long => text.parse().ok().map(Value::Int),
        Shape::Float => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        Shape::Bool if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Shape::Bool if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Shape::Time => moment::parse_iso(text).map(Value::Time),
        Shape::Blob => BASE64.decode(text).ok().map(Value::Blob),
        Shape::Bool | Shape::List(_) | Shape::Map(_) | Shape::Struct(_) => None,
    }
}

fn unknown(path: &Path) -> AwsError {
    unrecognized(&path.to_string())
}

fn unrecognized(name: &str) -> AwsError {
    AwsError::new("UnknownParameter", format!("The parameter {} is not recognized", shortened(name)))
}

fn invalid(text: &str, path: &Path) -> AwsError {
    AwsError::new(
        "InvalidParameterValue",
        format!("Value ({}) for parameter {path} is invalid.", shortened(text)),
    )
}

/// An error repeats what was wrong, but not a megabyte of it.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &text[..at]).into(),
        None => text.into(),
    }
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}
