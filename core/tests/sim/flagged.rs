//! Drift that the policy flags: told once, with its actor, until it is put right; and put right where a person says so.

use std::sync::Arc;

use ec2sim::{Action, Calm, Request};
use peerkeeper_core::desired::Reaction;
use peerkeeper_core::drift::{Aspect, DriftEnd, LISTED_MAX, NONE, Stage};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, Side, Sides, Slot};
use peerkeeper_core::incident::{Class, Decision, DecisionVerdict, Incident, Phase};
use peerkeeper_core::memory::{Act, Attribution};
use peerkeeper_core::reason::Reason;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Tagged, TrailEvent};
use peerkeeper_core::witness::{Asked, Witness};

use crate::common::operator::Crash;
use crate::common::rig::*;

const TGW: &str = "tgw-0123456789abcdef0";

/// In sync, under a policy that restores losses and only flags drift.
fn flagging() -> Rig {
    let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Flag);
    rig.sim.run_s(60);
    rig
}

fn repoint(rig: &mut Rig) {
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", TGW).unwrap();
}

/// As it was.
fn put_back(rig: &mut Rig) {
    let id = rig.id().to_string();
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", &id).unwrap();
}

fn slot(rig: &Rig) -> Slot {
    *rig.memory().slots.keys().find(|slot| slot.side == Side::Requester).unwrap()
}

/// The incidents of drift, oldest first.
fn drifts(rig: &Rig) -> Vec<Incident> {
    let mut all: Vec<Incident> = rig
        .sim
        .cluster
        .incidents
        .all()
        .map(|(_, stored)| stored.told.clone().expect("it is told"))
        .filter(|told| told.class == Class::Drift)
        .collect();
    all.sort_by_key(|told| told.detected);
    all
}

fn only(rig: &Rig) -> Incident {
    let all = drifts(rig);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

/// What is listed of it: what was done, where it leads now, how far it is.
fn listed(told: &Incident) -> Vec<(&'static str, String, Stage)> {
    let one = |it: &peerkeeper_core::incident::Deviating| {
        (it.deviation.kind(&it.aspect), it.deviation.after.to_string(), it.deviation.stage)
    };
    told.deviations.iter().map(one).collect()
}

fn event(rig: &Rig, call: Call, who: &str, heard: Heard) -> Arc<TrailEvent> {
    Arc::new(TrailEvent {
        id: format!("{who}-{}", call.name()).into(),
        at: rig.sim.now().wall,
        place: AccountRegion { account: PROD.parse().unwrap(), region: EU.parse().unwrap() },
        call,
        actor: Actor {
            kind: ActorKind::IamUser,
            arn: format!("arn:aws:iam::{PROD}:user/{who}").into(),
            ..Actor::default()
        },
        heard,
        request_id: "r-1".into(),
        record: "{}".into(),
    })
}

fn hear(rig: &mut Rig, events: Vec<Arc<TrailEvent>>) {
    let history = Sides::from_fn(|_| Asked::NotYet);
    rig.sim.cluster.witness.insert(rig.key.clone(), Witness { events, history });
    let key = rig.key.clone();
    rig.sim.hint(&key);
    rig.sim.run_s(30);
}

fn principal(attribution: &Attribution) -> Option<&str> {
    attribution.culprit().map(|culprit| &*culprit.principal)
}

#[test]
fn a_repointed_route_is_told_once_with_its_actor_and_over_when_somebody_puts_it_back() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    let told = only(&rig);
    assert_eq!((told.phase, told.peering), (Phase::Flagged, rig.id()));
    assert_eq!(listed(&told), [("RouteRepointed", TGW.to_owned(), Stage::Flagged)]);
    assert_eq!(told.attribution, Attribution::AccountOnly(PROD.parse().unwrap()), "it can only be there");
    assert_eq!(
        rig.memory().drift.as_ref().unwrap().incident.as_ref().map(|at| &*at.uid),
        Some("incident-1"),
        "memory names it"
    );
    let call = Call::ReplaceRoute { table: slot(&rig).table, destination: slot(&rig).destination };
    let message = event(&rig, call.clone(), "mallory", Heard::Queue);
    hear(&mut rig, vec![message.clone()]);
    assert_eq!(only(&rig).attribution.as_str(), "EventOnly");
    let truth = event(&rig, call, "ada", Heard::History);
    hear(&mut rig, vec![message, truth]);
    let told = only(&rig);
    assert_eq!(told.attribution.as_str(), "Corroborated");
    assert!(principal(&told.attribution).unwrap().ends_with("user/ada") && told.evidence.is_some());
    rig.sim.assert_quiet(3600);
    put_back(&mut rig);
    rig.until_ready();
    let told = only(&rig);
    assert_eq!((told.phase, told.plan), (Phase::Resolved, None));
    assert!(told.closed.is_some());
    // The same again is another drift.
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    assert_eq!(
        drifts(&rig).iter().map(|told| told.phase).collect::<Vec<_>>(),
        [Phase::Resolved, Phase::Flagged]
    );
}

