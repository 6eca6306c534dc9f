//! For people.

use std::fmt::Write;

use super::{ActionView, PeeringView, PlanView, Status, Style, Summary};

pub fn plan(view: &PlanView, style: Style) -> String {
    let mut out = String::new();
    for peering in &view.peerings {
        one(&mut out, peering, style);
    }
    for note in &view.notes {
        line(&mut out, &format!("Note: {note}"));
    }
    if !view.skipped.is_empty() {
        line(&mut out, &style.quiet(&format!("Skipped: {}.", counted(view))));
    }
    line(&mut out, &summary(view, style));
    out
}

/// Writing to a String can't fail.
fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

/// Objects that are none of ours, by kind.
pub fn counted(view: &PlanView) -> String {
    let kinds: Vec<String> = view.skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    kinds.join(", ")
}

fn one(out: &mut String, peering: &PeeringView, style: Style) {
    let PeeringView {
        namespace,
        name,
        manifest,
        requester,
        accepter,
        status,
        peering_id,
        aws_state,
        actions,
        adopts,
        holds,
    } = peering;
    let title = style.bold(&format!("VpcPeering {namespace}/{name}"));
    let id = peering_id.as_ref().map(|id| format!("{id} is ")).unwrap_or_default();
    let state = match status {
        Status::InSync if *adopts => style.good("in sync, to be adopted"),
        Status::InSync => style.good("in sync"),
        Status::ToChange => style.changed("to change"),
        Status::Held => style.bad("held"),
        Status::Unknown => style.bad("unknown"),
    };
    line(out, &format!("{title}: {state} {}", style.quiet(&format!("({manifest})"))));
    line(
        out,
        &format!(
            "  {} in {}/{} -> {} in {}/{}: {id}{aws_state}, routes {}/{} and {}/{}",
            requester.vpc,
            requester.account,
            requester.region,
            accepter.vpc,
            accepter.account,
            accepter.region,
            requester.routes_in_sync,
            requester.routes_declared,
            accepter.routes_in_sync,
            accepter.routes_declared,
        ),
    );
    for action in actions {
        act(out, action, style);
    }
    for hold in holds {
        line(out, &format!("  {} {}: {}", style.bad("!"), hold.reason, hold.message));
    }
    line(out, "");
}

fn act(out: &mut String, action: &ActionView, style: Style) {
    let ActionView { wave, call: _, side, account, region, what, why, cuts, moves } = action;
    let sign = sign(action);
    let painted = if cuts.is_some() { style.bad(sign) } else { style.changed(sign) };
    line(out, &format!("  {wave}. {painted} {what} ({side}: {account}/{region})"));
    line(out, &style.quiet(&format!("       {why}")));
    if let Some(what) = cuts {
        line(out, &style.bad(&format!("       CUTS TRAFFIC: {what}")));
    }
    if let Some(what) = moves {
        line(out, &style.changed(&format!("       MOVES TRAFFIC: {what}")));
    }
}

/// As in a diff.
pub fn sign(action: &ActionView) -> &'static str {
    match action.call {
        "CreateVpcPeeringConnection" | "CreateRoute" => "+",
        "DeleteVpcPeeringConnection" | "DeleteRoute" | "DeleteTags" => "-",
        _ => "~",
    }
}

fn summary(view: &PlanView, style: Style) -> String {
    let text = summary_line(view);
    let summary = &view.summary;
    match summary {
        _ if summary.cuts > 0 || summary.held + summary.unknown > 0 => style.bad(&text),
        _ if summary.actions > 0 => style.changed(&text),
        _ => style.good(&text),
    }
}

/// The plan in one line.
pub fn summary_line(view: &PlanView) -> String {
    let PlanView { title, summary, .. } = view;
    let Summary { peerings, in_sync, to_adopt, to_change, held, unknown, actions, cuts, moves } = summary;
    let counted = |count: usize, one: &str, many: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
    };
    let mut text = format!("{title}: {}, {in_sync} in sync", counted(*peerings, "peering", "peerings"));
    if *to_adopt > 0 {
        let _ = write!(text, " ({to_adopt} to be adopted, by tags alone)");
    }
    if *to_change > 0 {
        let _ = write!(text, ", {to_change} to change with {}", counted(*actions, "action", "actions"));
    }
    if *held > 0 {
        let _ = write!(text, ", {held} held");
    }
    if *unknown > 0 {
        let _ = write!(text, ", {unknown} unknown");
    }
    text.push('.');
    let cuts = counted(*cuts, "action cuts", "actions cut");
    let moves = counted(*moves, "action moves", "actions move");
    match (summary.cuts, summary.moves) {
        (0, 0) if *actions > 0 => text.push_str(" No traffic is cut or moved."),
        (0, 0) => {}
        (0, _) => {
            let _ = write!(text, " {moves} traffic.");
        }
        (_, 0) => {
            let _ = write!(text, " {cuts} traffic.");
        }
        (_, _) => {
            let _ = write!(text, " {cuts} traffic, {moves} it.");
        }
    }
    text
}
