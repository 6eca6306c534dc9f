//! `peerkeeper import`.

use std::collections::BTreeMap;
use std::fs;

use ec2sim::{Caller, Calm, CreatePrefixList, Request, RouteTableId, VpcId, World};

use crate::stage::{ACCOUNTS, OWNER, Stage};

const PROD: (&str, &str) = (crate::stage::PROD, "eu-west-1");
const PROD_US: (&str, &str) = (crate::stage::PROD, "us-east-1");
const SHARED: (&str, &str) = (crate::stage::SHARED, "us-east-1");
/// Nobody here holds credentials for it.
const PARTNER: (&str, &str) = ("999900001111", "eu-west-1");

fn accounts() -> String {
    let (prod, shared) = ACCOUNTS.split_at(ACCOUNTS.rfind("---\n").expect("two accounts"));
    let allowed = format!("  allowedPeerAccounts: [\"{}\"]\n", PARTNER.0);
    format!("{prod}{allowed}{shared}{allowed}")
}

/// A VPC with a main table, two that are tagged alike and one that has no tag.
struct Spot {
    at: (&'static str, &'static str),
    vpc: VpcId,
    cidrs: Vec<String>,
    main: RouteTableId,
    private: [RouteTableId; 2],
    lone: RouteTableId,
}

fn spot(world: &mut World, at: (&'static str, &'static str), number: usize) -> Spot {
    let mut cidrs = vec![format!("10.{number}.0.0/20")];
    let vpc = world.create_vpc(at.0, at.1, &cidrs[0]).expect("a VPC");
    if number.is_multiple_of(3) {
        let (vpc_id, cidr) = (vpc.as_str().to_owned(), format!("10.{number}.64.0/20"));
        let request = Request::AssociateVpcCidrBlock { vpc_id, cidr: cidr.clone() };
        world.call(&Caller::new(at.0, at.1), request, &mut Calm).expect("a second block");
        cidrs.push(cidr);
    }
    let private = ["a", "b"].map(|zone| {
        let name = format!("private-{zone}");
        world.create_table(&vpc, &[("tier", "private"), ("Name", &name)]).expect("a table")
    });
    let lone = world.create_table(&vpc, &[]).expect("a table");
    let main = world.main_table(&vpc).expect("there always is one");
    // What leads elsewhere is nobody's business here.
    let foreign = world.create_table(&vpc, &[("tier", "public")]).expect("a table");
    let gateway = world.call(
        &Caller::new(at.0, at.1),
        Request::CreateInternetGateway { tags: BTreeMap::new() },
        &mut Calm,
    );
    let gateway = gateway.expect("a gateway").gateway().expect("a gateway").id.to_string();
    let attach =
        Request::AttachInternetGateway { gateway_id: gateway.clone(), vpc_id: vpc.as_str().to_owned() };
    world.call(&Caller::new(at.0, at.1), attach, &mut Calm).expect("it is attached");
    world.add_route(&foreign, "0.0.0.0/0", &gateway).expect("a route");
    Spot { at, vpc, cidrs, main, private, lone }
}

/// Routes from one end to the other, in one of several fashions.
fn route(world: &mut World, from: &Spot, to: &Spot, id: &str, fashion: usize) {
    let mut all = |tables: &[&RouteTableId], to: &[String]| {
        for table in tables {
            to.iter().for_each(|to| world.add_route(table, to, id).expect("a route"));
        }
    };
    let [a, b] = &from.private;
    match fashion % 6 {
        0 => all(&[&from.main], &to.cidrs),
        1 => all(&[a, b], &to.cidrs),
        2 => all(&[a, b, &from.lone, &from.main], &to.cidrs),
        3 => {
            // A summary, wider than the peer, where the peer's own blocks are too.
            all(&[&from.lone, a], &to.cidrs);
            all(&[&from.lone], &[to.cidrs[0].replace(".0.0/20", ".0.0/16")]);
        }
        4 => all(&[a], &to.cidrs[..1]),
        _ => {}
    }
}

