//! What manifests declare and AWS shows: the engine's plan of them, and what AWS shows of an id that nobody declares.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerkeeper_core::ids::{HOLD_TAG_KEY, ObjectKey, Target};
use peerkeeper_core::observed::{Peering, RouteTable, SideView, Vpc};
use peerkeeper_core::time::{Now, Timing};

use super::cluster::with_release;
use super::release::{End, Facts};
use super::{ExplainArgs, ExplainError, Subject};
use crate::api::{VpcPeering, peering};
use crate::aws::{Looking, clock};
use crate::cli::manifests::{ManifestArgs, Manifests};
use crate::cli::nearest::{did_you_mean, nearest};
use crate::cli::offline::{self, OfflineError, Trouble};
use crate::cli::show::explain::{ExplainView, ObjectView};
use crate::cli::show::{PeeringView, PlanView, Status};

pub async fn explain(args: &ExplainArgs) -> Result<(ExplainView, Vec<Trouble>), ExplainError> {
    let manifests = Manifests::read(&ManifestArgs {
        filename: args.filename.clone(),
        recursive: args.recursive,
        namespace: args.namespace.clone().unwrap_or_else(|| "default".to_owned()),
    })?;
    named(&manifests, args)?;
    let owner = args.owner_id.as_deref().unwrap_or(offline::ANY_OWNER);
    let aws = Looking::new(args.aws.config(owner)).await.map_err(OfflineError::from)?;
    let owner_id = args.owner_id.as_deref();
    let read = offline::read(&aws, &manifests, owner_id, offline::LIMITS, Timing::default());
    let (house, troubles) = read.await?;
    let reader = aws.reader();
    let mut seen = Seen::default();
    for (account, region) in house.readable_places() {
        seen.add(&format!("{account}/{region}"), &reader.view(&account, region));
    }
    let now = Now { mono: clock::now(), wall: clock::wall() };
    let plan = PlanView::new(&offline::plan(house, reader, now).await, &manifests.skipped, Vec::new());
    let mut view = ExplainView { subject: args.subject.to_string(), ..ExplainView::default() };
    view.aws = seen.tell(&args.subject, &manifests);
    for planned in &plan.peerings {
        let key = ObjectKey::new(planned.namespace.as_str(), planned.name.as_str());
        let Some((object, _)) = manifests.peerings.get(&key) else { continue };
        let declares = concerns(object, planned, &args.subject, args, &seen);
        if !declares.is_empty() {
            view.objects.push(explained(object, planned, declares, &manifests, &seen));
        }
    }
    if view.objects.is_empty() && view.aws.is_empty() {
        // What could not be read may show it.
        return Err(if troubles.is_empty() {
            ExplainError::Unseen { id: args.subject.to_string(), places: seen.places.join(", ") }
        } else {
            ExplainError::Aws(troubles)
        });
    }
    Ok((view, troubles))
}

/// A name that no manifest has is told before AWS is asked.
fn named(manifests: &Manifests, args: &ExplainArgs) -> Result<(), ExplainError> {
    let Subject::Object { name, .. } = &args.subject else { return Ok(()) };
    if manifests.peerings.keys().any(|key| is_named(key, args)) {
        return Ok(());
    }
    let near = did_you_mean(&nearest(name, manifests.peerings.keys().map(|key| &*key.name)));
    let of = args.subject.to_string();
    Err(ExplainError::NoObject { of, place: "the manifests".to_owned(), near })
}

fn is_named(key: &ObjectKey, args: &ExplainArgs) -> bool {
    let Subject::Object { namespace, name } = &args.subject else { return false };
    let namespace = namespace.as_ref().or(args.namespace.as_ref());
    *key.name == **name && namespace.is_none_or(|namespace| *key.namespace == **namespace)
}

/// Everything that AWS shows in the places that the manifests need.
#[derive(Default)]
struct Seen {
    places: Vec<String>,
    peerings: Vec<(String, Arc<Peering>)>,
    tables: Vec<(String, Arc<RouteTable>)>,
    vpcs: Vec<(String, Arc<Vpc>)>,
}

impl Seen {
    fn add(&mut self, place: &str, view: &SideView) {
        self.places.push(place.to_owned());
        let at = || place.to_owned();
        self.peerings
            .extend(view.peerings.sweep.iter().flat_map(|all| all.iter()).map(|it| (at(), it.clone())));
        self.tables.extend(view.tables.sweep.iter().flat_map(|all| all.iter()).map(|it| (at(), it.clone())));
        self.vpcs.extend(view.vpcs.sweep.iter().flat_map(|all| all.iter()).map(|it| (at(), it.clone())));
    }

