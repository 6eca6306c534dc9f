//! Audit records as CloudTrail writes them, and the events that EventBridge makes of them.

mod elements;
mod network;
mod parameters;
mod record;

pub(crate) use parameters::may_be_wrapped;
pub(crate) use record::eventbridge_sender;
pub use record::{EventResource, TrailRecord};

use crate::json::Json;
use crate::queue::QueueId;

/// `LookupAttributeKey`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LookupKey {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
}

impl LookupKey {
    pub const ALL: &'static [LookupKey] = &[
        Self::EventId,
        Self::EventName,
        Self::ReadOnly,
        Self::Username,
        Self::ResourceType,
        Self::ResourceName,
        Self::EventSource,
        Self::AccessKeyId,
    ];

    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventId => "EventId",
            Self::EventName => "EventName",
            Self::ReadOnly => "ReadOnly",
            Self::Username => "Username",
            Self::ResourceType => "ResourceType",
            Self::ResourceName => "ResourceName",
            Self::EventSource => "EventSource",
            Self::AccessKeyId => "AccessKeyId",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.as_str() == text)
    }
}

/// LookupEvents. Times are in milliseconds since 1970; both ends count.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Lookup {
    /// AWS takes one at most.
    pub attributes: Vec<(LookupKey, String)>,
    pub start_ms: Option<i64>,
    pub end_ms: Option<i64>,
    /// 1 to 50; absent is 50.
    pub max_results: Option<u32>,
    pub next_token: Option<String>,
}

impl Lookup {
    pub fn all() -> Self {
        Self::default()
    }

    pub fn by(key: LookupKey, value: impl Into<String>) -> Self {
        Self { attributes: vec![(key, value.into())], ..Self::default() }
    }
}

/// Which events a rule takes: those that match every list (an empty one matches all).
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct EventPattern {
    /// The envelope's `source`: `aws.ec2`.
    pub sources: Vec<String>,
    /// The envelope's `detail-type`.
    pub detail_types: Vec<String>,
    /// `detail.eventSource`: `ec2.amazonaws.com`.
    pub event_sources: Vec<String>,
    /// `detail.eventName`.
    pub event_names: Vec<String>,
    /// `detail.errorCode`: `[{"exists": ...}]`.
    pub error_code_exists: Option<bool>,
}

/// `detail-type` of every event that CloudTrail makes of an API call.
pub const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";

impl EventPattern {
    /// EC2's calls of these names that succeeded.
    pub fn ec2<N: Into<String>>(event_names: impl IntoIterator<Item = N>) -> Self {
        Self {
            sources: vec!["aws.ec2".to_owned()],
            detail_types: vec![DETAIL_TYPE.to_owned()],
            event_sources: vec!["ec2.amazonaws.com".to_owned()],
            event_names: event_names.into_iter().map(Into::into).collect(),
            error_code_exists: Some(false),
        }
    }

    /// As EventBridge writes it.
    pub(crate) fn json(&self) -> Json {
        let Self { sources, detail_types, event_sources, event_names, error_code_exists } = self;
        let list = |texts: &[String]| {
            (!texts.is_empty()).then(|| Json::List(texts.iter().map(Json::text).collect()))
        };
        let exists = error_code_exists.map(|exists| Json::List(vec![Json::object().with("exists", exists)]));
        let detail = Json::object()
            .with_some("eventSource", list(event_sources))
            .with_some("eventName", list(event_names))
            .with_some("errorCode", exists);
        let detail = (detail != Json::object()).then_some(detail);
        Json::object()
            .with_some("source", list(sources))
            .with_some("detail-type", list(detail_types))
            .with_some("detail", detail)
    }

    pub fn matches(&self, record: &TrailRecord) -> bool {
        let Self { sources, detail_types, event_sources, event_names, error_code_exists } = self;
        let among = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        among(sources, &record.source())
            && among(detail_types, DETAIL_TYPE)
            && among(event_sources, record.event_source())
            && among(event_names, record.event_name())
            && error_code_exists.is_none_or(|wanted| wanted == record.error_code().is_some())
    }
}

/// Where a rule sends what it takes, by the id that it has in the rule.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RuleTarget {
    pub id: String,
    pub queue: QueueId,
    /// Where an event goes whose queue is gone.
    pub dead_letters: Option<QueueId>,
}

impl RuleTarget {
    pub fn new(id: &str, queue: &QueueId) -> Self {
        Self { id: id.to_owned(), queue: queue.clone(), dead_letters: None }
    }
}
