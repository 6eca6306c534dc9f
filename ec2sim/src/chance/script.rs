use std::collections::BTreeMap;

use super::{Chance, Choice, Delay, Fault};
use crate::request::{Action, Caller};

/// Says what happens, in order; calm where it says nothing.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Script {
    delays: Vec<(Delay, u64)>,
    choices: Vec<(Choice, usize)>,
    faults: Vec<(Option<Action>, Fault)>,
    always_delays: BTreeMap<Delay, u64>,
    always_choices: BTreeMap<Choice, usize>,
    always_faults: BTreeMap<Action, Fault>,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing of this kind takes so long. Several lines are used up in order.
    pub fn delay_ms(mut self, what: Delay, ms: u64) -> Self {
        self.delays.push((what, ms));
        self
    }

    pub fn pick(mut self, what: Choice, way: usize) -> Self {
        self.choices.push((what, way));
        self
    }

    /// The next call of this action meets the fault.
    pub fn fault(mut self, action: Action, fault: Fault) -> Self {
        self.faults.push((Some(action), fault));
        self
    }

    /// The next call, whichever it is, meets the fault.
    pub fn fault_next(mut self, fault: Fault) -> Self {
        self.faults.push((None, fault));
        self
    }

    pub fn always_delay_ms(mut self, what: Delay, ms: u64) -> Self {
        self.always_delays.insert(what, ms);
        self
    }

    pub fn always_pick(mut self, what: Choice, way: usize) -> Self {
        self.always_choices.insert(what, way);
        self
    }

    pub fn always_fault(mut self, action: Action, fault: Fault) -> Self {
        self.always_faults.insert(action, fault);
        self
    }

    /// Lines not used yet: a test that means all of them to happen checks for 0 at its end.
    pub fn left(&self) -> usize {
        self.delays.len() + self.choices.len() + self.faults.len()
    }
}

fn take<L>(lines: &mut Vec<L>, fits: impl Fn(&L) -> bool) -> Option<L> {
    let at = lines.iter().position(fits)?;
    Some(lines.remove(at))
}

impl Chance for Script {
    fn delay_ms(&mut self, what: Delay) -> u64 {
        let line = take(&mut self.delays, |(delay, _)| *delay == what);
        line.map(|(_, ms)| ms).or_else(|| self.always_delays.get(&what).copied()).unwrap_or(0)
    }

    fn pick(&mut self, what: Choice, _: usize) -> usize {
        let line = take(&mut self.choices, |(choice, _)| *choice == what);
        line.map(|(_, way)| way).or_else(|| self.always_choices.get(&what).copied()).unwrap_or(0)
    }

    fn fault(&mut self, _: &Caller, action: Action) -> Option<Fault> {
        let line = take(&mut self.faults, |(wanted, _)| wanted.is_none_or(|wanted| wanted == action));
        line.map(|(_, fault)| fault).or_else(|| self.always_faults.get(&action).copied())
    }
}
