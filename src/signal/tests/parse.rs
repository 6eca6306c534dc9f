//! Samples are in `records/`, written by us in the shapes that AWS documents; the rest comes from the simulated AWS.

use ec2sim::{
    Action, Caller, Calm, EventPattern, Lookup, QueueId, Receive, Request, RouteRequest, Tags, World,
    world_of_today,
};
use peerkeeper_core::ids::PeeringId;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const PCX: &str = "pcx-0123456789abcdef0";
const DELETED: &str = include_str!("records/delete-by-user.json");

fn pcx() -> PeeringId {
    PCX.parse().unwrap()
}

fn event(text: &str) -> TrailEvent {
    match envelope(text) {
        Parsed::Event(event) => (*event).clone(),
        other => panic!("{other:?}"),
    }
}

/// A sample with something changed.
fn changed(text: &str, change: impl FnOnce(&mut Value)) -> Parsed {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    envelope(&value.to_string())
}

#[track_caller]
fn poisoned(parsed: Parsed, why: &str) {
    let Parsed::Poison(said) = parsed else { panic!("{parsed:?}") };
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_deletion_says_what_was_deleted_by_whom_where_and_when() {
    let event = event(DELETED);
    assert_eq!((event.call, event.heard), (Call::DeletePeering(pcx()), Heard::Queue));
    assert_eq!(
        (&*event.id, &*event.request_id),
        ("cfde0000-0000-4000-8000-000000000001", "b9870000-0000-4000-8000-000000000001")
    );
    assert_eq!(
        (event.at, event.place.to_string()),
        (Wall(1_780_905_212), "111122223333/eu-west-1".to_owned())
    );
    let actor = event.actor;
    assert_eq!((actor.kind, actor.name()), (ActorKind::IamUser, "arn:aws:iam::111122223333:user/ada"));
    assert_eq!((actor.user_name.as_deref(), actor.mfa, actor.issuer), (Some("ada"), Some(false), None));
    assert_eq!(actor.access_key_id.as_deref(), Some("ASIAEXAMPLEEXAMPLE1"));
    assert_eq!((&*actor.source_address, &*actor.user_agent), ("198.51.100.7", "console.ec2.amazonaws.com"));
}

#[test]
fn the_record_is_kept_byte_for_byte() {
    let record = event(DELETED).record;
    assert!(DELETED.contains(&*record), "it was written anew");
    assert!(record.starts_with('{') && record.ends_with('}'));
    let kept: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(kept, serde_json::from_str::<Value>(DELETED).unwrap()["detail"]);
}

#[test]
fn of_a_session_the_issuers_path_and_name_are_kept() {
    let actor = event(include_str!("records/delete-by-session.json")).actor;
    let issuer = actor.issuer.unwrap();
    assert_eq!(
        (&*issuer.path, &*issuer.name),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", "AWSReservedSSO_Admin_0123456789abcdef")
    );
    assert_eq!(issuer.account.to_string(), "111122223333");
    assert_eq!((actor.kind, actor.mfa), (ActorKind::AssumedRole, Some(true)));
    assert_eq!(actor.source_identity.as_deref(), Some("ada@example.com"));
}

#[test]
fn an_issuer_whose_arn_is_no_roles_is_none() {
    let read = |arn: &str| {
        let parsed = changed(include_str!("records/delete-by-session.json"), |value| {
            value["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(arn);
        });
        let Parsed::Event(event) = parsed else { panic!("{parsed:?}") };
        event.actor.issuer.clone()
    };
    assert_eq!(&*read("arn:aws-cn:iam::111122223333:role/network-admin").unwrap().path, "/");
    for arn in [
        "",
        "arn:aws:iam::111122223333:user/network-admin",
        "arn:aws:sts::111122223333:role/network-admin",
        "arn:aws:iam::1:role/network-admin",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a\nb",
    ] {
        assert_eq!(read(arn), None, "{arn}");
    }
}

#[test]
fn every_sample_is_read_as_what_it_is() {
    let table: peerkeeper_core::ids::RouteTableId = "rtb-0123456789abcdef0".parse().unwrap();
    let (requester, accepter) =
        ("vpc-0a1b2c3d4e5f60789".parse().unwrap(), "vpc-0fedcba9876543210".parse().unwrap());
    for (text, call) in [
        (include_str!("records/create.json"), Call::CreatePeering { requester, accepter, made: Some(pcx()) }),
        (
            include_str!("records/delete-route.json"),
            Call::DeleteRoute { table, destination: "10.20.0.0/16".parse().unwrap() },
        ),
        (include_str!("records/options-wrapped.json"), Call::ModifyOptions(pcx())),
        (include_str!("records/revoke.json"), Call::RevokeRules { group: "sg-0123456789abcdef0".into() }),
        (include_str!("records/delete-by-service.json"), Call::DeleteVpc(requester)),
        (include_str!("records/stop-logging.json"), Call::Blind { name: "StopLogging".into() }),
        (include_str!("records/remove-targets.json"), Call::Blind { name: "RemoveTargets".into() }),
        (include_str!("records/without-account.json"), Call::RejectPeering(pcx())),
    ] {
        assert_eq!(event(text).call, call);
    }
    let service = event(include_str!("records/delete-by-service.json")).actor;
    assert_eq!((service.kind, service.name()), (ActorKind::AwsService, "cloudformation.amazonaws.com"));
    let denied = envelope(include_str!("records/denied.json"));
    assert_eq!(denied, Parsed::Ignored(Ignored::Failed("Client.UnauthorizedOperation".into())));
}

#[test]
fn a_destination_that_aws_would_trim_is_trimmed() {
    let parsed = changed(include_str!("records/delete-route.json"), |value| {
        value["detail"]["requestParameters"]["destinationCidrBlock"] = json!("10.20.30.40/16");
    });
    let Parsed::Event(event) = parsed else { panic!("{parsed:?}") };
    let Call::DeleteRoute { destination, .. } = event.call else { panic!() };
    assert_eq!(destination.to_string(), "10.20.0.0/16");
}

#[test]
fn what_is_none_of_our_business_says_why() {
    let ignored = |change: fn(&mut Value)| match changed(DELETED, change) {
        Parsed::Ignored(why) => why.reason(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ignored(|v| v["source"] = json!("aws.s3")), "foreign");
    assert_eq!(ignored(|v| v["detail-type"] = json!("AWS Console Sign In via CloudTrail")), "foreign");
    assert_eq!(ignored(|v| v["detail"]["eventVersion"] = json!("2.0")), "version");
    assert_eq!(ignored(|v| v["detail"]["eventName"] = json!("RunInstances")), "other_call");
    assert_eq!(ignored(|v| v["detail"]["errorCode"] = json!("Client.DryRunOperation")), "failed_call");
    assert_eq!(ignored(|v| v["detail"]["errorCode"] = json!(7)), "failed_call");
    assert!(matches!(changed(DELETED, |v| v["detail"]["eventVersion"] = json!("1.99")), Parsed::Event(_)));
    assert!(matches!(changed(DELETED, |v| v["detail"]["errorCode"] = Value::Null), Parsed::Event(_)));
}

#[test]
fn what_cannot_be_what_it_says_is_poison() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "{",
        r#"{"source":1,"detail-type":2}"#,
        "\u{0}",
        r#"{"Event":"s3:TestEvent"}"#,
    ] {
        assert!(matches!(envelope(text), Parsed::Poison(_)), "{text}");
    }
    let poison = |change: fn(&mut Value), why| poisoned(changed(DELETED, change), why);
    poison(|v| v["account"] = json!("444455556666"), "its envelope says account");
    poison(|v| v["account"] = json!(7), "its envelope says account");
    poison(|v| v["region"] = json!("us-east-1"), "its envelope says region");
    poison(|v| v["detail"] = json!("{}"), "no detail");
    poison(|v| v["detail"]["eventSource"] = json!("s3.amazonaws.com"), "its record's s3");
    poison(|v| v["detail"]["eventID"] = json!(""), "eventID");
    poison(|v| v["detail"]["eventID"] = json!("a".repeat(129)), "eventID");
    poison(|v| v["detail"]["eventID"] = json!("a\nb"), "eventID");
    poison(|v| drop(v["detail"].as_object_mut().unwrap().remove("requestID")), "requestID");
    poison(|v| v["detail"]["eventTime"] = json!("yesterday"), "no time");
    poison(|v| v["detail"]["recipientAccountId"] = json!("1"), "AWS account id");
    poison(|v| v["detail"]["awsRegion"] = json!("../.."), "AWS Region");
    poison(|v| v["detail"]["requestParameters"] = Value::Null, "names no vpcPeeringConnectionId");
    poison(|v| v["detail"]["requestParameters"]["vpcPeeringConnectionId"] = json!("pcx-x"), "pcx-x");
    let long = changed(DELETED, |v| v["detail"]["awsRegion"] = json!("x\n".repeat(100_000)));
    let Parsed::Poison(why) = long else { panic!() };
    assert!(why.len() <= WHY_MAX && !why.contains('\n'), "{}", why.len());
}

#[test]
fn what_people_wrote_is_kept_short_and_plain() {
    let parsed = changed(DELETED, |value| {
        value["detail"]["userAgent"] = json!(format!("evil\u{1b}[31m\n{}", "ä".repeat(5000)));
        value["detail"]["userIdentity"] = json!([]);
    });
    let Parsed::Event(event) = parsed else { panic!("{parsed:?}") };
    assert!(event.actor.user_agent.len() <= TEXT_MAX);
    assert!(!event.actor.user_agent.chars().any(char::is_control));
    assert_eq!((event.actor.kind, event.actor.name()), (ActorKind::Other, "unknown"));
}

#[test]
fn a_record_of_the_history_is_of_the_place_that_was_asked() {
    let of: Value = serde_json::from_str(DELETED).unwrap();
    let text = of["detail"].to_string();
    let place = |region: &str| AccountRegion {
        account: "111122223333".parse().unwrap(),
        region: region.parse().unwrap(),
    };
    let Parsed::Event(event) = record(&text, place("eu-west-1")) else { panic!() };
    assert_eq!(
        (event.heard, &event.call, &*event.record),
        (Heard::History, &Call::DeletePeering(pcx()), &*text)
    );
    poisoned(record(&text, place("eu-west-2")), "asked in");
    assert!(matches!(record("{}", place("eu-west-1")), Parsed::Ignored(Ignored::Foreign(_))));
    poisoned(record("", place("eu-west-1")), "no JSON");
}

// The simulated AWS.

const US: (&str, &str) = ("111122223333", "eu-west-1");
const THEM: (&str, &str) = ("444455556666", "us-east-1");

/// A day in the life of a peering, told to a queue and kept in the history.
fn a_day() -> (World, QueueId) {
    let mut world = world_of_today();
    world.keep_history(true);
    let request =
        Request::CreateQueue { name: "events".to_owned(), attributes: Default::default(), tags: Tags::new() };
    let queue = world.as_human(US.0, US.1, request).unwrap().queue_url().unwrap();
    for (account, region) in [US, THEM] {
        world.deliver_events(account, region, &EventPattern::default(), &queue).unwrap();
    }
    let a = world.create_vpc(US.0, US.1, "10.1.0.0/16").unwrap();
    let b = world.create_vpc(THEM.0, THEM.1, "10.2.0.0/16").unwrap();
    let table = world.create_table(&a, &[]).unwrap();
    let id = world.peer(&a, &b).unwrap();
    world.add_route(&table, "10.2.0.0/16", id.as_str()).unwrap();
    world.repoint_route(&table, "10.2.0.0/16", id.as_str()).unwrap();
    let options = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: id.to_string(),
        requester: Some(false),
        accepter: None,
    };
    let _ = world.as_human(US.0, US.1, options);
    world.delete_route(&table, "10.2.0.0/16").unwrap();
    world.delete_peering_as(THEM.0, THEM.1, &id).unwrap();
    let again = world.request_peering(&a, &b).unwrap();
    world.reject_peering_as(THEM.0, THEM.1, &again).unwrap();
    for request in [
        Request::DeleteRouteTable { route_table_id: table.to_string() },
        Request::DeleteVpc { vpc_id: a.to_string() },
        Request::DeleteRoute(RouteRequest {
            route_table_id: "rtb-0000000000000000f".to_owned(),
            destination_cidr_block: Some("10.9.0.0/16".to_owned()),
            ..RouteRequest::default()
        }),
        Request::StopLogging { name: World::EVENTS.to_owned() },
        Request::StartLogging { name: World::EVENTS.to_owned() },
        Request::DisableRule { name: World::EVENTS.to_owned() },
    ] {
        let _ = world.as_human(US.0, US.1, request);
    }
    (world, queue)
}

