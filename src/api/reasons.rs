//! The words that conditions and Kubernetes Events use.

/// Why something is as it is, in one word. The engine names its reasons itself, so the words of its report and those
/// that users read can't come apart.
pub use peerkeeper_core::reason::Reason;

/// The types of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Everything is as declared. False says why not; Unknown: AWS has not been read for too long.
    Ready,
    /// Work is under way, and needs nobody. Present only while True.
    Reconciling,
    /// Work has stopped, and needs somebody. Present only while True.
    Stalled,
    /// The peering connection is active.
    PeeringActive,
    /// Every declared route was read back as declared.
    RoutesInSync,
    /// The declared DNS options were read back as declared. Absent where none is declared.
    DnsInSync,
    /// The peering connection that should be there has been deleted, and that is not settled yet.
    UnexpectedlyDeleted,
}

impl ConditionType {
    pub const ALL: &[Self] = &[
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::PeeringActive,
        Self::RoutesInSync,
        Self::DnsInSync,
        Self::UnexpectedlyDeleted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::PeeringActive => "PeeringActive",
            Self::RoutesInSync => "RoutesInSync",
            Self::DnsInSync => "DnsInSync",
            Self::UnexpectedlyDeleted => "UnexpectedlyDeleted",
        }
    }
}

impl std::fmt::Display for ConditionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
