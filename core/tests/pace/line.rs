use peerkeeper_core::pace::bucket::{Bucket, Class, Share};
use peerkeeper_core::pace::line::Line;
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

const PATIENCE_MS: u64 = 2_000;

/// 25 calls at once, then one each 400 ms; 20 are gathered for those who wait, in 8 s.
fn half() -> (Bucket, Line<u32>) {
    (Bucket::new(Mono(0), Class::Mutating, Share::default()), Line::default())
}

fn admit(line: &mut Line<u32>, bucket: &mut Bucket, now: Mono, who: u32, calls: u64) -> Result<usize, Mono> {
    line.admit(now, bucket, &who, calls, now.plus_ms(PATIENCE_MS)).map(|moments| moments.len())
}

#[test]
fn those_who_wait_come_back_once_together_and_in_their_order() {
    let (mut bucket, mut line) = half();
    let mut waiting = Vec::new();
    for who in 0..40 {
        match admit(&mut line, &mut bucket, Mono(0), who, 5) {
            // Six fives: 25 on hand, and 5 within its patience.
            Ok(calls) => assert!(who < 6 && calls == 5, "{who}: {calls}"),
            Err(back) => waiting.push((back, who)),
        }
    }
    assert_eq!(waiting.len(), 34);
    assert!(waiting.is_sorted());
    // All calls were promised up to 2 s. Four fives share each step of 8 s; the first of all comes as soon as it can.
    let steps: Vec<u64> = waiting.iter().map(|(back, _)| back.0).collect();
    assert_eq!(steps[..8], [4_000, 8_000, 8_000, 16_000, 16_000, 16_000, 16_000, 24_000]);
    for (back, who) in waiting {
        assert_eq!(admit(&mut line, &mut bucket, back, who, 5), Ok(5), "{who} came back in vain at {back:?}");
    }
    assert!(line.is_empty());
    // 200 calls: 25 at once, 175 at 2.5 a second; nothing of the rate was left unused but what the steps round up.
    assert!(bucket.free_at(Mono(72_000), 1) <= Mono(72_400));
}

#[test]
fn who_comes_early_is_told_the_same_and_nobody_is_overtaken() {
    let (mut bucket, mut line) = half();
    assert_eq!(admit(&mut line, &mut bucket, Mono(0), 0, 30), Ok(30));
    let first = admit(&mut line, &mut bucket, Mono(0), 1, 10).unwrap_err();
    assert_eq!(first, Mono(6_000), "2 s are promised, and it takes 4 more");
    assert!(line.waits(Mono(100), &mut bucket, &1));
    assert_eq!(admit(&mut line, &mut bucket, Mono(100), 1, 10), Err(first));
    // By then a call is free; it is not for who comes now.
    let behind = admit(&mut line, &mut bucket, Mono(5_000), 2, 1).unwrap_err();
    assert!(behind > first);
    assert_eq!(admit(&mut line, &mut bucket, first, 1, 10), Ok(10));
    assert!(!line.waits(first, &mut bucket, &1));
    assert_eq!(admit(&mut line, &mut bucket, behind, 2, 1), Ok(1));
}

#[test]
fn a_few_calls_of_each_place_may_come_within_its_patience() {
    let (mut bucket, mut line) = half();
    assert_eq!(admit(&mut line, &mut bucket, Mono(0), 0, 30), Ok(30));
    let back = admit(&mut line, &mut bucket, Mono(0), 1, 10).unwrap_err();
    let early = Mono(back.0 - PATIENCE_MS);
    assert_eq!(admit(&mut line, &mut bucket, early, 1, 10), Ok(10), "it waits for them there");
}

#[test]
fn one_that_wants_more_than_the_bucket_holds_gets_it_in_parts() {
    let (mut bucket, mut line) = half();
    assert_eq!(admit(&mut line, &mut bucket, Mono(0), 0, 200), Ok(30));
    let back = admit(&mut line, &mut bucket, Mono(0), 0, 170).unwrap_err();
    let other = admit(&mut line, &mut bucket, Mono(0), 1, 5).unwrap_err();
    assert!(other > back);
    assert_eq!(admit(&mut line, &mut bucket, back, 0, 170), Ok(20), "the rest is for who waits behind it");
    assert_eq!(admit(&mut line, &mut bucket, other, 1, 5), Ok(5));
}

#[test]
fn who_left_or_never_came_holds_up_nobody_for_long() {
    let (mut bucket, mut line) = half();
    for who in 0..100 {
        let _ = admit(&mut line, &mut bucket, Mono(0), who, 5);
    }
    // All but the last lose interest. The bucket runs full, and who comes gets what nobody came for.
    (0..99).for_each(|who| line.leave(&who));
    let full = bucket.free_at(Mono(0), 25);
    let told = Mono(admit(&mut line, &mut bucket, Mono(1_000), 99, 5).unwrap_err().0);
    assert!(told > full);
    assert!(!line.waits(full, &mut bucket, &99));
    assert_eq!(admit(&mut line, &mut bucket, full, 200, 3), Ok(3));
    // Gone without a word: forgotten a minute after its moment.
    assert_eq!(line.len(), 1);
    let late = told.plus_ms(60_001);
    assert_eq!(admit(&mut line, &mut bucket, late, 200, 5), Ok(5));
    assert!(line.is_empty());
}

proptest! {
    /// Whatever AWS refuses meanwhile: all who come when they are told are served at last, and nobody is told a moment that
    /// is past.
    #[test]
    fn all_who_come_when_told_are_served(
        class in prop::sample::select(vec![Class::Mutating, Class::Intensive, Class::Tags, Class::Describe]),
        permille in 1u16..=1000,
        wants in prop::collection::vec(1u64..60, 1..30),
        refused in prop::collection::vec(prop::bool::weighted(0.02), 200),
    ) {
        let mut bucket = Bucket::new(Mono(0), class, Share::permille(permille).expect("1 to 1000"));
        let mut line = Line::default();
        let mut due: std::collections::BTreeSet<(Mono, u32)> = (0..wants.len() as u32).map(|who| (Mono(0), who)).collect();
        let mut left = wants;
        let mut visits = 0;
        while let Some((now, who)) = due.pop_first() {
            let calls = left[who as usize];
            if refused.get(visits).copied().unwrap_or_default() {
                bucket.refused(now, now);
            }
            visits += 1;
            prop_assert!(visits < 3_000, "{who} still wants {calls}");
            let last = now.plus_ms(PATIENCE_MS);
            match line.admit(now, &mut bucket, &who, calls, last) {
                Ok(moments) => {
                    prop_assert!(!moments.is_empty() && moments.len() as u64 <= calls);
                    prop_assert!(moments.iter().all(|at| *at >= now && *at <= last));
                    left[who as usize] -= moments.len() as u64;
                    if left[who as usize] > 0 {
                        due.insert((last, who));
                    }
                }
                Err(back) => {
                    prop_assert!(back > now);
                    due.insert((back, who));
                }
            }
        }
        prop_assert!(line.is_empty());
    }
}
