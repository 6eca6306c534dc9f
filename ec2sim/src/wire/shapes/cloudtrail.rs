// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of AWS CloudTrail, API version 2013-11-01, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "cloudtrail", protocol: Protocol::Json { version: "1.1" },
    api_version: "2013-11-01", xml_namespace: None,
    target_prefix: Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"), operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("CreateTrail", Some(&CreateTrailRequest), Some(&CreateTrailResponse), None),
    operation("DeleteTrail", Some(&DeleteTrailRequest), Some(&DeleteTrailResponse), None),
    operation("DescribeTrails", Some(&DescribeTrailsRequest), Some(&DescribeTrailsResponse), None),
    operation("GetEventSelectors", Some(&GetEventSelectorsRequest), Some(&GetEventSelectorsResponse), None),
    operation("GetTrailStatus", Some(&GetTrailStatusRequest), Some(&GetTrailStatusResponse), None),
    operation("LookupEvents", Some(&LookupEventsRequest), Some(&LookupEventsResponse), None),
    operation("PutEventSelectors", Some(&PutEventSelectorsRequest), Some(&PutEventSelectorsResponse), None),
    operation("StartLogging", Some(&StartLoggingRequest), Some(&StartLoggingResponse), None),
    operation("StopLogging", Some(&StopLoggingRequest), Some(&StopLoggingResponse), None),
];

static ERRORS: &[ErrorShape] = &[
    error("CloudTrailARNInvalidException", "CloudTrailARNInvalidException", 400),
    error("CloudTrailAccessNotEnabledException", "CloudTrailAccessNotEnabledException", 400),
    error("CloudTrailInvalidClientTokenIdException", "CloudTrailInvalidClientTokenIdException", 400),
    error("CloudWatchLogsDeliveryUnavailableException", "CloudWatchLogsDeliveryUnavailableException", 400),
    error("ConflictException", "ConflictException", 400),
    error("InsufficientDependencyServiceAccessPermissionException", "InsufficientDependencyServiceAccessPermissionException", 400),
    error("InsufficientEncryptionPolicyException", "InsufficientEncryptionPolicyException", 400),
    error("InsufficientS3BucketPolicyException", "InsufficientS3BucketPolicyException", 400),
    error("InsufficientSnsTopicPolicyException", "InsufficientSnsTopicPolicyException", 400),
    error("InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsLogGroupArnException", 400),
    error("InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsRoleArnException", 400),
    error("InvalidEventCategoryException", "InvalidEventCategoryException", 400),
    error("InvalidEventSelectorsException", "InvalidEventSelectorsException", 400),
    error("InvalidHomeRegionException", "InvalidHomeRegionException", 400),
    error("InvalidKmsKeyIdException", "InvalidKmsKeyIdException", 400),
    error("InvalidLookupAttributesException", "InvalidLookupAttributesException", 400),
    error("InvalidMaxResultsException", "InvalidMaxResultsException", 400),
    error("InvalidNextTokenException", "InvalidNextTokenException", 400),
    error("InvalidParameterCombinationException", "InvalidParameterCombinationException", 400),
    error("InvalidParameterException", "InvalidParameterException", 400),
    error("InvalidS3BucketNameException", "InvalidS3BucketNameException", 400),
    error("InvalidS3PrefixException", "InvalidS3PrefixException", 400),
    error("InvalidSnsTopicNameException", "InvalidSnsTopicNameException", 400),
    error("InvalidTagParameterException", "InvalidTagParameterException", 400),
    error("InvalidTimeRangeException", "InvalidTimeRangeException", 400),
    error("InvalidTrailNameException", "InvalidTrailNameException", 400),
    error("KmsException", "KmsException", 400),
    error("KmsKeyDisabledException", "KmsKeyDisabledException", 400),
    error("KmsKeyNotFoundException", "KmsKeyNotFoundException", 400),
    error("MaximumNumberOfTrailsExceededException", "MaximumNumberOfTrailsExceededException", 400),
    error("NoManagementAccountSLRExistsException", "NoManagementAccountSLRExistsException", 400),
    error("NotOrganizationMasterAccountException", "NotOrganizationMasterAccountException", 400),
    error("OperationNotPermittedException", "OperationNotPermittedException", 400),
    error("OrganizationNotInAllFeaturesModeException", "OrganizationNotInAllFeaturesModeException", 400),
    error("OrganizationsNotInUseException", "OrganizationsNotInUseException", 400),
    error("S3BucketDoesNotExistException", "S3BucketDoesNotExistException", 400),
    error("TagsLimitExceededException", "TagsLimitExceededException", 400),
    error("ThrottlingException", "ThrottlingException", 400),
    error("TrailAlreadyExistsException", "TrailAlreadyExistsException", 400),
    error("TrailNotFoundException", "TrailNotFoundException", 400),
    error("TrailNotProvidedException", "TrailNotProvidedException", 400),
    error("UnsupportedOperationException", "UnsupportedOperationException", 400),
];

