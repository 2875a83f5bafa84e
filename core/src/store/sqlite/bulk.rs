//! Bulk append, for imports: one transaction, all or nothing.
//!
//! Three threads share the work: the caller's checks, finds duplicates, gives out places ([`super::book`]), reading
//! the log as it was before, and draws what salts are made of; one hashes ([`super::seal`]); one writes
//! ([`super::ink`]).

use std::path::Path;
use std::sync::{Arc, MutexGuard};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use rusqlite::Connection;
use rusqlite::limits::Limit;

use super::book::Book;
use super::commit::{Core, make_id};
use super::ids::{Ids, Taken};
use super::ink::{Ink, Planned};
use super::open::append_error;
use super::seal::{Prepared, Seal, Sealer, draw_seeds};
use super::writer::LogWriter;
use super::{content, imports, later, open, schema};
use crate::event::NewEvent;
use crate::id::{Category, EventId, MAX_NAME_BYTES, StreamId};
use crate::integrity::Hash;
use crate::integrity::leaf::Seed;
use crate::position::{Position, Version};
use crate::store::{AppendError, AppendedEvent, Extraction, Head, ImportNote};
use crate::surroundings::Random;
use crate::time::Time;

/// Number of events from which on a bulk append leaves ids and correlations to be indexed at its end, if it is also
/// no smaller than the log was.
pub(super) const DEFER_FROM: u64 = 20_000;

/// Events handed to the writing thread at once, or fewer if their payloads reach [`BATCH_BYTES`].
const BATCH: usize = 256;

/// See [`BATCH`].
const BATCH_BYTES: usize = 1 << 20;

/// Batches that wait for the writing thread.
const WAITING: usize = 2;

/// A bulk append in progress: holds the write lock, so other appends wait. Dropped without [`Bulk::commit`],
/// nothing was written.
#[derive(Debug)]
pub struct Bulk<'w> {
    writer: &'w LogWriter,
    core: MutexGuard<'w, Core>,
    /// `None` once the bulk append is over.
    open: Option<Open>,
    source: Arc<str>,
    now: Time,
    /// Events that the log held before.
    before: u64,
    /// Whether what goes to places in no order is left for the end.
    leaves: bool,
    /// What the import says of itself.
    note: Option<ImportNote>,
    /// Ids of this bulk append.
    ids: Ids,
}

/// What a bulk append works with until it is over.
#[derive(Debug)]
struct Open {
    book: Book,
    /// The log as it was before, in one read transaction; empty if that was.
    reader: Connection,
    scribe: Scribe,
    batch: Vec<Planned>,
    batch_bytes: usize,
}

/// The threads that seal and write.
#[derive(Debug)]
struct Scribe {
    work: Sender<Work>,
    /// Hands on what it sealed.
    sealer: JoinHandle<()>,
    /// Batches that are written. They are freed where their parts were made: else two threads would wait for each
    /// other at the same allocator.
    written: Receiver<Vec<Planned>>,
    thread: JoinHandle<(Connection, Ink, rusqlite::Result<()>)>,
}

/// What is to be sealed and written.
enum Work {
    Write(Vec<Planned>, Vec<Seed>),
    /// What goes to places in no order is left for the end.
    Leave,
}

/// The same when it is sealed: with what each event's payloads decide, and its leaf.
enum Order {
    Write(Vec<Planned>, Vec<(Prepared, Hash)>),
    Leave,
}

/// What the log did with one event of a bulk append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It was stored.
    Stored(AppendedEvent),
    /// The log held it already: same source, same id, same content.
    Duplicate(AppendedEvent),
    /// Its id was taken by other content; it was stored under an id of its own, with `source_id` kept.
    StoredUnderNewId(AppendedEvent),
}

