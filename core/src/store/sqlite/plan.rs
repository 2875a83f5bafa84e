//! Which table answers a query. The engine's planner is not asked: each statement names its way, so that the
//! same question takes the same path in every file.
//!
//! The tables that find events by type, actor, correlation and time hold those up to `head.indexed`. The few after
//! it, the tail, are looked at one by one: they all come later, so the one answer follows on the other.
//!
//! The order is by position, always. A condition whose table runs in position order (stream, type, actor,
//! correlation) is walked; one whose table does not (time, streams of a category) is gathered, sorted, and its
//! events are fetched one by one until the page is full.
//!
//! Longer than a file should be, because the ways and the statements for them are one decision: which condition a
//! statement leaves to its table is what makes two of them meet nothing twice.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::log::{sql_limit, sql_position, stream_id};
use super::names::counted_sql;
use super::packed::Packing;
use super::reader::Reader;
use super::{links, row};
use crate::event::Event;
use crate::position::Position;
use crate::store::{Direction, EventQuery, ReadError};
use crate::time::Time;

/// A category is gathered stream by stream if it holds at most one event in so many of the log; else the log
/// is walked.
const RARE: u64 = 8;

/// Up to so many events of a time range are counted to see whether its index is the better one.
const NARROW: u64 = 20_000;

/// Conditions of a query with names resolved to ids, and the ways to the events that meet them.
pub(super) struct Plan {
    /// In position order, no two with an event in common: what the tables find, then the tail.
    ways: Vec<Way>,
    /// Every condition.
    conditions: Vec<Condition>,
    /// Positions, inclusive.
    low: i64,
    high: i64,
    /// Where the tail begins.
    indexed: i64,
    along_time: bool,
    direction: Direction,
    /// How many events match, where that is known without counting.
    counted: Option<u64>,
}

/// One way to events.
struct Way {
    source: Source,
    /// Positions, inclusive.
    low: i64,
    high: i64,
    /// The table of links that a stream or a category is looked up in.
    links: &'static str,
    /// Those that the source answers left out.
    conditions: Vec<Condition>,
}

/// What is asked of the events on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Events,
    /// Position, microseconds, nanoseconds on top.
    Times,
    Count,
}

/// A condition on `events e`.
#[derive(Clone)]
struct Condition {
    about: About,
    /// `{t}` stands for the table that holds the time.
    sql: String,
    values: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The time: every table but the one of correlations answers it.
    Time,
    /// The category, by its id: `by_time` holds the stream, and with it the category.
    Category(i64),
    /// Anything else: the row or another table answers it.
    Other,
}

/// Where the candidates come from.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    /// Every position.
    Log,
    /// A stream's versions, inclusive.
    Stream { stream: i64, from: i64, to: i64 },
    /// One type's positions.
    Type(i64),
    /// One actor's positions.
    Actor(i64),
    /// One correlation's positions.
    Correlation(Value),
    /// Time range; its bounds are the first condition. In order of time.
    Time,
    /// All streams of a category. In no order.
    Category(i64),
}

/// How the events of the tail are found that a source does not find.
enum TailWay {
    /// It finds them itself.
    Same,
    /// In the links of the tail.
    Links,
    /// By looking at their rows.
    Rows,
}

impl Source {
    /// How it finds events of the tail.
    fn tail(&self) -> TailWay {
        match self {
            Source::Log => TailWay::Same,
            Source::Stream { .. } | Source::Category(_) => TailWay::Links,
            Source::Type(_) | Source::Actor(_) | Source::Correlation(_) | Source::Time => {
                TailWay::Rows
            }
        }
    }
}

impl Plan {
    /// Chooses the way; `None` if a name is not in the log, so that nothing matches.
    pub(super) fn make(conn: &Connection, query: &EventQuery) -> Result<Option<Plan>, ReadError> {
        Plan::choose(conn, query, false)
    }

    /// A plan whose conditions all stand on the row, whatever index could answer them; the stream is left aside.
    pub(super) fn make_for_rows(
        conn: &Connection,
        query: &EventQuery,
    ) -> Result<Option<Plan>, ReadError> {
        let query = EventQuery {
            stream: None,
            ..query.clone()
        };
        Plan::choose(conn, &query, true)
    }

