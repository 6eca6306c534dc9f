//! Who did it, was it allowed, and what a person decided.

use std::sync::Arc;

use ec2sim::Action;
use peerkeeper_core::desired::{LossAction, Policy, UnknownActor};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, PeeringId, Side, Sides};
use peerkeeper_core::incident::{Class, Decision, DecisionVerdict, Phase};
use peerkeeper_core::limits::Level;
use peerkeeper_core::memory::{Attribution, LossClass, Proof};
use peerkeeper_core::plan::State;
use peerkeeper_core::principal::{Principal, Who};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Issuer, TrailEvent};
use peerkeeper_core::witness::{Asked, Witness};

use crate::common::rig::*;

const ADMIN: &str = "network-admin";

fn actor(role: &str) -> Actor {
    let account = SHARED.parse().unwrap();
    Actor {
        kind: ActorKind::AssumedRole,
        account: Some(account),
        arn: format!("arn:aws:sts::{SHARED}:assumed-role/{role}/ada").into(),
        issuer: Some(Issuer {
            arn: format!("arn:aws:iam::{SHARED}:role/{role}").into(),
            account,
            path: "/".into(),
            name: role.into(),
        }),
        ..Actor::default()
    }
}

/// The accepter's account deleted it, by this role, says this message.
fn deletion(rig: &Rig, lost: PeeringId, role: &str, heard: Heard) -> Arc<TrailEvent> {
    Arc::new(TrailEvent {
        id: format!("{role}-{lost}").into(),
        at: rig.sim.now().wall,
        place: AccountRegion { account: SHARED.parse().unwrap(), region: VA.parse().unwrap() },
        call: Call::DeletePeering(lost),
        actor: actor(role),
        heard,
        request_id: "r-1".into(),
        record: "{}".into(),
    })
}

fn hear(rig: &mut Rig, events: Vec<Arc<TrailEvent>>, asked: Asked) {
    let history = Sides::from_fn(|_| asked.clone());
    rig.sim.cluster.witness.insert(rig.key.clone(), Witness { events, history });
    let key = rig.key.clone();
    rig.sim.hint(&key);
}

/// A rig whose policy restores, and knows one role that may delete.
fn guarded(change: impl FnOnce(&mut Policy)) -> Rig {
    let mut rig = ready_with("restore", |_| {});
    set_policy(&mut rig.sim, "restore", |policy| {
        policy.authorized = Arc::from([Principal {
            accounts: [SHARED.parse().unwrap()].into(),
            who: Who::Role { path: "/".into(), name: ADMIN.into() },
            require_mfa: false,
            source_identity: None,
        }]);
        change(policy);
    });
    rig
}

fn class(rig: &Rig) -> Option<LossClass> {
    let memory = rig.memory();
    memory.episode.as_ref().map(|e| e.class).or(memory.last_loss.as_ref().map(|last| last.class))
}

fn told(rig: &Rig, lost: PeeringId) -> peerkeeper_core::incident::Incident {
    rig.sim.cluster.incidents.get(&rig.key, lost).and_then(|stored| stored.told.clone()).expect("it is told")
}

fn creates(rig: &Rig) -> usize {
    rig.sim.done(Action::CreateVpcPeeringConnection)
}

#[test]
fn the_incident_is_there_before_anything_is_changed_and_tells_the_end() {
    let mut rig = ready();
    rig.sim.watch = Some(|sim| {
        for object in sim.cluster.objects.values() {
            let acted = object.memory.episode.as_ref().filter(|episode| episode.acted.is_some());
            if let Some(episode) = acted {
                let case = object.memory.case.as_ref().expect("a case");
                assert!(case.of == episode.lost && case.incident.is_some(), "acted without an incident");
                let told = sim.cluster.incidents.get(&object.key, episode.lost).and_then(|i| i.told.as_ref());
                assert_eq!(told.map(|told| told.phase), Some(Phase::Restoring), "until it is over");
            }
        }
    });
    let lost = rig.lose();
    rig.sim.run_s(70);
    rig.until_ready();
    let told = told(&rig, lost);
    assert_eq!((told.phase, told.restored), (Phase::Restored, Some(rig.id())));
    assert_eq!(told.attribution, Attribution::AccountOnly(SHARED.parse().unwrap()));
    assert_eq!(told.routes.len(), 2);
    assert!(told.closed.is_some());
    assert_eq!(rig.sim.cluster.incidents.all().count(), 1);
}

