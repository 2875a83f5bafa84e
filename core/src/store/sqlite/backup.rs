//! A consistent copy of a log while others write.
//!
//! SQLite copies the file page by page inside one read transaction, so writers neither wait nor are waited for.
//! Then every event of the copy is hashed again. `docs/decisions/0014-backup.md` says why pages.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::log::{Log, head};
use super::open;
use super::unnamed::Files;
use super::verify::verify;
use crate::progress::WorkProgress;
use crate::store::{BackupError, BackupReport, BesideReport, Head, ReadError};

/// Pages copied between two looks at the cancel switch: 4 MiB.
const STEP_PAGES: i32 = 1_024;

/// Copies a log as it is at this moment into a new file, verified: the copy's events make the root that the log
/// has. Others may write meanwhile. The user's own files beside the store (every `.toml` in `X.annals.d`) are
/// copied too; caches are not.
///
/// `progress` counts events: half of them is copying, half verifying.
///
/// # Errors
/// [`BackupError`]; no file is left behind.
///
/// ```
/// use annals_core::progress::WorkProgress;
/// use annals_core::store::{Log, backup};
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store).unwrap();
/// let log = Log::explore(&store).unwrap();
/// let copy = folder.path().join("guide-backup.annals");
/// let report = backup(&log, &copy, &WorkProgress::default()).unwrap();
/// assert_eq!(Log::explore(&copy).unwrap().head().unwrap(), log.head().unwrap());
/// assert_eq!(report.root, log.head().unwrap().root);
/// ```
pub fn backup(
    log: &Log,
    file: &Path,
    progress: &WorkProgress,
) -> Result<BackupReport, BackupError> {
    let new = reserve(file, log)?;
    let said = copy_pages(log, new.unnamed(), progress)?;
    let copy = open::reader(new.unnamed()).map_err(|e| open::engine(file, e))?;
    let found = verify(&copy, progress)?;
    let root = found.root();
    if root != said.root || found.size() != said.size.0 {
        return Err(BackupError::RootDiffers {
            found: root,
            said: said.root,
        });
    }
    drop(copy);
    let file_bytes = std::fs::metadata(new.unnamed())
        .map_err(|e| open::io(file, e))?
        .len();
    let copies = Beside::copy(log.path(), file)?;
    new.sync_and_name()?;
    Ok(BackupReport {
        store: log.path().display().to_string(),
        file: file.display().to_string(),
        id: log.id(),
        size: said.size,
        root,
        file_bytes,
        beside: copies.keep(),
    })
}

/// A place for the copy of a log.
pub(super) fn reserve(path: &Path, log: &Log) -> Result<Files, BackupError> {
    // The log's id, so that copies of different logs do not meet.
    Ok(Files::reserve(path, &log.id().0.simple().to_string())?)
}

/// Copies the pages and returns the head that they hold.
fn copy_pages(log: &Log, to: &Path, progress: &WorkProgress) -> Result<Head, BackupError> {
    let mut copy = Connection::open(to).map_err(|e| open::engine(to, e))?;
    // The file has no name yet, and is made durable before it gets one.
    copy.pragma_update(None, "synchronous", "OFF")
        .map_err(write_error)?;
    log.read(|source| {
        // The transaction sees the log as of this first read, however long the copy takes.
        let said = head(source)?;
        progress.expect(said.size.0.saturating_mul(2).max(1));
        Ok(step_through(source, &mut copy, said, progress))
    })?
}

fn step_through(
    source: &Connection,
    copy: &mut Connection,
    said: Head,
    progress: &WorkProgress,
) -> Result<Head, BackupError> {
    let backup = Backup::new(source, copy).map_err(write_error)?;
    loop {
        if progress.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        match backup.step(STEP_PAGES).map_err(write_error)? {
            StepResult::Done => return Ok(said),
            StepResult::Busy | StepResult::Locked => std::thread::yield_now(),
            // `More`, and what a later version of the engine may add.
            _ => {}
        }
        let pages = backup.progress();
        let total = u64::try_from(pages.pagecount).unwrap_or(0).max(1);
        let left = u64::try_from(pages.remaining).unwrap_or(0);
        progress.reach(said.size.0.saturating_mul(total.saturating_sub(left)) / total);
    }
}

/// What an engine's error means where a new file is written.
pub(super) fn write_error(error: rusqlite::Error) -> BackupError {
    if open::is_full(&error) {
        BackupError::DiskFull
    } else {
        ReadError::from(error).into()
    }
}

/// Folder of the user's own files beside a store.
fn beside(store: &Path) -> PathBuf {
    open::beside(store, ".d")
}

/// Copies of the user's own files that were made; removed again unless kept.
#[derive(Debug, Default)]
pub(super) struct Beside {
    report: BesideReport,
    made: Vec<PathBuf>,
}

impl Beside {
    /// Copies the user's own files, every `.toml` in the folder beside a store, to the folder beside another.
    /// A file that is there already stays as it is.
    pub(super) fn copy(from: &Path, to: &Path) -> Result<Beside, BackupError> {
        let mut copies = Beside::default();
        let mut folders = vec![PathBuf::new()];
        let (from, to) = (beside(from), beside(to));
        while let Some(folder) = folders.pop() {
            let here = from.join(&folder);
            let failed = |source| BackupError::Beside {
                path: here.clone(),
                source,
            };
            let entries = match std::fs::read_dir(&here) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let path = folder.join(entry.file_name());
                // A link to a folder may lead round in circles; a link to a file is copied as the file.
                if entry.file_type().map_err(failed)?.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "toml") {
                    let copied = copies.copy_file(&from.join(&path), &to.join(&path));
                    copied.map_err(failed)?;
                }
            }
        }
        Ok(copies)
    }

    fn copy_file(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
        if to.symlink_metadata().is_ok() {
            self.report.kept += 1;
            return Ok(());
        }
        let text = std::fs::read(from)?;
        let folders = to.ancestors().skip(1);
        // The path's own start, where it is relative, is the empty path.
        let missing: Vec<&Path> = folders
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            std::fs::create_dir(folder)?;
            self.made.push(folder.to_owned());
        }
        let mut file = std::fs::File::create_new(to)?;
        self.made.push(to.to_owned());
        std::io::Write::write_all(&mut file, &text)?;
        file.sync_all()?;
        self.report.copied += 1;
        Ok(())
    }

    /// Leaves the copies where they are.
    pub(super) fn keep(mut self) -> BesideReport {
        self.made.clear();
        self.report
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // Whatever cannot be removed does no harm: it is never written over.
            let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ShopRequest, shop};

    #[test]
    fn a_full_disk_is_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("shop.annals");
        let progress = WorkProgress::default();
        shop(
            &store,
            &ShopRequest {
                events: 1_000,
                seed: 1,
            },
            &progress,
        )
        .unwrap();
        let log = Log::explore(&store).unwrap();
        let mut small = Connection::open(folder.path().join("small")).unwrap();
        small
            .query_row("PRAGMA max_page_count = 20", [], |_| Ok(()))
            .unwrap();
        let said = log.head().unwrap();
        let copied = log
            .read(|source| Ok(step_through(source, &mut small, said, &progress)))
            .unwrap();
        assert!(matches!(copied, Err(BackupError::DiskFull)), "{copied:?}");
    }
}
