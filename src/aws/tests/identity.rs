use std::time::Duration;

use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::Region;
use peerkeeper_core::observed::Unseen;
use peerkeeper_core::write::{NotSent, Outcome};

use super::fake::{ACCOUNT, Fake, Reply, assumed, error, identity, sts_error, vpcs, with_role};
use super::writes::accept;
use crate::aws::{Aws, IdentityError, ReadErrorKind};

fn here() -> Region {
    "eu-west-1".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_out_in_the_name_of_another_account() {
    let fake = Fake::new();
    fake.always("GetCallerIdentity", identity("999999999999"));
    let aws = fake.aws().await;

    let wrong = aws.verify("prod").await.unwrap_err();
    let swept = aws.reader().sweep("prod", here()).await.unwrap_err();
    let sent = aws.writer().send("prod", &accept(), || Ok(())).await.outcome;

    let found = "999999999999".parse().ok();
    assert!(matches!(&wrong, IdentityError::WrongAccount { found: f, .. } if *f == found));
    for part in ["prod", ACCOUNT, "999999999999", "correct roleArn or accountId"] {
        assert!(wrong.to_string().contains(part), "{wrong} lacks {part}");
    }
    assert_eq!(swept.kind, ReadErrorKind::WrongAccount { found });
    assert!(matches!(sent, Outcome::NotSent(NotSent::Credentials(_))));
    assert_eq!(fake.ec2_count(), 0);
    let view = aws.reader().view("prod", here());
    assert_eq!((view.caller, view.tables.unseen), (found, Unseen::WrongAccount { found }));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_credentials_changed_hands_is_not_shown() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    aws.reader().sweep("prod", here()).await.unwrap();
    fake.always("GetCallerIdentity", identity("999999999999"));
    tokio::time::advance(Duration::from_secs(901)).await;
    aws.reader().sweep("prod", here()).await.unwrap_err();
    let view = aws.reader().view("prod", here());
    assert!(view.vpcs.sweep.is_none() && view.peerings.sweep.is_none() && view.tables.sweep.is_none());
    assert_eq!(fake.count("DescribeVpcs"), 1);
}

async fn with_prod_role(fake: &Fake) -> Aws {
    let aws = Aws::new(fake.config()).await.unwrap();
    aws.set_account(with_role("prod"));
    aws
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_once_with_its_external_id_and_then_used() {
    let fake = Fake::new();
    let aws = with_prod_role(&fake).await;
    for _ in 0..3 {
        aws.reader().sweep("prod", here()).await.unwrap();
    }
    aws.reader().sweep("prod", "us-east-1".parse().unwrap()).await.unwrap();

    let asked = fake.seen("AssumeRole");
    assert_eq!(asked.len(), 1, "for all calls in all Regions");
    assert_eq!(asked[0].param("RoleArn"), "arn:aws:iam::111122223333:role/peerkeeper");
    assert_eq!(asked[0].param("ExternalId"), "the-secret");
    assert_eq!(asked[0].param("RoleSessionName"), "peerkeeper-test-owner");
    assert_eq!(asked[0].param("DurationSeconds"), "3600");
    assert_eq!(asked[0].host, "sts.eu-west-1.amazonaws.com", "a Regional endpoint");
    assert!(asked[0].authorization.contains("AKIAOWN/"));
    assert_eq!(fake.count("GetCallerIdentity"), 1);
    assert!(fake.seen("GetCallerIdentity")[0].authorization.contains("ASIAROLE/"));
    assert!(fake.seen("DescribeVpcs").iter().all(|seen| seen.authorization.contains("ASIAROLE/")));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_about_to_end_is_renewed_first() {
    // By the wall clock it is already within the five minutes in which a session is renewed.
    let fake = Fake::new();
    fake.next("AssumeRole", assumed("ASIAFIRST", 200));
    fake.next("AssumeRole", assumed("ASIASECOND", 3600));
    let aws = with_prod_role(&fake).await;
    aws.reader().sweep("prod", here()).await.unwrap();
    tokio::time::advance(Duration::from_secs(31)).await;
    aws.reader().sweep("prod", here()).await.unwrap();
    assert_eq!(fake.count("AssumeRole"), 2);
    assert!(fake.seen("DescribeVpcs")[1].authorization.contains("ASIASECOND/"));
}

#[tokio::test(start_paused = true)]
async fn a_denied_role_is_named_and_not_asked_for_at_every_turn() {
    let fake = Fake::new();
    fake.always("AssumeRole", sts_error(403, "AccessDenied"));
    let aws = with_prod_role(&fake).await;
    let first = aws.verify("prod").await.unwrap_err();
    aws.verify("prod").await.unwrap_err();
    let swept = aws.reader().sweep("prod", here()).await.unwrap_err();
    assert!(
        matches!(&first, IdentityError::Refused { call: "AssumeRole", refusal, .. } if refusal.kind() == RefusalKind::Denied)
    );
    assert!(first.to_string().contains("trust policy"), "{first}");
    assert_eq!(swept.kind, ReadErrorKind::Denied);
    assert_eq!((fake.count("AssumeRole"), fake.ec2_count()), (1, 0));

    fake.always("AssumeRole", assumed("ASIAROLE", 3600));
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(aws.verify("prod").await.unwrap().account.to_string(), ACCOUNT);
}

#[tokio::test(start_paused = true)]
async fn with_sts_out_of_reach_good_credentials_go_on_being_used() {
    let fake = Fake::new();
    let aws = with_prod_role(&fake).await;
    aws.reader().sweep("prod", here()).await.unwrap();
    fake.always("GetCallerIdentity", Reply::NobodyThere);
    tokio::time::advance(Duration::from_secs(901)).await;
    aws.reader().sweep("prod", here()).await.unwrap();
    // A refusal is another matter.
    fake.always("GetCallerIdentity", sts_error(403, "InvalidClientTokenId"));
    tokio::time::advance(Duration::from_secs(11)).await;
    aws.reader().sweep("prod", here()).await.unwrap_err();
    assert_eq!(fake.count("DescribeVpcs"), 2);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_aws_calls_expired_are_replaced_at_once() {
    let fake = Fake::new();
    fake.next("AssumeRole", assumed("ASIAFIRST", 3600));
    fake.next("AssumeRole", assumed("ASIASECOND", 3600));
    fake.next("DescribeVpcs", error(400, "RequestExpired"));
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], None));
    let aws = with_prod_role(&fake).await;
    assert_eq!(aws.reader().sweep("prod", here()).await.unwrap().vpcs, 1);
    assert!(fake.seen("DescribeVpcs")[1].authorization.contains("ASIASECOND/"));
    assert_eq!(fake.count("GetCallerIdentity"), 2, "the new ones are proved before they are used");
}

#[tokio::test(start_paused = true)]
async fn without_credentials_the_message_says_so() {
    let fake = Fake::new();
    fake.always("AssumeRole", Reply::Hang);
    let aws = with_prod_role(&fake).await;
    let error = aws.verify("prod").await.unwrap_err();
    assert!(matches!(&error, IdentityError::Failed { call: "AssumeRole", .. }), "{error}");
    assert!(matches!(aws.verify("nobody").await, Err(IdentityError::Unknown { .. })));
}
