//! The elector: single steps, then two or three candidates against a Lease with a resourceVersion, with messages that
//! take any time in both directions, get lost, and land after they were given up, and clocks that differ.

use peerkeeper_core::pace::lease::{
    Base, Elector, Grip, Identity, Observed, Record, Request, Standing, Step, Terms, Version, Watch, Written,
};
use peerkeeper_core::time::Mono;
use proptest::prelude::*;

fn terms() -> Terms {
    Terms::of_duration_s(15).expect("3 s to 1 h")
}

fn elector(name: &str) -> Elector {
    Elector::new(Identity(name.into()), terms())
}

fn record(version: &str, holder: &str) -> Observed {
    let holder = (!holder.is_empty()).then(|| Identity(holder.into()));
    Observed::Record(Record { version: Version(version.into()), holder, duration_ms: 15_000 })
}

fn version(version: &str) -> Version {
    Version(version.into())
}

fn read(elector: &mut Elector, now: u64, observed: Observed) {
    match elector.next(Mono(now), 0) {
        Step::Read(request) => elector.observed(Mono(now), request, observed),
        step => panic!("at {now}: {step:?}"),
    }
}

fn acquire(elector: &mut Elector, now: u64) -> (Request, Base) {
    match elector.next(Mono(now), 0) {
        Step::Acquire(request, base) => (request, base),
        step => panic!("at {now}: {step:?}"),
    }
}

fn renew(elector: &mut Elector, now: u64) -> (Request, Base) {
    match elector.next(Mono(now), 1) {
        Step::Renew(request, base) => (request, base),
        step => panic!("at {now}: {step:?}"),
    }
}

/// Leads since 1000, on an acquisition sent at 1000 and answered at 1200.
fn leader() -> Elector {
    let mut me = elector("me");
    read(&mut me, 1000, record("1", ""));
    let (request, base) = acquire(&mut me, 1000);
    assert_eq!(base, Base::Version(version("1")));
    me.written(Mono(1200), request, Written::Ok(version("2")));
    me
}

#[test]
fn terms_outside_reason_are_refused() {
    assert_eq!(Terms::of_duration_s(2), None);
    assert_eq!(Terms::of_duration_s(3601), None);
    assert_eq!(Terms::of_duration_s(u32::MAX), None);
}

#[test]
fn a_record_that_was_given_back_is_taken_at_once_and_counts_from_the_sending() {
    let me = leader();
    // 15 s less 5 %, from 1000.
    assert!(me.may_write(Mono(1200), 14_000));
    assert!(!me.may_write(Mono(1200), 14_050));
    assert!(me.may_write(Mono(15_249), 0));
    assert!(!me.may_write(Mono(15_250), 0), "the deadline itself is too late");
    assert!(!me.may_write(Mono(10_250), 5_000), "a write must end before the deadline, not at it");
    assert_eq!(me.leading_since(Mono(15_249)), Some(Mono(1200)));
    assert_eq!(me.leading_since(Mono(15_250)), None);
}

#[test]
fn a_candidate_waits_for_the_whole_duration_since_the_record_last_changed() {
    let mut me = elector("me");
    read(&mut me, 0, record("1", "other"));
    assert_eq!(me.next(Mono(0), 0), Step::Wait(Mono(1500)));
    read(&mut me, 1500, record("1", "other"));
    read(&mut me, 10_000, record("2", "other"));
    for now in (11_500..25_000).step_by(1500) {
        read(&mut me, now, record("2", "other"));
    }
    assert_eq!(me.next(Mono(24_999), 0), Step::Wait(Mono(25_000)));
    assert_eq!(acquire(&mut me, 25_000).1, Base::Version(version("2")));
    assert!(!me.may_write(Mono(25_000), 0), "asked is not given");
}

#[test]
fn the_duration_in_the_record_counts_and_an_absurd_one_does_not() {
    for (duration_ms, free) in [(40_000, 40_000), (0, 15_000), (u64::MAX, 15_000)] {
        let mut me = elector("me");
        let holder = Some(Identity("other".into()));
        read(&mut me, 0, Observed::Record(Record { version: version("1"), holder, duration_ms }));
        let Step::Read(request) = me.next(Mono(free - 1), 0) else { panic!() };
        me.observed(Mono(free - 1), request, Observed::Failed);
        assert_eq!(acquire(&mut me, free + 1500).1, Base::Version(version("1")), "{duration_ms}");
    }
}

