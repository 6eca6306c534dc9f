//! AWS's JSON protocols 1.0 and 1.1, read and written by shape: SQS, CloudTrail, Service Quotas.
//!
//! AWS ignores members that it does not know. Here they are errors: a typo in a client must not pass a test.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use serde_json::{Map as Object, Number, Value as Json};

use super::encode::{EncodeError, Problem, check_number, check_text, each_member, kind};
use super::path::Path;
use super::shapes::{Operation, SERVICES, SQS, Service, Shape, Structure};
use super::value::{Struct, Value};
use crate::AwsError;

/// Which service and operation `X-Amz-Target` names: `AmazonSQS.SendMessage`. `None` if none that is served.
pub fn operation(target: &str) -> Option<(&'static Service, &'static Operation)> {
    let (prefix, name) = target.rsplit_once('.')?;
    let service = SERVICES.into_iter().find(|service| service.target_prefix == Some(prefix))?;
    Some((service, service.operation(name)?))
}

/// The operation's input. Every member in it is of the type that its shape says, and every required one is there;
/// enumerated texts are not looked at, because each operation refuses them with a code of its own.
pub fn decode(service: &Service, operation: &Operation, body: &[u8]) -> Result<Struct, AwsError> {
    let body: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let json: Json = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The request body is not valid JSON: {error}")))?;
    let Json::Object(members) = json else {
        return Err(malformed("The request body must be a JSON object"));
    };
    match operation.input {
        Some(shape) => read_struct(service, shape, members, &Path::Root),
        None if members.is_empty() => Ok(Struct::new()),
        None => Err(malformed(format!("{} takes no members", operation.name))),
    }
}

fn read_struct(
    service: &Service,
    shape: &'static Structure,
    members: Object<String, Json>,
    path: &Path,
) -> Result<Struct, AwsError> {
    let mut made = Struct::new();
    for (name, json) in members {
        let path = Path::Name(path, &name);
        let Some(member) = shape.members.iter().find(|member| member.location_name == name) else {
            return Err(malformed(format!("{path} is not recognized")));
        };
        if !json.is_null() {
            made.set(member.name, read(service, member.shape, json, &path)?);
        }
    }
    match shape.members.iter().find(|member| member.required && !made.has(member.name)) {
        Some(member) => Err(missing(service, &Path::Name(path, member.location_name))),
        None => Ok(made),
    }
}

