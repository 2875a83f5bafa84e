//! The states of a stream along time, one after another: at any instant what [`state`](super::state()) as of that
//! instant says.

use std::sync::Arc;

use serde_json::Value;

use super::history::{BUDGET, PACE, Taken, along_time, events_of};
use super::passage::When;
use super::state::{Course, Cut};
use super::{AsOf, TemporalError};
use crate::id::StreamId;
use crate::model::{Fold, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Log, ReadError, StreamEvent, StreamRow};
use crate::time::Time;

/// What was gathered along a stream's time.
#[derive(Debug)]
pub(crate) struct Along<T> {
    /// What the caller gathered.
    pub(crate) gathered: T,
    /// Number of events folded.
    pub(crate) events: u64,
    /// Number of events that could not be folded and changed nothing.
    pub(crate) failed: u64,
    /// From when on it is not told, because folding events in order of time would cost too much.
    pub(crate) told_until: Option<Time>,
}

/// Goes along the time of a stream, as far as it was known. `each` sees every event once its time has come, with the
/// state then; several of one instant come one after another. Where events turn out not to be in order of time it
/// starts again with a new `start()`. `go_on` is told the number of events folded and stops the work by saying no.
pub(crate) fn along<T>(
    log: &Log,
    models: &ModelSet,
    row: &StreamRow,
    known: Option<Position>,
    start: &dyn Fn() -> T,
    each: &mut dyn FnMut(&mut T, Time, &Value, &StreamEvent),
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Along<T>, TemporalError> {
    // A name that the log holds is one.
    let stream = StreamId::new(row.stream.as_str())
        .map_err(|error| ReadError::NoEvent(error.to_string()))?;
    let cut = Cut {
        as_of: AsOf { at: None, known },
        last: Version(row.events),
    };
    let model = models.for_category(&row.category);
    let mut course = Course::new(Fold::new(Arc::clone(&model)));
    let mut gathered = start();
    let mut latest: Option<Time> = None;
    let (mut in_order, mut stopped, mut failed) = (true, false, 0);
    course.go(log, &stream, &cut, &mut |when, course, event| {
        if when == When::Before {
            return true;
        }
        let time = course.time();
        in_order &= latest.is_none_or(|latest| latest <= time);
        latest = latest.max(Some(time));
        failed += u64::from(course.fold().failure().is_some());
        if in_order {
            each(&mut gathered, time, course.fold().state(), event);
        }
        stopped = course.taken().is_multiple_of(PACE) && !go_on(course.taken());
        !stopped
    })?;
    if stopped {
        return Err(ReadError::Cancelled.into());
    }
    let mut told_until = None;
    if !in_order {
        gathered = start();
        let mut taken = Taken::new(
            Fold::new(model),
            course.taken(),
            &Fold::apply_revocably,
            go_on,
        );
        let events = events_of(log, &stream, &cut)?;
        let stop = along_time(&events, BUDGET, &mut taken, &mut |seen| {
            each(&mut gathered, seen.time, seen.fold.state(), seen.event);
        })?;
        told_until = stop.map(|stop| stop.time);
    }
    Ok(Along {
        gathered,
        events: course.taken(),
        failed,
        told_until,
    })
}
