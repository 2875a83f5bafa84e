//! Every value that a place had: from when to when, and by which event.
//!
//! A history goes along time: at any instant it says what [`state`](super::state()) as of that instant says. Where
//! events of a stream were recorded in the order in which they happened, that is one fold. An event that happened
//! before one with a lower version is put in its place by version when its time has come, and what follows it is
//! folded again.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::diff::raw;
use super::state::{Course, Cut, StateView, When, stream_row};
use super::trace::{Touched, touched};
use super::{AsOfView, Moment, TemporalError};
use crate::finding::{Finding, Findings};
use crate::id::StreamId;
use crate::model::{FieldPath, Fold, ModelRef, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Log, StreamEvent};
use crate::time::Time;

/// Values that an answer lists where nothing else is asked for.
pub const VALUES: usize = 1_000;
/// Events between two folds kept for going back.
const SPACING: usize = 128;

/// Every value that a place had: `annals history --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct HistoryView {
    /// Stream.
    pub stream: String,
    /// Category.
    pub category: String,
    /// Path in the state; empty for the whole.
    pub path: String,
    /// The values, oldest first: the newest that fit the limit. Each holds from its own instant, inclusive, to the
    /// next one's, exclusive; of several with one instant each holds until the next version.
    pub values: Vec<ValueSpan>,
    /// How many there are.
    #[ts(type = "number")]
    pub values_count: u64,
    /// Model used; whether it is inferred.
    pub model: ModelRef,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Highest version folded; 0 if none.
    pub version: Version,
    /// Number of events looked at that could be folded.
    #[ts(type = "number")]
    pub events_folded: u64,
    /// Number of events looked at that could not be folded and changed nothing.
    #[ts(type = "number")]
    pub events_failed: u64,
    /// Number of events in the stream, whatever the as-of.
    #[ts(type = "number")]
    pub events_in_stream: u64,
    /// An event could not be folded, so values from there on may miss what it would have done.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// A value and how long it held.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ValueSpan {
    /// The value; `null` while the place was gone (see `present`).
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// The place was there; `false` between an event that took it away and one that brought it back.
    pub present: bool,
    /// When it came to be: the time of the event that set it, UTC, inclusive.
    pub from: Time,
    /// When the next one came, UTC, exclusive; `null` if it is the last.
    pub to: Option<Time>,
    /// Position of the event that set it.
    pub position: Position,
    /// Version of that event.
    pub version: Version,
    /// Version of the event that set the next one; `null` if it is the last.
    pub to_version: Option<Version>,
    /// Type of the event that set it.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Who did it.
    pub actor: Option<String>,
    /// Why, as the event says it.
    pub reason: Option<String>,
    /// How many events set it again to what it was, without changing it.
    #[ts(type = "number")]
    pub confirmed: u64,
    /// The last of them.
    pub last_confirmed: Option<Version>,
}

/// Every value that a place had up to a moment. At most `limit` of them are listed, the newest.
///
/// # Errors
/// As [`state`](super::state()); [`TemporalError::NoPath`] if the path never was in the state.
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, temporal::*};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let now = Moment::AsOf(AsOf::default());
/// let history = history(&log, &models, &"user-123".parse()?, &"email".parse()?, &now, VALUES)?;
/// let [old, new] = &history.values[..] else { panic!() };
/// assert_eq!(old.value.as_ref().unwrap().get(), r#""john@oldcompany.com""#);
/// assert_eq!(old.to, Some(new.from));
/// assert_eq!(new.reason.as_deref(), Some("Company transfer"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn history(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    path: &FieldPath,
    moment: &Moment,
    limit: usize,
) -> Result<HistoryView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, moment)?;
    let model = models.for_category(&row.category);
    let mut spans = Spans::new(path, limit);
    let mut course = Course::new(Fold::new(Arc::clone(&model)));
    let mut latest: Option<Time> = None;
    let mut in_order = true;
    course.go(log, stream, &cut, &mut |when, course, event| {
        if when == When::Before {
            return;
        }
        let time = course.time();
        in_order &= latest.is_none_or(|latest| latest <= time);
        latest = latest.max(Some(time));
        if in_order {
            spans.take(course.fold(), event, time);
        }
    })?;
    if !in_order {
        spans = Spans::new(path, limit);
        along_time(log, stream, &cut, &Fold::new(model), &mut spans)?;
    }
    let StateView {
        stream: name,
        category,
        as_of,
        reading,
        version,
        events_folded,
        events_failed,
        events_in_stream,
        model,
        incomplete,
        findings,
        ..
    } = course.view(stream, &row, cut.as_of, models);
    if spans.count == 0 && course.taken() > 0 {
        return Err(TemporalError::NoPath {
            stream: stream.clone(),
            path: path.to_string(),
            version,
            near: super::why::near(course.fold().state(), path),
        });
    }
    Ok(HistoryView {
        stream: name,
        category,
        path: path.to_string(),
        values: spans.list.into(),
        values_count: spans.count,
        model,
        as_of,
        reading,
        version,
        events_folded,
        events_failed,
        events_in_stream,
        incomplete,
        findings,
    })
}

