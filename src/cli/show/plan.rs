//! What a plan says, whatever form it is written in.

use std::collections::{BTreeMap, BTreeSet};

use peerkeeper_core::plan::{Report, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::write::{Write, WriteCall};
use serde::Serialize;

use crate::cli::offline::{ObjectPlan, Step, Traffic};

/// Everything that a plan says. The JSON output is this type.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// What it is, at the head of its summary: `Plan`, or `Applied`.
    #[serde(skip)]
    pub title: &'static str,
    pub summary: Summary,
    pub peerings: Vec<PeeringView>,
    /// Objects that are none of ours, by kind.
    pub skipped: BTreeMap<String, usize>,
    /// What may explain a hold that is no fault of AWS's.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub peerings: usize,
    pub in_sync: usize,
    /// Those in sync that nobody keeps yet: the tags of adoption would be set, and nothing else.
    pub to_adopt: usize,
    /// Those for which something would be done.
    pub to_change: usize,
    /// Those that would not be as declared after all actions either.
    pub held: usize,
    pub unknown: usize,
    pub actions: usize,
    /// Actions that cut traffic, and that move it elsewhere.
    pub cuts: usize,
    pub moves: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    InSync,
    /// Everything would be as declared.
    ToChange,
    /// Something would be done, and something would be left.
    Held,
    /// AWS could not be read well enough to say.
    Unknown,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeeringView {
    pub namespace: String,
    pub name: String,
    /// `file:line` of its manifest, or `the cluster`.
    pub manifest: String,
    pub requester: EndView,
    pub accepter: EndView,
    pub status: Status,
    /// The peering connection that is there now.
    pub peering_id: Option<String>,
    /// In AWS's words; `absent` where there is none, `unknown` where that could not be read.
    pub aws_state: String,
    pub actions: Vec<ActionView>,
    /// Its actions mark it as adopted, and change nothing.
    pub adopts: bool,
    /// What would not be as declared, and why.
    pub holds: Vec<HoldView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndView {
    pub vpc: String,
    pub account: String,
    pub region: String,
    pub routes_declared: u32,
    pub routes_in_sync: u32,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    /// Actions of one wave are sent at once; the next one waits until their effect was read back.
    pub wave: usize,
    /// AWS's name for it.
    pub call: &'static str,
    /// `requester` or `accepter`, by the manifest.
    pub side: String,
    pub account: String,
    pub region: String,
    /// In words.
    pub what: String,
    pub why: String,
    /// What it cuts or moves; absent: no traffic is touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moves: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldView {
    /// As in conditions and Events.
    pub reason: String,
    pub message: String,
}

/// A peering that is not made yet has no id: what stands for one is not shown to anybody.
#[derive(Clone, Debug, Default)]
pub struct Wording {
    made: Vec<String>,
}

impl Wording {
    pub fn new(plans: &[ObjectPlan]) -> Self {
        let creates = plans.iter().flat_map(|plan| &plan.steps);
        let count = creates.filter(|step| matches!(step.call.write, Write::Create { .. })).count();
        Self { made: (1..=count).map(|number| format!("pcx-{number:08x}")).collect() }
    }

    pub fn say(&self, text: &str) -> String {
        self.made.iter().fold(text.to_owned(), |text, id| {
            if text.contains(id.as_str()) { text.replace(id.as_str(), "the new peering") } else { text }
        })
    }

    fn is_made(&self, id: &str) -> bool {
        self.made.iter().any(|made| made == id)
    }
}

impl PlanView {
    pub fn new(plans: &[ObjectPlan], skipped: &BTreeMap<String, usize>, notes: Vec<String>) -> Self {
        let words = Wording::new(plans);
        let peerings: Vec<PeeringView> = plans.iter().map(|plan| PeeringView::new(plan, &words)).collect();
        Self { title: "Plan", summary: Summary::of(&peerings), peerings, skipped: skipped.clone(), notes }
    }

    #[must_use]
    pub fn named(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    /// Nothing differs from what is declared.
    pub fn is_in_sync(&self) -> bool {
        self.summary.in_sync == self.summary.peerings
    }
}

impl Summary {
    fn of(peerings: &[PeeringView]) -> Self {
        let with = |status: Status| peerings.iter().filter(|peering| peering.status == status).count();
        let changed = || peerings.iter().filter(|peering| !peering.actions.is_empty() && !peering.adopts);
        let actions = || changed().flat_map(|peering| &peering.actions);
        Self {
            peerings: peerings.len(),
            in_sync: with(Status::InSync),
            to_adopt: peerings.iter().filter(|peering| peering.adopts).count(),
            to_change: changed().count(),
            held: with(Status::Held),
            unknown: with(Status::Unknown),
            actions: actions().count(),
            cuts: actions().filter(|action| action.cuts.is_some()).count(),
            moves: actions().filter(|action| action.moves.is_some()).count(),
        }
    }
}

impl PeeringView {
    /// Everything is as declared.
    pub fn is_in_sync(&self) -> bool {
        self.status == Status::InSync
    }

    fn new(plan: &ObjectPlan, words: &Wording) -> Self {
        let ObjectPlan { key, place, sides, steps, now, then, ends } = plan;
        let holds = if *ends { Vec::new() } else { holds(then, words) };
        let is_unseen = |reason: Reason| {
            matches!(
                reason,
                Reason::AwsUnavailable | Reason::AccessDenied | Reason::Throttled | Reason::WrongAccount
            )
        };
        let ready = then.condition(ConditionType::Ready);
        let adopts = !steps.is_empty() && steps.iter().all(|step| step.adopts);
        let status = match ready {
            _ if *ends => Status::ToChange,
            Some(ready) if ready.truth != Truth::True && steps.is_empty() && is_unseen(ready.reason) => {
                Status::Unknown
            }
            Some(ready) if ready.truth == Truth::True && (steps.is_empty() || adopts) => Status::InSync,
            Some(ready) if ready.truth == Truth::True => Status::ToChange,
            _ => Status::Held,
        };
        let end = |side: peerkeeper_core::ids::Side| {
            let (at, count) = (sides.get(side), now.routes.get(side));
            EndView {
                vpc: at.vpc.clone(),
                account: at.account.clone(),
                region: at.region.clone(),
                routes_declared: count.declared.max(then.routes.get(side).declared),
                routes_in_sync: count.in_sync,
            }
        };
        let peering_id = now.peering.map(|id| id.to_string()).filter(|id| !words.is_made(id));
        Self {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            manifest: place.to_string(),
            requester: end(peerkeeper_core::ids::Side::Requester),
            accepter: end(peerkeeper_core::ids::Side::Accepter),
            status,
            peering_id,
            aws_state: now.aws_state.to_string(),
            actions: steps.iter().map(|step| ActionView::new(step, words)).collect(),
            adopts: adopts && status == Status::InSync,
            holds,
        }
    }
}

impl ActionView {
    /// It ends something, or takes traffic from where it flows.
    pub fn is_destructive(&self) -> bool {
        let removes = matches!(self.call, "DeleteVpcPeeringConnection" | "DeleteRoute");
        removes || self.cuts.is_some() || self.moves.is_some()
    }

    fn new(step: &Step, words: &Wording) -> Self {
        let Step { wave, call, why, traffic, adopts: _ } = step;
        let (cuts, moves) = match traffic {
            Traffic::Untouched => (None, None),
            Traffic::Moved(what) => (None, Some(words.say(what))),
            Traffic::Cut(what) => (Some(words.say(what)), None),
        };
        Self {
            wave: *wave,
            call: call.action(),
            side: call.side.to_string(),
            account: call.at.account.to_string(),
            region: call.at.region.to_string(),
            what: words.say(&what(call)),
            why: words.say(why),
            cuts,
            moves,
        }
    }
}

/// A call, without where it goes.
fn what(call: &WriteCall) -> String {
    match &call.write {
        Write::Create { pair, .. } => format!(
            "create a peering connection from {} to {}",
            pair.sides.requester.vpc, pair.sides.accepter.vpc
        ),
        Write::Accept(id) => format!("accept {id}"),
        Write::Remove(id, _) => format!("delete the peering connection {id}"),
        Write::Options { id, requester, accepter } => {
            let end = |name: &str, value: &Option<bool>| {
                value.map(|on| format!("{name} end {}", if on { "on" } else { "off" }))
            };
            let ends: Vec<String> =
                [end("requester", requester), end("accepter", accepter)].into_iter().flatten().collect();
            format!("DNS resolution over {id}: {}", ends.join(", "))
        }
        Write::Tag { id, set } => {
            let tags: Vec<String> = set.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("tag {id}: {}", tags.join(", "))
        }
        Write::Untag { id, keys } => {
            let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
            format!("remove tags from {id}: {}", keys.join(", "))
        }
        Write::AddRoute { slot, to } => format!("route {} in {} to {to}", slot.destination, slot.table),
        Write::Repoint { slot, from, to, .. } => {
            format!("point route {} in {} at {to} instead of {from}", slot.destination, slot.table)
        }
        Write::DropRoute { slot, was, .. } => {
            format!("remove route {} to {was} from {}", slot.destination, slot.table)
        }
        Write::RevokeRule { rule, group, is_egress, via, .. } => {
            let way = if *is_egress { "egress" } else { "ingress" };
            format!("revoke {way} rule {rule} of {group}, stale since {via} ended")
        }
    }
}

/// What would be left as it is, each once: what was held, single routes, and what else keeps the object from being ready.
fn holds(then: &Report, words: &Wording) -> Vec<HoldView> {
    let mut all: BTreeSet<HoldView> = BTreeSet::new();
    let hold = |reason: Reason, message: String| HoldView {
        reason: reason.to_string(),
        message: words.say(&message),
    };
    for held in &then.held {
        all.insert(hold(held.reason, format!("not done: {}; to release it, {}", held.what, held.release)));
    }
    for exception in &then.exceptions {
        let message = format!("{} ({}): {}", exception.subject, exception.side, exception.message);
        all.insert(hold(exception.reason, message));
    }
    let more = (then.exceptions_total as usize).saturating_sub(then.exceptions.len());
    if more > 0 {
        all.insert(HoldView { reason: "More".to_owned(), message: format!("{more} more routes are left") });
    }
    let ready = then.condition(ConditionType::Ready).filter(|ready| ready.truth != Truth::True);
    if let Some(ready) = ready.filter(|ready| !all.iter().any(|hold| hold.reason == ready.reason.as_str())) {
        all.insert(hold(ready.reason, ready.message.clone()));
    }
    all.into_iter().collect()
}
