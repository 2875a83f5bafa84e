//! State as of (at, known), and what differs between two instants.
//!
//! State as of (at, known) = the fold, in version order, of the stream's events with position <= known and
//! time <= at. The two coordinates are independent.

mod along;
mod as_of;
mod cache;
mod check;
mod diff;
mod draft;
mod history;
mod late;
mod listing;
mod object;
mod passage;
mod preview;
mod related;
mod rules;
mod shapes;
mod snapshots;
mod state;
mod trace;
mod walk;
mod whatif;
mod why;

pub(crate) use along::along;
pub use as_of::{AsOf, AtReading, Moment, parse_at};
pub use cache::StateCache;
pub use check::{CheckedType, ModelCheckView, check};
pub(crate) use diff::raw;
pub use diff::{ApplyError, Change, ChangeKind, apply_changes, changes};
pub use draft::draft;
pub(crate) use history::{Asked, BUDGET, Spanned, not_told, spans};
pub use history::{HistoryView, VALUES, ValueSpan, history};
pub use late::{LATE, LateEvent, LateView, late};
pub use listing::{StreamLine, StreamLinesView, stream_lines};
pub use object::{
    ATTRIBUTE_VALUES, AttributeValue, ObjectAttribute, ObjectEvent, ObjectType, ObjectView,
    ObjectsView, object, objects,
};
pub(crate) use passage::{At, Each, When};
pub use preview::{ModelErrorView, ModelPreviewView, preview};
pub use related::{
    CausationNode, CausationView, EdgeKind, Lane, LanesView, RelatedStream, RelatedView,
    SearchedView, Start, StatesView, TieKind, TieView, related, states,
};
pub use rules::{LookedAt, RuleRow, RulesView, VIOLATIONS, Violation, check_rules};
pub use shapes::{FieldShape, KindShape, SchemaRow, Seen, ShapesView, TypeShape, shapes};
pub use snapshots::{
    AdviceRow, CLAIMS, ForeignRow, SNAPSHOT_ROWS, SnapshotAdviceView, SnapshotCheck,
    SnapshotImportView, SnapshotOutcome, SnapshotRow, SnapshotVerifyView, SnapshotsTakenView,
    SnapshotsView, TakeScope, advise_snapshots, import_snapshots, list_snapshots, state_with,
    take_after, take_snapshots, verify_claims, verify_own_snapshots, verify_snapshots,
};
pub use state::{AsOfView, Folded, StateView, folded, state};
pub use walk::{Step, walk};
pub use whatif::{Changes, TriedView, WhatIfView, what_if};
pub use why::{
    CONTRIBUTIONS, Contribution, EarlierView, FieldRead, SetByView, ToldView, WhyKind, WhyView, why,
};
pub(crate) use why::{Explained, explain, kind_of, near, read};

use serde::Serialize;
use ts_rs::TS;

use crate::id::StreamId;
use crate::model::ModelSet;
use crate::position::{Position, Version};
use crate::store::{Log, ReadError};

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
    /// The event is none of those that the state is made of.
    #[error("position {position} is no event of {stream} at that moment")]
    NotThere {
        /// The stream.
        stream: StreamId,
        /// Position asked for.
        position: Position,
    },
    /// The state holds no such path.
    #[error(
        "the state of {stream} at version {version} has no {path}{}",
        if near.is_empty() { String::new() } else { format!("; near it are {}", near.join(", ")) }
    )]
    NoPath {
        /// The stream.
        stream: StreamId,
        /// Path asked for.
        path: String,
        /// Version of the state.
        version: Version,
        /// Paths that it has and that come close.
        near: Vec<String>,
    },
}

/// What differs between two moments of a stream.
///
/// # Errors
/// As [`state`], for either side.
pub fn diff(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    from: &Moment,
    to: &Moment,
) -> Result<DiffView, TemporalError> {
    let from = state(log, models, stream, from)?;
    let to = state(log, models, stream, to)?;
    Ok(diff_of(from, to))
}

/// The difference between two states of one stream.
fn diff_of(from: StateView, to: StateView) -> DiffView {
    let changes = match (from.value(), to.value()) {
        (Some(before), Some(after)) => changes(&before, &after),
        // Both are texts that core itself wrote.
        _ => Vec::new(),
    };
    DiffView {
        stream: to.stream.clone(),
        from,
        to,
        changes,
    }
}

#[cfg(test)]
mod tests;