#[test]
fn who_creates_the_lease_waits_for_it_like_anybody() {
    // It may have been deleted while somebody leads, whose time is not over.
    let mut me = elector("me");
    read(&mut me, 0, Observed::Absent);
    let (request, base) = acquire(&mut me, 0);
    assert_eq!(base, Base::Absent);
    me.written(Mono(100), request, Written::Ok(version("5")));
    assert!(!me.may_write(Mono(100), 0));
    for now in (1600..15_100).step_by(1500) {
        read(&mut me, now, record("5", "me"));
    }
    assert_eq!(me.next(Mono(15_099), 0), Step::Wait(Mono(15_100)));
    let (request, base) = acquire(&mut me, 15_100);
    assert_eq!(base, Base::Version(version("5")));
    me.written(Mono(15_200), request, Written::Ok(version("6")));
    assert!(me.may_write(Mono(15_200), 5000));
}

#[test]
fn a_lost_race_is_read_again_and_waited_for_again() {
    let mut me = elector("me");
    read(&mut me, 0, record("1", ""));
    let (request, _) = acquire(&mut me, 0);
    me.written(Mono(100), request, Written::Conflict);
    assert_eq!(me.next(Mono(100), 0), Step::Wait(Mono(1600)));
    read(&mut me, 1600, record("2", "other"));
    assert_eq!(me.next(Mono(1600), 0), Step::Wait(Mono(3100)));
}

#[test]
fn an_acquisition_whose_answer_was_lost_gains_nothing() {
    let mut me = elector("me");
    read(&mut me, 0, record("1", ""));
    acquire(&mut me, 0);
    assert_eq!(me.next(Mono(2999), 0), Step::Wait(Mono(3000)));
    assert_eq!(me.next(Mono(3000), 0), Step::Wait(Mono(4500)));
    let (request, base) = acquire(&mut me, 4500);
    assert_eq!(base, Base::Version(version("1")));
    me.written(Mono(4600), request, Written::Conflict);
    read(&mut me, 6100, record("2", "me"));
    assert_eq!(me.next(Mono(6100), 0), Step::Wait(Mono(7600)), "its own name gives no right");
    assert!(!me.may_write(Mono(6100), 0));
}

#[test]
fn renewals_move_the_deadline_and_only_from_their_sending() {
    let mut me = leader();
    assert_eq!(me.next(Mono(1200), 0), Step::Wait(Mono(6000)));
    let (request, base) = renew(&mut me, 6000);
    assert_eq!(base, Base::Version(version("2")));
    assert_eq!(me.next(Mono(6000), 0), Step::Wait(Mono(9000)), "one request at a time");
    me.written(Mono(8000), request, Written::Ok(version("3")));
    assert!(me.may_write(Mono(20_249), 0));
    assert!(!me.may_write(Mono(20_250), 0));
    assert_eq!(me.leading_since(Mono(8000)), Some(Mono(1200)), "without a break");
}

#[test]
fn a_leader_without_the_api_server_stops_before_its_lease_ends() {
    let mut me = leader();
    let mut now = 6000;
    loop {
        match me.next(Mono(now), 0) {
            Step::Wait(until) => now = until.0,
            Step::Read(request) => me.observed(Mono(now), request, Observed::Failed),
            Step::Renew(request, _) => me.written(Mono(now), request, Written::Timeout),
            Step::StepDown => break,
            step => panic!("{step:?}"),
        }
        assert_eq!(me.may_write(Mono(now), 5000), now < 10_250);
    }
    assert_eq!(now, 15_250, "1000 + 15 s - 5 %");
    assert!(!me.may_write(Mono(0), 0), "nor at any other time");
}

#[test]
fn an_answer_after_the_deadline_revives_nothing() {
    let mut me = leader();
    let (request, _) = renew(&mut me, 14_000);
    me.written(Mono(15_250), request, Written::Ok(version("3")));
    assert_eq!(me.standing(), &Standing::Lost);
    assert_eq!(me.next(Mono(15_300), 0), Step::StepDown);
    assert_eq!(me.next(Mono(15_400), 0), Step::StepDown, "until it was done");
    me.stood_down(Mono(15_500));
    assert_eq!(me.standing(), &Standing::Standby(Watch::Blind));
    read(&mut me, 17_000, record("3", "me"));
    assert_eq!(me.next(Mono(17_000), 0), Step::Wait(Mono(18_500)));
}

