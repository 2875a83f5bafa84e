//! How events lie along time, kept in the cache, so that opening a large log need not count it again.
//!
//! Left out: counting and asking, which is [`crate::store`]'s own ([`Log::count_times`]).

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use crate::cache::{Cache, CacheError, Part};
use crate::position::Position;
use crate::store::{Block, Chunk, Log, ReadError, Times};
use crate::time::Time;

static PART: Part = Part {
    name: "times",
    version: 1,
    create: "CREATE TABLE time_chunks(
                 from_us INTEGER NOT NULL, from_ns INTEGER NOT NULL, events INTEGER NOT NULL,
                 PRIMARY KEY(from_us, from_ns)) STRICT, WITHOUT ROWID;
             CREATE TABLE time_blocks(
                 n INTEGER PRIMARY KEY, first_us INTEGER NOT NULL, first_ns INTEGER NOT NULL,
                 last_us INTEGER NOT NULL, last_ns INTEGER NOT NULL) STRICT;",
    drop: "DROP TABLE IF EXISTS time_chunks; DROP TABLE IF EXISTS time_blocks;",
};

static PARTS: &[&Part] = &[&PART];

/// A log of fewer events answers as fast without.
pub const LARGE: u64 = 100_000;

/// Makes a large log know how its events lie along time ([`Log::count_times`]): from its cache, or by counting, and then
/// it is kept there. `fallback` is the folder for caches of stores that cannot be written to. Without a cache that can
/// be used it is counted all the same.
///
/// # Errors
/// [`ReadError`] of the log.
///
/// ```
/// use annals_core::store::Log;
///
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let log = Log::explore(&store)?;
/// annals_core::times::know(&log, None)?;
/// assert!(log.known_times()?.is_none(), "a small log needs none");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn know(log: &Log, fallback: Option<&Path>) -> Result<(), ReadError> {
    know_from(log, fallback, LARGE)
}

fn know_from(log: &Log, fallback: Option<&Path>, large: u64) -> Result<(), ReadError> {
    if log.head()?.size.0 < large || log.known_times()?.is_some() {
        return Ok(());
    }
    match Cache::open(log, fallback, PARTS) {
        Err(CacheError::Read(error)) => Err(error),
        Err(_) => log.count_times(),
        Ok(cache) => match from_cache(log, &cache) {
            Err(CacheError::Read(error)) => Err(error),
            // What the cache cannot say or keep now, the log can.
            Err(_) => log.count_times(),
            Ok(()) => Ok(()),
        },
    }
}

fn from_cache(log: &Log, cache: &Cache) -> Result<(), CacheError> {
    let kept = cache.read(|conn| {
        let reach = cache.reach(conn, &PART)?;
        Ok(match reach {
            Position::ZERO => None,
            reach => read(conn, reach)?,
        })
    })?;
    let reach = kept.as_ref().map_or(0, |times| times.covered.0);
    if let Some(times) = kept {
        log.know_times(times);
    }
    log.count_times()?;
    match log.known_times()? {
        // A little more is counted again as fast as it is written.
        Some(times) if times.covered.0 > reach + reach / 16 => {
            cache.write(|transaction| write(cache, transaction, &times))
        }
        _ => Ok(()),
    }
}

fn time(us: i64, ns: u16) -> Time {
    Time::from_parts(us, ns).unwrap_or(Time::MIN)
}

/// What is kept; `None` where it is not whole.
fn read(conn: &Connection, reach: Position) -> Result<Option<Times>, CacheError> {
    let mut statement =
        conn.prepare_cached("SELECT from_us, from_ns, events FROM time_chunks ORDER BY 1, 2")?;
    let chunks = statement.query_map([], |row| {
        Ok(Chunk {
            from: time(row.get(0)?, row.get(1)?),
            events: row.get(2)?,
        })
    })?;
    let chunks = chunks.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut statement = conn.prepare_cached(
        "SELECT first_us, first_ns, last_us, last_ns FROM time_blocks ORDER BY n",
    )?;
    let blocks = statement.query_map([], |row| {
        Ok(Block {
            first: time(row.get(0)?, row.get(1)?),
            last: time(row.get(2)?, row.get(3)?),
        })
    })?;
    let blocks = blocks.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Times::from_parts(reach, chunks, blocks))
}

fn write(cache: &Cache, transaction: &Transaction<'_>, times: &Times) -> Result<(), CacheError> {
    transaction.execute_batch("DELETE FROM time_chunks; DELETE FROM time_blocks;")?;
    let mut put = transaction.prepare_cached("INSERT INTO time_chunks VALUES (?1, ?2, ?3)")?;
    for chunk in &times.chunks {
        put.execute((chunk.from.us(), chunk.from.sub_ns(), chunk.events))?;
    }
    let mut put =
        transaction.prepare_cached("INSERT INTO time_blocks VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (n, block) in times.blocks.iter().enumerate() {
        let Block { first, last } = block;
        put.execute(params![
            n,
            first.us(),
            first.sub_ns(),
            last.us(),
            last.sub_ns()
        ])?;
    }
    cache.set_reach(transaction, &PART, times.covered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NewEvent;
    use crate::store::{Extraction, LogWriter};
    use crate::surroundings::Surroundings;
    use crate::time::SourceTime;

    fn fill(writer: &LogWriter, times: std::ops::Range<i64>) {
        let mut bulk = writer.bulk("list", &Extraction::standard()).unwrap();
        for us in times {
            let mut event = NewEvent::json("Ticked", "{}").unwrap();
            event.time = Time::from_parts(us % 700, 0).map(SourceTime::unwritten);
            bulk.add(&"a-1".parse().unwrap(), None, event).unwrap();
        }
        bulk.commit().unwrap();
    }

    #[test]
    fn what_was_counted_is_read_again_and_goes_on_with_the_log() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.annals");
        let start = Time::parse_rfc3339("2024-06-01T00:00:00Z").unwrap();
        let writer = LogWriter::create(&path, Surroundings::fixed(start, 7)).unwrap();
        fill(&writer, 0..5_000);
        let times = |log: &Log| log.known_times().unwrap().unwrap();
        let first = Log::explore(&path).unwrap();
        know_from(&first, None, 1).unwrap();
        let cache = Cache::open(&first, None, PARTS).unwrap();
        let kept = |reach| cache.read(|conn| read(conn, Position(reach))).unwrap();
        assert_eq!(kept(5_000).as_ref(), Some(&*times(&first)));

        // From what is kept, whatever is counted: a chunk moved by hand shows where it came from.
        cache
            .write(|transaction| {
                transaction.execute("UPDATE time_blocks SET last_us = 700 WHERE n = 0", [])?;
                Ok(())
            })
            .unwrap();
        let again = Log::explore(&path).unwrap();
        know_from(&again, None, 1).unwrap();
        assert_eq!(times(&again).blocks[0].last, time(700, 0));

        // Half of it is not whole, and counted anew.
        cache
            .write(|transaction| {
                transaction.execute("DELETE FROM time_chunks WHERE from_us > 100", [])?;
                Ok(())
            })
            .unwrap();
        let anew = Log::explore(&path).unwrap();
        know_from(&anew, None, 1).unwrap();
        assert_eq!(times(&anew), times(&first));

        fill(&writer, 5_000..9_000);
        assert_eq!(times(&anew).covered, Position(9_000));
        let later = Log::explore(&path).unwrap();
        know_from(&later, None, 1).unwrap();
        assert_eq!(times(&later).covered, Position(9_000));
        assert!(kept(9_000).is_some(), "what came is kept, too");
    }
}
