//! The only room that speaks to AWS.
//!
//! ```text
//! accounts   whose credentials a call goes out with, proved before anything else is asked
//! reader     sweeps, narrow readings, views
//! look       where a turn's needs are looked for            looking   this room without what writes
//! read       Describe, all pages or nothing        convert   AWS's wire types -> the engine's nouns
//! write      each write, once                      errors    what went wrong, in one table
//! door       the way in, for rooms that ask other services      rehearse   whether a write would be allowed, by DryRun
//! snapshot   what was read last, shared            budget    our own token buckets, and who waits for them
//! quotas     what must be known before the first write    http       TLS, proxy, CA          meter, clock
//! whole      no answer is read that was cut off
//! ```
//!
//! [`Aws`] knows the accounts; [`Reader`] can only ask, [`Writer`] can only change. They are made apart so that whoever
//! needs no writing holds nothing that can: [`Looking`] is all of this room without what writes.

mod accounts;
mod budget;
pub mod clock;
mod convert;
mod door;
mod errors;
mod http;
mod look;
mod looking;
mod meter;
mod quotas;
mod read;
mod reader;
mod rehearse;
mod snapshot;
mod whole;
mod write;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::{AppName, retry::RetryConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::join_all;
use peerkeeper_core::ids::{AccountRegion, ObjectKey, Region};
use peerkeeper_core::pace::bucket::{Operation, Share};
use peerkeeper_core::time::Timing;
use peerkeeper_core::write::{NotSent, WriteCall};

pub use accounts::{AccountConfig, Caller};
pub use door::Door;
pub use errors::{CallError, IdentityError, ReadError, ReadErrorKind};
pub use look::{Look, observe};
pub use looking::Looking;
pub use meter::{CallKey, CallResult, Meter};
pub use reader::{NarrowNeeds, Reader, SweepReport};
pub use rehearse::{Attempt, Canary, Leave, Rehearsal, RouteThere, Unproved};

use accounts::{Account, Session};
use budget::Budget;
use reader::Place;
use write::Orders;

pub use write::Sent;

/// How to speak to AWS.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// For every service, instead of AWS's own endpoints. `None`: as AWS_ENDPOINT_URL and its kin, or AWS itself.
    pub endpoint_url: Option<String>,
    /// Where STS is asked. `None`: as AWS_REGION, the profile or the instance says, else the partition's main Region.
    pub region: Option<Region>,
    /// Shown in the name of the role session, so that an account's CloudTrail tells installations apart.
    pub owner_id: Arc<str>,
    /// How much of AWS's published rates to allow ourselves, in thousandths: 1 to 1000.
    pub budget_share_permille: u16,
    pub connect_timeout: Duration,
    pub read_timeout: Duration,
    /// A write that has no answer after this is counted as lost. No write may start unless leadership outlasts it.
    pub write_timeout: Duration,
    /// How long a write may wait for a token of our own budget before it is handed back unsent.
    pub write_patience: Duration,
    /// How far apart two sweeps must begin to prove absence: `Timing::absence_gap_ms`.
    pub absence_gap_ms: u64,
    /// Instead of the client with TLS and proxy. For tests that speak without sockets.
    pub http_client: Option<SharedHttpClient>,
    /// Instead of the default chain. For tests.
    pub credentials: Option<SharedCredentialsProvider>,
}

impl Default for AwsConfig {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            region: None,
            owner_id: "".into(),
            budget_share_permille: Share::default().as_permille(),
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(5),
            write_patience: Duration::from_secs(2),
            absence_gap_ms: Timing::default().absence_gap_ms,
            http_client: None,
            credentials: None,
        }
    }
}

/// Why AWS can't be spoken to at all. Says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError(String);

impl SetupError {
    fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

/// AWS, as far as its accounts have been declared. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    session: Arc<Session>,
    budget: Arc<Budget>,
    meter: Arc<Meter>,
    accounts: RwLock<BTreeMap<Arc<str>, Arc<Held>>>,
    read_timeout: Duration,
    write_timeout: Duration,
    write_patience: Duration,
    absence_gap_ms: u64,
}

/// One AwsAccount as declared, and what has been read in its name. Another uid or generation starts from nothing.
struct Held {
    account: Arc<Account>,
    places: Mutex<BTreeMap<Region, Arc<Place>>>,
}

