//! How lines go, and where their labels stand. For each line a few curves are tried, and the one is taken that passes
//! under the fewest boxes and runs along the fewest others.

use super::geometry::{Area, Curve, Point};
use super::layout::{Layout, SMALL};
use crate::cli::graph::model::{Edge, Model};
use crate::cli::graph::words;

/// The side of a square in which lines count as running along each other.
const CELL: f64 = 14.0;
const STEPS: usize = 72;

/// A line and what is written on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub curve: Curve,
    pub label: Label,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    /// There was room for all of it.
    Full { area: Area, lines: Vec<String> },
    /// Its number, which the table explains.
    Number { area: Area },
}

impl Label {
    pub fn area(&self) -> Area {
        match self {
            Self::Full { area, .. } | Self::Number { area } => *area,
        }
    }
}

/// What is taken already.
struct Ground<'a> {
    layout: &'a Layout,
    /// So few lines that each may have its words.
    is_small: bool,
    columns: usize,
    rows: usize,
    /// How many lines pass here.
    passed: Vec<u16>,
    /// The VPC whose box is here.
    card: Vec<Option<usize>>,
}

pub fn route(model: &Model, layout: &Layout) -> Vec<Line> {
    let mut ground = Ground::new(layout, model.edges.len() <= SMALL);
    let mut curves = Vec::with_capacity(model.edges.len());
    for edge in &model.edges {
        let curve = ground.best(edge.ends.requester, edge.ends.accepter);
        ground.pass(&curve);
        curves.push(curve);
    }
    let mut degree = vec![0usize; model.vpcs.len()];
    for edge in &model.edges {
        degree[edge.ends.requester] += 1;
        degree[edge.ends.accepter] += 1;
    }
    let mut taken: Vec<Area> = layout.groups.iter().map(|group| Area { height: 22.0, ..*group }).collect();
    let mut lines = Vec::with_capacity(curves.len());
    for (number, (edge, curve)) in model.edges.iter().zip(curves).enumerate() {
        let (from, to) = (degree[edge.ends.requester], degree[edge.ends.accepter]);
        let label = ground.label(edge, number + 1, &curve, (from, to), &taken);
        taken.push(label.area());
        lines.push(Line { curve, label });
    }
    lines
}

/// What stands on a line where there is room for it.
fn full(edge: &Edge) -> Vec<String> {
    let mut lines = vec![edge.title().to_owned(), edge.says()];
    lines.extend(edge.peering.clone());
    lines.push(edge.total().to_string());
    lines
}

/// In the sizes that labels are written in.
fn size(lines: &[String]) -> (f64, f64) {
    let columns = lines.iter().map(|line| words::width(line)).max().unwrap_or_default();
    (columns as f64 * 6.1 + 14.0, lines.len() as f64 * 13.0 + 8.0)
}

impl<'a> Ground<'a> {
    fn new(layout: &'a Layout, is_small: bool) -> Self {
        let (columns, rows) = ((layout.width / CELL) as usize + 2, (layout.height / CELL) as usize + 2);
        let mut ground = Self {
            layout,
            is_small,
            columns,
            rows,
            passed: vec![0; columns * rows],
            card: vec![None; columns * rows],
        };
        for (vpc, card) in layout.cards.iter().enumerate() {
            for row in (card.y / CELL) as usize..=((card.y + card.height) / CELL) as usize {
                for column in (card.x / CELL) as usize..=((card.x + card.width) / CELL) as usize {
                    if let Some(cell) = ground.card.get_mut(row * columns + column) {
                        *cell = Some(vpc);
                    }
                }
            }
        }
        ground
    }

