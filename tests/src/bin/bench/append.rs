//! Durable appends, one event a call, from 1, 8 and 32 threads, each with a stream of its own and the
//! version it expects.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use annals_core::event::{NewEvent, Payload};
use annals_core::id::StreamId;
use annals_core::position::Version;
use annals_core::store::{ExpectedVersion, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use rusqlite::Connection;

use crate::generate::{Seeded, data, metadata};
use crate::report::{Goal, Row, median};
use crate::{Outcome, Plan};

/// The plain table that people would write by hand.
pub fn baseline(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, \
         id TEXT NOT NULL, type TEXT NOT NULL, time TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, \
         UNIQUE(stream, version))",
    )?;
    Ok(connection)
}

/// Measures the rates and the latency.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (writers, floor, goal) in [(1, 0.75, 0.85), (8, 3.0, 4.0), (32, 4.0, 6.0)] {
        let mut row = Row::new(
            format!(
                "durable append, {writers} writer{}",
                if writers == 1 { "" } else { "s" }
            ),
            "events/s",
            Goal::RatioFrom { floor, goal },
        );
        for round in 0..plan.rounds {
            // Who goes first changes from round to round, so that neither always meets the warmer disk.
            if round % 2 == 0 {
                row.ours.push(ours(plan, writers)?);
                row.baseline.push(theirs(plan, writers)?);
            } else {
                row.baseline.push(theirs(plan, writers)?);
                row.ours.push(ours(plan, writers)?);
            }
        }
        rows.push(row);
    }
    rows.push(latency(plan)?);
    Ok(rows)
}

/// Appends or synced writes of one round whose latency is taken.
const LATENCIES: usize = 1_000;

/// How long one append of one writer takes, beside what the disk alone takes to make a file a page longer.
fn latency(plan: &Plan) -> Outcome<Row> {
    let mut row = Row::new(
        "latency of an append, 1 writer, median; beside it one page written and synced",
        "µs",
        Goal::RatioAtMost(1.3),
    );
    for _ in 0..plan.rounds {
        let folder = tempfile::tempdir_in(&plan.folder)?;
        let writer =
            LogWriter::create(&folder.path().join("bench.annals"), Surroundings::system())?;
        let mut seed = Seeded(9);
        let mut append = |n: u64| -> Outcome<()> { append_one(&writer, 0, &mut seed, n) };
        row.ours.push(median_us(&mut append)?);
        writer.close()?;
        let mut file = std::fs::File::create(folder.path().join("pages"))?;
        row.baseline.push(median_us(&mut |_| {
            file.write_all(&[7; 4096])?;
            Ok(file.sync_data()?)
        })?);
    }
    Ok(row)
}

/// Median of how long each call takes, in microseconds. Calls count from 1.
fn median_us(one: &mut dyn FnMut(u64) -> Outcome<()>) -> Outcome<f64> {
    let mut figures = Vec::with_capacity(LATENCIES);
    for n in 1..=LATENCIES {
        let start = Instant::now();
        one(n as u64)?;
        figures.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&figures))
}

/// Appends from so many threads for some seconds; returns appends a second.
pub fn alone(folder: &Path, writers: usize, seconds: u64) -> Outcome<f64> {
    let plan = Plan {
        events: 0,
        rounds: 1,
        append_seconds: seconds,
        folder: folder.to_owned(),
        keep: false,
    };
    ours(&plan, writers)
}

/// Runs `one(thread, seed, n)` in a loop on each thread for the plan's seconds; returns calls a second.
fn rate(
    plan: &Plan,
    writers: usize,
    one: impl Fn(usize, &mut Seeded, u64) -> Outcome<()> + Sync,
) -> Outcome<f64> {
    let done = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let failed = Mutex::new(None);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..writers {
            let (done, stop, failed, one) = (&done, &stop, &failed, &one);
            scope.spawn(move || {
                let mut seed = Seeded(thread as u64);
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    if let Err(error) = one(thread, &mut seed, n) {
                        *failed
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                        return;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(plan.append_seconds));
        stop.store(true, Ordering::Relaxed);
    });
    match failed
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        Some(error) => Err(error),
        None => Ok(done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()),
    }
}

/// Appends a second, from so many threads, one event a call.
pub fn ours(plan: &Plan, writers: usize) -> Outcome<f64> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let writer = LogWriter::create(&folder.path().join("bench.annals"), Surroundings::system())?;
    let figure = rate(plan, writers, |thread, seed, n| {
        append_one(&writer, thread, seed, n)
    })?;
    writer.close()?;
    Ok(figure)
}

/// Appends the `n`th event of a stream.
fn append_one(writer: &LogWriter, stream: usize, seed: &mut Seeded, n: u64) -> Outcome<()> {
    let mut event = NewEvent::json("OrderPlaced", &data(seed))?;
    event.metadata = Some(Payload::json(metadata(seed))?);
    writer.append(vec![StreamAppend {
        stream: StreamId::new(format!("order-{stream}"))?,
        category: None,
        expected: ExpectedVersion::Exact(Version(n - 1)),
        events: vec![event],
    }])?;
    Ok(())
}

fn theirs(plan: &Plan, writers: usize) -> Outcome<f64> {
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let connection = Mutex::new(baseline(&folder.path().join("bench.sqlite"))?);
    rate(plan, writers, |thread, seed, n| {
        let (data, metadata) = (data(seed), metadata(seed));
        let connection = connection.lock().map_err(|_| "another writer failed")?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO events(stream, version, id, type, time, data, metadata) \
             SELECT ?1, ?2, ?3, 'OrderPlaced', '2024-01-01T00:00:00Z', ?4, ?5 \
             WHERE (SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = ?1) = ?2 - 1",
        )?;
        let id = format!("{thread:04x}-{n:012x}");
        let inserted = insert.execute((format!("order-{thread}"), n as i64, id, data, metadata))?;
        if inserted == 1 {
            Ok(())
        } else {
            Err("the expected version was not there".into())
        }
    })
}
