//! Questions over time, and the same count in SQL: from the interval index, and by replay. Beside them DuckDB over the
//! raw events, where `ANNALS_BENCH_DUCKDB` names a Python that has it (`cargo xtask bench --peers` installs one).

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use annals_core::event::NewEvent;
use annals_core::id::StreamId;
use annals_core::model::{Model, ModelSet};
use annals_core::question::{AnswerSource, AnswerView, Asking, IntervalIndex, Question, ask};
use annals_core::sql::{self, SqlView};
use annals_core::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::AsOf;
use annals_core::time::{SourceTime, Time};

use crate::report::{Goal, Row, median};
use crate::{Outcome, Plan};

/// Streams that are asked about.
const STREAMS: u64 = 100_000;

/// Events of a replay.
const EVENTS: u64 = 1_000_000;

/// The instant that DuckDB counts at: 1718000000 s.
const DUCKDB_AT: &str = "2024-06-10T06:13:20Z";

/// What the events are spread over.
const YEAR_US: u64 = 365 * 86_400_000_000;

/// Questions in one round, each about another instant.
const ASKED: u64 = 100;

const MODEL: &str = "category = \"order\"\n[on.OrderPlaced]\nstatus = \"'Pending'\"\ntotal = \"data.total\"\n\
     [on.OrderPaid]\nstatus = \"'Paid'\"\n[on.OrderShipped]\nstatus = \"'Shipped'\"\n";

/// Types of a stream's events, one after another; what comes after them notes nothing that the model takes.
const TYPES: [&str; 3] = ["OrderPlaced", "OrderPaid", "OrderShipped"];

