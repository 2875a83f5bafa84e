//! A connection that reads, and the names that it has read so far.
//!
//! A row of an event holds ids. The name behind an id never changes, so it is looked up once and not joined to
//! every row. Rows keep only ids that were committed, and a reader sees nothing else.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::num::NonZeroI64;
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::row::{NO_ACTOR, NO_CATEGORY, NO_STREAM, NO_TYPE};
use crate::id::{Actor, Category, EventType, StreamId};
use crate::integrity::Hash;
use crate::store::ReadError;

/// So many streams are remembered at most; ids that differ by a multiple of it displace each other. A walk over a log
/// with more of them looks names up again and again, which costs as much as the events. Only the ids that are met
/// take room: 32 bytes each, and a name of more than 15 bytes its own.
const STREAMS: usize = 131_072;

/// So many are many.
const MANY_STREAMS: usize = 4_096;

/// So many actors.
const ACTORS: usize = 32_768;

/// So many names of each other kind.
const FEW: usize = 1_024;

/// One question that asked for more names of streams than this one by one walks over many streams: from then on they
/// are read so many at a time.
const PATIENCE: u32 = 64;
const BLOCK: i64 = 256;

/// Names of which an event has the plain text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table {
    Sources,
    ContentTypes,
}

/// A stream, and the id of its category.
type StreamNames = (StreamId, i64);

/// Says what is wrong with the row that a name is read for.
type Damaged<'d> = &'d dyn Fn(&str) -> ReadError;

/// A connection of the pool. What it remembers is of one file and goes with it.
#[derive(Debug)]
pub(super) struct Reader {
    conn: Connection,
    streams: RefCell<Slots<StreamNames>>,
    categories: RefCell<Slots<Category>>,
    types: RefCell<Slots<EventType>>,
    actors: RefCell<Slots<Actor>>,
    texts: [RefCell<Slots<Arc<str>>>; 2],
    /// The stream that was asked for last, with its id: who reads one reads it page by page, or again.
    asked: RefCell<Option<(StreamId, i64)>>,
    /// Names of streams that the question has asked for one by one, and how many it may.
    missed: Cell<u32>,
    patience: u32,
    walks: Cell<bool>,
    /// Roots of whole subtrees that no stored tile holds, by level and index; they never change.
    pub(super) subtrees: RefCell<HashMap<(u32, u64), Hash>>,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

impl Reader {
    pub(super) fn new(conn: Connection) -> Reader {
        Reader::remembering(conn, STREAMS, ACTORS, FEW)
    }

    /// A reader that remembers at most so many streams and actors, and so many names of each other kind; powers of two.
    fn remembering(conn: Connection, streams: usize, actors: usize, few: usize) -> Reader {
        Reader {
            conn,
            streams: RefCell::new(Slots::new(streams)),
            categories: RefCell::new(Slots::new(few)),
            asked: RefCell::default(),
            missed: Cell::new(0),
            patience: PATIENCE,
            walks: Cell::new(false),
            types: RefCell::new(Slots::new(few)),
            actors: RefCell::new(Slots::new(actors)),
            subtrees: RefCell::default(),
            texts: [(); 2].map(|()| RefCell::new(Slots::new(few))),
        }
    }

    /// Lets go of the names of streams where it remembers many, so that several readers do not each hold all of them.
    pub(super) fn forget_many(&self) {
        let mut streams = self.streams.borrow_mut();
        if streams.slots.len() > MANY_STREAMS {
            streams.slots = Vec::new();
        }
    }

    #[cfg(test)]
    pub(super) fn remembers_many(&self) -> bool {
        self.streams.borrow().slots.len() > MANY_STREAMS
    }

    /// As if it had met so many.
    #[cfg(test)]
    pub(super) fn remember_many(&self) {
        let mut streams = self.streams.borrow_mut();
        streams.slots.resize_with(MANY_STREAMS + 1, || None);
    }

    /// Runs a question in one read transaction, so that all its statements see the same log.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.missed.set(0);
        // Statements that are kept: parsing these two anew would be a tenth of a short question.
        self.conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        let answer = question(self);
        self.conn.prepare_cached("ROLLBACK")?.execute([])?;
        answer
    }

    /// A stream and its category, as far as they are there.
    pub(super) fn stream(
        &self,
        id: i64,
        damaged: Damaged<'_>,
    ) -> Result<(Option<StreamId>, Option<Category>), ReadError> {
        let held = |id| self.streams.borrow().get(id).cloned();
        let mut names = held(id);
        if names.is_none() && self.is_walk()? {
            // What is wrong there is said of the event that it matters to, by what follows.
            self.read_streams_around(id).ok();
            names = held(id);
        }
        let (stream, category) = match names {
            Some(names) => names,
            None => match self.read_stream(id, damaged)? {
                Some(names) => names,
                None => return Ok((None, None)),
            },
        };
        Ok((Some(stream), self.category(category, damaged)?))
    }

