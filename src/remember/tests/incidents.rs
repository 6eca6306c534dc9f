//! What an incident keeps, whatever is told later and by whom.

use super::made_up::{attributions, pcx, rtb, stale_rules, to};
use crate::api::{PeeringIncidentStatus, Timestamp};
use crate::remember::{Happened, STATUS_MAX_BYTES, Telling, incident_status, is_settled};
use peerkeeper_core::desired::{LossAction, Reaction};
use peerkeeper_core::ids::{ObjectKey, PeeringId, Side, Slot};
use peerkeeper_core::incident::{Class, Incident, Phase, PolicySummary, ProposedPlan};
use peerkeeper_core::memory::{Attribution, Culprit, LossClass, Proof, StaleAt, StaleRules};
use peerkeeper_core::observed::Ending;
use peerkeeper_core::reason::Reason;
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, TrailEvent};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::sync::Arc;

const LOST: u64 = 1;

fn key() -> ObjectKey {
    ObjectKey::new("net", "hub")
}

fn slots(count: u64, to_peering: PeeringId) -> Vec<(Slot, PeeringId)> {
    let slot = |n| Slot { side: Side::Requester, table: rtb(n), destination: to("10.1.0.0/16") };
    (0..count).map(|n| (slot(n), to_peering)).collect()
}

fn told() -> Incident {
    Incident {
        name: "hub-pcx".into(),
        peering: pcx(LOST),
        pair: None,
        class: Class::Loss(LossClass::Unexpected),
        phase: Phase::Flagged,
        ending: Some(Ending::Deleted),
        message: "Deleted by 444455556666".into(),
        by_account: "444455556666".parse().ok(),
        attribution: Attribution::None,
        evidence: None,
        routes: slots(3, pcx(LOST)),
        stale: None,
        deviations: Vec::new(),
        deviations_more: 0,
        policy: PolicySummary {
            name: "restore".into(),
            action: LossAction::Restore,
            on_authorized: LossAction::RemoveRoutes,
            grace_s: 90,
            require_approval: true,
            on_drift: Reaction::Restore,
            on_repointed_route: Reaction::Flag,
        },
        plan: Some(ProposedPlan {
            act: LossAction::Restore,
            steps: vec!["create".to_owned()],
            digest: format!("sha256:{}", "a".repeat(64)).into(),
        }),
        held: None,
        restored: None,
        detected: Wall(1_000),
        acted: None,
        closed: None,
    }
}

fn event(record: &str) -> TrailEvent {
    TrailEvent {
        id: "event-1".into(),
        at: Wall(997),
        place: place(),
        call: Call::DeletePeering(pcx(LOST)),
        actor: Actor {
            kind: ActorKind::AssumedRole,
            arn: "arn:aws:sts::444455556666:assumed-role/admin/ada".into(),
            user_agent: "aws-cli/2".into(),
            mfa: Some(true),
            ..Actor::default()
        },
        heard: Heard::Queue,
        request_id: "request-1".into(),
        record: record.into(),
    }
}

fn place() -> peerkeeper_core::ids::AccountRegion {
    peerkeeper_core::ids::AccountRegion {
        account: "444455556666".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
    }
}

fn culprit() -> Culprit {
    let event = event("");
    Culprit {
        event: event.id.clone(),
        at: event.at,
        place: event.place,
        principal: event.actor.arn.clone(),
        authorized: false,
    }
}

fn tell(
    told: &Incident,
    happened: &[Happened],
    previous: Option<&PeeringIncidentStatus>,
    at: i64,
) -> PeeringIncidentStatus {
    let telling = Telling { of: &key(), generation: 1, happened, audit: None };
    let status = incident_status(told, &telling, previous, Timestamp::from_second(at).unwrap());
    // As the API server hands it back.
    serde_json::from_str(&serde_json::to_string(&status).unwrap()).unwrap()
}

