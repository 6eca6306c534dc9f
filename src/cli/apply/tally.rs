//! What is told while a run goes on: events in, words out. Whoever shows them says what time it is.

use std::collections::BTreeMap;

use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};

use crate::cli::offline::Stand;
use crate::cli::show::incidents::span;

/// After so long without a word something is said: who watches a pipeline takes silence for a hang.
const QUIET_MS: u64 = 30_000;
const STOPPING: &str =
    "stopping: what is under way is finished, and nothing more is sent; Ctrl-C again to stop at once";

/// How far a run has come.
pub struct Tally {
    /// Peerings and actions of the plan.
    peerings: usize,
    actions: usize,
    began: Mono,
    until: Mono,
    stands: BTreeMap<ObjectKey, Stand>,
    /// Writes that AWS said yes to.
    done: usize,
    /// The last thing that was done or is waited for.
    last: String,
    /// When something was said last.
    said: Mono,
    is_stopping: bool,
}

impl Tally {
    pub fn new(peerings: usize, actions: usize, began: Mono, until: Mono) -> Self {
        Self {
            peerings,
            actions,
            began,
            until,
            stands: BTreeMap::new(),
            done: 0,
            last: String::new(),
            said: began,
            is_stopping: false,
        }
    }

    /// A write was answered. The line that tells it.
    pub fn wrote(&mut self, now: Mono, object: &ObjectKey, call: &WriteCall, outcome: &Outcome) -> String {
        if matches!(outcome, Outcome::Done(_)) {
            self.done += 1;
        }
        let line = format!("{object}: {call}: {}", came(outcome));
        self.said = now;
        self.last.clone_from(&line);
        line
    }

    /// An object stands so from now on.
    pub fn stands(&mut self, object: &ObjectKey, stand: &Stand) {
        if self.stands.get(object) == Some(stand) {
            return;
        }
        self.last = match stand {
            Stand::InSync => format!("{object}: in sync"),
            Stand::Held => format!("{object}: held"),
            Stand::Waiting(what) => format!("{object}: {what}"),
        };
        self.stands.insert(object.clone(), stand.clone());
    }

    /// Somebody wants it to end. The line that tells so.
    pub fn stop(&mut self, now: Mono) -> String {
        self.is_stopping = true;
        self.said = now;
        STOPPING.to_owned()
    }

    /// Peerings for which nothing more follows, and how many there are.
    pub fn settled(&self) -> (usize, usize) {
        let waiting = self.stands.values().filter(|stand| matches!(stand, Stand::Waiting(_))).count();
        (self.stands.len() - waiting, self.peerings)
    }

    /// What stands beside the bar, after the count of peerings.
    pub fn counts(&self) -> String {
        let held = match self.held() {
            0 => String::new(),
            held => format!(", {held} held"),
        };
        format!("peerings{held}, {}", self.writes())
    }

    /// What stands below the bar.
    pub fn last(&self) -> &str {
        if self.is_stopping { STOPPING } else { &self.last }
    }

    /// A line, if nothing was said for long.
    pub fn overdue(&mut self, now: Mono) -> Option<String> {
        if now.since_ms(self.said) < QUIET_MS {
            return None;
        }
        self.said = now;
        let (settled, all) = self.settled();
        let held = match self.held() {
            0 => String::new(),
            held => format!(" ({held} held)"),
        };
        let after = seconds(now.since_ms(self.began));
        let left = seconds(self.until.since_ms(now));
        Some(format!(
            "after {after}: {settled} of {all} peerings settled{held}, {}; {left} left at most; {}",
            self.writes(),
            self.awaited()
        ))
    }

    fn held(&self) -> usize {
        self.stands.values().filter(|stand| **stand == Stand::Held).count()
    }

    fn writes(&self) -> String {
        let writes = if self.done == 1 { "write" } else { "writes" };
        format!("{} {writes} of {} planned", self.done, self.actions)
    }

    fn awaited(&self) -> String {
        if self.is_stopping {
            return "stopping once what is under way is finished".to_owned();
        }
        let mut waiting = self.stands.iter().filter_map(|(object, stand)| match stand {
            Stand::Waiting(what) => Some((object, what)),
            Stand::InSync | Stand::Held => None,
        });
        match waiting.next() {
            Some((object, what)) => match waiting.count() {
                0 => format!("{object}: {what}"),
                more => format!("{object}: {what} (and {more} more)"),
            },
            None => "the rest has its first turn".to_owned(),
        }
    }
}

fn came(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(Some(id)) => format!("done: {id}"),
        Outcome::Done(None) => "done".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {refusal}"),
        // No lease here: what ends the right to write is that somebody stops it.
        Outcome::NotSent(NotSent::Leadership) => "not sent: stopped".to_owned(),
        Outcome::NotSent(why) => format!("not sent: {why:?}"),
        Outcome::Unknown(why) => format!("no answer: {why}; it is looked for"),
    }
}

fn seconds(ms: u64) -> String {
    span(i64::try_from(ms / 1000).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
