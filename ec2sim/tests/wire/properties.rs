//! Whatever may be said can be said and is understood; whatever may not be said breaks nothing.

use ec2sim::wire::query::{self, Params};
use ec2sim::wire::shapes::{Operation, Protocol, Service, Shape, Structure};
use ec2sim::wire::{Struct, Value, json, xml};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::kit::{any_struct, as_form_carries, form, operations, parse_answer, to_json};

/// Texts that every layer must escape, and some that none need.
const TEXTS: &str = "[ -~\t\nüλ漢😀&<>\"'%+=;.\r]{0,8}";

type Call = (&'static Service, &'static Operation);

fn speaks_json(call: &Call) -> bool {
    matches!(call.0.protocol, Protocol::Json { .. })
}

/// Runs a check on arbitrary values of this shape, so that every operation is seen whatever the number of cases.
fn for_any(shape: &'static Structure, check: impl Fn(Struct) -> Result<(), TestCaseError>) {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() });
    runner.run(&any_struct(shape, TEXTS), check).unwrap_or_else(|error| panic!("{}: {error}", shape.name));
}

#[test]
fn every_input_in_a_form_is_read_as_it_was_meant() {
    for (service, operation) in operations().into_iter().filter(|call| !speaks_json(call)) {
        let Some(shape) = operation.input else { continue };
        for_any(shape, |input| {
            let form = form(service, operation, &input);
            let params = Params::parse(form.as_bytes());
            prop_assert_eq!(query::operation(service, &params).map(|o| o.name), Ok(operation.name));
            let carried = as_form_carries(service.protocol, &input);
            // A struct that says nothing can't be sent, so what it was required for is missing.
            match query::decode(service, operation, &params) {
                Ok(read) => prop_assert_eq!(read, carried),
                Err(error) => {
                    prop_assert!(error.code == "MissingParameter" && lacks(shape, &carried), "{}", error);
                }
            }
            Ok(())
        });
    }
}

/// Whether something that the shape requires is not there.
fn lacks(shape: &Structure, given: &Struct) -> bool {
    shape.members.iter().any(|member| match (given.get(member.name), member.shape) {
        (None, _) => member.required,
        (Some(Value::Struct(inner)), Shape::Struct(shape)) => lacks(shape, inner),
        (Some(Value::List(items)), Shape::List(list)) => match list.item {
            Shape::Struct(shape) => {
                items.iter().filter_map(Value::as_struct).any(|inner| lacks(shape, inner))
            }
            _ => false,
        },
        _ => false,
    })
}

#[test]
fn every_output_in_xml_is_read_as_it_was_meant() {
    for (service, operation) in operations().into_iter().filter(|call| !speaks_json(call)) {
        let Some(shape) = operation.output else { continue };
        for_any(shape, |output| {
            let xml = xml::encode(service, operation, &output, "r")
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(parse_answer(service, operation, &xml), shown(service.protocol, &output));
            Ok(())
        });
    }
}

/// With times as texts, as `parse_answer` leaves them.
fn shown(protocol: Protocol, given: &Struct) -> Struct {
    given.iter().map(|(name, value)| (name, shown_value(protocol, value))).collect()
}

