//! The invariants of the design that only a whole life can show, each under its number. Those of `plan` alone are with the
//! plan's tests, and the lease's own arithmetic with the lease's.

use std::collections::BTreeMap;

use ec2sim::{Action, Choice, Delay, Fault, Knobs, PeeringStatus, Seeded};
use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{ObjectKey, Side, Sides};
use peerkeeper_core::memory::{Act, LossOutcome};
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::Write;

use crate::common::aws::OPERATOR;
use crate::common::operator::{Crash, Happened, Sim};
use crate::common::rig::*;

fn many(count: usize) -> (Sim, Vec<ObjectKey>) {
    let (mut sim, a, _) = bare();
    let mut keys = Vec::new();
    for number in 0..count {
        let peer = place(&mut sim, SHARED, VA, &format!("10.{}.0.0/16", 100 + number));
        let sides = Sides::new(side(&a), side(&peer));
        keys.push(declare(&mut sim, &format!("p{number:02}"), sides, Some("restore")));
    }
    until_all_ready(&mut sim, &keys);
    (sim, keys)
}

fn until_all_ready(sim: &mut Sim, keys: &[ObjectKey]) {
    let all = keys.to_vec();
    sim.run_until("all ready", 1800, |sim| all.iter().all(|key| sim.is_ready(key)));
}

fn lose(sim: &mut Sim, key: &ObjectKey) {
    let id = pcx(sim.memory(key).peering().unwrap());
    sim.world.delete_peering_as(SHARED, VA, &id).unwrap();
}

#[test]
fn invariant_03_a_live_target_is_never_overwritten_nor_anothers_peering_deleted() {
    let mut rig = ready();
    let c = place(&mut rig.sim, SHARED, VA, "10.3.0.0/16");
    let other = rig.sim.world.peer(&rig.a.vpc, &c.vpc).unwrap();
    let taken = ["tgw-0123456789abcdef0", "igw-0123456789abcdef0", other.as_str()];
    for target in taken {
        rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", target).unwrap();
        rig.lose();
        rig.sim.run_s(600);
        assert_eq!(rig.target(Side::Requester).as_deref(), Some(target));
        rig.sim.assert_stalled(&rig.key, Reason::Occupied);
        let id = rig.id().to_string();
        rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", &id).unwrap();
        rig.until_ready();
    }
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", taken[0]).unwrap();
    rig.delete();
    rig.until_gone();
    assert_eq!(rig.target(Side::Requester).as_deref(), Some(taken[0]));
    assert_eq!(rig.sim.world.peering(&other).map(|view| view.status), Some(PeeringStatus::Active));
}

#[test]
fn invariant_04_acts_are_bounded_per_window_across_restarts_and_the_rest_says_why() {
    let (mut sim, keys) = many(6);
    set_policy(&mut sim, "restore", |policy| policy.limits.max_restores = 3);
    for round in 0..4 {
        // Two at a time, so that no storm is seen.
        for key in &keys[round..round + 2] {
            if sim.memory(key).episode.is_none() {
                lose(&mut sim, key);
            }
        }
        sim.run_s(300);
        sim.restart();
        sim.run_s(300);
    }
    let mut acts: Vec<i64> = keys
        .iter()
        .flat_map(|key| &sim.memory(key).spent)
        .filter(|(act, _)| matches!(act, Act::Restore | Act::RepairDrift))
        .map(|(_, at)| at.0)
        .collect();
    acts.sort_unstable();
    assert!(acts.len() >= 2, "some were restored");
    for window in acts.windows(4) {
        assert!(window[3] - window[0] >= 3600, "four in one hour: {acts:?}");
    }
    let held: Vec<&ObjectKey> = keys.iter().filter(|key| !sim.is_ready(key)).collect();
    assert!(!held.is_empty());
    for key in held {
        sim.assert_stalled(key, Reason::LimitReached);
        let said = sim.report(key);
        assert!(said.held.iter().all(|held| !held.release.is_empty()) && !said.held.is_empty());
    }
    // A create for each restore that was counted, and none besides.
    assert_eq!(sim.done(Action::CreateVpcPeeringConnection), 6 + acts.len());
}

