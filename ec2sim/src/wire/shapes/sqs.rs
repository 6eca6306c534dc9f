// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of Amazon Simple Queue Service, API version 2012-11-05, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "sqs", protocol: Protocol::Json { version: "1.0" },
    api_version: "2012-11-05", xml_namespace: None,
    target_prefix: Some("AmazonSQS"), operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("ChangeMessageVisibility", Some(&ChangeMessageVisibilityRequest), None, None),
    operation("ChangeMessageVisibilityBatch", Some(&ChangeMessageVisibilityBatchRequest), Some(&ChangeMessageVisibilityBatchResult), None),
    operation("CreateQueue", Some(&CreateQueueRequest), Some(&CreateQueueResult), None),
    operation("DeleteMessage", Some(&DeleteMessageRequest), None, None),
    operation("DeleteMessageBatch", Some(&DeleteMessageBatchRequest), Some(&DeleteMessageBatchResult), None),
    operation("DeleteQueue", Some(&DeleteQueueRequest), None, None),
    operation("GetQueueAttributes", Some(&GetQueueAttributesRequest), Some(&GetQueueAttributesResult), None),
    operation("GetQueueUrl", Some(&GetQueueUrlRequest), Some(&GetQueueUrlResult), None),
    operation("ListQueueTags", Some(&ListQueueTagsRequest), Some(&ListQueueTagsResult), None),
    operation("ListQueues", Some(&ListQueuesRequest), Some(&ListQueuesResult), None),
    operation("PurgeQueue", Some(&PurgeQueueRequest), None, None),
    operation("ReceiveMessage", Some(&ReceiveMessageRequest), Some(&ReceiveMessageResult), None),
    operation("SendMessage", Some(&SendMessageRequest), Some(&SendMessageResult), None),
    operation("SendMessageBatch", Some(&SendMessageBatchRequest), Some(&SendMessageBatchResult), None),
    operation("SetQueueAttributes", Some(&SetQueueAttributesRequest), None, None),
    operation("TagQueue", Some(&TagQueueRequest), None, None),
    operation("UntagQueue", Some(&UntagQueueRequest), None, None),
];

