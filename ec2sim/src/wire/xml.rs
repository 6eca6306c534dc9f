//! Answers of EC2 and STS, written by shape.
//!
//! An absent member is no element, an empty list is an empty element: clients tell them apart. Operations without an
//! output shape answer `<return>true</return>`.
//!
//! XML 1.0 has no way to write most control characters, not even as a reference, yet a tag's value may hold one. The
//! parsers of botocore and of the Go SDK refuse the whole answer if they meet it, raw or as a reference, so it is
//! written as U+FFFD, which every SDK reads. A carriage return is written as a reference, or parsers would make it a
//! line feed.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::encode::{EncodeError, Problem, check_number, check_text, each_member, kind};
use super::moment;
use super::path::Path;
use super::shapes::{List, Operation, Protocol, Service, Shape, Structure};
use super::value::{Struct, Value};

pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The answer's body. For an operation without output, `output` must be empty.
pub fn encode(
    service: &Service,
    operation: &Operation,
    output: &Struct,
    request_id: &str,
) -> Result<String, EncodeError> {
    let mut writer = Writer { out: String::with_capacity(1024), protocol: service.protocol };
    let path = Path::Name(&Path::Root, operation.name);
    writer.out.push_str(DECLARATION);
    let root = format!("{}Response", operation.name);
    let namespace = service.xml_namespace.unwrap_or_default().trim_end_matches('/');
    let _ = writeln!(writer.out, "<{root} xmlns=\"{namespace}/\">");
    match service.protocol {
        Protocol::Ec2 => writer.ec2(operation, output, request_id, &path)?,
        Protocol::Query => writer.query(operation, output, request_id, &path)?,
        Protocol::Json { .. } => return Err(EncodeError::new(&path, Problem::NotInThisProtocol)),
    }
    writer.close(&root);
    Ok(writer.out)
}

/// Text between tags, with everything in it that XML can't hold, or would take for its own, replaced.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    let mut written = 0;
    for (at, char) in text.char_indices() {
        let replacement = match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\r' => "&#xD;",
            '\t' | '\n' => continue,
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(replacement);
        written = at + char.len_utf8();
    }
    out.push_str(&text[written..]);
}

struct Writer {
    out: String,
    protocol: Protocol,
}

impl Writer {
    fn ec2(
        &mut self,
        operation: &Operation,
        output: &Struct,
        request_id: &str,
        path: &Path,
    ) -> Result<(), EncodeError> {
        self.leaf("requestId", request_id);
        match operation.output {
            Some(shape) => self.members(shape, output, path),
            None => {
                nothing(output, path)?;
                self.leaf("return", "true");
                Ok(())
            }
        }
    }

    fn query(
        &mut self,
        operation: &Operation,
        output: &Struct,
        request_id: &str,
        path: &Path,
    ) -> Result<(), EncodeError> {
        match (operation.output, operation.result_wrapper) {
            (Some(shape), Some(wrapper)) => {
                self.open(wrapper);
                self.members(shape, output, path)?;
                self.close(wrapper);
            }
            (Some(shape), None) => self.members(shape, output, path)?,
            (None, _) => nothing(output, path)?,
        }
        self.open("ResponseMetadata");
        self.leaf("RequestId", request_id);
        self.close("ResponseMetadata");
        Ok(())
    }

    fn members(&mut self, shape: &Structure, given: &Struct, path: &Path) -> Result<(), EncodeError> {
        each_member(shape, given, path, |member, value, path| {
            self.open(member.location_name);
            self.value(member.shape, value, path)?;
            self.close(member.location_name);
            Ok(())
        })
    }

    fn value(&mut self, shape: &Shape, value: &Value, path: &Path) -> Result<(), EncodeError> {
        check_number(shape, value, path)?;
        match (shape, value) {
            (Shape::Struct(shape), Value::Struct(given)) => return self.members(shape, given, path),
            (Shape::List(shape), Value::List(items)) => return self.items(shape, items, path),
            (Shape::Map(_), Value::Map(_)) => {
                return Err(EncodeError::new(path, Problem::NotInThisProtocol));
            }
            (Shape::Text(allowed), Value::Text(text)) => {
                check_text(allowed, text, path)?;
                push_escaped(&mut self.out, text);
            }
            (Shape::Int | Shape::Long, Value::Int(number)) => {
                let _ = write!(self.out, "{number}");
            }
            (Shape::Float, Value::Float(number)) => {
                let _ = write!(self.out, "{number:?}");
            }
            (Shape::Bool, Value::Bool(truth)) => self.out.push_str(if *truth { "true" } else { "false" }),
            (Shape::Time, Value::Time(moment_ms)) => {
                moment::write_iso(&mut self.out, *moment_ms, self.protocol == Protocol::Ec2);
            }
            (Shape::Blob, Value::Blob(bytes)) => BASE64.encode_string(bytes, &mut self.out),
            (shape, _) => return Err(EncodeError::new(path, Problem::NotA(kind(shape)))),
        }
        Ok(())
    }

    fn items(&mut self, shape: &List, items: &[Value], path: &Path) -> Result<(), EncodeError> {
        let name = shape.item_name.unwrap_or("member");
        for (number, item) in (1..).zip(items) {
            self.open(name);
            self.value(shape.item, item, &Path::Item(path, number))?;
            self.close(name);
        }
        Ok(())
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        push_escaped(&mut self.out, text);
        self.close(name);
    }

    // Names come from the tables, where each is one that XML allows.
    fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

fn nothing(output: &Struct, path: &Path) -> Result<(), EncodeError> {
    match output.iter().next() {
        Some((name, _)) => Err(EncodeError::new(&Path::Name(path, name), Problem::UnknownMember)),
        None => Ok(()),
    }
}