    fn peering(&self, id: &str) -> Option<&Peering> {
        self.peerings.iter().map(|(_, it)| &**it).find(|it| it.id.to_string() == id)
    }

    fn table(&self, id: &str) -> Option<&RouteTable> {
        self.tables.iter().map(|(_, it)| &**it).find(|it| it.id.to_string() == id)
    }

    fn is_held(&self, vpc: &str) -> Option<bool> {
        let found = self.vpcs.iter().find(|(_, it)| it.id.to_string() == vpc);
        found.map(|(_, it)| it.tags.contains_key(HOLD_TAG_KEY))
    }

    fn tell(&self, subject: &Subject, manifests: &Manifests) -> Vec<String> {
        match subject {
            Subject::Peering(id) => self.tell_peering(id, manifests),
            Subject::Table(id) => self.tell_table(id),
            Subject::Vpc(id) => self.tell_vpc(id),
            Subject::Object { .. } => Vec::new(),
        }
    }

    fn tell_peering(&self, id: &str, manifests: &Manifests) -> Vec<String> {
        let Some(first) = self.peering(id) else { return Vec::new() };
        let mut lines = vec![state(first)];
        let shown = self.peerings.iter().filter(|(_, it)| it.id == first.id);
        let mut is_tagged = false;
        for (place, it) in shown {
            let Some(owner) = it.owner() else { continue };
            is_tagged = true;
            let known = if manifests.peerings.contains_key(&owner.object) {
                "which is among these manifests"
            } else {
                "which is not among these manifests"
            };
            lines.push(format!(
                "its tag in {place} says that it is VpcPeering {}'s of installation {}, {known}",
                owner.object, owner.owner_id
            ));
        }
        if !is_tagged {
            lines.push("no owner tag: by its tags it is nobody's".to_owned());
        }
        for (place, table) in &self.tables {
            for route in table.routes.iter().filter(|route| route.target == Target::Peering(first.id)) {
                let dead = if route.blackhole { ", a blackhole" } else { "" };
                lines.push(format!("{} in {} leads to it{dead} ({place})", route.destination, table.id));
            }
        }
        lines
    }

    fn tell_table(&self, id: &str) -> Vec<String> {
        let Some((place, table)) = self.tables.iter().find(|(_, it)| it.id.to_string() == id) else {
            return Vec::new();
        };
        let main = if table.main { ", its main table" } else { "" };
        let edge = if table.edge { ", attached to a gateway" } else { "" };
        let mut lines = vec![format!("in {}{main}{edge} ({place})", table.vpc)];
        for route in &table.routes {
            let Target::Peering(to) = &route.target else { continue };
            let shown = self.peering(&to.to_string()).map(|it| it.state.as_str().to_owned());
            let dead = if route.blackhole { ", a blackhole" } else { "" };
            let shown = shown.unwrap_or_else(|| "not shown".to_owned());
            lines.push(format!("{} leads to {to}, which is {shown}{dead}", route.destination));
        }
        lines
    }

    fn tell_vpc(&self, id: &str) -> Vec<String> {
        let Some((place, vpc)) = self.vpcs.iter().find(|(_, it)| it.id.to_string() == id) else {
            return Vec::new();
        };
        let cidrs: Vec<String> = vpc.cidrs.iter().map(ToString::to_string).collect();
        let mut lines = vec![format!("{} in {place}", cidrs.join(" "))];
        if vpc.tags.contains_key(HOLD_TAG_KEY) {
            lines.push(format!("it carries the tag {HOLD_TAG_KEY}"));
        }
        // Both sides may be shown.
        let of = self.peerings.iter().filter(|(_, it)| it.end_of(vpc.id).is_some());
        let told: BTreeSet<String> = of.map(|(_, it)| state(it)).collect();
        lines.extend(told);
        lines
    }
}

fn state(it: &Peering) -> String {
    let end = |end: &peerkeeper_core::observed::PeeringEnd| format!("{} in {}", end.vpc, end.at);
    // Of one that is well, AWS says its state once more.
    let says_more = !it.message.is_empty() && !it.message.eq_ignore_ascii_case(it.state.as_str());
    let message = if says_more { format!(" ({})", it.message) } else { String::new() };
    format!("{} is {}{message}: {} -> {}", it.id, it.state.as_str(), end(&it.requester), end(&it.accepter))
}