#[test]
fn invariant_05_rounds_come_to_an_end_and_each_writes_or_says_what_it_waits_for() {
    for seed in 0..20 {
        let mut rig = rig_with("restore", |sides| sides.requester.allow_dns = Some(true));
        let knobs = Knobs::default()
            .delay_ms(Delay::Initiating, 8_000)
            .delay_ms(Delay::Provisioning, 20_000)
            .delay_ms(Delay::Visibility, 15_000)
            .choice(Choice::StaleRead, 5_000);
        rig.sim.chance = Box::new(Seeded::new(seed, knobs));
        rig.sim.watch = Some(says_what_it_waits_for);
        rig.until_ready();
        rig.lose();
        rig.sim.run_s(120);
        rig.until_ready();
        rig.sim.run_s(400);
        let turns = rig.sim.turns;
        rig.sim.assert_quiet(600);
        // Two sweeps a minute wake it, and nothing else does.
        assert!(rig.sim.turns - turns <= 2 * 10 + 2, "it runs idle: {} turns", rig.sim.turns - turns);
        rig.delete();
        rig.until_gone();
    }
}

fn says_what_it_waits_for(sim: &Sim) {
    for (key, object) in &sim.cluster.objects {
        let Some(report) = &object.report else { continue };
        let ready = report.condition(ConditionType::Ready).unwrap();
        let moving = report.condition(ConditionType::Reconciling);
        let stalled = report.condition(ConditionType::Stalled);
        match ready.truth {
            Truth::True => assert!(moving.is_none() && stalled.is_none(), "{key}\n{}", sim.say()),
            Truth::False => {
                let says = moving.or(stalled).unwrap_or_else(|| panic!("{key} is silent\n{}", sim.say()));
                assert!(moving.is_none() || stalled.is_none(), "{key} says both\n{}", sim.say());
                assert_eq!(says.reason, ready.reason);
                assert!(!says.message.is_empty());
            }
            Truth::Unknown => assert!(stalled.is_none()),
        }
    }
}

#[test]
fn invariant_06_sweeps_alone_reach_the_same_end_as_hints_at_the_moment() {
    let end = |hinted: bool| {
        let (mut sim, keys) = many(4);
        for key in &keys[..2] {
            lose(&mut sim, key);
            if hinted {
                sim.hint(key);
            }
        }
        let peer = sim.cluster.object(&keys[3]).sides.accepter.vpc.to_string();
        let table = sim.world.route_tables().find(|t| t.vpc.as_str() == peer && t.tags.contains_key("tier"));
        sim.world.delete_route(&table.unwrap().id, "10.1.0.0/16").unwrap();
        if hinted {
            sim.hint(&keys[3]);
        }
        let began = sim.world.now_ms();
        sim.run_until("noticed", 120, |sim| keys.iter().any(|key| sim.memory(key).episode.is_some()));
        let noticed_ms = sim.world.now_ms() - began;
        sim.run_s(120);
        until_all_ready(&mut sim, &keys);
        let told: Vec<_> = keys
            .iter()
            .map(|key| {
                let memory = sim.memory(key);
                let outcome =
                    memory.last_loss.as_ref().map(|loss| (loss.class, loss.outcome, loss.by_account));
                let acts: Vec<Act> = memory.spent.iter().map(|(act, _)| *act).collect();
                let slots: Vec<_> = memory.slots.iter().map(|(slot, owned)| (*slot, owned.how)).collect();
                (outcome, acts, slots)
            })
            .collect();
        (told, noticed_ms)
    };
    let (swept, swept_ms) = end(false);
    let (hinted, hinted_ms) = end(true);
    assert_eq!(swept, hinted);
    assert!(hinted_ms < 1_000 && swept_ms > 10_000, "a hint hastens: {hinted_ms} ms, {swept_ms} ms");
}

#[test]
fn invariant_07_a_write_that_lands_late_is_repaired_and_never_leaves_two_peerings() {
    let mut landed = 0;
    for number in 0.. {
        let mut rig = ready();
        rig.lose();
        rig.sim.steps = 0;
        rig.sim.crash = Some(Crash::Late(number));
        rig.sim.run_s(65);
        if !rig.sim.history.iter().any(|happened| matches!(happened, Happened::Crashed { .. })) {
            break;
        }
        // The new leader has done it all by the time the old one's writes arrive.
        rig.until_ready();
        landed += u32::from(rig.sim.land_late());
        rig.sim.run_s(120);
        rig.until_ready();
        rig.assert_whole();
        assert_eq!(rig.sim.live_peerings().len(), 1, "step {number}\n{}", rig.sim.say());
        rig.sim.assert_quiet(400);
    }
    assert!(landed >= 4, "create, accept, routes and tags came late: {landed}");
}