impl LogWriter {
    /// Starts a bulk append: one transaction, all or nothing. `source` names where the events come from and
    /// is written into those that name no source of their own.
    ///
    /// # Errors
    /// [`AppendError::Locked`] if another program holds the file; [`AppendError`] of the engine.
    pub fn bulk(&self, source: &str, extraction: &Extraction) -> Result<Bulk<'_>, AppendError> {
        let mut core = self.core()?;
        let now = (core.surroundings.clock)();
        let (book, mut ink) = match core.begin() {
            Ok(known) => known,
            Err(error) => {
                core.roll_back();
                return Err(append_error(error));
            }
        };
        ink.use_rule(extraction);
        ink.place_links_at_once(true);
        let before = book.size;
        let reader = match before {
            // There is nothing to read. A log that is being filled could not be read either, nor be written while
            // somebody does.
            0 => Connection::open_in_memory(),
            _ => open::reader(self.path()).and_then(begin_reading),
        };
        let reader = match reader {
            Ok(reader) => reader,
            Err(error) => {
                core.roll_back();
                return Err(append_error(error));
            }
        };
        let conn = core.lend().ok_or(AppendError::Closed)?;
        let (work, unsealed) = bounded(WAITING);
        let (sealed, orders) = bounded(WAITING);
        let (done, written) = unbounded();
        let rule = Sealer::new(extraction);
        let sealer = std::thread::spawn(move || seal_each(&rule, &unsealed, &sealed));
        let folder = open::folder_of(self.path()).to_owned();
        let thread = std::thread::spawn(move || write(conn, ink, &folder, &orders, &done));
        Ok(Bulk {
            writer: self,
            core,
            before,
            open: Some(Open {
                book,
                reader,
                scribe: Scribe {
                    work,
                    sealer,
                    written,
                    thread,
                },
                batch: Vec::with_capacity(BATCH),
                batch_bytes: 0,
            }),
            source: source.into(),
            now,
            leaves: false,
            note: None,
            ids: Ids::beside(open::folder_of(self.path())),
        })
    }
}

fn begin_reading(conn: Connection) -> rusqlite::Result<Connection> {
    conn.execute_batch("BEGIN")?;
    // A transaction sees the log as of its first read.
    super::log::head(&conn)?;
    Ok(conn)
}

/// What the sealing thread does, until there is no more work or nobody takes what it sealed.
fn seal_each(sealer: &Sealer, unsealed: &Receiver<Work>, sealed: &Sender<Order>) {
    let mut seal = Seal::default();
    let mut of = |event: &Planned, seed: &Seed| {
        let prepared = sealer.prepare(&event.data, event.metadata.as_ref(), seed);
        let leaf = seal.leaf(event, &prepared);
        (prepared, leaf)
    };
    for work in unsealed {
        let order = match work {
            Work::Write(batch, seeds) => {
                let each = batch.iter().zip(&seeds);
                let sealed = each.map(|(event, seed)| of(event, seed)).collect();
                Order::Write(batch, sealed)
            }
            Work::Leave => Order::Leave,
        };
        if sealed.send(order).is_err() {
            return;
        }
    }
}

/// What the writing thread does, until there is no more work or something fails.
fn write(
    conn: Connection,
    mut ink: Ink,
    folder: &Path,
    orders: &Receiver<Order>,
    done: &Sender<Vec<Planned>>,
) -> (Connection, Ink, rusqlite::Result<()>) {
    for order in orders {
        let outcome = match order {
            Order::Write(batch, sealed) => {
                let outcome = ink.write_sealed(&conn, &batch, &sealed);
                // Nobody is there to take it back where the bulk append is over.
                let _ = done.send(batch);
                outcome.and_then(|()| ink.index_many(&conn))
            }
            Order::Leave => {
                ink.leave(folder);
                schema::drop_scattered(&conn)
            }
        };
        if outcome.is_err() {
            return (conn, ink, outcome);
        }
    }
    (conn, ink, Ok(()))
}

impl Open {
    /// Hands the batch to the threads; `false` if one of them has ended.
    fn send(&mut self, random: &Random) -> bool {
        self.batch_bytes = 0;
        self.scribe.written.try_iter().for_each(drop);
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let seeds = draw_seeds(random, batch.len());
        batch.is_empty() || self.scribe.work.send(Work::Write(batch, seeds)).is_ok()
    }
}

