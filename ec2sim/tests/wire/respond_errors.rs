//! What is wrong with a request gets AWS's words for it, in the envelope of the service that was meant.

use ec2sim::wire::{HttpRequest, HttpResponse};
use ec2sim::{Action, Fault, Script, World};

use crate::client::{EU, US, ask, ask_with, authorization, client, first, text};

fn refusal(world: &mut World, request: &HttpRequest) -> (u16, String) {
    let answer = ask(world, request);
    let body = text(&answer);
    let code = if body.starts_with('{') {
        body.split("\"__type\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    } else {
        first(&body, "Code")
    };
    (answer.status, code)
}

#[test]
fn each_service_has_its_envelope() {
    let (mut world, us) = (World::new(), client(US, EU));
    let ec2 = text(&ask(&mut world, &us.ec2("DescribeVpcs", &[("VpcId.1", "vpc-0")])));
    assert!(ec2.contains("<Response><Errors><Error><Code>InvalidVpcID.Malformed</Code>"), "{ec2}");
    let sts = text(&ask(&mut world, &us.sts("Dance", &[])));
    assert!(
        sts.contains(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
        ),
        "{sts}"
    );
    let json = ask(
        &mut world,
        &us.json(
            "servicequotas",
            "ServiceQuotasV20190624.GetServiceQuota",
            "{\"ServiceCode\":\"vpc\",\"QuotaCode\":\"L-0\"}",
        ),
    );
    assert_eq!((json.status, text(&json).contains("\"__type\":\"NoSuchResourceException\"")), (400, true));
}

#[test]
fn what_is_unknown_is_refused_and_counted() {
    let (mut world, us) = (World::new(), client(US, EU));
    assert_eq!(refusal(&mut world, &us.ec2("RunInstances", &[])), (400, "InvalidAction".into()));
    assert_eq!(refusal(&mut world, &us.ec2("RunInstances", &[])), (400, "InvalidAction".into()));
    assert_eq!(refusal(&mut world, &us.sts("Dance", &[])), (400, "InvalidAction".into()));
    let json = us.json("cloudtrail", "CloudTrail_20131101.Dance", "{}");
    assert_eq!(refusal(&mut world, &json).0, 400);
    let counted = |service: &str, name: &str| {
        world.unknown_calls().get(&(service.to_owned(), name.to_owned())).copied()
    };
    assert_eq!(counted("ec2", "RunInstances"), Some(2));
    assert_eq!(counted("sts", "Dance"), Some(1));
}

#[test]
fn a_parameter_that_is_not_simulated_is_refused_and_nothing_happens() {
    let (mut world, us) = (World::new(), client(US, EU));
    let (status, code, message) = us.refused(&mut world, "CreateVpc", &[("Ipv4IpamPoolId", "ipam-pool-0")]);
    assert_eq!((status, code.as_str()), (400, "UnsupportedOperation"));
    assert!(message.contains("Ipv4IpamPoolId"), "{message}");
    assert_eq!(us.refused(&mut world, "CreateVpc", &[("Color", "red")]).1, "UnknownParameter");
    assert_eq!(us.refused(&mut world, "CreateVpc", &[]).1, "MissingParameter");
    assert_eq!(world.count(Action::CreateVpc), 0);
}

#[test]
fn who_does_not_say_who_calls_is_refused() {
    let mut world = World::new();
    let body = "Action=DescribeVpcs&Version=2016-11-15";
    assert_eq!(refusal(&mut world, &HttpRequest::post(body)), (403, "MissingAuthenticationToken".into()));
    let half = HttpRequest::post(body).header("Authorization", "AWS4-HMAC-SHA256 Credential=a");
    assert_eq!(refusal(&mut world, &half), (400, "IncompleteSignature".into()));
    let elsewhere = HttpRequest::post(body).header("Authorization", authorization("a", EU, "s3"));
    assert_eq!(refusal(&mut world, &elsewhere), (400, "InvalidAction".into()));

    let credential = format!("{US}%2F20260102%2F{EU}%2Fec2%2Faws4_request");
    let query =
        format!("{body}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Signature=0");
    let presigned = HttpRequest { method: "GET".into(), path: "/".into(), query, ..HttpRequest::default() };
    assert_eq!(ask(&mut world, &presigned).status, 200);
}

#[test]
fn account_and_region_come_from_the_key_and_its_scope() {
    let mut world = World::new();
    world.create_vpc(US, EU, "10.1.0.0/16").unwrap();
    let vpcs = |world: &mut World, key: &str, region: &str| {
        let body = client(key, region).done(world, "DescribeVpcs", &[]);
        body.matches("<vpcId>").count()
    };
    assert_eq!(vpcs(&mut world, US, EU), 1);
    assert_eq!(vpcs(&mut world, US, "us-east-1"), 0);
    assert_eq!(vpcs(&mut world, "444455556666", EU), 0);
    assert_eq!(vpcs(&mut world, "AKIASOMEBODY", EU), 0);
    world.set_default_account(US);
    assert_eq!(vpcs(&mut world, "AKIASOMEBODY", EU), 1);
    let who = text(&ask(&mut world, &client("AKIASOMEBODY", EU).sts("GetCallerIdentity", &[])));
    assert_eq!(first(&who, "Account"), US);
}

#[test]
fn a_dry_run_says_what_would_happen_and_does_nothing() {
    let (mut world, us) = (World::new(), client(US, EU));
    let dry = [("CidrBlock", "10.1.0.0/16"), ("DryRun", "true")];
    let (status, code, _) = us.refused(&mut world, "CreateVpc", &dry);
    assert_eq!((status, code.as_str()), (412, "DryRunOperation"));
    world.deny(US, EU, Action::CreateVpc);
    let (status, code, _) = us.refused(&mut world, "CreateVpc", &dry);
    assert_eq!((status, code.as_str()), (403, "UnauthorizedOperation"));
    assert_eq!(us.done(&mut world, "DescribeVpcs", &[]).matches("<vpcId>").count(), 0);
}

#[test]
fn faults_have_their_status_and_a_lost_answer_is_none() {
    for (fault, status, code) in [
        (Fault::Throttled, 503, "RequestLimitExceeded"),
        (Fault::Unavailable, 503, "Unavailable"),
        (Fault::Internal, 500, "InternalError"),
        (Fault::Denied, 403, "UnauthorizedOperation"),
        (Fault::Expired, 400, "RequestExpired"),
    ] {
        let (mut world, us) = (World::new(), client(US, EU));
        let mut chance = Script::new().fault_next(fault);
        let answer = ask_with(&mut world, &us.ec2("DescribeVpcs", &[]), &mut chance).answer().unwrap();
        assert_eq!((answer.status, first(&text(&answer), "Code").as_str()), (status, code));
    }
    let (mut world, us) = (World::new(), client(US, EU));
    let mut chance = Script::new().fault_next(Fault::TimeoutAfterEffect);
    let request = us.ec2("CreateVpc", &[("CidrBlock", "10.1.0.0/16")]);
    assert_eq!(ask_with(&mut world, &request, &mut chance), HttpResponse::NoReply);
    assert_eq!(us.done(&mut world, "DescribeVpcs", &[]).matches("<vpcId>").count(), 1);
}

#[test]
fn quotas_are_those_of_the_world() {
    let (mut world, us) = (World::new(), client(US, EU));
    let get = |world: &mut World, operation: &str| {
        let body = "{\"ServiceCode\":\"vpc\",\"QuotaCode\":\"L-7E9ECCDB\"}";
        let answer =
            ask(world, &us.json("servicequotas", &format!("ServiceQuotasV20190624.{operation}"), body));
        assert_eq!(answer.status, 200);
        let body = text(&answer);
        body.split("\"Value\":").nth(1).unwrap().split([',', '}']).next().unwrap().to_owned()
    };
    let raised = ec2sim::Quotas { active_peerings_per_vpc: 125, ..Default::default() };
    assert_eq!(get(&mut world, "GetServiceQuota"), "50.0");
    world.set_quotas(US, EU, raised);
    assert_eq!(get(&mut world, "GetServiceQuota"), "125.0");
    assert_eq!(get(&mut world, "GetAWSDefaultServiceQuota"), "50.0");
}