static AdvancedEventSelector: Structure = Structure { name: "AdvancedEventSelector", members: &[
    optional("Name", "Name", "Name", &TEXT),
    required("FieldSelectors", "FieldSelectors", "FieldSelectors", &AdvancedFieldSelectors),
] };
static AdvancedEventSelectors: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&AdvancedEventSelector) });
static AdvancedFieldSelector: Structure = Structure { name: "AdvancedFieldSelector", members: &[
    required("Field", "Field", "Field", &TEXT),
    optional("Equals", "Equals", "Equals", &Operator),
    optional("StartsWith", "StartsWith", "StartsWith", &Operator),
    optional("EndsWith", "EndsWith", "EndsWith", &Operator),
    optional("NotEquals", "NotEquals", "NotEquals", &Operator),
    optional("NotStartsWith", "NotStartsWith", "NotStartsWith", &Operator),
    optional("NotEndsWith", "NotEndsWith", "NotEndsWith", &Operator),
] };
static AdvancedFieldSelectors: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&AdvancedFieldSelector) });
static CreateTrailRequest: Structure = Structure { name: "CreateTrailRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    required("S3BucketName", "S3BucketName", "S3BucketName", &TEXT),
    optional("S3KeyPrefix", "S3KeyPrefix", "S3KeyPrefix", &TEXT),
    optional("SnsTopicName", "SnsTopicName", "SnsTopicName", &TEXT),
    optional("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", &BOOL),
    optional("IsMultiRegionTrail", "IsMultiRegionTrail", "IsMultiRegionTrail", &BOOL),
    optional("EnableLogFileValidation", "EnableLogFileValidation", "EnableLogFileValidation", &BOOL),
    optional("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", &TEXT),
    optional("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", &TEXT),
    optional("KmsKeyId", "KmsKeyId", "KmsKeyId", &TEXT),
    optional("IsOrganizationTrail", "IsOrganizationTrail", "IsOrganizationTrail", &BOOL),
    optional("TagsList", "TagsList", "TagsList", &TagsList),
    optional("RecursiveLogging", "RecursiveLogging", "RecursiveLogging", &BOOL),
] };
static CreateTrailResponse: Structure = Structure { name: "CreateTrailResponse", members: &[
    optional("Name", "Name", "Name", &TEXT),
    optional("S3BucketName", "S3BucketName", "S3BucketName", &TEXT),
    optional("S3KeyPrefix", "S3KeyPrefix", "S3KeyPrefix", &TEXT),
    optional("SnsTopicName", "SnsTopicName", "SnsTopicName", &TEXT),
    optional("SnsTopicARN", "SnsTopicARN", "SnsTopicARN", &TEXT),
    optional("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", &BOOL),
    optional("IsMultiRegionTrail", "IsMultiRegionTrail", "IsMultiRegionTrail", &BOOL),
    optional("TrailARN", "TrailARN", "TrailARN", &TEXT),
    optional("LogFileValidationEnabled", "LogFileValidationEnabled", "LogFileValidationEnabled", &BOOL),
    optional("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", &TEXT),
    optional("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", &TEXT),
    optional("KmsKeyId", "KmsKeyId", "KmsKeyId", &TEXT),
    optional("IsOrganizationTrail", "IsOrganizationTrail", "IsOrganizationTrail", &BOOL),
    optional("RecursiveLogging", "RecursiveLogging", "RecursiveLogging", &BOOL),
] };
static DataResource: Structure = Structure { name: "DataResource", members: &[
    optional("Type", "Type", "Type", &TEXT),
    optional("Values", "Values", "Values", &DataResourceValues),
] };
static DataResourceValues: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static DataResources: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&DataResource) });
static DeleteTrailRequest: Structure = Structure { name: "DeleteTrailRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
] };
static DeleteTrailResponse: Structure = Structure { name: "DeleteTrailResponse", members: &[] };
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
static EventSelector: Structure = Structure { name: "EventSelector", members: &[
    optional("ReadWriteType", "ReadWriteType", "ReadWriteType", &ReadWriteType),
    optional("IncludeManagementEvents", "IncludeManagementEvents", "IncludeManagementEvents", &BOOL),
    optional("DataResources", "DataResources", "DataResources", &DataResources),
    optional("ExcludeManagementEventSources", "ExcludeManagementEventSources", "ExcludeManagementEventSources", &ExcludeManagementEventSources),
] };
static EventSelectors: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&EventSelector) });
static EventsList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Event) });
static ExcludeManagementEventSources: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static GetEventSelectorsRequest: Structure = Structure { name: "GetEventSelectorsRequest", members: &[
    required("TrailName", "TrailName", "TrailName", &TEXT),
] };
static GetEventSelectorsResponse: Structure = Structure { name: "GetEventSelectorsResponse", members: &[
    optional("TrailARN", "TrailARN", "TrailARN", &TEXT),
    optional("EventSelectors", "EventSelectors", "EventSelectors", &EventSelectors),
    optional("AdvancedEventSelectors", "AdvancedEventSelectors", "AdvancedEventSelectors", &AdvancedEventSelectors),
] };
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
static Operator: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static PutEventSelectorsRequest: Structure = Structure { name: "PutEventSelectorsRequest", members: &[
    required("TrailName", "TrailName", "TrailName", &TEXT),
    optional("EventSelectors", "EventSelectors", "EventSelectors", &EventSelectors),
    optional("AdvancedEventSelectors", "AdvancedEventSelectors", "AdvancedEventSelectors", &AdvancedEventSelectors),
] };
static PutEventSelectorsResponse: Structure = Structure { name: "PutEventSelectorsResponse", members: &[
    optional("TrailARN", "TrailARN", "TrailARN", &TEXT),
    optional("EventSelectors", "EventSelectors", "EventSelectors", &EventSelectors),
    optional("AdvancedEventSelectors", "AdvancedEventSelectors", "AdvancedEventSelectors", &AdvancedEventSelectors),
] };
static ReadWriteType: Shape = Shape::Text(&["All", "ReadOnly", "WriteOnly"]);
static Resource: Structure = Structure { name: "Resource", members: &[
    optional("ResourceType", "ResourceType", "ResourceType", &TEXT),
    optional("ResourceName", "ResourceName", "ResourceName", &TEXT),
] };
static ResourceList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Resource) });
static StartLoggingRequest: Structure = Structure { name: "StartLoggingRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
] };
static StartLoggingResponse: Structure = Structure { name: "StartLoggingResponse", members: &[] };
static StopLoggingRequest: Structure = Structure { name: "StopLoggingRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
] };
static StopLoggingResponse: Structure = Structure { name: "StopLoggingResponse", members: &[] };
static Tag: Structure = Structure { name: "Tag", members: &[
    required("Key", "Key", "Key", &TEXT),
    optional("Value", "Value", "Value", &TEXT),
] };
static TagsList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Tag) });
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
