use peerkeeper_core::pace::bucket::{Bucket, Buckets, Class, Operation, Share};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

const CLASSES: [Class; 5] =
    [Class::Describe, Class::StaleGroups, Class::Mutating, Class::Intensive, Class::Tags];

fn share(permille: u16) -> Share {
    Share::permille(permille).expect("1 to 1000")
}

/// Takes `count` calls as fast as the bucket allows, and returns when the last was granted.
fn drain(bucket: &mut Bucket, mut now: Mono, count: u64) -> Mono {
    for _ in 0..count {
        while let Err(ready) = bucket.take(now) {
            assert!(ready > now, "an answer that doesn't move on would spin");
            now = ready;
        }
    }
    now
}

#[test]
fn the_whole_of_aws_budget_gives_its_published_figures() {
    // 125 peerings: 50 at once and 75 at 5 a second. 500 routes: 50 at once and 450 at 5 a second.
    let whole = |class| Bucket::new(Mono(0), class, share(1000));
    assert_eq!(drain(&mut whole(Class::Intensive), Mono(0), 125), Mono(15_000));
    assert_eq!(drain(&mut whole(Class::Mutating), Mono(0), 500), Mono(90_000));
    assert_eq!(drain(&mut whole(Class::Describe), Mono(0), 101), Mono(50));
    assert_eq!(drain(&mut whole(Class::Tags), Mono(0), 101), Mono(100));
    assert_eq!(drain(&mut whole(Class::StaleGroups), Mono(0), 21), Mono(200));
}

#[test]
fn half_is_the_default_and_halves_both_size_and_refill() {
    let mut bucket = Bucket::new(Mono(0), Class::Mutating, Share::default());
    assert_eq!(bucket.available(Mono(0)), 25);
    assert_eq!(drain(&mut bucket, Mono(0), 26), Mono(400));
}

#[test]
fn shares_outside_the_scale_are_refused() {
    assert_eq!(Share::permille(0), None);
    assert_eq!(Share::permille(1001), None);
    assert_eq!(Share::permille(1000).map(Share::as_permille), Some(1000));
}

#[test]
fn a_refusal_halves_once_however_many_calls_were_under_way() {
    let mut bucket = Bucket::new(Mono(0), Class::Mutating, share(800));
    assert_eq!(drain(&mut bucket, Mono(0), 3), Mono(0));
    for late in 0..3 {
        bucket.refused(Mono(100 + late), Mono(0));
    }
    assert_eq!(bucket.allowed_permille(), 400);
    assert!(bucket.take(Mono(103)).is_err(), "AWS's bucket is empty, so ours is too");
    bucket.refused(Mono(5000), Mono(4000));
    assert_eq!(bucket.allowed_permille(), 200, "a call sent after the halving says something new");
}

#[test]
fn an_untroubled_bucket_grows_back_slowly_and_no_further() {
    let mut bucket = Bucket::new(Mono(0), Class::Describe, share(800));
    bucket.refused(Mono(0), Mono(0));
    let mut seen = Vec::new();
    for now in [29_999, 30_000, 59_999, 60_000, 120_000, 100_000_000] {
        // Asking refreshes the figure.
        bucket.take(Mono(now)).unwrap();
        seen.push(bucket.allowed_permille());
    }
    assert_eq!(seen, [400, 500, 500, 600, 800, 800]);
    assert_eq!(bucket.available(Mono(200_000_000)), 80);
}

#[test]
fn refusals_never_starve_a_bucket() {
    for class in CLASSES {
        for permille in [1, 2, 17, 500, 1000] {
            let mut bucket = Bucket::new(Mono(0), class, share(permille));
            for n in 1..100 {
                bucket.refused(Mono(n), Mono(n));
            }
            let ready = bucket.take(Mono(100)).unwrap_err();
            assert!(ready.since_ms(Mono(100)) <= 200_000, "{class:?} {permille}: {ready:?}");
            assert_eq!(bucket.take(ready), Ok(()));
        }
    }
}

#[test]
fn each_operation_and_place_has_its_own_bucket() {
    let mut buckets = Buckets::new(share(20));
    let (eu, us) = ("111122223333/eu-west-1", "111122223333/us-east-1");
    assert_eq!(buckets.take(Mono(0), &eu, Operation::CreateRoute), Ok(()));
    assert_eq!(buckets.take(Mono(0), &eu, Operation::CreateRoute), Err(Mono(10_000)));
    assert_eq!(buckets.take(Mono(0), &eu, Operation::ReplaceRoute), Ok(()));
    assert_eq!(buckets.take(Mono(0), &us, Operation::CreateRoute), Ok(()));
    buckets.refused(Mono(0), &us, Operation::DeleteRoute, Mono(0));
    assert_eq!(buckets.available(Mono(0), &us, Operation::DeleteRoute), 0);
    assert_eq!(buckets.available(Mono(0), &eu, Operation::DeleteRoute), 1);
    buckets.retain(|place| *place == eu);
    assert_eq!(buckets.available(Mono(0), &us, Operation::DeleteRoute), 1, "forgotten");
    assert_eq!(buckets.available(Mono(0), &eu, Operation::CreateRoute), 0, "kept");
}

