//! Messages, alone and in batches. Standard queues: what only FIFO queues understand is refused.

use std::collections::BTreeMap;

use super::queue;
use crate::error::AwsError;
use crate::queue::{
    BatchEntry, BatchResult, MessageAttribute, NewMessage, Receive, ReceivedMessage, SentMessage,
};
use crate::request::Request;
use crate::view::Response;
use crate::wire::json::{md5_hex, md5_of_attributes};
use crate::wire::mapping::{Asked, Mapping, done};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "SendMessage",
        reads: &["QueueUrl", "MessageBody", "DelaySeconds", "MessageAttributes"],
        ask: |asked| Ok(Request::SendMessage { queue: queue(asked)?, message: message(asked.input)? }),
        answer: |_, response| Some(show_sent(&response.sent()?)),
    },
    Mapping {
        name: "SendMessageBatch",
        reads: &["QueueUrl", "Entries"],
        ask: |asked| {
            let entries =
                entries(asked, &["Id", "MessageBody", "DelaySeconds", "MessageAttributes"], message)?;
            Ok(Request::SendMessageBatch { queue: queue(asked)?, entries })
        },
        answer: |_, response| Some(show_batch(response.sent_batch()?, |sent| show_sent(&sent))),
    },
    Mapping {
        name: "ReceiveMessage",
        reads: &[
            "QueueUrl",
            "AttributeNames",
            "MessageSystemAttributeNames",
            "MessageAttributeNames",
            "MaxNumberOfMessages",
            "VisibilityTimeout",
            "WaitTimeSeconds",
        ],
        ask: |asked| receive(asked).map(Request::ReceiveMessage),
        answer: |asked, response| {
            let wanted = Wanted::of(asked);
            let messages: Vec<Struct> =
                response.messages()?.into_iter().map(|message| wanted.show(message)).collect();
            Some(Struct::new().with_opt("Messages", (!messages.is_empty()).then_some(messages)))
        },
    },
    Mapping {
        name: "DeleteMessage",
        reads: &["QueueUrl", "ReceiptHandle"],
        ask: |asked| {
            Ok(Request::DeleteMessage { queue: queue(asked)?, receipt_handle: asked.must("ReceiptHandle")? })
        },
        answer: done,
    },
    Mapping {
        name: "DeleteMessageBatch",
        reads: &["QueueUrl", "Entries"],
        ask: |asked| {
            let entries = entries(asked, &["Id", "ReceiptHandle"], handle)?;
            Ok(Request::DeleteMessageBatch { queue: queue(asked)?, entries })
        },
        answer: done_batch,
    },
    Mapping {
        name: "ChangeMessageVisibility",
        reads: &["QueueUrl", "ReceiptHandle", "VisibilityTimeout"],
        ask: |asked| {
            Ok(Request::ChangeMessageVisibility {
                queue: queue(asked)?,
                receipt_handle: asked.must("ReceiptHandle")?,
                timeout_s: seconds(asked.input, "VisibilityTimeout")?.unwrap_or(0),
            })
        },
        answer: done,
    },
    Mapping {
        name: "ChangeMessageVisibilityBatch",
        reads: &["QueueUrl", "Entries"],
        ask: |asked| {
            let entries = entries(asked, &["Id", "ReceiptHandle", "VisibilityTimeout"], |entry| {
                Ok((handle(entry)?, seconds(entry, "VisibilityTimeout")?.unwrap_or(0)))
            })?;
            Ok(Request::ChangeMessageVisibilityBatch { queue: queue(asked)?, entries })
        },
        answer: done_batch,
    },
];

/// What a receive asks for; whoever waits for messages must know it too.
pub(crate) fn receive(asked: &Asked<'_>) -> Result<Receive, AwsError> {
    Wanted::of(asked).check()?;
    Ok(Receive {
        queue: queue(asked)?,
        max_messages: seconds(asked.input, "MaxNumberOfMessages")?,
        visibility_timeout_s: seconds(asked.input, "VisibilityTimeout")?,
        wait_s: seconds(asked.input, "WaitTimeSeconds")?,
    })
}

/// Of a call, or of an entry of a batch.
fn seconds(input: &Struct, name: &str) -> Result<Option<u32>, AwsError> {
    let Some(number) = input.int(name) else { return Ok(None) };
    let refused = || {
        let message = format!("Value {number} for parameter {name} is invalid. Reason: Must be >= 0.");
        AwsError::new("InvalidParameterValue", message)
    };
    u32::try_from(number).map(Some).map_err(|_| refused())
}

fn message(input: &Struct) -> Result<NewMessage, AwsError> {
    let mut attributes = BTreeMap::new();
    for (name, attribute) in input.map("MessageAttributes").into_iter().flatten() {
        let Some(attribute) = attribute.as_struct() else { continue };
        only(attribute, &["DataType", "StringValue", "BinaryValue"])?;
        let attribute = MessageAttribute {
            data_type: attribute.text("DataType").unwrap_or_default().to_owned(),
            string: attribute.text("StringValue").map(str::to_owned),
            binary: attribute.blob("BinaryValue").map(<[u8]>::to_vec),
        };
        attributes.insert(name.clone(), attribute);
    }
    let body = input.text("MessageBody").unwrap_or_default().to_owned();
    Ok(NewMessage { body, delay_s: seconds(input, "DelaySeconds")?, attributes })
}

