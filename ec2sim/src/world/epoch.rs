//! Worlds that differ only in when they are.

use super::World;
use super::peering::Peering;

impl World {
    /// The same world with this moment as time zero, so that a model checker knows a state again when it meets
    /// it later. It lives on exactly as the original does, that much earlier.
    pub fn from_now(&self) -> World {
        let mut world = self.clone();
        let state = &mut world.state;
        let now_ms = std::mem::take(&mut state.now_ms);
        state.agenda.start_at(now_ms);
        state.buckets.start_at(now_ms, state.throttling.as_deref());
        state.vpcs.start_at(now_ms, |_| {});
        state.tables.start_at(now_ms, |_| {});
        state.prefix_lists.start_at(now_ms, |_| {});
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