#[test]
fn each_kind_of_drift_is_listed_in_one_incident_until_all_is_as_declared() {
    let mut rig = flagging();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.until_reason(Reason::Drifted);
    let id = rig.id().to_string();
    let off = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: id.clone(),
        requester: Some(false),
        accepter: None,
    };
    rig.sim.world.call(&rig.a.owner(), off, &mut Calm).unwrap();
    rig.sim.world.repoint_route(&rig.b.table, "10.1.0.0/16", TGW).unwrap();
    rig.sim.world.tag(&rig.a.owner(), &id, &[("team", "theirs")]).unwrap();
    rig.sim.run_s(120);
    let told = only(&rig);
    let mut kinds: Vec<_> = told.deviations.iter().map(|it| it.deviation.kind(&it.aspect)).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["DnsOptionChanged", "RouteDeleted", "RouteRepointed", "TagChanged"]);
    let deleted = told.deviations.iter().find(|it| it.aspect == Aspect::Route(slot(&rig))).unwrap();
    assert_eq!((&*deleted.deviation.before, &*deleted.deviation.after), (id.as_str(), NONE));
    assert_eq!(told.plan.as_ref().unwrap().steps.len(), 4);
    // Who changed one of them is said of that one.
    let modified = event(&rig, Call::ModifyOptions(rig.id()), "eve", Heard::History);
    hear(&mut rig, vec![modified]);
    let told = only(&rig);
    for it in &told.deviations {
        let is_dns = matches!(it.aspect, Aspect::Dns(Side::Requester));
        assert_eq!(principal(&it.deviation.attribution).is_some(), is_dns, "{it:?}");
    }
    assert!(principal(&told.attribution).unwrap().ends_with("user/eve"));
    // One of them undone leaves the incident open.
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", &id).unwrap();
    rig.sim.run_s(120);
    let told = only(&rig);
    assert_eq!(told.phase, Phase::Flagged);
    assert_eq!(listed(&told).iter().filter(|(_, _, stage)| *stage == Stage::Undone).count(), 1);
}

#[test]
fn what_the_policy_restores_is_no_incident() {
    let mut rig = ready();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.run_s(90);
    rig.until_ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_repointed_route = Reaction::Restore);
    repoint(&mut rig);
    rig.sim.run_s(90);
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.cluster.incidents.all().count(), 0);
    assert!(rig.memory().drift.is_none());
}

#[test]
fn nothing_that_was_never_in_sync_is_drift() {
    let mut rig = rig();
    rig.sim.world.add_route(&rig.a.table, "10.2.0.0/16", TGW).unwrap();
    rig.sim.run_s(600);
    rig.sim.assert_stalled(&rig.key, Reason::Occupied);
    assert_eq!(rig.sim.cluster.incidents.all().count(), 0);
}

