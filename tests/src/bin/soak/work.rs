//! Those who work on the store all the time, each in a thread of its own.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use annals_core::event::NewEvent;
use annals_core::id::StreamId;
use annals_core::model::{Model, ModelSet};
use annals_core::position::{Position, Version};
use annals_core::progress::WorkProgress;
use annals_core::projection::{Projection, ProjectionSet, Projections, Runner};
use annals_core::question::{AnswerView, Asking, IntervalIndex, Question, ask};
use annals_core::search::{IndexProgress, TextIndex, TextQuery};
use annals_core::store::{
    AppendError, Direction, EventQuery, ExpectedVersion, Log, LogWriter, StreamAppend,
};
use annals_core::surroundings::Clock;
use annals_core::temporal::{self, Moment};
use annals_core::time::Time;
use annals_tests::Outcome;
use annals_tests::seeded::{Seeded, data};

use super::begin::{LONG, early};
use super::record::DISK;

/// Names of the projections: a synchronous one and an asynchronous one.
pub const PROJECTIONS: [&str; 2] = ["statuses", "products"];

/// What happens to an order, one after another.
pub const LIFE: [(&str, &str); 5] = [
    ("OrderPlaced", "Pending"),
    ("ItemAdded", "Pending"),
    ("PaymentProcessed", "Paid"),
    ("OrderShipped", "Shipped"),
    ("OrderDelivered", "Delivered"),
];

/// Streams that batches go to.
pub const SHELVES: u64 = 5_000;

const MODEL: &str = "category = \"order\"\n\
    [on.OrderPlaced]\nstatus = \"'Pending'\"\ntotal = \"data.total\"\n\
    [on.ItemAdded]\n\"total.add\" = \"data.total\"\n\
    [on.PaymentProcessed]\nstatus = \"'Paid'\"\n\
    [on.OrderShipped]\nstatus = \"'Shipped'\"\n\
    [on.OrderDelivered]\nstatus = \"'Delivered'\"\n";

/// What the workers share.
pub struct Site {
    pub log: Log,
    pub writer: LogWriter,
    pub projections: Projections,
    pub models: ModelSet,
    pub index: IntervalIndex,
    pub text: TextIndex,
    /// The log's events when the work began, and those of its streams that are long.
    pub begun: u64,
    pub long: super::begin::Long,
    pub record: super::record::Record,
    /// Cancelled when the time is over, or when somebody failed.
    pub progress: WorkProgress,
    /// Orders begun, by name.
    pub orders: Mutex<u64>,
    /// Events that the tail saw.
    pub tailed: AtomicU64,
    pub clock: Clock,
}

impl Site {
    fn goes_on(&self) -> bool {
        !self.progress.is_cancelled()
    }

