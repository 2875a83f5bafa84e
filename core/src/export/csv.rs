//! One event a row (RFC 4180), payloads as JSON text; cells that a spreadsheet would run begin with an apostrophe.

use serde_json::value::RawValue;

use super::{Events, ExportError, Form, Taken, notes};
use crate::event::Event;
use crate::store::{EventView, LinkView};

/// Writes a CSV.
pub(super) struct Csv;

impl Csv {
    pub(super) fn begin(to: &mut Taken<'_>) -> Result<Csv, ExportError> {
        write_csv_record(&mut to.buffer, &CSV_COLUMNS)?;
        Ok(Csv)
    }
}

impl Form for Csv {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        notes::of_a_row(&mut to.notes, &event, links);
        let cells = row(event).map(guarded);
        Ok(write_csv_record(&mut to.buffer, &cells)?)
    }
}

/// Columns of a CSV export.
pub(crate) const CSV_COLUMNS: [&str; 22] = [
    "position",
    "stream",
    "category",
    "version",
    "type",
    "time",
    "time_text",
    "date_only",
    "recorded_at",
    "id",
    "actor",
    "correlation",
    "causation",
    "schema_version",
    "source",
    "source_id",
    "source_version",
    "source_position",
    "source_recorded_at",
    "data",
    "metadata",
    "erased",
];

/// Cells of an event, one a column, as they are before they are guarded.
pub(super) fn row(event: Event) -> [String; 22] {
    let EventView {
        position,
        stream,
        category,
        version,
        event_type,
        time,
        time_text,
        date_only,
        recorded_at,
        id,
        actor,
        correlation,
        causation,
        schema_version,
        source,
        source_id,
        source_version,
        source_position,
        source_recorded_at,
        data,
        metadata,
        erased,
    } = EventView::from(event);
    let text = Option::unwrap_or_default;
    let json = |json: Option<Box<RawValue>>| json.map_or_else(String::new, |j| j.get().to_owned());
    let erased: Vec<&str> = erased.iter().map(|part| part.name()).collect();
    [
        position.to_string(),
        text(stream),
        text(category),
        version.to_string(),
        event_type,
        time.to_string(),
        text(time_text),
        date_only.to_string(),
        recorded_at.to_string(),
        text(id),
        text(actor),
        text(correlation),
        text(causation),
        text(schema_version),
        text(source),
        text(source_id),
        text(source_version),
        text(source_position),
        source_recorded_at.map_or_else(String::new, |t| t.to_string()),
        json(data),
        json(metadata),
        erased.join(" "),
    ]
}

/// What a spreadsheet takes for the beginning of a formula, full-width forms too; and the apostrophe, so that
/// one that stands there can be told from one that was put there.
const GUARDED: [char; 12] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠',
];

/// A cell that a spreadsheet would run as a formula, with an apostrophe before it.
pub(crate) fn guarded(mut cell: String) -> String {
    if cell.starts_with(GUARDED) {
        cell.insert(0, '\'');
    }
    cell
}

/// The cell as it was before [`guarded`].
pub(crate) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(GUARDED) => rest,
        _ => cell,
    }
}

pub(crate) fn write_csv_record<C: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    cells: &[C],
) -> std::io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    writer.write_record(cells)?;
    writer.flush()
}