impl Aws {
    /// Loads the SDK's configuration: environment, profile, and what `config` says. No AWS API is called, but finding
    /// the Region may ask the instance's metadata service.
    pub async fn new(config: AwsConfig) -> Result<Self, SetupError> {
        let share = Share::permille(config.budget_share_permille).ok_or_else(|| {
            let given = config.budget_share_permille;
            SetupError::new(format!("an AWS budget share of {given} permille; it must be 1 to 1000"))
        })?;
        let sdk = sdk_config(&config).await?;
        let own = config.credentials.clone().or_else(|| sdk.credentials_provider());
        let own = own.ok_or_else(|| SetupError::new("the SDK has no credential chain".to_owned()))?;
        let meter = Arc::new(Meter::default());
        let (timeout, connect) = (config.read_timeout, config.connect_timeout);
        let session = Session::new(sdk, own, &config.owner_id, timeout, connect, meter.clone());
        let inner = Inner {
            session: Arc::new(session),
            budget: Arc::new(Budget::new(share)),
            meter,
            accounts: RwLock::default(),
            read_timeout: config.read_timeout,
            write_timeout: config.write_timeout,
            write_patience: config.write_patience,
            absence_gap_ms: config.absence_gap_ms,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Declares an account, or changes one. What was read in its name is forgotten if anything differs.
    pub fn set_account(&self, config: AccountConfig) {
        let mut accounts = self.inner.accounts.write().unwrap_or_else(PoisonError::into_inner);
        if accounts.get(&config.name).is_some_and(|held| held.account.config == config) {
            return;
        }
        let name = config.name.clone();
        let account = Arc::new(Account::new(config, self.inner.session.clone()));
        accounts.insert(name, Arc::new(Held { account, places: Mutex::default() }));
    }

    /// Nothing is sent in this account's name any more, but for what is already on its way.
    pub fn remove_account(&self, name: &str) {
        let mut accounts = self.inner.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.remove(name);
        let left = accounts.values().map(|held| held.account.config.account_id).collect();
        self.inner.budget.keep_only(&left);
    }

    pub fn accounts(&self) -> Vec<AccountConfig> {
        let accounts = self.inner.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().map(|held| held.account.config.clone()).collect()
    }

    /// Who answers to the account's credentials, if that is the account declared. The answer is kept for as long as the
    /// credentials are, 15 minutes at most; a failure for 10 seconds.
    pub async fn verify(&self, name: &str) -> Result<Caller, IdentityError> {
        self.inner.held(name)?.account.ready().await
    }

    /// Whose the process's own credentials are, which no AwsAccount need declare.
    pub async fn own_caller(&self) -> Result<Caller, IdentityError> {
        let config = AccountConfig {
            name: "default".into(),
            uid: "".into(),
            generation: 0,
            account_id: NO_ACCOUNT.parse().map_err(|_| IdentityError::Unknown { name: "default".into() })?,
            role_arn: None,
            external_id: None,
        };
        Account::new(config, self.inner.session.clone()).own_caller().await
    }

    pub fn reader(&self) -> Reader {
        Reader::new(self.inner.clone())
    }

    pub fn writer(&self) -> Writer {
        Writer { inner: self.inner.clone() }
    }

    /// Asks about writes without writing, where the endpoint proves that it heeds DryRun.
    pub async fn rehearse(
        &self,
        name: &str,
        region: Region,
        canaries: &[Canary],
    ) -> Result<Rehearsal, Unproved> {
        let held = self.inner.held(name);
        let held = held.map_err(|error| Unproved { why: error.to_string(), refused: BTreeMap::new() })?;
        Rehearsal::open(held.account.clone(), region, self.inner.read_timeout, canaries).await
    }

    /// The way to another service in one Region: in the name of an AwsAccount, or with the operator's own credentials.
    pub fn door(&self, name: Option<&str>, region: Region) -> Result<Door, IdentityError> {
        let account = name.map(|name| self.inner.held(name)).transpose()?.map(|held| held.account.clone());
        Ok(Door::new(self.inner.session.clone(), account, region))
    }

    /// Counts of all calls, by account, Region, action and result.
    pub fn meter(&self) -> Arc<Meter> {
        self.inner.meter.clone()
    }
}

/// Stands where an account is not known yet.
const NO_ACCOUNT: &str = "000000000000";

async fn sdk_config(config: &AwsConfig) -> Result<aws_config::SdkConfig, SetupError> {
    let http = config.http_client.clone().map_or_else(http::client, Ok)?;
    let name = concat!("peerkeeper-", env!("CARGO_PKG_VERSION"));
    let name = AppName::new(name).map_err(|error| SetupError::new(error.to_string()))?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .app_name(name)
        // Reads are tried again under our own budget, writes by the next turn.
        .retry_config(RetryConfig::disabled())
        // Every call has a deadline, which covers a stalled stream too.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(url) = &config.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = config.region {
        loader = loader.region(aws_config::Region::new(region.to_string()));
    }
    if let Some(credentials) = &config.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    // The SDK reads it at the first call.
    if let Some(Err(why)) = std::env::var(ENDPOINT_URL).ok().as_deref().map(endpoint) {
        return Err(SetupError::new(format!("{ENDPOINT_URL}: {why}, or unset it")));
    }
    Ok(loader.load().await)
}

const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// A URL that calls can go to. One without a scheme would be found at the first call, and told of with that whole request.
pub fn endpoint(given: &str) -> Result<String, String> {
    let host = ["http://", "https://"].iter().find_map(|scheme| given.strip_prefix(scheme));
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) {
        return Ok(given.to_owned());
    }
    Err(format!("{given} has no scheme or no host; write it such as http://127.0.0.1:4566"))
}

