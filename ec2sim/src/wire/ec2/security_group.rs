//! Security groups.

use crate::error::AwsError;
use crate::request::{CreateGroup, Request};
use crate::view::{GroupReference, GroupView, Response};
use crate::wire::ec2::security_group_rule::{group_permissions, permissions};
use crate::wire::mapping::{Asked, Mapping, show_page, show_tags};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "CreateSecurityGroup",
        reads: &["VpcId", "GroupName", "Description", "TagSpecifications"],
        ask: |asked| {
            Ok(Request::CreateSecurityGroup(CreateGroup {
                vpc_id: asked.text("VpcId").filter(|id| !id.is_empty()),
                name: asked.must("GroupName")?,
                description: asked.must("Description")?,
                tags: asked.tags("security-group")?,
            }))
        },
        answer: created,
    },
    Mapping {
        name: "DeleteSecurityGroup",
        reads: &["GroupId"],
        ask: |asked| Ok(Request::DeleteSecurityGroup { group_id: asked.must("GroupId")? }),
        answer: |asked, response| {
            let answer = Struct::new().with("Return", true).with_opt("GroupId", asked.text("GroupId"));
            (response == Response::Done).then_some(answer)
        },
    },
    Mapping {
        name: "DescribeSecurityGroups",
        reads: &["GroupIds", "GroupNames", "Filters", "MaxResults", "NextToken"],
        ask: describe,
        answer: |_, response| Some(show_page(response.groups()?, "SecurityGroups", |group| show(&group))),
    },
    Mapping {
        name: "DescribeStaleSecurityGroups",
        reads: &["VpcId", "MaxResults", "NextToken"],
        ask: |asked| {
            Ok(Request::DescribeStaleSecurityGroups {
                vpc_id: asked.must("VpcId")?,
                max_results: asked.count("MaxResults")?,
                next_token: asked.text("NextToken").filter(|token| !token.is_empty()),
            })
        },
        answer: |_, response| {
            Some(show_page(response.stale_groups()?, "StaleSecurityGroupSet", |group| show_stale(&group.0)))
        },
    },
    Mapping {
        name: "DescribeSecurityGroupReferences",
        reads: &["GroupId"],
        ask: |asked| Ok(Request::DescribeSecurityGroupReferences { group_ids: asked.texts("GroupId") }),
        answer: references,
    },
];

fn created(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let GroupView { id, arn, tags, .. } = response.group()?;
    let answer = Struct::new().with("GroupId", id.as_str()).with("SecurityGroupArn", arn);
    Some(answer.with_opt("Tags", (!tags.is_empty()).then(|| show_tags(&tags))))
}

/// A name stands for a group of the default VPC, which nobody has here.
fn describe(asked: &Asked<'_>) -> Result<Request, AwsError> {
    if let Some(name) = asked.texts("GroupNames").first() {
        let message = format!("The security group '{name}' does not exist in default VPC 'none'");
        return Err(AwsError::new("InvalidGroup.NotFound", message));
    }
    Ok(Request::DescribeSecurityGroups(asked.describe("GroupIds")?))
}

fn show(group: &GroupView) -> Struct {
    Struct::new()
        .with("GroupId", group.id.as_str())
        .with("GroupName", group.name.as_str())
        .with("Description", group.description.as_str())
        .with("VpcId", group.vpc.as_str())
        .with("OwnerId", group.owner.as_str())
        .with("SecurityGroupArn", group.arn.as_str())
        .with("IpPermissions", permissions(group, false))
        .with("IpPermissionsEgress", permissions(group, true))
        // AWS leaves the set out where there are none.
        .with_opt("Tags", (!group.tags.is_empty()).then(|| show_tags(&group.tags)))
}

fn show_stale(group: &GroupView) -> Struct {
    Struct::new()
        .with("GroupId", group.id.as_str())
        .with("GroupName", group.name.as_str())
        .with("Description", group.description.as_str())
        .with("VpcId", group.vpc.as_str())
        .with("StaleIpPermissions", Value::list(group_permissions(group, false)))
        .with("StaleIpPermissionsEgress", Value::list(group_permissions(group, true)))
}

fn references(_: &Asked<'_>, response: Response) -> Option<Struct> {
    let show = |reference: GroupReference| {
        Struct::new()
            .with("GroupId", reference.group.as_str())
            .with("ReferencingVpcId", reference.referencing_vpc.as_str())
            .with("VpcPeeringConnectionId", reference.peering.as_str())
    };
    let references = response.group_references()?.into_iter().map(show);
    Some(Struct::new().with("SecurityGroupReferenceSet", Value::list(references)))
}
