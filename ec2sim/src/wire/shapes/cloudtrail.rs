// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of AWS CloudTrail, API version 2013-11-01, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "cloudtrail", protocol: Protocol::Json { version: "1.1" },
    api_version: "2013-11-01", xml_namespace: None,
    target_prefix: Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"), operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("DescribeTrails", Some(&DescribeTrailsRequest), Some(&DescribeTrailsResponse), None),
    operation("GetTrailStatus", Some(&GetTrailStatusRequest), Some(&GetTrailStatusResponse), None),
    operation("LookupEvents", Some(&LookupEventsRequest), Some(&LookupEventsResponse), None),
];

static ERRORS: &[ErrorShape] = &[
    error("CloudTrailARNInvalidException", "CloudTrailARNInvalidException", 400),
    error("InvalidEventCategoryException", "InvalidEventCategoryException", 400),
    error("InvalidLookupAttributesException", "InvalidLookupAttributesException", 400),
    error("InvalidMaxResultsException", "InvalidMaxResultsException", 400),
    error("InvalidNextTokenException", "InvalidNextTokenException", 400),
    error("InvalidTimeRangeException", "InvalidTimeRangeException", 400),
    error("InvalidTrailNameException", "InvalidTrailNameException", 400),
    error("NoManagementAccountSLRExistsException", "NoManagementAccountSLRExistsException", 400),
    error("OperationNotPermittedException", "OperationNotPermittedException", 400),
    error("TrailNotFoundException", "TrailNotFoundException", 400),
    error("UnsupportedOperationException", "UnsupportedOperationException", 400),
];

