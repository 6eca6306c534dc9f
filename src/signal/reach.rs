//! Whether a queue can be reached, without taking anything from it.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;

use super::url::QueueUrl;
use crate::aws::Aws;

const CALL: Duration = Duration::from_secs(10);

/// How a queue answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Whose credentials it answered to.
    pub by: String,
    /// About how many messages wait, as SQS counts.
    pub messages: u64,
}

/// Asks for the queue's length, as the consumer would ask for messages: as an AwsAccount of the queue's own account, else
/// with the process's own credentials. `Err`: the last answer, if none of these does.
pub async fn reach(aws: &Aws, queue: &QueueUrl) -> Result<Reached, String> {
    let of_queue = aws.accounts().into_iter().filter(|config| config.account_id == queue.at.account);
    let mut failed = String::new();
    for name in of_queue.map(|config| Some(config.name)).chain([None]) {
        let by = name.as_ref().map_or("own credentials".to_owned(), |name| format!("AwsAccount {name}"));
        match ask(aws, queue, name.as_deref()).await {
            Ok(messages) => return Ok(Reached { by, messages }),
            Err(why) => failed = format!("GetQueueAttributes by {by}: {why}"),
        }
    }
    Err(failed)
}

async fn ask(aws: &Aws, queue: &QueueUrl, name: Option<&str>) -> Result<u64, String> {
    let door = aws.door(name, queue.at.region).map_err(|error| error.to_string())?;
    door.ready().await.map_err(|error| error.to_string())?;
    let mut conf = aws_sdk_sqs::config::Builder::from(&door.sdk_config(CALL));
    if let Some(endpoint) = &queue.endpoint {
        conf = conf.endpoint_url(endpoint.as_ref());
    }
    let wanted = QueueAttributeName::ApproximateNumberOfMessages;
    let ask = Client::from_conf(conf.build()).get_queue_attributes();
    let ask = ask.queue_url(&*queue.url).attribute_names(wanted.clone());
    let answer =
        door.call(queue.at, "GetQueueAttributes", ask.send()).await.map_err(|error| error.to_string())?;
    let length = answer.attributes().and_then(|all| all.get(&wanted)).and_then(|length| length.parse().ok());
    length.ok_or_else(|| "the answer does not say how many messages wait".to_owned())
}
