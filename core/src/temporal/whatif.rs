//! What if an event had not been, or had said something else: the stream is folded with and without the change, in
//! memory. A [`Log`] cannot be written, so nothing is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::passage::When;
use super::state::{Course, Cut, stream_row};
use super::{DiffView, Moment, TemporalError, diff_of};
use crate::event::Payload;
use crate::finding::{Finding, Place, Severity};
use crate::id::StreamId;
use crate::model::{Fold, ModelSet};
use crate::position::{Position, Version};
use crate::store::{EventBrief, Log, StreamEvent};

/// Most follow-on findings that are listed.
const MAX_FOLLOW_ON: usize = 200;

/// Changes to try on a stream. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    by_position: BTreeMap<Position, Option<Payload>>,
}

impl Changes {
    /// Leaves the event at this position out.
    #[must_use]
    pub fn without(mut self, position: Position) -> Changes {
        self.by_position.insert(position, None);
        self
    }

    /// Gives the event at this position another payload.
    ///
    /// # Errors
    /// The parser's error if the text is not JSON.
    pub fn edit(mut self, position: Position, json: &str) -> Result<Changes, serde_json::Error> {
        let payload = Payload::json(json)?;
        self.by_position.insert(position, Some(payload));
        Ok(self)
    }

    /// Whether there is nothing to try.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_position.is_empty()
    }
}

/// What differs with some events left out or changed: `annals whatif --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct WhatIfView {
    /// What was tried, by position.
    pub tried: Vec<TriedView>,
    /// `from` is the state as recorded, `to` the state with what was tried.
    pub diff: DiffView,
    /// Events that cannot be folded, or have other faults, only with what was tried: the first 200.
    pub follow_on: Vec<Finding>,
    /// How many there are.
    #[ts(type = "number")]
    pub follow_on_count: u64,
    /// Versions of events that could not be folded as recorded, and can with what was tried.
    pub mended: Vec<Version>,
}

/// One event that was left out or changed.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct TriedView {
    /// The event as recorded.
    pub event: EventBrief,
    /// The payload that it was given; `null` if it was left out.
    #[ts(type = "unknown")]
    pub data: Option<Box<RawValue>>,
}

/// A stream's state at a moment as recorded, and with some events left out or given another payload. Nothing is
/// written.
///
/// # Errors
/// As [`state`](super::state()); [`TemporalError::NotThere`] if a position to be changed is none of the stream's
/// events at that moment.
pub fn what_if(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    moment: &Moment,
    changes: &Changes,
) -> Result<WhatIfView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, moment)?;
    let model = models.for_category(&row.category);
    let mut recorded = BTreeMap::new();
    let mut tried = Vec::new();
    let mut real = Course::new(Fold::new(Arc::clone(&model)));
    real.go(log, stream, &cut, &mut |when, course, event| {
        if when == When::Before {
            return true;
        }
        if let Some((kind, _)) = course.fold().failure() {
            recorded.insert(event.version, kind);
        }
        if let Some(change) = changes.by_position.get(&event.event.position) {
            tried.push(TriedView {
                event: EventBrief::from(&event.event),
                data: change.as_ref().and_then(|payload| {
                    RawValue::from_string(payload.json_text()?.to_owned()).ok()
                }),
            });
        }
        true
    })?;
    let missing = |position: &&Position| !tried.iter().any(|t| t.event.position == **position);
    if let Some(position) = changes.by_position.keys().find(missing) {
        return Err(TemporalError::NotThere {
            stream: stream.clone(),
            position: *position,
        });
    }
    let mut follow_on = Vec::new();
    let mut follow_on_count = 0;
    let mut mended: Vec<Version> = Vec::new();
    let mut scratch = Course::new(Fold::new(model));
    let change = |event: &mut StreamEvent| match changes.by_position.get(&event.event.position) {
        None => true,
        Some(None) => false,
        Some(Some(payload)) => {
            event.event.data = Some(payload.clone());
            true
        }
    };
    scratch.go_changed(log, stream, &cut, &change, &mut |when, course, event| {
        if when == When::Before {
            return true;
        }
        match (course.fold().failure(), recorded.get(&event.version)) {
            (None, Some(_)) => mended.push(event.version),
            (Some((kind, detail)), before) if before != Some(&kind) => {
                follow_on_count += 1;
                if follow_on.len() < MAX_FOLLOW_ON {
                    follow_on.push(Finding {
                        kind,
                        severity: Severity::Severe,
                        count: 1,
                        place: Place {
                            stream: Some(stream.to_string()),
                            version: Some(event.version),
                            position: Some(event.event.position),
                            ..Place::default()
                        },
                        detail: detail.to_owned(),
                    });
                }
            }
            _ => {}
        }
        true
    })?;
    let from = real.view(stream, &row, cut.as_of, models);
    let to = scratch.view(stream, &row, cut.as_of, models);
    Ok(WhatIfView {
        tried,
        diff: diff_of(from, to),
        follow_on,
        follow_on_count,
        mended,
    })
}
