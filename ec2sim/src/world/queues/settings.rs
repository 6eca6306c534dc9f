//! What can be set of a queue, as text on the wire.

use std::collections::BTreeMap;

use super::bad_parameter;
use crate::error::AwsError;
use crate::queue::QueueId;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Settings {
    pub(super) visibility_timeout_s: u32,
    pub(super) retention_s: u32,
    pub(super) delay_s: u32,
    pub(super) wait_s: u32,
    pub(super) max_message_bytes: u32,
    pub(super) redrive: Option<Redrive>,
    /// Kept and shown, and not understood: [`crate::World::open_queue`] says who may use a queue.
    opaque: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Redrive {
    pub(super) dead_letters: QueueId,
    pub(super) max_receive_count: u32,
    /// As it was given.
    text: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility_timeout_s: 30,
            retention_s: 345_600,
            delay_s: 0,
            wait_s: 0,
            max_message_bytes: 1_048_576,
            redrive: None,
            opaque: BTreeMap::from([("SqsManagedSseEnabled".to_owned(), "true".to_owned())]),
        }
    }
}

const OPAQUE: [&str; 6] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeoutPolicy",
];

const COUNTED: [&str; 7] = [
    "All",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

const SETTABLE: [&str; 6] = [
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
];

/// What GetQueueAttributes may be asked for.
pub(super) fn is_known(name: &str) -> bool {
    [&OPAQUE[..], &COUNTED[..], &SETTABLE[..]].iter().any(|names| names.contains(&name))
}

fn number(name: &str, text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, AwsError> {
    let parsed = text.parse().ok().filter(|number| range.contains(number));
    let refused =
        || AwsError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."));
    parsed.ok_or_else(refused)
}

impl Settings {
    pub(super) fn with(mut self, attributes: &BTreeMap<String, String>) -> Result<Self, AwsError> {
        for (name, text) in attributes {
            match name.as_str() {
                "VisibilityTimeout" => self.visibility_timeout_s = number(name, text, 0..=43_200)?,
                "MessageRetentionPeriod" => self.retention_s = number(name, text, 60..=1_209_600)?,
                "DelaySeconds" => self.delay_s = number(name, text, 0..=900)?,
                "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(name, text, 0..=20)?,
                "MaximumMessageSize" => self.max_message_bytes = number(name, text, 1_024..=1_048_576)?,
                "RedrivePolicy" => self.redrive = Redrive::parse(text)?,
                _ if OPAQUE.contains(&name.as_str()) => {
                    self.opaque.insert(name.clone(), text.clone());
                }
                _ => return Err(AwsError::new("InvalidAttributeName", format!("Unknown Attribute {name}."))),
            }
        }
        Ok(self)
    }

    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let Self { visibility_timeout_s, retention_s, delay_s, wait_s, max_message_bytes, redrive, opaque } =
            self;
        let numbers = [
            ("VisibilityTimeout", visibility_timeout_s),
            ("MessageRetentionPeriod", retention_s),
            ("DelaySeconds", delay_s),
            ("ReceiveMessageWaitTimeSeconds", wait_s),
            ("MaximumMessageSize", max_message_bytes),
        ];
        let mut all = opaque.clone();
        // Taken back, a policy is not there any more.
        all.retain(|_, text| !text.is_empty());
        all.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
        all.extend(redrive.iter().map(|redrive| ("RedrivePolicy".to_owned(), redrive.text.clone())));
        all
    }
}

impl Redrive {
    /// `{"deadLetterTargetArn": "arn...", "maxReceiveCount": 5}`, the number as text too. No text: none any more.
    fn parse(text: &str) -> Result<Option<Self>, AwsError> {
        if text.is_empty() {
            return Ok(None);
        }
        let refused = || bad_parameter(format!("Value {text} for parameter RedrivePolicy is invalid."));
        let inner =
            text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(refused)?;
        let (mut arn, mut count) = (None, None);
        for member in inner.split(',') {
            let (key, value) = member.split_once(':').ok_or_else(refused)?;
            let bare = |text: &str| text.trim().trim_matches('"').to_owned();
            match bare(key).as_str() {
                "deadLetterTargetArn" => arn = QueueId::parse(&bare(value)),
                "maxReceiveCount" => count = bare(value).parse().ok().filter(|n| (1..=1_000).contains(n)),
                _ => return Err(refused()),
            }
        }
        let (dead_letters, max_receive_count) = arn.zip(count).ok_or_else(refused)?;
        Ok(Some(Self { dead_letters, max_receive_count, text: text.to_owned() }))
    }
}
