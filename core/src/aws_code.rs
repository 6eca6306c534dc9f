//! Every error code that AWS answers with here, and what it means to us. One table; nothing else in the house looks at
//! the text of a code.

use std::fmt;
use std::sync::Arc;

/// AWS said no to a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refusal {
    pub code: Arc<str>,
    pub message: Arc<str>,
}

impl Refusal {
    pub fn new(code: impl Into<Arc<str>>, message: impl Into<Arc<str>>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    pub fn kind(&self) -> RefusalKind {
        classify(&self.code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// How a refusal is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// The thing is not there. No proof of absence: a read right after a write may say so too.
    NotFound,
    /// The world is not as we read it: observe again, never try another call instead.
    Moved,
    /// There is a live peering between the VPCs already: ours is a twin.
    PeeringExists,
    /// A quota is reached.
    Quota,
    /// The credentials may not do this.
    Denied,
    /// The credentials have expired or are not valid.
    Credentials,
    Throttled,
    /// AWS failed. For a write, the effect may have happened all the same.
    Unavailable,
    /// DNS options need DNS hostnames and DNS support in the VPC.
    DnsUnsupported,
    /// The call itself is wrong; trying again changes nothing.
    Invalid,
    /// A dry run that would have succeeded.
    DryRun,
    /// Not in the table.
    Unlisted,
}

use RefusalKind::{
    Credentials, Denied, DnsUnsupported, DryRun, Invalid, Moved, NotFound, PeeringExists, Quota, Throttled,
    Unavailable,
};

/// AWS writes some codes with `ID` where others (and other implementations) write `Id`; codes are compared without case.
const TABLE: &[(&str, RefusalKind)] = &[
    ("InvalidVpcPeeringConnectionID.NotFound", NotFound),
    ("InvalidVpcPeeringConnectionId.Malformed", Invalid),
    ("InvalidStateTransition", Moved),
    ("VpcPeeringConnectionAlreadyExists", PeeringExists),
    ("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", DnsUnsupported),
    ("OperationNotPermitted", Moved),
    ("ActiveVpcPeeringConnectionPerVpcLimitExceeded", Quota),
    ("VpcPeeringConnectionsPerVpcLimitExceeded", Quota),
    ("OutstandingVpcPeeringConnectionLimitExceeded", Quota),
    ("PendingVpcPeeringConnectionLimitExceeded", Quota),
    ("InvalidVpcID.NotFound", NotFound),
    ("InvalidVpcID.Malformed", Invalid),
    ("InvalidVpcRange", Invalid),
    ("RouteAlreadyExists", Moved),
    ("RouteLimitExceeded", Quota),
    ("ResourceCountLimitExceeded", Quota),
    ("ResourceLimitExceeded", Quota),
    ("InvalidRoute.NotFound", Moved),
    ("InvalidRoute.Malformed", Invalid),
    ("InvalidRoute.InvalidState", Moved),
    ("InvalidRouteTableID.NotFound", NotFound),
    ("InvalidRouteTableId.Malformed", Invalid),
    ("RouteTableLimitExceeded", Quota),
    ("InvalidPrefixListID.NotFound", NotFound),
    ("InvalidPrefixListId.Malformed", Invalid),
    ("InvalidGroup.NotFound", NotFound),
    ("InvalidGroupId.Malformed", Invalid),
    // A rule that is to be revoked and is not there: somebody was there first.
    ("InvalidPermission.NotFound", Moved),
    ("InvalidSecurityGroupRuleId.NotFound", Moved),
    ("InvalidSecurityGroupRuleId.Malformed", Invalid),
    ("DependencyViolation", Moved),
    ("IncorrectState", Moved),
    // "There is no route defined for ..." comes as this: somebody was there first.
    ("InvalidParameterValue", Moved),
    ("InvalidParameter", Invalid),
    ("InvalidParameterCombination", Invalid),
    ("MissingParameter", Invalid),
    ("UnknownParameter", Invalid),
    ("InvalidAction", Invalid),
    ("UnsupportedOperation", Invalid),
    ("Unsupported", Invalid),
    ("ValidationError", Invalid),
    ("InvalidNextToken", Moved),
    ("InvalidID", Invalid),
    ("TagLimitExceeded", Quota),
    ("ConcurrentTagAccess", Throttled),
    ("UnauthorizedOperation", Denied),
    ("AccessDenied", Denied),
    ("AccessDeniedException", Denied),
    ("OptInRequired", Denied),
    ("Blocked", Denied),
    ("PendingVerification", Denied),
    ("AuthFailure", Credentials),
    ("ExpiredToken", Credentials),
    ("ExpiredTokenException", Credentials),
    ("RequestExpired", Credentials),
    ("InvalidClientTokenId", Credentials),
    ("UnrecognizedClientException", Credentials),
    ("SignatureDoesNotMatch", Credentials),
    ("IncompleteSignature", Credentials),
    ("MissingAuthenticationToken", Credentials),
    ("IDPCommunicationError", Unavailable),
    ("InvalidIdentityToken", Credentials),
    ("RegionDisabledException", Denied),
    ("RequestLimitExceeded", Throttled),
    ("Throttling", Throttled),
    ("ThrottlingException", Throttled),
    ("TooManyRequestsException", Throttled),
    ("EC2ThrottledException", Throttled),
    ("Unavailable", Unavailable),
    ("ServiceUnavailable", Unavailable),
    ("InternalError", Unavailable),
    ("InternalFailure", Unavailable),
    ("InternalServerError", Unavailable),
    ("DryRunOperation", DryRun),
];

/// What a code means. CloudTrail and some paths put `Client.` or `Server.` in front.
pub fn classify(code: &str) -> RefusalKind {
    let bare = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    let found = TABLE.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(bare));
    found.map_or(RefusalKind::Unlisted, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_missing_peering_mean_the_same() {
        assert_eq!(classify("InvalidVpcPeeringConnectionID.NotFound"), NotFound);
        assert_eq!(classify("InvalidVpcPeeringConnectionId.NotFound"), NotFound);
    }

    #[test]
    fn prefixes_of_cloudtrail_are_dropped() {
        assert_eq!(classify("Client.UnauthorizedOperation"), Denied);
        assert_eq!(classify("Server.InternalError"), Unavailable);
    }

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<String> = TABLE.iter().map(|(code, _)| code.to_ascii_lowercase()).collect();
        codes.sort();
        let before = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }

    #[test]
    fn an_unknown_code_is_said_to_be_unknown() {
        assert_eq!(classify("SomethingNew"), RefusalKind::Unlisted);
    }
}
