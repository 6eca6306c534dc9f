//! The server's chance: what a test set comes first, then ratios by a seed.

use std::collections::BTreeMap;

use super::script::Aim;
use crate::chance::{Chance, Choice, Delay, Fault, Knobs, Seeded};
use crate::request::{Action, Caller};

/// A fault that meets a share of the calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ratio {
    pub fault: Fault,
    /// Of those calls that it is aimed at.
    pub in_ten_thousand: u32,
    pub aim: Aim,
}

/// Every answer the world asks of chance, over HTTP.
#[derive(Clone, Debug)]
pub struct Weather {
    seeded: Seeded,
    /// These take exactly so long, each time.
    pub delays_ms: BTreeMap<Delay, u64>,
    /// These go this way, each time.
    pub choices: BTreeMap<Choice, usize>,
    pub ratios: Vec<Ratio>,
}

impl Weather {
    /// Nothing takes time, nothing goes wrong, until somebody says so.
    pub fn calm() -> Self {
        Self::seeded(0, Knobs::default())
    }

    /// By a seed: transitions take up to a few seconds, reads lag behind writes for up to two, pages come short,
    /// events come late and twice, messages in any order.
    /// No fault: those are for [`Self::ratios`].
    pub fn changing(seed: u64) -> Self {
        let knobs = Knobs::default()
            .delay_ms(Delay::Initiating, 1_000)
            .delay_ms(Delay::Provisioning, 3_000)
            .delay_ms(Delay::Deleting, 3_000)
            .delay_ms(Delay::Visibility, 2_000)
            .delay_ms(Delay::EventHistory, 60_000)
            .delay_ms(Delay::EventDelivery, 2_000)
            .choice(Choice::StaleRead, 3_000)
            .choice(Choice::WriteTooEarly, 1_000)
            .choice(Choice::ShortPage, 3_000)
            .choice(Choice::EventTwice, 500)
            .choice(Choice::MessageOrder, 3_000)
            .choice(Choice::MessageAgain, 300)
            .choice(Choice::ReceiveMisses, 1_000);
        Self::seeded(seed, knobs)
    }

    pub fn seeded(seed: u64, knobs: Knobs) -> Self {
        let (delays_ms, choices) = (BTreeMap::new(), BTreeMap::new());
        Self { seeded: Seeded::new(seed, knobs), delays_ms, choices, ratios: Vec::new() }
    }

    /// What goes by the seed.
    pub fn knobs(&self) -> &Knobs {
        &self.seeded.knobs
    }

    pub fn knobs_mut(&mut self) -> &mut Knobs {
        &mut self.seeded.knobs
    }
}

impl Chance for Weather {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        match self.delays_ms.get(&what) {
            Some(ms) => *ms,
            None => self.seeded.delay_ms(what),
        }
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        match self.choices.get(&what) {
            Some(way) => *way,
            None => self.seeded.pick(what, ways),
        }
    }

    fn fault(&mut self, caller: &Caller, action: Action) -> Option<Fault> {
        let aimed =
            |ratio: &&Ratio| ratio.aim.meets(action.name(), caller.account.as_str(), caller.region.as_str());
        let meeting: Vec<(Fault, u32)> =
            self.ratios.iter().filter(aimed).map(|ratio| (ratio.fault, ratio.in_ten_thousand)).collect();
        if !meeting.is_empty() {
            // One number for all of them: their ratios are shares of the calls.
            let mut number = self.seeded.below(10_000);
            for (fault, share) in meeting {
                if number < u64::from(share) {
                    return Some(fault);
                }
                number -= u64::from(share);
            }
        }
        self.seeded.fault(caller, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_meets_its_share_of_the_calls_it_is_aimed_at_and_no_other() {
        let mut weather = Weather::calm();
        let aim = Aim::at("CreateRoute").account("111122223333");
        weather.ratios.push(Ratio { fault: Fault::Throttled, in_ten_thousand: 2_500, aim });
        let mut hits = |account: &str, action| {
            let caller = Caller::new(account, "eu-west-1");
            (0..4_000).filter(|_| weather.fault(&caller, action) == Some(Fault::Throttled)).count()
        };
        assert!((900..1_100).contains(&hits("111122223333", Action::CreateRoute)));
        assert_eq!(hits("444455556666", Action::CreateRoute), 0);
        assert_eq!(hits("111122223333", Action::DeleteRoute), 0);
    }

    #[test]
    fn what_was_set_comes_before_what_the_seed_says() {
        let mut weather = Weather::changing(7);
        weather.delays_ms.insert(Delay::Provisioning, 42);
        weather.choices.insert(Choice::ShortPage, 2);
        assert_eq!(weather.delay_ms(Delay::Provisioning), 42);
        assert_eq!(weather.pick(Choice::ShortPage, 3), 2);
        let mut delays = (0..100).map(|_| weather.delay_ms(Delay::Deleting));
        assert!(delays.any(|ms| ms > 0), "the seed says the rest");
    }
}
