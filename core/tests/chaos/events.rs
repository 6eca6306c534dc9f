//! The event lane of a process: it listens to the queue while it leads, wakes whom an event concerns, keeps what it heard
//! for plans, and asks CloudTrail's history who ended a lost peering. What says whom a call concerns, what is kept of it
//! and whether the lane is well is core's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ec2sim::{Action, Caller, EventPattern, Failure, Lookup, LookupKey, QueueId, Receive, Request, World};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, PeeringId, Side, Sides};
use peerkeeper_core::lane::{Echo, Lanes, Patience};
use peerkeeper_core::memory::{Life, Memory};
use peerkeeper_core::observed::{Needs, Unseen};
use peerkeeper_core::pace::queue::Urgency;
use peerkeeper_core::time::Mono;
use peerkeeper_core::trail::{Call, Heard, TrailEvent};
use peerkeeper_core::witness::{Asked, Concern, Index, Witness, Witnesses};

use crate::common::aws::caller;
use crate::common::cluster::Object;
use crate::common::rig::{EU, PROD, SHARED, VA};
use crate::replica::Replica;
use crate::stage::{Due, Stage};
use crate::trail;

/// Where the operator listens, which all accounts and Regions of ours send to.
pub fn queue() -> QueueId {
    QueueId::new(PROD, EU, "peerkeeper-events")
}

fn ear() -> Caller {
    Caller::new(PROD, EU).named("peerkeeper-ear")
}

pub const PLACES: [(&str, &str); 4] = [(PROD, EU), (PROD, VA), (SHARED, EU), (SHARED, VA)];

/// The calls that the rule lets through.
const TOLD: [Action; 12] = [
    Action::DeleteVpcPeeringConnection,
    Action::RejectVpcPeeringConnection,
    Action::AcceptVpcPeeringConnection,
    Action::CreateVpcPeeringConnection,
    Action::ModifyVpcPeeringConnectionOptions,
    Action::DeleteRoute,
    Action::ReplaceRoute,
    Action::CreateRoute,
    Action::DeleteVpc,
    Action::DeleteRouteTable,
    Action::StopLogging,
    Action::DisableRule,
];

/// Before each time that the history is asked about a loss.
const ASK_AFTER_MS: [u64; 8] = [0, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000];
/// Before each further look when a loss was told and AWS does not show it yet.
const LOOK_AFTER_MS: [u64; 6] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
const BETWEEN_HINTS_MS: u64 = 1_000;
/// Between two calls to one history.
const BETWEEN_LOOKUPS_MS: u64 = 1_000;
/// As long as a call that ends a peering may lie back.
const LOOK_BACK_MS: i64 = 24 * 3_600_000;

/// Makes the queue and has every account and Region of ours send to it.
pub fn set_up(world: &mut World) {
    let name = queue().name.to_string();
    let made = Request::CreateQueue { name, attributes: BTreeMap::new(), tags: ec2sim::Tags::new() };
    world.call(&ear(), made, &mut ec2sim::Calm).unwrap();
    let names = TOLD.map(|action| action.name());
    let pattern = EventPattern { sources: Vec::new(), event_sources: Vec::new(), ..EventPattern::ec2(names) };
    for (account, region) in PLACES {
        world.deliver_events(account, region, &pattern, &queue()).unwrap();
    }
}

/// What a process does with events, at a moment.
#[derive(Clone, Debug)]
pub enum Hearing {
    Listen,
    /// What it received arrives, each with its receipt; what concerns nobody says nothing.
    Heard(Vec<(Option<Arc<TrailEvent>>, String)>),
    Wake(ObjectKey),
    Look(ObjectKey, PeeringId),
    /// Ask the history about a loss, for the so-manieth time.
    Ask(ObjectKey, PeeringId, usize),
    Lookup(Asking),
}

/// One question under way, in one account and Region.
#[derive(Clone, Debug)]
pub struct Asking {
    key: ObjectKey,
    lost: PeeringId,
    at: AccountRegion,
    /// By the peering's id first, then by the names of the calls.
    way: usize,
    token: Option<String>,
    found: Vec<Arc<TrailEvent>>,
}

