//! `peerkeeper plan`.

use std::process::Stdio;

use crate::client::Fault;
use crate::stage::{ACCOUNTS, OWNER, PROD, Stage, peering};

const PLAN: [&str; 3] = ["plan", "-f", "."];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    PLAN.iter().copied().chain(more.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_to_a_new_peering_is_told_and_nothing_is_written() {
    let mut stage = Stage::sim();
    stage.pair().await;
    stage.aws.forget_calls();
    let text = stage.run(&PLAN);
    assert_eq!((text.code, text.err.as_str()), (2, ""), "{}", text.out);
    insta::assert_snapshot!("new_text", text.out);
    let json = stage.run(&with(&["--output", "json", "--owner-id", "cluster-1"]));
    assert_eq!((json.code, json.err.as_str()), (2, ""));
    insta::assert_snapshot!("new_json", json.out);
    let markdown = stage.run(&with(&["-o", "markdown"]));
    assert_eq!((markdown.code, markdown.err.as_str()), (2, ""));
    insta::assert_snapshot!("new_markdown", markdown.out);
    assert_eq!(stage.writes(), [""; 0], "a plan only reads");
    assert!(stage.aws.calls().contains_key("DescribeRouteTables"), "it does read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_declared_is_in_sync_whichever_installation_made_it() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    for args in [with(&[]), with(&["--owner-id", "cluster-1"])] {
        let said = stage.run(&args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
        assert!(said.out.ends_with("Plan: 1 peering, 1 in sync.\n"), "{}", said.out);
    }
    let other_owner = stage.run(&with(&["--owner-id", "cluster-2"]));
    assert_eq!(other_owner.code, 2);
    insta::assert_snapshot!("other_owner", other_owner.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_deletion_the_way_back_is_told_dead_routes_included() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    let said = stage.run(&PLAN);
    assert_eq!((said.code, said.err.as_str()), (2, ""));
    insta::assert_snapshot!("deleted", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_drifted_is_told_with_what_is_held_and_traffic_that_moves_comes_first() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    // Somebody made the private table's route wider, to somewhere else, and put another in the place of ours.
    let gateway = stage.gateway(&one).await;
    stage.name(&gateway, "igw-somebodys");
    let drop = one.ec2.delete_route().route_table_id(&one.private).destination_cidr_block("10.2.0.0/16");
    drop.send().await.expect("the route is gone");
    stage.wide_route(&one, &gateway).await;
    let theirs = one.ec2.create_route().route_table_id(&one.main).destination_cidr_block("10.2.0.0/16");
    theirs.gateway_id(&gateway).send().await.expect("a route of somebody's");
    let all = peering(&one.vpc, &other.vpc).replace("matchTags: {tier: private}", "select: All");
    stage.write("peering.yaml", &all);
    let text = stage.run(&PLAN);
    assert_eq!((text.code, text.err.as_str()), (2, ""));
    insta::assert_snapshot!("drifted_text", text.out);
    insta::assert_snapshot!("drifted_markdown", stage.run(&with(&["-o", "markdown"])).out);
}

/// A route to a peering that AWS does not show may lead to one that is hidden for a moment: one look proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_look_can_not_prove_is_said_and_not_planned() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    if let crate::aws::Aws::Sim(sim) = &stage.aws {
        sim.pass(3 * 24 * 3_600_000);
    }
    let said = stage.run(&PLAN);
    assert_eq!((said.code, said.err.as_str()), (2, ""), "{}", said.out);
    assert!(said.out.contains("leads to pcx-made, of which nothing is known yet"), "{}", said.out);
    assert!(!said.out.contains("instead of pcx-made"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_account_is_an_error_that_names_it_and_hides_nothing_of_the_others() {
    let mut stage = Stage::sim();
    let (one, _) = stage.pair().await;
    let third = stage.network("third", PROD, "eu-west-1", "10.3.0.0/16").await;
    let local = peering(&one.vpc, &third.vpc)
        .replace("name: prod-shared", "name: local")
        .replace("us-east-1", "eu-west-1")
        .replace("{name: shared}", "{name: prod}");
    stage.write("local.yaml", &local);
    let fault = Fault { action: "DescribeRouteTables", region: Some("us-east-1"), ..Fault::default() };
    stage.aws.refuse(fault, "UnauthorizedOperation");
    let said = stage.run(&PLAN);
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    for word in ["shared", "us-east-1", "DescribeRouteTables", "UnauthorizedOperation"] {
        assert!(said.err.contains(word), "{word} is not in {}", said.err);
    }
    assert!(said.out.contains("VpcPeering network/local: to change"), "{}", said.out);
    assert!(!said.out.contains("prod-shared: in sync"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_out_of_reach_and_roles_out_of_reach_are_errors_and_no_empty_plans() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let nobody = ["plan", "-f", ".", "--aws-endpoint-url", "http://127.0.0.1:1"];
    let said = stage.run(&nobody);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.err.contains("AwsAccount prod") && said.err.contains("AssumeRole"), "{}", said.err);
    assert!(said.err.contains("Connection refused"), "{}", said.err);
    assert!(!said.err.contains(['{', '"']), "no error as a debugger shows it: {}", said.err);
    let first = said.out.lines().nth(1).expect("a peering");
    assert!(
        first.contains(": unknown, ") && !said.out.contains("absent"),
        "unread is not absent: {}",
        said.out
    );
    let mut command = stage.command(&PLAN);
    let said = stage.said(command.env_remove("AWS_ACCESS_KEY_ID").output().expect("the binary runs"));
    assert_eq!(said.code, 1, "{}", said.out);
    assert_eq!(said.err.lines().count(), 3, "a head and a line for each account: {}", said.err);
    assert!(!said.err.contains(['{', '"']), "no error as a debugger shows it: {}", said.err);
    stage.aws.refuse(Fault::of("AssumeRole"), "AccessDenied");
    let said = stage.run(&PLAN);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("AssumeRole") && said.err.contains("AccessDenied"), "{}", said.err);
    assert!(said.out.contains("unknown"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_accounts_among_the_manifests_the_ambient_credentials_serve() {
    let mut stage = Stage::sim();
    let one = stage.network("one", crate::client::OWN_ACCOUNT, "eu-west-1", "10.1.0.0/16").await;
    let other = stage.network("other", crate::client::OWN_ACCOUNT, "eu-west-1", "10.2.0.0/16").await;
    let manifest = peering(&one.vpc, &other.vpc)
        .replace("us-east-1", "eu-west-1")
        .replace("account: {name: prod}", "account: {name: default}")
        .replace("    account: {name: shared}\n", "");
    stage.write("peering.yaml", &manifest);
    let said = stage.run(&PLAN);
    assert_eq!((said.code, said.err.as_str()), (2, ""), "{}", said.out);
    assert!(said.out.contains("vpc-one in 123456789012/eu-west-1"), "{}", said.out);
    assert!(said.out.contains("accept the new peering"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_no_credentials_opposite_is_told_what_waits_for_whom() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let manifest = peering(&one.vpc, &other.vpc)
        .replace("account: {name: shared}", "account: {id: \"444455556666\"}")
        .replace(
            "    routes: [{name: main, routeTables: {select: Main}, destinations: {peerCidrs: All}}]\n",
            "",
        );
    stage.write("peering.yaml", &manifest);
    let accounts = ACCOUNTS.split("---\n").take(2).collect::<Vec<_>>().join("---\n");
    stage.write("accounts.yaml", &format!("{accounts}  allowedPeerAccounts: [\"444455556666\"]\n"));
    let said = stage.run(&PLAN);
    assert_eq!((said.code, said.err.as_str()), (2, ""), "{}", said.out);
    assert!(said.out.contains("AwaitingAcceptance: the new peering waits to be accepted"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_has_read_enough() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let mut child =
        stage.command(&PLAN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let said = stage.said(child.wait_with_output().expect("it ends"));
    assert_eq!((said.code, said.err.as_str()), (2, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_come_by_standard_input_too() {
    use std::io::Write;
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let mut child = stage.command(&["plan", "-f", "-"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let stream = format!("{ACCOUNTS}---\n{}", peering(&one.vpc, &other.vpc));
    child.stdin.take().expect("a pipe").write_all(stream.as_bytes()).expect("it reads");
    let said = stage.said(child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 2);
    assert!(said.out.contains("(standard input:"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_plans_on_moto_what_it_plans_on_ec2sim() {
    let mut stage = Stage::moto();
    let (one, other) = stage.pair().await;
    let new = stage.run(&PLAN);
    assert_eq!((new.code, new.err.as_str()), (2, ""));
    insta::assert_snapshot!("new_text", new.out);
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    let made = stage.run(&PLAN);
    // moto shows the creator's tags to both sides, so nothing is missing on either.
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{}", made.out);
    let untagged = one.ec2.delete_tags().resources(&id);
    untagged.tags(aws_sdk_ec2::types::Tag::builder().key(OWNER).build()).send().await.expect("no tag");
    let nobodys = stage.run(&PLAN);
    assert_eq!(nobodys.code, 2);
    assert!(nobodys.out.contains("peerkeeper.dev/owner=OWNER-ID/network/prod-shared"), "{}", nobodys.out);
}
