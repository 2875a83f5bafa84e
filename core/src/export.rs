//! Log to outside files: the whole result of a query, as JSON Lines or CSV.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::store::{EventQuery, Log, ReadError};

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
#[non_exhaustive]
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

/// Writes every event that the query matches, in its direction.
pub fn export(
    log: &Log,
    query: &EventQuery,
    format: ExportFormat,
    out: &mut dyn Write,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let _ = (log, query, format, out, progress);
    todo!()
}

/// Writes the export to a file: first under a temporary name beside it, renamed when it is whole, so that a
/// cancelled or failed export leaves no half file and an existing file as it was.
pub fn export_to_file(
    log: &Log,
    query: &EventQuery,
    format: ExportFormat,
    file: &std::path::Path,
    progress: &ExportProgress,
) -> Result<ExportReport, ExportError> {
    let _ = (log, query, format, file, progress);
    todo!()
}