#[test]
fn a_deletion_by_an_authorized_principal_is_cleaned_up_and_not_restored() {
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    rig.sim.run_s(70);
    assert_eq!(rig.sim.ready_reason(&rig.key), Some(Reason::AwaitingActor));
    let event = deletion(&rig, lost, ADMIN, Heard::History);
    hear(&mut rig, vec![event], Asked::NotYet);
    rig.until_state(State::Released);
    assert_eq!(class(&rig), Some(LossClass::Authorized));
    for side in Side::BOTH {
        assert_eq!(rig.target(side), None);
    }
    let attribution = rig.memory().case.as_ref().unwrap().attribution.clone();
    assert!(matches!(attribution, Attribution::Corroborated(culprit, Proof::History) if culprit.authorized));
}

#[test]
fn a_deletion_by_anybody_else_is_restored_as_soon_as_that_is_known() {
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    rig.sim.run_s(70);
    let before = creates(&rig);
    let event = deletion(&rig, lost, "intern", Heard::History);
    hear(&mut rig, vec![event], Asked::NotYet);
    rig.sim.run_s(60);
    assert_eq!(creates(&rig), before + 1);
    rig.until_ready();
    let told = told(&rig, lost);
    assert!(told.evidence.is_some(), "the record is in the incident");
    assert_eq!(told.class, Class::Loss(LossClass::Unexpected));
}

#[test]
fn a_forged_message_achieves_nothing() {
    // It agrees with all that AWS shows and names somebody who may; the history has the truth and wins.
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    let forged = deletion(&rig, lost, ADMIN, Heard::Queue);
    hear(&mut rig, vec![forged.clone()], Asked::NotYet);
    rig.sim.run_s(120);
    assert_eq!(class(&rig), Some(LossClass::Unexpected), "agreement alone waits for the history");
    assert_eq!(rig.sim.state(&rig.key), Some(State::Lost));
    let truth = deletion(&rig, lost, "intern", Heard::History);
    hear(&mut rig, vec![forged, truth], Asked::Answered(Wall(0)));
    rig.until_ready();
    assert_eq!(told(&rig, lost).class, Class::Loss(LossClass::Unexpected));
    // One about a peering that is there makes it look, and no more.
    let (id, before) = (rig.id(), rig.sim.own_writes());
    let forged = deletion(&rig, id, ADMIN, Heard::Queue);
    hear(&mut rig, vec![forged], Asked::NotYet);
    rig.sim.run_s(300);
    assert!(rig.sim.is_ready(&rig.key) && rig.sim.own_writes() == before);
}

#[test]
fn two_messages_that_name_different_people_prove_nothing() {
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    let messages = [ADMIN, "intern"].map(|role| deletion(&rig, lost, role, Heard::Queue)).to_vec();
    hear(&mut rig, messages, Asked::Unavailable("denied".into()));
    rig.sim.run_s(120);
    assert_eq!(rig.memory().case.as_ref().unwrap().attribution.as_str(), "EventOnly");
    assert_eq!(class(&rig), Some(LossClass::Unexpected));
    rig.until_ready();
}

#[test]
fn where_the_history_cannot_be_asked_agreement_is_enough() {
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    let event = deletion(&rig, lost, ADMIN, Heard::Queue);
    hear(&mut rig, vec![event], Asked::Unavailable("denied".into()));
    rig.sim.run_s(90);
    assert_eq!(class(&rig), Some(LossClass::Authorized));
    rig.until_state(State::Released);
}