#[test]
fn promised_calls_are_nobody_elses() {
    // 25 at once, then one each 400 ms.
    let mut bucket = Bucket::new(Mono(0), Class::Mutating, share(500));
    assert_eq!(drain(&mut bucket, Mono(0), 25), Mono(0));
    let patient = |bucket: &mut Bucket| bucket.reserve(Mono(0), Mono(2_000));
    let promised: Vec<_> = (0..5).map(|_| patient(&mut bucket).unwrap().0).collect();
    assert_eq!(promised, [400, 800, 1_200, 1_600, 2_000]);
    assert_eq!(patient(&mut bucket), Err(Mono(2_400)));
    assert_eq!(bucket.free_at(Mono(0), 3), Mono(3_200));
    // Who comes in between gets nothing that was promised.
    assert_eq!(bucket.take(Mono(400)), Err(Mono(2_400)));
}

proptest! {
    /// The same with promises: by the moments they were promised for.
    #[test]
    fn promises_never_exceed_the_share(
        class in prop::sample::select(&CLASSES[..]),
        permille in 1u16..=1000,
        steps in prop::collection::vec((0u64..2_000, 0u64..30_000, prop::bool::weighted(0.05)), 1..200),
    ) {
        let mut bucket = Bucket::new(Mono(0), class, share(permille));
        let mut now = Mono(0);
        let mut granted: Vec<Mono> = Vec::new();
        for (pause_ms, patience_ms, refused) in steps {
            now = now.plus_ms(pause_ms / 10);
            if refused {
                bucket.refused(now, now);
            }
            match bucket.reserve(now, now.plus_ms(patience_ms)) {
                Ok(then) => {
                    prop_assert!(then >= now && then <= now.plus_ms(patience_ms));
                    granted.push(then);
                }
                Err(back) => prop_assert!(back > now.plus_ms(patience_ms)),
            }
        }
        granted.sort();
        let permille = u64::from(permille);
        for (i, first) in granted.iter().enumerate() {
            for (j, last) in granted.iter().enumerate().skip(i) {
                let size = (class.burst() * permille * 1000).max(1_000_000);
                // Moments are whole milliseconds: a promise may be that much early against the one before it.
                let refill = class.refill_per_s() * permille * (last.since_ms(*first) + 1);
                prop_assert!((j - i + 1) as u64 * 1_000_000 <= size + refill);
            }
        }
    }

    /// In any window, of any class and share, with refusals and pauses anywhere: never more than the bucket's size
    /// plus its refill.
    #[test]
    fn a_bucket_never_grants_more_than_its_share(
        class in prop::sample::select(&CLASSES[..]),
        permille in 1u16..=1000,
        steps in prop::collection::vec((0u64..5_000, prop::bool::weighted(0.1)), 1..300),
    ) {
        let mut bucket = Bucket::new(Mono(0), class, share(permille));
        let mut now = Mono(0);
        let mut granted: Vec<Mono> = Vec::new();
        let mut refusals = 0;
        for (pause_ms, refused) in steps {
            // Short pauses are the interesting ones.
            now = now.plus_ms(if pause_ms < 4_000 { pause_ms / 400 } else { pause_ms });
            if refused {
                refusals += 1;
                bucket.refused(now, now);
                prop_assert_eq!(bucket.available(now), 0);
            }
            match bucket.take(now) {
                Ok(()) => granted.push(now),
                Err(ready) => {
                    prop_assert!(ready > now);
                    // A halved bucket may grow back meanwhile, and be ready sooner than it said.
                    let sooner = bucket.clone().take(Mono(ready.0 - 1)).is_ok();
                    prop_assert!(refusals > 0 || !sooner);
                    prop_assert_eq!(bucket.clone().take(ready), Ok(()));
                }
            }
        }
        let permille = u64::from(permille);
        for (i, first) in granted.iter().enumerate() {
            for (j, last) in granted.iter().enumerate().skip(i) {
                let calls_millionths = (j - i + 1) as u64 * 1_000_000;
                let size = (class.burst() * permille * 1000).max(1_000_000);
                let refill = class.refill_per_s() * permille * last.since_ms(*first);
                prop_assert!(calls_millionths <= size + refill);
            }
        }
    }

    /// Time to spend a demand is the floor: nothing is lost to rounding, where the bucket holds more than one call.
    #[test]
    fn a_demand_is_served_at_the_floor(
        class in prop::sample::select(&CLASSES[..]), permille in 60u16..=1000, calls in 1u64..400,
    ) {
        let mut bucket = Bucket::new(Mono(0), class, share(permille));
        let permille = u64::from(permille);
        let size = (class.burst() * permille * 1000).max(1_000_000);
        let floor_ms = (calls * 1_000_000).saturating_sub(size).div_ceil(class.refill_per_s() * permille);
        prop_assert_eq!(drain(&mut bucket, Mono(0), calls), Mono(floor_ms));
    }

    #[test]
    fn time_that_runs_backwards_grants_nothing(times in prop::collection::vec(0u64..1_000, 1..200)) {
        let mut bucket = Bucket::new(Mono(1_000), Class::Mutating, share(1000));
        let granted = times.into_iter().filter(|now| bucket.take(Mono(*now)).is_ok()).count();
        prop_assert!(granted <= 50);
    }
}
