//! Making a log: it is written under another name, and gets its own when it is whole.
//!
//! So whoever finds it can open it, and what fails on the way leaves nothing under the name. A log that has its
//! name is never removed again: another program may have it open, and SQLite's files beside it go by name.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::open;
use super::schema;
use super::writer::LogWriter;
use crate::store::OpenError;
use crate::surroundings::Surroundings;
use crate::time::Time;

/// A new log that has not got its name yet; dropped, it leaves nothing.
///
/// ```
/// use annals_core::{store::{LogWriter, UnnamedLog}, surroundings::Surroundings};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("shop.annals");
/// let unnamed = UnnamedLog::create(&path, Surroundings::system())?;
/// unnamed.writer().append(vec![])?;
/// assert!(!path.exists());
/// unnamed.name()?;
/// LogWriter::open(&path, Surroundings::system())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UnnamedLog {
    /// Before `files`: closed before they are given a name or removed.
    writer: LogWriter,
    files: Files,
}

/// Where a file in the making is and what it is to be called; dropped before it has its name, it goes.
#[derive(Debug)]
pub(super) struct Files {
    unnamed: PathBuf,
    path: PathBuf,
}

impl UnnamedLog {
    /// Makes a new log that is to be called `path`.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if something is there already; [`OpenError::NotFound`] if its folder is not.
    pub fn create(path: &Path, surroundings: Surroundings) -> Result<UnnamedLog, OpenError> {
        let files = Files::fill(path, &surroundings, "WAL")?;
        Ok(UnnamedLog {
            writer: LogWriter::open(&files.unnamed, surroundings)?,
            files,
        })
    }

    /// As [`UnnamedLog::create`], for a log that one bulk append is to fill: until it gets its name it has no
    /// write-ahead log, so every page is written once, and nothing of it can be read while the bulk append writes.
    ///
    /// # Errors
    /// As [`UnnamedLog::create`].
    pub(crate) fn to_fill(
        path: &Path,
        surroundings: Surroundings,
    ) -> Result<UnnamedLog, OpenError> {
        let files = Files::fill(path, &surroundings, "DELETE")?;
        Ok(UnnamedLog {
            writer: LogWriter::open_to_fill(&files.unnamed, surroundings)?,
            files,
        })
    }

    /// To append to it.
    #[must_use]
    pub fn writer(&self) -> &LogWriter {
        &self.writer
    }

    /// Closes the log and gives it its name.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if something has the name by now; the log is gone then.
    pub fn name(self) -> Result<(), OpenError> {
        let UnnamedLog { writer, files } = self;
        let was_to_fill = writer.is_to_fill();
        writer.end_filling()?;
        drop(writer);
        match was_to_fill {
            true => files.sync_and_name(),
            false => files.name(),
        }
    }
}

