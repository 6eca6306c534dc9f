//! From a call to a message: rules, trails, and everything that can happen on the way.

use ec2sim::{
    BatchEntry, Caller, Calm, Choice, Delay, EventPattern, Fault, Knobs, Lookup, NewMessage, QueueId,
    ReadWriteType, Receive, ReceivedMessage, Request, RouteRequest, RuleTarget, Script, Seeded, Tags, World,
};
use serde_json::{Value, json};

use crate::rig::*;

pub const HUB: &str = "999900001111";

pub fn queue_in(world: &mut World, account: &str, region: &str, name: &str) -> QueueId {
    let request =
        Request::CreateQueue { name: name.to_owned(), attributes: Default::default(), tags: Tags::new() };
    world.as_human(account, region, request).unwrap().queue_url().unwrap()
}

pub fn receive(world: &mut World, queue: &QueueId) -> Vec<ReceivedMessage> {
    let owner = Caller::new(&queue.account, &queue.region);
    world.call(&owner, Request::ReceiveMessage(Receive::from(queue)), &mut Calm).unwrap().messages().unwrap()
}

fn pattern() -> EventPattern {
    EventPattern::ec2([
        "DeleteVpcPeeringConnection",
        "RejectVpcPeeringConnection",
        "AcceptVpcPeeringConnection",
        "CreateVpcPeeringConnection",
        "ReplaceRoute",
    ])
}

/// Both owners' events go to one queue in a hub account.
fn with_hub() -> (Rig, QueueId) {
    let mut rig = rig();
    let queue = queue_in(&mut rig.world, HUB, EU, "events");
    rig.world.deliver_events(US, EU, &pattern(), &queue).unwrap();
    rig.world.deliver_events(THEM, VA, &pattern(), &queue).unwrap();
    (rig, queue)
}

fn body(message: &ReceivedMessage) -> Value {
    serde_json::from_str(&message.body).unwrap()
}

/// All that is in the queue, and out of it then.
fn drain(world: &mut World, queue: &QueueId) -> Vec<Value> {
    let owner = Caller::new(&queue.account, &queue.region);
    let mut all = Vec::new();
    loop {
        let messages = receive(world, queue);
        if messages.is_empty() {
            return all;
        }
        for message in messages {
            all.push(body(&message));
            let (queue, receipt_handle) = (queue.clone(), message.receipt_handle);
            world.call(&owner, Request::DeleteMessage { queue, receipt_handle }, &mut Calm).unwrap();
        }
    }
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["detail"]["eventName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_deletion_becomes_a_message_that_keeps_its_origin() {
    let (mut rig, queue) = with_hub();
    let them = rig.them.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    assert_eq!(
        names(&drain(&mut rig.world, &queue)),
        ["CreateVpcPeeringConnection", "AcceptVpcPeeringConnection"]
    );
    rig.world.advance(90_000);
    rig.ask(&them, delete(&id)).unwrap();
    let events = drain(&mut rig.world, &queue);
    let event = &events[0];
    assert_eq!(events.len(), 1);
    assert_eq!(event["version"], "0");
    assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
    assert_eq!(event["source"], "aws.ec2");
    assert_eq!((&event["account"], &event["region"]), (&json!(THEM), &json!(VA)));
    assert_eq!((&event["time"], &event["resources"]), (&json!("2026-01-01T00:01:30Z"), &json!([])));
    assert_eq!(event["detail"]["requestParameters"]["vpcPeeringConnectionId"], id.as_str());
    assert_eq!(event["detail"]["recipientAccountId"], THEM);
    let members: Vec<&String> = event.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 9, "{members:?}");
}

