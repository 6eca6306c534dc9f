//! Somebody else with our credentials, and all that looks like it and is none.

use std::time::Duration;

use ec2sim::{
    Caller, Calm, Chance, Delay, NewMessage, PeeringId, Request, RouteRequest, RouteTableId, Script,
    UserIdentity, VpcId,
};
use serde_json::{Value, json};

use super::rig::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const CONDITION: &str = "OperatorCredentialsMisused";
const ACKNOWLEDGED: &str = "peerkeeper.dev/credentials-misuse-acknowledged";

/// A session of the role that we assume in the hubs' account, named as ours are.
fn stolen() -> Caller {
    thief("peerkeeper-test-owner")
}

fn thief(session: &str) -> Caller {
    let identity =
        UserIdentity::role("peerkeeper", session).key("ASIASTOLEN").seen_from("198.51.100.66", "curl");
    Caller::new(PROD.0, PROD.1).known_as(identity)
}

/// AWS's clock is ours.
fn in_sync(size: usize) -> Rig {
    let rig = Rig::in_sync(size);
    rig.aws.with_world(|world| {
        let ahead_ms = world.wall_ms() - 1000 * crate::aws::clock::wall().0;
        world.set_wall_at_zero(world.wall_ms() - ahead_ms - i64::try_from(world.now_ms()).unwrap());
    });
    rig
}

fn call(rig: &Rig, caller: &Caller, request: Request, chance: &mut dyn Chance) {
    rig.aws.with_world(|world| world.call(caller, request, chance)).unwrap();
}

fn delete(id: &PeeringId) -> Request {
    Request::DeleteVpcPeeringConnection { peering_id: id.to_string() }
}

fn delete_route((table, to): &(RouteTableId, String)) -> Request {
    Request::DeleteRoute(RouteRequest::new(table, to))
}

/// A route of a hub's table that leads to this peering.
fn route(rig: &Rig, of: &Declared) -> (RouteTableId, String) {
    route_in(rig, of, &of.hub)
}

fn route_in(rig: &Rig, of: &Declared, vpc: &VpcId) -> (RouteTableId, String) {
    let id = rig.live(of).unwrap();
    rig.aws.with_world(|world| {
        let at_hub = world.route_tables().filter(|table| table.vpc == *vpc);
        let found = at_hub.into_iter().find_map(|table| {
            let route = table.routes.iter().find(|route| route.target.as_str() == id.as_str())?;
            Some((table.id.clone(), route.destination.to_string()))
        });
        found.unwrap()
    })
}

fn has_route(rig: &Rig, of: &Declared, (table, to): &(RouteTableId, String)) -> bool {
    let id = rig.live(of).unwrap();
    rig.aws.with_world(|world| {
        let table = world.route_tables().find(|known| known.id == *table).unwrap();
        let leads = |route: &ec2sim::RouteView| {
            route.destination.to_string() == *to && route.target.as_str() == id.as_str()
        };
        table.routes.iter().any(leads)
    })
}

/// The condition of an AwsAccount: status, reason, message.
fn said(rig: &Rig, account: &str) -> Option<(String, String, String)> {
    let object = rig.server.get("awsaccounts", "", account).unwrap();
    let conditions = object["status"]["conditions"].as_array()?.clone();
    let found = conditions.into_iter().find(|condition| condition["type"] == CONDITION)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("reason"), text("message")))
}

fn is_held(rig: &Rig, account: &str) -> bool {
    said(rig, account).is_some_and(|(status, ..)| status == "True")
}

fn found(rig: &Rig, account: &str) -> Vec<Value> {
    let object = rig.server.get("awsaccounts", "", account).unwrap();
    object["status"]["credentialsMisuse"]["calls"].as_array().cloned().unwrap_or_default()
}

fn last_found(rig: &Rig, account: &str) -> String {
    found(rig, account).last().unwrap()["eventId"].as_str().unwrap().to_owned()
}

fn acknowledge(rig: &Rig, account: &str, event: &str) {
    let mut object = rig.server.get("awsaccounts", "", account).unwrap();
    object["metadata"]["annotations"] = json!({ ACKNOWLEDGED: event });
    rig.server.apply(object);
}

