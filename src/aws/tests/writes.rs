use std::time::Duration;

use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::desired::PairAt;
use peerkeeper_core::ids::{AccountRegion, Side, Sides, Slot, Target, VpcAt};
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::testing::{peering_proof, slot_proof};
use peerkeeper_core::write::{NotSent, OursBecause, Outcome, TagSet, Write, WriteCall};
use tokio::io::AsyncReadExt;

use super::fake::{ACCOUNT, Fake, Reply, error, ok};
use crate::aws::{Aws, AwsConfig, CallResult, clock};

fn at(account: &str, region: &str) -> AccountRegion {
    AccountRegion { account: account.parse().unwrap(), region: region.parse().unwrap() }
}

fn call(write: Write) -> WriteCall {
    WriteCall { side: Side::Requester, at: at(ACCOUNT, "eu-west-1"), write }
}

pub fn accept() -> WriteCall {
    call(Write::Accept("pcx-11111111".parse().unwrap()))
}

fn create() -> WriteCall {
    let requester = VpcAt { at: at(ACCOUNT, "eu-west-1"), vpc: "vpc-11111111".parse().unwrap() };
    let accepter = VpcAt { at: at("444455556666", "us-east-1"), vpc: "vpc-22222222".parse().unwrap() };
    let tags = TagSet::from([("team".into(), "network & co".into())]);
    call(Write::Create { pair: PairAt { sides: Sides::new(requester, accepter) }, tags })
}

fn slot(destination: &str) -> Slot {
    let (table, destination) = ("rtb-11111111".parse().unwrap(), destination.parse().unwrap());
    Slot { side: Side::Requester, table, destination }
}

fn yes(action: &str) -> Reply {
    ok(action, "<return>true</return>")
}

async fn send(aws: &Aws, call: &WriteCall) -> Outcome {
    aws.writer().send("prod", call, || Ok(())).await.outcome
}

fn made(id: &str) -> Reply {
    let inside = format!("<vpcPeeringConnectionId>{id}</vpcPeeringConnectionId>");
    ok("CreateVpcPeeringConnection", &format!("<vpcPeeringConnection>{inside}</vpcPeeringConnection>"))
}

#[tokio::test(start_paused = true)]
async fn create_says_whom_where_and_whose_and_brings_the_id_back() {
    let fake = Fake::new();
    fake.next("CreateVpcPeeringConnection", made("pcx-11111111"));
    let aws = fake.aws().await;
    assert_eq!(send(&aws, &create()).await, Outcome::Done("pcx-11111111".parse().ok()));
    let asked = &fake.seen("CreateVpcPeeringConnection")[0];
    let params = ["VpcId", "PeerVpcId", "PeerOwnerId", "PeerRegion"].map(|name| asked.param(name));
    assert_eq!(params, ["vpc-11111111", "vpc-22222222", "444455556666", "us-east-1"]);
    assert_eq!(asked.param("TagSpecification.1.ResourceType"), "vpc-peering-connection");
    assert_eq!(asked.param("TagSpecification.1.Tag.1.Key"), "team");
    assert_eq!(asked.param("TagSpecification.1.Tag.1.Value"), "network & co");
    assert_eq!(asked.host, "ec2.eu-west-1.amazonaws.com");
}

