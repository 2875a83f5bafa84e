//! Text search: building the index, and asking it.

use std::path::Path;
use std::time::Instant;

use annals_core::search::{IndexProgress, TextIndex, TextQuery};
use annals_core::store::{Direction, EventQuery, Log};

use crate::report::{Goal, Row};
use crate::{Outcome, Plan};

/// Times a question is put in a round.
const TIMES: u32 = 20;

/// Builds the text index of a store anew and counts two words in it; prints events a second and milliseconds.
pub fn alone(store: &Path) -> Outcome<()> {
    let _ = std::fs::remove_dir_all(store.with_extension("annals.d"));
    let log = Log::explore(store)?;
    let index = TextIndex::open(&log, None);
    let start = Instant::now();
    index.catch_up(&IndexProgress::default())?;
    let rate = log.head()?.size.0 as f64 / start.elapsed().as_secs_f64();
    let both = TextQuery::parse("amber orchard")?;
    let start = Instant::now();
    for _ in 0..TIMES {
        index.count(&both, &EventQuery::default())?;
    }
    let count_ms = start.elapsed().as_secs_f64() * 1_000.0 / f64::from(TIMES);
    println!("{rate:.0} events/s, {count_ms:.2} ms");
    Ok(())
}

/// Measures on the store that the import left.
pub fn measure(plan: &Plan, store: &Path) -> Outcome<Vec<Row>> {
    let events = plan.events;
    let mut build = Row::new("build the text index", "events/s", Goal::AtLeast(80_000.0));
    let mut count = Row::new(
        format!("count the events of {events} that hold two words"),
        "ms",
        Goal::AtMost(10.0),
    );
    let mut newest = Row::new("the newest 20 of them, with marks", "ms", Goal::AtMost(2.0));
    let mut phrase = Row::new(
        "the newest 20 with an id of two words",
        "ms",
        Goal::AtMost(10.0),
    );
    let mut filtered = Row::new(
        "the newest 20 of them by a type and in a range of time",
        "ms",
        Goal::AtMost(10.0),
    );
    let log = Log::explore(store)?;
    let both = TextQuery::parse("amber orchard")?;
    let id = TextQuery::parse("cust-4711")?;
    let backwards = EventQuery {
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    let info = log.info()?;
    let narrowed = EventQuery {
        event_type: Some(annals_core::id::EventType::new("OrderShipped")?),
        from: info.first_time,
        to: info.last_time.map(|time| time.previous_ns()),
        ..backwards.clone()
    };
    for _ in 0..plan.rounds {
        let _ = std::fs::remove_dir_all(store.with_extension("annals.d"));
        let index = TextIndex::open(&log, None);
        let start = Instant::now();
        index.catch_up(&IndexProgress::default())?;
        build
            .ours
            .push(events as f64 / start.elapsed().as_secs_f64());

        let timed = |work: &dyn Fn() -> Outcome<u64>| -> Outcome<f64> {
            work()?;
            let start = Instant::now();
            for _ in 0..TIMES {
                work()?;
            }
            Ok(start.elapsed().as_secs_f64() * 1_000.0 / f64::from(TIMES))
        };
        count.ours.push(timed(&|| {
            Ok(index.count(&both, &EventQuery::default())?.count)
        })?);
        for (row, text, query) in [
            (&mut newest, &both, &backwards),
            (&mut phrase, &id, &backwards),
            (&mut filtered, &both, &narrowed),
        ] {
            row.ours.push(timed(&|| {
                Ok(index.search(text, query, 20)?.hits.len() as u64)
            })?);
        }
    }
    Ok(vec![build, count, newest, phrase, filtered])
}
