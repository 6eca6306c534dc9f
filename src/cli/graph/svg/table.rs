//! What had no room on its line: a row for each number.

use std::fmt::Write;

use super::super::model::{Edge, Model, Status};
use super::super::words::{cut, width, xml};

const ROW: f64 = 17.0;
/// The table is written in a font of one width, so that its columns hold whatever a reader's fonts are.
const GLYPH: f64 = 6.1;
/// Between columns of a row, and between blocks of rows.
const GAP: f64 = 14.0;
const HEADS: [&str; 6] = ["No.", "VpcPeering", "state", "peering connection", "from - to", "routes"];
/// The longest texts of columns; what is longer is cut, and whole in the tooltip.
const LONGEST: [usize; 6] = [5, 34, 34, 21, 46, 34];

pub struct Table {
    rows: Vec<(Status, usize, [String; 6])>,
    columns: [f64; 6],
    /// Rows stand in so many blocks beside each other.
    blocks: usize,
    pub width: f64,
    pub height: f64,
}

impl Table {
    pub fn new(model: &Model, listed: &[usize], room: f64) -> Self {
        let rows: Vec<_> = listed
            .iter()
            .filter_map(|at| model.edges.get(*at).map(|edge| (edge.status, *at, cells(model, *at, edge))))
            .collect();
        let widest = |column: usize| {
            let all = rows.iter().map(|(_, _, cells)| width(&cells[column])).chain([HEADS[column].len()]);
            all.max().unwrap_or_default() as f64 * GLYPH
        };
        let columns: [f64; 6] = std::array::from_fn(widest);
        let block = columns.iter().map(|column| column + GAP).sum::<f64>() + 40.0;
        // As many as there is room for, and more rather than a list that nobody scrolls through.
        let blocks = ((room / (block + GAP)) as usize).max(rows.len() / 80 + 1).clamp(1, rows.len().max(1));
        let high = rows.len().div_ceil(blocks) as f64 * ROW + ROW;
        let (width, height) =
            if rows.is_empty() { (0.0, 0.0) } else { (blocks as f64 * (block + GAP), high + 36.0) };
        Self { rows, columns, blocks, width, height }
    }

    pub fn write(&self, out: &mut String, model: &Model, x: f64, y: f64) {
        if self.rows.is_empty() {
            return;
        }
        let per_block = self.rows.len().div_ceil(self.blocks);
        let step = self.width / self.blocks as f64;
        out.push_str("<g class=\"table\">\n");
        for (block, rows) in self.rows.chunks(per_block).enumerate() {
            let (x, mut y) = (x + block as f64 * step, y + 40.0);
            self.row(out, x, y, &HEADS.map(str::to_owned), "head");
            for (status, at, cells) in rows {
                y += ROW;
                let _ = write!(out, "<g data-row=\"{}\">", at + 1);
                if let Some(edge) = model.edges.get(*at) {
                    out.push_str(&super::tip(model, *at, edge));
                }
                let class = if matches!(status, Status::Lost | Status::Hurt) { "head" } else { "quiet" };
                let _ =
                    write!(out, "<path class=\"line {}\" d=\"M{x:.1} {:.1}h30\"/>", status.key(), y - 4.0);
                self.row(out, x, y, cells, class);
                out.push_str("</g>\n");
            }
        }
        out.push_str("</g>\n");
    }

    fn row(&self, out: &mut String, x: f64, y: f64, cells: &[String; 6], class: &str) {
        let mut x = x + 40.0;
        for (cell, wide) in cells.iter().zip(self.columns) {
            let _ =
                write!(out, "<text class=\"mono {class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", xml(cell));
            x += wide + GAP;
        }
    }
}

fn cells(model: &Model, at: usize, edge: &Edge) -> [String; 6] {
    let name = |place: usize| model.vpcs.get(place).map(|vpc| cut(vpc.label(), 21)).unwrap_or_default();
    let routes = edge.total();
    let all = [
        (at + 1).to_string(),
        edge.title().to_owned(),
        edge.says(),
        edge.peering.clone().unwrap_or_else(|| "-".to_owned()),
        format!("{} - {}", name(edge.ends.requester), name(edge.ends.accepter)),
        format!("{} alive, {} dead, {} missing", routes.alive, routes.dead, routes.missing),
    ];
    let mut longest = LONGEST.iter();
    all.map(|cell| cut(&cell, longest.next().copied().unwrap_or(20)))
}
