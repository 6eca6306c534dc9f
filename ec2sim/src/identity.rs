//! Who makes a call, as GetCallerIdentity and CloudTrail tell it.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::chance::mix;
use crate::ids::AccountId;
use crate::request::Caller;

/// The kind of a caller: CloudTrail's `userIdentity.type`. The account is the caller's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IdentityKind {
    Root,
    /// `IAMUser`. The path begins and ends with `/`.
    User {
        name: String,
        path: String,
    },
    /// `AssumedRole`: a session of a role. The path begins and ends with `/`; the session's own ARN lacks it.
    Role {
        name: String,
        path: String,
        session: String,
    },
    /// `AWSService`: AWS by itself, such as `vpc.amazonaws.com`. It has no ARN and no key.
    Service {
        name: String,
    },
}

/// What an audit record tells of a caller. It has no say in what is allowed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserIdentity {
    pub kind: IdentityKind,
    /// Empty: a record has an empty one.
    pub access_key_id: String,
    pub source_ip: String,
    pub user_agent: String,
    /// The session was opened with a second factor.
    pub mfa: bool,
    /// `sourceIdentity`, as set when the role was assumed.
    pub source_identity: Option<String>,
    /// When the session began, in milliseconds since 1970. Absent: a record shows its own time.
    pub session_began_ms: Option<i64>,
    /// The credentials came from a console session.
    pub from_console: bool,
}

impl UserIdentity {
    /// From an address reserved for documentation, with a key that follows from the names.
    pub fn new(kind: IdentityKind) -> Self {
        let (prefix, name, agent) = match &kind {
            IdentityKind::Root => ("ASIA", "root".to_owned(), "console.amazonaws.com"),
            IdentityKind::User { name, path } => ("AKIA", format!("{path}{name}"), name.as_str()),
            IdentityKind::Role { name, path, session } => {
                ("ASIA", format!("{path}{name}/{session}"), name.as_str())
            }
            IdentityKind::Service { name } => ("", String::new(), name.as_str()),
        };
        let access_key_id = if prefix.is_empty() { String::new() } else { unique_id(prefix, &name) };
        let service = matches!(kind, IdentityKind::Service { .. });
        Self {
            access_key_id,
            source_ip: if service { agent.to_owned() } else { "203.0.113.10".to_owned() },
            user_agent: agent.to_owned(),
            mfa: false,
            source_identity: None,
            session_began_ms: None,
            from_console: false,
            kind,
        }
    }

    pub fn root() -> Self {
        Self::new(IdentityKind::Root)
    }

    /// An IAM user without path.
    pub fn user(name: &str) -> Self {
        Self::new(IdentityKind::User { name: name.to_owned(), path: "/".to_owned() })
    }

    /// A session of a role without path.
    pub fn role(name: &str, session: &str) -> Self {
        Self::role_at("/", name, session)
    }

    /// A session of a role; the path begins and ends with `/`.
    pub fn role_at(path: &str, name: &str, session: &str) -> Self {
        let (name, path, session) = (name.to_owned(), path.to_owned(), session.to_owned());
        Self::new(IdentityKind::Role { name, path, session })
    }

    pub fn service(name: &str) -> Self {
        Self::new(IdentityKind::Service { name: name.to_owned() })
    }

    pub fn key(mut self, access_key_id: &str) -> Self {
        self.access_key_id = access_key_id.to_owned();
        self
    }

    pub fn seen_from(mut self, source_ip: &str, user_agent: &str) -> Self {
        (self.source_ip, self.user_agent) = (source_ip.to_owned(), user_agent.to_owned());
        self
    }

    pub fn with_mfa(mut self) -> Self {
        self.mfa = true;
        self
    }

    pub fn with_source_identity(mut self, name: &str) -> Self {
        self.source_identity = Some(name.to_owned());
        self
    }

