//! What is known of one thing, whatever form it is written in: values in, text out.

use std::fmt::Write;

use serde::Serialize;

use super::incidents::{Lines, age};
use super::{HoldView, Style};
use crate::api::Timestamp;

/// So many lines of one kind are told in text.
const TOLD: usize = 12;

/// Everything that is known of it. The JSON output is this type.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainView {
    /// What was asked about.
    pub subject: String,
    /// What AWS shows of it, where AWS was asked.
    pub aws: Vec<String>,
    /// The VpcPeerings that declare it, or that it is about.
    pub objects: Vec<ObjectView>,
    /// What could not be asked, and what that leaves open.
    pub notes: Vec<String>,
}

/// One VpcPeering, as far as it bears on what was asked about.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectView {
    pub namespace: String,
    pub name: String,
    /// `file:line` of its manifest; absent where it is a cluster's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// What it has to do with it.
    pub declares: Vec<String>,
    /// Both ends, in words.
    pub ends: String,
    /// How it stands, in a word or two.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peering_id: Option<String>,
    /// In AWS's words.
    pub aws_state: String,
    /// In sync / declared.
    pub routes: String,
    /// The policy that judges, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What Peerkeeper would do, or does.
    pub would: Vec<String>,
    pub holds: Vec<HeldView>,
    /// Incidents that are open.
    pub incidents: Vec<String>,
    pub is_in_sync: bool,
}

/// Why something is not done, and what would release it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldView {
    #[serde(flatten)]
    pub hold: HoldView,
    /// Commands, or what to change where no command can know it. Empty: nobody has to do anything, or the message says it.
    pub release: Vec<String>,
}

/// For people.
pub fn explained(view: &ExplainView, now: Timestamp, style: Style) -> String {
    let mut out = Lines { text: String::new(), style };
    let declared = match view.objects.as_slice() {
        [] => style.changed("declared by no VpcPeering"),
        [one] => format!("VpcPeering {}/{}", one.namespace, one.name),
        many => format!("{} VpcPeerings", many.len()),
    };
    let _ = writeln!(out.text, "{}: {declared}", style.bold(&view.subject));
    out.paragraph("AWS", &cut(&view.aws));
    for object in &view.objects {
        one(&mut out, object, now);
    }
    for note in &view.notes {
        let _ = writeln!(out.text, "Note: {note}");
    }
    out.text
}

fn one(out: &mut Lines, object: &ObjectView, now: Timestamp) {
    let style = out.style;
    let manifest = object.manifest.as_ref().map(|at| style.quiet(&format!(" ({at})"))).unwrap_or_default();
    let title = style.bold(&format!("VpcPeering {}/{}", object.namespace, object.name));
    let _ = writeln!(out.text, "\n{title}{manifest}");
    let mut declares = cut(&object.declares);
    declares.push(object.ends.clone());
    out.paragraph("Declares", &declares);
    let state = if object.is_in_sync { style.good(&object.state) } else { style.bad(&object.state) };
    let since = object.since.map(|at| format!(" since {at}, {} ago", age(at, now))).unwrap_or_default();
    let mut lines = vec![format!("{state}{since}")];
    lines.extend(Some(object.message.clone()).filter(|message| !message.is_empty()));
    let id = object.peering_id.as_ref().map(|id| format!("{id} is ")).unwrap_or_default();
    lines.push(format!("{id}{}, routes {}", object.aws_state, object.routes));
    out.paragraph("State", &lines);
    out.paragraph("Policy", &object.policy.iter().cloned().collect::<Vec<_>>());
    let would = if object.would.is_empty() { vec!["nothing".to_owned()] } else { cut(&object.would) };
    out.paragraph("Would do", &would);
    let mut lines = Vec::new();
    for HeldView { hold, release } in &object.holds {
        lines.push(format!("{}: {}", style.bad(&hold.reason), hold.message));
        lines.extend(release.iter().map(|command| format!("  {command}")));
    }
    out.paragraph("Held by", &lines);
    out.paragraph("Incidents", &object.incidents);
}

/// The first lines, and how many more there are.
fn cut(lines: &[String]) -> Vec<String> {
    if lines.len() <= TOLD {
        return lines.to_vec();
    }
    let more = lines.len() - (TOLD - 1);
    let first = lines.iter().take(TOLD - 1).cloned();
    first.chain([format!("... {more} more: -o json has all")]).collect()
}

#[cfg(test)]
mod tests;
