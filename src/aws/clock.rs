//! This process's monotonic clock, as the engine counts it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use peerkeeper_core::time::{Mono, Wall};

/// In a test other clocks stood still before this process first asked, each at its own moment: what is older than the
/// start would be counted as the start itself, and the time that passes in such a test come out short. So tests count from
/// longer ago than any of them has run.
const EARLIER_S: u32 = if cfg!(test) { 60 } else { 0 };

/// Milliseconds since this process first asked. It follows tokio's clock, so that tests with paused time are in charge
/// of it.
pub fn now() -> Mono {
    static START: OnceLock<Instant> = OnceLock::new();
    let earlier = Duration::from_secs(u64::from(EARLIER_S));
    let first_asked = || Instant::now().checked_sub(earlier).unwrap_or_else(Instant::now);
    let start = *START.get_or_init(first_asked);
    let elapsed = tokio::time::Instant::now().into_std().saturating_duration_since(start);
    Mono(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// The time of day, in seconds since 1970.
#[cfg(not(test))]
pub fn wall() -> Wall {
    system_time()
}

fn system_time() -> Wall {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// In tests the time of day goes on with tokio's clock, paused or not, from today: credentials and what AWS tells are as of
/// today too.
#[cfg(test)]
pub fn wall() -> Wall {
    static START: OnceLock<Wall> = OnceLock::new();
    let since_s = i64::try_from(now().0 / 1000).unwrap_or(i64::MAX);
    START.get_or_init(system_time).plus_s(since_s - i64::from(EARLIER_S))
}

/// Waits until `then`; not at all if that is past.
pub async fn sleep_until(then: Mono) {
    tokio::time::sleep(Duration::from_millis(then.since_ms(now()))).await;
}
