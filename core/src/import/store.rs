//! The second pass of an import: the spool into the log, in order, then commit.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::gather::{Gathered, spool_error};
use super::report::ImportReport;
use super::spool::Spooled;
use super::{ImportError, ImportRequest, Progress};
use crate::finding::{FindingKind, Place, Severity};
use crate::id::Category;
use crate::store::{AppendError, BulkOutcome, Extraction, LogWriter};

impl Gathered {
    /// The second pass: into the log in order, then commit.
    pub(super) fn store(
        self,
        writer: &LogWriter,
        request: &ImportRequest,
        progress: &Progress,
    ) -> Result<ImportReport, ImportError> {
        let Gathered {
            spool,
            mut totals,
            folder,
        } = self;
        let mut stored = 0;
        let mut duplicates = 0;
        let mut streams = vec![false; totals.streams.list.len()];
        let mut types: HashSet<String> = HashSet::new();
        let mut bulk = writer
            .bulk(&sources_of(request), &Extraction::standard())
            .map_err(append_error)?;
        for spooled in spool.sorted().map_err(|e| spool_error(&folder, e))? {
            if progress.cancel.load(Ordering::Relaxed) {
                return Err(ImportError::Cancelled);
            }
            let Spooled {
                stream,
                category,
                file,
                line,
                event,
            } = spooled.map_err(|e| spool_error(&folder, e))?;
            let name = &totals.streams.list[stream as usize].name;
            // The name was checked when the record was read.
            let category = category.and_then(|c| Category::new(c).ok());
            let event_type = event.event_type.clone();
            let id = event.id.clone();
            let data = event.data.clone();
            let outcome = match bulk.add(name, category.as_ref(), event) {
                Ok(outcome) => outcome,
                Err(
                    error @ (AppendError::CategoryConflict { .. }
                    | AppendError::LinkedTwice { .. }
                    | AppendError::TooLarge { .. }),
                ) => {
                    let file = &totals.files[file as usize].file;
                    totals
                        .rejects
                        .add(file, line, error.to_string(), &data.bytes)?;
                    continue;
                }
                Err(error) => return Err(append_error(error)),
            };
            if let BulkOutcome::Duplicate(_) = outcome {
                duplicates += 1;
                continue;
            }
            if let BulkOutcome::StoredUnderNewId(at) = outcome {
                totals.notes.add(FindingKind::IdReused, Severity::Warning, || {
                    let place = Place {
                        file: Some(totals.files[file as usize].file.clone()),
                        line: Some(line),
                        stream: Some(name.to_string()),
                        version: Some(at.version),
                        position: Some(at.position),
                        path: None,
                    };
                    let id = id.map(|id| id.to_string()).unwrap_or_default();
                    (place, format!("id {id} came with other content before; this event got an id of its own"))
                });
            }
            stored += 1;
            progress.events_stored.fetch_add(1, Ordering::Relaxed);
            streams[stream as usize] = true;
            if !types.contains(event_type.as_str()) {
                types.insert(event_type.to_string());
            }
        }
        let rejects_file = totals.rejects.keep()?;
        if request.dry_run {
            drop(bulk);
        } else {
            bulk.commit().map_err(append_error)?;
        }
        Ok(ImportReport {
            read: totals.read,
            stored,
            duplicates,
            rejected: totals.rejects.count,
            streams: streams.iter().filter(|s| **s).count() as u64,
            types: types.len() as u64,
            first_time: totals.first_time,
            last_time: totals.last_time,
            dry_run: request.dry_run,
            files: totals.files,
            findings: totals.notes.into_vec(),
            rejects: totals.rejects.first,
            rejects_file,
        })
    }
}

/// The files' names: what the import as a whole is called.
fn sources_of(request: &ImportRequest) -> String {
    let names: Vec<String> = request
        .paths
        .iter()
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.join(", ")
}

fn append_error(error: AppendError) -> ImportError {
    match error {
        AppendError::Cancelled => ImportError::Cancelled,
        error => ImportError::Append(error),
    }
}