#[test]
fn an_approved_plan_is_carried_out_just_so_and_what_comes_later_asks_anew() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    let looked_at = only(&rig).plan.unwrap().digest;
    // It leads elsewhere by the time that the decision comes.
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "igw-0123456789abcdef0").unwrap();
    rig.sim.run_s(90);
    let before = rig.sim.own_writes();
    let key = rig.key.clone();
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &looked_at);
    rig.sim.hint(&key);
    rig.sim.run_s(300);
    assert_eq!(rig.sim.own_writes(), before, "another plan was approved");
    let told = only(&rig);
    assert_eq!(told.phase, Phase::Flagged);
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &told.plan.unwrap().digest);
    rig.sim.hint(&key);
    rig.sim.run_s(60);
    rig.until_ready();
    rig.assert_whole();
    assert_eq!(rig.sim.own_writes(), before + 1);
    let told = only(&rig);
    assert_eq!((told.phase, told.acted.is_some()), (Phase::Restored, true));
    assert_eq!(rig.memory().drift.as_ref().unwrap().closed.unwrap().1, DriftEnd::Restored);
    let spent = rig.memory().spent.iter().filter(|(act, _)| *act == Act::RepairDrift).count();
    assert_eq!(spent, 1, "it counts against the limits");
    // The decision is spent.
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(300);
    assert_eq!(rig.target(Side::Requester), Some(TGW.to_owned()));
    assert_eq!(drifts(&rig).len(), 2);
}

#[test]
fn what_changes_again_before_an_approved_repair_is_left() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    rig.sim.world.deny(PROD, EU, Action::ReplaceRoute);
    let (key, digest) = (rig.key.clone(), only(&rig).plan.unwrap().digest);
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &digest);
    rig.sim.hint(&key);
    rig.sim.run_s(30);
    assert_eq!(only(&rig).phase, Phase::Restoring, "it is begun and refused");
    rig.sim.world.allow(PROD, EU, Action::ReplaceRoute);
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "igw-0123456789abcdef0").unwrap();
    rig.sim.run_s(900);
    assert_eq!(rig.target(Side::Requester), Some("igw-0123456789abcdef0".to_owned()));
    assert_eq!(only(&rig).phase, Phase::Flagged, "it asks anew");
}

#[test]
fn every_kind_is_put_right_once_approved() {
    let mut rig = flagging();
    let id = rig.id().to_string();
    let off = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: id.clone(),
        requester: Some(false),
        accepter: None,
    };
    rig.sim.world.call(&rig.a.owner(), off, &mut Calm).unwrap();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.world.tag(&rig.a.owner(), &id, &[("team", "theirs")]).unwrap();
    rig.sim.run_s(150);
    let told = only(&rig);
    assert_eq!(told.deviations.len(), 3, "{told:#?}");
    let key = rig.key.clone();
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &told.plan.unwrap().digest);
    rig.sim.hint(&key);
    rig.sim.run_s(120);
    rig.until_ready();
    rig.assert_whole();
    let view = rig.sim.world.peering(&pcx(rig.id())).unwrap();
    assert_eq!(view.requester.allow_dns_resolution_from_remote_vpc, Some(true));
    let told = only(&rig);
    assert_eq!(told.phase, Phase::Restored);
    assert!(listed(&told).iter().all(|(_, _, stage)| *stage == Stage::Repaired), "{told:#?}");
}

#[test]
fn a_rejected_plan_leaves_it_and_a_hold_holds_an_approved_one() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    let key = rig.key.clone();
    let digest = only(&rig).plan.unwrap().digest;
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Reject, &digest);
    rig.sim.hint(&key);
    rig.sim.run_s(60);
    assert_eq!(only(&rig).phase, Phase::Rejected);
    rig.sim.world.tag(&rig.b.owner(), rig.b.vpc.as_ref(), &[("peerkeeper.dev/hold", "yes")]).unwrap();
    rig.sim.run_s(60);
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &digest);
    rig.sim.hint(&key);
    let before = rig.sim.own_writes();
    rig.sim.run_s(120);
    assert_eq!((only(&rig).phase, rig.sim.own_writes()), (Phase::Held, before));
    assert!(rig.report().held.iter().any(|held| held.reason == Reason::Held), "{:?}", rig.report().held);
}