    /// The name that counters and log know the caller by.
    pub fn principal(&self) -> &str {
        match &self.kind {
            IdentityKind::Root => "root",
            IdentityKind::User { name, .. }
            | IdentityKind::Role { name, .. }
            | IdentityKind::Service { name } => name,
        }
    }

    /// The name that CloudTrail's `Username` looks for: a role's session goes by its own.
    pub fn user_name(&self) -> &str {
        match &self.kind {
            IdentityKind::Role { session, .. } => session,
            _ => self.principal(),
        }
    }
}

impl Caller {
    /// A caller of whom more is known than a name.
    pub fn known_as(mut self, identity: UserIdentity) -> Self {
        self.principal = identity.principal().into();
        self.identity = Some(Arc::new(identity));
        self
    }

    /// What is known of the caller. One who was only named is a session of a role of that name.
    pub fn identity(&self) -> Arc<UserIdentity> {
        let named = || Arc::new(UserIdentity::role(&self.principal, "session"));
        self.identity.clone().unwrap_or_else(named)
    }

    /// `aws`, `aws-cn` or `aws-us-gov`: the second part of every ARN.
    pub fn partition(&self) -> &'static str {
        self.region.partition()
    }

    /// The ARN of who calls: of a role, its session's. A service has none.
    pub fn arn(&self) -> Option<String> {
        let (partition, account) = (self.partition(), &self.account);
        match &self.identity().kind {
            IdentityKind::Root => Some(format!("arn:{partition}:iam::{account}:root")),
            IdentityKind::User { name, path } => {
                Some(format!("arn:{partition}:iam::{account}:user{path}{name}"))
            }
            IdentityKind::Role { name, session, .. } => {
                Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
            }
            IdentityKind::Service { .. } => None,
        }
    }

    /// The ARN of the role that the session is of, with its path.
    pub fn role_arn(&self) -> Option<String> {
        match &self.identity().kind {
            IdentityKind::Role { name, path, .. } => {
                Some(format!("arn:{}:iam::{}:role{path}{name}", self.partition(), self.account))
            }
            _ => None,
        }
    }

    /// IAM's unique id of the caller: `AIDA...`, `AROA...:session`, or root's, the account itself.
    pub fn principal_id(&self) -> Option<String> {
        match &self.identity().kind {
            IdentityKind::Root => Some(self.account.to_string()),
            IdentityKind::User { name, path } => {
                Some(unique_id("AIDA", &format!("{}{path}{name}", self.account)))
            }
            IdentityKind::Role { name, path, session } => {
                Some(format!("{}:{session}", role_id(&self.account, path, name)))
            }
            IdentityKind::Service { .. } => None,
        }
    }
}

/// IAM's unique id of a role: it follows from account, path and name.
pub fn role_id(account: &AccountId, path: &str, name: &str) -> String {
    unique_id("AROA", &format!("{account}{path}{name}"))
}

/// Twenty characters, as IAM's ids have.
pub(crate) fn unique_id(prefix: &str, of: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut id = prefix.to_owned();
    let mut number = fingerprint(of);
    while id.len() < 20 {
        id.push(char::from(DIGITS[(number % 32) as usize]));
        number = mix(number);
    }
    id
}

/// FNV-1a, finished: the same on every machine and in every build.
pub(crate) fn fingerprint(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// A name in the form of a UUID, which follows from a number and what it numbers.
pub(crate) fn uuid(kind: &str, number: u64) -> String {
    let high = mix(fingerprint(kind) ^ number);
    let low = mix(high ^ mix(number));
    let mut text = String::with_capacity(36);
    // Version 4, variant 1, as a random one says of itself.
    let parts = [
        (high >> 32, 8),
        ((high >> 16) & 0xffff, 4),
        ((high & 0x0fff) | 0x4000, 4),
        (((low >> 48) & 0x3fff) | 0x8000, 4),
        (low & 0xffff_ffff_ffff, 12),
    ];
    for (number, width) in parts {
        if !text.is_empty() {
            text.push('-');
        }
        let _ = write!(text, "{number:0width$x}");
    }
    text
}
