//! What CloudTrail tells: at once, late, never, or forged; and a queue that is gone.

use std::time::Duration;

use ec2sim::{Caller, Choice, Delay, NewMessage, PeeringId, Request, Script, World};

use super::rig::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// So seldom that whatever is noticed within minutes was told.
fn seldom(rig: &Rig) -> Options {
    Options { sweep_interval: HOUR, event_queues: vec![rig.tell_of_calls()], ..rig.options() }
}

fn is_flagged(rig: &Rig, of: &Declared) -> bool {
    rig.condition(&of.name, "UnexpectedlyDeleted").is_some_and(|(status, _)| status == "True")
}

async fn until_ready(rig: &Rig) {
    rig.until("all to be ready", 3 * HOUR, Rig::all_ready).await;
    // What was written at the start has settled, and its echoes were heard.
    tokio::time::sleep(10 * MINUTE).await;
}

fn delete_in_spokes(rig: &Rig, id: &PeeringId, chance: &mut Script) {
    let delete = Request::DeleteVpcPeeringConnection { peering_id: id.to_string() };
    let human = Caller::new(SHARED.0, SHARED.1).named("human");
    rig.aws.with_world(|world| world.call(&human, delete, chance)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_told_is_flagged_at_once_and_no_sweep_is_waited_for() {
    let rig = Rig::in_sync(3);
    rig.policy("Flag", 10);
    let _replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    let others = rig.server.told("vpcpeerings").len();
    let lost = rig.peerings[0].clone();
    delete_in_spokes(&rig, &rig.live(&lost).unwrap(), &mut Script::new());
    rig.until("the flag", 3 * SECOND, |rig| is_flagged(rig, &lost)).await;
    assert!(rig.server.told("vpcpeerings").len() > others);
    assert!(!is_flagged(&rig, &rig.peerings[1]) && !is_flagged(&rig, &rig.peerings[2]));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_somebody_deletes_is_repaired_at_once() {
    let rig = Rig::in_sync(2);
    let _replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    let of = rig.peerings[0].clone();
    let id = rig.live(&of).unwrap();
    let (table, to) = rig.aws.with_world(|world| {
        let routes = world.route_tables().find_map(|table| {
            let route = table.routes.iter().find(|route| route.target.as_str() == id.as_str())?;
            Some((table.id.clone(), route.destination.to_string()))
        });
        routes.unwrap()
    });
    let has_route = |rig: &Rig| {
        rig.aws.with_world(|world| {
            let table = world.route_tables().find(|known| known.id == table).unwrap();
            table.routes.iter().any(|route| route.target.as_str() == id.as_str())
        })
    };
    rig.aws.with_world(|world| world.delete_route(&table, &to)).unwrap();
    assert!(!has_route(&rig));
    rig.until("the repair", 5 * SECOND, has_route).await;
}

/// AWS shows the deletion twenty seconds after it told of it: looked at again and again, and flagged then.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_ahead_of_what_can_be_read_is_followed_up() {
    let rig = Rig::in_sync(2);
    rig.policy("Flag", 10);
    let _replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    let lost = rig.peerings[0].clone();
    rig.aws.set_chance(Script::new().always_pick(Choice::StaleRead, 1));
    let mut late = Script::new().always_delay_ms(Delay::Visibility, 20_000);
    let began_ms = rig.aws.with_world(|world| world.now_ms());
    delete_in_spokes(&rig, &rig.live(&lost).unwrap(), &mut late);
    tokio::time::sleep(10 * SECOND).await;
    assert!(!is_flagged(&rig, &lost), "what is read decides");
    rig.until("the flag", 40 * SECOND, |rig| is_flagged(rig, &lost)).await;
    let mut seconds: Vec<u64> = looks_since(&rig, began_ms).into_iter().map(|ms| ms / 1000).collect();
    seconds.dedup();
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_lost_costs_time_alone() {
    let rig = Rig::in_sync(2);
    rig.policy("Flag", 10);
    let options = Options { sweep_interval: MINUTE, ..seldom(&rig) };
    let _replica = rig.start(options).await;
    until_ready(&rig).await;
    let lost = rig.peerings[0].clone();
    let mut never = Script::new().always_pick(Choice::EventLost, 1);
    delete_in_spokes(&rig, &rig.live(&lost).unwrap(), &mut never);
    rig.until("the flag", 70 * SECOND, |rig| is_flagged(rig, &lost)).await;
    rig.until("the question who did it", 5 * SECOND, |rig| rig.aws.count("LookupEvents") > 0).await;
}

/// A message as EventBridge would write it, sent by somebody who may write to the queue.
fn forged(id: &str, n: usize) -> String {
    include_str!("../../signal/tests/records/delete-by-user.json")
        .replace("pcx-0123456789abcdef0", id)
        .replace("cfde0000-0000-4000-8000-000000000001", &format!("cfde0000-0000-4000-8000-{n:012}"))
}

fn send(rig: &Rig, body: String) {
    rig.human(PROD, Request::SendMessage { queue: queue(PROD.1), message: NewMessage::new(body) });
}

#[tokio::test(start_paused = true)]
async fn a_forged_message_costs_a_few_readings_and_achieves_nothing() {
    let rig = Rig::in_sync(2);
    let _replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    let id = rig.live(&rig.peerings[0]).unwrap();
    rig.aws.with_world(World::reset_counts);
    let (writes, shown) = (rig.server.writes("vpcpeerings"), rig.status(&rig.peerings[0].name));
    for n in 0..200 {
        send(&rig, forged(id.as_str(), n));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for body in ["{}", "not even that", "{\"source\":\"aws.ec2\",\"detail-type\":\"x\"}"] {
        send(&rig, body.to_owned());
    }
    tokio::time::sleep(2 * MINUTE).await;
    let counts = rig.counts();
    assert!(counts.keys().all(|action| !action.mutates() || is_of_the_queue(action.name())), "{counts:?}");
    assert_eq!(rig.server.writes("vpcpeerings"), writes, "{:#?}", rig.server.told("vpcpeerings"));
    assert_eq!(rig.status(&rig.peerings[0].name), shown);
    assert_eq!(rig.live(&rig.peerings[0]), Some(id));
    let looks = counts.iter().find(|(action, _)| action.name() == "DescribeVpcPeeringConnections");
    let looks = looks.map(|(_, count)| *count).unwrap_or_default();
    assert!((2..80).contains(&looks), "two hundred messages in ten seconds came to {looks} looks");
    assert_eq!(rig.aws.with_world(|world| world.messages_in(&queue(PROD.1))), 0);
}

fn is_of_the_queue(action: &str) -> bool {
    action.ends_with("MessageBatch") || action == "AssumeRole"
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_gone_leaves_the_sweeps_and_is_said_until_it_is_back() {
    let rig = Rig::in_sync(2);
    rig.policy("Flag", 10);
    let options = Options { sweep_interval: MINUTE, ..seldom(&rig) };
    let _replica = rig.start(options).await;
    until_ready(&rig).await;
    assert_eq!(rig.account_condition("prod", "EventLaneDegraded"), None);
    rig.human(PROD, Request::DeleteQueue { queue: queue(PROD.1) });
    let reason =
        |rig: &Rig, name: &str| rig.account_condition(name, "EventLaneDegraded").map(|(reason, _)| reason);
    for name in ["prod", "shared"] {
        let is_said = |rig: &Rig| reason(rig, name).as_deref() == Some("QueueUnreadable");
        rig.until("the condition", 5 * MINUTE, is_said).await;
    }
    let (_, message) = rig.account_condition("prod", "EventLaneDegraded").unwrap();
    assert!(message.contains("sqs:ReceiveMessage"), "{message}");
    assert_eq!(rig.account_condition("prod", "Ready").unwrap().0, "Usable");
    let lost = rig.peerings[0].clone();
    delete_in_spokes(&rig, &rig.live(&lost).unwrap(), &mut Script::new());
    rig.until("the flag", 70 * SECOND, |rig| is_flagged(rig, &lost)).await;
    rig.create_queue(PROD.1);
    let is_well = |rig: &Rig| reason(rig, "prod").is_none() && reason(rig, "shared").is_none();
    rig.until("the end of it", 3 * MINUTE, is_well).await;
}

/// Each Region's calls come through a queue of its own. What one tells is heard whatever becomes of the other, and only who is
/// told of by it can't rely on it.
#[tokio::test(start_paused = true)]
async fn of_two_queues_each_is_heard_and_one_that_is_gone_bears_on_its_own_places_alone() {
    let rig = Rig::in_sync(3);
    let queues = vec![rig.tell(&[PROD], PROD.1), rig.tell(&[SHARED], SHARED.1)];
    let _replica = rig.start(Options { sweep_interval: HOUR, event_queues: queues, ..rig.options() }).await;
    until_ready(&rig).await;
    let is_anew = |of: &Declared, id: &PeeringId| rig.live(of).is_some_and(|live| live != *id);
    let [by_spoke, by_hub, later] = [0, 1, 2].map(|n| rig.peerings[n].clone());
    let ids = [&by_spoke, &by_hub, &later].map(|of| rig.live(of).unwrap());
    delete_in_spokes(&rig, &ids[0], &mut Script::new());
    rig.until("what the spokes' queue tells", 10 * SECOND, |_| is_anew(&by_spoke, &ids[0])).await;
    rig.human(PROD, Request::DeleteVpcPeeringConnection { peering_id: ids[1].to_string() });
    rig.until("what the hubs' queue tells", 10 * SECOND, |_| is_anew(&by_hub, &ids[1])).await;
    // The restores wrote in both places, and were heard of there.
    tokio::time::sleep(MINUTE).await;

    rig.human(PROD, Request::DeleteQueue { queue: queue(PROD.1) });
    let reason = |name: &str| {
        rig.account_condition(name, "EventLaneDegraded").map(|(reason, _)| reason).unwrap_or_default()
    };
    rig.until("the condition", 5 * MINUTE, |_| reason("prod") == "QueueUnreadable").await;
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(reason("shared"), "", "its calls come through the other");
    delete_in_spokes(&rig, &ids[2], &mut Script::new());
    rig.until("what the other queue tells", 10 * SECOND, |_| is_anew(&later, &ids[2])).await;
    rig.create_queue(PROD.1);
    rig.until("the end of it", 3 * MINUTE, |_| reason("prod").is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_of_ours_that_is_not_told_of_is_noticed_in_a_quarter_of_an_hour() {
    let rig = Rig::in_sync(2);
    let options = Options { sweep_interval: MINUTE, ..seldom(&rig) };
    let _replica = rig.start(options).await;
    until_ready(&rig).await;
    for place in [PROD, SHARED] {
        rig.human(place, Request::DisableRule { name: World::EVENTS.to_owned() });
    }
    let began = rig.lose_all().len();
    assert_eq!(began, 2);
    rig.until("the restores", 10 * MINUTE, |rig| {
        rig.settled_anew() && rig.peerings.iter().all(|of| !is_flagged(rig, of))
    })
    .await;
    assert_eq!(rig.account_condition("prod", "EventLaneDegraded"), None, "it is early");
    let is_said = |rig: &Rig| {
        rig.account_condition("prod", "EventLaneDegraded")
            .is_some_and(|(reason, _)| reason == "WriteNotEchoed")
    };
    rig.until("the condition", 20 * MINUTE, is_said).await;
    for place in [PROD, SHARED] {
        rig.human(place, Request::EnableRule { name: World::EVENTS.to_owned() });
    }
    let lost = rig.peerings[0].clone();
    let id = rig.live(&lost).unwrap();
    rig.aws.with_world(|world| world.delete_peering_as(PROD.0, PROD.1, &id)).unwrap();
    let is_well = |rig: &Rig| rig.account_condition("prod", "EventLaneDegraded").is_none();
    rig.until("the end of it", MINUTE, is_well).await;
}

#[tokio::test(start_paused = true)]
async fn our_own_writes_are_echoed_in_time() {
    let rig = Rig::in_sync(2);
    let _replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    rig.lose_all();
    rig.until("the restores", 10 * MINUTE, Rig::settled_anew).await;
    tokio::time::sleep(30 * MINUTE).await;
    for name in ["prod", "shared"] {
        assert_eq!(rig.account_condition(name, "EventLaneDegraded"), None, "all were echoed");
    }
}

/// How often the operator looked for peerings since then.
fn looks_since(rig: &Rig, then_ms: u64) -> Vec<u64> {
    let seen = rig.aws.seen();
    let looks = seen.iter().filter(|seen| seen.action == "DescribeVpcPeeringConnections");
    looks.map(|seen| seen.at_ms).filter(|at_ms| *at_ms >= then_ms).map(|at_ms| at_ms - then_ms).collect()
}

#[tokio::test(start_paused = true)]
async fn what_we_did_ourselves_wakes_nobody() {
    let rig = Rig::in_sync(2);
    let replica = rig.start(seldom(&rig)).await;
    until_ready(&rig).await;
    let id = rig.live(&rig.peerings[0]).unwrap();
    let place = peerkeeper_core::ids::AccountRegion {
        account: PROD.0.parse().unwrap(),
        region: PROD.1.parse().unwrap(),
    };
    let request = "b9870000-0000-4000-8000-000000000001";
    replica.shell.wrote(place, "DeleteVpcPeeringConnection", Some(request.into()));
    let now_ms = rig.aws.with_world(|world| world.now_ms());
    send(&rig, forged(id.as_str(), 1));
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(looks_since(&rig, now_ms), [0; 0]);
    let others = forged(id.as_str(), 2).replace(request, "b9870000-0000-4000-8000-000000000002");
    send(&rig, others);
    tokio::time::sleep(5 * SECOND).await;
    assert!(!looks_since(&rig, now_ms).is_empty());
}
