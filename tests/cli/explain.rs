//! `peerkeeper explain -f`: manifests and what AWS shows.

use crate::stage::{PROD, Stage, peering};

fn explain<'a>(subject: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["explain", subject, "-f", "."].into_iter().chain(more.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_peering_is_told_by_its_name_its_id_a_table_and_a_vpc() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    let well = stage.run(&explain("network/prod-shared", &[]));
    assert_eq!((well.code, well.err.as_str()), (0, ""));
    assert!(well.out.contains("State     in sync") && well.out.contains("Would do  nothing"), "{}", well.out);
    stage.delete(&one.ec2, &id).await;
    stage.aws.forget_calls();
    for (name, subject) in [
        ("lost_name", "prod-shared"),
        ("lost_id", &id),
        ("lost_table", &one.private),
        ("lost_vpc", &other.vpc),
    ] {
        let said = stage.run(&explain(subject, &[]));
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
        insta::assert_snapshot!(name, said.out);
    }
    let json = stage.run(&explain("prod-shared", &["-o", "json"]));
    let view: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(view["objects"][0]["awsState"], "absent");
    assert_eq!(stage.writes(), [""; 0], "it only reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_declares_is_told_as_aws_shows_it() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let id = stage.make(&one, &other, "cluster-1/network/elsewhere").await;
    // The manifests need the same places, and declare another pair.
    let third = stage.network("third", PROD, "eu-west-1", "10.3.0.0/16").await;
    let local = peering(&third.vpc, &other.vpc);
    stage.write("peering.yaml", &local);
    let said = stage.run(&explain(&id, &[]));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    insta::assert_snapshot!("undeclared", said.out);
    let absent = stage.run(&explain("pcx-00000000000000fff", &[]));
    assert_eq!((absent.code, absent.out.as_str()), (1, ""));
    assert!(absent.err.contains("AWS shows no pcx-00000000000000fff in prod/eu-west-1"), "{}", absent.err);
    let misspelt = stage.run(&explain("prod-share", &[]));
    assert_eq!((misspelt.code, misspelt.out.as_str()), (1, ""));
    assert!(misspelt.err.contains("did you mean prod-shared?"), "{}", misspelt.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hold_names_what_releases_it() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    let tag = aws_sdk_ec2::types::Tag::builder().key("peerkeeper.dev/hold").value("audit").build();
    other.ec2.create_tags().resources(&other.vpc).tags(tag).send().await.expect("the VPC is tagged");
    let said = stage.run(&explain("prod-shared", &[]));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("State     held"), "{}", said.out);
    let command =
        "aws ec2 delete-tags --region us-east-1 --resources vpc-shared --tags Key=peerkeeper.dev/hold";
    assert_eq!(
        said.out.matches("aws ec2 delete-tags").count(),
        1,
        "of the VPC that carries it: {}",
        said.out
    );
    assert!(said.out.contains(command), "{}", said.out);
    let untagged = other.ec2.delete_tags().resources(&other.vpc);
    let key = aws_sdk_ec2::types::Tag::builder().key("peerkeeper.dev/hold").build();
    untagged.tags(key).send().await.expect("what the command does");
    let suspended = peering(&one.vpc, &other.vpc).replace("  tags: {team", "  suspend: true\n  tags: {team");
    stage.write("peering.yaml", &suspended);
    let said = stage.run(&explain("prod-shared", &[]));
    assert!(said.out.contains("in ./peering.yaml:1, write spec.suspend: false"), "{}", said.out);
    stage.write("peering.yaml", &peering(&one.vpc, &other.vpc));
    let said = stage.run(&explain("prod-shared", &[]));
    assert!(said.out.contains("State     to change") && !said.out.contains("Held by"), "{}", said.out);
}
