//! This process's monotonic clock, as the engine counts it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use peerkeeper_core::time::Mono;

/// Milliseconds since this process first asked. It follows tokio's clock, so that tests with paused time are in charge
/// of it.
pub fn now() -> Mono {
    static START: OnceLock<Instant> = OnceLock::new();
    // The start is taken from the real clock: a test's paused clock may be ahead of it, never behind.
    let start = *START.get_or_init(Instant::now);
    let elapsed = tokio::time::Instant::now().into_std().saturating_duration_since(start);
    Mono(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// Waits until `then`; not at all if that is past.
pub async fn sleep_until(then: Mono) {
    tokio::time::sleep(Duration::from_millis(then.since_ms(now()))).await;
}