/// Measures counts, lists, the building of the index and the replay.
pub fn measure(plan: &Plan) -> Outcome<Vec<Row>> {
    let events = if plan.events < EVENTS {
        plan.events
    } else {
        EVENTS
    };
    let streams = STREAMS.min(events / 3).max(1);
    let duckdb = std::env::var("ANNALS_BENCH_DUCKDB").ok();
    let beside = match duckdb {
        Some(_) => "; beside it DuckDB over the raw events",
        None => "; DuckDB beside it skipped: cargo xtask bench --peers",
    };
    let mut count = Row::new(
        format!(
            "count at an instant by equality over {streams} streams, warm, median of {ASKED}{beside}"
        ),
        "ms",
        Goal::AtMost(0.1),
    );
    let mut list = Row::new(
        format!("list of the half of {streams} streams that match, warm"),
        "ms",
        Goal::AtMost(5.0),
    );
    let mut cold = Row::new(
        "the first such list, which is read from the cache",
        "ms",
        Goal::AtMost(100.0),
    );
    let mut replay = Row::new(
        format!("count at an instant by replay of {events} events"),
        "s",
        Goal::AtMost(6.0),
    );
    let mut build = Row::new(
        format!("index of a field of {events} events, what folding takes left aside"),
        "events/s",
        Goal::AtLeast(300_000.0),
    );
    let mut sql_count = Row::new(
        format!("SQL: the same count over {streams} streams, warm, median of {ASKED}"),
        "ms",
        Goal::AtMost(100.0),
    );
    let mut sql_groups = Row::new(
        "SQL: the same streams by status, warm",
        "ms",
        Goal::AtMost(1_000.0),
    );
    let mut sql_replay = Row::new(
        format!("SQL: the same count by replay of {events} events"),
        "s",
        Goal::AtMost(12.0),
    );
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let path = folder.path().join("bench.annals");
    fill(&path, streams, events, YEAR_US)?;
    let log = Log::explore(&path)?;
    let mut models = ModelSet::default();
    models.add(Model::parse("order", MODEL)?)?;
    let put =
        |index: Option<&IntervalIndex>, at: &str, limit: usize| -> Outcome<(f64, AnswerView)> {
            let asking = Asking {
                log: &log,
                models: &models,
                zone: chrono_tz::UTC,
                limit,
                index,
                as_of: AsOf::default(),
            };
            let text = format!("count order where status = \"Pending\" at {at}");
            let question = Question::parse(&text)?;
            let start = Instant::now();
            let answer = ask(&asking, &question, &mut |_| true)?;
            Ok((start.elapsed().as_secs_f64(), answer))
        };
    let sql_models = Arc::new(models.clone());
    let select = |index: Option<&Arc<IntervalIndex>>, sql: &str| -> Outcome<(f64, SqlView)> {
        let question = sql::Question {
            index,
            time: Duration::from_secs(600),
            ..sql::Question::new(sql)
        };
        let start = Instant::now();
        let answer = sql::ask(&log, &sql_models, &question, &Arc::default())?;
        Ok((start.elapsed().as_secs_f64(), answer))
    };
    let counted =
        |at: &str| format!("SELECT count(*) FROM order_at('{at}') WHERE status = 'Pending'");
    let noon = |day: u64| {
        format!(
            "2024-{:02}-{:02}T12:00:00Z",
            day / 28 % 12 + 1,
            day % 28 + 1
        )
    };
    // All streams have begun, and half of them have gone on.
    let half = happened(streams + streams / 2, events, YEAR_US)?.to_string();
    for round in 0..plan.rounds as u64 {
        let (seconds, by_replay) = put(None, &noon(round), 0)?;
        replay.ours.push(seconds);
        let index = Arc::new(IntervalIndex::open(&log, None));
        let (built, indexed) = put(Some(&index), &noon(round), 0)?;
        if indexed.source != AnswerSource::Index || value(&indexed) != value(&by_replay) {
            return Err("the index and the replay differ".into());
        }
        if round == 0 {
            build
                .ours
                .push(events as f64 / (built - seconds).max(0.001));
        }
        let mut figures = Vec::new();
        for n in 0..ASKED {
            figures.push(put(Some(&index), &noon(n * 3 + round), 0)?.0 * 1_000.0);
        }
        count.ours.push(median(&figures));
        let first = put(Some(&index), &half, usize::MAX)?;
        cold.ours.push(first.0 * 1_000.0);
        let again = put(Some(&index), &half, usize::MAX)?;
        list.ours.push(again.0 * 1_000.0);
        if (first.1.rows.len() as u64).abs_diff(streams / 2) > 1 {
            return Err(format!("{} streams are listed", first.1.rows.len()).into());
        }
        let (seconds, folded) = select(None, &counted(&noon(round)))?;
        sql_replay.ours.push(seconds);
        let mut figures = Vec::new();
        for n in 0..ASKED {
            let (seconds, view) = select(Some(&index), &counted(&noon(n * 3 + round)))?;
            figures.push(seconds * 1_000.0);
            if n == 0 && (view.rows != folded.rows || view.from_index.is_empty()) {
                return Err("the index and the replay differ in SQL".into());
            }
        }
        sql_count.ours.push(median(&figures));
        let groups = format!(
            "SELECT status, count(*) FROM order_at('{}') GROUP BY status",
            noon(round)
        );
        sql_groups
            .ours
            .push(select(Some(&index), &groups)?.0 * 1_000.0);
        if let Some(python) = &duckdb {
            let (seconds, theirs) = in_duckdb(python, folder.path(), &log)?;
            count.baseline.push(seconds * 1_000.0);
            let (_, ours) = put(Some(&index), DUCKDB_AT, 0)?;
            if value(&ours) != Some(theirs.as_str()) {
                return Err(format!("DuckDB counts {theirs}, we {:?}", value(&ours)).into());
            }
        }
    }
    let day = busy_day(plan, &models, streams)?;
    Ok(vec![
        count, day, list, cold, replay, build, sql_count, sql_groups, sql_replay,
    ])
}

fn value(answer: &AnswerView) -> Option<&str> {
    answer.value.as_ref().map(|value| value.get())
}

