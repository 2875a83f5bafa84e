//! How many intervals of a value began less how many ended, by steps of time: by 32 days, and inside a step in which
//! many did, by day, then by hour, minute and second. A count at an instant is a sum over a few steps and a look at
//! the few edges of the last one, however much happens in a day.
//!
//! Left out: the edges themselves, which are the intervals of [`super::spans`].

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use crate::time::Time;

/// Microseconds of a step of each level; each is a whole number of those below it.
const UNITS_US: [i64; 5] = [
    32 * 86_400_000_000,
    86_400_000_000,
    3_600_000_000,
    60_000_000,
    1_000_000,
];

/// Edges of a step from which on it is counted by the steps of the next level too. In tests so few that small logs
/// have steps of all levels.
const HEAVY: i64 = if cfg!(test) { 3 } else { 256 };

/// How many streams had the value at the instant: intervals that began by then less those that ended by then.
pub(super) fn count_at(
    conn: &Connection,
    field: i64,
    key: &str,
    at: Time,
) -> rusqlite::Result<u64> {
    let mut sum = conn.prepare_cached(
        "SELECT coalesce(sum(delta), 0) FROM interval_steps
         WHERE field = ?1 AND key = ?2 AND level = ?3 AND step >= ?4 AND step < ?5",
    )?;
    let (mut count, mut start_us) = (0i64, i64::MIN);
    for (level, unit_us) in UNITS_US.into_iter().enumerate() {
        let step = at.us().div_euclid(unit_us);
        let first = start_us.div_euclid(unit_us);
        count += sum.query_row((field, key, level, first, step), |row| row.get::<_, i64>(0))?;
        start_us = step.saturating_mul(unit_us);
        if !is_split(conn, field, key, (level, step))? {
            break;
        }
    }
    let since_start = |sql: &str| -> rusqlite::Result<i64> {
        conn.prepare_cached(sql)?
            .query_row((field, key, start_us, at.us(), at.sub_ns()), |row| {
                row.get(0)
            })
    };
    let began = since_start(
        "SELECT count(*) FROM intervals INDEXED BY intervals_from WHERE field = ?1 AND key = ?2
         AND from_us >= ?3 AND (from_us, from_ns) <= (?4, ?5)",
    )?;
    let ended = since_start(
        "SELECT count(*) FROM intervals INDEXED BY intervals_to WHERE field = ?1 AND key = ?2
         AND to_us >= ?3 AND (to_us, to_ns) <= (?4, ?5)",
    )?;
    Ok(u64::try_from(count + began - ended).unwrap_or(0))
}

fn is_split(
    conn: &Connection,
    field: i64,
    key: &str,
    (level, step): (usize, i64),
) -> rusqlite::Result<bool> {
    let found = conn
        .prepare_cached(
            "SELECT split FROM interval_steps WHERE field = ?1 AND key = ?2 AND level = ?3 AND step = ?4",
        )?
        .query_row((field, key, level, step), |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(false))
}

/// What is to be added to a step.
#[derive(Debug, Default, Clone, Copy)]
struct Change {
    delta: i64,
    edges: i64,
    /// The step is counted by those of the next level already.
    split: bool,
}

/// Steps of one value that change, by level and step.
type Changes = HashMap<(usize, i64), Change>;

/// What is to be added to the steps, until it is written.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// By field and key.
    changes: HashMap<(i64, String), Changes>,
    /// Whether a field has steps in the file.
    known: HashMap<i64, bool>,
}

