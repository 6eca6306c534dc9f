//! JSON: what botocore really sends, what SQS's clients check, and what nobody should send.

use std::collections::BTreeMap;

use ec2sim::AwsError;
use ec2sim::wire::{Problem, Struct, Value, json};

use crate::kit::operation;

fn read(target: &str, body: &str) -> Result<Struct, AwsError> {
    let (service, operation) = json::operation(target).expect(target);
    json::decode(service, operation, body.as_bytes())
}

fn written(service: &str, name: &str, output: &Struct) -> String {
    let bytes = json::encode(operation(service, name).1, output).expect("json");
    String::from_utf8(bytes).expect("UTF-8")
}

fn attributes() -> BTreeMap<String, Value> {
    let text = Struct::new().with("DataType", "String").with("StringValue", "x");
    let binary = Struct::new().with("DataType", "Binary").with("BinaryValue", Value::Blob(vec![0, 1]));
    BTreeMap::from([("a".to_owned(), text.into()), ("b".to_owned(), binary.into())])
}

#[test]
fn a_message_as_botocore_sends_it() {
    let body = r#"{"QueueUrl": "https://q", "MessageBody": "hi", "MessageAttributes":
        {"b": {"DataType": "Binary", "BinaryValue": "AAE="}, "a": {"DataType": "String", "StringValue": "x"}}}"#;
    let asked = Struct::new()
        .with("QueueUrl", "https://q")
        .with("MessageBody", "hi")
        .with("MessageAttributes", attributes());
    assert_eq!(read("AmazonSQS.SendMessage", body), Ok(asked));
}

#[test]
fn a_lookup_as_botocore_sends_it() {
    let body = r#"{"StartTime": 1767225600.5, "LookupAttributes": [{"AttributeKey": "EventName",
        "AttributeValue": "DeleteVpcPeeringConnection"}], "MaxResults": 50, "NextToken": null}"#;
    let read =
        read("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", body).expect("read");
    assert_eq!((read.time("StartTime"), read.int("MaxResults")), (Some(1_767_225_600_500), Some(50)));
    let attribute = read.structs("LookupAttributes").next().expect("an attribute");
    assert_eq!(attribute.text("AttributeValue"), Some("DeleteVpcPeeringConnection"));
    assert!(!read.has("NextToken"), "null is absent");
}

#[test]
fn targets_name_service_and_operation() {
    let found = |target| json::operation(target).map(|(service, operation)| (service.name, operation.name));
    assert_eq!(found("ServiceQuotasV20190624.GetServiceQuota"), Some(("servicequotas", "GetServiceQuota")));
    assert_eq!(found("AmazonSQS.Sendmessage"), None);
    assert_eq!(found("AmazonSQS"), None);
    assert_eq!(found("AmazonSNS.SendMessage"), None);
    assert_eq!(found("."), None);
}

#[test]
fn what_is_not_of_its_shape_is_refused() {
    for (body, said) in [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("\"x\"", "must be a JSON object"),
        (r#"{"QueueUrl": 5}"#, "QueueUrl is not a text"),
        (r#"{"QueueUrl": "q", "MaxNumberOfMessages": "10"}"#, "MaxNumberOfMessages is not an integer"),
        (r#"{"QueueUrl": "q", "MaxNumberOfMessages": 2147483648}"#, "MaxNumberOfMessages is not an integer"),
        (r#"{"QueueUrl": "q", "MaxNumberOfMessages": 1.5}"#, "MaxNumberOfMessages is not an integer"),
        (r#"{"QueueUrl": "q", "AttributeNames": ["All", 1]}"#, "AttributeNames.2 is not a text"),
        (r#"{"QueueUrl": "q", "WaitTimeSecond": 1}"#, "WaitTimeSecond is not recognized"),
    ] {
        let error = read("AmazonSQS.ReceiveMessage", body).expect_err(body);
        assert_eq!(error.code, "SerializationException", "{body}");
        assert!(error.message.contains(said), "{body}: {}", error.message);
    }
    let deep = format!("{{\"QueueUrl\": {}", "[".repeat(100_000));
    assert_eq!(read("AmazonSQS.ReceiveMessage", &deep).expect_err("deep").code, "SerializationException");
}

#[test]
fn what_is_required_is_asked_for_in_each_services_words() {
    let error = read("AmazonSQS.SendMessage", r#"{"QueueUrl": "q"}"#).expect_err("no body");
    assert_eq!((error.code, error.message.contains("MessageBody")), ("MissingParameter", true));
    let error = read("ServiceQuotasV20190624.GetServiceQuota", "{}").expect_err("no code");
    assert_eq!((error.code, error.message.contains("'ServiceCode'")), ("ValidationException", true));
}

#[test]
fn answers_letter_by_letter() {
    let message = Struct::new()
        .with("Body", "a \"b\" \u{1}")
        .with("MessageAttributes", attributes())
        .with("Attributes", BTreeMap::from([("ApproximateReceiveCount".to_owned(), Value::from("1"))]));
    let output = Struct::new().with("Messages", Value::list([message]));
    assert_eq!(
        written("sqs", "ReceiveMessage", &output),
        r#"{"Messages":[{"Attributes":{"ApproximateReceiveCount":"1"},"Body":"a \"b\" \u0001","MessageAttributes":{"a":{"DataType":"String","StringValue":"x"},"b":{"BinaryValue":"AAE=","DataType":"Binary"}}}]}"#
    );
    let event = |ms| Struct::new().with("EventTime", Value::Time(ms));
    let output = Struct::new().with("Events", Value::list([event(1_767_225_600_000), event(250)]));
    assert_eq!(
        written("cloudtrail", "LookupEvents", &output),
        r#"{"Events":[{"EventTime":1767225600},{"EventTime":0.25}]}"#
    );
    let quota = Struct::new().with("Quota", Struct::new().with("Value", 50.0));
    assert_eq!(written("servicequotas", "GetServiceQuota", &quota), r#"{"Quota":{"Value":50.0}}"#);
    assert_eq!(written("sqs", "DeleteMessage", &Struct::new()), "");
    assert_eq!(written("sqs", "ReceiveMessage", &Struct::new()), "{}");
}

#[test]
fn what_its_shape_does_not_allow_is_not_sent() {
    let refused = |service, name, output: Struct| {
        let error = json::encode(operation(service, name).1, &output).expect_err("must be refused");
        (error.at, error.problem)
    };
    assert_eq!(
        refused("sqs", "DeleteMessage", Struct::new().with("X", "y")),
        ("DeleteMessage.X".to_owned(), Problem::UnknownMember)
    );
    let attributes = BTreeMap::from([("Visibility".to_owned(), Value::from("1"))]);
    assert_eq!(
        refused("sqs", "GetQueueAttributes", Struct::new().with("Attributes", attributes)),
        ("GetQueueAttributes.Attributes.Visibility".into(), Problem::NotEnumerated("Visibility".into()))
    );
    let quota = Struct::new().with("Quota", Struct::new().with("Value", f64::NAN));
    assert!(matches!(refused("servicequotas", "GetServiceQuota", quota).1, Problem::OutOfRange(_)));
}

/// The digests were made with Python's hashlib, over the bytes that the SQS developer guide describes.
#[test]
fn digests_are_those_that_clients_compute() {
    assert_eq!(json::md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(json::md5_hex("hi".as_bytes()), "49f68a5c8493ec2c0bf489821c21fc3b");
    assert_eq!(json::md5_of_attributes(&attributes()).as_deref(), Some("fa20e2def088daf7b14bc51e836c5547"));
    assert_eq!(json::md5_of_attributes(&BTreeMap::new()), None);
}