/// Routes to a prefix list in both private tables.
fn prefix_list(world: &mut World, from: &Spot, to: &Spot, id: &str) {
    let list = CreatePrefixList {
        name: "peer".to_owned(),
        max_entries: 2,
        address_family: "IPv4".to_owned(),
        entries: to.cidrs.iter().map(|cidr| cidr.as_str().into()).collect(),
        client_token: None,
        tags: BTreeMap::new(),
    };
    let made =
        world.call(&Caller::new(from.at.0, from.at.1), Request::CreateManagedPrefixList(list), &mut Calm);
    let list = made.expect("a prefix list").prefix_list().expect("a prefix list").id.to_string();
    for table in &from.private {
        world.add_route(table, &list, id).expect("a route");
    }
}

/// 20 hubs and 25 spokes, all joined: three accounts of ours and a partner's, in two Regions.
fn network(world: &mut World) {
    let place = |number: usize, of: &[(usize, (&'static str, &'static str))]| {
        let mut left = number;
        of.iter()
            .find(|(count, _)| left.checked_sub(*count).map(|rest| left = rest).is_none())
            .expect("a place")
            .1
    };
    let hubs: Vec<Spot> =
        (0..20).map(|n| spot(world, place(n, &[(10, PROD), (5, PROD_US), (5, SHARED)]), n)).collect();
    let spokes: Vec<Spot> =
        (0..25).map(|n| spot(world, place(n, &[(10, SHARED), (10, PROD), (5, PARTNER)]), 100 + n)).collect();
    for (h, hub) in hubs.iter().enumerate() {
        for (s, spoke) in spokes.iter().enumerate() {
            // Every third was asked for from the other side.
            let is_reversed = (h + s).is_multiple_of(3);
            let (from, to) = if is_reversed { (spoke, hub) } else { (hub, spoke) };
            let id = world.peer(&from.vpc, &to.vpc).expect("a peering").to_string();
            let name = if s.is_multiple_of(2) { format!("Hub {h} to {s}") } else { "mesh".to_owned() };
            let tags = [("Name", name.as_str()), ("team", "network: \"core\"")];
            world.tag(&Caller::new(from.at.0, from.at.1), &id, &tags).expect("tags");
            if from.at != to.at && h.is_multiple_of(2) {
                world.tag(&Caller::new(to.at.0, to.at.1), &id, &tags[1..]).expect("tags");
            }
            route(world, hub, spoke, &id, h + s);
            route(world, spoke, hub, &id, h * 2 + s);
            if s == 7 && h < 8 {
                prefix_list(world, hub, spoke, &id);
            }
        }
    }
}

const IMPORT: [&str; 7] =
    ["import", "-f", "accounts.yaml", "-n", "network", "--region", "eu-west-1,us-east-1"];

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_peerings_are_adopted_with_one_command_and_nothing_changes() {
    let mut stage = Stage::sim();
    stage.write("accounts.yaml", &accounts());
    stage.aws.sim().world(network);
    stage.aws.forget_calls();
    let imported = stage.run(&IMPORT);
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert!(imported.err.ends_with("Imported 500 peerings.\n"), "{}", imported.err);
    assert_eq!(stage.writes(), [""; 0], "it only reads");
    assert_eq!(stage.run(&IMPORT).out, imported.out, "again, it says the same");
    shapes(&imported.out);

    let mut files = IMPORT.to_vec();
    files.extend(["--output-dir", "peerings"]);
    let written = stage.run(&files);
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{}", written.err);
    let count = fs::read_dir(stage.path("peerings")).expect("a folder").count();
    assert_eq!(count, 500);

    let plan = stage.run(&["plan", "-f", ".", "-f", "peerings"]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""), "{}", tail(&plan.out));
    let last = "Plan: 500 peerings, 500 in sync (500 to be adopted, by tags alone).\n";
    assert!(plan.out.ends_with(last), "{}", tail(&plan.out));
    assert_eq!(stage.writes(), [""; 0]);

    let before = routes_and_options(&stage);
    let apply = [
        "apply",
        "-f",
        ".",
        "-f",
        "peerings",
        "--owner-id",
        "cluster-1",
        "--timeout=300s",
        "--aws-budget-share=100",
    ];
    let applied = stage.run(&apply);
    assert_eq!(applied.code, 0, "{}\n{}", tail(&applied.out), tail(&applied.err));
    let writes = stage.writes();
    let counted = writes.iter().filter(|action| *action == "CreateTags").count();
    assert_eq!(counted, writes.len(), "nothing but the tags that say whose they are: {writes:?}");
    assert!(counted >= 500, "each is marked: {counted}");
    assert_eq!(routes_and_options(&stage), before, "traffic flows as it did");

    stage.aws.forget_calls();
    let plan = stage.run(&["plan", "-f", ".", "-f", "peerings", "--owner-id", "cluster-1"]);
    assert_eq!(plan.code, 0, "{}", tail(&plan.out));
    assert!(plan.out.ends_with("Plan: 500 peerings, 500 in sync.\n"), "{}", tail(&plan.out));
    let again = stage.run(&apply);
    assert_eq!((again.code, stage.writes().len()), (0, 0), "{}", tail(&again.out));
    let nothing = stage.run(&IMPORT);
    assert!(
        nothing.err.ends_with("Imported 0 peerings, left out 500.\n") && nothing.err.contains("--owned"),
        "{}",
        tail(&nothing.err)
    );
    assert_eq!((nothing.code, nothing.out.as_str()), (0, ""));
}

