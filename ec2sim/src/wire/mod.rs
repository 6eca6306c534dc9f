//! Bytes in, bytes out: what AWS's own clients send and expect, for EC2, STS, SQS, CloudTrail, EventBridge and Service
//! Quotas.
//!
//! A request is read in two steps. First its bytes become a [`Struct`], by the input shape of its operation
//! ([`shapes`]): names are checked, numbers are numbers, and everything is called by the *member name* that AWS's
//! SDKs show. Then that struct becomes a [`crate::Request`]. Answers go the other way.
//!
//! Nothing here reads a clock, keeps state or panics: whatever the bytes are, the answer is a value or an error with
//! AWS's code.

mod call;
mod caller;
mod cloudtrail;
mod ec2;
mod encode;
mod errors;
mod events;
pub mod http;
pub mod json;
mod mapping;
mod moment;
mod path;
pub mod query;
mod quotas;
pub mod shapes;
mod sqs;
mod sts;
pub mod value;
pub mod xml;

pub use call::{Call, respond};
pub use encode::{EncodeError, Problem};
pub(crate) use events::parse_pattern;
pub use http::{HttpAnswer, HttpRequest, HttpResponse};
pub use mapping::served;
pub use shapes::{Operation, Service};
pub use value::{Struct, Value};