impl Files {
    /// Makes an empty file that is to be called `path`; `token` tells its name until then from others'. Where files of
    /// that name are, of a process that died or of one that is at it, the next free one is taken: which of the two
    /// it is cannot be told for sure, so nobody's files are touched ([`left_in_the_making`] tells of them).
    ///
    /// Refused also where an earlier store of that name left a write-ahead log or journal: SQLite would take it
    /// for the new file's.
    pub(super) fn reserve(path: &Path, token: &str) -> Result<Files, OpenError> {
        for suffix in ["", "-wal", "-journal"] {
            let path = open::beside(path, suffix);
            if path.symlink_metadata().is_ok() {
                return Err(OpenError::Exists { path });
            }
        }
        let nth = |nth: u32| match nth {
            0 => open::beside(path, &format!(".{token}.new")),
            nth => open::beside(path, &format!(".{token}-{nth}.new")),
        };
        let has_left = |unnamed: &Path| {
            let mut beside = ["-wal", "-journal"].iter();
            beside.any(|suffix| open::beside(unnamed, suffix).symlink_metadata().is_ok())
        };
        let mut candidates = (0..=u32::MAX).map(nth).filter(|file| !has_left(file));
        loop {
            let Some(unnamed) = candidates.next() else {
                return Err(OpenError::Exists { path: nth(0) });
            };
            match std::fs::File::create_new(&unnamed) {
                Ok(_) => {
                    let path = path.to_owned();
                    return Ok(Files { unnamed, path });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(open::io(path, error)),
            }
        }
    }

    /// Writes an empty log that is in this journal mode of the engine.
    fn fill(path: &Path, surroundings: &Surroundings, journal: &str) -> Result<Files, OpenError> {
        let mut random = [0u8; 16];
        (surroundings.random)(&mut random);
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let files = Files::reserve(path, &id.simple().to_string())?;
        fill(&files, id, (surroundings.clock)(), journal)?;
        Ok(files)
    }

    /// Where the file is until it has its name.
    pub(super) fn unnamed(&self) -> &Path {
        &self.unnamed
    }

    /// Makes the file durable, whatever wrote it, and gives it its name, unless another has it.
    pub(super) fn sync_and_name(self) -> Result<(), OpenError> {
        // Windows makes only files that are open to write durable.
        let file = std::fs::OpenOptions::new().write(true).open(&self.unnamed);
        file.and_then(|file| file.sync_all())
            .map_err(|e| open::io(&self.path, e))?;
        let path = self.path.clone();
        self.name()?;
        if cfg!(unix) {
            std::fs::File::open(open::folder_of(&path))
                .and_then(|folder| folder.sync_all())
                .map_err(|e| open::io(&path, e))?;
        }
        Ok(())
    }

    /// Gives the file its name, unless another has it.
    fn name(self) -> Result<(), OpenError> {
        let Files { unnamed, path } = &self;
        // A write-ahead log goes by the name of its file: what is still in it would be lost.
        // Nobody hears why closing left it there, so it is tried once more.
        if open::wal_pending(unnamed) {
            open::empty_wal(unnamed).map_err(|e| open::engine(path, e))?;
        }
        if open::wal_pending(unnamed) {
            return Err(OpenError::Locked {
                path: unnamed.clone(),
            });
        }
        match std::fs::hard_link(unnamed, path) {
            // A file system without links: the name is taken first, then its empty file replaced.
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                std::fs::File::create_new(path).and_then(|_| std::fs::rename(unnamed, path))
            }
            linked => linked,
        }
        .map_err(|e| open::io(path, e))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Nobody else knows the name. What cannot be removed stays.
            let _ = std::fs::remove_file(open::beside(&self.unnamed, suffix));
        }
    }
}

/// Files that were or are to become the store `path`, in order: what processes that were stopped left of making it, and
/// what others are making now. The former can be removed.
#[must_use]
pub fn left_in_the_making(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(open::folder_of(path));
    let (Some(name), Ok(entries)) = (path.file_name(), entries) else {
        return Vec::new();
    };
    let is_one = |file: &std::ffi::OsStr| {
        let token = file
            .as_encoded_bytes()
            .strip_prefix(name.as_encoded_bytes())
            .and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".new"))
            .and_then(|token| token.split(|b| *b == b'-').next());
        token.is_some_and(|token| token.len() == 32 && token.iter().all(u8::is_ascii_hexdigit))
    };
    let mut left: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| is_one(&entry.file_name()))
        .map(|entry| path.with_file_name(entry.file_name()))
        .collect();
    left.sort();
    left
}

/// Makes an empty log with its name.
pub(super) fn create(path: &Path, surroundings: &Surroundings) -> Result<(), OpenError> {
    Files::fill(path, surroundings, "WAL")?.name()
}

/// Writes an empty log into an empty file.
fn fill(files: &Files, id: uuid::Uuid, now: Time, journal: &str) -> Result<(), OpenError> {
    let conn = open::writer(&files.unnamed)?;
    let write = || -> rusqlite::Result<()> {
        conn.pragma_update(None, "page_size", 4096)?;
        conn.pragma_update(None, "journal_mode", journal)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        lay_out(&conn, schema::FORMAT)?;
        conn.execute(
            "INSERT INTO meta(key, value) VALUES ('log_id', ?1), ('created_at', ?2)",
            (id.to_string(), now.to_string()),
        )?;
        conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
    };
    write().map_err(|e| open::engine(&files.path, e))
}

/// Makes the tables of an empty log of a format, inside the caller's transaction; what the log says of itself is left
/// to the caller.
pub(super) fn lay_out(conn: &Connection, format: u32) -> rusqlite::Result<()> {
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", format)?;
    schema::create(conn, format)?;
    conn.execute(
        "INSERT INTO head(one, size, root, frontier, indexed) VALUES (1, 0, ?1, x'', 0)",
        [crate::integrity::tree::empty_root().0],
    )?;
    Ok(())
}
