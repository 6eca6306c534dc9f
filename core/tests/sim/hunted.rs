//! Faults of ours that the simulation with chance (`core/tests/chaos/`) found, each told as the shortest story that shows
//! it.

use ec2sim::{Action, PeeringStatus, Request};
use peerkeeper_core::desired::{DeletionPolicy, DependentRoutes};
use peerkeeper_core::ids::{HOLD_TAG_KEY, OwnerTag, Side};
use peerkeeper_core::memory::{Life, Memory};
use peerkeeper_core::reason::Reason;

use crate::common::operator::Sim;
use crate::common::rig::*;

const THEIRS: &str = "elsewhere/net/theirs";

/// Each side carries its own tags. While ours was on the requester's side, another owner's on the accepter's was
/// overwritten.
#[test]
fn another_owners_tag_on_one_side_keeps_our_hands_off_though_ours_is_on_the_other() {
    let mut rig = ready();
    let (id, owner) = (rig.id(), rig.b.owner());
    rig.sim.world.tag(&owner, &id.to_string(), &[(OwnerTag::KEY, THEIRS)]).unwrap();
    rig.sim.run_s(120);
    rig.edit(|object| object.tags = [("team".into(), "other".into())].into());
    let writes = rig.sim.own_writes();
    rig.sim.run_s(300);
    assert_eq!(rig.sim.own_writes(), writes, "{}", rig.sim.say());
    rig.sim.assert_stalled(&rig.key, Reason::OwnedElsewhere);
    let view = rig.sim.world.peering_as(&owner, &pcx(id)).unwrap();
    assert_eq!(view.tags.get(OwnerTag::KEY).map(String::as_str), Some(THEIRS));
}

/// A request that we had taken up could not be accepted any more, as somebody had meanwhile made the peering from the other
/// end. It was tried for ever, and the active peering never taken.
#[test]
fn a_request_beside_an_active_peering_is_let_go_for_that() {
    let mut rig = rig();
    let (a, b) = (rig.a.clone(), rig.b.clone());
    rig.sim.world.tag(&a.owner(), a.vpc.as_str(), &[(HOLD_TAG_KEY, "yes")]).unwrap();
    let request = rig.sim.world.request_peering(&b.vpc, &a.vpc).unwrap();
    rig.sim.run_s(120);
    let taken = |life: Life| matches!(life, Life::Requested { id, .. } if pcx(id) == request);
    assert!(taken(rig.memory().life), "{}", rig.sim.say());
    let made = rig.sim.world.peer(&a.vpc, &b.vpc).unwrap();
    let tags = vec![(HOLD_TAG_KEY.to_owned(), None)];
    let untag = Request::DeleteTags { resources: vec![a.vpc.to_string()], tags };
    rig.sim.world.call(&a.owner(), untag, &mut ec2sim::Calm).unwrap();
    rig.until_ready();
    assert_eq!(pcx(rig.id()), made);
    rig.assert_whole();
    assert_eq!(
        rig.sim.world.peering(&request).map(|view| view.status),
        Some(PeeringStatus::PendingAcceptance)
    );
    rig.sim.assert_quiet(400);
}

/// AWS failed the request within moments, so no reading ever showed it live. It was asked for again every five minutes,
/// each time in vain, wherever the object had once been asked to reconcile.
#[test]
fn a_request_that_fails_at_once_is_made_once() {
    let mut rig = foreign_rig();
    let overlap =
        Request::AssociateVpcCidrBlock { vpc_id: rig.b.vpc.to_string(), cidr: "10.1.0.0/17".to_owned() };
    rig.sim.world.call(&rig.b.owner(), overlap, &mut ec2sim::Calm).unwrap();
    rig.sim.cluster.change(&rig.key, |object| object.requested_at = Some("once".into()));
    rig.sim.run_s(1_800);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 1, "{}", rig.sim.say());
    rig.sim.assert_stalled(&rig.key, Reason::RequestFailed);
    rig.sim.cluster.change(&rig.key, |object| object.requested_at = Some("again".into()));
    let key = rig.key.clone();
    rig.sim.wake(&key);
    rig.sim.run_s(1_800);
    assert_eq!(rig.sim.done(Action::CreateVpcPeeringConnection), 2, "asked for, it is tried once more");
    rig.sim.assert_stalled(&rig.key, Reason::RequestFailed);
    rig.sim.assert_quiet(400);
}

/// What was asked for in vain counted as read: a write went to a side that could not be seen, on the other side's word,
/// which knows nothing of the tags here.
#[test]
fn nothing_is_sent_to_a_side_that_cannot_be_seen() {
    let mut rig = ready_with("restore", |sides| sides.accepter.allow_dns = Some(true));
    let (id, b) = (rig.id(), rig.b.clone());
    rig.sim.world.deny(b.account, b.region, Action::DescribeVpcPeeringConnections);
    let off = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: id.to_string(),
        requester: None,
        accepter: Some(false),
    };
    rig.sim.world.call(&b.owner(), off, &mut ec2sim::Calm).unwrap();
    rig.sim.world.delete_route(&b.table, "10.1.0.0/16").unwrap();
    let sent = rig.sim.own_writes();
    rig.sim.run_s(900);
    assert_eq!(rig.sim.own_writes(), sent, "{}", rig.sim.say());
    assert!(!rig.sim.is_ready(&rig.key));
    rig.sim.world.allow(b.account, b.region, Action::DescribeVpcPeeringConnections);
    rig.until_ready();
    rig.assert_whole();
}

