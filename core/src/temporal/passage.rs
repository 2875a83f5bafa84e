//! Going through the events that a state is folded from, as often as it takes, whatever they belong to: a stream, or a
//! document of a projection.

use super::TemporalError;
use super::state::{Course, Cut};
use crate::id::StreamId;
use crate::model::Fold;
use crate::store::{Log, StreamEvent};
use crate::time::Time;

/// Which side of an event a fold is seen from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// It is about to be folded.
    Before,
    /// It was folded.
    After,
}

/// Where a fold stands at an event.
pub(crate) struct At<'a> {
    pub(crate) fold: &'a Fold,
    /// Number of the event in the order of the fold, first is 0.
    pub(crate) turn: u64,
    /// When the event counts.
    pub(crate) time: Time,
    /// Key of the document that is folded, if it is one.
    pub(crate) key: Option<&'a str>,
}

/// Sees every event before and after it is folded; stops the passage by saying no after one.
pub(crate) type Each<'e> = dyn FnMut(When, &At<'_>, &StreamEvent) -> bool + 'e;

impl Course {
    /// Goes through the events of a stream as [`Course::go`] does.
    pub(super) fn along_stream(
        &mut self,
        log: &Log,
        stream: &StreamId,
        cut: &Cut,
        each: &mut Each<'_>,
    ) -> Result<(), TemporalError> {
        self.go(log, stream, cut, &mut |when, course, event| {
            let at = At {
                fold: course.fold(),
                turn: match when {
                    When::Before => course.taken(),
                    When::After => course.taken() - 1,
                },
                time: course.time(),
                key: None,
            };
            each(when, &at, event)
        })
    }
}