impl Bulk<'_> {
    /// Sets the instant at which the log takes the next events: a sample's clock goes on while it is made.
    pub(crate) fn set_clock(&mut self, now: Time) {
        self.now = now;
    }

    /// Adds one event to the end of its stream.
    ///
    /// Identity is (source, id, content). The same record again is a duplicate. The same id with other content
    /// is stored under an id of its own, `<id>#<16 hexadecimal digits of the hash of its content>`, with the
    /// id as given in `source_id`; since that id follows from the content, importing it again finds a duplicate.
    ///
    /// # Errors
    /// [`AppendError::TooLarge`], [`AppendError::CategoryConflict`] and [`AppendError::LinkedTwice`] refuse this
    /// event alone; after any other error the bulk append is over and nothing was written. What the disk says
    /// may come some events later, at the latest from [`Bulk::commit`].
    pub fn add(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        mut event: NewEvent,
    ) -> Result<BulkOutcome, AppendError> {
        self.check(stream, category, &event)?;
        if event.source.source.is_none() {
            event.source.source = Some(self.source.clone());
        }
        let Some(given) = event.id.clone() else {
            let id = make_id(&self.core.surroundings, self.now);
            return self
                .store(stream, category, id, event, None)
                .map(BulkOutcome::Stored);
        };
        let digest = content::digest(stream, &event);
        match self.find(stream, &given, &event, &digest)? {
            Some(Found::Same(held)) => return Ok(BulkOutcome::Duplicate(held)),
            Some(Found::Other(_)) => {}
            None => {
                return self
                    .store(stream, category, given, event, Some(&digest))
                    .map(BulkOutcome::Stored);
            }
        }
        let own = own_id(&given, &digest);
        event
            .source
            .source_id
            .get_or_insert_with(|| given.to_string());
        match self.find(stream, &own, &event, &digest)? {
            None => self
                .store(stream, category, own, event, Some(&digest))
                .map(BulkOutcome::StoredUnderNewId),
            Some(Found::Same(held)) => Ok(BulkOutcome::Duplicate(held)),
            Some(Found::Other(position)) => {
                // The caller hears of the id; what the thread met besides does not matter any more.
                let _ = self.end();
                Err(AppendError::IdTaken { id: own, position })
            }
        }
    }

    /// Says whether [`Bulk::add`] would refuse this event alone.
    ///
    /// # Errors
    /// [`AppendError::TooLarge`], [`AppendError::CategoryConflict`] and [`AppendError::LinkedTwice`] about the event;
    /// [`AppendError::Closed`] if the bulk append is over.
    pub fn check(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        event: &NewEvent,
    ) -> Result<(), AppendError> {
        content::check(stream, event)?;
        let Open { book, reader, .. } = self.open.as_mut().ok_or(AppendError::Closed)?;
        book.check_category(reader, stream, category)
    }

    /// Looks an id up among this bulk append's own and in the log as it was before.
    fn find(
        &mut self,
        stream: &StreamId,
        id: &EventId,
        event: &NewEvent,
        digest: &[u8; 32],
    ) -> Result<Option<Found>, AppendError> {
        let held = |position, version| AppendedEvent {
            position,
            version,
            duplicate: true,
        };
        if let Some(taken) = self.ids.get(id_key(id)).map_err(file_error)? {
            let position = Position(taken.position);
            return Ok(Some(if taken.content == first_8(digest) {
                Found::Same(held(position, Version(taken.version)))
            } else {
                Found::Other(position)
            }));
        }
        let Some(Open { reader, .. }) = self.open.as_ref().filter(|_| self.before > 0) else {
            return Ok(None);
        };
        let Some(stored) = content::by_id(reader, self.core.packing, id)? else {
            return Ok(None);
        };
        let same = content::same(reader, &stored, stream, event).map_err(append_error)?;
        Ok(Some(if same {
            Found::Same(held(stored.position, stored.version))
        } else {
            Found::Other(stored.position)
        }))
    }

    fn store(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        id: EventId,
        event: NewEvent,
        digest: Option<&[u8; 32]>,
    ) -> Result<AppendedEvent, AppendError> {
        let key = id_key(&id);
        let open = self.open.as_mut().ok_or(AppendError::Closed)?;
        let random = &self.core.surroundings.random;
        let added = open.book.size - self.before;
        let mut alive = true;
        if !self.leaves && added >= DEFER_FROM.max(self.before) {
            self.leaves = true;
            alive = open.send(random) && open.scribe.work.send(Work::Leave).is_ok();
        }
        let planned = open
            .book
            .plan(&open.reader, stream, category, id, self.now, event);
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => {
                let _ = self.end();
                return Err(append_error(error));
            }
        };
        let place = planned.place();
        open.batch_bytes += planned.data.bytes.len();
        open.batch_bytes += planned.metadata.as_ref().map_or(0, |m| m.bytes.len());
        open.batch.push(planned);
        if open.batch.len() >= BATCH || open.batch_bytes >= BATCH_BYTES {
            alive &= open.send(random);
        }
        if !alive {
            return Err(self
                .end()
                .map_or_else(append_error, |()| AppendError::Closed));
        }
        if let Some(digest) = digest {
            let taken = Taken {
                content: first_8(digest),
                position: place.position.0,
                version: place.version.0,
            };
            if let Err(error) = self.ids.insert(key, taken) {
                let _ = self.end();
                return Err(file_error(error));
            }
        }
        Ok(place)
    }

    /// Has the log keep a record of this import, written in its transaction.
    pub fn note(&mut self, note: ImportNote) {
        self.note = Some(note);
    }

    /// Builds what was left for last and commits; durable when it returns.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written.
    pub fn commit(mut self) -> Result<Head, AppendError> {
        // What is not needed any more makes room for building indexes.
        self.ids = Ids::beside(open::folder_of(self.writer.path()));
        let mut open = self.open.take().ok_or(AppendError::Closed)?;
        // If the thread has ended, joining it tells why.
        open.send(&self.core.surroundings.random);
        let (book, joined) = close(&mut self.core, open);
        let (note, before, now) = (self.note.take(), self.before, self.now);
        let finish = |core: &mut Core| -> rusqlite::Result<Head> {
            let mut ink = joined?;
            if self.leaves {
                core.with(|conn| ink.write_left(conn))?;
                core.with(create_scattered)?;
            }
            ink.use_rule(&Extraction::standard());
            ink.place_links_at_once(false);
            if let Some(note) = note {
                let positions = (book.size > before).then_some((before + 1, book.size));
                core.with(|conn| imports::write(conn, &note, now, positions))?;
            }
            // Entries were written on the way, so the tail ends here.
            core.commit(book, ink, 0)
        };
        match finish(&mut self.core) {
            Ok(head) => {
                // The write-ahead log of a large import is as large as the import. The commit stands, whatever
                // comes of this.
                let _ = self.core.truncate_wal();
                self.writer.log().announce();
                Ok(head)
            }
            Err(error) => {
                self.core.roll_back();
                Err(append_error(error))
            }
        }
    }

    /// Ends the bulk append, nothing written; tells what the writing thread met.
    fn end(&mut self) -> rusqlite::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let (_, joined) = close(&mut self.core, open);
        self.core.roll_back();
        joined.map(drop)
    }
}