#[test]
fn invariant_08_lost_replies_and_reversed_twins_leave_one_peering() {
    for seed in 0..30 {
        let mut rig = rig();
        let knobs = Knobs::default()
            .fault(Fault::TimeoutAfterEffect, 1_500)
            .fault(Fault::InternalAfterEffect, 1_000)
            .fault(Fault::ResetBeforeEffect, 1_000)
            .delay_ms(Delay::Initiating, 5_000)
            .delay_ms(Delay::Visibility, 30_000)
            .choice(Choice::StaleRead, 5_000);
        rig.sim.chance = Box::new(Seeded::new(seed, knobs.clone()));
        if seed % 2 == 0 {
            // Somebody asks from the other end at about the same time.
            rig.sim.run_s(seed % 7);
            rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
        }
        rig.sim.run_s(900);
        rig.sim.chance = Box::new(ec2sim::Calm);
        rig.sim.run_s(900);
        rig.until_ready();
        rig.assert_whole();
        assert_eq!(rig.sim.live_peerings().len(), 1, "seed {seed}\n{}", rig.sim.say());
        rig.sim.assert_quiet(400);
    }
}

#[test]
fn invariant_09_one_bad_object_stops_no_other() {
    let (mut sim, a, b) = bare();
    let bad_places: Vec<Place> =
        (0..5).map(|n| place(&mut sim, SHARED, EU, &format!("10.{}.0.0/16", 60 + n))).collect();
    let mut spoil: Vec<Sides<_>> = bad_places.iter().map(|p| Sides::new(side(&a), side(p))).collect();
    spoil[0].accepter.vpc = "vpc-0123456789abcdef0".parse().unwrap();
    spoil[1].requester.account = AccountRef::Managed("nobody".into());
    spoil[2].accepter.account = AccountRef::Foreign("999999999999".parse().unwrap());
    spoil[3].accepter.account = AccountRef::Managed("broken".into());
    spoil[4].accepter.region = "ap-south-1".parse().unwrap();
    account(&mut sim, "broken", "555566667777");
    sim.cluster.accounts.get_mut("broken").unwrap().unusable = Some("AccessDenied".into());
    for (number, sides) in spoil.into_iter().enumerate() {
        declare(&mut sim, &format!("bad{number}"), sides, Some("restore"));
    }
    let good = declare(&mut sim, "good", Sides::new(side(&a), side(&b)), Some("restore"));
    sim.run_s(120);
    assert!(sim.is_ready(&good), "{}", sim.say());
    lose(&mut sim, &good);
    sim.run_s(180);
    assert!(sim.is_ready(&good), "{}", sim.say());
    for key in sim.cluster.objects.keys().filter(|key| **key != good) {
        assert!(!sim.is_ready(key), "{key}");
    }
}

#[test]
fn invariant_10_a_crash_anywhere_flags_a_loss_once_and_ends_alike() {
    let life = |crash: Option<Crash>| {
        let mut rig = ready();
        let lost = rig.lose();
        rig.sim.steps = 0;
        rig.sim.history.clear();
        rig.sim.crash = crash;
        rig.sim.run_s(90);
        rig.until_ready();
        (rig, lost)
    };
    let (calm, _) = life(None);
    for number in 0..calm.sim.steps {
        for crash in [Crash::Before(number), Crash::Within(number), Crash::After(number)] {
            let (rig, lost) = life(Some(crash));
            rig.assert_whole();
            let flags: Vec<bool> = rig
                .sim
                .history
                .iter()
                .filter_map(|happened| match happened {
                    Happened::Committed { flagged, .. } => Some(*flagged),
                    _ => None,
                })
                .collect();
            let raised = flags.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            assert_eq!(raised + usize::from(flags[0]), 1, "{crash:?}: {flags:?}");
            let closed = rig.memory().last_loss.clone().unwrap();
            assert_eq!((closed.lost, closed.outcome), (lost, LossOutcome::Restored), "{crash:?}");
            assert_eq!(closed.successor, Some(rig.id()));
        }
    }
}

