//! What the same work costs as the log grows: one store, measured at a tenth, at a third and at all of the events.
//! `--scale --events 10000000` is what the goals are about; it takes about ten gigabytes. With `--keep` the store stays
//! for [`store`], which the window is measured on.

use std::path::{Path, PathBuf};
use std::time::Instant;

use annals_core::event::{NewEvent, Payload};
use annals_core::id::{Actor, EventType, StreamId};
use annals_core::model::{Model, ModelSet};
use annals_core::position::{Position, Version};
use annals_core::question::{AnswerSource, Asking, IntervalIndex, Question, ask};
use annals_core::store::{
    Direction, EventQuery, ExpectedVersion, Extraction, Log, LogWriter, StreamAppend, StreamQuery,
};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{Moment, state};
use annals_core::time::{SourceTime, Time};
use annals_tests::memory;

use crate::generate::{Ranks, STREAMS, Seeded, data, metadata};
use crate::report::{Goal, Row, median, p95};
use crate::{Outcome, Plan, child};

/// Events of one bulk append while the store is filled.
const CHUNK: u64 = 500_000;
/// Events that a state is folded from at most.
const FOLDED: u64 = 20;
/// Times a piece of work is done for one figure.
const TIMES: u64 = 200;
/// Nanoseconds are left aside: an event each 3 s, a year for ten million.
const STEP_US: i64 = 3_153_600;
/// A 365th of the time that the log spans, for each event in it.
const DAY_US: u64 = STEP_US.unsigned_abs() / 365;
/// When the log begins: 2024-01-01.
const BEGIN_US: i64 = 1_704_067_200_000_000;

const TYPES: [&str; 5] = [
    "OrderPlaced",
    "ItemAdded",
    "PaymentProcessed",
    "OrderShipped",
    "OrderDelivered",
];
const MODEL: &str = "category = \"order\"\n[on.OrderPlaced]\nstatus = \"'Pending'\"\ntotal = \"data.total\"\n\
     [on.ItemAdded]\n\"total.add\" = \"data.total\"\n[on.PaymentProcessed]\nstatus = \"'Paid'\"\n\
     [on.OrderShipped]\nstatus = \"'Shipped'\"\n[on.OrderDelivered]\nstatus = \"'Delivered'\"\n";

/// What is measured at each size, with the goal for the largest, and whether it should be flat.
const MEASURED: [(&str, &str, Option<f64>, bool); 16] = [
    ("append, one event, median", "µs", None, true),
    (
        "open and first view, nothing kept, median",
        "ms",
        Some(1_000.0),
        false,
    ),
    ("page of 50 events anywhere, p95", "ms", Some(50.0), true),
    (
        "the same pages again, from the system's memory, median",
        "ms",
        None,
        true,
    ),
    ("page of 200 streams anywhere, p95", "ms", Some(50.0), true),
    (
        "newest 50 by type, actor or in a range of time, p95",
        "ms",
        Some(200.0),
        false,
    ),
    (
        "newest 50 in a wide range of time, p95",
        "ms",
        Some(200.0),
        false,
    ),
    (
        "page of 50 anywhere among those of a type, an actor or a wide range, p95",
        "ms",
        Some(200.0),
        false,
    ),
    (
        "number of events of a type in a range of time, p95",
        "ms",
        Some(200.0),
        false,
    ),
    (
        "number of events in a wide range of time, p95",
        "ms",
        Some(200.0),
        false,
    ),
    ("histogram of all", "ms", Some(300.0), false),
    (
        "histogram of a wide range of time, p95",
        "ms",
        Some(300.0),
        false,
    ),
    ("histogram of a type, p95", "ms", Some(300.0), false),
    ("state of a stream at a version, median", "µs", None, true),
    (
        "the same states again, from the system's memory, median",
        "µs",
        None,
        true,
    ),
    (
        "count at an instant from the index, warm, median",
        "ms",
        Some(0.1),
        true,
    ),
];

