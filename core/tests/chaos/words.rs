//! Writes and what became of them, in words: for buckets, for the table of what was reached, and for the log.

use peerkeeper_core::reason::ConditionType;
use peerkeeper_core::write::{NotSent, Write};

use crate::api::ApiWrite;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    Create,
    Accept,
    Remove,
    Options,
    Tag,
    Untag,
    AddRoute,
    Repoint,
    DropRoute,
    RevokeRule,
}

impl Variant {
    pub const ALL: &[Self] = &[
        Self::Create,
        Self::Accept,
        Self::Remove,
        Self::Options,
        Self::Tag,
        Self::Untag,
        Self::AddRoute,
        Self::Repoint,
        Self::DropRoute,
        Self::RevokeRule,
    ];
}

pub fn variant(write: &Write) -> Variant {
    match write {
        Write::Create { .. } => Variant::Create,
        Write::Accept(_) => Variant::Accept,
        Write::Remove(..) => Variant::Remove,
        Write::Options { .. } => Variant::Options,
        Write::Tag { .. } => Variant::Tag,
        Write::Untag { .. } => Variant::Untag,
        Write::AddRoute { .. } => Variant::AddRoute,
        Write::Repoint { .. } => Variant::Repoint,
        Write::DropRoute { .. } => Variant::DropRoute,
        Write::RevokeRule { .. } => Variant::RevokeRule,
    }
}

pub const NOT_SENT: &[&str] = &["Leadership", "Rate", "Stale", "Skipped", "Credentials", "Unreachable"];

#[derive(Clone, Copy)]
struct Word(&'static str);

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

pub fn not_sent(why: &NotSent) -> impl std::fmt::Debug {
    Word(match why {
        NotSent::Leadership => "Leadership",
        NotSent::Rate { .. } => "Rate",
        NotSent::Stale => "Stale",
        NotSent::Skipped => "Skipped",
        NotSent::Credentials(_) => "Credentials",
        NotSent::Unreachable(_) => "Unreachable",
    })
}

pub fn words(write: &ApiWrite) -> String {
    match write {
        ApiWrite::NoteRemoval { account, .. } => format!("a removal on {account}"),
        ApiWrite::Mark { finalizer, established } => format!("finalizer {finalizer}, {established:?}"),
        ApiWrite::Status { memory, report } => {
            let ready = report.condition(ConditionType::Ready).map(|c| (c.truth, c.reason));
            format!(
                "status {:?} {ready:?} loss {:?}",
                memory.life,
                memory.episode.as_ref().map(|e| (e.lost, e.acted))
            )
        }
        ApiWrite::DropFinalizer => "no finalizer".to_owned(),
    }
}