#[test]
fn an_answer_to_a_request_that_was_given_up_is_ignored() {
    let mut me = leader();
    let (old, _) = renew(&mut me, 6000);
    assert_eq!(me.next(Mono(9000), 0), Step::Wait(Mono(10_500)));
    me.written(Mono(9100), old, Written::Ok(version("3")));
    assert!(!me.may_write(Mono(15_250), 0));
    read(&mut me, 10_500, record("3", "me"));
    assert!(!me.may_write(Mono(15_250), 0), "a read proves no time");
    assert_eq!(renew(&mut me, 10_500).1, Base::Version(version("3")));
}

#[test]
fn a_record_that_somebody_else_wrote_stops_writes_until_it_was_read() {
    let mut me = leader();
    let (request, _) = renew(&mut me, 6000);
    me.written(Mono(6100), request, Written::Conflict);
    assert!(!me.may_write(Mono(6100), 0));
    let mut usurped = me.clone();
    read(&mut me, 6100, record("7", "me"));
    assert!(me.may_write(Mono(6100), 0), "an annotation, say");
    assert_eq!(renew(&mut me, 7600).1, Base::Version(version("7")));
    read(&mut usurped, 6100, record("7", "other"));
    assert_eq!(usurped.next(Mono(6100), 0), Step::StepDown);
}

#[test]
fn a_leader_whose_lease_was_deleted_creates_it_again() {
    let mut me = leader();
    let (request, _) = renew(&mut me, 6000);
    me.written(Mono(6100), request, Written::Conflict);
    read(&mut me, 6100, Observed::Absent);
    let (request, base) = renew(&mut me, 7600);
    assert_eq!(base, Base::Absent);
    me.written(Mono(7700), request, Written::Ok(version("9")));
    assert!(
        matches!(me.standing(), Standing::Leading { grip: Grip::On(Base::Version(v)), .. } if *v == version("9"))
    );
}

#[test]
fn the_lease_is_given_back_only_when_no_write_is_in_flight() {
    let mut me = leader();
    me.shut_down();
    assert!(!me.may_write(Mono(1300), 0), "no new write");
    assert_eq!(me.next(Mono(1300), 2), Step::Wait(Mono(6000)));
    let (request, _) = renew(&mut me, 6000);
    me.written(Mono(6100), request, Written::Ok(version("3")));
    let Step::Release(request, base) = me.next(Mono(6200), 0) else { panic!() };
    assert_eq!(base, version("3"));
    me.written(Mono(6300), request, Written::Ok(version("4")));
    assert_eq!(me.next(Mono(6300), 0), Step::Finished);
}

#[test]
fn a_shutdown_during_an_acquisition_gives_back_what_it_brings() {
    let mut me = elector("me");
    read(&mut me, 0, record("1", ""));
    let (request, _) = acquire(&mut me, 0);
    me.shut_down();
    assert_eq!(me.next(Mono(10), 0), Step::Wait(Mono(3000)));
    me.written(Mono(20), request, Written::Ok(version("2")));
    assert!(matches!(me.next(Mono(20), 0), Step::Release(..)));
    let mut idle = elector("idle");
    idle.shut_down();
    assert_eq!(idle.next(Mono(0), 0), Step::Finished);
}

// --- Several candidates ---

/// The API server's Lease: one object, compare-and-swap by resourceVersion.
#[derive(Default)]
struct Lease {
    versions: u64,
    record: Option<Record>,
}

impl Lease {
    fn write(&mut self, base: &Base, holder: Option<Identity>, duration_ms: u64) -> Written {
        let matches = match (base, &self.record) {
            (Base::Absent, None) => true,
            (Base::Version(version), Some(record)) => *version == record.version,
            _ => false,
        };
        if !matches {
            return Written::Conflict;
        }
        self.versions += 1;
        let version = Version(self.versions.to_string());
        self.record = Some(Record { version: version.clone(), holder, duration_ms });
        Written::Ok(version)
    }
}

#[derive(Clone)]
enum Message {
    ToServer { replica: usize, request: Request, step: Step },
    Read { replica: usize, request: Request, observed: Observed },
    Written { replica: usize, request: Request, written: Written },
}

#[derive(Clone, Debug)]
struct Replica {
    /// Speed of its clock in thousandths of true time, and where it started.
    rate: u64,
    offset: u64,
}

impl Replica {
    fn clock(&self, true_ms: u64) -> Mono {
        Mono(self.offset + true_ms * self.rate / 1000)
    }
}

