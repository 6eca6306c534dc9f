//! The main job, and what may go wrong around it.

use std::time::Duration;

use ec2sim::{Action, Calm, Choice, Delay, Fault as AwsFault, Knobs, PeeringStatus, Seeded};

use super::api_server::Fault;
use super::rig::*;
use crate::controller::RunError;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn all_flagged(rig: &Rig) -> bool {
    let is_flagged = |of: &Declared| {
        rig.condition(&of.name, "UnexpectedlyDeleted").is_some_and(|(status, _)| status == "True")
    };
    rig.peerings.iter().all(is_flagged)
}

/// Every declared pair has one active peering, and every route leads to it.
fn assert_whole(rig: &Rig) {
    rig.aws.with_world(|world| {
        for declared in &rig.peerings {
            let live = world.live_peerings_of(&declared.hub, &declared.spoke);
            let [id] = &live[..] else { panic!("{} has {live:?}", declared.name) };
            assert_eq!(world.peering(id).unwrap().status, PeeringStatus::Active);
            let leads_there = |table: &ec2sim::RouteTableView| {
                table.routes.iter().filter(|route| route.target.as_str() == id.as_str()).count()
            };
            let routes: usize = world.route_tables().map(|table| leads_there(&table)).sum();
            assert_eq!(routes, 2 * TABLES, "{}", declared.name);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_flagged_by_the_next_sweep_and_then_restored() {
    let rig = Rig::in_sync(3);
    let _replica = rig.start(rig.options()).await;
    rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
    let lost = rig.lose_all();
    rig.until("the flags", 70 * SECOND, all_flagged).await;
    rig.until("the restores", MINUTE, Rig::all_ready).await;
    assert_whole(&rig);
    for (declared, lost) in rig.peerings.iter().zip(lost) {
        assert_ne!(rig.live(declared), Some(lost));
        assert!(rig.events(&declared.name).len() >= 2, "{:?}", rig.events(&declared.name));
    }
}

/// Sessions of the roles end meanwhile, and watches are begun anew: none of it shows.
#[tokio::test(start_paused = true)]
async fn in_sync_nothing_is_written_for_hours_but_the_lease() {
    let rig = Rig::in_sync(3);
    let _replica = rig.start(rig.options()).await;
    rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
    tokio::time::sleep(10 * MINUTE).await;
    rig.aws.with_world(|world| world.reset_counts());
    let (objects, leases) = (rig.server.writes("vpcpeerings"), rig.server.writes("leases"));
    let others = rig.server.writes("awsaccounts") + rig.server.writes("events");
    tokio::time::sleep(2 * HOUR).await;
    assert_eq!(rig.server.writes("vpcpeerings"), objects, "{:#?}", rig.server.told("vpcpeerings"));
    assert_eq!(rig.server.writes("awsaccounts") + rig.server.writes("events"), others);
    assert!(rig.server.writes("leases") > leases + 700);
    let counts = rig.counts();
    let of = |action: Action| counts.get(&action).copied().unwrap_or_default();
    assert!(counts.keys().all(|action| !action.mutates() || *action == Action::AssumeRole), "{counts:?}");
    // A sweep a minute of each of the two places, by a tenth more or less; one page each.
    for action in [Action::DescribeVpcPeeringConnections, Action::DescribeRouteTables, Action::DescribeVpcs] {
        assert!((210..=270).contains(&of(action)), "{action}: {counts:?}");
    }
    assert!(of(Action::AssumeRole) >= 2, "an hour's sessions were not renewed: {counts:?}");
    assert!(rig.all_ready());
}

#[tokio::test(start_paused = true)]
async fn a_leader_without_its_api_server_ends_and_changes_nothing_more() {
    let rig = Rig::in_sync(3);
    let replica = rig.start(rig.options()).await;
    rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
    rig.server.fail(Some(Fault::Down));
    rig.lose_all();
    let ended = tokio::time::timeout(2 * MINUTE, replica.task).await.expect("it goes on without a lease");
    assert!(matches!(ended.unwrap(), Err(RunError::LeaseLost)));
    assert!(rig.peerings.iter().all(|declared| rig.live(declared).is_none()), "restored, and not flagged");
    // Its successor finds everything as it is, and does the rest.
    rig.server.fail(None);
    let _next = rig.start(Options { identity: "two".to_owned(), ..rig.options() }).await;
    rig.until("the restores", 10 * MINUTE, |rig| {
        rig.all_ready() && rig.peerings.iter().all(|of| rig.live(of).is_some())
    })
    .await;
    assert_whole(&rig);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_dies_in_the_middle_is_followed_by_one_that_finishes() {
    for steps in [0, 5, 14, 40] {
        let rig = Rig::in_sync(3);
        let first = rig.start(rig.options()).await;
        rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
        let _second = rig.start(Options { identity: "two".to_owned(), ..rig.options() }).await;
        rig.lose_all();
        rig.until("a flag", 70 * SECOND, |rig| rig.server.writes("events") > 0).await;
        // Each step is as long as a call: this many calls into the restore.
        tokio::time::sleep(2 * SECOND + steps * 20 * Duration::from_millis(1)).await;
        first.kill();
        let whole = |rig: &Rig| rig.all_ready() && rig.peerings.iter().all(|of| rig.live(of).is_some());
        rig.until("the second to finish", 10 * MINUTE, whole).await;
        // What the first one had under way may still land.
        tokio::time::sleep(10 * MINUTE).await;
        assert_whole(&rig);
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_that_can_t_be_stored_hold_back_every_act() {
    let rig = Rig::in_sync(3);
    let _replica = rig.start(rig.options()).await;
    rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
    rig.server.fail(Some(Fault::Conflict));
    rig.server.forget_asked();
    rig.lose_all();
    tokio::time::sleep(20 * MINUTE).await;
    assert!(rig.peerings.iter().all(|declared| rig.live(declared).is_none()), "restored, and not flagged");
    // Nor does it ask without end for what it can't have.
    let tries = rig.server.asked("vpcpeerings");
    assert!(tries < 400, "{tries} requests in 20 minutes");
    rig.server.fail(None);
    rig.until("the restores", 8 * MINUTE, Rig::settled_anew).await;
    assert_whole(&rig);
    for declared in &rig.peerings {
        let events = rig.events(&declared.name);
        assert!(events.iter().any(|reason| reason == "DeletedUnexpectedly"), "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn through_every_fault_of_aws_it_comes_to_rest_as_declared() {
    for seed in 0..2 {
        let rig = Rig::in_sync(4);
        let _replica = rig.start(rig.options()).await;
        rig.until("all to be ready", 5 * MINUTE, Rig::all_ready).await;
        let mut knobs = Knobs::rough()
            .fault(AwsFault::TimeoutAfterEffect, 300)
            .choice(Choice::WriteTooEarly, 1_000)
            .delay_ms(Delay::Visibility, 20_000)
            .delay_ms(Delay::Provisioning, 10_000);
        knobs.faults.insert(AwsFault::Throttled, 400);
        rig.aws.set_chance(Seeded::new(seed, knobs));
        for _ in 0..3 {
            rig.lose_some();
            tokio::time::sleep(5 * MINUTE).await;
        }
        rig.aws.set_chance(Calm);
        let whole = |rig: &Rig| rig.all_ready() && rig.peerings.iter().all(|of| rig.live(of).is_some());
        rig.until("it to come to rest", 20 * MINUTE, whole).await;
        assert_whole(&rig);
        // And it stays so without another write.
        tokio::time::sleep(15 * MINUTE).await;
        rig.aws.with_world(|world| world.clear_log());
        tokio::time::sleep(15 * MINUTE).await;
        assert_eq!(
            rig.aws.with_world(|world| world
                .log()
                .filter(|m| m.action.mutates() && m.action != Action::AssumeRole)
                .count()),
            0
        );
    }
}

/// AWS's own buckets are the floor: with all of their rate to itself, a mass restore takes hardly longer than they do,
/// and is never refused. A sweep comes in between.
#[tokio::test(start_paused = true)]
async fn a_mass_restore_is_as_fast_as_the_buckets_allow() {
    let measured = super::bench::restore(20).await;
    assert_eq!(measured.writes, measured.writes_floor);
    assert_eq!(measured.throttled, 0);
    let (took, floor) = (measured.took.as_secs_f64(), measured.floor.as_secs_f64());
    assert!(took <= 1.1 * floor + 60.0, "{took:.0} s, and {floor:.0} s is the floor: {measured:?}");
}
