//! The other end of the wire, written apart from the code under test: a client's serializer and parser, after the
//! rules of botocore's, and values of any shape.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ec2sim::wire::shapes::{Operation, Protocol, SERVICES, Service, Shape, Structure};
use ec2sim::wire::{Struct, Value};
use proptest::prelude::*;

/// Every operation of every service.
pub fn operations() -> Vec<(&'static Service, &'static Operation)> {
    SERVICES.into_iter().flat_map(|service| service.operations.iter().map(move |o| (service, o))).collect()
}

pub fn service(name: &str) -> &'static Service {
    ec2sim::wire::shapes::service(name).expect(name)
}

pub fn operation(service_name: &str, name: &str) -> (&'static Service, &'static Operation) {
    let service = service(service_name);
    (service, service.operation(name).expect(name))
}

/// Any value of this shape. Optional members come and go, lists have none to two items. `texts` is what free texts
/// are made of.
pub fn any_value(shape: &'static Shape, texts: &'static str) -> BoxedStrategy<Value> {
    match shape {
        Shape::Text([]) => texts.prop_map(Value::Text).boxed(),
        Shape::Text(allowed) => proptest::sample::select(*allowed).prop_map(Value::from).boxed(),
        Shape::Int => any::<i32>().prop_map(Value::from).boxed(),
        Shape::Long => any::<i64>().prop_map(Value::Int).boxed(),
        Shape::Float => any::<i32>().prop_map(|n| Value::Float(f64::from(n) / 4.0)).boxed(),
        Shape::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Shape::Time => (0..4_102_444_800_000_i64).prop_map(Value::Time).boxed(),
        Shape::Blob => any::<Vec<u8>>().prop_map(Value::Blob).boxed(),
        Shape::List(list) => {
            proptest::collection::vec(any_value(list.item, texts), 0..3).prop_map(Value::List).boxed()
        }
        Shape::Map(map) => {
            let keys = any_value(map.key, "[a-zA-Z0-9_.-]{1,9}")
                .prop_map(|key| key.as_text().expect("a text").to_owned());
            proptest::collection::btree_map(keys, any_value(map.value, texts), 0..3)
                .prop_map(Value::Map)
                .boxed()
        }
        Shape::Struct(structure) => any_struct(structure, texts).prop_map(Value::Struct).boxed(),
    }
}

pub fn any_struct(structure: &'static Structure, texts: &'static str) -> BoxedStrategy<Struct> {
    let members: Vec<_> = structure
        .members
        .iter()
        .map(|member| {
            let value = any_value(member.shape, texts);
            let value = if member.required {
                value.prop_map(Some).boxed()
            } else {
                proptest::option::of(value).boxed()
            };
            value.prop_map(move |value| Some((member.name, value?)))
        })
        .collect();
    members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

/// What a client puts into the form, parameter by parameter. Of what it writes nothing for (structs without
/// members; in EC2, empty lists), nothing comes back.
pub fn form(service: &Service, operation: &Operation, input: &Struct) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.append_pair("Action", operation.name).append_pair("Version", service.api_version);
    let mut pairs = Vec::new();
    flatten_struct(service.protocol, operation.input.expect("an input"), input, "", &mut pairs);
    out.extend_pairs(pairs).finish()
}

type Pairs = Vec<(String, String)>;

fn flatten_struct(protocol: Protocol, shape: &Structure, given: &Struct, prefix: &str, out: &mut Pairs) {
    for (name, value) in given.iter() {
        let member = shape.member(name).expect("a member of the shape");
        let dot = if prefix.is_empty() { "" } else { "." };
        flatten(protocol, member.shape, value, &format!("{prefix}{dot}{}", member.query_name), out);
    }
}

fn flatten(protocol: Protocol, shape: &Shape, value: &Value, prefix: &str, out: &mut Pairs) {
    let text = match (shape, value) {
        (Shape::Struct(shape), Value::Struct(given)) => {
            return flatten_struct(protocol, shape, given, prefix, out);
        }
        (Shape::List(list), Value::List(items)) => {
            if items.is_empty() && protocol == Protocol::Query {
                out.push((prefix.to_owned(), String::new()));
            }
            let wrapper = if protocol == Protocol::Query { ".member" } else { "" };
            for (number, item) in (1..).zip(items) {
                flatten(protocol, list.item, item, &format!("{prefix}{wrapper}.{number}"), out);
            }
            return;
        }
        (_, Value::Text(text)) => text.clone(),
        (_, Value::Int(number)) => number.to_string(),
        (_, Value::Bool(truth)) => truth.to_string(),
        other => panic!("no client sends {other:?}"),
    };
    out.push((prefix.to_owned(), text));
}

