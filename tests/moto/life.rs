use peerkeeper_core::ids::{Side, Target};
use peerkeeper_core::observed::{Ending, PeeringState};
use peerkeeper_core::write::{Outcome, Write};

use crate::bench::{
    Bench, HERE, Made, PROD, SHARED, THERE, create, id_of, of_peering, of_slot, pair_of, region, tags,
};
use crate::client::OWN_ACCOUNT;

#[tokio::test]
async fn every_write_in_one_account_is_read_back() {
    let bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let pair = pair_of(&one, &other).pair();
    let send = |write| bench.send("prod", Side::Requester, one.at, write);

    let id = id_of(send(create(&one, &other)).await);
    let pending = bench.pair("prod", HERE, pair).await;
    assert_eq!(pending.len(), 1);
    assert_eq!((pending[0].id, &pending[0].state), (id, &PeeringState::PendingAcceptance));
    assert_eq!(pending[0].owner().map(|owner| owner.to_string()).as_deref(), Some("me/ns/name"));
    assert_eq!((pending[0].requester.vpc, pending[0].accepter.vpc), (one.vpc, other.vpc));
    assert_eq!((pending[0].requester.at, pending[0].accepter.at), (one.at, other.at));

    assert_eq!(send(Write::Accept(id)).await, Outcome::Done(None));
    let active = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!(active.state, PeeringState::Active);
    assert!(active.requester.cidrs.contains(&"10.0.0.0/16".parse().expect("a CIDR")));

    assert_eq!(send(Write::Options { id, requester: Some(true), accepter: None }).await, Outcome::Done(None));
    let asked = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!((asked.requester.allow_dns, asked.accepter.allow_dns.unwrap_or(false)), (Some(true), false));

    assert_eq!(send(Write::Tag { id, set: tags(&[("team", "a&b =+ü")]) }).await, Outcome::Done(None));
    let tagged = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!(tagged.tags.get("team").map(AsRef::as_ref), Some("a&b =+ü"));
    assert_eq!(send(Write::Untag { id, keys: ["team".into()].into() }).await, Outcome::Done(None));
    let untagged = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!(untagged.tags, tags(&[("peerkeeper.dev/owner", "me/ns/name")]));

    assert_eq!(send(Write::Remove(id, of_peering())).await, Outcome::Done(None));
    let gone = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!(gone.state, PeeringState::Ended(Ending::Deleted));
    assert_eq!(gone.deleted_by(), PROD.parse().ok());
}

#[tokio::test]
async fn routes_of_every_kind_are_added_repointed_and_dropped() {
    let bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let send = |write| bench.send("prod", Side::Requester, one.at, write);
    let old = id_of(send(create(&one, &other)).await);
    let list = one.ec2.create_managed_prefix_list().prefix_list_name("peer").max_entries(7);
    let list = list.address_family("IPv4").send().await.expect("a prefix list").prefix_list.expect("it");
    let list = list.prefix_list_id().expect("its id").to_owned();

    let destinations = ["10.1.0.0/16", "2001:db8:1::/56", &list];
    for destination in destinations {
        let slot = one.slot(Side::Requester, destination);
        assert_eq!(send(Write::AddRoute { slot, to: old }).await, Outcome::Done(None), "{destination}");
        assert_eq!(one.target(destination).await, Some(old.to_string()), "{destination}");
    }
    let table = bench.table("prod", HERE, one.table).await.expect("the table");
    assert!(table.main && !table.edge && table.vpc == one.vpc && table.owner.to_string() == PROD);
    for destination in destinations {
        let route = table.route(destination.parse().expect("a destination")).expect(destination);
        assert_eq!((&route.target, route.propagated), (&Target::Peering(old), false));
    }
    let local = table.route("10.0.0.0/16".parse().expect("a destination")).expect("the local route");
    assert_eq!(local.target, Target::Local);

    assert_eq!(send(Write::Remove(old, of_peering())).await, Outcome::Done(None));
    let new = id_of(send(create(&one, &other)).await);
    for destination in destinations {
        let slot = one.slot(Side::Requester, destination);
        let repoint = Write::Repoint { slot, from: Target::Peering(old), to: new, proof: of_slot() };
        assert_eq!(send(repoint).await, Outcome::Done(None), "{destination}");
        assert_eq!(one.target(destination).await, Some(new.to_string()), "{destination}");
        let drop = Write::DropRoute { slot, was: new, proof: of_slot() };
        assert_eq!(send(drop).await, Outcome::Done(None), "{destination}");
        assert_eq!(one.target(destination).await, None, "{destination}");
    }

    let needs = peerkeeper::aws::NarrowNeeds {
        prefix_lists: [list.parse().expect("an id")].into(),
        ..Default::default()
    };
    let view = bench.aws.reader().read_narrow("prod", region(HERE), needs).await;
    let lists = view.prefix_lists.narrow.unwrap_or_else(|| panic!("{:?}", view.prefix_lists.unseen));
    let entries: Vec<u32> = lists.iter().map(|list| list.max_entries).collect();
    assert_eq!(entries, [7]);
}

