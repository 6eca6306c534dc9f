//! Nothing but dry runs leaves by the client for them, and none of another write before DryRun was proved to be heeded.

use std::time::Duration;

use peerkeeper_core::ids::Region;

use super::fake::{Fake, Reply, error};
use crate::aws::accounts::Purpose;
use crate::aws::{Attempt, Canary, Leave, RouteThere, Unproved};

fn here() -> Region {
    "eu-west-1".parse().unwrap()
}

fn route() -> RouteThere {
    RouteThere {
        table: "rtb-0123456789abcdef0".parse().unwrap(),
        to: "10.2.0.0/16".parse().unwrap(),
        over: "pcx-0123456789abcdef0".parse().unwrap(),
    }
}

fn dry() -> Reply {
    error(412, "DryRunOperation")
}

fn same() -> [Canary; 1] {
    [Canary::SameRoute(route())]
}

fn every_attempt() -> Vec<Attempt> {
    let (RouteThere { table, to, over }, id) = (route(), route().over);
    let vpc = |id: &str| id.parse().unwrap();
    let peer_at =
        peerkeeper_core::ids::AccountRegion { account: "444455556666".parse().unwrap(), region: here() };
    vec![
        Attempt::Create { vpc: vpc("vpc-0a1b2c3d4e5f60789"), peer: vpc("vpc-0fedcba9876543210"), peer_at },
        Attempt::Accept(id),
        Attempt::Delete(id),
        Attempt::Options { id, is_requester: true },
        Attempt::Options { id, is_requester: false },
        Attempt::Tag(id),
        Attempt::Untag(id),
        Attempt::AddRoute { table, to, over },
        Attempt::Repoint(route()),
        Attempt::DropRoute { table, to },
    ]
}

#[tokio::test(start_paused = true)]
async fn what_is_no_dry_run_never_leaves_by_the_client_for_them() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    aws.verify("prod").await.unwrap();
    let account = aws.inner.held("prod").unwrap().account.clone();
    let client = account.client(Purpose::Rehearse, here(), Duration::from_secs(5));
    let delete = || client.delete_vpc_peering_connection().vpc_peering_connection_id("pcx-0123456789abcdef0");
    for ask in [delete(), delete().dry_run(false)] {
        let refused = ask.send().await.unwrap_err();
        let said = format!("{}", aws_sdk_ec2::error::DisplayErrorContext(&refused));
        assert!(said.contains("only dry runs may be sent here"), "{said}");
    }
    client.describe_vpcs().send().await.unwrap_err();
    assert_eq!(fake.ec2_count(), 0);
    fake.always("DeleteVpcPeeringConnection", dry());
    delete().dry_run(true).send().await.unwrap_err();
    assert_eq!(fake.count("DeleteVpcPeeringConnection"), 1);
}

#[tokio::test(start_paused = true)]
async fn every_write_is_asked_about_as_a_dry_run() {
    let fake = Fake::new();
    fake.always("DescribeVpcs", dry());
    for attempt in every_attempt() {
        fake.always(attempt.action(), dry());
    }
    let aws = fake.aws().await;
    let rehearsal = aws.rehearse("prod", here(), &same()).await.unwrap();
    for attempt in every_attempt() {
        assert_eq!(rehearsal.ask(&attempt).await, Leave::Given, "{attempt:?}");
        let seen = fake.seen(attempt.action());
        assert!(!seen.is_empty() && seen.iter().all(|seen| seen.param("DryRun") == "true"), "{seen:?}");
    }
    fake.always("CreateTags", error(403, "UnauthorizedOperation"));
    let refused = rehearsal.ask(&Attempt::Tag(route().over)).await;
    assert!(
        matches!(&refused, Leave::Refused(error) if &*error.code == "UnauthorizedOperation"),
        "{refused:?}"
    );
    fake.always("CreateTags", error(400, "InvalidID"));
    assert!(matches!(rehearsal.ask(&Attempt::Tag(route().over)).await, Leave::Unsaid(_)));
    fake.always(
        "CreateTags",
        Reply::Xml(200, "<CreateTagsResponse><return>true</return></CreateTagsResponse>".into()),
    );
    assert_eq!(rehearsal.ask(&Attempt::Tag(route().over)).await, Leave::NotHeeded);
}

/// DescribeVpcs alone proves nothing: an EC2 may heed it there and nowhere else.
#[tokio::test(start_paused = true)]
async fn without_a_proof_there_is_no_rehearsal() {
    let done =
        || Reply::Xml(200, "<ReplaceRouteResponse><return>true</return></ReplaceRouteResponse>".into());
    let route = route();
    let absent = Canary::NoRoute { table: route.table, to: "192.0.2.0/24".parse().unwrap() };
    let both = [Canary::SameRoute(route), absent];
    /// What DescribeVpcs, ReplaceRoute and DeleteRoute are answered with; with which canaries; and what comes of it.
    type Case<'a> = ([Option<Reply>; 3], &'a [Canary], &'a str);
    let cases: [Case<'_>; 5] = [
        ([None, None, None], &both, "does not heed DryRun"),
        ([Some(dry()), Some(done()), Some(dry())], &both, "does not heed DryRun"),
        ([Some(dry()), None, None], &[], "no route table of a declared VPC"),
        ([Some(error(403, "UnauthorizedOperation")), None, None], &both, "UnauthorizedOperation"),
        (
            [
                Some(dry()),
                Some(error(403, "UnauthorizedOperation")),
                Some(error(400, "InvalidRoute.NotFound")),
            ],
            &both,
            "DeleteRoute was answered with InvalidRoute.NotFound",
        ),
    ];
    for (replies, canaries, expected) in cases {
        let fake = Fake::new();
        for (action, reply) in ["DescribeVpcs", "ReplaceRoute", "DeleteRoute"].into_iter().zip(replies) {
            if let Some(reply) = reply {
                fake.always(action, reply);
            }
        }
        let Unproved { why, .. } = fake.aws().await.rehearse("prod", here(), canaries).await.unwrap_err();
        assert!(why.contains(expected), "{why} is not {expected}");
    }
}