fn drain(world: &mut World, queue: &QueueId) -> Vec<String> {
    let owner = Caller::new(&queue.account, &queue.region);
    let mut all = Vec::new();
    loop {
        let receive = Request::ReceiveMessage(Receive::from(queue));
        let messages = world.call(&owner, receive, &mut Calm).unwrap().messages().unwrap();
        if messages.is_empty() {
            return all;
        }
        for message in messages {
            all.push(message.body.to_string());
            let (queue, receipt_handle) = (queue.clone(), message.receipt_handle);
            world.call(&owner, Request::DeleteMessage { queue, receipt_handle }, &mut Calm).unwrap();
        }
    }
}

const CALLS: [&str; 11] = [
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "RejectVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "ModifyVpcPeeringConnectionOptions",
    "CreateRoute",
    "ReplaceRoute",
    "DeleteRoute",
    "DeleteRouteTable",
    "StopLogging",
    "DeleteVpc",
];

#[test]
fn what_the_simulated_aws_tells_a_queue_is_read_to_the_last_call() {
    let (mut world, queue) = a_day();
    let mut heard: std::collections::BTreeSet<String> = Default::default();
    for body in drain(&mut world, &queue) {
        match envelope(&body) {
            Parsed::Event(event) => drop(heard.insert(event.call.name().to_owned())),
            Parsed::Ignored(why) => {
                assert!(["other_call", "foreign", "failed_call"].contains(&why.reason()), "{why}")
            }
            Parsed::Poison(why) => panic!("{why}: {body}"),
        }
    }
    let missing: Vec<_> =
        CALLS.iter().filter(|name| !heard.contains(**name) && **name != "DeleteVpc").collect();
    assert!(missing.is_empty(), "{missing:?} of {heard:?}");
}

