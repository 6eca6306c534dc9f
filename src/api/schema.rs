//! The schemas of single values: ids, CIDRs, durations, selectors.
//!
//! Each is checked by CEL rather than by `pattern`, since a failed pattern prints its regular expression and a failed
//! rule prints our message, which shows a right value. `maxLength` and `maxItems` bound what a rule can cost; they are
//! a little wider than the longest right value, so that one character too many still gets our message.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// The value of `x-kubernetes-validations` for pairs of rule and message.
pub fn rules(all: &[(&str, &str)]) -> Value {
    all.iter().map(|(rule, message)| json!({"rule": rule, "message": message})).collect()
}

fn text(max_length: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": max_length,
        "x-kubernetes-validations": rules(&[(rule, message)]),
    })
}

fn set(of: Schema, max_items: u32) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": max_items,
        "x-kubernetes-list-type": "set",
        "items": of,
    })
}

pub fn account_id(_: &mut SchemaGenerator) -> Schema {
    text(
        16,
        "self.matches('^[0-9]{12}$')",
        "must be an AWS account id: twelve digits in quotes, such as \"111122223333\"",
    )
}

pub fn account_ids(generator: &mut SchemaGenerator) -> Schema {
    set(account_id(generator), 200)
}

pub fn region(_: &mut SchemaGenerator) -> Schema {
    text(
        32,
        "self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",
        "must be the code of an AWS Region, such as eu-west-1 or us-gov-west-1",
    )
}

pub fn vpc_id(_: &mut SchemaGenerator) -> Schema {
    text(
        32,
        "self.matches('^vpc-([0-9a-f]{8}|[0-9a-f]{17})$')",
        "must be the id of a VPC, such as vpc-0a1b2c3d4e5f60789",
    )
}

pub fn vpc_ids(generator: &mut SchemaGenerator) -> Schema {
    set(vpc_id(generator), 200)
}

pub fn peering_id(_: &mut SchemaGenerator) -> Schema {
    text(
        32,
        "self.matches('^pcx-([0-9a-f]{8}|[0-9a-f]{17})$')",
        "must be the id of a VPC peering connection, such as pcx-0123456789abcdef0",
    )
}

/// Checked by CEL like every other value, so that the message shows a right one.
pub fn plan_digest(_: &mut SchemaGenerator) -> Schema {
    text(
        80,
        "self.matches('^sha256:[0-9a-f]{64}$')",
        "must be a digest as status.plan.digest shows it, such as sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    )
}

pub fn route_table_ids(_: &mut SchemaGenerator) -> Schema {
    set(
        text(
            32,
            "self.matches('^rtb-([0-9a-f]{8}|[0-9a-f]{17})$')",
            "must be the id of a route table, such as rtb-0123456789abcdef0",
        ),
        200,
    )
}

pub fn prefix_list_ids(_: &mut SchemaGenerator) -> Schema {
    set(
        text(
            32,
            "self.matches('^pl-([0-9a-f]{8}|[0-9a-f]{17})$')",
            "must be the id of a prefix list, such as pl-0123456789abcdef0",
        ),
        100,
    )
}

/// CIDRs are accepted in one spelling only, the one AWS shows: what is declared, what is observed and what status
/// prints can then be compared by eye.
pub fn cidrs(_: &mut SchemaGenerator) -> Schema {
    set(
        json_schema!({
            "type": "string",
            "maxLength": 49,
            "x-kubernetes-validations": rules(&[
                ("isCIDR(self)", "must be an IPv4 or IPv6 CIDR, such as 10.20.0.0/16 or 2001:db8:1234::/56"),
                (
                    "!isCIDR(self) || string(cidr(self).masked()) == self",
                    "must be written as its network address, in lower case and at its shortest: 10.20.0.0/16, not 10.20.1.1/16; 2001:db8:1234::/56, not 2001:DB8:1234:0::/56",
                ),
            ]),
        }),
        64,
    )
}

pub fn route_name(_: &mut SchemaGenerator) -> Schema {
    text(
        63,
        "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        "must be a name of lower-case letters, digits and dashes, such as private-subnets",
    )
}

pub fn object_name(_: &mut SchemaGenerator) -> Schema {
    text(
        253,
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "must be the name of a Kubernetes object, such as default",
    )
}

pub fn role_arn(_: &mut SchemaGenerator) -> Schema {
    text(
        640,
        "self.matches('^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$')",
        "must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/peerkeeper",
    )
}

pub fn external_id(_: &mut SchemaGenerator) -> Schema {
    text(
        1224,
        "self.matches('^[A-Za-z0-9_+=,.@:/-]{2,}$')",
        "must be an STS external id: two or more of letters, digits and _+=,.@:/-, such as peerkeeper-prod",
    )
}

/// Of a role or user whom a policy authorizes.
pub fn principal_accounts(generator: &mut SchemaGenerator) -> Schema {
    set(account_id(generator), 32)
}

/// A name of IAM's in which `*` may stand for any run of characters.
fn iam_name(whose: &str, example: &str) -> Schema {
    let message = format!(
        "must be the name of {whose}: 1 to 64 of letters, digits and _+=,.@-, and * for any run of characters, such as {example}"
    );
    text(68, "self.matches('^[A-Za-z0-9_+=,.@*-]{1,64}$')", &message)
}

pub fn role_name(_: &mut SchemaGenerator) -> Schema {
    iam_name("an IAM role without its path", "network-admin")
}

pub fn user_name(_: &mut SchemaGenerator) -> Schema {
    iam_name("an IAM user without its path", "ada")
}

pub fn source_identity(_: &mut SchemaGenerator) -> Schema {
    iam_name("a source identity", "ada or *@example.com")
}

pub fn role_path(_: &mut SchemaGenerator) -> Schema {
    text(
        516,
        "self == '/' || (size(self) <= 512 && self.matches('^/[!-9;-~]+/$'))",
        "must be the path of an IAM role, from slash to slash, such as / or /network/",
    )
}

/// Tags that Peerkeeper sets. 45 of the 50 that AWS allows: the rest are Peerkeeper's own.
pub fn own_tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 45,
        "additionalProperties": {"type": "string", "maxLength": 256},
        "x-kubernetes-validations": rules(&[
            (
                "self.all(key, size(key) >= 1 && size(key) <= 128)",
                "each tag key must have 1 to 128 characters, such as team",
            ),
            (
                "self.all(key, !key.lowerAscii().startsWith('aws:'))",
                "no tag key may start with aws:, which AWS keeps for itself; write another key, such as team",
            ),
            (
                "self.all(key, !key.lowerAscii().startsWith('peerkeeper.dev/'))",
                "no tag key may start with peerkeeper.dev/, by which Peerkeeper marks what is its own; write another key, such as team",
            ),
        ]),
    })
}

