//! `peerkeeper check`: each trouble has its line, names what to do, and hides none of the others; nothing is changed.

use ::ec2sim::Request;
use serde_json::Value;

use crate::client::Fault;
use crate::stage::{ACCOUNTS, Network, PROD, SHARED, Stage};

const CHECK: [&str; 3] = ["check", "-f", "."];
const OWNED: &str = "cluster-1/network/prod-shared";
const WRITES: [&str; 9] = [
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "ModifyVpcPeeringConnectionOptions",
    "CreateTags",
    "DeleteTags",
    "CreateRoute",
    "ReplaceRoute",
    "DeleteRoute",
];

/// All lines, after what holds for each of them.
#[track_caller]
fn lines(stage: &Stage, more: &[&str], code: i32) -> Vec<Value> {
    let args: Vec<&str> = CHECK.iter().chain(&["-o", "json"]).chain(more).copied().collect();
    let said = stage.run(&args);
    assert_eq!((said.code, said.err.as_str()), (code, ""), "{}", said.out);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    let lines = told["lines"].as_array().expect("lines").clone();
    for line in &lines {
        assert_eq!(
            line["status"] == "fail" || line["status"] == "warn",
            line["remedy"].is_string(),
            "{line}"
        );
    }
    assert_eq!(lines.iter().any(|line| line["status"] == "fail"), code == 1);
    lines
}

/// The status and the detail of one line.
#[track_caller]
fn of(lines: &[Value], what: &str) -> (String, String) {
    let found: Vec<&Value> = lines.iter().filter(|line| line["what"] == what).collect();
    assert_eq!(found.len(), 1, "{what} in {lines:#?}");
    let text = |key: &str| found[0][key].as_str().expect("a text").to_owned();
    (text("status"), text("detail"))
}

#[track_caller]
fn fails(lines: &[Value]) -> Vec<&str> {
    let failed = lines.iter().filter(|line| line["status"] == "fail");
    failed.map(|line| line["what"].as_str().expect("a text")).collect()
}

/// What somebody else is shown.
async fn shown(networks: [&Network; 2]) -> String {
    let mut all = String::new();
    for network in networks {
        let peerings = network.ec2.describe_vpc_peering_connections().send().await.expect("peerings");
        let tables = network.ec2.describe_route_tables().send().await.expect("tables");
        all += &format!("{:#?}{:#?}", peerings.vpc_peering_connections(), tables.route_tables());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_in_place_everything_is_tried_and_nothing_changed() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, OWNED).await;
    let before = shown([&one, &other]).await;
    let said = stage.run(&CHECK);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    insta::assert_snapshot!("in_place", said.out);
    let lines = lines(&stage, &[], 0);
    for action in WRITES.iter().filter(|action| !action.starts_with("Accept")) {
        assert_eq!(of(&lines, &format!("AwsAccount prod eu-west-1 {action}")).0, "ok", "{lines:#?}");
    }
    assert_eq!(shown([&one, &other]).await, before);
}

