//! Whose credentials a call goes out with. One [`Account`] per AwsAccount: its role is assumed, and who answers to its
//! credentials is compared with the account declared, before anything else is asked in its name.
//!
//! **Architecture Invariant:** EC2 clients hold no credentials of their own. They are served from a [`Vault`], and only
//! credentials whose GetCallerIdentity gave the declared account ever get in there.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_ec2::config::{IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use peerkeeper_core::ids::{AccountId, AccountRegion, Region};
use peerkeeper_core::misuse::SESSION;
use peerkeeper_core::time::Mono;

use super::clock;
use super::errors::{CallError, IdentityError, in_words};
use super::meter::{CallKey, CallResult, Meter};
use super::rehearse::OnlyDryRuns;
use super::whole::WholeAnswers;

/// What an AwsAccount says about how to get in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountConfig {
    pub name: Arc<str>,
    pub uid: Arc<str>,
    pub generation: i64,
    pub account_id: AccountId,
    /// Absent: the operator's own credentials.
    pub role_arn: Option<Arc<str>>,
    pub external_id: Option<Arc<str>>,
}

/// Who AWS says we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub arn: Arc<str>,
}

/// A role's session lasts an hour at most when assumed from another role, so that is what is asked for.
const SESSION_S: i32 = 3600;
/// Credentials are renewed this long before they expire, so that no call starts with ones that won't outlast it.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// How often the identity is asked again although nothing has changed.
const VERIFY_EVERY: Duration = Duration::from_secs(900);
/// After a failure, how long the same answer is given without asking again: every object of an account asks.
const FAILURE_HOLDS: Duration = Duration::from_secs(10);
/// Credentials that expire sooner than this are not used any more.
const LEAST_LIFE: Duration = Duration::from_secs(30);
/// How long the default chain may take: it may call an agent on the node, or STS.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// What all accounts share: the SDK's configuration and the operator's own credentials.
pub(super) struct Session {
    sdk: SdkConfig,
    own: OwnCredentials,
    session_name: String,
    timeout: Duration,
    connect_timeout: Duration,
    pub meter: Arc<Meter>,
}

impl Session {
    pub fn new(
        sdk: SdkConfig,
        provider: SharedCredentialsProvider,
        owner_id: &str,
        timeout: Duration,
        connect_timeout: Duration,
        meter: Arc<Meter>,
    ) -> Self {
        let own = OwnCredentials { provider, cached: tokio::sync::Mutex::new(None) };
        Self { sdk, own, session_name: session_name(owner_id), timeout, connect_timeout, meter }
    }