#[test]
fn a_rule_takes_what_its_pattern_says() {
    let mut rig = rig();
    let us = rig.us.clone();
    let queue = queue_in(&mut rig.world, US, EU, "events");
    let mut told = |pattern: &EventPattern| {
        rig.world.deliver_events(US, EU, pattern, &queue).unwrap();
        drain(&mut rig.world, &queue);
        let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
        rig.refused(&us, accept(&id));
        rig.ask(&us, delete(&id)).unwrap();
        rig.world.as_human(US, EU, Request::EnableRule { name: World::EVENTS.to_owned() }).unwrap();
        names(&drain(&mut rig.world, &queue))
    };
    let (create, accept, delete) =
        ("CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", "DeleteVpcPeeringConnection");
    assert_eq!(told(&EventPattern::ec2([accept, delete])), [delete], "refused calls have an errorCode");
    let failed = EventPattern { error_code_exists: Some(true), ..EventPattern::default() };
    assert_eq!(told(&failed), [accept]);
    let no_name = EventPattern { sources: vec!["aws.ec2".to_owned()], ..EventPattern::default() };
    assert_eq!(told(&no_name), [create, accept, delete]);
    assert_eq!(told(&EventPattern::default()), [create, accept, delete, "EnableRule"]);
    let events =
        EventPattern { event_sources: vec!["events.amazonaws.com".to_owned()], ..EventPattern::default() };
    assert_eq!(told(&events), ["EnableRule"]);
    let other =
        EventPattern { detail_types: vec!["EC2 Instance State-change Notification".to_owned()], ..no_name };
    assert!(told(&other).is_empty());
}

#[test]
fn nothing_is_told_without_a_trail_that_logs_and_history_goes_on() {
    let name = || World::EVENTS.to_owned();
    let selectors = |read_write_type, management_events| Request::PutEventSelectors {
        name: name(),
        read_write_type,
        management_events,
    };
    let start = Request::StartLogging { name: name() };
    let write = selectors(ReadWriteType::WriteOnly, true);
    for (blinding, mending) in [
        (Request::StopLogging { name: name() }, Some(start)),
        (Request::DeleteTrail { name: name() }, None),
        (selectors(ReadWriteType::ReadOnly, true), Some(write.clone())),
        (selectors(ReadWriteType::All, false), Some(write)),
        (Request::DisableRule { name: name() }, Some(Request::EnableRule { name: name() })),
        (Request::RemoveTargets { rule: name(), ids: vec!["queue".to_owned()] }, None),
    ] {
        let mut rig = rig();
        rig.world.keep_history(true);
        let us = rig.us.clone();
        let queue = queue_in(&mut rig.world, US, EU, "events");
        rig.world.deliver_events(US, EU, &EventPattern::default(), &queue).unwrap();
        drain(&mut rig.world, &queue);
        let action = blinding.action();
        rig.ask(&us, blinding).unwrap();
        let told = names(&drain(&mut rig.world, &queue));
        let last_word = match action.name() {
            "DisableRule" | "RemoveTargets" => vec![],
            name => vec![name.to_owned()],
        };
        assert_eq!(told, last_word, "a trail's end is the last that it tells; a rule's is told to nobody");
        let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
        assert!(drain(&mut rig.world, &queue).is_empty(), "{action}");
        let found = rig.ask(&us, Request::LookupEvents(Lookup::all())).unwrap().events().unwrap().items;
        assert_eq!(found[0].event_name(), "CreateVpcPeeringConnection", "{action}");
        if let Some(mending) = mending {
            rig.ask(&us, mending).unwrap();
            drain(&mut rig.world, &queue);
            rig.ask(&us, delete(&id)).unwrap();
            assert_eq!(names(&drain(&mut rig.world, &queue)), ["DeleteVpcPeeringConnection"], "{action}");
        }
    }
}

