//! The interval index: every value that a field of a category's streams had, from when to when, kept in the cache.
//!
//! A field is put in when a question first asks for it. From then on the index follows the log: streams with events
//! that it has not seen are folded again, all of each, so that an event that came late is no special case. What it
//! says at any instant is what the fold says; a question that it answers has the answer that a replay has.
//!
//! Left out: what was known earlier than the head. Such questions are answered by replay.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value;

use super::amount::same_text;
use super::listed::{Lists, MOST, Of};
use super::steps::{self, Tallies};
use super::track::{Folded, Span, Spans, Track, merged, spans};
use super::view::AnswerRow;
use crate::cache::{Cache, CacheError, Part};
use crate::id::{Category, StreamId};
use crate::model::{FieldPath, ModelSet};
use crate::position::{Position, Version};
use crate::store::{EventQuery, Log, ReadError, StreamQuery, StreamRow};
use crate::temporal::TemporalError;
use crate::time::Time;

/// The name of a stream, and its values of some fields at an instant.
pub(super) type StreamValues = (String, Vec<Option<Value>>);

/// The orders of intervals by time.
macro_rules! indexes {
    () => {
        "CREATE INDEX intervals_from ON intervals(
             field, key, from_us, from_ns, to_us, to_ns, position, version);
         CREATE INDEX intervals_to ON intervals(field, key, to_us, to_ns);"
    };
}

static PART: Part = Part {
    name: "interval index",
    version: 3,
    create: concat!(
        "CREATE TABLE interval_fields(
                 id INTEGER PRIMARY KEY, category TEXT NOT NULL, path TEXT NOT NULL, model TEXT NOT NULL,
                 UNIQUE(category, path)) STRICT;
             CREATE TABLE interval_streams(
                 id INTEGER PRIMARY KEY, category TEXT NOT NULL, stream TEXT NOT NULL, events INTEGER NOT NULL,
                 failed INTEGER NOT NULL, told_us INTEGER, told_ns INTEGER, latest_us INTEGER, latest_ns INTEGER,
                 UNIQUE(category, stream)) STRICT;
             CREATE TABLE interval_totals(
                 category TEXT PRIMARY KEY, streams INTEGER NOT NULL, events INTEGER NOT NULL,
                 failed INTEGER NOT NULL, untold INTEGER NOT NULL, latest_us INTEGER, latest_ns INTEGER) STRICT;
             CREATE TABLE intervals(
                 field INTEGER NOT NULL, stream INTEGER NOT NULL, from_us INTEGER NOT NULL, from_ns INTEGER NOT NULL,
                 to_us INTEGER NOT NULL, to_ns INTEGER NOT NULL, key TEXT, value TEXT, position INTEGER NOT NULL,
                 version INTEGER NOT NULL, PRIMARY KEY(field, stream, from_us, from_ns)) STRICT, WITHOUT ROWID;
             ",
        indexes!(),
        "CREATE TABLE interval_steps(
                 field INTEGER NOT NULL, key TEXT NOT NULL, level INTEGER NOT NULL, step INTEGER NOT NULL,
                 delta INTEGER NOT NULL, edges INTEGER NOT NULL, split INTEGER NOT NULL DEFAULT 0,
                 PRIMARY KEY(field, key, level, step)) STRICT, WITHOUT ROWID;
             CREATE TABLE interval_kinds(
                 field INTEGER NOT NULL, kind TEXT NOT NULL, spans INTEGER NOT NULL,
                 PRIMARY KEY(field, kind)) STRICT, WITHOUT ROWID;"
    ),
    drop: "DROP TABLE IF EXISTS interval_fields; DROP TABLE IF EXISTS interval_streams;
           DROP TABLE IF EXISTS interval_totals; DROP TABLE IF EXISTS intervals;
           DROP TABLE IF EXISTS interval_days; DROP TABLE IF EXISTS interval_steps;
           DROP TABLE IF EXISTS interval_kinds;",
};

static PARTS: &[&Part] = &[&PART];

/// Streams listed at once.
const PAGE: usize = 1_000;
/// `to` of an interval that has not ended.
pub(super) const OPEN: i64 = i64::MAX;

