//! Snapshots against a replay: those that are kept, and those that a file of another system claims.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::super::diff::{Change, changes, raw};
use super::super::passage::When;
use super::super::state::{Course, Cut};
use super::super::{AsOf, ChangeKind, TemporalError};
use super::image;
use crate::id::StreamId;
use crate::model::{Fold, Model, ModelSet, json, same};
use crate::position::{Position, Version};
use crate::snapshot::claimed::{self, Claim, Claims, Refused};
use crate::snapshot::{AGGREGATE, Snapshot, SnapshotError, Snapshots, fold_key};
use crate::store::{Log, ReadError, StreamEvent};

/// Checks that an answer lists where nothing else is asked for.
pub const CLAIMS: usize = 1_000;

/// What a replay says of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotOutcome {
    /// The replay gives the same.
    Same,
    /// The replay gives something else. One that was kept is dropped.
    Differs,
    /// Its bytes are not those that were kept, or no fold. It is dropped.
    Damaged,
    /// Another model made it than the category has now: it serves nothing. It is dropped.
    Stale,
    /// There is no such stream or version, or the model has a time of its own.
    Untold,
    /// A record that another system's file holds is no snapshot, or the file cannot be read.
    Unreadable,
}

/// One snapshot that was checked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SnapshotCheck {
    /// The file, or the name of the imported snapshots, that claims it; `null`: one of Annals' own.
    pub claimant: Option<String>,
    /// The stream; empty where that cannot be read.
    pub stream: String,
    /// The version, as the snapshot counts; 0 where that cannot be read.
    #[ts(type = "number")]
    pub version: u64,
    /// Position of the event there; `null` where there is none.
    pub position: Option<Position>,
    /// What the replay says.
    pub outcome: SnapshotOutcome,
    /// What is wrong, in a sentence; `null` where nothing is.
    pub detail: Option<String>,
    /// What leads from the snapshot to what the replay gives.
    pub changes: Vec<Change>,
}

/// Snapshots against a replay: `annals snapshot verify --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SnapshotVerifyView {
    /// The file that claims them; `null`: those that are kept, and those that were imported.
    pub file: Option<String>,
    /// Those that are not the same: the first that fit the limit.
    pub wrong: Vec<SnapshotCheck>,
    /// Number of snapshots looked at.
    #[ts(type = "number")]
    pub checked: u64,
    /// Number of these that other systems claim.
    #[ts(type = "number")]
    pub claimed: u64,
    /// Number that the replay confirms.
    #[ts(type = "number")]
    pub same: u64,
    /// Number that differ.
    #[ts(type = "number")]
    pub differs: u64,
    /// Number that are damaged.
    #[ts(type = "number")]
    pub damaged: u64,
    /// Number that other models made.
    #[ts(type = "number")]
    pub stale: u64,
    /// Number of which nothing could be told.
    #[ts(type = "number")]
    pub untold: u64,
    /// Number of records that are no snapshots, and of imported files that cannot be read.
    #[ts(type = "number")]
    pub unreadable: u64,
    /// Number of Annals' own that were dropped since they do not hold.
    #[ts(type = "number")]
    pub dropped: u64,
    /// Number of snapshots of programs' aggregates, which only these can read; they were not looked at.
    #[ts(type = "number")]
    pub aggregates: u64,
    /// Number of events replayed.
    #[ts(type = "number")]
    pub events: u64,
    /// The log's last position.
    pub known: Position,
    /// One differs, is damaged, cannot be read, or cannot be told of.
    pub problems: bool,
}

struct Check<'c> {
    log: &'c Log,
    view: SnapshotVerifyView,
    /// Who claims what is looked at.
    claimant: Option<String>,
    limit: usize,
}

