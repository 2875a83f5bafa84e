//! A connection that reads, and the names that it has read so far.
//!
//! A row of an event holds ids. The name behind an id never changes, so it is looked up once and not joined to
//! every row. Rows keep only ids that were committed, and a reader sees nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::row::{NO_ACTOR, NO_CATEGORY, NO_STREAM, NO_TYPE};
use crate::id::{Actor, Category, EventType, StreamId};
use crate::integrity::Hash;
use crate::store::ReadError;

/// So many streams are remembered at most; ids that differ by a multiple of it displace each other. A walk over a log
/// with more of them looks names up again and again, which costs as much as the events. Only the ids that are met
/// take room: 100 bytes each.
const STREAMS: usize = 131_072;

/// So many actors.
const ACTORS: usize = 32_768;

/// So many names of each other kind.
const FEW: usize = 1_024;

/// Names of which an event has the plain text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table {
    Sources,
    ContentTypes,
}

/// A stream, and its category where that is there.
type StreamNames = (StreamId, Option<Category>);

/// Says what is wrong with the row that a name is read for.
type Damaged<'d> = &'d dyn Fn(&str) -> ReadError;

/// A connection of the pool. What it remembers is of one file and goes with it.
#[derive(Debug)]
pub(super) struct Reader {
    conn: Connection,
    streams: RefCell<Slots<StreamNames>>,
    types: RefCell<Slots<EventType>>,
    actors: RefCell<Slots<Actor>>,
    texts: [RefCell<Slots<Arc<str>>>; 2],
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
            types: RefCell::new(Slots::new(few)),
            actors: RefCell::new(Slots::new(actors)),
            subtrees: RefCell::default(),
            texts: [(); 2].map(|()| RefCell::new(Slots::new(few))),
        }
    }

    /// Runs a question in one read transaction, so that all its statements see the same log.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
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
        let mut streams = self.streams.borrow_mut();
        if let Some((stream, category)) = streams.get(id) {
            return Ok((Some(stream.clone()), category.clone()));
        }
        let found: Option<(String, Option<String>)> = self
            .conn
            .prepare_cached(
                "SELECT s.name, c.name FROM streams s LEFT JOIN categories c ON c.id = s.category
                 WHERE s.id = ?1",
            )?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((stream, category)) = found else {
            return Ok((None, None));
        };
        let stream = StreamId::new(stream).map_err(|_| damaged(NO_STREAM))?;
        let category = category.map(Category::new).transpose();
        let category = category.map_err(|_| damaged(NO_CATEGORY))?;
        streams.put(id, (stream.clone(), category.clone()));
        Ok((Some(stream), category))
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
    slots: Vec<Option<(i64, T)>>,
}

impl<T> Slots<T> {
    /// At most so many; a power of two.
    fn new(most: usize) -> Slots<T> {
        Slots {
            mask: most as u64 - 1,
            slots: Vec::new(),
        }
    }

    fn place(&self, id: i64) -> usize {
        // Any id has a slot, also one that only a damaged file can hold.
        (id.unsigned_abs() & self.mask) as usize
    }

    fn get(&self, id: i64) -> Option<&T> {
        match self.slots.get(self.place(id)) {
            Some(Some((held, value))) if *held == id => Some(value),
            _ => None,
        }
    }

    fn put(&mut self, id: i64, value: T) {
        let place = self.place(id);
        if place >= self.slots.len() {
            self.slots.resize_with(place + 1, || None);
        }
        self.slots[place] = Some((id, value));
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
             UPDATE events SET metadata_type = NULL WHERE position = 13;",
        )
        .unwrap();
        let joined = format!(
            "SELECT {} FROM events e {} ORDER BY e.position",
            row::NAMED_EVENT,
            row::NAMES
        );
        let joined = rows(&conn, &joined, row::named_event);
        assert_eq!(joined.len(), 40);
        assert_eq!(joined.iter().filter(|event| event.is_err()).count(), 3);
        for most in [1, 2, 4, FEW] {
            let conn = Connection::open(&path).unwrap();
            let reader = Reader::remembering(conn, most, most, most);
            let sql = format!("SELECT {} FROM events e ORDER BY e.position", row::EVENT);
            for round in ["cold", "warm"] {
                let ours = rows(&reader, &sql, |row| row::event(row, &reader));
                assert_eq!(ours, joined, "{most} names, {round}");
            }
        }
    }
}
