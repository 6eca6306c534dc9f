//! SQS over the wire: what its clients send, and what they check.

use ec2sim::{QueueId, World};
use serde_json::{Value, json};

use crate::client::{EU, US, client};

/// A call that succeeds.
#[track_caller]
fn done(world: &mut World, action: &str, body: Value) -> Value {
    let (status, answer) = call(world, action, &body);
    assert_eq!(status, 200, "{action}: {answer}");
    answer
}

#[track_caller]
fn call(world: &mut World, action: &str, body: &Value) -> (u16, Value) {
    let (status, _, answer) = call_from(world, None, action, body);
    (status, answer)
}

fn call_from(
    world: &mut World,
    host: Option<&str>,
    action: &str,
    body: &Value,
) -> (u16, Vec<(&'static str, String)>, Value) {
    let mut request = client(US, EU).json("sqs", &format!("AmazonSQS.{action}"), &body.to_string());
    if let Some(host) = host {
        request = request.header("Host", host);
    }
    let answer = ec2sim::wire::respond(world, &request, &mut ec2sim::Calm).answer().expect("an answer");
    let body = if answer.body.is_empty() { "null".into() } else { answer.body };
    (answer.status, answer.headers, serde_json::from_slice(&body).expect("JSON"))
}

fn a_queue(world: &mut World) -> String {
    let made =
        done(world, "CreateQueue", json!({ "QueueName": "q", "Attributes": { "VisibilityTimeout": "60" } }));
    made["QueueUrl"].as_str().expect("a URL").to_owned()
}

#[test]
fn a_queue_is_made_found_changed_and_deleted() {
    let mut world = World::new();
    let url = a_queue(&mut world);
    assert_eq!(url, "https://sqs.eu-west-1.amazonaws.com/111122223333/q");
    assert_eq!(done(&mut world, "GetQueueUrl", json!({ "QueueName": "q" })), json!({ "QueueUrl": url }));
    assert_eq!(done(&mut world, "ListQueues", json!({})), json!({ "QueueUrls": [url] }));
    assert_eq!(done(&mut world, "ListQueues", json!({ "QueueNamePrefix": "x" })), json!({}));
    let attributes = json!({ "QueueUrl": url, "Attributes": { "DelaySeconds": "5" } });
    assert_eq!(done(&mut world, "SetQueueAttributes", attributes), Value::Null);
    let names =
        json!({ "QueueUrl": url, "AttributeNames": ["DelaySeconds", "VisibilityTimeout", "QueueArn"] });
    let shown = json!({
        "DelaySeconds": "5", "VisibilityTimeout": "60", "QueueArn": "arn:aws:sqs:eu-west-1:111122223333:q",
    });
    assert_eq!(done(&mut world, "GetQueueAttributes", names), json!({ "Attributes": shown }));
    let all = done(&mut world, "GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] }));
    assert_eq!(all["Attributes"]["ApproximateNumberOfMessages"], "0");
    done(&mut world, "PurgeQueue", json!({ "QueueUrl": url }));
    done(&mut world, "DeleteQueue", json!({ "QueueUrl": url }));
    let (status, headers, said) = call_from(&mut world, None, "GetQueueUrl", &json!({ "QueueName": "q" }));
    assert_eq!((status, said["__type"].as_str()), (400, Some("com.amazonaws.sqs#QueueDoesNotExist")));
    let old = ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned());
    assert!(headers.contains(&old), "{headers:?}");
}

#[test]
fn a_message_is_sent_received_hidden_and_deleted() {
    let mut world = World::new();
    let url = a_queue(&mut world);
    let sent = done(
        &mut world,
        "SendMessage",
        json!({
            "QueueUrl": url, "MessageBody": "hi",
            "MessageAttributes": {
                "a": { "DataType": "String", "StringValue": "x" },
                "b": { "DataType": "Binary", "BinaryValue": "AAE=" },
            },
        }),
    );
    assert_eq!(sent["MD5OfMessageBody"], "49f68a5c8493ec2c0bf489821c21fc3b");
    assert_eq!(sent["MD5OfMessageAttributes"], "fa20e2def088daf7b14bc51e836c5547");
    let ask = json!({
        "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
    });
    let received = done(&mut world, "ReceiveMessage", ask.clone());
    let message = &received["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageId"]), (&json!("hi"), &sent["MessageId"]));
    assert_eq!(message["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["MessageAttributes"]["b"]["BinaryValue"], "AAE=");
    let attributes = json!({ "ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000" });
    assert_eq!(message["Attributes"], attributes);
    assert_eq!(
        done(&mut world, "ReceiveMessage", ask),
        json!({}),
        "hidden, and then there is no list at all"
    );

    let again = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0 });
    done(&mut world, "ChangeMessageVisibility", again);
    let received = done(&mut world, "ReceiveMessage", json!({ "QueueUrl": url, "AttributeNames": ["All"] }));
    let message = &received["Messages"][0];
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "2");
    assert!(message.get("MessageAttributes").is_none(), "only those that were asked for");
    let handle = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
    done(&mut world, "DeleteMessage", handle);
    assert_eq!(world.messages_in(&QueueId::new(US, EU, "q")), 0);
}

