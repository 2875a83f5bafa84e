//! What an import did: counts, findings, rejected records.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    ChainReport, Compression, Encoding, Format, ImportError, Mapping, SourceOrder, UnchangedPart,
};
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::integrity::Hash;
use crate::store::Coverage;
use crate::time::Time;

/// Rejected records that the report itself holds; all of them are in the rejects file.
const REJECTS_IN_REPORT: usize = 100;
/// Bytes of a rejected record that are shown.
const REJECT_RECORD_BYTES: usize = 64 * 1024;

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
    /// Earliest time that the events read say themselves; what was passed over as unchanged is not looked at.
    pub first_time: Option<Time>,
    /// Latest time that the events read say themselves, likewise.
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
    /// The source of its events that name none themselves: its name, of a file in a folder with folders.
    pub source: String,
    /// Format read.
    pub format: Format,
    /// Why this format was chosen.
    pub why: String,
    /// The preset by which its records became events.
    pub preset: Option<String>,
    /// How far the order of its records can be relied on.
    pub order: SourceOrder,
    /// How it is packed.
    pub compression: Compression,
    /// How its bytes spell text.
    pub encoding: Encoding,
    /// Its size, packed as it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of it, packed as it is.
    pub sha256: Hash,
    /// A table, or JSON read by a preset or a mapping: SHA-256 of the mapping, written as TOML.
    pub mapping_sha256: Option<Hash>,
    /// The mapping, guesses filled in.
    pub mapping: Option<Mapping>,
    /// Records read.
    #[ts(type = "number")]
    pub read: u64,
    /// How much of what happened it holds; `None` where it held no event.
    pub coverage: Option<Coverage>,
    /// Its beginning, where that was imported before, is unchanged and was not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unchanged: Option<UnchangedPart>,
    /// What was found of the hashes that its events hold, where its source chains them so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub chain: Option<ChainReport>,
    /// Why nothing of it was read, though it lies in a folder that was to be imported.
    pub skipped: Option<String>,
    /// What became of what was seen in this source before; `None` at the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub seen: Option<SeenAgain>,
}

/// A source that was looked at before, compared with what was seen then. Each record is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SeenAgain {
    /// How many imports have looked at it, this one included.
    #[ts(type = "number")]
    pub looks: u64,
    /// When it was looked at last before.
    pub last_seen: Time,
    /// Records that were seen then.
    #[ts(type = "number")]
    pub before: u64,
    /// Of these, records that are there with other content.
    #[ts(type = "number")]
    pub changed: u64,
    /// Of these, records that are not there any more.
    #[ts(type = "number")]
    pub vanished: u64,
    /// Of these, records that come in another order: the fewest whose moving explains it.
    #[ts(type = "number")]
    pub reordered: u64,
    /// New records that stand before or between them.
    #[ts(type = "number")]
    pub inserted: u64,
    /// New records after all of them: how a log grows.
    #[ts(type = "number")]
    pub appended: u64,
}

impl SeenAgain {
    /// Whether the source only grew at its end.
    #[must_use]
    pub fn only_grew(&self) -> bool {
        let SeenAgain {
            changed,
            vanished,
            reordered,
            inserted,
            ..
        } = self;
        changed + vanished + reordered + inserted == 0
    }
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

/// Findings of an import; the detail of all but the first of a kind is never made.
#[derive(Debug, Default)]
pub(super) struct Notes(Findings);

impl Notes {
    pub(super) fn add(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        first: impl FnOnce() -> (Place, String),
    ) {
        let (place, detail) = if self.0.count(kind) == 0 {
            first()
        } else {
            (Place::default(), String::new())
        };
        self.0.add(kind, severity, place, detail);
    }

    /// Adds one of few, each of which is told.
    pub(super) fn add_each(
        &mut self,
        kind: FindingKind,
        severity: Severity,
        place: Place,
        detail: String,
    ) {
        self.0.add_cause(kind, severity, place, detail);
    }

