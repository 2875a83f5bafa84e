//! The log in one SQLite file.

use std::path::Path;

use crate::event::Event;
use crate::id::LogId;
use crate::id::{EventId, StreamId};
use crate::position::{Position, Version};
use crate::store::*;
use crate::surroundings::Surroundings;
use crate::time::Time;

/// A log opened to read. Cannot change the file: the engine opens it read-only.
/// Cheap to clone; clones share a pool of readers.
#[derive(Debug, Clone)]
pub struct Log {}

/// A log opened to append. One thread writes; appends from many threads share its commits.
#[derive(Debug)]
pub struct LogWriter {}

impl LogWriter {
    /// Makes a new log.
    pub fn create(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        let _ = (path, surroundings);
        todo!()
    }
    /// Opens a log to append to it.
    pub fn open(path: &Path, surroundings: Surroundings) -> Result<LogWriter, OpenError> {
        let _ = (path, surroundings);
        todo!()
    }
    /// Appends to one or several streams, all or nothing; returns after the commit is durable.
    pub fn append(&self, streams: Vec<StreamAppend>) -> Result<Appended, AppendError> {
        let _ = streams;
        todo!()
    }
    /// Starts a bulk append: one transaction, all or nothing.
    pub fn bulk(&self, source: &str, extraction: &Extraction) -> Result<Bulk<'_>, AppendError> {
        let _ = (source, extraction);
        todo!()
    }
    /// A reading handle on the same file.
    pub fn log(&self) -> Log {
        todo!()
    }
    /// Waits for pending appends, truncates the write-ahead log and closes.
    pub fn close(self) -> Result<(), AppendError> {
        todo!()
    }
}

/// A bulk append in progress: holds the write lock. Dropped without [`Bulk::commit`], nothing was written.
#[derive(Debug)]
pub struct Bulk<'w> {
    _writer: &'w LogWriter,
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

impl Bulk<'_> {
    /// Adds one event to the end of its stream.
    pub fn add(
        &mut self,
        stream: &StreamId,
        category: Option<&crate::id::Category>,
        event: NewEvent,
    ) -> Result<BulkOutcome, AppendError> {
        let _ = (stream, category, event);
        todo!()
    }
    /// Builds what was left for last and commits; durable when it returns.
    pub fn commit(self) -> Result<Head, AppendError> {
        todo!()
    }
}

impl Log {
    /// Opens a log to explore it, read-only.
    pub fn explore(path: &Path) -> Result<Log, OpenError> {
        let _ = path;
        todo!()
    }
    /// Path of the file as it was given.
    pub fn path(&self) -> &Path {
        todo!()
    }
    /// Identity of the log.
    pub fn id(&self) -> LogId {
        todo!()
    }
    /// Size and root at this moment.
    pub fn head(&self) -> Result<Head, ReadError> {
        todo!()
    }
    /// What the log holds.
    pub fn info(&self) -> Result<InfoView, ReadError> {
        todo!()
    }
    /// Actors, most events first.
    pub fn actors(&self, limit: usize) -> Result<Vec<ActorRow>, ReadError> {
        let _ = limit;
        todo!()
    }
    /// One page of streams, by name.
    pub fn streams(&self, query: &StreamQuery, limit: usize) -> Result<StreamPage, ReadError> {
        let _ = (query, limit);
        todo!()
    }
    /// How many streams the query matches, pages left aside.
    pub fn count_streams(&self, query: &StreamQuery) -> Result<u64, ReadError> {
        let _ = query;
        todo!()
    }
    /// One stream's row; `None` if there is no such stream.
    pub fn stream(&self, stream: &StreamId) -> Result<Option<StreamRow>, ReadError> {
        let _ = stream;
        todo!()
    }
    /// One page of events.
    pub fn events(&self, query: &EventQuery, limit: usize) -> Result<EventPage, ReadError> {
        let _ = (query, limit);
        todo!()
    }
    /// How many events the query matches, pages left aside.
    pub fn count(&self, query: &EventQuery) -> Result<u64, ReadError> {
        let _ = query;
        todo!()
    }
    /// Number of events per equal slice of time.
    pub fn density(&self, query: &EventQuery, slices: usize) -> Result<DensityView, ReadError> {
        let _ = (query, slices);
        todo!()
    }
    /// Reads a stream in version order, `versions` inclusive, one page; linked events included.
    pub fn read_stream(
        &self,
        stream: &StreamId,
        versions: std::ops::RangeInclusive<Version>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        let _ = (stream, versions, direction, limit);
        todo!()
    }
    /// Calls `each` with the stream's events in version order up to `known` until it returns `false`; never holds more than a page.
    pub fn for_each_in_stream(
        &self,
        stream: &StreamId,
        from: Version,
        known: Option<Position>,
        each: &mut dyn FnMut(StreamEvent) -> bool,
    ) -> Result<(), ReadError> {
        let _ = (stream, from, known, each);
        todo!()
    }
    /// The event at a position.
    pub fn event(&self, position: Position) -> Result<Option<Event>, ReadError> {
        let _ = position;
        todo!()
    }
    /// The event with an id.
    pub fn event_by_id(&self, id: &EventId) -> Result<Option<Event>, ReadError> {
        let _ = id;
        todo!()
    }
    /// One event whole, with its neighbours.
    pub fn detail(&self, position: Position) -> Result<Option<EventDetailView>, ReadError> {
        let _ = position;
        todo!()
    }
    /// The last position recorded at or before `time`: what was known then.
    pub fn known_at(&self, time: Time) -> Result<Position, ReadError> {
        let _ = time;
        todo!()
    }
    /// The distinct instant before and after `time` in the log, for stepping.
    pub fn neighbours(
        &self,
        time: Time,
        query: &EventQuery,
    ) -> Result<(Option<Time>, Option<Time>), ReadError> {
        let _ = (time, query);
        todo!()
    }
    /// Events from `after` on, first those that are there, then those that come.
    pub fn subscribe(&self, after: Position) -> Subscription {
        let _ = after;
        todo!()
    }
}

/// An event at its place in the stream that was read (home or linked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// Place in the stream that was read.
    pub version: Version,
    /// What the event is to that stream; empty at home.
    pub qualifier: String,
    /// The event.
    pub event: Event,
}

/// Events as they come: catch-up, then live.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// Returns the next events (at most `limit`), waiting up to `timeout_ms` where there are none; empty when the time is over.
    pub fn next(&mut self, limit: usize, timeout_ms: u64) -> Result<Vec<Event>, ReadError> {
        let _ = (limit, timeout_ms);
        todo!()
    }
}