/// The same count where all of it happened in one day, at instants of that day.
fn busy_day(plan: &Plan, models: &ModelSet, streams: u64) -> Outcome<Row> {
    const DAY_US: u64 = 86_400_000_000;
    let events = streams * 3;
    let mut row = Row::new(
        format!(
            "the same count inside a day in which all of {events} events happened, warm, median of {ASKED}"
        ),
        "ms",
        Goal::AtMost(0.1),
    );
    let folder = tempfile::tempdir_in(&plan.folder)?;
    let path = folder.path().join("day.annals");
    fill(&path, streams, events, DAY_US)?;
    let log = Log::explore(&path)?;
    let index = IntervalIndex::open(&log, None);
    let count = |index: Option<&IntervalIndex>, at: Time| -> Outcome<AnswerView> {
        let asking = Asking {
            log: &log,
            models,
            zone: chrono_tz::UTC,
            limit: 0,
            index,
            as_of: AsOf::default(),
        };
        let text = format!("count order where status = \"Pending\" at {at}");
        Ok(ask(&asking, &Question::parse(&text)?, &mut |_| true)?)
    };
    let noon = happened(events / 2, events, DAY_US)?;
    let (indexed, replayed) = (count(Some(&index), noon)?, count(None, noon)?);
    if indexed.source != AnswerSource::Index || value(&indexed) != value(&replayed) {
        return Err("the index and the replay differ inside a day".into());
    }
    for round in 0..plan.rounds as u64 {
        let mut figures = Vec::new();
        for n in 0..ASKED {
            let nth = (n * 7_919 + round * 131) % ASKED * events / ASKED + n;
            let at = happened(nth % events, events, DAY_US)?;
            let start = Instant::now();
            count(Some(&index), at)?;
            figures.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        row.ours.push(median(&figures));
    }
    Ok(row)
}

/// Orders through the span, from the beginning of 2024 on: placed, paid, shipped, then noted on; interleaved.
fn fill(path: &std::path::Path, streams: u64, events: u64, span_us: u64) -> Outcome<()> {
    let writer = LogWriter::create(path, Surroundings::system())?;
    let numbers: Vec<u64> = (0..events).collect();
    for chunk in numbers.chunks(10_000) {
        let mut appends = Vec::with_capacity(chunk.len());
        for n in chunk {
            let (stream, nth) = (n % streams, n / streams);
            let event_type = TYPES.get(nth as usize).copied().unwrap_or("OrderNoted");
            let mut event =
                NewEvent::json(event_type, &format!("{{\"total\":{}.50}}", stream % 300))?;
            event.time = Some(SourceTime::unwritten(happened(*n, events, span_us)?));
            appends.push(StreamAppend {
                stream: StreamId::new(format!("order-{stream:06}"))?,
                category: None,
                expected: ExpectedVersion::Any,
                events: vec![event],
            });
        }
        writer.append(appends)?;
    }
    writer.close()?;
    Ok(())
}

/// When the nth event happened.
fn happened(n: u64, events: u64, span_us: u64) -> Outcome<Time> {
    let start = Time::parse_rfc3339("2024-01-01T00:00:00Z")?.us();
    let us = start + i64::try_from(n * (span_us / events))?;
    Time::from_parts(us, 0).ok_or_else(|| "a time of 2024".into())
}

/// Seconds that DuckDB takes for the same count over the raw events, and what it counts. The events are in its own
/// columns when it begins; the median of five.
fn in_duckdb(python: &str, folder: &std::path::Path, log: &Log) -> Outcome<(f64, String)> {
    let file = folder.join("events.csv");
    if !file.exists() {
        let mut text = String::from("stream,type,us\n");
        log.for_each_event(&Default::default(), &mut |event, _| {
            let stream = event.stream.as_ref().map_or("", |stream| stream.as_str());
            text.push_str(&format!(
                "{stream},{},{}\n",
                event.event_type,
                event.time.time.us()
            ));
            true
        })?;
        std::fs::write(&file, text)?;
    }
    const SCRIPT: &str = "\
import sys, time, duckdb
c = duckdb.connect()
c.execute('SET threads TO 2')
c.execute(f\"CREATE TABLE e AS SELECT * FROM '{sys.argv[1]}'\")
q = \"\"\"SELECT count(*) FROM (SELECT arg_max(type, us) t FROM e
WHERE type <> 'OrderNoted' AND us <= 1718000000000000 GROUP BY stream) WHERE t = 'OrderPlaced'\"\"\"
figures = []
for _ in range(5):
    start = time.perf_counter()
    n = c.execute(q).fetchone()[0]
    figures.append(time.perf_counter() - start)
print(sorted(figures)[2], n)
";
    let out = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(&file)
        .output()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut words = text.split_whitespace();
    let seconds = words.next().and_then(|word| word.parse().ok());
    match (seconds, words.next()) {
        (Some(seconds), Some(count)) => Ok((seconds, count.to_owned())),
        _ => {
            let why = String::from_utf8_lossy(&out.stderr).into_owned();
            Err(format!("DuckDB did not answer: {why}").into())
        }
    }
}
