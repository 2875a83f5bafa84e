//! Every value that a place had: from when to when, and by which event.
//!
//! A history goes along time: at any instant it says what [`state`](super::state()) as of that instant says. Where
//! events of a stream were recorded in the order in which they happened, that is one fold. An event that happened
//! before one with a lower version is put in its place by version when its time has come; what follows it is taken
//! back and folded again. Where that would be too much, the history says from where on it is not told.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::diff::raw;
use super::passage::{Each, When};
use super::state::{Course, Cut, StateView, stream_row};
use super::trace::{Touched, touched};
use super::{AsOfView, Moment, TemporalError};
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::id::StreamId;
use crate::model::{Before, FieldPath, Fold, ModelRef, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Log, ReadError, StreamEvent};
use crate::time::Time;

/// Values that an answer lists where nothing else is asked for.
pub const VALUES: usize = 1_000;
/// Events folded between two questions whether to go on.
pub(super) const PACE: u64 = 1_000;
/// What a history along time may cost.
pub(crate) const BUDGET: Budget = Budget {
    again: 1_000_000,
    bytes: 64 << 20,
};

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
    /// An event could not be folded, so values from there on may miss what it would have done; or the history is not
    /// told to the end.
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
    /// When the next one came, UTC, exclusive; `null` if it is the last. Where the history is not told to the end
    /// (finding `not_told`), the last one's end is where the telling ends, and its `to_version` is `null`.
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

/// Every value that a place had up to a moment. At most `limit` of them are listed, the newest. `go_on` is told the
/// number of events folded and stops the work by saying no.
///
/// # Errors
/// As [`state`](super::state()); [`TemporalError::NoPath`] if the path never was in the state;
/// [`ReadError::Cancelled`] if the work was stopped.
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, temporal::*};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let now = Moment::AsOf(AsOf::default());
/// let history = history(&log, &models, &"user-123".parse()?, &"email".parse()?, &now, VALUES, &mut |_| true)?;
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
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<HistoryView, TemporalError> {
    within(log, models, stream, path, moment, limit, BUDGET, go_on)
}

#[expect(
    clippy::too_many_arguments,
    reason = "those of `history`, and what it may cost"
)]
fn within(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    path: &FieldPath,
    moment: &Moment,
    limit: usize,
    budget: Budget,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<HistoryView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, moment)?;
    let model = models.for_category(&row.category);
    let mut first = None;
    let asked = Asked {
        path,
        limit,
        budget,
        look: None,
    };
    let told = spans(
        &asked,
        Fold::new(Arc::clone(&model)),
        &Fold::apply_revocably,
        &mut |each| -> Result<(), TemporalError> {
            let mut course = Course::new(Fold::new(Arc::clone(&model)));
            let outcome = course.along_stream(log, stream, &cut, each);
            first.get_or_insert(course);
            outcome
        },
        &mut || events_of(log, stream, &cut),
        go_on,
    )?;
    let course = first.unwrap_or_else(|| Course::new(Fold::new(model)));
    let Spanned {
        values,
        values_count,
        stop,
    } = told;
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
        mut incomplete,
        mut findings,
        ..
    } = course.view(stream, &row, cut.as_of, models);
    if let Some(stop) = stop {
        incomplete = true;
        findings.push(not_told(Some(stream), &stop, budget));
    } else if values_count == 0 && course.taken() > 0 {
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
        values,
        values_count,
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

/// Looks a place up that is not in the state itself.
pub(crate) type Look<'a> = &'a dyn Fn(&Fold) -> Option<Value>;

/// What is asked of a history.
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a FieldPath,
    /// Most values that are listed.
    pub(crate) limit: usize,
    pub(crate) budget: Budget,
    /// How the place is looked up where it is not in the state itself.
    pub(crate) look: Option<Look<'a>>,
}

/// The values that a place had.
pub(crate) struct Spanned {
    pub(crate) values: Vec<ValueSpan>,
    pub(crate) values_count: u64,
    /// Where the history ends before its moment.
    pub(crate) stop: Option<Stop>,
}

/// Takes an event into a fold so that it can be taken back.
pub(crate) type Apply<'a> = dyn Fn(&mut Fold, &StreamEvent) -> Before + 'a;

