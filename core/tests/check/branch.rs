//! Chance gone through way by way: each call asks, the branch answers as its path says and remembers how many ways there
//! were, and the next path is the next way.

use ec2sim::{Action, Caller, Chance, Choice, Delay};

use crate::common::aws::OPERATOR;
use crate::scenario::{Budget, Fault};

pub struct Branch {
    path: Vec<usize>,
    ways: Vec<usize>,
    /// How long a transient state of a peering lasts, and how long a lagging write may not be seen.
    transient_ms: u64,
    lag_ms: u64,
    pub budget: Budget,
    /// Writes that lag, on this path.
    pub lagged: usize,
}

impl Branch {
    pub fn new(budget: Budget, transient_ms: u64, lag_ms: u64) -> Self {
        Self { path: Vec::new(), ways: Vec::new(), transient_ms, lag_ms, budget, lagged: 0 }
    }

    pub fn choose(&mut self, ways: usize) -> usize {
        let at = self.ways.len();
        self.ways.push(ways);
        if at == self.path.len() {
            self.path.push(0);
        }
        self.path[at]
    }

    /// Nothing but the plain way was taken.
    pub fn is_calm(&self) -> bool {
        self.path.iter().all(|way| *way == 0)
    }

    /// The next path, as an odometer counts, with the whole budget back; `None` after the last.
    pub fn next(mut self, budget: Budget) -> Option<Self> {
        while let Some(last) = self.path.pop() {
            if last + 1 < self.ways[self.path.len()] {
                self.path.push(last + 1);
                return Some(Self { ways: Vec::new(), budget, lagged: 0, ..self });
            }
        }
        None
    }
}

impl Branch {
    /// The plain way, or one of the others for one of the budget.
    pub fn choose_for(&mut self, fault: Fault, ways: usize) -> usize {
        if !self.budget.has(fault) {
            return 0;
        }
        let way = self.choose(ways);
        if way > 0 {
            self.budget.spend(fault);
        }
        way
    }
}

impl Chance for Branch {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        if what != Delay::Visibility {
            return self.transient_ms;
        }
        let way = self.choose_for(Fault::Stale, 2);
        self.lagged += way;
        [0, self.lag_ms][way]
    }

    fn pick(&mut self, what: Choice, ways: usize) -> usize {
        match what {
            // Only within the lag of a write that lags, which was paid for.
            Choice::StaleRead | Choice::WriteTooEarly | Choice::DeleteAgain => self.choose(ways),
            _ => 0,
        }
    }

    fn fault(&mut self, caller: &Caller, action: Action) -> Option<ec2sim::Fault> {
        if &*caller.principal != OPERATOR || !action.mutates() {
            return None;
        }
        let ways = [None, Some(ec2sim::Fault::TimeoutAfterEffect), Some(ec2sim::Fault::ResetBeforeEffect)];
        ways[self.choose_for(Fault::Lost, 3)]
    }
}