/// Everything but tags.
fn routes_and_options(stage: &Stage) -> String {
    stage.aws.sim().world(|world| {
        let tables: Vec<_> = world.route_tables().map(|table| (table.id, table.routes)).collect();
        let peerings: Vec<_> =
            world.peerings().map(|one| (one.id, one.status, one.requester, one.accepter)).collect();
        format!("{tables:?}{peerings:?}")
    })
}

/// Each way of saying it is in there: a test of one alone would prove little.
fn shapes(out: &str) {
    for shape in [
        "routeTables: {select: Main}\n      destinations: {peerCidrs: All}",
        "routeTables: {matchTags: {tier: private}}",
        "matchTags: {Name: private-a}",
        "routeTables: {ids: [rtb-",
        "destinations: {cidrs: [10.",
        "destinations: {prefixListIds: [pl-",
        "account: {id: \"999900001111\"}",
        "name: hub-0-to-0\n",
        "name: vpc-",
        "team: \"network: \\\"core\\\"\"",
    ] {
        assert!(out.contains(shape), "{shape} is nowhere in what was imported");
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// What a person has who makes a peering by hand, or by another tool.
async fn unowned(stage: &mut Stage) -> (crate::stage::Network, crate::stage::Network, String) {
    let (one, other) = stage.pair().await;
    fs::remove_file(stage.path("peering.yaml")).expect("nothing declares it");
    let id = stage.make(&one, &other, "cluster-1/network/prod-shared").await;
    for network in [&one, &other] {
        let tag = |key: &str| aws_sdk_ec2::types::Tag::builder().key(key).build();
        let untag =
            network.ec2.delete_tags().resources(&id).tags(tag(OWNER)).tags(tag("peerkeeper.dev/origin"));
        untag.send().await.expect("it is nobody's");
    }
    let name = aws_sdk_ec2::types::Tag::builder().key("Name").value("Prod to Shared").build();
    one.ec2.create_tags().resources(&id).tags(name).send().await.expect("a name");
    (one, other, id)
}

const ONE: [&str; 7] = ["import", "-f", "accounts.yaml", "-n", "network", "--region", "eu-west-1"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_reads_as_a_person_would_write_it() {
    let mut stage = Stage::sim();
    let (_, _, _) = unowned(&mut stage).await;
    let said = stage.run(&ONE);
    assert_eq!((said.code, said.err.as_str()), (0, "Imported 1 peering.\n"));
    insta::assert_snapshot!("imported", said.out);
    let from_the_other =
        stage.run(&["import", "-f", "accounts.yaml", "-n", "network", "--region", "us-east-1"]);
    assert_eq!(from_the_other.out, said.out, "from whichever end it is looked at");
    let mut files = ONE.to_vec();
    files.extend(["--output-dir", "peerings"]);
    assert_eq!(stage.run(&files).code, 0);
    let again = stage.run(&files);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("peerings/prod-to-shared.yaml is there already"), "{}", again.err);
    let plan = stage.run(&["plan", "-f", ".", "-f", "peerings"]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""), "{}", plan.out);
    insta::assert_snapshot!("imported_plan", plan.out);
    let declared =
        stage.run(&["import", "-f", ".", "-f", "peerings", "-n", "network", "--region", "eu-west-1"]);
    assert_eq!((declared.code, declared.out.as_str()), (0, ""));
    assert!(
        declared.err.contains("is declared already: VpcPeering network/prod-to-shared"),
        "{}",
        declared.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_imports_from_moto_too() {
    let mut stage = Stage::moto();
    let (_, _, _) = unowned(&mut stage).await;
    let mut files = ONE.to_vec();
    files.extend(["--output-dir", "peerings"]);
    let said = stage.run(&files);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.ends_with("Imported 1 peering.\n"), "{}", said.err);
    let plan = stage.run(&["plan", "-f", ".", "-f", "peerings"]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""), "{}", plan.out);
    stage.aws.forget_calls();
    let applied = stage.run(&["apply", "-f", ".", "-f", "peerings", "--owner-id", "cluster-1"]);
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    let writes = stage.writes();
    assert!(!writes.is_empty() && writes.iter().all(|action| action == "CreateTags"), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_keeps_or_what_has_ended_is_told_and_left_out() {
    let mut stage = Stage::sim();
    let (one, other) = stage.pair().await;
    fs::remove_file(stage.path("peering.yaml")).expect("nothing declares it");
    let id = stage.make(&one, &other, "cluster-9/team/theirs").await;
    let said = stage.run(&ONE);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    insta::assert_snapshot!("left_out", said.err);
    let mut owned = ONE.to_vec();
    owned.push("--owned");
    // The namespace that the tag names has no leave.
    let said = stage.run(&owned);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert!(said.err.contains("NotGranted"), "{}", said.err);
    stage.write(
        "namespace.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {team: network}}\n",
    );
    owned.extend(["-f", "namespace.yaml"]);
    let said = stage.run(&owned);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("  name: theirs\n  namespace: team\n"), "{}\n{}", said.out, said.err);
    stage.delete(&one.ec2, &id).await;
    let ended = stage.run(&ONE);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""));
    assert!(
        ended.err.contains("pcx-made") && ended.err.contains("is not active but deleted"),
        "{}",
        ended.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_an_error_and_never_half_a_manifest() {
    let mut stage = Stage::sim();
    unowned(&mut stage).await;
    let fault = crate::client::Fault {
        action: "DescribeRouteTables",
        region: Some("us-east-1"),
        ..Default::default()
    };
    stage.aws.refuse(fault, "UnauthorizedOperation");
    let said = stage.run(&ONE);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    for word in ["shared", "us-east-1", "DescribeRouteTables", "UnauthorizedOperation", "could not be read"] {
        assert!(said.err.contains(word), "{word} is not in {}", said.err);
    }
    stage.aws.mend();
    stage.aws.refuse(crate::client::Fault::of("AssumeRole"), "AccessDenied");
    let said = stage.run(&ONE);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("AssumeRole") && said.err.contains("AccessDenied"), "{}", said.err);
    let nobody =
        stage.run(&["import", "-f", "accounts.yaml", "--region", "eu-west-1", "--account", "absent"]);
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.err.contains("no AwsAccount \"absent\"") && nobody.err.contains("prod, shared"),
        "{}",
        nobody.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ambient_credentials_serve_where_no_account_is_named() {
    let stage = Stage::sim();
    stage.aws.sim().world(|world| {
        let one = world.create_vpc(crate::client::OWN_ACCOUNT, "eu-west-1", "10.1.0.0/16").expect("a VPC");
        let other = world.create_vpc(PARTNER.0, PARTNER.1, "10.2.0.0/16").expect("a VPC");
        let id = world.peer(&other, &one).expect("a peering");
        let main = world.main_table(&one).expect("a table");
        world.add_route(&main, "10.2.0.0/16", id.as_str()).expect("a route");
        // Nothing over there is in it, so no manifest can say it.
        world.add_route(&main, "192.168.0.0/16", id.as_str()).expect("a route");
    });
    let said = stage.run(&["import", "--region", "eu-west-1"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("account: {name: default}") && said.out.contains("account: {id: \"999900001111\"}"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("asked for it") && said.err.contains("allowedPeerAccounts"),
        "{}\n{}",
        said.out,
        said.err
    );
    assert!(said.err.contains("Not declared, and left as it is: route 192.168.0.0/16"), "{}", said.err);
    stage.write("imported.yaml", &said.out);
    let plan = stage.run(&["plan", "-f", "imported.yaml"]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""), "{}", plan.out);
}
