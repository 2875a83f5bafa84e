//! The list of streams.
//!
//! A row of `streams` tells of a stream's events up to its `version`, at least of those that are indexed
//! ([`super::tail`]); the few that came after it are found by their links in `links_tail`.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params_from_iter};

use super::log::{Log, sql_limit, sql_position};
use crate::id::StreamId;
use crate::position::Position;
use crate::store::{Cursor, ReadError, StreamPage, StreamQuery, StreamRow};
use crate::time::Time;

const COLUMNS: &str = "s.last_position, s.name, c.name, \
     s.first_us, s.first_sub_ns, s.last_us, s.last_sub_ns, s.version, s.id";

/// The events of a stream after a version that are in the tail.
const TAIL: &str = "SELECT e.time_us, e.time_sub_ns, l.position, l.version FROM links_tail l
     CROSS JOIN events e ON e.position = l.position WHERE l.stream = ?1 AND l.version > ?2 ORDER BY l.version";

impl Log {
    /// One page of at most `limit` streams, by name (byte order). As of a time or of what was known, the events of
    /// streams that go on after it are counted one by one.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn streams(&self, query: &StreamQuery, limit: usize) -> Result<StreamPage, ReadError> {
        self.read(|conn| {
            let Some((tables, conditions, mut values)) = conditions(conn, query, true)? else {
                return Ok(StreamPage {
                    streams: Vec::new(),
                    next: None,
                });
            };
            values.push(Value::Integer(sql_limit(limit.saturating_add(1))));
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM {tables} LEFT JOIN categories c ON c.id = s.category
                 WHERE {conditions} ORDER BY s.name LIMIT ?"
            ))?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut tail = conn.prepare_cached(TAIL)?;
            let mut streams = Vec::new();
            while let Some(row) = rows.next()? {
                let (mut stream, last) = stream_row(row, &mut tail)?;
                let goes_on = query.at.is_some_and(|at| stream.last_time > at)
                    || query.known.is_some_and(|known| last > known);
                if goes_on {
                    cut(conn, query, row.get(8)?, &mut stream)?;
                }
                streams.push(stream);
            }
            let more = streams.len() > limit;
            streams.truncate(limit);
            let next = streams.last().filter(|_| more);
            let next = next.map(|last| Cursor(last.stream.clone()));
            Ok(StreamPage { streams, next })
        })
    }

    /// How many streams the query matches, pages left aside.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn count_streams(&self, query: &StreamQuery) -> Result<u64, ReadError> {
        self.read(|conn| match conditions(conn, query, false)? {
            None => Ok(0),
            Some((tables, conditions, values)) => Ok(conn
                .prepare_cached(&format!("SELECT count(*) FROM {tables} WHERE {conditions}"))?
                .query_row(params_from_iter(values), |row| row.get(0))?),
        })
    }

    /// One stream's row; `None` if there is no such stream.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn stream(&self, stream: &StreamId) -> Result<Option<StreamRow>, ReadError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM streams s LEFT JOIN categories c ON c.id = s.category
                 WHERE s.name = ?1"
            ))?;
            let mut rows = statement.query([stream.as_str()])?;
            let mut tail = conn.prepare_cached(TAIL)?;
            match rows.next()? {
                None => Ok(None),
                Some(row) => Ok(Some(stream_row(row, &mut tail)?.0)),
            }
        })
    }
}

/// A stream from a row of [`COLUMNS`] and from what [`TAIL`] gives, and the position of its last event.
fn stream_row(row: &Row<'_>, tail: &mut Statement<'_>) -> Result<(StreamRow, Position), ReadError> {
    let mut last = Position(row.get(0)?);
    let mut stream = StreamRow {
        stream: row.get(1)?,
        category: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        first_time: super::row::time(row, 3, last)?,
        last_time: super::row::time(row, 5, last)?,
        events: row.get(7)?,
    };
    let mut rows = tail.query((row.get::<_, i64>(8)?, stream.events))?;
    while let Some(row) = rows.next()? {
        last = Position(row.get(2)?);
        let time = super::row::time(row, 0, last)?;
        stream.first_time = stream.first_time.min(time);
        stream.last_time = stream.last_time.max(time);
        stream.events = row.get(3)?;
    }
    Ok((stream, last))
}

