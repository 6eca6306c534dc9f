//! What a cluster's objects say: their status, their incidents, their policies. AWS is not asked.

use crate::api::incident::Plan;
use crate::api::status::{PeeringState, SideName};
use crate::api::{AwsAccount, PeeringIncident, PeeringPolicy, VpcPeering, VpcPeeringStatus, peering};
use crate::cli::kube::{Kube, KubeError, Listed, Scope};
use crate::cli::nearest::nearest;
use crate::cli::show::HoldView;
use crate::cli::show::explain::{ExplainView, HeldView, ObjectView};
use crate::cli::show::incidents::{IncidentRow, IncidentView};

use super::release::{End, Facts, release};
use super::{ExplainError, Subject};

/// What there is in the cluster, as far as one may look.
pub struct Cluster {
    pub peerings: Vec<VpcPeering>,
    pub incidents: Vec<PeeringIncident>,
    pub policies: Vec<PeeringPolicy>,
    pub accounts: Vec<AwsAccount>,
    pub notes: Vec<String>,
}

impl Cluster {
    pub async fn read(kube: &Kube, scope: &Scope) -> Result<Self, KubeError> {
        let mut notes = Vec::new();
        let peerings = read(kube.list(scope).await?, &mut notes);
        // What else may not be read leaves something open, and hides none of the rest.
        let incidents = or_note(kube.list(scope).await, &mut notes);
        let policies = or_note(kube.list(scope).await, &mut notes);
        let accounts = or_note(kube.list(scope).await, &mut notes);
        Ok(Self { peerings, incidents, policies, accounts, notes })
    }
}

fn read<K>(listed: Vec<Listed<K>>, notes: &mut Vec<String>) -> Vec<K> {
    let mut all = Vec::new();
    for one in listed {
        match one {
            Listed::Read(object) => all.push(object),
            Listed::Unparsable { object, why } => notes.push(format!("{object} can't be read: {why}")),
        }
    }
    all
}

fn or_note<K>(listed: Result<Vec<Listed<K>>, KubeError>, notes: &mut Vec<String>) -> Vec<K> {
    match listed {
        Ok(listed) => read(listed, notes),
        Err(error) => {
            notes.push(error.to_string());
            Vec::new()
        }
    }
}

/// Everything that the cluster says of it.
pub fn explain(cluster: &Cluster, subject: &Subject, place: &str) -> Result<ExplainView, ExplainError> {
    let mut objects = Vec::new();
    for peering in &cluster.peerings {
        let declares = concerns(peering, subject);
        if !declares.is_empty() {
            objects.push(object(cluster, peering, declares));
        }
    }
    if objects.is_empty() {
        return Err(absent(cluster, subject, place));
    }
    objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(ExplainView { subject: subject.to_string(), aws: Vec::new(), objects, notes: cluster.notes.clone() })
}

fn absent(cluster: &Cluster, subject: &Subject, place: &str) -> ExplainError {
    match subject {
        Subject::Object { namespace, name } => {
            let names = cluster.peerings.iter().filter_map(|object| object.metadata.name.as_deref());
            let mut near = crate::cli::nearest::did_you_mean(&nearest(name, names));
            if near.is_empty() && namespace.is_none() {
                near = format!("; one of another namespace is named as NAMESPACE/{name}");
            }
            let of = namespace.as_ref().map_or_else(|| name.clone(), |of| format!("{of}/{name}"));
            ExplainError::NoObject { of, place: place.to_owned(), near }
        }
        id => ExplainError::Undeclared { id: id.to_string(), place: place.to_owned() },
    }
}

