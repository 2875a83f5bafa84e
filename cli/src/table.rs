//! Tables for people: columns aligned by what a terminal shows, two spaces apart, no lines to draw.

use crate::text::{columns, cut, visible};

/// Where a column's texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the column's left: texts.
    Left,
    /// At its right: numbers.
    Right,
}

/// Rows under headings. Cells are made [`visible`] and cut to their column's widest allowed.
#[derive(Debug)]
pub struct Table {
    headings: Vec<(&'static str, Align, usize)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings, alignments and greatest widths in terminal columns.
    pub fn new(headings: &[(&'static str, Align, usize)]) -> Table {
        Table {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has one cell a heading.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells
            .into_iter()
            .zip(&self.headings)
            .map(|(cell, (_, _, max))| cut(&visible(&cell), *max))
            .collect();
        self.rows.push(cells);
    }

    /// The lines: headings first, then the rows, without trailing spaces.
    pub fn lines(&self) -> Vec<String> {
        let headings: Vec<String> = self
            .headings
            .iter()
            .map(|(h, _, _)| h.to_string())
            .collect();
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|i| {
                let cells = std::iter::once(&headings).chain(&self.rows);
                cells.map(|row| columns(&row[i])).max().unwrap_or(0)
            })
            .collect();
        std::iter::once(&headings)
            .chain(&self.rows)
            .map(|row| self.line(row, &widths))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[i] - columns(cell));
            let (before, after) = match self.headings[i].1 {
                Align::Left => ("", gap.as_str()),
                Align::Right => (gap.as_str(), ""),
            };
            line.push_str(if i == 0 { "" } else { "  " });
            line.extend([before, cell, after]);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Lines of `name  value`, values in one column.
pub fn pairs(pairs: &[(&str, String)]) -> Vec<String> {
    let width = pairs
        .iter()
        .map(|(name, _)| columns(name))
        .max()
        .unwrap_or(0);
    pairs
        .iter()
        .map(|(name, value)| {
            let line = format!("{name:width$}  {}", visible(value));
            line.trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_a_terminal_shows() {
        let mut table = Table::new(&[("STREAM", Align::Left, 10), ("EVENTS", Align::Right, 10)]);
        table.row(["日本".to_owned(), "5".to_owned()]);
        table.row(["a very long name".to_owned(), "12345".to_owned()]);
        assert_eq!(
            table.lines(),
            [
                "STREAM      EVENTS",
                "日本             5",
                "a very lo…   12345"
            ]
        );
    }
}
