//! How large a status can get.

use super::made_up::{episode, in_sync, pcx, rtb};
use crate::api::Timestamp;
use crate::remember::{Carried, STATUS_MAX_BYTES, memory, status};
use peerkeeper_core::ids::{Destination, Side, Sides, Slot};
use peerkeeper_core::memory::{Act, Attribution, Case, How, Life, Memory, Owned, Past, StaleAt, StaleRules};
use peerkeeper_core::misuse::{Ends, OWN_MAX, OwnCall};
use peerkeeper_core::observed::Ending;
use peerkeeper_core::plan::{Exception, Held, Report};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The most routes that one object may declare.
const ROUTES_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug)]
enum Spelling {
    V4,
    V6Subnet,
    /// As long as a CIDR can be.
    V6Host,
    PrefixList,
}

fn destination(spelling: Spelling, number: u64) -> Destination {
    let (high, low) = (number >> 8, number & 0xff);
    let text = match spelling {
        Spelling::V4 => format!("10.{high}.{low}.0/24"),
        Spelling::V6Subnet => format!("2600:1f18:1234:{number:x}::/64"),
        Spelling::V6Host => format!("2600:1f18:1234:5678:abcd:ef12:3456:{:x}/128", 0x1000 + number),
        Spelling::PrefixList => format!("pl-{number:017x}"),
    };
    text.parse().unwrap()
}

/// 10,000 slots strewn over a grid that has `spread` times as many places, each with a life of its own.
fn strewn(
    seed: u64,
    tables: u64,
    spelling: Spelling,
    spread: f64,
    hows: usize,
    targets: u64,
) -> BTreeMap<Slot, Owned> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let columns = ((ROUTES_MAX as f64 * spread / 2.0 / tables as f64).ceil() as u64).max(1);
    let mut places: Vec<Slot> = Side::BOTH
        .into_iter()
        .flat_map(|side| {
            (0..tables).flat_map(move |table| {
                (0..columns).map(move |n| Slot {
                    side,
                    table: rtb(table),
                    destination: destination(spelling, n),
                })
            })
        })
        .collect();
    chance.shuffle(&mut places);
    places.truncate(ROUTES_MAX);
    let how = [How::Created, How::Adopted, How::Intended];
    let owned = |chance: &mut fastrand::Rng| Owned {
        how: how[chance.usize(..hows)],
        to: pcx(1 + chance.u64(..targets)),
    };
    places.into_iter().map(|slot| (slot, owned(&mut chance))).collect()
}

/// As many stale rules as are named, each in a group of its own.
fn case(slots: usize) -> Case {
    let rule = |n: usize| {
        let at =
            StaleAt { side: Side::Accepter, group: format!("sg-{n:017x}").parse().unwrap(), is_egress: true };
        (format!("sgr-{n:017x}").parse().unwrap(), at)
    };
    let rules = (0..StaleRules::most(slots)).map(rule).collect();
    Case {
        of: pcx(1),
        incident: None,
        attribution: Attribution::None,
        policy: "0123456789abcdef".into(),
        stale: Some(StaleRules { rules, total: u32::MAX, revoked: true }),
    }
}

/// Everything else in status as large as it gets.
fn swollen(slots: BTreeMap<Slot, Owned>) -> (Memory, Report) {
    let keys = || (0..45).map(|n| format!("{n:02}{}", "\u{1f510}".repeat(126)).into()).collect();
    let memory = Memory {
        life: Life::Established(pcx(1)),
        case: Some(case(slots.len())),
        past: (0..10).map(|n| Past { id: pcx(n), ending: Ending::Deleted }).collect(),
        slots,
        cidrs: Sides::from_fn(|_| {
            (0..100)
                .map(|n| match destination(Spelling::V6Subnet, n) {
                    Destination::Cidr(cidr) => cidr,
                    Destination::PrefixList(_) => unreachable!(),
                })
                .collect()
        }),
        episode: Some(episode(1)),
        own: (0..OWN_MAX as u64)
            .map(|n| OwnCall { ends: Ends::Routes(rtb(n)), at: Wall(1_780_000_000) })
            .collect(),
        spent: (0..32).map(|n| (Act::RepairDrift, Wall(1_780_000_000 + n))).collect(),
        tag_keys: Sides::new(keys(), keys()),
        requested_at: Some("r".repeat(128).into()),
        ..Memory::default()
    };
    let long = || "what AWS said, and more \"words\" ".repeat(400);
    let mut report = in_sync(10_000);
    report.conditions.iter_mut().for_each(|condition| condition.message = long());
    let one = Exception {
        side: Side::Accepter,
        slot: None,
        subject: long(),
        reason: Reason::Occupied,
        message: long(),
    };
    report.exceptions = vec![one; Report::EXCEPTIONS_MAX];
    report.held = vec![Held { what: long(), reason: Reason::Held, release: long() }; Report::HELD_MAX];
    report.loss = memory.episode.clone();
    (memory, report)
}

fn size_of(slots: BTreeMap<Slot, Owned>) -> (usize, Memory, Memory) {
    let (remembered, report) = swollen(slots);
    let status = status(&remembered, &Carried::default(), &report, None, Timestamp::UNIX_EPOCH);
    let size = serde_json::to_vec(&status).unwrap().len();
    (size, remembered, memory(Some(&status)).unwrap().0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn every_status_stays_under_half_a_mebibyte(
        seed in any::<u64>(),
        tables in 1..=200_u64,
        spelling in prop::sample::select(vec![Spelling::V4, Spelling::V6Subnet, Spelling::V6Host, Spelling::PrefixList]),
        spread in 1.0..4.0,
        hows in 1..=3_usize,
        targets in 1..=2_u64,
    ) {
        // Host routes by the thousands are kept within bounds only where they are tame: see STATUS_MAX_BYTES.
        let (tables, spread, hows, targets) = match spelling {
            Spelling::V6Host => (tables.max(2), 1.0, hows.min(2), 1),
            _ => (tables, spread, hows, targets),
        };
        let (size, before, after) = size_of(strewn(seed, tables, spelling, spread, hows, targets));
        prop_assert!(size < STATUS_MAX_BYTES, "{} bytes", size);
        prop_assert_eq!(after, before);
    }
}