    /// Reads the names of one stream and remembers them.
    fn read_stream(&self, id: i64, damaged: Damaged<'_>) -> Result<Option<StreamNames>, ReadError> {
        let found: Option<(String, i64)> = self
            .conn
            .prepare_cached("SELECT name, category FROM streams WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((stream, category)) = found else {
            return Ok(None);
        };
        let names = (
            StreamId::new(stream).map_err(|_| damaged(NO_STREAM))?,
            category,
        );
        self.streams.borrow_mut().put(id, names.clone());
        Ok(Some(names))
    }

    /// Id of a stream in the file.
    pub(super) fn stream_id(&self, stream: &StreamId) -> rusqlite::Result<Option<i64>> {
        if let Some((name, id)) = &*self.asked.borrow()
            && name == stream
        {
            return Ok(Some(*id));
        }
        let found = super::log::stream_id(&self.conn, stream)?;
        if let Some(id) = found {
            *self.asked.borrow_mut() = Some((stream.clone(), id));
        }
        Ok(found)
    }

    /// Whether the question, which asks for one more name, walks over many streams; of a log whose names are not all
    /// remembered at once, the ones around it would be read in vain.
    fn is_walk(&self) -> rusqlite::Result<bool> {
        let missed = self.missed.get().saturating_add(1);
        self.missed.set(missed);
        if missed == self.patience.saturating_add(1) {
            let last: i64 = self
                .conn
                .prepare_cached("SELECT coalesce(max(id), 0) FROM streams")?
                .query_row([], |row| row.get(0))?;
            let fits = self.streams.borrow().holds_up_to(last);
            self.walks.set(fits);
        }
        Ok(missed > self.patience && self.walks.get())
    }

    /// Remembers the names of the streams whose ids are near, as far as nothing is wrong with them.
    fn read_streams_around(&self, id: i64) -> Result<(), ReadError> {
        let first = id.saturating_sub(id.rem_euclid(BLOCK));
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, name, category FROM streams WHERE id BETWEEN ?1 AND ?2")?;
        let mut rows = statement.query((first, first.saturating_add(BLOCK - 1)))?;
        while let Some(row) = rows.next()? {
            if let Ok(stream) = StreamId::new(row.get::<_, String>(1)?) {
                let names = (stream, row.get(2)?);
                self.streams.borrow_mut().put(row.get(0)?, names);
            }
        }
        Ok(())
    }

    fn category(&self, id: i64, damaged: Damaged<'_>) -> Result<Option<Category>, ReadError> {
        self.typed(
            &self.categories,
            id,
            "SELECT name FROM categories WHERE id = ?1",
            |text| Category::new(text).map_err(|_| damaged(NO_CATEGORY)),
        )
    }

    /// The type with an id, if it is there.
    pub(super) fn event_type(
        &self,
        id: i64,
        damaged: Damaged<'_>,
    ) -> Result<Option<EventType>, ReadError> {
        self.typed(
            &self.types,
            id,
            "SELECT name FROM types WHERE id = ?1",
            |text| EventType::new(text).map_err(|_| damaged(NO_TYPE)),
        )
    }

    /// The actor with an id, if it is there.
    pub(super) fn actor(&self, id: i64, damaged: Damaged<'_>) -> Result<Option<Actor>, ReadError> {
        self.typed(
            &self.actors,
            id,
            "SELECT name FROM actors WHERE id = ?1",
            |text| Actor::new(text).map_err(|_| damaged(NO_ACTOR)),
        )
    }

    /// The text with an id, if it is there.
    pub(super) fn text(&self, table: Table, id: i64) -> Result<Option<Arc<str>>, ReadError> {
        let sql = match table {
            Table::Sources => "SELECT name FROM sources WHERE id = ?1",
            Table::ContentTypes => "SELECT name FROM content_types WHERE id = ?1",
        };
        self.typed(&self.texts[table as usize], id, sql, |text| Ok(text.into()))
    }

    /// Holds its texts anew, each counted by itself from now on. Where one thread takes texts that another drops, each
    /// waits for the other at every event, unless they are of different pages.
    pub(super) fn part_with_texts(&self) {
        for texts in &self.texts {
            for (_, text) in texts.borrow_mut().slots.iter_mut().flatten() {
                *text = Arc::from(&**text);
            }
        }
    }

    fn typed<T: Clone>(
        &self,
        slots: &RefCell<Slots<T>>,
        id: i64,
        sql: &str,
        name: impl FnOnce(String) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let mut slots = slots.borrow_mut();
        if let Some(held) = slots.get(id) {
            return Ok(Some(held.clone()));
        }
        let found: Option<String> = self
            .conn
            .prepare_cached(sql)?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let found = found.map(name).transpose()?;
        if let Some(found) = &found {
            slots.put(id, found.clone());
        }
        Ok(found)
    }
}

/// Values by id, each in the one slot that its id has. Ids are dense, so a small log needs few slots.
#[derive(Debug)]
struct Slots<T> {
    /// Bits of an id that choose its slot.
    mask: u64,
    slots: Vec<Option<(NonZeroI64, T)>>,
}

impl<T> Slots<T> {
    /// At most so many; a power of two.
    fn new(most: usize) -> Slots<T> {
        Slots {
            mask: most as u64 - 1,
            slots: Vec::new(),
        }
    }

