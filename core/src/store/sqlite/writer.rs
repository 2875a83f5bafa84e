//! Appending: group commit.
//!
//! There is no thread of its own. Of the callers that wait, one leads: it takes all waiting appends into one
//! transaction, commits, answers them, and hands the lead to the next that came meanwhile. So one caller alone
//! pays for no switch of threads, and many share each commit.
//!
//! An append is checked whole before anything of it is written, so a refused one leaves nothing behind and
//! needs no savepoint. What can fail after that is the engine (full disk, lock, damage), which fails the whole
//! transaction, and with it every append in it.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::book::Book;
use super::ink::Ink;
use super::log::Log;
use super::{content, open, schema};
use crate::event::NewEvent;
use crate::id::{EventId, StreamId};
use crate::position::{Position, Version};
use crate::store::{
    AppendError, Appended, AppendedEvent, ExpectedVersion, Head, OpenError, StreamAppend,
};
use crate::surroundings::Surroundings;
use crate::time::Time;

/// Most appends that one transaction takes.
const MAX_GROUP: usize = 512;

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
    queue: Mutex<Queue>,
    /// Before `core`: the connection that closes last tidies up, and only one that writes can.
    log: Log,
    core: Mutex<Core>,
}

/// Appends that wait, in order of arrival.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Ticket>>,
    /// Somebody leads, or was told to.
    led: bool,
}

/// One caller's append, and where its answer is put.
#[derive(Debug)]
struct Ticket {
    state: Mutex<TicketState>,
    changed: Condvar,
}

#[derive(Debug)]
enum TicketState {
    Waiting(Vec<StreamAppend>),
    Taken,
    /// Its caller is to lead.
    Lead(Vec<StreamAppend>),
    Done(Result<Appended, AppendError>),
}

/// The one connection that writes, and what it knows of the log.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) conn: Connection,
    pub(super) surroundings: Surroundings,
    knowledge: Option<(Book, Ink)>,
    data_version: i64,
}

impl LogWriter {
    /// Makes a new log.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if something is there already; [`OpenError::NotFound`] if its folder is not.
    pub fn create(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        drop(std::fs::File::create_new(path).map_err(|e| open::io(path, e))?);
        let made = fill(path, &surroundings);
        if let Err(error) = made {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                // What cannot be removed stays, and the error that matters is the one that came first.
                let _ = std::fs::remove_file(open::beside(path, suffix));
            }
            return Err(error);
        }
        LogWriter::open(path, surroundings)
    }

    /// Opens a log to append to it.
    ///
    /// # Errors
    /// [`OpenError`] where the file is not there, is no log, is newer, locked, damaged or cannot be written.
    pub fn open(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        open::check_file(path)?;
        let conn = open::writer(path)?;
        let core = Core::new(conn, surroundings).map_err(|e| open::engine(path, e))?;
        let log = Log::explore(path)?;
        Ok(LogWriter {
            path: path.to_owned(),
            queue: Mutex::default(),
            core: Mutex::new(core),
            log,
        })
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
        let ticket = Arc::new(Ticket {
            state: Mutex::new(TicketState::Waiting(streams)),
            changed: Condvar::new(),
        });
        let mut queue = lock(&self.queue);
        if queue.led {
            queue.waiting.push_back(Arc::clone(&ticket));
            drop(queue);
            match ticket.wait() {
                Ok(answer) => return answer,
                Err(streams) => self.lead(streams),
            }
        } else {
            queue.led = true;
            drop(queue);
            let Some(streams) = ticket.take() else {
                return Err(AppendError::Closed);
            };
            self.lead(streams)
        }
    }

    /// Commits the caller's own append and all that wait, and hands on the lead.
    fn lead(&self, own: Vec<StreamAppend>) -> Result<Appended, AppendError> {
        let mut turn = Turn {
            queue: &self.queue,
            group: Vec::new(),
        };
        let mut core = self.core.lock().map_err(|_| AppendError::Closed)?;
        {
            let mut queue = lock(&self.queue);
            let take = queue.waiting.len().min(MAX_GROUP);
            turn.group.extend(queue.waiting.drain(..take));
        }
        let mut appends = vec![own];
        appends.extend(turn.group.iter().map(|t| t.take().unwrap_or_default()));
        let mut answers = core.append_group(appends).into_iter();
        drop(core);
        let own = answers.next().unwrap_or(Err(AppendError::Closed));
        turn.pass_on();
        for (ticket, answer) in turn.group.drain(..).zip(answers) {
            ticket.answer(answer);
        }
        self.log.announce();
        own
    }

    /// Takes the write lock for a bulk append.
    pub(super) fn core(&self) -> Result<MutexGuard<'_, Core>, AppendError> {
        self.core.lock().map_err(|_| AppendError::Closed)
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
        let limit =
            core.conn
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
        limit.expect("the pragma is known");
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

