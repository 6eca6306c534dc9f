//! Roles and who may assume them, and the sessions that come of it.
//!
//! Codes and limits: the STS API reference (AssumeRole, AssumeRoleWithWebIdentity), and the IAM guide on trust
//! policies, external ids and role chaining. A session's keys follow from its number alone: nothing here is secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{State, World};
use crate::chance::mix;
use crate::error::AwsError;
use crate::identity::{IdentityKind, UserIdentity, role_id, unique_id};
use crate::ids::{AccountId, Region};
use crate::request::{AssumeRole, Caller, WebIdentity};
use crate::view::{Response, SessionView};

const HOUR_S: u32 = 3_600;
/// The least that may be asked for.
const SHORTEST_S: u32 = 900;
/// How long after its end a session is still known to have been one; then its key is as good as never given.
const REMEMBERED_MS: u64 = 24 * 3_600_000;

/// Who a role trusts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Who {
    Anyone,
    /// Everybody in it.
    Account(AccountId),
    /// One role, with its path, one user, or one session.
    Arn(String),
    /// Who comes with a token of this issuer that says `sub`: `system:serviceaccount:NAMESPACE:NAME`.
    WebIdentity {
        issuer: String,
        subject: String,
    },
}

/// One statement of a trust policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Trust {
    pub who: Who,
    /// `sts:ExternalId`: absent, whatever is said or not.
    pub external_id: Option<String>,
}

impl Trust {
    pub fn of(who: Who) -> Self {
        Self { who, external_id: None }
    }

    /// Only with this external id.
    pub fn if_told(mut self, external_id: &str) -> Self {
        self.external_id = Some(external_id.to_owned());
        self
    }

    fn holds(&self, caller: &Caller, told: Option<&str>) -> bool {
        let is_them = match &self.who {
            Who::Anyone => true,
            Who::Account(account) => caller.account == *account,
            Who::Arn(arn) => [caller.arn(), caller.role_arn()].iter().flatten().any(|own| own == arn),
            Who::WebIdentity { .. } => false,
        };
        is_them && self.external_id.as_deref().is_none_or(|wanted| told == Some(wanted))
    }

    fn holds_for(&self, token: &WebIdentity) -> bool {
        matches!(&self.who, Who::WebIdentity { issuer, subject }
            if *issuer == token.issuer && *subject == token.subject)
    }
}

/// A declared role. Nobody whom it does not trust may assume it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Role {
    pub trusts: Vec<Trust>,
    /// The longest session, in seconds: 3,600 to 43,200.
    pub max_session_s: u32,
}

impl Role {
    /// Sessions of at most an hour, as for a role that IAM made without being told otherwise.
    pub fn trusting(trusts: impl IntoIterator<Item = Trust>) -> Self {
        Self { trusts: trusts.into_iter().collect(), max_session_s: HOUR_S }
    }

