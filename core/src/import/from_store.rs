//! Another Annals store as a source: its events as it exports them, read back like any export.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::detect::FileNames;
use super::{ImportError, Progress};
use crate::export::{ExportError, ExportFormat, ExportProgress, export};
use crate::store::{APPLICATION_ID, EventQuery, Log};

/// Where SQLite keeps the mark of the program whose file it is (file format, 1.3).
const MARK_AT: std::ops::Range<usize> = 68..72;

/// Whether a file is an Annals store; reads on from its beginning.
pub(super) fn is_store(file: &mut File) -> std::io::Result<bool> {
    let mut header = Vec::with_capacity(MARK_AT.end);
    (&mut *file)
        .take(MARK_AT.end as u64)
        .read_to_end(&mut header)?;
    // What cannot go back is no file on a disk, and no store.
    if file.seek(SeekFrom::Start(0)).is_err() {
        return Ok(false);
    }
    Ok(is_marked(&header))
}

/// Whether a file that begins so is an Annals store.
pub(super) fn is_marked(header: &[u8]) -> bool {
    let mark = APPLICATION_ID.to_be_bytes();
    header.starts_with(b"SQLite format 3\0") && header.get(MARK_AT) == Some(&mark)
}

/// Writes the store's events to an unnamed temporary file, one a line.
pub(super) fn events_of(
    path: &Path,
    names: &FileNames,
    progress: &Progress,
) -> Result<File, ImportError> {
    let log = Log::explore(path)?;
    let file = tempfile::tempfile().map_err(|source| names.unreadable(1, source))?;
    let mut out = Cancellable {
        out: BufWriter::new(file),
        progress,
    };
    let exported = export(
        &log,
        &EventQuery::default(),
        ExportFormat::Jsonl,
        &mut out,
        &ExportProgress::default(),
    );
    match exported {
        Ok(_) => {}
        Err(_) if progress.cancel.load(Ordering::Relaxed) => return Err(ImportError::Cancelled),
        Err(ExportError::Cancelled) => return Err(ImportError::Cancelled),
        Err(ExportError::Io(source)) => return Err(names.unreadable(1, source)),
        Err(error @ ExportError::NoParquet) => return Err(names.malformed(1, error.to_string())),
        Err(ExportError::Read(error)) => return Err(names.malformed(1, error.to_string())),
    }
    let mut file = out
        .out
        .into_inner()
        .map_err(|error| names.unreadable(1, error.into_error()))?;
    file.seek(SeekFrom::Start(0))
        .map_err(|source| names.unreadable(1, source))?;
    Ok(file)
}

/// A file that refuses to be written on when the import was cancelled.
struct Cancellable<'p> {
    out: BufWriter<File>,
    progress: &'p Progress,
}

impl Write for Cancellable<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.progress.cancel.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("cancelled"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Refuses a store as a source of itself.
pub(super) fn refuse_itself(store: &Path, paths: &[PathBuf]) -> Result<(), ImportError> {
    let Ok(own) = store.canonicalize() else {
        return Ok(());
    };
    let same = paths
        .iter()
        .find(|path| path.canonicalize().is_ok_and(|path| path == own));
    match same {
        None => Ok(()),
        Some(path) => Err(ImportError::Malformed {
            file: path.display().to_string(),
            line: 1,
            message: "this is the store itself; a store is not imported into itself".to_owned(),
        }),
    }
}
