//! Questions about one stream: a value at a time, and when a condition came to hold.

use serde_json::Value;

use super::amount::raw;
use super::answer::{QuestionError, Work, distinct, mixed_text};
use super::course;
use super::grammar::{Ask, Condition, Question, When};
use super::holds::{Values, holds};
use super::reading::{Over, Reading, at_instants};
use super::track::{Run, Track};
use super::view::{AnswerRow, AnswerView, ReadingView};
use crate::id::StreamId;
use crate::model::FieldPath;
use crate::store::{ReadError, StreamRow};
use crate::temporal::{AsOf, Moment, TemporalError, near, state};
use crate::time::Time;

/// A value of a stream's state.
pub(super) fn value(
    work: &mut Work<'_>,
    mut view: AnswerView,
    path: &FieldPath,
    stream: &StreamId,
    when: &When,
) -> Result<AnswerView, QuestionError> {
    let zone = work.asking.zone;
    let readings = at_instants(when, zone).map_err(|period| work.empty(period))?;
    let row = stream_row(work, stream)?;
    let whole = one_track(work, &row, std::slice::from_ref(path))?;
    if !whole.points.is_empty() && whole.points.iter().all(|point| point.values[0].is_none()) {
        return Err(no_path(work, stream, path)?.into());
    }
    let whole = whole.cut(work.cut());
    for (n, reading) in readings.iter().enumerate() {
        let Over::At(at) = reading.over else { continue };
        let at = work.cut().map_or(at, |cut| at.min(cut));
        // What stands there may be a list or an object, which is taken from the state as it was.
        let found = value_at(work, &whole, stream, path, at)?;
        if n == 0 {
            let point = whole.at(at).filter(|_| found.is_some());
            view.as_of.at = (at != Time::MAX).then_some(at);
            view.rows.extend(point.map(|point| AnswerRow {
                stream: stream.to_string(),
                from: Some(point.from),
                to: next_after(&whole, point.from),
                position: Some(point.position),
                version: Some(point.version),
                value: found.as_ref().map(raw),
                group: None,
            }));
        }
        if found.is_none() {
            let why = match whole.at(at) {
                None => format!("{stream} had not begun"),
                Some(_) => format!("{stream} had no {path}"),
            };
            work.note(format!("{}: {why}", reading.name));
        }
        view.readings.push(ReadingView {
            name: reading.name.clone(),
            value: found.as_ref().map(raw),
            question: question_of(work.question, reading),
        });
    }
    view.course = course::values(&path.to_string(), &whole);
    view.rows_count = view.rows.len() as u64;
    view.path = Some(path.to_string());
    let when = readings.first().map_or("", |reading| &reading.name);
    view.understood = format!("the value of {path} in the state of {stream} {when} ({zone})");
    Ok(view)
}

/// The value at an instant.
fn value_at(
    work: &mut Work<'_>,
    track: &Track,
    stream: &StreamId,
    path: &FieldPath,
    at: Time,
) -> Result<Option<Value>, QuestionError> {
    let known = track.at(at).and_then(|point| point.values[0].clone());
    let composed = matches!(known, Some(Value::Array(_) | Value::Object(_)));
    if track.is_told_at(at) && !composed {
        return Ok(known);
    }
    let as_of = AsOf {
        at: (at != Time::MAX).then_some(at),
        known: Some(work.known),
    };
    let found = state(
        work.asking.log,
        work.asking.models,
        stream,
        &Moment::AsOf(as_of),
    )?;
    work.events += found.events_folded + found.events_failed;
    Ok(found.value().and_then(|value| path.get(&value).cloned()))
}