impl Inner {
    fn held(&self, name: &str) -> Result<Arc<Held>, IdentityError> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(name).cloned().ok_or_else(|| IdentityError::Unknown { name: name.into() })
    }

    fn place(&self, name: &str, region: Region) -> Result<Arc<Place>, IdentityError> {
        let held = self.held(name)?;
        let mut places = held.places.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Place::new(held.account.clone(), region, self));
        Ok(places.entry(region).or_insert_with(make).clone())
    }
}

/// The half that changes AWS.
#[derive(Clone)]
pub struct Writer {
    inner: Arc<Inner>,
}

impl Writer {
    /// How long a write may be under way before it counts as lost.
    pub fn timeout(&self) -> Duration {
        self.inner.write_timeout
    }

    /// Sends one write that nothing else goes with.
    pub async fn send(&self, name: &str, call: &WriteCall, gate: impl Fn() -> Result<(), NotSent>) -> Sent {
        let who = ObjectKey::new("", call.to_string());
        let mut all = self.send_all(&who, &[(Some(name), call)], gate).await;
        all.pop().unwrap_or(Sent::not(NotSent::Stale))
    }

    /// Sends the writes of one object, each once and in the name of the AwsAccount beside it, and says what came of each.
    /// `gate` has the last word, after every wait and right before a request leaves: leadership and freshness are asked
    /// there. Those of one kind in one place go together: there is room in the rate for all of them, or they are told one
    /// moment to come back at.
    pub async fn send_all(
        &self,
        who: &ObjectKey,
        calls: &[(Option<&str>, &WriteCall)],
        gate: impl Fn() -> Result<(), NotSent>,
    ) -> Vec<Sent> {
        let ready = join_all(calls.iter().map(|(name, call)| self.ready(*name, call))).await;
        let mut wanted: BTreeMap<(AccountRegion, Operation), u64> = BTreeMap::new();
        for ((_, call), _) in calls.iter().zip(&ready).filter(|(_, ready)| ready.is_ok()) {
            *wanted.entry((call.at, call.write.operation())).or_default() += 1;
        }
        let mut admitted: BTreeMap<_, _> = wanted
            .into_iter()
            .map(|((at, operation), calls)| {
                let admitted = self.inner.budget.admit(who, at, operation, calls, self.inner.write_patience);
                ((at, operation), admitted.map(VecDeque::from))
            })
            .collect();
        let gate = &gate;
        let sends = calls.iter().zip(ready).map(|((_, call), ready)| {
            let taken = match admitted.get_mut(&(call.at, call.write.operation())) {
                Some(Ok(moments)) => moments.pop_front().ok_or(clock::now()),
                Some(Err(back)) => Err(*back),
                None => Err(clock::now()),
            };
            async move {
                match (ready, taken) {
                    (Err(why), _) => Sent::not(why),
                    (Ok(_), Err(ready)) => Sent::not(NotSent::Rate { ready }),
                    (Ok(orders), Ok(taken)) => orders.send(call, taken, gate).await,
                }
            }
        });
        join_all(sends).await
    }

    async fn ready(&self, name: Option<&str>, call: &WriteCall) -> Result<Orders, NotSent> {
        let name = name.ok_or_else(|| NotSent::Credentials("no AwsAccount on that side".into()))?;
        let held = self.inner.held(name).map_err(|error| NotSent::Credentials(error.to_string().into()))?;
        Orders::ready(held.account.clone(), call, self.inner.budget.clone(), self.inner.write_timeout).await
    }

    /// Whether writes of this object were told to come back later, and coming now would be in vain.
    pub fn waits(&self, who: &ObjectKey) -> bool {
        self.inner.budget.waits(who)
    }

    /// Nothing of this object waits for the rate any more.
    pub fn leave_line(&self, who: &ObjectKey) {
        self.inner.budget.leave(who);
    }
}
