//! One transaction for all the appends that wait.
//!
//! An append is checked whole before anything of it is written, so a refused one leaves nothing behind and
//! needs no savepoint. What can fail after that is the engine (full disk, lock, damage), which fails the whole
//! transaction, and with it every append in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::Connection;

use super::book::Book;
use super::ink::{Ink, Planned};
use super::packed::Packing;
use super::queue::Answer;
use super::seal::{Prepared, Sealer, draw_seeds};
use super::tail::INDEX_EVERY;
use super::{content, open};
use crate::event::NewEvent;
use crate::id::{Category, EventId, StreamId};
use crate::position::{Position, Version};
use crate::store::{AppendError, Appended, AppendedEvent, ExpectedVersion, Head, StreamAppend};
use crate::surroundings::{Random, Surroundings};
use crate::time::Time;

/// An append as its caller hands it in, with what that made of its events, one for one.
#[derive(Debug, Default)]
pub(super) struct Given {
    streams: Vec<StreamAppend>,
    prepared: Vec<(IdSeed, Prepared)>,
}

impl Given {
    /// Prepares every event.
    pub(super) fn new(streams: Vec<StreamAppend>, sealer: &Sealer, random: &Random) -> Given {
        let events = || streams.iter().flat_map(|append| &append.events);
        let count = events().count();
        let ids: Vec<IdSeed> = events()
            .map(|event| match &event.id {
                None => draw_id(random),
                Some(_) => IdSeed::default(),
            })
            .collect();
        let seeds = draw_seeds(random, count);
        let prepared = events()
            .zip(&seeds)
            .map(|(event, seed)| sealer.prepare(&event.data, event.metadata.as_ref(), seed));
        let prepared = ids.into_iter().zip(prepared).collect();
        Given { streams, prepared }
    }
}

/// The one connection that writes, and what it knows of the log.
#[derive(Debug)]
pub(super) struct Core {
    /// `None` while a bulk append's thread has it, and for good if that thread panicked.
    conn: Option<Connection>,
    pub(super) surroundings: Surroundings,
    knowledge: Option<(Book, Ink)>,
    data_version: i64,
    pub(super) packing: Packing,
    /// Events in the tail from which on a commit indexes them.
    pub(super) index_every: u64,
    /// Room for what a commit takes and plans, kept from one to the next: any of many threads may lead, and each
    /// would ask the system for it anew.
    room: Room,
}

/// See [`Core::room`].
#[derive(Debug, Default)]
struct Room {
    taken: Vec<Given>,
    pending: Vec<(Planned, Prepared)>,
}

impl Core {
    pub(super) fn new(conn: Connection, surroundings: Surroundings) -> rusqlite::Result<Core> {
        let mut core = Core {
            data_version: data_version(&conn)?,
            packing: Packing::of(&conn)?,
            conn: Some(conn),
            surroundings,
            knowledge: None,
            index_every: INDEX_EVERY,
            room: Room::default(),
        };
        core.knowledge = Some(core.learn()?);
        Ok(core)
    }

    fn conn(&self) -> &Connection {
        let conn = self.conn.as_ref();
        conn.expect("INVARIANT: LogWriter::core hands out no core without its connection")
    }

    /// Whether the connection is there, and not lost with a thread that panicked.
    pub(super) fn is_open(&self) -> bool {
        self.conn.is_some()
    }

    /// Does something to the file inside the open transaction.
    pub(super) fn with<T>(&self, act: impl FnOnce(&Connection) -> T) -> T {
        act(self.conn())
    }

    /// Lends the connection to a bulk append's thread.
    pub(super) fn lend(&mut self) -> Option<Connection> {
        self.conn.take()
    }

    /// Takes it back.
    pub(super) fn take_back(&mut self, conn: Connection) {
        self.conn = Some(conn);
    }

    fn learn(&self) -> rusqlite::Result<(Book, Ink)> {
        Ok((Book::load(self.conn())?, Ink::load(self.conn())?))
    }

    /// Starts a transaction and makes sure that what is known of the log is so.
    pub(super) fn begin(&mut self) -> rusqlite::Result<(Book, Ink)> {
        self.conn().prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let now = data_version(self.conn())?;
        let known = self.knowledge.take().filter(|_| now == self.data_version);
        self.data_version = now;
        match known {
            Some(known) => Ok(known),
            None => self.learn(),
        }
    }

