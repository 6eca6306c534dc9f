//! Drives the Lease elector: the requests it asks for, with their timeouts, and nothing more. All arithmetic is
//! `peerkeeper_core::pace::lease`'s.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, ResourceExt};
use peerkeeper_core::pace::lease::{
    Base, Elector, Identity, Observed, Record, Standing, Step, Terms, Version, Written,
};
use peerkeeper_core::write::NotSent;
use tokio::sync::Notify;

use super::cluster::ClusterError;
use crate::aws::clock;

/// A write that has no answer by then counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Who this replica is, and which Lease it stands for.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    pub namespace: String,
    pub name: String,
    pub duration_s: u32,
    /// New with every start of the process.
    pub identity: String,
}

impl LeaseOptions {
    /// How long any one write may take: less than the lease outlasts a renewal, and never more than 5 s.
    pub fn write_timeout(&self) -> Duration {
        let longest = Terms::of_duration_s(self.duration_s).map(Terms::longest_write_ms);
        longest.map_or(WRITE_TIMEOUT, Duration::from_millis).min(WRITE_TIMEOUT)
    }
}

/// The question that every write asks first.
#[derive(Clone)]
pub struct Leadership {
    elector: Arc<Mutex<Elector>>,
    in_flight: Arc<AtomicUsize>,
    changed: Arc<Notify>,
    write_timeout: Duration,
}

/// A write that is under way: the lease is not given back before it ends.
pub struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How the elector's work ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Given back on shutdown.
    Released,
    /// Lost: everything begun with it must stop.
    Lost,
}

