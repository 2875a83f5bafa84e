//! The values of a stream's fields along its time: what every question over states is answered from.

use serde_json::Value;

use super::stamp::{Interval, between_ns};
use crate::model::{FieldPath, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Log, StreamEvent, StreamRow};
use crate::temporal::{TemporalError, along};
use crate::time::Time;

/// A stream's values along time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Track {
    /// The stream.
    pub(super) stream: String,
    /// Instants at which a value changed, ascending; before the first the stream was not there.
    pub(super) points: Vec<Point>,
    /// Its events by time, where they were asked for.
    pub(super) happened: Vec<Happened>,
    /// Number of events folded.
    pub(super) events: u64,
    /// Number of them that could not be folded.
    pub(super) failed: u64,
    /// From when on it is not told.
    pub(super) told_until: Option<Time>,
    /// When the last of its events counts.
    pub(super) latest: Option<Time>,
    /// Fields that had a value later than what it was cut to, by place; empty where it was not cut.
    pub(super) had_later: Vec<bool>,
}

/// An event of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Happened {
    /// When it counts.
    pub(super) time: Time,
    /// Its position.
    pub(super) position: Position,
    /// Its version in the stream.
    pub(super) version: Version,
}

/// Values from an instant on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// The instant.
    pub(super) from: Time,
    /// Position of the event that made them so.
    pub(super) position: Position,
    /// Its version in the stream.
    pub(super) version: Version,
    /// One for each field asked for; `None` where there is none. Lists and objects are empty ones: nothing that a
    /// question says depends on what is in them.
    pub(super) values: Vec<Option<Value>>,
}

/// A stretch of time in which something holds of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    /// Since when, inclusive.
    pub(super) from: Time,
    /// Until when, exclusive; `None`: to the end of what is known.
    pub(super) to: Option<Time>,
    /// Position of the event that made it so.
    pub(super) position: Position,
    /// Its version in the stream.
    pub(super) version: Version,
    /// The event that ended it.
    pub(super) ended_by: Option<(Position, Version)>,
}

impl Run {
    /// Whether it holds at the instant.
    pub(super) fn covers(&self, at: Time) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// How long of the interval it covers, in nanoseconds.
    pub(super) fn within_ns(&self, interval: Interval) -> i128 {
        let from = self.from.max(interval.from);
        let to = self.to.map_or(interval.to, |to| to.min(interval.to));
        between_ns(from, to).max(0)
    }
}

impl Track {
    /// The values at an instant, `None` before the stream began.
    pub(super) fn at(&self, at: Time) -> Option<&Point> {
        let after = self.points.partition_point(|point| point.from <= at);
        after.checked_sub(1).map(|n| &self.points[n])
    }

    /// The same as of an instant: what happened later is not there.
    pub(super) fn cut(mut self, at: Option<Time>) -> Track {
        let Some(at) = at else { return self };
        let points = self.points.partition_point(|point| point.from <= at);
        let later = &self.points[points..];
        let fields = self.points.first().map_or(0, |point| point.values.len());
        self.had_later = (0..fields)
            .map(|n| later.iter().any(|point| point.values[n].is_some()))
            .collect();
        self.points.truncate(points);
        self.happened.retain(|event| event.time <= at);
        self.told_until = self.told_until.filter(|until| *until <= at);
        self
    }

    /// Whether a field, by its place, ever had a value, be it later than what the track was cut to.
    pub(super) fn ever_had(&self, n: usize) -> bool {
        self.had_later.get(n) == Some(&true)
            || self.points.iter().any(|point| point.values[n].is_some())
    }

    /// Whether it is told what was at the instant.
    pub(super) fn is_told_at(&self, at: Time) -> bool {
        self.told_until.is_none_or(|until| at < until)
    }

    /// The stretches in which something holds of the values, each as long as it can be.
    pub(super) fn runs(&self, mut holds: impl FnMut(&Point) -> bool) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for point in &self.points {
            let open = runs.last_mut().filter(|run| run.to.is_none());
            match (open, holds(point)) {
                (Some(_), true) | (None, false) => {}
                (Some(run), false) => {
                    run.to = Some(point.from);
                    run.ended_by = Some((point.position, point.version));
                }
                (None, true) => runs.push(Run {
                    from: point.from,
                    to: None,
                    position: point.position,
                    version: point.version,
                    ended_by: None,
                }),
            }
        }
        runs
    }
}

/// What a value is for a question.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(_) => Value::Object(serde_json::Map::new()),
        scalar => scalar.clone(),
    }
}

fn is_plain_same(kept: &Value, now: &Value) -> bool {
    match (kept, now) {
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => true,
        (kept, now) => kept == now,
    }
}

