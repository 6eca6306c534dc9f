//! How often what goes wrong, by name. Each seed draws its own, and switches some off altogether: what always happens
//! hides what follows only where it does not.

use std::collections::BTreeMap;
use std::fmt;

use ec2sim::{Choice, Delay, Fault, Seeded};

use crate::script::What;

/// As long as the world's reads may lag. Half of what proves absence: two readings that far apart don't err alike.
pub const LAG_MS: u64 = 20_000;

/// What can go wrong on the operator's own side, at each occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knob {
    /// The process dies between two steps of a turn, or between two writes of one.
    Crash,
    /// A request to the API server gets no answer and has no effect.
    ApiLostBefore,
    /// It has its effect, and the answer is lost.
    ApiLostAfter,
    /// Somebody else touches the object right before it is written.
    ApiConflict,
    /// A call takes longer than a write may take, and lands all the same.
    SlowCall,
    /// Somebody changes just what a write is about while it is on its way.
    Ambush,
    /// The process is frozen after it was told that it may write and before the request leaves.
    FrozenBeforeSend,
    /// A watch shows what is there much later, and nothing of what was there in between.
    SlowWatch,
    /// What a process lists when it starts is older than what the one before it had seen.
    StaleList,
    /// A stranger tells the queue of a deletion in an officer's name.
    Forged,
}

impl Knob {
    pub const ALL: &[Self] = &[
        Self::Crash,
        Self::ApiLostBefore,
        Self::ApiLostAfter,
        Self::ApiConflict,
        Self::SlowCall,
        Self::Ambush,
        Self::FrozenBeforeSend,
        Self::SlowWatch,
        Self::StaleList,
        Self::Forged,
    ];

    /// In ten thousand occasions, at the most.
    fn most(self) -> u64 {
        match self {
            Self::Crash => 40,
            Self::FrozenBeforeSend => 60,
            Self::SlowCall => 200,
            Self::Ambush => 500,
            Self::ApiLostBefore | Self::ApiLostAfter | Self::ApiConflict => 400,
            Self::SlowWatch => 1_500,
            Self::StaleList | Self::Forged => 6_000,
        }
    }
}

/// The knobs of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    pub aws: ec2sim::Knobs,
    pub own: BTreeMap<Knob, u32>,
    /// How often each act is drawn.
    pub acts: BTreeMap<What, u32>,
    /// AWS's own buckets, each of so many calls, one of which flows back a second: other tools in the accounts take the rest.
    /// Zero: there are none.
    pub bucket_size: u32,
    pub events: Events,
}

/// Whether the operator hears of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Sweeps alone, and nobody asks who did it.
    Off,
    /// No queue is read; CloudTrail's history can be asked.
    History,
    Queue,
}

impl Events {
    pub fn queue(self) -> bool {
        self == Self::Queue
    }

    pub fn history(self) -> bool {
        self != Self::Off
    }
}

impl Knobs {
    pub fn draw(seed: u64) -> Self {
        let mut dice = Seeded::new(seed ^ 0x006b_6e6f_6273, ec2sim::Knobs::default());
        let mut ratio = |most: u64| if dice.below(2) == 0 { 0 } else { 1 + dice.below(most) };
        let as_ratio = |drawn: u64| u32::try_from(drawn).unwrap_or(u32::MAX);
        let mut aws = ec2sim::Knobs::default();
        for fault in Fault::ALL {
            aws = aws.fault(*fault, as_ratio(ratio(250)));
        }
        for choice in Choice::ALL {
            aws = aws.choice(*choice, as_ratio(ratio(5_000)));
        }
        for delay in Delay::ALL {
            let most = match delay {
                Delay::Visibility => LAG_MS,
                _ => 15_000,
            };
            aws = aws.delay_ms(*delay, ratio(most));
        }
        let plain = Knob::ALL.iter().filter(|knob| **knob != Knob::Forged);
        let own = plain.map(|knob| (*knob, as_ratio(ratio(knob.most())))).collect();
        let plain = What::ALL.iter().filter(|what| !what.is_of_events());
        let acts = plain.map(|what| (*what, as_ratio(ratio(100)))).collect();
        let bucket_size = as_ratio(ratio(12));
        Self { aws, own, acts, bucket_size, events: Events::Off }.with_events(seed)
    }

    /// Three seeds of four hear of events. Their chance is a die of its own: the others are what they would be without.
    fn with_events(mut self, seed: u64) -> Self {
        if seed % 4 == 3 {
            return self;
        }
        let mut dice = Seeded::new(seed ^ 0x6576_656e_7473, ec2sim::Knobs::default());
        self.events = if dice.below(8) == 0 { Events::History } else { Events::Queue };
        let mut ratio = |most: u64| if dice.below(2) == 0 { 0 } else { 1 + dice.below(most) };
        for (delay, most) in [(Delay::EventHistory, 900_000), (Delay::EventDelivery, 120_000)] {
            self.aws = self.aws.delay_ms(delay, ratio(most));
        }
        let as_ratio = |drawn: u64| u32::try_from(drawn).unwrap_or(u32::MAX);
        self.own.insert(Knob::Forged, as_ratio(ratio(Knob::Forged.most())));
        for what in What::ALL.iter().filter(|what| what.is_of_events()) {
            self.acts.insert(*what, as_ratio(ratio(200)));
        }
        self
    }

    /// Nothing goes wrong by itself, and nobody does anything.
    pub fn calm() -> Self {
        Self {
            aws: ec2sim::Knobs::default(),
            own: BTreeMap::new(),
            acts: BTreeMap::new(),
            bucket_size: 0,
            events: Events::Off,
        }
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |name: String, value: u64| format!("{name}={value}");
        let faults = self.aws.faults.iter().map(|(k, v)| named(format!("{k:?}"), u64::from(*v)));
        let choices = self.aws.choices.iter().map(|(k, v)| named(format!("{k:?}"), u64::from(*v)));
        let delays = self.aws.delays_ms.iter().map(|(k, v)| named(format!("{k:?}Ms"), *v));
        let own = self.own.iter().map(|(k, v)| named(format!("{k:?}"), u64::from(*v)));
        let all: Vec<String> = faults.chain(choices).chain(delays).chain(own).collect();
        write!(f, "{} Buckets={} Events={:?}", all.join(" "), self.bucket_size, self.events)
    }
}