/// What the object has to do with it, one line each; empty: nothing.
fn concerns(object: &VpcPeering, subject: &Subject) -> Vec<String> {
    let status = object.status.clone().unwrap_or_default();
    let sides = [("requester", &object.spec.requester), ("accepter", &object.spec.accepter)];
    match subject {
        Subject::Object { namespace, name } => {
            let is_name = object.metadata.name.as_ref() == Some(name);
            let is_here = namespace.is_none() || *namespace == object.metadata.namespace;
            if is_name && is_here { vec!["the peering of two VPCs".to_owned()] } else { Vec::new() }
        }
        Subject::Vpc(id) => {
            let of = sides.iter().filter(|(_, side)| side.vpc_id == *id);
            of.map(|(name, _)| format!("{id} as the VPC of its {name}")).collect()
        }
        Subject::Peering(id) => of_peering(&status, id),
        Subject::Table(id) => of_table(&sides, &status, id),
    }
}

fn of_peering(status: &VpcPeeringStatus, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let memory = status.memory.as_ref();
    let life = memory.and_then(|memory| memory.life.as_ref()).map(|life| life.peering_id.as_str());
    if status.peering_id.as_deref() == Some(id) || life == Some(id) {
        let is_lost = status.state.as_ref().is_some_and(is_ended);
        lines.push(if is_lost { format!("{id}, which was lost") } else { format!("{id} as its peering") });
    }
    if let Some(past) = memory.iter().flat_map(|memory| &memory.past).find(|past| past.peering_id == id) {
        lines.push(format!("{id} was its peering once, and is {}", past.ending));
    }
    if let Some(last) = &status.last_deletion {
        let outcome = last.outcome.as_deref().unwrap_or("not settled yet");
        if last.peering_id == id {
            let new = last.restored_peering_id.as_ref().map(|new| format!(", {new} took its place"));
            lines.push(format!(
                "{id} was found lost at {}: {outcome}{}",
                last.detected_at,
                new.unwrap_or_default()
            ));
        } else if last.restored_peering_id.as_deref() == Some(id) {
            lines.push(format!(
                "{id} took the place of {}, which was lost at {}",
                last.peering_id, last.detected_at
            ));
        }
    }
    lines
}

fn is_ended(state: &PeeringState) -> bool {
    use PeeringState::{Absent, Deleted, Expired, Failed, Rejected};
    matches!(state, Deleted | Rejected | Expired | Failed | Absent)
}

fn of_table(sides: &[(&str, &peering::Side)], status: &VpcPeeringStatus, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (side, declared) in sides {
        for route in &declared.routes {
            if route.route_tables.ids.iter().flatten().any(|table| table == id) {
                lines.push(format!("spec.{side}.routes {} names it", route.name));
            }
        }
    }
    let has = |tables: &[String]| tables.iter().any(|table| table == id);
    for group in status.inventory.iter().filter(|group| has(&group.route_table_ids)) {
        lines.push(format!("{} in it, as declared ({})", group.destinations.join(" "), group.side));
    }
    for it in status.exceptions.iter().filter(|it| it.route_table_id.as_deref() == Some(id)) {
        let to = it.destination.as_deref().unwrap_or("routes");
        lines.push(format!("{to} in it, not as declared ({}): {}: {}", it.side, it.reason, it.message));
    }
    let inventory = |to: &String| {
        status.inventory.iter().any(|group| has(&group.route_table_ids) && group.destinations.contains(to))
    };
    let slots = status.memory.iter().flat_map(|memory| &memory.slots);
    for slot in slots.filter(|slot| has(&slot.route_table_ids)) {
        let others: Vec<&str> =
            slot.destinations.iter().filter(|to| !inventory(to)).map(String::as_str).collect();
        if !others.is_empty() {
            lines.push(format!("{} in it is its own, to {}", others.join(" "), slot.target));
        }
    }
    lines
}

