//! Queues in the server: who waits for a message, and who takes it.

use std::time::{Duration, Instant};

use ec2sim::server::Server;
use serde_json::{Value, json};

use crate::client::{Client, EU, US, start, start_at};

const THEM: &str = "444455556666";
const ARN: &str = "arn:aws:sqs:eu-west-1:111122223333:events";

fn sqs(client: &mut Client, action: &str, body: &Value) {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.{action}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={US}/20260102/{EU}/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n"
    );
    client.send(&head, &body.to_string());
}

#[track_caller]
fn said(client: &mut Client) -> Value {
    let (status, body) = client.receive().expect("an answer");
    assert_eq!(status, 200, "{body}");
    if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
}

fn receive(wait_s: u32) -> Value {
    json!({ "QueueUrl": format!("http://localhost/{US}/events"), "WaitTimeSeconds": wait_s, "MaxNumberOfMessages": 10 })
}

fn send(server: &Server, body: &str) {
    let mut client = Client::of(server);
    let message = json!({ "QueueUrl": format!("http://localhost/{US}/events"), "MessageBody": body });
    sqs(&mut client, "SendMessage", &message);
    said(&mut client);
}

/// A server whose two accounts' calls come to a queue.
fn told(speed: f64) -> (Server, Client) {
    let server = start_at(speed);
    let mut client = Client::of(&server);
    for (account, region) in [(US, EU), (THEM, "us-east-1")] {
        let order = json!({ "do": "deliver_events", "account": account, "region": region, "queue_arn": ARN });
        client.obeyed("world", &order.to_string());
    }
    (server, client)
}

#[test]
fn a_receive_waits_for_its_message_and_no_longer() {
    let (server, mut client) = told(1.0);
    let mut waiting = Client::of(&server);
    sqs(&mut waiting, "ReceiveMessage", &receive(15));
    assert!(waiting.waits());
    // Others are served meanwhile, and what they do does not end the waiting.
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200);
    assert!(waiting.waits());
    let began = Instant::now();
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 200);
    let messages = said(&mut waiting);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let event: Value = serde_json::from_str(messages["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(event["detail"]["eventName"], "CreateVpc");

    let began = Instant::now();
    sqs(&mut waiting, "ReceiveMessage", &receive(1));
    assert_eq!(said(&mut waiting), json!({}));
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.look("calls")["calls"]["ReceiveMessage"], 2, "however long it waits, it is one call");
}

#[test]
fn what_falls_due_ends_the_waiting() {
    let (server, mut client) = told(1.0);
    client.obeyed("weather", r#"{"delays_ms": {"EventDelivery": 600}}"#);
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 200);
    let mut waiting = Client::of(&server);
    let began = Instant::now();
    sqs(&mut waiting, "ReceiveMessage", &receive(20));
    assert_eq!(said(&mut waiting)["Messages"].as_array().unwrap().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // And so does a leap of the clock.
    client.obeyed("weather", r#"{"delays_ms": {"EventDelivery": 60000}}"#);
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 200);
    sqs(&mut waiting, "ReceiveMessage", &receive(20));
    assert!(waiting.waits());
    client.obeyed("clock", r#"{"advance_ms": 60000}"#);
    let messages = said(&mut waiting)["Messages"].as_array().unwrap().len();
    assert_eq!(messages, 2, "the first one again, as nobody has deleted it");
}

#[test]
fn who_hangs_up_while_waiting_takes_no_message() {
    let (server, _client) = told(0.0);
    let mut gone = Client::of(&server);
    sqs(&mut gone, "ReceiveMessage", &receive(20));
    assert!(gone.waits());
    drop(gone);
    // The server hears of the end before of the next message, or this would prove nothing.
    std::thread::sleep(Duration::from_millis(1500));
    send(&server, "for another");
    let mut other = Client::of(&server);
    sqs(&mut other, "ReceiveMessage", &receive(0));
    assert_eq!(said(&mut other)["Messages"][0]["Body"], "for another");
}

#[test]
fn two_that_wait_get_one_message_once() {
    let (server, _client) = told(0.0);
    let mut waiting = [Client::of(&server), Client::of(&server)];
    for client in &mut waiting {
        sqs(client, "ReceiveMessage", &receive(2));
        assert!(client.waits());
    }
    send(&server, "one");
    let got: usize =
        waiting.iter_mut().map(|client| said(client)["Messages"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(got, 1);
}

#[test]
fn a_receive_that_is_refused_or_held_on_request_does_not_wait_for_messages() {
    let (server, mut client) = told(0.0);
    client.obeyed(
        "faults",
        r#"{"do": "refuse", "action": "ReceiveMessage", "code": "AccessDenied", "times": 1}"#,
    );
    let mut waiting = Client::of(&server);
    let began = Instant::now();
    sqs(&mut waiting, "ReceiveMessage", &receive(20));
    assert_ne!(waiting.receive().unwrap().0, 200);
    assert!(began.elapsed() < Duration::from_secs(10));
    let elsewhere = json!({ "QueueUrl": format!("http://localhost/{US}/none"), "WaitTimeSeconds": 20 });
    sqs(&mut waiting, "ReceiveMessage", &elsewhere);
    assert_eq!(waiting.receive().unwrap().0, 400);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn orders_set_up_rules_and_open_queues_and_wrong_ones_say_why() {
    let server = start();
    let mut client = Client::of(&server);
    let pattern = json!({ "detail": { "eventName": ["DeleteVpc"] } });
    let order =
        json!({ "do": "deliver_events", "account": US, "region": EU, "queue_arn": ARN, "pattern": pattern });
    client.obeyed("world", &order.to_string());
    client.obeyed("world", &json!({ "do": "open_queue", "queue_arn": ARN, "to": THEM }).to_string());
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 200);
    let queue = ec2sim::QueueId::parse(ARN).unwrap();
    assert_eq!(server.with_world(|world| world.messages_in(&queue)), 0, "the pattern wants other calls");
    for wrong in [
        json!({ "do": "deliver_events", "account": US, "region": EU, "queue_arn": "q" }),
        json!({ "do": "deliver_events", "account": US, "region": EU, "queue_arn": ARN, "pattern": {} }),
        json!({ "do": "deliver_events", "account": US, "region": EU, "queue_arn": ARN, "more": 1 }),
        json!({ "do": "open_queue", "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:none", "to": THEM }),
        json!({ "do": "keep_history" }),
    ] {
        assert_eq!(client.order("world", &wrong.to_string()).0, 400, "{wrong}");
    }
}
