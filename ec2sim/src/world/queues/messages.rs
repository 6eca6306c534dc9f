//! Messages: at least once, in no order, hidden for a while after each receive, gone when their time is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{bad_parameter, no_queue};
use crate::chance::Choice;
use crate::error::AwsError;
use crate::identity::uuid;
use crate::queue::{Body, MessageAttribute, NewMessage, QueueId, Receive, ReceivedMessage, SentMessage};
use crate::view::Response;
use crate::world::agenda::Due;
use crate::world::{self, Cx};

/// Messages received and not yet deleted, at most.
const IN_FLIGHT_MOST: usize = 120_000;
/// Of how many messages the next one is picked: enough for any order, and few enough for a model checker.
const WINDOW: usize = 8;
/// No message stays hidden longer than this after it was received.
const HIDDEN_MOST_MS: u64 = 43_200_000;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Message {
    number: u64,
    body: Body,
    attributes: BTreeMap<String, MessageAttribute>,
    sender_id: Arc<str>,
    /// In milliseconds since 1970, for those who read it.
    sent_wall_ms: i64,
    first_received_wall_ms: Option<i64>,
    /// When it may be received, from the start or again.
    visible_ms: u64,
    gone_ms: u64,
    /// How often it was; the last receive's handle names this number.
    received: u32,
    received_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Visible = 0,
    InFlight = 1,
    Delayed = 2,
}

impl Message {
    pub(super) fn state_at(&self, now_ms: u64) -> State {
        match (self.visible_ms <= now_ms, self.received) {
            (true, _) => State::Visible,
            (false, 0) => State::Delayed,
            (false, _) => State::InFlight,
        }
    }

    pub(super) fn start_at(&mut self, now_ms: u64) {
        for at_ms in [&mut self.visible_ms, &mut self.gone_ms, &mut self.received_ms] {
            *at_ms = at_ms.saturating_sub(now_ms);
        }
    }

    fn id(&self) -> String {
        uuid("message", self.number)
    }

    fn handle(&self) -> String {
        format!("AQEB{}+{:016x}{:08x}", self.id(), self.number, self.received)
    }
}

/// A handle's message, and which receive of it gave the handle.
fn parse_handle(handle: &str) -> Result<(u64, u32), AwsError> {
    let parse = || {
        let numbers = handle.strip_prefix("AQEB")?.split_once('+')?.1;
        let number = u64::from_str_radix(numbers.get(..16)?, 16).ok()?;
        let received = u32::from_str_radix(numbers.get(16..24)?, 16).ok()?;
        let named = uuid("message", number);
        (handle == format!("AQEB{named}+{number:016x}{received:08x}")).then_some((number, received))
    };
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    parse().ok_or_else(|| AwsError::new("ReceiptHandleIsInvalid", message))
}

fn check_body(message: &NewMessage, most_bytes: u32) -> Result<(), AwsError> {
    if message.body.is_empty() {
        return Err(AwsError::new("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if !message.body.chars().all(allowed) {
        let message = "Message contains characters outside the allowed set.";
        return Err(AwsError::new("InvalidMessageContents", message));
    }
    if let Some((name, attribute)) = message.attributes.iter().find(|(_, attribute)| !is_whole(attribute)) {
        return Err(bad_parameter(format!(
            "The message attribute '{name}' must contain a value of its type '{}'.",
            attribute.data_type
        )));
    }
    let of = |(name, attribute): (&String, &MessageAttribute)| {
        let value = attribute.string.as_ref().map_or(0, String::len);
        name.len() + attribute.data_type.len() + value + attribute.binary.as_ref().map_or(0, Vec::len)
    };
    let bytes = message.body.len() + message.attributes.iter().map(of).sum::<usize>();
    if bytes > most_bytes as usize {
        return Err(bad_parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most_bytes} bytes."
        )));
    }
    Ok(())
}

fn is_whole(attribute: &MessageAttribute) -> bool {
    let MessageAttribute { data_type, string, binary } = attribute;
    match data_type.split('.').next() {
        Some("String" | "Number") => string.as_ref().is_some_and(|text| !text.is_empty()) && binary.is_none(),
        Some("Binary") => binary.as_ref().is_some_and(|bytes| !bytes.is_empty()) && string.is_none(),
        _ => false,
    }
}

impl world::State {
    pub(crate) fn send_message(
        &mut self,
        cx: &mut Cx<'_>,
        queue: &QueueId,
        message: &NewMessage,
    ) -> Result<Response, AwsError> {
        self.send_one(cx, queue, message).map(Response::Sent)
    }

