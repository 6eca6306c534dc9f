// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of Amazon EventBridge, API version 2015-10-07, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "events", protocol: Protocol::Json { version: "1.1" },
    api_version: "2015-10-07", xml_namespace: None,
    target_prefix: Some("AWSEvents"), operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("DeleteRule", Some(&DeleteRuleRequest), None, None),
    operation("DescribeRule", Some(&DescribeRuleRequest), Some(&DescribeRuleResponse), None),
    operation("DisableRule", Some(&DisableRuleRequest), None, None),
    operation("EnableRule", Some(&EnableRuleRequest), None, None),
    operation("ListRules", Some(&ListRulesRequest), Some(&ListRulesResponse), None),
    operation("ListTargetsByRule", Some(&ListTargetsByRuleRequest), Some(&ListTargetsByRuleResponse), None),
    operation("PutRule", Some(&PutRuleRequest), Some(&PutRuleResponse), None),
    operation("PutTargets", Some(&PutTargetsRequest), Some(&PutTargetsResponse), None),
    operation("RemoveTargets", Some(&RemoveTargetsRequest), Some(&RemoveTargetsResponse), None),
];

static ERRORS: &[ErrorShape] = &[
    error("ConcurrentModificationException", "ConcurrentModificationException", 400),
    error("InternalException", "InternalException", 400),
    error("InvalidEventPatternException", "InvalidEventPatternException", 400),
    error("LimitExceededException", "LimitExceededException", 400),
    error("ManagedRuleException", "ManagedRuleException", 400),
    error("ResourceNotFoundException", "ResourceNotFoundException", 400),
];

