//! The tables themselves.

use std::collections::BTreeSet;

use ec2sim::wire::shapes::{Member, Protocol, SERVICES, Shape, Structure};
use ec2sim::wire::{json, query};

use crate::kit::{operation, operations};

#[test]
fn operations_are_found_by_name_and_others_are_not() {
    for (service, operation) in operations() {
        assert_eq!(service.operation(operation.name).map(|found| found.name), Some(operation.name));
        assert!(service.operation(&format!("{}s", operation.name)).is_none());
    }
    assert!(operations().len() >= 90);
}

#[test]
fn errors_are_found_by_name() {
    let refused = crate::kit::service("sts").error("IDPRejectedClaimException").expect("the error");
    assert_eq!((refused.code, refused.status), ("IDPRejectedClaim", 403));
    let gone = crate::kit::service("sqs").error("QueueDoesNotExist").expect("the error");
    assert_eq!((gone.code, gone.status), ("AWS.SimpleQueueService.NonExistentQueue", 400));
    assert!(crate::kit::service("sqs").error("QueueNotThere").is_none());
}

/// Nothing asked for is either enough or a missing parameter: every operation can be decoded.
#[test]
fn every_operation_reads_an_empty_request() {
    let mut enough = BTreeSet::new();
    for (service, operation) in operations() {
        let read = match service.protocol {
            Protocol::Json { .. } => json::decode(service, operation, b""),
            _ => query::decode(service, operation, &query::Params::parse(b"")),
        };
        match read {
            Ok(input) => assert!(input.is_empty() && enough.insert(operation.name)),
            Err(error) => assert!(
                ["MissingParameter", "ValidationError", "ValidationException"].contains(&error.code),
                "{}: {error}",
                operation.name
            ),
        }
    }
    assert!(enough.contains("DescribeVpcs") && enough.contains("GetCallerIdentity"));
    assert!(
        !enough.contains("DeleteVpc") && !enough.contains("SendMessage") && !enough.contains("AssumeRole")
    );
}

/// A form that has no parameter of its own for each member could not be read back.
#[test]
fn no_two_members_share_a_name_on_the_wire() {
    let mut seen = BTreeSet::new();
    for (_, operation) in operations() {
        operation.input.into_iter().chain(operation.output).for_each(|shape| visit(shape, &mut seen));
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

fn visit(structure: &'static Structure, seen: &mut BTreeSet<*const Structure>) {
    if !seen.insert(structure) {
        return;
    }
    let names: [fn(&Member) -> &'static str; 3] = [|m| m.query_name, |m| m.location_name, |m| m.name];
    for name in names {
        let names: BTreeSet<_> = structure.members.iter().map(name).collect();
        assert_eq!(names.len(), structure.members.len(), "{}", structure.name);
    }
    for member in structure.members {
        let mut shape = member.shape;
        loop {
            shape = match shape {
                Shape::List(list) => list.item,
                Shape::Map(map) => map.value,
                Shape::Struct(inner) => break visit(inner, seen),
                _ => break,
            };
        }
    }
}

/// The names that are hard to guess: each by another rule.
#[test]
fn names_on_the_wire_are_those_of_aws() {
    let names = |operation_name, member: &str| {
        let input = operation("ec2", operation_name).1.input.expect("an input");
        let member = input.member(member).expect("a member");
        (member.query_name, member.location_name)
    };
    // queryName; capitalised locationName; the member's own name.
    assert_eq!(names("DescribeRouteTables", "RouteTableIds").0, "RouteTableId");
    assert_eq!(names("DescribeRouteTables", "Filters").0, "Filter");
    assert_eq!(
        names("CreateRoute", "VpcPeeringConnectionId"),
        ("VpcPeeringConnectionId", "vpcPeeringConnectionId")
    );
    assert_eq!(names("CreateVpcPeeringConnection", "PeerRegion"), ("PeerRegion", "PeerRegion"));
    assert_eq!(names("AuthorizeSecurityGroupIngress", "IpPermissions").0, "IpPermissions");
    assert_eq!(names("AuthorizeSecurityGroupEgress", "IpPermissions").0, "IpPermissions");
}

#[test]
fn each_service_says_how_it_speaks() {
    let how: Vec<_> = SERVICES.iter().map(|s| (s.name, s.protocol, s.target_prefix)).collect();
    assert_eq!(
        how,
        [
            (
                "cloudtrail",
                Protocol::Json { version: "1.1" },
                Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101")
            ),
            ("ec2", Protocol::Ec2, None),
            ("events", Protocol::Json { version: "1.1" }, Some("AWSEvents")),
            ("servicequotas", Protocol::Json { version: "1.1" }, Some("ServiceQuotasV20190624")),
            ("sqs", Protocol::Json { version: "1.0" }, Some("AmazonSQS")),
            ("sts", Protocol::Query, None),
        ]
    );
}