/// The values so far.
struct Spans<'p> {
    path: &'p FieldPath,
    limit: usize,
    list: VecDeque<ValueSpan>,
    count: u64,
    /// The value of the last span.
    held: Option<Value>,
}

impl<'p> Spans<'p> {
    fn new(path: &'p FieldPath, limit: usize) -> Spans<'p> {
        Spans {
            path,
            limit: limit.max(1),
            list: VecDeque::new(),
            count: 0,
            held: None,
        }
    }

    /// Takes the state after the fold's last event, which is this one.
    fn take(&mut self, fold: &Fold, event: &StreamEvent, time: Time) {
        let mut did = touched(fold, event.event.event_type.as_str(), self.path);
        // The state itself is there from the first event on, whatever that did.
        did.real |= self.path.0.is_empty() && self.count == 0;
        if did.any || did.real {
            self.compare(fold, event, time, did);
        }
    }

    /// Takes the state after an event whose time has come.
    fn compare(&mut self, fold: &Fold, event: &StreamEvent, time: Time, did: Touched) {
        let value = self.path.get(fold.state());
        let same = if did.real {
            self.held.as_ref() == value
        } else {
            self.held.is_some() == value.is_some()
        };
        if same {
            if let (Some(last), true) = (self.list.back_mut(), did.any) {
                last.confirmed += 1;
                last.last_confirmed = Some(event.version);
            }
            return;
        }
        if let Some(last) = self.list.back_mut() {
            last.to = Some(time);
            last.to_version = Some(event.version);
        }
        let told = fold.circumstances(event);
        self.held = value.cloned();
        self.count += 1;
        if self.list.len() >= self.limit {
            self.list.pop_front();
        }
        self.list.push_back(ValueSpan {
            value: value.map(raw),
            present: value.is_some(),
            from: time,
            to: None,
            position: event.event.position,
            version: event.version,
            to_version: None,
            event_type: event.event.event_type.to_string(),
            actor: told.who.map(|told| told.value),
            reason: told.why.map(|told| told.value),
            confirmed: 0,
            last_confirmed: None,
        });
    }
}

/// Goes through the events in order of time; the state after each is the fold in version order of those so far.
fn along_time(
    log: &Log,
    stream: &StreamId,
    cut: &Cut,
    start: &Fold,
    spans: &mut Spans<'_>,
) -> Result<(), TemporalError> {
    let mut events = Vec::new();
    log.for_each_in_stream(stream, Version::FIRST, cut.as_of.known, &mut |event| {
        let within = event.version <= cut.last;
        if within && cut.as_of.at.is_none_or(|at| event.event.time.time <= at) {
            events.push(event);
        }
        within
    })?;
    let mut by_time: Vec<usize> = (0..events.len()).collect();
    by_time.sort_by_key(|at| events[*at].event.time.time);
    let mut taken = Taken::new(start);
    for at in by_time {
        let event = &events[at];
        let time = event.event.time.time;
        if taken.add(at, &events) {
            spans.take(taken.fold(), event, time);
        } else {
            let (any, real) = (false, true);
            spans.compare(taken.fold(), event, time, Touched { any, real });
        }
    }
    Ok(())
}

/// Some events of a stream, folded in version order.
struct Taken {
    /// Their places in the list of all, ascending.
    places: Vec<usize>,
    /// Folds of the first so many of them, ascending; the first is of none.
    kept: Vec<(usize, Fold)>,
    now: Fold,
}

impl Taken {
    fn new(start: &Fold) -> Taken {
        Taken {
            places: Vec::new(),
            kept: vec![(0, start.clone())],
            now: start.clone(),
        }
    }

    fn fold(&self) -> &Fold {
        &self.now
    }

    /// Takes one more; says whether it came last, so that the fold only went on.
    fn add(&mut self, place: usize, events: &[StreamEvent]) -> bool {
        let at = self.places.partition_point(|taken| *taken < place);
        let last = at == self.places.len();
        self.places.insert(at, place);
        let mut done = at;
        if !last {
            self.kept.retain(|(folded, _)| *folded <= at);
            if let Some((folded, fold)) = self.kept.last() {
                done = *folded;
                self.now = fold.clone();
            }
        }
        for place in &self.places[done..] {
            self.now.apply(&events[*place], &mut Findings::default());
            done += 1;
            if self.kept.last().is_none_or(|(n, _)| done - n >= SPACING) {
                self.kept.push((done, self.now.clone()));
            }
        }
        last
    }
}