/// What a process has heard, and what it still wants to hear.
#[derive(Clone, Debug, Default)]
pub struct Ears {
    pub index: Index,
    pub witnesses: Witnesses,
    pub lanes: Lanes,
    asked: BTreeSet<(ObjectKey, PeeringId)>,
    looking: BTreeMap<ObjectKey, usize>,
    hinted: BTreeMap<ObjectKey, Mono>,
    told: BTreeMap<ObjectKey, Needs>,
    /// When the next call to a history may be made.
    free: BTreeMap<AccountRegion, Mono>,
}

impl Ears {
    pub fn forget(&mut self, key: &ObjectKey) {
        self.index.remove(key);
        self.asked.retain(|(of, _)| of != key);
        self.looking.remove(key);
        self.hinted.remove(key);
        self.told.remove(key);
    }

    pub fn take_told(&mut self, key: &ObjectKey) -> Needs {
        self.told.remove(key).unwrap_or_default()
    }
}

fn takes_away(call: &Call) -> bool {
    matches!(call, Call::DeletePeering(_) | Call::RejectPeering(_) | Call::DeleteRoute { .. })
}

/// Where the calls of each side are recorded.
fn places_of(this: &Replica, object: &Object) -> Sides<Result<AccountRegion, Arc<str>>> {
    Sides::from_fn(|side| this.place(object, side).ok_or_else(|| "no account of ours".into()))
}

impl Replica {
    pub fn witness_of(&self, object: &Object, memory: &Memory) -> Witness {
        let concern = Concern::of(object.pair(), memory);
        let lost = memory.case.as_ref().map(|case| case.of).or(memory.peering());
        self.ears.witnesses.view(&concern, lost, &places_of(self, object))
    }

    /// Who ended it is known, by the history's word.
    fn is_answered(&self, key: &ObjectKey, lost: PeeringId) -> bool {
        let Some(known) = self.known.get(key) else { return true };
        let mut concern = Concern::of(known.object.pair(), &known.object.memory);
        concern.peerings.insert(lost);
        let nowhere = Sides::from_fn(|_| Err("".into()));
        let shown = self.ears.witnesses.view(&concern, None, &nowhere);
        shown.events.iter().any(|event| event.heard == Heard::History && event.call.ends(lost))
    }
}

impl Stage {
    fn hear_later(&mut self, replica: usize, at_ms: u64, what: Hearing) {
        let life = self.replicas[replica].life;
        self.at(at_ms, Due::Ear { replica, life, what: Box::new(what) });
    }

    fn hear_at(&mut self, replica: usize, at: Mono, what: Hearing) {
        let at_ms = self.replicas[replica].clock.world_ms(at);
        self.hear_later(replica, at_ms, what);
    }

    /// A process that begins to lead begins to listen.
    pub fn begin_to_listen(&mut self, replica: usize) {
        if self.knobs.events.queue() {
            let name: Arc<str> = queue().to_string().into();
            self.replicas[replica].ears.lanes = Lanes::new(Patience::default(), [name]);
            self.hear_later(replica, self.now_ms() + 1, Hearing::Listen);
        }
    }

    pub fn ear(&mut self, replica: usize, what: Hearing) {
        match what {
            Hearing::Listen => self.listen(replica),
            Hearing::Heard(events) => self.take_all(replica, events),
            Hearing::Wake(key) => self.wake(replica, &key),
            Hearing::Look(key, id) => self.look_again(replica, &key, id),
            Hearing::Ask(key, lost, time) => self.ask_all(replica, &key, lost, time),
            Hearing::Lookup(asking) => self.look_up(replica, asking),
        }
    }

    fn wake(&mut self, replica: usize, key: &ObjectKey) {
        let now = self.now(replica).mono;
        self.replicas[replica].enqueue(key, now, Urgency::Hint);
    }

    // The queue.

