//! CloudTrail: its event history, and the trails that let EventBridge hear of calls.

use super::mapping::{Asked, Mapping, done};
use super::value::{Struct, Value};
use crate::error::AwsError;
use crate::request::{ReadWriteType, Request};
use crate::trail::{Lookup, LookupKey, TrailRecord};
use crate::view::TrailView;

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "LookupEvents",
        reads: &["LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken"],
        ask: |asked| {
            let attributes =
                asked.input.structs("LookupAttributes").map(attribute).collect::<Result<_, _>>()?;
            Ok(Request::LookupEvents(Lookup {
                attributes,
                start_ms: asked.input.time("StartTime"),
                end_ms: asked.input.time("EndTime"),
                max_results: asked.count("MaxResults")?,
                next_token: asked.text("NextToken").filter(|token| !token.is_empty()),
            }))
        },
        answer: |_, response| {
            let page = response.events()?;
            let events = Value::list(page.items.iter().map(|record| show_event(record)));
            Some(Struct::new().with("Events", events).with_opt("NextToken", page.next_token))
        },
    },
    Mapping {
        name: "CreateTrail",
        reads: &["Name", "S3BucketName", "IsMultiRegionTrail", "IncludeGlobalServiceEvents"],
        ask: |asked| {
            let multi_region = asked.input.bool("IsMultiRegionTrail") == Some(true);
            Ok(Request::CreateTrail { name: asked.must("Name")?, multi_region })
        },
        answer: |asked, response| {
            done(asked, response)?;
            let name = asked.text("Name")?;
            let arn = trail_arn(asked, &name);
            let truth = |member, otherwise| asked.input.bool(member).unwrap_or(otherwise);
            Some(
                Struct::new()
                    .with("Name", name)
                    .with_opt("S3BucketName", asked.text("S3BucketName"))
                    .with("IncludeGlobalServiceEvents", truth("IncludeGlobalServiceEvents", true))
                    .with("IsMultiRegionTrail", truth("IsMultiRegionTrail", false))
                    .with("TrailARN", arn)
                    .with("LogFileValidationEnabled", false)
                    .with("IsOrganizationTrail", false),
            )
        },
    },
    Mapping {
        name: "DeleteTrail",
        reads: &["Name"],
        ask: |asked| Ok(Request::DeleteTrail { name: asked.must("Name")? }),
        answer: done,
    },
    Mapping {
        name: "StartLogging",
        reads: &["Name"],
        ask: |asked| Ok(Request::StartLogging { name: asked.must("Name")? }),
        answer: done,
    },
    Mapping {
        name: "StopLogging",
        reads: &["Name"],
        ask: |asked| Ok(Request::StopLogging { name: asked.must("Name")? }),
        answer: done,
    },
    Mapping {
        name: "PutEventSelectors",
        reads: &["TrailName", "EventSelectors"],
        ask: put_event_selectors,
        answer: |asked, response| {
            done(asked, response)?;
            let arn = trail_arn(asked, &asked.text("TrailName")?);
            let selectors = asked.input.list("EventSelectors").map(<[Value]>::to_vec).map(Value::List);
            Some(Struct::new().with("TrailARN", arn).with_opt("EventSelectors", selectors))
        },
    },
    Mapping {
        name: "DescribeTrails",
        reads: &["trailNameList", "includeShadowTrails"],
        ask: |asked| Ok(Request::DescribeTrails { names: asked.texts("trailNameList") }),
        answer: |asked, response| {
            let with_shadows = asked.input.bool("includeShadowTrails") != Some(false);
            let shown = |trail: &TrailView| with_shadows || trail.home_region == asked.caller.region;
            let trails = response.trails()?;
            let trails = trails.iter().filter(|trail| shown(trail)).map(show_trail);
            Some(Struct::new().with("trailList", Value::list(trails)))
        },
    },
    Mapping {
        name: "GetTrailStatus",
        reads: &["Name"],
        ask: |asked| Ok(Request::GetTrailStatus { name: asked.must("Name")? }),
        answer: |_, response| {
            let status = response.trail_status()?;
            let status_of = Struct::new().with("IsLogging", status.is_logging);
            let status_of = status_of.with_opt("StartLoggingTime", status.started_ms.map(Value::Time));
            Some(status_of.with_opt("StopLoggingTime", status.stopped_ms.map(Value::Time)))
        },
    },
];

fn attribute(given: &Struct) -> Result<(LookupKey, String), AwsError> {
    let key = given.text("AttributeKey").unwrap_or_default();
    let known = LookupKey::parse(key).ok_or_else(|| {
        let message = format!("The lookup attribute '{key}' is not valid.");
        AwsError::new("InvalidLookupAttributesException", message)
    })?;
    Ok((known, given.text("AttributeValue").unwrap_or_default().to_owned()))
}

fn show_event(record: &TrailRecord) -> Struct {
    let who = record.caller.identity();
    let resources = record.resources();
    let resources = resources.iter().map(|resource| {
        Struct::new().with("ResourceType", resource.kind).with("ResourceName", &resource.name)
    });
    Struct::new()
        .with("EventId", record.event_id())
        .with("EventName", record.event_name())
        .with("ReadOnly", "false")
        .with_opt("AccessKeyId", Some(who.access_key_id.as_str()).filter(|key| !key.is_empty()))
        .with("EventTime", Value::Time(record.event_time_ms()))
        .with("EventSource", record.event_source())
        .with("Username", who.user_name())
        .with("Resources", Value::list(resources))
        .with("CloudTrailEvent", record.json())
}

/// A trail may be named by its ARN already.
fn trail_arn(asked: &Asked<'_>, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let caller = asked.caller;
    format!("arn:{}:cloudtrail:{}:{}:trail/{name}", caller.partition(), caller.region, caller.account)
}

fn show_trail(trail: &TrailView) -> Struct {
    Struct::new()
        .with("Name", &trail.name)
        .with("TrailARN", &trail.arn)
        .with("HomeRegion", trail.home_region.as_str())
        .with("IsMultiRegionTrail", trail.multi_region)
        .with("IsOrganizationTrail", false)
}

/// Several selectors are as good as one that takes all that any of them takes.
fn put_event_selectors(asked: &Asked<'_>) -> Result<Request, AwsError> {
    let selectors: Vec<&Struct> = asked.input.structs("EventSelectors").collect();
    if selectors.is_empty() {
        let message = "At least one event selector is needed.";
        return Err(AwsError::new("InvalidEventSelectorsException", message));
    }
    let unread = selectors.iter().find(|selector| {
        ["DataResources", "ExcludeManagementEventSources"]
            .iter()
            .any(|name| selector.list(name).is_some_and(|list| !list.is_empty()))
    });
    if unread.is_some() {
        let message = "DataResources and ExcludeManagementEventSources are not simulated: leave them out";
        return Err(AwsError::new("UnsupportedOperationException", message));
    }
    let takes = |without: &str| {
        let of_management = |selector: &&&Struct| selector.bool("IncludeManagementEvents") != Some(false);
        selectors.iter().filter(of_management).any(|selector| selector.text("ReadWriteType") != Some(without))
    };
    let (reads, writes) = (takes("WriteOnly"), takes("ReadOnly"));
    let read_write_type = match (reads, writes) {
        (true, true) | (false, false) => ReadWriteType::All,
        (true, false) => ReadWriteType::ReadOnly,
        (false, true) => ReadWriteType::WriteOnly,
    };
    let name = asked.must("TrailName")?;
    Ok(Request::PutEventSelectors { name, read_write_type, management_events: reads || writes })
}