#[test]
fn a_trail_of_all_regions_tells_in_each_and_is_changed_at_home() {
    let mut rig = rig();
    let (us, away) = (rig.us.clone(), Caller::new(US, "ap-south-1"));
    let named = || "all".to_owned();
    rig.ask(&us, Request::CreateTrail { name: named(), multi_region: true }).unwrap();
    let status = |rig: &mut Rig, caller: &Caller| {
        rig.ask(caller, Request::GetTrailStatus { name: named() }).unwrap().trail_status().unwrap()
    };
    assert!(!status(&mut rig, &us).is_logging);
    assert_eq!(rig.refused(&away, Request::StartLogging { name: named() }).0, "InvalidHomeRegionException");
    rig.ask(&us, Request::StartLogging { name: named() }).unwrap();
    assert!(status(&mut rig, &away).is_logging);
    let trails = rig.ask(&away, Request::DescribeTrails { names: vec![] }).unwrap().trails().unwrap();
    assert_eq!(trails[0].arn, "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all");
    assert_eq!(status(&mut rig, &us).started_ms, Some(rig.world.wall_ms()));

    let queue = queue_in(&mut rig.world, US, EU, "events");
    let put = Request::PutRule { name: "r".to_owned(), pattern: EventPattern::default(), enabled: true };
    rig.ask(&away, put).unwrap();
    let targets = vec![RuleTarget::new("q", &queue)];
    rig.ask(&away, Request::PutTargets { rule: "r".to_owned(), targets }).unwrap();
    drain(&mut rig.world, &queue);
    rig.world.create_vpc(US, "ap-south-1", "10.5.0.0/16").unwrap();
    let events = drain(&mut rig.world, &queue);
    assert_eq!((names(&events), &events[0]["region"]), (vec!["CreateVpc".to_owned()], &json!("ap-south-1")));
    // Another account's trail tells nothing here, nor does this one elsewhere.
    let them = rig.them.clone();
    assert_eq!(rig.refused(&them, Request::StartLogging { name: named() }).0, "TrailNotFoundException");
    assert_eq!(
        rig.refused(&us, Request::CreateTrail { name: named(), multi_region: false }).0,
        "TrailAlreadyExistsException"
    );
    assert_eq!(
        rig.refused(&us, Request::CreateTrail { name: "é".to_owned(), multi_region: false }).0,
        "InvalidTrailNameException"
    );
}

#[test]
fn a_trail_of_one_region_tells_there_alone() {
    let mut rig = rig();
    let queue = queue_in(&mut rig.world, US, EU, "events");
    rig.world.deliver_events(US, EU, &EventPattern::default(), &queue).unwrap();
    let away = Caller::new(US, VA);
    let put = Request::PutRule { name: "r".to_owned(), pattern: EventPattern::default(), enabled: true };
    rig.ask(&away, put).unwrap();
    let targets = vec![RuleTarget::new("q", &queue)];
    rig.ask(&away, Request::PutTargets { rule: "r".to_owned(), targets }).unwrap();
    drain(&mut rig.world, &queue);
    rig.world.create_vpc(US, VA, "10.5.0.0/16").unwrap();
    assert!(drain(&mut rig.world, &queue).is_empty());
    rig.world.create_vpc(US, EU, "10.6.0.0/16").unwrap();
    assert_eq!(names(&drain(&mut rig.world, &queue)), ["CreateVpc"]);
    let name = || World::EVENTS.to_owned();
    assert_eq!(rig.refused(&away, Request::GetTrailStatus { name: name() }).0, "TrailNotFoundException");
}

#[test]
fn what_is_on_its_way_arrives_in_a_world_moved_to_time_zero_too() {
    let (mut rig, queue) = with_hub();
    let us = rig.us.clone();
    rig.world.advance(10_000);
    let request = create(&rig.a, &rig.b, THEM, VA);
    let mut slow = Script::new().delay_ms(Delay::EventDelivery, 5_000);
    rig.world.call(&us, request, &mut slow).unwrap();
    rig.world.advance(12_000);
    let mut moved = rig.world.from_now();
    assert_eq!((moved.next_due(), moved.events_in_flight()), (Some(3_000), 1));
    moved.advance(3_000);
    rig.world.advance(15_000);
    let (there, here) = (drain(&mut moved, &queue), drain(&mut rig.world, &queue));
    assert_eq!(there[0]["detail"]["requestParameters"], here[0]["detail"]["requestParameters"]);
    assert_eq!(there[0]["time"], "2025-12-31T23:59:58Z", "two seconds before the new zero");
}

