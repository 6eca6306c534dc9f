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
    let flipped: BTreeSet<(Destination, RouteTableId)> = cells.iter().map(|(t, d)| (*d, *t)).collect();
    let (tables, destinations) = (lengths(cells), lengths(&flipped));
    let mut best: Option<(usize, Vec<Rectangle>)> = None;
    for block in BLOCKS {
        let by_tables = grouped(cells, block)
            .into_iter()
            .map(|(tables, destinations)| Rectangle { tables, destinations });
        let by_destinations = grouped(&flipped, block)
            .into_iter()
            .map(|(destinations, tables)| Rectangle { tables, destinations });
        for mut found in [by_tables.collect::<Vec<_>>(), by_destinations.collect()] {
            let size = size(&found, &tables, &destinations);
            if best.as_ref().is_none_or(|(least, _)| size < *least) {
                found.sort();
                best = Some((size, found));
            }
        }
        // One rectangle can't be bettered.
        if best.as_ref().is_some_and(|(_, found)| found.len() <= 1) {
            break;
        }
    }
    best.map(|(_, found)| found).unwrap_or_default()
}

/// Rows with the same cells within a block of columns, together with those cells.
fn grouped<R: Copy + Ord, C: Copy + Ord>(cells: &BTreeSet<(R, C)>, block: usize) -> Vec<(Vec<R>, Vec<C>)> {
    let columns: BTreeSet<C> = cells.iter().map(|(_, column)| *column).collect();
    let block_of: BTreeMap<C, usize> =
        columns.into_iter().enumerate().map(|(at, column)| (column, at / block)).collect();
    let mut patterns: BTreeMap<(usize, R), Vec<C>> = BTreeMap::new();
    for (row, column) in cells {
        let at = block_of.get(column).copied().unwrap_or_default();
        patterns.entry((at, *row)).or_default().push(*column);
    }
    let mut rows_by_pattern: BTreeMap<Vec<C>, Vec<R>> = BTreeMap::new();
    for ((_, row), pattern) in patterns {
        rows_by_pattern.entry(pattern).or_default().push(row);
    }
    rows_by_pattern.into_iter().map(|(columns, rows)| (rows, columns)).collect()
}

fn lengths<R: Copy + Ord + Display, C>(cells: &BTreeSet<(R, C)>) -> BTreeMap<R, usize> {
    let rows: BTreeSet<R> = cells.iter().map(|(row, _)| *row).collect();
    rows.into_iter().map(|row| (row, row.to_string().len() + WORD_BYTES)).collect()
}

fn size(
    rectangles: &[Rectangle],
    tables: &BTreeMap<RouteTableId, usize>,
    destinations: &BTreeMap<Destination, usize>,
) -> usize {
    let one = |rectangle: &Rectangle| {
        let tables: usize = rectangle.tables.iter().filter_map(|table| tables.get(table)).sum();
        let destinations: usize = rectangle.destinations.iter().filter_map(|d| destinations.get(d)).sum();
        FRAME_BYTES + tables + destinations
    };
    rectangles.iter().map(one).sum()
}
