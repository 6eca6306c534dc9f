//! What goes into each operation and what comes out of it: names and structure, as AWS's service models have them.
//!
//! The tables are `static`s made of references, so they cost nothing at start: no text to read, no map to build, no
//! way to be malformed. They hold no logic to compile either; the compiler only lays them out.

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
    /// As in a credential scope and in a host name: `ec2`, `sts`, `sqs`, `cloudtrail`, `servicequotas`.
    pub name: &'static str,
    pub protocol: Protocol,
    /// What `Version` must say in form parameters.
    pub api_version: &'static str,
    pub xml_namespace: Option<&'static str>,
    /// What stands before the operation's name in `X-Amz-Target`.
    pub target_prefix: Option<&'static str>,
    /// Sorted by name.
    pub operations: &'static [Operation],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(at)
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
