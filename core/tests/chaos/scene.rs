//! What is there when a seed begins: two accounts of ours in two Regions and one that is not ours, six VPCs, and the
//! peerings declared between them.

use std::collections::BTreeMap;

use ec2sim::{Seeded, World};
use peerkeeper_core::desired::{AccountRef, DependentRoutes, Limits, LossAction, Reaction, StaleRules};
use peerkeeper_core::ids::Sides;
use peerkeeper_core::time::Wall;

use crate::common::cluster::{Account, Cluster, Object};
use crate::common::operator::Sim;
use crate::common::rig::{self, EU, PROD, Place, SHARED, VA};

/// An account that we hold no credentials for.
pub const FOREIGN: &str = "999988887777";
/// Short enough that a run outlasts it.
pub const WINDOW_S: i64 = 900;
pub const MAX_RESTORES: u32 = 6;
pub const MAX_REMOVALS: u32 = 6;
pub const MAX_OF_OPERATOR: u32 = 7;
pub const MAX_OF_ACCOUNT: u32 = 4;

pub struct Scene {
    pub places: Vec<Place>,
    /// What is declared first, and may be declared again.
    pub templates: Vec<Template>,
    /// Policies as they were, for putting them back.
    pub policies: BTreeMap<std::sync::Arc<str>, peerkeeper_core::desired::Policy>,
    pub accounts: BTreeMap<std::sync::Arc<str>, Account>,
}

pub struct Template {
    pub object: Object,
    /// Which places.
    pub from: usize,
    pub to: usize,
}

impl Scene {
    pub fn set(world: &mut World, luck: &mut Seeded) -> (Self, Cluster) {
        let (mut sim, a, b) = rig::bare();
        let c = rig::place(&mut sim, SHARED, EU, "10.3.0.0/16");
        let d = rig::place(&mut sim, PROD, VA, "10.4.0.0/16");
        let e = rig::place(&mut sim, PROD, EU, "10.5.0.0/16");
        let f = rig::place(&mut sim, FOREIGN, EU, "10.6.0.0/16");
        sim.world.scramble_ids();
        make_policies(&mut sim, luck);
        sim.cluster.max_restores = MAX_OF_OPERATOR;
        sim.cluster.max_removals = MAX_OF_OPERATOR;
        let prod = sim.cluster.accounts.get_mut("prod").unwrap();
        prod.allowed_peers.insert(FOREIGN.parse().unwrap());
        // One account's owner may allow less than anybody's policy does.
        if luck.below(2) == 0 {
            let shared = sim.cluster.accounts.get_mut("shared").unwrap();
            shared.limits = Some(account_limits());
        }
        let places = vec![a, b, c, d, e, f];
        let mut plan = vec![("cross", 0, 1), ("accounts", 0, 2), ("regions", 4, 3), ("near", 0, 4)];
        if luck.below(2) == 0 {
            plan.push(("foreign", 4, 5));
        }
        let mut templates = Vec::new();
        for (name, from, to) in plan {
            let policy = ["restore", "restore", "restore", "remove", "flag"][pick(luck, 5)];
            let mut sides = Sides::new(side(&places[from]), side(&places[to]));
            if places[to].account == FOREIGN {
                sides.accepter.account = AccountRef::Foreign(FOREIGN.parse().unwrap());
                sides.accepter.routes.clear();
            } else if luck.below(2) == 0 {
                sides.requester.allow_dns = Some(true);
                sides.accepter.allow_dns = Some(luck.below(2) == 0);
            }
            let key = rig::declare(&mut sim, name, sides, Some(policy));
            templates.push(Template { object: sim.cluster.object(&key).clone(), from, to });
        }
        let (policies, accounts) = (sim.cluster.policies.clone(), sim.cluster.accounts.clone());
        *world = sim.world;
        (Self { places, templates, policies, accounts }, sim.cluster)
    }

    /// A new object, as somebody applies it.
    pub fn object(&self, index: usize, name: &str, cluster: &mut Cluster, created: Wall) -> Object {
        cluster.versions += 1;
        cluster.uids += 1;
        Object {
            key: rig::key(name),
            uid: format!("uid-{}", cluster.uids).into(),
            version: cluster.versions,
            created,
            ..self.templates[index].object.clone()
        }
    }
}

/// Tighter than any policy's.
fn account_limits() -> Limits {
    Limits {
        window_s: WINDOW_S,
        max_restores: MAX_OF_ACCOUNT,
        max_removals: MAX_OF_ACCOUNT,
        max_restores_per_peering: 3,
    }
}

pub fn pick(dice: &mut Seeded, bound: usize) -> usize {
    usize::try_from(dice.below(bound as u64)).unwrap()
}

fn side(place: &Place) -> peerkeeper_core::desired::SideSpec {
    rig::side(place)
}

fn make_policies(sim: &mut Sim, luck: &mut Seeded) {
    let limits = Limits {
        window_s: WINDOW_S,
        max_restores: MAX_RESTORES,
        max_removals: MAX_REMOVALS,
        max_restores_per_peering: 3,
    };
    for policy in sim.cluster.policies.values_mut() {
        policy.limits = limits;
        if luck.below(4) == 0 {
            policy.grace_s = i64::try_from(luck.below(90)).unwrap();
        }
        if luck.below(3) == 0 {
            policy.dependent_routes = DependentRoutes::All;
        }
        if luck.below(4) == 0 {
            policy.on_drift = Reaction::Flag;
        }
        if luck.below(4) == 0 {
            policy.on_repointed_route = Reaction::Restore;
        }
        if policy.action == LossAction::RemoveRoutes {
            policy.stale_rules = StaleRules::Revoke;
        }
    }
}