#[tokio::test(start_paused = true)]
async fn a_route_names_its_destination_by_kind() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    let (to, old) = ("pcx-22222222".parse().unwrap(), "pcx-11111111".parse().unwrap());
    let proof = || slot_proof(Mono(0), OursBecause::Remembered);
    let kinds = [
        ("10.1.0.0/16", "DestinationCidrBlock"),
        ("2001:db8::/56", "DestinationIpv6CidrBlock"),
        ("pl-11111111", "DestinationPrefixListId"),
    ];
    for (destination, parameter) in kinds {
        for action in ["CreateRoute", "ReplaceRoute", "DeleteRoute"] {
            fake.next(action, yes(action));
        }
        let slot = slot(destination);
        let repoint = Write::Repoint { slot, from: Target::Peering(old), to, proof: proof() };
        let writes =
            [Write::AddRoute { slot, to }, repoint, Write::DropRoute { slot, was: old, proof: proof() }];
        for write in writes {
            let call = call(write);
            assert_eq!(send(&aws, &call).await, Outcome::Done(None), "{call}");
            let asked = fake.seen(call.action()).pop().unwrap();
            assert_eq!(asked.values("Destination"), [destination], "{call}");
            assert_eq!(asked.param(parameter), destination);
            assert_eq!(asked.param("RouteTableId"), "rtb-11111111");
            let target = if call.action() == "DeleteRoute" { "" } else { "pcx-22222222" };
            assert_eq!(asked.param("VpcPeeringConnectionId"), target, "{call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_options_that_are_given_are_sent() {
    let fake = Fake::new();
    fake.always("ModifyVpcPeeringConnectionOptions", ok("ModifyVpcPeeringConnectionOptions", ""));
    let aws = fake.aws().await;
    let id = "pcx-11111111".parse().unwrap();
    send(&aws, &call(Write::Options { id, requester: None, accepter: Some(true) })).await;
    send(&aws, &call(Write::Options { id, requester: Some(false), accepter: Some(true) })).await;
    let seen = fake.seen("ModifyVpcPeeringConnectionOptions");
    let of = |n: usize| {
        ["Requester", "Accepter"].map(|side| {
            seen[n]
                .param(&format!("{side}PeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc"))
                .to_owned()
        })
    };
    assert_eq!((of(0), of(1)), (["".into(), "true".into()], ["false".into(), "true".into()]));
}

#[tokio::test(start_paused = true)]
async fn tags_are_set_with_values_and_removed_by_key() {
    let fake = Fake::new();
    fake.always("CreateTags", yes("CreateTags"));
    fake.always("DeleteTags", yes("DeleteTags"));
    let aws = fake.aws().await;
    let id = "pcx-11111111".parse().unwrap();
    let set = TagSet::from([("a".into(), "1".into())]);
    assert_eq!(send(&aws, &call(Write::Tag { id, set })).await, Outcome::Done(None));
    assert_eq!(send(&aws, &call(Write::Untag { id, keys: ["a".into()].into() })).await, Outcome::Done(None));
    let (set, gone) = (&fake.seen("CreateTags")[0], &fake.seen("DeleteTags")[0]);
    assert_eq!(
        (set.param("ResourceId.1"), set.param("Tag.1.Key"), set.param("Tag.1.Value")),
        ("pcx-11111111", "a", "1")
    );
    assert_eq!(gone.values("Tag.1"), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_from_a_lost_answer_and_neither_is_sent_again() {
    let remove = || {
        let proof = peering_proof(Mono(0), OursBecause::Tagged);
        call(Write::Remove("pcx-11111111".parse().unwrap(), proof))
    };
    let action = "DeleteVpcPeeringConnection";
    let refused =
        [(400, "InvalidStateTransition"), (403, "UnauthorizedOperation"), (503, "RequestLimitExceeded")];
    for (status, code) in refused {
        let fake = Fake::new();
        fake.always(action, error(status, code));
        let outcome = send(&fake.aws().await, &remove()).await;
        assert!(matches!(&outcome, Outcome::Refused(refusal) if &*refusal.code == code), "{outcome:?}");
        assert_eq!(fake.count(action), 1, "{code}");
    }
    let lost = [
        error(500, "InternalError"),
        error(503, "Unavailable"),
        Reply::Xml(500, "<!doctype html><title>500 Internal Server Error</title>".to_owned()),
        Reply::Xml(200, "this is no XML".to_owned()),
        ok(action, "<return>false</return>"),
        ok(action, ""),
        Reply::Hang,
        Reply::Broken,
    ];
    for reply in lost {
        let fake = Fake::new();
        fake.always(action, reply.clone());
        let outcome = send(&fake.aws().await, &remove()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{reply:?} gave {outcome:?}");
        assert_eq!(fake.count(action), 1, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_names_no_peering_may_have_made_one() {
    for reply in [ok("CreateVpcPeeringConnection", ""), made("pcx-of-a-new-kind")] {
        let fake = Fake::new();
        fake.next("CreateVpcPeeringConnection", reply);
        assert!(matches!(send(&fake.aws().await, &create()).await, Outcome::Unknown(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_given_up_after_its_timeout() {
    let fake = Fake::new();
    fake.always("AcceptVpcPeeringConnection", Reply::Hang);
    let aws = fake.aws().await;
    let before = clock::now();
    send(&aws, &accept()).await;
    let took_ms = clock::now().since_ms(before);
    assert!((5_000..5_100).contains(&took_ms), "{took_ms} ms");
    assert_eq!(aws.writer().timeout(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn what_never_left_is_not_unknown() {
    let fake = Fake::new();
    fake.always("AcceptVpcPeeringConnection", Reply::NobodyThere);
    let outcome = send(&fake.aws().await, &accept()).await;
    let Outcome::NotSent(NotSent::Unreachable(why)) = outcome else { panic!("{outcome:?}") };
    assert!(!why.contains(['{', '(']), "as a debugger shows it: {why}");
}

#[tokio::test(start_paused = true)]
async fn the_gate_has_the_last_word() {
    let fake = Fake::new();
    let aws = fake.aws().await;
    let outcome = aws.writer().send("prod", &accept(), || Err(NotSent::Leadership)).await.outcome;
    assert_eq!(outcome, Outcome::NotSent(NotSent::Leadership));
    assert_eq!(fake.ec2_count(), 0);
    // It is asked after the identity was proved, so no wait comes between it and the request.
    let proved = || fake.count("GetCallerIdentity");
    let again = fake.aws().await;
    let before = proved();
    let gate = || if proved() > before { Err(NotSent::Stale) } else { Ok(()) };
    let sent = again.writer().send("prod", &accept(), gate).await;
    assert_eq!((sent.outcome, sent.request_id), (Outcome::NotSent(NotSent::Stale), None));
    assert_eq!(fake.ec2_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_for_another_account_is_not_sent() {
    let fake = Fake::new();
    let mut call = accept();
    call.at = at("444455556666", "eu-west-1");
    let outcome = send(&fake.aws().await, &call).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Credentials(_))));
    assert_eq!(fake.ec2_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_a_moment_for_its_share_of_the_rate_and_no_longer() {
    let fake = Fake::new();
    let answer = ok("AcceptVpcPeeringConnection", "");
    fake.always("AcceptVpcPeeringConnection", answer.clone());
    // The smallest share: one call at once, then one in 200 s.
    let aws = Aws::new(AwsConfig { budget_share_permille: 1, ..fake.config() }).await.unwrap();
    aws.set_account(super::fake::account("prod"));
    assert_eq!(send(&aws, &accept()).await, Outcome::Done(None));
    let before = clock::now();
    let Outcome::NotSent(NotSent::Rate { ready }) = send(&aws, &accept()).await else {
        panic!("it should have been handed back");
    };
    assert!(clock::now().since_ms(before) < 1_000, "no use in waiting for what comes too late");
    assert!((190_000..=200_000).contains(&ready.since_ms(before)));
    clock::sleep_until(ready).await;
    assert_eq!(send(&aws, &accept()).await, Outcome::Done(None));

    // Refused for want of rate: the next one waits.
    let aws = fake.aws().await;
    fake.next("AcceptVpcPeeringConnection", error(503, "RequestLimitExceeded"));
    let refused = send(&aws, &accept()).await;
    assert!(matches!(&refused, Outcome::Refused(refusal) if refusal.kind() == RefusalKind::Throttled));
    let before = clock::now();
    assert_eq!(send(&aws, &accept()).await, Outcome::Done(None));
    let waited_ms = clock::now().since_ms(before);
    assert!((700..=900).contains(&waited_ms), "a quarter of AWS's 5 a second: {waited_ms} ms");
}

/// The real HTTP client: what it says when nobody listens, and when the connection breaks after the request.
#[tokio::test]
async fn the_real_client_tells_no_connection_from_a_broken_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fake = Fake::new();
    let config = |port: u16| AwsConfig {
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        http_client: None,
        ..fake.config()
    };
    let breaks = tokio::spawn(async move {
        // The first request is GetCallerIdentity; it is answered. The second is read, then dropped.
        let (mut first, _) = listener.accept().await.unwrap();
        let Reply::Xml(_, body) = super::fake::identity(ACCOUNT) else { panic!("an XML") };
        read_request(&mut first).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        tokio::io::AsyncWriteExt::write_all(&mut first, (head + &body).as_bytes()).await.unwrap();
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        read_request(&mut second).await;
        drop(second);
        // From here on the port is closed.
    });
    let aws = Aws::new(config(address.port())).await.unwrap();
    aws.set_account(super::fake::account("prod"));
    let broken = send(&aws, &accept()).await;
    assert!(matches!(broken, Outcome::Unknown(_)), "{broken:?}");
    breaks.await.unwrap();
    let refused = send(&aws, &accept()).await;
    assert!(matches!(refused, Outcome::NotSent(NotSent::Unreachable(_))), "{refused:?}");
}

/// A handshake that fails is no connection, whatever the HTTP library calls it.
#[tokio::test]
async fn the_real_client_counts_a_failed_handshake_as_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hangs_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
    });
    let url = format!("https://127.0.0.1:{port}");
    let config = AwsConfig { endpoint_url: Some(url), http_client: None, ..Fake::new().config() };
    let aws = Aws::new(config).await.unwrap();
    aws.set_account(super::fake::account("prod"));
    aws.verify("prod").await.unwrap_err();
    hangs_up.await.unwrap();
    let results: Vec<CallResult> = aws.meter().snapshot().keys().map(|key| key.result).collect();
    assert_eq!(results, [CallResult::NotSent]);
}

async fn read_request(stream: &mut tokio::net::TcpStream) {
    let mut buffer = [0; 65536];
    assert!(stream.read(&mut buffer).await.unwrap() > 0);
}
