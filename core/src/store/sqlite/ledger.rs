//! The tables of what was signed. A log that was made before them gets them when something is signed.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::log::{Log, head};
use super::{open, schema};
use crate::id::LogId;
use crate::store::ledger::{Attestation, AttestationKind, Ledger, LedgerCheckpoint, LedgerKey};
use crate::store::{AppendError, Head, OpenError, ReadError};

/// Tables and the triggers that keep their rows as they are.
const TABLES: &str = "
CREATE TABLE keys(
    number INTEGER PRIMARY KEY, vkey TEXT NOT NULL, since INTEGER NOT NULL, introduced TEXT) STRICT;
CREATE TABLE checkpoints(
    number INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL, entry TEXT NOT NULL) STRICT;
CREATE TABLE attestations(
    id INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('cosignature', 'timestamp')), content BLOB NOT NULL) STRICT;
";

/// The tables, with their keys.
const FROZEN: [(&str, &str); 3] = [
    ("keys", "number = NEW.number"),
    ("checkpoints", "number = NEW.number"),
    ("attestations", "id = NEW.id"),
];

/// Makes the tables, inside the caller's transaction.
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(TABLES)?;
    for (table, same) in FROZEN {
        schema::freeze(conn, table, same)?;
    }
    Ok(())
}

/// Whether the file has the tables.
pub(super) fn are_there(conn: &Connection) -> rusqlite::Result<bool> {
    schema::has_table(conn, "keys")
}

/// Reads everything that was signed.
pub(super) fn load(conn: &Connection) -> rusqlite::Result<Ledger> {
    if !are_there(conn)? {
        return Ok(Ledger::default());
    }
    let keys = conn
        .prepare("SELECT number, vkey, since, introduced FROM keys ORDER BY number")?
        .query_map([], |row| {
            Ok(LedgerKey {
                number: row.get(0)?,
                vkey: row.get(1)?,
                since: row.get(2)?,
                introduced: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let checkpoints = conn
        .prepare("SELECT number, size, note, entry FROM checkpoints ORDER BY number")?
        .query_map([], |row| {
            Ok(LedgerCheckpoint {
                number: row.get(0)?,
                size: row.get(1)?,
                note: row.get(2)?,
                entry: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let attestations = conn
        .prepare("SELECT checkpoint, kind, content FROM attestations ORDER BY id")?
        .query_map([], |row| {
            let kind: String = row.get(1)?;
            Ok(Attestation {
                checkpoint: row.get(0)?,
                // The table refuses any other word.
                kind: AttestationKind::of(&kind).unwrap_or(AttestationKind::Cosignature),
                content: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Ledger {
        keys,
        checkpoints,
        attestations,
    })
}

impl Log {
    /// What was signed over the log, as its file keeps it; nothing of it is examined.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn ledger(&self) -> Result<Ledger, ReadError> {
        self.read(|conn| Ok(load(conn)?))
    }
}

/// What is signed and what it is made of, at one moment.
#[derive(Debug)]
pub struct LedgerNow {
    /// The log.
    pub id: LogId,
    /// Its head.
    pub head: Head,
    /// What was signed before.
    pub ledger: Ledger,
}

/// What [`add_to_ledger`] writes.
#[derive(Debug, Default)]
pub struct LedgerAddition {
    /// A key.
    pub key: Option<LedgerKey>,
    /// A checkpoint.
    pub checkpoint: Option<LedgerCheckpoint>,
    /// Attestations.
    pub attestations: Vec<Attestation>,
}

/// Why nothing was added to a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError<E> {
    /// The file could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be written.
    #[error(transparent)]
    Write(AppendError),
    /// The caller would not.
    #[error(transparent)]
    Refused(E),
}

/// Adds what `make` makes of the log at this moment to what was signed. Nobody else can write between.
///
/// # Errors
/// [`LedgerError`]; nothing was written.
pub fn add_to_ledger<T, E>(
    path: &Path,
    make: impl FnOnce(&LedgerNow) -> Result<(LedgerAddition, T), E>,
) -> Result<T, LedgerError<E>> {
    // Refuses what is no log, and what is not whole.
    let id = Log::explore(path)?.id();
    let mut conn = open::writer(path)?;
    let failed = |error| LedgerError::Write(open::append_error(error));
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let now = LedgerNow {
        id,
        head: head(&tx).map_err(failed)?,
        ledger: load(&tx).map_err(failed)?,
    };
    let (addition, answer) = make(&now).map_err(LedgerError::Refused)?;
    write(&tx, addition).map_err(failed)?;
    tx.commit().map_err(failed)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(failed)?;
    Ok(answer)
}

fn write(conn: &Connection, addition: LedgerAddition) -> rusqlite::Result<()> {
    let LedgerAddition {
        key,
        checkpoint,
        attestations,
    } = addition;
    if key.is_none() && checkpoint.is_none() && attestations.is_empty() {
        return Ok(());
    }
    if !are_there(conn)? {
        // A log that an older build made has an empty table of another shape.
        conn.execute_batch("DROP TABLE IF EXISTS checkpoints")?;
        create(conn)?;
    }
    if let Some(key) = key {
        conn.execute(
            "INSERT INTO keys(number, vkey, since, introduced) VALUES (?1, ?2, ?3, ?4)",
            (key.number, key.vkey, key.since, key.introduced),
        )?;
    }
    if let Some(checkpoint) = checkpoint {
        conn.execute(
            "INSERT INTO checkpoints(number, size, note, entry) VALUES (?1, ?2, ?3, ?4)",
            (
                checkpoint.number,
                checkpoint.size,
                checkpoint.note,
                checkpoint.entry,
            ),
        )?;
    }
    for attestation in attestations {
        conn.execute(
            "INSERT INTO attestations(checkpoint, kind, content) VALUES (?1, ?2, ?3)",
            (
                attestation.checkpoint,
                attestation.kind.word(),
                attestation.content,
            ),
        )?;
    }
    Ok(())
}
