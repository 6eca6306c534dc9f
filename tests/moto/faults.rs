//! Lost answers, refusals and waits, with the real SDK over a real socket.

use std::time::{Duration, Instant};

use peerkeeper::aws::{AwsConfig, ReadErrorKind};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::Side;
use peerkeeper_core::observed::Unseen;
use peerkeeper_core::write::{Outcome, Write};

use crate::bench::{Bench, HERE, Made, PROD, create, id_of, pair_of, region};
use crate::client::Fault;

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_sent_once_and_found_by_reading() {
    let mut bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    bench.moto.drop_answer(Fault::of("CreateVpcPeeringConnection"));

    let outcome = bench.send("prod", Side::Requester, one.at, create(&one, &other)).await;

    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert_eq!(bench.moto.calls().get("CreateVpcPeeringConnection"), Some(&1));
    assert_eq!(bench.pair("prod", HERE, pair_of(&one, &other).pair()).await.len(), 1, "it was carried out");
}

#[tokio::test]
async fn a_write_that_nobody_answers_is_given_up_in_time() {
    let timeout = Duration::from_secs(1);
    let mut bench = Bench::with(|config| AwsConfig { write_timeout: timeout, ..config }).await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let id = id_of(bench.send("prod", Side::Requester, one.at, create(&one, &other)).await);
    bench.moto.hold(Fault::of("AcceptVpcPeeringConnection"));

    let started = Instant::now();
    let outcome = bench.send("prod", Side::Requester, one.at, Write::Accept(id)).await;

    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(started.elapsed() >= timeout);
    bench.moto.mend();
}

#[tokio::test]
async fn refused_reads_are_tried_again_if_that_may_help_and_refused_writes_never() {
    let mut bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    bench.aws.reader().sweep("prod", region(HERE)).await.expect("a sweep");
    bench.moto.forget_calls();

    let twice = |action| Fault { times: Some(2), ..Fault::of(action) };
    bench.moto.refuse(twice("DescribeVpcs"), "RequestLimitExceeded");
    bench.aws.reader().sweep("prod", region(HERE)).await.expect("the third attempt");
    assert_eq!(bench.moto.calls().get("DescribeVpcs"), Some(&3));

    bench.moto.refuse(Fault::of("DescribeRouteTables"), "UnauthorizedOperation");
    let error = bench.aws.reader().sweep("prod", region(HERE)).await.expect_err("denied");
    assert_eq!((error.kind, error.call), (ReadErrorKind::Denied, "DescribeRouteTables"));
    let view = bench.aws.reader().view("prod", region(HERE));
    let code = "UnauthorizedOperation".into();
    assert_eq!(view.tables.unseen, Unseen::Denied { call: "DescribeRouteTables".into(), code });
    assert_eq!(bench.moto.calls().get("DescribeRouteTables"), Some(&2));

    let id = "pcx-0123456789abcdef0".parse().expect("an id");
    bench.moto.refuse(Fault::of("AcceptVpcPeeringConnection"), "RequestLimitExceeded");
    let outcome = bench.send("prod", Side::Requester, one.at, Write::Accept(id)).await;
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.kind() == RefusalKind::Throttled),
        "{outcome:?}"
    );
    assert_eq!(bench.moto.calls().get("AcceptVpcPeeringConnection"), Some(&1));
}