fn object(cluster: &Cluster, peering: &VpcPeering, declares: Vec<String>) -> ObjectView {
    let status = peering.status.clone().unwrap_or_default();
    let namespace = peering.metadata.namespace.clone().unwrap_or_default();
    let name = peering.metadata.name.clone().unwrap_or_default();
    let open: Vec<IncidentView> = cluster
        .incidents
        .iter()
        .filter(|incident| {
            incident.metadata.namespace.as_deref() == Some(&namespace)
                && incident.spec.peering_ref.name == name
                && Some(&incident.spec.peering_ref.uid) == peering.metadata.uid.as_ref()
        })
        .map(IncidentView::new)
        .filter(|view| view.row.resolved_at.is_none())
        .collect();
    let facts = facts(cluster, peering, &status, &open);
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let is_in_sync = ready.is_some_and(|ready| ready.status == "True");
    let [requester, accepter] = &facts.ends;
    ObjectView {
        manifest: None,
        declares,
        ends: format!("{} -> {}", end_text(requester), end_text(accepter)),
        state: ready.map_or_else(
            || "Peerkeeper has said nothing of it yet: is the operator running?".to_owned(),
            |ready| format!("Ready={} {}", ready.status, ready.reason),
        ),
        since: ready.map(|ready| ready.last_transition_time.0),
        message: ready.map(|ready| ready.message.clone()).unwrap_or_default(),
        peering_id: status.peering_id.clone(),
        aws_state: status.state.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string),
        routes: status.routes.as_ref().map_or_else(|| "-".to_owned(), |routes| routes.summary.clone()),
        policy: policy(cluster, peering),
        would: would(&status, &open),
        holds: holds(peering, &status, &facts),
        incidents: open.iter().map(|view| incident_line(&view.row)).collect(),
        is_in_sync,
        namespace,
        name,
    }
}

fn incident_line(row: &IncidentRow) -> String {
    format!(
        "{} ({}, by {}): peerkeeper incidents show -n {} {}",
        row.name, row.phase, row.who, row.namespace, row.name
    )
}

fn end_text(end: &End) -> String {
    format!("{} in {}/{}", end.vpc, end.account, end.region)
}

fn facts(cluster: &Cluster, peering: &VpcPeering, status: &VpcPeeringStatus, open: &[IncidentView]) -> Facts {
    let held_by = status.memory.as_ref().and_then(|memory| memory.held_by.clone());
    let end = |side: &peering::Side, name: SideName| End {
        account: side.account.name.clone().or_else(|| side.account.id.clone()).unwrap_or_default(),
        region: side.region.clone(),
        vpc: side.vpc_id.clone(),
        is_held: held_by.as_ref().map(|held| *held == name),
    };
    let ends =
        [end(&peering.spec.requester, SideName::Requester), end(&peering.spec.accepter, SideName::Accepter)];
    let used = |account: &&AwsAccount| {
        let name = account.metadata.name.as_deref().unwrap_or_default();
        ends.iter().any(|end| end.account == name)
    };
    let named = |account: &AwsAccount| account.metadata.name.clone().unwrap_or_default();
    let used: Vec<&AwsAccount> = cluster.accounts.iter().filter(used).collect();
    Facts {
        namespace: peering.metadata.namespace.clone().unwrap_or_default(),
        name: peering.metadata.name.clone().unwrap_or_default(),
        manifest: None,
        peering_id: status.peering_id.clone(),
        // Of a loss before that of a drift: a loss takes over.
        approve: open
            .iter()
            .filter(|view| view.commands.is_some())
            .min_by_key(|view| !view.deviations.is_empty())
            .and_then(|view| view.commands.as_ref())
            .map(|commands| commands.approve.clone()),
        suspended: used.iter().filter(|account| account.spec.suspend).map(|account| named(account)).collect(),
        misused: used
            .iter()
            .filter_map(|account| {
                let misuse = account.status.as_ref()?.credentials_misuse.as_ref()?;
                let last = misuse.calls.iter().max_by_key(|call| call.at)?;
                Some((named(account), last.event_id.clone()))
            })
            .collect(),
        ends,
    }
}

