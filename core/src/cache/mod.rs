//! The cache: what can be computed again from the log, kept in one SQLite file so that it need not be.
//!
//! A *part* is one such thing (the text index, for example) with tables of its own. The cache knows for each part
//! how far into the log it reaches, and under which root: a part that another log or an older backup of this
//! one was put under is thrown away, as is one that an older build made otherwise. So a part may be believed as
//! far as it reaches, and deleting the file loses nothing.
//!
//! The file lies in the store's own folder; where that cannot be written, in a folder that the host names; else
//! in a temporary one. Several processes share it: SQLite lets one of them write at a time.
//!
//! Left out: what the parts hold.

mod file;
mod purge;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::integrity::Hash;
use crate::position::Position;
use crate::store::{Head, Log, ReadError, is_full};

pub(crate) use file::{fallback_file, remove};
pub(crate) use purge::LEFT;
pub use purge::Purged;

/// Connections kept open while nobody asks.
const MAX_IDLE: usize = 4;
/// Pages that a connection beside the first one holds in memory: so many KiB, as SQLite takes it.
const BESIDE_KIB: i64 = -4_096;

/// A thing that can be computed again from the log.
#[derive(Debug)]
pub struct Part {
    /// Name: the key of its reach.
    pub name: &'static str,
    /// Raised when a build makes it otherwise than the one before.
    pub version: u32,
    /// Statements that make its tables.
    pub create: &'static str,
    /// Statements that drop them, if they are there.
    pub drop: &'static str,
}

/// Why the cache could not be used. Never the user's fault, and never a reason not to answer: whoever asks can do
/// without it.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file could not be read or written.
    #[error("the cache could not be used: {0}")]
    Engine(#[from] rusqlite::Error),
    /// The system refused.
    #[error("the cache could not be used: {0}")]
    Io(#[from] std::io::Error),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl CacheError {
    /// Whether the file is damaged, or was thrown away by somebody: a new one can take its place.
    fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        let CacheError::Engine(error) = self else {
            return false;
        };
        if is_full(error) {
            return false;
        }
        matches!(
            error.sqlite_error_code(),
            Some(
                Code::DatabaseCorrupt
                    | Code::NotADatabase
                    | Code::SystemIoFailure
                    | Code::ReadOnly
                    | Code::CannotOpen
            )
        ) || matches!(
            error,
            rusqlite::Error::SqlInputError { .. } | rusqlite::Error::InvalidColumnType(..)
        )
    }

    /// Whether the disk has no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, CacheError::Engine(error) if is_full(error))
    }

    /// Whether another process writes at this moment.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        matches!(self, CacheError::Engine(error)
            if matches!(error.sqlite_error_code(), Some(Code::DatabaseBusy | Code::DatabaseLocked)))
    }
}

/// The cache of one log. Reads and writes only what its parts are asked for.
#[derive(Debug)]
pub struct Cache {
    log: Log,
    parts: &'static [&'static Part],
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: PathBuf,
    idle: Vec<Connection>,
    /// What is worth telling the user.
    notes: Vec<String>,
    /// Reaches that were found to fit the log, by part.
    fitting: Vec<(&'static str, Head)>,
    /// Keeps the temporary folder, where the file lies in one. Last, so that connections close first.
    _folder: Option<tempfile::TempDir>,
}

