use super::{Chance, Choice, Delay, Fault};
use crate::request::{Action, Caller};

/// A perfect day: no delay, no lag, no fault.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct Calm;

impl Chance for Calm {
    fn delay_ms(&mut self, _: Delay) -> u64 {
        0
    }

    fn pick(&mut self, _: Choice, _: usize) -> usize {
        0
    }

    fn fault(&mut self, _: &Caller, _: Action) -> Option<Fault> {
        None
    }
}