/// How long messages take: a script, used over and over. `None` is lost.
#[derive(Clone, Debug)]
struct Network {
    delays: Vec<Option<u64>>,
    used: usize,
}

impl Network {
    fn delay(&mut self) -> Option<u64> {
        self.used += 1;
        self.delays[self.used % self.delays.len()]
    }
}

struct Race {
    /// True times at which the replica could have written to AWS.
    led: Vec<Vec<u64>>,
}

const STEP_MS: u64 = 250;
const WRITE_TIMEOUT_MS: u64 = 1000;

/// What happens, and when, in milliseconds of true time.
#[derive(Clone, Debug)]
struct Scenario {
    replicas: Vec<Replica>,
    network: Network,
    length: u64,
    /// From now on every message takes 10 ms.
    calm: u64,
    /// At the start there is a Lease that was given back.
    given_back: bool,
    /// Somebody deletes the Lease.
    deleted: Vec<u64>,
    /// The first replica is shut down.
    shut: Option<u64>,
    /// The first replica is cut off for good.
    cut: Option<u64>,
}

fn race(mut scenario: Scenario) -> Race {
    let replicas = &scenario.replicas;
    let names: Vec<Identity> = (0..replicas.len()).map(|n| Identity(format!("r{n}"))).collect();
    let mut electors: Vec<Elector> = names.iter().map(|name| Elector::new(name.clone(), terms())).collect();
    let mut lease = Lease::default();
    if scenario.given_back {
        lease.write(&Base::Absent, None, 1000);
    }
    let mut mail: Vec<(u64, Message)> = Vec::new();
    let mut led = vec![Vec::new(); replicas.len()];
    for now in (0..scenario.length).step_by(STEP_MS as usize) {
        let happens = |at: u64| (at..at + STEP_MS).contains(&now);
        if scenario.deleted.iter().any(|at| happens(*at)) {
            lease.record = None;
        }
        if scenario.shut.is_some_and(happens) {
            electors[0].shut_down();
        }
        let mut delay = |replica: usize| match now {
            _ if replica == 0 && scenario.cut.is_some_and(|cut| now >= cut) => None,
            _ if now >= scenario.calm => Some(10),
            _ => scenario.network.delay(),
        };
        loop {
            for n in 0..electors.len() {
                // Whoever could write did, and each write takes as long as it may: one that gives its lease back waits.
                let ends = |start: &u64| start + WRITE_TIMEOUT_MS * 1000 / replicas[n].rate;
                let in_flight = led[n].iter().rev().take_while(|start| ends(start) >= now).count();
                act(in_flight, n, now, &replicas[n], &mut electors[n], &mut mail, &mut delay);
            }
            let due = (0..mail.len()).filter(|i| mail[*i].0 <= now).min_by_key(|i| mail[*i].0);
            let Some(next) = due else { break };
            let (_, message) = mail.remove(next);
            deliver(now, message, replicas, &names, &mut electors, &mut lease, &mut mail, &mut delay);
        }
        for (n, elector) in electors.iter().enumerate() {
            if elector.may_write(replicas[n].clock(now), WRITE_TIMEOUT_MS) {
                led[n].push(now);
            }
        }
    }
    Race { led }
}

#[allow(clippy::too_many_arguments)]
fn act(
    in_flight: usize,
    n: usize,
    now: u64,
    replica: &Replica,
    elector: &mut Elector,
    mail: &mut Vec<(u64, Message)>,
    delay: &mut impl FnMut(usize) -> Option<u64>,
) {
    let step = elector.next(replica.clock(now), in_flight);
    let request = match &step {
        Step::Read(request)
        | Step::Acquire(request, _)
        | Step::Renew(request, _)
        | Step::Release(request, _) => *request,
        Step::StepDown => return elector.stood_down(replica.clock(now)),
        Step::Wait(_) | Step::Finished => return,
    };
    if let Some(ms) = delay(n) {
        mail.push((now + ms, Message::ToServer { replica: n, request, step }));
    }
}