/// Without what no form can carry, wherever it is: structs without members, lists of nothing else, and in EC2 empty
/// lists.
pub fn as_form_carries(protocol: Protocol, given: &Struct) -> Struct {
    given.iter().filter_map(|(name, value)| Some((name, carried(protocol, value)?))).collect()
}

fn carried(protocol: Protocol, value: &Value) -> Option<Value> {
    match value {
        Value::List(items) if items.is_empty() => (protocol == Protocol::Query).then(|| value.clone()),
        Value::List(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| carried(protocol, item)).collect();
            (!items.is_empty()).then_some(Value::List(items))
        }
        Value::Struct(inner) => {
            let inner = as_form_carries(protocol, inner);
            (!inner.is_empty()).then_some(Value::Struct(inner))
        }
        other => Some(other.clone()),
    }
}

/// What a client makes of an answer in XML.
pub fn parse_answer(service: &Service, operation: &Operation, xml: &str) -> Struct {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error} in {xml}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), format!("{}Response", operation.name));
    let at = match operation.result_wrapper {
        Some(wrapper) => child(root, wrapper).expect("the result's element"),
        None => root,
    };
    assert!(matches!(service.protocol, Protocol::Ec2 | Protocol::Query));
    read_struct(operation.output.expect("an output"), at)
}

pub fn child<'a, 'i>(node: roxmltree::Node<'a, 'i>, name: &str) -> Option<roxmltree::Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn read_struct(shape: &'static Structure, node: roxmltree::Node) -> Struct {
    shape
        .members
        .iter()
        .filter_map(|member| Some((member.name, read(member.shape, child(node, member.location_name)?))))
        .collect()
}

fn read(shape: &'static Shape, node: roxmltree::Node) -> Value {
    let text: String = node.children().filter_map(|child| child.text()).collect();
    match shape {
        Shape::Struct(shape) => Value::Struct(read_struct(shape, node)),
        Shape::List(list) => {
            let name = list.item_name.unwrap_or("member");
            let items = node.children().filter(|child| child.tag_name().name() == name);
            Value::List(items.map(|item| read(list.item, item)).collect())
        }
        Shape::Text(_) => Value::Text(text),
        Shape::Int | Shape::Long => Value::Int(text.parse().expect("a number")),
        Shape::Float => Value::Float(text.parse().expect("a number")),
        Shape::Bool => Value::Bool(text.parse().expect("true or false")),
        // As text: what a time's text means is tested where it is written.
        Shape::Time => Value::Text(text),
        Shape::Blob => Value::Blob(BASE64.decode(text).expect("base64")),
        Shape::Map(_) => panic!("no answer in XML has a map"),
    }
}

/// A client's JSON, from a value of the shape.
pub fn to_json(shape: &Structure, given: &Struct) -> serde_json::Value {
    given
        .iter()
        .map(|(name, value)| {
            let member = shape.member(name).expect("a member of the shape");
            (member.location_name.to_owned(), value_to_json(member.shape, value))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn value_to_json(shape: &Shape, value: &Value) -> serde_json::Value {
    match (shape, value) {
        (Shape::Struct(shape), Value::Struct(given)) => to_json(shape, given),
        (Shape::List(list), Value::List(items)) => {
            items.iter().map(|item| value_to_json(list.item, item)).collect()
        }
        (Shape::Map(map), Value::Map(entries)) => {
            let entries: BTreeMap<_, _> =
                entries.iter().map(|(key, value)| (key, value_to_json(map.value, value))).collect();
            serde_json::to_value(entries).expect("JSON")
        }
        (_, Value::Text(text)) => text.as_str().into(),
        (_, Value::Int(number)) => (*number).into(),
        (_, Value::Float(number)) => (*number).into(),
        (_, Value::Bool(truth)) => (*truth).into(),
        (_, Value::Time(moment_ms)) => (*moment_ms as f64 / 1000.0).into(),
        (_, Value::Blob(bytes)) => BASE64.encode(bytes).into(),
        other => panic!("not of its shape: {other:?}"),
    }
}
