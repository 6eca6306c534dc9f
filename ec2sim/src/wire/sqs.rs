//! The Simple Queue Service.

use std::collections::BTreeMap;

use super::json::{md5_hex, md5_of_attributes};
use super::mapping::{Asked, Mapping, done};
use super::value::{Struct, Value};
use crate::error::{AwsError, texts};
use crate::ids::AccountId;
use crate::queue::{
    BatchEntry, BatchResult, MessageAttribute, NewMessage, QueueId, Receive, ReceivedMessage, SentMessage,
};
use crate::request::Request;
use crate::view::Response;

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateQueue",
        reads: &["QueueName", "Attributes", "tags"],
        ask: |asked| {
            let (attributes, tags) = (map(asked.input, "Attributes"), map(asked.input, "tags"));
            Ok(Request::CreateQueue { name: asked.must("QueueName")?, attributes, tags })
        },
        answer: show_url,
    },
    Mapping {
        name: "DeleteQueue",
        reads: &["QueueUrl"],
        ask: |asked| Ok(Request::DeleteQueue { queue: queue(asked)? }),
        answer: done,
    },
    Mapping {
        name: "PurgeQueue",
        reads: &["QueueUrl"],
        ask: |asked| Ok(Request::PurgeQueue { queue: queue(asked)? }),
        answer: done,
    },
    Mapping {
        name: "GetQueueUrl",
        reads: &["QueueName", "QueueOwnerAWSAccountId"],
        ask: |asked| {
            let owner = asked.text("QueueOwnerAWSAccountId").map(AccountId::from);
            Ok(Request::GetQueueUrl { name: asked.must("QueueName")?, owner })
        },
        answer: show_url,
    },
    Mapping {
        name: "ListQueues",
        reads: &["QueueNamePrefix", "MaxResults", "NextToken"],
        ask: |asked| {
            let prefix = asked.text("QueueNamePrefix").unwrap_or_default();
            let (max_results, next_token) = (asked.count("MaxResults")?, asked.text("NextToken"));
            Ok(Request::ListQueues { prefix, max_results, next_token })
        },
        answer: |asked, response| {
            let page = response.queue_urls()?;
            let urls: Vec<String> = page.items.iter().map(|queue| url(asked, queue)).collect();
            let urls = (!urls.is_empty()).then(|| Value::list(urls));
            Some(Struct::new().with_opt("QueueUrls", urls).with_opt("NextToken", page.next_token))
        },
    },
    Mapping {
        name: "GetQueueAttributes",
        reads: &["QueueUrl", "AttributeNames"],
        ask: |asked| {
            Ok(Request::GetQueueAttributes { queue: queue(asked)?, names: asked.texts("AttributeNames") })
        },
        answer: |_, response| {
            let attributes = response.queue_attributes()?;
            Some(Struct::new().with_opt("Attributes", (!attributes.is_empty()).then(|| show_map(attributes))))
        },
    },
    Mapping {
        name: "SetQueueAttributes",
        reads: &["QueueUrl", "Attributes"],
        ask: |asked| {
            Ok(Request::SetQueueAttributes {
                queue: queue(asked)?,
                attributes: map(asked.input, "Attributes"),
            })
        },
        answer: done,
    },
    Mapping {
        name: "TagQueue",
        reads: &["QueueUrl", "Tags"],
        ask: |asked| Ok(Request::TagQueue { queue: queue(asked)?, tags: map(asked.input, "Tags") }),
        answer: done,
    },
    Mapping {
        name: "UntagQueue",
        reads: &["QueueUrl", "TagKeys"],
        ask: |asked| Ok(Request::UntagQueue { queue: queue(asked)?, keys: asked.texts("TagKeys") }),
        answer: done,
    },
    Mapping {
        name: "ListQueueTags",
        reads: &["QueueUrl"],
        ask: |asked| Ok(Request::ListQueueTags { queue: queue(asked)? }),
        answer: |_, response| {
            let tags = response.queue_tags()?;
            Some(Struct::new().with_opt("Tags", (!tags.is_empty()).then(|| show_map(tags))))
        },
    },
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
            let entries = entries(asked, message)?;
            Ok(Request::SendMessageBatch { queue: queue(asked)?, entries })
        },
        answer: |_, response| {
            Some(show_batch(response.sent_batch()?, |id, sent| show_sent(&sent).with("Id", id)))
        },
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
            let messages = response.messages()?;
            let shown = messages.iter().map(|message| show_message(asked, message));
            Some(Struct::new().with_opt("Messages", (!messages.is_empty()).then(|| Value::list(shown))))
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
            let entries = entries(asked, |entry| Ok(handle(entry)))?;
            Ok(Request::DeleteMessageBatch { queue: queue(asked)?, entries })
        },
        answer: |_, response| Some(show_batch(response.done_batch()?, |id, ()| Struct::new().with("Id", id))),
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
            let change =
                |entry: &Struct| Ok((handle(entry), seconds(entry, "VisibilityTimeout")?.unwrap_or(0)));
            let entries = entries(asked, change)?;
            Ok(Request::ChangeMessageVisibilityBatch { queue: queue(asked)?, entries })
        },
        answer: |_, response| Some(show_batch(response.done_batch()?, |id, ()| Struct::new().with("Id", id))),
    },
];

