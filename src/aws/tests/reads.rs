use std::collections::BTreeSet;
use std::time::Duration;

use peerkeeper_core::ids::{Region, VpcPair};
use peerkeeper_core::observed::{Seen, Unseen};
use peerkeeper_core::time::{Mono, Timing};

use super::fake::{Fake, Reply, account, error, ok, peerings, tables, vpcs};
use crate::aws::{CallResult, NarrowNeeds, ReadErrorKind, clock};

fn here() -> Region {
    "eu-west-1".parse().unwrap()
}

fn ids<T: std::str::FromStr + Ord>(all: &[&str]) -> BTreeSet<T>
where
    T::Err: std::fmt::Debug,
{
    all.iter().map(|id| id.parse().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sweep_is_every_page_even_after_short_and_empty_ones() {
    let fake = Fake::new();
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], Some("one")));
    fake.next("DescribeVpcs", vpcs(&[], Some("two")));
    fake.next("DescribeVpcs", vpcs(&["vpc-22222222"], None));
    let aws = fake.aws().await;

    let report = aws.reader().sweep("prod", here()).await.unwrap();

    assert_eq!((report.vpcs, report.pages), (2, 5), "three pages of VPCs, one each of peerings and tables");
    let tokens: Vec<String> =
        fake.seen("DescribeVpcs").iter().map(|seen| seen.param("NextToken").to_owned()).collect();
    assert_eq!(tokens, ["", "one", "two"]);
    let sizes = ["DescribeVpcPeeringConnections", "DescribeRouteTables", "DescribeVpcs"]
        .map(|action| fake.seen(action)[0].param("MaxResults").to_owned());
    assert_eq!(sizes, ["1000", "100", "1000"]);
    let view = aws.reader().view("prod", here());
    let sweep = view.vpcs.sweep.unwrap();
    assert!(sweep.is_sweep() && sweep.len() == 2);
    assert_eq!(view.caller, "111122223333".parse().ok());
}

#[tokio::test(start_paused = true)]
async fn a_reading_began_when_its_first_page_was_asked_for() {
    let fake = Fake::new();
    let slow = |reply| Reply::Slow(Duration::from_secs(5), Box::new(reply));
    fake.next("DescribeVpcs", slow(vpcs(&["vpc-11111111"], Some("one"))));
    fake.next("DescribeVpcs", slow(vpcs(&["vpc-22222222"], None)));
    let aws = fake.aws().await;
    let before = clock::now();

    aws.reader().sweep("prod", here()).await.unwrap();

    let began = aws.reader().view("prod", here()).vpcs.sweep.unwrap().began();
    assert!(began >= before && began.since_ms(before) < 1000, "it began {} ms in", began.since_ms(before));
    assert!(clock::now().since_ms(before) >= 10_000);
}

/// It bites where it is the first in its process that asks, as when it is run alone.
#[test]
fn a_clock_that_stood_still_before_anybody_asked_loses_no_time() {
    let paused =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    std::thread::sleep(Duration::from_millis(5));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { clock::now() });
    paused.block_on(async {
        let before = clock::now();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(clock::now().since_ms(before), 10_000);
    });
}

#[tokio::test(start_paused = true)]
async fn a_failed_page_means_no_reading_of_that_kind_and_says_why() {
    let fake = Fake::new();
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], Some("one")));
    fake.next("DescribeVpcs", error(403, "UnauthorizedOperation"));
    let aws = fake.aws().await;

    let error = aws.reader().sweep("prod", here()).await.unwrap_err();

    assert_eq!(
        (error.kind, error.call, &*error.code),
        (ReadErrorKind::Denied, "DescribeVpcs", "UnauthorizedOperation")
    );
    let view = aws.reader().view("prod", here());
    assert_eq!(view.vpcs.sweep, None, "half a list is no list");
    let denied = Unseen::Denied { call: "DescribeVpcs".into(), code: "UnauthorizedOperation".into() };
    assert_eq!(view.vpcs.unseen, denied);
    assert!(view.tables.sweep.is_some() && view.peerings.sweep.is_some(), "the others are complete");
    assert_eq!(fake.count("DescribeVpcs"), 2, "a denial is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn a_failed_sweep_leaves_the_last_one_in_view() {
    let fake = Fake::new();
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], None));
    let aws = fake.aws().await;
    aws.reader().sweep("prod", here()).await.unwrap();
    fake.always("DescribeVpcs", error(403, "UnauthorizedOperation"));
    tokio::time::advance(Duration::from_secs(60)).await;

    aws.reader().sweep("prod", here()).await.unwrap_err();

    let view = aws.reader().view("prod", here());
    assert_eq!(view.vpcs.sweep.unwrap().len(), 1);
    assert_eq!(view.vpcs.before, None, "a failure is no second look");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_twice_is_an_error_and_not_a_loop() {
    let fake = Fake::new();
    fake.always("DescribeVpcs", vpcs(&["vpc-11111111"], Some("again")));
    let aws = fake.aws().await;

    let error = aws.reader().sweep("prod", here()).await.unwrap_err();

    assert_eq!(error.kind, ReadErrorKind::Unreadable);
    assert!(error.message.contains("NextToken"), "{error}");
    assert_eq!(fake.count("DescribeVpcs"), 2);
}

