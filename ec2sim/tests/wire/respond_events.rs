//! From a deleted peering to its message and its record, all over the wire.

use ec2sim::wire::respond;
use ec2sim::{Calm, World};
use serde_json::{Value, json};

use crate::client::{EU, US, ask, client, first, text};

const THEM: &str = "444455556666";
const VA: &str = "us-east-1";
const PATTERN: &str = r#"{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],"detail":{
    "eventSource":["ec2.amazonaws.com"],"eventName":["DeleteVpcPeeringConnection","CreateVpc"],
    "errorCode":[{"exists":false}]}}"#;

fn call(world: &mut World, at: (&str, &str), service: &str, action: &str, body: Value) -> (u16, Value) {
    let prefix = match service {
        "sqs" => "AmazonSQS",
        "events" => "AWSEvents",
        _ => "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    };
    let request = client(at.0, at.1).json(service, &format!("{prefix}.{action}"), &body.to_string());
    let answer = respond(world, &request, &mut Calm).answer().expect("an answer");
    let body =
        if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() };
    (answer.status, body)
}

#[track_caller]
fn done(world: &mut World, at: (&str, &str), service: &str, action: &str, body: Value) -> Value {
    let (status, answer) = call(world, at, service, action, body);
    assert_eq!(status, 200, "{action}: {answer}");
    answer
}

/// Their account tells a queue in ours, made with the services' own calls.
fn told() -> (World, String) {
    let mut world = World::new();
    world.keep_history(true);
    let made = done(&mut world, (US, EU), "sqs", "CreateQueue", json!({ "QueueName": "hub" }));
    let at = (THEM, VA);
    let trail = json!({ "Name": "all", "S3BucketName": "logs", "IsMultiRegionTrail": true });
    let trail = done(&mut world, at, "cloudtrail", "CreateTrail", trail);
    assert_eq!(trail["TrailARN"], "arn:aws:cloudtrail:us-east-1:444455556666:trail/all");
    done(&mut world, at, "cloudtrail", "StartLogging", json!({ "Name": trail["TrailARN"] }));
    let rule = json!({ "Name": "peerings", "EventPattern": PATTERN });
    let rule = done(&mut world, at, "events", "PutRule", rule);
    assert_eq!(rule["RuleArn"], "arn:aws:events:us-east-1:444455556666:rule/peerings");
    let targets = json!([{ "Id": "hub", "Arn": "arn:aws:sqs:eu-west-1:111122223333:hub" }]);
    let put = json!({ "Rule": "peerings", "Targets": targets });
    let put = done(&mut world, at, "events", "PutTargets", put);
    assert_eq!(put, json!({ "FailedEntryCount": 0, "FailedEntries": [] }));
    (world, made["QueueUrl"].as_str().unwrap().to_owned())
}

fn received(world: &mut World, url: &str) -> Vec<Value> {
    let answer =
        done(world, (US, EU), "sqs", "ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }));
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

fn lookup(world: &mut World, at: (&str, &str), asked: Value) -> Value {
    world.advance(world.now_ms() + 1_000);
    done(world, at, "cloudtrail", "LookupEvents", asked)
}

#[test]
fn a_deleted_peering_is_a_message_in_the_hub_and_a_record_where_it_was_deleted() {
    let (mut world, url) = told();
    let a = world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let b = world.create_vpc(THEM, VA, "10.2.0.0/16").unwrap();
    let id = world.peer(&a, &b).unwrap();
    received(&mut world, &url);
    let request =
        client(THEM, VA).ec2("DeleteVpcPeeringConnection", &[("VpcPeeringConnectionId", id.as_str())]);
    let answer = ask(&mut world, &request.header("User-Agent", "aws-cli/2"));
    assert_eq!(answer.status, 200);

    let messages = received(&mut world, &url);
    let event: Value = serde_json::from_str(messages[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!((messages.len(), &event["account"], &event["region"]), (1, &json!(THEM), &json!(VA)));
    let record = &event["detail"];
    assert_eq!(record["requestID"], first(&text(&answer), "requestId"), "the answer's own id");
    assert_eq!(record["userIdentity"]["accessKeyId"], THEM, "the key that signed");
    assert_eq!(record["userAgent"], "aws-cli/2");

    let asked = json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "DeleteVpcPeeringConnection" }] });
    let found = lookup(&mut world, (THEM, VA), asked.clone());
    let event = &found["Events"][0];
    assert_eq!(found["Events"].as_array().unwrap().len(), 1);
    let kept: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!((&kept, &event["EventId"]), (record, &record["eventID"]));
    assert_eq!((&event["ReadOnly"], &event["Username"]), (&json!("false"), &json!("user")));
    assert_eq!(event["EventTime"], world.wall_at(0) / 1_000);
    let pcx = json!({ "ResourceType": "AWS::EC2::VPCPeeringConnection", "ResourceName": id.as_str() });
    assert!(event["Resources"].as_array().unwrap().contains(&pcx));
    assert_eq!(lookup(&mut world, (US, EU), asked), json!({ "Events": [] }));
}

