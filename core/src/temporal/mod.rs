//! State as of (at, known), and what differs between two instants.
//!
//! State as of (at, known) = the fold, in version order, of the stream's events with position <= known and
//! time <= at. The two coordinates are independent.

use serde::Serialize;
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::finding::Finding;
use crate::id::StreamId;
use crate::model::{ModelRef, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Log, ReadError};
use crate::time::Time;

/// Two coordinates in time: what had happened, and what was known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Events that had happened by then (time <= at); all if `None`.
    pub at: Option<Time>,
    /// Events that were known by then (position <= known); all if `None`.
    pub known: Option<Position>,
}

/// An instant as a user writes it for `at`, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AtReading {
    /// The instant: events with time <= it count.
    pub at: Time,
    /// How the text was read, where it left a choice: `end of 2024-01-10 (UTC)`.
    pub reading: Option<String>,
}

/// Reads what a user writes for `at`. A date alone is the end of that day in `zone`: the last nanosecond
/// before the next day.
///
/// # Errors
/// [`crate::time::TimeError`] if the text is no time.
pub fn parse_at(text: &str, zone: chrono_tz::Tz) -> Result<AtReading, crate::time::TimeError> {
    let _ = (text, zone);
    todo!()
}

/// Where on a stream to stand: an as-of, or a version (which is shorthand for known = its position).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Both coordinates.
    AsOf(AsOf),
    /// The stream's first `n` events by version; 0 is before the first.
    Version(Version),
}

/// The as-of that an answer is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AsOfView {
    /// Events with time <= at; `null`: all.
    pub at: Option<Time>,
    /// Events with position <= known; `null`: all.
    pub known: Option<Position>,
}

/// A stream's state as of an instant: `annals state --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct StateView {
    /// Stream.
    pub stream: String,
    /// Category.
    pub category: String,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Highest version folded; 0 if none.
    pub version: Version,
    /// Number of events folded.
    #[ts(type = "number")]
    pub events_folded: u64,
    /// Number of events in the stream, whatever the as-of.
    #[ts(type = "number")]
    pub events_in_stream: u64,
    /// Versions below `version` that happened after the as-of and were left out: the first 100.
    pub left_out: Vec<Version>,
    /// Number of versions left out below `version`.
    #[ts(type = "number")]
    pub left_out_count: u64,
    /// Model used.
    pub model: ModelRef,
    /// The last event folded; `null` if none.
    pub last_event: Option<crate::store::EventBrief>,
    /// The state, every digit as recorded or computed exactly; `null` before the first event.
    #[ts(type = "unknown")]
    pub state: Box<RawValue>,
    /// What the last event folded changed.
    pub changed: Vec<Change>,
    /// An expression failed on some event, so the state is incomplete from there.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The path came to be.
    Added,
    /// The path went.
    Removed,
    /// The path has another value.
    Changed,
}

/// One path that differs.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Change {
    /// Path in the state: `items[0].price`, `["odd key"]` for names that are not words; empty for the whole.
    pub path: String,
    /// What kind of change.
    pub kind: ChangeKind,
    /// Value before; absent if it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub before: Option<Box<RawValue>>,
    /// Value after; absent if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub after: Option<Box<RawValue>>,
}

/// What differs between two moments of a stream: `annals diff --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DiffView {
    /// Stream.
    pub stream: String,
    /// The earlier side, as asked for.
    pub from: StateView,
    /// The later side, as asked for.
    pub to: StateView,
    /// Paths that differ, in the order of `to`, then those removed. Applied to `from.state` they give `to.state`.
    pub changes: Vec<Change>,
}

/// Why a state was not given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemporalError {
    /// The log could not be read, or holds no such stream.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream has fewer versions.
    #[error("stream {stream} has {last} versions, there is no version {asked}")]
    NoVersion {
        /// The stream.
        stream: StreamId,
        /// Version asked for.
        asked: Version,
        /// Its last version.
        last: Version,
    },
    /// The log is shorter.
    #[error("the log has {last} positions, there is no position {asked}")]
    NoPosition {
        /// Position asked for.
        asked: Position,
        /// Its last position.
        last: Position,
    },
}

/// A stream's state at a moment.
pub fn state(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    moment: &Moment,
) -> Result<StateView, TemporalError> {
    let _ = (log, models, stream, moment);
    todo!()
}

/// What differs between two moments of a stream.
pub fn diff(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    from: &Moment,
    to: &Moment,
) -> Result<DiffView, TemporalError> {
    let _ = (log, models, stream, from, to);
    todo!()
}

/// Remembers folds of the streams looked at last, so that dragging through a long stream need not start at
/// its first event each time. Answers are the same as [`state`]'s; it may be dropped at any moment.
#[derive(Debug, Default)]
pub struct StateCache {}

impl StateCache {
    /// As [`state`], faster the second time.
    pub fn state(
        &self,
        log: &Log,
        models: &ModelSet,
        stream: &StreamId,
        moment: &Moment,
    ) -> Result<StateView, TemporalError> {
        let _ = (log, models, stream, moment);
        todo!()
    }
}
