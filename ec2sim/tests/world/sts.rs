//! Who may assume which role, and what the session is good for.

use ec2sim::{
    Action, AssumeRole, Caller, Calm, Failure, Fault, Request, Role, Script, SessionView, Trust,
    UserIdentity, WebIdentity, Who, World,
};

use crate::rig::*;

const ROLE: &str = "arn:aws:iam::444455556666:role/teams/network/peerkeeper";
const ISSUER: &str = "https://oidc.example.com/id/1";

fn operator() -> Caller {
    Caller::new(US, "us-east-1").known_as(UserIdentity::user("operator"))
}

fn assume(world: &mut World, caller: &Caller, request: AssumeRole) -> Result<SessionView, Failure> {
    world.call(caller, Request::AssumeRole(request), &mut Calm).map(|answer| answer.session().unwrap())
}

fn told(external_id: &str) -> AssumeRole {
    AssumeRole { external_id: Some(external_id.to_owned()), ..AssumeRole::new(ROLE, "loop") }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> &'static str {
    result.expect_err("a refusal").code().expect("with a code")
}

/// Who calls with the session's own key and token.
fn caller_of(world: &World, session: &SessionView, region: &str) -> Result<Caller, ec2sim::AwsError> {
    world.session(&session.access_key_id, Some(&session.session_token), region).expect("a known key")
}

#[test]
fn a_session_acts_in_the_roles_account_and_says_who_it_is() {
    let mut world = World::new();
    let session = assume(&mut world, &operator(), AssumeRole::new(ROLE, "loop")).unwrap();
    assert_eq!(session.arn, "arn:aws:sts::444455556666:assumed-role/peerkeeper/loop", "the path is dropped");
    assert!(session.access_key_id.starts_with("ASIA") && session.access_key_id.len() == 20);
    assert_eq!(session.expires_at, world.wall_at(3_600_000), "an hour, if nothing else was asked for");
    let caller = caller_of(&world, &session, EU).unwrap();
    assert!(caller.is_at(&THEM.into(), &EU.into()));
    assert_eq!(caller.role_arn().as_deref(), Some(ROLE));
    let identity = world.call(&caller, Request::GetCallerIdentity {}, &mut Calm).unwrap().identity().unwrap();
    assert_eq!((identity.account.as_str(), identity.arn), (THEM, session.arn));
    assert_eq!(identity.user_id, session.role_id);
    let other = assume(&mut world, &operator(), AssumeRole::new(ROLE, "loop")).unwrap();
    assert_ne!(other.access_key_id, session.access_key_id, "each session has its own key");
    assert_ne!(other.session_token, session.session_token);
}

#[test]
fn a_role_trusts_accounts_roles_and_external_ids() {
    let mut world = World::new();
    let us = operator();
    let stranger = Caller::new("999900001111", "us-east-1");
    let as_role = Caller::new(US, "us-east-1").known_as(UserIdentity::role_at("/ops/", "keeper", "one"));
    let arn = |arn: &str| Trust::of(Who::Arn(arn.to_owned()));
    let cases = [
        (Trust::of(Who::Account(US.into())), vec![(&us, true), (&as_role, true), (&stranger, false)]),
        (Trust::of(Who::Anyone), vec![(&us, true), (&stranger, true)]),
        (arn("arn:aws:iam::111122223333:role/ops/keeper"), vec![(&as_role, true), (&us, false)]),
        (arn("arn:aws:iam::111122223333:role/keeper"), vec![(&as_role, false)]),
        (arn("arn:aws:sts::111122223333:assumed-role/keeper/one"), vec![(&as_role, true), (&us, false)]),
    ];
    for (trust, callers) in cases {
        world.set_role(ROLE, Role::trusting([trust.clone()]));
        for (caller, wanted) in callers {
            let got = assume(&mut world, caller, AssumeRole::new(ROLE, "loop"));
            assert_eq!(got.is_ok(), wanted, "{trust:?}, {caller:?}: {got:?}");
        }
    }

    world.set_role(ROLE, Role::trusting([Trust::of(Who::Account(US.into())).if_told("secret-word")]));
    assert_eq!(code(assume(&mut world, &us, AssumeRole::new(ROLE, "loop"))), "AccessDenied", "said nothing");
    assert_eq!(code(assume(&mut world, &us, told("another"))), "AccessDenied");
    assume(&mut world, &us, told("secret-word")).unwrap();
    assert_eq!(
        code(assume(&mut world, &stranger, told("secret-word"))),
        "AccessDenied",
        "not theirs to know"
    );

    world.set_role(ROLE, Role::closed());
    let refused = assume(&mut world, &us, told("secret-word")).unwrap_err();
    let Failure::Aws(error) = refused else { panic!("{refused:?}") };
    assert_eq!(
        error.message,
        "User: arn:aws:iam::111122223333:user/operator is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::444455556666:role/teams/network/peerkeeper"
    );
    assert_eq!(error.http_status(), 403);
}