fn read(service: &Service, shape: &'static Shape, json: Json, path: &Path) -> Result<Value, AwsError> {
    let wrong = || malformed(format!("{path} is not {}", kind(shape)));
    match (shape, json) {
        (Shape::Struct(shape), Json::Object(members)) => {
            read_struct(service, shape, members, path).map(Value::Struct)
        }
        (Shape::List(shape), Json::Array(items)) => (1..)
            .zip(items)
            .map(|(number, item)| read(service, shape.item, item, &Path::Item(path, number)))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Shape::Map(shape), Json::Object(entries)) => entries
            .into_iter()
            .map(|(key, json)| {
                let value = read(service, shape.value, json, &Path::Name(path, &key))?;
                Ok((key, value))
            })
            .collect::<Result<_, _>>()
            .map(Value::Map),
        (Shape::Text(_), Json::String(text)) => Ok(Value::Text(text)),
        (Shape::Bool, Json::Bool(truth)) => Ok(Value::Bool(truth)),
        (Shape::Blob, Json::String(text)) => BASE64.decode(text).map(Value::Blob).map_err(|_| wrong()),
        (Shape::Int | Shape::Long | Shape::Float | Shape::Time, Json::Number(number)) => {
            read_number(shape, &number).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn read_number(shape: &Shape, number: &Number) -> Option<Value> {
    match shape {
        Shape::Int => i32::try_from(number.as_i64()?).ok().map(Value::from),
        Shape::Long => number.as_i64().map(Value::Int),
        Shape::Float => number.as_f64().map(Value::Float),
        Shape::Time => {
            let millis = (number.as_f64()? * 1000.0).round();
            // Far inside i64, and far outside any date: the cast is exact.
            (millis.abs() < 1e15).then_some(Value::Time(millis as i64))
        }
        _ => None,
    }
}

/// What SQS calls this, and what the other services do.
fn missing(service: &Service, path: &Path) -> AwsError {
    if service.name == SQS.name {
        let message = format!("The request must contain the parameter {path}.");
        return AwsError::new("MissingParameter", message);
    }
    AwsError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::new("SerializationException", message)
}

/// The answer's body: an object, or nothing for an operation without output, whose `output` must be empty.
pub fn encode(operation: &Operation, output: &Struct) -> Result<Vec<u8>, EncodeError> {
    let path = Path::Name(&Path::Root, operation.name);
    let Some(shape) = operation.output else {
        return match output.iter().next() {
            Some((name, _)) => Err(EncodeError::new(&Path::Name(&path, name), Problem::UnknownMember)),
            None => Ok(Vec::new()),
        };
    };
    // Values print as JSON without fail.
    Ok(write_struct(shape, output, &path)?.to_string().into_bytes())
}

fn write_struct(shape: &Structure, given: &Struct, path: &Path) -> Result<Json, EncodeError> {
    let mut members = Object::new();
    each_member(shape, given, path, |member, value, path| {
        members.insert(member.location_name.to_owned(), write(member.shape, value, path)?);
        Ok(())
    })?;
    Ok(Json::Object(members))
}

fn write(shape: &Shape, value: &Value, path: &Path) -> Result<Json, EncodeError> {
    check_number(shape, value, path)?;
    Ok(match (shape, value) {
        (Shape::Struct(shape), Value::Struct(given)) => write_struct(shape, given, path)?,
        (Shape::List(shape), Value::List(items)) => (1..)
            .zip(items)
            .map(|(number, item)| write(shape.item, item, &Path::Item(path, number)))
            .collect::<Result<_, _>>()
            .map(Json::Array)?,
        (Shape::Map(shape), Value::Map(entries)) => entries
            .iter()
            .map(|(key, value)| {
                let path = Path::Name(path, key);
                if let Shape::Text(allowed) = shape.key {
                    check_text(allowed, key, &path)?;
                }
                Ok((key.clone(), write(shape.value, value, &path)?))
            })
            .collect::<Result<_, _>>()
            .map(Json::Object)?,
        (Shape::Text(allowed), Value::Text(text)) => {
            check_text(allowed, text, path)?;
            Json::from(text.as_str())
        }
        (Shape::Int | Shape::Long, Value::Int(number)) => Json::from(*number),
        (Shape::Float, Value::Float(number)) => Json::from(*number),
        (Shape::Bool, Value::Bool(truth)) => Json::from(*truth),
        // Seconds since 1970, with a fraction only where there is one.
        (Shape::Time, Value::Time(moment_ms)) if moment_ms % 1000 == 0 => Json::from(moment_ms / 1000),
        (Shape::Time, Value::Time(moment_ms)) => Json::from(*moment_ms as f64 / 1000.0),
        (Shape::Blob, Value::Blob(bytes)) => Json::from(BASE64.encode(bytes)),
        (shape, _) => return Err(EncodeError::new(path, Problem::NotA(kind(shape)))),
    })
}

/// As SQS sends it in `MD5OfMessageBody`, and its clients check it.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(Md5::digest(bytes).as_slice())
}

/// `MD5OfMessageAttributes` of a message's attributes, each a struct with `DataType` and `StringValue` or
/// `BinaryValue`. `None` if there are none: then SQS sends no digest either.
///
/// Over the attributes by name: the name, the data type, one byte for the kind of value (1 text, 2 binary), the
/// value; all but that byte with its length in four bytes, big-endian, before it.
pub fn md5_of_attributes(attributes: &BTreeMap<String, Value>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    let mut counted = |bytes: &[u8], kind: Option<u8>| {
        if let Some(kind) = kind {
            digest.update([kind]);
        }
        digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(bytes);
    };
    for (name, attribute) in attributes {
        let attribute = attribute.as_struct()?;
        counted(name.as_bytes(), None);
        counted(attribute.text("DataType").unwrap_or_default().as_bytes(), None);
        match attribute.blob("BinaryValue") {
            Some(bytes) => counted(bytes, Some(2)),
            None => counted(attribute.text("StringValue").unwrap_or_default().as_bytes(), Some(1)),
        }
    }
    Some(hex(digest.finalize().as_slice()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}