    fn orders(&self) -> u64 {
        *self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Time {
        (self.clock)()
    }
}

type Worker = fn(&Site) -> Outcome;

/// All workers by name.
pub fn all() -> Vec<(&'static str, Worker)> {
    vec![
        ("appends", appends),
        ("more appends", appends),
        ("batches", batches),
        ("projections", projections),
        ("tail", tail),
        ("reads", reads),
        ("questions", questions),
        ("searches", searches),
        ("disk", disk),
    ]
}

/// Runs a worker; where it fails all stop.
pub fn kept_up(site: &Site, worker: Worker) -> Outcome {
    let done = worker(site);
    if done.is_err() {
        site.progress.cancel();
    }
    done
}

/// The model of orders.
pub fn models() -> Outcome<ModelSet> {
    let mut models = ModelSet::default();
    models.add(Model::parse("order", MODEL)?)?;
    Ok(models)
}

/// The projections.
pub fn set() -> Outcome<ProjectionSet> {
    let mut handlers = String::new();
    for (event_type, _) in LIFE {
        handlers +=
            &format!("[on.{event_type}]\n\"events.add\" = \"1\"\n\"total.add\" = \"data.total\"\n");
    }
    let mut set = ProjectionSet::default();
    for (name, strategy, key) in [
        ("statuses", "sync", "data.status"),
        // Of a fixed number of products, so that it is not the documents that grow.
        ("products", "async", "data.items[0].productId"),
    ] {
        let text = format!("strategy = '{strategy}'\nkey = '{key}'\n{handlers}");
        set.add(Projection::parse(name, &text)?)?;
    }
    Ok(set)
}

/// Waits until the `n`th of so many pieces of work a second is due.
fn pace(start: Instant, n: u64, a_second: u32) {
    let due = Duration::from_secs(1) / a_second * u32::try_from(n).unwrap_or(u32::MAX);
    std::thread::sleep(due.saturating_sub(start.elapsed()));
}

fn event(event_type: &str, seed: &mut Seeded) -> Outcome<NewEvent> {
    Ok(NewEvent::json(event_type, &data(seed))?)
}

fn append_to(stream: &str, expected: ExpectedVersion, event: NewEvent) -> Outcome<StreamAppend> {
    Ok(StreamAppend {
        stream: StreamId::new(stream)?,
        category: None,
        expected,
        events: vec![event],
    })
}

/// Leads orders through their life, one event a call, each at the version that is expected; now and then one that is
/// not, which must be refused.
fn appends(site: &Site) -> Outcome {
    let start = Instant::now();
    let mut n = 0;
    while site.goes_on() {
        let order = {
            let mut orders = site.orders.lock().unwrap_or_else(PoisonError::into_inner);
            *orders += 1;
            *orders
        };
        let mut seed = Seeded(order);
        let stream = format!("order-{order}");
        for (at, (event_type, _)) in LIFE.iter().enumerate() {
            pace(start, n, 150);
            n += 1;
            let expected = ExpectedVersion::Exact(Version(at as u64));
            let append = append_to(&stream, expected, event(event_type, &mut seed)?)?;
            site.record.timed("append", || {
                Ok(site.projections.append(&site.writer, vec![append])?)
            })?;
        }
        if order % 50 == 0 {
            let late = append_to(
                &stream,
                ExpectedVersion::NoStream,
                event("OrderPlaced", &mut seed)?,
            )?;
            match site.writer.append(vec![late]) {
                Err(AppendError::VersionConflict { .. }) => {}
                other => {
                    return Err(format!("a version that is not there was taken: {other:?}").into());
                }
            }
        }
    }
    Ok(())
}

/// Twenty streams in one append.
fn batches(site: &Site) -> Outcome {
    let start = Instant::now();
    let mut seed = Seeded(77);
    let mut n = 0;
    while site.goes_on() {
        pace(start, n, 10);
        n += 1;
        let appends: Outcome<Vec<StreamAppend>> = (0..20)
            .map(|at| {
                let stream = format!("shelf-{}", (n * 20 + at) % SHELVES);
                append_to(
                    &stream,
                    ExpectedVersion::Any,
                    event("StockCounted", &mut seed)?,
                )
            })
            .collect();
        let appends = appends?;
        site.record.timed("batch", || {
            Ok(site.projections.append(&site.writer, appends)?)
        })?;
    }
    Ok(())
}

fn projections(site: &Site) -> Outcome {
    let runner = Runner {
        id: "soak".to_owned(),
        pid: std::process::id(),
        names: vec![PROJECTIONS[1].to_owned()],
    };
    Ok(site.projections.run(&runner, &site.progress, &mut |_| {})?)
}

/// Follows the log from its beginning by a handle of its own; every position must come, in order, once.
fn tail(site: &Site) -> Outcome {
    let log = Log::explore(site.log.path())?;
    let mut coming = log.subscribe(Position::ZERO);
    let mut last = 0;
    loop {
        let goes_on = site.goes_on();
        let events = coming.next(500, 200)?;
        for event in &events {
            if event.position.0 != last + 1 {
                return Err(format!("after position {last} came {}", event.position).into());
            }
            last += 1;
        }
        site.tailed.store(last, Ordering::Relaxed);
        if events.is_empty() && !goes_on && last == log.head()?.size.0 {
            return Ok(());
        }
    }
}

/// Streams, states and pages of the log, here and there; each of them the same work at every size of the log.
fn reads(site: &Site) -> Outcome {
    let start = Instant::now();
    let mut seed = Seeded(5);
    let mut n = 0;
    while site.goes_on() {
        pace(start, n, 100);
        n += 1;
        let stream = site.long.any(&mut seed);
        site.record.timed("stream", || {
            newest(site, stream, LONG as usize, LONG as usize)
        })?;
        let at = Moment::Version(early(&mut seed));
        site.record.timed("state", || {
            Ok(temporal::state(&site.log, &site.models, stream, &at)?)
        })?;
        if n % 10 == 0 {
            let query = EventQuery {
                after: Some(Position(seed.below(site.begun) + 51)),
                direction: Direction::Backwards,
                ..EventQuery::default()
            };
            site.record
                .timed("page", || Ok(site.log.events(&query, 50)?))?;
            let orders = site.orders();
            if orders > 10 {
                // One that its writer has left.
                let order = seed.below(orders - 4) + 1;
                newest(site, &StreamId::new(format!("order-{order}"))?, 50, 0)?;
            }
        }
    }
    Ok(())
}

/// Reads the newest events of a stream, at most `most`; `least` must be there.
fn newest(site: &Site, stream: &StreamId, most: usize, least: usize) -> Outcome {
    let versions = Version(1)..=Version(u64::MAX);
    let log = &site.log;
    let events = log.read_stream(stream, versions, Direction::Backwards, most)?;
    match events.len() {
        few if few < least => Err(format!("{stream} has {few} events").into()),
        _ => Ok(()),
    }
}

pub fn answer(site: &Site, index: Option<&IntervalIndex>, at: Time) -> Outcome<AnswerView> {
    let asking = Asking {
        log: &site.log,
        models: &site.models,
        zone: chrono_tz::UTC,
        limit: 0,
        index,
        as_of: annals_core::temporal::AsOf::default(),
    };
    let text = format!("count order where status = \"Delivered\" at {at}");
    Ok(ask(&asking, &Question::parse(&text)?, &mut |_| true)?)
}

/// A count from the index each second, as of five seconds ago; the index takes in first what came since the last.
fn questions(site: &Site) -> Outcome {
    let start = Instant::now();
    let mut n = 0;
    while site.goes_on() {
        pace(start, n, 1);
        n += 1;
        let us = site.now().us() - 5_000_000;
        let Some(at) = Time::from_parts(us, 0) else {
            return Err("no time five seconds ago".into());
        };
        site.record
            .timed("question", || answer(site, Some(&site.index), at))?;
    }
    Ok(())
}

/// The answer to one question from the index, and by replay.
pub fn both_answers(site: &Site) -> Outcome<(String, String)> {
    let index = IntervalIndex::open(&site.log, None);
    let at = site.now();
    let value = |answer: AnswerView| {
        answer
            .value
            .map_or("none".to_owned(), |v| v.get().to_owned())
    };
    Ok((
        value(answer(site, Some(&index), at)?),
        value(answer(site, None, at)?),
    ))
}

/// Two words that stand together in some events.
fn words() -> Outcome<TextQuery> {
    Ok(TextQuery::parse("amber orchard")?)
}

/// The text index catches up every two seconds, and the newest events are looked for that hold two words.
fn searches(site: &Site) -> Outcome {
    let both = words()?;
    let backwards = EventQuery {
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    while site.goes_on() {
        site.record.timed("index", || {
            Ok(site.text.catch_up(&IndexProgress::default())?)
        })?;
        site.record
            .timed("search", || Ok(site.text.search(&both, &backwards, 20)?))?;
        std::thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

/// How many events hold two words, by the text index and by looking at every event.
pub fn both_counts(site: &Site) -> Outcome<(u64, u64)> {
    let both = words()?;
    let all = EventQuery::default();
    site.text.catch_up(&IndexProgress::default())?;
    let indexed = site.text.positions(&both, &all)?.len() as u64;
    let mut looked_at = 0;
    site.log.for_each_event(&all, &mut |event, _| {
        looked_at += u64::from(both.matches(&event));
        true
    })?;
    Ok((indexed, looked_at))
}

/// What the disk takes by itself: a file beside the store is made longer by a page and synced, ten times a second.
fn disk(site: &Site) -> Outcome {
    let mut file = tempfile::tempfile_in(site.log.path().parent().unwrap_or(Path::new(".")))?;
    let start = Instant::now();
    let mut n = 0;
    while site.goes_on() {
        pace(start, n, 10);
        n += 1;
        site.record.timed(DISK, || {
            file.write_all(&[0; 4_096])?;
            Ok(file.sync_all()?)
        })?;
    }
    Ok(())
}