/// A leader's turn. However it ends, the lead is passed on and everyone is answered.
struct Turn<'w> {
    queue: &'w Mutex<Queue>,
    group: Vec<Arc<Ticket>>,
}

impl Turn<'_> {
    fn pass_on(&mut self) {
        let mut queue = lock(self.queue);
        match queue.waiting.pop_front() {
            Some(next) => next.lead(),
            None => queue.led = false,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // A turn that went well has answered everyone and passed on: it has no group left.
        let failed = std::thread::panicking() || !self.group.is_empty();
        for ticket in self.group.drain(..) {
            ticket.answer(Err(AppendError::Closed));
        }
        if failed {
            self.pass_on();
        }
    }
}

impl Ticket {
    /// Waits for the answer, or for being told to lead with the append handed in.
    fn wait(&self) -> Result<Result<Appended, AppendError>, Vec<StreamAppend>> {
        let mut state = lock(&self.state);
        loop {
            match std::mem::replace(&mut *state, TicketState::Taken) {
                TicketState::Done(answer) => return Ok(answer),
                TicketState::Lead(streams) => return Err(streams),
                waiting => *state = waiting,
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&self) -> Option<Vec<StreamAppend>> {
        match std::mem::replace(&mut *lock(&self.state), TicketState::Taken) {
            TicketState::Waiting(streams) | TicketState::Lead(streams) => Some(streams),
            TicketState::Taken | TicketState::Done(_) => None,
        }
    }

    fn lead(&self) {
        let streams = self.take().unwrap_or_default();
        *lock(&self.state) = TicketState::Lead(streams);
        self.changed.notify_one();
    }

    fn answer(&self, answer: Result<Appended, AppendError>) {
        *lock(&self.state) = TicketState::Done(answer);
        self.changed.notify_one();
    }
}

/// A lock that is never poisoned in a way that matters: what it guards is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes an empty log into an empty file.
fn fill(path: &Path, surroundings: &Surroundings) -> Result<(), OpenError> {
    let conn = open::writer(path)?;
    let mut uuid = [0u8; 16];
    (surroundings.random)(&mut uuid);
    let id = uuid::Builder::from_random_bytes(uuid).into_uuid();
    let now = (surroundings.clock)();
    let write = || -> rusqlite::Result<()> {
        conn.pragma_update(None, "page_size", 4096)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        conn.pragma_update(None, "user_version", schema::FORMAT)?;
        schema::create(&conn)?;
        conn.execute(
            "INSERT INTO meta(key, value) VALUES ('log_id', ?1), ('created_at', ?2)",
            (id.to_string(), now.to_string()),
        )?;
        conn.execute(
            "INSERT INTO head(one, size, root, frontier) VALUES (1, 0, ?1, x'')",
            [crate::integrity::tree::empty_root().0],
        )?;
        conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
    };
    write().map_err(|e| open::engine(path, e))
}

impl Core {
    fn new(conn: Connection, surroundings: Surroundings) -> rusqlite::Result<Core> {
        let mut core = Core {
            data_version: data_version(&conn)?,
            conn,
            surroundings,
            knowledge: None,
        };
        core.knowledge = Some(core.learn()?);
        Ok(core)
    }

    fn learn(&self) -> rusqlite::Result<(Book, Ink)> {
        let random = Arc::clone(&self.surroundings.random);
        Ok((Book::load(&self.conn)?, Ink::load(&self.conn, random)?))
    }

    /// Starts a transaction and makes sure that what is known of the log is so.
    pub(super) fn begin(&mut self) -> rusqlite::Result<(Book, Ink)> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let now = data_version(&self.conn)?;
        let known = self.knowledge.take().filter(|_| now == self.data_version);
        self.data_version = now;
        match known {
            Some(known) => Ok(known),
            None => self.learn(),
        }
    }

    /// Commits, and keeps what is known.
    pub(super) fn commit(&mut self, mut book: Book, mut ink: Ink) -> rusqlite::Result<Head> {
        book.flush(&self.conn)?;
        let head = ink.flush(&self.conn)?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        self.knowledge = Some((book, ink));
        Ok(head)
    }

    /// Ends a transaction that failed. What was known went with it.
    pub(super) fn roll_back(&mut self) {
        self.knowledge = None;
        if !self.conn.is_autocommit() {
            // Where even this fails, closing the connection rolls back.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }

    pub(super) fn truncate_wal(&self) -> rusqlite::Result<()> {
        self.conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// One transaction for all; an answer for each, in order.
    fn append_group(
        &mut self,
        appends: Vec<Vec<StreamAppend>>,
    ) -> Vec<Result<Appended, AppendError>> {
        let count = appends.len();
        match self.try_group(appends) {
            Ok(answers) => answers,
            Err(error) => {
                self.roll_back();
                (0..count).map(|_| Err(again(&error))).collect()
            }
        }
    }

    fn try_group(
        &mut self,
        appends: Vec<Vec<StreamAppend>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        let (mut book, mut ink) = self.begin().map_err(open::append_error)?;
        let mut answers = Vec::with_capacity(appends.len());
        for streams in appends {
            let places = match settle(&self.conn, &mut book, &streams) {
                Ok(places) => places,
                Err(error) if is_refusal(&error) => {
                    answers.push(Err(error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let events = self
                .write(&mut book, &mut ink, streams, places)
                .map_err(open::append_error)?;
            answers.push(Ok((events, ink.head())));
        }
        self.commit(book, ink).map_err(open::append_error)?;
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(|(events, head)| Appended { events, head }))
            .collect())
    }

    fn write(
        &mut self,
        book: &mut Book,
        ink: &mut Ink,
        streams: Vec<StreamAppend>,
        places: Vec<Place>,
    ) -> rusqlite::Result<Vec<AppendedEvent>> {
        let now = (self.surroundings.clock)();
        let mut done: Vec<AppendedEvent> = Vec::with_capacity(places.len());
        let mut places = places.into_iter();
        for StreamAppend {
            stream,
            category,
            expected: _,
            events,
        } in streams
        {
            for (event, place) in events.into_iter().zip(places.by_ref()) {
                let appended = match place {
                    Place::Held(held) => held,
                    Place::SameAs(index) => AppendedEvent {
                        duplicate: true,
                        ..done[index]
                    },
                    Place::New => {
                        let id = match &event.id {
                            Some(id) => id.clone(),
                            None => self.make_id(now),
                        };
                        let planned =
                            book.plan(&self.conn, &stream, category.as_ref(), id, now, event)?;
                        ink.write(&self.conn, &planned)?;
                        AppendedEvent {
                            position: Position(planned.position),
                            version: Version(planned.version),
                            duplicate: false,
                        }
                    }
                };
                done.push(appended);
            }
        }
        Ok(done)
    }

    fn make_id(&self, now: Time) -> EventId {
        make_id(&self.surroundings, now)
    }
}

/// Makes a UUID version 7 from the time and the random source.
pub(super) fn make_id(surroundings: &Surroundings, now: Time) -> EventId {
    let mut random = [0u8; 10];
    (surroundings.random)(&mut random);
    // Version 7 counts from 1970; before it, 0.
    let millis = u64::try_from(now.us() / 1000).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    EventId::new(uuid.to_string()).expect("the text of a UUID is a name")
}

/// Where one event of an append will stand.
enum Place {
    /// At the end.
    New,
    /// Where it stands already.
    Held(AppendedEvent),
    /// Where another event of the same append will stand: index in the append.
    SameAs(usize),
}

/// Checks an append whole and says where its events go. Writes nothing.
fn settle(
    conn: &Connection,
    book: &mut Book,
    streams: &[StreamAppend],
) -> Result<Vec<Place>, AppendError> {
    let mut places = Vec::new();
    let mut seen: HashMap<&EventId, (usize, &StreamId, &NewEvent)> = HashMap::new();
    let mut new_before = 0;
    for append in streams {
        for event in &append.events {
            content::check(&append.stream, event)?;
            let place = match &event.id {
                None => Place::New,
                Some(id) => match seen.get(id) {
                    Some((index, stream, earlier)) => {
                        if **stream != append.stream || **earlier != *event {
                            return Err(AppendError::IdTaken {
                                id: id.clone(),
                                position: Position(book.size + *index as u64 + 1),
                            });
                        }
                        Place::SameAs(*index)
                    }
                    None => {
                        seen.insert(id, (places.len(), &append.stream, event));
                        held(conn, &append.stream, id, event)?
                    }
                },
            };
            new_before += usize::from(matches!(place, Place::New));
            places.push(place);
        }
    }
    if new_before == 0 && !places.is_empty() {
        return Ok(places);
    }
    for append in streams {
        let head = book
            .head(conn, append.stream.as_str())
            .map_err(open::append_error)?;
        let actual = head.map_or(Version::NONE, |(version, _)| version);
        let fits = match append.expected {
            ExpectedVersion::Any => true,
            ExpectedVersion::NoStream => actual == Version::NONE,
            ExpectedVersion::Exact(version) => actual == version,
        };
        if !fits {
            return Err(AppendError::VersionConflict {
                stream: append.stream.clone(),
                expected: append.expected,
                actual,
            });
        }
        book.check_category(conn, &append.stream, append.category.as_ref())?;
    }
    Ok(places)
}

/// Says whether the log holds this event already.
fn held(
    conn: &Connection,
    stream: &StreamId,
    id: &EventId,
    event: &NewEvent,
) -> Result<Place, AppendError> {
    let Some(stored) = content::by_id(conn, id.as_str())? else {
        return Ok(Place::New);
    };
    if content::same(conn, &stored, stream, event).map_err(open::append_error)? {
        return Ok(Place::Held(AppendedEvent {
            position: stored.position,
            version: stored.version,
            duplicate: true,
        }));
    }
    Err(AppendError::IdTaken {
        id: id.clone(),
        position: stored.position,
    })
}

/// Whether an error is about the append itself, so that the others in its transaction go on.
fn is_refusal(error: &AppendError) -> bool {
    match error {
        AppendError::VersionConflict { .. }
        | AppendError::IdTaken { .. }
        | AppendError::CategoryConflict { .. }
        | AppendError::LinkedTwice { .. }
        | AppendError::TooLarge { .. } => true,
        AppendError::DiskFull
        | AppendError::Locked
        | AppendError::Closed
        | AppendError::Cancelled
        | AppendError::Engine(_) => false,
    }
}

/// The same error for another caller of the same transaction.
fn again(error: &AppendError) -> AppendError {
    match error {
        AppendError::DiskFull => AppendError::DiskFull,
        AppendError::Locked => AppendError::Locked,
        AppendError::Engine(source) => AppendError::Engine(Arc::clone(source)),
        _ => AppendError::Closed,
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}