    /// One that exists and that nobody may assume.
    pub fn closed() -> Self {
        Self::trusting([])
    }
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sts {
    roles: Arc<BTreeMap<String, Role>>,
    sessions: Arc<BTreeMap<String, Session>>,
    issued: u64,
    /// Roles that nobody declared don't exist.
    strict: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Session {
    account: AccountId,
    identity: Arc<UserIdentity>,
    token: String,
    expires_ms: u64,
}

impl Sts {
    /// Counts from this moment on.
    pub(crate) fn start_at(&mut self, now_ms: u64) {
        if self.sessions.is_empty() {
            return;
        }
        Arc::make_mut(&mut self.sessions).retain(|_, session| {
            session.expires_ms = session.expires_ms.saturating_sub(now_ms);
            session.expires_ms > 0
        });
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, taken apart.
struct RoleArn<'a> {
    partition: &'a str,
    account: AccountId,
    /// Begins and ends with `/`.
    path: String,
    name: &'a str,
}

impl<'a> RoleArn<'a> {
    fn parse(arn: &'a str) -> Result<Self, AwsError> {
        let wrong = || AwsError::new("ValidationError", format!("{arn} is invalid"));
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (head, partition, service, region, account) = (part(), part(), part(), part(), part());
        let rest = part().strip_prefix("role").filter(|rest| rest.starts_with('/')).ok_or_else(wrong)?;
        let (path, name) = rest.rsplit_once('/').ok_or_else(wrong)?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let known = head == "arn" && partition.starts_with("aws") && service == "iam" && region.is_empty();
        let is_name = (1..=64).contains(&name.len()) && name.chars().all(is_name_char);
        if !(known && is_account && is_name) {
            return Err(wrong());
        }
        Ok(Self { partition, account: account.into(), path: format!("{path}/"), name })
    }
}

/// What names of roles and sessions may hold.
fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

fn check_name(name: &str, of: &str) -> Result<(), AwsError> {
    if (2..=64).contains(&name.len()) && name.chars().all(is_name_char) {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{name}' at '{of}' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: [\\w+=,.@-]{{2,64}}"
    );
    Err(AwsError::new("ValidationError", message))
}

fn check_external_id(id: Option<&str>) -> Result<(), AwsError> {
    let Some(id) = id else { return Ok(()) };
    if (2..=1_224).contains(&id.len()) && id.chars().all(|c| is_name_char(c) || ":/".contains(c)) {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{id}' at 'externalId' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: [\\w+=,.@:\\/-]{{2,1224}}"
    );
    Err(AwsError::new("ValidationError", message))
}

/// How long the session lasts, in seconds.
fn duration(asked_s: Option<u32>, max_s: u32, chained: bool) -> Result<u32, AwsError> {
    let wrong = |message: &str| Err(AwsError::new("ValidationError", message));
    match asked_s {
        None => Ok(HOUR_S),
        Some(asked_s) if asked_s < SHORTEST_S => wrong(&format!(
            "1 validation error detected: Value '{asked_s}' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value greater than or equal to {SHORTEST_S}"
        )),
        Some(asked_s) if chained && asked_s > HOUR_S => wrong(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ),
        Some(asked_s) if asked_s > max_s => {
            wrong("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        }
        Some(asked_s) => Ok(asked_s),
    }
}

fn denied(caller: &Caller, role_arn: &str) -> AwsError {
    let user = caller.arn().unwrap_or_else(|| caller.principal.as_ref().to_owned());
    let message =
        format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
    AwsError::new("AccessDenied", message)
}

impl State {
    pub(crate) fn assume_role(
        &mut self,
        caller: &Caller,
        request: &AssumeRole,
    ) -> Result<Response, AwsError> {
        let arn = RoleArn::parse(&request.role_arn)?;
        check_name(&request.session_name, "roleSessionName")?;
        check_external_id(request.external_id.as_deref())?;
        request.source_identity.as_deref().map_or(Ok(()), |name| check_name(name, "sourceIdentity"))?;
        let told = request.external_id.as_deref();
        let refusal = || denied(caller, &request.role_arn);
        // Accounts of one partition alone know each other.
        if arn.partition != caller.partition() {
            return Err(refusal());
        }
        let max_s =
            self.trusting(&request.role_arn, |trust| trust.holds(caller, told)).ok_or_else(refusal)?;
        let is_session = |identity: &Arc<UserIdentity>| matches!(identity.kind, IdentityKind::Role { .. });
        let chained = caller.identity.as_ref().is_some_and(is_session);
        let lasts_s = duration(request.duration_s, max_s, chained)?;
        let handed_on = caller.identity.as_ref().and_then(|identity| identity.source_identity.clone());
        let source = match (handed_on, request.source_identity.clone()) {
            // Once set, it stays what it is.
            (Some(was), Some(asked)) if was != asked => return Err(refusal()),
            (was, asked) => was.or(asked),
        };
        Ok(Response::Session(self.issue(&arn, &request.session_name, lasts_s, source)))
    }

    pub(crate) fn assume_role_with_web_identity(
        &mut self,
        role_arn: &str,
        session_name: &str,
        token: &WebIdentity,
        duration_s: Option<u32>,
    ) -> Result<Response, AwsError> {
        let arn = RoleArn::parse(role_arn)?;
        check_name(session_name, "roleSessionName")?;
        if token.expires_at.is_some_and(|at_ms| at_ms <= self.wall_at(self.now_ms)) {
            let message = "Token expired: current date/time must be before the expiration date/time";
            return Err(AwsError::new("ExpiredTokenException", message));
        }
        let refusal =
            || AwsError::new("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        let max_s = self.trusting(role_arn, |trust| trust.holds_for(token)).ok_or_else(refusal)?;
        let lasts_s = duration(duration_s, max_s, false)?;
        Ok(Response::Session(self.issue(&arn, session_name, lasts_s, None)))
    }

    /// The longest session of a role that trusts so; `None`: it does not, or does not exist, which AWS does not
    /// tell apart.
    fn trusting(&self, role_arn: &str, holds: impl Fn(&Trust) -> bool) -> Option<u32> {
        match self.sts.roles.get(role_arn) {
            Some(role) => role.trusts.iter().any(holds).then_some(role.max_session_s),
            None => (!self.sts.strict).then_some(12 * HOUR_S),
        }
    }

    fn issue(
        &mut self,
        role: &RoleArn<'_>,
        session_name: &str,
        lasts_s: u32,
        source_identity: Option<String>,
    ) -> SessionView {
        let now_ms = self.now_ms;
        self.sts.issued += 1;
        let number = self.sts.issued;
        let access_key_id = unique_id("ASIA", &format!("session {number}"));
        let token = format!("{:016x}{:016x}", mix(number), mix(mix(number)));
        let expires_ms = now_ms.saturating_add(u64::from(lasts_s) * 1_000);
        let mut identity = UserIdentity::role_at(&role.path, role.name, session_name).key(&access_key_id);
        identity.session_began_ms = Some(self.wall_at(now_ms));
        identity.source_identity = source_identity.clone();
        let session = Session {
            account: role.account.clone(),
            identity: Arc::new(identity),
            token: token.clone(),
            expires_ms,
        };
        let sessions = Arc::make_mut(&mut self.sts.sessions);
        sessions.retain(|_, session| session.expires_ms.saturating_add(REMEMBERED_MS) > now_ms);
        sessions.insert(access_key_id.clone(), session);
        let (partition, account, name) = (role.partition, &role.account, role.name);
        SessionView {
            secret_access_key: format!("{:020x}{:020x}", mix(!number), mix(!mix(number))),
            session_token: token,
            expires_at: self.wall_at(expires_ms),
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            role_id: format!("{}:{session_name}", role_id(account, &role.path, name)),
            access_key_id,
            source_identity,
        }
    }
}

impl World {
    /// Declares a role, or changes it: from now on it trusts whom it says. Sessions that were given live on.
    pub fn set_role(&mut self, role_arn: &str, role: Role) {
        Arc::make_mut(&mut self.state.sts.roles).insert(role_arn.to_owned(), role);
    }

    /// As if nobody had ever declared it.
    pub fn forget_role(&mut self, role_arn: &str) {
        Arc::make_mut(&mut self.state.sts.roles).remove(role_arn);
    }

    /// Whether roles that nobody declared may be assumed by anybody (they may, unless this was said), or by nobody.
    pub fn set_strict_roles(&mut self, strict: bool) {
        self.state.sts.strict = strict;
    }

    /// Who calls with a session's key and token, in a Region. `None`: no session ever had this key, or it ended
    /// more than a day ago. Errors, in EC2's words: the session has ended, the token is another's or missing.
    pub fn session(
        &self,
        access_key_id: &str,
        token: Option<&str>,
        region: impl Into<Region>,
    ) -> Option<Result<Caller, AwsError>> {
        let session = self.state.sts.sessions.get(access_key_id)?;
        if token != Some(session.token.as_str()) {
            let message = "AWS was not able to validate the provided access credentials";
            return Some(Err(AwsError::new("AuthFailure", message)));
        }
        if session.expires_ms <= self.state.now_ms {
            return Some(Err(AwsError::new("RequestExpired", "Request has expired.")));
        }
        let identity = UserIdentity::clone(&session.identity);
        Some(Ok(Caller::new(&session.account, region).known_as(identity)))
    }

    /// Every session ends now, as when its role's sessions are revoked.
    pub fn end_sessions(&mut self) {
        let now_ms = self.state.now_ms;
        for session in Arc::make_mut(&mut self.state.sts.sessions).values_mut() {
            session.expires_ms = session.expires_ms.min(now_ms);
        }
    }
}