#[test]
fn a_message_from_another_account_than_aws_names_agrees_with_nothing() {
    let mut rig = guarded(|_| {});
    let lost = rig.lose();
    let mut event = (*deletion(&rig, lost, ADMIN, Heard::Queue)).clone();
    event.place = AccountRegion { account: PROD.parse().unwrap(), region: EU.parse().unwrap() };
    hear(&mut rig, vec![Arc::new(event)], Asked::Unavailable("denied".into()));
    rig.sim.run_s(70);
    rig.until_ready();
    assert_eq!(told(&rig, lost).class, Class::Loss(LossClass::Unexpected));
}

/// Two people delete it at the same moment, and AWS lets the second call pass: the admin's ended nothing.
#[test]
fn a_second_deletion_that_aws_lets_pass_is_not_the_one_that_ended_it() {
    for other_account in [true, false] {
        let mut rig = guarded(|policy| policy.on_authorized = LossAction::RemoveRoutes);
        let lost = rig.lose();
        let mut second = (*deletion(&rig, lost, ADMIN, Heard::History)).clone();
        // By its id it would come first.
        second.id = "a".into();
        let mut events = vec![];
        if other_account {
            // Whose history alone can be asked, while AWS names the other as the deleter.
            second.place = AccountRegion { account: PROD.parse().unwrap(), region: EU.parse().unwrap() };
        } else {
            events.push(deletion(&rig, lost, "intern", Heard::History));
        }
        events.insert(0, Arc::new(second));
        hear(&mut rig, events, Asked::Answered(Wall(0)));
        rig.sim.run_s(120);
        assert_ne!(class(&rig), Some(LossClass::Authorized), "another account: {other_account}");
    }
}

#[test]
fn an_actor_that_does_not_become_known_is_waited_for_only_so_long() {
    let mut rig = guarded(|policy| policy.attribution_timeout_s = 600);
    rig.lose();
    rig.sim.run_s(120);
    let detected = rig.memory().episode.as_ref().unwrap().detected;
    let before = rig.sim.own_writes();
    rig.sim.assert_quiet(400);
    assert_eq!(rig.sim.own_writes(), before);
    rig.until_ready();
    assert!(rig.memory().spent.last().unwrap().1.since_s(detected) >= 600);
}

#[test]
fn an_unknown_actor_holds_where_the_policy_says_so() {
    let mut rig = guarded(|policy| policy.on_unknown_actor = UnknownActor::Hold);
    let lost = rig.lose();
    rig.until_reason(Reason::ActorUnknown);
    rig.sim.assert_quiet(3600);
    assert_eq!(told(&rig, lost).phase, Phase::AwaitingApproval);
    rig.sim.approve(&rig.key.clone());
    rig.until_ready();
}

#[test]
fn an_approval_counts_for_the_plan_that_it_names_and_no_other() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.approval = Some(Level::Policy));
    let lost = rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    let before = rig.sim.own_writes();
    let key = rig.key.clone();
    let decide = |rig: &mut Rig, digest: &str| {
        rig.sim.cluster.incidents.decide_on(&key, lost, DecisionVerdict::Approve, digest);
        rig.sim.hint(&key);
        rig.sim.run_s(120);
    };
    decide(&mut rig, "sha256:0000");
    decide(&mut rig, "");
    assert_eq!(rig.sim.own_writes(), before, "another plan was approved");
    // The plan changes after it was looked at.
    let looked_at = rig.sim.cluster.incidents.digest(&key, lost).unwrap();
    set_policy(&mut rig.sim, "restore", |policy| policy.action = LossAction::RemoveRoutes);
    decide(&mut rig, &looked_at);
    assert_eq!(rig.sim.own_writes(), before, "the plan is another now");
    rig.sim.assert_stalled(&key, Reason::AwaitingApproval);
    assert_ne!(rig.sim.cluster.incidents.digest(&key, lost).unwrap(), looked_at);
    rig.sim.approve(&key);
    rig.until_state(State::Released);
}

#[test]
fn who_takes_approval_out_of_the_policy_releases_nothing() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.approval = Some(Level::Policy));
    rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    set_policy(&mut rig.sim, "restore", |policy| policy.approval = None);
    rig.sim.run_s(70);
    rig.sim.assert_quiet(3600);
    rig.sim.assert_stalled(&rig.key, Reason::AwaitingApproval);
}

