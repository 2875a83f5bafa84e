//! Opening a file: which kind of connection is possible, and what is wrong where none is.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{links, schema};
use crate::store::{Access, AppendError, OpenError};

/// How long a connection waits for a lock that another program holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of write-ahead log after which they are copied into the file. A commit of one event takes about nine
/// pages, so the default of 1,000 would sync the file every hundred commits.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Statements kept prepared on each connection.
const PREPARED: usize = 96;

/// What the first 100 bytes of an SQLite file say (sqlite.org/fileformat, section 1.3).
struct Header {
    page_size: u64,
    pages: u64,
    user_version: u32,
    application_id: u32,
}

/// Looks at the file without an engine: is it there, is it a log, is it whole?
pub(super) fn check_file(path: &Path) -> Result<(), OpenError> {
    let header = read_header(path)?;
    if header.application_id != schema::APPLICATION_ID {
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
            reason: "it is an SQLite database of another program".into(),
        });
    }
    if header.user_version > schema::FORMAT {
        return Err(OpenError::NewerFormat {
            path: path.to_owned(),
            found: header.user_version,
            known: schema::FORMAT,
        });
    }
    let len = std::fs::metadata(path).map_err(|e| io(path, e))?.len();
    let want = header.pages * header.page_size;
    // A pending write-ahead log may still hold the pages that the header counts.
    if len < want && !wal_pending(path) {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            reason: format!("it is cut off: {len} bytes of {want}"),
        });
    }
    Ok(())
}

fn read_header(path: &Path) -> Result<Header, OpenError> {
    let not = |reason: &str| OpenError::NotAStore {
        path: path.to_owned(),
        reason: reason.into(),
    };
    let mut file = File::open(path).map_err(|e| io(path, e))?;
    if file.metadata().map_err(|e| io(path, e))?.is_dir() {
        return Err(not("it is a folder"));
    }
    let mut bytes = Vec::with_capacity(100);
    file.by_ref()
        .take(100)
        .read_to_end(&mut bytes)
        .map_err(|e| io(path, e))?;
    if bytes.is_empty() {
        return Err(not("it is empty"));
    }
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(not("it is not an SQLite database"));
    }
    if bytes.len() < 100 {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            reason: format!("it is cut off: {} bytes", bytes.len()),
        });
    }
    let u32_at =
        |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let page_size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        n => u64::from(n),
    };
    Ok(Header {
        page_size,
        pages: u64::from(u32_at(28)),
        user_version: u32_at(60),
        application_id: u32_at(68),
    })
}

/// Path of a file that SQLite keeps beside the log.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder that holds a file; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether a write-ahead log with content lies beside the file.
pub(super) fn wal_pending(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0)
}

/// Writes what the write-ahead log holds into the file, unless another has the file open.
pub(super) fn empty_wal(path: &Path) -> rusqlite::Result<()> {
    let writable = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, writable)?;
    harden(&conn)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Opens a connection that can write.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let writable = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, writable).map_err(|e| engine(path, e))?;
    let set = || -> rusqlite::Result<()> {
        conn.busy_timeout(BUSY_TIMEOUT)?;
        harden(&conn)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.pragma_update(None, "cache_size", -40_960)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        links::stand_in(&conn)
    };
    set().map_err(|e| engine(path, e))?;
    if conn.is_readonly("main").map_err(|e| engine(path, e))? {
        return Err(OpenError::ReadOnly {
            path: path.to_owned(),
        });
    }
    Ok(conn)
}

/// Removes the empty write-ahead log and its index that a reader leaves beside the file: SQLite lets only one that
/// can write tidy up, and does so where no other has the file open. Nothing is written to the file.
pub(super) fn tidy(path: &Path) {
    let is_empty = std::fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() == 0);
    if !is_empty {
        return;
    }
    let writable = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let tidied = Connection::open_with_flags(path, writable).and_then(|conn| {
        conn.busy_timeout(Duration::ZERO)?;
        harden(&conn)?;
        conn.pragma_update(None, "query_only", true)?;
        probe(&conn)
    });
    // Files that stay are empty and do no harm.
    drop(tidied);
}

/// Opens a connection that cannot write, following what writers append.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    reading(Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?)
}

/// Opens a connection to a file that nobody changes (a read-only medium).
pub(super) fn immutable_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    reading(Connection::open_with_flags(uri(path), flags)?)
}