    /// Whether all ids up to this one have a slot each.
    fn holds_up_to(&self, id: i64) -> bool {
        id.unsigned_abs() <= self.mask
    }

    fn place(&self, id: i64) -> usize {
        // Any id has a slot, also one that only a damaged file can hold.
        (id.unsigned_abs() & self.mask) as usize
    }

    fn get(&self, id: i64) -> Option<&T> {
        match self.slots.get(self.place(id)) {
            Some(Some((held, value))) if held.get() == id => Some(value),
            _ => None,
        }
    }

    /// Ids are given from 1: what a damaged file has as 0 is not remembered, which saves each slot a word.
    fn put(&mut self, id: i64, value: T) {
        let Some(held) = NonZeroI64::new(id) else {
            return;
        };
        let place = self.place(id);
        if place >= self.slots.len() {
            self.slots.resize_with(place + 1, || None);
        }
        self.slots[place] = Some((held, value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LogWriter, row};
    use super::*;
    use crate::event::{NewLink, Payload};
    use crate::store::ExpectedVersion;
    use crate::store::contract::{batch, event, fixed, stream};

    fn rows<T>(
        conn: &Connection,
        sql: &str,
        mut each: impl FnMut(&rusqlite::Row<'_>) -> Result<T, ReadError>,
    ) -> Vec<Result<T, String>> {
        let mut statement = conn.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push(each(row).map_err(|error| error.to_string()));
        }
        all
    }

    #[test]
    fn names_of_many_streams_are_let_go_and_those_of_few_stay() {
        let reader = Reader::new(Connection::open_in_memory().unwrap());
        let hold = |many: usize| {
            let mut streams = reader.streams.borrow_mut();
            streams.slots.resize_with(many, || None);
        };
        let held = || reader.streams.borrow().slots.len();
        hold(MANY_STREAMS);
        reader.forget_many();
        assert_eq!(held(), MANY_STREAMS);
        hold(MANY_STREAMS + 1);
        reader.forget_many();
        assert_eq!(held(), 0);
    }

    #[test]
    fn remembered_names_are_those_that_a_join_finds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.annals");
        let writer = LogWriter::create(&path, fixed()).unwrap();
        for n in 0..40 {
            let mut new = event(&format!("Type{}", n % 5), "{}");
            if n % 3 == 0 {
                new.metadata =
                    Some(Payload::json(format!(r#"{{"userId":"u{}"}}"#, n % 7)).unwrap());
            }
            if n % 4 == 0 {
                new.source.source = Some(format!("file {}", n % 8).into());
                new.links = vec![NewLink {
                    stream: stream(&format!("other-{n}")),
                    qualifier: "to".into(),
                }];
            }
            if n % 6 == 0 {
                new.data.content_type = "text/plain".into();
            }
            let home = format!("{}-{}", ["a", "b", "c"][n % 3], n % 13);
            writer
                .append(vec![batch(&home, ExpectedVersion::Any, vec![new])])
                .unwrap();
        }
        writer.close().unwrap();
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "DROP TRIGGER events_update;
             UPDATE events SET stream = NULL, id = NULL, source = NULL WHERE position = 2;
             UPDATE events SET stream = 8205 WHERE position = 3;
             UPDATE events SET type = -9223372036854775808 WHERE position = 4;
             UPDATE events SET actor = 1025 WHERE position = 7;
             UPDATE events SET data = NULL WHERE position = 9;
             UPDATE events SET data_type = 77 WHERE position = 10;
             UPDATE events SET metadata_type = NULL WHERE position = 13;
             UPDATE events SET time_flags = 300 WHERE position = 14;
             UPDATE events SET leaf = x'00' WHERE position = 15;
             UPDATE events SET correlation = 7 WHERE position = 16;
             UPDATE events SET source_id = x'00' WHERE position = 17;
             UPDATE events SET source_recorded_us = 5, causation = 'c', schema_version = '2' WHERE position = 18;
             UPDATE events SET source_recorded_us = 5, source_recorded_sub_ns = -1 WHERE position = 19;",
        )
        .unwrap();
        let joined = format!(
            "SELECT {} FROM events e {} ORDER BY e.position",
            row::NAMED_EVENT,
            row::NAMES
        );
        let joined = rows(&conn, &joined, row::named_event);
        assert_eq!(joined.len(), 40);
        assert_eq!(joined.iter().filter(|event| event.is_err()).count(), 8);
        for (most, patience) in [(1, 0), (2, 5), (4, 0), (FEW, 0), (FEW, 5), (FEW, PATIENCE)] {
            let conn = Connection::open(&path).unwrap();
            let mut reader = Reader::remembering(conn, most, most, most);
            reader.patience = patience;
            let sql = format!("SELECT {} FROM events e ORDER BY e.position", row::EVENT);
            for round in ["cold", "warm"] {
                let ours = rows(&reader, &sql, |row| row::event(row, &reader));
                assert_eq!(ours, joined, "{most} names, patience {patience}, {round}");
            }
        }
    }
}