    fn choose(
        conn: &Connection,
        query: &EventQuery,
        for_rows: bool,
    ) -> Result<Option<Plan>, ReadError> {
        let EventQuery {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from,
            to,
            known,
            direction,
            after,
        } = query;
        let size = super::log::head(conn)?.size;
        let mut low = 1;
        let mut high = sql_position(known.map_or(size, |k| k.min(size)));
        match (direction, after) {
            (_, None) => {}
            (Direction::Forwards, Some(p)) => low = sql_position(*p).saturating_add(1),
            (Direction::Backwards, Some(p)) => high = high.min(sql_position(*p) - 1),
        }
        if low > high {
            return Ok(None);
        }
        let named = |table: &str, name: &str| -> rusqlite::Result<Option<(i64, u64)>> {
            let tail = match table {
                "types" => counted_sql("e.type", ""),
                "actors" => counted_sql("e.actor", ""),
                _ => counted_sql("s.category", "JOIN streams s ON s.id = e.stream"),
            };
            conn.prepare_cached(&format!(
                "SELECT t.id, t.events + coalesce((SELECT n FROM ({tail}) x WHERE x.id = t.id), 0)
                 FROM {table} t WHERE t.name = ?1"
            ))?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
        };
        let mut conditions: Vec<Condition> = Vec::new();
        // The narrowest source so far, how many candidates it has, and its condition in `conditions`.
        let mut best = (Source::Log, size.0, None);
        let time = time_condition(*from, *to);
        if let Some(correlation) = correlation {
            let correlation = Packing::of(conn)?.text(correlation).into_value();
            if !for_rows {
                best = (Source::Correlation(correlation.clone()), 0, Some(0));
            }
            conditions.push(Condition {
                about: About::Other,
                sql: "e.correlation = ?".into(),
                values: vec![correlation],
            });
        }
        for (table, column, name, source) in [
            (
                "types",
                "e.type = ?",
                event_type.as_ref().map(|n| n.as_str()),
                Source::Type as fn(i64) -> Source,
            ),
            (
                "actors",
                "e.actor = ?",
                actor.as_ref().map(|n| n.as_str()),
                Source::Actor,
            ),
            (
                "categories",
                "(SELECT category FROM streams WHERE id = e.stream) = ?",
                category.as_ref().map(|n| n.as_str()),
                Source::Category,
            ),
        ] {
            let Some(name) = name else { continue };
            let Some((id, events)) = named(table, name)? else {
                return Ok(None);
            };
            let source = source(id);
            if matches!(source, Source::Category(_)) && holds_all(conn, events, size)? {
                continue;
            }
            conditions.push(Condition {
                about: match source {
                    Source::Category(id) => About::Category(id),
                    _ => About::Other,
                },
                sql: column.into(),
                values: vec![Value::Integer(id)],
            });
            let worth = match source {
                Source::Category(_) => events.saturating_mul(RARE) <= best.1,
                _ => events < best.1 || best.0 == Source::Log,
            };
            if worth && !for_rows {
                // The condition of a category stays: a linked event may have its home in another.
                let answered =
                    (!matches!(source, Source::Category(_))).then(|| conditions.len() - 1);
                best = (source, events, answered);
            }
        }
        let whole = low == 1 && high == sql_position(size);
        let mut counted = match &best.0 {
            Source::Log => u64::try_from(high - low + 1).ok(),
            Source::Type(_) | Source::Actor(_) if whole => Some(best.1),
            _ => None,
        };
        if let Some(stream) = stream {
            let Some(id) = stream_id(conn, stream)? else {
                return Ok(None);
            };
            let from = version_at(conn, id, low - 1)? + 1;
            let to = version_at(conn, id, high)?;
            best = (
                Source::Stream {
                    stream: id,
                    from,
                    to,
                },
                0,
                None,
            );
            counted = u64::try_from(to - from + 1).ok();
        } else if let Some(time) = &time
            && !for_rows
            && !matches!(best.0, Source::Correlation(_))
            && !covers_all(conn, *from, *to)?
            && (best.0 == Source::Log || narrow(conn, &time.values)? < best.1 / 4)
        {
            best = (Source::Time, 0, None);
            counted = None;
        }
        let (source, _, answered) = best;
        let mut left = conditions.clone();
        if let Some(answered) = answered {
            left.remove(answered);
        }
        if let Some(time) = time {
            let first = if source == Source::Time {
                0
            } else {
                left.len()
            };
            left.insert(first, time.clone());
            conditions.push(time);
        }
        let indexed = sql_position(super::tail::indexed(conn)?);
        Ok(Some(Plan {
            along_time: matches!(source, Source::Log | Source::Time)
                && conditions.iter().all(|c| c.about != About::Other),
            counted: counted.filter(|_| left.is_empty()),
            ways: ways(source, left, &conditions, (low, high), indexed),
            conditions,
            low,
            high,
            indexed,
            direction: *direction,
        }))
    }

