//! A table of a report as CSV: RFC 4180, UTF-8, times with their offset, guarded against formulas.

use std::io::Write;

use super::step;
use crate::compliance::report::{Cell, CellKind, Table};
use crate::compliance::{MadeReport, ReportError};
use crate::export::{guarded, write_csv_record};
use crate::progress::WorkProgress;

pub(super) fn write(
    made: &MadeReport,
    table: &Table,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    let mut buffer = Vec::new();
    let headings = table.columns.iter().map(|column| column.id.as_str());
    write_csv_record(&mut buffer, &headings.collect::<Vec<_>>())?;
    out.write_all(&buffer)?;
    let mut cells: Vec<String> = Vec::new();
    made.rows.for_each(&table.id, &mut |row| {
        cells.clear();
        let pairs = row.cells.iter().zip(&table.columns);
        cells.extend(pairs.map(|(cell, column)| written(cell, column.kind)));
        buffer.clear();
        write_csv_record(&mut buffer, &cells)?;
        out.write_all(&buffer)?;
        step(progress)?;
        Ok(true)
    })
}

/// A cell, with an apostrophe before it where a spreadsheet would run it. A plain number runs nothing.
fn written(cell: &Cell, kind: CellKind) -> String {
    let text = cell.printed(kind).into_owned();
    match is_plain_number(&text) {
        true => text,
        false => guarded(text),
    }
}

/// `-12.50`: digits, one sign before and one point within.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_one_and_a_formula_does_not() {
        let written = |text: &str| written(&Cell::Value(text.to_owned()), CellKind::Name);
        for number in ["-12.50", "7", "0.00", "-0"] {
            assert_eq!(written(number), number);
        }
        for formula in [
            "=1+1", "-1+1", "+1", "@SUM(A1)", "-", "-.", "-1.2.3", "-1e5", "\tx",
        ] {
            assert_eq!(written(formula), format!("'{formula}"));
        }
    }
}
