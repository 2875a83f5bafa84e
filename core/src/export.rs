//! Log to outside files: the whole result of a query, as JSON Lines or CSV. `docs/export.md` draws both.
//!
//! The same log, query and format give the same bytes. What is appended while an export runs is not in it.

pub mod fixture;
mod jsonl;
pub(crate) mod whole;

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::event::{Event, Payload};
use crate::export::whole::Hashed;
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::search::{SearchError, TextIndex, TextQuery};
use crate::store::{EventQuery, EventView, LinkView, Log, ReadError};

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One [`crate::store::EventView`] a line; imports back to the same events.
    Jsonl,
    /// One event a row, payloads as JSON text; cells that a spreadsheet would run begin with an apostrophe.
    Csv,
}

/// What an export wrote: `annals export --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ExportReport {
    /// Number of events written.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of bytes written.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: crate::integrity::Hash,
    /// The file as the user named it. Filled by hosts.
    pub file: String,
    /// What the format has no place for.
    pub findings: Vec<Finding>,
}

/// How far an export is, and its cancel switch.
#[derive(Debug, Default)]
pub struct ExportProgress {
    /// Events written.
    pub events: AtomicU64,
    /// Set to stop.
    pub cancel: AtomicBool,
}

/// Why an export did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error("the export could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<SearchError> for ExportError {
    fn from(error: SearchError) -> ExportError {
        match error {
            SearchError::Read(error) => ExportError::Read(error),
            SearchError::Cancelled => ExportError::Cancelled,
        }
    }
}

/// Writes every event that the query matches, in its direction, the whole result whatever its size.
///
/// All of it is read in one transaction: the log as it is when the export begins.
///
/// # Errors
/// [`ExportError`]; what was written until then is no whole export.
///
/// ```
/// use annals_core::export::{ExportFormat, ExportProgress, export};
/// use annals_core::store::{EventQuery, LogWriter};
/// use annals_core::surroundings::Surroundings;
///
/// let folder = tempfile::tempdir().unwrap();
/// let writer = LogWriter::create(&folder.path().join("shop.annals"), Surroundings::system()).unwrap();
/// let mut csv = Vec::new();
/// let progress = ExportProgress::default();
/// let report = export(&writer.log(), &EventQuery::default(), ExportFormat::Csv, &mut csv, &progress).unwrap();
/// assert_eq!(report.events, 0);
/// assert!(csv.starts_with(b"position,stream,category,version,type,time,"));
/// ```
pub fn export(
    log: &Log,
    query: &EventQuery,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let mut all = |each: Each<'_>| log.for_each_event(query, each);
    write_all(&mut all, format, out, progress)
}

/// The same for the events that a text search finds among those that the query matches; none of them is left
/// out, however far the index is.
///
/// # Errors
/// As [`export`].
pub fn export_found(
    index: &TextIndex,
    text: &TextQuery,
    query: &EventQuery,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let positions = index.positions(text, query)?;
    let mut found = |each: Each<'_>| index.log().for_each_event_at(&positions, each);
    write_all(&mut found, format, out, progress)
}

/// What takes the events, one by one, until it has had enough.
type Each<'e> = &'e mut dyn FnMut(Event, Vec<LinkView>) -> bool;