impl Tallies {
    /// Counts an interval of a value, or with `by` -1 takes it out again.
    pub(super) fn add(
        &mut self,
        conn: &Connection,
        (field, key): (i64, String),
        (from, to): (Time, Option<Time>),
        by: i64,
    ) -> rusqlite::Result<()> {
        let known = match self.known.get(&field) {
            Some(known) => *known,
            None => {
                let known = conn
                    .prepare_cached("SELECT EXISTS(SELECT 1 FROM interval_steps WHERE field = ?1)")?
                    .query_row([field], |row| row.get(0))?;
                *self.known.entry(field).or_insert(known)
            }
        };
        let changes = match self.changes.entry((field, key)) {
            Entry::Occupied(found) => found,
            Entry::Vacant(none) => none.insert_entry(Changes::new()),
        };
        let key = changes.key().1.clone();
        let changes = changes.into_mut();
        let mut edge = |at: Time, delta: i64| -> rusqlite::Result<()> {
            for (level, unit_us) in UNITS_US.into_iter().enumerate() {
                let place = (level, at.us().div_euclid(unit_us));
                let change = match changes.entry(place) {
                    Entry::Occupied(found) => found.into_mut(),
                    Entry::Vacant(none) => none.insert(Change {
                        split: known && is_split(conn, field, &key, place)?,
                        ..Change::default()
                    }),
                };
                change.delta += delta;
                change.edges += by;
                if !change.split {
                    break;
                }
            }
            Ok(())
        };
        edge(from, by)?;
        to.map_or(Ok(()), |to| edge(to, -by))
    }

    /// Writes what was counted. The intervals must be there already, since the steps inside one that became heavy are
    /// counted from them.
    pub(super) fn write(&self, conn: &Connection) -> rusqlite::Result<()> {
        let mut add = conn.prepare_cached(
            "INSERT INTO interval_steps(field, key, level, step, delta, edges) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(field, key, level, step) DO UPDATE SET delta = delta + ?5, edges = edges + ?6
             RETURNING edges",
        )?;
        for ((field, key), changes) in &self.changes {
            let mut heavy = Vec::new();
            for (&(level, step), change) in changes {
                if (change.delta, change.edges) == (0, 0) {
                    continue;
                }
                let edges: i64 = add.query_row(
                    params![field, key, level, step, change.delta, change.edges],
                    |row| row.get(0),
                )?;
                if edges >= HEAVY && !change.split {
                    heavy.push((level, step));
                }
            }
            for place in heavy {
                split(conn, *field, key, place)?;
            }
        }
        Ok(())
    }
}

/// Counts what is inside a step by those of the next level, and inside those that are heavy further down.
fn split(
    conn: &Connection,
    field: i64,
    key: &str,
    (level, step): (usize, i64),
) -> rusqlite::Result<()> {
    let (Some(unit_us), Some(inner_us)) = (UNITS_US.get(level), UNITS_US.get(level + 1)) else {
        return Ok(());
    };
    let (start_us, end_us) = (
        step.saturating_mul(*unit_us),
        (step + 1).saturating_mul(*unit_us),
    );
    let mut inside: BTreeMap<i64, Change> = BTreeMap::new();
    for (sql, delta) in [
        (
            "SELECT from_us FROM intervals INDEXED BY intervals_from
             WHERE field = ?1 AND key = ?2 AND from_us >= ?3 AND from_us < ?4",
            1,
        ),
        (
            "SELECT to_us FROM intervals INDEXED BY intervals_to
             WHERE field = ?1 AND key = ?2 AND to_us >= ?3 AND to_us < ?4",
            -1,
        ),
    ] {
        let mut edges = conn.prepare_cached(sql)?;
        let mut edges = edges.query((field, key, start_us, end_us))?;
        while let Some(edge) = edges.next()? {
            let us: i64 = edge.get(0)?;
            let change = inside.entry(us.div_euclid(*inner_us)).or_default();
            change.delta += delta;
            change.edges += 1;
        }
    }
    conn.prepare_cached(
        "UPDATE interval_steps SET split = 1 WHERE field = ?1 AND key = ?2 AND level = ?3 AND step = ?4",
    )?
    .execute((field, key, level, step))?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO interval_steps(field, key, level, step, delta, edges) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (inner, change) in inside {
        insert.execute(params![
            field,
            key,
            level + 1,
            inner,
            change.delta,
            change.edges
        ])?;
        if change.edges >= HEAVY {
            split(conn, field, key, (level + 1, inner))?;
        }
    }
    Ok(())
}
