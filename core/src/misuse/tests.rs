use super::*;
use crate::ids::AccountRegion;
use crate::memory::Memory;
use crate::misuse::{OWN_MAX, remember};
use crate::trail::{Call, Heard, Issuer};

const NOON: i64 = 1_000_000;
const ROLE: &str = "arn:aws:iam::111122223333:role/ops/peerkeeper";
const OURS: &str = "arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeper-mine";

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn table(n: usize) -> Ends {
    Ends::Routes(format!("rtb-{n:08x}").parse().unwrap())
}

fn call(n: usize) -> Call {
    let Ends::Routes(table) = table(n) else { unreachable!() };
    Call::DeleteRoute { table, destination: "10.0.0.0/8".parse().unwrap() }
}

fn event(call: Call, arn: &str, at: i64) -> TrailEvent {
    TrailEvent {
        id: "e".into(),
        at: Wall(at),
        place: AccountRegion { account: account(), region: "eu-west-1".parse().unwrap() },
        call,
        actor: Actor { arn: arn.into(), ..Actor::default() },
        heard: Heard::History,
        request_id: "r".into(),
        record: "{}".into(),
    }
}

fn ours() -> Principal {
    Principal::of_role(account(), ROLE, Some(OURS))
}

struct Court {
    ours: Principal,
    book: Book,
    is_declared: bool,
    unread: BTreeSet<Arc<str>>,
    since: Wall,
}

impl Default for Court {
    fn default() -> Self {
        Self {
            ours: ours(),
            book: Book::default(),
            is_declared: false,
            unread: BTreeSet::new(),
            since: Wall(0),
        }
    }
}

impl Court {
    fn judge(&self, event: &TrailEvent, now: i64) -> Judgement {
        let Self { ours, book, is_declared, unread, since } = self;
        let trial =
            Trial { event, ours, since: *since, is_declared: *is_declared, book, unread, now: Wall(now) };
        trial.judge()
    }

    fn on(&self, arn: &str) -> Judgement {
        self.judge(&event(call(1), arn, NOON), NOON + 60)
    }

    fn knows(mut self, n: usize, at: i64) -> Self {
        let mut memory = Memory::default();
        remember(&mut memory, [table(n)].into_iter(), Wall(at));
        self.book.learn([account()], &memory.own, OWN_MAX);
        self
    }
}

#[test]
fn what_was_remembered_before_it_was_sent_is_ours_for_a_day() {
    let court = Court::default().knows(1, NOON);
    for (at, expected) in [
        (NOON, Judgement::Accounted),
        (NOON - 200, Judgement::Accounted),
        (NOON - 400, Judgement::Misuse),
        (NOON + 86_400, Judgement::Accounted),
        (NOON + 86_401, Judgement::Misuse),
    ] {
        assert_eq!(court.judge(&event(call(1), OURS, at), at + 60), expected, "{at}");
    }
    assert_eq!(court.judge(&event(call(2), OURS, NOON), NOON), Judgement::Misuse, "another table");
}

#[test]
fn only_calls_that_end_something_are_judged() {
    let court = Court::default();
    let id = "pcx-0123456789abcdef0".parse().unwrap();
    for (call, judged) in [
        (Call::DeletePeering(id), true),
        (Call::RejectPeering(id), true),
        (call(1), true),
        (Call::AcceptPeering(id), false),
        (Call::ModifyOptions(id), false),
        (Call::DeleteVpc("vpc-0123456789abcdef0".parse().unwrap()), false),
    ] {
        let expected = if judged { Judgement::Misuse } else { Judgement::NotOurs };
        assert_eq!(court.judge(&event(call.clone(), OURS, NOON), NOON), expected, "{call:?}");
    }
}

#[test]
fn only_calls_of_our_role_in_that_account_are_judged_whatever_the_session_is_called() {
    let court = Court::default();
    for (arn, expected) in [
        (OURS, Judgement::Misuse),
        ("arn:aws:sts::111122223333:assumed-role/peerkeeper/stolen", Judgement::Misuse),
        ("arn:aws:sts::111122223333:assumed-role/peerkeepers/stolen", Judgement::NotOurs),
        ("arn:aws:sts::444455556666:assumed-role/peerkeeper/stolen", Judgement::NotOurs),
        ("arn:aws:iam::111122223333:user/peerkeeper", Judgement::NotOurs),
        ("", Judgement::NotOurs),
        ("arn:aws:sts::111122223333:assumed-role/peerkeeper", Judgement::NotOurs),
    ] {
        assert_eq!(court.on(arn), expected, "{arn}");
    }
    let mut nameless = event(call(1), "", NOON);
    nameless.actor.principal_id = "AROAX:stolen".into();
    let issuer =
        |name: &str| Issuer { arn: ROLE.into(), account: account(), path: "/ops/".into(), name: name.into() };
    nameless.actor.issuer = Some(issuer("peerkeeper"));
    assert_eq!(court.judge(&nameless, NOON), Judgement::Misuse, "by the role that issued the session");
    nameless.actor.issuer = Some(issuer("other"));
    assert_eq!(court.judge(&nameless, NOON), Judgement::NotOurs);
}

