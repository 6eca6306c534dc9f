//! Who deletes, and who writes to the queue: officers whom policies may authorize, people who look like them, and
//! strangers whose messages tell of what nobody did.

use std::collections::BTreeMap;
use std::sync::Arc;

use ec2sim::{Action, Caller, Calm, NewMessage, Request, Seeded, TrailRecord, UserIdentity, World};
use peerkeeper_core::desired::{LossAction, Policy, UnknownActor};
use peerkeeper_core::ids::{AccountId, PeeringId};
use peerkeeper_core::principal::{Principal, Who};
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Call, Heard, TrailEvent};

use crate::acts::Pick;
use crate::common::aws::text;
use crate::common::rig::{EU, PROD, Place, SHARED, VA};
use crate::events::{PLACES, queue};
use crate::knobs::Knob;
use crate::scene::{FOREIGN, pick};
use crate::script::What;
use crate::stage::Stage;
use crate::trail;

/// What is told of calls, as values: a message's text only names it.
#[derive(Default)]
pub struct People {
    /// What strangers wrote, by number.
    forged: Vec<TrailEvent>,
    /// What was really recorded.
    records: BTreeMap<String, Arc<TrailRecord>>,
}

impl People {
    /// Whether nobody but a stranger ever told this.
    pub fn is_forged(&self, id: &str) -> bool {
        self.forged.iter().any(|event| *event.id == *id)
    }

    /// Whether a stranger ever told of this peering's end.
    pub fn tells_of(&self, id: PeeringId) -> bool {
        self.forged.iter().any(|event| event.call.ends(id))
    }

    /// The record of that id, if any was made.
    pub fn record(&mut self, world: &World, id: &str) -> Option<Arc<TrailRecord>> {
        if !self.records.contains_key(id) {
            for (account, region) in PLACES {
                let known = self.records.len();
                let history = world.history(&Caller::new(account, region));
                for record in history.into_iter().rev() {
                    if self.records.insert(record.event_id(), record).is_some() {
                        break;
                    }
                }
                if self.records.len() == known {
                    continue;
                }
            }
        }
        self.records.get(id).cloned()
    }

    /// What a message says.
    pub fn read(&mut self, world: &World, body: &str) -> Option<TrailEvent> {
        if let Some(number) = body.strip_prefix("forged ") {
            return self.forged.get(number.parse::<usize>().ok()?).cloned();
        }
        let id = body.split("\"eventID\":\"").nth(1)?.split('"').next()?;
        trail::event(&*self.record(world, id)?, Heard::Queue)
    }
}

/// An officer, as some policies name one: a role below a path, whatever its session is called.
pub fn officer(account: &str, region: &str, session: &str) -> Caller {
    Caller::new(account, region).known_as(UserIdentity::role_at("/network/", "admin-eu", session))
}

/// Another: a user, with a second factor.
fn keyholder(account: &str, region: &str) -> Caller {
    Caller::new(account, region).known_as(UserIdentity::user("break-glass").with_mfa())
}

/// Those who would like to pass for one.
fn alike(account: &str, region: &str, way: usize) -> Caller {
    let identity = match way {
        0 => UserIdentity::role_at("/", "admin-eu", "admin-eu"),
        1 => UserIdentity::role_at("/network/eu/", "admin-eu", "ops"),
        2 => UserIdentity::role("reader", "admin-eu"),
        3 => UserIdentity::user("break-glass"),
        4 => UserIdentity::user("admin-eu").with_mfa(),
        _ => UserIdentity::root().with_mfa(),
    };
    Caller::new(account, region).known_as(identity)
}

/// Who may be named in a policy: of which accounts, by which names.
fn principals(luck: &mut Seeded) -> Vec<Principal> {
    let accounts: Vec<AccountId> = [PROD, SHARED, FOREIGN].map(|id| id.parse().unwrap()).into();
    let named = |who: Who, require_mfa: bool| Principal {
        accounts: accounts.iter().copied().collect(),
        who,
        require_mfa,
        source_identity: None,
    };
    let role = named(Who::Role { path: "/network/".into(), name: "admin-*".into() }, false);
    let user = named(Who::User { name: "break-glass".into() }, true);
    match pick(luck, 3) {
        0 => vec![role],
        1 => vec![role, user],
        _ => Vec::new(),
    }
}

/// Some policies name officers, and say what follows.
pub fn authorize(policies: &mut BTreeMap<Arc<str>, Policy>, luck: &mut Seeded) {
    for policy in policies.values_mut() {
        authorize_one(policy, luck);
    }
}

fn authorize_one(policy: &mut Policy, luck: &mut Seeded) {
    policy.authorized = principals(luck).into();
    let acts = [LossAction::RemoveRoutes, LossAction::RemoveRoutes, LossAction::Flag, LossAction::Restore];
    policy.on_authorized = acts[pick(luck, 4)];
    policy.attribution_timeout_s = 30 + i64::try_from(luck.below(270)).unwrap();
    policy.on_unknown_actor = [UnknownActor::TreatAsUnexpected, UnknownActor::Hold][pick(luck, 2)];
}

/// Whether a policy's list names this caller, by these people's own names: not by the engine's matching.
pub fn names(policy: &Policy, caller: &Caller) -> bool {
    let role = *caller == officer(caller.account.as_str(), caller.region.as_str(), "ops");
    let user = *caller == keyholder(caller.account.as_str(), caller.region.as_str());
    policy.authorized.iter().any(|principal| match &principal.who {
        Who::Role { .. } => role,
        Who::User { .. } => user,
    })
}