/// The digest is over those attributes that are shown, as clients compute it.
#[test]
fn attributes_are_shown_by_name_and_by_prefix() {
    let mut world = World::new();
    let url = a_queue(&mut world);
    let text = |value| json!({ "DataType": "String", "StringValue": value });
    let attributes = json!({ "app.a": text("1"), "app.b": text("2"), "other": text("3") });
    done(
        &mut world,
        "SendMessage",
        json!({ "QueueUrl": url, "MessageBody": "hi", "MessageAttributes": attributes }),
    );
    let mut shown = |names: Value| {
        let ask = json!({ "QueueUrl": url, "VisibilityTimeout": 0, "MessageAttributeNames": names });
        let received = done(&mut world, "ReceiveMessage", ask);
        let message = &received["Messages"][0];
        let names: Vec<String> = message["MessageAttributes"]
            .as_object()
            .map(|attributes| attributes.keys().cloned().collect())
            .unwrap_or_default();
        (names.join(" "), message["MD5OfMessageAttributes"].is_string())
    };
    assert_eq!(shown(json!([])), (String::new(), false));
    assert_eq!(shown(json!(["app.*"])), ("app.a app.b".to_owned(), true));
    assert_eq!(shown(json!(["other"])), ("other".to_owned(), true));
    assert_eq!(shown(json!([".*"])), ("app.a app.b other".to_owned(), true));
}

#[test]
fn entries_of_a_batch_fare_each_for_itself() {
    let mut world = World::new();
    let url = a_queue(&mut world);
    let entries = json!([{ "Id": "a", "MessageBody": "one" }, { "Id": "b", "MessageBody": "\u{1}" }]);
    let sent = done(&mut world, "SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries }));
    assert_eq!(sent["Successful"][0]["Id"], "a");
    assert_eq!(sent["Successful"].as_array().map(Vec::len), Some(1));
    let failed = &sent["Failed"][0];
    assert_eq!((&failed["Id"], &failed["Code"]), (&json!("b"), &json!("InvalidMessageContents")));
    assert_eq!(failed["SenderFault"], true);

    let received = done(&mut world, "ReceiveMessage", json!({ "QueueUrl": url }));
    let handle = &received["Messages"][0]["ReceiptHandle"];
    let later = json!([{ "Id": "x", "ReceiptHandle": handle, "VisibilityTimeout": 120 }]);
    let changed =
        done(&mut world, "ChangeMessageVisibilityBatch", json!({ "QueueUrl": url, "Entries": later }));
    assert_eq!(changed, json!({ "Successful": [{ "Id": "x" }], "Failed": [] }));
    let gone = json!([{ "Id": "x", "ReceiptHandle": handle }, { "Id": "y", "ReceiptHandle": "nonsense" }]);
    let deleted = done(&mut world, "DeleteMessageBatch", json!({ "QueueUrl": url, "Entries": gone }));
    assert_eq!(deleted["Successful"], json!([{ "Id": "x" }]));
    assert_eq!(deleted["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[test]
fn urls_lead_back_to_where_they_came_from() {
    let mut world = World::new();
    let host = Some("127.0.0.1:4566");
    let (_, _, made) = call_from(&mut world, host, "CreateQueue", &json!({ "QueueName": "q" }));
    assert_eq!(made["QueueUrl"], "http://127.0.0.1:4566/111122223333/q");
    for url in [made["QueueUrl"].clone(), json!("https://sqs.eu-west-1.amazonaws.com/111122223333/q")] {
        done(&mut world, "GetQueueAttributes", json!({ "QueueUrl": url }));
    }
    for url in [
        "https://sqs.us-east-1.amazonaws.com/111122223333/q",
        "https://sqs.eu-west-1.amazonaws.com/q",
        "https://host/111122223333/",
        "q",
        "",
    ] {
        let (status, said) = call(&mut world, "GetQueueAttributes", &json!({ "QueueUrl": url }));
        let kind = said["__type"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{url}: {said}");
        assert!(kind.ends_with("#InvalidAddress") || kind.ends_with("#MissingParameter"), "{url}: {said}");
    }
}

#[test]
fn what_is_not_simulated_is_refused_aloud() {
    let mut world = World::new();
    let url = a_queue(&mut world);
    for (action, body, code) in [
        (
            "SendMessage",
            json!({ "QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g" }),
            "UnsupportedOperation",
        ),
        (
            "SendMessageBatch",
            json!({ "QueueUrl": url, "Entries": [{ "Id": "a", "MessageBody": "x", "MessageGroupId": "g" }] }),
            "UnsupportedOperation",
        ),
        ("ReceiveMessage", json!({ "QueueUrl": url, "AttributeNames": ["Nothing"] }), "InvalidAttributeName"),
        ("ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": -1 }), "InvalidParameterValue"),
        (
            "GetQueueAttributes",
            json!({ "QueueUrl": url, "AttributeNames": ["Nothing"] }),
            "InvalidAttributeName",
        ),
        ("SendMessageBatch", json!({ "QueueUrl": url, "Entries": [] }), "EmptyBatchRequest"),
        ("SendMessage", json!({ "QueueUrl": url }), "MissingParameter"),
    ] {
        let (status, said) = call(&mut world, action, &body);
        assert_eq!(
            (status, said["__type"].as_str()),
            (400, Some(format!("com.amazonaws.sqs#{code}").as_str())),
            "{body}"
        );
    }
    assert_eq!(world.messages_in(&QueueId::new(US, EU, "q")), 0);
}
