//! What can be wrong with an answer before it is sent. Always a mistake in ec2sim itself, so a test that meets one
//! must fail; a client gets an internal error.

use std::fmt;

use super::path::Path;
use super::shapes::{Member, Shape, Structure};
use super::value::{Struct, Value};

/// An answer that its shape does not allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodeError {
    /// From the operation down: `DescribeVpcs.Vpcs.3.CidrBlock`.
    pub at: String,
    pub problem: Problem,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The shape has no such member.
    UnknownMember,
    /// The shape says that the member is always there.
    MissingMember,
    /// The value is not of this type.
    NotA(&'static str),
    /// The text is none of the enumerated ones.
    NotEnumerated(String),
    /// The number does not fit.
    OutOfRange(String),
    /// This protocol can't write it.
    NotInThisProtocol,
}

impl EncodeError {
    pub(crate) fn new(at: &Path, problem: Problem) -> Self {
        Self { at: at.to_string(), problem }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer can't be sent: {} ", self.at)?;
        match &self.problem {
            Problem::UnknownMember => f.write_str("is no member of its shape"),
            Problem::MissingMember => f.write_str("is missing, and its shape requires it"),
            Problem::NotA(what) => write!(f, "is not {what}, as its shape says"),
            Problem::NotEnumerated(text) => write!(f, "is \"{text}\", which its shape does not enumerate"),
            Problem::OutOfRange(number) => write!(f, "is {number}, which does not fit its shape"),
            Problem::NotInThisProtocol => f.write_str("can't be written in this protocol"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Hands each member that is there to `write`, in the order of the shape. A member that the shape lacks, or one that
/// it requires and that is not there, is an error.
pub(crate) fn each_member(
    shape: &Structure,
    given: &Struct,
    path: &Path,
    mut write: impl FnMut(&Member, &Value, &Path) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut found = 0;
    for member in shape.members {
        let path = Path::Name(path, member.name);
        if let Some(value) = given.get(member.name) {
            found += 1;
            write(member, value, &path)?;
        } else if member.required {
            return Err(EncodeError::new(&path, Problem::MissingMember));
        }
    }
    if found == given.len() {
        return Ok(());
    }
    match given.iter().find(|(name, _)| shape.member(name).is_none()) {
        Some((name, _)) => Err(EncodeError::new(&Path::Name(path, name), Problem::UnknownMember)),
        None => Ok(()),
    }
}

/// Refuses a text that is not among the enumerated ones.
pub(crate) fn check_text(allowed: &[&str], text: &str, path: &Path) -> Result<(), EncodeError> {
    if allowed.is_empty() || allowed.contains(&text) {
        return Ok(());
    }
    Err(EncodeError::new(path, Problem::NotEnumerated(text.to_owned())))
}

/// Refuses a number that does not fit 32 bits where the shape has no more, or that no text can show.
pub(crate) fn check_number(shape: &Shape, value: &Value, path: &Path) -> Result<(), EncodeError> {
    let fits = match (shape, value) {
        (Shape::Int, Value::Int(number)) => i32::try_from(*number).is_ok(),
        (_, Value::Float(number)) => number.is_finite(),
        _ => true,
    };
    if fits { Ok(()) } else { Err(EncodeError::new(path, Problem::OutOfRange(format!("{value:?}")))) }
}

/// What a value of this shape is called in an error.
pub(crate) fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) => "a text",
        Shape::Int | Shape::Long => "an integer",
        Shape::Float => "a float",
        Shape::Bool => "a boolean",
        Shape::Time => "a time",
        Shape::Blob => "a blob",
        Shape::List(_) => "a list",
        Shape::Map(_) => "a map",
        Shape::Struct(_) => "a struct",
    }
}