#[tokio::test(start_paused = true)]
async fn throttled_and_failing_pages_are_asked_for_again_a_bounded_number_of_times() {
    let fake = Fake::new();
    fake.next("DescribeVpcs", error(503, "RequestLimitExceeded"));
    fake.next("DescribeVpcs", error(500, "InternalError"));
    fake.next("DescribeVpcs", Reply::Broken);
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], None));
    let aws = fake.aws().await;
    aws.reader().sweep("prod", here()).await.unwrap();
    let counts = |result| {
        let calls = aws.meter().snapshot();
        calls
            .iter()
            .filter(|(key, _)| key.action == "DescribeVpcs" && key.result == result)
            .map(|(_, n)| n)
            .sum()
    };
    let of: [u64; 3] = [CallResult::Throttled, CallResult::Lost, CallResult::Success].map(counts);
    assert_eq!(of, [1, 2, 1]);

    fake.always("DescribeVpcs", error(503, "RequestLimitExceeded"));
    let error = aws.reader().sweep("prod", here()).await.unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Throttled);
    assert_eq!(fake.count("DescribeVpcs"), 8, "four attempts each time");
    assert_eq!(aws.reader().view("prod", here()).vpcs.unseen, Unseen::Throttled);
}

#[tokio::test(start_paused = true)]
async fn the_retry_that_succeeds_is_when_the_reading_began() {
    let fake = Fake::new();
    fake.next("DescribeVpcs", Reply::Hang);
    fake.next("DescribeVpcs", vpcs(&["vpc-11111111"], None));
    let aws = fake.aws().await;
    let before = clock::now();
    aws.reader().sweep("prod", here()).await.unwrap();
    let began = aws.reader().view("prod", here()).vpcs.sweep.unwrap().began();
    assert!(began.since_ms(before) >= 20_000, "the first attempt timed out after 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_peering_whose_ends_cannot_be_read_fails_the_reading_and_one_without_a_known_id_does_not() {
    let fake = Fake::new();
    let odd = |id: &str| {
        let item = format!("<item><vpcPeeringConnectionId>{id}</vpcPeeringConnectionId></item>");
        ok(
            "DescribeVpcPeeringConnections",
            &format!("<vpcPeeringConnectionSet>{item}</vpcPeeringConnectionSet>"),
        )
    };
    let aws = fake.aws().await;
    fake.next("DescribeVpcPeeringConnections", odd("pcx-11111111"));
    let error = aws.reader().sweep("prod", here()).await.unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Unreadable);
    assert!(error.message.contains("pcx-11111111 has no requester"), "{error}");
    fake.next("DescribeVpcPeeringConnections", odd("pcx-of-a-new-kind"));
    assert_eq!(aws.reader().sweep("prod", here()).await.unwrap().peerings, 0);
}

#[tokio::test(start_paused = true)]
async fn two_sweeps_far_enough_apart_prove_that_a_vpc_is_gone() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    let gone = "vpc-11111111".parse().unwrap();
    let timing = Timing::default();
    let seen = || {
        let view = aws.reader().view("prod", here());
        view.vpcs.seen(gone, Some(Mono(0)), clock::now(), &timing)
    };
    assert_eq!(seen(), Seen::Unknown(Unseen::NotRead));
    aws.reader().sweep("prod", here()).await.unwrap();
    assert_eq!(seen(), Seen::Unknown(Unseen::Unproved));
    tokio::time::advance(Duration::from_secs(31)).await;
    aws.reader().sweep("prod", here()).await.unwrap();
    assert!(matches!(seen(), Seen::Absent(_)));
}

#[tokio::test(start_paused = true)]
async fn a_narrow_reading_asks_for_what_is_touched_and_trusts_no_filter() {
    let fake = Fake::new();
    let (one, other) = ("vpc-11111111", "vpc-22222222");
    let wanted = ("pcx-11111111", other, one);
    let strangers = [("pcx-22222222", one, "vpc-33333333"), ("pcx-33333333", "vpc-44444444", "vpc-33333333")];
    fake.next("DescribeVpcPeeringConnections", peerings(&[wanted, strangers[0], strangers[1]]));
    fake.next("DescribeRouteTables", tables(&["rtb-11111111", "rtb-99999999"]));
    let aws = fake.aws().await;
    let pair = VpcPair::new(one.parse().unwrap(), other.parse().unwrap());
    let needs = NarrowNeeds {
        pair: Some(pair),
        tables: ids(&["rtb-11111111", "rtb-22222222"]),
        vpcs: ids(&[one]),
        ..NarrowNeeds::default()
    };

    let view = aws.reader().read_narrow("prod", here(), needs).await;

    let narrow = view.peerings.narrow.unwrap();
    let found: Vec<String> = narrow.iter().map(|peering| peering.id.to_string()).collect();
    assert_eq!(found, ["pcx-11111111"], "either orientation, and only the pair's");
    assert!(!narrow.is_sweep());
    let asked = &fake.seen("DescribeVpcPeeringConnections")[0];
    assert_eq!(
        (asked.param("Filter.1.Name"), asked.param("Filter.2.Name")),
        ("requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id")
    );
    assert_eq!(asked.values("Filter.1.Value"), [one, other]);
    assert_eq!(asked.values("Filter.2.Value"), [one, other]);
    let tables = view.tables.narrow.unwrap();
    assert_eq!(tables.len(), 1, "one is missing, one was not asked for");
    let asked = &fake.seen("DescribeRouteTables")[0];
    assert_eq!(asked.param("Filter.1.Name"), "route-table-id");
    assert!(asked.values("RouteTableId").is_empty(), "an id that is gone would fail the call");
    assert_eq!(fake.seen("DescribeVpcs")[0].values("Filter.1.Value"), [one]);
    let (asked_now, missing) = (clock::now(), "rtb-22222222".parse().unwrap());
    assert!(tables.speaks_of(missing), "that it is missing is an answer too");
    assert!(
        view.vpcs.newest_of(one.parse().unwrap(), asked_now, &Timing::default()).is_ok(),
        "VPCs go by group"
    );
    assert_eq!(fake.count("DescribeManagedPrefixLists"), 0);
    assert_eq!(view.caller, "111122223333".parse().ok());
}

