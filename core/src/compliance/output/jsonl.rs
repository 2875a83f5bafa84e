//! A report as lines of JSON: `{"kind":"report"…}`, one `{"kind":"row"…}` a row, `{"kind":"end"…}`.

use std::io::Write;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::step;
use crate::compliance::report::{Cell, CellKind, Column, Report, Row, Table};
use crate::compliance::{MadeReport, ReportError};
use crate::integrity::Hash;
use crate::position::{Position, Version};
use crate::progress::WorkProgress;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'l> {
    Report { hash: Hash, report: &'l Report },
    Row(RowLine<'l>),
    End { rows: u64, report: Hash },
}

#[derive(Serialize)]
struct RowLine<'l> {
    table: &'l str,
    position: Option<Position>,
    stream: Option<&'l str>,
    version: Option<Version>,
    cells: Cells<'l>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_recorded: Vec<&'l str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    erased: Vec<&'l str>,
}

/// Cells by their column: values as they are, the rest `null`.
struct Cells<'l> {
    columns: &'l [Column],
    cells: &'l [Cell],
}

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            match (cell.value(), column.kind) {
                (None, _) => map.serialize_entry(&column.id, &())?,
                (Some(text), CellKind::Value | CellKind::Position | CellKind::Version) => {
                    // Payloads may be written over several lines; a line of this form is one line.
                    let one_line = text.replace(['\n', '\r'], " ");
                    match RawValue::from_string(one_line) {
                        Ok(raw) => map.serialize_entry(&column.id, &raw)?,
                        Err(_) => map.serialize_entry(&column.id, text)?,
                    }
                }
                (Some(text), _) => map.serialize_entry(&column.id, text)?,
            }
        }
        map.end()
    }
}

fn line<'l>(table: &'l Table, row: &'l Row) -> RowLine<'l> {
    let those = |which: &Cell| {
        let pairs = table.columns.iter().zip(&row.cells);
        pairs
            .filter(|(_, cell)| *cell == which)
            .map(|(column, _)| column.id.as_str())
            .collect()
    };
    RowLine {
        table: &table.id,
        position: row.event.as_ref().map(|event| event.position),
        stream: row.event.as_ref().and_then(|event| event.stream.as_deref()),
        version: row.event.as_ref().map(|event| event.version),
        cells: Cells {
            columns: &table.columns,
            cells: &row.cells,
        },
        not_recorded: those(&Cell::NotRecorded),
        erased: those(&Cell::Erased),
    }
}

pub(super) fn write(
    made: &MadeReport,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    let mut buffer = Vec::new();
    let mut put = |out: &mut dyn Write, line: &Line<'_>| -> Result<(), ReportError> {
        buffer.clear();
        serde_json::to_writer(&mut buffer, line).map_err(std::io::Error::from)?;
        buffer.push(b'\n');
        Ok(out.write_all(&buffer)?)
    };
    let report = &made.report;
    let hash = report.hash();
    put(out, &Line::Report { hash, report })?;
    let mut rows = 0;
    for table in report.tables() {
        made.rows.for_each(&table.id, &mut |row| {
            put(out, &Line::Row(line(table, &row)))?;
            rows += 1;
            step(progress)?;
            Ok(true)
        })?;
    }
    put(out, &Line::End { rows, report: hash })
}
