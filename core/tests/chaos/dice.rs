//! AWS's chance, counted.

use std::collections::BTreeMap;

use ec2sim::{Action, Caller, Chance, Choice, Delay, Fault, Knobs, Seeded};

pub struct Dice {
    seeded: Seeded,
    /// The faults have ended.
    pub calm: bool,
    /// An account and a Region where every call of ours is too much, calm or not.
    pub throttled: Option<(&'static str, &'static str)>,
    pub faults: BTreeMap<Fault, u64>,
    pub choices: BTreeMap<Choice, u64>,
    pub delays: BTreeMap<Delay, u64>,
}

impl Dice {
    pub fn new(seed: u64, knobs: Knobs) -> Self {
        Self {
            seeded: Seeded::new(seed, knobs),
            calm: false,
            throttled: None,
            faults: BTreeMap::new(),
            choices: BTreeMap::new(),
            delays: BTreeMap::new(),
        }
    }
}

impl Chance for Dice {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        if self.calm {
            return 0;
        }
        let ms = self.seeded.delay_ms(what);
        if ms > 0 {
            *self.delays.entry(what).or_default() += 1;
        }
        ms
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        // What may still be seen after the faults have ended is what was before: it is picked from all the same.
        if self.calm {
            return 0;
        }
        let way = self.seeded.pick(what, ways);
        if way > 0 {
            *self.choices.entry(what).or_default() += 1;
        }
        way
    }

    fn fault(&mut self, caller: &Caller, action: Action) -> Option<Fault> {
        let here = |at: (&str, &str)| caller.account.as_str() == at.0 && caller.region.as_str() == at.1;
        if self.throttled.is_some_and(here) {
            return Some(Fault::Throttled);
        }
        if self.calm {
            return None;
        }
        let fault = self.seeded.fault(caller, action)?;
        *self.faults.entry(fault).or_default() += 1;
        Some(fault)
    }
}
