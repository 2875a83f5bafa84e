//! Taking snapshots: of a stream that is named, or wherever the policies want one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use super::super::AsOf;
use super::super::passage::When;
use super::super::state::{Course, Cut};
use super::{SNAPSHOT_ROWS, SnapshotRow, image};
use crate::id::{Category, StreamId};
use crate::integrity::Hash;
use crate::model::{Fold, Model, ModelSet};
use crate::position::{Position, Version};
use crate::snapshot::policy::ReplayCost;
use crate::snapshot::{
    KeptRow, Policies, Snapshot, SnapshotError, SnapshotPolicy, SnapshotStrategy, Snapshots,
    Wanted, fold_key,
};
use crate::store::{EventQuery, Log, ReadError, StreamEvent, StreamQuery, StreamRow};
use crate::surroundings::Clock;
use crate::time::Time;

/// Streams listed at once.
const PAGE: usize = 500;

/// Events read at once.
const EVENTS: usize = 2_048;

/// Snapshots kept in one transaction.
const BATCH: usize = 64;

/// Of which streams snapshots are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeScope {
    /// Of all, as the policies want it.
    Policies,
    /// Of one category, as its policy wants it.
    Category(Category),
    /// Of the streams whose events came after this position, where the policies of their categories are periodic or
    /// rolling: after an append or an import.
    Since(Position),
    /// Of one stream, whatever its policy says.
    Stream {
        /// The stream.
        stream: StreamId,
        /// At this version; at the last one where it is `None`.
        version: Option<Version>,
    },
}

/// What was taken: `annals snapshot take --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SnapshotsTakenView {
    /// The snapshots taken: the first 1,000.
    pub taken: Vec<SnapshotRow>,
    /// How many were taken.
    #[ts(type = "number")]
    pub taken_count: u64,
    /// How many older ones went, as the policies want it.
    #[ts(type = "number")]
    pub gone_count: u64,
    /// Number of streams looked at.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of events folded for it.
    #[ts(type = "number")]
    pub events: u64,
    /// Categories whose model has a time of its own: no snapshot of them can serve.
    pub own_time: Vec<String>,
    /// The log's last position then.
    pub known: Position,
}