/// Measures all of it.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let path = plan.folder.join("scale.annals");
    remove(&path);
    let writer = LogWriter::create(&path, Surroundings::system())?;
    let sizes = [plan.events / 10, plan.events / 3, plan.events];
    let mut filled = 0;
    let mut figures = Vec::new();
    for size in sizes {
        let start = Instant::now();
        fill(&writer, filled, size)?;
        println!(
            "{size} events: {:.0} events/s while it was filled",
            (size - filled) as f64 / start.elapsed().as_secs_f64()
        );
        filled = size;
        figures.push(at_size(&path, &writer, size)?);
    }
    writer.close()?;
    let mut rows = Vec::new();
    for (at, (what, unit, goal, flat)) in MEASURED.into_iter().enumerate() {
        let points: Vec<(f64, f64)> = sizes
            .iter()
            .zip(&figures)
            .map(|(size, figures)| (*size as f64, figures[at]))
            .collect();
        let [(_, least), _, (_, most)] = points[..] else {
            return Err("three sizes".into());
        };
        if let Some(goal) = goal {
            let mut row = Row::new(
                format!("{what}; {} events", plan.events),
                unit,
                Goal::AtMost(goal),
            );
            row.ours.push(most);
            rows.push(row);
        }
        let mut growth = Row::new(
            format!(
                "{what}; {} events beside {}, exponent {:.2}",
                plan.events,
                sizes[0],
                exponent(&points)
            ),
            unit,
            match flat {
                true => Goal::RatioAtMost(1.5),
                false => Goal::None,
            },
        );
        growth.ours.push(most);
        growth.baseline.push(least);
        rows.push(growth);
    }
    let mut memory = Row::new(
        format!("anonymous memory after all of it, {} events", plan.events),
        "MB",
        Goal::AtMost(400.0),
    );
    memory
        .ours
        .push(memory::anonymous_kb().unwrap_or(0.0) / 1_000.0);
    rows.push(memory);
    if plan.keep {
        put_aside(&path, &kept(plan))?;
    }
    remove(&path);
    Ok(rows)
}

/// A store of so many events, made once.
pub fn store(plan: &Plan) -> Outcome<PathBuf> {
    let kept = kept(plan);
    if !kept.exists() {
        let path = plan.folder.join("scale.annals");
        remove(&path);
        println!("making a store of {} events", plan.events);
        let writer = LogWriter::create(&path, Surroundings::system())?;
        fill(&writer, 0, plan.events)?;
        writer.close()?;
        put_aside(&path, &kept)?;
    }
    Ok(kept)
}

fn kept(plan: &Plan) -> PathBuf {
    plan.folder.join(format!("scale-{}.annals", plan.events))
}

/// Gives a store that is closed the name under which it is found again.
fn put_aside(path: &Path, kept: &Path) -> Outcome<()> {
    remove(kept);
    let folder = annals_core::model::folder(path);
    if folder.exists() {
        std::fs::rename(folder, annals_core::model::folder(kept))?;
    }
    std::fs::rename(path, kept)?;
    Ok(())
}

fn remove(store: &Path) {
    child::remove(store);
    std::fs::remove_dir_all(annals_core::model::folder(store)).ok();
}

/// The slope of a straight line through the logarithms: 0 is flat, 1 grows as the log does.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |(x, y), (a, b)| (x + a / count, y + b / count));
    let (above, below) = logs.iter().fold((0.0, 0.0), |(above, below), (a, b)| {
        (above + (a - x) * (b - y), below + (a - x) * (a - x))
    });
    above / below
}

/// The `n`th event: one in a hundred belongs to one long stream, the others to many, by Zipf's law; each stream goes
/// through its life in order.
fn event(
    n: u64,
    seed: &mut Seeded,
    ranks: &Ranks,
    versions: &mut [u8],
) -> Outcome<(StreamId, NewEvent)> {
    let (stream, kind) = if n % 100 == 99 {
        ("order-long".to_owned(), "ItemAdded")
    } else {
        let stream = ranks.draw(seed);
        let version = versions.get_mut(usize::try_from(stream)?);
        let version = version.ok_or("a stream of a hundred thousand")?;
        let kind = TYPES[usize::from(*version) % TYPES.len()];
        *version = version.wrapping_add(1) % 5;
        (format!("order-{stream}"), kind)
    };
    let mut event = NewEvent::json(kind, &data(seed))?;
    event.metadata = Some(Payload::json(metadata(seed))?);
    let us = BEGIN_US + i64::try_from(n)? * STEP_US;
    event.time = Time::from_parts(us, 0).map(SourceTime::unwritten);
    Ok((StreamId::new(stream)?, event))
}