    /// STS in the operator's own Region, else in the main one of the role's partition. Always a Regional endpoint: the
    /// session tokens of those are good in every Region.
    fn sts(&self, account: &AccountConfig, credentials: Credentials) -> (aws_sdk_sts::Client, Region) {
        let own = self.sdk.region().and_then(|region| region.as_ref().parse().ok());
        let region = own.unwrap_or_else(|| main_region(account.role_arn.as_deref()));
        let conf = aws_sdk_sts::config::Builder::from(&self.sdk)
            .region(aws_sdk_sts::config::Region::new(region.to_string()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(self.connect_timeout, self.timeout))
            .build();
        (aws_sdk_sts::Client::from_conf(conf), region)
    }

    /// What a client of any other service is made from: these credentials, one deadline, no retries.
    pub(super) fn sdk_for(
        &self,
        region: Region,
        timeout: Duration,
        credentials: SharedCredentialsProvider,
    ) -> SdkConfig {
        let builder = self.sdk.clone().into_builder();
        builder
            .region(aws_config::Region::new(region.to_string()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(self.connect_timeout, timeout))
            .build()
    }

    /// The operator's own credentials, whosever they are.
    pub(super) fn own_key(self: &Arc<Self>) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(OwnKey(self.clone()))
    }

    pub(super) async fn distrust_own(&self) {
        self.own.forget().await;
    }

    /// Sends one call, counts it and logs it. With AWS's id of the request where it gave one.
    pub(super) async fn call<O, E>(
        &self,
        at: AccountRegion,
        action: &'static str,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> (Result<O, CallError>, Option<Arc<str>>)
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let started = tokio::time::Instant::now();
        let answer = send.await;
        let request_id = match &answer {
            Ok(good) => good.request_id(),
            Err(error) => error.request_id(),
        };
        let request_id: Option<Arc<str>> = request_id.map(Arc::from);
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let result = answer.map_err(|error| CallError::of(&error));
        let kind = result.as_ref().map_or_else(CallResult::of, |_| CallResult::Success);
        self.meter.count(CallKey { account: at.account, region: Some(at.region), action, result: kind });
        let (account, region) = (at.account, at.region);
        let shown = request_id.as_deref().unwrap_or_default();
        match &result {
            Ok(_) => {
                tracing::trace!(action, %account, %region, request_id = shown, elapsed_ms, "AWS answered")
            }
            Err(error) => tracing::debug!(
                action, %account, %region, request_id = shown, elapsed_ms, code = %error.code,
                message = %error.message, "AWS call failed"
            ),
        }
        (result, request_id)
    }

    /// An EC2 client that sends only what the vault hands out.
    fn ec2(
        &self,
        purpose: Purpose,
        region: Region,
        timeout: Duration,
        vault: Arc<Vault>,
    ) -> aws_sdk_ec2::Client {
        let conf = aws_sdk_ec2::config::Builder::from(&self.sdk)
            .region(aws_sdk_ec2::config::Region::new(region.to_string()))
            .credentials_provider(VaultKey(vault))
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(self.connect_timeout, timeout))
            .interceptor(WholeAnswers);
        let conf = if purpose == Purpose::Rehearse { conf.interceptor(OnlyDryRuns) } else { conf };
        aws_sdk_ec2::Client::from_conf(conf.build())
    }

    /// Service Quotas, in the place that the quota is for.
    fn quotas(&self, region: Region, timeout: Duration, vault: Arc<Vault>) -> aws_sdk_servicequotas::Client {
        let conf = aws_sdk_servicequotas::config::Builder::from(&self.sdk)
            .region(aws_sdk_servicequotas::config::Region::new(region.to_string()))
            .credentials_provider(VaultKey(vault))
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(self.connect_timeout, timeout))
            .build();
        aws_sdk_servicequotas::Client::from_conf(conf)
    }
}

fn timeouts(connect: Duration, whole: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(connect).operation_timeout(whole).build()
}

/// What AWS takes as a session name: shown in the account's CloudTrail, so it says which installation it was.
fn session_name(owner_id: &str) -> String {
    const LONGEST: usize = 64;
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c);
    let owner: String = owner_id.chars().filter(allowed).collect();
    let mut name = if owner.is_empty() { SESSION.to_owned() } else { format!("{SESSION}-{owner}") };
    name.truncate(LONGEST);
    name
}

/// Where a partition's STS is found when nothing says which Region we run in.
fn main_region(role_arn: Option<&str>) -> Region {
    let partition = role_arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    let name = match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-eusc" => "eusc-de-east-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-iso-e" => "eu-isoe-west-1",
        "aws-iso-f" => "us-isof-south-1",
        _ => "us-east-1",
    };
    match name.parse() {
        Ok(region) => region,
        Err(error) => unreachable!("a Region written here: {error}"),
    }
}

/// The operator's own credentials, by the default chain: environment, profile, web identity (IRSA), container (Pod
/// Identity), instance.
struct OwnCredentials {
    provider: SharedCredentialsProvider,
    cached: tokio::sync::Mutex<Option<Credentials>>,
}

