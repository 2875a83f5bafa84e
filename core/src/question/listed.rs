//! Which streams had a value at an instant, by name: the intervals of one value of a field, kept in memory from the first
//! list on until the index goes further, so that the next instant is a walk over them.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};

use super::spans::{OPEN, time_of};
use super::view::AnswerRow;
use crate::position::{Position, Version};
use crate::time::Time;

/// Intervals that are kept in memory, of all values together: some 20 MB.
pub(super) const MOST: usize = 250_000;

/// What a list is of. The same log as far as `reach`, folded by the same model, has the same intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) category: String,
    pub(super) path: String,
    pub(super) model: String,
    /// What the value is looked up by.
    pub(super) key: String,
    pub(super) reach: Position,
}

/// Lists that are kept, the one asked last at the end.
#[derive(Debug)]
pub(super) struct Lists {
    most: usize,
    kept: Mutex<Vec<(Of, Arc<List>)>>,
}

impl Lists {
    /// Keeps at most so many intervals.
    pub(super) fn new(most: usize) -> Lists {
        Lists {
            most,
            kept: Mutex::default(),
        }
    }

    /// Lets go of everything.
    pub(super) fn clear(&self) {
        self.kept().clear();
    }

    /// The first `limit` streams by name that had the value at the instant; `field` is its id in the index. `expected`
    /// is how many there are.
    pub(super) fn at(
        &self,
        conn: &Connection,
        (of, field): (&Of, i64),
        at: Time,
        (limit, expected): (usize, usize),
    ) -> rusqlite::Result<Vec<AnswerRow>> {
        let kept = {
            let mut kept = self.kept();
            // What the index said before it went on is of no use any more.
            kept.retain(|(other, _)| other.reach == of.reach);
            let at = kept.iter().position(|(other, _)| other == of);
            at.map(|at| {
                let found = kept.remove(at);
                let list = Arc::clone(&found.1);
                kept.push(found);
                list
            })
        };
        let list = match kept {
            Some(list) => list,
            None => match List::load(conn, field, &of.key, self.most)? {
                None => return selected(conn, (field, &of.key), at, limit),
                Some(list) => self.keep(of, list),
            },
        };
        Ok(list.at(at, limit, expected))
    }

    fn keep(&self, of: &Of, list: List) -> Arc<List> {
        let list = Arc::new(list);
        let mut kept = self.kept();
        kept.push((of.clone(), Arc::clone(&list)));
        let mut all: usize = kept.iter().map(|(_, list)| list.entries.len()).sum();
        while all > self.most && kept.len() > 1 {
            all -= kept.remove(0).1.entries.len();
        }
        list
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(Of, Arc<List>)>> {
        // Each list in it is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The intervals of one value, by names of their streams.
#[derive(Debug)]
struct List {
    /// One after another.
    names: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    from: Time,
    /// Exclusive; `None`: to the end of what is known.
    to: Option<Time>,
    position: Position,
    version: Version,
    /// Where its stream's name stands in the names.
    name: (u32, u32),
}

impl List {
    /// Reads the intervals of a value; `None` where they are more than `most`.
    fn load(
        conn: &Connection,
        field: i64,
        key: &str,
        most: usize,
    ) -> rusqlite::Result<Option<List>> {
        let mut statement = conn.prepare_cached(
            "SELECT i.stream, s.stream, i.from_us, i.from_ns, i.to_us, i.to_ns, i.position, i.version
             FROM intervals i INDEXED BY intervals_from CROSS JOIN interval_streams s ON s.id = i.stream
             WHERE i.field = ?1 AND i.key = ?2",
        )?;
        let mut rows = statement.query(params![field, key])?;
        let mut read = String::new();
        let mut found: Vec<(i64, Entry)> = Vec::new();
        while let Some(row) = rows.next()? {
            if found.len() == most {
                return Ok(None);
            }
            let start = read.len();
            read.push_str(row.get_ref(1)?.as_str()?);
            // Names of so many streams, 4,096 bytes each at most, stay far below 4 GiB.
            let name = (start as u32, read.len() as u32);
            let entry = Entry {
                from: time_of(Some(row.get(2)?), Some(row.get(3)?)).unwrap_or(Time::MIN),
                to: until(row.get(4)?, row.get(5)?),
                position: Position(row.get(6)?),
                version: Version(row.get(7)?),
                name,
            };
            found.push((row.get(0)?, entry));
        }
        // Streams were mostly put in by name, so the second sort finds its work done.
        found.sort_unstable_by_key(|(stream, entry)| (*stream, entry.from));
        let text = |entry: &Entry| &read[entry.name.0 as usize..entry.name.1 as usize];
        found.sort_by(|(_, a), (_, b)| text(a).cmp(text(b)));
        let mut names = String::with_capacity(read.len());
        let mut entries: Vec<Entry> = Vec::with_capacity(found.len());
        let mut before: Option<i64> = None;
        for (stream, mut entry) in found {
            let same = entries.last().filter(|_| before == Some(stream));
            entry.name = match same {
                Some(same) => same.name,
                None => {
                    let start = names.len() as u32;
                    names.push_str(text(&entry));
                    (start, names.len() as u32)
                }
            };
            before = Some(stream);
            entries.push(entry);
        }
        Ok(Some(List { names, entries }))
    }

    fn at(&self, at: Time, limit: usize, expected: usize) -> Vec<AnswerRow> {
        let mut rows = Vec::with_capacity(expected.min(limit).min(self.entries.len()));
        let there = self.entries.iter().filter(|entry| {
            let ends = entry.to.is_none_or(|to| at < to);
            entry.from <= at && ends
        });
        rows.extend(there.take(limit).map(|entry| {
            let name = &self.names[entry.name.0 as usize..entry.name.1 as usize];
            row(name.to_owned(), entry)
        }));
        rows
    }
}

fn row(stream: String, entry: &Entry) -> AnswerRow {
    AnswerRow {
        stream,
        from: Some(entry.from),
        to: entry.to,
        position: Some(entry.position),
        version: Some(entry.version),
        value: None,
        group: None,
    }
}

fn until(us: i64, ns: i64) -> Option<Time> {
    if us == OPEN {
        return None;
    }
    time_of(Some(us), Some(ns))
}

/// The same from the file alone, for values with more intervals than are kept.
fn selected(
    conn: &Connection,
    (field, key): (i64, &str),
    at: Time,
    limit: usize,
) -> rusqlite::Result<Vec<AnswerRow>> {
    let mut statement = conn.prepare_cached(
        "SELECT s.stream, i.from_us, i.from_ns, i.to_us, i.to_ns, i.position, i.version
         FROM intervals i INDEXED BY intervals_from CROSS JOIN interval_streams s ON s.id = i.stream
         WHERE i.field = ?1 AND i.key = ?2 AND (i.from_us, i.from_ns) <= (?3, ?4)
           AND (i.to_us, i.to_ns) > (?3, ?4)
         ORDER BY s.stream LIMIT ?5",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![field, key, at.us(), at.sub_ns(), limit])?;
    let mut found = Vec::new();
    while let Some(read) = rows.next()? {
        let entry = Entry {
            from: time_of(Some(read.get(1)?), Some(read.get(2)?)).unwrap_or(Time::MIN),
            to: until(read.get(3)?, read.get(4)?),
            position: Position(read.get(5)?),
            version: Version(read.get(6)?),
            name: (0, 0),
        };
        found.push(row(read.get(0)?, &entry));
    }
    Ok(found)
}
