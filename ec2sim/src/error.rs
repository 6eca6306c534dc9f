//! How a call can fail: with AWS's own code and text, or without any answer at all.

use std::fmt;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AwsError {
    pub code: &'static str,
    pub message: String,
}

impl AwsError {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The HTTP status that AWS sends with this code.
    pub fn http_status(&self) -> u16 {
        http_status(self.code)
    }
}

/// The HTTP status that AWS sends with a code: EC2's and STS's codes alone, other services' models say it.
pub(crate) fn http_status(code: &str) -> u16 {
    match code {
        "InternalError" | "InternalFailure" => 500,
        "RequestLimitExceeded" | "ServiceUnavailable" | "Unavailable" => 503,
        "AuthFailure" => 401,
        "AccessDenied"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation" => 403,
        "DryRunOperation" => 412,
        _ => 400,
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for AwsError {}

/// What a caller learns of a call that did not succeed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// AWS answered, and refused. Nothing was changed, except by [`crate::Fault::InternalAfterEffect`].
    Aws(AwsError),
    /// No answer came. The caller can't know whether the call took effect; the mutation log does.
    NoReply,
}

impl Failure {
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Aws(error) => Some(error.code),
            Self::NoReply => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(error) => error.fmt(f),
            Self::NoReply => f.write_str("no reply: the call may or may not have taken effect"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

/// The texts that several calls share.
pub(crate) mod texts {
    use super::AwsError;
    use crate::ids::{PeeringId, VpcId};

    pub(crate) fn not_found(code: &'static str, kind: &str, id: &str) -> AwsError {
        AwsError::new(code, format!("The {kind} ID '{id}' does not exist"))
    }

    pub(crate) fn malformed(code: &'static str, id: &str, prefix: &str) -> AwsError {
        AwsError::new(code, format!("Invalid id: \"{id}\" (expecting \"{prefix}...\")"))
    }

    pub(crate) fn no_vpc(id: &str) -> AwsError {
        not_found("InvalidVpcID.NotFound", "vpc", id)
    }

    pub(crate) fn no_peering(id: &str) -> AwsError {
        not_found("InvalidVpcPeeringConnectionID.NotFound", "vpcPeeringConnection", id)
    }

    pub(crate) fn no_table(id: &str) -> AwsError {
        not_found("InvalidRouteTableID.NotFound", "routeTable", id)
    }

    pub(crate) fn no_prefix_list(id: &str) -> AwsError {
        not_found("InvalidPrefixListID.NotFound", "prefix list", id)
    }

    pub(crate) fn bad_value(message: impl Into<String>) -> AwsError {
        AwsError::new("InvalidParameterValue", message)
    }

    pub(crate) fn missing(parameter: &str) -> AwsError {
        AwsError::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    pub(crate) fn not_permitted(message: impl Into<String>) -> AwsError {
        AwsError::new("OperationNotPermitted", message)
    }

    pub(crate) fn transition(id: &PeeringId, from: &str, to: &str) -> AwsError {
        AwsError::new(
            "InvalidStateTransition",
            format!("Invalid state transition for {id}, attempted to transition from {from} to {to}"),
        )
    }

    pub(crate) fn vpc_in_use(id: &VpcId) -> AwsError {
        AwsError::new(
            "DependencyViolation",
            format!("The vpc '{id}' has dependencies and cannot be deleted."),
        )
    }

    pub(crate) fn unauthorized() -> AwsError {
        AwsError::new("UnauthorizedOperation", "You are not authorized to perform this operation.")
    }
}