fn write_all(
    events: &mut dyn FnMut(Each<'_>) -> Result<(), ReadError>,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let mut writing = Writing::begin(format, out)?;
    let mut failed = None;
    events(&mut |event, links| {
        if progress.cancel.load(Ordering::Relaxed) {
            failed = Some(ExportError::Cancelled);
        } else if let Err(error) = writing.take(event, &links) {
            failed = Some(error.into());
        }
        progress.events.store(writing.events, Ordering::Relaxed);
        failed.is_none()
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(writing.end()?),
    }
}

/// An export on its way out.
struct Writing<'o> {
    format: ExportFormat,
    out: Hashed<&'o mut dyn Write>,
    buffer: Vec<u8>,
    events: u64,
    findings: Findings,
}

impl<'o> Writing<'o> {
    fn begin(format: ExportFormat, out: &'o mut dyn Write) -> std::io::Result<Writing<'o>> {
        let mut buffer = Vec::new();
        if format == ExportFormat::Csv {
            write_csv_record(&mut buffer, &CSV_COLUMNS)?;
        }
        Ok(Writing {
            format,
            out: Hashed::new(out),
            buffer,
            events: 0,
            findings: Findings::default(),
        })
    }

    fn take(&mut self, event: Event, links: &[LinkView]) -> std::io::Result<()> {
        match self.format {
            ExportFormat::Jsonl => jsonl::write(&mut self.buffer, event, links)?,
            ExportFormat::Csv => {
                note_not_held(&mut self.findings, &event, links);
                write_csv(&mut self.buffer, event)?;
            }
        }
        self.events += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn end(mut self) -> std::io::Result<ExportReport> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        let (sha256, bytes) = self.out.told();
        Ok(ExportReport {
            events: self.events,
            bytes,
            sha256,
            file: String::new(),
            findings: self.findings.into_vec(),
        })
    }
}

/// Says what of an event a CSV has no place for.
fn note_not_held(findings: &mut Findings, event: &Event, links: &[LinkView]) {
    let is_json = |payload: &Payload| {
        let text = payload.json_text();
        text.is_some_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
    };
    let payloads = [&event.data, &event.metadata];
    let no_json = payloads.into_iter().flatten().any(|p| !is_json(p));
    for (left_out, what) in [
        (!links.is_empty(), "streams that events are linked into"),
        (
            no_json,
            "payloads that are not JSON (their cells are empty)",
        ),
        (
            event.time.ambiguous,
            "that a local time does not exist or exists twice",
        ),
    ] {
        if left_out {
            let place = Place {
                stream: event.stream.as_ref().map(ToString::to_string),
                version: Some(event.version),
                position: Some(event.position),
                ..Place::default()
            };
            let detail =
                format!("a CSV has no place for {what}; an export as JSON Lines holds all");
            findings.add_cause(FindingKind::NotKept, Severity::Warning, place, detail);
        }
    }
}

/// Writes the export to a file: first under a temporary name beside it, renamed when it is whole, so that a
/// cancelled or failed export leaves no half file and an existing file as it was.
///
/// # Errors
/// As [`export`]; [`ExportError::Io`] also where the file is the log's own, any other database, or no regular
/// file, so that a slip of the hand replaces no store.
pub fn export_to_file(
    log: &Log,
    query: &EventQuery,
    format: ExportFormat,
    file: &std::path::Path,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    to_file(log, file, &mut |out| {
        export(log, query, format, out, progress)
    })
}

/// [`export_found`] to a file, as [`export_to_file`].
///
/// # Errors
/// As [`export_to_file`].
pub fn export_found_to_file(
    index: &TextIndex,
    text: &TextQuery,
    query: &EventQuery,
    format: ExportFormat,
    file: &std::path::Path,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    to_file(index.log(), file, &mut |out| {
        export_found(index, text, query, format, out, progress)
    })
}

fn to_file(
    log: &Log,
    file: &std::path::Path,
    export: &mut dyn FnMut(&mut dyn Write) -> Result<ExportReport, ExportError>,
) -> Result<ExportReport, ExportError> {
    whole::may_write(log, file)?;
    let mut temporary = whole::new_file(file)?;
    let mut report = export(&mut temporary)?;
    temporary.as_file().sync_all()?;
    whole::put(temporary, file)?;
    report.file = file.display().to_string();
    Ok(report)
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

fn write_csv(out: &mut Vec<u8>, event: Event) -> std::io::Result<()> {
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
    let text = |text: Option<String>| guarded(text.unwrap_or_default());
    let json = |json: Option<Box<RawValue>>| {
        guarded(json.map_or_else(String::new, |j| j.get().to_owned()))
    };
    let erased: Vec<&str> = erased.iter().map(|part| part.name()).collect();
    let cells: [String; 22] = [
        position.to_string(),
        text(stream),
        text(category),
        version.to_string(),
        guarded(event_type),
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
    ];
    write_csv_record(out, &cells)
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

#[cfg(test)]
mod tests;

#[cfg(test)]
mod form_tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::event::{NewEvent, Payload, SourceFields};
    use crate::id::{Category, EventId, EventType, StreamId};
    use crate::position::{Position, Version};
    use crate::time::{SourceTime, Time};

    fn event(position: u64, data: &str) -> Event {
        let NewEvent {
            event_type, data, ..
        } = NewEvent::json("=SUM(A1)", data).unwrap();
        let time = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
        Event {
            position: Position(position),
            stream: Some(StreamId::new("order-1").unwrap()),
            category: Some(Category::new("order").unwrap()),
            version: Version(position),
            event_type: EventType::new(event_type.as_str()).unwrap(),
            time: SourceTime::unwritten(time),
            recorded_at: time,
            id: Some(EventId::new("-1+1").unwrap()),
            actor: None,
            correlation: Some("a \"b\", c".into()),
            causation: None,
            schema_version: None,
            source: SourceFields::default(),
            data: Some(data),
            metadata: Some(Payload::json("{\n}").unwrap()),
            erased: vec![],
            leaf: crate::integrity::Hash([0; 32]),
        }
    }

    fn exported(format: ExportFormat) -> Result<(String, ExportReport), ExportError> {
        let mut out = Vec::new();
        let mut writing = Writing::begin(format, &mut out)?;
        for event in [
            event(1, "{\n  \"a\": 1\r\n}"),
            event(2, "{\"n\":12345678901234567890.10}"),
        ] {
            writing.take(event, &[])?;
        }
        let report = writing.end()?;
        Ok((String::from_utf8(out).unwrap(), report))
    }

    #[test]
    fn jsonl_is_one_line_an_event_with_every_digit_and_the_payloads_own_text() {
        let (text, report) = exported(ExportFormat::Jsonl).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), report.events), (2, 2));
        assert!(lines[0].contains(r#""data":{   "a": 1  }"#), "{}", lines[0]);
        assert!(
            lines[0].ends_with(r#","data_text":"{\n  \"a\": 1\r\n}","metadata_text":"{\n}"}"#),
            "{}",
            lines[0]
        );
        assert!(lines[1].contains("12345678901234567890.10"), "{}", lines[1]);
        assert_eq!(report.bytes, text.len() as u64);
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        assert_eq!(report.sha256, crate::integrity::Hash(hash));
    }

    #[test]
    fn csv_quotes_and_never_hands_a_spreadsheet_a_formula() {
        let (text, _) = exported(ExportFormat::Csv).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), CSV_COLUMNS.to_vec());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(
            (&row[4], &row[9], &row[11], &row[19]),
            ("'=SUM(A1)", "'-1+1", "a \"b\", c", "{\n  \"a\": 1\r\n}")
        );
        assert!(text.starts_with("position,stream,"));
        assert!(text.contains("erased\r\n"), "lines end as RFC 4180 says");
    }

    #[test]
    fn a_guard_can_be_taken_off_again() {
        for text in [
            "", "a", "=1", "'=1", "''", "'", "'a", "-5", "\tx", "＝1", "a=1",
        ] {
            let cell = guarded(text.to_owned());
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
                "{cell}"
            );
            assert_eq!(unguarded(&cell), text);
        }
    }
}