    /// Reads the first `limit` events in the plan's direction, until `each` returns `false`.
    pub(super) fn read(
        &self,
        reader: &Reader,
        limit: usize,
        each: &mut dyn FnMut(Event) -> bool,
    ) -> Result<(), ReadError> {
        let mut left = limit;
        let mut read = |way: &Way| -> Result<(), ReadError> {
            if left == 0 {
                return Ok(());
            }
            way.read(reader, self.direction, left, &mut |event| {
                left -= 1;
                let goes_on = each(event);
                if !goes_on {
                    left = 0;
                }
                goes_on
            })
        };
        match self.direction {
            Direction::Forwards => self.ways.iter().try_for_each(&mut read),
            Direction::Backwards => self.ways.iter().rev().try_for_each(&mut read),
        }
    }

    /// Position of the match that `row` others precede in the plan's direction; `None` if there are not so many.
    ///
    /// A way in position order is counted along its narrow table; one in no order is gathered, and the row picked.
    pub(super) fn nth(&self, conn: &Connection, row: u64) -> Result<Option<Position>, ReadError> {
        let in_order = |way: &Way| match &way.source {
            Source::Log => way.conditions.is_empty(),
            Source::Time | Source::Category(_) => false,
            Source::Stream { .. } | Source::Type(_) | Source::Actor(_) | Source::Correlation(_) => {
                true
            }
        };
        if self.along_time && !self.ways.iter().all(in_order) {
            let positions = self.positions(conn)?;
            let row = usize::try_from(row).unwrap_or(usize::MAX);
            return Ok(match self.direction {
                Direction::Forwards => positions.get(row).copied(),
                Direction::Backwards => positions.iter().rev().nth(row).copied(),
            });
        }
        let mut left = row;
        let forwards = self.direction == Direction::Forwards;
        let ways: Vec<&Way> = match forwards {
            true => self.ways.iter().collect(),
            false => self.ways.iter().rev().collect(),
        };
        for way in ways {
            if let Some(position) = way.nth(conn, self.direction, left)? {
                return Ok(Some(position));
            }
            left -= way.count(conn)?;
        }
        Ok(None)
    }

    /// Positions of every match, in rising order.
    pub(super) fn positions(&self, conn: &Connection) -> Result<Vec<Position>, ReadError> {
        let mut positions = Vec::new();
        self.each_time(conn, &mut |row| {
            positions.push(Position(row.get(0)?));
            Ok(())
        })?;
        positions.sort_unstable();
        positions.dedup();
        Ok(positions)
    }

    /// A statement that has a row if the event whose position is its last value matches.
    pub(super) fn row_condition(&self) -> (String, Vec<Value>) {
        let (conditions, mut values) = and_all(&self.conditions, "e");
        values.extend([Value::Integer(self.low), Value::Integer(self.high)]);
        let sql = format!(
            "SELECT 1 FROM {LOG} WHERE {conditions} +e.position BETWEEN ? AND ? AND e.position = ?"
        );
        (sql, values)
    }

    pub(super) fn count(&self, conn: &Connection) -> Result<u64, ReadError> {
        if let Some(counted) = self.counted {
            return Ok(counted);
        }
        if self.along_time && self.category().is_some() {
            let mut count = 0;
            self.each_time(conn, &mut |_| {
                count += 1;
                Ok(())
            })?;
            return Ok(count);
        }
        let counts = self.ways.iter().map(|way| way.count(conn));
        Ok(counts.sum::<rusqlite::Result<u64>>()?)
    }