static AppSyncParameters: Structure = Structure { name: "AppSyncParameters", members: &[
    optional("GraphQLOperation", "GraphQLOperation", "GraphQLOperation", &TEXT),
] };
static AssignPublicIp: Shape = Shape::Text(&["DISABLED", "ENABLED"]);
static AwsVpcConfiguration: Structure = Structure { name: "AwsVpcConfiguration", members: &[
    required("Subnets", "Subnets", "Subnets", &StringList),
    optional("SecurityGroups", "SecurityGroups", "SecurityGroups", &StringList),
    optional("AssignPublicIp", "AssignPublicIp", "AssignPublicIp", &AssignPublicIp),
] };
static BatchArrayProperties: Structure = Structure { name: "BatchArrayProperties", members: &[
    optional("Size", "Size", "Size", &INT),
] };
static BatchParameters: Structure = Structure { name: "BatchParameters", members: &[
    required("JobDefinition", "JobDefinition", "JobDefinition", &TEXT),
    required("JobName", "JobName", "JobName", &TEXT),
    optional("ArrayProperties", "ArrayProperties", "ArrayProperties", &Shape::Struct(&BatchArrayProperties)),
    optional("RetryStrategy", "RetryStrategy", "RetryStrategy", &Shape::Struct(&BatchRetryStrategy)),
] };
static BatchRetryStrategy: Structure = Structure { name: "BatchRetryStrategy", members: &[
    optional("Attempts", "Attempts", "Attempts", &INT),
] };
static CapacityProviderStrategy: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&CapacityProviderStrategyItem) });
static CapacityProviderStrategyItem: Structure = Structure { name: "CapacityProviderStrategyItem", members: &[
    required("capacityProvider", "capacityProvider", "capacityProvider", &TEXT),
    optional("weight", "weight", "weight", &INT),
    optional("base", "base", "base", &INT),
] };
static DeadLetterConfig: Structure = Structure { name: "DeadLetterConfig", members: &[
    optional("Arn", "Arn", "Arn", &TEXT),
] };
static DeleteRuleRequest: Structure = Structure { name: "DeleteRuleRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    optional("Force", "Force", "Force", &BOOL),
] };
static DescribeRuleRequest: Structure = Structure { name: "DescribeRuleRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
] };
static DescribeRuleResponse: Structure = Structure { name: "DescribeRuleResponse", members: &[
    optional("Name", "Name", "Name", &TEXT),
    optional("Arn", "Arn", "Arn", &TEXT),
    optional("EventPattern", "EventPattern", "EventPattern", &TEXT),
    optional("ScheduleExpression", "ScheduleExpression", "ScheduleExpression", &TEXT),
    optional("State", "State", "State", &RuleState),
    optional("Description", "Description", "Description", &TEXT),
    optional("RoleArn", "RoleArn", "RoleArn", &TEXT),
    optional("ManagedBy", "ManagedBy", "ManagedBy", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    optional("CreatedBy", "CreatedBy", "CreatedBy", &TEXT),
] };
static DisableRuleRequest: Structure = Structure { name: "DisableRuleRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
] };
static EcsParameters: Structure = Structure { name: "EcsParameters", members: &[
    required("TaskDefinitionArn", "TaskDefinitionArn", "TaskDefinitionArn", &TEXT),
    optional("TaskCount", "TaskCount", "TaskCount", &INT),
    optional("LaunchType", "LaunchType", "LaunchType", &LaunchType),
    optional("NetworkConfiguration", "NetworkConfiguration", "NetworkConfiguration", &Shape::Struct(&NetworkConfiguration)),
    optional("PlatformVersion", "PlatformVersion", "PlatformVersion", &TEXT),
    optional("Group", "Group", "Group", &TEXT),
    optional("CapacityProviderStrategy", "CapacityProviderStrategy", "CapacityProviderStrategy", &CapacityProviderStrategy),
    optional("EnableECSManagedTags", "EnableECSManagedTags", "EnableECSManagedTags", &BOOL),
    optional("EnableExecuteCommand", "EnableExecuteCommand", "EnableExecuteCommand", &BOOL),
    optional("PlacementConstraints", "PlacementConstraints", "PlacementConstraints", &PlacementConstraints),
    optional("PlacementStrategy", "PlacementStrategy", "PlacementStrategy", &PlacementStrategies),
    optional("PropagateTags", "PropagateTags", "PropagateTags", &PropagateTags),
    optional("ReferenceId", "ReferenceId", "ReferenceId", &TEXT),
    optional("Tags", "Tags", "Tags", &TagList),
] };
static EnableRuleRequest: Structure = Structure { name: "EnableRuleRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
] };
static HeaderParametersMap: Shape = Shape::Map(&Map { key: &TEXT, value: &TEXT });
static HttpParameters: Structure = Structure { name: "HttpParameters", members: &[
    optional("PathParameterValues", "PathParameterValues", "PathParameterValues", &PathParameterList),
    optional("HeaderParameters", "HeaderParameters", "HeaderParameters", &HeaderParametersMap),
    optional("QueryStringParameters", "QueryStringParameters", "QueryStringParameters", &QueryStringParametersMap),
] };
static InputTransformer: Structure = Structure { name: "InputTransformer", members: &[
    optional("InputPathsMap", "InputPathsMap", "InputPathsMap", &TransformerPaths),
    required("InputTemplate", "InputTemplate", "InputTemplate", &TEXT),
] };
static KinesisParameters: Structure = Structure { name: "KinesisParameters", members: &[
    required("PartitionKeyPath", "PartitionKeyPath", "PartitionKeyPath", &TEXT),
] };
static LaunchType: Shape = Shape::Text(&["EC2", "EXTERNAL", "FARGATE"]);
static ListRulesRequest: Structure = Structure { name: "ListRulesRequest", members: &[
    optional("NamePrefix", "NamePrefix", "NamePrefix", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("Limit", "Limit", "Limit", &INT),
] };
static ListRulesResponse: Structure = Structure { name: "ListRulesResponse", members: &[
    optional("Rules", "Rules", "Rules", &RuleResponseList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static ListTargetsByRuleRequest: Structure = Structure { name: "ListTargetsByRuleRequest", members: &[
    required("Rule", "Rule", "Rule", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("Limit", "Limit", "Limit", &INT),
] };
static ListTargetsByRuleResponse: Structure = Structure { name: "ListTargetsByRuleResponse", members: &[
    optional("Targets", "Targets", "Targets", &TargetList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static NetworkConfiguration: Structure = Structure { name: "NetworkConfiguration", members: &[
    optional("awsvpcConfiguration", "awsvpcConfiguration", "awsvpcConfiguration", &Shape::Struct(&AwsVpcConfiguration)),
] };
static PathParameterList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static PlacementConstraint: Structure = Structure { name: "PlacementConstraint", members: &[
    optional("type", "type", "type", &PlacementConstraintType),
    optional("expression", "expression", "expression", &TEXT),
] };
static PlacementConstraintType: Shape = Shape::Text(&["distinctInstance", "memberOf"]);
static PlacementConstraints: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&PlacementConstraint) });
static PlacementStrategies: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&PlacementStrategy) });
static PlacementStrategy: Structure = Structure { name: "PlacementStrategy", members: &[
    optional("type", "type", "type", &PlacementStrategyType),
    optional("field", "field", "field", &TEXT),
] };
static PlacementStrategyType: Shape = Shape::Text(&["binpack", "random", "spread"]);
static PropagateTags: Shape = Shape::Text(&["TASK_DEFINITION"]);
static PutRuleRequest: Structure = Structure { name: "PutRuleRequest", members: &[
    required("Name", "Name", "Name", &TEXT),
    optional("ScheduleExpression", "ScheduleExpression", "ScheduleExpression", &TEXT),
    optional("EventPattern", "EventPattern", "EventPattern", &TEXT),
    optional("State", "State", "State", &RuleState),
    optional("Description", "Description", "Description", &TEXT),
    optional("RoleArn", "RoleArn", "RoleArn", &TEXT),
    optional("Tags", "Tags", "Tags", &TagList),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
] };
static PutRuleResponse: Structure = Structure { name: "PutRuleResponse", members: &[
    optional("RuleArn", "RuleArn", "RuleArn", &TEXT),
] };
static PutTargetsRequest: Structure = Structure { name: "PutTargetsRequest", members: &[
    required("Rule", "Rule", "Rule", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    required("Targets", "Targets", "Targets", &TargetList),
] };
static PutTargetsResponse: Structure = Structure { name: "PutTargetsResponse", members: &[
    optional("FailedEntryCount", "FailedEntryCount", "FailedEntryCount", &INT),
    optional("FailedEntries", "FailedEntries", "FailedEntries", &PutTargetsResultEntryList),
] };
static PutTargetsResultEntry: Structure = Structure { name: "PutTargetsResultEntry", members: &[
    optional("TargetId", "TargetId", "TargetId", &TEXT),
    optional("ErrorCode", "ErrorCode", "ErrorCode", &TEXT),
    optional("ErrorMessage", "ErrorMessage", "ErrorMessage", &TEXT),
] };
static PutTargetsResultEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&PutTargetsResultEntry) });
static QueryStringParametersMap: Shape = Shape::Map(&Map { key: &TEXT, value: &TEXT });
static RedshiftDataParameters: Structure = Structure { name: "RedshiftDataParameters", members: &[
    optional("SecretManagerArn", "SecretManagerArn", "SecretManagerArn", &TEXT),
    required("Database", "Database", "Database", &TEXT),
    optional("DbUser", "DbUser", "DbUser", &TEXT),
    optional("Sql", "Sql", "Sql", &TEXT),
    optional("StatementName", "StatementName", "StatementName", &TEXT),
    optional("WithEvent", "WithEvent", "WithEvent", &BOOL),
    optional("Sqls", "Sqls", "Sqls", &Sqls),
] };
static RemoveTargetsRequest: Structure = Structure { name: "RemoveTargetsRequest", members: &[
    required("Rule", "Rule", "Rule", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
    required("Ids", "Ids", "Ids", &TargetIdList),
    optional("Force", "Force", "Force", &BOOL),
] };
static RemoveTargetsResponse: Structure = Structure { name: "RemoveTargetsResponse", members: &[
    optional("FailedEntryCount", "FailedEntryCount", "FailedEntryCount", &INT),
    optional("FailedEntries", "FailedEntries", "FailedEntries", &RemoveTargetsResultEntryList),
] };
static RemoveTargetsResultEntry: Structure = Structure { name: "RemoveTargetsResultEntry", members: &[
    optional("TargetId", "TargetId", "TargetId", &TEXT),
    optional("ErrorCode", "ErrorCode", "ErrorCode", &TEXT),
    optional("ErrorMessage", "ErrorMessage", "ErrorMessage", &TEXT),
] };
static RemoveTargetsResultEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&RemoveTargetsResultEntry) });
static RetryPolicy: Structure = Structure { name: "RetryPolicy", members: &[
    optional("MaximumRetryAttempts", "MaximumRetryAttempts", "MaximumRetryAttempts", &INT),
    optional("MaximumEventAgeInSeconds", "MaximumEventAgeInSeconds", "MaximumEventAgeInSeconds", &INT),
] };
static Rule: Structure = Structure { name: "Rule", members: &[
    optional("Name", "Name", "Name", &TEXT),
    optional("Arn", "Arn", "Arn", &TEXT),
    optional("EventPattern", "EventPattern", "EventPattern", &TEXT),
    optional("State", "State", "State", &RuleState),
    optional("Description", "Description", "Description", &TEXT),
    optional("ScheduleExpression", "ScheduleExpression", "ScheduleExpression", &TEXT),
    optional("RoleArn", "RoleArn", "RoleArn", &TEXT),
    optional("ManagedBy", "ManagedBy", "ManagedBy", &TEXT),
    optional("EventBusName", "EventBusName", "EventBusName", &TEXT),
] };
static RuleResponseList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Rule) });
static RuleState: Shape = Shape::Text(&["DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"]);
static RunCommandParameters: Structure = Structure { name: "RunCommandParameters", members: &[
    required("RunCommandTargets", "RunCommandTargets", "RunCommandTargets", &RunCommandTargets),
] };
static RunCommandTarget: Structure = Structure { name: "RunCommandTarget", members: &[
    required("Key", "Key", "Key", &TEXT),
    required("Values", "Values", "Values", &RunCommandTargetValues),
] };
static RunCommandTargetValues: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static RunCommandTargets: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&RunCommandTarget) });
static SageMakerPipelineParameter: Structure = Structure { name: "SageMakerPipelineParameter", members: &[
    required("Name", "Name", "Name", &TEXT),
    required("Value", "Value", "Value", &TEXT),
] };
static SageMakerPipelineParameterList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&SageMakerPipelineParameter) });
static SageMakerPipelineParameters: Structure = Structure { name: "SageMakerPipelineParameters", members: &[
    optional("PipelineParameterList", "PipelineParameterList", "PipelineParameterList", &SageMakerPipelineParameterList),
] };
static Sqls: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static SqsParameters: Structure = Structure { name: "SqsParameters", members: &[
    optional("MessageGroupId", "MessageGroupId", "MessageGroupId", &TEXT),
] };
static StringList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static Tag: Structure = Structure { name: "Tag", members: &[
    required("Key", "Key", "Key", &TEXT),
    required("Value", "Value", "Value", &TEXT),
] };
static TagList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Tag) });
static Target: Structure = Structure { name: "Target", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("Arn", "Arn", "Arn", &TEXT),
    optional("RoleArn", "RoleArn", "RoleArn", &TEXT),
    optional("Input", "Input", "Input", &TEXT),
    optional("InputPath", "InputPath", "InputPath", &TEXT),
    optional("InputTransformer", "InputTransformer", "InputTransformer", &Shape::Struct(&InputTransformer)),
    optional("KinesisParameters", "KinesisParameters", "KinesisParameters", &Shape::Struct(&KinesisParameters)),
    optional("RunCommandParameters", "RunCommandParameters", "RunCommandParameters", &Shape::Struct(&RunCommandParameters)),
    optional("EcsParameters", "EcsParameters", "EcsParameters", &Shape::Struct(&EcsParameters)),
    optional("BatchParameters", "BatchParameters", "BatchParameters", &Shape::Struct(&BatchParameters)),
    optional("SqsParameters", "SqsParameters", "SqsParameters", &Shape::Struct(&SqsParameters)),
    optional("HttpParameters", "HttpParameters", "HttpParameters", &Shape::Struct(&HttpParameters)),
    optional("RedshiftDataParameters", "RedshiftDataParameters", "RedshiftDataParameters", &Shape::Struct(&RedshiftDataParameters)),
    optional("SageMakerPipelineParameters", "SageMakerPipelineParameters", "SageMakerPipelineParameters", &Shape::Struct(&SageMakerPipelineParameters)),
    optional("DeadLetterConfig", "DeadLetterConfig", "DeadLetterConfig", &Shape::Struct(&DeadLetterConfig)),
    optional("RetryPolicy", "RetryPolicy", "RetryPolicy", &Shape::Struct(&RetryPolicy)),
    optional("AppSyncParameters", "AppSyncParameters", "AppSyncParameters", &Shape::Struct(&AppSyncParameters)),
] };
static TargetIdList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static TargetList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Target) });
static TransformerPaths: Shape = Shape::Map(&Map { key: &TEXT, value: &TEXT });
