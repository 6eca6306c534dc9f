//! What incidents say, whatever form it is written in: values in, text out.

use std::fmt::Write;

use serde::Serialize;

use super::{Style, Table};
use crate::api::incident::{
    Actor, AffectedRoutes, Attribution, Decision, Deviation, Evidence, Plan, TimelineEntry, Verdict,
};
use crate::api::memory::{Pair, StaleRules};
use crate::api::{PeeringIncident, Timestamp};

/// So much of what was done is told in text; `-o json` has all of it.
const TIMELINE_TOLD: usize = 12;
/// So many things that broke are told in text.
const BROKEN_TOLD: usize = 12;
const HEADS: [&str; 7] = ["NAME", "PEERING", "WHO", "WHEN", "CLASS", "PHASE", "WHAT-NOW"];

/// An incident in one line: the columns of `kubectl get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentRow {
    pub namespace: String,
    pub name: String,
    /// The VpcPeering.
    pub vpc_peering: String,
    pub peering_id: String,
    pub who: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    pub class: String,
    pub phase: String,
    /// What is left to do, and for whom.
    pub next: String,
    /// `Pending`, `Approve` or `Reject`.
    pub decision: Verdict,
    /// Whether a decision would change what is done.
    pub to_decide: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
}

const NOTHING_YET: &str = "Peerkeeper has said nothing of it yet";

impl IncidentRow {
    pub fn new(object: &PeeringIncident) -> Self {
        let status = object.status.clone().unwrap_or_default();
        let word = |word: Option<String>| word.unwrap_or_default();
        Self {
            namespace: word(object.metadata.namespace.clone()),
            name: word(object.metadata.name.clone()),
            vpc_peering: object.spec.peering_ref.name.clone(),
            peering_id: object.spec.peering_id.clone(),
            to_decide: is_decidable(status.phase.as_deref(), status.plan.as_ref()),
            who: word(status.who),
            detected_at: status.detected_at,
            class: word(status.class),
            phase: word(status.phase),
            next: word(status.next),
            decision: object.spec.decision.verdict,
            resolved_at: status.resolved_at,
        }
    }

    fn cells(&self, now: Timestamp, with_namespace: bool) -> Vec<String> {
        let Self { namespace, name, peering_id, who, detected_at, class, phase, next, .. } = self;
        let when = detected_at.map(|at| age(at, now)).unwrap_or_default();
        // Created before its status is written: a watch sees it in between, and so does a list if that write fails.
        let next = if phase.is_empty() { NOTHING_YET } else { next };
        let cells = [name.as_str(), peering_id, who, &when, class, phase, next].map(str::to_owned);
        let namespace = with_namespace.then(|| namespace.clone());
        namespace.into_iter().chain(cells).collect()
    }
}

/// What is open comes first, and of that what is newest.
pub fn sorted(mut rows: Vec<IncidentRow>) -> Vec<IncidentRow> {
    rows.sort_by(|a, b| {
        let open = |row: &IncidentRow| row.resolved_at.is_some();
        let place = |row: &IncidentRow| (row.namespace.clone(), row.name.clone());
        (open(a), std::cmp::Reverse(a.detected_at), place(a)).cmp(&(
            open(b),
            std::cmp::Reverse(b.detected_at),
            place(b),
        ))
    });
    rows
}

/// A table of incidents that grows while it is looked at.
pub struct IncidentTable {
    table: Table,
    with_namespace: bool,
}

impl IncidentTable {
    pub fn new(rows: &[IncidentRow], now: Timestamp, with_namespace: bool) -> Self {
        let heads: Vec<&str> = with_namespace.then_some("NAMESPACE").into_iter().chain(HEADS).collect();
        let cells: Vec<Vec<String>> = rows.iter().map(|row| row.cells(now, with_namespace)).collect();
        Self { table: Table::new(&heads, &cells), with_namespace }
    }

    pub fn text(&self) -> &str {
        self.table.text()
    }

    /// One that changed.
    pub fn row(&self, row: &IncidentRow, now: Timestamp) -> String {
        self.table.row(&row.cells(now, self.with_namespace))
    }
}

/// How long ago, as `kubectl` has it.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    span(now.as_second().saturating_sub(at.as_second()).max(0))
}

