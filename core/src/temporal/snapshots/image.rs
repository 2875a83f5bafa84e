//! A fold under way as a snapshot, and a snapshot as a fold under way.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::super::diff::{changes_at, raw};
use super::super::state::Course;
use super::super::{Change, ChangeKind};
use crate::finding::Findings;
use crate::id::StreamId;
use crate::model::{Fold, Model, json};
use crate::position::{Position, Version};
use crate::snapshot::{Snapshot, fold_key};
use crate::store::EventBrief;
use crate::time::Time;

/// What a fold knows beside its state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    weight: usize,
    incomplete: bool,
    folded: u64,
    failed: u64,
    findings: Findings,
    disagree_count: u64,
    first_disagreeing: Option<(Version, Position)>,
    /// What the last event is beside what the snapshot says of it: home stream, version there, type.
    last: (Option<String>, Version, String),
    changed: Vec<Changed>,
}

/// A [`Change`]; a value that is `null` is told from one that is not there.
#[derive(Serialize, Deserialize)]
struct Changed(String, Kind, Vec<Box<RawValue>>, Vec<Box<RawValue>>);

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Kind {
    Added,
    Removed,
    Changed,
}

/// The snapshot of a fold; `None` where there is none to take: before the first event, with events left out, or by a
/// model with a time of its own.
pub(super) fn of(course: &Course, stream: &StreamId) -> Option<Snapshot> {
    let model = course.fold.model();
    let (last, latest) = (course.last.as_ref()?, course.order.latest?);
    if !course.is_whole() || model.has_time() || course.version != course.seen {
        return None;
    }
    let changed = match &course.told {
        Some(told) => told.clone(),
        None => changes_at(course.fold.last_touches()),
    };
    let image = Image {
        weight: course.fold.weight(),
        incomplete: course.fold.incomplete(),
        folded: course.folded,
        failed: course.failed,
        findings: course.findings.clone(),
        disagree_count: course.order.disagree_count,
        first_disagreeing: course.order.first_disagreeing,
        last: (last.stream.clone(), last.version, last.event_type.clone()),
        changed: changed.into_iter().map(put).collect(),
    };
    Some(Snapshot {
        stream: stream.clone(),
        model: fold_key(model),
        model_name: model.reference().name,
        version: course.version,
        position: last.position,
        time: last.time,
        latest,
        state: raw(course.fold.state()),
        course: to_raw_value(&image).ok()?,
    })
}

/// Goes on where a snapshot stands; `None` if it is none that this build made.
pub(super) fn resume(snapshot: &Snapshot, model: &Arc<Model>) -> Option<Course> {
    let image: Image = serde_json::from_str(snapshot.course.get()).ok()?;
    let state = json::parse_state(snapshot.state.get())?;
    let Image {
        weight,
        incomplete,
        folded,
        failed,
        findings,
        disagree_count,
        first_disagreeing,
        last,
        changed,
    } = image;
    let fold = Fold::resume(Arc::clone(model), state, weight, incomplete);
    let mut course = Course::new(fold);
    course.findings = findings;
    course.folded = folded;
    course.failed = failed;
    course.version = snapshot.version;
    course.seen = snapshot.version;
    course.order.latest = Some(snapshot.latest);
    course.order.disagree_count = disagree_count;
    course.order.first_disagreeing = first_disagreeing;
    course.told = Some(changed.into_iter().map(take).collect());
    course.last = Some(brief(snapshot.position, snapshot.time, last));
    Some(course)
}

fn brief(position: Position, time: Time, last: (Option<String>, Version, String)) -> EventBrief {
    let (stream, version, event_type) = last;
    EventBrief {
        position,
        stream,
        version,
        event_type,
        time,
    }
}

fn put(change: Change) -> Changed {
    let Change {
        path,
        kind,
        before,
        after,
    } = change;
    let kind = match kind {
        ChangeKind::Added => Kind::Added,
        ChangeKind::Removed => Kind::Removed,
        ChangeKind::Changed => Kind::Changed,
    };
    Changed(
        path,
        kind,
        before.into_iter().collect(),
        after.into_iter().collect(),
    )
}

fn take(changed: Changed) -> Change {
    let Changed(path, kind, before, after) = changed;
    Change {
        path,
        kind: match kind {
            Kind::Added => ChangeKind::Added,
            Kind::Removed => ChangeKind::Removed,
            Kind::Changed => ChangeKind::Changed,
        },
        before: before.into_iter().next(),
        after: after.into_iter().next(),
    }
}