impl OwnCredentials {
    async fn get(&self, name: &Arc<str>) -> Result<Credentials, IdentityError> {
        const CALL: &str = "the default credential chain";
        let failed = |why: String| IdentityError::Failed { name: name.clone(), call: CALL, why: why.into() };
        let mut cached = self.cached.lock().await;
        if let Some(credentials) = cached.as_ref().filter(|credentials| life(credentials) > RENEW_BEFORE) {
            return Ok(credentials.clone());
        }
        let found = tokio::time::timeout(CHAIN_TIMEOUT, self.provider.provide_credentials())
            .await
            .map_err(|_| failed(format!("no answer in {} s", CHAIN_TIMEOUT.as_secs())))?
            .map_err(|error| failed(in_words(&error)))?;
        *cached = Some(found.clone());
        Ok(found)
    }

    async fn forget(&self) {
        *self.cached.lock().await = None;
    }
}

/// How long credentials will still be good. For ever, where they don't say.
fn life(credentials: &Credentials) -> Duration {
    let left = |expiry: SystemTime| expiry.duration_since(SystemTime::now()).unwrap_or_default();
    credentials.expiry().map_or(Duration::MAX, left)
}

/// Credentials that were proved to be the declared account's, and nothing else.
#[derive(Debug, Default)]
struct Vault {
    held: RwLock<Option<Verified>>,
}

#[derive(Clone, Debug)]
struct Verified {
    credentials: Credentials,
    caller: Caller,
    /// When they are to be looked at again.
    until: Mono,
}

impl Vault {
    fn get(&self) -> Option<Verified> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, verified: Option<Verified>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = verified;
    }
}

/// What an EC2 client asks for credentials.
#[derive(Debug)]
struct VaultKey(Arc<Vault>);

impl ProvideCredentials for VaultKey {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let none = || CredentialsError::not_loaded("no verified credentials for this AwsAccount");
        future::ProvideCredentials::ready(self.0.get().map(|held| held.credentials).ok_or_else(none))
    }
}

/// What a client without an AwsAccount asks for credentials.
struct OwnKey(Arc<Session>);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKey")
    }
}

impl ProvideCredentials for OwnKey {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let own = self.0.own.get(&"the operator".into()).await;
            own.map_err(CredentialsError::provider_error)
        })
    }
}

/// Reads and writes have their own clients, with their own timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    Read,
    Write,
    /// Sends dry runs and nothing else.
    Rehearse,
}

/// One AwsAccount as it was declared: another uid or generation is another account.
pub(super) struct Account {
    pub config: AccountConfig,
    session: Arc<Session>,
    vault: Arc<Vault>,
    /// Held while credentials are being renewed; remembers the last failure.
    renewing: tokio::sync::Mutex<Renewing>,
    clients: Mutex<BTreeMap<(Purpose, Region), aws_sdk_ec2::Client>>,
}

#[derive(Default)]
struct Renewing {
    assumed: Option<Credentials>,
    failed: Option<(Mono, IdentityError)>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Account {
    pub fn new(config: AccountConfig, session: Arc<Session>) -> Self {
        Self {
            config,
            session,
            vault: Arc::default(),
            renewing: tokio::sync::Mutex::default(),
            clients: Mutex::default(),
        }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.config.name
    }

    pub fn at(&self, region: Region) -> AccountRegion {
        AccountRegion { account: self.config.account_id, region }
    }

    pub fn client(&self, purpose: Purpose, region: Region, timeout: Duration) -> aws_sdk_ec2::Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || self.session.ec2(purpose, region, timeout, self.vault.clone());
        clients.entry((purpose, region)).or_insert_with(make).clone()
    }

    pub fn quotas_client(&self, region: Region, timeout: Duration) -> aws_sdk_servicequotas::Client {
        self.session.quotas(region, timeout, self.vault.clone())
    }