fn hold(rig: &mut Rig, is_on: bool) {
    let (owner, vpc) = (rig.b.owner(), rig.b.vpc.to_string());
    if is_on {
        rig.sim.world.tag(&owner, &vpc, &[("peerkeeper.dev/hold", "freeze")]).unwrap();
    } else {
        let tags = vec![("peerkeeper.dev/hold".to_owned(), None)];
        rig.sim.world.call(&owner, Request::DeleteTags { resources: vec![vpc], tags }, &mut Calm).unwrap();
    }
    rig.sim.run_s(60);
}

#[test]
fn who_lifts_a_hold_by_which_a_restore_was_held_is_told_before_it_goes_on() {
    let mut rig = ready();
    // Other tags of that VPC say nothing about it.
    rig.sim.world.tag(&rig.b.owner(), rig.b.vpc.as_ref(), &[("Name", "shared")]).unwrap();
    hold(&mut rig, true);
    rig.lose();
    rig.until_reason(Reason::Held);
    assert_eq!(rig.memory().held_by, Some(Side::Accepter));
    rig.sim.watch = Some(|sim| {
        let is_told = |told: &Incident| told.phase == Phase::Noted;
        let told =
            sim.cluster.incidents.all().filter_map(|(_, it)| it.told.as_ref()).filter(|it| is_told(it));
        assert!(sim.live_peerings().is_empty() || told.count() == 1, "it went on before it was told");
    });
    hold(&mut rig, false);
    rig.until_ready();
    let told = only(&rig);
    assert_eq!(listed(&told), [("HoldReleased", NONE.to_owned(), Stage::Noted)]);
    let vpc = rig.memory().pair.unwrap().sides.accepter.vpc;
    let call = Call::Tags {
        removed: true,
        on: [Tagged::Vpc(vpc)].into(),
        keys: ["peerkeeper.dev/hold".into()].into(),
    };
    let mut lifted = (*event(&rig, call, "eve", Heard::History)).clone();
    lifted.place = AccountRegion { account: SHARED.parse().unwrap(), region: VA.parse().unwrap() };
    hear(&mut rig, vec![Arc::new(lifted)]);
    assert!(principal(&only(&rig).attribution).unwrap().ends_with("user/eve"));
    assert_eq!(rig.memory().held_by, None);
}

#[test]
fn a_hold_that_held_nothing_back_is_lifted_without_a_word() {
    let mut rig = ready();
    hold(&mut rig, true);
    rig.until_ready();
    hold(&mut rig, false);
    rig.sim.run_s(120);
    assert_eq!(rig.sim.cluster.incidents.all().count(), 0);
}

#[test]
fn a_loss_takes_over_and_its_dead_routes_are_no_drift() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    let lost = rig.lose();
    rig.sim.run_s(70);
    let loss = rig.sim.cluster.incidents.get(&rig.key, lost).and_then(|stored| stored.told.clone());
    assert!(matches!(loss.unwrap().class, Class::Loss(_)));
    rig.sim.run_s(300);
    // The restore leaves alone what somebody had pointed elsewhere: that is drift of the new peering.
    assert_eq!(rig.target(Side::Requester), Some(TGW.to_owned()));
    let all = drifts(&rig);
    assert_eq!(all.iter().map(|told| told.phase).collect::<Vec<_>>(), [Phase::Superseded, Phase::Flagged]);
    assert_eq!(
        (all[0].plan.is_some(), all[1].plan.is_some()),
        (false, true),
        "of what is over nothing is asked"
    );
    assert_eq!(all[1].peering, rig.id());
}

#[test]
fn an_object_that_is_deleted_ends_its_drift() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    rig.delete();
    rig.until_gone();
    let told = only(&rig);
    assert_eq!((told.phase, told.plan), (Phase::ObjectDeleted, None));
}

