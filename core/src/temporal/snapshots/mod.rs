//! States with the help of snapshots: taken from folds, folded on from, checked by replay, advised from what replays
//! cost. What a snapshot is and where it lies says [`crate::snapshot`].

mod advice;
mod check;
mod foreign;
mod image;
mod take;

use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use super::state::{Course, Cut, StateView, state, stream_row};
use super::{Moment, TemporalError};
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::id::StreamId;
use crate::model::{Fold, Model, ModelSet};
use crate::position::{Position, Version};
use crate::snapshot::policy::ReplayCost;
use crate::snapshot::{AGGREGATE, Dropped, Snapshot, SnapshotError, Snapshots, Wanted, fold_key};
use crate::store::{Log, StreamRow};
use crate::time::Time;

pub use advice::{AdviceRow, SnapshotAdviceView, advise_snapshots};
pub use check::{
    CLAIMS, SnapshotCheck, SnapshotOutcome, SnapshotVerifyView, verify_claims,
    verify_own_snapshots, verify_snapshots,
};
pub use foreign::{ForeignRow, SnapshotImportView, import_snapshots};
pub use take::{SnapshotsTakenView, TakeScope, take_after, take_snapshots};

/// Snapshots that an answer lists at most; the others are counted.
pub const SNAPSHOT_ROWS: usize = 1_000;

/// One snapshot that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SnapshotRow {
    /// The stream.
    pub stream: String,
    /// The last version that it covers.
    pub version: Version,
    /// Position of the event there.
    pub position: Position,
    /// When that event happened, UTC.
    pub time: Time,
    /// Name of the model that made it.
    pub model: String,
    /// That model is the present one of the category; else the snapshot serves nothing. Of an aggregate only its
    /// program can tell, and this is true.
    pub current: bool,
    /// Length of what is kept, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// The snapshots of a log: `annals snapshot list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SnapshotsView {
    /// By stream and version: the first that fit the limit.
    pub snapshots: Vec<SnapshotRow>,
    /// How many there are.
    #[ts(type = "number")]
    pub snapshots_count: u64,
    /// Length of all of them, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Snapshots of other systems that were imported, by name.
    pub foreign: Vec<ForeignRow>,
    /// The file that holds those of Annals itself.
    pub file: String,
    /// What became of that file, in sentences; empty where there is nothing to say.
    pub notes: Vec<String>,
}

/// The snapshots that are kept, of one stream where it is named; at most `limit` are listed.
///
/// # Errors
/// [`SnapshotError`] of the cache or the log.
pub fn list_snapshots(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    stream: Option<&StreamId>,
    limit: usize,
) -> Result<SnapshotsView, SnapshotError> {
    let kept = snapshots.list(stream)?;
    let (file, notes) = snapshots.file();
    let mut view = SnapshotsView {
        snapshots: Vec::new(),
        snapshots_count: kept.len() as u64,
        bytes: kept.iter().map(|row| row.bytes).sum(),
        foreign: ForeignRow::all(log.path())?,
        file,
        notes,
    };
    for row in kept.into_iter().take(limit) {
        let current = row.model_name.starts_with(AGGREGATE)
            || present_key(log, models, &row.stream)? == Some(row.model);
        view.snapshots.push(SnapshotRow {
            stream: row.stream,
            version: row.version,
            position: row.position,
            time: row.time,
            model: row.model_name,
            current,
            bytes: row.bytes,
        });
    }
    Ok(view)
}

/// The key of the folds that may serve a stream now; `None` where none may.
fn present_key(
    log: &Log,
    models: &ModelSet,
    stream: &str,
) -> Result<Option<crate::integrity::Hash>, SnapshotError> {
    let Ok(stream) = StreamId::new(stream) else {
        return Ok(None);
    };
    let Some(row) = log.stream(&stream)? else {
        return Ok(None);
    };
    let model = models.for_category(&row.category);
    Ok((!model.has_time()).then(|| fold_key(&model)))
}

/// As [`state`], folded on from the nearest snapshot that fits; the answer is the same. What the replay cost is noted,
/// and a snapshot kept where the policy of the category asks for one. A damaged snapshot is dropped, which is a
/// finding; snapshots that cannot be used at all are as if they were not there.
///
/// # Errors
/// As [`state`].
///
/// ```
/// use annals_core::model::ModelSet;
/// use annals_core::snapshot::Snapshots;
/// use annals_core::store::Log;
/// use annals_core::surroundings::Surroundings;
/// use annals_core::temporal::{Moment, TakeScope, state, state_with, take_snapshots};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("guide.annals");
/// annals_core::sample::guide(&path)?;
/// let (log, models) = (Log::explore(&path)?, ModelSet::load(&path)?.0);
/// let snapshots = Snapshots::open(&log, None, Surroundings::system().clock)?;
/// let account = annals_core::id::StreamId::new("account-12345")?;
/// let scope = TakeScope::Stream { stream: account.clone(), version: None };
/// take_snapshots(&log, &models, &snapshots, &scope, &mut |_| true)?;
/// let now = Moment::AsOf(Default::default());
/// let served = state_with(&log, &models, Some(&snapshots), &account, &now)?;
/// assert_eq!(served.state.get(), state(&log, &models, &account, &now)?.state.get());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn state_with(
    log: &Log,
    models: &ModelSet,
    snapshots: Option<&Snapshots>,
    stream: &StreamId,
    moment: &Moment,
) -> Result<StateView, TemporalError> {
    let Some(snapshots) = snapshots else {
        return state(log, models, stream, moment);
    };
    let mut view = state_from(log, models, snapshots, stream, moment)?;
    view.findings.extend(unread(snapshots));
    Ok(view)
}