    pub(super) fn send_one(
        &mut self,
        cx: &mut Cx<'_>,
        queue: &QueueId,
        message: &NewMessage,
    ) -> Result<SentMessage, AwsError> {
        let most_bytes = self.reach(cx.caller, queue)?.settings.max_message_bytes;
        check_body(message, most_bytes)?;
        if message.delay_s.is_some_and(|delay_s| delay_s > 900) {
            return Err(bad_parameter(
                "Value for parameter DelaySeconds is invalid. Reason: must be >= 0 and <= 900.",
            ));
        }
        let sender = cx.caller.principal_id().unwrap_or_else(|| cx.caller.account.to_string());
        let body: Arc<str> = message.body.as_str().into();
        let attributes = message.attributes.clone();
        let text = Body::Text(Arc::clone(&body));
        let number = self.put_message(queue, text, attributes.clone(), &sender, message.delay_s);
        let number = number.ok_or_else(no_queue)?;
        Ok(SentMessage { message_id: uuid("message", number), body, attributes })
    }

    /// `None`: no such queue.
    pub(crate) fn put_message(
        &mut self,
        id: &QueueId,
        body: Body,
        attributes: BTreeMap<String, MessageAttribute>,
        sender_id: &str,
        delay_s: Option<u32>,
    ) -> Option<u64> {
        let (now_ms, sent_wall_ms) = (self.now_ms, self.wall_at(self.now_ms));
        let settings = &self.queues.get(id)?.settings;
        let delay_ms = 1_000 * u64::from(delay_s.unwrap_or(settings.delay_s));
        let gone_ms = now_ms.saturating_add(1_000 * u64::from(settings.retention_s));
        self.queues.last += 1;
        let number = self.queues.last;
        let message = Message {
            number,
            body,
            attributes,
            sender_id: sender_id.into(),
            sent_wall_ms,
            first_received_wall_ms: None,
            visible_ms: now_ms.saturating_add(delay_ms),
            gone_ms,
            received: 0,
            received_ms: now_ms,
        };
        self.insert_message(id, message);
        Some(number)
    }

    fn insert_message(&mut self, id: &QueueId, message: Message) {
        let number = message.number;
        self.agenda.add(message.gone_ms, Due::MessageGone(id.clone(), number));
        if message.visible_ms > self.now_ms {
            self.agenda.add(message.visible_ms, Due::MessageVisible(id.clone(), number));
        }
        if let Some(queue) = self.queues.get_mut(id) {
            queue.messages.insert(number, message);
        }
    }

    pub(crate) fn message_expires(&mut self, id: &QueueId, number: u64) {
        self.remove_message(id, number);
    }

    fn remove_message(&mut self, id: &QueueId, number: u64) -> Option<Message> {
        let message = self.queues.get_mut(id)?.messages.remove(&number)?;
        self.agenda.cancel(message.gone_ms, Due::MessageGone(id.clone(), number));
        self.agenda.cancel(message.visible_ms, Due::MessageVisible(id.clone(), number));
        Some(message)
    }

    pub(super) fn drop_messages(&mut self, id: &QueueId) {
        let numbers: Vec<u64> =
            self.queues.get(id).into_iter().flat_map(|queue| queue.messages.keys().copied()).collect();
        for number in numbers {
            self.remove_message(id, number);
        }
    }

