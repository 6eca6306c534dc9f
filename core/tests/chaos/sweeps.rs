//! Sweeps, driven: what is read, whom it wakes, and which losses it shows.

use std::sync::Arc;

use peerkeeper_core::ids::{AccountRegion, ObjectKey, Side};
use peerkeeper_core::memory::{Act, Life};
use peerkeeper_core::observed::{PeeringState, Scope, SideView, Unseen};
use peerkeeper_core::pace::bucket::Operation;
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::time::Mono;

use crate::common::cluster::Object;
use crate::replica::{blind, differs, forget, rebased, rotate};
use crate::sabotage;
use crate::stage::{Due, Stage};

impl Stage {
    pub fn begin_sweep(&mut self, replica: usize, place: AccountRegion) {
        let mut at_ms = self.now_ms();
        for operation in [
            Operation::DescribeVpcPeeringConnections,
            Operation::DescribeRouteTables,
            Operation::DescribeVpcs,
        ] {
            at_ms = at_ms.max(self.token_ms(replica, place, operation));
        }
        let began = self.replicas[replica].clock.now(at_ms).mono;
        let life = self.replicas[replica].life;
        let transit_ms = self.transit_ms();
        self.at(at_ms + transit_ms, Due::Sweep { replica, life, place, began });
    }

    /// When a read may leave.
    fn token_ms(&mut self, replica: usize, place: AccountRegion, operation: Operation) -> u64 {
        let mut now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        while let Err(ready) = this.buckets.take(now, &place, operation) {
            now = ready.max(now.plus_ms(1));
        }
        this.clock.world_ms(now)
    }

    pub fn sweep(&mut self, replica: usize, place: AccountRegion, began: Mono) {
        let this = &self.replicas[replica];
        let first = !this.has_been_tried(place);
        let mut view = this.snapshots.get(&place).cloned().unwrap_or_default();
        let mut denied = None;
        let complete = match self.identity(replica, place) {
            Err(unseen) => {
                if let Unseen::Denied { code, .. } = &unseen {
                    denied = Some(code.clone());
                }
                match &unseen {
                    Unseen::WrongAccount { .. } => blind(&mut view, &unseen),
                    _ => forget(&mut view, &unseen),
                }
                false
            }
            Ok(caller) => {
                view.caller = Some(caller);
                let quota = self.world.quotas(place.account.to_string().as_str(), place.region.as_str());
                view.routes_per_table = u32::try_from(quota.routes_per_table).ok();
                self.read_everything(replica, place, began, &mut view)
            }
        };
        sabotage::spoil_sweep(self, &mut view);
        let (now, jitter) = (self.now(replica).mono, self.luck.below(1 << 32));
        let this = &mut self.replicas[replica];
        this.timer.finished(now, &place, complete, jitter);
        this.snapshots.insert(place, view);
        let news = self.note_usable(replica, place, complete, denied);
        self.wake_concerned(replica, place, complete, first || news);
    }

    fn read_everything(
        &mut self,
        replica: usize,
        place: AccountRegion,
        began: Mono,
        view: &mut SideView,
    ) -> bool {
        let peerings = self.line().peerings(place, None).map(|read| rebased(&read, Scope::All, began));
        let tables = self.line().tables(place, None).map(|read| rebased(&read, Scope::All, began));
        let vpcs = self.line().vpcs(place, None).map(|read| rebased(&read, Scope::All, began));
        self.note_throttled(replica, place, Operation::DescribeVpcPeeringConnections, &peerings, began);
        self.note_throttled(replica, place, Operation::DescribeRouteTables, &tables, began);
        self.note_throttled(replica, place, Operation::DescribeVpcs, &vpcs, began);
        let complete = [
            rotate(&mut view.peerings, peerings),
            rotate(&mut view.tables, tables),
            rotate(&mut view.vpcs, vpcs),
        ];
        complete.into_iter().all(|complete| complete)
    }

    fn note_throttled<T>(
        &mut self,
        replica: usize,
        place: AccountRegion,
        operation: Operation,
        read: &Result<T, Unseen>,
        taken: Mono,
    ) {
        if matches!(read, Err(Unseen::Throttled)) {
            let now = self.now(replica).mono;
            self.replicas[replica].buckets.refused(now, &place, operation, taken);
        }
    }

    /// What an account's credentials were last found to be good for. True if that is news.
    fn note_usable(
        &mut self,
        replica: usize,
        place: AccountRegion,
        complete: bool,
        denied: Option<Arc<str>>,
    ) -> bool {
        if !complete && denied.is_none() {
            return false;
        }
        let now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        let name = this.rest.accounts.values().find(|a| a.id == place.account).map(|a| a.name.clone());
        let Some(name) = name else { return false };
        let news = match denied {
            Some(why) => this.unusable.insert(name, why).is_none(),
            None => this.unusable.remove(&name).is_some(),
        };
        if news {
            this.enqueue_all(now, Urgency::Resync);
        }
        news
    }

    fn wake_concerned(&mut self, replica: usize, place: AccountRegion, complete: bool, all: bool) {
        let now = self.now(replica).mono;
        let stale_ms = self.timing.stale_ms;
        let this = &mut self.replicas[replica];
        let was_stale = complete && this.stale_places.remove(&place);
        let age_ms = this.timer.health(now, &place).map_or(0, |health| health.age_ms);
        let grew_stale = !complete && age_ms > stale_ms && this.stale_places.insert(place);
        let everything = all || was_stale || grew_stale;
        let view = this.snapshots.get(&place).cloned().unwrap_or_default();
        let concerned: Vec<ObjectKey> = this
            .objects_at(place)
            .into_iter()
            .filter(|key| {
                let known = &this.known[key];
                everything
                    || !known.quiet
                    || has_changed(&known.object, &view, |s| this.place(&known.object, s) == Some(place))
            })
            .collect();
        if complete {
            self.expect_losses(replica, &concerned, &view);
        }
        for key in concerned {
            self.replicas[replica].enqueue_plainly(&key, now, Urgency::Resync);
        }
    }

    /// Losses that this sweep shows are demand before any of them is acted upon.
    fn expect_losses(&mut self, replica: usize, concerned: &[ObjectKey], view: &SideView) {
        use peerkeeper_core::desired::LossAction;
        let Some(sweep) = &view.peerings.sweep else { return };
        let this = &mut self.replicas[replica];
        let cluster = this.cluster();
        for key in concerned {
            let object = &this.known[key].object;
            let Life::Established(id) = object.memory.life else { continue };
            let ended = sweep
                .get(id)
                .is_none_or(|p| matches!(p.state, PeeringState::Ended(_) | PeeringState::Deleting));
            if object.deleting || !ended || object.memory.episode.is_some() {
                continue;
            }
            match cluster.policy_of(object).action {
                LossAction::Restore => this.limits.expect(key, Act::Restore),
                LossAction::RemoveRoutes => this.limits.expect(key, Act::RemoveRoutes),
                LossAction::Flag => {}
            }
        }
    }
}

fn has_changed(object: &Object, view: &SideView, here: impl Fn(Side) -> bool) -> bool {
    differs(&view.peerings, object.pair())
        || Side::BOTH.into_iter().filter(|side| here(*side)).any(|side| {
            let vpc = object.sides.get(side).vpc;
            differs(&view.vpcs, vpc) || differs(&view.tables, vpc)
        })
}