/// As Peerkeeper finds it: the one that is named, that named `default`, or the built-in one.
fn policy(cluster: &Cluster, peering: &VpcPeering) -> Option<String> {
    let named = peering.spec.policy_ref.as_ref().map(|policy| policy.name.as_str());
    let found = cluster.policies.iter().find(|policy| {
        policy.metadata.namespace == peering.metadata.namespace
            && policy.metadata.name.as_deref() == Some(named.unwrap_or("default"))
    });
    match (found, named) {
        (Some(policy), _) => {
            let on = &policy.spec.on_unexpected_deletion;
            let approval = if on.require_approval { ", after approval" } else { "" };
            Some(format!(
                "{}: {:?} what is deleted unexpectedly{approval}; drift: {:?}",
                policy.metadata.name.as_deref().unwrap_or_default(),
                on.action,
                policy.spec.on_drift
            ))
        }
        (None, Some(named)) => Some(format!("{named}, which was not found")),
        (None, None) => Some("built-in: Flag what is deleted unexpectedly".to_owned()),
    }
}

/// What is under way, what waits for a person, and what is held.
fn would(status: &VpcPeeringStatus, open: &[IncidentView]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(at) = status.conditions.iter().find(|it| it.type_ == "Reconciling" && it.status == "True") {
        lines.push(format!("{}: {}", at.reason, at.message));
    }
    // The plan of an object that is being deleted is nobody's any more.
    for view in open.iter().filter(|view| view.row.phase != "ObjectDeleted") {
        let Some(Plan { action, steps, .. }) = view.plan.as_ref() else { continue };
        let when = if view.row.to_decide { "once a person approves it" } else { "by itself" };
        lines.push(format!("{action}, {when} ({}):", view.row.name));
        lines.extend(steps.iter().zip(1..).map(|(step, at)| format!("  {at}. {step}")));
    }
    let held = status.held.iter().map(|held| format!("not yet: {} ({})", held.what, held.reason));
    lines.extend(held);
    lines
}

/// What keeps it from being as declared: what is held, routes, and else what Ready says.
fn holds(peering: &VpcPeering, status: &VpcPeeringStatus, facts: &Facts) -> Vec<HeldView> {
    let mut all = standing(peering, facts);
    for held in &status.held {
        let message = format!("not done: {}; to release it, {}", held.what, held.release);
        all.push(HoldView { reason: held.reason.clone(), message });
    }
    for it in &status.exceptions {
        let message = format!("{} ({}): {}", it.subject, it.side, it.message);
        all.push(HoldView { reason: it.reason.clone(), message });
    }
    let more = status.exceptions_total.unwrap_or_default()
        - i64::try_from(status.exceptions.len()).unwrap_or(i64::MAX);
    if more > 0 {
        all.push(HoldView { reason: "More".to_owned(), message: format!("{more} more routes are left") });
    }
    let ready = status.conditions.iter().find(|it| it.type_ == "Ready" && it.status != "True");
    if let Some(ready) = ready.filter(|ready| !all.iter().any(|hold| hold.reason == ready.reason)) {
        all.push(HoldView { reason: ready.reason.clone(), message: ready.message.clone() });
    }
    with_release(all, facts)
}

/// What holds everything back, whatever else there is: a decision does not overrule it, so it has to be released too.
fn standing(peering: &VpcPeering, facts: &Facts) -> Vec<HoldView> {
    let hold = |reason: &str, message: String| HoldView { reason: reason.to_owned(), message };
    let own = peering.spec.suspend.then(|| {
        hold("Suspended", "spec.suspend is true, so nothing is changed, whatever is approved".to_owned())
    });
    let accounts = facts.suspended.join(", ");
    let accounts = (!accounts.is_empty()).then(|| {
        let message =
            format!("AwsAccount {accounts} is suspended, so nothing is written there, whatever is approved");
        hold("AccountSuspended", message)
    });
    own.into_iter().chain(accounts).collect()
}

/// Of each reason the commands are told once.
pub(super) fn with_release(holds: Vec<HoldView>, facts: &Facts) -> Vec<HeldView> {
    let mut told: Vec<Vec<String>> = Vec::new();
    let mut all = Vec::new();
    for hold in holds {
        let commands = release(facts, &hold.reason, &hold.message);
        let is_new = !told.contains(&commands);
        all.push(HeldView { hold, release: if is_new { commands.clone() } else { Vec::new() } });
        told.push(commands);
    }
    all
}

#[cfg(test)]
mod tests;
