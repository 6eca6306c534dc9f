//! DOT, for Graphviz.

use std::fmt::Write;

use super::model::{Edge, Model, Presence, Status, Vpc};
use super::words::dot as text;

/// Beyond this many peerings, where all is well the label is left to the tooltip.
const SPELT_OUT: usize = 60;

/// Up to so many peerings VPCs are set in ranks.
const RANKED: usize = 16;

pub fn write(model: &Model) -> String {
    let mut out = String::from("// Draw it with `dot -Tsvg`.\n");
    out.push_str("graph peerings {\n");
    // Ranks read well while they are few. A hub's hundred spokes in one rank would be thirteen thousand points high.
    let placing = match model.edges.len() {
        0..=RANKED => "rankdir=LR, nodesep=0.2, ranksep=2.2",
        _ => "layout=fdp, K=0.9, overlap=false, splines=curved",
    };
    let _ = writeln!(
        out,
        "  graph [{placing}, bgcolor=white, fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, labelloc=t, labeljust=l,"
    );
    let _ = writeln!(out, "    label=\"{}\", tooltip=\"VPC peerings\"];", text(&model.summary()));
    out.push_str(
        "  node [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"#5a6778\", fontcolor=\"#1c2430\", fontname=\"Helvetica,Arial,sans-serif\", fontsize=10, margin=\"0.12,0.06\"];\n",
    );
    out.push_str("  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, fontcolor=\"#1c2430\"];\n");
    for (at, group) in model.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{at} {{");
        let _ = writeln!(
            out,
            "    label=\"{}\"; style=\"rounded,filled\"; fillcolor=\"#f3f5f8\"; color=\"#aab4c2\"; fontcolor=\"#1c2430\";",
            text(&group.title())
        );
        for (place, vpc) in model.of_group(at) {
            node(&mut out, place, vpc);
        }
        out.push_str("  }\n");
    }
    for edge in &model.edges {
        line(&mut out, model, edge);
    }
    legend(&mut out);
    out.push_str("}\n");
    out
}

fn node(out: &mut String, place: usize, vpc: &Vpc) {
    let mut lines = vec![text(vpc.label())];
    lines.extend(vpc.name.as_ref().map(|_| text(&vpc.id)));
    lines.extend(vpc.cidrs.iter().map(|cidr| text(cidr)));
    lines.extend(vpc.note().map(text));
    let style = match vpc.presence {
        Presence::Seen => "",
        Presence::Missing => ", style=\"rounded,dashed,bold\", color=\"#c42338\"",
        Presence::Unread => ", style=\"rounded,dashed\"",
    };
    let _ = writeln!(out, "    v{place} [label=\"{}\"{style}];", lines.join("\\n"));
}

fn line(out: &mut String, model: &Model, edge: &Edge) {
    let joined = |lines: &[String]| lines.iter().map(|line| text(line)).collect::<Vec<_>>().join("\\n");
    let mut lines = vec![edge.title().to_owned(), edge.says()];
    lines.extend(edge.peering.clone());
    lines.push(edge.total().to_string());
    let is_spelt_out = model.edges.len() <= SPELT_OUT || edge.status != Status::Live;
    let label = if is_spelt_out { format!("label=\"{}\", ", joined(&lines)) } else { String::new() };
    let _ = writeln!(
        out,
        "  v{} -- v{} [{label}tooltip=\"{}\", {}];",
        edge.ends.requester,
        edge.ends.accepter,
        joined(&edge.details(model)),
        style(edge.status)
    );
}

fn style(status: Status) -> &'static str {
    match status {
        Status::Live => "style=solid, color=\"#2d6ca8\"",
        Status::Hurt => "style=solid, penwidth=3, color=\"#b35c00\"",
        Status::Lost => "style=dashed, penwidth=3, dir=both, arrowhead=tee, arrowtail=tee, color=\"#c42338\"",
        Status::Pending => "style=dashed, color=\"#7440c4\"",
        Status::Absent => "style=dotted, color=\"#5a6778\"",
        Status::Undeclared => "style=solid, dir=both, arrowhead=odot, arrowtail=odot, color=\"#13776a\"",
        Status::Unknown => {
            "style=dotted, dir=both, arrowhead=odiamond, arrowtail=odiamond, color=\"#5a6778\""
        }
    }
}

/// In words, and one box: lines of its own would be strewn about by some layouts.
fn legend(out: &mut String) {
    let kind = |status: Status| match status {
        Status::Live => "thin line",
        Status::Hurt => "thick line",
        Status::Lost => "thick dashed line, bars at its ends",
        Status::Pending => "thin dashed line",
        Status::Absent => "dotted line",
        Status::Undeclared => "thin line, circles at its ends",
        Status::Unknown => "dotted line, diamonds at its ends",
    };
    let rows: Vec<String> = Status::ALL
        .into_iter()
        .map(|status| format!("{}: {}\\l", kind(status), text(status.word())))
        .collect();
    let _ = writeln!(out, "  legend [shape=note, style=filled, label=\"{}\"];", rows.concat());
}