    fn cell(&self, at: Point) -> Option<usize> {
        if at.x < 0.0 || at.y < 0.0 {
            return None;
        }
        let (column, row) = ((at.x / CELL) as usize, (at.y / CELL) as usize);
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    fn pass(&mut self, curve: &Curve) {
        let mut last = None;
        for step in 0..=STEPS {
            let cell = self.cell(curve.at(step as f64 / STEPS as f64));
            if let Some(cell) = cell.filter(|_| cell != last) {
                self.passed[cell] = self.passed[cell].saturating_add(1);
            }
            last = cell;
        }
    }

    fn best(&self, one: usize, other: usize) -> Curve {
        let (from, to) = (self.layout.cards[one], self.layout.cards[other]);
        let mut best: Option<(f64, Curve)> = None;
        for curve in candidates(from, to) {
            let cost = self.cost(&curve, one, other);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, curve));
            }
        }
        let fallback = straight(from.middle(), to.middle());
        best.map_or(fallback, |(_, curve)| curve).outside(from, to)
    }

    /// In lengths: a pixel under somebody's box is worth a detour of several.
    fn cost(&self, curve: &Curve, one: usize, other: usize) -> f64 {
        let mut cost = 0.0;
        let mut before = curve.from;
        for step in 1..=STEPS {
            let at = curve.at(step as f64 / STEPS as f64);
            let long = before.to(at).length();
            before = at;
            let weight = match self.cell(at) {
                None => 6.0,
                Some(cell) => match self.card[cell] {
                    Some(vpc) if vpc != one && vpc != other => 7.0,
                    Some(_) => 1.0,
                    None => 1.0 + 0.35 * f64::from(self.passed[cell].min(8)),
                },
            };
            cost += long * weight;
        }
        cost
    }

    fn label(
        &self,
        edge: &Edge,
        number: usize,
        curve: &Curve,
        degree: (usize, usize),
        taken: &[Area],
    ) -> Label {
        let lines = full(edge);
        let size = size(&lines);
        // Among few lines a label may stand on two of them: its own leads through its middle.
        let spot = |crossing: u16| self.free(curve, size, &MIDDLE, taken, crossing);
        if let Some(area) = self.is_small.then(|| spot(0).or_else(|| spot(1))).flatten() {
            return Label::Full { area, lines };
        }
        let size = (number.to_string().len() as f64 * 6.4 + 9.0, 14.0);
        // Where many lines meet, numbers stand at the other end.
        let mut places = match degree {
            (from, to) if from > to + 2 => TOWARDS_END.to_vec(),
            (from, to) if to > from + 2 => TOWARDS_END.map(|t| 1.0 - t).to_vec(),
            _ => Vec::new(),
        };
        places.extend(MIDDLE);
        let free =
            self.free(curve, size, &places, taken, 1).or_else(|| self.free(curve, size, &places, taken, 3));
        let free = free.or_else(|| self.free(curve, size, &FINE, taken, u16::MAX));
        let area = free.unwrap_or_else(|| Area::around(curve.at(0.5), size.0, size.1));
        Label::Number { area }
    }

    /// The first place on the line where a label covers no box and no other label, and no more than so many other lines.
    fn free(
        &self,
        curve: &Curve,
        size: (f64, f64),
        places: &[f64],
        taken: &[Area],
        crossing: u16,
    ) -> Option<Area> {
        let whole = Area { x: 0.0, y: 0.0, width: self.layout.width, height: self.layout.height };
        // Beyond the boxes there is room, but a picture is not to grow for it unless it is small.
        let whole = whole.grown(if self.is_small { 140.0 } else { 12.0 });
        let fits = |area: &Area| {
            let wide = area.grown(3.0);
            area.is_within(whole)
                && !self.layout.cards.iter().any(|card| card.meets(wide))
                && !taken.iter().any(|other| other.meets(wide))
                && self.others_under(*area, curve) <= crossing
        };
        let spots = |aside: f64| {
            places.iter().map(move |t| {
                let at = curve.at(*t);
                Area::around(Point::new(at.x + aside * size.0, at.y), size.0, size.1)
            })
        };
        spots(0.0).chain(spots(0.3)).chain(spots(-0.3)).find(fits)
    }

    /// How many other lines pass at most in one square under this.
    fn others_under(&self, area: Area, own: &Curve) -> u16 {
        let mine: Vec<Option<usize>> =
            (0..=STEPS).map(|step| self.cell(own.at(step as f64 / STEPS as f64))).collect();
        let mut most = 0;
        let (mut y, bottom) = (area.y, area.y + area.height);
        while y < bottom {
            let (mut x, right) = (area.x, area.x + area.width);
            while x < right {
                if let Some(cell) = self.cell(Point::new(x, y)) {
                    let own = u16::from(mine.contains(&Some(cell)));
                    most = most.max(self.passed[cell].saturating_sub(own));
                }
                x += CELL / 2.0;
            }
            y += CELL / 2.0;
        }
        most
    }
}

const MIDDLE: [f64; 9] = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74];
const TOWARDS_END: [f64; 6] = [0.86, 0.8, 0.9, 0.74, 0.68, 0.94];
const FINE: [f64; 13] = [0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9];

fn straight(from: Point, to: Point) -> Curve {
    let way = from.to(to);
    Curve { from, first: from.plus(way, 1.0 / 3.0), second: from.plus(way, 2.0 / 3.0), to }
}

/// Straight, bent to either side, and such as leave and arrive level or upright, through the lanes between boxes.
fn candidates(one: Area, other: Area) -> Vec<Curve> {
    let (from, to) = (one.middle(), other.middle());
    let way = from.to(to);
    let across = Point::new(-way.y, way.x);
    let bent = |by: f64, again: f64| Curve {
        from,
        first: from.plus(way, 0.3).plus(across, by),
        second: from.plus(way, 0.7).plus(across, again),
        to,
    };
    let mut all = vec![straight(from, to)];
    for by in [0.08, 0.16, 0.26, 0.4, 0.6] {
        all.extend([bent(by, by), bent(-by, -by)]);
    }
    for by in [0.15, 0.3] {
        all.extend([bent(by, -by), bent(-by, by)]);
    }
    for share in [0.35, 0.6, 0.9] {
        let level = Point::new(way.x * share, 0.0);
        let upright = Point::new(0.0, way.y * share);
        let tied = |out: Point, home: Point| Curve {
            from,
            first: from.plus(out, 1.0),
            second: to.plus(home, -1.0),
            to,
        };
        all.extend([tied(level, level), tied(upright, upright), tied(level, upright), tied(upright, level)]);
    }
    // Out into the lane beside or below both, and back.
    for lane in [60.0, 110.0, 170.0] {
        for (x, y) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
            let out = Point::new(x * lane * 1.6, y * lane);
            all.push(Curve { from, first: from.plus(out, 1.0), second: to.plus(out, 1.0), to });
        }
    }
    all
}