/// What a message says of its way, in the order of [`show_message`].
const SYSTEM: [&str; 4] =
    ["SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"];
/// What only other queues' messages have, or those that came with a trace; asking for it is no error.
const ELSEWHERE: [&str; 5] = [
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SequenceNumber",
];

/// By its URL: account and name, on any host but AWS's own of another Region.
fn queue(asked: &Asked<'_>) -> Result<QueueId, AwsError> {
    let url = asked.must("QueueUrl")?;
    let region = asked.caller.region.as_str();
    let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let parts: Vec<&str> = after_scheme.split('/').collect();
    if let [host, account, name] = parts[..] {
        let elsewhere = is_amazons(host) && !host.split('.').any(|label| label == region);
        if !elsewhere && !account.is_empty() && !name.is_empty() {
            return Ok(QueueId::new(account, region, name));
        }
    }
    let message = format!("The address {url} is not valid for this endpoint.");
    Err(AwsError::new("InvalidAddress", message))
}

fn is_amazons(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// On the host that was asked, so that a client which goes by it comes back.
fn url(asked: &Asked<'_>, queue: &QueueId) -> String {
    let scheme = if is_amazons(asked.host) { "https" } else { "http" };
    format!("{scheme}://{}/{}/{}", asked.host, queue.account, queue.name)
}

fn show_url(asked: &Asked<'_>, response: Response) -> Option<Struct> {
    Some(Struct::new().with("QueueUrl", url(asked, &response.queue_url()?)))
}

fn map(input: &Struct, name: &str) -> BTreeMap<String, String> {
    let entries = input.map(name).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect()
}

fn show_map(map: BTreeMap<String, String>) -> Value {
    Value::Map(map.into_iter().map(|(key, value)| (key, Value::Text(value))).collect())
}

fn seconds(input: &Struct, name: &str) -> Result<Option<u32>, AwsError> {
    let Some(number) = input.int(name) else { return Ok(None) };
    let refused = |_| texts::bad_value(format!("Value {number} for parameter {name} is invalid."));
    u32::try_from(number).map(Some).map_err(refused)
}

fn handle(entry: &Struct) -> String {
    entry.text("ReceiptHandle").unwrap_or_default().to_owned()
}

fn entries<T>(
    asked: &Asked<'_>,
    read: impl Fn(&Struct) -> Result<T, AwsError>,
) -> Result<Vec<BatchEntry<T>>, AwsError> {
    let each = asked.input.structs("Entries");
    each.map(|entry| Ok(BatchEntry::new(entry.text("Id").unwrap_or_default(), read(entry)?))).collect()
}

fn message(input: &Struct) -> Result<NewMessage, AwsError> {
    for unread in ["MessageSystemAttributes", "MessageDeduplicationId", "MessageGroupId"] {
        if input.has(unread) {
            let message = format!("{unread} is not simulated: leave it out");
            return Err(AwsError::new("UnsupportedOperation", message));
        }
    }
    let attribute = |(name, value): (&String, &Value)| {
        let value = value.as_struct()?;
        let attribute = MessageAttribute {
            data_type: value.text("DataType").unwrap_or_default().to_owned(),
            string: value.text("StringValue").map(str::to_owned),
            binary: value.blob("BinaryValue").map(<[u8]>::to_vec),
        };
        Some((name.clone(), attribute))
    };
    let attributes = input.map("MessageAttributes").into_iter().flatten().filter_map(attribute).collect();
    let body = input.text("MessageBody").unwrap_or_default().to_owned();
    Ok(NewMessage { body, delay_s: seconds(input, "DelaySeconds")?, attributes })
}

/// ReceiveMessage as it was asked. The server, which does the waiting, reads it too.
pub(crate) fn receive(asked: &Asked<'_>) -> Result<Receive, AwsError> {
    let number = |name| seconds(asked.input, name);
    let names = asked.texts("AttributeNames").into_iter().chain(asked.texts("MessageSystemAttributeNames"));
    for name in names {
        if name != "All" && !SYSTEM.contains(&name.as_str()) && !ELSEWHERE.contains(&name.as_str()) {
            return Err(AwsError::new("InvalidAttributeName", format!("Unknown Attribute {name}.")));
        }
    }
    Ok(Receive {
        queue: queue(asked)?,
        max_messages: number("MaxNumberOfMessages")?,
        visibility_timeout_s: number("VisibilityTimeout")?,
        wait_s: number("WaitTimeSeconds")?,
    })
}

fn show_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> BTreeMap<String, Value> {
    let show = |attribute: &MessageAttribute| {
        let MessageAttribute { data_type, string, binary } = attribute;
        let shown = Struct::new().with("DataType", data_type).with_opt("StringValue", string.as_ref());
        shown.with_opt("BinaryValue", binary.clone().map(Value::Blob))
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), Value::Struct(show(attribute)))).collect()
}

