//! Where progress is shown: a bar on a terminal, lines elsewhere. Always on standard error.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::time::Mono;
use peerkeeper_core::write::{Outcome, WriteCall};

use super::{say, tally::Tally};
use crate::aws::clock;
use crate::cli::offline::{Listener, Stand};

/// The second line has the whole width: what is waited for is longer than what is left beside a bar.
const BAR: &str = "[{bar:24}] {pos}/{len} {prefix}, {elapsed_precise}\n  {wide_msg}";

/// Shows how a run goes on until [`Progress::end`].
pub struct Progress {
    state: Mutex<State>,
    /// Hidden where there is no terminal that can draw one.
    bar: ProgressBar,
    /// Where lines go that are left standing.
    say: fn(&str),
}

struct State {
    tally: Tally,
    is_over: bool,
}

impl Progress {
    /// For a plan of so many peerings and actions, of a run that ends `until` then at the latest.
    pub fn begin(peerings: usize, actions: usize, until: Mono) -> Arc<Self> {
        let tally = Tally::new(peerings, actions, clock::now(), until);
        Self::new(tally, bar(peerings), say)
    }

    fn new(tally: Tally, bar: ProgressBar, say: fn(&str)) -> Arc<Self> {
        let this = Arc::new(Self { state: Mutex::new(State { tally, is_over: false }), bar, say });
        this.tell(|_| None);
        this
    }

    /// Says each second how it stands, until it is over.
    pub async fn tick(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let is_drawn = !self.bar.is_hidden();
            self.tell(|tally| if is_drawn { None } else { tally.overdue(clock::now()) });
        }
    }

    /// Somebody stops the run.
    pub fn stop(&self) {
        let is_drawn = !self.bar.is_hidden();
        self.tell(|tally| Some(tally.stop(clock::now())).filter(|_| !is_drawn));
    }

    /// Nothing is drawn any more, and what was is gone: what follows stands alone.
    pub fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        self.bar.finish_and_clear();
    }

    /// Changes the tally, and shows it; a line is left standing.
    fn tell(&self, change: impl FnOnce(&mut Tally) -> Option<String>) {
        let mut state = self.lock();
        if state.is_over {
            return;
        }
        let line = change(&mut state.tally);
        if self.bar.is_hidden() {
            line.iter().for_each(|line| (self.say)(&format!("{line}\n")));
            return;
        }
        let (settled, _) = state.tally.settled();
        self.bar.set_position(u64::try_from(settled).unwrap_or(u64::MAX));
        self.bar.set_prefix(state.tally.counts());
        self.bar.set_message(state.tally.last().to_owned());
        match line {
            // A line of its own, not one of the bar's: those are padded, and come wrapped out of a copy.
            Some(line) => self.bar.suspend(|| (self.say)(&format!("{line}\n"))),
            None => self.bar.tick(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Progress {
    fn wrote(&self, object: &ObjectKey, call: &WriteCall, outcome: &Outcome) {
        self.tell(|tally| Some(tally.wrote(clock::now(), object, call, outcome)));
    }

    fn stands(&self, object: &ObjectKey, stand: &Stand) {
        self.tell(|tally| {
            tally.stands(object, stand);
            None
        });
    }
}

/// Drawn on a terminal that knows how to move its cursor (`TERM` says so), in no colour. Logs go to standard error too,
/// and would tear it apart: whoever asks for them has lines.
fn bar(peerings: usize) -> ProgressBar {
    let target = match std::env::var_os("RUST_LOG") {
        Some(_) => ProgressDrawTarget::hidden(),
        None => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(Some(u64::try_from(peerings).unwrap_or(u64::MAX)), target);
    // A template that is wrong is no reason to do nothing: there is a plainer one.
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    // Also if it is dropped by a panic.
    bar.with_style(style.progress_chars("#>-")).with_finish(ProgressFinish::AndClear)
}

#[cfg(test)]
mod tests {
    use super::*;

    static SAID: Mutex<String> = Mutex::new(String::new());

    /// Half a minute of silence is a test of its own, so time is the test's.
    #[tokio::test(start_paused = true)]
    async fn who_sees_no_bar_is_told_what_is_waited_for_until_it_is_over() {
        let until = clock::now().plus_ms(900_000);
        let tally = Tally::new(1, 3, clock::now(), until);
        let progress =
            Progress::new(tally, ProgressBar::hidden(), |text| SAID.lock().unwrap().push_str(text));
        let ticking = tokio::spawn(progress.clone().tick());
        let said = || std::mem::take(&mut *SAID.lock().unwrap());
        progress.stands(&ObjectKey::new("network", "a"), &Stand::Waiting("waiting for AWS".to_owned()));
        tokio::time::sleep(Duration::from_secs(25)).await;
        assert_eq!(said(), "", "not yet");
        tokio::time::sleep(Duration::from_secs(10)).await;
        let line = said();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with("after 3") && line.ends_with("; network/a: waiting for AWS\n"), "{line}");
        progress.stop();
        let stopping = "stopping: what is under way is finished, and nothing more is sent; Ctrl-C again to stop at once\n";
        assert_eq!(said(), stopping);
        progress.end();
        tokio::time::sleep(Duration::from_secs(120)).await;
        progress.stands(&ObjectKey::new("network", "a"), &Stand::InSync);
        assert_eq!(said(), "", "what follows stands alone");
        ticking.abort();
    }
}
