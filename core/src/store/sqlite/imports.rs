//! The tables of imports. They came after the others: a log without them has had no import that was recorded,
//! and gets them with the first one.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::log::Log;
use crate::integrity::Hash;
use crate::position::Position;
use crate::store::{ImportNote, ImportRow, ImportedFile, ReadError};
use crate::time::Time;

/// Tables with the triggers that keep their rows as they are.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS imports(
    id INTEGER PRIMARY KEY, recorded_us INTEGER NOT NULL,
    read INTEGER NOT NULL, stored INTEGER NOT NULL, duplicates INTEGER NOT NULL, rejected INTEGER NOT NULL,
    first_position INTEGER, last_position INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS import_files(
    import INTEGER NOT NULL, idx INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL, format TEXT NOT NULL, mapping_sha256 BLOB, mapping TEXT, read INTEGER NOT NULL,
    PRIMARY KEY(import, idx)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS import_files_by_sha256 ON import_files(sha256);
CREATE TRIGGER IF NOT EXISTS imports_update BEFORE UPDATE ON imports
BEGIN SELECT RAISE(ABORT, 'annals: imports are never changed'); END;
CREATE TRIGGER IF NOT EXISTS imports_delete BEFORE DELETE ON imports
BEGIN SELECT RAISE(ABORT, 'annals: imports are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS imports_insert BEFORE INSERT ON imports
WHEN EXISTS (SELECT 1 FROM imports WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'annals: imports are never replaced'); END;
CREATE TRIGGER IF NOT EXISTS import_files_update BEFORE UPDATE ON import_files
BEGIN SELECT RAISE(ABORT, 'annals: import_files are never changed'); END;
CREATE TRIGGER IF NOT EXISTS import_files_delete BEFORE DELETE ON import_files
BEGIN SELECT RAISE(ABORT, 'annals: import_files are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS import_files_insert BEFORE INSERT ON import_files
WHEN EXISTS (SELECT 1 FROM import_files WHERE import = NEW.import AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'annals: import_files are never replaced'); END;
";

/// Makes the tables where they are not there, inside the caller's transaction.
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLES)
}

/// Whether the file has them.
pub(super) fn are_there(conn: &Connection) -> rusqlite::Result<bool> {
    let found = conn.query_row(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'imports'",
        [],
        |_| Ok(()),
    );
    Ok(found.optional()?.is_some())
}

/// Writes the record of an import, inside its transaction. `positions` are its first and last, if it has any.
pub(super) fn write(
    conn: &Connection,
    note: &ImportNote,
    recorded_at: Time,
    positions: Option<(u64, u64)>,
) -> rusqlite::Result<()> {
    create(conn)?;
    let ImportNote {
        read,
        stored,
        duplicates,
        rejected,
        files,
    } = note;
    let number: i64 =
        conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM imports", [], |row| {
            row.get(0)
        })?;
    conn.execute(
        "INSERT INTO imports(id, recorded_us, read, stored, duplicates, rejected, first_position, last_position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            number,
            recorded_at.us(),
            read,
            stored,
            duplicates,
            rejected,
            positions.map(|(first, _)| first),
            positions.map(|(_, last)| last),
        ],
    )?;
    let mut insert = conn.prepare(
        "INSERT INTO import_files(import, idx, name, bytes, sha256, format, mapping_sha256, mapping, read)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (idx, file) in files.iter().enumerate() {
        let ImportedFile {
            name,
            bytes,
            sha256,
            format,
            mapping_sha256,
            mapping,
            read,
        } = file;
        insert.execute(params![
            number,
            idx as u64,
            name,
            bytes,
            sha256.0,
            format,
            mapping_sha256.as_ref().map(|hash| hash.0),
            mapping,
            read,
        ])?;
    }
    Ok(())
}

impl Log {
    /// The imports into this log, oldest first. Imports by builds that kept no list are not in it.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn imports(&self) -> Result<Vec<ImportRow>, ReadError> {
        self.read(|conn| {
            if !are_there(conn)? {
                return Ok(Vec::new());
            }
            let mut files = conn.prepare(
                "SELECT name, bytes, sha256, format, mapping_sha256, mapping, read
                 FROM import_files WHERE import = ?1 ORDER BY idx",
            )?;
            let mut rows = conn.prepare(
                "SELECT id, recorded_us, read, stored, duplicates, rejected, first_position, last_position
                 FROM imports ORDER BY id",
            )?;
            let mut imports = Vec::new();
            let found = rows.query_map([], |row| {
                let recorded_us: i64 = row.get(1)?;
                Ok(ImportRow {
                    number: row.get(0)?,
                    recorded_at: Time::from_parts(recorded_us, 0).unwrap_or(Time::MIN),
                    read: row.get(2)?,
                    stored: row.get(3)?,
                    duplicates: row.get(4)?,
                    rejected: row.get(5)?,
                    first: row.get::<_, Option<u64>>(6)?.map(Position),
                    last: row.get::<_, Option<u64>>(7)?.map(Position),
                    files: Vec::new(),
                })
            })?;
            for row in found {
                let mut row = row?;
                row.files = files
                    .query_map([row.number], file_of)?
                    .collect::<rusqlite::Result<_>>()?;
                imports.push(row);
            }
            Ok(imports)
        })
    }

    /// Names of the files with this content that were imported, each once, in order of import.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn imported_as(&self, sha256: &Hash) -> Result<Vec<String>, ReadError> {
        self.read(|conn| {
            if !are_there(conn)? {
                return Ok(Vec::new());
            }
            let mut rows = conn.prepare(
                "SELECT name FROM import_files WHERE sha256 = ?1 GROUP BY name ORDER BY min(import), min(idx)",
            )?;
            let names = rows.query_map([sha256.0], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn file_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<ImportedFile> {
    Ok(ImportedFile {
        name: row.get(0)?,
        bytes: row.get(1)?,
        sha256: Hash(row.get(2)?),
        format: row.get(3)?,
        mapping_sha256: row.get::<_, Option<[u8; 32]>>(4)?.map(Hash),
        mapping: row.get(5)?,
        read: row.get(6)?,
    })
}