#[tokio::test(start_paused = true)]
async fn objects_that_ask_at_the_same_time_share_a_call() {
    let fake = Fake::new();
    let slow = Reply::Slow(
        Duration::from_secs(1),
        Box::new(tables(&["rtb-11111111", "rtb-22222222", "rtb-33333333"])),
    );
    fake.always("DescribeRouteTables", slow);
    let aws = fake.aws().await;
    let needs = |table: &str| NarrowNeeds { tables: ids(&[table]), ..NarrowNeeds::default() };
    let reader = aws.reader();
    let ask = |table: &'static str| reader.read_narrow("prod", here(), needs(table));
    let views = tokio::join!(ask("rtb-11111111"), ask("rtb-22222222"), ask("rtb-33333333"));
    assert_eq!(fake.count("DescribeRouteTables"), 1, "all three together");
    let shown = |view: peerkeeper_core::observed::SideView, table: &str| {
        view.tables.narrow.is_some_and(|narrow| narrow.get(table.parse().unwrap()).is_some())
    };
    assert!(
        shown(views.0, "rtb-11111111") && shown(views.1, "rtb-22222222") && shown(views.2, "rtb-33333333")
    );
}

#[tokio::test(start_paused = true)]
async fn no_call_names_more_values_than_aws_takes() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    let many: Vec<String> = (0..201).map(|n| format!("rtb-{n:08x}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let needs = NarrowNeeds { tables: ids(&many), ..NarrowNeeds::default() };
    let view = aws.reader().read_narrow("prod", here(), needs).await;
    let sizes: Vec<usize> =
        fake.seen("DescribeRouteTables").iter().map(|seen| seen.values("Filter.1.Value").len()).collect();
    assert_eq!(sizes, [200, 1]);
    assert!(view.tables.narrow.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_narrow_reading_that_fails_says_why_and_leaves_the_sweep() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    aws.reader().sweep("prod", here()).await.unwrap();
    fake.always("DescribeVpcs", error(403, "UnauthorizedOperation"));
    let needs = NarrowNeeds { vpcs: ids(&["vpc-11111111"]), ..NarrowNeeds::default() };
    let view = aws.reader().read_narrow("prod", here(), needs).await;
    assert!(view.vpcs.narrow.is_none() && view.vpcs.sweep.is_some());
    assert!(matches!(view.vpcs.unseen, Unseen::Denied { .. }));
}

#[tokio::test(start_paused = true)]
async fn another_generation_of_an_account_has_read_nothing() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    aws.reader().sweep("prod", here()).await.unwrap();
    aws.set_account(account("prod"));
    assert!(aws.reader().view("prod", here()).vpcs.sweep.is_some(), "the same declaration changes nothing");
    aws.set_account(crate::aws::AccountConfig { generation: 2, ..account("prod") });
    assert_eq!(aws.reader().view("prod", here()).vpcs.sweep, None);
    aws.remove_account("prod");
    let error = aws.reader().sweep("prod", here()).await.unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::NoAccount);
}

#[tokio::test(start_paused = true)]
async fn reads_keep_to_their_share_of_aws_rate() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    let before = clock::now();
    // Half of AWS's bucket of 100, then half of its 20 a second.
    for _ in 0..70 {
        aws.reader().sweep("prod", here()).await.unwrap();
    }
    let took_ms = clock::now().since_ms(before);
    assert!((1_900..=2_200).contains(&took_ms), "50 at once, 20 more at 10 a second: {took_ms} ms");
}

/// The wall between asking and changing: the client's only calls in the reading half are Describe.
#[test]
fn the_reading_half_has_no_call_that_writes() {
    let source = include_str!("../read.rs");
    let calls: Vec<&str> =
        source.split("self.client.").skip(1).map(|rest| rest.split('(').next().unwrap()).collect();
    assert!(!calls.is_empty());
    assert!(calls.iter().all(|call| call.starts_with("describe_")), "{calls:?}");
}