/// What is to be said of policies that cannot be read; nothing where they can.
pub(super) fn unread(snapshots: &Snapshots) -> Option<Finding> {
    snapshots.unread().map(|why| Finding {
        kind: FindingKind::PoliciesUnread,
        severity: Severity::Warning,
        count: 1,
        place: Place {
            file: Some("snapshots.toml".to_owned()),
            ..Place::default()
        },
        detail: format!(
            "{why}; no policy is followed until it is mended, and the state is as without it"
        ),
    })
}

pub(super) fn state_from(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    stream: &StreamId,
    moment: &Moment,
) -> Result<StateView, TemporalError> {
    let row = stream_row(log, stream)?;
    let model = models.for_category(&row.category);
    // A model's own time may order the events anew, so no first part of the stream is a part of the answer.
    if model.has_time() {
        return state(log, models, stream, moment);
    }
    let cut = Cut::of(log, stream, &row, moment)?;
    let nearest = nearest(snapshots, stream, &model, &cut);
    state_on(log, models, snapshots, (stream, &row), &cut, nearest)
}

/// The snapshot that an answer can go on from, if there is one, and those that were dropped on the way to it.
pub(super) type Nearest = (Option<Snapshot>, Vec<Dropped>);

pub(super) fn nearest(
    snapshots: &Snapshots,
    stream: &StreamId,
    model: &Model,
    cut: &Cut,
) -> Nearest {
    let wanted = Wanted {
        last: cut.last,
        known: cut.as_of.known,
        at: cut.as_of.at,
    };
    let found = snapshots.nearest(stream, fold_key(model), wanted);
    found.unwrap_or_default()
}

/// The state folded on from a snapshot, or from nothing; of a model without a time of its own.
pub(super) fn state_on(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    (stream, row): (&StreamId, &StreamRow),
    cut: &Cut,
    (found, mut dropped): Nearest,
) -> Result<StateView, TemporalError> {
    let model = models.for_category(&row.category);
    let head = log.head()?.size;
    let began = snapshots.now_us();
    let key = fold_key(&model);
    let mut served = false;
    let mut course = Course::new(Fold::new(Arc::clone(&model)));
    if let Some(snapshot) = found {
        match image::resume(&snapshot, &model) {
            Some(resumed) => {
                course = resumed;
                served = true;
            }
            None => {
                let _ = snapshots.drop_versions(stream, key, &[snapshot.version]);
                dropped.push(Dropped {
                    stream: stream.to_string(),
                    version: snapshot.version,
                    reason: "it cannot be read".to_owned(),
                });
            }
        }
    }
    let before = course.taken();
    course.go(log, stream, cut, &mut |_, _, _| true)?;
    let us = u64::try_from(snapshots.now_us() - began).unwrap_or(0);
    let events = course.taken() - before;
    let mut view = course.view(stream, row, cut.as_of, models);
    view.findings.extend(dropped.iter().map(told));
    if !snapshots.policies().is_empty() {
        // What is noted and kept helps the next; that it fails is no reason not to answer.
        let policy = snapshots.policies().of(&row.category);
        let best_us = snapshots.measured(stream, key).ok().and_then(|m| m.best_us);
        let _ = snapshots.note_replay(stream, key, events, us, served);
        let cost = ReplayCost {
            events,
            us,
            bytes: course.bytes() as u64,
            best_us,
        };
        if policy.demand(stream.as_str(), &cost).is_some()
            && let Some(snapshot) = image::of(&course, stream)
        {
            let _ = snapshots.keep(&[snapshot], head);
            let _ = take::retain(snapshots, &policy, stream, key);
        }
    }
    Ok(view)
}

/// A dropped snapshot as what is to be said of it.
fn told(dropped: &Dropped) -> Finding {
    let Dropped {
        stream,
        version,
        reason,
    } = dropped;
    Finding {
        kind: FindingKind::SnapshotDropped,
        severity: Severity::Notice,
        count: 1,
        place: Place {
            stream: Some(stream.clone()),
            version: Some(*version),
            ..Place::default()
        },
        detail: format!(
            "a snapshot was dropped: {reason}; the state was folded from the events instead"
        ),
    }
}