/// So many seconds, as `kubectl` has it.
pub fn span(s: i64) -> String {
    let (m, h, d) = (s / 60, s / 3600, s / 86400);
    let two = |large: i64, small: i64, units: (&str, &str)| match small {
        0 => format!("{large}{}", units.0),
        small => format!("{large}{}{small}{}", units.0, units.1),
    };
    match s {
        ..120 => format!("{s}s"),
        120..600 => two(m, s % 60, ("m", "s")),
        600..10_800 => format!("{m}m"),
        10_800..28_800 => two(h, m % 60, ("h", "m")),
        28_800..172_800 => format!("{h}h"),
        172_800..691_200 => two(d, h % 24, ("d", "h")),
        691_200.. => format!("{d}d"),
    }
}

/// Whether a person's word would change what is done.
fn is_decidable(phase: Option<&str>, plan: Option<&Plan>) -> bool {
    const OPEN: [&str; 5] = ["Flagged", "Held", "AwaitingApproval", "Rejected", "Released"];
    plan.is_some() && phase.is_some_and(|phase| OPEN.contains(&phase))
}

/// One incident in full. The JSON output is this type.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentView {
    #[serde(flatten)]
    pub row: IncidentRow,
    /// The state that the lost peering was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_detect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    pub routes_affected: Vec<AffectedRoutes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes_affected_total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_security_group_rules: Option<StaleRules>,
    /// Of a drift: what was changed.
    pub deviations: Vec<Deviation>,
    pub deviations_omitted: i64,
    pub timeline: Vec<TimelineEntry>,
    pub timeline_omitted: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_peering_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_repair: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What was decided last.
    pub decided: Decision,
    /// What else is to be known before one decides: what holds it, or that nothing is left to do.
    pub why: String,
    /// The commands that decide, where there is something to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Commands>,
}

/// What decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Commands {
    pub approve: String,
    pub reject: String,
}

impl IncidentView {
    pub fn new(object: &PeeringIncident) -> Self {
        let row = IncidentRow::new(object);
        let status = object.status.clone().unwrap_or_default();
        let commands =
            status.plan.as_ref().filter(|_| row.to_decide).map(|plan| commands(&row, &plan.digest));
        Self {
            ending: status.ending.map(|ending| ending.to_string()),
            status_message: status.status_message,
            pair: status.pair,
            time_to_detect: status.time_to_detect.map(|time| time.to_string()),
            attribution: status.attribution,
            actor: status.actor,
            evidence: status.evidence,
            routes_affected: status.routes_affected,
            routes_affected_total: status.routes_affected_total,
            stale_security_group_rules: status.stale_security_group_rules,
            deviations: status.deviations,
            deviations_omitted: status.deviations_omitted.unwrap_or_default(),
            timeline: status.timeline,
            timeline_omitted: status.timeline_omitted.unwrap_or_default(),
            restored_peering_id: status.restored_peering_id,
            time_to_repair: status.time_to_repair.map(|time| time.to_string()),
            plan: status.plan,
            decided: object.spec.decision.clone(),
            why: why(status.what_now.as_deref().unwrap_or_default()),
            commands,
            row,
        }
    }
}

fn commands(row: &IncidentRow, digest: &str) -> Commands {
    let IncidentRow { namespace, name, .. } = row;
    Commands {
        approve: format!("peerkeeper incidents approve -n {namespace} {name} --digest {digest}"),
        reject: format!("peerkeeper incidents reject -n {namespace} {name} --reason '...'"),
    }
}

/// Of `status.whatNow` what is no command: where it has commands for kubectl, what stands behind the last of them.
fn why(what_now: &str) -> String {
    const END_OF_PATCH: &str = "}}}'";
    match (what_now.contains("kubectl "), what_now.rsplit_once(END_OF_PATCH)) {
        (true, Some((_, rest))) => rest.trim().to_owned(),
        _ => what_now.to_owned(),
    }
}

/// For people, readable in ten seconds: what was lost, who did it, what broke, what was done, what is left to decide.
pub fn incident(view: &IncidentView, now: Timestamp, style: Style) -> String {
    let mut out = Lines { text: String::new(), style };
    let row = &view.row;
    if row.phase.is_empty() {
        let _ = writeln!(out.text, "PeeringIncident {}/{}: {NOTHING_YET}", row.namespace, row.name);
        return out.text;
    }
    let phase = match (row.to_decide, row.resolved_at.is_some()) {
        (true, _) => style.bad(&row.phase),
        (false, true) => style.good(&row.phase),
        (false, false) => style.changed(&row.phase),
    };
    let title = style.bold(&format!("PeeringIncident {}/{}", row.namespace, row.name));
    let _ = writeln!(out.text, "{title}: {phase}");
    what(&mut out, view, now);
    who(&mut out, view);
    broke(&mut out, view);
    done(&mut out, view);
    decide(&mut out, view);
    out.text
}

