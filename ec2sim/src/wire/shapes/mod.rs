//! What goes into each operation and what comes out of it: names and structure, as AWS's service models have them.
//!
//! The tables are written by `tools/ec2sim/shapes.py` (`make shapes`). They are `static`s made of references, so they
//! cost nothing at start: no text to read, no map to build, no way to be malformed, and a shape is a pointer. They
//! hold no logic to compile either; the compiler only lays them out.

#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod cloudtrail;
#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod ec2;
#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod events;
#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod quotas;
#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod sqs;
#[rustfmt::skip]
#[allow(non_upper_case_globals, reason = "shapes are called what the model calls them")]
mod sts;

pub static CLOUDTRAIL: &Service = &cloudtrail::SERVICE;
pub static EC2: &Service = &ec2::SERVICE;
/// EventBridge.
pub static EVENTS: &Service = &events::SERVICE;
pub static QUOTAS: &Service = &quotas::SERVICE;
pub static SQS: &Service = &sqs::SERVICE;
pub static STS: &Service = &sts::SERVICE;

/// All of them, by name.
pub static SERVICES: [&Service; 6] = [CLOUDTRAIL, EC2, EVENTS, QUOTAS, SQS, STS];

/// By the name in a credential scope: `ec2`, `sts`, `sqs`, `cloudtrail`, `events`, `servicequotas`.
pub fn service(name: &str) -> Option<&'static Service> {
    SERVICES.into_iter().find(|service| service.name == name)
}

/// How a service's requests and answers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Form parameters in, XML out; lists are flat (`Filter.1.Value.1`) and wrapped in no result element.
    Ec2,
    /// Form parameters in, XML out; list items are `.member.N`, answers are `<XResponse><XResult>`.
    Query,
    /// JSON both ways, the operation in `X-Amz-Target`; the version is part of the Content-Type.
    Json { version: &'static str },
}

#[derive(Debug)]
pub struct Service {
    /// As in a credential scope and in a host name: `ec2`, `sts`, `sqs`, `cloudtrail`, `events`, `servicequotas`.
    pub name: &'static str,
    pub protocol: Protocol,
    /// What `Version` must say in form parameters.
    pub api_version: &'static str,
    pub xml_namespace: Option<&'static str>,
    /// What stands before the operation's name in `X-Amz-Target`.
    pub target_prefix: Option<&'static str>,
    /// Sorted by name.
    pub operations: &'static [Operation],
    /// Those that the model declares for these operations, sorted by name. EC2 declares none: its clients go by the
    /// code alone.
    pub errors: &'static [ErrorShape],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(at)
    }

    pub fn error(&self, name: &str) -> Option<&'static ErrorShape> {
        self.errors.iter().find(|error| error.name == name)
    }
}

#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    pub input: Option<&'static Structure>,
    pub output: Option<&'static Structure>,
    /// The element around the members of the answer, where there is one (STS).
    pub result_wrapper: Option<&'static str>,
}

#[derive(Debug)]
pub struct ErrorShape {
    /// What SDKs call it, and what JSON clients know it by (`__type`).
    pub name: &'static str,
    /// What clients of form parameters know it by. SQS, which once spoke in them, still sends it to JSON clients as
    /// well, in `x-amzn-query-error`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
}

#[derive(Debug)]
pub enum Shape {
    /// With the values that it may have, sorted, if they are enumerated.
    Text(&'static [&'static str]),
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    Float,
    Bool,
    Time,
    Blob,
    List(&'static List),
    Map(&'static Map),
    Struct(&'static Structure),
}

#[derive(Debug)]
pub struct List {
    /// The item's name on the wire, where it has one of its own: `item`, or an older one.
    pub item_name: Option<&'static str>,
    pub item: &'static Shape,
}

#[derive(Debug)]
pub struct Map {
    pub key: &'static Shape,
    pub value: &'static Shape,
}

#[derive(Debug)]
pub struct Structure {
    pub name: &'static str,
    /// In the order of the model.
    pub members: &'static [Member],
}

impl Structure {
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

#[derive(Debug)]
pub struct Member {
    /// As SDKs show it, and as [`super::Struct`] is keyed.
    pub name: &'static str,
    /// In requests of the `Ec2` protocol, and in those of `Query`.
    pub query_name: &'static str,
    /// In answers, and in JSON both ways.
    pub location_name: &'static str,
    pub required: bool,
    pub shape: &'static Shape,
}

// What the tables are written in.

static TEXT: Shape = Shape::Text(&[]);
static INT: Shape = Shape::Int;
static LONG: Shape = Shape::Long;
static FLOAT: Shape = Shape::Float;
static BOOL: Shape = Shape::Bool;
static TIME: Shape = Shape::Time;
static BLOB: Shape = Shape::Blob;

const fn operation(
    name: &'static str,
    input: Option<&'static Structure>,
    output: Option<&'static Structure>,
    result_wrapper: Option<&'static str>,
) -> Operation {
    Operation { name, input, output, result_wrapper }
}

const fn error(name: &'static str, code: &'static str, status: u16) -> ErrorShape {
    ErrorShape { name, code, status }
}

const fn optional(
    name: &'static str,
    query_name: &'static str,
    location_name: &'static str,
    shape: &'static Shape,
) -> Member {
    Member { name, query_name, location_name, required: false, shape }
}

const fn required(
    name: &'static str,
    query_name: &'static str,
    location_name: &'static str,
    shape: &'static Shape,
) -> Member {
    Member { name, query_name, location_name, required: true, shape }
}