#[test]
fn what_was_seen_first_is_kept_though_the_world_moves_on_and_a_restart_forgets() {
    let seen = Incident {
        attribution: Attribution::EventOnly(culprit()),
        evidence: Some(Arc::new(event("{\"eventID\": 1}"))),
        ..told()
    };
    let first = tell(&seen, &[], None, 1_000);
    assert_eq!(first.time_to_detect.map(|it| it.to_string()).as_deref(), Some("3s"));
    assert_eq!(first.who.as_deref(), Some("444455556666:assumed-role/admin/ada (unproved)"));
    let later = Incident {
        phase: Phase::Restored,
        message: "".into(),
        by_account: None,
        ending: None,
        attribution: Attribution::Corroborated(culprit(), Proof::History),
        evidence: None,
        routes: [slots(2, pcx(2)), slots(0, pcx(2))].concat(),
        policy: PolicySummary { require_approval: false, grace_s: 0, ..told().policy },
        plan: None,
        restored: Some(pcx(2)),
        closed: Some(Wall(1_072)),
        ..told()
    };
    let last = tell(&later, &[], Some(&first), 1_072);
    assert_eq!(last.evidence, first.evidence);
    assert_eq!(last.actor, first.actor);
    assert_eq!(last.policy, first.policy);
    assert_eq!(last.plan, first.plan);
    assert_eq!((last.status_message, last.by_account_id), (first.status_message, first.by_account_id));
    assert_eq!(last.time_to_repair.map(|it| it.to_string()).as_deref(), Some("1m12s"));
    assert_eq!(last.routes_affected_total, Some(3));
    let fates: Vec<_> = last
        .routes_affected
        .iter()
        .map(|group| (group.before.clone(), group.after.clone(), group.route_table_ids.len()))
        .collect();
    assert_eq!(
        fates,
        [(pcx(LOST).to_string(), "none".to_owned(), 1), (pcx(LOST).to_string(), pcx(2).to_string(), 2)]
    );
    let whats: Vec<&str> = last.timeline.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(whats, ["Flagged", "ActorKnown", "ActorKnown", "Restored"], "heard, then proved");
}

#[test]
fn a_record_that_is_too_long_is_named_by_its_digest_and_length() {
    let long = "x".repeat(16 * 1024 + 1);
    for (record, is_kept) in [("x".repeat(16 * 1024), true), (long, false)] {
        let seen = Incident {
            attribution: Attribution::EventOnly(culprit()),
            evidence: Some(Arc::new(event(&record))),
            ..told()
        };
        let evidence = tell(&seen, &[], None, 1_000).evidence.unwrap();
        assert_eq!(evidence.record.is_some(), is_kept);
        assert_eq!(evidence.record_bytes, Some(record.len() as i64));
        assert_eq!(evidence.record_sha256, Some(peerkeeper_core::digest::sha256(record.as_bytes())));
    }
}

#[test]
fn rules_that_went_stale_are_told_grouped_and_kept() {
    let rule = |n: u32, group: u32, is_egress: bool| {
        let at =
            StaleAt { side: Side::Accepter, group: format!("sg-{group:08x}").parse().unwrap(), is_egress };
        (format!("sgr-{n:08x}").parse().unwrap(), at)
    };
    let rules = [rule(1, 7, false), rule(2, 7, true), rule(3, 7, false)].into();
    let stale = StaleRules { rules, total: 3, revoked: false };
    let first = tell(&Incident { stale: Some(stale), ..told() }, &[], None, 1_000);
    let shown = first.stale_security_group_rules.clone().expect("they are told");
    let groups: Vec<_> =
        shown.rules.iter().map(|one| (one.direction.as_str(), one.rule_ids.join(" "))).collect();
    let both = "sgr-00000001 sgr-00000003".to_owned();
    assert_eq!(groups, [("ingress", both), ("egress", "sgr-00000002".to_owned())]);
    assert_eq!((shown.total, shown.peering_id.as_str()), (3, pcx(LOST).to_string().as_str()));
    assert_eq!(tell(&told(), &[], Some(&first), 1_010).stale_security_group_rules, Some(shown));
}

