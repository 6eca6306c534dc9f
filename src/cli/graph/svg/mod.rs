//! A picture of its own: no script, no font and no file from elsewhere.
//!
//! Why not a layout of somebody's: layered ones, of which there are several, set the hundred spokes of a hub in one rank
//! some ten thousand pixels wide, and no library that was found keeps accounts and Regions together otherwise. `layout`
//! says where boxes go, `route` how lines go, and this writes it down.

mod geometry;
mod layout;
mod route;
mod table;

use std::fmt::Write;

use super::model::{Edge, Model, Presence, Status, Vpc};
use super::words::{cut, width, xml};
use geometry::Area;
use layout::Layout;
use route::{Label, Line};

const MARGIN: f64 = 24.0;
const TITLE_ROW: f64 = 23.0;
const LEGEND_ROW: f64 = 22.0;

/// Colours stand beside words and dashes, never alone. A page that is dark gets a dark picture: it has a ground of its own.
const STYLE: &str = "
.paper{fill:#ffffff}.ground{fill:#f3f5f8}.group{fill:#f3f5f8;stroke:#aab4c2}.card{fill:#ffffff;stroke:#5a6778}
.missing .card{stroke:#c42338;stroke-width:2.5;stroke-dasharray:6 3}.unread .card{stroke-dasharray:3 3}
text{fill:#1c2430;font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:11px}
.mono{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:10px}
.title{font-size:16px;font-weight:600}.name{font-size:12px;font-weight:600}.mono.name{font-size:11px}.head{font-weight:600}
.quiet{fill:#566374}.alarm{fill:#c42338;font-weight:700}.label{fill:#ffffff;fill-opacity:.93;stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linecap:butt}.wide{fill:none;stroke:#ffffff;stroke-opacity:.7;stroke-width:5}
.live{stroke:#2d6ca8}.hurt{stroke:#b35c00}.lost{stroke:#c42338}.pending{stroke:#7440c4}
.absent,.unknown{stroke:#5a6778}.undeclared{stroke:#13776a}
.line.hurt{stroke-width:3.5;stroke-dasharray:18 4 4 4}.line.lost{stroke-width:3.5;stroke-dasharray:11 7}
.line.pending{stroke-dasharray:5 4}.line.absent{stroke-dasharray:2 5}.line.unknown{stroke-dasharray:1 8}
.line.undeclared{stroke-dasharray:16 4 2 4 2 4}
.many .line{stroke-width:1.4}.many .line.live{stroke-opacity:.7}.many .wide{stroke-opacity:0}.many .line.lost,.many .line.hurt{stroke-width:3}
.edge:hover .line{stroke-width:6}
@media (prefers-color-scheme:dark){
.paper{fill:#12171f}.ground{fill:#1b222d}.group{fill:#1b222d;stroke:#46536a}.card{fill:#12171f;stroke:#93a1b5}
text{fill:#e6ebf2}.quiet{fill:#a3b0c2}.alarm{fill:#ff7a8a}.label{fill:#12171f}.wide{stroke:#12171f}
.live{stroke:#6db1f2}.hurt{stroke:#f0a040}.lost{stroke:#ff6b7f}.pending{stroke:#b894ff}
.absent,.unknown{stroke:#a3b0c2}.undeclared{stroke:#4fc9b4}.missing .card{stroke:#ff6b7f}
}
";

/// The same model gives the same bytes.
pub fn write(model: &Model) -> String {
    let layout = layout::layout(model);
    let lines = route::route(model, &layout);
    let listed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| matches!(line.label, Label::Number { .. }))
        .map(|(at, _)| at)
        .collect();
    let drawn = extent(&layout, &lines);
    let table = table::Table::new(model, &listed, drawn.width);
    let width = drawn.width.max(table.width).max(680.0) + 2.0 * MARGIN;
    let (title, title_height) = flowing(&model.summary_parts(), width);
    let (legend, legend_height) = legend(width, title_height + 18.0);
    let top = title_height + legend_height + 30.0;
    let height = top + drawn.height + table.height + MARGIN;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"what summary\">"
    );
    let _ = writeln!(out, "<title id=\"what\">VPC peerings, declared and live</title>");
    let _ = writeln!(out, "<desc id=\"summary\">{}</desc>", xml(&model.summary()));
    let _ = writeln!(out, "<style>{STYLE}</style>");
    let _ = writeln!(out, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>");
    out.push_str(&title);
    out.push_str(&legend);
    let many = if model.edges.len() > 60 { " class=\"many\"" } else { "" };
    let (left, down) = ((width - drawn.width) / 2.0 - drawn.x, top - drawn.y);
    let _ = writeln!(out, "<g{many} transform=\"translate({left:.1} {down:.1})\">");
    draw(&mut out, model, &layout, &lines);
    out.push_str("</g>\n");
    table.write(&mut out, model, MARGIN, top + drawn.height);
    out.push_str("</svg>\n");
    out
}

/// Where VPCs are drawn.
#[cfg(test)]
pub fn areas(model: &Model) -> Vec<Area> {
    layout::layout(model).cards
}

fn draw(out: &mut String, model: &Model, layout: &Layout, lines: &[Line]) {
    for area in &layout.groups {
        let Area { x, y, width, height } = *area;
        let _ = writeln!(
            out,
            "<rect class=\"group\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>"
        );
    }
    // What is wrong is drawn last, over what is well.
    let of = |at: usize| (at, &model.edges[at], &lines[at]);
    for (at, edge, line) in (0..lines.len()).rev().map(of) {
        stroke(out, model, at, edge, line);
    }
    for (group, area) in model.groups.iter().zip(&layout.groups) {
        heading(out, &group.title(), *area);
    }
    for (vpc, area) in model.vpcs.iter().zip(&layout.cards) {
        card(out, vpc, *area);
    }
    for (at, edge, line) in (0..lines.len()).rev().map(of) {
        label(out, at, edge, &line.label);
    }
}

/// On a ground of its own: lines pass behind it.
fn heading(out: &mut String, title: &str, area: Area) {
    let (x, y) = (area.x + 8.0, area.y + 4.0);
    let wide = (width(title) as f64 * 7.3 + 8.0).min(area.width - 16.0);
    let _ = writeln!(
        out,
        "<rect class=\"ground\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"17\" rx=\"3\"/><text class=\"head\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x + 4.0,
        y + 13.0,
        xml(title)
    );
}

/// All that is known of an edge, shown where a pointer rests.
fn tip(model: &Model, at: usize, edge: &Edge) -> String {
    let lines: Vec<String> = edge.details(model).iter().map(|line| xml(line)).collect();
    format!("<title>{}. {}</title>", at + 1, lines.join("\n"))
}

fn stroke(out: &mut String, model: &Model, at: usize, edge: &Edge, line: &Line) {
    let curve = &line.curve;
    let d = format!(
        "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
        curve.from.x,
        curve.from.y,
        curve.first.x,
        curve.first.y,
        curve.second.x,
        curve.second.y,
        curve.to.x,
        curve.to.y
    );
    let _ = writeln!(
        out,
        "<g class=\"edge\" data-edge=\"{}\">{}<path class=\"wide\" d=\"{d}\"/><path class=\"line {}\" d=\"{d}\"/></g>",
        at + 1,
        tip(model, at, edge),
        edge.status.key()
    );
}

fn card(out: &mut String, vpc: &Vpc, area: Area) {
    let class = match vpc.presence {
        Presence::Seen => "vpc",
        Presence::Missing => "vpc missing",
        Presence::Unread => "vpc unread",
    };
    let Area { x, y, width, height } = area;
    let mut tip = vec![vpc.label(), vpc.id.as_str()];
    tip.dedup();
    tip.extend(vpc.cidrs.iter().map(String::as_str));
    tip.extend(vpc.note());
    let tip: Vec<String> = tip.into_iter().map(xml).collect();
    let _ = write!(
        out,
        "<g class=\"{class}\" data-vpc=\"{}\"><title>{}</title><rect class=\"card\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\"/>",
        xml(&vpc.id),
        tip.join("\n")
    );
    let mut rows: Vec<(&str, String)> = Vec::new();
    match &vpc.name {
        Some(name) => {
            rows.push(("name", cut(name, 20)));
            rows.push(("mono quiet", cut(&vpc.id, 24)));
        }
        None => rows.push(("mono name", cut(&vpc.id, 22))),
    }
    match (vpc.note(), vpc.cidrs.as_slice()) {
        (Some(note), _) if vpc.presence == Presence::Missing => rows.push(("alarm", note.to_owned())),
        (Some(note), []) => rows.push(("quiet", note.to_owned())),
        (_, []) => {}
        (_, [one]) => rows.push(("mono", cut(one, 24))),
        (_, [one, more @ ..]) => rows.push(("mono", format!("{} +{}", cut(one, 20), more.len()))),
    }
    let first = y + (height - rows.len() as f64 * 14.5) / 2.0 + 11.5;
    for (row, (class, words)) in rows.iter().enumerate() {
        let y = first + row as f64 * 14.5;
        let _ =
            write!(out, "<text class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + 9.0, xml(words));
    }
    out.push_str("</g>\n");
}

fn label(out: &mut String, at: usize, edge: &Edge, label: &Label) {
    let Area { x, y, width, height } = label.area();
    let key = edge.status.key();
    let _ = write!(
        out,
        "<g><rect class=\"label {key}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"4\"/>"
    );
    match label {
        Label::Number { .. } => {
            let class = if matches!(edge.status, Status::Lost | Status::Hurt) { "alarm" } else { "quiet" };
            let (x, y) = (x + width / 2.0, y + 11.0);
            let _ = write!(
                out,
                "<text class=\"{class}\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                at + 1
            );
        }
        Label::Full { lines, .. } => {
            for (row, words) in lines.iter().enumerate() {
                let class = match row {
                    0 => "head",
                    1 if edge.status == Status::Lost => "alarm",
                    _ => "quiet",
                };
                let y = y + 15.0 + row as f64 * 13.0;
                let _ = write!(
                    out,
                    "<text class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                    x + 7.0,
                    xml(words)
                );
            }
        }
    }
    out.push_str("</g>\n");
}

/// Everything that is drawn, labels and lines that lead around boxes too.
fn extent(layout: &Layout, lines: &[Line]) -> Area {
    let whole = Area { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
    let areas = lines.iter().flat_map(|line| [line.curve.area(), line.label.area()]);
    areas.fold(whole, |all, area| all.with(area.grown(3.0)))
}

/// What it is, in as many rows as it takes.
fn flowing(parts: &[String], room: f64) -> (String, f64) {
    let mut rows: Vec<String> = Vec::new();
    for part in parts {
        match rows.last_mut() {
            Some(row) if (width(row) + 3 + width(part)) as f64 * 9.2 < room - 2.0 * MARGIN => {
                row.push_str(" · ");
                row.push_str(part);
            }
            _ => rows.push(part.clone()),
        }
    }
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let y = 32.0 + at as f64 * TITLE_ROW;
        let _ = writeln!(out, "<text class=\"title\" x=\"{MARGIN:.0}\" y=\"{y:.0}\">{}</text>", xml(row));
    }
    (out, 20.0 + rows.len() as f64 * TITLE_ROW)
}

/// Every kind of line with its word, in as many rows as it takes.
fn legend(width: f64, top: f64) -> (String, f64) {
    let mut out = String::from("<g class=\"legend\">\n");
    let (mut x, mut y) = (MARGIN, top);
    for status in Status::ALL {
        let words = status.word();
        let long = words.chars().count() as f64 * 6.4 + 56.0 + 18.0;
        if x + long > width - MARGIN && x > MARGIN {
            (x, y) = (MARGIN, y + LEGEND_ROW);
        }
        let _ = writeln!(
            out,
            "<path class=\"line {}\" d=\"M{x:.1} {y:.1}h48\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            status.key(),
            x + 56.0,
            y + 4.0,
            xml(words)
        );
        x += long;
    }
    out.push_str("</g>\n");
    (out, y - top + LEGEND_ROW)
}