/// Tags that something must carry to be selected.
pub fn match_tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"type": "string", "maxLength": 256},
        "x-kubernetes-validations": rules(&[(
            "self.all(key, size(key) >= 1 && size(key) <= 128)",
            "each tag key must have 1 to 128 characters, such as tier",
        )]),
    })
}

/// Durations in whole hours, minutes and seconds, between two bounds. The length keeps the sum of all parts within
/// what CEL's `duration` can hold, so that a rule never ends in an evaluation error instead of our message.
fn duration_between(least: &str, most: &str, example: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 16,
        "x-kubernetes-validations": [{
            "rule": format!(
                "self.matches('^([0-9]{{1,6}}[hms])+$') && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
            ),
            "message": format!("must be a duration from {least} to {most}, such as {example}"),
        }],
    })
}

pub fn grace_period(_: &mut SchemaGenerator) -> Schema {
    duration_between("0s", "24h", "0s, 90s or 1h30m")
}

pub fn attribution_timeout(_: &mut SchemaGenerator) -> Schema {
    duration_between("0s", "24h", "5m or 15m")
}

pub fn limit_window(_: &mut SchemaGenerator) -> Schema {
    duration_between("1m", "168h", "1h or 24h")
}

pub fn namespace_selector(_: &mut SchemaGenerator) -> Schema {
    let value = json!({"type": "string", "maxLength": 63});
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {
                "description": "Labels that a namespace must carry, each with exactly this value.",
                "type": "object",
                "maxProperties": 16,
                "additionalProperties": value,
            },
            "matchExpressions": {
                "description": "Requirements on a namespace's labels. All of them must hold.",
                "type": "array",
                "maxItems": 16,
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {"description": "The label's key.", "type": "string", "maxLength": 317},
                        "operator": {
                            "description": "How the label's value relates to `values`.",
                            "type": "string",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                        },
                        "values": {
                            "description": "The values, for In and NotIn; absent for Exists and DoesNotExist.",
                            "type": "array",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "atomic",
                            "items": value,
                        },
                    },
                    "x-kubernetes-validations": rules(&[(
                        "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
                        "In and NotIn need values, Exists and DoesNotExist have none: for example {key: team, operator: In, values: [network]}",
                    )]),
                },
            },
        },
        "x-kubernetes-map-type": "atomic",
        "x-kubernetes-validations": rules(&[(
            "(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)",
            "an empty selector grants nobody: write matchLabels, such as {team: network}; for every namespace write matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]",
        )]),
    })
}

/// Standard conditions, one per type.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"description": "What the condition is about.", "type": "string", "maxLength": 316},
                "status": {
                    "description": "Whether it holds.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "observedGeneration": {
                    "description": "The metadata.generation that this was said of.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
                "lastTransitionTime": {
                    "description": "When the status last changed.",
                    "type": "string",
                    "format": "date-time",
                },
                "reason": {
                    "description": "Why, in one word. Equals the reason of the Event that told of it.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                },
                "message": {
                    "description": "Why, in full: the object, what AWS said, and what to do next.",
                    "type": "string",
                    "maxLength": 32768,
                },
            },
        },
    })
}

pub fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// A list of words that only Peerkeeper writes, replaced as a whole.
pub fn words(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}})
}
