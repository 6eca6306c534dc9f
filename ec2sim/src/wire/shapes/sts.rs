// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.
// Names and structure of AWS Security Token Service, API version 2011-06-15, from the service model
// that botocore 1.44.5 carries (Copyright Amazon.com, Inc. or its affiliates; Apache-2.0).

use super::*;

pub(super) static SERVICE: Service = Service { name: "sts", protocol: Protocol::Query,
    api_version: "2011-06-15", xml_namespace: Some("https://sts.amazonaws.com/doc/2011-06-15/"),
    target_prefix: None, operations: OPERATIONS, errors: ERRORS };

static OPERATIONS: &[Operation] = &[
    operation("AssumeRole", Some(&AssumeRoleRequest), Some(&AssumeRoleResponse), Some("AssumeRoleResult")),
    operation("AssumeRoleWithWebIdentity", Some(&AssumeRoleWithWebIdentityRequest), Some(&AssumeRoleWithWebIdentityResponse), Some("AssumeRoleWithWebIdentityResult")),
    operation("GetCallerIdentity", Some(&GetCallerIdentityRequest), Some(&GetCallerIdentityResponse), Some("GetCallerIdentityResult")),
];

static ERRORS: &[ErrorShape] = &[
    error("ExpiredTokenException", "ExpiredTokenException", 400),
    error("IDPCommunicationErrorException", "IDPCommunicationError", 400),
    error("IDPRejectedClaimException", "IDPRejectedClaim", 403),
    error("InvalidIdentityTokenException", "InvalidIdentityToken", 400),
    error("MalformedPolicyDocumentException", "MalformedPolicyDocument", 400),
    error("PackedPolicyTooLargeException", "PackedPolicyTooLarge", 400),
    error("RegionDisabledException", "RegionDisabledException", 403),
];