#[test]
fn rules_are_looked_after() {
    let (mut rig, _) = with_hub();
    let us = rig.us.clone();
    let name = || World::EVENTS.to_owned();
    assert_eq!(rig.refused(&us, Request::DeleteRule { name: name() }).0, "ValidationException");
    rig.ask(&us, Request::RemoveTargets { rule: name(), ids: vec!["queue".to_owned()] }).unwrap();
    rig.ask(&us, Request::DeleteRule { name: name() }).unwrap();
    rig.ask(&us, Request::DeleteRule { name: name() }).unwrap();
    assert_eq!(rig.refused(&us, Request::DisableRule { name: name() }).0, "ResourceNotFoundException");
    let bad = Request::PutRule { name: "no spaces".to_owned(), pattern: pattern(), enabled: true };
    assert_eq!(rig.refused(&us, bad).0, "ValidationException");
}

#[test]
fn events_are_late_change_places_come_twice_and_get_lost() {
    let (mut rig, queue) = with_hub();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    drain(&mut rig.world, &queue);
    let table = rig.main_table(&rig.a);
    rig.world.add_route(&table, "10.2.0.0/16", id.as_str()).unwrap();
    let route = || Request::ReplaceRoute(RouteRequest::new(&table, "10.2.0.0/16").target("igw-1"));

    let mut chance =
        Script::new().delay_ms(Delay::EventDelivery, 60_000).delay_ms(Delay::EventDelivery, 20_000);
    rig.world.call(&us, route(), &mut chance).unwrap();
    rig.world.call(&them, delete(&id), &mut chance).unwrap();
    assert_eq!(rig.world.events_in_flight(), 2);
    assert!(drain(&mut rig.world, &queue).is_empty());
    assert_eq!(rig.world.next_due(), Some(20_000));
    rig.world.advance(20_000);
    assert_eq!(names(&drain(&mut rig.world, &queue)), ["DeleteVpcPeeringConnection"]);
    rig.world.advance(60_000);
    assert_eq!(names(&drain(&mut rig.world, &queue)), ["ReplaceRoute"]);

    let mut twice = Script::new()
        .pick(Choice::EventTwice, 1)
        .delay_ms(Delay::EventDelivery, 0)
        .delay_ms(Delay::EventDelivery, 9_000);
    rig.world.call(&us, route(), &mut twice).unwrap();
    let first = drain(&mut rig.world, &queue);
    rig.world.advance(69_000);
    let second = drain(&mut rig.world, &queue);
    assert_eq!((first.len(), &first), (1, &second), "the copies are one event");

    rig.world.call(&us, route(), &mut Script::new().pick(Choice::EventLost, 1)).unwrap();
    rig.world.advance(DAY);
    assert!(drain(&mut rig.world, &queue).is_empty());
}

#[test]
fn a_call_whose_answer_was_lost_is_told_and_one_that_never_arrived_is_not() {
    let (mut rig, queue) = with_hub();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    drain(&mut rig.world, &queue);
    rig.world.call(&us, delete(&id), &mut Script::new().fault_next(Fault::ResetBeforeEffect)).unwrap_err();
    rig.world.call(&us, delete(&id), &mut Script::new().fault_next(Fault::Throttled)).unwrap_err();
    rig.world.dry_run(&us, delete(&id), &mut Calm);
    assert!(drain(&mut rig.world, &queue).is_empty());
    rig.world.call(&us, delete(&id), &mut Script::new().fault_next(Fault::TimeoutAfterEffect)).unwrap_err();
    assert_eq!(names(&drain(&mut rig.world, &queue)), ["DeleteVpcPeeringConnection"]);
}