/// Paragraphs with a head, indented alike.
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Lines {
    pub(super) fn paragraph(&mut self, head: &str, lines: &[String]) {
        for (at, line) in lines.iter().enumerate() {
            let head = if at == 0 { head } else { "" };
            let head = self.style.bold(&format!("{head:<10}"));
            let _ = writeln!(self.text, "{}", format!("  {head}{line}").trim_end());
        }
    }
}

fn what(out: &mut Lines, view: &IncidentView, now: Timestamp) {
    let IncidentView { row, ending, status_message, pair, time_to_detect, .. } = view;
    let is_drift = !view.deviations.is_empty();
    let of = format!("{} of VpcPeering {}/{}", row.peering_id, row.namespace, row.vpc_peering);
    let mut first = match (is_drift, ending, status_message) {
        (true, _, _) => format!("{of}: {}", row.class),
        (false, Some(ending), Some(message)) => format!("{of}: {ending}, \"{message}\" ({})", row.class),
        (false, Some(ending), None) => format!("{of}: {ending} ({})", row.class),
        (false, None, _) => format!("{of} ({})", row.class),
    };
    if let Some(at) = row.detected_at {
        let after = time_to_detect.as_ref().map(|time| format!(", {time} after the call"));
        let _ = write!(first, ", noticed {at}, {} ago{}", age(at, now), after.unwrap_or_default());
    }
    let mut lines = vec![first];
    if let Some(Pair { requester, accepter }) = pair {
        lines.push(format!(
            "{} in {}/{} -> {} in {}/{}",
            requester.vpc_id,
            requester.account_id,
            requester.region,
            accepter.vpc_id,
            accepter.account_id,
            accepter.region
        ));
    }
    out.paragraph(if is_drift { "Changed" } else { "Lost" }, &lines);
}

fn who(out: &mut Lines, view: &IncidentView) {
    let mut lines = vec![view.row.who.clone()];
    if let Some(attribution) = &view.attribution {
        lines.push(how_sure(attribution));
    }
    let mut facts = Vec::new();
    if let Some(evidence) = &view.evidence {
        let name = evidence.event_name.as_deref().unwrap_or("the call");
        facts.push(format!("{name} at {}", evidence.event_time));
    }
    if let Some(actor) = &view.actor {
        facts.extend(actor.source_address.iter().map(|from| format!("from {from}")));
        facts.extend(actor.access_key_id.iter().map(|key| format!("access key {key}")));
        facts.extend(actor.mfa.map(|mfa| if mfa { "with MFA".to_owned() } else { "without MFA".to_owned() }));
        facts.extend(actor.user_agent.iter().map(|agent| format!("by {agent}")));
    }
    if let Some(evidence) = &view.evidence {
        facts.push(format!("event {}", evidence.event_id));
    }
    if !facts.is_empty() {
        lines.push(facts.join(", "));
    }
    out.paragraph("Who", &lines);
}

/// An attribution in a sentence.
pub fn how_sure(attribution: &Attribution) -> String {
    let Attribution { level, by, authorized } = attribution;
    let sure = match (level.as_str(), by.as_deref()) {
        ("None", _) => "nobody is known",
        ("AccountOnly", _) => "the account alone is known, and nobody in it",
        ("EventOnly", _) => "a message names them, and nothing bears it out",
        ("Corroborated", Some("History")) => "CloudTrail's event history shows the call",
        ("Corroborated", Some("Agreement")) => "a message names them, and agrees with what AWS shows",
        _ => "",
    };
    let by = by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    let authorized = match authorized {
        Some(true) => "; one of the policy's authorized principals",
        Some(false) => "; none of the policy's authorized principals",
        None => "",
    };
    let sure = if sure.is_empty() { String::new() } else { format!(": {sure}") };
    format!("{level}{by}{sure}{authorized}")
}

