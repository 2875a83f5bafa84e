//! An import's events on their way into the log, in its order, then commit.
//!
//! As long as the files are in log order, each event goes into the log while they are read. With the first one that
//! belongs before another, what was stored is thrown away; the files are read again, into the spool, and a second pass
//! over that stores all.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use super::gather::{Gathered, Totals, spool_error};
use super::observe::{self, Look};
use super::places::Places;
use super::report::{FileReport, ImportReport};
use super::spool::{Spool, Spooled};
use super::{Format, ImportError, ImportRequest, Mapping, Phase, Progress};
use crate::finding::{FindingKind, Place, Severity};
use crate::id::{Category, EventId, StreamId};
use crate::position::Position;
use crate::store::{
    AppendError, AppendedEvent, Bulk, BulkOutcome, Extraction, ImportNote, ImportedFile, LogWriter,
    SeenFile,
};
use crate::time::Time;

/// Events set aside by an import that stores while it reads, beyond which it would rather go by the spool.
const MAX_SET_ASIDE: usize = 1_000;

/// A bulk append that takes an import's events in log order.
struct Storing<'w> {
    bulk: Bulk<'w>,
    stored: u64,
    duplicates: u64,
    /// For each stream of the import, whether an event of it was stored.
    streams: Vec<bool>,
    types: HashSet<String>,
    /// Where its records stand.
    seen: Places,
    /// Ids as given of records whose id other content held: by where they stand.
    reused: HashMap<Position, EventId>,
}

/// An event that the report says more about than that it is there.
struct SetAside {
    stream: u32,
    file: u32,
    line: u64,
    why: Why,
}

enum Why {
    /// The log does not take it: the reason, and its data.
    Rejected(String, Vec<u8>),
    /// Its id was taken.
    IdReused(EventId, AppendedEvent),
}

impl<'w> Storing<'w> {
    fn begin(
        writer: &'w LogWriter,
        request: &ImportRequest,
        seen: Places,
    ) -> Result<Storing<'w>, ImportError> {
        Ok(Storing {
            bulk: writer
                .bulk(&sources_of(request), &Extraction::standard())
                .map_err(append_error)?,
            stored: 0,
            duplicates: 0,
            streams: Vec::new(),
            types: HashSet::new(),
            seen,
            reused: HashMap::new(),
        })
    }

    /// Adds an event to the end of the stream called `name`.
    fn add(
        &mut self,
        name: &StreamId,
        spooled: Spooled,
        progress: &Progress,
    ) -> Result<Option<SetAside>, ImportError> {
        let Spooled {
            stream,
            category,
            file,
            line,
            order,
            event,
        } = spooled;
        progress.events_done.fetch_add(1, Ordering::Relaxed);
        let aside = |why| SetAside {
            stream,
            file,
            line,
            why,
        };
        // The name was checked when the record was read.
        let category = category.and_then(|c| Category::new(c).ok());
        match self.bulk.check(name, category.as_ref(), &event) {
            Ok(()) => {}
            Err(
                error @ (AppendError::CategoryConflict { .. }
                | AppendError::LinkedTwice { .. }
                | AppendError::TooLarge { .. }),
            ) => {
                let why = Why::Rejected(error.to_string(), event.data.bytes);
                return Ok(Some(aside(why)));
            }
            Err(error) => return Err(append_error(error)),
        }
        let new_type =
            (!self.types.contains(event.event_type.as_str())).then(|| event.event_type.to_string());
        let id = event.id.clone();
        let outcome = self
            .bulk
            .add(name, category.as_ref(), event)
            .map_err(append_error)?;
        let (BulkOutcome::Duplicate(at)
        | BulkOutcome::Stored(at)
        | BulkOutcome::StoredUnderNewId(at)) = outcome;
        self.seen.note(file, order, at.position);
        let why = match outcome {
            BulkOutcome::Duplicate(_) => {
                self.duplicates += 1;
                return Ok(None);
            }
            BulkOutcome::Stored(_) => None,
            BulkOutcome::StoredUnderNewId(at) => id.map(|id| {
                self.reused.insert(at.position, id.clone());
                Why::IdReused(id, at)
            }),
        };
        self.stored += 1;
        self.types.extend(new_type);
        progress.events_stored.fetch_add(1, Ordering::Relaxed);
        let index = stream as usize;
        if self.streams.len() <= index {
            self.streams.resize(index + 1, false);
        }
        self.streams[index] = true;
        Ok(why.map(aside))
    }
}
/// Stores events while the files are read.
pub(super) struct Ahead<'w> {
    storing: Storing<'w>,
    /// Where the log has come to.
    reached: Time,
    set_aside: Vec<SetAside>,
}