    /// Makes sure that the credentials in the vault are good and the declared account's. Nothing may be sent in its name
    /// before this said so.
    pub async fn ready(&self) -> Result<Caller, IdentityError> {
        if let Some(held) = self.good() {
            return Ok(held.caller);
        }
        let mut renewing = self.renewing.lock().await;
        // Another caller may have done it, or failed at it, while we waited.
        if let Some(held) = self.good() {
            return Ok(held.caller);
        }
        let now = clock::now();
        let recent = renewing.failed.clone().filter(|(until, _)| now < *until);
        let result = match recent {
            Some((_, error)) => Err(error),
            None => self.renew(&mut renewing).await,
        };
        match result {
            Ok(verified) => {
                renewing.failed = None;
                let caller = verified.caller.clone();
                self.vault.set(Some(verified));
                Ok(caller)
            }
            Err(error) => self.after_failure(&mut renewing, error),
        }
    }

    /// What is in the vault, if it needn't be looked at again yet.
    fn good(&self) -> Option<Verified> {
        self.vault.get().filter(|held| clock::now() < held.until && life(&held.credentials) > LEAST_LIFE)
    }

    /// With STS out of reach, credentials that are still good go on being used. After a refusal, or with another
    /// account's credentials, nothing goes out.
    fn after_failure(&self, renewing: &mut Renewing, error: IdentityError) -> Result<Caller, IdentityError> {
        let hold_ms = u64::try_from(FAILURE_HOLDS.as_millis()).unwrap_or(u64::MAX);
        let until = clock::now().plus_ms(hold_ms);
        if renewing.failed.is_none() || renewing.failed.as_ref().is_some_and(|(old, _)| clock::now() >= *old)
        {
            tracing::warn!(account = %self.config.name, account_id = %self.config.account_id, %error, "no access");
            renewing.failed = Some((until, error.clone()));
        }
        let usable = self.vault.get().filter(|held| life(&held.credentials) > LEAST_LIFE);
        match usable {
            Some(held) if error.is_passing() => Ok(held.caller),
            _ => {
                self.vault.set(None);
                renewing.assumed = None;
                Err(error)
            }
        }
    }

    async fn renew(&self, renewing: &mut Renewing) -> Result<Verified, IdentityError> {
        let held = renewing.assumed.as_ref().filter(|held| life(held) > RENEW_BEFORE);
        let mut credentials = match (&self.config.role_arn, held) {
            (None, _) => self.session.own.get(self.name()).await?,
            (Some(_), Some(held)) => held.clone(),
            (Some(role), None) => self.assume(role).await?,
        };
        let mut caller = self.who(credentials.clone()).await;
        // AWS's clock decides when a session has ended, and ours may be slow.
        if let (Some(role), Some(_), Err(error)) = (&self.config.role_arn, held, &caller)
            && error.is_of_credentials()
        {
            credentials = self.assume(role).await?;
            caller = self.who(credentials.clone()).await;
        }
        let caller = caller?;
        if caller.account != self.config.account_id {
            return Err(IdentityError::WrongAccount {
                name: self.name().clone(),
                declared: self.config.account_id,
                found: Some(caller.account),
                arn: caller.arn,
            });
        }
        if self.config.role_arn.is_some() {
            renewing.assumed = Some(credentials.clone());
        }
        let again = life(&credentials).saturating_sub(RENEW_BEFORE).clamp(LEAST_LIFE, VERIFY_EVERY);
        let again_ms = u64::try_from(again.as_millis()).unwrap_or(u64::MAX);
        Ok(Verified { credentials, caller, until: clock::now().plus_ms(again_ms) })
    }

    /// Whose the operator's own credentials are, whatever account this one declares.
    pub async fn own_caller(&self) -> Result<Caller, IdentityError> {
        self.who(self.session.own.get(self.name()).await?).await
    }