    /// Whether every event of the log matches, time left aside.
    pub(super) fn is_whole_log(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let size = super::log::head(conn)?.size;
        let whole = self.low == 1 && self.high == sql_position(size);
        Ok(whole && self.along_time && self.category().is_none())
    }

    /// Whether `by_time` holds all that is asked.
    pub(super) fn is_along_time(&self) -> bool {
        self.along_time
    }

    fn category(&self) -> Option<i64> {
        self.conditions.iter().find_map(|c| match c.about {
            About::Category(id) => Some(id),
            About::Time | About::Other => None,
        })
    }

    /// Calls `each` with (position, microseconds, nanoseconds on top) of every match, in no order.
    pub(super) fn each_time(
        &self,
        conn: &Connection,
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), ReadError> {
        if self.along_time {
            return self.each_along_time(conn, each);
        }
        for way in &self.ways {
            let (sql, values) = way.walk(Wanted::Times);
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
        }
        Ok(())
    }

    /// The positions, inclusive, where it walks the rows forwards.
    pub(super) fn rows_forwards(&self) -> Option<(i64, i64)> {
        let [way] = &self.ways[..] else { return None };
        let rows = way.source == Source::Log && self.direction == Direction::Forwards;
        rows.then_some((way.low, way.high))
    }

    /// Leaves out what lies outside these positions, inclusive; only where it walks the rows.
    pub(super) fn narrow(&mut self, low: i64, high: i64) {
        for way in &mut self.ways {
            (way.low, way.high) = (low, high);
        }
    }

    /// The same from `by_time` alone, and the tail. Which streams are in the category is looked up beforehand.
    fn each_along_time(
        &self,
        conn: &Connection,
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), ReadError> {
        let streams = self.category().map(|id| streams_in(conn, id)).transpose()?;
        let time = self.conditions.iter().filter(|c| c.about == About::Time);
        let (conditions, time) = and_all(time, "e");
        for (table, low, high) in self.parts() {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT e.position, e.time_us, e.time_sub_ns, e.stream FROM {table}
                 WHERE {conditions} e.position BETWEEN ? AND ?"
            ))?;
            let range = [Value::Integer(low), Value::Integer(high)];
            let mut rows = statement.query(params_from_iter(time.iter().chain(&range)))?;
            while let Some(row) = rows.next()? {
                if let Some(streams) = &streams {
                    let stream: Option<usize> = row.get(3)?;
                    let inside = stream.and_then(|id| streams.get(id));
                    if inside != Some(&true) {
                        continue;
                    }
                }
                each(row)?;
            }
        }
        Ok(())
    }

    /// The match nearest to a time on one side of it; only where [`Plan::is_along_time`].
    pub(super) fn nearest(
        &self,
        conn: &Connection,
        time: Time,
        side: Direction,
    ) -> Result<Option<Time>, ReadError> {
        let (sign, order) = match side {
            Direction::Forwards => (">", "ASC"),
            Direction::Backwards => ("<", "DESC"),
        };
        let (conditions, values) = and_all(&self.conditions, "e");
        let mut nearest: Option<Time> = None;
        for (table, low, high) in self.parts() {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT e.position, e.time_us, e.time_sub_ns FROM {table}
                 WHERE {conditions} e.position BETWEEN ? AND ? AND (e.time_us, e.time_sub_ns) {sign} (?, ?)
                 ORDER BY e.time_us {order}, e.time_sub_ns {order} LIMIT 1"
            ))?;
            let more = [low, high, time.us(), i64::from(time.sub_ns())].map(Value::Integer);
            let mut rows = statement.query(params_from_iter(values.iter().chain(&more)))?;
            if let Some(row) = rows.next()? {
                let found = row::time(row, 1, Position(row.get(0)?))?;
                nearest = Some(nearest.map_or(found, |nearest| match side {
                    Direction::Forwards => nearest.min(found),
                    Direction::Backwards => nearest.max(found),
                }));
            }
        }
        Ok(nearest)
    }

    /// The two tables that hold times, and the positions to look for in each.
    fn parts(&self) -> [(&'static str, i64, i64); 2] {
        [
            ("by_time e", self.low, self.high.min(self.indexed)),
            (LOG, self.low.max(self.indexed + 1), self.high),
        ]
    }
}