#[tokio::test]
async fn a_peering_across_accounts_and_regions_is_made_and_seen_from_both() {
    let bench = Bench::new().await;
    let ours = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let theirs = Made::new(&bench.moto, SHARED, THERE, "10.1.0.0/16").await;
    let pair = pair_of(&ours, &theirs).pair();

    let id = id_of(bench.send("prod", Side::Requester, ours.at, create(&ours, &theirs)).await);
    // Only the accepter may accept.
    let refused = bench.send("prod", Side::Requester, ours.at, Write::Accept(id)).await;
    assert!(
        matches!(&refused, Outcome::Refused(refusal) if &*refusal.code == "OperationNotPermitted"),
        "{refused:?}"
    );
    let accept = bench.send("shared", Side::Accepter, theirs.at, Write::Accept(id)).await;
    assert_eq!(accept, Outcome::Done(None));

    for (name, place) in [("prod", HERE), ("shared", THERE)] {
        let seen = bench.pair(name, place, pair).await.remove(0);
        assert_eq!((seen.id, &seen.state), (id, &PeeringState::Active), "from {name}");
        assert_eq!((seen.requester.at, seen.accepter.at), (ours.at, theirs.at), "from {name}");
    }
    let sides =
        [("prod", Side::Requester, &ours, "10.1.0.0/16"), ("shared", Side::Accepter, &theirs, "10.0.0.0/16")];
    for (name, side, made, destination) in sides {
        let add = Write::AddRoute { slot: made.slot(side, destination), to: id };
        assert_eq!(bench.send(name, side, made.at, add).await, Outcome::Done(None));
        assert_eq!(made.target(destination).await, Some(id.to_string()));
    }
    let own_side = Write::Options { id, requester: None, accepter: Some(true) };
    assert_eq!(bench.send("shared", Side::Accepter, theirs.at, own_side).await, Outcome::Done(None));
    assert_eq!(bench.pair("shared", THERE, pair).await.remove(0).accepter.allow_dns, Some(true));

    let remove = Write::Remove(id, of_peering());
    assert_eq!(bench.send("shared", Side::Accepter, theirs.at, remove).await, Outcome::Done(None));
    let gone = bench.pair("prod", HERE, pair).await.remove(0);
    assert_eq!(gone.state, PeeringState::Ended(Ending::Deleted));
    assert_eq!(gone.deleted_by(), SHARED.parse().ok(), "the requester reads who deleted it");
}

#[tokio::test]
async fn a_sweep_takes_one_call_of_each_kind_and_shows_everything() {
    let mut bench = Bench::new().await;
    let one = Made::new(&bench.moto, PROD, HERE, "10.0.0.0/16").await;
    let other = Made::new(&bench.moto, PROD, HERE, "10.1.0.0/16").await;
    let id = id_of(bench.send("prod", Side::Requester, one.at, create(&one, &other)).await);
    bench.moto.forget_calls();

    let report = bench.aws.reader().sweep("prod", region(HERE)).await.expect("a sweep");

    // moto's pages have no end, so the floor is one call of each kind. Identity and role were asked for before.
    let calls = bench.moto.calls();
    let expected = ["DescribeRouteTables", "DescribeVpcPeeringConnections", "DescribeVpcs"];
    assert_eq!(calls.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    assert!(calls.values().all(|count| *count == 1), "{calls:?}");
    assert_eq!((report.peerings, report.pages), (1, 3));
    let view = bench.aws.reader().view("prod", region(HERE));
    assert_eq!(view.caller, PROD.parse().ok());
    assert!(view.peerings.sweep.expect("peerings").get(id).is_some());
    let vpcs = view.vpcs.sweep.expect("VPCs");
    let vpc = vpcs.get(one.vpc).expect("the VPC");
    assert_eq!(vpc.owner.to_string(), PROD);
    assert_eq!(vpc.cidrs, ["10.0.0.0/16".parse().expect("a CIDR")].into());
    assert!(view.tables.sweep.expect("tables").get(other.table).is_some());
}

#[tokio::test]
async fn without_a_role_the_operators_own_account_is_used_and_proved() {
    let bench = Bench::new().await;
    let mut own = crate::bench::behind_role("own", OWN_ACCOUNT, OWN_ACCOUNT);
    (own.role_arn, own.external_id) = (None, None);
    bench.aws.set_account(own);
    let caller = bench.aws.verify("own").await.expect("an identity");
    assert_eq!(caller.account.to_string(), OWN_ACCOUNT);
    let made = Made::new(&bench.moto, OWN_ACCOUNT, HERE, "10.0.0.0/16").await;
    bench.aws.reader().sweep("own", region(HERE)).await.expect("a sweep");
    assert!(bench.aws.reader().view("own", region(HERE)).vpcs.sweep.expect("VPCs").get(made.vpc).is_some());
}
