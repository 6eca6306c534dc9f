//! Real time turned into the world's: so many virtual milliseconds a real one, and leaps on request.

use std::time::{Duration, Instant};

use crate::world::World;

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// What the world's clock showed at `since`.
    base_ms: u64,
    since: Instant,
    /// Virtual milliseconds per real one; 0 stands still.
    speed: f64,
}

impl Clock {
    pub(crate) fn start(speed: f64) -> Self {
        Self { base_ms: 0, since: Instant::now(), speed }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        let passed_ms = self.since.elapsed().as_secs_f64() * 1_000.0 * self.speed;
        // Saturates: a float that is too large becomes the largest number.
        self.base_ms.saturating_add(passed_ms as u64)
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// How long so much virtual time takes. `None`: for ever, as time stands still.
    pub(crate) fn real(&self, virtual_ms: u64) -> Option<Duration> {
        Duration::try_from_secs_f64(virtual_ms as f64 / 1_000.0 / self.speed).ok()
    }

    pub(crate) fn set_speed(&mut self, speed: f64) {
        (self.base_ms, self.since, self.speed) = (self.now_ms(), Instant::now(), speed);
    }

    pub(crate) fn leap(&mut self, ms: u64) {
        (self.base_ms, self.since) = (self.now_ms().saturating_add(ms), Instant::now());
    }

    /// Brings the world to this clock's time; where somebody moved the world ahead, this clock follows.
    pub(crate) fn drive(&mut self, world: &mut World) {
        let now_ms = self.now_ms();
        if world.now_ms() > now_ms {
            (self.base_ms, self.since) = (world.now_ms(), Instant::now());
        } else {
            world.advance(now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaps_and_stands_still_and_never_falls_behind_the_world() {
        let mut world = World::new();
        let mut clock = Clock::start(0.0);
        clock.drive(&mut world);
        assert_eq!(world.now_ms(), 0);
        clock.leap(90_000);
        clock.drive(&mut world);
        assert_eq!(world.now_ms(), 90_000);
        world.advance(100_000);
        clock.drive(&mut world);
        assert_eq!((world.now_ms(), clock.now_ms()), (100_000, 100_000));
        assert_eq!(clock.real(5_000), None);
        clock.set_speed(10.0);
        assert_eq!(clock.real(5_000), Some(Duration::from_millis(500)));
        clock.set_speed(1_000_000.0);
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(clock.now_ms() >= 1_100_000);
    }
}