static ERRORS: &[ErrorShape] = &[
    error("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    error("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400),
    error("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400),
    error("InvalidAddress", "InvalidAddress", 400),
    error("InvalidAttributeName", "InvalidAttributeName", 400),
    error("InvalidAttributeValue", "InvalidAttributeValue", 400),
    error("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    error("InvalidIdFormat", "InvalidIdFormat", 400),
    error("InvalidMessageContents", "InvalidMessageContents", 400),
    error("InvalidSecurity", "InvalidSecurity", 400),
    error("KmsAccessDenied", "KmsAccessDenied", 400),
    error("KmsDisabled", "KmsDisabled", 400),
    error("KmsInvalidKeyUsage", "KmsInvalidKeyUsage", 400),
    error("KmsInvalidState", "KmsInvalidState", 400),
    error("KmsNotFound", "KmsNotFound", 400),
    error("KmsOptInRequired", "KmsOptInRequired", 400),
    error("KmsThrottled", "KmsThrottled", 400),
    error("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400),
    error("OverLimit", "OverLimit", 400),
    error("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 400),
    error("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400),
    error("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
    error("QueueNameExists", "QueueAlreadyExists", 400),
    error("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400),
    error("RequestThrottled", "RequestThrottled", 400),
    error("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
    error("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400),
];

static AttributeNameList: Shape = Shape::List(&List { item_name: None, item: &QueueAttributeName });
static BatchResultErrorEntry: Structure = Structure { name: "BatchResultErrorEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("SenderFault", "SenderFault", "SenderFault", &BOOL),
    required("Code", "Code", "Code", &TEXT),
    optional("Message", "Message", "Message", &TEXT),
] };
static BatchResultErrorEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&BatchResultErrorEntry) });
static BinaryList: Shape = Shape::List(&List { item_name: None, item: &BLOB });
static ChangeMessageVisibilityBatchRequest: Structure = Structure { name: "ChangeMessageVisibilityBatchRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("Entries", "Entries", "Entries", &ChangeMessageVisibilityBatchRequestEntryList),
] };
static ChangeMessageVisibilityBatchRequestEntry: Structure = Structure { name: "ChangeMessageVisibilityBatchRequestEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("ReceiptHandle", "ReceiptHandle", "ReceiptHandle", &TEXT),
    optional("VisibilityTimeout", "VisibilityTimeout", "VisibilityTimeout", &INT),
] };
static ChangeMessageVisibilityBatchRequestEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&ChangeMessageVisibilityBatchRequestEntry) });
static ChangeMessageVisibilityBatchResult: Structure = Structure { name: "ChangeMessageVisibilityBatchResult", members: &[
    required("Successful", "Successful", "Successful", &ChangeMessageVisibilityBatchResultEntryList),
    required("Failed", "Failed", "Failed", &BatchResultErrorEntryList),
] };
static ChangeMessageVisibilityBatchResultEntry: Structure = Structure { name: "ChangeMessageVisibilityBatchResultEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
] };
static ChangeMessageVisibilityBatchResultEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&ChangeMessageVisibilityBatchResultEntry) });
static ChangeMessageVisibilityRequest: Structure = Structure { name: "ChangeMessageVisibilityRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("ReceiptHandle", "ReceiptHandle", "ReceiptHandle", &TEXT),
    required("VisibilityTimeout", "VisibilityTimeout", "VisibilityTimeout", &INT),
] };
static CreateQueueRequest: Structure = Structure { name: "CreateQueueRequest", members: &[
    required("QueueName", "QueueName", "QueueName", &TEXT),
    optional("Attributes", "Attributes", "Attributes", &QueueAttributeMap),
    optional("tags", "tags", "tags", &TagMap),
] };
static CreateQueueResult: Structure = Structure { name: "CreateQueueResult", members: &[
    optional("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
] };
static DeleteMessageBatchRequest: Structure = Structure { name: "DeleteMessageBatchRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("Entries", "Entries", "Entries", &DeleteMessageBatchRequestEntryList),
] };
static DeleteMessageBatchRequestEntry: Structure = Structure { name: "DeleteMessageBatchRequestEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("ReceiptHandle", "ReceiptHandle", "ReceiptHandle", &TEXT),
] };
static DeleteMessageBatchRequestEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&DeleteMessageBatchRequestEntry) });
static DeleteMessageBatchResult: Structure = Structure { name: "DeleteMessageBatchResult", members: &[
    required("Successful", "Successful", "Successful", &DeleteMessageBatchResultEntryList),
    required("Failed", "Failed", "Failed", &BatchResultErrorEntryList),
] };
static DeleteMessageBatchResultEntry: Structure = Structure { name: "DeleteMessageBatchResultEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
] };
static DeleteMessageBatchResultEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&DeleteMessageBatchResultEntry) });
static DeleteMessageRequest: Structure = Structure { name: "DeleteMessageRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("ReceiptHandle", "ReceiptHandle", "ReceiptHandle", &TEXT),
] };
static DeleteQueueRequest: Structure = Structure { name: "DeleteQueueRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
] };
static GetQueueAttributesRequest: Structure = Structure { name: "GetQueueAttributesRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    optional("AttributeNames", "AttributeNames", "AttributeNames", &AttributeNameList),
] };
static GetQueueAttributesResult: Structure = Structure { name: "GetQueueAttributesResult", members: &[
    optional("Attributes", "Attributes", "Attributes", &QueueAttributeMap),
] };
static GetQueueUrlRequest: Structure = Structure { name: "GetQueueUrlRequest", members: &[
    required("QueueName", "QueueName", "QueueName", &TEXT),
    optional("QueueOwnerAWSAccountId", "QueueOwnerAWSAccountId", "QueueOwnerAWSAccountId", &TEXT),
] };
static GetQueueUrlResult: Structure = Structure { name: "GetQueueUrlResult", members: &[
    optional("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
] };
static ListQueueTagsRequest: Structure = Structure { name: "ListQueueTagsRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
] };
static ListQueueTagsResult: Structure = Structure { name: "ListQueueTagsResult", members: &[
    optional("Tags", "Tags", "Tags", &TagMap),
] };
static ListQueuesRequest: Structure = Structure { name: "ListQueuesRequest", members: &[
    optional("QueueNamePrefix", "QueueNamePrefix", "QueueNamePrefix", &TEXT),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
    optional("MaxResults", "MaxResults", "MaxResults", &INT),
] };
static ListQueuesResult: Structure = Structure { name: "ListQueuesResult", members: &[
    optional("QueueUrls", "QueueUrls", "QueueUrls", &QueueUrlList),
    optional("NextToken", "NextToken", "NextToken", &TEXT),
] };
static Message: Structure = Structure { name: "Message", members: &[
    optional("MessageId", "MessageId", "MessageId", &TEXT),
    optional("ReceiptHandle", "ReceiptHandle", "ReceiptHandle", &TEXT),
    optional("MD5OfBody", "MD5OfBody", "MD5OfBody", &TEXT),
    optional("Body", "Body", "Body", &TEXT),
    optional("Attributes", "Attributes", "Attributes", &MessageSystemAttributeMap),
    optional("MD5OfMessageAttributes", "MD5OfMessageAttributes", "MD5OfMessageAttributes", &TEXT),
    optional("MessageAttributes", "MessageAttributes", "MessageAttributes", &MessageBodyAttributeMap),
] };
static MessageAttributeNameList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static MessageAttributeValue: Structure = Structure { name: "MessageAttributeValue", members: &[
    optional("StringValue", "StringValue", "StringValue", &TEXT),
    optional("BinaryValue", "BinaryValue", "BinaryValue", &BLOB),
    optional("StringListValues", "StringListValues", "StringListValues", &StringList),
    optional("BinaryListValues", "BinaryListValues", "BinaryListValues", &BinaryList),
    required("DataType", "DataType", "DataType", &TEXT),
] };
static MessageBodyAttributeMap: Shape = Shape::Map(&Map { key: &TEXT, value: &Shape::Struct(&MessageAttributeValue) });
static MessageBodySystemAttributeMap: Shape = Shape::Map(&Map { key: &MessageSystemAttributeNameForSends, value: &Shape::Struct(&MessageSystemAttributeValue) });
static MessageList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Message) });
static MessageSystemAttributeList: Shape = Shape::List(&List { item_name: None, item: &MessageSystemAttributeName });
static MessageSystemAttributeMap: Shape = Shape::Map(&Map { key: &MessageSystemAttributeName, value: &TEXT });
static MessageSystemAttributeName: Shape = Shape::Text(&[
    "AWSTraceHeader", "All", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId", "SenderId", "SentTimestamp",
    "SequenceNumber",
]);
static MessageSystemAttributeNameForSends: Shape = Shape::Text(&["AWSTraceHeader"]);
static MessageSystemAttributeValue: Structure = Structure { name: "MessageSystemAttributeValue", members: &[
    optional("StringValue", "StringValue", "StringValue", &TEXT),
    optional("BinaryValue", "BinaryValue", "BinaryValue", &BLOB),
    optional("StringListValues", "StringListValues", "StringListValues", &StringList),
    optional("BinaryListValues", "BinaryListValues", "BinaryListValues", &BinaryList),
    required("DataType", "DataType", "DataType", &TEXT),
] };
static PurgeQueueRequest: Structure = Structure { name: "PurgeQueueRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
] };
static QueueAttributeMap: Shape = Shape::Map(&Map { key: &QueueAttributeName, value: &TEXT });
static QueueAttributeName: Shape = Shape::Text(&[
    "All", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible", "ContentBasedDeduplication", "CreatedTimestamp",
    "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "LastModifiedTimestamp", "MaximumMessageSize",
    "MessageRetentionPeriod", "Policy", "QueueArn", "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
]);
static QueueUrlList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static ReceiveMessageRequest: Structure = Structure { name: "ReceiveMessageRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    optional("AttributeNames", "AttributeNames", "AttributeNames", &AttributeNameList),
    optional("MessageSystemAttributeNames", "MessageSystemAttributeNames", "MessageSystemAttributeNames", &MessageSystemAttributeList),
    optional("MessageAttributeNames", "MessageAttributeNames", "MessageAttributeNames", &MessageAttributeNameList),
    optional("MaxNumberOfMessages", "MaxNumberOfMessages", "MaxNumberOfMessages", &INT),
    optional("VisibilityTimeout", "VisibilityTimeout", "VisibilityTimeout", &INT),
    optional("WaitTimeSeconds", "WaitTimeSeconds", "WaitTimeSeconds", &INT),
    optional("ReceiveRequestAttemptId", "ReceiveRequestAttemptId", "ReceiveRequestAttemptId", &TEXT),
] };
static ReceiveMessageResult: Structure = Structure { name: "ReceiveMessageResult", members: &[
    optional("Messages", "Messages", "Messages", &MessageList),
] };
static SendMessageBatchRequest: Structure = Structure { name: "SendMessageBatchRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("Entries", "Entries", "Entries", &SendMessageBatchRequestEntryList),
] };
static SendMessageBatchRequestEntry: Structure = Structure { name: "SendMessageBatchRequestEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("MessageBody", "MessageBody", "MessageBody", &TEXT),
    optional("DelaySeconds", "DelaySeconds", "DelaySeconds", &INT),
    optional("MessageAttributes", "MessageAttributes", "MessageAttributes", &MessageBodyAttributeMap),
    optional("MessageSystemAttributes", "MessageSystemAttributes", "MessageSystemAttributes", &MessageBodySystemAttributeMap),
    optional("MessageDeduplicationId", "MessageDeduplicationId", "MessageDeduplicationId", &TEXT),
    optional("MessageGroupId", "MessageGroupId", "MessageGroupId", &TEXT),
] };
static SendMessageBatchRequestEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&SendMessageBatchRequestEntry) });
static SendMessageBatchResult: Structure = Structure { name: "SendMessageBatchResult", members: &[
    required("Successful", "Successful", "Successful", &SendMessageBatchResultEntryList),
    required("Failed", "Failed", "Failed", &BatchResultErrorEntryList),
] };
static SendMessageBatchResultEntry: Structure = Structure { name: "SendMessageBatchResultEntry", members: &[
    required("Id", "Id", "Id", &TEXT),
    required("MessageId", "MessageId", "MessageId", &TEXT),
    required("MD5OfMessageBody", "MD5OfMessageBody", "MD5OfMessageBody", &TEXT),
    optional("MD5OfMessageAttributes", "MD5OfMessageAttributes", "MD5OfMessageAttributes", &TEXT),
    optional("MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", &TEXT),
    optional("SequenceNumber", "SequenceNumber", "SequenceNumber", &TEXT),
] };
static SendMessageBatchResultEntryList: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&SendMessageBatchResultEntry) });
static SendMessageRequest: Structure = Structure { name: "SendMessageRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("MessageBody", "MessageBody", "MessageBody", &TEXT),
    optional("DelaySeconds", "DelaySeconds", "DelaySeconds", &INT),
    optional("MessageAttributes", "MessageAttributes", "MessageAttributes", &MessageBodyAttributeMap),
    optional("MessageSystemAttributes", "MessageSystemAttributes", "MessageSystemAttributes", &MessageBodySystemAttributeMap),
    optional("MessageDeduplicationId", "MessageDeduplicationId", "MessageDeduplicationId", &TEXT),
    optional("MessageGroupId", "MessageGroupId", "MessageGroupId", &TEXT),
] };
static SendMessageResult: Structure = Structure { name: "SendMessageResult", members: &[
    optional("MD5OfMessageBody", "MD5OfMessageBody", "MD5OfMessageBody", &TEXT),
    optional("MD5OfMessageAttributes", "MD5OfMessageAttributes", "MD5OfMessageAttributes", &TEXT),
    optional("MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", &TEXT),
    optional("MessageId", "MessageId", "MessageId", &TEXT),
    optional("SequenceNumber", "SequenceNumber", "SequenceNumber", &TEXT),
] };
static SetQueueAttributesRequest: Structure = Structure { name: "SetQueueAttributesRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("Attributes", "Attributes", "Attributes", &QueueAttributeMap),
] };
static StringList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static TagKeyList: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static TagMap: Shape = Shape::Map(&Map { key: &TEXT, value: &TEXT });
static TagQueueRequest: Structure = Structure { name: "TagQueueRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("Tags", "Tags", "Tags", &TagMap),
] };
static UntagQueueRequest: Structure = Structure { name: "UntagQueueRequest", members: &[
    required("QueueUrl", "QueueUrl", "QueueUrl", &TEXT),
    required("TagKeys", "TagKeys", "TagKeys", &TagKeyList),
] };
