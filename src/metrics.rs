//! What Prometheus is told. docs/reference.md lists it, written from here.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use peerkeeper_core::ids::{AccountRegion, Region};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::turn::Note;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::aws::Meter;
use crate::signal::News;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PlaceLabels {
    account: String,
    region: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SweepLabels {
    account: String,
    region: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ObjectLabels {
    ready: &'static str,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MessageLabels {
    queue: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountLabel {
    account: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StrangeCallLabels {
    account: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabel {
    call: String,
}

/// Events that are worth an alert, counted from the start.
const LOSSES: [Reason; 5] = [
    Reason::DeletedUnexpectedly,
    Reason::VpcGone,
    Reason::WithdrawnByPeer,
    Reason::Decommissioning,
    Reason::Restored,
];

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    events: Family<ReasonLabel, Counter>,
    sweeps: Family<SweepLabels, Counter>,
    sweep_seconds: Family<PlaceLabels, Gauge<f64, AtomicU64>>,
    reconcile_seconds: Histogram,
    objects: Family<ObjectLabels, Gauge>,
    audit_failures: Counter,
    leading: Gauge,
    queue_length: Gauge,
    queue_lag_seconds: Gauge<f64, AtomicU64>,
    messages: Family<MessageLabels, Counter>,
    queue_failures: Family<QueueLabel, Counter>,
    queue_silent_seconds: Family<QueueLabel, Gauge<f64, AtomicU64>>,
    trail_events: Family<CallLabel, Counter>,
    lanes_degraded: Family<PlaceLabels, Gauge>,
    strange_calls: Family<StrangeCallLabels, Counter>,
    misused: Family<AccountLabel, Gauge>,
}

impl Metrics {
    pub fn new(meter: Arc<Meter>) -> Self {
        let mut registry = Registry::with_prefix("peerkeeper");
        let events = Family::<ReasonLabel, Counter>::default();
        // A counter that first appears at 1 has not increased as far as Prometheus can tell: the first loss would alert
        // nobody.
        for reason in LOSSES {
            events.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc_by(0);
        }
        registry.register("events", "Kubernetes Events of VpcPeerings, by reason", events.clone());
        let sweeps = Family::default();
        registry.register(
            "sweeps",
            "Sweeps of an account and Region, by result: complete or failed",
            sweeps.clone(),
        );
        let sweep_seconds = Family::default();
        let help = "How long the last sweep of an account and Region took";
        registry.register_with_unit("sweep_duration", help, Unit::Seconds, sweep_seconds.clone());
        let reconcile_seconds = Histogram::new(exponential_buckets(0.005, 2.0, 12));
        registry.register_with_unit(
            "reconcile_duration",
            "How long reconciles took",
            Unit::Seconds,
            reconcile_seconds.clone(),
        );
        let objects = Family::default();
        registry.register("vpcpeerings", "VpcPeerings, by the status and reason of Ready", objects.clone());
        let audit_failures = Counter::default();
        let help = "Lines that could not be written to the audit log";
        registry.register("audit_log_failures", help, audit_failures.clone());
        let leading = Gauge::default();
        registry.register("leading", "1 while this replica holds the lease", leading.clone());
        let queue_length = Gauge::default();
        registry.register(
            "queue_length",
            "VpcPeerings that wait for a reconcile, those due later included",
            queue_length.clone(),
        );
        let queue_lag_seconds = Gauge::default();
        let help = "How long the most overdue reconcile has waited";
        registry.register_with_unit("queue_lag", help, Unit::Seconds, queue_lag_seconds.clone());
        registry.register_collector(Box::new(AwsCalls(meter)));
        let messages = Family::default();
        let help = "Messages received from event queues, by what they were: event, duplicate, failed_call, foreign, \
                    version, other_call or poison";
        registry.register("event_queue_messages", help, messages.clone());
        let queue_failures = Family::default();
        let help = "Calls about event queues that failed";
        registry.register("event_queue_failures", help, queue_failures.clone());
        let queue_silent_seconds = Family::default();
        let help = "How long ago an event queue last answered, with or without messages";
        registry.register_with_unit("event_queue_silent", help, Unit::Seconds, queue_silent_seconds.clone());
        let trail_events = Family::default();
        let help = "CloudTrail events heard through queues, each once, by call";
        registry.register("trail_events", help, trail_events.clone());
        let lanes_degraded = Family::default();
        let help = "1 for each account and Region whose events can't be relied on to come";
        registry.register("event_lane_degraded", help, lanes_degraded.clone());
        let strange_calls = Family::default();
        let help = "Calls made as Peerkeeper that no VpcPeering remembered when they were heard of, by AwsAccount and by \
                    what became of them: suspected, then misuse, accounted, anothers, not_ours, too_old or expired";
        registry.register("strange_calls", help, strange_calls.clone());
        let misused = Family::default();
        let help = "1 for an AwsAccount in which everything is held because somebody else used Peerkeeper's credentials, else 0";
        registry.register("credentials_misused", help, misused.clone());
        Self {
            registry,
            events,
            sweeps,
            sweep_seconds,
            reconcile_seconds,
            objects,
            audit_failures,
            leading,
            queue_length,
            queue_lag_seconds,
            messages,
            queue_failures,
            queue_silent_seconds,
            trail_events,
            lanes_degraded,
            strange_calls,
            misused,
        }
    }

    /// Counts what an event queue brought.
    pub fn queue(&self, queue: &str, news: &News<'_>) {
        let message = |result| {
            self.messages.get_or_create(&MessageLabels { queue: queue.to_owned(), result }).inc();
        };
        match news {
            News::Received(_) => {}
            News::Event(event) => {
                message("event");
                self.trail_events.get_or_create(&CallLabel { call: event.call.name().to_owned() }).inc();
            }
            News::Duplicate => message("duplicate"),
            News::Ignored(why) => message(why.reason()),
            News::Poison(_) => message("poison"),
            News::Failed(_) => {
                self.queue_failures.get_or_create(&QueueLabel { queue: queue.to_owned() }).inc();
            }
        }
    }

    /// Where events can't be relied on, and nowhere else.
    pub fn degraded_lanes<'a>(&self, places: impl Iterator<Item = &'a AccountRegion>) {
        self.lanes_degraded.clear();
        for AccountRegion { account, region } in places {
            let place = PlaceLabels { account: account.to_string(), region: region.to_string() };
            self.lanes_degraded.get_or_create(&place).set(1);
        }
    }

    /// Counts a call that was made as us and that nothing accounted for at first.
    pub fn strange_call(&self, account: &str, verdict: &'static str) {
        self.strange_calls.get_or_create(&StrangeCallLabels { account: account.to_owned(), verdict }).inc();
    }

    /// Whether an AwsAccount is held because of such a call. `None`: there is no such AwsAccount.
    pub fn misused(&self, name: &str, is_held: Option<bool>) {
        let account = AccountLabel { account: name.to_owned() };
        match is_held {
            Some(is_held) => drop(self.misused.get_or_create(&account).set(i64::from(is_held))),
            None => drop(self.misused.remove(&account)),
        }
    }

    /// Counts what Kubernetes Events were published for.
    pub fn events(&self, notes: &[Note]) {
        for note in notes {
            self.events.get_or_create(&ReasonLabel { reason: note.reason.as_str() }).inc();
        }
    }

    pub fn reason(&self, reason: Reason) {
        self.events.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
    }

    pub fn audit_failed(&self) {
        self.audit_failures.inc();
    }

    pub fn swept(&self, account: &str, region: &Region, complete: bool, took_ms: u64) {
        let (account, region) = (account.to_owned(), region.to_string());
        let result = if complete { "complete" } else { "failed" };
        self.sweeps
            .get_or_create(&SweepLabels { account: account.clone(), region: region.clone(), result })
            .inc();
        self.sweep_seconds.get_or_create(&PlaceLabels { account, region }).set(seconds(took_ms));
    }

    pub fn reconciled(&self, took_ms: u64) {
        self.reconcile_seconds.observe(seconds(took_ms));
    }

    /// The text that a scrape gets. What is a state rather than a count is set right before.
    pub fn encode(&self, now: &Snapshot) -> Result<String, std::fmt::Error> {
        self.leading.set(i64::from(now.leading));
        self.queue_length.set(i64::try_from(now.queue_length).unwrap_or(i64::MAX));
        self.queue_lag_seconds.set(seconds(now.queue_lag_ms));
        for (queue, silent_ms) in &now.event_queues_silent_ms {
            let queue = QueueLabel { queue: queue.clone() };
            self.queue_silent_seconds.get_or_create(&queue).set(seconds(*silent_ms));
        }
        self.objects.clear();
        for (ready, reason) in &now.objects {
            self.objects.get_or_create(&ObjectLabels { ready, reason: reason.clone() }).inc();
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is asked for at a scrape.
#[derive(Default)]
pub struct Snapshot {
    pub leading: bool,
    pub queue_length: usize,
    pub queue_lag_ms: u64,
    pub event_queues_silent_ms: Vec<(String, u64)>,
    /// Each object's `Ready`: its status and its reason.
    pub objects: Vec<(&'static str, String)>,
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Calls to AWS, counted where they are made.
struct AwsCalls(Arc<Meter>);

impl Debug for AwsCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AwsCalls")
    }
}

impl Collector for AwsCalls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counts = self.0.snapshot();
        let first = ConstCounter::new(0_u64);
        let help = "Calls to AWS, each attempt, by result: success, refused, throttled, not_sent or lost.";
        let mut family = encoder.encode_descriptor("aws_calls", help, None, first.metric_type())?;
        for (key, count) in counts {
            let labels = [
                ("account", key.account.to_string()),
                ("region", key.region.map(|region| region.to_string()).unwrap_or_default()),
                ("action", key.action.to_string()),
                ("result", key.result.as_str().to_owned()),
            ];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
