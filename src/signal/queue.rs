//! One SQS queue, read for as long as this replica leads.
//!
//! A message is deleted once what it says was handed over, and not before: who dies in between is told again, and what is
//! heard twice is known by its `eventID`. What can't be read is deleted too, or it would come for ever.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::pace::backoff::{Backoffs, Curve};
use tokio::time::Instant;

use super::parse::{self, Parsed};
use super::url::QueueUrl;
use super::{Ear, News};
use crate::aws::{AccountConfig, Aws, CallError, Door, clock};

/// The longest that SQS waits for a message, and so the fewest calls.
const WAIT_S: i32 = 20;
/// As many as SQS hands out at once.
const BATCH: i32 = 10;
/// How long messages that were handed to us are shown to nobody else, unless it is extended.
const HIDDEN_S: i32 = 60;
/// A call beyond its long poll.
const CALL: Duration = Duration::from_secs(10);
/// After a failure: SQS bills by the call, and a queue that is gone stays gone for long.
const RETRY: Curve = Curve { first_ms: 1_000, most_ms: 60_000 };
/// An endpoint that does not wait for messages must not be asked in a loop.
const LEAST_ROUND: Duration = Duration::from_millis(500);

/// Event ids that were heard, the latest: shared by all queues, as one event may come through several.
#[derive(Debug, Default)]
pub struct Seen {
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    ids: BTreeSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Seen {
    const MOST: usize = 16_384;

    fn contains(&self, id: &str) -> bool {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).ids.contains(id)
    }

    fn insert(&self, id: &Arc<str>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.ids.insert(id.clone()) {
            latest.order.push_back(id.clone());
        }
        if latest.order.len() > Self::MOST
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.ids.remove(&oldest);
        }
    }
}

/// Reads one queue.
pub struct Consumer<E> {
    aws: Aws,
    queue: QueueUrl,
    name: Arc<str>,
    ear: Arc<E>,
    seen: Arc<Seen>,
    /// Which of the ways in is used.
    turn: usize,
    way: Option<Way>,
}

/// One way in: whose credentials, and a client that has them.
#[derive(Clone)]
struct Way {
    config: Option<AccountConfig>,
    door: Door,
    client: Client,
}

impl<E: Ear> Consumer<E> {
    pub fn new(aws: Aws, queue: QueueUrl, ear: Arc<E>, seen: Arc<Seen>) -> Self {
        let name = queue.url.clone();
        Self { aws, queue, name, ear, seen, turn: 0, way: None }
    }

    /// Never ends. A failure is told and followed by a pause.
    pub async fn run(mut self) {
        let mut pauses = Backoffs::new(RETRY);
        loop {
            let began = Instant::now();
            match self.round().await {
                Ok(messages) => {
                    pauses.reset(&());
                    if messages == 0 {
                        tokio::time::sleep(LEAST_ROUND.saturating_sub(began.elapsed())).await;
                    }
                }
                Err(why) => {
                    self.ear.news(&self.name, News::Failed(&why));
                    clock::sleep_until(pauses.failed(clock::now(), &(), fastrand::u64(..))).await;
                }
            }
        }
    }

    /// Receives, hands over, deletes. How many messages came.
    async fn round(&mut self) -> Result<usize, String> {
        let (way, messages) = self.receive().await?;
        self.ear.news(&self.name, News::Received(messages.len()));
        if messages.is_empty() {
            return Ok(0);
        }
        let handed = async {
            for message in &messages {
                self.hand_over(message.body().unwrap_or_default()).await;
            }
        };
        tokio::pin!(handed);
        let extend = Duration::from_secs(HIDDEN_S.unsigned_abs().into()) / 2;
        while tokio::time::timeout(extend, &mut handed).await.is_err() {
            self.extend(&way, &messages).await;
        }
        self.delete(&way, &messages).await?;
        Ok(messages.len())
    }

    async fn receive(&mut self) -> Result<(Way, Vec<Message>), String> {
        let (ways, mut tried) = (self.ways(), 1);
        loop {
            let failed = match self.way(&ways).await {
                Err(why) => why,
                Ok(way) => match self.receive_by(&way).await {
                    Ok(messages) => return Ok((way, messages)),
                    Err(error) if error.kind() == RefusalKind::Denied => error.to_string(),
                    Err(error) => return Err(error.to_string()),
                },
            };
            // Another way in may do. Only when none does it is a failure.
            self.turn += 1;
            if tried == ways.len() {
                return Err(failed);
            }
            tried += 1;
        }
    }

