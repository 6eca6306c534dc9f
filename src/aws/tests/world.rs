//! The room on the simulated EC2: what the world holds is what is read, and what a write says is what became of it.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use ec2sim::sdk::{Fate, InProcess};
use ec2sim::wire::HttpAnswer;
use ec2sim::{
    Action, Caller, Calm, Choice, CreatePrefixList, Fault, Knobs, PeeringStatus, Request, Role, Script,
    Seeded, Trust, Who, World, world_of_today,
};
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::desired::PairAt;
use peerkeeper_core::ids::{AccountRegion, Region, Side, Sides, Slot, Target, VpcAt, VpcPair};
use peerkeeper_core::observed::Unseen;
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::testing::{peering_proof, rule_proof, slot_proof};
use peerkeeper_core::write::{NotSent, OursBecause, Outcome, TagSet, Write, WriteCall};

use super::direct::{self, Line};
use crate::aws::{AccountConfig, Aws, AwsConfig, IdentityError, NarrowNeeds, ReadErrorKind};

pub const PROD: &str = "111122223333";
const SHARED: &str = "444455556666";
const ROLE: &str = "arn:aws:iam::444455556666:role/peerkeeper";
const DESCRIBES: [&str; 3] = ["DescribeVpcPeeringConnections", "DescribeRouteTables", "DescribeVpcs"];

pub fn eu() -> Region {
    "eu-west-1".parse().unwrap()
}

pub fn prod_in_eu() -> AccountRegion {
    AccountRegion { account: PROD.parse().unwrap(), region: eu() }
}

/// The room, and the world that it looks at.
pub struct Rig {
    pub world: InProcess,
    pub aws: Aws,
    pub a: ec2sim::VpcId,
    pub b: ec2sim::VpcId,
    pub table: ec2sim::RouteTableId,
}

/// Without host names there are no DNS options.
fn name_hosts(world: &mut World, vpcs: &[&ec2sim::VpcId]) {
    for vpc in vpcs {
        let owner = world.owner_of(vpc).unwrap();
        for (support, hostnames) in [(Some(true), None), (None, Some(true))] {
            let request = Request::ModifyVpcAttribute {
                vpc_id: (*vpc).into(),
                enable_dns_support: support,
                enable_dns_hostnames: hostnames,
            };
            world.call(&owner, request, &mut Calm).unwrap();
        }
    }
}

/// Two VPCs in one place, a third elsewhere, route tables, a prefix list; peerings in every state.
fn land(world: &mut World) -> (ec2sim::VpcId, ec2sim::VpcId, ec2sim::RouteTableId) {
    let mut vpc = |account, region, cidr| world.create_vpc(account, region, cidr).unwrap();
    let a = vpc(PROD, "eu-west-1", "10.1.0.0/16");
    let b = vpc(PROD, "eu-west-1", "10.2.0.0/16");
    let far = vpc(SHARED, "us-east-1", "10.3.0.0/16");
    let others: Vec<_> = (4..8).map(|n| vpc(SHARED, "eu-west-1", format!("10.{n}.0.0/16").leak())).collect();
    let owner = Caller::new(PROD, "eu-west-1").named("human");
    name_hosts(world, &[&a, &b]);
    world.tag(&owner, a.as_str(), &[("team", "<network> & \"co\""), ("empty", "")]).unwrap();
    let second = Request::AssociateVpcCidrBlock { vpc_id: (&a).into(), cidr: "100.64.0.0/16".to_owned() };
    world.as_human(PROD, "eu-west-1", second).unwrap();
    let table = world.create_table(&a, &[("tier", "private")]).unwrap();
    let list = CreatePrefixList {
        name: "peers".to_owned(),
        max_entries: 7,
        address_family: "IPv4".to_owned(),
        entries: vec!["10.3.0.0/16".into()],
        tags: Default::default(),
        client_token: None,
    };
    world.as_human(PROD, "eu-west-1", Request::CreateManagedPrefixList(list)).unwrap();
    let active = world.peer(&a, &far).unwrap();
    world.add_route(&table, "10.3.0.0/16", active.as_str()).unwrap();
    world.add_route(&table, "0.0.0.0/0", "nat-0123456789abcdef0").unwrap();
    world.add_route(&table, "10.4.0.0/16", "tgw-0123456789abcdef0").unwrap();
    for (other, state) in others.iter().zip([
        PeeringStatus::PendingAcceptance,
        PeeringStatus::Provisioning,
        PeeringStatus::Rejected,
        PeeringStatus::Deleted,
    ]) {
        let id = world.request_peering(&a, other).unwrap();
        world.force_peering(&id, state);
    }
    (a, b, table)
}