    /// Commits, and keeps what is known. The tail is indexed if it holds `index_every` events.
    pub(super) fn commit(
        &mut self,
        mut book: Book,
        mut ink: Ink,
        index_every: u64,
    ) -> rusqlite::Result<Head> {
        let indexed = book.flush(self.conn(), index_every)?;
        let head = ink.flush(self.conn(), indexed)?;
        self.conn().prepare_cached("COMMIT")?.execute([])?;
        self.knowledge = Some((book, ink));
        Ok(head)
    }

    /// Ends a transaction that failed. What was known went with it.
    pub(super) fn roll_back(&mut self) {
        self.knowledge = None;
        // A connection that is gone rolled back when it closed; so does one where even this fails.
        if let Some(conn) = self.conn.as_ref().filter(|conn| !conn.is_autocommit()) {
            let _ = conn.execute_batch("ROLLBACK");
        }
    }

    /// Learns the log anew before the next append.
    pub(super) fn forget(&mut self) {
        self.knowledge = None;
    }

    pub(super) fn truncate_wal(&self) -> rusqlite::Result<()> {
        match &self.conn {
            None => Ok(()),
            Some(conn) => conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())),
        }
    }

    /// One transaction for all that `next` gives until it gives none; an answer for each, in order.
    pub(super) fn append_group(&mut self, mut next: impl FnMut(&mut Vec<Given>)) -> Vec<Answer> {
        let mut count = 0;
        let next = |taken: &mut Vec<Given>| {
            next(taken);
            count += taken.len();
        };
        let mut room = std::mem::take(&mut self.room);
        let done = self.try_group(next, &mut room);
        room.taken.clear();
        room.pending.clear();
        self.room = room;
        match done {
            Ok(answers) => answers,
            Err(error) => {
                self.roll_back();
                (0..count).map(|_| Err(again(&error))).collect()
            }
        }
    }

    fn try_group(
        &mut self,
        mut next: impl FnMut(&mut Vec<Given>),
        // `pending` is what is not written yet: one pass over all of them keeps its statements.
        Room { taken, pending }: &mut Room,
    ) -> Result<Vec<Answer>, AppendError> {
        // Whatever fails, the leader's own append is among those that are answered.
        next(taken);
        let (mut book, mut ink) = self.begin().map_err(open::append_error)?;
        let mut answers = Vec::with_capacity(taken.len());
        // Ids of this transaction: to be compared with, their rows must be in the file, and the names in them.
        let mut given: HashSet<EventId> = HashSet::new();
        while !taken.is_empty() {
            for Given { streams, prepared } in taken.drain(..) {
                let ids = || {
                    let events = streams.iter().flat_map(|append| &append.events);
                    events.filter_map(|event| event.id.as_ref())
                };
                if ids().any(|id| given.contains(id)) {
                    write_all(self.conn(), &mut ink, pending)?;
                    let indexed = book
                        .flush(self.conn(), self.index_every)
                        .map_err(open::append_error)?;
                    ink.flush(self.conn(), indexed)
                        .map_err(open::append_error)?;
                }
                let ids: Vec<EventId> = ids().cloned().collect();
                let places = match settle(self.conn(), self.packing, &mut book, &streams) {
                    Ok(places) => places,
                    Err(error) if is_refusal(&error) => {
                        answers.push(Err(error));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let events = self
                    .plan(&mut book, streams, prepared, places, pending)
                    .map_err(open::append_error)?;
                given.extend(ids);
                answers.push(Ok(events));
            }
            write_all(self.conn(), &mut ink, pending)?;
            next(taken);
        }
        let head = self
            .commit(book, ink, self.index_every)
            .map_err(open::append_error)?;
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(|events| Appended { events, head }))
            .collect())
    }

    /// Gives the events of an append their places, and adds the new ones to those that are to be written.
    fn plan(
        &mut self,
        book: &mut Book,
        streams: Vec<StreamAppend>,
        prepared: Vec<(IdSeed, Prepared)>,
        places: Vec<Place>,
        pending: &mut Vec<(Planned, Prepared)>,
    ) -> rusqlite::Result<Vec<AppendedEvent>> {
        let now = (self.surroundings.clock)();
        let mut done: Vec<AppendedEvent> = Vec::with_capacity(places.len());
        let mut places = places.into_iter().zip(prepared);
        for StreamAppend {
            stream,
            category,
            expected: _,
            events,
        } in streams
        {
            for (event, (place, (drawn, prepared))) in events.into_iter().zip(places.by_ref()) {
                let appended = match place {
                    Place::Held(held) => held,
                    Place::SameAs(index) => AppendedEvent {
                        duplicate: true,
                        ..done[index]
                    },
                    Place::New => {
                        let id = match &event.id {
                            Some(id) => id.clone(),
                            None => id_of(now, &drawn),
                        };
                        let conn = self.conn();
                        let next = book.plan(conn, &stream, category.as_ref(), id, now, event)?;
                        let place = next.place();
                        pending.push((next, prepared));
                        place
                    }
                };
                done.push(appended);
            }
        }
        Ok(done)
    }
}