    fn listen(&mut self, replica: usize) {
        if !self.may_lead(replica, 0) {
            return;
        }
        let now = self.now(replica).mono;
        let name = queue().to_string();
        let mut pause_ms = 500 + self.luck.below(1_000);
        let answer = if self.replicas[replica].no_aws_until > self.now_ms() {
            Err(Failure::NoReply)
        } else {
            self.world.call(&ear(), Request::ReceiveMessage(Receive::from(&queue())), &mut self.dice)
        };
        let lanes = &mut self.replicas[replica].ears.lanes;
        match answer.map(|answer| answer.messages()) {
            Ok(messages) => {
                lanes.received(now, &name);
                let mut events = Vec::new();
                for message in messages.unwrap_or_default() {
                    pause_ms = 50;
                    let event = self.people.read(&self.world, &message.body);
                    events.push((event.map(Arc::new), message.receipt_handle));
                }
                if !events.is_empty() {
                    let at_ms = self.now_ms() + self.transit_ms();
                    self.hear_later(replica, at_ms, Hearing::Heard(events));
                }
            }
            Err(failure) => lanes.failed(now, &name, failure.to_string().into()),
        }
        self.judge_lanes(replica, now);
        self.hear_later(replica, self.now_ms() + pause_ms, Hearing::Listen);
    }

    fn judge_lanes(&mut self, replica: usize, now: Mono) {
        let places = self.replicas[replica].places();
        let lanes = &mut self.replicas[replica].ears.lanes;
        lanes.tick(now);
        let degraded: Vec<_> = places.iter().filter_map(|at| lanes.degraded(now, *at)).collect();
        degraded.iter().for_each(|why| self.reach.hit("lane", why.reason()));
    }

    /// Delivered messages are deleted once they were handed over; a process that dies before hears them again.
    fn take_all(&mut self, replica: usize, events: Vec<(Option<Arc<TrailEvent>>, String)>) {
        for (event, receipt_handle) in events {
            if let Some(event) = event {
                self.take(replica, &event);
            }
            let delete = Request::DeleteMessage { queue: queue(), receipt_handle };
            let _ = self.world.call(&ear(), delete, &mut self.dice);
        }
    }

    fn take(&mut self, replica: usize, event: &Arc<TrailEvent>) {
        let now = self.now(replica).mono;
        self.mark(("event", &event.id));
        let name: Arc<str> = queue().to_string().into();
        let ears = &mut self.replicas[replica].ears;
        let echo = ears.lanes.heard(&name, event);
        let concerned = ears.index.concerned(&event.call);
        let is_new = if concerned.is_empty() || (echo == Echo::Own && !takes_away(&event.call)) {
            true
        } else {
            ears.witnesses.hear(now, event.clone())
        };
        self.note_heard(replica, event, echo, is_new, &concerned);
        if echo == Echo::Own {
            return;
        }
        for key in concerned {
            self.hint(replica, &key, event);
            if let Call::DeletePeering(id) | Call::RejectPeering(id) = event.call {
                self.look_until_shown(replica, &key, id);
            }
        }
    }

    fn note_heard(
        &mut self,
        replica: usize,
        event: &TrailEvent,
        echo: Echo,
        is_new: bool,
        concerned: &BTreeSet<ObjectKey>,
    ) {
        let of = |key: &ObjectKey| self.replicas[replica].known.get(key).map(|known| known.object.clone());
        let told_of = event.call.peerings().find(|id| event.call.ends(*id));
        let knows = concerned.iter().filter_map(of).any(|object| object.memory.case.is_some());
        let what = match (self.people.is_forged(&event.id), echo, told_of) {
            (true, ..) => "Forged",
            (false, Echo::Own, _) => "Echo",
            _ if concerned.is_empty() => "OfNobody",
            _ if !is_new => "Again",
            (_, _, Some(_)) if knows => "AfterTheState",
            (_, _, Some(_)) => "BeforeTheState",
            _ => "OfAnotherCall",
        };
        self.reach.hit("event", Named(what));
        self.say(|| {
            let (name, by) = (event.call.name(), event.actor.name());
            format!("process {replica} hears of {name} {:?} by {by}: {what}", event.call.peerings().next())
        });
    }