#[test]
fn invariant_11_the_flag_is_stored_before_the_act_and_a_repair_told_once_read_back() {
    for seed in 0..20 {
        let mut rig = ready();
        rig.sim.history.clear();
        let knobs = Knobs::default()
            .delay_ms(Delay::Initiating, 5_000)
            .delay_ms(Delay::Provisioning, 10_000)
            .delay_ms(Delay::Visibility, 20_000)
            .choice(Choice::StaleRead, 5_000)
            .fault(Fault::TimeoutAfterEffect, 500)
            .fault(Fault::Internal, 500);
        rig.sim.chance = Box::new(Seeded::new(seed, knobs));
        rig.lose();
        rig.sim.watch = Some(|sim| {
            let memory = sim.memory(&key("peering"));
            let Some(closed) = &memory.last_loss else { return };
            // Told as restored: then it is, by the truth of the world.
            let id = closed.successor.expect("a successor");
            assert_eq!(sim.status(id), Some(PeeringStatus::Active), "{}", sim.say());
            let led = sim.world.route_tables().filter(|table| table.tags.contains_key("tier"));
            for table in led {
                let leads = |route: &ec2sim::RouteView| route.target.to_string() == id.to_string();
                assert!(table.routes.iter().any(leads), "{} is not led to {id}\n{}", table.id, sim.say());
            }
        });
        rig.sim.run_s(120);
        rig.until_ready();
        assert!(rig.memory().last_loss.is_some());
        let mut flagged = false;
        for happened in &rig.sim.history {
            match happened {
                Happened::Committed { flagged: now, .. } => flagged |= *now,
                Happened::Wrote { call, .. } => assert!(flagged, "seed {seed}: {call} before the flag"),
                _ => {}
            }
        }
    }
}

fn counts(sim: &Sim) -> BTreeMap<Action, u64> {
    let mut counts = BTreeMap::new();
    for ((caller, action), count) in sim.world.counts() {
        if &*caller.principal == OPERATOR {
            *counts.entry(*action).or_default() += count;
        }
    }
    counts
}

#[test]
fn invariant_12_a_restore_writes_the_floor_and_reads_a_bounded_number() {
    const N: usize = 20;
    let (mut sim, keys) = many(N);
    set_policy(&mut sim, "restore", |policy| policy.limits.max_restores = 100);
    for key in &keys {
        sim.cluster.edit(key, |object| {
            object.sides.requester.allow_dns = Some(true);
            object.sides.accepter.allow_dns = Some(true);
        });
    }
    sim.run_s(120);
    until_all_ready(&mut sim, &keys);
    keys.iter().for_each(|key| lose(&mut sim, key));
    sim.world.reset_counts();
    sim.run_s(75);
    until_all_ready(&mut sim, &keys);
    let counts = counts(&sim);
    let of = |action| counts.get(&action).copied().unwrap_or_default();
    let n = N as u64;
    let writes: u64 = counts.iter().filter(|(action, _)| action.mutates()).map(|(_, count)| count).sum();
    // Create, accept, two routes, two options and the accepter's tags.
    let floor = n + n + 2 * n + 2 * n + n;
    assert_eq!(writes, floor, "{counts:?}");
    assert_eq!(of(Action::CreateVpcPeeringConnection), n);
    assert_eq!(of(Action::AcceptVpcPeeringConnection), n);
    assert_eq!(of(Action::ReplaceRoute), 2 * n);
    let reads: u64 = counts.iter().filter(|(action, _)| !action.mutates()).map(|(_, count)| count).sum();
    // Before each wave what it touches, after it what it changed; and the sweeps of the time.
    assert!(reads <= 15 * n + 2 * 3 * 2, "{reads} reads for {n} restores: {counts:?}");
}

#[test]
fn invariant_12_in_sync_nothing_is_read_but_the_sweeps() {
    let (mut sim, _) = many(20);
    sim.run_s(400);
    sim.world.reset_counts();
    let stored = sim.cluster.writes;
    sim.run_s(600);
    let counts = counts(&sim);
    // Two places, ten sweeps, one page each of peerings, tables and VPCs.
    let expected = [
        (Action::DescribeVpcs, 20),
        (Action::DescribeRouteTables, 20),
        (Action::DescribeVpcPeeringConnections, 20),
    ];
    assert_eq!(counts, expected.into());
    assert_eq!(sim.cluster.writes, stored);
}

#[test]
fn an_own_write_masks_and_never_proves() {
    // AWS says yes to everything and shows nothing of it: no success is reported.
    let mut rig = ready();
    rig.lose();
    rig.sim.chance = Box::new(Oldest { lag_ms: 200_000 });
    rig.sim.run_s(180);
    assert!(!rig.sim.is_ready(&rig.key));
    assert!(rig.memory().last_loss.is_none());
    let creates = rig.sim.writes_since(0).iter().filter(|w| matches!(w, Write::Create { .. })).count();
    assert_eq!(creates, 2, "the first of all, and one for the restore");
}
