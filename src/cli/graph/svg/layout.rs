//! Where boxes go. Each account and Region is a box of VPCs in rows; the boxes are set in rows, and then boxes, and VPCs
//! within them, change places as long as that brings peers nearer to each other: who has many of them ends in the middle.

use super::geometry::{Area, Point};
use crate::cli::graph::model::Model;

pub const CARD: (f64, f64) = (164.0, 52.0);
/// Above the VPCs of a box, for its title.
const HEAD: f64 = 26.0;
const PAD: f64 = 16.0;
/// No more trials than this, whatever the size: some hundred milliseconds.
const TRIALS_MAX: usize = 12_000;

/// Up to so many lines each has its words beside it, and boxes leave room for them.
pub const SMALL: usize = 14;

/// How far apart things are, by how much has to be written between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaps {
    /// Between VPCs of a box, beside and below each other.
    pub card: (f64, f64),
    pub group: (f64, f64),
}

impl Gaps {
    fn of(model: &Model) -> Self {
        match model.edges.len() {
            0..=SMALL => Self { card: (190.0, 96.0), group: (230.0, 110.0) },
            15..=60 => Self { card: (84.0, 58.0), group: (84.0, 64.0) },
            _ => Self { card: (56.0, 40.0), group: (60.0, 52.0) },
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// One for each VPC, and one for each group, in the model's order.
    pub cards: Vec<Area>,
    pub groups: Vec<Area>,
    pub width: f64,
    pub height: f64,
}

/// A box of VPCs, before it has a place.
struct Block {
    /// The VPC at each of its places.
    order: Vec<usize>,
    columns: usize,
    width: f64,
    height: f64,
}

/// Who is joined to whom.
type Peers = Vec<Vec<usize>>;

pub fn layout(model: &Model) -> Layout {
    let gaps = Gaps::of(model);
    let mut peers: Peers = vec![Vec::new(); model.vpcs.len()];
    for edge in &model.edges {
        let (one, other) = (edge.ends.requester, edge.ends.accepter);
        peers[one].push(other);
        peers[other].push(one);
    }
    let mut blocks: Vec<Block> =
        (0..model.groups.len()).map(|group| Block::new(model, group, &gaps)).collect();
    let order = arrange(&blocks, model, &gaps);
    let mut layout = place(&blocks, &order, model.vpcs.len(), &gaps);
    settle(&mut blocks, &mut layout, &peers);
    layout
}

impl Block {
    fn new(model: &Model, group: usize, gaps: &Gaps) -> Self {
        let order: Vec<usize> = model.of_group(group).map(|(place, _)| place).collect();
        let columns = columns(order.len(), gaps);
        let rows = order.len().div_ceil(columns);
        let across = |count: usize, each: f64, gap: f64| count as f64 * each + (count - 1) as f64 * gap;
        // A title needs room too.
        let title = model.groups[group].title().chars().count() as f64 * 7.4;
        let width = across(columns, CARD.0, gaps.card.0).max(title) + 2.0 * PAD;
        Self { columns, width, height: across(rows, CARD.1, gaps.card.1) + HEAD + PAD, order }
    }

    /// Where its VPCs are, once it has a place.
    fn cards(&self, area: Area, gaps: &Gaps) -> Vec<Area> {
        let step = (CARD.0 + gaps.card.0, CARD.1 + gaps.card.1);
        let used = self.columns as f64 * step.0 - gaps.card.0;
        let left = area.x + (area.width - used) / 2.0;
        let card = |place: usize| {
            let (column, row) = (place % self.columns, place / self.columns);
            Area {
                x: left + column as f64 * step.0,
                y: area.y + HEAD + row as f64 * step.1,
                width: CARD.0,
                height: CARD.1,
            }
        };
        (0..self.order.len()).map(card).collect()
    }
}

/// About half as wide again as high.
fn columns(count: usize, gaps: &Gaps) -> usize {
    let (wide, high) = (CARD.0 + gaps.card.0, CARD.1 + gaps.card.1);
    let columns = (count as f64 * high * 1.5 / wide).sqrt();
    (columns + 0.5).floor().max(1.0).min(count.max(1) as f64) as usize
}

/// The order in which boxes are set in rows: one that keeps what is joined together.
fn arrange(blocks: &[Block], model: &Model, gaps: &Gaps) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    let cost = |order: &[usize]| {
        let layout = place(blocks, order, model.vpcs.len(), gaps);
        let pairs = model.edges.iter().map(|edge| (edge.ends.requester, edge.ends.accepter));
        pairs
            .map(|(one, other)| layout.cards[one].middle().to(layout.cards[other].middle()).length())
            .sum::<f64>()
    };
    let mut best = cost(&order);
    let mut trials = 0;
    loop {
        let before = best;
        for one in 0..order.len() {
            for other in one + 1..order.len() {
                if trials == TRIALS_MAX {
                    return order;
                }
                trials += 1;
                order.swap(one, other);
                let now = cost(&order);
                if now < best - 0.5 {
                    best = now;
                } else {
                    order.swap(one, other);
                }
            }
        }
        if best >= before {
            return order;
        }
    }
}

/// Boxes in rows, each row about as wide as the whole is to be, and centred.
fn place(blocks: &[Block], order: &[usize], vpcs: usize, gaps: &Gaps) -> Layout {
    let (gap_x, gap_y) = gaps.group;
    let area: f64 = blocks.iter().map(|block| (block.width + gap_x) * (block.height + gap_y)).sum();
    let widest = blocks.iter().map(|block| block.width).fold(0.0, f64::max);
    let wanted = (area * 1.7).sqrt().max(widest);
    let mut rows: Vec<(Vec<usize>, f64, f64)> = Vec::new();
    for index in order {
        let block = &blocks[*index];
        match rows.last_mut() {
            Some((row, width, height)) if *width + gap_x + block.width <= wanted + gap_x => {
                row.push(*index);
                *width += gap_x + block.width;
                *height = height.max(block.height);
            }
            _ => rows.push((vec![*index], block.width, block.height)),
        }
    }
    let width = rows.iter().map(|(_, width, _)| *width).fold(0.0, f64::max);
    let mut layout = Layout {
        cards: vec![Area::default(); vpcs],
        groups: vec![Area::default(); blocks.len()],
        width,
        height: 0.0,
    };
    for (row, row_width, row_height) in &rows {
        let mut x = (width - row_width) / 2.0;
        for index in row {
            let block = &blocks[*index];
            let y = layout.height + (row_height - block.height) / 2.0;
            let area = Area { x, y, width: block.width, height: block.height };
            layout.groups[*index] = area;
            for (vpc, card) in block.order.iter().zip(block.cards(area, gaps)) {
                layout.cards[*vpc] = card;
            }
            x += block.width + gap_x;
        }
        layout.height += row_height + gap_y;
    }
    layout.height = (layout.height - gap_y).max(0.0);
    layout
}

/// VPCs of one box change places as long as their lines grow shorter.
fn settle(blocks: &mut [Block], layout: &mut Layout, peers: &Peers) {
    let mut trials = 0;
    loop {
        let mut moved = false;
        for block in &mut *blocks {
            for one in 0..block.order.len() {
                for other in one + 1..block.order.len() {
                    if trials == 40 * TRIALS_MAX {
                        return;
                    }
                    trials += 1;
                    moved |= swapped_if_shorter(block, one, other, layout, peers);
                }
            }
        }
        if !moved {
            return;
        }
    }
}

fn swapped_if_shorter(
    block: &mut Block,
    one: usize,
    other: usize,
    layout: &mut Layout,
    peers: &Peers,
) -> bool {
    let (first, second) = (block.order[one], block.order[other]);
    let length = |cards: &[Area]| -> f64 {
        let of = |vpc: usize| {
            let middle: Point = cards[vpc].middle();
            // Nearness to many counts for each: who has many peers goes where they all are near.
            peers[vpc].iter().map(|peer| middle.to(cards[*peer].middle()).length()).sum::<f64>()
        };
        of(first) + of(second)
    };
    let before = length(&layout.cards);
    layout.cards.swap(first, second);
    if length(&layout.cards) < before - 0.5 {
        block.order.swap(one, other);
        return true;
    }
    layout.cards.swap(first, second);
    false
}