/// When a condition came to hold of a stream.
pub(super) fn moment(
    work: &mut Work<'_>,
    mut view: AnswerView,
    last: bool,
    condition: &Condition,
    stream: &StreamId,
) -> Result<AnswerView, QuestionError> {
    let row = stream_row(work, stream)?;
    let fields = distinct(condition.paths());
    let track = one_track(work, &row, &fields)?.cut(work.cut());
    let mut mixed = Vec::new();
    let runs = track.runs(|point| {
        let values = Values {
            fields: &fields,
            values: &point.values,
        };
        holds(condition, values, &mut |path, value, literal| {
            mixed.push(mixed_text(path, value, literal));
        })
    });
    mixed.dedup();
    for text in mixed {
        work.skip(&text, stream.as_str());
    }
    for (n, path) in fields.iter().enumerate() {
        let never = !track.ever_had(n);
        if never && !track.points.is_empty() {
            work.note(format!("{stream} never had {path}"));
        }
    }
    if let Some(until) = track.told_until {
        work.skip(
            &format!(
                "its history is not told from {until} on: too many of its events are out of order"
            ),
            stream.as_str(),
        );
    }
    let chosen = if last { runs.last() } else { runs.first() };
    let other = if last { runs.first() } else { runs.last() };
    let reading = |last: bool, run: Option<&Run>| ReadingView {
        name: if last {
            "the last time that it came to be so".to_owned()
        } else {
            "the first time that it came to be so".to_owned()
        },
        value: run.map(|run| raw(&Value::from(run.from.to_string()))),
        question: Some(
            Question {
                ask: Ask::Moment {
                    last,
                    condition: condition.clone(),
                    stream: stream.clone(),
                },
                known: work.question.known.clone(),
            }
            .to_string(),
        ),
    };
    view.readings = vec![reading(last, chosen), reading(!last, other)];
    if chosen.is_none() {
        work.note(format!("it never was so in {stream}"));
    }
    view.as_of.at = chosen.map(|run| run.from);
    view.course = course::held(condition.to_string(), &runs);
    view.rows = chosen.map(|run| row_of(stream, run)).into_iter().collect();
    view.rows_count = view.rows.len() as u64;
    let which = if last { "last" } else { "first" };
    view.understood = format!("the {which} time that {condition} came to hold of {stream}");
    Ok(view)
}

fn row_of(stream: &StreamId, run: &Run) -> AnswerRow {
    AnswerRow {
        stream: stream.to_string(),
        from: Some(run.from),
        to: run.to,
        position: Some(run.position),
        version: Some(run.version),
        value: None,
        group: None,
    }
}

fn stream_row(work: &Work<'_>, stream: &StreamId) -> Result<StreamRow, QuestionError> {
    let row = work.asking.log.stream(stream)?;
    Ok(row.ok_or_else(|| ReadError::NoStream(stream.clone()))?)
}

fn one_track(
    work: &mut Work<'_>,
    row: &StreamRow,
    fields: &[FieldPath],
) -> Result<Track, QuestionError> {
    let track = work.track(row, fields, false)?;
    work.streams = 1;
    work.failed = track.failed;
    work.latest = track.latest;
    Ok(track)
}

fn next_after(track: &Track, from: Time) -> Option<Time> {
    let after = track.points.partition_point(|point| point.from <= from);
    track.points.get(after).map(|point| point.from)
}

fn no_path(
    work: &Work<'_>,
    stream: &StreamId,
    path: &FieldPath,
) -> Result<TemporalError, QuestionError> {
    let as_of = AsOf {
        at: None,
        known: Some(work.known),
    };
    let asking = work.asking;
    let now = state(asking.log, asking.models, stream, &Moment::AsOf(as_of))?;
    Ok(TemporalError::NoPath {
        stream: stream.clone(),
        path: path.to_string(),
        version: now.version,
        near: now.value().map_or(Vec::new(), |value| near(&value, path)),
    })
}

/// The question that asks for one of its readings alone.
pub(super) fn question_of(question: &Question, reading: &Reading) -> Option<String> {
    let mut question = question.clone();
    let asked = reading.when.clone()?;
    match &mut question.ask {
        Ask::Value { when, .. } | Ask::Measure { when, .. } => *when = asked,
        Ask::Count { what, when, .. } | Ask::List { what, when } => {
            *when = asked;
            if reading.any_stream {
                what.that = super::grammar::That::Exists;
            }
        }
        Ask::Moment { .. } | Ask::Stay { .. } | Ask::Followed { .. } => return None,
    }
    Some(question.to_string())
}