/// Whether any policy may ever name this caller.
pub fn is_officer(caller: &Caller) -> bool {
    let (account, region) = (caller.account.as_str(), caller.region.as_str());
    *caller == officer(account, region, "ops") || *caller == keyholder(account, region)
}

fn delete(id: &ec2sim::PeeringId) -> Request {
    Request::DeleteVpcPeeringConnection { peering_id: id.to_string() }
}

impl Stage {
    /// People at work on events. True if it did something that neither AWS's log nor a version tells.
    pub fn of_events(
        &mut self,
        what: What,
        index: usize,
        by: &Place,
        other: &Place,
        pick: &mut Pick,
    ) -> bool {
        let live = self.live_of(index);
        match what {
            What::DeleteAsAuthorized => {
                let who = match pick.of(3) {
                    0 => keyholder(by.account, by.region),
                    _ => officer(by.account, by.region, "ops"),
                };
                for id in live {
                    let _ = self.world.call(&who, delete(&id), &mut Calm);
                    self.maybe_forge(&id);
                }
            }
            What::DeleteAlike => {
                let who = alike(by.account, by.region, pick.of(6));
                for id in live {
                    let _ = self.world.call(&who, delete(&id), &mut Calm);
                    self.maybe_forge(&id);
                }
            }
            What::RaceToDelete => {
                let mut both = [by.owner(), officer(other.account, other.region, "ops")];
                if pick.of(2) == 0 {
                    both.reverse();
                }
                for id in live {
                    for who in &both {
                        let _ = self.world.call(who, delete(&id), &mut self.dice);
                    }
                }
            }
            What::ForgeDeletion => {
                let who = officer(by.account, by.region, "ops");
                live.iter().for_each(|id| self.forge(text(id), &who, 0));
                return !live.is_empty() && self.knobs.events.queue();
            }
            What::ForgeElsewhere => {
                let places = [(FOREIGN, EU), (by.account, VA), (other.account, other.region)];
                let (account, region) = places[pick.of(3)];
                let who = officer(account, region, "ops");
                let ids: Vec<ec2sim::PeeringId> = self.world.peerings().map(|view| view.id).collect();
                let Some(id) = ids.get(pick.of(ids.len())) else { return false };
                self.forge(text(id), &who, 60);
                return self.knobs.events.queue();
            }
            What::DenyHistory => {
                self.world.deny(by.account, by.region, Action::LookupEvents);
                return true;
            }
            What::CloseQueue => {
                self.world.deny(PROD, EU, Action::ReceiveMessage);
                return self.knobs.events.queue();
            }
            What::StopTrail | What::StartTrail => {
                let name = World::EVENTS.to_owned();
                let request = match what {
                    What::StopTrail => Request::StopLogging { name },
                    _ => Request::StartLogging { name },
                };
                let _ = self.world.as_human(by.account, by.region, request);
            }
            What::EditAuthorized => self.edit_authorized(pick),
            _ => return false,
        }
        false
    }

    fn edit_authorized(&mut self, pick: &mut Pick) {
        let way = pick.of(3);
        let mut luck = self.luck.clone();
        self.edit_rest(|cluster| {
            if let Some(policy) = cluster.policies.values_mut().nth(way) {
                authorize_one(policy, &mut luck);
            }
        });
        self.luck = luck;
    }

    /// A stranger hears of a deletion, and tells of it in an officer's name.
    pub fn maybe_forge(&mut self, id: &ec2sim::PeeringId) {
        if !self.knobs.events.queue() || !self.hits(Knob::Forged) {
            return;
        }
        let places = [(PROD, EU), (PROD, VA), (SHARED, EU), (SHARED, VA), (FOREIGN, EU)];
        // As often as not they know by which account it was deleted.
        let deleter = self.world.log().rev().find(|done| done.result.is_ok()).map(|done| done.caller.clone());
        let (account, region) = places[pick(&mut self.luck, places.len())];
        let who = match deleter.filter(|_| self.luck.below(2) == 0) {
            Some(of) => officer(of.account.as_str(), of.region.as_str(), "ops"),
            None => officer(account, region, "ops"),
        };
        let delay_s = self.luck.below(60);
        self.forge(text(id), &who, delay_s);
    }

    fn forge(&mut self, id: PeeringId, who: &Caller, delay_s: u64) {
        if !self.knobs.events.queue() {
            return;
        }
        let number = self.people.forged.len();
        let old_s = [0, 0, 0, 7_200][pick(&mut self.luck, 4)];
        self.people.forged.push(TrailEvent {
            id: format!("forged-{number}").into(),
            at: Wall(self.world.wall_ms() / 1000 - old_s),
            place: trail::place(who),
            call: Call::DeletePeering(id),
            actor: trail::actor(who),
            heard: Heard::Queue,
            request_id: format!("forged-{number}").into(),
            record: "".into(),
        });
        let message = NewMessage {
            delay_s: Some(u32::try_from(delay_s).unwrap()),
            ..NewMessage::new(format!("forged {number}"))
        };
        let stranger = Caller::new(PROD, EU).named("stranger");
        let _ = self.world.call(&stranger, Request::SendMessage { queue: queue(), message }, &mut Calm);
        self.say(|| format!("a stranger tells that {:?} deleted {id}", who.arn()));
    }
}