fn shown_value(protocol: Protocol, value: &Value) -> Value {
    match value {
        Value::Time(moment_ms) => {
            let (seconds, millis) = (moment_ms / 1000, moment_ms % 1000);
            let (day, second) = (seconds / 86_400, seconds % 86_400);
            let (mut year, mut day) = (1970, day);
            let days =
                |year: i64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
            while day >= days(year) {
                day -= days(year);
                year += 1;
            }
            let mut month = 0;
            let lengths = [31, days(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            while day >= lengths[month] {
                day -= lengths[month];
                month += 1;
            }
            let (month, day) = (month + 1, day + 1);
            let fraction = match protocol {
                Protocol::Query if millis == 0 => String::new(),
                _ => format!(".{millis:03}"),
            };
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z").into()
        }
        Value::Struct(inner) => shown(protocol, inner).into(),
        Value::List(items) => Value::List(items.iter().map(|item| shown_value(protocol, item)).collect()),
        other => other.clone(),
    }
}

#[test]
fn every_input_in_json_is_read_as_it_was_meant() {
    for (service, operation) in operations().into_iter().filter(speaks_json) {
        let Some(shape) = operation.input else { continue };
        for_any(shape, |input| {
            let body = to_json(shape, &input).to_string();
            prop_assert_eq!(json::decode(service, operation, body.as_bytes()), Ok(input));
            Ok(())
        });
    }
}

#[test]
fn every_output_in_json_is_read_as_it_was_meant() {
    for (_, operation) in operations().into_iter().filter(speaks_json) {
        let Some(shape) = operation.output else { continue };
        for_any(shape, |output| {
            let body =
                json::encode(operation, &output).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let read: serde_json::Value =
                serde_json::from_slice(&body).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(float(read), float(to_json(shape, &output)));
            Ok(())
        });
    }
}

/// 5 and 5.0 are one number in JSON.
fn float(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match json {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(items) => items.into_iter().map(float).collect(),
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, float(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

/// Parts of parameter names that mean something somewhere, and some that mean nothing.
fn any_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "Filter|Name|Value|Tag|TagSpecification|VpcId|IpPermissions|Groups|Entry|member|Tags|Key|DryRun",
        "MaxResults|RouteTableId|EnableDnsSupport|ResourceId|Action|Version",
        "[0-9]{1,12}",
        ".{0,3}",
    ];
    proptest::collection::vec(part, 1..6).prop_map(|parts| parts.join("."))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_as_a_form_are_read_or_refused(form: Vec<u8>, at in 0..1000usize) {
        let calls = operations();
        let (service, operation) = calls[at % calls.len()];
        let params = Params::parse(&form);
        let _ = query::operation(service, &params);
        let _ = query::decode(service, operation, &params);
    }

    #[test]
    fn any_parameters_are_read_or_refused(
        pairs in proptest::collection::vec((any_name(), ".{0,6}|true|5"), 0..6),
        at in 0..1000usize,
    ) {
        let calls = operations();
        let (service, operation) = calls[at % calls.len()];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if let Ok(read) = query::decode(service, operation, &Params::parse(form.as_bytes())) {
            prop_assert!(operation.input.is_some() || read.is_empty());
        }
    }

    #[test]
    fn any_bytes_as_json_are_read_or_refused(body: Vec<u8>, text in ".{0,40}", at in 0..1000usize) {
        let calls = operations();
        let (service, operation) = calls[at % calls.len()];
        let _ = json::operation(&text);
        let _ = json::decode(service, operation, &body);
        let _ = json::decode(service, operation, text.as_bytes());
    }

    #[test]
    fn any_json_is_read_or_refused(
        names in proptest::collection::vec("QueueUrl|MessageBody|MessageAttributes|Attributes|Entries|.{0,4}", 0..4),
        values in proptest::collection::vec(
            "\\{\\}|\\[\\]|\\[\\{\\}\\]|null|true|-?[0-9]{1,30}|1e999|\"x\"|\\{\"a\":\\{\"DataType\":\"x\"\\}\\}",
            4,
        ),
        at in 0..1000usize,
    ) {
        let members: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("{name:?}:{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        let calls: Vec<_> = operations().into_iter().filter(speaks_json).collect();
        let (service, operation) = calls[at % calls.len()];
        if let Ok(read) = json::decode(service, operation, body.as_bytes()) {
            prop_assert!(read.len() <= names.len());
        }
    }

    /// Whatever a tag holds, a strict parser reads the answer, and nothing but the forbidden is changed.
    #[test]
    fn any_text_in_xml_is_read(text in any::<Vec<char>>()) {
        let text: String = text.into_iter().collect();
        let (service, operation) = crate::kit::operation("ec2", "DescribeTags");
        let tag = Struct::new().with("Value", text.as_str());
        let output = Struct::new().with("Tags", Value::list([tag]));
        let xml = xml::encode(service, operation, &output, "r")
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read = parse_answer(service, operation, &xml);
        let read = read.structs("Tags").next().and_then(|tag| tag.text("Value")).expect("the tag");
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        let expected: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
        prop_assert_eq!(read, expected);
    }
}
