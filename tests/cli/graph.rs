//! `peerkeeper graph`.

use crate::client::Fault;
use crate::stage::{ACCOUNTS, OWNER, PROD, SHARED, Stage, peering};

const GRAPH: [&str; 3] = ["graph", "-f", "."];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    GRAPH.iter().copied().chain(more.iter().copied()).collect()
}

/// Of an SVG: the words of each edge's tooltip.
fn edges(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    let edges = document.descendants().filter(|node| node.attribute("data-edge").is_some());
    edges
        .map(|edge| edge.first_element_child().and_then(|t| t.text()).expect("a tooltip").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_peering_is_marked_lost_and_its_dead_routes_are_counted() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    let live = stage.run(&with(&["--output", "svg"]));
    assert_eq!((live.code, live.err.as_str()), (0, ""));
    let tip = &edges(&live.out)[0];
    assert!(tip.contains("\nlive\n") && tip.contains("routes 1 alive, 0 dead, 0 missing"), "{tip}");
    // Whoever made it: without tags it is as live as before.
    for network in [&one, &other] {
        let key = |key: &str| aws_sdk_ec2::types::Tag::builder().key(key).build();
        let untagged =
            network.ec2.delete_tags().resources(&id).tags(key(OWNER)).tags(key("peerkeeper.dev/origin"));
        untagged.send().await.expect("no tags");
    }
    let untagged = stage.run(&with(&["--output", "svg"]));
    let tip = &edges(&untagged.out)[0];
    assert!(tip.contains("\nlive\n"), "{tip}");

    stage.delete(&one.ec2, &id).await;
    stage.aws.forget_calls();
    let mermaid = stage.run(&GRAPH);
    assert_eq!((mermaid.code, mermaid.err.as_str()), (0, ""), "a loss is no error of the drawing");
    insta::assert_snapshot!("lost_mermaid", mermaid.out);
    let dot = stage.run(&with(&["--output", "dot"]));
    assert_eq!((dot.code, dot.err.as_str()), (0, ""));
    assert!(
        dot.out.contains("LOST: deleted") && dot.out.contains("routes 0 alive, 2 dead, 0 missing"),
        "{}",
        dot.out
    );
    let svg = stage.run(&with(&["--output", "svg"]));
    assert_eq!((svg.code, svg.err.as_str()), (0, ""));
    let tips = edges(&svg.out);
    assert_eq!(tips.len(), 1, "{tips:?}");
    for words in
        ["network/prod-shared", "LOST: deleted", "pcx-made", "requester: vpc-prod, routes 0 alive, 1 dead"]
    {
        assert!(tips[0].contains(words), "{words} is not in {}", tips[0]);
    }
    assert_eq!(svg.out, stage.run(&with(&["--output", "svg"])).out, "the same world, the same bytes");
    assert_eq!(stage.writes(), [""; 0], "a graph only reads");
}

/// AWS shows a tombstone for two days at most; the routes stay, and say what was there.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_aws_has_forgotten_is_seen_by_its_routes() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    if let crate::aws::Aws::Sim(sim) = &stage.aws {
        sim.pass(3 * 24 * 3_600_000);
    }
    let said = stage.run(&GRAPH);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    for words in ["LOST: AWS shows it no more", "pcx-made", "routes 0 alive, 2 dead, 0 missing"] {
        assert!(said.out.contains(words), "{words} is not in {}", said.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_made_what_nobody_declares_and_what_lacks_a_route_are_told_apart() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let third = stage.network("third", PROD, "eu-west-1", "10.3.0.0/16").await;
    let name = aws_sdk_ec2::types::Tag::builder().key("Name").value("Prod <1>").build();
    one.ec2.create_tags().resources(&one.vpc).tags(name).send().await.expect("a name");
    // Declared: one - other, which is there but for a route, and one - third, which nobody made.
    stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    let drop = one.ec2.delete_route().route_table_id(&one.private).destination_cidr_block("10.2.0.0/16");
    drop.send().await.expect("the route is gone");
    let local = peering(&one.vpc, &third.vpc)
        .replace("name: prod-shared", "name: local")
        .replace("us-east-1", "eu-west-1")
        .replace("{name: shared}", "{name: prod}");
    stage.write("local.yaml", &local);
    // Not declared: third - other.
    let made = third.ec2.create_vpc_peering_connection().vpc_id(&third.vpc).peer_vpc_id(&other.vpc);
    let made = made.peer_owner_id(SHARED).peer_region("us-east-1").send().await.expect("it is asked for");
    let stray = made.vpc_peering_connection.and_then(|p| p.vpc_peering_connection_id).expect("an id");
    stage.until_state(&third.ec2, &stray, "pending-acceptance").await;
    stage.name(&stray, "pcx-stray");
    let said = stage.run(&with(&["--output", "svg"]));
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    let tips = edges(&said.out);
    let tip = |of: &str| tips.iter().find(|tip| tip.contains(of)).unwrap_or_else(|| panic!("{of}: {tips:?}"));
    let hurt = tip("network/prod-shared");
    assert!(hurt.contains("live with dead or missing routes"), "{hurt}");
    assert!(hurt.contains("requester: Prod <1> (vpc-prod), routes 0 alive, 0 dead, 1 missing"), "{hurt}");
    assert!(hurt.contains("accepter: vpc-shared, routes 1 alive, 0 dead, 0 missing"), "{hurt}");
    let absent = tip("network/local");
    assert!(absent.contains("not made yet") && absent.contains("1 missing"), "{absent}");
    let undeclared = tip("pcx-stray");
    assert!(undeclared.contains("no manifest\nundeclared (live): pending-acceptance"), "{undeclared}");
    assert_eq!(tips.len(), 3, "{tips:?}");
}

/// Who holds no credentials opposite sees that side as the peering shows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_side_without_credentials_is_drawn_from_the_other() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    let text = peering(&one.vpc, &other.vpc);
    let routes = text.lines().filter(|line| !line.contains("name: main,")).collect::<Vec<_>>().join("\n");
    stage
        .write("peering.yaml", &routes.replace("account: {name: shared}", "account: {id: \"444455556666\"}"));
    let accounts = ACCOUNTS.split("---\n").take(2).collect::<Vec<_>>().join("---\n");
    stage.write("accounts.yaml", &format!("{accounts}  allowedPeerAccounts: [\"444455556666\"]\n"));
    let said = stage.run(&GRAPH);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("[\"444455556666 / us-east-1\"]"), "{}", said.out);
    assert!(said.out.contains("[\"vpc-shared<br/>10.2.0.0/16<br/>not read\"]"), "{}", said.out);
    assert!(said.out.contains("live<br/>pcx-made<br/>routes 1 alive, 0 dead, 0 missing"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_unknown_and_an_error_that_names_it() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let fault = Fault { action: "DescribeRouteTables", region: Some("us-east-1"), ..Fault::default() };
    stage.aws.refuse(fault, "UnauthorizedOperation");
    let said = stage.run(&GRAPH);
    assert_eq!(said.code, 1, "{}", said.out);
    for word in ["shared", "us-east-1", "DescribeRouteTables", "UnauthorizedOperation", "not complete"] {
        assert!(said.err.contains(word), "{word} is not in {}", said.err);
    }
    assert!(said.out.starts_with("flowchart LR\n"), "what could be read is drawn: {}", said.out);
    stage.aws.refuse(Fault::of("AssumeRole"), "AccessDenied");
    let denied = stage.run(&GRAPH);
    assert_eq!(denied.code, 1);
    assert!(denied.err.contains("AssumeRole") && denied.err.contains("AccessDenied"), "{}", denied.err);
    assert!(denied.out.contains("unknown: AWS could not be read"), "{}", denied.out);
    assert!(!denied.out.contains("not made yet"), "{}", denied.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_draws_on_moto_what_it_draws_on_ec2sim() {
    let mut stage = Stage::moto();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    let said = stage.run(&GRAPH);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    insta::assert_snapshot!("lost_mermaid", said.out);
}