impl Leadership {
    /// `None` if the duration is out of the elector's bounds.
    pub fn new(options: &LeaseOptions) -> Option<Self> {
        let terms = Terms::of_duration_s(options.duration_s)?;
        let elector = Elector::new(Identity(options.identity.clone()), terms);
        Some(Self {
            elector: Arc::new(Mutex::new(elector)),
            in_flight: Arc::default(),
            changed: Arc::default(),
            write_timeout: options.write_timeout(),
        })
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Elector) -> T) -> T {
        ask(&mut self.elector.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a write that ends within `timeout` may start now.
    pub fn may_write(&self, timeout: Duration) -> Result<(), NotSent> {
        let ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        if self.with(|elector| elector.may_write(clock::now(), ms)) {
            Ok(())
        } else {
            Err(NotSent::Leadership)
        }
    }

    pub fn is_leading(&self) -> bool {
        self.may_write(Duration::ZERO).is_ok()
    }

    /// Makes a write to the cluster: not without the lease, not beyond it, and not longer than a write may take.
    pub async fn guard<T>(
        &self,
        write: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, ClusterError> {
        let _in_flight = self.begin_write();
        self.may_write(self.write_timeout).map_err(|_| ClusterError::NotLeading)?;
        tokio::time::timeout(self.write_timeout, write).await.unwrap_or(Err(ClusterError::NoAnswer))
    }

    pub fn begin_write(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(self.in_flight.clone())
    }

    /// Completes when this replica leads.
    pub async fn led(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_leading() {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    pub fn shut_down(&self) {
        self.with(Elector::shut_down);
        self.changed.notify_waiters();
    }

    /// Stands for the lease until it is lost or given back.
    pub async fn run(&self, client: Client, options: &LeaseOptions) -> Ended {
        let api: Api<Lease> = Api::namespaced(client, &options.namespace);
        loop {
            let in_flight = self.in_flight.load(Ordering::SeqCst);
            let step = self.with(|elector| elector.next(clock::now(), in_flight));
            match step {
                Step::Wait(at) => {
                    tokio::select! {
                        () = clock::sleep_until(at) => {}
                        () = self.changed.notified() => {}
                        () = tokio::time::sleep(Duration::from_millis(100)), if self.is_stopping() => {}
                    }
                }
                Step::Read(request) => {
                    let observed = read(&api, options).await;
                    self.with(|elector| elector.observed(clock::now(), request, observed));
                }
                Step::Acquire(request, base) | Step::Renew(request, base) => {
                    let was_leading = self.is_leading();
                    let written = hold(&api, options, &base, was_leading).await;
                    self.with(|elector| elector.written(clock::now(), request, written));
                    if self.is_leading() != was_leading {
                        tracing::info!(lease = %options.name, identity = %options.identity, leading = !was_leading, "leadership changed");
                    }
                    self.changed.notify_waiters();
                }
                Step::Release(request, version) => {
                    let written = release(&api, options, &version).await;
                    self.with(|elector| elector.written(clock::now(), request, written));
                }
                Step::StepDown => return Ended::Lost,
                Step::Finished => return Ended::Released,
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.with(|elector| !matches!(elector.standing(), Standing::Standby(_)))
    }
}

fn timeout(options: &LeaseOptions) -> Duration {
    let terms = Terms::of_duration_s(options.duration_s);
    Duration::from_millis(terms.map_or(1000, Terms::request_timeout_ms))
}

async fn read(api: &Api<Lease>, options: &LeaseOptions) -> Observed {
    match tokio::time::timeout(timeout(options), api.get_opt(&options.name)).await {
        Ok(Ok(Some(lease))) => record(&lease).map_or(Observed::Failed, Observed::Record),
        Ok(Ok(None)) => Observed::Absent,
        Ok(Err(error)) => {
            tracing::warn!(lease = %options.name, %error, "the Lease could not be read");
            Observed::Failed
        }
        Err(_) => Observed::Failed,
    }
}

fn record(lease: &Lease) -> Option<Record> {
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.filter(|holder| !holder.is_empty()).map(Identity);
    let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
    Some(Record { version: Version(lease.resource_version()?), holder, duration_ms: seconds * 1000 })
}

/// Writes our name: for the first time, or again.
async fn hold(api: &Api<Lease>, options: &LeaseOptions, base: &Base, renews: bool) -> Written {
    let asked = async {
        let now = MicroTime(Timestamp::now());
        let Base::Version(version) = base else {
            let lease = lease(options, None, Some(&options.identity), Some(now), None);
            return api.create(&PostParams::default(), &lease).await;
        };
        // Who renews keeps when it acquired; who acquires counts one more transition.
        let shown = api.get(&options.name).await?;
        let spec = shown.spec.unwrap_or_default();
        let acquired = if renews { spec.acquire_time } else { Some(now.clone()) };
        let transitions = spec.lease_transitions.unwrap_or(0) + i32::from(!renews);
        let mut lease = lease(options, Some(&version.0), Some(&options.identity), Some(now), acquired);
        if let Some(spec) = &mut lease.spec {
            spec.lease_transitions = Some(transitions);
        }
        api.replace(&options.name, &PostParams::default(), &lease).await
    };
    written(tokio::time::timeout(timeout(options), asked).await, options)
}

async fn release(api: &Api<Lease>, options: &LeaseOptions, version: &Version) -> Written {
    let asked = async {
        let lease = lease(options, Some(&version.0), None, Some(MicroTime(Timestamp::now())), None);
        api.replace(&options.name, &PostParams::default(), &lease).await
    };
    written(tokio::time::timeout(timeout(options), asked).await, options)
}

fn lease(
    options: &LeaseOptions,
    version: Option<&str>,
    holder: Option<&str>,
    renewed: Option<MicroTime>,
    acquired: Option<MicroTime>,
) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(options.name.clone()),
            namespace: Some(options.namespace.clone()),
            resource_version: version.map(str::to_owned),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: Some(i32::try_from(options.duration_s).unwrap_or(i32::MAX)),
            acquire_time: acquired.or_else(|| renewed.clone()),
            renew_time: renewed,
            ..LeaseSpec::default()
        }),
    }
}

fn written(
    answer: Result<kube::Result<Lease>, tokio::time::error::Elapsed>,
    options: &LeaseOptions,
) -> Written {
    match answer {
        Ok(Ok(lease)) => {
            lease.resource_version().map_or(Written::Timeout, |version| Written::Ok(Version(version)))
        }
        Ok(Err(kube::Error::Api(status))) if status.code == 409 || status.code == 404 => Written::Conflict,
        Ok(Err(kube::Error::Api(status))) if (400..500).contains(&status.code) => {
            tracing::error!(lease = %options.name, status = %status.message, "the Lease was refused; check the Role in the lease's namespace");
            Written::Error
        }
        // Whether it was done can't be told.
        Ok(Err(_)) | Err(_) => Written::Timeout,
    }
}