    async fn assume(&self, role: &Arc<str>) -> Result<Credentials, IdentityError> {
        const CALL: &str = "AssumeRole";
        let own = self.session.own.get(self.name()).await?;
        let (sts, region) = self.session.sts(&self.config, own);
        let ask = sts
            .assume_role()
            .role_arn(role.as_ref())
            .role_session_name(&self.session.session_name)
            .set_external_id(self.config.external_id.as_deref().map(str::to_owned))
            .duration_seconds(SESSION_S);
        let answer = self.call(self.at(region), CALL, ask.send()).await;
        let answer = answer.map_err(|error| IdentityError::of(self.name(), CALL, error))?;
        let Some(given) = answer.credentials() else {
            let error = CallError::lost("UnreadableAnswer", "no credentials in the answer".to_owned());
            return Err(IdentityError::of(self.name(), CALL, error));
        };
        let expiry = SystemTime::try_from(*given.expiration()).ok();
        let token = Some(given.session_token().to_owned());
        Ok(Credentials::new(given.access_key_id(), given.secret_access_key(), token, expiry, "AssumeRole"))
    }

    async fn who(&self, credentials: Credentials) -> Result<Caller, IdentityError> {
        const CALL: &str = "GetCallerIdentity";
        let (sts, region) = self.session.sts(&self.config, credentials);
        let answer = self.call(self.at(region), CALL, sts.get_caller_identity().send()).await;
        let answer = answer.map_err(|error| IdentityError::of(self.name(), CALL, error))?;
        let account = answer.account().and_then(|id| id.parse().ok());
        let arn: Arc<str> = answer.arn().unwrap_or("an unnamed principal").into();
        account.map(|account| Caller { account, arn: arn.clone() }).ok_or_else(|| {
            IdentityError::WrongAccount {
                name: self.name().clone(),
                declared: self.config.account_id,
                found: None,
                arn,
            }
        })
    }

    /// AWS says these credentials are no good: the next call starts from new ones.
    pub async fn distrust(&self) {
        let mut renewing = self.renewing.lock().await;
        renewing.assumed = None;
        self.vault.set(None);
        self.session.own.forget().await;
    }

    /// Sends one call, counts it and logs it.
    pub async fn call<O, E>(
        &self,
        at: AccountRegion,
        action: &'static str,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> Result<O, CallError>
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        self.session.call(at, action, send).await.0
    }

    /// The same, with AWS's id of the request where it gave one.
    pub async fn call_known<O, E>(
        &self,
        at: AccountRegion,
        action: &'static str,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> (Result<O, CallError>, Option<Arc<str>>)
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        self.session.call(at, action, send).await
    }

    pub(super) fn key(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(VaultKey(self.vault.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_one_that_aws_takes() {
        assert_eq!(session_name("7b1c-42"), "peerkeeper-7b1c-42");
        assert_eq!(session_name("team/ä x"), "peerkeeper-teamx");
        assert_eq!(session_name(""), "peerkeeper");
        assert_eq!(session_name(&"a".repeat(100)).len(), 64);
    }

    #[test]
    fn every_partition_finds_its_own_sts() {
        let of = |arn| main_region(Some(arn)).to_string();
        assert_eq!(of("arn:aws:iam::111122223333:role/p"), "us-east-1");
        assert_eq!(of("arn:aws-cn:iam::111122223333:role/p"), "cn-north-1");
        assert_eq!(of("arn:aws-us-gov:iam::111122223333:role/p"), "us-gov-west-1");
        assert_eq!(of("arn:aws-eusc:iam::111122223333:role/p"), "eusc-de-east-1");
        assert_eq!(of("arn:aws-iso:iam::111122223333:role/p"), "us-iso-east-1");
        assert_eq!(of("arn:aws-iso-b:iam::111122223333:role/p"), "us-isob-east-1");
        assert_eq!(of("arn:aws-iso-e:iam::111122223333:role/p"), "eu-isoe-west-1");
        assert_eq!(of("arn:aws-iso-f:iam::111122223333:role/p"), "us-isof-south-1");
    }
}
