//! Errors, in one table: from what the SDK says to what the engine must know, and to what a person should do.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use peerkeeper_core::aws_code::{Refusal, RefusalKind, classify};
use peerkeeper_core::ids::{AccountId, Region};
use peerkeeper_core::observed::Unseen;
use peerkeeper_core::write::{NotSent, Outcome};

/// What came of one call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    pub(super) fate: Fate,
    /// AWS's code, or what stands for one where there is none.
    pub code: Arc<str>,
    pub message: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// AWS said no. Nothing happened.
    Refused,
    /// It never left: no connection, or it could not even be built. Nothing happened.
    NotSent,
    /// It may have arrived, and no answer that can be trusted came back. Anything may have happened.
    Lost,
}

impl CallError {
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                Self::of_answer(answer.raw().status().as_u16(), answer.err().code(), answer.err().message())
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::lost("UnreadableAnswer", format!("HTTP {status}: {}", in_words(error)))
            }
            SdkError::TimeoutError(_) if never_connected(error) => Self::not_sent(error),
            SdkError::TimeoutError(_) => Self::lost("Timeout", "no answer in time".to_owned()),
            SdkError::ConstructionFailure(_) => Self::not_sent(error),
            _ if never_connected(error) => Self::not_sent(error),
            _ => Self::lost("ConnectionLost", in_words(error)),
        }
    }

    fn of_answer(status: u16, code: Option<&str>, message: Option<&str>) -> Self {
        let Some(code) = code else {
            return Self::lost("UnreadableAnswer", format!("HTTP {status} without an AWS error code"));
        };
        let message = message.unwrap_or("no message");
        // RequestLimitExceeded comes as a 503, and still nothing was done. Of any other 5xx that can't be said.
        let fate = match classify(code) {
            RefusalKind::Throttled => Fate::Refused,
            RefusalKind::Unavailable => Fate::Lost,
            _ if status >= 500 => Fate::Lost,
            _ => Fate::Refused,
        };
        Self { fate, code: code.into(), message: message.into() }
    }

    pub(super) fn lost(code: &str, message: String) -> Self {
        Self { fate: Fate::Lost, code: code.into(), message: message.into() }
    }

    fn not_sent(error: &(dyn Error + 'static)) -> Self {
        Self { fate: Fate::NotSent, code: "NotSent".into(), message: in_words(error).into() }
    }

    pub fn kind(&self) -> RefusalKind {
        match self.fate {
            Fate::Refused => classify(&self.code),
            Fate::NotSent | Fate::Lost => RefusalKind::Unavailable,
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self.fate {
            Fate::Refused => Outcome::Refused(Refusal { code: self.code, message: self.message }),
            Fate::NotSent => Outcome::NotSent(NotSent::Unreachable(self.message)),
            Fate::Lost => Outcome::Unknown(format!("{}: {}", self.code, self.message).into()),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for CallError {}

/// An error and what caused it, the innermost last, each thing once. What a debugger would show of it, as the SDK's own
/// `DisplayErrorContext` adds, says no more to those who read a condition or a terminal.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    let said = chain.map(ToString::to_string).fold(String::new(), |said, more| match said.as_str() {
        "" => more,
        // Many an error's text ends in its cause's.
        _ if said.ends_with(&more) => said,
        _ => format!("{said}: {more}"),
    });
    // In one line: it stands in conditions, list items and cells. The credential chain lists what it tried.
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    lines.join("; ").replace(":; ", ": ")
}

/// That no connection was made, so AWS can't have seen the request. Only what is sure counts: a connection that broke
/// later is no proof of anything.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    /// How the HTTP library names a failure of name resolution, of the connection or of the TLS handshake, a timeout of
    /// these included. Its type is not public through the SDK.
    const CONNECTING: &str = "client error (Connect)";
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.into_iter().any(|error| {
        let refused = error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| matches!(io.kind(), ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable));
        refused || error.to_string().starts_with(CONNECTING)
    })
}

