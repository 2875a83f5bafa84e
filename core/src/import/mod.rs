//! Outside files to log: one file a format, one report.
//!
//! An import is atomic (a cancel, crash or kill leaves the store as it was) and idempotent (importing the
//! same again adds nothing). Nothing is dropped in silence: read = stored + duplicates + rejected.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::finding::Finding;
use crate::id::Category;
use crate::store::{AppendError, LogWriter};
use crate::surroundings::Surroundings;
use crate::time::Time;

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
}

/// What to import and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Files, in order. `.gz` is unpacked.
    pub paths: Vec<PathBuf>,
    /// How to read them.
    pub format: Format,
    /// Category of all streams; by rule where `None`.
    pub category: Option<Category>,
    /// Zone of times that name none.
    pub zone: chrono_tz::Tz,
    /// Read and report, but store nothing.
    pub dry_run: bool,
    /// Where to write rejected records with reasons; nowhere if `None`.
    pub rejects: Option<PathBuf>,
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
    /// Events stored (not yet committed).
    pub events_stored: AtomicU64,
    /// Set to stop the import; nothing will have been stored.
    pub cancel: AtomicBool,
}

/// What an import did: `annals import --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ImportReport {
    /// Records read.
    #[ts(type = "number")]
    pub read: u64,
    /// Events stored (in a dry run: that would have been).
    #[ts(type = "number")]
    pub stored: u64,
    /// Records the store held already.
    #[ts(type = "number")]
    pub duplicates: u64,
    /// Records that could not be taken. read = stored + duplicates + rejected.
    #[ts(type = "number")]
    pub rejected: u64,
    /// Streams that got events.
    #[ts(type = "number")]
    pub streams: u64,
    /// Types that got events.
    #[ts(type = "number")]
    pub types: u64,
    /// Earliest time among the events read.
    pub first_time: Option<Time>,
    /// Latest time among the events read.
    pub last_time: Option<Time>,
    /// Nothing was stored because only a report was asked for.
    pub dry_run: bool,
    /// Each file and how it was read.
    pub files: Vec<FileReport>,
    /// Faults in the data, one a kind.
    pub findings: Vec<Finding>,
    /// The first 100 rejected records; all of them are in the rejects file.
    pub rejects: Vec<Reject>,
    /// Where the rejected records were written.
    pub rejects_file: Option<String>,
}

/// One file and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FileReport {
    /// The file as the user named it.
    pub file: String,
    /// Format read.
    pub format: Format,
    /// Why this format was chosen.
    pub why: String,
    /// Records read.
    #[ts(type = "number")]
    pub read: u64,
}

/// A record that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Reject {
    /// The file as the user named it.
    pub file: String,
    /// Line where the record begins, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// Why it could not be taken.
    pub reason: String,
    /// The record as it stands in the file (its first 64 KiB).
    pub record: String,
}

/// Why an import did not happen. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The user cancelled.
    #[error("cancelled; nothing was stored")]
    Cancelled,
}

/// Imports files into a log.
pub fn import(
    writer: &LogWriter,
    request: &ImportRequest,
    surroundings: &Surroundings,
    progress: &Progress,
) -> Result<ImportReport, ImportError> {
    let _ = (writer, request, surroundings, progress);
    todo!()
}