/// Takes snapshots and drops those that no policy keeps. `go_on` is told the number of events folded and stops the
/// work by saying no; what was kept by then stays.
///
/// # Errors
/// [`SnapshotError`]; [`ReadError::Cancelled`] in it if it was stopped.
pub fn take_snapshots(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    scope: &TakeScope,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotsTakenView, SnapshotError> {
    snapshots.forget_erased()?;
    let known = log.head()?.size;
    let mut take = Take {
        log,
        snapshots,
        view: SnapshotsTakenView {
            taken: Vec::new(),
            taken_count: 0,
            gone_count: 0,
            streams: 0,
            events: 0,
            own_time: Vec::new(),
            known,
        },
    };
    match scope {
        TakeScope::Stream { stream, version } => {
            let row = log.stream(stream)?;
            let row = row.ok_or_else(|| ReadError::NoStream(stream.clone()))?;
            let model = models.for_category(&row.category);
            if model.has_time() {
                return Err(SnapshotError::OwnTime {
                    stream: stream.clone(),
                });
            }
            let last = Version(row.events);
            let asked = version.unwrap_or(last);
            if asked > last || asked == Version::NONE {
                return Err(SnapshotError::NoVersion {
                    stream: stream.clone(),
                    asked,
                    last,
                });
            }
            take.named(stream, &model, asked, go_on)?;
        }
        TakeScope::Since(since) => take.since(models, *since, go_on)?,
        TakeScope::Category(category) => {
            let policy = snapshots.policies().of(category.as_str());
            take.category(models, category, &policy, go_on)?;
        }
        TakeScope::Policies => {
            for row in log.info()?.categories {
                let Ok(category) = Category::new(row.name.as_str()) else {
                    continue;
                };
                let policy = snapshots.policies().of(category.as_str());
                take.category(models, &category, &policy, go_on)?;
            }
        }
    }
    Ok(take.view)
}

/// Takes the snapshots that periodic and rolling policies want after events came after a position, by the policies and
/// models beside the store; `None` where no policy is written. For whoever appends: that it fails harms no answer.
///
/// # Errors
/// As [`take_snapshots`]; [`SnapshotError::Policy`] if the policies cannot be read.
pub fn take_after(
    log: &Log,
    since: Position,
    fallback: Option<&Path>,
    clock: Clock,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<SnapshotsTakenView>, SnapshotError> {
    if !Policies::file(log.path()).exists() || log.head()?.size <= since {
        return Ok(None);
    }
    let (models, _) = ModelSet::load(log.path())?;
    let snapshots = Snapshots::open(log, fallback, clock)?;
    let scope = TakeScope::Since(since);
    take_snapshots(log, &models, &snapshots, &scope, go_on).map(Some)
}

struct Take<'t> {
    log: &'t Log,
    snapshots: &'t Snapshots,
    view: SnapshotsTakenView,
}

impl Take<'_> {
    /// A snapshot of a stream at a version.
    fn named(
        &mut self,
        stream: &StreamId,
        model: &Arc<Model>,
        version: Version,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        self.view.streams += 1;
        let mut course = self.start(stream, model, version)?;
        self.fold(stream, version, &mut course, go_on, &mut |_, _, _| {})?;
        self.keep(image::of(&course, stream).into_iter().collect())
    }

    /// Of the streams whose events came after a position.
    fn since(
        &mut self,
        models: &ModelSet,
        since: Position,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        let policies = self.snapshots.policies();
        let is_periodic = |policy: &SnapshotPolicy| {
            matches!(
                policy.strategy,
                SnapshotStrategy::Periodic | SnapshotStrategy::Rolling
            )
        };
        if !policies.iter().any(|(_, policy)| is_periodic(policy)) {
            return Ok(());
        }
        let mut streams = BTreeSet::new();
        let query = EventQuery {
            after: Some(since),
            known: Some(self.view.known),
            ..EventQuery::default()
        };
        self.log.for_each_page(&query, EVENTS, &mut |page| {
            streams.extend(page.into_iter().filter_map(|event| event.stream));
            true
        })?;
        for stream in streams {
            let Some(row) = self.log.stream(&stream)? else {
                continue;
            };
            let policy = policies.of(&row.category);
            let model = models.for_category(&row.category);
            if is_periodic(&policy) && !model.has_time() {
                self.view.streams += 1;
                self.stream(&stream, &row, &model, &policy, go_on)?;
            }
        }
        Ok(())
    }

    fn category(
        &mut self,
        models: &ModelSet,
        category: &Category,
        policy: &SnapshotPolicy,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        if policy.strategy == SnapshotStrategy::None {
            return Ok(());
        }
        let model = models.for_category(category.as_str());
        if model.has_time() {
            self.view.own_time.push(category.to_string());
            return Ok(());
        }
        let mut query = StreamQuery {
            category: Some(category.clone()),
            known: Some(self.view.known),
            ..StreamQuery::default()
        };
        loop {
            let page = self.log.streams(&query, PAGE)?;
            for row in &page.streams {
                let Ok(stream) = StreamId::new(row.stream.as_str()) else {
                    continue;
                };
                self.view.streams += 1;
                self.stream(&stream, row, &model, policy, go_on)?;
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    /// What the policy wants of one stream.
    fn stream(
        &mut self,
        stream: &StreamId,
        row: &StreamRow,
        model: &Arc<Model>,
        policy: &SnapshotPolicy,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        let last = Version(row.events);
        let began = self.snapshots.now_us();
        let mut course = self.start(stream, model, last)?;
        let from = course.version;
        let next_due = policy.every_events.map(|n| (from.0 / n + 1) * n);
        let idle = !policy.every_day && next_due.is_none_or(|next| next > last.0);
        if policy.strategy != SnapshotStrategy::OnDemand && idle {
            return self.retain(policy, stream, fold_key(model));
        }
        let before = course.taken();
        let mut due = Vec::new();
        let mut failed = Ok(());
        // Before an event the fold stands at the one before: the end of a day shows once a later one begins.
        self.fold(
            stream,
            last,
            &mut course,
            go_on,
            &mut |this, course, event| {
                let next = event.event.time.time;
                if is_due(policy, course, from, Some(next)) {
                    due.extend(image::of(course, stream));
                }
                if due.len() >= BATCH && failed.is_ok() {
                    failed = this.keep_staying(policy, stream, fold_key(model), &mut due, BATCH);
                }
            },
        )?;
        if is_due(policy, &course, from, None) {
            due.extend(image::of(&course, stream));
        }
        failed?;
        let key = fold_key(model);
        if policy.strategy == SnapshotStrategy::OnDemand {
            let us = u64::try_from(self.snapshots.now_us() - began).unwrap_or(0);
            let cost = ReplayCost {
                events: course.taken() - before,
                us,
                bytes: course.bytes() as u64,
                best_us: self.snapshots.measured(stream, key)?.best_us,
            };
            if policy.demand(stream.as_str(), &cost).is_some() {
                due.extend(image::of(&course, stream));
            }
        }
        self.keep_staying(policy, stream, key, &mut due, 0)?;
        self.retain(policy, stream, key)
    }

    /// Keeps those that are due, but for what would go at once because the policy keeps only some; where more than
    /// `waiting` are left, they are written.
    fn keep_staying(
        &mut self,
        policy: &SnapshotPolicy,
        stream: &StreamId,
        model: Hash,
        due: &mut Vec<Snapshot>,
        waiting: usize,
    ) -> Result<(), SnapshotError> {
        if policy.retains() {
            let mut all: Vec<(u64, Time)> = kept_of(self.snapshots, stream, model)?
                .iter()
                .map(|row| (row.version.0, row.time))
                .collect();
            all.extend(due.iter().map(|one| (one.version.0, one.time)));
            all.sort_unstable();
            all.dedup_by_key(|(version, _)| *version);
            let stays: std::collections::HashSet<u64> = policy
                .stay(&all)
                .into_iter()
                .zip(&all)
                .filter_map(|(stays, (version, _))| stays.then_some(*version))
                .collect();
            due.retain(|one| stays.contains(&one.version.0));
            if due.len() <= waiting {
                return Ok(());
            }
        }
        self.keep(std::mem::take(due))
    }

    /// The fold from the nearest snapshot on.
    fn start(
        &self,
        stream: &StreamId,
        model: &Arc<Model>,
        last: Version,
    ) -> Result<Course, SnapshotError> {
        let wanted = Wanted {
            last,
            known: Some(self.view.known),
            at: None,
        };
        let (found, _) = self.snapshots.nearest(stream, fold_key(model), wanted)?;
        let resumed = found.and_then(|snapshot| image::resume(&snapshot, model));
        Ok(resumed.unwrap_or_else(|| Course::new(Fold::new(Arc::clone(model)))))
    }

    fn fold(
        &mut self,
        stream: &StreamId,
        last: Version,
        course: &mut Course,
        go_on: &mut dyn FnMut(u64) -> bool,
        before: &mut dyn FnMut(&mut Self, &Course, &StreamEvent),
    ) -> Result<(), SnapshotError> {
        let cut = Cut {
            as_of: AsOf {
                at: None,
                known: Some(self.view.known),
            },
            last,
        };
        let mut stopped = false;
        let log = self.log;
        let walked = course.go(log, stream, &cut, &mut |when, course, event| {
            match when {
                When::Before => before(self, course, event),
                When::After => {
                    self.view.events += 1;
                    if self.view.events.is_multiple_of(1_000) {
                        stopped = !go_on(self.view.events);
                    }
                }
            }
            !stopped
        });
        walked.map_err(|error| match error {
            super::TemporalError::Read(error) => error,
            // The versions asked for were looked up before.
            _ => ReadError::NoStream(stream.clone()),
        })?;
        if stopped {
            return Err(ReadError::Cancelled.into());
        }
        Ok(())
    }

    fn keep(&mut self, due: Vec<Snapshot>) -> Result<(), SnapshotError> {
        if due.is_empty() || !self.snapshots.keep(&due, self.view.known)? {
            return Ok(());
        }
        self.view.taken_count += due.len() as u64;
        let room = SNAPSHOT_ROWS.saturating_sub(self.view.taken.len());
        self.view
            .taken
            .extend(due.iter().take(room).map(|snapshot| SnapshotRow {
                stream: snapshot.stream.to_string(),
                version: snapshot.version,
                position: snapshot.position,
                time: snapshot.time,
                model: snapshot.model_name.clone(),
                current: true,
                bytes: (snapshot.state.get().len() + snapshot.course.get().len()) as u64,
            }));
        Ok(())
    }

    fn retain(
        &mut self,
        policy: &SnapshotPolicy,
        stream: &StreamId,
        model: Hash,
    ) -> Result<(), SnapshotError> {
        self.view.gone_count += retain(self.snapshots, policy, stream, model)?;
        Ok(())
    }
}

/// Whether the policy wants a snapshot where a fold stands that began at `from`.
fn is_due(policy: &SnapshotPolicy, course: &Course, from: Version, next: Option<Time>) -> bool {
    let last = course.last.as_ref();
    course.version > from
        && last.is_some_and(|last| policy.is_due(course.version.0, last.time, next))
}

/// Drops the snapshots of a stream that its policy does not keep; returns how many.
pub(super) fn retain(
    snapshots: &Snapshots,
    policy: &SnapshotPolicy,
    stream: &StreamId,
    model: Hash,
) -> Result<u64, SnapshotError> {
    if !policy.retains() {
        return Ok(0);
    }
    let kept = kept_of(snapshots, stream, model)?;
    let times: Vec<(u64, Time)> = kept.iter().map(|row| (row.version.0, row.time)).collect();
    let stay = policy.stay(&times);
    let gone: Vec<Version> = kept
        .iter()
        .zip(stay)
        .filter(|(_, stays)| !stays)
        .map(|(row, _)| row.version)
        .collect();
    snapshots.drop_versions(stream, model, &gone)?;
    Ok(gone.len() as u64)
}

/// The snapshots that are kept of a stream by a model, by version.
fn kept_of(
    snapshots: &Snapshots,
    stream: &StreamId,
    model: Hash,
) -> Result<Vec<KeptRow>, SnapshotError> {
    let kept = snapshots.list(Some(stream))?;
    Ok(kept.into_iter().filter(|row| row.model == model).collect())
}
