//! `peerkeeper apply`.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::stage::{Stage, peering};

pub const APPLY: [&str; 8] = [
    "apply",
    "-f",
    ".",
    "--owner-id",
    "cluster-1",
    "--settle-window=2s",
    "--absence-gap=1s",
    "--timeout=60s",
];

pub fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    APPLY.iter().copied().chain(more.iter().copied()).collect()
}

/// What is sent in which order depends on how fast AWS shows things; that it is sent, and once, does not.
fn counted(writes: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    writes.into_iter().for_each(|action| *counts.entry(action).or_default() += 1);
    counts
}

async fn makes_keeps_and_repairs(mut stage: Stage) {
    let (one, other) = stage.pair().await;
    stage.aws.forget_calls();
    let made = stage.run(&APPLY);
    assert_eq!(made.code, 0, "{}\n{}", made.out, made.err);
    assert!(made.out.contains("VpcPeering network/prod-shared: in sync"), "{}", made.out);
    assert!(made.out.ends_with("Applied: 1 peering, 1 in sync.\n"), "{}", made.out);
    assert!(made.err.contains("network/prod-shared: add route 10.2.0.0/16"), "progress: {}", made.err);
    let tags = if stage.aws.is_moto() { 0 } else { 1 };
    let mut floor = BTreeMap::from([
        ("CreateVpcPeeringConnection".to_owned(), 1),
        ("AcceptVpcPeeringConnection".to_owned(), 1),
        ("CreateRoute".to_owned(), 2),
    ]);
    if tags > 0 {
        floor.insert("CreateTags".to_owned(), tags);
    }
    assert_eq!(counted(stage.writes()), floor, "each thing once");

    stage.aws.forget_calls();
    let again = stage.run(&APPLY);
    assert_eq!(again.code, 0, "{}\n{}", again.out, again.err);
    assert_eq!(stage.writes(), [""; 0], "what is as declared is left alone");
    let plan = stage.run(&["plan", "-f", "."]);
    assert_eq!(plan.code, 0, "{}", plan.out);

    let shown = one.ec2.describe_vpc_peering_connections().send().await.expect("peerings");
    let id = shown.vpc_peering_connections()[0].vpc_peering_connection_id().expect("an id").to_owned();
    stage.name(&id, "pcx-made");
    let kept = stage.run(&APPLY);
    insta::assert_snapshot!("applied", kept.out);
    stage.delete(&other.ec2, &id).await;
    stage.aws.forget_calls();
    let restored = stage.run(&APPLY);
    assert_eq!(restored.code, 0, "{}\n{}", restored.out, restored.err);
    let writes = counted(stage.writes());
    assert_eq!((writes["CreateVpcPeeringConnection"], writes["ReplaceRoute"]), (1, 2), "{writes:?}");
    assert!(!writes.contains_key("DeleteRoute") && !writes.contains_key("CreateRoute"), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_makes_keeps_and_repairs_a_peering_on_ec2sim() {
    makes_keeps_and_repairs(Stage::sim()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_makes_keeps_and_repairs_a_peering_on_moto() {
    makes_keeps_and_repairs(Stage::moto()).await;
}

/// A new route that takes traffic from a wider one needs leave, and nobody sits at a pipeline.
#[tokio::test(flavor = "multi_thread")]
async fn what_moves_traffic_needs_leave_and_room() {
    let mut stage = Stage::sim();
    let (one, _) = stage.pair().await;
    let gateway = stage.gateway(&one).await;
    stage.wide_route(&one, &gateway).await;
    stage.aws.forget_calls();
    let refused = stage.run(&APPLY);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
    assert!(refused.err.contains("MOVES TRAFFIC") && refused.err.contains("say --yes"), "{}", refused.err);
    let many = stage.run(&with(&["--yes", "--max-removals=0"]));
    assert_eq!((many.code, many.out.as_str()), (1, ""));
    assert!(many.err.contains("raise --max-removals"), "{}", many.err);
    assert_eq!(stage.writes(), [""; 0], "nothing was done");
    let done = stage.run(&with(&["--yes"]));
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
}

/// A peering that AWS has forgotten: two readings, far enough apart, prove it, and its routes are pointed anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_proved_before_its_routes_are_pointed_elsewhere() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    stage.delete(&one.ec2, &id).await;
    if let Aws::Sim(sim) = &stage.aws {
        sim.pass(3 * 24 * 3_600_000);
    }
    stage.aws.forget_calls();
    let said = stage.run(&APPLY);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert_eq!(counted(stage.writes()).get("ReplaceRoute"), Some(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_left_and_told_and_the_others_are_done() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    stage.make(&one, &other, "cluster-2/network/prod-shared").await;
    let third = stage.network("third", crate::stage::PROD, "eu-west-1", "10.3.0.0/16").await;
    let local = peering(&one.vpc, &third.vpc)
        .replace("name: prod-shared", "name: local")
        .replace("us-east-1", "eu-west-1")
        .replace("{name: shared}", "{name: prod}");
    stage.write("local.yaml", &local);
    let said = stage.run(&APPLY);
    assert_eq!(said.code, 2, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("network/local: in sync"), "{}", said.out);
    assert!(said.out.contains("OwnedElsewhere"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_where_aws_can_not_be_read_everywhere_or_nobody_says_whose_it_is() {
    let mut stage = Stage::sim();
    stage.pair().await;
    let nobodys = stage.run(&["apply", "-f", "."]);
    assert_eq!(nobodys.code, 1);
    assert!(nobodys.err.contains("--owner-id"), "{}", nobodys.err);
    let fault =
        crate::client::Fault { action: "DescribeVpcs", region: Some("us-east-1"), ..Default::default() };
    stage.aws.refuse(fault, "UnauthorizedOperation");
    stage.aws.forget_calls();
    let denied = stage.run(&APPLY);
    assert_eq!((denied.code, denied.out.as_str()), (1, ""));
    assert!(denied.err.contains("DescribeVpcs") && denied.err.contains("nothing was done"), "{}", denied.err);
    assert_eq!(stage.writes(), [""; 0]);
}