fn show_sent(sent: &SentMessage) -> Struct {
    Struct::new()
        .with("MessageId", &sent.message_id)
        .with("MD5OfMessageBody", md5_hex(sent.body.as_bytes()))
        .with_opt("MD5OfMessageAttributes", md5_of_attributes(&show_attributes(&sent.attributes)))
}

fn show_batch<T>(results: Vec<BatchResult<T>>, show: impl Fn(String, T) -> Struct) -> Struct {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for BatchResult { id, result } in results {
        match result {
            Ok(done) => successful.push(show(id, done)),
            Err(error) => failed.push(
                Struct::new()
                    .with("Id", id)
                    .with("SenderFault", true)
                    .with("Code", error.code)
                    .with("Message", error.message),
            ),
        }
    }
    Struct::new().with("Successful", Value::list(successful)).with("Failed", Value::list(failed))
}

/// Only what was asked for besides the body.
fn show_message(asked: &Asked<'_>, message: &ReceivedMessage) -> Struct {
    let of_system = [
        message.sender_id.clone(),
        message.sent_ms.to_string(),
        message.receive_count.to_string(),
        message.first_received_ms.to_string(),
    ];
    let mut names = asked.texts("AttributeNames");
    names.extend(asked.texts("MessageSystemAttributeNames"));
    let wanted = |name: &str| names.iter().any(|asked| asked == name || asked == "All");
    let of_system: BTreeMap<String, Value> = SYSTEM
        .into_iter()
        .zip(of_system)
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.to_owned(), Value::Text(value)))
        .collect();
    let mut own = show_attributes(&message.attributes);
    let patterns = asked.texts("MessageAttributeNames");
    own.retain(|name, _| patterns.iter().any(|pattern| takes(pattern, name)));
    let digest = md5_of_attributes(&own);
    Struct::new()
        .with("MessageId", &message.message_id)
        .with("ReceiptHandle", &message.receipt_handle)
        .with("MD5OfBody", md5_hex(message.body.as_bytes()))
        .with("Body", &*message.body)
        .with_opt("Attributes", (!of_system.is_empty()).then_some(Value::Map(of_system)))
        .with_opt("MD5OfMessageAttributes", digest)
        .with_opt("MessageAttributes", (!own.is_empty()).then_some(Value::Map(own)))
}

/// `All` and `.*` take every attribute, `x.*` those that begin so.
fn takes(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(start) => name.starts_with(start),
        None => pattern == "All" || pattern == name,
    }
}