/// Replays every stream that has snapshots, from its first event, and compares. What does not hold is dropped: it can
/// be taken again. What was imported of other systems is held against a replay as well, and stays. At most `limit` are listed. `go_on` is told the number of events replayed and stops the work by
/// saying no.
///
/// # Errors
/// [`SnapshotError`]; [`ReadError::Cancelled`] in it if it was stopped.
pub fn verify_snapshots(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    stream: Option<&StreamId>,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotVerifyView, SnapshotError> {
    let mut check = own(log, models, snapshots, stream, limit, go_on)?;
    for foreign in claimed::imported(log.path())? {
        check.claimant = Some(foreign.name);
        match foreign.content {
            Ok(found) => check.claims(models, &found, stream, go_on)?,
            Err(error) => check.unreadable(error.to_string()),
        }
    }
    Ok(check.finish())
}

/// As [`verify_snapshots`], what was imported of other systems aside.
///
/// # Errors
/// As [`verify_snapshots`].
pub fn verify_own_snapshots(
    log: &Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotVerifyView, SnapshotError> {
    Ok(own(log, models, snapshots, None, limit, go_on)?.finish())
}

fn own<'l>(
    log: &'l Log,
    models: &ModelSet,
    snapshots: &Snapshots,
    stream: Option<&StreamId>,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Check<'l>, SnapshotError> {
    let mut check = Check::new(log, None, limit)?;
    let mut streams: BTreeMap<String, Vec<(Version, crate::integrity::Hash, String)>> =
        BTreeMap::new();
    for row in snapshots.list(stream)? {
        if row.model_name.starts_with(AGGREGATE) {
            check.view.aggregates += 1;
            continue;
        }
        let of = streams.entry(row.stream).or_default();
        of.push((row.version, row.model, row.model_name));
    }
    for (name, rows) in streams {
        let known = StreamId::new(name.as_str()).ok();
        let row = match &known {
            Some(stream) => log.stream(stream)?,
            None => None,
        };
        let (Some(stream), Some(row)) = (known, row) else {
            for (version, ..) in rows {
                let detail = "there is no such stream".to_owned();
                check.say(
                    &name,
                    version.0,
                    None,
                    SnapshotOutcome::Untold,
                    Some(detail),
                    vec![],
                );
            }
            continue;
        };
        let model = models.for_category(&row.category);
        let present = (!model.has_time()).then(|| fold_key(&model));
        for (version, key, model_name) in
            rows.into_iter().filter(|(_, key, _)| Some(*key) != present)
        {
            let detail = if model.has_time() {
                "the model has a time of its own now".to_owned()
            } else {
                format!("model {model_name} made it as it was then")
            };
            check.say(
                &name,
                version.0,
                None,
                SnapshotOutcome::Stale,
                Some(detail),
                vec![],
            );
            snapshots.drop_versions(&stream, key, &[version])?;
        }
        if let Some(key) = present {
            let kept = snapshots.all_of(&stream, key)?;
            let gone = check.kept(&stream, &model, kept, go_on)?;
            snapshots.drop_versions(&stream, key, &gone)?;
        }
    }
    check.view.dropped = check.view.differs + check.view.damaged + check.view.stale;
    Ok(check)
}

/// Compares what a file of another system claims with a replay by the models. A version is the source's own where the
/// stream's events have one, else the stream's.
///
/// # Errors
/// As [`verify_snapshots`].
pub fn verify_claims(
    log: &Log,
    models: &ModelSet,
    file: &str,
    claims: &Claims,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotVerifyView, SnapshotError> {
    let mut check = Check::new(log, Some(file.to_owned()), limit)?;
    check.claims(models, claims, None, go_on)?;
    Ok(check.finish())
}

impl Check<'_> {
    fn new(log: &Log, file: Option<String>, limit: usize) -> Result<Check<'_>, SnapshotError> {
        Ok(Check {
            log,
            limit,
            claimant: file.clone(),
            view: SnapshotVerifyView {
                file,
                wrong: Vec::new(),
                checked: 0,
                claimed: 0,
                same: 0,
                differs: 0,
                damaged: 0,
                stale: 0,
                untold: 0,
                unreadable: 0,
                dropped: 0,
                aggregates: 0,
                events: 0,
                known: log.head()?.size,
                problems: false,
            },
        })
    }

    fn finish(self) -> SnapshotVerifyView {
        let mut view = self.view;
        view.problems = view.differs + view.damaged + view.untold + view.unreadable > 0;
        view
    }

    fn say(
        &mut self,
        stream: &str,
        version: u64,
        position: Option<Position>,
        outcome: SnapshotOutcome,
        detail: Option<String>,
        changes: Vec<Change>,
    ) {
        let view = &mut self.view;
        view.checked += 1;
        view.claimed += u64::from(self.claimant.is_some());
        *match outcome {
            SnapshotOutcome::Same => &mut view.same,
            SnapshotOutcome::Differs => &mut view.differs,
            SnapshotOutcome::Damaged => &mut view.damaged,
            SnapshotOutcome::Stale => &mut view.stale,
            SnapshotOutcome::Untold => &mut view.untold,
            SnapshotOutcome::Unreadable => &mut view.unreadable,
        } += 1;
        if outcome != SnapshotOutcome::Same && view.wrong.len() < self.limit {
            view.wrong.push(SnapshotCheck {
                claimant: self.claimant.clone(),
                stream: stream.to_owned(),
                version,
                position,
                outcome,
                detail,
                changes,
            });
        }
    }

    /// Compares what another system claims; of one stream where it is named.
    fn claims(
        &mut self,
        models: &ModelSet,
        found: &Claims,
        only: Option<&StreamId>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        let mut streams: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
        for claim in &found.claims {
            if only.is_none_or(|only| only.as_str() == claim.aggregate) {
                streams.entry(&claim.aggregate).or_default().push(claim);
            }
        }
        for (name, claims) in streams {
            self.claims_of(models, name, claims, go_on)?;
        }
        if only.is_none() {
            for Refused { record, reason } in &found.refused {
                self.unreadable(format!("record {record}: {reason}"));
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, detail: String) {
        let unreadable = SnapshotOutcome::Unreadable;
        self.say("", 0, None, unreadable, Some(detail), vec![]);
    }

    /// Compares what another system claims of one stream.
    fn claims_of(
        &mut self,
        models: &ModelSet,
        name: &str,
        mut left: Vec<&Claim>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), SnapshotError> {
        let stream = StreamId::new(name).ok();
        let row = match &stream {
            Some(stream) => self.log.stream(stream)?,
            None => None,
        };
        let mut why = "there is no such stream".to_owned();
        if let (Some(stream), Some(row)) = (stream, row) {
            let model = models.for_category(&row.category);
            if model.has_time() {
                why = "the model has a time of its own, so a version has no one state".to_owned();
            } else {
                let end = Version(row.events);
                why = format!("there is no such version: the stream ends at {end}");
                self.replay(&stream, &model, end, go_on, &mut |check, course, event| {
                    let version = match &event.event.source.source_version {
                        Some(text) => text.parse().ok(),
                        None => Some(event.version.0),
                    };
                    left.retain(|claim| {
                        let is_it = Some(claim.version) == version;
                        if is_it {
                            check.claim(claim, course, event);
                        }
                        !is_it
                    });
                    !left.is_empty()
                })?;
            }
        }
        for claim in left {
            let detail = format!("record {}: {why}", claim.record);
            let untold = SnapshotOutcome::Untold;
            self.say(name, claim.version, None, untold, Some(detail), vec![]);
        }
        Ok(())
    }

    /// Compares the snapshots of a stream; returns the versions of those that do not hold.
    fn kept(
        &mut self,
        stream: &StreamId,
        model: &Arc<Model>,
        kept: Vec<Result<Snapshot, crate::snapshot::Dropped>>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Vec<Version>, SnapshotError> {
        let mut wanted: BTreeMap<Version, Snapshot> = BTreeMap::new();
        for snapshot in kept {
            match snapshot {
                Ok(snapshot) => {
                    wanted.insert(snapshot.version, snapshot);
                }
                Err(bad) => {
                    let (damaged, reason) = (SnapshotOutcome::Damaged, Some(bad.reason));
                    self.say(
                        stream.as_str(),
                        bad.version.0,
                        None,
                        damaged,
                        reason,
                        vec![],
                    );
                }
            }
        }
        let mut gone = Vec::new();
        let Some(last) = wanted.keys().next_back().copied() else {
            return Ok(gone);
        };
        self.replay(stream, model, last, go_on, &mut |check, course, event| {
            if let Some(snapshot) = wanted.remove(&event.version)
                && !check.one(&snapshot, course, event)
            {
                gone.push(snapshot.version);
            }
            !wanted.is_empty()
        })?;
        for version in wanted.into_keys() {
            let detail = Some("the stream has no event of this version".to_owned());
            let differs = SnapshotOutcome::Differs;
            self.say(stream.as_str(), version.0, None, differs, detail, vec![]);
            gone.push(version);
        }
        Ok(gone)
    }

    /// Compares a snapshot with the fold at its version; says whether they are the same.
    fn one(&mut self, snapshot: &Snapshot, course: &Course, event: &StreamEvent) -> bool {
        let replayed = image::of(course, &snapshot.stream);
        let same = replayed.is_some_and(|replayed| replayed.hash() == snapshot.hash());
        let position = Some(event.event.position);
        let stream = snapshot.stream.as_str();
        if same {
            let outcome = SnapshotOutcome::Same;
            self.say(stream, snapshot.version.0, position, outcome, None, vec![]);
            return true;
        }
        let changes = differences(json::parse_state(snapshot.state.get()), course);
        let detail = match changes.is_empty() {
            true => "its state is the same; what else it says of the fold is not",
            false => "the replay gives another state",
        };
        let outcome = SnapshotOutcome::Differs;
        let detail = Some(detail.to_owned());
        self.say(
            stream,
            snapshot.version.0,
            position,
            outcome,
            detail,
            changes,
        );
        false
    }

    fn claim(&mut self, claim: &Claim, course: &Course, event: &StreamEvent) {
        let changes = differences(Some(claim.data.clone()), course);
        let (outcome, detail) = match changes.is_empty() {
            true => (SnapshotOutcome::Same, None),
            false => {
                let detail = format!("record {}: the replay gives another state", claim.record);
                (SnapshotOutcome::Differs, Some(detail))
            }
        };
        let position = Some(event.event.position);
        self.say(
            &claim.aggregate,
            claim.version,
            position,
            outcome,
            detail,
            changes,
        );
    }

    fn replay(
        &mut self,
        stream: &StreamId,
        model: &Arc<Model>,
        last: Version,
        go_on: &mut dyn FnMut(u64) -> bool,
        each: &mut dyn FnMut(&mut Self, &Course, &StreamEvent) -> bool,
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
        let mut course = Course::new(Fold::new(Arc::clone(model)));
        let walked = course.go(log, stream, &cut, &mut |when, course, event| {
            if when == When::Before {
                return true;
            }
            self.view.events += 1;
            if self.view.events.is_multiple_of(1_000) {
                stopped = !go_on(self.view.events);
            }
            each(self, course, event) && !stopped
        });
        walked.map_err(|error| match error {
            TemporalError::Read(error) => error,
            _ => ReadError::NoStream(stream.clone()),
        })?;
        if stopped {
            return Err(ReadError::Cancelled.into());
        }
        Ok(())
    }
}

/// What leads from what a snapshot says to the state of the fold; numbers by value.
fn differences(said: Option<Value>, course: &Course) -> Vec<Change> {
    let state = course.fold.state();
    let Some(said) = said else {
        return vec![Change {
            path: String::new(),
            kind: ChangeKind::Changed,
            before: None,
            after: Some(raw(state)),
        }];
    };
    let value = |text: &Option<Box<RawValue>>| json::parse_state(text.as_ref()?.get());
    let mut changes = changes(&said, state);
    changes.retain(
        |change| match (value(&change.before), value(&change.after)) {
            (Some(before), Some(after)) => !same(&before, &after),
            _ => true,
        },
    );
    changes
}