#[test]
fn a_refused_call_has_the_id_of_its_record_too() {
    let mut world = World::new();
    world.keep_history(true);
    let request = client(US, EU).ec2("DeleteVpc", &[("VpcId", "vpc-00000000000000001")]);
    let answer = ask(&mut world, &request);
    let caller = ec2sim::Caller::new(US, EU);
    let record: Value = serde_json::from_str(&world.history(&caller)[0].json()).unwrap();
    assert_eq!(record["errorCode"], "Client.InvalidVpcID.NotFound");
    assert_eq!(record["requestID"], first(&text(&answer), "RequestID"));
    // What never came to be a call has an id of its own, not the last one's.
    let other = ask(&mut world, &client(US, EU).ec2("DeleteVpc", &[]));
    assert_ne!(record["requestID"], first(&text(&other), "RequestID"));
    let other = ask(&mut world, &client(US, EU).ec2("DescribeVpcs", &[]));
    assert_ne!(record["requestID"], first(&text(&other), "requestId"));
}

#[test]
fn trails_are_shown_stopped_and_chosen_for() {
    let (mut world, url) = told();
    let at = (THEM, VA);
    let away = (THEM, EU);
    let shown = done(&mut world, away, "cloudtrail", "DescribeTrails", json!({}));
    assert_eq!(shown["trailList"][0]["HomeRegion"], VA);
    let shown =
        done(&mut world, away, "cloudtrail", "DescribeTrails", json!({ "includeShadowTrails": false }));
    assert_eq!(shown, json!({ "trailList": [] }));
    let status =
        |world: &mut World| done(world, at, "cloudtrail", "GetTrailStatus", json!({ "Name": "all" }));
    assert_eq!(status(&mut world)["IsLogging"], true);
    let told = |world: &mut World| {
        received(world, &url);
        world.create_vpc(THEM, VA, "10.9.0.0/16").unwrap();
        received(world, &url).len()
    };
    assert_eq!(told(&mut world), 1);
    for (selector, wanted) in [
        (json!({ "ReadWriteType": "ReadOnly" }), 0),
        (json!({ "ReadWriteType": "WriteOnly", "IncludeManagementEvents": true }), 1),
        (json!({ "IncludeManagementEvents": false }), 0),
        (json!({}), 1),
    ] {
        let put = json!({ "TrailName": "all", "EventSelectors": [selector] });
        done(&mut world, at, "cloudtrail", "PutEventSelectors", put);
        assert_eq!(told(&mut world), wanted, "{selector}");
    }
    done(&mut world, at, "cloudtrail", "StopLogging", json!({ "Name": "all" }));
    assert_eq!((told(&mut world), &status(&mut world)["IsLogging"]), (0, &json!(false)));
    done(&mut world, at, "cloudtrail", "StartLogging", json!({ "Name": "all" }));
    for (action, body) in [
        ("DisableRule", json!({ "Name": "peerings", "EventBusName": "default" })),
        ("EnableRule", json!({ "Name": "peerings" })),
        ("RemoveTargets", json!({ "Rule": "peerings", "Ids": ["hub"] })),
        ("DeleteRule", json!({ "Name": "peerings" })),
    ] {
        done(&mut world, at, "events", action, body);
        assert_eq!(told(&mut world), usize::from(action == "EnableRule"), "{action}");
    }
    done(&mut world, at, "cloudtrail", "DeleteTrail", json!({ "Name": "all" }));
}

