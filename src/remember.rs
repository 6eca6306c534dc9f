//! Between status and the engine's memory and report: nobody else reads or writes what Peerkeeper remembers.
//!
//! A memory that can't be understood, edited by hand or written by a newer version, is an error and never an empty one:
//! to forget what is ours, or that an id has ended, would be to act on the wrong things. Fields that this version does
//! not know are carried along unchanged.

mod account;
mod conditions;
mod incident;
mod misuse;
mod read;
mod rectangles;
mod show;
mod write;

pub use account::{
    Checked, NoteRefused, Removal, account_status, note_removal, removals, removals_of_all,
    removals_of_policy, with_event_lane,
};
pub use conditions::told;
pub use incident::{
    Happened, Telling, Wanted, incident_found, incident_ref, incident_spec, incident_status,
    incidents_of_interest, is_audited, is_settled,
};
pub use misuse::{
    OWN_CALLS_MAX, Suspected, acknowledge, has_misuse, note_misuse, note_own_calls, open_misuse, own_calls,
    strange_call, with_misuse,
};
pub use read::{RememberError, memory};
pub use show::{STATUS_MAX_BYTES, invalid, status};

use crate::api::Timestamp;
use peerkeeper_core::time::Wall;
use std::collections::BTreeMap;

/// Fields of memory that a newer version wrote and this one does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carried(BTreeMap<String, serde_json::Value>);

fn wall(at: Timestamp) -> Wall {
    Wall(at.as_second())
}

/// Years before -9999 or after 9999 can't be written; no clock of ours shows them.
fn timestamp(at: Wall) -> Timestamp {
    let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(at.0.clamp(least, most)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// At most so many bytes, ending at a whole character.
fn clip(text: &str, most_bytes: usize) -> String {
    const MORE: &str = " ...";
    if text.len() <= most_bytes {
        return text.to_owned();
    }
    let room = most_bytes.saturating_sub(MORE.len());
    let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests;