    /// Takes what was counted elsewhere.
    pub(super) fn take(&mut self, finding: Finding) {
        self.0.take(finding);
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0.into_vec()
    }
}

/// Rejected records: counted, the first ones kept, all written to the file asked for.
///
/// The file is written under a temporary name and gets its own when the import is sure to happen, so that a
/// failed import leaves an older file as it was.
pub(super) struct Rejects {
    pub(super) count: u64,
    pub(super) first: Vec<Reject>,
    file: Option<RejectsFile>,
}

struct RejectsFile {
    path: PathBuf,
    out: std::io::BufWriter<tempfile::NamedTempFile>,
}

impl Rejects {
    pub(super) fn new(path: Option<&Path>) -> Result<Rejects, ImportError> {
        let file = match path {
            None => None,
            Some(path) => {
                let temporary = tempfile::NamedTempFile::new_in(folder_of(path))
                    .map_err(|source| io(path, source))?;
                Some(RejectsFile {
                    path: path.to_owned(),
                    out: std::io::BufWriter::new(temporary),
                })
            }
        };
        Ok(Rejects {
            count: 0,
            first: Vec::new(),
            file,
        })
    }

    pub(super) fn add(
        &mut self,
        file: &str,
        line: u64,
        reason: String,
        record: &[u8],
    ) -> Result<(), ImportError> {
        self.count += 1;
        if self.first.len() >= REJECTS_IN_REPORT && self.file.is_none() {
            return Ok(());
        }
        let shown = &record[..record.len().min(REJECT_RECORD_BYTES)];
        let reject = Reject {
            file: file.to_owned(),
            line,
            reason,
            record: String::from_utf8_lossy(shown).into_owned(),
        };
        if let Some(RejectsFile { path, out }) = &mut self.file {
            serde_json::to_writer(&mut *out, &reject)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|source| io(path, source))?;
        }
        if self.first.len() < REJECTS_IN_REPORT {
            self.first.push(reject);
        }
        Ok(())
    }

    /// Gives the file its name. Returns that name.
    pub(super) fn keep(&mut self) -> Result<Option<String>, ImportError> {
        let Some(RejectsFile { path, out }) = self.file.take() else {
            return Ok(None);
        };
        let written = out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|temporary| temporary.persist(&path).map_err(|e| e.error));
        match written {
            Ok(_) => Ok(Some(path.display().to_string())),
            Err(source) => Err(io(&path, source)),
        }
    }
}

/// The folder that holds a file; the current one for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// First bytes of files that SQLite keeps a database in: itself, its journal, and both forms of its write-ahead log.
const DATABASES: [&[u8]; 4] = [
    b"SQLite format 3\0",
    &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7],
    &[0x37, 0x7f, 0x06, 0x82],
    &[0x37, 0x7f, 0x06, 0x83],
];

/// Refuses to replace what must not be lost by a slip: a file that is read or written at the same time
/// (`in_use`; of a folder the files in it that an import reads), any database, and what is no regular file.
///
/// # Errors
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput) where the file is one of these; else what its start cannot
/// be read for.
///
/// ```
/// use annals_core::import::may_replace;
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("shop.annals");
/// annals_core::sample::guide(&store).unwrap();
/// assert!(may_replace(&store, &[]).is_err());
/// assert!(may_replace(&folder.path().join("new.toml"), &[]).is_ok());
/// ```
pub fn may_replace(file: &Path, in_use: &[&Path]) -> std::io::Result<()> {
    let refused = |why: &str| {
        let message = format!("{} {why}; name another file", file.display());
        Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            message,
        ))
    };
    // A file that is not there yet has no canonical path, but its folder has.
    let place = |path: &Path| {
        let folder = folder_of(path).canonicalize().ok()?;
        let whole = path.canonicalize().ok();
        whole.or_else(|| Some(folder.join(path.file_name()?)))
    };
    if let Some(here) = place(file) {
        let is_used = |used: &&Path| {
            let Some(used) = place(used) else {
                return false;
            };
            used == here || (here.is_file() && here.strip_prefix(&used).is_ok_and(is_seen))
        };
        if in_use.iter().any(is_used) {
            return refused("is in use by this very command");
        }
    }
    let Ok(found) = std::fs::metadata(file) else {
        return Ok(());
    };
    if found.is_dir() {
        return refused("is a folder");
    }
    if !found.is_file() {
        return refused("is no regular file");
    }
    let mut first = Vec::new();
    std::fs::File::open(file).and_then(|f| f.take(16).read_to_end(&mut first))?;
    if DATABASES.iter().any(|start| first.starts_with(start)) {
        return refused("is a database, perhaps a store");
    }
    Ok(())
}

/// Whether a path inside a folder is one that an import of the folder goes into: no part of it is hidden.
fn is_seen(path: &Path) -> bool {
    let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    !path.iter().any(hidden)
}

/// The files that a log consists of while it is open.
pub(crate) fn files_of(log: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = log.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn io(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io {
        file: path.display().to_string(),
        source,
    }
}
