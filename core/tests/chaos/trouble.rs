//! One thing that is wrong and stays so, while everything else is well: what it does not concern must go on.

use ec2sim::Action;
use peerkeeper_core::desired::{AccountRef, LossAction};
use peerkeeper_core::ids::{ObjectKey, Side};
use peerkeeper_core::memory::Life;
use peerkeeper_core::plan::Truth;
use peerkeeper_core::reason::ConditionType;

use crate::common::cluster::Object;
use crate::common::rig::{PROD, SHARED, VA, pcx};
use crate::scene::pick;
use crate::stage::Stage;

/// As in the end: longer than the limits' windows and every backoff.
const BOUND_MS: u64 = 1_500_000;
const LOOK_MS: u64 = 30_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An object that can't be parsed.
    Unparsable,
    /// An account whose role can't be assumed.
    RoleBroken,
    /// A Region of an account where AWS refuses every call as too much.
    RegionThrottled,
    /// One where nothing may be read.
    ReadsDenied,
}

impl Trouble {
    pub const ALL: &[Self] = &[Self::Unparsable, Self::RoleBroken, Self::RegionThrottled, Self::ReadsDenied];
}

/// What is wrong, and where.
struct Wrong {
    trouble: Trouble,
    account: &'static str,
    object: Option<Object>,
}

impl Wrong {
    fn concerns(&self, stage: &Stage, object: &Object) -> bool {
        if self.trouble == Trouble::Unparsable {
            return self.object.as_ref().is_some_and(|bad| bad.pair() == object.pair());
        }
        Side::BOTH.into_iter().any(|side| {
            let spec = object.sides.get(side);
            let AccountRef::Managed(name) = &spec.account else { return false };
            let account = stage.api.truth.accounts.get(name);
            let here = account.is_some_and(|account| account.id.to_string() == self.account);
            here && (self.trouble == Trouble::RoleBroken || spec.region.as_str() == VA)
        })
    }
}

impl Stage {
    /// Invariant 9: somebody deletes a peering that the trouble does not concern, and it is dealt with all the same.
    pub fn in_trouble(&mut self) -> Result<(), String> {
        let trouble = Trouble::ALL[pick(&mut self.luck, Trouble::ALL.len())];
        let account = [PROD, SHARED][pick(&mut self.luck, 2)];
        // Nearly everything has an end in the one account.
        let account = if trouble == Trouble::RoleBroken { SHARED } else { account };
        let objects: Vec<Object> = self.api.truth.objects.values().cloned().collect();
        let bad = (!objects.is_empty()).then(|| objects[pick(&mut self.luck, objects.len())].clone());
        let wrong = Wrong { trouble, account, object: bad };
        let sound: Vec<ObjectKey> = objects
            .iter()
            .filter(|object| !wrong.concerns(self, object) && self.may_be_lost(object))
            .map(|object| object.key.clone())
            .collect();
        if sound.is_empty() {
            return Ok(());
        }
        let lost = sound[pick(&mut self.luck, sound.len())].clone();
        self.reach.hit("trouble", trouble);
        self.say(|| format!("=== {trouble:?} in {account}; {lost} is lost"));
        self.begin(&wrong);
        // It has been met when the loss comes.
        self.run_to(self.now_ms() + 2 * LOOK_MS);
        self.lose(&lost);
        let ended = self.until_settled(&lost, &wrong);
        self.end(&wrong);
        ended
    }

    /// Whole, and restored when it is lost.
    fn may_be_lost(&self, object: &Object) -> bool {
        let ready = object.report.as_ref().and_then(|report| report.condition(ConditionType::Ready));
        ready.is_some_and(|ready| ready.truth == Truth::True)
            && !object.deleting
            && self.api.truth.policy_of(object).action == LossAction::Restore
    }

    fn begin(&mut self, wrong: &Wrong) {
        match wrong.trouble {
            Trouble::Unparsable => {
                let Some(key) = wrong.object.as_ref().map(|object| object.key.clone()) else { return };
                self.spoilt = Some(key.clone());
                self.touch(&key);
            }
            Trouble::RoleBroken => {
                let account =
                    self.api.truth.accounts.values_mut().find(|a| a.id.to_string() == wrong.account);
                account.into_iter().for_each(|account| account.unusable = Some("AccessDenied".into()));
                let now_ms = self.now_ms();
                self.api.rest_changed(now_ms);
            }
            Trouble::RegionThrottled => self.dice.throttled = Some((wrong.account, VA)),
            Trouble::ReadsDenied => {
                let reads = Action::ALL.iter().filter(|action| action.name().starts_with("Describe"));
                reads.for_each(|action| self.world.deny(wrong.account, VA, *action));
            }
        }
    }

    fn end(&mut self, wrong: &Wrong) {
        self.dice.throttled = None;
        self.spoilt = None;
        self.allow_all();
        self.mend_accounts();
        if let Some(object) = &wrong.object {
            self.touch(&object.key);
        }
    }

    fn lose(&mut self, key: &ObjectKey) {
        let object = self.api.truth.object(key);
        let (Life::Established(id), side) = (object.memory.life, object.sides.get(Side::Requester)) else {
            return;
        };
        let (account, region) = (PROD, side.region);
        let _ = self.world.delete_peering_as(account, region.as_str(), &pcx(id));
        let world = &self.world;
        self.judge.enter(world);
    }

    fn until_settled(&mut self, key: &ObjectKey, wrong: &Wrong) -> Result<(), String> {
        let end_ms = self.now_ms() + BOUND_MS;
        loop {
            self.run_to(self.now_ms() + LOOK_MS);
            self.verdict()?;
            let Some(object) = self.api.truth.objects.get(key) else { return Ok(()) };
            match self.settled_one(key, object) {
                Ok(()) => return Ok(()),
                Err(why) if self.now_ms() > end_ms => {
                    let trouble = wrong.trouble;
                    return Err(format!(
                        "invariant 9: {key} is not restored while there is {trouble:?} elsewhere: {why}"
                    ));
                }
                // What waits for people is no trouble's doing.
                Err(_) => self.decide_all(),
            }
        }
    }
}