/// Why nothing can be asked of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// No account of that name has been declared here.
    Unknown { name: Arc<str> },
    /// The credentials belong to another account than the one declared.
    WrongAccount { name: Arc<str>, declared: AccountId, found: Option<AccountId>, arn: Arc<str> },
    /// AWS refused AssumeRole or GetCallerIdentity.
    Refused { name: Arc<str>, call: &'static str, refusal: Refusal },
    /// No credentials could be had, or STS did not answer.
    Failed { name: Arc<str>, call: &'static str, why: Arc<str> },
}

impl IdentityError {
    pub(super) fn of(name: &Arc<str>, call: &'static str, error: CallError) -> Self {
        let name = name.clone();
        match error.fate {
            Fate::Refused => {
                Self::Refused { name, call, refusal: Refusal { code: error.code, message: error.message } }
            }
            Fate::NotSent | Fate::Lost => {
                Self::Failed { name, call, why: format!("{}: {}", error.code, error.message).into() }
            }
        }
    }

    /// AWS does not take these credentials, or not any more.
    pub(super) fn is_of_credentials(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.kind() == RefusalKind::Credentials)
    }

    /// Time alone may heal it, so credentials in hand that still work go on being used.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::WrongAccount { .. } => false,
            Self::Refused { refusal, .. } => {
                matches!(refusal.kind(), RefusalKind::Throttled | RefusalKind::Unavailable)
            }
            Self::Failed { .. } => true,
        }
    }

    /// The call that failed, for a message.
    pub fn call(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "none",
            Self::WrongAccount { .. } => "GetCallerIdentity",
            Self::Refused { call, .. } | Self::Failed { call, .. } => call,
        }
    }

    /// AWS's code where it gave one.
    pub fn code(&self) -> &str {
        match self {
            Self::Unknown { .. } => "NoSuchAccount",
            Self::WrongAccount { .. } => "WrongAccount",
            Self::Refused { refusal, .. } => &refusal.code,
            Self::Failed { .. } => "Failed",
        }
    }

    pub fn unseen(&self) -> Unseen {
        let call: Arc<str> = self.call().into();
        match self {
            Self::Unknown { .. } => Unseen::NotRead,
            Self::WrongAccount { found, .. } => Unseen::WrongAccount { found: *found },
            Self::Refused { refusal, .. } => unseen_of(refusal.kind(), call, &refusal.code, &refusal.message),
            Self::Failed { why, .. } => Unseen::Failed { call, why: why.clone() },
        }
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "there is no AwsAccount {name}"),
            Self::WrongAccount { name, declared, found, arn } => {
                let found = found.map_or("an unknown account".to_owned(), |id| format!("account {id}"));
                write!(
                    f,
                    "AwsAccount {name} declares account {declared}, but its credentials are {arn} in {found}; \
                     correct roleArn or accountId. Nothing is read or written there"
                )
            }
            Self::Refused { name, call, refusal } => {
                let next = match (*call, refusal.kind()) {
                    (_, RefusalKind::Throttled | RefusalKind::Unavailable) => "it is tried again by itself",
                    ("AssumeRole", _) => "check the role's trust policy, its external id, and that it exists",
                    _ => "check the operator's own credentials",
                };
                write!(f, "AwsAccount {name}: {call} was refused with {refusal}; {next}")
            }
            Self::Failed { name, call, why } => {
                write!(f, "AwsAccount {name}: {call} failed: {why}; check network and credentials")
            }
        }
    }
}

impl Error for IdentityError {}

/// Why a reading does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The AwsAccount's name.
    pub account: Arc<str>,
    pub region: Region,
    /// AWS's action.
    pub call: &'static str,
    pub code: Arc<str>,
    pub message: Arc<str>,
    pub kind: ReadErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadErrorKind {
    /// No such AwsAccount is known here.
    NoAccount,
    /// The credentials belong to another account.
    WrongAccount { found: Option<AccountId> },
    /// The role or its permissions are missing.
    Denied,
    /// AWS, or our own share of its rate, asks for patience.
    Throttled,
    /// AWS could not be reached, or failed.
    Failed,
    /// AWS answered something that this version can't understand.
    Unreadable,
    /// AWS refused the question itself.
    Refused,
}

impl ReadErrorKind {
    fn of(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::Denied | RefusalKind::Credentials => Self::Denied,
            RefusalKind::Throttled => Self::Throttled,
            RefusalKind::Unavailable => Self::Failed,
            RefusalKind::NotFound
            | RefusalKind::Moved
            | RefusalKind::PeeringExists
            | RefusalKind::Quota
            | RefusalKind::DnsUnsupported
            | RefusalKind::Invalid
            | RefusalKind::DryRun
            | RefusalKind::Unlisted => Self::Refused,
        }
    }

    fn next_step(self) -> &'static str {
        match self {
            Self::NoAccount => "create the AwsAccount, or name another",
            Self::WrongAccount { .. } => "correct roleArn or accountId of the AwsAccount",
            Self::Denied => {
                "allow the action to the AwsAccount's role, and check that no service control policy denies it \
                 and that the Region is enabled"
            }
            Self::Throttled => "it is tried again by itself; other tools use the account's rate too",
            Self::Failed => {
                "it is tried again by itself; if it lasts, check network, proxy and AWS's health page"
            }
            Self::Unreadable => "report it with this message: this version can't read what AWS shows there",
            Self::Refused => "report it with this message: AWS does not take this question",
        }
    }
}