fn fill(writer: &LogWriter, from: u64, to: u64) -> Outcome<()> {
    let mut versions = vec![0; usize::try_from(STREAMS)?];
    let ranks = Ranks::new(STREAMS);
    let mut at = from;
    while at < to {
        let end = to.min(at + CHUNK);
        let mut seed = Seeded(at + 1);
        let mut bulk = writer.bulk("scale", &Extraction::standard())?;
        for n in at..end {
            let (stream, event) = event(n, &mut seed, &ranks, &mut versions)?;
            bulk.add(&stream, None, event)?;
        }
        bulk.commit()?;
        at = end;
    }
    Ok(())
}

fn timed(times: u64, unit: f64, mut work: impl FnMut(u64) -> Outcome<()>) -> Outcome<Vec<f64>> {
    let mut figures = Vec::new();
    for n in 0..times {
        let start = Instant::now();
        work(n)?;
        figures.push(start.elapsed().as_secs_f64() * unit);
    }
    Ok(figures)
}

/// One figure for each of [`MEASURED`].
fn at_size(path: &Path, writer: &LogWriter, size: u64) -> Outcome<Vec<f64>> {
    const MS: f64 = 1e3;
    const US: f64 = 1e6;
    let mut seed = Seeded(size);
    let appended = timed(TIMES, US, |n| {
        let mut event = NewEvent::json("Measured", &data(&mut seed))?;
        event.time = Time::from_parts(BEGIN_US + i64::try_from(size)? * STEP_US, 0)
            .map(SourceTime::unwritten);
        writer.append(vec![StreamAppend {
            stream: StreamId::new(format!("measured-{size}-{}", n % 10))?,
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        }])?;
        Ok(())
    })?;
    let first = timed(5, MS, |_| {
        let log = Log::explore(path)?;
        log.info()?;
        log.streams(&StreamQuery::default(), 200)?;
        log.density(&EventQuery::default(), 400)?;
        Ok(())
    })?;
    let log = Log::explore(path)?;
    let start = Instant::now();
    annals_core::times::know(&log, None)?;
    println!(
        "{size} events: times counted or caught up in {:.2} s",
        start.elapsed().as_secs_f64()
    );
    let backwards = EventQuery {
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    let afters: Vec<Position> = (0..TIMES).map(|_| Position(seed.below(size) + 1)).collect();
    let pages = || {
        timed(TIMES, MS, |n| {
            let query = EventQuery {
                after: Some(afters[n as usize]),
                ..backwards.clone()
            };
            log.events(&query, 50)?;
            Ok(())
        })
    };
    let (page, page_again) = (pages()?, pages()?);
    let mut cursor = None;
    let streams = timed(TIMES, MS, |_| {
        let query = StreamQuery {
            after: cursor.take(),
            ..StreamQuery::default()
        };
        cursor = log.streams(&query, 200)?.next;
        Ok(())
    })?;
    let year = |seed: &mut Seeded| {
        let part = i64::try_from(seed.below(size)).unwrap_or(0);
        Time::from_parts(BEGIN_US + part * STEP_US, 0)
    };
    let filtered = timed(TIMES, MS, |n| {
        let mut query = backwards.clone();
        match n % 3 {
            0 => query.event_type = Some(EventType::new(TYPES[(n % 5) as usize])?),
            1 => query.actor = Some(Actor::new(format!("user-{}", seed.below(2_000)))?),
            _ => {
                query.from = year(&mut seed);
                query.to = query
                    .from
                    .and_then(|from| Time::from_parts(from.us() + 86_400_000_000, 0));
            }
        }
        log.events(&query, 50)?;
        Ok(())
    })?;
    // From a twentieth to all but a twentieth of the year.
    let wide = |seed: &mut Seeded, base: &EventQuery| {
        let day = |day: u64| {
            let us = i64::try_from(day * size * DAY_US).unwrap_or(0);
            Time::from_parts(BEGIN_US + us, 0)
        };
        let (a, b) = (seed.below(365), seed.below(365));
        EventQuery {
            from: day(a.min(b)),
            to: day(a.max(b) + 18),
            ..base.clone()
        }
    };
    let wide_page = timed(40, MS, |n| {
        let base = match n % 2 {
            0 => &backwards,
            _ => &EventQuery::default(),
        };
        log.events(&wide(&mut seed, base), 50)?;
        Ok(())
    })?;
    let deep = timed(30, MS, |n| {
        let mut query = backwards.clone();
        match n % 3 {
            0 => query.event_type = Some(EventType::new(TYPES[(n % 5) as usize])?),
            1 => query.actor = Some(Actor::new(format!("user-{}", seed.below(2_000)))?),
            _ => query = wide(&mut seed, &backwards),
        }
        let rows = log.count(&query)?;
        log.events_from(&query, seed.below(rows.max(1)), 50)?;
        Ok(())
    })?;
    let wide_count = timed(20, MS, |_| {
        log.count(&wide(&mut seed, &EventQuery::default()))?;
        Ok(())
    })?;
    let wide_histogram = timed(10, MS, |_| {
        log.density(&wide(&mut seed, &EventQuery::default()), 400)?;
        Ok(())
    })?;
    let type_histogram = timed(10, MS, |n| {
        let query = EventQuery {
            event_type: Some(EventType::new(TYPES[(n % 5) as usize])?),
            ..EventQuery::default()
        };
        log.density(&query, 400)?;
        Ok(())
    })?;
    let counted = timed(20, MS, |n| {
        let mut query = EventQuery {
            event_type: Some(EventType::new(TYPES[(n % 5) as usize])?),
            ..EventQuery::default()
        };
        query.from = year(&mut seed);
        query.to = query
            .from
            .and_then(|from| Time::from_parts(from.us() + 86_400_000_000, 0));
        log.count(&query)?;
        Ok(())
    })?;
    let histogram = timed(5, MS, |_| {
        log.density(&EventQuery::default(), 400)?;
        Ok(())
    })?;
    let mut models = ModelSet::default();
    models.add(Model::parse("order", MODEL)?)?;
    let mut places = Vec::new();
    while places.len() < TIMES as usize {
        let stream = StreamId::new(format!("order-{}", seed.below(STREAMS)))?;
        // Of the first versions of streams that have them at every size: it is not the fold that grows.
        if log.stream(&stream)?.is_some_and(|row| row.events >= FOLDED) {
            let version = Version(seed.below(FOLDED) + 1);
            places.push((stream, Moment::Version(version)));
        }
    }
    let folds = || {
        timed(TIMES, US, |n| {
            let (stream, moment) = &places[n as usize];
            state(&log, &models, stream, moment)?;
            Ok(())
        })
    };
    let (states, states_again) = (folds()?, folds()?);
    let index = IntervalIndex::open(&log, None);
    let asking = Asking {
        log: &log,
        models: &models,
        zone: chrono_tz::UTC,
        limit: 0,
        index: Some(&index),
        as_of: annals_core::temporal::AsOf::default(),
    };
    let mut count = |_| -> Outcome<()> {
        let at = year(&mut seed).ok_or("a time in range")?;
        let text = format!("count order where status = \"Pending\" at {at}");
        let answer = ask(&asking, &Question::parse(&text)?, &mut |_| true)?;
        match answer.source {
            AnswerSource::Index => Ok(()),
            _ => Err("the index does not answer".into()),
        }
    };
    let start = Instant::now();
    count(0)?;
    println!(
        "{size} events: index made or caught up in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let counts = timed(TIMES, MS, count)?;
    Ok(vec![
        median(&appended),
        median(&first),
        p95(&page),
        median(&page_again),
        p95(&streams),
        p95(&filtered),
        p95(&wide_page),
        p95(&deep),
        p95(&counted),
        p95(&wide_count),
        median(&histogram),
        p95(&wide_histogram),
        p95(&type_histogram),
        median(&states),
        median(&states_again),
        median(&counts),
    ])
}
