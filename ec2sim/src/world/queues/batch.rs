//! Batches: up to ten at once, each faring for itself.

use std::collections::BTreeSet;

use crate::error::AwsError;
use crate::queue::{BatchEntry, BatchResult, NewMessage, QueueId};
use crate::view::Response;
use crate::world::{Cx, State};

/// All messages of a batch together, in bytes.
const MOST_BYTES: usize = 1_048_576;

fn check<T>(entries: &[BatchEntry<T>]) -> Result<(), AwsError> {
    let refused = |code, message: &str| Err(AwsError::new(code, message));
    if entries.is_empty() {
        return refused("EmptyBatchRequest", "There should be at least one entry in the request.");
    }
    if entries.len() > 10 {
        return refused("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut ids = BTreeSet::new();
    for entry in entries {
        if entry.id.is_empty() || entry.id.len() > 80 || !entry.id.chars().all(fine) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It \
                           can be at most 80 letters long.";
            return refused("InvalidBatchEntryId", message);
        }
        if !ids.insert(&entry.id) {
            return Err(AwsError::new("BatchEntryIdsNotDistinct", format!("Id {} repeated.", entry.id)));
        }
    }
    Ok(())
}

impl State {
    pub(crate) fn send_batch(
        &mut self,
        cx: &mut Cx<'_>,
        queue: &QueueId,
        entries: &[BatchEntry<NewMessage>],
    ) -> Result<Response, AwsError> {
        self.reach(cx.caller, queue)?;
        check(entries)?;
        if entries.iter().map(|entry| entry.entry.body.len()).sum::<usize>() > MOST_BYTES {
            let message = format!("Batch requests cannot be longer than {MOST_BYTES} bytes.");
            return Err(AwsError::new("BatchRequestTooLong", message));
        }
        let send = |entry: &BatchEntry<NewMessage>| {
            let result = self.send_one(cx, queue, &entry.entry);
            BatchResult { id: entry.id.clone(), result }
        };
        Ok(Response::SentBatch(entries.iter().map(send).collect()))
    }

    pub(crate) fn delete_batch(
        &mut self,
        cx: &mut Cx<'_>,
        queue: &QueueId,
        entries: &[BatchEntry<String>],
    ) -> Result<Response, AwsError> {
        self.reach(cx.caller, queue)?;
        check(entries)?;
        let delete = |entry: &BatchEntry<String>| {
            let result = self.delete_message(cx, queue, &entry.entry).map(|_| ());
            BatchResult { id: entry.id.clone(), result }
        };
        Ok(Response::DoneBatch(entries.iter().map(delete).collect()))
    }

    pub(crate) fn change_visibility_batch(
        &mut self,
        cx: &mut Cx<'_>,
        queue: &QueueId,
        entries: &[BatchEntry<(String, u32)>],
    ) -> Result<Response, AwsError> {
        self.reach(cx.caller, queue)?;
        check(entries)?;
        let change = |entry: &BatchEntry<(String, u32)>| {
            let (handle, timeout_s) = &entry.entry;
            let result = self.change_visibility(cx, queue, handle, *timeout_s).map(|_| ());
            BatchResult { id: entry.id.clone(), result }
        };
        Ok(Response::DoneBatch(entries.iter().map(change).collect()))
    }
}