    /// AwsAccounts of the queue's own account, then the operator's own credentials.
    fn ways(&self) -> Vec<Option<AccountConfig>> {
        let of_queue = |config: &AccountConfig| config.account_id == self.queue.at.account;
        self.aws.accounts().into_iter().filter(of_queue).map(Some).chain([None]).collect()
    }

    async fn way(&mut self, ways: &[Option<AccountConfig>]) -> Result<Way, String> {
        let config = ways[self.turn % ways.len()].clone();
        let way = match self.way.take().filter(|held| held.config == config) {
            Some(held) => held,
            None => self.open(config).map_err(|error| error.to_string())?,
        };
        self.way = Some(way.clone());
        way.door.ready().await.map_err(|error| error.to_string())?;
        Ok(way)
    }

    fn open(&self, config: Option<AccountConfig>) -> Result<Way, crate::aws::IdentityError> {
        let name = config.as_ref().map(|config| &*config.name);
        let door = self.aws.door(name, self.queue.at.region)?;
        let wait = Duration::from_secs(WAIT_S.unsigned_abs().into());
        let mut conf = aws_sdk_sqs::config::Builder::from(&door.sdk_config(wait + CALL));
        if let Some(endpoint) = &self.queue.endpoint {
            conf = conf.endpoint_url(endpoint.as_ref());
        }
        Ok(Way { config, door, client: Client::from_conf(conf.build()) })
    }

    async fn receive_by(&self, way: &Way) -> Result<Vec<Message>, CallError> {
        let ask = way
            .client
            .receive_message()
            .queue_url(&*self.queue.url)
            .max_number_of_messages(BATCH)
            .wait_time_seconds(WAIT_S)
            .visibility_timeout(HIDDEN_S);
        let answer = way.door.call(self.queue.at, "ReceiveMessage", ask.send()).await?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn hand_over(&self, body: &str) {
        match parse::envelope(body) {
            Parsed::Event(event) if self.seen.contains(&event.id) => {
                self.ear.news(&self.name, News::Duplicate);
            }
            Parsed::Event(event) => {
                self.ear.news(&self.name, News::Event(&event));
                let id = event.id.clone();
                self.ear.take(&self.name, event).await;
                self.seen.insert(&id);
            }
            Parsed::Ignored(why) => self.ear.news(&self.name, News::Ignored(&why)),
            Parsed::Poison(why) => self.ear.news(&self.name, News::Poison(&why)),
        }
    }

    /// A failure is no trouble: the messages come again, and are known then.
    async fn extend(&self, way: &Way, messages: &[Message]) {
        let entry = |(n, message): (usize, &Message)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(n.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .visibility_timeout(HIDDEN_S)
                .build()
                .ok()
        };
        let entries = messages.iter().enumerate().filter_map(entry).collect();
        let ask = way
            .client
            .change_message_visibility_batch()
            .queue_url(&*self.queue.url)
            .set_entries(Some(entries));
        if let Err(error) = way.door.call(self.queue.at, "ChangeMessageVisibilityBatch", ask.send()).await {
            tracing::warn!(queue = %self.name, %error, "messages may be shown to another before they are handled");
        }
    }

    async fn delete(&self, way: &Way, messages: &[Message]) -> Result<(), String> {
        let entry = |(n, message): (usize, &Message)| {
            let handle = message.receipt_handle()?;
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(handle).build().ok()
        };
        let entries = messages.iter().enumerate().filter_map(entry).collect();
        let ask = way.client.delete_message_batch().queue_url(&*self.queue.url).set_entries(Some(entries));
        let answer = way.door.call(self.queue.at, "DeleteMessageBatch", ask.send()).await;
        let answer = answer.map_err(|error| format!("what was handled could not be deleted: {error}"))?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => Err(format!(
                "{} messages that were handled could not be deleted: {}",
                answer.failed().len(),
                failed.code()
            )),
        }
    }
}
