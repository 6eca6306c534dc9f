// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of Service Quotas, API version 2019-06-24, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "servicequotas", protocol: Protocol::Json { version: "1.1" },
    api_version: "2019-06-24", xml_namespace: None,
    target_prefix: Some("ServiceQuotasV20190624"), operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("GetAWSDefaultServiceQuota", Some(&GetAWSDefaultServiceQuotaRequest), Some(&GetAWSDefaultServiceQuotaResponse), None),
    operation("GetServiceQuota", Some(&GetServiceQuotaRequest), Some(&GetServiceQuotaResponse), None),
    operation("ListAWSDefaultServiceQuotas", Some(&ListAWSDefaultServiceQuotasRequest), Some(&ListAWSDefaultServiceQuotasResponse), None),
    operation("ListServiceQuotas", Some(&ListServiceQuotasRequest), Some(&ListServiceQuotasResponse), None),
];

static ERRORS: &[ErrorShape] = &[
    error("AccessDeniedException", "AccessDeniedException", 400),
    error("IllegalArgumentException", "IllegalArgumentException", 400),
    error("InvalidPaginationTokenException", "InvalidPaginationTokenException", 400),
    error("NoSuchResourceException", "NoSuchResourceException", 400),
    error("ServiceException", "ServiceException", 400),
    error("TooManyRequestsException", "TooManyRequestsException", 400),
];

static AdjustableAtLevelEnum: Shape = Shape::Text(&["ACCOUNT", "ALL", "PER_RESOURCE"]);
static AppliedLevelEnum: Shape = Shape::Text(&["ACCOUNT", "ALL", "RESOURCE"]);
static ErrorCode: Shape = Shape::Text(&[
    "DEPENDENCY_ACCESS_DENIED_ERROR", "DEPENDENCY_SERVICE_ERROR", "DEPENDENCY_THROTTLING_ERROR",
    "SERVICE_QUOTA_NOT_AVAILABLE_ERROR",
]);
static ErrorReason: Structure = Structure { name: "ErrorReason", members: &[
    optional("ErrorCode", "ErrorCode", "ErrorCode", &ErrorCode),
    optional("ErrorMessage", "ErrorMessage", "ErrorMessage", &TEXT),
] };
static GetAWSDefaultServiceQuotaRequest: Structure = Structure { name: "GetAWSDefaultServiceQuotaRequest", members: &[
    required("ServiceCode", "ServiceCode", "ServiceCode", &TEXT),
    required("QuotaCode", "QuotaCode", "QuotaCode", &TEXT),
] };
static GetAWSDefaultServiceQuotaResponse: Structure = Structure { name: "GetAWSDefaultServiceQuotaResponse", members: &[
    optional("Quota", "Quota", "Quota", &Shape::Struct(&ServiceQuota)),
] };
static GetServiceQuotaRequest: Structure = Structure { name: "GetServiceQuotaRequest", members: &[
    required("ServiceCode", "ServiceCode", "ServiceCode", &TEXT),
    required("QuotaCode", "QuotaCode", "QuotaCode", &TEXT),
    optional("ContextId", "ContextId", "ContextId", &TEXT),
] };
static GetServiceQuotaResponse: Structure = Structure { name: "GetServiceQuotaResponse", members: &[
    optional("Quota", "Quota", "Quota", &Shape::Struct(&ServiceQuota)),
] };
static ListAWSDefaultServiceQuotasRequest: Structure = Structure { name: "ListAWSDefaultServiceQuotasRequest", members: &[
    required("ServiceCode", "ServiceCode", "ServiceCode", &TEXT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
] };
static ListAWSDefaultServiceQuotasResponse: Structure = Structure { name: "ListAWSDefaultServiceQuotasResponse", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("Quotas", "Quotas", "Quotas", &ServiceQuotaListDefinition),
] };
static ListServiceQuotasRequest: Structure = Structure { name: "ListServiceQuotasRequest", members: &[
    required("ServiceCode", "ServiceCode", "ServiceCode", &TEXT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
    optional("QuotaCode", "QuotaCode", "QuotaCode", &TEXT),
    optional("QuotaAppliedAtLevel", "QuotaAppliedAtLevel", "QuotaAppliedAtLevel", &AppliedLevelEnum),
] };
static ListServiceQuotasResponse: Structure = Structure { name: "ListServiceQuotasResponse", members: &[
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("Quotas", "Quotas", "Quotas", &ServiceQuotaListDefinition),
] };
static MetricDimensionsMapDefinition: Shape = Shape::Map(&Map { key: &TEXT, value: &TEXT });
static MetricInfo: Structure = Structure { name: "MetricInfo", members: &[
    optional("MetricNamespace", "MetricNamespace", "MetricNamespace", &TEXT),
    optional("MetricName", "MetricName", "MetricName", &TEXT),
    optional("MetricDimensions", "MetricDimensions", "MetricDimensions", &MetricDimensionsMapDefinition),
    optional("MetricStatisticRecommendation", "MetricStatisticRecommendation", "MetricStatisticRecommendation", &TEXT),
] };
static PeriodUnit: Shape = Shape::Text(&["DAY", "HOUR", "MICROSECOND", "MILLISECOND", "MINUTE", "SECOND", "WEEK"]);
static QuotaContextInfo: Structure = Structure { name: "QuotaContextInfo", members: &[
    optional("ContextScope", "ContextScope", "ContextScope", &QuotaContextScope),
    optional("ContextScopeType", "ContextScopeType", "ContextScopeType", &TEXT),
    optional("ContextId", "ContextId", "ContextId", &TEXT),
    optional("AdjustableAtLevel", "AdjustableAtLevel", "AdjustableAtLevel", &AdjustableAtLevelEnum),
] };
static QuotaContextScope: Shape = Shape::Text(&["ACCOUNT", "RESOURCE"]);
static QuotaPeriod: Structure = Structure { name: "QuotaPeriod", members: &[
    optional("PeriodValue", "PeriodValue", "PeriodValue", &INT),
    optional("PeriodUnit", "PeriodUnit", "PeriodUnit", &PeriodUnit),
] };
static ServiceQuota: Structure = Structure { name: "ServiceQuota", members: &[
    optional("ServiceCode", "ServiceCode", "ServiceCode", &TEXT),
    optional("ServiceName", "ServiceName", "ServiceName", &TEXT),
    optional("QuotaArn", "QuotaArn", "QuotaArn", &TEXT),
    optional("QuotaCode", "QuotaCode", "QuotaCode", &TEXT),
    optional("QuotaName", "QuotaName", "QuotaName", &TEXT),
    optional("Value", "Value", "Value", &FLOAT),
    optional("Unit", "Unit", "Unit", &TEXT),
    optional("Adjustable", "Adjustable", "Adjustable", &BOOL),
    optional("GlobalQuota", "GlobalQuota", "GlobalQuota", &BOOL),
    optional("UsageMetric", "UsageMetric", "UsageMetric", &Shape::Struct(&MetricInfo)),
    optional("Period", "Period", "Period", &Shape::Struct(&QuotaPeriod)),
    optional("ErrorReason", "ErrorReason", "ErrorReason", &Shape::Struct(&ErrorReason)),
    optional("QuotaAppliedAtLevel", "QuotaAppliedAtLevel", "QuotaAppliedAtLevel", &AppliedLevelEnum),
    optional("QuotaContext", "QuotaContext", "QuotaContext", &Shape::Struct(&QuotaContextInfo)),
    optional("Description", "Description", "Description", &TEXT),
] };
static ServiceQuotaListDefinition: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&ServiceQuota) });
