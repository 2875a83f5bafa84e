//! Reading what was imported: streams of three lengths, and everything. Both sides hand out owned fields.

use std::path::Path;
use std::time::Instant;

use annals_core::id::StreamId;
use annals_core::position::Version;
use annals_core::store::{Direction, EventQuery, Log, StreamQuery};
use rusqlite::Connection;

use crate::import::Imported;
use crate::report::{Goal, Row, median};
use crate::{Outcome, Plan};

/// A row as the baseline hands it out.
type Fields = (i64, i64, String, String, String, String, String);

const FIELDS: &str = "position, version, id, type, time, data, metadata";

/// Events that are read ahead at once.
const PAGE: usize = 1_000;

/// A stream of so many events and more is read as a fold reads it, a shorter one as a page.
const FOLDED: u64 = 2_000;

/// Measures all rows.
pub fn measure(plan: &Plan, imported: &Imported) -> Outcome<Vec<Row>> {
    let Imported { store, baseline } = imported;
    let mut rows = Vec::new();
    for (len, calls) in [(10, 400), (1_000, 40), (10_000, 5)] {
        rows.push(stream(plan, store, baseline, len, calls)?);
    }
    let row = |what: &str, goal| Row::new(what, "events/s", goal);
    let mut all = row("read everything", Goal::RatioAtLeast(0.8));
    let mut parsed = row(
        "read everything ahead, data parsed",
        Goal::AtLeast(600_000.0),
    );
    for round in 0..plan.rounds {
        if round % 2 == 1 {
            all.baseline.push(theirs(baseline)?);
        }
        all.ours.push(everything(store)?);
        parsed.ours.push(parsed_ahead(store)?);
        if round % 2 == 0 {
            all.baseline.push(theirs(baseline)?);
        }
    }
    rows.extend([all, parsed]);
    Ok(rows)
}

/// Reads the stream whose length is nearest to `len` whole; a figure is the median of so many calls.
fn stream(plan: &Plan, store: &Path, baseline: &Path, len: u64, calls: usize) -> Outcome<Row> {
    let log = Log::explore(store)?;
    let all = log.streams(&StreamQuery::default(), usize::MAX)?.streams;
    let nearest = all.iter().min_by_key(|row| row.events.abs_diff(len));
    let nearest = nearest.ok_or("a stream is there")?;
    let id = StreamId::new(nearest.stream.clone())?;
    let mut row = Row::new(
        format!("read a stream of {} events", nearest.events),
        "µs",
        Goal::RatioAtMost(1.3),
    );
    let connection = Connection::open(baseline)?;
    let mut select = connection.prepare(&format!(
        "SELECT {FIELDS} FROM events WHERE stream = ?1 ORDER BY version"
    ))?;
    let versions = Version(1)..=Version(nearest.events);
    for _ in 0..plan.rounds {
        row.ours.push(time(calls, || {
            let mut page = Vec::new();
            if nearest.events < FOLDED {
                let limit = nearest.events as usize;
                page = log.read_stream(&id, versions.clone(), Direction::Forwards, limit)?;
            } else {
                log.for_each_in_stream(&id, Version::FIRST, None, &mut |event| {
                    page.push(event);
                    true
                })?;
            }
            Ok(page.len() as u64)
        })?);
        row.baseline.push(time(calls, || {
            let rows = select.query_map([&nearest.stream], |row| Fields::try_from(row))?;
            let rows = rows.collect::<rusqlite::Result<Vec<Fields>>>()?;
            Ok(rows.len() as u64)
        })?);
    }
    Ok(row)
}

/// Median of how long a call takes, in microseconds.
pub fn time(calls: usize, mut read: impl FnMut() -> Outcome<u64>) -> Outcome<f64> {
    let mut figures = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        let events = std::hint::black_box(read()?);
        figures.push(start.elapsed().as_secs_f64() * 1e6);
        if events == 0 {
            return Err("the stream is empty".into());
        }
    }
    Ok(median(&figures))
}

/// Reads every event, one after another as the baseline does; events per second.
pub fn everything(store: &Path) -> Outcome<f64> {
    let log = Log::explore(store)?;
    let start = Instant::now();
    let mut events = 0u64;
    log.for_each_event(&EventQuery::default(), &mut |event, _| {
        drop(std::hint::black_box(event));
        events += 1;
        true
    })?;
    Ok(events as f64 / start.elapsed().as_secs_f64())
}

/// Reads every event and parses its data, while a thread reads ahead; events per second.
pub fn parsed_ahead(store: &Path) -> Outcome<f64> {
    let log = Log::explore(store)?;
    let start = Instant::now();
    let mut events = 0u64;
    let mut failed = None;
    log.for_each_page(&EventQuery::default(), PAGE, &mut |page| {
        events += page.len() as u64;
        for data in page.iter().filter_map(|event| event.data.as_ref()) {
            match serde_json::from_slice::<serde_json::Value>(&data.bytes) {
                Ok(value) => drop(std::hint::black_box(value)),
                Err(error) => failed = Some(error),
            }
        }
        failed.is_none()
    })?;
    match failed {
        None => Ok(events as f64 / start.elapsed().as_secs_f64()),
        Some(error) => Err(error.into()),
    }
}

fn theirs(baseline: &Path) -> Outcome<f64> {
    let connection = Connection::open(baseline)?;
    let start = Instant::now();
    let mut select = connection.prepare(&format!(
        "SELECT {FIELDS}, stream FROM events ORDER BY position"
    ))?;
    let mut rows = select.query([])?;
    let mut events = 0u64;
    while let Some(row) = rows.next()? {
        let fields: (Fields, String) = (Fields::try_from(row)?, row.get(7)?);
        std::hint::black_box(fields);
        events += 1;
    }
    Ok(events as f64 / start.elapsed().as_secs_f64())
}
