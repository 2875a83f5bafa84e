//! Where the cache's file lies, and what makes it one.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::CacheError;
use crate::store::Log;

/// `application_id` of the file: "AnnC".
const APPLICATION_ID: u32 = 0x416e_6e43;

/// `user_version` of the file.
const FORMAT: u32 = 1;

/// How long a connection waits for another that writes. Its batches are shorter.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How often, and how long apart, a file is tried that another process is making.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Name of the file, in whichever folder it lies.
const NAME: &str = "cache.sqlite";

/// A cache file that can be used.
pub(super) struct Found {
    pub(super) file: PathBuf,
    pub(super) conn: Connection,
    pub(super) notes: Vec<String>,
    pub(super) folder: Option<tempfile::TempDir>,
}

/// Opens or makes the file in the first folder that can be written.
pub(super) fn find(log: &Log, fallback: Option<&Path>) -> Result<Found, CacheError> {
    let mut notes = Vec::new();
    let own = own_folder(log.path());
    if let Ok(conn) = open_in(&own, log, &mut notes) {
        return Ok(Found {
            file: own.join(NAME),
            conn,
            notes,
            folder: None,
        });
    }
    if let Some(fallback) = fallback {
        let folder = fallback_folder(log, fallback);
        if let Ok(conn) = open_in(&folder, log, &mut notes) {
            notes.push(format!(
                "the cache is kept in {}, because {} cannot be used",
                folder.display(),
                own.display()
            ));
            return Ok(Found {
                file: folder.join(NAME),
                conn,
                notes,
                folder: None,
            });
        }
    }
    let folder = tempfile::Builder::new().prefix("annals-cache-").tempdir()?;
    let conn = open_in(folder.path(), log, &mut notes)?;
    notes.push(format!(
        "the cache is kept in a temporary folder until the store is closed, because {} cannot be used",
        own.display()
    ));
    Ok(Found {
        file: folder.path().join(NAME),
        conn,
        notes,
        folder: Some(folder),
    })
}

/// The store's own folder: `X.annals.d`.
fn own_folder(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".d");
    PathBuf::from(name)
}

fn open_in(folder: &Path, log: &Log, notes: &mut Vec<String>) -> Result<Connection, CacheError> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(NAME);
    if is_foreign(&path)? {
        let why = format!("{} is a database of another program", path.display());
        notes.push(format!("{why}; it is left as it is"));
        return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, why).into());
    }
    let was_there = path.exists();
    let usable = || -> Result<Connection, CacheError> {
        let conn = connect(&path)?;
        make(&conn, log)?;
        Ok(conn)
    };
    let mut opened = usable();
    for _ in 0..TRIES {
        if !matches!(&opened, Err(error) if error.is_busy()) {
            break;
        }
        // Another process is making it at this moment.
        std::thread::sleep(PAUSE);
        opened = usable();
    }
    match opened {
        Ok(conn) => Ok(conn),
        // Another process holds it: it is no less a cache for that.
        Err(error) if was_there && !error.is_busy() => {
            let conn = replace(&path, log)?;
            notes.push(format!(
                "{} was no cache of this log that could be read; it is made anew",
                path.display()
            ));
            Ok(conn)
        }
        Err(error) => Err(error),
    }
}

/// Whether another program keeps a database there. Read from the file's first page (SQLite's file format, 1.3 and
/// 1.6), because opening it would change it.
fn is_foreign(path: &Path) -> std::io::Result<bool> {
    let mut page = Vec::new();
    match std::fs::File::open(path) {
        Ok(file) => file.take(105).read_to_end(&mut page)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if page.len() < 105 || !page.starts_with(b"SQLite format 3\0") {
        return Ok(false);
    }
    let application = u32::from_be_bytes([page[68], page[69], page[70], page[71]]);
    // A leaf of the schema without a cell: a file that is being made has no mark yet.
    let is_empty = page[100] == 0x0d && page[103..105] == [0, 0];
    Ok(application != APPLICATION_ID && !(application == 0 && is_empty))
}

/// The log's folder among those for caches of stores that cannot be written to.
fn fallback_folder(log: &Log, fallback: &Path) -> PathBuf {
    fallback.join(log.id().0.to_string())
}

/// The cache of a log in the folder for caches of stores that cannot be written to, whether it is there or not.
pub(crate) fn fallback_file(log: &Log, fallback: &Path) -> PathBuf {
    fallback_folder(log, fallback).join(NAME)
}

/// Removes a cache that is not in use, with what lies beside it.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(PathBuf::from(file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Puts an empty cache in place of whatever is there.
pub(super) fn replace(path: &Path, log: &Log) -> Result<Connection, CacheError> {
    remove(path)?;
    let conn = connect(path)?;
    make(&conn, log)?;
    Ok(conn)
}

/// Opens a connection.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    // What an index of millions of rows is sorted in; small things stay in memory all the same.
    conn.pragma_update(None, "temp_store", "FILE")?;
    Ok(conn)
}

/// Makes an empty file a cache of this log, and refuses one that is not.
fn make(conn: &Connection, log: &Log) -> Result<(), CacheError> {
    let refuse = |reason: &str| {
        CacheError::Engine(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
            Some(reason.to_owned()),
        ))
    };
    let number = |name: &str| -> rusqlite::Result<u32> {
        conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    if number("application_id")? == 0 {
        let tables: u32 =
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables > 0 {
            return Err(refuse("it is a database of another program"));
        }
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS meta(log TEXT NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS parts(
                 name TEXT PRIMARY KEY, version INTEGER NOT NULL,
                 size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
             INSERT INTO meta SELECT '{}' WHERE NOT EXISTS (SELECT 1 FROM meta);
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {FORMAT};
             COMMIT;",
            log.id().0
        ))?;
    }
    if number("application_id")? != APPLICATION_ID || number("user_version")? != FORMAT {
        return Err(refuse("it is no cache that this build knows"));
    }
    let of: Option<String> = conn
        .query_row("SELECT log FROM meta", [], |row| row.get(0))
        .optional()?;
    if of.as_deref() != Some(log.id().0.to_string().as_str()) {
        return Err(refuse("it is the cache of another log"));
    }
    Ok(())
}
