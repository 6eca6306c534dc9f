//! One look at the world, and what follows: the writes that would be sent now, what must be read before, what is said.
//! A bug report becomes one more of these.

use std::fmt::Write as _;

use ec2sim::{Calm, Delay, PeeringStatus, Request, Script};
use peerkeeper_core::desired::{Adoption, Destinations, Reaction};
use peerkeeper_core::ids::{HOLD_TAG_KEY, OwnerTag, Sides};
use peerkeeper_core::plan::Verdict;

use crate::common::rig::*;

fn show(verdict: &Verdict) -> String {
    let mut text = String::new();
    for call in &verdict.wave {
        writeln!(text, "-> {call}").unwrap();
    }
    if verdict.wave.is_empty() {
        text.push_str("-> nothing\n");
    }
    if let Some(room) = verdict.reserve {
        writeln!(text, "   as one {}", room.act.as_str()).unwrap();
    }
    writeln!(text, "life: {:?}", verdict.memory.life).unwrap();
    writeln!(text, "finalizer: {:?}", verdict.finalizer).unwrap();
    text.push_str(&verdict.report.to_string());
    text
}

fn plan(rig: &mut Rig) -> String {
    let key = rig.key.clone();
    show(&rig.sim.plan_now(&key))
}

macro_rules! golden {
    ($name:ident, $make:expr) => {
        #[test]
        fn $name() {
            let mut rig: Rig = $make;
            insta::assert_snapshot!(plan(&mut rig));
        }
    };
}

/// Lost, flagged, and its moment to be acted upon has come.
fn lost(policy: &str) -> Rig {
    let mut rig = ready_with(policy, |_| {});
    rig.sim.run_s(10);
    rig.lose();
    let key = rig.key.clone();
    rig.sim.run_until("flagged", 120, |sim| sim.memory(&key).episode.is_some());
    rig.sim.world.advance(rig.sim.world.now_ms() + 3_000);
    rig
}

fn remade() -> Rig {
    let mut rig = ready_with("restore", |sides| sides.requester.allow_dns = Some(true));
    rig.lose();
    // Somebody was faster: it is there and active, and every route is still on the old one.
    let (a, b) = (rig.a.vpc.clone(), rig.b.vpc.clone());
    rig.sim.world.peer(&a, &b).unwrap();
    rig
}

golden!(nothing_there_yet, rig());

golden!(a_live_one_that_nobody_owns, {
    let rig = rig();
    let mut rig = rig;
    rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig
});

golden!(a_live_one_from_the_other_direction, {
    let mut rig = rig_with("restore", |sides| {
        sides.requester.allow_dns = Some(true);
        sides.accepter.allow_dns = Some(false);
    });
    rig.sim.world.peer(&rig.b.vpc, &rig.a.vpc).unwrap();
    rig
});

golden!(a_live_one_of_another_owner, {
    let mut rig = rig();
    let id = rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.sim.world.tag(&rig.a.owner(), id.as_str(), &[(OwnerTag::KEY, "cluster-9/net/x")]).unwrap();
    rig
});

golden!(a_live_one_and_adoption_never, {
    let mut rig = rig();
    rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.edit(|object| object.adoption = Adoption::Never);
    rig
});

golden!(a_pending_one_that_nobody_owns, {
    let mut rig = rig();
    rig.sim.world.request_peering(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig
});

golden!(waiting_for_a_human_to_accept, {
    let mut rig = foreign_rig();
    rig.sim.run_s(60);
    rig
});

golden!(asked_for_and_provisioning, {
    let mut rig = rig();
    rig.sim.chance = Box::new(Script::new().always_delay_ms(Delay::Provisioning, 60_000));
    rig.sim.run_s(20);
    rig
});

golden!(a_request_that_was_rejected, {
    let mut rig = foreign_rig();
    rig.sim.run_s(60);
    let id = pcx(rig.id());
    rig.sim.world.reject_peering_as(SHARED, VA, &id).unwrap();
    rig
});

golden!(active_and_nothing_else_done, {
    let mut rig = rig_with("restore", |sides| sides.accepter.allow_dns = Some(true));
    let (a, b) = (rig.a.vpc.clone(), rig.b.vpc.clone());
    let id = rig.sim.world.request_peering(&a, &b).unwrap();
    rig.sim.world.tag(&rig.a.owner(), id.as_str(), &[(OwnerTag::KEY, "cluster-1/net/peering")]).unwrap();
    rig.sim.world.accept_peering_as(SHARED, VA, &id).unwrap();
    rig
});

golden!(in_sync, ready());

golden!(just_lost, {
    let mut rig = ready();
    rig.sim.run_s(10);
    rig.lose();
    rig
});

golden!(lost_and_to_be_restored, lost("restore"));
golden!(lost_and_only_flagged, lost("flag"));
golden!(lost_and_its_routes_to_be_removed, lost("remove"));

golden!(lost_within_the_grace_period, {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.grace_s = 600);
    rig.lose();
    rig.sim.run_s(120);
    rig
});

golden!(lost_beyond_the_limit, {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.limits.max_restores = 0);
    rig.lose();
    rig.sim.run_s(120);
    rig
});