impl<'w> Ahead<'w> {
    /// Takes the right to write until the import is over.
    pub(super) fn begin(
        writer: &'w LogWriter,
        request: &ImportRequest,
    ) -> Result<Ahead<'w>, ImportError> {
        Ok(Ahead {
            storing: Storing::begin(writer, request, Places::as_read())?,
            reached: Time::MIN,
            set_aside: Vec::new(),
        })
    }

    /// Whether an event of a stream that has come to `reached` can follow on those before.
    pub(super) fn can_follow(&self, reached: Time) -> bool {
        self.reached <= reached && self.set_aside.len() < MAX_SET_ASIDE
    }

    /// Stores the event that follows.
    pub(super) fn follow(
        &mut self,
        reached: Time,
        name: &StreamId,
        event: Spooled,
        progress: &Progress,
    ) -> Result<(), ImportError> {
        self.reached = reached;
        self.set_aside
            .extend(self.storing.add(name, event, progress)?);
        Ok(())
    }
}

impl Totals {
    fn report(&mut self, aside: SetAside) -> Result<(), ImportError> {
        let SetAside {
            stream,
            file,
            line,
            why,
        } = aside;
        let file = &self.files[file as usize].file;
        match why {
            Why::Rejected(reason, data) => self.rejects.add(file, line, reason, &data),
            Why::IdReused(id, at) => {
                let name = &self.streams.list[stream as usize].name;
                self.notes.add(FindingKind::IdReused, Severity::Warning, || {
                    let place = Place {
                        file: Some(file.clone()),
                        line: Some(line),
                        stream: Some(name.to_string()),
                        version: Some(at.version),
                        position: Some(at.position),
                        path: None,
                    };
                    (place, format!("id {id} came with other content before; this event got an id of its own"))
                });
                Ok(())
            }
        }
    }
}

impl Gathered<'_> {
    /// Stores what is not stored yet, then commits. `compares` with what was seen of the files before, if the log may
    /// hold any of that.
    pub(super) fn store(
        self,
        writer: &LogWriter,
        compares: bool,
        request: &ImportRequest,
        progress: &Progress,
    ) -> Result<ImportReport, ImportError> {
        let Gathered {
            spool,
            mut totals,
            folder,
            ahead,
        } = self;
        let storing = match ahead {
            Some(ahead) => {
                for aside in ahead.set_aside {
                    totals.report(aside)?;
                }
                ahead.storing
            }
            None => {
                let events = spool.as_ref().map_or(0, Spool::len);
                let mut storing = Storing::begin(writer, request, Places::sorted(events))?;
                progress.events_total.store(events, Ordering::Relaxed);
                progress.enter(Phase::Storing);
                let sorted = spool.map(Spool::sorted).transpose();
                let sorted = sorted.map_err(|e| spool_error(&folder, e))?;
                for spooled in sorted.into_iter().flatten() {
                    if progress.cancel.load(Ordering::Relaxed) {
                        return Err(ImportError::Cancelled);
                    }
                    let spooled = spooled.map_err(|e| spool_error(&folder, e))?;
                    let name = &totals.streams.list[spooled.stream as usize].name;
                    if let Some(aside) = storing.add(name, spooled, progress)? {
                        totals.report(aside)?;
                    }
                }
                storing
            }
        };
        let unchanged: usize = totals.unchanged.iter().map(Vec::len).sum();
        let Storing {
            mut bulk,
            stored,
            duplicates,
            streams,
            types,
            seen,
            reused,
        } = storing;
        let duplicates = duplicates + unchanged as u64;
        let seen: Vec<SeenFile> = seen
            .of_files(totals.files.len())
            .into_iter()
            .zip(totals.in_folder.iter().zip(&totals.unchanged))
            .map(|(read, (in_folder, unchanged))| SeenFile {
                positions: match unchanged.is_empty() {
                    true => read,
                    false => unchanged.iter().copied().chain(read.iter()).collect(),
                },
                in_folder: *in_folder,
            })
            .collect();
        let look = Look {
            log: &writer.log(),
            reused: &reused,
            whole_folders: totals.in_folder.contains(&true),
        };
        if compares {
            observe::compare(&look, &seen, &mut totals.files, &mut totals.notes)
                .map_err(observe::unreadable)?;
        }
        let rejects_file = totals.rejects.keep()?;
        if request.dry_run {
            drop(bulk);
        } else {
            progress.enter(Phase::Finishing);
            bulk.note(ImportNote {
                read: totals.read,
                stored,
                duplicates,
                rejected: totals.rejects.count,
                files: totals.files.iter().filter_map(imported).collect(),
                seen: totals
                    .files
                    .iter()
                    .zip(seen)
                    .filter_map(|(file, seen)| file.skipped.is_none().then_some(seen))
                    .collect(),
            });
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

/// What the log keeps of a file; nothing of one that was not read.
fn imported(file: &FileReport) -> Option<ImportedFile> {
    let format = match file.format {
        Format::Auto => "auto",
        Format::Jsonl => "jsonl",
        Format::Json => "json",
        Format::Xes => "xes",
        Format::Csv => "csv",
        Format::Ocel => "ocel",
        Format::Git => "git",
    };
    file.skipped.is_none().then(|| ImportedFile {
        name: file.source.clone(),
        bytes: file.bytes,
        sha256: file.sha256,
        format: format.to_owned(),
        mapping_sha256: file.mapping_sha256,
        mapping: file.mapping.as_ref().map(Mapping::to_toml),
        read: file.read,
        coverage: file.coverage.clone(),
    })
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