#[allow(clippy::too_many_arguments)]
fn deliver(
    now: u64,
    message: Message,
    replicas: &[Replica],
    names: &[Identity],
    electors: &mut [Elector],
    lease: &mut Lease,
    mail: &mut Vec<(u64, Message)>,
    delay: &mut impl FnMut(usize) -> Option<u64>,
) {
    match message {
        Message::Read { replica, request, observed } => {
            electors[replica].observed(replicas[replica].clock(now), request, observed);
        }
        Message::Written { replica, request, written } => {
            electors[replica].written(replicas[replica].clock(now), request, written);
        }
        Message::ToServer { replica, request, step } => {
            let mine = Some(names[replica].clone());
            let answer = match step {
                Step::Acquire(_, base) | Step::Renew(_, base) => {
                    let written = lease.write(&base, mine, terms().duration_ms());
                    Message::Written { replica, request, written }
                }
                Step::Release(_, version) => {
                    let written = lease.write(&Base::Version(version), None, 1000);
                    Message::Written { replica, request, written }
                }
                _ => {
                    let observed = lease.record.clone().map_or(Observed::Absent, Observed::Record);
                    Message::Read { replica, request, observed }
                }
            };
            if let Some(ms) = delay(replica) {
                mail.push((now + ms, answer));
            }
        }
    }
}

/// The first true time at which two replicas could have had a write under way.
fn overlap(race: &Race, replicas: &[Replica]) -> Option<u64> {
    let spans = |n: usize| {
        // A write that starts at t may last until its timeout on the writer's clock.
        race.led[n].iter().map(move |start| (*start, start + WRITE_TIMEOUT_MS * 1000 / replicas[n].rate))
    };
    for a in 0..replicas.len() {
        for b in 0..a {
            for (from, to) in spans(a) {
                if spans(b).any(|(start, end)| start <= to && from <= end) {
                    return Some(from);
                }
            }
        }
    }
    None
}

fn replicas(spread: u64) -> impl Strategy<Value = Vec<Replica>> {
    let one = (1000 - spread..=1000 + spread, 0u64..1_000_000);
    prop::collection::vec(one.prop_map(|(rate, offset)| Replica { rate, offset }), 2..=3)
}

fn network() -> impl Strategy<Value = Network> {
    let delay = prop_oneof![
        6 => (0u64..300).prop_map(Some),
        3 => (300u64..6_000).prop_map(Some),
        1 => (6_000u64..40_000).prop_map(Some),
        2 => Just(None),
    ];
    prop::collection::vec(delay, 1..60).prop_map(|delays| Network { delays, used: 0 })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Invariant 7, the part of the elector: whatever the network and the clocks do, at most one may write, and the
    /// writes that it may have started have ended before another's start. Then the network recovers, and one leads.
    #[test]
    fn never_two_may_write_and_in_the_end_one_does(
        replicas in replicas(25),
        network in network(),
        given_back in any::<bool>(),
        deleted in prop::collection::vec(0u64..100_000, 0..3),
        shut in prop::option::of(0u64..100_000),
    ) {
        let (length, calm) = (200_000, 120_000);
        let scenario =
            Scenario { replicas: replicas.clone(), network, length, calm, given_back, deleted, shut, cut: None };
        let race = race(scenario);
        prop_assert_eq!(overlap(&race, &replicas), None);
        let last = race.led.iter().filter_map(|led| led.last()).max();
        prop_assert!(last.is_some_and(|last| *last > 195_000), "nobody leads in the end: {:?}", last);
    }
}

/// A leader that hears nothing any more, beside a candidate that hears everything.
fn cut_off(rates: [u64; 2]) -> (Race, Vec<Replica>) {
    let replicas: Vec<Replica> = rates.map(|rate| Replica { rate, offset: 0 }).to_vec();
    let race = race(Scenario {
        replicas: replicas.clone(),
        network: Network { delays: vec![Some(0)], used: 0 },
        length: 60_000,
        calm: u64::MAX,
        given_back: true,
        deleted: Vec::new(),
        shut: None,
        cut: Some(10_000),
    });
    (race, replicas)
}

#[test]
fn a_leader_that_is_cut_off_is_followed_by_another_within_a_lease() {
    let (race, replicas) = cut_off([975, 1025]);
    assert_eq!(overlap(&race, &replicas), None);
    let (last, first) = (race.led[0].last().unwrap(), race.led[1].first().unwrap());
    assert!(*last > 10_000 && first - last < 5_000, "{last} {first}");
}

/// The property above can fail: clocks that differ in speed by more than the terms allow break it.
#[test]
fn clocks_beyond_the_allowed_drift_make_two_leaders() {
    let (race, replicas) = cut_off([500, 1500]);
    assert!(overlap(&race, &replicas).is_some());
}
