//! Routes as rectangles of route tables and destinations: a few entries for what would be thousands.
//!
//! What is declared is a handful of rectangles, so that what is remembered mostly is too. It is not where a part of the
//! routes is another object's, or was adopted, or still leads to a lost peering. Then the text grows with how often a
//! table or a destination is named, and the grouping that names the fewest wins.

use peerkeeper_core::ids::{Destination, RouteTableId};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

pub(super) type Cell = (RouteTableId, Destination);

/// Every table of it has a route to every destination of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rectangle {
    pub tables: Vec<RouteTableId>,
    pub destinations: Vec<Destination>,
}

/// How many columns are looked at together; `usize::MAX` is all of them.
///
/// Rows that have the same cells in those columns become one rectangle, so a row is named at most once for each block
/// instead of once for each cell. Small blocks suit wild shapes, all columns at once suit tame ones.
const BLOCKS: [usize; 8] = [usize::MAX, 1, 2, 3, 4, 6, 8, 12];

/// Roughly what a rectangle costs in status beside its words.
const FRAME_BYTES: usize = 110;
/// Quotes and a comma.
const WORD_BYTES: usize = 3;

/// The cells as disjoint rectangles that cover them exactly; the same for the same cells, whatever came before.
pub(super) fn rectangles(cells: &BTreeSet<Cell>) -> Vec<Rectangle> {
    let (tables, table_at) = Words::of(cells.iter().map(|(table, _)| *table));
    let (destinations, destination_at) = Words::of(cells.iter().map(|(_, destination)| *destination));
    // By number from here on: it is ten times as fast.
    let upright: Vec<(usize, usize)> =
        cells.iter().map(|(table, destination)| (table_at[table], destination_at[destination])).collect();
    let mut flat: Vec<(usize, usize)> = upright.iter().map(|(t, d)| (*d, *t)).collect();
    flat.sort_unstable();
    let mut best: Option<(usize, Vec<Numbered>)> = None;
    for block in BLOCKS {
        let flipped = |(destinations, tables)| (tables, destinations);
        let by_destinations = grouped(&flat, block).into_iter().map(flipped).collect();
        for found in [grouped(&upright, block), by_destinations] {
            let size = found.iter().map(|(t, d)| FRAME_BYTES + tables.size(t) + destinations.size(d)).sum();
            if best.as_ref().is_none_or(|(least, _)| size < *least) {
                best = Some((size, found));
            }
        }
        // One rectangle can't be bettered.
        if best.as_ref().is_some_and(|(_, found)| found.len() <= 1) {
            break;
        }
    }
    let named = |(t, d): (Vec<usize>, Vec<usize>)| Rectangle {
        tables: tables.named(&t),
        destinations: destinations.named(&d),
    };
    let mut found: Vec<Rectangle> =
        best.map(|(_, found)| found.into_iter().map(named).collect()).unwrap_or_default();
    found.sort();
    found
}

/// Tables and destinations, by their numbers.
type Numbered = (Vec<usize>, Vec<usize>);

/// Numbered words, in order, with the bytes that each takes.
struct Words<T> {
    all: Vec<T>,
    bytes: Vec<usize>,
}

impl<T: Copy + Ord + Display> Words<T> {
    fn of(words: impl Iterator<Item = T>) -> (Self, BTreeMap<T, usize>) {
        let all: Vec<T> = words.collect::<BTreeSet<T>>().into_iter().collect();
        let bytes = all.iter().map(|word| word.to_string().len() + WORD_BYTES).collect();
        let numbers = all.iter().enumerate().map(|(number, word)| (*word, number)).collect();
        (Self { all, bytes }, numbers)
    }

    fn size(&self, numbers: &[usize]) -> usize {
        numbers.iter().map(|number| self.bytes[*number]).sum()
    }

    fn named(&self, numbers: &[usize]) -> Vec<T> {
        numbers.iter().map(|number| self.all[*number]).collect()
    }
}

/// Rows with the same cells within a block of columns, together with those cells. `cells` are in order.
fn grouped(cells: &[(usize, usize)], block: usize) -> Vec<Numbered> {
    let in_one_row_and_block =
        |one: &(usize, usize), next: &(usize, usize)| one.0 == next.0 && one.1 / block == next.1 / block;
    let patterns: Vec<(usize, Vec<usize>)> = cells
        .chunk_by(in_one_row_and_block)
        .map(|run| (run[0].0, run.iter().map(|(_, column)| *column).collect()))
        .collect();
    let mut rows: BTreeMap<&[usize], Vec<usize>> = BTreeMap::new();
    for (row, pattern) in &patterns {
        rows.entry(pattern).or_default().push(*row);
    }
    rows.into_iter().map(|(columns, rows)| (rows, columns.to_vec())).collect()
}