fn handle(entry: &Struct) -> Result<String, AwsError> {
    Ok(entry.text("ReceiptHandle").unwrap_or_default().to_owned())
}

/// A mapping names the members it reads; so it is inside of entries.
fn only(given: &Struct, read: &[&str]) -> Result<(), AwsError> {
    match given.iter().find(|(name, _)| !read.contains(name)) {
        Some((name, _)) => {
            Err(AwsError::new("UnsupportedOperation", format!("{name} is not simulated: leave it out")))
        }
        None => Ok(()),
    }
}

fn entries<T>(
    asked: &Asked<'_>,
    read: &[&str],
    one: impl Fn(&Struct) -> Result<T, AwsError>,
) -> Result<Vec<BatchEntry<T>>, AwsError> {
    let each = asked.input.structs("Entries").map(|entry| {
        only(entry, read)?;
        Ok(BatchEntry::new(entry.text("Id").unwrap_or_default(), one(entry)?))
    });
    each.collect()
}

fn show_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> BTreeMap<String, Value> {
    let show = |attribute: &MessageAttribute| {
        Struct::new()
            .with("DataType", &attribute.data_type)
            .with_opt("StringValue", attribute.string.as_ref())
            .with_opt("BinaryValue", attribute.binary.clone().map(Value::Blob))
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), show(attribute).into())).collect()
}

fn show_sent(sent: &SentMessage) -> Struct {
    Struct::new()
        .with("MessageId", &sent.message_id)
        .with("MD5OfMessageBody", md5_hex(sent.body.as_bytes()))
        .with_opt("MD5OfMessageAttributes", md5_of_attributes(&show_attributes(&sent.attributes)))
}

fn show_batch<T>(results: Vec<BatchResult<T>>, show: impl Fn(T) -> Struct) -> Struct {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for BatchResult { id, result } in results {
        match result {
            Ok(done) => successful.push(show(done).with("Id", id)),
            Err(error) => failed.push(
                Struct::new()
                    .with("Id", id)
                    .with("SenderFault", true)
                    .with("Code", error.code)
                    .with("Message", error.message),
            ),
        }
    }
    Struct::new().with("Successful", successful).with("Failed", failed)
}

fn done_batch(_: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(show_batch(response.done_batch()?, |()| Struct::new()))
}

const SYSTEM_ATTRIBUTES: [&str; 4] =
    ["SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"];
/// Those of messages that went through FIFO queues, X-Ray or a redrive: there are none here, but one may ask.
const ABSENT_ATTRIBUTES: [&str; 5] = [
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SequenceNumber",
];

/// Which attributes a receive asks to see: none that it does not name.
struct Wanted<'a> {
    /// Under its older name and its newer one.
    system: Vec<&'a str>,
    /// `All`, `.*`, `prefix.*` or a whole name.
    own: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(asked: &Asked<'a>) -> Self {
        let (older, newer) =
            (asked.input.texts("AttributeNames"), asked.input.texts("MessageSystemAttributeNames"));
        Self {
            system: older.chain(newer).collect(),
            own: asked.input.texts("MessageAttributeNames").collect(),
        }
    }

    fn check(&self) -> Result<(), AwsError> {
        let known = |name: &&str| {
            *name == "All" || SYSTEM_ATTRIBUTES.contains(name) || ABSENT_ATTRIBUTES.contains(name)
        };
        match self.system.iter().find(|name| !known(name)) {
            Some(name) => Err(AwsError::new("InvalidAttributeName", format!("Unknown Attribute {name}."))),
            None => Ok(()),
        }
    }

    fn shows_own(&self, name: &str) -> bool {
        self.own.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => *wanted == "All" || *wanted == name,
        })
    }

    fn show(&self, message: ReceivedMessage) -> Struct {
        let system = [
            message.sender_id,
            message.sent_ms.to_string(),
            message.receive_count.to_string(),
            message.first_received_ms.to_string(),
        ];
        let system: BTreeMap<String, Value> = SYSTEM_ATTRIBUTES
            .into_iter()
            .zip(system)
            .filter(|(name, _)| self.system.contains(&"All") || self.system.contains(name))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let mut own = show_attributes(&message.attributes);
        own.retain(|name, _| self.shows_own(name));
        let digest = md5_of_attributes(&own);
        Struct::new()
            .with("MessageId", message.message_id)
            .with("ReceiptHandle", message.receipt_handle)
            .with("MD5OfBody", md5_hex(message.body.as_bytes()))
            .with("Body", &*message.body)
            .with_opt("Attributes", (!system.is_empty()).then_some(system))
            .with_opt("MD5OfMessageAttributes", digest)
            .with_opt("MessageAttributes", (!own.is_empty()).then_some(own))
    }
}
