use peerkeeper_core::aws_code::Refusal;
use peerkeeper_core::ids::{AccountRegion, Side};
use peerkeeper_core::write::Write;

use super::*;

fn object(name: &str) -> ObjectKey {
    ObjectKey::new("network", name)
}

fn call() -> WriteCall {
    let at = AccountRegion { account: "444455556666".parse().unwrap(), region: "us-east-1".parse().unwrap() };
    WriteCall { side: Side::Accepter, at, write: Write::Accept("pcx-0a1b2c3d".parse().unwrap()) }
}

fn at(s: u64) -> Mono {
    Mono(7_000 + s * 1_000)
}

fn waits(what: &str) -> Stand {
    Stand::Waiting(what.to_owned())
}

/// Three peerings, five actions, fifteen minutes.
fn tally() -> Tally {
    Tally::new(3, 5, at(0), at(900))
}

#[test]
fn each_write_has_a_line_that_says_what_came_of_it() {
    let mut tally = tally();
    let mut line = |outcome: Outcome| tally.wrote(at(1), &object("a"), &call(), &outcome);
    let refused = Refusal::new("UnauthorizedOperation", "You are not authorized");
    assert_eq!(line(Outcome::Done(None)), "network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: done");
    assert_eq!(
        line(Outcome::Done(Some("pcx-0a1b2c3d".parse().unwrap()))),
        "network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: done: pcx-0a1b2c3d"
    );
    assert_eq!(
        line(Outcome::Refused(refused.clone())),
        format!("network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: refused: {refused}")
    );
    assert_eq!(
        line(Outcome::NotSent(NotSent::Leadership)),
        "network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: not sent: stopped"
    );
    assert_eq!(
        line(Outcome::Unknown("timed out".into())),
        "network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: no answer: timed out; it is looked for"
    );
    assert_eq!(tally.counts(), "peerings, 2 writes of 5 planned", "what was refused is none");
}

/// Writes may be tried again, so they are no measure of how far a run is.
#[test]
fn it_counts_peerings_that_are_settled_and_says_the_last_thing() {
    let mut tally = tally();
    let mut seen = Vec::new();
    let mut note = |tally: &Tally| {
        let (settled, all) = tally.settled();
        seen.push(format!("{settled}/{all} {} | {}", tally.counts(), tally.last()));
    };
    note(&tally);
    tally.stands(&object("a"), &waits("create peering vpc-1 -> vpc-2"));
    note(&tally);
    tally.wrote(at(1), &object("a"), &call(), &Outcome::Done(None));
    note(&tally);
    tally.stands(&object("b"), &Stand::InSync);
    note(&tally);
    tally.stands(&object("c"), &Stand::Held);
    note(&tally);
    tally.stands(&object("a"), &waits("waiting until AWS shows: accept pcx-0a1b2c3d"));
    note(&tally);
    // What stands as before is no news, and does not push the last thing away.
    tally.stands(&object("b"), &Stand::InSync);
    note(&tally);
    tally.stands(&object("a"), &Stand::InSync);
    note(&tally);
    tally.stop(at(2));
    note(&tally);
    assert_eq!(
        seen,
        [
            "0/3 peerings, 0 writes of 5 planned | ",
            "0/3 peerings, 0 writes of 5 planned | network/a: create peering vpc-1 -> vpc-2",
            "0/3 peerings, 1 write of 5 planned | network/a: accept pcx-0a1b2c3d in 444455556666/us-east-1: done",
            "1/3 peerings, 1 write of 5 planned | network/b: in sync",
            "2/3 peerings, 1 held, 1 write of 5 planned | network/c: held",
            "2/3 peerings, 1 held, 1 write of 5 planned | network/a: waiting until AWS shows: accept pcx-0a1b2c3d",
            "2/3 peerings, 1 held, 1 write of 5 planned | network/a: waiting until AWS shows: accept pcx-0a1b2c3d",
            "3/3 peerings, 1 held, 1 write of 5 planned | network/a: in sync",
            "3/3 peerings, 1 held, 1 write of 5 planned | stopping: what is under way is finished, and nothing more is sent; Ctrl-C again to stop at once",
        ]
    );
}

/// Every second of a run is looked at: lines come where nothing else was said for half a minute, and only there.
#[test]
fn silence_is_broken_every_half_minute() {
    let mut tally = tally();
    let mut said = Vec::new();
    for s in 0..=140 {
        match s {
            2 => tally.stands(&object("a"), &waits("waiting for a second complete reading")),
            3 => tally.stands(&object("b"), &Stand::Held),
            40 => drop(tally.wrote(at(s), &object("c"), &call(), &Outcome::Done(None))),
            41 => tally.stands(&object("c"), &waits("waiting until AWS shows: accept pcx-0a1b2c3d")),
            80 => tally.stands(&object("a"), &Stand::InSync),
            135 => drop(tally.stop(at(s))),
            _ => {}
        }
        said.extend(tally.overdue(at(s)).map(|line| (s, line)));
    }
    let line = |text: &str| text.to_owned();
    // The form is the page's too.
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).expect("the page");
    let shown =
        "\nafter 30s: 1 of 3 peerings settled (1 held), 0 writes of 5 planned; 14m left at most; network/";
    assert!(page.contains(shown) && said[0].1.contains(shown.trim_start()), "{said:?}");
    assert_eq!(
        said,
        [
            (
                30,
                line(
                    "after 30s: 1 of 3 peerings settled (1 held), 0 writes of 5 planned; 14m left at most; network/a: waiting for a second complete reading"
                )
            ),
            (
                70,
                line(
                    "after 70s: 1 of 3 peerings settled (1 held), 1 write of 5 planned; 13m left at most; network/a: waiting for a second complete reading (and 1 more)"
                )
            ),
            (
                100,
                line(
                    "after 100s: 2 of 3 peerings settled (1 held), 1 write of 5 planned; 13m left at most; network/c: waiting until AWS shows: accept pcx-0a1b2c3d"
                )
            ),
            (
                130,
                line(
                    "after 2m10s: 2 of 3 peerings settled (1 held), 1 write of 5 planned; 12m left at most; network/c: waiting until AWS shows: accept pcx-0a1b2c3d"
                )
            ),
        ]
    );
    assert_eq!(tally.overdue(at(164)), None, "that it stops was said, half a minute from then");
    let stopping = tally.overdue(at(165)).expect("a line");
    assert!(stopping.ends_with("stopping once what is under way is finished"), "{stopping}");
}

#[test]
fn before_anything_stood_anyhow_the_first_turns_are_waited_for() {
    let mut tally = tally();
    assert_eq!(
        tally.overdue(at(31)).as_deref(),
        Some(
            "after 31s: 0 of 3 peerings settled, 0 writes of 5 planned; 14m left at most; the rest has its first turn"
        )
    );
    // Time that is up is none left, whatever is still finished.
    let late = tally.overdue(at(1000)).expect("a line");
    assert!(late.contains("; 0s left at most; "), "{late}");
}