#[test]
fn a_role_that_nobody_declared_is_anybodys_unless_the_world_is_strict() {
    let mut world = World::new();
    assume(&mut world, &operator(), told("any")).unwrap();
    world.set_strict_roles(true);
    assert_eq!(code(assume(&mut world, &operator(), told("any"))), "AccessDenied");
    world.set_role(ROLE, Role::trusting([Trust::of(Who::Anyone)]));
    assume(&mut world, &operator(), told("any")).unwrap();
    world.forget_role(ROLE);
    assert_eq!(code(assume(&mut world, &operator(), told("any"))), "AccessDenied");
}

#[test]
fn a_session_ends_and_is_no_longer_known_a_day_later() {
    let mut world = World::new();
    let request = AssumeRole { duration_s: Some(900), ..AssumeRole::new(ROLE, "loop") };
    let session = assume(&mut world, &operator(), request.clone()).unwrap();
    let code_of = |world: &World| caller_of(world, &session, EU).map_err(|error| error.code).map(|_| ());
    world.advance(899_999);
    assert_eq!(code_of(&world), Ok(()));
    assert_eq!(code_of(&world.from_now()), Ok(()));
    world.advance(900_000);
    assert_eq!(code_of(&world), Err("RequestExpired"));
    world.advance(900_000 + DAY);
    assume(&mut world, &operator(), request.clone()).unwrap();
    assert!(world.session(&session.access_key_id, Some(&session.session_token), EU).is_none());

    let session = assume(&mut world, &operator(), request).unwrap();
    world.end_sessions();
    assert_eq!(caller_of(&world, &session, EU).unwrap_err().code, "RequestExpired", "revoked");
}

#[test]
fn a_key_is_good_with_its_own_token_alone() {
    let mut world = World::new();
    let one = assume(&mut world, &operator(), AssumeRole::new(ROLE, "one")).unwrap();
    let two = assume(&mut world, &operator(), AssumeRole::new(ROLE, "two")).unwrap();
    for token in [None, Some(""), Some(two.session_token.as_str())] {
        let refused = world.session(&one.access_key_id, token, EU).unwrap().unwrap_err();
        assert_eq!(refused.code, "AuthFailure", "{token:?}");
    }
    assert!(world.session("ASIAAAAAAAAAAAAAAAAA", None, EU).is_none());
}

#[test]
fn how_long_a_session_may_last() {
    let mut world = World::new();
    world.set_role(ROLE, Role { max_session_s: 7_200, ..Role::trusting([Trust::of(Who::Anyone)]) });
    let asked = |seconds| AssumeRole { duration_s: Some(seconds), ..AssumeRole::new(ROLE, "loop") };
    let us = operator();
    assume(&mut world, &us, asked(7_200)).unwrap();
    assert_eq!(code(assume(&mut world, &us, asked(7_201))), "ValidationError");
    assert_eq!(code(assume(&mut world, &us, asked(899))), "ValidationError");
    // A session that assumes a role has an hour at most.
    let first = assume(&mut world, &us, AssumeRole::new(ROLE, "loop")).unwrap();
    let chained = caller_of(&world, &first, EU).unwrap();
    assert_eq!(code(assume(&mut world, &chained, asked(3_601))), "ValidationError");
    assume(&mut world, &chained, asked(3_600)).unwrap();
}

#[test]
fn a_source_identity_is_handed_on_and_never_changed() {
    let mut world = World::new();
    let asked =
        |name: &str| AssumeRole { source_identity: Some(name.to_owned()), ..AssumeRole::new(ROLE, "loop") };
    let first = assume(&mut world, &operator(), asked("ada")).unwrap();
    let caller = caller_of(&world, &first, EU).unwrap();
    assert_eq!(caller.identity().source_identity.as_deref(), Some("ada"));
    let second = assume(&mut world, &caller, AssumeRole::new(ROLE, "next")).unwrap();
    assert_eq!(second.source_identity.as_deref(), Some("ada"));
    assert_eq!(code(assume(&mut world, &caller, asked("bob"))), "AccessDenied");
    assert_eq!(code(assume(&mut world, &operator(), asked("a b"))), "ValidationError");
}

