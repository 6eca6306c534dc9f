//! The one place that asks what day it is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::world::World;

/// A new world whose calendar shows today: clients compare the end of a session's keys with their own clocks. It keeps
/// CloudTrail's history, as every account does.
/// Who comes over the wire is told of a wrong id: subnets and internet gateways must have been created in this world.
pub fn world_of_today() -> World {
    let mut world = World::new();
    world.refuse_unknown_ids();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    world.set_wall_at_zero(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX));
    world.keep_history(true);
    world
}
