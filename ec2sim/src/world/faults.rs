//! What happens to a call on its way to EC2 and back.

use super::{State, World};
use crate::chance::Fault;
use crate::error::{AwsError, Failure, texts};
use crate::ids::{AccountId, Region};
use crate::request::{Action, Caller};
use crate::service::Service;

impl State {
    /// The failure of a call that never took effect.
    pub(crate) fn stopped(&self, caller: &Caller, action: Action, fault: Option<Fault>) -> Option<Failure> {
        let refused = |code, message: &str| Some(Failure::Aws(AwsError::new(code, message)));
        if let Some(failure) = fault.and_then(|fault| in_words_of(action.service(), fault)) {
            return Some(failure);
        }
        match fault {
            Some(Fault::Throttled) => return refused("RequestLimitExceeded", "Request limit exceeded."),
            Some(Fault::Internal) => return refused("InternalError", INTERNAL),
            Some(Fault::Unavailable) => {
                return refused("Unavailable", "The server is overloaded and can't handle the request.");
            }
            Some(Fault::ResetBeforeEffect) => return Some(Failure::NoReply),
            Some(Fault::Denied) => return Some(texts::unauthorized().into()),
            Some(Fault::Expired) => return refused("RequestExpired", "Request has expired."),
            Some(Fault::InternalAfterEffect | Fault::TimeoutAfterEffect) | None => {}
        }
        let key = (caller.account.clone(), caller.region.clone(), action);
        if !self.denied.contains(&key) {
            return None;
        }
        let elsewhere = in_words_of(action.service(), Fault::Denied);
        Some(elsewhere.unwrap_or_else(|| texts::unauthorized().into()))
    }
}

/// Other services have other codes than EC2 for the same troubles.
fn in_words_of(service: Service, fault: Fault) -> Option<Failure> {
    const BUSY: &str = "Service is unavailable. Please try again later.";
    const ENDED: &str = "The security token included in the request is expired";
    let (code, message) = match (service, fault) {
        (Service::Ec2, _) => return None,
        (Service::Sts, Fault::Throttled) => ("Throttling", "Rate exceeded"),
        (Service::Sqs, Fault::Throttled) => ("RequestThrottled", "Request is throttled."),
        (Service::CloudTrail | Service::EventBridge, Fault::Throttled) => {
            ("ThrottlingException", "Rate exceeded")
        }
        (Service::ServiceQuotas, Fault::Throttled) => ("TooManyRequestsException", "Rate exceeded"),
        (Service::Sts | Service::Sqs, Fault::Denied) => ("AccessDenied", "Access denied"),
        (_, Fault::Denied) => ("AccessDeniedException", "Access denied"),
        (Service::Sts | Service::Sqs, Fault::Expired) => ("ExpiredToken", ENDED),
        (_, Fault::Expired) => ("ExpiredTokenException", ENDED),
        (Service::Sts, Fault::Internal) => return None,
        (_, Fault::Internal) => ("InternalFailure", INTERNAL),
        (_, Fault::Unavailable) => ("ServiceUnavailable", BUSY),
        _ => return None,
    };
    Some(AwsError::new(code, message).into())
}

const INTERNAL: &str = "An internal error has occurred";

/// What the caller hears instead of the answer to a call that did reach EC2.
pub(crate) fn after(service: Service, fault: Fault) -> Option<Failure> {
    match fault {
        Fault::TimeoutAfterEffect => Some(Failure::NoReply),
        Fault::InternalAfterEffect if !matches!(service, Service::Ec2 | Service::Sts) => {
            Some(AwsError::new("InternalFailure", INTERNAL).into())
        }
        Fault::InternalAfterEffect => Some(AwsError::new("InternalError", INTERNAL).into()),
        _ => None,
    }
}

impl World {
    /// Everybody in this account gets UnauthorizedOperation for this call in this Region.
    pub fn deny(&mut self, account: impl Into<AccountId>, region: impl Into<Region>, action: Action) {
        std::sync::Arc::make_mut(&mut self.state.denied).insert((account.into(), region.into(), action));
    }

    pub fn allow(&mut self, account: impl Into<AccountId>, region: impl Into<Region>, action: Action) {
        std::sync::Arc::make_mut(&mut self.state.denied).remove(&(account.into(), region.into(), action));
    }
}
