//! What CloudTrail tells: hints and witnesses in, nothing out. This room never acts, and concludes nothing.
//!
//! ```text
//! queue     messages from SQS, each handed over before it is deleted
//! history   CloudTrail's event history, asked about one loss at a time
//! reach     whether a queue answers, without taking anything from it
//! parse     what a record says, whatever bytes it comes as
//! ```

mod history;
pub mod parse;
mod queue;
mod reach;
mod url;

use std::future::Future;
use std::sync::Arc;

use peerkeeper_core::trail::TrailEvent;

pub use history::{History, Question, Told};
pub use parse::{Ignored, Parsed};
pub use queue::{Consumer, Seen};
pub use reach::{Reached, reach};
pub use url::QueueUrl;

/// Who is told.
pub trait Ear: Send + Sync + 'static {
    /// Takes an event over. Its message is deleted only once this has ended; whoever dies in between is told again.
    fn take(&self, queue: &Arc<str>, event: Arc<TrailEvent>) -> impl Future<Output = ()> + Send;

    /// What else there is to say of a queue: for metrics, logs and its health.
    fn news(&self, queue: &Arc<str>, news: News<'_>);
}

/// What a queue's consumer has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// The queue answered, with so many messages.
    Received(usize),
    /// An event was read that was not heard before.
    Event(&'a TrailEvent),
    /// One that was, on whatever way.
    Duplicate,
    Ignored(&'a Ignored),
    Poison(&'a str),
    /// The queue could not be read, or what was handed over not be deleted.
    Failed(&'a str),
}

#[cfg(test)]
mod tests;