pub async fn rig() -> Rig {
    let mut world = world_of_today();
    let (a, b, table) = land(&mut world);
    let world = InProcess::new(world, Calm);
    let own = Credentials::new(PROD, "secret", None, None, "test");
    let config = AwsConfig {
        region: Some(eu()),
        owner_id: "test-owner".into(),
        http_client: Some(world.client()),
        credentials: Some(SharedCredentialsProvider::new(own)),
        ..AwsConfig::default()
    };
    let aws = Aws::new(config).await.unwrap();
    aws.set_account(account("prod", PROD, None));
    Rig { world, aws, a, b, table }
}

fn account(name: &str, id: &str, role: Option<&str>) -> AccountConfig {
    AccountConfig {
        name: name.into(),
        uid: "uid-1".into(),
        generation: 1,
        account_id: id.parse().unwrap(),
        role_arn: role.map(Into::into),
        external_id: role.map(|_| "the-secret".into()),
    }
}

impl Rig {
    async fn sweep(&self) -> Result<(), ReadErrorKind> {
        self.aws.reader().sweep("prod", eu()).await.map(drop).map_err(|error| error.kind)
    }

    /// What writes are about: peerings with their tags and options, routes, and security groups.
    fn truth(&self) -> String {
        self.world.with_world(|world| {
            let (peerings, tables): (Vec<_>, Vec<_>) =
                (world.peerings().collect(), world.route_tables().collect());
            let groups: Vec<_> = world.security_groups().collect();
            format!("{peerings:?} {tables:?} {groups:?}")
        })
    }

    pub async fn send(&self, write: Write) -> Outcome {
        let call = WriteCall { side: Side::Requester, at: prod_in_eu(), write };
        self.aws.writer().send("prod", &call, || Ok(())).await.outcome
    }