impl ReadError {
    pub(super) fn of_identity(name: &Arc<str>, region: Region, error: &IdentityError) -> Self {
        let kind = match error {
            IdentityError::Unknown { .. } => ReadErrorKind::NoAccount,
            IdentityError::WrongAccount { found, .. } => ReadErrorKind::WrongAccount { found: *found },
            IdentityError::Refused { refusal, .. } => ReadErrorKind::of(refusal.kind()),
            IdentityError::Failed { .. } => ReadErrorKind::Failed,
        };
        let (code, message) = (error.code().into(), error.to_string().into());
        Self { account: name.clone(), region, call: error.call(), code, message, kind }
    }

    pub(super) fn kind_of(error: &CallError) -> ReadErrorKind {
        match &*error.code {
            "UnreadableAnswer" => ReadErrorKind::Unreadable,
            _ => ReadErrorKind::of(error.kind()),
        }
    }

    pub fn unseen(&self) -> Unseen {
        let (call, code) = (Arc::from(self.call), self.code.clone());
        match self.kind {
            ReadErrorKind::NoAccount => Unseen::NotRead,
            ReadErrorKind::WrongAccount { found } => Unseen::WrongAccount { found },
            ReadErrorKind::Denied | ReadErrorKind::Refused => Unseen::Denied { call, code },
            ReadErrorKind::Throttled => Unseen::Throttled,
            ReadErrorKind::Failed | ReadErrorKind::Unreadable => {
                Unseen::Failed { call, why: format!("{code}: {}", self.message).into() }
            }
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, call, code, message, kind } = self;
        let next = kind.next_step();
        write!(f, "AwsAccount {account} in {region}: {call} failed with {code}: {message}; {next}")
    }
}

impl Error for ReadError {}

fn unseen_of(kind: RefusalKind, call: Arc<str>, code: &Arc<str>, message: &str) -> Unseen {
    match ReadErrorKind::of(kind) {
        ReadErrorKind::Throttled => Unseen::Throttled,
        ReadErrorKind::Failed => Unseen::Failed { call, why: format!("{code}: {message}").into() },
        _ => Unseen::Denied { call, code: code.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> CallError {
        CallError::of_answer(status, Some(code), Some("why"))
    }

    #[test]
    fn throttling_is_a_refusal_although_it_comes_as_a_server_error() {
        let error = answer(503, "RequestLimitExceeded");
        assert_eq!(error.fate, Fate::Refused);
        assert_eq!(error.kind(), RefusalKind::Throttled);
    }

    #[test]
    fn of_a_server_error_nobody_knows_what_happened() {
        assert_eq!(answer(500, "InternalError").fate, Fate::Lost);
        assert_eq!(answer(503, "Unavailable").fate, Fate::Lost);
        assert_eq!(answer(500, "SomethingNew").fate, Fate::Lost);
        assert!(matches!(answer(500, "InternalError").outcome(), Outcome::Unknown(_)));
    }

    #[test]
    fn a_client_error_with_a_code_changed_nothing() {
        let error = answer(400, "RouteAlreadyExists");
        let expected = Refusal::new("RouteAlreadyExists", "why");
        assert_eq!(error.outcome(), Outcome::Refused(expected));
    }

    #[test]
    fn an_answer_without_a_code_is_no_answer() {
        assert_eq!(CallError::of_answer(400, None, None).fate, Fate::Lost);
    }

    #[test]
    fn a_read_error_names_account_region_call_code_and_the_next_step() {
        let error = ReadError {
            account: "prod".into(),
            region: "eu-west-1".parse().unwrap(),
            call: "DescribeVpcs",
            code: "UnauthorizedOperation".into(),
            message: "You are not authorized".into(),
            kind: ReadErrorKind::Denied,
        };
        let text = error.to_string();
        for part in ["prod", "eu-west-1", "DescribeVpcs", "UnauthorizedOperation", "allow the action"] {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }
}