#[test]
fn what_the_simulated_history_tells_is_the_same_but_for_how_it_was_heard() {
    let (mut world, queue) = a_day();
    let told: std::collections::BTreeMap<_, _> = drain(&mut world, &queue)
        .iter()
        .filter_map(|body| match envelope(body) {
            Parsed::Event(event) => Some((event.id.clone(), event)),
            _ => None,
        })
        .collect();
    let mut same = 0;
    for (account, region) in [US, THEM] {
        let place = AccountRegion { account: account.parse().unwrap(), region: region.parse().unwrap() };
        for kept in world.history(&Caller::new(account, region)) {
            let Parsed::Event(event) = record(&kept.json(), place) else { continue };
            let Some(told) = told.get(&event.id) else { continue };
            assert_eq!(*event, TrailEvent { heard: Heard::History, ..(**told).clone() });
            same += 1;
        }
    }
    assert!(same > 8, "{same}");
    let lookup = Request::LookupEvents(Lookup::default());
    assert_eq!(lookup.action(), Action::LookupEvents);
}

// Any bytes.

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(matches!(envelope(&text), Parsed::Poison(_)), "that was no event");
        let _ = member_text(&text, "detail");
    }

    /// A true message with a piece replaced: read, ignored or refused, and never with an end.
    #[test]
    fn a_damaged_message_is_read_or_refused(at in 0..2000_usize, cut in 0..60_usize, with in ".{0,20}") {
        let mut text = DELETED.to_owned();
        let from = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let to = (from..=(from + cut).min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
        text.replace_range(from..to, &with);
        match envelope(&text) {
            Parsed::Event(event) => {
                let whole: Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(serde_json::from_str::<Value>(&event.record).unwrap(), whole["detail"].clone());
            }
            Parsed::Ignored(_) => {}
            Parsed::Poison(why) => prop_assert!(why.len() <= WHY_MAX),
        }
    }

    /// Whatever a member holds, the text of it is found as the parser reads it.
    #[test]
    fn the_text_of_a_member_is_what_the_parser_reads(
        before in any::<String>(), inside in any::<String>(), number in any::<i32>(), spaced in any::<bool>(),
    ) {
        let detail = json!({ "a": [inside.clone(), {"detail": number}, "}\\\""], "b": inside });
        let whole = json!({ "x": before, "detail": detail, "z": {"detail": [1]} });
        let text = if spaced { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) };
        let text = text.unwrap();
        let found: Value = serde_json::from_str(member_text(&text, "detail").unwrap()).unwrap();
        prop_assert_eq!(found, detail);
    }
}

#[test]
fn of_a_call_that_tags_what_is_about_peerings_and_vpcs_is_read() {
    let tagged = |name: &str, on: &[&str]| {
        changed(DELETED, |value| {
            value["detail"]["eventName"] = json!(name);
            let on: Vec<Value> = on.iter().map(|id| json!({"resourceId": id})).collect();
            let keys = json!({"items": [{"key": "peerkeeper.dev/hold"}]});
            value["detail"]["requestParameters"] = json!({"resourcesSet": {"items": on}, "tagSet": keys});
        })
    };
    let Parsed::Event(event) = tagged("DeleteTags", &["i-0123456789abcdef0", "vpc-0123456789abcdef0"]) else {
        panic!("it concerns a VPC")
    };
    let on = [Tagged::Vpc("vpc-0123456789abcdef0".parse().unwrap())];
    let keys = ["peerkeeper.dev/hold".into()];
    assert_eq!(event.call, Call::Tags { removed: true, on: on.into(), keys: keys.into() });
    assert!(matches!(tagged("CreateTags", &["i-0123456789abcdef0"]), Parsed::Ignored(Ignored::Call(_))));
}
