//! What the world's time is on a calendar, and worlds that differ only in when they are.

use super::World;
use super::peering::Peering;

/// The world's time zero, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Epoch(pub(crate) i64);

impl Default for Epoch {
    /// 2026-01-01T00:00:00Z
    fn default() -> Self {
        Self(1_767_225_600_000)
    }
}

impl super::State {
    pub(crate) fn wall_at(&self, at_ms: u64) -> i64 {
        self.epoch.0.saturating_add(i64::try_from(at_ms).unwrap_or(i64::MAX))
    }
}

impl World {
    /// What the calendar shows at a moment of the virtual clock, in milliseconds since 1970.
    pub fn wall_at(&self, at_ms: u64) -> i64 {
        self.state.wall_at(at_ms)
    }

    /// What the calendar shows now, in milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        self.state.wall_at(self.state.now_ms)
    }

    /// Moves the calendar, not the clock: from now on it shows what it shows at time zero plus the time since.
    /// For a new world: what was stamped already keeps its stamp.
    pub fn set_wall_at_zero(&mut self, wall_ms: i64) {
        self.state.epoch = Epoch(wall_ms);
    }

    /// The same world with this moment as time zero, so that a model checker knows a state again when it meets
    /// it later. It lives on exactly as the original does, that much earlier.
    pub fn from_now(&self) -> World {
        let mut world = self.clone();
        let state = &mut world.state;
        let now_ms = std::mem::take(&mut state.now_ms);
        state.agenda.start_at(now_ms);
        let throttling = state.throttling.as_deref();
        state.buckets.start_at(now_ms, |(.., category)| throttling?.rate(*category));
        state.sts.start_at(now_ms);
        state.audit.start_at(now_ms);
        state.rules.start_at(now_ms);
        state.trails.start_at(now_ms);
        state.queues.start_at(now_ms);
        state.vpcs.start_at(now_ms, |_| {});
        state.tables.start_at(now_ms, |_| {});
        state.prefix_lists.start_at(now_ms, |_| {});
        state.subnets.start_at(now_ms, |_| {});
        state.gateways.start_at(now_ms, |_| {});
        state.groups.start_at(now_ms, |_| {});
        state.peerings.start_at(now_ms, |peering| peering.start_at(now_ms));
        world
    }
}

impl Peering {
    fn start_at(&mut self, now_ms: u64) {
        let earlier = |at_ms: u64| at_ms.saturating_sub(now_ms);
        // Once answered, the time is never looked at again.
        self.expires_ms = if self.status.is_unanswered() { earlier(self.expires_ms) } else { 0 };
        self.step = self.step.map(|(at_ms, lag_ms)| (earlier(at_ms), lag_ms));
        for side in [&mut self.requester, &mut self.accepter] {
            side.gone_ms = side.gone_ms.map(earlier);
        }
    }
}
