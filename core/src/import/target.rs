//! The store to import into, which may not be there yet: it gets its name when the import has succeeded.

use std::path::Path;

use super::{ImportError, ImportReport, ImportRequest, Progress, import};
use crate::store::{LogWriter, OpenError, UnnamedLog};
use crate::surroundings::Surroundings;

/// Whether the store may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Made where it does not exist.
    Either,
    /// It must not be there.
    New,
}

/// What an import into a store by name did.
#[derive(Debug)]
pub struct Imported {
    /// The report.
    pub report: ImportReport,
    /// The store was made for it.
    pub made: bool,
}

/// Imports files into the store at a path. One that is made for it gets its name only when the import has
/// succeeded: one that fails, is cancelled or is a dry run leaves nothing.
///
/// # Errors
/// [`ImportError`]; nothing was stored. [`ImportError::Open`] if the store cannot be opened or made, or is there
/// where it must be new.
///
/// ```
/// use annals_core::import::{ImportRequest, Presence, Progress, import_into};
/// use annals_core::surroundings::Surroundings;
///
/// let folder = tempfile::tempdir().unwrap();
/// let file = folder.path().join("shop.jsonl");
/// std::fs::write(&file, r#"{"orderId": 7, "eventType": "OrderPlaced", "timestamp": "2024-01-15T10:30:00Z"}"#).unwrap();
///
/// let store = folder.path().join("shop.annals");
/// let (surroundings, progress) = (Surroundings::system(), Progress::default());
/// let try_it = ImportRequest { dry_run: true, ..ImportRequest::of(vec![file.clone()]) };
/// let tried = import_into(&store, Presence::New, &try_it, &surroundings, &progress).unwrap();
/// assert_eq!((tried.report.stored, tried.made, store.exists()), (1, false, false));
///
/// let request = ImportRequest::of(vec![file]);
/// let done = import_into(&store, Presence::New, &request, &surroundings, &progress).unwrap();
/// assert_eq!((done.report.stored, done.made, store.exists()), (1, true, true));
/// ```
pub fn import_into(
    store: &Path,
    presence: Presence,
    request: &ImportRequest,
    surroundings: &Surroundings,
    progress: &Progress,
) -> Result<Imported, ImportError> {
    loop {
        let target = Target::open(store, presence, request.dry_run, surroundings)?;
        let report = import(target.writer(), request, surroundings, progress)?;
        match target {
            Target::There(writer) => {
                writer.close()?;
                return Ok(Imported {
                    report,
                    made: false,
                });
            }
            Target::Scratch(..) => {
                return Ok(Imported {
                    report,
                    made: false,
                });
            }
            Target::New(log) => match log.name() {
                Ok(()) => return Ok(Imported { report, made: true }),
                // Another import made the store meanwhile: this one goes into that.
                Err(OpenError::Exists { .. }) if presence == Presence::Either => progress.restart(),
                Err(error) => return Err(error.into()),
            },
        }
    }
}

/// The store to import into.
enum Target {
    There(LogWriter),
    /// Made for this import: it gets its name when that has succeeded.
    New(UnnamedLog),
    /// A dry run into a store that does not exist works on an empty one that is thrown away.
    Scratch(
        UnnamedLog,
        #[expect(dead_code, reason = "held")] tempfile::TempDir,
    ),
}

impl Target {
    fn open(
        store: &Path,
        presence: Presence,
        dry_run: bool,
        surroundings: &Surroundings,
    ) -> Result<Target, ImportError> {
        loop {
            match presence {
                Presence::New if store.symlink_metadata().is_ok() => {
                    let path = store.to_owned();
                    return Err(OpenError::Exists { path }.into());
                }
                Presence::New => {}
                Presence::Either => match LogWriter::open(store, surroundings.clone()) {
                    Ok(writer) => return Ok(Target::There(writer)),
                    Err(OpenError::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
            }
            if dry_run {
                let io = |source| ImportError::Io {
                    file: "the folder for temporary files".to_owned(),
                    source,
                };
                let scratch = tempfile::tempdir().map_err(io)?;
                let path = scratch.path().join("dry-run.annals");
                let log = UnnamedLog::to_fill(&path, surroundings.clone())?;
                return Ok(Target::Scratch(log, scratch));
            }
            match UnnamedLog::to_fill(store, surroundings.clone()) {
                Ok(log) => return Ok(Target::New(log)),
                // It came to be between the two questions.
                Err(OpenError::Exists { .. }) if store.exists() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn writer(&self) -> &LogWriter {
        match self {
            Target::There(writer) => writer,
            Target::New(log) | Target::Scratch(log, _) => log.writer(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::time::Time;

    /// The window made the store first and asked for the import then, so that a dry run left an empty store.
    #[test]
    fn import_that_does_not_succeed_leaves_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        std::fs::write(&file, r#"{"orderId": 7, "eventType": "Placed"}"#).unwrap();
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, "[{").unwrap();
        let store = folder.path().join("x.annals");
        let now = Time::parse_rfc3339("2024-01-15T10:30:00Z").unwrap();
        let surroundings = Surroundings::fixed(now, 0);
        let stop = Progress::default();
        stop.cancel.store(true, Ordering::Relaxed);
        let go = Progress::default();
        let run = |path: &Path, dry_run: bool, progress: &Progress| {
            let request = ImportRequest {
                dry_run,
                ..ImportRequest::of(vec![path.to_owned()])
            };
            import_into(&store, Presence::New, &request, &surroundings, progress)
        };
        let left = || {
            let names = std::fs::read_dir(folder.path()).unwrap();
            names.count() - 2
        };
        assert_eq!(run(&file, true, &go).unwrap().report.stored, 1);
        assert_eq!(left(), 0, "a dry run");
        assert!(matches!(
            run(&broken, false, &go),
            Err(ImportError::Malformed { .. })
        ));
        assert_eq!(left(), 0, "a file that is wrong");
        assert!(matches!(
            run(&file, false, &stop),
            Err(ImportError::Cancelled)
        ));
        assert_eq!(left(), 0, "a cancelled import");
        assert!(run(&file, false, &go).unwrap().made);
        for dry_run in [true, false] {
            let again = run(&file, dry_run, &go);
            let exists = matches!(again, Err(ImportError::Open(OpenError::Exists { .. })));
            assert!(exists, "a store that is there is not new: {again:?}");
        }
    }
}
