//! What a message looks like that EventBridge's rule puts into a queue, by the word of a moto that nobody here wrote.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerkeeper::signal::{Consumer, Ear, News, QueueUrl, Seen};
use peerkeeper_core::trail::{Call, TrailEvent};
use serde_json::{Value, json};

use crate::bench::{Bench, HERE, PROD};

/// Tells who listens of each event, and of what was not one.
#[derive(Default)]
struct Memo {
    events: Mutex<Vec<Arc<TrailEvent>>>,
    others: Mutex<Vec<String>>,
}

impl Ear for Memo {
    async fn take(&self, _queue: &Arc<str>, event: Arc<TrailEvent>) {
        self.events.lock().expect("no panic").push(event);
    }

    fn news(&self, _queue: &Arc<str>, news: News<'_>) {
        if let News::Poison(_) | News::Ignored(_) | News::Failed(_) = news {
            self.others.lock().expect("no panic").push(format!("{news:?}"));
        }
    }
}

/// One call of a service that speaks JSON 1.1, in the account of a role that was assumed.
fn ask(endpoint: &str, key: &str, target: &str, body: &Value) -> Value {
    let host = endpoint.strip_prefix("http://").expect("plain HTTP");
    let service = if target.starts_with("AWSEvents") { "events" } else { "sqs" };
    let body = body.to_string();
    let mut stream = TcpStream::connect(host).expect("moto answers");
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {service}.{HERE}.amazonaws.com\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: {target}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{HERE}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    assert!(head.starts_with("HTTP/1.1 200"), "{target}: {answer}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}

async fn key_of(bench: &Bench, account: &str) -> String {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(bench.moto.endpoint())
        .region(aws_sdk_sts::config::Region::new(HERE))
        .credentials_provider(aws_credential_types::Credentials::new("any", "secret", None, None, "tests"))
        .build();
    let assume = aws_sdk_sts::Client::from_conf(config)
        .assume_role()
        .role_arn(format!("arn:aws:iam::{account}:role/tester"))
        .role_session_name("tester");
    let given = assume.send().await.expect("anybody may").credentials.expect("keys");
    given.access_key_id
}

#[tokio::test]
async fn what_eventbridge_puts_into_a_queue_is_read() {
    let bench = Bench::new().await;
    let (endpoint, key) = (bench.moto.endpoint().to_owned(), key_of(&bench, PROD).await);
    ask(&endpoint, &key, "AmazonSQS.CreateQueue", &json!({ "QueueName": "events" }));
    let pattern = json!({"source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {
        "eventName": ["DeleteVpcPeeringConnection", "DeleteRoute"], "errorCode": [{"exists": false}]}});
    ask(
        &endpoint,
        &key,
        "AWSEvents.PutRule",
        &json!({"Name": "peerings", "EventPattern": pattern.to_string()}),
    );
    let target = json!({"Id": "queue", "Arn": format!("arn:aws:sqs:{HERE}:{PROD}:events")});
    ask(&endpoint, &key, "AWSEvents.PutTargets", &json!({"Rule": "peerings", "Targets": [target]}));
    let record = |name: &str, event: &str, asked: Value| {
        json!({
            "eventVersion": "1.11", "eventSource": "ec2.amazonaws.com", "eventName": name, "eventID": event,
            "eventTime": "2026-06-08T07:53:32Z", "awsRegion": HERE, "recipientAccountId": PROD, "requestID": "r",
            "userIdentity": {"type": "IAMUser", "accountId": PROD, "arn": format!("arn:aws:iam::{PROD}:user/ada"), "userName": "ada"},
            "requestParameters": asked, "responseElements": {"_return": true},
        })
    };
    let pcx = json!({"vpcPeeringConnectionId": "pcx-0123456789abcdef0"});
    let route = json!({"routeTableId": "rtb-0123456789abcdef0", "destinationIpv6CidrBlock": "2001:db8::/56"});
    let mut failed = record("DeleteVpcPeeringConnection", "3", pcx.clone());
    failed["errorCode"] = json!("Client.UnauthorizedOperation");
    let put = [record("DeleteVpcPeeringConnection", "1", pcx), record("DeleteRoute", "2", route), failed];
    let entries: Vec<Value> = put
        .iter()
        .map(|detail| json!({"Source": "aws.ec2", "DetailType": "AWS API Call via CloudTrail", "Detail": detail.to_string()}))
        .collect();
    let answer = ask(&endpoint, &key, "AWSEvents.PutEvents", &json!({ "Entries": entries }));
    assert_eq!(answer["FailedEntryCount"], 0, "{answer}");

    let memo = Arc::new(Memo::default());
    let queue: QueueUrl = format!("{endpoint}/{PROD}/events,region={HERE}").parse().expect("a queue's URL");
    let listening =
        tokio::spawn(Consumer::new(bench.aws.clone(), queue, memo.clone(), Arc::<Seen>::default()).run());
    let heard = async {
        while memo.events.lock().expect("no panic").len() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), heard).await;
    assert!(in_time.is_ok(), "{:?}", memo.others.lock());
    listening.abort();
    let events = memo.events.lock().expect("no panic");
    let delete = events.iter().find(|event| &*event.id == "1").expect("the deletion");
    assert_eq!(delete.call, Call::DeletePeering("pcx-0123456789abcdef0".parse().expect("an id")));
    assert_eq!((delete.place.account.to_string(), delete.place.region.as_str()), (PROD.to_owned(), HERE));
    assert_eq!(delete.actor.user_name.as_deref(), Some("ada"));
    let kept: Value = serde_json::from_str(&delete.record).expect("JSON");
    assert_eq!(kept, put[0], "the record as it was");
    assert!(events.iter().any(|event| matches!(event.call, Call::DeleteRoute { .. })));
    assert_eq!(*memo.others.lock().expect("no panic"), [""; 0]);
}
