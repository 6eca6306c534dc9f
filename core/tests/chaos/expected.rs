//! What a full run must have come by. What can't be reached from here is written down with why, and only that.

use ec2sim::{Choice, Delay, Fault};
use peerkeeper_core::reason::Reason;

use crate::knobs::Knob;
use crate::reach::Reach;
use crate::script::What;
use crate::trouble::Trouble;
use crate::words::{NOT_SENT, Variant};

/// With fewer seeds what is rare may be missing.
const ENOUGH: u64 = 2_000;

/// How a life may go on.
const LIVES: &[&str] = &[
    "NeverSeen -> Requested",
    "NeverSeen -> Established",
    "NeverSeen -> Replacing",
    "NeverSeen -> Released",
    "Requested -> NeverSeen",
    "Requested -> Established",
    "Replacing -> Established",
    "Established -> Established",
    "Established -> Requested",
    "Established -> Replacing",
    "Established -> Released",
    "Released -> NeverSeen",
    "Released -> Requested",
    "Released -> Established",
    "Released -> Replacing",
];

/// Why some things can't happen here.
const OUT_OF_REACH: &[(&str, &str, &str)] = &[
    ("not sent", "Stale", "the lease runs out before a reading that was fresh has grown old"),
    ("not sent", "Skipped", "no sender skips what follows from a failed write: the next plan does"),
    ("reason", "Usable", "said of an AwsAccount, by the shell"),
    ("reason", "QueueUnreadable", "said of an AwsAccount, by the shell"),
    ("reason", "WriteNotEchoed", "said of an AwsAccount, by the shell"),
    ("reason", "TrailStopped", "said of an AwsAccount, by the shell"),
    ("reason", "OperatorCredentialsMisused", "an account is held by the shell, which judges its calls"),
    ("reason", "CallNotOurs", "said of an AwsAccount, by the shell"),
    ("reason", "CallNotCorroborated", "said of an AwsAccount, by the shell"),
    ("reason", "MisuseAcknowledged", "said of an AwsAccount, by the shell"),
    ("reason", "InvalidObject", "said by the shell, of what can't be parsed"),
    ("reason", "RequestExpired", "a request expires after seven days"),
    ("reason", "OwnedByOtherAccount", "the world shares no VPCs between accounts"),
    ("reason", "DestinationIsLocal", "what is within a VPC and within its peer can't be peered"),
    ("reason", "TooManyRoutes", "ten thousand routes are a matter of scale"),
    ("reason", "AwsRefused", "what the world refuses has reasons of its own"),
];

/// What was heard through the queue, and whom it was news to.
const HEARD: &[&str] =
    &["BeforeTheState", "AfterTheState", "Again", "Echo", "Forged", "OfAnotherCall", "OfNobody"];

/// What asking the history came to.
const HISTORY: &[&str] = &["Told", "KnowsNothing", "Unavailable", "Failed"];

/// How sure it is who did it.
const ATTRIBUTIONS: &[&str] = &["None", "AccountOnly", "EventOnly", "ByAgreement", "ByHistory"];

const CLASSES: &[&str] = &["Unexpected", "Authorized", "VpcGone", "WithdrawnByPeer", "Decommissioning"];

/// What came of that.
const TOLD: &[&str] = &["RightlyAuthorized", "RemovedAsAuthorized", "ForgeryPassed"];

const LANES: &[&str] = &["TrailStopped", "WriteNotEchoed", "QueueUnreadable"];

/// What comes so seldom that only a long run must have come by it.
const RARE: &[(&str, &str)] = &[
    ("choice", "DeleteAgain"),
    ("life", "NeverSeen -> Replacing"),
    ("life", "Established -> Requested"),
    ("life", "Released -> Requested"),
    ("not sent", "Credentials"),
    ("not sent", "Unreachable"),
    ("attribution", "None"),
    ("told", "ForgeryPassed"),
];
const LONG: u64 = 20_000;

fn names<T: std::fmt::Debug>(all: &[T]) -> Vec<String> {
    all.iter().map(|one| format!("{one:?}")).collect()
}

fn plain(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

pub fn reached(reach: &Reach, seeds: u64) {
    if seeds < ENOUGH {
        return;
    }
    let wanted = [
        ("fault", names(Fault::ALL)),
        ("choice", names(Choice::ALL)),
        ("delay", names(Delay::ALL)),
        ("knob", names(Knob::ALL)),
        ("act", names(What::ALL)),
        ("write", names(Variant::ALL)),
        ("lost", names(Variant::ALL)),
        ("not sent", plain(NOT_SENT)),
        ("reason", names(Reason::ALL)),
        ("life", plain(LIVES)),
        ("trouble", names(Trouble::ALL)),
        ("throttled", plain(&["read", "write"])),
        ("event", plain(HEARD)),
        ("history", plain(HISTORY)),
        ("attribution", plain(ATTRIBUTIONS)),
        ("class", plain(CLASSES)),
        ("told", plain(TOLD)),
        ("lane", plain(LANES)),
    ];
    let is_out = |kind: &str, name: &str| OUT_OF_REACH.iter().any(|(k, n, _)| *k == kind && *n == name);
    let mut wrong = Vec::new();
    for (kind, names) in wanted {
        for name in names {
            match (reach.count(kind, &name), is_out(kind, &name)) {
                (0, false) if seeds < LONG && RARE.contains(&(kind, name.as_str())) => {}
                (0, false) => wrong.push(format!("{kind} {name} was never reached")),
                (1.., true) => {
                    wrong.push(format!("{kind} {name} was reached, and is written down as out of reach"))
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
