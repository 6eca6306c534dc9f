//! Columns, as `kubectl get` writes them.

/// What stands between two columns.
const GAP: usize = 3;

/// Rows under heads, each column as wide as its widest cell. The last one is not padded.
pub struct Table {
    widths: Vec<usize>,
    text: String,
}

impl Table {
    pub fn new(heads: &[&str], rows: &[Vec<String>]) -> Self {
        let mut widths: Vec<usize> = heads.iter().map(|head| head.len()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut table = Self { widths, text: String::new() };
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        table.text = table.row(&heads);
        for row in rows {
            let row = table.row(row);
            table.text.push_str(&row);
        }
        table
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// One more row in the same columns, for what comes later. A cell without words is `-`.
    pub fn row(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (at, cell) in cells.iter().enumerate() {
            let cell = if cell.is_empty() { "-" } else { cell };
            line.push_str(cell);
            if at + 1 < cells.len() {
                let width = self.widths.get(at).copied().unwrap_or_default();
                let pad = width.saturating_sub(cell.chars().count()) + GAP;
                line.extend(std::iter::repeat_n(' ', pad));
            }
        }
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_later_rows_keep_to_them() {
        let cells = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        let table = Table::new(&["NAME", "WHO"], &[cells(&["long-name", "ada"]), cells(&["a", ""])]);
        assert_eq!(table.text(), "NAME        WHO\nlong-name   ada\na           -\n");
        assert_eq!(table.row(&cells(&["bb", "eve"])), "bb          eve\n");
        assert_eq!(table.row(&cells(&["longer-than-all", "eve"])), "longer-than-all   eve\n");
    }
}