#[test]
fn what_is_no_role_or_no_name_is_refused() {
    let mut world = World::new();
    for arn in [
        "",
        "peerkeeper",
        "arn:aws:iam::444455556666:user/peerkeeper",
        "arn:aws:iam::4444:role/peerkeeper",
        "arn:aws:iam::444455556666:role/",
        "arn:aws:iam::444455556666:roles/peerkeeper",
        "arn:aws:sts::444455556666:role/peerkeeper",
        "arn:aws:iam:eu-west-1:444455556666:role/peerkeeper",
        "arn:aws:iam::444455556666:role/ä",
    ] {
        let refused = assume(&mut world, &operator(), AssumeRole::new(arn, "loop"));
        assert_eq!(code(refused), "ValidationError", "{arn}");
    }
    for name in ["", "x", "a b", "a/b", &"x".repeat(65)] {
        let refused = assume(&mut world, &operator(), AssumeRole::new(ROLE, name));
        assert_eq!(code(refused), "ValidationError", "{name}");
    }
    assert_eq!(code(assume(&mut world, &operator(), told("x"))), "ValidationError");
    let china = AssumeRole::new("arn:aws-cn:iam::444455556666:role/peerkeeper", "loop");
    assert_eq!(code(assume(&mut world, &operator(), china.clone())), "AccessDenied", "another partition");
    assume(&mut world, &Caller::new(US, "cn-north-1"), china).unwrap();
}

#[test]
fn a_service_accounts_token_opens_the_role_that_trusts_it() {
    let mut world = World::new();
    let nobody = Caller::new(US, EU).named("anonymous");
    let who = Who::WebIdentity { issuer: ISSUER.into(), subject: "system:serviceaccount:ops:keeper".into() };
    world.set_role(ROLE, Role::trusting([Trust::of(who)]));
    let ask = |world: &mut World, issuer: &str, subject: &str, expires_at| {
        let token = WebIdentity { issuer: issuer.into(), subject: subject.into(), expires_at };
        let (role_arn, session_name) = (ROLE.to_owned(), "pod".to_owned());
        let request = Request::AssumeRoleWithWebIdentity { role_arn, session_name, token, duration_s: None };
        world.call(&nobody, request, &mut Calm).map(|answer| answer.session().unwrap())
    };
    let subject = "system:serviceaccount:ops:keeper";
    let session = ask(&mut world, ISSUER, subject, None).unwrap();
    assert_eq!(caller_of(&world, &session, EU).unwrap().account.as_str(), THEM);
    assert_eq!(code(ask(&mut world, "https://elsewhere.example.com", subject, None)), "AccessDenied");
    assert_eq!(code(ask(&mut world, ISSUER, "system:serviceaccount:ops:other", None)), "AccessDenied");
    let now = world.wall_ms();
    assert_eq!(code(ask(&mut world, ISSUER, subject, Some(now))), "ExpiredTokenException");
    ask(&mut world, ISSUER, subject, Some(now + 1)).unwrap();
    // A token is no signature.
    assert_eq!(code(assume(&mut world, &nobody, AssumeRole::new(ROLE, "loop"))), "AccessDenied");
}

#[test]
fn trouble_on_the_way_to_sts_has_stss_words() {
    for (fault, wanted) in [
        (Fault::Denied, "AccessDenied"),
        (Fault::Throttled, "Throttling"),
        (Fault::Expired, "ExpiredToken"),
        (Fault::Unavailable, "ServiceUnavailable"),
        (Fault::Internal, "InternalError"),
    ] {
        let mut world = World::new();
        let mut chance = Script::new().fault(Action::AssumeRole, fault);
        let request = Request::AssumeRole(AssumeRole::new(ROLE, "loop"));
        assert_eq!(code(world.call(&operator(), request, &mut chance)), wanted);
        assert_eq!(world, World::new(), "{fault:?}: no session");
    }
    let mut world = World::new();
    world.deny(US, "us-east-1", Action::AssumeRole);
    assert_eq!(code(assume(&mut world, &operator(), AssumeRole::new(ROLE, "loop"))), "AccessDenied");
}
