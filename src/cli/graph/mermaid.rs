//! A flowchart of Mermaid: what GitHub, GitLab and many wikis draw from a fenced block.

use std::fmt::Write;

use super::model::{Edge, Model, Status};
use super::words::mermaid as text;

/// What a page draws unless its owner says otherwise: <https://mermaid.js.org/config/schema-docs/config.html>.
const MAX_EDGES: usize = 500;
const MAX_TEXT_SIZE: usize = 50_000;

/// A graph that Mermaid refuses to draw, with what to do instead.
pub fn beyond(model: &Model, written: &str) -> Vec<String> {
    let drawn = model.edges.len() + legend(model).len();
    // Mermaid counts as JavaScript does.
    let size = written.encode_utf16().count();
    let instead = "draw it with --output svg, or less of it with -f";
    let mut warnings = Vec::new();
    if drawn > MAX_EDGES {
        warnings.push(format!(
            "this graph has {drawn} edges with its legend, and Mermaid draws {MAX_EDGES} unless maxEdges says otherwise: {instead}"
        ));
    }
    if size > MAX_TEXT_SIZE {
        warnings.push(format!(
            "this graph is {size} characters long, and Mermaid takes {MAX_TEXT_SIZE} unless maxTextSize says otherwise: {instead}"
        ));
    }
    warnings
}

/// Beyond this many peerings labels hold only a number where all is well: hundreds of full ones are read by nobody.
const SPELT_OUT: usize = 60;

pub fn write(model: &Model) -> String {
    let mut out = String::from("flowchart LR\n");
    let _ = writeln!(out, "  accTitle: VPC peerings, declared and live");
    let _ = writeln!(out, "  accDescr: {}", text(&model.summary()));
    for (at, group) in model.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph g{at}[\"{}\"]", text(&group.title()));
        for (place, vpc) in model.of_group(at) {
            let mut lines = vec![text(vpc.label())];
            lines.extend(vpc.name.as_ref().map(|_| text(&vpc.id)));
            lines.extend((!vpc.cidrs.is_empty()).then(|| text(&vpc.cidrs.join(", "))));
            lines.extend(vpc.note().map(text));
            let _ = writeln!(out, "    v{place}[\"{}\"]", lines.join("<br/>"));
        }
        out.push_str("  end\n");
    }
    if model.groups.is_empty() {
        let _ = writeln!(out, "  none[\"{}\"]", text(&model.summary()));
    }
    for edge in &model.edges {
        let (from, to) = (edge.ends.requester, edge.ends.accepter);
        let label = label(edge, model.edges.len() <= SPELT_OUT);
        let _ = writeln!(out, "  v{from} {} v{to}", arrow(edge.status, &label));
    }
    let legend = legend(model);
    if !legend.is_empty() {
        out.push_str("  subgraph legend[\"Legend\"]\n");
        for (at, status) in legend.iter().enumerate() {
            let arrow = arrow(*status, &text(status.word()));
            let _ = writeln!(out, "    l{at}a[\" \"] {arrow} l{at}b[\" \"]");
        }
        out.push_str("  end\n");
    }
    styles(&mut out, model, &legend);
    out
}

/// Those that are in the picture.
fn legend(model: &Model) -> Vec<Status> {
    Status::ALL.into_iter().filter(|status| model.with(*status) > 0).collect()
}

fn label(edge: &Edge, in_full: bool) -> String {
    let mut lines = vec![edge.title().to_owned()];
    if in_full || edge.status != Status::Live {
        lines.push(edge.says());
        lines.extend(edge.peering.clone());
        lines.push(edge.total().to_string());
    }
    lines.iter().map(|line| text(line)).collect::<Vec<_>>().join("<br/>")
}

/// Each kind of line has its own shape: thin, thick or dotted, plain or with a cross or a circle at its end.
fn arrow(status: Status, label: &str) -> String {
    match status {
        Status::Live => format!("---|\"{label}\"|"),
        Status::Hurt => format!("===|\"{label}\"|"),
        Status::Lost => format!("x-.-x|\"{label}\"|"),
        Status::Pending | Status::Absent | Status::Unknown => format!("-.-|\"{label}\"|"),
        Status::Undeclared => format!("o--o|\"{label}\"|"),
    }
}

/// Strokes that are seen on light and on dark pages alike; what is written keeps the page's own colours.
fn styles(out: &mut String, model: &Model, legend: &[Status]) {
    for status in Status::ALL {
        let of = |edge: &(usize, Status)| edge.1 == status;
        let edges = model.edges.iter().map(|edge| edge.status).chain(legend.iter().copied()).enumerate();
        let places: Vec<String> = edges.filter(of).map(|(at, _)| at.to_string()).collect();
        let (stroke, width, dashes) = match status {
            Status::Live => ("#4c8fd0", 2, ""),
            Status::Hurt => ("#d08020", 4, ""),
            Status::Lost => ("#e0445a", 4, ",stroke-dasharray:12 7"),
            Status::Pending => ("#9a70e0", 2, ",stroke-dasharray:6 5"),
            Status::Absent => ("#8592a6", 2, ",stroke-dasharray:2 5"),
            Status::Undeclared => ("#2fa088", 2, ",stroke-dasharray:14 4 2 4"),
            Status::Unknown => ("#8592a6", 2, ",stroke-dasharray:1 8"),
        };
        if !places.is_empty() {
            let places = places.join(",");
            let _ = writeln!(out, "  linkStyle {places} stroke:{stroke},stroke-width:{width}px{dashes}");
        }
    }
}
