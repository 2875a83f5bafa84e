//! Outside files to log: one file a format, one report.
//!
//! An import is atomic (a cancel, crash or kill leaves the store as it was) and idempotent (importing the
//! same again adds nothing). Nothing is dropped in silence: read = stored + duplicates + rejected.
//!
//! file → `files` (`archive`, `xlsx`) → `detect` (`pack`, `encoding`), `preset` → records (`lines`, `json`, `xes`, `csv`, `ocel`) → `mapping`,
//! or `declared` by `csv` and `record` → `gather` → `spool` → `store` (`observe`) → log; or no further than `preview`.
//! `docs/import.md` states the rules for users.

mod archive;
mod around;
mod chain;
mod coverage;
mod csv;
mod declared;
mod detect;
mod encoding;
mod files;
mod from_store;
mod gather;
mod git;
mod json;
mod lines;
mod mapping;
mod observe;
mod ocel;
mod pack;
mod places;
mod preset;
mod preview;
mod record;
mod report;
mod shape;
mod sources;
mod spool;
mod store;
mod streams;
mod target;
#[cfg(test)]
pub(crate) mod tests;
mod unchanged;
mod wrapped;
mod xes;
mod xlsx;
mod xml;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{Category, EventId, StreamId};
use crate::store::{AppendError, LogWriter, OpenError};
use crate::surroundings::Surroundings;

pub use around::{LineView, LinesView, lines};
pub use chain::{ChainReport, HashChain};
pub use declared::{
    ChangeMapping, ColumnKind, ColumnMapping, ColumnTarget, EventMapping, Mapping, MappingError,
    Reshape,
};
pub(crate) use detect::stem;
pub use encoding::Encoding;
pub(crate) use mapping::write_json_string;
pub use observe::NOT_PROVED;
pub use pack::Compression;
pub use preset::{
    FormatRow, FormatsView, Preset, Presets, ReadBy, Rule, SavedPreset, SourceOrder, Tested,
    formats, save_preset, shipped,
};
pub use preview::{
    ColumnView, EventPreview, FilePreview, PreviewRequest, PreviewView, RecordPreview, preview,
};
pub use report::{FileReport, ImportReport, Reject, SeenAgain, may_replace};
pub(crate) use report::{files_of, folder_of};
pub use target::{Imported, Presence, import_into};
pub use unchanged::UnchangedPart;

/// Longest record that is taken, in bytes.
const MAX_RECORD_BYTES: usize = 64 << 20;
/// Deepest nesting that is taken: what every reader of the log can parse.
const MAX_DEPTH: usize = 127;

/// How to read the files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// By content, not by name.
    #[default]
    Auto,
    /// JSON Lines: one JSON value a line.
    Jsonl,
    /// One JSON document: an array of records, or one record.
    Json,
    /// XES (IEEE 1849).
    Xes,
    /// A table: CSV, or with another character between its cells.
    Csv,
    /// OCEL 2.0 or 1.0: JSON, XML or SQLite.
    Ocel,
    /// The history of a git repository.
    Git,
}

/// What to import and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Files and folders, in order. `.gz`, `.zst` and `.zip` are unpacked; each sheet of an `.xlsx` is a table.
    pub paths: Vec<PathBuf>,
    /// How to read them.
    pub format: Format,
    /// How their bytes spell text; told by the content where `None`.
    pub encoding: Option<Encoding>,
    /// How rows of tables or JSON records become events; what it leaves open is guessed of a table.
    pub mapping: Option<Mapping>,
    /// The preset to read by, and the user's own presets.
    pub presets: Presets,
    /// Category of all streams; by rule where `None`.
    pub category: Option<Category>,
    /// Zone of times that name none.
    pub zone: chrono_tz::Tz,
    /// Read and report, but store nothing.
    pub dry_run: bool,
    /// Where to write rejected records with reasons; nowhere if `None`.
    pub rejects: Option<PathBuf>,
}

impl ImportRequest {
    /// Imports these files and folders as their content says, times without a zone in UTC.
    #[must_use]
    pub fn of(paths: Vec<PathBuf>) -> ImportRequest {
        ImportRequest {
            paths,
            format: Format::Auto,
            encoding: None,
            mapping: None,
            presets: Presets::default(),
            category: None,
            zone: chrono_tz::UTC,
            dry_run: false,
            rejects: None,
        }
    }
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reading the files: `bytes_read` of `bytes_total`.
    #[default]
    Reading,
    /// Storing events: `events_done` of `events_total`.
    Storing,
    /// Building indexes and committing; it cannot be cancelled any more.
    Finishing,
}

/// How far an import is, for another thread to read; and its cancel switch.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of the files in all.
    pub bytes_total: AtomicU64,
    /// Bytes read.
    pub bytes_read: AtomicU64,
    /// Records read.
    pub records_read: AtomicU64,
    /// Events of the files in all, known when storing begins.
    pub events_total: AtomicU64,
    /// Events stored or found to be duplicates.
    pub events_done: AtomicU64,
    /// Events stored (not yet committed).
    pub events_stored: AtomicU64,
    /// What is being done, as [`Progress::phase`] says.
    phase: AtomicU8,
    /// Set to stop the import; nothing will have been stored.
    pub cancel: AtomicBool,
}

