//! Taking what was erased out of what is kept beside the log.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use crate::cache::{LEFT, fallback_file, remove};
use crate::projection::forget_erased;
use crate::question::IntervalIndex;
use crate::search::{IndexProgress, SearchError, TextIndex};
use crate::snapshot::{SnapshotError, Snapshots};
use crate::store::{Log, ReadError};
use crate::time::Time;

/// What became of the caches after an erasure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CachesCleared {
    /// Files in which nothing erased is left.
    pub cleared: Vec<String>,
    /// What could not be cleared yet, and why, in sentences.
    pub left: Vec<String>,
}

/// Takes what was erased out of the text index, the documents of projections and the cache file that holds it. `fallback` is the folder for caches of
/// stores that cannot be written to; one that lies there and is not in use is removed whole, since it can be computed
/// again.
///
/// # Errors
/// [`ReadError`] of the log; [`ReadError::Cancelled`].
pub fn clear_caches(
    log: &Log,
    fallback: Option<&Path>,
    progress: &IndexProgress,
) -> Result<CachesCleared, ReadError> {
    let mut done = CachesCleared::default();
    let index = TextIndex::open(log, fallback);
    let read = |error: SearchError| match error {
        SearchError::Read(error) => error,
        SearchError::Cancelled => ReadError::Cancelled,
    };
    // Where there is no file there is nothing in it. One that covers nothing may still hold what it had covered.
    let on_disk =
        |file: &Option<String>| file.as_deref().is_some_and(|file| Path::new(file).exists());
    if on_disk(&index.view().map_err(read)?.file) {
        // A fold may hold what was erased. One that cannot be opened is none, and goes with its file.
        if let Ok(snapshots) = Snapshots::open(log, fallback, Arc::new(|| Time::MIN)) {
            match snapshots.forget_erased() {
                Err(SnapshotError::Read(error)) => return Err(error),
                Err(error) => done.left.push(format!("{LEFT} snapshots: {error}")),
                Ok(()) => {}
            }
        }
        // So may the values that questions are answered from.
        IntervalIndex::open(log, fallback).forget_erased(log, &progress.cancel)?;
        // And the documents of read models.
        forget_erased(log, fallback, &progress.cancel)?;
        index.catch_up(progress).map_err(read)?;
    }
    let view = index.view().map_err(read)?;
    let of_erased = |note: &String| note.starts_with(LEFT);
    done.left.extend(view.notes.into_iter().filter(of_erased));
    if done.left.is_empty() {
        done.cleared.extend(view.file.clone());
    }
    if let Some(fallback) = fallback {
        let other = fallback_file(log, fallback);
        if view.file.as_deref().map(Path::new) != Some(&other) && other.exists() {
            match remove(&other) {
                Ok(()) => done.cleared.push(other.display().to_string()),
                Err(error) => done
                    .left
                    .push(format!("{} could not be removed: {error}", other.display())),
            }
        }
    }
    Ok(done)
}