    /// A fresh look, at once or a second after the last one that an event asked for.
    fn hint(&mut self, replica: usize, key: &ObjectKey, event: &TrailEvent) {
        let now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        let Some(known) = this.known.get(key) else { return };
        let needs = told_by(this, &known.object.clone(), event);
        let ears = &mut this.ears;
        if !needs.is_empty() {
            ears.told.entry(key.clone()).or_default().merge(needs);
        }
        let at = match ears.hinted.get(key).copied() {
            Some(last) if last > now => return,
            Some(last) if now.since_ms(last) < BETWEEN_HINTS_MS => last.plus_ms(BETWEEN_HINTS_MS),
            _ => now,
        };
        ears.hinted.insert(key.clone(), at);
        self.hear_at(replica, at, Hearing::Wake(key.clone()));
    }

    fn look_until_shown(&mut self, replica: usize, key: &ObjectKey, id: PeeringId) {
        let is_new = self.replicas[replica].ears.looking.insert(key.clone(), 0).is_none();
        if is_new {
            let at = self.now(replica).mono.plus_ms(LOOK_AFTER_MS[0]);
            self.hear_at(replica, at, Hearing::Look(key.clone(), id));
        }
    }

    fn look_again(&mut self, replica: usize, key: &ObjectKey, id: PeeringId) {
        let now = self.now(replica).mono;
        let this = &mut self.replicas[replica];
        let lives = this.known.get(key).is_some_and(|known| {
            let memory = &known.object.memory;
            memory.episode.is_none()
                && matches!(memory.life, Life::Established(of) | Life::Requested { id: of, .. } if of == id)
        });
        let Some(looked) = this.ears.looking.get_mut(key) else { return };
        *looked += 1;
        let next = LOOK_AFTER_MS.get(*looked).filter(|_| lives).copied();
        if next.is_none() {
            this.ears.looking.remove(key);
        }
        if lives {
            self.wake(replica, key);
        }
        if let Some(pause_ms) = next {
            self.hear_at(replica, now.plus_ms(pause_ms), Hearing::Look(key.clone(), id));
        }
    }

    /// A write of ours was done: it must come back as an event.
    pub fn wrote_as(&mut self, replica: usize, at: AccountRegion, call: &'static str) {
        let now = self.now(replica);
        let id: Option<Arc<str>> = self.world.recorded_request_id().map(Into::into);
        self.replicas[replica].ears.lanes.wrote(now, at, call, id);
    }

    // The history.

    pub fn ask_history(&mut self, replica: usize, key: &ObjectKey, lost: PeeringId) {
        if !self.knobs.events.history() {
            return;
        }
        if self.replicas[replica].ears.asked.insert((key.clone(), lost)) {
            self.hear_later(replica, self.now_ms() + 1, Hearing::Ask(key.clone(), lost, 0));
        }
    }

    fn ask_all(&mut self, replica: usize, key: &ObjectKey, lost: PeeringId, time: usize) {
        let now = self.now(replica).mono;
        let this = &self.replicas[replica];
        let Some(known) = this.known.get(key) else { return };
        if this.is_answered(key, lost) {
            return;
        }
        let places: BTreeSet<AccountRegion> =
            Side::BOTH.into_iter().filter_map(|side| this.place(&known.object, side)).collect();
        for at in places {
            let asking = Asking { key: key.clone(), lost, at, way: 0, token: None, found: Vec::new() };
            self.hear_at(replica, now, Hearing::Lookup(asking));
        }
        if let Some(pause_ms) = ASK_AFTER_MS.get(time + 1) {
            self.hear_at(replica, now.plus_ms(*pause_ms), Hearing::Ask(key.clone(), lost, time + 1));
        }
    }