#[test]
fn another_actors_record_replaces_the_first() {
    let seen = Incident {
        attribution: Attribution::EventOnly(culprit()),
        evidence: Some(Arc::new(event("forged"))),
        ..told()
    };
    let first = tell(&seen, &[], None, 1_000);
    let other = Culprit { event: "event-2".into(), principal: "somebody-else".into(), ..culprit() };
    let proved = Incident { attribution: Attribution::Corroborated(other, Proof::History), ..told() };
    let second = tell(&proved, &[], Some(&first), 1_010);
    assert_eq!(second.evidence.map(|it| (it.event_id, it.record)), Some(("event-2".to_owned(), None)));
    assert_eq!(second.actor.map(|it| it.principal).as_deref(), Some("somebody-else"));
}

#[test]
fn the_middle_of_a_long_story_is_counted_and_its_ends_are_kept() {
    let write = |n: i64| Happened {
        at: Wall(1_000 + n),
        what: "Write",
        message: format!("write {n}"),
        request_id: Some(format!("request-{n}")),
    };
    let first = tell(&told(), &[], None, 1_000);
    let many: Vec<_> = (0..500).map(write).collect();
    let told = tell(&told(), &many, Some(&first), 2_000);
    assert_eq!(told.timeline.len(), 200);
    assert_eq!(told.timeline_omitted, Some(301));
    assert_eq!(told.timeline[0].what, "Flagged");
    assert_eq!(told.timeline[199].request_id.as_deref(), Some("request-499"));
}

fn phases() -> impl Strategy<Value = Phase> {
    select(Phase::ALL.to_vec())
}

fn anything() -> impl Strategy<Value = Incident> {
    let texts = || vec(any::<char>(), 0..3000).prop_map(|chars| chars.into_iter().collect::<String>());
    let records = option::of(texts());
    let plans = (vec(texts(), 0..3), any::<bool>(), option::of(stale_rules()));
    (phases(), attributions(), records, texts(), 0..4000_u64, plans).prop_map(
        |(phase, attribution, record, text, routes, (steps, planned, stale))| {
            let is_over = phase.is_over();
            let evidence = attribution.culprit().zip(record).map(|(culprit, record)| {
                let mut seen = event(&record);
                seen.id = culprit.event.clone();
                seen.at = culprit.at;
                seen.actor.user_agent = record.into();
                Arc::new(seen)
            });
            Incident {
                phase,
                attribution,
                evidence,
                message: text.as_str().into(),
                held: Some((Reason::Held, text.clone())),
                routes: slots(routes, pcx(LOST)),
                stale,
                plan: planned.then(|| ProposedPlan { steps, ..told().plan.unwrap() }),
                restored: is_over.then(|| pcx(2)),
                closed: is_over.then_some(Wall(2_000)),
                ..told()
            }
        },
    )
}

#[test]
fn who_approved_is_not_told_to_approve_again_by_what_no_approval_releases() {
    let next = |reason: Reason| {
        let held = Some((reason, "to release it, look".to_owned()));
        tell(&Incident { phase: Phase::Held, held, ..told() }, &[], None, 3_000).next.unwrap()
    };
    assert_eq!(next(Reason::LimitReached), "approve the plan to restore it");
    for reason in [Reason::OperatorCredentialsMisused, Reason::Suspended, Reason::AccountSuspended] {
        assert_eq!(next(reason), "release what holds it: see status.whatNow", "{reason:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn told_again_it_is_the_same_and_it_never_grows_out_of_bounds(all in vec(anything(), 1..6)) {
        let mut status: Option<PeeringIncidentStatus> = None;
        for (at, told) in all.iter().enumerate() {
            let now = 3_000 + at as i64;
            let next = tell(told, &[], status.as_ref(), now);
            let size = serde_json::to_vec(&next).unwrap().len();
            prop_assert!(size < STATUS_MAX_BYTES, "{} bytes", size);
            prop_assert_eq!(&tell(told, &[], Some(&next), now + 1_000), &next);
            prop_assert!(next.timeline.len() <= 200);
            prop_assert_eq!(is_settled(&next), told.phase.is_over());
            if let Some(before) = &status {
                prop_assert_eq!(&next.policy, &before.policy);
                prop_assert!(next.timeline.len() >= before.timeline.len());
            }
            status = Some(next);
        }
    }
}
