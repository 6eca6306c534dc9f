//! Who calls: what GetCallerIdentity says, and what stays the same however much is known.

use ec2sim::{Caller, Request, UserIdentity};

use crate::rig::*;

fn arn(caller: &Caller) -> String {
    rig().ask(caller, Request::GetCallerIdentity {}).unwrap().identity().unwrap().arn
}

#[test]
fn an_arn_says_what_kind_calls_and_a_session_drops_its_roles_path() {
    let at = |region: &str| Caller::new(US, region);
    assert_eq!(arn(&at(EU).known_as(UserIdentity::root())), "arn:aws:iam::111122223333:root");
    assert_eq!(arn(&at(EU).known_as(UserIdentity::user("ada"))), "arn:aws:iam::111122223333:user/ada");
    let admin = at("cn-north-1").known_as(UserIdentity::role_at("/net/", "admin", "ada"));
    assert_eq!(arn(&admin), "arn:aws-cn:sts::111122223333:assumed-role/admin/ada");
    assert_eq!(admin.role_arn().unwrap(), "arn:aws-cn:iam::111122223333:role/net/admin");
    assert_eq!(at("us-gov-west-1").partition(), "aws-us-gov");
    assert_eq!(&*admin.principal, "admin");
}

#[test]
fn ids_follow_from_names_and_differ_with_account_and_path() {
    let of = |account: &str, path: &str| {
        let caller = Caller::new(account, EU).known_as(UserIdentity::role_at(path, "admin", "s"));
        caller.principal_id().unwrap()
    };
    let id = of(US, "/");
    assert_eq!(id, of(US, "/"));
    assert!(id.starts_with("AROA") && id.ends_with(":s") && id.len() == 22, "{id}");
    assert_ne!(id, of(THEM, "/"));
    assert_ne!(id, of(US, "/net/"));
    assert_eq!(id, format!("{}:s", ec2sim::role_id(&US.into(), "/", "admin")));
}

#[test]
fn a_new_name_forgets_what_was_known_under_the_old_one() {
    let known = Caller::new(US, EU).known_as(UserIdentity::user("ada").with_mfa());
    assert!(known.identity().mfa);
    let renamed = known.named("bob");
    assert!(!renamed.identity().mfa);
    assert_eq!(renamed.identity().user_name(), "session");
}

#[test]
fn the_calendar_follows_the_clock() {
    let mut world = rig().world;
    let began = world.wall_ms();
    world.advance(5_000);
    assert_eq!(world.wall_ms(), began + 5_000);
    world.set_wall_at_zero(1_000);
    assert_eq!((world.wall_ms(), world.wall_at(7)), (6_000, 1_007));
}
