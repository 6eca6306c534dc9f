//! SQS: queues, and their messages in `sqs/messages.rs`.

mod messages;

use std::collections::BTreeMap;

use crate::error::AwsError;
use crate::queue::QueueId;
use crate::request::Request;
use crate::wire::mapping::{Asked, Mapping, done};
use crate::wire::value::{Struct, Value};

pub(crate) use messages::OPERATIONS as MESSAGE_OPERATIONS;

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateQueue",
        reads: &["QueueName", "Attributes", "tags"],
        ask: |asked| {
            Ok(Request::CreateQueue {
                name: asked.must("QueueName")?,
                attributes: text_map(asked, "Attributes"),
                tags: text_map(asked, "tags"),
            })
        },
        answer: |asked, response| Some(Struct::new().with("QueueUrl", url(asked, &response.queue_url()?))),
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
        name: "SetQueueAttributes",
        reads: &["QueueUrl", "Attributes"],
        ask: |asked| {
            Ok(Request::SetQueueAttributes {
                queue: queue(asked)?,
                attributes: text_map(asked, "Attributes"),
            })
        },
        answer: done,
    },
    Mapping {
        name: "GetQueueAttributes",
        reads: &["QueueUrl", "AttributeNames"],
        ask: |asked| {
            Ok(Request::GetQueueAttributes { queue: queue(asked)?, names: asked.texts("AttributeNames") })
        },
        answer: |_, response| {
            let attributes = response.queue_attributes()?;
            Some(Struct::new().with_opt("Attributes", some_map(attributes)))
        },
    },
    Mapping {
        name: "GetQueueUrl",
        reads: &["QueueName", "QueueOwnerAWSAccountId"],
        ask: |asked| {
            Ok(Request::GetQueueUrl {
                name: asked.must("QueueName")?,
                owner: asked.text("QueueOwnerAWSAccountId").map(|id| id.as_str().into()),
            })
        },
        answer: |asked, response| Some(Struct::new().with("QueueUrl", url(asked, &response.queue_url()?))),
    },
    Mapping {
        name: "ListQueues",
        reads: &["QueueNamePrefix", "MaxResults", "NextToken"],
        ask: |asked| {
            Ok(Request::ListQueues {
                prefix: asked.text("QueueNamePrefix").unwrap_or_default(),
                max_results: asked.count("MaxResults")?,
                next_token: asked.text("NextToken"),
            })
        },
        answer: |asked, response| {
            let page = response.queue_urls()?;
            let urls: Vec<String> = page.items.iter().map(|id| url(asked, id)).collect();
            let urls = (!urls.is_empty()).then_some(urls);
            Some(Struct::new().with_opt("QueueUrls", urls).with_opt("NextToken", page.next_token))
        },
    },
];

/// The host that the client called, so that clients who send to the URL itself arrive here again.
fn url(asked: &Asked<'_>, queue: &QueueId) -> String {
    let QueueId { account, region, name } = queue;
    match asked.host {
        Some(host) if !is_awss(host) => format!("http://{host}/{account}/{name}"),
        _ => {
            let china = if region.partition() == "aws-cn" { ".cn" } else { "" };
            format!("https://sqs.{region}.amazonaws.com{china}/{account}/{name}")
        }
    }
}

fn is_awss(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// By its URL: whatever the host, unless that is AWS's own of another Region.
fn queue(asked: &Asked<'_>) -> Result<QueueId, AwsError> {
    let address = asked.must("QueueUrl")?;
    let refused =
        || AwsError::new("InvalidAddress", format!("The address {address} is not valid for this endpoint."));
    let rest = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let parts: Vec<&str> = rest.split('/').collect();
    let [host, account, name] = parts[..] else { return Err(refused()) };
    let region = asked.caller.region.as_str();
    if account.is_empty() || name.is_empty() || (is_awss(host) && !host.split('.').any(|part| part == region))
    {
        return Err(refused());
    }
    Ok(QueueId::new(account, region, name))
}

fn text_map(asked: &Asked<'_>, name: &str) -> BTreeMap<String, String> {
    let entries = asked.input.map(name).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect()
}

/// What there is, or nothing at all: SQS sends no empty maps.
fn some_map(entries: BTreeMap<String, String>) -> Option<Value> {
    let entries: BTreeMap<String, Value> =
        entries.into_iter().map(|(key, text)| (key, Value::Text(text))).collect();
    (!entries.is_empty()).then_some(Value::Map(entries))
}