impl Progress {
    /// What the import is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Reading,
            1 => Phase::Storing,
            _ => Phase::Finishing,
        }
    }

    /// Sets the counters back to the beginning, for an import that is done again. A cancel stays one.
    pub fn restart(&self) {
        let Progress {
            bytes_total,
            bytes_read,
            records_read,
            events_total,
            events_done,
            events_stored,
            phase: _,
            cancel: _,
        } = self;
        for counter in [
            bytes_total,
            bytes_read,
            records_read,
            events_total,
            events_done,
            events_stored,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
        self.enter(Phase::Reading);
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }
}

/// Why an import did not happen. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A file as a whole is not of its format (broken XML, cut-off JSON document, no format fits).
    #[error("{file}:{line}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// Line, first is 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// There is no format of this name.
    #[error("there is no format {0:?}")]
    UnknownFormat(String),
    /// A preset of the user's cannot be read.
    #[error(transparent)]
    Preset(#[from] MappingError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store to import into could not be opened or made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The user cancelled.
    #[error("cancelled; nothing was stored")]
    Cancelled,
}

/// Imports files into a log: all of it or nothing.
///
/// # Errors
/// [`ImportError`]; nothing was stored. Single records that cannot be taken are no error but
/// [`ImportReport::rejects`].
///
/// ```
/// use annals_core::import::{ImportRequest, Progress, import};
/// use annals_core::{store::LogWriter, surroundings::Surroundings};
///
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("shop.jsonl");
/// std::fs::write(&file, r#"{"orderId": 7, "eventType": "OrderPlaced", "timestamp": "2024-01-15T10:30:00Z"}"#).unwrap();
///
/// let surroundings = Surroundings::system();
/// let writer = LogWriter::create(&folder.path().join("shop.annals"), surroundings.clone()).unwrap();
/// let request = ImportRequest::of(vec![file]);
/// let report = import(&writer, &request, &surroundings, &Progress::default()).unwrap();
/// assert_eq!((report.read, report.stored), (1, 1));
/// let again = import(&writer, &request, &surroundings, &Progress::default()).unwrap();
/// assert_eq!((again.stored, again.duplicates), (0, 1));
/// ```
pub fn import(
    writer: &LogWriter,
    request: &ImportRequest,
    surroundings: &Surroundings,
    progress: &Progress,
) -> Result<ImportReport, ImportError> {
    import_by(Way::Ahead, writer, request, surroundings, progress)
}

/// When events go into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// While they are read, for as long as they are in the log's order.
    Ahead,
    /// From the spool, when all are read.
    FromSpool,
}

fn import_by(
    way: Way,
    writer: &LogWriter,
    request: &ImportRequest,
    surroundings: &Surroundings,
    progress: &Progress,
) -> Result<ImportReport, ImportError> {
    let log = writer.log();
    from_store::refuse_itself(log.path(), &request.paths)?;
    let is_known = |stream: &StreamId| matches!(log.stream(stream), Ok(Some(_)));
    let folder = folder_of(log.path());
    if let Some(rejects) = &request.rejects {
        let own = files_of(log.path());
        let in_use: Vec<_> = own
            .iter()
            .chain(&request.paths)
            .map(PathBuf::as_path)
            .collect();
        may_replace(rejects, &in_use).map_err(|source| ImportError::Io {
            file: rejects.display().to_string(),
            source,
        })?;
    }
    let now = (surroundings.clock)();
    // A log that cannot be read fails the import where it is written to.
    let held_as = |first: &sources::FirstRecords, source: &str| first.held_as(&log, source).ok()?;
    let known = |source: &str| unchanged::Known::of(&log, source).ok()?;
    let last_time = |stream: &StreamId, among: &[crate::position::Position]| {
        unchanged::last_time(&log, stream, among).ok()?
    };
    let position_of = |id: &str| {
        let id = EventId::new(id).ok()?;
        Some(log.event_by_id(&id).ok()??.position)
    };
    // What is to be filled cannot be read while it is, and holds nothing.
    let is_empty = writer.is_to_fill()
        && log.head().map_err(observe::unreadable)?.size == crate::position::Position::ZERO;
    let in_log = gather::Before {
        is_known: &is_known,
        held_as: &held_as,
        known: &known,
        last_time: &last_time,
        position_of: &position_of,
    };
    let before = match is_empty {
        true => gather::Before::nothing(),
        false => in_log,
    };
    let gather = |way| {
        let ahead = match way {
            Way::Ahead => Some(store::Ahead::begin(writer, request)?),
            Way::FromSpool => None,
        };
        gather::gather(request, folder, now, progress, before, ahead)
    };
    let gathered = match gather(way)? {
        Some(gathered) => gathered,
        None => {
            progress.restart();
            gather(Way::FromSpool)?.ok_or(ImportError::Cancelled)?
        }
    };
    gathered.store(writer, !is_empty, request, progress)
}