static AssumeRoleRequest: Structure = Structure { name: "AssumeRoleRequest", members: &[
    required("RoleArn", "RoleArn", "RoleArn", &TEXT),
    required("RoleSessionName", "RoleSessionName", "RoleSessionName", &TEXT),
    optional("PolicyArns", "PolicyArns", "PolicyArns", &policyDescriptorListType),
    optional("Policy", "Policy", "Policy", &TEXT),
    optional("DurationSeconds", "DurationSeconds", "DurationSeconds", &INT),
    optional("Tags", "Tags", "Tags", &tagListType),
    optional("TransitiveTagKeys", "TransitiveTagKeys", "TransitiveTagKeys", &tagKeyListType),
    optional("ExternalId", "ExternalId", "ExternalId", &TEXT),
    optional("SerialNumber", "SerialNumber", "SerialNumber", &TEXT),
    optional("TokenCode", "TokenCode", "TokenCode", &TEXT),
    optional("SourceIdentity", "SourceIdentity", "SourceIdentity", &TEXT),
    optional("ProvidedContexts", "ProvidedContexts", "ProvidedContexts", &ProvidedContextsListType),
    optional("MinimumSessionTokenSize", "MinimumSessionTokenSize", "MinimumSessionTokenSize", &INT),
] };
static AssumeRoleResponse: Structure = Structure { name: "AssumeRoleResponse", members: &[
    optional("Credentials", "Credentials", "Credentials", &Shape::Struct(&Credentials)),
    optional("AssumedRoleUser", "AssumedRoleUser", "AssumedRoleUser", &Shape::Struct(&AssumedRoleUser)),
    optional("PackedPolicySize", "PackedPolicySize", "PackedPolicySize", &INT),
    optional("SourceIdentity", "SourceIdentity", "SourceIdentity", &TEXT),
    optional("SessionTokenUtilization", "SessionTokenUtilization", "SessionTokenUtilization", &INT),
    optional("SessionTokenSize", "SessionTokenSize", "SessionTokenSize", &INT),
] };
static AssumeRoleWithWebIdentityRequest: Structure = Structure { name: "AssumeRoleWithWebIdentityRequest", members: &[
    required("RoleArn", "RoleArn", "RoleArn", &TEXT),
    required("RoleSessionName", "RoleSessionName", "RoleSessionName", &TEXT),
    required("WebIdentityToken", "WebIdentityToken", "WebIdentityToken", &TEXT),
    optional("ProviderId", "ProviderId", "ProviderId", &TEXT),
    optional("PolicyArns", "PolicyArns", "PolicyArns", &policyDescriptorListType),
    optional("Policy", "Policy", "Policy", &TEXT),
    optional("DurationSeconds", "DurationSeconds", "DurationSeconds", &INT),
    optional("MinimumSessionTokenSize", "MinimumSessionTokenSize", "MinimumSessionTokenSize", &INT),
] };
static AssumeRoleWithWebIdentityResponse: Structure = Structure { name: "AssumeRoleWithWebIdentityResponse", members: &[
    optional("Credentials", "Credentials", "Credentials", &Shape::Struct(&Credentials)),
    optional("SubjectFromWebIdentityToken", "SubjectFromWebIdentityToken", "SubjectFromWebIdentityToken", &TEXT),
    optional("AssumedRoleUser", "AssumedRoleUser", "AssumedRoleUser", &Shape::Struct(&AssumedRoleUser)),
    optional("PackedPolicySize", "PackedPolicySize", "PackedPolicySize", &INT),
    optional("Provider", "Provider", "Provider", &TEXT),
    optional("Audience", "Audience", "Audience", &TEXT),
    optional("SourceIdentity", "SourceIdentity", "SourceIdentity", &TEXT),
    optional("SessionTokenUtilization", "SessionTokenUtilization", "SessionTokenUtilization", &INT),
    optional("SessionTokenSize", "SessionTokenSize", "SessionTokenSize", &INT),
] };
static AssumedRoleUser: Structure = Structure { name: "AssumedRoleUser", members: &[
    required("AssumedRoleId", "AssumedRoleId", "AssumedRoleId", &TEXT),
    required("Arn", "Arn", "Arn", &TEXT),
] };
static Credentials: Structure = Structure { name: "Credentials", members: &[
    required("AccessKeyId", "AccessKeyId", "AccessKeyId", &TEXT),
    required("SecretAccessKey", "SecretAccessKey", "SecretAccessKey", &TEXT),
    required("SessionToken", "SessionToken", "SessionToken", &TEXT),
    required("Expiration", "Expiration", "Expiration", &TIME),
] };
static GetCallerIdentityRequest: Structure = Structure { name: "GetCallerIdentityRequest", members: &[] };
static GetCallerIdentityResponse: Structure = Structure { name: "GetCallerIdentityResponse", members: &[
    optional("UserId", "UserId", "UserId", &TEXT),
    optional("Account", "Account", "Account", &TEXT),
    optional("Arn", "Arn", "Arn", &TEXT),
] };
static PolicyDescriptorType: Structure = Structure { name: "PolicyDescriptorType", members: &[
    optional("arn", "arn", "arn", &TEXT),
] };
static ProvidedContext: Structure = Structure { name: "ProvidedContext", members: &[
    optional("ProviderArn", "ProviderArn", "ProviderArn", &TEXT),
    optional("ContextAssertion", "ContextAssertion", "ContextAssertion", &TEXT),
] };
static ProvidedContextsListType: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&ProvidedContext) });
static Tag: Structure = Structure { name: "Tag", members: &[
    required("Key", "Key", "Key", &TEXT),
    required("Value", "Value", "Value", &TEXT),
] };
static policyDescriptorListType: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&PolicyDescriptorType) });
static tagKeyListType: Shape = Shape::List(&List { item_name: None, item: &TEXT });
static tagListType: Shape = Shape::List(&List { item_name: None, item: &Shape::Struct(&Tag) });