/// The rows themselves, in position order.
const LOG: &str = "events e NOT INDEXED";

/// Splits a range of positions where the source ends and the tail begins. `left` are the conditions that the source
/// does not answer, `all` those that the tail is held against.
fn ways(
    source: Source,
    left: Vec<Condition>,
    all: &[Condition],
    (low, high): (i64, i64),
    indexed: i64,
) -> Vec<Way> {
    let [links, links_tail] = links::TABLES;
    let tail = match source.tail() {
        TailWay::Same => None,
        TailWay::Links => Some(Way {
            source: source.clone(),
            low,
            high,
            links: links_tail,
            conditions: left.clone(),
        }),
        TailWay::Rows => Some(Way {
            source: Source::Log,
            low: low.max(indexed + 1),
            high,
            links,
            conditions: all.to_vec(),
        }),
    };
    let end = match source.tail() {
        TailWay::Same | TailWay::Links => high,
        TailWay::Rows => high.min(indexed),
    };
    let found = Way {
        source,
        low,
        high: end,
        links,
        conditions: left,
    };
    let ways = [found].into_iter().chain(tail);
    ways.filter(|way| way.low <= way.high).collect()
}

impl Way {
    /// Reads the first `limit` events in a direction, until `each` returns `false`.
    fn read(
        &self,
        reader: &Reader,
        direction: Direction,
        limit: usize,
        each: &mut dyn FnMut(Event) -> bool,
    ) -> Result<(), ReadError> {
        if matches!(self.source, Source::Time | Source::Category(_)) {
            return self.fetch(reader, direction, limit, each);
        }
        let (sql, mut values) = self.walk(Wanted::Events);
        let order = self.order(direction);
        values.push(Value::Integer(sql_limit(limit)));
        let mut statement = reader.prepare_cached(&format!("{sql} {order} LIMIT ?"))?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !each(row::event(row, reader)?) {
                break;
            }
        }
        Ok(())
    }

    /// The clause that puts the rows of [`Way::walk`] in order of position.
    fn order(&self, direction: Direction) -> String {
        let column = match self.source {
            Source::Stream { .. } => "l.version",
            Source::Type(_) | Source::Actor(_) | Source::Correlation(_) => "i.position",
            Source::Log | Source::Time | Source::Category(_) => "e.position",
        };
        let order = match direction {
            Direction::Forwards => "ASC",
            Direction::Backwards => "DESC",
        };
        format!("ORDER BY {column} {order}")
    }

    fn count(&self, conn: &Connection) -> rusqlite::Result<u64> {
        let (sql, values) = self.walk(Wanted::Count);
        let mut statement = conn.prepare_cached(&sql)?;
        statement.query_row(params_from_iter(values), |row| row.get(0))
    }

    /// Position of the match that `row` others on this way precede.
    fn nth(
        &self,
        conn: &Connection,
        direction: Direction,
        row: u64,
    ) -> Result<Option<Position>, ReadError> {
        let Ok(row) = i64::try_from(row) else {
            return Ok(None);
        };
        let position = |at: i64| u64::try_from(at).ok().map(Position);
        if matches!(self.source, Source::Time | Source::Category(_)) {
            let mut positions = self.gather_matching(conn)?;
            if direction == Direction::Backwards {
                positions.reverse();
            }
            let row = usize::try_from(row).unwrap_or(usize::MAX);
            return Ok(positions.get(row).copied().and_then(position));
        }
        if self.source == Source::Log && self.conditions.is_empty() {
            // Positions have no holes.
            let at = match direction {
                Direction::Forwards => self.low.saturating_add(row),
                Direction::Backwards => self.high.saturating_sub(row),
            };
            return Ok(position(at).filter(|_| (self.low..=self.high).contains(&at)));
        }
        let (sql, mut values) = match &self.source {
            // The table of links knows it alone: no row is looked at.
            Source::Stream { stream, from, to } if self.conditions.is_empty() => (
                format!(
                    "SELECT l.position FROM {} l WHERE l.stream = ? AND l.version BETWEEN ? AND ?
                     AND l.position BETWEEN ? AND ?",
                    self.links
                ),
                [*stream, *from, *to, self.low, self.high]
                    .map(Value::Integer)
                    .into(),
            ),
            _ => self.walk(Wanted::Times),
        };
        let order = self.order(direction);
        values.push(Value::Integer(row));
        let mut statement = conn.prepare_cached(&format!("{sql} {order} LIMIT 1 OFFSET ?"))?;
        let found: Option<i64> = statement
            .query_row(params_from_iter(values), |row| row.get(0))
            .optional()?;
        Ok(found.and_then(position))
    }

    /// Positions of an unordered source that meet every condition, in rising order.
    fn gather_matching(&self, conn: &Connection) -> rusqlite::Result<Vec<i64>> {
        let (sql, values) = self.walk(Wanted::Times);
        let mut statement = conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
        let mut positions = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
        positions.sort_unstable();
        positions.dedup();
        Ok(positions)
    }

    /// Reads from a source that is not in position order.
    fn fetch(
        &self,
        reader: &Reader,
        direction: Direction,
        limit: usize,
        each: &mut dyn FnMut(Event) -> bool,
    ) -> Result<(), ReadError> {
        let mut positions = self.gather(reader)?;
        match direction {
            Direction::Forwards => positions.sort_unstable(),
            Direction::Backwards => positions.sort_unstable_by(|a, b| b.cmp(a)),
        }
        positions.dedup();
        // What the source answers is first, and done with.
        let skip = usize::from(self.source == Source::Time);
        let (conditions, values) = and_all(self.conditions.iter().skip(skip), "e");
        let mut statement = reader.prepare_cached(&format!(
            "SELECT {} FROM {LOG} WHERE {conditions} e.position = ?",
            row::EVENT
        ))?;
        let mut left = limit;
        for position in positions {
            if left == 0 {
                break;
            }
            let here = values.iter().cloned().chain([Value::Integer(position)]);
            let mut rows = statement.query(params_from_iter(here))?;
            if let Some(row) = rows.next()? {
                if !each(row::event(row, reader)?) {
                    break;
                }
                left -= 1;
            }
        }
        Ok(())
    }

    /// Positions of an unordered source, its own conditions and the range of positions applied.
    fn gather(&self, conn: &Connection) -> rusqlite::Result<Vec<i64>> {
        let (sql, mut values) = match (&self.source, self.conditions.first()) {
            (Source::Category(category), _) => (
                format!(
                    "SELECT l.position FROM {}
                     WHERE s0.category = ? AND l.position BETWEEN ? AND ?",
                    self.of_category()
                ),
                vec![Value::Integer(*category)],
            ),
            (_, None) => return Ok(Vec::new()),
            (_, Some(time)) => {
                let (condition, values) = and_all([time], "e");
                let sql = format!(
                    "SELECT e.position FROM by_time e WHERE {condition} e.position BETWEEN ? AND ?"
                );
                (sql, values)
            }
        };
        values.extend([Value::Integer(self.low), Value::Integer(self.high)]);
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut positions = Vec::new();
        while let Some(row) = rows.next()? {
            positions.push(row.get(0)?);
        }
        Ok(positions)
    }

    /// Streams of a category `s0` and their links `l`. Where only the tail is looked at, its few links come first.
    fn of_category(&self) -> String {
        let table = self.links;
        if table == links::TABLES[0] {
            format!(
                "streams s0 INDEXED BY streams_by_category CROSS JOIN {table} l ON l.stream = s0.id"
            )
        } else {
            format!("{table} l CROSS JOIN streams s0 ON s0.id = l.stream")
        }
    }

    /// A statement over the candidates with all conditions, and its values.
    fn walk(&self, wanted: Wanted) -> (String, Vec<Value>) {
        // The tables that find events hold their times as well: no row is looked at for those alone.
        let alone =
            wanted != Wanted::Events && self.conditions.iter().all(|c| c.about == About::Time);
        let found_by = |table: &str, key: &str, value: Value| {
            let tables = match alone {
                true => format!("{table} i"),
                false => format!("{table} i CROSS JOIN events e ON e.position = i.position"),
            };
            (tables, format!("i.{key} = ? AND"), vec![value], "i", "i")
        };
        // Tables, first condition and its values, which table holds the position, and which the time.
        let (tables, first, mut values, place, times) = match &self.source {
            Source::Log => (LOG.to_owned(), String::new(), vec![], "e", "e"),
            Source::Stream { stream, from, to } => (
                format!(
                    "{} l CROSS JOIN events e ON e.position = l.position",
                    self.links
                ),
                "l.stream = ? AND l.version BETWEEN ? AND ? AND".to_owned(),
                [*stream, *from, *to].map(Value::Integer).into(),
                "e",
                "e",
            ),
            Source::Type(id) => found_by("by_type", "type", Value::Integer(*id)),
            Source::Actor(id) => found_by("by_actor", "actor", Value::Integer(*id)),
            Source::Correlation(value) => {
                let value = value.clone();
                if alone && wanted == Wanted::Count && self.conditions.is_empty() {
                    found_by("by_correlation", "correlation", value)
                } else {
                    (
                        "by_correlation i CROSS JOIN events e ON e.position = i.position"
                            .to_owned(),
                        "i.correlation = ? AND".to_owned(),
                        vec![value],
                        "i",
                        "e",
                    )
                }
            }
            Source::Time if alone => ("by_time i".to_owned(), String::new(), vec![], "i", "i"),
            Source::Time => (
                "by_time i CROSS JOIN events e ON e.position = i.position".to_owned(),
                String::new(),
                vec![],
                "i",
                "i",
            ),
            Source::Category(id) => (
                format!(
                    "{} CROSS JOIN events e ON e.position = l.position",
                    self.of_category()
                ),
                "s0.category = ? AND e.stream = s0.id AND".to_owned(),
                vec![Value::Integer(*id)],
                "e",
                "e",
            ),
        };
        let columns = match wanted {
            Wanted::Events => row::EVENT.to_owned(),
            Wanted::Times => format!("{place}.position, {times}.time_us, {times}.time_sub_ns"),
            Wanted::Count => "count(*)".to_owned(),
        };
        let (conditions, more) = and_all(&self.conditions, times);
        values.extend(more);
        values.extend([Value::Integer(self.low), Value::Integer(self.high)]);
        let sql = format!(
            "SELECT {columns} FROM {tables} WHERE {first} {conditions} {place}.position BETWEEN ? AND ?"
        );
        (sql, values)
    }
}