fn broke(out: &mut Lines, view: &IncidentView) {
    let mut lines = Vec::new();
    if let Some(total) = view.routes_affected_total {
        lines.push(counted(total, "route"));
    }
    for routes in &view.routes_affected {
        let AffectedRoutes { side, route_table_ids, destinations, before, after } = routes;
        let now = match after.as_str() {
            after if after == before => "still leads there".to_owned(),
            "none" => "removed, or not ours any more".to_owned(),
            after => format!("leads to {after} now"),
        };
        lines.push(format!(
            "{side}: {} in {} led to {before}: {now}",
            destinations.join(" "),
            route_table_ids.join(" ")
        ));
    }
    lines.extend(view.deviations.iter().map(deviation));
    if view.deviations_omitted > 0 {
        lines.push(format!("and {} more", view.deviations_omitted));
    }
    if lines.len() > BROKEN_TOLD {
        let more = lines.len() - (BROKEN_TOLD - 1);
        lines.truncate(BROKEN_TOLD - 1);
        lines.push(format!("... {more} more lines: -o json has all"));
    }
    if let Some(stale) = &view.stale_security_group_rules {
        let what = if stale.revoked { "revoked with the routes" } else { "stale" };
        lines.push(format!("{} {what}", counted(stale.total, "security-group rule")));
    }
    out.paragraph("Broke", &lines);
}

fn deviation(it: &Deviation) -> String {
    let what = match (&it.route_table_id, &it.destination, &it.key) {
        (Some(table), Some(to), _) => format!("{to} in {table}"),
        (_, _, Some(key)) => format!("tag {key}"),
        _ => "DNS option".to_owned(),
    };
    format!(
        "{}: {what}: {} instead of {}, by {} ({}): {}",
        it.side, it.after, it.before, it.who, it.attribution.level, it.stage
    )
}

fn counted(count: i64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

fn done(out: &mut Lines, view: &IncidentView) {
    let mut lines = Vec::new();
    let skipped = view.timeline.len().saturating_sub(TIMELINE_TOLD);
    let left = i64::try_from(skipped).unwrap_or(i64::MAX).saturating_add(view.timeline_omitted);
    if left > 0 {
        lines.push(format!("... {left} earlier: -o json has what was kept"));
    }
    for entry in view.timeline.iter().skip(skipped) {
        let TimelineEntry { at, what, message, request_id } = entry;
        let id = request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
        lines.push(format!("{at} {what}: {message}{id}"));
    }
    if let Some(id) = &view.restored_peering_id {
        let took = view.time_to_repair.as_ref().map(|time| format!(", {time} after it was noticed"));
        lines.push(format!("{id} took its place{}", took.unwrap_or_default()));
    }
    out.paragraph("Done", &lines);
    let Decision { verdict, decided_by, reason, .. } = &view.decided;
    let by = decided_by.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
    let why = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match verdict {
        Verdict::Pending => {}
        Verdict::Approve => out.paragraph("Decided", &[format!("approved{by}{why}")]),
        Verdict::Reject => out.paragraph("Decided", &[format!("rejected{by}{why}")]),
    }
}

fn decide(out: &mut Lines, view: &IncidentView) {
    let Some(commands) = &view.commands else {
        let left = if view.why.is_empty() { &view.row.next } else { &view.why };
        let lines = if left.is_empty() { Vec::new() } else { vec![left.clone()] };
        return out.paragraph("Left", &lines);
    };
    let mut lines = vec![view.row.next.clone()];
    lines.extend(Some(view.why.clone()).filter(|why| !why.is_empty()));
    if let Some(plan) = &view.plan {
        lines.extend(steps(plan));
    }
    lines.push(commands.approve.clone());
    if view.decided.verdict != Verdict::Reject {
        lines.push(commands.reject.clone());
    }
    out.paragraph("Left", &lines);
}

fn steps(plan: &Plan) -> impl Iterator<Item = String> {
    plan.steps.iter().zip(1..).map(|(step, at)| format!("{at}. {step}"))
}

/// A plan as it is approved.
pub fn proposed(view: &IncidentView, plan: &Plan) -> String {
    let IncidentRow { namespace, name, peering_id, vpc_peering, who, class, .. } = &view.row;
    let mut text = format!(
        "PeeringIncident {namespace}/{name}: {peering_id} of VpcPeering {vpc_peering} ({class}), by {who}\n{}:\n",
        plan.action
    );
    for step in steps(plan) {
        let _ = writeln!(text, "  {step}");
    }
    let _ = writeln!(text, "{}", plan.digest);
    text
}

#[cfg(test)]
mod tests;