/// Invariant 10: whatever the process dies of and when, one drift is one incident, and memory names it.
#[test]
fn a_drift_is_told_once_whatever_step_the_process_dies_at() {
    let life = |crash: Option<Crash>| {
        let mut rig = flagging();
        rig.sim.steps = 0;
        rig.sim.crash = crash;
        repoint(&mut rig);
        rig.until_reason(Reason::Occupied);
        rig.sim.run_s(240);
        rig
    };
    let steps = life(None).sim.steps;
    assert!(steps > 4, "{steps}");
    for number in 0..steps {
        for crash in [Crash::Before(number), Crash::Within(number), Crash::After(number)] {
            let rig = life(Some(crash));
            let told = only(&rig);
            assert_eq!(listed(&told), [("RouteRepointed", TGW.to_owned(), Stage::Flagged)], "{crash:?}");
            let drift = rig.memory().drift.clone().unwrap();
            assert_eq!(*told.name, *drift.name(&rig.key), "{crash:?}");
            assert!(drift.incident.is_some(), "{crash:?}");
        }
    }
}

#[test]
fn of_very_many_deviations_some_are_listed_and_the_rest_counted() {
    let mut rig = flagging();
    let tables: Vec<_> = (0..LISTED_MAX + 3)
        .map(|_| rig.sim.world.create_table(&rig.a.vpc, &[("tier", "private")]).unwrap())
        .collect();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Restore);
    rig.sim.run_s(180);
    rig.until_ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Flag);
    rig.sim.run_s(60);
    for table in &tables {
        rig.sim.world.delete_route(table, "10.2.0.0/16").unwrap();
    }
    rig.until_reason(Reason::Drifted);
    rig.sim.run_s(30);
    let told = only(&rig);
    assert_eq!((told.deviations.len(), told.deviations_more), (LISTED_MAX, 3));
    // What is approved is what is listed; what moves up asks again.
    let key = rig.key.clone();
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &told.plan.unwrap().digest);
    rig.sim.hint(&key);
    rig.sim.run_s(300);
    let gone = tables.iter().filter(|table| rig.sim.target(table, "10.2.0.0/16").is_none()).count();
    assert_eq!(gone, 3);
    let told = only(&rig);
    assert_eq!((told.phase, told.plan.unwrap().steps.len(), told.deviations_more), (Phase::Flagged, 3, 0));
}

#[test]
fn what_was_done_elsewhere_or_hours_before_is_not_taken_for_who_did_this() {
    let mut rig = flagging();
    let call = Call::ReplaceRoute { table: slot(&rig).table, destination: slot(&rig).destination };
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    let truth = |rig: &Rig| (*event(rig, call.clone(), "eve", Heard::History)).clone();
    let mut elsewhere = truth(&rig);
    elsewhere.place.region = VA.parse().unwrap();
    let mut anothers = truth(&rig);
    anothers.place.account = SHARED.parse().unwrap();
    let mut before = truth(&rig);
    before.at = before.at.plus_s(-2 * 3600);
    let mut later = truth(&rig);
    later.at = later.at.plus_s(2 * 3600);
    for event in [elsewhere, anothers, before, later] {
        hear(&mut rig, vec![Arc::new(event.clone())]);
        assert_eq!(only(&rig).attribution, Attribution::AccountOnly(PROD.parse().unwrap()), "{event:?}");
    }
    let truth = truth(&rig);
    hear(&mut rig, vec![Arc::new(truth)]);
    assert!(principal(&only(&rig).attribution).unwrap().ends_with("user/eve"));
}

#[test]
fn two_drifts_of_one_moment_are_two_incidents() {
    let mut rig = flagging();
    let key = rig.key.clone();
    let look = |rig: &mut Rig| {
        // With every place swept.
        rig.sim.plan_now(&key);
        let end = rig.sim.world.now_ms() + 100;
        rig.sim.run_to(end);
    };
    let began = rig.sim.world.now_ms().next_multiple_of(1000);
    rig.sim.run_to(began);
    repoint(&mut rig);
    look(&mut rig);
    put_back(&mut rig);
    look(&mut rig);
    repoint(&mut rig);
    look(&mut rig);
    assert_eq!(rig.sim.world.now_ms() / 1000, began / 1000, "all of it within one second");
    let phases: Vec<_> = drifts(&rig).iter().map(|told| told.phase).collect();
    assert_eq!(phases, [Phase::Resolved, Phase::Flagged]);
}

