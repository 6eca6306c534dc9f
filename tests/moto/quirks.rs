//! Where moto differs from AWS, and what must work all the same.

use peerkeeper::aws::{CallResult, IdentityError, ReadErrorKind};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::{Side, Target};
use peerkeeper_core::write::{NotSent, Outcome, Write};

use crate::bench::{
    Bench, HERE, Made, PROD, SHARED, behind_role, create, id_of, of_peering, of_slot, pair_of, region,
};

#[tokio::test]
async fn a_role_that_leads_into_another_account_is_used_for_nothing() {
    let mut bench = Bench::new().await;
    bench.aws.set_account(behind_role("typo", PROD, SHARED));
    let made = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    bench.moto.forget_calls();

    let wrong = bench.aws.verify("typo").await.expect_err("another account");
    let swept = bench.aws.reader().sweep("typo", region(HERE)).await.expect_err("no reading");
    let id = "pcx-0123456789abcdef0".parse().expect("an id");
    let sent = bench.send("typo", Side::Requester, made.at, Write::Accept(id)).await;

    let found = SHARED.parse().ok();
    assert!(matches!(&wrong, IdentityError::WrongAccount { found: f, .. } if *f == found), "{wrong}");
    assert_eq!(swept.kind, ReadErrorKind::WrongAccount { found });
    assert!(matches!(sent, Outcome::NotSent(NotSent::Credentials(_))), "{sent:?}");
    let calls = bench.moto.calls();
    let asked: Vec<&str> = calls.keys().map(String::as_str).collect();
    assert_eq!(asked, ["AssumeRole", "GetCallerIdentity"], "and EC2 nothing");
}

#[tokio::test]
async fn ignored_filters_and_tombstones_that_stay_for_ever_do_no_harm() {
    let bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let third = Made::new(&bench.moto, PROD, HERE, "10.2.0.0/16").await;
    let send = |write| bench.send("prod", Side::Requester, one.at, write);
    let first = id_of(send(create(&one, &other)).await);
    id_of(send(create(&one, &third)).await);
    assert_eq!(send(Write::Remove(first, of_peering())).await, Outcome::Done(None));
    // The other direction is the same pair.
    let second = id_of(send(create(&other, &one)).await);

    let seen = bench.pair("prod", HERE, pair_of(&one, &other).pair()).await;

    let mut ids: Vec<_> = seen.iter().map(|peering| (peering.id, peering.state.is_live())).collect();
    ids.sort();
    let mut expected = vec![(first, false), (second, true)];
    expected.sort();
    assert_eq!(ids, expected, "the tombstone and the live one, and nothing of another pair");
}

#[tokio::test]
async fn what_is_not_there_is_missing_from_a_reading_and_refused_to_a_write() {
    let bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let send = |write| bench.send("prod", Side::Requester, one.at, write);
    let nowhere = "pcx-0123456789abcdef0".parse().expect("an id");
    let no_table = "rtb-0123456789abcdef0".parse().expect("an id");

    assert_eq!(bench.table("prod", HERE, no_table).await, None, "one missing table fails no reading");

    let kind = |outcome: Outcome| match outcome {
        Outcome::Refused(refusal) => (refusal.code.to_string(), refusal.kind()),
        other => panic!("{other:?}"),
    };
    // moto writes Id where AWS writes ID.
    for write in [Write::Accept(nowhere), Write::Remove(nowhere, of_peering())] {
        let (code, kind) = kind(send(write).await);
        assert_eq!(
            (code.to_lowercase().as_str(), kind),
            ("invalidvpcpeeringconnectionid.notfound", RefusalKind::NotFound)
        );
    }
    let id = id_of(send(create(&one, &other)).await);
    let slot = one.slot(Side::Requester, "10.1.0.0/16");
    let repoint = Write::Repoint { slot, from: Target::Peering(nowhere), to: id, proof: of_slot() };
    assert_eq!(kind(send(repoint).await), ("InvalidParameterValue".to_owned(), RefusalKind::Moved));
    let drop = Write::DropRoute { slot, was: nowhere, proof: of_slot() };
    assert_eq!(kind(send(drop).await), ("InvalidRoute.NotFound".to_owned(), RefusalKind::Moved));
    assert_eq!(send(Write::AddRoute { slot, to: id }).await, Outcome::Done(None));
    let again = kind(send(Write::AddRoute { slot, to: id }).await);
    assert_eq!(again, ("RouteAlreadyExists".to_owned(), RefusalKind::Moved));

    let calls = bench.aws.meter().snapshot();
    let refused: u64 =
        calls.iter().filter(|(key, _)| key.result == CallResult::Refused).map(|(_, count)| count).sum();
    assert_eq!(refused, 5);
}