/// A field's value from an instant on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// The instant.
    pub(super) from: Time,
    /// The value; `None` where there is none.
    pub(super) value: Option<Value>,
    /// Position of the event that made it so.
    pub(super) position: Position,
    /// Its version in the stream.
    pub(super) version: Version,
}

/// A field's values along a stream's time: ascending, no two in a row alike.
pub(super) type Spans = Vec<Span>;

/// The values of several fields along a stream's time.
pub(super) struct Folded {
    /// Those of each field. Of no field: one that is there since the stream began.
    pub(super) spans: Vec<Spans>,
    pub(super) happened: Vec<Happened>,
    pub(super) events: u64,
    pub(super) failed: u64,
    pub(super) told_until: Option<Time>,
    pub(super) latest: Option<Time>,
}

/// Folds a stream along time and keeps the values of these fields, as far as it was known. The empty path, and no path
/// at all, stand for the stream's being there.
pub(super) fn spans(
    log: &Log,
    models: &ModelSet,
    row: &StreamRow,
    known: Position,
    fields: &[FieldPath],
    with_events: bool,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Folded, TemporalError> {
    struct Gathered {
        spans: Vec<Spans>,
        happened: Vec<Happened>,
        latest: Option<Time>,
    }
    let there = FieldPath::default();
    let fields: Vec<&FieldPath> = match fields {
        [] => vec![&there],
        fields => fields.iter().collect(),
    };
    let start = || Gathered {
        spans: vec![Vec::new(); fields.len()],
        happened: Vec::new(),
        latest: None,
    };
    let each = &mut |all: &mut Gathered, time: Time, state: &Value, event: &StreamEvent| {
        all.latest = all.latest.max(Some(time));
        if with_events {
            all.happened.push(Happened {
                time,
                position: event.event.position,
                version: event.version,
            });
        }
        for (path, spans) in fields.iter().zip(&mut all.spans) {
            let is_there = path.0.is_empty();
            let now = if is_there {
                Some(&Value::Bool(true))
            } else {
                path.get(state)
            };
            take(spans, time, now, event);
        }
    };
    let found = along(log, models, row, Some(known), &start, each, go_on)?;
    let Gathered {
        spans,
        happened,
        latest,
    } = found.gathered;
    Ok(Folded {
        spans,
        happened,
        events: found.events,
        failed: found.failed,
        told_until: found.told_until,
        latest,
    })
}

/// Takes a field's value after an event. Of several values at one instant the last is the one that held.
fn take(spans: &mut Spans, time: Time, now: Option<&Value>, event: &StreamEvent) {
    let same = |kept: &Option<Value>| match (kept, now) {
        (None, None) => true,
        (Some(kept), Some(now)) => is_plain_same(kept, now),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if spans.last().is_some_and(|last| same(&last.value)) {
        return;
    }
    if spans.last().is_some_and(|last| last.from == time) {
        spans.pop();
        if spans.last().is_some_and(|last| same(&last.value)) {
            return;
        }
    }
    spans.push(Span {
        from: time,
        value: now.map(plain),
        position: event.event.position,
        version: event.version,
    });
}

/// The values of all fields together: one point for each instant at which any of them changed.
pub(super) fn merged(spans: &[Spans], fields: usize) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let mut next = vec![0; spans.len()];
    let mut values: Vec<Option<Value>> = vec![None; fields];
    loop {
        let upcoming = spans
            .iter()
            .zip(&next)
            .filter_map(|(spans, n)| spans.get(*n));
        let Some(from) = upcoming.map(|span| span.from).min() else {
            return points;
        };
        let mut by: Option<(Version, Position)> = None;
        for (n, spans) in spans.iter().enumerate() {
            if let Some(span) = spans.get(next[n]).filter(|span| span.from == from) {
                next[n] += 1;
                by = by.max(Some((span.version, span.position)));
                if let Some(value) = values.get_mut(n) {
                    value.clone_from(&span.value);
                }
            }
        }
        if let Some((version, position)) = by {
            points.push(Point {
                from,
                position,
                version,
                values: values.clone(),
            });
        }
    }
}

/// A stream's values of these fields along time, as far as it was known.
pub(super) fn track(
    log: &Log,
    models: &ModelSet,
    row: &StreamRow,
    known: Position,
    fields: &[FieldPath],
    with_events: bool,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Track, TemporalError> {
    let folded = spans(log, models, row, known, fields, with_events, go_on)?;
    Ok(Track {
        stream: row.stream.clone(),
        points: merged(&folded.spans, fields.len()),
        happened: folded.happened,
        events: folded.events,
        failed: folded.failed,
        told_until: folded.told_until,
        latest: folded.latest,
        had_later: Vec::new(),
    })
}