#[test]
fn an_incident_of_a_drift_that_somebody_deletes_is_made_again_and_can_be_decided() {
    let mut rig = flagging();
    repoint(&mut rig);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(30);
    let key = rig.key.clone();
    let name = ObjectKey::new(key.namespace.clone(), &*only(&rig).name);
    let named = |rig: &Rig| rig.memory().drift.as_ref().unwrap().incident.clone().unwrap().uid;
    let before = named(&rig);
    rig.sim.cluster.incidents.delete_named(&name);
    rig.sim.hint(&key);
    rig.sim.run_s(30);
    let told = only(&rig);
    assert_eq!((&*told.name, told.phase), (&*name.name, Phase::Flagged));
    assert_ne!(named(&rig), before, "memory names the one that is there");
    rig.sim.cluster.incidents.decide_drift(&key, DecisionVerdict::Approve, &told.plan.unwrap().digest);
    rig.sim.hint(&key);
    rig.sim.run_s(60);
    rig.until_ready();
    assert_eq!(only(&rig).phase, Phase::Restored);
}

/// Its name is a second of the clock: until that is stored, a crash would leave an incident that nothing names.
#[test]
fn a_drift_is_told_only_once_memory_holds_it() {
    let mut rig = flagging();
    repoint(&mut rig);
    let key = rig.key.clone();
    let first = rig.sim.plan_now(&key);
    assert!(first.memory.drift.is_some() && first.incidents.is_empty(), "{:?}", first.incidents);
    rig.until_reason(Reason::Occupied);
    rig.sim.run_s(5);
    let next = rig.sim.plan_now(&key);
    assert_eq!(next.incidents.len(), 1);
    // The process died after it was made and before memory named it.
    let object = rig.sim.cluster.objects.get_mut(&key).unwrap();
    object.memory.drift.as_mut().unwrap().incident = None;
    let again = rig.sim.plan_now(&key);
    assert_eq!((again.incidents.len(), &again.incidents[0].name), (1, &next.incidents[0].name), "it is ours");
}

#[test]
fn what_stands_under_its_name_is_taken_over_only_if_it_says_and_decides_nothing_else() {
    // Where it will stand is known from a life that is the same until then.
    let mut other_life = flagging();
    repoint(&mut other_life);
    other_life.until_reason(Reason::Occupied);
    let told = only(&other_life);
    let name = ObjectKey::new(other_life.key.namespace.clone(), &*told.name);
    let (this, another) = (told.peering, "pcx-0123456789abcdef0".parse().unwrap());
    let cases = [
        (this, DecisionVerdict::Pending, true),
        (another, DecisionVerdict::Pending, false),
        (this, DecisionVerdict::Approve, false),
    ];
    for (peering, verdict, is_taken) in cases {
        let mut rig = flagging();
        let decision = Decision { verdict, plan_digest: told.plan.clone().unwrap().digest };
        let of = (rig.sim.cluster.object(&rig.key.clone()).uid.clone(), peering);
        rig.sim.cluster.incidents.plant_named(name.clone(), of, decision);
        repoint(&mut rig);
        rig.until_reason(Reason::Occupied);
        rig.sim.run_s(300);
        let (_, stored) = rig.sim.cluster.incidents.all().find(|(at, _)| **at == name).unwrap();
        assert_eq!(stored.told.is_some(), is_taken, "{peering} {verdict:?}");
        let key = rig.key.clone();
        let is_told = !rig.sim.plan_now(&key).incidents.is_empty();
        assert_eq!(is_told, is_taken, "{peering} {verdict:?}: nothing is written over a stranger's");
        assert_eq!(rig.memory().drift.as_ref().unwrap().incident.is_some(), is_taken);
        assert_eq!(
            rig.target(Side::Requester),
            Some(TGW.to_owned()),
            "a stranger's decision counts for nothing"
        );
    }
}

#[test]
fn tags_of_vpcs_and_peerings_name_what_they_are_on() {
    let rig = flagging();
    let id = rig.id();
    let call = Call::Tags { removed: true, on: [Tagged::Peering(id)].into(), keys: ["team".into()].into() };
    assert_eq!(call.peerings().collect::<Vec<_>>(), [id]);
    assert_eq!((call.vpcs().count(), call.name()), (0, "DeleteTags"));
}