fn reading(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    harden(&conn)?;
    conn.pragma_update(None, "cache_size", -16_384)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    links::stand_in(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Refuses what a hostile file or a slip of ours could do: functions hidden in the schema, writing the schema.
fn harden(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(PREPARED);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Else a statement is planned again whenever a parameter that a partial index looks at changes.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "cell_size_check", true)
}

/// Address of the file for SQLite, with everything special escaped.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri + "?immutable=1"
}

/// Finds the way in which the file can be read: following writers, as unchanging, or as a temporary copy.
pub(super) fn choose_access(path: &Path) -> Result<(Access, Option<tempfile::TempDir>), OpenError> {
    let tried = reader(path).and_then(|conn| probe(&conn));
    match tried {
        Ok(()) => return Ok((Access::ReadOnly, None)),
        Err(error) if !medium_refuses(&error) => return Err(engine(path, error)),
        Err(_) => {}
    }
    if !wal_pending(path) {
        let tried = immutable_reader(path).and_then(|conn| probe(&conn));
        return match tried {
            Ok(()) => Ok((Access::Immutable, None)),
            Err(error) => Err(engine(path, error)),
        };
    }
    let folder = tempfile::tempdir().map_err(|e| io(path, e))?;
    let copy = copy_path(folder.path());
    std::fs::copy(path, &copy).map_err(|e| io(path, e))?;
    std::fs::copy(beside(path, "-wal"), beside(&copy, "-wal")).map_err(|e| io(path, e))?;
    reader(&copy)
        .and_then(|conn| probe(&conn))
        .map_err(|e| engine(path, e))?;
    Ok((Access::TemporaryCopy, Some(folder)))
}

/// Where the copy of a log lies in its temporary folder.
pub(super) fn copy_path(folder: &Path) -> PathBuf {
    folder.join("copy.annals")
}

fn probe(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("SELECT size FROM head", [], |_| Ok(()))
}

/// Whether the engine needed to write beside the file and could not.
fn medium_refuses(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
    )
}

/// Whether an engine's error says that the disk has no room.
///
/// A write that finds none is `SQLITE_FULL`. The index of the write-ahead log, which readers need too, is the
/// exception: where it cannot grow, the engine says `SQLITE_IOERR_SHMSIZE`, "disk I/O error" in words.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|told| {
        told.code == ErrorCode::DiskFull
            || told.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// Says what an engine's error means for opening.
pub(super) fn engine(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    if is_full(&error) {
        return OpenError::DiskFull { path };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly { path },
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore {
            path,
            reason: "it is not an SQLite database".into(),
        },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged {
            path,
            reason: error.to_string(),
        },
        _ => OpenError::Engine {
            path,
            source: error,
        },
    }
}

/// Says what a system's error means for opening.
pub(super) fn io(path: &Path, error: std::io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotFound { path },
        std::io::ErrorKind::AlreadyExists => OpenError::Exists { path },
        std::io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path },
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            OpenError::DiskFull { path }
        }
        _ => OpenError::Io {
            path,
            source: error,
        },
    }
}

/// Says what an engine's error means for an append.
pub(super) fn append_error(error: rusqlite::Error) -> AppendError {
    if is_full(&error) {
        return AppendError::DiskFull;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Locked,
        _ => AppendError::Engine(std::sync::Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: std::ffi::c_int) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn a_full_disk_is_told_from_one_that_fails() {
        use rusqlite::ffi;
        let path = Path::new("a.annals");
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            let opened = engine(path, failed(code));
            assert!(matches!(opened, OpenError::DiskFull { .. }), "{opened:?}");
            let appended = append_error(failed(code));
            assert!(matches!(appended, AppendError::DiskFull), "{appended:?}");
        }
        for code in [ffi::SQLITE_IOERR, ffi::SQLITE_IOERR_READ] {
            let opened = engine(path, failed(code));
            assert!(matches!(opened, OpenError::Engine { .. }), "{opened:?}");
            let appended = append_error(failed(code));
            assert!(matches!(appended, AppendError::Engine(_)), "{appended:?}");
        }
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let opened = io(path, full);
        assert!(matches!(opened, OpenError::DiskFull { .. }), "{opened:?}");
    }
}
