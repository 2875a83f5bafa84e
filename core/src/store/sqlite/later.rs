//! What a large bulk append writes at its end, each table's rows in their order: then each page of a table is written
//! once and is full, where rows in no order go to another page each.
//!
//! Left out: links that say what the event is to the stream, which are few and go to their place at once; ids, whose
//! index the engine makes; entries by time, type and actor, which come nearly in order.

use std::path::Path;

use rusqlite::Connection;

use super::packed::{Packed, Packing};
use crate::runs::Runs;

/// See the module.
#[derive(Debug)]
pub(super) struct Later {
    /// Stream, version, position.
    links: Runs<24>,
    /// Correlations that are UUIDs in the bytes of the file, and positions.
    correlations: Runs<24>,
    packing: Packing,
    /// The position after which events have correlations that are other texts, if any has.
    texts_after: Option<u64>,
}

impl Later {
    /// Nothing yet; what is too much for memory goes into unnamed files in this folder.
    pub(super) fn beside(folder: &Path, packing: Packing) -> Later {
        Later {
            links: Runs::in_folder(folder),
            correlations: Runs::in_folder(folder),
            packing,
            texts_after: None,
        }
    }

    /// Takes the place of an event in its home stream.
    ///
    /// # Errors
    /// Of the engine, as if it had written to its disk.
    pub(super) fn link(
        &mut self,
        stream: i64,
        version: u64,
        position: u64,
    ) -> rusqlite::Result<()> {
        let mut record = [0; 24];
        // Ids of streams are never below zero.
        record[..8].copy_from_slice(&stream.to_be_bytes());
        record[8..16].copy_from_slice(&version.to_be_bytes());
        record[16..].copy_from_slice(&position.to_be_bytes());
        self.links.push(record).map_err(told)
    }

    /// Takes an event's correlation.
    ///
    /// # Errors
    /// As [`Later::link`].
    pub(super) fn correlation(&mut self, text: &str, position: u64) -> rusqlite::Result<()> {
        let Packed::Uuid(uuid) = self.packing.text(text) else {
            self.texts_after.get_or_insert(position - 1);
            return Ok(());
        };
        let mut record = [0; 24];
        record[..16].copy_from_slice(&uuid);
        record[16..].copy_from_slice(&position.to_be_bytes());
        self.correlations.push(record).map_err(told)
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// Of the engine.
    pub(super) fn write(self, conn: &Connection) -> rusqlite::Result<()> {
        let Later {
            links,
            correlations,
            packing: _,
            texts_after,
        } = self;
        if let Some(after) = texts_after {
            conn.prepare_cached(
                "INSERT INTO by_correlation(correlation, position)
                 SELECT correlation, position FROM events NOT INDEXED
                 WHERE position > ?1 AND typeof(correlation) = 'text' ORDER BY correlation, position",
            )?
            .execute([after])?;
        }
        // Texts come before bytes in the order of the engine.
        let mut insert = conn
            .prepare_cached("INSERT INTO by_correlation(correlation, position) VALUES (?1, ?2)")?;
        for record in correlations.sorted().map_err(told)? {
            let record = record.map_err(told)?;
            insert.execute((&record[..16], number(&record, 16)))?;
        }
        let mut insert = conn
            .prepare_cached("INSERT INTO links(stream, version, position) VALUES (?1, ?2, ?3)")?;
        for record in links.sorted().map_err(told)? {
            let record = record.map_err(told)?;
            insert.execute((number(&record, 0), number(&record, 8), number(&record, 16)))?;
        }
        Ok(())
    }
}

fn number(record: &[u8; 24], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[at..at + 8]);
    u64::from_be_bytes(bytes)
}

/// Says of a temporary file beside the log what the engine would say of its own.
pub(super) fn told(error: std::io::Error) -> rusqlite::Error {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let code = match error.kind() {
        StorageFull | QuotaExceeded => rusqlite::ffi::SQLITE_FULL,
        _ => rusqlite::ffi::SQLITE_IOERR,
    };
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(code),
        Some(format!("a temporary file beside the log: {error}")),
    )
}