/// So seldom swept that what is noticed was told.
fn told(rig: &Rig) -> Options {
    Options { sweep_interval: HOUR, event_queues: vec![rig.tell_of_calls()], ..rig.options() }
}

async fn until_settled(rig: &Rig) {
    rig.until("all to be ready", 3 * HOUR, Rig::all_ready).await;
    tokio::time::sleep(10 * MINUTE).await;
    for account in ["prod", "shared"] {
        assert_eq!(said(rig, account), None, "what we did ourselves");
    }
}

/// Whatever the account's objects would write there is held, and says by what it is released.
async fn assert_holds(rig: &Rig, of: &Declared, event: &str) {
    let route = route(rig, of);
    rig.aws.with_world(|world| world.delete_route(&route.0, &route.1)).unwrap();
    let stalled =
        |rig: &Rig| rig.condition(&of.name, "Stalled").is_some_and(|(_, reason)| reason == CONDITION);
    rig.until("the hold on the object", 2 * HOUR, stalled).await;
    tokio::time::sleep(10 * MINUTE).await;
    assert!(!has_route(rig, of, &route), "nothing is written");
    let shown = rig.status(&of.name).to_string();
    assert!(shown.contains(&format!("{ACKNOWLEDGED}={event}")), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn somebody_with_our_credentials_is_told_of_and_the_account_held_until_a_person_has_looked() {
    let rig = in_sync(2);
    let replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let [hit, other] = [rig.peerings[0].clone(), rig.peerings[1].clone()];
    let stolen_route = route(&rig, &hit);
    let id = rig.live(&other).unwrap();
    // The history shows it five minutes later: until then it is a suspicion.
    let mut late = Script::new().always_delay_ms(Delay::EventHistory, 300_000);
    call(&rig, &stolen(), delete_route(&stolen_route), &mut late);
    rig.until("the suspicion", 10 * SECOND, |rig| said(rig, "prod").is_some()).await;
    let (status, reason, message) = said(&rig, "prod").unwrap();
    assert_eq!((&*status, &*reason), ("Unknown", "CallNotCorroborated"), "{message}");
    rig.until("the repair, as nothing is held yet", MINUTE, |rig| has_route(rig, &hit, &stolen_route)).await;
    rig.until("the hold", 20 * MINUTE, |rig| is_held(rig, "prod")).await;
    let (_, reason, message) = said(&rig, "prod").unwrap();
    assert_eq!(reason, "CallNotOurs");
    let event = last_found(&rig, "prod");
    for word in [
        "DeleteRoute",
        stolen_route.0.as_str(),
        PROD.1,
        "peerkeeper-test-owner",
        "198.51.100.66",
        "ASIASTOLEN",
        &event,
    ] {
        assert!(message.contains(word), "{word} is not in {message}");
    }
    assert!(rig.events("prod").contains(&CONDITION.to_owned()), "{:?}", rig.events("prod"));
    assert_eq!(said(&rig, "shared"), None, "the other account is none of theirs");
    assert_holds(&rig, &other, &event).await;
    acknowledge(&rig, "prod", "cfde0000-0000-4000-8000-000000000009");
    tokio::time::sleep(10 * MINUTE).await;
    assert!(is_held(&rig, "prod"), "another event was acknowledged");
    acknowledge(&rig, "prod", &event);
    rig.until("the release", MINUTE, |rig| said(rig, "prod").is_none()).await;
    rig.until("the repair", 2 * HOUR, Rig::all_ready).await;
    assert!(rig.events("prod").contains(&"MisuseAcknowledged".to_owned()));
    // The annotation may go: it is noted. A second call holds again, and asks for its own acknowledgement.
    acknowledge(&rig, "prod", "");
    tokio::time::sleep(10 * MINUTE).await;
    assert_eq!(said(&rig, "prod"), None);
    call(&rig, &thief("by-hand"), delete(&id), &mut Calm);
    rig.until("the second hold", 5 * MINUTE, |rig| is_held(rig, "prod")).await;
    assert_eq!(found(&rig, "prod").len(), 2);
    acknowledge(&rig, "prod", &event);
    tokio::time::sleep(5 * MINUTE).await;
    assert!(is_held(&rig, "prod"), "the first was acknowledged, not the second");
    let metrics = replica.shell.metrics.encode(&Default::default()).unwrap();
    for line in [
        "peerkeeper_credentials_misused{account=\"prod\"} 1",
        "peerkeeper_credentials_misused{account=\"shared\"} 0",
        "peerkeeper_strange_calls_total{account=\"prod\",verdict=\"misuse\"} 2",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

/// All that the operator removes, and removed before, is ours: restores with RemoveRoutes, deletions, and what it did for an
/// object that is gone, told of by a message that comes after that and after a restart.
#[tokio::test(start_paused = true)]
async fn what_we_remove_ourselves_is_no_alarm_even_when_its_object_is_gone_and_another_process_hears_of_it() {
    let rig = in_sync(3);
    let options = Options { sweep_interval: MINUTE, ..told(&rig) };
    let replica = rig.start(options).await;
    until_settled(&rig).await;
    // What we made ourselves goes with its object.
    rig.lose_all();
    rig.until("the restores", 10 * MINUTE, Rig::settled_anew).await;
    rig.policy("RemoveRoutes", 10);
    until_settled(&rig).await;
    // Ten hours from the call to the message.
    rig.aws.set_chance(Script::new().always_delay_ms(Delay::EventDelivery, 36_000_000));
    let lost = rig.live(&rig.peerings[0]).unwrap();
    rig.aws.with_world(|world| world.delete_peering_as(SHARED.0, SHARED.1, &lost)).unwrap();
    let removed = rig.live(&rig.peerings[1]).unwrap();
    rig.server.delete("vpcpeerings", NAMESPACE, &rig.peerings[1].name);
    let is_gone =
        |rig: &Rig, at: usize| rig.server.get("vpcpeerings", NAMESPACE, &rig.peerings[at].name).is_none();
    rig.until("its end", 10 * MINUTE, |rig| is_gone(rig, 1)).await;
    assert_eq!(rig.live(&rig.peerings[1]), None);
    // Its routes were removed as the policy says; then its object goes too.
    tokio::time::sleep(20 * MINUTE).await;
    rig.server.delete("vpcpeerings", NAMESPACE, &rig.peerings[0].name);
    rig.until("its end", 10 * MINUTE, |rig| is_gone(rig, 0)).await;
    let noted = rig.server.get("awsaccounts", "", "prod").unwrap()["status"]["ownCalls"].to_string();
    assert!(noted.contains(removed.as_str()) && noted.contains("rtb-"), "{noted}");
    replica.kill();
    let deletions = rig.aws.count("DeleteRoute");
    assert!(deletions >= 2 * TABLES, "{deletions}");
    let second = Options { identity: "two".to_owned(), ..told_already(&rig) };
    let replica = rig.start(second).await;
    tokio::time::sleep(11 * HOUR).await;
    assert_eq!(rig.aws.with_world(|world| world.messages_in(&queue(PROD.1))), 0, "all were heard");
    let metrics = replica.shell.metrics.encode(&Default::default()).unwrap();
    assert!(metrics.contains("call=\"DeleteRoute\""), "our own calls were told of: {metrics}");
    assert!(!metrics.contains("peerkeeper_strange_calls_total{"), "{metrics}");
    for account in ["prod", "shared"] {
        assert_eq!(said(&rig, account), None);
    }
}

/// The queue is there already.
fn told_already(rig: &Rig) -> Options {
    let url = format!("https://sqs.{}.amazonaws.com/{}/events", PROD.1, PROD.0);
    Options { sweep_interval: MINUTE, event_queues: vec![url.parse().unwrap()], ..rig.options() }
}

#[tokio::test(start_paused = true)]
async fn a_forged_message_is_a_suspicion_and_holds_nothing() {
    let rig = in_sync(2);
    let replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let id = rig.live(&rig.peerings[0]).unwrap();
    for n in 0..100 {
        let body = forged(&rig, &id, n);
        rig.human(PROD, Request::SendMessage { queue: queue(PROD.1), message: NewMessage::new(body) });
    }
    rig.until("the suspicion", 10 * SECOND, |rig| said(rig, "prod").is_some()).await;
    let writes = rig.server.writes("awsaccounts");
    tokio::time::sleep(HOUR).await;
    let (status, reason, message) = said(&rig, "prod").unwrap();
    assert_eq!((&*status, &*reason), ("Unknown", "CallNotCorroborated"), "{message}");
    assert!(message.contains("does not show it"), "{message}");
    assert!(rig.all_ready(), "nothing is held");
    let of = rig.peerings[0].clone();
    let gone = route(&rig, &of);
    rig.aws.with_world(|world| world.delete_route(&gone.0, &gone.1)).unwrap();
    rig.until("the repair", MINUTE, |rig| has_route(rig, &of, &gone)).await;
    assert!(found(&rig, "prod").is_empty());
    let shown = rig.server.get("awsaccounts", "", "prod").unwrap();
    assert_eq!(shown["status"]["credentialsMisuse"]["suspected"].as_array().unwrap().len(), 16);
    let writes = rig.server.writes("awsaccounts") - writes;
    assert!(writes < 20, "a hundred messages came to {writes} writes");
    let asked = rig.aws.count("LookupEvents");
    assert!(asked < 64 * 10, "and to {asked} questions");
    // A day later nobody speaks of it any more.
    tokio::time::sleep(26 * HOUR).await;
    assert_eq!(said(&rig, "prod"), None);
    drop(replica);
}

/// As EventBridge would write of a deletion that was made as us.
fn forged(rig: &Rig, id: &PeeringId, n: usize) -> String {
    let now_s = rig.aws.with_world(|world| world.wall_ms()) / 1000;
    let at = k8s_openapi::jiff::Timestamp::from_second(now_s).unwrap().to_string();
    let mut body: Value =
        serde_json::from_str(include_str!("../../signal/tests/records/delete-by-user.json")).unwrap();
    let detail = &mut body["detail"];
    detail["eventTime"] = json!(at);
    detail["eventID"] = json!(format!("f0000000-0000-4000-8000-{n:012}"));
    detail["requestID"] = json!(format!("f1000000-0000-4000-8000-{n:012}"));
    detail["userIdentity"] = json!({
        "type": "AssumedRole", "accountId": PROD.0, "principalId": "AROAX:peerkeeper-test-owner",
        "arn": format!("arn:aws:sts::{}:assumed-role/peerkeeper/peerkeeper-test-owner", PROD.0),
    });
    body.to_string().replace("pcx-0123456789abcdef0", id.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_hold_and_what_is_suspected() {
    let rig = in_sync(2);
    let replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let gone = route(&rig, &rig.peerings[0]);
    call(&rig, &stolen(), delete_route(&gone), &mut Calm);
    rig.until("the hold", 5 * MINUTE, |rig| is_held(rig, "prod")).await;
    // Told of in the other account and not in its history yet, when the process dies.
    let there_gone = route_in(&rig, &rig.peerings[1], &rig.peerings[1].spoke);
    let identity = UserIdentity::role("peerkeeper", "by-hand");
    let there = Caller::new(SHARED.0, SHARED.1).known_as(identity);
    let mut late = Script::new().always_delay_ms(Delay::EventHistory, 600_000);
    call(&rig, &there, delete_route(&there_gone), &mut late);
    rig.until("the suspicion", MINUTE, |rig| said(rig, "shared").is_some()).await;
    replica.kill();
    let event = last_found(&rig, "prod");
    let second = Options { identity: "two".to_owned(), ..told_already(&rig) };
    let _replica = rig.start(second).await;
    tokio::time::sleep(5 * MINUTE).await;
    assert!(is_held(&rig, "prod"));
    assert_holds(&rig, &rig.peerings[0].clone(), &event).await;
    rig.until("the other hold", 20 * MINUTE, |rig| is_held(rig, "shared")).await;
    acknowledge(&rig, "prod", &event);
    acknowledge(&rig, "shared", &last_found(&rig, "shared"));
    rig.until("the repairs", HOUR, Rig::settled_anew).await;
    assert_eq!((said(&rig, "prod"), said(&rig, "shared")), (None, None));
}

/// No queue: the history is asked who deleted the peering, and names us.
#[tokio::test(start_paused = true)]
async fn without_a_queue_the_history_tells_of_it_when_it_is_asked_who_deleted_a_peering() {
    let rig = in_sync(2);
    let _replica = rig.start(rig.options()).await;
    until_settled(&rig).await;
    let id = rig.live(&rig.peerings[0]).unwrap();
    call(&rig, &stolen(), delete(&id), &mut Calm);
    rig.until("the hold", 5 * MINUTE, |rig| is_held(rig, "prod")).await;
    assert_eq!(found(&rig, "prod")[0]["id"], id.as_str());
}

/// What would account for the call can't be read: that is said, and nothing is held until it can.
#[tokio::test(start_paused = true)]
async fn while_a_memory_cannot_be_read_nothing_is_concluded() {
    let rig = in_sync(2);
    let _replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let whole = rig.server.get("vpcpeerings", NAMESPACE, &rig.peerings[1].name).unwrap();
    let mut spoilt = whole.clone();
    spoilt["status"]["memory"]["life"]["stage"] = json!("Unheard");
    rig.server.put_status(&spoilt);
    let gone = route(&rig, &rig.peerings[0]);
    call(&rig, &stolen(), delete_route(&gone), &mut Calm);
    let cant = |rig: &Rig| said(rig, "prod").is_some_and(|(_, _, message)| message.contains("can't be read"));
    rig.until("what it waits for", MINUTE, cant).await;
    tokio::time::sleep(HOUR).await;
    assert!(!is_held(&rig, "prod") && found(&rig, "prod").is_empty());
    rig.server.put_status(&whole);
    rig.until("the hold", 2 * HOUR, |rig| is_held(rig, "prod")).await;
}

/// An object that was restored without its status may have made the call before: nobody can say any more.
#[tokio::test(start_paused = true)]
async fn of_calls_before_a_memory_was_lost_nothing_is_concluded_and_of_later_ones_it_is() {
    let rig = in_sync(2);
    let _replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let mut late = Script::new().always_delay_ms(Delay::EventDelivery, 1_200_000);
    let gone = route(&rig, &rig.peerings[0]);
    call(&rig, &stolen(), delete_route(&gone), &mut late);
    tokio::time::sleep(10 * MINUTE).await;
    let mut bare = rig.server.get("vpcpeerings", NAMESPACE, &rig.peerings[1].name).unwrap();
    assert!(bare["metadata"]["annotations"]["peerkeeper.dev/established"].is_string());
    bare["status"] = json!({});
    rig.server.put_status(&bare);
    let cant =
        |rig: &Rig| said(rig, "prod").is_some_and(|(_, _, message)| message.contains("lost its status"));
    rig.until("what can't be said", 20 * MINUTE, cant).await;
    tokio::time::sleep(HOUR).await;
    assert!(!is_held(&rig, "prod"));
    rig.until("all to be ready", 3 * HOUR, Rig::all_ready).await;
    let gone = route(&rig, &rig.peerings[0]);
    call(&rig, &stolen(), delete_route(&gone), &mut Calm);
    rig.until("the hold", 5 * MINUTE, |rig| is_held(rig, "prod")).await;
}

/// Another installation uses the same role, and ends something of its own.
#[tokio::test(start_paused = true)]
async fn another_installations_calls_are_its_own_unless_they_end_what_is_declared_here() {
    let rig = in_sync(2);
    let _replica = rig.start(told(&rig)).await;
    until_settled(&rig).await;
    let theirs = thief("peerkeeper-other-owner");
    let (a, b) = (rig.peerings[0].hub.clone(), rig.peerings[0].spoke.clone());
    let elsewhere = rig.aws.with_world(|world| {
        let third = world.create_vpc(PROD.0, PROD.1, "10.77.0.0/16").unwrap();
        world.peer(&a, &third).unwrap()
    });
    call(&rig, &theirs, delete(&elsewhere), &mut Calm);
    tokio::time::sleep(30 * MINUTE).await;
    assert_eq!(said(&rig, "prod"), None, "{b}");
    call(&rig, &theirs, delete(&rig.live(&rig.peerings[0]).unwrap()), &mut Calm);
    rig.until("the hold", 5 * MINUTE, |rig| is_held(rig, "prod")).await;
}
