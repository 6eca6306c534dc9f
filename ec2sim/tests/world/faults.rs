//! Calls that go wrong on their way, what is counted and what is logged.

use ec2sim::{Action, Calm, Failure, Fault, PeeringStatus as S, Request, RouteRequest, Script, Target};

use crate::rig::*;

#[test]
fn each_fault_has_its_face_and_its_effect_or_none() {
    let cases = [
        (Fault::Throttled, Some("RequestLimitExceeded"), false),
        (Fault::Internal, Some("InternalError"), false),
        (Fault::Unavailable, Some("Unavailable"), false),
        (Fault::InternalAfterEffect, Some("InternalError"), true),
        (Fault::ResetBeforeEffect, None, false),
        (Fault::TimeoutAfterEffect, None, true),
        (Fault::Denied, Some("UnauthorizedOperation"), false),
        (Fault::Expired, Some("RequestExpired"), false),
    ];
    assert_eq!(cases.len(), Fault::ALL.len());
    for (fault, code, effect) in cases {
        let mut rig = rig();
        let us = rig.us.clone();
        let id = rig.world.peer(&rig.a, &rig.b).unwrap();
        rig.world.clear_log();
        let mut chance = Script::new().fault(Action::DeleteVpcPeeringConnection, fault);
        let failure = rig.world.call(&us, delete(&id), &mut chance).unwrap_err();
        assert_eq!(failure.code(), code, "{fault:?}");
        assert_eq!(matches!(failure, Failure::NoReply), code.is_none(), "{fault:?}");
        let wanted = if effect { S::Deleted } else { S::Active };
        assert_eq!(rig.status(&us, &id), Some(wanted), "{fault:?}");
        let logged: Vec<_> = rig.world.log().map(|entry| (entry.action, entry.answered)).collect();
        let wanted = if effect { vec![(Action::DeleteVpcPeeringConnection, false)] } else { vec![] };
        assert_eq!(logged, wanted, "{fault:?}");
        assert_eq!(rig.world.count_by("user", Action::DeleteVpcPeeringConnection), 1, "{fault:?} is counted");
    }
}

#[test]
fn a_refusal_whose_answer_is_lost_changes_nothing() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.request_peering(&rig.a, &rig.b).unwrap();
    let before = rig.world.clone();
    let mut chance = Script::new().fault_next(Fault::TimeoutAfterEffect);
    assert_eq!(rig.world.call(&us, accept(&id), &mut chance), Err(Failure::NoReply));
    assert_eq!(rig.world, before);
    let last = rig.world.log().next_back().unwrap();
    assert_eq!((last.result, last.answered), (Err("OperationNotPermitted"), false));
}

#[test]
fn denied_is_by_account_region_and_call() {
    let mut rig = rig();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.deny(US, EU, Action::DeleteVpcPeeringConnection);
    let (code, message) = rig.refused(&us, delete(&id));
    assert_eq!(code, "UnauthorizedOperation");
    assert_eq!(message, "You are not authorized to perform this operation.");
    assert_eq!(rig.status(&us, &id), Some(S::Active));
    rig.ask(&them, delete(&id)).unwrap();
    let again = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.allow(US, EU, Action::DeleteVpcPeeringConnection);
    rig.ask(&us, delete(&again)).unwrap();
}

#[test]
fn calls_are_counted_by_caller_and_the_log_says_who_did_what_and_what_was_there() {
    let mut rig = rig();
    let operator = rig.us.clone().named("operator");
    let table = rig.main_table(&rig.a);
    let old = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.add_route(&table, "10.2.0.0/16", old.as_str()).unwrap();
    rig.world.delete_peering_as(THEM, VA, &old).unwrap();
    let new = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.advance(5_000);
    rig.world.reset_counts();
    let replace = Request::ReplaceRoute(RouteRequest::new(&table, "10.2.0.0/16").peering(&new));
    rig.ask(&operator, replace).unwrap();
    rig.table(&operator, &table);
    rig.table(&operator, &table);

    assert_eq!(rig.world.count_by("operator", Action::DescribeRouteTables), 2);
    assert_eq!(rig.world.count_by("human", Action::DescribeRouteTables), 0);
    assert_eq!(rig.world.count(Action::ReplaceRoute), 1);
    assert_eq!(rig.world.counts().len(), 2);
    let entry = rig.world.log().next_back().unwrap();
    assert_eq!(
        (entry.at_ms, entry.action, &*entry.caller.principal),
        (5_000, Action::ReplaceRoute, "operator")
    );
    assert_eq!(entry.was, Some(Target::Peering(old)));
    assert_eq!(entry.ids, [table.as_str(), "10.2.0.0/16", new.as_str()]);
    assert_eq!((entry.result, entry.answered), (Ok(()), true));
    let deleter = rig.world.log().find(|entry| entry.action == Action::DeleteVpcPeeringConnection).unwrap();
    assert_eq!((deleter.caller.account.as_str(), &*deleter.caller.principal), (THEM, "human"));
}

#[test]
fn a_dry_run_says_what_would_be_and_does_nothing() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let before = rig.world.clone();
    assert_eq!(rig.world.dry_run(&us, delete(&id), &mut Calm).code(), Some("DryRunOperation"));
    let wrong = rig.world.dry_run(&us, reject(&id), &mut Calm);
    assert_eq!(wrong.code(), Some("OperationNotPermitted"));
    rig.world.deny(US, EU, Action::DeleteVpcPeeringConnection);
    assert_eq!(rig.world.dry_run(&us, delete(&id), &mut Calm).code(), Some("UnauthorizedOperation"));
    rig.world.allow(US, EU, Action::DeleteVpcPeeringConnection);
    assert_eq!(rig.world, before);
}

#[test]
fn identity_names_the_account_that_calls() {
    let mut rig = rig();
    let them = rig.them.clone().named("peerkeeper");
    let identity = rig.ask(&them, Request::GetCallerIdentity {}).unwrap().identity().unwrap();
    assert_eq!(identity.account.as_str(), THEM);
    assert_eq!(identity.arn, "arn:aws:sts::444455556666:assumed-role/peerkeeper/session");
}
