//! What a run has reached: a simulation that never comes by a thing proves nothing about it.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(BTreeMap<(&'static str, String), u64>);

impl Reach {
    pub fn hit(&mut self, kind: &'static str, name: impl fmt::Debug) {
        *self.0.entry((kind, format!("{name:?}"))).or_default() += 1;
    }

    pub fn hits(&mut self, kind: &'static str, name: impl fmt::Debug, count: u64) {
        *self.0.entry((kind, format!("{name:?}"))).or_default() += count;
    }

    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    pub fn count(&self, kind: &str, name: &str) -> u64 {
        self.0.iter().filter(|((k, n), _)| *k == kind && n == name).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, name), count) in &self.0 {
            writeln!(f, "  {kind:<14} {name:<36} {count:>10}")?;
        }
        Ok(())
    }
}