#[test]
fn a_rejected_plan_is_not_carried_out() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.grace_s = 3600);
    let lost = rig.lose();
    rig.until_reason(Reason::GracePeriod);
    rig.sim.decide(&rig.key.clone(), DecisionVerdict::Reject);
    rig.sim.run_s(2 * 3600);
    rig.sim.assert_stalled(&rig.key, Reason::PlanRejected);
    assert!(rig.sim.live_peerings().is_empty());
    assert_eq!(told(&rig, lost).phase, Phase::Rejected);
    // A new spec is a new plan.
    rig.edit(|object| object.tags.clear());
    rig.until_ready();
}

#[test]
fn a_loss_whose_object_is_deleted_is_over() {
    let mut rig = ready_with("flag", |_| {});
    let lost = rig.lose();
    rig.until_reason(Reason::DeletedUnexpectedly);
    rig.delete();
    rig.until_gone();
    assert_eq!(told(&rig, lost).phase, Phase::ObjectDeleted);
}

/// What somebody put under the incident's name before the loss was noticed.
fn plant(rig: &mut Rig, lost: PeeringId, of: &ObjectKey, verdict: DecisionVerdict) {
    let uid = rig.sim.cluster.object(of).uid.clone();
    let decision = Decision { verdict, plan_digest: "sha256:1".into() };
    rig.sim.cluster.incidents.plant(&rig.key.clone(), (uid, lost), decision);
}

#[test]
fn a_strangers_incident_that_decides_already_stops_everything_until_it_is_gone() {
    let mut rig = ready();
    let lost = rig.id();
    let key = rig.key.clone();
    plant(&mut rig, lost, &key, DecisionVerdict::Approve);
    rig.lose();
    rig.until_reason(Reason::IncidentConflict);
    rig.sim.assert_quiet(3600);
    rig.sim.cluster.incidents.delete(&key, lost);
    rig.sim.hint(&key);
    rig.until_ready();
}

#[test]
fn an_incident_like_ours_that_decides_nothing_is_taken_over() {
    let mut rig = ready();
    let lost = rig.id();
    let key = rig.key.clone();
    plant(&mut rig, lost, &key, DecisionVerdict::Pending);
    rig.lose();
    rig.sim.run_s(70);
    rig.until_ready();
    assert_eq!(rig.memory().case.as_ref().unwrap().incident.as_ref().map(|i| &*i.uid), Some("planted"));
}

#[test]
fn who_deletes_an_approved_incident_takes_the_approval_back() {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.approval = Some(Level::Policy));
    let lost = rig.lose();
    rig.until_reason(Reason::AwaitingApproval);
    let key = rig.key.clone();
    rig.sim.cluster.incidents.decide(&key, lost, DecisionVerdict::Approve);
    rig.sim.cluster.incidents.delete(&key, lost);
    rig.sim.hint(&key);
    rig.sim.run_s(300);
    rig.sim.assert_stalled(&key, Reason::AwaitingApproval);
    assert!(rig.sim.cluster.incidents.get(&key, lost).is_some(), "the evidence is made again");
}

#[test]
fn what_was_released_is_made_again_when_its_incident_is_approved() {
    let mut rig = ready_with("remove", |_| {});
    let lost = rig.lose();
    rig.until_state(State::Released);
    assert_eq!(told(&rig, lost).phase, Phase::Released);
    rig.sim.approve(&rig.key.clone());
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(told(&rig, lost).phase, Phase::Restored);
}

#[test]
fn what_a_peer_withdrew_is_asked_for_again_when_that_is_approved() {
    let mut rig = foreign_rig();
    rig.sim.run_s(60);
    let id = pcx(rig.id());
    rig.sim.world.accept_peering_as(SHARED, VA, &id).unwrap();
    rig.until_ready();
    rig.lose();
    rig.until_reason(Reason::WithdrawnByPeer);
    let before = creates(&rig);
    rig.sim.assert_quiet(3600);
    rig.sim.approve(&rig.key.clone());
    rig.sim.run_s(120);
    assert_eq!(creates(&rig), before + 1);
}
