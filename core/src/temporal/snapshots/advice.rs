//! Which policy each category wants: from what replays cost here, how often states are asked for and events come, and
//! the guide's thresholds (100, 1,000 and 10,000 events a stream).

use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use super::super::AsOf;
use super::super::state::{Course, Cut};
use crate::id::{Category, StreamId};
use crate::model::{Fold, ModelSet};
use crate::position::{Position, Version};
use crate::snapshot::{SnapshotError, SnapshotPolicy, SnapshotStrategy, Snapshots};
use crate::store::{Log, ReadError, StreamQuery, StreamRow};
use crate::time::Time;

/// The guide's thresholds, in events a stream: consider, recommended, essential.
const THRESHOLDS: [u64; 3] = [100, 1_000, 10_000];

/// A state that takes longer is waited for, in microseconds.
const WAITED_FOR_US: u64 = 10_000;

/// Streams of a category whose replay is measured: its longest.
const SAMPLED: usize = 3;

/// Most events that a measurement folds of a stream; a longer one is reckoned from that.
const MEASURED_EVENTS: u64 = 20_000;

/// Streams listed at once.
const PAGE: usize = 500;

/// What is advised for one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AdviceRow {
    /// The category.
    pub category: String,
    /// Number of its streams.
    #[ts(type = "number")]
    pub streams: u64,
    /// Its longest stream.
    pub longest: String,
    /// Number of events there.
    #[ts(type = "number")]
    pub longest_events: u64,
    /// Number of its streams with more than 100 events, with more than 1,000, with more than 10,000.
    #[ts(type = "[number, number, number]")]
    pub above: [u64; 3],
    /// How long a replay of the longest takes, in microseconds; the slowest measured where several were, reckoned from
    /// the first 20,000 events of a longer one.
    #[ts(type = "number")]
    pub replay_us: u64,
    /// Events a day, over the time that the category spans.
    #[ts(type = "number")]
    pub events_per_day: u64,
    /// How often states were asked for since policies were written; `null` where none are.
    #[ts(type = "number | null")]
    pub reads: Option<u64>,
    /// The policy there is.
    pub present: SnapshotPolicy,
    /// The policy that is advised.
    pub advised: SnapshotPolicy,
    /// Why, in a sentence.
    pub reason: String,
}

/// Which policies the categories want: `annals snapshot advise --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SnapshotAdviceView {
    /// The categories, those with most events first.
    pub categories: Vec<AdviceRow>,
    /// The log's last position.
    pub known: Position,
}