#[test]
fn what_is_wrong_or_not_simulated_is_refused_in_the_services_own_words() {
    let (mut world, _) = told();
    let targets = |target: Value| json!({ "Rule": "peerings", "Targets": [target] });
    let queue = "arn:aws:sqs:eu-west-1:111122223333:hub";
    let lookup_by =
        |key: &str| json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": "x" }] });
    for (service, action, body, code) in [
        ("cloudtrail", "LookupEvents", lookup_by("Colour"), "InvalidLookupAttributesException"),
        ("cloudtrail", "LookupEvents", json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        ("cloudtrail", "LookupEvents", json!({ "StartTime": 2, "EndTime": 1 }), "InvalidTimeRangeException"),
        ("cloudtrail", "GetTrailStatus", json!({ "Name": "none" }), "TrailNotFoundException"),
        ("cloudtrail", "PutEventSelectors", json!({ "TrailName": "all" }), "InvalidEventSelectorsException"),
        ("events", "PutRule", json!({ "Name": "r", "EventPattern": "{}" }), "InvalidEventPatternException"),
        ("events", "PutRule", json!({ "Name": "r" }), "ValidationException"),
        (
            "events",
            "PutRule",
            json!({ "Name": "r", "EventPattern": PATTERN, "EventBusName": "b" }),
            "ResourceNotFoundException",
        ),
        ("events", "DisableRule", json!({ "Name": "none" }), "ResourceNotFoundException"),
        (
            "events",
            "PutTargets",
            targets(json!({ "Id": "t", "Arn": "arn:aws:lambda:x" })),
            "ValidationException",
        ),
        (
            "events",
            "PutTargets",
            targets(json!({ "Id": "t", "Arn": queue, "InputPath": "$.x" })),
            "ValidationException",
        ),
        ("events", "DeleteRule", json!({ "Name": "peerings" }), "ValidationException"),
    ] {
        world.advance(world.now_ms() + 1_000);
        let (status, said) = call(&mut world, (THEM, VA), service, action, body.clone());
        assert_eq!((status, said["__type"].as_str()), (400, Some(code)), "{action} {body}");
    }
    let ask = |world: &mut World| call(world, (THEM, VA), "cloudtrail", "LookupEvents", json!({})).1;
    world.advance(world.now_ms() + 1_000);
    assert!(ask(&mut world)["Events"].is_array() && ask(&mut world)["Events"].is_array());
    assert_eq!(ask(&mut world)["__type"], "ThrottlingException");
}

#[test]
fn an_event_whose_queue_is_gone_goes_to_the_targets_dead_letters() {
    let (mut world, _) = told();
    let dead = done(&mut world, (US, EU), "sqs", "CreateQueue", json!({ "QueueName": "dead" }));
    let config = json!({ "Arn": "arn:aws:sqs:eu-west-1:111122223333:dead" });
    let target =
        json!({ "Id": "hub", "Arn": "arn:aws:sqs:eu-west-1:111122223333:gone", "DeadLetterConfig": config });
    done(&mut world, (THEM, VA), "events", "PutTargets", json!({ "Rule": "peerings", "Targets": [target] }));
    world.create_vpc(THEM, VA, "10.9.0.0/16").unwrap();
    assert_eq!(received(&mut world, dead["QueueUrl"].as_str().unwrap()).len(), 1);
}
