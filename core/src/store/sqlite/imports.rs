//! The tables of imports. They came after the others: a log without them has had no import that was recorded,
//! and gets them with the first one.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::log::Log;
use super::schema::has_table;
use crate::integrity::Hash;
use crate::position::Position;
use crate::store::{
    Coverage, ImportNote, ImportRow, ImportedFile, LastSeen, Positions, ReadError, SeenFile,
};
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
CREATE TABLE IF NOT EXISTS import_seen(
    import INTEGER NOT NULL, idx INTEGER NOT NULL, in_folder INTEGER NOT NULL,
    same_as INTEGER, same_idx INTEGER, records INTEGER NOT NULL, positions BLOB,
    PRIMARY KEY(import, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_coverage(
    import INTEGER NOT NULL, idx INTEGER NOT NULL, looked_at INTEGER NOT NULL,
    tells_previous INTEGER NOT NULL, tells_when INTEGER NOT NULL, tells_who INTEGER NOT NULL, tells_why INTEGER NOT NULL,
    PRIMARY KEY(import, idx)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS import_files_by_sha256 ON import_files(sha256);
CREATE INDEX IF NOT EXISTS import_files_by_name ON import_files(name);
CREATE TRIGGER IF NOT EXISTS import_seen_update BEFORE UPDATE ON import_seen
BEGIN SELECT RAISE(ABORT, 'annals: import_seen are never changed'); END;
CREATE TRIGGER IF NOT EXISTS import_seen_delete BEFORE DELETE ON import_seen
BEGIN SELECT RAISE(ABORT, 'annals: import_seen are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS import_seen_insert BEFORE INSERT ON import_seen
WHEN EXISTS (SELECT 1 FROM import_seen WHERE import = NEW.import AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'annals: import_seen are never replaced'); END;
CREATE TRIGGER IF NOT EXISTS import_coverage_update BEFORE UPDATE ON import_coverage
BEGIN SELECT RAISE(ABORT, 'annals: import_coverage is never changed'); END;
CREATE TRIGGER IF NOT EXISTS import_coverage_delete BEFORE DELETE ON import_coverage
BEGIN SELECT RAISE(ABORT, 'annals: import_coverage is never deleted'); END;
CREATE TRIGGER IF NOT EXISTS import_coverage_insert BEFORE INSERT ON import_coverage
WHEN EXISTS (SELECT 1 FROM import_coverage WHERE import = NEW.import AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'annals: import_coverage is never replaced'); END;
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
    has_table(conn, "imports")
}

/// Whether the file has the table of what imports saw, which came later.
pub(super) fn seen_is_there(conn: &Connection) -> rusqlite::Result<bool> {
    has_table(conn, "import_seen")
}

/// Whether the file has the table of what sources hold, which came later still.
pub(super) fn coverage_is_there(conn: &Connection) -> rusqlite::Result<bool> {
    has_table(conn, "import_coverage")
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
        seen,
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
            coverage,
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
        if let Some(coverage) = coverage {
            write_coverage(conn, number, idx as u64, coverage)?;
        }
    }
    for (idx, (file, seen)) in files.iter().zip(seen).enumerate() {
        write_seen(conn, number, idx as u64, &file.name, seen)?;
    }
    Ok(())
}

/// Writes how much of what happened a file holds.
fn write_coverage(
    conn: &Connection,
    import: i64,
    idx: u64,
    coverage: &Coverage,
) -> rusqlite::Result<()> {
    let Coverage {
        looked_at,
        previous,
        when,
        who,
        why,
    } = coverage;
    conn.prepare_cached(
        "INSERT INTO import_coverage(import, idx, looked_at, tells_previous, tells_when, tells_who, tells_why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![import, idx, looked_at, previous, when, who, why])?;
    Ok(())
}

/// Writes what was seen of a file: its positions, or the earlier look that saw the same.
fn write_seen(
    conn: &Connection,
    import: i64,
    idx: u64,
    name: &str,
    seen: &SeenFile,
) -> rusqlite::Result<()> {
    let SeenFile {
        positions,
        in_folder,
    } = seen;
    let bytes = positions.bytes();
    // The last look at this source that kept its positions itself.
    let before: Option<(i64, i64, bool)> = conn
        .prepare_cached(
            "SELECT s.import, s.idx, s.positions = ?3 FROM import_files f
             JOIN import_seen s ON s.import = f.import AND s.idx = f.idx
             WHERE f.name = ?1 AND f.import < ?2 AND s.positions IS NOT NULL
             ORDER BY s.import DESC, s.idx DESC LIMIT 1",
        )?
        .query_row((name, import, bytes), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let same = before.filter(|(_, _, is_same)| *is_same);
    conn.prepare_cached(
        "INSERT INTO import_seen(import, idx, in_folder, same_as, same_idx, records, positions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        import,
        idx,
        in_folder,
        same.as_ref().map(|(import, _, _)| import),
        same.as_ref().map(|(_, idx, _)| idx),
        positions.len(),
        same.is_none().then_some(bytes),
    ])?;
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
            let mut files = conn.prepare(&format!(
                "{} WHERE f.import = ?1 ORDER BY f.idx",
                select_files(conn)?
            ))?;
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

    /// What the last import that looked at a source saw of it; `None` where none has, or only builds that kept
    /// nothing of it.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn last_seen(&self, source: &str) -> Result<Option<LastSeen>, ReadError> {
        self.read(|conn| {
            if !seen_is_there(conn)? {
                return Ok(None);
            }
            let found = conn
                .prepare_cached(
                    "SELECT s.import, i.recorded_us, s.in_folder, coalesce(s.positions, o.positions)
                     FROM import_files f
                     JOIN import_seen s ON s.import = f.import AND s.idx = f.idx
                     JOIN imports i ON i.id = f.import
                     LEFT JOIN import_seen o ON o.import = s.same_as AND o.idx = s.same_idx
                     WHERE f.name = ?1 ORDER BY f.import DESC, f.idx DESC LIMIT 1",
                )?
                .query_row([source], |row| {
                    let us: i64 = row.get(1)?;
                    Ok(LastSeen {
                        import: row.get(0)?,
                        at: Time::from_parts(us, 0).unwrap_or(Time::MIN),
                        looks: 0,
                        file: SeenFile {
                            in_folder: row.get(2)?,
                            positions: Positions::from_bytes(
                                row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default(),
                            ),
                        },
                    })
                })
                .optional()?;
            let Some(mut seen) = found else {
                return Ok(None);
            };
            seen.looks = conn
                .prepare_cached(
                    "SELECT count(DISTINCT f.import) FROM import_files f
                     JOIN import_seen s ON s.import = f.import AND s.idx = f.idx WHERE f.name = ?1",
                )?
                .query_row([source], |row| row.get(0))?;
            Ok(Some(seen))
        })
    }

    /// What an import says of a file of this name, of the last of them where it had several.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn imported_file(
        &self,
        import: u64,
        name: &str,
    ) -> Result<Option<ImportedFile>, ReadError> {
        self.read(|conn| {
            if !are_there(conn)? {
                return Ok(None);
            }
            let mut row = conn.prepare_cached(&format!(
                "{} WHERE f.import = ?1 AND f.name = ?2 ORDER BY f.idx DESC LIMIT 1",
                select_files(conn)?
            ))?;
            Ok(row.query_row((import, name), file_of).optional()?)
        })
    }

    /// Files that this import found in a folder, with how many records it saw of each; those that a later import
    /// looked at left out.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn last_seen_in_folder(&self, import: u64) -> Result<Vec<(String, u64)>, ReadError> {
        self.read(|conn| {
            let mut rows = conn.prepare_cached(
                "SELECT f.name, s.records FROM import_files f
                 JOIN import_seen s ON s.import = f.import AND s.idx = f.idx
                 WHERE f.import = ?1 AND s.in_folder = 1
                   AND NOT EXISTS (SELECT 1 FROM import_files l WHERE l.name = f.name AND l.import > ?1)
                 ORDER BY f.idx",
            )?;
            let found = rows.query_map([import], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
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

/// Files with what they hold, as [`file_of`] reads them; `f` is the file.
fn select_files(conn: &Connection) -> rusqlite::Result<&'static str> {
    Ok(match coverage_is_there(conn)? {
        true => {
            "SELECT f.name, f.bytes, f.sha256, f.format, f.mapping_sha256, f.mapping, f.read,
                    c.looked_at, c.tells_previous, c.tells_when, c.tells_who, c.tells_why
             FROM import_files f LEFT JOIN import_coverage c ON c.import = f.import AND c.idx = f.idx"
        }
        false => {
            "SELECT f.name, f.bytes, f.sha256, f.format, f.mapping_sha256, f.mapping, f.read, NULL
             FROM import_files f"
        }
    })
}

fn file_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<ImportedFile> {
    let coverage = match row.get(7)? {
        None => None,
        Some(looked_at) => Some(Coverage {
            looked_at,
            previous: row.get(8)?,
            when: row.get(9)?,
            who: row.get(10)?,
            why: row.get(11)?,
        }),
    };
    Ok(ImportedFile {
        name: row.get(0)?,
        bytes: row.get(1)?,
        sha256: Hash(row.get(2)?),
        format: row.get(3)?,
        mapping_sha256: row.get::<_, Option<[u8; 32]>>(4)?.map(Hash),
        mapping: row.get(5)?,
        read: row.get(6)?,
        coverage,
    })
}
