//! For a comment on a pull request: what will cut traffic comes first, and what is long is folded.

use std::fmt::Write;

use super::text::{counted, sign, summary_line};
use super::{ActionView, PeeringView, PlanView, Status};

/// GitHub takes 65,536 characters in a comment, GitLab a million: what is beyond this is counted and not spelt out.
const LONGEST: usize = 60_000;

pub fn plan(view: &PlanView) -> String {
    let mut out = format!("### Peerkeeper: {}\n\n", view.title.to_lowercase());
    let _ = writeln!(out, "{}\n", summary_line(view));
    traffic(&mut out, view);
    let (quiet, loud): (Vec<_>, Vec<_>) =
        view.peerings.iter().partition(|peering| peering.status == Status::InSync);
    let mut left_out = 0;
    for peering in loud {
        let mut text = String::new();
        one(&mut text, peering);
        if out.len() + text.len() > LONGEST {
            left_out += 1;
        } else {
            out.push_str(&text);
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "_{left_out} more VpcPeerings are left out: the comment would be too long._\n");
    }
    if !quiet.is_empty() {
        let names: Vec<String> = quiet.iter().map(|peering| code(&title(peering))).collect();
        let _ = writeln!(
            out,
            "<details><summary>{} in sync</summary>\n\n{}\n\n</details>\n",
            quiet.len(),
            names.join(", ")
        );
    }
    for note in &view.notes {
        let _ = writeln!(out, "> {}\n", plain(note));
    }
    if !view.skipped.is_empty() {
        let _ = writeln!(out, "_Skipped: {}._", plain(&counted(view)));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn title(peering: &PeeringView) -> String {
    format!("{}/{}", peering.namespace, peering.name)
}

/// What cuts or moves traffic, before anything else.
fn traffic(out: &mut String, view: &PlanView) {
    let all = || {
        view.peerings.iter().flat_map(|peering| peering.actions.iter().map(move |action| (peering, action)))
    };
    let mut say = |words: &str, of: &dyn Fn(&ActionView) -> Option<&String>| {
        for (peering, action) in all() {
            if let Some(what) = of(action) {
                let _ = writeln!(
                    out,
                    "- {words}: {} - {} ({})",
                    code(&title(peering)),
                    plain(what),
                    plain(&action.what)
                );
            }
        }
    };
    say("**Cuts traffic**", &|action| action.cuts.as_ref());
    say("**Moves traffic**", &|action| action.moves.as_ref());
    if view.summary.cuts + view.summary.moves > 0 {
        out.push('\n');
    }
}

fn one(out: &mut String, peering: &PeeringView) {
    let PeeringView { requester, accepter, peering_id, aws_state, actions, holds, manifest, .. } = peering;
    let state = match peering.status {
        Status::InSync => "in sync",
        Status::ToChange => "to change",
        Status::Held => "held",
        Status::Unknown => "unknown",
    };
    let id = peering_id.as_ref().map(|id| format!("{} is ", code(id))).unwrap_or_default();
    let end = |vpc: &str, account: &str, region: &str| format!("{} in {account}/{region}", code(vpc));
    let _ = writeln!(out, "#### {}: {state}\n", code(&title(peering)));
    let _ = writeln!(
        out,
        "{} -> {}: {id}{aws_state} ({})\n",
        end(&requester.vpc, &requester.account, &requester.region),
        end(&accepter.vpc, &accepter.account, &accepter.region),
        code(manifest),
    );
    for hold in holds {
        let _ = writeln!(out, "- **{}**: {}", hold.reason, plain(&hold.message));
    }
    if !holds.is_empty() {
        out.push('\n');
    }
    if actions.is_empty() {
        return;
    }
    let folded = actions.len() > 5;
    if folded {
        let _ = writeln!(out, "<details><summary>{} actions</summary>\n", actions.len());
    }
    out.push_str("```diff\n");
    for action in actions {
        // A diff's own signs: what is changed counts as neither added nor removed.
        let sign = if sign(action) == "~" { "!" } else { sign(action) };
        let _ =
            writeln!(out, "{sign} {}. {} ({}/{})", action.wave, action.what, action.account, action.region);
        let _ = writeln!(out, "#    {}", action.why);
    }
    out.push_str("```\n");
    if folded {
        out.push_str("\n</details>\n");
    }
    out.push('\n');
}

/// Names and tags come from anybody: they must not become markup, or mention somebody.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '*' | '_' | '`' | '[' | ']' | '|' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n', '\r'], "'"))
}