#[test]
fn anybody_who_may_send_can_forge() {
    let (mut rig, queue) = with_hub();
    let stranger = Caller::new("666666666666", EU).named("mallory");
    let forged = NewMessage::new(r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2"}"#);
    let send = || Request::SendMessage { queue: queue.clone(), message: forged.clone() };
    assert_eq!(rig.refused(&stranger, send()).0, "AccessDenied");
    assert!(rig.world.open_queue(&queue, "666666666666"));
    rig.ask(&stranger, send()).unwrap();
    let entries = vec![BatchEntry::new("one", forged.clone())];
    rig.ask(&stranger, Request::SendMessageBatch { queue: queue.clone(), entries }).unwrap();
    let messages = receive(&mut rig.world, &queue);
    assert_eq!(messages.len(), 2);
    let real = rig.world.peer(&rig.a, &rig.b).map(|_| receive(&mut rig.world, &queue)).unwrap();
    assert_eq!(*messages[0].body, forged.body);
    assert_ne!(messages[0].sender_id, real[0].sender_id, "SQS says who sent it");
}

#[test]
fn an_event_for_a_queue_that_is_gone_is_gone() {
    let (mut rig, queue) = with_hub();
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    drain(&mut rig.world, &queue);
    let us = rig.us.clone();
    rig.world.call(&us, delete(&id), &mut Script::new().delay_ms(Delay::EventDelivery, 5_000)).unwrap();
    rig.world.as_human(HUB, EU, Request::DeleteQueue { queue: queue.clone() }).unwrap();
    rig.world.advance(90_000);
    let again = queue_in(&mut rig.world, HUB, EU, "events");
    assert_eq!((rig.world.messages_in(&again), rig.world.events_in_flight()), (0, 0));
}

#[test]
fn the_same_seed_tells_the_same_in_the_same_order_and_knobs_bound_it() {
    let run = |seed: u64, knobs: Knobs| {
        let (mut rig, queue) = with_hub();
        let mut chance = Seeded::new(seed, knobs);
        let us = rig.us.clone();
        for n in 0..60 {
            let tags = Tags::from([("n".to_owned(), n.to_string())]);
            let request = create(&rig.a, &rig.b, THEM, VA);
            let _ = rig.world.call(&us, request, &mut chance);
            let _ = rig.world.call(
                &us,
                Request::CreateTags { resources: vec![(&rig.a).into()], tags },
                &mut chance,
            );
        }
        rig.world.advance(DAY);
        let events = drain(&mut rig.world, &queue);
        (rig.world, events)
    };
    let knobs = || {
        Knobs::default()
            .choice(Choice::EventLost, 3_000)
            .choice(Choice::EventTwice, 3_000)
            .delay_ms(Delay::EventDelivery, 60_000)
    };
    let (world, events) = run(7, knobs());
    assert_eq!((&world, &events), (&run(7, knobs()).0, &run(7, knobs()).1));
    assert_ne!(events, run(8, knobs()).1);
    let ids: Vec<&str> = events.iter().map(|event| event["detail"]["eventID"].as_str().unwrap()).collect();
    let distinct: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert!(distinct.len() < ids.len(), "some came twice");
    assert!(distinct.len() < 60, "some were lost");
    assert!(distinct.len() > 20, "most arrived");
    assert_eq!(run(7, Knobs::default()).1.len(), 60);
}

#[test]
fn a_world_that_tells_nobody_is_not_touched_by_the_telling() {
    // The chance is asked for what events need only where somebody listens.
    struct Strict;
    impl ec2sim::Chance for Strict {
        fn delay_ms(&mut self, what: Delay) -> u64 {
            assert!(!matches!(what, Delay::EventDelivery | Delay::EventHistory), "{what:?}");
            0
        }
        fn pick(&mut self, what: Choice, _: usize) -> usize {
            assert!(
                !matches!(what, Choice::EventLost | Choice::EventTwice | Choice::ParametersWrapped),
                "{what:?}"
            );
            0
        }
        fn fault(&mut self, _: &Caller, _: ec2sim::Action) -> Option<Fault> {
            None
        }
    }
    let mut rig = rig();
    let us = rig.us.clone();
    let request = create(&rig.a, &rig.b, THEM, VA);
    let id = rig.world.call(&us, request, &mut Strict).unwrap().peering().unwrap().id;
    rig.world.call(&us, delete(&id), &mut Strict).unwrap();
}
