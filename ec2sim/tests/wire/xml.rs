//! Answers in XML: letter by letter where clients are particular, and refusals where ec2sim itself is wrong.

use ec2sim::wire::{EncodeError, Problem, Struct, Value, xml};

use crate::kit::{child, operation, parse_answer};

fn answer(service: &str, name: &str, output: &Struct) -> Result<String, EncodeError> {
    let (service, operation) = operation(service, name);
    xml::encode(service, operation, output, "req-1")
}

fn problem(service: &str, name: &str, output: Struct) -> (String, Problem) {
    let error = answer(service, name, &output).expect_err("must be refused");
    (error.at, error.problem)
}

#[test]
fn an_ec2_answer_letter_by_letter() {
    let vpc = Struct::new()
        .with("VpcId", "vpc-1")
        .with("IsDefault", false)
        .with("CidrBlockAssociationSet", Value::List(vec![]))
        .with("Tags", Value::list([Struct::new().with("Key", "a").with("Value", "<&>\"'")]));
    let output = Struct::new().with("Vpcs", Value::list([vpc])).with("NextToken", "t");
    assert_eq!(
        answer("ec2", "DescribeVpcs", &output).expect("xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n\
         <requestId>req-1</requestId>\
         <nextToken>t</nextToken>\
         <vpcSet><item>\
         <cidrBlockAssociationSet></cidrBlockAssociationSet>\
         <isDefault>false</isDefault>\
         <tagSet><item><key>a</key><value>&lt;&amp;&gt;\"'</value></item></tagSet>\
         <vpcId>vpc-1</vpcId>\
         </item></vpcSet></DescribeVpcsResponse>"
    );
}

#[test]
fn an_operation_without_output_answers_return() {
    let xml = answer("ec2", "DeleteVpc", &Struct::new()).expect("xml");
    let document = roxmltree::Document::parse(&xml).expect("XML");
    assert_eq!(child(document.root_element(), "return").and_then(|n| n.text()), Some("true"));
    let (at, why) = problem("ec2", "DeleteVpc", Struct::new().with("Return", true));
    assert_eq!((at.as_str(), why), ("DeleteVpc.Return", Problem::UnknownMember));
}

#[test]
fn an_sts_answer_letter_by_letter() {
    let output = Struct::new().with("Account", "111122223333").with("Arn", "arn:aws:iam::111122223333:root");
    assert_eq!(
        answer("sts", "GetCallerIdentity", &output).expect("xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
         <GetCallerIdentityResult><Account>111122223333</Account>\
         <Arn>arn:aws:iam::111122223333:root</Arn></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
}

#[test]
fn times_are_written_as_each_service_writes_them() {
    let credentials = Struct::new()
        .with("AccessKeyId", "a")
        .with("SecretAccessKey", "s")
        .with("SessionToken", "t")
        .with("Expiration", Value::Time(1_767_225_600_000));
    let xml = answer("sts", "AssumeRole", &Struct::new().with("Credentials", credentials)).expect("xml");
    assert!(xml.contains("<Expiration>2026-01-01T00:00:00Z</Expiration>"), "{xml}");
    let peering = Struct::new().with("ExpirationTime", Value::Time(1_767_225_600_000));
    let output = Struct::new().with("VpcPeeringConnection", peering);
    let xml = answer("ec2", "CreateVpcPeeringConnection", &output).expect("xml");
    assert!(xml.contains("<expirationTime>2026-01-01T00:00:00.000Z</expirationTime>"), "{xml}");
}

/// Clients see a list that is empty where one was sent, and nothing where none was.
#[test]
fn an_absent_list_is_not_an_empty_one() {
    let (service, operation) = operation("ec2", "DescribeVpcs");
    for output in [Struct::new(), Struct::new().with("Vpcs", Value::List(vec![]))] {
        let xml = xml::encode(service, operation, &output, "r").expect("xml");
        assert_eq!(parse_answer(service, operation, &xml), output);
    }
}

#[test]
fn what_xml_forbids_comes_as_a_replacement_character() {
    let texts = ["\0", "\u{1}\u{8}", "\u{b}\u{c}\u{e}\u{1f}", "\u{fffe}", "\u{ffff}"];
    for text in texts {
        let tags = Value::list([Struct::new().with("Key", "k").with("Value", text)]);
        let output = Struct::new().with("Tags", tags);
        let xml = answer("ec2", "DescribeTags", &output).expect("xml");
        let (service, operation) = operation("ec2", "DescribeTags");
        let read = parse_answer(service, operation, &xml);
        let value = read.structs("Tags").next().and_then(|tag| tag.text("Value")).expect("a value");
        assert_eq!(value, "\u{fffd}".repeat(text.chars().count()));
    }
}

#[test]
fn what_its_shape_does_not_allow_is_not_sent() {
    let vpcs = |vpc: Struct| Struct::new().with("Vpcs", Value::list([Struct::new(), vpc]));
    for (output, at, why) in [
        (vpcs(Struct::new().with("VpcID", "v")), "DescribeVpcs.Vpcs.2.VpcID", Problem::UnknownMember),
        (vpcs(Struct::new().with("VpcId", 5)), "DescribeVpcs.Vpcs.2.VpcId", Problem::NotA("a text")),
        (
            vpcs(Struct::new().with("State", "gone")),
            "DescribeVpcs.Vpcs.2.State",
            Problem::NotEnumerated("gone".into()),
        ),
        (Struct::new().with("Vpcs", "v"), "DescribeVpcs.Vpcs", Problem::NotA("a list")),
        (Struct::new().with("vpcSet", Value::List(vec![])), "DescribeVpcs.vpcSet", Problem::UnknownMember),
    ] {
        assert_eq!(problem("ec2", "DescribeVpcs", output), (at.to_owned(), why));
    }
    let half = Struct::new().with("Credentials", Struct::new().with("AccessKeyId", "a"));
    let (at, why) = problem("sts", "AssumeRole", half);
    assert_eq!((at.as_str(), why), ("AssumeRole.Credentials.SecretAccessKey", Problem::MissingMember));
    let (_, why) = problem("sts", "AssumeRole", Struct::new().with("PackedPolicySize", i64::MAX));
    assert!(matches!(why, Problem::OutOfRange(_)), "{why:?}");
}
