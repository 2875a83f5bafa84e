//! What a writer knows of the log while it writes: heads of streams, names and their ids, the next position.
//!
//! The book plans: it says where an event will stand. It is filled from the file as names come up, holds what
//! is not written yet, and is thrown away when another process has written or a transaction failed.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::ink::{Planned, PlannedLink};
use super::names::{MAX_REMEMBERED, Names, Table, counted_sql, next_id};
use super::schema;
use crate::event::NewEvent;
use crate::id::{Category, EventId, StreamId};
use crate::position::Version;
use crate::store::AppendError;
use crate::time::{SourceTime, Time};

/// The last event of a stream, and what the list of streams shows.
#[derive(Debug, Clone)]
struct Stream {
    id: i64,
    /// Slot of its category in [`Book::categories`].
    category: usize,
    version: u64,
    /// Times of its events; `None` until it holds one.
    times: Option<(Time, Time)>,
    last_position: u64,
    /// The version that its row tells of; 0 where it has none yet.
    told: u64,
    /// Whether it stands in [`Book::dirty_streams`].
    dirty: bool,
}

impl Stream {
    /// Takes its next event.
    fn add(&mut self, version: u64, position: u64, time: Time) {
        self.version = version;
        self.last_position = position;
        self.times = Some(match self.times {
            None => (time, time),
            Some((first, last)) => (first.min(time), last.max(time)),
        });
    }
}

#[derive(Debug)]
struct CategoryCount {
    id: i64,
    name: Arc<str>,
    is_new: bool,
    streams_added: u64,
    events_added: u64,
    /// Whether it stands in [`Book::dirty_categories`].
    dirty: bool,
}

/// Why a stream that is written is in the book.
const KNOWN: &str =
    "INVARIANT: a stream that gets an event is in the book until its row tells of it";

/// See the module.
#[derive(Debug)]
pub(super) struct Book {
    streams: HashMap<Arc<str>, Stream>,
    /// Ids and names of streams whose rows do not tell of all their events.
    dirty_streams: Vec<(i64, Arc<str>)>,
    /// Names of those that have no row yet.
    new_streams: Vec<Arc<str>>,
    /// Whether rows of streams wait for the tail to be indexed.
    rows_wait: bool,
    categories: Vec<CategoryCount>,
    /// Slots of `categories` by name. A log may hold as many categories as streams.
    category_slots: HashMap<Arc<str>, usize>,
    /// And by id.
    category_ids: HashMap<i64, usize>,
    /// Slots of categories of which something is not written yet.
    dirty_categories: Vec<usize>,
    types: Names,
    content_types: Names,
    next_stream: i64,
    next_category: i64,
    /// Number of events, those planned included.
    pub(super) size: u64,
    /// Where the tail begins.
    indexed: u64,
    /// When the last one was recorded.
    recorded_us: i64,
    /// Whether the file may hold streams that are not in the book.
    file_has_streams: bool,
}

