//! Tags, and who sees them.

use ec2sim::{Caller, CreatePeering, Request, Tags};

use crate::rig::*;

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn tag(resource: &str, pairs: &[(&str, &str)]) -> Request {
    Request::CreateTags { resources: vec![resource.to_owned()], tags: tags(pairs) }
}

#[test]
fn each_account_and_region_sees_its_own_tags_of_a_peering() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let request = Request::CreateVpcPeeringConnection(CreatePeering {
        vpc_id: (&rig.a).into(),
        peer_vpc_id: (&rig.b).into(),
        peer_owner_id: Some(THEM.to_owned()),
        peer_region: Some(VA.to_owned()),
        tags: tags(&[("team", "network")]),
    });
    let id = rig.ask(&us, request).unwrap().peering().unwrap().id;
    assert_eq!(rig.peering(&us, &id).tags, tags(&[("team", "network")]));
    assert!(rig.peering(&them, &id).tags.is_empty());
    rig.ask(&them, tag(id.as_str(), &[("owner", "them")])).unwrap();
    assert_eq!(rig.peering(&them, &id).tags, tags(&[("owner", "them")]));
    assert_eq!(rig.peering(&us, &id).tags, tags(&[("team", "network")]));

    let far = rig.world.create_vpc(US, VA, "10.3.0.0/16").unwrap();
    let own = rig.world.peer(&rig.a, &far).unwrap();
    rig.ask(&us, tag(own.as_str(), &[("here", "yes")])).unwrap();
    assert!(rig.peering(&Caller::new(US, VA), &own).tags.is_empty(), "the same account, another Region");
}

#[test]
fn tags_of_a_tombstone_can_still_be_read() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.ask(&us, tag(id.as_str(), &[("owner", "us")])).unwrap();
    rig.ask(&us, delete(&id)).unwrap();
    assert_eq!(rig.peering(&us, &id).tags, tags(&[("owner", "us")]));
}

#[test]
fn tags_are_removed_by_key_or_by_key_and_value() {
    let mut rig = rig();
    let us = rig.us.clone();
    let table = rig.world.create_table(&rig.a.clone(), &[("a", "1"), ("b", "2"), ("c", "3")]).unwrap();
    let remove = |key: &str, value: Option<&str>| Request::DeleteTags {
        resources: vec![(&table).into()],
        tags: vec![(key.to_owned(), value.map(ToOwned::to_owned))],
    };
    rig.ask(&us, remove("a", None)).unwrap();
    rig.ask(&us, remove("b", Some("other"))).unwrap();
    rig.ask(&us, remove("c", Some("3"))).unwrap();
    rig.ask(&us, remove("none", None)).unwrap();
    assert_eq!(rig.table(&us, &table).tags, tags(&[("b", "2")]));
}

#[test]
fn fifty_tags_and_their_forms_are_the_limit_and_nothing_is_half_done() {
    let mut rig = rig();
    let us = rig.us.clone();
    let vpc = rig.a.clone();
    for n in 0..50 {
        rig.ask(&us, tag(vpc.as_str(), &[(&format!("key{n}"), "v")])).unwrap();
    }
    rig.ask(&us, tag(vpc.as_str(), &[("key7", "changed")])).unwrap();
    assert_eq!(rig.refused(&us, tag(vpc.as_str(), &[("key50", "v")])).0, "TagLimitExceeded");
    let long = "k".repeat(129);
    for bad in ["", "aws:mine", long.as_str()] {
        assert_eq!(rig.refused(&us, tag(vpc.as_str(), &[(bad, "v")])).0, "InvalidParameterValue", "{bad}");
    }
    assert_eq!(rig.refused(&us, tag("eni-1", &[("a", "b")])).0, "InvalidID");

    let table = rig.main_table(&vpc);
    let resources = vec![(&table).into(), "pcx-0000000000000ffff".to_owned()];
    let both = Request::CreateTags { resources, tags: tags(&[("a", "b")]) };
    assert_eq!(rig.refused(&us, both).0, "InvalidVpcPeeringConnectionID.NotFound");
    assert!(rig.table(&us, &table).tags.is_empty());
}

#[test]
fn who_cannot_see_a_thing_cannot_tag_it() {
    let mut rig = rig();
    let them = rig.them.clone();
    let vpc = rig.a.clone();
    assert_eq!(rig.refused(&them, tag(vpc.as_str(), &[("a", "b")])).0, "InvalidVpcID.NotFound");
}

#[test]
fn a_peering_whose_tags_are_gone_is_as_if_it_never_had_any() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let before = rig.world.clone();
    rig.ask(&us, tag(id.as_str(), &[("a", "1")])).unwrap();
    assert_ne!(rig.world, before);
    let clear = Request::DeleteTags { resources: vec![id.into()], tags: Vec::new() };
    rig.ask(&us, clear).unwrap();
    assert_eq!(rig.world, before);
}