/// A lost peering's place was taken by a request from the other end, which only the other end may take back: with the object
/// deleted, it was asked to go from this end, in vain, for ever.
#[test]
fn a_waiting_request_is_removed_from_the_end_that_asked_for_it() {
    let mut rig = ready();
    let (a, b) = (rig.a.clone(), rig.b.clone());
    rig.sim.world.tag(&a.owner(), a.vpc.as_str(), &[(HOLD_TAG_KEY, "yes")]).unwrap();
    rig.lose();
    let request = rig.sim.world.request_peering(&b.vpc, &a.vpc).unwrap();
    rig.sim.run_s(120);
    rig.edit(|object| object.deletion_policy = Some(DeletionPolicy::Delete));
    rig.delete();
    rig.sim.run_s(120);
    let tags = vec![(HOLD_TAG_KEY.to_owned(), None)];
    let untag = Request::DeleteTags { resources: vec![a.vpc.to_string()], tags };
    rig.sim.world.call(&a.owner(), untag, &mut ec2sim::Calm).unwrap();
    rig.until_gone();
    assert_eq!(rig.sim.world.peering(&request).map(|view| view.status), Some(PeeringStatus::Deleted));
}

/// The routes of a loss were removed, as the policy says; somebody asked for a new peering, which was taken, and took it
/// back. The old loss was then flagged a second time.
#[test]
fn a_settled_loss_stays_settled_when_what_was_taken_for_it_ends() {
    let mut rig = ready_with("remove", |_| {});
    let (a, b) = (rig.a.clone(), rig.b.clone());
    let lost = rig.lose();
    rig.until_reason(Reason::ReleasedByPolicy);
    let flagged = |rig: &Rig| {
        let notes = rig.sim.notes(&rig.key);
        notes.iter().filter(|reason| **reason == Reason::DeletedUnexpectedly).count()
    };
    assert_eq!(flagged(&rig), 1);
    rig.sim.world.deny(a.account, a.region, Action::AcceptVpcPeeringConnection);
    let request = rig.sim.world.request_peering(&b.vpc, &a.vpc).unwrap();
    let taken = |sim: &Sim| matches!(sim.memory(&key("peering")).life, Life::Requested { .. });
    rig.sim.run_until("taken", 300, taken);
    rig.sim.world.delete_peering_as(b.account, b.region, &request).unwrap();
    rig.until_reason(Reason::RequestDeleted);
    rig.sim.run_s(300);
    assert!(matches!(rig.memory().life, Life::Released { lost: of, .. } if of == lost), "{}", rig.sim.say());
    assert_eq!(rig.memory().episode, None);
    assert_eq!(flagged(&rig), 1);
    rig.sim.assert_quiet(400);
}

/// With `dependentRoutes: All` what a table held was taken from the last sweep, however often the table was read since: a
/// route that was gone was removed again and again, and with it whatever somebody put in its place.
#[test]
fn of_what_a_table_holds_the_newest_reading_decides_for_dependents_too() {
    let mut rig = ready_with("remove", |_| {});
    set_policy(&mut rig.sim, "remove", |policy| policy.dependent_routes = DependentRoutes::All);
    let sent = rig.sim.history.len();
    rig.lose();
    rig.until_reason(Reason::ReleasedByPolicy);
    assert_eq!(rig.sim.writes_since(sent).len(), 2, "one for each side");
    assert_eq!(rig.target(Side::Requester), None);
    assert_eq!(rig.target(Side::Accepter), None);
}

/// Restored from a backup without its status, an object whose peering was lost waited for ever for CIDRs that only an
/// active peering tells.
#[test]
fn what_can_not_be_known_any_more_is_not_waited_for() {
    let mut rig = foreign_rig();
    rig.edit(|object| object.policy = Some("remove".into()));
    rig.until_reason(Reason::AwaitingAcceptance);
    rig.sim.world.accept_peering_as(SHARED, VA, &pcx(rig.id())).unwrap();
    rig.until_ready();
    let (id, a) = (rig.id(), rig.a.clone());
    rig.sim.world.delete_peering_as(a.account, a.region, &pcx(id)).unwrap();
    rig.sim.cluster.change(&rig.key, |object| {
        object.memory = Memory::default();
        object.report = None;
    });
    rig.sim.restart();
    rig.sim.run_s(900);
    rig.sim.assert_stalled(&rig.key, Reason::PeerCidrsChanged);
    assert_eq!(rig.target(Side::Requester), Some(id.to_string()), "nobody can say whose it is");
    rig.sim.assert_quiet(400);
}