/// Joins conditions, each followed by AND. `times` is the table that holds the time.
fn and_all<'c>(
    conditions: impl IntoIterator<Item = &'c Condition>,
    times: &str,
) -> (String, Vec<Value>) {
    let mut sql = String::new();
    let mut values = Vec::new();
    for condition in conditions {
        sql.push_str(&condition.sql.replace("{t}", times));
        sql.push_str(" AND ");
        values.extend(condition.values.iter().cloned());
    }
    (sql, values)
}

/// Whether a category of so many events holds the whole log. An event whose identity was erased is in none.
fn holds_all(conn: &Connection, events: u64, size: Position) -> rusqlite::Result<bool> {
    if events != size.0 {
        return Ok(false);
    }
    conn.prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM erasures WHERE part = 'identity')")?
        .query_row([], |row| row.get(0))
}

/// For each id of a stream, whether it is in the category.
fn streams_in(conn: &Connection, category: i64) -> rusqlite::Result<Vec<bool>> {
    let last: usize = conn
        .prepare_cached("SELECT coalesce(max(id), 0) FROM streams")?
        .query_row([], |row| row.get(0))?;
    let mut inside = vec![false; last + 1];
    let mut ids = conn.prepare_cached(
        "SELECT id FROM streams INDEXED BY streams_by_category WHERE category = ?1",
    )?;
    let mut rows = ids.query([category])?;
    while let Some(row) = rows.next()? {
        if let Some(slot) = inside.get_mut(row.get::<_, usize>(0)?) {
            *slot = true;
        }
    }
    Ok(inside)
}