    /// What is in view is what the world holds, thing by thing.
    #[track_caller]
    fn assert_shows_the_world(&self) {
        let view = self.aws.reader().view("prod", eu());
        let mut world = self.world.with_world(|world| world.clone());
        let mut line = Line { world: &mut world, chance: &mut Calm, reversed: false };
        fn same<T: peerkeeper_core::observed::Resource>(
            view: &peerkeeper_core::observed::View<T>,
            told: std::sync::Arc<peerkeeper_core::observed::Reading<T>>,
        ) {
            let read = view.sweep.as_ref().expect("a sweep");
            assert!(told.len() > 1, "there is something to read");
            assert!(read.iter().eq(told.iter()), "read: {read:#?}\nthe world holds: {told:#?}");
        }
        same(&view.peerings, line.peerings(prod_in_eu(), None).unwrap());
        same(&view.tables, line.tables(prod_in_eu(), None).unwrap());
        same(&view.vpcs, line.vpcs(prod_in_eu(), None).unwrap());
        assert_eq!(view.caller, PROD.parse().ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_shows_just_what_the_world_holds_however_it_is_paged() {
    for way in 0..3 {
        let rig = rig().await;
        if way > 0 {
            // More tables than half a page holds.
            rig.world.with_world(|world| {
                (0..60).for_each(|_| drop(world.create_table(&rig.b, &[]).unwrap()));
            });
            let script = (0..4).fold(Script::new(), |script, _| script.pick(Choice::ShortPage, way));
            rig.world.set_chance(script);
        }
        rig.sweep().await.unwrap();
        rig.assert_shows_the_world();
        let asked: usize = DESCRIBES.iter().map(|action| rig.world.count(action)).sum();
        assert!(if way == 0 { asked == 3 } else { asked > 3 }, "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_narrow_reading_shows_what_was_asked_for_and_nothing_else() {
    let rig = rig().await;
    let (a, b) = (direct::text(&rig.a), direct::text(&rig.b));
    let lists = rig.world.with_world(|world| {
        let mut line = Line { world, chance: &mut Calm, reversed: false };
        let tables = line.tables(prod_in_eu(), None).unwrap();
        (tables.len(), line.vpcs(prod_in_eu(), None).unwrap().len())
    });
    assert!(lists.0 > 2 && lists.1 > 1);
    let table = direct::text(&rig.table);
    let needs = NarrowNeeds {
        pair: Some(VpcPair::new(a, b)),
        vpcs: [a].into(),
        tables: [table].into(),
        prefix_lists: ["pl-00000000000000bad".parse().unwrap()].into(),
        ..NarrowNeeds::default()
    };
    let view = rig.aws.reader().read_narrow("prod", eu(), needs).await;
    assert_eq!(view.peerings.narrow.map(|read| read.len()), Some(0), "of this pair there is none");
    assert_eq!(view.vpcs.narrow.map(|read| read.len()), Some(1));
    assert_eq!(
        view.tables.narrow.map(|read| read.iter().map(|t| t.id).collect::<Vec<_>>()),
        Some(vec![table])
    );
    assert_eq!(
        view.prefix_lists.narrow.map(|read| read.len()),
        Some(0),
        "one that is not there fails nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn through_days_of_trouble_a_reading_is_right_or_there_is_none() {
    let rig = rig().await;
    rig.sweep().await.unwrap();
    let (mut well, mut ill) = (0, 0);
    for seed in 0..60 {
        let knobs = Knobs::default()
            .fault(Fault::Throttled, 2_000)
            .fault(Fault::Internal, 2_000)
            .fault(Fault::Unavailable, 1_000)
            .fault(Fault::ResetBeforeEffect, 1_500)
            .choice(Choice::ShortPage, 4_000);
        rig.world.set_chance(Seeded::new(seed, knobs));
        match rig.sweep().await {
            Ok(()) => well += 1,
            Err(kind) => {
                ill += 1;
                assert!(matches!(kind, ReadErrorKind::Throttled | ReadErrorKind::Failed), "{kind:?}");
            }
        }
        rig.assert_shows_the_world();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!(well > 5 && ill > 5, "{well} sweeps went well and {ill} did not");
}

type Twisted = (&'static str, fn(HttpAnswer) -> Fate, ReadErrorKind);

fn with_body(answer: HttpAnswer, body: &str) -> Fate {
    Fate::Arrives(HttpAnswer { body: body.into(), ..answer })
}

const PAGE: &str = "<!doctype html><html><body><h1>502 Bad Gateway</h1><hr></body></html>";

/// What can become of an answer on its way, and what a read makes of it. None of these brings a reading.
const TWISTS: &[Twisted] = &[
    ("cut off", |answer| Fate::BreaksOff(answer.clone(), answer.body.len() / 2), ReadErrorKind::Unreadable),
    ("cut off at once", |answer| Fate::BreaksOff(answer, 0), ReadErrorKind::Unreadable),
    ("reset", |_| Fate::Reset, ReadErrorKind::Failed),
    ("silence", |_| Fate::Silence, ReadErrorKind::Failed),
    (
        "too late",
        |answer| Fate::Late(Duration::from_secs(21), Box::new(Fate::Arrives(answer))),
        ReadErrorKind::Failed,
    ),
    ("nothing at all", |answer| with_body(answer, ""), ReadErrorKind::Unreadable),
    ("no XML", |answer| with_body(answer, "gateway"), ReadErrorKind::Unreadable),
    ("a page, and said to be well", |answer| with_body(answer, PAGE), ReadErrorKind::Unreadable),
    (
        "a page of a gateway that failed",
        |answer| with_body(HttpAnswer { status: 502, ..answer }, PAGE),
        ReadErrorKind::Unreadable,
    ),
    (
        "the answer to another question",
        |answer| with_body(answer, "<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>"),
        ReadErrorKind::Unreadable,
    ),
];

#[tokio::test(start_paused = true)]
async fn what_an_answer_becomes_on_its_way_is_never_a_reading_and_the_last_one_stays() {
    for (what, twist, expected) in TWISTS {
        for action in DESCRIBES {
            let rig = rig().await;
            rig.sweep().await.unwrap();
            rig.world.twist(move |seen, fate| match fate {
                Fate::Arrives(answer) if seen.action == action => twist(answer),
                fate => fate,
            });
            tokio::time::sleep(Duration::from_secs(60)).await;
            let error = rig.aws.reader().sweep("prod", eu()).await.unwrap_err();
            assert_eq!((error.kind, error.call), (*expected, action), "{what}: {error}");
            let view = rig.aws.reader().view("prod", eu());
            let unseen = [
                (DESCRIBES[0], view.peerings.unseen.clone(), view.peerings.before.is_some()),
                (DESCRIBES[1], view.tables.unseen.clone(), view.tables.before.is_some()),
                (DESCRIBES[2], view.vpcs.unseen.clone(), view.vpcs.before.is_some()),
            ];
            for (of, unseen, has_second) in unseen {
                let failed = of == action;
                assert_eq!(unseen != Unseen::NotRead, failed, "{what}: {of}: {unseen:?}");
                assert_eq!(
                    has_second, !failed,
                    "{what}: a failure is no second look, and the others were had"
                );
            }
            rig.world.untwist();
            rig.assert_shows_the_world();
            rig.sweep().await.unwrap();
            rig.assert_shows_the_world();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for_as_long_as_the_timeout_says() {
    let rig = rig().await;
    rig.world.twist(|_, fate| Fate::Late(Duration::from_secs(4), Box::new(fate)));
    rig.sweep().await.unwrap();
    rig.assert_shows_the_world();
}

/// One write of each kind, that a calm world does.
fn writes(rig: &Rig) -> Vec<Write> {
    let place = prod_in_eu();
    let (a, b) = (direct::text(&rig.a), direct::text(&rig.b));
    let sides = Sides::new(VpcAt { at: place, vpc: a }, VpcAt { at: place, vpc: b });
    let tags = TagSet::from([("team".into(), "network & co".into())]);
    let (pending, active) = rig.world.with_world(|world| {
        let third = world.create_vpc(PROD, "eu-west-1", "10.8.0.0/16").unwrap();
        let fourth = world.create_vpc(PROD, "eu-west-1", "10.9.0.0/16").unwrap();
        name_hosts(world, &[&fourth]);
        let pending = world.request_peering(&rig.a, &third).unwrap();
        let active = world.peer(&rig.a, &fourth).unwrap();
        world.add_route(&rig.table, "10.9.0.0/16", active.as_str()).unwrap();
        (direct::text(&pending), direct::text(&active))
    });
    let stale = rig.world.with_world(|world| {
        let fifth = world.create_vpc(PROD, "eu-west-1", "10.90.0.0/16").unwrap();
        super::rules::leave_stale(world, &rig.a, &fifth);
        let mut line = Line { world, chance: &mut Calm, reversed: false };
        line.stale_rules(prod_in_eu(), a).unwrap().iter().next().unwrap().clone()
    });
    let slot = |destination: &str| Slot {
        side: Side::Requester,
        table: direct::text(&rig.table),
        destination: destination.parse().unwrap(),
    };
    let proof = || slot_proof(Mono(0), OursBecause::Remembered);
    let there = Target::Other("tgw-0123456789abcdef0".into());
    vec![
        Write::Create { pair: PairAt { sides }, tags: tags.clone() },
        Write::Accept(pending),
        Write::Options { id: active, requester: Some(true), accepter: None },
        Write::Tag { id: active, set: tags },
        Write::Untag { id: active, keys: ["gone".into()].into() },
        Write::AddRoute { slot: slot("10.9.4.0/24"), to: active },
        Write::Repoint { slot: slot("10.4.0.0/16"), from: there, to: active, proof: proof() },
        Write::DropRoute { slot: slot("10.9.0.0/16"), was: active, proof: proof() },
        Write::Remove(active, peering_proof(Mono(0), OursBecause::Tagged)),
        Write::RevokeRule {
            rule: stale.id,
            group: stale.group,
            vpc: a,
            is_egress: stale.is_egress,
            via: stale.via,
            proof: rule_proof(Mono(0), OursBecause::RefersOverTheLost),
        },
    ]
}

fn action_of(write: &Write) -> Action {
    let name = WriteCall { side: Side::Requester, at: prod_in_eu(), write: write.clone() }.action();
    *Action::ALL.iter().find(|action| action.name() == name).expect("the world knows it")
}

/// A rig in which the tag that one of the writes removes is there.
async fn ready_for_writes() -> (Rig, Vec<Write>) {
    let rig = rig().await;
    let writes = writes(&rig);
    rig.aws.verify("prod").await.unwrap();
    rig.world.with_world(|world| {
        let owner = Caller::new(PROD, "eu-west-1").named("human");
        for write in &writes {
            if let Write::Untag { id, .. } = write {
                world.tag(&owner, &id.to_string(), &[("gone", "soon")]).unwrap();
            }
        }
    });
    (rig, writes)
}

#[tokio::test(start_paused = true)]
async fn what_a_write_says_is_what_became_of_it_whatever_happens_on_the_way() {
    let kinds = ready_for_writes().await.1.len();
    assert_eq!(kinds, 10, "as many as there are, and a rule's two directions are one");
    for kind in 0..kinds {
        let (calm, writes) = ready_for_writes().await;
        let before = calm.truth();
        let outcome = calm.send(writes[kind].clone()).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{:?}: {outcome:?}", writes[kind]);
        assert!(calm.truth() != before, "{:?} has no effect", writes[kind]);

        for fault in Fault::ALL {
            let (rig, writes) = ready_for_writes().await;
            let write = &writes[kind];
            rig.world.set_chance(Script::new().fault(action_of(write), *fault));
            let before = rig.truth();
            let outcome = rig.send(write.clone()).await;
            let changed = rig.truth() != before;
            let told = match &outcome {
                Outcome::Refused(refusal) => Some(refusal.kind()),
                Outcome::Unknown(_) => None,
                other => panic!("{fault:?} on {write:?}: {other:?}"),
            };
            let expected = match fault {
                Fault::Throttled => (Some(RefusalKind::Throttled), false),
                Fault::Denied => (Some(RefusalKind::Denied), false),
                Fault::Expired => (Some(RefusalKind::Credentials), false),
                Fault::Internal | Fault::Unavailable | Fault::ResetBeforeEffect => (None, false),
                Fault::InternalAfterEffect | Fault::TimeoutAfterEffect => (None, true),
            };
            assert_eq!((told, changed), expected, "{fault:?} on {write:?}: {outcome:?}");
            assert_eq!(rig.world.count(action_of(write).name()), 1, "{fault:?}: sent once");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_write_that_is_lost_or_spoilt_leaves_it_unknown_and_reading_tells() {
    for kind in 0..9 {
        for (what, twist, _) in TWISTS {
            let (rig, writes) = ready_for_writes().await;
            let (write, action) = (writes[kind].clone(), action_of(&writes[kind]).name());
            rig.world.twist(move |seen, fate| match fate {
                Fate::Arrives(answer) if seen.action == action => twist(answer),
                fate => fate,
            });
            let began = tokio::time::Instant::now();
            let outcome = rig.send(write.clone()).await;
            assert!(began.elapsed() <= Duration::from_secs(6), "{what}: a write is given up in time");
            // An answer that says nothing but yes is a yes, whatever it is the answer to.
            let is_bare = !matches!(write, Write::Create { .. } | Write::AddRoute { .. } | Write::Remove(..));
            let fits = match &outcome {
                Outcome::Unknown(_) => true,
                Outcome::Done(None) => is_bare && *what == "the answer to another question",
                _ => false,
            };
            assert!(fits, "{what}: {write:?}: {outcome:?}");
            assert_eq!(rig.world.count(action), 1, "{what}: sent once");
            rig.world.untwist();
            rig.sweep().await.unwrap();
            rig.assert_shows_the_world();
        }
    }
}

/// The room with an account that a role of its own leads to, by external id.
async fn rig_with_role() -> Rig {
    let rig = rig().await;
    rig.world.with_world(|world| {
        world.set_strict_roles(true);
        let trust = Trust::of(Who::Account(PROD.into())).if_told("the-secret");
        world.set_role(ROLE, Role::trusting([trust]));
    });
    rig.aws.set_account(account("shared", SHARED, Some(ROLE)));
    rig
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_by_its_external_id_and_another_is_refused() {
    let rig = rig_with_role().await;
    let caller = rig.aws.verify("shared").await.unwrap();
    assert_eq!(caller.account, SHARED.parse().unwrap());
    assert!(caller.arn.contains("assumed-role/peerkeeper/peerkeeper-test-owner"), "{}", caller.arn);
    rig.aws.reader().sweep("shared", eu()).await.unwrap();
    let seen = rig.aws.reader().view("shared", eu()).vpcs.sweep.unwrap();
    assert!(seen.iter().all(|vpc| vpc.owner == SHARED.parse().unwrap()) && seen.len() == 4);

    let wrong =
        AccountConfig { external_id: Some("a-guess".into()), ..account("shared", SHARED, Some(ROLE)) };
    rig.aws.set_account(wrong);
    let refused = rig.aws.verify("shared").await.unwrap_err();
    assert!(matches!(&refused, IdentityError::Refused { call: "AssumeRole", .. }), "{refused}");
    let swept = rig.aws.reader().sweep("shared", eu()).await.unwrap_err();
    assert_eq!(swept.kind, ReadErrorKind::Denied);
    assert!(rig.aws.reader().view("shared", eu()).vpcs.sweep.is_none(), "what was read before is forgotten");
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_are_not_used_for_anything() {
    let rig = rig().await;
    rig.aws.set_account(account("shared", SHARED, None));
    let wrong = rig.aws.verify("shared").await.unwrap_err();
    assert!(
        matches!(&wrong, IdentityError::WrongAccount { found: Some(found), .. } if *found == PROD.parse().unwrap())
    );
    let before = rig.world.seen().len();
    rig.aws.reader().sweep("shared", eu()).await.unwrap_err();
    let at = AccountRegion { account: SHARED.parse().unwrap(), region: eu() };
    let write = Write::Accept("pcx-11111111".parse().unwrap());
    let sent = rig
        .aws
        .writer()
        .send("shared", &WriteCall { side: Side::Requester, at, write }, || Ok(()))
        .await
        .outcome;
    assert!(matches!(sent, Outcome::NotSent(NotSent::Credentials(_))), "{sent:?}");
    let more: Vec<&str> = rig.world.seen()[before..].iter().map(|seen| seen.action).collect();
    assert!(more.iter().all(|action| *action == "GetCallerIdentity"), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_early_is_replaced_in_the_same_sweep() {
    let rig = rig_with_role().await;
    let reader = rig.aws.reader();
    reader.sweep("shared", eu()).await.unwrap();
    assert_eq!(rig.world.count("AssumeRole"), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    rig.world.with_world(World::end_sessions);
    reader.sweep("shared", eu()).await.unwrap();
    assert_eq!(rig.world.count("AssumeRole"), 2, "once, for all three questions");

    // The role is gone with the session: nothing is read, and what was read stays, as old as it is.
    tokio::time::sleep(Duration::from_secs(60)).await;
    rig.world.with_world(|world| {
        world.forget_role(ROLE);
        world.end_sessions();
    });
    let error = reader.sweep("shared", eu()).await.unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Denied, "{error}");
    let view = reader.view("shared", eu());
    assert!(matches!(view.vpcs.unseen, Unseen::Denied { .. }), "{:?}", view.vpcs.unseen);
    assert_eq!(view.vpcs.sweep.map(|read| read.len()), Some(4));

    // And back again: within moments all is well.
    rig.world.with_world(|world| {
        world.set_role(ROLE, Role::trusting([Trust::of(Who::Account(PROD.into())).if_told("the-secret")]));
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    reader.sweep("shared", eu()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn hours_of_sweeps_renew_the_session_before_it_ends() {
    let rig = rig_with_role().await;
    for _ in 0..6 * 60 {
        rig.aws.reader().sweep("shared", eu()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    // Whether a session still lives is asked of the real clock, for which no time has passed: as on a machine whose clock
    // is slow, sessions end before their time.
    let renewals = rig.world.count("AssumeRole");
    assert!((6..=30).contains(&renewals), "{renewals} sessions in six hours");
}