static DescribeTrailsRequest: Structure = Structure { name: "DescribeTrailsRequest", members: &[
    optional("trailNameList", "trailNameList", "trailNameList", &TrailNameList),
    optional("includeShadowTrails", "includeShadowTrails", "includeShadowTrails", &BOOL),
] };
static DescribeTrailsResponse: Structure = Structure { name: "DescribeTrailsResponse", members: &[
    optional("trailList", "trailList", "trailList", &TrailList),
] };
static Event: Structure = Structure { name: "Event", members: &[
    optional("EventId", "EventId", "EventId", &TEXT),
    optional("EventName", "EventName", "EventName", &TEXT),
    optional("ReadOnly", "ReadOnly", "ReadOnly", &TEXT),
    optional("AccessKeyId", "AccessKeyId", "AccessKeyId", &TEXT),
    optional("EventTime", "EventTime", "EventTime", &TIME),
    optional("EventSource", "EventSource", "EventSource", &TEXT),
    optional("Username", "Username", "Username", &TEXT),
    optional("Resources", "Resources", "Resources", &ResourceList),
    optional("CloudTrailEvent", "CloudTrailEvent", "CloudTrailEvent", &TEXT),
] };
static EventCategory: Shape = Shape::Text(&["insight"]);
static EventsList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Event) });
static GetTrailStatusRequest: Structure = Structure { name: "GetTrailStatusRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
] };
static GetTrailStatusResponse: Structure = Structure { name: "GetTrailStatusResponse", members: &[
    optional("IsLogging", "IsLogging", "IsLogging", &BOOL),
    optional("LatestDeliveryError", "LatestDeliveryError", "LatestDeliveryError", &TEXT),
    optional("LatestNotificationError", "LatestNotificationError", "LatestNotificationError", &TEXT),
    optional("LatestDeliveryTime", "LatestDeliveryTime", "LatestDeliveryTime", &TIME),
    optional("LatestNotificationTime", "LatestNotificationTime", "LatestNotificationTime", &TIME),
    optional("StartLoggingTime", "StartLoggingTime", "StartLoggingTime", &TIME),
    optional("StopLoggingTime", "StopLoggingTime", "StopLoggingTime", &TIME),
    optional("LatestCloudWatchLogsDeliveryError", "LatestCloudWatchLogsDeliveryError", "LatestCloudWatchLogsDeliveryError", &TEXT),
    optional("LatestCloudWatchLogsDeliveryTime", "LatestCloudWatchLogsDeliveryTime", "LatestCloudWatchLogsDeliveryTime", &TIME),
    optional("LatestDigestDeliveryTime", "LatestDigestDeliveryTime", "LatestDigestDeliveryTime", &TIME),
    optional("LatestDigestDeliveryError", "LatestDigestDeliveryError", "LatestDigestDeliveryError", &TEXT),
    optional("LatestDeliveryAttemptTime", "LatestDeliveryAttemptTime", "LatestDeliveryAttemptTime", &TEXT),
    optional("LatestNotificationAttemptTime", "LatestNotificationAttemptTime", "LatestNotificationAttemptTime", &TEXT),
    optional("LatestNotificationAttemptSucceeded", "LatestNotificationAttemptSucceeded", "LatestNotificationAttemptSucceeded", &TEXT),
    optional("LatestDeliveryAttemptSucceeded", "LatestDeliveryAttemptSucceeded", "LatestDeliveryAttemptSucceeded", &TEXT),
    optional("TimeLoggingStarted", "TimeLoggingStarted", "TimeLoggingStarted", &TEXT),
    optional("TimeLoggingStopped", "TimeLoggingStopped", "TimeLoggingStopped", &TEXT),
] };
static LookupAttribute: Structure = Structure { name: "LookupAttribute", members: &[
    required("AttributeKey", "AttributeKey", "AttributeKey", &LookupAttributeKey),
    required("AttributeValue", "AttributeValue", "AttributeValue", &TEXT),
] };
static LookupAttributeKey: Shape = Shape::Text(&[
    "AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "ResourceName", "ResourceType",
    "Username",
]);
static LookupAttributesList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&LookupAttribute) });
static LookupEventsRequest: Structure = Structure { name: "LookupEventsRequest", members: &[
    optional("LookupAttributes", "LookupAttributes", "LookupAttributes", &LookupAttributesList),
    optional("StartTime", "StartTime", "StartTime", &TIME),
    optional("EndTime", "EndTime", "EndTime", &TIME),
    optional("EventCategory", "EventCategory", "EventCategory", &EventCategory),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static LookupEventsResponse: Structure = Structure { name: "LookupEventsResponse", members: &[
    optional("Events", "Events", "Events", &EventsList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static Resource: Structure = Structure { name: "Resource", members: &[
    optional("ResourceType", "ResourceType", "ResourceType", &TEXT),
    optional("ResourceName", "ResourceName", "ResourceName", &TEXT),
] };
static ResourceList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Resource) });
static Trail: Structure = Structure { name: "Trail", members: &[
    optional("Name", "Name", "Name", &TEXT),
    optional("S3BucketName", "S3BucketName", "S3BucketName", &TEXT),
    optional("S3KeyPrefix", "S3KeyPrefix", "S3KeyPrefix", &TEXT),
    optional("SnsTopicName", "SnsTopicName", "SnsTopicName", &TEXT),
    optional("SnsTopicARN", "SnsTopicARN", "SnsTopicARN", &TEXT),
    optional("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", &BOOL),
    optional("IsMultiRegionTrail", "IsMultiRegionTrail", "IsMultiRegionTrail", &BOOL),
    optional("HomeRegion", "HomeRegion", "HomeRegion", &TEXT),
    optional("TrailARN", "TrailARN", "TrailARN", &TEXT),
    optional("LogFileValidationEnabled", "LogFileValidationEnabled", "LogFileValidationEnabled", &BOOL),
    optional("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", &TEXT),
    optional("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", &TEXT),
    optional("KmsKeyId", "KmsKeyId", "KmsKeyId", &TEXT),
    optional("HasCustomEventSelectors", "HasCustomEventSelectors", "HasCustomEventSelectors", &BOOL),
    optional("HasInsightSelectors", "HasInsightSelectors", "HasInsightSelectors", &BOOL),
    optional("IsOrganizationTrail", "IsOrganizationTrail", "IsOrganizationTrail", &BOOL),
    optional("RecursiveLogging", "RecursiveLogging", "RecursiveLogging", &BOOL),
] };
static TrailList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Trail) });
static TrailNameList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