/// The condition of a time range, both ends inclusive.
fn time_condition(from: Option<Time>, to: Option<Time>) -> Option<Condition> {
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for (bound, sign) in [(from, ">="), (to, "<=")] {
        let Some(time) = bound else { continue };
        parts.push(format!("({{t}}.time_us, {{t}}.time_sub_ns) {sign} (?, ?)"));
        values.push(Value::Integer(time.us()));
        values.push(Value::Integer(i64::from(time.sub_ns())));
    }
    (!parts.is_empty()).then(|| Condition {
        about: About::Time,
        sql: parts.join(" AND "),
        values,
    })
}

/// Whether the range holds every event of the log.
fn covers_all(conn: &Connection, from: Option<Time>, to: Option<Time>) -> Result<bool, ReadError> {
    let first = extreme_time(conn, Direction::Forwards)?;
    let last = extreme_time(conn, Direction::Backwards)?;
    Ok(
        from.is_none_or(|from| first.is_none_or(|first| from <= first))
            && to.is_none_or(|to| last.is_none_or(|last| to >= last)),
    )
}

/// Number of events in the range as far as they are in `by_time`, at most [`NARROW`] + 1. `values` are those of [`time_condition`].
fn narrow(conn: &Connection, values: &[Value]) -> rusqlite::Result<u64> {
    // Two values are one bound; whichever it is, the open end costs no more than the limit.
    let condition = match values.len() {
        4 => "(time_us, time_sub_ns) >= (?, ?) AND (time_us, time_sub_ns) <= (?, ?)",
        _ => return Ok(NARROW + 1),
    };
    conn.prepare_cached(&format!(
        "SELECT count(*) FROM (SELECT 1 FROM by_time WHERE {condition} LIMIT {})",
        NARROW + 1
    ))?
    .query_row(params_from_iter(values), |row| row.get(0))
    .map(|count: u64| if count > NARROW { u64::MAX } else { count })
}

