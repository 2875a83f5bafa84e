//! Log to outside files: the whole result of a query, in one of several formats. `docs/export.md` draws them.
//!
//! The same log, query and format give the same bytes. What is appended while an export runs is not in it.
//!
//! | module | what it writes |
//! |---|---|
//! | `jsonl` | JSON Lines, which import back to the same events |
//! | `cloudevents` | CloudEvents 1.0, one a line |
//! | `csv`, `xlsx`, `parquet` | one event a row; `cells` is what every workbook of Annals writes of a value |
//! | `xes` | a trace a stream |
//! | `ocel` | an object a stream, as JSON or SQLite |
//! | `fixture` | a slice of a stream as a test |
//! | `notes` | what a format has no place for; `fragments` brings together what belongs to one stream |

pub(crate) mod cells;
mod cloudevents;
mod csv;
pub mod fixture;
mod fragments;
mod jsonl;
mod notes;
mod ocel;
#[cfg(feature = "parquet")]
mod parquet;
pub(crate) mod whole;
mod xes;
mod xlsx;

use std::io::{Read, Seek, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::Event;
use crate::export::whole::Hashed;
use crate::finding::Finding;
use crate::search::{SearchError, TextIndex, TextQuery};
use crate::store::{Direction, EventQuery, LinkView, Log, ReadError};
pub(crate) use csv::{CSV_COLUMNS, guarded, unguarded, write_csv_record};
use notes::Notes;

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// One [`crate::store::EventView`] a line; imports back to the same events.
    Jsonl,
    /// CloudEvents 1.0, one event a line.
    #[serde(rename = "cloudevents")]
    CloudEvents,
    /// One event a row, payloads as JSON text; cells that a spreadsheet would run begin with an apostrophe.
    Csv,
    /// The same as a workbook, in as many sheets as the rows need.
    Xlsx,
    /// XES (IEEE 1849): a stream is a trace.
    Xes,
    /// OCEL 2.0 as JSON: a stream is an object.
    OcelJson,
    /// OCEL 2.0 as a SQLite database.
    OcelSqlite,
    /// Apache Parquet, one event a row. Only in builds with the cargo feature `parquet`.
    Parquet,
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
    /// This build cannot write Parquet.
    #[error("this build of Annals writes no Parquet: its cargo feature `parquet` is off")]
    NoParquet,
}

impl From<SearchError> for ExportError {
    fn from(error: SearchError) -> ExportError {
        match error {
            SearchError::Read(error) => ExportError::Read(error),
            SearchError::Cancelled => ExportError::Cancelled,
        }
    }
}

/// Writes every event that the query matches, in its direction, the whole result whatever its size. XES and OCEL have
/// an order of their own, the log's.
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
    let query = in_order(query, format);
    let mut all = |each: Each<'_>| log.for_each_event(&query, each);
    write_all(log, &mut all, format, out, progress)
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
    let query = in_order(query, format);
    let positions = index.positions(text, &query)?;
    let mut found = |each: Each<'_>| index.log().for_each_event_at(&positions, each);
    write_all(index.log(), &mut found, format, out, progress)
}

/// The query in the direction that the format has: in a trace, and in a log of objects, what was first stands first.
fn in_order(query: &EventQuery, format: ExportFormat) -> EventQuery {
    let mut query = query.clone();
    match format {
        ExportFormat::Xes | ExportFormat::OcelJson | ExportFormat::OcelSqlite => {
            query.direction = Direction::Forwards;
        }
        ExportFormat::Jsonl
        | ExportFormat::CloudEvents
        | ExportFormat::Csv
        | ExportFormat::Xlsx
        | ExportFormat::Parquet => {}
    }
    query
}

/// What takes the events, one by one, until it has had enough.
type Each<'e> = &'e mut dyn FnMut(Event, Vec<LinkView>) -> bool;

/// What came of writing events.
type Events = Result<(), ExportError>;

/// One of the formats, on its way out.
trait Form {
    /// Takes the next event.
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events;

    /// Writes what could not be written before the last event was there.
    fn finish(&mut self, _log: &Log, _to: &mut Taken<'_>) -> Events {
        Ok(())
    }
}

/// Where an export goes, and what is to be said of it.
struct Taken<'o> {
    out: Hashed<&'o mut dyn Write>,
    /// What is to be written next.
    buffer: Vec<u8>,
    notes: Notes,
    cancel: &'o AtomicBool,
}

impl Taken<'_> {
    /// Writes the buffer if it is long enough to be worth it.
    ///
    /// # Errors
    /// [`ExportError::Cancelled`], [`ExportError::Io`].
    fn spill(&mut self) -> Events {
        if self.buffer.len() < BUFFER_BYTES {
            return Ok(());
        }
        if self.cancel.load(Ordering::Relaxed) {
            return Err(ExportError::Cancelled);
        }
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes a whole file from its beginning.
    fn copy(&mut self, file: &mut (impl Read + Seek)) -> Events {
        file.rewind()?;
        loop {
            self.buffer.clear();
            if file
                .by_ref()
                .take(BUFFER_BYTES as u64)
                .read_to_end(&mut self.buffer)?
                == 0
            {
                return Ok(());
            }
            self.spill()?;
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
    }
}

fn write_all(
    log: &Log,
    events: &mut dyn FnMut(Each<'_>) -> Result<(), ReadError>,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let mut to = Taken {
        out: Hashed::new(out),
        buffer: Vec::new(),
        notes: Notes::of(format),
        cancel: &progress.cancel,
    };
    let mut form: Box<dyn Form> = match format {
        ExportFormat::Jsonl => Box::new(jsonl::Jsonl),
        ExportFormat::CloudEvents => Box::new(cloudevents::CloudEvents::of(log)),
        ExportFormat::Csv => Box::new(csv::Csv::begin(&mut to)?),
        ExportFormat::Xlsx => Box::new(xlsx::Xlsx::begin(log)?),
        ExportFormat::Xes => Box::new(xes::Xes::begin()?),
        ExportFormat::OcelJson => Box::new(ocel::Ocel::begin(ocel::Kind::Json)?),
        ExportFormat::OcelSqlite => Box::new(ocel::Ocel::begin(ocel::Kind::Sqlite)?),
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => Box::new(parquet::Parquet::begin()?),
        #[cfg(not(feature = "parquet"))]
        ExportFormat::Parquet => return Err(ExportError::NoParquet),
    };
    let mut written = 0;
    let mut failed = None;
    events(&mut |event, links| {
        let taken = match progress.cancel.load(Ordering::Relaxed) {
            true => Err(ExportError::Cancelled),
            false => form.take(event, &links, &mut to).and_then(|()| to.spill()),
        };
        match taken {
            Ok(()) => written += 1,
            Err(error) => failed = Some(error),
        }
        progress.events.store(written, Ordering::Relaxed);
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    form.finish(log, &mut to)?;
    let Taken {
        mut out,
        buffer,
        notes,
        cancel: _,
    } = to;
    out.write_all(&buffer)?;
    out.flush()?;
    let (sha256, bytes) = out.told();
    Ok(ExportReport {
        events: written,
        bytes,
        sha256,
        file: String::new(),
        findings: notes.into_vec(),
    })
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

#[cfg(test)]
mod tests;