/// Writes what is planned.
fn write_all(
    conn: &Connection,
    ink: &mut Ink,
    pending: &mut Vec<(Planned, Prepared)>,
) -> Result<(), AppendError> {
    if !pending.is_empty() {
        let events = pending
            .iter()
            .map(|(planned, prepared)| (planned, prepared));
        ink.write(conn, events).map_err(open::append_error)?;
        pending.clear();
    }
    Ok(())
}

/// What of an id is drawn.
type IdSeed = [u8; 10];

/// Makes a UUID version 7 from the time and the random source.
pub(super) fn make_id(surroundings: &Surroundings, now: Time) -> EventId {
    id_of(now, &draw_id(&surroundings.random))
}

fn draw_id(random: &Random) -> IdSeed {
    let mut drawn = IdSeed::default();
    random(&mut drawn);
    drawn
}

fn id_of(now: Time, drawn: &IdSeed) -> EventId {
    // Version 7 counts from 1970; before it, 0.
    let millis = u64::try_from(now.us() / 1000).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, drawn).into_uuid();
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
    packing: Packing,
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
                                position: would_stand(book.size, &places, *index),
                            });
                        }
                        Place::SameAs(*index)
                    }
                    None => {
                        seen.insert(id, (places.len(), &append.stream, event));
                        held(conn, packing, &append.stream, id, event)?
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
    let mut made: HashMap<&StreamId, Category> = HashMap::new();
    let mut places_left = places.iter();
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
        let own_places = places_left.by_ref().take(append.events.len());
        let new = append.events.iter().zip(own_places);
        for (event, _) in new.filter(|(_, place)| matches!(place, Place::New)) {
            if actual == Version::NONE {
                agree(&mut made, &append.stream, append.category.as_ref())?;
            }
            for link in &event.links {
                // A stream that is there keeps its category, whatever is noted for it here.
                made.entry(&link.stream)
                    .or_insert_with(|| link.stream.default_category());
            }
        }
    }
    Ok(places)
}

/// Position of an event of an append that is not written yet: the one it has, or the one it would get after `size`.
fn would_stand(size: u64, places: &[Place], index: usize) -> Position {
    match &places[index] {
        Place::Held(event) => event.position,
        Place::SameAs(first) => would_stand(size, places, *first),
        Place::New => {
            let is_new = |place: &&Place| matches!(place, Place::New);
            Position(size + places[..=index].iter().filter(is_new).count() as u64)
        }
    }
}

/// Holds a category given for a stream that this append makes against the one that the append gave it before.
fn agree<'a>(
    made: &mut HashMap<&'a StreamId, Category>,
    stream: &'a StreamId,
    given: Option<&Category>,
) -> Result<(), AppendError> {
    match (made.get(stream), given) {
        (Some(actual), Some(given)) if actual != given => Err(AppendError::CategoryConflict {
            stream: stream.clone(),
            actual: actual.to_string(),
            given: given.to_string(),
        }),
        (Some(_), _) => Ok(()),
        (None, given) => {
            let category = given.cloned().unwrap_or_else(|| stream.default_category());
            made.insert(stream, category);
            Ok(())
        }
    }
}

/// Says whether the log holds this event already.
fn held(
    conn: &Connection,
    packing: Packing,
    stream: &StreamId,
    id: &EventId,
    event: &NewEvent,
) -> Result<Place, AppendError> {
    let Some(stored) = content::by_id(conn, packing, id)? else {
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
        | AppendError::CannotErase { .. }
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