    /// A new retention time counts for the messages that are there too.
    pub(super) fn keep_messages_anew(&mut self, id: &QueueId, kept_before_s: u32) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        let kept_s = queue.settings.retention_s;
        if kept_s == kept_before_s {
            return;
        }
        for message in queue.messages.values_mut() {
            self.agenda.cancel(message.gone_ms, Due::MessageGone(id.clone(), message.number));
            let sent_ms = message.gone_ms.saturating_sub(1_000 * u64::from(kept_before_s));
            message.gone_ms = sent_ms.saturating_add(1_000 * u64::from(kept_s));
            self.agenda.add(message.gone_ms, Due::MessageGone(id.clone(), message.number));
        }
    }

    fn set_visible(&mut self, id: &QueueId, number: u64, visible_ms: u64, change: impl FnOnce(&mut Message)) {
        let now_ms = self.now_ms;
        let Some(queue) = self.queues.get_mut(id) else { return };
        let Some(message) = queue.messages.get_mut(&number) else { return };
        let before_ms = std::mem::replace(&mut message.visible_ms, visible_ms);
        change(message);
        self.agenda.cancel(before_ms, Due::MessageVisible(id.clone(), number));
        if visible_ms > now_ms {
            self.agenda.add(visible_ms, Due::MessageVisible(id.clone(), number));
        }
    }

    pub(crate) fn receive_messages(
        &mut self,
        cx: &mut Cx<'_>,
        asked: &Receive,
    ) -> Result<Response, AwsError> {
        let Receive { queue: id, max_messages, visibility_timeout_s, wait_s } = asked;
        let queue = self.reach(cx.caller, id)?;
        let most = max_messages.unwrap_or(1);
        let hidden_s = visibility_timeout_s.unwrap_or(queue.settings.visibility_timeout_s);
        let wait_s = wait_s.unwrap_or(queue.settings.wait_s);
        check_range("MaxNumberOfMessages", most, 1..=10)?;
        check_range("VisibilityTimeout", hidden_s, 0..=43_200)?;
        check_range("WaitTimeSeconds", wait_s, 0..=20)?;
        let in_flight = |message: &&Message| message.state_at(self.now_ms) == State::InFlight;
        if queue.messages.values().filter(in_flight).count() >= IN_FLIGHT_MOST {
            let message = format!("Too many messages in flight in {}: delete what was received.", id.name);
            return Err(AwsError::new("OverLimit", message));
        }
        let visible = |message: &&Message| message.state_at(self.now_ms) == State::Visible;
        let mut ready: Vec<u64> =
            queue.messages.values().filter(visible).map(|message| message.number).collect();
        if !ready.is_empty() && wait_s == 0 && cx.pick(Choice::ReceiveMisses, 2) == 1 {
            ready.clear();
        }
        let mut received = Vec::new();
        while received.len() < most as usize && !ready.is_empty() {
            let ways = ready.len().min(WINDOW);
            let number = ready.remove(if ways > 1 { cx.pick(Choice::MessageOrder, ways) } else { 0 });
            received.extend(self.receive_one(cx, id, number, hidden_s));
        }
        Ok(Response::Messages(received))
    }

    /// `None`: it was received too often, and is a dead letter now.
    fn receive_one(
        &mut self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        number: u64,
        hidden_s: u32,
    ) -> Option<ReceivedMessage> {
        if self.bury_letter(id, number) {
            return None;
        }
        let (now_ms, wall_ms) = (self.now_ms, self.wall_at(self.now_ms));
        let hides = cx.pick(Choice::MessageAgain, 2) == 0;
        let visible_ms = if hides { now_ms.saturating_add(1_000 * u64::from(hidden_s)) } else { now_ms };
        self.set_visible(id, number, visible_ms, |message| {
            message.received += 1;
            message.received_ms = now_ms;
            message.first_received_wall_ms.get_or_insert(wall_ms);
        });
        let message = self.queues.get(id)?.messages.get(&number)?;
        Some(ReceivedMessage {
            message_id: message.id(),
            receipt_handle: message.handle(),
            body: message.body.text(),
            attributes: message.attributes.clone(),
            sender_id: message.sender_id.as_ref().to_owned(),
            sent_ms: message.sent_wall_ms,
            receive_count: message.received,
            first_received_ms: message.first_received_wall_ms.unwrap_or(wall_ms),
        })
    }

    /// Moves a message that has been received often enough to the dead-letter queue. Without such a queue it stays.
    fn bury_letter(&mut self, id: &QueueId, number: u64) -> bool {
        let Some(queue) = self.queues.get(id) else { return false };
        let (Some(redrive), Some(message)) = (&queue.settings.redrive, queue.messages.get(&number)) else {
            return false;
        };
        let to = redrive.dead_letters.clone();
        if message.received < redrive.max_receive_count || to == *id || self.queues.get(&to).is_none() {
            return false;
        }
        // Its age goes on counting from when it was first sent.
        let Some(mut message) = self.remove_message(id, number) else { return false };
        message.visible_ms = self.now_ms;
        message.received = 0;
        self.insert_message(&to, message);
        true
    }

    /// The message that a handle leads to; `None` if it is gone, or was received again since.
    fn handled(&self, cx: &Cx<'_>, id: &QueueId, handle: &str) -> Result<Option<&Message>, AwsError> {
        let queue = self.reach(cx.caller, id)?;
        let (number, received) = parse_handle(handle)?;
        Ok(queue.messages.get(&number).filter(|message| message.received == received))
    }

    /// A message that is gone already is no error.
    pub(crate) fn delete_message(
        &mut self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        handle: &str,
    ) -> Result<Response, AwsError> {
        let Some(number) = self.handled(cx, id, handle)?.map(|message| message.number) else {
            return Ok(Response::Done);
        };
        if cx.pick(Choice::DeleteForgotten, 2) == 0 {
            self.remove_message(id, number);
        }
        Ok(Response::Done)
    }

    pub(crate) fn change_visibility(
        &mut self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        handle: &str,
        timeout_s: u32,
    ) -> Result<Response, AwsError> {
        check_range("VisibilityTimeout", timeout_s, 0..=43_200)?;
        let now_ms = self.now_ms;
        let in_flight = |message: &&Message| message.state_at(now_ms) == State::InFlight;
        let message = self
            .handled(cx, id, handle)?
            .filter(in_flight)
            .ok_or_else(|| AwsError::new("MessageNotInflight", "The specified message isn't in flight."))?;
        let (number, visible_ms) = (message.number, now_ms.saturating_add(1_000 * u64::from(timeout_s)));
        if visible_ms > message.received_ms.saturating_add(HIDDEN_MOST_MS) {
            return Err(bad_parameter(format!(
                "Value {timeout_s} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for \
                 the message is beyond the limit [43200 seconds]."
            )));
        }
        self.set_visible(id, number, visible_ms, |_| {});
        Ok(Response::Done)
    }
}

fn check_range(name: &str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<(), AwsError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = range.into_inner();
    Err(bad_parameter(format!(
        "Value {value} for parameter {name} is invalid. Reason: Must be >= {least} and <= {most}, if provided."
    )))
}