/// The interval index of one log, kept in its [`Cache`]. Without a cache that can be used questions are answered all
/// the same, by replay.
#[derive(Debug)]
pub struct IntervalIndex {
    cache: Result<Cache, String>,
    lists: Lists,
}

/// Streams of a category that the index stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) streams: u64,
    pub(super) events: u64,
    pub(super) failed: u64,
    /// Streams whose values are not told to the end.
    pub(super) untold: u64,
    pub(super) latest: Option<Time>,
}

/// What a question needs of the index, and may do to bring it there.
pub(super) struct Need<'n> {
    pub(super) log: &'n Log,
    pub(super) models: &'n ModelSet,
    pub(super) category: &'n Category,
    pub(super) fields: &'n [FieldPath],
}

impl IntervalIndex {
    /// Opens the index of a log; `fallback` is the folder for caches of stores that cannot be written to. Builds
    /// nothing.
    #[must_use]
    pub fn open(log: &Log, fallback: Option<&Path>) -> IntervalIndex {
        IntervalIndex::keeping(log, fallback, MOST)
    }

    /// As [`IntervalIndex::open`], with at most so many intervals in memory.
    pub(super) fn keeping(log: &Log, fallback: Option<&Path>, most: usize) -> IntervalIndex {
        IntervalIndex {
            cache: Cache::open(log, fallback, PARTS).map_err(|error| error.to_string()),
            lists: Lists::new(most),
        }
    }

    /// Throws away what the index holds of streams of which something was erased since, and takes it out of the file.
    ///
    /// # Errors
    /// [`ReadError`] of the log.
    pub fn forget_erased(&self, log: &Log, cancel: &AtomicBool) -> Result<(), ReadError> {
        self.lists.clear();
        let Ok(cache) = &self.cache else {
            return Ok(());
        };
        match self
            .clear_if_erased(cache, log)
            .and_then(|_| cache.purge(cancel))
        {
            Ok(_) | Err(CacheError::Engine(_) | CacheError::Io(_)) => Ok(()),
            Err(CacheError::Read(error)) => Err(error),
        }
    }

    /// Empties the index if something was erased of events that it has seen. It is made anew by the next questions.
    fn clear_if_erased(&self, cache: &Cache, log: &Log) -> Result<(), CacheError> {
        let reach = cache.read(|conn| cache.reach(conn, &PART))?;
        let erased = log.erased_since(reach)?;
        if reach == Position::ZERO || erased.first().is_none_or(|first| *first > reach) {
            return Ok(());
        }
        cache.write(|transaction| cache.clear(transaction, &PART))
    }