#[test]
fn another_installation_with_the_same_role_is_judged_only_by_what_is_declared_here() {
    let theirs = "arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeper-theirs";
    let mut court = Court::default();
    assert_eq!(court.on(theirs), Judgement::Anothers);
    assert_eq!(court.on(OURS), Judgement::Misuse);
    assert_eq!(court.on("arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeperx"), Judgement::Misuse);
    court.is_declared = true;
    assert_eq!(court.on(theirs), Judgement::Misuse);
    // As whom we call is not known yet: no name can be told from ours.
    court.is_declared = false;
    court.ours = Principal::of_role(account(), ROLE, Some("arn:aws:sts::111122223333:assumed-role/former/x"));
    assert_eq!(court.on(OURS), Judgement::Anothers);
    assert_eq!(court.on("arn:aws:sts::111122223333:assumed-role/peerkeeper/stolen"), Judgement::Misuse);
}

#[test]
fn credentials_of_our_own_are_known_by_what_aws_says_of_us() {
    let of = |ours: &str| Court { ours: Principal::of_caller(ours).unwrap(), ..Court::default() };
    let user = "arn:aws:iam::111122223333:user/ops/peerkeeper";
    assert_eq!(of(user).on(user), Judgement::Misuse);
    assert_eq!(of(user).on("arn:aws:iam::111122223333:user/peerkeeper"), Judgement::NotOurs);
    let pod = "arn:aws:sts::111122223333:assumed-role/irsa/web-identity-1";
    assert_eq!(of(pod).on("arn:aws:sts::111122223333:assumed-role/irsa/web-identity-2"), Judgement::Misuse);
    // An instance lends its role to whatever runs on it.
    let node = of("arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0");
    let other = "arn:aws:sts::111122223333:assumed-role/node/i-0fedcba9876543210";
    assert_eq!(node.on(other), Judgement::Anothers);
    assert_eq!(Court { is_declared: true, ..node }.on(other), Judgement::Misuse);
    assert_eq!(Principal::of_caller("an unnamed principal"), None);
}

#[test]
fn what_is_older_than_memory_or_than_we_are_there_is_not_judged() {
    let court = Court::default();
    let at = |age: i64| court.judge(&event(call(1), OURS, NOON), NOON + age);
    assert_eq!((at(JUDGED_S), at(JUDGED_S + 1)), (Judgement::Misuse, Judgement::TooOld));
    const { assert!(JUDGED_S + RENEW_S < REMEMBERED_S, "an intent that was not renewed is still there") };
    let new = Court { since: Wall(NOON - SKEW_S), ..Court::default() };
    assert_eq!(new.on(OURS), Judgement::TooOld, "made before this installation could have");
    let old = Court { since: Wall(NOON - SKEW_S - 1), ..Court::default() };
    assert_eq!(old.on(OURS), Judgement::Misuse);
}

#[test]
fn what_would_account_for_it_and_cant_be_read_is_no_misuse() {
    let mut court = Court { unread: ["net/a".into()].into(), ..Court::default() };
    assert!(matches!(court.on(OURS), Judgement::CantSay(why) if why.contains("net/a")));
    assert_eq!(court.clone_knowing(1).on(OURS), Judgement::Accounted, "another's memory has it");
    court.unread.clear();
    court.book.lost_until([account()], Wall(NOON - SKEW_S));
    assert!(matches!(court.on(OURS), Judgement::CantSay(_)));
    let later = event(call(1), OURS, NOON + 1);
    assert_eq!(court.judge(&later, NOON + 60), Judgement::Misuse, "since then all is remembered again");
}

impl Court {
    fn clone_knowing(&self, n: usize) -> Self {
        let Self { ours, book, is_declared, unread, since } = self;
        let (ours, book, unread) = (ours.clone(), book.clone(), unread.clone());
        Self { ours, book, is_declared: *is_declared, unread, since: *since }.knows(n, NOON)
    }
}

#[test]
fn more_than_is_remembered_is_no_alarm() {
    let mut memory = Memory::default();
    remember(&mut memory, (0..OWN_MAX + 1).map(table), Wall(NOON));
    assert_eq!(memory.own.len(), OWN_MAX);
    let mut court = Court::default();
    court.book.learn([account()], &memory.own, OWN_MAX);
    let first = |at: i64| event(call(0), OURS, at);
    assert_eq!(court.judge(&first(NOON + 60), NOON + 60), Judgement::Accounted);
    let late = NOON + 2 * 86_400;
    assert_eq!(court.judge(&first(late), late), Judgement::Misuse);
    assert!(!court.book.accounts_for("444455556666".parse().unwrap(), table(0), Wall(NOON)), "elsewhere");
}

#[test]
fn a_book_holds_what_objects_knew_that_are_gone_and_forgets_in_time() {
    let mut court = Court::default().knows(1, NOON).knows(1, NOON + 7_200).knows(2, NOON);
    assert!(court.book.accounts_for(account(), table(1), Wall(NOON)));
    assert!(court.book.accounts_for(account(), table(1), Wall(NOON + 7_200 + 86_400)));
    assert!(!court.book.accounts_for(account(), table(2), Wall(NOON + 7_200 + 86_400)));
    // Days apart are two: what lies between is neither's.
    court = court.knows(3, NOON).knows(3, NOON + 3 * 86_400);
    assert!(!court.book.accounts_for(account(), table(3), Wall(NOON + 2 * 86_400)));
    assert!(court.book.accounts_for(account(), table(3), Wall(NOON + 3 * 86_400)));
    court = court.knows(3, NOON);
    assert!(court.book.accounts_for(account(), table(3), Wall(NOON + 3 * 86_400)), "told late");
    court.book.lost_until([account()], Wall(NOON));
    court.book.forget(Wall(NOON + 10 * 86_400));
    assert_eq!(court.book, Book::default());
}
