//! Two clocks that must never be mixed.

/// Milliseconds on a monotonic clock of this process. Freshness, leases and settling are measured with it; it means
/// nothing to another process and is never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; zero if `earlier` is later.
    pub fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Seconds since the Unix epoch. It may be stored and shown; it is never used to order events of two machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

impl Wall {
    pub fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since `earlier`; negative if `earlier` is later.
    pub fn since_s(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Now {
    pub mono: Mono,
    pub wall: Wall,
}

/// How long evidence takes. The defaults are what AWS's eventual consistency asks for; they are lowered only where the
/// other end is known to be consistent (a simulator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// A write is sent only while the reading it rests on is younger than this.
    pub fresh_ms: u64,
    /// After this long a write of ours that no reading confirms counts as undone by somebody.
    pub settle_ms: u64,
    /// Two readings prove absence only if they began at least this far apart.
    pub absence_gap_ms: u64,
    /// Older observations than this say nothing about now (three sweeps).
    pub stale_ms: u64,
    /// First delay before looking again at something AWS is working on; doubles up to `stale_ms` / 3.
    pub poll_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fresh_ms: 10_000,
            settle_ms: 300_000,
            absence_gap_ms: 30_000,
            stale_ms: 180_000,
            poll_ms: 2_000,
        }
    }
}