/// Before there is a peering with its routes, nothing proves that DryRun is heeded: no other write is asked about.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_proof_no_write_is_asked_about() {
    let mut stage = Stage::sim();
    stage.pair().await;
    stage.aws.forget_calls();
    let lines = lines(&stage, &[], 0);
    for action in WRITES.iter().filter(|action| !action.starts_with("Accept")) {
        let (status, why) = of(&lines, &format!("AwsAccount prod eu-west-1 {action}"));
        assert_eq!(status, "not checked");
        assert!(why.contains("did not prove that it heeds DryRun"), "{why}");
    }
    // The route that is not there is the one thing that was asked about, once on each side.
    assert_eq!(stage.writes(), ["DeleteRoute"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_be_assumed_fails_and_the_rest_is_checked() {
    let mut stage = Stage::sim();
    stage.pair().await;
    stage.aws.refuse(Fault { times: Some(1), ..Fault::of("AssumeRole") }, "AccessDenied");
    let lines = lines(&stage, &[], 1);
    let failed = fails(&lines);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(["AwsAccount prod", "AwsAccount shared"].contains(&failed[0]), "{failed:?}");
    let (_, why) = of(&lines, failed[0]);
    assert!(why.contains("AssumeRole") && why.contains("AccessDenied"), "{why}");
    assert!(lines.iter().any(|line| line["what"].as_str().expect("a text").ends_with(" DescribeVpcs")));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_another_account_fail_before_anything_is_asked_with_them() {
    let mut stage = Stage::sim();
    stage.pair().await;
    stage.write(
        "accounts.yaml",
        &ACCOUNTS.replace("  roleArn: arn:aws:iam::111122223333:role/peerkeeper\n", ""),
    );
    let lines = lines(&stage, &[], 1);
    assert_eq!(fails(&lines), ["AwsAccount prod"]);
    let (_, why) = of(&lines, "AwsAccount prod");
    assert!(why.contains("declares account 111122223333") && why.contains("account 123456789012"), "{why}");
    assert_eq!(of(&lines, "AwsAccount shared").0, "ok");
    assert!(!lines.iter().any(|line| line["what"].as_str().expect("a text").starts_with("AwsAccount prod ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_read_that_is_denied_is_named() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, OWNED).await;
    for action in
        ["DescribeVpcPeeringConnections", "DescribeVpcs", "DescribeRouteTables", "DescribeManagedPrefixLists"]
    {
        stage.aws.refuse(Fault { region: Some("us-east-1"), ..Fault::of(action) }, "UnauthorizedOperation");
        let lines = lines(&stage, &[], 1);
        let what = format!("AwsAccount shared us-east-1 {action}");
        assert_eq!(fails(&lines), [what.as_str()], "{lines:#?}");
        assert_eq!(of(&lines, &what).1, "refused with UnauthorizedOperation");
        stage.aws.mend();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_that_is_denied_is_named_with_what_it_was_tried_on() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, OWNED).await;
    for action in WRITES {
        // The request is made and taken on different sides.
        let (name, region) =
            if action.starts_with("Create") { ("prod", "eu-west-1") } else { ("shared", "us-east-1") };
        stage.aws.refuse(Fault { region: Some(region), ..Fault::of(action) }, "UnauthorizedOperation");
        let lines = lines(&stage, &[], 1);
        let what = format!("AwsAccount {name} {region} {action}");
        assert_eq!(fails(&lines), [what.as_str()], "{lines:#?}");
        let (_, why) = of(&lines, &what);
        assert!(why.contains("UnauthorizedOperation"), "{why}");
        stage.aws.mend();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vpc_that_is_not_there_and_an_account_that_is_not_declared_fail() {
    let mut stage = Stage::sim();
    let (one, _) = stage.pair().await;
    let absent = crate::stage::peering(&one.vpc, "vpc-0fedcba9876543210");
    stage.write("peering.yaml", &absent.replace("{name: shared}", "{name: other}"));
    let lines = lines(&stage, &[], 1);
    assert_eq!(fails(&lines), ["AwsAccount other"]);
    stage.write("peering.yaml", &absent);
    let lines = self::lines(&stage, &[], 1);
    assert_eq!(fails(&lines), ["AwsAccount shared us-east-1 vpc-0fedcba9876543210"]);
    assert_eq!(of(&lines, "AwsAccount prod").0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_nearly_full_warns_by_the_accounts_own_quota() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, OWNED).await;
    stage.aws.sim().world(|ec2| {
        let mut quotas = ec2.quotas(PROD, "eu-west-1");
        quotas.routes_per_table = 5;
        ec2.set_quotas(PROD, "eu-west-1", quotas);
    });
    stage.route(&one.ec2, &one.private, "10.9.0.0/16", &id).await;
    assert_eq!(of(&lines(&stage, &[], 0), "AwsAccount prod eu-west-1 routes per table").0, "ok");
    stage.route(&one.ec2, &one.private, "10.8.0.0/16", &id).await;
    let lines = lines(&stage, &[], 0);
    let (status, detail) = of(&lines, "AwsAccount prod eu-west-1 routes per table");
    assert_eq!(
        (status.as_str(), detail.as_str()),
        ("warn", "rtb-prod-private has 4 of 5, the account's quota")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_answers_and_one_that_does_not() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let endpoint = stage.aws.clients().endpoint().to_owned();
    stage.aws.sim().world(|ec2| {
        let name = "events".to_owned();
        let create = Request::CreateQueue { name, attributes: Default::default(), tags: Default::default() };
        ec2.as_human(PROD, "eu-west-1", create).expect("a queue")
    });
    let there = format!("{endpoint}/{PROD}/events,region=eu-west-1");
    let absent = format!("{endpoint}/{SHARED}/absent,region=us-east-1");
    let lines = lines(&stage, &["--event-queue-url", &there, "--event-queue-url", &absent], 1);
    let of_queue = |name: &str| {
        let found = lines.iter().find(|line| line["what"].as_str().expect("a text").ends_with(name));
        found.unwrap_or_else(|| panic!("{name} in {lines:#?}")).clone()
    };
    assert_eq!(of_queue("/events")["status"], "ok");
    assert_eq!(of_queue("/events")["detail"], "by AwsAccount prod, 0 messages wait");
    assert_eq!(of_queue("/absent")["status"], "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_and_a_cluster_out_of_reach_fail_each_with_its_line() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let config = "{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], \
                  clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: a, user: {}}]}";
    stage.write("config", config);
    let nobody = ["--aws-endpoint-url", "http://127.0.0.1:1", "--kubeconfig", "config"];
    let lines = lines(&stage, &nobody, 1);
    assert_eq!(fails(&lines), ["cluster http://127.0.0.1:1", "AwsAccount prod", "AwsAccount shared"]);
    // Without manifests it is the cluster that would say what to look at.
    let said = stage.run(&["check", "--kubeconfig", "config"]);
    assert_eq!(said.code, 1);
    assert!(said.out.starts_with("fail "), "{}", said.out);
}

/// moto says of DescribeVpcs that it heeds DryRun, and carries writes out all the same.
#[tokio::test(flavor = "multi_thread")]
async fn on_moto_writes_are_not_checked_and_nothing_is_made() {
    let mut stage = Stage::moto();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, OWNED).await;
    let before = shown([&one, &other]).await;
    stage.aws.forget_calls();
    let said = stage.run(&["check", "-f", ".", "-o", "json"]);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    let lines = told["lines"].as_array().expect("lines").clone();
    for place in ["prod eu-west-1", "shared us-east-1"] {
        // A request is made on one side and accepted on the other.
        let not_here = if place.starts_with("prod") { "AcceptVpc" } else { "CreateVpc" };
        for action in WRITES.iter().filter(|action| !action.starts_with(not_here)) {
            let (status, why) = of(&lines, &format!("AwsAccount {place} {action}"));
            assert_eq!(
                (status.as_str(), why.as_str()),
                ("not checked", "this endpoint does not heed DryRun")
            );
        }
        assert_eq!(of(&lines, &format!("AwsAccount {place} DescribeRouteTables")).0, "ok");
    }
    assert_eq!(shown([&one, &other]).await, before);
    // The one that changes nothing even where it is carried out.
    let mut writes = stage.writes();
    writes.retain(|action| WRITES.contains(&action.as_str()));
    assert_eq!(writes, ["ReplaceRoute"; 2]);
}
