use std::collections::BTreeMap;

use super::{Chance, Choice, Delay, Fault, mix};
use crate::request::{Action, Caller};

/// How often and how long, all by name. Ratios count in ten thousand.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Knobs {
    pub faults: BTreeMap<Fault, u32>,
    pub choices: BTreeMap<Choice, u32>,
    /// The longest each may take; absent is no delay.
    pub delays_ms: BTreeMap<Delay, u64>,
}

impl Knobs {
    /// Everything that can go wrong does so now and then.
    pub fn rough() -> Self {
        Self {
            faults: Fault::ALL.iter().map(|fault| (*fault, 100)).collect(),
            choices: Choice::ALL.iter().map(|choice| (*choice, 3_000)).collect(),
            delays_ms: Delay::ALL.iter().map(|delay| (*delay, delay.max_ms() / 10)).collect(),
        }
    }

    pub fn fault(mut self, fault: Fault, in_ten_thousand: u32) -> Self {
        self.faults.insert(fault, in_ten_thousand);
        self
    }

    pub fn choice(mut self, choice: Choice, in_ten_thousand: u32) -> Self {
        self.choices.insert(choice, in_ten_thousand);
        self
    }

    pub fn delay_ms(mut self, delay: Delay, at_most: u64) -> Self {
        self.delays_ms.insert(delay, at_most);
        self
    }
}

/// The same seed and the same questions give the same answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Seeded {
    asked: u64,
    seed: u64,
    pub knobs: Knobs,
}

impl Seeded {
    pub fn new(seed: u64, knobs: Knobs) -> Self {
        Self { asked: 0, seed: mix(seed), knobs }
    }

    /// Less than `bound`, and 0 where `bound` is 0. For a simulation's own dice too.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.asked += 1;
        let number = mix(self.seed ^ mix(self.asked));
        number.checked_rem(bound).unwrap_or(0)
    }

    fn hits(&mut self, in_ten_thousand: u32) -> bool {
        in_ten_thousand > 0 && self.below(10_000) < u64::from(in_ten_thousand)
    }
}

impl Chance for Seeded {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        match self.knobs.delays_ms.get(&what) {
            Some(&longest) => self.below(longest.saturating_add(1)),
            None => 0,
        }
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        let ratio = self.knobs.choices.get(&what).copied().unwrap_or(0);
        if ways < 2 || !self.hits(ratio) {
            return 0;
        }
        let others = ways as u64 - 1;
        usize::try_from(self.below(others)).map_or(0, |other| other + 1)
    }

    fn fault(&mut self, _: &Caller, _: Action) -> Option<Fault> {
        // One number for all faults: their ratios are shares of the calls.
        let mut number = self.below(10_000);
        for (fault, ratio) in &self.knobs.faults {
            if number < u64::from(*ratio) {
                return Some(*fault);
            }
            number -= u64::from(*ratio);
        }
        None
    }
}