/// Leaves of a stream what had happened and was known: how many of its events, and the times of those known.
fn cut(
    conn: &Connection,
    query: &StreamQuery,
    id: i64,
    stream: &mut StreamRow,
) -> Result<(), ReadError> {
    let known = query.known.map_or(i64::MAX, sql_position);
    let mut span: Option<(Time, Time)> = None;
    stream.events = 0;
    for table in super::links::TABLES {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT e.time_us, e.time_sub_ns, e.position FROM {table} l CROSS JOIN events e ON e.position = l.position
             WHERE l.stream = ?1 AND l.position <= ?2 ORDER BY l.version",
        ))?;
        let mut rows = statement.query([id, known])?;
        while let Some(row) = rows.next()? {
            let time = super::row::time(row, 0, Position(row.get(2)?))?;
            span = Some(span.map_or((time, time), |(first, last)| {
                (first.min(time), last.max(time))
            }));
            stream.events += u64::from(query.at.is_none_or(|at| time <= at));
        }
    }
    if let Some((first, last)) = span {
        (stream.first_time, stream.last_time) = (first, last);
    }
    Ok(())
}

/// Tables, conditions and values of a query; `None` if its category is not in the log. By name, the index on
/// names is walked; a count goes through the category's own where there is one.
fn conditions(
    conn: &Connection,
    query: &StreamQuery,
    by_name: bool,
) -> rusqlite::Result<Option<(&'static str, String, Vec<Value>)>> {
    let StreamQuery {
        category,
        contains,
        at,
        known,
        after,
    } = query;
    let mut conditions = vec!["1"];
    let mut values = Vec::new();
    let mut tables = "streams s";
    if let Some(category) = category {
        let found: Option<i64> = conn
            .prepare_cached("SELECT id FROM categories WHERE name = ?1")?
            .query_row([category.as_str()], |row| row.get(0))
            .optional()?;
        let Some(id) = found else { return Ok(None) };
        conditions.push("s.category = ?");
        values.push(Value::Integer(id));
        if !by_name {
            tables = "streams s INDEXED BY streams_by_category";
        }
    }
    if let Some(contains) = contains.as_deref().filter(|text| !text.is_empty()) {
        conditions.push("s.name LIKE ? ESCAPE '\\'");
        values.push(Value::Text(like(contains)));
    }
    let known = known.map(|known| Value::Integer(sql_position(known)));
    let at = at.map(|at| [at.us(), i64::from(at.sub_ns())].map(Value::Integer));
    // A row may tell of fewer events than there are: what it says holds of those, and the tail is asked besides.
    match (at, known) {
        (None, None) => {}
        (Some(at), None) => {
            conditions.push(
                "((s.first_us, s.first_sub_ns) <= (?, ?) OR s.id IN (SELECT l.stream FROM links_tail l
                  CROSS JOIN events e ON e.position = l.position WHERE (e.time_us, e.time_sub_ns) <= (?, ?)))",
            );
            values.extend(at.clone());
            values.extend(at);
        }
        (None, Some(known)) => {
            // Positions grow with versions: the first one tells.
            conditions.push(
                "(s.last_position <= ? OR coalesce(
                  (SELECT l.position FROM links l WHERE l.stream = s.id ORDER BY l.version LIMIT 1),
                  (SELECT l.position FROM links_tail l WHERE l.stream = s.id ORDER BY l.version LIMIT 1)) <= ?)",
            );
            values.extend([known.clone(), known]);
        }
        (Some(at), Some(known)) => {
            conditions.push(
                "(((s.first_us, s.first_sub_ns) <= (?, ?) AND (s.last_position <= ? OR EXISTS (SELECT 1 FROM links l
                  CROSS JOIN events e ON e.position = l.position WHERE l.stream = s.id
                  AND l.position <= ? AND (e.time_us, e.time_sub_ns) <= (?, ?))))
                  OR s.id IN (SELECT l.stream FROM links_tail l CROSS JOIN events e ON e.position = l.position
                  WHERE l.position <= ? AND (e.time_us, e.time_sub_ns) <= (?, ?)))",
            );
            values.extend(at.clone());
            values.extend([known.clone(), known.clone()]);
            values.extend(at.clone());
            values.push(known);
            values.extend(at);
        }
    }
    if let Some(Cursor(name)) = after.as_ref().filter(|_| by_name) {
        conditions.push("s.name > ?");
        values.push(Value::Text(name.clone()));
    }
    Ok(Some((tables, conditions.join(" AND "), values)))
}

/// The pattern that finds a text anywhere, its own `%` and `_` taken as they are.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