impl Cache {
    /// Opens the log's cache, or makes it. `fallback` is the folder for caches whose store cannot be written to:
    /// the file goes into a folder in it that is named by the log's id.
    ///
    /// A file that is damaged or no cache is replaced; parts that do not fit the log are emptied. Both are said
    /// in [`Cache::notes`].
    ///
    /// # Errors
    /// [`CacheError`] if no folder can be written, a temporary one included, or the log cannot be read.
    pub fn open(
        log: &Log,
        fallback: Option<&Path>,
        parts: &'static [&'static Part],
    ) -> Result<Cache, CacheError> {
        let found = file::find(log, fallback)?;
        let cache = Cache {
            log: log.clone(),
            parts,
            state: Mutex::new(State {
                file: found.file,
                idle: vec![found.conn],
                notes: found.notes,
                fitting: Vec::new(),
                _folder: found.folder,
            }),
        };
        cache.healing(|| cache.fit_parts())?;
        Ok(cache)
    }

    /// Path of the file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.state().file.clone()
    }

    /// What became of the cache, in sentences for the user; empty where there is nothing to say.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.state().notes.clone()
    }

    /// Puts a question to the cache. A damaged file is replaced by an empty one, and the question put again.
    ///
    /// # Errors
    /// [`CacheError`] of the engine, or the question's own.
    pub fn read<T>(
        &self,
        question: impl Fn(&Connection) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        self.healing(|| {
            let mut conn = self.connection()?;
            let transaction = conn.transaction()?;
            let answer = question(&transaction)?;
            drop(transaction);
            self.give_back(conn);
            Ok(answer)
        })
    }

    /// Writes to the cache: all of it or nothing. A damaged file is replaced by an empty one, and the work done
    /// again.
    ///
    /// # Errors
    /// [`CacheError`] of the engine ([`CacheError::is_busy`] where another process writes), or the work's own.
    pub fn write<T>(
        &self,
        mut work: impl FnMut(&Transaction<'_>) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        self.healing(|| {
            let mut conn = self.connection()?;
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            self.give_back(conn);
            Ok(answer)
        })
    }

    /// How far a part reaches, as far as this log goes along with it: `Position(0)` where it was made from
    /// another log.
    ///
    /// # Errors
    /// [`CacheError`] of the engine or the log.
    pub fn reach(&self, conn: &Connection, part: &'static Part) -> Result<Position, CacheError> {
        let Some(reach) = reach(conn, part)? else {
            return Ok(Position::ZERO);
        };
        Ok(if self.fits(part, reach)? {
            reach.size
        } else {
            Position::ZERO
        })
    }

    /// Says that a part reaches to `to` now. In the transaction that brought it there.
    ///
    /// # Errors
    /// [`CacheError`] of the engine or the log.
    pub fn set_reach(
        &self,
        transaction: &Transaction<'_>,
        part: &'static Part,
        to: Position,
    ) -> Result<(), CacheError> {
        let root = self
            .log
            .root_at(to)?
            .ok_or_else(|| CacheError::Read(ReadError::NoEvent(format!("at position {to}"))))?;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO parts(name, version, size, root) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((part.name, part.version, to.0, root.0))?;
        self.remember(part, Head { size: to, root });
        Ok(())
    }

    /// Empties a part.
    ///
    /// # Errors
    /// [`CacheError`] of the engine.
    pub fn clear(
        &self,
        transaction: &Transaction<'_>,
        part: &'static Part,
    ) -> Result<(), CacheError> {
        let was_filled: Option<bool> = transaction
            .prepare_cached("SELECT size > 0 FROM parts WHERE name = ?1")?
            .query_row([part.name], |row| row.get(0))
            .optional()?;
        if was_filled == Some(true) {
            // What is erased from now on is looked for in the new part, so the old one must not linger.
            self.must_purge(transaction, part)?;
        }
        transaction.execute_batch(part.drop)?;
        transaction.execute_batch(part.create)?;
        self.set_reach(transaction, part, Position::ZERO)
    }

    /// Empties the parts that do not fit the log or this build.
    fn fit_parts(&self) -> Result<(), CacheError> {
        for part in self.parts {
            let fits = self.peek(|conn| match reach(conn, part)? {
                None => Ok(Fit::Absent),
                Some(reach) if self.fits(part, reach)? => Ok(Fit::Good),
                Some(_) => Ok(Fit::OtherLog),
            })?;
            if fits == Fit::OtherLog {
                self.note(format!(
                    "the {} did not fit the log (another log or an older copy of it stands there now); it is made anew",
                    part.name
                ));
            }
            if fits == Fit::Good {
                continue;
            }
            let mut conn = self.connection()?;
            conn.busy_timeout(file::PATIENCE)?;
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another process may have been faster.
            let there = reach(&transaction, part)?;
            let still = match there {
                Some(there) => !self.fits(part, there)?,
                None => true,
            };
            if still {
                self.clear(&transaction, part)?;
            }
            transaction.commit()?;
            self.give_back(conn);
        }
        Ok(())
    }

    fn peek<T>(
        &self,
        question: impl Fn(&Connection) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        let conn = self.connection()?;
        let answer = question(&conn)?;
        self.give_back(conn);
        Ok(answer)
    }

    /// Whether the log, as far as the reach goes, is the one that the part was made from.
    fn fits(&self, part: &'static Part, reach: Head) -> Result<bool, CacheError> {
        let known = self.state().fitting.contains(&(part.name, reach));
        if known {
            return Ok(true);
        }
        let fits = self.log.root_at(reach.size)? == Some(reach.root);
        if fits {
            self.remember(part, reach);
        }
        Ok(fits)
    }

    fn remember(&self, part: &'static Part, reach: Head) {
        let mut state = self.state();
        state.fitting.retain(|(name, _)| *name != part.name);
        state.fitting.push((part.name, reach));
    }

    /// Does it; if the file turns out to be damaged, replaces the file and does it once more.
    fn healing<T>(&self, mut work: impl FnMut() -> Result<T, CacheError>) -> Result<T, CacheError> {
        match work() {
            Err(error) if error.is_damage() => {
                self.replace_file(&error)?;
                work()
            }
            other => other,
        }
    }

    fn replace_file(&self, error: &CacheError) -> Result<(), CacheError> {
        {
            let mut state = self.state();
            state.idle.clear();
            state.fitting.clear();
            let conn = file::replace(&state.file, &self.log)?;
            state.idle.push(conn);
            let note = format!("the cache was damaged ({error}); it is made anew");
            if !state.notes.contains(&note) {
                state.notes.push(note);
            }
        }
        self.fit_parts()
    }

    fn note(&self, note: String) {
        let mut state = self.state();
        if !state.notes.contains(&note) {
            state.notes.push(note);
        }
    }

    fn connection(&self) -> Result<Connection, CacheError> {
        let (idle, path) = {
            let mut state = self.state();
            (state.idle.pop(), state.file.clone())
        };
        match idle {
            Some(conn) => Ok(conn),
            None => {
                let conn = file::connect(&path)?;
                // The first one does the heavy work; those beside it need not each hold as many pages.
                conn.pragma_update(None, "cache_size", BESIDE_KIB)?;
                Ok(conn)
            }
        }
    }

    fn give_back(&self, conn: Connection) {
        let mut state = self.state();
        // After the file was replaced, a connection to the old one is of no use.
        let same = conn
            .path()
            .is_some_and(|path| Path::new(path) == state.file);
        if same && state.idle.len() < MAX_IDLE {
            state.idle.push(conn);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What it guards is whole after each statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Good,
    Absent,
    OtherLog,
}

/// How far a part reaches by its own account; `None` where it is not there or was made by another build.
fn reach(conn: &Connection, part: &Part) -> Result<Option<Head>, CacheError> {
    let found = conn
        .prepare_cached("SELECT size, root FROM parts WHERE name = ?1 AND version = ?2")?
        .query_row((part.name, part.version), |row| {
            Ok(Head {
                size: Position(row.get(0)?),
                root: Hash(row.get(1)?),
            })
        })
        .optional()?;
    Ok(found)
}
