//! The words that conditions and Kubernetes Events use.

/// Why something is as it is, in one word, and what is being said at all. The engine names both itself, so the words of
/// its report and those that users read can't come apart.
pub use peerkeeper_core::reason::{ConditionType, Reason};
