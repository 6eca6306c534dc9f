//! Form parameters: what botocore really sends, and what nobody should.

use ec2sim::AwsError;
use ec2sim::wire::query::{self, Params};
use ec2sim::wire::{Struct, Value};

use crate::kit::service;

fn read(service_name: &str, form: &str) -> Result<Struct, AwsError> {
    let (service, params) = (service(service_name), Params::parse(form.as_bytes()));
    query::decode(service, query::operation(service, &params)?, &params)
}

fn refused(service_name: &str, form: &str) -> (&'static str, String) {
    let error = read(service_name, form).expect_err(form);
    (error.code, error.message)
}

fn tag(key: &str, value: &str) -> Struct {
    Struct::new().with("Key", key).with("Value", value)
}

#[test]
fn a_peering_as_botocore_asks_for_it() {
    let form = "Action=CreateVpcPeeringConnection&Version=2016-11-15&VpcId=vpc-0a1b2c3d4e5f60789\
        &PeerVpcId=vpc-0fedcba9876543210&PeerOwnerId=444455556666&PeerRegion=us-east-1&DryRun=false\
        &TagSpecification.1.ResourceType=vpc-peering-connection&TagSpecification.1.Tag.1.Key=team\
        &TagSpecification.1.Tag.1.Value=a%26b+%3D+%C3%BC&TagSpecification.1.Tag.2.Key=empty\
        &TagSpecification.1.Tag.2.Value=";
    let tags = Struct::new()
        .with("ResourceType", "vpc-peering-connection")
        .with("Tags", Value::list([tag("team", "a&b = ü"), tag("empty", "")]));
    let asked = Struct::new()
        .with("VpcId", "vpc-0a1b2c3d4e5f60789")
        .with("PeerVpcId", "vpc-0fedcba9876543210")
        .with("PeerOwnerId", "444455556666")
        .with("PeerRegion", "us-east-1")
        .with("DryRun", false)
        .with("TagSpecifications", Value::list([tags]));
    assert_eq!(read("ec2", form), Ok(asked));
}

#[test]
fn filters_and_pages_as_botocore_asks_for_them() {
    let form = "Action=DescribeRouteTables&Version=2016-11-15&RouteTableId.1=rtb-1&RouteTableId.2=rtb-2\
        &Filter.1.Name=route.state&Filter.1.Value.1=active&Filter.1.Value.2=blackhole&Filter.2.Name=vpc-id\
        &Filter.2.Value.1=vpc-1&MaxResults=100&NextToken=x";
    let read = read("ec2", form).expect(form);
    assert_eq!(read.texts("RouteTableIds").collect::<Vec<_>>(), ["rtb-1", "rtb-2"]);
    let filters: Vec<_> =
        read.structs("Filters").map(|f| (f.text("Name"), f.texts("Values").collect::<Vec<_>>())).collect();
    assert_eq!(
        filters,
        [(Some("route.state"), vec!["active", "blackhole"]), (Some("vpc-id"), vec!["vpc-1"])]
    );
    assert_eq!((read.int("MaxResults"), read.text("NextToken")), (Some(100), Some("x")));
}

#[test]
fn security_group_rules_nest() {
    let form = "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1\
        &IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=443&IpPermissions.1.ToPort=443\
        &IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8&IpPermissions.1.IpRanges.1.Description=d\
        &IpPermissions.1.Groups.1.GroupId=sg-2&IpPermissions.1.Groups.1.UserId=111122223333";
    let permission = Struct::new()
        .with("IpProtocol", "tcp")
        .with("FromPort", 443)
        .with("ToPort", 443)
        .with("IpRanges", Value::list([Struct::new().with("CidrIp", "10.0.0.0/8").with("Description", "d")]))
        .with(
            "UserIdGroupPairs",
            Value::list([Struct::new().with("GroupId", "sg-2").with("UserId", "111122223333")]),
        );
    let asked = Struct::new().with("GroupId", "sg-1").with("IpPermissions", Value::list([permission]));
    assert_eq!(read("ec2", form), Ok(asked));
}

#[test]
fn attributes_are_structures_of_one_value() {
    let read =
        read("ec2", "Action=ModifyVpcAttribute&VpcId=vpc-1&EnableDnsHostnames.Value=true").expect("read");
    assert_eq!(read.structure("EnableDnsHostnames").and_then(|v| v.bool("Value")), Some(true));
    assert!(!read.has("EnableDnsSupport"));
}

#[test]
fn a_role_as_botocore_asks_for_it() {
    let form = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx\
        &RoleSessionName=s&ExternalId=e&DurationSeconds=900&PolicyArns.member.1.arn=p&Tags.member.1.Key=a\
        &Tags.member.1.Value=&TransitiveTagKeys=";
    let asked = Struct::new()
        .with("RoleArn", "arn:aws:iam::111122223333:role/x")
        .with("RoleSessionName", "s")
        .with("ExternalId", "e")
        .with("DurationSeconds", 900)
        .with("PolicyArns", Value::list([Struct::new().with("arn", "p")]))
        .with("Tags", Value::list([tag("a", "")]))
        .with("TransitiveTagKeys", Value::List(vec![]));
    assert_eq!(read("sts", form), Ok(asked));
}

/// A presigned URL carries its signature among the parameters.
#[test]
fn a_get_with_its_signature_in_the_query_is_read() {
    let form = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a\
        &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&X-Amz-Signature=0";
    assert_eq!(read("sts", form), Ok(Struct::new()));
}