/// Ends reading and writing and puts the connection back.
fn close(core: &mut Core, open: Open) -> (Book, rusqlite::Result<Ink>) {
    let Open {
        book,
        reader,
        scribe:
            Scribe {
                work,
                sealer,
                written,
                thread,
            },
        ..
    } = open;
    drop((reader, work, written));
    let sealed = sealer.join();
    let joined = match (thread.join(), sealed) {
        (Ok((conn, ink, done)), sealed) => {
            core.take_back(conn);
            let panicked = |_| super::tiles::corrupt("the sealing thread ended");
            done.and(sealed.map_err(panicked)).map(|()| ink)
        }
        // The thread panicked, and the connection closed with it.
        (Err(_), _) => Err(super::tiles::corrupt("the writing thread ended")),
    };
    (book, joined)
}

/// Bytes of an index that the engine sorts in memory; more goes to its temporary files.
const SORTED_AT_ONCE: i64 = 16 << 20;

/// Makes the index on ids and the triggers on insertion. The engine sorts a part on a thread of its own while it
/// reads the next.
fn create_scattered(conn: &Connection) -> rusqlite::Result<()> {
    let cache_kib: i64 = conn.query_row("PRAGMA cache_size", [], |row| row.get(0))?;
    // Refused in a log of format 1, whose connections have a temporary table: there all is sorted in memory.
    let on_disk = conn.pragma_update(None, "temp_store", "FILE");
    conn.pragma_update(None, "cache_size", -(SORTED_AT_ONCE >> 10))?;
    conn.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 1)?;
    let made = schema::create_scattered(conn);
    conn.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    conn.pragma_update(None, "cache_size", cache_kib)?;
    if on_disk.is_ok() {
        conn.pragma_update(None, "temp_store", "MEMORY")?;
    }
    made
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        // Whatever it met: nothing is written, as the caller wants.
        let _ = self.end();
    }
}

/// What stands under an id.
enum Found {
    Same(AppendedEvent),
    Other(Position),
}

/// Derives the id of an event whose id other content holds.
fn own_id(id: &EventId, digest: &[u8; 32]) -> EventId {
    let suffix = format!("#{:016x}", first_8(digest));
    let mut end = id.as_str().len().min(MAX_NAME_BYTES - suffix.len());
    while !id.as_str().is_char_boundary(end) {
        end -= 1;
    }
    EventId::new(format!("{}{suffix}", &id.as_str()[..end]))
        .expect("not empty, and cut to the length of a name")
}

/// Says what it means for a bulk append that its temporary file cannot be written or read.
fn file_error(error: std::io::Error) -> AppendError {
    append_error(later::told(error))
}

fn id_key(id: &EventId) -> u64 {
    use sha2::{Digest, Sha256};
    first_8(&Sha256::digest(id.as_str()).into())
}

fn first_8(digest: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
