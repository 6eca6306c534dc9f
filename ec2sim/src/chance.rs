//! All chance the world knows. It rolls no dice: it asks. A seed answers in a simulation, an enumerated branch
//! in a model checker, a script in a test.

mod calm;
mod script;
mod seeded;

pub use calm::Calm;
pub use script::Script;
pub use seeded::{Knobs, Seeded};

use crate::request::{Action, Caller};

/// How long something takes, in virtual milliseconds. AWS publishes no figures; the bounds are generous.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Delay {
    /// initiating-request to pending-acceptance or failed.
    Initiating,
    /// provisioning to active.
    Provisioning,
    /// deleting to deleted.
    Deleting,
    /// From a write until every read shows it.
    Visibility,
    /// From a call until LookupEvents finds it.
    EventHistory,
    /// From a call until its event is in a rule's queue, for each copy. Two events whose delays differ change
    /// places.
    EventDelivery,
}

impl Delay {
    pub const ALL: &'static [Delay] = &[
        Self::Initiating,
        Self::Provisioning,
        Self::Deleting,
        Self::Visibility,
        Self::EventHistory,
        Self::EventDelivery,
    ];

    pub fn max_ms(self) -> u64 {
        match self {
            Self::Initiating => 60_000,
            Self::Provisioning | Self::Deleting => 180_000,
            Self::Visibility => 300_000,
            Self::EventHistory => 900_000,
            Self::EventDelivery => 1_800_000,
        }
    }
}

/// One of several ways the world may go; 0 is always the plain one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Choice {
    /// 0: this read shows the newest version of the object; k: the k-th older one that may still be seen.
    StaleRead,
    /// 1: a write does not find the object that was only just created.
    WriteTooEarly,
    /// 0: the page is full; 1: half of it; 2: empty, with a token.
    ShortPage,
    /// Deleting a deleted peering. 0: InvalidStateTransition; 1: success. No source says which.
    DeleteAgain,
    /// A route to an ended peering. 0: ...ID.NotFound; 1: InvalidStateTransition; 2: InvalidParameterValue. No
    /// source says which.
    RouteToEnded,
    /// 1: an event that a rule takes never reaches its queue. Delivery is best effort.
    EventLost,
    /// 1: an event reaches its queue twice.
    EventTwice,
    /// Whether LookupEvents knows a peering by ResourceName. 0: it does not; 1: it does. No source says which.
    PeeringIsIndexed,
    /// The parameters of ModifyVpcPeeringConnectionOptions in its record. 0: plain, in lower camel case; 1: under
    /// `ModifyVpcPeeringConnectionOptionsRequest`. No source says which.
    ParametersWrapped,
    /// Which of the messages that may be received comes next: 0 is the oldest, k the k-th after it.
    MessageOrder,
    /// 1: a receive without waiting asks servers that have no message.
    ReceiveMisses,
    /// 1: a message is received, and is not hidden from the next receive.
    MessageAgain,
    /// 1: a deletion succeeds, and one server has not heard of it: the message comes again.
    DeleteForgotten,
}

impl Choice {
    pub const ALL: &'static [Choice] = &[
        Self::StaleRead,
        Self::WriteTooEarly,
        Self::ShortPage,
        Self::DeleteAgain,
        Self::RouteToEnded,
        Self::EventLost,
        Self::EventTwice,
        Self::PeeringIsIndexed,
        Self::ParametersWrapped,
        Self::MessageOrder,
        Self::ReceiveMisses,
        Self::MessageAgain,
        Self::DeleteForgotten,
    ];
}

/// What can happen to a call on its way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// RequestLimitExceeded.
    Throttled,
    /// InternalError, nothing changed.
    Internal,
    /// Unavailable, nothing changed.
    Unavailable,
    /// InternalError, yet the call took effect.
    InternalAfterEffect,
    /// No answer, nothing changed.
    ResetBeforeEffect,
    /// No answer, yet the call took effect.
    TimeoutAfterEffect,
    /// UnauthorizedOperation.
    Denied,
    /// RequestExpired: the credentials ran out.
    Expired,
}

impl Fault {
    pub const ALL: &'static [Fault] = &[
        Self::Throttled,
        Self::Internal,
        Self::Unavailable,
        Self::InternalAfterEffect,
        Self::ResetBeforeEffect,
        Self::TimeoutAfterEffect,
        Self::Denied,
        Self::Expired,
    ];
}

pub trait Chance {
    /// At most `what.max_ms()`; the world cuts off what is above.
    fn delay_ms(&mut self, what: Delay) -> u64;

    /// Less than `ways`; the world takes what is not for 0.
    fn pick(&mut self, what: Choice, ways: usize) -> usize;

    fn fault(&mut self, caller: &Caller, action: Action) -> Option<Fault>;
}

/// The finisher of splitmix64: one to one, so distinct numbers stay distinct.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
