//! One turn, driven. All decisions are the engine's; what is here moves data.

use std::sync::{Mutex, MutexGuard, PoisonError};

use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{ObjectKey, Sides};
use peerkeeper_core::observed::{Needs, SideView};
use peerkeeper_core::time::Mono;
use peerkeeper_core::turn::{Done, Reply, Step, Turn};
use peerkeeper_core::write::{Outcome, WriteCall};

use super::Port;
use super::house::House;
use crate::aws::{self, Look};

/// What came of one turn.
pub struct Turned {
    pub done: Done,
    /// It stored something that was not there before, or wrote.
    pub is_news: bool,
}

pub fn lock(house: &Mutex<House>) -> MutexGuard<'_, House> {
    // A panic elsewhere left values, not half-done I/O, behind.
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From start to end. `since` is when this process began to answer for its objects.
pub async fn turn<P: Port>(house: &Mutex<House>, port: &P, key: &ObjectKey, since: Mono) -> Turned {
    let (recent, timing) = {
        let mut house = lock(house);
        (house.recent(key, since), house.timing)
    };
    let mut turn = Turn::new(key.clone(), recent, timing, false);
    let (mut reply, mut is_news) = (Reply::Start, false);
    let view = |name: &str, region| port.view(name, region);
    loop {
        reply = match turn.next(port.now(), reply) {
            Step::ReadLive => Reply::Live(lock(house).live(key, &view).map(Box::new)),
            Step::Lookup(key) => Reply::Exists(lock(house).exists(&key)),
            Step::Observe(needs) => Reply::Observed(Box::new(observe(port, &turn, &needs).await)),
            Step::Commit(commit) => {
                let stored = lock(house).commit(key, &commit, port.now().wall, &view);
                is_news |= stored.is_news;
                Reply::Committed(stored.committed)
            }
            Step::Write(calls) => {
                is_news = true;
                Reply::Wrote(write(port, &turn, key, &calls).await)
            }
            Step::Done(done) => {
                lock(house).keep_recent(key, turn.into_recent());
                return Turned { done, is_news };
            }
        };
    }
}

async fn observe<P: Port>(port: &P, turn: &Turn, needs: &Needs) -> Sides<SideView> {
    let Some(live) = turn.live() else { return Sides::default() };
    aws::observe(live, needs, |Look { account, region, needs }| async move {
        match needs {
            Some(needs) => port.read(&account, region, needs).await,
            None => port.view(&account, region),
        }
    })
    .await
}

async fn write<P: Port>(port: &P, turn: &Turn, key: &ObjectKey, calls: &[WriteCall]) -> Vec<Outcome> {
    let account_of = |call: &WriteCall| match &turn.live()?.desired.sides.get(call.side).account {
        AccountRef::Managed(name) => Some(name.clone()),
        AccountRef::Foreign(_) => None,
    };
    let names: Vec<_> = calls.iter().map(account_of).collect();
    let named: Vec<_> = names.iter().zip(calls).map(|(name, call)| (name.as_deref(), call)).collect();
    port.write(key, &named).await
}
