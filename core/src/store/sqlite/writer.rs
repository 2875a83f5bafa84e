//! A log opened to append.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use rusqlite::Connection;

use super::commit::{Core, Given};
use super::log::Log;
use super::queue::Queue;
use super::seal::Sealer;
use super::{open, unnamed};
use crate::store::{AppendError, Appended, Extraction, OpenError, StreamAppend};
use crate::surroundings::Surroundings;

/// A log opened to append. Appends from many threads share its commits.
///
/// ```
/// use annals_core::event::NewEvent;
/// use annals_core::id::StreamId;
/// use annals_core::position::Version;
/// use annals_core::store::{Direction, ExpectedVersion, LogWriter, StreamAppend};
/// use annals_core::surroundings::Surroundings;
///
/// let folder = tempfile::tempdir()?;
/// let writer = LogWriter::create(&folder.path().join("shop.annals"), Surroundings::system())?;
/// let order = StreamId::new("order-789")?;
/// let placed = writer.append(vec![StreamAppend {
///     stream: order.clone(),
///     category: None,
///     expected: ExpectedVersion::NoStream,
///     events: vec![NewEvent::json("OrderPlaced", r#"{"total":109.97}"#)?],
/// }])?;
/// assert_eq!(placed.events[0].version, Version(1));
///
/// let log = writer.log();
/// let history = log.read_stream(&order, Version(1)..=Version(9), Direction::Forwards, 100)?;
/// assert_eq!(history[0].event.event_type.as_str(), "OrderPlaced");
/// writer.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogWriter {
    path: PathBuf,
    /// Prepares events for their places, in the callers' threads.
    sealer: Sealer,
    surroundings: Surroundings,
    queue: Queue,
    /// Before `core`: the connection that closes last tidies up, and only one that writes can.
    log: Log,
    core: Mutex<Core>,
    /// See [`LogWriter::open_to_fill`].
    to_fill: bool,
}

impl LogWriter {
    /// Makes a new log. It gets its name when it is whole, so that whoever finds it can open it.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if something is there already; [`OpenError::NotFound`] if its folder is not.
    pub fn create(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        unnamed::create(path, &surroundings)?;
        LogWriter::open(path, surroundings)
    }

    /// Opens a log to append to it.
    ///
    /// # Errors
    /// [`OpenError`] where the file is not there, is no log, is newer, locked, damaged or cannot be written.
    pub fn open(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        open::check_file(path)?;
        let conn = open::writer(path)?;
        let core = Core::new(conn, surroundings.clone()).map_err(|e| open::engine(path, e))?;
        let log = Log::beside_writer(path)?;
        Ok(LogWriter {
            path: path.to_owned(),
            sealer: Sealer::new(&Extraction::standard()),
            surroundings,
            queue: Queue::default(),
            core: Mutex::new(core),
            log,
            to_fill: false,
        })
    }

    /// Opens a log that has no name yet and is to be filled by one bulk append. What an append that fails is rolled
    /// back by is in memory, since nobody opens the file of a process that died.
    pub(super) fn open_to_fill(
        path: &Path,
        surroundings: Surroundings,
    ) -> Result<LogWriter, OpenError> {
        let mut writer = LogWriter::open(path, surroundings)?;
        writer.journal("memory")?;
        writer.to_fill = true;
        Ok(writer)
    }

    /// Whether nothing of it can be read while a bulk append is at it.
    pub(crate) fn is_to_fill(&self) -> bool {
        self.to_fill
    }

    /// Makes of a log that was to be filled one like any other.
    pub(super) fn end_filling(&self) -> Result<(), OpenError> {
        match self.to_fill {
            true => self.journal("wal"),
            false => Ok(()),
        }
    }

    /// Changes the journal mode of the engine.
    fn journal(&self, mode: &str) -> Result<(), OpenError> {
        let locked = || OpenError::Locked {
            path: self.path.clone(),
        };
        let core = self.core().map_err(|_| locked())?;
        let now = core.with(|conn| {
            conn.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| {
                row.get::<_, String>(0)
            })
        });
        match now {
            Ok(now) if now == mode => Ok(()),
            Ok(_) => Err(locked()),
            Err(error) => Err(open::engine(&self.path, error)),
        }
    }

    /// Appends to one or several streams, all or nothing; returns after the commit is durable.
    ///
    /// Expectations are held against the streams as they stand before the append. An event whose id the log
    /// holds with the same content is a duplicate and not written again; an append of nothing but duplicates
    /// succeeds whatever it expects, so a retry after a lost answer is safe. What content is: home stream,
    /// type, payloads, schema version, source fields, links, and the time where one is given.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written.
    pub fn append(&self, streams: Vec<StreamAppend>) -> Result<Appended, AppendError> {
        let wrote = |done: &Appended| done.events.iter().any(|event| !event.duplicate);
        self.queue
            .append(self.given(streams), |turn| match self.core() {
                Ok(mut core) => {
                    let answers = core.append_group(|taken| turn.take(taken));
                    if answers.iter().flatten().any(wrote) {
                        self.log.announce();
                    }
                    answers
                }
                Err(closed) => vec![Err(closed)],
            })
    }

    /// Prepares an append for its turn.
    pub(super) fn given(&self, streams: Vec<StreamAppend>) -> Given {
        Given::new(streams, &self.sealer, &self.surroundings.random)
    }

    /// Marks a log in the making as one of a world: commands may be sent to it.
    pub(crate) fn mark_world(&self, world: &str) -> Result<(), AppendError> {
        let mark = |conn: &Connection| {
            conn.execute("INSERT INTO meta(key, value) VALUES ('world', ?1)", [world])
        };
        self.core()?.with(mark).map_err(open::append_error)?;
        Ok(())
    }

    /// Waits for the right to write in this process.
    pub(super) fn core(&self) -> Result<MutexGuard<'_, Core>, AppendError> {
        let core = self.core.lock().map_err(|_| AppendError::Closed)?;
        if core.is_open() {
            Ok(core)
        } else {
            Err(AppendError::Closed)
        }
    }

    /// Path of the file as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the file grow to so many pages only, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        let core = self.core().expect("no panic before");
        let set = |conn: &Connection| {
            conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        };
        core.with(set).expect("the pragma is known");
    }

    /// Indexes the tail whenever it holds so many events.
    #[cfg(test)]
    pub(super) fn index_every(&self, events: u64) {
        self.core().expect("no panic before").index_every = events;
    }

    /// A reading handle on the same file.
    #[must_use]
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Waits for pending appends, truncates the write-ahead log and closes. Dropping a writer does the same,
    /// without telling what went wrong.
    ///
    /// # Errors
    /// The engine's error. Nothing acknowledged is lost by it.
    pub fn close(self) -> Result<(), AppendError> {
        self.core()?.truncate_wal().map_err(open::append_error)
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if let Ok(core) = self.core.get_mut() {
            // A write-ahead log that stays long is no loss: the next writer takes it up.
            let _ = core.truncate_wal();
        }
    }
}
