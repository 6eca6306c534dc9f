//! EventBridge: rules on the default bus, and queues as their targets.

use serde_json::Value as Json;

use super::mapping::{Asked, Mapping, done};
use super::value::{Struct, Value};
use crate::error::AwsError;
use crate::queue::QueueId;
use crate::request::Request;
use crate::trail::{EventPattern, RuleTarget};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "PutRule",
        reads: &["Name", "EventPattern", "State", "Description", "EventBusName"],
        ask: |asked| {
            on_default_bus(asked)?;
            let text = asked.text("EventPattern").ok_or_else(|| {
                let message = "Parameter(s) EventPattern must be specified: schedules are not simulated.";
                AwsError::new("ValidationException", message)
            })?;
            let enabled = asked.text("State").is_none_or(|state| state != "DISABLED");
            Ok(Request::PutRule { name: asked.must("Name")?, pattern: parse_pattern(&text)?, enabled })
        },
        answer: |asked, response| {
            done(asked, response)?;
            let (caller, name) = (asked.caller, asked.text("Name")?);
            let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
            Some(
                Struct::new()
                    .with("RuleArn", format!("arn:{partition}:events:{region}:{account}:rule/{name}")),
            )
        },
    },
    Mapping {
        name: "EnableRule",
        reads: &["Name", "EventBusName"],
        ask: |asked| Ok(Request::EnableRule { name: rule(asked, "Name")? }),
        answer: done,
    },
    Mapping {
        name: "DisableRule",
        reads: &["Name", "EventBusName"],
        ask: |asked| Ok(Request::DisableRule { name: rule(asked, "Name")? }),
        answer: done,
    },
    Mapping {
        name: "DeleteRule",
        reads: &["Name", "EventBusName", "Force"],
        ask: |asked| Ok(Request::DeleteRule { name: rule(asked, "Name")? }),
        answer: done,
    },
    Mapping {
        name: "PutTargets",
        reads: &["Rule", "EventBusName", "Targets"],
        ask: |asked| {
            let targets = asked.input.structs("Targets").map(target).collect::<Result<_, _>>()?;
            Ok(Request::PutTargets { rule: rule(asked, "Rule")?, targets })
        },
        answer: none_failed,
    },
    Mapping {
        name: "RemoveTargets",
        reads: &["Rule", "EventBusName", "Ids", "Force"],
        ask: |asked| Ok(Request::RemoveTargets { rule: rule(asked, "Rule")?, ids: asked.texts("Ids") }),
        answer: none_failed,
    },
];

fn none_failed(asked: &Asked<'_>, response: crate::view::Response) -> Option<Struct> {
    done(asked, response)?;
    Some(Struct::new().with("FailedEntryCount", 0).with("FailedEntries", Value::List(Vec::new())))
}

fn on_default_bus(asked: &Asked<'_>) -> Result<(), AwsError> {
    match asked.text("EventBusName") {
        Some(bus) if bus != "default" && !bus.ends_with(":event-bus/default") => {
            let message = format!("Event bus {bus} does not exist: there is the default one alone.");
            Err(AwsError::new("ResourceNotFoundException", message))
        }
        _ => Ok(()),
    }
}

fn rule(asked: &Asked<'_>, member: &'static str) -> Result<String, AwsError> {
    on_default_bus(asked)?;
    asked.must(member)
}

/// A queue, told of events as they are.
fn target(given: &Struct) -> Result<RuleTarget, AwsError> {
    const READ: [&str; 3] = ["Id", "Arn", "DeadLetterConfig"];
    if let Some((name, _)) = given.iter().find(|(name, _)| !READ.contains(name)) {
        let message = format!("{name} of a target is not simulated: leave it out");
        return Err(AwsError::new("ValidationException", message));
    }
    let queue = |arn: &str| {
        QueueId::parse(arn).ok_or_else(|| {
            let message = format!("Provided Arn is not valid: {arn}. Queues alone can be targets here.");
            AwsError::new("ValidationException", message)
        })
    };
    let dead_letters = given.structure("DeadLetterConfig").and_then(|config| config.text("Arn"));
    Ok(RuleTarget {
        id: given.text("Id").unwrap_or_default().to_owned(),
        queue: queue(given.text("Arn").unwrap_or_default())?,
        dead_letters: dead_letters.map(queue).transpose()?,
    })
}

fn bad_pattern(why: impl std::fmt::Display) -> AwsError {
    AwsError::new("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {why}"))
}

/// `source`, `detail-type`, and of the detail `eventSource`, `eventName` and `errorCode`'s existence; whatever else a
/// pattern may say is refused, never left out.
pub(crate) fn parse_pattern(text: &str) -> Result<EventPattern, AwsError> {
    let parsed: Json = serde_json::from_str(text).map_err(bad_pattern)?;
    let members = parsed.as_object().filter(|members| !members.is_empty());
    let mut pattern = EventPattern::default();
    for (name, wanted) in members.ok_or_else(|| bad_pattern("it is an object with something in it"))? {
        match name.as_str() {
            "source" => pattern.sources = texts(name, wanted)?,
            "detail-type" => pattern.detail_types = texts(name, wanted)?,
            "detail" => {
                let members = wanted.as_object().ok_or_else(|| bad_pattern("detail is an object"))?;
                for (name, wanted) in members {
                    match name.as_str() {
                        "eventSource" => pattern.event_sources = texts(name, wanted)?,
                        "eventName" => pattern.event_names = texts(name, wanted)?,
                        "errorCode" => pattern.error_code_exists = Some(exists(wanted)?),
                        _ => return Err(bad_pattern(format!("detail.{name} is not simulated"))),
                    }
                }
            }
            _ => return Err(bad_pattern(format!("{name} is not simulated"))),
        }
    }
    Ok(pattern)
}

fn texts(name: &str, wanted: &Json) -> Result<Vec<String>, AwsError> {
    let texts = wanted.as_array().filter(|list| !list.is_empty()).and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    texts.ok_or_else(|| bad_pattern(format!("{name} is a list of texts here")))
}

fn exists(wanted: &Json) -> Result<bool, AwsError> {
    match wanted.as_array().map(Vec::as_slice) {
        Some([one]) => one["exists"].as_bool(),
        _ => None,
    }
    .ok_or_else(|| bad_pattern("errorCode is [{\"exists\": true}] or [{\"exists\": false}] here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_whole_or_refused() {
        let text = r#"{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],
            "detail":{"eventSource":["ec2.amazonaws.com"],"eventName":["DeleteVpc","DeleteRoute"],
            "errorCode":[{"exists":false}]}}"#;
        let pattern = EventPattern::ec2(["DeleteVpc", "DeleteRoute"]);
        assert_eq!(parse_pattern(text), Ok(pattern.clone()));
        assert_eq!(parse_pattern(&pattern.json().to_string()), Ok(pattern));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"source":"aws.ec2"}"#,
            r#"{"source":[]}"#,
            r#"{"source":[{"prefix":"aws."}]}"#,
            r#"{"account":["1"]}"#,
            r#"{"detail":{"eventName":[1]}}"#,
            r#"{"detail":{"awsRegion":["x"]}}"#,
            r#"{"detail":{"errorCode":["x"]}}"#,
            r#"{"detail":{"errorCode":[{"exists":false},"x"]}}"#,
        ] {
            assert_eq!(parse_pattern(wrong).unwrap_err().code, "InvalidEventPatternException", "{wrong}");
        }
    }
}