/// Items keep the order of their numbers, as numbers.
#[test]
fn items_may_come_in_any_order_and_with_gaps() {
    let form = "Action=DescribeVpcs&VpcId.10=c&VpcId.2=b&VpcId.999999999=d&VpcId.1=a";
    assert_eq!(read("ec2", form).expect("read").texts("VpcIds").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[test]
fn actions_that_are_not_there() {
    let missing = ("MissingAction", "The request must contain the parameter Action".to_owned());
    assert_eq!(refused("ec2", ""), missing);
    assert_eq!(refused("ec2", "Action="), missing);
    let invalid =
        |action: &str| ("InvalidAction", format!("The action {action} is not valid for this web service."));
    assert_eq!(refused("ec2", "Action=RunInstances&Version=2016-11-15"), invalid("RunInstances"));
    assert_eq!(refused("ec2", "Action=describeVpcs"), invalid("describeVpcs"));
    assert_eq!(refused("ec2", "Action=DescribeVpcs&Version=2010-01-01"), invalid("DescribeVpcs"));
    assert_eq!(
        refused("sts", "Action=GetSessionToken&Version=2011-06-15"),
        ("InvalidAction", "Could not find operation GetSessionToken for version 2011-06-15".to_owned())
    );
}

#[test]
fn parameters_that_are_not_there_are_named_as_they_were_sent() {
    for (form, name) in [
        ("Action=DescribeVpcs&Vpc=a", "Vpc"),
        ("Action=DescribeVpcs&VpcIds.1=a", "VpcIds"),
        ("Action=DescribeVpcs&vpcId.1=a", "vpcId"),
        ("Action=DescribeVpcs&VpcId=a", "VpcId"),
        ("Action=DescribeVpcs&VpcId.x=a", "VpcId.x"),
        ("Action=DescribeVpcs&VpcId.01=a", "VpcId.01"),
        ("Action=DescribeVpcs&VpcId.-1=a", "VpcId.-1"),
        ("Action=DescribeVpcs&VpcId.99999999999999999999=a", "VpcId.99999999999999999999"),
        ("Action=DescribeVpcs&VpcId.1.x=a", "VpcId.1.x"),
        ("Action=DescribeVpcs&VpcId.member.1=a", "VpcId.member"),
        ("Action=DescribeVpcs&Filter.1=a", "Filter.1"),
        ("Action=DescribeVpcs&Filter.1.Nmae=a", "Filter.1.Nmae"),
        ("Action=DescribeVpcs&DryRun.Value=true", "DryRun.Value"),
        ("Action=DescribeVpcs&DryRun.=true", "DryRun."),
    ] {
        let expected = ("UnknownParameter", format!("The parameter {name} is not recognized"));
        assert_eq!(refused("ec2", form), expected, "{form}");
    }
    assert_eq!(refused("sts", "Action=GetCallerIdentity&Tags.member.1.Key=a").0, "UnknownParameter");
    let (code, message) = refused("sts", "Action=AssumeRole&RoleArn=a&RoleSessionName=b&Tags.1.Key=a");
    assert_eq!((code, message.as_str()), ("UnknownParameter", "The parameter Tags.1 is not recognized"));
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    for (form, value, name) in [
        ("Action=DescribeVpcs&MaxResults=ten", "ten", "MaxResults"),
        ("Action=DescribeVpcs&MaxResults=", "", "MaxResults"),
        ("Action=DescribeVpcs&MaxResults=2147483648", "2147483648", "MaxResults"),
        ("Action=DescribeVpcs&DryRun=yes", "yes", "DryRun"),
        ("Action=DescribeVpcAttribute&VpcId=v&Attribute=enableDns", "enableDns", "Attribute"),
        ("Action=ReplaceRoute&RouteTableId=r&LocalTarget=1", "1", "LocalTarget"),
    ] {
        let expected = ("InvalidParameterValue", format!("Value ({value}) for parameter {name} is invalid."));
        assert_eq!(refused("ec2", form), expected, "{form}");
    }
    assert_eq!(read("ec2", "Action=DescribeVpcs&DryRun=TRUE").expect("read").bool("DryRun"), Some(true));
}

#[test]
fn what_is_required_is_asked_for() {
    for (form, name) in [
        ("Action=DeleteVpc", "VpcId"),
        ("Action=CreateRoute&DestinationCidrBlock=10.0.0.0/8", "RouteTableId"),
        ("Action=CreateTags&ResourceId.1=vpc-1", "Tag"),
        ("Action=ModifyManagedPrefixList&PrefixListId=pl-1&AddEntry.1.Description=x", "AddEntry.1.Cidr"),
    ] {
        let expected = ("MissingParameter", format!("The request must contain the parameter {name}"));
        assert_eq!(refused("ec2", form), expected, "{form}");
    }
    let (code, message) = refused("sts", "Action=AssumeRole&RoleArn=a");
    assert_eq!(code, "ValidationError");
    assert!(message.contains("'roleSessionName'"), "{message}");
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let (code, message) = refused("ec2", "Action=DeleteVpc&VpcId=vpc-1&VpcId=vpc-2");
    assert_eq!((code, message.contains("VpcId")), ("MalformedQueryString", true));
}

/// A name as deep as the body is long must not become a recursion as deep.
#[test]
fn names_nest_only_so_deep_and_errors_stay_short() {
    let name = vec!["Filter"; 200_000].join(".");
    let (code, message) = refused("ec2", &format!("Action=DescribeVpcs&{name}=x"));
    assert_eq!(code, "UnknownParameter");
    assert!(message.len() < 400, "{} bytes", message.len());
    let (_, message) = refused("ec2", &format!("Action=DescribeVpcs&MaxResults={}", "ü".repeat(100_000)));
    assert!(message.len() < 600, "{} bytes", message.len());
}