impl Book {
    /// Starts a book on the file as it is.
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Book> {
        let (size, recorded_us, indexed): (u64, Option<i64>, u64) = conn
            .prepare_cached("SELECT size, recorded_us, indexed FROM head")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let tail = counted_sql("s.category", "JOIN streams s ON s.id = e.stream");
        let categories: Vec<CategoryCount> = conn
            .prepare_cached(&format!(
                "SELECT c.id, c.name, coalesce(x.n, 0) FROM categories c LEFT JOIN ({tail}) x ON x.id = c.id"
            ))?
            .query_map([], |row| {
                Ok(CategoryCount {
                    id: row.get(0)?,
                    name: Arc::from(row.get_ref(1)?.as_str()?),
                    is_new: false,
                    streams_added: 0,
                    events_added: row.get(2)?,
                    dirty: row.get::<_, u64>(2)? > 0,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let slots = || categories.iter().enumerate();
        let mut book = Book {
            streams: HashMap::new(),
            dirty_streams: Vec::new(),
            new_streams: Vec::new(),
            rows_wait: schema::streams_wait(conn)?,
            category_slots: slots().map(|(i, c)| (Arc::clone(&c.name), i)).collect(),
            category_ids: slots().map(|(i, c)| (c.id, i)).collect(),
            dirty_categories: slots().filter(|(_, c)| c.dirty).map(|(i, _)| i).collect(),
            categories,
            types: Names::load(conn, Table::Types)?,
            content_types: Names::load(conn, Table::ContentTypes)?,
            next_stream: next_id(conn, "streams")?,
            next_category: next_id(conn, "categories")?,
            size,
            indexed,
            recorded_us: recorded_us.unwrap_or(i64::MIN),
            file_has_streams: size > 0,
        };
        book.take_up_tail(conn)?;
        Ok(book)
    }

    /// Takes up what rows of streams do not tell yet, from the links of the tail.
    fn take_up_tail(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let mut links = conn.prepare_cached(
            "SELECT s.name, l.version, l.position, e.time_us, e.time_sub_ns FROM links_tail l
             CROSS JOIN streams s ON s.id = l.stream CROSS JOIN events e ON e.position = l.position
             ORDER BY l.stream, l.version",
        )?;
        let mut rows = links.query([])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str()?;
            if !self.streams.contains_key(name) && !self.recall(conn, name)? {
                continue;
            }
            let version = row.get(1)?;
            let time = Time::from_parts(row.get(3)?, row.get(4)?)
                .ok_or_else(|| super::tiles::corrupt("an event's time is out of range"))?;
            if self.streams.get(name).is_some_and(|s| s.version < version) {
                let stream = self.change_stream(name);
                stream.add(version, row.get(2)?, time);
            }
        }
        Ok(())
    }

    /// Returns the version of a stream's last event and its category, if the stream is there.
    pub(super) fn head(
        &mut self,
        conn: &Connection,
        stream: &str,
    ) -> rusqlite::Result<Option<(Version, Arc<str>)>> {
        if !self.streams.contains_key(stream) && !self.recall(conn, stream)? {
            return Ok(None);
        }
        let found = &self.streams[stream];
        let category = Arc::clone(&self.categories[found.category].name);
        Ok(Some((Version(found.version), category)))
    }

    /// Refuses a category that is not the stream's.
    pub(super) fn check_category(
        &mut self,
        conn: &Connection,
        stream: &StreamId,
        given: Option<&Category>,
    ) -> Result<(), AppendError> {
        let Some(given) = given else { return Ok(()) };
        match self
            .head(conn, stream.as_str())
            .map_err(super::open::append_error)?
        {
            Some((_, actual)) if *actual != *given.as_str() => Err(AppendError::CategoryConflict {
                stream: stream.clone(),
                actual: actual.to_string(),
                given: given.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Loads a stream from the file; says whether it is there.
    fn recall(&mut self, conn: &Connection, stream: &str) -> rusqlite::Result<bool> {
        if !self.file_has_streams {
            return Ok(false);
        }
        let categories = &self.category_ids;
        let found = conn
            .prepare_cached(
                "SELECT id, category, version, first_us, first_sub_ns, last_us, last_sub_ns, last_position
                 FROM streams WHERE name = ?1",
            )?
            .query_row([stream], |row| {
                let category: i64 = row.get(1)?;
                let out_of_range = || super::tiles::corrupt("a stream's time is out of range");
                Ok(Stream {
                    id: row.get(0)?,
                    category: *categories
                        .get(&category)
                        .ok_or_else(|| super::tiles::corrupt("a stream's category is missing"))?,
                    version: row.get(2)?,
                    times: Some((
                        Time::from_parts(row.get(3)?, row.get(4)?).ok_or_else(out_of_range)?,
                        Time::from_parts(row.get(5)?, row.get(6)?).ok_or_else(out_of_range)?,
                    )),
                    last_position: row.get(7)?,
                    told: row.get(2)?,
                    dirty: false,
                })
            })
            .optional()?;
        Ok(match found {
            None => false,
            Some(found) => {
                self.streams.insert(Arc::from(stream), found);
                true
            }
        })
    }

    /// Plans one event at the end of the log. The caller has checked everything that can be wrong with it;
    /// what fails here is the engine.
    pub(super) fn plan(
        &mut self,
        conn: &Connection,
        stream: &StreamId,
        category: Option<&Category>,
        id: EventId,
        now: Time,
        event: NewEvent,
    ) -> rusqlite::Result<Planned> {
        let NewEvent {
            id: _,
            event_type,
            time,
            schema_version,
            data,
            metadata,
            source,
            mut links,
        } = event;
        // The order in which the leaf holds them.
        links.sort_unstable_by(|a, b| a.stream.cmp(&b.stream));
        self.size += 1;
        let position = self.size;
        let recorded_us = self.recorded_us.max(now.us());
        self.recorded_us = recorded_us;
        let time = time
            .unwrap_or_else(|| SourceTime::unwritten(Time::from_parts(now.us(), 0).unwrap_or(now)));
        let home = self.enter(conn, stream, category, position, time.time)?;
        self.change_category(home.category).events_added += 1;
        let links = links
            .into_iter()
            .map(|link| {
                let place = self.enter(conn, &link.stream, None, position, time.time)?;
                Ok(PlannedLink {
                    stream: place.id,
                    name: link.stream,
                    version: place.version,
                    qualifier: link.qualifier,
                })
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Planned {
            position,
            stream: home.id,
            stream_name: home.name,
            category: Arc::clone(&self.categories[home.category].name),
            version: home.version,
            type_id: self.types.count(conn, event_type.as_str())?,
            event_type,
            time,
            recorded_us,
            id,
            schema_version,
            source,
            data_type: self.content_types.count(conn, &data.content_type)?,
            metadata_type: match &metadata {
                None => None,
                Some(metadata) => Some(self.content_types.count(conn, &metadata.content_type)?),
            },
            data,
            metadata,
            links,
        })
    }

    /// Gives an event the next version of a stream, making the stream if it is new.
    fn enter(
        &mut self,
        conn: &Connection,
        stream: &StreamId,
        category: Option<&Category>,
        position: u64,
        time: Time,
    ) -> rusqlite::Result<Entered> {
        let name = stream.as_str();
        if !self.streams.contains_key(name) && !self.recall(conn, name)? {
            let default;
            let category = match category {
                Some(given) => given,
                None => {
                    default = stream.default_category();
                    &default
                }
            };
            let category = self.category(category);
            self.change_category(category).streams_added += 1;
            let id = self.next_stream;
            self.next_stream += 1;
            let key: Arc<str> = Arc::from(name);
            self.new_streams.push(Arc::clone(&key));
            self.streams.insert(
                key,
                Stream {
                    id,
                    category,
                    version: 0,
                    times: None,
                    last_position: 0,
                    told: 0,
                    dirty: false,
                },
            );
        }
        let (key, _) = self.streams.get_key_value(name).expect("entered above");
        let key = Arc::clone(key);
        let head = self.change_stream(name);
        head.add(head.version + 1, position, time);
        Ok(Entered {
            id: head.id,
            name: key,
            category: head.category,
            version: head.version,
        })
    }

    /// A stream of the book that is about to hold one more event.
    fn change_stream(&mut self, name: &str) -> &mut Stream {
        let (key, stream) = self.streams.get_key_value(name).expect(KNOWN);
        if !stream.dirty {
            self.dirty_streams.push((stream.id, Arc::clone(key)));
        }
        let stream = self.streams.get_mut(name).expect(KNOWN);
        stream.dirty = true;
        stream
    }

    /// Slot of a category, which is made if it is new.
    fn category(&mut self, category: &Category) -> usize {
        if let Some(&slot) = self.category_slots.get(category.as_str()) {
            return slot;
        }
        let (slot, id) = (self.categories.len(), self.next_category);
        let name: Arc<str> = Arc::from(category.as_str());
        self.next_category += 1;
        self.category_slots.insert(Arc::clone(&name), slot);
        self.category_ids.insert(id, slot);
        self.categories.push(CategoryCount {
            id,
            name,
            is_new: true,
            streams_added: 0,
            events_added: 0,
            dirty: false,
        });
        slot
    }

    /// A category whose numbers are about to change.
    fn change_category(&mut self, slot: usize) -> &mut CategoryCount {
        let category = &mut self.categories[slot];
        if !category.dirty {
            category.dirty = true;
            self.dirty_categories.push(slot);
        }
        category
    }

    /// Writes streams and names, and numbers of events if the tail holds `index_every`; says where the tail begins
    /// then. The head row and the tree are the ink's.
    pub(super) fn flush(&mut self, conn: &Connection, index_every: u64) -> rusqlite::Result<u64> {
        let numbers = self.size - self.indexed >= index_every;
        self.write_streams(conn, numbers || !self.rows_wait)?;
        // What waits for its number of events stays dirty.
        let mut waiting = Vec::new();
        for slot in self.dirty_categories.drain(..) {
            let category = &mut self.categories[slot];
            if category.is_new {
                conn.prepare_cached(
                    "INSERT INTO categories(id, name, streams, events) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((
                    category.id,
                    &*category.name,
                    category.streams_added,
                    0,
                ))?;
            } else if category.streams_added > 0 {
                conn.prepare_cached("UPDATE categories SET streams = streams + ?2 WHERE id = ?1")?
                    .execute((category.id, category.streams_added))?;
            }
            if numbers && category.events_added > 0 {
                conn.prepare_cached("UPDATE categories SET events = events + ?2 WHERE id = ?1")?
                    .execute((category.id, category.events_added))?;
                category.events_added = 0;
            }
            category.is_new = false;
            category.streams_added = 0;
            category.dirty = category.events_added > 0;
            if category.dirty {
                waiting.push(slot);
            }
        }
        self.dirty_categories = waiting;
        self.types.flush(conn, numbers)?;
        self.content_types.flush(conn, numbers)?;
        if numbers {
            self.indexed = self.size;
        }
        self.file_has_streams = self.size > 0;
        if self.streams.len() > MAX_REMEMBERED {
            self.streams.retain(|_, stream| stream.dirty);
        }
        Ok(self.indexed)
    }

    /// Writes the rows of streams that do not tell of all their events, or only of those that have none.
    fn write_streams(&mut self, conn: &Connection, all: bool) -> rusqlite::Result<()> {
        let new = std::mem::take(&mut self.new_streams);
        if !all {
            return new
                .iter()
                .try_for_each(|name| self.write_stream(conn, name));
        }
        let mut dirty = std::mem::take(&mut self.dirty_streams);
        dirty.sort_unstable_by_key(|(id, _)| *id);
        for (_, name) in dirty {
            self.write_stream(conn, &name)?;
            if let Some(stream) = self.streams.get_mut(&name) {
                stream.dirty = false;
            }
        }
        Ok(())
    }

    /// Writes the row of a stream as far as it does not tell of all its events.
    fn write_stream(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<()> {
        let stream = self.streams.get_mut(name).expect(KNOWN);
        let (first, last) = stream
            .times
            .expect("INVARIANT: a dirty stream holds an event");
        let statement = match stream.told {
            told if told == stream.version => return Ok(()),
            0 => {
                "INSERT INTO streams(version, last_position, first_us, first_sub_ns, last_us, last_sub_ns, id, name, category)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            }
            _ => {
                "UPDATE streams SET version = ?1, last_position = ?2, first_us = ?3, first_sub_ns = ?4,
                 last_us = ?5, last_sub_ns = ?6 WHERE id = ?7 AND ?8 IS NOT NULL AND ?9 IS NOT NULL"
            }
        };
        conn.prepare_cached(statement)?.execute((
            stream.version,
            stream.last_position,
            first.us(),
            first.sub_ns(),
            last.us(),
            last.sub_ns(),
            stream.id,
            name,
            self.categories[stream.category].id,
        ))?;
        stream.told = stream.version;
        Ok(())
    }
}

struct Entered {
    id: i64,
    name: Arc<str>,
    category: usize,
    version: u64,
}
