//! A walk along a stream: what each event changed, one after another, in the order of the fold.

use serde_json::Value;

use super::diff::changes_at;
use super::passage::When;
use super::state::{Course, Cut, stream_row};
use super::{AsOf, Change, Moment, StateView, TemporalError};
use crate::id::StreamId;
use crate::model::{Fold, ModelSet};
use crate::store::{Log, StreamEvent};

/// An event on a walk, folded.
#[derive(Debug)]
pub struct Step<'w> {
    /// The event, with its version in the stream that is walked.
    pub event: &'w StreamEvent,
    /// What it changed: the difference between the states before and after it.
    pub changes: Vec<Change>,
    /// The state after it.
    pub state: &'w Value,
    /// Why it could not be folded and changed nothing; `None` if it was.
    pub failed: Option<String>,
}

/// Walks along a stream from its first event through all that the as-of includes, in the order of the fold. `each` sees
/// every event that is folded, once it is, and stops the walk by saying no. Gives the state where the walk ended.
///
/// # Errors
/// As [`state`](super::state()).
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, temporal::*};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let mut changed = Vec::new();
/// let end = walk(&log, &models, &"user-123".parse()?, AsOf::default(), &mut |step| {
///     changed.push(step.changes.len());
///     true
/// })?;
/// assert_eq!(changed.len() as u64, end.events_folded);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn walk(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    as_of: AsOf,
    each: &mut dyn FnMut(&Step<'_>) -> bool,
) -> Result<StateView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, &Moment::AsOf(as_of))?;
    let model = models.for_category(&row.category);
    let mut course = Course::new(Fold::new(model));
    course.go(log, stream, &cut, &mut |when, course, event| {
        if when == When::Before {
            return true;
        }
        let fold = course.fold();
        let failed = fold.failure().map(|(_, detail)| detail.to_owned());
        each(&Step {
            event,
            changes: changes_at(fold.last_touches()),
            state: fold.state(),
            failed,
        })
    })?;
    Ok(course.view(stream, &row, cut.as_of, models))
}