/// Earliest or latest time of the log.
pub(super) fn extreme_time(conn: &Connection, end: Direction) -> Result<Option<Time>, ReadError> {
    let order = match end {
        Direction::Forwards => "ASC",
        Direction::Backwards => "DESC",
    };
    let mut extreme: Option<Time> = None;
    for table in [
        "by_time",
        "events NOT INDEXED WHERE position > (SELECT indexed FROM head)",
    ] {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT position, time_us, time_sub_ns FROM {table}
             ORDER BY time_us {order}, time_sub_ns {order} LIMIT 1"
        ))?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            let found = row::time(row, 1, Position(row.get(0)?))?;
            extreme = Some(extreme.map_or(found, |extreme| match end {
                Direction::Forwards => extreme.min(found),
                Direction::Backwards => extreme.max(found),
            }));
        }
    }
    Ok(extreme)
}

/// The highest version of a stream whose position is at most `position`; 0 if there is none. Positions grow
/// with versions, so this halves the stream.
fn version_at(conn: &Connection, stream: i64, position: i64) -> rusqlite::Result<i64> {
    let mut last: i64 = conn
        .prepare_cached("SELECT version FROM streams WHERE id = ?1")?
        .query_row([stream], |row| row.get(0))?;
    let mut tail = conn.prepare_cached(
        "SELECT version, position FROM links_tail WHERE stream = ?1 ORDER BY version DESC",
    )?;
    let mut rows = tail.query([stream])?;
    while let Some(row) = rows.next()? {
        let version: i64 = row.get(0)?;
        if row.get::<_, i64>(1)? <= position {
            return Ok(version);
        }
        // What is not in the tail lies below it.
        last = version - 1;
    }
    let mut place =
        conn.prepare_cached("SELECT version, position FROM links WHERE stream = ?1 AND version <= ?2 ORDER BY version DESC LIMIT 1")?;
    let (mut at_most, mut above) = (0, last + 1);
    while above - at_most > 1 {
        let middle = at_most + (above - at_most) / 2;
        // An erased link leaves a hole; the one below it stands in.
        let found: Option<(i64, i64)> = place
            .query_row((stream, middle), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if found.is_none_or(|(_, there)| there <= position) {
            at_most = middle;
        } else {
            above = middle;
        }
    }
    Ok(at_most)
}