    fn look_up(&mut self, replica: usize, mut asking: Asking) {
        let now = self.now(replica).mono;
        let Asking { at, lost, .. } = asking;
        let free = &mut self.replicas[replica].ears.free;
        if let Some(next) = free.get(&at).copied().filter(|next| *next > now) {
            free.insert(at, next.plus_ms(BETWEEN_LOOKUPS_MS));
            return self.hear_at(replica, next, Hearing::Lookup(asking));
        }
        free.insert(at, now.plus_ms(BETWEEN_LOOKUPS_MS));
        match self.identity(replica, at) {
            Ok(_) => {}
            Err(Unseen::Failed { .. }) => return self.reach.hit("history", Named("Failed")),
            Err(unseen) => return self.answered(replica, &asking, Err(format!("{unseen:?}").into())),
        }
        let names = ["DeleteVpcPeeringConnection", "RejectVpcPeeringConnection"];
        let mut lookup = match asking.way {
            0 => Lookup::by(LookupKey::ResourceName, lost.to_string()),
            way => Lookup::by(LookupKey::EventName, names[way - 1]),
        };
        lookup.start_ms = (asking.way > 0).then(|| self.world.wall_ms() - LOOK_BACK_MS);
        lookup.next_token = asking.token.take();
        let answer = self.world.call(&caller(at), Request::LookupEvents(lookup), &mut self.dice);
        let page = match answer.map(|answer| answer.events()) {
            Ok(page) => page.unwrap_or_else(|| panic!("LookupEvents answered something else")),
            Err(failure) if failure.code() == Some("AccessDenied") || is_denied(&failure) => {
                return self.answered(replica, &asking, Err("denied".into()));
            }
            Err(_) => return self.reach.hit("history", Named("Failed")),
        };
        let read = page.items.iter().filter_map(|record| trail::event(record, Heard::History));
        asking.found.extend(read.map(Arc::new));
        asking.token = page.next_token;
        let is_found = asking.found.iter().any(|event| event.call.ends(lost));
        if asking.token.is_none() {
            asking.way += 1;
        }
        if asking.token.is_none() && (asking.way > names.len() || asking.way == 1 && is_found) {
            return self.answered(replica, &asking, Ok(()));
        }
        self.hear_at(replica, now.plus_ms(BETWEEN_LOOKUPS_MS), Hearing::Lookup(asking));
    }

    fn answered(&mut self, replica: usize, asking: &Asking, told: Result<(), Arc<str>>) {
        let now = self.now(replica);
        let Asking { key, lost, at, found, .. } = asking;
        let is_found = found.iter().any(|event| event.call.ends(*lost));
        let what = match (&told, is_found) {
            (Ok(()), true) => "Told",
            (Ok(()), false) => "KnowsNothing",
            (Err(_), _) => "Unavailable",
        };
        self.reach.hit("history", Named(what));
        self.mark(("history", what, lost));
        self.say(|| format!("process {replica} asks the history of {at} about {lost}: {what}"));
        let ears = &mut self.replicas[replica].ears;
        for event in found {
            if !ears.index.concerned(&event.call).is_empty() {
                ears.witnesses.hear(now.mono, event.clone());
            }
        }
        let asked = match told {
            Ok(()) => Asked::Answered(now.wall),
            Err(why) => Asked::Unavailable(why),
        };
        let news = ears.witnesses.asked(*lost, *at) != asked;
        ears.witnesses.note_asked(*lost, *at, asked);
        if news {
            self.wake(replica, key);
        }
    }
}

fn is_denied(failure: &Failure) -> bool {
    matches!(failure.code(), Some("AccessDeniedException" | "UnauthorizedOperation"))
}

/// What an event names besides the peering, on each side that it may be of.
fn told_by(this: &Replica, object: &Object, event: &TrailEvent) -> Needs {
    let mut needs = Needs::default();
    for side in Side::BOTH.into_iter().filter(|side| this.place(object, *side) == Some(event.place)) {
        if let Some(table) = event.call.table() {
            needs.tables.entry(side).or_default().insert(table);
        }
        if let Call::DeleteVpc(_) = event.call {
            needs.vpcs.insert(side);
        }
    }
    needs
}

/// A word that is shown as it is.
#[derive(Clone, Copy)]
pub struct Named(pub &'static str);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
