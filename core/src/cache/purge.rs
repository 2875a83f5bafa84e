//! Taking something out of the cache for good.
//!
//! A row that is deleted leaves its bytes behind: in pages that are free, in the engine's write-ahead log. That
//! they go costs time, and what is thrown away in everyday work is nobody's secret: so they are left there, and taken
//! out at once where something personal was among them.
//!
//! Whoever deletes such a thing marks the file in the same transaction ([`Cache::must_purge`]), and the mark stays
//! until all of it is gone: what a killed process, or one that was told to stop, leaves is done by the next that
//! calls [`Cache::purge`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::{Cache, CacheError, file};

/// Numbers never come twice, so that a mark set during a purge is not taken for the one before.
const MARKS: &str = "CREATE TABLE IF NOT EXISTS purges(
    id INTEGER PRIMARY KEY AUTOINCREMENT, part TEXT NOT NULL) STRICT";

/// How long readers are waited for. Their questions take milliseconds.
const READERS: Duration = Duration::from_secs(1);

/// How the note begins that says that a mark stays.
pub(crate) const LEFT: &str = "what was erased may still be in";

/// What became of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    /// Nothing was marked.
    Clean,
    /// What was marked is gone.
    Done,
    /// It was told to stop; the mark stays.
    Cancelled,
}

impl Cache {
    /// Says that what this transaction deletes of a part must leave no trace: marks the file for
    /// [`Cache::purge`].
    ///
    /// # Errors
    /// [`CacheError`] of the engine.
    pub fn must_purge(
        &self,
        transaction: &Transaction<'_>,
        part: &'static super::Part,
    ) -> Result<(), CacheError> {
        transaction.execute_batch(MARKS)?;
        transaction
            .prepare_cached("INSERT INTO purges(part) VALUES (?1)")?
            .execute([part.name])?;
        Ok(())
    }

    /// Takes out of the file whatever deleted rows left in it, if it is marked: writes the file anew and
    /// empties the write-ahead log. Takes seconds for an index of a million events; does not begin once `cancel` is set.
    ///
    /// # Errors
    /// [`CacheError`] of the engine; [`CacheError::is_busy`] where another process reads or writes for long. The
    /// mark stays then.
    pub fn purge(&self, cancel: &AtomicBool) -> Result<Purged, CacheError> {
        let purged = self.try_purge(cancel);
        self.state().notes.retain(|note| !note.starts_with(LEFT));
        if let Err(error) = &purged {
            let file = self.file();
            self.note(format!(
                "{LEFT} {} and goes when it is used next ({error})",
                file.display()
            ));
        }
        purged
    }

    fn try_purge(&self, cancel: &AtomicBool) -> Result<Purged, CacheError> {
        let Some(last) = self.peek(last_mark)? else {
            return Ok(Purged::Clean);
        };
        if cancel.load(Ordering::Relaxed) {
            return Ok(Purged::Cancelled);
        }
        self.healing(|| {
            rewrite(&file::connect(&self.file())?)?;
            Ok(())
        })?;
        self.write(|transaction| {
            if last_mark(transaction)?.is_some() {
                transaction.execute("DELETE FROM purges WHERE id <= ?1", [last])?;
            }
            Ok(())
        })?;
        Ok(Purged::Done)
    }
}

/// The newest mark, if there is one.
fn last_mark(conn: &Connection) -> Result<Option<i64>, CacheError> {
    if !conn.table_exists(None::<&str>, "purges")? {
        return Ok(None);
    }
    Ok(conn.query_row("SELECT max(id) FROM purges", [], |row| row.get(0))?)
}

/// Writes the file anew from its rows. The copy is made in a file and not in memory, since it may be large; both it
/// and the pages that take its bytes are cleared before use.
fn rewrite(conn: &Connection) -> Result<(), CacheError> {
    conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    conn.pragma_update(None, "temp_store", "FILE")?;
    conn.execute_batch("VACUUM")?;
    conn.busy_timeout(READERS)?;
    let is_busy = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, bool>(0)
    })?;
    if is_busy {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        let what = "the write-ahead log of the cache is being read".to_owned();
        return Err(rusqlite::Error::SqliteFailure(busy, Some(what)).into());
    }
    Ok(())
}
