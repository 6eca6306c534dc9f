//! How many requests a second the wire carries on one core, without a socket: `cargo bench --package ec2sim`.
//! For each call: the whole of it, and how much of that is reading the request and writing the answer.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ec2sim::wire::query::{self, Params};
use ec2sim::wire::{HttpRequest, HttpResponse, Struct, Value, respond, shapes, xml};
use ec2sim::{Calm, World};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
const LONG_ENOUGH: Duration = Duration::from_millis(700);

fn main() {
    println!("{:<58}{:>12}{:>12}{:>12}", "one core, release build", "a second", "us each", "bytes");
    codec();
    let mut world = World::new();
    let peering = fill(&mut world);
    for (what, form) in [
        ("STS GetCallerIdentity", "Action=GetCallerIdentity&Version=2011-06-15".to_owned()),
        ("DescribeVpcPeeringConnections, one by id of 1,000", describe(&format!("VpcPeeringConnectionId.1={peering}"))),
        ("DescribeVpcPeeringConnections, one by status and id", describe(&format!(
            "Filter.1.Name=vpc-peering-connection-id&Filter.1.Value.1={peering}&Filter.2.Name=status-code&Filter.2.Value.1=active"
        ))),
        ("DescribeVpcPeeringConnections, all 1,000 on one page", describe("MaxResults=1000")),
        ("DescribeRouteTables, 100 of 1,000 on one page", "Action=DescribeRouteTables&Version=2016-11-15&MaxResults=100".to_owned()),
        ("CreateRoute, refused: no such table", "Action=CreateRoute&Version=2016-11-15&RouteTableId=rtb-0123456789abcdef0&DestinationCidrBlock=10.0.0.0%2F8&VpcPeeringConnectionId=pcx-0123456789abcdef0".to_owned()),
    ] {
        let service = if form.contains("2011-06-15") { "sts" } else { "ec2" };
        let request = request(service, &form);
        measure(what, || match respond(&mut world, &request, &mut Calm) {
            HttpResponse::Answer(answer) => answer.body.len(),
            HttpResponse::NoReply => 0,
        });
    }
}

fn describe(rest: &str) -> String {
    format!("Action=DescribeVpcPeeringConnections&Version=2016-11-15&{rest}")
}

fn request(service: &str, form: &str) -> HttpRequest {
    let credential = format!("{ACCOUNT}/20260101/{REGION}/{service}/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
    HttpRequest::post(form.as_bytes()).header("Authorization", signed)
}

/// A thousand active peerings, each of its own VPC with one that is everybody's peer.
fn fill(world: &mut World) -> String {
    const HUB: (&str, &str) = ("444455556666", "us-east-1");
    let mut quotas = world.quotas(HUB.0, HUB.1);
    quotas.active_peerings_per_vpc = 2_000;
    world.set_quotas(HUB.0, HUB.1, quotas);
    let hub = world.create_vpc(HUB.0, HUB.1, "172.16.0.0/16").expect("a VPC");
    let mut last = String::new();
    for number in 0..1_000_u32 {
        let cidr = format!("10.{}.{}.0/24", number / 250, number % 250);
        let vpc = world.create_vpc(ACCOUNT, REGION, &cidr).expect("a VPC");
        last = world.peer(&vpc, &hub).expect("a peering").to_string();
    }
    last
}

/// Reading and writing alone: no world.
fn codec() {
    let (service, operation) =
        (shapes::EC2, shapes::EC2.operation("DescribeRouteTables").expect("an operation"));
    let form = "Action=DescribeRouteTables&Version=2016-11-15&RouteTableId.1=rtb-0123456789abcdef0&RouteTableId.2=rtb-1\
        &Filter.1.Name=route.state&Filter.1.Value.1=active&Filter.1.Value.2=blackhole&MaxResults=100";
    measure("read: DescribeRouteTables with ids and a filter", || {
        let params = Params::parse(black_box(form.as_bytes()));
        black_box(query::decode(service, operation, &params)).expect("input");
        form.len()
    });
    let output = tables(100, 50);
    measure("write: 100 route tables of 50 routes", || {
        xml::encode(service, operation, black_box(&output), "request").expect("an answer").len()
    });
    let output = tables(1, 5);
    measure("write: one route table of 5 routes", || {
        xml::encode(service, operation, black_box(&output), "request").expect("an answer").len()
    });
}

fn tables(count: u32, routes: u32) -> Struct {
    let route = |number: u32| {
        Struct::new()
            .with("DestinationCidrBlock", format!("10.{}.{}.0/24", number / 250, number % 250))
            .with("VpcPeeringConnectionId", "pcx-0123456789abcdef0")
            .with("State", "active")
            .with("Origin", "CreateRoute")
    };
    let table = |number: u32| {
        let tag = Struct::new().with("Key", "tier").with("Value", "private");
        Struct::new()
            .with("RouteTableId", format!("rtb-{number:017x}"))
            .with("VpcId", "vpc-0123456789abcdef0")
            .with("OwnerId", ACCOUNT)
            .with("Associations", Value::List(Vec::new()))
            .with("PropagatingVgws", Value::List(Vec::new()))
            .with("Routes", Value::list((0..routes).map(route)))
            .with("Tags", Value::list([tag]))
    };
    Struct::new().with("RouteTables", Value::list((0..count).map(table)))
}

fn measure(what: &str, mut once: impl FnMut() -> usize) {
    let bytes = once();
    let begun = Instant::now();
    let mut times = 0_u32;
    while begun.elapsed() < LONG_ENOUGH {
        for _ in 0..10 {
            black_box(once());
        }
        times += 10;
    }
    let each = begun.elapsed().as_secs_f64() / f64::from(times);
    println!("{what:<58}{:>12.0}{:>12.1}{bytes:>12}", 1.0 / each, each * 1e6);
}