/// Goes through the events of a state with `pass`, once or twice, and gathers the values that a place had; `events`
/// are the same, for where they did not happen in the order of the fold. `start` is the fold before the first.
pub(crate) fn spans<E: From<ReadError>>(
    asked: &Asked<'_>,
    start: Fold,
    apply: &Apply<'_>,
    pass: &mut dyn FnMut(&mut Each<'_>) -> Result<(), E>,
    events: &mut dyn FnMut() -> Result<Vec<StreamEvent>, E>,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Spanned, E> {
    let mut spans = Spans::new(asked);
    spans.lazy = asked.look.is_none();
    let mut latest: Option<Time> = None;
    let (mut in_order, mut stopped, mut taken) = (true, false, 0);
    pass(&mut |when, at, event| {
        if when == When::Before {
            return true;
        }
        taken = at.turn + 1;
        in_order &= latest.is_none_or(|latest| latest <= at.time);
        latest = latest.max(Some(at.time));
        if in_order {
            spans.take(at.fold, event, at.time);
        }
        stopped = taken.is_multiple_of(PACE) && !go_on(taken);
        !stopped
    })?;
    if stopped || !go_on(taken) {
        return Err(ReadError::Cancelled.into());
    }
    let mut stop = None;
    if !in_order {
        spans = Spans::new(asked);
        let events = events()?;
        let mut taken = Taken::new(start, taken, apply, go_on);
        stop = along_time(&events, asked.budget, &mut taken, &mut |seen| {
            if seen.went_on {
                spans.take(seen.fold, seen.event, seen.time);
            } else {
                let (any, real) = (false, true);
                spans.compare(seen.fold, seen.event, seen.time, Touched { any, real });
            }
        })?;
        if let (Some(stop), Some(last)) = (&stop, spans.list.back_mut()) {
            last.to = Some(stop.time);
        }
    } else if spans.lacks_values() {
        pass(&mut |when, at, event| {
            if when == When::After {
                spans.fill(at.fold, event.event.position);
                let taken = at.turn + 1;
                stopped = taken.is_multiple_of(PACE) && !go_on(taken);
            }
            !stopped
        })?;
        if stopped {
            return Err(ReadError::Cancelled.into());
        }
    }
    Ok(Spanned {
        values: spans.list.into(),
        values_count: spans.count,
        stop,
    })
}

/// That the history ends before its moment.
pub(crate) fn not_told(stream: Option<&StreamId>, stop: &Stop, budget: Budget) -> Finding {
    Finding {
        kind: FindingKind::NotTold,
        severity: Severity::Severe,
        count: stop.left,
        place: Place {
            stream: stream.map(ToString::to_string),
            version: stream.map(|_| stop.version),
            position: Some(stop.position),
            ..Place::default()
        },
        detail: format!(
            "the history is told up to {}, exclusive: so many events happened before others with lower versions that \
             {} had to be folded again; ask for states (state --at), or for what was known earlier (--known)",
            stop.time, budget.again
        ),
    }
}

/// The values so far.
struct Spans<'p> {
    path: &'p FieldPath,
    limit: usize,
    look: Option<Look<'p>>,
    list: VecDeque<ValueSpan>,
    count: u64,
    /// The value of the last span.
    held: Option<Value>,
    /// Lists and objects are not copied: doing so at every change would cost their size each time, and most of the
    /// copies are not listed. Those that are come in with [`Spans::fill`], a second time through the stream.
    lazy: bool,
    /// The last span holds a list or an object that was not copied.
    composed: bool,
}

impl<'p> Spans<'p> {
    fn new(asked: &Asked<'p>) -> Spans<'p> {
        Spans {
            path: asked.path,
            limit: asked.limit.max(1),
            look: asked.look,
            list: VecDeque::new(),
            count: 0,
            held: None,
            lazy: false,
            composed: false,
        }
    }

    /// Takes the state after the fold's last event, which is this one.
    fn take(&mut self, fold: &Fold, event: &StreamEvent, time: Time) {
        if self.look.is_some() {
            // Whatever the event changed, what is looked up may be another value.
            let (any, real) = (false, true);
            return self.compare(fold, event, time, Touched { any, real });
        }
        let mut did = touched(fold, event.event.event_type.as_str(), self.path);
        // The state itself is there from the first event on, whatever that did.
        did.real |= self.path.0.is_empty() && self.count == 0;
        if did.any || did.real {
            self.compare(fold, event, time, did);
        }
    }

    /// Takes the state after an event whose time has come.
    fn compare(&mut self, fold: &Fold, event: &StreamEvent, time: Time, did: Touched) {
        let looked_up = self.look.and_then(|look| look(fold));
        let value = match self.look {
            Some(_) => looked_up.as_ref(),
            None => self.path.get(fold.state()),
        };
        let composed = self.lazy && matches!(value, Some(Value::Array(_) | Value::Object(_)));
        let same = match (composed, self.composed) {
            // What changed in a list or an object is known from the changes.
            (true, true) => !did.real,
            (true, false) | (false, true) => false,
            // A place that never was there begins no history.
            (false, false) if self.look.is_some() && self.count == 0 => value.is_none(),
            (false, false) if did.real => self.held.as_ref() == value,
            (false, false) => self.held.is_some() == value.is_some(),
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
        let kept = value.filter(|_| !composed);
        self.held = kept.cloned();
        self.composed = composed;
        self.count += 1;
        if self.list.len() >= self.limit {
            self.list.pop_front();
        }
        self.list.push_back(ValueSpan {
            value: kept.map(raw),
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

    /// Whether values are to be filled in.
    fn lacks_values(&self) -> bool {
        let lacks = |span: &ValueSpan| span.present && span.value.is_none();
        self.list.iter().any(lacks)
    }

    /// Fills in the value that the event at this position set, if it is listed.
    fn fill(&mut self, fold: &Fold, position: Position) {
        let at = self
            .list
            .binary_search_by_key(&position, |span| span.position);
        // In the order of a model's own time positions are in any order.
        let span = match at {
            Ok(at) => self.list.get_mut(at),
            Err(_) => self.list.iter_mut().find(|span| span.position == position),
        };
        if let Some(span) = span.filter(|span| span.present && span.value.is_none()) {
            span.value = self.path.get(fold.state()).map(raw);
        }
    }
}

/// How much of the way through the events in order of time there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Events folded again because others came before them.
    again: u64,
    /// Bytes held to take events back.
    bytes: usize,
}

/// Where a history ends before its moment.
pub(crate) struct Stop {
    pub(crate) time: Time,
    version: Version,
    position: Position,
    /// Events whose time had not come.
    left: u64,
}

/// An event whose time has come, and the fold in version order of those so far.
pub(super) struct Seen<'s> {
    pub(super) time: Time,
    pub(super) fold: &'s Fold,
    pub(super) event: &'s StreamEvent,
    /// The fold only went on: no event with a higher version had come before.
    went_on: bool,
}

/// The events of a stream that a cut includes, by version.
pub(super) fn events_of(
    log: &Log,
    stream: &StreamId,
    cut: &Cut,
) -> Result<Vec<StreamEvent>, TemporalError> {
    let mut events = Vec::new();
    log.for_each_in_stream(stream, Version::FIRST, cut.as_of.known, &mut |event| {
        let within = event.version <= cut.last;
        if within && cut.as_of.at.is_none_or(|at| event.event.time.time <= at) {
            events.push(event);
        }
        within
    })?;
    Ok(events)
}

/// Goes through events in order of time; the state after each is the fold, in their own order, of those so far.
/// `None` if that was possible to the end.
pub(super) fn along_time(
    events: &[StreamEvent],
    budget: Budget,
    taken: &mut Taken,
    each: &mut dyn FnMut(&Seen<'_>),
) -> Result<Option<Stop>, ReadError> {
    let mut by_time: Vec<usize> = (0..events.len()).collect();
    by_time.sort_by_key(|at| events[*at].event.time.time);
    let mut told_at = None;
    for (n, at) in by_time.iter().enumerate() {
        let event = &events[*at];
        let time = event.event.time.time;
        // What has one instant is told as a whole.
        if taken.again >= budget.again && told_at != Some(time) {
            return Ok(Some(Stop {
                time,
                version: event.version,
                position: event.event.position,
                left: (by_time.len() - n) as u64,
            }));
        }
        told_at = Some(time);
        let went_on = taken.add(*at, events, budget.bytes)?;
        each(&Seen {
            time,
            fold: &taken.fold,
            event,
            went_on,
        });
    }
    Ok(None)
}

/// Some events of a stream, folded in version order. One that comes before others has them taken back and folded
/// again.
pub(super) struct Taken<'g> {
    /// Their places in the list of all, ascending.
    places: Vec<usize>,
    fold: Fold,
    start: Fold,
    /// What takes the last of them back, oldest first.
    before: VecDeque<Before>,
    /// Size of that.
    bytes: usize,
    /// How many events were folded again.
    again: u64,
    /// How many were folded at all, and who is told.
    done: u64,
    apply: &'g Apply<'g>,
    go_on: &'g mut dyn FnMut(u64) -> bool,
}

impl<'g> Taken<'g> {
    pub(super) fn new(
        start: Fold,
        done: u64,
        apply: &'g Apply<'g>,
        go_on: &'g mut dyn FnMut(u64) -> bool,
    ) -> Taken<'g> {
        Taken {
            places: Vec::new(),
            fold: start.clone(),
            start,
            before: VecDeque::new(),
            bytes: 0,
            again: 0,
            done,
            apply,
            go_on,
        }
    }

    /// Takes one more; says whether it came last, so that the fold only went on.
    fn add(
        &mut self,
        place: usize,
        events: &[StreamEvent],
        most_bytes: usize,
    ) -> Result<bool, ReadError> {
        let at = self.places.partition_point(|taken| *taken < place);
        let after = self.places.len() - at;
        let mut first = at;
        if after <= self.before.len() {
            for before in self.before.drain(self.before.len() - after..).rev() {
                self.bytes -= before.bytes();
                self.fold.take_back(before);
            }
        } else {
            self.before.clear();
            self.bytes = 0;
            self.fold = self.start.clone();
            first = 0;
        }
        self.places.insert(at, place);
        self.again += (self.places.len() - first - 1) as u64;
        for place in &self.places[first..] {
            let before = (self.apply)(&mut self.fold, &events[*place]);
            self.bytes += before.bytes();
            self.before.push_back(before);
            while self.bytes > most_bytes
                && let Some(before) = self.before.pop_front()
            {
                self.bytes -= before.bytes();
            }
            self.done += 1;
            if self.done.is_multiple_of(PACE) && !(self.go_on)(self.done) {
                return Err(ReadError::Cancelled);
            }
        }
        Ok(after == 0)
    }
}

#[cfg(test)]
mod tests;
