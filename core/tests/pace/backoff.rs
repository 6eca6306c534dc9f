use peerkeeper_core::pace::backoff::{Backoffs, Curve};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

const CURVE: Curve = Curve { first_ms: 1_000, most_ms: 300_000 };

#[test]
fn delays_double_up_to_the_most() {
    let full: Vec<u64> = (0..11).map(|failures| CURVE.full_ms(failures)).collect();
    assert_eq!(full, [0, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128_000, 256_000, 300_000]);
    assert_eq!(CURVE.full_ms(u32::MAX), 300_000);
}

#[test]
fn jitter_reaches_both_ends_of_the_upper_half() {
    assert_eq!(CURVE.delay_ms(3, 0), 2000);
    assert_eq!(CURVE.delay_ms(3, 2000), 4000);
    assert_eq!(CURVE.delay_ms(3, 2001), 2000);
}

#[test]
fn success_starts_over_and_forgetting_frees() {
    let mut backoffs = Backoffs::new(CURVE);
    for _ in 0..5 {
        backoffs.failed(Mono(0), &"a", 0);
    }
    assert_eq!((backoffs.failures(&"a"), backoffs.until(&"a")), (5, Some(Mono(8000))));
    assert_eq!(backoffs.until(&"b"), None, "one that fails delays no other");
    backoffs.reset(&"a");
    assert_eq!(backoffs.failed(Mono(10_000), &"a", 0), Mono(10_500));
    backoffs.retain(|_| false);
    assert_eq!(backoffs, Backoffs::new(CURVE));
}

proptest! {
    #[test]
    fn a_delay_is_never_under_half_nor_over_the_full_one(
        first_ms in 0u64..10_000, most_ms in any::<u64>(), failures in any::<u32>(), jitter in any::<u64>(),
    ) {
        let curve = Curve { first_ms, most_ms };
        let delay = curve.delay_ms(failures, jitter);
        let full = curve.full_ms(failures);
        prop_assert!(delay <= full && full <= most_ms && delay >= full / 2);
    }
}
