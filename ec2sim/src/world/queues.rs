//! SQS: standard queues, their attributes and their life. Their messages are in `messages`.

mod batch;
mod messages;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Cx, State, World};
use crate::error::AwsError;
use crate::ids::AccountId;
use crate::queue::{QueueId, Receive};
use crate::request::{Caller, Tags};
use crate::view::{Page, Response};

use messages::Message;
use settings::Settings;

/// Between the deletion of a queue and a new one of its name, and between two purges.
const MINUTE_MS: u64 = 60_000;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Queue {
    settings: Settings,
    tags: Tags,
    created_ms: u64,
    modified_ms: u64,
    purged_ms: Option<u64>,
    /// Other accounts that may use it, as its policy would say.
    open_to: BTreeSet<AccountId>,
    /// In the order of their arrival.
    messages: BTreeMap<u64, Message>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Queues {
    by_id: Arc<BTreeMap<QueueId, Arc<Queue>>>,
    /// When they were.
    deleted: Arc<BTreeMap<QueueId, u64>>,
    /// Numbers messages.
    last: u64,
}

impl Queues {
    fn get(&self, id: &QueueId) -> Option<&Queue> {
        self.by_id.get(id).map(AsRef::as_ref)
    }

    fn get_mut(&mut self, id: &QueueId) -> Option<&mut Queue> {
        Arc::make_mut(&mut self.by_id).get_mut(id).map(Arc::make_mut)
    }

    /// Counts from this moment on. Times of the past all become now: what hangs on them is as old as it can be.
    pub(crate) fn start_at(&mut self, now_ms: u64) {
        let earlier = |at_ms: u64| at_ms.saturating_sub(now_ms);
        if !self.deleted.is_empty() {
            let recent = self.deleted.iter().filter(|(_, at_ms)| *at_ms + MINUTE_MS > now_ms);
            self.deleted = Arc::new(recent.map(|(id, at_ms)| (id.clone(), earlier(*at_ms))).collect());
        }
        if self.by_id.is_empty() {
            return;
        }
        for queue in Arc::make_mut(&mut self.by_id).values_mut() {
            let queue = Arc::make_mut(queue);
            queue.created_ms = earlier(queue.created_ms);
            queue.modified_ms = earlier(queue.modified_ms);
            queue.purged_ms = queue.purged_ms.filter(|at_ms| at_ms + MINUTE_MS > now_ms).map(earlier);
            queue.messages.values_mut().for_each(|message| message.start_at(now_ms));
        }
    }
}

fn no_queue() -> AwsError {
    AwsError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

fn no_access(queue: &QueueId) -> AwsError {
    let message = format!("Access to the resource {queue} is denied.");
    AwsError::new("AccessDenied", message)
}

fn bad_parameter(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterValue", message)
}

/// In the Region of the call; another account's needs that account's leave.
fn may_use(queue: &Queue, id: &QueueId, caller: &Caller) -> bool {
    id.account == caller.account || queue.open_to.contains(&caller.account)
}

impl State {
    fn reach(&self, caller: &Caller, id: &QueueId) -> Result<&Queue, AwsError> {
        let queue = self.queues.get(id).filter(|_| id.region == caller.region).ok_or_else(no_queue)?;
        if may_use(queue, id, caller) { Ok(queue) } else { Err(no_access(id)) }
    }

    /// What an owner may do alone.
    fn own_queue(&self, cx: &mut Cx<'_>, id: &QueueId) -> Result<&Queue, AwsError> {
        cx.touch(id.name.as_ref());
        let queue = self.reach(cx.caller, id)?;
        if id.account == cx.caller.account { Ok(queue) } else { Err(no_access(id)) }
    }

    /// The same name with the same attributes is the same queue.
    pub(crate) fn create_queue(
        &mut self,
        cx: &mut Cx<'_>,
        name: &str,
        attributes: &BTreeMap<String, String>,
        tags: &Tags,
    ) -> Result<Response, AwsError> {
        cx.touch(name);
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || name.len() > 80 || !name.chars().all(fine) {
            let message =
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(bad_parameter(message));
        }
        let settings = Settings::default().with(attributes)?;
        let id = QueueId::new(&cx.caller.account, &cx.caller.region, name);
        if let Some(queue) = self.queues.get(&id) {
            if queue.settings.clone().with(attributes)? == queue.settings {
                return Ok(Response::QueueUrl(id));
            }
            let message = "A queue already exists with the same name and a different value for an attribute";
            return Err(AwsError::new("QueueNameExists", message));
        }
        let now_ms = self.now_ms;
        let recently = |at_ms: &u64| at_ms.saturating_add(MINUTE_MS) > now_ms;
        if self.queues.deleted.get(&id).is_some_and(recently) {
            let message = "You must wait 60 seconds after deleting a queue before you can create another with \
                           the same name.";
            return Err(AwsError::new("QueueDeletedRecently", message));
        }
        Arc::make_mut(&mut self.queues.deleted).retain(|_, at_ms| recently(at_ms));
        let queue = Queue {
            settings,
            tags: tags.clone(),
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: None,
            open_to: BTreeSet::new(),
            messages: BTreeMap::new(),
        };
        Arc::make_mut(&mut self.queues.by_id).insert(id.clone(), Arc::new(queue));
        Ok(Response::QueueUrl(id))
    }

    pub(crate) fn delete_queue(&mut self, cx: &mut Cx<'_>, id: &QueueId) -> Result<Response, AwsError> {
        self.own_queue(cx, id)?;
        self.drop_messages(id);
        Arc::make_mut(&mut self.queues.by_id).remove(id);
        Arc::make_mut(&mut self.queues.deleted).insert(id.clone(), self.now_ms);
        Ok(Response::Done)
    }

    pub(crate) fn purge_queue(&mut self, cx: &mut Cx<'_>, id: &QueueId) -> Result<Response, AwsError> {
        let now_ms = self.now_ms;
        let purged_ms = self.own_queue(cx, id)?.purged_ms;
        if purged_ms.is_some_and(|at_ms| at_ms.saturating_add(MINUTE_MS) > now_ms) {
            let message =
                format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", id.name);
            return Err(AwsError::new("PurgeQueueInProgress", message));
        }
        self.drop_messages(id);
        if let Some(queue) = self.queues.get_mut(id) {
            queue.purged_ms = Some(now_ms);
        }
        Ok(Response::Done)
    }

    pub(crate) fn set_queue_attributes(
        &mut self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Response, AwsError> {
        let settings = self.own_queue(cx, id)?.settings.clone().with(attributes)?;
        let now_ms = self.now_ms;
        let Some(queue) = self.queues.get_mut(id) else { return Err(no_queue()) };
        queue.modified_ms = now_ms;
        let kept_before_s = std::mem::replace(&mut queue.settings, settings).retention_s;
        self.keep_messages_anew(id, kept_before_s);
        Ok(Response::Done)
    }

    pub(crate) fn change_queue_tags(
        &mut self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        change: impl FnOnce(&mut Tags),
    ) -> Result<Response, AwsError> {
        self.own_queue(cx, id)?;
        if let Some(queue) = self.queues.get_mut(id) {
            change(&mut queue.tags);
        }
        Ok(Response::Done)
    }

    pub(crate) fn queue_tags(&self, cx: &mut Cx<'_>, id: &QueueId) -> Result<Response, AwsError> {
        Ok(Response::QueueTags(self.own_queue(cx, id)?.tags.clone()))
    }

    pub(crate) fn queue_attributes(
        &self,
        cx: &mut Cx<'_>,
        id: &QueueId,
        names: &[String],
    ) -> Result<Response, AwsError> {
        let queue = self.reach(cx.caller, id)?;
        let all = self.describe_queue(id, queue);
        if let Some(unknown) = names.iter().find(|name| !settings::is_known(name)) {
            return Err(AwsError::new("InvalidAttributeName", format!("Unknown Attribute {unknown}.")));
        }
        let everything = names.iter().any(|name| name == "All");
        let wanted = all.into_iter().filter(|(name, _)| everything || names.contains(name));
        Ok(Response::QueueAttributes(wanted.collect()))
    }

    fn describe_queue(&self, id: &QueueId, queue: &Queue) -> BTreeMap<String, String> {
        let mut waiting = [0_usize; 3];
        for message in queue.messages.values() {
            waiting[message.state_at(self.now_ms) as usize] += 1;
        }
        let seconds = |at_ms: u64| self.wall_at(at_ms).div_euclid(1_000).to_string();
        let mut all = queue.settings.attributes();
        let counted = [
            ("QueueArn", id.to_string()),
            ("CreatedTimestamp", seconds(queue.created_ms)),
            ("LastModifiedTimestamp", seconds(queue.modified_ms)),
            ("ApproximateNumberOfMessages", waiting[messages::State::Visible as usize].to_string()),
            (
                "ApproximateNumberOfMessagesNotVisible",
                waiting[messages::State::InFlight as usize].to_string(),
            ),
            ("ApproximateNumberOfMessagesDelayed", waiting[messages::State::Delayed as usize].to_string()),
        ];
        all.extend(counted.map(|(name, value)| (name.to_owned(), value)));
        all
    }

    pub(crate) fn queue_url(
        &self,
        cx: &mut Cx<'_>,
        name: &str,
        owner: Option<&AccountId>,
    ) -> Result<Response, AwsError> {
        let id = QueueId::new(owner.unwrap_or(&cx.caller.account), &cx.caller.region, name);
        self.reach(cx.caller, &id)?;
        Ok(Response::QueueUrl(id))
    }

    /// The caller's own, by the beginning of their names. A page needs a size, and the token is its last name.
    pub(crate) fn list_queues(
        &self,
        cx: &mut Cx<'_>,
        prefix: &str,
        max_results: Option<u32>,
        next_token: Option<&str>,
    ) -> Result<Response, AwsError> {
        let most = max_results.unwrap_or(1_000);
        if !(1..=1_000).contains(&most) {
            return Err(bad_parameter("MaxResults must be an integer between 1 and 1000"));
        }
        let caller = cx.caller;
        let mine = |id: &&QueueId| {
            caller.is_at(&id.account, &id.region)
                && id.name.starts_with(prefix)
                && next_token.is_none_or(|after| &*id.name > after)
        };
        let mut rest = self.queues.by_id.keys().filter(mine);
        let items: Vec<QueueId> = rest.by_ref().take(most as usize).cloned().collect();
        let more = max_results.is_some() && rest.next().is_some();
        let next_token = items.last().filter(|_| more).map(|id| id.name.as_ref().to_owned());
        Ok(Response::QueueUrls(Page { items, next_token }))
    }
}

impl World {
    /// Lets another account use a queue, as the queue's policy would: to send, receive and delete messages.
    /// False: no such queue.
    pub fn open_queue(&mut self, queue: &QueueId, to: impl Into<AccountId>) -> bool {
        let found = self.state.queues.get_mut(queue);
        found.map(|queue| queue.open_to.insert(to.into())).is_some()
    }

    /// How long this receive waits for a message where there is none, in seconds. The world answers at once; who
    /// carries its answers asks again whenever [`World::next_due`] has passed or something was sent, up to then.
    pub fn receive_wait_s(&self, receive: &Receive) -> u32 {
        let own = self.state.queues.get(&receive.queue).map_or(0, |queue| queue.settings.wait_s);
        receive.wait_s.unwrap_or(own).min(20)
    }

    /// Whether a receive has reason to wait: the caller may use the queue, and it has no message now.
    pub fn can_wait(&self, caller: &Caller, receive: &Receive) -> bool {
        self.state.reach(caller, &receive.queue).is_ok() && !self.has_message(&receive.queue)
    }

    /// The truth: messages in a queue, hidden and delayed ones too.
    pub fn messages_in(&self, queue: &QueueId) -> usize {
        self.state.queues.get(queue).map_or(0, |queue| queue.messages.len())
    }

    /// The truth: whether a receive could find a message there now.
    pub fn has_message(&self, queue: &QueueId) -> bool {
        let visible = |message: &Message| message.state_at(self.state.now_ms) == messages::State::Visible;
        self.state.queues.get(queue).is_some_and(|queue| queue.messages.values().any(visible))
    }
}