golden!(lost_under_a_policy_that_is_missing, {
    let mut rig = lost("flag");
    rig.edit(|object| object.policy = Some("nowhere".into()));
    rig
});

golden!(lost_again_and_again, {
    let mut rig = ready();
    for _ in 0..3 {
        rig.lose();
        rig.sim.run_s(120);
        rig.until_ready();
    }
    rig.lose();
    rig.sim.run_s(120);
    rig
});

golden!(lost_and_made_anew_by_somebody, remade());

golden!(lost_and_a_route_taken_meanwhile, {
    let mut rig = remade();
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "tgw-0123456789abcdef0").unwrap();
    rig
});

golden!(lost_while_suspended, {
    let mut rig = lost("restore");
    rig.edit(|object| object.suspend = true);
    rig
});

golden!(lost_under_a_hold_tag, {
    let mut rig = lost("restore");
    let vpc = rig.b.vpc.to_string();
    rig.sim.world.tag(&rig.b.owner(), &vpc, &[(HOLD_TAG_KEY, "audit")]).unwrap();
    rig
});

golden!(released, {
    let mut rig = lost("remove");
    rig.sim.run_s(120);
    rig
});

golden!(released_and_the_spec_changed, {
    let mut rig = lost("remove");
    rig.sim.run_s(120);
    rig.edit(|object| object.tags.clear());
    rig
});

golden!(a_route_deleted, {
    let mut rig = ready();
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig
});

golden!(a_route_deleted_and_drift_only_flagged, {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_drift = Reaction::Flag);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig
});

golden!(a_route_repointed, {
    let mut rig = ready();
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "tgw-0123456789abcdef0").unwrap();
    rig
});

golden!(a_route_repointed_and_to_be_taken_back, {
    let mut rig = ready();
    set_policy(&mut rig.sim, "restore", |policy| policy.on_repointed_route = Reaction::Restore);
    rig.sim.world.repoint_route(&rig.a.table, "10.2.0.0/16", "tgw-0123456789abcdef0").unwrap();
    rig
});

golden!(a_dns_option_changed, {
    let mut rig = ready_with("restore", |sides| sides.accepter.allow_dns = Some(true));
    let off = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: rig.id().to_string(),
        requester: None,
        accepter: Some(false),
    };
    rig.sim.world.call(&rig.b.owner(), off, &mut Calm).unwrap();
    rig
});

golden!(a_destination_that_is_none_of_the_peers, {
    let mut rig = ready();
    rig.edit(|object| {
        let cidrs = ["10.2.0.0/16", "172.16.0.0/12"].map(|text| text.parse().unwrap());
        object.sides.requester.routes[0].destinations = Destinations::Cidrs(cidrs.into());
    });
    rig
});

golden!(overlapping_vpcs, {
    let (mut sim, a, _) = bare();
    let c = place(&mut sim, SHARED, VA, "10.1.128.0/17");
    let key = declare(&mut sim, "peering", Sides::new(side(&a), side(&c)), Some("restore"));
    Rig { sim, a, b: c, key }
});

golden!(no_grant, {
    let mut rig = rig();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = false;
    rig
});

golden!(a_grant_withdrawn, {
    let mut rig = ready();
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = false;
    rig
});

golden!(no_such_account, {
    let mut rig = rig();
    rig.sim.cluster.accounts.remove("shared");
    rig
});

golden!(another_object_holds_the_pair, {
    let mut rig = ready();
    let sides = rig.sim.cluster.object(&rig.key).sides.clone();
    rig.key = declare(&mut rig.sim, "second", sides, Some("restore"));
    rig
});

golden!(deleted_with_routes_in_place, {
    let mut rig = ready();
    rig.sim.run_s(60);
    rig.delete();
    rig
});

golden!(deleted_with_the_routes_gone, {
    let mut rig = ready();
    rig.sim.run_s(60);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    rig.delete();
    rig
});

golden!(deleted_with_everything_gone, {
    let mut rig = ready();
    rig.sim.run_s(60);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    rig.lose();
    rig.delete();
    rig
});

golden!(deleted_and_adopted_once, {
    let mut rig = rig();
    rig.sim.world.peer(&rig.a.vpc, &rig.b.vpc).unwrap();
    rig.until_ready();
    rig.sim.run_s(60);
    rig.sim.world.delete_route(&rig.a.table, "10.2.0.0/16").unwrap();
    rig.sim.world.delete_route(&rig.b.table, "10.1.0.0/16").unwrap();
    rig.delete();
    rig
});

golden!(deleted_with_an_heir_waiting, {
    let mut rig = ready();
    let sides = rig.sim.cluster.object(&rig.key).sides.clone();
    declare(&mut rig.sim, "second", sides, Some("restore"));
    rig.delete();
    rig
});

golden!(deleted_in_an_account_that_cannot_be_used, {
    let mut rig = ready();
    rig.sim.run_s(60);
    rig.sim.cluster.accounts.get_mut("shared").unwrap().granted = false;
    rig.delete();
    rig
});

#[test]
fn deleting_is_neither_live_nor_lost() {
    let mut rig = ready();
    let id = pcx(rig.id());
    assert!(rig.sim.world.force_peering(&id, PeeringStatus::Deleting));
    insta::assert_snapshot!(plan(&mut rig));
}
