//! What a test does to requests on their way: they wait, are refused, or their answers get lost.

use crate::wire::Call;

/// Which calls a disturbance meets: everything it does not name is any.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Aim {
    pub action: Option<String>,
    /// The account whose the call is; of a role to be assumed, the role's.
    pub account: Option<String>,
    pub region: Option<String>,
}

impl Aim {
    /// Calls of one action, by anybody, anywhere.
    pub fn at(action: &str) -> Self {
        Self { action: Some(action.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    pub(crate) fn meets(&self, action: &str, account: &str, region: &str) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.action, action) && fits(&self.account, account) && fits(&self.region, region)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disturbance {
    /// It waits, not carried out, until the release.
    Hold,
    /// It is answered with this code, and not carried out.
    Refuse(String),
    /// It is carried out, and the connection ends without an answer.
    Drop,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub(crate) aim: Aim,
    pub(crate) what: Disturbance,
    /// How many more calls it meets; `None`: all.
    pub(crate) left: Option<u64>,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Lines(Vec<Line>);

/// As whom a call counts.
pub(crate) fn account_of(call: &Call) -> String {
    let of_role = call.text("RoleArn").and_then(|arn| arn.split(':').nth(4));
    of_role.unwrap_or(call.caller().account.as_str()).to_owned()
}

impl Lines {
    pub(crate) fn add(&mut self, aim: Aim, what: Disturbance, times: Option<u64>) {
        self.0.push(Line { aim, what, left: times });
    }

    /// Ends the holding of an action; of none named, all holding.
    pub(crate) fn release(&mut self, action: Option<&str>) {
        let ends = |line: &Line| {
            line.what == Disturbance::Hold && (action.is_none() || line.aim.action.as_deref() == action)
        };
        self.0.retain(|line| !ends(line));
    }

    /// Ends everything; with an account, what was aimed at it.
    pub(crate) fn mend(&mut self, account: Option<&str>) {
        self.0.retain(|line| account.is_some() && line.aim.account.as_deref() != account);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter().filter(|line| line.left != Some(0))
    }

    pub(crate) fn holds(&self, call: &Call) -> bool {
        self.iter().any(|line| line.what == Disturbance::Hold && line.meets(call))
    }

    /// Something is in store for it.
    pub(crate) fn meets(&self, call: &Call) -> bool {
        self.iter().any(|line| line.meets(call))
    }

    /// What befalls a call that nothing holds; the line counts it.
    pub(crate) fn take(&mut self, call: &Call) -> Option<Disturbance> {
        let meets =
            |line: &&mut Line| line.left != Some(0) && line.what != Disturbance::Hold && line.meets(call);
        let line = self.0.iter_mut().find(meets)?;
        line.left = line.left.map(|left| left - 1);
        Some(line.what.clone())
    }
}

impl Line {
    fn meets(&self, call: &Call) -> bool {
        self.aim.meets(call.action(), &account_of(call), call.caller().region.as_str())
    }
}