/// Measures replays of the longest streams of each category, by the clock of `snapshots`, and advises. `go_on` is told
/// the number of streams looked at and stops the work by saying no.
///
/// # Errors
/// [`SnapshotError`]; [`ReadError::Cancelled`] in it if it was stopped.
pub fn advise_snapshots(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotAdviceView, SnapshotError> {
    let known = log.head()?.size;
    let mut view = SnapshotAdviceView {
        categories: Vec::new(),
        known,
    };
    let mut looked_at = 0;
    for row in log.info()?.categories {
        let Ok(category) = Category::new(row.name.as_str()) else {
            continue;
        };
        let seen = longest(log, &category, known, &mut looked_at, go_on)?;
        let Some(first) = seen.longest.first() else {
            continue;
        };
        let model = models.for_category(category.as_str());
        let mut replay_us = 0;
        for stream in &seen.longest {
            let us = measure(log, &model, snapshots, stream, known)?;
            replay_us = replay_us.max(us * first.events / stream.events.max(1));
        }
        let reads = match snapshots.policies().is_empty() {
            true => None,
            false => Some(snapshots.reads_of(category.as_str())?),
        };
        let span_us = u64::try_from(seen.last.us() - seen.first.us()).unwrap_or(0);
        let days = (span_us / 86_400_000_000).max(1);
        let mut advice = AdviceRow {
            category: category.to_string(),
            streams: seen.streams,
            longest: first.stream.clone(),
            longest_events: first.events,
            above: seen.above,
            replay_us,
            events_per_day: row.events / days,
            reads,
            present: snapshots.policies().of(category.as_str()),
            advised: SnapshotPolicy::default(),
            reason: String::new(),
        };
        (advice.advised, advice.reason) = advise(&advice, model.has_time());
        view.categories.push(advice);
    }
    Ok(view)
}

/// The policy for what was seen of a category, and why.
fn advise(seen: &AdviceRow, own_time: bool) -> (SnapshotPolicy, String) {
    let none = SnapshotPolicy::default();
    if own_time {
        let why = "the model counts events from a time of its own, so no snapshot can serve";
        return (none, why.to_owned());
    }
    let (events, us) = (seen.longest_events, seen.replay_us);
    let cost = format!(
        "the longest stream has {events} events and takes {}.{} ms",
        us / 1_000,
        us % 1_000 / 100
    );
    let [consider, recommended, essential] = THRESHOLDS;
    if events <= consider {
        return (none, format!("{cost}: up to {consider} events need none"));
    }
    // So many events take about a tenth of what is waited for.
    let event_ns = (us * 1_000 / events).max(1);
    let fits = WAITED_FOR_US * 100 / event_ns;
    let every = [1_000, 500, 100]
        .into_iter()
        .find(|n| *n <= fits)
        .unwrap_or(100);
    let periodic = |every| SnapshotPolicy {
        strategy: SnapshotStrategy::Periodic,
        every_events: Some(every),
        ..SnapshotPolicy::default()
    };
    let rolling = |every| SnapshotPolicy {
        strategy: SnapshotStrategy::Rolling,
        keep: Some(10),
        keep_first: true,
        keep_month_ends: true,
        ..periodic(every)
    };
    let on_demand = SnapshotPolicy {
        strategy: SnapshotStrategy::OnDemand,
        replay_ms: Some(WAITED_FOR_US / 1_000),
        ..SnapshotPolicy::default()
    };
    // Of a category that is written far more often than it is read a snapshot is seldom used.
    let seldom = seen
        .reads
        .is_some_and(|reads| reads * 10 < seen.events_per_day);
    match () {
        () if events > essential => (
            rolling(every),
            format!(
                "{cost}: above {essential} events they are essential; the newest, the first and each month's last stay"
            ),
        ),
        () if events > recommended && us > WAITED_FOR_US && !seldom => (
            periodic(every),
            format!(
                "{cost}: above {recommended} events they are recommended, and it is waited for"
            ),
        ),
        () if events > recommended && seldom => (
            on_demand,
            format!(
                "{cost}, and is written more than it is read: one where a replay was slow is enough"
            ),
        ),
        () if events > recommended => (
            on_demand,
            format!(
                "{cost}: above {recommended} events they are recommended, but nobody waits for it here"
            ),
        ),
        () if us > WAITED_FOR_US => (
            on_demand,
            format!("{cost}: above {consider} events they are considered, and it is waited for"),
        ),
        () => (
            none,
            format!(
                "{cost}: above {consider} events they are considered, but nobody waits for it here"
            ),
        ),
    }
}

struct SeenStreams {
    streams: u64,
    above: [u64; 3],
    /// Earliest and latest time of their events.
    first: Time,
    last: Time,
    /// The longest, longest first.
    longest: Vec<StreamRow>,
}

fn longest(
    log: &Log,
    category: &Category,
    known: Position,
    looked_at: &mut u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SeenStreams, SnapshotError> {
    let mut seen = SeenStreams {
        streams: 0,
        above: [0; 3],
        first: Time::MAX,
        last: Time::MIN,
        longest: Vec::new(),
    };
    let mut query = StreamQuery {
        category: Some(category.clone()),
        known: Some(known),
        ..StreamQuery::default()
    };
    loop {
        let page = log.streams(&query, PAGE)?;
        for row in page.streams {
            seen.streams += 1;
            seen.first = seen.first.min(row.first_time);
            seen.last = seen.last.max(row.last_time);
            for (above, threshold) in seen.above.iter_mut().zip(THRESHOLDS) {
                *above += u64::from(row.events > threshold);
            }
            seen.longest.push(row);
        }
        seen.longest
            .sort_by_key(|row| std::cmp::Reverse(row.events));
        seen.longest.truncate(SAMPLED);
        *looked_at += PAGE as u64;
        if !go_on(*looked_at) {
            return Err(ReadError::Cancelled.into());
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(seen);
        }
    }
}

/// How long a replay of a stream takes, in microseconds.
fn measure(
    log: &Log,
    model: &Arc<crate::model::Model>,
    snapshots: &Snapshots,
    row: &StreamRow,
    known: Position,
) -> Result<u64, SnapshotError> {
    let Ok(stream) = StreamId::new(row.stream.as_str()) else {
        return Ok(0);
    };
    let events = row.events.min(MEASURED_EVENTS);
    let cut = Cut {
        as_of: AsOf {
            at: None,
            known: Some(known),
        },
        last: Version(events),
    };
    let began = snapshots.now_us();
    let mut course = Course::new(Fold::new(Arc::clone(model)));
    let walked = course.go(log, &stream, &cut, &mut |_, _, _| true);
    walked.map_err(|error| match error {
        super::TemporalError::Read(error) => error,
        _ => ReadError::NoStream(stream.clone()),
    })?;
    let us = u64::try_from(snapshots.now_us() - began).unwrap_or(0);
    Ok(us * row.events / events.max(1))
}
