//! What is said of queues: names, messages, and what is asked of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::ids::{AccountId, Region};
use crate::trail::TrailRecord;

/// A queue's account, Region and name: what its ARN says, and its URL too, but for the host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueId {
    pub account: AccountId,
    pub region: Region,
    pub name: Arc<str>,
}

impl QueueId {
    pub fn new(account: impl Into<AccountId>, region: impl Into<Region>, name: &str) -> Self {
        Self { account: account.into(), region: region.into(), name: name.into() }
    }

    /// `None` unless the text is the ARN of a queue.
    pub fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            ["arn", "aws" | "aws-cn" | "aws-us-gov", "sqs", region, account, name]
                if !region.is_empty() && !account.is_empty() && !name.is_empty() =>
            {
                Some(Self::new(*account, *region, name))
            }
            _ => None,
        }
    }
}

/// The ARN.
impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:sqs:{}:{}:{}", self.region.partition(), self.region, self.account, self.name)
    }
}

/// What a message says. An event is written out only when it is received.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Body {
    Text(Arc<str>),
    Event(Arc<TrailRecord>),
}

impl Body {
    pub fn text(&self) -> Arc<str> {
        match self {
            Self::Text(text) => Arc::clone(text),
            Self::Event(record) => record.envelope().into(),
        }
    }
}

/// `MessageAttributeValue`: its type, and the value as text or as bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageAttribute {
    pub data_type: String,
    pub string: Option<String>,
    pub binary: Option<Vec<u8>>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct NewMessage {
    pub body: String,
    /// Absent: the queue's own.
    pub delay_s: Option<u32>,
    pub attributes: BTreeMap<String, MessageAttribute>,
}

impl NewMessage {
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

/// ReceiveMessage.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Receive {
    pub queue: QueueId,
    /// 1 to 10; absent is 1.
    pub max_messages: Option<u32>,
    /// Absent: the queue's own.
    pub visibility_timeout_s: Option<u32>,
    /// The world answers at once: who carries its answers does the waiting ([`crate::World::receive_wait_s`]). A
    /// receive that may wait asks every server, so that it misses no message.
    pub wait_s: Option<u32>,
}

impl Receive {
    /// Up to ten messages, now.
    pub fn from(queue: &QueueId) -> Self {
        Self { queue: queue.clone(), max_messages: Some(10), visibility_timeout_s: None, wait_s: None }
    }
}

/// One entry of a batch, by the id that it has in there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BatchEntry<T> {
    pub id: String,
    pub entry: T,
}

impl<T> BatchEntry<T> {
    pub fn new(id: impl Into<String>, entry: T) -> Self {
        Self { id: id.into(), entry }
    }
}

/// How one entry of a batch fared.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BatchResult<T> {
    pub id: String,
    pub result: Result<T, crate::AwsError>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SentMessage {
    pub message_id: String,
    pub body: Arc<str>,
    pub attributes: BTreeMap<String, MessageAttribute>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ReceivedMessage {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: Arc<str>,
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// `SenderId`: IAM's id of who sent it; EventBridge sends as itself.
    pub sender_id: String,
    /// Milliseconds since 1970.
    pub sent_ms: i64,
    /// `ApproximateReceiveCount`, with this time.
    pub receive_count: u32,
    /// `ApproximateFirstReceiveTimestamp`: milliseconds since 1970.
    pub first_received_ms: i64,
}