    /// Brings the index to `head` and puts the fields in that it lacks. Gives how far it reaches, which is past `head`
    /// where another process went on; `None` where it cannot be used.
    ///
    /// # Errors
    /// [`TemporalError`] of the log; cancelled.
    pub(super) fn bring(
        &self,
        need: &Need<'_>,
        head: Position,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Position>, TemporalError> {
        let Ok(cache) = &self.cache else {
            return Ok(None);
        };
        let brought = self.try_bring(cache, need, head, go_on);
        match brought {
            Ok(reach) => Ok(Some(reach)),
            Err(CacheError::Read(error)) => Err(error.into()),
            Err(CacheError::Engine(_) | CacheError::Io(_)) => Ok(None),
        }
    }

    fn try_bring(
        &self,
        cache: &Cache,
        need: &Need<'_>,
        head: Position,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Position, CacheError> {
        self.clear_if_erased(cache, need.log)?;
        let ready = cache.read(|conn| {
            let reach = cache.reach(conn, &PART)?;
            Ok((reach >= head && missing(conn, need)?.is_empty()).then_some(reach))
        })?;
        if let Some(reach) = ready {
            return Ok(reach);
        }
        cache.write(|transaction| {
            let reach = cache.reach(transaction, &PART)?;
            let to = reach.max(head);
            let mut work = Building {
                need,
                transaction,
                known: to,
                events: 0,
                totals: BTreeMap::new(),
                steps: Tallies::default(),
                kinds: HashMap::new(),
                go_on,
            };
            if reach < to {
                work.follow(reach)?;
                cache.set_reach(transaction, &PART, to)?;
            }
            let lacking = missing(transaction, need)?;
            if !lacking.is_empty() {
                work.put_in(&lacking)?;
            }
            work.write_tallies()?;
            Ok(to)
        })
    }

    /// What the index says of a category as a whole.
    pub(super) fn totals(&self, category: &Category) -> Result<Totals, CacheError> {
        let cache = self.cache()?;
        cache.read(|conn| {
            let row = conn
                .prepare_cached(
                    "SELECT streams, events, failed, untold, latest_us, latest_ns FROM interval_totals
                     WHERE category = ?1",
                )?
                .query_row([category.as_str()], |row| {
                    Ok(Totals {
                        streams: row.get(0)?,
                        events: row.get(1)?,
                        failed: row.get(2)?,
                        untold: row.get(3)?,
                        latest: time_of(row.get(4)?, row.get(5)?),
                    })
                })
                .optional()?;
            Ok(row.unwrap_or_default())
        })
    }

    /// How many streams had this value at each of the instants; `None` where the field also has values of other kinds,
    /// or none at all, which an answer has to say.
    pub(super) fn counts_at(
        &self,
        need: &Need<'_>,
        value: &Value,
        instants: &[Time],
    ) -> Result<Option<Vec<u64>>, CacheError> {
        let [path] = need.fields else { return Ok(None) };
        let kind = super::holds::kind(value);
        let key = same_text(Some(value));
        self.cache()?.read(|conn| {
            let Some(field) = field_id(conn, need, path)? else {
                return Ok(None);
            };
            let mut kinds =
                conn.prepare_cached("SELECT kind FROM interval_kinds WHERE field = ?1")?;
            let kinds: Vec<String> = kinds
                .query_map([field], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            if kinds != [kind] {
                return Ok(None);
            }
            let mut counts = Vec::with_capacity(instants.len());
            for at in instants {
                counts.push(steps::count_at(conn, field, &key, *at)?);
            }
            Ok(Some(counts))
        })
    }

    /// The first `limit` streams by name that had this value at the instant, of `expected` that there are, each with the
    /// interval in which it had it.
    pub(super) fn streams_at(
        &self,
        need: &Need<'_>,
        value: &Value,
        at: Time,
        (limit, expected): (usize, usize),
    ) -> Result<Vec<AnswerRow>, CacheError> {
        let [path] = need.fields else {
            return Ok(Vec::new());
        };
        let cache = self.cache()?;
        cache.read(|conn| {
            let Some(field) = field_id(conn, need, path)? else {
                return Ok(Vec::new());
            };
            let of = Of {
                category: need.category.to_string(),
                path: path.to_string(),
                model: model_of(need.models, need.category.as_str()),
                key: same_text(Some(value)),
                reach: cache.reach(conn, &PART)?,
            };
            Ok(self.lists.at(conn, (&of, field), at, (limit, expected))?)
        })
    }

    /// Every stream of the category that had begun by the instant, by name, with its values of the fields then.
    pub(super) fn values_at(
        &self,
        need: &Need<'_>,
        at: Time,
    ) -> Result<Vec<StreamValues>, CacheError> {
        self.cache()?.read(|conn| {
            let mut all: HashMap<i64, Vec<Option<Value>>> = HashMap::new();
            for (n, path) in indexed(need.fields).iter().enumerate() {
                let Some(field) = field_id(conn, need, path)? else {
                    continue;
                };
                let mut statement = conn.prepare_cached(
                    "SELECT stream, value FROM intervals WHERE field = ?1
                     AND (from_us, from_ns) <= (?2, ?3) AND (to_us, to_ns) > (?2, ?3)",
                )?;
                let mut rows = statement.query((field, at.us(), at.sub_ns()))?;
                while let Some(row) = rows.next()? {
                    let values = all.entry(row.get(0)?).or_default();
                    values.resize_with(values.len().max(need.fields.len()), || None);
                    if let Some(place) = values.get_mut(n) {
                        *place = value_of(row.get(1)?);
                    }
                }
            }
            let mut statement = conn.prepare_cached(
                "SELECT id, stream FROM interval_streams WHERE category = ?1 ORDER BY stream",
            )?;
            let mut rows = statement.query([need.category.as_str()])?;
            let mut found = Vec::with_capacity(all.len());
            while let Some(row) = rows.next()? {
                if let Some(values) = all.remove(&row.get(0)?) {
                    found.push((row.get(1)?, values));
                }
            }
            Ok(found)
        })
    }

    /// Every stream of the category, by name, with its values along time.
    pub(super) fn tracks(&self, need: &Need<'_>) -> Result<Vec<Track>, CacheError> {
        self.cache()?.read(|conn| {
            let mut all: BTreeMap<i64, Vec<Spans>> = BTreeMap::new();
            for (n, path) in indexed(need.fields).iter().enumerate() {
                let Some(field) = field_id(conn, need, path)? else {
                    continue;
                };
                let mut statement = conn.prepare_cached(
                    "SELECT stream, from_us, from_ns, value, position, version FROM intervals WHERE field = ?1
                     ORDER BY stream, from_us, from_ns",
                )?;
                let mut rows = statement.query([field])?;
                while let Some(row) = rows.next()? {
                    let spans = all.entry(row.get(0)?).or_default();
                    spans.resize_with(spans.len().max(n + 1), Spans::default);
                    spans[n].push(Span {
                        from: time_of(Some(row.get(1)?), Some(row.get(2)?)).unwrap_or(Time::MIN),
                        value: value_of(row.get(3)?),
                        position: Position(row.get(4)?),
                        version: Version(row.get(5)?),
                    });
                }
            }
            let mut statement = conn.prepare_cached(
                "SELECT id, stream, events, failed, told_us, told_ns, latest_us, latest_ns FROM interval_streams
                 WHERE category = ?1 ORDER BY stream",
            )?;
            let mut rows = statement.query([need.category.as_str()])?;
            let mut tracks = Vec::new();
            while let Some(row) = rows.next()? {
                let spans = all.remove(&row.get(0)?).unwrap_or_default();
                tracks.push(Track {
                    stream: row.get(1)?,
                    points: merged(&spans, need.fields.len()),
                    happened: Vec::new(),
                    events: row.get(2)?,
                    failed: row.get(3)?,
                    told_until: time_of(row.get(4)?, row.get(5)?),
                    latest: time_of(row.get(6)?, row.get(7)?),
                    had_later: Vec::new(),
                });
            }
            Ok(tracks)
        })
    }

    fn cache(&self) -> Result<&Cache, CacheError> {
        self.cache
            .as_ref()
            .map_err(|error| CacheError::Io(std::io::Error::other(error.clone())))
    }
}

/// The fields that stand in the index for a question: one that names none needs to know when streams began.
fn indexed(fields: &[FieldPath]) -> Vec<FieldPath> {
    match fields {
        [] => vec![FieldPath::default()],
        fields => fields.to_vec(),
    }
}

/// Fields of the question that are not in the index, or by another model.
fn missing(conn: &Connection, need: &Need<'_>) -> Result<Vec<FieldPath>, CacheError> {
    let mut lacking = Vec::new();
    for path in indexed(need.fields) {
        if field_id(conn, need, &path)?.is_none() {
            lacking.push(path);
        }
    }
    Ok(lacking)
}

fn field_id(conn: &Connection, need: &Need<'_>, path: &FieldPath) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT id FROM interval_fields WHERE category = ?1 AND path = ?2 AND model = ?3",
    )?
    .query_row(
        (
            need.category.as_str(),
            path.to_string(),
            model_of(need.models, need.category.as_str()),
        ),
        |row| row.get(0),
    )
    .optional()
}

/// Which model a field was folded by.
fn model_of(models: &ModelSet, category: &str) -> String {
    let model = models.for_category(category).reference();
    model
        .hash
        .map_or_else(|| "inferred".to_owned(), |hash| hash.to_string())
}

pub(super) fn time_of(us: Option<i64>, ns: Option<i64>) -> Option<Time> {
    Time::from_parts(us?, u16::try_from(ns?).ok()?)
}

fn value_of(text: Option<String>) -> Option<Value> {
    text.and_then(|text| crate::model::json::parse_state(&text))
}

/// What is to be added to the totals of a category.
#[derive(Debug, Default)]
struct Added {
    streams: i64,
    events: i64,
    failed: i64,
    untold: i64,
    latest: Option<Time>,
}

/// The index being brought further, inside its transaction.
struct Building<'b, 'n, 't, 'g> {
    need: &'b Need<'n>,
    transaction: &'b Transaction<'t>,
    known: Position,
    events: u64,
    /// What is to be added to the totals, by category.
    totals: BTreeMap<String, Added>,
    steps: Tallies,
    /// What is to be added to the kinds of values: by field and kind.
    kinds: HashMap<(i64, &'static str), i64>,
    go_on: &'g mut dyn FnMut(u64) -> bool,
}

impl Building<'_, '_, '_, '_> {
    /// Folds the streams again that have events after `reach`, in every category that is in the index.
    fn follow(&mut self, reach: Position) -> Result<(), CacheError> {
        let categories = self.categories()?;
        if categories.is_empty() {
            return Ok(());
        }
        let mut touched: BTreeSet<StreamId> = BTreeSet::new();
        let query = EventQuery {
            after: Some(reach),
            known: Some(self.known),
            ..EventQuery::default()
        };
        self.need.log.for_each_event(&query, &mut |event, links| {
            touched.extend(event.stream);
            touched.extend(links.iter().filter_map(|link| link.stream.parse().ok()));
            true
        })?;
        for stream in touched {
            let Some(row) = self.need.log.stream(&stream)? else {
                continue;
            };
            if let Some(fields) = categories.get(&row.category) {
                self.take_out(&row, fields)?;
                self.add(&row, fields)?;
            }
        }
        Ok(())
    }

    /// Fields of each category that are in the index by the model that is in force. The others are thrown away.
    fn categories(&self) -> Result<BTreeMap<String, Vec<(i64, FieldPath)>>, CacheError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT id, category, path, model FROM interval_fields")?;
        let mut rows = statement.query([])?;
        let mut categories: BTreeMap<String, Vec<(i64, FieldPath)>> = BTreeMap::new();
        let mut stale = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, category, path, model): (i64, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            match path.parse() {
                Ok(path) if model == model_of(self.need.models, &category) => {
                    categories.entry(category).or_default().push((id, path));
                }
                _ => stale.push(id),
            }
        }
        drop(rows);
        for id in stale {
            self.remove_field(id)?;
        }
        Ok(categories)
    }

    fn remove_field(&self, field: i64) -> Result<(), CacheError> {
        for table in ["intervals", "interval_steps", "interval_kinds"] {
            self.transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE field = ?1"))?
                .execute([field])?;
        }
        self.transaction
            .prepare_cached("DELETE FROM interval_fields WHERE id = ?1")?
            .execute([field])?;
        Ok(())
    }

    /// Puts fields in, of every stream of the category.
    fn put_in(&mut self, lacking: &[FieldPath]) -> Result<(), CacheError> {
        let (category, model) = (
            self.need.category,
            model_of(self.need.models, self.need.category.as_str()),
        );
        let mut fields = Vec::new();
        for path in lacking {
            let text = path.to_string();
            let stale: Option<i64> = self
                .transaction
                .prepare_cached("SELECT id FROM interval_fields WHERE category = ?1 AND path = ?2")?
                .query_row((category.as_str(), &text), |row| row.get(0))
                .optional()?;
            if let Some(id) = stale {
                self.remove_field(id)?;
            }
            self.transaction
                .prepare_cached(
                    "INSERT INTO interval_fields(category, path, model) VALUES (?1, ?2, ?3)",
                )?
                .execute((category.as_str(), &text, &model))?;
            fields.push((self.transaction.last_insert_rowid(), path.clone()));
        }
        // Rows come by stream, so that each would go anywhere in the orders by time: they are sorted in at once.
        let sorts_once = self.holds_little_else()?;
        if sorts_once {
            self.transaction
                .execute_batch("DROP INDEX intervals_from; DROP INDEX intervals_to")?;
        }
        let mut query = StreamQuery {
            category: Some(category.clone()),
            ..StreamQuery::default()
        };
        loop {
            let page = self.need.log.streams(&query, PAGE)?;
            for row in &page.streams {
                self.add(row, &fields)?;
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        if sorts_once {
            self.transaction.execute_batch(indexes!())?;
        }
        Ok(())
    }

    /// Whether most intervals are of this category, so that sorting all of them again is little beside the new ones.
    fn holds_little_else(&self) -> rusqlite::Result<bool> {
        let mut held = self.transaction.prepare_cached(
            "SELECT coalesce(sum(iif(category = ?1, spans, -spans)), 0) >= 0
             FROM interval_kinds JOIN interval_fields ON id = field",
        )?;
        held.query_row([self.need.category.as_str()], |row| row.get(0))
    }

    /// Adds a stream's values of these fields.
    fn add(&mut self, row: &StreamRow, fields: &[(i64, FieldPath)]) -> Result<(), CacheError> {
        let Building { need, go_on, .. } = self;
        let paths: Vec<FieldPath> = fields.iter().map(|(_, path)| path.clone()).collect();
        let before = self.events;
        let found = spans(
            need.log,
            need.models,
            row,
            self.known,
            &paths,
            false,
            &mut |more| go_on(before + more),
        )
        .map_err(|error| match error {
            TemporalError::Read(error) => error,
            other => ReadError::NoEvent(other.to_string()),
        })?;
        if found.latest.is_none() {
            return Ok(());
        }
        self.events += found.events;
        if before / 1_000 != self.events / 1_000 && !(self.go_on)(self.events) {
            return Err(ReadError::Cancelled.into());
        }
        let parts = |time: Option<Time>| (time.map(Time::us), time.map(Time::sub_ns));
        let ((told_us, told_ns), (latest_us, latest_ns)) =
            (parts(found.told_until), parts(found.latest));
        self.count_in(row, &found)?;
        let stream: i64 = self
            .transaction
            .prepare_cached(
                "INSERT INTO interval_streams(category, stream, events, failed, told_us, told_ns, latest_us, latest_ns)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT(category, stream) DO UPDATE SET events = ?3, failed = ?4, told_us = ?5, told_ns = ?6,
                     latest_us = ?7, latest_ns = ?8
                 RETURNING id",
            )?
            .query_row(
                params![
                    row.category,
                    row.stream,
                    found.events,
                    found.failed,
                    told_us,
                    told_ns,
                    latest_us,
                    latest_ns
                ],
                |row| row.get(0),
            )?;
        for ((field, _), spans) in fields.iter().zip(&found.spans) {
            self.write(*field, stream, spans)?;
        }
        Ok(())
    }

    fn write(&mut self, field: i64, stream: i64, spans: &Spans) -> Result<(), CacheError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO intervals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for (span, to) in pairs(spans) {
            let key = key_of(span.value.as_ref());
            let (to_us, to_ns) = to.map_or((OPEN, 0), |to| (to.us(), i64::from(to.sub_ns())));
            insert.execute(params![
                field,
                stream,
                span.from.us(),
                span.from.sub_ns(),
                to_us,
                to_ns,
                key,
                span.value.as_ref().map(Value::to_string),
                span.position.0,
                span.version.0,
            ])?;
        }
        drop(insert);
        for (span, to) in pairs(spans) {
            self.tally(field, (span.from, to), span.value.as_ref(), 1)?;
        }
        Ok(())
    }

    /// Counts a value's interval in the steps of time and the kinds, or takes it out again.
    fn tally(
        &mut self,
        field: i64,
        interval: (Time, Option<Time>),
        value: Option<&Value>,
        by: i64,
    ) -> rusqlite::Result<()> {
        let (Some(value), Some(key)) = (value, key_of(value)) else {
            return Ok(());
        };
        *self
            .kinds
            .entry((field, super::holds::kind(value)))
            .or_default() += by;
        self.steps.add(self.transaction, (field, key), interval, by)
    }

    /// Counts a stream in the totals of its category, in place of what it was before.
    fn count_in(&mut self, row: &StreamRow, found: &Folded) -> Result<(), CacheError> {
        let before: Option<(i64, i64, bool)> = self
            .transaction
            .prepare_cached(
                "SELECT events, failed, told_us IS NOT NULL FROM interval_streams
                 WHERE category = ?1 AND stream = ?2",
            )?
            .query_row((&row.category, &row.stream), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let is_new = before.is_none();
        let (events, failed, untold) = before.unwrap_or_default();
        let added = self.totals.entry(row.category.clone()).or_default();
        added.streams += i64::from(is_new);
        added.events += i64::try_from(found.events).unwrap_or(i64::MAX) - events;
        added.failed += i64::try_from(found.failed).unwrap_or(i64::MAX) - failed;
        added.untold += i64::from(found.told_until.is_some()) - i64::from(untold);
        // A stream that goes on never has a latest time before the one that it had.
        added.latest = added.latest.max(found.latest);
        Ok(())
    }

    /// Writes what was counted.
    fn write_tallies(&self) -> Result<(), CacheError> {
        let mut totals = self.transaction.prepare_cached(
            "INSERT INTO interval_totals(category, streams, events, failed, untold, latest_us, latest_ns)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT(category) DO UPDATE SET streams = streams + ?2, events = events + ?3,
                 failed = failed + ?4, untold = untold + ?5,
                 latest_us = CASE WHEN (latest_us, latest_ns) >= (?6, ?7) THEN latest_us ELSE ?6 END,
                 latest_ns = CASE WHEN (latest_us, latest_ns) >= (?6, ?7) THEN latest_ns ELSE ?7 END",
        )?;
        for (category, added) in &self.totals {
            let latest = (added.latest.map(Time::us), added.latest.map(Time::sub_ns));
            totals.execute(params![
                category,
                added.streams,
                added.events,
                added.failed,
                added.untold,
                latest.0,
                latest.1
            ])?;
        }
        self.steps.write(self.transaction)?;
        let mut kinds = self.transaction.prepare_cached(
            "INSERT INTO interval_kinds VALUES (?1, ?2, ?3)
             ON CONFLICT(field, kind) DO UPDATE SET spans = spans + ?3",
        )?;
        for ((field, kind), by) in &self.kinds {
            kinds.execute((field, kind, by))?;
        }
        self.transaction
            .execute("DELETE FROM interval_kinds WHERE spans = 0", [])?;
        Ok(())
    }

    /// Takes a stream's values of these fields out.
    fn take_out(&mut self, row: &StreamRow, fields: &[(i64, FieldPath)]) -> Result<(), CacheError> {
        let stream: Option<i64> = self
            .transaction
            .prepare_cached("SELECT id FROM interval_streams WHERE category = ?1 AND stream = ?2")?
            .query_row((&row.category, &row.stream), |row| row.get(0))
            .optional()?;
        let Some(stream) = stream else { return Ok(()) };
        for (field, _) in fields {
            let mut statement = self.transaction.prepare_cached(
                "SELECT from_us, from_ns, to_us, to_ns, value FROM intervals WHERE field = ?1 AND stream = ?2",
            )?;
            let mut rows = statement.query((field, stream))?;
            let mut gone = Vec::new();
            while let Some(row) = rows.next()? {
                let from = time_of(Some(row.get(0)?), Some(row.get(1)?)).unwrap_or(Time::MIN);
                let to = time_of(Some(row.get(2)?), Some(row.get(3)?));
                gone.push((from, to, value_of(row.get(4)?)));
            }
            drop(rows);
            drop(statement);
            for (from, to, value) in gone {
                self.tally(*field, (from, to), value.as_ref(), -1)?;
            }
            self.transaction
                .prepare_cached("DELETE FROM intervals WHERE field = ?1 AND stream = ?2")?
                .execute((field, stream))?;
        }
        Ok(())
    }
}

/// Spans, and when each ended.
fn pairs(spans: &Spans) -> impl Iterator<Item = (&Span, Option<Time>)> {
    let ends = spans.iter().skip(1).map(|span| Some(span.from));
    spans.iter().zip(ends.chain([None]))
}

/// What a value is looked up by; `None` where there is none, or `null`.
fn key_of(value: Option<&Value>) -> Option<String> {
    value
        .filter(|value| !value.is_null())
        .map(|value| same_text(Some(value)))
}