/// What the object has to do with it, one line each; empty: nothing.
fn concerns(
    object: &VpcPeering,
    planned: &PeeringView,
    subject: &Subject,
    args: &ExplainArgs,
    seen: &Seen,
) -> Vec<String> {
    let sides = [("requester", &object.spec.requester), ("accepter", &object.spec.accepter)];
    match subject {
        Subject::Object { .. } => {
            let key = ObjectKey::new(planned.namespace.as_str(), planned.name.as_str());
            if is_named(&key, args) { vec!["the peering of two VPCs".to_owned()] } else { Vec::new() }
        }
        Subject::Vpc(id) => {
            let of = sides.iter().filter(|(_, side)| side.vpc_id == *id);
            of.map(|(name, _)| format!("{id} as the VPC of its {name}")).collect()
        }
        Subject::Peering(id) => {
            let vpcs: BTreeSet<String> = sides.iter().map(|(_, side)| side.vpc_id.clone()).collect();
            let joins = |it: &Peering| {
                [&it.requester, &it.accepter]
                    .map(|end| end.vpc.to_string())
                    .into_iter()
                    .collect::<BTreeSet<_>>()
            };
            match (planned.peering_id.as_ref() == Some(id), seen.peering(id)) {
                (true, _) => vec![format!("{id} as its peering")],
                (false, Some(it)) if joins(it) == vpcs => vec![format!("the two VPCs that {id} joins")],
                _ => Vec::new(),
            }
        }
        Subject::Table(id) => of_table(&sides, planned, id, seen),
    }
}

fn of_table(sides: &[(&str, &peering::Side)], planned: &PeeringView, id: &str, seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    for (side, declared) in sides {
        for route in &declared.routes {
            if route.route_tables.ids.iter().flatten().any(|table| table == id) {
                lines.push(format!("spec.{side}.routes {} names it", route.name));
            }
        }
    }
    let Some(table) = seen.table(id) else { return lines };
    let its = |to: &Target| matches!(to, Target::Peering(to) if Some(to.to_string()) == planned.peering_id);
    for route in table.routes.iter().filter(|route| its(&route.target)) {
        lines.push(format!("{} in it leads to its peering", route.destination));
    }
    let names = |text: &str| text.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == id);
    let actions = planned.actions.iter().filter(|action| names(&action.what));
    lines.extend(actions.map(|action| format!("not as declared: {} is to do", action.what)));
    let holds = planned.holds.iter().filter(|hold| names(&hold.message));
    lines.extend(holds.map(|hold| format!("{}: {}", hold.reason, hold.message)));
    lines
}

fn explained(
    object: &VpcPeering,
    planned: &PeeringView,
    declares: Vec<String>,
    manifests: &Manifests,
    seen: &Seen,
) -> ObjectView {
    let end = |side: &peering::Side| End {
        account: side.account.name.clone().or_else(|| side.account.id.clone()).unwrap_or_default(),
        region: side.region.clone(),
        vpc: side.vpc_id.clone(),
        is_held: seen.is_held(&side.vpc_id),
    };
    let ends = [end(&object.spec.requester), end(&object.spec.accepter)];
    let suspended = |name: &&String| {
        let is_used = ends.iter().any(|end| end.account == **name);
        is_used && manifests.accounts.get(*name).is_some_and(|account| account.spec.suspend)
    };
    let facts = Facts {
        namespace: planned.namespace.clone(),
        name: planned.name.clone(),
        manifest: Some(planned.manifest.clone()),
        peering_id: planned.peering_id.clone(),
        suspended: manifests.accounts.keys().filter(suspended).cloned().collect(),
        ends,
        ..Facts::default()
    };
    let at = |end: &crate::cli::show::EndView| format!("{} in {}/{}", end.vpc, end.account, end.region);
    let (requester, accepter) = (&planned.requester, &planned.accepter);
    let state = match planned.status {
        Status::InSync => "in sync",
        Status::ToChange => "to change",
        Status::Held => "held",
        Status::Unknown => "unknown",
    };
    ObjectView {
        namespace: planned.namespace.clone(),
        name: planned.name.clone(),
        manifest: Some(planned.manifest.clone()),
        declares,
        ends: format!("{} -> {}", at(requester), at(accepter)),
        state: state.to_owned(),
        peering_id: planned.peering_id.clone(),
        aws_state: planned.aws_state.clone(),
        routes: format!(
            "{}/{} and {}/{}",
            requester.routes_in_sync,
            requester.routes_declared,
            accepter.routes_in_sync,
            accepter.routes_declared
        ),
        would: planned
            .actions
            .iter()
            .map(|action| format!("{}. {}: {}", action.wave, action.what, action.why))
            .collect(),
        holds: with_release(planned.holds.clone(), &facts),
        is_in_sync: planned.status == Status::InSync,
        ..ObjectView::default()
    }
}
